/* SPDX-License-Identifier: Apache-2.0 */
/* test_http1.c - every reason for which a head is refused, and its near misses that must pass. */
#include "unit.h"

#include "base/rand.h"
#include "proto/http1.h"

static const struct http1_limits limits = { .head = 2000, .line = 200, .fields = 5 };

static enum http1_reason scan_and_parse(struct span head, struct http_field *fields,
                                        struct http_head *ret_head)
{
    struct http1_scan scan = {};
    enum http1_reason why = HTTP1_GOOD;
    size_t size = 0;

    switch (http1_scan_head(&scan, head, &limits, &size, &why)) {
    case HTTP1_REFUSED: return why;
    case HTTP1_MORE: return HTTP1_REASON_COUNT; /* not complete */
    case HTTP1_COMPLETE: break;
    }
    return http1_parse_request(span_of(head.p, size), &limits, fields, ret_head);
}

#define REQUEST(fields) "GET / HTTP/1.1\r\nHost: a\r\n" fields "\r\n"

static const struct {
    const char *head;
    enum http1_reason expected;
} request_cases[] = {
    { REQUEST(""), HTTP1_GOOD },
    { "GET / HTTP/1.0\r\n\r\n", HTTP1_GOOD },
    { "GET http://a/x?y HTTP/1.1\r\nHost: A\r\n\r\n", HTTP1_GOOD },
    { "GET http://a HTTP/1.1\r\nHost: a\r\n\r\n", HTTP1_GOOD },
    { "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", HTTP1_GOOD },
    { "PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n", HTTP1_GOOD },
    { REQUEST("X: \r\n"), HTTP1_GOOD },
    { REQUEST("X:\t a b \t\r\n"), HTTP1_GOOD },
    { REQUEST("X: caf\xc3\xa9\r\n"), HTTP1_GOOD },
    { REQUEST("Connection: close, x-y\r\nX-Y: 1\r\n"), HTTP1_GOOD },
    { REQUEST("Content-Length: 0\r\n"), HTTP1_GOOD },
    { REQUEST("Transfer-Encoding: Chunked\r\n"), HTTP1_GOOD },
    { REQUEST("Expect: 100-Continue\r\n"), HTTP1_GOOD },

    { "GET / HTTP/1.1\nHost: a\r\n\r\n", HTTP1_bare_cr_or_lf },
    { "GET / HTTP/1.1\r\nHost: a\n\r\n", HTTP1_bare_cr_or_lf },
    { "GET / HTTP/1.1\r\nHost: a\r\n\n", HTTP1_bare_cr_or_lf },
    { REQUEST("X: a\rb\r\n"), HTTP1_field_value },
    { "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", HTTP1_request_line },
    { "GET /\r\nHost: a\r\n\r\n", HTTP1_request_line },
    { " GET / HTTP/1.1\r\nHost: a\r\n\r\n", HTTP1_request_line },
    { "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", HTTP1_version },
    { "G\x01T / HTTP/1.1\r\nHost: a\r\n\r\n", HTTP1_request_line },
    { "GET / FTP/1.1\r\nHost: a\r\n\r\n", HTTP1_request_line },
    { "GET / HTTP/2.0\r\nHost: a\r\n\r\n", HTTP1_version },
    { "GET / HTTP/1.10\r\nHost: a\r\n\r\n", HTTP1_version },
    { "GET / http/1.1\r\nHost: a\r\n\r\n", HTTP1_request_line },
    { "get / HTTP/1.1\r\nHost: a\r\n\r\n", HTTP1_method_unknown },
    { "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", HTTP1_method_unknown },
    { "GET * HTTP/1.1\r\nHost: a\r\n\r\n", HTTP1_target },
    { "GET a/b HTTP/1.1\r\nHost: a\r\n\r\n", HTTP1_target },
    { "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", HTTP1_target },
    { "GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n", HTTP1_target },
    { "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", HTTP1_target },
    { "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", HTTP1_target },
    { REQUEST("X : 1\r\n"), HTTP1_field_name },
    { REQUEST(": 1\r\n"), HTTP1_field_name },
    { REQUEST("X\r\n"), HTTP1_field_name },
    { REQUEST("X(: 1\r\n"), HTTP1_field_name },
    { REQUEST("X: 1\r\n y\r\n"), HTTP1_field_folded },
    { REQUEST("X: a\x01\r\n"), HTTP1_field_value },
    { "GET / HTTP/1.1\r\n\r\n", HTTP1_host_missing },
    { REQUEST("Host: a\r\n"), HTTP1_host_missing },
    { "GET / HTTP/1.1\r\nHost:\r\n\r\n", HTTP1_host },
    { "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", HTTP1_host },
    { "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", HTTP1_host },
    { "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", HTTP1_host },
    { REQUEST("Content-Length: 1\r\nContent-Length: 1\r\n"), HTTP1_length },
    { REQUEST("Content-Length: 1, 1\r\n"), HTTP1_length },
    { REQUEST("Content-Length: +1\r\n"), HTTP1_length },
    { REQUEST("Content-Length: 0x1\r\n"), HTTP1_length },
    { REQUEST("Content-Length:\r\n"), HTTP1_length },
    { REQUEST("Content-Length: 9223372036854775808\r\n"), HTTP1_length },
    { REQUEST("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"), HTTP1_length_and_encoding },
    { REQUEST("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n"), HTTP1_length_and_encoding },
    { REQUEST("Transfer-Encoding: gzip, chunked\r\n"), HTTP1_encoding },
    { REQUEST("Transfer-Encoding: xchunked\r\n"), HTTP1_encoding },
    { REQUEST("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), HTTP1_encoding },
    { REQUEST("Transfer-Encoding: identity\r\n"), HTTP1_encoding },
    { "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP1_encoding_in_1_0 },
    { REQUEST("Connection: host\r\n"), HTTP1_connection },
    { REQUEST("Connection: close, Content-Length\r\n"), HTTP1_connection },
    { REQUEST("Connection: X-Forwarded-For\r\n"), HTTP1_connection },
    { REQUEST("Connection: a b\r\n"), HTTP1_connection },
    { REQUEST("Connection: x-forwarded-port\r\n"), HTTP1_connection },
    { REQUEST("Connection: close, X-Forwarded-Host\r\n"), HTTP1_connection },
    { REQUEST("Connection: x-forwarded-proto\r\n"), HTTP1_connection },
    { REQUEST("Connection: Forwarded\r\n"), HTTP1_connection },
    { REQUEST("Connection: X-Real-IP\r\n"), HTTP1_connection },
    { REQUEST("Connection: X-Request-Id\r\n"), HTTP1_connection },
    { REQUEST("Connection: traceparent\r\n"), HTTP1_connection },
    { REQUEST("Connection: tracestate\r\n"), HTTP1_connection },
    { REQUEST("Connection: Authorization\r\n"), HTTP1_connection },
    { REQUEST("Connection: cookie\r\n"), HTTP1_connection },
    { REQUEST("Connection: transfer-encoding\r\n"), HTTP1_connection },
    { REQUEST("Connection: close\r\nConnection: x-forwarded-for\r\n"), HTTP1_connection },
    { REQUEST("Connection: x-forwarded, x-real, traceparents\r\n"), HTTP1_GOOD },
    { REQUEST("Expect: tea\r\n"), HTTP1_expectation },
    { REQUEST("Expect:\r\n"), HTTP1_expectation },
    { REQUEST("Expect: 100-continue, tea\r\n"), HTTP1_expectation },
    { "GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", HTTP1_GOOD },
    { REQUEST("X_Real_IP: 1\r\n"), HTTP1_field_underscore },
    { REQUEST("Content_Length: 1\r\n"), HTTP1_field_underscore },
    { REQUEST("_: 1\r\n"), HTTP1_field_underscore },
    { REQUEST("a_: 1\r\n"), HTTP1_field_underscore },
    { "GET / HTTP/1.0\r\nA-Long-Name-That-Goes-On_: 1\r\n\r\n", HTTP1_field_underscore },
    { REQUEST("X: a_b\r\n"), HTTP1_GOOD },
    { "GET /a_b HTTP/1.1\r\nHost: a_b\r\n\r\n", HTTP1_GOOD },
    { REQUEST("A: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\n"), HTTP1_GOOD },
    { REQUEST("A: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\nE: 1\r\n"), HTTP1_too_many_fields },
    { "GET / HTTP/1.1\r\nHost: a\r\n", HTTP1_REASON_COUNT },
};

static void requests(void **state)
{
    struct http_field fields[HTTP1_FIELDS_MAX];
    struct http_head head;

    (void)state;
    for (size_t i = 0; i < COUNT(request_cases); i++) {
        enum http1_reason got =
            scan_and_parse(span_from_text(request_cases[i].head), fields, &head);
        if (got != request_cases[i].expected)
            fail_msg("'%s' gave %s, not %s", request_cases[i].head,
                     got < HTTP1_REASON_COUNT ? http1_reason_code(got) : "more",
                     request_cases[i].expected < HTTP1_REASON_COUNT
                         ? http1_reason_code(request_cases[i].expected)
                         : "more");
    }
    /* a zero byte ends C strings, so it stands here */
    assert_int_equal(
        scan_and_parse(SPAN("GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"), fields, &head),
        HTTP1_field_value);
}

static void limits_are_kept(void **state)
{
    char text[4000];
    struct http_field fields[HTTP1_FIELDS_MAX];
    struct http_head head;

    (void)state;
    snprintf(text, sizeof(text), "GET /%0185d HTTP/1.1\r\nHost: a\r\n\r\n", 0); /* 200 bytes */
    assert_int_equal(scan_and_parse(span_from_text(text), fields, &head), HTTP1_GOOD);
    snprintf(text, sizeof(text), "GET /%0187d HTTP/1.1\r\nHost: a\r\n\r\n", 0);
    assert_int_equal(scan_and_parse(span_from_text(text), fields, &head), HTTP1_line_too_long);
    /* refused as soon as it is too long, not when it ends */
    assert_int_equal(scan_and_parse(span_of(text, 205 < strlen(text) ? 205 : 0), fields, &head),
                     HTTP1_line_too_long);
    snprintf(text, sizeof(text), REQUEST("X: %01950d\r\n"), 0);
    assert_int_equal(scan_and_parse(span_from_text(text), fields, &head), HTTP1_GOOD);
    snprintf(text, sizeof(text), REQUEST("X: %01990d\r\n"), 0);
    assert_int_equal(scan_and_parse(span_from_text(text), fields, &head), HTTP1_head_too_large);
}

static void a_head_may_come_byte_by_byte(void **state)
{
    struct span whole = SPAN("POST /x?y=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    struct http1_scan scan = {};
    enum http1_reason why;
    size_t size = 0;

    (void)state;
    for (size_t n = 0; n < whole.n - 5; n++)
        assert_int_equal(http1_scan_head(&scan, span_of(whole.p, n), &limits, &size, &why),
                         HTTP1_MORE);
    assert_int_equal(http1_scan_head(&scan, whole, &limits, &size, &why), HTTP1_COMPLETE);
    assert_int_equal(size, whole.n - 5);
}

static void what_a_head_means(void **state)
{
    struct http_field fields[HTTP1_FIELDS_MAX];
    struct http_head h;

    (void)state;
    assert_int_equal(scan_and_parse(SPAN("POST http://a:1/x/y?q=1&r HTTP/1.1\r\nhost: a:1\r\n"
                                         "Content-Length: 12\r\nConnection: close\r\n\r\n"),
                                    fields, &h),
                     HTTP1_GOOD);
    assert_span(h.method, "POST");
    assert_span(h.path, "/x/y");
    assert_span(h.query, "q=1&r");
    assert_span(h.host, "a:1");
    assert_int_equal(h.body, HTTP_BODY_LENGTH);
    assert_int_equal(h.length, 12);
    assert_false(h.keep_alive);
    assert_int_equal(
        scan_and_parse(SPAN("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), fields, &h),
        HTTP1_GOOD);
    assert_true(h.keep_alive);
    assert_int_equal(scan_and_parse(SPAN("GET / HTTP/1.0\r\n\r\n"), fields, &h), HTTP1_GOOD);
    assert_false(h.keep_alive);
    assert_false(h.has_query);
}

static void answers(void **state)
{
    static const struct {
        const char *head;
        bool to_head;
        enum http1_reason expected;
        enum http_body body;
    } cases[] = {
        { "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", false, HTTP1_GOOD, HTTP_BODY_LENGTH },
        { "HTTP/1.1 200\r\n\r\n", false, HTTP1_GOOD, HTTP_BODY_UNTIL_CLOSE },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false, HTTP1_GOOD,
          HTTP_BODY_CHUNKED },
        { "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", true, HTTP1_GOOD, HTTP_BODY_NONE },
        { "HTTP/1.1 204 No\r\n\r\n", false, HTTP1_GOOD, HTTP_BODY_NONE },
        { "HTTP/1.1 304 No\r\nContent-Length: 3\r\n\r\n", false, HTTP1_GOOD, HTTP_BODY_NONE },
        { "HTTP/1.1 100 Go\r\n\r\n", false, HTTP1_GOOD, HTTP_BODY_NONE },
        { "HTTP/1.1 204 No\r\nX_Y: 1\r\n\r\n", false, HTTP1_GOOD,
          HTTP_BODY_NONE }, /* its own affair */
        { "HTTP/1.1 204 No\r\nConnection: X-Forwarded-For\r\n\r\n", false, HTTP1_connection,
          HTTP_BODY_NONE },
        { "HTTP/1.1 099 x\r\n\r\n", false, HTTP1_status_line, HTTP_BODY_NONE },
        { "HTTP/1.1 600 x\r\n\r\n", false, HTTP1_status_line, HTTP_BODY_NONE },
        { "HTTP/1.1 20 x\r\n\r\n", false, HTTP1_status_line, HTTP_BODY_NONE },
        { "HTTP/1.1 2000\r\n\r\n", false, HTTP1_status_line, HTTP_BODY_NONE },
        { "HTTP/2 200 x\r\n\r\n", false, HTTP1_status_line, HTTP_BODY_NONE },
        { "ICY 200 OK\r\n\r\n", false, HTTP1_status_line, HTTP_BODY_NONE },
        { "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", false,
          HTTP1_length_and_encoding, HTTP_BODY_NONE },
        { "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", false, HTTP1_length,
          HTTP_BODY_NONE },
    };
    struct http_field fields[HTTP1_FIELDS_MAX];
    struct http_head h;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum http1_reason got = http1_parse_answer(span_from_text(cases[i].head), &limits,
                                                   cases[i].to_head, fields, &h);
        if (got != cases[i].expected)
            fail_msg("'%s' gave %s", cases[i].head, http1_reason_code(got));
        if (got == HTTP1_GOOD)
            assert_int_equal(h.body, cases[i].body);
    }
}

static void writing_is_canonical(void **state)
{
    struct http_field fields[HTTP1_FIELDS_MAX];
    struct http_head h;
    char room[1000];
    struct str out = str_fixed(room, sizeof(room));
    struct http_extra extra = { SPAN("X-Request-Id"), SPAN("7") };

    (void)state;
    assert_int_equal(scan_and_parse(SPAN("POST /a?b HTTP/1.1\r\nHOST:  a\r\nX-y:\tz \r\n"
                                         "connection: X-y\r\nTransfer-Encoding: CHUNKED\r\n\r\n"),
                                    fields, &h),
                     HTTP1_GOOD);
    h.extra = &extra;
    h.extra_count = 1;
    http1_write_request(&out, &h, HTTP1_PERSIST);
    assert_span(str_span(&out), "POST /a?b HTTP/1.1\r\nHOST: a\r\nX-Request-Id: 7\r\n"
                                "Transfer-Encoding: chunked\r\n\r\n");
    assert_true(out.n <= http1_head_size(&h));
    out.n = 0;
    assert_int_equal(http1_parse_answer(SPAN("HTTP/1.0 404 No such\r\nEvenkeel-Outcome: failed\r\n"
                                             "Content-Length: 2\r\nKeep-Alive: x\r\n\r\n"),
                                        &limits, false, fields, &h),
                     HTTP1_GOOD);
    http1_write_answer(&out, &h, HTTP1_CLOSE);
    assert_span(str_span(&out),
                "HTTP/1.1 404 No such\r\nContent-Length: 2\r\nConnection: close\r\n\r\n");
}

static void how_long_an_unused_connection_is_kept(void **state)
{
    static const struct {
        const char *value;
        unsigned seconds;
    } cases[] = {
        { "timeout=5", 5 },
        { "max=100, Timeout = 72", 72 },
        { "timeout=5, max=100", 5 },
        { "timeout=0", 0 },
        { "timeout=99999999999", 86400 },
        { "timeout=99999999999999999999", 0 },
        { "timeout=-1", 0 },
        { "timeout", 0 },
        { "timeout=", 0 },
        { "timeouts=5", 0 },
        { "5", 0 },
        { ", ,", 0 },
    };
    struct http_field fields[20];
    struct http_head h;
    char text[200];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        snprintf(text, sizeof(text),
                 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nKeep-Alive: %s\r\n\r\n", cases[i].value);
        assert_int_equal(http1_parse_answer(span_from_text(text), &limits, false, fields, &h),
                         HTTP1_GOOD);
        if (h.unused_s != cases[i].seconds)
            fail_msg("'%s' gave %u", cases[i].value, h.unused_s);
    }
}

static void upgrades(void **state)
{
#define UPGRADE    REQUEST("Connection: Upgrade\r\nUpgrade: WebSocket\r\n")
#define TO(fields) "\r\nHost: a\r\n" fields "\r\n"
#define WEBSOCKET  "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
    static const struct {
        const char *head;
        enum http1_reason expected;
        bool upgrade;
    } cases[] = {
        { UPGRADE, HTTP1_GOOD, true },
        { "GET / HTTP/1.1" TO(WEBSOCKET), HTTP1_GOOD, true },
        { "GET / HTTP/1.1" TO(WEBSOCKET "Content-Length: 0\r\n"), HTTP1_GOOD, true },
        { "POST / HTTP/1.1" TO(WEBSOCKET), HTTP1_upgrade, false },
        { "HEAD / HTTP/1.1" TO(WEBSOCKET), HTTP1_upgrade, false },
        { "GET / HTTP/1.1" TO(WEBSOCKET "Content-Length: 1\r\n"), HTTP1_upgrade, false },
        { "GET / HTTP/1.1" TO(WEBSOCKET "Transfer-Encoding: chunked\r\n"), HTTP1_upgrade, false },
        /* not asked for, or for something else: an ordinary request */
        { "GET / HTTP/1.0" TO(WEBSOCKET), HTTP1_GOOD, false },
        { REQUEST("Upgrade: websocket\r\n"), HTTP1_GOOD, false },
        { REQUEST("Connection: upgrade\r\n"), HTTP1_GOOD, false },
        { REQUEST("Connection: upgrade\r\nUpgrade: websocket/13\r\n"), HTTP1_GOOD, false },
        { REQUEST("Connection: upgrade\r\nUpgrade: websocket, h2c\r\n"), HTTP1_GOOD, false },
        { REQUEST("Connection: upgrade\r\nUpgrade: h2c\r\nUpgrade: websocket\r\n"), HTTP1_GOOD,
          false },
        { REQUEST("Connection: upgrade\r\nUpgrade: TLS/1.0\r\n"), HTTP1_GOOD, false },
        { REQUEST("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"),
          HTTP1_GOOD, false },
        { "POST / HTTP/1.1" TO("Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 1\r\n"),
          HTTP1_GOOD, false },
    };
    struct http_field fields[HTTP1_FIELDS_MAX];
    struct http_head h;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char room[1000];
        struct str out = str_fixed(room, sizeof(room) - 1);
        h.upgrade = false;
        enum http1_reason got = scan_and_parse(span_from_text(cases[i].head), fields, &h);
        if (got != cases[i].expected || h.upgrade != cases[i].upgrade)
            fail_msg("'%s' gave %s, %d", cases[i].head, http1_reason_code(got), h.upgrade);
        if (got != HTTP1_GOOD)
            continue;
        /* what goes on names the WebSocket or no protocol at all */
        http1_write_request(&out, &h, HTTP1_PERSIST);
        room[out.n] = '\0';
        assert_true(out.n <= http1_head_size(&h));
        assert_int_equal(strstr(room, "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n") != NULL,
                         cases[i].upgrade);
        assert_null(strstr(room, "h2c"));
        assert_null(strstr(room, "HTTP2"));
        assert_null(strstr(room, "TLS"));
        if (!cases[i].upgrade)
            assert_null(strstr(room, "pgrade"));
    }
}

static void answers_to_upgrades(void **state)
{
    static const struct {
        const char *head;
        bool upgrade;
    } cases[] = {
        { "HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", true },
        { "HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n", false },
        { "HTTP/1.1 101 Go\r\nUpgrade: websocket\r\n\r\n", false },
        { "HTTP/1.1 101 Go\r\nConnection: upgrade\r\n\r\n", false },
        { "HTTP/1.1 101 Go\r\n\r\n", false },
        { "HTTP/1.1 200 OK\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", false },
        { "HTTP/1.1 426 No\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", false },
    };
    struct http_field fields[HTTP1_FIELDS_MAX];
    struct http_head h;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(
            http1_parse_answer(span_from_text(cases[i].head), &limits, false, fields, &h),
            HTTP1_GOOD);
        if (h.upgrade != cases[i].upgrade)
            fail_msg("'%s'", cases[i].head);
    }
}

static void expectations(void **state)
{
    static const struct {
        const char *head;
        bool waits;
    } cases[] = {
        { REQUEST("Expect: 100-continue\r\nContent-Length: 1\r\n"), true },
        { REQUEST("Expect: 100-CONTINUE\r\nTransfer-Encoding: chunked\r\n"), true },
        { REQUEST("Content-Length: 1\r\n"), false },
        { REQUEST("Expect: 100-continue\r\n"), false }, /* no body that could wait */
        /* RFC 9110 section 10.1.1: the one of an HTTP/1.0 client is ignored */
        { "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", false },
    };
    struct http_field fields[HTTP1_FIELDS_MAX];
    struct http_head h;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char room[1000];
        struct str out = str_fixed(room, sizeof(room) - 1);
        assert_int_equal(scan_and_parse(span_from_text(cases[i].head), fields, &h), HTTP1_GOOD);
        if (h.expect_continue != cases[i].waits)
            fail_msg("'%s'", cases[i].head);
        http1_write_request(&out, &h, HTTP1_PERSIST);
        room[out.n] = '\0';
        assert_int_equal(strstr(room, "\r\nExpect: 100-continue\r\n") != NULL, cases[i].waits);
        assert_int_equal(strstr(room, "xpect") != NULL, cases[i].waits); /* once, and ours */
    }
}

/* What belongs to one connection ends there, whatever its case and wherever it stands. */
static void hop_by_hop_fields_are_dropped(void **state)
{
    static const char *const names[] = {
        "TE",           "trailer",          "Keep-Alive",         "Proxy-Connection",
        "Upgrade",      "HTTP2-Settings",   "Proxy-Authenticate", "proxy-authorization",
        "X-Named-Here", "evenkeel-outcome", "Evenkeel-Journey",   "EVENKEEL-anything",
    };
    struct http_field fields[HTTP1_FIELDS_MAX];
    struct http_head h;

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        char text[200];
        char room[1000];
        struct str out = str_fixed(room, sizeof(room));
        snprintf(text, sizeof(text), REQUEST("%s: 1\r\nX: 2\r\nConnection: x-named-here\r\n"),
                 names[i]);
        assert_int_equal(scan_and_parse(span_from_text(text), fields, &h), HTTP1_GOOD);
        http1_write_request(&out, &h, HTTP1_PERSIST);
        assert_span(str_span(&out), "GET / HTTP/1.1\r\nHost: a\r\nX: 2\r\n\r\n");
    }
}

