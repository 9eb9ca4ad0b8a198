/* SPDX-License-Identifier: Apache-2.0 */
/* forward.c - what a request carries across the edge about itself: who asks (X-Forwarded-*, Forwarded of
 * RFC 7239, X-Real-IP), which trace it belongs to (W3C trace context), its id, its tenant and user.
 * Always: from a peer that is not trusted nothing of this is believed but the trace id, which can do no
 * harm; from a trusted one the list of proxies is read from the right, up to the first address that is not
 * trusted: that is the client, and what stands to its left is anybody's word and is dropped. */
#include "plane/http/exchange.h"

#include "proto/forwarded.h"
#include "proto/traceparent.h"

enum {
    EXTRAS_MAX = 8,
    REQUEST_ID_MAX = 128,
    LIST_MAX = 1024, /* of X-Forwarded-For as we send it: some 20 proxies */
};

static bool is_trusted(const struct exchange *x, const struct address *a)
{
    const struct config *c = x->snapshot->config;

    return networks_have(c->trusted, c->trusted_count, a);
}

static void add(struct http_head *h, struct http_extra *extras, struct span name, struct span value)
{
    check(h->extra_count < EXTRAS_MAX);
    extras[h->extra_count++] = (struct http_extra){ name, value };
}

void forward_begin(struct exchange *x)
{
    hex_write(x->trace.high, 16, x->trace_text);
    hex_write(x->trace.low, 16, x->trace_text + 16);
    x->request_id = span_of(x->trace_text, sizeof(x->trace_text));
}

/* ---- trace context */

static bool decide_sampled(const struct exchange *x)
{
    return (x->trace.low & UINT32_MAX) < x->snapshot->config->sample_below;
}

/* Continues a valid context. A stranger's sampling flag is not obeyed: it would let anybody fill our
 * users' tracing store (https://www.w3.org/TR/trace-context/#security-considerations). */
static void continue_trace(struct exchange *x, const struct traceparent *theirs)
{
    x->trace = (struct trace_id){ theirs->trace_high, theirs->trace_low };
    forward_begin(x);
}

static bool forward_trace(struct exchange *x, struct http_extra *extras,
                          const struct http_field *parent, bool twice)
{
    struct http_head *h = &x->request;
    struct traceparent theirs = {};
    char *text = scratch_take(&x->memory, TRACEPARENT_SIZE);
    bool valid = parent && !twice && traceparent_parse(field_value(parent), &theirs);

    if (!text)
        return false;
    if (valid)
        continue_trace(x, &theirs);
    for (uint32_t i = 0; !valid && i < h->field_count; i++) {
        if (h->fields[i].id == HTTP_TRACESTATE)
            h->fields[i].hop = true; /* section 3.3.1.5: of no meaning without its parent */
    }
    x->span_id = rng_next(&x->edge->reactor->rng) | 1;
    bool sampled = valid && x->trusted ? theirs.flags & TRACE_SAMPLED : decide_sampled(x);
    x->sampled = sampled;
    struct traceparent ours = { .trace_high = x->trace.high,
                                .trace_low = x->trace.low,
                                .parent = x->span_id,
                                .flags = sampled ? TRACE_SAMPLED : 0 };
    traceparent_write(&ours, text);
    add(h, extras, SPAN("traceparent"), span_of(text, TRACEPARENT_SIZE));
    return true;
}

/* ---- who asks */

/* What the fields of one pass over the head say. */
struct told {
    const struct http_field *traceparent;
    bool traceparent_twice;
    const struct http_field *request_id;
    const struct http_field *proto;
    const struct http_field *forwarded_for; /* the last one */
    const struct http_field *forwarded;     /* the last one */
    const struct http_field *timeout;
};

