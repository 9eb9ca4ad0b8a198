/* SPDX-License-Identifier: Apache-2.0 */
/* peers.c - the list of nodes, their answers, and the sums. */
#include "control/peers.h"

#include "base/log.h"
#include "control/control.h"
#include "control/peer_memory.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const words[] = {
#define X(name, word, meaning) word,
    PEER_STATES(X)
#undef X
};

const char *peer_state_word(enum peer_state s)
{
    return words[s];
}

enum peer_state peer_state(const struct control *c, const struct peer *p)
{
    if (p->self)
        return PEER_SELF;
    if (p->same_as)
        return PEER_DOUBLE;
    if (!p->counts)
        return PEER_WAITING;
    return c->reactor->now - p->heard > PEER_SILENT_AFTER ? PEER_SILENT : PEER_HEARD;
}

bool peer_is_node(const struct peer *p)
{
    return !p->self && !p->same_as;
}

unsigned peers_nodes(const struct control *c)
{
    unsigned n = 1;

    for (size_t i = 0; i < c->peers.count; i++)
        n += peer_is_node(&c->peers.list[i]);
    return n;
}

unsigned peers_nodes_heard(const struct control *c)
{
    unsigned n = 1;

    for (size_t i = 0; i < c->peers.count; i++)
        n += peer_state(c, &c->peers.list[i]) == PEER_HEARD;
    return n;
}

/* ---- the list */

static bool same_target(const struct peer *p, const struct peering *o)
{
    return span_equal(p->target.url, o->url) && span_equal(p->target.ca, o->ca) &&
           span_equal(p->target.token_file, o->token.file) &&
           span_equal(p->target.token_env, o->token.env);
}

static void peer_open(struct peer *p, const struct peering *o, uint32_t id)
{
    *p = (struct peer){ .id = id };
    p->text = arena_span(&p->arena, o->text);
    p->target = (struct peer_target){ .id = id,
                                      .url = arena_span(&p->arena, o->url),
                                      .ca = arena_span(&p->arena, o->ca),
                                      .token_file = arena_span(&p->arena, o->token.file),
                                      .token_env = arena_span(&p->arena, o->token.env) };
}

static void peer_close(struct peer *p)
{
    peer_counts_free(p->counts);
    peer_findings_free(p);
    arena_free(&p->arena);
}

/* Which of them are the same node, by the names that they gave. */
static void compare_nodes(struct control *c)
{
    struct peers *all = &c->peers;

    for (size_t i = 0; i < all->count; i++) {
        struct peer *p = &all->list[i];
        p->self = p->counts && span_equal(p->counts->node, span_from_text(c->parts.node));
        p->same_as = NULL;
        for (size_t k = 0; k < i && p->counts && !p->self; k++) {
            const struct peer *q = &all->list[k];
            if (q->counts && peer_is_node(q) && span_equal(q->counts->node, p->counts->node))
                p->same_as = q;
        }
    }
}

/* Who stays keeps what it said. */
static void adopt(struct control *c, const struct config *config)
{
    struct peers *all = &c->peers;
    struct peer *list = calloc(config->peer_count + 1, sizeof(list[0]));

    check(list != NULL);
    for (size_t i = 0; i < config->peer_count; i++) {
        size_t k = 0;
        while (k < all->count &&
               (!all->list[k].id || !same_target(&all->list[k], &config->peers[i])))
            k++;
        if (k < all->count) {
            list[i] = all->list[k];
            all->list[k].id = 0; /* taken */
        } else {
            peer_open(&list[i], &config->peers[i], ++all->next_id);
            peer_memory_recall(c, &list[i]);
        }
    }
    for (size_t k = 0; k < all->count; k++) {
        if (all->list[k].id)
            peer_close(&all->list[k]);
    }
    free(all->list);
    all->list = list;
    all->count = config->peer_count;
    peer_memory_forget(c);
    compare_nodes(c);
}

static void tell_puller(struct control *c)
{
    struct peers *all = &c->peers;
    struct peer_list *list = calloc(1, sizeof(*list));

    check(list != NULL);
    list->targets = arena_array(&list->arena, struct peer_target, all->count);
    for (size_t i = 0; i < all->count; i++) {
        const struct peer_target *t = &all->list[i].target;
        list->targets[list->count++] =
            (struct peer_target){ .id = t->id,
                                  .url = arena_span(&list->arena, t->url),
                                  .ca = arena_span(&list->arena, t->ca),
                                  .token_file = arena_span(&list->arena, t->token_file),
                                  .token_env = arena_span(&list->arena, t->token_env) };
    }
    all->untold = !peer_puller_give(c->parts.puller, list);
    if (all->untold)
        peer_list_free(list);
}

static void tell(struct control *c, const struct peer *p, enum peer_state state)
{
    notice(c, NOTICE_PEER,
           json_pack("{s:o, s:s, s:o}", "peer", notice_text(p->text), "state",
                     peer_state_word(state), "error",
                     state == PEER_SILENT ? notice_text(span_from_text(p->error)) : json_null()));
}

static void note_silence(struct control *c, struct peer *p)
{
    if (peer_state(c, p) != PEER_SILENT || p->told_silent || p->answers + p->failures == 0)
        return; /* or it is remembered, and was not asked yet */
    p->told_silent = true;
    c->peers.keep_now = true; /* these may be its last words for long */
    log_warn("peer %s is silent: %s", p->text.p, p->error[0] ? p->error : "no answer");
    tell(c, p, PEER_SILENT);
}

void peers_adopt(struct control *c)
{
    if (!c->parts.puller)
        return;
    adopt(c, control_config(c));
    tell_puller(c);
}

