/* SPDX-License-Identifier: Apache-2.0 */
/* differences.c - comparing two outcomes, and the one table of what may differ. A row's predicate
 * looks at the bytes themselves: an explanation that asked our parser would believe its mistakes. */
#include "differences.h"

#include "proto/http.h"

/* ---- comparing */

/* Ours has taken an absolute target apart (RFC 9112 section 3.2.2); theirs hands it over as it came. */
static bool same_target(const struct outcome *ours, struct span raw)
{
    struct span target = text_of(ours, ours->target);
    size_t scheme = 0;

    if (span_equal(raw, target))
        return true;
    if (raw.n > 7 && span_equal_nocase(span_of(raw.p, 7), SPAN("http://")))
        scheme = 7;
    else if (raw.n > 8 && span_equal_nocase(span_of(raw.p, 8), SPAN("https://")))
        scheme = 8;
    if (scheme == 0)
        return false;
    raw = span_after(raw, scheme);
    size_t n = 0;
    while (n < raw.n && raw.p[n] != '/' && raw.p[n] != '?')
        n++;
    if (!span_equal_nocase(span_of(raw.p, n), text_of(ours, ours->host)))
        return false;
    raw = span_after(raw, n);
    if (raw.n == 0 || raw.p[0] == '?') /* no path means "/" */
        return target.n == raw.n + 1 && target.p[0] == '/' &&
               span_equal(raw, span_after(target, 1));
    return span_equal(raw, target);
}

static bool same_fields(const struct outcome *a, const struct outcome *b)
{
    if (a->field_count != b->field_count)
        return false;
    for (unsigned i = 0; i < a->field_count; i++) {
        /* blanks around a value are not part of it (RFC 9110 section 5.5); llhttp leaves those
         * behind it to its caller */
        if (!span_equal(text_of(a, a->fields[i].name), text_of(b, b->fields[i].name)) ||
            !span_equal(text_of(a, a->fields[i].value), span_trim(text_of(b, b->fields[i].value))))
            return false;
    }
    return true;
}

static unsigned compare_heads(const struct message *m, const struct outcome *ours,
                              const struct outcome *theirs)
{
    unsigned differs = 0;

    if (m->kind == REQUEST) {
        if (!span_equal(text_of(ours, ours->method), text_of(theirs, theirs->method)))
            differs |= D_METHOD;
        if (!same_target(ours, text_of(theirs, theirs->target)))
            differs |= D_TARGET;
    } else {
        if (ours->status != theirs->status)
            differs |= D_STATUS;
        if (!span_equal(text_of(ours, ours->words), text_of(theirs, theirs->words)))
            differs |= D_WORDS;
    }
    if (ours->major != theirs->major || ours->minor != theirs->minor)
        differs |= D_VERSION;
    if (!same_fields(ours, theirs))
        differs |= D_FIELDS;
    return differs;
}

unsigned compare(const struct message *m, const struct outcome *ours, const struct outcome *theirs)
{
    unsigned differs = 0;

    if (ours->verdict == REFUSED)
        return theirs->verdict == REFUSED ? 0 : D_REFUSED_IT;
    if (theirs->verdict == REFUSED)
        differs |= ours->head ? D_ACCEPTED : 0; /* a head is judged when it is whole */
    else if (ours->head != theirs->head)
        return D_HEAD_END;
    if (!ours->head || !theirs->head)
        return differs;
    differs |= compare_heads(m, ours, theirs);
    if (theirs->verdict == REFUSED)
        return differs;
    if (!span_equal(text_of(ours, ours->body), text_of(theirs, theirs->body)))
        differs |= D_BODY;
    if (ours->verdict != theirs->verdict || ours->end != theirs->end)
        differs |= D_END;
    if (ours->verdict == COMPLETE && theirs->verdict == COMPLETE &&
        ours->keep_alive != theirs->keep_alive)
        differs |= D_KEEP_ALIVE;
    return differs;
}

/* ---- looking at the bytes */

static struct span bytes_of(const struct message *m)
{
    return span_of(m->bytes, m->n);
}

/* Takes a line off the front, without its LF or CR LF. */
static struct span next_line(struct span *rest)
{
    size_t n = span_find(*rest, '\n');
    struct span line = span_of(rest->p, n);

    *rest = span_after(*rest, n + 1);
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    return line;
}

