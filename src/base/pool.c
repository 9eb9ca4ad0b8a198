/* SPDX-License-Identifier: Apache-2.0 */
/* pool.c - slabs of about 64 KiB cut into objects. Under AddressSanitizer a free object is poisoned,
 * so that use after pool_give() is found as use after free() would be. */
#include "base/pool.h"

#include "base/check.h"

#include <stdalign.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define EK_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define EK_ASAN 1
#endif
#endif

#ifdef EK_ASAN
#include <sanitizer/asan_interface.h>
#define poison(p, n)   ASAN_POISON_MEMORY_REGION(p, n)
#define unpoison(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define poison(p, n)   ((void)(p), (void)(n))
#define unpoison(p, n) ((void)(p), (void)(n))
#endif

enum { SLAB_SIZE = 64 * 1024 };

struct pool_slot {
    struct pool_slot *next;
};

struct slab {
    struct slab *next;
    alignas(max_align_t) char bytes[];
};

void pool_init(struct pool *p, const char *name, size_t object_size, size_t max)
{
    size_t align = alignof(max_align_t);

    check(object_size >= sizeof(struct pool_slot) && max > 0);
    *p = (struct pool){ .name = name,
                        .object_size = (object_size + align - 1) & ~(align - 1),
                        .max = max };
}

static void add_slab(struct pool *p)
{
    size_t count = SLAB_SIZE / p->object_size;

    if (count == 0)
        count = 1;
    if (count > p->max - p->made)
        count = p->max - p->made;
    struct slab *slab = malloc(sizeof(*slab) + count * p->object_size);
    check(slab != NULL);
    slab->next = p->slabs;
    p->slabs = slab;
    for (size_t i = count; i-- > 0;) {
        struct pool_slot *slot = (struct pool_slot *)(void *)(slab->bytes + i * p->object_size);
        slot->next = p->free;
        p->free = slot;
        poison((char *)slot + sizeof(*slot), p->object_size - sizeof(*slot));
    }
    p->made += count;
}

void *pool_take(struct pool *p)
{
    if (!p->free) {
        if (p->made == p->max)
            return NULL;
        add_slab(p);
    }
    struct pool_slot *slot = p->free;
    p->free = slot->next;
    p->held++;
    unpoison(slot, p->object_size);
    return slot;
}

void pool_give(struct pool *p, void *object)
{
    struct pool_slot *slot = object;

    check(object && p->held > 0);
    slot->next = p->free;
    p->free = slot;
    p->held--;
    poison((char *)slot + sizeof(*slot), p->object_size - sizeof(*slot));
}

void pool_free(struct pool *p)
{
    check(p->held == 0);
    struct slab *slab = p->slabs;
    while (slab) {
        struct slab *next = slab->next;
        free(slab);
        slab = next;
    }
    *p = (struct pool){};
}
