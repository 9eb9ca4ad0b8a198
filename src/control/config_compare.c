/* SPDX-License-Identifier: Apache-2.0 */
/* config_compare.c - two texts of one configuration, key by key: what is different, and which of it takes a
 * restart. Recursion is over our own table, whose depth is fixed. */
#include "control/config_tree.h"

#include <string.h>

struct comparison {
    void (*tell)(void *whom, const char *path, bool restart);
    void *whom;
};

static bool same(const struct node *a, const struct node *b)
{
    if (!a || !b)
        return a == b;
    if (a->kind != b->kind || a->count != b->count)
        return false;
    if (a->kind == NODE_SCALAR)
        return span_equal(a->text, b->text);
    for (size_t i = 0; i < a->count; i++) {
        if (a->kind == NODE_MAP && !span_equal(a->keys[i]->text, b->keys[i]->text))
            return false;
        if (!same(a->items[i], b->items[i]))
            return false;
    }
    return true;
}

static const struct node *item(const struct node *map, struct span key)
{
    for (size_t i = 0; map && map->kind == NODE_MAP && i < map->count; i++) {
        if (span_equal(map->keys[i]->text, key))
            return map->items[i];
    }
    return NULL;
}

static void compare(const struct comparison *c, const char *path, const struct config_option *row,
                    const struct node *a, const struct node *b);

/* Names that people chose: in either of them. */
static void compare_named(const struct comparison *c, const char *path,
                          const struct config_option *row, const struct node *a,
                          const struct node *b)
{
    char longer[512];

    for (int side = 0; side < 2; side++) {
        const struct node *map = side ? b : a;
        for (size_t i = 0; map && i < map->count; i++) {
            struct span key = map->keys[i]->text;
            if (side && item(a, key))
                continue;
            snprintf(longer, sizeof(longer), "%s.%.*s", path, SPAN_ARG(key));
            const struct node *one = item(a, key);
            const struct node *other = item(b, key);
            if (!one || !other) {
                c->tell(c->whom, longer, false); /* came or went as a whole */
                continue;
            }
            for (size_t k = 0; k < config_option_count; k++) {
                if (config_is_inside(&config_options[k], row))
                    compare(c, longer, &config_options[k], one, other);
            }
        }
    }
}

/* The value of `row` within the maps a and b. */
static void compare(const struct comparison *c, const char *path, const struct config_option *row,
                    const struct node *a, const struct node *b)
{
    struct span key = config_key(row);
    const struct node *one = item(a, key);
    const struct node *other = item(b, key);
    char longer[512];

    if (same(one, other))
        return;
    snprintf(longer, sizeof(longer), "%s%s%.*s", path, *path ? "." : "", SPAN_ARG(key));
    bool maps = (!one || one->kind == NODE_MAP) && (!other || other->kind == NODE_MAP);
    if (maps && row->type == CONFIG_NAMED) {
        compare_named(c, longer, row, one, other);
    } else if (maps && row->type == CONFIG_MAP) {
        for (size_t k = 0; k < config_option_count; k++) {
            if (config_is_inside(&config_options[k], row))
                compare(c, longer, &config_options[k], one, other);
        }
    } else {
        c->tell(c->whom, longer, row->when == CONFIG_RESTART);
    }
}

void config_compare(struct span earlier, struct span later,
                    void (*tell)(void *whom, const char *path, bool restart), void *whom)
{
    struct comparison c = { tell, whom };
    struct config_report ignored;
    struct arena trees = {};

    report_init(&ignored, "");
    const struct node *a = config_parse(&trees, earlier, &ignored);
    const struct node *b = config_parse(&trees, later, &ignored);
    for (size_t k = 0; a && b && k < config_option_count; k++) {
        if (config_is_inside(&config_options[k], NULL))
            compare(&c, "", &config_options[k], a, b);
    }
    arena_free(&trees);
    report_finish(&ignored);
    config_report_free(&ignored);
}
