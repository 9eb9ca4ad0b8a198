/* SPDX-License-Identifier: Apache-2.0 */
/* job_rows.h - what a query says of jobs, from texts to values. Pure. */
#ifndef EK_CONTROL_JOB_ROWS_H
#define EK_CONTROL_JOB_ROWS_H

#include "base/clock.h"
#include "base/err.h"
#include "base/span.h"
#include "core/verdict.h"

enum { QUERY_ROWS_MAX = 10000 };

/* A job that ended. */
struct job_row {
    uint64_t mark;        /* of its id */
    enum outcome outcome; /* as told */
    ns_t took;            /* 0 unless told */
    int64_t at_ms;        /* unix milliseconds */
};

/* Columns; a null has no bytes and is NULL, an empty text is not. */
struct job_texts {
    struct span id;
    struct span outcome;
    struct span seconds;
    struct span at;
};

/* *ret_ended: false for a job that goes on, of which outcome or at is null. */
err job_row_read(const struct job_texts *t, uint64_t key, struct job_row *ret, bool *ret_ended);

/* Seconds, 0 or more: "12.5". */
bool job_seconds_read(struct span text, double *ret_seconds);

/* Unix seconds, or a time of PostgreSQL's ISO style in UTC: "2026-11-27 19:16:44.25+00". */
bool job_time_read(struct span text, int64_t *ret_ms);

#endif
