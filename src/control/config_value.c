/* SPDX-License-Identifier: Apache-2.0 */
/* config_value.c - durations, shares, sizes and the like, as people write them, and what they meant when
 * they wrote them otherwise. Decimals are exact: a value that is no whole number of nanoseconds or bytes
 * is none. */
#include "control/config_tree.h"

#include "core/wide.h"

#include <stdio.h>
#include <stdlib.h>

enum { DIGITS_MAX = 15, FRACTION_MAX = 9 }; /* with any factor below this fits 128 bits by far */

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit duration_units[] = {
    { "us", (uint64_t)NS_PER_US },        { "ms", (uint64_t)NS_PER_MS },
    { "s", (uint64_t)NS_PER_S },          { "m", 60 * (uint64_t)NS_PER_S },
    { "h", 3600 * (uint64_t)NS_PER_S },   { "d", 86400 * (uint64_t)NS_PER_S },
    { "w", 604800 * (uint64_t)NS_PER_S }, {},
};

static const struct unit size_units[] = {
    { "B", 1 }, { "KiB", 1 << 10 }, { "MiB", 1 << 20 }, { "GiB", 1 << 30 }, {},
};

/* "12.5ms" is "12", "5" and "ms". False when it does not begin with a decimal number. */
static bool split_number(struct span s, struct span *whole, struct span *fraction,
                         struct span *unit)
{
    size_t n = 0;

    while (n < s.n && ascii_digit(s.p[n]))
        n++;
    *whole = span_of(s.p, n);
    s = span_after(s, n);
    *fraction = span_of(s.p, 0);
    if (s.n > 1 && s.p[0] == '.' && ascii_digit(s.p[1])) {
        for (n = 1; n < s.n && ascii_digit(s.p[n]);)
            n++;
        *fraction = span_of(s.p + 1, n - 1);
        s = span_after(s, n);
    }
    *unit = s;
    return whole->n > 0 && whole->n <= DIGITS_MAX && fraction->n <= FRACTION_MAX;
}

static bool with_unit(struct span s, const struct unit *units, uint64_t *ret)
{
    struct span whole;
    struct span fraction;
    struct span unit;
    uint64_t a = 0;
    uint64_t b = 0;
    uint64_t parts = 1;

    if (!split_number(s, &whole, &fraction, &unit) || !span_to_u64(whole, &a) ||
        (fraction.n && !span_to_u64(fraction, &b)))
        return false;
    while (units->name && !span_equal(unit, span_from_text(units->name)))
        units++;
    if (!units->name)
        return false;
    for (size_t i = 0; i < fraction.n; i++)
        parts *= 10;
    u128 small = (u128)b * units->factor;
    u128 sum = (u128)a * units->factor + small / parts;
    if (small % parts || sum > INT64_MAX)
        return false;
    *ret = (uint64_t)sum;
    return true;
}

bool value_duration(struct span s, ns_t *ret)
{
    uint64_t ns;

    if (!with_unit(s, duration_units, &ns))
        return false;
    *ret = (ns_t)ns;
    return true;
}

bool value_size(struct span s, uint64_t *ret)
{
    if (!span_equal(s, SPAN("0")))
        return with_unit(s, size_units, ret);
    *ret = 0;
    return true;
}

bool value_share(struct span s, double *ret)
{
    struct span whole;
    struct span fraction;
    struct span unit;
    char text[DIGITS_MAX + FRACTION_MAX + 8];

    if (!split_number(s, &whole, &fraction, &unit) || !span_equal(unit, SPAN("%")))
        return false;
    /* the point is moved in the text: 99.9 / 100 is not the double nearest to 0.999 */
    snprintf(text, sizeof(text), "%.*s.%.*se-2", SPAN_ARG(whole), SPAN_ARG(fraction));
    double share = strtod(text, NULL);
    if (share > 1)
        return false;
    *ret = share;
    return true;
}

bool value_bool(struct span s, bool *ret)
{
    bool yes = span_equal(s, SPAN("true"));

    if (!yes && !span_equal(s, SPAN("false")))
        return false;
    *ret = yes;
    return true;
}

bool value_statuses(struct span s, struct status_set *set)
{
    size_t dash = span_find(s, '-');
    uint64_t from;
    uint64_t to;

    if (!span_to_u64(span_of(s.p, dash), &from))
        return false;
    to = from;
    if (dash < s.n && !span_to_u64(span_after(s, dash + 1), &to))
        return false;
    if (from < STATUS_LEAST || to > STATUS_MOST || from > to)
        return false;
    for (uint64_t status = from; status <= to; status++)
        status_set_add(set, (unsigned)status);
    return true;
}

