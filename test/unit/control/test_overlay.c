/* SPDX-License-Identifier: Apache-2.0 */
/* test_overlay.c - changes at run time: the list, what they do to a configuration, when the file wins, and what
 * comes back from the store. Names have their addresses from here, not from a resolver. */
#include "configs.h"

#include "control/names.h"
#include "control/overlay.h"

#include <stdlib.h>

#define A "127.0.0.1:9101"
#define B "127.0.0.1:9102"
#define C "127.0.0.1:9103"

static const char two[] =
    "listen: { http: 127.0.0.1:8080 }\n"
    "services: { shop: { instances: [" A ", { address: " B ", weight: 7 }] },\n"
    "            other: { instances: [" A "] } }\n"
    "routes: [{ path: /o, service: other }, { path: /*, service: shop }]\n";

static const char named[] = "listen: { http: 127.0.0.1:8080 }\n"
                            "services: { shop: { instances: [\"App.local:80\", " A "] } }\n";

/* What "App.local:80" stands for in these tests. */
struct resolved {
    struct known_name name;
    struct known_name *list[1];
    struct names names;
};

static void resolve_to(struct resolved *r, const char *const *addresses, size_t count)
{
    *r = (struct resolved){ .name.text = (char *)(uintptr_t) "App.local:80", .name.wanted = true };
    for (size_t i = 0; i < count; i++)
        assert_true(address_parse(span_from_text(addresses[i]), &r->name.addresses[i]));
    r->name.count = count;
    r->list[0] = &r->name;
    r->names = (struct names){ r->list, 1 };
}

static struct change change(enum change_kind kind, const char *instance, const char *file_value)
{
    return (struct change){ .kind = kind,
                            .service = SPAN("shop"),
                            .instance = span_from_text(instance),
                            .weight = 3,
                            .file_value = span_from_text(file_value) };
}

/* As the loader does it; returns how many were over. */
static size_t apply(const struct change *list, size_t count, struct config *c,
                    const struct names *names, int64_t *ret_over)
{
    size_t over = overlay_apply_added(list, count, c, ret_over);

    if (names)
        names_expand(names, c);
    return over + overlay_apply_rest(list, count, c, ret_over + over);
}

static const struct instance *instance_of(const struct config *c, const char *service,
                                          const char *text)
{
    for (size_t s = 0; s < c->service_count; s++) {
        const struct service *service_ = &c->services[s];
        for (size_t i = 0; i < service_->instance_count; i++) {
            if (span_equal(service_->name, span_from_text(service)) &&
                span_equal(service_->instances[i].text, span_from_text(text)))
                return &service_->instances[i];
        }
    }
    return NULL;
}

/* One change on the configuration `two`; the caller frees it. */
static struct config *with(struct change k, size_t expected_over)
{
    struct config *c = read_good(two);
    int64_t over[1];

    k.id = 42;
    assert_int_equal(apply(&k, 1, c, NULL, over), expected_over);
    if (expected_over)
        assert_int_equal(over[0], 42);
    return c;
}

/* ---- the list */

static void words_and_kinds_agree(void **state)
{
    enum change_kind k;

    (void)state;
    for (unsigned i = 0; i < CHANGE_COUNT; i++) {
        assert_true(change_kind_parse(span_from_text(change_word((enum change_kind)i)), &k));
        assert_int_equal(k, i);
    }
    assert_false(change_kind_parse(SPAN("Drain"), &k));
    assert_false(change_kind_parse(SPAN(""), &k));
    assert_false(change_kind_parse(SPAN("drains"), &k));
}

