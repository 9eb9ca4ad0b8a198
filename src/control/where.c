/* SPDX-License-Identifier: Apache-2.0 */
/* where.c - see where.h. */
#include "control/where.h"

#include "control/control.h"

#include <stdlib.h>

void *where_begin(size_t size)
{
    struct where *w = calloc(1, size);

    check(w != NULL && size >= sizeof(*w));
    w->journeys = arena_array(&w->memory, struct where_journey, WHERE_JOURNEYS_MAX);
    w->dimensions = WHERE_EVERYTHING;
    w->window = DIMENSION_WINDOW_1H;
    return w;
}

void where_free(struct where *w)
{
    if (w->close)
        w->close(w);
    for (size_t i = 0; i < w->count; i++)
        dimension_sums_free(&w->journeys[i].sums);
    peer_inquiry_free(w->inquiry);
    arena_free(&w->memory);
    free(w);
}

bool where_add(struct where *w, const struct control *c, const struct journey *j)
{
    if (!j->dimensions || w->count == WHERE_JOURNEYS_MAX)
        return false;
    w->journeys[w->count++] = (struct where_journey){ .name = arena_span(&w->memory, j->name),
                                                      .definition = j->definition,
                                                      .number = book_account(&c->book, j)->number,
                                                      .sums.memory = &w->memory };
    return true;
}

const struct where_journey *where_find(const struct where *w, const struct journey *j)
{
    for (size_t i = 0; i < w->count; i++) {
        const struct where_journey *wj = &w->journeys[i];
        if (wj->definition == j->definition && span_equal(wj->name, j->name))
            return wj;
    }
    return NULL;
}

unsigned where_nodes(const struct where *w)
{
    return 1 + (w->inquiry ? (unsigned)w->inquiry->count : 0);
}

/* ---- adding up */

bool where_wants(const struct where *w, const struct journey *j, enum dimension which)
{
    return (w->dimensions >> which & 1) &&
           (which != DIMENSION_TENANT || w->tenants || j->dimensions->tenants != 0);
}

static void add_dimension(struct where_journey *wj, const struct where *w, const struct control *c,
                          const struct journey *j, enum dimension which)
{
    struct dimension_row rows[DIMENSION_ENTRIES];
    unsigned count = dimensions_read(&c->registry.dimensions, &c->book, j, which, w->window,
                                     c->reactor->now, rows);

    for (unsigned i = 0; i < count; i++) {
        char buffer[TENANT_LABEL];
        if (rows[i].tenant)
            rows[i].text = tenant_label(control_config(c), c->parts.hash_key, &rows[i], buffer);
        dimension_sums_add(&wj->sums, which, &rows[i]);
    }
}

static void add_own(struct where_journey *wj, const struct where *w, const struct control *c)
{
    const struct journey *j = api_find_journey(c, wj->name);
    uint32_t wanted = 0;

    wj->changed = !j || j->definition != wj->definition;
    if (wj->changed)
        return;
    ns_t reach = dimensions_reach(&c->registry.dimensions, j, w->window, c->reactor->now);
    wj->from = reach < 0 ? dimensions_opened(&c->registry.dimensions, j)
                         : (c->parts.wall() - reach) / NS_PER_S;
    for (unsigned d = 0; d < DIMENSION_COUNT; d++) {
        if (!where_wants(w, j, (enum dimension)d))
            continue;
        add_dimension(wj, w, c, j, (enum dimension)d);
        wanted |= UINT32_C(1) << d;
    }
    dimension_memory_add(&c->earlier, &c->registry.dimensions, j, wanted, w->window,
                         c->parts.wall() / NS_PER_S, &wj->sums, &wj->from);
}

/* NULL: it is added. */
static const char *add_report(struct where_journey *wj, const struct where *w,
                              const struct peer_report *r)
{
    const struct report_journey *j = peer_report_journey(r, wj->name);

    if (!j)
        return "it has no such journey";
    if (j->definition != wj->definition || j->window_s != dimension_window_s(w->window))
        return "the journey is another there";
    if (j->from < wj->from)
        wj->from = j->from;
    for (size_t v = 0; v < j->value_count; v++)
        dimension_sums_add(&wj->sums, j->values[v].dimension, &j->values[v].row);
    return NULL;
}

static void add_nodes(struct where_journey *wj, struct where *w)
{
    size_t count = w->inquiry ? w->inquiry->count : 0;

    wj->missing = arena_array(&w->memory, struct where_missing, count);
    for (size_t i = 0; i < count; i++) {
        const struct peer_part *p = &w->inquiry->parts[i];
        const char *why = p->failed.failed ? p->failed.text : add_report(wj, w, p->report);
        if (why)
            wj->missing[wj->missing_count++] = (struct where_missing){ p->peer, why };
    }
}

static unsigned write_answer(struct where *w, struct control *c, struct str *out)
{
    for (size_t i = 0; i < w->count; i++) {
        struct where_journey *wj = &w->journeys[i];
        add_own(wj, w, c);
        if (wj->changed)
            continue;
        add_nodes(wj, w);
        dimension_sums_sort(&wj->sums);
    }
    return w->write(w, c, out);
}

/* ---- asking */

static void nodes_answered(void *owner, struct control *c)
{
    struct where *w = owner;
    struct str out = str_growing();

    if (w->later.exchange) { /* else the client left */
        unsigned status = write_answer(w, c, &out);
        exchange_answer(w->later.exchange, status, w->type, out.p, out.n);
    }
    where_free(w);
}

/* What /api/v1/dimensions reads. */
static struct span path_of(const struct where *w, struct arena *a)
{
    struct str path = str_growing();

    str_print(&path,
              "/api/v1/dimensions?node=this&window=%s&journeys=", dimension_window_word(w->window));
    for (size_t i = 0; i < w->count; i++)
        str_print(&path, "%s%.*s", i ? "," : "", SPAN_ARG(w->journeys[i].name));
    for (unsigned d = 0, n = 0; w->dimensions != WHERE_EVERYTHING && d < DIMENSION_COUNT; d++) {
        if (w->dimensions >> d & 1)
            str_print(&path, "%s%s", n++ ? "," : "&dimension=", dimension_word((enum dimension)d));
    }
    struct span copy = arena_span(a, str_span(&path));
    str_free(&path);
    return copy;
}

static bool ask_nodes(struct where *w, struct control *c)
{
    if (w->alone || w->count == 0 || peers_nodes(c) == 1)
        return false;
    w->inquiry = peer_inquiry_new(c, NULL);
    w->inquiry->path = path_of(w, &w->inquiry->arena);
    w->inquiry->read = peer_report_dimensions;
    w->inquiry->done = nodes_answered;
    w->inquiry->owner = w;
    return peer_inquiry_ask(c, w->inquiry);
}

bool where_answer(struct where *w, struct api_call *k)
{
    w->type = k->type;
    if (!ask_nodes(w, k->control)) {
        k->status = write_answer(w, k->control, &k->out);
        where_free(w);
        return true;
    }
    api_protect(k);
    exchange_hold(k->exchange, &w->later);
    k->held = true;
    return false;
}
