/* SPDX-License-Identifier: Apache-2.0 */
/* pick.c - round robin over the instances that accept. Each reactor has its own cursor. */
#include "plane/http/pick.h"

static bool was_tried(const struct exchange *x, uint32_t id)
{
    for (unsigned i = 0; i < x->tried_count; i++) {
        if (x->tried[i] == id)
            return true;
    }
    return false;
}

const struct instance *pick_instance(struct exchange *x)
{
    struct http_edge *e = x->edge;
    const struct service *s = x->service;
    uint32_t *turn = &e->turn_of[s->id];
    const struct instance *last_resort = NULL;

    if (x->tried_count == INSTANCES_TRIED_MAX)
        return NULL;
    for (size_t n = 0; n < s->instance_count; n++) {
        const struct instance *i = &s->instances[*turn % s->instance_count];
        *turn = (uint32_t)((*turn + 1) % s->instance_count);
        if (was_tried(x, i->id))
            continue;
        if (e->instances[i->id]->avoid_until <= e->reactor->now) {
            x->tried[x->tried_count++] = i->id;
            return i;
        }
        if (!last_resort)
            last_resort = i;
    }
    if (last_resort)
        x->tried[x->tried_count++] = last_resort->id;
    return last_resort;
}

static void set_avoided(struct http_edge *e, uint32_t id, uint32_t slots, ns_t until)
{
    struct instance_state *s = e->instances[id];

    if (!s->avoid_until != !until) {
        if (until)
            edge_count(e, slots + INSTANCE_AVOIDED, 1);
        else
            counter_sub(e->page, slots + INSTANCE_AVOIDED, 1);
    }
    s->avoid_until = until;
}

void pick_refused(struct http_edge *e, const struct instance *i)
{
    ns_t until = e->reactor->now + AVOID_REFUSING;
    struct message m = {
        .kind = MESSAGE_INSTANCE_REFUSED,
        .reactor = e->reactor->index,
        .instance = { .id = i->id, .slots = i->slots, .until = until },
    };

    edge_count(e, i->slots + INSTANCE_CONNECT_FAILURES, 1);
    bool news = !e->instances[i->id]->avoid_until;
    set_avoided(e, i->id, i->slots, until);
    if (news) /* not each time that it is tried again in vain */
        edge_tell_control(e, &m);
}

void pick_accepts(struct http_edge *e, const struct instance *i)
{
    struct message m = {
        .kind = MESSAGE_INSTANCE_ACCEPTS,
        .reactor = e->reactor->index,
        .instance = { .id = i->id, .slots = i->slots },
    };

    if (!e->instances[i->id]->avoid_until)
        return;
    set_avoided(e, i->id, i->slots, 0);
    edge_tell_control(e, &m);
}

void pick_avoid(struct http_edge *e, uint32_t instance_id, uint32_t slots, ns_t until)
{
    if (instance_id < e->instance_count)
        set_avoided(e, instance_id, slots, until);
}
