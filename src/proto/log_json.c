/* SPDX-License-Identifier: Apache-2.0 */
/* log_json.c - a JSON object on one line: the values of its usual keys. Objects and lists within are passed
 * over; the depth is counted, not followed. Lenient about what stands in numbers: whoever asks for one looks
 * at it. */
#include "proto/log_values.h"

static size_t skip_blanks(struct span s, size_t at)
{
    while (at < s.n && (s.p[at] == ' ' || s.p[at] == '\t' || s.p[at] == '\r'))
        at++;
    return at;
}

/* The position of the quote that ends the text which begins at `at`; s.n when none does. */
static size_t text_end(struct span s, size_t at)
{
    while (at < s.n && s.p[at] != '"')
        at += s.p[at] == '\\' ? 2 : 1;
    return at < s.n ? at : s.n;
}

/* Behind the object or list that begins at `at`; s.n + 1 when it does not end. */
static size_t nested_end(struct span s, size_t at)
{
    size_t depth = 0;

    for (; at < s.n; at++) {
        char c = s.p[at];
        if (c == '"') {
            at = text_end(s, at + 1);
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            return at + 1;
        }
    }
    return s.n + 1;
}

/* Reads the value at `at`; returns the position behind it, s.n + 1 when there is none. */
static size_t read_value(struct span s, size_t at, struct span *ret_value)
{
    *ret_value = span_of(s.p, 0);
    if (at >= s.n)
        return s.n + 1;
    if (s.p[at] == '{' || s.p[at] == '[')
        return nested_end(s, at);
    if (s.p[at] == '"') {
        size_t end = text_end(s, at + 1);
        *ret_value = span_of(s.p + at + 1, end - at - 1);
        return end + 1;
    }
    size_t end = at;
    while (end < s.n && s.p[end] != ',' && s.p[end] != '}' && s.p[end] != ' ')
        end++;
    if (!span_equal(span_of(s.p + at, end - at), SPAN("null")))
        *ret_value = span_of(s.p + at, end - at);
    return end > at ? end : s.n + 1;
}

/* The brace that ends the object, and nothing behind it: two lines that ran into one are none. */
static bool is_end(struct span s, size_t at)
{
    return at < s.n && s.p[at] == '}' && skip_blanks(s, at + 1) == s.n;
}

bool log_find_json(struct span line, struct span ret_values[LOG_FIELD_COUNT])
{
    size_t at = skip_blanks(line, 0);
    size_t begin = at;
    struct span value;

    if (at >= line.n || line.p[at] != '{')
        return false;
    do {
        at = skip_blanks(line, at + 1);
        if (at >= line.n || line.p[at] != '"')
            return at == skip_blanks(line, begin + 1) && is_end(line, at); /* empty */
        size_t end = text_end(line, at + 1);
        struct span key = span_of(line.p + at + 1, end - at - 1);
        at = skip_blanks(line, end + 1);
        if (at >= line.n || line.p[at] != ':')
            return false;
        at = read_value(line, skip_blanks(line, at + 1), &value);
        if (at > line.n)
            return false;
        enum log_field field = log_field_of(key);
        if (field != LOG_IGNORED && value.n > 0)
            ret_values[field] = value;
        at = skip_blanks(line, at);
    } while (at < line.n && line.p[at] == ',');
    return is_end(line, at);
}

/* ---- escapes */

/* Four hexadecimal digits at `at`, or -1. */
static int32_t read_unit(struct span s, size_t at)
{
    int32_t unit = 0;

    for (size_t i = at; i < at + 4; i++) {
        int digit = i < s.n ? ascii_hex(s.p[i]) : -1;
        if (digit < 0)
            return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

/* UTF-8, at most as many bytes as the escape took. */
static size_t put_point(char *out, uint32_t c)
{
    if (c < 0x100) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

/* \uXXXX at `at`, with the second half of a pair; returns how many bytes of it were read, 0 for none. */
static size_t read_point(struct span s, size_t at, uint32_t *ret)
{
    int32_t unit = read_unit(s, at + 2);

    if (unit < 0)
        return 0;
    *ret = (uint32_t)unit;
    if (unit < 0xD800 || unit > 0xDBFF)
        return 6;
    int32_t low =
        at + 7 < s.n && s.p[at + 6] == '\\' && s.p[at + 7] == 'u' ? read_unit(s, at + 8) : -1;
    if (low < 0xDC00 || low > 0xDFFF)
        return 6;
    *ret = 0x10000 + (((uint32_t)unit - 0xD800) << 10) + ((uint32_t)low - 0xDC00);
    return 12;
}

struct span log_undo_json(struct span s)
{
    static const char letters[] = "b\bf\fn\nr\rt\t";
    char *out = (char *)(uintptr_t)s.p; /* the line is lent to be changed, see log_line.h */
    uint32_t point;
    size_t n = 0;

    for (size_t i = 0; i < s.n;) {
        size_t used;
        if (s.p[i] != '\\' || i + 1 == s.n) {
            out[n++] = s.p[i++];
        } else if (s.p[i + 1] == 'u' && (used = read_point(s, i, &point)) > 0) {
            n += put_point(out + n, point);
            i += used;
        } else {
            const char *letter = s.p[i + 1] ? strchr(letters, s.p[i + 1]) : NULL;
            out[n++] = letter && (letter - letters) % 2 == 0 ? letter[1] : s.p[i + 1];
            i += 2;
        }
    }
    return span_of(s.p, n);
}
