/* SPDX-License-Identifier: Apache-2.0 */
/* peer_serve.c - GET /api/v1/counters: what this node alone counted, for its peers. docs/peers.md has the format.
 * Written as it is counted, without a tree: peers ask each second. Names are those that config_check.c allows, so nothing
 * has to be escaped. */
#include "control/api_table.h"
#include "control/control.h"
#include "control/peer_counts.h"
#include "control/view.h"

static void insert(int64_t *list, size_t *count, int64_t seconds)
{
    size_t at = *count;

    for (size_t i = 0; i < *count; i++) {
        if (list[i] == seconds)
            return;
    }
    for (; at > 0 && list[at - 1] > seconds; at--)
        list[at] = list[at - 1];
    list[at] = seconds;
    ++*count;
}

/* Each once, ascending. */
static size_t windows_of(const struct journey *j, int64_t list[PEER_WINDOWS_MAX])
{
    size_t count = 0;

    insert(list, &count, RATE_WINDOW_S);
    for (unsigned i = 0; i < LOOKBACK_COUNT; i++)
        insert(list, &count, lookbacks[i].seconds);
    for (size_t o = 0; o < j->objective_count; o++)
        insert(list, &count, j->objectives[o].window_s);
    return count;
}

static void write_windows(const struct control *c, const struct journey *j, const struct account *a,
                          struct str *out)
{
    int64_t list[PEER_WINDOWS_MAX];
    size_t count = windows_of(j, list);

    str_literal(out, ",\"windows\":[");
    for (size_t i = 0; i < count; i++) {
        struct window_counts w;
        book_window(&c->book, a, list[i], &w);
        if (i)
            str_char(out, ',');
        peer_counts_put_window(list[i], &w, series_count(a->objectives.count), out);
    }
    str_char(out, ']');
}

static void write_bins(const struct control *c, const struct account *a, struct str *out)
{
    uint64_t bins[HISTOGRAM_BINS];
    bool first = true;

    book_histogram(&c->book, a, bins);
    str_literal(out, ",\"latency_bins\":[");
    for (uint32_t i = 0; i < HISTOGRAM_BINS; i++) {
        if (bins[i] == 0)
            continue;
        str_print(out, "%s[%u,%lu]", first ? "" : ",", i, (unsigned long)bins[i]);
        first = false;
    }
    str_char(out, ']');
}

/* The series behind the objectives, and where users stand now. */
static void write_funnel(const struct control *c, const struct journey *j, const uint64_t *all,
                         struct str *out)
{
    uint64_t standing[STEPS_MAX];

    journey_steps_standing(&c->steps, j, standing);
    peer_counts_put_funnel(all, standing, out);
}

static void write_journey(const struct control *c, const struct journey *j, struct str *out)
{
    const struct account *a = book_account(&c->book, j);
    uint64_t all[SERIES_MAX];

    book_cumulative(&c->book, a, all);
    str_print(out, "{\"name\":\"%.*s\",\"definition\":\"%016lx\",", SPAN_ARG(j->name),
              (unsigned long)j->definition);
    peer_counts_put_list("counts", all, series_count(a->objectives.count), out);
    write_windows(c, j, a, out);
    write_bins(c, a, out);
    if (j->kind == JOURNEY_STEPS)
        write_funnel(c, j, all, out);
    str_char(out, '}');
}

/* ---- how its instances are */

/* What would have to be escaped, or is no name, is not told: a path with blanks, say. */
static bool tellable(struct span text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] <= ' ' || text.p[i] > '~' || text.p[i] == '"' || text.p[i] == '\\')
            return false;
    }
    return text.n > 0 && text.n <= PEER_ADDRESS_MAX;
}

static void write_service(const struct control *c, const struct service *s, unsigned *left,
                          struct str *out)
{
    bool first = true;

    str_print(out, "{\"name\":\"%.*s\",\"instances\":[", SPAN_ARG(s->name));
    for (size_t i = 0; i<s->instance_count && * left> 0; i++) {
        const struct instance *in = &s->instances[i];
        if (!tellable(in->text))
            continue;
        str_print(out, "%s[\"%.*s\",\"%s\"]", first ? "" : ",", SPAN_ARG(in->text),
                  view_instance(c, s, in).word);
        first = false;
        --*left;
    }
    str_literal(out, "]}");
}

static void write_services(const struct control *c, struct str *out)
{
    const struct config *config = control_config(c);
    unsigned left = PEER_INSTANCES_MAX;

    str_literal(out, "],\"services\":[");
    for (size_t i = 0; i < config->service_count; i++) {
        if (i)
            str_char(out, ',');
        write_service(c, &config->services[i], &left, out);
    }
}

void api_counters(struct api_call *k)
{
    struct control *c = k->control;
    const struct config *config = control_config(c);

    book_tick(
        &c->book,
        c->reactor
            ->now); /* as of now: what is a second old already would be two when it is summed */
    str_print(&k->out,
              "{\"format\":%d,\"node\":\"%s\",\"started_at\":%ld,\"at\":%ld,\"journeys\":[",
              PEER_FORMAT, c->parts.node, (long)c->started_at, (long)(c->parts.wall() / NS_PER_S));
    for (size_t i = 0; i < config->journey_count; i++) {
        if (i)
            str_char(&k->out, ',');
        write_journey(c, &config->journeys[i], &k->out);
    }
    write_services(c, &k->out);
    str_literal(&k->out, "]}\n");
}
