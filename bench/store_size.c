/* SPDX-License-Identifier: Apache-2.0 */
/* store_size.c - what the store weighs per journey: a year of minutes is written at speed, with all that a running program would
 * keep of them and forget, and the file is measured. Totals are written once a minute instead of each second: they replace each other.
 * usage: store_size [DAYS [FOLDER]]   (366 days, in /dev/shm, where a flush costs nothing)
 * Prints a line of JSON for each shape: bytes of the file at its largest and at the end, less those of a store of no journeys, by
 * journey; and how long it took. */
#include "base/check.h"
#include "base/rand.h"
#include "core/pack.h"
#include "store/catalog.h"
#include "store/retention.h"
#include "store/samples.h"
#include "store/store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    START = 1800000000,
    DAY_MINUTES = 1440,
    SLOT_MINUTES = HISTOGRAM_SLOT_S / 60,
    JOURNEYS_MOST = 16,
    LATENCIES = 65536,
};

/* clang-format off */
#define SHAPES(X) \
    /* name     journeys  objectives  what it is */ \
    X(none,     0,        0,          "the node's own rows, which the others have too") \
    X(quiet,    10,       2,          "a request in ten minutes, by day") \
    X(steady,   8,        3,          "a request a second, five times as many by day as by night, one in a thousand fails") \
    X(busy,     8,        3,          "a hundred a second, in the same way") \
    X(worst,    2,        8,          "every counter large and changed each minute, every bin of each histogram in use")
/* clang-format on */

enum shape {
#define X(name, journeys, objectives, story) SHAPE_##name,
    SHAPES(X)
#undef X
        SHAPE_COUNT
};

static const struct {
    const char *name;
    unsigned journeys, objectives;
} shapes[SHAPE_COUNT] = {
#define X(name, journeys, objectives, story) [SHAPE_##name] = { #name, journeys, objectives },
    SHAPES(X)
#undef X
};

struct journey {
    struct journey_version version;
    uint64_t counts[SERIES_MAX];
    uint64_t written[SERIES_MAX];
    uint64_t bins[HISTOGRAM_BINS]; /* of the running slot */
};

struct world {
    enum shape shape;
    struct store *store;
    struct rng rng;
    ns_t latencies[LATENCIES]; /* drawn once: a year has 10^9 requests */
    struct journey journeys[JOURNEYS_MOST];
    char *packed; /* room for the histograms of all */
};

static void must(err e)
{
    if (e.failed) {
        fprintf(stderr, "store_size: %s\n", e.text);
        exit(1);
    }
}

