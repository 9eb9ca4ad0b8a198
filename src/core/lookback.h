/* SPDX-License-Identifier: Apache-2.0 */
/* lookback.h - the windows that every objective is shown over, beside its own: the pairs of burn-rate alerts, and 28 days,
 * which holds the same number of each weekday.
 * Source: Site Reliability Workbook chapter 5, table 5-8. */
#ifndef EK_CORE_LOOKBACK_H
#define EK_CORE_LOOKBACK_H

#include <stdint.h>

/* clang-format off */
#define LOOKBACKS(X) \
    /* name  word    seconds */ \
    X(5M,    "5m",   300) \
    X(30M,   "30m",  1800) \
    X(1H,    "1h",   3600) \
    X(2H,    "2h",   7200) \
    X(6H,    "6h",   21600) \
    X(1D,    "1d",   86400) \
    X(3D,    "3d",   259200) \
    X(28D,   "28d",  2419200)
/* clang-format on */

enum lookback {
#define X(name, word, seconds) LOOKBACK_##name,
    LOOKBACKS(X)
#undef X
        LOOKBACK_COUNT,
};

struct lookback_row {
    const char *word;
    int64_t seconds;
};

static const struct lookback_row lookbacks[LOOKBACK_COUNT] = {
#define X(name, word, seconds) { word, seconds },
    LOOKBACKS(X)
#undef X
};

/* How many of them are longer than what window.h keeps, and so begin in the store. */
enum { LOOKBACKS_LONG = LOOKBACK_COUNT - LOOKBACK_1D };

#endif
