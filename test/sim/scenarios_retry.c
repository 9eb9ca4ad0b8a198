/* SPDX-License-Identifier: Apache-2.0 */
/* scenarios_retry.c - stories of trying again: what is, what is not, how often, and until when. */
#include "scenarios.h"

#include "plane/http/exchange.h"

static void quick_plan(struct sim *s, struct plan *p)
{
    p->journey = up_to(s, KIT_JOURNEYS - 1);
    p->delay_ms = up_to(s, 10);
    p->size = up_to(s, 2000);
}

/* GET, PUT with a small body, POST. */
static void mixed_plan(struct sim *s, struct plan *p)
{
    quick_plan(s, p);
    if (one_in(s, 3))
        p->body = 1 + up_to(s, 3000);
    p->put = p->body && one_in(s, 2);
}

static uint64_t tallied(const struct sim *s, enum sure what)
{
    return s->tally.n[0][what] + s->tally.n[1][what] + s->tally.n[2][what];
}

/* ---- one of three */

void failing_instance_retried(struct sim *s)
{
    static const enum manner hows[] = { MANNER_ERROR, MANNER_BUSY };
    unsigned fails = up_to(s, KIT_INSTANCES - 1);

    choppy_network(s);
    s->shop.balance = (enum balance)pick(s, 4);
    s->shop.retry.budget_ppm = 1000000;
    s->manners[fails] = (struct manners){ .how = hows[pick(s, 2)], .ms = one_in(s, 2) ? 0 : 2000 };
    if (s->manners[fails].how == MANNER_ERROR)
        s->manners[fails].ms = up_to(s, 20);
    for (unsigned i = 0; i < KIT_INSTANCES; i++)
        s->manners[i].idle_ms = one_in(s, 2) ? 5 + up_to(s, 20) : 0;
    sim_start(s);
    clients_start(s, 5, 40, 15, mixed_plan);
    sim_run(s, SECONDS(120));
    SIM_CHECK(s, s->bad_idempotent == 0, "%u that may be repeated failed", s->bad_idempotent);
    SIM_CHECK(s, kit_service(s, SERVICE_RETRIES) + s->bad_others >= s->asked[fails],
              "%u requests were failed, %lu were tried again, %u could not be", s->asked[fails],
              (unsigned long)kit_service(s, SERVICE_RETRIES), s->bad_others);
    SIM_CHECK(s, tallied(s, SURE_FAILED) + tallied(s, UNSURE) >= s->bad_others,
              "a POST failed and was not counted so");
    finish(s, SECONDS(1));
}

void black_hole(struct sim *s)
{
    unsigned hole = up_to(s, KIT_INSTANCES - 1);

    choppy_network(s);
    s->shop.retry.budget_ppm = 1000000;
    s->shop.timeout.head = 500 * NS_PER_MS;
    s->shop.balance = (enum balance)pick(s, 4);
    s->patience_ms = 800;
    s->manners[hole].how = MANNER_HOLE;
    sim_start(s);
    clients_start(s, 5, 30, 15, quick_plan);
    sim_run(s, SECONDS(120));
    SIM_CHECK(s, s->bad_idempotent == 0, "%u that may be repeated failed", s->bad_idempotent);
    SIM_CHECK(s, kit_instance(s, hole, INSTANCE_BROKEN) == s->asked[hole],
              "%u requests went into the hole, %lu were given up", s->asked[hole],
              (unsigned long)kit_instance(s, hole, INSTANCE_BROKEN));
    finish(s, SECONDS(1));
}

static void body_plan(struct sim *s, struct plan *p)
{
    quick_plan(s, p);
    p->size = 2 + up_to(s, one_in(s, 2) ? 500 : HOLD_MAX - 2);
}

/* Answers that fit are held until they are whole, so a broken one never reaches a client. Long ones, and those
 * whose length nobody knows, can only be broken off. */
void broken_bodies_held(struct sim *s)
{
    unsigned breaks = up_to(s, KIT_INSTANCES - 1);

    choppy_network(s);
    s->marks = true;
    s->shop.retry.attempts = 2 + up_to(s, 1); /* with three the second answer is held as well */
    s->shop.retry.budget_ppm = 1000000;
    s->shop.timeout.idle = NS_PER_S;
    s->shop.balance = (enum balance)pick(s, 4);
    s->manners[breaks].how = one_in(s, 3) ? MANNER_STUCK : MANNER_BREAKS;
    sim_start(s);
    clients_start(s, 5, 40, 15, body_plan);
    sim_run(s, SECONDS(120));
    SIM_CHECK(s, s->bad_idempotent == 0, "%u answers were broken", s->bad_idempotent);
    SIM_CHECK(s, kit_service(s, SERVICE_HELD) > 0, "nothing was held");
    SIM_CHECK(s, kit_instance(s, breaks, INSTANCE_BROKEN) == s->asked[breaks],
              "an answer was broken and not counted so");
    finish(s, SECONDS(1));
}

