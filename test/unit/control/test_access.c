/* SPDX-License-Identifier: Apache-2.0 */
/* test_access.c - who is let in: by Host, token and session; and how tokens are read. */
#include "unit.h"

#include "control/access.h"
#include "proto/http1.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VIEW    "view-token-0123456789"
#define OPERATE "operate-token-0123456789"

static struct access gate;
static struct config config;
static char text[1024];
static struct http_field room[20];
static struct http_head head;

static const struct http_head *request(const char *fields)
{
    const struct http1_limits limits = { 4096, 1024, 20 };

    snprintf(text, sizeof(text), "GET /metrics HTTP/1.%c\r\n%s\r\n",
             strstr(fields, "Host:") ? '1' : '0', fields);
    assert_int_equal(http1_parse_request(span_from_text(text), &limits, room, &head), HTTP1_GOOD);
    return &head;
}

static struct access_answer judge(const char *fields, ns_t now)
{
    struct address peer;

    assert_true(address_parse(SPAN("192.0.2.1:1"), &peer));
    return access_judge(
        &gate, &(struct access_question){ .head = request(fields), .peer = &peer, .now = now });
}

static int begin(void **state)
{
    (void)state;
    memset(&gate, 0, sizeof(gate));
    memset(&config, 0, sizeof(config));
    setenv("TEST_VIEW", VIEW, 1);
    setenv("TEST_OPERATE", OPERATE, 1);
    config.admin_rules.view.env = SPAN("TEST_VIEW");
    config.admin_rules.operate.env = SPAN("TEST_OPERATE");
    assert_true(address_parse(SPAN("127.0.0.1:9900"), &config.admin.address));
    err e = admin_tokens_read(&config);
    assert_false(e.failed);
    access_adopt(&gate, &config);
    return 0;
}

/* ---- Host */

static bool known(const char *host)
{
    char fields[256];

    snprintf(fields, sizeof(fields), "Host: %s\r\n", host);
    return access_host_known(&config, request(fields));
}

static void the_host_is_this_machine(void **state)
{
    static const char *const good[] = { "localhost", "localhost:9900", "LOCALHOST:1",
                                        "127.0.0.1", "127.0.0.1:9900", "127.1.2.3:80",
                                        "[::1]",     "[::1]:9900" };
    static const char *const bad[] = { "evil.example",
                                       "evil.example:9900",
                                       "localhost.evil.example",
                                       "evil.localhost",
                                       "localhosts",
                                       "127.0.0.1.evil.example",
                                       "10.0.0.1:9900",
                                       "[2001:db8::1]:9900",
                                       "[::]:9900",
                                       "0.0.0.0:9900",
                                       "unix",
                                       "1.127.0.0.1" };

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        if (!known(good[i]))
            fail_msg("%s is not known", good[i]);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (known(bad[i]))
            fail_msg("%s is known", bad[i]);
    }
    assert_true(access_host_known(&config, request(""))); /* HTTP/1.0 */
}

static void the_host_is_a_name_of_the_file(void **state)
{
    static const struct span names[] = { SPAN_INIT("evenkeel.internal"), SPAN_INIT("b") };

    (void)state;
    config.admin_rules.hosts = names;
    config.admin_rules.host_count = 2;
    assert_true(known("evenkeel.internal:9900"));
    assert_true(known("Evenkeel.Internal"));
    assert_true(known("b"));
    assert_false(known("evenkeel.internal.evil.example"));
    assert_false(known("x.evenkeel.internal"));
}

/* A name can be pointed anywhere, an address in digits cannot. */
static void of_a_reachable_address_any_in_digits_is_known(void **state)
{
    (void)state;
    assert_true(address_parse(SPAN("0.0.0.0:9900"), &config.admin.address));
    assert_true(known("10.0.0.1:9900"));
    assert_true(known("[2001:db8::1]:9900"));
    assert_true(known("localhost"));
    assert_false(known("evil.example:9900"));
}

