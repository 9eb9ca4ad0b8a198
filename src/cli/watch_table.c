/* SPDX-License-Identifier: Apache-2.0 */
/* watch_table.c - journeys and objectives as a table of one line each, as wide as the terminal allows. */
#include "cli/cells.h"
#include "cli/status.h"

#include <stdlib.h>
#include <string.h>

struct row {
    const json_t *journey;
    const json_t *objective; /* NULL: the journey has none */
    bool first;              /* of its journey */
};

typedef enum cell_color teller(const struct row *r, char ret_text[CELL_TEXT_MAX]);

/* ---- what stands in a cell; nothing written: "-" */

static enum cell_color tell_rate(const struct row *r, char text[CELL_TEXT_MAX])
{
    double n;

    if (!r->first)
        text[0] = '\0'; /* it is the journey's, and stands above */
    else if (number_of(r->journey, "rate_per_s", &n))
        cell_number(n, text);
    return CELL_PLAIN;
}

static enum cell_color tell_good(const struct row *r, char text[CELL_TEXT_MAX])
{
    double n;

    if (number_of(r->objective, "share", &n))
        cell_share(n, 3, text);
    return CELL_PLAIN;
}

static enum cell_color tell_budget(const struct row *r, char text[CELL_TEXT_MAX])
{
    double n;

    if (!number_of(r->objective, "budget_left", &n))
        return CELL_PLAIN;
    cell_share(n, n > -10 ? 1 : 0, text);
    return n < 0 ? CELL_RED : n < 0.2 ? CELL_YELLOW : CELL_PLAIN;
}

static enum cell_color tell_burn(const struct row *r, char text[CELL_TEXT_MAX])
{
    size_t i;
    json_t *window;
    double n;

    json_array_foreach (json_object_get(r->objective, "windows"), i, window) {
        if (strcmp(text_of(window, "window"), "1h") != 0 || !number_of(window, "burn", &n))
            continue;
        cell_number(n, text);
        return n > 1 ? CELL_YELLOW : CELL_PLAIN;
    }
    return CELL_PLAIN;
}

static enum cell_color tell_days(const struct row *r, char text[CELL_TEXT_MAX])
{
    double n;

    if (!number_of(r->objective, "days_left", &n))
        return CELL_PLAIN;
    if (n > 0)
        cell_number(n, text);
    else
        snprintf(text, CELL_TEXT_MAX, "gone");
    return n < 3 ? CELL_YELLOW : CELL_PLAIN;
}

static enum cell_color tell_coverage(const struct row *r, char text[CELL_TEXT_MAX])
{
    double n;

    if (number_of(r->objective, "coverage", &n))
        cell_coverage(n, text);
    return CELL_PLAIN;
}

static enum cell_color tell_state(const struct row *r, char text[CELL_TEXT_MAX])
{
    const json_t *met = json_object_get(r->objective, "met");

    if (r->objective)
        snprintf(text, CELL_TEXT_MAX, "%s",
                 json_is_null(met)   ? "no data"
                 : json_is_true(met) ? "met"
                                     : "MISSED");
    return !r->objective || json_is_null(met) ? CELL_DIM
           : json_is_true(met)                ? CELL_GREEN
                                              : CELL_RED;
}

static enum cell_color tell_target(const struct row *r, char text[CELL_TEXT_MAX])
{
    double target;
    double under;

    if (!number_of(r->objective, "target", &target))
        return CELL_PLAIN;
    int n = snprintf(text, CELL_TEXT_MAX, "%g%%", target * 100);
    if (number_of(r->objective, "under_s", &under))
        snprintf(text + n, (size_t)(CELL_TEXT_MAX - n), " < %g ms", under * 1000);
    else if (number_of(r->objective, "age_under_s", &under))
        snprintf(text + n, (size_t)(CELL_TEXT_MAX - n), " age < %g s", under);
    return CELL_PLAIN;
}

static enum cell_color tell_window(const struct row *r, char text[CELL_TEXT_MAX])
{
    double n;

    if (number_of(r->objective, "window_s", &n))
        cell_span(n, text);
    return CELL_PLAIN;
}

static enum cell_color tell_p95(const struct row *r, char text[CELL_TEXT_MAX])
{
    double n;

