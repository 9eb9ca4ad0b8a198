/* SPDX-License-Identifier: Apache-2.0 */
/* boot.c - the order of starting: limits, store, listeners, control, threads; and of stopping, backwards.
 * The main thread only waits for signals; everything else has a thread of its own. */
#include "control/boot.h"

#include "base/log.h"
#include "base/rand.h"
#include "control/config_file.h"
#include "control/control.h"
#include "control/files.h"
#include "control/peer_memory.h"
#include "control/privileges.h"
#include "control/secrets.h"
#include "control/supervisor.h"
#include "store/catalog.h"
#include "store/kept_changes.h"
#include "store/instance_states.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

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
    pthread_t files_thread;
    pthread_t loader_thread;
    pthread_t puller_thread;
    pthread_t queries_thread;
    struct log_ring rings[WORKERS_MAX];
    struct access_writer access;
    struct certificate_watch certificates;
    struct config
        listening; /* where we listen, for as long as we run: configurations come and go */
    struct files files;
    struct life_sign life;
    struct loader loader;
    struct peer_puller puller;
    struct query_runner queries;
    struct store *store;
    struct arena remembered; /* what the store said, until control has taken it */
    struct overlay overlay;
    int64_t *over;
    size_t over_count;
    struct check_memory *memories;
    size_t memory_count;
    struct peer_memory *peer_memories;
    size_t peer_memory_count;
    struct dimension_memory earlier;
    char node[32];
    err store_trouble;   /* what the last job met */
    bool config_had_log; /* the configuration itself is control's by the end */
    struct scribe scribe;
    struct control control;
};

/* ---- the process */

static void block_signals(sigset_t *ret_set)
{
    sigemptyset(ret_set);
    sigaddset(ret_set, SIGTERM);
    sigaddset(ret_set, SIGINT);
    sigaddset(ret_set, SIGUSR1);
    sigaddset(ret_set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, ret_set, NULL); /* inherited by every thread */
    signal(SIGPIPE, SIG_IGN);
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
    ns_t wall = clock_wall();
    TRY(life_sign_look_back(b->store, path, wall / NS_PER_MS));
    life_sign_open(&b->life, path, b->node, wall);
    return epoch_begin(b->store, options.now, span_from_text(version), &epoch);
}

/* ---- what the last process left */

static err recall_overlay(struct boot *b)
{
    struct stored_change *list;
    size_t count;

    TRY(changes_load(b->store, &b->remembered, &list, &count));
    overlay_restore(&b->overlay, list, count);
    if (count)
        log_info("%zu change%s at run time from before, see `evenkeel status`", count,
                 count == 1 ? "" : "s");
    return OK;
}

static err recall_states(struct boot *b)
{
    struct stored_instance_state *list;

    TRY(instance_states_load(b->store, &b->remembered, &list, &b->memory_count));
    b->memories = arena_array(&b->remembered, struct check_memory, b->memory_count);
    for (size_t i = 0; i < b->memory_count; i++)
        b->memories[i] = (struct check_memory){ .service = list[i].service,
                                                .instance = list[i].instance,
                                                .up = list[i].up,
                                                .since = list[i].since };
    return OK;
}

/* The configuration as it will be in force: with the addresses of names, and what was changed at run time. */
static err complete_config(struct boot *b)
{
    size_t count;

    TRY(recall_overlay(b));
    TRY(recall_states(b));
    TRY(peer_memory_load(b->store, &b->peer_memories, &b->peer_memory_count));
    TRY(dimension_memory_load(b->store, clock_wall() / NS_PER_S, &b->earlier));
    struct change *changes =
        overlay_copy(&b->overlay, &b->remembered, clock_wall() / NS_PER_S, &count);
    b->over = arena_array(&b->remembered, int64_t, count + 1);
    b->over_count = loader_complete(&b->loader, b->config, changes, count, b->over);
    return OK;
}

/* One that the supervisor holds open for us, or our own. */
static err open_listener(struct listener *l, const struct address *a, size_t count)
{
    int fd = supervisor_socket(a);

    return fd >= 0 ? listener_adopt(l, a, fd, count) : listener_open(l, a, count);
}

