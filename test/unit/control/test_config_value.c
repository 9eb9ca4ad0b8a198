/* SPDX-License-Identifier: Apache-2.0 */
/* test_config_value.c - single values as they are written, and what was meant by wrong ones. */
#include "unit.h"

#include "control/config_tree.h"

static void durations(void **state)
{
    static const struct {
        const char *text;
        ns_t value; /* -1: none */
    } cases[] = {
        { "300ms", 300 * NS_PER_MS },
        { "5s", 5 * NS_PER_S },
        { "1.5s", 1500 * NS_PER_MS },
        { "0.000001ms", 1 },
        { "1us", NS_PER_US },
        { "10m", 600 * NS_PER_S },
        { "2h", 7200 * NS_PER_S },
        { "28d", 28 * 86400 * NS_PER_S },
        { "2w", 14 * 86400 * NS_PER_S },
        { "0s", 0 },
        { "106751d", INT64_C(106751) * 86400 * NS_PER_S },
        { "106752d", -1 }, /* more than 64 bits of nanoseconds */
        { "999999999999999w", -1 },
        { "1000000000000000s", -1 },
        { "0.0001us", -1 }, /* no whole number of nanoseconds */
        { "1.0000000001s", -1 },
        { "5", -1 },
        { "s", -1 },
        { "", -1 },
        { "-5s", -1 },
        { "+5s", -1 },
        { ".5s", -1 },
        { "5.s", -1 },
        { "1.2.3s", -1 },
        { "5 s", -1 },
        { "5S", -1 },
        { "1e3s", -1 },
        { "5s ", -1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        ns_t value = -1;
        bool good = value_duration(span_from_text(cases[i].text), &value);
        if (good != (cases[i].value >= 0) || value != cases[i].value)
            fail_msg("'%s' gave %lld", cases[i].text, (long long)value);
    }
}

static void sizes(void **state)
{
    static const struct {
        const char *text;
        int64_t value;
    } cases[] = {
        { "0", 0 },
        { "1B", 1 },
        { "32KiB", 32768 },
        { "1.5MiB", 3 << 19 },
        { "1GiB", 1 << 30 },
        { "1099511627776B", INT64_C(1) << 40 },
        { "0.5B", -1 },
        { "0.3KiB", -1 },
        { "99999999999999GiB", -1 },
        { "32", -1 },
        { "32kb", -1 },
        { "32KB", -1 },
        { "00", -1 },
        { "KiB", -1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t value = UINT64_MAX;
        bool good = value_size(span_from_text(cases[i].text), &value);
        if (good != (cases[i].value >= 0) || value != (uint64_t)cases[i].value)
            fail_msg("'%s' gave %llu", cases[i].text, (unsigned long long)value);
    }
}

static void shares(void **state)
{
    static const struct {
        const char *text;
        double value;
    } cases[] = {
        { "99.9%", 0.999 }, { "95%", 0.95 },  { "99.9999%", 0.999999 }, { "100%", 1 },
        { "0.1%", 0.001 },  { "100.1%", -1 }, { "0.999", -1 },          { "99.9", -1 },
        { "%", -1 },        { "-1%", -1 },    { "99,9%", -1 },          { "99.9 %", -1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        double value = -1;
        bool good = value_share(span_from_text(cases[i].text), &value);
        if (good != (cases[i].value >= 0) || value < cases[i].value || value > cases[i].value)
            fail_msg("'%s' gave %.17g", cases[i].text, value); /* exactly: the nearest double */
    }
}

static void statuses(void **state)
{
    struct status_set set = {};

    (void)state;
    assert_true(value_statuses(SPAN("429"), &set) && value_statuses(SPAN("500-502"), &set));
    for (unsigned s = 0; s < 700; s++)
        assert_int_equal(status_set_has(&set, s), s == 429 || (s >= 500 && s <= 502));
    static const char *const wrong[] = { "",        "-",           "5xx",  "500-",
                                         "-500",    "99",          "600",  "500-600",
                                         "502-500", "500-501-502", " 500", "500 - 501" };
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_false(value_statuses(span_from_text(wrong[i]), &set));
}

static void what_was_meant(void **state)
{
    static const struct {
        enum config_type type;
        const char *text;
        const char *meant;
    } cases[] = {
        { CONFIG_SIZE, "32kb", "32KiB" },      { CONFIG_SIZE, "1.5 mb", "1.5MiB" },
        { CONFIG_SIZE, "4096", "4096B" },      { CONFIG_SIZE, "2G", "2GiB" },
        { CONFIG_SIZE, "0.1b", NULL },         { CONFIG_SIZE, "5s", NULL },
        { CONFIG_SIZE, "much", NULL },         { CONFIG_DURATION, "10", "10s" },
        { CONFIG_DURATION, "5 sec", "5s" },    { CONFIG_DURATION, "3Minutes", "3m" },
        { CONFIG_DURATION, "250MS", "250ms" }, { CONFIG_DURATION, "5kb", NULL },
        { CONFIG_SHARE, "0.999", "99.9%" },    { CONFIG_SHARE, "99.9", "99.9%" },
        { CONFIG_SHARE, "99.95 %", "99.95%" }, { CONFIG_SHARE, "95 percent", "95%" },
        { CONFIG_SHARE, "0", NULL },           { CONFIG_SHARE, "101", NULL },
        { CONFIG_SHARE, "5ms", NULL },         { CONFIG_BOOL, "Yes", "true" },
        { CONFIG_BOOL, "off", "false" },       { CONFIG_BOOL, "perhaps", NULL },
        { CONFIG_WORKERS, "AUTO", "auto" },    { CONFIG_COUNT, "1k", NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[64];
        const char *meant = value_meant(cases[i].type, span_from_text(cases[i].text), text);
        if (!meant != !cases[i].meant || (meant && strcmp(meant, cases[i].meant) != 0))
            fail_msg("'%s' gave %s", cases[i].text, meant ? meant : "nothing");
    }
}

static void what_is_shown_is_bounded(void **state)
{
    char text[200];

    (void)state;
    assert_string_equal(shown(SPAN("short")).text, "short");
    assert_string_equal(shown(span_of(NULL, 0)).text, "");
    memset(text, 'x', sizeof(text));
    memcpy(text + 62, "\xE2\x82\xAC", 3); /* a character across the cut */
    struct shown s = shown(span_of(text, sizeof(text)));
    assert_int_equal(strlen(s.text), 62 + 3);
    assert_string_equal(s.text + 62, "...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations),      cmocka_unit_test(sizes),
        cmocka_unit_test(shares),         cmocka_unit_test(statuses),
        cmocka_unit_test(what_was_meant), cmocka_unit_test(what_is_shown_is_bounded),
    };
    return RUN(tests);
}
