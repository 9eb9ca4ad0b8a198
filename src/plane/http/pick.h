/* SPDX-License-Identifier: Apache-2.0 */
/* pick.h - which instance of a service gets a request. */
#ifndef EK_PLANE_HTTP_PICK_H
#define EK_PLANE_HTTP_PICK_H

#include "plane/http/exchange.h"

/* The next instance in turn that accepts connections and was not tried for this exchange. When none
 * accepts, one that does not is tried all the same: a guess is better than a sure refusal. NULL: all
 * were tried. Adds it to x->tried. */
const struct instance *pick_instance(struct exchange *x);

/* The instance refused, or took, a connection: leave it alone for a while, or not any more. Tells
 * control, which tells the other reactors. */
void pick_refused(struct http_edge *e, const struct instance *i);
void pick_accepts(struct http_edge *e, const struct instance *i);

/* By mail from control: another reactor found out. until = 0: it accepts again. */
void pick_avoid(struct http_edge *e, uint32_t instance_id, uint32_t slots, ns_t until);

#endif
