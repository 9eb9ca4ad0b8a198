/* SPDX-License-Identifier: Apache-2.0 */
/* dimension_memory.c - packing and unpacking. A row is
 *     the version of this form, how many seconds ago each mark was; then of each value
 *     dimension, kind, service and text (length and bytes each), since when it is counted, and of each mark, of each outcome, what came since
 * in numbers of core/pack.h. */
#include "control/dimension_memory.h"

#include "base/check.h"
#include "base/log.h"
#include "control/book.h"
#include "core/pack.h"

enum {
    FORM = 1,
    TEXT_MAX = 300, /* an address is shorter, a tenant cut to less */
};

/* ---- packing */

static void pack_text(struct str *out, struct span text)
{
    struct span some = span_of(text.p, text.n < TEXT_MAX ? text.n : TEXT_MAX);

    pack_number(out, some.n);
    str_put(out, some);
}

static void pack_value(enum dimension which, const struct dimension_row *r,
                       uint32_t since[MARKS][DIMENSION_OUTCOMES], struct str *out)
{
    pack_number(out, which);
    pack_number(out, r->kind);
    pack_text(out, r->service);
    pack_text(out, r->text);
    pack_number(out, r->since > 0 ? (uint64_t)r->since : 0);
    for (unsigned m = 0; m < MARKS; m++) {
        for (unsigned o = 0; o < DIMENSION_OUTCOMES; o++)
            pack_number(out, since[m][o]);
    }
}

static void pack_dimension(const struct dimensions *d, const struct book *b,
                           const struct journey *j, const struct tenant_namer *namer,
                           enum dimension which, struct str *out)
{
    uint32_t since[MARKS][DIMENSION_OUTCOMES];

    for (unsigned e = 0; e < DIMENSION_ENTRIES; e++) {
        struct dimension_row r;
        if (!dimension_since_marks(d, b, j, which, e, &r, since))
            continue;
        if (r.tenant)
            r.text = namer->name(namer->owner, &r);
        if (r.text.n == 0) {
            r.kind = ENTRY_IS_OTHER;
            r.text = SPAN("other");
        }
        pack_value(which, &r, since, out);
    }
}

void dimension_pack(const struct dimensions *d, const struct book *b, const struct journey *j,
                    const struct tenant_namer *namer, ns_t now, struct str *out)
{
    const struct journey_values *v = d->journeys[j->id];
    size_t begin = out->n;

    if (v->opened == 0)
        return; /* no tick has seen it */
    pack_number(out, FORM);
    for (unsigned m = 0; m < MARKS; m++)
        pack_number(out, (uint64_t)((now - v->marks.at[m]) / NS_PER_S));
    size_t head = out->n;
    for (unsigned which = 0; which < DIMENSION_COUNT; which++)
        pack_dimension(d, b, j, namer, (enum dimension)which, out);
    if (out->n == head)
        out->n = begin;
}

/* ---- unpacking */

static bool unpack_to(struct span *in, uint64_t most, uint64_t *ret)
{
    return unpack_number(in, ret) && *ret <= most;
}

static bool unpack_text(struct span *in, size_t least, struct span *ret)
{
    uint64_t n;

    if (!unpack_to(in, TEXT_MAX, &n) || n > in->n || n < least)
        return false;
    *ret = span_of(in->p, n);
    *in = span_after(*in, n);
    return true;
}

/* at[]: nanoseconds since 1970. */
static bool unpack_head(struct span *in, int64_t until, ns_t ret_at[MARKS])
{
    uint64_t form;
    uint64_t ago;

    if (!unpack_number(in, &form) || form != FORM)
        return false;
    for (unsigned m = 0; m < MARKS; m++) {
        if (!unpack_to(in, INT64_C(1) << 32, &ago))
            return false;
        ret_at[m] = (until - (int64_t)ago) * NS_PER_S;
    }
    return true;
}

