/* SPDX-License-Identifier: Apache-2.0 */
/* journey_steps.c - rings, attempts, counts. */
#include "control/journey_steps.h"

#include "base/check.h"
#include "bus/tally.h"
#include "control/control.h"

#include <stdlib.h>

const char *attempt_end_word(enum attempt_end e)
{
    static const char *const words[] = {
#define X(name, word, how) word,
        ATTEMPT_ENDS(X)
#undef X
    };
    return words[e];
}

/* ---- counting */

static void on_reached(void *owner, unsigned journey, unsigned step)
{
    struct journey_steps *s = owner;

    counter_add(s->tally, s->journeys[journey].slots.series + SERIES_STEPS + step, 1);
}

static enum outcome outcome_of(const struct watched_journey *w, enum attempt_end how)
{
    switch (how) {
    case ATTEMPT_COMPLETED: return OUTCOME_GOOD; /* or slow, by its time */
    case ATTEMPT_FAILED: return OUTCOME_FAILED;
    case ATTEMPT_ABANDONED: return w->abandoned_bad ? OUTCOME_FAILED : OUTCOME_EXCLUDED;
    case ATTEMPT_LOST: return OUTCOME_EXCLUDED;
    case ATTEMPT_END_COUNT: break;
    }
    never("an attempt ends in one of these ways");
}

static void on_ended(void *owner, unsigned journey, enum attempt_end how, ns_t took)
{
    struct journey_steps *s = owner;
    const struct watched_journey *w = &s->journeys[journey];

    if (how == ATTEMPT_ABANDONED)
        counter_add(s->tally, w->slots.series + SERIES_ABANDONED, 1);
    if (how == ATTEMPT_LOST)
        counter_add(s->tally, w->slots.series + SERIES_LOST, 1);
    tally_verdict(s->tally, &w->slots, verdict_told(&w->rules, outcome_of(w, how), took), took);
}

/* ---- rings */

/* Its index, or ATTEMPT_JOURNEYS_MAX. */
static unsigned find_watched(const struct journey_steps *s, uint32_t id)
{
    for (unsigned i = 0; i < ATTEMPT_JOURNEYS_MAX; i++) {
        if (s->journeys[i].open && (s->journeys[i].id == id || s->journeys[i].former == id))
            return i;
    }
    return ATTEMPT_JOURNEYS_MAX;
}

/* The ring with the entry that ended first, if it did before `until`. */
static struct step_ring *next_ring(struct journey_steps *s, ns_t until)
{
    struct step_ring *first = NULL;

    for (size_t i = 0; i < s->ring_count; i++) {
        const struct step_entry *e = step_ring_peek(&s->rings[i]);
        if (!e || e->ended >= until)
            continue;
        until = e->ended;
        first = &s->rings[i];
    }
    return first;
}

static void take_entry(struct journey_steps *s, const struct step_entry *e)
{
    unsigned number = find_watched(s, e->journey);

    if (number == ATTEMPT_JOURNEYS_MAX)
        return; /* of a configuration that is no longer in force */
    attempts_take(&s->attempts, number,
                  &(struct step_taken){ .user = e->user,
                                        .begun = e->begun,
                                        .ended = e->ended,
                                        .steps = e->steps,
                                        .outcome = (enum outcome)e->outcome });
}

/* At most as much as fits the rings: their writers may be as fast as we are. */
static void take_until(struct journey_steps *s, ns_t until)
{
    struct step_ring *r;

    for (size_t n = 0; n < s->ring_count * STEP_RING_ENTRIES && (r = next_ring(s, until)); n++) {
        take_entry(s, step_ring_peek(r));
        step_ring_taken(r);
    }
}

/* ---- configurations */

void journey_steps_open(struct journey_steps *s, size_t workers, struct counter_page *tally)
{
    check(workers <= WORKERS_MAX);
    *s = (struct journey_steps){ .ring_count = workers, .tally = tally };
    for (size_t i = 0; i < workers; i++)
        step_ring_open(&s->rings[i]);
}

void journey_steps_close(struct journey_steps *s)
{
    for (size_t i = 0; i < s->ring_count; i++)
        step_ring_close(&s->rings[i]);
    free(s->memory);
    s->memory = NULL;
}

static bool has_journey(const struct config *c, uint32_t id)
{
    for (size_t i = 0; i < c->stepped_count; i++) {
        if (c->stepped[i]->id == id)
            return true;
    }
    return false;
}

/* What earlier processes, as far as the store knows them, saw begin and not end. */
static void lose_earlier(struct journey_steps *s, const struct book *b, const struct journey *j)
{
    uint64_t counts[SERIES_MAX];
    uint64_t ended = 0;

    book_cumulative(b, book_account(b, j), counts);
    for (unsigned i = SERIES_GOOD; i <= SERIES_EXCLUDED; i++)
        ended += counts[i];
    if (counts[SERIES_STEPS] <= ended)
        return;
    counter_add(s->tally, j->slots.series + SERIES_LOST, counts[SERIES_STEPS] - ended);
    counter_add(s->tally, j->slots.series + SERIES_EXCLUDED, counts[SERIES_STEPS] - ended);
}

static struct watched_journey watched_of(const struct journey *j)
{
    return (struct watched_journey){ .open = true,
                                     .id = j->id,
                                     .former = j->id,
                                     .basis = j->basis,
                                     .name = span_hash(j->name, 0),
                                     .slots = j->slots,
                                     .rules = j->rules,
                                     .abandoned_bad = j->abandoned_bad };
}

