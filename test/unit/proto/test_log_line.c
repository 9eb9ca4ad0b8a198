/* SPDX-License-Identifier: Apache-2.0 */
/* test_log_line.c - lines of access logs, as nginx 1.22, Apache 2.4 and we write them. */
#include "unit.h"

#include "base/str.h"
#include "proto/log_line.h"

#define SPAN_OF(text) span_of(text, sizeof(text) - 1)

#define COMBINED "192.0.2.1 - - [10/Oct/2000:13:55:36 -0700] "
#define REST     " 200 23 \"-\" \"curl/7\""

/* The line is copied to memory of exactly its size: reading changes it, and a byte too far is seen. */
static const char *read_line(const struct log_format *f, const char *text, size_t n,
                             char **ret_copy, struct log_line *ret)
{
    *ret_copy = test_malloc(n + 1);
    memcpy(*ret_copy, text, n);
    return log_line_read(f, *ret_copy, n, ret);
}

static void named(const char *name, struct log_format *ret)
{
    assert_true(log_format_named(span_from_text(name), ret));
}

static void requests_of_combined_lines(void **state)
{
    static const struct {
        const char *request; /* with its quotes and what stands behind */
        const char *method;  /* NULL: malformed */
        const char *path;
    } cases[] = {
        { "\"GET / HTTP/1.1\"" REST, "GET", "/" },
        { "\"GET /a?b=c HTTP/2.0\"" REST, "GET", "/a" },
        { "\"POST /a%20b/%C3%A9 HTTP/1.0\"" REST, "POST", "/a%20b/%C3%A9" },
        { "\"GET http://shop.example/x?y HTTP/1.1\"" REST, "GET", "/x" },
        { "\"OPTIONS * HTTP/1.1\"" REST, "OPTIONS", "*" },
        { "\"GET /say\\x22hello\\x22 HTTP/1.1\"" REST, "GET", "/say\"hello\"" },
        { "\"GET /say\\\"hello\\\" HTTP/1.1\"" REST, "GET", "/say\"hello\"" },
        { "\"GET /a HTTP/1.1\" 200 1 \"a \\x22b\" \"c\\x5C\"", "GET", "/a" },
        { "\"GET /a HTTP/1.1\" 200 1 \"-\" \"x\" 0.003 more", "GET", "/a" },
        /* what no edge takes for a request */
        { "\"-\" 400 0 \"-\" \"-\"", NULL, NULL },
        { "\"\" 400 0 \"-\" \"-\"", NULL, NULL },
        { "\"\\x16\\x03\\x01\\x02\\x00\" 400 150 \"-\" \"-\"", NULL, NULL },
        { "\"GET /\" 200 1 \"-\" \"-\"", NULL, NULL },
        { "\"GET  / HTTP/1.1\"" REST, NULL, NULL },
        { "\"GET /a b HTTP/1.1\"" REST, NULL, NULL },
        { "\"get / HTTP/1.1\"" REST, NULL, NULL },
        { "\"GET a HTTP/1.1\"" REST, NULL, NULL },
        { "\"GET * HTTP/1.1\"" REST, NULL, NULL },
        { "\"CONNECT a:443 HTTP/1.1\"" REST, NULL, NULL },
        { "\"GET /\\xC3\\xA9 HTTP/1.1\"" REST, NULL, NULL },
        { "\"GET /\\x5C HTTP/1.1\"" REST, NULL, NULL },
    };
    struct log_format f;

    (void)state;
    named("combined", &f);
    assert_true(f.says_time && !f.says_took && !f.says_host);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct log_line l;
        char text[512];
        char *copy;
        int n = snprintf(text, sizeof(text), COMBINED "%s", cases[i].request);
        const char *wrong = read_line(&f, text, (size_t)n, &copy, &l);
        if (wrong || l.malformed != !cases[i].method)
            fail_msg("%s: %s, malformed %d", cases[i].request, wrong, l.malformed);
        assert_int_equal(l.at_ms, 971211336000);
        if (cases[i].method) {
            assert_span(l.method, cases[i].method);
            assert_span(l.path, cases[i].path);
        }
        test_free(copy);
    }
}

