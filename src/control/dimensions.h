/* SPDX-License-Identifier: Apache-2.0 */
/* dimensions.h - which values the dimensions of a journey have, and what was counted of each.
 * Values of instances and releases are interned per journey, first come, first served: at most DIMENSION_VALUES, the rest is `other`. Each
 * keeps its counters over reloads. A value that no configuration in force names any more is *gone*: it stays to be seen until its
 * room is wanted, then its counts become part of `other` and its counters serve another. That happens only after every reactor let go of the
 * last configuration with it, so nothing that is under way counts under a name that is not its own.
 * Always: over the values of each dimension the counts add up to the journey's own, to the integer. They begin with the process; what
 * earlier ones counted in the last hour is in dimension_memory.h.
 * Windows: the counts are looked at now and then (marks); a window begins with the youngest mark that is old enough, and says when
 * that was. The marks move with the counts when a value's room is given away, so windows add up too.
 * Owned by control; reads the reactors' pages relaxed.
 * Next: bus/value_slots.h, what the data path sees; dimension_counts.c, reading. */
#ifndef EK_CONTROL_DIMENSIONS_H
#define EK_CONTROL_DIMENSIONS_H

#include "base/arena.h"
#include "base/map.h"
#include "bus/counters.h"
#include "bus/value_slots.h"
#include "bus/snapshot.h"
#include "core/heavy.h"
#include "plane/http/slots.h"

struct book;

/* What stands beside the named values, and how many values there are at most. */
enum {
    ENTRY_NONE = DIMENSION_VALUES,
    ENTRY_OTHER,
    DIMENSION_ENTRIES,
};
_Static_assert((int)ENDING_COUNT <= (int)DIMENSION_VALUES, "endings are values too");

enum {
    NAMED_DIMENSIONS = DIMENSION_STATUS, /* those whose values come and go */
    /* of one journey, if it uses all that it may */
    DIMENSIONS_SLOTS_MAX = DIMENSION_OUTCOMES * ((NAMED_DIMENSIONS + 1) * DIMENSION_ENTRIES +
                                                 CODE_CLASSES + ENDING_COUNT),
    /* values kept free for newcomers, as far as gone ones allow: a deployment brings new instances before the old ones go */
    DIMENSION_SPARE = DIMENSION_VALUES / 4,
};

/* The same text is the same name, in all journeys. */
struct value_name {
    struct span service; /* of an instance */
    struct span text;
};

struct dimension_value {
    const struct value_name *name; /* NULL: free */
    uint32_t slots;
    uint64_t wanted; /* assignment that named it last */
    uint64_t
        gone; /* generation of the first configuration that was seen without it; 0: it is in force */
    int64_t since;                     /* unix seconds; 0: it is new */
    uint64_t base[DIMENSION_OUTCOMES]; /* what the counters held when it got them */
};

struct value_list {
    struct dimension_value *values; /* DIMENSION_VALUES at most */
    uint32_t count;
    uint32_t none;
    uint32_t other;
    uint64_t retired[DIMENSION_OUTCOMES]; /* counts of values that gave way: part of `other` */
    uint64_t starved;                     /* last assignment that found no room */
};

/* Marks: how far all counts were at some moments of the last hour and a quarter. */
enum { MARKS_FAST = 3, MARKS_SLOW = 5, MARKS = MARKS_FAST + MARKS_SLOW };
#define MARK_FAST_EVERY (150 * NS_PER_S)
#define MARK_SLOW_EVERY (900 * NS_PER_S)
#define MARK_ROUND     \
    (MARK_FAST_EVERY + \
     3 * NS_PER_S) /* of all journeys; longer, so that each is old enough when its turn comes */

struct dimension_marks {
    ns_t at[MARKS];      /* the fast ones first; each kind is a ring */
    unsigned fast, slow; /* the newest of each kind */
    uint32_t (*rows)
        [MARKS]
        [DIMENSION_OUTCOMES]; /* low 32 bits: a window is exact below 2^32 events of one outcome */
    uint32_t row_count, row_room;
    uint8_t row_of[DIMENSION_COUNT]
                  [DIMENSION_ENTRIES]; /* number + 1; 0: nothing was counted yet at the last mark */
};

/* Of one journey. */
struct journey_values {
    struct value_list named[NAMED_DIMENSIONS];
    uint32_t status;
    uint32_t reason;
    uint32_t tenant_none;
    uint32_t tenants; /* `other`, then by the tenant's id (tenants.h); 0: none were ever wanted */
    uint64_t (*tenant_base)[DIMENSION_OUTCOMES]; /* by id; NULL: no value changed hands yet */
    uint64_t tenant_retired[DIMENSION_OUTCOMES]; /* part of `other` */
    int64_t opened;                              /* unix seconds; 0: no tick has seen it */
    struct dimension_marks marks;
};

/* Who has a value in all journeys. */
struct tenant_name {
    const struct heavy_text *text; /* NULL: nobody */
    int64_t since;                 /* unix seconds */
};

