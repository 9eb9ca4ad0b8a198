/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c - everything that is counted, for Prometheus: base units, `_total` on counters, buckets whose edges are the
 * objectives' thresholds, exemplars where a number is worth a look. docs/metrics.md lists it all; test/metrics/run
 * compares the two.
 * Next: metrics_text.h, how it is written; duration_buckets.h. */
#include "control/api.h"

#include "control/api_table.h"
#include "control/control.h"
#include "control/figures.h"
#include "control/metrics_text.h"
#include "control/view.h"

#include <math.h>

struct counter_row {
    enum metric_kind kind;
    const char *metric, *help;
};

#define X(name, kind, metric, help) { METRIC_##kind, metric, help },
static const struct counter_row edge_rows[] = { EDGE_COUNTERS(X) };
static const struct counter_row instance_rows[] = { INSTANCE_COUNTERS(X) };
static const struct counter_row service_rows[] = { SERVICE_COUNTERS(X) };
#undef X

/* A sample with nothing but its node. */
static void write_one(struct metrics_text *t, enum metric_kind kind, const char *name,
                      const char *help, uint64_t value)
{
    metrics_family(t, kind, name, help);
    metrics_sample(t, "");
    metrics_count(t, value);
}

/* ---- the edge and its instances */

static void write_edge(struct control *c, struct metrics_text *t)
{
    for (uint32_t i = 0; i < EDGE_COUNTER_COUNT; i++)
        write_one(t, edge_rows[i].kind, edge_rows[i].metric, edge_rows[i].help,
                  book_sum(&c->book, c->registry.edge.counters + i));
    metrics_family(t, METRIC_counter, "evenkeel_http_endings_total",
                   "Requests that did not end with a whole answer of an instance, by reason.");
    for (uint32_t i = 1; i < ENDING_COUNT; i++) {
        if (i == ENDING_HTTP1) /* not a reason: the parser's "good" */
            continue;
        metrics_sample(t, "");
        metrics_label(t, "reason", span_from_text(ending_code((enum ending)i)));
        metrics_count(t, book_sum(&c->book, c->registry.edge.endings + i));
    }
}

static void begin_instance(struct metrics_text *t, const struct service *s,
                           const struct instance *i)
{
    metrics_sample(t, "");
    metrics_label(t, "service", s->name);
    metrics_label(t, "instance", i->text);
}

static void write_instances(struct control *c, struct metrics_text *t)
{
    const struct config *config = control_config(c);

    for (uint32_t i = 0; i < INSTANCE_COUNTER_COUNT; i++) {
        metrics_family(t, instance_rows[i].kind, instance_rows[i].metric, instance_rows[i].help);
        for (size_t s = 0; s < config->service_count; s++) {
            const struct service *service = &config->services[s];
            for (size_t k = 0; k < service->instance_count; k++) {
                begin_instance(t, service, &service->instances[k]);
                metrics_count(t, book_sum(&c->book, service->instances[k].slots + i));
            }
        }
    }
}

/* Services by their own names, with what those that observe would have done. */
static void write_services(struct control *c, struct metrics_text *t)
{
    const struct config *config = control_config(c);

    for (uint32_t i = 0; i < SERVICE_COUNTER_COUNT; i++) {
        metrics_family(t, service_rows[i].kind, service_rows[i].metric, service_rows[i].help);
        for (size_t s = 0; s < config->service_count; s++) {
            metrics_sample(t, "");
            metrics_label(t, "service", config->services[s].name);
            metrics_count(t, book_sum(&c->book, config->services[s].slots + i));
        }
    }
    metrics_family(t, METRIC_counter, "evenkeel_would_total",
                   "What services in observe mode would have done, by action and reason.");
    for (size_t s = 0; s < config->service_count; s++) {
        for (uint32_t i = 0; i < WOULD_COUNT; i++) {
            uint64_t n = view_would_count(c, &config->services[s], (enum would)i);
            if (n == 0 && config->services[s].mode != MODE_OBSERVE)
                continue;
            metrics_sample(t, "");
            metrics_label(t, "service", config->services[s].name);
            metrics_label(t, "action", span_from_text(view_would[i].action));
            metrics_label(t, "reason", span_from_text(view_would[i].reason));
            metrics_count(t, n);
        }
    }
}

