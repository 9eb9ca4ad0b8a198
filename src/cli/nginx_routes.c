/* SPDX-License-Identifier: Apache-2.0 */
/* nginx_routes.c - from locations to routes. nginx chooses a server by the host (exact names before wildcards,
 * then the default server) and in it a location: exact ones, then the longest prefix. Here the first route that
 * matches wins, so they are written in that order. */
#include "cli/nginx_scopes.h"

#include "base/check.h"
#include "core/pattern.h"

#include <stdlib.h>

enum {
    ROUTES_WRITTEN_MAX = 4000, /* the configuration takes 4096 */
    SERVICES_WRITTEN_MAX = 250,
    NGINX_TIMEOUT_MS = 60000, /* of proxy_connect_timeout and proxy_read_timeout, unless said */
};

struct routing {
    struct adopting *n;
    struct scope **locations; /* of one server, in nginx's order */
    size_t location_count;
    struct pattern *patterns; /* of the routes that were made */
    size_t route_count;
    struct adopted_route **end;
    size_t service_count;
};

/* ---- what is inherited */

static int64_t inherited(const struct scope *s, size_t offset, int64_t standard)
{
    for (; s; s = s->parent) {
        int64_t value;
        memcpy(&value, (const char *)s + offset, sizeof(value));
        if (value >= 0)
            return value;
    }
    return standard;
}

static const char *inherited_text(const struct scope *s, size_t offset)
{
    const char *text = NULL;

    for (; s && !text; s = s->parent)
        memcpy(&text, (const char *)s + offset, sizeof(text));
    return text;
}

static ns_t bounded(int64_t ms, ns_t most)
{
    ns_t ns = ms > most / NS_PER_MS ? most : ms * NS_PER_MS;

    return ns < NS_PER_MS * 100 ? 100 * NS_PER_MS : ns;
}

/* Within what the configuration takes: a minute to connect, an hour to answer. */
static struct adopted_timeouts timeouts_of(const struct scope *l)
{
    return (struct adopted_timeouts){
        .connect = bounded(inherited(l, offsetof(struct scope, connect_ms), NGINX_TIMEOUT_MS),
                           60 * NS_PER_S),
        .read = bounded(inherited(l, offsetof(struct scope, read_ms), NGINX_TIMEOUT_MS),
                        3600 * NS_PER_S),
    };
}

static unsigned attempts_of(const struct scope *l)
{
    for (const struct scope *s = l; s; s = s->parent) {
        if (s->no_retry)
            return 1;
    }
    int64_t tries = inherited(l, offsetof(struct scope, tries), 0);
    return tries > 0 ? (unsigned)tries : 0;
}

/* ---- services */

/* Of letters, digits and '-', as names are here; unlike the others. */
static const char *name_for(struct routing *r, struct span wish)
{
    char name[64];
    size_t n = 0;
    const struct adopted_service *s;
    unsigned number = 1;

    for (size_t i = 0; i < wish.n && n < 48; i++) {
        char c = ascii_lower(wish.p[i]);
        bool plain = (c >= 'a' && c <= 'z') || ascii_digit(c);
        if (plain || (n > 0 && (c == '-' || c == '_' || c == '.')))
            name[n++] = c;
        else if (n > 0 && name[n - 1] != '-')
            name[n++] = '-';
    }
    while (n > 0 && name[n - 1] == '-')
        n--;
    struct span base = n ? span_of(name, n) : SPAN("app");
    const char *made = arena_text(r->n->a->arena, base);
    do {
        for (s = r->n->a->services; s && strcmp(s->name, made) != 0; s = s->next)
            ;
        if (s)
            made = arena_print(r->n->a->arena, "%.*s-%u", SPAN_ARG(base), ++number);
    } while (s);
    return made;
}

static void add_service(struct routing *r, struct adopted_service *service, struct span wish)
{
    struct adopted_service **at = &r->n->a->services;

    service->name = name_for(r, wish);
    while (*at)
        at = &(*at)->next;
    *at = service;
    r->service_count++;
}

struct target {
    bool tls;
    struct span host; /* with its port; or "unix:/path" */
    struct span uri;
};

/* "http://host:port/uri", "http://unix:/path:/uri" */
static bool split_target(struct span url, struct target *t)
{
    t->tls = span_starts_with(url, SPAN("https://"));
    if (!t->tls && !span_starts_with(url, SPAN("http://")))
        return false;
    struct span rest = span_after(url, t->tls ? 8 : 7);
    if (span_starts_with(rest, SPAN("unix:"))) {
        size_t end = 5 + span_find(span_after(rest, 5), ':');
        t->host = span_of(rest.p, end);
        t->uri = span_after(rest, end + 1);
    } else {
        size_t slash = span_find(rest, '/');
        t->host = span_of(rest.p, slash);
        t->uri = span_after(rest, slash);
    }
    return t->host.n > 0;
}

