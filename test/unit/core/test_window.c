/* SPDX-License-Identifier: Apache-2.0 */
/* test_window.c - windows against a plain array that remembers what every slot saw. */
#include "base/rand.h"
#include "core/accumulate.h"
#include "core/window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { COUNTERS = 3, WIDE = 0b100, STORY_SLOTS = 12000 };

/* Everything that ever happened, by slot: what the ring forgets, too. */
struct story {
    struct window w;
    void *memory;
    uint64_t cumulative[COUNTERS];
    uint64_t (*seen)[COUNTERS]; /* by slot - begin */
    int64_t begin;              /* the slot before the first */
    struct rng rng;
};

static void story_begin(struct story *s, uint64_t seed, int64_t begin)
{
    memset(s, 0, sizeof(*s));
    s->rng.state = seed;
    s->begin = begin;
    s->seen = calloc(STORY_SLOTS, sizeof(*s->seen));
    s->memory = malloc(window_bytes(COUNTERS, WIDE));
    assert_true(s->seen && s->memory);
    /* counters whose low halves are about to wrap, and one about to leave 32 bits */
    s->cumulative[0] = rng_below(&s->rng, 1000);
    s->cumulative[1] = UINT32_MAX - rng_below(&s->rng, 1000);
    s->cumulative[2] = rng_next(&s->rng) >> 4;
    window_begin(&s->w, s->memory, COUNTERS, WIDE, begin + 1, s->cumulative);
}

static void story_end(struct story *s)
{
    free(s->memory);
    free(s->seen);
}

/* Some of it is told only now, of slots that are held; what is older counts in the oldest. */
static void happen_late(struct story *s)
{
    struct window_add list[6];
    int64_t slot = s->w.last - (int64_t)rng_below(&s->rng, WINDOW_SLOTS + 9);

    for (int i = 0; i < 6; i++) {
        int64_t counts_in = slot > s->w.first ? slot : s->w.first + 1;
        list[i] = (struct window_add){ .slot = slot,
                                       .counter = (unsigned)rng_below(&s->rng, COUNTERS),
                                       .n = rng_below(&s->rng, 60000) };
        s->cumulative[list[i].counter] += list[i].n;
        s->seen[counts_in - s->begin][list[i].counter] += list[i].n;
        slot += (int64_t)rng_below(&s->rng, (uint64_t)(s->w.last - slot) + 1);
    }
    window_add_late(&s->w, list, 6);
}

static void happen(struct story *s, int64_t slot)
{
    uint64_t most[COUNTERS] = { 3, 1000000, UINT64_C(1) << 40 };

    if (s->w.last > s->w.first && rng_below(&s->rng, 50) == 0)
        happen_late(s);

    for (int i = 0; i < COUNTERS; i++) {
        uint64_t n = rng_below(&s->rng, most[i]);
        s->cumulative[i] += n;
        s->seen[slot - s->begin][i] += n;
    }
    window_push(&s->w, slot, s->cumulative);
}

/* Sum over the slots (from, to] that lie within what the ring can know. */
static void expect_window(struct story *s, int64_t from, int64_t to)
{
    uint64_t delta[COUNTERS], sum[COUNTERS] = { 0 };
    int64_t oldest = s->w.last - WINDOW_SLOTS;
    unsigned slots = window_between(&s->w, from, to, delta);

    if (oldest < s->begin)
        oldest = s->begin;
    from = from < oldest ? oldest : from > s->w.last ? s->w.last : from;
    to = to > s->w.last ? s->w.last : to;
    for (int64_t slot = from + 1; slot <= to; slot++)
        for (int i = 0; i < COUNTERS; i++)
            sum[i] += s->seen[slot - s->begin][i];
    assert_int_equal(slots, to > from ? to - from : 0);
    for (int i = 0; i < COUNTERS; i++)
        assert_int_equal(delta[i], sum[i]);
}

static int64_t next_slot(struct story *s, int64_t slot)
{
    switch (rng_below(&s->rng, 40)) {
    case 0: return slot + (int64_t)rng_below(&s->rng, 300); /* a stall */
    case 1:
        return slot + (int64_t)rng_below(&s->rng, 10) * WINDOW_SLOTS / 5; /* longer than the ring */
    default:
        return slot + (int64_t)rng_below(&s->rng, 3); /* the same again, the next, or one lost */
    }
}

static void any_window_is_what_was_seen_in_it(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct story s;
        story_begin(&s, seed, seed % 2 ? -5000 : 1000000);
        for (int64_t slot = s.begin + 1; slot < s.begin + STORY_SLOTS; slot = next_slot(&s, slot)) {
            happen(&s, slot);
            if (rng_below(&s.rng, 8) != 0)
                continue;
            int64_t from = slot - (int64_t)rng_below(&s.rng, WINDOW_SLOTS + 200);
            expect_window(&s, from, from + (int64_t)rng_below(&s.rng, WINDOW_SLOTS + 200));
            expect_window(&s, slot - WINDOW_SLOTS, slot);
        }
        story_end(&s);
    }
}

