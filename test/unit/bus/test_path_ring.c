/* SPDX-License-Identifier: Apache-2.0 */
/* test_path_ring.c - entries come out whole, in order; what finds no room is counted. */
#include "unit.h"

#include "bus/path_ring.h"

static void what_goes_in_comes_out(void **state)
{
    struct path_ring r;
    char path[PATH_RING_PATH + 1];

    (void)state;
    memset(path, 'a', sizeof(path));
    path_ring_open(&r);
    assert_null(path_ring_peek(&r));
    assert_true(path_ring_put(&r, SPAN("GET"), SPAN("/a"), 200, 1, 17));
    assert_true(
        path_ring_put(&r, SPAN("VERSION-CONTROL"), span_of(path, PATH_RING_PATH), 503, 2, -1));
    const struct path_entry *e = path_ring_peek(&r);
    assert_non_null(e);
    assert_span(span_of(e->method, e->method_n), "GET");
    assert_span(span_of(e->path, e->path_n), "/a");
    assert_int_equal(e->status, 200);
    assert_int_equal(e->outcome, 1);
    assert_int_equal(e->took, 17);
    assert_ptr_equal(path_ring_peek(&r), e); /* it stays until it is taken */
    path_ring_taken(&r);
    e = path_ring_peek(&r);
    assert_non_null(e);
    assert_span(span_of(e->method, e->method_n), "VERSION-");
    assert_int_equal(e->path_n, PATH_RING_PATH);
    assert_int_equal(e->took, -1);
    path_ring_taken(&r);
    assert_null(path_ring_peek(&r));
    assert_int_equal(path_ring_lost(&r), 0);
    /* too long: half a path would be another path */
    assert_false(path_ring_put(&r, SPAN("GET"), span_of(path, PATH_RING_PATH + 1), 200, 0, 0));
    assert_null(path_ring_peek(&r));
    assert_int_equal(path_ring_lost(&r), 1);
    path_ring_close(&r);
}

static void a_full_ring_loses_the_new_ones(void **state)
{
    struct path_ring r;

    (void)state;
    path_ring_open(&r);
    for (unsigned i = 0; i < PATH_RING_ENTRIES; i++)
        assert_true(path_ring_put(&r, SPAN("GET"), SPAN("/"), i % 600, 0, i));
    assert_false(path_ring_put(&r, SPAN("GET"), SPAN("/"), 0, 0, -5));
    assert_false(path_ring_put(&r, SPAN("GET"), SPAN("/"), 0, 0, -5));
    assert_int_equal(path_ring_lost(&r), 2);
    path_ring_taken(&r);
    assert_true(path_ring_put(&r, SPAN("GET"), SPAN("/"), 1, 0, PATH_RING_ENTRIES));
    assert_false(path_ring_put(&r, SPAN("GET"), SPAN("/"), 0, 0, -5));
    for (unsigned i = 1; i <= PATH_RING_ENTRIES; i++) {
        assert_non_null(path_ring_peek(&r));
        assert_int_equal(path_ring_peek(&r)->took, i);
        path_ring_taken(&r);
    }
    assert_null(path_ring_peek(&r));
    assert_int_equal(path_ring_lost(&r), 3);
    path_ring_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_in_comes_out),
        cmocka_unit_test(a_full_ring_loses_the_new_ones),
    };
    return RUN(tests);
}
