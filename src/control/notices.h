/* SPDX-License-Identifier: Apache-2.0 */
/* notices.h - what changed, told as it happens: a bounded log in memory, and those who listen to it (server-sent events at
 * GET /api/v1/events).
 * Always: a notice is written at the place where the thing is decided; numbers go up by one; a listener who missed some is told so.
 * Used in control's thread only. Next: api_notices.c, who listens. */
#ifndef EK_CONTROL_NOTICES_H
#define EK_CONTROL_NOTICES_H

#include "base/list.h"
#include "base/str.h"
#include "bus/config.h"

#include <jansson.h>

struct control;

/* clang-format off */
#define NOTICES(X) \
    /* name      word        what it tells */ \
    X(INSTANCE,  "instance", "an instance is up, down, ejected, drained or undrained, came or went") \
    X(CHANGE,    "change",   "something was changed at run time, taken back, or ended by its time or by the file") \
    X(RELOAD,    "reload",   "the file was read again and accepted, or refused") \
    X(STORE,     "store",    "the store takes nothing, or takes it again") \
    X(PEER,      "peer",     "another node fell silent, or answers") \
    X(JOURNEY,   "journey",  "a version of a journey begins") \
    X(CLOCK,     "clock",    "the wall clock was set, or the machine slept") \
    X(NODE,      "node",     "this node lets clients in, or stops")
/* clang-format on */

enum notice_kind {
#define X(name, word, meaning) NOTICE_##name,
    NOTICES(X)
#undef X
        NOTICE_COUNT,
};

enum {
    NOTICES_KEPT = 1024, /* and of no more bytes than a listener may have waiting (local.h) */
    NOTICES_BYTES = 192 * 1024,
    NOTICES_EJECTED = 256, /* at once; of more it is not told when it is over */
};

struct notice {
    enum notice_kind kind;
    struct str text; /* as it is sent */
};

struct notices {
    uint64_t origin; /* of this process: numbers of another one mean nothing here */
    uint64_t next;   /* number of the next; they begin at 1 */
    uint64_t oldest; /* number of the oldest that is kept; `next`: none is */
    size_t bytes;
    struct notice *kept; /* by number */
    struct list watchers;
    uint32_t ejected
        [NOTICES_EJECTED]; /* ids of instances of which it was told, and not yet that it is over */
    size_t ejected_count;
    unsigned store; /* enum store_trouble that was told last */
};

void notices_open(struct notices *n, uint64_t origin);
void notices_free(struct notices *n);

/* The word of a kind; one kind by its word. */
const char *notice_word(enum notice_kind k);
bool notice_kind_parse(struct span word, enum notice_kind *ret);

/* Without a listener; for tests. Takes the object. `at`: unix seconds. */
const struct notice *notices_add(struct notices *n, enum notice_kind kind, int64_t at,
                                 json_t *what);

/* Writes "ORIGIN-NUMBER". */
void notices_put_id(const struct notices *n, uint64_t number, struct str *out);

/* Where somebody goes on who has seen everything up to `id` ("0": nothing). */
enum notices_place {
    NOTICES_HERE,          /* *ret_next is the first that he has not seen */
    NOTICES_GONE,          /* some after it are not kept any more; *ret_next is the oldest */
    NOTICES_OTHER_PROCESS, /* it is none of this process; *ret_next is the oldest */
    NOTICES_NO_ID,         /* it is no id */
};
enum notices_place notices_find(const struct notices *n, struct span id, uint64_t *ret_next);

/* ---- for control */

/* Writes it and sends it to all who listen. Takes the object: what happened, without the time. */
void notice(struct control *c, enum notice_kind kind, json_t *what);

/* Empty is null; what is not UTF-8 is "?". */
json_t *notice_text(struct span s);

/* Another configuration comes into force: instances that came, went, are drained or no longer so; versions of journeys. */
void notice_adopt(struct control *c, const struct config *old, const struct config *new);

/* The state of an instance by a word, and why (may be empty). */
void notice_instance(struct control *c, struct span service, struct span instance,
                     const char *state, struct span why);

/* An instance is left alone; and, at once or with a tick, no longer so: it may be used again. */
void notice_ejected(struct control *c, uint32_t id, struct span why);
void notice_back(struct control *c, uint32_t id, struct span why);
void notice_ejections_tick(struct control *c);

/* Each tick, and after each job of the store: did its trouble begin or end? */
void notice_store(struct control *c);

/* ---- api_notices.c */

/* Sends a notice to all who listen to its kind. */
void watchers_tell(struct control *c, const struct notice *n);

/* Each tick: signs of life. */
void watchers_tick(struct control *c);

/* All streams end in order. */
void watchers_end(struct control *c);

#endif
