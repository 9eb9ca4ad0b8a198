/* SPDX-License-Identifier: Apache-2.0 */
/* test_log_ring.c - lines go in whole or not at all, and come out as they went in. */
#include "unit.h"

#include "bus/log_ring.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

static bool put(struct log_ring *r, char c, size_t n, bool *ret_half)
{
    static char line[LOG_RING_SIZE + 1];

    memset(line, c, n);
    return log_ring_put(r, span_of(line, n), ret_half);
}

static size_t held(const struct log_ring *r)
{
    struct span pieces[2];

    log_ring_peek(r, pieces);
    return pieces[0].n + pieces[1].n;
}

static void what_goes_in_comes_out(void **state)
{
    struct log_ring r;
    struct span pieces[2];
    bool half = true;

    (void)state;
    log_ring_open(&r);
    assert_int_equal(log_ring_peek(&r, pieces), 0);
    assert_true(log_ring_put(&r, SPAN("one\n"), &half));
    assert_false(half);
    assert_true(log_ring_put(&r, SPAN("two\n"), &half));
    assert_int_equal(log_ring_peek(&r, pieces), 1);
    assert_span(pieces[0], "one\ntwo\n");
    assert_int_equal(log_ring_peek(&r, pieces), 1); /* they stay until they are taken */
    log_ring_taken(&r, 4);
    assert_int_equal(log_ring_peek(&r, pieces), 1);
    assert_span(pieces[0], "two\n");
    log_ring_taken(&r, 4);
    assert_int_equal(log_ring_peek(&r, pieces), 0);
    log_ring_close(&r);
}

static void a_line_over_the_end(void **state)
{
    struct log_ring r;
    struct span pieces[2];
    bool half;

    (void)state;
    log_ring_open(&r);
    assert_true(put(&r, 'x', LOG_RING_SIZE - 3, &half));
    log_ring_taken(&r, LOG_RING_SIZE - 3);
    assert_true(log_ring_put(&r, SPAN("abcdef\n"), &half));
    assert_int_equal(log_ring_peek(&r, pieces), 2);
    assert_span(pieces[0], "abc");
    assert_span(pieces[1], "def\n");
    log_ring_taken(&r, 7);
    /* one that ends exactly where the ring does is one piece */
    assert_true(put(&r, 'y', LOG_RING_SIZE - 4, &half));
    assert_int_equal(log_ring_peek(&r, pieces), 1);
    assert_int_equal(pieces[0].n, LOG_RING_SIZE - 4);
    log_ring_taken(&r, LOG_RING_SIZE - 4);
    assert_true(log_ring_put(&r, SPAN("z\n"), &half));
    assert_int_equal(log_ring_peek(&r, pieces), 1);
    assert_span(pieces[0], "z\n");
    assert_ptr_equal(pieces[0].p, r.bytes);
    log_ring_close(&r);
}

static void a_full_ring_drops_whole_lines(void **state)
{
    struct log_ring r;
    struct span pieces[2];
    bool half;

    (void)state;
    log_ring_open(&r);
    assert_true(put(&r, 'a', LOG_RING_SIZE - 10, &half));
    assert_false(put(&r, 'b', 11, &half));
    assert_false(half);
    assert_int_equal(r.dropped, 1);
    assert_int_equal(held(&r), LOG_RING_SIZE - 10); /* not a part of it */
    assert_true(put(&r, 'c', 10, &half));           /* a shorter one still fits, to the last byte */
    assert_false(put(&r, 'd', 1, &half));
    assert_int_equal(r.dropped, 2);
    assert_int_equal(log_ring_peek(&r, pieces), 1);
    assert_int_equal(pieces[0].n, LOG_RING_SIZE);
    assert_null(memchr(pieces[0].p, 'b', LOG_RING_SIZE));
    assert_null(memchr(pieces[0].p, 'd', LOG_RING_SIZE));
    assert_memory_equal(pieces[0].p + LOG_RING_SIZE - 11, "acccccccccc", 11);
    log_ring_taken(&r, 1);
    assert_true(put(&r, 'e', 1, &half)); /* room again at once */
    assert_false(put(&r, 'f', 1, &half));
    assert_int_equal(log_ring_peek(&r, pieces), 2);
    assert_span(pieces[1], "e");
    log_ring_close(&r);
}

/* From how many bytes on the reader is woken: one more than these is told. */
static size_t quiet_bytes(void)
{
    struct log_ring r;
    bool half = false;
    size_t n = 0;

    log_ring_open(&r);
    for (; n < LOG_RING_SIZE && !half; n++)
        assert_true(put(&r, 'a', 1, &half));
    assert_true(half);
    log_ring_close(&r);
    return n - 1;
}

