/* SPDX-License-Identifier: Apache-2.0 */
/* scenarios.c - the stories. Each runs with many seeds; what chance decides comes from the seed alone. */
#include "scenarios.h"

/* A network that cuts bytes anywhere but loses nothing. */
void choppy_network(struct sim *s)
{
    struct sim_faults f = {
        .delay_max = 2 * NS_PER_MS, .split = 300, .window_min = 2000, .window_max = 64 * 1024
    };
    sim_faults_set(s->world, NULL, &f);
}

void ordinary_plan(struct sim *s, struct plan *p)
{
    static const unsigned statuses[] = { 200, 200, 200, 200, 201, 204, 304, 302, 404, 500, 503 };

    p->journey = up_to(s, KIT_JOURNEYS - 1);
    p->status = statuses[pick(s, sizeof(statuses) / sizeof(statuses[0]))];
    p->delay_ms = one_in(s, 8) ? 500 + up_to(s, 200) : up_to(s, 50);
    p->size = one_in(s, 6) ? up_to(s, 100000) : up_to(s, 2000);
    p->framing = (enum framing)pick(s, FRAMINGS);
    p->head = one_in(s, 8);
    if (!p->head && one_in(s, 3)) {
        p->body = 1 + up_to(s, one_in(s, 4) ? 60000 : 500);
        p->body_chunked = one_in(s, 2);
    }
    p->http10 = !p->body && one_in(s, 10);
    if (p->http10 && p->framing == FRAMING_CHUNKED)
        p->framing = FRAMING_CLOSE;
}

void finish(struct sim *s, ns_t most)
{
    sim_run(s, most);
    sim_compare(s);
    sim_stop(s);
    sim_compare(s);
}

/* ---- */

static void keep_alive(struct sim *s)
{
    choppy_network(s);
    sim_start(s);
    for (unsigned i = 0; i < 6; i++)
        client_start(s, &(struct client_script){ .requests = 10 + up_to(s, 10),
                                                 .pipeline = 1,
                                                 .think_ms = 20,
                                                 .read_size = 16384,
                                                 .plan = ordinary_plan });
    finish(s, SECONDS(300));
}

static void pipelining(struct sim *s)
{
    choppy_network(s);
    sim_start(s);
    for (unsigned i = 0; i < 4; i++)
        client_start(s, &(struct client_script){ .requests = 30,
                                                 .pipeline = 2 + up_to(s, 10),
                                                 .read_size = 1 + up_to(s, 16000),
                                                 .plan = ordinary_plan });
    finish(s, SECONDS(300));
}

static void troubled_plan(struct sim *s, struct plan *p)
{
    ordinary_plan(s, p);
    if (one_in(s, 3)) {
        p->trouble = (enum trouble)(1 + pick(s, TROUBLES - 1));
        p->http10 = false;
    }
    if (p->trouble == TROUBLE_RESET) {
        /* the head must get through, and something of the body be missing */
        p->head = false;
        p->status = 200;
        p->size = 4000 + up_to(s, 50000);
        p->framing = (enum framing)pick(s, 2);
    }
    if (p->trouble ==
        TROUBLE_EXTRA) /* cut off from their answer they come too late to be told: stray_bytes */
        p->trouble = TROUBLE_NONE;
    if (p->trouble == TROUBLE_EARLY)
        p->framing = FRAMING_LENGTH;
    if (p->trouble == TROUBLE_EARLY)
        p->delay_ms = 0;
}

static void failing_instances(struct sim *s)
{
    choppy_network(s);
    sim_start(s);
    for (unsigned i = 0; i < 5; i++)
        client_start(s, &(struct client_script){ .requests = 12,
                                                 .pipeline = 1,
                                                 .think_ms = 10,
                                                 .read_size = 16384,
                                                 .plan = troubled_plan });
    finish(s, SECONDS(600));
}

static void later_plan(struct sim *s, struct plan *p)
{
    p->journey = up_to(s, 1);
    p->size = up_to(s, 500);
    p->delay_ms = up_to(s, 5);
    p->trouble = one_in(s, 2) ? TROUBLE_LATER : one_in(s, 2) ? TROUBLE_EXTRA : TROUBLE_NONE;
}

/* One client that pauses for longer than the stray bytes take: nothing of them may reach it. (An instance
 * that sends them while the next request is on its way cannot be told from one that answers.) */
