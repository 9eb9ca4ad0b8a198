/* SPDX-License-Identifier: Apache-2.0 */
/* version.c - `evenkeel version`. */
#include "cli/commands.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

int cmd_version(int argc, char **argv)
{
    bool help = argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
    bool json = argc == 2 && strcmp(argv[1], "--json") == 0;

    if (argc > 1 && !json) {
        fprintf(help ? stdout : stderr,
                "usage: evenkeel version [--json]\n\n"
                "Prints the version and the commit that it was built from.\n\n"
                "      --json  the same as JSON: version, commit\n"
                "  -h, --help  this text\n");
        return help ? EXIT_DONE : EXIT_USAGE;
    }
    if (json) {
        int number = (int)strcspn(evenkeel_version, " ");
        const char *commit = evenkeel_version + number + strspn(evenkeel_version + number, " (");
        printf("{ \"version\": \"%.*s\", \"commit\": \"%.*s\" }\n", number, evenkeel_version,
               (int)strcspn(commit, ")"), commit);
    } else {
        printf("evenkeel %s\n", evenkeel_version);
    }
    return EXIT_DONE;
}
