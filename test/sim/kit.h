/* SPDX-License-Identifier: Apache-2.0 */
/* kit.h - a whole evenkeel with its peers on a virtual clock, in one thread: two workers, control, the
 * scribe on a store in memory, scripted instances behind and scripted clients in front.
 * Every request carries its plan in a header, so that an instance does what the client expects of it,
 * and the client knows what evenkeel must have counted.
 * A scenario sets the world up, lets it run, and compares the clients' tally with the book. */
#ifndef EK_TEST_SIM_KIT_H
#define EK_TEST_SIM_KIT_H

#include "control/control.h"
#include "io/sim.h"

#include <stdarg.h>

enum {
    KIT_WORKERS = 2,
    KIT_INSTANCES = 3,
    KIT_JOURNEYS = 3,  /* browse, checkout, unclaimed */
    KIT_SLOW_MS = 300, /* threshold of the journeys' latency objective */
    KIT_IDS = 8192,    /* most requests of one run */
};

/* What an instance does with one request. */
enum trouble {
    TROUBLE_NONE,
    TROUBLE_RESET,   /* resets in the middle of the answer's body */
    TROUBLE_SILENT,  /* closes without a byte of an answer */
    TROUBLE_GARBAGE, /* answers with something that is not HTTP */
    TROUBLE_STALL,   /* never answers */
    TROUBLE_SMUGGLE, /* an answer with two contradicting lengths */
    TROUBLE_EXTRA,   /* a good answer with stray bytes behind it */
    TROUBLE_EARLY,   /* answers before it has read the request's body, then closes */
    TROUBLES,        /* those above may be mixed with anything */
    TROUBLE_LATER, /* a good answer, and stray bytes when the connection has been idle for a moment */
    TROUBLE_DRIP, /* chunks of DRIP_SIZE bytes, one each drip_ms */
};

enum { DRIP_SIZE = 10 };

/* How an instance behaves by itself, whatever plans ask for. */
enum manner {
    MANNER_GOOD,
    MANNER_SLOW,   /* thinks for `ms` longer */
    MANNER_ERROR,  /* answers 500 after `ms`, with a short text of its own */
    MANNER_LINE,   /* works on one at a time, `ms` each; behind `room` of them: 503 at once */
    MANNER_BUSY,   /* answers 503 and Retry-After: `ms` / 1000 */
    MANNER_HOLE,   /* reads the request and never answers */
    MANNER_DEAF,   /* takes the connection and reads nothing */
    MANNER_BREAKS, /* resets in the middle of the body */
    MANNER_STUCK,  /* stops in the middle of the body */
};

struct manners {
    enum manner how;
    unsigned ms;
    unsigned per_mille; /* of requests are treated so; 0: all */
    unsigned room;      /* of MANNER_LINE */
    unsigned idle_ms;   /* closes connections that were idle for so long; 0: never */
};

/* How an instance answers active checks (GET /healthz). */
enum fitness { FIT, UNFIT, SILENT };

/* What instances saw of one request. */
struct seen {
    uint8_t at[KIT_INSTANCES]; /* heads read by each */
    bool fresh[KIT_INSTANCES]; /* the last of them was the first on its connection */
    uint8_t last;              /* instance */
    ns_t sent;                 /* by the client */
    ns_t began;                /* the last answer's first byte */
};

enum framing { FRAMING_LENGTH, FRAMING_CHUNKED, FRAMING_CLOSE, FRAMINGS };

enum abort { ABORT_NONE, ABORT_IN_BODY, ABORT_WAITING };

struct plan {
    unsigned id;
    unsigned journey; /* 0 browse, 1 checkout, 2 unclaimed */
    bool head;        /* HEAD instead of GET */
    bool http10;
    unsigned status;
    unsigned delay_ms; /* the instance thinks */
    size_t size;       /* of the answer's body */
    enum framing framing;
    enum trouble trouble;
    size_t body;         /* of the request; 0: GET */
    bool put;            /* PUT instead of POST: safe to repeat */
    unsigned cookie;     /* "user" of the Cookie field; 0: no such field */
    unsigned timeout_ms; /* Evenkeel-Timeout; 0: no such field */
    unsigned drip_ms;
    bool events; /* the answer is an event stream */
    bool body_chunked;
    enum abort abort;
    bool malformed; /* not HTTP: refused, belongs to no journey */
    ns_t sent;
};

