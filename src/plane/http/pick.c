/* SPDX-License-Identifier: Apache-2.0 */
/* pick.c - read from the top: which can be used, figures of those, choosing, learning.
 * The list of a service is made anew when something changed (a configuration, control's word, an
 * ejection) and its figures (others' requests in flight, slow start) about each millisecond; in between a
 * choice looks at two instances and allocates nothing. */
#include "plane/http/pick.h"

#include <xxhash.h>

/* ---- which can be used */

static struct instance_state *state_of(const struct http_edge *e, const struct instance *i)
{
    return e->instances[i->id];
}

static struct instance_state *of_candidate(struct candidate *c)
{
    return container_of(c, struct instance_state, candidate);
}

/* By the newest configuration: an exchange of an earlier one tries nobody that has been taken away since. */
static bool is_drained(const struct http_edge *e, const struct instance *i)
{
    return i->drain || !state_of(e, i)->wanted;
}

static bool observes(const struct service *s)
{
    return s->mode == MODE_OBSERVE;
}

static uint64_t said(const struct http_edge *e, const struct instance *i, enum said word)
{
    return e->said ? counter_read(e->said, i->said + word) : 0;
}

static ns_t ejected_until(const struct http_edge *e, const struct instance *i)
{
    ns_t own = state_of(e, i)->ejected_until;
    ns_t others = (ns_t)said(e, i, SAID_EJECTED_UNTIL);

    return own > others ? own : others;
}

static bool is_checked_good(const struct http_edge *e, const struct service *s,
                            const struct instance *i)
{
    return s->health.interval == 0 || !e->said || said(e, i, SAID_UP);
}

static bool can_be_used(const struct http_edge *e, const struct service *s,
                        const struct instance *i)
{
    if (is_drained(e, i))
        return false;
    return observes(s) || (is_checked_good(e, s, i) && ejected_until(e, i) <= e->reactor->now);
}

static void set_panic(struct http_edge *e, const struct service *s, struct service_state *v,
                      bool panic)
{
    if (panic == v->panic)
        return;
    v->panic = panic;
    if (panic)
        edge_count(e, s->slots + SERVICE_PANIC, 1);
    else
        counter_sub(e->page, s->slots + SERVICE_PANIC, 1);
}

/* What appears or recovers begins slowly, and what was learned of it in its bad time does not hold it back for
 * longer than that; what was there when we began does not begin at all. */
static void note_usable(const struct http_edge *e, struct instance_state *i, bool usable)
{
    if (usable && !i->usable) {
        i->usable_since = e->reactor->now;
        i->candidate.latency = 0;
    }
    i->usable = usable;
}

static void put(const struct http_edge *e, struct service_state *v, const struct service *s,
                size_t index)
{
    struct instance_state *i = state_of(e, &s->instances[index]);

    i->candidate.index = (uint32_t)index;
    i->candidate.hash = s->instances[index].hash;
    v->usable[v->usable_count++] = &i->candidate;
}

static bool in_zone(const struct http_edge *e, const struct instance *i)
{
    struct span zone = snapshot_current(e->snapshots)->config->zone;

    return zone.n > 0 && span_equal(zone, i->zone);
}

/* Puts in those that can be used (all that are not drained in panic), the own zone's first. Returns how many
 * of the own zone were put in, 0 when those of them that can be used are too few to carry it alone. */
static size_t put_usable(const struct http_edge *e, struct service_state *v,
                         const struct service *s, bool all)
{
    size_t near = 0;
    size_t near_usable = 0;
    size_t near_in_all = 0;

    v->usable_count = 0;
    for (int zone = 1; zone >= 0; zone--) {
        for (size_t i = 0; i < s->instance_count; i++) {
            const struct instance *in = &s->instances[i];
            if (is_drained(e, in) || in_zone(e, in) != zone)
                continue;
            near_in_all += zone;
            near_usable += zone && state_of(e, in)->usable;
            if (!all && !state_of(e, in)->usable)
                continue;
            near += zone;
            put(e, v, s, i);
        }
    }
    return near_usable * 2 >= near_in_all ? near : 0;
}

static void refresh(struct http_edge *e, struct service_state *v, const struct service *s);

