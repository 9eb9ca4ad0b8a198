/* SPDX-License-Identifier: Apache-2.0 */
/* world.c - setting up, running and comparing. What must hold at every moment is in check_always(). */
#include "kit.h"

#include "plane/http/exchange.h"
#include "store/catalog.h"
#include "store/kept_deeds.h"

#include <stdio.h>
#include <stdlib.h>

enum { DIMENSIONS_EVERY = 64 }; /* steps; all of them would be slow */

/* Whose clock control reads; one simulation runs at a time. */
static const struct sim *current;

static ns_t wall_clock(void)
{
    return sim_now(current->world) + INT64_C(1700000000) * NS_PER_S + current->wall_ahead;
}

void sim_fail(struct sim *s, const char *format, ...)
{
    va_list args;

    if (s->failure[0])
        return;
    va_start(args, format);
    vsnprintf(s->failure, sizeof(s->failure), format, args);
    va_end(args);
    sim_trace(s->world, "FAILED: %s", s->failure);
}

static void parse_address(struct address *a, const char *text)
{
    bool known = address_parse(span_from_text(text), a);
    check(known);
}

/* ---- the configuration */

static void parse_pattern(struct arena *a, const char *text, struct pattern *p)
{
    const char *wrong = pattern_parse(a, span_from_text(text), p);
    check(!wrong);
}

static void make_journey(struct arena *a, struct journey *j, const char *name, const char *route)
{
    *j = (struct journey){ .name = span_from_text(name),
                           .owner = SPAN("somebody"),
                           .definition = span_hash(span_from_text(name), 1) };
    for (unsigned status = 500; status < 600; status++)
        status_set_add(&j->bad, status);
    j->objectives = arena_array(a, struct objective, 2);
    j->objectives[0] =
        (struct objective){ .name = SPAN("available"), .target = 0.999, .window_s = 28 * 86400 };
    j->objectives[1] = (struct objective){ .name = SPAN("fast"),
                                           .target = 0.95,
                                           .under = KIT_SLOW_MS * NS_PER_MS,
                                           .window_s = 28 * 86400 };
    j->objective_count = 2;
    if (!route)
        return;
    j->routes = arena_new(a, struct pattern);
    j->route_count = 1;
    parse_pattern(a, route, j->routes);
}

static void trust_clients(struct arena *a, struct config *c)
{
    struct network *n = arena_new(a, struct network);
    bool known = network_parse(SPAN("192.0.2.0/24"), n);

    check(known);
    c->trusted = n;
    c->trusted_count = 1;
}

struct config *kit_config(const struct sim *s, unsigned instances)
{
    struct config *c = calloc(1, sizeof(*c));
    struct arena *a = &c->arena;

    check(c != NULL);
    c->limits = s->limits;
    c->service_count = 1;
    c->services = arena_new(a, struct service);
    struct service *shop = c->services;
    *shop = s->shop;
    shop->name = SPAN("shop");
    shop->instance_count = instances + s->drained_more;
    shop->instances = arena_array(a, struct instance, shop->instance_count);
    for (unsigned i = 0; i < instances; i++) {
        char text[ADDRESS_TEXT_MAX];
        shop->instances[i].address = s->behind[(i + s->turned) % KIT_INSTANCES];
        if (s->release)
            shop->instances[i].release = span_from_text(arena_print(a, "r%u", s->release + i));
        shop->instances[i].text =
            arena_span(a, span_from_text(address_print(&shop->instances[i].address, text)));
        shop->instances[i].hash = span_hash(shop->instances[i].text, 0);
        shop->instances[i].weight = s->weights[i] ? s->weights[i] : 1;
        shop->instances[i].drain = s->drains[i];
        shop->instances[i].zone = s->zones[i] ? span_from_text(s->zones[i]) : SPAN("");
    }
    for (unsigned i = instances; i < shop->instance_count; i++) {
        shop->instances[i] = shop->instances[0];
        shop->instances[i].text =
            span_from_text(arena_print(a, "more %u", s->drained_from + i - instances));
        shop->instances[i].drain = true;
        if (s->release)
            shop->instances[i].release = span_from_text(arena_print(a, "r%u", s->release + i));
    }
    c->zone = s->zone ? span_from_text(s->zone) : SPAN("");
    if (s->trusts_clients)
        trust_clients(a, c);
    if (s->has_tenants)
        c->tenant = (struct identity){ IDENTITY_COOKIE, SPAN("user") };
    c->route_count = 1;
    c->routes = arena_new(a, struct route);
    parse_pattern(a, "/*", &c->routes[0].pattern);
    c->routes[0].service = shop;
    c->routes[0].timeout = shop->timeout;
    c->routes[0].attempts = shop->retry.attempts;
    c->journey_count = KIT_JOURNEYS;
    c->journeys = arena_array(a, struct journey, KIT_JOURNEYS);
    make_journey(a, &c->journeys[0], "browse", "/browse/*");
    make_journey(a, &c->journeys[1], "checkout", "/checkout");
    make_journey(a, &c->journeys[2], "unclaimed", NULL);
    return c;
}

