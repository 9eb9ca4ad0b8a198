/* SPDX-License-Identifier: Apache-2.0 */
/* test_attempts.c - users on their way: case by case, and at random beside a model that looks at everything each time. */
#include "base/rand.h"
#include "core/attempts.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

enum { WELL = OUTCOME_GOOD, SLOW = OUTCOME_SLOW, BAD = OUTCOME_FAILED, NOTHING = OUTCOME_EXCLUDED };

struct told {
    uint64_t reached[ATTEMPT_JOURNEYS_MAX][STEPS_MAX];
    uint64_t ended[ATTEMPT_JOURNEYS_MAX][ATTEMPT_END_COUNT];
    ns_t took; /* of all that were completed */
};

static void on_reached(void *owner, unsigned journey, unsigned step)
{
    ((struct told *)owner)->reached[journey][step]++;
}

static void on_ended(void *owner, unsigned journey, enum attempt_end how, ns_t took)
{
    struct told *t = owner;

    t->ended[journey][how]++;
    t->took += took;
    assert_true(how == ATTEMPT_COMPLETED || took == 0);
}

static void *open_attempts(struct attempts *a, struct told *t, uint32_t room)
{
    struct attempt_watcher w = { on_reached, on_ended, t };
    void *memory = calloc(1, attempts_bytes(room));

    assert_non_null(memory);
    memset(t, 0, sizeof(*t));
    attempts_init(a, memory, room, &w);
    return memory;
}

/* ---- cases: three steps, deadline 100, one user unless said */

struct act {
    int at;    /* the request's end; it began 3 before */
    int steps; /* bits */
    int outcome;
};

enum { ACTS = 8 };

static const struct {
    const char *what;
    struct act acts[ACTS]; /* until one at 0 */
    int until;             /* then time goes on until then */
    int reached[3];
    int ended[ATTEMPT_END_COUNT];
    int under_way;
    int took;
} cases[] = {
    { "nothing", { { 0 } }, 500, { 0 }, { 0 }, 0, 0 },
    { "all in order",
      { { 10, 1, WELL }, { 20, 2, SLOW }, { 30, 4, WELL } },
      500,
      { 1, 1, 1 },
      { 1 },
      0,
      23 },
    { "to the very deadline",
      { { 10, 1, WELL }, { 20, 2, WELL }, { 110, 4, WELL } },
      500,
      { 1, 1, 1 },
      { 1 },
      0,
      103 },
    { "one too late",
      { { 10, 1, WELL }, { 20, 2, WELL }, { 111, 4, WELL } },
      500,
      { 1, 1, 0 },
      { 0, 0, 1 },
      0,
      0 },
    { "under way at the deadline", { { 10, 1, WELL } }, 110, { 1 }, { 0 }, 1, 0 },
    { "abandoned behind it", { { 10, 1, WELL } }, 111, { 1 }, { 0, 0, 1 }, 0, 0 },
    { "it begins with the first step",
      { { 10, 2, WELL }, { 20, 4, WELL } },
      500,
      { 0 },
      { 0 },
      0,
      0 },
    { "that is answered well",
      { { 10, 1, BAD }, { 20, 2, WELL }, { 30, 4, WELL } },
      500,
      { 0 },
      { 0 },
      0,
      0 },
    { "an excluded first step begins nothing",
      { { 10, 1, NOTHING }, { 20, 2, WELL } },
      500,
      { 0 },
      { 0 },
      0,
      0 },
    { "a step that is skipped to",
      { { 10, 1, WELL }, { 20, 4, WELL } },
      500,
      { 1 },
      { 0, 0, 1 },
      0,
      0 },
    { "and then taken in order",
      { { 10, 1, WELL }, { 20, 4, WELL }, { 30, 2, WELL }, { 40, 4, WELL } },
      500,
      { 1, 1, 1 },
      { 1 },
      0,
      33 },
    { "steps again, and back",
      { { 10, 1, WELL },
        { 20, 1, WELL },
        { 30, 2, WELL },
        { 40, 1, WELL },
        { 50, 2, WELL },
        { 60, 4, WELL } },
      500,
      { 1, 1, 1 },
      { 1 },
      0,
      53 },
    { "the first again does not put the deadline off",
      { { 10, 1, WELL }, { 90, 1, WELL }, { 100, 2, WELL }, { 111, 4, WELL } },
      500,
      { 1, 1, 0 },
      { 0, 0, 1 },
      0,
      0 },
    { "a failed step, then all well",
      { { 10, 1, WELL }, { 20, 2, BAD }, { 30, 2, WELL }, { 40, 4, BAD }, { 50, 4, WELL } },
      500,
      { 1, 1, 1 },
      { 1 },
      0,
      43 },
    { "a failed step, then the end",
      { { 10, 1, WELL }, { 20, 2, BAD } },
      500,
      { 1 },
      { 0, 1 },
      0,
      0 },
    { "a step behind fails",
      { { 10, 1, WELL }, { 20, 2, WELL }, { 30, 1, BAD } },
      500,
      { 1, 1 },
      { 0, 1 },
      0,
      0 },
    { "a step too far ahead fails",
      { { 10, 1, WELL }, { 20, 4, BAD } },
      500,
      { 1 },
      { 0, 0, 1 },
      0,
      0 },
    { "it fails behind the deadline",
      { { 10, 1, WELL }, { 111, 2, BAD } },
      500,
      { 1 },
      { 0, 0, 1 },
      0,
      0 },
    { "the client's mistake is none of ours",
      { { 10, 1, WELL }, { 20, 2, NOTHING } },
      500,
      { 1 },
      { 0, 0, 1 },
      0,
      0 },
    { "twice",
      { { 10, 1, WELL },
        { 20, 2, WELL },
        { 30, 4, WELL },
        { 40, 1, WELL },
        { 50, 2, WELL },
        { 60, 4, WELL } },
      500,
      { 2, 2, 2 },
      { 2 },
      0,
      46 },
    { "the last again is nothing",
      { { 10, 1, WELL }, { 20, 2, WELL }, { 30, 4, WELL }, { 40, 4, WELL } },
      500,
      { 1, 1, 1 },
      { 1 },
      0,
      23 },
    { "a late step that is the first as well begins another",
      { { 10, 1, WELL }, { 200, 1, WELL }, { 210, 2, WELL } },
      220,
      { 2, 1 },
      { 0, 0, 1 },
      1,
      0 },
    { "one request is one step, though it matches two",
      { { 10, 3, WELL }, { 20, 3, WELL }, { 30, 6, WELL } },
      500,
      { 1, 1, 1 },
      { 1 },
      0,
      23 },
};

