/* SPDX-License-Identifier: Apache-2.0 */
/* log_line.c - lines of access logs: compiling a format, finding the values, what they mean.
 * Times and stamps are in log_time.c; JSON lines in log_json.c. */
#include "proto/log_line.h"

#include "proto/http1.h"
#include "proto/log_values.h"

/* ---- names */

/* Variables of nginx, and keys of JSON lines; a name means the same in both. */
/* clang-format off */
static const struct log_name {
    struct span name;
    enum log_field field;
} names[] = {
    { SPAN_INIT("request"),                LOG_REQUEST },
    { SPAN_INIT("request_method"),         LOG_METHOD },
    { SPAN_INIT("method"),                 LOG_METHOD },
    { SPAN_INIT("http_method"),            LOG_METHOD },
    { SPAN_INIT("request_uri"),            LOG_TARGET },
    { SPAN_INIT("url"),                    LOG_TARGET },
    { SPAN_INIT("path"),                   LOG_PATH },
    { SPAN_INIT("uri"),                    LOG_URI },
    { SPAN_INIT("document_uri"),           LOG_URI },
    { SPAN_INIT("status"),                 LOG_STATUS },
    { SPAN_INIT("status_code"),            LOG_STATUS },
    { SPAN_INIT("time_local"),             LOG_LOCAL },
    { SPAN_INIT("time_iso8601"),           LOG_ISO },
    { SPAN_INIT("msec"),                   LOG_EPOCH },
    { SPAN_INIT("time"),                   LOG_STAMP },
    { SPAN_INIT("timestamp"),              LOG_STAMP },
    { SPAN_INIT("@timestamp"),             LOG_STAMP },
    { SPAN_INIT("ts"),                     LOG_STAMP },
    { SPAN_INIT("request_time"),           LOG_TOOK_S },
    { SPAN_INIT("ms"),                     LOG_TOOK_MS },
    { SPAN_INIT("blocked_ms"),             LOG_BLOCKED_MS },
    { SPAN_INIT("upstream_response_time"), LOG_UPSTREAM_S },
    { SPAN_INIT("http_host"),              LOG_HOST },
    { SPAN_INIT("host"),                   LOG_HOST },
    { SPAN_INIT("server_name"),            LOG_SERVER },
    { SPAN_INIT("reason"),                 LOG_REASON },
    { SPAN_INIT("trace"),                  LOG_TRACE },
};
/* clang-format on */

enum log_field log_field_of(struct span name)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (span_equal(names[i].name, name))
            return names[i].field;
    }
    return LOG_IGNORED;
}

/* In the order in which they are tried: a line with a host in front looks like one without, but for who asked.
 * $ident is what identd said, always "-" with nginx. */
/* clang-format off */
static const struct {
    struct span name;
    struct span text; /* empty: JSON lines */
} usual[] = {
    { SPAN_INIT("json"),           SPAN_INIT("") },
    { SPAN_INIT("vhost_combined"), SPAN_INIT("$host $remote_addr $ident $remote_user [$time_local] \"$request\" $status $body_bytes_sent \"$http_referer\" \"$http_user_agent\"") },
    { SPAN_INIT("combined"),       SPAN_INIT("$remote_addr $ident $remote_user [$time_local] \"$request\" $status $body_bytes_sent \"$http_referer\" \"$http_user_agent\"") },
    { SPAN_INIT("common"),         SPAN_INIT("$remote_addr $ident $remote_user [$time_local] \"$request\" $status $body_bytes_sent") },
};
/* clang-format on */

enum { USUAL_COUNT = sizeof(usual) / sizeof(usual[0]) };

struct span log_format_name(size_t i)
{
    return i < USUAL_COUNT ? usual[i].name : SPAN("");
}

bool log_format_named(struct span name, struct log_format *ret_format)
{
    for (size_t i = 0; i < USUAL_COUNT; i++) {
        if (!span_equal(usual[i].name, name))
            continue;
        if (usual[i].text.n > 0)
            return !log_format_compile(name, usual[i].text, LOG_ESCAPE_DEFAULT, ret_format);
        *ret_format = (struct log_format){ .name = name,
                                           .json = true,
                                           .escape = LOG_ESCAPE_JSON,
                                           .says_time = true,
                                           .says_took = true,
                                           .says_host = true };
        return true;
    }
    return false;
}

/* ---- compiling */

static bool is_name_byte(char c)
{
    char l = ascii_lower(c);

    return (l >= 'a' && l <= 'z') || ascii_digit(c) || c == '_';
}

