/* SPDX-License-Identifier: Apache-2.0 */
/* book.h - the accounts of all journeys: what the counter pages say now, what the store knew before, and
 * so every window and figure that anybody asks for.
 * cumulative = base (from the store) + live (sum of the pages). A window is cumulative now less cumulative at its
 * begin: from the ring for up to six hours, from the store for longer ones. Within a process the ring has slots of 10 s; what lies
 * before its start came from the store, to the minute; beyond 35 days the store knows the hour.
 * Versions of a journey that differ in their objectives only are one lineage: they share their histograms, and the one that
 * comes into force goes on with the counts of the one before, as far as they can be rebuilt (core/rebuild.h).
 * Owned by control; reads the reactors' pages relaxed.
 * Next: lineage.c, book_recall.c (what the store knew), book_jobs.c (what it is to keep), api_json.c and metrics.c, which show it. */
#ifndef EK_CONTROL_BOOK_H
#define EK_CONTROL_BOOK_H

#include "base/str.h"
#include "bus/config.h"
#include "bus/counters.h"
#include "control/scribe.h"
#include "core/accumulate.h"
#include "core/histogram.h"
#include "core/lookback.h"
#include "core/slo.h"
#include "core/window.h"
#include "store/refill.h"

/* Where a window longer than the ring begins, as the store remembers it. */
struct window_start {
    int64_t window_s;
    struct sample counters;
    uint64_t node_measured_ms;
    bool known; /* false: nothing older than this process is known; the base counts as the begin */
};

/* The long lookbacks, then the long ones of the objectives' own windows. */
enum { STARTS_MAX = LOOKBACKS_LONG + OBJECTIVES_MAX };

struct window_starts {
    struct window_start list[STARTS_MAX];
    unsigned count;
};

struct handover;   /* lineage.c */
struct succession; /* the same */

/* What the store knows of one journey of a configuration. */
struct journey_memory {
    bool has_ring; /* asked with: its account has a ring already, so none is made */
    struct succession *
        succession; /* asked with: what the version in force has counted, when this is another; or NULL */
    struct journey_version version;
    struct sample total;
    struct window_starts starts;
    struct window window;
    void *window_memory; /* malloc; the account's once it is adopted */
};

struct account {
    char *name;
    uint32_t version; /* the store's id */
    uint32_t number;  /* 1, 2, ... for people */
    uint64_t definition;
    struct journey_slots slots;
    uint32_t lineage; /* number in the book */
    struct verdict_objectives objectives;
    bool queried; /* its jobs are read by a query */
    ns_t under[OBJECTIVES_MAX];
    bool in_force;                /* a journey of the configuration in force */
    uint64_t base[SERIES_MAX];    /* from the store; less what the pages held when it took over */
    uint64_t carried[SERIES_MAX]; /* what earlier versions counted since this one took over */
    struct handover
        *handover;     /* malloc; what it counts is carried to the account in force; or NULL */
    bool leads_untold; /* the store does not know yet that it came into force */
    uint64_t written[SERIES_MAX]; /* what the store holds */
    bool unkept;                  /* the newest in the store is not kept as history yet */
    struct window window;         /* series, and measured milliseconds as the last column */
    void *window_memory;
    struct window_starts *starts; /* malloc; large and seldom looked at, accounts are each second */
    uint64_t *late_bins;          /* of this process, in slots before the running one; NULL: none */
    char *note; /* malloc; what became of its counts when it came into force, for people; or NULL */
};

/* The accounts of a journey with the same basis, and their histogram: the sum of theirs. */
struct lineage {
    uint64_t basis;
    uint32_t *members; /* numbers of accounts; at least one */
    unsigned member_count;
    uint32_t newest;       /* the account that is or was in force last */
    uint32_t bins_version; /* what the store keys its histograms by */
    int64_t slot_at;       /* unix seconds: begin of the running histogram slot */
    int64_t slot_epoch; /* the store's, in which the slot began; 0: in that which writes it first */
    uint64_t *slot_bins;  /* live histogram at that time */
    uint64_t *older_bins; /* and at the begin of the slot before */
    uint64_t put_timed;   /* values in the histogram that was stored last */
};

struct book {
    const struct counter_page *pages[WORKERS_MAX + 1];
    size_t page_count;
    struct account *accounts;
    size_t account_count;
    struct lineage *lineages;
    size_t lineage_count;
    uint32_t *by_id; /* account number + 1 by the journey's stable id; 0: none */
    size_t by_id_count;
    struct coverage coverage;
    int64_t minute;     /* unix minute of the last kept samples */
    size_t next_slot;   /* the lineage whose histogram slot is looked at next */
    size_t next_asked;  /* the account of which is asked next where its long windows begin */
    int64_t written_at; /* unix seconds of the last job that was stored; 0: none yet */
    err trouble;        /* of the last job */
    enum store_trouble trouble_kind;
    int64_t trouble_since; /* unix seconds; 0: none */
    bool job_out;          /* the scribe has one */
    struct late_add
        *late; /* what the store is to be told of the past; version: number of an account */
    size_t late_count;
    size_t late_room;
    size_t late_given; /* the first of them are with the job */
};

/* `measured_ms`: what the store knows of earlier processes. */
void book_open(struct book *b, uint64_t measured_ms, ns_t now, int64_t unix_now);
void book_close(struct book *b);
void book_add_page(struct book *b, const struct counter_page *p);

/* A configuration comes into force: accounts for what is new in it. `memories`: of book_recall(), or NULL when
 * nothing is remembered. */
void book_adopt(struct book *b, const struct config *c, struct journey_memory *memories, ns_t now,
                int64_t unix_now);

/* About each second. */
void book_tick(struct book *b, ns_t now);

const struct account *book_account(const struct book *b, const struct journey *j);

