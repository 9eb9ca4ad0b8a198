/* SPDX-License-Identifier: Apache-2.0 */
/* config_parse.c - from bytes to a tree of nodes with positions (libyaml's events).
 * Anchors, aliases, tags and several documents are refused: a configuration needs none of them, and an
 * alias can make a small file unfold into a huge one. */
#include "control/config_tree.h"

#include "base/check.h"

#include <yaml.h>

#include <stdarg.h>

enum { DEPTH_MAX = 16, ITEMS_MAX = 20000 };

__attribute__((format(printf, 5, 0))) static void put_line(struct config_report *r, size_t line,
                                                           size_t column, const char *kind,
                                                           const char *format, va_list args)
{
    char text[ERR_TEXT_MAX];

    vsnprintf(text, sizeof(text), format, args);
    str_print(&r->text, "%s:%zu:%zu: %s%s\n", r->file, line, column, kind, text);
}

void report_error(struct config_report *r, size_t line, size_t column, const char *format, ...)
{
    va_list args;

    if (r->errors++ >= CONFIG_ERRORS_MAX)
        return;
    va_start(args, format);
    put_line(r, line, column, "", format, args);
    va_end(args);
}

void report_warning(struct config_report *r, size_t line, size_t column, const char *format, ...)
{
    va_list args;

    if (r->warnings++ >= CONFIG_ERRORS_MAX)
        return;
    va_start(args, format);
    put_line(r, line, column, "warning: ", format, args);
    va_end(args);
}

struct node *node_get(const struct node *map, const char *key)
{
    for (size_t i = 0; map && map->kind == NODE_MAP && i < map->count; i++) {
        if (span_equal(map->keys[i], span_from_text(key)))
            return map->items[i];
    }
    return NULL;
}

struct reader {
    yaml_parser_t parser;
    struct arena *arena;
    struct config_report *report;
    size_t items;
};

static bool next_event(struct reader *r, yaml_event_t *event)
{
    if (yaml_parser_parse(&r->parser, event))
        return true;
    const char *problem = r->parser.problem ? r->parser.problem : "it cannot be read";
    yaml_mark_t at = r->parser.problem_mark;
    report_error(r->report, at.line + 1, at.column + 1, "this is not YAML: %s%s%s", problem,
                 r->parser.context ? " " : "", r->parser.context ? r->parser.context : "");
    return false;
}

static struct node *node_new(struct reader *r, const yaml_event_t *event, enum node_kind kind)
{
    struct node *n = arena_new(r->arena, struct node);

    *n = (struct node){ .kind = kind,
                        .line = event->start_mark.line + 1,
                        .column = event->start_mark.column + 1 };
    return n;
}

static bool refuse_extras(struct reader *r, const yaml_event_t *e, const yaml_char_t *anchor,
                          const yaml_char_t *tag)
{
    if (!anchor && !tag)
        return false;
    report_error(r->report, e->start_mark.line + 1, e->start_mark.column + 1,
                 "YAML %s are not used here; write the value out", anchor ? "anchors" : "tags");
    return true;
}

static bool add_item(struct reader *r, struct node *parent, struct node *key, struct node *item)
{
    if (++r->items > ITEMS_MAX) {
        report_error(r->report, item->line, item->column, "more than %d values", ITEMS_MAX);
        return false;
    }
    /* room doubles; what was outgrown stays in the arena until the reader is done */
    if ((parent->count & (parent->count - 1)) == 0) {
        size_t room = parent->count ? parent->count * 2 : 1;
        struct node **items = arena_array(r->arena, struct node *, room);
        struct span *keys = arena_array(r->arena, struct span, room);
        size_t *lines = arena_array(r->arena, size_t, room);
        size_t *columns = arena_array(r->arena, size_t, room);
        if (parent->count) {
            memcpy(items, parent->items, parent->count * sizeof(items[0]));
            memcpy(keys, parent->keys, parent->count * sizeof(keys[0]));
            memcpy(lines, parent->key_lines, parent->count * sizeof(lines[0]));
            memcpy(columns, parent->key_columns, parent->count * sizeof(columns[0]));
        }
        parent->items = items;
        parent->keys = keys;
        parent->key_lines = lines;
        parent->key_columns = columns;
    }
    parent->items[parent->count] = item;
    parent->keys[parent->count] = key->text;
    parent->key_lines[parent->count] = key->line;
    parent->key_columns[parent->count++] = key->column;
    return true;
}

