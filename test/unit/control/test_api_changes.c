/* SPDX-License-Identifier: Apache-2.0 */
/* test_api_changes.c - who may change the running program: nobody whom a browser speaks for without asking. */
#include "unit.h"

#include "control/api.h"
#include "proto/http1.h"

static const char *may(const char *fields)
{
    char text[1024];
    struct http_field room[20];
    struct http_head head;
    const struct http1_limits limits = { 4096, 1024, 20 };

    snprintf(text, sizeof(text), "POST /api/v1/changes HTTP/1.%c\r\n%s\r\n",
             strstr(fields, "Host:") ? '1' : '0', fields);
    assert_int_equal(http1_parse_request(span_from_text(text), &limits, room, &head), HTTP1_GOOD);
    return api_may_change(&head);
}

#define JSON "Content-Type: application/json\r\n"

static void the_body_must_be_said_to_be_json(void **state)
{
    static const char *const good[] = { JSON, "Content-Type: Application/JSON\r\n",
                                        "content-type: application/json; charset=utf-8\r\n",
                                        "Content-Type: application/json ;x\r\n" };
    /* what a form or a fetch() of another site may send without asking first, and what is like JSON */
    static const char *const bad[] = {
        "",
        "Content-Type: text/plain\r\n",
        "Content-Type: application/x-www-form-urlencoded\r\n",
        "Content-Type: multipart/form-data; boundary=application/json\r\n",
        "Content-Type: text/plain; application/json\r\n",
        "Content-Type: application/jsonp\r\n",
        "Content-Type: application/json, text/plain\r\n",
        "Content-Type:\r\n",
        "Content-Type: text/plain\r\nContent-Type: application/json\r\n"
    };
    char text[256];

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        snprintf(text, sizeof(text), "Host: localhost:9900\r\n%s", good[i]);
        assert_null(may(text));
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        snprintf(text, sizeof(text), "Host: localhost:9900\r\n%s", bad[i]);
        assert_non_null(may(text));
    }
}

static void without_a_host_it_is_no_browser(void **state)
{
    (void)state;
    assert_null(may(JSON));
    assert_non_null(may(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_body_must_be_said_to_be_json),
        cmocka_unit_test(without_a_host_it_is_no_browser),
    };

    return RUN(tests);
}