static struct span first_line(const struct message *m)
{
    struct span rest = bytes_of(m);

    if (span_starts_with(rest, SPAN("\r\n")))
        rest = span_after(rest, 2);
    return next_line(&rest);
}

/* How many fields of the head have this name; the last one's value. */
static unsigned fields_of(const struct message *m, const char *name, struct span *ret_value)
{
    struct span rest = bytes_of(m);
    unsigned count = 0;

    if (span_starts_with(rest, SPAN("\r\n")))
        rest = span_after(rest, 2);
    next_line(&rest);
    for (struct span line = next_line(&rest); line.n > 0; line = next_line(&rest)) {
        size_t colon = span_find(line, ':');
        if (!span_equal_nocase(span_of(line.p, colon), span_from_text(name)))
            continue;
        *ret_value = span_trim(span_after(line, colon + 1));
        count++;
    }
    return count;
}

static bool holds_byte_but(struct span s, bool (*good)(unsigned char c))
{
    for (size_t i = 0; i < s.n; i++) {
        if (!good((unsigned char)s.p[i]))
            return true;
    }
    return false;
}

static bool not_control(unsigned char c)
{
    return (c >= 0x20 && c != 0x7f) || c == '\t';
}

static bool of_target(unsigned char c)
{
    return c > 0x20 && c < 0x7f && !strchr("#<>\\", c);
}

static bool of_host(unsigned char c)
{
    return (c | 0x20) >= 'a' ? (c | 0x20) <= 'z' || c == '_' || c == '~' || c == '[' || c == ']'
                             : c && strchr("!$%&'()*+,-.0123456789:;=", c);
}

static bool of_number(unsigned char c)
{
    return c >= '0' && c <= '9';
}

/* ---- why we refuse what they do not */

#define PREDICATE(name)                                                   \
    static bool name(const struct message *m, const struct outcome *ours, \
                     const struct outcome *theirs)
#define UNUSED (void)m, (void)ours, (void)theirs

PREDICATE(bare_lf)
{
    UNUSED;
    for (size_t i = 0; i < m->n; i++) {
        if (m->bytes[i] == '\n' && (i == 0 || m->bytes[i - 1] != '\r'))
            return true;
    }
    return false;
}

/* Not "word word HTTP/..." with one space each. */
PREDICATE(odd_request_line)
{
    UNUSED;
    struct span line = first_line(m);
    size_t one = span_find(line, ' ');
    struct span rest = span_after(line, one + 1);
    size_t two = span_find(rest, ' ');

    if (line.n == 0 || line.p[0] == '\r')
        return true; /* llhttp skips any CR and LF before a request */
    return one == 0 || two == 0 || !span_starts_with(span_after(rest, two + 1), SPAN("HTTP/"));
}

PREDICATE(long_line)
{
    UNUSED;
    return first_line(m).n > LINE_MAX;
}

PREDICATE(connect)
{
    UNUSED;
    return span_starts_with(first_line(m), SPAN("CONNECT "));
}

PREDICATE(odd_target)
{
    UNUSED;
    struct span line = first_line(m);
    struct span target = span_after(line, span_find(line, ' ') + 1);

    target.n = span_find(target, ' ');
    return target.n == 0 || target.p[0] != '/' || holds_byte_but(target, of_target);
}

PREDICATE(odd_version)
{
    UNUSED;
    struct span line = first_line(m);

    return line.n < 8 || (!span_equal(span_after(line, line.n - 8), SPAN("HTTP/1.1")) &&
                          !span_equal(span_after(line, line.n - 8), SPAN("HTTP/1.0")));
}

PREDICATE(large_head)
{
    UNUSED;
    return m->n >= HEAD_MAX;
}

PREDICATE(many_fields)
{
    UNUSED;
    struct span rest = bytes_of(m);
    unsigned lines = 0;

    next_line(&rest);
    while (next_line(&rest).n > 0)
        lines++;
    return lines > FIELDS_MAX;
}

/* Not even one character of a name. */
PREDICATE(no_name)
{
    UNUSED;
    struct span rest = bytes_of(m);

    while (rest.n > 0) {
        if (next_line(&rest).n > 0 && rest.n > 0 && rest.p[0] == ':')
            return true;
    }
    return false;
}

PREDICATE(underscore)
{
    UNUSED;
    struct span rest = bytes_of(m);

    while (rest.n > 0) {
        struct span line = next_line(&rest);
        if (span_find(span_of(line.p, span_find(line, ':')), '_') < line.n)
            return true;
    }
    return false;
}

