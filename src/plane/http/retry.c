/* SPDX-License-Identifier: Apache-2.0 */
/* retry.c - whether a failed try is made again on another instance, and when.
 * Always: only what is safe to repeat and came in one part; only while nothing of an answer went to the client;
 * never while this node itself refuses; a token of the service's budget is taken when it is decided, and held
 * through the wait. A request of which nothing was sent is not a retry (exchange.c, redispatch). */
#include "plane/http/pick.h"

#include <time.h>

/* Every reactor has its part of what is always allowed. */
static uint32_t floor_of(const struct http_edge *e)
{
    size_t part = e->page_count ? RETRY_FLOOR / e->page_count : RETRY_FLOOR;

    return part ? (uint32_t)part : 1;
}

static bool is_possible(struct exchange *x)
{
    return x->whole && !x->status && !x->down_sending && x->attempts < x->route->attempts &&
           http_method_idempotent(x->request.method) && x->edge->overload < OVERLOAD_REFUSES &&
           x->edge->reactor->now < x->deadline && pick_has_other(x);
}

bool retry_decide(struct exchange *x, enum would what)
{
    struct retry_budget *b = &x->edge->services[x->service->id]->budget;

    if (!is_possible(x))
        return false;
    if (!retry_budget_take(b, x->edge->reactor->now, x->service->retry.budget_ppm,
                           floor_of(x->edge))) {
        if (exchange_acts(x))
            exchange_count_service(x, SERVICE_RETRIES_DENIED);
        else
            exchange_count_would(x, WOULD_RETRY_DENIED);
        return false;
    }
    if (exchange_acts(x))
        exchange_count_service(x, SERVICE_RETRIES);
    else
        exchange_count_would(x, what);
    return exchange_acts(x);
}

bool retry_could(struct exchange *x)
{
    struct retry_budget *b = &x->edge->services[x->service->id]->budget;

    return exchange_acts(x) && is_possible(x) &&
           retry_budget_left(b, x->edge->reactor->now, x->service->retry.budget_ppm,
                             floor_of(x->edge)) > 0;
}

/* Full jitter: those that failed together do not come again together. Never so long that nothing of the
 * deadline would be left. */
ns_t retry_at(struct exchange *x)
{
    ns_t now = x->edge->reactor->now;
    ns_t most = retry_backoff_most(x->service->retry.backoff, x->retries);

    if (x->deadline != NS_NEVER && most > (x->deadline - now) / 4)
        most = (x->deadline - now) / 4;
    return now + (most > 0 ? (ns_t)rng_below(&x->edge->reactor->rng, (uint64_t)most) : 0);
}

enum would retry_kind(enum ending why)
{
    return ending_cause(why) == CAUSE_TIMEOUT ? WOULD_RETRY_TIMEOUT : WOULD_RETRY_BROKEN;
}

/* ---- Retry-After */

ns_t retry_after_of(const struct http_head *h, ns_t wall)
{
    const struct http_field *f = http_head_find(h, HTTP_RETRY_AFTER);
    struct span value = f ? field_value(f) : SPAN("");
    struct tm tm = {};
    char text[32];
    uint64_t seconds;

    if (span_to_u64(value, &seconds))
        return (ns_t)(seconds < 86400 ? seconds : 86400) * NS_PER_S;
    if (value.n == 0 || value.n >= sizeof(text))
        return 0;
    memcpy(text, value.p, value.n);
    text[value.n] = '\0';
    if (!strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm)) /* the only form that may be sent */
        return 0;
    ns_t at = (ns_t)timegm(&tm) * NS_PER_S;
    return at > wall ? at - wall : 0;
}

/* ---- what an answer says of its instance */

void retry_judge(struct exchange *x, const struct http_part *part)
{
    const struct http_head *h = part->head;
    bool failed = h->status >= 500;

    if (failed) {
        edge_count(x->edge, x->instance->slots + INSTANCE_ANSWERS_BAD, 1);
        pick_failed(x);
    } else {
        pick_began(x);
        if (part->end || h->upgrade || http_is_event_stream(h))
            pick_answered(x);
    }
    ns_t wait = failed ? retry_after_of(h, x->edge->wall ? x->edge->wall() : 0) : 0;
    if (wait > 0)
        pick_retry_after(x, wait);
}
