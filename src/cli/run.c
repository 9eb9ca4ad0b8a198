/* SPDX-License-Identifier: Apache-2.0 */
/* run.c - `evenkeel run`: serve until told to stop. */
#include "cli/commands.h"
#include "cli/ui_assets.h"
#include "control/boot.h"
#include "control/config_file.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct run_options {
    const char *file;
    const char *to;
};

static void print_help(FILE *to)
{
    fprintf(to,
            "usage: evenkeel run [-c FILE] [--edge http]\n"
            "       evenkeel run --to HOST:PORT\n\n"
            "Serves in the foreground until SIGTERM or SIGINT, then finishes what is under way.\n\n"
            "  -c, --config FILE  the configuration (default: evenkeel.yaml in this folder)\n"
            "      --to HOST:PORT no file: forwards http://127.0.0.1:8080 to this one instance,\n"
            "                     everything else by default\n"
            "      --edge http    only this edge (the only one in this version)\n"
            "  -h, --help         this text\n\n"
            "Exit codes: 0 stopped in order, 1 could not start, 2 wrong usage.\n");
}

static int read_options(int argc, char **argv, struct run_options *o)
{
    static const struct option longs[] = { { "config", required_argument, NULL, 'c' },
                                           { "to", required_argument, NULL, 't' },
                                           { "edge", required_argument, NULL, 'e' },
                                           { "help", no_argument, NULL, 'h' },
                                           {} };
    int c;

    while ((c = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
        switch (c) {
        case 'c': o->file = optarg; break;
        case 't': o->to = optarg; break;
        case 'e':
            if (strcmp(optarg, "http") != 0) {
                fprintf(stderr, "evenkeel run: --edge %s is not in this version; only http is\n",
                        optarg);
                return EXIT_USAGE;
            }
            break;
        case 'h': print_help(stdout); exit(EXIT_DONE);
        default: print_help(stderr); return EXIT_USAGE;
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
