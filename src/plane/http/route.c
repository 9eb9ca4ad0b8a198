/* SPDX-License-Identifier: Apache-2.0 */
/* route.c - where a request leads, which journey counts it: the first that matches, and which steps of another it is. */
#include "plane/http/exchange.h"

static bool matches(const struct pattern *p, uint64_t beginning, const struct http_head *h)
{
    return pattern_may_match(p, beginning) && pattern_match(p, h->method, h->host, h->path);
}

const struct route *route_find(const struct config *c, const struct http_head *h)
{
    uint64_t beginning = pattern_beginning(h->path);

    for (size_t i = 0; i < c->route_count; i++) {
        if (matches(&c->routes[i].pattern, beginning, h))
            return &c->routes[i];
    }
    return NULL;
}

/* The last one is the implicit `unclaimed`, which takes what is left. */
const struct journey *route_journey(const struct config *c, const struct http_head *h)
{
    uint64_t beginning = pattern_beginning(h->path);

    for (size_t i = 0; i + 1 < c->journey_count; i++) {
        const struct journey *j = &c->journeys[i];
        for (size_t k = 0; k < j->route_count; k++) {
            if (matches(&j->routes[k], beginning, h))
                return j;
        }
    }
    return &c->journeys[c->journey_count - 1];
}

uint8_t route_steps(const struct journey *j, const struct http_head *h)
{
    uint64_t beginning = pattern_beginning(h->path);
    uint8_t steps = 0;

    for (size_t i = 0; i < j->step_count; i++) {
        if (matches(&j->steps[i], beginning, h))
            steps |= (uint8_t)(1u << i);
    }
    return steps;
}
