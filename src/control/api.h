/* SPDX-License-Identifier: Apache-2.0 */
/* api.h - what the admin address answers: the page, health, metrics, JSON. One row per address, in
 * api_table.h.
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

/* ---- the contents, one file each */

/* Why this request may not change anything, as a sentence; NULL: it may. api_changes.c */
const char *api_may_change(const struct http_head *h);

/* A browser says that it asks for a page of another site. */
bool api_from_elsewhere(const struct http_head *h);

#endif
