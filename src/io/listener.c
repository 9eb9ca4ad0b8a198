/* SPDX-License-Identifier: Apache-2.0 */
/* listener.c - binding sockets, and each reactor taking connections from its own. */
#include "io/listener.h"

#include "base/log.h"
#include "io/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    ACCEPTS_PER_TURN = 64, /* so that a flood of connections does not starve those that are open */
    UNSENT_MAX = 128 * 1024,
    RETRY_AFTER_MS = 100, /* when the process is out of descriptors: some will be closed by then */
};

/* A socket file left by a program that was killed would make bind fail for ever. */
static void remove_stale_socket(const struct address *a)
{
    struct stat st;
    const struct sockaddr_un *un = (const void *)&a->storage;

    if (a->storage.ss_family == AF_UNIX && lstat(un->sun_path, &st) == 0 && S_ISSOCK(st.st_mode))
        unlink(un->sun_path);
}

static err set_options(int fd, const struct address *a, const char *text)
{
    int on = 1;

    if (a->storage.ss_family == AF_UNIX)
        return OK;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)))
        return err_system(errno, "cannot share the address %s between threads", text);
    if (a->storage.ss_family == AF_INET6 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)))
        return err_system(errno, "cannot listen on %s", text);
    /* inherited by what is accepted: a client that reads nothing makes the kernel keep so much, not the
     * megabytes to which it would let the socket grow (tcp(7)) */
    int unsent = UNSENT_MAX;
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
    return OK;
}

static err open_socket(const struct address *a, int *ret_fd)
{
    char text[ADDRESS_TEXT_MAX];
    int fd = socket(a->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    address_print(a, text);
    if (fd < 0)
        return err_system(errno, "cannot make a socket for %s", text);
    err e = set_options(fd, a, text);
    if (!e.failed && bind(fd, (const struct sockaddr *)&a->storage, a->length))
        e = err_system(errno, "cannot listen on %s", text);
    if (e.failed) {
        close(fd);
        return e;
    }
    *ret_fd = fd;
    return OK;
}

/* SO_REUSEPORT would let a second program of the same user share our address unnoticed and take half
 * of our clients; so the first socket is tried without it. */
static err check_unused(const struct address *a)
{
    char text[ADDRESS_TEXT_MAX];
    int on = 1;

    if (a->storage.ss_family == AF_UNIX || address_port(a) == 0)
        return OK;
    int fd = socket(a->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_system(errno, "cannot make a socket for %s", address_print(a, text));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (a->storage.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    int failed = bind(fd, (const struct sockaddr *)&a->storage, a->length) ? errno : 0;
    close(fd);
    if (failed)
        return err_system(failed, "cannot listen on %s", address_print(a, text));
    return OK;
}

err listener_open(struct listener *l, const struct address *a, size_t count)
{
    *l = (struct listener){ .address = *a };
    TRY(check_unused(a));
    remove_stale_socket(a);
    l->ports = calloc(count, sizeof(l->ports[0]));
    check(l->ports != NULL);
    for (size_t i = 0; i < count; i++) {
        struct port *p = &l->ports[i];
        /* a unix socket has no SO_REUSEPORT: the ports share one queue by duplicates */
        if (i > 0 && a->storage.ss_family == AF_UNIX) {
            p->fd = dup(l->ports[0].fd);
        } else {
            err e = open_socket(&l->address, &p->fd);
            if (e.failed) {
                listener_close(l);
                return e;
            }
        }
        check(p->fd >= 0);
        l->count = i + 1;
        p->address.length = sizeof(p->address.storage);
        getsockname(p->fd, (struct sockaddr *)&p->address.storage, &p->address.length);
        l->address = p->address;
    }
    return OK;
}

err listener_adopt(struct listener *l, const struct address *a, int fd, size_t count)
{
    *l = (struct listener){ .address = *a, .adopted = true };
    l->ports = calloc(count, sizeof(l->ports[0]));
    check(l->ports != NULL);
    for (size_t i = 0; i < count; i++) {
        struct port *p = &l->ports[i];
        p->fd = i == 0 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, 0);
        if (p->fd < 0)
            return err_system(errno, "cannot share a socket between threads");
        p->address = *a;
        l->count = i + 1;
    }
    return OK;
}

void listener_close(struct listener *l)
{
    for (size_t i = 0; i < l->count; i++) {
        if (!l->ports[i].started && l->ports[i].fd >= 0)
            close(l->ports[i].fd);
    }
    if (!l->adopted)
        remove_stale_socket(&l->address);
    free(l->ports);
    *l = (struct listener){};
}

static void retry(struct timer *t)
{
    port_resume(container_of(t, struct port, retry));
}

void port_start(struct port *p, struct reactor *r, const struct port_handler *h, void *owner)
{
    p->reactor = r;
    p->handler = h;
    p->owner = owner;
    p->retry = (struct timer){ .fire = retry };
    p->started = true;
    int failed = r->backend->port_open(p);
    check(failed == 0);
}

void port_edge(struct port *p)
{
    p->ready = true;
    if (!link_linked(&p->ready_link))
        list_append(&p->reactor->ports, &p->ready_link);
}

void port_resume(struct port *p)
{
    if (p->started && p->ready)
        port_edge(p);
}

void port_accept_some(struct port *p)
{
    struct reactor *r = p->reactor;
    struct accepted a;

    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        if (!p->handler->may_accept(p))
            return; /* the owner will resume */
        int failed = r->backend->port_accept(p, &a);
        if (failed == -EAGAIN) {
            p->ready = false;
            return;
        }
        if (failed == -ECONNABORTED || failed == -EINTR || failed == -EPROTO)
            continue;
        if (failed) {
            log_warn("cannot accept a connection: %s", strerrordesc_np(-failed));
            timer_set(&r->timers, &p->retry, r->now + RETRY_AFTER_MS * NS_PER_MS);
            return;
        }
        if (!p->handler->accepted(p, &a))
            r->backend->refuse(r, &a);
    }
    port_edge(p); /* more may wait: the next turn goes on */
}

void port_stop(struct port *p)
{
    struct accepted a;

    if (!p->started)
        return;
    while (p->handler->may_accept(p) && p->reactor->backend->port_accept(p, &a) == 0) {
        if (!p->handler->accepted(p, &a))
            p->reactor->backend->refuse(p->reactor, &a);
    }
    if (link_linked(&p->ready_link))
        list_remove(&p->reactor->ports, &p->ready_link);
    timer_drop(&p->reactor->timers, &p->retry);
    p->reactor->backend->port_close(p);
    p->started = false;
    p->fd = -1;
}
