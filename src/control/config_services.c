/* SPDX-License-Identifier: Apache-2.0 */
/* config_services.c - services with their instances, and the routes that lead to them. */
#include "control/config_build.h"

#include "base/check.h"

/* ---- instances */

/* The same place: literals by their address, names by how they are written. */
static bool same_instance(const struct instance *a, const struct instance *b)
{
    if (a->address.length && b->address.length)
        return address_equal(&a->address, &b->address);
    return span_equal_nocase(a->text, b->text);
}

bool instance_parse(struct arena *a, struct span text, struct instance *ret_instance)
{
    struct instance in = { .text = arena_span(a, text), .weight = 1, .file_weight = 1 };
    uint16_t port;

    in.from = in.text;
    in.hash = span_hash(in.text, 0);
    if (!address_parse(in.text, &in.address) && !address_split(in.text, &in.host, &port))
        return false;
    *ret_instance = in;
    return true;
}

static bool read_instance(struct builder *b, struct node *n, struct instance *ret_instance)
{
    struct instance in;

    if (!instance_parse(&b->c->arena, resolved_address(b, n->text), &in)) {
        report_bad(
            b->r, n,
            span_starts_with(n->text, SPAN("unix:"))
                ? "'%s' is no unix socket: its path, with its folder, has from 1 to 107 bytes"
                : "'%s' is not an instance: host:port or \"unix:/path\" was expected, with a "
                  "port from 1 to 65535",
            shown(n->text).text);
        return false;
    }
    in.text = in.from = arena_span(&b->c->arena, n->text); /* as people know it */
    in.hash = span_hash(in.text, 0);
    *ret_instance = in;
    return true;
}

static void build_instance(struct builder *b, struct service *s, struct node *n)
{
    struct node *address = n->kind == NODE_MAP ? node_get(n, "address") : n;
    struct instance in;

    if (n->bad || !address || !read_instance(b, address, &in))
        return;
    in.release = kept_text(b, n, "release", "services.*.instances[].release");
    in.zone = kept_text(b, n, "zone", "services.*.instances[].zone");
    in.weight = count_of(n, "weight", "services.*.instances[].weight");
    bool good = value_bool(text_of(n, "drain", "services.*.instances[].drain"), &in.drain);
    check(good);
    in.file_drain = in.drain;
    in.file_weight = in.weight;
    for (size_t i = 0; i < s->instance_count; i++) {
        if (same_instance(&s->instances[i], &in)) {
            report_error(b->r, address, "the instance %s is given twice",
                         shown(address->text).text);
            return;
        }
    }
    s->instances[s->instance_count++] = in;
}

/* ---- services */

static struct span path_at(struct builder *b, const struct node *map, const char *key)
{
    const struct node *n = node_get(map, key);

    return n ? resolved_path(b, n->text) : SPAN("");
}

static const struct service_tls *build_tls(struct builder *b, const struct node *n)
{
    if (!n)
        return NULL;
    struct service_tls *tls = arena_new(&b->c->arena, struct service_tls);
    *tls = (struct service_tls){
        .ca = path_at(b, n, "ca"),
        .server_name = kept_text(b, n, "server-name", "services.*.tls.server-name"),
        .own = { .chain = path_at(b, n, "certificate"), .key = path_at(b, n, "key") },
    };
    if ((tls->own.chain.n == 0) != (tls->own.key.n == 0))
        report_error(b->r, n, "certificate and key belong together");
    return tls;
}

/* ---- choosing, checking, trying again */

static void build_balance(struct builder *b, struct service *s, struct node *n)
{
    static const struct span words[] = { SPAN_INIT("p2c"), SPAN_INIT("least-requests"),
                                         SPAN_INIT("round-robin") };
    struct node *hash = n && n->kind == NODE_MAP ? node_get(n, "hash") : NULL;

    for (unsigned i = 0; n && n->kind == NODE_SCALAR && i < sizeof(words) / sizeof(words[0]); i++) {
        if (span_equal(n->text, words[i]))
            s->balance = (enum balance)i;
    }
    if (!hash)
        return;
    s->balance = BALANCE_HASH;
    if (!identity_parse(&b->c->arena, hash->text, &s->hash_on) ||
        s->hash_on.kind == IDENTITY_SUBDOMAIN)
        report_bad(b->r, hash, "'%s': cookie:NAME or header:NAME was expected",
                   shown(hash->text).text);
}

static void build_health(struct builder *b, struct service *s, const struct node *n)
{
    struct node *path = node_get(n, "path");

    s->health = (struct health){
        .path = kept_text(b, n, "path", "services.*.health.path"),
        .host = kept_text(b, n, "host", "services.*.health.host"),
        .body = kept_text(b, n, "body", "services.*.health.body"),
        .interval = duration_of(n, "interval", "services.*.health.interval"),
        .timeout = duration_of(n, "timeout", "services.*.health.timeout"),
        .fall = count_of(n, "fall", "services.*.health.fall"),
        .rise = count_of(n, "rise", "services.*.health.rise"),
    };
    build_status_list(b, n, "services.*.health.statuses", &s->health.statuses);
    if (path && (path->text.p[0] != '/' || text_has_blank(path->text)))
        report_bad(b->r, path, "'%s': a path begins with '/' and holds no blanks",
                   shown(path->text).text);
    if (node_get(n, "host") && text_has_blank(s->health.host))
        report_bad(b->r, node_get(n, "host"), "'%s': a host holds no blanks",
                   shown(s->health.host).text);
    if (n && !path && (node_get(n, "statuses") || node_get(n, "body") || node_get(n, "host")))
        report_error(
            b->r, n,
            "'path' is missing: statuses, body and host are about a check that asks for one");
}