    if (!r->first)
        text[0] = '\0';
    else if (number_of(json_object_get(r->journey, "latency_s"), "p95", &n))
        cell_number(n * 1000, text);
    return CELL_PLAIN;
}

/* `from`: how wide the terminal must be; what matters least goes first, so that 25 columns hold the state. Names take what is
 * left. */
static const struct column {
    const char *title;
    size_t width;
    size_t from;
    bool right;
    teller *tell;
} columns[] = {
    { "TARGET", 15, 104, false, tell_target }, { "WINDOW", 7, 124, true, tell_window },
    { "RATE/S", 6, 49, true, tell_rate },      { "P95 ms", 7, 112, true, tell_p95 },
    { "GOOD", 8, 42, true, tell_good },        { "BUDGET", 7, 33, true, tell_budget },
    { "BURN1H", 6, 56, true, tell_burn },      { "DAYS", 5, 62, true, tell_days },
    { "COVER", 5, 69, true, tell_coverage },   { "STATE", 7, 0, false, tell_state },
};

enum {
    COLUMNS = sizeof(columns) / sizeof(columns[0]),
    NAME_MIN = 8,
    NAME_MAX = 32, /* wider is empty space between a name and its figures */
    LINES_COLUMNS = 140,
};

struct widths {
    size_t terminal;
    size_t journey;
    size_t objective;
};

static size_t longest_name(const json_t *list)
{
    size_t longest = NAME_MIN;
    size_t i;
    json_t *o;

    json_array_foreach (list, i, o) {
        size_t n = cell_width(text_of(o, "name"));
        longest = n > longest ? n : longest;
    }
    return longest < NAME_MAX ? longest : NAME_MAX;
}

static struct widths find_widths(const struct status *s, size_t terminal)
{
    json_t *journeys = json_object_get(s->journeys, "journeys");
    struct widths w = { .terminal = terminal,
                        .journey = longest_name(journeys),
                        .objective = sizeof("OBJECTIVE") - 1 };
    size_t used = 1; /* between the names */
    size_t i;
    json_t *j;

    json_array_foreach (journeys, i, j) {
        size_t n = longest_name(json_object_get(j, "objectives"));
        w.objective = n > w.objective ? n : w.objective;
    }
    for (i = 0; i < COLUMNS; i++)
        used += terminal >= columns[i].from ? columns[i].width + 1 : 0;
    size_t room = terminal > used + 2 * (size_t)NAME_MIN ? terminal - used : 2 * (size_t)NAME_MIN;
    while (w.journey + w.objective > room) {
        if (w.journey > w.objective)
            w.journey--;
        else
            w.objective--;
    }
    return w;
}

/* Without the spaces that fill the last column. */
static void end_line(struct str *out)
{
    while (out->n > 0 && out->p[out->n - 1] == ' ')
        out->n--;
    str_char(out, '\n');
}

static void put_titles(const struct widths *w, bool color, struct str *out)
{
    enum cell_color dim = color ? CELL_DIM : CELL_PLAIN;

    cell_put_color(out, "JOURNEY", w->journey, false, dim);
    str_char(out, ' ');
    cell_put_color(out, "OBJECTIVE", w->objective, false, dim);
    for (size_t i = 0; i < COLUMNS; i++) {
        if (w->terminal < columns[i].from)
            continue;
        str_char(out, ' ');
        cell_put_color(out, columns[i].title, columns[i].width, columns[i].right, dim);
    }
    end_line(out);
}

static void put_row(const struct row *r, const char *name, const struct widths *w, bool color,
                    struct str *out)
{
    cell_put(out, name, w->journey, false);
    str_char(out, ' ');
    cell_put(out, r->objective ? text_of(r->objective, "name") : "-", w->objective, false);
    for (size_t i = 0; i < COLUMNS; i++) {
        char text[CELL_TEXT_MAX] = "-";
        if (w->terminal < columns[i].from)
            continue;
        enum cell_color c = columns[i].tell(r, text);
        str_char(out, ' ');
        cell_put_color(out, text, columns[i].width, columns[i].right, color ? c : CELL_PLAIN);
    }
    end_line(out);
}

struct rows {
    struct row *list;
    size_t count;
};

/* Worst journey first, its objectives together. */
static struct rows find_rows(const struct status *s)
{
    size_t journeys;
    size_t room = 0;
    json_t **sorted = status_worst_first(s, &journeys);