static void each_case(void **state)
{
    struct attempts a;
    struct told t;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        void *memory = open_attempts(&a, &t, 16);
        attempts_open(&a, 5, 3, 100);
        for (int k = 0; k < ACTS && cases[i].acts[k].at; k++) {
            const struct act *act = &cases[i].acts[k];
            attempts_take(&a, 5,
                          &(struct step_taken){ .user = 77,
                                                .begun = act->at - 3,
                                                .ended = act->at,
                                                .steps = (uint8_t)act->steps,
                                                .outcome = (enum outcome)act->outcome });
        }
        attempts_expire(&a, cases[i].until);
        bool same = a.count == (unsigned)cases[i].under_way && t.took == cases[i].took;
        for (int s = 0; s < 3; s++)
            same &= t.reached[5][s] == (unsigned)cases[i].reached[s];
        for (int e = 0; e < ATTEMPT_END_COUNT; e++)
            same &= t.ended[5][e] == (unsigned)cases[i].ended[e];
        if (!same)
            fail_msg("%s", cases[i].what);
        free(memory);
    }
}

/* ---- room */

static void begin(struct attempts *a, unsigned journey, uint64_t user, ns_t when)
{
    attempts_take(a, journey,
                  &(struct step_taken){ .user = user, .begun = when, .ended = when, .steps = 1 });
}

static bool stands(struct attempts *a, const struct told *t, unsigned journey, uint64_t user,
                   ns_t when)
{
    uint64_t before = t->reached[journey][1];

    attempts_take(a, journey,
                  &(struct step_taken){ .user = user, .begun = when, .ended = when, .steps = 2 });
    return t->reached[journey][1] > before;
}

