/* SPDX-License-Identifier: Apache-2.0 */
/* validate.c - `evenkeel validate`: is this file right? */
#include "cli/commands.h"
#include "control/config_file.h"

#include <getopt.h>
#include <jansson.h>
#include <stdlib.h>

struct found {
    size_t instances;
    size_t objectives;
};

static void print_help(FILE *to)
{
    fprintf(to,
            "usage: evenkeel validate [-c FILE] [--json]\n\n"
            "Reads a configuration and says what is wrong with it, as file:line:column.\n\n"
            "  -c, --config FILE  the configuration (default: evenkeel.yaml in this folder)\n"
            "      --json         {\"valid\": ..., \"errors\": N, \"warnings\": N, \"text\": ...}\n"
            "  -h, --help         this text\n\n"
            "Exit codes: 0 right (perhaps with warnings), 1 wrong, 2 wrong usage.\n");
}

static int read_options(int argc, char **argv, const char **file, bool *json)
{
    static const struct option longs[] = { { "config", required_argument, NULL, 'c' },
                                           { "json", no_argument, NULL, 'j' },
                                           { "help", no_argument, NULL, 'h' },
                                           {} };
    int c;

    while ((c = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
        switch (c) {
        case 'c': *file = optarg; break;
        case 'j': *json = true; break;
        case 'h': print_help(stdout); exit(EXIT_DONE);
        default: print_help(stderr); return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "evenkeel validate: '%s' is not expected here; did you mean -c %s?\n",
                argv[optind], argv[optind]);
        return EXIT_USAGE;
    }
    return EXIT_DONE;
}

static void print_json(const struct config_report *report, bool valid)
{
    json_t *o = json_pack("{s:b, s:i, s:i, s:s%}", "valid", valid, "errors", (int)report->errors,
                          "warnings", (int)report->warnings, "text",
                          report->text.n ? report->text.p : "", report->text.n);

    json_dumpf(o, stdout, JSON_INDENT(2));
    printf("\n");
    json_decref(o);
}

static struct found look(const struct config *c)
{
    struct found f = {};

    for (size_t i = 0; i < c->service_count; i++)
        f.instances += c->services[i].instance_count;
    for (size_t i = 0; i < c->journey_count; i++)
        f.objectives += c->journeys[i].objective_count;
    return f;
}

static void print_summary(const char *file, const struct config *c)
{
    struct found f = look(c);

    printf("%s is right: %zu services with %zu instances, %zu routes, %zu journeys with %zu "
           "objectives\n",
           file, c->service_count, f.instances, c->route_count, c->journey_count - 1, f.objectives);
}

int cmd_validate(int argc, char **argv)
{
    const char *file = "evenkeel.yaml";
    bool json = false;
    struct config *config = NULL;
    struct config_report report;
    int usage = read_options(argc, argv, &file, &json);

    if (usage != EXIT_DONE)
        return usage;
    err e = config_read_file(file, &config, &report);
    if (json)
        print_json(&report, !e.failed);
    else
        config_report_print(&report, e.failed ? stderr : stdout);
    if (e.failed)
        fprintf(stderr, "evenkeel: %s\n", e.text);
    else if (!json)
        print_summary(file, config);
    config_report_free(&report);
    if (config)
        config_free(config);
    return e.failed ? EXIT_FAILED : EXIT_DONE;
}
