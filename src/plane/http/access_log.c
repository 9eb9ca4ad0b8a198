/* SPDX-License-Identifier: Apache-2.0 */
/* access_log.c - one finished exchange as one JSON object (RFC 8259) on one line. Keys are always in the
 * same order; what is unknown, redacted or zero is left out. Times are milliseconds with three decimals.
 * It is formatted here, not by the thread that writes it, for everything it tells of is gone by then; so
 * it is built by hand from parts that are ready, into memory that is in the cache. */
#include "plane/http/exchange.h"

#include "base/word.h"
#include "io/tls.h"
#include "proto/traceparent.h"

#include <time.h>
#include <xxhash.h>

/* ---- JSON into a buffer with room for it */

struct line {
    char *p;
    char *end;
};

enum { SLACK = 2048 }; /* kept free for numbers and keys, which are not checked one by one */

static void put(struct line *l, struct span s)
{
    memcpy(l->p, s.p, s.n);
    l->p += s.n;
}

#define put_literal(l, text) put(l, SPAN(text))

/* How many bytes from the front stand for themselves in a JSON text. */
static size_t plain_run(struct span s)
{
    size_t n = 0;

    for (; s.n - n >= WORD_BYTES; n += WORD_BYTES) {
        uint64_t word = word_load(s.p + n);
        uint64_t others = word_below(word, ' ') | word_equal(word, '"') | word_equal(word, '\\') |
                          word_equal(word, 0x7f) | (word & WORD_HIGHS);
        if (others)
            return n + word_first(others);
    }
    while (n < s.n && s.p[n] >= ' ' && s.p[n] < 0x7f && s.p[n] != '"' && s.p[n] != '\\')
        n++;
    return n;
}

/* Header values may hold bytes that are no UTF-8: each of 0x80 and above is told as its code point, so the
 * line stays valid JSON whatever was sent. */
static void put_escaped(struct line *l, unsigned char c)
{
    if (c == '"' || c == '\\') {
        *l->p++ = '\\';
        *l->p++ = (char)c;
        return;
    }
    put_literal(l, "\\u00");
    hex_write(c, 2, l->p);
    l->p += 2;
}

/* `key` with quotes and colon. A text that does not fit is cut, and says so by an ellipsis. */
static void put_text(struct line *l, struct span key, struct span s)
{
    if (s.n == 0 || l->end - l->p < SLACK)
        return;
    put(l, key);
    while (s.n > 0) {
        size_t room = (size_t)(l->end - l->p) - SLACK / 2;
        size_t n = plain_run(s);
        put(l, span_of(s.p, n < room ? n : room));
        if (n >= room || l->end - l->p < SLACK) {
            put_literal(l, "\\u2026");
            break;
        }
        s = span_after(s, n);
        if (s.n > 0) {
            put_escaped(l, (unsigned char)s.p[0]);
            s = span_after(s, 1);
        }
    }
    *l->p++ = '"';
}

/* The same for what is known to need no escaping and to be short. */
static void put_word(struct line *l, struct span key, struct span s)
{
    put(l, key);
    put(l, s);
    *l->p++ = '"';
}

static void put_number(struct line *l, uint64_t n)
{
    char digits[20];
    unsigned at = sizeof(digits);

    do
        digits[--at] = (char)('0' + n % 10);
    while ((n /= 10) > 0);
    put(l, span_of(digits + at, sizeof(digits) - at));
}

static void put_count(struct line *l, struct span key, uint64_t n)
{
    if (n == 0)
        return;
    put(l, key);
    put_number(l, n);
}

static void put_time(struct line *l, struct span key, ns_t t)
{
    uint64_t us = t > 0 ? (uint64_t)(t / NS_PER_US) : 0;
    unsigned part = (unsigned)(us % 1000);

    if (us == 0)
        return;
    put(l, key);
    put_number(l, us / 1000);
    l->p[0] = '.';
    l->p[1] = (char)('0' + part / 100);
    l->p[2] = (char)('0' + part / 10 % 10);
    l->p[3] = (char)('0' + part % 10);
    l->p += 4;
}

/* ---- parts */

/* RFC 3339 in UTC; the second's text is made once a second. */
static void put_stamp(struct http_edge *e, struct line *l, ns_t now)
{
    ns_t wall = now + e->wall_offset;
    int64_t second = wall / NS_PER_S;
    unsigned ms = (unsigned)(wall % NS_PER_S / NS_PER_MS);

    if (second != e->stamp_second) {
        struct tm tm;
        time_t t = second;
        gmtime_r(&t, &tm);
        strftime(e->stamp, sizeof(e->stamp), "%Y-%m-%dT%H:%M:%S", &tm);
        e->stamp_second = second;
    }
    put_literal(l, "{\"time\":\"");
    put(l, span_of(e->stamp, sizeof(e->stamp) - 1));
    l->p[0] = '.';
    l->p[1] = (char)('0' + ms / 100);
    l->p[2] = (char)('0' + ms / 10 % 10);
    l->p[3] = (char)('0' + ms % 10);
    l->p += 4;
    put_literal(l, "Z\"");
}

static bool is_redacted(const struct exchange *x, enum redaction what)
{
    return x->snapshot->config->redact >> what & 1;
}

/* Who it is, unless its source is secret: then a keyed hash tells the same one from others, and nothing
 * else. The key lives as long as the process. */
