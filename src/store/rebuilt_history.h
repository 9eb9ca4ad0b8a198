/* SPDX-License-Identifier: Apache-2.0 */
/* rebuilt_history.h - inside the store: a version's history, made from that of another which counts the same answers by other
 * objectives (core/rebuild.h). Rows are put at the ends of the histograms' slots of five minutes, or, when no histogram is
 * needed, where the other version has rows.
 * Next: catalog.h, which says when this is done. */
#ifndef EK_STORE_REBUILT_HISTORY_H
#define EK_STORE_REBUILT_HISTORY_H

#include "core/rebuild.h"
#include "store/catalog.h"

/* The version that was last in force among those that count the same answers. */
struct rebuild_source {
    uint32_t id; /* 0: there is none */
    uint32_t bins;
    uint32_t
        follows; /* before its begin that one was in force, with which it could not go on; 0: none */
    unsigned objectives;
    ns_t under[OBJECTIVES_MAX];
};

/* How many versions may follow one upon the other without going on with each other's counts, until what lies before is left
 * out: each takes a reload with a threshold that is no edge. */
enum { REBUILD_CHAIN_MAX = 16 };

/* Within a transaction. From the begin of the oldest source's history on, or of its histograms where they are needed and begin
 * later, what `to` had counted is replaced; what it had before stays. `chain`: the version that was in force last, then the
 * one that it follows, and so on; each with its plan. */
struct rebuild_link {
    struct rebuild_source from;
    struct rebuild_plan plan;
};
err rebuild_history(struct store *s, const struct rebuild_link *chain, unsigned count,
                    const struct journey_version *to);

#endif