static void the_longest_window_reaches_back_six_hours(void **state)
{
    struct story s;
    uint64_t delta[COUNTERS];

    (void)state;
    story_begin(&s, 99, 0);
    for (int64_t slot = 1; slot < 5000; slot++)
        happen(&s, slot);
    assert_int_equal(window_delta(&s.w, WINDOW_SLOTS, delta), WINDOW_SLOTS);
    assert_int_equal(window_delta(&s.w, WINDOW_SLOTS + 1, delta), WINDOW_SLOTS);
    expect_window(&s, 4999 - WINDOW_SLOTS, 4999);
    story_end(&s);
}

static void what_came_before_the_begin_is_in_no_window(void **state)
{
    static uint32_t memory[16384];
    uint64_t value = 500, delta;
    struct window w;

    (void)state;
    assert_true(window_bytes(1, 0) <= sizeof(memory));
    window_begin(&w, memory, 1, 0, 7, &value);
    assert_int_equal(window_delta(&w, 30, &delta), 0);
    assert_int_equal(delta, 0);
    value = 503;
    window_push(&w, 7, &value);
    assert_int_equal(window_delta(&w, 30, &delta), 1);
    assert_int_equal(delta, 3);
    value = 510;
    window_push(&w, 8, &value);
    assert_int_equal(window_delta(&w, 30, &delta), 2);
    assert_int_equal(delta, 10);
    assert_int_equal(window_delta(&w, 1, &delta), 1);
    assert_int_equal(delta, 7);
}

/* What a stop of five minutes leaves: the events that it hid in the slot that saw them, and a hole
 * in the coverage. */
static void a_slot_never_pushed_is_a_gap_in_coverage(void **state)
{
    static uint32_t memory[2 * 16384];
    struct coverage c;
    struct window w;
    uint64_t now[2] = { 100, 5000 }, delta[2];

    (void)state;
    coverage_begin(&c, 5000, 0);
    window_begin(&w, memory, 2, 0, 0, now);
    for (ns_t second = 1; second <= 600; second++) {
        if (second > 100 && second <= 400)
            continue;
        coverage_tick(&c, second * NS_PER_S);
        now[0] += second == 401 ? 301 : 1;
        now[1] = coverage_ms(&c);
        window_push(&w, second / WINDOW_SLOT_S, now);
    }
    assert_int_equal(window_delta(&w, 100, delta), 61); /* slots 0 to 60 */
    assert_int_equal(delta[0], 600);
    /* 100 s before and 199 s after; the look at second 401 ends the gap */
    assert_int_equal(delta[1], 299 * 1000);
    window_between(&w, 10, 39, delta);
    assert_int_equal(delta[0], 0);
    assert_int_equal(delta[1], 0);
}

static void memory_stays_within_its_bound(void **state)
{
    (void)state;
    /* 8 objectives, measured time, the latency sum kept wide: no more than 256 KiB a journey,
     * of which a histogram wants its part */
    assert_true(window_bytes(5 + 2 * 8 + 1, 1u << 4) <= 200 * 1024);
    assert_int_equal(window_bytes(1, 0), (WINDOW_SLOTS + 1) * 4);
    assert_int_equal(window_bytes(32, UINT32_MAX), (WINDOW_SLOTS + 1) * 64 * 4);
}

static void coverage_counts_only_time_that_somebody_watched(void **state)
{
    struct coverage c;

    (void)state;
    coverage_begin(&c, 1500, 100 * NS_PER_S);
    assert_int_equal(coverage_ms(&c), 1500);
    coverage_tick(&c, 110 * NS_PER_S); /* a whole slot late: still watched */
    assert_int_equal(coverage_ms(&c), 11500);
    coverage_tick(&c, 120 * NS_PER_S + 1);
    assert_int_equal(coverage_ms(&c), 11500);
    coverage_tick(&c, 121 * NS_PER_S + 1);
    assert_int_equal(coverage_ms(&c), 12500);
    coverage_gap(&c, 123 * NS_PER_S);
    coverage_tick(&c, 124 * NS_PER_S);
    assert_int_equal(coverage_ms(&c), 13500);
    for (int i = 0; i < 1000; i++) /* fractions of a millisecond are not lost */
        coverage_tick(&c, 124 * NS_PER_S + (i + 1) * (NS_PER_MS / 2));
    assert_int_equal(coverage_ms(&c), 14000);
}

static void cumulative_is_base_and_live(void **state)
{
    const uint64_t base[3] = { 1, 2, 3 };
    uint64_t live[3] = { 10, 20, 30 };

    (void)state;
    accumulate(3, base, live, live);
    assert_int_equal(live[0], 11);
    assert_int_equal(live[2], 33);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_window_is_what_was_seen_in_it),
        cmocka_unit_test(the_longest_window_reaches_back_six_hours),
        cmocka_unit_test(what_came_before_the_begin_is_in_no_window),
        cmocka_unit_test(a_slot_never_pushed_is_a_gap_in_coverage),
        cmocka_unit_test(memory_stays_within_its_bound),
        cmocka_unit_test(coverage_counts_only_time_that_somebody_watched),
        cmocka_unit_test(cumulative_is_base_and_live),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
