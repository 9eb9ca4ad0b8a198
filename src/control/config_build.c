/* SPDX-License-Identifier: Apache-2.0 */
/* config_build.c - from a checked tree to struct config, and what concerns several values at once. */
#include "control/config_file.h"

#include "base/check.h"
#include "base/log.h"
#include "control/config_tree.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

struct builder {
    struct config *c;
    struct config_report *r;
    const char *folder; /* of the file; "" is this one */
};

/* ---- values by the table's defaults. The tree is checked: reading cannot fail. */

static struct span text_of(const struct node *map, const char *key, const char *path)
{
    const struct node *n = node_get(map, key);
    const struct config_option *row = config_find(span_from_text(path));

    check(row != NULL);
    return n ? n->text : span_from_text(row->standard);
}

static struct span kept_text(struct builder *b, const struct node *map, const char *key,
                             const char *path)
{
    return arena_span(&b->c->arena, text_of(map, key, path));
}

static ns_t duration_of(const struct node *map, const char *key, const char *path)
{
    ns_t t = 0;
    bool good = value_duration(text_of(map, key, path), &t);

    check(good);
    return t;
}

static uint64_t size_of(const struct node *map, const char *key, const char *path)
{
    uint64_t n = 0;
    bool good = value_size(text_of(map, key, path), &n);

    check(good);
    return n;
}

static uint32_t count_of(const struct node *map, const char *key, const char *path)
{
    uint64_t n = 0;
    bool good = span_to_u64(text_of(map, key, path), &n);

    check(good);
    return (uint32_t)n;
}

/* ---- listen, limits and the like */

static bool is_loopback(const struct address *a)
{
    const struct sockaddr_in *v4 = (const void *)&a->storage;
    const struct sockaddr_in6 *v6 = (const void *)&a->storage;

    switch (a->storage.ss_family) {
    case AF_INET: return (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
    case AF_INET6: return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
    default: return true; /* a unix socket */
    }
}

static void add_listener(struct builder *b, const struct node *n)
{
    struct config *c = b->c;
    struct address a;
    bool good = address_parse(n->text, &a);

    check(good);
    if (c->http_count == LISTENERS_MAX) {
        report_error(b->r, n->line, n->column, "at most %d addresses", LISTENERS_MAX);
        return;
    }
    for (size_t i = 0; i < c->http_count; i++) {
        if (address_equal(&c->http[i], &a))
            report_error(b->r, n->line, n->column, "the address %.*s is given twice",
                         SPAN_ARG(n->text));
    }
    c->http[c->http_count++] = a;
}

static void build_listen(struct builder *b, const struct node *root)
{
    const struct node *listen = node_get(root, "listen");
    const struct node *http = node_get(listen, "http");
    const struct node *admin = node_get(listen, "admin");
    struct config *c = b->c;

    c->http = arena_array(&c->arena, struct address, LISTENERS_MAX);
    if (http->kind == NODE_SCALAR)
        add_listener(b, http);
    for (size_t i = 0; http->kind == NODE_LIST && i < http->count; i++)
        add_listener(b, http->items[i]);
    if (c->http_count == 0)
        report_error(b->r, http->line, http->column, "at least one address is needed");
    bool good = address_parse(text_of(listen, "admin", "listen.admin"), &c->admin);
    check(good);
    if (!is_loopback(&c->admin))
        report_error(b->r, admin->line, admin->column,
                     "the admin address must be a loopback address (127.0.0.1, [::1]) in this "
                     "version: it has no tokens and no TLS yet");
    for (size_t i = 0; i < c->http_count; i++) {
        if (admin && address_equal(&c->http[i], &c->admin))
            report_error(b->r, admin->line, admin->column,
                         "listen.admin and listen.http are the same address");
    }
}

static void build_limits(struct builder *b, const struct node *root)
{
    const struct node *l = node_get(root, "limits");

    b->c->limits = (struct limits){
        .connections = count_of(l, "connections", "limits.connections"),
        .head = (uint32_t)size_of(l, "head", "limits.head"),
        .fields = count_of(l, "fields", "limits.fields"),
        .line = (uint32_t)size_of(l, "line", "limits.line"),
        .body = size_of(l, "body", "limits.body"),
        .header_time = duration_of(l, "header-time", "limits.header-time"),
    };
    if (b->c->limits.line > b->c->limits.head)
        report_error(b->r, l->line, l->column,
                     "limits.line is larger than limits.head, of which it is a part");
}

static void build_process(struct builder *b, const struct node *root)
{
    struct config *c = b->c;
    struct span workers = text_of(root, "workers", "workers");
    struct span store = text_of(root, "store", "store");
    char level[16];
    enum log_level parsed = LOG_INFO;

    if (span_equal(workers, SPAN("auto"))) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        c->workers = cores < 1 ? 1 : cores > WORKERS_MAX ? WORKERS_MAX : (uint32_t)cores;
    } else {
        c->workers = count_of(root, "workers", "workers");
    }
    bool absolute = store.p[0] == '/' || span_equal(store, SPAN(":memory:"));
    c->store = span_from_text(absolute || !*b->folder
                                  ? arena_text(&c->arena, store)
                                  : arena_print(&c->arena, "%s/%.*s", b->folder, SPAN_ARG(store)));
    snprintf(level, sizeof(level), "%.*s",
             SPAN_ARG(text_of(node_get(root, "log"), "level", "log.level")));
    bool good = log_level_parse(level, &parsed);
    check(good);
    c->log_level = (int)parsed;
}

