/* SPDX-License-Identifier: Apache-2.0 */
/* asking.c - see asking.h. */
#include "cli/asking.h"

#include "cli/commands.h"
#include "control/client.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

/* 0 when it is no number in the range. */
static double seconds_of(const char *text)
{
    char *end;
    double s = text ? strtod(text, &end) : ASKING_EVERY_S;

    return (text && (*end || end == text)) || !(s >= 0.1 && s <= 86400) ? 0 : s;
}

int asking_read(int argc, char **argv, struct asking *ret, void (*print_help)(FILE *to),
                const char *why_not)
{
    static const struct option longs[] = { { "admin", required_argument, NULL, 'a' },
                                           { "json", no_argument, NULL, 'j' },
                                           { "watch", optional_argument, NULL, 'w' },
                                           { "help", no_argument, NULL, 'h' },
                                           {} };
    int c;

    *ret = (struct asking){ .admin = CLIENT_DEFAULT_ADMIN };
    while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        switch (c) {
        case 'a': ret->admin = optarg; break;
        case 'j': ret->json = true; break;
        case 'w':
            ret->watch_s = seconds_of(optarg);
            if (strcmp(argv[0], "status") != 0) {
                print_help(stderr);
                return EXIT_USAGE;
            }
            if (ret->watch_s > 0)
                break;
            fprintf(stderr, "evenkeel %s: --watch=%s: from 0.1 to 86400 seconds\n", argv[0],
                    optarg);
            return EXIT_USAGE;
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
