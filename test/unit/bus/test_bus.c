/* SPDX-License-Identifier: Apache-2.0 */
/* test_bus.c - mailboxes with real threads, snapshots, counters and the request table. */
#include "unit.h"

#include "bus/counters.h"
#include "bus/mailbox.h"
#include "bus/request_table.h"
#include "bus/snapshot.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

/* ---- mailbox */

static void a_box_keeps_order_and_has_a_bound(void **state)
{
    struct mailbox m;
    struct message message = { .kind = MESSAGE_STOP };

    (void)state;
    mailbox_init(&m);
    assert_true(mailbox_empty(&m));
    for (int lap = 0; lap < 3; lap++) {
        for (int i = 0; i < MAILBOX_SLOTS; i++) {
            message.signal = i;
            assert_true(mailbox_send(&m, &message));
        }
        assert_false(mailbox_send(&m, &message));
        for (int i = 0; i < MAILBOX_SLOTS; i++) {
            assert_true(mailbox_receive(&m, &message));
            assert_int_equal(message.signal, i);
        }
        assert_false(mailbox_receive(&m, &message));
    }
    assert_int_equal(m.refused, 3);
    mailbox_free(&m);
}

enum { SENDERS = 4, EACH = 20000 };

static struct mailbox shared;

static void *sender(void *number)
{
    struct message m = { .kind = MESSAGE_DRAINED, .reactor = (uint32_t)(uintptr_t)number };

    for (int i = 0; i < EACH; i++) {
        m.signal = i;
        while (!mailbox_send(&shared, &m))
            sched_yield();
    }
    return NULL;
}

static void many_threads_send_to_one(void **state)
{
    pthread_t threads[SENDERS];
    int next[SENDERS] = { 0 };
    struct message m;

    (void)state;
    mailbox_init(&shared);
    for (uintptr_t i = 0; i < SENDERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, sender, (void *)i), 0);
    for (int got = 0; got < SENDERS * EACH;) {
        if (!mailbox_receive(&shared, &m)) {
            sched_yield();
            continue;
        }
        assert_int_equal(m.signal, next[m.reactor]++); /* of each sender in its order */
        got++;
    }
    for (int i = 0; i < SENDERS; i++)
        pthread_join(threads[i], NULL);
    assert_true(mailbox_empty(&shared));
    mailbox_free(&shared);
}

static void messages_have_names(void **state)
{
    (void)state;
    assert_string_equal(message_name(MESSAGE_DRAIN), "DRAIN");
    assert_string_equal(message_name(MESSAGE_SCRIBE_STOP), "SCRIBE_STOP");
}

/* ---- snapshots */

static int freed;

static void free_config(struct config *c)
{
    freed++;
    free(c);
}

static struct config *new_config(void)
{
    struct config *c = calloc(1, sizeof(*c));
    assert_non_null(c);
    return c;
}

static void a_snapshot_lives_as_long_as_it_is_used(void **state)
{
    struct publication p;
    struct snapshot_reader r;

    (void)state;
    freed = 0;
    publication_init(&p, free_config);
    publication_add_reader(&p, &r);
    assert_true(publication_publish(&p, new_config()));
    assert_false(publication_adopted(&p)); /* the reader had no turn yet */
    assert_true(snapshot_adopt(&r, &p));
    assert_true(publication_adopted(&p));
    assert_false(snapshot_adopt(&r, &p));
    struct snapshot_use *held = snapshot_hold(&r);
    assert_int_equal(held->config->generation, 1);

    assert_true(publication_publish(&p, new_config()));
    assert_true(snapshot_adopt(&r, &p));
    assert_int_equal(snapshot_current(&r)->config->generation, 2);
    assert_int_equal(publication_reclaim(&p), 2); /* an exchange still uses the first */
    snapshot_let_go(&r, held);
    assert_int_equal(publication_reclaim(&p), 1);
    assert_int_equal(freed, 1);
    publication_free(&p);
    assert_int_equal(freed, 2);
}

static void a_slow_reader_makes_publishing_wait(void **state)
{
    struct publication p;
    struct snapshot_reader fast;
    struct snapshot_reader slow;
    int published = 0;

    (void)state;
    publication_init(&p, free_config);
    publication_add_reader(&p, &fast);
    publication_add_reader(&p, &slow);
    for (int i = 0; i < SNAPSHOTS_HELD_MAX + 4; i++) {
        struct config *c = new_config();
        if (publication_publish(&p, c))
            published++;
        else
            free(c);
        snapshot_adopt(&fast, &p);
        if (i == 0)
            snapshot_adopt(&slow, &p);
    }
    assert_int_equal(published, SNAPSHOTS_HELD_MAX);
    snapshot_adopt(&slow, &p);
    assert_int_equal(publication_reclaim(&p), 1);
    publication_free(&p);
}

/* ---- counters */