PREDICATE(folded)
{
    UNUSED;
    struct span rest = bytes_of(m);

    next_line(&rest);
    while (rest.n > 0) {
        if (rest.p[0] == ' ' || rest.p[0] == '\t')
            return true;
        next_line(&rest);
    }
    return false;
}

PREDICATE(hosts_not_one)
{
    UNUSED;
    struct span value;

    return fields_of(m, "host", &value) != 1;
}

PREDICATE(odd_host)
{
    UNUSED;
    struct span value;
    struct span line = first_line(m);

    if (fields_of(m, "host", &value) != 1)
        return false;
    return value.n == 0 || value.n > 255 || holds_byte_but(value, of_host) ||
           line.p[span_find(line, ' ') + 1] != '/'; /* disagrees with the target */
}

PREDICATE(odd_length)
{
    UNUSED;
    struct span value;
    uint64_t number;

    return fields_of(m, "content-length", &value) > 1 || holds_byte_but(value, of_number) ||
           !span_to_u64(value, &number) || number > INT64_MAX;
}

PREDICATE(length_and_encoding)
{
    UNUSED;
    struct span value;

    return fields_of(m, "content-length", &value) > 0 &&
           fields_of(m, "transfer-encoding", &value) > 0;
}

PREDICATE(odd_encoding)
{
    UNUSED;
    struct span value;

    return fields_of(m, "transfer-encoding", &value) > 1 ||
           !span_equal_nocase(value, SPAN("chunked"));
}

PREDICATE(encoding_in_1_0)
{
    UNUSED;
    struct span value;

    return fields_of(m, "transfer-encoding", &value) > 0 && span_find(first_line(m), '0') > 0;
}

PREDICATE(names_in_connection)
{
    UNUSED;
    struct span value;

    return fields_of(m, "connection", &value) > 0;
}

PREDICATE(odd_upgrade)
{
    UNUSED;
    struct span value;

    return fields_of(m, "upgrade", &value) == 1 && span_equal_nocase(value, SPAN("websocket")) &&
           (!span_starts_with(first_line(m), SPAN("GET ")) ||
            fields_of(m, "content-length", &value) || fields_of(m, "transfer-encoding", &value));
}

PREDICATE(odd_expectation)
{
    UNUSED;
    struct span value;

    return fields_of(m, "expect", &value) > 0 && !span_equal_nocase(value, SPAN("100-continue"));
}

/* Not "HTTP/1.1 NNN", from 100 to 599, and a space and words. */
PREDICATE(odd_status_line)
{
    UNUSED;
    struct span line = first_line(m);
    struct message version = { m->kind, m->bytes, 8 };
    struct span code = span_of(line.p + 9, 3);

    if (line.n < 12 || m->bytes[0] == '\r' || odd_version(&version, ours, theirs))
        return true;
    return holds_byte_but(line, not_control) || line.p[8] != ' ' ||
           holds_byte_but(code, of_number) || code.p[0] < '1' || code.p[0] > '5' ||
           (line.n > 12 && line.p[12] != ' ');
}

/* A line of 16 hexadecimal digits is a size above INT64_MAX when the first one is 8 or more. */
PREDICATE(large_chunk)
{
    UNUSED;
    struct span rest = bytes_of(m);

    while (rest.n > 0) {
        struct span line = next_line(&rest);
        size_t digits = 0;
        while (line.n > 0 && line.p[0] == '0')
            line = span_after(line, 1);
        while (digits < line.n && ascii_hex(line.p[digits]) >= 0)
            digits++;
        if (digits >= 16 && ascii_hex(line.p[0]) >= 8)
            return true;
    }
    return false;
}

PREDICATE(tab_behind_coding)
{
    UNUSED;
    struct span value;
    struct span rest = bytes_of(m);

    for (struct span line = next_line(&rest); rest.n > 0; line = next_line(&rest)) {
        if (line.n < 18 || !span_equal_nocase(span_of(line.p, 18), SPAN("transfer-encoding:")))
            continue;
        while (line.n > 18 && line.p[line.n - 1] == ' ')
            line.n--;
        if (line.p[line.n - 1] == '\t')
            return m->kind == ANSWER || fields_of(m, "upgrade", &value) > 0;
    }
    return false;
}

