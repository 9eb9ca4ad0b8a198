/* SPDX-License-Identifier: Apache-2.0 */
/* run.c - `evenkeel run`: serve until told to stop. */
#include "cli/options.h"
#include "cli/ui_assets.h"
#include "control/boot.h"
#include "control/config_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct run_options {
    const char *file;
    const char *to;
};

static int read_options(int argc, char **argv, struct run_options *o)
{
    struct option_reader r = { .argc = argc, .argv = argv };
    enum option_id id;

    while ((id = option_next(&r)) != OPTION_END) {
        if (id == OPTION_WRONG)
            return EXIT_USAGE;
        if (id == OPTION_config)
            o->file = optarg;
        if (id == OPTION_target)
            o->to = optarg;
        if (id == OPTION_edge && strcmp(optarg, "http") != 0) {
            fprintf(stderr, "evenkeel run: --edge %s is not in this version; only http is\n",
                    optarg);
            return EXIT_USAGE;
        }
    }
    if (optind < argc || (o->file && o->to)) {
        fprintf(stderr,
                optind < argc ? "evenkeel run: '%s' is not expected here\n"
                              : "evenkeel run: either -c FILE or --to HOST:PORT, not both\n",
                argv[optind]);
        return EXIT_USAGE;
    }
    return EXIT_DONE;
}

static err read_config(const struct run_options *o, struct config **ret_config)
{
    struct config_report report;
    err e = o->to ? config_for_target(o->to, ret_config, &report)
                  : config_read_file(o->file ? o->file : "evenkeel.yaml", ret_config, &report);

    config_report_print(&report, stderr);
    config_report_free(&report);
    return e;
}

int cmd_run(int argc, char **argv)
{
    struct run_options o = {};
    struct config *config;
    int usage = read_options(argc, argv, &o);

    if (usage != EXIT_DONE)
        return usage;
    err e = read_config(&o, &config);
    if (!e.failed)
        e = boot_run(&(struct boot_options){
            .config = config, .version = evenkeel_version, .assets = &ui_assets });
    if (e.failed) {
        fprintf(stderr, "evenkeel: %s\n", e.text);
        return EXIT_FAILED;
    }
    return EXIT_DONE;
}
