/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_http1_answer.c - an answer's head, to a HEAD request and to another: what is accepted and written
 * again means the same. The first byte says which. */
#include "fuzz.h"

#include "proto/http1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct http1_limits limits = { .head = 8192, .line = 1024, .fields = 50 };
    struct http1_limits wide = { .head = 32768, .line = 8192, .fields = HTTP1_FIELDS_MAX };
    struct http_field fields[HTTP1_FIELDS_MAX];
    struct http_field fields_again[HTTP1_FIELDS_MAX];
    struct http1_scan scan = {};
    enum http1_reason why;
    struct http_head h;
    struct http_head again;
    char room[32 * 1024];
    struct str out = str_fixed(room, sizeof(room));
    size_t n;

    if (size < 1)
        return 0;
    bool to_head = data[0] & 1;
    struct span text = span_of(data + 1, size - 1);
    if (http1_scan_head(&scan, text, &limits, &n, &why) != HTTP1_COMPLETE ||
        http1_parse_answer(span_of(text.p, n), &limits, to_head, fields, &h) != HTTP1_GOOD)
        return 0;
    check(h.status >= 100 && h.status <= 599);
    check(h.body != HTTP_BODY_UNTIL_CLOSE || !h.keep_alive);
    if (to_head || h.status < 200 || h.status == 204 || h.status == 304)
        check(h.body == HTTP_BODY_NONE);
    http1_write_answer(&out, &h, HTTP1_PERSIST);
    check(!out.cut && out.n <= http1_head_size(&h));
    check(http1_parse_answer(str_span(&out), &wide, to_head, fields_again, &again) == HTTP1_GOOD);
    check(again.status == h.status && again.body == h.body && again.length == h.length);
    return 0;
}
