/* SPDX-License-Identifier: Apache-2.0 */
/* edge.c - one reactor's edge: its memory, the top of its turn, accepting, draining. */
#include "plane/http/edge.h"

#include "io/tls.h"
#include "plane/http/exchange.h"
#include "plane/http/h1_down.h"
#include "plane/http/h1_up.h"
#include "plane/http/pick.h"

#include <stdlib.h>

/* ---- overload */

#define OVERLOAD_LAG_SAVES   (100 * NS_PER_MS)
#define OVERLOAD_LAG_REFUSES (500 * NS_PER_MS)
/* What one turn can add to an eighth: a machine that stood still once, for however long, is no overload. Turns that
 * are all this long are, after nine of them. */
#define OVERLOAD_TURN_MAX (750 * NS_PER_MS)

enum { GIVE_WAY_PER_TURN = 16 };

/* Sets the level, and does at once what it asks for. */
static void set_overload(struct http_edge *e, enum overload level)
{
    uint32_t slot = e->slots->counters + EDGE_OVERLOAD;

    if (level > e->overload)
        edge_count(e, slot, level - e->overload);
    else
        counter_sub(e->page, slot, e->overload - level);
    e->overload = level;
}

/* Most of what `p` may hold is held; only a pool that memory limits can tell of it: connections that are all
 * busy are no overload. */
static bool is_fuller(const struct pool *p, size_t natural, unsigned percent)
{
    return p->max < natural && p->held * 100 > p->max * percent;
}

static bool memory_fuller(const struct http_edge *e, unsigned percent)
{
    return is_fuller(&e->exchanges, e->connections_max, percent) ||
           is_fuller(&e->buffers, e->connections_max * (size_t)2, percent);
}

bool edge_refuses(const struct http_edge *e)
{
    return e->overload == OVERLOAD_REFUSES || memory_fuller(e, 95);
}

/* A level is left at a lower mark than it is entered. */
static bool is_above(const struct http_edge *e, enum overload level, unsigned percent, ns_t lag)
{
    bool stays = e->overload >= level;

    return memory_fuller(e, percent - (stays ? 10 : 0)) || e->lag * (stays ? 2 : 1) > lag;
}

/* Once a turn. Both signs are of ourselves, not of the instances: memory, and how long an event waits
 * because turns are long. */
static void overload_watch(struct http_edge *e)
{
    ns_t busy = e->reactor->busy < OVERLOAD_TURN_MAX ? e->reactor->busy : OVERLOAD_TURN_MAX;
    e->lag += (busy - e->lag) / 8;
    enum overload level = OVERLOAD_NONE;
    if (is_above(e, OVERLOAD_REFUSES, 95, OVERLOAD_LAG_REFUSES))
        level = OVERLOAD_REFUSES;
    else if (is_above(e, OVERLOAD_SAVES, 80, OVERLOAD_LAG_SAVES))
        level = OVERLOAD_SAVES;
    if (level != e->overload)
        set_overload(e, level);
    for (int i = 0; level >= OVERLOAD_SAVES && i < GIVE_WAY_PER_TURN && h1_down_save(e); i++)
        ;
}

/* ---- snapshots and mail */

/* The log tells wall time; asking for it once a second is exact enough for that. */
static void look_at_wall(struct http_edge *e)
{
    if (e->reactor->now - e->wall_looked < NS_PER_S)
        return;
    e->wall_looked = e->reactor->now;
    e->wall_offset = e->wall() - reactor_clock(e->reactor);
}

/* Arrays by stable id grow in steps; what is in them stays in place. */
static void *grown(void *array, size_t *count, uint32_t id)
{
    if (id < *count)
        return array;
    size_t more = (size_t)id + 16;
    void **bigger = realloc(array, more * sizeof(bigger[0]));
    check(bigger != NULL);
    for (size_t i = *count; i < more; i++)
        bigger[i] = NULL;
    *count = more;
    return bigger;
}

