/* SPDX-License-Identifier: Apache-2.0 */
/* mailbox.h - typed messages from many threads to one, without locks: a bounded ring of 64-byte slots
 * (Vyukov's bounded queue, many producers, one consumer).
 * A full box is the sender's problem: it is counted and the sender tries again on its next turn or lets
 * it be, as the message's row in messages.h says. Nobody waits. */
#ifndef EK_BUS_MAILBOX_H
#define EK_BUS_MAILBOX_H

#include "bus/messages.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MAILBOX_SLOTS = 1024
}; /* a turn reads at most MAIL_PER_TURN; a burst of reloads and refusals fits */
enum { MAIL_PER_TURN = 64 }; /* so that mail does not starve requests */

struct mail_slot {
    alignas(64) _Atomic uint64_t turn; /* whose turn the slot is: the ring's own bookkeeping */
    struct message message;
};

struct mailbox {
    alignas(64) _Atomic uint64_t tail; /* next to be written; producers */
    alignas(
        64) _Atomic uint64_t head; /* next to be read; consumer (others only ask whether empty) */
    _Atomic uint64_t refused;      /* messages that found it full */
    struct mail_slot *slots;
};

void mailbox_init(struct mailbox *m);
void mailbox_free(struct mailbox *m);

/* From any thread. False: full, nothing was sent. The caller wakes the receiver afterwards. */
[[nodiscard]] bool mailbox_send(struct mailbox *m, const struct message *message);

/* By the one receiver. */
[[nodiscard]] bool mailbox_receive(struct mailbox *m, struct message *ret_message);

bool mailbox_empty(struct mailbox *m);

#endif
