/* SPDX-License-Identifier: Apache-2.0 */
/* accumulate.c - measured time. */
#include "core/accumulate.h"

#include "base/check.h"

void coverage_begin(struct coverage *c, uint64_t base_ms, ns_t now)
{
    check(base_ms <= INT64_MAX / 2 / NS_PER_MS);
    *c = (struct coverage){ .base = (ns_t)base_ms * NS_PER_MS, .last = now };
}

void coverage_tick(struct coverage *c, ns_t now)
{
    check(now >= c->last);
    if (now - c->last <= COVERAGE_SILENCE_MAX)
        c->measured += now - c->last;
    c->last = now;
}

void coverage_gap(struct coverage *c, ns_t now)
{
    check(now >= c->last);
    c->last = now;
}

uint64_t coverage_ms(const struct coverage *c)
{
    return (uint64_t)((c->base + c->measured) / NS_PER_MS);
}
