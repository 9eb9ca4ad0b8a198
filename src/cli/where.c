/* SPDX-License-Identifier: Apache-2.0 */
/* where.c - a value that has more of what is bad than of all requests is where to look. */
#include "cli/where.h"

#include "cli/answers.h"
#include "cli/cells.h"

enum {
    WORST = 3, /* of each dimension; the API has all */
    VALUE_WIDTH = 34,
};

/* "shop 10.0.0.2:9101", "43", "none". */
static void put_value(const json_t *value, struct str *out)
{
    const char *service = json_string_value(json_object_get(value, "service"));
    struct str text = str_growing();

    if (service)
        str_print(&text, "%s ", service);
    str_text(&text, text_of(value, "value"));
    if (json_is_true(json_object_get(value, "gone")))
        str_literal(&text, " (gone)");
    cell_put(out, str_cstr(&text), VALUE_WIDTH, false);
    str_free(&text);
}

static void put_share(const json_t *value, const char *key, size_t width, struct str *out)
{
    char text[CELL_TEXT_MAX];
    double n;

    str_char(out, ' ');
    cell_put(out, number_of(value, key, &n) ? cell_share(n, 1, text) : "-", width, true);
}

static void put_dimension(const json_t *dimension, struct str *out)
{
    size_t i;
    json_t *value;

    json_array_foreach (json_object_get(dimension, "values"), i, value) {
        if (i == WORST || count_of(value, "bad") == 0)
            break;
        cell_put(out, i == 0 ? text_of(dimension, "dimension") : "", 9, false);
        str_char(out, ' ');
        put_value(value, out);
        str_print(out, " %8lld", (long long)count_of(value, "bad"));
        put_share(value, "part", 10, out);
        put_share(value, "traffic", 10, out);
        put_share(value, "bad_share", 8, out);
        str_char(out, '\n');
    }
}

void where_put(const json_t *dimensions, struct str *out)
{
    const json_t *counts = json_object_get(dimensions, "counts");
    json_int_t nodes = count_of(dimensions, "nodes");
    char span[CELL_TEXT_MAX];
    size_t i;
    json_t *d;

    if (count_of(counts, "slow") + count_of(counts, "failed") == 0)
        return;
    str_print(out, "where it fails: %lld failed and %lld slow in the last %s",
              (long long)count_of(counts, "failed"), (long long)count_of(counts, "slow"),
              cell_span((double)(count_of(dimensions, "to") - count_of(dimensions, "from")), span));
    if (nodes > 1)
        str_print(out, ", on %lld of %lld nodes",
                  (long long)nodes -
                      (long long)json_array_size(json_object_get(dimensions, "nodes_missing")),
                  (long long)nodes);
    str_char(out, '\n');
    str_print(out, "%-9s %-*s %8s %10s %10s %8s\n", "BY", (int)VALUE_WIDTH, "VALUE", "BAD",
              "OF ALL BAD", "OF TRAFFIC", "OF ITS");
    json_array_foreach (json_object_get(dimensions, "dimensions"), i, d)
        put_dimension(d, out);
}
