/* SPDX-License-Identifier: Apache-2.0 */
/* page.h - what the files that write the dashboard share. Private to them. */
#ifndef EK_CONTROL_PAGE_H
#define EK_CONTROL_PAGE_H

#include "base/str.h"

struct control;
struct journey;
struct where;

/* Any text into HTML. */
void page_escaped(struct str *out, struct span s);

/* Unix seconds, for people. */
void page_write_time(struct str *out, int64_t at);

/* page_services.c */
void page_write_services(const struct control *c, struct str *out);

/* page_steps.c; nothing when the journey has no steps */
void page_write_funnel(const struct control *c, const struct journey *j, struct str *out);

/* page_dimensions.c; nothing when nothing stands out. The question asks for PAGE_DIMENSIONS; that failures have a status of failures says
 * nothing. */
#define PAGE_DIMENSIONS \
    (1u << DIMENSION_INSTANCE | 1u << DIMENSION_RELEASE | 1u << DIMENSION_TENANT)
void page_write_where(const struct where *w, const struct journey *j, struct str *out);

/* api_queries.c; nothing when the journey has no query */
void page_write_query(const struct control *c, const struct journey *j, struct str *out);

/* peer_show.c; nothing when there are none */
void page_write_peers(const struct control *c, struct str *out);

/* page_deeds.c */
void page_write_deeds(const struct control *c, struct str *out);

/* page_unclaimed.c; takes what the reactors have told first. */
void page_write_unclaimed(struct control *c, struct str *out);

#endif
