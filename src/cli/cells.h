/* SPDX-License-Identifier: Apache-2.0 */
/* cells.h - text in columns of a terminal: cut or filled to a width, and figures as short as they may be.
 * Always: a width counts code points of UTF-8 and not bytes; control characters, which could move the cursor, become '?';
 * a share is never rounded up to a hundred per cent. */
#ifndef EK_CLI_CELLS_H
#define EK_CLI_CELLS_H

#include "base/str.h"

/* Standard output is a terminal that can do more than append lines: TERM is not "dumb". */
bool terminal_moves(void);

/* And its user wants colors: NO_COLOR is not set, or empty (no-color.org). */
bool terminal_colors(void);

enum cell_color { CELL_PLAIN, CELL_GREEN, CELL_YELLOW, CELL_RED, CELL_DIM };

/* `text` in `width` columns, to the left or to the right of them; what is too long ends with '~'. */
void cell_put(struct str *out, const char *text, size_t width, bool right);

/* The same in color, when `color` is not CELL_PLAIN. */
void cell_put_color(struct str *out, const char *text, size_t width, bool right,
                    enum cell_color color);

/* Columns that a text takes. */
size_t cell_width(const char *text);

enum { CELL_TEXT_MAX = 32 };

/* 0.99957 with 3 decimals: "99.957%". */
const char *cell_share(double share, unsigned decimals, char ret_text[CELL_TEXT_MAX]);

/* How much of a time was measured: "0%", "<0.1%", "4.2%", "99%", "100%". */
const char *cell_coverage(double share, char ret_text[CELL_TEXT_MAX]);

/* "0.02", "14.4", "1000": three figures that matter. */
const char *cell_number(double n, char ret_text[CELL_TEXT_MAX]);

/* "1 route", "3 routes". */
const char *cell_count(size_t n, const char *thing, char ret_text[CELL_TEXT_MAX]);

/* "42 s", "3 min", "5 h", "12 days". */
const char *cell_span(double seconds, char ret_text[CELL_TEXT_MAX]);

#endif
