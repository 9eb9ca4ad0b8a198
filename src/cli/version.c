/* SPDX-License-Identifier: Apache-2.0 */
/* version.c - `evenkeel version`. */
#include "cli/commands.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

int cmd_version(int argc, char **argv)
{
    bool help = argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);

    if (argc > 1) {
        fprintf(help ? stdout : stderr,
                "usage: evenkeel version\n\n"
                "Prints the version and the commit that it was built from.\n\n"
                "  -h, --help  this text\n");
        return help ? EXIT_DONE : EXIT_USAGE;
    }
    printf("evenkeel %s\n", evenkeel_version);
    return EXIT_DONE;
}
