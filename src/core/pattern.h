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

/* `path` without query, starting with '/'. */
bool pattern_match(const struct pattern *p, struct span method, struct span host, struct span path);

#endif
