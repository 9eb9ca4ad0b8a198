/* SPDX-License-Identifier: Apache-2.0 */
/* scenarios_balance.c - stories of which instance gets a request: slow, failing, new, leaving, near. */
#include "scenarios.h"

static void quick_plan(struct sim *s, struct plan *p)
{
    p->delay_ms = 5 + up_to(s, 10);
    p->size = 2 + up_to(s, 500);
}

/* Looks each `step` until all clients are done. */
static void watch(struct sim *s, ns_t step, void (*look)(struct sim *s))
{
    while (s->clients_running && !s->failure[0]) {
        sim_pass(s, step);
        look(s);
    }
}

static unsigned asked_all(const struct sim *s)
{
    return s->asked[0] + s->asked[1] + s->asked[2];
}

static unsigned bad(const struct sim *s)
{
    return s->bad_idempotent + s->bad_others;
}

/* ---- slow */

void slow_instance(struct sim *s)
{
    unsigned slow = up_to(s, KIT_INSTANCES - 1);

    s->manners[slow] = (struct manners){ .how = MANNER_SLOW, .ms = 100 };
    sim_start(s);
    clients_start(s, 4, 400, 2, quick_plan);
    sim_pass(
        s,
        SECONDS(
            3)); /* until each worker knows it: a try takes 100 ms, and one of them may have a single client */
    unsigned before = s->asked[slow];
    unsigned all = asked_all(s);
    sim_run(s, SECONDS(60));
    unsigned later = s->asked[slow] - before;
    all = asked_all(s) - all;
    SIM_CHECK(s, later * 100 <= all, "the slow one got %u of %u", later, all);
    SIM_CHECK(s, before > 0, "the slow one was never tried");
    finish(s, SECONDS(1));
}

/* ---- failing */

static struct {
    uint64_t gauge_most;
    unsigned asked[KIT_INSTANCES]; /* when panic was seen first */
} panicked;

static void look_at_panic(struct sim *s)
{
    uint64_t gauge = kit_service(s, SERVICE_PANIC);

    SIM_CHECK(s, gauge <= KIT_WORKERS, "%lu workers panic", (unsigned long)gauge);
    if (gauge > 0 && panicked.gauge_most == 0)
        memcpy(panicked.asked, s->asked, sizeof(s->asked));
    if (gauge > panicked.gauge_most)
        panicked.gauge_most = gauge;
}

/* Two of three fail. The ejections are long: it is success that ends the panic. */
void panic(struct sim *s)
{
    memset(&panicked, 0, sizeof(panicked));
    s->shop.balance = one_in(s, 2) ? BALANCE_ROUND_ROBIN : BALANCE_LEAST_REQUESTS;
    s->shop.eject.time = s->shop.eject.most = SECONDS(60);
    s->manners[0].how = s->manners[1].how = MANNER_ERROR;
    sim_start(s);
    clients_start(s, 12, 40, 20, quick_plan);
    watch(s, 10 * NS_PER_MS, look_at_panic);
    SIM_CHECK(s, panicked.gauge_most > 0, "nobody panicked");
    for (unsigned i = 0; i < KIT_INSTANCES; i++)
        SIM_CHECK(s, s->asked[i] > panicked.asked[i] + 10, "instance %u is not used in panic", i);
    s->manners[0].how = s->manners[1].how = MANNER_GOOD;
    clients_start(s, 12, 60, 20, quick_plan);
    watch(s, 10 * NS_PER_MS, look_at_panic);
    SIM_CHECK(s, kit_service(s, SERVICE_PANIC) == 0, "the panic has not ended");
    finish(s, SECONDS(1));
}

/* What is watched of one instance that is left alone. */
static struct {
    unsigned instance;
    unsigned asked;
    ns_t told;  /* since when control says that it is left alone */
    ns_t until; /* and until when */
    ns_t since[KIT_WORKERS];
    ns_t time[KIT_WORKERS]; /* of the last ejection */
    ns_t longest;
} alone;

/* Some moments after control said so, nobody asks it. */
static void look_at_the_lonely(struct sim *s)
{
    const ns_t settle = 30 * NS_PER_MS; /* mail, and what is on its way */
    ns_t now = sim_now(s->world);
    ns_t until = kit_ejected_until(s, alone.instance);

    SIM_CHECK(s,
              alone.until <= now || alone.told + settle > now ||
                  s->asked[alone.instance] == alone.asked,
              "one that is left alone was asked");
    alone.asked = s->asked[alone.instance];
    if (until > now && alone.until <= now)
        alone.told = now;
    alone.until = until;
}

