/* SPDX-License-Identifier: Apache-2.0 */
/* config_parse.c - from bytes to a tree of nodes with positions (libyaml's events).
 * Anchors, aliases, tags and several documents are refused: a configuration needs none of them, and an
 * alias can make a small file unfold into a huge one. A stack instead of recursion, and bounds on depth
 * and number: the file is a stranger's. */
#include "control/config_tree.h"

#include "base/check.h"

#include <yaml.h>

enum {
    DEPTH_MAX = 16,     /* our own table is 6 deep */
    ITEMS_MAX = 100000, /* of the whole file: more than ROUTES_MAX and the journeys need */
    KEYS_MAX = 2048, /* of one map: more than JOURNEYS_MAX; duplicates are looked for one by one */
};

/* Its number, or map->count. */
static size_t find_item(const struct node *map, struct span key)
{
    size_t i = 0;

    while (i < map->count && !span_equal(map->keys[i]->text, key))
        i++;
    return i;
}

struct node *node_get(const struct node *map, const char *key)
{
    if (!map || map->kind != NODE_MAP)
        return NULL;
    size_t i = find_item(map, span_from_text(key));
    return i == map->count || map->items[i]->bad ? NULL : map->items[i];
}

bool node_has(const struct node *map, struct span key)
{
    return find_item(map, key) < map->count;
}

/* ---- YAML's own errors */

struct reader {
    yaml_parser_t parser;
    struct arena *arena;
    struct config_report *report;
    struct span text;
    size_t items;
};

static bool ends_line(struct span text, size_t at)
{
    if (text.p[at] == '\r')
        return at + 1 == text.n || text.p[at + 1] != '\n';
    return text.p[at] == '\n';
}

/* The byte at a mark of libyaml, which counts characters; 0 at the end of the file. */
static char byte_at(struct span text, yaml_mark_t mark)
{
    size_t at = 0;

    for (size_t line = 0; line < mark.line && at < text.n; at++)
        line += ends_line(text, at);
    for (size_t column = 0; column < mark.column && at < text.n; column++) {
        at++;
        while (at < text.n && ((unsigned char)text.p[at] & 0xC0) == 0x80)
            at++;
    }
    return at < text.n ? text.p[at] : '\0';
}

/* What people usually meant when libyaml stops. */
static const char *yaml_hint(const struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    char here = byte_at(r->text, p->problem_mark);

    if (p->context && (strstr(p->context, "alias") || strstr(p->context, "anchor")))
        return "; text that begins with * or & needs quotes";
    if (strstr(p->problem, "mapping values"))
        return "; text with ': ' in it needs quotes, and keys of one map begin in one column";
    switch (here) {
    case '\t': return "; indent with blanks, not with tabs";
    case '{':
    case '}': return "; text with { or } in it needs quotes, such as \"GET /product/{id}\"";
    case ':': return "; an IPv6 address needs quotes, such as \"[::]:8080\"";
    case '%':
    case '@':
    case '`': return "; text that begins with %, @ or ` needs quotes";
    default: return "";
    }
}

static void not_yaml(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    struct node at = { .line = p->problem_mark.line + 1, .column = p->problem_mark.column + 1 };
    char begun[48] = "";

    if (!p->problem) {
        report_error(r->report, &at, "this is not YAML");
        return;
    }
    if (p->context && p->context_mark.line < p->problem_mark.line)
        snprintf(begun, sizeof(begun), ", begun in line %zu", p->context_mark.line + 1);
    report_error(r->report, &at, "this is not YAML: %s%s%s%s%s", p->problem, p->context ? " " : "",
                 p->context ? p->context : "", begun, yaml_hint(r));
}

/* ---- nodes */

static struct node *node_new(struct reader *r, const yaml_event_t *event, enum node_kind kind)
{
    struct node *n = arena_new(r->arena, struct node);

    *n = (struct node){ .kind = kind,
                        .line = event->start_mark.line + 1,
                        .column = event->start_mark.column + 1 };
    return n;
}

static struct node *node_scalar(struct reader *r, const yaml_event_t *e)
{
    struct node *n = node_new(r, e, NODE_SCALAR);

    n->text = arena_span(r->arena, span_of(e->data.scalar.value, e->data.scalar.length));
    n->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (text_has_control(n->text))
        report_bad(r->report, n, "a value is one line of text, without control characters");
    return n;
}

static void refuse_extras(struct reader *r, struct node *n, const yaml_char_t *anchor,
                          const yaml_char_t *tag)
{
    if (anchor || tag)
        report_bad(r->report, n, "YAML %s are not used here; write the value out%s",
                   anchor ? "anchors" : "tags",
                   anchor ? " (text that begins with & needs quotes)"
                          : " (text that begins with ! needs quotes)");
}

/* The node that an event begins, NULL when it begins none. */
static struct node *node_of(struct reader *r, const yaml_event_t *e)
{
    struct node *n = NULL;

    switch (e->type) {
    case YAML_SCALAR_EVENT:
        n = node_scalar(r, e);
        refuse_extras(r, n, e->data.scalar.anchor, e->data.scalar.tag);
        return n;
    case YAML_MAPPING_START_EVENT:
        n = node_new(r, e, NODE_MAP);
        refuse_extras(r, n, e->data.mapping_start.anchor, e->data.mapping_start.tag);
        return n;
    case YAML_SEQUENCE_START_EVENT:
        n = node_new(r, e, NODE_LIST);
        refuse_extras(r, n, e->data.sequence_start.anchor, e->data.sequence_start.tag);
        return n;
    case YAML_ALIAS_EVENT: /* never followed */
        n = node_new(r, e, NODE_SCALAR);
        report_bad(r->report, n,
                   "YAML aliases are not used here; write the value out (text that begins with * "
                   "needs quotes)");
        return n;
    default: return NULL;
    }
}

