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
    X(EXCHANGES_OPEN,       gauge,   "evenkeel_http_exchanges",                  "Requests under way now.") \
    X(REDISPATCHED,         counter, "evenkeel_http_redispatched_total",         "Requests given to another instance before any byte of them had been sent.") \
    X(RECEIVED_BYTES,       counter, "evenkeel_http_received_bytes_total",       "Bytes received from clients.") \
    X(SENT_BYTES,           counter, "evenkeel_http_sent_bytes_total",           "Bytes of answers given to clients, without framing.") \
    X(PER_ADDRESS,          counter, "evenkeel_http_connections_over_address_limit_total", "Connections closed because their address had too many.") \
    X(MADE_ROOM,            counter, "evenkeel_http_idle_connections_closed_total", "Idle connections, and those that sent a head too slowly, closed to make room for new ones.") \
    X(HANDSHAKES_FAILED,    counter, "evenkeel_http_handshakes_failed_total",    "Connections that ended within TLS handshake or PROXY protocol.") \
    X(OVERLOAD,             gauge,   "evenkeel_http_overload_level",             "Sum over threads: 1 saves (connections close with their answer), 2 refuses new requests.") \
    X(LOG_DROPPED,          counter, "evenkeel_access_log_dropped_total",        "Access log lines that found a full ring.") \
    X(MAIL_DROPPED,         counter, "evenkeel_mail_dropped_total",              "Messages between threads that found a full mailbox.")

/* Of one instance. */
#define INSTANCE_COUNTERS(X) \
    X(REQUESTS,         counter, "evenkeel_instance_requests_total",           "Requests sent to the instance.") \
    X(ANSWERS_BAD,      counter, "evenkeel_instance_bad_answers_total",        "Answers with status 500-599.") \
    X(CONNECT_FAILURES, counter, "evenkeel_instance_connect_failures_total",   "Connections that could not be made.") \
    X(BROKEN,           counter, "evenkeel_instance_broken_total",             "Exchanges that the instance broke off, stalled or answered malformed.") \
    X(CONNECTS,         counter, "evenkeel_instance_connects_total",           "Connections begun.") \
    X(IN_FLIGHT,        gauge,   "evenkeel_instance_in_flight",                "Requests under way at the instance now.") \
    X(CONNECTIONS,      gauge,   "evenkeel_instance_connections",              "Connections to the instance, idle ones included.") \
    X(AVOIDED,          gauge,   "evenkeel_instance_avoided",                  "Threads that leave the instance alone after it refused a connection.")
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

/* Time in a state: bin i counts durations below 2^i microseconds; the last takes the rest. */
enum { STATE_TIME_BINS = 32 };

/* Answers by status class: 0 none, 1 to 5. */
enum { CODE_CLASSES = 6 };

struct edge_slots {
    uint32_t counters;   /* EDGE_COUNTER_COUNT */
    uint32_t endings;    /* ENDING_COUNT: exchanges that did not end well, by reason */
    uint32_t state_time; /* EXCHANGE_STATES x STATE_TIME_BINS */
};

#endif