static void know_instance(struct http_edge *e, uint32_t id)
{
    e->instances = grown(e->instances, &e->instance_count, id);
    if (e->instances[id])
        return;
    struct instance_state *s = calloc(1, sizeof(*s));
    check(s != NULL);
    list_init(&s->idle);
    e->instances[id] = s;
}

static void know_service(struct http_edge *e, const struct service *s)
{
    e->services = grown(e->services, &e->service_count, s->id);
    if (!e->services[s->id])
        e->services[s->id] = calloc(1, sizeof(struct service_state));
    struct service_state *known = e->services[s->id];
    check(known != NULL);
    if (known->capacity < s->instance_count) {
        known->usable = realloc(known->usable, s->instance_count * sizeof(known->usable[0]));
        check(known->usable != NULL);
        known->capacity = s->instance_count;
    }
    known->looked = NULL;
    for (size_t i = 0; i < s->instance_count; i++)
        know_instance(e, s->instances[i].id);
}

/* Whether new requests may go there, those of exchanges that began under an earlier configuration as well. */
static void note_wanted(struct http_edge *e, const struct config *c)
{
    for (uint32_t id = 0; id < e->instance_count; id++) {
        if (e->instances[id])
            e->instances[id]->wanted = false;
    }
    for (size_t s = 0; s < c->service_count; s++) {
        for (size_t i = 0; i < c->services[s].instance_count; i++) {
            const struct instance *in = &c->services[s].instances[i];
            e->instances[in->id]->wanted = !in->drain;
        }
    }
}

/* A change of configuration: makes room for what is new (the only place where the edge allocates after
 * its start), lets go of kept connections to instances that are no longer wanted, and lets what lasts long
 * go on under the new one. */
static void adopt(struct http_edge *e)
{
    const struct config *c = snapshot_current(e->snapshots)->config;

    for (size_t i = 0; i < c->service_count; i++)
        know_service(e, &c->services[i]);
    note_wanted(e, c);
    for (uint32_t id = 0; id < e->instance_count; id++) {
        if (e->instances[id] && !e->instances[id]->wanted)
            h1_up_close_idle(e, e->instances[id]);
    }
    for (struct link *k = e->exchange_list.head.next; k != &e->exchange_list.head; k = k->next)
        exchange_go_on(container_of(k, struct exchange, link));
}

/* New connections get the new certificates; those that stand keep what they began with. */
static void take_tls(struct http_edge *e, uint32_t listener, struct tls_server *s)
{
    check(listener < e->port_count);
    tls_server_free(e->ports[listener]->tls);
    e->ports[listener]->tls = s;
}

static void read_message(struct http_edge *e, const struct message *m)
{
    switch (m->kind) {
    case MESSAGE_DRAIN: edge_drain(e, m->drain.deadline); break;
    case MESSAGE_LISTEN: edge_start_listening(e); break;
    case MESSAGE_TLS: take_tls(e, m->tls.listener, m->tls.server); break;
    case MESSAGE_DRAINED:
    case MESSAGE_INSTANCE_EJECTED:
    case MESSAGE_INSTANCE_ANSWERS:
    case MESSAGE_STOP:
    case MESSAGE_LOAD:
    case MESSAGE_LOADED:
    case MESSAGE_NAMES_CHANGED:
    case MESSAGE_LOADER_STOP:
    case MESSAGE_RELOAD:
    case MESSAGE_TASK:
    case MESSAGE_TASK_DONE:
    case MESSAGE_PEERS:
    case MESSAGE_QUERIES:
    case MESSAGE_QUERY_ANSWER:
    case MESSAGE_PEERS_STOP:
    case MESSAGE_INQUIRY:
    case MESSAGE_INQUIRY_DONE:
    case MESSAGE_PEER_ANSWER:
    case MESSAGE_SAMPLES:
    case MESSAGE_SAMPLES_STORED:
    case MESSAGE_SCRIBE_STOP: never("mail for somebody else");
    }
}

void edge_tell_control(struct http_edge *e, const struct message *m)
{
    if (!e->control_mail)
        return;
    if (mailbox_send(e->control_mail, m))
        reactor_wake(e->control);
    else
        edge_count(e, e->slots->counters + EDGE_MAIL_DROPPED, 1);
}

