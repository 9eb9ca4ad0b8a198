/* SPDX-License-Identifier: Apache-2.0 */
/* list.h - a doubly linked list whose links live in its members and which counts itself.
 * Always: a link is in at most one list; an unlinked link points to nothing.
 * The caller owns the members; the list owns nothing. */
#ifndef EK_BASE_LIST_H
#define EK_BASE_LIST_H

#include "base/check.h"

#include <stdbool.h>
#include <stddef.h>

struct link {
    struct link *next;
    struct link *prev;
};

struct list {
    struct link head; /* head.next is the first member, head.prev the last */
    size_t count;
};

/* The structure in which `link` is the member called `member`. */
#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

static inline void list_init(struct list *l)
{
    l->head.next = l->head.prev = &l->head;
    l->count = 0;
}

static inline bool link_linked(const struct link *k)
{
    return k->next != NULL;
}

static inline bool list_empty(const struct list *l)
{
    return l->count == 0;
}

static inline void list_insert_between(struct list *l, struct link *k, struct link *a,
                                       struct link *b)
{
    check(!link_linked(k));
    k->prev = a;
    k->next = b;
    a->next = k;
    b->prev = k;
    l->count++;
}

static inline void list_append(struct list *l, struct link *k)
{
    list_insert_between(l, k, l->head.prev, &l->head);
}

static inline void list_prepend(struct list *l, struct link *k)
{
    list_insert_between(l, k, &l->head, l->head.next);
}

static inline void list_remove(struct list *l, struct link *k)
{
    check(link_linked(k) && l->count > 0);
    k->prev->next = k->next;
    k->next->prev = k->prev;
    k->next = k->prev = NULL;
    l->count--;
}

static inline struct link *list_first(const struct list *l)
{
    return l->count ? l->head.next : NULL;
}

static inline struct link *list_pop(struct list *l)
{
    struct link *k = list_first(l);

    if (k)
        list_remove(l, k);
    return k;
}

#endif
