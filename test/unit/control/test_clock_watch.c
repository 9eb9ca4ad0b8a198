/* SPDX-License-Identifier: Apache-2.0 */
/* test_clock_watch.c - a clock that is set or a machine that sleeps is noticed once; a clock that is slewed is not. */
#include "unit.h"

#include "control/clock_watch.h"

static void setting_is_noticed_once_and_slewing_never(void **state)
{
    struct clock_watch w = {};
    ns_t wall = INT64_C(1700049600) * NS_PER_S;
    ns_t now = 50 * NS_PER_S;
    ns_t step = 0;

    (void)state;
    assert_false(clock_watch_look(&w, now, wall, &step));
    for (int i = 0; i < 100000; i++) { /* half a millisecond each second, 50 s in all */
        now += NS_PER_S;
        wall += NS_PER_S + NS_PER_MS / 2;
        assert_false(clock_watch_look(&w, now, wall, &step));
    }
    assert_true(clock_watch_look(&w, now += NS_PER_S, wall -= 3600 * NS_PER_S, &step));
    assert_int_equal(step / NS_PER_S, -3601);
    assert_false(clock_watch_look(&w, now += NS_PER_S, wall += NS_PER_S, &step));
    assert_true(clock_watch_look(&w, now += NS_PER_S, wall += 61 * NS_PER_S, &step)); /* slept */
    assert_int_equal(step / NS_PER_S, 60);
    assert_false(clock_watch_look(&w, now += NS_PER_S, wall += 3 * NS_PER_S, &step));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setting_is_noticed_once_and_slewing_never),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
