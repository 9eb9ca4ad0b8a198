/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c - everything that is counted, in Prometheus' text format 0.0.4: base units, `_total` on
 * counters, one TYPE per name, buckets whose edges are the objectives' thresholds. */
#include "control/api.h"

#include "control/api_table.h"
#include "control/control.h"
#include "control/figures.h"
#include "control/view.h"

#include <math.h>

static void head(struct str *out, const char *name, const char *kind, const char *help)
{
    str_print(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

/* Label values: backslash, quote and newline are escaped. */
static void label(struct str *out, const char *name, struct span value)
{
    str_print(out, "%s=\"", name);
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '\n') {
            str_literal(out, "\\n");
            continue;
        }
        if (value.p[i] == '"' || value.p[i] == '\\')
            str_char(out, '\\');
        str_char(out, value.p[i]);
    }
    str_char(out, '"');
}

static void number(struct str *out, double v)
{
    if (isnan(v))
        str_literal(out, "NaN\n");
    else
        str_print(out, "%.12g\n", v);
}

/* ---- the edge and its instances */

static void write_edge(struct control *c, struct str *out)
{
    static const struct {
        const char *kind, *metric, *help;
    } rows[] = {
#define X(name, kind, metric, help) { #kind, metric, help },
        EDGE_COUNTERS(X)
#undef X
    };

    for (uint32_t i = 0; i < EDGE_COUNTER_COUNT; i++) {
        head(out, rows[i].metric, rows[i].kind, rows[i].help);
        str_print(out, "%s %lu\n", rows[i].metric,
                  (unsigned long)book_sum(&c->book, c->registry.edge.counters + i));
    }
    head(out, "evenkeel_http_endings_total", "counter",
         "Requests that did not end with a whole answer of an instance, by reason.");
    for (uint32_t i = 1; i < ENDING_COUNT; i++) {
        uint64_t n = book_sum(&c->book, c->registry.edge.endings + i);
        if (i == ENDING_HTTP1) /* not a reason: the parser's "good" */
            continue;
        str_print(out, "evenkeel_http_endings_total{reason=\"%s\"} %lu\n",
                  ending_code((enum ending)i), (unsigned long)n);
    }
}

static void write_instances(struct control *c, struct str *out)
{
    static const struct {
        const char *kind, *metric, *help;
    } rows[] = {
#define X(name, kind, metric, help) { #kind, metric, help },
        INSTANCE_COUNTERS(X)
#undef X
    };
    const struct config *config = control_config(c);

    for (uint32_t i = 0; i < INSTANCE_COUNTER_COUNT; i++) {
        head(out, rows[i].metric, rows[i].kind, rows[i].help);
        for (size_t s = 0; s < config->service_count; s++) {
            const struct service *service = &config->services[s];
            for (size_t k = 0; k < service->instance_count; k++) {
                str_print(out, "%s{", rows[i].metric);
                label(out, "service", service->name);
                str_char(out, ',');
                label(out, "instance", service->instances[k].text);
                str_print(out, "} %lu\n",
                          (unsigned long)book_sum(&c->book, service->instances[k].slots + i));
            }
        }
    }
}

/* Services by their own names, with what those that observe would have done. */
static void write_services(struct control *c, struct str *out)
{
    static const struct {
        const char *kind, *metric, *help;
    } rows[] = {
#define X(name, kind, metric, help) { #kind, metric, help },
        SERVICE_COUNTERS(X)
#undef X
    };
    const struct config *config = control_config(c);

    for (uint32_t i = 0; i < SERVICE_COUNTER_COUNT; i++) {
        head(out, rows[i].metric, rows[i].kind, rows[i].help);
        for (size_t s = 0; s < config->service_count; s++) {
            str_print(out, "%s{", rows[i].metric);
            label(out, "service", config->services[s].name);
            str_print(out, "} %lu\n",
                      (unsigned long)book_sum(&c->book, config->services[s].slots + i));
        }
    }
    head(out, "evenkeel_would_total", "counter",
         "What services in observe mode would have done, by action and reason.");
    for (size_t s = 0; s < config->service_count; s++) {
        for (uint32_t i = 0; i < WOULD_COUNT; i++) {
            uint64_t n = view_would_count(c, &config->services[s], (enum would)i);
            if (n == 0 && config->services[s].mode != MODE_OBSERVE)
                continue;
            str_literal(out, "evenkeel_would_total{");
            label(out, "service", config->services[s].name);
            str_print(out, ",action=\"%s\",reason=\"%s\"} %lu\n", view_would[i].action,
                      view_would[i].reason, (unsigned long)n);
        }
    }
}

