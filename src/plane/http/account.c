/* SPDX-License-Identifier: Apache-2.0 */
/* account.c - a finished exchange becomes numbers: once, at its end, by the rules of the journey that it
 * was routed to. Tunnels and event streams are judged at their head. What never became a request (malformed heads) counts for the edge only. */
#include "plane/http/exchange.h"

#include "bus/value_slots.h"
#include "core/histogram.h"

/* Answers by service and status class, with "no service" behind the last. */
static void count_code(struct exchange *x)
{
    const struct config *c = x->snapshot->config;
    size_t service = x->service ? (size_t)(x->service - c->services) : c->service_count;
    uint32_t class = x->status / 100u;

    edge_count(x->edge, x->journey->codes[service] + (class < CODE_CLASSES ? class : 0), 1);
}

/* What the instance says holds for an answer that reached the client whole; that it failed holds also when the
 * client left meanwhile, as a bad status does. */
static bool told_counts(const struct exchange *x)
{
    enum verdict_cause cause = ending_cause(x->ending);

    return x->is_told &&
           (cause == CAUSE_ANSWERED || (cause == CAUSE_CLIENT_GONE && x->told == OUTCOME_FAILED));
}

/* A trace that nobody recorded leads nowhere. */
static void keep_exemplar(struct exchange *x, ns_t latency)
{
    struct exemplar e = { .trace_high = x->trace.high,
                          .trace_low = x->trace.low,
                          .took = latency,
                          .at = x->edge->reactor->now };

    if (x->sampled && x->edge->exemplars && x->outcome != OUTCOME_EXCLUDED)
        exemplar_put(x->edge->exemplars, x->journey->id, (enum outcome)x->outcome, &e);
}

/* Which path it was that no journey takes. */
static void tell_unclaimed(struct exchange *x, struct verdict v, ns_t latency)
{
    const struct config *c = x->snapshot->config;
    const struct http_head *h = exchange_request(x);

    if (x->edge->unclaimed && x->journey == &c->journeys[c->journey_count - 1])
        path_ring_put(x->edge->unclaimed, h->method, h->path, x->status, v.outcome,
                      verdict_timed(v) ? latency : -1);
}

static struct verdict judge(const struct exchange *x, const struct journey *j, ns_t latency)
{
    return told_counts(x) ? verdict_told(&j->rules, (enum outcome)x->told, latency)
                          : verdict_of(&j->rules, ending_cause(x->ending), x->status, latency);
}

static void count_verdict(struct exchange *x, ns_t latency)
{
    uint8_t series[VERDICT_SERIES_MAX];
    const struct journey *j = x->journey;
    struct verdict v = judge(x, j, latency);
    unsigned n = verdict_series(v, series);

    x->outcome = (uint8_t)v.outcome;
    tell_unclaimed(x, v, latency);
    keep_exemplar(x, latency);

    for (unsigned i = 0; i < n; i++)
        edge_count(x->edge, j->series + series[i], 1);
    if (verdict_timed(v)) {
        edge_count(x->edge, j->series + SERIES_LATENCY_SUM_US, (uint64_t)(latency / NS_PER_US));
        edge_count(x->edge, j->histogram + histogram_bin(latency), 1);
    }
}

static struct value_slots values_of(const struct exchange *x, const struct journey_dimensions *d)
{
    if (!x->service || !x->instance)
        return d->none;
    const struct value_slots *list = d->instances[x->service - x->snapshot->config->services];
    return list ? list[x->instance - x->service->instances] : d->other;
}

static uint32_t tenant_slots(const struct exchange *x, const struct journey_dimensions *d)
{
    if (x->tenant.n == 0)
        return d->tenant_none;
    int id = d->tenants && x->edge->tenants ? tenant_see(x->edge->tenants, x->tenant) : -1;
    return id < 0 ? d->tenant_other : d->tenants + (uint32_t)id * DIMENSION_OUTCOMES;
}

/* Once in each dimension. */
static void count_dimensions(struct exchange *x)
{
    const struct journey_dimensions *d = x->journey->dimensions;
    struct value_slots values = values_of(x, d);
    uint32_t class = x->status / 100u < CODE_CLASSES ? x->status / 100u : 0;

    edge_count(x->edge, d->status + class * DIMENSION_OUTCOMES + x->outcome, 1);
    edge_count(x->edge, d->reason + (uint32_t)x->ending * DIMENSION_OUTCOMES + x->outcome, 1);
    edge_count(x->edge, values.instance + x->outcome, 1);
    edge_count(x->edge, values.release + x->outcome, 1);
    edge_count(x->edge, tenant_slots(x, d) + x->outcome, 1);
}

/* Beside the journey that counts it, it may be a step of others. */
static void tell_steps(struct exchange *x, ns_t now, ns_t latency)
{
    const struct config *c = x->snapshot->config;

    for (size_t i = 0; i < c->stepped_count; i++) {
        const struct journey *j = c->stepped[i];
        uint8_t steps = route_steps(j, &x->request);
        if (steps)
            steps_tell(x, j, steps, judge(x, j, latency).outcome, now);
    }
}

void exchange_count(struct exchange *x, ns_t now)
{
    ns_t latency = now - x->began - x->blocked;

    if (x->counted)
        return;
    x->counted = true;
    /* our own API is no journey of the users' */
    if (!x->routed || (x->service && x->service->local))
        return;
    count_code(x);
    count_verdict(x, latency > 0 ? latency : 0);
    count_dimensions(x);
    if (x->snapshot->config->stepped_count)
        tell_steps(x, now, latency > 0 ? latency : 0);
}
