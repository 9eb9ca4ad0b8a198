/* SPDX-License-Identifier: Apache-2.0 */
/* client.c - one GET with libcurl. */
#include "control/client.h"

#include <curl/curl.h>
#include <stdio.h>

enum { TIMEOUT_S = 10, BODY_MAX = 64 << 20 }; /* 1000 journeys come to about 1 MiB */

static size_t take(char *bytes, size_t size, size_t count, void *body)
{
    struct str *s = body;

    if (s->n + size * count > BODY_MAX)
        return 0;
    str_put(s, span_of(bytes, size * count));
    return size * count;
}

static err perform(CURL *curl, const char *url, struct str *body)
{
    long status = 0;

    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*"); /* loopback: no proxy of the environment */
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    CURLcode failed = curl_easy_perform(curl);
    if (failed)
        return err_make("no evenkeel answers at %s: %s; is it running? --admin HOST:PORT names "
                        "another admin address",
                        url, curl_easy_strerror(failed));
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200)
        return err_make("%s answered %ld: %.*s", url, status, (int)span_find(str_span(body), '\n'),
                        body->p);
    return OK;
}

err client_get(const char *admin, const char *path, struct str *ret_body)
{
    char url[512];
    CURL *curl = curl_easy_init();

    *ret_body = str_growing();
    if (!curl)
        return err_make("libcurl cannot be used");
    snprintf(url, sizeof(url), "http://%s%s", admin, path);
    err e = perform(curl, url, ret_body);
    curl_easy_cleanup(curl);
    return e;
}