static void stray_bytes(struct sim *s)
{
    sim_start(s);
    client_start(s, &(struct client_script){ .requests = 15,
                                             .pipeline = 1,
                                             .pause_ms = 40,
                                             .read_size = 16384,
                                             .plan = later_plan });
    finish(s, SECONDS(60));
}

/* A planned failure would be tried again, and may then find nobody who accepts. */
void good_plan(struct sim *s, struct plan *p)
{
    ordinary_plan(s, p);
    if (p->status >= 500)
        p->status = 200;
}

static void coming_and_going(struct sim *s)
{
    choppy_network(s);
    sim_start(s);
    for (unsigned i = 0; i < 4; i++)
        client_start(s, &(struct client_script){ .requests = 25,
                                                 .pipeline = 1,
                                                 .think_ms = 300,
                                                 .read_size = 16384,
                                                 .plan = good_plan });
    /* one instance always accepts, so no request may fail for want of a connection */
    for (unsigned i = 0; i < 12 && s->clients_running; i++) {
        instance_down(s, i % 2);
        sim_pass(s, up_to(s, 800) * NS_PER_MS);
        instance_up(s, i % 2);
    }
    sim_run(s, SECONDS(300));
    uint64_t refused =
        book_sum(&s->control.book, s->control.registry.edge.endings + ENDING_connect_failed) +
        book_sum(&s->control.book, s->control.registry.edge.endings + ENDING_no_instance);
    SIM_CHECK(s, refused == 0, "%lu requests failed although an instance accepted",
              (unsigned long)refused);
    finish(s, SECONDS(10));
}

static void leaving_plan(struct sim *s, struct plan *p)
{
    ordinary_plan(s, p);
    p->http10 = false;
    switch (pick(s, 4)) {
    case 0:
        p->abort = ABORT_IN_BODY;
        p->head = false;
        p->body = 2 + up_to(s, 60000);
        break;
    case 1:
        p->abort = ABORT_WAITING;
        p->delay_ms = 5000; /* the answer comes long after the client has gone */
        break;
    default: break;
    }
}

static void leaving_clients(struct sim *s)
{
    choppy_network(s);
    sim_start(s);
    for (unsigned i = 0; i < 5; i++)
        client_start(s, &(struct client_script){ .requests = 15,
                                                 .pipeline = 1,
                                                 .think_ms = 10,
                                                 .read_size = 16384,
                                                 .plan = leaving_plan });
    finish(s, SECONDS(300));
    SIM_CHECK(s, s->edges[0].ups.held == 0, "a connection was kept for a client that left");
}

static void broken_lines(struct sim *s)
{
    struct sim_faults f = { .delay_max = 3 * NS_PER_MS,
                            .split = 300,
                            .reset = 300,
                            .reset_bytes = 20000,
                            .stall = 20,
                            .stall_max = 2 * NS_PER_S,
                            .refuse = 50,
                            .window_min = 500,
                            .window_max = 32 * 1024 };
    sim_faults_set(s->world, NULL, &f);
    sim_start(s);
    for (unsigned i = 0; i < 5; i++)
        client_start(s, &(struct client_script){ .requests = 12,
                                                 .pipeline = 1 + up_to(s, 4),
                                                 .read_size = 16384,
                                                 .plan = troubled_plan,
                                                 .unsure = true });
    finish(s, SECONDS(900));
}

static void large_plan(struct sim *s, struct plan *p)
{
    p->journey = up_to(s, 1);
    p->size = 50000 + up_to(s, 200000);
    p->framing = (enum framing)pick(s, FRAMINGS);
    if (p->journey == 1) {
        p->body = 50000 + up_to(s, 200000);
        p->body_chunked = one_in(s, 2);
    }
}

/* Small windows and readers that take their time: what evenkeel holds stays within one buffer for each
 * direction, which check_always() watches. Slowness of the client is not ours: nothing counts as slow. */
static void slow_readers(struct sim *s)
{
    struct sim_faults f = {
        .delay_max = NS_PER_MS, .split = 200, .window_min = 3000, .window_max = 20000
    };
    sim_faults_set(s->world, NULL, &f);
    sim_start(s);
    for (unsigned i = 0; i < 4; i++)
        client_start(s, &(struct client_script){ .requests = 2,
                                                 .pipeline = 1,
                                                 .read_size = 2000 + up_to(s, 8000),
                                                 .read_pause_ms = 40,
                                                 .plan = large_plan });
    sim_run(s, SECONDS(600));
    uint64_t live[SERIES_MAX];
    book_live(&s->control.book,
              book_account(&s->control.book, &control_config(&s->control)->journeys[0]), live);
    uint64_t slow = live[SERIES_SLOW];
    SIM_CHECK(s, slow == 0, "%lu answers count as slow because their readers were",
              (unsigned long)slow);
    finish(s, SECONDS(10));
}

