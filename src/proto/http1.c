/* SPDX-License-Identifier: Apache-2.0 */
/* http1.c - reading heads (RFC 9112 sections 2 to 6). Bodies are in http1_body.c, writing is in
 * http1_write.c. The order of a parse: lines, first line, fields, then what they mean together. */
#include "proto/http1.h"

#include "base/check.h"
#include "base/word.h"

struct reason_row {
    const char *code;
    unsigned status;
    const char *words;
};

static const struct reason_row reasons[HTTP1_REASON_COUNT] = { [HTTP1_GOOD] = { "good", 200, "" },
#define X(code, status, words) [HTTP1_##code] = { #code, status, words },
                                                               HTTP1_REASONS(X)
#undef X
};

const char *http1_reason_code(enum http1_reason r)
{
    return reasons[r].code;
}

unsigned http1_reason_status(enum http1_reason r)
{
    return reasons[r].status;
}

const char *http1_reason_words(enum http1_reason r)
{
    return reasons[r].words;
}

/* ---- characters. Bits: what a byte may stand in. */

enum { C_TOKEN = 1, C_TARGET = 2, C_VALUE = 4, C_HOST = 8, C_UNDERSCORE = 16 };

#define ALPHANUMERIC (C_TOKEN | C_TARGET | C_VALUE | C_HOST)

/* token: RFC 9110 section 5.6.2; target: RFC 3986 characters and those that browsers send unescaped
 * (RFC 9112 section 3.2 lets us refuse the rest); value: visible, space, tab and obs-text (RFC 9110
 * section 5.5); host: RFC 3986 section 3.2.2 without user information. */
static const uint8_t classes[256] = {
    ['\t'] = C_VALUE,
    [' '] = C_VALUE,
    ['!'] = C_TOKEN | C_TARGET | C_VALUE | C_HOST,
    ['"'] = C_TARGET | C_VALUE,
    ['#'] = C_TOKEN | C_VALUE,
    ['$'] = C_TOKEN | C_TARGET | C_VALUE | C_HOST,
    ['%'] = C_TOKEN | C_TARGET | C_VALUE | C_HOST,
    ['&'] = C_TOKEN | C_TARGET | C_VALUE | C_HOST,
    ['\''] = C_TOKEN | C_TARGET | C_VALUE | C_HOST,
    ['('] = C_TARGET | C_VALUE | C_HOST,
    [')'] = C_TARGET | C_VALUE | C_HOST,
    ['*'] = C_TOKEN | C_TARGET | C_VALUE | C_HOST,
    ['+'] = C_TOKEN | C_TARGET | C_VALUE | C_HOST,
    [','] = C_TARGET | C_VALUE | C_HOST,
    ['-'] = C_TOKEN | C_TARGET | C_VALUE | C_HOST,
    ['.'] = C_TOKEN | C_TARGET | C_VALUE | C_HOST,
    ['/'] = C_TARGET | C_VALUE,
    ['0' ... '9'] = ALPHANUMERIC,
    [':'] = C_TARGET | C_VALUE | C_HOST,
    [';'] = C_TARGET | C_VALUE | C_HOST,
    ['<'] = C_VALUE,
    ['='] = C_TARGET | C_VALUE | C_HOST,
    ['>'] = C_VALUE,
    ['?'] = C_TARGET | C_VALUE,
    ['@'] = C_TARGET | C_VALUE,
    ['A' ... 'Z'] = ALPHANUMERIC,
    ['['] = C_TARGET | C_VALUE | C_HOST,
    ['\\'] = C_VALUE,
    [']'] = C_TARGET | C_VALUE | C_HOST,
    ['^'] = C_TOKEN | C_TARGET | C_VALUE,
    ['_'] = C_TOKEN | C_TARGET | C_VALUE | C_HOST | C_UNDERSCORE,
    ['`'] = C_TOKEN | C_TARGET | C_VALUE,
    ['a' ... 'z'] = ALPHANUMERIC,
    ['{'] = C_TARGET | C_VALUE,
    ['|'] = C_TOKEN | C_TARGET | C_VALUE,
    ['}'] = C_TARGET | C_VALUE,
    ['~'] = C_TOKEN | C_TARGET | C_VALUE | C_HOST,
    [0x80 ... 0xff] = C_VALUE,
};

