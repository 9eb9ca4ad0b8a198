/* SPDX-License-Identifier: Apache-2.0 */
/* control.c - mail, ticks, and the order of starting and stopping. */
#include "control/control.h"

#include "base/log.h"
#include "control/api.h"
#include "control/peer_inquiry.h"
#include "control/peer_memory.h"
#include "control/supervisor.h"

#include <stdlib.h>

enum {
    ADMIN_CONNECTIONS_MAX =
        256, /* of people, scrapers and scripts; the users' limit is not theirs */
    ADMIN_MEMORY_MAX = 64 << 20,
};

/* Clients are let in when each service has an instance that is up, or then: an app that is down must not keep
 * this node from saying so. */
#define LISTEN_AFTER   (5 * NS_PER_S)
#define STATES_EVERY   (3600 * NS_PER_S) /* instances are stored so often even when nothing changes */
#define TICK           (1 * NS_PER_S)
#define TICK_LISTENING (2 * NS_PER_MS)  /* until the threads have begun to listen */
#define TICK_STOPPING  (50 * NS_PER_MS) /* nobody should wait a second for nothing */

static int64_t unix_now(const struct control *c)
{
    return c->parts.wall() / NS_PER_S;
}

const struct config *control_config(const struct control *c)
{
    return atomic_load(&c->publication.newest);
}

/* ---- what reactors say */

static struct span instance_text(const struct control *c, uint32_t id)
{
    const struct config *config = control_config(c);

    for (size_t s = 0; s < config->service_count; s++) {
        for (size_t i = 0; i < config->services[s].instance_count; i++) {
            if (config->services[s].instances[i].id == id)
                return config->services[s].instances[i].text;
        }
    }
    return SPAN("an instance of an earlier configuration");
}

/* What one reactor found out about an instance the others hear by control's page. */
static void instance_ejected(struct control *c, const struct message *m)
{
    uint32_t word = m->instance.said + SAID_EJECTED_UNTIL;
    uint64_t until = (uint64_t)m->instance.until;
    struct span why =
        m->instance.refused ? SPAN("takes no connection") : SPAN("fails its requests");

    if (counter_read(&c->admin_page, word) < until) {
        counter_put(&c->admin_page, word, until);
        counter_tell(&c->admin_page, c->registry.edge.said);
        notice_ejected(c, m->instance.id, why);
    }
    log_warn("instance %.*s %.*s; left alone for %.1f s",
             SPAN_ARG(instance_text(c, m->instance.id)), SPAN_ARG(why),
             (double)(m->instance.until - c->reactor->now) / (double)NS_PER_S);
}

static void instance_answers(struct control *c, const struct message *m)
{
    uint32_t word = m->instance.said + SAID_EJECTED_UNTIL;

    if (counter_read(&c->admin_page, word) == 0)
        return;
    counter_put(&c->admin_page, word, 0);
    counter_tell(&c->admin_page, c->registry.edge.said);
    notice_back(c, m->instance.id, SPAN("answers again"));
    log_info("instance %.*s answers again", SPAN_ARG(instance_text(c, m->instance.id)));
}

static void worker_drained(struct control *c, uint32_t reactor)
{
    for (size_t i = 0; i < c->parts.worker_count; i++) {
        struct worker *w = &c->parts.workers[i];
        if (w->reactor->index != reactor)
            continue;
        w->drained = true;
        reactor_stop(w->reactor);
    }
}

/* ---- the scribe's tasks */

bool control_give_task(struct control *c, struct scribe_task *task)
{
    if (c->renewal.out || !c->parts.scribe || !scribe_give_task(c->parts.scribe, task))
        return false;
    c->tasks_out++;
    return true;
}

static void task_done(struct control *c, struct scribe_task *t)
{
    c->tasks_out--;
    t->done(t, c);
}

struct states_task {
    struct scribe_task task;
    struct arena arena;
    struct stored_instance_state *list;
    size_t count;
    err result;
};

static void run_states(struct scribe_task *t, struct store *s)
{
    struct states_task *k = container_of(t, struct states_task, task);

    k->result = instance_states_write(s, k->list, k->count);
}

static void states_stored(struct scribe_task *t, void *control)
{
    struct control *c = control;
    struct states_task *k = container_of(t, struct states_task, task);

    c->states_unstored |= k->result.failed; /* the book tells of a store in trouble */
    arena_free(&k->arena);
    free(k);
}

