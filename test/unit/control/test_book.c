/* SPDX-License-Identifier: Apache-2.0 */
/* test_book.c - thirty days at speed: counts go through pages, book and store over 20 restarts, 5 kills, 6 reloads that change
 * objectives and two steps of the wall clock, and every window is compared with a tally that knows nothing of
 * either. Each life of the program is a process of its own; a killed one is killed. Requests that began before a reload end
 * under the earlier configuration. */
#include "configs.h"

#include "bus/tally.h"
#include "control/control.h"
#include "control/figures.h"
#include "control/registry.h"
#include "base/rand.h"
#include "../store/scratch.h"

#include <signal.h>
#include <sys/wait.h>

/* With sanitizers a day takes four times as long, and what they look for happens in eight too. */
#ifdef EK_SANITIZED
#define DAYS 8
#else
#define DAYS 30
#endif

enum {
    TICK_S = WINDOW_SLOT_S,
    TICKS = DAYS * 86400 / TICK_S,
    LIVES = 26, /* 20 restarts and 5 kills lie between them */
    KILLS = 5,
    JOURNEYS = 2,
    CONFIGS = 7,
    VIEWS = 4,          /* sets of objectives of `browse`; rows of the tally, and then `pay` */
    STRAGGLE_TICKS = 3, /* after a reload some requests still end under the configuration before */
    COUNTS = SERIES_OBJECTIVES + 2 * 3,
    CHECKS_PER_LIFE = 60,
};

/* Another window and target; an owner; another threshold, which is an edge of the histogram; one that is not, with which
 * `browse` begins anew; edges again, and one more; and back to what was in force before it began anew. */
static const char *const texts[CONFIGS] = {
    "{ available: { target: 99.9% }, fast: { target: 95%, under: 300ms } }, owner: one",
    "{ available: { target: 99.5%, window: 7d }, fast: { target: 90%, under: 300ms } }, owner: one",
    "{ available: { target: 99.5%, window: 2h }, fast: { target: 90%, under: 300ms } }, owner: two",
    "{ available: { target: 99.5%, window: 2h }, fast: { target: 90%, under: 450ms } }, owner: two",
    "{ available: { target: 99.5%, window: 2h }, fast: { target: 90%, under: 452ms } }, owner: two",
    "{ slow: { target: 9%, under: 800ms }, on: { target: 9% }, fast: { target: 9%, under: 0.3s } }",
    "{ available: { target: 99.5%, window: 7d }, fast: { target: 90%, under: 450ms } }, owner: two",
};

/* Of each configuration: how `browse` counts. */
static const unsigned views[CONFIGS] = { 0, 0, 0, 1, 2, 3, 1 };
static const unsigned view_objectives[VIEWS + 1] = { 2, 2, 2, 3, 3 };
static const ns_t view_under[VIEWS + 1][3] = {
    { 0, 300 * NS_PER_MS },
    { 0, 450 * NS_PER_MS },
    { 0, 452 * NS_PER_MS },
    { 800 * NS_PER_MS, 0, 300 * NS_PER_MS },
    { 0, 1000 * NS_PER_MS, 20 * NS_PER_MS }, /* of `pay` */
};

static struct config *config_number(unsigned i)
{
    char text[2000];

