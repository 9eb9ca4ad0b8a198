/* SPDX-License-Identifier: Apache-2.0 */
/* sessions.h - browsers that have shown a token once, and show the id of a session since.
 * Always: fixed memory; in memory only, so a restart ends them all; an id is 256 drawn bits, of which only the mark
 * (io/marks.h) is kept. Used in control's thread only. */
#ifndef EK_CONTROL_SESSIONS_H
#define EK_CONTROL_SESSIONS_H

#include "base/clock.h"
#include "io/marks.h"

enum {
    SESSIONS_MAX = 64, /* people of one team; beyond, the one that was used longest ago ends */
    SESSION_ID_SIZE = 64,
    SESSION_LIFE_S = 12 * 3600, /* a working day; then the token again */
};

#define SESSION_LIFE (SESSION_LIFE_S * NS_PER_S)
#define SESSION_IDLE (3600 * NS_PER_S)

struct session {
    struct secret_mark id;
    ns_t ends; /* whatever happens; 0: none */
    ns_t idle; /* unless it is used before */
    bool operates;
};

struct sessions {
    struct session list[SESSIONS_MAX];
};

/* A new one; its id is not terminated. */
void session_begin(struct sessions *s, bool operates, ns_t now, char ret_id[SESSION_ID_SIZE]);

/* NULL: there is none with this id, or not any more. It counts as used. */
const struct session *session_find(struct sessions *s, struct span id, ns_t now);

void session_end(struct sessions *s, struct span id, ns_t now);

/* All that may, or may not, change something: their token is another now. */
void sessions_drop(struct sessions *s, bool operates);

#endif
