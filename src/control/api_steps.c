/* SPDX-License-Identifier: Apache-2.0 */
/* api_steps.c - how far users came through the steps of a journey: as JSON, and as metrics. */
#include "control/api_table.h"
#include "control/control.h"
#include "control/figures.h"
#include "control/metrics_text.h"

static json_t *count(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static void set(json_t *object, const char *key, json_t *value)
{
    int failed = json_object_set_new(object, key, value);
    check(!failed);
}

json_t *api_funnel(const struct control *c, const struct journey *j)
{
    struct funnel f;
    json_t *o = json_object();
    json_t *list = json_array();

    figures_funnel(c, j, &f);
    set(o, "deadline_s", json_real((double)j->deadline / (double)NS_PER_S));
    set(o, "abandoned_is_bad", json_boolean(j->abandoned_bad));
    set(o, "started", count(f.reached[0]));
    for (unsigned e = 0; e < ATTEMPT_END_COUNT; e++)
        set(o, attempt_end_word((enum attempt_end)e), count(f.ended[e]));
    set(o, "under_way", count(f.under_way));
    set(o, "no_identity", count(f.no_identity));
    for (size_t i = 0; i < j->step_count; i++) {
        json_t *step = json_object();
        set(step, "step", json_stringn(j->steps[i].text.p, j->steps[i].text.n));
        set(step, "reached", count(f.reached[i]));
        set(step, "standing", count(f.standing[i]));
        json_array_append_new(list, step);
    }
    set(o, "reached", list);
    return o;
}

/* ---- metrics: of this process and node */

static void funnel_here(const struct control *c, const struct journey *j, struct funnel *ret)
{
    uint64_t live[SERIES_MAX];
    uint64_t standing[STEPS_MAX];

    book_live(&c->book, book_account(&c->book, j), live);
    journey_steps_standing(&c->steps, j, standing);
    funnel_of(j, live, standing, ret);
}

static void write_reached(struct metrics_text *t, const struct journey *j, const struct funnel *f)
{
    for (size_t i = 0; i < j->step_count; i++) {
        char number[] = { (char)('1' + i), '\0' };
        metrics_sample(t, "");
        metrics_label(t, "journey", j->name);
        metrics_label(t, "step", span_from_text(number));
        metrics_label(t, "route", j->steps[i].text);
        metrics_count(t, f->reached[i]);
    }
}

static void write_attempts(struct metrics_text *t, const struct journey *j, const struct funnel *f)
{
    for (unsigned e = 0; e < ATTEMPT_END_COUNT; e++) {
        metrics_sample(t, "");
        metrics_label(t, "journey", j->name);
        metrics_label(t, "result", span_from_text(attempt_end_word((enum attempt_end)e)));
        metrics_count(t, f->ended[e]);
    }
}

static void write_under_way(struct metrics_text *t, const struct journey *j, const struct funnel *f)
{
    metrics_sample(t, "");
    metrics_label(t, "journey", j->name);
    metrics_count(t, f->under_way);
}

static void write_no_identity(struct metrics_text *t, const struct journey *j,
                              const struct funnel *f)
{
    metrics_sample(t, "");
    metrics_label(t, "journey", j->name);
    metrics_count(t, f->no_identity);
}

void metrics_write_steps(const struct control *c, struct metrics_text *t)
{
    static const struct {
        enum metric_kind kind;
        const char *metric, *help;
        void (*write)(struct metrics_text *t, const struct journey *j, const struct funnel *f);
    } families[] = {
        { METRIC_counter, "evenkeel_journey_step_reached_total",
          "Attempts of users at a journey of steps that came to this step.", write_reached },
        { METRIC_counter, "evenkeel_journey_attempts_total",
          "Attempts of users at a journey of steps that ended, by result.", write_attempts },
        { METRIC_gauge, "evenkeel_journey_attempts_under_way",
          "Users who are on their way through the steps of a journey now.", write_under_way },
        { METRIC_counter, "evenkeel_journey_no_identity_total",
          "Requests of steps of a journey that named no user, and so belong to no attempt.",
          write_no_identity },
    };
    const struct config *config = control_config(c);

    for (size_t k = 0; k < sizeof(families) / sizeof(families[0]); k++) {
        metrics_family(t, families[k].kind, families[k].metric, families[k].help);
        for (size_t i = 0; i < config->stepped_count; i++) {
            struct funnel f;
            funnel_here(c, config->stepped[i], &f);
            families[k].write(t, config->stepped[i], &f);
        }
    }
}