/* What control knows of each instance: may it be used? */
static void write_health(struct control *c, struct str *out)
{
    const struct config *config = control_config(c);

    head(out, "evenkeel_instance_up", "gauge",
         "1 while an instance's active checks are good, or it has none; 0 while they are not.");
    for (size_t s = 0; s < config->service_count; s++) {
        const struct service *service = &config->services[s];
        for (size_t i = 0; i < service->instance_count; i++) {
            const struct check *k = checker_find(&c->checker, &service->instances[i]);
            str_literal(out, "evenkeel_instance_up{");
            label(out, "service", service->name);
            str_char(out, ',');
            label(out, "instance", service->instances[i].text);
            str_print(out, "} %d\n", !k || k->up);
        }
    }
    head(out, "evenkeel_instance_ejected", "gauge",
         "1 while an instance is left alone because it failed requests.");
    for (size_t s = 0; s < config->service_count; s++) {
        const struct service *service = &config->services[s];
        for (size_t i = 0; i < service->instance_count; i++) {
            str_literal(out, "evenkeel_instance_ejected{");
            label(out, "service", service->name);
            str_char(out, ',');
            label(out, "instance", service->instances[i].text);
            str_print(out, "} %d\n",
                      view_instance(c, service, &service->instances[i]).ejected_for > 0);
        }
    }
    head(out, "evenkeel_changes", "gauge", "Changes at run time that differ from the file.");
    str_print(out, "evenkeel_changes %zu\n", c->overlay.count);
}

static void write_peers(struct control *c, struct str *out)
{
    if (c->peers.count == 0)
        return;
    head(out, "evenkeel_peer_up", "gauge",
         "1 while a peer answers and its counters are summed on the page and in the API, else 0.");
    for (size_t i = 0; i < c->peers.count; i++) {
        str_literal(out, "evenkeel_peer_up{");
        label(out, "peer", c->peers.list[i].text);
        str_print(out, "} %d\n", peer_state(c, &c->peers.list[i]) == PEER_HEARD);
    }
}

static void write_state_times(struct control *c, struct str *out)
{
    const char *name = "evenkeel_http_state_seconds";

    head(out, name, "histogram", "Time that requests spent in each state.");
    for (uint32_t s = 0; s + 1 < EXCHANGE_STATE_COUNT; s++) {
        uint64_t sum = 0;
        for (uint32_t i = 0; i < STATE_TIME_BINS; i++) {
            sum += book_sum(&c->book, c->registry.edge.state_time + s * STATE_TIME_BINS + i);
            if (i + 1 < STATE_TIME_BINS)
                str_print(out, "%s_bucket{state=\"%s\",le=\"%g\"} %lu\n", name,
                          exchange_states[s].name, ldexp(1e-6, (int)i), (unsigned long)sum);
        }
        str_print(out, "%s_bucket{state=\"%s\",le=\"+Inf\"} %lu\n", name, exchange_states[s].name,
                  (unsigned long)sum);
        str_print(out, "%s_count{state=\"%s\"} %lu\n", name, exchange_states[s].name,
                  (unsigned long)sum);
    }
}

/* ---- journeys */

