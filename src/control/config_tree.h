/* SPDX-License-Identifier: Apache-2.0 */
/* config_tree.h - a YAML file as a tree with positions, and reading values from it.
 * Private to the config_*.c files. Everything lives in one arena. */
#ifndef EK_CONTROL_CONFIG_TREE_H
#define EK_CONTROL_CONFIG_TREE_H

#include "base/arena.h"
#include "base/clock.h"
#include "control/config_file.h"
#include "control/config_table.h"

enum node_kind { NODE_SCALAR, NODE_MAP, NODE_LIST };

struct node {
    enum node_kind kind;
    size_t line; /* from 1 */
    size_t column;
    struct span text;    /* scalar */
    struct span *keys;   /* map: name of each item */
    struct node **items; /* map and list */
    size_t *key_lines;   /* where each key stands */
    size_t *key_columns;
    size_t count;
};

/* Notes an error or a warning at a place in the file. */
void report_error(struct config_report *r, size_t line, size_t column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void report_warning(struct config_report *r, size_t line, size_t column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* config_parse.c: NULL when it is not YAML, or not a map; the report says why. */
struct node *config_parse(struct arena *a, struct span text, struct config_report *r);

/* config_check.c: every key is known, every value has its type and lies within its bounds. */
void config_check(struct node *root, struct config_report *r);

/* The item of a map, or NULL (also when `map` is NULL). */
struct node *node_get(const struct node *map, const char *key);

/* ---- values, config_value.c. False when the text is none. */

bool value_duration(struct span s, ns_t *ret);
bool value_share(struct span s, double *ret);
bool value_size(struct span s, uint64_t *ret);
bool value_bool(struct span s, bool *ret);
bool value_statuses(struct span s, struct status_set *set); /* "500-599" or "429": added */

#endif