static void what_is_added_is_a_copy_with_an_id(void **state)
{
    struct overlay o = {};
    char text[] = A;
    struct change k = change(CHANGE_DRAIN, text, "drain=false");
    int64_t replaced = 7;

    (void)state;
    struct change *first = overlay_add(&o, &k, &replaced);
    text[0] = 'x';
    assert_int_equal(replaced, 0);
    assert_int_equal(first->id, 1);
    assert_span(first->instance, A);
    k.instance = SPAN(B);
    assert_int_equal(overlay_add(&o, &k, &replaced)->id, 2);
    assert_ptr_equal(overlay_find(&o, 1), first);
    assert_null(overlay_find(&o, 3));
    overlay_remove(&o, 1);
    overlay_remove(&o, 1); /* it is gone already */
    assert_int_equal(o.count, 1);
    assert_null(overlay_find(&o, 1));
    overlay_free(&o);
    assert_int_equal(o.count, 0);
}

static void one_of_a_class_takes_the_place_of_the_other(void **state)
{
    static const struct {
        enum change_kind first, second;
        bool replaces;
    } rows[] = {
        { CHANGE_DRAIN, CHANGE_DRAIN, true },    { CHANGE_DRAIN, CHANGE_UNDRAIN, true },
        { CHANGE_UNDRAIN, CHANGE_DRAIN, true },  { CHANGE_ADD, CHANGE_REMOVE, true },
        { CHANGE_REMOVE, CHANGE_ADD, true },     { CHANGE_WEIGHT, CHANGE_WEIGHT, true },
        { CHANGE_DRAIN, CHANGE_WEIGHT, false },  { CHANGE_ADD, CHANGE_DRAIN, false },
        { CHANGE_WEIGHT, CHANGE_REMOVE, false }, { CHANGE_REMOVE, CHANGE_UNDRAIN, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct overlay o = {};
        struct change k = change(rows[i].first, A, "");
        int64_t replaced;
        int64_t first = overlay_add(&o, &k, &replaced)->id;
        k.kind = rows[i].second;
        struct change *second = overlay_add(&o, &k, &replaced);
        assert_int_equal(replaced, rows[i].replaces ? first : 0);
        assert_int_equal(o.count, rows[i].replaces ? 1 : 2);
        assert_int_equal(second->kind, rows[i].second);
        overlay_free(&o);
    }
}

static void other_instances_and_services_are_left_alone(void **state)
{
    struct overlay o = {};
    struct change k = change(CHANGE_DRAIN, A, "");
    int64_t replaced;

    (void)state;
    overlay_add(&o, &k, &replaced);
    k.instance = SPAN(B);
    overlay_add(&o, &k, &replaced);
    assert_int_equal(replaced, 0);
    k.service = SPAN("other");
    overlay_add(&o, &k, &replaced);
    assert_int_equal(replaced, 0);
    assert_int_equal(o.count, 3);
    overlay_free(&o);
}

static void a_copy_leaves_out_what_is_over(void **state)
{
    struct overlay o = {};
    struct arena a = {};
    struct change k = change(CHANGE_DRAIN, A, "drain=false");
    int64_t replaced;
    size_t count;

    (void)state;
    k.expires = 1000;
    overlay_add(&o, &k, &replaced);
    k.instance = SPAN(B);
    k.expires = 0;
    overlay_add(&o, &k, &replaced);
    struct change *copy = overlay_copy(&o, &a, 999, &count);
    assert_int_equal(count, 2);
    overlay_copy(&o, &a, 1000, &count);
    assert_int_equal(count, 1);
    overlay_free(&o);
    assert_span(copy[0].instance, A); /* it is whole without the list */
    assert_span(copy[1].file_value, "drain=false");
    arena_free(&a);
}

/* ---- into a configuration */

static void drain_and_weight_are_applied(void **state)
{
    (void)state;
    struct config *c = with(change(CHANGE_DRAIN, A, "drain=false"), 0);
    assert_true(instance_of(c, "shop", A)->drain);
    assert_false(instance_of(c, "shop", A)->file_drain);
    assert_false(instance_of(c, "shop", B)->drain);
    assert_false(instance_of(c, "other", A)->drain);
    config_free(c);
    c = with(change(CHANGE_WEIGHT, B, "weight=7"), 0);
    assert_int_equal(instance_of(c, "shop", B)->weight, 3);
    assert_int_equal(instance_of(c, "shop", B)->file_weight, 7);
    assert_int_equal(instance_of(c, "shop", A)->weight, 1);
    config_free(c);
}

static void remove_and_add_are_applied(void **state)
{
    struct change added = change(CHANGE_ADD, C, "absent");

    (void)state;
    struct config *c = with(change(CHANGE_REMOVE, A, "present"), 0);
    assert_null(instance_of(c, "shop", A));
    assert_non_null(instance_of(c, "shop", B));
    assert_non_null(instance_of(c, "other", A));
    config_free(c);
    added.zone = SPAN("z 1");
    added.release = SPAN("42");
    c = with(added, 0);
    const struct instance *in = instance_of(c, "shop", C);
    assert_non_null(in);
    assert_int_equal(in->weight, 3);
    assert_int_equal(in->origin, ORIGIN_API);
    assert_span(in->zone, "z 1");
    assert_span(in->release, "42");
    assert_int_equal(in->address.length != 0, 1);
    assert_null(instance_of(c, "other", C));
    config_free(c);
}

static void the_last_instance_may_be_removed(void **state)
{
    struct change list[] = { change(CHANGE_REMOVE, A, "present"),
                             change(CHANGE_REMOVE, B, "present") };
    struct config *c = read_good(two);
    int64_t over[2];

    (void)state;
    assert_int_equal(apply(list, 2, c, NULL, over), 0);
    assert_int_equal(c->services[0].instance_count, 0);
    assert_int_equal(c->services[1].instance_count, 1);
    config_free(c);
}

static void undrain_goes_over_the_file(void **state)
{
    static const char text[] =
        "listen: { http: 127.0.0.1:8080 }\n"
        "services: { shop: { instances: [{ address: " A ", drain: true }, " B "] } }\n";
    struct change k = change(CHANGE_UNDRAIN, A, "drain=true");
    struct config *c = read_good(text);
    int64_t over[1];

    (void)state;
    assert_true(instance_of(c, "shop", A)->drain);
    assert_int_equal(apply(&k, 1, c, NULL, over), 0);
    assert_false(instance_of(c, "shop", A)->drain);
    assert_true(instance_of(c, "shop", A)->file_drain);
    config_free(c);
}

static void an_added_instance_can_be_changed_further(void **state)
{
    struct change list[] = { change(CHANGE_ADD, C, "absent"), change(CHANGE_DRAIN, C, "absent"),
                             change(CHANGE_WEIGHT, C, "absent") };
    struct config *c = read_good(two);
    int64_t over[3];

    (void)state;
    list[2].weight = 9;
    assert_int_equal(apply(list, 3, c, NULL, over), 0);
    assert_true(instance_of(c, "shop", C)->drain);
    assert_int_equal(instance_of(c, "shop", C)->weight, 9);
    config_free(c);
}

/* ---- the file wins */

static void the_file_wins(void **state)
{
    /* what the file said when the change was made is not what `two` says now */
    static const struct {
        enum change_kind kind;
        const char *instance, *then;
    } rows[] = {
        { CHANGE_DRAIN, A, "drain=true" }, { CHANGE_UNDRAIN, A, "drain=true" },
        { CHANGE_WEIGHT, B, "weight=1" },  { CHANGE_ADD, A, "absent" },
        { CHANGE_REMOVE, C, "present" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct config *c = with(change(rows[i].kind, rows[i].instance, rows[i].then), 1);
        assert_int_equal(c->services[0].instance_count, 2);
        assert_false(instance_of(c, "shop", A)->drain);
        assert_int_equal(instance_of(c, "shop", B)->weight, 7);
        config_free(c);
    }
}

static void what_the_file_says_of_something_else_is_no_matter(void **state)
{
    (void)state;
    /* the weight was changed in the file since, the drain was not */
    struct config *c = with(change(CHANGE_DRAIN, B, "drain=false"), 0);
    assert_true(instance_of(c, "shop", B)->drain);
    assert_int_equal(instance_of(c, "shop", B)->weight, 7);
    config_free(c);
}

static void a_service_that_is_gone(void **state)
{
    struct change list[] = { change(CHANGE_ADD, C, "absent"), change(CHANGE_REMOVE, A, "present"),
                             change(CHANGE_DRAIN, A, "drain=false"),
                             change(CHANGE_WEIGHT, A, "weight=1") };
    struct config *c = read_good(two);
    int64_t over[4];

    (void)state;
    for (size_t i = 0; i < COUNT(list); i++) {
        list[i].id = (int64_t)i + 1;
        list[i].service = SPAN("gone");
    }
    assert_int_equal(apply(list, 4, c, NULL, over), 2);
    assert_int_equal(over[0], 1);
    assert_int_equal(over[1], 2);
    config_free(c);
}

/* ---- names */

static void a_name_drains_all_its_addresses(void **state)
{
    static const char *const addresses[] = { "10.0.0.1:80", "10.0.0.2:80" };
    struct change k = change(CHANGE_DRAIN, "app.LOCAL:80", "drain=false");
    struct config *c = read_good(named);
    struct resolved r;
    int64_t over[1];

    (void)state;
    resolve_to(&r, addresses, 2);
    assert_int_equal(apply(&k, 1, c, &r.names, over), 0);
    assert_true(instance_of(c, "shop", "10.0.0.1:80")->drain);
    assert_true(instance_of(c, "shop", "10.0.0.2:80")->drain);
    assert_false(instance_of(c, "shop", A)->drain);
    config_free(c);
}

static void the_drain_of_an_address_waits_for_it_to_come_back(void **state)
{
    static const char *const addresses[] = { "10.0.0.1:80", "10.0.0.2:80" };
    struct change k = change(CHANGE_DRAIN, "10.0.0.2:80", "drain=false");
    struct resolved r;
    int64_t over[1];

    (void)state;
    for (size_t count = 0; count < 3; count++) { /* none, the other one, both */
        struct config *c = read_good(named);
        resolve_to(&r, addresses, count);
        assert_int_equal(apply(&k, 1, c, &r.names, over), 0);
        assert_int_equal(c->services[0].instance_count, count + 1);
        const struct instance *in = instance_of(c, "shop", "10.0.0.2:80");
        assert_true(count < 2 ? !in : in->drain);
        config_free(c);
    }
}

static void the_later_of_name_and_address_decides(void **state)
{
    static const char *const addresses[] = { "10.0.0.1:80", "10.0.0.2:80" };
    struct change list[] = { change(CHANGE_DRAIN, "App.local:80", "drain=false"),
                             change(CHANGE_UNDRAIN, "10.0.0.2:80", "drain=false") };
    struct config *c = read_good(named);
    struct resolved r;
    int64_t over[2];

    (void)state;
    resolve_to(&r, addresses, 2);
    assert_int_equal(apply(list, 2, c, &r.names, over), 0);
    assert_true(instance_of(c, "shop", "10.0.0.1:80")->drain);
    assert_false(instance_of(c, "shop", "10.0.0.2:80")->drain);
    config_free(c);
}

static void a_name_that_was_added_is_the_apis(void **state)
{
    static const char *const addresses[] = { "10.0.0.1:80", "10.0.0.2:80" };
    struct change list[] = { change(CHANGE_ADD, "App.local:80", "absent"),
                             change(CHANGE_REMOVE, "10.0.0.1:80", "absent") };
    struct config *c = read_good(two);
    struct resolved r;
    int64_t over[2];

    (void)state;
    resolve_to(&r, addresses, 2);
    assert_int_equal(apply(list, 2, c, &r.names, over), 0);
    assert_null(instance_of(c, "shop", "10.0.0.1:80"));
    assert_int_equal(instance_of(c, "shop", "10.0.0.2:80")->origin, ORIGIN_API);
    config_free(c);
}

/* ---- the store */

static struct stored_change row(int64_t id, const char *kind, const char *value)
{
    return (struct stored_change){ .id = id,
                                   .kind = span_from_text(kind),
                                   .service = SPAN("shop"),
                                   .instance = SPAN(C),
                                   .value = span_from_text(value),
                                   .who = SPAN("ann"),
                                   .why = SPAN("a slow disk"),
                                   .at = 100,
                                   .expires = 200,
                                   .file_value = SPAN("absent") };
}

static void what_was_stored_comes_back(void **state)
{
    struct arena a = {};
    struct overlay o = {};
    struct change k = change(CHANGE_ADD, C, "absent");

    (void)state;
    k.zone = SPAN("zone=b release=x"); /* people may write what they want */
    k.release = SPAN("v 1");
    char *value = arena_text(&a, change_value(&a, &k));
    struct stored_change stored = row(17, "add", value);
    overlay_restore(&o, &stored, 1);
    assert_int_equal(o.count, 1);
    const struct change *c = o.list[0];
    assert_int_equal(c->id, 17);
    assert_int_equal(c->kind, CHANGE_ADD);
    assert_span(c->instance, C);
    assert_span(c->zone, "zone=b release=x");
    assert_span(c->release, "v 1");
    assert_int_equal(c->weight, 3);
    assert_span(c->who, "ann");
    assert_span(c->why, "a slow disk");
    assert_int_equal(c->at, 100);
    assert_int_equal(c->expires, 200);
    assert_true(c->stored);
    overlay_free(&o);
    arena_free(&a);
}

static void odd_rows_are_left_out(void **state)
{
    const struct stored_change list[] = {
        row(1, "explode", ""),
        row(2, "weight", "weight=0"),
        row(3, "weight", "weight=1001"),
        row(4, "weight", "weight=x"),
        row(5, "weight", "weight=99999999999999999999999"),
        row(6, "", ""),
        row(9, "drain", "something=new\tweight=5\tzone"),
    };
    struct overlay o = {};
    struct change k = change(CHANGE_DRAIN, A, "");
    int64_t replaced;

    (void)state;
    overlay_restore(&o, list, COUNT(list));
    assert_int_equal(o.count, 1);
    assert_int_equal(o.list[0]->id, 9);
    assert_int_equal(overlay_add(&o, &k, &replaced)->id, 10); /* never one that was used */
    overlay_free(&o);
}

static void of_two_rows_of_a_class_the_later_stays(void **state)
{
    const struct stored_change list[] = { row(3, "drain", ""), row(8, "undrain", "") };
    struct overlay o = {};

    (void)state;
    overlay_restore(&o, list, COUNT(list));
    assert_int_equal(o.count, 1);
    assert_int_equal(o.list[0]->id, 8);
    overlay_free(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_and_kinds_agree),
        cmocka_unit_test(what_is_added_is_a_copy_with_an_id),
        cmocka_unit_test(one_of_a_class_takes_the_place_of_the_other),
        cmocka_unit_test(other_instances_and_services_are_left_alone),
        cmocka_unit_test(a_copy_leaves_out_what_is_over),
        cmocka_unit_test(drain_and_weight_are_applied),
        cmocka_unit_test(remove_and_add_are_applied),
        cmocka_unit_test(the_last_instance_may_be_removed),
        cmocka_unit_test(undrain_goes_over_the_file),
        cmocka_unit_test(an_added_instance_can_be_changed_further),
        cmocka_unit_test(the_file_wins),
        cmocka_unit_test(what_the_file_says_of_something_else_is_no_matter),
        cmocka_unit_test(a_service_that_is_gone),
        cmocka_unit_test(a_name_drains_all_its_addresses),
        cmocka_unit_test(the_drain_of_an_address_waits_for_it_to_come_back),
        cmocka_unit_test(the_later_of_name_and_address_decides),
        cmocka_unit_test(a_name_that_was_added_is_the_apis),
        cmocka_unit_test(what_was_stored_comes_back),
        cmocka_unit_test(odd_rows_are_left_out),
        cmocka_unit_test(of_two_rows_of_a_class_the_later_stays),
    };

    return RUN(tests);
}
