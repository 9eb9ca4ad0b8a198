/* SPDX-License-Identifier: Apache-2.0 */
/* config_build.c - from a checked tree to struct config, and what concerns several values at once: here
 * the values that concern the process.
 * Next: config_services.c, config_journeys.c. */
#include "control/config_build.h"

#include "base/check.h"
#include "base/log.h"

#include <unistd.h>

/* ---- values, or the table's defaults, which a test proves to be right */

struct span text_of(const struct node *map, const char *key, const char *path)
{
    const struct node *n = node_get(map, key);
    const struct config_option *row = config_find(span_from_text(path));

    check(row != NULL);
    return n ? n->text : span_from_text(row->standard);
}

struct span kept_text(struct builder *b, const struct node *map, const char *key, const char *path)
{
    return arena_span(&b->c->arena, text_of(map, key, path));
}

ns_t duration_of(const struct node *map, const char *key, const char *path)
{
    ns_t t = 0;
    bool good = value_duration(text_of(map, key, path), &t);

    check(good);
    return t;
}

uint64_t size_of(const struct node *map, const char *key, const char *path)
{
    uint64_t n = 0;
    bool good = value_size(text_of(map, key, path), &n);

    check(good);
    return n;
}

uint32_t count_of(const struct node *map, const char *key, const char *path)
{
    uint64_t n = 0;
    bool good = span_to_u64(text_of(map, key, path), &n);

    check(good);
    return (uint32_t)n;
}

struct span resolved_path(struct builder *b, struct span path)
{
    size_t n = strlen(b->folder);
    const char *slash = n && b->folder[n - 1] == '/' ? "" : "/";

    if (path.n == 0 || path.p[0] == '/' || n == 0)
        return arena_span(&b->c->arena, path);
    return span_from_text(arena_print(&b->c->arena, "%s%s%.*s", b->folder, slash, SPAN_ARG(path)));
}

struct span resolved_address(struct builder *b, struct span text)
{
    struct span path = span_after(text, 5);

    if (!span_starts_with(text, SPAN("unix:")))
        return text;
    return span_from_text(arena_print(&b->c->arena, "unix:%s", resolved_path(b, path).p));
}

/* ---- listen */

static bool parse_listener(struct builder *b, struct node *n, struct address *ret_address)
{
    if (address_parse(resolved_address(b, n->text), ret_address))
        return true;
    report_bad(b->r, n, "'%s' is too long for a unix socket: with its folder at most 107 bytes",
               shown(n->text).text);
    return false;
}

static void add_listener(struct builder *b, struct node *n)
{
    struct config *c = b->c;
    struct node *text = n->kind == NODE_MAP ? node_get(n, "address") : n;
    struct address a;

    if (n->bad || !text || !parse_listener(b, text, &a))
        return;
    if (c->http_count == LISTENERS_MAX) {
        report_error(b->r, text, "at most %d addresses", LISTENERS_MAX);
        return;
    }
    for (size_t i = 0; i < c->http_count; i++) {
        char other[ADDRESS_TEXT_MAX];
        if (address_equal(&c->http[i], &a))
            report_error(b->r, text, "the address %s is given twice", shown(text->text).text);
        else if (address_overlap(&c->http[i], &a))
            report_error(b->r, text, "%s and %s overlap: one of them is every address of the port",
                         shown(text->text).text, address_print(&c->http[i], other));
    }
    c->http[c->http_count++] = a;
}

static void build_admin(struct builder *b, struct node *listen, const struct node *http)
{
    struct config *c = b->c;
    struct node *admin = node_get(listen, "admin");
    char text[ADDRESS_TEXT_MAX];

    if (!admin || !parse_listener(b, admin, &c->admin)) {
        bool good = address_parse(text_of(NULL, "admin", "listen.admin"), &c->admin);
        check(good);
    }
    if (!address_loopback(&c->admin))
        report_error(b->r, admin,
                     "the admin address must be a loopback address (127.0.0.1, [::1]) in this "
                     "version: it has no tokens and no TLS yet");
    for (size_t i = 0; i < c->http_count; i++) {
        if (address_overlap(&c->http[i], &c->admin))
            report_error(b->r, admin ? admin : http,
                         "listen.http takes the address of listen.admin, which is %s%s",
                         address_print(&c->admin, text), admin ? "" : " unless said");
    }
}

static void build_listen(struct builder *b, const struct node *root)
{
    struct node *listen = node_get(root, "listen");
    struct node *http = node_get(listen, "http");

    b->c->http = arena_array(&b->c->arena, struct address, LISTENERS_MAX);
    if (http && http->kind != NODE_LIST)
        add_listener(b, http);
    for (size_t i = 0; http && http->kind == NODE_LIST && i < http->count; i++)
        add_listener(b, http->items[i]);
    if (http && http->kind == NODE_LIST && http->count == 0)
        report_error(b->r, http, "at least one address is needed");
    build_admin(b, listen, http);
}

/* ---- limits, store, workers, log */

static void build_limits(struct builder *b, const struct node *root)
{
    const struct node *l = node_get(root, "limits");
    const struct node *line = node_get(l, "line");
    struct limits *limits = &b->c->limits;

    *limits = (struct limits){
        .connections = count_of(l, "connections", "limits.connections"),
        .head = (uint32_t)size_of(l, "head", "limits.head"),
        .fields = count_of(l, "fields", "limits.fields"),
        .line = (uint32_t)size_of(l, "line", "limits.line"),
        .body = size_of(l, "body", "limits.body"),
        .header_time = duration_of(l, "header-time", "limits.header-time"),
    };
    if (limits->line <= limits->head)
        return;
    if (line)
        report_error(b->r, line,
                     "limits.line is %u bytes, more than limits.head (%u), of which it is a part",
                     limits->line, limits->head);
    limits->line = limits->head;
}

static void build_workers(struct builder *b, const struct node *root)
{
    struct config *c = b->c;

    if (span_equal(text_of(root, "workers", "workers"), SPAN("auto"))) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        c->workers = cores < 1 ? 1 : cores > WORKERS_MAX ? WORKERS_MAX : (uint32_t)cores;
    } else {
        c->workers = count_of(root, "workers", "workers");
    }
}

static void build_store(struct builder *b, const struct node *root)
{
    struct span store = text_of(root, "store", "store");
    bool memory = span_equal(store, SPAN(":memory:")); /* SQLite's word, for tests */

    b->c->store = memory ? SPAN(":memory:") : resolved_path(b, store);
}

static void build_log(struct builder *b, const struct node *root)
{
    struct span level = text_of(node_get(root, "log"), "level", "log.level");
    enum log_level parsed = LOG_INFO;
    bool good = log_level_parse(arena_text(&b->c->arena, level), &parsed);

    check(good);
    b->c->log_level = (int)parsed;
}

void config_build(struct builder *b, const struct node *root)
{
    build_listen(b, root);
    build_limits(b, root);
    build_workers(b, root);
    build_store(b, root);
    build_log(b, root);
    build_services(b, node_get(root, "services"));
    build_routes(b, root);
    build_journeys(b, node_get(root, "journeys"));
}