/* How the instances are, for the next process. */
static void store_states(struct control *c)
{
    struct states_task *k = calloc(1, sizeof(*k));

    check(k != NULL);
    k->task = (struct scribe_task){ .run = run_states, .done = states_stored };
    k->list = arena_array(&k->arena, struct stored_instance_state, c->checker.list.count);
    for (struct link *l = c->checker.list.head.next; l != &c->checker.list.head; l = l->next) {
        const struct check *h = container_of(l, struct check, link);
        if (h->wanted && h->known)
            k->list[k->count++] = (struct stored_instance_state){
                .service = arena_span(&k->arena, h->service->name),
                .instance = arena_span(&k->arena, h->instance->text),
                .up = h->up,
                .since = h->since,
                .seen = unix_now(c),
            };
    }
    c->states_stored = c->reactor->now;
    c->states_unstored = !control_give_task(c, &k->task);
    if (c->states_unstored) {
        arena_free(&k->arena);
        free(k);
    }
}

/* ---- letting clients in */

static void let_clients_in(struct control *c)
{
    struct message m = { .kind = MESSAGE_LISTEN };

    for (size_t i = 0; i < c->parts.worker_count; i++) {
        struct worker *w = &c->parts.workers[i];
        if (!w->listen_told)
            w->listen_told = mailbox_send(&w->edge->mail, &m);
        reactor_wake(w->reactor);
    }
}

/* Only when all threads do is it true that we serve. */
static void note_listening(struct control *c)
{
    uint32_t slot = c->registry.edge.counters + EDGE_LISTENING;

    if (c->listening || book_sum(&c->book, slot) < c->parts.worker_count)
        return;
    c->listening = true;
    notice(c, NOTICE_NODE, json_pack("{s:s}", "state", "ready"));
    if (c->parts.serving)
        c->parts.serving();
}

static void consider_listening(struct control *c)
{
    if (c->listening || c->state != CONTROL_SERVING)
        return;
    bool ready = c->ready || checker_ready(&c->checker, control_config(c));
    if (!ready && c->reactor->now - c->started < LISTEN_AFTER)
        return;
    if (!ready)
        log_warn("not every service has an instance that is up; clients are let in all the same");
    c->ready = true;
    let_clients_in(c);
    note_listening(c);
    if (!c->listening)
        timer_set(&c->reactor->timers, &c->tick, c->reactor->now + TICK_LISTENING);
}

static void check_changed(void *owner, const struct check *k, bool another)
{
    struct control *c = owner;

    if (another)
        notice_instance(c, k->service->name, k->instance->text, k->up ? "up" : "down",
                        k->up ? SPAN("") : span_from_text(k->why));
    c->states_unstored = true;
    consider_listening(c);
}

/* ---- what is stored */

/* What was counted until now; nothing when a job is out. */
static void give_job(struct control *c, bool last)
{
    ns_t wall = c->parts.wall();
    struct scribe_job *job = book_job(&c->book, wall / NS_PER_S, last);

    if (!job)
        return;
    c->job_read_ms = wall / NS_PER_MS;
    if (!scribe_give(c->parts.scribe, job))
        book_job_done(&c->book, job);
}

static void samples_stored(struct control *c, struct scribe_job *job)
{
    if (job->stored && c->parts.life)
        life_sign_stored(c->parts.life, c->job_read_ms);
    book_job_done(&c->book, job);
    notice_store(c);
}

static void read_message(struct control *c, const struct message *m)
{
    switch (m->kind) {
    case MESSAGE_INSTANCE_EJECTED: instance_ejected(c, m); break;
    case MESSAGE_INSTANCE_ANSWERS: instance_answers(c, m); break;
    case MESSAGE_DRAINED: worker_drained(c, m->reactor); break;
    case MESSAGE_STOP: control_stop(c); break;
    case MESSAGE_RELOAD:
        if (control_config(c)->from_file)
            reload_want_by(c, &(struct asker){ .by = "signal" });
        else
            log_warn("there is no file to read again: this was started with --to");
        break;
    case MESSAGE_LOADED: reload_loaded(c, m->job); break;
    case MESSAGE_NAMES_CHANGED: reload_want(c, false); break;
    case MESSAGE_TASK_DONE: task_done(c, m->job); break;
    case MESSAGE_PEER_ANSWER: peers_heard(c, m->job); break;
    case MESSAGE_QUERY_ANSWER: job_queries_heard(c, m->job); break;
    case MESSAGE_INQUIRY_DONE: peer_inquiry_back(c, m->job); break;
    case MESSAGE_SAMPLES_STORED: samples_stored(c, m->job); break;
    case MESSAGE_DRAIN:
    case MESSAGE_LISTEN:
    case MESSAGE_TLS:
    case MESSAGE_LOAD:
    case MESSAGE_LOADER_STOP:
    case MESSAGE_TASK:
    case MESSAGE_PEERS:
    case MESSAGE_QUERIES:
    case MESSAGE_PEERS_STOP:
    case MESSAGE_INQUIRY:
    case MESSAGE_SAMPLES:
    case MESSAGE_SCRIBE_STOP: never("mail for somebody else");
    }
}

