/* SPDX-License-Identifier: Apache-2.0 */
/* pack.c - writing and reading the stored form of counters. Next: pack.h says what it looks
 * like. */
#include "core/pack.h"

#include "base/check.h"

static size_t number_at(char *bytes, uint64_t value)
{
    size_t n = 0;

    do {
        bytes[n++] = (char)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        value >>= 7;
    } while (value > 0);
    return n;
}

void pack_number(struct str *out, uint64_t value)
{
    char bytes[PACK_NUMBER_MAX];

    str_put(out, span_of(bytes, number_at(bytes, value)));
}

bool unpack_number(struct span *in, uint64_t *ret_value)
{
    uint64_t value = 0;

    for (size_t i = 0; i < in->n && i < PACK_NUMBER_MAX; i++) {
        uint64_t bits = (uint8_t)in->p[i] & 0x7f;

        if (i == PACK_NUMBER_MAX - 1 && bits > 1)
            return false; /* the tenth byte has room for one bit only */
        value |= bits << (7 * i);
        if ((uint8_t)in->p[i] & 0x80)
            continue;
        if (i > 0 && bits == 0)
            return false; /* longer than needed: we never write that */
        *in = span_after(*in, i + 1);
        *ret_value = value;
        return true;
    }
    return false;
}

void pack_counters(struct str *out, unsigned count, const uint64_t *values)
{
    while (count > 0 && values[count - 1] == 0)
        count--;
    for (unsigned i = 0; i < count; i++)
        pack_number(out, values[i]);
}

/* How many numbers there are, or -1 when the bytes are damaged. */
static int numbers_in(struct span in)
{
    uint64_t value = 1;
    int n = 0;

    for (; in.n > 0; n++)
        if (!unpack_number(&in, &value))
            return -1;
    return value == 0 ? -1 : n; /* a trailing zero is never written */
}

bool unpack_counters(struct span in, unsigned max, uint64_t *ret_values)
{
    int count = numbers_in(in);

    if (count < 0 || (unsigned)count > max)
        return false;
    for (unsigned i = 0; i < max; i++)
        if (i >= (unsigned)count || !unpack_number(&in, &ret_values[i]))
            ret_values[i] = 0;
    return true;
}

void pack_histogram(struct str *out, const uint64_t *now, const uint64_t *before)
{
    uint32_t next = 0; /* bin that a difference of 1 means */
    char bytes[256];   /* many bins at a time: control packs dozens of histograms in a tick */
    size_t n = 0;

    for (uint32_t bin = 0; bin < HISTOGRAM_BINS; bin++) {
        uint64_t earlier = before ? before[bin] : 0;

        check(now[bin] >= earlier);
        if (now[bin] == earlier)
            continue;
        if (n > sizeof(bytes) - (size_t)2 * PACK_NUMBER_MAX) {
            str_put(out, span_of(bytes, n));
            n = 0;
        }
        n += number_at(bytes + n, bin - next + 1);
        n += number_at(bytes + n, now[bin] - earlier);
        next = bin + 1;
    }
    str_put(out, span_of(bytes, n));
}

bool unpack_histogram(struct span in, uint64_t *bins)
{
    uint64_t next = 0;

    while (in.n > 0) {
        uint64_t step, count;

        if (!unpack_number(&in, &step) || !unpack_number(&in, &count))
            return false;
        if (step == 0 || step > HISTOGRAM_BINS - next || count == 0)
            return false;
        bins[next + step - 1] += count;
        next += step;
    }
    return true;
}