/* How many bytes from the front are all of this class. */
static size_t run_of(struct span s, uint8_t class)
{
    size_t i = 0;

    while (i < s.n && (classes[(unsigned char)s.p[i]] & class))
        i++;
    return i;
}

static bool all_of(struct span s, uint8_t class)
{
    return run_of(s, class) == s.n;
}

/* ---- finding the end */

size_t http1_skip_blank(struct span bytes)
{
    return span_starts_with(bytes, SPAN("\r\n")) ? 2 : 0;
}

enum http1_progress http1_scan_head(struct http1_scan *scan, struct span bytes,
                                    const struct http1_limits *limits, size_t *ret_size,
                                    enum http1_reason *ret_reason)
{
    check(bytes.n >= scan->looked);
    for (;;) {
        struct span rest = span_of(bytes.p + scan->looked, bytes.n - scan->looked);
        size_t at = scan->looked + span_find(rest, '\n');
        size_t line_size = at - scan->line;
        if (scan->lines == 0 && line_size > (size_t)limits->line + 1) {
            *ret_reason = HTTP1_line_too_long;
            return HTTP1_REFUSED;
        }
        if (at >= limits->head) {
            *ret_reason = HTTP1_head_too_large;
            return HTTP1_REFUSED;
        }
        if (at == bytes.n) {
            scan->looked = (uint32_t)bytes.n;
            return HTTP1_MORE;
        }
        if (line_size == 0 || bytes.p[at - 1] != '\r') {
            *ret_reason = HTTP1_bare_cr_or_lf;
            return HTTP1_REFUSED;
        }
        scan->looked = scan->line = (uint32_t)at + 1;
        if (line_size == 1) { /* only CR: the empty line */
            *ret_size = at + 1;
            return HTTP1_COMPLETE;
        }
        scan->lines++;
    }
}

/* Takes the next line, without its CR LF, off the front; http1_scan_head() has seen that it is whole. */
static struct span take_line(struct span *rest)
{
    size_t n = span_find(*rest, '\n');

    check(n > 0 && n < rest->n);
    struct span line = span_of(rest->p, n - 1);
    *rest = span_after(*rest, n + 1);
    return line;
}

/* ---- fields */

/* The first byte that cannot stand in a field value, which at the latest is the CR of the line's end: eight
 * bytes at a time, for values are most of what is read. */
