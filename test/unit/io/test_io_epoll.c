/* SPDX-License-Identifier: Apache-2.0 */
/* test_io_epoll.c - a reactor on the real kernel sleeps until its next deadline, whichever was set first, and no longer. */
#include "unit.h"

#include "io/reactor.h"

#include <pthread.h>
#include <sched.h>

enum { LATE_MOST_S = 20 }; /* machines are busy at times */

struct deadline {
    struct timer timer;
    struct reactor *reactor;
    ns_t due;
    ns_t fired; /* 0: not yet */
};

static void on_fire(struct timer *t)
{
    struct deadline *d = container_of(t, struct deadline, timer);

    assert_int_equal(reactor_active_since(d->reactor), d->reactor->now);
    d->fired = d->reactor->now;
}

static void top(void *owner)
{
    (void)owner;
}

static bool has_mail(void *owner)
{
    (void)owner;
    return false;
}

static void bottom(void *owner)
{
    const struct reactor *r = owner;

    assert_int_equal(reactor_active_since(r), r->now); /* of this turn, after its poll */
}

static void open_reactor(struct reactor *r)
{
    err e = io_epoll_open(r, 0, 1);

    assert_false(e.failed);
    reactor_set_owner(r, (struct reactor_owner){
                             .top = top, .bottom = bottom, .has_mail = has_mail, .owner = r });
}

static void set(struct reactor *r, struct deadline *d, ns_t ms)
{
    d->reactor = r;
    d->timer.fire = on_fire;
    d->due = reactor_clock(r) + ms * NS_PER_MS;
    d->fired = 0;
    timer_set(&r->timers, &d->timer, d->due);
}

/* How many turns it took until then. */
static uint64_t turn_until(struct reactor *r, const struct deadline *d)
{
    uint64_t before = r->turns;

    while (!d->fired)
        reactor_turn(r, d->due + NS_PER_MS); /* the turn in which it fires waits for nothing else */
    assert_true(d->fired >= d->due);
    assert_true(d->fired < d->due + LATE_MOST_S * NS_PER_S);
    return r->turns - before;
}

static void a_nearer_deadline_comes_first(void **state)
{
    struct reactor r;
    struct deadline far = {}, near = {}, nearest = {};

    (void)state;
    open_reactor(&r);
    set(&r, &far, 120);
    reactor_turn(&r, reactor_clock(&r) + NS_PER_MS); /* the kernel knows of it */
    set(&r, &near, 60);
    set(&r, &nearest, 20);
    turn_until(&r, &nearest);
    assert_int_equal(near.fired, 0);
    turn_until(&r, &near);
    assert_int_equal(far.fired, 0);
    turn_until(&r, &far);
    assert_true(nearest.fired <= near.fired && near.fired <= far.fired);
    reactor_free(&r);
}

/* A deadline that was dropped costs a turn, not a loop. */
static void it_sleeps_meanwhile(void **state)
{
    struct reactor r;
    struct deadline dropped = {}, kept = {};

    (void)state;
    open_reactor(&r);
    set(&r, &dropped, 20);
    set(&r, &kept, 150);
    reactor_turn(&r, reactor_clock(&r) + NS_PER_MS);
    timer_drop(&r.timers, &dropped.timer);
    assert_true(turn_until(&r, &kept) <= 8);
    assert_int_equal(dropped.fired, 0);
    /* and again, when the timer has gone off with nothing set */
    set(&r, &kept, 30);
    assert_true(turn_until(&r, &kept) <= 8);
    reactor_free(&r);
}

static void the_caller_may_wait_shorter(void **state)
{
    struct reactor r;
    struct deadline far = {};

    (void)state;
    open_reactor(&r);
    set(&r, &far, 3600 * 1000);
    for (int i = 0; i < 3; i++) {
        ns_t until = reactor_clock(&r) + 10 * NS_PER_MS;
        while (reactor_clock(&r) < until)
            reactor_turn(&r, until);
    }
    assert_int_equal(reactor_active_since(&r), NS_NEVER);
    assert_int_equal(far.fired, 0);
    assert_true(r.turns <= 12);
    timer_drop(&r.timers, &far.timer);
    reactor_free(&r);
}

static void *stop_it(void *reactor)
{
    struct reactor *r = reactor;

    while (!atomic_load(&r->asleep))
        sched_yield();
    assert_int_equal(reactor_active_since(r),
                     NS_NEVER); /* it waits: what is to come has later dates */
    reactor_stop(r);
    return NULL;
}

static void another_thread_ends_the_wait(void **state)
{
    struct reactor r;
    pthread_t other;

    (void)state;
    open_reactor(&r);
    assert_int_equal(pthread_create(&other, NULL, stop_it, &r), 0);
    reactor_run(&r); /* nothing else would end it */
    pthread_join(other, NULL);
    reactor_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_nearer_deadline_comes_first),
        cmocka_unit_test(it_sleeps_meanwhile),
        cmocka_unit_test(the_caller_may_wait_shorter),
        cmocka_unit_test(another_thread_ends_the_wait),
    };
    return RUN(tests);
}
