/* SPDX-License-Identifier: Apache-2.0 */
/* route.c - where a request leads, and which journey counts it: the first that matches. */
#include "plane/http/exchange.h"

const struct route *route_find(const struct config *c, const struct http_head *h)
{
    for (size_t i = 0; i < c->route_count; i++) {
        if (pattern_match(&c->routes[i].pattern, h->method, h->host, h->path))
            return &c->routes[i];
    }
    return NULL;
}

/* The last one is the implicit `unclaimed`, which takes what is left. */
const struct journey *route_journey(const struct config *c, const struct http_head *h)
{
    for (size_t i = 0; i + 1 < c->journey_count; i++) {
        const struct journey *j = &c->journeys[i];
        for (size_t k = 0; k < j->route_count; k++) {
            if (pattern_match(&j->routes[k], h->method, h->host, h->path))
                return j;
        }
    }
    return &c->journeys[c->journey_count - 1];
}
