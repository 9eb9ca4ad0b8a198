/* SPDX-License-Identifier: Apache-2.0 */
/* dimension_keeper.c - what is counted by dimension goes to the store: some journeys with each tick, all at the end. */
#include "control/control.h"

#include <stdlib.h>

enum { TIDY_EVERY_S = 600 };

struct keep_task {
    struct scribe_task task;
    struct arena arena;
    struct kept_dimensions *rows;
    size_t count;
    int64_t tidy; /* forgets what is older; 0: nothing */
    err result;
};

/* ---- the scribe */

static void run(struct scribe_task *t, struct store *s)
{
    struct keep_task *k = container_of(t, struct keep_task, task);

    k->result = kept_dimensions_put(s, k->rows, k->count);
    if (!k->result.failed && k->tidy)
        k->result = kept_dimensions_forget(s, k->tidy);
}

static void free_task(struct keep_task *k)
{
    arena_free(&k->arena);
    free(k);
}

static void done(struct scribe_task *t, void *control)
{
    struct control *c = control;
    struct keep_task *k = container_of(t, struct keep_task, task);

    c->keeper.out = false;
    if (k->result.failed) /* the book tells of a store in trouble */
        dimension_keeper_again(&c->keeper);
    free_task(k);
}

/* ---- control */

/* Who may not be named is kept as one of `other`: his hash would be another one in the next process. */
static struct span name_of(const void *owner, const struct dimension_row *r)
{
    static char buffer[TENANT_LABEL]; /* of control's thread */
    const struct control *c = owner;
    struct span label = tenant_label(control_config(c), c->parts.hash_key, r, buffer);

    return span_starts_with(label, SPAN("h:")) ? SPAN("") : label;
}

static uint64_t counted(const struct book *b, const struct journey *j)
{
    uint64_t live[SERIES_MAX];
    uint64_t n = 0;

    book_live(b, book_account(b, j), live);
    for (unsigned o = 0; o < DIMENSION_OUTCOMES; o++)
        n += live[o];
    return n;
}

static uint64_t *kept_of(struct dimension_keeper *k, uint32_t id)
{
    if (id >= k->kept_count) {
        size_t count = (size_t)id + 64;
        k->kept = realloc(k->kept, count * sizeof(k->kept[0]));
        check(k->kept != NULL);
        for (size_t i = k->kept_count; i < count; i++)
            k->kept[i] = 0;
        k->kept_count = count;
    }
    return &k->kept[id];
}

/* What is new of a journey; how many bytes that was. */
static size_t keep(struct control *c, struct keep_task *k, const struct journey *j)
{
    const struct tenant_namer namer = { name_of, c };
    struct str packed = str_growing();
    uint64_t *kept = j->dimensions ? kept_of(&c->keeper, j->id) : NULL;
    uint64_t now = kept ? counted(&c->book, j) : 0;

    if (!kept || *kept == now)
        return 0;
    dimension_pack(&c->registry.dimensions, &c->book, j, &namer, c->reactor->now, &packed);
    if (packed.n > 0) {
        *kept = now;
        k->rows[k->count++] =
            (struct kept_dimensions){ .process = c->notices.origin,
                                      .journey = arena_span(&k->arena, j->name),
                                      .definition = j->definition,
                                      .until = c->parts.wall() / NS_PER_S,
                                      .said = arena_span(&k->arena, str_span(&packed)) };
    }
    str_free(&packed);
    return packed.n;
}

static struct keep_task *begin(const struct control *c)
{
    struct keep_task *k = calloc(1, sizeof(*k));

    check(k != NULL);
    k->task = (struct scribe_task){ .run = run, .done = done };
    k->rows = arena_array(&k->arena, struct kept_dimensions, control_config(c)->journey_count);
    return k;
}

static void give(struct control *c, struct keep_task *k)
{
    bool given = (k->count > 0 || k->tidy) && control_give_task(c, &k->task);

    c->keeper.out |= given;
    if (given)
        return;
    if (k->count > 0)
        dimension_keeper_again(&c->keeper);
    free_task(k);
}

void dimension_keeper_tick(struct control *c)
{
    struct dimension_keeper *e = &c->keeper;
    const struct config *config = control_config(c);
    size_t bytes = 0;

    if (c->earlier.count > 0 && c->parts.wall() / NS_PER_S - c->earlier.until > DIMENSION_MEMORY_S)
        dimension_memory_free(&c->earlier);
    /* a store in trouble is left alone, for it may be about to be begun anew */
    if (!c->parts.scribe || e->out || c->book.trouble.failed ||
        c->reactor->now - e->looked < NS_PER_S)
        return;
    struct keep_task *k = begin(c);
    e->looked = c->reactor->now;
    size_t looks = config->journey_count < PACK_LOOKS ? config->journey_count : PACK_LOOKS;
    for (size_t i = 0; i < looks && bytes < PACKED_PER_TICK; i++) {
        e->next = (e->next + 1) % config->journey_count;
        bytes += keep(c, k, &config->journeys[e->next]);
    }
    if (e->tidied == 0 || c->reactor->now - e->tidied > TIDY_EVERY_S * NS_PER_S) {
        e->tidied = c->reactor->now;
        k->tidy = c->parts.wall() / NS_PER_S - DIMENSION_MEMORY_S;
    }
    give(c, k);
}

void dimension_keeper_last(struct control *c)
{
    const struct config *config = control_config(c);

    if (!c->parts.scribe)
        return;
    struct keep_task *k = begin(c);
    for (size_t i = 0; i < config->journey_count; i++)
        keep(c, k, &config->journeys[i]);
    give(c, k);
}

void dimension_keeper_again(struct dimension_keeper *k)
{
    for (size_t i = 0; i < k->kept_count; i++)
        k->kept[i] = UINT64_MAX;
}

void dimension_keeper_free(struct dimension_keeper *k)
{
    free(k->kept);
    *k = (struct dimension_keeper){};
}
