/* SPDX-License-Identifier: Apache-2.0 */
/* test_ring.c - two threads: entries come out whole, in order, none twice; what finds no room is the writer's to know. */
#include "unit.h"

#include "bus/ring.h"

#include <pthread.h>
#include <sched.h>

enum { ROOM = 512, WORDS = 12, ENTRIES = 500000 };

struct entry {
    uint64_t words[WORDS]; /* more than a cache line: half of one would be seen */
};

static struct ring shared;
static struct entry entries[ROOM];
static _Atomic bool finished;
static uint64_t no_room;

static bool put(uint64_t n)
{
    if (ring_used(&shared, ROOM) == ROOM)
        return false;
    struct entry *e = &entries[ring_next(&shared) % ROOM];
    for (unsigned i = 0; i < WORDS; i++)
        e->words[i] = n + i;
    ring_put(&shared);
    return true;
}

static void *write_entries(void *unused)
{
    for (uint64_t n = 1; n <= ENTRIES; n++) {
        no_room += !put(n);
        if (n % 64 == 0)
            sched_yield();
    }
    finished = true;
    return unused;
}

/* True: one was read. */
static bool read_one(uint64_t *last)
{
    if (ring_waiting(&shared) == 0)
        return false;
    const struct entry *e = &entries[ring_oldest(&shared) % ROOM];
    assert_true(e->words[0] > *last); /* in order; some may have found no room */
    *last = e->words[0];
    for (unsigned i = 0; i < WORDS; i++)
        assert_int_equal(e->words[i], *last + i);
    ring_taken(&shared);
    return true;
}

static void two_threads(void **state)
{
    pthread_t writer;
    uint64_t seen = 0;
    uint64_t last = 0;

    (void)state;
    assert_int_equal(pthread_create(&writer, NULL, write_entries, NULL), 0);
    for (;;) {
        bool over = finished; /* before the look: what is not there then will not come */
        if (read_one(&last)) {
            seen++;
            continue;
        }
        if (over)
            break;
        sched_yield();
    }
    pthread_join(writer, NULL);
    assert_true(seen > 0);
    assert_int_equal(seen + no_room, ENTRIES);
}

static void the_readers_count_is_asked_only_where_it_matters(void **state)
{
    struct ring r = {};

    (void)state;
    for (unsigned i = 0; i < 6; i++)
        ring_put(&r);
    ring_taken(&r);
    assert_int_equal(ring_waiting(&r), 5);
    assert_int_equal(ring_used(&r, 8), 6); /* at most */
    assert_int_equal(ring_used(&r, 6), 5);
    ring_taken(&r);
    assert_int_equal(ring_used(&r, 6), 5); /* as it was when last asked */
    assert_int_equal(ring_oldest(&r), 2);
    assert_int_equal(ring_next(&r), 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_threads),
        cmocka_unit_test(the_readers_count_is_asked_only_where_it_matters),
    };
    return RUN(tests);
}