/* Begins as zeroes. */
struct dimensions {
    struct arena arena; /* names */
    struct map names;
    struct journey_values **journeys; /* by the journey's stable id */
    size_t journey_count;
    struct tenant_name tenants[DIMENSION_VALUES];
    uint64_t assignment;
    uint64_t generation; /* of the configuration that was looked at last */
    uint64_t told;       /* assignment of which was said that it left some without room */
    bool waiting;        /* for reactors to let go of gone values whose room is wanted */
    size_t next_marked;  /* of this round */
    ns_t round_began;
};

void dimensions_close(struct dimensions *d);

/* Gives each journey of a configuration that is about to be published its values. There are enough slots. */
void dimensions_assign(struct dimensions *d, struct slot_allocator *slots, struct config *c);

/* About each second. True: instances that found no room could have some now, if a configuration were made again. */
bool dimensions_tick(struct dimensions *d, const struct book *b, const struct publication *p,
                     ns_t now, int64_t unix_now);

/* A tenant has a value from now on; `text` stays until it is retired. */
void dimensions_name_tenant(struct dimensions *d, unsigned id, const struct heavy_text *text,
                            int64_t unix_now);

/* Nothing counts under it any more: his counts become part of `other`. */
void dimensions_retire_tenant(struct dimensions *d, const struct book *b, unsigned id);

/* ---- dimension_counts.c */

/* clang-format off */
#define DIMENSION_WINDOWS(X) \
    /* name  word     time of which a window has at least; what it has at most is told */ \
    X(5M,    "5m",    300 * NS_PER_S) \
    X(1H,    "1h",    3600 * NS_PER_S) \
    X(START, "start", 0)
/* clang-format on */

enum dimension_window {
#define X(name, word, time) DIMENSION_WINDOW_##name,
    DIMENSION_WINDOWS(X)
#undef X
        DIMENSION_WINDOW_COUNT,
};

enum entry_kind { ENTRY_IS_VALUE, ENTRY_IS_NONE, ENTRY_IS_OTHER };

/* One value of a dimension. */
struct dimension_row {
    enum entry_kind kind;
    struct span service; /* of an instance; else empty */
    struct span text;
    const struct heavy_text *tenant; /* of whom `text` is, or begins, the name; NULL: of none */
    bool gone;
    int64_t since; /* unix seconds */
    uint64_t counts[DIMENSION_OUTCOMES];
    const uint64_t
        *retired; /* of `other`: since the start, what it has of values that gave way; else NULL */
};

const char *dimension_word(enum dimension which);

/* False: no dimension has that word. */
bool dimension_find(struct span word, int *ret);

/* "instance,release": a bit each. False: one of them is none. */
bool dimension_list(struct span list, uint32_t *ret);
const char *dimension_window_word(enum dimension_window w);
int64_t dimension_window_s(enum dimension_window w); /* 0: since the start */

/* Most bad ones first; as qsort() wants it. */
int dimension_row_order(const struct dimension_row *x, const struct dimension_row *y);

/* What of a journey was counted in a window: those values that have counts, most bad ones first. Returns how many. */
unsigned dimensions_read(const struct dimensions *d, const struct book *b, const struct journey *j,
                         enum dimension which, enum dimension_window w, ns_t now,
                         struct dimension_row ret_rows[DIMENSION_ENTRIES]);

/* The mark with which a window begins: the youngest that is old enough, else the oldest. at[] and `now` by the same clock. */
unsigned dimension_mark(const ns_t at[MARKS], enum dimension_window w, ns_t now);

/* What came to a value since each mark; false: nothing, or there is no such value. ret->counts is of no use. */
bool dimension_since_marks(const struct dimensions *d, const struct book *b,
                           const struct journey *j, enum dimension which, unsigned entry,
                           struct dimension_row *ret,
                           uint32_t ret_since[MARKS][DIMENSION_OUTCOMES]);

/* The configuration has this value, as far as it says which there are. */
bool dimension_in_force(const struct dimensions *d, const struct journey *j, enum dimension which,
                        const struct dimension_row *r);

/* How long ago a window of this journey began; negative: with the process, or with the journey's version. */
ns_t dimensions_reach(const struct dimensions *d, const struct journey *j, enum dimension_window w,
                      ns_t now);

/* Unix seconds since which a journey is counted in this process. */
int64_t dimensions_opened(const struct dimensions *d, const struct journey *j);

static inline uint64_t dimension_bad(const uint64_t counts[DIMENSION_OUTCOMES])
{
    return counts[OUTCOME_SLOW] + counts[OUTCOME_FAILED];
}

static inline bool dimension_counted(const uint64_t counts[DIMENSION_OUTCOMES])
{
    return (counts[0] | counts[1] | counts[2] | counts[3]) != 0;
}

/* ---- between the two files */

/* Counts of a value since it got its counters; false: there is no such value. */
bool dimension_counts(const struct journey_values *v, const struct book *b, enum dimension which,
                      unsigned entry, uint64_t ret_counts[DIMENSION_OUTCOMES]);

/* Begins the marks; looks at all counts, if it is time to; lets `other` have the marks of a value. */
void marks_begin(struct dimension_marks *m, ns_t now);
void marks_take(struct journey_values *v, const struct book *b, ns_t now);
void marks_give_to_other(struct dimension_marks *m, enum dimension which, unsigned entry);

#endif
