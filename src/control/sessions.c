/* SPDX-License-Identifier: Apache-2.0 */
/* sessions.c - a list, searched whole. */
#include "control/sessions.h"

#include "base/rand.h"
#include "base/str.h"

static bool is_alive(const struct session *s, ns_t now)
{
    return s->ends > now && s->idle > now;
}

static struct session *place_for_new(struct sessions *s, ns_t now)
{
    struct session *oldest = &s->list[0];

    for (size_t i = 0; i < SESSIONS_MAX; i++) {
        if (!is_alive(&s->list[i], now))
            return &s->list[i];
        if (s->list[i].idle < oldest->idle)
            oldest = &s->list[i];
    }
    return oldest;
}

void session_begin(struct sessions *s, bool operates, ns_t now, char ret_id[SESSION_ID_SIZE])
{
    unsigned char drawn[SESSION_ID_SIZE / 2];
    struct str text = str_fixed(ret_id, SESSION_ID_SIZE);
    struct session *new = place_for_new(s, now);

    rand_secret(drawn, sizeof(drawn));
    str_hex_bytes(&text, drawn, sizeof(drawn));
    *new = (struct session){ .ends = now + SESSION_LIFE,
                             .idle = now + SESSION_IDLE,
                             .operates = operates };
    secret_mark_of(str_span(&text), &new->id);
}

static struct session *find(struct sessions *s, struct span id, ns_t now)
{
    struct session *found = NULL;
    struct secret_mark mark;

    if (id.n != SESSION_ID_SIZE)
        return NULL;
    secret_mark_of(id, &mark);
    for (size_t i = 0; i < SESSIONS_MAX; i++) {
        if (is_alive(&s->list[i], now) && secret_mark_equal(&s->list[i].id, &mark))
            found = &s->list[i];
    }
    return found;
}

const struct session *session_find(struct sessions *s, struct span id, ns_t now)
{
    struct session *found = find(s, id, now);

    if (found)
        found->idle = now + SESSION_IDLE;
    return found;
}

void session_end(struct sessions *s, struct span id, ns_t now)
{
    struct session *found = find(s, id, now);

    if (found)
        *found = (struct session){};
}

void sessions_drop(struct sessions *s, bool operates)
{
    for (size_t i = 0; i < SESSIONS_MAX; i++) {
        if (s->list[i].operates == operates)
            s->list[i] = (struct session){};
    }
}
