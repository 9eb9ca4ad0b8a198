/* SPDX-License-Identifier: Apache-2.0 */
/* test_http.c - names of fields in any case, and cookies. */
#include "unit.h"

#include "proto/http.h"

static const struct {
    const char *name;
    enum http_field_id id;
} known[] = {
#define X(id, name) { name, HTTP_##id },
    HTTP_FIELDS(X)
#undef X
};

static char upper(char c)
{
    return (char)(c >= 'a' && c <= 'z' ? c - ('a' - 'A') : c);
}

static void every_name_is_found(void **state)
{
    char text[32];

    (void)state;
    assert_int_equal(COUNT(known), HTTP_FIELD_IDS - 1);
    for (size_t i = 0; i < COUNT(known); i++) {
        struct span name = span_from_text(known[i].name);
        assert_true(name.n < sizeof(text));
        for (unsigned odd = 0; odd < 4; odd++) { /* no, odd, even, all letters large */
            for (size_t k = 0; k < name.n; k++)
                text[k] = odd & (1u << k % 2) ? upper(name.p[k]) : name.p[k];
            if (http_field_find(span_of(text, name.n)) != known[i].id)
                fail_msg("%.*s", (int)name.n, text);
        }
    }
}

static bool token_byte(int c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c > 0 && strchr("!#$%&'*+-.^_`|~", c));
}

static void nothing_beside_a_name_is_found(void **state)
{
    char text[33];

    (void)state;
    for (size_t i = 0; i < COUNT(known); i++) {
        size_t n = strlen(known[i].name);
        memcpy(text, known[i].name, n);
        for (size_t at = 0; at < n; at++) {
            for (int c = 0; c < 128; c++) {
                text[at] = (char)c;
                bool same = ascii_lower((char)c) == known[i].name[at];
                if (token_byte(c) && (http_field_find(span_of(text, n)) == known[i].id) != same)
                    fail_msg("%.*s", (int)n, text);
            }
            text[at] = known[i].name[at];
        }
        text[n] = 's';
        assert_int_not_equal(http_field_find(span_of(text, n + 1)), known[i].id);
        assert_int_not_equal(http_field_find(span_of(text, n - 1)), known[i].id);
    }
}

static void names_without_a_meaning_and_families(void **state)
{
    static const struct {
        const char *name;
        enum http_field_id id;
    } cases[] = {
        { "", HTTP_OTHER },
        { "x", HTTP_OTHER },
        { "via", HTTP_OTHER },
        { "hosts", HTTP_OTHER },
        { "a-name-that-is-longer-than-every-known-one", HTTP_OTHER },
        { "x-forwarded-port", HTTP_X_FORWARDED_OTHER },
        { "X-Forwarded-Server", HTTP_X_FORWARDED_OTHER },
        { "x-forwarded-client-certificate-chain", HTTP_X_FORWARDED_OTHER },
        { "X-FORWARDED-FOR", HTTP_X_FORWARDED_FOR },
        { "x-forwarded-", HTTP_OTHER },
        { "x-forwarded", HTTP_OTHER },
        { "x-forwardedx", HTTP_OTHER },
        { "y-forwarded-port", HTTP_OTHER },
        { "evenkeel-x", HTTP_EVENKEEL_OTHER },
        { "EVENKEEL-Anything-Else-That-Is-Long", HTTP_EVENKEEL_OTHER },
        { "Evenkeel-Outcome", HTTP_EVENKEEL_OUTCOME },
        { "evenkeel-", HTTP_OTHER },
        { "evenkeels-x", HTTP_OTHER },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (http_field_find(span_from_text(cases[i].name)) != cases[i].id)
            fail_msg("%s", cases[i].name);
    }
}

static struct http_field field_of(const char *name, const char *value)
{
    return (struct http_field){ .name = name,
                                .name_n = (uint16_t)strlen(name),
                                .value = value,
                                .value_n = (uint32_t)strlen(value),
                                .id = (uint8_t)http_field_find(span_from_text(name)) };
}

static void cookies(void **state)
{
    struct http_field fields[] = {
        field_of("X", "id=wrong"),
        field_of("Cookie", "a=1; id=7;b=2 ;  c=x=y; empty=; d"),
        field_of("cookie", "late=9;\tid=8"),
    };
    struct http_head h = { .fields = fields, .field_count = COUNT(fields) };
    static const struct {
        const char *name;
        const char *value;
    } cases[] = {
        { "a", "1" }, { "id", "7" }, { "b", "2" }, { "c", "x=y" }, { "empty", "" }, { "late", "9" },
        { "d", "" },  { "i", "" },   { "ID", "" }, { "idx", "" },  { "x", "" },     { "wrong", "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct span value = http_cookie(&h, span_from_text(cases[i].name));
        if (!span_equal(value, span_from_text(cases[i].value)))
            fail_msg("%s is '%.*s'", cases[i].name, SPAN_ARG(value));
    }
    h.field_count = 0;
    assert_int_equal(http_cookie(&h, SPAN("a")).n, 0);
}

static void lists_and_methods(void **state)
{
    (void)state;
    assert_true(http_list_has(SPAN("gzip,\tBR , x"), SPAN("br")));
    assert_false(http_list_has(SPAN("gzip, brx"), SPAN("br")));
    assert_false(http_list_has(SPAN(""), SPAN("br")));
    assert_true(http_method_idempotent(SPAN("PUT")));
    assert_false(http_method_idempotent(SPAN("POST")));
    assert_false(http_method_idempotent(SPAN("PATCH")));
    assert_false(http_method_idempotent(SPAN("get")));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_name_is_found),
                                        cmocka_unit_test(nothing_beside_a_name_is_found),
                                        cmocka_unit_test(names_without_a_meaning_and_families),
                                        cmocka_unit_test(cookies),
                                        cmocka_unit_test(lists_and_methods) };
    return RUN(tests);
}