static void the_journey_with_most_makes_room(void **state)
{
    struct attempts a;
    struct told t;
    void *memory = open_attempts(&a, &t, 8);

    (void)state;
    attempts_open(&a, 0, 3, 1000);
    attempts_open(&a, 1, 3, 10);
    begin(&a, 1, 1, 1);
    begin(&a, 1, 2, 2);
    for (uint64_t u = 1; u <= 6; u++)
        begin(&a, 0, u, (ns_t)(10 - u)); /* in the other order of time */
    assert_int_equal(a.count, 8);
    begin(&a, 1, 3, 5);
    begin(&a, 0, 9, 6);
    assert_int_equal(a.count, 8);
    assert_int_equal(t.ended[0][ATTEMPT_LOST], 2);
    assert_int_equal(t.ended[1][ATTEMPT_LOST], 0);
    assert_false(stands(&a, &t, 0, 6, 8)); /* the two that began first */
    assert_false(stands(&a, &t, 0, 5, 8));
    for (uint64_t u = 1; u <= 4; u++)
        assert_true(stands(&a, &t, 0, u, 9));
    assert_true(stands(&a, &t, 0, 9, 9));
    for (uint64_t u = 1; u <= 3; u++)
        assert_true(stands(&a, &t, 1, u, 9));
    assert_int_equal(a.journeys[0].standing[0], 0);
    assert_int_equal(a.journeys[0].standing[1], 5);
    free(memory);
}

static void a_journey_that_is_closed_loses_its_own(void **state)
{
    struct attempts a;
    struct told t;
    void *memory = open_attempts(&a, &t, 8);

    (void)state;
    attempts_open(&a, 0, 2, 1000);
    attempts_open(&a, 1, 3, 1000);
    for (uint64_t u = 1; u <= 4; u++) {
        begin(&a, 0, u, 1);
        begin(&a, 1, u, 1);
    }
    attempts_close(&a, 0);
    assert_int_equal(t.ended[0][ATTEMPT_LOST], 4);
    assert_int_equal(a.count, 4);
    attempts_open(&a, 0, 4, 50); /* another under the same number */
    assert_false(stands(&a, &t, 0, 1, 2));
    for (uint64_t u = 1; u <= 4; u++)
        assert_true(stands(&a, &t, 1, u, 2));
    free(memory);
}

/* ---- at random beside a model */

enum { USERS = 40, MODEL_JOURNEYS = 3, TURNS = 200000 };

struct model {
    bool on, failed;
    ns_t begun, answered;
    unsigned reached;
};

static const unsigned model_steps[MODEL_JOURNEYS] = { 2, 5, 8 };
static const ns_t model_deadline[MODEL_JOURNEYS] = { 300, 1500, 6000 };

static void model_end(struct model *m, struct told *t, unsigned j, enum attempt_end how, ns_t took)
{
    t->ended[j][how]++;
    t->took += took;
    m->on = false;
}

static void model_expire(struct model all[MODEL_JOURNEYS][USERS], struct told *t, ns_t now)
{
    for (unsigned j = 0; j < MODEL_JOURNEYS; j++) {
        for (unsigned u = 0; u < USERS; u++) {
            struct model *m = &all[j][u];
            if (m->on && m->answered + model_deadline[j] < now)
                model_end(m, t, j, m->failed ? ATTEMPT_FAILED : ATTEMPT_ABANDONED, 0);
        }
    }
}

/* All that are under way, the oldest of the journey with most. */
static void model_room(struct model all[MODEL_JOURNEYS][USERS], struct told *t, unsigned room)
{
    unsigned most = 0, counts[MODEL_JOURNEYS] = {}, sum = 0;
    struct model *oldest = NULL;

    for (unsigned j = 0; j < MODEL_JOURNEYS; j++) {
        for (unsigned u = 0; u < USERS; u++)
            counts[j] += all[j][u].on;
        sum += counts[j];
        most = counts[j] > counts[most] ? j : most;
    }
    if (sum < room)
        return;
    for (unsigned u = 0; u < USERS; u++) {
        struct model *m = &all[most][u];
        if (m->on && (!oldest || m->answered < oldest->answered))
            oldest = m;
    }
    model_end(oldest, t, most, ATTEMPT_LOST, 0);
}

