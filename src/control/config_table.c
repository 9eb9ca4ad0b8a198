/* SPDX-License-Identifier: Apache-2.0 */
/* config_table.c - looking rows up. */
#include "control/config_table.h"

const struct config_option config_options[] = {
#define X(path, type, standard, least, most, when, since, help) \
    { { path, sizeof(path) - 1 },                               \
      CONFIG_##type,                                            \
      standard,                                                 \
      least,                                                    \
      most,                                                     \
      CONFIG_##when,                                            \
      CONFIG_##since,                                           \
      help },
    CONFIG_OPTIONS(X)
#undef X
};

const size_t config_option_count = sizeof(config_options) / sizeof(config_options[0]);

static const struct {
    const char *words;
    const char *example;
} types[] = {
#define X(name, words, example) { words, example },
    CONFIG_TYPES(X)
#undef X
};

const char *config_type_words(enum config_type t)
{
    return types[t].words;
}

const char *config_type_example(enum config_type t)
{
    return types[t].example;
}

const struct config_option *config_find(struct span path)
{
    for (size_t i = 0; i < config_option_count; i++) {
        if (span_equal(config_options[i].path, path))
            return &config_options[i];
    }
    return NULL;
}

struct span config_key(const struct config_option *row)
{
    size_t at = row->path.n;

    while (at > 0 && row->path.p[at - 1] != '.')
        at--;
    return span_after(row->path, at);
}

/* What stands before the keys of a parent: "services" has "services.*.", "routes" has "routes[].". */
static struct span prefix_rest(const struct config_option *row, const struct config_option *parent)
{
    static const struct span nothing = { NULL, 0 };
    struct span rest = span_after(row->path, parent->path.n);

    if (!span_starts_with(row->path, parent->path))
        return nothing;
    switch (parent->type) {
    case CONFIG_MAP:
    case CONFIG_ENDPOINT:
    case CONFIG_BALANCE: return span_starts_with(rest, SPAN(".")) ? span_after(rest, 1) : nothing;
    case CONFIG_NAMED: return span_starts_with(rest, SPAN(".*.")) ? span_after(rest, 3) : nothing;
    case CONFIG_LIST:
    case CONFIG_ADDRESSES:
    case CONFIG_INSTANCES:
    case CONFIG_PEERS: return span_starts_with(rest, SPAN("[].")) ? span_after(rest, 3) : nothing;
    default: return nothing;
    }
}

bool config_is_inside(const struct config_option *row, const struct config_option *parent)
{
    struct span rest = parent ? prefix_rest(row, parent) : row->path;

    return rest.n > 0 && span_find(rest, '.') == rest.n && span_find(rest, '[') == rest.n;
}
