/* SPDX-License-Identifier: Apache-2.0 */
/* request_table.h - what the two edges know of one request, found by its trace id.
 * The HTTP edge claims a slot when an exchange begins and gives it back when it ends; the PostgreSQL
 * edge finds it by the mark in a statement and adds what the database did for this request. Fixed slots,
 * no lock: each field has one writer at a time, and readers check that the slot still is theirs.
 * A table that is full tracks no more: the exchange goes on without, and `untracked` counts it. */
#ifndef EK_BUS_REQUEST_TABLE_H
#define EK_BUS_REQUEST_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    REQUEST_SLOTS = 1 << 14, /* exchanges under way at once; 64 bytes each: 1 MiB */
    REQUEST_PROBES = 8,      /* slots looked at before giving up: bounds the work of a claim */
};

/* 128-bit trace id of W3C trace context; never all zero. */
struct trace_id {
    uint64_t high;
    uint64_t low;
};

/* A new id. Its slot is one of a few that belong to this writer and stay in its cache: `turn` counts the
 * writer's ids. 114 bits are random. */
enum { REQUEST_HOT_SLOTS = 256 };

static inline struct trace_id trace_id_new(uint64_t random_high, uint64_t random_low,
                                           unsigned writer, uint64_t turn)
{
    uint64_t slot =
        ((uint64_t)writer * REQUEST_HOT_SLOTS + turn % REQUEST_HOT_SLOTS) % REQUEST_SLOTS;

    return (struct trace_id){ random_high | 1,
                              (random_low & ~(uint64_t)(REQUEST_SLOTS - 1)) | slot };
}

struct request_slot {
    _Atomic uint64_t owner;      /* hash of the trace id; 0: free */
    _Atomic uint64_t trace_high; /* written by the HTTP edge while it claims */
    _Atomic uint64_t trace_low;
    _Atomic uint64_t pool_wait_ns; /* PostgreSQL edge: waiting for a server connection, summed */
    _Atomic uint64_t server_ns;    /* PostgreSQL edge: server time, summed */
    _Atomic uint64_t statements;   /* PostgreSQL edge */
    _Atomic uint64_t write_lsn;    /* PostgreSQL edge: position of the last write; 0: none */
    _Atomic uint64_t write_timeline;
};

struct request_table {
    struct request_slot *slots;
    _Atomic uint64_t untracked;
};

void request_table_open(struct request_table *t);
void request_table_close(struct request_table *t);

/* HTTP edge: NULL when there is no room near its place. */
struct request_slot *request_claim(struct request_table *t, struct trace_id id);
void request_release(struct request_slot *s);

/* PostgreSQL edge: the slot of a request under way, or NULL. */
struct request_slot *request_find(struct request_table *t, struct trace_id id);

/* PostgreSQL edge: adds one statement's figures; false when the request has ended meanwhile. */
bool request_add_statement(struct request_slot *s, struct trace_id id, uint64_t pool_wait_ns,
                           uint64_t server_ns);

#endif
