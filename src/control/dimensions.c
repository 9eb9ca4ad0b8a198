/* SPDX-License-Identifier: Apache-2.0 */
/* dimensions.c - giving values out, and taking them back. */
#include "control/dimensions.h"

#include "base/check.h"
#include "control/book.h"

#include <stdlib.h>

enum {
    LIST_STEP = 8,
};

/* A configuration whose journeys get their values. */
struct assigning {
    struct dimensions *d;
    struct slot_allocator *slots;
    struct config *c;
    const struct value_name **const *instances; /* by service and instance */
    const struct value_name **const *releases;  /* NULL: it has none */
    bool
        all_fit; /* so few instances that every journey may have all of them: an answer can name any journey (told.c) */
};

/* ---- names */

static const struct value_name *intern(struct assigning *as, enum dimension which,
                                       struct span service, struct span text)
{
    struct dimensions *d = as->d;
    struct span key = span_from_text(
        arena_print(&as->c->arena, "%d %.*s %.*s", (int)which, SPAN_ARG(service), SPAN_ARG(text)));
    struct value_name *n = map_get(&d->names, key);

    if (n)
        return n;
    n = arena_new(&d->arena, struct value_name);
    n->service = arena_span(&d->arena, service);
    n->text = arena_span(&d->arena, text);
    map_put(&d->names, arena_span(&d->arena, key), n);
    return n;
}

static void intern_all(struct assigning *as)
{
    struct config *c = as->c;
    const struct value_name ***instances =
        arena_array(&c->arena, const struct value_name **, c->service_count);
    const struct value_name ***releases =
        arena_array(&c->arena, const struct value_name **, c->service_count);
    size_t all = 0;

    for (size_t s = 0; s < c->service_count; s++) {
        const struct service *service = &c->services[s];
        size_t n = service->instance_count;
        instances[s] = arena_array(&c->arena, const struct value_name *, n);
        releases[s] = arena_array(&c->arena, const struct value_name *, n);
        for (size_t i = 0; i < n; i++) {
            const struct instance *in = &service->instances[i];
            instances[s][i] = intern(as, DIMENSION_INSTANCE, service->name, in->text);
            if (in->release.n > 0)
                releases[s][i] = intern(as, DIMENSION_RELEASE, SPAN(""), in->release);
        }
        all += n;
    }
    as->instances = instances;
    as->releases = releases;
    as->all_fit = all <= DIMENSION_VALUES;
}

/* ---- values */

static int find_value(const struct value_list *l, const struct value_name *name, size_t hint)
{
    if (hint < l->count && l->values[hint].name == name)
        return (int)hint;
    for (uint32_t i = 0; i < l->count; i++) {
        if (l->values[i].name == name)
            return (int)i;
    }
    return -1;
}

/* Those that are known are named first, so that none of them is taken for a newcomer. */
static void renew_value(struct assigning *as, struct value_list *l, const struct value_name *name,
                        size_t hint)
{
    int i = name ? find_value(l, name, hint) : -1;

    if (i < 0)
        return;
    l->values[i].wanted = as->d->assignment;
    l->values[i].gone = 0;
}

static int free_value(struct assigning *as, struct value_list *l)
{
    int i = find_value(l, NULL, l->count);

    if (i >= 0 || l->count == DIMENSION_VALUES)
        return i;
    if (l->count % LIST_STEP == 0) {
        l->values = realloc(l->values, (l->count + LIST_STEP) * sizeof(l->values[0]));
        check(l->values != NULL);
    }
    l->values[l->count] =
        (struct dimension_value){ .slots = slot_take_bulk(as->slots, DIMENSION_OUTCOMES) };
    return (int)l->count++;
}

/* The first of its counters. */
static uint32_t value_slots_of(struct assigning *as, struct value_list *l,
                               const struct value_name *name, size_t hint)
{
    if (!name)
        return l->none;
    int i = find_value(l, name, hint);
    if (i < 0) {
        i = free_value(as, l);
        if (i < 0) {
            l->starved = as->d->assignment;
            return l->other;
        }
        l->values[i].name = name;
        l->values[i].wanted = as->d->assignment;
        l->values[i].gone = 0;
        l->values[i].since = 0;
    }
    return l->values[i].slots;
}

/* ---- journeys */

static struct journey_values *values_of(struct assigning *as, uint32_t id)
{
    struct dimensions *d = as->d;

    if (id >= d->journey_count) {
        size_t count = (size_t)id + 64;
        d->journeys = realloc(d->journeys, count * sizeof(struct journey_values *));
        check(d->journeys != NULL);
        for (size_t i = d->journey_count; i < count; i++)
            d->journeys[i] = NULL;
        d->journey_count = count;
    }
    if (d->journeys[id])
        return d->journeys[id];
    struct journey_values *v = calloc(1, sizeof(*v));
    check(v != NULL);
    for (unsigned i = 0; i < NAMED_DIMENSIONS; i++) {
        v->named[i].none = slot_take_bulk(as->slots, DIMENSION_OUTCOMES);
        v->named[i].other = slot_take_bulk(as->slots, DIMENSION_OUTCOMES);
    }
    v->status = slot_take_bulk(as->slots, CODE_CLASSES * DIMENSION_OUTCOMES);
    v->reason = slot_take_bulk(as->slots, ENDING_COUNT * DIMENSION_OUTCOMES);
    v->tenant_none = slot_take_bulk(as->slots, DIMENSION_OUTCOMES);
    d->journeys[id] = v;
    return v;
}

