/* SPDX-License-Identifier: Apache-2.0 */
/* overlay.c - the list, and applying it. */
#include "control/overlay.h"

#include "base/check.h"
#include "base/log.h"
#include "base/str.h"
#include "control/config_file.h"

#include <stdlib.h>

enum change_class { CLASS_TRAFFIC, CLASS_PRESENCE, CLASS_WEIGHT };

static const struct {
    const char *word;
    enum change_class class_;
} kinds[CHANGE_COUNT] = {
#define X(name, word, class_) { word, CLASS_##class_ },
    CHANGES(X)
#undef X
};

const char *change_word(enum change_kind k)
{
    return kinds[k].word;
}

bool change_kind_parse(struct span word, enum change_kind *ret_kind)
{
    for (unsigned k = 0; k < CHANGE_COUNT; k++) {
        if (span_equal(word, span_from_text(kinds[k].word))) {
            *ret_kind = (enum change_kind)k;
            return true;
        }
    }
    return false;
}

/* ---- as text, for the store */

struct span change_value(struct arena *a, const struct change *c)
{
    if (c->kind == CHANGE_WEIGHT)
        return span_from_text(arena_print(a, "weight=%u", c->weight));
    if (c->kind != CHANGE_ADD)
        return SPAN("");
    return span_from_text(arena_print(a, "weight=%u zone=%.*s release=%.*s", c->weight,
                                      SPAN_ARG(c->zone), SPAN_ARG(c->release)));
}

/* The word behind "zone=" in "weight=3 zone=a". */
static struct span part_of(struct span value, struct span name)
{
    while (value.n > 0) {
        size_t blank = span_find(value, ' ');
        struct span part = span_of(value.p, blank);
        if (span_starts_with(part, name))
            return span_after(part, name.n);
        value = span_after(value, blank + 1);
    }
    return SPAN("");
}

void overlay_restore(struct overlay *o, const struct stored_change *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct stored_change *s = &list[i];
        struct change c = { .id = s->id,
                            .service = s->service,
                            .instance = s->instance,
                            .zone = part_of(s->value, SPAN("zone=")),
                            .release = part_of(s->value, SPAN("release=")),
                            .who = s->who,
                            .why = s->why,
                            .file_value = s->file_value,
                            .at = s->at,
                            .expires = s->expires,
                            .stored = true };
        uint64_t weight = 1;
        int64_t ignored;
        struct span text = part_of(s->value, SPAN("weight="));
        if (!change_kind_parse(s->kind, &c.kind) || (text.n && !span_to_u64(text, &weight)) ||
            weight < 1 || weight > 1000) {
            log_warn("a change in the store is not understood and left out: %.*s %.*s",
                     SPAN_ARG(s->kind), SPAN_ARG(s->instance));
            continue;
        }
        c.weight = (uint32_t)weight;
        struct change *added = overlay_add(o, &c, &ignored);
        added->id = s->id;
        o->next_id = s->id >= o->next_id ? s->id + 1 : o->next_id;
    }
}

/* ---- the list */

static void copy_texts(struct arena *a, struct change *c)
{
    struct span *const texts[] = { &c->service, &c->instance, &c->zone,      &c->release,
                                   &c->who,     &c->why,      &c->file_value };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        *texts[i] = arena_span(a, *texts[i]);
}

static void drop(struct overlay *o, size_t at)
{
    struct change *c = o->list[at];

    o->count--;
    memmove(o->list + at, o->list + at + 1, (o->count - at) * sizeof(o->list[0]));
    arena_free(&c->arena);
    free(c);
}

struct change *overlay_add(struct overlay *o, const struct change *c, int64_t *ret_replaced)
{
    struct change *added = calloc(1, sizeof(*added));

    check(added != NULL);
    *added = *c;
    added->arena = (struct arena){};
    copy_texts(&added->arena, added);
    added->id = o->next_id ? o->next_id : 1;
    o->next_id = added->id + 1;
    *ret_replaced = 0;
    for (size_t i = 0; i < o->count; i++) {
        const struct change *old = o->list[i];
        if (kinds[old->kind].class_ == kinds[c->kind].class_ &&
            span_equal(old->service, c->service) && span_equal(old->instance, c->instance)) {
            *ret_replaced = old->id;
            drop(o, i);
            break;
        }
    }
    o->list = realloc(o->list, (o->count + 1) * sizeof(o->list[0]));
    check(o->list != NULL);
    o->list[o->count++] = added;
    return added;
}

struct change *overlay_find(const struct overlay *o, int64_t id)
{
    for (size_t i = 0; i < o->count; i++) {
        if (o->list[i]->id == id)
            return o->list[i];
    }
    return NULL;
}

void overlay_remove(struct overlay *o, int64_t id)
{
    for (size_t i = 0; i < o->count; i++) {
        if (o->list[i]->id == id) {
            drop(o, i);
            return;
        }
    }
}

