/* SPDX-License-Identifier: Apache-2.0 */
/* str.c - building text. */
#include "base/str.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

bool str_reserve(struct str *s, size_t n)
{
    if (s->cap - s->n >= n)
        return true;
    if (!s->growing) {
        s->cut = true;
        return false;
    }
    size_t cap = s->cap ? s->cap : 256;
    while (cap - s->n < n) {
        check(cap <= SIZE_MAX / 2);
        cap *= 2;
    }
    s->p = realloc(s->p, cap);
    check(s->p != NULL);
    s->cap = cap;
    return true;
}

void str_text(struct str *s, const char *text)
{
    str_put(s, span_from_text(text));
}

void str_u64(struct str *s, uint64_t value)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    str_put(s, span_of(digits + at, sizeof(digits) - at));
}

static const char hex_digits[] = "0123456789abcdef";

void str_hex(struct str *s, uint64_t value)
{
    char digits[16];
    size_t at = sizeof(digits);

    do {
        digits[--at] = hex_digits[value & 15];
        value >>= 4;
    } while (value > 0);
    str_put(s, span_of(digits + at, sizeof(digits) - at));
}

void str_hex_bytes(struct str *s, const void *bytes, size_t n)
{
    const unsigned char *b = bytes;

    if (!str_reserve(s, 2 * n))
        return;
    for (size_t i = 0; i < n; i++) {
        s->p[s->n++] = hex_digits[b[i] >> 4];
        s->p[s->n++] = hex_digits[b[i] & 15];
    }
}

void str_print(struct str *s, const char *format, ...)
{
    va_list args;
    va_list again;

    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    check(n >= 0);
    /* one more byte for the zero that vsnprintf insists on; it is not counted */
    if (str_reserve(s, (size_t)n + 1)) {
        vsnprintf(s->p + s->n, (size_t)n + 1, format, again);
        s->n += (size_t)n;
    }
    va_end(again);
}

const char *str_cstr(struct str *s)
{
    if (!str_reserve(s, 1))
        return "";
    s->p[s->n] = '\0';
    return s->p;
}

void str_free(struct str *s)
{
    check(s->growing);
    free(s->p);
    *s = str_growing();
}
