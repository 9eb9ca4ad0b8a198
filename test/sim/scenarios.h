/* SPDX-License-Identifier: Apache-2.0 */
/* scenarios.h - what the files of stories share, and the stories themselves. The list is in scenarios.c. */
#ifndef EK_TEST_SIM_SCENARIOS_H
#define EK_TEST_SIM_SCENARIOS_H

#include "kit.h"

#define SECONDS(n) ((n)*NS_PER_S)

static inline unsigned up_to(struct sim *s, unsigned most)
{
    return (unsigned)pick(s, most + 1);
}

/* A network that cuts bytes anywhere but loses nothing. */
void choppy_network(struct sim *s);

/* All statuses, framings and methods; without failures. */
void ordinary_plan(struct sim *s, struct plan *p);
void good_plan(struct sim *s, struct plan *p);

/* Runs to the end, stops, compares. */
void finish(struct sim *s, ns_t most);

/* ---- scenarios_balance.c */

void slow_instance(struct sim *s);
void panic(struct sim *s);
void ejection_grows(struct sim *s);
void retry_after(struct sim *s);
void hash_affinity(struct sim *s);
void hot_key(struct sim *s);
void drain_under_load(struct sim *s);
void slow_start(struct sim *s);
void beginner_helps(struct sim *s);
void full_not_broken(struct sim *s);
void zone_preferred(struct sim *s);
void observe_is_plain(struct sim *s);

/* ---- scenarios_clock.c */

void clock_is_set(struct sim *s);

/* ---- scenarios_health.c */

void flapping(struct sim *s);
void checks_follow_the_configuration(struct sim *s);
void many_checks(struct sim *s);

/* ---- scenarios_retry.c */

void failing_instance_retried(struct sim *s);
void black_hole(struct sim *s);
void broken_bodies_held(struct sim *s);
void streams_not_held(struct sim *s);
void retry_storm(struct sim *s);
void refusals_not_retried(struct sim *s);
void one_stall_is_no_overload(struct sim *s);
void deadline(struct sim *s);
void deadline_while_sending(struct sim *s);
void short_time_left(struct sim *s);
void pipelined_behind_slow(struct sim *s);
void pipelined_under_load(struct sim *s);
void client_gone_cancels(struct sim *s);
void unsent_post_redispatched(struct sim *s);
void repeats(struct sim *s);

#endif
