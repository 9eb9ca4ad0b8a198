/* SPDX-License-Identifier: Apache-2.0 */
/* test_kept_peers.c - what peers said last comes back, newest first; who is no peer any more is forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/str.h"
#include "scratch.h"
#include "store/db.h"
#include "store/kept_peers.h"

static void put(struct store *s, const char *url, int64_t at, const char *said)
{
    must(kept_peers_put(s, &(struct kept_peer){ span_from_text(url), at, span_from_text(said) }));
}

static void expect(struct store *s, const char *wanted)
{
    struct arena a = {};
    struct kept_peer *list;
    struct str text = str_growing();
    size_t n;

    must(kept_peers_load(s, &a, &list, &n));
    for (size_t i = 0; i < n; i++)
        str_print(&text, "%s@%ld=%s ", list[i].url.p, (long)list[i].at, list[i].said.p);
    assert_string_equal(str_cstr(&text), wanted);
    str_free(&text);
    arena_free(&a);
}

static void the_last_words_stay(void **state)
{
    const struct span both[] = { SPAN_INIT("http://b:1"), SPAN_INIT("http://c:1") };
    struct store *s = open_at(":memory:", NULL);

    (void)state;
    expect(s, "");
    put(s, "http://a:1", 10, "one");
    put(s, "http://b:1", 30, "two");
    put(s, "http://a:1", 20, "three");
    expect(s, "http://b:1@30=two http://a:1@20=three ");
    must(kept_peers_forget(s, both, 2));
    expect(s, "http://b:1@30=two ");
    must(kept_peers_forget(s, NULL, 0));
    expect(s, "");
    store_close(s);
}

/* A file that another program filled. */
static void as_many_as_can_be_configured(void **state)
{
    struct store *s = open_at(":memory:", NULL);
    struct arena a = {};
    struct kept_peer *list;
    char url[32];
    size_t n;

    (void)state;
    for (int i = 0; i < KEPT_PEERS_MAX + 9; i++) {
        snprintf(url, sizeof(url), "http://n%d:1", i);
        put(s, url, 100 + i, "x");
    }
    must(kept_peers_load(s, &a, &list, &n));
    assert_int_equal(n, KEPT_PEERS_MAX);
    assert_string_equal(list[0].url.p, "http://n72:1");
    for (int i = 0; i < 2; i++)
        must(kept_peers_forget(s, &list[0].url, 1));
    arena_free(&a);
    expect(s, "http://n72:1@172=x ");
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_words_stay),
        cmocka_unit_test(as_many_as_can_be_configured),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
