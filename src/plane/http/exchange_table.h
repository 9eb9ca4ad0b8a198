/* SPDX-License-Identifier: Apache-2.0 */
/* exchange_table.h - the states of an exchange (base/machine.h says how such a table is used).
 * TO() is defined where the rows are expanded. A state says what the exchange waits for. Where the request's body is, is no state of its own: both
 * directions flow at once. */
#ifndef EK_PLANE_HTTP_EXCHANGE_TABLE_H
#define EK_PLANE_HTTP_EXCHANGE_TABLE_H

/* clang-format off */
#define EXCHANGE_STATES(X) \
    /* name       may go to                                                         deadline  what it is doing */ \
    X(READING,     TO(CONNECTING) | TO(SENDING) | TO(AWAITING) | TO(ANSWERING) | TO(OVER), none,     "reading the request") \
    X(CONNECTING,  TO(CONNECTING) | TO(SENDING) | TO(BACKING_OFF) | TO(ANSWERING) | TO(OVER), connect,  "waiting for a connection to an instance") \
    X(SENDING,     TO(CONNECTING) | TO(SENDING) | TO(WAITING) | TO(HOLDING) | TO(BACKING_OFF) | TO(ANSWERING) | TO(OVER), idle, "sending the request to the instance") \
    X(WAITING,     TO(CONNECTING) | TO(SENDING) | TO(HOLDING) | TO(BACKING_OFF) | TO(ANSWERING) | TO(OVER), head, "waiting for the answer to begin") \
    X(HOLDING,     TO(BACKING_OFF) | TO(ANSWERING) | TO(OVER),                       hold,     "holding a short answer until it is complete, for it could still be tried again") \
    X(BACKING_OFF, TO(CONNECTING) | TO(SENDING) | TO(ANSWERING) | TO(OVER),          backoff,  "waiting a moment before the next try") \
    X(AWAITING,    TO(STREAMING) | TO(ANSWERING) | TO(OVER),                         answer,   "waiting for an answer of our own that comes later") \
    X(STREAMING,   TO(OVER),                                                         stream,   "telling what happens, for as long as somebody listens") \
    X(ANSWERING,   TO(OVER),                                                         idle,     "passing the answer on") \
    X(OVER,        0,                                                                none,     "counted; memory about to be given back")
/* clang-format on */

enum exchange_state {
#define X(name, next, deadline, words) EXCHANGE_##name,
    EXCHANGE_STATES(X)
#undef X
        EXCHANGE_STATE_COUNT,
};

#endif
