/* SPDX-License-Identifier: Apache-2.0 */
/* peer_counts.c - from JSON to counts, and windows of counts that are not quite fresh. */
#include "control/peer_counts.h"

#include "base/check.h"
#include "control/peer_values.h"
#include "core/wide.h"

#include <stdlib.h>

#define WINDOW_MOST_S (INT64_C(366) * 86400)

/* ---- a journey */

static bool read_counts(const json_t *list, unsigned count, uint64_t *ret)
{
    if (json_array_size(list) != count)
        return false;
    for (unsigned i = 0; i < count; i++) {
        if (!peer_read_count(json_array_get(list, i), PEER_COUNT_MAX, &ret[i]))
            return false;
    }
    return true;
}

static err read_windows(struct arena *a, const json_t *list, struct peer_journey *j)
{
    int64_t before = 0;

    if (!json_is_array(list) || json_array_size(list) > PEER_WINDOWS_MAX)
        return err_make("windows are missing, or too many");
    j->windows = arena_array(a, struct peer_window, json_array_size(list));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *o = json_array_get(list, i);
        struct peer_window *w = &j->windows[j->window_count++];
        if (!peer_read_seconds(json_object_get(o, "seconds"), WINDOW_MOST_S, &w->seconds) ||
            w->seconds <= before)
            return err_make("the seconds of windows must grow");
        if (!peer_read_count(json_object_get(o, "measured_ms"), PEER_COUNT_MAX,
                             &w->counted.measured_ms) ||
            !read_counts(json_object_get(o, "counts"), j->series, w->counted.counts))
            return err_make("the window of %ld s has wrong numbers", (long)w->seconds);
        before = w->seconds;
    }
    return OK;
}

static err read_journey(struct arena *a, const json_t *o, struct peer_journey *j)
{
    const json_t *counts = json_object_get(o, "counts");
    size_t n = json_array_size(counts);

    if (!peer_read_text(a, json_object_get(o, "name"), PEER_NAME_MAX, &j->name))
        return err_make("a journey without a name");
    if (!peer_read_hash(json_object_get(o, "definition"), &j->definition))
        return err_make("journey %s: its definition is no hash", j->name.p);
    if (n < SERIES_OBJECTIVES || n > SERIES_STEPS || (n - SERIES_OBJECTIVES) % 2)
        return err_make("journey %s: %zu counts", j->name.p, n);
    j->series = (unsigned)n;
    if (!read_counts(counts, j->series, j->totals))
        return err_make("journey %s: its counts are no whole numbers", j->name.p);
    const json_t *steps = json_object_get(o, "steps");
    if (steps && (!read_counts(json_object_get(steps, "counts"), SERIES_MAX - SERIES_STEPS,
                               &j->totals[SERIES_STEPS]) ||
                  !read_counts(json_object_get(steps, "standing"), STEPS_MAX, j->standing)))
        return err_make("journey %s: its steps are no whole numbers", j->name.p);
    err e = read_windows(a, json_object_get(o, "windows"), j);
    if (!e.failed && !peer_read_bins(a, json_object_get(o, "latency_bins"), &j->latency))
        e = err_make("latency_bins are pairs of a bin and a count, in growing order");
    return e.failed ? err_make("journey %s: %s", j->name.p, e.text) : OK;
}

/* ---- how its instances are: since a later version, so it may be missing */

static err read_instances(struct arena *a, const json_t *list, struct peer_service *s)
{
    size_t n = json_array_size(list);

    if (!json_is_array(list) || n > INSTANCES_MAX)
        return err_make("service %s: instances are missing, or too many", s->name.p);
    s->instances = arena_array(a, struct peer_instance, n);
    for (size_t i = 0; i < n; i++) {
        const json_t *pair = json_array_get(list, i);
        struct peer_instance *in = &s->instances[s->instance_count++];
        if (json_array_size(pair) != 2 ||
            !peer_read_text(a, json_array_get(pair, 0), PEER_ADDRESS_MAX, &in->address) ||
            !peer_read_text(a, json_array_get(pair, 1), PEER_STATE_MAX, &in->state))
            return err_make("service %s: instances are pairs of an address and a state", s->name.p);
    }
    return OK;
}

