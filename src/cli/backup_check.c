/* SPDX-License-Identifier: Apache-2.0 */
/* backup_check.c - see backup_check.h. What is wrong goes to standard error, what is in it to standard output. */
#include "cli/backup_check.h"

#include "cli/answers.h"
#include "cli/commands.h"
#include "store/inspect.h"

#include <time.h>

/* ---- for programs */

static json_t *time_or_null(int64_t at)
{
    return at ? json_integer(at) : json_null();
}

static json_t *text_or_null(struct span s)
{
    json_t *text = s.n ? json_stringn(s.p, s.n) : NULL;

    return text ? text : json_null(); /* a damaged one may hold anything */
}

static json_t *findings_json(const struct inspection *i)
{
    json_t *list = json_array();

    for (unsigned f = 0; f < i->finding_count; f++) {
        json_t *text = json_string(i->findings[f]);
        json_array_append_new(list, text ? text : json_string("something that is not UTF-8"));
    }
    return list;
}

static json_t *journeys_json(const struct inspection *i)
{
    json_t *list = json_array();

    for (size_t k = 0; k < i->journey_count; k++) {
        const struct inspected_journey *j = &i->journeys[k];
        json_array_append_new(list,
                              json_pack("{s:o, s:I, s:{s:I, s:I, s:I, s:I}, s:o, s:o}", "name",
                                        text_or_null(j->name), "versions", (json_int_t)j->versions,
                                        "counts", "good", (json_int_t)j->counts[SERIES_GOOD],
                                        "slow", (json_int_t)j->counts[SERIES_SLOW], "failed",
                                        (json_int_t)j->counts[SERIES_FAILED], "excluded",
                                        (json_int_t)j->counts[SERIES_EXCLUDED], "from",
                                        time_or_null(j->from), "to", time_or_null(j->to)));
    }
    return list;
}

static json_t *rows_json(const struct inspection *i)
{
    json_t *o = json_object();

    for (size_t t = 0; t < i->table_count; t++)
        json_object_set_new(o, i->tables[t].name.p, json_integer(i->tables[t].rows));
    return o;
}

static json_t *losses_json(const struct inspection *i)
{
    json_t *list = json_array();

    for (size_t k = 0; k < i->loss_count; k++) {
        const struct loss *l = &i->losses[k];
        json_array_append_new(
            list, json_pack("{s:f, s:o, s:f}", "from", (double)l->stored_ms / 1000, "lived_until",
                            l->lived_ms ? json_real((double)l->lived_ms / 1000) : json_null(),
                            "back", (double)l->back_ms / 1000));
    }
    return list;
}

static void show_json(const char *file, const struct inspection *i)
{
    json_t *name = json_string(file);
    json_t *o = json_pack(
        "{s:o, s:s, s:o, s:b, s:I, s:b, s:o, s:I, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o}",
        "file", name ? name : json_null(), "state", inspection_word(i->state), "findings",
        findings_json(i), "more_findings", i->more, "bytes", (json_int_t)i->bytes, "log",
        i->has_log, "tables", i->schema ? json_integer(i->schema) : json_null(), "tables_known",
        (json_int_t)inspection_newest(), "node", text_or_null(i->node), "created",
        time_or_null(i->created), "starts", (json_int_t)i->starts, "program",
        text_or_null(i->program), "from", time_or_null(i->from), "to", time_or_null(i->to),
        "journeys", journeys_json(i), "rows", rows_json(i), "losses", losses_json(i));

    print_json(o);
    json_decref(o);
}

/* ---- for people */

static const char *time_text(int64_t at, char ret[32])
{
    time_t t = (time_t)at;
    struct tm tm;

    if (!at || !gmtime_r(&t, &tm) || strftime(ret, 32, "%Y-%m-%d %H:%M:%SZ", &tm) == 0)
        snprintf(ret, 32, "-");
    return ret;
}

static void show_journeys(const struct inspection *i)
{
    char from[32], to[32];

    printf("\n%-18s %8s %10s %8s %8s %9s  %-20s  %s\n", "JOURNEY", "VERSIONS", "GOOD", "SLOW",
           "FAILED", "EXCLUDED", "FROM", "TO");
    for (size_t k = 0; k < i->journey_count; k++) {
        const struct inspected_journey *j = &i->journeys[k];
        printf("%-18.*s %8u %10llu %8llu %8llu %9llu  %-20s  %s\n", SPAN_ARG(j->name), j->versions,
               (unsigned long long)j->counts[SERIES_GOOD],
               (unsigned long long)j->counts[SERIES_SLOW],
               (unsigned long long)j->counts[SERIES_FAILED],
               (unsigned long long)j->counts[SERIES_EXCLUDED], time_text(j->from, from),
               time_text(j->to, to));
    }
}

static void show_content(const struct inspection *i)
{
    char from[32], to[32];

    printf("node %.*s, begun %s; %u start%s, the last of evenkeel %.*s\n", SPAN_ARG(i->node),
           time_text(i->created, from), i->starts, i->starts == 1 ? "" : "s", SPAN_ARG(i->program));
    printf("tables of version %u%s; %lld bytes%s; counts from %s to %s\n", i->schema,
           i->schema < inspection_newest() ? ", which a start brings up to date" : "",
           (long long)i->bytes, i->has_log ? " and a log" : "", time_text(i->from, from),
           time_text(i->to, to));
    if (i->loss_count)
        printf("%zu of the starts ended without a farewell\n", i->loss_count);
    if (i->journey_count)
        show_journeys(i);
    printf("\nrows:");
    for (size_t t = 0; t < i->table_count; t++)
        printf("%s %lld %.*s", t ? "," : "", (long long)i->tables[t].rows,
               SPAN_ARG(i->tables[t].name));
    printf("\n");
}

static void show_text(const char *file, const struct inspection *i)
{
    if (i->state == INSPECTION_WHOLE)
        printf("%s: %s\n", file, inspection_meaning(i->state));
    else
        fprintf(stderr, "evenkeel: %s: %s\n", file, inspection_meaning(i->state));
    for (unsigned f = 0; f < i->finding_count; f++)
        fprintf(stderr, "  %s\n", i->findings[f]);
    if (i->more)
        fprintf(stderr, "  ... and more\n");
    if (i->node.n)
        show_content(i);
}

int backup_check(const char *file, bool json)
{
    struct inspection i;

    store_inspect(file, &i);
    if (json)
        show_json(file, &i);
    else
        show_text(file, &i);
    int code = i.state == INSPECTION_WHOLE ? EXIT_DONE : EXIT_FAILED;
    inspection_free(&i);
    return code;
}
