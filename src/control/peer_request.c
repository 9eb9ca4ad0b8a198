/* SPDX-License-Identifier: Apache-2.0 */
/* peer_request.c - see peer_request.h. */
#include "control/peer_request.h"

#include "base/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { TOKEN_MAX = 4096 };

static size_t take(char *bytes, size_t size, size_t count, void *request)
{
    struct peer_request *r = request;

    r->too_long |= r->body.n + size * count > r->body_max;
    if (r->too_long)
        return 0; /* anything but the number of bytes ends the transfer */
    str_put(&r->body, span_of(bytes, size * count));
    return size * count;
}

static err read_token_file(const char *path, char ret_token[TOKEN_MAX])
{
    FILE *f = fopen(path, "re");

    if (!f)
        return err_system(errno, "cannot read the token %s", path);
    size_t n = fread(ret_token, 1, TOKEN_MAX - 1, f);
    fclose(f);
    while (n > 0 && (ret_token[n - 1] == '\n' || ret_token[n - 1] == '\r'))
        n--;
    ret_token[n] = '\0';
    return OK;
}

static err add_token(struct peer_request *r, const struct peer_target *t)
{
    char token[TOKEN_MAX] = "";
    char line[TOKEN_MAX + 32];

    curl_slist_free_all(r->fields);
    r->fields = NULL;
    if (t->token_file.n) {
        TRY(read_token_file(t->token_file.p, token));
    } else if (t->token_env.n) {
        const char *value = getenv(t->token_env.p);
        snprintf(token, sizeof(token), "%s", value ? value : "");
    } else {
        return OK;
    }
    for (const char *s = token; *s; s++) {
        if (*s <= ' ' || *s > '~')
            return err_make("the token for %s is none: it has blanks or control characters",
                            t->url.p);
    }
    if (!token[0])
        return err_make("the token for %s is empty", t->url.p);
    snprintf(line, sizeof(line), "Authorization: Bearer %s", token);
    r->fields = curl_slist_append(NULL, line);
    check(r->fields != NULL);
    return OK;
}

void peer_request_open(struct peer_request *r, const struct peer_target *t, struct span path,
                       long timeout_ms, size_t body_max, void (*done)(struct peer_request *, err))
{
    struct str url = str_growing();

    *r = (struct peer_request){
        .easy = curl_easy_init(), .body = str_growing(), .body_max = body_max, .done = done
    };
    check(r->easy != NULL);
    str_print(&url, "%s%.*s", t->url.p, SPAN_ARG(path));
    curl_easy_setopt(r->easy, CURLOPT_URL, str_cstr(&url));
    str_free(&url);
    curl_easy_setopt(r->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(r->easy, CURLOPT_NOPROXY,
                     "*"); /* nodes are near: no proxy of the environment */
    curl_easy_setopt(r->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(r->easy, CURLOPT_TIMEOUT_MS, timeout_ms);
    if (t->ca.n)
        curl_easy_setopt(r->easy, CURLOPT_CAINFO, t->ca.p);
    curl_easy_setopt(r->easy, CURLOPT_WRITEFUNCTION, take);
    peer_request_place(r);
}

void peer_request_place(struct peer_request *r)
{
    curl_easy_setopt(r->easy, CURLOPT_WRITEDATA, r);
    curl_easy_setopt(r->easy, CURLOPT_ERRORBUFFER, r->why);
    curl_easy_setopt(r->easy, CURLOPT_PRIVATE, r);
}

err peer_request_begin(struct peer_request *r, const struct peer_target *t, CURLM *multi)
{
    str_free(&r->body);
    r->body = str_growing();
    r->why[0] = '\0';
    r->too_long = false;
    TRY(add_token(r, t));
    curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, r->fields);
    CURLMcode failed = curl_multi_add_handle(multi, r->easy);
    if (failed)
        return err_make("libcurl: %s", curl_multi_strerror(failed));
    r->asking = true;
    return OK;
}

static err how_it_ended(const struct peer_request *r, CURLcode failed)
{
    long status = 0;

    if (r->too_long)
        return r->body_max >= 1 << 20
                   ? err_make("its answer is longer than %zu MiB", r->body_max >> 20)
                   : err_make("its answer is longer than %zu KiB", r->body_max >> 10);
    if (failed)
        return err_make("%s", r->why[0] ? r->why : curl_easy_strerror(failed));
    curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200)
        return err_make("it answered %ld%s", status,
                        status == 404   ? ": is it an older version?"
                        : status == 401 ? ": it asks for another token"
                        : status == 403 ? ": does its admin.hosts know this name?"
                                        : "");
    return OK;
}

void peer_requests_end(CURLM *multi)
{
    int left;

    for (CURLMsg *m = curl_multi_info_read(multi, &left); m;
         m = curl_multi_info_read(multi, &left)) {
        struct peer_request *r = NULL;
        CURLcode failed = m->data.result; /* gone with the handle */
        if (m->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &r);
        curl_multi_remove_handle(multi, r->easy);
        r->asking = false;
        r->done(r, how_it_ended(r, failed));
    }
}

void peer_request_close(struct peer_request *r, CURLM *multi)
{
    if (r->asking)
        curl_multi_remove_handle(multi, r->easy);
    curl_easy_cleanup(r->easy);
    curl_slist_free_all(r->fields);
    str_free(&r->body);
}