static void drip_plan(struct sim *s, struct plan *p)
{
    p->trouble = TROUBLE_DRIP;
    p->framing = FRAMING_CHUNKED;
    p->events = one_in(s, 3);
    p->drip_ms = 1 + up_to(s, one_in(s, 2) ? 20 : 300);
    p->size = 1 + up_to(s, 150);
}

void streams_not_held(struct sim *s)
{
    sim_start(s);
    clients_start(s, 3, 15, 5, drip_plan);
    finish(s, SECONDS(300));
}

/* ---- everything fails */

enum { STORM_SECONDS = 200, WINDOW = 10, MINUTE = 60 };

static struct {
    uint64_t offered[STORM_SECONDS]; /* until each second's end */
    uint64_t asked[STORM_SECONDS];
    unsigned at;
} storm;

static void storm_second(struct sim *s)
{
    sim_pass(s, NS_PER_S);
    check(storm.at < STORM_SECONDS);
    storm.offered[storm.at] = kit_service(s, SERVICE_OFFERED);
    storm.asked[storm.at++] = s->instance_requests;
}

static uint64_t upto(const uint64_t *a, int second)
{
    return second < 0 ? 0 : a[second];
}

/* What instances got beyond what was asked, over any time: the share of what was asked then and in the window
 * before, and what is always allowed. */
static void check_amplification(struct sim *s)
{
    for (int from = 0; from < (int)storm.at; from++) {
        for (int to = from + 1; to <= (int)storm.at && to <= from + MINUTE; to++) {
            uint64_t asked = upto(storm.asked, to - 1) - upto(storm.asked, from - 1);
            uint64_t offered = upto(storm.offered, to - 1) - upto(storm.offered, from - 1);
            uint64_t counted = upto(storm.offered, to - 1) - upto(storm.offered, from - 1 - WINDOW);
            uint64_t most = counted * s->shop.retry.budget_ppm / 1000000 +
                            (uint64_t)RETRY_FLOOR * (unsigned)((to - from) / WINDOW + 2);
            const unsigned on_their_way = 12;
            SIM_CHECK(s, asked <= offered + most + on_their_way,
                      "%lu requests became %lu within %d s", (unsigned long)offered,
                      (unsigned long)asked, to - from);
        }
    }
}

/* Calm, a pause, the storm, and calm again. */
void retry_storm(struct sim *s)
{
    memset(&storm, 0, sizeof(storm));
    s->shop.retry.attempts = 3;
    s->shop.retry.backoff = NS_PER_MS;
    sim_start(s);
    clients_start(s, 10, 150, 5, quick_plan);
    while (s->clients_running && !s->failure[0])
        storm_second(s);
    SIM_CHECK(s, kit_service(s, SERVICE_RETRIES) == 0, "something was tried again in calm");
    for (unsigned i = 0; i < WINDOW + 2; i++)
        storm_second(s);
    for (unsigned i = 0; i < KIT_INSTANCES; i++)
        s->manners[i].how = one_in(s, 2) ? MANNER_ERROR : MANNER_BUSY;
    clients_start(s, 12, 40, one_in(s, 2) ? 5 : 500, quick_plan);
    while (s->clients_running && !s->failure[0])
        storm_second(s);
    SIM_CHECK(s, kit_service(s, SERVICE_RETRIES) > 0, "nothing was tried again in the storm");
    SIM_CHECK(s, kit_service(s, SERVICE_RETRIES_DENIED) > 0, "nothing was denied in the storm");
    SIM_CHECK(s, s->bad_idempotent == 12 * 40, "some did not fail in the storm");
    check_amplification(s);
    for (unsigned i = 0; i < KIT_INSTANCES; i++)
        s->manners[i].how = MANNER_GOOD;
    clients_start(s, 5, 20, 5, quick_plan);
    sim_run(s, SECONDS(60));
    SIM_CHECK(s, s->bad_idempotent == 12 * 40, "requests fail after the storm");
    finish(s, SECONDS(1));
}

static void overload(struct sim *s)
{
    for (unsigned i = 0; i < KIT_WORKERS; i++)
        s->edges[i].lag = 1000 * NS_PER_S;
}

