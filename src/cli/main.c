/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - from the command line to a command. */
#include "cli/commands.h"

#include "base/span.h"

#include <stdio.h>
#include <string.h>

struct command {
    const char *name;
    const char *help;
    int (*run)(int argc, char **argv);
};

static const struct command commands[] = {
#define X(name, help) { #name, help, cmd_##name },
    COMMANDS(X)
#undef X
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

static void print_help(FILE *to)
{
    fprintf(to, "evenkeel keeps your users inside their service level objectives.\n\n"
                "usage: evenkeel COMMAND [OPTIONS]\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].help);
    fprintf(to, "\n'evenkeel COMMAND --help' says more. Try: evenkeel run --to 127.0.0.1:3000\n");
}

static int unknown(const char *name)
{
    const char *nearest = NULL;
    size_t best = 3; /* more edits are no typing mistake */

    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        size_t d = span_distance(span_from_text(name), span_from_text(commands[i].name), best);
        if (d < best) {
            best = d;
            nearest = commands[i].name;
        }
    }
    fprintf(stderr, "evenkeel: there is no command '%s'", name);
    if (nearest)
        fprintf(stderr, "; did you mean '%s'?\n", nearest);
    else
        fprintf(stderr, "; 'evenkeel --help' lists them\n");
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0)
        return cmd_version(argc - 1, argv + 1);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    }
    return unknown(argv[1]);
}
