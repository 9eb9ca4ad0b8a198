/* SPDX-License-Identifier: Apache-2.0 */
/* theirs.c - a message through llhttp, with no lenient flag. Stops at the end of the first message. */
#include "outcome.h"

#include <llhttp.h>

struct reader {
    const struct message *m;
    struct outcome *o;
    bool value_open; /* the last piece of a field was of its value */
};

static struct reader *of(llhttp_t *p)
{
    return p->data;
}

static int on_method(llhttp_t *p, const char *at, size_t n)
{
    outcome_add(of(p)->o, &of(p)->o->method, at, n);
    return 0;
}

static int on_url(llhttp_t *p, const char *at, size_t n)
{
    outcome_add(of(p)->o, &of(p)->o->target, at, n);
    return 0;
}

static int on_status(llhttp_t *p, const char *at, size_t n)
{
    outcome_add(of(p)->o, &of(p)->o->words, at, n);
    return 0;
}

static int on_name(llhttp_t *p, const char *at, size_t n)
{
    struct outcome *o = of(p)->o;

    if (o->head)
        return 0; /* a trailer field: we drop those */
    if (o->field_count == 0 || of(p)->value_open) {
        if (o->field_count == TAKEN_MAX)
            return HPE_USER;
        o->fields[o->field_count++] = (struct taken_field){};
        of(p)->value_open = false;
    }
    outcome_add(o, &o->fields[o->field_count - 1].name, at, n);
    return 0;
}

static int on_value(llhttp_t *p, const char *at, size_t n)
{
    struct outcome *o = of(p)->o;

    if (o->head)
        return 0;
    outcome_add(o, &o->fields[o->field_count - 1].value, at, n);
    return 0;
}

static int on_value_complete(llhttp_t *p)
{
    of(p)->value_open = true;
    return 0;
}

static int on_head(llhttp_t *p)
{
    struct outcome *o = of(p)->o;

    o->head = true;
    o->verdict = MORE_BODY;
    o->major = p->http_major;
    o->minor = p->http_minor;
    o->status = p->status_code;
    return of(p)->m->kind == ANSWER_TO_HEAD ? 1 : 0; /* 1: no body; only the caller can know */
}

static int on_body(llhttp_t *p, const char *at, size_t n)
{
    outcome_add(of(p)->o, &of(p)->o->body, at, n);
    return 0;
}

static int on_end(llhttp_t *p)
{
    struct outcome *o = of(p)->o;

    o->verdict = COMPLETE;
    o->keep_alive = llhttp_should_keep_alive(p);
    return HPE_PAUSED;
}

static llhttp_settings_t settings_of_ours(void)
{
    llhttp_settings_t s;

    llhttp_settings_init(&s);
    s.on_method = on_method;
    s.on_url = on_url;
    s.on_status = on_status;
    s.on_header_field = on_name;
    s.on_header_value = on_value;
    s.on_header_value_complete = on_value_complete;
    s.on_headers_complete = on_head;
    s.on_body = on_body;
    s.on_message_complete = on_end;
    return s;
}

void theirs_read(const struct message *m, const struct pieces *pieces, struct outcome *o)
{
    struct reader r = { .m = m, .o = o };
    llhttp_settings_t settings = settings_of_ours();
    llhttp_t p;
    size_t at = 0;

    outcome_begin(o);
    llhttp_init(&p, m->kind == REQUEST ? HTTP_REQUEST : HTTP_RESPONSE, &settings);
    p.data = &r;
    for (unsigned i = 0; i < pieces->count && o->verdict != COMPLETE; i++) {
        llhttp_errno_t e = llhttp_execute(&p, m->bytes + at, pieces->end[i] - at);
        at = pieces->end[i];
        if (o->verdict != COMPLETE && e != HPE_OK) {
            o->verdict = REFUSED;
            o->reason = llhttp_get_error_reason(&p);
            return;
        }
    }
    if (o->verdict == COMPLETE) {
        o->end = (size_t)(llhttp_get_error_pos(&p) - m->bytes);
    } else if (o->verdict == MORE_BODY && llhttp_message_needs_eof(&p)) {
        llhttp_finish(&p); /* the end of the connection, which ends such an answer */
        o->end = o->verdict == COMPLETE ? m->n : 0;
    }
}

bool theirs_knows_method(struct span method)
{
    static const char *const names[] = {
#define X(number, id, text) #text,
        HTTP_METHOD_MAP(X)
#undef X
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (span_equal(method, span_from_text(names[i])))
            return true;
    }
    return false;
}

const char *theirs_version(void)
{
#define TEXT_OF(x) #x
#define TEXT(x)    TEXT_OF(x)
    return TEXT(LLHTTP_VERSION_MAJOR) "." TEXT(LLHTTP_VERSION_MINOR) "." TEXT(LLHTTP_VERSION_PATCH);
}
