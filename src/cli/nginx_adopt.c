/* SPDX-License-Identifier: Apache-2.0 */
/* nginx_adopt.c - one directive after the other: a row says where it may stand and who takes it. What is in no
 * row is noted as not translated. Then nginx_routes.c makes routes of what was collected. */
#include "cli/nginx_adopt.h"

#include "cli/nginx_scopes.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- notes */

const char *comment_text(struct arena *a, struct span s)
{
    enum { SHOWN_MAX = 200 };
    size_t n = s.n < SHOWN_MAX ? s.n : SHOWN_MAX;
    char *text = arena_alloc(a, n + 4);

    for (size_t i = 0; i < n; i++)
        text[i] = s.p[i] >= ' ' && s.p[i] < 0x7F ? s.p[i] : '?';
    memcpy(text + n, n < s.n ? "..." : "", n < s.n ? 4 : 1);
    return text;
}

void add_note(struct adopted *a, struct notes *to, const struct nginx_directive *d, bool lost,
              const char *format, ...)
{
    char text[1024];
    va_list args;

    a->lost += lost;
    if (++a->note_count > NOTES_MAX)
        return;
    struct note *n = arena_new(a->arena, struct note);
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    *n = (struct note){ .file = d->file,
                        .line = d->line,
                        .text = comment_text(a->arena, span_from_text(text)),
                        .lost = lost };
    if (to->last)
        to->last->next = n;
    else
        to->first = n;
    to->last = n;
}

/* The directive as it was written, more or less. */
static const char *as_written(struct adopting *n, const struct nginx_directive *d)
{
    struct str s = str_growing();

    str_put(&s, d->name);
    for (size_t i = 0; i < d->argument_count && s.n < 200; i++)
        str_print(&s, " %.*s", SPAN_ARG(d->arguments[i]));
    if (d->block)
        str_literal(&s, " { ... }");
    const char *text = comment_text(n->a->arena, str_span(&s));
    str_free(&s);
    return text;
}

static void lose(struct adopting *n, struct scope *s, const struct nginx_directive *d,
                 const char *why)
{
    add_note(n->a, s->notes, d, true, "%s%s%s", as_written(n, d), *why ? ": " : "", why);
}

/* ---- scopes */

static struct scope *open_scope(struct adopting *n, enum scope_kind kind, struct scope *parent,
                                struct nginx_directive *d)
{
    struct scope *s = arena_new(n->a->arena, struct scope);

    *s = (struct scope){ .kind = kind,
                         .parent = parent,
                         .directive = d,
                         .notes = parent ? parent->notes : &n->a->notes,
                         .connect_ms = -1,
                         .read_ms = -1,
                         .tries = -1 };
    if (n->last)
        n->last->next = s;
    else
        n->first = s;
    n->last = s;
    d->owner = s;
    return s;
}

static void take_http(struct adopting *n, struct scope *s, struct nginx_directive *d)
{
    open_scope(n, SCOPE_HTTP, s, d);
}

static void take_server_block(struct adopting *n, struct scope *s, struct nginx_directive *d)
{
    struct scope *server = open_scope(n, SCOPE_SERVER, s, d);

    server->notes = &n->a->servers;
}

static void take_location(struct adopting *n, struct scope *s, struct nginx_directive *d)
{
    struct scope *l = open_scope(n, SCOPE_LOCATION, s, d);
    struct span modifier = d->argument_count > 1 ? d->arguments[0] : SPAN("");

    l->notes = &l->own;
    l->path = nginx_argument(d, d->argument_count > 1 ? 1 : 0);
    l->exact = span_equal(modifier, SPAN("="));
    /* "=/path" and "~regex" may be written without a blank */
    if (modifier.n == 0 && l->path.n > 1 && l->path.p[0] == '=') {
        l->exact = true;
        l->path = span_after(l->path, 1);
    }
    l->untranslated =
        l->path.n == 0 || l->path.p[0] != '/' || (modifier.n > 0 && modifier.p[0] == '~');
}

/* ---- upstreams */

enum { WEIGHT_MAX = 1000 };

static struct span lower(struct arena *a, struct span s)
{
    char *text = arena_text(a, s);