/* What the clients know for sure about how a request must have been counted. */
enum sure { SURE_GOOD, SURE_SLOW, SURE_FAILED, SURE_EXCLUDED, SURE_NOTHING, UNSURE, SURES };

struct tally {
    uint64_t n[KIT_JOURNEYS][SURES];
};

struct sim;

/* A client: walks through its plans over one connection at a time. */
struct client_script {
    unsigned requests;
    unsigned pipeline;      /* requests sent ahead of their answers; 1: none */
    unsigned pause_ms;      /* at least, between two requests */
    unsigned think_ms;      /* at most, on top of it */
    size_t read_size;       /* bytes taken at a time; small: a slow reader */
    unsigned read_pause_ms; /* between two reads, at most */
    bool dressed;           /* through the test's filter */
    void (*plan)(struct sim *s, struct plan *ret_plan); /* the next request; id is set already */
    bool unsure; /* the network between client and evenkeel breaks: outcomes are guesses */
};

struct sim {
    struct sim_world *world;
    uint64_t seed;
    struct reactor control_reactor;
    struct reactor worker_reactors[KIT_WORKERS];
    struct reactor client_reactor;
    struct reactor instance_reactor;
    struct http_edge edges[KIT_WORKERS];
    struct worker workers[KIT_WORKERS];
    struct port ports[KIT_WORKERS];
    struct port dressed_ports[KIT_WORKERS];
    struct port mux_ports[KIT_WORKERS];
    struct port instance_ports[KIT_INSTANCES];
    bool instance_up[KIT_INSTANCES];
    struct address front; /* clients connect here */
    struct address dressed_front;
    struct address mux_front;
    struct address behind[KIT_INSTANCES];
    struct control control;
    struct scribe scribe;
    struct tally tally;
    unsigned next_id;
    unsigned clients_running;
    unsigned answers;                  /* whole ones that clients have read */
    unsigned instance_requests;        /* heads that instances have read */
    unsigned asked[KIT_INSTANCES];     /* of them, each */
    unsigned open[KIT_INSTANCES];      /* connections that each has open */
    unsigned under_way[KIT_INSTANCES]; /* requests that each has and has not answered */
    unsigned bad_idempotent; /* requests safe to repeat that failed before their client's eyes */
    unsigned bad_others;     /* the others that failed */
    uint64_t patience_ms;    /* no client may wait longer for an answer; 0: for any time */
    struct manners manners[KIT_INSTANCES];
    ns_t worked_off[KIT_INSTANCES]; /* MANNER_LINE: when it has done all that is in line */
    enum fitness fitness[KIT_INSTANCES];
    unsigned checks[KIT_INSTANCES]; /* that each has got; none of the figures above counts them */
    unsigned checks_open;           /* and those that have no answer yet */
    struct seen seen[KIT_IDS];
    struct retry_budget budgets[KIT_WORKERS]; /* as they were after the last step */
    void *clients;                            /* clients.c */
    void *instance_conns;                     /* instances.c */
    void *mux;                                /* mux.c */
    struct limits limits;
    struct service shop; /* how the service is configured, but for its name and instances */
    uint32_t weights[KIT_INSTANCES]; /* 0: 1 */
    bool drains[KIT_INSTANCES];
    const char *zones[KIT_INSTANCES]; /* NULL: none */
    const char *zone;                 /* the node's; NULL: none */
    bool trusts_clients;
    unsigned instances; /* in the first configuration; 0: all */
    unsigned
        turned; /* which of them is the first: another order, and with fewer instances others */
    unsigned drained_more; /* instances that exist in the configuration only, drained */
    unsigned drained_from; /* number of the first of them */
    bool has_tenants;      /* the cookie "user" names them */
    unsigned release;      /* instances are of the releases after this one; 0: they have none */
    /* A request came to an instance; `until` is when its deadline is, since the client sent it. */
    void (*on_timeout)(struct sim *s, const struct plan *p, ns_t until);
    void (*on_answer)(struct sim *s, const struct plan *p, unsigned status, ns_t took);
    bool marks;      /* instances mark their answers: the body's pattern says whose it is */
    ns_t wall_ahead; /* by how much the wall clock was set in all */
    uint64_t steps;
    char failure[512]; /* first thing that went wrong; "": nothing */
};