void peers_tick(struct control *c)
{
    if (!c->parts.puller)
        return;
    if (c->peers.untold)
        tell_puller(c);
    for (size_t i = 0; i < c->peers.count; i++)
        note_silence(c, &c->peers.list[i]);
    peer_findings_log(c);
    peer_memory_tick(c);
}

/* ---- answers */

static void take_answer(struct control *c, struct peer *p, struct peer_answer *a)
{
    bool first = p->answers == 0;

    peer_counts_free(p->counts);
    p->counts = a->counts;
    a->counts = NULL;
    p->heard = a->at;
    p->heard_at = c->parts.wall() / NS_PER_S;
    p->answers++;
    p->error[0] = '\0';
    compare_nodes(c);
    if ((first || p->told_silent) && peer_is_node(p)) {
        log_info("peer %s answers: node %s", p->text.p, p->counts->node.p);
        tell(c, p, PEER_HEARD);
    }
    p->told_silent = false;
}

static void note_failure(struct peer *p, const err *e)
{
    if (p->failures++ == 0 && p->answers == 0)
        log_warn("peer %s: %s", p->text.p, e->text);
    snprintf(p->error, sizeof(p->error), "%.*s", PEER_ERROR_MAX - 1, e->text);
}

void peers_heard(struct control *c, struct peer_answer *a)
{
    for (size_t i = 0; i < c->peers.count; i++) {
        struct peer *p = &c->peers.list[i];
        if (p->id != a->id)
            continue;
        if (a->counts)
            take_answer(c, p, a);
        else
            note_failure(p, &a->failed);
    }
    peer_answer_free(a); /* of one that was taken out, all of it */
}

void peers_free(struct control *c)
{
    struct message m;

    while (mailbox_receive(&c->mail, &m)) {
        if (m.kind == MESSAGE_PEER_ANSWER)
            peer_answer_free(m.job);
        else if (m.kind == MESSAGE_QUERY_ANSWER)
            query_answer_free(m.job);
    }
    peer_memory_forget(c);
    for (size_t i = 0; i < c->peers.count; i++)
        peer_close(&c->peers.list[i]);
    free(c->peers.list);
    c->peers = (struct peers){};
}

/* ---- the sums */

/* What this peer says of the journey, when it can be summed. */
static const struct peer_journey *journey_of(const struct peer *p, const struct journey *j)
{
    const struct peer_journey *theirs =
        p->counts && peer_is_node(p) ? peer_counts_find(p->counts, j->name) : NULL;

    if (!theirs || theirs->definition != j->definition ||
        theirs->series != series_count((unsigned)j->objective_count))
        return NULL;
    return theirs;
}

bool peers_same_journey(const struct peer *p, const struct journey *j)
{
    return journey_of(p, j) != NULL;
}

/* Seconds by which its last answer is too old to be taken as of now. */
static int64_t age_of(const struct control *c, const struct peer *p)
{
    ns_t age = c->reactor->now - p->heard;

    return age > PEER_SILENT_AFTER ? age / NS_PER_S : 0;
}

/* More than the whole window cannot have been measured; what one node has too much must not hide another's silence. */
static uint64_t at_most(uint64_t measured_ms, int64_t seconds)
{
    uint64_t most = (uint64_t)seconds * 1000;

    return measured_ms < most ? measured_ms : most;
}

void peers_add_window(const struct control *c, const struct journey *j, int64_t seconds,
                      struct window_counts *ret)
{
    unsigned nodes = peers_nodes(c);
    struct window_counts w;

    if (nodes == 1)
        return;
    ret->measured_ms = at_most(ret->measured_ms, seconds);
    for (size_t i = 0; i < c->peers.count; i++) {
        const struct peer *p = &c->peers.list[i];
        const struct peer_journey *theirs = journey_of(p, j);
        if (!theirs || !peer_journey_window(theirs, seconds, age_of(c, p), &w))
            continue;
        for (unsigned k = 0; k < SERIES_MAX; k++)
            ret->counts[k] += w.counts[k];
        ret->measured_ms += at_most(w.measured_ms, seconds);
    }
    ret->measured_ms /= nodes;
}

void peers_add_totals(const struct control *c, const struct journey *j, uint64_t counts[SERIES_MAX])
{
    for (size_t i = 0; i < c->peers.count; i++) {
        const struct peer_journey *theirs = journey_of(&c->peers.list[i], j);
        for (unsigned k = 0; theirs && k < SERIES_MAX; k++)
            counts[k] += theirs->totals[k]; /* 0 where it has no counter */
    }
}

void peers_add_standing(const struct control *c, const struct journey *j,
                        uint64_t standing[STEPS_MAX])
{
    for (size_t i = 0; i < c->peers.count; i++) {
        const struct peer *p = &c->peers.list[i];
        const struct peer_journey *theirs = age_of(c, p) ? NULL : journey_of(p, j);
        for (unsigned k = 0; theirs && k < STEPS_MAX; k++)
            standing[k] += theirs->standing[k];
    }
}

void peers_add_histogram(const struct control *c, const struct journey *j,
                         uint64_t bins[HISTOGRAM_BINS])
{
    for (size_t i = 0; i < c->peers.count; i++) {
        const struct peer *p = &c->peers.list[i];
        const struct peer_journey *theirs = age_of(c, p) ? NULL : journey_of(p, j);
        if (theirs)
            peer_bins_add(&theirs->latency, bins);
    }
}

double peers_rate(const struct control *c, const struct journey *j)
{
    struct window_counts w;
    double rate = 0;

    for (size_t i = 0; i < c->peers.count; i++) {
        const struct peer *p = &c->peers.list[i];
        const struct peer_journey *theirs = age_of(c, p) ? NULL : journey_of(p, j);
        if (theirs && peer_journey_window(theirs, RATE_WINDOW_S, 0, &w))
            rate += window_rate(&w);
    }
    return rate;
}
