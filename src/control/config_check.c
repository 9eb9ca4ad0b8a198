/* SPDX-License-Identifier: Apache-2.0 */
/* config_check.c - a tree against the table: keys, types, bounds. What concerns several values at once is
 * in config_build.c. Recursion is over our own table, whose depth is fixed. */
#include "control/config_tree.h"

enum { NEAR = 3 }; /* more edits than this are no typing mistake */

static void check_node(struct node *n, const struct config_option *row, struct config_report *r);

/* ---- keys */

static const struct config_option *find_inside(struct span key, const struct config_option *parent)
{
    for (size_t i = 0; i < config_option_count; i++) {
        const struct config_option *row = &config_options[i];
        if (config_is_inside(row, parent) && span_equal(config_key(row), key))
            return row;
    }
    return NULL;
}

static void unknown_key(const struct node *map, size_t item, const struct config_option *parent,
                        struct config_report *r)
{
    struct span key = map->keys[item];
    struct span nearest = { NULL, 0 };
    size_t best = NEAR + 1;
    struct str known = str_growing();
    size_t column = map->key_columns[item];

    for (size_t i = 0; i < config_option_count; i++) {
        const struct config_option *row = &config_options[i];
        if (!config_is_inside(row, parent))
            continue;
        size_t d = span_distance(key, config_key(row), NEAR);
        if (d < best) {
            best = d;
            nearest = config_key(row);
        }
        if (row->since == CONFIG_NOW)
            str_print(&known, "%s%.*s", known.n ? ", " : "", SPAN_ARG(config_key(row)));
    }
    if (nearest.n)
        report_error(r, map->key_lines[item], column, "unknown key '%.*s', did you mean '%.*s'?",
                     SPAN_ARG(key), SPAN_ARG(nearest));
    else
        report_error(r, map->key_lines[item], column, "unknown key '%.*s'; known here: %s",
                     SPAN_ARG(key), str_cstr(&known));
    str_free(&known);
}

static void not_in_this_version(const struct node *n, struct span what, const char *help,
                                struct config_report *r)
{
    report_error(r, n->line, n->column, "'%.*s' is not in this version%s%s", SPAN_ARG(what),
                 *help ? ": " : "", help);
}

static void check_missing(const struct node *map, const struct config_option *parent,
                          struct config_report *r)
{
    for (size_t i = 0; i < config_option_count; i++) {
        const struct config_option *row = &config_options[i];
        if (!config_is_inside(row, parent) || row->standard[0] != '!' || row->since == CONFIG_LATER)
            continue;
        struct span key = config_key(row);
        char name[64];
        snprintf(name, sizeof(name), "%.*s", SPAN_ARG(key));
        if (!node_get(map, name))
            report_error(r, map->line, map->column, "'%s' is missing: %s%s%s", name, row->help,
                         *config_type_example(row->type) ? " For example: " : "",
                         config_type_example(row->type));
    }
}

static void check_keys(struct node *map, const struct config_option *parent,
                       struct config_report *r)
{
    for (size_t i = 0; i < map->count; i++) {
        const struct config_option *row = find_inside(map->keys[i], parent);
        if (!row)
            unknown_key(map, i, parent, r);
        else if (row->since == CONFIG_LATER)
            not_in_this_version(map->items[i], map->keys[i], row->help, r);
        else
            check_node(map->items[i], row, r);
    }
    check_missing(map, parent, r);
}

static bool valid_name(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool first = ascii_digit(c) || (c >= 'a' && c <= 'z');
        if (!first && (i == 0 || (c != '-' && c != '_' && c != '.')))
            return false;
    }
    return s.n > 0 && s.n <= 64;
}

/* ---- kinds */

static void wrong_type(const struct node *n, const struct config_option *row,
                       struct config_report *r)
{
    const char *example = config_type_example(row->type);

    if (n->kind == NODE_SCALAR)
        report_error(r, n->line, n->column, "'%.*s' is not %s%s%s", SPAN_ARG(n->text),
                     config_type_words(row->type), *example ? "; for example " : "", example);
    else
        report_error(r, n->line, n->column, "%s belongs here, not %s%s%s",
                     config_type_words(row->type), n->kind == NODE_MAP ? "keys" : "a list",
                     *example ? "; for example " : "", example);
}

static void check_named(struct node *n, const struct config_option *row, struct config_report *r)
{
    if (n->count == 0)
        report_error(r, n->line, n->column, "'%.*s' is empty", SPAN_ARG(config_key(row)));
    for (size_t i = 0; i < n->count; i++) {
        if (!valid_name(n->keys[i]))
            report_error(r, n->key_lines[i], n->key_columns[i],
                         "'%.*s' is no good name: up to 64 of a-z 0-9 - _ . and a letter or digit "
                         "first",
                         SPAN_ARG(n->keys[i]));
        if (n->items[i]->kind != NODE_MAP)
            report_error(r, n->items[i]->line, n->items[i]->column,
                         "'%.*s' needs keys of its own, indented below it", SPAN_ARG(n->keys[i]));
        else
            check_keys(n->items[i], row, r);
    }
}