static void build_eject(struct service *s, const struct node *n)
{
    s->eject = (struct eject){
        .failures = count_of(n, "failures", "services.*.eject.failures"),
        .time = duration_of(n, "time", "services.*.eject.time"),
        .most = duration_of(n, "most", "services.*.eject.most"),
    };
    if (s->eject.most < s->eject.time)
        s->eject.most = s->eject.time;
}

static void build_retry(struct builder *b, struct service *s, const struct node *n)
{
    double budget = 0;
    bool good = value_share(text_of(n, "budget", "services.*.retry.budget"), &budget);

    check(good);
    s->retry = (struct retry){
        .attempts = count_of(n, "attempts", "services.*.retry.attempts"),
        .budget_ppm = (uint32_t)(budget * 1e6 + 0.5),
        .backoff = duration_of(n, "backoff", "services.*.retry.backoff"),
    };
    build_status_list(b, n, "services.*.retry.statuses", &s->retry.statuses);
}

static struct timeouts build_timeouts(const struct node *n)
{
    struct timeouts t = { .connect = duration_of(n, "connect", "services.*.timeout.connect"),
                          .head = duration_of(n, "head", "services.*.timeout.head"),
                          .idle = duration_of(n, "idle", "services.*.timeout.idle"),
                          .stream = duration_of(n, "stream", "services.*.timeout.stream") };

    t.total =
        node_get(n, "total") ? duration_of(n, "total", "services.*.timeout.total") : 2 * t.head;
    return t;
}

static void build_service(struct builder *b, const struct node *name, const struct node *n)
{
    struct service *s = &b->c->services[b->c->service_count++];
    const struct node *instances = node_get(n, "instances");

    *s = (struct service){
        .name = arena_span(&b->c->arena, name->text),
        .owner = kept_text(b, n, "owner", "services.*.owner"),
        .environment = kept_text(b, n, "environment", "services.*.environment"),
        .class_ = kept_text(b, n, "class", "services.*.class"),
        .mode = span_equal(text_of(n, "mode", "services.*.mode"), SPAN("observe")) ? MODE_OBSERVE
                                                                                   : MODE_ACT,
        .slow_start = duration_of(n, "slow-start", "services.*.slow-start"),
        .timeout = build_timeouts(node_get(n, "timeout")),
        .tls = build_tls(b, node_get(n, "tls")),
    };
    build_balance(b, s, node_get(n, "balance"));
    build_health(b, s, node_get(n, "health"));
    build_eject(s, node_get(n, "eject"));
    build_retry(b, s, node_get(n, "retry"));
    if (!instances)
        return; /* told already */
    if (instances->count == 0 || instances->count > INSTANCES_MAX) {
        report_error(b->r, instances, "service '%s' needs from 1 to %d instances",
                     shown(name->text).text, INSTANCES_MAX);
        return;
    }
    s->instances = arena_array(&b->c->arena, struct instance, instances->count);
    for (size_t i = 0; i < instances->count; i++)
        build_instance(b, s, instances->items[i]);
}

void build_services(struct builder *b, const struct node *services)
{
    if (!services)
        return;
    if (services->count > SERVICES_MAX)
        report_error(b->r, services, "at most %d services", SERVICES_MAX);
    b->c->services = arena_array(&b->c->arena, struct service, services->count);
    for (size_t i = 0; i < services->count; i++)
        build_service(b, services->keys[i], services->items[i]);
}

/* ---- routes */

static struct service *find_service(struct builder *b, const struct node *n)
{
    struct config *c = b->c;
    struct span nearest = { NULL, 0 };
    size_t best = SIZE_MAX;
    size_t d;

    for (size_t i = 0; i < c->service_count; i++) {
        struct service *s = &c->services[i];
        if (span_equal(s->name, n->text))
            return s;
        if (is_near(s->name, n->text, &d) && d < best) {
            best = d;
            nearest = s->name;
        }
    }
    if (c->service_count) /* else it was told that there are none */
        report_error(b->r, n, "there is no service '%s'%s%.*s%s", shown(n->text).text,
                     nearest.n ? ", did you mean '" : "", SPAN_ARG(nearest), nearest.n ? "'?" : "");
    return NULL;
}

static ns_t override(const struct node *timeout, const char *key, const char *path, ns_t standard)
{
    return node_get(timeout, key) ? duration_of(timeout, key, path) : standard;
}

