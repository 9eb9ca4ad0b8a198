/* SPDX-License-Identifier: Apache-2.0 */
/* http1_body.c - taking bodies out of received bytes (RFC 9112 sections 6 and 7.1).
 * The chunked reader is a small machine over bytes; framing is dropped, data is moved together. */
#include "proto/http1.h"

enum chunk_state {
    CHUNK_SIZE_FIRST, /* at least one digit must come */
    CHUNK_SIZE,
    CHUNK_EXTENSION, /* dropped */
    CHUNK_SIZE_LF,
    CHUNK_DATA,
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    TRAILER_START, /* of a line */
    TRAILER_LINE,  /* dropped */
    TRAILER_LF,
    TRAILER_END_LF,
};

enum { CHUNK_DIGITS_MAX = 31 }; /* some servers write leading zeroes; nobody writes more of them */

void http1_body_begin(struct http1_body *b, const struct http_head *h)
{
    *b = (struct http1_body){ .kind = h->body, .left = h->length };
    b->complete = h->body == HTTP_BODY_NONE || (h->body == HTTP_BODY_LENGTH && h->length == 0);
}

static bool control(char c)
{
    return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

static bool add_digit(struct http1_body *b, char c)
{
    int digit = ascii_hex(c);

    if (digit < 0 || b->left > (INT64_MAX >> 4))
        return false;
    b->left = b->left << 4 | (uint64_t)digit;
    return true;
}

/* One byte of framing. False: malformed. */
static bool chunk_byte(struct http1_body *b, char c)
{
    switch ((enum chunk_state)b->state) {
    case CHUNK_SIZE_FIRST:
        b->left = 0;
        b->line = 0;
        b->state = CHUNK_SIZE;
        return add_digit(b, c);
    case CHUNK_SIZE:
        if (c == '\r')
            b->state = CHUNK_SIZE_LF;
        else if (c == ';')
            b->state = CHUNK_EXTENSION;
        else
            return ++b->line <= CHUNK_DIGITS_MAX && add_digit(b, c);
        return true;
    case CHUNK_EXTENSION:
        if (c == '\r')
            b->state = CHUNK_SIZE_LF;
        return c == '\r' || (!control(c) && ++b->line <= HTTP1_CHUNK_LINE_MAX);
    case CHUNK_SIZE_LF:
        b->state = b->left > 0 ? CHUNK_DATA : TRAILER_START;
        b->line = 0;
        return c == '\n';
    case CHUNK_DATA: return false; /* not framing; the caller takes it */
    case CHUNK_DATA_CR: b->state = CHUNK_DATA_LF; return c == '\r';
    case CHUNK_DATA_LF: b->state = CHUNK_SIZE_FIRST; return c == '\n';
    case TRAILER_START:
        b->state = c == '\r' ? TRAILER_END_LF : TRAILER_LINE;
        return c == '\r' ||
               (!control(c) && c != ' ' && c != '\t' && ++b->line <= HTTP1_TRAILERS_MAX);
    case TRAILER_LINE:
        if (c == '\r')
            b->state = TRAILER_LF;
        return c == '\r' || (!control(c) && ++b->line <= HTTP1_TRAILERS_MAX);
    case TRAILER_LF: b->state = TRAILER_START; return c == '\n';
    case TRAILER_END_LF: b->complete = true; return c == '\n';
    }
    return false;
}

static enum http1_reason read_chunked(struct http1_body *b, char *bytes, size_t n, size_t *ret_used,
                                      size_t *ret_data)
{
    size_t used = 0;
    size_t data = 0;

    while (used < n && !b->complete) {
        if (b->state != CHUNK_DATA) {
            if (!chunk_byte(b, bytes[used++]))
                return HTTP1_chunk;
            continue;
        }
        size_t piece = n - used < b->left ? n - used : (size_t)b->left;
        memmove(bytes + data, bytes + used, piece);
        data += piece;
        used += piece;
        b->left -= piece;
        if (b->left == 0)
            b->state = CHUNK_DATA_CR;
    }
    *ret_used = used;
    *ret_data = data;
    return HTTP1_GOOD;
}

enum http1_reason http1_body_read(struct http1_body *b, char *bytes, size_t n, size_t *ret_used,
                                  size_t *ret_data)
{
    size_t take = n;

    *ret_used = *ret_data = 0;
    switch (b->kind) {
    case HTTP_BODY_NONE: return HTTP1_GOOD;
    case HTTP_BODY_CHUNKED: return read_chunked(b, bytes, n, ret_used, ret_data);
    case HTTP_BODY_LENGTH:
        take = n < b->left ? n : (size_t)b->left;
        b->left -= take;
        b->complete = b->left == 0;
        break;
    case HTTP_BODY_UNTIL_CLOSE: break;
    }
    *ret_used = *ret_data = take;
    return HTTP1_GOOD;
}