static const char *value_end(const char *p, const char *end)
{
    while (end - p >= WORD_BYTES) {
        uint64_t word = word_load(p);
        uint64_t controls = word_below(word, ' ') | word_equal(word, 0x7f);
        if (controls) {
            p += word_first(controls);
            if (*p != '\t')
                return p;
            p++;
        } else {
            p += WORD_BYTES;
        }
    }
    while (classes[(unsigned char)*p] & C_VALUE)
        p++;
    return p;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The first byte that cannot stand in a field name, which at the latest is the CR of the line's end. Most names are
 * letters and hyphens. */
static const char *name_end(const char *p, const char *end, bool *ret_underscore)
{
    uint8_t class;
    uint8_t seen = 0;

    for (; end - p >= WORD_BYTES; p += WORD_BYTES) {
        uint64_t word = word_load(p);
        uint64_t others = ~(word_letters(word) | word_same(word, '-')) & WORD_HIGHS;
        if (others) {
            p += word_first(others);
            break;
        }
    }
    for (; (class = classes[(unsigned char)*p]) & C_TOKEN; p++)
        seen |= class;
    *ret_underscore = seen & C_UNDERSCORE;
    return p;
}

/* Reads the line at *at and moves *at behind it. http1_scan_head() has seen that every LF follows a CR and
 * that an empty line ends the head: so neither loop can run past `end`. */
static enum http1_reason parse_field(const char **at, const char *end, bool *ret_underscore,
                                     struct http_field *f)
{
    const char *name = *at;

    if (is_blank(*name))
        return HTTP1_field_folded;
    const char *p = name_end(name, end, ret_underscore);
    size_t name_n = (size_t)(p - name);
    if (name_n == 0 || *p != ':' || name_n > UINT16_MAX)
        return HTTP1_field_name;
    for (p++; is_blank(*p);)
        p++;
    const char *value = p;
    p = value_end(p, end);
    if (p[0] != '\r' || p[1] != '\n')
        return HTTP1_field_value;
    *at = p + 2;
    while (p > value && is_blank(p[-1]))
        p--;
    f->name = name;
    f->value = value;
    f->value_n = (uint32_t)(p - value);
    f->name_n = (uint16_t)name_n;
    f->id = (uint8_t)http_field_find(span_of(name, name_n));
    f->hop = false;
    return HTTP1_GOOD;
}

/* "X_Real_IP" and "X-Real-IP" are the same variable to CGI and its heirs: nobody may choose between them. */
static enum http1_reason parse_fields(struct span rest, const struct http1_limits *limits,
                                      struct http_field *fields, struct http_head *h)
{
    const char *at = rest.p;
    const char *end = rest.p + rest.n;
    bool underscore = false;

    h->fields = fields;
    while (at[0] != '\r' || at[1] != '\n') {
        if (h->field_count == limits->fields)
            return HTTP1_too_many_fields;
        enum http1_reason r = parse_field(&at, end, &underscore, &fields[h->field_count]);
        if (r != HTTP1_GOOD)
            return r;
        if (underscore && !h->status)
            return HTTP1_field_underscore;
        h->field_count++;
    }
    check(at + 2 == end);
    return HTTP1_GOOD;
}

/* What the fields say about this connection and this body. */
struct meaning {
    const struct http_field *host;
    bool host_twice;
    const struct http_field *length;
    bool length_twice;
    const struct http_field *encoding;
    bool encoding_twice;
    bool close;
    bool keep_alive;
    bool upgrade;                /* Connection names it */
    const struct http_field *to; /* Upgrade */
    bool to_twice;
    const struct http_field *expect;
    uint32_t unused_s; /* Keep-Alive: timeout= */
};

enum { UNUSED_MAX_S = 86400 }; /* whoever says more will not close it before we do */

/* Fields that nobody may have dropped by naming them in Connection: it would change what the request
 * is, or whose it is (request smuggling by hop-by-hop abuse). */
static bool must_stay(struct span name)
{
    static const char *const names[] = { "host",          "content-length", "transfer-encoding",
                                         "authorization", "cookie",         "set-cookie",
                                         "forwarded",     "x-real-ip",      "x-request-id",
                                         "traceparent",   "tracestate" };

    if (name.n > 12 && span_equal_nocase(span_of(name.p, 12), SPAN("x-forwarded-")))
        return true;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (span_equal_nocase(name, span_from_text(names[i])))
            return true;
    }
    return false;
}

static void mark_hop(struct http_head *h, struct span name)
{
    for (uint32_t i = 0; i < h->field_count; i++) {
        if (span_equal_nocase(field_name(&h->fields[i]), name))
            h->fields[i].hop = true;
    }
}

/* RFC 9110 section 7.6.1: what Connection names belongs to this connection. */
static enum http1_reason read_connection(struct http_head *h, struct span list, struct meaning *m)
{
    while (list.n > 0) {
        size_t comma = span_find(list, ',');
        struct span token = span_trim(span_of(list.p, comma));
        list = span_after(list, comma + 1);
        if (token.n == 0)
            continue;
        if (!all_of(token, C_TOKEN))
            return HTTP1_connection;
        if (span_equal_nocase(token, SPAN("close")))
            m->close = true;
        else if (span_equal_nocase(token, SPAN("keep-alive")))
            m->keep_alive = true;
        else if (span_equal_nocase(token, SPAN("upgrade")))
            m->upgrade = true;
        else if (must_stay(token))
            return HTTP1_connection;
        else
            mark_hop(h, token);
    }
    return HTTP1_GOOD;
}

/* "timeout=5, max=100". No standard any more (RFC 2068 section 19.7.1.1), but Node, Apache and others say it; what is
 * not understood says nothing. */
static uint32_t read_keep_alive(struct span list)
{
    const struct span name = SPAN("timeout");
    uint64_t seconds;

    while (list.n > 0) {
        size_t comma = span_find(list, ',');
        struct span token = span_trim(span_of(list.p, comma));
        size_t equals = span_find(token, '=');
        list = span_after(list, comma + 1);
        if (!span_equal_nocase(span_trim(span_of(token.p, equals)), name))
            continue;
        if (!span_to_u64(span_trim(span_after(token, equals + 1)), &seconds))
            return 0;
        return (uint32_t)(seconds < UNUSED_MAX_S ? seconds : UNUSED_MAX_S);
    }
    return 0;
}

