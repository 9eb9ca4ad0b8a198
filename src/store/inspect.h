/* SPDX-License-Identifier: Apache-2.0 */
/* inspect.h - what is in the file of a store, and is it whole? For backups, and stores that nobody has open.
 * Read only: not even its log is written into it, and a damaged file is told and not moved aside.
 * Never on a file that this process has open itself: closing another descriptor of it drops SQLite's locks.
 * Next: inspect.c (opening), inspect_rows.c (what must hold of the rows). */
#ifndef EK_STORE_INSPECT_H
#define EK_STORE_INSPECT_H

#include "base/arena.h"
#include "core/series.h"
#include "store/losses.h"

/* clang-format off */
#define INSPECTION_STATES(X) \
    /* name      word          what it means */ \
    X(WHOLE,      "whole",      "a whole store") \
    X(DAMAGED,    "damaged",    "damaged; `sqlite3 FILE .recover` reads what can be read") \
    X(NO_STORE,   "no-store",   "no store of evenkeel") \
    X(NEWER,      "newer",      "written by a newer evenkeel, which knows its tables") \
    X(IN_USE,     "in-use",     "open in another process; `evenkeel backup` makes a copy that can be checked") \
    X(UNREADABLE, "unreadable", "not to be read")
/* clang-format on */

enum inspection_state {
#define X(name, word, meaning) INSPECTION_##name,
    INSPECTION_STATES(X)
#undef X
        INSPECTION_STATES_COUNT
};

const char *inspection_word(enum inspection_state s);
const char *inspection_meaning(enum inspection_state s);

enum {
    FINDINGS_MAX = 20, /* a damaged file has thousands; these show of what kind */
    TABLES_MAX = 32,
    COUNTS_FALL_S =
        3, /* rows closer together may stand in either order: a clock that is corrected goes back by less */
};

struct inspected_journey {
    struct span name;
    unsigned versions;
    uint64_t counts[SERIES_MAX]; /* of the version that was in force last, of all time */
    int64_t from, to; /* unix seconds: the oldest and the newest that is known of it; 0: nothing */
};

struct inspected_table {
    struct span name;
    int64_t rows;
};

/* As far as it could be read. */
struct inspection {
    struct arena arena; /* owns all of it */
    enum inspection_state state;
    const char *findings[FINDINGS_MAX]; /* sentences; at least one unless it is whole */
    unsigned finding_count;
    bool more; /* findings than that */
    int64_t bytes;
    bool has_log;    /* a process that was killed left it; what is in it was read */
    unsigned schema; /* steps of the tables that are behind it; 0: not known */
    struct span node;
    int64_t created; /* unix seconds */
    unsigned starts;
    struct span program; /* of the last start */
    int64_t from, to;    /* unix seconds, of all journeys */
    struct inspected_journey *journeys;
    size_t journey_count;
    struct inspected_table tables[TABLES_MAX];
    size_t table_count;
    struct loss losses[LOSSES_MAX]; /* newest first */
    size_t loss_count;
};

void store_inspect(const char *path, struct inspection *ret);
void inspection_free(struct inspection *i);

/* Tables that this program makes. */
unsigned inspection_newest(void);

/* ---- between its files */
struct store;

/* A sentence, and that it is damaged unless it is something worse. */
void inspection_found(struct inspection *i, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What must hold of counters and histograms, whatever was counted. */
void inspect_rows(struct store *s, struct inspection *i);

#endif