void overlay_free(struct overlay *o)
{
    while (o->count)
        drop(o, o->count - 1);
    free(o->list);
    *o = (struct overlay){};
}

struct change *overlay_copy(const struct overlay *o, struct arena *a)
{
    struct change *list = arena_array(a, struct change, o->count + 1);

    for (size_t i = 0; i < o->count; i++) {
        list[i] = *o->list[i];
        list[i].arena = (struct arena){};
        copy_texts(a, &list[i]);
    }
    return list;
}

/* ---- into a configuration */

bool change_is_about(const struct change *c, const struct service *s, const struct instance *i)
{
    return span_equal(c->service, s->name) &&
           (span_equal(c->instance, i->text) || span_equal_nocase(c->instance, i->from));
}

static struct service *find_service(const struct config *c, struct span name)
{
    for (size_t s = 0; s < c->service_count; s++) {
        if (span_equal(c->services[s].name, name))
            return &c->services[s];
    }
    return NULL;
}

static struct instance *find_of_file(const struct service *s, struct span instance)
{
    for (size_t i = 0; s && i < s->instance_count; i++) {
        struct instance *in = &s->instances[i];
        if (in->origin != ORIGIN_API &&
            (span_equal(in->text, instance) || span_equal_nocase(in->from, instance)))
            return in;
    }
    return NULL;
}

struct span overlay_file_value(struct arena *a, const struct config *c, enum change_kind kind,
                               struct span service, struct span instance)
{
    const struct instance *in = find_of_file(find_service(c, service), instance);

    if (!in)
        return SPAN("absent");
    switch (kinds[kind].class_) {
    case CLASS_TRAFFIC: return in->file_drain ? SPAN("drain=true") : SPAN("drain=false");
    case CLASS_WEIGHT: return span_from_text(arena_print(a, "weight=%u", in->file_weight));
    case CLASS_PRESENCE: break;
    }
    return SPAN("present");
}

/* The file says something else by now. That an instance is not there (a name has lost an address) says nothing of its
 * drain or weight. */
static bool is_over(struct config *c, const struct change *change)
{
    struct span now =
        overlay_file_value(&c->arena, c, change->kind, change->service, change->instance);
    bool absent = span_equal(now, SPAN("absent"));

    if (absent && kinds[change->kind].class_ != CLASS_PRESENCE)
        return false;
    return !span_equal(change->file_value, now);
}

static void add_instance(struct config *c, struct service *s, const struct change *change)
{
    struct instance in;

    if (s->instance_count >= INSTANCES_MAX || !instance_parse(&c->arena, change->instance, &in))
        return;
    in.weight = change->weight;
    in.zone = arena_span(&c->arena, change->zone);
    in.release = arena_span(&c->arena, change->release);
    in.origin = ORIGIN_API;
    struct instance *list = arena_array(&c->arena, struct instance, s->instance_count + 1);
    memcpy(list, s->instances, s->instance_count * sizeof(list[0]));
    list[s->instance_count++] = in;
    s->instances = list;
}

size_t overlay_apply_added(const struct change *list, size_t count, struct config *c,
                           int64_t *ret_over)
{
    size_t over = 0;

    for (size_t i = 0; i < count; i++) {
        struct service *s = find_service(c, list[i].service);
        if (list[i].kind != CHANGE_ADD)
            continue;
        if (!s || is_over(c, &list[i]))
            ret_over[over++] = list[i].id; /* the file has it by now, or has not even the service */
        else
            add_instance(c, s, &list[i]);
    }
    return over;
}

static void remove_instance(struct service *s, const struct change *change)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->instance_count; i++) {
        if (!change_is_about(change, s, &s->instances[i]))
            s->instances[kept++] = s->instances[i];
    }
    s->instance_count = kept;
}

static void change_instances(struct service *s, const struct change *change)
{
    if (change->kind == CHANGE_REMOVE) {
        remove_instance(s, change);
        return;
    }
    for (size_t i = 0; i < s->instance_count; i++) {
        struct instance *in = &s->instances[i];
        if (!change_is_about(change, s, in))
            continue;
        if (change->kind == CHANGE_WEIGHT)
            in->weight = change->weight;
        else
            in->drain = change->kind == CHANGE_DRAIN;
    }
}

size_t overlay_apply_rest(const struct change *list, size_t count, struct config *c,
                          int64_t *ret_over)
{
    size_t over = 0;

    for (size_t i = 0; i < count; i++) {
        if (list[i].kind != CHANGE_ADD && is_over(c, &list[i]))
            ret_over[over++] = list[i].id;
    }
    for (size_t i = 0; i < count; i++) {
        struct service *s = find_service(c, list[i].service);
        bool skip = list[i].kind == CHANGE_ADD || !s;
        for (size_t k = 0; k < over && !skip; k++)
            skip = ret_over[k] == list[i].id;
        if (!skip)
            change_instances(s, &list[i]);
    }
    return over;
}
