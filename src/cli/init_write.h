/* SPDX-License-Identifier: Apache-2.0 */
/* init_write.h - the configuration that `evenkeel init` writes, as text. */
#ifndef EK_CLI_INIT_WRITE_H
#define EK_CLI_INIT_WRITE_H

#include "cli/adopted.h"
#include "cli/log_scan.h"
#include "core/suggest.h"

/* What the logs showed. */
struct observed {
    const char *const *logs;
    const char **formats; /* the name of each one's format */
    size_t log_count;     /* 0: nothing was observed */
    struct log_evidence seen;
    struct path_groups *groups;
    const struct path_group *list;
    size_t list_count;
    struct suggested_journey *journeys;
    size_t journey_count;
};

/* Fails when it is more than a configuration holds. Anything else that is found wrong in this text is a bug of
 * ours and stops the program. */
err init_write(const struct adopted *a, const struct observed *o, struct str *out);

/* What was found and is written, as one object on standard output. `output`: the file; NULL: none was written. init_json.c */
void init_print_json(const struct adopted *a, const struct observed *o, const char *text,
                     const char *output);

/* Whether the configuration language of this version takes a service with these keys. */
bool init_takes(const char *service_keys);

#endif
