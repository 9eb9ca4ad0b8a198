/* SPDX-License-Identifier: Apache-2.0 */
/* http.c - names of fields, methods and statuses. */
#include "proto/http.h"

static const struct span names[HTTP_FIELD_IDS] = {
#define X(id, text) [HTTP_##id] = { text, sizeof(text) - 1 },
    HTTP_FIELDS(X)
#undef X
};

enum { KNOWN_NAME_MAX = 19 };

/* Where each length begins: the ids of one length stand together (a test finds every name). */
static const uint8_t first_of_length[KNOWN_NAME_MAX + 2] = {
    [2] = HTTP_TE,
    [3] = HTTP_HOST,
    [4] = HTTP_HOST,
    [5] = HTTP_ACCEPT,
    [6] = HTTP_ACCEPT,
    [7] = HTTP_UPGRADE,
    [8] = HTTP_FORWARDED,
    [9] = HTTP_FORWARDED,
    [10] = HTTP_CONNECTION,
    [11] = HTTP_RETRY_AFTER,
    [12] = HTTP_X_REQUEST_ID,
    [13] = HTTP_CONTENT_LENGTH,
    [14] = HTTP_CONTENT_LENGTH,
    [15] = HTTP_X_FORWARDED_FOR,
    [16] = HTTP_X_FORWARDED_HOST,
    [17] = HTTP_TRANSFER_ENCODING,
    [18] = HTTP_PROXY_AUTHENTICATE,
    [19] = HTTP_PROXY_AUTHORIZATION,
    [20] = HTTP_FIELD_IDS,
};

/* Equal but for case; `known` holds lower-case letters, digits and hyphens only, and the other is a token: so
 * setting bit 5 of each byte tells nothing apart that is different, and nothing else together. */
static bool is_name(struct span known, const char *p)
{
    const uint64_t bit5 = 0x2020202020202020u;
    uint64_t a;
    uint64_t b;
    size_t i = 0;

    for (; i + sizeof(a) <= known.n; i += sizeof(a)) {
        memcpy(&a, known.p + i, sizeof(a));
        memcpy(&b, p + i, sizeof(b));
        if (a != (b | bit5))
            return false;
    }
    if (i > 0) { /* the rest, with what comes before it once more */
        memcpy(&a, known.p + known.n - sizeof(a), sizeof(a));
        memcpy(&b, p + known.n - sizeof(b), sizeof(b));
        return a == (b | bit5);
    }
    for (; i < known.n; i++) {
        if (known.p[i] != ascii_lower(p[i]))
            return false;
    }
    return true;
}

static bool begins(struct span name, struct span prefix)
{
    return name.n > prefix.n && span_equal_nocase(span_of(name.p, prefix.n), prefix);
}

static enum http_field_id family_of(struct span name)
{
    char first = ascii_lower(name.p[0]);

    if (first == 'x' && begins(name, SPAN("x-forwarded-")))
        return HTTP_X_FORWARDED_OTHER;
    if (first == 'e' && begins(name, SPAN("evenkeel-")))
        return HTTP_EVENKEEL_OTHER;
    return HTTP_OTHER;
}

enum http_field_id http_field_find(struct span name)
{
    if (name.n == 0)
        return HTTP_OTHER;
    if (name.n >= 2 && name.n <= KNOWN_NAME_MAX) {
        char last = ascii_lower(name.p[name.n - 1]);
        for (unsigned id = first_of_length[name.n]; id < first_of_length[name.n + 1]; id++) {
            if (names[id].p[name.n - 1] == last && is_name(names[id], name.p))
                return (enum http_field_id)id;
        }
    }
    return family_of(name);
}

const struct http_field *http_head_find(const struct http_head *h, enum http_field_id id)
{
    for (uint32_t i = 0; i < h->field_count; i++) {
        if (h->fields[i].id == id)
            return &h->fields[i];
    }
    return NULL;
}

bool http_is_event_stream(const struct http_head *h)
{
    const struct http_field *f = http_head_find(h, HTTP_CONTENT_TYPE);
    struct span type = f ? field_value(f) : SPAN("");

    return span_equal_nocase(span_trim(span_of(type.p, span_find(type, ';'))),
                             SPAN("text/event-stream"));
}

struct span http_head_named(const struct http_head *h, struct span name)
{
    for (uint32_t i = 0; i < h->field_count; i++) {
        if (span_equal_nocase(field_name(&h->fields[i]), name))
            return field_value(&h->fields[i]);
    }
    return span_of(NULL, 0);
}

struct span http_cookie(const struct http_head *h, struct span name)
{
    for (uint32_t i = 0; i < h->field_count; i++) {
        struct span rest = field_value(&h->fields[i]);
        while (h->fields[i].id == HTTP_COOKIE && rest.n > 0) {
            size_t end = span_find(rest, ';');
            struct span pair = span_trim(span_of(rest.p, end));
            if (pair.n > name.n && pair.p[name.n] == '=' && span_starts_with(pair, name))
                return span_after(pair, name.n + 1);
            rest = span_after(rest, end + 1);
        }
    }
    return span_of(NULL, 0);
}

bool http_list_has(struct span list, struct span token)
{
    while (list.n > 0) {
        size_t comma = span_find(list, ',');
        if (span_equal_nocase(span_trim(span_of(list.p, comma)), token))
            return true;
        list = span_after(list, comma + 1);
    }
    return false;
}

bool http_method_idempotent(struct span method)
{
    static const char *const methods[] = { "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE" };

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (span_equal(method, span_from_text(methods[i])))
            return true;
    }
    return false;
}

struct span http_reason(unsigned status)
{
    /* RFC 9110 section 15, and 429 from RFC 6585 section 4, 431 from section 5 */
    switch (status) {
    case 100: return SPAN("Continue");
    case 101: return SPAN("Switching Protocols");
    case 103: return SPAN("Early Hints");
    case 200: return SPAN("OK");
    case 201: return SPAN("Created");
    case 202: return SPAN("Accepted");
    case 204: return SPAN("No Content");
    case 206: return SPAN("Partial Content");
    case 301: return SPAN("Moved Permanently");
    case 302: return SPAN("Found");
    case 303: return SPAN("See Other");
    case 304: return SPAN("Not Modified");
    case 307: return SPAN("Temporary Redirect");
    case 308: return SPAN("Permanent Redirect");
    case 400: return SPAN("Bad Request");
    case 401: return SPAN("Unauthorized");
    case 403: return SPAN("Forbidden");
    case 404: return SPAN("Not Found");
    case 405: return SPAN("Method Not Allowed");
    case 408: return SPAN("Request Timeout");
    case 409: return SPAN("Conflict");
    case 413: return SPAN("Content Too Large");
    case 414: return SPAN("URI Too Long");
    case 417: return SPAN("Expectation Failed");
    case 421: return SPAN("Misdirected Request");
    case 422: return SPAN("Unprocessable Content");
    case 429: return SPAN("Too Many Requests");
    case 431: return SPAN("Request Header Fields Too Large");
    case 500: return SPAN("Internal Server Error");
    case 501: return SPAN("Not Implemented");
    case 502: return SPAN("Bad Gateway");
    case 503: return SPAN("Service Unavailable");
    case 504: return SPAN("Gateway Timeout");
    case 505: return SPAN("HTTP Version Not Supported");
    default: return SPAN("");
    }
}
