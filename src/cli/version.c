/* SPDX-License-Identifier: Apache-2.0 */
/* version.c - `evenkeel version`. */
#include "cli/options.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

int cmd_version(int argc, char **argv)
{
    struct option_reader r = { .argc = argc, .argv = argv };
    enum option_id id;
    bool json = false;

    while ((id = option_next(&r)) != OPTION_END) {
        if (id == OPTION_WRONG)
            return EXIT_USAGE;
        json |= id == OPTION_json;
    }
    if (optind < argc) {
        fprintf(stderr, "evenkeel version: '%s' is not expected here\n", argv[optind]);
        return EXIT_USAGE;
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
