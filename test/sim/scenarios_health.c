/* SPDX-License-Identifier: Apache-2.0 */
/* scenarios_health.c - stories of active checks: what is down gets nothing, what is gone is not asked, and checks that
 * wait do not become a flood. */
#include "scenarios.h"

enum { MANY = 100 };

static void check_often(struct sim *s)
{
    s->shop.health = (struct health){ .path = SPAN("/healthz"),
                                      .interval = 200 * NS_PER_MS,
                                      .timeout = 100 * NS_PER_MS,
                                      .fall = 1 + up_to(s, 2),
                                      .rise = 1 + up_to(s, 2) };
    status_set_add(&s->shop.health.statuses, 200);
}

static const struct check *check_of(const struct sim *s, unsigned i)
{
    const struct config *c = control_config(&s->control);

    return i < c->services[0].instance_count
               ? checker_find(&s->control.checker, &c->services[0].instances[i])
               : NULL;
}

static bool is_up(const struct sim *s, unsigned i)
{
    const struct check *c = check_of(s, i);

    return c && c->up;
}

/* Until it is so; the time that it took. */
static ns_t wait_until(struct sim *s, unsigned i, bool up)
{
    ns_t begun = sim_now(s->world);
    ns_t until = begun + SECONDS(10);

    while (is_up(s, i) != up && sim_now(s->world) < until && !s->failure[0])
        sim_pass(s, NS_PER_MS);
    SIM_CHECK(s, is_up(s, i) == up, "instance %u is not %s after ten seconds", i,
              up ? "up" : "down");
    return sim_now(s->world) - begun;
}

/* A change of fitness is believed after so many checks in a row, neither sooner nor later. */
static void check_patience(struct sim *s, ns_t took, unsigned checks, const char *what)
{
    const struct health *h = &s->shop.health;
    ns_t least = (ns_t)(checks - 1) * (h->interval - h->interval / 10);
    ns_t most = (ns_t)checks * (h->interval + h->interval / 10 + h->timeout) + 50 * NS_PER_MS;

    SIM_CHECK(s, took >= least && took <= most, "%s after %d ms, %u checks are wanted", what,
              (int)(took / NS_PER_MS), checks);
}

static void plain_plan(struct sim *s, struct plan *p)
{
    p->journey = up_to(s, 1);
    p->delay_ms = up_to(s, 20);
    p->size = up_to(s, 2000);
    p->body = one_in(s, 4) ? 1 + up_to(s, 500) : 0;
}

static void start_clients(struct sim *s, unsigned clients, unsigned requests)
{
    for (unsigned i = 0; i < clients; i++)
        client_start(s, &(struct client_script){ .requests = requests,
                                                 .pipeline = 1,
                                                 .think_ms = 40,
                                                 .read_size = 16384,
                                                 .plan = plain_plan });
}

/* It serves what it is sent: only its checks say that it is down, so nothing but them can be why it gets nothing. */
void flapping(struct sim *s)
{
    unsigned flaps = up_to(s, KIT_INSTANCES - 1);

    choppy_network(s);
    check_often(s);
    s->shop.slow_start = 0;
    sim_start(s);
    for (unsigned i = 0; i < KIT_INSTANCES; i++)
        wait_until(s, i, true);
    start_clients(s, 5, 120);
    for (unsigned round = 0; round < 2 && !s->failure[0]; round++) {
        s->fitness[flaps] = one_in(s, 2) ? UNFIT : SILENT;
        check_patience(s, wait_until(s, flaps, false), s->shop.health.fall, "down");
        sim_pass(s, 20 * NS_PER_MS); /* what was chosen before arrives */
        unsigned asked = s->asked[flaps];
        sim_pass(s, (200 + up_to(s, 800)) * NS_PER_MS);
        SIM_CHECK(s, s->asked[flaps] == asked, "%u requests came to an instance that is down",
                  s->asked[flaps] - asked);
        s->fitness[flaps] = FIT;
        check_patience(s, wait_until(s, flaps, true), s->shop.health.rise, "up");
        sim_pass(s, 500 * NS_PER_MS);
        SIM_CHECK(s, s->asked[flaps] > asked || s->clients_running == 0,
                  "nothing comes to an instance that is up");
    }
    SIM_CHECK(s, s->bad_idempotent + s->bad_others == 0, "%u requests failed",
              s->bad_idempotent + s->bad_others);
    finish(s, SECONDS(60));
}

