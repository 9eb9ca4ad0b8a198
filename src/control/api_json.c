/* SPDX-License-Identifier: Apache-2.0 */
/* api_json.c - journeys and services as JSON. Shares are numbers from 0 to 1, times are seconds, counts
 * are integers; what is not known is null. */
#include "control/api.h"

#include "base/log.h"
#include "control/api_table.h"
#include "control/control.h"
#include "control/figures.h"
#include "control/view.h"

#include <jansson.h>
#include <stdlib.h>

static json_t *text(struct span s)
{
    return s.n ? json_stringn(s.p, s.n) : json_null();
}

static json_t *count(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static void set(json_t *object, const char *key, json_t *value)
{
    int failed = json_object_set_new(object, key, value);
    check(!failed);
}

void api_put_json(struct str *out, json_t *root)
{
    char *dump = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(12));

    check(dump != NULL);
    str_text(out, dump);
    str_char(out, '\n');
    free(dump);
    json_decref(root);
}

static json_t *ms(int64_t value)
{
    return json_real((double)value / 1000);
}

static json_t *loss_json(const struct loss *l)
{
    bool known = l->lived_ms != 0;
    json_t *o = json_object();

    set(o, "from", ms(l->stored_ms));
    set(o, "lived_until", known ? ms(l->lived_ms) : json_null());
    set(o, "back", ms(l->back_ms));
    set(o, "lost_s", known ? ms(l->lived_ms - l->stored_ms) : json_null());
    set(o, "down_s", known ? ms(l->back_ms - l->lived_ms) : json_null());
    return o;
}

json_t *api_losses(const struct control *c, int64_t from, int64_t to)
{
    json_t *list = json_array();

    for (size_t i = 0; i < c->loss_count; i++) {
        const struct loss *l = &c->losses[i];
        if (l->back_ms / 1000 >= from && l->stored_ms / 1000 <= to)
            json_array_append_new(list, loss_json(l));
    }
    return list;
}

/* How the store is, in words. */
static json_t *store_json(const struct control *c)
{
    const struct book *b = &c->book;
    json_t *o = json_object();

    set(o, "state", json_string(c->parts.scribe ? store_trouble_word(b->trouble_kind) : "none"));
    set(o, "meaning", json_string(store_trouble_meaning(b->trouble_kind)));
    set(o, "text", b->trouble.failed ? json_string(b->trouble.text) : json_null());
    set(o, "since", b->trouble_since ? json_integer(b->trouble_since) : json_null());
    set(o, "stored_at", b->written_at ? json_integer(b->written_at) : json_null());
    set(o, "opening_anew", json_boolean(c->renewal.out));
    set(o, "opening_anew_failed",
        c->renewal.failed.failed ? json_string(c->renewal.failed.text) : json_null());
    set(o, "losses", api_losses(c, 0, INT64_MAX));
    return o;
}

static json_t *node_head(const struct control *c)
{
    json_t *o = json_object();

    set(o, "node", json_string(c->parts.node));
    set(o, "version", json_string(c->parts.version));
    set(o, "state",
        json_string(c->state != CONTROL_SERVING ? "stopping"
                    : c->listening              ? "serving"
                                                : "starting"));
    set(o, "started_at", json_integer(c->started_at));
    set(o, "uptime_s", json_integer((c->reactor->now - c->started) / NS_PER_S));
    set(o, "generation", count(control_config(c)->generation));
    set(o, "stored_at", c->book.written_at ? json_integer(c->book.written_at) : json_null());
    set(o, "adopted", json_boolean(publication_adopted(&c->publication)));
    set(o, "nodes", count(peers_nodes(c)));
    set(o, "nodes_heard", count(peers_nodes_heard(c)));
    set(o, "drift", count(c->overlay.count));
    set(o, "store", store_json(c));
    set(o, "store_trouble",
        c->book.trouble.failed ? json_string(c->book.trouble.text) : json_null());
    return o;
}

static json_t *counts_json(const uint64_t counts[SERIES_MAX])
{
    json_t *o = json_object();

    set(o, "good", count(counts[SERIES_GOOD]));
    set(o, "slow", count(counts[SERIES_SLOW]));
    set(o, "failed", count(counts[SERIES_FAILED]));
    set(o, "excluded", count(counts[SERIES_EXCLUDED]));
    return o;
}

static json_t *known(enum slo_state state, double figure)
{
    return state == SLO_NO_DATA ? json_null() : json_real(figure);
}

