/* SPDX-License-Identifier: Apache-2.0 */
/* peer_memory.c - see peer_memory.h. The scribe's thread makes the text, for a thousand journeys come to a MiB. */
#include "control/peer_memory.h"

#include "base/log.h"
#include "control/control.h"
#include "store/kept_peers.h"

#include <stdlib.h>

/* ---- at boot */

err peer_memory_load(struct store *s, struct peer_memory **ret_list, size_t *ret_count)
{
    struct arena arena = {};
    struct kept_peer *rows;
    size_t count;
    size_t n = 0;
    err e = kept_peers_load(s, &arena, &rows, &count);

    if (e.failed) {
        arena_free(&arena);
        return e;
    }
    struct peer_memory *list = calloc(count + 1, sizeof(list[0]));
    check(list != NULL);
    for (size_t i = 0; i < count; i++) {
        struct peer_memory *m = &list[n];
        err wrong = peer_counts_parse(rows[i].said, &m->counts);
        if (wrong.failed) {
            log_warn("what peer %s said last is not understood any more: %s", rows[i].url.p,
                     wrong.text);
            continue;
        }
        m->url = strdup(rows[i].url.p);
        check(m->url != NULL);
        m->heard_at = rows[i].at;
        n++;
    }
    arena_free(&arena);
    *ret_list = list;
    *ret_count = n;
    return OK;
}

void peer_memory_recall(struct control *c, struct peer *p)
{
    ns_t now = c->reactor->now;

    for (size_t i = 0; i < c->peers.memory_count; i++) {
        struct peer_memory *m = &c->peers.memories[i];
        if (!m->counts || !span_equal(span_from_text(m->url), p->target.url))
            continue;
        ns_t age = c->parts.wall() - m->heard_at * NS_PER_S;
        p->counts = m->counts;
        m->counts = NULL;
        p->heard_at = m->heard_at;
        p->heard = now - (age > PEER_SILENT_AFTER ? age : PEER_SILENT_AFTER + 1);
    }
}

void peer_memory_forget(struct control *c)
{
    for (size_t i = 0; i < c->peers.memory_count; i++) {
        peer_counts_free(c->peers.memories[i].counts);
        free(c->peers.memories[i].url);
    }
    free(c->peers.memories);
    c->peers.memories = NULL;
    c->peers.memory_count = 0;
}

/* ---- writing it down */

struct heard {
    uint32_t id;
    uint64_t answers;
    struct peer_counts *counts; /* shared */
};

struct keep_task {
    struct scribe_task task;
    struct arena arena;
    struct span *urls; /* of all: others are forgotten */
    size_t url_count;
    struct kept_peer *rows;
    struct heard *heard; /* of each row */
    size_t count;
    err result;
};

/* One at a time: a text is large, and not needed longer. */
static void run(struct scribe_task *t, struct store *s)
{
    struct keep_task *k = container_of(t, struct keep_task, task);

    k->result = kept_peers_forget(s, k->urls, k->url_count);
    for (size_t i = 0; i < k->count && !k->result.failed; i++) {
        struct str text = str_growing();
        peer_counts_print(k->heard[i].counts, &text);
        k->rows[i].said = str_span(&text);
        k->result = kept_peers_put(s, &k->rows[i]);
        str_free(&text);
    }
}

static void free_task(struct keep_task *k)
{
    for (size_t i = 0; i < k->count; i++)
        peer_counts_free(k->heard[i].counts);
    arena_free(&k->arena);
    free(k);
}

static void done(struct scribe_task *t, void *control)
{
    struct control *c = control;
    struct keep_task *k = container_of(t, struct keep_task, task);

    c->peers.keeping = false; /* the book tells of a store in trouble */
    for (size_t i = 0; i < k->count && !k->result.failed; i++) {
        for (size_t n = 0; n < c->peers.count; n++) {
            if (c->peers.list[n].id == k->heard[i].id)
                c->peers.list[n].kept = k->heard[i].answers;
        }
    }
    free_task(k);
}

static struct keep_task *keep_task_new(struct control *c)
{
    struct peers *all = &c->peers;
    struct keep_task *k = calloc(1, sizeof(*k));

    check(k != NULL);
    k->task = (struct scribe_task){ .run = run, .done = done };
    k->urls = arena_array(&k->arena, struct span, all->count);
    k->rows = arena_array(&k->arena, struct kept_peer, all->count);
    k->heard = arena_array(&k->arena, struct heard, all->count);
    for (size_t i = 0; i < all->count; i++) {
        const struct peer *p = &all->list[i];
        struct span url = arena_span(&k->arena, p->target.url);
        k->urls[k->url_count++] = url;
        if (!p->counts || p->answers == p->kept)
            continue;
        k->rows[k->count] = (struct kept_peer){ .url = url, .at = p->heard_at };
        k->heard[k->count++] = (struct heard){ p->id, p->answers, peer_counts_share(p->counts) };
    }
    return k;
}

void peer_memory_keep(struct control *c)
{
    if (c->peers.keeping || !c->parts.scribe || (c->peers.count == 0 && !c->peers.kept_any))
        return;
    struct keep_task *k = keep_task_new(c);
    c->peers.kept_any = c->peers.count > 0; /* when the last is taken out, it is forgotten too */
    c->peers.kept_when = c->reactor->now;
    c->peers.keeping = control_give_task(c, &k->task);
    c->peers.keep_now &= !c->peers.keeping;
    if (!c->peers.keeping)
        free_task(k);
}

void peer_memory_tick(struct control *c)
{
    if (c->peers.keep_now || c->reactor->now - c->peers.kept_when >= PEER_KEEP_EVERY)
        peer_memory_keep(c);
}

void peer_memory_again(struct control *c)
{
    for (size_t i = 0; i < c->peers.count; i++)
        c->peers.list[i].kept = UINT64_MAX; /* even what was only remembered */
}
