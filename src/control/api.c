/* SPDX-License-Identifier: Apache-2.0 */
/* api.c - the admin address: from a request to the function that answers it. */
#include "control/api.h"

#include "control/api_table.h"
#include "control/control.h"

#include <stdio.h>
#include <stdlib.h>

struct api {
    struct local_handler handler;
    struct control *control;
};

/* ---- the plain ones */

static void answer_health(struct api_call *k)
{
    str_literal(&k->out, "ok\n"); /* that we can say so is the answer */
    k->type = API_TEXT;
}

static void answer_ready(struct api_call *k)
{
    struct control *c = k->control;

    k->type = API_TEXT;
    if (c->state == CONTROL_SERVING && c->listening) {
        str_literal(&k->out, "ready\n");
        if (c->book.trouble.failed) /* readiness is about serving */
            str_print(&k->out,
                      "but the store does not take samples; serving and counting go on: %s\n",
                      c->book.trouble.text);
        return;
    }
    str_text(&k->out, c->listening ? "stopping\n" : "starting\n");
    k->status = 503;
}

static const struct ui_asset *find_asset(const struct control *c, struct span name)
{
    const struct ui_assets *assets = c->parts.assets;

    for (size_t i = 0; assets && i < assets->count; i++) {
        if (span_equal(name, assets->files[i].name))
            return &assets->files[i];
    }
    return NULL;
}

static void put_asset(struct api_call *k, const struct ui_asset *a)
{
    str_put(&k->out, a->bytes);
    k->type = a->type;
}

/* Of this API, in the words of OpenAPI: openapi.json. */
static void answer_description(struct api_call *k)
{
    const struct ui_asset *a = find_asset(k->control, SPAN("openapi.json"));

    if (a)
        put_asset(k, a);
    else
        k->status = 404; /* in simulation there are no files */
}

/* ---- the table */

static const struct api_row {
    struct span method, path; /* a star stands for one part: api_call.part */
    enum api_right right;
    void (*answer)(struct api_call *k);
} table[] = {
#define X(method, path, right, answer) { SPAN(method), SPAN(path), API_##right, answer },
    API_TABLE(X)
#undef X
};

enum { ROWS = sizeof(table) / sizeof(table[0]) };

static bool row_has_path(const struct api_row *row, struct span path, struct span *ret_part)
{
    size_t star = span_find(row->path, '*');

    *ret_part = SPAN("");
    if (star == row->path.n)
        return span_equal(row->path, path);
    if (!span_starts_with(path, span_of(row->path.p, star)))
        return false;
    struct span rest = span_after(path, star);
    *ret_part = span_of(rest.p, span_find(rest, '/'));
    return span_equal(span_after(rest, ret_part->n), span_after(row->path, star + 1));
}

static void say(struct api_call *k, unsigned status, const char *text)
{
    str_print(&k->out, "%s\n", text);
    k->status = status;
    k->type = API_TEXT;
}

/* What is there for other methods. */
static void answer_method(struct api_call *k)
{
    struct span part;
    struct str words = str_growing();

    str_literal(&words, "here is only");
    for (size_t i = 0; i < ROWS; i++) {
        if (row_has_path(&table[i], k->head->path, &part))
            str_print(&words, " %.*s", (int)table[i].method.n, table[i].method.p);
    }
    str_char(&words, '\0');
    say(k, 405, words.p);
    free(words.p);
}

static void answer_nothing(struct api_call *k)
{
    str_literal(&k->out, "nothing is here; try");
    for (size_t i = 0; i < ROWS; i++) {
        if (span_equal(table[i].method, SPAN("GET")) &&
            span_find(table[i].path, '*') == table[i].path.n)
            str_print(&k->out, " %.*s", (int)table[i].path.n, table[i].path.p);
    }
    str_char(&k->out, '\n');
    k->status = 404;
    k->type = API_TEXT;
}

/* ---- who may */

void api_refuse(struct api_call *k, unsigned status, const char *reason, const char *text)
{
    api_put_json(&k->out, json_pack("{s:s, s:s}", "error", text, "reason", reason));
    k->status = status;
    k->type = API_JSON;
}

/* RFC 6750 section 3, RFC 9110 section 10.2.3. */
void api_add_challenge(struct api_call *k, const struct access_answer *a)
{
    char text[96];

    if (a->retry_after) {
        snprintf(text, sizeof(text), "%u", a->retry_after);
        exchange_add_field(k->exchange, SPAN("Retry-After"), span_from_text(text));
        return;
    }
    snprintf(text, sizeof(text), "Bearer realm=\"evenkeel\"%s%s%s", a->error ? ", error=\"" : "",
             a->error ? a->error : "", a->error ? "\"" : "");
    exchange_add_field(k->exchange, SPAN("WWW-Authenticate"), span_from_text(text));
}