static err open_listeners(struct boot *b)
{
    char text[ADDRESS_TEXT_MAX];

    TRY(open_listener(&b->admin, &b->config->admin.address, 1));
    for (size_t i = 0; i < b->config->http_count; i++) {
        const struct listening *l = &b->config->http[i];
        TRY(open_listener(&b->users[i], &l->address, b->workers));
        b->listeners = i + 1;
        for (size_t k = 0; k < b->workers; k++) {
            b->users[i].ports[k].proxy_protocol = l->proxy_protocol;
            if (l->proxy_protocol)
                b->users[i].ports[k].dress = proxy_dress;
        }
        log_info("listening on %s://%s%s", l->certificates ? "https" : "http",
                 address_print(&b->users[i].address, text),
                 l->proxy_protocol ? ", with PROXY protocol" : "");
    }
    log_info("dashboard and API on %s://%s/", b->config->admin.certificates ? "https" : "http",
             address_print(&b->admin.address, text));
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

static void serving(void)
{
    log_info("clients are let in");
    supervisor_tell("READY=1");
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
                                   .life = &b->life,
                                   .loader = &b->loader,
                                   .puller = &b->puller,
                                   .queries = &b->queries,
                                   .overlay = b->overlay,
                                   .over = b->over,
                                   .over_count = b->over_count,
                                   .memories = b->memories,
                                   .memory_count = b->memory_count,
                                   .peer_memories = b->peer_memories,
                                   .peer_memory_count = b->peer_memory_count,
                                   .earlier = b->earlier,
                                   .serving = serving,
                                   .node = b->node,
                                   .version = o->version,
                                   .assets = o->assets,
                                   .wall = clock_wall,
                                   .hash_key = secret_seed(),
                                   .valid_until = &b->certificates.valid_until,
                                   .log_rings = b->config->access_log.n ? b->rings : NULL,
                                   .log_hurry = files_hurry,
                                   .log_writer = &b->files,
                                   .drain_time = BOOT_DRAIN_S * NS_PER_S };

    scribe_open(&b->scribe, b->store, control_mail(&b->control), &b->control_reactor);
    loader_open(&b->loader, control_mail(&b->control), &b->control_reactor);
    TRY(peer_puller_open(&b->puller, control_mail(&b->control), &b->control_reactor));
    TRY(query_runner_open(&b->queries, control_mail(&b->control), &b->control_reactor));
    TRY(control_open(&b->control, &parts));
    arena_free(&b->remembered);
    for (size_t l = 0; l < b->listeners; l++) {
        for (size_t i = 0; i < b->workers; i++)
            edge_add_port(&b->edges[i], &b->users[l].ports[i]);
    }
    return OK;
}

err boot_check(const struct config *c)
{
    TRY(admin_tokens_try(c));
    TRY(certificates_try(c));
    for (size_t i = 0; i < c->service_count; i++) {
        struct tls_client *t = NULL;
        TRY(loader_dress(&c->services[i], &t));
        tls_client_free(t);
    }
    return OK;
}

static struct listening copy_listener(struct arena *a, const struct listening *from)
{
    struct listening l = *from;

    if (!from->certificates)
        return l;
    struct certificate *list = arena_array(a, struct certificate, from->certificate_count);
    for (size_t k = 0; k < from->certificate_count; k++)
        list[k] = (struct certificate){ arena_span(a, from->certificates[k].chain),
                                        arena_span(a, from->certificates[k].key) };
    l.certificates = list;
    return l;
}

static void copy_listening(const struct config *c, struct config *ret)
{
    struct arena *a = &ret->arena;

    ret->http = arena_array(a, struct listening, c->http_count);
    ret->http_count = c->http_count;
    for (size_t i = 0; i < c->http_count; i++)
        ret->http[i] = copy_listener(a, &c->http[i]);
    ret->admin = copy_listener(a, &c->admin);
}

/* While the rights to read private keys are still there. */
static err open_tls(struct boot *b)
{
    copy_listening(b->config, &b->listening);
    certificates_init(&b->certificates);
    for (size_t i = 0; i < b->listeners; i++)
        TRY(certificates_add(&b->certificates,
                             &(struct certificate_use){ .listening = &b->listening.http[i],
                                                        .name = "listen.https",
                                                        .listener = &b->users[i],
                                                        .number = (uint32_t)i,
                                                        .edges = b->edges,
                                                        .edge_count = b->workers }));
    TRY(certificates_add(&b->certificates,
                         &(struct certificate_use){ .listening = &b->listening.admin,
                                                    .name = "listen.admin",
                                                    .listener = &b->admin,
                                                    .edges = &b->control.admin,
                                                    .edge_count = 1 }));
    TRY(admin_tokens_read(b->config));
    for (size_t i = 0; i < b->config->service_count; i++)
        TRY(loader_dress(&b->config->services[i], &b->config->services[i].tls_client));
    return OK;
}