/* Room doubles; what was outgrown stays in the arena until the reader is done. */
static struct node **grown(struct reader *r, struct node **old, size_t count)
{
    if (count & (count - 1))
        return old;
    struct node **new = arena_array(r->arena, struct node *, count ? count * 2 : 1);
    if (count)
        memcpy(new, old, count * sizeof(new[0]));
    return new;
}

static void add_item(struct reader *r, struct node *parent, struct node *key, struct node *item)
{
    parent->items = grown(r, parent->items, parent->count);
    parent->items[parent->count] = item;
    if (key) {
        parent->keys = grown(r, parent->keys, parent->count);
        parent->keys[parent->count] = key;
    }
    parent->count++;
}

/* A key that cannot be used is marked, and its value with it left out. */
static void check_key(struct reader *r, const struct node *map, struct node *key)
{
    if (key->kind != NODE_SCALAR) {
        report_bad(r->report, key, "a key must be a plain name");
        return;
    }
    size_t first = find_item(map, key->text);
    if (!key->bad && first < map->count)
        report_bad(r->report, key, "'%s' is given twice; the first one is in line %zu",
                   shown(key->text).text, map->keys[first]->line);
}

/* ---- the document */

struct level {
    struct node *node;
    struct node *key; /* map: waits for its value */
};

static void place(struct reader *r, struct level *top, struct node *n)
{
    check(top->node);
    if (top->node->kind == NODE_LIST) {
        add_item(r, top->node, NULL, n);
    } else if (!top->key) {
        top->key = n;
        check_key(r, top->node, n);
    } else {
        if (!top->key->bad)
            add_item(r, top->node, top->key, n);
        top->key = NULL;
    }
}

/* False: too much of it, give up. */
static bool within_bounds(struct reader *r, const struct node *n, const struct node *parent,
                          size_t depth)
{
    if (++r->items > ITEMS_MAX)
        report_error(r->report, n, "more than %d values; that is no configuration", ITEMS_MAX);
    else if (parent && parent->kind == NODE_MAP && parent->count == KEYS_MAX)
        report_error(r->report, n, "more than %d keys in one place", KEYS_MAX);
    else if (n->kind != NODE_SCALAR && depth == DEPTH_MAX)
        report_error(r->report, n, "nested too deeply");
    else
        return true;
    return false;
}

struct stack {
    struct level levels[DEPTH_MAX];
    size_t depth;
    struct node *root;
};

/* One event inside the document. False: give up. */
static bool take(struct reader *r, const yaml_event_t *e, struct stack *s)
{
    if (e->type == YAML_MAPPING_END_EVENT || e->type == YAML_SEQUENCE_END_EVENT) {
        s->depth--;
        return true;
    }
    struct node *n = node_of(r, e);
    if (!n)
        return true;
    struct level *top = s->depth ? &s->levels[s->depth - 1] : NULL;
    if (!within_bounds(r, n, top ? top->node : NULL, s->depth))
        return false;
    if (top)
        place(r, top, n);
    else
        s->root = n;
    if (n->kind != NODE_SCALAR)
        s->levels[s->depth++] = (struct level){ .node = n };
    return true;
}

static struct node *read_document(struct reader *r)
{
    struct stack s = {};
    unsigned documents = 0;
    bool good = true;

    for (bool more = true; more && good;) {
        yaml_event_t e;
        if (!yaml_parser_parse(&r->parser, &e)) {
            not_yaml(r);
            return NULL;
        }
        if (e.type == YAML_STREAM_END_EVENT) {
            more = false;
        } else if (e.type == YAML_DOCUMENT_START_EVENT && ++documents > 1) {
            struct node at = { .line = e.start_mark.line + 1, .column = e.start_mark.column + 1 };
            report_error(r->report, &at, "a second document begins; one file is one configuration");
            good = false;
        } else {
            good = take(r, &e, &s);
        }
        yaml_event_delete(&e);
    }
    return good ? s.root : NULL;
}

static bool is_right_text(struct span text, struct config_report *report)
{
    struct node at = { .line = 1, .column = 1 };

    if (text.n > CONFIG_BYTES_MAX) {
        report_error(report, &at, "larger than %d KiB; that is no configuration",
                     CONFIG_BYTES_MAX >> 10);
        return false;
    }
    const char *wrong = text_find_wrong(text, &at.line, &at.column);
    if (wrong)
        report_error(report, &at, "%s", wrong);
    return !wrong;
}

struct node *config_parse(struct arena *a, struct span text, struct config_report *report)
{
    struct reader r = { .arena = a, .report = report };
    struct node begin = { .line = 1, .column = 1 };

    if (span_starts_with(text, SPAN("\xEF\xBB\xBF")))
        text = span_after(text, 3); /* a byte order mark, as some editors write it */
    if (!is_right_text(text, report))
        return NULL;
    r.text = text.n ? text : SPAN(""); /* libyaml takes no NULL */
    int memory = yaml_parser_initialize(&r.parser);
    check(memory);
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)r.text.p, r.text.n);
    struct node *root = read_document(&r);
    yaml_parser_delete(&r.parser);
    bool empty = !root || (root->kind == NODE_SCALAR && root->text.n == 0);
    if (empty && !report->errors)
        report_error(report, &begin,
                     "the file is empty; it needs at least `listen` and `services`");
    else if (!empty && root->kind != NODE_MAP)
        report_error(report, root, "keys were expected here, such as `listen:` and `services:`");
    return !empty && root->kind == NODE_MAP ? root : NULL;
}