/* What control knows of each instance: may it be used? */
static void write_health(struct control *c, struct metrics_text *t)
{
    const struct config *config = control_config(c);

    metrics_family(
        t, METRIC_gauge, "evenkeel_instance_up",
        "1 while an instance's active checks are good, or it has none; 0 while they are not.");
    for (size_t s = 0; s < config->service_count; s++) {
        const struct service *service = &config->services[s];
        for (size_t i = 0; i < service->instance_count; i++) {
            const struct check *k = checker_find(&c->checker, &service->instances[i]);
            begin_instance(t, service, &service->instances[i]);
            metrics_count(t, !k || k->up);
        }
    }
    metrics_family(t, METRIC_gauge, "evenkeel_instance_ejected",
                   "1 while an instance is left alone because it failed requests.");
    for (size_t s = 0; s < config->service_count; s++) {
        const struct service *service = &config->services[s];
        for (size_t i = 0; i < service->instance_count; i++) {
            begin_instance(t, service, &service->instances[i]);
            metrics_count(t, view_instance(c, service, &service->instances[i]).ejected_for > 0);
        }
    }
    write_one(t, METRIC_gauge, "evenkeel_changes", "Changes at run time that differ from the file.",
              c->overlay.count);
    write_one(t, METRIC_gauge, "evenkeel_event_streams",
              "Clients that listen to /api/v1/events now.", c->notices.watchers.count);
    write_one(t, METRIC_counter, "evenkeel_admin_tokens_refused_total",
              "Tokens shown at the admin address that were not right.", c->access.refused);
}

/* Which of the other nodes are heard. */
static void write_peers(struct control *c, struct metrics_text *t)
{
    if (c->peers.count == 0)
        return;
    metrics_family(
        t, METRIC_gauge, "evenkeel_peer_up",
        "1 while a peer answers and its counters are summed on the page and in the API, else 0.");
    for (size_t i = 0; i < c->peers.count; i++) {
        metrics_sample(t, "");
        metrics_label(t, "peer", c->peers.list[i].text);
        metrics_count(t, peer_state(c, &c->peers.list[i]) == PEER_HEARD);
    }
}

static void write_state_times(struct control *c, struct metrics_text *t)
{
    metrics_family(t, METRIC_histogram, "evenkeel_http_state_seconds",
                   "Time that requests spent in each state.");
    for (uint32_t s = 0; s + 1 < EXCHANGE_STATE_COUNT; s++) {
        struct span state = span_from_text(exchange_states[s].name);
        uint64_t sum = 0;
        for (uint32_t i = 0; i < STATE_TIME_BINS; i++) {
            sum += book_sum(&c->book, c->registry.edge.state_time + s * STATE_TIME_BINS + i);
            metrics_sample(t, "_bucket");
            metrics_label(t, "state", state);
            metrics_edge(t, i + 1 < STATE_TIME_BINS ? NS_PER_US << i : NS_NEVER);
            metrics_count(t, sum);
        }
        metrics_sample(t, "_sum");
        metrics_label(t, "state", state);
        metrics_number(t, (double)book_sum(&c->book, c->registry.edge.state_sum + s) / 1e6);
        metrics_sample(t, "_count");
        metrics_label(t, "state", state);
        metrics_count(t, sum);
    }
}

/* ---- journeys */

/* The newest of all reactors. */
static bool find_exemplar(const struct control *c, const struct journey *j, enum outcome kind,
                          struct exemplar *ret)
{
    bool found = false;