static void lines_that_cannot_be_read(void **state)
{
    static const struct {
        const char *format;
        const char *line;
    } cases[] = {
        { "combined", "" },
        { "combined", "192.0.2.1" },
        { "combined", COMBINED "\"GET / HTTP/1.1\" 200" },
        { "combined", COMBINED "\"GET / HTTP/1.1" },
        { "combined", COMBINED "\"GET / HTTP/1.1\" OK 1 \"-\" \"-\"" },
        { "combined", COMBINED "\"GET / HTTP/1.1\" 2000 1 \"-\" \"-\"" },
        { "combined", "192.0.2.1 - - [yesterday] \"GET / HTTP/1.1\"" REST },
        { "combined", "192.0.2.1 - - [32/Oct/2000:13:55:36 +0000] \"GET / HTTP/1.1\"" REST },
        { "combined", "192.0.2.1 - - [10/Foo/2000:13:55:36 +0000] \"GET / HTTP/1.1\"" REST },
        { "json", "" },
        { "json", "{" },
        { "json", "{\"status\":200" },
        { "json", "{\"status\"}" },
        { "json", "{\"status\":200,}" },
        { "json", "{\"status\":200}x" },
        { "json", "[200]" },
        { "json", "{}" },
        { "json", "{\"status\":\"20" },
        { "json", "{\"status\":200,\"request_time\":\"soon\"}" },
        { "json", "{\"status\":200,\"time\":\"soon\"}" },
        { "json", "{\"status\":200,\"a\":{\"b\":[1,2}" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct log_line l = { .status = 7 };
        struct log_format f;
        char *copy;
        named(cases[i].format, &f);
        if (!read_line(&f, cases[i].line, strlen(cases[i].line), &copy, &l))
            fail_msg("'%s' was read", cases[i].line);
        assert_int_equal(l.status, 7); /* untouched */
        test_free(copy);
    }
}

static void users_hosts_and_addresses(void **state)
{
    struct log_format f;
    struct log_line l;
    char *copy;
    static const char user[] =
        "2001:db8::1 - john doe [10/Oct/2000:13:55:36 +0200] \"GET / HTTP/1.1\"" REST;
    static const char host[] =
        "shop.example:80 2001:db8::1 - - [10/Oct/2000:13:55:36 +0000] \"GET / HTTP/1.1\"" REST;

    (void)state;
    named("combined", &f);
    assert_null(read_line(&f, user, sizeof(user) - 1, &copy, &l));
    assert_int_equal(l.at_ms, 971178936000);
    assert_int_equal(l.host.n, 0);
    test_free(copy);
    named("vhost_combined", &f);
    assert_true(f.says_host);
    assert_null(read_line(&f, host, sizeof(host) - 1, &copy, &l));
    assert_span(l.host, "shop.example:80");
    assert_span(l.path, "/");
    test_free(copy);
}

static void bytes_of_any_kind(void **state)
{
    struct log_format f;
    struct log_line l;
    char *copy;
    char *huge = test_malloc(200000);
    static const char zero[] = "\0\0\0" COMBINED "\"GET /a\0b HTTP/1.1\" 200 1 \"\t\" \"\0\"";

    (void)state;
    named("combined", &f);
    assert_null(read_line(&f, zero, sizeof(zero) - 1, &copy, &l));
    assert_true(l.malformed); /* a path with a zero in it */
    test_free(copy);
    int n = snprintf(huge, 200000, COMBINED "\"GET /");
    memset(huge + n, 'a', 199000 - (size_t)n);
    static const char end[] = " HTTP/1.1\" 200 1 \"-\" \"-\"";
    memcpy(huge + 199000, end, sizeof(end) - 1);
    assert_null(read_line(&f, huge, 199000 + sizeof(end) - 1, &copy, &l));
    assert_int_equal(l.path.n, 199000 - (size_t)n + 1);
    test_free(copy);
    test_free(huge);
}

/* ---- formats of one's own */

static void formats_are_compiled(void **state)
{
    static const struct {
        const char *format;
        const char *wrong; /* in the sentence; NULL: right */
    } cases[] = {
        { "$request $status", NULL },
        { "${request}x$status", NULL },
        { "$request_method $scheme://$host$request_uri $status", NULL },
        { "$request_method $uri$is_args$args $status", NULL },
        { "$a$b $request $status", NULL },
        { "costs 5$ $request $status", NULL },
        { "", "neither $request nor" },
        { "$request", "no $status" },
        { "$status", "neither $request nor" },
        { "$request_method $status", "neither $request nor" },
        { "$request$status", "side by side" },
        { "$status$request_time $request", "side by side" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct log_format f = { .count = 7 };
        const char *wrong =
            log_format_compile(SPAN("x"), span_from_text(cases[i].format), LOG_ESCAPE_DEFAULT, &f);
        if (!wrong != !cases[i].wrong || (wrong && !strstr(wrong, cases[i].wrong)))
            fail_msg("'%s' gave: %s", cases[i].format, wrong ? wrong : "nothing");
        if (wrong)
            assert_int_equal(f.count, 7);
    }
    struct str many = str_growing();
    struct log_format f;
    for (int i = 0; i < 70; i++)
        str_text(&many, "$a ");
    str_text(&many, "$request $status");
    assert_non_null(log_format_compile(SPAN("x"), str_span(&many), LOG_ESCAPE_DEFAULT, &f));
    str_free(&many);
}

static void values_of_formats(void **state)
{
    static const struct {
        const char *format;
        const char *line;
        const char *method;
        const char *path;
        const char *host;
        unsigned status;
        ns_t took; /* -1: not said */
    } cases[] = {
        { "$status $request_time $request", "200 0.000 GET /a HTTP/1.1", "GET", "/a", "", 200, 0 },
        { "$request $status $request_time", "GET /a HTTP/1.1 204 1.250", "GET", "/a", "", 204,
          1250 * NS_PER_MS },
        { "[$request] $status", "[GET /a HTTP/1.1] 301", "GET", "/a", "", 301, -1 },
        { "$request_method|$request_uri|$status", "PUT|/a?b|500", "PUT", "/a", "", 500, -1 },
        { "$request_method $scheme://$host$request_uri $status", "GET https://a.b/c/d?e 200", "GET",
          "/c/d", "a.b", 200, -1 },
        { "$request_method $uri$is_args$args $status", "GET /caf\xC3\xA9?x=1 200", "GET",
          "/caf\xC3\xA9", "", 200, -1 },
        { "$upstream_response_time $status \"$request\"", "0.001, 0.200 200 \"GET / HTTP/1.1\"",
          "GET", "/", "", 200, 201 * NS_PER_MS },
        { "$upstream_response_time $status \"$request\"", "0.001 : 0.200, - 200 \"GET / HTTP/1.1\"",
          "GET", "/", "", 200, 201 * NS_PER_MS },
        { "$upstream_response_time $status \"$request\"", "- 200 \"GET / HTTP/1.1\"", "GET", "/",
          "", 200, -1 },
        { "urt=\"$upstream_response_time\" rt=$request_time $status \"$request\"",
          "urt=\"0.5\" rt=0.6 200 \"GET / HTTP/1.1\"", "GET", "/", "", 200, 600 * NS_PER_MS },
        { "$status\t$host\t$request_time\t$request", "200\tshop:8080\t0.1\tGET / HTTP/1.1", "GET",
          "/", "shop:8080", 200, 100 * NS_PER_MS },
        { "\"$http_x_forwarded_for\" $server_name $status $request",
          "\"1.1.1.1, 2.2.2.2\" shop 200 GET / HTTP/1.1", "GET", "/", "shop", 200, -1 },
        { "$http_x_forwarded_for $status $request", "1.1.1.1, 2.2.2.2 200 GET / HTTP/1.1", "GET",
          "/", "", 200, -1 },
        { "$status $request_time $request", "101 600.000 GET /ws HTTP/1.1", "GET", "/ws", "", 101,
          -1 },
        { "$status $request_time $request", "- - GET /a HTTP/1.1", "GET", "/a", "", 0, -1 },
        { "$status $request_time $request", "000 0.1 GET /a HTTP/1.1", "GET", "/a", "", 0,
          100 * NS_PER_MS },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct log_format f;
        struct log_line l;
        char *copy;
        assert_null(
            log_format_compile(SPAN("x"), span_from_text(cases[i].format), LOG_ESCAPE_DEFAULT, &f));
        const char *wrong = read_line(&f, cases[i].line, strlen(cases[i].line), &copy, &l);
        if (wrong || l.malformed || l.status != cases[i].status ||
            (l.has_took ? l.took : -1) != cases[i].took)
            fail_msg("'%s' as '%s': %s, malformed %d, status %u, took %ld", cases[i].line,
                     cases[i].format, wrong, l.malformed, l.status, l.has_took ? (long)l.took : -1);
        assert_span(l.method, cases[i].method);
        assert_span(l.path, cases[i].path);
        assert_span(l.host, cases[i].host);
        test_free(copy);
    }
}

/* A host and a target without a text between them: where neither is there, nothing further is taken for them. */
static void joined_values_end(void **state)
{
    static const char format[] = "\"$request_method $host$request_uri\" $status \"$http_referer\"";
    static const char line[] = "\" \" 400 \"http://x/\"";
    struct log_format f;
    struct log_line l;
    char *copy;

    (void)state;
    assert_null(log_format_compile(SPAN("x"), SPAN_OF(format), LOG_ESCAPE_DEFAULT, &f));
    assert_null(read_line(&f, line, sizeof(line) - 1, &copy, &l));
    assert_true(l.malformed);
    assert_int_equal(l.status, 400);
    test_free(copy);
}

static void escapes_by_kind(void **state)
{
    static const char format[] =
        "{\"r\":\"$request\",\"h\":\"$http_host\",\"s\":$status,\"u\":\"$upstream_response_time\"}";
    static const char line[] =
        "{\"r\":\"GET /a\\\"\\u003Db\\/ HTTP/1.1\",\"h\":\"\",\"s\":200,\"u\":\"\"}";
    static const char none[] = "{\"r\":\"GET /a\\b HTTP/1.1\",\"h\":\"x\",\"s\":499,\"u\":\"0.1\"}";
    struct log_format f;
    struct log_line l;
    char *copy;

    (void)state;
    assert_null(log_format_compile(SPAN("x"), SPAN_OF(format), LOG_ESCAPE_JSON, &f));
    assert_null(read_line(&f, line, sizeof(line) - 1, &copy, &l));
    assert_span(l.path, "/a\"=b/");
    assert_false(l.has_took);
    test_free(copy);
    assert_null(log_format_compile(SPAN("x"), SPAN_OF(format), LOG_ESCAPE_NONE, &f));
    assert_null(read_line(&f, none, sizeof(none) - 1, &copy, &l));
    assert_true(l.malformed && l.client_gone && l.of_upstream);
    assert_int_equal(l.status, 0);
    test_free(copy);
}

/* ---- JSON */

static void json_lines(void **state)
{
    static const struct {
        const char *line;
        const char *method; /* NULL: malformed */
        const char *path;
        unsigned status;
        int64_t at_ms; /* 0: not said */
        ns_t took;     /* -1: not said */
    } cases[] = {
        { "{\"time_iso8601\":\"2000-10-10T13:55:36-07:00\",\"request\":\"GET /a?b "
          "HTTP/1.1\",\"status\":\"200\",\"request_time\":\"0.012\"}",
          "GET", "/a", 200, 971211336000, 12 * NS_PER_MS },
        { " { \"msec\" : 971211336.123 , \"request_method\" : \"GET\" , \"request_uri\" : \"/a?b\" "
          ", \"status\" : 404 } ",
          "GET", "/a", 404, 971211336123, -1 },
        { "{\"method\":\"GET\",\"uri\":\"/caf\\u00e9\",\"status\":200}", "GET", "/caf\xE9", 200, 0,
          -1 },
        { "{\"method\":\"GET\",\"uri\":\"/x\",\"request_uri\":\"/y?z\",\"status\":200}", "GET",
          "/y", 200, 0, -1 },
        { "{\"method\":\"GET\",\"path\":\"/"
          "x\",\"status\":200,\"a\":{\"b\":[\"}\",{}]},\"c\":null,\"d\":-1.5e3}",
          "GET", "/x", 200, 0, -1 },
        { "{\"status\":400,\"request\":\"\"}", NULL, NULL, 400, 0, -1 },
        { "{\"status\":200,\"request\":\"GET / HTTP/1.1\",\"time_local\":\"10/Oct/2000:13:55:36 "
          "-0700\",\"upstream_response_time\":\"0.1, 0.2\"}",
          "GET", "/", 200, 971211336000, 300 * NS_PER_MS },
        { "{\"ts\":1700000000123,\"status\":200,\"request\":\"GET / HTTP/1.1\"}", "GET", "/", 200,
          1700000000123, -1 },
        { "{\"timestamp\":\"2023-11-14 22:13:20.5\",\"status\":200,\"request\":\"GET / HTTP/1.1\"}",
          "GET", "/", 200, 1700000000500, -1 },
        /* our own */
        { "{\"time\":\"2023-11-14T22:13:20.123Z\",\"trace\":\"0af7\",\"request\":\"an-id\","
          "\"method\":\"GET\",\"host\":\"a\",\"path\":\"/"
          "x\",\"query\":\"q\",\"status\":200,\"ms\":12.500,\"blocked_ms\":2.000}",
          "GET", "/x", 200, 1700000000123, 10500 * NS_PER_US },
        { "{\"trace\":\"0af7\",\"method\":\"GET\",\"path\":\"/x\",\"status\":200}", "GET", "/x",
          200, 0, 0 },
        { "{\"trace\":\"0af7\",\"request\":\"GET / HTTP/1.1\",\"status\":400}", NULL, NULL, 400, 0,
          0 },
    };
    struct log_format f;

    (void)state;
    named("json", &f);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct log_line l;
        char *copy;
        const char *wrong = read_line(&f, cases[i].line, strlen(cases[i].line), &copy, &l);
        if (wrong || l.malformed != !cases[i].method || l.status != cases[i].status ||
            (l.has_time ? l.at_ms : 0) != cases[i].at_ms ||
            (l.has_took ? l.took : -1) != cases[i].took)
            fail_msg("%s: %s, malformed %d, status %u, at %ld, took %ld", cases[i].line, wrong,
                     l.malformed, l.status, (long)l.at_ms, (long)l.took);
        if (cases[i].method) {
            assert_span(l.method, cases[i].method);
            assert_span(l.path, cases[i].path);
        }
        test_free(copy);
    }
}

/* ---- values */

static void stamps(void **state)
{
    static const struct {
        const char *text;
        int64_t ms; /* -1: none */
    } cases[] = {
        { "01/Jan/1970:00:00:00 +0000", 0 },
        { "29/Feb/2024:23:59:60 +0530", 1709231400000 },
        { "31/Dec/1999:23:59:59 -0100", 946688399000 },
        { "10/Oct/2000:13:55:36", 971186136000 },
        { "10/oct/2000:13:55:36 +0000", -1 },
        { "10/Oct/2000:24:00:00 +0000", -1 },
        { "10/Oct/2000:13:55:36 +00", -1 },
        { "1970-01-01T00:00:00Z", 0 },
        { "2000-10-10T13:55:36.999999-07:00", 971211336999 },
        { "2000-10-10T13:55:36+0200", 971178936000 },
        { "2000-10-10", -1 },
        { "2000-13-10T13:55:36Z", -1 },
        { "2000-10-10T13:55:36.Z", 971186136000 },
        { "971211336", 971211336000 },
        { "971211336.5", 971211336500 },
        { "1700000000123456", 1700000000123 },
        { "1700000000123456789", 1700000000123 },
        { "17000000001234567890123", -1 },
        { "", -1 },
        { "-1", -1 },
        { "1.x", -1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t ms = -1;
        bool good = log_stamp(span_from_text(cases[i].text), &ms);
        if (good != (cases[i].ms >= 0) || ms != cases[i].ms)
            fail_msg("'%s' is %ld", cases[i].text, (long)ms);
    }
}

static void seconds(void **state)
{
    static const struct {
        const char *text;
        ns_t ns; /* -1: none */
    } cases[] = {
        { "0", 0 },
        { "0.000", 0 },
        { "0.001", 1000000 },
        { "12.345678", 12345678000 },
        { "1.", 1000000000 },
        { "0.1234567891", 123456789 },
        { "999999999", 999999999 * NS_PER_S },
        { "1000000000", -1 },
        { "", -1 },
        { ".5", -1 },
        { "-1", -1 },
        { "1e3", -1 },
        { "1.2.3", -1 },
        { " 1", -1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        ns_t ns = -1;
        bool good = log_seconds(span_from_text(cases[i].text), &ns);
        if (good != (cases[i].ns >= 0) || ns != cases[i].ns)
            fail_msg("'%s' is %ld", cases[i].text, (long)ns);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_of_combined_lines),
        cmocka_unit_test(lines_that_cannot_be_read),
        cmocka_unit_test(users_hosts_and_addresses),
        cmocka_unit_test(bytes_of_any_kind),
        cmocka_unit_test(formats_are_compiled),
        cmocka_unit_test(values_of_formats),
        cmocka_unit_test(joined_values_end),
        cmocka_unit_test(escapes_by_kind),
        cmocka_unit_test(json_lines),
        cmocka_unit_test(stamps),
        cmocka_unit_test(seconds),
    };

    return RUN(tests);
}
