/* SPDX-License-Identifier: Apache-2.0 */
/* config_peers.c - the nodes whose counters are summed: their addresses become URLs. */
#include "control/config_build.h"

#include "base/check.h"

/* What a host, a literal address and a port are written with: a URL of anything else could lead elsewhere than it says. */
static bool plain_authority(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = ascii_lower(s.p[i]);
        if (!ascii_digit(c) && (c < 'a' || c > 'z') && c != '.' && c != '-' && c != '_' &&
            c != ':' && c != '[' && c != ']')
            return false;
    }
    return s.n > 0;
}

static bool has_port(struct span s, struct address *ret_address)
{
    struct span host;
    uint16_t port;

    *ret_address = (struct address){};
    return plain_authority(s) && !span_starts_with(s, SPAN("unix:")) &&
           (address_parse(s, ret_address) || address_split(s, &host, &port));
}

static bool read_url(struct builder *b, struct node *n, struct peering *p,
                     struct address *ret_address)
{
    bool tls = span_starts_with(n->text, SPAN("https://"));
    bool plain = span_starts_with(n->text, SPAN("http://"));
    struct span authority = span_after(n->text, tls ? 8 : plain ? 7 : 0);

    if (!has_port(authority, ret_address)) {
        report_bad(b->r, n,
                   "'%s' is no node: host:port was expected, or a URL such as "
                   "https://node3.internal:9900",
                   shown(n->text).text);
        return false;
    }
    p->text = arena_span(&b->c->arena, n->text);
    p->url = span_from_text(
        arena_print(&b->c->arena, "%s://%.*s", tls ? "https" : "http", SPAN_ARG(authority)));
    return true;
}

static void build_peer(struct builder *b, struct node *n)
{
    struct node *address = n->kind == NODE_MAP ? node_get(n, "address") : n;
    const struct node *ca = n->kind == NODE_MAP ? node_get(n, "ca") : NULL;
    const struct node *token = n->kind == NODE_MAP ? node_get(n, "token") : NULL;
    struct address literal;
    struct peering p = {};

    if (n->bad || !address || !read_url(b, address, &p, &literal))
        return;
    bool tls = span_starts_with(p.url, SPAN("https:"));
    if (ca && !tls)
        report_error(b->r, ca, "'ca' is about https, which the address does not say");
    if (ca)
        p.ca = resolved_path(b, ca->text);
    if (token)
        build_secret(b, token, &p.token);
    if (token && !tls && !(literal.length && address_loopback(&literal)))
        report_warning(b->r, token, "the token goes over the network in the clear: say https://");
    for (size_t i = 0; i < b->c->peer_count; i++) {
        if (span_equal_nocase(b->c->peers[i].url, p.url)) {
            report_error(b->r, address, "the node %s is given twice", shown(p.url).text);
            return;
        }
    }
    b->c->peers[b->c->peer_count++] = p;
}

void build_peers(struct builder *b, const struct node *peers)
{
    if (!peers || peers->kind != NODE_LIST)
        return;
    if (peers->count > PEERS_MAX) {
        report_error(b->r, peers, "at most %d peers", PEERS_MAX);
        return;
    }
    b->c->peers = arena_array(&b->c->arena, struct peering, peers->count);
    for (size_t i = 0; i < peers->count; i++)
        build_peer(b, peers->items[i]);
}