PREDICATE(control_in_line)
{
    UNUSED;
    struct span rest = bytes_of(m);

    while (rest.n > 0) {
        if (holds_byte_but(next_line(&rest), not_control))
            return true;
    }
    return false;
}

PREDICATE(long_extension)
{
    UNUSED;
    struct span rest = bytes_of(m);

    while (rest.n > 0) {
        if (next_line(&rest).n > 1024)
            return true;
    }
    return false;
}

/* ---- why we accept what they refuse, or read it otherwise */

static size_t find(struct span s, struct span what)
{
    const char *at = s.n ? memmem(s.p, s.n, what.p, what.n) : NULL;
    return at ? (size_t)(at - s.p) : s.n;
}

/* We end the connection and they go on; a Connection field says close. */
PREDICATE(close_wins)
{
    UNUSED;
    struct span rest = bytes_of(m);

    next_line(&rest);
    for (struct span line = next_line(&rest); line.n > 0; line = next_line(&rest)) {
        size_t colon = span_find(line, ':');
        if (span_equal_nocase(span_of(line.p, colon), SPAN("connection")) &&
            http_list_has(span_after(line, colon + 1), SPAN("close")))
            return !ours->keep_alive;
    }
    return false;
}

PREDICATE(proxy_connection)
{
    UNUSED;
    struct span value;

    return fields_of(m, "proxy-connection", &value) > 0;
}

PREDICATE(status_without_body)
{
    UNUSED;
    return m->kind == ANSWER && theirs->head && ours->body.n == 0 && ours->verdict == COMPLETE &&
           ours->end == find(bytes_of(m), SPAN("\r\n\r\n")) + 4 &&
           (ours->status < 200 || ours->status == 204 || ours->status == 304);
}

/* The message with what they cannot read written in another way that means the same: a method of
 * theirs, no blanks behind values, chunks without extensions, no trailers. */
struct repair {
    char bytes[MESSAGE_MAX];
    size_t n;
    bool method;
    bool blanks;
    bool extensions;
    bool trailers;
};

static void keep(struct repair *r, struct span s)
{
    if (s.n)
        memcpy(r->bytes + r->n, s.p, s.n);
    r->n += s.n;
}

/* Keeps the front of `rest` up to this many bytes and goes behind them. */
static void keep_front(struct repair *r, struct span *rest, size_t n)
{
    n = n < rest->n ? n : rest->n;
    keep(r, span_of(rest->p, n));
    *rest = span_after(*rest, n);
}

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Without the blanks in front of a comma or of the line's end. */
static void keep_unblanked(struct repair *r, struct span line)
{
    while (line.n > 0) {
        size_t n = 0;
        while (n < line.n && blank(line.p[n]))
            n++;
        bool drop = n > 0 && (n == line.n || line.p[n] == ',');
        r->blanks |= drop;
        if (drop)
            line = span_after(line, n);
        keep_front(r, &line, drop ? 1 : n + 1);
    }
}

static void repair_fields(struct repair *r, struct span *rest)
{
    for (;;) {
        size_t n = find(*rest, SPAN("\r\n"));
        keep_unblanked(r, span_of(rest->p, n));
        *rest = span_after(*rest, n);
        keep_front(r, rest, 2);
        if (n == 0)
            return;
    }
}

static void drop_trailers(struct repair *r, struct span *rest)
{
    while (rest->n > 0 && rest->p[0] != '\r') {
        r->trailers = true;
        *rest = span_after(*rest, find(*rest, SPAN("\r\n")) + 2);
    }
}

static void repair_chunks(struct repair *r, struct span rest)
{
    while (rest.n > 0) {
        uint64_t size = 0;
        size_t digits = 0;
        while (digits < rest.n && ascii_hex(rest.p[digits]) >= 0) {
            if (size < MESSAGE_MAX) /* larger ones are not here anyway */
                size = size << 4 | (uint64_t)ascii_hex(rest.p[digits]);
            digits++;
        }
        keep_front(r, &rest, digits);
        if (rest.n > 0 && rest.p[0] == ';') {
            r->extensions = true;
            rest = span_after(rest, find(rest, SPAN("\r\n")));
        }
        keep_front(r, &rest, 2);
        if (size == 0) {
            drop_trailers(r, &rest);
            keep(r, rest);
            return;
        }
        keep_front(r, &rest, (size_t)size + 2);
    }
}