/* Whether a request of the journey may come to a service. */
static bool leads_to(const struct config *c, const struct journey *j, const struct service *s)
{
    for (size_t r = 0; r < c->route_count; r++) {
        if (c->routes[r].service != s)
            continue;
        if (j->route_count == 0)
            return true; /* what no other journey takes */
        for (size_t i = 0; i < j->route_count; i++) {
            if (pattern_overlaps(&j->routes[i], &c->routes[r].pattern))
                return true;
        }
    }
    return false;
}

static void renew_service(struct assigning *as, struct journey_values *v, size_t service)
{
    for (size_t i = 0; i < as->c->services[service].instance_count; i++) {
        renew_value(as, &v->named[DIMENSION_INSTANCE], as->instances[service][i], i);
        renew_value(as, &v->named[DIMENSION_RELEASE], as->releases[service][i], i);
    }
}

static const struct value_slots *fill_service(struct assigning *as, struct journey_values *v,
                                              size_t service)
{
    size_t n = as->c->services[service].instance_count;
    struct value_slots *list = arena_array(&as->c->arena, struct value_slots, n);

    for (size_t i = 0; i < n; i++) {
        list[i].instance =
            value_slots_of(as, &v->named[DIMENSION_INSTANCE], as->instances[service][i], i);
        list[i].release =
            value_slots_of(as, &v->named[DIMENSION_RELEASE], as->releases[service][i], i);
    }
    return list;
}

static void assign_journey(struct assigning *as, struct journey *j)
{
    struct config *c = as->c;
    struct journey_values *v = values_of(as, j->id);
    struct journey_dimensions *d = arena_new(&c->arena, struct journey_dimensions);
    const struct value_slots **instances =
        arena_array(&c->arena, const struct value_slots *, c->service_count);
    bool reached[SERVICES_MAX] = {};
    const struct value_list *named = v->named;

    if (c->tenant.kind != IDENTITY_NONE && v->tenants == 0)
        v->tenants = slot_take_bulk(as->slots, (1 + DIMENSION_VALUES) * DIMENSION_OUTCOMES);
    for (size_t s = 0; s < c->service_count; s++) {
        reached[s] = as->all_fit || leads_to(c, j, &c->services[s]);
        if (reached[s])
            renew_service(as, v, s);
    }
    for (size_t s = 0; s < c->service_count; s++) {
        if (reached[s])
            instances[s] = fill_service(as, v, s);
    }
    *d = (struct journey_dimensions){
        .assignment = as->d->assignment,
        .status = v->status,
        .reason = v->reason,
        .none = { named[DIMENSION_INSTANCE].none, named[DIMENSION_RELEASE].none },
        .other = { named[DIMENSION_INSTANCE].other, named[DIMENSION_RELEASE].other },
        .tenant_none = v->tenant_none,
        .tenants = c->tenant.kind != IDENTITY_NONE ? v->tenants : 0,
        .instances = instances,
    };
    j->dimensions = d;
}

void dimensions_assign(struct dimensions *d, struct slot_allocator *slots, struct config *c)
{
    struct assigning as = { .d = d, .slots = slots, .c = c };

    d->assignment++;
    intern_all(&as);
    for (size_t i = 0; i < c->journey_count; i++) {
        if (c->journeys[i].kind == JOURNEY_REQUESTS)
            assign_journey(&as, &c->journeys[i]);
    }
}

/* ---- taking values back */

struct sweep {
    const struct book *book;
    uint64_t assignment; /* of the configuration in force */
    uint64_t generation; /* its */
    uint64_t oldest;     /* that any reactor looks at */
    int64_t now;         /* unix seconds */
    bool waiting;
    bool room; /* for some that found none */
};

static void note_gone(struct dimension_value *v, const struct sweep *s)
{
    if (v->since == 0)
        v->since = s->now;
    if (v->wanted < s->assignment && v->gone == 0)
        v->gone = s->generation;
}

/* The one that is gone for longest, or -1. */
static int longest_gone(const struct value_list *l)
{
    int oldest = -1;

    for (uint32_t i = 0; i < l->count; i++) {
        const struct dimension_value *v = &l->values[i];
        if (v->name && v->gone && (oldest < 0 || v->gone < l->values[oldest].gone))
            oldest = (int)i;
    }
    return oldest;
}

/* Nothing counts under it any more. */
static void retire(struct journey_values *j, enum dimension which, unsigned entry,
                   const struct book *b)
{
    struct value_list *l = &j->named[which];
    struct dimension_value *v = &l->values[entry];
    uint64_t counts[DIMENSION_OUTCOMES];

    dimension_counts(j, b, which, entry, counts);
    for (unsigned o = 0; o < DIMENSION_OUTCOMES; o++) {
        l->retired[o] += counts[o];
        v->base[o] += counts[o];
    }
    marks_give_to_other(&j->marks, which, entry);
    v->name = NULL;
    v->gone = 0;
}

