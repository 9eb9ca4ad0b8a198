/* SPDX-License-Identifier: Apache-2.0 */
/* attempts.c - a table by user and journey, and for each journey a list in the order of the deadlines. */
#include "core/attempts.h"

#include "base/check.h"

size_t attempts_bytes(uint32_t room)
{
    return room * sizeof(struct attempt) + (size_t)2 * room * sizeof(uint32_t);
}

void attempts_init(struct attempts *a, void *memory, uint32_t room,
                   const struct attempt_watcher *watcher)
{
    check(room > 0 && room <= ATTEMPTS_MAX && (room & (room - 1)) == 0);
    *a = (struct attempts){ .watcher = *watcher, .list = memory, .room = room };
    a->table = (uint32_t *)(void *)(a->list + room);
}

static struct attempt *at(const struct attempts *a, uint32_t number)
{
    return &a->list[number - 1];
}

/* ---- the table */

/* Users' hashes are even already; a journey's number moves them by a large odd step. */
static uint32_t home(const struct attempts *a, uint64_t user, unsigned journey)
{
    uint64_t h = user + journey * UINT64_C(0x9e3779b97f4a7c15);

    return (uint32_t)(h ^ h >> 32) & (2 * a->room - 1);
}

/* Where it is, or the free place where it would be. */
static uint32_t find(const struct attempts *a, uint64_t user, unsigned journey)
{
    uint32_t i = home(a, user, journey);

    for (; a->table[i]; i = (i + 1) & (2 * a->room - 1)) {
        const struct attempt *t = at(a, a->table[i]);
        if (t->user == user && t->journey == journey)
            break;
    }
    return i;
}

/* Those behind the hole move up unless that would put them before their home. */
static void take_out(struct attempts *a, uint32_t hole)
{
    uint32_t mask = 2 * a->room - 1;

    for (uint32_t i = (hole + 1) & mask; a->table[i]; i = (i + 1) & mask) {
        const struct attempt *t = at(a, a->table[i]);
        uint32_t from_home = (i - home(a, t->user, t->journey)) & mask;
        uint32_t from_hole = (i - hole) & mask;
        if (from_home < from_hole)
            continue;
        a->table[hole] = a->table[i];
        hole = i;
    }
    a->table[hole] = 0;
}

/* ---- the lists */

/* Nearly always at the end: answers come in order, but for what threads see at the same moment. */
static void put_in_order(struct attempts *a, struct attempt_journey *j, uint32_t number)
{
    struct attempt *t = at(a, number);
    uint32_t before = j->newest;

    while (before && at(a, before)->answered > t->answered)
        before = at(a, before)->older;
    t->older = before;
    t->newer = before ? at(a, before)->newer : j->oldest;
    *(before ? &at(a, before)->newer : &j->oldest) = number;
    *(t->newer ? &at(a, t->newer)->older : &j->newest) = number;
}

static void take_from_order(struct attempts *a, struct attempt_journey *j, const struct attempt *t)
{
    *(t->older ? &at(a, t->older)->newer : &j->oldest) = t->newer;
    *(t->newer ? &at(a, t->newer)->older : &j->newest) = t->older;
}

/* ---- beginnings and ends */

static void end(struct attempts *a, uint32_t number, enum attempt_end how, ns_t took)
{
    struct attempt *t = at(a, number);
    unsigned journey = t->journey;
    struct attempt_journey *j = &a->journeys[journey];

    take_out(a, find(a, t->user, journey));
    take_from_order(a, j, t);
    j->standing[t->reached - 1]--;
    j->count--;
    a->count--;
    t->newer = a->free;
    a->free = number;
    a->watcher.ended(a->watcher.owner, journey, how, took);
}

/* Its deadline has passed. */
static void end_late(struct attempts *a, uint32_t number)
{
    end(a, number, at(a, number)->failed ? ATTEMPT_FAILED : ATTEMPT_ABANDONED, 0);
}

static void make_room(struct attempts *a)
{
    const struct attempt_journey *most = &a->journeys[0];

    for (unsigned i = 1; i < ATTEMPT_JOURNEYS_MAX; i++) {
        if (a->journeys[i].count > most->count)
            most = &a->journeys[i];
    }
    end(a, most->oldest, ATTEMPT_LOST, 0);
}

static void begin(struct attempts *a, unsigned journey, const struct step_taken *s)
{
    struct attempt_journey *j = &a->journeys[journey];

    if (a->count == a->room)
        make_room(a);
    uint32_t number = a->free;
    if (number)
        a->free = at(a, number)->newer;
    else
        number = ++a->used;
    *at(a, number) = (struct attempt){ .user = s->user,
                                       .begun = s->begun,
                                       .answered = s->ended,
                                       .journey = (uint8_t)journey,
                                       .reached = 1 };
    a->table[find(a, s->user, journey)] = number;
    put_in_order(a, j, number);
    j->standing[0]++;
    j->count++;
    a->count++;
    a->watcher.reached(a->watcher.owner, journey, 0);
}

static void go_on(struct attempts *a, uint32_t number, const struct step_taken *s)
{
    struct attempt *t = at(a, number);
    struct attempt_journey *j = &a->journeys[t->journey];
    ns_t took = s->ended - t->begun;

    j->standing[t->reached - 1]--;
    j->standing[t->reached]++;
    a->watcher.reached(a->watcher.owner, t->journey, t->reached);
    t->reached++;
    if (t->reached == j->steps)
        end(a, number, ATTEMPT_COMPLETED, took > 0 ? took : 0);
}

void attempts_take(struct attempts *a, unsigned journey, const struct step_taken *s)
{
    const struct attempt_journey *j = &a->journeys[journey];
    bool well = s->outcome == OUTCOME_GOOD || s->outcome == OUTCOME_SLOW;

    check(journey < ATTEMPT_JOURNEYS_MAX && j->open);
    uint32_t number = a->table[find(a, s->user, journey)];
    if (number && s->ended - at(a, number)->answered > j->deadline) {
        end_late(a, number);
        number = 0;
    }
    if (!number) {
        if (well && s->steps & 1)
            begin(a, journey, s);
        return;
    }
    struct attempt *t = at(a, number);
    if (well && s->steps >> t->reached & 1)
        go_on(a, number, s);
    else if (s->outcome == OUTCOME_FAILED && s->steps & ((2u << t->reached) - 1))
        t->failed =
            true; /* one that it had taken, or the next: what lies ahead does not count when it is good either */
}

void attempts_expire(struct attempts *a, ns_t now)
{
    for (unsigned i = 0; i < ATTEMPT_JOURNEYS_MAX; i++) {
        const struct attempt_journey *j = &a->journeys[i];
        while (j->oldest && now - at(a, j->oldest)->answered > j->deadline)
            end_late(a, j->oldest);
    }
}

void attempts_open(struct attempts *a, unsigned journey, unsigned steps, ns_t deadline)
{
    check(journey < ATTEMPT_JOURNEYS_MAX && !a->journeys[journey].open);
    check(steps >= STEPS_MIN && steps <= STEPS_MAX && deadline > 0);
    a->journeys[journey] =
        (struct attempt_journey){ .open = true, .steps = steps, .deadline = deadline };
}

void attempts_close(struct attempts *a, unsigned journey)
{
    struct attempt_journey *j = &a->journeys[journey];

    check(journey < ATTEMPT_JOURNEYS_MAX && j->open);
    while (j->oldest)
        end(a, j->oldest, ATTEMPT_LOST, 0);
    j->open = false;
}
