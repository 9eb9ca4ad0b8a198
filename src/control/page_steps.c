/* SPDX-License-Identifier: Apache-2.0 */
/* page_steps.c - how far users came through the steps of a journey, under its objectives. */
#include "control/figures.h"
#include "control/control.h"
#include "control/page.h"

void page_write_funnel(const struct control *c, const struct journey *j, struct str *out)
{
    struct funnel f;

    if (j->kind != JOURNEY_STEPS)
        return;
    figures_funnel(c, j, &f);
    str_literal(out, "<li class=\"steps\"><b>steps</b> ");
    for (size_t i = 0; i < j->step_count; i++) {
        str_text(out, i ? " <small>&rarr;</small> <span>" : "<span>");
        page_escaped(out, j->steps[i].text);
        str_print(out, " %lu", (unsigned long)f.reached[i]);
        if (i && f.reached[0])
            str_print(out, " <small>%.1f %%</small>",
                      (double)f.reached[i] * 100 / (double)f.reached[0]);
        str_literal(out, "</span>");
    }
    str_print(out, "<small>; %lu under way", (unsigned long)f.under_way);
    for (unsigned e = ATTEMPT_FAILED; e < ATTEMPT_END_COUNT; e++)
        str_print(out, ", %lu %s", (unsigned long)f.ended[e],
                  attempt_end_word((enum attempt_end)e));
    if (f.no_identity)
        str_print(out, "; %lu requests without a user", (unsigned long)f.no_identity);
    str_literal(out, "</small></li>");
}