static err read_services(struct arena *a, const json_t *list, struct peer_counts *p)
{
    size_t n = json_array_size(list);

    if (!list)
        return OK;
    if (!json_is_array(list) || n > SERVICES_MAX)
        return err_make("services are no list, or too many");
    p->services = arena_array(a, struct peer_service, n);
    for (size_t i = 0; i < n; i++) {
        const json_t *o = json_array_get(list, i);
        struct peer_service *s = &p->services[p->service_count++];
        if (!peer_read_text(a, json_object_get(o, "name"), PEER_NAME_MAX, &s->name))
            return err_make("a service without a name");
        TRY(read_instances(a, json_object_get(o, "instances"), s));
    }
    return OK;
}

/* ---- all of it */

static err read_all(const json_t *root, struct peer_counts *p)
{
    const json_t *list = json_object_get(root, "journeys");
    uint64_t format = 0;

    if (!json_is_object(root) ||
        !peer_read_count(json_object_get(root, "format"), INT32_MAX, &format))
        return err_make("these are no counters of a node");
    if (format != PEER_FORMAT)
        return err_make("format %d of counters, this version reads %d", (int)format, PEER_FORMAT);
    if (!peer_read_text(&p->arena, json_object_get(root, "node"), PEER_NODE_MAX, &p->node))
        return err_make("the node does not say its name");
    if (!peer_read_seconds(json_object_get(root, "at"), PEER_COUNT_MAX, &p->at) ||
        !peer_read_seconds(json_object_get(root, "started_at"), PEER_COUNT_MAX, &p->started_at))
        return err_make("the node does not say since when and when");
    if (!json_is_array(list) || json_array_size(list) > JOURNEYS_MAX)
        return err_make("journeys are missing, or too many");
    p->journeys = arena_array(&p->arena, struct peer_journey, json_array_size(list));
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct peer_journey *j = &p->journeys[i];
        *j = (struct peer_journey){};
        TRY(read_journey(&p->arena, json_array_get(list, i), j));
        if (map_get(&p->by_name, j->name))
            return err_make("journey %s is told twice", j->name.p);
        map_put(&p->by_name, j->name, j);
        p->journey_count++;
    }
    return read_services(&p->arena, json_object_get(root, "services"), p);
}

err peer_counts_parse(struct span body, struct peer_counts **ret)
{
    json_t *root;

    TRY(peer_read_json(body, &root));
    struct peer_counts *p = calloc(1, sizeof(*p));
    check(p != NULL);
    p->owners = 1;
    err e = read_all(root, p);
    json_decref(root);
    if (e.failed)
        peer_counts_free(p);
    else
        *ret = p;
    return e;
}

struct peer_counts *peer_counts_share(struct peer_counts *p)
{
    atomic_fetch_add_explicit(&p->owners, 1, memory_order_relaxed);
    return p;
}

void peer_counts_free(struct peer_counts *p)
{
    if (!p || atomic_fetch_sub_explicit(&p->owners, 1, memory_order_acq_rel) != 1)
        return;
    map_free(&p->by_name);
    arena_free(&p->arena);
    free(p);
}

const struct peer_journey *peer_counts_find(const struct peer_counts *p, struct span name)
{
    return map_get(&p->by_name, name);
}

struct span peer_counts_state(const struct peer_counts *p, struct span service, struct span address)
{
    for (size_t s = 0; s < p->service_count; s++) {
        const struct peer_service *of = &p->services[s];
        if (!span_equal(of->name, service))
            continue;
        for (size_t i = 0; i < of->instance_count; i++) {
            if (span_equal(of->instances[i].address, address))
                return of->instances[i].state;
        }
    }
    return SPAN("");
}

/* ---- writing it again */

/* Printable bytes, as they were read; two of them mean something else in JSON (RFC 8259 section 7). */
void peer_counts_put_text(struct str *out, struct span text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"' || text.p[i] == '\\')
            str_char(out, '\\');
        str_char(out, text.p[i]);
    }
}

void peer_counts_put_list(const char *key, const uint64_t *list, unsigned n, struct str *out)
{
    str_print(out, "\"%s\":[", key);
    for (unsigned i = 0; i < n; i++) {
        if (i)
            str_char(out, ',');
        str_u64(out, list[i]);
    }
    str_char(out, ']');
}

