/* SPDX-License-Identifier: Apache-2.0 */
/* test_dimension_memory.c - what one process counted by dimension is what the next one tells; damage is found. */
#include "dimension_world.h"

#include "control/dimension_memory.h"

static struct span never_named(const void *owner, const struct dimension_row *r)
{
    (void)owner;
    (void)r;
    return SPAN("");
}

static const struct tenant_namer nobody = { never_named, NULL };

static int64_t unix_of(const struct world *w)
{
    return NOON + w->now / NS_PER_S;
}

static void pass(struct world *w, int64_t seconds)
{
    for (int64_t i = 0; i < seconds; i++)
        tick(w, NS_PER_S);
}

/* What the next process has of this one, and of those before it. */
static void remember(struct dimension_memory *m, struct world *w, const struct config *c,
                     uint64_t process)
{
    struct str packed = str_growing();
    struct kept_dimensions *rows = arena_array(&m->arena, struct kept_dimensions, m->count + 1);

    dimension_pack(&w->registry.dimensions, &w->book, &c->journeys[0], &nobody, w->now, &packed);
    assert_true(dimension_packed_well(str_span(&packed)));
    rows[0] = (struct kept_dimensions){ .process = process,
                                        .journey = arena_span(&m->arena, c->journeys[0].name),
                                        .definition = c->journeys[0].definition,
                                        .until = unix_of(w),
                                        .said = arena_span(&m->arena, str_span(&packed)) };
    for (size_t i = 0; i < m->count; i++)
        rows[i + 1] = m->rows[i];
    m->rows = rows;
    m->count++;
    m->until = unix_of(w);
    str_free(&packed);
}

struct told {
    struct arena memory;
    struct dimension_sums sums;
    int64_t from;
};

static void ask(struct told *t, const struct dimension_memory *m, struct world *w,
                const struct config *c, enum dimension_window window, int64_t unix_now)
{
    *t = (struct told){ .from = INT64_MAX };
    t->sums.memory = &t->memory;
    dimension_memory_add(m, &w->registry.dimensions, &c->journeys[0], UINT32_MAX, window, unix_now,
                         &t->sums, &t->from);
    dimension_sums_sort(&t->sums);
}

static void forget(struct told *t)
{
    dimension_sums_free(&t->sums);
    arena_free(&t->memory);
}

static const struct dimension_row *told_of(const struct told *t, enum dimension which,
                                           const char *text)
{
    for (size_t i = 0; i < t->sums.count; i++) {
        if (t->sums.list[i]->dimension == which &&
            span_equal(t->sums.list[i]->row.text, span_from_text(text)))
            return &t->sums.list[i]->row;
    }
    return NULL;
}

static void assert_told(const struct told *t, enum dimension which, const char *text,
                        uint64_t good_, uint64_t failed)
{
    const struct dimension_row *r = told_of(t, which, text);

    if (!r) {
        fail_msg("there is no %s", text);
        return;
    }
    assert_int_equal(r->counts[OUTCOME_GOOD], good_);
    assert_int_equal(r->counts[OUTCOME_FAILED], failed);
}

static void the_next_process_knows_the_last_hour(void **state)
{
    struct world w;
    struct dimension_memory m = {};
    struct told t;

    (void)state;
    open_world(&w);
    const struct config *c = publish(&w, shop_config(0, 2, "r1"), true);
    good(&w, c, 0, 50);
    pass(&w, INT64_C(3) * 3600);
    good(&w, c, 0, 5);
    pass(&w, 1800);
    good(&w, c, 0, 3);
    end_one(&w, c, 1, 500, ENDING_answered, 1);
    remember(&m, &w, c, 1);
    int64_t until = unix_of(&w);
    close_world(&w);

    open_world(&w);
    c = publish(&w, shop_config(1, 2, "r2"), true); /* the first instance went meanwhile */
    ask(&t, &m, &w, c, DIMENSION_WINDOW_1H, until + 10);
    assert_told(&t, DIMENSION_INSTANCE, "10.0.0.1:80", 8, 0);
    assert_told(&t, DIMENSION_INSTANCE, "10.0.0.2:80", 0, 1);
    assert_told(&t, DIMENSION_RELEASE, "r1", 8, 1);
    assert_told(&t, DIMENSION_STATUS, "5xx", 0, 1);
    assert_told(&t, DIMENSION_REASON, "answered", 8, 1);
    assert_told(&t, DIMENSION_TENANT, "none", 8, 1);
    assert_true(told_of(&t, DIMENSION_INSTANCE, "10.0.0.1:80")->gone);
    assert_false(told_of(&t, DIMENSION_INSTANCE, "10.0.0.2:80")->gone);
    assert_true(told_of(&t, DIMENSION_RELEASE, "r1")->gone);
    assert_span(told_of(&t, DIMENSION_INSTANCE, "10.0.0.2:80")->service, "shop");
    assert_in_range(until + 10 - t.from, 3600, 3600 + 900 + 60);
    forget(&t);
    ask(&t, &m, &w, c, DIMENSION_WINDOW_5M, until + 10);
    assert_told(&t, DIMENSION_INSTANCE, "10.0.0.1:80", 3, 0);
    assert_in_range(until + 10 - t.from, 300, 600);
    forget(&t);
    ask(&t, &m, &w, c, DIMENSION_WINDOW_START, until + 10);
    assert_int_equal(t.sums.count, 0); /* of this process */
    forget(&t);
    /* half an hour later the five of half an hour before are old; an hour later all is */
    ask(&t, &m, &w, c, DIMENSION_WINDOW_1H, until + 3000);
    assert_told(&t, DIMENSION_INSTANCE, "10.0.0.1:80", 3, 0);
    forget(&t);
    ask(&t, &m, &w, c, DIMENSION_WINDOW_1H, until + 3601);
    assert_int_equal(t.sums.count, 0);
    assert_int_equal(t.from, INT64_MAX);
    forget(&t);
    dimension_memory_free(&m);
    close_world(&w);
}

