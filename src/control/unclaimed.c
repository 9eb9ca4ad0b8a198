/* SPDX-License-Identifier: Apache-2.0 */
/* unclaimed.c - from the reactors' rings into groups. */
#include "control/unclaimed.h"

#include "base/check.h"

#include <stdlib.h>

void unclaimed_open(struct unclaimed *u, size_t workers)
{
    check(workers <= WORKERS_MAX);
    u->ring_count = workers;
    for (size_t i = 0; i < workers; i++)
        path_ring_open(&u->rings[i]);
    u->groups = calloc(1, sizeof(*u->groups));
    check(u->groups != NULL);
    path_groups_init(u->groups);
}

void unclaimed_close(struct unclaimed *u)
{
    for (size_t i = 0; i < u->ring_count; i++)
        path_ring_close(&u->rings[i]);
    free(u->groups);
    u->groups = NULL;
}

/* At most a ring full: its writer may be as fast as we are. */
static void drain_ring(struct unclaimed *u, struct path_ring *r)
{
    const struct path_entry *e;

    for (int i = 0; i < PATH_RING_ENTRIES && (e = path_ring_peek(r)) != NULL; i++) {
        path_groups_add(u->groups, &(struct path_event){ .method = span_of(e->method, e->method_n),
                                                         .path = span_of(e->path, e->path_n),
                                                         .status = e->status,
                                                         .outcome = (enum outcome)e->outcome,
                                                         .took = e->took });
        path_ring_taken(r);
    }
}

void unclaimed_drain(struct unclaimed *u)
{
    for (size_t i = 0; i < u->ring_count; i++)
        drain_ring(u, &u->rings[i]);
}

uint64_t unclaimed_lost(const struct unclaimed *u)
{
    uint64_t lost = 0;

    for (size_t i = 0; i < u->ring_count; i++)
        lost += path_ring_lost(&u->rings[i]);
    return lost;
}

struct path_groups *unclaimed_copy(const struct unclaimed *u)
{
    const struct path_groups *from = u->groups;
    struct path_groups *g = calloc(1, sizeof(*g));

    check(g != NULL);
    memcpy(g, from, offsetof(struct path_groups, nodes));
    memcpy(g->nodes, from->nodes, from->node_count * sizeof(g->nodes[0]));
    memcpy(g->text, from->text, from->text_n);
    memcpy(g->counts, from->counts, from->counts_count * sizeof(g->counts[0]));
    return g;
}
