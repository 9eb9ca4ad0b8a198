/* SPDX-License-Identifier: Apache-2.0 */
/* account.c - a finished exchange becomes numbers: once, at its end, by the rules of the journey that it
 * was routed to. Tunnels and event streams are judged at their head. What never became a request (malformed heads) counts for the edge only. */
#include "plane/http/exchange.h"

#include "bus/tally.h"
#include "bus/value_slots.h"

/* Where it counts. The page is here by value: the compiler must take it that a counter may lie over whatever is behind a pointer, and
 * would look the page up again for each. */
struct counting {
    struct counter_page page;
    const struct journey *journey;
    size_t service; /* its number; behind the last: no service */
    uint32_t class; /* of the status */
    enum outcome outcome;
};

static inline void add(const struct counting *k, uint32_t slot, uint64_t n)
{
    counter_add(&k->page, slot, n);
}

/* What the instance says holds for an answer that reached the client whole; that it failed holds also when the
 * client left meanwhile, as a bad status does. */
static bool told_counts(const struct exchange *x)
{
    enum verdict_cause cause;

    if (!x->is_told)
        return false;
    cause = ending_cause(x->ending);
    return cause == CAUSE_ANSWERED || (cause == CAUSE_CLIENT_GONE && x->told == OUTCOME_FAILED);
}

/* A trace that nobody recorded leads nowhere. */
static void keep_exemplar(struct exchange *x, ns_t latency)
{
    if (!x->sampled || !x->edge->exemplars || x->outcome == OUTCOME_EXCLUDED)
        return;
    struct exemplar e = { .trace_high = x->trace.high,
                          .trace_low = x->trace.low,
                          .took = latency,
                          .at = x->edge->reactor->now };
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

static struct value_slots values_of(const struct exchange *x, const struct counting *k)
{
    const struct journey_dimensions *d = k->journey->dimensions;

    if (!x->service || !x->instance)
        return d->none;
    const struct value_slots *list = d->instances[k->service];
    return list ? list[x->instance - x->service->instances] : d->other;
}

static uint32_t tenant_slots(const struct exchange *x, const struct journey_dimensions *d)
{
    if (x->tenant.n == 0 || !d->tenants)
        return d->tenant_none;
    return d->tenants + tenant_see(x->edge->tenants, x->tenant) * DIMENSION_OUTCOMES;
}

/* Once in each dimension. */
static void count_dimensions(const struct exchange *x, const struct counting *k)
{
    const struct journey_dimensions *d = k->journey->dimensions;
    struct value_slots values = values_of(x, k);
    uint32_t tenant = tenant_slots(x, d);

    add(k, d->status + k->class * DIMENSION_OUTCOMES + k->outcome, 1);
    add(k, d->reason + (uint32_t)x->ending * DIMENSION_OUTCOMES + k->outcome, 1);
    add(k, values.instance + k->outcome, 1);
    add(k, values.release + k->outcome, 1);
    add(k, tenant + k->outcome, 1);
}

/* Beside the journey that counts it, it may be a step of others. */
static void tell_steps(struct exchange *x, ns_t latency)
{
    const struct config *c = x->snapshot->config;

    for (size_t i = 0; i < c->stepped_count; i++) {
        const struct journey *j = c->stepped[i];
        uint8_t steps = route_steps(j, &x->request);
        if (steps)
            steps_tell(x, j, steps, judge(x, j, latency).outcome);
    }
}

static void count(struct exchange *x, ns_t latency)
{
    struct verdict v = judge(x, x->journey, latency);
    const struct config *c = x->snapshot->config;
    uint32_t class = x->status / 100u;
    const struct counting k = {
        .page = *x->edge->page,
        .journey = x->journey,
        .service = x->service ? (size_t)(x->service - c->services) : c->service_count,
        .class = class < CODE_CLASSES ? class : 0,
        .outcome = v.outcome,
    };

    x->outcome = (uint8_t)v.outcome;
    tell_unclaimed(x, v, latency);
    keep_exemplar(x, latency);
    add(&k, k.journey->codes[k.service] + k.class, 1);
    tally_verdict(&k.page, &k.journey->slots, v, latency);
    count_dimensions(x, &k);
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
    if (latency < 0)
        latency = 0;
    count(x, latency);
    if (x->snapshot->config->stepped_count)
        tell_steps(x, latency);
}
