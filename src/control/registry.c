/* SPDX-License-Identifier: Apache-2.0 */
/* registry.c - one map from a thing's lasting name to its identity. Keys begin with the kind. */
#include "control/registry.h"

#include "base/check.h"
#include "control/config_file.h"
#include "core/histogram.h"
#include "core/series.h"

struct registered {
    uint32_t id;
    uint32_t slots; /* first of its counters; 0: it has none */
    uint32_t bulk;  /* and of those that are seldom read */
};

static const struct registered *identify(struct registry *r, const char *key, uint32_t *next_id,
                                         uint32_t slot_count, uint32_t bulk_count)
{
    struct registered *found = map_get(&r->ids, span_from_text(key));

    if (found)
        return found;
    found = arena_new(&r->arena, struct registered);
    if (next_id)
        found->id = (*next_id)++;
    if (slot_count)
        found->slots = slot_take(&r->slots, slot_count);
    if (bulk_count)
        found->bulk = slot_take_bulk(&r->slots, bulk_count);
    map_put(&r->ids, arena_span(&r->arena, span_from_text(key)), found);
    return found;
}

void registry_open(struct registry *r)
{
    *r = (struct registry){};
    slot_allocator_init(&r->slots);
    r->edge.counters = slot_take(&r->slots, EDGE_COUNTER_COUNT);
    r->edge.endings = slot_take(&r->slots, ENDING_COUNT);
    r->edge.state_time = slot_take(&r->slots, EXCHANGE_STATE_COUNT * STATE_TIME_BINS);
    r->edge.state_sum = slot_take(&r->slots, EXCHANGE_STATE_COUNT);
    r->edge.said = slot_take(&r->slots, 1);
}

void registry_close(struct registry *r)
{
    dimensions_close(&r->dimensions);
    map_free(&r->ids);
    arena_free(&r->arena);
}

/* What a configuration needs at most, if nothing of it were known. */
static uint64_t slots_needed(const struct config *c)
{
    uint64_t n = c->journey_count * (VERDICT_COUNTERS_MAX + SERIES_MAX + HISTOGRAM_BINS +
                                     (c->service_count + 1) * CODE_CLASSES + DIMENSIONS_SLOTS_MAX);

    for (size_t i = 0; i < c->service_count; i++)
        n += SERVICE_SLOTS + c->services[i].instance_count * INSTANCE_SLOTS;
    return n;
}

static void assign_service(struct registry *r, struct arena *a, struct service *s)
{
    const char *key = arena_print(a, "service %.*s", SPAN_ARG(s->name));

    const struct registered *service = identify(r, key, &r->services, SERVICE_SLOTS, 0);

    s->id = service->id;
    s->slots = service->slots;
    for (size_t i = 0; i < s->instance_count; i++) {
        struct instance *in = &s->instances[i];
        const struct registered *known =
            identify(r, arena_print(a, "instance %.*s %.*s", SPAN_ARG(s->name), SPAN_ARG(in->text)),
                     &r->instances, INSTANCE_SLOTS, 0);
        in->id = known->id;
        in->slots = known->slots;
        in->said = known->slots + INSTANCE_COUNTER_COUNT;
    }
}

static void assign_journey(struct registry *r, struct arena *a, const struct config *c,
                           struct journey *j)
{
    const char *key =
        arena_print(a, "journey %.*s %016lx", SPAN_ARG(j->name), (unsigned long)j->definition);
    /* the definition, which is in the key, says how many: what comes back finds as many as it had */
    bool more = j->kind == JOURNEY_STEPS || j->query;
    j->rules = config_rules(j);
    unsigned verdicts = verdict_counters(&j->rules.objectives);
    const struct registered *known =
        identify(r, key, &r->journeys, verdicts + (more ? SERIES_MAX : 0), HISTOGRAM_BINS);
    uint32_t *codes = arena_array(a, uint32_t, c->service_count + 1);

    j->id = known->id;
    j->slots = (struct journey_slots){ .verdicts = known->slots,
                                       .histogram = known->bulk,
                                       .series = more ? known->slots + verdicts : 0 };
    for (size_t s = 0; s <= c->service_count; s++) {
        struct span service = s < c->service_count ? c->services[s].name : SPAN("");
        codes[s] =
            identify(r, arena_print(a, "codes %.*s %.*s", SPAN_ARG(j->name), SPAN_ARG(service)),
                     NULL, 0, CODE_CLASSES)
                ->bulk;
    }
    j->codes = codes;
}

err registry_assign(struct registry *r, struct config *c)
{
    if (slots_needed(c) > slots_left(&r->slots))
        return err_make("the counters are used up: too many journeys and services came and went; "
                        "a restart begins anew and keeps what was counted");
    for (size_t i = 0; i < c->service_count; i++)
        assign_service(r, &c->arena, &c->services[i]);
    for (size_t i = 0; i < c->journey_count; i++)
        assign_journey(r, &c->arena, c, &c->journeys[i]);
    dimensions_assign(&r->dimensions, &r->slots, c);
    return OK;
}
