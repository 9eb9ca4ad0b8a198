/* SPDX-License-Identifier: Apache-2.0 */
/* asking.h - the options of a command that only asks the running evenkeel: --admin, --json, --why, --watch and --changes; and who it is. */
#ifndef EK_CLI_ASKING_H
#define EK_CLI_ASKING_H

#include <stdbool.h>

struct asking {
    const char *admin;
    const char *why; /* NULL: not said */
    bool json;
    bool check;       /* nothing is asked: a file is looked at */
    double watch_s;   /* how often; 0: once */
    unsigned changes; /* how many of the last ones; 0: they are not asked for */
};

enum { ASKING_EVERY_S = 2, ASKING_CHANGES = 20, ASKING_CHANGES_MAX = 10000 };

/* The same, for a command that takes one argument: NULL when there is none, or more. */
int asking_read_one(int argc, char **argv, struct asking *ret, const char **ret_argument);

/* EXIT_DONE, or EXIT_USAGE when something is wrong, which was said. `why_not`: behind the name of an argument that is not
 * expected; "" for nothing more. */
int asking_read(int argc, char **argv, struct asking *ret, const char *why_not);

/* Who we are, for those who look later: the user, through sudo; "" when it has no name. */
const char *asking_who(void);

#endif