static void free_config(struct config *c)
{
    arena_free(&c->arena);
    free(c);
}

void kit_publish(struct sim *s, unsigned instances)
{
    struct config *c = kit_config(s, instances);
    err e = registry_assign(&s->control.registry, c);

    check(!e.failed);
    if (publication_reclaim(&s->control.publication) == SNAPSHOTS_HELD_MAX) {
        free_config(c); /* too many old ones still in use: a real reload would try again */
        return;
    }
    book_adopt(&s->control.book, c, NULL, s->control_reactor.now,
               s->control.parts.wall() / NS_PER_S);
    checker_adopt(&s->control.checker, c, NULL, 0);
    bool published = publication_publish(&s->control.publication, c);
    check(published);
}

bool kit_adopted(const struct sim *s)
{
    for (unsigned i = 0; i < KIT_WORKERS; i++) {
        if (snapshot_current(s->edges[i].snapshots)->config != control_config(&s->control))
            return false;
    }
    return true;
}

/* ---- what it counts and knows */

static const struct service *shop_of(const struct sim *s)
{
    return &control_config(&s->control)->services[0];
}

uint64_t kit_service(const struct sim *s, enum service_counter what)
{
    return book_sum(&s->control.book, shop_of(s)->slots + what);
}

uint64_t kit_would(const struct sim *s, enum would what)
{
    return book_sum(&s->control.book, shop_of(s)->slots + SERVICE_COUNTER_COUNT + what);
}

uint64_t kit_instance(const struct sim *s, unsigned i, enum instance_counter what)
{
    return book_sum(&s->control.book, shop_of(s)->instances[i].slots + what);
}

uint64_t kit_ending(const struct sim *s, enum ending what)
{
    return book_sum(&s->control.book, s->control.registry.edge.endings + what);
}

const struct instance_state *kit_learned(const struct sim *s, unsigned worker, unsigned i)
{
    return s->edges[worker].instances[shop_of(s)->instances[i].id];
}

ns_t kit_ejected_until(const struct sim *s, unsigned i)
{
    return (ns_t)counter_read(&s->control.admin_page,
                              shop_of(s)->instances[i].said + SAID_EJECTED_UNTIL);
}

/* ---- opening */

static bool no_mail(void *owner)
{
    (void)owner;
    return false;
}

static void no_top(void *owner)
{
    (void)owner;
}

static void open_peers(struct sim *s, struct reactor *r, unsigned index, const char *name)
{
    sim_reactor_open(s->world, r, index, name);
    reactor_set_owner(r, (struct reactor_owner){ .top = no_top, .has_mail = no_mail });
}

void sim_open(struct sim *s, uint64_t seed, bool trace)
{
    *s = (struct sim){ .seed = seed };
    s->world = sim_new(seed);
    current = s;
    if (trace)
        sim_trace_on(s->world);
    s->limits = (struct limits){ .connections = 64,
                                 .connections_per_address = 64,
                                 .connection_age = 3600 * NS_PER_S,
                                 .memory = 256 << 20,
                                 .body_rate = 1024,
                                 .head = 32 * 1024,
                                 .fields = 100,
                                 .line = 8 * 1024,
                                 .header_time = 10 * NS_PER_S };
    /* what a file without any of it gets, but no active checks: scenarios that want them say so */
    s->shop = (struct service){
        .slow_start = 10 * NS_PER_S,
        .eject = { .failures = 5, .time = NS_PER_S, .most = 30 * NS_PER_S },
        .retry = { .attempts = 2, .budget_ppm = 100000, .backoff = 25 * NS_PER_MS },
        .timeout = { .connect = 500 * NS_PER_MS,
                     .head = 15 * NS_PER_S,
                     .idle = 60 * NS_PER_S,
                     .stream = 3600 * NS_PER_S,
                     .total = 30 * NS_PER_S }
    };
    static const unsigned retried[] = { 500, 502, 503, 504 };
    for (unsigned i = 0; i < sizeof(retried) / sizeof(retried[0]); i++)
        status_set_add(&s->shop.retry.statuses, retried[i]);
    parse_address(&s->front, "192.0.2.10:80");
    parse_address(&s->dressed_front, "192.0.2.10:443");
    parse_address(&s->mux_front, "192.0.2.10:8443");
    parse_address(&s->behind[0], "10.0.0.1:80");
    parse_address(&s->behind[1], "10.0.0.2:80");
    parse_address(&s->behind[2], "10.0.0.3:80");
    sim_reactor_open(s->world, &s->control_reactor, 100, "control");
    for (unsigned i = 0; i < KIT_WORKERS; i++) {
        sim_reactor_open(s->world, &s->worker_reactors[i], i, "worker");
        s->workers[i] = (struct worker){ .reactor = &s->worker_reactors[i], .edge = &s->edges[i] };
    }
    open_peers(s, &s->client_reactor, 200, "clients");
    open_peers(s, &s->instance_reactor, 201, "instances");
}

