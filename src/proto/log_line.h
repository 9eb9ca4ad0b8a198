/* SPDX-License-Identifier: Apache-2.0 */
/* log_line.h - one line of an access log as the request that it tells of: nginx's and Apache's usual formats,
 * any log_format of nginx, JSON lines, and our own log (docs/access-log.md).
 * A format is compiled once into pieces: a text that stands before, then a value. Reading a line follows the
 * pieces, allocates nothing and undoes escapes in place.
 * Pure. The line belongs to the caller, who lets it be changed; spans of the result point into it.
 * Next: log_line.c has the table of names that values go by. */
#ifndef EK_PROTO_LOG_LINE_H
#define EK_PROTO_LOG_LINE_H

#include "base/clock.h"
#include "base/span.h"

/* What a line may say, in the order in which the same thing is believed. */
/* clang-format off */
#define LOG_FIELDS(X) \
    X(IGNORED)       /* anything that is not asked for */ \
    X(REQUEST)       /* "GET /cart HTTP/1.1" */ \
    X(METHOD) \
    X(TARGET)        /* as the client wrote it, with its query */ \
    X(PATH)          /* the same without */ \
    X(URI)           /* as nginx understood it: unescaped, without dots; better than nothing */ \
    X(STATUS) \
    X(LOCAL)         /* 10/Oct/2000:13:55:36 -0700 */ \
    X(ISO)           /* 2000-10-10T13:55:36-07:00 */ \
    X(EPOCH)         /* 971211336.000 */ \
    X(STAMP)         /* any of these three */ \
    X(TOOK_S)        /* seconds from the request's first byte to the answer's last */ \
    X(TOOK_MS)       /* the same in milliseconds: our own log */ \
    X(BLOCKED_MS)    /* of it: waiting for the client */ \
    X(UPSTREAM_S)    /* what instances took, one after the other: "0.001, 0.200" */ \
    X(HOST) \
    X(SERVER)        /* the server's name, where there is no better host */ \
    X(REASON)        /* our own log: why it did not end with a whole answer */ \
    X(TRACE)         /* our own log: that it is our own */
/* clang-format on */

enum log_field {
#define X(name) LOG_##name,
    LOG_FIELDS(X)
#undef X
        LOG_FIELD_COUNT,
};

/* How bytes that would break a line are written: \x22 (nginx) and \" (Apache); as in JSON; not at all. */
enum log_escape { LOG_ESCAPE_DEFAULT, LOG_ESCAPE_JSON, LOG_ESCAPE_NONE };

enum { LOG_PIECES_MAX = 64 }; /* of one format: twice nginx's longest that people show each other */

struct log_piece {
    struct span before; /* the text that ends the value before it */
    uint8_t field;
    bool list;   /* of several instances: values with ", " and " : " between them */
    bool joined; /* ends where a target begins: "$host$request_uri" */
};

struct log_format {
    struct span name; /* for people; the caller's */
    bool json;        /* lines are JSON objects with usual keys; else pieces */
    enum log_escape escape;
    struct log_piece pieces[LOG_PIECES_MAX];
    size_t count;
    struct span after; /* behind the last value; whatever follows it is not looked at */
    bool says_time;    /* when requests ended */
    bool says_took;    /* how long they took */
    bool says_host;
};

/* The formats that have a name: "combined", "common", "vhost_combined", "json". False when it is none. */
bool log_format_named(struct span name, struct log_format *ret_format);

/* The name of the i-th of them; empty behind the last. */
struct span log_format_name(size_t i);

/* Compiles a log_format of nginx: text with $variables or ${variables}. Spans point into `text`. On failure
 * returns a sentence (static) and leaves *ret_format untouched, else NULL. */
const char *log_format_compile(struct span name, struct span text, enum log_escape escape,
                               struct log_format *ret_format);

struct log_line {
    struct span method;
    struct span host; /* empty: not said */
    struct span path; /* without query */
    unsigned status;  /* 0: none */
    bool malformed;   /* no request that an edge would take: method and path are not set */
    bool client_gone; /* nginx's 499: the client left before there was an answer */
    bool has_time;
    int64_t at_ms; /* when it ended: milliseconds since 1970-01-01 UTC */
    bool has_took;
    bool of_upstream; /* `took` is the instances' time: the log has no other */
    ns_t took;
    struct span reason; /* our own log; empty: none */
};

/* Reads one line, without its end. On failure returns a sentence (static) and leaves *ret_line untouched,
 * else NULL. A request that makes no sense is no failure, see `malformed`: clients send such. */
const char *log_line_read(const struct log_format *f, char *line, size_t n,
                          struct log_line *ret_line);

/* A decimal number of seconds with at most nine decimals that count. False when it is none. */
[[nodiscard]] bool log_seconds(struct span s, ns_t *ret_ns);

/* A stamp in one of the three ways. False when it is none of them. */
[[nodiscard]] bool log_stamp(struct span s, int64_t *ret_ms);

#endif
