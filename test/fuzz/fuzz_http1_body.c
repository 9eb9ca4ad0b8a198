/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_http1_body.c - a body in one piece and in many: the same data, the same end, the same refusal. The
 * first byte says how it is framed and in which pieces it comes. */
#include "fuzz.h"

#include "proto/http1.h"

enum { SIZE_MAX_BYTES = 4096 };

struct taken {
    enum http1_reason reason;
    bool complete;
    size_t used;
    size_t n;
    char data[SIZE_MAX_BYTES];
};

static void feed(const struct http_head *h, struct span text, size_t step, struct taken *t)
{
    struct http1_body b;
    char piece[SIZE_MAX_BYTES];

    *t = (struct taken){};
    http1_body_begin(&b, h);
    while (t->used < text.n && !b.complete && t->reason == HTTP1_GOOD) {
        size_t n = text.n - t->used < step ? text.n - t->used : step;
        size_t used = 0;
        size_t data = 0;
        memcpy(piece, text.p + t->used, n);
        t->reason = http1_body_read(&b, piece, n, &used, &data);
        if (t->reason != HTTP1_GOOD)
            break;
        check(used <= n && data <= used && (used > 0 || b.complete));
        memcpy(t->data + t->n, piece, data);
        t->n += data;
        t->used += used;
    }
    t->complete = b.complete;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct taken whole;
    static struct taken pieces;

    if (size < 2 || size > SIZE_MAX_BYTES)
        return 0;
    struct http_head h = { .body = data[0] & 1 ? HTTP_BODY_CHUNKED : HTTP_BODY_LENGTH,
                           .length = data[1] };
    struct span text = span_of(data + 2, size - 2);
    feed(&h, text, SIZE_MAX_BYTES, &whole);
    feed(&h, text, 1 + (data[0] >> 1) % 60, &pieces);
    check(whole.reason == pieces.reason);
    if (whole.reason != HTTP1_GOOD)
        return 0;
    check(whole.complete == pieces.complete && whole.used == pieces.used && whole.n == pieces.n);
    check(memcmp(whole.data, pieces.data, whole.n) == 0);
    return 0;
}
