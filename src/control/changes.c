/* SPDX-License-Identifier: Apache-2.0 */
/* changes.c - what makes sense, storing it, ending it. */
#include "control/changes.h"

#include "base/log.h"
#include "control/config_file.h"
#include "control/control.h"

#include <stdio.h>
#include <stdlib.h>

static int64_t unix_now(const struct control *c)
{
    return c->parts.wall() / NS_PER_S;
}

/* ---- storing */

struct change_task {
    struct scribe_task task;
    struct arena arena;
    struct stored_change put; /* id 0: nothing to put */
    int64_t gone[2];          /* ids; 0: none */
    err result;
};

static void run_store(struct scribe_task *t, struct store *s)
{
    struct change_task *k = container_of(t, struct change_task, task);

    k->result = OK;
    if (k->put.id)
        k->result = changes_put(s, &k->put);
    for (size_t i = 0; i < 2; i++) {
        if (k->gone[i] && !k->result.failed)
            k->result = changes_delete(s, k->gone[i]);
    }
}

static void stored(struct scribe_task *t, void *control)
{
    struct control *c = control;
    struct change_task *k = container_of(t, struct change_task, task);
    struct change *change = k->put.id ? overlay_find(&c->overlay, k->put.id) : NULL;

    c->changes_out--;
    if (k->result.failed)
        log_warn(k->put.id
                     ? "a change at run time is not in the store and ends with this process: %s"
                     : "what was taken back is still in the store and comes back with the next "
                       "start: %s",
                 k->result.text);
    else if (change)
        change->stored = true;
    reload_want(c, false);
    arena_free(&k->arena);
    free(k);
}

static struct stored_change stored_of(struct arena *a, const struct change *change)
{
    return (struct stored_change){
        .id = change->id,
        .kind = span_from_text(change_word(change->kind)),
        .service = arena_span(a, change->service),
        .instance = arena_span(a, change->instance),
        .value = change_value(a, change),
        .who = arena_span(a, change->who),
        .why = arena_span(a, change->why),
        .at = change->at,
        .expires = change->expires,
        .file_value = arena_span(a, change->file_value),
    };
}

/* Stores first, then it comes into force: a crash in between leaves what was stored, which the next start puts
 * into force. */
static void store(struct control *c, const struct change *put, int64_t gone, int64_t gone_too)
{
    struct change_task *k = calloc(1, sizeof(*k));

    check(k != NULL);
    k->task = (struct scribe_task){ .run = run_store, .done = stored };
    k->gone[0] = gone;
    k->gone[1] = gone_too;
    if (put)
        k->put = stored_of(&k->arena, put);
    if (!c->parts.scribe || !control_give_task(c, &k->task)) {
        arena_free(&k->arena);
        free(k);
        reload_want(c, false);
        return;
    }
    c->changes_out++;
}

/* ---- all of them, into a store that was begun anew */

struct again_task {
    struct scribe_task task;
    struct arena arena;
    struct stored_change *list;
    size_t count;
    err result;
};

static void run_again(struct scribe_task *t, struct store *s)
{
    struct again_task *k = container_of(t, struct again_task, task);

    for (size_t i = 0; i < k->count && !k->result.failed; i++)
        k->result = changes_put(s, &k->list[i]);
}

static void stored_again(struct scribe_task *t, void *control)
{
    struct control *c = control;
    struct again_task *k = container_of(t, struct again_task, task);

    if (k->result.failed)
        log_warn("changes at run time are not in the new store and end with this process: %s",
                 k->result.text);
    for (size_t i = 0; i < k->count && !k->result.failed; i++) {
        struct change *change = overlay_find(&c->overlay, k->list[i].id);
        if (change)
            change->stored = true;
    }
    arena_free(&k->arena);
    free(k);
}

