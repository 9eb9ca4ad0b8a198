/* SPDX-License-Identifier: Apache-2.0 */
/* access.h - who may do what on the admin address: by the Host that a request names, by its token or its session.
 * Always: without tokens everything is allowed, and then the address is this machine's own (config_admin.c sees to that);
 * /healthz, /readyz and the files of the page need neither. Used in control's thread only.
 * Next: secrets.h, wrong_tokens.h, sessions.h; api.c, which asks for every request. */
#ifndef EK_CONTROL_ACCESS_H
#define EK_CONTROL_ACCESS_H

#include "control/wrong_tokens.h"
#include "control/secrets.h"
#include "control/sessions.h"
#include "proto/http.h"

enum access_right {
    ACCESS_NONE,
    ACCESS_VIEW,
    ACCESS_OPERATE,
};

struct access {
    struct admin_tokens tokens; /* in force */
    struct wrong_tokens wrong;
    struct sessions sessions;
    uint64_t refused; /* tokens that were not right, since the start */
};

/* A request that shows something, and who it is from. */
struct access_question {
    const struct http_head *head;
    const struct address *peer;
    bool secure; /* came with TLS */
    ns_t now;
};

/* What a request is allowed, or why it is nothing. */
struct access_answer {
    enum access_right right;
    bool session;         /* by a cookie: a browser */
    unsigned status;      /* 401 or 429; 0: nothing is wrong with what it shows, if anything */
    const char *reason;   /* a word for programs, with a status */
    const char *text;     /* a sentence */
    const char *error;    /* of RFC 6750 section 3.1, or NULL */
    unsigned retry_after; /* seconds, with 429 */
};

/* The name of the session's cookie: with TLS one that no other host can set (RFC 6265bis, "__Host-"). */
struct span access_cookie(bool secure);

/* The Host that a request names is this node: this machine, one of admin.hosts, or, when the address is not only this machine's,
 * any address in digits. Anything else is a name that somebody else may have pointed here (DNS rebinding). Without a Host it is
 * HTTP/1.0, and no browser. */
bool access_host_known(const struct config *c, const struct http_head *h);

struct access_answer access_judge(struct access *a, const struct access_question *q);

/* The same for a token that a person has typed. */
struct access_answer access_judge_token(struct access *a, const struct access_question *q,
                                        struct span token);

/* A configuration comes into force: sessions whose token is another now end. True: a token is another, or none is asked
 * for any more. */
bool access_adopt(struct access *a, const struct config *c);

#endif
