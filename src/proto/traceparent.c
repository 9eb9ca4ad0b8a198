/* SPDX-License-Identifier: Apache-2.0 */
/* traceparent.c - reading and writing the one field. */
#include "proto/traceparent.h"

#include "base/word.h"

/* Lower case only, as the standard wants it: two spellings of one id would be two ids to somebody. */
static bool read_hex(const char *p, unsigned n, uint64_t *ret)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < n; i++) {
        int digit = p[i] >= 'A' && p[i] <= 'F' ? -1 : ascii_hex(p[i]);
        if (digit < 0)
            return false;
        value = value << 4 | (uint64_t)digit;
    }
    *ret = value;
    return true;
}

bool traceparent_parse(struct span v, struct traceparent *ret)
{
    struct traceparent t;
    uint64_t version;
    uint64_t flags;

    if (v.n < TRACEPARENT_SIZE || v.p[2] != '-' || v.p[35] != '-' || v.p[52] != '-')
        return false;
    if (!read_hex(v.p, 2, &version) || version == 0xff)
        return false;
    if (v.n > TRACEPARENT_SIZE && (version == 0 || v.p[TRACEPARENT_SIZE] != '-'))
        return false;
    if (!read_hex(v.p + 3, 16, &t.trace_high) || !read_hex(v.p + 19, 16, &t.trace_low) ||
        !read_hex(v.p + 36, 16, &t.parent) || !read_hex(v.p + 53, 2, &flags))
        return false;
    if ((t.trace_high | t.trace_low) == 0 || t.parent == 0)
        return false;
    t.flags = (uint8_t)flags;
    *ret = t;
    return true;
}

/* Eight digits at once: each half byte gets a byte of its own, the first digit the lowest. */
static uint64_t eight_digits(uint32_t value)
{
    uint64_t x = __builtin_bswap32(value);

    x = (x | x << 16) & 0x0000ffff0000ffff;
    x = (x | x << 8) & 0x00ff00ff00ff00ff;
    x = (x >> 4 | x << 8) & 0x0f0f0f0f0f0f0f0f;
    uint64_t letters = (x + WORD_ONES * 6) >> 4 & WORD_ONES; /* where it is above 9 */
    return x + WORD_ONES * '0' + letters * ('a' - '0' - 10);
}

void hex_write(uint64_t value, unsigned n, char *ret_text)
{
    if (n == 16) { /* most: a request writes four of them */
        word_store(ret_text, eight_digits((uint32_t)(value >> 32)));
        word_store(ret_text + 8, eight_digits((uint32_t)value));
        return;
    }
    for (unsigned at = 0; at < n; at++)
        ret_text[at] = "0123456789abcdef"[value >> (4 * (n - at - 1)) & 15];
}

void traceparent_write(const struct traceparent *t, char ret_text[TRACEPARENT_SIZE])
{
    hex_write(0, 2, ret_text); /* version */
    ret_text[2] = '-';
    hex_write(t->trace_high, 16, ret_text + 3);
    hex_write(t->trace_low, 16, ret_text + 19);
    ret_text[35] = '-';
    hex_write(t->parent, 16, ret_text + 36);
    ret_text[52] = '-';
    hex_write(t->flags, 2, ret_text + 53);
}