static bool check_key(struct reader *r, const struct node *map, const struct node *key)
{
    if (key->kind != NODE_SCALAR) {
        report_error(r->report, key->line, key->column, "a key must be a plain name");
        return false;
    }
    for (size_t i = 0; i < map->count; i++) {
        if (span_equal(map->keys[i], key->text)) {
            report_error(r->report, key->line, key->column,
                         "'%.*s' is given twice; the first one is in line %zu", SPAN_ARG(key->text),
                         map->key_lines[i]);
            return false;
        }
    }
    return true;
}

/* A stack instead of recursion: the file is a stranger's. */
struct level {
    struct node *node;
    struct node *key; /* map: waiting for its value */
};

static bool place(struct reader *r, struct level *top, struct node *n, bool *ret_is_key)
{
    check(top->node);
    *ret_is_key = false;
    if (top->node->kind == NODE_LIST)
        return add_item(r, top->node, n, n);
    if (!top->key) {
        *ret_is_key = true;
        top->key = n;
        return check_key(r, top->node, n);
    }
    struct node *key = top->key;
    top->key = NULL;
    return add_item(r, top->node, key, n);
}

/* One event inside the document. False: give up. */
static bool take(struct reader *r, const yaml_event_t *e, struct level *levels, size_t *depth,
                 struct node **ret_root)
{
    struct node *n = NULL;
    bool is_key = false;

    switch (e->type) {
    case YAML_SCALAR_EVENT:
        if (refuse_extras(r, e, e->data.scalar.anchor, e->data.scalar.tag))
            return false;
        n = node_new(r, e, NODE_SCALAR);
        n->text = arena_span(r->arena, span_of(e->data.scalar.value, e->data.scalar.length));
        break;
    case YAML_MAPPING_START_EVENT:
        if (refuse_extras(r, e, e->data.mapping_start.anchor, e->data.mapping_start.tag))
            return false;
        n = node_new(r, e, NODE_MAP);
        break;
    case YAML_SEQUENCE_START_EVENT:
        if (refuse_extras(r, e, e->data.sequence_start.anchor, e->data.sequence_start.tag))
            return false;
        n = node_new(r, e, NODE_LIST);
        break;
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT: (*depth)--; return true;
    case YAML_ALIAS_EVENT:
        report_error(r->report, e->start_mark.line + 1, e->start_mark.column + 1,
                     "YAML aliases are not used here; write the value out");
        return false;
    default: return true;
    }
    if (*depth == 0)
        *ret_root = n;
    else if (!place(r, &levels[*depth - 1], n, &is_key))
        return false;
    if (n->kind == NODE_SCALAR || is_key)
        return true;
    if (*depth == DEPTH_MAX) {
        report_error(r->report, n->line, n->column, "nested too deeply");
        return false;
    }
    levels[(*depth)++] = (struct level){ .node = n };
    return true;
}

static struct node *read_document(struct reader *r)
{
    struct level levels[DEPTH_MAX] = {};
    struct node *root = NULL;
    size_t depth = 0;
    unsigned documents = 0;
    bool good = true;

    for (bool more = true; more && good;) {
        yaml_event_t e;
        if (!next_event(r, &e))
            return NULL;
        if (e.type == YAML_STREAM_END_EVENT) {
            more = false;
        } else if (e.type == YAML_DOCUMENT_START_EVENT && ++documents > 1) {
            report_error(r->report, e.start_mark.line + 1, e.start_mark.column + 1,
                         "a second document begins; one file is one configuration");
            good = false;
        } else {
            good = take(r, &e, levels, &depth, &root);
        }
        yaml_event_delete(&e);
    }
    return good ? root : NULL;
}

struct node *config_parse(struct arena *a, struct span text, struct config_report *report)
{
    struct reader r = { .arena = a, .report = report };

    if (!yaml_parser_initialize(&r.parser))
        return NULL;
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text.p, text.n);
    struct node *root = read_document(&r);
    yaml_parser_delete(&r.parser);
    if (report->errors)
        return NULL;
    if (!root || (root->kind == NODE_SCALAR && root->text.n == 0)) {
        report_error(report, 1, 1, "the file is empty; it needs at least `listen` and `services`");
        return NULL;
    }
    if (root->kind != NODE_MAP) {
        report_error(report, root->line, root->column,
                     "keys were expected here, such as `listen:` and `services:`");
        return NULL;
    }
    return root;
}