static void tell_drained(struct http_edge *e)
{
    struct message m = { .kind = MESSAGE_DRAINED, .reactor = e->reactor->index };

    if (!edge_idle(e) || e->drained_told || !e->control_mail)
        return;
    e->drained_told = mailbox_send(e->control_mail, &m);
    if (e->drained_told)
        reactor_wake(e->control);
}

void edge_top(void *edge)
{
    struct http_edge *e = edge;
    struct message m;

    overload_watch(e);
    if (e->log)
        look_at_wall(e);
    if (snapshot_adopt(e->snapshots, e->publication))
        adopt(e);
    if (e->tenants)
        tenant_reader_turn(e->tenants);
    for (int i = 0; i < MAIL_PER_TURN && mailbox_receive(&e->mail, &m); i++)
        read_message(e, &m);
    if (e->draining)
        tell_drained(e);
}

bool edge_has_mail(void *edge)
{
    struct http_edge *e = edge;

    if (e->draining && !e->drained_told && e->control_mail && edge_idle(e))
        return true; /* something to tell in the next turn */
    return !mailbox_empty(&e->mail) || (e->tenants && tenant_reader_behind(e->tenants)) ||
           atomic_load(&e->publication->newest) != snapshot_current(e->snapshots)->config;
}

/* ---- accepting */

/* Beyond the limit only when an idle connection can give way: it is closed when one has really come, and
 * its place is free at the end of the turn. */
static bool may_accept(struct port *p)
{
    struct http_edge *e = p->owner;
    uint32_t count = (uint32_t)e->down_list.count;

    return count < e->connections_max ||
           (count < e->connections_max + CONNECTIONS_CLOSING_MAX && h1_down_has_room(e));
}

static bool accepted(struct port *p, const struct accepted *a)
{
    struct http_edge *e = p->owner;

    if (e->down_list.count >= e->connections_max)
        h1_down_make_room(e);
    return h1_down_open(e, p, a);
}

static const struct port_handler port_handler = { .may_accept = may_accept, .accepted = accepted };

void edge_add_port(struct http_edge *e, struct port *p)
{
    check(e->port_count < EDGE_PORTS_MAX && !e->listening);
    e->ports[e->port_count++] = p;
}

void edge_start_listening(struct http_edge *e)
{
    if (e->listening || e->draining)
        return;
    e->listening = true;
    for (size_t i = 0; i < e->port_count; i++)
        port_start(e->ports[i], e->reactor, &port_handler, e);
    edge_count(e, e->slots->counters + EDGE_LISTENING, 1);
}

void edge_resume_ports(struct http_edge *e)
{
    for (size_t i = 0; i < e->port_count; i++)
        port_resume(e->ports[i]);
}

/* ---- draining */

bool edge_idle(const struct http_edge *e)
{
    return list_empty(&e->down_list) && list_empty(&e->up_list) && list_empty(&e->exchange_list);
}

void edge_cut(struct http_edge *e)
{
    while (!list_empty(&e->exchange_list))
        exchange_cut(container_of(list_first(&e->exchange_list), struct exchange, link),
                     ENDING_cut_off);
    for (struct link *k = e->down_list.head.next; k != &e->down_list.head; k = k->next)
        h1_down_cut(h1_down_of(k));
    for (struct link *k = e->up_list.head.next; k != &e->up_list.head; k = k->next)
        h1_up_cut(k);
}

static void on_drain_deadline(struct timer *t)
{
    edge_cut(container_of(t, struct http_edge, drain_timer));
}

void edge_drain(struct http_edge *e, ns_t deadline)
{
    if (e->draining)
        return;
    for (size_t i = 0; i < e->port_count; i++)
        port_stop(e->ports[i]); /* takes what waits in the queue first */
    e->draining = true;
    for (struct link *k = e->down_list.head.next; k != &e->down_list.head; k = k->next)
        h1_down_drain(h1_down_of(k));
    for (size_t i = 0; i < e->instance_count; i++) {
        if (e->instances[i])
            h1_up_close_idle(e, e->instances[i]);
    }
    timer_set(&e->reactor->timers, &e->drain_timer, deadline);
}

