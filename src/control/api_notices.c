/* SPDX-License-Identifier: Apache-2.0 */
/* api_notices.c - GET /api/v1/events: who listens to notices. A stream of server-sent events
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html) that goes on where its client was.
 * Always: at most WATCHERS_MAX; one that does not read is cut off by the edge (local.h); each ends after WATCH_LIFE, so that a
 * session or token which is no longer good does not listen for ever. */
#include "control/api_query.h"
#include "control/api_table.h"
#include "control/control.h"

#include <stdlib.h>

enum { WATCHERS_MAX = 32 };

#define WATCH_BEAT (15 * NS_PER_S)
#define WATCH_LIFE (3600 * NS_PER_S)

struct watcher {
    struct exchange_later later;
    struct link link;
    struct control *control;
    uint32_t kinds; /* a bit each */
    ns_t beat;      /* a sign of life is due */
    ns_t ends;
};

static void forget(struct watcher *w)
{
    list_remove(&w->control->notices.watchers, &w->link);
    free(w);
}

static void left(struct exchange_later *later)
{
    forget(container_of(later, struct watcher, later));
}

/* ---- telling */

/* May end it: the client may be gone. */
static void put(struct watcher *w, struct span text)
{
    w->beat = w->control->reactor->now + WATCH_BEAT;
    exchange_stream_put(w->later.exchange, text);
}

static void end(struct watcher *w)
{
    exchange_stream_end(w->later.exchange);
    forget(w);
}

void watchers_tell(struct control *c, const struct notice *n)
{
    struct list *all = &c->notices.watchers;

    for (struct link *k = all->head.next; k != &all->head;) {
        struct watcher *w = container_of(k, struct watcher, link);
        k = k->next;
        if (w->kinds >> n->kind & 1)
            put(w, str_span(&n->text));
    }
}

void watchers_tick(struct control *c)
{
    struct list *all = &c->notices.watchers;

    for (struct link *k = all->head.next; k != &all->head;) {
        struct watcher *w = container_of(k, struct watcher, link);
        k = k->next;
        if (w->ends <= c->reactor->now)
            end(w);
        else if (w->beat <= c->reactor->now)
            put(w, SPAN(":\n\n"));
    }
}

void watchers_end(struct control *c)
{
    struct list *all = &c->notices.watchers;

    while (!list_empty(all))
        end(container_of(list_first(all), struct watcher, link));
}

/* ---- beginning */

static bool read_kinds(struct span list, uint32_t *ret)
{
    enum notice_kind kind;

    *ret = 0;
    while (list.n > 0) {
        size_t n = span_find(list, ',');
        if (!notice_kind_parse(span_of(list.p, n), &kind))
            return false;
        *ret |= UINT32_C(1) << kind;
        list = span_after(list, n + 1);
    }
    return *ret != 0;
}

/* To somebody who cannot be told everything since: from where he is told. */
static void put_missed(const struct notices *n, struct span after, enum notices_place place,
                       uint64_t from, struct str *out)
{
    json_t *what = json_pack("{s:o, s:s}", "after", notice_text(after), "why",
                             place == NOTICES_GONE ? "some since then are not kept any more"
                                                   : "that was another process of this node");
    char *dump = json_dumps(what, JSON_COMPACT);

    check(dump != NULL);
    str_literal(out, "event: missed\nid: ");
    notices_put_id(n, from - 1, out);
    str_print(out, "\ndata: %s\n\n", dump);
    free(dump);
    json_decref(what);
}

static void put_kept(struct notices *n, uint64_t from, uint32_t kinds, struct str *out)
{
    for (uint64_t i = from; i < n->next; i++) {
        const struct notice *one = &n->kept[i % NOTICES_KEPT];
        if (kinds >> one->kind & 1)
            str_put(out, str_span(&one->text));
    }
}

/* What a browser's EventSource knows is newer than the address that it was made with. */
static struct span read_after(const struct http_head *h, const struct query_row *row)
{
    struct span last = http_head_named(h, SPAN("last-event-id"));

    return last.n ? last : row->value;
}

static void begin(struct api_call *k, uint32_t kinds, const struct str *first)
{
    struct control *c = k->control;
    struct watcher *w = calloc(1, sizeof(*w));

    check(w != NULL);
    *w = (struct watcher){
        .later.gone = left, .control = c, .kinds = kinds, .ends = c->reactor->now + WATCH_LIFE
    };
    k->held = true;
    exchange_add_field(k->exchange, SPAN("X-Content-Type-Options"), SPAN("nosniff"));
    exchange_hold(k->exchange, &w->later);
    if (!exchange_stream_begin(k->exchange, 200, SPAN("text/event-stream"))) {
        free(w);
        return;
    }
    list_append(&c->notices.watchers, &w->link);
    put(w, str_span(first));
}

void api_notices(struct api_call *k)
{
    struct notices *n = &k->control->notices;
    struct query_row rows[] = { { .key = "after" }, { .key = "kinds" } };
    struct arena a = {};
    struct str first = str_growing();
    uint32_t kinds = (UINT32_C(1) << NOTICE_COUNT) - 1;
    uint64_t from = n->next;
    enum notices_place place = NOTICES_HERE;
    const char *wrong = query_read(k->head->query, rows, 2, &a);
    struct span after = read_after(k->head, &rows[0]);

    if (!wrong && rows[1].given && !read_kinds(rows[1].value, &kinds))
        wrong = "kinds is a list of: instance, change, reload, store, peer, journey, clock, node";
    if (!wrong && after.n)
        place = notices_find(n, after, &from);
    if (place == NOTICES_NO_ID)
        wrong = "after is the id of an event, or 0";
    if (wrong) {
        api_refuse(k, 400, "query_wrong", wrong);
    } else if (n->watchers.count >= WATCHERS_MAX) {
        api_refuse(k, 503, "too_many_streams", "as many clients listen as may; try again later");
    } else {
        str_literal(&first, "retry: 2000\n\n");
        if (place != NOTICES_HERE)
            put_missed(n, after, place, from, &first);
        put_kept(n, from, kinds, &first);
        begin(k, kinds, &first);
    }
    str_free(&first);
    arena_free(&a);
}
