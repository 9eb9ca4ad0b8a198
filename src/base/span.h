/* SPDX-License-Identifier: Apache-2.0 */
/* span.h - a piece of memory that somebody else owns: pointer and length, never terminated.
 * Always: n bytes at p may be read for as long as the owner says; p may be NULL only if n is 0.
 * Next: str.h, which builds text; arena.h, which owns it. */
#ifndef EK_BASE_SPAN_H
#define EK_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const char *p;
    size_t n;
};

/* For string literals only: the length is known to the compiler. */
#define SPAN(literal) ((struct span){ "" literal, sizeof(literal) - 1 })

/* The same where a constant is wanted. */
#define SPAN_INIT(literal)              \
    {                                   \
        "" literal, sizeof(literal) - 1 \
    }

/* For printf: printf("%.*s", SPAN_ARG(s)). */
#define SPAN_ARG(s) (int)(s).n, (s).p

static inline struct span span_of(const void *p, size_t n)
{
    return (struct span){ p, n };
}

static inline struct span span_from_text(const char *text)
{
    return (struct span){ text, text ? strlen(text) : 0 };
}

static inline bool span_equal(struct span a, struct span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool span_starts_with(struct span s, struct span prefix)
{
    return s.n >= prefix.n && span_equal(span_of(s.p, prefix.n), prefix);
}

/* The rest of s after its first n bytes; empty when s is not that long. */
static inline struct span span_after(struct span s, size_t n)
{
    return n < s.n ? span_of(s.p + n, s.n - n) : span_of(s.p + s.n, 0);
}

/* ASCII only, as the tokens of HTTP are (RFC 9110 section 5.1): no locale. */
static inline char ascii_lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static inline bool ascii_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Value of a hexadecimal digit, -1 when it is none. */
int ascii_hex(char c);

/* Equal but for the case of ASCII letters. */
bool span_equal_nocase(struct span a, struct span b);

/* First position of byte c in s, or s.n. */
size_t span_find(struct span s, char c);

/* Without leading and trailing spaces and tabs (OWS of RFC 9110 section 5.6.3). */
struct span span_trim(struct span s);

/* Decimal digits only, no sign, no blanks. False when s is empty, holds anything else or overflows;
 * *ret_value is then untouched. */
[[nodiscard]] bool span_to_u64(struct span s, uint64_t *ret_value);

/* 64-bit FNV-1a; not for keys that a hostile client may choose (see map.h, which seeds it). */
uint64_t span_hash(struct span s, uint64_t seed);

/* How many single-character edits lead from a to b, at most `limit` + 1: for "did you mean". */
size_t span_distance(struct span a, struct span b, size_t limit);

#endif
