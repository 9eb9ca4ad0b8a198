/* SPDX-License-Identifier: Apache-2.0 */
/* test_turn.c - what one turn does with several connections at once, on real sockets: all of them receive, then all are told,
 * those to instances first, then all send; and what a handler does to a connection that is still to be told. */
#include "unit.h"

#include "io/conn.h"
#include "io/filter.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

enum { ENDS = 3, MANY = 2 * REACTOR_TOGETHER_MAX, STORY_MAX = 2000 };

struct end {
    struct conn conn;
    char name;
    int far; /* the other end; -1: closed */
    char bytes[16];
    size_t have;
    void (*on_received)(struct end *e);
    int again; /* so often it sends once more when it has sent */
};

static struct reactor reactor;
static struct end ends[MANY];
static size_t count;          /* of them */
static char story[STORY_MAX]; /* what happened, a word each: the end's name, and what */

static void tell(const struct end *e, const char *what)
{
    size_t n = strlen(story);

    assert_true(snprintf(story + n, sizeof(story) - n, "%s%c:%s", n ? " " : "", e->name, what) <
                (int)(sizeof(story) - n));
}

static void assert_story(const char *wanted)
{
    assert_string_equal(story, wanted);
    story[0] = '\0';
}

static struct end *of(struct conn *c)
{
    return container_of(c, struct end, conn);
}

static struct lent on_lend(struct conn *c)
{
    struct end *e = of(c);

    tell(e, "lends");
    return (struct lent){ e->bytes + e->have, sizeof(e->bytes) - e->have };
}

static void on_received(struct conn *c, size_t n)
{
    struct end *e = of(c);

    e->have += n;
    tell(e, "received");
    if (e->on_received)
        e->on_received(e);
}

static void on_ended(struct conn *c)
{
    tell(of(c), "ended");
}

static void answer(struct end *e)
{
    static char bytes[] = "!";
    struct iovec piece = { bytes, 1 };

    conn_send(&e->conn, &piece, 1);
}

static void on_sent(struct conn *c)
{
    struct end *e = of(c);
    char byte;
    bool all = true;

    /* whoever is told first finds that the others have sent as well */
    for (size_t i = 0; i < count; i++)
        all &= ends[i].far < 0 || recv(ends[i].far, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
    tell(e, all ? "sent-all" : "sent");
    if (e->again-- > 0)
        answer(e);
}

static void on_connected(struct conn *c)
{
    tell(of(c), "connected");
}

static void on_resumed(struct conn *c)
{
    tell(of(c), "resumed");
}

static void on_failed(struct conn *c, int error)
{
    tell(of(c), error == ECONNABORTED ? "aborted" : "failed");
    conn_close(c);
}

static void on_hung_up(struct conn *c)
{
    tell(of(c), "hung-up");
}

static void on_released(struct conn *c)
{
    tell(of(c), "released");
}

static const struct conn_handler handler = {
    .lend = on_lend,
    .received = on_received,
    .ended = on_ended,
    .sent = on_sent,
    .connected = on_connected,
    .resumed = on_resumed,
    .failed = on_failed,
    .hung_up = on_hung_up,
    .released = on_released,
};

static void top(void *owner)
{
    (void)owner;
}

static bool has_mail(void *owner)
{
    (void)owner;
    return false;
}

static void turn(void)
{
    reactor_turn(&reactor, reactor_clock(&reactor) + 10 * NS_PER_S); /* something is there */
}

static int open_count(size_t n)
{
    story[0] = '\0';
    count = n;
    err e = io_epoll_open(&reactor, 0, 1);
    assert_false(e.failed);
    reactor_set_owner(&reactor, (struct reactor_owner){ .top = top, .has_mail = has_mail });
    for (size_t i = 0; i < count; i++) {
        int pair[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
        struct accepted a = { .fd = pair[0], .peer.storage.ss_family = AF_UNIX };
        ends[i] = (struct end){ .name = (char)('a' + i), .far = pair[1] };
        conn_open(&ends[i].conn, &reactor, &handler, &a);
        conn_receive(&ends[i].conn);
    }
    reactor_turn(&reactor, 0);
    return 0;
}

static int open_all(void **state)
{
    (void)state;
    return open_count(ENDS);
}

static int open_many(void **state)
{
    (void)state;
    return open_count(MANY);
}

static int close_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < count; i++) {
        conn_close(&ends[i].conn);
        close(ends[i].far);
    }
    reactor_turn(&reactor, 0);
    reactor_free(&reactor);
    return 0;
}

static void say(const struct end *e, const char *text)
{
    assert_int_equal(write(e->far, text, strlen(text)), strlen(text));
}

static void all_receive_then_all_are_told_then_all_send(void **state)
{
    (void)state;
    for (size_t i = 0; i < ENDS; i++) {
        ends[i].on_received = answer;
        say(&ends[i], "x");
    }
    turn();
    assert_story("a:lends b:lends c:lends a:received b:received c:received a:sent-all b:sent-all "
                 "c:sent-all");
}

