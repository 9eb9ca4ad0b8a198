/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_uri.c - any bytes as the target of a request: none survives that may not stand in one, ordinary paths
 * are never refused, and what is passed on is read as the same path, query and host. */
#include "fuzz.h"

#include "proto/http1.h"

enum { TARGET_MAX = 2000 };

static const struct http1_limits limits = { .head = 8192, .line = 4096, .fields = 10 };
static const struct http1_limits with_host = { .head = 8192, .line = 4096, .fields = 11 };

static bool letter_or_digit(char c)
{
    return ascii_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}

/* pchar, "/" and "?" of RFC 3986 sections 3.3 and 3.4 without a look at what follows "%". */
static bool ordinary(char c)
{
    return c != '\0' && (letter_or_digit(c) || strchr("-._~%!$&'()*+,;=:@/?", c));
}

static void check_bytes(struct span s, const char *unusual)
{
    for (size_t i = 0; i < s.n; i++)
        check(ordinary(s.p[i]) || (s.p[i] && strchr(unusual, s.p[i])));
}

static bool parse(struct span text, const struct http1_limits *most, struct http_field *fields,
                  struct http_head *ret_head)
{
    struct http1_scan scan = {};
    enum http1_reason why;
    size_t n;

    if (http1_scan_head(&scan, text, most, &n, &why) != HTTP1_COMPLETE)
        return false;
    return http1_parse_request(span_of(text.p, n), most, fields, ret_head) == HTTP1_GOOD;
}

static bool has(struct span s, char c)
{
    return s.n > 0 && memchr(s.p, c, s.n);
}

static void check_head(const struct http_head *h)
{
    /* what browsers send unescaped; a space, a fragment, "<", ">", "\" and any control never */
    check_bytes(h->path, "\"[]^`{|}");
    check_bytes(h->query, "\"[]^`{|}");
    check_bytes(h->host, "[]");
    check(!has(h->host, '/') && !has(h->host, '@') && !has(h->host, '?') && !has(h->path, '?'));
    check(h->has_query || h->query.n == 0);
    check(h->path.n > 0 && (h->path.p[0] == '/' || span_equal(h->method, SPAN("OPTIONS"))));
}

static void check_written(const struct http_head *h)
{
    static char room[16 * 1024];
    static char twice[16 * 1024];
    struct str out = str_fixed(room, sizeof(room));
    struct str again_out = str_fixed(twice, sizeof(twice));
    struct http_field fields[HTTP1_FIELDS_MAX];
    struct http_head again;

    if (h->host.n == 0) /* HTTP/1.0: passed on with an empty Host, which we ourselves do not take */
        return;
    http1_write_request(&out, h, HTTP1_PERSIST);
    check(!out.cut && out.n <= http1_head_size(h));
    check(parse(str_span(&out), &with_host, fields, &again) && again.bytes == out.n);
    check(span_equal(again.path, h->path) && span_equal(again.host, h->host));
    check(again.has_query == h->has_query && span_equal(again.query, h->query));
    http1_write_request(&again_out, &again, HTTP1_PERSIST);
    check(span_equal(str_span(&out), str_span(&again_out)));
}

/* A path without anything odd in it must come through, byte for byte. */
static bool plain_target(struct span target)
{
    for (size_t i = 0; i < target.n; i++) {
        if (!ordinary(target.p[i]))
            return false;
    }
    return target.n > 0 && target.p[0] == '/';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[TARGET_MAX + 100];
    struct str s = str_fixed(text, sizeof(text));
    struct span target = span_of(data, size);
    struct http_field fields[HTTP1_FIELDS_MAX];
    struct http_head h;

    if (size > TARGET_MAX)
        return 0;
    str_literal(&s, "GET ");
    str_put(&s, target);
    str_literal(&s, " HTTP/1.1\r\nHost: a\r\n\r\n");
    bool good = parse(str_span(&s), &limits, fields, &h);
    if (plain_target(target)) {
        size_t mark = span_find(target, '?');
        check(good && span_equal(h.path, span_of(target.p, mark)));
        check(span_equal(h.query, span_after(target, mark + 1)));
        check(h.has_query == (mark < size));
    }
    if (!good)
        return 0;
    check_head(&h);
    check_written(&h);
    return 0;
}