static void look_at_ejections(struct sim *s)
{
    look_at_the_lonely(s);
    for (unsigned w = 0; w < KIT_WORKERS; w++) {
        const struct instance_state *i = kit_learned(s, w, alone.instance);
        ns_t most = s->shop.eject.most;
        ns_t settled = sim_now(s->world) - 30 * NS_PER_MS;
        SIM_CHECK(s,
                  i->ejected_at > settled || i->ejected_until <= sim_now(s->world) ||
                      kit_ejected_until(s, alone.instance) >= i->ejected_until,
                  "one worker leaves it alone and the others do not hear of it");
        if (i->ejected_at == alone.since[w])
            continue;
        ns_t between = i->ejected_at - alone.since[w] - alone.time[w];
        bool soon = alone.time[w] && between < 4 * alone.time[w] + SECONDS(10);
        ns_t wanted = soon ? 2 * alone.time[w] : s->shop.eject.time;
        SIM_CHECK(s, i->ejected_for == (wanted < most ? wanted : most),
                  "left alone for %d ms, before that %d", (int)(i->ejected_for / NS_PER_MS),
                  (int)(alone.time[w] / NS_PER_MS));
        SIM_CHECK(s, i->ejected_until - i->ejected_at == i->ejected_for,
                  "an ejection is not as long as it says");
        alone.since[w] = i->ejected_at;
        alone.time[w] = i->ejected_for;
        if (alone.longest < i->ejected_for)
            alone.longest = i->ejected_for;
    }
}

static void settle_alone(struct sim *s)
{
    memset(&alone, 0, sizeof(alone));
    alone.instance = up_to(s, KIT_INSTANCES - 1);
}

void ejection_grows(struct sim *s)
{
    settle_alone(s);
    unsigned i = alone.instance;
    s->shop.balance = one_in(s, 2) ? BALANCE_ROUND_ROBIN : BALANCE_LEAST_REQUESTS;
    s->shop.slow_start = 0;
    s->shop.eject = (struct eject){ .failures = 3, .time = SECONDS(1), .most = SECONDS(8) };
    s->manners[i].how = one_in(s, 2) ? MANNER_ERROR : MANNER_BREAKS;
    sim_start(s);
    clients_start(s, 4, 450, 120, quick_plan); /* some 30 s */
    watch(s, 10 * NS_PER_MS, look_at_ejections);
    SIM_CHECK(s, alone.longest == s->shop.eject.most, "left alone for %d ms at most",
              (int)(alone.longest / NS_PER_MS));
    SIM_CHECK(s, s->asked[i] < 60, "one that fails was asked %u times", s->asked[i]);
    s->manners[i].how = MANNER_GOOD;
    sim_pass(s, SECONDS(9));
    unsigned before = s->asked[i];
    clients_start(s, 4, 30, 20, quick_plan);
    watch(s, 10 * NS_PER_MS, look_at_ejections);
    SIM_CHECK(s, s->asked[i] - before >= 30, "one that answers again was asked %u times",
              s->asked[i] - before);
    finish(s, SECONDS(1));
}

/* Its first refusal is enough, for as long as it says. */
void retry_after(struct sim *s)
{
    settle_alone(s);
    unsigned i = alone.instance;
    s->shop.balance = BALANCE_ROUND_ROBIN;
    s->manners[i] = (struct manners){ .how = MANNER_BUSY, .ms = 3000 };
    sim_start(s);
    clients_start(s, 3, 60, 40, quick_plan);
    sim_pass(s, SECONDS(1));
    unsigned asked = s->asked[i];
    SIM_CHECK(s, asked > 0 && asked <= 6, "a busy one was asked %u times", asked);
    SIM_CHECK(s,
              kit_ejected_until(s, i) > sim_now(s->world) + SECONDS(1) &&
                  kit_ejected_until(s, i) <= sim_now(s->world) + SECONDS(3),
              "a busy one is not left alone for as long as it asks");
    watch(s, 10 * NS_PER_MS, look_at_the_lonely);
    SIM_CHECK(s, s->bad_idempotent == 0, "%u requests failed", s->bad_idempotent);
    finish(s, SECONDS(1));
}

/* ---- by hash */

enum { USERS = 30 };

static int homes[USERS + 1]; /* where each user's requests went; -1: none was made */
static int drained;          /* -1: none is */

static void user_plan(struct sim *s, struct plan *p)
{
    quick_plan(s, p);
    p->cookie = 1 + p->id % USERS;
}

