/* SPDX-License-Identifier: Apache-2.0 */
/* job_queries.h - journeys whose jobs are read from a database: which queries there are, what they gave last, and counting it.
 * Always: a job is counted once, when it ended. Within a process a row is known by its id as long as the query goes on giving
 * it. Over restarts the journey's counters know until when ended jobs were counted (SERIES_QUERIED_MS), in the same sample as
 * the counts: what ended before is not counted again, what ended since is, when it did.
 * A query that fails counts nothing, stops nothing, and its time is not measured for this journey.
 * Owned by control. Next: query_runner.h, the thread that asks; api_queries.c, which shows it. */
#ifndef EK_CONTROL_JOB_QUERIES_H
#define EK_CONTROL_JOB_QUERIES_H

#include "control/query_runner.h"

struct control;

/* What is known of one query. */
struct job_query {
    uint32_t id;
    int64_t since_ms; /* what had ended by then is counted, or before our time */
    uint64_t *known;  /* marks of the rows of the last good run, ascending; malloc */
    size_t known_count;
    int64_t good_at;   /* unix seconds of the last good run; 0: none yet */
    int64_t failed_at; /* and of the first that failed since; 0: it does not fail */
    char error[ERR_TEXT_MAX];
    ns_t took; /* the last run */
    uint64_t runs;
    uint64_t failures;
    uint64_t counted;
    uint64_t too_old; /* jobs that ended longer ago than can be counted */
    bool has_age;
    double age_s; /* of the last good run */
    ns_t looked;  /* monotonic: until when its failing time is noted */
};

struct job_queries {
    struct job_query *list;
    size_t count;
    bool untold; /* the thread does not have it yet */
};

/* The configuration in force is another one. */
void job_queries_adopt(struct control *c);

/* Each tick: time in which queries fail. */
void job_queries_tick(struct control *c);

/* Mail; frees it. */
void job_queries_heard(struct control *c, struct query_answer *a);

void job_queries_free(struct job_queries *q);

/* NULL: it has none, or is new. */
const struct job_query *job_query_of(const struct control *c, const struct journey *j);

#endif
