/* SPDX-License-Identifier: Apache-2.0 */
/* status.h - what `evenkeel status` knows, between its files: status.c asks and shows it once, watch.c again and again,
 * watch_table.c as rows of one line; and what was done before, deeds.c. */
#ifndef EK_CLI_STATUS_H
#define EK_CLI_STATUS_H

#include "cli/answers.h"

/* The answers of /api/v1/journeys, services, changes and peers. */
struct status {
    json_t *journeys;
    json_t *services;
    json_t *changes;
    json_t *peers;
};

err status_get(const char *admin, struct status *ret);
void status_forget(struct status *s);

/* Every objective that has data is met. */
bool status_all_met(const struct status *s);

/* All of it as one object: what /api/v1/journeys says, with services, changes and peers. json_decref() it. */
json_t *status_json(const struct status *s);

/* Its journeys, the one with the least budget first; free() the list. The journeys stay with the status. */
json_t **status_worst_first(const struct status *s, size_t *ret_count);

struct watch_options {
    const char *admin;
    double every_s;
    bool json;
    bool color; /* only when it goes to a terminal */
};

/* Shows it until 'q' or a signal ends that; the exit code. watch.c */
int watch(const struct watch_options *o);

struct asking;

/* What was changed and reloaded, a->changes of it; the exit code. deeds.c */
int status_changes(const struct asking *a);

/* ---- watch_table.c */

struct watch_view {
    size_t columns; /* of the terminal */
    size_t rows;    /* lines that may be written */
    bool color;
};

/* A table of one row per objective, and lines about the services; at most view->rows lines, each ending with a newline. */
void watch_table(const struct status *s, const struct watch_view *v, struct str *out);

/* The same as lines to append to a file: a line per objective, each whole and beginning with `time`. With a head: the
 * columns' names first. */
void watch_lines(const struct status *s, const char *time, bool head, struct str *out);

#endif