static void of_several_processes_it_is_the_sum(void **state)
{
    struct world w;
    struct dimension_memory m = {};
    struct told t;
    const struct config *c;
    int64_t until = 0;

    (void)state;
    for (unsigned process = 1; process <= 3; process++) {
        open_world(&w);
        c = publish(&w, shop_config(0, 1, NULL), true);
        good(&w, c, 0, process);
        pass(&w, 60);
        remember(&m, &w, c, process);
        until = unix_of(&w);
        close_world(&w);
    }
    open_world(&w);
    c = publish(&w, shop_config(0, 1, NULL), true);
    ask(&t, &m, &w, c, DIMENSION_WINDOW_5M, until);
    assert_told(&t, DIMENSION_INSTANCE, "10.0.0.1:80", 1 + 2 + 3, 0);
    assert_told(&t, DIMENSION_RELEASE, "none", 6, 0);
    forget(&t);
    /* another journey, or another definition of it, is not this one */
    struct journey other = c->journeys[0];
    struct config changed = *c;
    changed.journeys = &other;
    other.definition++;
    ask(&t, &m, &w, &changed, DIMENSION_WINDOW_1H, until);
    assert_int_equal(t.sums.count, 0);
    forget(&t);
    dimension_memory_free(&m);
    close_world(&w);
}

static void nothing_is_packed_of_nothing(void **state)
{
    struct world w;
    struct str packed = str_growing();

    (void)state;
    open_world(&w);
    const struct config *c = publish(&w, shop_config(0, 2, "r1"), true);
    dimension_pack(&w.registry.dimensions, &w.book, &c->journeys[0], &nobody, w.now, &packed);
    assert_int_equal(packed.n, 0);
    good(&w, c, 0, 5);
    pass(&w, INT64_C(2) * 3600); /* every mark has them */
    dimension_pack(&w.registry.dimensions, &w.book, &c->journeys[0], &nobody, w.now, &packed);
    assert_int_equal(packed.n, 0);
    str_free(&packed);
    close_world(&w);
}

static void who_may_not_be_named_is_one_of_the_others(void **state)
{
    struct world w;
    struct heavy_text who = { .n = 3, .text = "ann" };
    struct str text = str_growing();
    struct dimension_memory m = {};
    struct told t;

    (void)state;
    open_world(&w);
    str_text(&text, "listen: { http: 127.0.0.1:8080 }\nidentity: { tenant: \"header:x-tenant\" }\n"
                    "journeys:\n  buy: { routes: [GET /buy] }\nservices:\n");
    put_instances(&text, "shop", 0, 1, NULL);
    const struct config *c = publish(&w, read_good(str_cstr(&text)), true);
    str_free(&text);
    dimensions_name_tenant(&w.registry.dimensions, 3, &who, NOON);
    uint32_t slots = c->journeys[0].dimensions->tenants + (1 + 3) * DIMENSION_OUTCOMES;
    counter_add(&w.page, slots + OUTCOME_GOOD, 4);
    remember(&m, &w, c, 1);
    ask(&t, &m, &w, c, DIMENSION_WINDOW_1H, unix_of(&w));
    assert_told(&t, DIMENSION_TENANT, "other", 4, 0);
    assert_null(told_of(&t, DIMENSION_TENANT, "ann"));
    forget(&t);
    dimension_memory_free(&m);
    close_world(&w);
}

static void damage_is_found(void **state)
{
    struct world w;
    struct str packed = str_growing();
    struct str wrong = str_growing();

    (void)state;
    open_world(&w);
    const struct config *c = publish(&w, shop_config(0, 3, "r1"), true);
    good(&w, c, 0, 300);
    end_one(&w, c, 2, 500, ENDING_answered, 1);
    dimension_pack(&w.registry.dimensions, &w.book, &c->journeys[0], &nobody, w.now, &packed);
    assert_true(dimension_packed_well(str_span(&packed)));
    unsigned well = 0;
    for (size_t n = 0; n < packed.n; n++)
        well += dimension_packed_well(span_of(packed.p, n));
    assert_true(well < 20); /* where one value ends and the next begins */
    for (size_t i = 0; i < packed.n;
         i++) { /* anything may stand there: it must only be looked at */
        wrong.n = 0;
        str_put(&wrong, str_span(&packed));
        wrong.p[i] = (char)(wrong.p[i] ^ 0xff);
        (void)dimension_packed_well(str_span(&wrong));
    }
    packed.p[0] = 2; /* of a later version */
    assert_false(dimension_packed_well(str_span(&packed)));
    assert_false(dimension_packed_well(SPAN("")));
    str_free(&packed);
    str_free(&wrong);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_process_knows_the_last_hour),
        cmocka_unit_test(of_several_processes_it_is_the_sum),
        cmocka_unit_test(nothing_is_packed_of_nothing),
        cmocka_unit_test(who_may_not_be_named_is_one_of_the_others),
        cmocka_unit_test(damage_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
