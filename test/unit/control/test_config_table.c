/* SPDX-License-Identifier: Apache-2.0 */
/* test_config_table.c - the table itself, and that every row of it does what it says: its default is a
 * right value, a wrong kind of value is refused, a later key is never ignored. */
#include "unit.h"

#include "control/config_tree.h"

#include <stdlib.h>

static const struct config_option *parent_of(const struct config_option *row)
{
    for (size_t i = 0; i < config_option_count; i++) {
        if (config_is_inside(row, &config_options[i]))
            return &config_options[i];
    }
    return NULL;
}

static void every_row_has_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_option_count; i++) {
        const struct config_option *row = &config_options[i];
        const struct config_option *parent = parent_of(row);
        if (!parent && !config_is_inside(row, NULL))
            fail_msg("%s is inside of nothing", row->path.p);
        if (parent && parent >= row)
            fail_msg("%s comes before its map", row->path.p);
        if (parent && parent->since == CONFIG_LATER && row->since == CONFIG_NOW)
            fail_msg("%s is in this version, what it is in is not", row->path.p);
        if (config_find(row->path) != row)
            fail_msg("%s has two rows", row->path.p);
        if (*row->help == '\0' || row->help[strlen(row->help) - 1] != '.')
            if (strcmp(row->help + strlen(row->help) - 3, "...") != 0)
                fail_msg("%s: the help is no sentence", row->path.p);
    }
}

/* The keys that a file must have, so that only the row under test can be wrong. */
static const char *needed(struct span path)
{
    return span_starts_with(path, SPAN("listen")) ? "services: { n: { instances: [a:1] } }\n"
           : span_starts_with(path, SPAN("services"))
               ? "listen: { http: 127.0.0.1:8080 }\n"
               : "listen: { http: 127.0.0.1:8080 }\nservices: { n: { instances: [a:1] } }\n";
}

/* A file in which `path` has this value: "a.*.b[].c" is { a: { n: { b: [{ c: value }] } } }. */
static void write_file(struct str *out, struct span path, const char *value)
{
    struct str close = str_growing();
    struct span rest = path;

    out->n = 0;
    str_text(out, needed(path));
    for (bool first = true; rest.n > 0; first = false) {
        size_t dot = span_find(rest, '.');
        struct span word = span_of(rest.p, dot);
        bool list = word.n > 2 && word.p[word.n - 1] == ']';
        rest = span_after(rest, dot + 1);
        if (!first) {
            str_text(out, "{ ");
            struct str old = close;
            close = str_growing();
            str_print(&close, " }%s", str_cstr(&old));
            str_free(&old);
        }
        str_print(out, "%.*s: %s", (int)(list ? word.n - 2 : word.n),
                  span_equal(word, SPAN("*")) ? "n" : word.p, list ? "[" : "");
        if (list) {
            struct str old = close;
            close = str_growing();
            str_print(&close, "]%s", str_cstr(&old));
            str_free(&old);
        }
    }
    str_print(out, "%s%s\n", value, str_cstr(&close));
    str_free(&close);
}

/* Reads; the report's text is the caller's to free with the report. */
static bool is_right(const struct str *file, struct config_report *r)
{
    struct config *c = NULL;
    err e = config_read_text("f", str_span(file), "", &c, r);

    if (c)
        config_free(c);
    return !e.failed;
}

/* An error that stands in line `line` or later and is not about what else is missing. */
static bool tells(const struct config_report *r, const char *words)
{
    for (size_t i = 0; i < r->count; i++) {
        if (strstr(r->findings[i].text, words))
            return true;
    }
    return false;
}

static void later_keys_are_refused(void **state)
{
    struct str file = str_growing();

    (void)state;
    for (size_t i = 0; i < config_option_count; i++) {
        const struct config_option *row = &config_options[i];
        const struct config_option *parent = parent_of(row);
        struct config_report r;
        char words[128];
        if (row->since == CONFIG_NOW)
            continue;
        /* the outermost later key is the one that is told */
        while (parent && parent->since == CONFIG_LATER && parent_of(parent) &&
               parent_of(parent)->since == CONFIG_LATER)
            parent = parent_of(parent);
        bool outer = !parent || parent->since == CONFIG_NOW;
        snprintf(words, sizeof(words), "'%s' is not in this version",
                 outer ? row->path.p : parent->path.p);
        write_file(&file, row->path, "1");
        assert_false(is_right(&file, &r));
        if (!tells(&r, words))
            fail_msg("%s\ngave %s\nnot %s", str_cstr(&file), str_cstr(&r.text), words);
        config_report_free(&r);
    }
    str_free(&file);
}

/* Every row with its own default in a file, whatever else that file lacks: no error is about its value. */
static void defaults_are_right_values(void **state)
{
    struct str file = str_growing();

    (void)state;
    for (size_t i = 0; i < config_option_count; i++) {
        const struct config_option *row = &config_options[i];
        struct config_report r;
        char quoted[64];
        if (row->since == CONFIG_LATER || !row->standard[0] || row->standard[0] == '!')
            continue;
        snprintf(quoted, sizeof(quoted), row->standard[0] == '[' ? "%s" : "\"%s\"", row->standard);
        write_file(&file, row->path, quoted);
        is_right(&file, &r);
        for (size_t k = 0; k < r.count; k++) {
            if (!strstr(r.findings[k].text, "is missing") &&
                !strstr(r.findings[k].text, "; this is a journey of "))
                fail_msg("%s\ngave %s", str_cstr(&file), str_cstr(&r.text));
        }
        config_report_free(&r);
    }
    str_free(&file);
}

/* Each kind of value at each key: at least one of them is wrong, and none stops the program. */
static void wrong_kinds_are_refused(void **state)
{
    static const char *const values[] = { "",    "~",     "\"\"",      "[]",        "{}",
                                          "[1]", "[[1]]", "{ a: 1 }",  "{ 1: [] }", "[~]",
                                          "-1",  "text",  "[{ a: ~ }]" };
    struct str file = str_growing();

    (void)state;
    for (size_t i = 0; i < config_option_count; i++) {
        const struct config_option *row = &config_options[i];
        if (row->since == CONFIG_LATER)
            continue;
        for (size_t v = 0; v < COUNT(values); v++) {
            struct config_report r;
            write_file(&file, row->path, values[v]);
            bool right = is_right(&file, &r);
            bool empty = v < 3;
            if (right && empty)
                fail_msg("no value was accepted: %s", str_cstr(&file));
            if (empty && row->type != CONFIG_LIST && !tells(&r, "has no value"))
                fail_msg("%s\ngave %s", str_cstr(&file), str_cstr(&r.text));
            assert_int_equal(right, r.errors == 0);
            config_report_free(&r);
        }
    }
    str_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_has_its_place),
        cmocka_unit_test(later_keys_are_refused),
        cmocka_unit_test(defaults_are_right_values),
        cmocka_unit_test(wrong_kinds_are_refused),
    };
    return RUN(tests);
}
