/* SPDX-License-Identifier: Apache-2.0 */
/* peer_counts.c - from JSON to counts, and windows of counts that are not quite fresh. */
#include "control/peer_counts.h"

#include "base/check.h"
#include "core/wide.h"

#include <jansson.h>
#include <stdlib.h>

#define WINDOW_MOST_S (INT64_C(366) * 86400)

/* ---- values. False: it is none */

static bool read_count(const json_t *v, int64_t most, uint64_t *ret)
{
    json_int_t n = json_is_integer(v) ? json_integer_value(v) : -1;

    if (n < 0 || n > most)
        return false;
    *ret = (uint64_t)n;
    return true;
}

static bool read_seconds(const json_t *v, int64_t most, int64_t *ret)
{
    uint64_t n;

    if (!read_count(v, most, &n))
        return false;
    *ret = (int64_t)n;
    return true;
}

static bool read_text(struct arena *a, const json_t *v, size_t most, struct span *ret)
{
    size_t n = json_string_length(v);

    if (!json_is_string(v) || n == 0 || n > most)
        return false;
    *ret = arena_span(a, span_of(json_string_value(v), n));
    for (size_t i = 0; i < n; i++) {
        if (ret->p[i] <= ' ' || ret->p[i] > '~') /* a name, not a page */
            return false;
    }
    return true;
}

/* 16 digits: numbers of JSON hold less than 64 bits for most programs. */
static bool read_hash(const json_t *v, uint64_t *ret)
{
    const char *s = json_string_value(v);

    *ret = 0;
    if (json_string_length(v) != 16)
        return false;
    for (size_t i = 0; i < 16; i++) {
        int digit = s[i] >= 'A' && s[i] <= 'F' ? -1 : ascii_hex(s[i]);
        if (digit < 0)
            return false;
        *ret = *ret << 4 | (unsigned)digit;
    }
    return true;
}

static bool read_counts(const json_t *list, unsigned series, uint64_t ret[SERIES_MAX])
{
    if (json_array_size(list) != series)
        return false;
    for (unsigned i = 0; i < series; i++) {
        if (!read_count(json_array_get(list, i), PEER_COUNT_MAX, &ret[i]))
            return false;
    }
    return true;
}

/* ---- a journey */

static err read_windows(struct arena *a, const json_t *list, struct peer_journey *j)
{
    int64_t before = 0;

    if (!json_is_array(list) || json_array_size(list) > PEER_WINDOWS_MAX)
        return err_make("windows are missing, or too many");
    j->windows = arena_array(a, struct peer_window, json_array_size(list));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *o = json_array_get(list, i);
        struct peer_window *w = &j->windows[j->window_count++];
        if (!read_seconds(json_object_get(o, "seconds"), WINDOW_MOST_S, &w->seconds) ||
            w->seconds <= before)
            return err_make("the seconds of windows must grow");
        if (!read_count(json_object_get(o, "measured_ms"), PEER_COUNT_MAX,
                        &w->counted.measured_ms) ||
            !read_counts(json_object_get(o, "counts"), j->series, w->counted.counts))
            return err_make("the window of %ld s has wrong numbers", (long)w->seconds);
        before = w->seconds;
    }
    return OK;
}

static err read_bins(struct arena *a, const json_t *list, struct peer_journey *j)
{
    size_t count = json_array_size(list);
    uint64_t before = 0;

    if (!json_is_array(list) || count > HISTOGRAM_BINS)
        return err_make("latency_bins are missing, or too many");
    j->bins = arena_array(a, uint32_t, count);
    j->bin_counts = arena_array(a, uint64_t, count);
    for (size_t i = 0; i < count; i++) {
        const json_t *pair = json_array_get(list, i);
        uint64_t bin;
        if (json_array_size(pair) != 2 ||
            !read_count(json_array_get(pair, 0), HISTOGRAM_BINS - 1, &bin) ||
            !read_count(json_array_get(pair, 1), PEER_COUNT_MAX, &j->bin_counts[i]) ||
            (i > 0 && bin <= before))
            return err_make("latency_bins are pairs of a bin and a count, in growing order");
        j->bins[j->bin_count++] = (uint32_t)bin;
        before = bin;
    }
    return OK;
}

static err read_journey(struct arena *a, const json_t *o, struct peer_journey *j)
{
    const json_t *counts = json_object_get(o, "counts");
    size_t n = json_array_size(counts);

    if (!read_text(a, json_object_get(o, "name"), 64, &j->name))
        return err_make("a journey without a name");
    if (!read_hash(json_object_get(o, "definition"), &j->definition))
        return err_make("journey %s: its definition is no hash", j->name.p);
    if (n < SERIES_OBJECTIVES || n > SERIES_MAX || (n - SERIES_OBJECTIVES) % 2)
        return err_make("journey %s: %zu counts", j->name.p, n);
    j->series = (unsigned)n;
    if (!read_counts(counts, j->series, j->totals))
        return err_make("journey %s: its counts are no whole numbers", j->name.p);
    err e = read_windows(a, json_object_get(o, "windows"), j);
    if (!e.failed)
        e = read_bins(a, json_object_get(o, "latency_bins"), j);
    return e.failed ? err_make("journey %s: %s", j->name.p, e.text) : OK;
}

/* ---- all of it */

static err read_all(const json_t *root, struct peer_counts *p)
{
    const json_t *list = json_object_get(root, "journeys");
    uint64_t format = 0;

    if (!json_is_object(root) || !read_count(json_object_get(root, "format"), INT32_MAX, &format))
        return err_make("these are no counters of a node");
    if (format != PEER_FORMAT)
        return err_make("format %d of counters, this version reads %d", (int)format, PEER_FORMAT);
    if (!read_text(&p->arena, json_object_get(root, "node"), PEER_NODE_MAX, &p->node))
        return err_make("the node does not say its name");
    if (!read_seconds(json_object_get(root, "at"), PEER_COUNT_MAX, &p->at) ||
        !read_seconds(json_object_get(root, "started_at"), PEER_COUNT_MAX, &p->started_at))
        return err_make("the node does not say since when and when");
    if (!json_is_array(list) || json_array_size(list) > JOURNEYS_MAX)
        return err_make("journeys are missing, or too many");
    p->journeys = arena_array(&p->arena, struct peer_journey, json_array_size(list));
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct peer_journey *j = &p->journeys[i];
        *j = (struct peer_journey){};
        TRY(read_journey(&p->arena, json_array_get(list, i), j));
        if (peer_counts_find(p, j->name))
            return err_make("journey %s is told twice", j->name.p);
        p->journey_count++;
    }
    return OK;
}

err peer_counts_parse(struct span body, struct peer_counts **ret)
{
    json_error_t wrong;
    json_t *root = body.n ? json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, &wrong) : NULL;

    if (!root)
        return err_make("the answer is not JSON");
    struct peer_counts *p = calloc(1, sizeof(*p));
    check(p != NULL);
    err e = read_all(root, p);
    json_decref(root);
    if (e.failed)
        peer_counts_free(p);
    else
        *ret = p;
    return e;
}

void peer_counts_free(struct peer_counts *p)
{
    if (p)
        arena_free(&p->arena);
    free(p);
}

const struct peer_journey *peer_counts_find(const struct peer_counts *p, struct span name)
{
    for (size_t i = 0; i < p->journey_count; i++) {
        if (span_equal(p->journeys[i].name, name))
            return &p->journeys[i];
    }
    return NULL;
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
