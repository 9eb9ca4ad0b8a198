/* SPDX-License-Identifier: Apache-2.0 */
/* config.h - the configuration as the running program sees it: one immutable snapshot in one arena.
 * Built and validated whole by control, published to every reactor, freed when none uses it any more
 * (snapshot.h). Nothing in it changes after publication; what is learned at run time lives elsewhere
 * and is found through the stable ids kept here.
 * Lists are arrays with a count. Texts are spans that are also zero-terminated.
 * Next: snapshot.h, which publishes it. */
#ifndef EK_BUS_CONFIG_H
#define EK_BUS_CONFIG_H

#include "base/arena.h"
#include "base/clock.h"
#include "core/pattern.h"
#include "core/verdict.h"
#include "io/marks.h"
#include "io/network.h"

#include <stdint.h>

struct journey_dimensions; /* value_slots.h */

/* Bounds of what one configuration may hold; each is far above a sensible file and keeps ids small. */
enum {
    SERVICES_MAX = 256,
    INSTANCES_MAX = 1024, /* of one service */
    ROUTES_MAX = 4096,
    JOURNEYS_MAX = 1024,
    JOURNEY_ROUTES_MAX = 256, /* of one journey */
    JOURNEY_ROUTES_ALL_MAX = 8192,
    LISTENERS_MAX = 16,
    CERTIFICATES_MAX = 65, /* of one listener */
    TRUSTED_MAX = 256,
    WORKERS_MAX = 64,
    PEERS_MAX = 64,
    ADMIN_HOSTS_MAX = 64,
};

/* Who named an instance. */
enum origin { ORIGIN_FILE, ORIGIN_API, ORIGIN_DNS };

struct instance {
    /* its address: "127.0.0.1:9101", "unix:/run/shop.sock"; before names are looked up as written */
    struct span text;
    struct span from; /* as written in the file or by the API: "app.local:80" */
    struct span host; /* the name in it, which was or is to be looked up; empty: it is an address */
    struct address address; /* set for literals by the reader, for names by control/names.c */
    uint32_t weight;        /* 1 to 1000 */
    struct span release;    /* may be empty */
    struct span zone;       /* may be empty */
    bool drain;             /* gets no new requests */
    enum origin origin;
    bool file_drain; /* what the file says, whatever was changed at run time */
    uint32_t file_weight;
    uint64_t hash;  /* of `text`: its place among the others for balance by hash */
    uint32_t id;    /* stable over reloads: index of its learned state; given by control */
    uint32_t slots; /* first of its counters (plane/http/slots.h); given by control */
    uint32_t said;  /* first of control's words about it (slots.h); given by control */
};

enum balance { BALANCE_P2C, BALANCE_LEAST_REQUESTS, BALANCE_ROUND_ROBIN, BALANCE_HASH };

enum service_mode {
    MODE_ACT,
    MODE_OBSERVE, /* forwards plainly and counts what it would have done */
};

/* Active checks of each instance. */
struct health {
    struct span path; /* empty: a TCP connection is enough */
    struct span host; /* empty: the instance's own */
    struct status_set statuses;
    struct span body; /* what the answer's beginning holds; empty: anything */
    ns_t interval;    /* 0: no checks */
    ns_t timeout;
    uint32_t fall;
    uint32_t rise;
};

/* Passive: leaving an instance alone for a while after failures in a row. */
struct eject {
    uint32_t failures; /* 0: never */
    ns_t time;         /* doubles each time that follows soon */
    ns_t most;
};

struct retry {
    uint32_t attempts;   /* tries in all, 1 to 8 */
    uint32_t budget_ppm; /* retries per million requests of the last ten seconds; 0: none ever */
    struct status_set statuses;
    ns_t backoff; /* most that the first retry waits */
};

struct timeouts {
    ns_t connect; /* until a connection to an instance stands */
    ns_t head;    /* from the request's last needed byte until the answer's head */
    ns_t idle;    /* without a byte moving: kept-alive connections and bodies */
    ns_t stream;  /* the same in an event stream or a WebSocket */
    ns_t total;   /* until the answer begins, over all tries */
};

