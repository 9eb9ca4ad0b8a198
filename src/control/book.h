/* SPDX-License-Identifier: Apache-2.0 */
/* book.h - the accounts of all journeys: what the counter pages say now, what the store knew before, and
 * so every window and figure that anybody asks for.
 * cumulative = base (from the store, at boot) + live (sum of the pages). A window is cumulative now less
 * cumulative at its begin: from the ring for up to six hours, from the store for longer ones.
 * Owned by control; reads the reactors' pages relaxed.
 * Next: api.c and metrics.c, which show it; scribe.h, which stores it. */
#ifndef EK_CONTROL_BOOK_H
#define EK_CONTROL_BOOK_H

#include "bus/config.h"
#include "bus/counters.h"
#include "control/scribe.h"
#include "core/accumulate.h"
#include "core/histogram.h"
#include "core/slo.h"
#include "core/window.h"
#include "store/catalog.h"

/* Where a long window of one objective begins, as the store remembers it. */
struct window_start {
    int64_t window_s;
    struct sample counters;
    uint64_t node_measured_ms;
    bool known; /* false: nothing older than this process is known; the base counts as the begin */
};

/* What the store knows of one journey of a configuration. */
struct journey_memory {
    struct journey_version version;
    struct sample total;
    struct window_start starts[OBJECTIVES_MAX];
};

struct account {
    char *name;
    uint64_t definition;
    uint32_t version; /* the store's id */
    uint32_t number;  /* 1, 2, ... for people */
    uint32_t series;
    uint32_t histogram;
    unsigned objectives;
    bool in_force;                /* a journey of the configuration in force */
    uint64_t base[SERIES_MAX];    /* from the store */
    int64_t base_at;              /* unix seconds; 0: it was never counted before */
    uint64_t written[SERIES_MAX]; /* what the store holds */
    bool unkept;                  /* the newest in the store is not kept as history yet */
    struct window window;         /* series, and measured milliseconds as the last column */
    void *window_memory;
    struct window_start starts[OBJECTIVES_MAX];
    uint64_t *slot_bins;  /* live histogram at the begin of the running slot of 5 minutes */
    uint64_t *older_bins; /* and of the one before */
};

struct book {
    const struct counter_page *pages[WORKERS_MAX + 1];
    size_t page_count;
    struct account *accounts;
    size_t account_count;
    struct coverage coverage;
    int64_t slot_at;    /* unix seconds: begin of the running histogram slot */
    int64_t minute;     /* unix minute of the last kept samples */
    int64_t written_at; /* unix seconds of the last job that was stored; 0: none yet */
    err trouble;        /* of the last job */
    bool job_out;       /* the scribe has one */
};

/* `measured_ms`: what the store knows of earlier processes. */
void book_open(struct book *b, uint64_t measured_ms, ns_t now, int64_t unix_now);
void book_close(struct book *b);
void book_add_page(struct book *b, const struct counter_page *p);

/* What the store knows of each journey of a configuration, in its order; a new journey or version is begun
 * there. Blocking: at boot, or as a task of the scribe. ret_memories has room for all. */
err book_recall(struct store *store, const struct config *c, int64_t unix_now,
                struct journey_memory *ret_memories);

/* A configuration comes into force: accounts for what is new in it. `memories`: of book_recall(), or NULL when
 * nothing is remembered. */
void book_adopt(struct book *b, const struct config *c, const struct journey_memory *memories,
                ns_t now);

/* About each second. */
void book_tick(struct book *b, ns_t now);

/* What is to be stored now, or NULL when nothing is, or a job is out. `last`: everything, history
 * included, because the process ends. */
struct scribe_job *book_job(struct book *b, const struct config *c, int64_t unix_now, bool last);

/* The job came back; frees it. */
void book_job_done(struct book *b, struct scribe_job *job);

const struct account *book_account(const struct book *b, const struct journey *j);

/* ---- figures */

/* Counters of this process, and over all processes. */
void book_live(const struct book *b, const struct account *a, uint64_t ret_counts[SERIES_MAX]);
void book_cumulative(const struct book *b, const struct account *a,
                     uint64_t ret_counts[SERIES_MAX]);

/* Within the last `seconds` (at most six hours): counts and how much of the time was measured. */
void book_recent(const struct book *b, const struct account *a, unsigned seconds,
                 uint64_t ret_counts[SERIES_MAX], double *ret_measured_s);

/* Within the window of objective number `o` of the journey. */
struct slo_counts book_objective(const struct book *b, const struct account *a, unsigned o,
                                 int64_t window_s, double *ret_coverage);

/* Latencies of the last five to ten minutes, or of the whole process when that is younger. */
void book_histogram(const struct book *b, const struct account *a,
                    uint64_t ret_bins[HISTOGRAM_BINS]);

/* Sum of one counter over all pages. */
uint64_t book_sum(const struct book *b, uint32_t slot);

#endif
