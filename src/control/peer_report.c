/* SPDX-License-Identifier: Apache-2.0 */
/* peer_report.c - see peer_report.h. */
#include "control/peer_report.h"

#include "base/check.h"

#include <stdlib.h>

#define SECONDS_MAX  (INT64_C(1) << 40) /* of a time: the year 36812 */
#define SPAN_MAX_S   (INT64_C(800) * 86400)
#define MEASURED_MAX (SPAN_MAX_S * 1000)

enum {
    NODE_MAX = 64,
    VALUE_NAME_MAX = 300,     /* an address is shorter, a tenant cut to less */
    PATH_MAX_BYTES = 13 * 65, /* of core/path_groups.h: as many segments as it keeps, and a rest */
};

static err read_point(const json_t *o, int64_t before, struct report_point *p)
{
    if (!peer_read_seconds(json_object_get(o, "at"), SECONDS_MAX, &p->at) || p->at <= before)
        return err_make("the times of points must grow");
    if (!peer_read_count(json_object_get(o, "good"), PEER_COUNT_MAX, &p->step.good) ||
        !peer_read_count(json_object_get(o, "bad"), PEER_COUNT_MAX, &p->step.bad) ||
        !peer_read_count(json_object_get(o, "window_good"), PEER_COUNT_MAX, &p->window.good) ||
        !peer_read_count(json_object_get(o, "window_bad"), PEER_COUNT_MAX, &p->window.bad) ||
        !peer_read_measured(json_object_get(o, "measured_s"), MEASURED_MAX, &p->step_ms) ||
        !peer_read_measured(json_object_get(o, "window_measured_s"), MEASURED_MAX, &p->window_ms))
        return err_make("a point has wrong numbers: is it an older version?");
    return OK;
}

static err read_history(const json_t *root, struct peer_report *r)
{
    const json_t *points = json_object_get(root, "points");
    size_t count = json_array_size(points);

    if (!peer_read_seconds(json_object_get(root, "step_s"), SPAN_MAX_S, &r->step_s) ||
        r->step_s == 0)
        return err_make("it does not say how long a step is");
    if (!json_is_array(points) || count < REPORT_POINTS_MIN || count > REPORT_POINTS_MAX)
        return err_make("points are missing, or too many");
    r->points = arena_array(&r->arena, struct report_point, count);
    for (size_t i = 0; i < count; i++) {
        TRY(read_point(json_array_get(points, i), i ? r->points[i - 1].at : -1, &r->points[i]));
        r->count++;
    }
    return OK;
}

static err read_what_if(const json_t *root, struct peer_report *r)
{
    if (!peer_read_measured(json_object_get(root, "measured_s"), MEASURED_MAX, &r->measured_ms))
        return err_make("it does not say how much was measured");
    if (!peer_read_bins(&r->arena, json_object_get(root, "latency_bins"), &r->latency))
        return err_make("latency_bins are pairs of a bin and a count, in growing order");
    return OK;
}

static err read_path(const json_t *o, struct peer_report *r, struct report_path *p)
{
    if (!peer_read_text(&r->arena, json_object_get(o, "method"), 16, &p->method) ||
        !peer_read_text(&r->arena, json_object_get(o, "path"), PATH_MAX_BYTES, &p->pattern))
        return err_make("a path has no name");
    if (!peer_read_count(json_object_get(o, "requests"), PEER_COUNT_MAX, &p->requests) ||
        !peer_read_count(json_object_get(o, "failed"), PEER_COUNT_MAX, &p->failed) ||
        !peer_read_count(json_object_get(o, "excluded"), PEER_COUNT_MAX, &p->excluded) ||
        p->failed + p->excluded > p->requests ||
        !peer_read_bins(&r->arena, json_object_get(o, "latency_bins"), &p->latency))
        return err_make("path %s has wrong numbers", p->pattern.p);
    return OK;
}

static err read_unclaimed(const json_t *root, struct peer_report *r)
{
    const json_t *list = json_object_get(root, "paths");
    size_t count = json_array_size(list);

    if (!peer_read_count(json_object_get(root, "requests"), PEER_COUNT_MAX, &r->requests) ||
        !peer_read_count(json_object_get(root, "static"), PEER_COUNT_MAX, &r->assets) ||
        !peer_read_count(json_object_get(root, "not_found"), PEER_COUNT_MAX, &r->unfound) ||
        !peer_read_count(json_object_get(root, "other_methods"), PEER_COUNT_MAX, &r->other_methods))
        return err_make("it does not say how many requests there were");
    if (!json_is_array(list) || count > REPORT_PATHS_MAX)
        return err_make("paths are missing, or too many");
    uint64_t known = r->assets + r->unfound + r->other_methods;
    r->paths = arena_array(&r->arena, struct report_path, count);
    for (size_t i = 0; i < count; i++) {
        TRY(read_path(json_array_get(list, i), r, &r->paths[i]));
        known += r->paths[r->path_count++].requests;
    }
    if (known > r->requests)
        return err_make("its paths have more requests than there were");
    r->lost = r->requests - known;
    return OK;
}

/* Which journey, and which time. */
static err read_about(const json_t *o, uint64_t *ret_definition, int64_t *ret_window_s,
                      int64_t *ret_from)
{
    if (!peer_read_hash(json_object_get(o, "definition"), ret_definition))
        return err_make("it does not say which journey it is about: is it an older version?");
    if (!peer_read_seconds(json_object_get(o, "window_s"), SPAN_MAX_S, ret_window_s) ||
        !peer_read_seconds(json_object_get(o, "from"), SECONDS_MAX, ret_from))
        return err_make("it does not say which time it is about");
    return OK;
}

/* ---- where journeys fail */