    for (size_t i = 0; i < journeys; i++)
        room += json_array_size(json_object_get(sorted[i], "objectives")) + 1;
    struct rows rows = { .list = calloc(room + 1, sizeof(rows.list[0])) };
    for (size_t i = 0; rows.list && i < journeys; i++) {
        const json_t *objectives = json_object_get(sorted[i], "objectives");
        size_t n = json_array_size(objectives);
        for (size_t o = 0; o < n || o == 0; o++)
            rows.list[rows.count++] = (struct row){ .journey = sorted[i],
                                                    .objective = json_array_get(objectives, o),
                                                    .first = o == 0 };
    }
    free(sorted);
    return rows;
}

/* ---- below the table */

static void put_line(const struct watch_view *v, const char *text, enum cell_color color,
                     struct str *out)
{
    size_t n = cell_width(text);

    cell_put_color(out, text, n < v->columns ? n : v->columns, false,
                   v->color ? color : CELL_PLAIN);
    str_char(out, '\n');
}

/* "shop 3 of 3 up, 12 in flight; ..." */
static void put_services(const struct status *s, const struct watch_view *v, struct str *out)
{
    struct str line = str_growing();
    bool bad = false;
    size_t i;
    json_t *service;

    json_array_foreach (json_object_get(s->services, "services"), i, service) {
        size_t k;
        size_t up = 0;
        json_int_t in_flight = 0;
        json_t *in;
        json_array_foreach (json_object_get(service, "instances"), k, in) {
            const char *state = text_of(in, "state");
            up += strcmp(state, "up") == 0 || strcmp(state, "observed") == 0;
            in_flight += count_of(in, "in_flight");
        }
        bad |= up < k;
        str_print(&line, "%s%s %zu of %zu up, %lld in flight", i ? "; " : "",
                  text_of(service, "name"), up, k, (long long)in_flight);
    }
    put_line(v, str_cstr(&line), bad ? CELL_YELLOW : CELL_PLAIN, out);
    str_free(&line);
}

static void put_below(const struct status *s, const struct watch_view *v, struct str *out)
{
    const char *trouble = json_string_value(json_object_get(s->journeys, "store_trouble"));
    size_t drift = json_array_size(json_object_get(s->changes, "changes"));
    char text[256];

    str_char(out, '\n');
    put_services(s, v, out);
    if (drift) {
        snprintf(text, sizeof(text), "%zu changes at run time; `evenkeel status` shows them",
                 drift);
        put_line(v, text, CELL_YELLOW, out);
    }
    if (trouble) {
        snprintf(text, sizeof(text), "the store does not take samples: %s", trouble);
        put_line(v, text, CELL_RED, out);
    }
}

void watch_table(const struct status *s, const struct watch_view *v, struct str *out)
{
    struct widths w = find_widths(s, v->columns);
    struct rows rows = find_rows(s);
    struct str below = str_growing();
    size_t taken = 1; /* the titles */
    char text[128];

    put_below(s, v, &below);
    for (size_t i = 0; i < below.n; i++)
        taken += below.p[i] == '\n';
    size_t room = v->rows > taken + 1 ? v->rows - taken : 2;
    size_t shown = rows.count <= room ? rows.count : room - 1;
    put_titles(&w, v->color, out);
    for (size_t i = 0; i < shown; i++) {
        const struct row *r = &rows.list[i];
        put_row(r, r->first ? text_of(r->journey, "name") : "", &w, v->color, out);
    }
    if (shown < rows.count) {
        snprintf(text, sizeof(text), "... and %zu more, better off, in a higher window",
                 rows.count - shown);
        put_line(v, text, CELL_DIM, out);
    }
    str_put(out, str_span(&below));
    str_free(&below);
    free(rows.list);
}

void watch_lines(const struct status *s, const char *time, bool head, struct str *out)
{
    struct widths w = find_widths(s, LINES_COLUMNS);
    struct rows rows = find_rows(s);

    if (head) {
        cell_put(out, "TIME", strlen(time), false);
        str_char(out, ' ');
        put_titles(&w, false, out);
    }
    for (size_t i = 0; i < rows.count; i++) {
        struct row *r = &rows.list[i];
        r->first = true; /* a line that is found alone says all */
        str_print(out, "%s ", time);
        put_row(r, text_of(r->journey, "name"), &w, false, out);
    }
    free(rows.list);
}