static void listen_at(struct sim *s, unsigned worker, struct port *p, const struct address *a,
                      void (*dressing)(const struct port *p, struct conn *c, ns_t deadline))
{
    *p = (struct port){ .address = *a, .dress = dressing };
    edge_add_port(&s->edges[worker], p);
}

static struct store *open_store(void)
{
    struct store *store;
    struct store_opened opened;
    int64_t epoch;
    struct store_options options = { .path = ":memory:", .now = wall_clock() / NS_PER_S };
    err e = store_open(&options, &store, &opened);

    check(!e.failed);
    e = epoch_begin(store, options.now, SPAN("simulation"), &epoch);
    check(!e.failed);
    return store;
}

void sim_start(struct sim *s)
{
    struct store *store = open_store();
    struct control_parts parts = { .reactor = &s->control_reactor,
                                   .workers = s->workers,
                                   .worker_count = KIT_WORKERS,
                                   .config =
                                       kit_config(s, s->instances ? s->instances : KIT_INSTANCES),
                                   .free_config = free_config,
                                   .store = store,
                                   .scribe = &s->scribe,
                                   .node = "simulated",
                                   .version = "0",
                                   .wall = wall_clock,
                                   .drain_time = 10 * NS_PER_S };

    scribe_open(&s->scribe, store, control_mail(&s->control), &s->control_reactor);
    err e = control_open(&s->control, &parts);
    check(!e.failed);
    for (unsigned i = 0; i < KIT_WORKERS; i++) {
        listen_at(s, i, &s->ports[i], &s->front, NULL);
        listen_at(s, i, &s->dressed_ports[i], &s->dressed_front, dress_port);
        mux_listen(s, i);
        edge_start_listening(&s->edges[i]);
    }
    instances_start(s);
}

/* ---- running */

static void check_edge(struct sim *s, const struct http_edge *e)
{
    size_t conns = e->down_list.count + e->up_list.count;
    uint64_t in_flight = 0;
    uint64_t idle = 0;

    for (size_t i = 0; i < e->instance_count; i++) {
        if (!e->instances[i])
            continue;
        in_flight += e->instances[i]->candidate.in_flight;
        idle += e->instances[i]->idle.count;
    }
    SIM_CHECK(s, e->down_list.count <= e->connections_max, "more connections than the limit");
    SIM_CHECK(s, e->buffers.held + e->blocks.held <= conns + 4 * e->exchanges.held,
              "%zu buffers for %zu connections", e->buffers.held, conns);
    SIM_CHECK(s, e->exchanges.held == e->exchange_list.count, "an exchange is lost");
    SIM_CHECK(s, in_flight <= e->exchange_list.count, "%lu in flight in %zu exchanges",
              (unsigned long)in_flight, e->exchange_list.count);
    SIM_CHECK(s, idle + in_flight <= e->up_list.count, "connections to instances do not add up");
    SIM_CHECK(s,
              book_sum(&s->control.book, s->control.registry.edge.counters + EDGE_EXCHANGES_OPEN) <
                  1000000,
              "the gauge of open exchanges went below zero");
}

