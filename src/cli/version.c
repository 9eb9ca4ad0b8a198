/* SPDX-License-Identifier: Apache-2.0 */
/* version.c - `evenkeel version`. */
#include "cli/commands.h"

#include <stdio.h>

int cmd_version(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        printf("usage: evenkeel version\n\nPrints the version and the commit that it was built "
               "from.\n");
        return EXIT_DONE;
    }
    printf("evenkeel %s\n", evenkeel_version);
    return EXIT_DONE;
}
