/* SPDX-License-Identifier: Apache-2.0 */
/* test_memory.c - arenas, pools, lists, maps and growing text. */
#include "unit.h"

#include "base/arena.h"
#include "base/list.h"
#include "base/map.h"
#include "base/pool.h"
#include "base/rand.h"
#include "base/str.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void an_arena_keeps_what_it_gave(void **state)
{
    struct arena a = {};
    char *texts[500];

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        texts[i] = arena_print(&a, "text number %zu", i);
        char *large = arena_alloc(&a, i * 100);
        memset(large, 'x', i * 100);
        assert_int_equal((uintptr_t)large % 16, 0);
    }
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_int_equal(atoi(texts[i] + strlen("text number ")), i);
    arena_free(&a);
    assert_int_equal(a.total, 0);
}

static void a_pool_has_a_bound(void **state)
{
    struct pool p;
    void *taken[10];

    (void)state;
    pool_init(&p, "things", 40, COUNT(taken));
    for (size_t i = 0; i < COUNT(taken); i++) {
        taken[i] = pool_take(&p);
        assert_non_null(taken[i]);
        memset(taken[i], (int)i, 40);
    }
    assert_null(pool_take(&p));
    pool_give(&p, taken[3]);
    assert_ptr_equal(pool_take(&p), taken[3]); /* the warmest comes back first */
    for (size_t i = 0; i < COUNT(taken); i++)
        pool_give(&p, taken[i]);
    pool_free(&p);
}

struct member {
    int number;
    struct link link;
};

static void a_list_counts_itself(void **state)
{
    struct list l;
    struct member m[3] = { { 1, {} }, { 2, {} }, { 3, {} } };

    (void)state;
    list_init(&l);
    assert_null(list_pop(&l));
    list_append(&l, &m[0].link);
    list_append(&l, &m[1].link);
    list_prepend(&l, &m[2].link);
    assert_int_equal(l.count, 3);
    list_remove(&l, &m[0].link);
    assert_false(link_linked(&m[0].link));
    assert_int_equal(container_of(list_pop(&l), struct member, link)->number, 3);
    assert_int_equal(container_of(list_pop(&l), struct member, link)->number, 2);
    assert_true(list_empty(&l));
}

static void a_map_finds_a_thousand_names(void **state)
{
    struct map m = {};
    struct arena a = {};
    static int values[1000];

    (void)state;
    assert_null(map_get(&m, SPAN("x")));
    for (int i = 0; i < 1000; i++)
        map_put(&m, span_from_text(arena_print(&a, "name %d", i)), &values[i]);
    map_put(&m, SPAN("name 7"), &values[8]);
    assert_int_equal(m.count, 1000);
    for (int i = 0; i < 1000; i++)
        assert_ptr_equal(map_get(&m, span_from_text(arena_print(&a, "name %d", i))),
                         &values[i == 7 ? 8 : i]);
    assert_null(map_get(&m, SPAN("name 1000")));
    map_free(&m);
    arena_free(&a);
}

static void text_is_cut_or_grows(void **state)
{
    char room[8];
    struct str fixed = str_fixed(room, sizeof(room));
    struct str growing = str_growing();

    (void)state;
    str_u64(&fixed, 1234567);
    assert_false(fixed.cut);
    str_literal(&fixed, "89");
    assert_true(fixed.cut);
    assert_span(str_span(&fixed), "1234567");
    for (int i = 0; i < 1000; i++)
        str_print(&growing, "%d,", i);
    str_hex(&growing, 0xbeef);
    str_u64(&growing, UINT64_MAX);
    str_hex_bytes(&growing, "\x01\xfe", 2);
    assert_int_equal(growing.n, 3890 + 4 + 20 + 4);
    assert_string_equal(str_cstr(&growing) + 3890, "beef1844674407370955161501fe");
    str_free(&growing);
}

static void the_same_seed_gives_the_same_numbers(void **state)
{
    struct rng a = { 7 };
    struct rng b = { 7 };

    (void)state;
    for (int i = 0; i < 1000; i++) {
        uint64_t bound = rng_next(&a) | 1;
        assert_int_equal(bound, rng_next(&b) | 1);
        uint64_t n = rng_below(&a, bound);
        assert_true(n < bound);
        assert_int_equal(n, rng_below(&b, bound));
    }
}

static void a_check_stops_the_program(void **state)
{
    int status;
    struct list l;

    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        struct member m = {};
        signal(SIGABRT, SIG_DFL);
        fclose(stderr);
        close(STDERR_FILENO);
        list_init(&l);
        list_append(&l, &m.link);
        list_append(&l, &m.link); /* already linked: our bug */
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_arena_keeps_what_it_gave),
        cmocka_unit_test(a_pool_has_a_bound),
        cmocka_unit_test(a_list_counts_itself),
        cmocka_unit_test(a_map_finds_a_thousand_names),
        cmocka_unit_test(text_is_cut_or_grows),
        cmocka_unit_test(the_same_seed_gives_the_same_numbers),
        cmocka_unit_test(a_check_stops_the_program),
    };
    return RUN(tests);
}