/* ---- stopping: drain, store, end */

static void tell_drain(struct control *c)
{
    struct message m = { .kind = MESSAGE_DRAIN, .drain = { .deadline = c->drain_until } };

    for (size_t i = 0; i < c->parts.worker_count; i++) {
        struct worker *w = &c->parts.workers[i];
        if (!w->drain_told)
            w->drain_told = mailbox_send(&w->edge->mail, &m);
        reactor_wake(w->reactor);
    }
}

void control_stop(struct control *c)
{
    if (c->state != CONTROL_SERVING)
        return;
    c->state = CONTROL_DRAINING;
    c->drain_until = c->reactor->now + c->parts.drain_time;
    notice(c, NOTICE_NODE, json_pack("{s:s}", "state", "draining"));
    deed_node(c, DEED_STOPPED, "signal");
    log_info("stopping: no new connections; requests under way have up to %d s",
             (int)(c->parts.drain_time / NS_PER_S));
    tell_drain(c);
    timer_set(&c->reactor->timers, &c->tick, c->reactor->now + TICK_STOPPING);
}

static bool all_drained(const struct control *c)
{
    for (size_t i = 0; i < c->parts.worker_count; i++) {
        if (!c->parts.workers[i].drained)
            return false;
    }
    return true;
}

/* For the ends of event streams, which may still have something else to send first. What is not gone then is cut off. */
#define LAST_WORDS (100 * NS_PER_MS)

/* Nothing counts any more: what the pages say now is final. */
static bool store_last(struct control *c)
{
    if (!c->parts.scribe)
        return true;
    if (c->book.job_out || c->renewal.out)
        return false;
    journey_steps_drain(&c->steps);
    give_job(c, true);
    return c->book.job_out;
}

static void go_on_stopping(struct control *c)
{
    switch (c->state) {
    case CONTROL_SERVING:
    case CONTROL_STOPPED: return;
    case CONTROL_DRAINING:
        tell_drain(c);
        if (!all_drained(c) || !store_last(c))
            return;
        c->state = CONTROL_STORING;
        if (c->states_unstored && c->parts.scribe)
            store_states(c); /* what went down a moment ago is down for the next process */
        peer_memory_keep(c);
        dimension_keeper_last(c);
        checker_stop(&c->checker);
        watchers_end(c);
        edge_drain(&c->admin, c->reactor->now + LAST_WORDS);
        return;
    case CONTROL_STORING:
        if (!deeds_settled(c) || c->book.job_out || c->tasks_out || c->peers.inquiries ||
            c->reload.state == RELOAD_LOADING || !edge_idle(&c->admin) ||
            !list_empty(&c->checker.list))
            return;
        if (c->parts.loader && !c->loader_asked)
            c->loader_asked = loader_ask_stop(c->parts.loader);
        if (c->parts.loader && !c->loader_asked)
            return;
        if (c->parts.puller && !c->puller_asked)
            c->puller_asked = peer_puller_ask_stop(c->parts.puller);
        if (c->parts.puller && !c->puller_asked)
            return;
        if (c->parts.queries)
            query_runner_ask_stop(c->parts.queries);
        if (c->parts.scribe && !scribe_ask_stop(c->parts.scribe))
            return;
        c->state = CONTROL_STOPPED;
        timer_set(&c->reactor->timers, &c->tick, NS_NEVER);
        reactor_stop(c->reactor);
        return;
    }
}

/* ---- the wall clock is set */

struct epoch_task {
    struct scribe_task task;
    struct arena arena;
    int64_t now;
    struct span program;
    err result;
};

