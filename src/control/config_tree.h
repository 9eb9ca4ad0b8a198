/* SPDX-License-Identifier: Apache-2.0 */
/* config_tree.h - a YAML file as a tree with positions, and reading values from it.
 * Private to the config_*.c files. Everything lives in one arena.
 * Always: whoever finds a value wrong reports it and marks it, and from then on it reads as if it were
 * not there. So one pass after the other can look at the whole file and no error is told twice. */
#ifndef EK_CONTROL_CONFIG_TREE_H
#define EK_CONTROL_CONFIG_TREE_H

#include "base/arena.h"
#include "base/clock.h"
#include "control/config_file.h"
#include "control/config_table.h"

enum node_kind { NODE_SCALAR, NODE_MAP, NODE_LIST };

struct node {
    enum node_kind kind;
    bool bad;    /* reported as wrong */
    bool plain;  /* a scalar without quotes */
    size_t line; /* from 1 */
    size_t column;
    struct span text;    /* scalar; terminated */
    struct node **keys;  /* map: the name of each item */
    struct node **items; /* map and list */
    size_t count;
};

/* ---- config_report.c */

void report_init(struct config_report *r, const char *file);

/* Sorts what was found, keeps the first, makes the text. */
void report_finish(struct config_report *r);

void report_error(struct config_report *r, const struct node *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void report_warning(struct config_report *r, const struct node *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* An error about the node's own value: the node is marked. */
#define report_bad(r, n, ...) ((n)->bad = true, report_error(r, n, __VA_ARGS__))

/* A text of the file for a message: of bounded length, cut between characters. */
struct shown {
    char text[72];
};
struct shown shown(struct span s);

/* ---- config_text.c */

/* The first byte that cannot stand in a configuration: what is wrong with it, or NULL. */
const char *text_find_wrong(struct span text, size_t *ret_line, size_t *ret_column);

/* Control characters would reach logs and terminals with every message. */
bool text_has_control(struct span s);

/* What stands in a request line or a field must not have any. */
bool text_has_blank(struct span s);

/* ---- config_parse.c: NULL when it is not YAML, or not a map; the report says why. */

struct node *config_parse(struct arena *a, struct span text, struct config_report *r);

/* The item of a map, or NULL when it is not there, was found wrong, or `map` is no map (or NULL). */
struct node *node_get(const struct node *map, const char *key);

/* Whether the map has the key, with a right value or a wrong one. */
bool node_has(const struct node *map, struct span key);

/* ---- config_check.c: every key is known, every value has its type and lies within its bounds. */

void config_check(struct node *root, struct config_report *r);

/* "did you mean": whether d edits between a and b are a typing mistake. */
bool is_near(struct span a, struct span b, size_t *ret_distance);

/* ---- config_value.c. False when the text is none. */

bool value_duration(struct span s, ns_t *ret);
bool value_share(struct span s, double *ret);
bool value_size(struct span s, uint64_t *ret);
bool value_bool(struct span s, bool *ret);
bool value_statuses(struct span s, struct status_set *set); /* "500-599" or "429": added */

/* How a wrong value was probably meant ("32KiB" for "32kb"), or NULL. */
const char *value_meant(enum config_type type, struct span s, char ret_text[64]);

#endif