static void two_on_one_connection(struct sim *s)
{
    choppy_network(s);
    sim_start(s);
    mux_client_start(s, 2 + up_to(s, 4), 4);
    client_start(s, &(struct client_script){ .requests = 5,
                                             .pipeline = 1,
                                             .think_ms = 20,
                                             .read_size = 16384,
                                             .plan = ordinary_plan });
    finish(s, SECONDS(120));
}

static void through_a_filter(struct sim *s)
{
    choppy_network(s);
    sim_start(s);
    for (unsigned i = 0; i < 4; i++)
        client_start(s, &(struct client_script){ .requests = 12,
                                                 .pipeline = 1 + up_to(s, 5),
                                                 .read_size = 16384,
                                                 .dressed = true,
                                                 .plan = ordinary_plan });
    finish(s, SECONDS(300));
}

static void reloads(struct sim *s)
{
    choppy_network(s);
    sim_start(s);
    for (unsigned i = 0; i < 5; i++)
        client_start(s, &(struct client_script){ .requests = 15,
                                                 .pipeline = 1 + up_to(s, 3),
                                                 .think_ms = 100,
                                                 .read_size = 16384,
                                                 .plan = ordinary_plan });
    for (unsigned i = 0; i < 20 && s->clients_running; i++) {
        sim_pass(s, up_to(s, 300) * NS_PER_MS);
        kit_publish(s, 1 + up_to(s, KIT_INSTANCES - 1));
    }
    sim_run(s, SECONDS(300));
    sim_pass(s, SECONDS(2));
    SIM_CHECK(s, s->failure[0] || s->control.publication.held_count == 1,
              "%zu configurations are still held", s->control.publication.held_count);
    finish(s, SECONDS(10));
}

/* One instance that serves, of which each is away for long enough to be the first that gives way, and many that do not. */
static void others_come(struct sim *s, unsigned number, ns_t time)
{
    s->turned = number / 10 % KIT_INSTANCES;
    s->release += 1 + up_to(s, 5);
    s->drained_from += 10 + up_to(s, 20);
    kit_publish(s, 1);
    sim_pass(s, time);
}

/* Instances and releases of which there are more, one after the other, than may have a value: those that went give their
 * values to others while requests to them are still under way. */
static void values_come_and_go(struct sim *s)
{
    uint64_t retired[NAMED_DIMENSIONS] = {};

    choppy_network(s);
    s->release = 1;
    s->drained_more = 30;
    sim_start(s);
    for (unsigned i = 0; i < 5; i++)
        client_start(s, &(struct client_script){ .requests = 60,
                                                 .pipeline = 1 + up_to(s, 3),
                                                 .think_ms = 900,
                                                 .read_size = 16384,
                                                 .plan = ordinary_plan });
    for (unsigned i = 0; i < 80 && s->clients_running; i++)
        others_come(s, i, up_to(s, 1000) * NS_PER_MS);
    sim_run(s, SECONDS(300));
    sim_pass(s, SECONDS(400)); /* over some marks, which those that give way now have */
    for (unsigned i = 0; i < 20; i++)
        others_come(s, i, SECONDS(2));
    for (unsigned n = 0; n < KIT_JOURNEYS * NAMED_DIMENSIONS; n++) {
        const struct journey *j = &control_config(&s->control)->journeys[n / NAMED_DIMENSIONS];
        const struct value_list *l =
            &s->control.registry.dimensions.journeys[j->id]->named[n % NAMED_DIMENSIONS];
        for (unsigned o = 0; o < DIMENSION_OUTCOMES; o++)
            retired[n % NAMED_DIMENSIONS] += l->retired[o];
    }
    SIM_CHECK(s, retired[DIMENSION_INSTANCE] > 0, "no instance with counts gave its value away");
    SIM_CHECK(s, retired[DIMENSION_RELEASE] > 0, "no release with counts gave its value away");
    finish(s, SECONDS(10));
}