/* Makes the list. */
static void look(struct http_edge *e, struct service_state *v, const struct service *s)
{
    size_t usable = 0;
    size_t wanted = 0;

    if (!v->looked && v->said == 0) { /* the first time: nothing recovers */
        for (size_t i = 0; i < s->instance_count; i++)
            state_of(e, &s->instances[i])->usable = true;
        v->said = 1;
    }
    v->look_at = NS_NEVER;
    for (size_t i = 0; i < s->instance_count; i++) {
        const struct instance *in = &s->instances[i];
        ns_t until = observes(s) ? 0 : ejected_until(e, in);
        bool good = can_be_used(e, s, in);
        note_usable(e, state_of(e, in), good);
        usable += good;
        wanted += !is_drained(e, in);
        if (until > e->reactor->now && until < v->look_at)
            v->look_at = until;
    }
    bool panic = usable * 2 < wanted;
    set_panic(e, s, v, panic);
    size_t near = put_usable(e, v, s, panic);
    v->picker.list = v->usable;
    v->picker.count = near ? near : v->usable_count;
    v->looked = s;
    refresh(e, v, s);
}

/* ---- figures */

/* Reading other threads' counters costs a cache miss each: at most about a twentieth of the time. */
static ns_t refresh_after(const struct http_edge *e, const struct service_state *v)
{
    return NS_PER_MS + (ns_t)(v->usable_count * e->page_count) * 2 * NS_PER_US;
}

static uint32_t others_in_flight(const struct http_edge *e, const struct instance *i)
{
    uint64_t sum = 0;

    for (size_t p = 0; p < e->page_count; p++) {
        if (e->pages[p] != e->page)
            sum += counter_read(e->pages[p], i->slots + INSTANCE_IN_FLIGHT);
    }
    return (uint32_t)sum;
}

static uint16_t ramp_of(const struct http_edge *e, const struct service *s,
                        const struct instance_state *i)
{
    /* an instance that cannot be used and is, in panic, has no slow start to make */
    if (observes(s) || !i->usable || !i->usable_since)
        return RAMP_FULL;
    return candidate_ramp(e->reactor->now - i->usable_since, s->slow_start);
}

/* Requests in flight for a weight of 1, at those whose start is over. */
static double line_of_others(const struct service_state *v, const struct service *s)
{
    double sum = 0;
    double weights = 0;

    for (size_t k = 0; k < v->usable_count; k++) {
        const struct candidate *c = v->usable[k];
        if (c->ramp < RAMP_FULL)
            continue;
        sum += candidate_in_flight(c);
        weights += s->instances[c->index].weight;
    }
    return weights > 0 ? sum / weights : 0;
}

static void refresh(struct http_edge *e, struct service_state *v, const struct service *s)
{
    ns_t now = e->reactor->now;
    unsigned top = 1;

    v->refresh_at = now + refresh_after(e, v);
    for (size_t k = 0; k < v->usable_count; k++) {
        struct candidate *c = v->usable[k];
        c->others = others_in_flight(e, &s->instances[c->index]);
        c->ramp = ramp_of(e, s, of_candidate(c));
        top = c->ramp > top ? c->ramp : top;
        c->silent = c->waiting ? (double)(now - c->heard) : 0;
        candidate_forget(c, now);
    }
    for (size_t k = 0; k < v->usable_count; k++)
        v->usable[k]->ramp =
            (uint16_t)(v->usable[k]->ramp * RAMP_FULL / top); /* when all begin, none gives way */
    double line = line_of_others(v, s);
    for (size_t k = 0; k < v->usable_count; k++) {
        struct candidate *c = v->usable[k];
        uint32_t weight = s->instances[c->index].weight;
        c->ramp = candidate_ramp_beside(c, line * weight);
        c->weight = weight * c->ramp;
    }
    picker_prepare(&v->picker);
}

struct service_state *pick_service(struct http_edge *e, const struct service *s)
{
    struct service_state *v = e->services[s->id];
    uint64_t changes = e->said ? counter_heard(e->said, e->slots->said) + 1 : 1;

    if (v->looked != s || v->said != changes || e->reactor->now >= v->look_at) {
        look(e, v, s);
        v->said = changes;
    } else if (e->reactor->now >= v->refresh_at) {
        refresh(e, v, s);
    }
    return v;
}

/* ---- choosing */

static bool was_tried(const struct exchange *x, uint32_t id)
{
    for (unsigned i = 0; i < x->tried_count; i++) {
        if (x->tried[i] == id)
            return true;
    }
    return false;
}

/* The value that the request is placed by; false when it has none. */
static bool hash_key(const struct exchange *x, uint64_t *ret_key)
{
    const struct identity *on = &x->service->hash_on;
    struct span value = on->kind == IDENTITY_COOKIE ? http_cookie(&x->request, on->name)
                                                    : http_head_named(&x->request, on->name);

    if (value.n == 0)
        return false;
    *ret_key = XXH3_64bits(value.p, value.n);
    return true;
}