/* ---- what was meant */

/* How people write units elsewhere, without case. */
static const struct {
    const char *written;
    const char *duration;
    const char *size;
} habits[] = {
    { "", "s", "B" },         { "us", "us", NULL },     { "usec", "us", NULL },
    { "ms", "ms", NULL },     { "msec", "ms", NULL },   { "millis", "ms", NULL },
    { "s", "s", NULL },       { "sec", "s", NULL },     { "secs", "s", NULL },
    { "second", "s", NULL },  { "seconds", "s", NULL }, { "m", "m", "MiB" },
    { "min", "m", NULL },     { "mins", "m", NULL },    { "minute", "m", NULL },
    { "minutes", "m", NULL }, { "h", "h", NULL },       { "hr", "h", NULL },
    { "hrs", "h", NULL },     { "hour", "h", NULL },    { "hours", "h", NULL },
    { "d", "d", NULL },       { "day", "d", NULL },     { "days", "d", NULL },
    { "w", "w", NULL },       { "week", "w", NULL },    { "weeks", "w", NULL },
    { "b", NULL, "B" },       { "byte", NULL, "B" },    { "bytes", NULL, "B" },
    { "k", NULL, "KiB" },     { "kb", NULL, "KiB" },    { "ki", NULL, "KiB" },
    { "kib", NULL, "KiB" },   { "mb", NULL, "MiB" },    { "mi", NULL, "MiB" },
    { "mib", NULL, "MiB" },   { "g", NULL, "GiB" },     { "gb", NULL, "GiB" },
    { "gi", NULL, "GiB" },    { "gib", NULL, "GiB" },
};

static const char *unit_meant(enum config_type type, struct span unit)
{
    unit = span_trim(unit);
    for (size_t i = 0; i < sizeof(habits) / sizeof(habits[0]); i++) {
        if (span_equal_nocase(unit, span_from_text(habits[i].written)))
            return type == CONFIG_SIZE ? habits[i].size : habits[i].duration;
    }
    return NULL;
}

/* 0.999 and 99.9 are both 99.9%. */
static const char *share_meant(struct span s, char ret_text[64])
{
    struct span whole;
    struct span fraction;
    struct span unit;
    char text[DIGITS_MAX + FRACTION_MAX + 8];

    if (!split_number(s, &whole, &fraction, &unit))
        return NULL;
    unit = span_trim(unit);
    bool percent = span_equal(unit, SPAN("%")) || span_equal_nocase(unit, SPAN("percent"));
    if (unit.n && !percent)
        return NULL;
    snprintf(text, sizeof(text), "%.*s.%.*s", SPAN_ARG(whole), SPAN_ARG(fraction));
    double share = strtod(text, NULL);
    if (share <= 0 || share > 100)
        return NULL;
    snprintf(ret_text, 64, "%.10g%%", !percent && share < 1 ? share * 100 : share);
    return ret_text;
}

static const char *bool_meant(struct span s)
{
    static const char *const yes[] = { "true", "yes", "on", "y", "1" };
    static const char *const no[] = { "false", "no", "off", "n", "0" };

    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        if (span_equal_nocase(s, span_from_text(yes[i])))
            return "true";
        if (span_equal_nocase(s, span_from_text(no[i])))
            return "false";
    }
    return NULL;
}

const char *value_meant(enum config_type type, struct span s, char ret_text[64])
{
    struct span whole;
    struct span fraction;
    struct span unit;

    if (type == CONFIG_SHARE)
        return share_meant(s, ret_text);
    if (type == CONFIG_BOOL)
        return bool_meant(s);
    if (type == CONFIG_WORKERS)
        return span_equal_nocase(s, SPAN("auto")) ? "auto" : NULL;
    if ((type != CONFIG_SIZE && type != CONFIG_DURATION) ||
        !split_number(s, &whole, &fraction, &unit))
        return NULL;
    const char *meant = unit_meant(type, unit);
    if (!meant)
        return NULL;
    if (type == CONFIG_DURATION && unit.n == 0 && whole.n >= 3)
        meant = "ms"; /* what other programs call 500 is hardly ever more than eight minutes */
    snprintf(ret_text, 64, "%.*s%s%.*s%s", SPAN_ARG(whole), fraction.n ? "." : "",
             SPAN_ARG(fraction), meant);
    uint64_t value; /* 0.1kb is no size either */
    bool good = with_unit(span_from_text(ret_text),
                          type == CONFIG_SIZE ? size_units : duration_units, &value);
    return good ? ret_text : NULL;
}
