/* SPDX-License-Identifier: Apache-2.0 */
/* cells.c - see cells.h. */
#include "cli/cells.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool terminal_moves(void)
{
    const char *kind = getenv("TERM");

    return isatty(STDOUT_FILENO) && !(kind && strcmp(kind, "dumb") == 0);
}

bool terminal_colors(void)
{
    const char *no = getenv("NO_COLOR");

    return terminal_moves() && !(no && *no);
}

static bool begins_code_point(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

size_t cell_width(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += begins_code_point(*text);
    return n;
}

static void put_clean(struct str *out, const char *text, size_t code_points)
{
    for (; *text; text++) {
        if (begins_code_point(*text) && code_points-- == 0)
            return;
        str_char(out, (unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
    }
}

static void put_spaces(struct str *out, size_t n)
{
    while (n-- > 0)
        str_char(out, ' ');
}

void cell_put(struct str *out, const char *text, size_t width, bool right)
{
    size_t n = cell_width(text);

    if (width == 0)
        return;
    if (n > width) {
        put_clean(out, text, width - 1);
        str_char(out, '~');
        return;
    }
    if (right)
        put_spaces(out, width - n);
    put_clean(out, text, n);
    if (!right)
        put_spaces(out, width - n);
}

void cell_put_color(struct str *out, const char *text, size_t width, bool right,
                    enum cell_color color)
{
    /* ECMA-48, section 8.3.117: select graphic rendition */
    static const char *const begin[] = { "", "\033[32m", "\033[33m", "\033[31m", "\033[2m" };

    str_text(out, begin[color]);
    cell_put(out, text, width, right);
    if (color != CELL_PLAIN)
        str_literal(out, "\033[0m");
}

/* Towards zero, but for what is no more than the last bit of a double. */
static double cut_to(double n, unsigned decimals)
{
    double factor = pow(10, decimals);

    return trunc(n * factor + (n < 0 ? -1e-6 : 1e-6)) / factor;
}

const char *cell_share(double share, unsigned decimals, char ret_text[CELL_TEXT_MAX])
{
    snprintf(ret_text, CELL_TEXT_MAX, "%.*f%%", (int)decimals, cut_to(share * 100, decimals));
    return ret_text;
}

const char *cell_coverage(double share, char ret_text[CELL_TEXT_MAX])
{
    double percent = share * 100;

    if (percent > 0 && percent < 0.1)
        snprintf(ret_text, CELL_TEXT_MAX, "<0.1%%");
    else
        cell_share(share, percent > 0 && percent < 10 ? 1 : 0, ret_text);
    return ret_text;
}

const char *cell_number(double n, char ret_text[CELL_TEXT_MAX])
{
    double size = fabs(n);

    snprintf(ret_text, CELL_TEXT_MAX, "%.*f", size < 10 ? 2 : size < 100 ? 1 : 0, n);
    return ret_text;
}

const char *cell_count(size_t n, const char *thing, char ret_text[CELL_TEXT_MAX])
{
    snprintf(ret_text, CELL_TEXT_MAX, "%zu %s%s", n, thing, n == 1 ? "" : "s");
    return ret_text;
}

const char *cell_span(double seconds, char ret_text[CELL_TEXT_MAX])
{
    static const struct {
        double below, unit;
        const char *word;
    } rows[] = { { 120, 1, "s" },
                 { 120.0 * 60, 60, "min" },
                 { 48.0 * 3600, 3600, "h" },
                 { (double)INFINITY, 86400, "days" } };
    size_t i = 0;

    while (seconds >= rows[i].below && i + 1 < sizeof(rows) / sizeof(rows[0]))
        i++;
    snprintf(ret_text, CELL_TEXT_MAX, "%.0f %s", floor(seconds / rows[i].unit), rows[i].word);
    return ret_text;
}
