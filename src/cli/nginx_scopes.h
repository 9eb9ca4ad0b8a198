/* SPDX-License-Identifier: Apache-2.0 */
/* nginx_scopes.h - what nginx_adopt.c knows while it reads: one scope per block that means something, with what
 * was set there. Next: nginx_adopt.c (directives), nginx_routes.c (locations to routes). */
#ifndef EK_CLI_NGINX_SCOPES_H
#define EK_CLI_NGINX_SCOPES_H

#include "cli/adopted.h"

enum scope_kind {
    SCOPE_MAIN = 1,
    SCOPE_HTTP = 2,
    SCOPE_UPSTREAM = 4,
    SCOPE_SERVER = 8,
    SCOPE_LOCATION = 16,
};

struct scope {
    enum scope_kind kind;
    struct scope *parent;
    struct scope *next; /* in the order of the files */
    const struct nginx_directive *directive;
    struct notes *notes; /* where notes about its directives go */
    struct notes own;    /* the same, for those that have their own */
    /* set here or inherited; -1: not said */
    int64_t connect_ms;
    int64_t read_ms;
    int64_t tries;
    bool no_retry;
    const struct nginx_directive *pass; /* proxy_pass */
    const char *tls_ca;
    const char *tls_name;
    /* of a server */
    const struct nginx_directive *names; /* server_name, the last one */
    bool is_default;
    bool tls;
    /* of a location */
    bool exact;
    struct span path;
    bool untranslated; /* a regular expression, or a named one */
    bool routed;
    /* of an upstream, and of a location that leads to one */
    struct adopted_service *service;
};

struct adopting {
    struct adopted *a;
    struct scope *first;
    struct scope *last;
};

/* All proxied locations of all servers become routes. */
void nginx_routes(struct adopting *n);

#endif
