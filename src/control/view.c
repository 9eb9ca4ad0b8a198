/* SPDX-License-Identifier: Apache-2.0 */
/* view.c - what matters most comes first. */
#include "control/view.h"

static const struct {
    const char *word;
    bool used;
} rows[] = {
#define X(name, word, used) { word, used },
    VIEWS(X)
#undef X
};

static enum view choose(const struct service *s, const struct instance *i,
                        const struct instance_view *v)
{
    if (i->drain)
        return VIEW_DRAINED;
    if (s->mode == MODE_OBSERVE)
        return VIEW_OBSERVED;
    if (v->check && !v->check->known)
        return VIEW_UNCHECKED;
    if (v->check && !v->check->up)
        return VIEW_DOWN;
    return v->ejected_for > 0 ? VIEW_EJECTED : VIEW_UP;
}

struct instance_view view_instance(const struct control *c, const struct service *s,
                                   const struct instance *i)
{
    ns_t until = (ns_t)counter_read(&c->admin_page, i->said + SAID_EJECTED_UNTIL);
    struct instance_view v = { .check = checker_find(&c->checker, i) };

    if (until > c->reactor->now)
        v.ejected_for = until - c->reactor->now;
    v.view = choose(s, i, &v);
    v.word = rows[v.view].word;
    v.used = rows[v.view].used;
    return v;
}

const struct view_would view_would[WOULD_COUNT] = {
#define X(name, action, reason) { action, reason },
    WOULD(X)
#undef X
};

uint64_t view_would_count(const struct control *c, const struct service *s, enum would what)
{
    return book_sum(&c->book, s->slots + SERVICE_COUNTER_COUNT + what);
}