static void put_identity(struct exchange *x, struct line *l, struct span key, struct span value,
                         const struct identity *from, enum redaction self)
{
    bool secret = (from->kind == IDENTITY_COOKIE && is_redacted(x, REDACT_cookie)) ||
                  (from->kind == IDENTITY_HEADER && is_redacted(x, REDACT_authorization) &&
                   span_equal_nocase(from->name, SPAN("authorization")));
    char text[18] = "h:";

    if (value.n == 0 || is_redacted(x, self))
        return;
    if (secret) {
        hex_write(XXH3_64bits_withSeed(value.p, value.n, x->edge->hash_key), 16, text + 2);
        value = span_of(text, sizeof(text));
    }
    put_text(l, key, value);
}

static void put_request(struct exchange *x, struct line *l)
{
    const struct http_head *h = &x->request;
    const struct http_field *agent = NULL;
    const struct http_field *referer = NULL;

    if (h->method.n == 0)
        return; /* it was not understood */
    for (uint32_t i = 0; i < h->field_count; i++) {
        if (h->fields[i].id == HTTP_USER_AGENT)
            agent = &h->fields[i];
        else if (h->fields[i].id == HTTP_REFERER)
            referer = &h->fields[i];
    }
    put_word(l, SPAN(",\"method\":\""), h->method);
    put_word(l, SPAN(",\"scheme\":\""), x->https ? SPAN("https") : SPAN("http"));
    put_text(l, SPAN(",\"host\":\""), h->host);
    put_text(l, SPAN(",\"path\":\""), h->path);
    if (h->has_query && !is_redacted(x, REDACT_query))
        put_text(l, SPAN(",\"query\":\""), h->query);
    if (agent && !is_redacted(x, REDACT_user_agent))
        put_text(l, SPAN(",\"agent\":\""), field_value(agent));
    if (referer && !is_redacted(x, REDACT_referer)) {
        struct span value = field_value(referer);
        size_t query = is_redacted(x, REDACT_query) ? span_find(value, '?') : value.n;
        put_text(l, SPAN(",\"referer\":\""), span_of(value.p, query));
    }
}

static void put_outcome(struct exchange *x, struct line *l)
{
    static const char *const words[] = { [OUTCOME_GOOD] = "good",
                                         [OUTCOME_SLOW] = "slow",
                                         [OUTCOME_FAILED] = "failed",
                                         [OUTCOME_EXCLUDED] = "excluded" };

    put_count(l, SPAN(",\"status\":"), x->status);
    if (x->counted)
        put_word(l, SPAN(",\"outcome\":\""), span_from_text(words[x->outcome]));
    if (x->ending != ENDING_answered)
        put_word(l, SPAN(",\"reason\":\""), span_from_text(ending_code(x->ending)));
    if (x->routed)
        put_word(l, SPAN(",\"journey\":\""), x->journey->name);
    if (x->service)
        put_word(l, SPAN(",\"service\":\""), x->service->name);
    if (x->instance)
        put_text(l, SPAN(",\"instance\":\""), x->instance->text);
    put_count(l, SPAN(",\"tries\":"), x->tries);
}

static void put_times(struct exchange *x, struct line *l, ns_t now)
{
    const ns_t *spent = x->spent;

    put_time(l, SPAN(",\"ms\":"), now - x->began);
    put_time(l, SPAN(",\"read_ms\":"), spent[EXCHANGE_READING]);
    put_time(l, SPAN(",\"connect_ms\":"), spent[EXCHANGE_CONNECTING]);
    put_time(l, SPAN(",\"send_ms\":"), spent[EXCHANGE_SENDING]);
    put_time(l, SPAN(",\"wait_ms\":"), spent[EXCHANGE_WAITING]);
    put_time(l, SPAN(",\"answer_ms\":"), spent[EXCHANGE_ANSWERING]);
    put_time(l, SPAN(",\"blocked_ms\":"), x->blocked);
}

void exchange_log(struct exchange *x, ns_t now)
{
    static _Thread_local char text[LOG_LINE_MAX];
    struct line l = { text, text + sizeof(text) };
    const struct config *c = x->snapshot->config;
    bool half;

    put_stamp(x->edge, &l, now);
    put_word(&l, SPAN(",\"trace\":\""), span_of(x->trace_text, sizeof(x->trace_text)));
    if (x->request_id.p != x->trace_text)
        put_text(&l, SPAN(",\"request\":\""), x->request_id);
    if (!is_redacted(x, REDACT_client))
        put_word(&l, SPAN(",\"client\":\""), x->client.n ? x->client : leg_peer_text(x->down.peer));
    put_request(x, &l);
    put_outcome(x, &l);
    put_count(&l, SPAN(",\"in\":"), x->received);
    put_count(&l, SPAN(",\"out\":"), x->sent);
    put_times(x, &l, now);
    put_identity(x, &l, SPAN(",\"tenant\":\""), x->tenant, &c->tenant, REDACT_tenant);
    put_identity(x, &l, SPAN(",\"user\":\""), x->user, &c->user_identity, REDACT_user);
    put_literal(&l, "}\n");
    if (!log_ring_put(x->edge->log, span_of(text, (size_t)(l.p - text)), &half))
        edge_count(x->edge, x->edge->slots->counters + EDGE_LOG_DROPPED, 1);
    if (half)
        x->edge->log_hurry(x->edge->log_writer);
}