    for (size_t i = 0; i < c->parts.worker_count; i++) {
        struct exemplar x;
        if (!exemplar_get(&c->parts.workers[i].exemplars, j->id, kind, &x))
            continue;
        if (!found || x.at > ret->at)
            *ret = x;
        found = true;
    }
    return found;
}

static ns_t wall_at(const struct control *c, ns_t at)
{
    return c->parts.wall() - (c->reactor->now - at);
}

static void write_codes(struct control *c, struct metrics_text *t)
{
    static const char *const classes[CODE_CLASSES] = { "none", "1xx", "2xx", "3xx", "4xx", "5xx" };
    const struct config *config = control_config(c);

    metrics_family(t, METRIC_counter, "evenkeel_http_requests_total",
                   "Requests by service, journey and class of the answer's status.");
    for (size_t j = 0; j < config->journey_count; j++) {
        for (size_t s = 0; s <= config->service_count; s++) {
            for (uint32_t k = 0; k < CODE_CLASSES; k++) {
                uint64_t n = book_sum(&c->book, config->journeys[j].codes[s] + k);
                if (n == 0)
                    continue;
                metrics_sample(t, "");
                metrics_label(t, "service",
                              s < config->service_count ? config->services[s].name : SPAN("none"));
                metrics_label(t, "journey", config->journeys[j].name);
                metrics_label(t, "code", span_from_text(classes[k]));
                metrics_count(t, n);
            }
        }
    }
}

struct bucket_exemplars {
    struct exemplar list[2];
    unsigned count;
};

/* One of a slow answer, which is worth a look, or else of a good one. */
static const struct exemplar *exemplar_between(const struct bucket_exemplars *e, ns_t from,
                                               ns_t below)
{
    for (unsigned i = 0; i < e->count; i++) {
        if (e->list[i].took >= from && e->list[i].took < below)
            return &e->list[i];
    }
    return NULL;
}

static void write_buckets(struct control *c, struct metrics_text *t, const struct journey *j,
                          const struct duration_buckets *d)
{
    struct bucket_exemplars e = {};
    ns_t from = 0;

    if (t->format == METRICS_OPEN) {
        e.count += find_exemplar(c, j, OUTCOME_SLOW, &e.list[e.count]);
        e.count += find_exemplar(c, j, OUTCOME_GOOD, &e.list[e.count]);
    }
    for (unsigned i = 0; i <= d->count; i++) {
        ns_t edge = i < d->count ? d->edges[i] : NS_NEVER;
        const struct exemplar *x = exemplar_between(&e, from, edge);
        metrics_sample(t, "_bucket");
        metrics_label(t, "journey", j->name);
        metrics_edge(t, edge);
        metrics_count_of(t, i < d->count ? d->below[i] : d->total, x, x ? wall_at(c, x->at) : 0);
        from = edge;
    }
}

static void write_durations_of(struct control *c, struct metrics_text *t, enum journey_kind kind)
{
    const struct config *config = control_config(c);

    for (size_t i = 0; i < config->journey_count; i++) {
        const struct journey *j = &config->journeys[i];
        uint64_t live[SERIES_MAX];
        if (j->kind != kind)
            continue;
        book_live(&c->book, book_account(&c->book, j), live);
        const struct duration_buckets *d = duration_buckets(&c->durations, &c->book, j, live);
        write_buckets(c, t, j, d);
        metrics_sample(t, "_sum");
        metrics_label(t, "journey", j->name);
        metrics_number(t, (double)live[SERIES_LATENCY_SUM_US] / 1e6);
        metrics_sample(t, "_count");
        metrics_label(t, "journey", j->name);
        metrics_count(t, d->total);
    }
}

