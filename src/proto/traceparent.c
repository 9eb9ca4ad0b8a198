/* SPDX-License-Identifier: Apache-2.0 */
/* traceparent.c - reading and writing the one field. */
#include "proto/traceparent.h"

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

void hex_write(uint64_t value, unsigned n, char *ret_text)
{
    /* two digits at a time: a request writes 66 of them */
    static const char pairs[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
                                "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
                                "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f"
                                "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
                                "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
                                "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf"
                                "c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf"
                                "e0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";

    for (unsigned at = 0; at < n; at += 2) {
        uint8_t byte = (uint8_t)(value >> (4 * (n - at - 2)));
        memcpy(ret_text + at, pairs + (size_t)byte * 2, 2);
    }
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