void peer_counts_put_window(int64_t seconds, const struct window_counts *w, unsigned series,
                            struct str *out)
{
    str_print(out, "{\"seconds\":%ld,\"measured_ms\":%lu,", (long)seconds,
              (unsigned long)w->measured_ms);
    peer_counts_put_list("counts", w->counts, series, out);
    str_char(out, '}');
}

void peer_counts_put_funnel(const uint64_t *totals, const uint64_t *standing, struct str *out)
{
    str_literal(out, ",\"steps\":{");
    peer_counts_put_list("counts", totals + SERIES_STEPS, SERIES_MAX - SERIES_STEPS, out);
    str_char(out, ',');
    peer_counts_put_list("standing", standing, STEPS_MAX, out);
    str_char(out, '}');
}

/* Nobody stands anywhere by the time that it is read again. */
static void put_funnel(const struct peer_journey *j, struct str *out)
{
    static const uint64_t nobody[STEPS_MAX];
    uint64_t any = 0;

    for (unsigned i = SERIES_STEPS; i < SERIES_MAX; i++)
        any |= j->totals[i];
    if (any)
        peer_counts_put_funnel(j->totals, nobody, out);
}

static void put_journey(const struct peer_journey *j, struct str *out)
{
    str_literal(out, "{\"name\":\"");
    peer_counts_put_text(out, j->name);
    str_print(out, "\",\"definition\":\"%016lx\",", (unsigned long)j->definition);
    peer_counts_put_list("counts", j->totals, j->series, out);
    str_literal(out, ",\"windows\":[");
    for (size_t i = 0; i < j->window_count; i++) {
        if (i)
            str_char(out, ',');
        peer_counts_put_window(j->windows[i].seconds, &j->windows[i].counted, j->series, out);
    }
    str_literal(out, "],\"latency_bins\":[]");
    put_funnel(j, out);
    str_char(out, '}');
}

void peer_counts_print(const struct peer_counts *p, struct str *out)
{
    str_print(out, "{\"format\":%d,\"node\":\"", PEER_FORMAT);
    peer_counts_put_text(out, p->node);
    str_print(out, "\",\"started_at\":%ld,\"at\":%ld,\"journeys\":[", (long)p->started_at,
              (long)p->at);
    for (size_t i = 0; i < p->journey_count; i++) {
        if (i)
            str_char(out, ',');
        put_journey(&p->journeys[i], out);
    }
    str_literal(out, "]}");
}

/* ---- windows */

/* With the share `part` / `whole` of what b has more than a, to the nearest. */
static uint64_t between(uint64_t a, uint64_t b, int64_t part, int64_t whole)
{
    u128 more = b > a ? b - a : 0;

    check(whole > 0); /* windows grow */
    return a + (uint64_t)((more * (uint64_t)part + (uint64_t)whole / 2) / (uint64_t)whole);
}

/* The last `seconds` before the answer. */
static void before_answer(const struct peer_journey *j, int64_t seconds, struct window_counts *ret)
{
    static const struct peer_window nothing = {};
    const struct peer_window *low = &nothing;
    const struct peer_window *high = NULL;

    for (size_t i = 0; i < j->window_count && !high; i++) {
        if (j->windows[i].seconds <= seconds)
            low = &j->windows[i];
        else
            high = &j->windows[i];
    }
    *ret = low->counted;
    if (!high)
        return;
    int64_t part = seconds - low->seconds;
    int64_t whole = high->seconds - low->seconds;
    for (unsigned i = 0; i < j->series; i++)
        ret->counts[i] = between(low->counted.counts[i], high->counted.counts[i], part, whole);
    ret->measured_ms = between(low->counted.measured_ms, high->counted.measured_ms, part, whole);
}

bool peer_journey_window(const struct peer_journey *j, int64_t seconds, int64_t age_s,
                         struct window_counts *ret)
{
    bool known = false;

    *ret = (struct window_counts){};
    for (size_t i = 0; i < j->window_count; i++)
        known |= j->windows[i].seconds == seconds;
    if (known && seconds > age_s)
        before_answer(j, seconds - age_s, ret);
    return known;
}

double window_rate(const struct window_counts *w)
{
    uint64_t n = 0;

    for (unsigned i = SERIES_GOOD; i <= SERIES_EXCLUDED; i++)
        n += w->counts[i];
    return w->measured_ms ? (double)n * 1000 / (double)w->measured_ms : 0;
}