static void write_durations(struct control *c, struct metrics_text *t)
{
    metrics_family(t, METRIC_histogram, "evenkeel_http_request_duration_seconds",
                   "Time of good and slow answers, by journey.");
    write_durations_of(c, t, JOURNEY_REQUESTS);
    metrics_family(t, METRIC_histogram, "evenkeel_journey_duration_seconds",
                   "Time or age of good and slow jobs, and how long users needed for all steps, by "
                   "journey.");
    write_durations_of(c, t, JOURNEY_JOBS);
    write_durations_of(c, t, JOURNEY_STEPS);
}

static void write_verdicts(struct control *c, struct metrics_text *t)
{
    static const char *const words[] = { "good", "slow", "failed", "excluded" };
    const struct config *config = control_config(c);

    metrics_family(t, METRIC_counter, "evenkeel_slo_requests_total",
                   "Requests by journey and verdict, in this process.");
    for (size_t i = 0; i < config->journey_count; i++) {
        const struct journey *j = &config->journeys[i];
        uint64_t live[SERIES_MAX];
        struct exemplar failed;
        book_live(&c->book, book_account(&c->book, j), live);
        for (unsigned v = SERIES_GOOD; v <= SERIES_EXCLUDED; v++) {
            bool has = v == SERIES_FAILED && t->format == METRICS_OPEN &&
                       find_exemplar(c, j, OUTCOME_FAILED, &failed);
            metrics_sample(t, "");
            metrics_label(t, "journey", j->name);
            metrics_label(t, "verdict", span_from_text(words[v]));
            metrics_count_of(t, live[v], has ? &failed : NULL, has ? wall_at(c, failed.at) : 0);
        }
    }
}

enum objective_figure { FIGURE_TARGET, FIGURE_SHARE, FIGURE_BUDGET, FIGURE_COVERAGE, FIGURES };

static double figure_of(const struct objective *o, const struct figures *f,
                        enum objective_figure which)
{
    bool nothing = f->state == SLO_NO_DATA;

    switch (which) {
    case FIGURE_TARGET: return o->target;
    case FIGURE_SHARE: return nothing ? (double)NAN : f->share;
    case FIGURE_BUDGET: return nothing ? (double)NAN : f->budget_left;
    case FIGURE_COVERAGE: return f->coverage;
    case FIGURES: break;
    }
    never("a figure that nobody names");
}

static void write_figure(struct control *c, struct metrics_text *t, const struct figures *figures,
                         enum objective_figure which)
{
    const struct config *config = control_config(c);

    for (size_t i = 0; i < config->journey_count; i++) {
        const struct journey *j = &config->journeys[i];
        for (unsigned o = 0; o < j->objective_count; o++) {
            metrics_sample(t, "");
            metrics_label(t, "journey", j->name);
            metrics_label(t, "objective", j->objectives[o].name);
            metrics_number(t, figure_of(&j->objectives[o], figures++, which));
        }
    }
}

/* Each objective's figures are computed once; a family takes one of them from all. */
static void write_objectives(struct control *c, struct metrics_text *t)
{
    static const struct {
        const char *metric, *help;
    } rows[FIGURES] = {
        { "evenkeel_slo_target_ratio", "What an objective promises." },
        { "evenkeel_slo_good_ratio", "Share of good events within the objective's window." },
        { "evenkeel_slo_error_budget_remaining_ratio",
          "Error budget left in the objective's window: 1 untouched, 0 spent, below 0 overspent." },
        { "evenkeel_slo_coverage_ratio", "Share of the objective's window that was measured." },
    };
    const struct config *config = control_config(c);
    struct arena arena = {};
    size_t count = 0, n = 0;

    for (size_t i = 0; i < config->journey_count; i++)
        count += config->journeys[i].objective_count;
    struct figures *figures = arena_array(&arena, struct figures, count);
    for (size_t i = 0; i < config->journey_count; i++) {
        for (unsigned o = 0; o < config->journeys[i].objective_count; o++)
            figures[n++] = figures_own(c, &config->journeys[i], o);
    }
    for (unsigned f = 0; f < FIGURES; f++) {
        metrics_family(t, METRIC_gauge, rows[f].metric, rows[f].help);
        write_figure(c, t, figures, (enum objective_figure)f);
    }
    arena_free(&arena);
}