static void write_codes(struct control *c, struct str *out)
{
    static const char *const classes[CODE_CLASSES] = { "none", "1xx", "2xx", "3xx", "4xx", "5xx" };
    const struct config *config = control_config(c);

    head(out, "evenkeel_http_requests_total", "counter",
         "Requests by service, journey and class of the answer's status.");
    for (size_t j = 0; j < config->journey_count; j++) {
        for (size_t s = 0; s <= config->service_count; s++) {
            for (uint32_t k = 0; k < CODE_CLASSES; k++) {
                uint64_t n = book_sum(&c->book, config->journeys[j].codes[s] + k);
                if (n == 0)
                    continue;
                str_literal(out, "evenkeel_http_requests_total{");
                label(out, "service",
                      s < config->service_count ? config->services[s].name : SPAN("none"));
                str_char(out, ',');
                label(out, "journey", config->journeys[j].name);
                str_print(out, ",code=\"%s\"} %lu\n", classes[k], (unsigned long)n);
            }
        }
    }
}

enum { EDGES_MAX = OBJECTIVES_MAX + 12 };

/* Upper edges: the thresholds that people promised, and a few more for a picture of the whole. */
static size_t edges_of(const struct journey *j, ns_t edges[EDGES_MAX])
{
    static const int common_ms[] = { 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000 };
    size_t n = 0;

    for (size_t i = 0; i < sizeof(common_ms) / sizeof(common_ms[0]); i++)
        edges[n++] = common_ms[i] * NS_PER_MS;
    for (size_t i = 0; i < j->objective_count; i++) {
        ns_t under = j->objectives[i].under;
        size_t at = 0;
        while (at < n && edges[at] < under)
            at++;
        if (!under || !histogram_is_edge(under) || (at < n && edges[at] == under))
            continue;
        memmove(edges + at + 1, edges + at, (n - at) * sizeof(edges[0]));
        edges[at] = under;
        n++;
    }
    return n;
}

static void write_duration(struct control *c, const struct journey *j, struct str *out)
{
    const char *name = "evenkeel_http_request_duration_seconds";
    const struct account *a = book_account(&c->book, j);
    uint64_t bins[HISTOGRAM_BINS];
    uint64_t live[SERIES_MAX];
    ns_t edges[EDGES_MAX];
    size_t n = edges_of(j, edges);

    for (uint32_t i = 0; i < HISTOGRAM_BINS; i++)
        bins[i] = book_sum(&c->book, a->histogram + i);
    book_live(&c->book, a, live);
    uint64_t total = histogram_total(bins);
    for (size_t i = 0; i < n; i++) {
        str_print(out, "%s_bucket{", name);
        label(out, "journey", j->name);
        str_print(out, ",le=\"%g\"} %lu\n", (double)edges[i] / (double)NS_PER_S,
                  (unsigned long)histogram_share_below(bins, edges[i]).least);
    }
    str_print(out, "%s_bucket{", name);
    label(out, "journey", j->name);
    str_print(out, ",le=\"+Inf\"} %lu\n%s_sum{", (unsigned long)total, name);
    label(out, "journey", j->name);
    str_literal(out, "} ");
    number(out, (double)live[SERIES_LATENCY_SUM_US] / 1e6);
    str_print(out, "%s_count{", name);
    label(out, "journey", j->name);
    str_print(out, "} %lu\n", (unsigned long)total);
}

static void write_durations(struct control *c, struct str *out)
{
    const struct config *config = control_config(c);

    head(out, "evenkeel_http_request_duration_seconds", "histogram",
         "Time of good and slow answers, by journey.");
    for (size_t i = 0; i < config->journey_count; i++)
        write_duration(c, &config->journeys[i], out);
}

