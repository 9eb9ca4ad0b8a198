/* SPDX-License-Identifier: Apache-2.0 */
/* test_curve.c - what stands on a terminal: the curve of a budget, and figures in cells. */
#include "cli/cells.h"
#include "cli/curve.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void drawn(struct curve c, const char *expected)
{
    struct str out = str_growing();

    curve_put(&c, &out);
    assert_string_equal(str_cstr(&out), expected);
    str_free(&out);
}

static void a_budget_that_is_spent(void **state)
{
    const double v[] = { 1, 0.75, 0.5, 0.25, 0.125, 0 };

    (void)state;
    drawn((struct curve){ v, 6, 2, true }, "  100% █▄\n"
                                           "    0% ███▄▂▁\n");
    drawn((struct curve){ v, 6, 2, false }, "  100% #:\n"
                                            "    0% ###:__\n");
}

static void what_is_not_known_is_no_value(void **state)
{
    const double v[] = { (double)NAN, 1, (double)NAN, -(double)INFINITY };

    (void)state;
    drawn((struct curve){ v, 4, 3, true }, "  100%  █\n"
                                           "        █\n"
                                           "    0% ·█··\n");
    drawn((struct curve){ v, 4, 2, false }, "  100%  #\n"
                                            "    0% .#..\n");
}

static void below_zero_the_scale_goes_down_with_it(void **state)
{
    const double v[] = { 1, 0, -0.5, -1, -40 };

    (void)state;
    drawn((struct curve){ v, 5, 4, true }, "  100% █\n"
                                           "    0% █\n"
                                           "       ██\n"
                                           " -100% ███▁▁\n");
}

static void no_values_are_empty_lines(void **state)
{
    (void)state;
    drawn((struct curve){ NULL, 0, 2, true }, "  100%\n"
                                              "    0%\n");
}

static void cell(const char *text, size_t width, bool right, const char *expected)
{
    struct str out = str_growing();

    cell_put(&out, text, width, right);
    assert_string_equal(str_cstr(&out), expected);
    str_free(&out);
}

static void cells_have_their_width(void **state)
{
    (void)state;
    cell("pay", 5, false, "pay  ");
    cell("pay", 5, true, "  pay");
    cell("payments", 5, false, "paym~");
    cell("größe", 5, true, "größe");
    cell("größen", 5, false, "größ~");
    cell("a\033[2J", 5, false, "a?[2J");
    cell("x", 0, false, "");
}

static void shares_are_not_rounded_up(void **state)
{
    char t[CELL_TEXT_MAX];

    (void)state;
    assert_string_equal(cell_share(0.9999999, 3, t), "99.999%");
    assert_string_equal(cell_share(1, 3, t), "100.000%");
    assert_string_equal(cell_share(0.95, 3, t), "95.000%");
    assert_string_equal(cell_share(-0.3, 1, t), "-30.0%");
    assert_string_equal(cell_coverage(0, t), "0%");
    assert_string_equal(cell_coverage(0.00002, t), "<0.1%");
    assert_string_equal(cell_coverage(0.0425, t), "4.2%");
    assert_string_equal(cell_coverage(0.9999, t), "99%");
    assert_string_equal(cell_coverage(1, t), "100%");
}

static void figures_are_short(void **state)
{
    char t[CELL_TEXT_MAX];

    (void)state;
    assert_string_equal(cell_number(0.018, t), "0.02");
    assert_string_equal(cell_number(14.41, t), "14.4");
    assert_string_equal(cell_number(1234.4, t), "1234");
    assert_string_equal(cell_span(42, t), "42 s");
    assert_string_equal(cell_span(3600, t), "60 min");
    assert_string_equal(cell_span(86400, t), "24 h");
    assert_string_equal(cell_span(28 * 86400.0, t), "28 days");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_budget_that_is_spent),
        cmocka_unit_test(what_is_not_known_is_no_value),
        cmocka_unit_test(below_zero_the_scale_goes_down_with_it),
        cmocka_unit_test(no_values_are_empty_lines),
        cmocka_unit_test(cells_have_their_width),
        cmocka_unit_test(shares_are_not_rounded_up),
        cmocka_unit_test(figures_are_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
