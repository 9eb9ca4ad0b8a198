/* SPDX-License-Identifier: Apache-2.0 */
/* tick.c - what a tick of control costs, and what a journey weighs: the book of so many journeys, with all of them
 * in use, tick after tick, with the jobs that it gives the scribe.
 * usage: tick [JOURNEYS [TICKS]]   (1000 journeys of 3 objectives, 22000 ticks of a second: the rings of six hours are full then)
 * Each journey has as many instances and tenants as have a value, of four releases, and all of them are used.
 * The clock is virtual, only the CPU time of the work is measured; what the scribe does on its own thread is done between the ticks and not
 * timed. Prints one line of JSON: microseconds of a tick and of taking the scribe's answer (another turn), KiB of resident memory that a journey adds. */
#include "base/rand.h"
#include "bus/tally.h"
#include "control/book.h"
#include "control/config_file.h"
#include "control/dimension_memory.h"
#include "control/registry.h"
#include "store/samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { PAGES = 3, OBJECTIVES = 3, INSTANCES = DIMENSION_VALUES, RELEASES = 4, START = 1800000000 };

static ns_t cpu_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static long resident_kib(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (!f || fscanf(f, "%*s %ld", &pages) != 1)
        exit(1);
    fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void must(err e)
{
    if (e.failed) {
        fprintf(stderr, "tick: %s\n", e.text);
        exit(1);
    }
}

static struct config *make_config(unsigned journeys)
{
    struct str text = str_growing();
    struct config *c = NULL;
    struct config_report r;

    str_literal(&text, "listen: { http: 127.0.0.1:8080 }\nidentity: { tenant: \"cookie:t\" }\n"
                       "services:\n  s:\n    instances:\n");
    for (unsigned i = 0; i < INSTANCES; i++)
        str_print(&text, "      - { address: 127.0.0.1:%u, release: r%u }\n", 9101 + i,
                  i % RELEASES);
    str_literal(&text, "journeys:\n");
    for (unsigned i = 0; i < journeys; i++)
        str_print(&text,
                  "  j%u: { routes: [GET /j%u], objectives: { a: { target: 99.9%% }, "
                  "b: { target: 95%%, under: 300ms }, c: { target: 99%%, under: 1s } } }\n",
                  i, i);
    must(config_read_text("f.yaml", str_span(&text), "/etc", &c, &r));
    config_report_free(&r);
    str_free(&text);
    return c;
}

static void use_dimensions(struct counter_page *p, const struct journey *j, struct rng *rng,
                           enum outcome o)
{
    const struct journey_dimensions *d = j->dimensions;
    const struct value_slots *v = &d->instances[0][rng_next(rng) % INSTANCES];

    counter_add(p, d->status + 2 * DIMENSION_OUTCOMES + o, 1);
    counter_add(p, d->reason + o, 1);
    counter_add(p, v->instance + o, 1);
    counter_add(p, v->release + o, 1);
    counter_add(
        p, d->tenants + (uint32_t)(rng_next(rng) % DIMENSION_VALUES) * DIMENSION_OUTCOMES + o, 1);
}

/* Each journey has some requests on each page: every bin is used sooner or later. */
static void use(struct counter_page *pages, const struct config *c, struct rng *rng)
{
    for (size_t i = 0; i < c->journey_count; i++) {
        const struct journey *j = &c->journeys[i];
        struct counter_page *p = &pages[rng_next(rng) % (PAGES - 1)];
        ns_t latency = (ns_t)(rng_next(rng) % (2 * NS_PER_S));
        struct verdict v = verdict_of(&j->rules, CAUSE_ANSWERED, 200, latency);
        tally_verdict(p, &j->slots, v, latency);
        use_dimensions(p, j, rng, v.outcome);
    }
}

static struct span name_of(const void *owner, const struct dimension_row *r)
{
    (void)owner;
    return r->text;
}

/* As much as control packs for the store with each tick (dimension_keeper.c). */
static void pack_some(const struct dimensions *d, const struct book *b, const struct config *c,
                      ns_t now)
{
    static size_t next;
    const struct tenant_namer namer = { name_of, NULL };
    struct str packed = str_growing();

    for (size_t i = 0; i < PACK_LOOKS && packed.n < PACKED_PER_TICK; i++) {
        next = (next + 1) % (c->journey_count - 1); /* the last is nobody's */
        dimension_pack(d, b, &c->journeys[next], &namer, now, &packed);
    }
    str_free(&packed);
}

static void name_tenants(struct dimensions *d)
{
    static struct heavy_text texts[DIMENSION_VALUES];

    for (unsigned i = 0; i < DIMENSION_VALUES; i++) {
        texts[i].n = (uint32_t)snprintf(texts[i].text, sizeof(texts[i].text), "tenant-%04u", i);
        dimensions_name_tenant(d, i, &texts[i], START);
    }
}

static int by_size(const void *a, const void *b)
{
    ns_t x = *(const ns_t *)a;
    ns_t y = *(const ns_t *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    unsigned journeys = argc > 1 ? (unsigned)atoi(argv[1]) : 1000;
    unsigned ticks = argc > 2 ? (unsigned)atoi(argv[2]) : 22000;
    ns_t *took = calloc(ticks + 1, sizeof(*took));
    struct counter_page pages[PAGES];
    struct rng rng = { 7 };
    struct registry registry;
    struct publication publication;
    struct book book;
    struct store *store;
    struct store_opened opened;
    ns_t longest_answer = 0;
    int64_t epoch;

    if (!took || ticks == 0 || journeys == 0 || journeys >= JOURNEYS_MAX) {
        fprintf(stderr, "usage: tick [JOURNEYS [TICKS]]\n");
        return 2;
    }
    must(store_open(&(struct store_options){ .path = ":memory:", .now = START }, &store, &opened));
    must(epoch_begin(store, START, SPAN("bench"), &epoch));
    struct config *c = make_config(journeys);
    registry_open(&registry);
    must(registry_assign(&registry, c));
    name_tenants(&registry.dimensions);
    long before = resident_kib();
    book_open(&book, 0, NS_PER_S, START);
    for (unsigned i = 0; i < PAGES; i++) {
        counter_page_open(&pages[i]);
        book_add_page(&book, &pages[i]);
    }
    struct journey_memory *memories = calloc(c->journey_count, sizeof(*memories));
    must(book_recall(store, c, NS_PER_S, START, memories));
    book_adopt(&book, c, memories, NS_PER_S, START);
    book_forget(memories, c->journey_count);
    free(memories);
    publication_init(&publication, config_free);
    bool published = publication_publish(&publication, c);
    if (!published)
        return 1;
    for (unsigned t = 1; t <= ticks; t++) {
        use(pages, c, &rng);
        ns_t begin = cpu_now();
        book_tick(&book, (t + 1) * NS_PER_S);
        dimensions_tick(&registry.dimensions, &book, &publication, (t + 1) * NS_PER_S, START + t);
        pack_some(&registry.dimensions, &book, c, (t + 1) * NS_PER_S);
        struct scribe_job *job = book_job(&book, START + t, false);
        ns_t end = cpu_now();
        took[t - 1] = end - begin;
        if (!job)
            continue;
        scribe_do_job(store, job);
        must(job->result);
        begin = cpu_now();
        book_job_done(&book, job);
        end = cpu_now();
        if (end - begin > longest_answer)
            longest_answer = end - begin;
    }
    long weight = resident_kib() - before;
    ns_t first = took[0]; /* most of what it uses it meets for the first time */
    took[0] = 0;
    qsort(took, ticks, sizeof(took[0]), by_size);
    printf("{\"journeys\": %u, \"objectives\": %d, \"ticks\": %u, "
           "\"tick_us\": {\"p50\": %.0f, \"p99\": %.0f, \"most\": %.0f, \"first\": %.0f}, "
           "\"answer_us_most\": %.0f, \"kib_per_journey\": %.1f}\n",
           journeys, OBJECTIVES, ticks, (double)took[ticks / 2] / 1000,
           (double)took[ticks - 1 - ticks / 100] / 1000, (double)took[ticks - 1] / 1000,
           (double)first / 1000, (double)longest_answer / 1000, (double)weight / journeys);
    book_close(&book);
    for (unsigned i = 0; i < PAGES; i++)
        counter_page_close(&pages[i]);
    registry_close(&registry);
    publication_free(&publication);
    store_close(store);
    free(took);
    return 0;
}