/* ---- world.c */

void sim_open(struct sim *s, uint64_t seed, bool trace);
/* Serves: opens control, edges and instances with s->limits. */
void sim_start(struct sim *s);
/* Runs until all clients are done and nothing is under way, at most so long. */
void sim_run(struct sim *s, ns_t most);
/* Runs for so long. */
void sim_pass(struct sim *s, ns_t time);
/* Stops evenkeel in order and compares the tally with the book. */
void sim_stop(struct sim *s);
void sim_compare(struct sim *s);
void sim_close(struct sim *s);

/* A configuration with these instances. */
struct config *kit_config(const struct sim *s, unsigned instances);
void kit_publish(struct sim *s, unsigned instances);

/* Every worker works by the newest configuration. */
bool kit_adopted(const struct sim *s);

/* Counters of the shop, and of its instance number `i`, summed over the workers. */
uint64_t kit_service(const struct sim *s, enum service_counter what);
uint64_t kit_would(const struct sim *s, enum would what);
uint64_t kit_instance(const struct sim *s, unsigned i, enum instance_counter what);
uint64_t kit_ending(const struct sim *s, enum ending what);
/* What a worker has learned of it. */
const struct instance_state *kit_learned(const struct sim *s, unsigned worker, unsigned i);
/* Until when control says that it is left alone. */
ns_t kit_ejected_until(const struct sim *s, unsigned i);

/* Notes the first failure; the run ends soon afterwards. */
void sim_fail(struct sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define SIM_CHECK(s, condition, ...)  \
    do {                              \
        if (!(condition))             \
            sim_fail(s, __VA_ARGS__); \
    } while (0)

static inline uint64_t pick(struct sim *s, uint64_t bound)
{
    return rng_below(sim_rng(s->world), bound);
}

static inline bool one_in(struct sim *s, unsigned n)
{
    return pick(s, n) == 0;
}

/* ---- clients.c */

void client_start(struct sim *s, const struct client_script *script);
/* So many that ask one thing after the other. */
void clients_start(struct sim *s, unsigned clients, unsigned requests, unsigned think_ms,
                   void (*plan)(struct sim *s, struct plan *ret_plan));
void clients_cut(struct sim *s); /* they all hang up, whatever they wait for */
void clients_free(struct sim *s);

/* Pattern of bodies: byte number `at` of the body of request or answer `id`. */
static inline char pattern_byte(unsigned id, size_t at)
{
    return (char)('!' + (id * 31 + at * 7 + at / 251) % 90);
}

/* The pattern of an answer's body that instance `number` marks as its own. */
static inline unsigned marked(unsigned id, unsigned number)
{
    return id + (number + 1) * 7919;
}

/* How evenkeel must have counted a request that got this whole answer so long after it was sent. It may
 * have waited for others in front of it, so only an answer that came fast is surely good, and only one
 * that the instance thought about for long is surely slow. */
enum sure sure_of_answer(const struct plan *p, unsigned status, ns_t took);

/* What the client can be sure of when its connection broke under this request although the network
 * between them is sound. */
enum sure sure_of_break(const struct plan *p);

/* Writes "X-Plan: ...\r\n"; the other reads it from a head. */
size_t plan_write(const struct plan *p, char *to, size_t size);
bool plan_read(const char *head, struct plan *ret_plan);

/* ---- instances.c */

void instances_start(struct sim *s);
void instance_up(struct sim *s, unsigned i);
void instance_down(struct sim *s, unsigned i); /* refuses connections; open ones go on */
void instances_cut(struct sim *s);
void instances_free(struct sim *s);

/* ---- filter.c: a stand-in for TLS: scrambled bytes in records, some always held back inside */

void dress(struct conn *c); /* of either side */
void dress_port(const struct port *p, struct conn *c, ns_t deadline);

/* ---- mux.c: a codec that carries several exchanges on one connection at once */

void mux_listen(struct sim *s, unsigned worker);
void mux_client_start(struct sim *s, unsigned streams, unsigned rounds);
void mux_cut(struct sim *s);
void mux_free(struct sim *s);

/* ---- scenarios.c */

struct scenario {
    const char *name;
    const char *story;
    void (*run)(struct sim *s);
};

extern const struct scenario scenarios[];
extern const size_t scenario_count;

#endif
