/* SPDX-License-Identifier: Apache-2.0 */
/* asking.c - see asking.h. */
#include "cli/asking.h"

#include "cli/commands.h"
#include "control/client.h"

#include <getopt.h>
#include <stdlib.h>

int asking_read(int argc, char **argv, struct asking *ret, void (*print_help)(FILE *to),
                const char *why_not)
{
    static const struct option longs[] = { { "admin", required_argument, NULL, 'a' },
                                           { "json", no_argument, NULL, 'j' },
                                           { "help", no_argument, NULL, 'h' },
                                           {} };
    int c;

    *ret = (struct asking){ .admin = CLIENT_DEFAULT_ADMIN };
    while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        switch (c) {
        case 'a': ret->admin = optarg; break;
        case 'j': ret->json = true; break;
        case 'h': print_help(stdout); exit(EXIT_DONE);
        default: print_help(stderr); return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "evenkeel %s: '%s' is not expected here%s\n", argv[0], argv[optind],
                why_not);
        return EXIT_USAGE;
    }
    return EXIT_DONE;
}