static void run_epoch(struct scribe_task *t, struct store *s)
{
    struct epoch_task *k = container_of(t, struct epoch_task, task);
    int64_t epoch;

    k->result = epoch_begin(s, k->now, k->program, &epoch);
}

static void epoch_begun(struct scribe_task *t, void *control)
{
    struct control *c = control;
    struct epoch_task *k = container_of(t, struct epoch_task, task);

    c->epoch_wanted |=
        k->result.failed; /* again with the next tick; the book tells of the trouble */
    arena_free(&k->arena);
    free(k);
}

static void want_epoch(struct control *c)
{
    struct epoch_task *k = calloc(1, sizeof(*k));

    check(k != NULL);
    k->task = (struct scribe_task){ .run = run_epoch, .done = epoch_begun };
    k->now = unix_now(c);
    k->program = arena_span(&k->arena, span_from_text(c->parts.version ? c->parts.version : ""));
    c->epoch_wanted = !control_give_task(c, &k->task);
    if (c->epoch_wanted) {
        arena_free(&k->arena);
        free(k);
    }
}

/* The second in which it happened belongs to no time that could be named, so it is not measured. */
static void watch_clock(struct control *c)
{
    ns_t step;

    if (clock_watch_look(&c->clock, c->reactor->now, c->parts.wall(), &step)) {
        log_warn("the clock was set %s by %.0f s, or the machine slept; the time in between is not "
                 "measured",
                 step < 0 ? "back" : "on", (double)(step < 0 ? -step : step) / (double)NS_PER_S);
        coverage_gap(&c->book.coverage, c->reactor->now);
        notice(c, NOTICE_CLOCK, json_pack("{s:f}", "step_s", (double)step / (double)NS_PER_S));
        c->epoch_wanted = c->parts.scribe != NULL;
    }
    if (c->epoch_wanted && c->state == CONTROL_SERVING)
        want_epoch(c);
}

/* ---- turns and ticks */

static void look_at_tenants(struct control *c)
{
    if (!tenants_tick(&c->tenants, &c->registry.dimensions, &c->book, c->reactor->now, unix_now(c)))
        return;
    for (size_t i = 0; i < c->parts.worker_count; i++)
        reactor_wake(c->parts.workers[i].reactor);
}

static void on_tick(struct timer *t)
{
    struct control *c = container_of(t, struct control, tick);

    timer_set(&c->reactor->timers, &c->tick,
              c->reactor->now + (c->state == CONTROL_SERVING ? TICK : TICK_STOPPING));
    if (c->watchdog && c->listening && c->reactor->now - c->watchdog_told >= c->watchdog) {
        supervisor_tell("WATCHDOG=1");
        c->watchdog_told = c->reactor->now;
    }
    publication_reclaim(&c->publication);
    /* first: it waits until the scribe has no work, and others give it some each second */
    renewal_tick(c);
    watch_clock(c);
    book_tick(&c->book, c->reactor->now);
    unclaimed_drain(&c->unclaimed);
    if (dimensions_tick(&c->registry.dimensions, &c->book, &c->publication, c->reactor->now,
                        unix_now(c)))
        reload_want(c, false); /* instances that had no value can have one now */
    journey_steps_tick(&c->steps, journey_steps_complete(c));
    look_at_tenants(c);
    notice_store(c);
    notice_ejections_tick(c);
    watchers_tick(c);
    if (c->state == CONTROL_SERVING) {
        if (c->reactor->now - c->states_stored >= STATES_EVERY)
            c->states_unstored = true;
        consider_listening(c);
        changes_tick(c);
        peers_tick(c);
        job_queries_tick(c);
        dimension_keeper_tick(c);
        if (c->states_unstored && c->parts.scribe)
            store_states(c);
    }
    reload_tick(c);
    deeds_tick(c);
    backups_tick(c);
    if (c->state == CONTROL_SERVING && c->parts.scribe && !c->renewal.out)
        give_job(c, false);
    go_on_stopping(c);
}

static void top(void *owner)
{
    struct control *c = owner;
    struct message m;

    edge_top(&c->admin);
    journey_steps_hurry(&c->steps, journey_steps_complete(c));
    for (int i = 0; i < MAIL_PER_TURN && mailbox_receive(&c->mail, &m); i++)
        read_message(c, &m);
    go_on_stopping(c);
}

static bool has_mail(void *owner)
{
    struct control *c = owner;

    return !mailbox_empty(&c->mail) || edge_has_mail(&c->admin);
}