/* Any name that a person could read; a tenant's and a release's may have blanks. */
static bool read_name(struct arena *a, const json_t *v, struct span *ret)
{
    struct span s = { json_string_value(v), json_string_length(v) };

    if (!s.p || s.n == 0 || s.n > VALUE_NAME_MAX)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
            return false;
    }
    *ret = arena_span(a, s);
    return true;
}

static bool read_kind(const json_t *v, enum entry_kind *ret)
{
    static const char *const words[] = {
        [ENTRY_IS_VALUE] = "value", [ENTRY_IS_NONE] = "none", [ENTRY_IS_OTHER] = "other"
    };
    const char *word = json_string_value(v);

    for (size_t i = 0; word && i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(word, words[i]) == 0) {
            *ret = (enum entry_kind)i;
            return true;
        }
    }
    return false;
}

static err read_value(struct arena *a, const json_t *o, struct dimension_row *r)
{
    static const char *const outcomes[DIMENSION_OUTCOMES] = { "good", "slow", "failed",
                                                              "excluded" };
    const json_t *service = json_object_get(o, "service");
    const json_t *gone = json_object_get(o, "gone");

    if (!read_name(a, json_object_get(o, "value"), &r->text) ||
        (!json_is_null(service) && !read_name(a, service, &r->service)) ||
        !read_kind(json_object_get(o, "kind"), &r->kind) || !json_is_boolean(gone) ||
        !peer_read_seconds(json_object_get(o, "since"), SECONDS_MAX, &r->since))
        return err_make("a value of a dimension is not understood");
    r->gone = json_is_true(gone);
    for (unsigned i = 0; i < DIMENSION_OUTCOMES; i++) {
        if (!peer_read_count(json_object_get(o, outcomes[i]), PEER_COUNT_MAX, &r->counts[i]))
            return err_make("a value of a dimension has wrong numbers");
    }
    return OK;
}

static err read_values(struct arena *a, const json_t *list, struct report_journey *j)
{
    if (!json_is_array(list) || json_array_size(list) > REPORT_DIMENSIONS_MAX)
        return err_make("dimensions are missing, or too many");
    j->values = arena_array(a, struct report_value, REPORT_VALUES_MAX);
    for (size_t d = 0; d < json_array_size(list); d++) {
        const json_t *o = json_array_get(list, d);
        const json_t *values = json_object_get(o, "values");
        const char *word = json_string_value(json_object_get(o, "dimension"));
        int which;
        if (!word || !json_is_array(values) || json_array_size(values) > DIMENSION_ENTRIES)
            return err_make("the values of a dimension are missing, or too many");
        if (!dimension_find(span_from_text(word), &which))
            continue; /* of a later version */
        if (j->value_count + json_array_size(values) > REPORT_VALUES_MAX)
            return err_make("a dimension comes twice");
        for (size_t i = 0; i < json_array_size(values); i++) {
            struct report_value *v = &j->values[j->value_count++];
            v->dimension = (enum dimension)which;
            TRY(read_value(a, json_array_get(values, i), &v->row));
        }
    }
    return OK;
}

static err read_dimensions(const json_t *root, struct peer_report *r)
{
    const json_t *list = json_object_get(root, "journeys");

    if (!json_is_array(list) || json_array_size(list) > REPORT_JOURNEYS_MAX)
        return err_make("journeys are missing, or too many");
    r->journeys = arena_array(&r->arena, struct report_journey, json_array_size(list));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *o = json_array_get(list, i);
        struct report_journey *j = &r->journeys[r->journey_count++];
        if (!peer_read_text(&r->arena, json_object_get(o, "journey"), NODE_MAX, &j->name))
            return err_make("a journey has no name");
        TRY(read_about(o, &j->definition, &j->window_s, &j->from));
        TRY(read_values(&r->arena, json_object_get(o, "dimensions"), j));
    }
    return OK;
}

const struct report_journey *peer_report_journey(const struct peer_report *r, struct span name)
{
    for (size_t i = 0; i < r->journey_count; i++) {
        if (span_equal(r->journeys[i].name, name))
            return &r->journeys[i];
    }
    return NULL;
}

/* ---- what all have */

static err read_node(const json_t *root, struct peer_report *r)
{
    if (!json_is_object(root) ||
        !peer_read_text(&r->arena, json_object_get(root, "node"), NODE_MAX, &r->node))
        return err_make("it does not say who it is: is it an older version?");
    return OK;
}

static err read_head(const json_t *root, struct peer_report *r)
{
    TRY(read_node(root, r));
    return read_about(root, &r->definition, &r->window_s, &r->from);
}

static err read(struct span body, err (*head)(const json_t *, struct peer_report *),
                err (*rest)(const json_t *, struct peer_report *), struct peer_report **ret)
{
    json_t *root;

    TRY(peer_read_json(body, &root));
    struct peer_report *r = calloc(1, sizeof(*r));
    check(r != NULL);
    err e = head(root, r);
    if (!e.failed)
        e = rest(root, r);
    json_decref(root);
    if (e.failed)
        peer_report_free(r);
    else
        *ret = r;
    return e;
}

err peer_report_history(struct span body, struct peer_report **ret)
{
    return read(body, read_head, read_history, ret);
}

err peer_report_what_if(struct span body, struct peer_report **ret)
{
    return read(body, read_head, read_what_if, ret);
}

err peer_report_unclaimed(struct span body, struct peer_report **ret)
{
    return read(body, read_node, read_unclaimed, ret);
}

err peer_report_dimensions(struct span body, struct peer_report **ret)
{
    return read(body, read_node, read_dimensions, ret);
}

void peer_report_free(struct peer_report *r)
{
    if (r)
        arena_free(&r->arena);
    free(r);
}
