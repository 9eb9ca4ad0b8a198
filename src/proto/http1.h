/* SPDX-License-Identifier: Apache-2.0 */
/* http1.h - HTTP/1.1 on the wire (RFC 9112): strict in, canonical out.
 * Always: what is passed on is written anew from the index; no received framing byte is ever forwarded.
 * Anything that two programs could read differently is refused with a reason code.
 * Pure: no allocation; the caller lends the bytes and the array of fields. */
#ifndef EK_PROTO_HTTP1_H
#define EK_PROTO_HTTP1_H

#include "base/str.h"
#include "proto/http.h"

enum { HTTP1_FIELDS_MAX = 256 }; /* upper bound of limits.fields */

struct http1_limits {
    uint32_t head; /* bytes of a head */
    uint32_t line; /* bytes of the first line */
    uint32_t fields;
};

/* Why a message was refused: code (stable, in the answer, the log and the metrics), status, words. */
/* clang-format off */
#define HTTP1_REASONS(X) \
    X(bare_cr_or_lf,        400, "a line must end with CR LF") \
    X(request_line,         400, "the request line is malformed") \
    X(line_too_long,        414, "the request line is too long") \
    X(method_unknown,       501, "the method is not a token of letters, or is CONNECT") \
    X(target,               400, "the request target is malformed") \
    X(version,              505, "only HTTP/1.0 and HTTP/1.1 are spoken here") \
    X(head_too_large,       431, "the request head is too large") \
    X(too_many_fields,      431, "the request has too many header fields") \
    X(field_name,           400, "a header field name is malformed") \
    X(field_underscore,     400, "a header field name with an underscore could be taken for one with a hyphen") \
    X(field_value,          400, "a header field value holds a control character") \
    X(field_folded,         400, "a header field is folded over lines") \
    X(host_missing,         400, "an HTTP/1.1 request needs exactly one Host field") \
    X(host,                 400, "the Host field is malformed, or disagrees with the target") \
    X(length,               400, "Content-Length is malformed or given twice") \
    X(length_and_encoding,  400, "Content-Length and Transfer-Encoding contradict each other") \
    X(encoding,             501, "the only transfer encoding understood is chunked, once, last") \
    X(encoding_in_1_0,      400, "HTTP/1.0 knows no Transfer-Encoding") \
    X(connection,           400, "Connection names a field that must not be dropped") \
    X(upgrade,              400, "an upgrade is asked for with GET, without a body") \
    X(expectation,          417, "the only expectation understood is 100-continue") \
    X(chunk,                400, "the chunked body is malformed") \
    X(body_too_large,       413, "the request body is too large") \
    X(status_line,          502, "the status line is malformed") \
    X(answer_framing,       502, "the answer's framing is malformed")
/* clang-format on */

enum http1_reason {
    HTTP1_GOOD,
#define X(code, status, words) HTTP1_##code,
    HTTP1_REASONS(X)
#undef X
        HTTP1_REASON_COUNT,
};

const char *http1_reason_code(enum http1_reason r);
unsigned http1_reason_status(enum http1_reason r);
const char *http1_reason_words(enum http1_reason r);

/* Looks for the end of a head without reading any byte twice over all calls for one head. */
struct http1_scan {
    uint32_t looked; /* bytes looked at */
    uint32_t line;   /* where the current line begins */
    uint32_t lines;  /* complete lines before it */
};

enum http1_progress { HTTP1_MORE, HTTP1_COMPLETE, HTTP1_REFUSED };

/* `bytes` is everything received since the head began. COMPLETE: *ret_size is the head's size with its
 * empty line. REFUSED: *ret_reason. One empty line before a request is skipped by the caller
 * (http1_skip_blank). */
enum http1_progress http1_scan_head(struct http1_scan *scan, struct span bytes,
                                    const struct http1_limits *limits, size_t *ret_size,
                                    enum http1_reason *ret_reason);

/* How many bytes of an empty line stand before a request: 0 or 2 (RFC 9112 section 2.2). */
size_t http1_skip_blank(struct span bytes);

/* Bytes of an array in which the fields of any head of this size find room: each takes four at least. */
static inline size_t http1_fields_size(size_t head_size, const struct http1_limits *limits)
{
    size_t count = head_size / 4 < limits->fields ? head_size / 4 : limits->fields;

    return count * sizeof(struct http_field);
}

/* Reads a complete head. `fields` has room for limits->fields, or for http1_fields_size(). HTTP1_GOOD: *ret_head points into `head`
 * and `fields`. */
enum http1_reason http1_parse_request(struct span head, const struct http1_limits *limits,
                                      struct http_field *fields, struct http_head *ret_head);

/* Method and target alone, as a log has them: sets method, path, query and host of *ret_head and leaves the
 * rest. What is refused here never reaches a journey. */
enum http1_reason http1_read_target(struct span method, struct span target,
                                    struct http_head *ret_head);

/* As http1_parse_request(), for an answer. `to_head`: it answers a HEAD request. */
enum http1_reason http1_parse_answer(struct span head, const struct http1_limits *limits,
                                     bool to_head, struct http_field *fields,
                                     struct http_head *ret_head);

/* ---- bodies in */

struct http1_body {
    enum http_body kind;
    uint8_t state; /* of the chunked reader */
    uint64_t left; /* of the body, or of the current chunk */
    uint32_t line; /* bytes of the chunk line or trailers so far */
    bool complete;
};

enum {
    HTTP1_CHUNK_LINE_MAX = 1024, /* size and extensions, which are dropped */
    HTTP1_TRAILERS_MAX = 8192,   /* dropped as well */
};

void http1_body_begin(struct http1_body *b, const struct http_head *h);

/* Takes the body out of received bytes: data is moved together at the front of `bytes`, its size is
 * *ret_data; *ret_used bytes were consumed. The rest belongs to the next message. b->complete says when
 * the end was seen. HTTP1_GOOD, or why the body is refused. */
enum http1_reason http1_body_read(struct http1_body *b, char *bytes, size_t n, size_t *ret_used,
                                  size_t *ret_data);

/* ---- heads and bodies out */

/* What Connection says in a head that we send (RFC 9112 section 9.6). */
enum http1_connection { HTTP1_PERSIST, HTTP1_KEEP_ALIVE, HTTP1_CLOSE };

/* Writes a head in canonical form (one with `upgrade`: Connection and Upgrade name the WebSocket): all fields that are not `hop`, then the extras, then framing for
 * h->body, then Connection when it has something to say. The last CR LF included. */
void http1_write_request(struct str *out, const struct http_head *h, enum http1_connection c);
void http1_write_answer(struct str *out, const struct http_head *h, enum http1_connection c);

/* At least as many bytes as either of them writes. */
size_t http1_head_size(const struct http_head *h);

enum { HTTP1_CHUNK_HEAD_MAX = 18 }; /* 16 hexadecimal digits, CR LF */

/* The line before n > 0 bytes of data; the CR LF behind them is the caller's. Returns its size. */
size_t http1_chunk_head(char ret_line[HTTP1_CHUNK_HEAD_MAX], uint64_t n);

#define HTTP1_CHUNK_TAIL SPAN("\r\n")
#define HTTP1_LAST_CHUNK SPAN("0\r\n\r\n")

#endif