/* ---- opening and closing */

static void open_workers(struct control *c)
{
    uint32_t share = (uint32_t)(c->parts.config->limits.connections / c->parts.worker_count);
    size_t memory = (size_t)(c->parts.config->limits.memory / c->parts.worker_count);
    struct log_ring *rings = c->parts.log_rings;

    for (size_t i = 0; i < c->parts.worker_count; i++) {
        struct worker *w = &c->parts.workers[i];
        edge_open(w->edge, &(struct edge_parts){ .reactor = w->reactor,
                                                 .publication = &c->publication,
                                                 .snapshots = &w->snapshots,
                                                 .page = &w->page,
                                                 .exemplars = &w->exemplars,
                                                 .pages = c->book.pages,
                                                 .page_count = c->book.page_count,
                                                 .said = &c->admin_page,
                                                 .slots = &c->registry.edge,
                                                 .requests = &c->requests,
                                                 .control_mail = &c->mail,
                                                 .control = c->reactor,
                                                 .connections_max = share ? share : 1,
                                                 .memory_max = memory,
                                                 .addresses = c->addresses,
                                                 .unclaimed = &c->unclaimed.rings[i],
                                                 .steps = &c->steps.rings[i],
                                                 .tenants = &c->tenants.readers[i],
                                                 .log = rings ? &rings[i] : NULL,
                                                 .log_hurry = c->parts.log_hurry,
                                                 .log_writer = c->parts.log_writer,
                                                 .hash_key = c->parts.hash_key,
                                                 .wall = c->parts.wall });
    }
}

static err open_admin(struct control *c)
{
    struct config *config = api_config(c->api, &c->parts.config->limits);

    publication_init(&c->admin_publication, api_config_free);
    publication_add_reader(&c->admin_publication, &c->admin_snapshots);
    TRY(registry_assign(&c->registry, config));
    bool published = publication_publish(&c->admin_publication, config);
    check(published);
    edge_open(&c->admin, &(struct edge_parts){ .reactor = c->reactor,
                                               .publication = &c->admin_publication,
                                               .snapshots = &c->admin_snapshots,
                                               .page = &c->admin_page,
                                               .slots = &c->registry.edge,
                                               .requests = &c->requests,
                                               .connections_max = ADMIN_CONNECTIONS_MAX,
                                               .memory_max = ADMIN_MEMORY_MAX });
    if (c->parts.admin)
        edge_add_port(&c->admin, c->parts.admin);
    edge_start_listening(&c->admin);
    return OK;
}

static void tell_counts(const struct config *config, const struct journey_memory *memories)
{
    struct str lines = str_growing();

    book_tell(config, memories, &lines);
    for (struct span rest = str_span(&lines); rest.n > 0;) {
        size_t end = span_find(rest, '\n');
        log_info("%.*s", (int)end, rest.p);
        rest = span_after(rest, end + 1);
    }
    str_free(&lines);
}

static err recall_first(struct control *c)
{
    const struct config *config = c->parts.config;
    struct journey_memory *memories =
        c->parts.store ? calloc(config->journey_count, sizeof(memories[0])) : NULL;
    err e = OK;

    if (memories)
        e = book_recall(c->parts.store, config, c->reactor->now, unix_now(c), memories);
    if (!e.failed) {
        if (memories)
            tell_counts(config, memories);
        book_adopt(&c->book, config, memories, c->reactor->now, unix_now(c));
    }
    free(memories);
    return e;
}

static err publish_first(struct control *c)
{
    publication_init(&c->publication, c->parts.free_config);
    book_add_page(&c->book, &c->tally);
    for (size_t i = 0; i < c->parts.worker_count; i++) {
        counter_page_open(&c->parts.workers[i].page);
        exemplars_open(&c->parts.workers[i].exemplars);
        book_add_page(&c->book, &c->parts.workers[i].page);
        publication_add_reader(&c->publication, &c->parts.workers[i].snapshots);
    }
    TRY(registry_assign(&c->registry, c->parts.config));
    TRY(recall_first(c));
    journey_steps_adopt(c, c->parts.config, NS_NEVER);
    checker_adopt(&c->checker, c->parts.config, c->parts.memories, c->parts.memory_count);
    bool published = publication_publish(&c->publication, c->parts.config);
    check(published);
    return OK;
}