/* What is in flight at an instance is what exchanges have there, in the gauge as well. */
static void check_in_flight(struct sim *s, const struct http_edge *e)
{
    const struct service *shop = shop_of(s);

    for (size_t i = 0; i < shop->instance_count; i++) {
        const struct instance *in = &shop->instances[i];
        uint32_t counted = 0;
        if (in->id >= e->instance_count || !e->instances[in->id])
            continue; /* not adopted yet */
        for (struct link *k = e->exchange_list.head.next; k != &e->exchange_list.head;
             k = k->next) {
            const struct exchange *x = container_of(k, struct exchange, link);
            counted += x->up_open && x->instance->id == in->id;
        }
        uint64_t gauge = counter_read(e->page, in->slots + INSTANCE_IN_FLIGHT);
        SIM_CHECK(s, e->instances[in->id]->candidate.in_flight == counted && gauge == counted,
                  "instance %zu: %u requests, %u in flight, %lu in the gauge", i, counted,
                  e->instances[in->id]->candidate.in_flight, (unsigned long)gauge);
    }
}

/* A buffer is held only while its answer is, or is on its way to the client; scratch memory for one try. */
static void check_memory(struct sim *s, const struct http_edge *e)
{
    for (struct link *k = e->exchange_list.head.next; k != &e->exchange_list.head; k = k->next) {
        const struct exchange *x = container_of(k, struct exchange, link);
        SIM_CHECK(s,
                  !x->hold || x->state == EXCHANGE_HOLDING ||
                      (x->state == EXCHANGE_ANSWERING && x->down_sending),
                  "a hold buffer is kept in state %s", exchange_states[x->state].name);
        SIM_CHECK(s, x->state != EXCHANGE_HOLDING || x->hold, "held without a buffer");
        /* before another try nothing of the last one is left */
        SIM_CHECK(s,
                  x->state != EXCHANGE_CONNECTING || !x->retries || x->repeating ||
                      x->memory.at == x->request_mark.at,
                  "the memory of a failed try is not given back");
    }
}

/* The budget's sums are those of its slots, and nothing is taken that is not there. */
static void check_budget(struct sim *s, unsigned worker)
{
    const struct service *shop = shop_of(s);
    const struct http_edge *e = &s->edges[worker];
    const struct retry_budget *before = &s->budgets[worker];
    uint64_t originals = 0;
    uint64_t retries = 0;

    if (shop->id >= e->service_count || !e->services[shop->id])
        return;
    const struct retry_budget *b = &e->services[shop->id]->budget;
    for (int i = 0; i < RETRY_WINDOW_S; i++) {
        originals += b->originals[i];
        retries += b->retries[i];
    }
    SIM_CHECK(s, originals == b->originals_sum && retries == b->retries_sum,
              "the retry budget's sums are wrong");
    unsigned slot = (unsigned)(b->second % RETRY_WINDOW_S);
    uint32_t had = b->second == before->second ? before->retries[slot] : 0;
    uint64_t share = originals * shop->retry.budget_ppm / 1000000;
    uint64_t most = share > RETRY_FLOOR / KIT_WORKERS ? share : RETRY_FLOOR / KIT_WORKERS;
    SIM_CHECK(s, b->retries[slot] <= had || (retries <= most && shop->retry.budget_ppm > 0),
              "%lu retries for %lu requests", (unsigned long)retries, (unsigned long)originals);
    s->budgets[worker] = *b;
}

static void check_always(struct sim *s)
{
    for (unsigned i = 0; i < KIT_WORKERS; i++) {
        const struct http_edge *e = &s->edges[i];
        check_edge(s, e);
        check_in_flight(s, e);
        check_memory(s, e);
        check_budget(s, i);
        SIM_CHECK(s, counter_read(e->page, shop_of(s)->slots + SERVICE_PANIC) <= 1,
                  "panic is neither on nor off");
    }
}

/* What was counted in a dimension is what was counted in all others, in every window. */
static void sum_dimension(const struct sim *s, const struct journey *j, enum dimension which,
                          enum dimension_window w, uint64_t ret_sum[DIMENSION_OUTCOMES])
{
    struct dimension_row rows[DIMENSION_ENTRIES];
    unsigned count = dimensions_read(&s->control.registry.dimensions, &s->control.book, j, which, w,
                                     s->control_reactor.now, rows);

    memset(ret_sum, 0, DIMENSION_OUTCOMES * sizeof(ret_sum[0]));
    for (unsigned i = 0; i < count; i++) {
        for (unsigned o = 0; o < DIMENSION_OUTCOMES; o++)
            ret_sum[o] += rows[i].counts[o];
    }
}