/* ---- services */

static void build_instance(struct builder *b, struct service *s, const struct node *n)
{
    const struct node *address = n->kind == NODE_MAP ? node_get(n, "address") : n;
    struct instance *in = &s->instances[s->instance_count];
    struct span host;
    uint16_t port;

    *in = (struct instance){ .weight = 1 };
    if (n->kind == NODE_MAP) {
        for (size_t i = 0; i < n->count; i++) {
            struct span key = n->keys[i];
            if (span_equal(key, SPAN("weight")))
                report_error(b->r, n->items[i]->line, n->items[i]->column,
                             "'weight' is not in this version");
            else if (span_equal(key, SPAN("release")))
                in->release = arena_span(&b->c->arena, n->items[i]->text);
            else if (span_equal(key, SPAN("zone")))
                in->zone = arena_span(&b->c->arena, n->items[i]->text);
            else if (!span_equal(key, SPAN("address")))
                report_error(b->r, n->key_lines[i], n->key_columns[i],
                             "unknown key '%.*s'; known here: address, release, zone",
                             SPAN_ARG(key));
        }
    }
    if (!address || address->kind != NODE_SCALAR) {
        report_error(b->r, n->line, n->column,
                     "an instance is host:port, \"unix:/path\", or { address: host:port }");
        return;
    }
    in->text = arena_span(&b->c->arena, address->text);
    if (!address_parse(in->text, &in->address)) {
        if (!address_split(in->text, &host, &port) || span_starts_with(in->text, SPAN("unix:"))) {
            report_error(b->r, address->line, address->column,
                         "'%.*s' is not an instance: host:port or \"unix:/path\" (at most 107 "
                         "bytes) was expected",
                         SPAN_ARG(in->text));
            return;
        }
        in->host = arena_span(&b->c->arena, host);
    }
    for (size_t i = 0; i < s->instance_count; i++) {
        if (span_equal(s->instances[i].text, in->text))
            report_error(b->r, address->line, address->column, "the instance %.*s is given twice",
                         SPAN_ARG(in->text));
    }
    s->instance_count++;
}