static void filling_up_is_told_once(void **state)
{
    struct log_ring r;
    bool half;
    const size_t quiet = quiet_bytes();

    (void)state;
    /* early enough for the reader to come before lines are dropped, late enough to let it sleep */
    assert_in_range(quiet, LOG_RING_SIZE / 4, LOG_RING_SIZE - 2 * LOG_LINE_MAX);
    log_ring_open(&r);
    for (int lap = 0; lap < 5; lap++) {
        assert_true(put(&r, 'a', quiet, &half));
        assert_false(half);
        assert_true(put(&r, 'b', 1, &half));
        assert_true(half);
        assert_true(put(&r, 'c', 1, &half));
        assert_false(half);
        assert_true(put(&r, 'd', LOG_RING_SIZE - quiet - 2, &half));
        assert_false(half);
        assert_false(put(&r, 'e', 1, &half));
        assert_false(half);
        /* emptied below it and filled over it again */
        log_ring_taken(&r, LOG_RING_SIZE - quiet);
        assert_true(put(&r, 'f', 1, &half));
        assert_true(half);
        log_ring_taken(&r, quiet + 1);
        /* much was put in, yet never much at a time: nothing to tell */
        for (int i = 0; i < 20; i++) {
            assert_true(put(&r, 'g', quiet / 2, &half));
            assert_false(half);
            log_ring_taken(&r, quiet / 2);
        }
        assert_int_equal(held(&r), 0);
    }
    assert_true(put(&r, 'h', quiet + 1, &half)); /* by one line alone */
    assert_true(half);
    log_ring_close(&r);
}

/* ---- two threads: each line says its number, its length and a sum of its bytes */

enum { LINES = 100000, HEAD = 12, LINE_MOST = 3000 };

static struct log_ring shared;
static _Atomic bool finished;

static uint32_t sum_of(const char *p, size_t n)
{
    uint32_t sum = 17;

    for (size_t i = 0; i < n; i++)
        sum = sum * 31 + (unsigned char)p[i];
    return sum;
}

static void *write_lines(void *unused)
{
    char line[LINE_MOST];

    for (uint32_t i = 0; i < LINES; i++) {
        uint32_t n = HEAD + i * 2654435761u % (LINE_MOST - HEAD);
        bool half;
        if (i % 16) /* most are short, as they are */
            n = HEAD + n % 300;
        memset(line + HEAD, (int)(i % 251), n - HEAD);
        line[n - 1] ^= 0x55;
        memcpy(line, &i, 4);
        memcpy(line + 4, &n, 4);
        uint32_t sum = sum_of(line + HEAD, n - HEAD) ^ i ^ n;
        memcpy(line + 8, &sum, 4);
        log_ring_put(&shared, span_of(line, n), &half);
        if (i % 64 == 0)
            sched_yield();
    }
    finished = true;
    return unused;
}

/* The lines in these bytes, which begin with one. Returns how many bytes were whole lines. */
static size_t read_lines(const char *p, size_t n, uint32_t *next, uint64_t *lines)
{
    size_t used = 0;

    while (n - used >= HEAD) {
        uint32_t head[3];
        memcpy(head, p + used, HEAD);
        assert_in_range(head[1], HEAD, LINE_MOST);
        if (n - used < head[1])
            break;
        assert_true(head[0] >= *next); /* in order; some may have been dropped */
        assert_true((sum_of(p + used + HEAD, head[1] - HEAD) ^ head[0] ^ head[1]) == head[2]);
        *next = head[0] + 1;
        used += head[1];
        ++*lines;
    }
    return used;
}

static void two_threads(void **state)
{
    char *bytes = malloc(LOG_RING_SIZE);
    pthread_t writer;
    uint32_t next = 0;
    uint64_t lines = 0;

    (void)state;
    assert_non_null(bytes);
    log_ring_open(&shared);
    assert_int_equal(pthread_create(&writer, NULL, write_lines, NULL), 0);
    for (;;) {
        struct span pieces[2];
        size_t n = 0;
        bool last = finished; /* before the look: what is not there then will not come */
        unsigned count = log_ring_peek(&shared, pieces);
        if (count == 0 && last)
            break;
        if (count == 0)
            sched_yield();
        for (unsigned i = 0; i < count; i++) {
            memcpy(bytes + n, pieces[i].p, pieces[i].n);
            n += pieces[i].n;
        }
        /* a line is in the ring whole or not at all: no peek ends within one */
        assert_int_equal(read_lines(bytes, n, &next, &lines), n);
        log_ring_taken(&shared, n);
    }
    pthread_join(writer, NULL);
    assert_int_equal(lines + shared.dropped, LINES);
    assert_true(lines > 0);
    log_ring_close(&shared);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_in_comes_out),
        cmocka_unit_test(a_line_over_the_end),
        cmocka_unit_test(a_full_ring_drops_whole_lines),
        cmocka_unit_test(filling_up_is_told_once),
        cmocka_unit_test(two_threads),
    };
    return RUN(tests);
}