static enum http1_reason read_meaning(struct http_head *h, struct meaning *m)
{
    for (uint32_t i = 0; i < h->field_count; i++) {
        struct http_field *f = &h->fields[i];
        switch ((enum http_field_id)f->id) {
        case HTTP_HOST:
            m->host_twice = m->host != NULL;
            m->host = f;
            break;
        case HTTP_CONTENT_LENGTH:
            m->length_twice |= m->length != NULL;
            m->length = f;
            f->hop = true; /* framing is written anew */
            break;
        case HTTP_TRANSFER_ENCODING:
            m->encoding_twice |= m->encoding != NULL;
            m->encoding = f;
            f->hop = true;
            break;
        case HTTP_CONNECTION: {
            f->hop = true;
            enum http1_reason r = read_connection(h, field_value(f), m);
            if (r != HTTP1_GOOD)
                return r;
            break;
        }
        case HTTP_EXPECT:
            m->expect = f;
            f->hop = true;
            break;
        case HTTP_UPGRADE:
            m->to_twice = m->to != NULL;
            m->to = f;
            f->hop = true;
            break;
        case HTTP_KEEP_ALIVE:
            m->unused_s = read_keep_alive(field_value(f));
            f->hop = true;
            break;
        case HTTP_TE:
        case HTTP_TRAILER:
        case HTTP_PROXY_CONNECTION:
        case HTTP_PROXY_AUTHENTICATE:
        case HTTP_PROXY_AUTHORIZATION:
        case HTTP_HTTP2_SETTINGS: f->hop = true; break;
        case HTTP_EVENKEEL_OUTCOME:
        case HTTP_EVENKEEL_JOURNEY:
        case HTTP_EVENKEEL_TIMEOUT:
        case HTTP_EVENKEEL_OTHER:
            f->hop = true; /* between an instance and us, never passed on */
            break;
        case HTTP_OTHER:
        case HTTP_RETRY_AFTER:
        case HTTP_ACCEPT:
        case HTTP_COOKIE:
        case HTTP_REFERER:
        case HTTP_USER_AGENT:
        case HTTP_CONTENT_TYPE:
        case HTTP_TRACEPARENT:
        case HTTP_TRACESTATE:
        case HTTP_X_REQUEST_ID:
        case HTTP_FORWARDED:
        case HTTP_X_REAL_IP:
        case HTTP_X_FORWARDED_FOR:
        case HTTP_X_FORWARDED_HOST:
        case HTTP_X_FORWARDED_PROTO:
        case HTTP_X_FORWARDED_OTHER: break; /* whoever forwards decides */
        }
    }
    return HTTP1_GOOD;
}

/* RFC 9112 section 6.1 to 6.3, with every choice made for refusal. */
static enum http1_reason read_framing(struct http_head *h, const struct meaning *m)
{
    if (m->encoding) {
        if (m->length)
            return HTTP1_length_and_encoding;
        if (h->minor == 0)
            return HTTP1_encoding_in_1_0;
        if (m->encoding_twice || !span_equal_nocase(field_value(m->encoding), SPAN("chunked")))
            return HTTP1_encoding;
        h->body = HTTP_BODY_CHUNKED;
        return HTTP1_GOOD;
    }
    if (m->length) {
        if (m->length_twice || !span_to_u64(field_value(m->length), &h->length) ||
            h->length > INT64_MAX)
            return HTTP1_length;
        h->body = HTTP_BODY_LENGTH;
    }
    return HTTP1_GOOD;
}

/* Only WebSocket (RFC 6455) may leave HTTP. Any other protocol is not offered to the instance: "h2c"
 * would carry requests past us that nobody looked at. */
static bool wants_websocket(const struct meaning *m)
{
    return m->upgrade && m->to && !m->to_twice &&
           span_equal_nocase(field_value(m->to), SPAN("websocket"));
}

static bool persistent(const struct http_head *h, const struct meaning *m)
{
    return !m->close && (h->minor == 1 || m->keep_alive);
}

