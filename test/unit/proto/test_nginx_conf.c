/* SPDX-License-Identifier: Apache-2.0 */
/* test_nginx_conf.c - nginx's configuration language as a tree. */
#include "unit.h"

#include "base/str.h"
#include "proto/nginx_conf.h"

/* "name[arg|arg]{children}" for each, which shows the tree. */
static void show(const struct nginx_directive *top, struct str *out)
{
    for (const struct nginx_directive *d = top->first; d; d = d->next) {
        str_print(out, "%.*s", SPAN_ARG(d->name));
        for (size_t i = 0; i < d->argument_count; i++)
            str_print(out, "%s%.*s", i ? "|" : "[", SPAN_ARG(d->arguments[i]));
        str_print(out, "%s@%zu ", d->argument_count ? "]" : "", d->line);
        if (d->block) {
            str_text(out, "{ ");
            show(d, out);
            str_text(out, "} ");
        }
    }
}

static void trees(void **state)
{
    static const struct {
        const char *text;
        const char *tree;
    } cases[] = {
        { "", "" },
        { "# nothing", "" },
        { "\xEF\xBB\xBFuser a;", "user[a]@1 " },
        { "user a ;\n\nuser b;", "user[a]@1 user[b]@3 " },
        { "http{server{listen 80;}}", "http@1 { server@1 { listen[80]@1 } } " },
        { "a {\n# x }\nb; # y\n}\nc;", "a@1 { b@3 } c@5 " },
        { "a \"b c\" 'd \" e' f\\ g;", "a[b c|d \" e|f\\ g]@1 " },
        { "a \"x\\\"y\" '\\'' \"\\t\\n\" \"\\d\";", "a[x\"y|'|\t\n|\\d]@1 " },
        { "a ${b}c d$e;", "a[${b}c|d$e]@1 " },
        { "location ~ \\.php$ { x; }", "location[~|\\.php$]@1 { x@1 } " },
        { "location ~ \"^/(\\d{1,3})$\" { x; }", "location[~|^/(\\d{1,3})$]@1 { x@1 } " },
        { "a b#c;", "a[b#c]@1 " },
        { "a\n  b\n  c;", "a[b|c]@1 " },
        { "content_by_lua_block { x = \"}\" -- }\n } a;", "content_by_lua_block@1 { } a@2 " },
        { "map $a $b { default 1; '' 2; \"x\" 3; }",
          "map[$a|$b]@1 { default[1]@1 [2]@1 x[3]@1 } " },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct arena a = {};
        struct nginx_tree t;
        struct nginx_mistake m = {};
        struct str out = str_growing();
        nginx_tree_init(&t, &a);
        if (!nginx_conf_read(&t, &t.root, "f", span_from_text(cases[i].text), &m))
            fail_msg("%s: line %zu: %s", cases[i].text, m.line, m.text);
        show(&t.root, &out);
        assert_string_equal(str_cstr(&out), cases[i].tree);
        str_free(&out);
        arena_free(&a);
    }
}

static void mistakes(void **state)
{
    static const struct {
        const char *text;
        size_t line;
        const char *expected; /* in the sentence */
    } cases[] = {
        { "a", 1, "ends within a directive" },
        { "a {\n b;\n", 3, "a block is not closed" },
        { "a;\n}", 2, "closes nothing" },
        { "a { b }", 1, "';' is missing" },
        { "a \"b", 1, "a quote is not closed" },
        { "a 'b'c;", 1, "must follow a closing quote" },
        { ";", 1, "name is missing" },
        { "{ a; }", 1, "name is missing" },
        { "x_by_lua_block { {", 1, "a block is not closed" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct arena a = {};
        struct nginx_tree t;
        struct nginx_mistake m = {};
        nginx_tree_init(&t, &a);
        if (nginx_conf_read(&t, &t.root, "f", span_from_text(cases[i].text), &m) ||
            m.line != cases[i].line || !strstr(m.text, cases[i].expected))
            fail_msg("%s: line %zu: %s", cases[i].text, m.line, m.text);
        arena_free(&a);
    }
}

static void bounds(void **state)
{
    struct nginx_mistake m;

    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        struct arena a = {};
        struct nginx_tree t;
        struct str text = str_growing();
        for (int i = 0; i < (kind == 0 ? 40 : kind == 1 ? 600 : 100001); i++)
            str_text(&text, kind == 0 ? "a {" : kind == 1 ? "a " : "a;");
        nginx_tree_init(&t, &a);
        assert_false(nginx_conf_read(&t, &t.root, "f", str_span(&text), &m));
        assert_non_null(strstr(m.text, kind == 0   ? "32 blocks"
                                       : kind == 1 ? "512 words"
                                                   : "100000"));
        str_free(&text);
        arena_free(&a);
    }
}

static void an_include_is_transparent(void **state)
{
    struct arena a = {};
    struct nginx_tree t;
    struct nginx_mistake m;

    (void)state;
    nginx_tree_init(&t, &a);
    assert_true(nginx_conf_read(&t, &t.root, "main", SPAN("http { include x; a; }"), &m));
    struct nginx_directive *http = t.root.first;
    struct nginx_directive *include = http->first;
    assert_true(nginx_conf_read(&t, include, "x", SPAN("b;\nc { d; }"), &m));
    static const char *const order[] = { "http", "include", "b", "c", "d", "a" };
    const struct nginx_directive *d = &t.root;
    for (size_t i = 0; i < COUNT(order); i++) {
        d = nginx_next(&t.root, d, false);
        assert_non_null(d);
        assert_span(d->name, order[i]);
    }
    assert_null(nginx_next(&t.root, d, false));
    assert_ptr_equal(nginx_next(&t.root, http, true), NULL);
    assert_ptr_equal(nginx_parent(include->first), http);
    assert_ptr_equal(nginx_parent(http), &t.root);
    assert_string_equal(include->last->file, "x");
    assert_int_equal(include->last->line, 2);
    /* a mistake in the second file leaves the block open there, not here */
    assert_false(nginx_conf_read(&t, include, "y", SPAN("}"), &m));
    arena_free(&a);
}

static void times(void **state)
{
    static const struct {
        const char *text;
        int64_t ms; /* -1: none */
    } cases[] = {
        { "0", 0 },           { "60", 60000 },    { "60s", 60000 },
        { "500ms", 500 },     { "1m", 60000 },    { "1h 30m", 5400000 },
        { "1h30m", 5400000 }, { "1d", 86400000 }, { "2w", 1209600000 },
        { "", -1 },           { "s", -1 },        { "5x", -1 },
        { "-1", -1 },         { "1.5s", -1 },     { "9999999999", -1 },
        { "1m30", 90000 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t ms = -1;
        bool good = nginx_time(span_from_text(cases[i].text), &ms);
        if (good != (cases[i].ms >= 0) || ms != cases[i].ms)
            fail_msg("'%s' is %ld", cases[i].text, (long)ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees),  cmocka_unit_test(mistakes),
        cmocka_unit_test(bounds), cmocka_unit_test(an_include_is_transparent),
        cmocka_unit_test(times),
    };

    return RUN(tests);
}
