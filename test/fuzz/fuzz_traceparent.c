/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_traceparent.c - what is accepted as trace context has no zero id, no capital and no version ff, and is
 * the same after it was written; what has the form of the standard is accepted. */
#include "fuzz.h"

#include "proto/traceparent.h"

/* The form of section 3.2, said a second time: 'h' is a digit, anything else itself. */
static bool has_form(struct span v)
{
    static const char form[] = "hh-hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh-hhhhhhhhhhhhhhhh-hh";

    for (size_t i = 0; i < TRACEPARENT_SIZE; i++) {
        char c = v.n >= TRACEPARENT_SIZE ? v.p[i] : 'x';
        bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        if (form[i] == 'h' ? !digit : c != form[i])
            return false;
    }
    if (v.p[0] == 'f' && v.p[1] == 'f')
        return false;
    bool version_0 = v.p[0] == '0' && v.p[1] == '0';
    return v.n == TRACEPARENT_SIZE || (!version_0 && v.p[TRACEPARENT_SIZE] == '-');
}

static bool all_zero(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] != '0')
            return false;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = span_of(data, size);
    char written[TRACEPARENT_SIZE];
    struct traceparent t;
    struct traceparent again;

    bool good = has_form(text) && !all_zero(text.p + 3, 32) && !all_zero(text.p + 36, 16);
    check(traceparent_parse(text, &t) == good);
    if (!good)
        return 0;
    check((t.trace_high | t.trace_low) != 0 && t.parent != 0);
    traceparent_write(&t, written);
    check(memcmp(written, "00", 2) == 0);
    check(memcmp(written + 2, text.p + 2, TRACEPARENT_SIZE - 2) == 0);
    check(traceparent_parse(span_of(written, sizeof(written)), &again));
    check(again.trace_high == t.trace_high && again.trace_low == t.trace_low);
    check(again.parent == t.parent && again.flags == t.flags);
    return 0;
}