/* ---- opening and closing */

/* A pool of at most `natural` objects, and of no more than its share of the memory. Each has a share of its
 * own, for slabs never go back: one kind must not take what the others live on. */
static void open_pool(struct pool *p, const char *name, size_t size, size_t natural, size_t memory,
                      unsigned percent)
{
    size_t share = memory / 100 * percent / size;

    pool_init(p, name, size, share < natural ? share > 8 ? share : 8 : natural);
}

/* Every client may have a request under way, and every request a connection. Large heads are rare: an
 * eighth of all exchanges may have one at once. */
static void open_pools(struct http_edge *e, size_t most, size_t memory)
{
    open_pool(&e->downs, "client connections", h1_down_size, most + CONNECTIONS_CLOSING_MAX, memory,
              5);
    open_pool(&e->ups, "instance connections", h1_up_size, most * 2 + 1024, memory, 5);
    open_pool(&e->exchanges, "exchanges", sizeof(struct exchange), most, memory, 20);
    open_pool(&e->buffers, "buffers", BUFFER_SIZE, most * 2, memory, 50);
    open_pool(&e->large_buffers, "large buffers", LARGE_BUFFER_SIZE, LARGE_BUFFERS_MAX, memory, 10);
    open_pool(&e->blocks, "large heads", SCRATCH_BLOCK, most / 8 + 8, memory, 10);
}

void edge_open(struct http_edge *e, const struct edge_parts *parts)
{
    size_t most = parts->connections_max;

    *e = (struct http_edge){
        .reactor = parts->reactor,
        .publication = parts->publication,
        .snapshots = parts->snapshots,
        .page = parts->page,
        .exemplars = parts->exemplars,
        .pages = parts->pages,
        .page_count = parts->page_count,
        .said = parts->said,
        .slots = parts->slots,
        .requests = parts->requests,
        .control_mail = parts->control_mail,
        .control = parts->control,
        .connections_max = parts->connections_max,
        .addresses = parts->addresses,
        .unclaimed = parts->unclaimed,
        .steps = parts->steps,
        .tenants = parts->tenants,
        .log = parts->log,
        .log_hurry = parts->log_hurry,
        .log_writer = parts->log_writer,
        .hash_key = parts->hash_key,
        .wall = parts->wall,
        .wall_looked = -NS_PER_S,
        .source = { .open = exchange_open, .owner = e },
        .drain_timer.fire = on_drain_deadline,
    };
    mailbox_init(&e->mail);
    open_pools(e, most, parts->memory_max);
    list_init(&e->idle_downs);
    list_init(&e->head_downs);
    list_init(&e->down_list);
    list_init(&e->up_list);
    list_init(&e->exchange_list);
    if (snapshot_adopt(e->snapshots, e->publication))
        adopt(e);
    reactor_set_owner(parts->reactor, (struct reactor_owner){
                                          .top = edge_top, .has_mail = edge_has_mail, .owner = e });
}

void edge_free(struct http_edge *e)
{
    check(edge_idle(e));
    for (size_t i = 0; i < e->port_count; i++) {
        port_stop(e->ports[i]);
        tls_server_free(e->ports[i]->tls);
        e->ports[i]->tls = NULL;
    }
    timer_drop(&e->reactor->timers, &e->drain_timer);
    for (size_t i = 0; i < e->instance_count; i++)
        free(e->instances[i]);
    free(e->instances);
    for (size_t i = 0; i < e->service_count; i++) {
        if (e->services[i])
            free(e->services[i]->usable);
        free(e->services[i]);
    }
    free(e->services);
    mailbox_free(&e->mail);
    pool_free(&e->downs);
    pool_free(&e->ups);
    pool_free(&e->exchanges);
    pool_free(&e->buffers);
    pool_free(&e->large_buffers);
    pool_free(&e->blocks);
}
