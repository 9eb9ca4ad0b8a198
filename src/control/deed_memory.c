/* SPDX-License-Identifier: Apache-2.0 */
/* deed_memory.c - see deed_memory.h. */
#include "control/deed_memory.h"

#include "base/log.h"
#include "control/control.h"

#include <stdlib.h>

#define CUT SPAN("...")

void deed_memory_open(struct deed_memory *m)
{
    *m = (struct deed_memory){ .next = 1 };
    m->ring = calloc(DEEDS_REMEMBERED, sizeof(m->ring[0]));
    check(m->ring != NULL);
}

static struct remembered_deed *place(const struct deed_memory *m, size_t i)
{
    return &m->ring[(m->first + i) % DEEDS_REMEMBERED];
}

void deed_memory_free(struct deed_memory *m)
{
    for (size_t i = 0; i < m->count; i++)
        free(place(m, i)->texts);
    free(m->ring);
    *m = (struct deed_memory){};
}

/* ---- remembering */

static bool begins_code_point(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

/* How much of a text is kept: what is too long ends between two code points of UTF-8, with room for the sign that it was cut. */
static size_t kept_bytes(struct span s)
{
    size_t n = s.n;

    if (n <= DEED_TEXT_MAX)
        return n;
    n = DEED_TEXT_MAX - CUT.n;
    while (n > 0 && !begins_code_point(s.p[n]))
        n--;
    return n;
}

/* Appends it to what `to` has room for. */
static struct span copy_text(char **to, struct span s)
{
    char *begin = *to;
    size_t n = kept_bytes(s);

    if (n)
        memcpy(begin, s.p, n);
    if (n < s.n) {
        memcpy(begin + n, CUT.p, CUT.n);
        n += CUT.n;
    }
    *to = begin + n;
    return span_of(begin, n);
}

static void copy_deed(struct remembered_deed *to, const struct kept_deed *d)
{
    size_t size = 1;

    for (int i = 0; i < DEED_TEXT_COUNT; i++)
        size += d->text[i].n < DEED_TEXT_MAX ? d->text[i].n : DEED_TEXT_MAX;
    char *end = malloc(size);
    check(end != NULL);
    *to = (struct remembered_deed){ .row = *d, .texts = end };
    for (int i = 0; i < DEED_TEXT_COUNT; i++)
        to->row.text[i] = copy_text(&end, d->text[i]);
}

static void make_room(struct deed_memory *m)
{
    struct remembered_deed *oldest = place(m, 0);

    m->lost += oldest->row.number > m->stored;
    free(oldest->texts);
    m->first = (m->first + 1) % DEEDS_REMEMBERED;
    m->count--;
}

void deed_memory_add(struct deed_memory *m, const struct kept_deed *d)
{
    if (m->count == DEEDS_REMEMBERED)
        make_room(m);
    struct remembered_deed *new = place(m, m->count++);
    copy_deed(new, d);
    new->row.number = m->next++;
}

void deed_memory_recall(struct deed_memory *m, const struct kept_deed *list, size_t count)
{
    check(m->count == 0 && count <= DEEDS_REMEMBERED);
    for (size_t i = count; i-- > 0;)
        copy_deed(place(m, m->count++), &list[i]);
    if (count == 0)
        return;
    m->stored = list[0].number;
    m->next = list[0].number + 1;
}

const struct kept_deed *deed_memory_newest(const struct deed_memory *m, size_t i)
{
    check(i < m->count);
    return &place(m, m->count - 1 - i)->row;
}

static size_t count_waiting(const struct deed_memory *m)
{
    size_t n = 0;

    while (n < m->count && deed_memory_newest(m, n)->number > m->stored)
        n++;
    return n;
}

struct kept_deed *deed_memory_waiting(const struct deed_memory *m, struct arena *a,
                                      size_t *ret_count)
{
    size_t n = count_waiting(m);
    struct kept_deed *list = arena_array(a, struct kept_deed, n);

    for (size_t i = 0; i < n; i++) {
        list[i] = *deed_memory_newest(m, n - 1 - i);
        for (int t = 0; t < DEED_TEXT_COUNT; t++)
            list[i].text[t] = arena_span(a, list[i].text[t]);
    }
    *ret_count = n;
    return list;
}

/* ---- into the store */

struct keep_task {
    struct scribe_task task;
    struct arena arena;
    struct kept_deed *list;
    size_t count;
    err result;
};

static void free_task(struct keep_task *k)
{
    arena_free(&k->arena);
    free(k);
}

static void run(struct scribe_task *t, struct store *s)
{
    struct keep_task *k = container_of(t, struct keep_task, task);

    k->result = store_here(s);
    if (!k->result.failed)
        k->result = kept_deeds_put(s, k->list, k->count);
}

static void give(struct control *c);

/* Once per trouble; the book tells of it too. */
static void tell_failure(const struct deed_memory *m, const err *e)
{
    if (m->gave_up)
        log_warn("what was changed and reloaded last is not in the store: %s", e->text);
    else if (!m->failed.failed)
        log_warn("what was changed and reloaded is remembered until the store takes it: %s",
                 e->text);
}

static void done(struct scribe_task *t, void *control)
{
    struct control *c = control;
    struct deed_memory *m = &c->deeds;
    struct keep_task *k = container_of(t, struct keep_task, task);

    m->out = false;
    if (k->result.failed) {
        m->gave_up = c->state == CONTROL_STORING;
        tell_failure(m, &k->result);
        m->failed = k->result;
    } else {
        m->stored = k->list[k->count - 1].number;
        m->lost_told = false;
        m->failed = OK;
        give(c); /* those that came meanwhile */
    }
    free_task(k);
}

static void give(struct control *c)
{
    struct deed_memory *m = &c->deeds;

    if (!c->parts.scribe || m->out || count_waiting(m) == 0)
        return;
    struct keep_task *k = calloc(1, sizeof(*k));
    check(k != NULL);
    k->task = (struct scribe_task){ .run = run, .done = done };
    k->list = deed_memory_waiting(m, &k->arena, &k->count);
    m->out = control_give_task(c, &k->task);
    if (!m->out)
        free_task(k);
}

err deeds_recall(struct control *c)
{
    struct arena a = {};
    struct kept_deed *list = NULL;
    size_t count = 0;

    if (!c->parts.store)
        return OK;
    err e = kept_deeds_load(c->parts.store, INT64_MAX, DEEDS_RECALLED, &a, &list, &count);
    if (!e.failed)
        deed_memory_recall(&c->deeds, list, count);
    arena_free(&a);
    return e;
}

void deeds_keep(struct control *c, const struct kept_deed *d)
{
    struct deed_memory *m = &c->deeds;
    uint64_t lost = m->lost;

    deed_memory_add(m, d);
    if (m->lost > lost && !m->lost_told) {
        log_warn("the store takes nothing, and only the last %d changes and reloads are "
                 "remembered: older ones are lost",
                 DEEDS_REMEMBERED);
        m->lost_told = true;
    }
    deeds_tick(c);
}

/* A store in trouble is not asked for more than the book does: each try may take seconds, and what is to open it anew waits until
 * nothing is with the scribe. */
void deeds_tick(struct control *c)
{
    if (!c->book.trouble.failed)
        give(c);
}

void deeds_again(struct control *c)
{
    c->deeds.stored = 0;
}

bool deeds_settled(struct control *c)
{
    struct deed_memory *m = &c->deeds;

    if (!m->gave_up)
        give(c);
    return !m->out && (m->gave_up || !c->parts.scribe || count_waiting(m) == 0);
}