/* ---- requests */

static enum http1_reason parse_version(struct span s, struct http_head *h)
{
    if (span_equal(s, SPAN("HTTP/1.1")))
        h->minor = 1;
    else if (span_equal(s, SPAN("HTTP/1.0")))
        h->minor = 0;
    else
        return span_starts_with(s, SPAN("HTTP/")) ? HTTP1_version : HTTP1_request_line;
    return HTTP1_GOOD;
}

static bool valid_host(struct span host)
{
    return host.n > 0 && host.n <= 255 && all_of(host, C_HOST);
}

/* origin-form, absolute-form, or "*" for OPTIONS (RFC 9112 section 3.2). */
static enum http1_reason parse_target(struct span target, struct http_head *h)
{
    if (target.n == 0 || !all_of(target, C_TARGET))
        return HTTP1_target;
    if (span_equal(target, SPAN("*"))) {
        h->path = target;
        return span_equal(h->method, SPAN("OPTIONS")) ? HTTP1_GOOD : HTTP1_target;
    }
    if (target.p[0] != '/') {
        bool plain = target.n > 7 && span_equal_nocase(span_of(target.p, 7), SPAN("http://"));
        bool tls = target.n > 8 && span_equal_nocase(span_of(target.p, 8), SPAN("https://"));
        if (!plain && !tls)
            return HTTP1_target;
        struct span rest = span_after(target, plain ? 7 : 8);
        size_t n = run_of(rest, C_HOST);
        h->host = span_of(rest.p, n);
        target = span_after(rest, n);
        if (!valid_host(h->host))
            return HTTP1_target;
        if (target.n == 0)
            target = SPAN("/");
        if (target.p[0] == '?') { /* "http://host?x": the path is empty, which means "/" */
            h->path = SPAN("/");
            h->query = span_after(target, 1);
            h->has_query = true;
            return HTTP1_GOOD;
        }
        if (target.p[0] != '/')
            return HTTP1_target;
    }
    size_t mark = span_find(target, '?');
    h->path = span_of(target.p, mark);
    h->has_query = mark < target.n;
    h->query = span_after(target, mark + 1);
    return HTTP1_GOOD;
}

static bool valid_method(struct span method)
{
    /* extension methods are tokens of letters and '-' in practice; CONNECT would be a tunnel */
    for (size_t i = 0; i < method.n; i++) {
        char c = method.p[i];
        if (!((c >= 'A' && c <= 'Z') || c == '-' || c == '_'))
            return false;
    }
    return method.n > 0 && method.n <= 32 && !span_equal(method, SPAN("CONNECT"));
}

enum http1_reason http1_read_target(struct span method, struct span target,
                                    struct http_head *ret_head)
{
    struct http_head h = { .method = method };
    enum http1_reason r = !valid_method(method) ? HTTP1_method_unknown : parse_target(target, &h);

    if (r != HTTP1_GOOD)
        return r;
    ret_head->method = h.method;
    ret_head->host = h.host;
    ret_head->path = h.path;
    ret_head->query = h.query;
    ret_head->has_query = h.has_query;
    return HTTP1_GOOD;
}

static enum http1_reason parse_request_line(struct span line, struct http_head *h)
{
    size_t space = span_find(line, ' ');
    struct span rest = span_after(line, space + 1);
    size_t second = span_find(rest, ' ');

    if (space == 0 || space == line.n || second == 0 || second == rest.n)
        return HTTP1_request_line;
    h->method = span_of(line.p, space);
    if (!all_of(h->method, C_TOKEN))
        return HTTP1_request_line;
    enum http1_reason r = parse_version(span_after(rest, second + 1), h);
    if (r != HTTP1_GOOD)
        return r;
    if (!valid_method(h->method))
        return HTTP1_method_unknown;
    h->head_request = span_equal(h->method, SPAN("HEAD"));
    return parse_target(span_of(rest.p, second), h);
}

static enum http1_reason read_host(struct http_head *h, const struct meaning *m)
{
    if (m->host_twice || (!m->host && h->minor == 1))
        return HTTP1_host_missing;
    if (!m->host)
        return HTTP1_GOOD;
    struct span value = field_value(m->host);
    if (!valid_host(value))
        return HTTP1_host;
    if (h->host.n > 0 && !span_equal_nocase(h->host, value))
        return HTTP1_host;
    h->host = value;
    return HTTP1_GOOD;
}