static void check_home(struct sim *s, const struct plan *p, unsigned status, ns_t took)
{
    int at = s->seen[p->id].last;
    int *home = &homes[p->cookie];

    (void)status;
    (void)took;
    SIM_CHECK(s, at != drained, "user %u came to a drained instance", p->cookie);
    if (*home < 0 || *home == drained)
        *home = at; /* of a drained one: a new home, which must last as well */
    SIM_CHECK(s, *home == at, "user %u moved from %d to %d", p->cookie, *home, at);
}

static void by_hash(struct sim *s)
{
    s->shop.balance = BALANCE_HASH;
    s->shop.hash_on = (struct identity){ .kind = IDENTITY_COOKIE, .name = SPAN("user") };
    s->shop.slow_start = 0;
}

/* One after the other, over several connections, so that both workers see every user. */
static void visit(struct sim *s)
{
    for (unsigned i = 0; i < 6 && !s->failure[0]; i++) {
        client_start(s, &(struct client_script){ .requests = USERS,
                                                 .pipeline = 1,
                                                 .pause_ms = 5,
                                                 .read_size = 16384,
                                                 .plan = user_plan });
        sim_run(s, SECONDS(60));
    }
}

static void adopt(struct sim *s)
{
    kit_publish(s, KIT_INSTANCES);
    for (unsigned i = 0; i < 1000 && !kit_adopted(s); i++)
        sim_pass(s, NS_PER_MS);
    SIM_CHECK(s, kit_adopted(s), "a configuration was not adopted");
}

void hash_affinity(struct sim *s)
{
    unsigned used[KIT_INSTANCES] = {};

    memset(homes, -1, sizeof(homes));
    drained = -1;
    by_hash(s);
    s->on_answer = check_home;
    sim_start(s);
    visit(s);
    for (unsigned u = 1; u <= USERS; u++)
        used[homes[u] < 0 ? 0 : homes[u]]++;
    for (unsigned i = 0; i < KIT_INSTANCES; i++)
        SIM_CHECK(s, used[i] > 0, "no user came to instance %u", i);
    drained = (int)up_to(s, KIT_INSTANCES - 1);
    s->drains[drained] = true;
    adopt(s);
    visit(s);
    finish(s, SECONDS(1));
}

static void hot_plan(struct sim *s, struct plan *p)
{
    quick_plan(s, p);
    p->delay_ms = 200;
    p->cookie = 7;
}

static unsigned most_at_once;

static void look_at_load(struct sim *s)
{
    for (unsigned i = 0; i < KIT_INSTANCES; i++) {
        if (s->under_way[i] > most_at_once)
            most_at_once = s->under_way[i];
    }
}

/* Fifteen at once: a share is 5, a quarter more 6.25; a worker's picture of the other's is a moment old. */
void hot_key(struct sim *s)
{
    most_at_once = 0;
    by_hash(s);
    sim_start(s);
    clients_start(s, 15, 8, 5, hot_plan);
    watch(s, 5 * NS_PER_MS, look_at_load);
    SIM_CHECK(s, most_at_once <= 10, "%u of 15 were at one instance", most_at_once);
    SIM_CHECK(s, most_at_once > 4, "no more than %u were at one instance", most_at_once);
    finish(s, SECONDS(1));
}

/* ---- leaving and coming */

/* One of the others fails now and then, so that some back off when the configuration changes. */
void drain_under_load(struct sim *s)
{
    unsigned leaves = up_to(s, KIT_INSTANCES - 1);
    unsigned fails = (leaves + 1) % KIT_INSTANCES;

    choppy_network(s);
    s->shop.balance = (enum balance)pick(s, 4);
    s->shop.eject.failures = 0;
    s->shop.retry.budget_ppm = 1000000;
    s->shop.retry.backoff = 400 * NS_PER_MS;
    s->manners[fails] = (struct manners){ .how = MANNER_ERROR, .per_mille = 500 };
    sim_start(s);
    clients_start(s, 6, 30, 20, quick_plan);
    sim_pass(s, (200 + up_to(s, 400)) * NS_PER_MS);
    s->drains[leaves] = true;
    adopt(s);
    sim_pass(s, 20 * NS_PER_MS); /* what is on its way */
    unsigned asked = s->asked[leaves];
    sim_run(s, SECONDS(60));
    SIM_CHECK(s, s->asked[leaves] == asked, "a drained instance was asked %u times",
              s->asked[leaves] - asked);
    SIM_CHECK(s, bad(s) == 0, "%u requests failed", bad(s));
    sim_pass(s, NS_PER_S);
    SIM_CHECK(s, s->open[leaves] == 0 && kit_instance(s, leaves, INSTANCE_CONNECTIONS) == 0,
              "%u connections to a drained instance are kept", s->open[leaves]);
    finish(s, SECONDS(1));
}

