/* SPDX-License-Identifier: Apache-2.0 */
/* page_unclaimed.c - the dashboard's line about requests that no journey takes; only when there are some. */
#include "control/control.h"
#include "control/page.h"

void page_write_unclaimed(struct control *c, struct str *out)
{
    struct unclaimed *u = &c->unclaimed;

    unclaimed_drain(u);
    uint64_t requests = u->groups->requests + unclaimed_lost(u);
    if (requests == 0)
        return;
    str_print(
        out,
        "<p>%lu request%s since the start of this node %s taken by no journey. "
        "<a href=\"/api/v1/unclaimed\">Their paths, and journeys that would take them</a></p>",
        (unsigned long)requests, requests == 1 ? "" : "s", requests == 1 ? "was" : "were");
}
