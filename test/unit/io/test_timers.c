/* SPDX-License-Identifier: Apache-2.0 */
/* test_timers.c - the wheel against a plain list: a timer fires once, never early, at most a tick late. */
#include "unit.h"

#include "base/rand.h"
#include "io/timers.h"

enum { TIMERS = 200 };

struct subject {
    struct timer timer;
    ns_t due; /* NS_NEVER: must not fire */
    int fired;
};

static ns_t now;

static void on_fire(struct timer *t)
{
    struct subject *s = container_of(t, struct subject, timer);

    assert_true(s->due != NS_NEVER);
    assert_true(now >= s->due);
    s->due = NS_NEVER;
    s->fired++;
}

/* Nothing that is due for more than a tick may still be waiting, and the wheel promises to be asked in time. */
static void check_all(const struct timers *ts, const struct subject *all)
{
    ns_t next = timers_next(ts);
    ns_t tick = (ns_t)1 << TIMER_TICK_SHIFT;

    for (int i = 0; i < TIMERS; i++) {
        if (all[i].due == NS_NEVER)
            continue;
        assert_true(all[i].due > now - tick);
        assert_true(next <= all[i].due + tick);
    }
}

static void against_a_plain_list(void **state)
{
    static struct subject all[TIMERS];
    static const ns_t spans[] = { 2 * NS_PER_MS, 100 * NS_PER_MS, 5 * NS_PER_S, 600 * NS_PER_S,
                                  40000 * NS_PER_S };

    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct rng r = { seed };
        struct timers ts;
        now = (ns_t)rng_below(&r, 1000000) * NS_PER_S;
        timers_init(&ts, now);
        for (int i = 0; i < TIMERS; i++)
            all[i] = (struct subject){ .timer.fire = on_fire, .due = NS_NEVER };
        for (int step = 0; step < 2000; step++) {
            struct subject *s = &all[rng_below(&r, TIMERS)];
            ns_t span = spans[rng_below(&r, COUNT(spans))];
            switch (rng_below(&r, 6)) {
            case 0:
                timer_set(&ts, &s->timer, NS_NEVER);
                s->due = NS_NEVER;
                break;
            case 1:
                timer_drop(&ts, &s->timer);
                s->due = NS_NEVER;
                break;
            case 2: now += (ns_t)rng_below(&r, (uint64_t)span); break;
            case 3:
                if (timers_next(&ts) != NS_NEVER && timers_next(&ts) > now)
                    now = timers_next(&ts);
                break;
            default:
                s->due = now + (ns_t)rng_below(&r, (uint64_t)span);
                timer_set(&ts, &s->timer, s->due);
            }
            timers_run(&ts, now);
            check_all(&ts, all);
        }
        for (int i = 0; i < TIMERS; i++)
            timer_drop(&ts, &all[i].timer);
        assert_int_equal(ts.count, 0);
        assert_int_equal(timers_next(&ts), NS_NEVER);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(against_a_plain_list) };
    return RUN(tests);
}
