/* SPDX-License-Identifier: Apache-2.0 */
/* nginx_conf.h - an nginx configuration as a tree of directives with the lines that they stand in. Nothing is
 * known here about what a directive means, but that `include` has its file's directives below it once whoever
 * reads files has put them there (nginx_conf_read again, with the include as `parent`).
 * Always: children stand in the order of the file; an argument is without its quotes and escapes.
 * Pure: memory is the arena's that the caller lends; spans live as long as it and the text. */
#ifndef EK_PROTO_NGINX_CONF_H
#define EK_PROTO_NGINX_CONF_H

#include "base/arena.h"

enum {
    NGINX_DEPTH_MAX = 32,          /* blocks within blocks; nginx's own go 5 deep */
    NGINX_DIRECTIVES_MAX = 100000, /* of one tree */
    NGINX_ARGUMENTS_MAX = 512,     /* of one directive: a server_name with many names */
};

struct nginx_directive {
    struct span name;
    struct span *arguments;
    size_t argument_count;
    const char *file; /* as given when it was read; lent */
    size_t line;      /* from 1 */
    bool block;       /* had braces; an include has children without */
    struct nginx_directive *parent;
    struct nginx_directive *first; /* of its children */
    struct nginx_directive *last;
    struct nginx_directive *next; /* sibling */
    void *owner;                  /* for whoever walks the tree */
};

struct nginx_tree {
    struct arena *arena;
    struct nginx_directive root; /* without a name; its children are those of the main file */
    size_t count;
};

struct nginx_mistake {
    size_t line;
    const char *text; /* a sentence; static */
};

void nginx_tree_init(struct nginx_tree *t, struct arena *arena);

/* Reads a file's text into the tree, behind what `parent` has already. False when it is not nginx's
 * language; *ret_mistake says where, and what was read before stays. */
bool nginx_conf_read(struct nginx_tree *t, struct nginx_directive *parent, const char *file,
                     struct span text, struct nginx_mistake *ret_mistake);

/* The directive behind d in the order of the files, its children first (or not: `skip`); NULL behind the last
 * one below `top`. */
struct nginx_directive *nginx_next(const struct nginx_directive *top,
                                   const struct nginx_directive *d, bool skip);

/* The block in which d stands, includes aside. */
struct nginx_directive *nginx_parent(const struct nginx_directive *d);

/* An argument, empty when it has no such. */
static inline struct span nginx_argument(const struct nginx_directive *d, size_t i)
{
    return i < d->argument_count ? d->arguments[i] : SPAN("");
}

/* "60", "500ms", "1m 30s" (ngx_parse_time): false when it is none. */
[[nodiscard]] bool nginx_time(struct span s, int64_t *ret_ms);

#endif
