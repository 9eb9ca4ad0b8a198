/* SPDX-License-Identifier: Apache-2.0 */
/* dimension_counts.c - what was counted of each value, since the start and in windows. */
#include "base/check.h"
#include "control/book.h"
#include "control/dimensions.h"

#include <stdlib.h>

enum { ROW_STEP = 16 };

static const ns_t window_times[DIMENSION_WINDOW_COUNT] = {
#define X(name, word, time) time,
    DIMENSION_WINDOWS(X)
#undef X
};

const char *dimension_word(enum dimension which)
{
    static const char *const words[DIMENSION_COUNT] = {
#define X(name, word) word,
        DIMENSIONS(X)
#undef X
    };
    return words[which];
}

bool dimension_find(struct span word, int *ret)
{
    for (int d = 0; d < DIMENSION_COUNT; d++) {
        if (span_equal(word, span_from_text(dimension_word((enum dimension)d)))) {
            *ret = d;
            return true;
        }
    }
    return false;
}

bool dimension_list(struct span list, uint32_t *ret)
{
    uint32_t bits = 0;

    while (list.n > 0) {
        size_t n = span_find(list, ',');
        int which;
        if (!dimension_find(span_of(list.p, n), &which))
            return false;
        bits |= UINT32_C(1) << which;
        list = span_after(list, n + 1);
    }
    *ret = bits;
    return true;
}

const char *dimension_window_word(enum dimension_window w)
{
    static const char *const words[DIMENSION_WINDOW_COUNT] = {
#define X(name, word, time) word,
        DIMENSION_WINDOWS(X)
#undef X
    };
    return words[w];
}

int64_t dimension_window_s(enum dimension_window w)
{
    return window_times[w] / NS_PER_S;
}

/* ---- since the start */

/* Where a value counts: its slots, what they held before, what else belongs to it. */
struct place {
    uint32_t slots;
    const uint64_t *before;
    const uint64_t *besides;
};

static bool named_place(const struct value_list *l, unsigned entry, struct place *ret)
{
    if (entry == ENTRY_NONE) {
        *ret = (struct place){ .slots = l->none };
        return true;
    }
    if (entry == ENTRY_OTHER) {
        *ret = (struct place){ .slots = l->other, .besides = l->retired };
        return true;
    }
    if (entry >= l->count || !l->values[entry].name)
        return false;
    *ret = (struct place){ .slots = l->values[entry].slots, .before = l->values[entry].base };
    return true;
}

static bool tenant_place(const struct journey_values *v, unsigned entry, struct place *ret)
{
    if (entry == ENTRY_NONE)
        *ret = (struct place){ .slots = v->tenant_none };
    else if (entry == ENTRY_OTHER)
        *ret = (struct place){ .slots = v->tenants, .besides = v->tenant_retired };
    else
        *ret = (struct place){ .slots = v->tenants + (1 + entry) * DIMENSION_OUTCOMES,
                               .before = v->tenant_base ? v->tenant_base[entry] : NULL };
    return entry == ENTRY_NONE || v->tenants != 0;
}

static bool find_place(const struct journey_values *v, enum dimension which, unsigned entry,
                       struct place *ret)
{
    switch (which) {
    case DIMENSION_INSTANCE:
    case DIMENSION_RELEASE: return named_place(&v->named[which], entry, ret);
    case DIMENSION_STATUS:
        *ret = (struct place){ .slots = v->status + entry * DIMENSION_OUTCOMES };
        return entry < CODE_CLASSES;
    case DIMENSION_REASON:
        *ret = (struct place){ .slots = v->reason + entry * DIMENSION_OUTCOMES };
        return entry < ENDING_COUNT;
    case DIMENSION_TENANT: return tenant_place(v, entry, ret);
    case DIMENSION_COUNT: break;
    }
    never("a dimension that nobody counts");
}

bool dimension_counts(const struct journey_values *v, const struct book *b, enum dimension which,
                      unsigned entry, uint64_t ret_counts[DIMENSION_OUTCOMES])
{
    struct place p;

    if (!find_place(v, which, entry, &p))
        return false;
    book_sums(b, p.slots, DIMENSION_OUTCOMES, ret_counts);
    for (unsigned o = 0; o < DIMENSION_OUTCOMES; o++)
        ret_counts[o] += (p.besides ? p.besides[o] : 0) - (p.before ? p.before[o] : 0);
    return true;
}

/* ---- marks */

void marks_begin(struct dimension_marks *m, ns_t now)
{
    for (unsigned i = 0; i < MARKS; i++)
        m->at[i] = now;
}