static json_t *window_json(const struct figures *f, const char *word)
{
    json_t *o = json_object();

    set(o, "window", json_string(word));
    set(o, "seconds", json_integer(f->window_s));
    set(o, "good", count(f->counts.good));
    set(o, "bad", count(f->counts.bad));
    set(o, "share", known(f->state, f->share));
    set(o, "burn", known(f->state, f->burn));
    set(o, "measured_s", json_real(f->measured_s));
    set(o, "coverage", json_real(f->coverage));
    return o;
}

/* The lookbacks; its own window is the objective itself. */
static json_t *windows_json(const struct control *c, const struct journey *j, unsigned o)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < LOOKBACK_COUNT; i++) {
        struct figures f = figures_of(c, j, o, lookbacks[i].seconds);
        json_array_append_new(list, window_json(&f, lookbacks[i].word));
    }
    return list;
}

json_t *api_objective(const struct control *c, const struct journey *journey, unsigned number)
{
    const struct objective *o = &journey->objectives[number];
    struct figures f = figures_own(c, journey, number);
    json_t *j = json_object();
    double days;

    set(j, "name", text(o->name));
    set(j, "target", json_real(o->target));
    set(j, "window_s", json_integer(o->window_s));
    set(j, "age_under_s",
        o->age_under ? json_real((double)o->age_under / (double)NS_PER_S) : json_null());
    set(j, "under_s", o->under ? json_real((double)o->under / (double)NS_PER_S) : json_null());
    set(j, "good", count(f.counts.good));
    set(j, "bad", count(f.counts.bad));
    set(j, "share", known(f.state, f.share));
    set(j, "met", f.state == SLO_NO_DATA ? json_null() : json_boolean(f.state == SLO_MET));
    set(j, "budget_left", known(f.state, f.budget_left));
    set(j, "bad_left",
        f.state == SLO_NO_DATA ? json_null()
                               : json_integer(slo_bad_left(slo_target(o->target), f.counts)));
    set(j, "burn", known(f.state, f.burn));
    set(j, "days_left",
        figures_days_left(c, journey, number, &days) ? json_real(days) : json_null());
    set(j, "measured_s", json_real(f.measured_s));
    set(j, "coverage", json_real(f.coverage));
    set(j, "windows", windows_json(c, journey, number));
    return j;
}

static json_t *latency_json(const struct control *c, const struct journey *j)
{
    static const struct {
        const char *name;
        uint32_t ppm;
    } marks[] = { { "p50", 500000 }, { "p95", 950000 }, { "p99", 990000 } };
    uint64_t bins[HISTOGRAM_BINS];
    json_t *o = json_object();

    figures_histogram(c, j, bins);
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        ns_t t = histogram_percentile(bins, marks[i].ppm);
        set(o, marks[i].name, t < 0 ? json_null() : json_real((double)t / (double)NS_PER_S));
    }
    return o;
}

static json_t *journey_json(const struct control *c, const struct journey *j)
{
    static const char *const kinds[] = {
        [JOURNEY_REQUESTS] = "request", [JOURNEY_JOBS] = "job", [JOURNEY_STEPS] = "steps"
    };
    const struct account *a = book_account(&c->book, j);
    uint64_t live[SERIES_MAX];
    uint64_t all[SERIES_MAX];
    json_t *o = json_object();
    json_t *objectives = json_array();

    book_live(&c->book, a, live);
    figures_totals(c, j, all);
    set(o, "name", text(j->name));
    set(o, "owner", text(j->owner));
    set(o, "runbook", text(j->runbook));
    set(o, "priority",
        json_string(j->priority == PRIORITY_MUST_HAVE ? "must-have" : "nice-to-have"));
    set(o, "version", count(a->number));
    set(o, "kind", json_string(kinds[j->kind]));
    set(o, "this_run", counts_json(live));
    set(o, "counts", counts_json(all));
    for (unsigned i = 0; i < j->objective_count; i++)
        json_array_append_new(objectives, api_objective(c, j, i));
    set(o, "objectives", objectives);
    set(o, "steps", j->kind == JOURNEY_STEPS ? api_funnel(c, j) : json_null());
    set(o, "query", api_job_query(c, j));
    set(o, "latency_s", latency_json(c, j));
    set(o, "rate_per_s", json_real(figures_rate(c, j)));
    set(o, "note", a->note ? json_string(a->note) : json_null());
    return o;
}