/* ---- tokens */

static void a_token_says_what_one_may(void **state)
{
    (void)state;
    assert_int_equal(judge("Authorization: Bearer " VIEW "\r\n", 0).right, ACCESS_VIEW);
    assert_int_equal(judge("Authorization: Bearer " OPERATE "\r\n", 0).right, ACCESS_OPERATE);
    assert_int_equal(judge("authorization: bEARER   " OPERATE "\r\n", 0).right, ACCESS_OPERATE);
    assert_int_equal(gate.refused, 0);
}

static void what_is_no_token_is_refused(void **state)
{
    static const char *const missing[] = { "", "Authorization: Basic dXNlcjpwYXNz\r\n",
                                           "Authorization: " VIEW "\r\n", "Cookie: evenkeel=\r\n",
                                           "Cookie: evenkeel=" VIEW "\r\n" };
    static const char *const wrong[] = { "Authorization: Bearer " VIEW "x\r\n",
                                         "Authorization: Bearer view-token-012345678\r\n",
                                         "Authorization: Bearer\r\n",
                                         "Authorization: Bearer " VIEW " " VIEW "\r\n" };

    (void)state;
    for (size_t i = 0; i < COUNT(missing); i++) {
        struct access_answer a = judge(missing[i], 0);
        assert_int_equal(a.right, ACCESS_NONE);
        assert_int_equal(a.status, 401);
        assert_string_equal(a.reason, "token_missing");
    }
    assert_int_equal(gate.refused, 0); /* nothing was guessed */
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct access_answer a = judge(wrong[i], 0);
        assert_int_equal(a.right, ACCESS_NONE);
        assert_int_equal(a.status, 401);
        assert_string_equal(a.reason, "token_wrong");
    }
    assert_int_equal(gate.refused, COUNT(wrong));
}

static void guessing_ends_soon(void **state)
{
    char id[SESSION_ID_SIZE];
    char fields[128];

    (void)state;
    session_begin(&gate.sessions, false, 0, id);
    for (int i = 0; i < WRONG_TOKENS_ALLOWED; i++)
        assert_int_equal(judge("Authorization: Bearer guess\r\n", 0).status, 401);
    struct access_answer a = judge("Authorization: Bearer " VIEW "\r\n", 30 * NS_PER_S);
    assert_int_equal(a.status, 429); /* not even the right one */
    assert_int_equal(a.right, ACCESS_NONE);
    assert_int_equal(a.retry_after, 30);
    /* who has logged in before goes on */
    snprintf(fields, sizeof(fields), "Cookie: evenkeel=%.*s\r\n", (int)sizeof(id), id);
    assert_int_equal(judge(fields, 30 * NS_PER_S).right, ACCESS_VIEW);
    assert_int_equal(judge("Authorization: Bearer " VIEW "\r\n", 60 * NS_PER_S).right, ACCESS_VIEW);
}

static void without_tokens_all_may(void **state)
{
    struct config open = {};

    (void)state;
    access_adopt(&gate, &open);
    assert_int_equal(judge("", 0).right, ACCESS_OPERATE);
    assert_int_equal(judge("Authorization: Bearer x\r\n", 0).right, ACCESS_OPERATE);
    /* and a mark of nothing is not that of an empty token */
    struct address peer;
    assert_true(address_parse(SPAN("192.0.2.1:1"), &peer));
    struct access_question q = { .head = request(""), .peer = &peer };
    assert_int_equal(access_judge_token(&gate, &q, SPAN("")).right, ACCESS_NONE);
}