/* ---- the process */

static void write_certificates(struct control *c, struct metrics_text *t)
{
    int64_t until = c->parts.valid_until ? atomic_load(c->parts.valid_until) : 0;

    if (until > 0)
        write_one(t, METRIC_gauge, "evenkeel_tls_certificate_valid_until_seconds",
                  "Unix time at which the first certificate of listen.https ends.",
                  (uint64_t)until);
}

/* Of all the ends that are remembered: what alerts is a change. */
static void write_loss(struct control *c, struct metrics_text *t)
{
    int64_t lost = 0, down = 0;

    for (size_t i = 0; i < c->loss_count; i++) {
        const struct loss *l = &c->losses[i];
        int64_t lived = l->lived_ms ? l->lived_ms : l->stored_ms;
        lost += lived - l->stored_ms;
        down += l->back_ms - lived;
    }
    metrics_family(t, METRIC_gauge, "evenkeel_lost_seconds",
                   "Time whose counts were lost, at most, by the last 32 ends without a farewell.");
    metrics_sample(t, "");
    metrics_number(t, (double)lost / 1000);
    metrics_family(t, METRIC_gauge, "evenkeel_down_seconds",
                   "Time that this node did not run after those ends.");
    metrics_sample(t, "");
    metrics_number(t, (double)down / 1000);
}

static void write_process(struct control *c, struct metrics_text *t)
{
    metrics_family(t, METRIC_info, "evenkeel_build_info", "Version of the running program.");
    metrics_sample(t, "");
    metrics_label(t, "version", span_from_text(c->parts.version));
    metrics_count(t, 1);
    write_one(t, METRIC_gauge, "evenkeel_config_generation",
              "Configurations put in force since the start.", control_config(c)->generation);
    metrics_family(t, METRIC_counter, "evenkeel_measured_seconds_total",
                   "Time that was measured, over all runs of this node.");
    metrics_sample(t, "");
    metrics_number(t, (double)coverage_ms(&c->book.coverage) / 1000);
    write_loss(c, t);
    write_one(t, METRIC_counter, "evenkeel_requests_untracked_total",
              "Requests that found no room in the request table.",
              atomic_load(&c->requests.untracked));
    metrics_family(t, METRIC_gauge, "evenkeel_scrape_seconds",
                   "Time that the scrape before this one took of the control thread.");
    metrics_sample(t, "");
    metrics_number(t, (double)c->scrape_took / (double)NS_PER_S);
}

void api_metrics(struct api_call *k)
{
    struct control *c = k->control;
    struct metrics_text t = { .out = &k->out,
                              .format = metrics_format_for(k->head),
                              .node = c->parts.node };
    ns_t began = reactor_clock(c->reactor);
    struct arena memory = {};
    uint32_t asked;
    const char *wrong = metrics_asked(k->head->query, &memory, &asked);

    if (wrong) {
        api_put_json(&k->out, json_pack("{s:s}", "error", wrong));
        k->status = 400;
    }
    arena_free(&memory);
    if (k->status != 200)
        return;
    write_certificates(c, &t);
    write_process(c, &t);
    write_edge(c, &t);
    write_state_times(c, &t);
    write_services(c, &t);
    write_instances(c, &t);
    write_health(c, &t);
    write_peers(c, &t);
    write_codes(c, &t);
    write_verdicts(c, &t);
    write_durations(c, &t);
    metrics_write_steps(c, &t);
    metrics_write_dimensions(c, &t, asked);
    metrics_write_queries(c, &t);
    write_objectives(c, &t);
    metrics_end(&t);
    k->type = metrics_content_type(t.format);
    c->scrape_took = reactor_clock(c->reactor) - began;
}
