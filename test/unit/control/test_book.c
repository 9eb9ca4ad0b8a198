/* SPDX-License-Identifier: Apache-2.0 */
/* test_book.c - thirty days at speed: counts go through pages, book and store over 20 restarts, 5 kills, 3 reloads that change
 * objectives and two steps of the wall clock, and every window is compared with a tally that knows nothing of
 * either. Each life of the program is a process of its own; a killed one is killed. */
#include "unit.h"

#include "control/config_file.h"
#include "control/control.h"
#include "control/figures.h"
#include "control/registry.h"
#include "base/rand.h"
#include "../store/scratch.h"

#include <signal.h>
#include <sys/wait.h>

enum {
    TICK_S = WINDOW_SLOT_S,
    TICKS = 30 * 86400 / TICK_S,
    LIVES = 26, /* 20 restarts and 5 kills lie between them */
    KILLS = 5,
    JOURNEYS = 2,
    CONFIGS = 4,
    COUNTS = SERIES_OBJECTIVES + 2 * 3,
    CHECKS_PER_LIFE = 60,
};

/* Another window and target; an owner; another threshold, with which `browse` begins anew. */
static const char *const texts[CONFIGS] = {
    "{ available: { target: 99.9% }, fast: { target: 95%, under: 300ms } }, owner: one",
    "{ available: { target: 99.5%, window: 7d }, fast: { target: 90%, under: 300ms } }, owner: one",
    "{ available: { target: 99.5%, window: 2h }, fast: { target: 90%, under: 300ms } }, owner: two",
    "{ available: { target: 99.5%, window: 2h }, fast: { target: 90%, under: 450ms } }, owner: two",
};

static struct config *config_number(unsigned i)
{
    char text[2000];
    struct config *c = NULL;
    struct config_report r;

    snprintf(text, sizeof(text),
             "listen: { http: 127.0.0.1:8080 }\n"
             "services: { shop: { instances: [127.0.0.1:9101] } }\n"
             "journeys:\n"
             "  browse: { routes: [GET /b], objectives: %s }\n"
             "  pay: { routes: [POST /p], objectives: { good: { target: 99%%, window: 14d }, a: { "
             "target: 90%%, "
             "under: 1s }, b: { target: 50%%, under: 20ms } } }\n",
             texts[i]);
    err e = config_read_text("f.yaml", span_from_text(text), "/etc/ek", &c, &r);
    if (e.failed)
        fail_msg("%s", str_cstr(&r.text));
    config_report_free(&r);
    return c;
}

/* ---- what happens, and when */

struct life {
    int begin, end; /* ticks; nothing happens between two lives */
    bool killed;    /* in its last tick, before that was stored */
    unsigned first_epoch;
};

struct row {
    int64_t at[JOURNEYS + 1]; /* unix seconds; of each journey and of the node */
    unsigned epoch;
    int tick;
    int known_from; /* the tick from which on the store has it */
};

static struct life lives[LIVES];
static int reload_at[CONFIGS]; /* config i comes with tick reload_at[i]; 0: the first */
static int step_at[2];
static int64_t wall_offset[TICKS];
static uint64_t tally[JOURNEYS][TICKS][COUNTS]; /* cumulative, of what is not lost */
static uint64_t measured[TICKS];                /* ms, cumulative */
static struct row rows[TICKS];
static size_t row_count;

static int64_t unix_of(int tick)
{
    return NOON + (int64_t)tick * TICK_S + wall_offset[tick];
}

static unsigned config_at(int tick)
{
    unsigned i = CONFIGS - 1;

    while (i > 0 && tick < reload_at[i])
        i--;
    return i;
}

static ns_t under(int journey, unsigned objective, unsigned config)
{
    static const ns_t pay[] = { 0, 1000 * NS_PER_MS, 20 * NS_PER_MS };

    if (journey == 1)
        return pay[objective];
    return objective == 0 ? 0 : (config < 3 ? 300 : 450) * NS_PER_MS;
}

struct event {
    unsigned status;
    ns_t latency;
};