static void sweep_list(struct journey_values *j, enum dimension which, struct sweep *s)
{
    struct value_list *l = &j->named[which];
    unsigned free_count = DIMENSION_VALUES - l->count;

    for (uint32_t i = 0; i < l->count; i++) {
        if (l->values[i].name)
            note_gone(&l->values[i], s);
        else
            free_count++;
    }
    for (int i; free_count < DIMENSION_SPARE && (i = longest_gone(l)) >= 0; free_count++) {
        if (s->oldest < l->values[i].gone) {
            s->waiting = true;
            break;
        }
        retire(j, which, (unsigned)i, s->book);
    }
    s->room |= l->starved == s->assignment && free_count > 0;
}

/* True, once, when there is room for some that found none. */
static bool sweep(struct dimensions *d, const struct book *b, const struct publication *p,
                  const struct config *c, int64_t unix_now)
{
    const struct journey_dimensions *last = c->journeys[c->journey_count - 1].dimensions;
    struct sweep s = { .book = b,
                       .assignment = last->assignment,
                       .generation = c->generation,
                       .oldest = publication_oldest(p),
                       .now = unix_now };

    for (size_t i = 0; i < d->journey_count; i++) {
        for (unsigned n = 0; d->journeys[i] && n < NAMED_DIMENSIONS; n++)
            sweep_list(d->journeys[i], (enum dimension)n, &s);
    }
    d->waiting = s.waiting;
    d->generation = c->generation;
    if (!s.room || d->told == s.assignment)
        return false;
    d->told = s.assignment;
    return true;
}

void dimensions_name_tenant(struct dimensions *d, unsigned id, const struct heavy_text *text,
                            int64_t unix_now)
{
    d->tenants[id] = (struct tenant_name){ text, unix_now };
}

static void retire_tenant(struct journey_values *v, const struct book *b, unsigned id)
{
    uint64_t counts[DIMENSION_OUTCOMES];

    if (!dimension_counts(v, b, DIMENSION_TENANT, id, counts) || !dimension_counted(counts))
        return;
    if (!v->tenant_base) {
        v->tenant_base = calloc(DIMENSION_VALUES, sizeof(v->tenant_base[0]));
        check(v->tenant_base != NULL);
    }
    for (unsigned o = 0; o < DIMENSION_OUTCOMES; o++) {
        v->tenant_retired[o] += counts[o];
        v->tenant_base[id][o] += counts[o];
    }
    marks_give_to_other(&v->marks, DIMENSION_TENANT, id);
}

void dimensions_retire_tenant(struct dimensions *d, const struct book *b, unsigned id)
{
    for (size_t i = 0; i < d->journey_count; i++) {
        if (d->journeys[i])
            retire_tenant(d->journeys[i], b, id);
    }
    d->tenants[id] = (struct tenant_name){};
}

/* How many of all journeys should have been looked at by now. */
static size_t marks_due(const struct dimensions *d, ns_t now)
{
    ns_t spent = now - d->round_began;

    return spent >= MARK_ROUND
               ? d->journey_count
               : (size_t)(spent / NS_PER_MS) * d->journey_count / (MARK_ROUND / NS_PER_MS);
}

/* A few each second, as many in each, so that no tick has to look at more than its share. */
static void mark_some(struct dimensions *d, const struct book *b, ns_t now)
{
    size_t due = marks_due(d, now);

    for (; d->next_marked < due; d->next_marked++) {
        if (d->journeys[d->next_marked])
            marks_take(d->journeys[d->next_marked], b, now);
    }
    if (d->next_marked < d->journey_count)
        return;
    d->next_marked = 0;
    d->round_began = now;
}

static void open_journeys(struct dimensions *d, ns_t now, int64_t unix_now)
{
    for (size_t i = 0; i < d->journey_count; i++) {
        struct journey_values *v = d->journeys[i];
        if (!v || v->opened)
            continue;
        v->opened = unix_now;
        marks_begin(&v->marks, now);
    }
}

bool dimensions_tick(struct dimensions *d, const struct book *b, const struct publication *p,
                     ns_t now, int64_t unix_now)
{
    const struct config *c = atomic_load_explicit(&p->newest, memory_order_relaxed);
    bool room = false;

    if (!c || d->journey_count == 0)
        return false;
    if (c->generation != d->generation)
        open_journeys(d, now, unix_now);
    if (c->generation != d->generation || d->waiting)
        room = sweep(d, b, p, c, unix_now);
    mark_some(d, b, now);
    return room;
}

void dimensions_close(struct dimensions *d)
{
    for (size_t i = 0; i < d->journey_count; i++) {
        struct journey_values *v = d->journeys[i];
        if (!v)
            continue;
        for (unsigned n = 0; n < NAMED_DIMENSIONS; n++)
            free(v->named[n].values);
        free(v->tenant_base);
        free(v->marks.rows);
        free(v);
    }
    free(d->journeys);
    map_free(&d->names);
    arena_free(&d->arena);
    *d = (struct dimensions){};
}
