/* SPDX-License-Identifier: Apache-2.0 */
/* api.h - what the admin address answers: the page, health, metrics, JSON. One row per address, in
 * api.c.
 * Used in control's thread only. */
#ifndef EK_CONTROL_API_H
#define EK_CONTROL_API_H

#include "base/str.h"
#include "bus/config.h"

struct api;
struct control;
struct http_head;

struct api *api_new(struct control *c);
void api_free(struct api *a);

/* The configuration of the admin edge: one service that answers by itself. */
struct config *api_config(struct api *a, const struct limits *limits);
void api_config_free(struct config *c);

/* ---- the contents, one file each. All write into growing text. */

void api_write_journeys(struct control *c, struct str *out); /* api_json.c */
void api_write_services(struct control *c, struct str *out);
void api_write_changes(struct control *c, struct str *out); /* api_changes.c */
void api_write_reload(struct control *c, struct str *out);
void api_write_metrics(struct control *c, struct str *out); /* metrics.c */
void api_write_page(struct control *c, struct str *out);    /* page.c */

/* ---- api_changes.c: what changes something. Each returns the status. */

/* Why this request may not, as a sentence; NULL: it may. */
const char *api_may_change(const struct http_head *h);

unsigned api_make_change(struct control *c, struct span body, struct str *out);
unsigned api_take_back(struct control *c, struct span id, struct str *out);
unsigned api_reload(struct control *c, struct str *out);

#endif