static double share_within(struct sim *s, unsigned instance, ns_t time)
{
    unsigned its = s->asked[instance];
    unsigned all = asked_all(s);

    sim_pass(s, time);
    its = s->asked[instance] - its;
    all = asked_all(s) - all;
    return all ? its / (double)all : 0;
}

void slow_start(struct sim *s)
{
    s->shop.balance = one_in(s, 2) ? BALANCE_P2C : BALANCE_ROUND_ROBIN;
    s->instances = 2;
    sim_start(s);
    clients_start(s, 6, 1100, 20, quick_plan);
    double before = share_within(s, 0, SECONDS(1));
    adopt(s);
    double first = share_within(s, 2, SECONDS(1));
    double middle = share_within(s, 2, SECONDS(6));
    sim_pass(s, SECONDS(3));
    double last = share_within(s, 2, SECONDS(2));
    SIM_CHECK(s, s->clients_running == 6, "the clients were done too early");
    SIM_CHECK(s, before > 0.4 && before < 0.6, "%.2f at one of two from the start", before);
    SIM_CHECK(s, first > 0 && first < 0.15, "%.2f at once", first);
    SIM_CHECK(s, middle > first && middle < 0.32, "%.2f half-way, %.2f at once", middle, first);
    SIM_CHECK(s, last > 0.25 && last < 0.42, "%.2f at the end", last);
    finish(s, SECONDS(60));
}

/* Two have long lines; the third works as fast as they do and begins with nothing. */
void beginner_helps(struct sim *s)
{
    unsigned ms = 10 + up_to(s, 10);

    for (unsigned i = 0; i < KIT_INSTANCES; i++)
        s->manners[i] = (struct manners){ .how = MANNER_LINE, .ms = ms, .room = 1000 };
    s->instances = 2;
    sim_start(s);
    clients_start(s, 60, 16, 1, quick_plan);
    sim_pass(s, SECONDS(3));
    adopt(s);
    unsigned before = s->asked[2];
    sim_pass(s, SECONDS(1));
    unsigned could = 1000 / ms;
    unsigned did = s->asked[2] - before;
    SIM_CHECK(s, did * 10 >= could * 6, "the new one worked on %u in its first second, of %u", did,
              could);
    SIM_CHECK(s, s->clients_running > 40, "the clients were done too early");
    finish(s, SECONDS(60));
}

static struct {
    unsigned asked[KIT_INSTANCES];
    ns_t since[KIT_INSTANCES]; /* when it was asked last */
    ns_t longest;
} idle;

static void look_for_idle_ones(struct sim *s)
{
    for (unsigned i = 0; i < KIT_INSTANCES; i++) {
        bool busy = s->asked[i] != idle.asked[i] || s->worked_off[i] > sim_now(s->world);
        if (busy)
            idle.since[i] = sim_now(s->world);
        idle.asked[i] = s->asked[i];
        if (sim_now(s->world) - idle.since[i] > idle.longest)
            idle.longest = sim_now(s->world) - idle.since[i];
    }
}

/* More is asked than all can do. Ejections are long: an instance that stood idle for one would be seen. */
void full_not_broken(struct sim *s)
{
    memset(&idle, 0, sizeof(idle));
    for (unsigned i = 0; i < KIT_INSTANCES; i++)
        s->manners[i] = (struct manners){ .how = MANNER_LINE, .ms = 20, .room = 20 };
    s->shop.eject.time = s->shop.eject.most = SECONDS(20);
    sim_start(s);
    for (unsigned i = 0; i < KIT_INSTANCES; i++)
        idle.since[i] = sim_now(s->world);
    clients_start(s, 90, 12, 10, quick_plan);
    watch(s, 10 * NS_PER_MS, look_for_idle_ones);
    SIM_CHECK(s, idle.longest < SECONDS(1), "one stood idle for %d ms while others were full",
              (int)(idle.longest / NS_PER_MS));
    finish(s, SECONDS(60));
}

/* ---- near */

