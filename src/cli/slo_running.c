/* SPDX-License-Identifier: Apache-2.0 */
/* slo_running.c - `evenkeel slo JOURNEY`: one journey of the running program, from its history: how the budget of each
 * objective went, its figures over all windows, and what another threshold would have meant. */
#include "cli/answers.h"
#include "cli/cells.h"
#include "cli/commands.h"
#include "cli/curve.h"
#include "cli/funnel.h"
#include "cli/losses.h"
#include "cli/slo.h"
#include "cli/where.h"

#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    CURVE_COLUMNS_MAX = 112,
    CURVE_HEIGHT = 6,
    WIDTH_STANDARD = 80, /* when it is no terminal */
    NAME_MAX_BYTES = 64, /* of a journey or an objective; as the configuration has it */
};

/* How far back a what-if looks. */
static const struct {
    const char *word;
    long seconds;
} what_if_windows[] = { { "1h", 3600 }, { "1d", 86400 }, { "7d", 604800 }, { "28d", 2419200 } };

enum { WHAT_IFS = sizeof(what_if_windows) / sizeof(what_if_windows[0]) };

/* ---- asking */

/* RFC 3986 section 2.3: what need not be encoded. */
static void put_encoded(struct str *out, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        char low = ascii_lower(*text);
        if ((low >= 'a' && low <= 'z') || ascii_digit(*text) || strchr("-._~", c))
            str_char(out, *text);
        else
            str_print(out, "%%%02X", c);
    }
}

/* What the program says of a journey; an error of its own is a sentence. */
static err ask(const struct slo_question *q, const char *path, json_t **ret)
{
    struct str body;
    unsigned status = 0;
    err e = client_tell(q->admin, "GET", path, NULL, &status, &body);

    if (!e.failed) {
        json_t *o = json_loadb(body.p ? body.p : "", body.n, 0, NULL);
        if (status == 200 && o) {
            *ret = o;
        } else {
            const char *why = json_string_value(json_object_get(o, "error"));
            e = err_make("%s: %s", q->journey, why ? why : "the answer is not understood");
            json_decref(o);
        }
    }
    str_free(&body);
    return e;
}

static err ask_history(const struct slo_question *q, const char *objective, size_t points,
                       json_t **ret)
{
    struct str path = str_growing();

    str_literal(&path, "/api/v1/journeys/");
    put_encoded(&path, q->journey);
    str_print(&path, "/history?points=%zu&objective=", points);
    put_encoded(&path, objective);
    err e = ask(q, str_cstr(&path), ret);
    str_free(&path);
    return e;
}

static err ask_what_if(const struct slo_question *q, long window_s, json_t **ret)
{
    struct str path = str_growing();

    str_literal(&path, "/api/v1/journeys/");
    put_encoded(&path, q->journey);
    str_print(&path, "/what-if?under_s=%lld.%09lld&window_s=%ld", (long long)(q->under / NS_PER_S),
              (long long)(q->under % NS_PER_S), window_s);
    err e = ask(q, str_cstr(&path), ret);
    str_free(&path);
    return e;
}

static err ask_where(const struct slo_question *q, json_t **ret)
{
    struct str path = str_growing();

    str_literal(&path, "/api/v1/journeys/");
    put_encoded(&path, q->journey);
    str_literal(&path, "/dimensions?window=1h");
    err e = ask(q, str_cstr(&path), ret);
    str_free(&path);
    return e;
}

/* ---- one objective */

static const char *state_of(const json_t *objective, enum cell_color *ret_color)
{
    const json_t *met = json_object_get(objective, "met");

    *ret_color = !json_is_boolean(met) ? CELL_DIM : json_is_true(met) ? CELL_GREEN : CELL_RED;
    return !json_is_boolean(met) ? "no data" : json_is_true(met) ? "met" : "MISSED";
}

