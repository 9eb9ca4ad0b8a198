/* SPDX-License-Identifier: Apache-2.0 */
/* asking.c - see asking.h. */
#include "cli/asking.h"

#include "cli/options.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* 0 when it is no number in the range. */
static double seconds_of(const char *text)
{
    char *end;
    double s = text ? strtod(text, &end) : ASKING_EVERY_S;

    return (text && (*end || end == text)) || !(s >= 0.1 && s <= 86400) ? 0 : s;
}

/* 0 when it is no number in the range. */
static unsigned changes_of(const char *text)
{
    char *end;
    unsigned long n = text ? strtoul(text, &end, 10) : ASKING_CHANGES;

    return (text && (*end || *text < '0' || *text > '9')) || n > ASKING_CHANGES_MAX ? 0
                                                                                    : (unsigned)n;
}

const char *asking_who(void)
{
    const char *sudo = getenv("SUDO_USER");
    const struct passwd *p = getpwuid(getuid());

    return sudo && *sudo ? sudo : p ? p->pw_name : "";
}

static int read_options(int argc, char **argv, struct asking *ret)
{
    struct option_reader r = { .argc = argc, .argv = argv };
    enum option_id id;

    *ret = (struct asking){ .admin = CLIENT_DEFAULT_ADMIN };
    while ((id = option_next(&r)) != OPTION_END) {
        if (id == OPTION_WRONG)
            return EXIT_USAGE;
        if (id == OPTION_admin)
            ret->admin = optarg;
        if (id == OPTION_why)
            ret->why = optarg;
        if (id == OPTION_json)
            ret->json = true;
        if (id == OPTION_check)
            ret->check = true;
        if (id == OPTION_watch && (ret->watch_s = seconds_of(optarg)) <= 0) {
            fprintf(stderr, "evenkeel %s: --watch=%s: from 0.1 to 86400 seconds\n", argv[0],
                    optarg);
            return EXIT_USAGE;
        }
        if (id == OPTION_changes && (ret->changes = changes_of(optarg)) == 0) {
            fprintf(stderr, "evenkeel %s: --changes=%s: from 1 to %d of the last ones\n", argv[0],
                    optarg, ASKING_CHANGES_MAX);
            return EXIT_USAGE;
        }
    }
    return EXIT_DONE;
}

int asking_read_one(int argc, char **argv, struct asking *ret, const char **ret_argument)
{
    int usage = read_options(argc, argv, ret);

    if (usage == EXIT_DONE)
        *ret_argument = optind + 1 == argc ? argv[optind] : NULL;
    return usage;
}

int asking_read(int argc, char **argv, struct asking *ret, const char *why_not)
{
    int usage = read_options(argc, argv, ret);

    if (usage == EXIT_DONE && optind < argc) {
        fprintf(stderr, "evenkeel %s: '%s' is not expected here%s\n", argv[0], argv[optind],
                why_not);
        return EXIT_USAGE;
    }
    return usage;
}