static void write_verdicts(struct control *c, struct str *out)
{
    static const char *const words[] = { "good", "slow", "failed", "excluded" };
    const struct config *config = control_config(c);

    head(out, "evenkeel_slo_requests_total", "counter",
         "Requests by journey and verdict, in this process.");
    for (size_t i = 0; i < config->journey_count; i++) {
        uint64_t live[SERIES_MAX];
        book_live(&c->book, book_account(&c->book, &config->journeys[i]), live);
        for (unsigned v = SERIES_GOOD; v <= SERIES_EXCLUDED; v++) {
            str_literal(out, "evenkeel_slo_requests_total{");
            label(out, "journey", config->journeys[i].name);
            str_print(out, ",verdict=\"%s\"} %lu\n", words[v], (unsigned long)live[v]);
        }
    }
}

enum objective_figure { FIGURE_TARGET, FIGURE_SHARE, FIGURE_BUDGET, FIGURE_COVERAGE, FIGURES };

static double figure_of(struct control *c, const struct journey *j, unsigned o,
                        enum objective_figure which)
{
    struct figures f = figures_own(c, j, o);
    bool nothing = f.state == SLO_NO_DATA;

    switch (which) {
    case FIGURE_TARGET: return j->objectives[o].target;
    case FIGURE_SHARE: return nothing ? (double)NAN : f.share;
    case FIGURE_BUDGET: return nothing ? (double)NAN : f.budget_left;
    case FIGURE_COVERAGE: return f.coverage;
    case FIGURES: break;
    }
    never("a figure that nobody names");
}

static void write_objectives(struct control *c, struct str *out)
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

    for (unsigned f = 0; f < FIGURES; f++) {
        head(out, rows[f].metric, "gauge", rows[f].help);
        for (size_t i = 0; i < config->journey_count; i++) {
            const struct journey *j = &config->journeys[i];
            for (unsigned o = 0; o < j->objective_count; o++) {
                str_print(out, "%s{", rows[f].metric);
                label(out, "journey", j->name);
                str_char(out, ',');
                label(out, "objective", j->objectives[o].name);
                str_literal(out, "} ");
                number(out, figure_of(c, j, o, (enum objective_figure)f));
            }
        }
    }
}

static void write_certificates(struct control *c, struct str *out)
{
    int64_t until = c->parts.valid_until ? atomic_load(c->parts.valid_until) : 0;

    if (until == 0)
        return;
    head(out, "evenkeel_tls_certificate_valid_until_seconds", "gauge",
         "Unix time at which the first certificate of listen.https ends.");
    str_print(out, "evenkeel_tls_certificate_valid_until_seconds %ld\n", (long)until);
}

static void write_process(struct control *c, struct str *out)
{
    head(out, "evenkeel_build_info", "gauge", "Version of the running program.");
    str_literal(out, "evenkeel_build_info{");
    label(out, "version", span_from_text(c->parts.version));
    str_literal(out, "} 1\n");
    head(out, "evenkeel_config_generation", "gauge",
         "Configurations put in force since the start.");
    str_print(out, "evenkeel_config_generation %lu\n",
              (unsigned long)control_config(c)->generation);
    head(out, "evenkeel_measured_seconds_total", "counter",
         "Time that was measured, over all runs of this node.");
    str_literal(out, "evenkeel_measured_seconds_total ");
    number(out, (double)coverage_ms(&c->book.coverage) / 1000);
    head(out, "evenkeel_requests_untracked_total", "counter",
         "Requests that found no room in the request table.");
    str_print(out, "evenkeel_requests_untracked_total %lu\n",
              (unsigned long)atomic_load(&c->requests.untracked));
}

void api_metrics(struct api_call *k)
{
    struct control *c = k->control;
    struct str *out = &k->out;

    write_certificates(c, out);
    write_process(c, out);
    write_edge(c, out);
    write_state_times(c, out);
    write_services(c, out);
    write_instances(c, out);
    write_health(c, out);
    write_peers(c, out);
    write_codes(c, out);
    write_verdicts(c, out);
    write_durations(c, out);
    write_objectives(c, out);
    k->type = SPAN("text/plain; version=0.0.4; charset=utf-8");
}
