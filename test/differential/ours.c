/* SPDX-License-Identifier: Apache-2.0 */
/* ours.c - a message through the parser under test, as the edge calls it: skip an empty line, look for
 * the end of the head, read the head, take the body out. */
#include "outcome.h"

#include "base/check.h"
#include "proto/http1.h"

static const struct http1_limits limits = { .head = HEAD_MAX,
                                            .line = LINE_MAX,
                                            .fields = FIELDS_MAX };

struct reader {
    const struct message *m;
    struct outcome *o;
    size_t used;
    bool skipped; /* one empty line at most */
    struct http1_scan scan;
    struct http1_body body;
    struct http_head h;
    struct http_field fields[FIELDS_MAX];
};

static void add(struct outcome *o, struct text *t, struct span s)
{
    outcome_add(o, t, s.p, s.n);
}

static void refuse(struct reader *r, enum http1_reason why)
{
    r->o->verdict = REFUSED;
    r->o->reason = http1_reason_code(why);
}

static void note_head(struct outcome *o, const struct http_head *h)
{
    o->head = true;
    o->verdict = MORE_BODY;
    o->major = 1;
    o->minor = h->minor;
    o->status = h->status;
    o->keep_alive = h->keep_alive;
    add(o, &o->method, h->method);
    add(o, &o->target, h->path);
    if (h->has_query)
        add(o, &o->target, SPAN("?"));
    add(o, &o->target, h->query);
    add(o, &o->host, h->host);
    add(o, &o->words, h->reason);
    o->field_count = h->field_count;
    for (uint32_t i = 0; i < h->field_count; i++) {
        add(o, &o->fields[i].name, field_name(&h->fields[i]));
        add(o, &o->fields[i].value, field_value(&h->fields[i]));
    }
}

static void read_head(struct reader *r, size_t size)
{
    struct span head = span_of(r->m->bytes + r->used, size);
    enum http1_reason why =
        r->m->kind == REQUEST
            ? http1_parse_request(head, &limits, r->fields, &r->h)
            : http1_parse_answer(head, &limits, r->m->kind == ANSWER_TO_HEAD, r->fields, &r->h);

    if (why != HTTP1_GOOD) {
        refuse(r, why);
        return;
    }
    r->used += size;
    note_head(r->o, &r->h);
    http1_body_begin(&r->body, &r->h);
}

static void look_for_head(struct reader *r, size_t have)
{
    enum http1_reason why;
    size_t size;

    if (r->m->kind == REQUEST && !r->skipped) {
        if (span_starts_with(SPAN("\r"), span_of(r->m->bytes, have)))
            return; /* nothing, or what may be half of an empty line: not the scanner's yet */
        r->used = http1_skip_blank(span_of(r->m->bytes, have));
        r->skipped = true;
    }
    switch (http1_scan_head(&r->scan, span_of(r->m->bytes + r->used, have - r->used), &limits,
                            &size, &why)) {
    case HTTP1_MORE: break;
    case HTTP1_COMPLETE: read_head(r, size); break;
    case HTTP1_REFUSED: refuse(r, why); break;
    }
}

static void take_body(struct reader *r, size_t have)
{
    char piece[MESSAGE_MAX];
    size_t n = have - r->used;
    size_t used;
    size_t data;

    memcpy(piece, r->m->bytes + r->used, n);
    enum http1_reason why = http1_body_read(&r->body, piece, n, &used, &data);
    if (why != HTTP1_GOOD) {
        refuse(r, why);
        return;
    }
    check(used <= n && data <= used);
    outcome_add(r->o, &r->o->body, piece, data);
    r->used += used;
}

void ours_read(const struct message *m, const struct pieces *pieces, struct outcome *o)
{
    struct reader r = { .m = m, .o = o };

    outcome_begin(o);
    for (unsigned i = 0; i < pieces->count && o->verdict != REFUSED; i++) {
        if (!o->head)
            look_for_head(&r, pieces->end[i]);
        if (o->verdict == MORE_BODY && !r.body.complete)
            take_body(&r, pieces->end[i]);
    }
    /* the bytes end where the connection does, which is what ends such an answer */
    if (o->verdict == MORE_BODY && (r.body.complete || r.body.kind == HTTP_BODY_UNTIL_CLOSE)) {
        o->verdict = COMPLETE;
        o->end = r.used;
    }
}