static void check_dimensions(struct sim *s)
{
    const struct config *c = control_config(&s->control);

    for (unsigned n = 0; n < c->journey_count * DIMENSION_WINDOW_COUNT; n++) {
        const struct journey *j = &c->journeys[n / DIMENSION_WINDOW_COUNT];
        enum dimension_window w = (enum dimension_window)(n % DIMENSION_WINDOW_COUNT);
        if (!j->dimensions)
            continue;
        uint64_t first[DIMENSION_OUTCOMES];
        uint64_t sum[DIMENSION_OUTCOMES];
        uint64_t live[SERIES_MAX];
        book_live(&s->control.book, book_account(&s->control.book, j), live);
        sum_dimension(s, j, DIMENSION_STATUS, w, first);
        for (unsigned o = 0; w == DIMENSION_WINDOW_START && o < DIMENSION_OUTCOMES; o++)
            SIM_CHECK(s, first[o] == live[o], "%.*s: %lu in the dimensions, %lu in the journey",
                      SPAN_ARG(j->name), (unsigned long)first[o], (unsigned long)live[o]);
        for (unsigned d = 0; d < DIMENSION_COUNT; d++) {
            sum_dimension(s, j, (enum dimension)d, w, sum);
            SIM_CHECK(s, memcmp(sum, first, sizeof(sum)) == 0,
                      "%.*s: the values of '%s' do not add up over '%s'", SPAN_ARG(j->name),
                      dimension_word((enum dimension)d), dimension_window_word(w));
        }
    }
}

static bool step(struct sim *s, ns_t until)
{
    bool more = sim_step(s->world, until);

    scribe_work(&s->scribe);
    check_always(s);
    if (s->steps++ % DIMENSIONS_EVERY == 0)
        check_dimensions(s);
    return more && !s->failure[0];
}

static bool quiet(const struct sim *s)
{
    for (unsigned i = 0; i < KIT_WORKERS; i++) {
        if (!list_empty(&s->edges[i].exchange_list))
            return false;
    }
    return s->clients_running == 0;
}

void sim_pass(struct sim *s, ns_t time)
{
    ns_t until = sim_now(s->world) + time;

    while (step(s, until)) {
    }
}

void sim_run(struct sim *s, ns_t most)
{
    ns_t until = sim_now(s->world) + most;

    while (!quiet(s) && step(s, until)) {
    }
    SIM_CHECK(s, quiet(s), "not done after %d s: %u clients still wait", (int)(most / NS_PER_S),
              s->clients_running);
}

/* ---- comparing */

static void compare_one(struct sim *s, const char *journey, const char *what, uint64_t counted,
                        uint64_t sure, uint64_t unsure)
{
    SIM_CHECK(s, counted >= sure && counted <= sure + unsure,
              "%s: %lu counted as %s, clients know of %lu and guess %lu", journey,
              (unsigned long)counted, what, (unsigned long)sure, (unsigned long)unsure);
}

static void compare_journey(struct sim *s, unsigned number)
{
    const struct journey *j = &control_config(&s->control)->journeys[number];
    const struct account *a = book_account(&s->control.book, j);
    const uint64_t *sure = s->tally.n[number];
    uint64_t counts[SERIES_MAX];
    uint64_t bins[HISTOGRAM_BINS];
    uint64_t codes = 0;

    book_live(&s->control.book, a, counts);
    compare_one(s, a->name, "good", counts[SERIES_GOOD], sure[SURE_GOOD], sure[UNSURE]);
    compare_one(s, a->name, "slow", counts[SERIES_SLOW], sure[SURE_SLOW], sure[UNSURE]);
    compare_one(s, a->name, "failed", counts[SERIES_FAILED], sure[SURE_FAILED], sure[UNSURE]);
    compare_one(s, a->name, "excluded", counts[SERIES_EXCLUDED], sure[SURE_EXCLUDED], sure[UNSURE]);
    uint64_t all =
        counts[SERIES_GOOD] + counts[SERIES_SLOW] + counts[SERIES_FAILED] + counts[SERIES_EXCLUDED];
    compare_one(s, a->name, "request", all,
                sure[SURE_GOOD] + sure[SURE_SLOW] + sure[SURE_FAILED] + sure[SURE_EXCLUDED],
                sure[UNSURE]);
    for (uint32_t i = 0; i < HISTOGRAM_BINS; i++)
        bins[i] = book_sum(&s->control.book, a->slots.histogram + i);
    SIM_CHECK(s, histogram_total(bins) == counts[SERIES_GOOD] + counts[SERIES_SLOW],
              "%s: the histogram holds %lu", a->name, (unsigned long)histogram_total(bins));
    SIM_CHECK(s,
              counts[series_good(0)] == counts[SERIES_GOOD] + counts[SERIES_SLOW] &&
                  counts[series_bad(0)] == counts[SERIES_FAILED] &&
                  counts[series_good(1)] == counts[SERIES_GOOD] &&
                  counts[series_bad(1)] == counts[SERIES_SLOW],
              "%s: the objectives disagree with the verdicts", a->name);
    for (uint32_t i = 0; i < 2 * CODE_CLASSES; i++)
        codes += book_sum(&s->control.book, j->codes[i / CODE_CLASSES] + i % CODE_CLASSES);
    SIM_CHECK(s, codes == all, "%s: %lu by status, %lu by verdict", a->name, (unsigned long)codes,
              (unsigned long)all);
}

