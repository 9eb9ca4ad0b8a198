/* SPDX-License-Identifier: Apache-2.0 */
/* refusal.c - what a client is told when it gets no answer of an instance: what, why, and the id under which we know
 * more; as JSON for programs (RFC 9457), as text for people. Never which instance. */
#include "plane/http/exchange.h"

/* ---- the head of any answer of our own */

static struct span retry_after(struct exchange *x)
{
    static const struct span seconds[] = { SPAN_INIT("1"), SPAN_INIT("2"), SPAN_INIT("3"),
                                           SPAN_INIT("4") };

    return seconds[rng_next(&x->edge->reactor->rng) % 4];
}

static struct http_field *own_field(struct http_field *f, struct span name, struct span value)
{
    *f = (struct http_field){
        .name = name.p, .name_n = (uint16_t)name.n, .value = value.p, .value_n = (uint32_t)value.n
    };
    return f + 1;
}

enum { OWN_FIELDS = 3 };

bool own_answer(struct exchange *x, unsigned status, struct span type, size_t length)
{
    struct http_field *fields =
        scratch_take(&x->memory, (OWN_FIELDS + x->own_field_count) * sizeof(*fields));

    if (!fields)
        return false;
    struct http_field *end = own_field(fields, SPAN("Content-Type"), type);
    end = own_field(end, SPAN("Cache-Control"), SPAN("no-store"));
    if (status ==
        503) /* spread over a few seconds, so that those refused do not all come back at once */
        end = own_field(end, SPAN("Retry-After"), retry_after(x));
    for (uint32_t i = 0; i < x->own_field_count; i++)
        *end++ = x->own_fields[i];
    x->answer = (struct http_head){
        .status = (uint16_t)status,
        .reason = http_reason(status),
        .minor = 1,
        /* the length that a GET would have got is allowed, not needed (RFC 9110 section 8.6) */
        .body = x->request.head_request ? HTTP_BODY_NONE : HTTP_BODY_LENGTH,
        .length = length,
        .fields = fields,
        .field_count = (uint32_t)(end - fields),
        .head_request = x->request.head_request,
    };
    return true;
}

/* ---- the words of a refusal */

/* Accept names JSON and not HTML: programs get it, people do not. */
static bool wants_json(const struct exchange *x)
{
    const struct http_field *f = http_head_find(&x->request, HTTP_ACCEPT);
    struct span rest = f ? field_value(f) : SPAN("");
    bool json = false;

    while (rest.n > 0) {
        size_t end = span_find(rest, ',');
        struct span range = span_of(rest.p, end);
        struct span type = span_trim(span_of(range.p, span_find(range, ';')));
        json |= span_equal_nocase(type, SPAN("application/json")) ||
                span_equal_nocase(type, SPAN("application/problem+json"));
        if (span_equal_nocase(type, SPAN("text/html")))
            return false;
        rest = span_after(rest, end + 1);
    }
    return json;
}

enum { REFUSAL_SIZE = 640 }; /* words, code and a request id of at most 128 bytes */

/* RFC 9457; every text in it is ours or was checked to need no escaping (forward.c). */
static void write_problem(struct exchange *x, enum ending why, struct str *text)
{
    str_literal(text, "{\"type\":\"about:blank\",\"title\":\"");
    str_put(text, http_reason(ending_status(why)));
    str_literal(text, "\",\"status\":");
    str_u64(text, ending_status(why));
    str_literal(text, ",\"detail\":\"");
    str_text(text, ending_words(why));
    str_literal(text, "\",\"reason\":\"");
    str_text(text, ending_code(why));
    str_literal(text, "\",\"request\":\"");
    str_put(text, x->request_id);
    str_literal(text, "\"}\n");
}

static void write_words(struct exchange *x, enum ending why, struct str *text)
{
    str_text(text, ending_words(why));
    str_literal(text, "\nreason: ");
    str_text(text, ending_code(why));
    str_literal(text, "\nrequest: ");
    str_put(text, x->request_id);
    str_literal(text, "\n");
}

struct refusal refusal_of(struct exchange *x, enum ending why)
{
    bool json = wants_json(x);
    struct str text = str_fixed(scratch_take(&x->memory, REFUSAL_SIZE), REFUSAL_SIZE);

    if (!text.p)
        return (struct refusal){};
    if (json)
        write_problem(x, why, &text);
    else
        write_words(x, why, &text);
    check(!text.cut);
    return (struct refusal){
        .type = json ? SPAN("application/problem+json") : SPAN("text/plain; charset=utf-8"),
        .text = str_span(&text),
    };
}