/* One pass: finds what matters, and keeps from the instance what only a trusted peer may say. */
static void read_fields(struct exchange *x, struct told *s)
{
    for (uint32_t i = 0; i < x->request.field_count; i++) {
        struct http_field *f = &x->request.fields[i];
        switch (f->id) {
        case HTTP_TRACEPARENT:
            s->traceparent_twice = s->traceparent != NULL;
            s->traceparent = f;
            f->hop = true;
            break;
        case HTTP_X_REQUEST_ID:
            s->request_id = f;
            f->hop = true;
            break;
        case HTTP_X_FORWARDED_FOR:
            s->forwarded_for = f;
            f->hop = true;
            break;
        case HTTP_X_FORWARDED_PROTO:
            s->proto = f;
            f->hop = true;
            break;
        case HTTP_X_REAL_IP: f->hop = true; break;
        case HTTP_EVENKEEL_TIMEOUT: s->timeout = f; break;
        case HTTP_FORWARDED:
            s->forwarded = f;
            f->hop |= !x->trusted;
            break;
        case HTTP_X_FORWARDED_HOST:
        case HTTP_X_FORWARDED_OTHER: f->hop |= !x->trusted; break;
        default: break;
        }
    }
}

/* The address in an element of either list; false when it holds none. */
static bool element_address(struct span element, bool is_forwarded, struct span *ret_text,
                            struct address *ret)
{
    if (is_forwarded)
        element = forwarded_parameter(element, SPAN("for"));
    *ret_text = forwarded_address(element);
    return ret_text->n > 0 && address_parse_host(*ret_text, ret);
}

/* From the right: our peer vouches for the last element, and each trusted one for the next. Fields of the
 * same name make one list (RFC 9110 section 5.3). Writes the vouched-for part from its end backwards. */
static size_t walk(struct exchange *x, const struct http_field *last, char *list, size_t at)
{
    const struct http_field *first = x->request.fields;
    struct span element;
    struct span text;
    struct address a;

    for (const struct http_field *f = last; f >= first; f--) {
        struct span rest = field_value(f);
        if (f->id != last->id)
            continue;
        while (forwarded_pop(&rest, &element)) {
            if (!element_address(element, last->id == HTTP_FORWARDED, &text, &a) || at < text.n + 2)
                return at;
            list[at - 2] = ',';
            list[at - 1] = ' ';
            at -= text.n + 2;
            memcpy(list + at, text.p, text.n);
            x->client = span_of(list + at, text.n);
            if (!is_trusted(x, &a))
                return at;
        }
    }
    return at;
}

static struct span scheme_of(const struct exchange *x)
{
    return x->https ? SPAN("https") : SPAN("http");
}

static bool believe_peer(struct exchange *x, struct http_extra *extras, const struct told *s)
{
    const struct http_field *list_field = s->forwarded_for ? s->forwarded_for : s->forwarded;
    struct span peer = leg_peer_text(x->down.peer);
    char *list = scratch_take(&x->memory, LIST_MAX);
    size_t at = LIST_MAX - peer.n;

    if (!list)
        return false;
    memcpy(list + at, peer.p, peer.n);
    if (list_field)
        at = walk(x, list_field, list, at);
    struct span proto = s->proto ? field_value(s->proto) : SPAN("");
    if (span_equal_nocase(proto, SPAN("https")))
        x->https = true;
    else if (span_equal_nocase(proto, SPAN("http")))
        x->https = false;
    add(&x->request, extras, SPAN("X-Forwarded-For"), span_of(list + at, LIST_MAX - at));
    return true;
}

/* RFC 7239 section 4: our own element, behind the peers'. */
static bool add_forwarded(struct exchange *x, struct http_extra *extras)
{
    enum { SIZE = ADDRESS_HOST_MAX + 32 };
    struct span peer = leg_peer_text(x->down.peer);
    struct str text = str_fixed(scratch_take(&x->memory, SIZE), SIZE);
    bool v6 = span_find(peer, ':') < peer.n;

    if (!text.p)
        return false;
    str_text(&text, v6 ? "for=\"[" : "for=");
    str_put(&text, peer);
    str_text(&text, v6 ? "]\";proto=" : ";proto=");
    str_text(&text, x->down.peer->secure ? "https" : "http");
    add(&x->request, extras, SPAN("Forwarded"), str_span(&text));
    return true;
}

static bool forward_client(struct exchange *x, struct http_extra *extras, const struct told *s)
{
    if (x->trusted && !believe_peer(x, extras, s))
        return false;
    if (x->trusted && s->forwarded && !add_forwarded(x, extras))
        return false;
    if (!x->trusted)
        add(&x->request, extras, SPAN("X-Forwarded-For"), x->client);
    add(&x->request, extras, SPAN("X-Forwarded-Proto"), scheme_of(x));
    add(&x->request, extras, SPAN("X-Real-IP"), x->client);
    return true;
}