static void put_title(const struct slo_question *q, const json_t *objective, struct str *out)
{
    char text[CELL_TEXT_MAX];
    enum cell_color color;
    const char *word = state_of(objective, &color);
    double n = 0;

    str_print(out, "%s %s: ", q->journey, text_of(objective, "name"));
    cell_put_color(out, word, strlen(word), false, q->color ? color : CELL_PLAIN);
    number_of(objective, "target", &n);
    str_print(out, ", %g%%", n * 100);
    if (number_of(objective, "under_s", &n))
        str_print(out, n >= 10 ? " under %g s" : " under %g ms", n >= 10 ? n : n * 1000);
    if (number_of(objective, "age_under_s", &n))
        str_print(out, " younger than %g s", n);
    str_print(out, " over %s", cell_span((double)count_of(objective, "window_s"), text));
    if (number_of(objective, "budget_left", &n))
        str_print(out, "; budget left %s", cell_share(n, 1, text));
    if (number_of(objective, "days_left", &n) && n > 0)
        str_print(out, ", gone in %s days at the last day's pace", cell_number(n, text));
    str_char(out, '\n');
}

/* Nodes whose part is missing in what follows. */
static void put_missing(const json_t *answer, struct str *out)
{
    const json_t *missing = json_object_get(answer, "nodes_missing");
    size_t i;
    json_t *node;

    if (json_array_size(missing))
        str_print(out, "without %zu of %lld nodes:\n", json_array_size(missing),
                  (long long)count_of(answer, "nodes"));
    json_array_foreach (missing, i, node)
        str_print(out, "  %s: %s\n", text_of(node, "peer"), text_of(node, "why"));
}

static void put_curve(const struct slo_question *q, const json_t *history, struct str *out)
{
    const json_t *points = json_object_get(history, "points");
    struct curve c = { .count = json_array_size(points), .height = CURVE_HEIGHT, .utf8 = q->utf8 };
    double *values = calloc(c.count + 1, sizeof(double));
    char span[CELL_TEXT_MAX];
    char ago[CELL_TEXT_MAX + 8];
    size_t i;
    json_t *point;

    if (!values)
        return;
    json_array_foreach (points, i, point) {
        if (!number_of(point, "budget_left", &values[i]))
            values[i] = (double)NAN;
    }
    c.values = values;
    curve_put(&c, out);
    free(values);
    cell_span((double)(count_of(history, "to") - count_of(history, "from")), span);
    snprintf(ago, sizeof(ago), "%s ago", span);
    str_print(out, "%*s%s%*s\n", CURVE_MARGIN, "", ago,
              c.count > strlen(ago) ? (int)(c.count - strlen(ago)) : 4, "now");
}

static void put_window(const char *word, const json_t *w, struct str *out)
{
    char text[CELL_TEXT_MAX];
    double n;

    cell_put(out, word, 9, false);
    str_print(out, " %12lld %10lld ", (long long)count_of(w, "good"),
              (long long)count_of(w, "bad"));
    cell_put(out, number_of(w, "share", &n) ? cell_share(n, 3, text) : "-", 9, true);
    str_char(out, ' ');
    cell_put(out, number_of(w, "burn", &n) ? cell_number(n, text) : "-", 6, true);
    str_char(out, ' ');
    cell_put(out, number_of(w, "coverage", &n) ? cell_coverage(n, text) : "-", 8, true);
    str_char(out, '\n');
}

static void put_windows(const json_t *objective, struct str *out)
{
    size_t i;
    json_t *w;

    str_print(out, "%-9s %12s %10s %9s %6s %8s\n", "WINDOW", "GOOD", "BAD", "SHARE", "BURN",
              "MEASURED");
    json_array_foreach (json_object_get(objective, "windows"), i, w)
        put_window(text_of(w, "window"), w, out);
    put_window("objective", objective, out);
}

/* ---- what if */