/* Half of the requests are of three tenants, which change from time to time; the others of more than could have a value. */
static void tenants_plan(struct sim *s, struct plan *p)
{
    unsigned era = (unsigned)(sim_now(s->world) / SECONDS(12));

    good_plan(s, p);
    p->delay_ms = up_to(s, 20);
    p->size = up_to(s, 500);
    p->cookie = one_in(s, 2) ? 1000 + up_to(s, 75) : 1 + era * 3 + up_to(s, 2);
}

static void tenants_change(struct sim *s)
{
    uint64_t retired = 0;

    choppy_network(s);
    s->has_tenants = true;
    sim_start(s);
    for (unsigned i = 0; i < 8; i++)
        client_start(s, &(struct client_script){ .requests = 200,
                                                 .pipeline = 1,
                                                 .think_ms = 300,
                                                 .read_size = 16384,
                                                 .plan = tenants_plan });
    for (unsigned i = 0; i < 60 && s->clients_running; i++) {
        sim_pass(s, up_to(s, 1500) * NS_PER_MS);
        s->has_tenants = !one_in(s, 8);
        kit_publish(s, KIT_INSTANCES);
    }
    sim_run(s, SECONDS(300));
    for (unsigned n = 0; n < KIT_JOURNEYS; n++) {
        const struct journey *j = &control_config(&s->control)->journeys[n];
        const struct journey_values *v = s->control.registry.dimensions.journeys[j->id];
        for (unsigned o = 0; o < DIMENSION_OUTCOMES; o++)
            retired += v->tenant_retired[o];
    }
    SIM_CHECK(s, retired > 0, "no tenant with counts gave his value away");
    SIM_CHECK(s, s->control.tenants.held_count <= 2, "%zu tables of tenants are held",
              s->control.tenants.held_count);
    finish(s, SECONDS(10));
}

static void malformed_plan(struct sim *s, struct plan *p)
{
    ordinary_plan(s, p);
    p->http10 = false;
    p->malformed = one_in(s, 3);
    if (p->malformed)
        p->body = 0;
}

static void malformed_requests(struct sim *s)
{
    choppy_network(s);
    sim_start(s);
    for (unsigned i = 0; i < 5; i++)
        client_start(s, &(struct client_script){ .requests = 15,
                                                 .pipeline = 1 + up_to(s, 3),
                                                 .read_size = 16384,
                                                 .plan = malformed_plan });
    sim_run(s, SECONDS(300));
    uint64_t sent = 0;
    for (unsigned j = 0; j < KIT_JOURNEYS; j++)
        sent += s->tally.n[j][SURE_NOTHING];
    uint64_t refused = book_sum(&s->control.book, s->control.registry.edge.endings +
                                                      ending_of_http1(HTTP1_length_and_encoding));
    SIM_CHECK(s, refused == sent, "%lu malformed requests, %lu refused", (unsigned long)sent,
              (unsigned long)refused);
    finish(s, SECONDS(10));
}

/* More clients than connections are allowed: they wait in the queue and all get served. */
static void more_clients_than_room(struct sim *s)
{
    choppy_network(s);
    s->limits.connections = 4;
    sim_start(s);
    for (unsigned i = 0; i < 16; i++)
        client_start(s,
                     &(struct client_script){
                         .requests = 3, .pipeline = 1, .read_size = 16384, .plan = ordinary_plan });
    finish(s, SECONDS(300));
}

static void stopping_under_load(struct sim *s)
{
    choppy_network(s);
    sim_start(s);
    for (unsigned i = 0; i < 6; i++)
        client_start(s, &(struct client_script){ .requests = 10,
                                                 .pipeline = 1,
                                                 .think_ms = 5,
                                                 .read_size = 16384,
                                                 .plan = ordinary_plan });
    sim_pass(s, up_to(s, 3000) * NS_PER_MS);
    unsigned under_way =
        (unsigned)(s->edges[0].exchange_list.count + s->edges[1].exchange_list.count);
    unsigned answers = s->answers;
    sim_stop(s);
    sim_pass(s, SECONDS(1));
    SIM_CHECK(s, s->failure[0] || s->answers >= answers + under_way,
              "%u requests were under way, only %u were answered", under_way, s->answers - answers);
    sim_compare(s);
}