/* Takes "$name" or "${name}" off the front; false when no variable stands there. */
static bool take_variable(struct span *rest, struct span *ret_name)
{
    struct span s = span_after(*rest, 1);
    bool braces = s.n > 0 && s.p[0] == '{';
    size_t n = 0;

    if (rest->n == 0 || rest->p[0] != '$')
        return false;
    if (braces)
        s = span_after(s, 1);
    while (n < s.n && is_name_byte(s.p[n]))
        n++;
    if (n == 0 || (braces && (n == s.n || s.p[n] != '}')))
        return false;
    *ret_name = span_of(s.p, n);
    *rest = span_after(s, n + braces);
    return true;
}

static bool is_target(uint8_t field)
{
    return field == LOG_TARGET || field == LOG_PATH || field == LOG_URI;
}

static bool is_query(struct span name)
{
    return span_equal(name, SPAN("is_args")) || span_equal(name, SPAN("args")) ||
           span_equal(name, SPAN("query_string"));
}

/* What of a variable depends on the one before it, when no text stands between the two. */
static const char *add_joined(struct log_format *f, struct span name, uint8_t field,
                              bool *ret_added)
{
    struct log_piece *last = f->count ? &f->pieces[f->count - 1] : NULL;

    *ret_added = false;
    if (!last)
        return NULL;
    if (is_query(name) && is_target(last->field)) {
        *ret_added = true; /* "$uri$is_args$args" is one value */
    } else if (field == LOG_IGNORED && last->field == LOG_IGNORED) {
        *ret_added = true;
    } else if (is_target(field)) {
        last->joined = true;
    } else {
        return "two variables stand side by side in the format: where one ends cannot be told";
    }
    return NULL;
}

static const char *add_piece(struct log_format *f, struct span before, struct span name)
{
    uint8_t field = (uint8_t)log_field_of(name);
    bool added = false;

    if (before.n == 0) {
        const char *wrong = add_joined(f, name, field, &added);
        if (wrong || added)
            return wrong;
    }
    if (f->count == LOG_PIECES_MAX)
        return "the format has more than 64 variables";
    f->pieces[f->count++] = (struct log_piece){
        .before = before,
        .field = field,
        .list = span_starts_with(name, SPAN("upstream_")) ||
                span_equal(name, SPAN("http_x_forwarded_for")),
    };
    return NULL;
}

static const char *check_fields(struct log_format *f)
{
    uint32_t seen = 0;
    const uint32_t target = 1u << LOG_TARGET | 1u << LOG_PATH | 1u << LOG_URI;

    for (size_t i = 0; i < f->count; i++)
        seen |= 1u << f->pieces[i].field;
    if (!(seen & 1u << LOG_REQUEST) && !(seen & 1u << LOG_METHOD && seen & target))
        return "the format has neither $request nor $request_method with $request_uri";
    if (!(seen & 1u << LOG_STATUS))
        return "the format has no $status";
    f->says_time = seen & (1u << LOG_LOCAL | 1u << LOG_ISO | 1u << LOG_EPOCH | 1u << LOG_STAMP);
    f->says_took = seen & (1u << LOG_TOOK_S | 1u << LOG_TOOK_MS | 1u << LOG_UPSTREAM_S);
    f->says_host = seen & (1u << LOG_HOST | 1u << LOG_SERVER);
    return NULL;
}

const char *log_format_compile(struct span name, struct span text, enum log_escape escape,
                               struct log_format *ret_format)
{
    struct log_format f = { .name = name, .escape = escape };
    struct span before = span_of(text.p, 0);
    struct span variable;

    while (text.n > 0) {
        if (take_variable(&text, &variable)) {
            const char *wrong = add_piece(&f, before, variable);
            if (wrong)
                return wrong;
            before = span_of(text.p, 0);
        } else {
            before.n++;
            text = span_after(text, 1);
        }
    }
    f.after = before;
    const char *wrong = check_fields(&f);
    if (!wrong)
        *ret_format = f;
    return wrong;
}

/* ---- finding values */

/* Whether the byte at `at` is escaped by the backslashes before it. */
static bool is_escaped(struct span s, size_t at)
{
    size_t n = 0;

    while (n < at && s.p[at - 1 - n] == '\\')
        n++;
    return n % 2;
}

/* A list of several instances' values goes on behind ", " and around " : ". */
static bool list_goes_on(struct span s, size_t at)
{
    return (at > 0 && (s.p[at - 1] == ',' || s.p[at - 1] == ':')) ||
           span_starts_with(span_after(s, at), SPAN(" : "));
}

/* Where the text that ends a value begins; s.n when it does not come. */
static size_t find_end(const struct log_format *f, const struct log_piece *p, struct span s,
                       struct span end)
{
    bool quoted = end.p[0] == '"' && f->escape != LOG_ESCAPE_NONE;
    size_t from = 0;

    while (from < s.n) {
        size_t at = from + span_find(span_after(s, from), end.p[0]);
        if (at == s.n)
            break;
        if (span_starts_with(span_after(s, at), end) && !(quoted && is_escaped(s, at)) &&
            !(p->list && end.p[0] == ' ' && list_goes_on(s, at)))
            return at;
        from = at + 1;
    }
    return s.n;
}