static void model_take(struct model all[MODEL_JOURNEYS][USERS], struct told *t, unsigned j,
                       unsigned u, const struct step_taken *s, unsigned room)
{
    struct model *m = &all[j][u];
    bool well = s->outcome == OUTCOME_GOOD || s->outcome == OUTCOME_SLOW;

    if (m->on && m->answered + model_deadline[j] < s->ended)
        model_end(m, t, j, m->failed ? ATTEMPT_FAILED : ATTEMPT_ABANDONED, 0);
    if (!m->on && well && s->steps & 1) {
        model_room(all, t, room);
        *m = (struct model){ .on = true, .begun = s->begun, .answered = s->ended, .reached = 1 };
        t->reached[j][0]++;
    } else if (m->on && well && (s->steps >> m->reached) & 1) {
        t->reached[j][m->reached++]++;
        if (m->reached == model_steps[j])
            model_end(m, t, j, ATTEMPT_COMPLETED, s->ended - m->begun);
    } else if (m->on && s->outcome == OUTCOME_FAILED) {
        for (unsigned k = 0; k <= m->reached; k++)
            m->failed |= (s->steps >> k) & 1;
    }
}

static void compare(const struct attempts *a, const struct told *t, const struct told *oracle,
                    struct model all[MODEL_JOURNEYS][USERS])
{
    assert_memory_equal(t->reached, oracle->reached, sizeof(t->reached));
    assert_memory_equal(t->ended, oracle->ended, sizeof(t->ended));
    assert_int_equal(t->took, oracle->took);
    for (unsigned j = 0; j < MODEL_JOURNEYS; j++) {
        uint32_t standing[STEPS_MAX] = {};
        uint64_t ended = 0;
        for (unsigned u = 0; u < USERS; u++) {
            if (all[j][u].on)
                standing[all[j][u].reached - 1]++;
        }
        assert_memory_equal(standing, a->journeys[j].standing, sizeof(standing));
        for (unsigned e = 0; e < ATTEMPT_END_COUNT; e++)
            ended += t->ended[j][e];
        assert_int_equal(t->reached[j][0], ended + a->journeys[j].count);
    }
}

static void beside_a_model(void **state)
{
    static struct told t, oracle;
    static struct attempts a;
    uint64_t came[MODEL_JOURNEYS][ATTEMPT_END_COUNT] = {};

    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct model all[MODEL_JOURNEYS][USERS] = {};
        struct rng rng = { seed };
        unsigned room = seed % 2 ? 64 : 128; /* too little, and enough for all */
        void *memory = open_attempts(&a, &t, room);
        ns_t now = 1;
        memset(&oracle, 0, sizeof(oracle));
        for (unsigned j = 0; j < MODEL_JOURNEYS; j++)
            attempts_open(&a, j, model_steps[j], model_deadline[j]);
        for (unsigned i = 0; i < TURNS; i++) {
            unsigned j = (unsigned)rng_below(&rng, MODEL_JOURNEYS);
            unsigned u = (unsigned)rng_below(&rng, USERS);
            unsigned likely = all[j][u].on ? all[j][u].reached : 0;
            now += (ns_t)rng_below(&rng, 4) +
                   1; /* no two at the same moment: which is older would be open */
            struct step_taken s = {
                .user = u * 3, /* neighbours in the table */
                .begun = now - (ns_t)rng_below(&rng, 30),
                .ended = now,
                .steps = (uint8_t)(rng_below(&rng, 3) ? 1u << likely : rng_next(&rng)),
                .outcome = (enum outcome)(rng_below(&rng, 3) ? OUTCOME_GOOD : rng_below(&rng, 4))
            };
            s.steps &= (uint8_t)((1u << model_steps[j]) - 1);
            attempts_take(&a, j, &s);
            model_take(all, &oracle, j, u, &s, room);
            if (rng_below(&rng, 20) == 0) {
                attempts_expire(&a, now);
                model_expire(all, &oracle, now);
            }
            if (i % 64 == 0)
                compare(&a, &t, &oracle, all);
        }
        for (unsigned j = 0; j < MODEL_JOURNEYS; j++) {
            for (unsigned e = 0; e < ATTEMPT_END_COUNT; e++)
                came[j][e] += t.ended[j][e];
        }
        free(memory);
    }
    for (unsigned j = 0; j < MODEL_JOURNEYS; j++) {
        for (unsigned e = 0; e < ATTEMPT_END_COUNT; e++) {
            if (came[j][e] <= 10)
                fail_msg("journey %u: end %u came %lu times", j, e, (unsigned long)came[j][e]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_case),
        cmocka_unit_test(the_journey_with_most_makes_room),
        cmocka_unit_test(a_journey_that_is_closed_loses_its_own),
        cmocka_unit_test(beside_a_model),
    };
    return RUN(tests);
}
