/* SPDX-License-Identifier: Apache-2.0 */
/* config_value.c - durations, shares, sizes and the like, as people write them. */
#include "control/config_tree.h"

#include <stdlib.h>

struct unit {
    const char *name;
    int64_t factor;
};

/* "12.5" and a unit. The number has at most nine digits before and behind the point. */
static bool number_with_unit(struct span s, const struct unit *units, size_t count, double *ret,
                             int64_t *ret_factor)
{
    size_t digits = 0;
    char text[24];

    while (digits < s.n && (ascii_digit(s.p[digits]) || s.p[digits] == '.'))
        digits++;
    if (digits == 0 || digits >= sizeof(text) || s.p[0] == '.' || s.p[digits - 1] == '.')
        return false;
    memcpy(text, s.p, digits);
    text[digits] = '\0';
    char *end;
    *ret = strtod(text, &end);
    if (*end)
        return false; /* two points */
    for (size_t i = 0; i < count; i++) {
        if (span_equal(span_after(s, digits), span_from_text(units[i].name))) {
            *ret_factor = units[i].factor;
            return true;
        }
    }
    return false;
}

bool value_duration(struct span s, ns_t *ret)
{
    static const struct unit units[] = { { "us", NS_PER_US },       { "ms", NS_PER_MS },
                                         { "s", NS_PER_S },         { "m", 60 * NS_PER_S },
                                         { "h", 3600 * NS_PER_S },  { "d", 86400 * NS_PER_S },
                                         { "w", 604800 * NS_PER_S } };
    double number;
    int64_t factor;

    if (!number_with_unit(s, units, sizeof(units) / sizeof(units[0]), &number, &factor) ||
        number * (double)factor > 9e18)
        return false;
    *ret = (ns_t)(number * (double)factor + 0.5);
    return true;
}

bool value_share(struct span s, double *ret)
{
    static const struct unit percent[] = { { "%", 1 } };
    int64_t factor;

    if (!number_with_unit(s, percent, 1, ret, &factor) || *ret > 100)
        return false;
    *ret /= 100;
    return true;
}

bool value_size(struct span s, uint64_t *ret)
{
    static const struct unit units[] = {
        { "B", 1 }, { "KiB", 1 << 10 }, { "MiB", 1 << 20 }, { "GiB", 1 << 30 }
    };
    double number;
    int64_t factor;

    if (span_equal(s, SPAN("0"))) {
        *ret = 0;
        return true;
    }
    if (!number_with_unit(s, units, sizeof(units) / sizeof(units[0]), &number, &factor))
        return false;
    *ret = (uint64_t)(number * (double)factor + 0.5);
    return true;
}

bool value_bool(struct span s, bool *ret)
{
    *ret = span_equal(s, SPAN("true"));
    return *ret || span_equal(s, SPAN("false"));
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
