/* SPDX-License-Identifier: Apache-2.0 */
/* supervisor.c - two environment variables and a datagram. */
#include "control/supervisor.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

enum { FIRST_FD = 3, SOCKETS_MAX = 64 }; /* SD_LISTEN_FDS_START */

static bool given[SOCKETS_MAX];

/* Sockets of another process, whose environment we inherited, are none of ours. */
static int socket_count(void)
{
    const char *pid = getenv("LISTEN_PID");
    const char *count = getenv("LISTEN_FDS");
    uint64_t number;

    if (!pid || !count || !span_to_u64(span_from_text(pid), &number) ||
        number != (uint64_t)getpid() || !span_to_u64(span_from_text(count), &number))
        return 0;
    return number < SOCKETS_MAX ? (int)number : SOCKETS_MAX;
}

static bool listens_at(int fd, const struct address *a)
{
    struct address here = { .length = sizeof(here.storage) };
    int listening = 0;
    socklen_t n = sizeof(listening);

    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &n) || !listening ||
        getsockname(fd, (struct sockaddr *)&here.storage, &here.length))
        return false;
    return address_equal(&here, a);
}

int supervisor_socket(const struct address *a)
{
    int count = socket_count();

    for (int i = 0; i < count; i++) {
        int fd = FIRST_FD + i;
        if (given[i] || !listens_at(fd, a))
            continue;
        given[i] = true;
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
        return fd;
    }
    return -1;
}

void supervisor_tell(const char *what)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    size_t n = path ? strlen(path) : 0;

    if (n < 2 || n >= sizeof(to.sun_path) || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(to.sun_path, path, n);
    if (path[0] == '@')
        to.sun_path[0] = '\0'; /* an abstract name */
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    ssize_t sent = sendto(fd, what, strlen(what), MSG_NOSIGNAL, (struct sockaddr *)&to,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
    (void)sent; /* there is nobody else to tell that it did not arrive */
    close(fd);
}

int64_t supervisor_watchdog(void)
{
    const char *text = getenv("WATCHDOG_USEC");
    uint64_t us;

    if (!text || !span_to_u64(span_from_text(text), &us) || us > INT64_MAX / 1000)
        return 0;
    return (int64_t)us * 1000 / 2; /* twice as often as it is waited for */
}