static void another_token_ends_the_sessions_of_the_earlier(void **state)
{
    char view[SESSION_ID_SIZE];
    char operate[SESSION_ID_SIZE];

    (void)state;
    session_begin(&gate.sessions, false, 0, view);
    session_begin(&gate.sessions, true, 0, operate);
    access_adopt(&gate, &config);
    assert_non_null(session_find(&gate.sessions, span_of(view, sizeof(view)), 1));
    setenv("TEST_OPERATE", "another-operate-token", 1);
    assert_false(admin_tokens_read(&config).failed);
    access_adopt(&gate, &config);
    assert_non_null(session_find(&gate.sessions, span_of(view, sizeof(view)), 1));
    assert_null(session_find(&gate.sessions, span_of(operate, sizeof(operate)), 1));
    assert_int_equal(judge("Authorization: Bearer " OPERATE "\r\n", 0).status, 401);
}

/* ---- reading them */

static void fails(const char *view, const char *words)
{
    if (view)
        setenv("TEST_VIEW", view, 1);
    else
        unsetenv("TEST_VIEW");
    err e = admin_tokens_read(&config);
    assert_true(e.failed);
    if (!strstr(e.text, words))
        fail_msg("'%s' is not in '%s'", words, e.text);
    if (view && *view && strstr(e.text, view))
        fail_msg("the token is told: %s", e.text);
}

static void a_bad_token_is_named_and_not_told(void **state)
{
    char longest[TOKEN_MOST + 2] = "";

    (void)state;
    fails(NULL, "admin.view-token: the environment variable TEST_VIEW is not set");
    fails("", "at least 16 bytes");
    fails("fifteen-bytes--", "at least 16 bytes");
    fails("a token with blanks in it", "without blanks");
    fails("a-token-in-two\nlines-of-it", "without blanks");
    fails(OPERATE, "are the same");
    memset(longest, 'x', TOKEN_MOST + 1);
    fails(longest, "at most");
    longest[TOKEN_MOST] = '\0';
    setenv("TEST_VIEW", longest, 1);
    assert_false(admin_tokens_read(&config).failed);
    setenv("TEST_VIEW", "sixteen-bytes---", 1);
    assert_false(admin_tokens_read(&config).failed);
}

static void validate_forgives_what_is_set_elsewhere(void **state)
{
    (void)state;
    unsetenv("TEST_VIEW");
    assert_false(admin_tokens_try(&config).failed);
    setenv("TEST_VIEW", "short", 1);
    assert_true(admin_tokens_try(&config).failed);
    setenv("TEST_VIEW", OPERATE, 1);
    assert_true(admin_tokens_try(&config).failed);
}

static void of_a_file_the_end_of_the_line_does_not_count(void **state)
{
    char path[] = "/tmp/test-access-XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, VIEW "\r\n", sizeof(VIEW) + 1), sizeof(VIEW) + 1);
    close(fd);
    config.admin_rules.view = (struct secret_source){ .file = span_from_text(path) };
    assert_false(admin_tokens_read(&config).failed);
    access_adopt(&gate, &config);
    assert_int_equal(judge("Authorization: Bearer " VIEW "\r\n", 0).right, ACCESS_VIEW);
    unlink(path);
    err e = admin_tokens_read(&config);
    assert_true(e.failed && strstr(e.text, path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_host_is_this_machine, begin),
        cmocka_unit_test_setup(the_host_is_a_name_of_the_file, begin),
        cmocka_unit_test_setup(of_a_reachable_address_any_in_digits_is_known, begin),
        cmocka_unit_test_setup(a_token_says_what_one_may, begin),
        cmocka_unit_test_setup(what_is_no_token_is_refused, begin),
        cmocka_unit_test_setup(guessing_ends_soon, begin),
        cmocka_unit_test_setup(without_tokens_all_may, begin),
        cmocka_unit_test_setup(another_token_ends_the_sessions_of_the_earlier, begin),
        cmocka_unit_test_setup(a_bad_token_is_named_and_not_told, begin),
        cmocka_unit_test_setup(validate_forgives_what_is_set_elsewhere, begin),
        cmocka_unit_test_setup(of_a_file_the_end_of_the_line_does_not_count, begin),
    };

    return RUN(tests);
}
