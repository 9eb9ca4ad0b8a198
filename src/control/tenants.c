/* SPDX-License-Identifier: Apache-2.0 */
/* tenants.c - rings into counters, counters into tables. */
#include "control/tenants.h"

#include "base/check.h"
#include "proto/traceparent.h"

#include <stdlib.h>

void tenants_open(struct tenants *t, size_t workers, uint64_t key)
{
    check(workers <= WORKERS_MAX);
    t->reader_count = workers;
    t->readers = aligned_alloc(alignof(struct tenant_reader), workers * sizeof(t->readers[0]));
    check(t->readers != NULL);
    for (size_t i = 0; i < workers; i++)
        tenant_reader_open(&t->readers[i], &t->newest, key);
    t->seen = calloc(1, sizeof(*t->seen));
    check(t->seen != NULL);
}

void tenants_close(struct tenants *t)
{
    for (size_t i = 0; i < t->reader_count; i++)
        tenant_reader_close(&t->readers[i]);
    for (size_t i = 0; i < t->held_count; i++)
        free(t->held[i]);
    free(t->readers);
    free(t->seen);
    t->seen = NULL;
}

/* ---- whom the reactors see */

/* At most a ring full: its writer may be as fast as we are. */
static void drain(struct tenants *t, struct tenant_ring *r)
{
    const struct heavy_text *e;

    for (int i = 0; i < TENANT_RING_ENTRIES && (e = tenant_ring_peek(r)) != NULL; i++) {
        heavy_add(t->seen, e);
        tenant_ring_taken(r);
    }
}

/* ---- tables */

/* Every reactor works by this one or a later one. */
static uint64_t oldest_in_use(const struct tenants *t)
{
    uint64_t oldest = t->generation;

    for (size_t i = 0; i < t->reader_count; i++) {
        uint64_t g = tenant_reader_generation(&t->readers[i]);
        if (g < oldest)
            oldest = g;
    }
    return oldest;
}

static void free_tables(struct tenants *t)
{
    uint64_t oldest = oldest_in_use(t);
    size_t freed = 0;

    while (freed + 1 < t->held_count && t->held[freed]->generation < oldest)
        free(t->held[freed++]);
    t->held_count -= freed;
    memmove(t->held, t->held + freed, t->held_count * sizeof(t->held[0]));
}

static void publish(struct tenants *t)
{
    struct tenant_table *table = calloc(1, sizeof(*table));

    check(table != NULL && t->held_count < TENANT_TABLES_MAX);
    table->generation = ++t->generation;
    for (unsigned id = 0; id < DIMENSION_VALUES; id++) {
        if (t->list[id].state == TENANT_HERE)
            tenant_table_put(table, id, t->list[id].text.hash);
    }
    t->held[t->held_count++] = table;
    atomic_store_explicit(&t->newest, table, memory_order_release);
}

/* ---- who gets a value, and who loses his */

static uint32_t sure_of(const struct heavy_entry *e)
{
    return e->count - e->error;
}

static int by_weight(const void *a, const void *b)
{
    uint32_t x = sure_of(*(const struct heavy_entry *const *)a);
    uint32_t y = sure_of(*(const struct heavy_entry *const *)b);
    return x < y ? 1 : x > y ? -1 : 0;
}

static bool has_value(const struct tenants *t, const struct heavy_text *text)
{
    for (unsigned id = 0; id < DIMENSION_VALUES; id++) {
        if (t->list[id].state != TENANT_FREE && heavy_text_equal(&t->list[id].text, text))
            return true;
    }
    return false;
}

/* Those without a value, heaviest first. */
static unsigned newcomers(const struct tenants *t, const struct heavy_entry *ret[HEAVY_ENTRIES])
{
    unsigned n = 0;

    for (uint32_t i = 0; i < t->seen->count; i++) {
        const struct heavy_entry *e = &t->seen->list[i];
        if (sure_of(e) > 0 && !has_value(t, &e->text))
            ret[n++] = e;
    }
    qsort(ret, n, sizeof(ret[0]), by_weight);
    return n;
}

static int find_state(const struct tenants *t, enum tenant_state state)
{
    for (unsigned id = 0; id < DIMENSION_VALUES; id++) {
        if (t->list[id].state == state)
            return (int)id;
    }
    return -1;
}

