/* SPDX-License-Identifier: Apache-2.0 */
/* peer_show.c - what people and programs are told of peers: GET /api/v1/peers, and a table on the page. */
#include "control/api_table.h"
#include "control/control.h"
#include "control/page.h"

#include <jansson.h>
#include <stdlib.h>

/* ---- JSON */

static void set(json_t *object, const char *key, json_t *value)
{
    int failed = json_object_set_new(object, key, value);
    check(!failed);
}

static void append(void *list, const char *text)
{
    json_array_append_new(list, json_string(text));
}

static double age_of(const struct control *c, const struct peer *p)
{
    return (double)(c->reactor->now - p->heard) / (double)NS_PER_S;
}

static json_t *peer_json(const struct control *c, const struct peer *p)
{
    json_t *o = json_object();
    json_t *findings = json_array();
    const struct peer_counts *said = p->counts;

    peer_findings(c, p, append, findings);
    set(o, "peer", json_string(p->text.p));
    set(o, "url", json_string(p->target.url.p));
    set(o, "node", said ? json_string(said->node.p) : json_null());
    set(o, "state", json_string(peer_state_word(peer_state(c, p))));
    set(o, "age_s", said ? json_real(age_of(c, p)) : json_null());
    set(o, "heard_at", said ? json_integer(p->heard_at) : json_null());
    set(o, "started_at", said ? json_integer(said->started_at) : json_null());
    set(o, "answers", json_integer((json_int_t)p->answers));
    set(o, "failures", json_integer((json_int_t)p->failures));
    set(o, "error", p->error[0] ? json_string(p->error) : json_null());
    set(o, "findings", findings);
    return o;
}

void api_peers(struct api_call *k)
{
    const struct control *c = k->control;
    json_t *root = json_object();
    json_t *list = json_array();

    for (size_t i = 0; i < c->peers.count; i++)
        json_array_append_new(list, peer_json(c, &c->peers.list[i]));
    set(root, "node", json_string(c->parts.node));
    set(root, "nodes", json_integer(peers_nodes(c)));
    set(root, "nodes_heard", json_integer(peers_nodes_heard(c)));
    set(root, "peers", list);
    char *dump = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(12));
    check(dump != NULL);
    str_text(&k->out, dump);
    str_char(&k->out, '\n');
    free(dump);
    json_decref(root);
}

/* ---- the page */

static void write_finding(void *out, const char *text)
{
    str_literal(out, "<br>");
    page_escaped(out, span_from_text(text));
}

static const char *mood_of(enum peer_state s)
{
    return s == PEER_HEARD ? "well" : s == PEER_SELF || s == PEER_DOUBLE ? "low" : "spent";
}

static void write_peer(const struct control *c, const struct peer *p, struct str *out)
{
    enum peer_state s = peer_state(c, p);

    str_print(out, "<tr class=\"%s\"><th scope=\"row\">", mood_of(s));
    page_escaped(out, p->text);
    str_literal(out, "<small>");
    page_escaped(out, p->counts ? p->counts->node : SPAN(""));
    str_print(out, "</small></th><td><b>%s</b></td><td class=\"n\" data-label=\"age\">",
              peer_state_word(s));
    if (p->counts)
        str_print(out, "%.0f s", age_of(c, p));
    else
        str_char(out, '-');
    str_literal(out, "</td><td class=\"note\">");
    page_escaped(out, span_from_text(p->error));
    peer_findings(c, p, write_finding, out);
    str_literal(out, "</td></tr>\n");
}

void page_write_peers(const struct control *c, struct str *out)
{
    if (c->peers.count == 0)
        return;
    str_print(out,
              "<section><h2>nodes <small>%u of %u answer; what is shown above is the sum of "
              "all</small></h2>"
              "<table><thead><tr><th>peer</th><th>state</th><th>age</th><th></th></tr></thead>"
              "<tbody>\n",
              peers_nodes_heard(c), peers_nodes(c));
    for (size_t i = 0; i < c->peers.count; i++)
        write_peer(c, &c->peers.list[i], out);
    str_literal(out, "</tbody></table></section>\n");
}
