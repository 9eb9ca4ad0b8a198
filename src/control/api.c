/* SPDX-License-Identifier: Apache-2.0 */
/* api.c - the admin address: from a request to the function that answers it. */
#include "control/api.h"

#include "control/control.h"

#include <stdlib.h>

struct api {
    struct local_handler handler;
    struct control *control;
};

struct answer {
    unsigned status;
    struct span type;
};

static struct answer answer_health(struct control *c, struct str *out)
{
    (void)c; /* that we can say so is the answer */
    str_literal(out, "ok\n");
    return (struct answer){ 200, SPAN("text/plain; charset=utf-8") };
}

static struct answer answer_ready(struct control *c, struct str *out)
{
    if (c->state == CONTROL_SERVING && c->listening) {
        str_literal(out, "ready\n");
        return (struct answer){ 200, SPAN("text/plain; charset=utf-8") };
    }
    str_text(out, c->listening ? "stopping\n" : "starting\n");
    return (struct answer){ 503, SPAN("text/plain; charset=utf-8") };
}

static struct answer answer_metrics(struct control *c, struct str *out)
{
    api_write_metrics(c, out);
    return (struct answer){ 200, SPAN("text/plain; version=0.0.4; charset=utf-8") };
}

static struct answer answer_journeys(struct control *c, struct str *out)
{
    api_write_journeys(c, out);
    return (struct answer){ 200, SPAN("application/json") };
}

static struct answer answer_services(struct control *c, struct str *out)
{
    api_write_services(c, out);
    return (struct answer){ 200, SPAN("application/json") };
}

static struct answer answer_changes(struct control *c, struct str *out)
{
    api_write_changes(c, out);
    return (struct answer){ 200, SPAN("application/json") };
}

static struct answer answer_reload(struct control *c, struct str *out)
{
    api_write_reload(c, out);
    return (struct answer){ 200, SPAN("application/json") };
}

static struct answer answer_page(struct control *c, struct str *out)
{
    api_write_page(c, out);
    return (struct answer){ 200, SPAN("text/html; charset=utf-8") };
}

static const struct {
    struct span path;
    struct answer (*answer)(struct control *c, struct str *out);
} addresses[] = {
    { SPAN("/"), answer_page },
    { SPAN("/healthz"), answer_health },
    { SPAN("/readyz"), answer_ready },
    { SPAN("/metrics"), answer_metrics },
    { SPAN("/api/v1/journeys"), answer_journeys },
    { SPAN("/api/v1/services"), answer_services },
    { SPAN("/api/v1/changes"), answer_changes },
    { SPAN("/api/v1/reload"), answer_reload },
};

static const struct ui_asset *find_asset(const struct control *c, struct span path)
{
    const struct ui_assets *assets = c->parts.assets;

    for (size_t i = 0; assets && i < assets->count; i++) {
        if (path.n > 0 && span_equal(span_after(path, 1), assets->files[i].name))
            return &assets->files[i];
    }
    return NULL;
}

static struct answer answer_look(struct control *c, const struct http_head *request,
                                 struct str *out)
{
    const struct ui_asset *asset = find_asset(c, request->path);

    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        if (span_equal(request->path, addresses[i].path))
            return addresses[i].answer(c, out);
    }
    if (asset) {
        str_put(out, asset->bytes);
        return (struct answer){ 200, asset->type };
    }
    str_literal(out, "nothing is here; try / or /api/v1/journeys, /api/v1/services, "
                     "/api/v1/changes, /api/v1/reload, /metrics, /healthz, /readyz\n");
    return (struct answer){ 404, SPAN("text/plain; charset=utf-8") };
}

static struct answer plain(unsigned status, const char *text, struct str *out)
{
    str_print(out, "%s\n", text);
    return (struct answer){ status, SPAN("text/plain; charset=utf-8") };
}

/* POST /api/v1/changes, DELETE /api/v1/changes/ID, POST /api/v1/reload */
static struct answer answer_change(struct control *c, const struct http_head *h, struct span body,
                                   struct str *out)
{
    const struct span prefix = SPAN("/api/v1/changes/");
    bool post = span_equal(h->method, SPAN("POST"));
    bool delete = span_equal(h->method, SPAN("DELETE"));
    const char *why_not = api_may_change(h);
    struct answer a = { .type = SPAN("application/json") };

    if (!(post && span_equal(h->path, SPAN("/api/v1/changes"))) &&
        !(post && span_equal(h->path, SPAN("/api/v1/reload"))) &&
        !(delete &&span_starts_with(h->path, prefix)))
        return plain(405,
                     "only GET and HEAD are answered here, POST at /api/v1/changes and "
                     "/api/v1/reload, DELETE at /api/v1/changes/ID",
                     out);
    if (why_not)
        return plain(403, why_not, out);
    if (delete)
        a.status = api_take_back(c, span_after(h->path, prefix.n), out);
    else if (span_equal(h->path, SPAN("/api/v1/reload")))
        a.status = api_reload(c, out);
    else
        a.status = api_make_change(c, body, out);
    return a;
}

static void answer(const struct local_handler *h, struct exchange *x, struct span body)
{
    struct api *a = container_of((struct local_handler *)(uintptr_t)h, struct api, handler);
    const struct http_head *request = exchange_request(x);
    bool look = span_equal(request->method, SPAN("GET")) || request->head_request;
    struct str out = str_growing();
    struct answer found = look ? answer_look(a->control, request, &out)
                               : answer_change(a->control, request, body, &out);

    exchange_answer(x, found.status, found.type, out.p, out.n);
}

struct api *api_new(struct control *c)
{
    struct api *a = calloc(1, sizeof(*a));

    check(a != NULL);
    *a = (struct api){ .handler.answer = answer, .control = c };
    return a;
}

void api_free(struct api *a)
{
    free(a);
}

struct config *api_config(struct api *a, const struct limits *limits)
{
    struct config *c = calloc(1, sizeof(*c));

    check(c != NULL);
    c->limits = *limits;
    c->limits.body = 0;
    c->service_count = c->route_count = c->journey_count = 1;
    c->services = arena_new(&c->arena, struct service);
    c->services[0] = (struct service){ .name = SPAN("evenkeel admin"), .local = &a->handler };
    c->routes = arena_new(&c->arena, struct route);
    const char *wrong = pattern_parse(&c->arena, SPAN("/*"), &c->routes[0].pattern);
    check(!wrong);
    c->routes[0].service = &c->services[0];
    c->routes[0].timeout =
        (struct timeouts){ NS_PER_S, NS_PER_S, 60 * NS_PER_S, 3600 * NS_PER_S, 60 * NS_PER_S };
    c->journeys = arena_new(&c->arena, struct journey);
    c->journeys[0].name = SPAN("evenkeel admin");
    return c;
}

void api_config_free(struct config *c)
{
    arena_free(&c->arena);
    free(c);
}