static void publish(struct sim *s, unsigned instances)
{
    kit_publish(s, instances);
    for (unsigned i = 0; i < KIT_WORKERS; i++)
        reactor_wake(&s->worker_reactors[i]);
}

void checks_follow_the_configuration(struct sim *s)
{
    check_often(s);
    sim_start(s);
    wait_until(s, 2, true);
    for (unsigned round = 0; round < 6 && !s->failure[0]; round++) {
        s->fitness[2] = one_in(s, 2) ? SILENT : FIT; /* a check may be under way for long */
        sim_pass(s, up_to(s, 300) * NS_PER_MS);
        publish(s, 2);
        if (one_in(s, 2)) { /* and it is back before its check's connection is closed */
            publish(s, 3);
        } else {
            sim_pass(s, 200 * NS_PER_MS); /* a check under way is given up at once */
            unsigned checks = s->checks[2];
            SIM_CHECK(s, s->control.checker.list.count == 2, "%zu are checked, of two",
                      s->control.checker.list.count);
            sim_pass(s, up_to(s, 1000) * NS_PER_MS);
            SIM_CHECK(s, s->checks[2] == checks, "an instance that is gone is checked");
            publish(s, 3);
        }
        unsigned checks = s->checks[2];
        s->fitness[2] = FIT;
        sim_pass(s, 500 * NS_PER_MS);
        SIM_CHECK(s, s->checks[2] > checks, "an instance that is back is not checked");
        SIM_CHECK(s, s->control.checker.list.count == 3, "%zu are checked, of three",
                  s->control.checker.list.count);
        wait_until(s, 2, true);
    }
    finish(s, SECONDS(1));
}

/* Many names for the first instance. */
static void publish_many(struct sim *s)
{
    struct config *c = kit_config(s, 1);
    struct service *shop = &c->services[0];
    struct instance *list = arena_array(&c->arena, struct instance, MANY);

    for (unsigned i = 0; i < MANY; i++) {
        list[i] = shop->instances[0];
        list[i].text = span_from_text(arena_print(&c->arena, "number %u", i));
        list[i].from = list[i].text;
    }
    shop->instances = list;
    shop->instance_count = MANY;
    err e = registry_assign(&s->control.registry, c);
    check(!e.failed);
    book_adopt(&s->control.book, c, NULL, s->control_reactor.now,
               s->control.parts.wall() / NS_PER_S);
    checker_adopt(&s->control.checker, c, NULL, 0);
    bool published = publication_publish(&s->control.publication, c);
    check(published);
}

void many_checks(struct sim *s)
{
    unsigned most = 0;

    check_often(s);
    s->shop.health.fall = 1;
    s->fitness[0] = SILENT;
    sim_start(s);
    sim_pass(s, SECONDS(1));
    unsigned before = s->checks[0];
    publish_many(s);
    for (unsigned i = 0; i < 1500 && !s->failure[0]; i++) {
        sim_pass(s, NS_PER_MS);
        most = s->checks_open > most ? s->checks_open : most;
        SIM_CHECK(s, s->control.checker.running <= CHECKS_AT_ONCE_MAX, "%u checks at once",
                  s->control.checker.running);
        SIM_CHECK(s, s->checks_open <= CHECKS_AT_ONCE_MAX, "%u checks wait at once",
                  s->checks_open);
    }
    SIM_CHECK(s, most > CHECKS_AT_ONCE_MAX / 2, "only %u checks at once", most);
    SIM_CHECK(s, s->checks[0] - before > MANY * 2, "%u checks of %d in one and a half seconds",
              s->checks[0] - before, MANY);
    for (unsigned i = 0; i < MANY; i++)
        SIM_CHECK(s, check_of(s, i) && check_of(s, i)->checked, "number %u was not checked", i);
    s->fitness[0] = FIT;
    sim_pass(s, SECONDS(4));
    for (unsigned i = 0; i < MANY; i++)
        SIM_CHECK(s, is_up(s, i), "number %u is not up", i);
    publish(s, 3);
    sim_pass(s, SECONDS(1));
    SIM_CHECK(s, s->control.checker.list.count == 3, "%zu are checked, of three",
              s->control.checker.list.count);
    finish(s, SECONDS(1));
}
