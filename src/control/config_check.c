/* SPDX-License-Identifier: Apache-2.0 */
/* config_check.c - a tree against the table: keys, types, bounds. What concerns several values at once is
 * in config_build.c. Recursion is over our own table, whose depth is fixed. */
#include "control/config_tree.h"

#include "io/network.h"

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

bool is_near(struct span a, struct span b, size_t *ret_distance)
{
    size_t longer = a.n > b.n ? a.n : b.n;
    size_t limit =
        longer / 2 < 3 ? longer / 2 : 3; /* of more than half or three it is another word */

    *ret_distance = span_distance(a, b, limit);
    return *ret_distance <= limit;
}

static const struct config_option *find_nearest(struct span key, const struct config_option *parent)
{
    const struct config_option *nearest = NULL;
    size_t best = SIZE_MAX;
    size_t d;

    for (size_t i = 0; i < config_option_count; i++) {
        const struct config_option *row = &config_options[i];
        if (config_is_inside(row, parent) && is_near(key, config_key(row), &d) && d < best) {
            best = d;
            nearest = row;
        }
    }
    return nearest;
}

/* "connections, head, fields": what may stand inside a map in this version. */
static const char *known_keys(const struct config_option *parent, struct str *text)
{
    for (size_t i = 0; i < config_option_count; i++) {
        const struct config_option *row = &config_options[i];
        if (config_is_inside(row, parent) && row->since == CONFIG_NOW)
            str_print(text, "%s%.*s", text->n ? ", " : "", SPAN_ARG(config_key(row)));
    }
    return str_cstr(text);
}

/* A key of this version that stands at the wrong place: the first right one of the table. */
static const struct config_option *find_elsewhere(struct span key)
{
    for (size_t i = 0; i < config_option_count; i++) {
        const struct config_option *row = &config_options[i];
        if (row->since == CONFIG_NOW && span_equal(config_key(row), key))
            return row;
    }
    return NULL;
}

static void unknown_key(const struct node *key, const struct config_option *parent,
                        struct config_report *r)
{
    const struct config_option *nearest = find_nearest(key->text, parent);
    const struct config_option *elsewhere = find_elsewhere(key->text);
    struct str known = str_growing();

    if (elsewhere)
        report_error(r, key, "unknown key '%s' here; it belongs to %.*s", shown(key->text).text,
                     SPAN_ARG(elsewhere->path));
    else if (nearest)
        report_error(r, key, "unknown key '%s', did you mean '%.*s'?", shown(key->text).text,
                     SPAN_ARG(config_key(nearest)));
    else
        report_error(r, key, "unknown key '%s'; known here: %s", shown(key->text).text,
                     known_keys(parent, &known));
    str_free(&known);
}

static void check_missing(const struct node *map, const struct config_option *parent,
                          struct config_report *r)
{
    for (size_t i = 0; i < config_option_count; i++) {
        const struct config_option *row = &config_options[i];
        struct span key = config_key(row);
        const char *example = config_type_example(row->type);
        if (row->standard[0] == '!' && row->since == CONFIG_NOW && config_is_inside(row, parent) &&
            !node_has(map, key))
            report_error(r, map, "'%.*s' is missing: %s%s%s", SPAN_ARG(key), row->help,
                         *example ? " For example: " : "", example);
    }
}

static void check_keys(struct node *map, const struct config_option *parent,
                       struct config_report *r)
{
    for (size_t i = 0; i < map->count; i++) {
        const struct node *key = map->keys[i];
        const struct config_option *row = find_inside(key->text, parent);
        if (!row)
            unknown_key(key, parent, r);
        else if (row->since == CONFIG_LATER)
            report_error(r, key, "'%.*s' is not in this version: %s", SPAN_ARG(row->path),
                         row->help);
        else
            check_node(map->items[i], row, r);
    }
    check_missing(map, parent, r);
}

/* ---- kinds */

