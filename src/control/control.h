/* SPDX-License-Identifier: Apache-2.0 */
/* control.h - the thread that decides: it publishes configurations, keeps the book, passes on what one
 * reactor found out to the others, answers on the admin address, and ends the program in order.
 * It has a reactor of its own and an HTTP edge of its own, the same code as the users' edge, with one
 * service that answers by itself (api.c).
 * Always: it never waits for a reactor or for the disk.
 * Works the same on the kernel and in simulation: everything that differs comes in control_parts. */
#ifndef EK_CONTROL_CONTROL_H
#define EK_CONTROL_CONTROL_H

#include "control/access.h"
#include "control/assets.h"
#include "control/backups.h"
#include "control/book.h"
#include "core/recent.h"
#include "control/changes.h"
#include "control/duration_buckets.h"
#include "control/clock_watch.h"
#include "control/deed_memory.h"
#include "control/dimension_memory.h"
#include "control/health.h"
#include "control/job_queries.h"
#include "control/notices.h"
#include "control/journey_steps.h"
#include "control/life_sign.h"
#include "control/peers.h"
#include "control/registry.h"
#include "control/reload.h"
#include "control/renewal.h"
#include "control/scribe.h"
#include "control/tenants.h"
#include "control/unclaimed.h"
#include "store/instance_states.h"
#include "plane/http/edge.h"
#include "plane/http/exchange.h"

/* One data-path thread as control sees it. */
struct worker {
    struct reactor *reactor;
    struct http_edge *edge;
    struct counter_page page;
    struct exemplars exemplars;
    struct snapshot_reader snapshots;
    bool listen_told;
    bool drain_told;
    bool drained;
};

struct control_parts {
    struct reactor *reactor; /* control's own */
    struct worker *workers;  /* lent; their reactors are open, their edges not yet */
    size_t worker_count;
    struct port *admin;    /* lent; NULL: no admin address (simulation) */
    struct config *config; /* the first; owned from now on */
    void (*free_config)(struct config *c);
    struct store *store;    /* NULL: nothing is remembered; read at start, then the scribe's */
    struct scribe *scribe;  /* NULL without a store */
    struct life_sign *life; /* told what is stored; NULL: nobody asks (simulation) */
    struct loader *loader;  /* NULL: nothing is reloaded (simulation) */
    struct query_runner *queries; /* NULL: nobody asks databases (simulation) */
    struct peer_puller *puller;   /* NULL: nobody asks other nodes (simulation) */
    struct overlay overlay;       /* changes that the store had; owned from now on */
    const int64_t *over;          /* of them, those that the file has overtaken; lent */
    size_t over_count;
    const struct check_memory *memories; /* how the last process left the instances; lent */
    size_t memory_count;
    struct peer_memory
        *peer_memories; /* what the last process heard of peers; malloc, owned from now on */
    size_t peer_memory_count;
    struct dimension_memory earlier; /* what earlier processes counted; owned from now on */
    void (*serving)(void);           /* clients are let in; NULL: nobody wants to know */
    const char *node;                /* this node's name */
    const char *version;             /* the program's */
    const struct ui_assets *assets;
    ns_t (*wall)(void); /* wall clock */
    uint64_t hash_key;  /* secret: of addresses and identities */
    const _Atomic int64_t
        *valid_until;           /* of the first certificate to end, unix seconds; NULL: no TLS */
    struct log_ring *log_rings; /* one per worker; NULL: no access log */
    void (*log_hurry)(void *log_writer);
    void *log_writer;
    ns_t drain_time; /* how long requests under way may take when stopping */
};

enum control_state { CONTROL_SERVING, CONTROL_DRAINING, CONTROL_STORING, CONTROL_STOPPED };

struct api; /* api.h */

struct control {
    struct control_parts parts;
    struct reactor *reactor;
    struct mailbox mail;
    struct publication publication;
    struct registry registry;
    struct book book;
    struct request_table requests;
    struct address_counts *addresses;
    struct unclaimed unclaimed;
    struct journey_steps steps;
    struct tenants tenants;
    struct dimension_memory earlier;
    struct dimension_keeper keeper;
    ns_t watchdog; /* how often the supervisor wants to hear of us; 0: never */
    ns_t watchdog_told;
    struct timer tick;
    struct checker checker;
    struct overlay overlay;
    struct reload reload;
    struct peers peers;
    struct job_queries queries;
    char *started_with; /* the text of the first configuration */
    struct renewal renewal;
    struct clock_watch clock;
    bool epoch_wanted;              /* the clock was set, and the store was not told yet */
    int64_t job_read_ms;            /* when what the job under way says was counted; unix */
    struct loss losses[LOSSES_MAX]; /* of earlier processes, newest first */
    size_t loss_count;
    struct backups backups;
    unsigned tasks_out;   /* of the scribe */
    unsigned changes_out; /* of them, those that store a change at run time */
    bool states_unstored; /* of instances */
    ns_t states_stored;   /* when they last were */
    bool ready;           /* clients may be let in */
    bool listening;       /* and are, by all threads */
    bool loader_asked;    /* to stop */
    bool puller_asked;    /* the same */
    enum control_state state;
    ns_t started;       /* monotonic */
    int64_t started_at; /* unix seconds */
    ns_t drain_until;

    /* the admin address */
    struct http_edge admin;
    struct counter_page admin_page;
    struct counter_page tally;  /* what control itself counts for journeys (bus/tally.h) */
    struct recent *events_seen; /* ids of events */
    struct snapshot_reader admin_snapshots;
    struct publication admin_publication;
    struct api *api;
    struct access access;
    struct notices notices;
    struct deed_memory deeds;
    struct duration_cache durations;
    ns_t scrape_took; /* the last one, of our time */
};

/* Opens the workers' edges too. On failure everything given is closed again by control_close(). */
err control_open(struct control *c, const struct control_parts *parts);

/* Mail to control is sent here, then its reactor is woken. */
static inline struct mailbox *control_mail(struct control *c)
{
    return &c->mail;
}

/* Begins to stop, as STOP mail does. Each worker's reactor has `stop` set once it has drained; control's
 * own once everything is stored. */
void control_stop(struct control *c);

/* After all threads have ended. */
void control_close(struct control *c);

/* A task for the scribe; false: its box is full, or there is none. */
[[nodiscard]] bool control_give_task(struct control *c, struct scribe_task *task);

/* The configuration in force. */
const struct config *control_config(const struct control *c);

#endif
