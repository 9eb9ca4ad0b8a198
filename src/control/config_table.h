/* SPDX-License-Identifier: Apache-2.0 */
/* config_table.h - the configuration language: one row per key.
 * path       `*` is any name, `[]` an element of a list (or the value itself, where it may be one)
 * type       see config_types below
 * default    as it would be written; "" = none; "!" = must be given
 * bounds     least and most, as written; for a choice its words: a word behind `later:` is not in this
 *            version
 * when       a reload takes it over (LIVE), or only a restart (RESTART)
 * since      NOW, or LATER: refused as "not in this version", never ignored
 * A row must follow the row of the map or list that it is in; below a LATER row all are. */
#ifndef EK_CONTROL_CONFIG_TABLE_H
#define EK_CONTROL_CONFIG_TABLE_H

#include "base/span.h"

/* clang-format off */
#define CONFIG_TYPES(X) \
    X(MAP,       "keys",                         "") \
    X(NAMED,     "names with keys",              "") \
    X(LIST,      "a list",                       "") \
    X(TEXT,      "text",                         "storefront") \
    X(DURATION,  "a duration",                   "300ms, 5s, 10m, 2h, 28d") \
    X(SHARE,     "a share",                      "99.9%") \
    X(SIZE,      "a size",                       "32KiB") \
    X(COUNT,     "a whole number",               "100") \
    X(WORKERS,   "auto or a number",             "auto") \
    X(BOOL,      "true or false",                "false") \
    X(CHOICE,    "one of",                       "") \
    X(BALANCE,   "p2c, least-requests, round-robin or { hash: cookie:NAME }", "p2c") \
    X(PLACE,     "a place in requests",          "cookie:uid, header:X-Account") \
    X(ADDRESS,   "an address",                   "127.0.0.1:9900, \"[::1]:9900\", \"unix:/run/evenkeel.sock\"") \
    X(ADDRESSES, "an address or a list of them", "[0.0.0.0:8080, \"[::]:8080\"]") \
    X(ENDPOINT,  "an address, or keys with one", "127.0.0.1:9900, { address: 0.0.0.0:9900, certificate: cert.pem, key: key.pem }") \
    X(INSTANCE,  "an instance",                  "127.0.0.1:9101, app.local:80, \"unix:/run/shop.sock\"") \
    X(INSTANCES, "a list of instances",          "[127.0.0.1:9101, { address: 127.0.0.1:9102, zone: a }]") \
    X(PATTERN,   "a path pattern",               "/cart, \"/product/{id}\", /api/*") \
    X(PATTERNS,  "a list of routes",             "[POST /cart, \"GET /product/{id}\"]") \
    X(NETWORKS,  "a list of networks",           "[10.0.0.0/8, \"fd00::/8\", 192.0.2.7, \"unix:\"]") \
    X(HOSTS,     "a list of host names",         "[evenkeel.internal, node3.internal]") \
    X(PEERS,     "a list of nodes",              "[10.0.0.2:9900, { address: \"https://node3.internal:9900\", ca: ca.pem }]") \
    X(WORDS,     "a list of words",              "[query, user-agent]") \
    X(STATUSES,  "a list of statuses",           "[500-599, 429]")

