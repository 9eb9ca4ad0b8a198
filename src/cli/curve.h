/* SPDX-License-Identifier: Apache-2.0 */
/* curve.h - values over time as an area of block characters, or of ASCII where there are no others.
 * Always: a column per value; the scale holds 0 and 1 and goes down to -1 at most; what is below is drawn there. */
#ifndef EK_CLI_CURVE_H
#define EK_CLI_CURVE_H

#include "base/str.h"

struct curve {
    const double *values; /* shares; NaN: not known */
    size_t count;
    size_t height; /* lines, at least 2 */
    bool utf8;
};

/* Columns that stand before the first value. */
enum { CURVE_MARGIN = 7 };

/* `height` lines, highest first. Not known: a dot at the bottom. */
void curve_put(const struct curve *c, struct str *out);

#endif
