/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - from the command line to a command. */
#include "cli/options.h"

#include <stdio.h>
#include <string.h>

static int (*const run[COMMAND_COUNT])(int argc, char **argv) = {
#define X(name, help) [COMMAND_##name] = cmd_##name,
    COMMANDS(X)
#undef X
};

static int unknown(const char *name)
{
    const char *nearest = NULL;
    size_t best = 3; /* more edits are no typing mistake */

    for (int i = 0; i < COMMAND_COUNT; i++) {
        size_t d = span_distance(span_from_text(name), span_from_text(command_rows[i].name), best);
        if (d < best) {
            best = d;
            nearest = command_rows[i].name;
        }
    }
    fprintf(stderr, "evenkeel: there is no command '%s'", name);
    if (nearest)
        fprintf(stderr, "; did you mean '%s'?\n", nearest);
    else
        fprintf(stderr, "; 'evenkeel --help' lists them\n");
    return EXIT_USAGE;
}

static int print_version(void)
{
    char name[] = "version";
    char *argv[] = { name, NULL };

    return cmd_version(1, argv);
}

static void print_help(FILE *to)
{
    struct str out = str_growing();

    help_of_all(&out);
    fwrite(out.p, 1, out.n, to);
    str_free(&out);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(stdout);
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0)
        return print_version();
    for (int i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(argv[1], command_rows[i].name) == 0)
            return run[i](argc - 1, argv + 1);
    }
    return unknown(argv[1]);
}
