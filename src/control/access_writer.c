/* SPDX-License-Identifier: Apache-2.0 */
/* access_writer.c - writing lines out. */
#include "control/access_writer.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static int open_file(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
}

err access_writer_open(struct access_writer *w, const char *path, struct log_ring *rings,
                       size_t ring_count)
{
    *w = (struct access_writer){ .path = path, .rings = rings, .ring_count = ring_count };
    w->fd = open_file(path);
    return w->fd < 0 ? err_system(errno, "cannot write the access log %s", path) : OK;
}

static void tell(struct access_writer *w, int error)
{
    if (error && !w->failing)
        log_warn("cannot write the access log %s: %s; serving goes on, lines are dropped", w->path,
                 strerrordesc_np(error));
    else if (!error && w->failing)
        log_info("the access log %s is written again", w->path);
    w->failing = error != 0;
}

static void drain_ring(struct access_writer *w, struct log_ring *r)
{
    struct span pieces[2];
    unsigned count = log_ring_peek(r, pieces);
    struct iovec out[2];

    for (unsigned i = 0; i < count; i++)
        out[i] = (struct iovec){ (void *)(uintptr_t)pieces[i].p, pieces[i].n };
    if (count == 0)
        return;
    size_t waiting = pieces[0].n + (count == 2 ? pieces[1].n : 0);
    if (waiting > w->most_waiting)
        w->most_waiting = waiting;
    /* a short write (a disk that is nearly full) may cut a line; the rest of it follows */
    ssize_t n = writev(w->fd, out, (int)count);
    tell(w, n < 0 ? errno : 0);
    if (n > 0)
        log_ring_taken(r, (size_t)n);
}

void access_writer_drain(struct access_writer *w)
{
    w->most_waiting = 0;
    for (size_t i = 0; i < w->ring_count; i++)
        drain_ring(w, &w->rings[i]);
}

void access_writer_reopen(struct access_writer *w)
{
    int fd = open_file(w->path);

    if (fd < 0) {
        log_warn("cannot reopen the access log %s: %s; the old file is written on", w->path,
                 strerrordesc_np(errno));
        return;
    }
    close(w->fd);
    w->fd = fd;
    log_info("access log %s reopened", w->path);
}

void access_writer_close(struct access_writer *w)
{
    if (w->fd >= 0)
        close(w->fd);
    w->fd = -1;
}
