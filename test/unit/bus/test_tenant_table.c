/* SPDX-License-Identifier: Apache-2.0 */
/* test_tenant_table.c - each tenant with a value is found, and nobody else; a reactor uses the newest table from its next turn on. */
#include "unit.h"

#include "bus/tenant_table.h"

#include <stdio.h>

enum { KEY = 4711, OTHERS = 20000 };

struct name {
    char text[24];
};

static struct name name_of(unsigned i)
{
    struct name n;

    snprintf(n.text, sizeof(n.text), "customer-%u", i);
    return n;
}

static unsigned see(struct tenant_reader *r, unsigned i)
{
    struct name n = name_of(i);

    return tenant_see(r, span_from_text(n.text));
}

/* How many have to stand elsewhere than where they are looked for first. */
static unsigned fill(struct tenant_table *t)
{
    bool taken[TENANT_CELLS] = {};
    unsigned elsewhere = 0;

    for (unsigned id = 0; id < DIMENSION_VALUES; id++) {
        struct name n = name_of(id);
        uint64_t hash = tenant_hash(KEY, span_from_text(n.text));
        elsewhere += taken[hash % TENANT_CELLS];
        taken[hash % TENANT_CELLS] = true;
        tenant_table_put(t, id, hash);
    }
    return elsewhere;
}

static void each_is_found_and_nobody_else(void **state)
{
    static struct tenant_table table = { .generation = 1 };
    static const struct tenant_table *_Atomic newest;
    struct tenant_reader r;

    (void)state;
    tenant_reader_open(&r, &newest, KEY);
    assert_true(fill(&table) > 0); /* or the search beyond the first place is not tested */
    atomic_store(&newest, &table);
    assert_true(tenant_reader_behind(&r));
    assert_int_equal(see(&r, 0), 0);
    tenant_reader_turn(&r);
    assert_false(tenant_reader_behind(&r));
    assert_int_equal(tenant_reader_generation(&r), 1);
    for (unsigned i = 0; i < DIMENSION_VALUES; i++)
        assert_int_equal(see(&r, i), i + 1);
    for (unsigned i = DIMENSION_VALUES; i < OTHERS; i++)
        assert_int_equal(see(&r, i), 0);
    assert_int_equal(tenant_see(&r, SPAN("")), 0);
    tenant_reader_close(&r);
}

static void control_is_told_of_as_many_as_there_is_room_for(void **state)
{
    static const struct tenant_table *_Atomic newest;
    struct tenant_reader r;
    unsigned told = 0;

    (void)state;
    tenant_reader_open(&r, &newest, KEY);
    for (unsigned i = 0; i < TENANT_RING_ENTRIES + 100; i++)
        assert_int_equal(see(&r, i), 0);
    for (const struct heavy_text *t; (t = tenant_ring_peek(&r.ring)); told++) {
        struct name n = name_of(told);
        struct heavy_text wanted;
        heavy_text_make(&wanted, tenant_hash(KEY, span_from_text(n.text)), span_from_text(n.text));
        assert_true(heavy_text_equal(t, &wanted));
        tenant_ring_taken(&r.ring);
    }
    assert_int_equal(told, TENANT_RING_ENTRIES);
    tenant_reader_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_found_and_nobody_else),
        cmocka_unit_test(control_is_told_of_as_many_as_there_is_room_for),
    };
    return RUN(tests);
}