static struct candidate *choose(struct exchange *x, const struct picker *p)
{
    uint64_t random = rng_next(&x->edge->reactor->rng);
    uint64_t key;

    if (observes(x->service))
        return p->list[picker_turn(p)];
    switch (x->service->balance) {
    case BALANCE_P2C: break;
    case BALANCE_LEAST_REQUESTS: return p->list[picker_least(p, random)];
    case BALANCE_ROUND_ROBIN: return p->list[picker_turn(p)];
    case BALANCE_HASH:
        if (hash_key(x, &key))
            return p->list[picker_hash(p, key)];
        break;
    }
    return p->list[picker_p2c(p, random)];
}

/* One that was ejected gets one request at a time until it has answered well: what a hanging instance costs is then
 * one slow request now and then, however short its ejections are. */
static bool is_busy_on_trial(const struct service_state *v, struct candidate *c)
{
    return of_candidate(c)->on_trial && c->in_flight > 0 && !v->panic;
}

static struct picker untried(const struct exchange *x, const struct service_state *v,
                             struct candidate **room, size_t from, size_t to, bool trials)
{
    struct picker p = { .list = room };

    for (size_t i = from; i < to; i++) {
        if (!was_tried(x, x->service->instances[v->usable[i]->index].id) &&
            (trials || !is_busy_on_trial(v, v->usable[i])))
            room[p.count++] = v->usable[i];
    }
    if (p.count)
        picker_prepare(&p);
    return p;
}

/* Among those not tried: of the own zone if there are, else of any; if need be one that is busy on trial. */
static struct candidate *choose_other(struct exchange *x, struct service_state *v)
{
    struct candidate *room[INSTANCES_MAX]; /* 8 KiB of stack */
    bool observing = !exchange_acts(x);
    struct picker p = untried(x, v, room, 0, v->picker.count, observing);

    if (p.count == 0)
        p = untried(x, v, room, v->picker.count, v->usable_count, observing);
    if (p.count == 0)
        p = untried(x, v, room, 0, v->usable_count, true);
    return p.count ? choose(x, &p) : NULL;
}

/* A guess is better than a sure refusal. */
static struct candidate *last_resort(struct exchange *x)
{
    const struct service *s = x->service;

    for (size_t i = 0; i < s->instance_count; i++) {
        struct candidate *c = &state_of(x->edge, &s->instances[i])->candidate;
        c->index = (uint32_t)i;
        if (!is_drained(x->edge, &s->instances[i]) && !was_tried(x, s->instances[i].id))
            return c;
    }
    return NULL;
}

static struct candidate *choose_usable(struct exchange *x, struct service_state *v)
{
    struct candidate *c = x->tried_count ? NULL : choose(x, &v->picker);

    if (c && (!exchange_acts(x) || !is_busy_on_trial(v, c)))
        return c;
    return choose_other(x, v);
}

const struct instance *pick_instance(struct exchange *x, enum pick_for why)
{
    struct service_state *v = pick_service(x->edge, x->service);
    struct candidate *c = NULL;

    if (x->tried_count == INSTANCES_TRIED_MAX)
        return NULL;
    if (v->usable_count > 0)
        c = choose_usable(x, v);
    if (!c && why == PICK_OTHER)
        c = last_resort(x);
    if (!c)
        return NULL;
    const struct instance *i = &x->service->instances[c->index];
    if (observes(x->service) && of_candidate(c)->ejected_until > x->edge->reactor->now)
        exchange_count_would(x, WOULD_CHOOSE_OTHER);
    x->tried[x->tried_count++] = i->id;
    return i;
}

bool pick_has_other(struct exchange *x)
{
    struct service_state *v = pick_service(x->edge, x->service);

    for (size_t i = 0; x->tried_count < INSTANCES_TRIED_MAX && i < v->usable_count; i++) {
        if (!was_tried(x, x->service->instances[v->usable[i]->index].id))
            return true;
    }
    return false;
}

/* ---- learning */

static void tell(struct exchange *x, enum message_kind kind, ns_t until, bool refused)
{
    struct message m = { .kind = kind,
                         .reactor = x->edge->reactor->index,
                         .instance = { .id = x->instance->id,
                                       .said = x->instance->said,
                                       .until = until,
                                       .refused = refused } };

    edge_tell_control(x->edge, &m);
}

