/* SPDX-License-Identifier: Apache-2.0 */
/* value_slots.h - where a request counts besides its journey's own counters: once in each dimension, under one value of it.
 * One-way: journey x value, never two dimensions crossed, so that the number of counters is the sum and not the product.
 * Always: the values of a dimension, `none` and `other` included, add up to the journey's own counters of the same outcome. A value has
 * DIMENSION_OUTCOMES counters in the order of enum outcome; what is kept here is the slot of the first.
 * Part of a configuration, made by control/dimensions.c, which hands the slots out; nothing of it changes after publication. */
#ifndef EK_BUS_VALUE_SLOTS_H
#define EK_BUS_VALUE_SLOTS_H

#include <stdint.h>

/* clang-format off */
#define DIMENSIONS(X) \
    /* name      word */ \
    X(INSTANCE, "instance") /* that was asked last */ \
    X(RELEASE,  "release")  /* of that instance, as configured */ \
    X(STATUS,   "status")   /* class of the answer's status */ \
    X(REASON,   "reason")   /* how the exchange ended */ \
    X(TENANT,   "tenant")   /* that identity.tenant finds */
/* clang-format on */

enum dimension {
#define X(name, word) DIMENSION_##name,
    DIMENSIONS(X)
#undef X
        DIMENSION_COUNT,
};

enum {
    DIMENSION_VALUES = 64,  /* with a name, of one dimension of one journey; the rest is `other` */
    DIMENSION_OUTCOMES = 4, /* good, slow, failed, excluded */
};

/* Of one instance, within one journey. */
struct value_slots {
    uint32_t instance;
    uint32_t release;
};

struct journey_dimensions {
    uint64_t assignment;      /* which one made it; later ones have larger numbers */
    uint32_t status;          /* CODE_CLASSES values */
    uint32_t reason;          /* ENDING_COUNT values */
    struct value_slots none;  /* no instance was asked; it has no release */
    struct value_slots other; /* those that have no value of their own */
    uint32_t tenant_none;     /* nobody is named */
    /* 1 + DIMENSION_VALUES values by tenant_see(), those who have none of their own first; 0: identity.tenant is not configured */
    uint32_t tenants;
    /* by number of the service, then of the instance; NULL: all of that service are `other` */
    const struct value_slots *const *instances;
};

#endif