static void build_service(struct builder *b, struct span name, const struct node *n)
{
    struct service *s = &b->c->services[b->c->service_count++];
    const struct node *instances = node_get(n, "instances");
    const struct node *timeout = node_get(n, "timeout");

    *s = (struct service){
        .name = arena_span(&b->c->arena, name),
        .owner = kept_text(b, n, "owner", "services.*.owner"),
        .environment = kept_text(b, n, "environment", "services.*.environment"),
        .class_ = kept_text(b, n, "class", "services.*.class"),
        .balance = BALANCE_ROUND_ROBIN,
        .timeout = { .connect = duration_of(timeout, "connect", "services.*.timeout.connect"),
                     .head = duration_of(timeout, "head", "services.*.timeout.head"),
                     .idle = duration_of(timeout, "idle", "services.*.timeout.idle") },
    };
    if (instances->count == 0 || instances->count > INSTANCES_MAX) {
        report_error(b->r, instances->line, instances->column,
                     "service '%.*s' needs from 1 to %d instances", SPAN_ARG(name), INSTANCES_MAX);
        return;
    }
    s->instances = arena_array(&b->c->arena, struct instance, instances->count);
    for (size_t i = 0; i < instances->count; i++)
        build_instance(b, s, instances->items[i]);
}

static void build_services(struct builder *b, const struct node *root)
{
    const struct node *n = node_get(root, "services");

    if (n->count > SERVICES_MAX) {
        report_error(b->r, n->line, n->column, "at most %d services", SERVICES_MAX);
        return;
    }
    b->c->services = arena_array(&b->c->arena, struct service, n->count);
    for (size_t i = 0; i < n->count; i++)
        build_service(b, n->keys[i], n->items[i]);
}

/* ---- routes */

static struct service *find_service(struct builder *b, const struct node *n)
{
    struct span nearest = { NULL, 0 };
    size_t best = 4;

    for (size_t i = 0; i < b->c->service_count; i++) {
        struct service *s = &b->c->services[i];
        if (span_equal(s->name, n->text))
            return s;
        size_t d = span_distance(s->name, n->text, 3);
        if (d < best) {
            best = d;
            nearest = s->name;
        }
    }
    report_error(b->r, n->line, n->column, "there is no service '%.*s'%s%.*s%s", SPAN_ARG(n->text),
                 nearest.n ? ", did you mean '" : "", SPAN_ARG(nearest), nearest.n ? "'?" : "");
    return NULL;
}

static bool valid_method(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((s.p[i] < 'A' || s.p[i] > 'Z') && s.p[i] != '-')
            return false;
    }
    return s.n > 0;
}

static ns_t override(const struct node *timeout, const char *key, const char *path, ns_t standard)
{
    return node_get(timeout, key) ? duration_of(timeout, key, path) : standard;
}

static void build_route(struct builder *b, const struct node *n)
{
    struct route *route = &b->c->routes[b->c->route_count];
    const struct node *path = node_get(n, "path");
    const struct node *method = node_get(n, "method");
    const struct node *host = node_get(n, "host");
    const struct node *timeout = node_get(n, "timeout");
    struct service *s = find_service(b, node_get(n, "service"));
    const char *wrong =
        path->text.n && path->text.p[0] == '/'
            ? pattern_parse(&b->c->arena, arena_span(&b->c->arena, path->text), &route->pattern)
            : "a path begins with '/'";

    if (wrong)
        report_error(b->r, path->line, path->column, "'%.*s': %s", SPAN_ARG(path->text), wrong);
    if (method && !valid_method(method->text))
        report_error(b->r, method->line, method->column,
                     "'%.*s' is no method; methods are written in capitals, such as GET",
                     SPAN_ARG(method->text));
    if (!s || wrong)
        return;
    if (method)
        route->pattern.method = arena_span(&b->c->arena, method->text);
    if (host)
        route->pattern.host = arena_span(&b->c->arena, host->text);
    route->service = s;
    route->timeout = (struct timeouts){
        .connect = override(timeout, "connect", "routes[].timeout.connect", s->timeout.connect),
        .head = override(timeout, "head", "routes[].timeout.head", s->timeout.head),
        .idle = override(timeout, "idle", "routes[].timeout.idle", s->timeout.idle),
    };
    for (size_t i = 0; i < b->c->route_count; i++) {
        const struct pattern *p = &b->c->routes[i].pattern;
        if (p->method.n == 0 && p->host.n == 0 && span_equal(p->path, SPAN("/*")))
            report_warning(b->r, n->line, n->column,
                           "this route is never reached: an earlier one takes every request");
    }
    b->c->route_count++;
}