/* The events of a tick: by day more than by night, sometimes none, now and then an outage. */
static unsigned events_of(int tick, int journey, struct event ret_events[16])
{
    struct rng r;

    r.state = (uint64_t)tick * 2 + (uint64_t)journey;
    bool day = tick % 8640 > 2000;
    bool outage = tick % 30000 < 90;
    unsigned n = (unsigned)(rng_next(&r) % (day ? 12 : 2));
    for (unsigned i = 0; i < n; i++) {
        uint64_t x = rng_next(&r) % 1000;
        ret_events[i].status = x < (outage ? 500u : 2u) ? 503 : x < 30 ? 404 : 200;
        ret_events[i].latency = (ns_t)(rng_next(&r) % 1300) * NS_PER_MS;
    }
    return n;
}

/* What an event adds, worked out by hand. */
static void count_by_hand(uint64_t counts[COUNTS], int journey, unsigned config,
                          const struct event *e)
{
    unsigned objectives = journey == 0 ? 2 : 3;
    bool slow = false;

    if (e->status == 404) {
        counts[SERIES_EXCLUDED]++;
        return;
    }
    if (e->status == 503) {
        counts[SERIES_FAILED]++;
        counts[series_bad(0)]++;
        return;
    }
    counts[series_good(0)]++;
    for (unsigned o = 1; o < objectives; o++) {
        bool good = e->latency < under(journey, o, config);
        counts[good ? series_good(o) : series_bad(o)]++;
        slow |= !good;
    }
    counts[slow ? SERIES_SLOW : SERIES_GOOD]++;
    counts[SERIES_LATENCY_SUM_US] += (uint64_t)(e->latency / NS_PER_US);
}