static err open_book(struct control *c)
{
    struct sample node = {};

    if (c->parts.store) {
        TRY(samples_total(c->parts.store, NODE_VERSION, &node));
        TRY(losses_load(c->parts.store, c->losses, &c->loss_count));
    }
    book_open(&c->book, node.counts[NODE_MEASURED_MS], c->reactor->now, unix_now(c));
    return OK;
}

err control_open(struct control *c, const struct control_parts *parts)
{
    *c = (struct control){ .parts = *parts,
                           .reactor = parts->reactor,
                           .started = parts->reactor->now,
                           .tick.fire = on_tick };
    c->started_at = unix_now(c);
    mailbox_init(&c->mail);
    counter_page_open(&c->admin_page);
    counter_page_open(&c->tally);
    c->events_seen = calloc(1, sizeof(*c->events_seen));
    check(c->events_seen != NULL);
    request_table_open(&c->requests);
    c->addresses = calloc(1, sizeof(*c->addresses));
    check(c->addresses != NULL);
    c->addresses->key = parts->hash_key;
    c->watchdog = supervisor_watchdog();
    registry_open(&c->registry);
    unclaimed_open(&c->unclaimed, parts->worker_count);
    journey_steps_open(&c->steps, parts->worker_count, &c->tally);
    tenants_open(&c->tenants, parts->worker_count, parts->hash_key);
    c->overlay = parts->overlay;
    c->earlier = parts->earlier;
    reload_open(&c->reload);
    c->started_with =
        strndup(parts->config->source.p ? parts->config->source.p : "", parts->config->source.n);
    check(c->started_with != NULL);
    checker_open(&c->checker, c->reactor, &c->admin_page, c->registry.edge.said, parts->wall,
                 (struct check_owner){ .changed = check_changed, .owner = c });
    /* another one with each start; the wall clock alone may stand still between two */
    notices_open(&c->notices,
                 (uint64_t)c->started_at << 16 | (rng_next(&c->reactor->rng) & 0xffff));
    deed_memory_open(&c->deeds);
    c->access.wrong.key = parts->hash_key;
    access_adopt(&c->access, parts->config);
    c->api = api_new(c);
    TRY(open_book(c));
    TRY(deeds_recall(c));
    TRY(publish_first(c));
    open_workers(c);
    TRY(open_admin(c));
    reactor_set_owner(c->reactor,
                      (struct reactor_owner){ .top = top, .has_mail = has_mail, .owner = c });
    timer_set(&c->reactor->timers, &c->tick, c->reactor->now + TICK);
    deed_node(c, DEED_STARTED, NULL);
    changes_ride(c); /* those from the store are in the first configuration */
    changes_arrive(c, true);
    changes_over(c, c->parts.over, c->parts.over_count);
    c->peers.memories = parts->peer_memories;
    c->peers.memory_count = parts->peer_memory_count;
    c->peers.kept_any = parts->peer_memory_count > 0;
    c->peers.kept_when = c->reactor->now - PEER_KEEP_EVERY + PEER_KEEP_FIRST;
    peers_adopt(c); /* the sums are whole from the first request on */
    job_queries_adopt(c);
    consider_listening(c); /* nothing may have to be waited for */
    return OK;
}

void control_close(struct control *c)
{
    timer_drop(&c->reactor->timers, &c->tick);
    edge_free(&c->admin);
    for (size_t i = 0; i < c->parts.worker_count; i++) {
        edge_free(c->parts.workers[i].edge);
        counter_page_close(&c->parts.workers[i].page);
        exemplars_close(&c->parts.workers[i].exemplars);
    }
    unclaimed_close(&c->unclaimed);
    journey_steps_close(&c->steps);
    tenants_close(&c->tenants);
    publication_free(&c->publication);
    publication_free(&c->admin_publication);
    book_close(&c->book);
    checker_free(&c->checker);
    overlay_free(&c->overlay);
    reload_free(&c->reload);
    free(c->started_with);
    dimension_memory_free(&c->earlier);
    dimension_keeper_free(&c->keeper);
    registry_close(&c->registry);
    request_table_close(&c->requests);
    free(c->addresses);
    counter_page_close(&c->admin_page);
    peers_free(c);
    job_queries_free(&c->queries);
    counter_page_close(&c->tally);
    free(c->events_seen);
    mailbox_free(&c->mail);
    api_free(c->api);
    notices_free(&c->notices);
    deed_memory_free(&c->deeds);
    duration_cache_free(&c->durations);
}