void zone_preferred(struct sim *s)
{
    unsigned far = up_to(s, KIT_INSTANCES - 1);

    for (unsigned i = 0; i < KIT_INSTANCES; i++)
        s->zones[i] = i == far ? "b" : "a";
    s->zone = "a";
    s->shop.slow_start = 0;
    s->shop.retry.budget_ppm = 1000000;
    s->shop.eject.time = SECONDS(60);
    s->shop.eject.most = SECONDS(60);
    s->shop.balance = (enum balance)pick(s, 3);
    sim_start(s);
    clients_start(s, 6, 20, 10, quick_plan);
    sim_run(s, SECONDS(60));
    SIM_CHECK(s, s->asked[far] == 0, "the far one was asked although the near ones answer");
    s->manners[(far + 1) % KIT_INSTANCES].how = MANNER_ERROR;
    clients_start(s, 12, 20, 10, quick_plan);
    sim_run(s, SECONDS(60));
    SIM_CHECK(s, s->asked[far] == 0 || bad(s) == 0, "the far one was asked");
    SIM_CHECK(s, s->bad_idempotent == 0, "%u failed although one near answers", s->bad_idempotent);
    /* nobody near answers: what the far one can carry is more than nothing */
    s->manners[(far + 2) % KIT_INSTANCES].how = MANNER_ERROR;
    clients_start(s, 12, 40, 10, quick_plan);
    sim_run(s, SECONDS(60));
    unsigned before = s->asked[far];
    clients_start(s, 12, 20, 10, quick_plan);
    sim_run(s, SECONDS(60));
    SIM_CHECK(s, s->asked[far] - before > 12 * 20 / 5, "only %u of %u asked the only good one",
              s->asked[far] - before, 12 * 20);
    finish(s, SECONDS(1));
}

/* ---- observe mode */

static void mixed_plan(struct sim *s, struct plan *p)
{
    quick_plan(s, p);
    p->journey = up_to(s, KIT_JOURNEYS - 1);
    if (one_in(s, 3))
        p->body = 1 + up_to(s, 300);
    p->put = p->body && one_in(s, 2);
}

static void check_turns(struct sim *s, unsigned requests)
{
    for (unsigned i = 0; i < KIT_INSTANCES; i++)
        SIM_CHECK(s,
                  s->asked[i] * KIT_INSTANCES + KIT_INSTANCES * KIT_WORKERS >= requests &&
                      s->asked[i] * KIT_INSTANCES <= requests + KIT_INSTANCES * KIT_WORKERS,
                  "instance %u got %u of %u", i, s->asked[i], requests);
    SIM_CHECK(s, s->instance_requests == requests, "%u requests, %u at instances", requests,
              s->instance_requests);
}

static void check_idle_hands(struct sim *s)
{
    SIM_CHECK(s,
              kit_service(s, SERVICE_RETRIES) == 0 && kit_service(s, SERVICE_REDISPATCHES) == 0 &&
                  kit_service(s, SERVICE_RETRIES_DENIED) == 0 &&
                  kit_service(s, SERVICE_HELD) == 0 && kit_service(s, SERVICE_PANIC) == 0,
              "observe mode acts");
    for (unsigned i = 0; i < KIT_INSTANCES; i++)
        SIM_CHECK(s, kit_instance(s, i, INSTANCE_EJECTIONS) == 0 && kit_ejected_until(s, i) == 0,
                  "observe mode ejects");
}

void observe_is_plain(struct sim *s)
{
    s->shop.mode = MODE_OBSERVE;
    s->shop.balance = (enum balance)pick(s, 4);
    s->manners[0] = (struct manners){ .how = MANNER_ERROR, .per_mille = one_in(s, 2) ? 0 : 700 };
    sim_start(s);
    clients_start(s, 5, 30, 10, mixed_plan);
    sim_run(s, SECONDS(60));
    check_turns(s, 5 * 30);
    check_idle_hands(s);
    uint64_t retries = kit_would(s, WOULD_RETRY_STATUS) + kit_would(s, WOULD_RETRY_DENIED);
    SIM_CHECK(s, retries == s->bad_idempotent && retries > 0, "%lu would be tried again, %u failed",
              (unsigned long)retries, s->bad_idempotent);
    SIM_CHECK(s,
              kit_would(s, WOULD_RETRY_TIMEOUT) == 0 && kit_would(s, WOULD_RETRY_BROKEN) == 0 &&
                  kit_would(s, WOULD_REDISPATCH) == 0,
              "what did not happen was counted");
    SIM_CHECK(s, kit_would(s, WOULD_EJECT_FAILURES) > 0 || s->manners[0].per_mille,
              "nobody would be left alone");
    unsigned before = bad(s);
    s->manners[0].how = MANNER_GOOD;
    instance_down(s, 1);
    clients_start(s, 5, 10, 10, mixed_plan);
    sim_run(s, SECONDS(60));
    check_idle_hands(s);
    uint64_t refused = kit_ending(s, ENDING_connect_failed);
    SIM_CHECK(s, refused == bad(s) - before && refused == kit_would(s, WOULD_REDISPATCH),
              "%lu refused, %u failed, %lu would go elsewhere", (unsigned long)refused,
              bad(s) - before, (unsigned long)kit_would(s, WOULD_REDISPATCH));
    finish(s, SECONDS(1));
}