/* Everything fails slowly; meanwhile the turns become long. New requests are refused, and what is under way is
 * not tried again. */
void refusals_not_retried(struct sim *s)
{
    for (unsigned i = 0; i < KIT_INSTANCES; i++)
        s->manners[i] = (struct manners){ .how = MANNER_ERROR, .ms = 300 };
    s->shop.retry.budget_ppm = 1000000;
    sim_start(s);
    clients_start(s, 6, 4, 5, quick_plan);
    sim_pass(s, 100 * NS_PER_MS);
    for (unsigned i = 0; i < 1000 && s->clients_running; i++) {
        overload(s);
        sim_pass(s, NS_PER_MS);
    }
    SIM_CHECK(s, s->clients_running == 0, "the clients were not refused");
    SIM_CHECK(s, kit_service(s, SERVICE_RETRIES) == 0, "an overloaded node tries again");
    SIM_CHECK(s, s->instance_requests == 6, "%u refused requests reached an instance",
              s->instance_requests - 6);
    SIM_CHECK(s, kit_ending(s, ENDING_overloaded) == 6 * 3, "%lu were refused",
              (unsigned long)kit_ending(s, ENDING_overloaded));
    finish(s, SECONDS(1));
}

/* The machine stands still in the middle of a turn, for seconds: that is over when it is seen, so nobody is refused and no
 * connection is closed for it. */
void one_stall_is_no_overload(struct sim *s)
{
    sim_start(s);
    clients_start(s, 6, 20, 5, quick_plan);
    sim_pass(s, up_to(s, 50) * NS_PER_MS);
    for (unsigned i = 0; i < KIT_WORKERS; i++)
        s->edges[i].reactor->busy = (1 + up_to(s, 100)) * NS_PER_S;
    for (unsigned i = 0; i < 1000 && s->clients_running; i++) {
        sim_pass(s, NS_PER_MS);
        for (unsigned k = 0; k < KIT_WORKERS; k++)
            SIM_CHECK(s, s->edges[k].overload == OVERLOAD_NONE, "it is overloaded after %u ms", i);
    }
    SIM_CHECK(s, s->clients_running == 0, "not all was answered");
    finish(s, SECONDS(1));
}

/* ---- deadlines */

static ns_t deadline_for(const struct sim *s, const struct plan *p)
{
    ns_t theirs = p->timeout_ms * NS_PER_MS;

    return s->trusts_clients && p->timeout_ms && theirs < s->shop.timeout.total
               ? theirs
               : s->shop.timeout.total;
}

static unsigned timeouts[KIT_IDS]; /* of each request, for the instance does not see it */

static void check_told(struct sim *s, const struct plan *p, ns_t until)
{
    struct plan asked = { .timeout_ms = timeouts[p->id] };
    ns_t wanted = deadline_for(s, &asked);

    SIM_CHECK(s, until > wanted - 2 * NS_PER_MS && until < wanted + 30 * NS_PER_MS,
              "request %u: told %d ms, not %d", p->id, (int)(until / NS_PER_MS),
              (int)(wanted / NS_PER_MS));
}

static void check_given_up(struct sim *s, const struct plan *p, unsigned status, ns_t took)
{
    ns_t wanted = deadline_for(s, p);

    SIM_CHECK(s, status == 504, "request %u: %u instead of 504", p->id, status);
    SIM_CHECK(s, took > wanted - NS_PER_MS && took < wanted + 40 * NS_PER_MS,
              "request %u was given up after %d ms, not %d", p->id, (int)(took / NS_PER_MS),
              (int)(wanted / NS_PER_MS));
}

static void impatient_plan(struct sim *s, struct plan *p)
{
    quick_plan(s, p);
    if (one_in(s, 3))
        p->body = 1 + up_to(s, 200);
    p->put = p->body;
    p->timeout_ms = one_in(s, 2) ? 50 + up_to(s, 2000) : 0;
    timeouts[p->id] = p->timeout_ms;
}

void deadline(struct sim *s)
{
    s->trusts_clients = one_in(s, 2);
    s->on_timeout = check_told;
    s->on_answer = check_given_up;
    s->shop.timeout.head = 400 * NS_PER_MS;
    s->shop.timeout.total = 700 * NS_PER_MS;
    s->shop.retry.attempts = 3;
    s->shop.retry.budget_ppm = 1000000;
    for (unsigned i = 0; i < KIT_INSTANCES; i++)
        s->manners[i].how = MANNER_HOLE;
    sim_start(s);
    clients_start(s, 4, 10, 10, impatient_plan);
    sim_run(s, SECONDS(60));
    SIM_CHECK(s, kit_ending(s, ENDING_deadline) == 40, "%lu met their deadline",
              (unsigned long)kit_ending(s, ENDING_deadline));
    SIM_CHECK(s, s->instance_requests > 40, "nothing was tried again");
    finish(s, SECONDS(1));
}