static struct scope *find_upstream(const struct routing *r, struct span host)
{
    for (struct scope *s = r->n->first; s; s = s->next) {
        if (s->kind == SCOPE_UPSTREAM && span_equal_nocase(s->path, host))
            return s;
    }
    return NULL;
}

static struct adopted_service *service_of_upstream(struct routing *r, struct scope *u)
{
    struct adopted_service *service = u->service;

    if (service->instance_count == 0)
        return NULL;
    if (!service->name)
        add_service(r, service, u->path);
    return service;
}

/* A host that is no upstream's name: a service of one instance. */
static struct adopted_service *service_of_host(struct routing *r, const struct target *t,
                                               const struct nginx_directive *d)
{
    struct arena *arena = r->n->a->arena;
    struct span behind =
        t->host.p[0] == '[' ? span_after(t->host, span_find(t->host, ']')) : t->host;
    bool whole = span_starts_with(t->host, SPAN("unix:")) || span_find(behind, ':') < behind.n;
    const char *address = arena_print(arena, "%.*s%s", SPAN_ARG(t->host),
                                      whole    ? ""
                                      : t->tls ? ":443"
                                               : ":80");

    for (struct adopted_service *s = r->n->a->services; s; s = s->next) {
        if (s->instance_count == 1 && s->tls == t->tls &&
            strcmp(s->instances->address, address) == 0)
            return s;
    }
    struct adopted_service *s = arena_new(arena, struct adopted_service);
    struct adopted_instance *in = arena_new(arena, struct adopted_instance);
    *in = (struct adopted_instance){ .address = address, .weight = 1 };
    *s = (struct adopted_service){
        .file = d->file, .line = d->line, .instances = in, .instance_count = 1, .tls = t->tls
    };
    bool named = ascii_lower(t->host.p[0]) >= 'a' && ascii_lower(t->host.p[0]) <= 'z' &&
                 !span_starts_with(t->host, SPAN("unix:")) &&
                 !span_starts_with(t->host, SPAN("localhost"));
    add_service(r, s, named ? span_of(t->host.p, span_find(t->host, ':')) : SPAN("app"));
    return s;
}

static bool ends_at_slash(const struct scope *l)
{
    return l->path.p[l->path.n - 1] == '/';
}

/* "/api/" and "/api" become "/api/" and "*". */
static const char *path_of(struct routing *r, struct scope *l)
{
    struct arena *arena = r->n->a->arena;

    if (l->exact)
        return arena_text(arena, l->path);
    return arena_print(arena, "%.*s%s*", SPAN_ARG(l->path), ends_at_slash(l) ? "" : "/");
}

/* Whether the path can stand in a pattern. */
static bool can_be_route(struct routing *r, struct scope *l)
{
    struct adopted *a = r->n->a;
    struct pattern p;
    const char *wrong = pattern_parse(a->arena, span_from_text(path_of(r, l)), &p);

    if (wrong)
        add_note(a, l->notes, l->directive, true, "location %.*s: %s", SPAN_ARG(l->path), wrong);
    return !wrong;
}

/* Where a location leads; NULL when that cannot be translated, which is noted. */
static struct adopted_service *service_of(struct routing *r, struct scope *l)
{
    struct adopted *a = r->n->a;
    struct span url = nginx_argument(l->pass, 0);
    struct target t = {};

    if (span_find(url, '$') < url.n) {
        add_note(a, l->notes, l->pass, true, "proxy_pass %.*s: a variable", SPAN_ARG(url));
        return NULL;
    }
    if (!split_target(url, &t)) {
        add_note(a, l->notes, l->pass, true, "proxy_pass %.*s", SPAN_ARG(url));
        return NULL;
    }
    if (t.uri.n > 0 && !span_equal(t.uri, l->path))
        add_note(a, l->notes, l->pass, true,
                 "proxy_pass %.*s replaces %.*s by %.*s; evenkeel passes the path as it came",
                 SPAN_ARG(url), SPAN_ARG(l->path), SPAN_ARG(t.uri));
    struct scope *u = find_upstream(r, t.host);
    struct adopted_service *s = NULL;
    if (r->service_count < SERVICES_WRITTEN_MAX)
        s = u ? service_of_upstream(r, u) : service_of_host(r, &t, l->pass);
    if (!s)
        add_note(a, l->notes, l->pass, true, "proxy_pass %.*s: no server is left to lead to",
                 SPAN_ARG(url));
    else if (t.tls)
        s->tls = true;
    return s;
}

