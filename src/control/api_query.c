/* SPDX-License-Identifier: Apache-2.0 */
/* api_query.c - see api_query.h. */
#include "control/api_query.h"

static int hex_value(char c)
{
    c = ascii_lower(c);
    return ascii_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool query_decode(struct span text, bool form, struct arena *a, struct span *ret)
{
    char *out = arena_alloc(a, text.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '%') {
            int high = i + 2 < text.n ? hex_value(text.p[i + 1]) : -1;
            int low = i + 2 < text.n ? hex_value(text.p[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && form) {
            c = ' ';
        }
        if ((unsigned char)c < ' ' || c == 0x7f)
            return false;
        out[n++] = c;
    }
    *ret = span_of(out, n);
    return true;
}

void query_encode(struct str *out, struct span text)
{
    static const char plain[] = "-._~";

    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        char low = ascii_lower(c);
        if ((low >= 'a' && low <= 'z') || ascii_digit(c) || memchr(plain, c, sizeof(plain) - 1))
            str_char(out, c);
        else
            str_print(out, "%%%02X", (unsigned char)c);
    }
}

static const char *known_keys(const struct query_row *rows, size_t count, struct arena *a)
{
    struct str words = str_growing();

    for (size_t i = 0; i < count; i++)
        str_print(&words, "%s%s", i ? ", " : "", rows[i].key);
    const char *kept = arena_text(a, str_span(&words));
    str_free(&words);
    return kept;
}

static const char *read_pair(struct span pair, struct query_row *rows, size_t count,
                             struct arena *a)
{
    size_t mark = span_find(pair, '=');
    struct span key = span_of(pair.p, mark);

    for (size_t i = 0; i < count; i++) {
        struct query_row *r = &rows[i];
        if (!span_equal(key, span_from_text(r->key)))
            continue;
        if (r->given)
            return arena_print(a, "%s is given twice", r->key);
        if (mark == pair.n)
            return arena_print(a, "%s has no value: %s=... was expected", r->key, r->key);
        r->given = true;
        if (query_decode(span_after(pair, mark + 1), true, a, &r->value))
            return NULL;
        return arena_print(a, "the value of %s is not encoded rightly", r->key);
    }
    return arena_print(a, "behind the '?' are known: %s", known_keys(rows, count, a));
}

const char *query_read(struct span query, struct query_row *rows, size_t count, struct arena *a)
{
    while (query.n > 0) {
        size_t n = span_find(query, '&');
        const char *wrong = read_pair(span_of(query.p, n), rows, count, a);
        if (wrong)
            return wrong;
        query = n < query.n ? span_after(query, n + 1) : span_of(NULL, 0);
    }
    return NULL;
}

bool query_count(struct span text, uint64_t least, uint64_t most, uint64_t *ret)
{
    uint64_t n = 0;

    if (text.n == 0 || text.n > 18) /* below 10^18: cannot overflow */
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (!ascii_digit(text.p[i]))
            return false;
        n = n * 10 + (uint64_t)(text.p[i] - '0');
    }
    if (n < least || n > most)
        return false;
    *ret = n;
    return true;
}

bool query_seconds(struct span text, ns_t *ret)
{
    size_t point = span_find(text, '.');
    struct span decimals = point < text.n ? span_after(text, point + 1) : SPAN("0");
    uint64_t whole;
    uint64_t part;

    if (!query_count(span_of(text.p, point), 0, 1000000, &whole) || decimals.n > 9 ||
        !query_count(decimals, 0, 999999999, &part))
        return false;
    for (size_t i = decimals.n; i < 9; i++)
        part *= 10;
    *ret = (ns_t)(whole * (uint64_t)NS_PER_S + part);
    return true;
}