static void check_list(struct node *n, const struct config_option *row, struct config_report *r)
{
    for (size_t i = 0; i < n->count; i++) {
        if (n->items[i]->kind != NODE_MAP)
            report_error(r, n->items[i]->line, n->items[i]->column,
                         "keys belong here, such as { path: /*, service: shop }");
        else
            check_keys(n->items[i], row, r);
    }
}

/* ---- values */

static void out_of_bounds(const struct node *n, const struct config_option *row,
                          struct config_report *r)
{
    report_error(r, n->line, n->column, "%.*s = %.*s is out of bounds: from %s to %s",
                 SPAN_ARG(config_key(row)), SPAN_ARG(n->text), row->least, row->most);
}

static bool read_number(enum config_type t, struct span s, double *ret)
{
    ns_t duration;
    uint64_t number;

    switch (t) {
    case CONFIG_DURATION:
        if (!value_duration(s, &duration))
            return false;
        *ret = (double)duration;
        return true;
    case CONFIG_SIZE:
        if (!value_size(s, &number))
            return false;
        *ret = (double)number;
        return true;
    case CONFIG_COUNT:
    case CONFIG_WORKERS:
        if (!span_to_u64(s, &number))
            return false;
        *ret = (double)number;
        return true;
    case CONFIG_SHARE: return value_share(s, ret);
    default: return false;
    }
}

static void check_number(const struct node *n, const struct config_option *row,
                         struct config_report *r)
{
    double value;
    double least = 0;
    double most = 0;

    if (row->type == CONFIG_WORKERS && span_equal(n->text, SPAN("auto")))
        return;
    if (!read_number(row->type, n->text, &value)) {
        wrong_type(n, row, r);
        return;
    }
    bool bounded = read_number(row->type, span_from_text(row->least), &least) &&
                   read_number(row->type, span_from_text(row->most), &most);
    if (bounded && (value < least || value > most))
        out_of_bounds(n, row, r);
}

/* The words of a choice stand in `least`, those of later versions behind "later:". */
static void check_choice(const struct node *n, const struct config_option *row,
                         struct config_report *r)
{
    struct span words = span_from_text(row->least);
    struct span value = n->kind == NODE_SCALAR ? n->text : n->count ? n->keys[0] : SPAN("");
    struct str allowed = str_growing();

    while (words.n > 0) {
        size_t blank = span_find(words, ' ');
        struct span word = span_of(words.p, blank);
        words = span_after(words, blank + 1);
        bool later = span_starts_with(word, SPAN("later:"));
        if (later)
            word = span_after(word, 6);
        if (span_equal(word, value)) {
            if (later)
                not_in_this_version(n, value, "", r);
            str_free(&allowed);
            return;
        }
        if (!later)
            str_print(&allowed, "%s%.*s", allowed.n ? ", " : "", SPAN_ARG(word));
    }
    report_error(r, n->line, n->column, "'%.*s' is not one of: %s", SPAN_ARG(value),
                 str_cstr(&allowed));
    str_free(&allowed);
}

static void check_scalar(const struct node *n, const struct config_option *row,
                         struct config_report *r)
{
    bool flag;
    struct address address;

    switch (row->type) {
    case CONFIG_DURATION:
    case CONFIG_SHARE:
    case CONFIG_SIZE:
    case CONFIG_COUNT:
    case CONFIG_WORKERS: check_number(n, row, r); break;
    case CONFIG_BOOL:
        if (!value_bool(n->text, &flag))
            wrong_type(n, row, r);
        break;
    case CONFIG_ADDRESS:
    case CONFIG_ADDRESSES:
        if (!address_parse(n->text, &address))
            wrong_type(n, row, r);
        break;
    case CONFIG_TEXT:
        if (n->text.n == 0)
            report_error(r, n->line, n->column, "'%.*s' has no value", SPAN_ARG(config_key(row)));
        break;
    default: break; /* patterns and instances are read when they are built */
    }
}

static void check_node(struct node *n, const struct config_option *row, struct config_report *r)
{
    switch (row->type) {
    case CONFIG_MAP:
    case CONFIG_NAMED:
        if (n->kind != NODE_MAP)
            wrong_type(n, row, r);
        else if (row->type == CONFIG_MAP)
            check_keys(n, row, r);
        else
            check_named(n, row, r);
        break;
    case CONFIG_LIST:
        if (n->kind != NODE_LIST)
            wrong_type(n, row, r);
        else
            check_list(n, row, r);
        break;
    case CONFIG_INSTANCES:
    case CONFIG_PATTERNS:
    case CONFIG_STATUSES:
        if (n->kind != NODE_LIST)
            wrong_type(n, row, r);
        break;
    case CONFIG_ADDRESSES:
        for (size_t i = 0; n->kind == NODE_LIST && i < n->count; i++)
            check_node(n->items[i], row, r);
        if (n->kind == NODE_SCALAR)
            check_scalar(n, row, r);
        else if (n->kind == NODE_MAP)
            wrong_type(n, row, r);
        break;
    case CONFIG_CHOICE: check_choice(n, row, r); break;
    default:
        if (n->kind != NODE_SCALAR)
            wrong_type(n, row, r);
        else
            check_scalar(n, row, r);
    }
}

void config_check(struct node *root, struct config_report *r)
{
    check_keys(root, NULL, r);
}