static void build_routes(struct builder *b, const struct node *root)
{
    const struct node *n = node_get(root, "routes");
    struct config *c = b->c;

    if (n && n->count > 0) {
        if (n->count > ROUTES_MAX) {
            report_error(b->r, n->line, n->column, "at most %d routes", ROUTES_MAX);
            return;
        }
        c->routes = arena_array(&c->arena, struct route, n->count);
        for (size_t i = 0; i < n->count; i++)
            build_route(b, n->items[i]);
        return;
    }
    if (c->service_count != 1) {
        const struct node *services = node_get(root, "services");
        report_error(b->r, services->line, services->column,
                     "there are %zu services but no `routes` that say which requests go to which",
                     c->service_count);
        return;
    }
    c->routes = arena_new(&c->arena, struct route);
    const char *wrong = pattern_parse(&c->arena, SPAN("/*"), &c->routes[0].pattern);
    check(!wrong);
    c->routes[0].service = &c->services[0];
    c->routes[0].timeout = c->services[0].timeout;
    c->route_count = 1;
}

/* ---- journeys */

static void build_journey_routes(struct builder *b, struct journey *j, const struct node *list)
{
    struct arena *a = &b->c->arena;

    if (list->count == 0 || list->count > JOURNEY_ROUTES_MAX) {
        report_error(b->r, list->line, list->column, "journey '%.*s' needs from 1 to %d routes",
                     SPAN_ARG(j->name), JOURNEY_ROUTES_MAX);
        return;
    }
    j->routes = arena_array(a, struct pattern, list->count);
    for (size_t i = 0; i < list->count; i++) {
        const struct node *n = list->items[i];
        const char *wrong = n->kind == NODE_SCALAR
                                ? pattern_parse(a, arena_span(a, n->text), &j->routes[i])
                                : "a route is text, such as GET /product/{id}";
        if (wrong)
            report_error(b->r, n->line, n->column, "'%.*s': %s", SPAN_ARG(n->text), wrong);
        for (size_t k = 0; !wrong && k < b->c->journey_count; k++) {
            for (size_t m = 0; m < b->c->journeys[k].route_count; m++) {
                if (span_equal(b->c->journeys[k].routes[m].text, j->routes[i].text))
                    report_warning(b->r, n->line, n->column,
                                   "'%.*s' is counted by journey '%.*s' already, which comes first",
                                   SPAN_ARG(n->text), SPAN_ARG(b->c->journeys[k].name));
            }
        }
        j->route_count++;
    }
}

static void build_statuses(struct builder *b, struct journey *j, const struct node *bad)
{
    const struct node *list = node_get(bad, "statuses");

    if (!list) {
        bool good = value_statuses(SPAN("500-599"), &j->bad);
        check(good);
    }
    for (size_t i = 0; list && i < list->count; i++) {
        const struct node *n = list->items[i];
        if (n->kind != NODE_SCALAR || !value_statuses(n->text, &j->bad))
            report_error(
                b->r, n->line, n->column,
                "'%.*s' is no status from 100 to 599 and no range of them, such as 500-599",
                SPAN_ARG(n->text));
    }
}