/* The window is a little smaller than the request: its last part never goes whole. */
static void fat_plan(struct sim *s, struct plan *p)
{
    quick_plan(s, p);
    p->body = 24000;
    p->put = true;
}

void deadline_while_sending(struct sim *s)
{
    struct sim_faults f = { .delay_max = NS_PER_MS, .window_min = 21500, .window_max = 21500 };

    s->shop.timeout.total = NS_PER_S;
    s->shop.timeout.idle = 10 * NS_PER_S;
    s->patience_ms = 1200;
    for (unsigned i = 0; i < KIT_INSTANCES; i++) {
        sim_faults_set(s->world, &s->behind[i], &f);
        s->manners[i].how = MANNER_DEAF;
    }
    sim_start(s);
    clients_start(s, 2, 3, 10, fat_plan);
    sim_run(s, SECONDS(100));
    SIM_CHECK(s, kit_ending(s, ENDING_deadline) == 6, "%lu met their deadline",
              (unsigned long)kit_ending(s, ENDING_deadline));
    finish(s, SECONDS(1));
}

/* After the hole has had 400 of 500 ms, the others have not enough for what usually takes them 200. */
void short_time_left(struct sim *s)
{
    s->shop.eject.failures = 1;
    s->shop.eject.time = NS_PER_MS; /* the hole goes on being asked */
    s->shop.eject.most = NS_PER_MS;
    s->shop.slow_start = 0;
    s->shop.balance = BALANCE_ROUND_ROBIN;
    s->shop.timeout.head = 400 * NS_PER_MS;
    s->shop.timeout.total = 500 * NS_PER_MS;
    s->shop.retry.budget_ppm = 1000000;
    s->manners[0].how = MANNER_HOLE;
    s->manners[1] = s->manners[2] = (struct manners){ .how = MANNER_SLOW, .ms = 200 };
    sim_start(s);
    clients_start(s, 4, 15, 10, quick_plan);
    sim_run(s, SECONDS(60));
    SIM_CHECK(s, kit_ending(s, ENDING_deadline) > 0, "nobody met a deadline");
    SIM_CHECK(s, kit_instance(s, 0, INSTANCE_EJECTIONS) > 0, "the hole is not to blame");
    for (unsigned i = 1; i < KIT_INSTANCES; i++)
        SIM_CHECK(s, kit_instance(s, i, INSTANCE_EJECTIONS) == 0,
                  "instance %u is blamed for having had no time", i);
    finish(s, SECONDS(1));
}

static void long_plan(struct sim *s, struct plan *p)
{
    p->delay_ms = up_to(s, 10);
    p->size = p->id % 2 ? 300000 : 100;
    p->framing = (enum framing)pick(s, 2);
}

/* The first answer takes seconds to be read; the request behind it came at once. */
void pipelined_behind_slow(struct sim *s)
{
    s->shop.timeout.total = 500 * NS_PER_MS;
    sim_start(s);
    client_start(s, &(struct client_script){ .requests = 6,
                                             .pipeline = 2,
                                             .read_size = 4000,
                                             .read_pause_ms = 40,
                                             .plan = long_plan });
    sim_run(s, SECONDS(100));
    SIM_CHECK(s, s->bad_idempotent == 0, "%u failed because a client reads slowly",
              s->bad_idempotent);
    finish(s, SECONDS(1));
}

static void thinking_plan(struct sim *s, struct plan *p)
{
    p->delay_ms = p->id % 2 ? 1500 + up_to(s, 1000) : up_to(s, 10);
    p->size = 100;
}

/* Just when an answer that took seconds has gone there is too much to do. The whole request behind it, which is to be
 * looked at next, is not refused as a head that came slowly. */