/* Its row; a new one is all zeroes, for nothing had been counted at any mark. */
static uint32_t (*row_of(struct dimension_marks *m, enum dimension which,
                         unsigned entry))[DIMENSION_OUTCOMES]
{
    uint8_t *number = &m->row_of[which][entry];

    if (*number == 0) {
        if (m->row_count == m->row_room) {
            m->row_room += ROW_STEP;
            m->rows = realloc(m->rows, m->row_room * sizeof(m->rows[0]));
            check(m->rows != NULL);
        }
        memset(&m->rows[m->row_count], 0, sizeof(m->rows[0]));
        *number = (uint8_t)++m->row_count;
    }
    return m->rows[*number - 1];
}
_Static_assert(DIMENSIONS_SLOTS_MAX / DIMENSION_OUTCOMES <= UINT8_MAX, "its number fits a byte");

static void mark_entry(struct journey_values *v, const struct book *b, enum dimension which,
                       unsigned entry, const unsigned *marks, unsigned mark_count)
{
    uint64_t counts[DIMENSION_OUTCOMES];
    struct dimension_marks *m = &v->marks;

    if (!dimension_counts(v, b, which, entry, counts) ||
        (m->row_of[which][entry] == 0 && !dimension_counted(counts)))
        return;
    uint32_t(*row)[DIMENSION_OUTCOMES] = row_of(m, which, entry);
    for (unsigned i = 0; i < mark_count; i++) {
        for (unsigned o = 0; o < DIMENSION_OUTCOMES; o++)
            row[marks[i]][o] = (uint32_t)counts[o];
    }
}

void marks_take(struct journey_values *v, const struct book *b, ns_t now)
{
    struct dimension_marks *m = &v->marks;
    unsigned marks[2];
    unsigned count = 0;

    if (v->opened == 0 || now - m->at[m->fast] < MARK_FAST_EVERY)
        return;
    m->fast = (m->fast + 1) % MARKS_FAST;
    marks[count++] = m->fast;
    if (now - m->at[MARKS_FAST + m->slow] >= MARK_SLOW_EVERY) {
        m->slow = (m->slow + 1) % MARKS_SLOW;
        marks[count++] = MARKS_FAST + m->slow;
    }
    for (unsigned i = 0; i < count; i++)
        m->at[marks[i]] = now;
    for (unsigned d = 0; d < DIMENSION_COUNT; d++) {
        for (unsigned e = 0; e < DIMENSION_ENTRIES; e++)
            mark_entry(v, b, (enum dimension)d, e, marks, count);
    }
}

void marks_give_to_other(struct dimension_marks *m, enum dimension which, unsigned entry)
{
    if (m->row_of[which][entry] == 0)
        return;
    row_of(m, which, ENTRY_OTHER); /* may move the rows */
    uint32_t(*from)[DIMENSION_OUTCOMES] = row_of(m, which, entry);
    uint32_t(*to)[DIMENSION_OUTCOMES] = row_of(m, which, ENTRY_OTHER);
    for (unsigned i = 0; i < MARKS; i++) {
        for (unsigned o = 0; o < DIMENSION_OUTCOMES; o++)
            to[i][o] += from[i][o];
    }
    memset(from, 0, sizeof(m->rows[0]));
}

/* ---- windows */

unsigned dimension_mark(const ns_t at[MARKS], enum dimension_window w, ns_t now)
{
    unsigned first = w == DIMENSION_WINDOW_5M ? 0 : MARKS_FAST;
    unsigned count = w == DIMENSION_WINDOW_5M ? MARKS_FAST : MARKS_SLOW;
    unsigned best = first;

    for (unsigned i = first + 1; i < first + count; i++) {
        bool best_reaches = now - at[best] >= window_times[w];
        bool reaches = now - at[i] >= window_times[w];
        if (reaches == best_reaches ? reaches == (at[i] > at[best]) : reaches)
            best = i;
    }
    return best;
}

ns_t dimensions_reach(const struct dimensions *d, const struct journey *j, enum dimension_window w,
                      ns_t now)
{
    const struct journey_values *v = d->journeys[j->id];

    return w == DIMENSION_WINDOW_START || v->opened == 0
               ? -1
               : now - v->marks.at[dimension_mark(v->marks.at, w, now)];
}

int64_t dimensions_opened(const struct dimensions *d, const struct journey *j)
{
    return d->journeys[j->id]->opened;
}

static void take_from(const struct dimension_marks *m, enum dimension which, unsigned entry,
                      unsigned mark, uint64_t counts[DIMENSION_OUTCOMES])
{
    uint8_t number = m->row_of[which][entry];

    for (unsigned o = 0; number && o < DIMENSION_OUTCOMES; o++)
        counts[o] = (uint32_t)((uint32_t)counts[o] - m->rows[number - 1][mark][o]);
}

/* ---- rows */

static void name_tenant(const struct dimensions *d, unsigned id, struct dimension_row *r)
{
    const struct tenant_name *n = &d->tenants[id];

    check(n->text != NULL);
    r->tenant = n->text;
    r->text = span_of(n->text->text, n->text->n < HEAVY_TEXT ? n->text->n : HEAVY_TEXT);
    if (n->since > r->since)
        r->since = n->since;
}