static void build_objectives(struct builder *b, struct journey *j, const struct node *map)
{
    if (!map)
        return;
    if (map->count > OBJECTIVES_MAX) {
        report_error(b->r, map->line, map->column, "at most %d objectives", OBJECTIVES_MAX);
        return;
    }
    j->objectives = arena_array(&b->c->arena, struct objective, map->count);
    for (size_t i = 0; i < map->count; i++) {
        const struct node *n = map->items[i];
        struct objective *o = &j->objectives[j->objective_count++];
        o->name = arena_span(&b->c->arena, map->keys[i]);
        bool good = value_share(text_of(n, "target", "journeys.*.objectives.*.target"), &o->target);
        check(good);
        o->under =
            node_get(n, "under") ? duration_of(n, "under", "journeys.*.objectives.*.under") : 0;
        o->window_s = duration_of(n, "window", "journeys.*.objectives.*.window") / NS_PER_S;
    }
}

/* A hash of all that gives the journey's counters their meaning. Owner, runbook, priority, targets and
 * windows may change without losing a count. */
static uint64_t definition_of(const struct journey *j)
{
    struct str text = str_growing();

    for (size_t i = 0; i < j->route_count; i++)
        str_print(&text, "route %.*s\n", SPAN_ARG(j->routes[i].text));
    for (size_t i = 0; i < sizeof(j->bad.bits) / sizeof(j->bad.bits[0]); i++)
        str_print(&text, "bad %016lx\n", (unsigned long)j->bad.bits[i]);
    str_print(&text, "client-gone %d\n", j->client_gone_bad);
    for (size_t i = 0; i < j->objective_count; i++)
        str_print(&text, "objective %.*s %ld\n", SPAN_ARG(j->objectives[i].name),
                  (long)j->objectives[i].under);
    uint64_t hash = span_hash(str_span(&text), 0);
    str_free(&text);
    return hash;
}

static void build_journey(struct builder *b, struct span name, const struct node *n)
{
    struct journey *j = &b->c->journeys[b->c->journey_count];
    const struct node *bad = node_get(n, "bad");

    *j = (struct journey){
        .name = arena_span(&b->c->arena, name),
        .owner = kept_text(b, n, "owner", "journeys.*.owner"),
        .runbook = kept_text(b, n, "runbook", "journeys.*.runbook"),
        .priority = span_equal(text_of(n, "priority", "journeys.*.priority"), SPAN("must-have"))
                        ? PRIORITY_MUST_HAVE
                        : PRIORITY_NICE_TO_HAVE,
    };
    if (span_equal(name, SPAN("unclaimed")))
        report_error(b->r, n->line, n->column,
                     "'unclaimed' is the implicit journey of all requests that no other takes; "
                     "choose another name");
    build_journey_routes(b, j, node_get(n, "routes"));
    build_statuses(b, j, bad);
    bool good =
        value_bool(text_of(bad, "client-gone", "journeys.*.bad.client-gone"), &j->client_gone_bad);
    check(good);
    build_objectives(b, j, node_get(n, "objectives"));
    j->definition = definition_of(j);
    b->c->journey_count++;
}

static void add_unclaimed(struct config *c)
{
    struct journey *j = &c->journeys[c->journey_count++];

    *j = (struct journey){ .name = SPAN("unclaimed"), .priority = PRIORITY_NICE_TO_HAVE };
    bool good = value_statuses(SPAN("500-599"), &j->bad);
    check(good);
    j->definition = definition_of(j);
}

static void build_journeys(struct builder *b, const struct node *root)
{
    const struct node *n = node_get(root, "journeys");
    size_t count = n ? n->count : 0;

    if (count >= JOURNEYS_MAX) {
        report_error(b->r, n->line, n->column, "at most %d journeys", JOURNEYS_MAX - 1);
        return;
    }
    b->c->journeys = arena_array(&b->c->arena, struct journey, count + 1);
    for (size_t i = 0; i < count; i++)
        build_journey(b, n->keys[i], n->items[i]);
    add_unclaimed(b->c);
}

/* ---- reading */

void config_free(struct config *c)
{
    arena_free(&c->arena);
    free(c);
}

static void build(struct builder *b, const struct node *root)
{
    build_listen(b, root);
    build_limits(b, root);
    build_process(b, root);
    build_services(b, root);
    build_routes(b, root);
    build_journeys(b, root);
}

