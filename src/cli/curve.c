/* SPDX-License-Identifier: Apache-2.0 */
/* curve.c - see curve.h. */
#include "cli/curve.h"

#include <math.h>

enum { EIGHTHS = 8 };

struct scale {
    double low;
    double high;
};

static struct scale find_scale(const struct curve *c)
{
    struct scale s = { 0, 1 };

    for (size_t i = 0; i < c->count; i++) {
        if (isfinite(c->values[i]) && c->values[i] < s.low)
            s.low = c->values[i];
    }
    s.low = s.low < -1 ? -1 : s.low;
    return s;
}

/* How much of a line, `from` above the bottom, a value fills: 0 to 8 eighths. Whatever is known fills one at least of the
 * lowest line, so that it is seen. */
static unsigned filled(const struct curve *c, const struct scale *s, double value, size_t from)
{
    double top = (value - s->low) / (s->high - s->low) * (double)c->height * EIGHTHS;
    double here = floor(top + 0.5) - (double)from * EIGHTHS;

    if (from == 0 && here < 1)
        return 1;
    return here <= 0 ? 0 : here >= EIGHTHS ? EIGHTHS : (unsigned)here;
}

static void put_value(const struct curve *c, const struct scale *s, double value, size_t from,
                      struct str *out)
{
    /* U+2581 to U+2588: one eighth of a block to all of it */
    static const char *const blocks[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
    static const char *const ascii[] = { " ", "_", "_", ".", ":", ":", "|", "#", "#" };

    if (!isfinite(value))
        str_text(out, from > 0 ? " " : c->utf8 ? "·" : ".");
    else
        str_text(out, (c->utf8 ? blocks : ascii)[filled(c, s, value, from)]);
}

/* What the line's top means, where that is said: the highest and the lowest line, and the one above zero. */
static void put_label(const struct curve *c, const struct scale *s, size_t from, struct str *out)
{
    double line = (s->high - s->low) / (double)c->height;
    double bottom = s->low + (double)from * line;

    if (from + 1 == c->height)
        str_print(out, "%5.0f%% ", s->high * 100);
    else if (from == 0)
        str_print(out, "%5.0f%% ", s->low * 100);
    else if (bottom <= 1e-9 && bottom + line > 1e-9)
        str_text(out, "    0% ");
    else
        str_text(out, "       ");
}

void curve_put(const struct curve *c, struct str *out)
{
    struct scale s = find_scale(c);

    for (size_t from = c->height; from-- > 0;) {
        size_t begin = out->n;
        put_label(c, &s, from, out);
        for (size_t i = 0; i < c->count; i++)
            put_value(c, &s, c->values[i], from, out);
        while (out->n > begin && out->p[out->n - 1] == ' ')
            out->n--;
        str_char(out, '\n');
    }
}
