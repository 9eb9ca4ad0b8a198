/* SPDX-License-Identifier: Apache-2.0 */
/* test_recent.c - the last marks are known and no others, beside a plain list of when each came. */
#include "base/rand.h"
#include "core/recent.h"
#include "unit.h"

#include <stdlib.h>

static void the_last_ones_only(void **state)
{
    struct recent *r = calloc(1, sizeof(*r));

    (void)state;
    assert_non_null(r);
    for (uint64_t i = 1; i <= RECENT_MAX; i++)
        assert_true(recent_put(r, i));
    for (uint64_t i = 1; i <= RECENT_MAX; i++)
        assert_false(recent_put(r, i));
    assert_true(recent_put(r, RECENT_MAX + 1));
    assert_false(recent_put(r, 2));
    assert_true(recent_put(r, 1)); /* it had to go, and pushes 2 out */
    assert_true(recent_put(r, 2));
    free(r);
}

/* Marks are drawn from a small set that shares homes, so that probing, holes and wrapping round all happen. */
static void beside_an_oracle(void **state)
{
    enum { MARKS = 3 * RECENT_MAX / 2, DRAWS = 600000 };
    uint32_t *came = calloc(MARKS, sizeof(*came)); /* number of its coming, 0: never */

    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct rng rng = { seed };
        struct recent *r = calloc(1, sizeof(*r));
        uint32_t comings = 0;
        assert_non_null(r);
        memset(came, 0, MARKS * sizeof(*came));
        for (unsigned i = 0; i < DRAWS; i++) {
            uint32_t m = (uint32_t)(rng_next(&rng) % MARKS);
            /* four to a home, homes five apart, from near the table's end on */
            uint64_t high = m % 4 + 1;
            uint64_t home = (m / 4 * 5 + 2 * RECENT_MAX - 9000) % (2 * RECENT_MAX);
            uint64_t mark = high << 32 | (home ^ high);
            bool known = came[m] && comings - came[m] < RECENT_MAX;
            assert_int_equal(recent_put(r, mark), !known);
            if (!known)
                came[m] = ++comings;
        }
        assert_true(comings > RECENT_MAX);
        free(r);
    }
    free(came);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_ones_only),
        cmocka_unit_test(beside_an_oracle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
