/* SPDX-License-Identifier: Apache-2.0 */
/* slo.c - shares, budgets and burn rates from counts. Products of counts and parts take 128 bits,
 * so that a target is met or missed by the last single event. */
#include "core/slo.h"

#include "base/check.h"
#include "core/wide.h"

static u128 all_of(struct slo_counts c)
{
    return (u128)c.good + c.bad;
}

static uint32_t budget_of(uint32_t target)
{
    check(target >= 1 && target < SLO_PARTS);
    return SLO_PARTS - target;
}

uint32_t slo_target(double share)
{
    double parts = share * SLO_PARTS + 0.5;

    if (!(parts >= 1)) /* not a number, too */
        return 1;
    return parts >= SLO_PARTS ? SLO_PARTS - 1 : (uint32_t)parts;
}

enum slo_state slo_state(uint32_t target, struct slo_counts c)
{
    check(target >= 1 && target < SLO_PARTS);
    if (all_of(c) == 0)
        return SLO_NO_DATA;
    return (u128)c.good * SLO_PARTS >= all_of(c) * target ? SLO_MET : SLO_MISSED;
}

double slo_share(struct slo_counts c)
{
    return all_of(c) == 0 ? 1 : (double)c.good / (double)all_of(c);
}

double slo_burn(uint32_t target, struct slo_counts c)
{
    double budget = (double)(all_of(c) * budget_of(target));

    return budget > 0 ? (double)((u128)c.bad * SLO_PARTS) / budget : 0;
}

double slo_budget_left(uint32_t target, struct slo_counts c)
{
    return 1 - slo_burn(target, c);
}

int64_t slo_bad_left(uint32_t target, struct slo_counts c)
{
    u128 allowed = all_of(c) * budget_of(target) / SLO_PARTS;

    if (allowed >= c.bad)
        return allowed - c.bad > INT64_MAX ? INT64_MAX : (int64_t)(allowed - c.bad);
    return c.bad - allowed > INT64_MAX ? -INT64_MAX : -(int64_t)(c.bad - allowed);
}

bool slo_days_left(double budget_left, double burn, int64_t window_s, double *ret_days)
{
    check(window_s > 0);
    if (budget_left <= 0) {
        *ret_days = 0;
        return true;
    }
    if (burn <= 0 || burn < budget_left)
        return false;
    *ret_days = budget_left / burn * (double)window_s / 86400;
    return true;
}

double slo_coverage(uint64_t measured_ms, int64_t window_s)
{
    check(window_s > 0);
    double share = (double)measured_ms / ((double)window_s * 1000);

    return share > 1 ? 1 : share;
}