static void wrong_kind(struct node *n, const struct config_option *row, struct config_report *r)
{
    const char *example = config_type_example(row->type);
    struct str known = str_growing();
    struct span key = config_key(row);

    if (row->type == CONFIG_MAP)
        report_bad(r, n, "'%.*s' takes keys of its own: %s", SPAN_ARG(key),
                   known_keys(row, &known));
    else if (row->type == CONFIG_NAMED)
        report_bad(r, n, "'%.*s' takes names that you choose, each with keys: %s", SPAN_ARG(key),
                   known_keys(row, &known));
    else
        report_bad(r, n, "'%.*s' takes %s, not %s%s%s", SPAN_ARG(key), config_type_words(row->type),
                   n->kind == NODE_MAP    ? "keys"
                   : n->kind == NODE_LIST ? "a list"
                                          : "a single value",
                   *example ? "; for example " : "", example);
    str_free(&known);
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

static void check_named(struct node *n, const struct config_option *row, struct config_report *r)
{
    struct str known = str_growing();

    if (n->count == 0 && row->standard[0] == '!')
        report_bad(r, n, "'%.*s' is empty", SPAN_ARG(config_key(row)));
    for (size_t i = 0; i < n->count; i++) {
        struct node *item = n->items[i];
        if (!valid_name(n->keys[i]->text))
            report_error(r, n->keys[i],
                         "'%s' is no good name: up to 64 of a-z 0-9 - _ . and a letter or digit "
                         "first",
                         shown(n->keys[i]->text).text);
        if (item->bad)
            continue;
        if (item->kind == NODE_MAP)
            check_keys(item, row, r);
        else
            report_bad(r, item, "'%s' takes keys of its own: %s", shown(n->keys[i]->text).text,
                       known.n ? str_cstr(&known) : known_keys(row, &known));
    }
    str_free(&known);
}

static void check_list(struct node *n, const struct config_option *row, struct config_report *r)
{
    for (size_t i = 0; i < n->count; i++) {
        struct node *item = n->items[i];
        if (item->bad)
            continue;
        if (item->kind == NODE_MAP)
            check_keys(item, row, r);
        else
            report_bad(r, item, "keys belong here, such as { path: /*, service: shop }");
    }
}

/* ---- values */

static bool is_nothing(const struct node *n)
{
    return n->kind == NODE_SCALAR &&
           (n->text.n == 0 || (n->plain && (span_equal(n->text, SPAN("~")) ||
                                            span_equal_nocase(n->text, SPAN("null")))));
}

static void wrong_value(struct node *n, const struct config_option *row, struct config_report *r)
{
    char text[64];
    const char *meant = value_meant(row->type, n->text, text);
    const char *example = config_type_example(row->type);

    if (meant)
        report_bad(r, n, "'%s' is not %s; did you mean %s?", shown(n->text).text,
                   config_type_words(row->type), meant);
    else
        report_bad(r, n, "'%s' is not %s; for example %s", shown(n->text).text,
                   config_type_words(row->type), example);
}

static bool read_number(enum config_type t, struct span s, double *ret)
{
    ns_t duration = 0;
    uint64_t number = 0;
    bool good = false;

    switch (t) {
    case CONFIG_SHARE: return value_share(s, ret);
    case CONFIG_DURATION:
        good = value_duration(s, &duration);
        *ret = (double)duration;
        break;
    case CONFIG_SIZE:
        good = value_size(s, &number);
        *ret = (double)number;
        break;
    default:
        good = span_to_u64(s, &number);
        *ret = (double)number;
        break;
    }
    return good;
}

static void check_number(struct node *n, const struct config_option *row, struct config_report *r)
{
    double value;
    double least;
    double most;

    if (row->type == CONFIG_WORKERS && span_equal(n->text, SPAN("auto")))
        return;
    if (!read_number(row->type, n->text, &value)) {
        wrong_value(n, row, r);
        return;
    }
    bool bounded = read_number(row->type, span_from_text(row->least), &least) &&
                   read_number(row->type, span_from_text(row->most), &most);
    if (bounded && (value < least || value > most))
        report_bad(r, n, "%.*s = %s is out of bounds: from %s to %s", SPAN_ARG(config_key(row)),
                   shown(n->text).text, row->least, row->most);
}

/* The next word of a choice; later: whether it is one of a later version. */
static bool next_word(struct span *words, struct span *ret_word, bool *ret_later)
{
    size_t blank = span_find(*words, ' ');

    if (words->n == 0)
        return false;
    *ret_word = span_of(words->p, blank);
    *words = span_after(*words, blank + 1);
    *ret_later = span_starts_with(*ret_word, SPAN("later:"));
    if (*ret_later)
        *ret_word = span_after(*ret_word, 6);
    return true;
}

/* One of a later version may be written with keys, as { hash: cookie:uid }. */
static void check_choice(struct node *n, const struct config_option *row, struct config_report *r)
{
    struct span words = span_from_text(row->least);
    struct span value = n->kind == NODE_SCALAR                 ? n->text
                        : n->kind == NODE_MAP && n->count == 1 ? n->keys[0]->text
                                                               : SPAN("");
    struct span word;
    struct span nearest = { NULL, 0 };
    struct str allowed = str_growing();
    bool later;
    size_t best = SIZE_MAX;
    size_t d;

    while (next_word(&words, &word, &later)) {
        if (span_equal(word, value) && later)
            report_bad(r, n, "%.*s: '%.*s' is not in this version", SPAN_ARG(config_key(row)),
                       SPAN_ARG(value));
        if (span_equal(word, value) && (later || n->kind == NODE_SCALAR))
            goto done;
        if (!later && is_near(word, value, &d) && d < best) {
            best = d;
            nearest = word;
        }
        if (!later)
            str_print(&allowed, "%s%.*s", allowed.n ? ", " : "", SPAN_ARG(word));
    }
    if (n->kind != NODE_SCALAR)
        report_bad(r, n, "'%.*s' takes one of: %s", SPAN_ARG(config_key(row)), str_cstr(&allowed));
    else if (nearest.n)
        report_bad(r, n, "'%s' is not one of: %s; did you mean %.*s?", shown(value).text,
                   str_cstr(&allowed), SPAN_ARG(nearest));
    else
        report_bad(r, n, "'%s' is not one of: %s", shown(value).text, str_cstr(&allowed));
done:
    str_free(&allowed);
}

/* A host as the Host field of a request has it, without a port. */
static bool valid_host(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = ascii_lower(s.p[i]);
        if (!ascii_digit(c) && (c < 'a' || c > 'z') && c != '-' && c != '_' &&
            (c != '.' || i == 0 || i + 1 == s.n))
            return false;
    }
    return s.n > 0 && s.n <= 253;
}

