/* SPDX-License-Identifier: Apache-2.0 */
/* test_notices.c - the log of what changed: numbers go up, the oldest go, and whoever comes back is told where he is. */
#include "unit.h"

#include "control/notices.h"

#include <stdlib.h>

static struct notices kept;

static int begin(void **state)
{
    (void)state;
    notices_open(&kept, 0xabc);
    return 0;
}

static int end(void **state)
{
    (void)state;
    notices_free(&kept);
    return 0;
}

static const struct notice *add(const char *text)
{
    return notices_add(&kept, NOTICE_CLOCK, 1700000000, json_pack("{s:s}", "text", text));
}

static enum notices_place find(const char *id, uint64_t *ret_next)
{
    return notices_find(&kept, span_from_text(id), ret_next);
}

static void it_is_written_as_an_event(void **state)
{
    (void)state;
    assert_span(str_span(&add("a\nb")->text),
                "event: clock\nid: abc-1\ndata: {\"text\":\"a\\nb\",\"at\":1700000000}\n\n");
    assert_span(str_span(&add("c")->text),
                "event: clock\nid: abc-2\ndata: {\"text\":\"c\",\"at\":1700000000}\n\n");
}

static void one_goes_on_where_he_was(void **state)
{
    uint64_t next;

    (void)state;
    assert_int_equal(find("0", &next), NOTICES_HERE);
    assert_int_equal(next, 1);
    for (int i = 0; i < 5; i++)
        add("x");
    assert_int_equal(find("0", &next), NOTICES_HERE);
    assert_int_equal(next, 1);
    assert_int_equal(find("abc-3", &next), NOTICES_HERE);
    assert_int_equal(next, 4);
    assert_int_equal(find("abc-5", &next), NOTICES_HERE);
    assert_int_equal(next, 6);
    assert_int_equal(find("abc-6", &next), NOTICES_OTHER_PROCESS); /* it was never given */
    assert_int_equal(find("abd-3", &next), NOTICES_OTHER_PROCESS);
    assert_int_equal(next, 1);
}

static void what_is_no_id_is_none(void **state)
{
    static const char *const bad[] = { "",
                                       "1",
                                       "-",
                                       "abc",
                                       "abc-",
                                       "-3",
                                       "xyz-3",
                                       "abc-x",
                                       "abc-3x",
                                       "abc--3",
                                       "11112222333344445-1" };
    uint64_t next;

    (void)state;
    add("x");
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (find(bad[i], &next) != NOTICES_NO_ID)
            fail_msg("'%s' is an id", bad[i]);
    }
}

static void the_oldest_go(void **state)
{
    uint64_t next;

    (void)state;
    for (int i = 0; i < NOTICES_KEPT + 10; i++)
        add("x");
    assert_int_equal(kept.next - kept.oldest, NOTICES_KEPT);
    assert_int_equal(find("abc-10", &next), NOTICES_HERE);
    assert_int_equal(next, 11);
    assert_int_equal(find("abc-9", &next), NOTICES_GONE);
    assert_int_equal(next, 11);
    assert_int_equal(find("0", &next), NOTICES_GONE);
}

static void no_more_bytes_than_a_listener_may_have_waiting(void **state)
{
    char *text = malloc(4001);
    size_t bytes = 0;

    (void)state;
    assert_non_null(text);
    memset(text, 'x', 4000);
    text[4000] = '\0';
    for (int i = 0; i < 300; i++)
        add(text);
    for (uint64_t i = kept.oldest; i < kept.next; i++)
        bytes += kept.kept[i % NOTICES_KEPT].text.n;
    assert_int_equal(bytes, kept.bytes);
    assert_in_range(bytes, NOTICES_BYTES - 5000, NOTICES_BYTES);
    free(text);
}

static void kinds_have_words(void **state)
{
    enum notice_kind kind;

    (void)state;
    for (int k = 0; k < NOTICE_COUNT; k++) {
        assert_true(notice_kind_parse(span_from_text(notice_word((enum notice_kind)k)), &kind));
        assert_int_equal(kind, k);
    }
    assert_false(notice_kind_parse(SPAN("missed"), &kind));
    assert_false(notice_kind_parse(SPAN(""), &kind));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_written_as_an_event, begin, end),
        cmocka_unit_test_setup_teardown(one_goes_on_where_he_was, begin, end),
        cmocka_unit_test_setup_teardown(what_is_no_id_is_none, begin, end),
        cmocka_unit_test_setup_teardown(the_oldest_go, begin, end),
        cmocka_unit_test_setup_teardown(no_more_bytes_than_a_listener_may_have_waiting, begin, end),
        cmocka_unit_test(kinds_have_words),
    };

    return RUN(tests);
}