/* row.counts: since mark number `mark`. */
static bool unpack_value(struct span *in, unsigned mark, enum dimension *ret_which,
                         struct dimension_row *ret)
{
    uint64_t which;
    uint64_t kind;
    uint64_t since;
    uint64_t n;

    *ret = (struct dimension_row){};
    if (!unpack_to(in, DIMENSION_COUNT - 1, &which) || !unpack_to(in, ENTRY_IS_OTHER, &kind) ||
        !unpack_text(in, 0, &ret->service) || !unpack_text(in, 1, &ret->text) ||
        !unpack_to(in, INT64_C(1) << 40, &since))
        return false;
    for (unsigned m = 0; m < MARKS; m++) {
        for (unsigned o = 0; o < DIMENSION_OUTCOMES; o++) {
            if (!unpack_to(in, UINT32_MAX, &n))
                return false;
            if (m == mark)
                ret->counts[o] = n;
        }
    }
    *ret_which = (enum dimension)which;
    ret->kind = (enum entry_kind)kind;
    ret->since = (int64_t)since;
    return true;
}

bool dimension_packed_well(struct span packed)
{
    ns_t at[MARKS];
    enum dimension which;
    struct dimension_row row;
    bool well = unpack_head(&packed, 0, at);

    while (well && packed.n > 0)
        well = unpack_value(&packed, 0, &which, &row);
    return well;
}

/* ---- what earlier processes counted */

err dimension_memory_load(struct store *s, int64_t unix_now, struct dimension_memory *ret)
{
    struct dimension_memory m = {};
    size_t count;
    err e = kept_dimensions_load(s, unix_now - DIMENSION_MEMORY_S, &m.arena, &m.rows, &count);

    if (e.failed) {
        arena_free(&m.arena);
        return e;
    }
    for (size_t i = 0; i < count; i++) {
        if (!dimension_packed_well(m.rows[i].said))
            log_warn("what was counted of journey %.*s by dimension before the start is not "
                     "understood",
                     SPAN_ARG(m.rows[i].journey));
        else
            m.rows[m.count++] = m.rows[i];
    }
    m.until = m.count ? m.rows[0].until : 0;
    *ret = m;
    return OK;
}

void dimension_memory_free(struct dimension_memory *m)
{
    arena_free(&m->arena);
    *m = (struct dimension_memory){};
}

static void add_row(const struct kept_dimensions *k, const struct dimensions *d,
                    const struct journey *j, uint32_t wanted, enum dimension_window w,
                    int64_t unix_now, struct dimension_sums *sums, int64_t *from)
{
    struct span in = k->said;
    struct dimension_row row;
    enum dimension which;
    ns_t at[MARKS];
    bool well = unpack_head(&in, k->until, at);
    unsigned mark = well ? dimension_mark(at, w, unix_now * NS_PER_S) : 0;

    if (well && at[mark] / NS_PER_S < *from)
        *from = at[mark] / NS_PER_S;
    while (well && in.n > 0) {
        well = unpack_value(&in, mark, &which, &row);
        check(well); /* it was read at the start */
        if (!(wanted >> which & 1) || !dimension_counted(row.counts))
            continue;
        row.gone = !dimension_in_force(d, j, which, &row);
        dimension_sums_add(sums, which, &row);
    }
}

void dimension_memory_add(const struct dimension_memory *m, const struct dimensions *d,
                          const struct journey *j, uint32_t wanted, enum dimension_window w,
                          int64_t unix_now, struct dimension_sums *sums, int64_t *from)
{
    int64_t begin = unix_now - dimension_window_s(w);

    if (w == DIMENSION_WINDOW_START) /* of this process */
        return;
    for (size_t i = 0; i < m->count; i++) {
        const struct kept_dimensions *k = &m->rows[i];
        if (k->until > begin && k->definition == j->definition && span_equal(k->journey, j->name))
            add_row(k, d, j, wanted, w, unix_now, sums, from);
    }
}
