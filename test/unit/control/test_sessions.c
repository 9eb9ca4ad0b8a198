/* SPDX-License-Identifier: Apache-2.0 */
/* test_sessions.c - sessions begin, go on while they are used, and end. */
#include "unit.h"

#include "control/sessions.h"

#include <string.h>

static struct sessions table;

static int begin(void **state)
{
    (void)state;
    memset(&table, 0, sizeof(table));
    return 0;
}

struct id {
    char text[SESSION_ID_SIZE];
};

static struct id new_one(bool operates, ns_t now)
{
    struct id id;

    session_begin(&table, operates, now, id.text);
    return id;
}

static const struct session *find(const struct id *id, ns_t now)
{
    return session_find(&table, span_of(id->text, sizeof(id->text)), now);
}

static void it_is_known_by_its_id_only(void **state)
{
    struct id one = new_one(false, 1);
    struct id other = new_one(true, 1);
    struct id wrong = one;

    (void)state;
    assert_memory_not_equal(one.text, other.text, sizeof(one.text));
    assert_false(find(&one, 2)->operates);
    assert_true(find(&other, 2)->operates);
    wrong.text[0] = wrong.text[0] == 'a' ? 'b' : 'a';
    assert_null(find(&wrong, 2));
    assert_null(session_find(&table, SPAN(""), 2));
    assert_null(session_find(&table, span_of(one.text, sizeof(one.text) - 1), 2));
    /* what is kept is not what is shown */
    for (size_t i = 0; i + 8 <= sizeof(table); i++)
        assert_memory_not_equal((const char *)&table + i, one.text, 8);
}

static void it_ends_when_it_is_not_used(void **state)
{
    struct id id = new_one(false, 0);
    ns_t now = 0;

    (void)state;
    while (now + SESSION_IDLE - 1 < SESSION_LIFE) {
        now += SESSION_IDLE - 1;
        assert_non_null(find(&id, now));
    }
    assert_null(find(&id, SESSION_LIFE));
    id = new_one(false, 0);
    assert_null(find(&id, SESSION_IDLE));
}

static void it_is_ended(void **state)
{
    struct id one = new_one(false, 0);
    struct id other = new_one(false, 0);

    (void)state;
    session_end(&table, span_of(one.text, sizeof(one.text)), 1);
    session_end(&table, SPAN("nonsense"), 1);
    assert_null(find(&one, 1));
    assert_non_null(find(&other, 1));
}

static void those_of_a_token_end_together(void **state)
{
    struct id view = new_one(false, 0);
    struct id operate = new_one(true, 0);

    (void)state;
    sessions_drop(&table, true);
    assert_null(find(&operate, 1));
    assert_non_null(find(&view, 1));
}

static void the_one_used_longest_ago_gives_way(void **state)
{
    struct id ids[SESSIONS_MAX];

    (void)state;
    for (int i = 0; i < SESSIONS_MAX; i++)
        ids[i] = new_one(false, i);
    assert_non_null(find(&ids[0], SESSIONS_MAX));
    struct id more = new_one(true, SESSIONS_MAX + 1);
    assert_non_null(find(&more, SESSIONS_MAX + 2));
    assert_non_null(find(&ids[0], SESSIONS_MAX + 2));
    assert_null(find(&ids[1], SESSIONS_MAX + 2));
    assert_non_null(find(&ids[2], SESSIONS_MAX + 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(it_is_known_by_its_id_only, begin),
        cmocka_unit_test_setup(it_ends_when_it_is_not_used, begin),
        cmocka_unit_test_setup(it_is_ended, begin),
        cmocka_unit_test_setup(those_of_a_token_end_together, begin),
        cmocka_unit_test_setup(the_one_used_longest_ago_gives_way, begin),
    };

    return RUN(tests);
}
