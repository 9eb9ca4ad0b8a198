/* SPDX-License-Identifier: Apache-2.0 */
/* test_heavy.c - which texts come most often, against a tally that remembers all. */
#include "unit.h"

#include "base/rand.h"
#include "core/heavy.h"

#include <stdlib.h>

enum { TEXTS = 5000 };

static struct heavy_text text_number(unsigned i, unsigned cells)
{
    char name[32];
    struct heavy_text t = {};

    snprintf(name, sizeof(name), "text %u", i);
    struct span s = span_from_text(name);
    heavy_text_make(&t, span_hash(s, 1) % cells, s); /* few cells: hashes collide */
    return t;
}

/* Half of all are of ten texts, the others of anybody; with good hashes and with bad ones. */
static void run(unsigned cells, uint64_t seed)
{
    struct heavy *h = calloc(1, sizeof(*h));
    static uint32_t tally[TEXTS];
    struct rng r = { seed };
    uint32_t all = 0;

    assert_non_null(h);
    memset(tally, 0, sizeof(tally));
    for (unsigned i = 0; i < 40000; i++) {
        unsigned n = (unsigned)(rng_next(&r) % (rng_next(&r) % 2 ? 10 : TEXTS));
        struct heavy_text t = text_number(n, cells);
        tally[n]++;
        all++;
        heavy_add(h, &t);
    }
    assert_int_equal(h->count, HEAVY_ENTRIES);
    for (unsigned n = 0; n < TEXTS; n++) {
        struct heavy_text t = text_number(n, cells);
        const struct heavy_entry *e = heavy_find(h, &t);
        if (tally[n] > all / HEAVY_ENTRIES)
            assert_non_null(e);
        if (!e)
            continue;
        assert_true(heavy_text_equal(&e->text, &t));
        assert_in_range(tally[n], e->count - e->error, e->count);
    }
    uint64_t sum = 0;
    for (uint32_t i = 0; i < h->count; i++) {
        assert_ptr_equal(heavy_find(h, &h->list[i].text), &h->list[i]);
        sum += h->list[i].count;
    }
    assert_int_equal(sum, all);
    heavy_halve(h);
    for (unsigned i = 0; i < 1000; i++) { /* goes on with what is left */
        struct heavy_text t = text_number((unsigned)(rng_next(&r) % TEXTS), cells);
        heavy_add(h, &t);
        assert_non_null(heavy_find(h, &t));
    }
    free(h);
}

static void test_against_a_tally(void **state)
{
    (void)state;
    run(UINT32_MAX, 1);
    run(UINT32_MAX, 2);
    run(97, 3);
    run(1, 4);
}

static void test_long_texts_differ_by_hash(void **state)
{
    char one[HEAVY_TEXT + 50];
    struct heavy_text a = {};
    struct heavy_text b = {};

    (void)state;
    memset(one, 'x', sizeof(one));
    heavy_text_make(&a, 1, span_of(one, sizeof(one)));
    heavy_text_make(&b, 2, span_of(one, sizeof(one)));
    assert_false(heavy_text_equal(&a, &b));
    heavy_text_make(&b, 1, span_of(one, sizeof(one)));
    assert_true(heavy_text_equal(&a, &b));
    heavy_text_make(&b, 1, span_of(one, sizeof(one) - 1));
    assert_false(heavy_text_equal(&a, &b));
    one[3] = 'y';
    heavy_text_make(&b, 1, span_of(one, sizeof(one)));
    assert_false(heavy_text_equal(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_a_tally),
        cmocka_unit_test(test_long_texts_differ_by_hash),
    };
    return RUN(tests);
}