#define CONFIG_OPTIONS(X) \
    /* path                                  type       default           least and most, or the words of a choice                   when     since  help */ \
    X("listen",                              MAP,       "!",              "", "",                                                    RESTART, NOW,   "Where evenkeel takes connections.") \
    X("listen.http",                         ADDRESSES, "",               "", "",                                                        RESTART, NOW,   "Where clients connect: one address or a list. IPv6 as \"[::]:8080\".") \
    X("listen.http[].address",               ADDRESS,   "!",              "", "",                                                    RESTART, NOW,   "The address, when it is given with keys.") \
    X("listen.http[].proxy-protocol",        BOOL,      "false",          "", "",                                                        RESTART, NOW,   "Every connection there begins with the PROXY protocol (version 1 or 2), by which a trusted load balancer tells the client's address.") \
    X("listen.https",                        ADDRESSES, "",               "", "",                                                        RESTART, NOW,   "Where clients connect with TLS 1.2 or 1.3: keys, or a list of them.") \
    X("listen.https[].address",              ADDRESS,   "!",              "", "",                                                        RESTART, NOW,   "The address.") \
    X("listen.https[].proxy-protocol",       BOOL,      "false",          "", "",                                                        RESTART, NOW,   "As for http; it stands before the handshake.") \
    X("listen.https[].certificate",          TEXT,      "!",              "", "",                                                        RESTART, NOW,   "The certificate chain, PEM; read again when the file changes.") \
    X("listen.https[].key",                  TEXT,      "!",              "", "",                                                        RESTART, NOW,   "Its private key, PEM.") \
    X("listen.https[].certificates",         LIST,      "",               "0", "64",                                                     RESTART, NOW,   "More certificates, chosen by the name that the client asks for.") \
    X("listen.https[].certificates[].certificate",TEXT,      "!",              "", "",                                                        RESTART, NOW,   "The certificate chain.") \
    X("listen.https[].certificates[].key",   TEXT,      "!",              "", "",                                                        RESTART, NOW,   "Its private key.") \
    X("listen.postgres",                     ADDRESS,   "",               "", "",                                                    RESTART, LATER, "Where the app connects instead of to PostgreSQL.") \
    X("listen.admin",                        ENDPOINT,  "127.0.0.1:9900", "", "",                                                    RESTART, NOW,   "API, metrics and dashboard. What is not a loopback address needs TLS and both tokens.") \
    X("listen.admin.address",                ADDRESS,   "!",              "", "",                                                    RESTART, NOW,   "The address, when it is given with keys.") \
    X("listen.admin.certificate",            TEXT,      "",               "", "",                                                    RESTART, NOW,   "The certificate chain, PEM, for TLS; read again when the file changes.") \
    X("listen.admin.key",                    TEXT,      "",               "", "",                                                    RESTART, NOW,   "Its private key, PEM.") \
    X("admin",                               MAP,       "",               "", "",                                                    LIVE,    NOW,   "Who may use the admin address.") \
    X("admin.view-token",                    MAP,       "",               "", "",                                                    LIVE,    NOW,   "The token of those who may look, at least 16 bytes. With tokens every request shows one, but for /healthz and /readyz.") \
    X("admin.view-token.file",               TEXT,      "",               "", "",                                                    LIVE,    NOW,   "The file that holds it; read again with each reload.") \
    X("admin.view-token.env",                TEXT,      "",               "", "",                                                    LIVE,    NOW,   "The environment variable that holds it.") \
    X("admin.operate-token",                 MAP,       "",               "", "",                                                    LIVE,    NOW,   "The token of those who may also change something; another one.") \
    X("admin.operate-token.file",            TEXT,      "",               "", "",                                                    LIVE,    NOW,   "The file that holds it; read again with each reload.") \
    X("admin.operate-token.env",             TEXT,      "",               "", "",                                                    LIVE,    NOW,   "The environment variable that holds it.") \
    X("admin.hosts",                         HOSTS,     "",               "", "",                                                    LIVE,    NOW,   "Names under which the admin address is asked for, beside localhost and addresses in digits: requests with another Host are refused.") \
    X("store",                               TEXT,      "evenkeel.db",    "", "",                                                    RESTART, NOW,   "The file that keeps the counts; always local.") \
    X("cluster",                             TEXT,      "",               "", "",                                                    RESTART, LATER, "What nodes must agree on.") \
    X("peers",                                PEERS,     "",               "", "",                                                     LIVE,    NOW,   "Other nodes whose counters are summed with ours, by their admin address: host:port, or a URL with http or https.") \
    X("peers[].address",                      TEXT,      "!",              "", "",                                                     LIVE,    NOW,   "The node's admin address, when it is given with keys.") \
    X("peers[].ca",                           TEXT,      "",               "", "",                                                     LIVE,    NOW,   "Who vouches for its certificate, PEM; the system's authorities unless said.") \
    X("peers[].token",                        MAP,       "",               "", "",                                                     LIVE,    NOW,   "The bearer token that it, or what stands before it, asks for.") \
    X("peers[].token.file",                   TEXT,      "",               "", "",                                                     LIVE,    NOW,   "The file that holds it; read with every question.") \
    X("peers[].token.env",                    TEXT,      "",               "", "",                                                     LIVE,    NOW,   "The environment variable that holds it.") \
    X("workers",                             WORKERS,   "auto",           "1", "64",                                                 RESTART, NOW,   "Data-path threads; auto is one per core.") \
    X("user",                                TEXT,      "",               "", "",                                                        RESTART, NOW,   "The user that the process becomes once its addresses are bound; for a start as root.") \
    X("zone",                                 TEXT,      "",                "", "",                                                         LIVE,    NOW,   "Where this node stands: instances of the same zone are preferred while at least half of them can be used.") \
    X("trusted",                             NETWORKS,  "",               "", "",                                                        LIVE,    NOW,   "Peers whose forwarding headers and deadlines are believed, and who may speak the PROXY protocol. \"unix:\" stands for peers on unix sockets.") \
    X("limits",                              MAP,       "",               "", "",                                                    LIVE,    NOW,   "What a client may ask of us.") \
    X("limits.connections",                  COUNT,     "20000",          "1", "1000000",                                                RESTART, NOW,   "Client connections at once. The longest idle one gives way to a new one; if none is idle, more wait in the kernel's queue.") \
    X("limits.connections-per-address",      COUNT,     "0",              "0", "1000000",                                                LIVE,    NOW,   "Of them from one IPv4 address or IPv6 /64 that is not trusted; 0 is a quarter of all.") \
    X("limits.connection-age",               DURATION,  "1h",             "1s", "30d",                                                   LIVE,    NOW,   "A connection older than this, up to a tenth more, is closed with its next answer.") \
    X("limits.connection-requests",          COUNT,     "0",              "0", "1000000000",                                             LIVE,    NOW,   "Requests on one connection, up to a tenth more; 0 is no limit.") \
    X("limits.memory",                       SIZE,      "1GiB",           "16MiB", "1024GiB",                                            RESTART, NOW,   "Memory of connections and requests under way; beyond it new ones are refused.") \
    X("limits.head",                         SIZE,      "32KiB",          "1KiB", "64KiB",                                           LIVE,    NOW,   "A request's or an answer's head.") \
    X("limits.fields",                       COUNT,     "100",            "1", "256",                                                LIVE,    NOW,   "Header fields of a head.") \
    X("limits.line",                         SIZE,      "8KiB",           "256B", "64KiB",                                           LIVE,    NOW,   "The request line; never more than the head.") \
    X("limits.body",                         SIZE,      "0",              "0", "1024GiB",                                            LIVE,    NOW,   "A request's body; 0 is no limit.") \
    X("limits.header-time",                  DURATION,  "10s",            "100ms", "10m",                                            LIVE,    NOW,   "From the first byte of a request's head to its last.") \
    X("limits.body-rate",                    SIZE,      "1KiB",           "0", "1GiB",                                                   LIVE,    NOW,   "Least bytes a second, on average, that a client sends of a body or takes of an answer, after header-time; 0 is no limit.") \
    X("log",                                 MAP,       "",               "", "",                                                    LIVE,    NOW,   "What is written down.") \
    X("log.level",                           CHOICE,    "info",           "error warn info debug", "",                               RESTART, NOW,   "Messages of the program itself, on standard error.") \
    X("log.access",                          TEXT,      "",               "", "",                                                        RESTART, NOW,   "The access log, a JSON object a line; reopened on SIGUSR1. Without it none is written.") \
    X("log.redact",                          WORDS,     "[authorization, cookie, query]","authorization cookie query client user-agent referer tenant user", "",LIVE,    NOW,   "What the access log leaves out. An identity read from a redacted header is logged as a keyed hash.") \
    X("trace",                               MAP,       "",               "", "",                                                        LIVE,    NOW,   "W3C trace context.") \
    X("trace.sample",                        SHARE,     "100%",           "0%", "100%",                                                  LIVE,    NOW,   "Share of traces begun here, or continued from a peer that is not trusted, that ask to be recorded.") \
    X("identity",                            MAP,       "",               "", "",                                                        LIVE,    NOW,   "Where a request's tenant and user are found.") \
    X("identity.tenant",                     TEXT,      "",               "", "",                                                        LIVE,    NOW,   "subdomain (first of at least three labels), cookie:NAME or header:NAME (from trusted peers).") \
    X("identity.user",                       TEXT,      "",               "", "",                                                        LIVE,    NOW,   "subdomain, cookie:NAME or header:NAME (from trusted peers).") \
    X("services",                            NAMED,     "!",              "", "",                                                    LIVE,    NOW,   "What requests are forwarded to, by name.") \
    X("services.*.owner",                    TEXT,      "",               "", "",                                                    LIVE,    NOW,   "Who answers for it.") \
    X("services.*.environment",              TEXT,      "",               "", "",                                                    LIVE,    NOW,   "production, staging, ...") \
    X("services.*.class",                    CHOICE,    "web",            "web worker batch dev", "",                                LIVE,    NOW,   "What kind of work it does.") \
    X("services.*.mode",                      CHOICE,    "act",             "act observe", "",                                              LIVE,    NOW,   "act: do all that is configured. observe: forward plainly, in turn, do nothing else, and count what would have been done.") \
    X("services.*.instances",                 INSTANCES, "!",               "1", "1024",                                                    LIVE,    NOW,   "Each is host:port, \"unix:/path\", or keys. A name stands for all its addresses and is looked up again every ten seconds.") \
    X("services.*.instances[].address",      INSTANCE,  "!",              "", "",                                                    LIVE,    NOW,   "Where it listens, when it is given with keys.") \
    X("services.*.instances[].release",      TEXT,      "",               "", "",                                                    LIVE,    NOW,   "Which release it runs.") \
    X("services.*.instances[].zone",         TEXT,      "",               "", "",                                                    LIVE,    NOW,   "Where it stands.") \
    X("services.*.instances[].weight",        COUNT,     "1",               "1", "1000",                                                    LIVE,    NOW,   "Its share of the requests, beside those of the others.") \
    X("services.*.instances[].drain",         BOOL,      "false",           "", "",                                                         LIVE,    NOW,   "It gets no new requests; what is under way there is finished.") \
    X("services.*.balance",                   BALANCE,   "p2c",             "p2c least-requests round-robin", "",                           LIVE,    NOW,   "How an instance is chosen. p2c: of two that are drawn by weight, the one whose smoothed latency times requests in flight is clearly less.") \
    X("services.*.balance.hash",              PLACE,     "!",               "", "",                                                         LIVE,    NOW,   "cookie:NAME or header:NAME: the same value goes to the same instance, unless that has a quarter more than its share in flight.") \
    X("services.*.slow-start",                DURATION,  "10s",             "0s", "1h",                                                     LIVE,    NOW,   "How long an instance that appears or recovers takes to come to its full share. Where the others have long lines of requests it takes its part of them at once.") \
    X("services.*.tls",                      MAP,       "",               "", "",                                                        RESTART, NOW,   "TLS towards its instances, always verified.") \
    X("services.*.tls.ca",                   TEXT,      "",               "", "",                                                        RESTART, NOW,   "Certificates that are believed, PEM; without it those of the system.") \
    X("services.*.tls.server-name",          TEXT,      "",               "", "",                                                        RESTART, NOW,   "The name that the certificate must carry; without it the host of the instance.") \
    X("services.*.tls.certificate",          TEXT,      "",               "", "",                                                        RESTART, NOW,   "Our own certificate, for instances that ask for one.") \
    X("services.*.tls.key",                  TEXT,      "",               "", "",                                                        RESTART, NOW,   "Its private key.") \
    X("services.*.health",                    MAP,       "",                "", "",                                                         LIVE,    NOW,   "Active checks of each instance. Without it a TCP connection is enough.") \
    X("services.*.health.path",               TEXT,      "",                "", "",                                                         LIVE,    NOW,   "What is asked for with GET; without it a connection is enough.") \
    X("services.*.health.host",               TEXT,      "",                "", "",                                                         LIVE,    NOW,   "The Host of the check; without it the instance's own.") \
    X("services.*.health.statuses",           STATUSES,  "[200-399]",       "", "",                                                         LIVE,    NOW,   "Statuses that are good.") \
    X("services.*.health.body",               TEXT,      "",                "", "",                                                         LIVE,    NOW,   "What the first 16 KiB of a good answer's body hold; without it any will do.") \
    X("services.*.health.interval",           DURATION,  "2s",              "0s", "10m",                                                    LIVE,    NOW,   "Between two checks of one instance; 0s: no checks.") \
    X("services.*.health.timeout",            DURATION,  "1s",              "10ms", "1m",                                                   LIVE,    NOW,   "Of one check.") \
    X("services.*.health.fall",               COUNT,     "2",               "1", "100",                                                     LIVE,    NOW,   "Failed checks in a row until it is out.") \
    X("services.*.health.rise",               COUNT,     "2",               "1", "100",                                                     LIVE,    NOW,   "Good checks in a row until it is back; the first check ever decides alone.") \
    X("services.*.eject",                     MAP,       "",                "", "",                                                         LIVE,    NOW,   "Leaving alone for a while what fails real requests.") \
    X("services.*.eject.failures",            COUNT,     "5",               "0", "1000",                                                    LIVE,    NOW,   "Failed answers in a row (5xx, timeouts, broken off) until it is left alone; 0: never. A refused connection is enough by itself.") \
    X("services.*.eject.time",                DURATION,  "500ms",              "10ms", "10m",                                                  LIVE,    NOW,   "How long the first time; it doubles each time that follows soon. One that has answered half of a long line since was only full, and is used again at once.") \
    X("services.*.eject.most",                DURATION,  "2s",             "10ms", "1h",                                                   LIVE,    NOW,   "How long at most. Afterwards it gets one request at a time until it has answered well, so short times cost little, and long ones keep out what has recovered.") \
    X("services.*.timeout",                  MAP,       "",               "", "",                                                    LIVE,    NOW,   "How long an instance may take.") \
    X("services.*.timeout.connect",          DURATION,  "500ms",          "1ms", "1m",                                               LIVE,    NOW,   "Until a connection stands.") \
    X("services.*.timeout.head",             DURATION,  "15s",            "1ms", "1h",                                               LIVE,    NOW,   "Until the answer's head.") \
    X("services.*.timeout.idle",             DURATION,  "60s",            "100ms", "1h",                                             LIVE,    NOW,   "Without a byte moving in a body, and for kept connections; of these less when the instance says so (`Keep-Alive: timeout`).") \
    X("services.*.timeout.stream",            DURATION,  "1h",              "1s", "24h",                                                    LIVE,    NOW,   "The same in an event stream or a WebSocket.") \
    X("services.*.timeout.total",             DURATION,  "",                "1ms", "2h",                                                    LIVE,    NOW,   "From a request's first byte, or the end of a body that came in pieces, until its answer begins, over all tries; instances are told what is left of it. Without it twice the head.") \
    X("services.*.retry",                     MAP,       "",                "", "",                                                         LIVE,    NOW,   "Trying again on another instance what is safe to repeat, within a budget.") \
    X("services.*.retry.attempts",            COUNT,     "2",               "1", "8",                                                       LIVE,    NOW,   "Tries in all; 1: no retries.") \
    X("services.*.retry.budget",              SHARE,     "10%",             "0%", "100%",                                                   LIVE,    NOW,   "Retries as a share of the requests of the last ten seconds; ten are always allowed, over all threads, unless it is 0%.") \
    X("services.*.retry.statuses",            STATUSES,  "[500, 502-504]",  "", "",                                                         LIVE,    NOW,   "Answers that are tried again, besides those that never came or were broken off.") \
    X("services.*.retry.backoff",             DURATION,  "25ms",            "0s", "10s",                                                    LIVE,    NOW,   "The first retry waits up to this long, by chance; the next up to twice as long, and so on.") \
    X("routes",                              LIST,      "",               "0", "4096",                                               LIVE,    NOW,   "Which requests go where; the first that matches wins. One service alone needs none.") \
    X("routes[].host",                       TEXT,      "",               "", "",                                                    LIVE,    NOW,   "Host without port; *.example.com for any below it.") \
    X("routes[].method",                     TEXT,      "",               "", "",                                                    LIVE,    NOW,   "GET also takes HEAD; none takes any.") \
    X("routes[].path",                       PATTERN,   "!",              "", "",                                                    LIVE,    NOW,   "The path, without query.") \
    X("routes[].service",                    TEXT,      "!",              "", "",                                                    LIVE,    NOW,   "Name of a service.") \
    X("routes[].timeout",                    MAP,       "",               "", "",                                                    LIVE,    NOW,   "Where this route differs from its service.") \
    X("routes[].timeout.connect",            DURATION,  "",               "1ms", "1m",                                               LIVE,    NOW,   "Until a connection stands.") \
    X("routes[].timeout.head",               DURATION,  "",               "1ms", "1h",                                               LIVE,    NOW,   "Until the answer's head.") \
    X("routes[].timeout.idle",               DURATION,  "",               "100ms", "1h",                                             LIVE,    NOW,   "Without a byte moving.") \
    X("routes[].timeout.stream",              DURATION,  "",                "1s", "24h",                                                    LIVE,    NOW,   "The same in an event stream or a WebSocket.") \
    X("routes[].timeout.total",               DURATION,  "",                "1ms", "2h",                                                    LIVE,    NOW,   "Until the answer begins, over all tries.") \
    X("routes[].retry",                       MAP,       "",                "", "",                                                         LIVE,    NOW,   "Where this route differs from its service.") \
    X("routes[].retry.attempts",              COUNT,     "",                "1", "8",                                                       LIVE,    NOW,   "Tries in all; 1: no retries.") \
    X("journeys",                            NAMED,     "",               "", "",                                                    LIVE,    NOW,   "Critical user journeys; the first that matches a request counts it, `unclaimed` the rest.") \
    X("journeys.*.owner",                    TEXT,      "",               "", "",                                                    LIVE,    NOW,   "Who is called.") \
    X("journeys.*.runbook",                  TEXT,      "",               "", "",                                                    LIVE,    NOW,   "Where it says what to do.") \
    X("journeys.*.priority",                 CHOICE,    "must-have",      "must-have nice-to-have", "",                              LIVE,    NOW,   "What gives way first.") \
    X("journeys.*.kind",                     CHOICE,    "request",        "request job steps", "",                                LIVE,    NOW,   "What it is about: requests; background jobs, whose ends are told with POST /api/v1/events; or users who take steps in order, which `steps` says by itself.") \
    X("journeys.*.routes",                   PATTERNS,  "",               "1", "256",                                                LIVE,    NOW,   "Method, host (optional) and path of its requests.") \
    X("journeys.*.steps",                    PATTERNS,  "",               "2", "8",                                                  LIVE,    NOW,   "Instead of routes: what a user does in order, each like a route. Users who come to the end are counted; the requests count for other journeys as ever. Needs identity.user.") \
    X("journeys.*.deadline",                 DURATION,  "30m",            "1s", "7d",                                                LIVE,    NOW,   "Of steps: from the answer to the first until that to the last.") \
    X("journeys.*.query",                      MAP, "",               "", "", LIVE, NOW, "Of jobs: a PostgreSQL that knows how they ended, asked again and again, instead of workers who tell.") \
    X("journeys.*.query.database",             TEXT, "!",              "", "", LIVE, NOW, "As libpq reads it: host=db.internal dbname=app user=evenkeel sslmode=verify-full, or postgresql://...") \
    X("journeys.*.query.password",             MAP, "",               "", "", LIVE, NOW, "The password, which a file of many readers should not hold.") \
    X("journeys.*.query.password.file",        TEXT, "",               "", "", LIVE, NOW, "The file that holds it; read with every connection.") \
    X("journeys.*.query.password.env",         TEXT, "",               "", "", LIVE, NOW, "The environment variable that holds it.") \
    X("journeys.*.query.every",                DURATION, "30s",            "1s", "1h", LIVE, NOW, "How often it is asked.") \
    X("journeys.*.query.timeout",              DURATION, "5s",             "100ms", "60s", LIVE, NOW, "How long connecting, and each statement, may take.") \
    X("journeys.*.query.sql",                  TEXT, "",               "", "", LIVE, NOW, "Gives a row for each job that ended: id, outcome, seconds, at; the same again and again is counted once. At most 10,000 rows.") \
    X("journeys.*.query.oldest",               TEXT, "",               "", "", LIVE, NOW, "Gives one number: how many seconds ago the oldest job that waits was asked for; nothing or null when none does. For age-under.") \
    X("journeys.*.bad",                      MAP,       "",               "", "",                                                    LIVE,    NOW,   "What counts as failed.") \
    X("journeys.*.bad.statuses",             STATUSES,  "[500-599]",      "", "",                                                    LIVE,    NOW,   "Statuses of answers; other 4xx count neither way.") \
    X("journeys.*.bad.client-gone",          BOOL,      "false",          "", "",                                                    LIVE,    NOW,   "A client that leaves before the answer is complete.") \
    X("journeys.*.bad.abandoned",            BOOL,      "false",          "", "",                                                    LIVE,    NOW,   "Of steps: a user who does not come to the end, though no step failed.") \
    X("journeys.*.objectives",               NAMED,     "",               "", "",                                                    LIVE,    NOW,   "What is promised, at most 8 by name.") \
    X("journeys.*.objectives.*.target",      SHARE,     "!",              "1%", "99.9999%",                                          LIVE,    NOW,   "Share of good events.") \
    X("journeys.*.objectives.*.under",       DURATION,  "",               "1us", "1000s",                                            LIVE,    NOW,   "Good answers take less; without it the objective is about availability.") \
    X("journeys.*.objectives.*.age-under",     DURATION, "",               "1s", "366d", LIVE, NOW, "The oldest job that waits is younger, each time that query.oldest looks. Each look is one event.") \
    X("journeys.*.objectives.*.window",      DURATION,  "28d",            "1h", "366d",                                              LIVE,    NOW,   "What the promise is about.") \
    X("journeys.*.objectives.*.of",          CHOICE,    "",               "", "",                                                    LIVE,    LATER, "first-byte: where the clock of `under` stops.") \
    X("dependencies",                        NAMED,     "",               "", "",                                                    LIVE,    LATER, "Outside services that the app calls through us.") \
    X("dependencies.*.listen",               ADDRESS,   "!",              "", "",                                                    LIVE,    LATER, "Where the app calls it.") \
    X("dependencies.*.url",                  TEXT,      "!",              "", "",                                                    LIVE,    LATER, "Where it is.") \
    X("dependencies.*.priority",             CHOICE,    "",               "must-have nice-to-have", "",                              LIVE,    LATER, "What gives way first.") \
    X("databases",                           NAMED,     "",               "", "",                                                    LIVE,    LATER, "PostgreSQL behind us.") \
    X("databases.*.name",                    TEXT,      "",               "", "",                                                    LIVE,    LATER, "Its name on the server.") \
    X("databases.*.primary",                 INSTANCE,  "!",              "", "",                                                    LIVE,    LATER, "The server that takes writes.") \
    X("databases.*.replicas",                LIST,      "",               "", "",                                                    LIVE,    LATER, "Servers that take reads.") \
    X("databases.*.reads",                   CHOICE,    "",               "primary observe split", "",                               LIVE,    LATER, "Where reads go.") \
    X("databases.*.pool",                    MAP,       "",               "", "",                                                    LIVE,    LATER, "Its connections: size, wait, idle, lifetime.") \
    X("databases.*.auth",                    MAP,       "",               "", "",                                                    LIVE,    LATER, "How clients prove who they are.") \
    X("databases.*.users",                   NAMED,     "",               "", "",                                                    LIVE,    LATER, "Users and their passwords.") \
    X("databases.*.auth-query",              TEXT,      "",               "", "",                                                    LIVE,    LATER, "Where passwords are looked up instead.") \
    X("databases.*.monitor",                 MAP,       "",               "", "",                                                    LIVE,    LATER, "The user that watches the servers.") \
    X("databases.*.tls",                     MAP,       "",               "", "",                                                    LIVE,    LATER, "Towards clients and servers.") \
    X("databases.*.timeout",                 MAP,       "",               "", "",                                                    LIVE,    LATER, "Of a statement, and idle in a transaction.")
/* clang-format on */

enum config_type {
#define X(name, words, example) CONFIG_##name,
    CONFIG_TYPES(X)
#undef X
};

enum config_when { CONFIG_LIVE, CONFIG_RESTART };
enum config_since { CONFIG_NOW, CONFIG_LATER };

struct config_option {
    struct span path;
    enum config_type type;
    const char *standard; /* default */
    const char *least;    /* or the words of a choice */
    const char *most;
    enum config_when when;
    enum config_since since;
    const char *help;
};

extern const struct config_option config_options[];
extern const size_t config_option_count;

const char *config_type_words(enum config_type t);
const char *config_type_example(enum config_type t);

/* The row of a path such as "services.*.owner", or NULL. */
const struct config_option *config_find(struct span path);

/* Whether `row` is a key directly inside the map or list `parent` (NULL: of the file). */
bool config_is_inside(const struct config_option *row, const struct config_option *parent);

/* Name of a row within its map: "owner". */
struct span config_key(const struct config_option *row);

#endif
