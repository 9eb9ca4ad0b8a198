/* SPDX-License-Identifier: Apache-2.0 */
/* schema.c - `evenkeel schema`: the configuration language. */
#include "cli/commands.h"
#include "control/config_file.h"

#include <string.h>

static void print_help(FILE *to)
{
    fprintf(to, "usage: evenkeel schema [--markdown]\n\n"
                "Prints the configuration language as a JSON schema (draft 2020-12), with which\n"
                "editors complete and check the YAML file.\n\n"
                "      --markdown  as docs/configuration.md\n"
                "  -h, --help      this text\n");
}

int cmd_schema(int argc, char **argv)
{
    if (argc == 1) {
        config_write_schema(stdout);
        return EXIT_DONE;
    }
    if (argc == 2 && strcmp(argv[1], "--markdown") == 0) {
        config_write_markdown(stdout);
        return EXIT_DONE;
    }
    bool help = strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0;
    print_help(help ? stdout : stderr);
    return help ? EXIT_DONE : EXIT_USAGE;
}
