/* SPDX-License-Identifier: Apache-2.0 */
/* test_http1_body.c - bodies in every split. */
#include "unit.h"

#include "proto/http1.h"

#include <stdlib.h>

struct outcome_of_read {
    enum http1_reason reason;
    bool complete;
    size_t used;
    char data[256];
    size_t data_n;
};

/* Feeds the text in pieces of `step` bytes, as they would come from a socket. */
static struct outcome_of_read feed(struct http_head head, struct span text, size_t step)
{
    struct http1_body b;
    struct outcome_of_read r = {};

    http1_body_begin(&b, &head);
    while (r.used < text.n && !b.complete && r.reason == HTTP1_GOOD) {
        char piece[256];
        size_t n = text.n - r.used < step ? text.n - r.used : step;
        size_t used = 0;
        size_t data = 0;
        memcpy(piece, text.p + r.used, n);
        r.reason = http1_body_read(&b, piece, n, &used, &data);
        memcpy(r.data + r.data_n, piece, data);
        r.data_n += data;
        r.used += used;
    }
    r.complete = b.complete;
    return r;
}

static void chunked(void **state)
{
    static const struct {
        const char *text;
        const char *data; /* NULL: refused */
        size_t rest;      /* bytes behind the end */
    } cases[] = {
        { "0\r\n\r\n", "", 0 },
        { "5\r\nhello\r\n0\r\n\r\nGET ", "hello", 4 },
        { "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", "hello!", 0 },
        { "A;x=\"y\"\r\n0123456789\r\n0\r\n\r\n", "0123456789", 0 },
        { "1;\r\na\r\n0\r\nX-T: 1\r\nY: 2\r\n\r\n", "a", 0 },
        { "000001\r\na\r\n00\r\n\r\n", "a", 0 },
        /* as many digits as anybody writes, and too many of them */
        { "0000000000000000000000000000001\r\na\r\n0\r\n\r\n", "a", 0 },
        { "1\r\na\r\n0000000000000000000000000000000\r\n\r\n", "a", 0 },
        { "000000000000000000000000000000001\r\na\r\n0\r\n\r\n", NULL, 0 },
        { "1\r\na\r\n000000000000000000000000000000000\r\n\r\n", NULL, 0 },
        { "\r\na\r\n", NULL, 0 },
        { "5 \r\nhello\r\n0\r\n\r\n", NULL, 0 },
        { " 5\r\nhello\r\n0\r\n\r\n", NULL, 0 },
        { "+5\r\nhello\r\n0\r\n\r\n", NULL, 0 },
        { "0x5\r\nhello\r\n0\r\n\r\n", NULL, 0 },
        { "5_\r\nhello\r\n0\r\n\r\n", NULL, 0 },
        { "5\nhello\r\n0\r\n\r\n", NULL, 0 },
        { "5\r\nhelloX\r\n0\r\n\r\n", NULL, 0 },
        { "5\r\nhello\n0\r\n\r\n", NULL, 0 },
        { "5\r\nhello\r\n0\r\n\n", NULL, 0 },
        { "5;a\nb\r\nhello\r\n0\r\n\r\n", NULL, 0 },
        { "1\r\na\r\n0\r\n X: folded\r\n\r\n", NULL, 0 },
        { "ffffffffffffffff\r\n", NULL, 0 },
        { "8000000000000000\r\n", NULL, 0 },
    };
    struct http_head head = { .body = HTTP_BODY_CHUNKED };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct span text = span_from_text(cases[i].text);
        for (size_t step = 1; step <= text.n; step++) {
            struct outcome_of_read r = feed(head, text, step);
            if ((r.reason == HTTP1_GOOD) != (cases[i].data != NULL))
                fail_msg("'%s' in steps of %zu: %s", cases[i].text, step,
                         http1_reason_code(r.reason));
            if (!cases[i].data)
                continue;
            assert_true(r.complete);
            assert_int_equal(text.n - r.used, cases[i].rest);
            assert_span(span_of(r.data, r.data_n), cases[i].data);
        }
    }
}

static void framing_has_bounds(void **state)
{
    struct http1_body b;
    struct http_head head = { .body = HTTP_BODY_CHUNKED };
    size_t used;
    size_t data;
    char many[HTTP1_TRAILERS_MAX + 100];

    (void)state;
    memset(many, 'x', sizeof(many));
    memcpy(many, "1;", 2);
    http1_body_begin(&b, &head);
    assert_int_equal(http1_body_read(&b, many, sizeof(many), &used, &data), HTTP1_chunk);
    memset(many, 'x', sizeof(many));
    memcpy(many, "0\r\n", 3);
    http1_body_begin(&b, &head);
    assert_int_equal(http1_body_read(&b, many, sizeof(many), &used, &data), HTTP1_chunk);
}

static void lengths(void **state)
{
    struct http_head head = { .body = HTTP_BODY_LENGTH, .length = 5 };
    struct outcome_of_read r = feed(head, SPAN("hello, next"), 3);

    (void)state;
    assert_true(r.complete);
    assert_span(span_of(r.data, r.data_n), "hello");
    head.length = 0;
    struct http1_body b;
    http1_body_begin(&b, &head);
    assert_true(b.complete);
    head.body = HTTP_BODY_UNTIL_CLOSE;
    r = feed(head, SPAN("all of it"), 4);
    assert_false(r.complete);
    assert_span(span_of(r.data, r.data_n), "all of it");
}

static void chunk_lines(void **state)
{
    char line[HTTP1_CHUNK_HEAD_MAX];

    (void)state;
    assert_span(span_of(line, http1_chunk_head(line, 0xabc)), "abc\r\n");
    assert_int_equal(http1_chunk_head(line, UINT64_MAX), HTTP1_CHUNK_HEAD_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(chunked),
                                        cmocka_unit_test(framing_has_bounds),
                                        cmocka_unit_test(lengths), cmocka_unit_test(chunk_lines) };
    return RUN(tests);
}