    snprintf(text, sizeof(text),
             "listen: { http: 127.0.0.1:8080 }\n"
             "services: { shop: { instances: [127.0.0.1:9101] } }\n"
             "journeys:\n"
             "  browse: { routes: [GET /b], objectives: %s }\n"
             "  pay: { routes: [POST /p], objectives: { good: { target: 99%%, window: 14d }, a: { "
             "target: 90%%, "
             "under: 1s }, b: { target: 50%%, under: 20ms } } }\n",
             texts[i]);
    return read_good(text);
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
static uint64_t tally[VIEWS + 1][TICKS][COUNTS]; /* cumulative, of what is not lost */
static uint64_t measured[TICKS];                 /* ms, cumulative */
static struct row rows[TICKS];
static size_t row_count;

/* What the store has of `browse`: each version has rows of its own, and a rebuilt one has other rows. */
struct browse_row {
    int64_t at;
    unsigned epoch;
    unsigned view;
    int tick; /* whose counts they are */
    int known_from, known_until;
};

static struct browse_row browse_rows[3 * TICKS];
static size_t browse_count;

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

/* The row of the tally by which a journey is counted at a time. */
static unsigned view_at(int journey, int tick)
{
    return journey == 0 ? views[config_at(tick)] : VIEWS;
}

/* The first tick of which the version in force knows anything. */
static int born_at(int journey, int tick)
{
    unsigned config = config_at(tick);

    return journey == 0 && config == 4 ? reload_at[4] : 0;
}

/* When that version came into force. */
static int since_at(int journey, int tick)
{
    unsigned config = config_at(tick);

    return journey == 0 && config >= 3 ? reload_at[config] : 0;
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
static void count_by_hand(uint64_t counts[COUNTS], unsigned view, const struct event *e)
{
    bool slow = false;

    if (e->status == 404) {
        counts[SERIES_EXCLUDED]++;
        return;
    }
    if (e->status == 503) {
        counts[SERIES_FAILED]++;
        for (unsigned o = 0; o < view_objectives[view]; o++)
            counts[series_bad(o)] += view_under[view][o] == 0;
        return;
    }
    for (unsigned o = 0; o < view_objectives[view]; o++) {
        bool good = view_under[view][o] == 0 || e->latency < view_under[view][o];
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
    browse_rows[browse_count++] = (struct browse_row){ .at = unix_of(tick),
                                                       .epoch = epoch,
                                                       .view = view_at(0, tick),
                                                       .tick = tick,
                                                       .known_from = known_from,
                                                       .known_until = TICKS };
}

/* The newest of a version's rows at a time, as a rebuilding at `reload` finds them; -1: none. */
static int newest_tick(unsigned view, int64_t at, int reload)
{
    int found = -1;

    for (size_t i = 0; i < browse_count; i++) {
        const struct browse_row *r = &browse_rows[i];
        if (r->view == view && r->known_until > reload && r->at <= at && r->tick > found)
            found = r->tick;
    }
    return found;
}

static void add_browse_row(unsigned view, int64_t at, int tick, unsigned epoch, int known_from)
{
    browse_rows[browse_count++] = (struct browse_row){ .at = at,
                                                       .epoch = epoch,
                                                       .view = view,
                                                       .tick = tick,
                                                       .known_from = known_from,
                                                       .known_until = TICKS };
}

/* From `begin` on the version has rows where slots of five minutes end, and one where the other went out of force. */
static void plan_rebuilding(unsigned from, unsigned to, int begin_tick, int reload, int64_t end,
                            int end_tick, unsigned epoch)
{
    int64_t begin = unix_of(begin_tick);
    size_t count = browse_count;

    for (size_t i = 0; i < count; i++) {
        struct browse_row *r = &browse_rows[i];
        if (r->view == to && r->at > begin && r->known_from < reload && r->known_until > reload)
            r->known_until = reload;
    }
    for (int64_t at = begin - begin % 300 + 300; at <= end; at += 300) {
        int tick = newest_tick(from, at, reload);
        if (tick >= 0)
            add_browse_row(to, at, tick, epoch, reload);
    }
    add_browse_row(to, end, end_tick, epoch, reload);
}

/* `end`: the newest that the store has of the version before. */
static void plan_reload(int tick, int64_t end, unsigned epoch)
{
    if (tick == reload_at[3])
        plan_rebuilding(0, 1, 0, tick, end, tick - 1, epoch);
    if (tick == reload_at[4]) /* the last of the version with which the new one does not go on */
        add_browse_row(1, end, tick - 1, epoch, tick);
    if (tick == reload_at[5]) { /* what version 4 counted, and before it what came before it */
        plan_rebuilding(1, 3, 0, tick, unix_of(reload_at[4]), reload_at[4] - 1, epoch);
        plan_rebuilding(2, 3, reload_at[4], tick, end, tick - 1, epoch);
    }
    if (tick == reload_at[6])
        plan_rebuilding(3, 1, 0, tick, end, tick - 1, epoch);
}

/* What was stored last, and is kept as history only now: a journey's when it last changed. */
static void keep_totals(int tick, unsigned epoch, int known_from, int begin)
{
    add_row(tick, epoch, known_from);
    for (int j = 0; j < JOURNEYS; j++) {
        int changed = tick;
        int first_kept = -1;
        const uint64_t(*counts)[COUNTS] = tally[view_at(j, tick)];
        int since = since_at(j, tick) > begin ? since_at(j, tick) : begin;
        while (changed > since &&
               memcmp(counts[changed - 1], counts[tick], sizeof(counts[tick])) == 0)
            changed--;
        for (size_t i = row_count - 1; i > 0 && rows[i - 1].tick >= changed; i--) {
            if (rows[i - 1].tick <= tick)
                first_kept = rows[i - 1].tick; /* kept then, so it is not written again */
        }
        rows[row_count - 1].at[j] = unix_of(first_kept < 0 ? changed : first_kept);
        if (j == 0)
            browse_rows[browse_count - 1].at = rows[row_count - 1].at[j];
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
            for (int v = 0; v <= VIEWS; v++)
                memcpy(tally[v][t], tally[v][t - 1], sizeof(tally[v][t]));
            measured[t] = measured[t - 1];
        }
        if (t > 0)
            plan_reload(t, t > l->begin ? unix_of(t) : browse_rows[browse_count - 1].at, *epoch);
        if (lost)
            break;
        for (unsigned v = 0; v <= VIEWS; v++) {
            struct event events[16];
            unsigned n = events_of(t, v == VIEWS, events);
            for (unsigned i = 0; i < n; i++)
                count_by_hand(tally[v][t], v, &events[i]);
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
        reload_at[i] = tick_within(&r, (i < 3 ? i * 4 : i * 2 + 6) * TICKS / 20,
                                   (i < 3 ? i * 4 : i * 2 + 6) * TICKS / 20 + TICKS / 20);
    reload_at[6] = lives[23].begin; /* the file was changed while the program was killed */
    assert_true(lives[22].killed && reload_at[6] > reload_at[5]);
    step_at[0] = tick_within(&r, TICKS / 10, TICKS / 5);
    step_at[1] = tick_within(&r, TICKS / 2, TICKS / 2 + TICKS / 10);
    for (int t = 0; t < TICKS; t++)
        wall_offset[t] = t < step_at[0] ? 0 : t < step_at[1] ? 7200 : 7200 - 2220;
    for (int i = 0; i < LIVES; i++) {
        int before = i == 0 ? 0 : lives[i - 1].end;
        for (int t = before + 1; t < lives[i].begin; t++) {
            for (int v = 0; v <= VIEWS; v++)
                memcpy(tally[v][t], tally[v][t - 1], sizeof(tally[v][t]));
            measured[t] = measured[t - 1];
        }
        plan_life(&lives[i], &epoch, &last_stored);
    }
}

/* ---- what a window must say */

static int browse_stood_at(int64_t at, int now)
{
    const struct browse_row *found = NULL;

    for (size_t i = 0; i < browse_count; i++) {
        const struct browse_row *r = &browse_rows[i];
        if (r->view != view_at(0, now) || r->known_from > now || r->known_until <= now ||
            r->at > at)
            continue;
        if (!found || r->at > found->at || (r->at == found->at && r->epoch >= found->epoch))
            found = r;
    }
    return found ? found->tick : -1;
}

/* The tick whose counts stood at a time, as the store knows it at tick `now`; -1: it was before all. */
static int stood_at(int64_t at, int now, int not_before, int whose)
{
    const struct row *found = NULL;

    if (whose == 0)
        return browse_stood_at(at, now);
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
    struct config
        *before; /* the one that was in force before the last reload of this life; or NULL */
    int begin;
    int asked; /* the tick at which the store was last asked where long windows begin */
};

static ns_t monotonic(const struct program *p, int tick)
{
    return (ns_t)(tick - p->begin) * TICK_S * NS_PER_S + 7777 * NS_PER_S;
}

static void count(struct program *p, const struct journey *j, const struct event *e);

/* How many of a tick's events end under the configuration before. Where a version begins anew they would be lost to it. */
static unsigned stragglers(int tick, int journey, unsigned n)
{
    int since = since_at(journey, tick);

    return since > 0 && config_at(tick) != 4 && tick - since < STRAGGLE_TICKS ? n - n / 3 : 0;
}

/* The first of them end while the store is asked. */
static unsigned asking(int tick, int journey, unsigned n)
{
    return since_at(journey, tick) == tick ? stragglers(tick, journey, n) / 2 : 0;
}

static void load(struct program *p, unsigned number, int tick)
{
    struct config *c = config_number(number);
    struct journey_memory memories[JOURNEYS + 1] = {};
    struct event events[16];

    must(registry_assign(&p->registry, c));
    book_tick(&p->control.book, monotonic(p, tick));
    book_ask(&p->control.book, c, memories, unix_of(tick));
    for (unsigned i = 0; p->config && i < asking(tick, 0, events_of(tick, 0, events)); i++)
        count(p, &p->config->journeys[0], &events[i]);
    must(book_recall(p->store, c, monotonic(p, tick), unix_of(tick), memories));
    book_adopt(&p->control.book, c, memories, monotonic(p, tick), unix_of(tick));
    book_forget(memories, c->journey_count);
    p->before = p->config;
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
    struct verdict v = verdict_of(&j->rules, CAUSE_ANSWERED, e->status, e->latency);

    tally_verdict(&p->page, &j->slots, v, e->latency);
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
    for (size_t i = 0; whose == 0 && i < browse_count; i++) {
        const struct browse_row *r = &browse_rows[i];
        int64_t at = recalled - (unix_of(recalled) - r->at) / TICK_S;
        if (r->view == view_at(0, recalled) && r->known_from <= recalled &&
            r->known_until > recalled && r->tick < recalled && at <= slot && r->tick > found)
            found = r->tick;
    }
    if (whose == 0)
        return found;
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

/* What was counted while the wall clock was set is rebuilt into the slot before or the one after. */
static bool is_rebuilt_doubt(int journey, int64_t at, int tick)
{
    int64_t on = unix_of(step_at[0] - 1);
    int64_t back = unix_of(step_at[1]);

    if (journey != 0 || view_at(0, tick) == 0)
        return false;
    return (at >= on - 660 && at <= on + 7200 + 660) ||
           (at >= back - 660 && at <= back + 2220 + 660);
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
    int born = born_at(journey, tick);
    int since = since_at(journey, tick);
    int recalled = since > p->begin ? since : p->begin;
    unsigned view = view_at(journey, tick);
    bool in_ring = seconds <= WINDOW_SPAN_S;
    int64_t at = (in_ring ? unix_of(tick) : unix_of(p->asked)) - seconds;
    struct window_counts w;
    int begin;

    if (is_doubtful(at) || is_rebuilt_doubt(journey, at, tick))
        return;
    begin = begin_of(p, seconds, tick, recalled, born, journey);
    figures_window(&p->control, j, seconds, &w);
    int node_begin = begin_of(p, seconds, tick, recalled, born, JOURNEYS);
    if (begin < born - 1)
        begin = born - 1;
    for (unsigned i = 0; i < series_count(view_objectives[view]); i++) {
        uint64_t before = begin < 0 ? 0 : tally[view][begin][i];
        uint64_t expected = tally[view][tick][i] - before;
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
        unsigned view = view_at(j, tick);
        int born = born_at(j, tick);
        for (unsigned i = 0; i < series_count(view_objectives[view]); i++) {
            uint64_t expected = tally[view][tick][i] - (born ? tally[view][born - 1][i] : 0);
            if (all[i] != expected)
                fail_msg("tick %d, journey %d, counter %u: %llu in all, by hand %llu", tick, j, i,
                         (unsigned long long)all[i], (unsigned long long)expected);
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
    static struct program p; /* large */
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
            unsigned late = p.before ? stragglers(t, j, n) : 0;
            for (unsigned i = p.before ? asking(t, j, n) : 0; i < n; i++)
                count(&p, &(i < late ? p.before : p.config)->journeys[j], &events[i]);
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