void pipelined_under_load(struct sim *s)
{
    ns_t until = sim_now(s->world) + SECONDS(100);
    unsigned times = 0;

    sim_start(s);
    for (unsigned i = 0; i < 3; i++)
        client_start(s,
                     &(struct client_script){
                         .requests = 6, .pipeline = 2, .read_size = 4000, .plan = thinking_plan });
    while (s->clients_running && sim_step(s->world, until)) {
        for (unsigned k = 0; k < KIT_WORKERS; k++) {
            bool unread = !list_empty(&s->edges[k].head_downs);
            times += unread;
            s->edges[k].lag = unread ? 200 * NS_PER_MS : 0;
        }
    }
    SIM_CHECK(s, s->clients_running == 0 && times > 0, "not all was answered");
    SIM_CHECK(s, kit_ending(s, ENDING_overloaded) == 0, "%lu were refused",
              (unsigned long)kit_ending(s, ENDING_overloaded));
    finish(s, SECONDS(1));
}

/* ---- leaving */

static void leaving_plan(struct sim *s, struct plan *p)
{
    quick_plan(s, p);
    p->size = 100 + up_to(s, 10000);
    p->abort = ABORT_WAITING;
}

void client_gone_cancels(struct sim *s)
{
    static const enum manner hows[] = { MANNER_HOLE, MANNER_STUCK, MANNER_ERROR };

    s->shop.eject.failures = 0;
    s->shop.retry.budget_ppm = 1000000;
    s->shop.retry.backoff = 10 * NS_PER_S;
    s->shop.balance = BALANCE_ROUND_ROBIN;
    for (unsigned i = 0; i < KIT_INSTANCES; i++)
        s->manners[i].how = hows[i];
    sim_start(s);
    clients_start(s, 4, 9, 10, leaving_plan);
    sim_run(s, SECONDS(100));
    sim_pass(s, 200 * NS_PER_MS);
    SIM_CHECK(s, tallied(s, SURE_EXCLUDED) == 4 * 9, "%lu clients left",
              (unsigned long)tallied(s, SURE_EXCLUDED));
    for (unsigned i = 0; i < KIT_INSTANCES; i++)
        SIM_CHECK(s, s->under_way[i] == 0, "instance %u works on for %u clients that left", i,
                  s->under_way[i]);
    finish(s, SECONDS(1));
}

/* ---- nothing was sent */

static void post_plan(struct sim *s, struct plan *p)
{
    quick_plan(s, p);
    p->body = 1 + up_to(s, one_in(s, 4) ? 60000 : 500);
    p->body_chunked = one_in(s, 2);
}

void unsent_post_redispatched(struct sim *s)
{
    unsigned down = up_to(s, KIT_INSTANCES - 1);

    choppy_network(s);
    s->shop.balance = (enum balance)pick(s, 3);
    s->shop.slow_start = 0;
    s->shop.eject.time = 50 * NS_PER_MS;
    s->shop.eject.most = 200 * NS_PER_MS;
    s->shop.retry.budget_ppm = one_in(s, 2) ? 0 : 100000;
    sim_start(s);
    instance_down(s, down);
    clients_start(s, 5, 15, 30, post_plan);
    sim_run(s, SECONDS(120));
    SIM_CHECK(s, s->bad_others == 0, "%u failed although two instances accept", s->bad_others);
    SIM_CHECK(s, kit_service(s, SERVICE_REDISPATCHES) > 0, "nothing went to another");
    SIM_CHECK(s, kit_service(s, SERVICE_RETRIES) == 0, "a POST was tried again");
    SIM_CHECK(s, s->instance_requests == 5 * 15, "%u of %u came to an instance",
              s->instance_requests, 5 * 15);
    finish(s, SECONDS(1));
}

/* Instances close what is idle after about as long as clients pause. What may be repeated is, and no GET fails;
 * nothing is retried for it, and nobody is blamed. */
void repeats(struct sim *s)
{
    choppy_network(s);
    s->shop.eject.failures = 1;
    s->shop.retry.budget_ppm = one_in(s, 2) ? 0 : 100000;
    s->shop.retry.attempts = 1 + up_to(s, 1);
    for (unsigned i = 0; i < KIT_INSTANCES; i++)
        s->manners[i].idle_ms = 10 + up_to(s, 5);
    sim_start(s);
    clients_start(s, 5, 60, 20, quick_plan);
    sim_run(s, SECONDS(120));
    SIM_CHECK(s, s->bad_idempotent == 0, "%u failed because an idle connection closed",
              s->bad_idempotent);
    SIM_CHECK(s, kit_service(s, SERVICE_RETRIES) == 0, "a repeat was counted as a retry");
    for (unsigned i = 0; i < KIT_INSTANCES; i++)
        SIM_CHECK(s, kit_instance(s, i, INSTANCE_EJECTIONS) == 0, "instance %u was blamed", i);
    finish(s, SECONDS(1));
}
