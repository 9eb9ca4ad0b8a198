/* SPDX-License-Identifier: Apache-2.0 */
/* validate.c - `evenkeel validate`: is this file right? */
#include "cli/cells.h"
#include "cli/options.h"
#include "control/boot.h"
#include "control/config_file.h"

#include <jansson.h>

struct found {
    size_t instances;
    size_t objectives;
};

struct options {
    const char *file;
    bool json;
};

static bool read_options(int argc, char **argv, struct options *o)
{
    struct option_reader r = { .argc = argc, .argv = argv };
    enum option_id id;

    while ((id = option_next(&r)) != OPTION_END) {
        if (id == OPTION_WRONG)
            return false;
        if (id == OPTION_config)
            o->file = optarg;
        if (id == OPTION_json)
            o->json = true;
    }
    if (optind < argc) {
        fprintf(stderr, "evenkeel validate: '%s' is not expected here; did you mean -c %s?\n",
                argv[optind], argv[optind]);
        return false;
    }
    return true;
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
    char text[5][CELL_TEXT_MAX];

    printf("%s is right: %s with %s, %s, %s with %s\n", file,
           cell_count(c->service_count, "service", text[0]),
           cell_count(f.instances, "instance", text[1]),
           cell_count(c->route_count, "route", text[2]),
           cell_count(c->journey_count - 1, "journey", text[3]),
           cell_count(f.objectives, "objective", text[4]));
}

static json_t *finding_json(const struct config_finding *f)
{
    return json_pack("{s:I, s:I, s:s, s:s}", "line", (json_int_t)f->line, "column",
                     (json_int_t)f->column, "severity", f->warning ? "warning" : "error", "text",
                     f->text);
}

/* `config` is NULL when the file is wrong. */
static void print_json(const char *file, const struct config_report *report, const char *sentence,
                       const struct config *config)
{
    json_t *findings = json_array();

    for (size_t i = 0; i < report->count; i++)
        json_array_append_new(findings, finding_json(&report->findings[i]));
    /* a file's name may be any bytes; JSON is UTF-8 */
    json_t *name = json_string(file);
    json_t *o = json_pack("{s:o, s:b, s:i, s:i, s:o}", "file", name ? name : json_null(), "valid",
                          config != NULL, "errors", (int)report->errors, "warnings",
                          (int)report->warnings, "findings", findings);
    if (config) {
        struct found f = look(config);
        json_object_set_new(o, "holds",
                            json_pack("{s:I, s:I, s:I, s:I, s:I}", "services",
                                      (json_int_t)config->service_count, "instances",
                                      (json_int_t)f.instances, "routes",
                                      (json_int_t)config->route_count, "journeys",
                                      (json_int_t)config->journey_count - 1, "objectives",
                                      (json_int_t)f.objectives));
    } else {
        json_t *why = json_string(sentence);
        json_object_set_new(o, "error", why ? why : json_string("the file cannot be read"));
    }
    json_dumpf(o, stdout, JSON_INDENT(2));
    printf("\n");
    json_decref(o);
}

int cmd_validate(int argc, char **argv)
{
    struct options o = { .file = "evenkeel.yaml" };
    struct config *config = NULL;
    struct config_report report;

    if (!read_options(argc, argv, &o))
        return EXIT_USAGE;
    err e = config_read_file(o.file, &config, &report);
    if (!e.failed && (e = boot_check(config)).failed) {
        config_free(config);
        config = NULL;
    }
    if (o.json) {
        print_json(o.file, &report, e.text, config);
    } else {
        config_report_print(&report, e.failed ? stderr : stdout);
        if (config)
            print_summary(o.file, config);
        else
            fprintf(stderr, "evenkeel: %s\n", e.text);
    }
    config_report_free(&report);
    if (config)
        config_free(config);
    return e.failed ? EXIT_FAILED : EXIT_DONE;
}
