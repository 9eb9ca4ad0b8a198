/* SPDX-License-Identifier: Apache-2.0 */
/* log_time.c - durations and stamps of access logs, in integers. */
#include "proto/log_values.h"

/* ---- durations */

/* "12.345" in units of `unit` nanoseconds, a power of ten; decimals below a nanosecond are dropped. */
static bool read_decimal(struct span s, ns_t unit, ns_t *ret_ns)
{
    enum { DIGITS_MAX = 9 }; /* before the point: 31 years in seconds */
    size_t point = span_find(s, '.');
    struct span decimals = span_after(s, point + 1);
    uint64_t whole;

    if (point > DIGITS_MAX || !span_to_u64(span_of(s.p, point), &whole))
        return false;
    ns_t ns = (ns_t)whole * unit;
    for (size_t i = 0; i < decimals.n; i++) {
        if (!ascii_digit(decimals.p[i]))
            return false;
        unit /= 10;
        ns += (decimals.p[i] - '0') * unit;
    }
    *ret_ns = ns;
    return true;
}

bool log_seconds(struct span s, ns_t *ret_ns)
{
    return read_decimal(s, NS_PER_S, ret_ns);
}

bool log_milliseconds(struct span s, ns_t *ret_ns)
{
    return read_decimal(s, NS_PER_MS, ret_ns);
}

bool log_upstream_seconds(struct span s, ns_t *ret_ns)
{
    ns_t sum = 0;
    ns_t one;

    while (s.n > 0) {
        size_t n = 0;
        while (n < s.n && s.p[n] != ',' && s.p[n] != ':')
            n++;
        struct span value = span_trim(span_of(s.p, n));
        if (!span_equal(value, SPAN("-"))) {
            if (!log_seconds(value, &one) || sum > NS_NEVER / 2)
                return false;
            sum += one;
        }
        s = span_after(s, n + 1);
    }
    *ret_ns = sum;
    return true;
}

/* ---- stamps */

/* Days since 1970-01-01 of a day of the Gregorian calendar; months from 1. Years begin in March here, so
 * that the leap day is their last. */
static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    unsigned of_era = (unsigned)(year - era * 400);
    unsigned of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    unsigned days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;

    return era * 146097 + (int64_t)days - 719468;
}

/* n digits at `at` as a number; false when one is none. */
static bool digits(struct span s, size_t at, size_t n, unsigned *ret)
{
    unsigned value = 0;

    if (s.n < at + n)
        return false;
    for (size_t i = at; i < at + n; i++) {
        if (!ascii_digit(s.p[i]))
            return false;
        value = value * 10 + (unsigned)(s.p[i] - '0');
    }
    *ret = value;
    return true;
}

struct moment {
    unsigned year, month, day, hour, minute, second;
};

static bool moment_seconds(const struct moment *m, int64_t *ret_s)
{
    if (m->month < 1 || m->month > 12 || m->day < 1 || m->day > 31 || m->hour > 23 ||
        m->minute > 59 || m->second > 60)
        return false;
    *ret_s = days_of(m->year, m->month, m->day) * 86400 + (int64_t)m->hour * 3600 +
             (int64_t)m->minute * 60 + m->second;
    return true;
}

/* "Z", "+0200" or "+02:00" as seconds; nothing is UTC. */
static bool read_offset(struct span s, int64_t *ret_s)
{
    unsigned hours;
    unsigned minutes;
    size_t colon = s.n == 6 && s.p[3] == ':';

    *ret_s = 0;
    if (s.n == 0 || span_equal(s, SPAN("Z")))
        return true;
    if ((s.p[0] != '+' && s.p[0] != '-') || s.n != 5 + colon || !digits(s, 1, 2, &hours) ||
        !digits(s, 3 + colon, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *ret_s = (s.p[0] == '-' ? -1 : 1) * ((int64_t)hours * 3600 + (int64_t)minutes * 60);
    return true;
}

static unsigned month_of(struct span s)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    for (unsigned i = 0; i < 12; i++) {
        if (memcmp(months + (size_t)3 * i, s.p, 3) == 0)
            return i + 1;
    }
    return 0;
}

/* 10/Oct/2000:13:55:36 -0700 */
static bool read_local(struct span s, int64_t *ret_ms)
{
    struct moment m = {};
    int64_t offset;
    int64_t at;

    if (s.n < 20 || s.p[6] != '/' || s.p[11] != ':' || s.p[14] != ':' || s.p[17] != ':')
        return false;
    m.month = month_of(span_of(s.p + 3, 3));
    if (!digits(s, 0, 2, &m.day) || !digits(s, 7, 4, &m.year) || !digits(s, 12, 2, &m.hour) ||
        !digits(s, 15, 2, &m.minute) || !digits(s, 18, 2, &m.second))
        return false;
    if (!read_offset(span_trim(span_after(s, 20)), &offset) || !moment_seconds(&m, &at))
        return false;
    *ret_ms = (at - offset) * 1000;
    return true;
}

/* 2000-10-10T13:55:36.123-07:00 (RFC 3339; a blank for the T as well) */
static bool read_iso(struct span s, int64_t *ret_ms)
{
    struct moment m = {};
    struct span rest = span_after(s, 19);
    int64_t offset;
    int64_t at;
    ns_t part = 0;
    size_t n = 0;

    if (s.n < 19 || s.p[7] != '-' || (s.p[10] != 'T' && s.p[10] != ' ') || s.p[13] != ':' ||
        s.p[16] != ':')
        return false;
    if (!digits(s, 0, 4, &m.year) || !digits(s, 5, 2, &m.month) || !digits(s, 8, 2, &m.day) ||
        !digits(s, 11, 2, &m.hour) || !digits(s, 14, 2, &m.minute) || !digits(s, 17, 2, &m.second))
        return false;
    if (rest.n > 0 && rest.p[0] == '.') {
        for (n = 1; n < rest.n && ascii_digit(rest.p[n]) && n <= 9;)
            n++;
        char text[12] = "0";
        memcpy(text + 1, rest.p, n);
        if (!log_seconds(span_of(text, n + 1), &part))
            return false;
    }
    if (!read_offset(span_after(rest, n), &offset) || !moment_seconds(&m, &at))
        return false;
    *ret_ms = (at - offset) * 1000 + part / NS_PER_MS;
    return true;
}

/* 971211336.123, or in milliseconds or finer, as the number of digits says: seconds have ten of them from
 * 2001 to 2286. */
static bool read_epoch(struct span s, int64_t *ret_ms)
{
    size_t point = span_find(s, '.');
    struct span decimals = span_after(s, point + 1);
    unsigned ms = 0;
    uint64_t whole;

    if (point > 19 || !span_to_u64(span_of(s.p, point), &whole))
        return false;
    for (size_t i = 0; i < decimals.n; i++) {
        if (!ascii_digit(decimals.p[i]))
            return false;
        if (i < 3)
            ms += (unsigned)(decimals.p[i] - '0') * (i == 0 ? 100u : i == 1 ? 10u : 1u);
    }
    if (point <= 11)
        *ret_ms = (int64_t)whole * 1000 + ms;
    else
        *ret_ms = (int64_t)(point <= 14 ? whole : point <= 17 ? whole / 1000 : whole / 1000000);
    return true;
}

bool log_stamp(struct span s, int64_t *ret_ms)
{
    if (s.n > 4 && s.p[4] == '-')
        return read_iso(s, ret_ms);
    if (s.n > 2 && s.p[2] == '/')
        return read_local(s, ret_ms);
    return read_epoch(s, ret_ms);
}