const struct scenario scenarios[] = {
    { "keep_alive", "clients use their connections again; all framings, statuses and methods",
      keep_alive },
    { "pipelining", "requests are sent ahead and answered in order", pipelining },
    { "failing_instances", "instances reset, fall silent, talk garbage, contradict themselves",
      failing_instances },
    { "stray_bytes", "instances send what nobody asked for on idle connections", stray_bytes },
    { "coming_and_going", "instances refuse connections and come back; nobody notices",
      coming_and_going },
    { "leaving_clients", "clients leave in the middle of a body or while they wait",
      leaving_clients },
    { "broken_lines", "every connection may reset, stall or be refused", broken_lines },
    { "slow_readers", "large bodies, small windows, slow clients", slow_readers },
    { "two_on_one_connection", "a codec that carries several exchanges at once",
      two_on_one_connection },
    { "through_a_filter", "bytes pass through a filter that holds some back", through_a_filter },
    { "reloads", "new configurations come into force under load", reloads },
    { "values_come_and_go", "more instances and releases, one after the other, than have values",
      values_come_and_go },
    { "tenants_change",
      "more tenants than have values, and others come to be the ones who ask most",
      tenants_change },
    { "malformed_requests", "what is not HTTP is refused and counted for no journey",
      malformed_requests },
    { "more_clients_than_room", "clients beyond the limit wait for their turn",
      more_clients_than_room },
    { "flapping", "an instance that its checks find down gets no request while others are up",
      flapping },
    { "checks_follow_the_configuration", "instances come and go, and their checks with them",
      checks_follow_the_configuration },
    { "many_checks", "checks that wait do not become a flood", many_checks },
    { "clock_is_set", "the wall clock is set on and back by minutes while requests go on",
      clock_is_set },
    { "stopping_under_load", "everything under way is finished, counted and stored",
      stopping_under_load },
    /* scenarios_balance.c */
    { "slow_instance", "two choices leave one that is ten times slower out", slow_instance },
    { "panic", "most instances fail: all are used, until they answer again", panic },
    { "ejection_grows",
      "one that goes on failing is left alone for longer and longer, by all workers",
      ejection_grows },
    { "retry_after", "an instance that asks to be left alone is", retry_after },
    { "hash_affinity", "a cookie leads to one instance; only the keys of one that goes move",
      hash_affinity },
    { "hot_key", "a key that everybody has does not fill its instance", hot_key },
    { "drain_under_load", "an instance drains by a new configuration: nothing fails",
      drain_under_load },
    { "slow_start", "an instance that appears gets its share little by little", slow_start },
    { "beginner_helps", "one that appears where the others overflow takes its part of that at once",
      beginner_helps },
    { "full_not_broken", "one that was ejected because it was full comes back when it is not",
      full_not_broken },
    { "zone_preferred", "the own zone's instances are used while they can carry it",
      zone_preferred },
    { "observe_is_plain", "observe mode forwards in turn and counts what it would have done",
      observe_is_plain },
    /* scenarios_retry.c */
    { "failing_instance_retried", "one instance fails every request: nobody notices who may not",
      failing_instance_retried },
    { "black_hole", "one instance never answers", black_hole },
    { "broken_bodies_held", "one instance breaks its bodies: clients see whole answers of another",
      broken_bodies_held },
    { "streams_not_held", "what trickles reaches the client as it comes", streams_not_held },
    { "retry_storm", "everything fails: retries stay within the budget", retry_storm },
    { "refusals_not_retried", "this node has too much to do: nothing is tried again",
      refusals_not_retried },
    { "one_stall_is_no_overload", "a machine that stands still for seconds: nobody is refused",
      one_stall_is_no_overload },
    { "deadline", "one deadline over all tries, which instances are told", deadline },
    { "deadline_while_sending", "the deadline holds while an instance does not take the request",
      deadline_while_sending },
    { "short_time_left", "who gets a request shortly before its deadline is not blamed",
      short_time_left },
    { "pipelined_behind_slow", "a request that waits behind a long answer has its whole time",
      pipelined_behind_slow },
    { "pipelined_under_load", "a request that waited behind a long answer is no slow one",
      pipelined_under_load },
    { "client_gone_cancels", "clients leave while their request waits, is held, or backs off",
      client_gone_cancels },
    { "unsent_post_redispatched", "a POST that no instance got goes to another",
      unsent_post_redispatched },
    { "repeats", "instances close idle connections just when a request comes", repeats },
};

const size_t scenario_count = sizeof(scenarios) / sizeof(scenarios[0]);