static void name_row(const struct dimensions *d, const struct journey_values *v,
                     enum dimension which, unsigned entry, struct dimension_row *r)
{
    static const char *const classes[CODE_CLASSES] = { "none", "1xx", "2xx", "3xx", "4xx", "5xx" };

    r->since = v->opened;
    if (which == DIMENSION_REASON) {
        r->text = span_from_text(ending_code((enum ending)entry));
    } else if (which == DIMENSION_STATUS) {
        r->kind = entry == 0 ? ENTRY_IS_NONE : ENTRY_IS_VALUE;
        r->text = span_from_text(classes[entry]);
    } else if (entry >= DIMENSION_VALUES) {
        r->kind = entry == ENTRY_NONE ? ENTRY_IS_NONE : ENTRY_IS_OTHER;
        r->text = entry == ENTRY_NONE ? SPAN("none") : SPAN("other");
        if (entry == ENTRY_OTHER)
            r->retired = which == DIMENSION_TENANT ? v->tenant_retired : v->named[which].retired;
    } else if (which == DIMENSION_TENANT) {
        name_tenant(d, entry, r);
    } else {
        const struct dimension_value *value = &v->named[which].values[entry];
        r->service = value->name->service;
        r->text = value->name->text;
        r->gone = value->gone != 0;
        r->since = value->since ? value->since : v->opened;
    }
}

static uint64_t sum_of(const uint64_t counts[DIMENSION_OUTCOMES])
{
    return counts[0] + counts[1] + counts[2] + counts[3];
}

int dimension_row_order(const struct dimension_row *x, const struct dimension_row *y)
{
    uint64_t x_bad = dimension_bad(x->counts);
    uint64_t y_bad = dimension_bad(y->counts);

    if (x_bad != y_bad)
        return x_bad > y_bad ? -1 : 1;
    if (sum_of(x->counts) != sum_of(y->counts))
        return sum_of(x->counts) > sum_of(y->counts) ? -1 : 1;
    size_t n = x->text.n < y->text.n ? x->text.n : y->text.n;
    int order = memcmp(x->text.p, y->text.p, n);
    return order ? order : (x->text.n > y->text.n) - (x->text.n < y->text.n);
}

static int by_bad(const void *a, const void *b)
{
    return dimension_row_order(a, b);
}

unsigned dimensions_read(const struct dimensions *d, const struct book *b, const struct journey *j,
                         enum dimension which, enum dimension_window w, ns_t now,
                         struct dimension_row ret_rows[DIMENSION_ENTRIES])
{
    const struct journey_values *v = d->journeys[j->id];
    bool whole = w == DIMENSION_WINDOW_START || v->opened == 0;
    unsigned mark = whole ? 0 : dimension_mark(v->marks.at, w, now);
    unsigned n = 0;

    for (unsigned e = 0; e < DIMENSION_ENTRIES; e++) {
        struct dimension_row r = {};
        if (!dimension_counts(v, b, which, e, r.counts))
            continue;
        if (!whole)
            take_from(&v->marks, which, e, mark, r.counts);
        if (!dimension_counted(r.counts))
            continue;
        name_row(d, v, which, e, &r);
        ret_rows[n++] = r;
    }
    qsort(ret_rows, n, sizeof(ret_rows[0]), by_bad);
    return n;
}

bool dimension_since_marks(const struct dimensions *d, const struct book *b,
                           const struct journey *j, enum dimension which, unsigned entry,
                           struct dimension_row *ret, uint32_t ret_since[MARKS][DIMENSION_OUTCOMES])
{
    const struct journey_values *v = d->journeys[j->id];
    uint8_t number = v->marks.row_of[which][entry];
    uint64_t now[DIMENSION_OUTCOMES];
    uint32_t any = 0;

    if (!dimension_counts(v, b, which, entry, now) || !dimension_counted(now))
        return false;
    for (unsigned m = 0; m < MARKS; m++) {
        for (unsigned o = 0; o < DIMENSION_OUTCOMES; o++) {
            uint32_t then = number ? v->marks.rows[number - 1][m][o] : 0;
            ret_since[m][o] = (uint32_t)now[o] - then;
            any |= ret_since[m][o];
        }
    }
    if (any == 0)
        return false;
    *ret = (struct dimension_row){};
    name_row(d, v, which, entry, ret);
    return true;
}

bool dimension_in_force(const struct dimensions *d, const struct journey *j, enum dimension which,
                        const struct dimension_row *r)
{
    if ((int)which >= (int)NAMED_DIMENSIONS || r->kind != ENTRY_IS_VALUE)
        return true;
    const struct value_list *l = &d->journeys[j->id]->named[which];
    for (uint32_t i = 0; i < l->count; i++) {
        const struct dimension_value *value = &l->values[i];
        if (value->name && span_equal(value->name->text, r->text) &&
            span_equal(value->name->service, r->service))
            return value->gone == 0;
    }
    return false;
}