static void put_share(const json_t *answer, struct str *out)
{
    char text[CELL_TEXT_MAX];
    char most[CELL_TEXT_MAX];
    char both[2 * CELL_TEXT_MAX + 4];
    double low;
    double high;

    if (!number_of(answer, "share_least", &low) || !number_of(answer, "share_most", &high)) {
        cell_put(out, "-", 19, true);
        return;
    }
    cell_share(low, 3, text);
    cell_share(high, 3, most);
    snprintf(both, sizeof(both), "%s%s%s", text, strcmp(text, most) ? " to " : "",
             strcmp(text, most) ? most : "");
    cell_put(out, both, 19, true);
}

/* "fast 95%: met, budget left 12.0%" for each objective that judges latency. */
static void put_verdicts(const json_t *objectives, const json_t *answer, struct str *out)
{
    uint64_t total = (uint64_t)count_of(answer, "answers");
    size_t i;
    json_t *o;

    json_array_foreach (objectives, i, o) {
        char text[CELL_TEXT_MAX];
        double share;
        if (!json_is_number(json_object_get(o, "under_s")) || !number_of(o, "target", &share))
            continue;
        uint64_t least = (uint64_t)count_of(answer, "least");
        uint64_t most = (uint64_t)count_of(answer, "most");
        struct slo_counts low = { least, total - least };
        struct slo_counts high = { most, total - most };
        enum slo_state sure = slo_state(slo_target(share), low);
        enum slo_state best = slo_state(slo_target(share), high);
        str_print(out, "  %s %g%%: %s", text_of(o, "name"), share * 100,
                  sure == SLO_NO_DATA ? "no data"
                  : sure == SLO_MET   ? "met"
                  : best == SLO_MET   ? "at its edge"
                                      : "MISSED");
        if (sure != SLO_NO_DATA)
            str_print(out, ", budget left %s",
                      cell_share(slo_budget_left(slo_target(share), low), 1, text));
    }
}

static void put_what_ifs(const struct slo_question *q, const json_t *objectives,
                         json_t *const answers[WHAT_IFS], struct str *out)
{
    str_print(out, "if the threshold were %g ms\n%-9s %12s %19s %8s\n",
              (double)q->under / (double)NS_PER_MS, "WINDOW", "ANSWERS", "UNDER IT", "MEASURED");
    for (size_t i = 0; i < WHAT_IFS; i++) {
        char text[CELL_TEXT_MAX];
        double n = 0;
        cell_put(out, what_if_windows[i].word, 9, false);
        str_print(out, " %12lld ", (long long)count_of(answers[i], "answers"));
        put_share(answers[i], out);
        str_char(out, ' ');
        number_of(answers[i], "coverage", &n);
        cell_put(out, cell_coverage(n, text), 8, true);
        put_verdicts(objectives, answers[i], out);
        str_char(out, '\n');
    }
}

static void put_funnel(const json_t *journey, struct str *out)
{
    size_t n = out->n;

    if (!json_is_object(json_object_get(journey, "steps")))
        return;
    if (n)
        str_char(out, '\n');
    str_literal(out, "steps: ");
    funnel_put(journey, out);
    str_char(out, '\n');
}

/* ---- all of it */

struct found {
    json_t *journey;    /* borrowed */
    json_t *objectives; /* of it; borrowed */
    json_t *histories;
    json_t *what_ifs;
    json_t *where; /* NULL: it has no dimensions */
    json_t *journeys;
};

static err find_objectives(const struct slo_question *q, struct found *f)
{
    size_t i;
    json_t *j;

    TRY(answer_get(q->admin, "/api/v1/journeys", &f->journeys));
    json_array_foreach (json_object_get(f->journeys, "journeys"), i, j) {
        if (strcmp(text_of(j, "name"), q->journey) != 0)
            continue;
        f->journey = j;
        f->objectives = json_object_get(j, "objectives");
    }
    return f->objectives
               ? OK
               : err_make("there is no journey '%s'; `evenkeel status` shows them", q->journey);
}