static void repair(const struct message *m, const struct outcome *ours, struct repair *r)
{
    struct span rest = bytes_of(m);
    struct span method = text_of(ours, ours->method);
    struct span value;

    r->n = 0;
    r->method = r->blanks = r->extensions = r->trailers = false;
    if (m->kind == REQUEST && !theirs_knows_method(method)) {
        keep_front(r, &rest, span_starts_with(rest, SPAN("\r\n")) ? 2 : 0);
        keep(r, SPAN("POST"));
        rest = span_after(rest, method.n);
        r->method = true;
    }
    keep_front(r, &rest, find(rest, SPAN("\r\n")) + 2);
    repair_fields(r, &rest);
    if (fields_of(m, "transfer-encoding", &value) > 0 && m->kind != ANSWER_TO_HEAD)
        repair_chunks(r, rest);
    else
        keep(r, rest);
}

/* Both read the repaired message alike, and ours reads it as it did the message itself. */
static bool reads_alike(const struct message *m, const struct outcome *ours, const struct repair *r)
{
    static struct outcome a;
    static struct outcome b;
    struct message again = { m->kind, r->bytes, r->n };
    struct pieces whole = { .count = 1, .end = { r->n } };

    ours_read(&again, &whole, &a);
    theirs_read(&again, &whole, &b);
    unsigned differs = compare(&again, &a, &b);
    if (close_wins(&again, &a, &b) || proxy_connection(&again, &a, &b))
        differs &= ~D_KEEP_ALIVE;
    if (status_without_body(&again, &a, &b))
        differs = 0;
    return differs == 0 && a.verdict == ours->verdict &&
           (a.verdict != COMPLETE || r->n - a.end == m->n - ours->end) &&
           span_equal(text_of(&a, a.body), text_of(ours, ours->body)) &&
           a.field_count == ours->field_count;
}

static bool after_repair(const struct message *m, const struct outcome *ours, struct repair *ret)
{
    if (!ours->head || ours->method.n > 32)
        return false;
    repair(m, ours, ret);
    return reads_alike(m, ours, ret);
}

PREDICATE(extension_method)
{
    static struct repair r;

    UNUSED;
    return after_repair(m, ours, &r) && r.method;
}

PREDICATE(blanks_behind)
{
    static struct repair r;

    UNUSED;
    return after_repair(m, ours, &r) && r.blanks;
}

PREDICATE(chunk_extension)
{
    static struct repair r;

    UNUSED;
    return after_repair(m, ours, &r) && r.extensions;
}

PREDICATE(trailer)
{
    static struct repair r;

    UNUSED;
    return after_repair(m, ours, &r) && r.trailers;
}

/* ---- the table */

