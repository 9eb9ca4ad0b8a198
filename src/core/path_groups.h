/* SPDX-License-Identifier: Apache-2.0 */
/* path_groups.h - from single requests to the patterns that they follow: /product/7 and /product/8 are
 * /product/{id}.
 * A tree of path segments. A segment that is plainly an id (a number, a UUID, a hash) is never kept; of words
 * the tree keeps some, and what turns out to be one of many names becomes {name} at the end. Static files are
 * counted together.
 * Always: memory is this one structure, whatever comes; what finds no room is counted in `lost`, so that all
 * counts add up to the requests. Answers that say "not found" make no new paths: scanners ask for anything.
 * Pure; the caller gives the memory (calloc: pages that are not needed cost nothing).
 * Next: suggest.h, which makes journeys of groups. */
#ifndef EK_CORE_PATH_GROUPS_H
#define EK_CORE_PATH_GROUPS_H

#include "base/arena.h"
#include "core/histogram.h"
#include "core/verdict.h"

enum {
    PATH_NODES_MAX = 8192,       /* segments; a large app has some hundred */
    PATH_COUNTS_MAX = 2048,      /* method and path together; the routes of a large app */
    PATH_TEXT_MAX = 256 * 1024,  /* bytes of segments */
    PATH_FANOUT_MAX = 64,        /* different words behind one prefix; more are names of things */
    PATH_SEGMENTS_MAX = 12,      /* what lies deeper is one group */
    PATH_SEGMENT_BYTES_MAX = 64, /* a longer segment is no word */
};

/* Methods that are told apart; HEAD counts as GET, as patterns do. Others come into `other_methods`. */
/* clang-format off */
#define PATH_METHODS(X) X(GET) X(POST) X(PUT) X(PATCH) X(DELETE)
/* clang-format on */

struct path_counts {
    uint32_t node;
    uint32_t next; /* of the same node, + 1 */
    uint8_t method;
    uint64_t requests;
    uint64_t failed;
    uint64_t excluded;
    uint64_t timed; /* requests in `bins` */
    uint32_t bins[HISTOGRAM_BINS];
};

struct path_node {
    uint32_t parent;
    uint32_t child; /* numbers of nodes; 0 (the root) stands for none */
    uint32_t next;
    uint32_t counts; /* the first, + 1 */
    uint32_t text;
    uint8_t text_n;
    uint8_t kind; /* enum segment_kind of pattern.h */
    bool named;   /* SEGMENT_ONE: made of words, so {name} rather than {id} */
    uint16_t children;
    uint64_t requests; /* below and at it */
};

struct path_groups {
    uint64_t requests; /* all that were added */
    uint64_t assets;   /* of them, for static files */
    uint64_t unfound;  /* 404 and the like, of paths that are not known otherwise */
    uint64_t other_methods;
    uint64_t lost; /* no room */
    uint32_t node_count;
    uint32_t counts_count;
    uint32_t text_n;
    struct path_node nodes[PATH_NODES_MAX];
    uint32_t work[PATH_NODES_MAX][2]; /* of merging */
    char text[PATH_TEXT_MAX];
    struct path_counts counts[PATH_COUNTS_MAX];
};

struct path_event {
    struct span method;
    struct span path;
    unsigned status;
    enum outcome outcome;
    ns_t took; /* negative: not known; only of good answers */
};

void path_groups_init(struct path_groups *g);
void path_groups_add(struct path_groups *g, const struct path_event *e);

/* What somebody else counted of one pattern, as path_groups_finish() lists it there: "/product/{id}". */
struct path_row {
    struct span method;
    struct span pattern;
    uint64_t requests;
    uint64_t failed;
    uint64_t excluded;
    const uint32_t *bins; /* those that are not empty, each below HISTOGRAM_BINS, */
    const uint64_t *bin_counts;
    size_t bin_count;
};

/* Adds it to ours, where it may be folded with them. What is no such pattern, or finds no room, is lost. */
void path_groups_add_row(struct path_groups *g, const struct path_row *r);

/* One method and pattern with its counts; `pattern` is as in pattern.h, without the method. */
struct path_group {
    struct span method;
    struct span pattern;
    const struct path_counts *counts;
};

/* Folds names into {name} and lists the groups, most requests first. At most PATH_COUNTS_MAX. Nothing may be
 * added afterwards. The array and the texts are the arena's. */
size_t path_groups_finish(struct path_groups *g, struct arena *a, struct path_group **ret_groups);

/* Whether a path ends like a static file: /app.3f2a.js. */
bool path_is_asset(struct span path);

/* Whether a segment is plainly an id. */
bool path_is_id(struct span segment);

#endif
