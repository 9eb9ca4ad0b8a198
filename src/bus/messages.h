/* SPDX-License-Identifier: Apache-2.0 */
/* messages.h - everything that threads say to each other: one row per kind.
 * A message is copied, at most 56 bytes; what does not fit is passed as a pointer whose owner changes
 * with the message, as the row says. */
#ifndef EK_BUS_MESSAGES_H
#define EK_BUS_MESSAGES_H

#include "base/clock.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

/* clang-format off */
#define MESSAGES(X) \
    /* name               from -> to            meaning; when the box is full */ \
    X(DRAIN,              "control -> reactor", "stop listening, finish what runs, then stop; retried each tick") \
    X(DRAINED,            "reactor -> control", "nothing runs any more; retried each turn") \
    X(LISTEN,             "control -> reactor", "begin to accept clients; retried each tick") \
    X(INSTANCE_EJECTED,   "reactor -> control", "an instance fails and is left alone; dropped") \
    X(INSTANCE_ANSWERS,   "reactor -> control", "an ejected instance answered well; dropped") \
    X(TLS,                "files -> reactor",   "new certificates for a listener, owned by the reactor from now on; made again later") \
    X(STOP,               "main -> control",    "a signal asks us to stop; retried on the next signal") \
    X(LOAD,               "control -> loader",  "a configuration to make, owned by the loader from now on; tried again each tick") \
    X(LOADED,             "loader -> control",  "the same, made or failed, owned by control; retried") \
    X(NAMES_CHANGED,      "loader -> control",  "a name of an instance has other addresses; told again with the next lookup") \
    X(LOADER_STOP,        "control -> loader",  "end; retried") \
    X(RELOAD,             "main -> control",    "a signal asks for the file to be read again; the next signal asks again") \
    X(TASK,               "control -> scribe",  "something to do with the store, owned by the scribe from now on; tried again each tick") \
    X(TASK_DONE,          "scribe -> control",  "the same, done, owned by control; retried") \
    X(PEERS,              "control -> puller",  "the nodes to be asked from now on, owned by the puller; tried again each tick") \
    X(PEERS_STOP,         "control -> puller",  "end; tried again each tick") \
    X(PEER_ANSWER,        "puller -> control",  "what a node said, owned by control; the next is newer, so dropped") \
    X(QUERIES,            "control -> queries", "the queries to be made from now on, owned by queries; tried again each tick") \
    X(QUERY_ANSWER,       "queries -> control", "what a query gave, owned by control; dropped, for the next gives it too") \
    X(INQUIRY,            "control -> puller",  "a question to all nodes, owned by the puller; the nodes count as missing") \
    X(INQUIRY_DONE,       "puller -> control",  "the same, answered or given up, owned by control; retried") \
    X(SAMPLES,            "control -> scribe",  "a job to do, owned by the scribe from now on; the next is newer, so dropped") \
    X(SAMPLES_STORED,     "scribe -> control",  "the job, done or failed, owned by control; retried") \
    X(SCRIBE_STOP,        "control -> scribe",  "store what is left, close the store and end; retried")
/* clang-format on */

enum message_kind {
#define X(name, route, meaning) MESSAGE_##name,
    MESSAGES(X)
#undef X
};

struct message {
    enum message_kind kind;
    uint32_t reactor; /* index of the sender, when a reactor */
    union {
        struct {
            uint32_t id;   /* stable id of the instance */
            uint32_t said; /* control's words about it */
            ns_t until;    /* monotonic; 0: it answers */
            bool refused;  /* it took no connection */
        } instance;
        struct {
            ns_t deadline; /* monotonic: what still runs then is cut off */
        } drain;
        struct {
            uint32_t listener; /* index */
            struct tls_server *server;
        } tls;
        void *
            job; /* struct scribe_job, scribe_task, load_job, peer_list, peer_answer, peer_inquiry, query_list or query_answer */
        int signal;
    };
};

static_assert(sizeof(struct message) <= 56, "a message and its turn share one cache line");

/* The row's name, for logs and traces. */
const char *message_name(enum message_kind kind);

#endif