/* A person gets a page to type the token into. */
static void ask_for_token(struct api_call *k, const struct access_answer *a)
{
    api_add_challenge(k, a);
    if (span_equal(k->head->path, SPAN("/")) && a->status == 401) {
        api_write_login(k, a->error ? a->text : NULL);
        k->status = 401;
    } else {
        api_refuse(k, a->status, a->reason, a->text);
    }
}

static bool let_in(struct api_call *k, enum api_right right)
{
    struct control *c = k->control;
    const struct leg_peer *peer = exchange_peer(k->exchange);
    struct access_answer a =
        access_judge(&c->access, &(struct access_question){ .head = k->head,
                                                            .peer = &peer->address,
                                                            .secure = peer->secure,
                                                            .now = c->reactor->now });

    k->session = a.session;
    k->by = !c->access.tokens.wanted    ? "local"
            : a.session                 ? "session"
            : a.right == ACCESS_OPERATE ? "operate-token"
                                        : "view-token";
    if (a.status) {
        ask_for_token(k, &a);
        return false;
    }
    if (right == API_CHANGE && a.right != ACCESS_OPERATE) {
        a.error = "insufficient_scope";
        api_add_challenge(k, &a);
        api_refuse(k, 403, "operate_token_needed",
                   "this changes something: it takes the operate token, not the view token");
        return false;
    }
    return true;
}

static void answer_row(struct api_call *k, const struct api_row *row)
{
    if (row->right != API_OPEN && !let_in(k, row->right))
        return;
    const char *why_not = row->right == API_CHANGE ? api_may_change(k->head) : NULL;
    if (why_not)
        api_refuse(k, 403, "not_a_program", why_not);
    else
        row->answer(k);
}

/* Asked for by balancers and supervisors under whatever name they have; nothing is told there. */
static bool is_probe(struct span path)
{
    return span_equal(path, SPAN("/healthz")) || span_equal(path, SPAN("/readyz"));
}

/* What browsers are told: no guessing of types, no script but ours, which asks nobody but us, no frame around it, no form that leads
 * elsewhere. */
void api_protect(const struct api_call *k)
{
    exchange_add_field(k->exchange, SPAN("X-Content-Type-Options"), SPAN("nosniff"));
    if (!span_equal(k->type, API_HTML))
        return;
    exchange_add_field(k->exchange, SPAN("Content-Security-Policy"),
                       SPAN("default-src 'none'; script-src 'self'; connect-src 'self'; style-src "
                            "'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; "
                            "base-uri 'none'"));
    exchange_add_field(k->exchange, SPAN("X-Frame-Options"), SPAN("DENY"));
    /* not no-referrer, with which the login's own Origin would be null */
    exchange_add_field(k->exchange, SPAN("Referrer-Policy"), SPAN("same-origin"));
}

static void find_answer(struct api_call *k)
{
    struct span method = k->head->head_request ? SPAN("GET") : k->head->method;
    const struct ui_asset *asset =
        find_asset(k->control, span_after(k->head->path, k->head->path.n > 0));
    bool path_known = false;

    if (!is_probe(k->head->path) && !access_host_known(control_config(k->control), k->head)) {
        api_refuse(
            k, 403, "host_not_known",
            "the Host of this request is no name of this node; admin.hosts lists more names");
        return;
    }
    for (size_t i = 0; i < ROWS; i++) {
        if (!row_has_path(&table[i], k->head->path, &k->part))
            continue;
        path_known = true;
        if (span_equal(table[i].method, method)) {
            answer_row(k, &table[i]);
            return;
        }
    }
    if (path_known) {
        answer_method(k);
    } else if (asset && span_equal(method, SPAN("GET"))) {
        put_asset(k, asset);
    } else {
        answer_nothing(k);
    }
}

static void answer(const struct local_handler *h, struct exchange *x, struct span body)
{
    struct api *a = container_of((struct local_handler *)(uintptr_t)h, struct api, handler);
    struct api_call k = { .control = a->control,
                          .exchange = x,
                          .head = exchange_request(x),
                          .body = body,
                          .out = str_growing(),
                          .status = 200,
                          .type = API_JSON };

    find_answer(&k);
    if (k.held) {
        str_free(&k.out);
        return;
    }
    api_protect(&k);
    exchange_answer(x, k.status, k.type, k.out.p, k.out.n);
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
