/* SPDX-License-Identifier: Apache-2.0 */
/* test_step_ring.c - entries come out whole and in order; a full ring says so, a half full one once. */
#include "unit.h"

#include "bus/step_ring.h"

static struct step_entry entry(uint64_t n)
{
    return (struct step_entry){ .user = n * 7,
                                .begun = (ns_t)n,
                                .ended = (ns_t)n + 5,
                                .journey = (uint32_t)(n % 1000),
                                .steps = (uint8_t)(n % 255),
                                .outcome = (uint8_t)(n % 4) };
}

static void assert_entry(const struct step_entry *e, uint64_t n)
{
    struct step_entry wanted = entry(n);

    assert_non_null(e);
    assert_int_equal(e->user, wanted.user);
    assert_int_equal(e->begun, wanted.begun);
    assert_int_equal(e->ended, wanted.ended);
    assert_int_equal(e->journey, wanted.journey);
    assert_int_equal(e->steps, wanted.steps);
    assert_int_equal(e->outcome, wanted.outcome);
}

static void put(struct step_ring *r, uint64_t n, enum step_put expected)
{
    struct step_entry e = entry(n);

    assert_int_equal(step_ring_put(r, &e), expected);
}

static void full_and_half_full(void **state)
{
    struct step_ring r;

    (void)state;
    step_ring_open(&r);
    assert_null(step_ring_peek(&r));
    for (uint64_t i = 1; i <= STEP_RING_ENTRIES; i++) {
        assert_int_equal(step_ring_hurries(&r), i > STEP_RING_HURRY);
        put(&r, i, i == STEP_RING_HURRY ? STEP_PUT_HURRY : STEP_PUT);
    }
    put(&r, 0, STEP_NO_ROOM);
    put(&r, 0, STEP_NO_ROOM);
    for (uint64_t i = 1; i <= STEP_RING_ENTRIES; i++) {
        assert_entry(step_ring_peek(&r), i);
        assert_entry(step_ring_peek(&r), i); /* it stays until it is taken */
        step_ring_taken(&r);
        if (i == 1)
            put(&r, STEP_RING_ENTRIES + 1, STEP_PUT); /* there is room for one */
    }
    assert_entry(step_ring_peek(&r), STEP_RING_ENTRIES + 1);
    step_ring_taken(&r);
    assert_null(step_ring_peek(&r));
    /* the second time round it asks again */
    unsigned hurries = 0;
    for (uint64_t i = 1; i <= STEP_RING_ENTRIES; i++) {
        struct step_entry e = entry(i);
        hurries += step_ring_put(&r, &e) == STEP_PUT_HURRY;
    }
    assert_int_equal(hurries, 1);
    step_ring_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_and_half_full),
    };
    return RUN(tests);
}
