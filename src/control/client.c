/* SPDX-License-Identifier: Apache-2.0 */
/* client.c - one question with libcurl. Manual: libcurl-easy(3). */
#include "control/client.h"

#include "io/address.h"

#include <curl/curl.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    TIMEOUT_S = 10,
    BODY_MAX = 64 << 20, /* 1000 journeys come to about 1 MiB */
    TOKEN_MAX = 1024,
    URL_MAX = 1024,
};

static const char *token_file;
static const char *ca_file;

void client_use_token_file(const char *path)
{
    token_file = path;
}

void client_use_ca(const char *path)
{
    ca_file = path;
}

/* ---- where */

struct target {
    char url[URL_MAX];
    const char *socket; /* path of a unix socket, or NULL */
    bool tls;
    bool near; /* what goes there does not leave this machine */
};

static bool is_near(struct span authority)
{
    struct address a;
    struct span name = span_of(authority.p, span_find(authority, ':'));

    if (span_equal_nocase(name, SPAN("localhost")))
        return true;
    if (!address_parse(authority, &a) && !address_parse_host(authority, &a))
        return false;
    return address_loopback(&a);
}

static err find_target(const char *admin, const char *path, struct target *ret)
{
    struct span text = span_from_text(admin);
    bool https = span_starts_with(text, SPAN("https://"));
    bool http = span_starts_with(text, SPAN("http://"));
    bool local = span_starts_with(text, SPAN("unix:"));
    struct span authority = span_after(text, https ? 8 : http ? 7 : 0);

    while (authority.n > 0 && authority.p[authority.n - 1] == '/')
        authority.n--;
    if (authority.n == 0 || span_find(authority, '@') < authority.n)
        return err_make("--admin %s: host:port was expected, or a URL such as "
                        "https://node3.internal:9900",
                        admin);
    *ret = (struct target){ .socket = local ? admin + 5 : NULL,
                            .tls = https || (ca_file && !http && !local),
                            .near = local || is_near(authority) };
    if (local)
        authority = SPAN("localhost");
    snprintf(ret->url, sizeof(ret->url), "%s://%.*s%s", ret->tls ? "https" : "http",
             SPAN_ARG(authority), path);
    return OK;
}

/* ---- the token */

static err read_token(char ret[TOKEN_MAX])
{
    const char *env = getenv(CLIENT_TOKEN_ENV);

    ret[0] = '\0';
    if (!token_file) {
        snprintf(ret, TOKEN_MAX, "%s", env ? env : "");
        return OK;
    }
    FILE *f = fopen(token_file, "re");
    if (!f)
        return err_system(errno, "cannot read the token %s", token_file);
    size_t n = fread(ret, 1, TOKEN_MAX - 1, f);
    fclose(f);
    while (n > 0 && (ret[n - 1] == '\n' || ret[n - 1] == '\r'))
        n--;
    ret[n] = '\0';
    return n ? OK : err_make("the token %s is empty", token_file);
}

static err add_token(const struct target *t, struct curl_slist **fields)
{
    char token[TOKEN_MAX] = "";
    char line[TOKEN_MAX + 32];

    TRY(read_token(token));
    if (!token[0])
        return OK;
    if (!t->tls && !t->near)
        return err_make("the token would go over the network in the clear to %s: say --admin "
                        "https://HOST:PORT",
                        t->url);
    for (const char *s = token; *s; s++) {
        if (*s <= ' ' || *s > '~')
            return err_make("the token is none: it has blanks or control characters");
    }
    snprintf(line, sizeof(line), "Authorization: Bearer %s", token);
    *fields = curl_slist_append(*fields, line);
    return OK;
}

/* ---- asking */

static size_t take(char *bytes, size_t size, size_t count, void *body)
{
    struct str *s = body;

    if (s->n + size * count > BODY_MAX)
        return 0;
    str_put(s, span_of(bytes, size * count));
    return size * count;
}

