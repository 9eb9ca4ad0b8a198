/* SPDX-License-Identifier: Apache-2.0 */
/* ending.h - how an exchange can end: answered, or one row per reason why not.
 * The code goes into the answer, the metrics and the log; it never names an instance. */
#ifndef EK_PLANE_HTTP_ENDING_H
#define EK_PLANE_HTTP_ENDING_H

#include "core/verdict.h"
#include "proto/http1.h"

/* clang-format off */
#define ENDINGS(X) \
    /* code               status that the client gets while no head has gone down (0: none ever), cause for the verdict, words */ \
    X(no_route,           404, MALFORMED,      "no route leads there") \
    X(header_timeout,     408, MALFORMED,      "the request's head took too long") \
    X(body_timeout,       408, MALFORMED,      "the request's body stopped coming") \
    X(body_too_slow,      408, MALFORMED,      "the request's body came too slowly") \
    X(misdirected,        421, MALFORMED,      "the certificate of this connection does not speak for that host") \
    X(client_gone,        0,   CLIENT_GONE,    "the client left before the answer was complete") \
    X(client_stalled,     0,   CLIENT_GONE,    "the client stopped reading the answer") \
    X(overloaded,         503, REFUSED,        "too much is under way here") \
    X(cut_off,            503, REFUSED,        "this node is stopping") \
    X(no_instance,        503, CONNECT_FAILED, "no instance takes connections") \
    X(connect_failed,     502, CONNECT_FAILED, "no connection to an instance could be made") \
    X(connect_timeout,    504, TIMEOUT,        "an instance did not take the connection in time") \
    X(instance_tls,       502, CONNECT_FAILED, "an instance's certificate could not be verified, or it speaks no TLS") \
    X(head_timeout,       504, TIMEOUT,        "the instance did not begin to answer in time") \
    X(deadline,           504, TIMEOUT,        "no answer began before the request's deadline") \
    X(request_stalled,    504, TIMEOUT,        "the instance stopped taking the request") \
    X(answer_stalled,     504, TIMEOUT,        "the instance stopped in the middle of its answer") \
    X(instance_closed,    502, ANSWER_BROKEN,  "the instance closed the connection without an answer") \
    X(answer_malformed,   502, ANSWER_BROKEN,  "the instance's answer is not correct HTTP") \
    X(answer_too_large,   502, ANSWER_BROKEN,  "the head of the instance's answer is too large") \
    X(answer_broken,      502, ANSWER_BROKEN,  "the instance broke off in the middle of its answer")
/* clang-format on */

enum ending {
    ENDING_answered, /* whatever the status: it was passed on whole */
#define X(code, status, cause, words) ENDING_##code,
    ENDINGS(X)
#undef X
        ENDING_COUNT_OWN,
    /* reasons of the HTTP/1 parser follow, one to one */
    ENDING_HTTP1 = ENDING_COUNT_OWN,
    ENDING_COUNT = ENDING_HTTP1 + HTTP1_REASON_COUNT,
};

static inline enum ending ending_of_http1(enum http1_reason r)
{
    return (enum ending)(ENDING_HTTP1 + r);
}

const char *ending_code(enum ending e);
unsigned ending_status(enum ending e); /* 0: no answer can be given any more */
enum verdict_cause ending_cause(enum ending e);
const char *ending_words(enum ending e);

/* The instance is to blame. */
static inline bool ending_by_instance(enum ending e)
{
    enum verdict_cause c = ending_cause(e);
    return c == CAUSE_CONNECT_FAILED || c == CAUSE_TIMEOUT || c == CAUSE_ANSWER_BROKEN;
}

#endif