static void counters_add_up(void **state)
{
    struct counter_page a;
    struct counter_page b;
    const struct counter_page *pages[] = { &a, &b };
    struct slot_allocator slots;
    uint64_t sums[2];

    (void)state;
    counter_page_open(&a);
    counter_page_open(&b);
    slot_allocator_init(&slots);
    uint32_t first = slot_take(&slots, 10);
    uint32_t second = slot_take(&slots, 1);
    assert_true(first > 0 && second == first + 10);
    counter_add(&a, second, 3);
    counter_add(&b, second, 4);
    counter_sub(&b, second, 2);
    assert_int_equal(counter_sum(pages, 2, second), 5);
    assert_int_equal(counter_sum(pages, 2, first), 0);
    counter_sums(pages, 2, first + 9, 2, sums);
    assert_true(sums[0] == 0 && sums[1] == 5);
    counter_sums(pages, 0, first + 9, 2, sums);
    assert_true(sums[0] == 0 && sums[1] == 0);
    assert_int_equal(slots_left(&slots), COUNTER_SLOTS - 12);
    assert_int_equal(slot_take_bulk(&slots, 5), COUNTER_SLOTS - 5);
    assert_int_equal(slot_take_bulk(&slots, 1), COUNTER_SLOTS - 6);
    assert_int_equal(slot_take(&slots, 1), second + 1);
    assert_int_equal(slots_left(&slots), COUNTER_SLOTS - 19);
    counter_page_close(&a);
    counter_page_close(&b);
}

/* ---- request table */

static void requests_are_found_while_they_last(void **state)
{
    struct request_table t;
    struct trace_id id = trace_id_new(0xabc, 0xdef0000, 2, 5);

    (void)state;
    request_table_open(&t);
    assert_null(request_find(&t, id));
    struct request_slot *s = request_claim(&t, id);
    assert_ptr_equal(request_find(&t, id), s);
    assert_true(request_add_statement(s, id, 10, 20));
    assert_true(request_add_statement(s, id, 1, 2));
    assert_int_equal(s->server_ns, 22);
    assert_int_equal(s->pool_wait_ns, 11);
    assert_int_equal(s->statements, 2);
    request_release(s);
    assert_null(request_find(&t, id));
    assert_false(request_add_statement(s, id, 1, 1)); /* too late: it is nobody's */
    struct trace_id other = { id.high + 2, id.low };
    assert_ptr_equal(request_claim(&t, other), s); /* the slot begins anew */
    assert_int_equal(s->server_ns, 0);
    request_table_close(&t);
}

static void a_crowded_place_tracks_no_more(void **state)
{
    struct request_table t;
    struct request_slot *taken[REQUEST_PROBES];

    (void)state;
    request_table_open(&t);
    for (uint64_t i = 0; i < REQUEST_PROBES; i++) {
        taken[i] = request_claim(&t, (struct trace_id){ i + 1, 77 });
        assert_non_null(taken[i]);
    }
    assert_null(request_claim(&t, (struct trace_id){ 999, 77 }));
    assert_int_equal(t.untracked, 1);
    for (uint64_t i = 0; i < REQUEST_PROBES; i++)
        assert_ptr_equal(request_find(&t, (struct trace_id){ i + 1, 77 }), taken[i]);
    request_release(taken[3]);
    assert_ptr_equal(request_claim(&t, (struct trace_id){ 999, 77 }), taken[3]);
    request_table_close(&t);
}

static struct request_table raced;
static _Atomic int claimed;

static void *claimer(void *number)
{
    for (uint64_t i = 0; i < 50000; i++) {
        /* all threads fight for the same few slots */
        struct request_slot *s =
            request_claim(&raced, (struct trace_id){ (uintptr_t)number * 100000 + i + 1, i % 4 });
        if (!s)
            continue;
        atomic_fetch_add(&claimed, 1);
        uint64_t mine = (uintptr_t)number * 100000 + i + 1;
        if (atomic_load(&s->trace_high) != mine)
            return (void *)1; /* two owners of one slot */
        request_release(s);
    }
    return NULL;
}

static void threads_never_share_a_slot(void **state)
{
    pthread_t threads[SENDERS];

    (void)state;
    request_table_open(&raced);
    for (uintptr_t i = 0; i < SENDERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, claimer, (void *)(i + 1)), 0);
    for (int i = 0; i < SENDERS; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    assert_true(claimed > 0);
    request_table_close(&raced);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_box_keeps_order_and_has_a_bound),
        cmocka_unit_test(many_threads_send_to_one),
        cmocka_unit_test(messages_have_names),
        cmocka_unit_test(a_snapshot_lives_as_long_as_it_is_used),
        cmocka_unit_test(a_slow_reader_makes_publishing_wait),
        cmocka_unit_test(counters_add_up),
        cmocka_unit_test(requests_are_found_while_they_last),
        cmocka_unit_test(a_crowded_place_tracks_no_more),
        cmocka_unit_test(threads_never_share_a_slot),
    };
    return RUN(tests);
}