static int by_number(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static void plan_lives(struct rng *r)
{
    int cuts[LIVES - 1];

    for (int i = 0; i < LIVES - 1; i++)
        cuts[i] = 2000 + (int)(rng_next(r) % (TICKS - 4000));
    qsort(cuts, LIVES - 1, sizeof(cuts[0]), by_number);
    for (int i = 0; i < LIVES; i++) {
        lives[i].begin = i == 0 ? 0 : cuts[i - 1];
        lives[i].end = i == LIVES - 1 ? TICKS - 1 : cuts[i] - 1 - (int)(rng_next(r) % 300);
        if (lives[i].end <= lives[i].begin + 2)
            lives[i].end = lives[i].begin + 2;
        if (i < LIVES - 1 && cuts[i] <= lives[i].end)
            cuts[i] = lives[i].end + 1;
        lives[i].killed = i % 5 == 2 && i / 5 < KILLS;
    }
}

/* A tick in the middle of a life. */
static int tick_within(struct rng *r, int from, int to)
{
    for (;;) {
        int t = from + (int)(rng_next(r) % (uint64_t)(to - from));
        for (int i = 0; i < LIVES; i++) {
            if (t > lives[i].begin + 10 && t < lives[i].end - 10)
                return t;
        }
    }
}

static void add_row(int tick, unsigned epoch, int known_from)
{
    struct row *r = &rows[row_count++];

    *r = (struct row){ .epoch = epoch, .tick = tick, .known_from = known_from };
    for (int j = 0; j <= JOURNEYS; j++)
        r->at[j] = unix_of(tick);
}

/* What was stored last, and is kept as history only now: a journey's when it last changed. */
static void keep_totals(int tick, unsigned epoch, int known_from, int begin)
{
    add_row(tick, epoch, known_from);
    for (int j = 0; j < JOURNEYS; j++) {
        int changed = tick;
        int first_kept = -1;
        while (changed > begin &&
               memcmp(tally[j][changed - 1], tally[j][tick], sizeof(tally[j][tick])) == 0)
            changed--;
        for (size_t i = row_count - 1; i > 0 && rows[i - 1].tick >= changed; i--) {
            if (rows[i - 1].tick <= tick)
                first_kept = rows[i - 1].tick; /* kept then, so it is not written again */
        }
        rows[row_count - 1].at[j] = unix_of(first_kept < 0 ? changed : first_kept);
    }
}

static void plan_life(struct life *l, unsigned *epoch, int *last_stored)
{
    int64_t minute = unix_of(l->begin) / 60;

    l->first_epoch = ++*epoch;
    if (*last_stored >= 0) /* what a killed process had counted keeps its time */
        keep_totals(*last_stored, *epoch - 1, l->begin, l > lives ? l[-1].begin : 0);
    for (int t = l->begin; t <= l->end; t++) {
        bool lost = l->killed && t == l->end;
        bool step = t == step_at[0] || t == step_at[1];
        if (step) {
            keep_totals(t - 1, *epoch, t, l->begin);
            ++*epoch;
        }
        if (t > 0) {
            for (int j = 0; j < JOURNEYS; j++)
                memcpy(tally[j][t], tally[j][t - 1], sizeof(tally[j][t]));
            measured[t] = measured[t - 1];
        }
        if (t == reload_at[3])
            memset(tally[0][t], 0, sizeof(tally[0][t]));
        if (lost)
            break;
        for (int j = 0; j < JOURNEYS; j++) {
            struct event events[16];
            unsigned n = events_of(t, j, events);
            for (unsigned i = 0; i < n; i++)
                count_by_hand(tally[j][t], j, config_at(t), &events[i]);
        }
        if (t > l->begin && !step)
            measured[t] += TICK_S * 1000;
        if (unix_of(t) / 60 != minute || t == l->end)
            add_row(t, *epoch, t);
        minute = unix_of(t) / 60;
        *last_stored = t;
    }
}

static void plan(uint64_t seed)
{
    struct rng r;
    unsigned epoch = 0;
    int last_stored = -1;

    r.state = seed;
    plan_lives(&r);
    for (int i = 1; i < CONFIGS; i++)
        reload_at[i] = tick_within(&r, i * TICKS / 5, (i + 1) * TICKS / 5);
    step_at[0] = tick_within(&r, TICKS / 10, TICKS / 5);
    step_at[1] = tick_within(&r, TICKS / 2, TICKS / 2 + TICKS / 10);
    for (int t = 0; t < TICKS; t++)
        wall_offset[t] = t < step_at[0] ? 0 : t < step_at[1] ? 7200 : 7200 - 2220;
    for (int i = 0; i < LIVES; i++) {
        int before = i == 0 ? 0 : lives[i - 1].end;
        for (int t = before + 1; t < lives[i].begin; t++) {
            for (int j = 0; j < JOURNEYS; j++)
                memcpy(tally[j][t], tally[j][t - 1], sizeof(tally[j][t]));
            measured[t] = measured[t - 1];
        }
        plan_life(&lives[i], &epoch, &last_stored);
    }
}

/* ---- what a window must say */

/* The tick whose counts stood at a time, as the store knows it at tick `now`; -1: it was before all. */
static int stood_at(int64_t at, int now, int not_before, int whose)
{
    const struct row *found = NULL;

    for (size_t i = 0; i < row_count; i++) {
        const struct row *r = &rows[i];
        if (r->known_from > now || r->tick < not_before || r->at[whose] > at)
            continue;
        if (!found || r->at[whose] > found->at[whose] ||
            (r->at[whose] == found->at[whose] && r->epoch > found->epoch))
            found = r;
    }
    return found ? found->tick : -1;
}

/* ---- the program */

struct program {
    struct control control; /* only what figures.h looks at */
    struct store *store;
    struct registry registry;
    struct counter_page page;
    struct config *config;
    int begin;
    int asked; /* the tick at which the store was last asked where long windows begin */
};

static ns_t monotonic(const struct program *p, int tick)
{
    return (ns_t)(tick - p->begin) * TICK_S * NS_PER_S + 7777 * NS_PER_S;
}

static void load(struct program *p, unsigned number, int tick)
{
    struct config *c = config_number(number);
    struct journey_memory memories[JOURNEYS + 1] = {};

    must(registry_assign(&p->registry, c));
    must(book_recall(p->store, c, monotonic(p, tick), unix_of(tick), memories));
    book_adopt(&p->control.book, c, memories, monotonic(p, tick), unix_of(tick));
    p->config = c; /* those before stay: journeys' rules are in them */
    atomic_store(&p->control.publication.newest, c);
    p->asked = tick;
}

static void start(struct program *p, const char *path, const struct life *l)
{
    struct store_opened opened;
    struct sample node = {};
    int64_t epoch;

    *p = (struct program){ .begin = l->begin };
    must(store_open(&(struct store_options){ .path = path, .now = unix_of(l->begin) }, &p->store,
                    &opened));
    must(epoch_begin(p->store, unix_of(l->begin), SPAN("test"), &epoch));
    must(samples_total(p->store, NODE_VERSION, &node));
    counter_page_open(&p->page);
    registry_open(&p->registry);
    book_open(&p->control.book, node.counts[NODE_MEASURED_MS], monotonic(p, l->begin),
              unix_of(l->begin));
    book_add_page(&p->control.book, &p->page);
    load(p, config_at(l->begin), l->begin);
}

static void count(struct program *p, const struct journey *j, const struct event *e)
{
    uint8_t series[VERDICT_SERIES_MAX];
    struct verdict v = verdict_of(&j->rules, CAUSE_ANSWERED, e->status, e->latency);
    unsigned n = verdict_series(v, series);

    for (unsigned i = 0; i < n; i++)
        counter_add(&p->page, j->series + series[i], 1);
    if (!verdict_timed(v))
        return;
    counter_add(&p->page, j->series + SERIES_LATENCY_SUM_US, (uint64_t)(e->latency / NS_PER_US));
    counter_add(&p->page, j->histogram + histogram_bin(e->latency), 1);
}

static void store_now(struct program *p, int tick, bool last)
{
    struct scribe_job *job = book_job(&p->control.book, unix_of(tick), last);

    assert_non_null(job);
    if (job->question_count)
        p->asked = tick;
    scribe_do_job(p->store, job);
    must(job->result);
    book_job_done(&p->control.book, job);
}

/* The tick with whose counts a window of the ring begins; -1: with nothing. `recalled`: when the ring was filled. */
static int ring_begin(int slot, int recalled, int not_before, int whose)
{
    int found = -1;

    if (slot >= recalled)
        return slot;
    for (size_t i = 0; i < row_count; i++) {
        const struct row *r = &rows[i];
        int64_t at = recalled - (unix_of(recalled) - r->at[whose]) / TICK_S;
        if (r->known_from <= recalled && r->tick >= not_before && r->tick < recalled &&
            at <= slot && r->tick > found)
            found = r->tick;
    }
    return found;
}

/* No window may begin where the wall clock was stepped back: what stood then is a matter of taste. */
static bool is_doubtful(int64_t at)
{
    int64_t back = unix_of(step_at[1]);

    return at >= back - 60 && at <= back + 2220 + 60;
}

/* `whose`: a journey's counts, or the node's measured time. */
static int begin_of(const struct program *p, int64_t seconds, int tick, int recalled, int born,
                    int whose)
{
    if (seconds <= WINDOW_SPAN_S)
        return ring_begin(tick - (int)(seconds / TICK_S), recalled, born, whose);
    return stood_at(unix_of(p->asked) - seconds, p->asked, born, whose);
}

static void check_window(struct program *p, int journey, int64_t seconds, int tick)
{
    const struct journey *j = &p->config->journeys[journey];
    int born = journey == 0 && tick >= reload_at[3] ? reload_at[3] : 0;
    int recalled = born > p->begin ? born : p->begin;
    bool in_ring = seconds <= WINDOW_SPAN_S;
    int64_t at = (in_ring ? unix_of(tick) : unix_of(p->asked)) - seconds;
    struct window_counts w;
    int begin;

    if (is_doubtful(at))
        return;
    begin = begin_of(p, seconds, tick, recalled, born, journey);
    figures_window(&p->control, j, seconds, &w);
    int node_begin = begin_of(p, seconds, tick, recalled, born, JOURNEYS);
    for (unsigned i = 0; i < COUNTS; i++) {
        uint64_t before = begin < born ? 0 : tally[journey][begin][i];
        uint64_t expected = tally[journey][tick][i] - before;
        if (journey == 0 && i >= series_count(2))
            continue;
        if (w.counts[i] != expected)
            fail_msg("tick %d (life from %d), journey %d, window of %lld s, counter %u: %llu, by "
                     "hand %llu "
                     "(begins with tick %d)",
                     tick, p->begin, journey, (long long)seconds, i,
                     (unsigned long long)w.counts[i], (unsigned long long)expected, begin);
    }
    if (node_begin >= born && w.measured_ms != measured[tick] - measured[node_begin])
        fail_msg("tick %d, journey %d, window of %lld s: %llu ms measured, by hand %llu", tick,
                 journey, (long long)seconds, (unsigned long long)w.measured_ms,
                 (unsigned long long)(measured[tick] - measured[node_begin]));
}

static void check_all(struct program *p, int tick)
{
    for (int j = 0; j < JOURNEYS; j++) {
        const struct journey *journey = &p->config->journeys[j];
        for (unsigned i = 0; i < LOOKBACK_COUNT; i++)
            check_window(p, j, lookbacks[i].seconds, tick);
        for (size_t o = 0; o < journey->objective_count; o++)
            check_window(p, j, journey->objectives[o].window_s, tick);
        uint64_t all[SERIES_MAX];
        book_cumulative(&p->control.book, book_account(&p->control.book, journey), all);
        for (unsigned i = 0; i < (j == 0 ? series_count(2) : COUNTS); i++) {
            if (all[i] != tally[j][tick][i])
                fail_msg("tick %d, journey %d, counter %u: %llu in all, by hand %llu", tick, j, i,
                         (unsigned long long)all[i], (unsigned long long)tally[j][tick][i]);
        }
    }
}

static void step_clock(struct program *p, int tick)
{
    int64_t epoch;

    coverage_gap(&p->control.book.coverage, monotonic(p, tick));
    must(epoch_begin(p->store, unix_of(tick), SPAN("test"), &epoch));
}

static void live(const struct life *l, const char *path)
{
    struct program p;
    int every = (l->end - l->begin) / CHECKS_PER_LIFE + 1;

    start(&p, path, l);
    for (int t = l->begin; t <= l->end; t++) {
        if (t > l->begin && (t == step_at[0] || t == step_at[1]))
            step_clock(&p, t);
        if (t > l->begin && config_at(t) != config_at(t - 1))
            load(&p, config_at(t), t);
        for (int j = 0; j < JOURNEYS; j++) {
            struct event events[16];
            unsigned n = events_of(t, j, events);
            for (unsigned i = 0; i < n; i++)
                count(&p, &p.config->journeys[j], &events[i]);
        }
        book_tick(&p.control.book, monotonic(&p, t));
        if (l->killed && t == l->end)
            raise(SIGKILL);
        store_now(&p, t, t == l->end);
        if ((t - l->begin) % every < 2 || t == l->end || t < l->begin + 3)
            check_all(&p, t);
    }
    store_close(p.store);
}

static void thirty_days(void **state)
{
    struct scratch_folder *s = *state;

    plan(20260101);
    for (int i = 0; i < LIVES; i++) {
        pid_t child = fork();
        int status;
        assert_true(child >= 0);
        if (child == 0) {
            live(&lives[i], s->path);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        if (lives[i].killed)
            assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            fail_msg("life %d (ticks %d to %d) ended with %d", i, lives[i].begin, lives[i].end,
                     status);
    }
}

int main(void)
{
    /* nothing here outlives the test, and a disk would have to sync a quarter of a million times */
    if (!getenv("TMPDIR") && access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 1);

    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(thirty_days, scratch_make, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
