/* SPDX-License-Identifier: Apache-2.0 */
/* config_admin.c - the admin address and who may use it. Always: what can be reached from other machines has TLS and both
 * tokens, or the file is wrong. */
#include "control/config_build.h"

#include "base/check.h"

/* ---- tokens */

void build_secret(struct builder *b, const struct node *token, struct secret_source *ret)
{
    const struct node *file = node_get(token, "file");
    const struct node *env = node_get(token, "env");

    if ((file == NULL) == (env == NULL)) {
        report_error(b->r, token, "a token comes from a file or from env, one of them");
        return;
    }
    if (file)
        ret->file = resolved_path(b, file->text);
    else
        ret->env = arena_span(&b->c->arena, env->text);
}

static void build_tokens(struct builder *b, const struct node *admin)
{
    const struct node *view = node_get(admin, "view-token");
    const struct node *operate = node_get(admin, "operate-token");
    struct admin_rules *a = &b->c->admin_rules;

    if (view)
        build_secret(b, view, &a->view);
    if (operate)
        build_secret(b, operate, &a->operate);
    /* asked with node_has(), for what is wrong in itself was told already */
    bool has_view = admin && node_has(admin, SPAN("view-token"));
    bool has_operate = admin && node_has(admin, SPAN("operate-token"));
    if (has_view != has_operate)
        report_error(b->r,
                     view      ? view
                     : operate ? operate
                               : admin,
                     "admin.%s is missing: view-token is for who may look, operate-token for who "
                     "may also change something; give both, or none on a loopback address",
                     has_view ? "operate-token" : "view-token");
}

/* ---- hosts */

static void build_hosts(struct builder *b, const struct node *hosts)
{
    struct config *c = b->c;

    if (!hosts || hosts->kind != NODE_LIST)
        return;
    if (hosts->count > ADMIN_HOSTS_MAX) {
        report_error(b->r, hosts, "at most %d names", ADMIN_HOSTS_MAX);
        return;
    }
    struct span *list = arena_array(&c->arena, struct span, hosts->count);
    for (size_t i = 0; i < hosts->count; i++) {
        if (hosts->items[i]->kind == NODE_SCALAR && !hosts->items[i]->bad)
            list[c->admin_rules.host_count++] = arena_span(&c->arena, hosts->items[i]->text);
    }
    c->admin_rules.hosts = list;
}

/* ---- where */

static void read_certificate(struct builder *b, struct node *n)
{
    const struct node *chain = node_get(n, "certificate");
    const struct node *key = node_get(n, "key");

    if (!chain && !key)
        return;
    if (!chain || !key) {
        if (!n->bad)
            report_error(b->r, n, "a certificate and its key belong together; '%s' is missing",
                         chain ? "key" : "certificate");
        return;
    }
    struct certificate *one = arena_new(&b->c->arena, struct certificate);
    *one = (struct certificate){ .chain = resolved_path(b, chain->text),
                                 .key = resolved_path(b, key->text) };
    b->c->admin.certificates = one;
    b->c->admin.certificate_count = 1;
}

/* What the network can reach is asked for a token, and tokens do not go over it in the clear. */
static void check_reachable(struct builder *b, const struct node *root, const struct node *at)
{
    const struct config *c = b->c;
    const struct node *listen = node_get(node_get(root, "listen"), "admin");
    const struct node *admin = node_get(root, "admin");
    bool tls = listen && listen->kind == NODE_MAP && node_has(listen, SPAN("certificate"));
    bool tokens =
        admin && node_has(admin, SPAN("view-token")) && node_has(admin, SPAN("operate-token"));
    char text[ADDRESS_TEXT_MAX];

    if (address_loopback(&c->admin.address) || (tls && tokens) || !at)
        return;
    report_error(
        b->r, at,
        "other machines reach the admin address %s, so it needs TLS and tokens: %s%s%s; or "
        "a loopback address (127.0.0.1, [::1])",
        address_print(&c->admin.address, text),
        tls ? "" : "listen.admin as { address: ..., certificate: cert.pem, key: key.pem }",
        tls || tokens ? "" : ", and ", tokens ? "" : "admin.view-token and admin.operate-token");
}

static void check_free(struct builder *b, const struct node *at, const struct node *admin)
{
    const struct config *c = b->c;
    char text[ADDRESS_TEXT_MAX];

    for (size_t i = 0; i < c->http_count; i++) {
        if (address_overlap(&c->http[i].address, &c->admin.address))
            report_error(b->r, at, "%s takes the address of listen.admin, which is %s%s",
                         c->http[i].certificates ? "listen.https" : "listen.http",
                         address_print(&c->admin.address, text), admin ? "" : " unless said");
    }
}

void build_admin(struct builder *b, const struct node *root, struct node *http)
{
    struct node *admin = node_get(node_get(root, "listen"), "admin");
    struct node *text = admin && admin->kind == NODE_MAP ? node_get(admin, "address") : admin;
    struct config *c = b->c;

    build_tokens(b, node_get(root, "admin"));
    build_hosts(b, node_get(node_get(root, "admin"), "hosts"));
    if (!text || text->bad || !parse_listener(b, text, &c->admin.address)) {
        bool good = address_parse(text_of(NULL, "admin", "listen.admin"), &c->admin.address);
        check(good);
    }
    if (admin && admin->kind == NODE_MAP)
        read_certificate(b, admin);
    check_reachable(b, root, text);
    check_free(b, text ? text : http, admin);
}
