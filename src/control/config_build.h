/* SPDX-License-Identifier: Apache-2.0 */
/* config_build.h - what the files that build a configuration from a checked tree share.
 * Private to them. Always: what is missing or was found wrong in the tree reads as its default, so that
 * building goes on and finds what else is wrong; a configuration with errors is thrown away whole. */
#ifndef EK_CONTROL_CONFIG_BUILD_H
#define EK_CONTROL_CONFIG_BUILD_H

#include "control/config_tree.h"

struct builder {
    struct config *c;
    struct config_report *r;
    const char *folder;    /* of the file; "" is this one */
    size_t journey_routes; /* of all journeys so far */
};

/* `path` is the row of the table that has the default. */
struct span text_of(const struct node *map, const char *key, const char *path);
struct span kept_text(struct builder *b, const struct node *map, const char *key, const char *path);
ns_t duration_of(const struct node *map, const char *key, const char *path);
uint64_t size_of(const struct node *map, const char *key, const char *path);
uint32_t count_of(const struct node *map, const char *key, const char *path);

/* A path as the program opens it: one that is not absolute is relative to the file's folder. */
struct span resolved_path(struct builder *b, struct span path);

/* "unix:app.sock" is relative to the file, like every path; anything else comes back as it is. */
struct span resolved_address(struct builder *b, struct span text);

/* "subdomain", "cookie:NAME", "header:NAME"; false when it is none of these. */
bool identity_parse(struct arena *a, struct span text, struct identity *ret);

/* A list such as [500, 502-504] into a set, or the standard when it is not there. What is wrong is reported. */
void build_status_list(struct builder *b, const struct node *map, const char *path,
                       struct status_set *ret);

/* What listens there; false: it is no address, which was reported. */
bool parse_listener(struct builder *b, struct node *n, struct address *ret_address);

/* A token's keys: where it is read. */
void build_secret(struct builder *b, const struct node *token, struct secret_source *ret);

/* The configuration in b->c, from the file's keys. */
void config_build(struct builder *b, const struct node *root);

/* After the other listeners; `http`: where one of them stands. config_admin.c */
void build_admin(struct builder *b, const struct node *root, struct node *http);

void build_services(struct builder *b, const struct node *services);
void build_routes(struct builder *b, const struct node *root);
void build_journeys(struct builder *b, const struct node *journeys);
/* config_queries.c: of a journey of jobs. */
void build_query(struct builder *b, struct journey *j, const struct node *n);
void build_peers(struct builder *b, const struct node *peers);

#endif