    for (size_t i = 0; i < s.n; i++)
        text[i] = ascii_lower(text[i]);
    return span_of(text, s.n);
}

static void take_upstream(struct adopting *n, struct scope *s, struct nginx_directive *d)
{
    struct scope *u = open_scope(n, SCOPE_UPSTREAM, s, d);

    u->service = arena_new(n->a->arena, struct adopted_service);
    *u->service = (struct adopted_service){ .file = d->file, .line = d->line };
    u->notes = &u->service->notes;
    u->path = lower(n->a->arena, nginx_argument(d, 0));
}

static bool take_parameter(struct span argument, struct span name, uint64_t *ret)
{
    return span_starts_with(argument, name) && span_to_u64(span_after(argument, name.n), ret) &&
           *ret > 0;
}

static void add_instance(struct adopting *n, struct scope *s, const struct nginx_directive *d,
                         unsigned weight)
{
    struct adopted_service *service = s->service;
    struct span where = d->arguments[0];
    struct adopted_instance **at = &service->instances;
    struct span behind =
        where.n > 0 && where.p[0] == '[' ? span_after(where, span_find(where, ']')) : where;
    bool whole = span_starts_with(where, SPAN("unix:")) || span_find(behind, ':') < behind.n;
    const char *address = arena_print(n->a->arena, "%.*s%s", SPAN_ARG(where),
                                      whole ? "" : ":80"); /* nginx's default */

    for (; *at; at = &(*at)->next) {
        if (strcmp((*at)->address, address) == 0) {
            lose(n, s, d, "this server is there already");
            return;
        }
    }
    *at = arena_new(n->a->arena, struct adopted_instance);
    **at = (struct adopted_instance){ .address = address, .weight = weight };
    service->instance_count++;
}

static void take_upstream_server(struct adopting *n, struct scope *s, struct nginx_directive *d)
{
    uint64_t weight = 1;

    if (d->argument_count == 0) {
        lose(n, s, d, "");
        return;
    }
    for (size_t i = 1; i < d->argument_count; i++) {
        struct span p = d->arguments[i];
        if (span_equal(p, SPAN("backup")) || span_equal(p, SPAN("down"))) {
            lose(n, s, d, "left out; every instance takes requests here");
            return;
        }
        if (!take_parameter(p, SPAN("weight="), &weight) && !span_equal(p, SPAN("max_fails=0")))
            add_note(n->a, s->notes, d, true, "%.*s of server %.*s", SPAN_ARG(p),
                     SPAN_ARG(d->arguments[0]));
    }
    if (weight > WEIGHT_MAX)
        lose(n, s, d, "weights go up to 1000 here");
    add_instance(n, s, d, weight > WEIGHT_MAX ? WEIGHT_MAX : (unsigned)weight);
}

static void take_least_conn(struct adopting *n, struct scope *s, struct nginx_directive *d)
{
    (void)n;
    (void)d;
    s->service->balance = "least-requests";
}

static void take_random(struct adopting *n, struct scope *s, struct nginx_directive *d)
{
    (void)n;
    (void)d;
    s->service->balance = "p2c";
}

static void take_hash(struct adopting *n, struct scope *s, struct nginx_directive *d)
{
    struct span key = nginx_argument(d, 0);
    struct span cookie = span_after(key, 8);
    bool plain = cookie.n > 0;

    for (size_t i = 0; i < cookie.n; i++)
        plain = plain && (ascii_digit(cookie.p[i]) || cookie.p[i] == '_' ||
                          (ascii_lower(cookie.p[i]) >= 'a' && ascii_lower(cookie.p[i]) <= 'z'));
    if (span_starts_with(key, SPAN("$cookie_")) && plain)
        s->service->balance =
            arena_print(n->a->arena, "{ hash: \"cookie:%.*s\" }", SPAN_ARG(cookie));
    else
        lose(n, s, d, "");
}

/* ---- what is inherited */

static void take_time(struct adopting *n, struct scope *s, struct nginx_directive *d,
                      int64_t *ret_ms)
{
    if (d->argument_count != 1 || !nginx_time(d->arguments[0], ret_ms))
        lose(n, s, d, "this is no time");
}

static void take_connect_timeout(struct adopting *n, struct scope *s, struct nginx_directive *d)
{
    take_time(n, s, d, &s->connect_ms);
}