/* The version that took over from it, with its counts: those who are on their way go on under that. */
static const struct journey *heir_of(const struct control *c, const struct config *config,
                                     unsigned number)
{
    const struct watched_journey *w = &c->steps.journeys[number];

    for (size_t i = 0; i < config->stepped_count; i++) {
        const struct journey *j = config->stepped[i];
        uint64_t counts[SERIES_MAX];
        if (j->basis != w->basis || span_hash(j->name, 0) != w->name)
            continue;
        book_cumulative(&c->book, book_account(&c->book, j), counts);
        return counts[SERIES_STEPS] >= c->steps.attempts.journeys[number].count ? j : NULL;
    }
    return NULL;
}

/* What is no journey of the configuration any more. */
static void settle_journey(struct control *c, const struct config *config, unsigned number)
{
    struct watched_journey *w = &c->steps.journeys[number];
    const struct journey *heir = heir_of(c, config, number);
    uint32_t former = w->id;

    if (heir) {
        *w = watched_of(heir);
        w->former = former; /* requests are still under way there */
    } else {
        attempts_close(&c->steps.attempts, number);
        w->open = false;
    }
}

static void watch_journey(struct journey_steps *s, const struct journey *j)
{
    unsigned number = 0;

    while (s->journeys[number].open)
        number++;
    check(number <
          ATTEMPT_JOURNEYS_MAX); /* so many a configuration has at most, and others are closed */
    s->journeys[number] = watched_of(j);
    attempts_open(&s->attempts, number, (unsigned)j->step_count, j->deadline);
}

static void begin_watching(struct journey_steps *s)
{
    struct attempt_watcher watcher = { .reached = on_reached, .ended = on_ended, .owner = s };

    s->memory = calloc(1, attempts_bytes(ATTEMPTS_MAX));
    check(s->memory != NULL);
    attempts_init(&s->attempts, s->memory, ATTEMPTS_MAX, &watcher);
}

void journey_steps_adopt(struct control *c, const struct config *config, ns_t complete)
{
    struct journey_steps *s = &c->steps;

    if (!s->memory && config->stepped_count == 0)
        return;
    if (!s->memory)
        begin_watching(s);
    take_until(s, complete); /* what was told under the configuration before */
    for (unsigned i = 0; i < ATTEMPT_JOURNEYS_MAX; i++) {
        if (s->journeys[i].open && !has_journey(config, s->journeys[i].id))
            settle_journey(c, config, i);
    }
    for (size_t i = 0; i < config->stepped_count; i++) {
        const struct journey *j = config->stepped[i];
        if (find_watched(s, j->id) < ATTEMPT_JOURNEYS_MAX)
            continue;
        lose_earlier(s, &c->book, j);
        watch_journey(s, j);
    }
}

/* ---- from time to time */

void journey_steps_drain(struct journey_steps *s)
{
    if (s->memory)
        take_until(s, NS_NEVER);
}

ns_t journey_steps_complete(const struct control *c)
{
    ns_t complete = c->reactor->now; /* before the looks at them */

    for (size_t i = 0; i < c->parts.worker_count; i++) {
        ns_t since = reactor_active_since(c->parts.workers[i].reactor);
        complete = since < complete ? since : complete;
    }
    return complete;
}

void journey_steps_tick(struct journey_steps *s, ns_t complete)
{
    if (!s->memory)
        return;
    take_until(s, complete);
    attempts_expire(&s->attempts, complete); /* nothing older comes any more */
}

void journey_steps_hurry(struct journey_steps *s, ns_t complete)
{
    bool hurries = false;

    if (!s->memory)
        return;
    for (size_t i = 0; i < s->ring_count; i++)
        hurries |= step_ring_hurries(&s->rings[i]);
    if (hurries)
        take_until(s, complete);
}

/* ---- what is told */

void journey_steps_standing(const struct journey_steps *s, const struct journey *j,
                            uint64_t ret_standing[STEPS_MAX])
{
    unsigned number = find_watched(s, j->id);

    for (unsigned i = 0; i < STEPS_MAX; i++)
        ret_standing[i] =
            number < ATTEMPT_JOURNEYS_MAX ? s->attempts.journeys[number].standing[i] : 0;
}

void funnel_of(const struct journey *j, const uint64_t counts[SERIES_MAX],
               const uint64_t standing[STEPS_MAX], struct funnel *ret)
{
    uint64_t abandoned = counts[SERIES_ABANDONED];

    *ret = (struct funnel){ .no_identity = counts[SERIES_NO_IDENTITY] };
    for (size_t i = 0; i < j->step_count; i++) {
        ret->reached[i] = counts[SERIES_STEPS + i];
        ret->standing[i] = standing[i];
        ret->under_way += standing[i];
    }
    ret->ended[ATTEMPT_COMPLETED] = counts[SERIES_GOOD] + counts[SERIES_SLOW];
    ret->ended[ATTEMPT_FAILED] = counts[SERIES_FAILED] - (j->abandoned_bad ? abandoned : 0);
    ret->ended[ATTEMPT_ABANDONED] = abandoned;
    ret->ended[ATTEMPT_LOST] = counts[SERIES_LOST];
}