/* Files of one certificate, PEM. */
struct certificate {
    struct span chain;
    struct span key;
};

struct listening {
    struct address address;
    bool proxy_protocol;
    const struct certificate *certificates; /* NULL: plain; the first is the standard one */
    size_t certificate_count;
};

/* TLS towards a service's instances. */
struct service_tls {
    struct span ca;          /* file; empty: the system's */
    struct span server_name; /* empty: the instance's host */
    struct certificate own;  /* empty: none */
};

struct tls_client; /* io/tls.h */

/* Answers for itself instead of forwarding: how control serves its own API through the same edge. */
struct local_handler;

/* Where something about a request is found. */
struct identity {
    enum identity_kind { IDENTITY_NONE, IDENTITY_SUBDOMAIN, IDENTITY_COOKIE, IDENTITY_HEADER } kind;
    struct span name; /* of the cookie or the header */
};

struct service {
    struct span name;
    struct span owner;
    struct span environment;
    struct span class_;
    enum service_mode mode;
    struct instance *instances; /* none: a name has no address yet */
    size_t instance_count;
    enum balance balance;
    struct identity hash_on; /* BALANCE_HASH */
    ns_t slow_start;         /* 0: none */
    struct health health;
    struct eject eject;
    struct retry retry;
    struct timeouts timeout;
    const struct service_tls *tls;     /* NULL: plain */
    struct tls_client *tls_client;     /* made from it by control; NULL: plain */
    const struct local_handler *local; /* NULL unless it answers for itself */
    uint32_t id;                       /* stable over reloads */
    uint32_t slots; /* first of its counters (plane/http/slots.h); given by control */
};

struct route {
    struct pattern pattern; /* method, host, path */
    struct service *service;
    struct timeouts timeout; /* the service's, with what the route changes */
    uint32_t attempts;       /* the same */
};

enum priority { PRIORITY_MUST_HAVE, PRIORITY_NICE_TO_HAVE };

struct objective {
    struct span name;
    double target;    /* share of good events, 0 < target < 1 */
    ns_t under;       /* good answers must take less than this; 0: an availability objective */
    int64_t window_s; /* seconds; 28 days unless said */
    ns_t
        age_under; /* the oldest job that waits must be younger, each time that is looked at; 0: it is not about that */
};

/* Where a secret is read: a file or a variable of the environment; both empty: there is none. */
struct secret_source {
    struct span file;
    struct span env;
};

/* Where the ends of a journey's jobs are read: a PostgreSQL. */
struct journey_query {
    struct span database; /* libpq's connection string */
    struct secret_source password;
    ns_t every;
    ns_t timeout;    /* of connecting, and of each statement */
    struct span sql; /* rows of id, outcome, seconds, at; empty: none */
    struct span
        oldest; /* one number, the age of the oldest job that waits, in seconds; empty: none */
};

/* What a journey counts: requests that match its routes, the ends of background jobs that workers tell of, or the attempts
 * of users to take some steps in order (core/attempts.h). */
enum journey_kind { JOURNEY_REQUESTS, JOURNEY_JOBS, JOURNEY_STEPS };

/* Where it has its counters: the first of each. */
struct journey_slots {
    uint32_t verdicts;  /* verdict_counters(): what its requests are */
    uint32_t histogram; /* HISTOGRAM_BINS */
    /* SERIES_MAX, for what no verdict says: of steps, and of jobs that a query reads; 0: it has none */
    uint32_t series;
};