static uint32_t weight_of(const struct tenants *t, unsigned id)
{
    const struct heavy_entry *e = heavy_find(t->seen, &t->list[id].text);

    return e ? e->count : 0;
}

static int lightest(const struct tenants *t)
{
    int found = -1;

    for (unsigned id = 0; id < DIMENSION_VALUES; id++) {
        if (t->list[id].state == TENANT_HERE &&
            (found < 0 || weight_of(t, id) < weight_of(t, (unsigned)found)))
            found = (int)id;
    }
    return found;
}

static void enter(struct tenants *t, struct dimensions *d, unsigned id, const struct heavy_entry *e,
                  int64_t unix_now)
{
    t->list[id] = (struct tenant){ .state = TENANT_HERE, .text = e->text };
    dimensions_name_tenant(d, id, &t->list[id].text, unix_now);
}

/* His counts are whole as soon as every reactor works by a table without him. */
static void forget_left(struct tenants *t, struct dimensions *d, const struct book *b)
{
    uint64_t oldest = oldest_in_use(t);

    for (unsigned id = 0; id < DIMENSION_VALUES; id++) {
        if (t->list[id].state != TENANT_LEAVING || t->list[id].left > oldest)
            continue;
        dimensions_retire_tenant(d, b, id);
        t->list[id] = (struct tenant){};
    }
}

/* True when a table has to tell of it. */
static bool choose(struct tenants *t, struct dimensions *d, int64_t unix_now)
{
    const struct heavy_entry *list[HEAVY_ENTRIES];
    unsigned count = newcomers(t, list);
    unsigned i = 0;
    unsigned leaving = 0;
    bool changed = false;

    for (int id; i < count && (id = find_state(t, TENANT_FREE)) >= 0; i++) {
        enter(t, d, (unsigned)id, list[i], unix_now);
        changed = true;
    }
    for (unsigned id = 0; id < DIMENSION_VALUES; id++)
        leaving += t->list[id].state == TENANT_LEAVING;
    /* the values of those that are leaving are for the next ones */
    for (i += leaving; i < count && leaving < TENANTS_LEAVE_AT_ONCE; i++, leaving++) {
        int id = lightest(t);
        if (id < 0 || sure_of(list[i]) < 2 * weight_of(t, (unsigned)id) + TENANT_CLEARLY)
            break;
        t->list[id].state = TENANT_LEAVING;
        t->list[id].left = t->generation + 1;
        changed = true;
    }
    return changed;
}

bool tenants_tick(struct tenants *t, struct dimensions *d, const struct book *b, ns_t now,
                  int64_t unix_now)
{
    for (size_t i = 0; i < t->reader_count; i++)
        drain(t, &t->readers[i].ring);
    if (now - t->halved >= TENANTS_HALVE_EVERY) {
        heavy_halve(t->seen);
        t->halved = now;
    }
    free_tables(t);
    forget_left(t, d, b);
    if (t->held_count == TENANT_TABLES_MAX || !choose(t, d, unix_now))
        return false;
    publish(t);
    return true;
}

/* ---- telling */

static bool may_name(const struct config *c)
{
    const struct identity *from = &c->tenant;
    bool authorization =
        from->kind == IDENTITY_HEADER && span_equal_nocase(from->name, SPAN("authorization"));

    return !(c->redact >> REDACT_tenant & 1) &&
           !(from->kind == IDENTITY_COOKIE && c->redact >> REDACT_cookie & 1) &&
           !(authorization && c->redact >> REDACT_authorization & 1);
}

/* Nothing that JSON or a terminal would stumble over. */
static bool is_plain(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < ' ' || s.p[i] > '~')
            return false;
    }
    return true;
}

struct span tenant_label(const struct config *c, uint64_t key, const struct dimension_row *r,
                         char buffer[TENANT_LABEL])
{
    uint64_t hash = r->tenant->n > HEAVY_TEXT ? r->tenant->hash : tenant_hash(key, r->text);

    if (r->tenant->n <= HEAVY_TEXT && may_name(c) && is_plain(r->text)) {
        memcpy(buffer, r->text.p, r->text.n);
        return span_of(buffer, r->text.n);
    }
    buffer[0] = 'h';
    buffer[1] = ':';
    hex_write(hash, 16, buffer + 2);
    return span_of(buffer, 18);
}
