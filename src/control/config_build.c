/* SPDX-License-Identifier: Apache-2.0 */
/* config_build.c - from a checked tree to struct config, and what concerns several values at once: here
 * the values that concern the process.
 * Next: config_services.c, config_journeys.c, config_peers.c. */
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

bool parse_listener(struct builder *b, struct node *n, struct address *ret_address)
{
    if (address_parse(resolved_address(b, n->text), ret_address))
        return true;
    report_bad(b->r, n, "'%s' is too long for a unix socket: with its folder at most 107 bytes",
               shown(n->text).text);
    return false;
}

static void check_address_free(struct builder *b, const struct node *text, const struct address *a)
{
    const struct config *c = b->c;

    for (size_t i = 0; i < c->http_count; i++) {
        char other[ADDRESS_TEXT_MAX];
        if (address_equal(&c->http[i].address, a))
            report_error(b->r, text, "the address %s is given twice", shown(text->text).text);
        else if (address_overlap(&c->http[i].address, a))
            report_error(b->r, text, "%s and %s overlap: one of them is every address of the port",
                         shown(text->text).text, address_print(&c->http[i].address, other));
    }
}

static void add_certificate(struct builder *b, struct listening *l, struct certificate *list,
                            const struct node *n)
{
    const struct node *chain = node_get(n, "certificate");
    const struct node *key = node_get(n, "key");

    if (!chain || !key)
        return; /* told already */
    list[l->certificate_count++] = (struct certificate){ .chain = resolved_path(b, chain->text),
                                                         .key = resolved_path(b, key->text) };
}

static void read_certificates(struct builder *b, struct node *n, struct listening *l)
{
    const struct node *more = node_get(n, "certificates");
    size_t count = 1 + (more ? more->count : 0);

    if (n->kind != NODE_MAP) {
        report_bad(b->r, n,
                   "https needs a certificate: { address: %s, certificate: cert.pem, "
                   "key: key.pem }",
                   shown(n->text).text);
        return;
    }
    if (count > CERTIFICATES_MAX) {
        report_error(b->r, more, "at most %d certificates", CERTIFICATES_MAX - 1);
        return;
    }
    struct certificate *list = arena_array(&b->c->arena, struct certificate, count);
    add_certificate(b, l, list, n);
    for (size_t i = 0; more && i < more->count; i++)
        add_certificate(b, l, list, more->items[i]);
    l->certificates = list;
}

static void add_listener(struct builder *b, struct node *n, bool tls)
{
    struct config *c = b->c;
    struct node *text = n->kind == NODE_MAP ? node_get(n, "address") : n;
    const struct node *proxy = n->kind == NODE_MAP ? node_get(n, "proxy-protocol") : NULL;
    struct listening l = {};

    if (n->bad || !text || !parse_listener(b, text, &l.address))
        return;
    if (c->http_count == LISTENERS_MAX) {
        report_error(b->r, text, "at most %d addresses", LISTENERS_MAX);
        return;
    }
    if (tls)
        read_certificates(b, n, &l);
    if (proxy) {
        bool good = value_bool(proxy->text, &l.proxy_protocol);
        check(good);
    }
    if (l.proxy_protocol && c->trusted_count == 0)
        report_error(b->r, proxy,
                     "proxy-protocol needs `trusted`: the networks of the load "
                     "balancers that may speak it");
    check_address_free(b, text, &l.address);
    c->http[c->http_count++] = l;
}

static void add_listeners(struct builder *b, struct node *n, bool tls)
{
    if (n && n->kind != NODE_LIST)
        add_listener(b, n, tls);
    for (size_t i = 0; n && n->kind == NODE_LIST && i < n->count; i++)
        add_listener(b, n->items[i], tls);
    if (n && n->kind == NODE_LIST && n->count == 0)
        report_error(b->r, n, "at least one address is needed");
}

static void build_listen(struct builder *b, const struct node *root)
{
    struct node *listen = node_get(root, "listen");
    struct node *http = node_get(listen, "http");
    struct node *https = node_get(listen, "https");

    b->c->http = arena_array(&b->c->arena, struct listening, LISTENERS_MAX);
    if (listen && !node_has(listen, SPAN("http")) && !node_has(listen, SPAN("https")))
        report_error(b->r, listen,
                     "'http' is missing: Where clients connect: one address or a list. IPv6 as "
                     "\"[::]:8080\". For example: %s",
                     config_type_example(CONFIG_ADDRESSES));
    add_listeners(b, http, false);
    add_listeners(b, https, true);
    build_admin(b, root, http ? http : https);
}