struct journey {
    struct span name;
    enum journey_kind kind;
    struct span owner;
    struct span runbook;
    enum priority priority;
    struct pattern *routes;
    size_t route_count;
    struct pattern *
        steps; /* of JOURNEY_STEPS, in order; its requests are counted by other journeys all the same */
    size_t step_count;
    ns_t deadline; /* of attempts */
    const struct journey_query
        *query;            /* of JOURNEY_JOBS: ends that are read instead of told; NULL: none */
    bool abandoned_bad;    /* an abandoned attempt counts as failed; else it is excluded */
    struct status_set bad; /* statuses that count as failed; 500-599 unless said */
    bool client_gone_bad;  /* a client that leaves counts as failed; else it is excluded */
    struct objective *objectives;
    size_t objective_count;
    uint32_t id;    /* stable over reloads */
    uint64_t basis; /* hash of routes and bad: which answers are counted, and which of them fail */
    uint64_t definition; /* hash of the basis and of each `under`; a change starts a version */
    uint32_t version;    /* 1, 2, ...: given by control from the store */
    struct verdict_rules rules; /* what of the above decides; filled by control at publication */
    struct journey_slots slots; /* given by control */
    const uint32_t *codes;      /* by index of the service, one more for "no service": first of its
                             * counters by status class, given by control */
    const struct journey_dimensions *dimensions; /* given by control; NULL: of jobs */
};

struct limits {
    uint32_t connections;             /* client connections at once, over all reactors */
    uint32_t connections_per_address; /* of them, from one address; 0: a quarter */
    ns_t connection_age;              /* closed with the next answer then, give or take a tenth */
    uint32_t connection_requests;     /* the same; 0: no limit */
    uint64_t memory;                  /* bytes of all that is under way, over all reactors */
    uint64_t body_rate;               /* least bytes a second; 0: no limit */
    uint32_t head;                    /* bytes of a head, request line included */
    uint32_t fields;                  /* header fields of a head */
    uint32_t line;                    /* bytes of the request line */
    uint64_t body;                    /* bytes of a request body; 0: no limit */
    ns_t header_time;                 /* from the first byte of a head to its last */
};

/* What the access log leaves out: a bit each. */
/* clang-format off */
#define REDACTIONS(X) \
    X(authorization) X(cookie) X(query) X(client) X(user_agent) X(referer) X(tenant) X(user)
/* clang-format on */
enum redaction {
#define X(name) REDACT_##name,
    REDACTIONS(X)
#undef X
        REDACT_COUNT,
};

struct admin_tokens {
    bool wanted; /* a token is asked for; the two below are set */
    struct secret_mark view;
    struct secret_mark operate;
};

/* Who may use the admin address. */
struct admin_rules {
    struct secret_source view; /* both of them or none */
    struct secret_source operate;
    struct admin_tokens tokens; /* read from there by control */
    const struct span *hosts; /* names that a request's Host may have, beside this machine's own */
    size_t host_count;
};

/* Another node whose counters are summed with ours. */
struct peering {
    struct span text;           /* as written */
    struct span url;            /* "http://10.0.0.2:9900" */
    struct span ca;             /* file; empty: the system's */
    struct secret_source token; /* that it asks for */
};

struct config {
    struct arena arena;     /* owns everything below, and this structure's own texts */
    uint64_t generation;    /* 1, 2, ...: given at publication */
    struct span path;       /* the file, or "--to" */
    bool from_file;         /* it can be read again */
    struct span folder;     /* of the file; relative paths are relative to it */
    struct span source;     /* its text, from which the same is built again */
    struct listening *http; /* plain ones and those with TLS */
    size_t http_count;
    struct listening admin; /* never with PROXY protocol */
    struct admin_rules admin_rules;
    struct span
        store; /* path, relative ones resolved against the file's folder; ":memory:" in tests */
    uint32_t workers; /* reactors; "auto" is resolved to the number of cores by the reader */
    struct span user; /* to become; empty: stay */
    struct span zone; /* where this node stands; empty: nowhere in particular */
    struct limits limits;
    struct peering *peers;
    size_t peer_count;
    const struct network *trusted;
    size_t trusted_count;
    int log_level;          /* enum log_level */
    struct span access_log; /* file; empty: none */
    uint32_t redact;        /* bits of enum redaction */
    uint64_t
        sample_below; /* a trace is recorded when its low 32 bits are below this: share x 2^32 */
    struct identity tenant;
    struct identity user_identity;
    struct service *services;
    size_t service_count;
    struct route *routes; /* first match wins */
    size_t route_count;
    struct journey *journeys; /* first match wins; the last is the implicit `unclaimed` */
    size_t journey_count;
    const struct journey **stepped; /* of them, those of steps; most files have none */
    size_t stepped_count;
};

#endif
