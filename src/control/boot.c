/* SPDX-License-Identifier: Apache-2.0 */
/* boot.c - the order of starting: limits, store, listeners, control, threads; and of stopping, backwards.
 * The main thread only waits for signals; everything else has a thread of its own. */
#include "control/boot.h"

#include "base/log.h"
#include "base/rand.h"
#include "control/config_file.h"
#include "control/control.h"
#include "control/resolve.h"
#include "store/catalog.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

struct boot {
    struct config *config;
    size_t workers;
    size_t listeners;
    struct listener users[LISTENERS_MAX];
    struct listener admin;
    struct reactor control_reactor;
    struct reactor *reactors;
    struct http_edge *edges;
    struct worker *worker;
    pthread_t *threads;
    pthread_t control_thread;
    pthread_t scribe_thread;
    struct store *store;
    char node[32];
    struct scribe scribe;
    struct control control;
};

/* ---- the process */

/* A connection to a client and one to an instance for each, and some for files. */
static err raise_descriptors(const struct config *c)
{
    struct rlimit l;
    rlim_t want = (rlim_t)c->limits.connections * 2 + 256;

    if (getrlimit(RLIMIT_NOFILE, &l))
        return err_system(errno, "cannot read the limit of open files");
    if (l.rlim_cur >= want)
        return OK;
    l.rlim_cur = l.rlim_max < want ? l.rlim_max : want;
    if (setrlimit(RLIMIT_NOFILE, &l))
        return err_system(errno, "cannot raise the limit of open files");
    if (l.rlim_cur < want)
        log_warn("only %lu files may be open, %lu are needed for limits.connections = %u; raise "
                 "the limit (ulimit -n, LimitNOFILE=) or lower limits.connections",
                 (unsigned long)l.rlim_cur, (unsigned long)want, c->limits.connections);
    return OK;
}

static void block_signals(sigset_t *ret_set)
{
    sigemptyset(ret_set);
    sigaddset(ret_set, SIGTERM);
    sigaddset(ret_set, SIGINT);
    pthread_sigmask(SIG_BLOCK, ret_set, NULL); /* inherited by every thread */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN); /* a closed terminal must not end the service */
}

/* ---- opening */

static err open_store(struct boot *b, const char *version)
{
    struct store_opened opened;
    int64_t epoch;
    char path[4096];

    snprintf(path, sizeof(path), "%.*s", SPAN_ARG(b->config->store));
    struct store_options options = { .path = path, .now = clock_wall() / NS_PER_S };
    TRY(store_open(&options, &b->store, &opened));
    if (opened.note[0])
        log_warn("%s", opened.note);
    log_info("store %s %s", path, opened.created ? "begun" : "opened");
    snprintf(b->node, sizeof(b->node), "%s", store_node(b->store));
    return epoch_begin(b->store, options.now, span_from_text(version), &epoch);
}

static err open_listeners(struct boot *b)
{
    char text[ADDRESS_TEXT_MAX];

    TRY(listener_open(&b->admin, &b->config->admin, 1));
    for (size_t i = 0; i < b->config->http_count; i++) {
        TRY(listener_open(&b->users[i], &b->config->http[i], b->workers));
        b->listeners = i + 1;
        log_info("listening on http://%s", address_print(&b->users[i].address, text));
    }
    log_info("dashboard and API on http://%s/", address_print(&b->admin.address, text));
    return OK;
}

static uint64_t secret_seed(void)
{
    uint64_t seed;

    rand_secret(&seed, sizeof(seed));
    return seed;
}

static err open_reactors(struct boot *b)
{
    TRY(io_epoll_open(&b->control_reactor, WORKERS_MAX, secret_seed()));
    for (size_t i = 0; i < b->workers; i++) {
        TRY(io_epoll_open(&b->reactors[i], (unsigned)i, secret_seed()));
        b->worker[i] = (struct worker){ .reactor = &b->reactors[i], .edge = &b->edges[i] };
    }
    return OK;
}

