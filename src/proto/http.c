/* SPDX-License-Identifier: Apache-2.0 */
/* http.c - names of fields, methods and statuses. */
#include "proto/http.h"

struct known_field {
    uint16_t key; /* length and first letter: most names differ here already */
    struct span name;
};

#define FIELD_KEY(length, first) (uint16_t)((length) << 8 | (unsigned char)(first))

static const struct known_field known_fields[HTTP_FIELD_IDS] = { [HTTP_OTHER] = {},
#define X(id, text) \
    [HTTP_##id] = { FIELD_KEY(sizeof(text) - 1, text[0]), { text, sizeof(text) - 1 } },
                                                                 HTTP_FIELDS(X)
#undef X
};

enum { KNOWN_NAME_MAX = 31 };

enum http_field_id http_field_find(struct span name)
{
    if (name.n == 0 || name.n > KNOWN_NAME_MAX)
        return HTTP_OTHER;
    uint16_t key = FIELD_KEY(name.n, ascii_lower(name.p[0]));
    for (unsigned id = 1; id < HTTP_FIELD_IDS; id++) {
        if (known_fields[id].key == key && span_equal_nocase(known_fields[id].name, name))
            return (enum http_field_id)id;
    }
    return HTTP_OTHER;
}

const struct http_field *http_head_find(const struct http_head *h, enum http_field_id id)
{
    for (uint32_t i = 0; i < h->field_count; i++) {
        if (h->fields[i].id == id)
            return &h->fields[i];
    }
    return NULL;
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
