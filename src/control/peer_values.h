/* SPDX-License-Identifier: Apache-2.0 */
/* peer_values.h - single values of what another node says, read strictly: whoever answers there may be another program, a
 * later version, or broken. Each is false when it is none. Pure but for memory.
 * Next: peer_counts.c and peer_report.c, whole answers. */
#ifndef EK_CONTROL_PEER_VALUES_H
#define EK_CONTROL_PEER_VALUES_H

#include "base/arena.h"
#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define PEER_COUNT_MAX (INT64_C(1) << 56) /* so that PEERS_MAX of them can be added */

/* The whole answer; no name twice. json_decref() it. */
err peer_read_json(struct span body, json_t **ret);

/* A whole number from 0 to `most`. */
bool peer_read_count(const json_t *v, int64_t most, uint64_t *ret);
bool peer_read_seconds(const json_t *v, int64_t most, int64_t *ret);

/* Seconds with decimals, from 0 to `most_ms` milliseconds; to the nearest of them. */
bool peer_read_measured(const json_t *v, int64_t most_ms, uint64_t *ret_ms);

/* 1 to `most` printable bytes without blanks: a name, not a page. Terminated. */
bool peer_read_text(struct arena *a, const json_t *v, size_t most, struct span *ret);

/* 16 digits: numbers of JSON hold less than 64 bits for most programs. */
bool peer_read_hash(const json_t *v, uint64_t *ret);

/* Bins of a histogram that are not empty: [bin, count], ascending. */
struct peer_bins {
    uint32_t *bins;
    uint64_t *counts;
    size_t count;
};

bool peer_read_bins(struct arena *a, const json_t *list, struct peer_bins *ret);

/* Adds them to bins[HISTOGRAM_BINS]. */
void peer_bins_add(const struct peer_bins *b, uint64_t *bins);

#endif