static void take_read_timeout(struct adopting *n, struct scope *s, struct nginx_directive *d)
{
    take_time(n, s, d, &s->read_ms);
}

static void take_next_upstream(struct adopting *n, struct scope *s, struct nginx_directive *d)
{
    (void)n;
    s->no_retry = span_equal(nginx_argument(d, 0), SPAN("off"));
    for (size_t i = 0; i < d->argument_count; i++) {
        struct span w = d->arguments[i];
        if (!span_equal(w, SPAN("off")) && !span_equal(w, SPAN("error")) &&
            !span_equal(w, SPAN("timeout")))
            add_note(n->a, s->notes, d, true, "proxy_next_upstream %.*s", SPAN_ARG(w));
    }
}

static void take_tries(struct adopting *n, struct scope *s, struct nginx_directive *d)
{
    uint64_t tries;

    if (span_to_u64(nginx_argument(d, 0), &tries) && tries <= 100)
        s->tries = (int64_t)tries;
    else
        lose(n, s, d, "");
}

/* Relative to nginx's folder there, to the written file's here: so it is written whole. */
static void take_tls_ca(struct adopting *n, struct scope *s, struct nginx_directive *d)
{
    struct arena *arena = n->a->arena;
    struct span path = nginx_argument(d, 0);
    const char *slash = strrchr(n->a->nginx, '/');
    bool relative = slash && path.n > 0 && path.p[0] != '/';

    s->tls_ca = comment_text(
        arena,
        span_from_text(arena_print(arena, "%.*s%.*s", relative ? (int)(slash - n->a->nginx + 1) : 0,
                                   n->a->nginx, SPAN_ARG(path))));
}

static void take_tls_name(struct adopting *n, struct scope *s, struct nginx_directive *d)
{
    if (span_find(nginx_argument(d, 0), '$') < nginx_argument(d, 0).n)
        lose(n, s, d, "a variable");
    else
        s->tls_name = comment_text(n->a->arena, nginx_argument(d, 0));
}

static void take_pass(struct adopting *n, struct scope *s, struct nginx_directive *d)
{
    (void)n;
    s->pass = d;
}

/* What evenkeel tells an instance anyway (forward.c); anything else is a wish of its own. */
static void take_header(struct adopting *n, struct scope *s, struct nginx_directive *d)
{
    static const struct {
        struct span name;
        struct span values; /* between blanks; empty: any */
    } ours[] = {
        { SPAN_INIT("Host"), SPAN_INIT(" $host $http_host $host:$server_port ") },
        { SPAN_INIT("X-Real-IP"), SPAN_INIT(" $remote_addr ") },
        { SPAN_INIT("X-Forwarded-For"), SPAN_INIT(" $proxy_add_x_forwarded_for $remote_addr ") },
        { SPAN_INIT("X-Forwarded-Proto"), SPAN_INIT(" $scheme ") },
        { SPAN_INIT("X-Forwarded-Host"), SPAN_INIT(" $host $http_host ") },
        { SPAN_INIT("X-Request-Id"), SPAN_INIT(" $request_id ") },
        { SPAN_INIT("Connection"), SPAN_INIT("") },
        { SPAN_INIT("Upgrade"), SPAN_INIT("") },
    };
    struct span name = nginx_argument(d, 0);
    const char *value = arena_print(n->a->arena, " %.*s ", SPAN_ARG(nginx_argument(d, 1)));

    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        if (span_equal_nocase(ours[i].name, name) &&
            (ours[i].values.n == 0 || strstr(ours[i].values.p, value)))
            return;
    }
    lose(n, s, d, "");
}

/* ---- servers and logs */

static void take_listen(struct adopting *n, struct scope *s, struct nginx_directive *d)
{
    struct note *listen = arena_new(n->a->arena, struct note);

    *listen = (struct note){
        .file = d->file, .line = d->line, .text = as_written(n, d), .next = n->a->listens
    };
    n->a->listens = listen;
    for (size_t i = 1; i < d->argument_count; i++) {
        s->is_default |= span_equal(d->arguments[i], SPAN("default_server")) ||
                         span_equal(d->arguments[i], SPAN("default"));
        s->tls |= span_equal(d->arguments[i], SPAN("ssl"));
    }
}