static void read_text(struct span text, const char *folder, struct config **ret_config,
                      struct config_report *r)
{
    struct arena tree = {};
    struct config *c = calloc(1, sizeof(*c));
    struct builder b = { .c = c, .r = r, .folder = folder };

    check(c != NULL);
    struct node *root = config_parse(&tree, text, r);
    if (root)
        config_check(root, r);
    if (root && !r->errors) {
        c->path = arena_span(&c->arena, span_from_text(r->file));
        build(&b, root);
    }
    arena_free(&tree);
    if (r->errors)
        config_free(c);
    else
        *ret_config = c;
}

static err verdict(const struct config_report *r)
{
    if (!r->errors)
        return OK;
    return err_make("%s has %u error%s; nothing of it is in force", r->file, r->errors,
                    r->errors == 1 ? "" : "s");
}

err config_read_text(const char *name, struct span text, const char *folder,
                     struct config **ret_config, struct config_report *report)
{
    *report = (struct config_report){ .file = name, .text = str_growing() };
    read_text(text, folder, ret_config, report);
    return verdict(report);
}

static err read_file(const char *path, struct str *text)
{
    FILE *f = fopen(path, "re");
    char piece[4096];
    size_t n;

    if (!f)
        return err_system(errno, "cannot read the configuration %s", path);
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0 && text->n <= CONFIG_BYTES_MAX)
        str_put(text, span_of(piece, n));
    bool failed = ferror(f);
    fclose(f);
    if (failed)
        return err_make("cannot read the configuration %s: is it a file?", path);
    if (text->n > CONFIG_BYTES_MAX)
        return err_make("%s is larger than %d KiB: that is no configuration", path,
                        CONFIG_BYTES_MAX >> 10);
    return OK;
}

static void folder_of(const char *path, char *folder, size_t size)
{
    const char *slash = strrchr(path, '/');

    snprintf(folder, size, "%.*s", slash ? (int)(slash - path) : 0, path);
    if (slash == path)
        snprintf(folder, size, "/");
}

err config_read_file(const char *path, struct config **ret_config, struct config_report *report)
{
    struct str text = str_growing();
    char folder[4096];

    *report = (struct config_report){ .file = path, .text = str_growing() };
    err e = read_file(path, &text);
    if (!e.failed) {
        folder_of(path, folder, sizeof(folder));
        read_text(str_span(&text), folder, ret_config, report);
        e = verdict(report);
    }
    str_free(&text);
    return e;
}

err config_for_target(const char *target, struct config **ret_config, struct config_report *report)
{
    struct span host;
    uint16_t port;
    struct str text = str_growing();

    *report = (struct config_report){ .file = "--to", .text = str_growing() };
    if (!span_starts_with(span_from_text(target), SPAN("unix:")) &&
        !address_split(span_from_text(target), &host, &port)) {
        str_free(&text);
        return err_make("--to %s: HOST:PORT was expected, such as 127.0.0.1:3000", target);
    }
    str_print(&text,
              "listen: { http: 127.0.0.1:8080 }\n"
              "services: { app: { instances: [\"%s\"] } }\n"
              "journeys:\n"
              "  everything:\n"
              "    routes: [\"/*\"]\n"
              "    objectives:\n"
              "      available: { target: 99.9%% }\n"
              "      fast: { target: 95%%, under: 500ms }\n",
              target);
    read_text(str_span(&text), "", ret_config, report);
    str_free(&text);
    return verdict(report);
}

void config_report_print(const struct config_report *report, FILE *to)
{
    if (report->text.n)
        fwrite(report->text.p, 1, report->text.n, to);
    if (report->errors > CONFIG_ERRORS_MAX)
        fprintf(to, "%s: and %u more errors\n", report->file, report->errors - CONFIG_ERRORS_MAX);
}

void config_report_free(struct config_report *report)
{
    str_free(&report->text);
}