/* clang-format off */
struct difference differences[] = {
#define REFUSAL(code, holds, why) { #code, D_REFUSED_IT, why, holds, 0 },
    REFUSAL(bare_cr_or_lf, bare_lf, "RFC 9112 2.2: a recipient MAY take a bare LF for a line end; we do not")
    REFUSAL(request_line, odd_request_line, "RFC 9112 3: one space between three words; no HTTP/0.9, one empty line before it")
    REFUSAL(line_too_long, long_line, "RFC 9112 3: 414 for a line longer than the limit")
    REFUSAL(method_unknown, connect, "RFC 9110 9.3.6: CONNECT asks for a tunnel, which is not offered")
    REFUSAL(target, odd_target, "RFC 9112 3.2: invalid targets SHOULD be answered with 400; RFC 3986 2: no such characters")
    REFUSAL(version, odd_version, "RFC 9110 15.6.6: 505 for versions that are not spoken")
    REFUSAL(head_too_large, large_head, "RFC 9110 5.4: a limit on the fields")
    REFUSAL(too_many_fields, many_fields, "RFC 9110 5.4: a limit on the fields")
    REFUSAL(field_name, no_name, "RFC 9112 5: a field name is a token, which has at least one character")
    REFUSAL(field_underscore, underscore, "RFC 3875 4.1.18: CGI and its heirs read X_Y and X-Y as one variable")
    REFUSAL(field_folded, folded, "RFC 9112 5.2: a server MUST refuse obs-fold or replace it")
    REFUSAL(host_missing, hosts_not_one, "RFC 9112 3.2: 400 for a request without Host or with several")
    REFUSAL(host, odd_host, "RFC 9112 3.2: 400 for an invalid Host; one that contradicts the target is refused too")
    REFUSAL(length, odd_length, "RFC 9112 6.3: an invalid Content-Length is an unrecoverable error; repeated ones are refused too")
    REFUSAL(length_and_encoding, length_and_encoding, "RFC 9112 6.3: both lengths ought to be handled as an error")
    REFUSAL(encoding, odd_encoding, "RFC 9112 6.1: 501 for a transfer coding that is not understood")
    REFUSAL(encoding_in_1_0, encoding_in_1_0, "RFC 9112 6.1: Transfer-Encoding in HTTP/1.0 MUST be treated as faulty framing")
    REFUSAL(connection, names_in_connection, "RFC 9110 7.6.1: Connection may not name fields for all recipients")
    REFUSAL(upgrade, odd_upgrade, "RFC 6455 4.1: a WebSocket is asked for with GET; a body before it is refused")
    REFUSAL(expectation, odd_expectation, "RFC 9110 10.1.1: 417 for an expectation that is not understood")
    { "chunk: bare LF", D_REFUSED_IT, "RFC 9112 7.1: chunks and trailers are framed by CR LF", bare_lf, 0 },
    { "chunk: folded", D_REFUSED_IT, "RFC 9112 5.2: no obs-fold in trailers either", folded, 0 },
    { "chunk: size", D_REFUSED_IT, "RFC 9112 7.1: a recipient MUST prevent overflow; ours counts up to INT64_MAX", large_chunk, 0 },
    { "chunk: extension", D_REFUSED_IT, "RFC 9112 7.1.1: a recipient ought to limit the length of extensions", long_extension, 0 },
    { "chunk: coding", D_REFUSED_IT, "RFC 9110 5.5: \"chunked\" and a tab is chunked; llhttp reads until the end", tab_behind_coding, 0 },
    { "chunk: control", D_REFUSED_IT, "RFC 9110 5.6.4: not even a quoted extension may hold a control character", control_in_line, 0 },
    REFUSAL(status_line, odd_status_line, "RFC 9112 4: status-line grammar; RFC 9110 15: codes from 100 to 599")
#undef REFUSAL
    { "extension-method", D_ACCEPTED, "RFC 9110 9.1: methods are an open set; llhttp has a list", extension_method, 0 },
    { "blanks-behind-value", D_ACCEPTED | D_BODY | D_END | D_KEEP_ALIVE, "RFC 9110 5.5: blanks around a value are not part of it; to llhttp a tab behind it is", blanks_behind, 0 },
    { "close-wins", D_KEEP_ALIVE, "RFC 9112 9.3: close ends the connection whatever else is said", close_wins, 0 },
    { "proxy-connection", D_KEEP_ALIVE, "RFC 9112 C.2.2: Proxy-Connection is not HTTP; llhttp reads it as Connection", proxy_connection, 0 },
    { "chunk-extension", D_ACCEPTED, "RFC 9112 7.1.1: unrecognized extensions MUST be ignored; we drop them unread", chunk_extension, 0 },
    { "trailer", D_ACCEPTED | D_KEEP_ALIVE, "RFC 9112 7.1.2: trailers may be discarded; we drop them unread", trailer, 0 },
    { "status-without-body", D_ACCEPTED | D_BODY | D_END | D_KEEP_ALIVE,
      "RFC 9112 6.3: 1xx, 204 and 304 end with their head; llhttp leaves that to its caller", status_without_body, 0 },
};
/* clang-format on */

const unsigned difference_count = sizeof(differences) / sizeof(differences[0]);

/* A refusal is named by our code, or by it, a colon and more. */
static bool is_code_of(const struct difference *d, const char *code)
{
    size_t n = strcspn(d->name, ":");

    return strlen(code) == n && strncmp(d->name, code, n) == 0;
}

unsigned explain(const struct message *m, const struct outcome *ours, const struct outcome *theirs,
                 unsigned differs)
{
    for (unsigned i = 0; i < difference_count && differs; i++) {
        struct difference *d = &differences[i];
        if (!(d->aspects & differs))
            continue;
        if (d->aspects == D_REFUSED_IT && !is_code_of(d, ours->reason))
            continue;
        if (!d->holds(m, ours, theirs))
            continue;
        d->seen++;
        differs &= ~d->aspects;
    }
    return differs;
}