/* An unquoted request has blanks in it: it ends behind its version. */
static size_t request_end(struct span s, struct span end)
{
    size_t from = 0;

    for (;;) {
        size_t at = from + span_find(span_after(s, from), ' ');
        struct span rest = span_after(s, at);
        if (at == s.n)
            return 0;
        if (span_starts_with(rest, SPAN(" HTTP/"))) {
            size_t n = 6;
            while (n < rest.n && (ascii_digit(rest.p[n]) || rest.p[n] == '.'))
                n++;
            return span_starts_with(span_after(rest, n), end) ? at + n : 0;
        }
        from = at + 1;
    }
}

static struct span end_of(const struct log_format *f, size_t i)
{
    return i + 1 < f->count ? f->pieces[i + 1].before : f->after;
}

/* Where the target begins behind a host, within what the two have together. */
static size_t joined_end(const struct log_format *f, size_t i, struct span rest)
{
    struct span end = end_of(f, i + 1);

    if (end.n > 0)
        rest.n = find_end(f, &f->pieces[i + 1], rest, end);
    return span_find(rest, '/');
}

/* Takes the value of piece i off the front; false when the line does not go on as the format does. */
static bool take_value(const struct log_format *f, size_t i, struct span *rest,
                       struct span *ret_value)
{
    const struct log_piece *p = &f->pieces[i];
    struct span end = end_of(f, i);
    size_t n = rest->n;

    if (p->joined)
        n = joined_end(f, i, *rest);
    else if (end.n > 0 && p->field == LOG_REQUEST && end.p[0] == ' ' && request_end(*rest, end))
        n = request_end(*rest, end);
    else if (end.n > 0)
        n = find_end(f, p, *rest, end);
    if (!p->joined && end.n > 0 && n == rest->n)
        return false;
    *ret_value = span_of(rest->p, n);
    *rest = span_after(*rest, n + (p->joined ? 0 : end.n));
    return true;
}

static bool find_values(const struct log_format *f, struct span line,
                        struct span values[LOG_FIELD_COUNT])
{
    struct span value;

    if (f->count == 0 || !span_starts_with(line, f->pieces[0].before))
        return false;
    line = span_after(line, f->pieces[0].before.n);
    for (size_t i = 0; i < f->count; i++) {
        if (!take_value(f, i, &line, &value))
            return false;
        if (f->pieces[i].field != LOG_IGNORED)
            values[f->pieces[i].field] = value;
    }
    return true;
}

/* ---- what they mean */

static bool is_absent(struct span s)
{
    return s.n == 0 || (s.n == 1 && s.p[0] == '-');
}

/* The escapes of nginx and Apache: \xHH, \" and \\, and the control characters by their letters. */
static struct span undo_default(struct span s)
{
    static const char letters[] = "b\bf\fn\nr\rt\tv\v";
    char *out =
        (char *)(uintptr_t)s.p; /* the line is the caller's to lend, and it is not const there */
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '\\' && i + 3 < s.n && s.p[i + 1] == 'x' && ascii_hex(s.p[i + 2]) >= 0 &&
            ascii_hex(s.p[i + 3]) >= 0) {
            c = (char)(ascii_hex(s.p[i + 2]) << 4 | ascii_hex(s.p[i + 3]));
            i += 3;
        } else if (c == '\\' && i + 1 < s.n) {
            const char *letter = s.p[i + 1] ? strchr(letters, s.p[i + 1]) : NULL;
            c = letter && (letter - letters) % 2 == 0 ? letter[1] : s.p[i + 1];
            i++;
        }
        out[n++] = c;
    }
    return span_of(s.p, n);
}

static struct span undo_escapes(enum log_escape escape, struct span s)
{
    if (escape == LOG_ESCAPE_NONE || span_find(s, '\\') == s.n)
        return s;
    return escape == LOG_ESCAPE_JSON ? log_undo_json(s) : undo_default(s);
}

/* "GET /cart HTTP/1.1"; the version is the one that was spoken with whoever wrote the log, so any will do. */
static bool split_request(struct span request, struct span *ret_method, struct span *ret_target)
{
    size_t first = span_find(request, ' ');
    struct span rest = span_after(request, first + 1);
    size_t second = span_find(rest, ' ');
    struct span version = span_after(rest, second + 1);

    if (second == rest.n || !span_starts_with(version, SPAN("HTTP/")) || version.n < 6 ||
        span_find(version, ' ') < version.n)
        return false;
    *ret_method = span_of(request.p, first);
    *ret_target = span_of(rest.p, second);
    return true;
}

