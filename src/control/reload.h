/* SPDX-License-Identifier: Apache-2.0 */
/* reload.h - how another configuration comes into force while requests run: the loader makes it, the scribe
 * says what it knows of its journeys, then all reactors get it as one snapshot. Started by SIGHUP or the API (the
 * file is read again), by a change at run time, or by a name that has other addresses (the same text is used again).
 * Always: nothing of a configuration that fails on the way comes into force; wishes that come meanwhile are
 * served by one run afterwards.
 * Owned by control. */
#ifndef EK_CONTROL_RELOAD_H
#define EK_CONTROL_RELOAD_H

#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "control/book.h"
#include "control/deeds.h"
#include "control/loader.h"
#include "control/scribe.h"

struct control;

/* clang-format off */
#define RELOAD_STATES(X) \
    X(IDLE,       "nothing is under way") \
    X(LOADING,    "the file is read and checked, names are looked up") \
    X(RECALLING,  "the store is asked about its journeys") \
    X(PUBLISHING, "older configurations have to be let go of first") \
    X(ADOPTING,   "the threads take it over")
/* clang-format on */

enum reload_state {
#define X(name, words) RELOAD_##name,
    RELOAD_STATES(X)
#undef X
};

const char *reload_words(enum reload_state s);

/* A task of the scribe. */
struct recall {
    struct scribe_task task;
    const struct config *config;
    int64_t now;    /* unix seconds */
    ns_t monotonic; /* at the same time */
    ns_t patience;  /* until then events that were told late are waited for */
    struct journey_memory *memories;
    size_t count;
    err result;
};

/* What became of the last time that the file was read again. */
struct reload_outcome {
    uint64_t serial;
    bool good;
    int64_t at; /* unix seconds; 0: it never was */
    struct str error;
    struct str changed;
    struct str restart;
    struct str
        counts; /* of the last that came into force: lines "JOURNEY: what became of its counts" */
    struct str findings; /* lines "file:line:column: text" */
};

struct reload {
    enum reload_state state;
    struct load_job *job;
    struct recall *recall;
    uint64_t serial;    /* of the run under way or the last one */
    bool wanted;        /* another run afterwards: */
    bool wanted_file;   /* for the file was to be read again */
    struct asker asked; /* by whom the next one is; texts in its arena */
    struct asker rides; /* and the one under way */
    bool wanted_rest;   /* for something else: a change at run time, a name */
    bool rest_rides;    /* the run under way is also for that */
    ns_t again;         /* what failed on the way is tried again then; 0: nothing did */
    ns_t give_up;
    struct reload_outcome last;
};

/* Asks for a run; returns its serial. `reread`: from the file as it is now. */
uint64_t reload_want(struct control *c, bool reread);

/* The same, reread, and who wants it: of several who ask before it begins the last one is told of. */
uint64_t reload_want_by(struct control *c, const struct asker *by);

/* Mail. */
void reload_loaded(struct control *c, struct load_job *job);

/* Each tick: what could not be handed over is tried again. */
void reload_tick(struct control *c);

void reload_open(struct reload *r);
void reload_free(struct reload *r);

#endif
