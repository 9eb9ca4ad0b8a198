/* SPDX-License-Identifier: Apache-2.0 */
/* events.c - reading events of jobs. An event is an object:
 *     journey     name of a journey with kind: job
 *     outcome     good, slow, failed, excluded, as instances tell of their answers (plane/http/told.c)
 *     duration_s  how long the job ran, or
 *     age_s       how long ago it was asked for; good and slow ones need one of the two
 *     id          whatever tells this event from others; the same again is not counted again
 *     at          unix seconds at which it ended; within the last six hours, which the ring knows (book_late.c) */
#include "control/events.h"

#include "base/check.h"
#include "core/window.h"

#include <jansson.h>
#include <stdlib.h>

enum {
    AT_AGO_MAX_S = WINDOW_SPAN_S, /* nothing older can be counted where it belongs */
    AT_AHEAD_MAX_S = 60,          /* clocks of workers differ */
};

struct reading {
    const struct config *config;
    uint64_t key;
    int64_t unix_now;
    size_t index;
};

static const char *const outcomes[] = { [OUTCOME_GOOD] = "good",
                                        [OUTCOME_SLOW] = "slow",
                                        [OUTCOME_FAILED] = "failed",
                                        [OUTCOME_EXCLUDED] = "excluded" };

static err check_keys(const struct reading *r, json_t *o)
{
    static const char *const keys[] = { "journey", "outcome", "duration_s", "age_s", "id", "at" };
    const char *key;
    json_t *ignored;

    json_object_foreach (o, key, ignored) {
        bool known = false;
        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
            known |= strcmp(key, keys[i]) == 0;
        if (!known)
            return err_make("event %zu: '%.64s' is not known; an event has journey, outcome, and "
                            "perhaps duration_s or age_s, id, at",
                            r->index, key);
    }
    return OK;
}

static err read_journey(const struct reading *r, json_t *o, struct event *ret)
{
    json_t *v = json_object_get(o, "journey");
    struct span name = { json_string_value(v), json_string_length(v) };

    if (!name.p)
        return err_make("event %zu: journey is missing, the name of a journey with kind: job",
                        r->index);
    for (size_t i = 0; i < r->config->journey_count; i++) {
        const struct journey *j = &r->config->journeys[i];
        if (!span_equal(name, j->name))
            continue;
        if (j->kind != JOURNEY_JOBS)
            return err_make("event %zu: '%.*s' is a journey of %s, which are counted by themselves",
                            r->index, SPAN_ARG(j->name),
                            j->kind == JOURNEY_STEPS ? "steps" : "requests");
        ret->journey = j;
        return OK;
    }
    return err_make("event %zu: there is no journey '%.*s'", r->index,
                    (int)(name.n < 64 ? name.n : 64), name.p);
}

bool event_outcome(struct span word, enum outcome *ret)
{
    for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
        if (span_equal(word, span_from_text(outcomes[i]))) {
            *ret = (enum outcome)i;
            return true;
        }
    }
    return false;
}

static err read_outcome(const struct reading *r, json_t *o, struct event *ret)
{
    json_t *v = json_object_get(o, "outcome");

    if (event_outcome(span_of(json_string_value(v), json_string_length(v)), &ret->outcome))
        return OK;
    return err_make("event %zu: outcome is one of: good, slow, failed, excluded", r->index);
}

static err read_took(const struct reading *r, json_t *o, struct event *ret)
{
    json_t *duration = json_object_get(o, "duration_s");
    json_t *age = json_object_get(o, "age_s");
    json_t *v = duration ? duration : age;
    bool needed = ret->outcome == OUTCOME_GOOD || ret->outcome == OUTCOME_SLOW;

    if (!v && !needed)
        return OK;
    if (!v || (duration && age))
        return err_make("event %zu: it needs one of duration_s (how long the job took) and age_s "
                        "(how long ago it was asked for)",
                        r->index);
    double s = json_number_value(v);
    if (!json_is_number(v) || !(s >= 0 && s <= EVENT_TOOK_MAX_S))
        return err_make("event %zu: duration_s and age_s are seconds, from 0 to %d", r->index,
                        EVENT_TOOK_MAX_S);
    ret->took = (ns_t)(s * (double)NS_PER_S);
    return OK;
}

static err read_id(const struct reading *r, json_t *o, struct event *ret)
{
    json_t *v = json_object_get(o, "id");
    struct span id = { json_string_value(v), json_string_length(v) };

    check(ret->journey != NULL);
    if (!v)
        return OK;
    if (!id.p || id.n == 0 || id.n > EVENT_ID_MAX)
        return err_make("event %zu: id is a text of 1 to %d bytes", r->index, EVENT_ID_MAX);
    uint64_t mark = span_hash(id, span_hash(ret->journey->name, r->key));
    ret->mark = mark ? mark : 1;
    return OK;
}

static err read_at(const struct reading *r, json_t *o, struct event *ret)
{
    json_t *v = json_object_get(o, "at");
    double ago = (double)r->unix_now - json_number_value(v);

    if (!v)
        return OK;
    if (!json_is_number(v) || !(ago >= -AT_AHEAD_MAX_S && ago <= AT_AGO_MAX_S))
        return err_make("event %zu: at is unix seconds within the last %d hours", r->index,
                        AT_AGO_MAX_S / 3600);
    ret->ago = ago > 0 ? (ns_t)(ago * (double)NS_PER_S) : 0;
    return OK;
}

static err read_event(const struct reading *r, json_t *o, struct event *ret)
{
    *ret = (struct event){};
    if (!json_is_object(o))
        return err_make("event %zu: it is no object", r->index);
    TRY(check_keys(r, o));
    TRY(read_journey(r, o, ret));
    TRY(read_outcome(r, o, ret));
    TRY(read_took(r, o, ret));
    TRY(read_id(r, o, ret));
    return read_at(r, o, ret);
}

static err read_array(struct reading *r, json_t *array, struct event *list)
{
    for (r->index = 0; r->index < json_array_size(array); r->index++)
        TRY(read_event(r, json_array_get(array, r->index), &list[r->index]));
    return OK;
}

err events_read(struct span body, const struct config *c, uint64_t key, int64_t unix_now,
                struct event **ret_list, size_t *ret_count)
{
    struct reading r = { .config = c, .key = key, .unix_now = unix_now };
    json_error_t wrong;
    json_t *array = json_loadb(body.p ? body.p : "", body.n, JSON_REJECT_DUPLICATES, &wrong);

    if (!array)
        return err_make("the body is not JSON: line %d, column %d", wrong.line, wrong.column);
    size_t n = json_array_size(array);
    if (!json_is_array(array) || n > EVENTS_MAX) {
        json_decref(array);
        return err_make("the body is an array of events, at most %d", EVENTS_MAX);
    }
    struct event *list = calloc(n ? n : 1, sizeof(*list));
    check(list != NULL);
    err e = read_array(&r, array, list);
    json_decref(array);
    if (e.failed) {
        free(list);
        return e;
    }
    *ret_list = list;
    *ret_count = n;
    return OK;
}