void sim_compare(struct sim *s)
{
    for (unsigned i = 0; i < KIT_JOURNEYS && !s->failure[0]; i++)
        compare_journey(s, i);
    check_dimensions(s);
}

/* What the store holds at the end must be what was counted. */
static void compare_store(struct sim *s)
{
    const struct config *c = control_config(&s->control);

    for (size_t i = 0; i < c->journey_count; i++) {
        const struct account *a = book_account(&s->control.book, &c->journeys[i]);
        struct sample total;
        uint64_t counts[SERIES_MAX];
        err e = samples_total(s->scribe.store, a->version, &total);
        book_cumulative(&s->control.book, a, counts);
        SIM_CHECK(s, !e.failed && memcmp(counts, total.counts, sizeof(counts)) == 0,
                  "%s: the store holds other counts than the book", a->name);
    }
}

/* And what was done to it: nobody changes or reloads anything here. */
static void compare_deeds(struct sim *s)
{
    struct arena a = {};
    struct kept_deed *list;
    size_t count = 0;
    err e = kept_deeds_load(s->scribe.store, INT64_MAX, 3, &a, &list, &count);

    SIM_CHECK(s,
              !e.failed && count == 2 &&
                  span_equal(list[0].text[DEED_TEXT_WHAT], SPAN("stopped")) &&
                  span_equal(list[1].text[DEED_TEXT_WHAT], SPAN("started")),
              "the store does not know that it was started and stopped");
    arena_free(&a);
}

void sim_stop(struct sim *s)
{
    ns_t until = sim_now(s->world) + 60 * NS_PER_S;

    if (s->failure[0])
        return;
    control_stop(&s->control);
    while (s->control.state != CONTROL_STOPPED && step(s, until)) {
    }
    SIM_CHECK(s, s->control.state == CONTROL_STOPPED, "did not stop within a minute");
    if (s->failure[0])
        return;
    for (unsigned i = 0; i < KIT_WORKERS; i++)
        SIM_CHECK(s,
                  edge_idle(&s->edges[i]) && s->edges[i].buffers.held == 0 &&
                      s->edges[i].blocks.held == 0 && s->edges[i].exchanges.held == 0,
                  "something is left after stopping");
    compare_store(s);
    compare_deeds(s);
}

/* A failed run may have stopped anywhere: everything is cut, then closed. */
void sim_close(struct sim *s)
{
    ns_t until = sim_now(s->world) + 5 * NS_PER_S;

    clients_cut(s);
    instances_cut(s);
    mux_cut(s);
    for (unsigned i = 0; i < KIT_WORKERS; i++) {
        edge_drain(&s->edges[i], s->worker_reactors[i].now);
        edge_cut(&s->edges[i]);
    }
    edge_cut(&s->control.admin);
    while (sim_step(s->world, until))
        scribe_work(&s->scribe);
    scribe_work(&s->scribe);
    if (s->control.book.job_out) {
        struct message m;
        while (mailbox_receive(&s->control.mail, &m)) {
            if (m.kind == MESSAGE_SAMPLES_STORED)
                book_job_done(&s->control.book, m.job);
        }
    }
    control_close(&s->control);
    scribe_free(&s->scribe);
    for (unsigned i = 0; i < KIT_WORKERS; i++)
        reactor_free(&s->worker_reactors[i]);
    reactor_free(&s->control_reactor);
    reactor_free(&s->client_reactor);
    reactor_free(&s->instance_reactor);
    clients_free(s);
    instances_free(s);
    mux_free(s);
    sim_free(s->world);
}