static err open_files(struct boot *b)
{
    bool logs = b->config->access_log.n > 0;

    for (size_t i = 0; logs && i < b->workers; i++)
        log_ring_open(&b->rings[i]);
    if (logs) {
        TRY(access_writer_open(&b->access, b->config->access_log.p, b->rings, b->workers));
        log_info("access log %s", b->config->access_log.p);
    }
    return files_open(&b->files, logs ? &b->access : NULL, &b->certificates, &b->life);
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

    b->files_thread = start_thread("ek-files", files_main, &b->files);
    b->scribe_thread = start_thread("ek-scribe", scribe_main, &b->scribe);
    b->loader_thread = start_thread("ek-loader", loader_main, &b->loader);
    b->puller_thread = start_thread("ek-peers", peer_puller_main, &b->puller);
    b->queries_thread = start_thread("ek-queries", query_runner_main, &b->queries);
    b->control_thread = start_thread("ek-control", reactor_main, &b->control_reactor);
    for (size_t i = 0; i < b->workers; i++) {
        snprintf(name, sizeof(name), "ek-reactor-%u", (unsigned)(i % WORKERS_MAX));
        b->threads[i] = start_thread(name, reactor_main, &b->reactors[i]);
    }
}

static void ask_reload(struct boot *b)
{
    struct message m = { .kind = MESSAGE_RELOAD };

    if (!mailbox_send(control_mail(&b->control), &m))
        log_warn("too much is under way to read the file again; send SIGHUP again");
    reactor_wake(&b->control_reactor);
}

static void wait_for_signal(struct boot *b, sigset_t *signals)
{
    struct message stop = { .kind = MESSAGE_STOP };
    bool told = false;

    while (!told) {
        int sig = 0;
        sigwait(signals, &sig);
        log_info("got %s", sigabbrev_np(sig));
        if (sig == SIGUSR1) {
            files_reopen(&b->files);
            continue;
        }
        if (sig == SIGHUP) {
            ask_reload(b);
            continue;
        }
        supervisor_tell("STOPPING=1");
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
    pthread_join(b->loader_thread, NULL);
    pthread_join(b->puller_thread, NULL);
    pthread_join(b->queries_thread, NULL);
    files_stop(&b->files); /* last: everybody else may have had something to log */
    pthread_join(b->files_thread, NULL);
}

static void close_all(struct boot *b)
{
    b->store_trouble = b->control.book.trouble;
    control_close(&b->control);
    scribe_free(&b->scribe);
    life_sign_close(&b->life, !b->store_trouble.failed);
    loader_free(&b->loader);
    peer_puller_free(&b->puller);
    query_runner_free(&b->queries);
    arena_free(&b->listening.arena);
    for (size_t i = 0; i < b->workers; i++)
        reactor_free(&b->reactors[i]);
    reactor_free(&b->control_reactor);
    for (size_t i = 0; i < b->listeners; i++)
        listener_close(&b->users[i]);
    listener_close(&b->admin);
    files_close(&b->files);
    if (b->config_had_log)
        access_writer_close(&b->access);
    for (size_t i = 0; b->config_had_log && i < b->workers; i++)
        log_ring_close(&b->rings[i]);
    free(b->reactors);
    free(b->edges);
    free(b->worker);
    free(b->threads);
}

/* A start that fails leaves the rest to the end of the process, which follows at once. */
static err open_all(struct boot *b, const struct boot_options *o)
{
    TRY(raise_descriptors(b->config));
    TRY(open_listeners(b));
    TRY(open_tls(b));
    TRY(become_user(b->config->user));
    TRY(open_files(b));
    TRY(open_store(b, o->version));
    TRY(complete_config(b));
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
    forbid_core();
    b->config_had_log = b->config->access_log.n > 0;
    allocate(b);
    TRY(open_all(b, options));
    log_info("evenkeel %s serves %zu journey%s with %zu thread%s", options->version,
             b->config->journey_count - 1, b->config->journey_count == 2 ? "" : "s", b->workers,
             b->workers == 1 ? "" : "s");
    start_threads(b);
    wait_for_signal(b, &signals);
    join_threads(b);
    close_all(b);
    if (b->store_trouble.failed)
        log_warn("stopped; what was counted last is not stored: %s", b->store_trouble.text);
    else
        log_info("stopped; everything counted is stored");
    return OK;
}
