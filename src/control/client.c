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

static void set_up(CURL *curl, const char *url, struct str *body)
{
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*"); /* loopback: no proxy of the environment */
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
}

static err perform(CURL *curl, const char *url, unsigned *ret_status)
{
    long status = 0;
    CURLcode failed = curl_easy_perform(curl);

    if (failed)
        return err_make("no evenkeel answers at %s: %s; is it running? --admin HOST:PORT names "
                        "another admin address",
                        url, curl_easy_strerror(failed));
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    *ret_status = (unsigned)status;
    return OK;
}

static err first_line(const char *url, unsigned status, const struct str *body)
{
    return err_make("%s answered %u: %.*s", url, status, (int)span_find(str_span(body), '\n'),
                    body->p ? body->p : "");
}

err client_get(const char *admin, const char *path, struct str *ret_body)
{
    char url[512];
    unsigned status = 0;
    CURL *curl = curl_easy_init();

    *ret_body = str_growing();
    if (!curl)
        return err_make("libcurl cannot be used");
    snprintf(url, sizeof(url), "http://%s%s", admin, path);
    set_up(curl, url, ret_body);
    err e = perform(curl, url, &status);
    curl_easy_cleanup(curl);
    return e.failed || status == 200 ? e : first_line(url, status, ret_body);
}

err client_tell(const char *admin, const char *method, const char *path, const char *json,
                unsigned *ret_status, struct str *ret_body)
{
    char url[512];
    CURL *curl = curl_easy_init();
    struct curl_slist *fields = curl_slist_append(NULL, "Content-Type: application/json");

    *ret_body = str_growing();
    if (!curl || !fields)
        return err_make("libcurl cannot be used");
    snprintf(url, sizeof(url), "http://%s%s", admin, path);
    set_up(curl, url, ret_body);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, json ? json : "");
    err e = perform(curl, url, ret_status);
    curl_slist_free_all(fields);
    curl_easy_cleanup(curl);
    return e.failed || *ret_status < 500 ? e : first_line(url, *ret_status, ret_body);
}
