/* SPDX-License-Identifier: Apache-2.0 */
/* access.c - see access.h. */
#include "control/access.h"

#include "base/log.h"

/* ---- Host */

static bool is_listed(const struct admin_rules *r, struct span name)
{
    for (size_t i = 0; i < r->host_count; i++) {
        if (span_equal_nocase(r->hosts[i], name))
            return true;
    }
    return false;
}

/* An address in digits, with or without a port. */
static bool read_literal(struct span host, struct address *ret)
{
    if (address_parse(host, ret))
        return ret->storage.ss_family != AF_UNIX; /* "unix:/x" is a name here, and none of ours */
    if (span_starts_with(host, SPAN("[")) && host.p[host.n - 1] == ']')
        host = span_of(host.p + 1, host.n - 2);
    return address_parse_host(host, ret);
}

bool access_host_known(const struct config *c, const struct http_head *h)
{
    struct address a;
    struct span host = h->host;
    struct span name = span_of(host.p, span_find(host, ':'));

    if (host.n == 0)
        return true;
    if (span_equal_nocase(name, SPAN("localhost")) || is_listed(&c->admin_rules, name))
        return true;
    if (!read_literal(host, &a))
        return false;
    return address_loopback(&a) || !address_loopback(&c->admin.address);
}

/* ---- tokens */

struct span access_cookie(bool secure)
{
    return secure ? SPAN("__Host-evenkeel") : SPAN("evenkeel");
}

static struct access_answer too_many(ns_t rest)
{
    return (struct access_answer){
        .status = 429,
        .reason = "too_many_tokens",
        .text = "too many tokens from this address were not right; wait a moment",
        .retry_after = (unsigned)((rest + NS_PER_S - 1) / NS_PER_S),
    };
}

static struct access_answer not_right(struct access *a, const struct access_question *q)
{
    char text[ADDRESS_HOST_MAX];

    a->refused++;
    if (wrong_tokens_add(&a->wrong, q->peer, q->now))
        log_warn("admin address: %d tokens from %.*s were not right; it is not listened to for the "
                 "rest of the minute",
                 WRONG_TOKENS_ALLOWED, (int)address_print_host(q->peer, text), text);
    return (struct access_answer){ .status = 401,
                                   .reason = "token_wrong",
                                   .text = "the token is not right",
                                   .error = "invalid_token" };
}

struct access_answer access_judge_token(struct access *a, const struct access_question *q,
                                        struct span token)
{
    ns_t rest = wrong_tokens_rest(&a->wrong, q->peer, q->now);
    struct secret_mark mark;

    if (rest > 0)
        return too_many(rest);
    secret_mark_of(token, &mark);
    bool views = secret_mark_equal(&mark, &a->tokens.view);
    bool operates = secret_mark_equal(&mark, &a->tokens.operate);
    if (!a->tokens.wanted || (!views && !operates))
        return not_right(a, q);
    return (struct access_answer){ .right = operates ? ACCESS_OPERATE : ACCESS_VIEW };
}

static struct access_answer missing(void)
{
    return (struct access_answer){ .status = 401,
                                   .reason = "token_missing",
                                   .text = "a token is needed: Authorization: Bearer TOKEN" };
}

static struct access_answer judge_session(struct access *a, const struct access_question *q)
{
    struct span id = http_cookie(q->head, access_cookie(q->secure));
    const struct session *s = session_find(&a->sessions, id, q->now);

    if (!s)
        return missing();
    return (struct access_answer){ .right = s->operates ? ACCESS_OPERATE : ACCESS_VIEW,
                                   .session = true };
}

/* The scheme's name may be written in any case (RFC 9110 section 11.1). */
struct access_answer access_judge(struct access *a, const struct access_question *q)
{
    struct span shown = http_head_named(q->head, SPAN("authorization"));
    size_t blank = span_find(shown, ' ');

    if (!a->tokens.wanted)
        return (struct access_answer){ .right = ACCESS_OPERATE };
    if (shown.n == 0)
        return judge_session(a, q);
    if (!span_equal_nocase(span_of(shown.p, blank), SPAN("bearer")))
        return missing();
    return access_judge_token(a, q, span_trim(span_after(shown, blank)));
}

bool access_adopt(struct access *a, const struct config *c)
{
    const struct admin_tokens *new = &c->admin_rules.tokens;
    bool view = !new->wanted || !secret_mark_equal(&a->tokens.view, &new->view);
    bool operate = !new->wanted || !secret_mark_equal(&a->tokens.operate, &new->operate);
    bool changed = (a->tokens.wanted || new->wanted) && (view || operate);

    if (view)
        sessions_drop(&a->sessions, false);
    if (operate)
        sessions_drop(&a->sessions, true);
    a->tokens = *new;
    return changed;
}
