/* SPDX-License-Identifier: Apache-2.0 */
/* losses.c - see losses.h. */
#include "cli/losses.h"

#include "cli/answers.h"
#include "cli/cells.h"

#include <time.h>

static void put_time(double at, struct str *out)
{
    time_t seconds = (time_t)at;
    struct tm tm;
    char text[32];

    if (gmtime_r(&seconds, &tm) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%SZ", &tm) > 0)
        str_text(out, text);
}

/* Two decimals: it is about less than two seconds. */
static void put_seconds(double s, struct str *out)
{
    char text[CELL_TEXT_MAX];

    if (s < 100)
        str_print(out, "%.2f s", s);
    else
        str_text(out, cell_span(s, text));
}

void loss_put(const json_t *loss, struct str *out)
{
    double from = 0, back = 0, lost, down;

    number_of(loss, "from", &from);
    number_of(loss, "back", &back);
    str_literal(out, "it ended without a farewell at ");
    put_time(from, out);
    if (number_of(loss, "lost_s", &lost) && number_of(loss, "down_s", &down)) {
        str_literal(out, ": counts of at most ");
        put_seconds(lost, out);
        str_literal(out, " are lost, then nothing ran for ");
        put_seconds(down, out);
        str_literal(out, "; neither is measured");
        return;
    }
    str_literal(out, ": what was counted afterwards is lost, of how long is not known; ");
    put_seconds(back - from, out);
    str_literal(out, " are not measured");
}

void losses_put(const json_t *losses, struct str *out)
{
    double lost = 0, down = 0, n;
    size_t i, unknown = 0;
    json_t *loss;

    if (json_array_size(losses) == 0)
        return;
    json_array_foreach (losses, i, loss) {
        unknown += !number_of(loss, "lost_s", &n);
        lost += number_of(loss, "lost_s", &n) ? n : 0;
        down += number_of(loss, "down_s", &n) ? n : 0;
    }
    str_print(out, "ended without a farewell %zu time%s: counts of at most ", i, i == 1 ? "" : "s");
    put_seconds(lost, out);
    str_literal(out, " are lost, then nothing ran for ");
    put_seconds(down, out);
    if (unknown)
        str_print(out, " (of %zu of them it is not known)", unknown);
    str_literal(out, "; neither is measured\n");
}
