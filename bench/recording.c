/* SPDX-License-Identifier: Apache-2.0 */
/* recording.c - what counting costs: CPU nanoseconds per request that is counted, by the edge's own function.
 *   recording [ROUNDS]
 * The median of the rounds counts. Exit 1 when it is more than 50 ns. */
#include "base/check.h"
#include "base/rand.h"
#include "control/config_file.h"
#include "control/registry.h"
#include "plane/http/exchange.h"

#include <stdlib.h>
#include <time.h>

enum {
    JOURNEYS = 8, /* in use at once */
    INSTANCES = 3,
    REQUESTS = 1 << 20,  /* of a round */
    DIFFERENT = 1 << 16, /* of them: more than a processor learns by heart */
    ROUNDS_MAX = 101,
    RECORD_MOST_NS = 50,
    TENANTS = 128, /* half of them have a value */
    TENANT_BYTES = 16,
};

static double cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *list, int count)
{
    qsort(list, (size_t)count, sizeof(list[0]), by_size);
    return list[count / 2];
}

/* Half of them have a value. The ring is full: what it takes, 512 a second, is next to nothing. */
static char tenants[TENANTS][TENANT_BYTES + 1];

static void make_tenants(struct tenant_reader *r, struct tenant_table *table)
{
    static const struct tenant_table *_Atomic newest;

    tenant_reader_open(r, &newest, 7);
    table->generation = 1;
    for (unsigned i = 0; i < TENANTS; i++) {
        struct span name = span_of(tenants[i], TENANT_BYTES);
        snprintf(tenants[i], sizeof(tenants[i]), "customer-%07u", i * 7919);
        if (i < DIMENSION_VALUES)
            tenant_table_put(table, i, tenant_hash(7, name));
    }
    atomic_store(&newest, table);
    tenant_reader_turn(r);
}

static struct config *make_config(struct registry *r)
{
    struct str text = str_growing();
    struct config_report report;
    struct config *c = NULL;

    str_text(&text, "listen: { http: 127.0.0.1:8080 }\nidentity: { tenant: \"cookie:t\" }\n"
                    "services: { shop: { instances: [\"127.0.0.1:9101\", { address: "
                    "\"127.0.0.1:9102\", release: a }, { address: \"127.0.0.1:9103\", release: b "
                    "}] } }\njourneys:\n");
    for (int i = 0; i < JOURNEYS; i++)
        str_print(&text,
                  "  j%d: { routes: [GET /%d], objectives: { available: { target: 99.9%% }, fast: "
                  "{ target: 95%%, under: 300ms }, faster: { target: 50%%, under: 20ms } } }\n",
                  i, i);
    err e = config_read_text("bench.yaml", str_span(&text), "/", &c, &report);
    check(!e.failed);
    config_report_free(&report);
    str_free(&text);
    registry_open(r);
    e = registry_assign(r, c);
    check(!e.failed);
    return c;
}

/* Of eight journeys, with latencies over three decades, one in 64 a failure. Made beforehand: drawing lots is no part of counting. */
static struct request {
    const struct journey *journey;
    const struct instance *instance;
    const char *tenant;
    uint32_t latency; /* ns */
    uint32_t status;
} requests[DIFFERENT];

static void make_requests(const struct config *c)
{
    struct rng r = { 1 };

    for (int i = 0; i < DIFFERENT; i++) {
        uint64_t x = rng_next(&r);
        requests[i] = (struct request){ .journey = &c->journeys[x % JOURNEYS],
                                        .instance = &c->services[0].instances[(x >> 8) % INSTANCES],
                                        .tenant = tenants[(x >> 16) % TENANTS],
                                        .latency = (uint32_t)(x >> 36),
                                        .status = (x >> 24) % 64 ? 200 : 503 };
    }
}

static double record(struct exchange *x)
{
    double begun = cpu_ns();

    for (int i = 0; i < REQUESTS; i++) {
        const struct request *r = &requests[i % DIFFERENT];
        x->journey = r->journey;
        x->status = (uint16_t)r->status;
        x->tenant = span_of(r->tenant, TENANT_BYTES);
        x->instance = r->instance;
        x->counted = false;
        exchange_count(x, x->began + (ns_t)r->latency);
    }
    return (cpu_ns() - begun) / REQUESTS;
}

int main(int argc, char **argv)
{
    static struct reactor reactor;
    static struct http_edge edge;
    static struct exchange x;
    static struct counter_page page;
    static struct tenant_reader reader;
    static struct tenant_table table;
    static double ns[ROUNDS_MAX];
    int rounds = argc > 1 ? atoi(argv[1]) : 21;
    struct registry registry;
    struct config *c = make_config(&registry);
    struct snapshot_use use = { .config = c };

    if (rounds < 1 || rounds > ROUNDS_MAX) {
        fprintf(stderr, "recording: from 1 to %d rounds\n", ROUNDS_MAX);
        return 2;
    }
    counter_page_open(&page);
    edge.reactor = &reactor;
    edge.page = &page;
    make_tenants(&reader, &table);
    make_requests(c);
    edge.tenants = &reader;
    x.edge = &edge;
    x.snapshot = &use;
    x.service = &c->services[0];
    x.routed = true;
    x.ending = ENDING_answered;
    for (int i = 0; i < rounds; i++)
        ns[i] = record(&x);
    double each = median(ns, rounds); /* they are in order from here on */
    printf("recording a request: %.1f ns (at most %d), rounds from %.1f to %.1f\n", each,
           RECORD_MOST_NS, ns[0], ns[rounds - 1]);
    counter_page_close(&page);
    registry_close(&registry);
    tenant_reader_close(&reader);
    return each > RECORD_MOST_NS;
}
