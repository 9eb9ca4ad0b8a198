/* SPDX-License-Identifier: Apache-2.0 */
/* log_ring.c - bytes in a circle. */
#include "bus/log_ring.h"

#include "base/check.h"

#include <stdlib.h>

void log_ring_open(struct log_ring *r)
{
    *r = (struct log_ring){ .bytes = malloc(LOG_RING_SIZE) };
    check(r->bytes != NULL);
}

void log_ring_close(struct log_ring *r)
{
    free(r->bytes);
    r->bytes = NULL;
}

bool log_ring_put(struct log_ring *r, struct span line, bool *ret_half)
{
    uint64_t written = atomic_load_explicit(&r->written, memory_order_relaxed);
    size_t at = written % LOG_RING_SIZE;
    size_t first = line.n < LOG_RING_SIZE - at ? line.n : LOG_RING_SIZE - at;

    *ret_half = false;
    if (written + line.n - r->read_seen > LOG_RING_SIZE * 3 / 4) {
        /* only now: the reader's word lies in a cache line that it writes to */
        r->read_seen = atomic_load_explicit(&r->read, memory_order_acquire);
        uint64_t before = written - r->read_seen;
        if (before + line.n > LOG_RING_SIZE) {
            r->dropped++;
            return false;
        }
        *ret_half = before <= LOG_RING_SIZE * 3 / 4 && before + line.n > LOG_RING_SIZE * 3 / 4;
    }
    memcpy(r->bytes + at, line.p, first);
    memcpy(r->bytes, line.p + first, line.n - first);
    atomic_store_explicit(&r->written, written + line.n, memory_order_release);
    return true;
}

unsigned log_ring_peek(const struct log_ring *r, struct span ret_pieces[2])
{
    uint64_t written = atomic_load_explicit(&r->written, memory_order_acquire);
    uint64_t read = atomic_load_explicit(&r->read, memory_order_relaxed);
    size_t n = (size_t)(written - read);
    size_t at = read % LOG_RING_SIZE;
    size_t first = n < LOG_RING_SIZE - at ? n : LOG_RING_SIZE - at;

    ret_pieces[0] = span_of(r->bytes + at, first);
    ret_pieces[1] = span_of(r->bytes, n - first);
    return n == 0 ? 0 : n > first ? 2 : 1;
}

void log_ring_taken(struct log_ring *r, size_t n)
{
    uint64_t read = atomic_load_explicit(&r->read, memory_order_relaxed);

    atomic_store_explicit(&r->read, read + n, memory_order_release);
}