void api_journeys(struct api_call *k)
{
    struct control *c = k->control;
    const struct config *config = control_config(c);
    json_t *root = node_head(c);
    json_t *list = json_array();

    for (size_t i = 0; i < config->journey_count; i++)
        json_array_append_new(list, journey_json(c, &config->journeys[i]));
    set(root, "journeys", list);
    api_put_json(&k->out, root);
}

static double seconds_of(ns_t t)
{
    return (double)t / (double)NS_PER_S;
}

static json_t *check_json(const struct check *k)
{
    if (!k)
        return json_null();
    return json_pack("{s:b, s:b, s:I, s:o, s:f}", "up", k->up, "checked", k->checked, "since",
                     (json_int_t)k->since, "failure", text(span_from_text(k->why)), "took_s",
                     seconds_of(k->took));
}

static void set_counters(const struct control *c, json_t *o, const char *const *names,
                         uint32_t slots, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        char key[64];
        size_t k = 0;
        for (; names[i][k] && k + 1 < sizeof(key); k++)
            key[k] = ascii_lower(names[i][k]);
        key[k] = '\0';
        set(o, key, count(book_sum(&c->book, slots + i)));
    }
}

/* How the other nodes say that it is: each judges for itself. */
static json_t *nodes_json(const struct control *c, const struct service *s,
                          const struct instance *in)
{
    json_t *list = json_array();

    for (size_t i = 0; i < c->peers.count; i++) {
        const struct peer *p = &c->peers.list[i];
        if (peer_state(c, p) != PEER_HEARD)
            continue;
        struct span state = peer_counts_state(p->counts, s->name, in->text);
        if (state.n)
            json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "peer", p->text.p, "node",
                                                  p->counts->node.p, "state", state.p));
    }
    return list;
}

static json_t *instance_json(const struct control *c, const struct service *s,
                             const struct instance *in)
{
    static const char *const names[] = {
#define X(name, kind, metric, help) #name,
        INSTANCE_COUNTERS(X)
#undef X
    };
    static const char *const origins[] = { "file", "api", "dns" };
    struct instance_view v = view_instance(c, s, in);
    json_t *o = json_object();

    set(o, "address", text(in->text));
    set(o, "name", text(in->from));
    set(o, "origin", json_string(origins[in->origin]));
    set(o, "release", text(in->release));
    set(o, "zone", text(in->zone));
    set(o, "weight", json_integer(in->weight));
    set(o, "drained", json_boolean(in->drain));
    set(o, "state", json_string(v.word));
    set(o, "ejected_for_s", v.ejected_for ? json_real(seconds_of(v.ejected_for)) : json_null());
    set(o, "check", check_json(v.check));
    set(o, "nodes", nodes_json(c, s, in));
    set_counters(c, o, names, in->slots, INSTANCE_COUNTER_COUNT);
    return o;
}

static json_t *would_json(const struct control *c, const struct service *s)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < WOULD_COUNT; i++) {
        uint64_t n = view_would_count(c, s, (enum would)i);
        if (n)
            json_array_append_new(list,
                                  json_pack("{s:s, s:s, s:o}", "action", view_would[i].action,
                                            "reason", view_would[i].reason, "count", count(n)));
    }
    return list;
}

static json_t *service_json(const struct control *c, const struct service *s)
{
    static const char *const names[] = {
#define X(name, kind, metric, help) #name,
        SERVICE_COUNTERS(X)
#undef X
    };
    static const char *const balances[] = { "p2c", "least-requests", "round-robin", "hash" };
    json_t *o = json_object();
    json_t *instances = json_array();

    set(o, "name", text(s->name));
    set(o, "owner", text(s->owner));
    set(o, "environment", text(s->environment));
    set(o, "class", text(s->class_));
    set(o, "mode", json_string(s->mode == MODE_OBSERVE ? "observe" : "act"));
    set(o, "balance", json_string(balances[s->balance]));
    set_counters(c, o, names, s->slots, SERVICE_COUNTER_COUNT);
    set(o, "would", would_json(c, s));
    for (size_t i = 0; i < s->instance_count; i++)
        json_array_append_new(instances, instance_json(c, s, &s->instances[i]));
    set(o, "instances", instances);
    return o;
}

void api_services(struct api_call *k)
{
    struct control *c = k->control;
    const struct config *config = control_config(c);
    json_t *root = node_head(c);
    json_t *list = json_array();

    for (size_t i = 0; i < config->service_count; i++)
        json_array_append_new(list, service_json(c, &config->services[i]));
    set(root, "services", list);
    api_put_json(&k->out, root);
}
