/* SPDX-License-Identifier: Apache-2.0 */
/* status_set.h - a set of HTTP statuses, 100 to 599 (RFC 9110 section 15 knows no others).
 * Always: a status outside of 100-599 is never a member. All zeroes is the empty set.
 * A plain value: whoever holds it owns it. */
#ifndef EK_CORE_STATUS_SET_H
#define EK_CORE_STATUS_SET_H

#include <stdbool.h>
#include <stdint.h>

enum { STATUS_LEAST = 100, STATUS_MOST = 599 };

struct status_set {
    uint64_t bits[10]; /* bit status % 64 of word status / 64; 640 bits hold 0 to 599 */
};

static inline bool status_valid(unsigned status)
{
    return status >= STATUS_LEAST && status <= STATUS_MOST;
}

static inline bool status_set_has(const struct status_set *s, unsigned status)
{
    return status_valid(status) && (s->bits[status / 64] >> (status % 64) & 1);
}

/* False when the status is none; the set is then untouched. */
static inline bool status_set_add(struct status_set *s, unsigned status)
{
    if (!status_valid(status))
        return false;
    s->bits[status / 64] |= UINT64_C(1) << (status % 64);
    return true;
}

#endif