static bool is_visible(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == '"' || s.p[i] == '\\')
            return false;
    }
    return s.n > 0;
}

static void forward_id(struct exchange *x, struct http_extra *extras, const struct told *s)
{
    struct span theirs = s->request_id && x->trusted ? field_value(s->request_id) : SPAN("");

    if (theirs.n <= REQUEST_ID_MAX && is_visible(theirs))
        x->request_id = theirs;
    add(&x->request, extras, SPAN("X-Request-Id"), x->request_id);
}

/* ---- deadline */

/* A trusted peer may shorten our deadline, nobody may extend it: exchange.c takes the nearer one. */
static void forward_deadline(struct exchange *x, const struct told *s)
{
    uint64_t ms;

    if (s->timeout && x->trusted && span_to_u64(field_value(s->timeout), &ms) && ms <= INT32_MAX)
        x->peers_deadline = x->began + (ns_t)ms * NS_PER_MS;
}

/* The head is written at once, so one text a reactor is enough; most tries have the same whole time left. */
void forward_timeout(struct exchange *x, ns_t left)
{
    struct http_edge *e = x->edge;
    uint32_t ms = left > 0 ? (uint32_t)(left / NS_PER_MS) : 0;

    if (ms != e->timeout_ms || e->timeout_n == 0) {
        struct str text = str_fixed(e->timeout_text, sizeof(e->timeout_text));
        str_u64(&text, ms);
        e->timeout_ms = ms;
        e->timeout_n = (uint32_t)text.n;
    }
    *x->timeout_extra =
        (struct http_extra){ SPAN("Evenkeel-Timeout"), span_of(e->timeout_text, e->timeout_n) };
    x->request.extra_count = (uint32_t)(x->timeout_extra - x->request.extra) + 1;
}

/* ---- identity */

/* "acme" of acme.shop.example.com: the first of at least three labels, of a name. */
static struct span subdomain(struct span host)
{
    struct address ignored;
    size_t dot = span_find(host, '.');
    struct span rest = span_after(host, dot + 1);
    size_t colon = span_find(host, ':');

    if (span_find(rest, '.') >= rest.n || address_parse_host(span_of(host.p, colon), &ignored))
        return span_of(NULL, 0);
    return span_of(host.p, dot);
}

static struct span find_identity(const struct exchange *x, const struct identity *id)
{
    const struct http_head *h = &x->request;

    switch (id->kind) {
    case IDENTITY_NONE: break;
    case IDENTITY_SUBDOMAIN: return subdomain(h->host);
    case IDENTITY_COOKIE: return http_cookie(h, id->name);
    case IDENTITY_HEADER:
        if (x->trusted)
            return http_head_named(h, id->name);
    }
    return span_of(NULL, 0);
}

/* ---- both directions */

bool forward_request(struct exchange *x)
{
    const struct config *c = x->snapshot->config;
    struct http_extra *extras = scratch_take(&x->memory, EXTRAS_MAX * sizeof(*extras));
    struct told s = {};

    if (!extras)
        return false;
    x->client = leg_peer_text(x->down.peer);
    x->https = x->down.peer->secure;
    x->trusted = c->trusted_count > 0 && is_trusted(x, &x->down.peer->address);
    x->request.extra = extras;
    read_fields(x, &s);
    if (!forward_client(x, extras, &s) ||
        !forward_trace(x, extras, s.traceparent, s.traceparent_twice))
        return false;
    forward_id(x, extras, &s);
    forward_deadline(x, &s);
    x->timeout_extra = &extras[x->request.extra_count]; /* the last one, when it is told */
    x->tenant = find_identity(x, &c->tenant);
    x->user = find_identity(x, &c->user_identity);
    return true;
}

bool forward_answer(struct exchange *x)
{
    struct http_extra *extra = scratch_take(&x->memory, sizeof(*extra));

    if (!extra)
        return false;
    if (!http_head_find(&x->answer, HTTP_X_REQUEST_ID)) {
        *extra = (struct http_extra){ SPAN("X-Request-Id"), x->request_id };
        x->answer.extra = extra;
        x->answer.extra_count = 1;
    }
    return true;
}
