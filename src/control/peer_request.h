/* SPDX-License-Identifier: Apache-2.0 */
/* peer_request.h - one GET to another node: libcurl's handle, the token, and what came. Belongs to the puller's thread.
 * Always: an answer's size and time are bounded; whoever asks is told exactly once how it ended.
 * Manual: libcurl-multi(3), CURLOPT_WRITEFUNCTION(3). Next: peer_puller.c, peer_inquiry.c, which ask. */
#ifndef EK_CONTROL_PEER_REQUEST_H
#define EK_CONTROL_PEER_REQUEST_H

#include "base/err.h"
#include "base/str.h"

#include <curl/curl.h>

/* Where and how to ask. Texts are terminated; empty: none. */
struct peer_target {
    uint32_t id; /* the same as long as the rest is */
    struct span url, ca, token_file, token_env;
};

struct peer_request {
    CURL *easy;
    struct curl_slist *fields;
    struct str body;
    size_t body_max;
    char why[CURL_ERROR_SIZE];
    bool asking;
    bool too_long;
    /* It is over: whole and 200, or `e` says why not. May close it. */
    void (*done)(struct peer_request *r, err e);
};

/* `path` begins with a slash, `done` is called after peer_request_begin() only. */
void peer_request_open(struct peer_request *r, const struct peer_target *t, struct span path,
                       long timeout_ms, size_t body_max, void (*done)(struct peer_request *, err));

/* After it was moved in memory; also while it is under way. */
void peer_request_place(struct peer_request *r);

/* `t` is needed until this returns; the token is read each time anew, so that it may be changed under us. */
err peer_request_begin(struct peer_request *r, const struct peer_target *t, CURLM *multi);

/* Those of `multi` that are over. */
void peer_requests_end(CURLM *multi);

/* Nobody is told. */
void peer_request_close(struct peer_request *r, CURLM *multi);

#endif
