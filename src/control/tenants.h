/* SPDX-License-Identifier: Apache-2.0 */
/* tenants.h - which tenants have a value of their own: those that come most often, DIMENSION_VALUES at most, the same in all journeys.
 * As long as there is room whoever is seen gets one within a second. After that a newcomer has to come clearly more often than the
 * rarest that has one: twice as often and TENANT_CLEARLY times more, in what was sampled of the last minutes. The count of a tenant is exact from
 * the moment on that he has a value; before and afterwards his requests are `other`.
 * A value changes hands in three steps, each a table (bus/tenant_table.h) that every reactor has to take first: its tenant has none; his counts
 * become `other`; another has it.
 * Owned by control. Next: dimensions.h. */
#ifndef EK_CONTROL_TENANTS_H
#define EK_CONTROL_TENANTS_H

#include "bus/tenant_table.h"
#include "control/dimensions.h"

enum {
    TENANT_CLEARLY = 16,
    TENANTS_LEAVE_AT_ONCE = 8, /* more wait for the next tick */
    TENANT_TABLES_MAX = 4,     /* that some reactor may still use; then publishing waits */
    TENANT_LABEL = HEAVY_TEXT + 1,
};
#define TENANTS_HALVE_EVERY (300 * NS_PER_S)

enum tenant_state { TENANT_FREE, TENANT_HERE, TENANT_LEAVING };

struct tenant {
    enum tenant_state state;
    struct heavy_text text;
    uint64_t left; /* LEAVING: first generation without him */
};

struct tenants {
    struct tenant_reader *readers; /* one per worker, in their order */
    size_t reader_count;
    const struct tenant_table *_Atomic newest;
    struct tenant_table *held[TENANT_TABLES_MAX]; /* oldest first; the last is the newest */
    size_t held_count;
    uint64_t generation;
    struct heavy *seen; /* some 36 KiB */
    struct tenant list[DIMENSION_VALUES];
    ns_t halved;
};

void tenants_open(struct tenants *t, size_t workers, uint64_t key);
void tenants_close(struct tenants *t);

/* About each second. True: there is a new table, and the reactors are to be woken. */
bool tenants_tick(struct tenants *t, struct dimensions *d, const struct book *b, ns_t now,
                  int64_t unix_now);

/* How a tenant may be told: by name, or by the keyed hash that the access log has, when the log may not name him (log.redact) or
 * the name is too long or no UTF-8. */
struct span tenant_label(const struct config *c, uint64_t key, const struct dimension_row *r,
                         char buffer[TENANT_LABEL]);

#endif
