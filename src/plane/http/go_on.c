/* SPDX-License-Identifier: Apache-2.0 */
/* go_on.c - an answer that has been going down for long, under a new configuration: without it an event stream of hours
 * would keep the configuration of hours ago, and all since. */
#include "plane/http/exchange.h"

#define LONG_ANSWER (1 * NS_PER_S) /* one that ends sooner lets its configuration go by itself */

static const struct service *same_service(const struct config *c, const struct service *s)
{
    for (size_t i = 0; i < c->service_count; i++) {
        if (c->services[i].id == s->id)
            return &c->services[i];
    }
    return NULL;
}

static const struct instance *same_instance(const struct service *s, const struct instance *i)
{
    for (size_t k = 0; k < s->instance_count; k++) {
        if (s->instances[k].id == i->id)
            return &s->instances[k];
    }
    return NULL;
}

/* The same version: it counts in the same place by the same rules. */
static const struct journey *same_journey(const struct config *c, const struct journey *j)
{
    for (size_t i = 0; i < c->journey_count; i++) {
        if (c->journeys[i].id == j->id)
            return &c->journeys[i];
    }
    return NULL;
}

/* Reloads follow each other so fast that a young answer would hold more configurations than may be held, and then nothing
 * could be put into force before it ends. */
static bool crowded(const struct snapshot_reader *r)
{
    return r->count > SNAPSHOTS_HELD_MAX / 2;
}

void exchange_go_on(struct exchange *x)
{
    struct http_edge *e = x->edge;
    struct snapshot_use *newest = snapshot_current(e->snapshots);

    if (x->snapshot == newest || x->state != EXCHANGE_ANSWERING || !x->instance ||
        (e->reactor->now - x->state_since < LONG_ANSWER && !crowded(e->snapshots)))
        return;
    const struct service *s = same_service(newest->config, x->service);
    const struct instance *i = s ? same_instance(s, x->instance) : NULL;
    const struct journey *j = same_journey(newest->config, x->journey);
    if (!i || !j)
        return;
    x->service = s;
    x->instance = i;
    x->journey = j;
    x->route = NULL; /* what mattered of it was copied */
    struct snapshot_use *old = x->snapshot;
    x->snapshot = snapshot_hold(e->snapshots);
    snapshot_let_go(e->snapshots, old);
}