static void take_names(struct adopting *n, struct scope *s, struct nginx_directive *d)
{
    if (s->names)
        lose(n, s, d, "a second server_name; only the first is taken");
    else
        s->names = d;
}

static void take_certificate(struct adopting *n, struct scope *s, struct nginx_directive *d)
{
    add_note(n->a, s->notes, d, true,
             "%s: for TLS here, write listen: { https: { address, certificate, key } }",
             as_written(n, d));
}

static void take_log_format(struct adopting *n, struct scope *s, struct nginx_directive *d)
{
    struct adopted_format *f = arena_new(n->a->arena, struct adopted_format);
    struct str text = str_growing();
    size_t first = 1;

    (void)s;
    *f = (struct adopted_format){ .file = d->file, .line = d->line, .name = nginx_argument(d, 0) };
    if (span_starts_with(nginx_argument(d, 1), SPAN("escape="))) {
        f->escape = span_after(d->arguments[1], 7);
        first = 2;
    }
    for (size_t i = first; i < d->argument_count; i++)
        str_put(&text, d->arguments[i]);
    f->text = arena_span(n->a->arena, str_span(&text));
    str_free(&text);
    f->next = n->a->formats;
    n->a->formats = f;
}

static void take_access_log(struct adopting *n, struct scope *s, struct nginx_directive *d)
{
    struct adopted_log *l = arena_new(n->a->arena, struct adopted_log);
    struct span path = nginx_argument(d, 0);

    (void)s;
    if (path.n == 0 || span_equal(path, SPAN("off")) || span_starts_with(path, SPAN("syslog:")))
        return;
    *l = (struct adopted_log){ .path = arena_text(n->a->arena, path),
                               .format = d->argument_count > 1 && span_find(d->arguments[1], '=') ==
                                                                      d->arguments[1].n
                                             ? d->arguments[1]
                                             : SPAN("combined"),
                               .next = n->a->logs };
    n->a->logs = l;
}

/* ---- rows */

enum { ANY_HTTP = SCOPE_HTTP | SCOPE_SERVER | SCOPE_LOCATION };

typedef void take_fn(struct adopting *n, struct scope *s, struct nginx_directive *d);

/* clang-format off */
static const struct row {
    struct span name;
    unsigned scopes; /* where it means this */
    take_fn *take;
} rows[] = {
    { SPAN_INIT("http"),                          SCOPE_MAIN,                  take_http },
    { SPAN_INIT("upstream"),                      SCOPE_HTTP | SCOPE_MAIN,     take_upstream }, /* a conf.d file alone has no http */
    { SPAN_INIT("server"),                        SCOPE_UPSTREAM,              take_upstream_server },
    { SPAN_INIT("server"),                        SCOPE_HTTP | SCOPE_MAIN,     take_server_block },
    { SPAN_INIT("location"),                      SCOPE_SERVER | SCOPE_LOCATION, take_location },
    { SPAN_INIT("least_conn"),                    SCOPE_UPSTREAM,              take_least_conn },
    { SPAN_INIT("random"),                        SCOPE_UPSTREAM,              take_random },
    { SPAN_INIT("hash"),                          SCOPE_UPSTREAM,              take_hash },
    { SPAN_INIT("proxy_pass"),                    SCOPE_LOCATION,              take_pass },
    { SPAN_INIT("proxy_connect_timeout"),         ANY_HTTP,                    take_connect_timeout },
    { SPAN_INIT("proxy_read_timeout"),            ANY_HTTP,                    take_read_timeout },
    { SPAN_INIT("proxy_next_upstream"),           ANY_HTTP,                    take_next_upstream },
    { SPAN_INIT("proxy_next_upstream_tries"),     ANY_HTTP,                    take_tries },
    { SPAN_INIT("proxy_ssl_trusted_certificate"), ANY_HTTP,                    take_tls_ca },
    { SPAN_INIT("proxy_ssl_name"),                ANY_HTTP,                    take_tls_name },
    { SPAN_INIT("proxy_set_header"),              ANY_HTTP,                    take_header },
    { SPAN_INIT("listen"),                        SCOPE_SERVER,                take_listen },
    { SPAN_INIT("server_name"),                   SCOPE_SERVER,                take_names },
    { SPAN_INIT("ssl_certificate"),               SCOPE_HTTP | SCOPE_SERVER,   take_certificate },
    { SPAN_INIT("log_format"),                    SCOPE_HTTP | SCOPE_MAIN,     take_log_format },
    { SPAN_INIT("access_log"),                    ANY_HTTP | SCOPE_MAIN,       take_access_log },
};

