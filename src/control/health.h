/* SPDX-License-Identifier: Apache-2.0 */
/* health.h - active checks: is an instance there, and does it say that it is well? A TCP (or TLS) connection,
 * or a GET with an expected status and text, made on control's reactor beside its other work.
 * Always: the first check of an instance is made at once and decides alone; until then it cannot be used,
 * unless it could when the last process ended. What reactors go by is one word in control's page.
 * A service in observe mode is not checked: nothing reaches its instances but what clients send.
 * Owned by control; the same code in simulation. */
#ifndef EK_CONTROL_HEALTH_H
#define EK_CONTROL_HEALTH_H

#include "base/list.h"
#include "bus/config.h"
#include "bus/counters.h"
#include "io/reactor.h"

enum {
    CHECKS_AT_ONCE_MAX = 64, /* a burst of connections of our own must not be an outage of theirs */
    CHECK_BYTES_MAX =
        20 * 1024, /* of an answer: a head, and 16 KiB in which a text is looked for */
    CHECK_WHY_MAX = 96,
};

enum check_state {
    CHECK_RESTING,
    CHECK_CONNECTING,
    CHECK_ASKING, /* HTTP only */
    CHECK_CLOSING,
};

struct asking; /* health.c */

/* The checks of one instance. */
struct check {
    struct link link; /* in checker->list */
    struct checker *checker;
    const struct service *service; /* of the configuration in force; while it is wanted */
    const struct instance *instance;
    uint32_t id;           /* the instance's */
    struct asking *asking; /* the connection of the check under way; NULL: there is none */
    struct timer timer;
    enum check_state state;
    bool wanted;  /* false: its instance is gone, and it goes when its connection has */
    bool known;   /* a check was made, or the last process made one */
    bool checked; /* in this process */
    bool up;
    unsigned in_a_row; /* results that speak against `up` */
    int64_t since;     /* unix seconds: of `up` */
    ns_t began;
    ns_t took;
    char why[CHECK_WHY_MAX]; /* the last failure; "": the last one was good */
};

/* What is told to the owner when `up` changes. */
struct check_owner {
    /* `another`: it is up or down now, and was not before */
    void (*changed)(void *owner, const struct check *c, bool another);
    void *owner;
};

struct checker {
    struct reactor *reactor;
    struct counter_page *page;
    uint32_t changes; /* slot: how often anything in it changed */
    ns_t (*wall)(void);
    struct check_owner owner;
    struct list list;
    unsigned running;
    bool stopped;
};

/* Everything is lent for the checker's life. */
void checker_open(struct checker *h, struct reactor *r, struct counter_page *page, uint32_t changes,
                  ns_t (*wall)(void), struct check_owner owner);

/* The last process left this instance so; before checker_adopt(). */
struct check_memory {
    struct span service;
    struct span instance;
    bool up;
    int64_t since; /* unix seconds */
};

/* A configuration is in force: checks what is new at once, lets go of what is gone. The memories may be NULL. */
void checker_adopt(struct checker *h, const struct config *c, const struct check_memory *memories,
                   size_t count);

/* Every service that is checked has an instance that is up by a check of this process. */
bool checker_ready(const struct checker *h, const struct config *c);

/* NULL: it is not checked. */
const struct check *checker_find(const struct checker *h, const struct instance *i);

/* Checks no more; a turn must follow before checker_free(). */
void checker_stop(struct checker *h);
void checker_free(struct checker *h);

#endif