static void check_scalar(struct node *n, const struct config_option *row, struct config_report *r)
{
    bool flag;
    struct address address;
    struct network network;

    switch (row->type) {
    case CONFIG_DURATION:
    case CONFIG_SHARE:
    case CONFIG_SIZE:
    case CONFIG_COUNT:
    case CONFIG_WORKERS: check_number(n, row, r); break;
    case CONFIG_BOOL:
        if (!value_bool(n->text, &flag))
            wrong_value(n, row, r);
        break;
    case CONFIG_ADDRESS:
    case CONFIG_ENDPOINT:
    case CONFIG_ADDRESSES:
        if (!address_parse(n->text, &address))
            wrong_value(n, row, r);
        break;
    case CONFIG_NETWORKS:
        if (!network_parse(n->text, &network))
            report_bad(r, n,
                       "'%s' is not a network: an address, or one with the bits that count behind "
                       "a slash and zeroes in the others; for example %s",
                       shown(n->text).text, config_type_example(row->type));
        break;
    case CONFIG_WORDS: check_choice(n, row, r); break;
    case CONFIG_HOSTS:
        if (!valid_host(n->text))
            report_bad(r, n, "'%s' is no host name, without a port; for example evenkeel.internal",
                       shown(n->text).text);
        break;
    default: break; /* patterns and instances are read when they are built */
    }
}

/* A value that may be a scalar or have keys, alone or as an element of a list. */
static void check_element(struct node *n, const struct config_option *row, struct config_report *r)
{
    if (n->bad)
        return;
    if (is_nothing(n))
        report_bad(r, n, "an element of '%.*s' has no value", SPAN_ARG(config_key(row)));
    else if (n->kind == NODE_MAP && row->type != CONFIG_NETWORKS && row->type != CONFIG_WORDS &&
             row->type != CONFIG_HOSTS)
        check_keys(n, row, r);
    else if (n->kind == NODE_SCALAR)
        check_scalar(n, row, r);
    else if (n->kind == NODE_MAP)
        report_bad(r, n, "'%.*s' takes %s, without keys", SPAN_ARG(config_key(row)),
                   config_type_words(row->type));
    else
        report_bad(r, n, "a list inside of '%.*s'", SPAN_ARG(config_key(row)));
}

static void check_elements(struct node *n, const struct config_option *row, struct config_report *r)
{
    if (n->kind == NODE_LIST) {
        for (size_t i = 0; i < n->count; i++)
            check_element(n->items[i], row, r);
    } else if (row->type == CONFIG_ADDRESSES) {
        check_element(n, row, r);
    } else {
        wrong_kind(n, row, r);
    }
}

static void check_node(struct node *n, const struct config_option *row, struct config_report *r)
{
    enum node_kind kind = NODE_SCALAR;

    if (n->bad)
        return;
    if (is_nothing(n)) {
        const char *example = config_type_example(row->type);
        report_bad(r, n, "'%.*s' has no value%s%s", SPAN_ARG(config_key(row)),
                   *example ? "; for example " : "", example);
        return;
    }
    switch (row->type) {
    case CONFIG_CHOICE: check_choice(n, row, r); return;
    case CONFIG_BALANCE:
        if (n->kind == NODE_MAP)
            check_keys(n, row, r);
        else
            check_choice(n, row, r);
        return;
    case CONFIG_ENDPOINT:
        if (n->kind == NODE_LIST)
            wrong_kind(n, row, r);
        else
            check_element(n, row, r);
        return;
    case CONFIG_ADDRESSES:
    case CONFIG_NETWORKS:
    case CONFIG_WORDS:
    case CONFIG_HOSTS:
    case CONFIG_PEERS:
    case CONFIG_INSTANCES: check_elements(n, row, r); return;
    case CONFIG_MAP:
    case CONFIG_NAMED: kind = NODE_MAP; break;
    case CONFIG_LIST:
    case CONFIG_PATTERNS:
    case CONFIG_STATUSES: kind = NODE_LIST; break;
    default: break;
    }
    if (n->kind != kind)
        wrong_kind(n, row, r);
    else if (row->type == CONFIG_MAP)
        check_keys(n, row, r);
    else if (row->type == CONFIG_NAMED)
        check_named(n, row, r);
    else if (row->type == CONFIG_LIST)
        check_list(n, row, r);
    else if (kind == NODE_SCALAR)
        check_scalar(n, row, r);
}

void config_check(struct node *root, struct config_report *r)
{
    check_keys(root, NULL, r);
}