/* About nginx's own process, files and sockets, or done here without being asked: named once at the top. */
static const char own[] =
    " user worker_processes worker_rlimit_nofile worker_cpu_affinity worker_priority pid lock_file error_log events "
    "load_module daemon master_process pcre_jit thread_pool env timer_resolution include "
    "sendfile sendfile_max_chunk tcp_nopush tcp_nodelay aio directio output_buffers keepalive_timeout keepalive_requests "
    "keepalive_time keepalive keepalive_disable zone types types_hash_max_size types_hash_bucket_size default_type "
    "server_tokens server_names_hash_bucket_size server_names_hash_max_size variables_hash_max_size "
    "variables_hash_bucket_size map_hash_bucket_size map_hash_max_size proxy_headers_hash_max_size "
    "proxy_headers_hash_bucket_size reset_timedout_connection open_file_cache open_file_cache_valid "
    "open_file_cache_min_uses open_file_cache_errors resolver resolver_timeout charset log_not_found log_subrequest "
    "client_body_buffer_size client_header_buffer_size large_client_header_buffers client_body_temp_path "
    "proxy_temp_path proxy_http_version proxy_buffering proxy_buffers proxy_buffer_size proxy_busy_buffers_size "
    "proxy_request_buffering proxy_max_temp_file_size proxy_temp_file_write_size proxy_socket_keepalive "
    "ssl_certificate_key ssl_protocols ssl_ciphers ssl_prefer_server_ciphers ssl_session_cache ssl_session_timeout "
    "ssl_session_tickets ssl_dhparam ssl_ecdh_curve ssl_stapling ssl_stapling_verify ssl_buffer_size http2 "
    "proxy_ssl_server_name proxy_ssl_session_reuse proxy_ssl_protocols proxy_ssl_ciphers proxy_ssl_verify "
    "proxy_ssl_verify_depth ";
/* clang-format on */

static bool has_word(const char *words, const char *word)
{
    size_t n = strlen(word);

    for (const char *at = words; (at = strstr(at, word)); at += n) {
        if (at > words && at[-1] == ' ' && (at[n] == ' ' || at[n] == ','))
            return true;
    }
    return false;
}

static bool take_own(struct adopting *n, const struct nginx_directive *d)
{
    const char *name = arena_text(n->a->arena, d->name);
    struct str *named = &n->a->own;

    if (memchr(d->name.p, ' ', d->name.n) || !has_word(own, name))
        return false;
    /* " a, b," so that each is found by has_word() */
    if (named->n == 0 || !has_word(str_cstr(named), name))
        str_print(named, " %s,", name);
    return true;
}

static struct scope *scope_of(const struct nginx_directive *d)
{
    const struct nginx_directive *up = nginx_parent(d);

    while (up && !up->owner)
        up = nginx_parent(up);
    return up ? up->owner : NULL;
}

/* Whether what is inside has been dealt with. */
static bool take_directive(struct adopting *n, struct nginx_directive *d)
{
    struct scope *s = scope_of(d);

    if (span_equal(d->name, SPAN("include")) && !d->block)
        return false;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!(rows[i].scopes & s->kind) || !span_equal(rows[i].name, d->name))
            continue;
        rows[i].take(n, s, d);
        return d->block && !d->owner;
    }
    if (!take_own(n, d))
        lose(n, s, d, "");
    return true;
}

void nginx_adopt(struct adopted *a, struct nginx_tree *tree)
{
    struct adopting n = { .a = a };
    struct nginx_directive *top = &tree->root;
    bool skip = false;

    open_scope(&n, SCOPE_MAIN, NULL, top);
    for (struct nginx_directive *d = top; (d = nginx_next(top, d, skip));)
        skip = take_directive(&n, d);
    nginx_routes(&n);
}
