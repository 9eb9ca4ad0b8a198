/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_http1_request.c - a request head: scanned in one piece and byte by byte alike; what is accepted and
 * written again means the same, holds no hop-by-hop field and no line end but CR LF. */
#include "fuzz.h"

#include "proto/http1.h"

static const struct http1_limits limits = { .head = 8192, .line = 1024, .fields = 50 };

static enum http1_progress scan_slowly(struct span text, size_t *ret_size, enum http1_reason *why)
{
    struct http1_scan scan = {};

    for (size_t n = 0; n <= text.n; n++) {
        enum http1_progress p = http1_scan_head(&scan, span_of(text.p, n), &limits, ret_size, why);
        if (p != HTTP1_MORE)
            return p;
    }
    return HTTP1_MORE;
}

static void check_written(const struct http_head *h)
{
    char room[32 * 1024];
    struct str out = str_fixed(room, sizeof(room));
    struct http_field fields[HTTP1_FIELDS_MAX];
    struct http_head again;
    struct http1_limits wide = { .head = sizeof(room), .line = 4096, .fields = HTTP1_FIELDS_MAX };

    http1_write_request(&out, h, HTTP1_PERSIST);
    check(!out.cut && out.n <= http1_head_size(h));
    for (size_t i = 0; i < out.n; i++) {
        check(room[i] != '\n' || (i > 0 && room[i - 1] == '\r'));
        check(room[i] != '\r' || (i + 1 < out.n && room[i + 1] == '\n'));
    }
    enum http1_reason r = http1_parse_request(str_span(&out), &wide, fields, &again);
    check(r == HTTP1_GOOD || (r == HTTP1_host && h->minor == 0)); /* 1.0 may come without a host */
    if (r != HTTP1_GOOD)
        return;
    check(span_equal(again.method, h->method) && span_equal(again.path, h->path));
    check(span_equal(again.query, h->query) && again.has_query == h->has_query);
    check(again.body == h->body && again.length == h->length);
    for (uint32_t i = 0; i < again.field_count; i++)
        check(!again.fields[i].hop || again.fields[i].id == HTTP_CONTENT_LENGTH ||
              again.fields[i].id == HTTP_TRANSFER_ENCODING || again.fields[i].id == HTTP_EXPECT ||
              (h->upgrade &&
               (again.fields[i].id == HTTP_CONNECTION || again.fields[i].id == HTTP_UPGRADE)));
    check(again.upgrade == h->upgrade && again.expect_continue == h->expect_continue);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = span_of(data, size);
    struct http1_scan scan = {};
    enum http1_reason why = HTTP1_GOOD;
    enum http1_reason why_slowly = HTTP1_GOOD;
    size_t n = 0;
    size_t n_slowly = 0;
    struct http_field fields[HTTP1_FIELDS_MAX];
    struct http_head h;

    enum http1_progress p = http1_scan_head(&scan, text, &limits, &n, &why);
    check(scan_slowly(text, &n_slowly, &why_slowly) == p);
    check(n == n_slowly && why == why_slowly);
    if (p != HTTP1_COMPLETE)
        return 0;
    check(n <= size);
    if (http1_parse_request(span_of(text.p, n), &limits, fields, &h) == HTTP1_GOOD)
        check_written(&h);
    return 0;
}
