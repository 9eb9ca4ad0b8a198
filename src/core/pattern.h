/* SPDX-License-Identifier: Apache-2.0 */
/* pattern.h - which requests a route or a journey means: method, host and path.
 * "GET /product/{id}"  "POST shop.example.com/checkout"  "/api/" followed by "*"  "GET /"
 * A `{name}` stands for exactly one non-empty segment; a `*` as the last segment for anything below,
 * and for the folder itself ("/api/" + "*" matches /api, /api/ and /api/x/y). No method: any method. A GET pattern also
 * matches HEAD (RFC 9110 section 9.3.2). The host is compared without case and port; "*.example.com"
 * matches any one or more labels before it. The query is not part of the path.
 * Pure: spans of the pattern belong to whoever parsed it. */
#ifndef EK_CORE_PATTERN_H
#define EK_CORE_PATTERN_H

#include "base/span.h"
#include "base/word.h"

enum { PATTERN_SEGMENTS_MAX = 32 };

enum segment_kind { SEGMENT_LITERAL, SEGMENT_ONE, SEGMENT_REST };

struct segment {
    enum segment_kind kind;
    struct span text; /* literal, or the name inside the braces */
};

struct pattern {
    struct span text;   /* as written, for people */
    struct span method; /* empty: any */
    struct span host;   /* empty: any */
    struct span path;   /* as written */
    struct segment *segments;
    size_t segment_count;
    uint64_t beginning; /* of every path it matches: the first bytes, as a word, */
    uint64_t known;     /* and which of its bits that says something of */
};

struct arena;

/* Reads "METHOD HOST/PATH" with both optional; `host` and `method` may also be given apart by the
 * caller afterwards. On failure returns a sentence (static) and leaves *ret_pattern untouched, else
 * NULL. Segments are taken from the arena; spans point into `text`. */
const char *pattern_parse(struct arena *a, struct span text, struct pattern *ret_pattern);

/* What is wrong with a method or a host alone, as a sentence, or NULL. */
const char *pattern_method_wrong(struct span method);
const char *pattern_host_wrong(struct span host);

/* Whether `p` matches every request that `q` matches: behind p, q is never reached. */
bool pattern_covers(const struct pattern *p, const struct pattern *q);

/* Whether there may be a request that both match; true in doubt. */
bool pattern_overlaps(const struct pattern *p, const struct pattern *q);

/* Most patterns of a long list begin otherwise than the path: one comparison says so. The word is made once for all
 * of them; a path that ends early goes on with zeros. */
static inline uint64_t pattern_beginning(struct span path)
{
    uint64_t word = 0;

    if (path.n >= WORD_BYTES)
        return word_load(path.p);
    for (size_t i = path.n; i > 0; i--)
        word = word << 8 | (unsigned char)path.p[i - 1];
    return word;
}

static inline bool pattern_may_match(const struct pattern *p, uint64_t beginning)
{
    return ((p->beginning ^ beginning) & p->known) == 0;
}

/* `path` without query, starting with '/'. */
bool pattern_match(const struct pattern *p, struct span method, struct span host, struct span path);

#endif
