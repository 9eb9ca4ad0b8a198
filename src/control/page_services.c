/* SPDX-License-Identifier: Apache-2.0 */
/* page_services.c - the dashboard's lower half: services with their instances, and what differs from the file. */
#include "control/page.h"
#include "control/view.h"

static void write_counter(const struct control *c, const char *label, uint32_t slot,
                          struct str *out)
{
    str_print(out, "<td class=\"n\" data-label=\"%s\">%lu</td>", label,
              (unsigned long)book_sum(&c->book, slot));
}

static const char *mood_of(const struct instance_view *v)
{
    if (v->view == VIEW_UP)
        return "well";
    return v->view == VIEW_DOWN || v->view == VIEW_EJECTED ? "spent" : "low";
}

/* What another node says that differs from what this one does. */
static void write_nodes(const struct control *c, const struct service *s, const struct instance *i,
                        const char *word, struct str *out)
{
    for (size_t k = 0; k < c->peers.count; k++) {
        const struct peer *p = &c->peers.list[k];
        if (peer_state(c, p) != PEER_HEARD)
            continue;
        struct span state = peer_counts_state(p->counts, s->name, i->text);
        if (state.n == 0 || span_equal(state, span_from_text(word)))
            continue;
        str_literal(out, " <b>");
        page_escaped(out, state);
        str_literal(out, "</b> at ");
        page_escaped(out, p->text);
        str_char(out, ';');
    }
}

static void write_note(const struct control *c, const struct service *s,
                       const struct instance_view *v, const struct instance *i, struct str *out)
{
    str_literal(out, "<td class=\"note\">");
    write_nodes(c, s, i, v->word, out);
    if (v->ejected_for > 0)
        str_print(out, "left alone for %.1f s more; ", (double)v->ejected_for / (double)NS_PER_S);
    if (v->check && v->check->why[0])
        page_escaped(out, span_from_text(v->check->why));
    if (i->weight != 1)
        str_print(out, " weight %u", i->weight);
    if (i->zone.n) {
        str_literal(out, " zone ");
        page_escaped(out, i->zone);
    }
    if (i->release.n) {
        str_literal(out, " release ");
        page_escaped(out, i->release);
    }
    str_literal(out, "</td>");
}

static void write_instance(const struct control *c, const struct service *s,
                           const struct instance *i, struct str *out)
{
    struct instance_view v = view_instance(c, s, i);

    str_print(out, "<tr class=\"%s\"><th scope=\"row\">", mood_of(&v));
    page_escaped(out, i->text);
    if (!span_equal(i->from, i->text)) {
        str_literal(out, "<small>");
        page_escaped(out, i->from);
        str_literal(out, "</small>");
    }
    str_print(out, "</th><td><b>%s</b></td>", v.word);
    write_counter(c, "in flight", i->slots + INSTANCE_IN_FLIGHT, out);
    write_counter(c, "requests", i->slots + INSTANCE_REQUESTS, out);
    write_counter(c, "5xx", i->slots + INSTANCE_ANSWERS_BAD, out);
    write_counter(c, "broken", i->slots + INSTANCE_BROKEN, out);
    write_counter(c, "refused", i->slots + INSTANCE_CONNECT_FAILURES, out);
    write_note(c, s, &v, i, out);
    str_literal(out, "</tr>\n");
}

static void write_would(const struct control *c, const struct service *s, struct str *out)
{
    bool any = false;

    str_literal(out, "<p class=\"observe\">Observed only: requests are forwarded in turn and "
                     "nothing else is done. It would have: ");
    for (uint32_t i = 0; i < WOULD_COUNT; i++) {
        uint64_t n = view_would_count(c, s, (enum would)i);
        if (n)
            str_print(out, "%s%s (%s) %lu times", any ? ", " : "", view_would[i].action,
                      view_would[i].reason, (unsigned long)n);
        any |= n > 0;
    }
    str_text(out, any ? ".</p>" : "done nothing else so far.</p>");
}

static void write_facts(const struct control *c, const struct service *s, struct str *out)
{
    static const char *const balances[] = { "p2c", "least requests", "in turn", "by hash" };
    uint64_t retries = book_sum(&c->book, s->slots + SERVICE_RETRIES);
    uint64_t denied = book_sum(&c->book, s->slots + SERVICE_RETRIES_DENIED);

    str_print(out, " <small>%s; %lu retries, %lu denied by the budget, %lu redispatched</small>",
              balances[s->balance], (unsigned long)retries, (unsigned long)denied,
              (unsigned long)book_sum(&c->book, s->slots + SERVICE_REDISPATCHES));
}

static void write_service(const struct control *c, const struct service *s, struct str *out)
{
    str_literal(out, "<section><h2>");
    page_escaped(out, s->name);
    if (s->mode == MODE_ACT)
        write_facts(c, s, out);
    str_literal(out, "</h2>");
    if (s->mode == MODE_OBSERVE)
        write_would(c, s, out);
    if (book_sum(&c->book, s->slots + SERVICE_PANIC))
        str_literal(out, "<p class=\"spent\">Fewer than half of its instances can be used, so all "
                         "that are not drained are.</p>");
    str_literal(out, "<table><thead><tr><th>instance</th><th>state</th><th>in flight</th>"
                     "<th>requests</th><th>5xx</th><th>broken</th><th>refused</th><th></th></tr>"
                     "</thead><tbody>\n");
    for (size_t i = 0; i < s->instance_count; i++)
        write_instance(c, s, &s->instances[i], out);
    str_literal(out, "</tbody></table></section>\n");
}

static void write_change(const struct change *k, struct str *out)
{
    str_print(out, "<li><b>%s</b> ", change_word(k->kind));
    page_escaped(out, k->instance);
    str_literal(out, " of ");
    page_escaped(out, k->service);
    str_literal(out, " <small>by ");
    page_escaped(out, k->who.n ? k->who : SPAN("somebody"));
    if (k->why.n) {
        str_literal(out, ": ");
        page_escaped(out, k->why);
    }
    if (k->expires) {
        str_literal(out, "; until ");
        page_write_time(out, k->expires);
    }
    str_literal(out, "; the file says ");
    page_escaped(out, k->file_value);
    str_text(out, k->in_force ? "" : "; not in force yet");
    str_text(out, k->stored ? "" : "; not stored");
    str_literal(out, "</small></li>\n");
}

void page_write_services(const struct control *c, struct str *out)
{
    const struct config *config = control_config(c);

    for (size_t i = 0; i < config->service_count; i++)
        write_service(c, &config->services[i], out);
    if (c->overlay.count == 0)
        return;
    str_literal(out, "<section><h2>Changed at run time</h2><ul class=\"drift\">");
    for (size_t i = 0; i < c->overlay.count; i++)
        write_change(c->overlay.list[i], out);
    str_literal(out, "</ul></section>\n");
}
