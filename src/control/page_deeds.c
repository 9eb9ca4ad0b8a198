/* SPDX-License-Identifier: Apache-2.0 */
/* page_deeds.c - the dashboard's last lines: what was changed and reloaded last, for that is what people ask first when
 * something is not as it was. */
#include "control/control.h"
#include "control/page.h"

#include <time.h>

enum { SHOWN = 5 };

static void write_when(int64_t at, struct str *out)
{
    time_t when = (time_t)at;
    struct tm tm;
    char text[32];

    if (gmtime_r(&when, &tm) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", &tm) > 0)
        str_text(out, text);
}

static void write_what(const struct kept_deed *d, struct str *out)
{
    static const enum deed_text rest[] = { DEED_TEXT_CHANGED, DEED_TEXT_ERROR };

    str_literal(out, " <b>");
    page_escaped(out, d->text[DEED_TEXT_WHAT]);
    str_literal(out, "</b> ");
    if (d->id) {
        page_escaped(out, d->text[DEED_TEXT_CHANGE]);
        str_char(out, ' ');
        page_escaped(out, d->text[DEED_TEXT_INSTANCE]);
        str_literal(out, " of ");
        page_escaped(out, d->text[DEED_TEXT_SERVICE]);
        str_char(out, ' ');
    }
    page_escaped(out, d->text[DEED_TEXT_VALUE]);
    for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++)
        page_escaped(out, d->text[rest[i]]);
}

static void write_deed(const struct kept_deed *d, struct str *out)
{
    struct span who = d->text[d->text[DEED_TEXT_WHO].n ? DEED_TEXT_WHO : DEED_TEXT_BY];

    str_literal(out, "<li><small>");
    write_when(d->at, out);
    str_literal(out, "</small>");
    write_what(d, out);
    str_literal(out, " <small>");
    if (who.n) {
        str_literal(out, "by ");
        page_escaped(out, who);
    }
    if (d->text[DEED_TEXT_WHY].n) {
        str_text(out, who.n ? ": " : "");
        page_escaped(out, d->text[DEED_TEXT_WHY]);
    }
    str_literal(out, "</small></li>\n");
}

void page_write_deeds(const struct control *c, struct str *out)
{
    if (c->deeds.count == 0)
        return;
    str_literal(out, "<section><h2>Changed and reloaded last <small><a "
                     "href=\"/api/v1/changes/history\">all of it</a></small></h2><ul>");
    for (size_t i = 0; i < c->deeds.count && i < SHOWN; i++)
        write_deed(deed_memory_newest(&c->deeds, i), out);
    str_literal(out, "</ul></section>\n");
}
