/* SPDX-License-Identifier: Apache-2.0 */
/* certificates.c - files to TLS servers. */
#include "control/certificates.h"

#include "base/log.h"
#include "base/rand.h"

#include <sys/stat.h>

enum { SOON_S = 7 * 86400 }; /* a certificate that ends within this time is told */

/* What identifies the content of a file well enough: renewals replace or rewrite it. */
static uint64_t stamp_of_file(struct span path)
{
    struct stat st;

    if (stat(path.p, &st))
        return 1;
    return span_hash(span_of(&st.st_mtim, sizeof(st.st_mtim)),
                     (uint64_t)st.st_ino ^ (uint64_t)st.st_size << 32);
}

static uint64_t stamp_of(const struct listening *l)
{
    uint64_t stamp = 0;

    for (size_t i = 0; i < l->certificate_count; i++)
        stamp = stamp * 31 + stamp_of_file(l->certificates[i].chain) * 7 +
                stamp_of_file(l->certificates[i].key);
    return stamp;
}

static err make_server(const struct certificate_watch *w, const struct listening *l,
                       struct tls_server **ret)
{
    struct tls_files files[CERTIFICATES_MAX];

    for (size_t i = 0; i < l->certificate_count; i++)
        files[i] = (struct tls_files){ l->certificates[i].chain, l->certificates[i].key };
    return tls_server_new(files, l->certificate_count, &w->keys, ret);
}

static void tell_end(struct certificate_watch *w, const char *name, const struct tls_server *s)
{
    int64_t until = tls_server_valid_until(s);
    int64_t left = until - clock_wall() / NS_PER_S;
    int64_t first = atomic_load(&w->valid_until);

    if (left < 0)
        log_warn("the certificate of %s is no longer valid", name);
    else if (left < SOON_S)
        log_warn("the certificate of %s is valid for %ld more hours", name, (long)(left / 3600));
    if (first == 0 || until < first)
        atomic_store(&w->valid_until, until);
}

static void rotate_keys(struct certificate_watch *w, ns_t now)
{
    for (int i = TLS_TICKET_KEYS - 1; i > 0; i--)
        w->keys.key[i] = w->keys.key[i - 1];
    rand_secret(&w->keys.key[0], sizeof(w->keys.key[0]));
    w->keys_due = now + TICKET_KEYS_LAST;
}

void certificates_init(struct certificate_watch *w)
{
    *w = (struct certificate_watch){};
    rand_secret(&w->keys, sizeof(w->keys)); /* also those that never sealed: nobody may know them */
    rotate_keys(w, clock_monotonic());
}

err certificates_add(struct certificate_watch *w, const struct certificate_use *use)
{
    if (!use->listening->certificates)
        return OK;
    check(w->use_count < sizeof(w->uses) / sizeof(w->uses[0]));
    struct certificate_use *u = &w->uses[w->use_count++];
    *u = *use;
    u->stamp = stamp_of(u->listening);
    for (size_t i = 0; i < u->edge_count; i++) {
        struct port *p = &u->listener->ports[i];
        TRY(make_server(w, u->listening, &p->tls));
        p->dress = tls_dress;
        if (i == 0)
            tell_end(w, u->name, p->tls);
    }
    return OK;
}

static err try_listening(const struct certificate_watch *w, const struct listening *l)
{
    struct tls_server *s = NULL;

    if (l->certificates)
        TRY(make_server(w, l, &s));
    tls_server_free(s);
    return OK;
}

err certificates_try(const struct config *c)
{
    struct certificate_watch w = {};

    for (size_t l = 0; l < c->http_count; l++)
        TRY(try_listening(&w, &c->http[l]));
    return try_listening(&w, &c->admin);
}

/* Each reactor gets a server of its own by mail; what was refused is made again at the next look. */
static bool give_out(struct certificate_watch *w, const struct certificate_use *u)
{
    for (size_t i = 0; i < u->edge_count; i++) {
        struct message m = { .kind = MESSAGE_TLS, .tls = { .listener = u->number } };
        struct tls_server *s = NULL;
        err e = make_server(w, u->listening, &s);
        if (e.failed) {
            log_warn("%s; what was in force stays", e.text);
            return true; /* until the files change again */
        }
        if (i == 0)
            tell_end(w, u->name, s);
        m.tls.server = s;
        if (!mailbox_send(&u->edges[i].mail, &m)) {
            tls_server_free(s);
            return false;
        }
        reactor_wake(u->edges[i].reactor);
    }
    return true;
}

void certificates_check(struct certificate_watch *w, ns_t now)
{
    bool due = now >= w->keys_due;

    if (due)
        rotate_keys(w, now);
    for (size_t i = 0; i < w->use_count; i++) {
        struct certificate_use *u = &w->uses[i];
        uint64_t stamp = stamp_of(u->listening);
        if (stamp == u->stamp && !due)
            continue;
        if (stamp != u->stamp) {
            atomic_store(&w->valid_until, 0);
            log_info("the certificates of %s changed; new connections get them", u->name);
        }
        if (give_out(w, u))
            u->stamp = stamp;
    }
}