/* The first location says how long; others say where they differ. */
static void set_service(struct adopted_service *s, const struct scope *l)
{
    if (s->timed)
        return;
    s->timed = true;
    s->timeout = timeouts_of(l);
    s->attempts = attempts_of(l);
    s->tls_ca = inherited_text(l, offsetof(struct scope, tls_ca));
    s->tls_name = inherited_text(l, offsetof(struct scope, tls_name));
}

/* ---- routes */

static struct adopted_timeouts differing(struct adopted_timeouts t,
                                         struct adopted_timeouts of_service)
{
    return (struct adopted_timeouts){
        .connect = t.connect == of_service.connect ? 0 : t.connect,
        .read = t.read == of_service.read ? 0 : t.read,
    };
}

/* False when the same place has a route already, or none can be made. */
static bool add_route(struct routing *r, struct scope *l, struct adopted_service *s,
                      const char *host, const char *path)
{
    struct adopted *a = r->n->a;
    struct pattern p;
    const char *wrong = pattern_parse(
        a->arena, span_from_text(arena_print(a->arena, "%s%s", host ? host : "", path)), &p);

    if (wrong || r->route_count == ROUTES_WRITTEN_MAX) {
        add_note(a, l->notes, l->directive, true, "location %.*s: %s", SPAN_ARG(l->path),
                 wrong ? wrong : "more routes than a configuration takes");
        return false;
    }
    for (size_t i = 0; i < r->route_count; i++) {
        if (pattern_covers(&r->patterns[i], &p))
            return false;
    }
    r->patterns[r->route_count++] = p;
    struct adopted_route *route = arena_new(a->arena, struct adopted_route);
    *route = (struct adopted_route){ .host = host,
                                     .path = path,
                                     .service = s,
                                     .timeout = differing(timeouts_of(l), s->timeout),
                                     .file = l->directive->file,
                                     .line = l->directive->line,
                                     .notes = l->own };
    l->own = (struct notes){}; /* told with its first route */
    *r->end = route;
    r->end = &route->next;
    return true;
}

static struct scope *server_of(struct scope *l)
{
    while (l && l->kind != SCOPE_SERVER)
        l = l->parent;
    return l;
}

static int by_order(const void *a, const void *b)
{
    const struct scope *x = *(struct scope *const *)a;
    const struct scope *y = *(struct scope *const *)b;

    if (x->exact != y->exact)
        return x->exact ? -1 : 1;
    if (x->path.n != y->path.n)
        return x->path.n > y->path.n ? -1 : 1;
    return x->directive->line < y->directive->line ? -1 : x->directive->line > y->directive->line;
}

/* Those of one server that can be translated; the others are noted, once. */
static void list_locations(struct routing *r, const struct scope *server)
{
    r->location_count = 0;
    for (struct scope *s = r->n->first; s; s = s->next) {
        if (s->kind == SCOPE_LOCATION && server_of(s) == server && s->pass && !s->untranslated &&
            s->service)
            r->locations[r->location_count++] = s;
    }
    qsort(r->locations, r->location_count, sizeof(r->locations[0]), by_order);
}

static void move_notes(struct notes *to, struct notes *from)
{
    if (!from->first)
        return;
    if (to->last)
        to->last->next = from->first;
    else
        to->first = from->first;
    to->last = from->last;
    *from = (struct notes){};
}

/* A location that got no route, with what was noted inside. */
static void note_location(struct routing *r, struct scope *l)
{
    struct adopted *a = r->n->a;
    const struct nginx_directive *d = l->directive;
    const char *path =
        d->argument_count > 1
            ? arena_print(a->arena, "%.*s %.*s", SPAN_ARG(d->arguments[0]), SPAN_ARG(l->path))
            : arena_text(a->arena, l->path);

    if (l->untranslated && l->pass)
        add_note(a, &a->servers, d, true,
                 "location %s with proxy_pass %.*s: only exact paths and prefixes are", path,
                 SPAN_ARG(nginx_argument(l->pass, 0)));
    else if (!l->pass)
        add_note(a, &a->servers, d, true,
                 "location %s is answered by nginx itself: it has no proxy_pass", path);
    else if (l->service)
        add_note(a, &a->servers, d, true, "location %s: other routes take its requests", path);
    move_notes(&a->servers, &l->own);
}

