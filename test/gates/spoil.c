/* SPDX-License-Identifier: Apache-2.0 */
/* spoil.c - preloaded into evenkeel by test/gates/gates to show that each gate fails when it must: every send
 * is accompanied by one thing that an exchange must not do, chosen by SPOIL.
 * Always: what is sent stays the same; only the cost changes. */
#include <dlfcn.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static long (*call)(long number, ...); /* the C library's, which ours stands before */

static void receive(int fd)
{
    char byte;

    (void)!recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
}

/* A send of nothing: the peer does not notice. */
static void send_twice(int fd)
{
    (void)!call(SYS_sendto, fd, "", 0, MSG_NOSIGNAL | MSG_DONTWAIT, NULL, 0);
}

static void wait_more(int fd)
{
    struct epoll_event e;

    (void)fd;
    (void)!epoll_wait(-1, &e, 1, 0);
}

static void wake(int fd)
{
    static uint32_t word;

    (void)fd;
    (void)!call(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void allocate(int fd)
{
    void *volatile p = malloc(16); /* volatile: or the compiler leaves both calls out */

    (void)fd;
    free(p);
}

static void release(int fd)
{
    void *volatile nothing = NULL;

    (void)fd;
    free(nothing);
}

static void nothing(int fd)
{
    (void)fd;
}

static const struct spoil {
    const char *name;
    void (*act)(int fd);
} spoils[] = {
    { "receive", receive }, { "send", send_twice },   { "wait", wait_more },
    { "futex", wake },      { "allocate", allocate }, { "free", release },
};

static void (*act)(int fd) = nothing;

__attribute__((constructor)) static void choose(void)
{
    const char *name = getenv("SPOIL");

    call = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
    for (size_t i = 0; name && i < sizeof(spoils) / sizeof(spoils[0]); i++) {
        if (strcmp(name, spoils[i].name) == 0)
            act = spoils[i].act;
    }
}

/* The reactors' sends are made by it (io_epoll.c). Arguments of a system call are words, at most six. */
long syscall(long number, ...)
{
    long a[6];
    va_list list;

    va_start(list, number);
    for (size_t i = 0; i < sizeof(a) / sizeof(a[0]); i++)
        a[i] = va_arg(list, long);
    va_end(list);
    if (number == SYS_sendto || number == SYS_sendmsg)
        act((int)a[0]);
    return call(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