static err open_control(struct boot *b, const struct boot_options *o)
{
    struct control_parts parts = { .reactor = &b->control_reactor,
                                   .workers = b->worker,
                                   .worker_count = b->workers,
                                   .admin = &b->admin.ports[0],
                                   .config = b->config,
                                   .free_config = config_free,
                                   .store = b->store,
                                   .scribe = &b->scribe,
                                   .node = b->node,
                                   .version = o->version,
                                   .assets = o->assets,
                                   .wall = clock_wall,
                                   .drain_time = BOOT_DRAIN_S * NS_PER_S };

    TRY(control_open(&b->control, &parts));
    scribe_open(&b->scribe, b->store, control_mail(&b->control), &b->control_reactor);
    for (size_t l = 0; l < b->listeners; l++) {
        for (size_t i = 0; i < b->workers; i++)
            edge_listen(&b->edges[i], &b->users[l].ports[i]);
    }
    return OK;
}

/* ---- threads */

static void *reactor_main(void *reactor)
{
    reactor_run(reactor);
    return NULL;
}

static pthread_t start_thread(const char *name, void *(*main)(void *), void *what)
{
    pthread_t t;
    int failed = pthread_create(&t, NULL, main, what);

    check(!failed);
    pthread_setname_np(t, name); /* at most 15 bytes; shown by top -H and the like */
    return t;
}

static void start_threads(struct boot *b)
{
    char name[16];

    b->scribe_thread = start_thread("ek-scribe", scribe_main, &b->scribe);
    b->control_thread = start_thread("ek-control", reactor_main, &b->control_reactor);
    for (size_t i = 0; i < b->workers; i++) {
        snprintf(name, sizeof(name), "ek-reactor-%u", (unsigned)(i % WORKERS_MAX));
        b->threads[i] = start_thread(name, reactor_main, &b->reactors[i]);
    }
}

static void wait_for_signal(struct boot *b, sigset_t *signals)
{
    struct message stop = { .kind = MESSAGE_STOP };
    bool told = false;

    while (!told) {
        int sig = 0;
        sigwait(signals, &sig);
        log_info("got %s", sigabbrev_np(sig));
        stop.signal = sig;
        told = mailbox_send(control_mail(&b->control), &stop);
        reactor_wake(&b->control_reactor);
    }
    /* a second one means it: the default action ends the process */
    pthread_sigmask(SIG_UNBLOCK, signals, NULL);
}

static void join_threads(struct boot *b)
{
    for (size_t i = 0; i < b->workers; i++)
        pthread_join(b->threads[i], NULL);
    pthread_join(b->control_thread, NULL);
    pthread_join(b->scribe_thread, NULL);
}

static void close_all(struct boot *b)
{
    control_close(&b->control);
    scribe_free(&b->scribe);
    for (size_t i = 0; i < b->workers; i++)
        reactor_free(&b->reactors[i]);
    reactor_free(&b->control_reactor);
    for (size_t i = 0; i < b->listeners; i++)
        listener_close(&b->users[i]);
    listener_close(&b->admin);
    free(b->reactors);
    free(b->edges);
    free(b->worker);
    free(b->threads);
}

/* A start that fails leaves the rest to the end of the process, which follows at once. */
static err open_all(struct boot *b, const struct boot_options *o)
{
    TRY(raise_descriptors(b->config));
    TRY(resolve_instances(b->config));
    TRY(open_listeners(b));
    TRY(open_store(b, o->version));
    TRY(open_reactors(b));
    return open_control(b, o);
}

static void allocate(struct boot *b)
{
    b->reactors = calloc(b->workers, sizeof(b->reactors[0]));
    b->edges = calloc(b->workers, sizeof(b->edges[0]));
    b->worker = calloc(b->workers, sizeof(b->worker[0]));
    b->threads = calloc(b->workers, sizeof(b->threads[0]));
    check(b->reactors && b->edges && b->worker && b->threads);
}

err boot_run(const struct boot_options *options)
{
    static struct boot boot; /* large, and one is enough */
    struct boot *b = &boot;
    sigset_t signals;

    b->config = options->config;
    b->workers = options->config->workers;
    log_set_level((enum log_level)b->config->log_level);
    block_signals(&signals);
    allocate(b);
    TRY(open_all(b, options));
    log_info("evenkeel %s serves %zu journeys with %zu threads", options->version,
             b->config->journey_count, b->workers);
    start_threads(b);
    wait_for_signal(b, &signals);
    join_threads(b);
    close_all(b);
    log_info("stopped; everything counted is stored");
    return OK;
}
