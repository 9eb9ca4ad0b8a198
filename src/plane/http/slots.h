/* SPDX-License-Identifier: Apache-2.0 */
/* slots.h - which counters the HTTP edge keeps, and where they are in a counter page.
 * Journeys' counters are in core/series.h; these are about the edge itself. */
#ifndef EK_PLANE_HTTP_SLOTS_H
#define EK_PLANE_HTTP_SLOTS_H

#include "plane/http/exchange_table.h"
#include "plane/http/ending.h"

#include <stdint.h>

/* clang-format off */
/* Of the edge. name, counter or gauge, metric, help */
#define EDGE_COUNTERS(X) \
    X(CONNECTIONS_OPEN,     gauge,   "evenkeel_http_connections",                "Client connections open now.") \
    X(CONNECTIONS_ACCEPTED, counter, "evenkeel_http_connections_accepted_total", "Client connections accepted.") \
    X(LISTENING,            gauge,   "evenkeel_http_listening_threads",          "Threads that let clients in.") \
    X(EXCHANGES_OPEN,       gauge,   "evenkeel_http_exchanges",                  "Requests under way now.") \
    X(RECEIVED_BYTES,       counter, "evenkeel_http_received_bytes_total",       "Bytes received from clients.") \
    X(SENT_BYTES,           counter, "evenkeel_http_sent_bytes_total",           "Bytes of answers given to clients, without framing.") \
    X(PER_ADDRESS,          counter, "evenkeel_http_connections_over_address_limit_total", "Connections closed because their address had too many.") \
    X(MADE_ROOM,            counter, "evenkeel_http_idle_connections_closed_total", "Idle connections, and those that sent a head too slowly, closed to make room for new ones.") \
    X(HANDSHAKES_FAILED,    counter, "evenkeel_http_handshakes_failed_total",    "Connections that ended within TLS handshake or PROXY protocol.") \
    X(OVERLOAD,             gauge,   "evenkeel_http_overload_level",             "Sum over threads: 1 saves (connections close with their answer), 2 refuses new requests.") \
    X(LOG_DROPPED,          counter, "evenkeel_access_log_dropped_total",        "Access log lines that found a full ring.") \
    X(MAIL_DROPPED,         counter, "evenkeel_mail_dropped_total",              "Messages between threads that found a full mailbox.") \
    X(TOLD,                 counter, "evenkeel_told_total",                      "Answers of which the instance said outcome or journey itself.") \
    X(TOLD_IGNORED,         counter, "evenkeel_told_ignored_total",              "Evenkeel-Outcome and Evenkeel-Journey fields of instances that were not understood, or came twice.") \
    X(STEPS_DROPPED,        counter, "evenkeel_http_steps_dropped_total",        "Requests that were steps of a journey and found a full ring: their users' attempts go on as if they had not been made.")

/* Of one instance. */
#define INSTANCE_COUNTERS(X) \
    X(REQUESTS,         counter, "evenkeel_instance_requests_total",           "Requests sent to the instance.") \
    X(ANSWERS_BAD,      counter, "evenkeel_instance_bad_answers_total",        "Answers with status 500-599.") \
    X(CONNECT_FAILURES, counter, "evenkeel_instance_connect_failures_total",   "Connections that could not be made.") \
    X(BROKEN,           counter, "evenkeel_instance_broken_total",             "Exchanges that the instance broke off, stalled or answered malformed.") \
    X(CONNECTS,         counter, "evenkeel_instance_connects_total",           "Connections begun.") \
    X(IN_FLIGHT,        gauge,   "evenkeel_instance_in_flight",                "Requests under way at the instance now.") \
    X(CONNECTIONS,      gauge,   "evenkeel_instance_connections",              "Connections to the instance, idle ones included.") \
    X(EJECTIONS,        counter, "evenkeel_instance_ejections_total",          "Times that a thread began to leave the instance alone after failures.")

/* Of one service. */
#define SERVICE_COUNTERS(X) \
    X(OFFERED,          counter, "evenkeel_service_offered_total",             "Requests that were offered to an instance, each once however many tries it took.") \
    X(RETRIES,          counter, "evenkeel_service_retries_total",             "Tries on another instance that took from the retry budget.") \
    X(RETRIES_DENIED,   counter, "evenkeel_service_retries_denied_total",      "Retries that were not made because the budget was used up.") \
    X(REDISPATCHES,     counter, "evenkeel_service_redispatches_total",        "Requests given to another instance because nothing of them had been sent to the first.") \
    X(REPEATS,          counter, "evenkeel_service_repeats_total",             "Requests sent again to the same instance because it had closed an idle connection.") \
    X(HELD,             counter, "evenkeel_service_held_total",                "Answers that were held until they were complete because a retry was still possible.") \
    X(PANIC,            gauge,   "evenkeel_service_panic",                     "Threads that use all instances because fewer than half can be used.")

/* What a service in observe mode would have done, behind its counters. name, action, reason */
#define WOULD(X) \
    X(RETRY_STATUS,     "retry",      "status") \
    X(RETRY_TIMEOUT,    "retry",      "timeout") \
    X(RETRY_BROKEN,     "retry",      "broken") \
    X(RETRY_DENIED,     "deny-retry", "budget") \
    X(REDISPATCH,       "redispatch", "connect") \
    X(EJECT_CONNECT,    "eject",      "connect") \
    X(EJECT_FAILURES,   "eject",      "failures") \
    X(CHOOSE_OTHER,     "choose",     "ejected") \
    X(CUT_DEADLINE,     "cut",        "deadline")
/* clang-format on */

enum edge_counter {
#define X(name, kind, metric, help) EDGE_##name,
    EDGE_COUNTERS(X)
#undef X
        EDGE_COUNTER_COUNT,
};

enum instance_counter {
#define X(name, kind, metric, help) INSTANCE_##name,
    INSTANCE_COUNTERS(X)
#undef X
        INSTANCE_COUNTER_COUNT,
};

enum service_counter {
#define X(name, kind, metric, help) SERVICE_##name,
    SERVICE_COUNTERS(X)
#undef X
        SERVICE_COUNTER_COUNT,
};

enum would {
#define X(name, action, reason) WOULD_##name,
    WOULD(X)
#undef X
        WOULD_COUNT,
};

/* A service's slots: its counters, then one for each thing that it would have done. */
enum { SERVICE_SLOTS = SERVICE_COUNTER_COUNT + WOULD_COUNT };

/* What control says about one instance, in control's own page, which reactors read. */
enum said {
    SAID_UP,            /* 1: its active checks are good; 0: they are not, or none was made yet */
    SAID_EJECTED_UNTIL, /* monotonic ns: some reactor found that it fails; 0: nobody did */
    SAID_COUNT,
};

/* An instance's slots: its counters, then control's words. */
enum { INSTANCE_SLOTS = INSTANCE_COUNTER_COUNT + SAID_COUNT };

/* Time in a state: bin i counts durations below 2^i microseconds; the last takes the rest. */
enum { STATE_TIME_BINS = 32 };

/* Answers by status class: 0 none, 1 to 5. */
enum { CODE_CLASSES = 6 };

struct edge_slots {
    uint32_t counters;   /* EDGE_COUNTER_COUNT */
    uint32_t endings;    /* ENDING_COUNT: exchanges that did not end well, by reason */
    uint32_t state_time; /* EXCHANGE_STATES x STATE_TIME_BINS */
    uint32_t state_sum;  /* EXCHANGE_STATES: microseconds */
    uint32_t said; /* in control's page: how often anything that it says of instances changed */
};

#endif