static void build_trusted(struct builder *b, const struct node *root)
{
    const struct node *n = node_get(root, "trusted");
    struct config *c = b->c;

    if (!n || n->kind != NODE_LIST)
        return;
    if (n->count > TRUSTED_MAX) {
        report_error(b->r, n, "at most %d networks", TRUSTED_MAX);
        return;
    }
    struct network *list = arena_array(&c->arena, struct network, n->count);
    for (size_t i = 0; i < n->count; i++) {
        if (n->items[i]->kind == NODE_SCALAR &&
            network_parse(n->items[i]->text, &list[c->trusted_count]))
            c->trusted_count++;
    }
    c->trusted = list;
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
        .connections_per_address =
            count_of(l, "connections-per-address", "limits.connections-per-address"),
        .connection_age = duration_of(l, "connection-age", "limits.connection-age"),
        .connection_requests = count_of(l, "connection-requests", "limits.connection-requests"),
        .memory = size_of(l, "memory", "limits.memory"),
        .body_rate = size_of(l, "body-rate", "limits.body-rate"),
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

/* A word of log.redact as its bit; the check has seen that it is one. */
static uint32_t redaction_of(struct span word)
{
    static const char *const words[REDACT_COUNT] = { "authorization", "cookie",  "query",  "client",
                                                     "user-agent",    "referer", "tenant", "user" };

    for (unsigned i = 0; i < REDACT_COUNT; i++) {
        if (span_equal(word, span_from_text(words[i])))
            return UINT32_C(1) << i;
    }
    return 0;
}

static void build_access_log(struct builder *b, const struct node *log)
{
    const struct node *redact = node_get(log, "redact");
    struct config *c = b->c;

    if (node_get(log, "access"))
        c->access_log = resolved_path(b, node_get(log, "access")->text);
    c->redact = redaction_of(SPAN("authorization")) | redaction_of(SPAN("cookie")) |
                redaction_of(SPAN("query"));
    if (redact)
        c->redact = 0;
    for (size_t i = 0; redact && i < redact->count; i++)
        c->redact |= redaction_of(redact->items[i]->text);
}

static void build_trace(struct builder *b, const struct node *root)
{
    double share = 0;
    bool good = value_share(text_of(node_get(root, "trace"), "sample", "trace.sample"), &share);

    check(good);
    b->c->sample_below = (uint64_t)(share * 4294967296.0);
}

bool identity_parse(struct arena *a, struct span text, struct identity *ret)
{
    size_t colon = span_find(text, ':');
    struct span kind = span_of(text.p, colon);
    struct span name = span_after(text, colon + 1);

    if (span_equal(text, SPAN("subdomain")))
        ret->kind = IDENTITY_SUBDOMAIN;
    else if (span_equal(kind, SPAN("cookie")) && name.n)
        ret->kind = IDENTITY_COOKIE;
    else if (span_equal(kind, SPAN("header")) && name.n)
        ret->kind = IDENTITY_HEADER;
    else
        return false;
    ret->name = arena_span(a, name);
    return true;
}

static void read_identity(struct builder *b, const struct node *identity, const char *key,
                          struct identity *ret)
{
    struct node *n = node_get(identity, key);

    if (n && !identity_parse(&b->c->arena, n->text, ret))
        report_bad(b->r, n, "'%s': subdomain, cookie:NAME or header:NAME was expected",
                   shown(n->text).text);
}

static void build_log(struct builder *b, const struct node *root)
{
    struct span level = text_of(node_get(root, "log"), "level", "log.level");
    enum log_level parsed = LOG_INFO;
    bool good = log_level_parse(arena_text(&b->c->arena, level), &parsed);

    check(good);
    b->c->log_level = (int)parsed;
    build_access_log(b, node_get(root, "log"));
}

void config_build(struct builder *b, const struct node *root)
{
    build_trusted(b, root); /* before the listeners, which ask whether there are any */
    build_listen(b, root);
    b->c->user = kept_text(b, root, "user", "user");
    b->c->zone = kept_text(b, root, "zone", "zone");
    build_trace(b, root);
    read_identity(b, node_get(root, "identity"), "tenant", &b->c->tenant);
    read_identity(b, node_get(root, "identity"), "user", &b->c->user_identity);
    build_limits(b, root);
    build_workers(b, root);
    build_store(b, root);
    build_log(b, root);
    build_services(b, node_get(root, "services"));
    build_routes(b, root);
    build_journeys(b, node_get(root, "journeys"));
    build_peers(b, node_get(root, "peers"));
}
