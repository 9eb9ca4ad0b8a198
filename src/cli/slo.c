/* SPDX-License-Identifier: Apache-2.0 */
/* slo.c - `evenkeel slo`: the options, and --from LOG: counts journeys from an access log, with no byte through us. A line is
 * given to the first journey that matches it and judged as the running edge would judge it. */
#include "cli/cells.h"
#include "cli/slo.h"

#include "cli/log_judge.h"
#include "cli/options.h"
#include "base/check.h"
#include "control/config_tree.h"

#include <stdlib.h>
#include <unistd.h>

enum { FILES_MAX = 256 };

struct slo_options {
    const char *config;
    const char *format;
    const char *files[FILES_MAX];
    size_t file_count;
    ns_t since;              /* 0: all */
    struct slo_question ask; /* of the running program, when there are no files */
    bool json;
};

static bool add_file(struct slo_options *o, const char *file)
{
    if (o->file_count == FILES_MAX) {
        fprintf(stderr, "evenkeel slo: at most %d logs\n", FILES_MAX);
        return false;
    }
    o->files[o->file_count++] = file;
    return true;
}

static bool read_since(struct slo_options *o, const char *text)
{
    if (value_duration(span_from_text(text), &o->since) && o->since > 0)
        return true;
    fprintf(stderr, "evenkeel slo: --since %s: a duration was expected, such as 24h or 7d\n", text);
    return false;
}

static bool read_under(struct slo_options *o, const char *text)
{
    if (value_duration(span_from_text(text), &o->ask.under) && o->ask.under >= HISTOGRAM_LEAST &&
        o->ask.under <= HISTOGRAM_MOST)
        return true;
    fprintf(stderr,
            "evenkeel slo: --under %s: a time of at most 1000s was expected, such as 250ms\n",
            text);
    return false;
}

static int read_options(int argc, char **argv, struct slo_options *o)
{
    struct option_reader r = { .argc = argc, .argv = argv };
    bool good = true;
    enum option_id id;

    while (good && (id = option_next(&r)) != OPTION_END) {
        switch ((int)id) {
        case OPTION_from: good = add_file(o, optarg); break;
        case OPTION_config: o->config = optarg; break;
        case OPTION_log_format: o->format = optarg; break;
        case OPTION_since: good = read_since(o, optarg); break;
        case OPTION_objective: o->ask.objective = optarg; break;
        case OPTION_under: good = read_under(o, optarg); break;
        case OPTION_admin: o->ask.admin = optarg; break;
        case OPTION_json: o->json = true; break;
        default: return EXIT_USAGE;
        }
    }
    while (good && optind < argc && o->file_count > 0) /* --from *.log, as the shell has it */
        good = add_file(o, argv[optind++]);
    if (good && o->file_count == 0 && optind + 1 == argc) {
        o->ask.journey = argv[optind];
        return EXIT_DONE;
    }
    if (good && o->file_count == 0)
        fprintf(stderr,
                "evenkeel slo: which journey? `evenkeel status` shows them; logs are named with "
                "--from; `evenkeel slo --help` says more\n");
    return good && o->file_count > 0 ? EXIT_DONE : EXIT_USAGE;
}

/* ---- counting */

static void tally_init(struct tally *t, const struct journey *j)
{
    const struct verdict_objectives *o = &t->rules.objectives;

    t->rules = config_rules(j);
    t->untimed_objectives.count = o->count;
    for (unsigned i = 0; i < o->count; i++)
        t->untimed_objectives.missed_by[i] =
            o->missed_by[i] == MISSED_BY_FAILURES ? MISSED_BY_FAILURES : MISSED_BY_NONE;
}

/* As find_journey() of the edge; the last is `unclaimed`. */
static size_t find_journey(const struct config *c, const struct log_line *l)
{
    for (size_t i = 0; i + 1 < c->journey_count; i++) {
        const struct journey *j = &c->journeys[i];
        for (size_t k = 0; k < j->route_count; k++) {
            if (pattern_match(&j->routes[k], l->method, l->host, l->path))
                return i;
        }
    }
    return c->journey_count - 1;
}

static void count_unclaimed(struct slo_count *c, const struct log_line *l, struct verdict v)
{
    path_groups_add(c->unclaimed, &(struct path_event){ .method = l->method,
                                                        .path = l->path,
                                                        .status = l->status,
                                                        .outcome = v.outcome,
                                                        .took = -1 });
}