/* Where every location leads, before any route is made: services then stand in the order of the file. */
static void resolve(struct routing *r)
{
    for (struct scope *s = r->n->first; s; s = s->next) {
        if (s->kind != SCOPE_LOCATION)
            continue;
        if (s->pass && !s->untranslated && can_be_route(r, s)) {
            s->service = service_of(r, s);
            if (s->service)
                set_service(s->service, s);
        }
        if (s->service && !s->exact && !ends_at_slash(s))
            add_note(r->n->a, s->notes, s->directive, false,
                     "nginx's %.*s also takes paths that only begin so, such as %.*sx; this one "
                     "ends at a '/'",
                     SPAN_ARG(s->path), SPAN_ARG(s->path));
    }
}

/* ---- hosts */

enum host_kind { HOST_EXACT, HOST_WILDCARD };

/* The hosts of a name: "*.a" and ".a" have a wildcard one, ".a" and "a" an exact one. */
static const char *host_of(struct arena *arena, struct span name, enum host_kind kind)
{
    bool dot = name.n > 1 && name.p[0] == '.';
    bool star = span_starts_with(name, SPAN("*."));

    if (name.n == 0 || span_equal(name, SPAN("_")) || name.p[0] == '~' ||
        (star && kind == HOST_EXACT) || (!star && !dot && kind == HOST_WILDCARD))
        return NULL;
    if (dot)
        return arena_print(arena, "%s%.*s", kind == HOST_WILDCARD ? "*." : "", (int)name.n - 1,
                           name.p + 1);
    return arena_text(arena, name);
}

static void route_server(struct routing *r, struct scope *server, const char *host)
{
    list_locations(r, server);
    for (size_t i = 0; i < r->location_count; i++) {
        struct scope *l = r->locations[i];
        l->routed |= add_route(r, l, l->service, host, path_of(r, l));
    }
}

static void route_hosts(struct routing *r, struct scope *server, enum host_kind kind)
{
    struct adopted *a = r->n->a;

    for (size_t i = 0; server->names && i < server->names->argument_count; i++) {
        struct span name = server->names->arguments[i];
        const char *host = host_of(a->arena, name, kind);
        const char *wrong = host ? pattern_host_wrong(span_from_text(host)) : NULL;
        if (name.n > 0 && name.p[0] == '~' && kind == HOST_EXACT)
            wrong = "a regular expression";
        if (wrong)
            add_note(a, &a->servers, server->names, true, "server_name %.*s: %s", SPAN_ARG(name),
                     wrong);
        else if (host)
            route_server(r, server, host);
    }
}

static bool leads_somewhere(struct routing *r, const struct scope *s)
{
    if (s->kind != SCOPE_SERVER)
        return false;
    list_locations(r, s);
    return r->location_count > 0;
}

static struct scope *default_server(struct routing *r, size_t *ret_servers)
{
    struct scope *chosen = NULL;

    for (struct scope *s = r->n->first; s; s = s->next) {
        if (!leads_somewhere(r, s))
            continue;
        ++*ret_servers;
        if (!chosen || (s->is_default && !chosen->is_default))
            chosen = s;
    }
    return chosen;
}

static void tell_unused(struct routing *r)
{
    struct adopting *n = r->n;

    for (struct scope *s = n->first; s; s = s->next) {
        if (s->kind == SCOPE_LOCATION && !s->routed)
            note_location(r, s);
    }
    for (struct scope *s = n->first; s; s = s->next) {
        if (s->kind != SCOPE_UPSTREAM || s->service->name)
            continue;
        add_note(n->a, &n->a->notes, s->directive, true,
                 "upstream %.*s: no translated proxy_pass leads there", SPAN_ARG(s->path));
    }
}

void nginx_routes(struct adopting *n)
{
    struct routing r = { .n = n, .end = &n->a->routes };
    size_t scopes = 0;
    size_t servers = 0;

    for (struct scope *s = n->first; s; s = s->next)
        scopes++;
    r.locations = arena_array(n->a->arena, struct scope *, scopes);
    r.patterns = arena_array(n->a->arena, struct pattern, ROUTES_WRITTEN_MAX);
    resolve(&r);
    struct scope *standard = default_server(&r, &servers);
    for (int kind = HOST_EXACT; servers > 1 && kind <= HOST_WILDCARD; kind++) {
        for (struct scope *s = n->first; s; s = s->next) {
            if (leads_somewhere(&r, s))
                route_hosts(&r, s, (enum host_kind)kind);
        }
    }
    if (standard)
        route_server(&r, standard, NULL);
    tell_unused(&r);
}