/* The first connection is replaced by one that we make to somebody who listens; what comes on it comes last, and is told first. */
static void instances_are_heard_before_clients(void **state)
{
    struct address to;
    char path[64];
    char text[80];
    struct end *a = &ends[0];

    (void)state;
    snprintf(path, sizeof(path), "/tmp/evenkeel-test-turn.%d", (int)getpid());
    snprintf(text, sizeof(text), "unix:%s", path);
    assert_true(address_parse(span_from_text(text), &to));
    unlink(path);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&to.storage, to.length), 0);
    assert_int_equal(listen(listener, 1), 0);
    conn_close(&a->conn);
    close(a->far);
    reactor_turn(&reactor, 0);
    conn_connect(&a->conn, &reactor, &handler, &to);
    a->far = accept(listener, NULL, NULL);
    close(listener);
    unlink(path);
    turn();
    conn_receive(&a->conn);
    assert_story("a:released a:connected");
    say(&ends[1], "x");
    say(&ends[2], "x");
    say(a, "x");
    turn();
    assert_story("b:lends c:lends a:lends a:received b:received c:received");
}

static void close_next(struct end *e)
{
    conn_close(&e[1].conn);
}

static void who_was_closed_meanwhile_is_not_told(void **state)
{
    (void)state;
    ends[0].on_received = close_next;
    for (size_t i = 0; i < ENDS; i++)
        say(&ends[i], "x");
    turn();
    assert_story("a:lends b:lends c:lends a:received c:received b:released");
}

static void resume_next(struct end *e)
{
    conn_resume(&e[1].conn);
}

/* What it has received is told after that, and no other bytes over it. */
static void who_goes_on_first_keeps_what_it_received(void **state)
{
    (void)state;
    ends[0].on_received = resume_next;
    say(&ends[0], "x");
    say(&ends[1], "first");
    turn();
    assert_story("a:lends b:lends a:received b:resumed b:received");
    conn_receive(&ends[1].conn);
    say(&ends[1], "second");
    turn();
    assert_story("b:lends b:received");
    assert_memory_equal(ends[1].bytes, "firstsecond", 11);
}

static void fail_next(struct end *e)
{
    conn_fail(&e[1].conn, ECONNABORTED);
}

static void who_failed_meanwhile_is_told_what_came_first(void **state)
{
    (void)state;
    ends[0].on_received = fail_next;
    say(&ends[0], "x");
    say(&ends[1], "x");
    turn();
    assert_story("a:lends b:lends a:received b:received b:aborted b:released");
}

/* An end, too, is seen with the others and told in turn. */
static void an_end_is_told_in_its_turn(void **state)
{
    (void)state;
    say(&ends[0], "x");
    close(ends[1].far);
    ends[1].far = -1;
    turn();
    assert_story("a:lends b:lends a:received b:ended");
}

/* As when a timer fires for many at once: all of it leaves before anybody receives, and those who came are served in the same
 * turn, also when what was sent makes as many send again. */
static void many_sends_from_before_hold_nobody_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        ends[i].again = 1;
        answer(&ends[i]);
    }
    say(&ends[0], "x");
    turn();
    assert_memory_equal(story, "a:sent-all b:sent-all ", 22);
    assert_non_null(strstr(story, " a:lends a:received a:sent-all b:sent-all "));
}

static void close_first(struct timer *t)
{
    (void)t;
    conn_close(&ends[0].conn);
}

/* A timer has closed it before the poll: its memory is given back in this turn, not when somebody else comes. */
static void whom_a_timer_closes_is_released_at_once(void **state)
{
    struct timer t = { .fire = close_first };
    ns_t began = reactor_clock(&reactor);

    (void)state;
    timer_set(&reactor.timers, &t, began);
    reactor_turn(&reactor, 0); /* the next one begins after that time */
    while (story[0] == '\0' && reactor_clock(&reactor) < began + 5 * NS_PER_S)
        reactor_turn(&reactor, began + 5 * NS_PER_S);
    assert_true(reactor_clock(&reactor) < began + 5 * NS_PER_S);
    assert_story("a:released");
}

#define TURN_TEST(f) cmocka_unit_test_setup_teardown(f, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TURN_TEST(all_receive_then_all_are_told_then_all_send),
        TURN_TEST(instances_are_heard_before_clients),
        TURN_TEST(who_was_closed_meanwhile_is_not_told),
        TURN_TEST(who_goes_on_first_keeps_what_it_received),
        TURN_TEST(who_failed_meanwhile_is_told_what_came_first),
        TURN_TEST(an_end_is_told_in_its_turn),
        TURN_TEST(whom_a_timer_closes_is_released_at_once),
        cmocka_unit_test_setup_teardown(many_sends_from_before_hold_nobody_up, open_many,
                                        close_all),
    };
    return RUN(tests);
}