/* As account.c of the edge. */
static void count_line(void *user, const struct log_line *l)
{
    struct slo_count *c = user;
    size_t number = find_journey(c->config, l);
    struct tally *t = &c->tallies[number];
    struct verdict v = log_judge(&t->rules, l);

    verdict_add(l->has_took ? &t->rules.objectives : &t->untimed_objectives, v, t->series);
    if (verdict_timed(v) && l->has_took) {
        t->series[SERIES_LATENCY_SUM_US] += (uint64_t)(l->took / NS_PER_US);
        t->bins[histogram_bin(l->took)]++;
    } else if (verdict_timed(v)) {
        t->untimed++;
    }
    if (number + 1 == c->config->journey_count)
        count_unclaimed(c, l, v);
}

static err count_files(const struct slo_options *o, struct slo_count *c)
{
    static struct log_formats usual; /* 100 KiB: not for the stack */
    static struct log_formats said;
    struct log_scan s = {
        .command = "slo",
        .formats = &usual,
        .since_ms = o->since ? (clock_wall() - o->since) / NS_PER_MS : INT64_MIN,
        .take = count_line,
        .user = c,
        .progress = isatty(STDERR_FILENO),
    };

    log_formats_init(&usual);
    if (o->format) {
        TRY(log_formats_said(o->format, &usual, &said));
        s.formats = &said;
    }
    for (size_t i = 0; i < o->file_count; i++)
        TRY(log_scan_file(&s, o->files[i], NULL));
    log_scan_tell(&s);
    c->seen = s.seen;
    if (s.seen.requests == 0 && s.seen.unreadable > 0)
        return err_make("no line could be read; say the format with --log-format");
    return OK;
}

/* A route with a host takes nothing from lines that name none: that must not look like a perfect day. */
static void warn_of_hosts(const struct slo_count *c)
{
    for (size_t i = 0; c->seen.hostless > 0 && i < c->config->journey_count; i++) {
        const struct journey *j = &c->config->journeys[i];
        for (size_t k = 0; k < j->route_count; k++) {
            if (j->routes[k].host.n == 0)
                continue;
            fprintf(
                stderr,
                "evenkeel slo: %llu lines do not name their host, so '%.*s' of journey %.*s takes "
                "none of them\n",
                (unsigned long long)c->seen.hostless, SPAN_ARG(j->routes[k].text),
                SPAN_ARG(j->name));
            return;
        }
    }
}

static bool all_met(const struct slo_count *c)
{
    for (size_t i = 0; i < c->config->journey_count; i++) {
        const struct journey *j = &c->config->journeys[i];
        for (size_t k = 0; k < j->objective_count; k++) {
            if (slo_state(slo_target(j->objectives[k].target),
                          slo_count_objective(&c->tallies[i], k)) == SLO_MISSED)
                return false;
        }
    }
    return true;
}

static err read_config(const char *file, struct config **ret_config)
{
    struct config_report report;
    err e = config_read_file(file, ret_config, &report);

    if (e.failed)
        config_report_print(&report, stderr);
    config_report_free(&report);
    return e;
}

static err count(const struct slo_options *o, struct config *config, int *ret_code)
{
    struct slo_count c = {
        .config = config,
        .tallies = calloc(config->journey_count, sizeof(struct tally)),
        .unclaimed = calloc(1, sizeof(struct path_groups)),
        .files = o->files,
        .file_count = o->file_count,
    };

    check(c.tallies && c.unclaimed);
    path_groups_init(c.unclaimed);
    for (size_t i = 0; i < config->journey_count; i++)
        tally_init(&c.tallies[i], &config->journeys[i]);
    err e = count_files(o, &c);
    if (!e.failed) {
        warn_of_hosts(&c);
        if (o->json)
            slo_print_json(&c);
        else
            slo_print_text(&c, terminal_colors());
        *ret_code = all_met(&c) ? EXIT_DONE : EXIT_FAILED;
    }
    free(c.tallies);
    free(c.unclaimed);
    return e;
}

int cmd_slo(int argc, char **argv)
{
    struct slo_options o = { .config = "evenkeel.yaml", .ask.admin = CLIENT_DEFAULT_ADMIN };
    struct config *config = NULL;
    int code = EXIT_FAILED;
    int usage = read_options(argc, argv, &o);

    if (usage != EXIT_DONE)
        return usage;
    if (o.ask.journey) {
        o.ask.json = o.json;
        return slo_running(&o.ask);
    }
    err e = read_config(o.config, &config);
    if (!e.failed)
        e = count(&o, config, &code);
    if (config)
        config_free(config);
    if (e.failed)
        fprintf(stderr, "evenkeel slo: %s\n", e.text);
    return code;
}