static bool read_target(struct span method, struct span target, struct log_line *l)
{
    struct http_head h = {};

    if (http1_read_target(method, target, &h) != HTTP1_GOOD)
        return false;
    l->method = h.method;
    l->path = h.path;
    if (h.host.n > 0)
        l->host = h.host;
    return true;
}

/* A path that nginx has unescaped holds what no client may send, so it is believed as it is. */
static bool read_uri(struct span method, struct span uri, struct log_line *l)
{
    struct http_head h = {};

    if (http1_read_target(method, SPAN("/"), &h) != HTTP1_GOOD || uri.n == 0 || uri.p[0] != '/')
        return false;
    l->method = method;
    l->path = span_of(uri.p, span_find(uri, '?'));
    return true;
}

static bool read_request(const struct log_format *f, struct span v[LOG_FIELD_COUNT],
                         struct log_line *l)
{
    struct span method = undo_escapes(f->escape, v[LOG_METHOD]);
    struct span target = is_absent(v[LOG_TARGET]) ? v[LOG_PATH] : v[LOG_TARGET];

    if (!is_absent(method) && !is_absent(target))
        return read_target(method, undo_escapes(f->escape, target), l);
    if (!is_absent(method) && !is_absent(v[LOG_URI]))
        return read_uri(method, undo_escapes(f->escape, v[LOG_URI]), l);
    if (v[LOG_TRACE].n > 0 || v[LOG_REQUEST].n == 0) /* our own log's "request" is an id */
        return false;
    return split_request(undo_escapes(f->escape, v[LOG_REQUEST]), &method, &target) &&
           read_target(method, target, l);
}

static const char *read_status(struct span s, struct log_line *l)
{
    uint64_t status = 0;

    if (!is_absent(s) && (s.n > 3 || !span_to_u64(s, &status)))
        return "the status is no number of three digits";
    l->client_gone = status == 499;
    l->status = l->client_gone ? 0 : (unsigned)status;
    return NULL;
}

static const char *read_time(struct span v[LOG_FIELD_COUNT], struct log_line *l)
{
    static const uint8_t fields[] = { LOG_EPOCH, LOG_STAMP, LOG_ISO, LOG_LOCAL };

    for (size_t i = 0; i < sizeof(fields); i++) {
        struct span s = v[fields[i]];
        if (is_absent(s))
            continue;
        l->has_time = log_stamp(s, &l->at_ms);
        return l->has_time ? NULL : "the time is not written in a known way";
    }
    return NULL;
}

/* What took how long; a WebSocket's time is its user's choice, as everywhere here. */
static const char *read_took(struct span v[LOG_FIELD_COUNT], struct log_line *l)
{
    ns_t blocked = 0;
    bool good = true;

    l->has_took = true;
    if (!is_absent(v[LOG_TOOK_S]))
        good = log_seconds(v[LOG_TOOK_S], &l->took);
    else if (!is_absent(v[LOG_TOOK_MS]))
        good = log_milliseconds(v[LOG_TOOK_MS], &l->took);
    else if (!is_absent(v[LOG_UPSTREAM_S]))
        l->of_upstream = good = log_upstream_seconds(v[LOG_UPSTREAM_S], &l->took);
    else
        l->has_took = v[LOG_TRACE].n > 0; /* our own log leaves zeroes out */
    if (good && !is_absent(v[LOG_BLOCKED_MS]))
        good = log_milliseconds(v[LOG_BLOCKED_MS], &blocked);
    l->took = l->took > blocked ? l->took - blocked : 0;
    if (l->status == 101)
        l->has_took = false;
    return good ? NULL : "the time that it took is no number";
}

static void read_host(const struct log_format *f, struct span v[LOG_FIELD_COUNT],
                      struct log_line *l)
{
    struct span host = is_absent(v[LOG_HOST]) ? v[LOG_SERVER] : v[LOG_HOST];

    if (!is_absent(host) && l->host.n == 0)
        l->host = undo_escapes(f->escape, host);
}

const char *log_line_read(const struct log_format *f, char *line, size_t n,
                          struct log_line *ret_line)
{
    struct span v[LOG_FIELD_COUNT] = {};
    struct log_line l = {};
    struct span text = span_of(line, n);

    if (f->json ? !log_find_json(text, v) : !find_values(f, text, v))
        return f->json ? "it is no JSON object on one line" : "it does not look as the format says";
    if (f->json && v[LOG_STATUS].n == 0 && v[LOG_TRACE].n == 0)
        return "the JSON object has no \"status\"";
    const char *wrong = read_status(v[LOG_STATUS], &l);
    if (!wrong)
        wrong = read_time(v, &l);
    if (!wrong)
        wrong = read_took(v, &l);
    if (wrong)
        return wrong;
    l.malformed = !read_request(f, v, &l);
    read_host(f, v, &l);
    if (!is_absent(v[LOG_REASON]))
        l.reason = v[LOG_REASON];
    *ret_line = l;
    return NULL;
}