/* ---- book_recall.c */

/* What the store knows of each journey of a configuration, in its order; a new journey or version is begun
 * there. Blocking: at boot, or as a task of the scribe. memories has one for each, cleared or of book_ask(). `now`: monotonic. */
err book_recall(struct store *store, const struct config *c, ns_t now, int64_t unix_now,
                struct journey_memory *memories);

/* Before it is asked, just before: what is in force needs no ring, and what takes over needs to know what was counted until
 * now. May be called again. */
void book_ask(const struct book *b, const struct config *c, struct journey_memory *memories,
              int64_t unix_now);

/* What became of the counts of journeys that count otherwise than before: one line each, "" when all is as it was. */
void book_tell(const struct config *c, const struct journey_memory *memories, struct str *out);

/* What was not adopted of them. */
void book_forget(struct journey_memory *memories, size_t count);

/* The same of one journey; without a line's end. */
void book_tell_journey(const struct journey *j, const struct journey_memory *m, struct str *out);

struct journey_meaning book_meaning(const struct journey *j);

/* The windows of a journey that are longer than the ring. */
void book_long_windows(const struct journey *j, struct window_starts *ret_starts);

/* ---- book_jobs.c */

/* What is to be stored now, or NULL when a job is out. `last`: everything, history included, because the
 * process ends. */
struct scribe_job *book_job(struct book *b, int64_t unix_now, bool last);

/* The job came back; frees it. */
void book_job_done(struct book *b, struct scribe_job *job);

/* ---- book_late.c */

/* An event that happened some time ago, and has been counted just now. */
struct late_event {
    const struct journey *journey;
    ns_t ago; /* up to WINDOW_SPAN_S */
    struct verdict verdict;
    ns_t took;
};

/* They count when they happened: in the ring, and in what the store keeps. In any order; what lies before a journey was first
 * counted counts as of then. */
void book_late(struct book *b, const struct late_event *list, size_t count, ns_t now,
               int64_t unix_now);

/* What the next job is to tell the store of them. */
void book_late_job(struct book *b, struct scribe_job *job);
void book_late_done(struct book *b, bool stored);

/* ---- book_refill.c */

/* All that a store which was begun anew needs to be told, in the arena: the node, then each account. */
struct refill book_refill(const struct book *b, struct arena *a, int64_t unix_now,
                          struct span program);

/* It has been told: accounts take their new rows. `r`: of book_refill(), in the order of the accounts. */
void book_refilled(struct book *b, const struct refill *r);

/* ---- figures */

/* Counters of this process, and over all processes. */
void book_live(const struct book *b, const struct account *a, uint64_t ret_counts[SERIES_MAX]);
void book_cumulative(const struct book *b, const struct account *a,
                     uint64_t ret_counts[SERIES_MAX]);

/* What happened in a window, and how much of its time was measured. */
struct window_counts {
    uint64_t counts[SERIES_MAX];
    uint64_t measured_ms;
};

/* The last `seconds`: any number up to six hours, or one of the longer windows of this journey. */
void book_window(const struct book *b, const struct account *a, int64_t seconds,
                 struct window_counts *ret);

/* Latencies of the last five to ten minutes, or of the whole process when that is younger. */
void book_histogram(const struct book *b, const struct account *a,
                    uint64_t ret_bins[HISTOGRAM_BINS]);

/* Sum of one counter over all pages; of several in a row. */
uint64_t book_sum(const struct book *b, uint32_t slot);
void book_sums(const struct book *b, uint32_t first, uint32_t n, uint64_t *ret_sums);

/* What the store keys the histograms of this account by. */
uint32_t book_bins_version(const struct book *b, const struct account *a);

/* ---- lineage.c */

void lineage_enter(struct book *b, size_t account, const struct journey *j, int64_t unix_now);
void lineages_free(struct book *b);
struct lineage *lineage_of(const struct book *b, const struct account *a);

/* Each tick: what came to accounts that are not in force any more. */
void lineage_tick(struct book *b, struct lineage *l);

/* Sums over its accounts: the histogram since the process began, and how many answers are in it. */
void lineage_bins(const struct book *b, const struct lineage *l, uint64_t ret_bins[HISTOGRAM_BINS]);
uint64_t lineage_timed(const struct book *b, const struct lineage *l);

/* What a journey whose objectives changed takes over, read now; NULL: it is in force already, or new. */
struct succession *lineage_ask(const struct book *b, const struct journey *j, int64_t unix_now);
const struct journey_newest *succession_newest(const struct succession *s);
void succession_free(struct succession *s);

/* The account comes into force. `version`: of the store, or NULL; `s`: that with which the store was asked, or NULL. */
void lineage_lead(struct book *b, struct account *a, const struct journey_version *version,
                  struct succession *s);

/* ---- between the book's files */

/* Time that was measured for this journey, over all processes: the node's, but for that in which its query failed. */
uint64_t book_measured(const struct book *b, const struct account *a,
                       const uint64_t cumulative[SERIES_MAX]);

/* The bins since the start, without what came late, which belongs to slots that are over. */
void book_bins(const struct book *b, const struct account *a, uint64_t ret_bins[HISTOGRAM_BINS]);

/* Series and measured time, as a ring keeps them. Latency sums pass 2^32 microseconds within a window. */
#define BOOK_WIDE_COLUMNS (UINT32_C(1) << SERIES_LATENCY_SUM_US)

/* Its first counters, behind which all are 0. */
static inline unsigned book_used(const struct account *a)
{
    return series_used(a->objectives.count, a->slots.series > 0);
}

static inline unsigned book_columns(unsigned objectives)
{
    return series_count(objectives) + 1;
}

static inline int64_t book_slot(ns_t now)
{
    return now / (WINDOW_SLOT_S * NS_PER_S);
}

#endif
