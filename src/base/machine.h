/* SPDX-License-Identifier: Apache-2.0 */
/* machine.h - checked step machines: the states of a machine are one table, and every move is checked
 * against it. A table is an X-macro in a file of its own (see src/plane/http/exchange_table.h):
 *
 *     X(NAME, TO(A) | TO(B), DEADLINE, "what it is doing, in words for people")
 *
 * From it come the enum, the rows below, the timer that a state arms, the word in `evenkeel status` and
 * the time spent in each state. A move that the table does not list is our bug and stops the program. */
#ifndef EK_BASE_MACHINE_H
#define EK_BASE_MACHINE_H

#include "base/check.h"

#include <stdint.h>

struct machine_state {
    const char *name;
    uint32_t next;     /* bit i: may go to state i */
    unsigned deadline; /* which of the owner's deadlines runs in this state; 0 = none */
    const char *words;
};

static inline void machine_check_move(const struct machine_state *states, unsigned from,
                                      unsigned to)
{
    check(states[from].next & (UINT32_C(1) << to));
}

#endif