void changes_store_again(struct control *c)
{
    struct again_task *k = calloc(1, sizeof(*k));

    check(k != NULL);
    k->task = (struct scribe_task){ .run = run_again, .done = stored_again };
    k->list = arena_array(&k->arena, struct stored_change, c->overlay.count);
    for (size_t i = 0; i < c->overlay.count; i++)
        k->list[k->count++] = stored_of(&k->arena, c->overlay.list[i]);
    if (k->count == 0 || !control_give_task(c, &k->task)) {
        arena_free(&k->arena);
        free(k);
    }
}

/* ---- what makes sense */

struct target {
    const struct service *service;
    const struct instance *instance; /* the first that is meant; a name may mean several */
    size_t count;
    bool ambiguous; /* two services have it */
};

static struct target find_target(const struct control *c, const struct change *wish)
{
    const struct config *config = control_config(c);
    struct target t = {};

    for (size_t s = 0; s < config->service_count; s++) {
        const struct service *service = &config->services[s];
        struct change about = *wish;
        if (wish->service.n == 0)
            about.service = service->name;
        for (size_t i = 0; i < service->instance_count; i++) {
            if (!change_is_about(&about, service, &service->instances[i]))
                continue;
            t.ambiguous |= t.service && t.service != service;
            t.service = service;
            t.instance = t.count++ ? t.instance : &service->instances[i];
        }
    }
    return t;
}

