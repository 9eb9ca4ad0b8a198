/* SPDX-License-Identifier: Apache-2.0 */
/* str.h - building text: into a buffer of fixed size (data path), or growing (control work).
 * A full fixed buffer sets `cut` and drops what does not fit; the caller decides what that means.
 * Numbers are written by hand: printf costs more than the rest of an exchange's user-space work. */
#ifndef EK_BASE_STR_H
#define EK_BASE_STR_H

#include "base/span.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct str {
    char *p;
    size_t n;     /* bytes written */
    size_t cap;   /* bytes that fit */
    bool cut;     /* something did not fit; only when fixed */
    bool growing; /* p is from malloc and grows; str_free() gives it back */
};

static inline struct str str_fixed(void *p, size_t cap)
{
    return (struct str){ .p = p, .cap = cap };
}

static inline struct str str_growing(void)
{
    return (struct str){ .growing = true };
}

static inline struct span str_span(const struct str *s)
{
    return span_of(s->p, s->n);
}

/* Makes room for n bytes; false (and cut) when there is none. */
bool str_reserve(struct str *s, size_t n);

static inline void str_put(struct str *s, struct span bytes)
{
    if (s->cap - s->n < bytes.n && !str_reserve(s, bytes.n))
        return;
    if (bytes.n)
        memcpy(s->p + s->n, bytes.p, bytes.n);
    s->n += bytes.n;
}

static inline void str_char(struct str *s, char c)
{
    str_put(s, span_of(&c, 1));
}

#define str_literal(s, literal) str_put(s, SPAN(literal))

void str_text(struct str *s, const char *text);
void str_u64(struct str *s, uint64_t value);
void str_hex(struct str *s, uint64_t value); /* lower case, no leading zeroes */
void str_hex_bytes(struct str *s, const void *bytes, size_t n);
void str_print(struct str *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The text with a terminating zero; belongs to s. */
const char *str_cstr(struct str *s);

/* Only for growing text; the fixed kind owns nothing. */
void str_free(struct str *s);

#endif