/* The value at `key` when `wrong_with` finds nothing wrong, else empty. */
static struct span checked_part(struct builder *b, const struct node *map, const char *key,
                                const char *(*wrong_with)(struct span))
{
    struct node *n = node_get(map, key);
    const char *wrong = n ? wrong_with(n->text) : NULL;

    if (wrong)
        report_bad(b->r, n, "'%s': %s", shown(n->text).text, wrong);
    return n && !wrong ? n->text : SPAN("");
}

/* "GET shop.example.com/cart", from the three keys. */
static bool read_pattern(struct builder *b, const struct node *n, struct pattern *ret_pattern)
{
    struct node *path = node_get(n, "path");
    struct span method = checked_part(b, n, "method", pattern_method_wrong);
    struct span host = checked_part(b, n, "host", pattern_host_wrong);
    const char *wrong = "a path begins with '/'; method and host have keys of their own";

    if (!path)
        return false;
    if (path->text.p[0] == '/') {
        const char *text = arena_print(&b->c->arena, "%.*s%s%.*s%.*s", SPAN_ARG(method),
                                       method.n ? " " : "", SPAN_ARG(host), SPAN_ARG(path->text));
        wrong = pattern_parse(&b->c->arena, span_from_text(text), ret_pattern);
    }
    if (wrong)
        report_bad(b->r, path, "'%s': %s", shown(path->text).text, wrong);
    return !wrong;
}

static void warn_if_unreached(struct builder *b, const struct route *route, const struct node *n,
                              const size_t *lines)
{
    for (const struct route *earlier = b->c->routes; earlier < route; earlier++) {
        if (pattern_covers(&earlier->pattern, &route->pattern)) {
            report_warning(b->r, n,
                           "this route is never reached: the one in line %zu takes all of its "
                           "requests",
                           lines[earlier - b->c->routes]);
            return;
        }
    }
}

static void build_route(struct builder *b, const struct node *n, size_t *lines)
{
    struct route *route = &b->c->routes[b->c->route_count];
    const struct node *timeout = node_get(n, "timeout");
    const struct node *service = node_get(n, "service");
    struct service *s = service ? find_service(b, service) : NULL;

    if (!read_pattern(b, n, &route->pattern) || !s)
        return;
    route->service = s;
    route->timeout = (struct timeouts){
        .connect = override(timeout, "connect", "routes[].timeout.connect", s->timeout.connect),
        .head = override(timeout, "head", "routes[].timeout.head", s->timeout.head),
        .idle = override(timeout, "idle", "routes[].timeout.idle", s->timeout.idle),
        .stream = override(timeout, "stream", "routes[].timeout.stream", s->timeout.stream),
    };
    /* a route that changes only the head gets twice that, as a service does */
    route->timeout.total =
        override(timeout, "total", "routes[].timeout.total",
                 node_get(timeout, "head") && route->timeout.head * 2 > s->timeout.total
                     ? route->timeout.head * 2
                     : s->timeout.total);
    route->attempts = node_get(node_get(n, "retry"), "attempts")
                          ? count_of(node_get(n, "retry"), "attempts", "routes[].retry.attempts")
                          : s->retry.attempts;
    warn_if_unreached(b, route, n, lines);
    lines[b->c->route_count++] = n->line;
}

static void add_implicit_route(struct config *c)
{
    c->routes = arena_new(&c->arena, struct route);
    const char *wrong = pattern_parse(&c->arena, SPAN("/*"), &c->routes[0].pattern);
    check(!wrong);
    c->routes[0].service = &c->services[0];
    c->routes[0].timeout = c->services[0].timeout;
    c->routes[0].attempts = c->services[0].retry.attempts;
    c->route_count = 1;
}

static void warn_of_unused(struct builder *b, const struct node *services)
{
    const struct config *c = b->c;

    for (size_t s = 0; s < c->service_count; s++) {
        size_t r = 0;
        while (r < c->route_count && c->routes[r].service != &c->services[s])
            r++;
        if (r == c->route_count)
            report_warning(b->r, services->keys[s], "no route leads to service '%.*s'",
                           SPAN_ARG(c->services[s].name));
    }
}

void build_routes(struct builder *b, const struct node *root)
{
    const struct node *services = node_get(root, "services");
    const struct node *n = node_get(root, "routes");
    struct config *c = b->c;

    if (n && n->count > ROUTES_MAX) {
        report_error(b->r, n, "at most %d routes", ROUTES_MAX);
    } else if (n && n->count > 0) {
        size_t *lines = arena_array(&c->arena, size_t, n->count);
        c->routes = arena_array(&c->arena, struct route, n->count);
        for (size_t i = 0; i < n->count; i++)
            build_route(b, n->items[i], lines);
        if (c->route_count == n->count)
            warn_of_unused(b, services);
    } else if (c->service_count == 1) {
        add_implicit_route(c);
    } else if (c->service_count > 1 && (n || !node_has(root, SPAN("routes")))) {
        report_error(b->r, services,
                     "there are %zu services but no `routes` that say which requests go to which",
                     c->service_count);
    }
}
