/* SPDX-License-Identifier: Apache-2.0 */
/* sim.h - a whole network in memory, on a virtual clock, in one thread.
 * The same reactors and connections as on the kernel; only the back end differs. Time jumps to whatever
 * happens next. Everything that chance decides (how bytes are split and delayed, how small a window is,
 * who runs first, what breaks) comes from one seed, so a failing run replays exactly.
 * Not covered: the kernel's own timing, memory ordering, TLS libraries; talk tests and the thread
 * sanitizer are for those. */
#ifndef EK_IO_SIM_H
#define EK_IO_SIM_H

#include "io/backend.h"

/* What the network does to streams towards one address. Chances in per mille. */
struct sim_faults {
    ns_t delay_max;  /* a segment takes up to this long */
    unsigned split;  /* a segment is cut at a random place */
    unsigned refuse; /* a connection attempt is refused */
    unsigned reset;  /* a stream resets after a random number of bytes below reset_bytes */
    size_t reset_bytes;
    unsigned stall; /* a segment is held up for up to stall_max */
    ns_t stall_max;
    size_t window_min; /* bytes that one direction holds before the sender must wait */
    size_t window_max;
};

struct sim_world;

struct sim_world *sim_new(uint64_t seed);
void sim_free(struct sim_world *w); /* every reactor must have been freed */

/* Makes a reactor of this world. `name` is shown in the trace. */
void sim_reactor_open(struct sim_world *w, struct reactor *r, unsigned index, const char *name);

/* Ports of the world need no sockets: give p->address and call port_start(). Several ports may have
 * one address; a connection comes to a random one of them. */

/* Faults of streams to `a` (NULL: to every address without its own) that begin from now on. */
void sim_faults_set(struct sim_world *w, const struct address *a, const struct sim_faults *f);

/* Lets the next thing happen. False when nothing is left to wait for, or it would come after `until`;
 * the clock then stands at `until`. */
bool sim_step(struct sim_world *w, ns_t until);

ns_t sim_now(const struct sim_world *w);
struct rng *sim_rng(struct sim_world *w);

/* A line of the story: printed with its time when tracing. */
void sim_trace_on(struct sim_world *w);
void sim_trace(struct sim_world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