enum http1_reason http1_parse_request(struct span head, const struct http1_limits *limits,
                                      struct http_field *fields, struct http_head *ret_head)
{
    struct http_head h = { .bytes = (uint32_t)head.n };
    struct meaning m = {};
    enum http1_reason r = parse_request_line(take_line(&head), &h);

    if (r == HTTP1_GOOD)
        r = parse_fields(head, limits, fields, &h);
    if (r == HTTP1_GOOD)
        r = read_meaning(&h, &m);
    if (r == HTTP1_GOOD)
        r = read_host(&h, &m);
    if (r == HTTP1_GOOD)
        r = read_framing(&h, &m);
    if (r != HTTP1_GOOD)
        return r;
    if (m.expect) {
        /* RFC 9110 section 10.1.1: an HTTP/1.0 client's expectation is ignored */
        if (!span_equal_nocase(field_value(m.expect), SPAN("100-continue")))
            return HTTP1_expectation;
        h.expect_continue = h.minor == 1 && h.body != HTTP_BODY_NONE;
    }
    h.upgrade = h.minor == 1 && wants_websocket(&m);
    bool has_body = h.body == HTTP_BODY_CHUNKED || h.length > 0;
    if (h.upgrade && (has_body || !span_equal(h.method, SPAN("GET"))))
        return HTTP1_upgrade;
    h.keep_alive = persistent(&h, &m);
    *ret_head = h;
    return HTTP1_GOOD;
}

/* ---- answers */

static enum http1_reason parse_status_line(struct span line, struct http_head *h)
{
    uint64_t status;

    /* "HTTP/1.1 200" and then nothing, or a space and any reason (RFC 9112 section 4) */
    if (line.n < 12 || line.p[8] != ' ' || parse_version(span_of(line.p, 8), h) != HTTP1_GOOD)
        return HTTP1_status_line;
    if (!span_to_u64(span_of(line.p + 9, 3), &status) || status < 100 || status > 599)
        return HTTP1_status_line;
    if (line.n > 12 && line.p[12] != ' ')
        return HTTP1_status_line;
    h->status = (uint16_t)status;
    h->reason = span_after(line, 13);
    return all_of(h->reason, C_VALUE) ? HTTP1_GOOD : HTTP1_status_line;
}

/* RFC 9112 section 6.3: answers that never have a body, whatever their fields say. */
static bool bodiless(const struct http_head *h)
{
    return h->head_request || h->status < 200 || h->status == 204 || h->status == 304;
}

enum http1_reason http1_parse_answer(struct span head, const struct http1_limits *limits,
                                     bool to_head, struct http_field *fields,
                                     struct http_head *ret_head)
{
    struct http_head h = { .bytes = (uint32_t)head.n, .head_request = to_head };
    struct meaning m = {};
    enum http1_reason r = parse_status_line(take_line(&head), &h);

    if (r == HTTP1_GOOD)
        r = parse_fields(head, limits, fields, &h);
    if (r == HTTP1_GOOD)
        r = read_meaning(&h, &m);
    if (r == HTTP1_GOOD)
        r = read_framing(&h, &m);
    if (r != HTTP1_GOOD)
        return r;
    h.keep_alive = persistent(&h, &m);
    h.unused_s = m.unused_s;
    h.upgrade = h.status == 101 && wants_websocket(&m);
    if (bodiless(&h)) {
        /* a length here describes the body that is not sent; keep it for the client */
        for (uint32_t i = 0; i < h.field_count; i++) {
            if (h.fields[i].id == HTTP_CONTENT_LENGTH && (h.head_request || h.status == 304))
                h.fields[i].hop = false;
        }
        h.body = HTTP_BODY_NONE;
        h.length = 0;
    } else if (h.body == HTTP_BODY_NONE) {
        h.body = HTTP_BODY_UNTIL_CLOSE;
    }
    if (h.body == HTTP_BODY_UNTIL_CLOSE)
        h.keep_alive = false;
    *ret_head = h;
    return HTTP1_GOOD;
}