static double uniform(struct rng *r)
{
    return ((double)(rng_next(r) >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(struct rng *r)
{
    return sqrt(-2 * log(uniform(r))) * cos(2 * M_PI * uniform(r));
}

/* Half of them take less than 60 ms, one in fifty more than 300. */
static ns_t draw_latency(struct rng *r)
{
    return (ns_t)(60e6 * exp(0.78 * normal(r)));
}

static void count_answer(struct journey *j, unsigned objectives, ns_t latency, uint64_t n)
{
    static const ns_t under[] = { 0, 300 * NS_PER_MS, NS_PER_S };
    bool slow = false;

    check(objectives <= sizeof(under) / sizeof(under[0]));
    for (unsigned o = 0; o < objectives; o++) {
        bool good = under[o] == 0 || latency < under[o];
        j->counts[good ? series_good(o) : series_bad(o)] += n;
        slow |= !good;
    }
    j->counts[slow ? SERIES_SLOW : SERIES_GOOD] += n;
    j->counts[SERIES_LATENCY_SUM_US] += n * (uint64_t)(latency / 1000);
    j->bins[histogram_bin(latency)] += n;
}

static void count_failure(struct journey *j)
{
    j->counts[SERIES_FAILED]++;
    j->counts[series_bad(0)]++;
}

/* Requests of a minute; by day the most. */
static unsigned draw_requests(struct world *w, double mean, unsigned minute)
{
    double hour = (double)(minute % DAY_MINUTES) / 60;
    double now = mean * (1 - 0.67 * cos((hour - 3) * 2 * M_PI / 24));
    double n = now < 5 ? (uniform(&w->rng) < now ? 1 : 0) : now + sqrt(now) * normal(&w->rng);

    return n > 0 ? (unsigned)(n + 0.5) : 0;
}

static void pass_minute(struct world *w, struct journey *j, unsigned minute)
{
    static const double means[] = { [SHAPE_quiet] = 0.1, [SHAPE_steady] = 60, [SHAPE_busy] = 6000 };
    unsigned objectives = shapes[w->shape].objectives;
    unsigned n = draw_requests(w, means[w->shape], minute);
    uint64_t each =
        n > 600 ? 10 : 1; /* not all of a busy one are drawn: bins fill up all the same */

    for (unsigned i = 0; i < n; i += (unsigned)each) {
        if (rng_below(&w->rng, 1000) == 0)
            count_failure(j);
        else
            count_answer(j, objectives, w->latencies[rng_next(&w->rng) % LATENCIES], each);
    }
}

static void pass_worst_minute(struct world *w, struct journey *j)
{
    for (unsigned c = 0; c < SERIES_MAX; c++)
        j->counts[c] += UINT64_C(1000000000000) + rng_below(&w->rng, 1000000);
    for (unsigned b = 0; b < HISTOGRAM_BINS; b++)
        j->bins[b] += 1000000 + rng_below(&w->rng, 1000000);
}

static void put_histogram(struct world *w, struct journey *j, int64_t at,
                          struct sample_batch *batch)
{
    struct str packed =
        str_fixed(w->packed + batch->histogram_count * PACK_HISTOGRAM_MAX, PACK_HISTOGRAM_MAX);

    pack_histogram(&packed, j->bins, NULL);
    if (packed.n)
        batch->histograms[batch->histogram_count++] = (struct histogram_sample){
            .version = j->version.bins, .at = at, .bins = str_span(&packed)
        };
    memset(j->bins, 0, sizeof(j->bins));
}

static void store_minute(struct world *w, unsigned minute)
{
    struct sample samples[JOURNEYS_MOST + 1];
    struct histogram_sample histograms[JOURNEYS_MOST];
    struct sample_batch batch = { .samples = samples, .histograms = histograms };
    int64_t at = START + 60 * ((int64_t)minute + 1);
    bool more;

    for (unsigned k = 0; k < shapes[w->shape].journeys; k++) {
        struct journey *j = &w->journeys[k];
        if (w->shape == SHAPE_worst)
            pass_worst_minute(w, j);
        else
            pass_minute(w, j, minute);
        if ((minute + 1) % SLOT_MINUTES == 0)
            put_histogram(w, j, at - HISTOGRAM_SLOT_S, &batch);
        if (memcmp(j->counts, j->written, sizeof(j->counts)) == 0)
            continue;
        struct sample *s = &samples[batch.sample_count++];
        *s = (struct sample){ .version = j->version.id, .keep = true, .at = at };
        memcpy(s->counts, j->counts, sizeof(s->counts));
        memcpy(j->written, j->counts, sizeof(j->written));
    }
    samples[batch.sample_count++] = (struct sample){ .version = NODE_VERSION,
                                                     .keep = true,
                                                     .at = at,
                                                     .counts = { 60000 * ((uint64_t)minute + 1) } };
    must(samples_write(w->store, &batch));
    must(retention_step(w->store, at, &more));
}

/* Bytes that the file has at its largest, and at the end. */
static void write_days(struct world *w, const char *path, unsigned days, int64_t *ret_most,
                       int64_t *ret_end)
{
    struct store_opened opened;
    struct stat st;
    int64_t epoch;

    must(store_open(&(struct store_options){ .path = path, .now = START }, &w->store, &opened));
    must(epoch_begin(w->store, START, SPAN("bench"), &epoch));
    for (unsigned k = 0; k < shapes[w->shape].journeys; k++) {
        char name[32];
        snprintf(name, sizeof(name), "journey-%u", k);
        struct journey_meaning m = { .name = span_from_text(name), .definition = k, .basis = k };
        must(journey_version(w->store, &m, NULL, START, &w->journeys[k].version));
    }
    *ret_most = 0;
    for (unsigned minute = 0; minute < days * DAY_MINUTES; minute++) {
        store_minute(w, minute);
        if (minute % 60 == 0 && stat(path, &st) == 0 && st.st_size > *ret_most)
            *ret_most = st.st_size;
    }
    store_close(w->store);
    check(stat(path, &st) == 0);
    *ret_end = st.st_size;
    unlink(path);
}

static double seconds_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* `base`: of a store without journeys. */
static int64_t measure(enum shape shape, const char *folder, unsigned days, int64_t base)
{
    struct world *w = calloc(1, sizeof(*w));
    char path[4096];
    double begun = seconds_now();
    int64_t most, last;

    check(w != NULL);
    w->shape = shape;
    w->rng = (struct rng){ 7 };
    w->packed = malloc((size_t)JOURNEYS_MOST * PACK_HISTOGRAM_MAX);
    check(w->packed != NULL);
    snprintf(path, sizeof(path), "%s/evenkeel-size-%d.db", folder, (int)getpid());
    for (unsigned i = 0; i < LATENCIES; i++)
        w->latencies[i] = draw_latency(&w->rng);
    write_days(w, path, days, &most, &last);
    unsigned journeys = shapes[shape].journeys;
    double weight = journeys ? (double)(last - base) / journeys : 0;
    printf(
        "{\"shape\": \"%s\", \"journeys\": %u, \"objectives\": %u, \"days\": %u, \"bytes\": %lld, "
        "\"bytes_most\": %lld, \"mib_per_journey\": %.2f, \"took_s\": %.0f}\n",
        shapes[shape].name, journeys, shapes[shape].objectives, days, (long long)last,
        (long long)most, weight / 1048576, seconds_now() - begun);
    fflush(stdout);
    free(w->packed);
    free(w);
    return last;
}

int main(int argc, char **argv)
{
    uint64_t days = 366;
    const char *folder = argc > 2 ? argv[2] : "/dev/shm";

    if ((argc > 1 && !span_to_u64(span_from_text(argv[1]), &days)) || days == 0 || days > 10000 ||
        argc > 3) {
        fprintf(stderr, "usage: store_size [DAYS [FOLDER]]\n");
        return 2;
    }
    int64_t base = measure(SHAPE_none, folder, (unsigned)days, 0);
    for (unsigned s = SHAPE_none + 1; s < SHAPE_COUNT; s++)
        measure((enum shape)s, folder, (unsigned)days, base);
    return 0;
}