static void look_again(struct exchange *x)
{
    x->edge->services[x->service->id]->looked = NULL;
}

/* Twice as long as the last time, unless that is long over. */
static ns_t eject_time(const struct eject *rule, const struct instance_state *i, ns_t now)
{
    bool soon = i->ejected_for && now - i->ejected_until < 4 * i->ejected_for + 10 * NS_PER_S;
    ns_t time = soon ? 2 * i->ejected_for : rule->time;

    return time < rule->most ? time : rule->most;
}

static void eject(struct exchange *x, ns_t until, bool refused)
{
    struct instance_state *i = state_of(x->edge, x->instance);

    i->ejected_at = x->edge->reactor->now;
    i->line = i->candidate.in_flight;
    i->ejected_until = until;
    i->on_trial = true;
    if (observes(x->service)) {
        exchange_count_would(x, refused ? WOULD_EJECT_CONNECT : WOULD_EJECT_FAILURES);
        return;
    }
    edge_count(x->edge, x->instance->slots + INSTANCE_EJECTIONS, 1);
    tell(x, MESSAGE_INSTANCE_EJECTED, until, refused);
    look_again(x);
}

static void eject_by_rule(struct exchange *x, bool refused)
{
    struct instance_state *i = state_of(x->edge, x->instance);
    ns_t now = x->edge->reactor->now;

    if (i->ejected_until > now)
        return;
    i->ejected_for = eject_time(&x->service->eject, i, now);
    eject(x, now + i->ejected_for, refused);
}

void pick_refused(struct exchange *x)
{
    struct instance_state *i = state_of(x->edge, x->instance);
    ns_t now = x->edge->reactor->now;

    edge_count(x->edge, x->instance->slots + INSTANCE_CONNECT_FAILURES, 1);
    candidate_observe_failure(&i->candidate, now - x->tried_at, now);
    if (x->service->eject.failures > 0)
        eject_by_rule(x, true);
}

void pick_failed(struct exchange *x)
{
    struct instance_state *i = state_of(x->edge, x->instance);
    uint32_t most = x->service->eject.failures;
    ns_t now = x->edge->reactor->now;

    candidate_observe_failure(&i->candidate, now - x->tried_at, now);
    i->failures++;
    /* one that was ejected has to answer well before it is trusted with as many failures again */
    if (most > 0 && (i->failures >= most || i->on_trial))
        eject_by_rule(x, false);
}

void pick_asked(struct exchange *x)
{
    x->unheard = true;
    candidate_asked(&state_of(x->edge, x->instance)->candidate, x->edge->reactor->now);
}

void pick_heard(struct exchange *x, bool heard)
{
    if (!x->unheard)
        return;
    x->unheard = false;
    candidate_told(&state_of(x->edge, x->instance)->candidate, heard, x->edge->reactor->now);
}

void pick_began(struct exchange *x)
{
    struct instance_state *i = state_of(x->edge, x->instance);
    ns_t now = x->edge->reactor->now;

    if (x->state == EXCHANGE_WAITING) /* else it answered before it had the whole request */
        candidate_observe(&i->candidate, now - x->state_since, now);
}

/* An answer from before it was ejected says nothing about now, unless it came out of a long line of which half is gone since:
 * then it was overrun, or hung and does not any more. A broken one answers nothing well that waited. */
static bool was_only_full(const struct instance_state *i)
{
    const uint32_t long_line = 8;

    return i->line >= long_line && i->candidate.in_flight <= i->line / 2;
}

void pick_answered(struct exchange *x)
{
    struct instance_state *i = state_of(x->edge, x->instance);
    ns_t now = x->edge->reactor->now;

    i->failures = 0;
    if (x->tried_at < i->ejected_at && !was_only_full(i))
        return;
    i->on_trial = false;
    if (i->ejected_until <= now)
        return;
    i->ejected_until = now;
    if (observes(x->service))
        return;
    tell(x, MESSAGE_INSTANCE_ANSWERS, 0, false);
    look_again(x);
}

void pick_retry_after(struct exchange *x, ns_t wait)
{
    const ns_t most = 30 * NS_PER_S; /* nobody outside decides for longer than that */
    ns_t until = x->edge->reactor->now + (wait < most ? wait : most);

    if (x->service->eject.failures > 0 && until > state_of(x->edge, x->instance)->ejected_until)
        eject(x, until, false);
    state_of(x->edge, x->instance)->line = 0; /* it knows best how long */
}