static err find_all(const struct slo_question *q, struct found *f)
{
    size_t i;
    json_t *o;
    bool known = !q->objective;

    TRY(find_objectives(q, f));
    json_array_foreach (f->objectives, i, o) {
        json_t *history = NULL;
        if (q->objective && strcmp(q->objective, text_of(o, "name")) != 0)
            continue;
        known = true;
        TRY(ask_history(q, text_of(o, "name"), q->points, &history));
        json_array_append_new(f->histories, history);
    }
    if (!known)
        return err_make("%s has no objective '%s'", q->journey, q->objective);
    for (i = 0; q->under > 0 && i < WHAT_IFS; i++) {
        json_t *answer = NULL;
        TRY(ask_what_if(q, what_if_windows[i].seconds, &answer));
        json_array_append_new(f->what_ifs, answer);
    }
    return strcmp(text_of(f->journey, "kind"), "request") == 0 ? ask_where(q, &f->where) : OK;
}

static void print_found(const struct slo_question *q, const struct found *f)
{
    struct str out = str_growing();
    json_t *answers[WHAT_IFS];
    size_t i;
    json_t *h;

    json_array_foreach (f->histories, i, h) {
        const json_t *objective = json_object_get(h, "objective");
        if (i > 0)
            str_char(&out, '\n');
        put_title(q, objective, &out);
        put_missing(h, &out);
        put_curve(q, h, &out);
        put_windows(objective, &out);
        losses_put(json_object_get(h, "losses"), &out);
    }
    if (i == 0)
        str_print(&out, "%s has no objectives\n", q->journey);
    put_funnel(f->journey, &out);
    size_t before = out.n;
    str_char(&out, '\n');
    where_put(f->where, &out);
    if (out.n == before + 1)
        out.n = before;
    for (i = 0; i < WHAT_IFS; i++)
        answers[i] = json_array_get(f->what_ifs, i);
    if (q->under > 0) {
        str_char(&out, '\n');
        put_what_ifs(q, f->objectives, answers, &out);
        put_missing(answers[WHAT_IFS - 1], &out);
    }
    fwrite(out.p, 1, out.n, stdout);
    str_free(&out);
}

static bool histories_met(const json_t *histories)
{
    size_t i;
    json_t *h;

    json_array_foreach (histories, i, h) {
        if (json_is_false(json_object_get(json_object_get(h, "objective"), "met")))
            return false;
    }
    return true;
}

/* As wide as the terminal. */
static size_t curve_columns(void)
{
    struct winsize size = {};

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        size.ws_col = WIDTH_STANDARD;
    size_t columns = size.ws_col > CURVE_MARGIN + 20 ? size.ws_col - CURVE_MARGIN - 1 : 20;
    return columns < CURVE_COLUMNS_MAX ? columns : CURVE_COLUMNS_MAX;
}

int slo_running(struct slo_question *q)
{
    struct found f = {};

    if (strlen(q->journey) > NAME_MAX_BYTES) {
        fprintf(stderr, "evenkeel slo: no journey has so long a name\n");
        return EXIT_USAGE;
    }
    f.histories = json_array();
    f.what_ifs = json_array();
    setlocale(LC_CTYPE, "");
    q->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    q->color = terminal_colors();
    q->points = curve_columns();
    err e = find_all(q, &f);
    int code = !e.failed && histories_met(f.histories) ? EXIT_DONE : EXIT_FAILED;
    if (e.failed) {
        fprintf(stderr, "evenkeel slo: %s\n", e.text);
    } else if (q->json) {
        json_t *all = json_pack("{s:s, s:O, s:O, s:O, s:O?}", "journey", q->journey, "histories",
                                f.histories, "what_if", f.what_ifs, "steps",
                                json_object_get(f.journey, "steps"), "dimensions", f.where);
        print_json(all);
        json_decref(all);
    } else {
        print_found(q, &f);
    }
    json_decref(f.histories);
    json_decref(f.what_ifs);
    json_decref(f.where);
    json_decref(f.journeys);
    return code;
}
