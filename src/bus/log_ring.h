/* SPDX-License-Identifier: Apache-2.0 */
/* log_ring.h - lines from one reactor to the thread that writes them to a file.
 * Always: one writer, one reader, no lock; a line is in it whole or not at all; a full ring drops the line
 * and counts it. The writer is never made to wait for the disk. */
#ifndef EK_BUS_LOG_RING_H
#define EK_BUS_LOG_RING_H

#include "base/span.h"

#include <stdalign.h>
#include <stdatomic.h>

enum {
    LOG_RING_SIZE = 1 << 20,  /* some 3,000 lines: what a busy reactor writes in 30 ms */
    LOG_LINE_MAX = 16 * 1024, /* a line may be as long as a head that was cut to it */
};

struct log_ring {
    alignas(64) _Atomic uint64_t written; /* bytes put in, ever; the writer's */
    uint64_t read_seen;                   /* the writer's last look at `read` */
    uint64_t dropped;                     /* lines; the writer's */
    char *bytes;
    alignas(64) _Atomic uint64_t read; /* bytes taken out; the reader's */
};

void log_ring_open(struct log_ring *r);
void log_ring_close(struct log_ring *r);

/* Puts a line in; false when there is no room. *ret_half: it has just become three quarters full, so that the reader
 * should not sleep any longer. */
bool log_ring_put(struct log_ring *r, struct span line, bool *ret_half);

/* What can be read: at most two pieces (the ring's end, its beginning). Returns their number. They stay
 * until log_ring_taken(). */
unsigned log_ring_peek(const struct log_ring *r, struct span ret_pieces[2]);
void log_ring_taken(struct log_ring *r, size_t n);

#endif
