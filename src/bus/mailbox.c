/* SPDX-License-Identifier: Apache-2.0 */
/* mailbox.c - the ring. A slot's `turn` says whose it is: equal to the position: free for the writer of
 * that position; position + 1: written, for the reader; position + MAILBOX_SLOTS: free for the next lap. */
#include "bus/mailbox.h"

#include "base/check.h"

#include <stdlib.h>

static const char *const message_names[] = {
#define X(name, route, meaning) #name,
    MESSAGES(X)
#undef X
};

const char *message_name(enum message_kind kind)
{
    return message_names[kind];
}

void mailbox_init(struct mailbox *m)
{
    *m = (struct mailbox){};
    m->slots = aligned_alloc(alignof(struct mail_slot), MAILBOX_SLOTS * sizeof(m->slots[0]));
    check(m->slots != NULL);
    for (uint64_t i = 0; i < MAILBOX_SLOTS; i++)
        atomic_init(&m->slots[i].turn, i);
}

void mailbox_free(struct mailbox *m)
{
    free(m->slots);
    m->slots = NULL;
}

bool mailbox_send(struct mailbox *m, const struct message *message)
{
    uint64_t at = atomic_load_explicit(&m->tail, memory_order_relaxed);

    for (;;) {
        struct mail_slot *slot = &m->slots[at % MAILBOX_SLOTS];
        uint64_t turn = atomic_load_explicit(&slot->turn, memory_order_acquire);
        if (turn == at) {
            if (!atomic_compare_exchange_weak_explicit(&m->tail, &at, at + 1, memory_order_seq_cst,
                                                       memory_order_relaxed))
                continue; /* `at` was reloaded */
            slot->message = *message;
            /* seq_cst: ordered before the sender's look at the receiver's `asleep` */
            atomic_store(&slot->turn, at + 1);
            return true;
        }
        if (turn < at) {
            atomic_fetch_add_explicit(&m->refused, 1, memory_order_relaxed);
            return false; /* a lap behind: full */
        }
        at = atomic_load_explicit(&m->tail, memory_order_relaxed);
    }
}

bool mailbox_receive(struct mailbox *m, struct message *ret_message)
{
    uint64_t at = atomic_load_explicit(&m->head, memory_order_relaxed);
    struct mail_slot *slot = &m->slots[at % MAILBOX_SLOTS];

    if (atomic_load_explicit(&slot->turn, memory_order_acquire) != at + 1)
        return false;
    *ret_message = slot->message;
    atomic_store_explicit(&slot->turn, at + MAILBOX_SLOTS, memory_order_release);
    atomic_store_explicit(&m->head, at + 1, memory_order_relaxed);
    return true;
}

bool mailbox_empty(struct mailbox *m)
{
    uint64_t at = atomic_load_explicit(&m->head, memory_order_relaxed);

    /* seq_cst: ordered after the receiver has said that it goes to sleep */
    return atomic_load(&m->slots[at % MAILBOX_SLOTS].turn) != at + 1;
}