/* Fields in any order and any clothes come out as one for one would: however many are copied at once. */
static void runs_of_fields_are_written_as_each_would_be(void **state)
{
    static const struct {
        const char *received;
        const char *written;
    } kinds[] = {
        { "A: one\r\n", "A: one\r\n" },
        { "b-c: two words\r\n", "b-c: two words\r\n" },
        { "D:  far\r\n", "D: far\r\n" },
        { "E:near\r\n", "E: near\r\n" },
        { "F:\ttab\r\n", "F: tab\r\n" },
        { "G: behind \t\r\n", "G: behind\r\n" },
        { "H: \r\n", "H: \r\n" },
        { "I:\r\n", "I: \r\n" },
        { "TE: x\r\n", "" },
        { "Named: x\r\n", "" },
    };
    struct http_field fields[HTTP1_FIELDS_MAX];
    struct rng rng = { 7 };

    (void)state;
    for (int i = 0; i < 3000; i++) {
        char text[600], wanted[600], room[2000];
        struct str received = str_fixed(text, sizeof(text));
        struct str written = str_fixed(wanted, sizeof(wanted));
        struct str out = str_fixed(room, sizeof(room));
        struct http_head h;
        str_literal(&received, "GET / HTTP/1.1\r\nHost: a\r\n");
        str_literal(&written, "GET / HTTP/1.1\r\nHost: a\r\n");
        for (unsigned k = (unsigned)rng_below(&rng, 4); k > 0; k--) {
            size_t kind = (size_t)rng_below(&rng, COUNT(kinds));
            str_text(&received, kinds[kind].received);
            str_text(&written, kinds[kind].written);
        }
        str_literal(&received, "Connection: named\r\n\r\n");
        str_literal(&written, "\r\n");
        assert_int_equal(scan_and_parse(str_span(&received), fields, &h), HTTP1_GOOD);
        http1_write_request(&out, &h, HTTP1_PERSIST);
        assert_int_equal(out.n, written.n);
        assert_memory_equal(room, wanted, out.n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests),
        cmocka_unit_test(runs_of_fields_are_written_as_each_would_be),
        cmocka_unit_test(limits_are_kept),
        cmocka_unit_test(a_head_may_come_byte_by_byte),
        cmocka_unit_test(what_a_head_means),
        cmocka_unit_test(answers),
        cmocka_unit_test(writing_is_canonical),
        cmocka_unit_test(how_long_an_unused_connection_is_kept),
        cmocka_unit_test(upgrades),
        cmocka_unit_test(answers_to_upgrades),
        cmocka_unit_test(expectations),
        cmocka_unit_test(hop_by_hop_fields_are_dropped),
    };
    return RUN(tests);
}