static void reply(struct change_reply *r, unsigned status, int64_t id, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void reply(struct change_reply *r, unsigned status, int64_t id, const char *format, ...)
{
    va_list args;

    r->status = status;
    r->id = id;
    va_start(args, format);
    vsnprintf(r->text, sizeof(r->text), format, args);
    va_end(args);
}

/* Instances that would still get requests. */
static size_t left_without(const struct service *s, const struct change *change)
{
    size_t left = 0;

    for (size_t i = 0; i < s->instance_count; i++)
        left += !s->instances[i].drain && !change_is_about(change, s, &s->instances[i]);
    return left;
}

/* A change of this kind that was asked for in the same words: of a name with many addresses and of one of them
 * there may be one each. */
static struct change *made_before(const struct control *c, const struct change *wish,
                                  enum change_kind kind)
{
    for (size_t i = 0; i < c->overlay.count; i++) {
        struct change *old = c->overlay.list[i];
        if (old->kind == kind && span_equal(old->service, wish->service) &&
            span_equal(old->instance, wish->instance))
            return old;
    }
    return NULL;
}

/* Nothing is on its way that would make the configuration in force say something else in a moment. */
static bool is_settled(const struct control *c)
{
    return c->reload.state == RELOAD_IDLE && !c->reload.wanted && c->changes_out == 0;
}

static void add_change(struct control *c, const struct change *wish, struct change_reply *r,
                       const char *words)
{
    struct arena a = {};
    struct change change = *wish;
    int64_t replaced;

    if (c->overlay.count >= CHANGES_AT_ONCE_MAX) {
        reply(r, 409, 0, "there are %d changes already; take some back", CHANGES_AT_ONCE_MAX);
        return;
    }
    change.at = unix_now(c);
    change.file_value =
        overlay_file_value(&a, control_config(c), wish->kind, wish->service, wish->instance);
    const struct change *added = overlay_add(&c->overlay, &change, &replaced);
    arena_free(&a);
    log_info("%s %.*s of %.*s, asked for by %.*s: %.*s", words, SPAN_ARG(added->instance),
             SPAN_ARG(added->service), SPAN_ARG(added->who.n ? added->who : SPAN("somebody")),
             SPAN_ARG(added->why.n ? added->why : SPAN("no reason given")));
    deed_change(c, DEED_MADE, added, NULL);
    store(c, added, replaced, 0);
    reply(r, 202, added->id, "%s %.*s of %.*s", words, SPAN_ARG(added->instance),
          SPAN_ARG(added->service));
}

/* `by`: NULL when nobody asked for it. */
static void remove_change(struct control *c, int64_t id, enum deed deed, const struct asker *by)
{
    deed_change(c, deed, overlay_find(&c->overlay, id), by);
    overlay_remove(&c->overlay, id);
    store(c, NULL, id, 0);
}

static void make_drain(struct control *c, const struct change *wish, const struct target *t,
                       bool force, struct change_reply *r)
{
    const struct change *old = made_before(c, wish, CHANGE_DRAIN);
    bool drained = t->count == 1 && t->instance->drain;

    if (drained && is_settled(c) && (!old || old->expires == wish->expires)) {
        reply(r, 200, old ? old->id : 0, "%.*s is drained already", SPAN_ARG(wish->instance));
        return;
    }
    if (!force && !drained && left_without(t->service, wish) == 0) {
        reply(r, 409, 0,
              "no instance of %.*s would be left that takes requests; to drain it all the same: "
              "--force "
              "(in the API \"force\": true)",
              SPAN_ARG(wish->service));
        return;
    }
    add_change(c, wish, r, "draining");
}

/* What undraining finds. */
struct drained {
    bool any;      /* an instance that is meant is drained */
    bool file;     /* by the file */
    bool wider;    /* by a change that is about others too: the name that it is an address of */
    size_t pieces; /* changes that are about nothing else than what is meant */
};

static bool is_piece(const struct change *old, const struct change *wish, const struct service *s)
{
    bool same = span_equal(old->instance, wish->instance);

    for (size_t i = 0; i < s->instance_count && !same; i++)
        same = span_equal(old->instance, s->instances[i].text) &&
               change_is_about(wish, s, &s->instances[i]);
    return same && old->kind == CHANGE_DRAIN && span_equal(old->service, s->name);
}

static struct drained find_drained(const struct control *c, const struct change *wish,
                                   const struct service *s)
{
    struct drained d = {};

    for (size_t k = 0; k < c->overlay.count; k++)
        d.pieces += is_piece(c->overlay.list[k], wish, s);
    for (size_t i = 0; i < s->instance_count; i++) {
        const struct instance *in = &s->instances[i];
        if (!change_is_about(wish, s, in))
            continue;
        d.any |= in->drain;
        d.file |= in->file_drain;
        for (size_t k = 0; k < c->overlay.count; k++) {
            const struct change *old = c->overlay.list[k];
            if (old->kind == CHANGE_DRAIN && change_is_about(old, s, in))
                d.wider |= !is_piece(old, wish, s);
        }
    }
    return d;
}

static void take_back(struct control *c, int64_t id, const struct change *wish)
{
    const struct asker by = { .who = wish->who, .why = wish->why, .by = wish->by };

    remove_change(c, id, DEED_TAKEN_BACK, &by);
}

static void remove_pieces(struct control *c, const struct change *wish, const struct service *s)
{
    for (size_t k = 0; k < c->overlay.count;) {
        const struct change *old = c->overlay.list[k];
        if (is_piece(old, wish, s))
            take_back(c, old->id, wish);
        else
            k++;
    }
}

static void make_undrain(struct control *c, const struct change *wish, const struct target *t,
                         struct change_reply *r)
{
    const struct drained d = find_drained(c, wish, t->service);

    if (!d.any && !d.pieces && (is_settled(c) || !d.wider)) {
        reply(r, 200, 0, "%.*s is not drained", SPAN_ARG(wish->instance));
        return;
    }
    remove_pieces(c, wish, t->service);
    if (d.file || d.wider) {
        add_change(c, wish, r, "taking back into service");
        return;
    }
    log_info("taking back into service %.*s of %.*s", SPAN_ARG(wish->instance),
             SPAN_ARG(wish->service));
    reply(r, 202, 0, "taking back into service %.*s of %.*s", SPAN_ARG(wish->instance),
          SPAN_ARG(wish->service));
}

static void make_remove(struct control *c, const struct change *wish, const struct target *t,
                        bool force, struct change_reply *r)
{
    const struct change *added = made_before(c, wish, CHANGE_ADD);

    if (!force && left_without(t->service, wish) == 0) {
        reply(r, 409, 0,
              "no instance of %.*s would be left that takes requests; to remove it all the same: "
              "--force "
              "(in the API \"force\": true)",
              SPAN_ARG(wish->service));
    } else if (added) {
        take_back(c, added->id, wish);
        reply(r, 202, 0, "removing %.*s of %.*s", SPAN_ARG(wish->instance),
              SPAN_ARG(wish->service));
    } else {
        add_change(c, wish, r, "removing");
    }
}

static void make_add(struct control *c, struct change *wish, const struct target *t,
                     struct change_reply *r)
{
    const struct config *config = control_config(c);
    struct instance parsed;
    struct arena a = {};
    size_t s = 0;

    if (wish->service.n == 0 && config->service_count == 1)
        wish->service = config->services[0].name;
    const struct change *removed = made_before(c, wish, CHANGE_REMOVE);
    if (removed) { /* it is the file's again */
        take_back(c, removed->id, wish);
        reply(r, 202, 0, "adding %.*s of %.*s", SPAN_ARG(wish->instance), SPAN_ARG(wish->service));
        return;
    }
    bool leaves = t->count && t->instance->origin == ORIGIN_API &&
                  !made_before(c, wish, CHANGE_ADD); /* its removal is not in force yet */
    if (t->count && !leaves) {
        reply(r, 409, 0, "%.*s is an instance of %.*s already", SPAN_ARG(wish->instance),
              SPAN_ARG(t->service->name));
        return;
    }
    while (s < config->service_count && !span_equal(config->services[s].name, wish->service))
        s++;
    bool good = instance_parse(&a, wish->instance, &parsed);
    arena_free(&a);
    if (s == config->service_count)
        reply(r, 404, 0, wish->service.n ? "there is no service '%.*s'" : "which service?%.*s",
              SPAN_ARG(wish->service));
    else if (!good)
        reply(r, 400, 0, "'%.*s' is no instance: host:port or unix:/path was expected",
              SPAN_ARG(wish->instance));
    else if (config->services[s].instance_count >= INSTANCES_MAX)
        reply(r, 409, 0, "a service has at most %d instances", INSTANCES_MAX);
    else
        add_change(c, wish, r, "adding");
}

static void make_weight(struct control *c, const struct change *wish, const struct target *t,
                        struct change_reply *r)
{
    const struct change *old = made_before(c, wish, CHANGE_WEIGHT);

    if (t->instance->weight == wish->weight && t->count == 1 && is_settled(c) &&
        (!old || old->expires == wish->expires))
        reply(r, 200, old ? old->id : 0, "the weight of %.*s is %u already",
              SPAN_ARG(wish->instance), wish->weight);
    else
        add_change(c, wish, r, "changing the weight of");
}

/* Adding it was asked for and is not in force yet. */
static const struct change *find_coming(const struct control *c, const struct change *wish)
{
    for (size_t i = 0; i < c->overlay.count; i++) {
        const struct change *old = c->overlay.list[i];
        if (old->kind == CHANGE_ADD && span_equal(old->instance, wish->instance) &&
            (wish->service.n == 0 || span_equal(old->service, wish->service)))
            return old;
    }
    return NULL;
}

static void make_on_coming(struct control *c, const struct change *coming, struct change *wish,
                           struct change_reply *r)
{
    wish->service = coming->service;
    const struct change *drain = made_before(c, wish, CHANGE_DRAIN);

    switch (wish->kind) {
    case CHANGE_DRAIN: add_change(c, wish, r, "draining"); break;
    case CHANGE_WEIGHT: add_change(c, wish, r, "changing the weight of"); break;
    case CHANGE_UNDRAIN:
        reply(r, drain ? 202 : 200, 0, "%.*s will not be drained", SPAN_ARG(wish->instance));
        if (drain)
            take_back(c, drain->id, wish);
        break;
    case CHANGE_REMOVE:
        reply(r, 202, 0, "removing %.*s of %.*s", SPAN_ARG(wish->instance),
              SPAN_ARG(wish->service));
        take_back(c, coming->id, wish);
        break;
    case CHANGE_ADD:
    case CHANGE_COUNT: never("a kind of change that was dealt with");
    }
}

void changes_make(struct control *c, const struct change *asked, bool force,
                  struct change_reply *ret)
{
    struct change wish = *asked;
    struct target t = find_target(c, &wish);

    if (t.ambiguous) {
        reply(ret, 409, 0, "several services have an instance %.*s; say which service",
              SPAN_ARG(wish.instance));
        return;
    }
    if (wish.kind == CHANGE_ADD) {
        make_add(c, &wish, &t, ret);
        return;
    }
    const struct change *coming = t.count ? NULL : find_coming(c, &wish);
    if (coming) {
        make_on_coming(c, coming, &wish, ret);
        return;
    }
    if (!t.count) {
        reply(ret, 404, 0, "there is no instance '%.*s'%s%.*s", SPAN_ARG(wish.instance),
              wish.service.n ? " of service " : "", SPAN_ARG(wish.service));
        return;
    }
    wish.service = t.service->name;
    if (!span_equal(wish.instance, t.instance->text))
        wish.instance = t.instance->from; /* as the file writes it */
    switch (wish.kind) {
    case CHANGE_DRAIN: make_drain(c, &wish, &t, force, ret); break;
    case CHANGE_UNDRAIN: make_undrain(c, &wish, &t, ret); break;
    case CHANGE_REMOVE: make_remove(c, &wish, &t, force, ret); break;
    case CHANGE_WEIGHT: make_weight(c, &wish, &t, ret); break;
    case CHANGE_ADD:
    case CHANGE_COUNT: never("a kind of change that was dealt with");
    }
}

/* ---- ending */

void changes_take_back(struct control *c, int64_t id, const struct asker *by,
                       struct change_reply *ret)
{
    const struct change *old = overlay_find(&c->overlay, id);

    if (!old) {
        reply(ret, 404, 0, "there is no change %ld", (long)id);
        return;
    }
    log_info("taken back: %s %.*s of %.*s", change_word(old->kind), SPAN_ARG(old->instance),
             SPAN_ARG(old->service));
    remove_change(c, id, DEED_TAKEN_BACK, by);
    reply(ret, 202, id, "taken back");
}

void changes_tick(struct control *c)
{
    int64_t now = unix_now(c);

    for (size_t i = 0; i < c->overlay.count;) {
        const struct change *old = c->overlay.list[i];
        if (!old->expires || old->expires > now) {
            i++;
            continue;
        }
        log_info("its time is over: %s %.*s of %.*s", change_word(old->kind),
                 SPAN_ARG(old->instance), SPAN_ARG(old->service));
        remove_change(c, old->id, DEED_EXPIRED, NULL);
    }
}

void changes_over(struct control *c, const int64_t *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct change *old = overlay_find(&c->overlay, ids[i]);
        if (!old)
            continue;
        log_info("the file decides again: %s %.*s of %.*s was made when it said %.*s",
                 change_word(old->kind), SPAN_ARG(old->instance), SPAN_ARG(old->service),
                 SPAN_ARG(old->file_value));
        remove_change(c, ids[i], DEED_OVERTAKEN, NULL);
    }
}

void changes_ride(struct control *c)
{
    for (size_t i = 0; i < c->overlay.count; i++)
        c->overlay.list[i]->riding = true;
}

void changes_arrive(struct control *c, bool good)
{
    for (size_t i = 0; i < c->overlay.count; i++) {
        struct change *k = c->overlay.list[i];
        if (k->riding && good && !k->in_force)
            k->in_force = control_config(c)->generation;
        k->riding = false;
    }
}
