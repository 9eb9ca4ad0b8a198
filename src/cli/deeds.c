/* SPDX-License-Identifier: Apache-2.0 */
/* deeds.c - `evenkeel status --changes`: what was changed and reloaded, by whom and why, the newest first. */
#include "cli/asking.h"
#include "cli/cells.h"
#include "cli/commands.h"
#include "cli/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PAGE_MOST = 1000 }; /* that the program tells at once */

/* ---- asking, page by page */

static err ask_page(const char *admin, unsigned limit, json_int_t before, json_t **ret)
{
    char path[96];
    int n = snprintf(path, sizeof(path), "/api/v1/changes/history?limit=%u", limit);

    if (before)
        snprintf(path + n, sizeof(path) - (size_t)n, "&before=%lld", (long long)before);
    return answer_get(admin, path, ret);
}

/* The first answer, with the deeds of the following ones. */
static err ask_all(const struct asking *a, json_t **ret)
{
    json_t *all = NULL;
    err e = OK;

    for (unsigned left = a->changes; left > 0 && !e.failed;) {
        json_t *page = NULL;
        unsigned limit = left < PAGE_MOST ? left : PAGE_MOST;
        e = ask_page(a->admin, limit, all ? count_of(all, "before") : 0, &page);
        if (e.failed)
            break;
        left -= limit;
        if (!json_is_integer(json_object_get(page, "before")))
            left = 0;
        if (!all) {
            all = page;
            continue;
        }
        json_array_extend(json_object_get(all, "deeds"), json_object_get(page, "deeds"));
        json_object_set(all, "before", json_object_get(page, "before"));
        json_decref(page);
    }
    if (e.failed)
        json_decref(all);
    else
        *ret = all;
    return e;
}

/* ---- for people */

static void put_time(json_int_t at, struct str *out)
{
    time_t when = (time_t)at;
    struct tm tm;
    char text[32];

    if (localtime_r(&when, &tm) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm) > 0)
        str_text(out, text);
}

static const char *said(const json_t *deed, const char *key)
{
    return json_string_value(json_object_get(deed, key));
}

/* In one line, whatever stands between its parts. */
static void put_parts(const char *text, char between, const char *instead, struct str *out)
{
    for (; *text; text++) {
        if (*text == between)
            str_text(out, instead);
        else
            str_char(out, *text);
    }
}

static void put_change(const json_t *deed, struct str *out)
{
    const json_t *expires = json_object_get(deed, "expires_at");
    const char *value = said(deed, "value");

    str_print(out, "%s %s of %s", text_of(deed, "change"), text_of(deed, "instance"),
              text_of(deed, "service"));
    if (value) {
        str_literal(out, ", ");
        put_parts(value, '\t', " ", out);
    }
    if (json_is_integer(expires) && strcmp(text_of(deed, "deed"), "made") == 0) {
        str_literal(out, ", until ");
        put_time(json_integer_value(expires), out);
    }
}

static void put_reload(const json_t *deed, struct str *out)
{
    const char *error = said(deed, "error");
    const char *changed = said(deed, "changed");
    const char *restart = said(deed, "needs_restart");

    if (error) {
        put_parts(error, '\n', "; ", out);
        return;
    }
    str_print(out, "changed: %s", changed ? changed : "nothing");
    if (restart)
        str_print(out, "; takes a restart: %s", restart);
}

static void put_what(const json_t *deed, struct str *out)
{
    const char *value = said(deed, "value");
    const char *why = said(deed, "why");

    if (json_is_integer(json_object_get(deed, "id")))
        put_change(deed, out);
    else if (json_is_integer(json_object_get(deed, "serial")))
        put_reload(deed, out);
    else if (value)
        str_print(out, "evenkeel %s", value);
    if (why)
        str_print(out, " \"%s\"", why);
    if (json_is_false(json_object_get(deed, "stored")))
        str_literal(out, "; not stored");
}

/* Who nobody named is told by what let him in. */
static const char *who_of(const json_t *deed, struct str *room)
{
    const char *by = said(deed, "by");

    if (said(deed, "who") || !by)
        return text_of(deed, "who");
    str_print(room, "(%s)", by);
    return str_cstr(room);
}

static size_t wider(size_t width, const char *text, size_t most)
{
    size_t n = cell_width(text);

    return n <= width ? width : n < most ? n : most;
}

struct widths {
    size_t who;
    size_t what;
};

static struct widths widths_of(const json_t *list)
{
    enum { WHO_MOST = 24, WHAT_MOST = 16 };
    struct widths w = { .who = strlen("WHO"), .what = strlen("DEED") };
    size_t i;
    json_t *deed;

    json_array_foreach (list, i, deed) {
        struct str room = str_growing();
        w.who = wider(w.who, who_of(deed, &room), WHO_MOST);
        w.what = wider(w.what, text_of(deed, "deed"), WHAT_MOST);
        str_free(&room);
    }
    return w;
}

/* The last one is as long as it is: why something was refused is of no use without its end. */
static void print_row(const struct widths *w, const char *when, const char *who, const char *deed,
                      const char *what)
{
    struct str line = str_growing();

    cell_put(&line, when, strlen("2026-01-02 03:04:05"), false);
    str_literal(&line, "  ");
    cell_put(&line, who, w->who, false);
    str_literal(&line, "  ");
    cell_put(&line, deed, w->what, false);
    str_literal(&line, "  ");
    cell_put(&line, what, cell_width(what), false);
    printf("%s\n", str_cstr(&line));
    str_free(&line);
}

static void print_deed(const struct widths *w, const json_t *deed)
{
    struct str when = str_growing();
    struct str who = str_growing();
    struct str what = str_growing();

    put_time(count_of(deed, "at"), &when);
    put_what(deed, &what);
    print_row(w, str_cstr(&when), who_of(deed, &who), text_of(deed, "deed"), str_cstr(&what));
    str_free(&when);
    str_free(&who);
    str_free(&what);
}

static void print_text(const json_t *all)
{
    const json_t *list = json_object_get(all, "deeds");
    const struct widths w = widths_of(list);
    const char *trouble = json_string_value(json_object_get(all, "store_error"));
    size_t i;
    json_t *deed;

    print_row(&w, "WHEN", "WHO", "DEED", "WHAT \"WHY\"");
    json_array_foreach (list, i, deed)
        print_deed(&w, deed);
    if (json_is_integer(json_object_get(all, "before")))
        printf("older ones are left out; --changes=%zu shows more\n", 2 * json_array_size(list));
    if (count_of(all, "lost"))
        printf("%lld of this run are lost: the store did not take them in time\n",
               (long long)count_of(all, "lost"));
    if (trouble)
        printf("older ones cannot be told: %s\n", trouble);
}

int status_changes(const struct asking *a)
{
    json_t *all = NULL;
    err e = ask_all(a, &all);

    if (e.failed) {
        fprintf(stderr, "evenkeel: %s\n", e.text);
        return EXIT_FAILED;
    }
    if (a->json)
        print_json(all);
    else
        print_text(all);
    json_decref(all);
    return EXIT_DONE;
}
