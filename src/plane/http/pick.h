/* SPDX-License-Identifier: Apache-2.0 */
/* pick.h - which instance of a service gets a request, and what is learned from how it went.
 * An instance can be used when it is not drained, its active checks are good (control says so in its page)
 * and it is not ejected. When fewer than half of those that are not drained can be used, all of them are:
 * then it is likelier that our judgement is wrong than that all of them are (panic).
 * What comes back begins slowly, but helps at once where the others overflow; one that was ejected because it was full itself
 * comes back when it has answered half of what waited there.
 * Always: what this reactor learns it acts on at once and tells control, whose word the others hear. A
 * service in observe mode learns the same, counts what it would have done, and goes on in turn. */
#ifndef EK_PLANE_HTTP_PICK_H
#define EK_PLANE_HTTP_PICK_H

#include "plane/http/exchange.h"

enum pick_for {
    PICK_FIRST, /* the first try */
    PICK_OTHER, /* nothing was sent to the ones tried: if need be one that cannot be used is tried */
    PICK_RETRY, /* something was: only one that can be used is worth it */
};

/* One that was not tried for this exchange; NULL: there is none. Adds it to x->tried. */
const struct instance *pick_instance(struct exchange *x, enum pick_for why);

/* Whether PICK_RETRY would find one now. */
bool pick_has_other(struct exchange *x);

/* ---- how it went with x->instance */

/* It took no connection. Ejected at once. */
void pick_refused(struct exchange *x);
/* It failed the request: a 5xx, no answer in time, or a broken one. */
void pick_failed(struct exchange *x);
/* It has the request; its answer begins (`heard`), or nothing is waited for any more. */
void pick_asked(struct exchange *x);
void pick_heard(struct exchange *x, bool heard);
/* Its answer began well, which says how fast it is. */
void pick_began(struct exchange *x);
/* It answered well, to the end; a stream did when it began. */
void pick_answered(struct exchange *x);
/* It wants to be left alone for a while: Retry-After in an answer that is a failure. */
void pick_retry_after(struct exchange *x, ns_t wait);

struct service_state *pick_service(struct http_edge *e, const struct service *s);

#endif
