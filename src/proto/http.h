/* SPDX-License-Identifier: Apache-2.0 */
/* http.h - a request or an answer as every HTTP version sees it (RFC 9110): a head, then data, then an
 * end. A head is an index of spans over bytes that somebody else owns (the exchange's memory).
 * Nothing here knows how a head looked on the wire; see http1.h for that. */
#ifndef EK_PROTO_HTTP_H
#define EK_PROTO_HTTP_H

#include "base/span.h"

#include <stdint.h>

/* Fields whose meaning the edge must know: id, name in canonical lower case. In order of their names'
 * length, which is how http_field_find() looks them up. */
/* clang-format off */
#define HTTP_FIELDS(X) \
    X(TE,                  "te") \
    X(HOST,                "host") \
    X(ACCEPT,              "accept") \
    X(COOKIE,              "cookie") \
    X(EXPECT,              "expect") \
    X(UPGRADE,             "upgrade") \
    X(TRAILER,             "trailer") \
    X(REFERER,             "referer") \
    X(FORWARDED,           "forwarded") \
    X(X_REAL_IP,           "x-real-ip") \
    X(CONNECTION,          "connection") \
    X(KEEP_ALIVE,          "keep-alive") \
    X(TRACESTATE,          "tracestate") \
    X(USER_AGENT,          "user-agent") \
    X(RETRY_AFTER,         "retry-after") \
    X(TRACEPARENT,         "traceparent") \
    X(X_REQUEST_ID,        "x-request-id") \
    X(CONTENT_TYPE,        "content-type") \
    X(CONTENT_LENGTH,      "content-length") \
    X(HTTP2_SETTINGS,      "http2-settings") \
    X(X_FORWARDED_FOR,     "x-forwarded-for") \
    X(X_FORWARDED_HOST,    "x-forwarded-host") \
    X(PROXY_CONNECTION,    "proxy-connection") \
    X(EVENKEEL_OUTCOME,    "evenkeel-outcome") \
    X(EVENKEEL_JOURNEY,    "evenkeel-journey") \
    X(EVENKEEL_TIMEOUT,    "evenkeel-timeout") \
    X(TRANSFER_ENCODING,   "transfer-encoding") \
    X(X_FORWARDED_PROTO,   "x-forwarded-proto") \
    X(PROXY_AUTHENTICATE,  "proxy-authenticate") \
    X(PROXY_AUTHORIZATION, "proxy-authorization")
/* clang-format on */

enum http_field_id {
    HTTP_OTHER,
#define X(id, name) HTTP_##id,
    HTTP_FIELDS(X)
#undef X
        HTTP_FIELD_IDS,
    /* families, known by how their names begin */
    HTTP_X_FORWARDED_OTHER = HTTP_FIELD_IDS, /* x-forwarded-port, x-forwarded-server, ... */
    HTTP_EVENKEEL_OTHER,                     /* evenkeel-...: ours, never passed on */
};

/* One header field. Name as received (any case), value without surrounding blanks. */
struct http_field {
    const char *name;
    const char *value;
    uint32_t value_n;
    uint16_t name_n;
    uint8_t id; /* enum http_field_id */
    bool hop;   /* belongs to this connection only: not passed on (RFC 9110 section 7.6.1) */
};

static inline struct span field_name(const struct http_field *f)
{
    return span_of(f->name, f->name_n);
}

static inline struct span field_value(const struct http_field *f)
{
    return span_of(f->value, f->value_n);
}

/* A field that the edge adds to a head. */
struct http_extra {
    struct span name;
    struct span value;
};

/* After an answer with `upgrade` both directions are a tunnel: bytes without framing, until close. */
enum http_body {
    HTTP_BODY_NONE,
    HTTP_BODY_LENGTH,      /* exactly `length` bytes */
    HTTP_BODY_CHUNKED,     /* until its end is marked; length unknown */
    HTTP_BODY_UNTIL_CLOSE, /* answers only */
};

struct http_head {
    struct span method; /* requests */
    struct span path;   /* target without query: starts with '/', or is "*" */
    struct span query;  /* behind the '?', which is not in it */
    bool has_query;     /* there was a '?' */
    struct span
        host;        /* authority: from an absolute target or the Host field; may be empty in 1.0 */
    uint16_t status; /* answers: 100-599 */
    struct span reason; /* answers */
    uint8_t minor;      /* HTTP/1.minor, 0 or 1 */
    enum http_body body;
    uint64_t length;      /* when HTTP_BODY_LENGTH */
    bool keep_alive;      /* the sender is willing to use its connection again */
    uint32_t unused_s;    /* and closes it when nobody does for so long; 0: it does not say */
    bool expect_continue; /* requests: the client waits for 100 before its body */
    bool upgrade;         /* request: asks for a WebSocket; answer: 101, one begins */
    bool head_request;    /* request: the method is HEAD; answer: it answers one */
    struct http_field *fields;
    uint32_t field_count;
    uint32_t bytes;                 /* of the head as received */
    const struct http_extra *extra; /* added behind the fields; none when received */
    uint32_t extra_count;
};

/* What codecs hand to whoever listens, and are handed to send: a head (or NULL), data, and whether the
 * message ends here. */
struct http_part {
    const struct http_head *head;
    struct span data;
    bool end;
};

/* The id of a field name; HTTP_OTHER when the edge need not know it. */
enum http_field_id http_field_find(struct span name);

/* First field with that id, or NULL. */
const struct http_field *http_head_find(const struct http_head *h, enum http_field_id id);

/* The answer is text/event-stream: it lasts as long as somebody listens. */
bool http_is_event_stream(const struct http_head *h);

/* The value of the first field with this name, without case; empty when there is none. */
struct span http_head_named(const struct http_head *h, struct span name);

/* The value of a cookie by its name (RFC 6265 section 4.2.1), from all Cookie fields; empty when there is
 * none. */
struct span http_cookie(const struct http_head *h, struct span name);

/* Whether a comma-separated list of tokens holds this one, without case (RFC 9110 section 5.6.1). */
bool http_list_has(struct span list, struct span token);

/* A method that may be sent again without harm (RFC 9110 section 9.2.2). */
bool http_method_idempotent(struct span method);

/* The standard's reason phrase; "" for a status it does not know. */
struct span http_reason(unsigned status);

#endif