static void set_up(CURL *curl, const struct target *t, struct curl_slist *fields, struct str *body)
{
    curl_easy_setopt(curl, CURLOPT_URL, t->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*"); /* nodes are near: no proxy of the environment */
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    if (t->socket)
        curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, t->socket);
    if (ca_file)
        curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file);
}

/* What a failure means here, and what helps. */
static err explain(const struct target *t, CURLcode failed, const char *detail)
{
    const char *words = *detail ? detail : curl_easy_strerror(failed);

    switch (failed) {
    case CURLE_PEER_FAILED_VERIFICATION:
        return err_make("the certificate of %s is not good: %s; --ca FILE names who vouches for it",
                        t->url, words);
    case CURLE_SSL_CACERT_BADFILE: return err_make("--ca %s cannot be used: %s", ca_file, words);
    case CURLE_SSL_CONNECT_ERROR:
        return err_make("%s does not speak TLS as we do: %s; without TLS it is http://", t->url,
                        words);
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
        return err_make("%s does not answer in HTTP: %s%s", t->url, words,
                        t->tls ? "" : "; with TLS it is --admin https://HOST:PORT");
    default:
        return err_make("no evenkeel answers at %s: %s; is it running? --admin HOST:PORT names "
                        "another admin address",
                        t->url, words);
    }
}

static err first_line(const char *url, unsigned status, const struct str *body)
{
    return err_make("%s answered %u: %.*s", url, status, (int)span_find(str_span(body), '\n'),
                    body->p ? body->p : "");
}

/* The sentence of an answer that is a refusal. */
static err refusal(const struct target *t, unsigned status, const struct str *body)
{
    json_t *o = json_loadb(body->p ? body->p : "", body->n, 0, NULL);
    const char *text = json_string_value(json_object_get(o, "error"));
    err e =
        !text ? first_line(t->url, status, body)
        : status == 401
            ? err_make("%s: %s; --token-file FILE or " CLIENT_TOKEN_ENV " gives ours", t->url, text)
            : err_make("%s: %s", t->url, text);
    json_decref(o);
    return e;
}

static err perform(CURL *curl, const struct target *t, unsigned *ret_status, struct str *body)
{
    char detail[CURL_ERROR_SIZE] = "";
    long status = 0;

    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
    CURLcode failed = curl_easy_perform(curl);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
    if (failed)
        return explain(t, failed, detail);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    *ret_status = (unsigned)status;
    return status == 401 || status == 429 ? refusal(t, (unsigned)status, body) : OK;
}

/* `method` NULL: GET. */
static err ask(const char *admin, const char *method, const char *path, const char *json,
               unsigned *ret_status, struct str *ret_body)
{
    struct target t = {};
    struct curl_slist *fields = NULL;

    *ret_body = str_growing();
    TRY(find_target(admin, path, &t));
    TRY(add_token(&t, &fields));
    CURL *curl = curl_easy_init();
    if (method)
        fields = curl_slist_append(fields, "Content-Type: application/json");
    if (!curl)
        return err_make("libcurl cannot be used");
    set_up(curl, &t, fields, ret_body);
    if (method) {
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, json ? json : "");
    }
    err e = perform(curl, &t, ret_status, ret_body);
    curl_slist_free_all(fields);
    curl_easy_cleanup(curl);
    if (!e.failed && (method ? *ret_status >= 500 : *ret_status != 200))
        e = *ret_status == 403 ? refusal(&t, *ret_status, ret_body)
                               : first_line(t.url, *ret_status, ret_body);
    return e;
}

err client_get(const char *admin, const char *path, struct str *ret_body)
{
    unsigned status = 0;

    return ask(admin, NULL, path, NULL, &status, ret_body);
}

err client_tell(const char *admin, const char *method, const char *path, const char *json,
                unsigned *ret_status, struct str *ret_body)
{
    return ask(admin, method, path, json, ret_status, ret_body);
}
