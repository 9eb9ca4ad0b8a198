/* SPDX-License-Identifier: Apache-2.0 */
/* manual.c - the manual page out of the tables; `evenkeel help`. */
#include "cli/options.h"

#include <stdio.h>
#include <string.h>

enum { SOURCE_WIDTH = 77 }; /* and what may be put behind a full stop */

/* Bytes since the last line began. */
static size_t column_of(const struct str *out)
{
    size_t n = 0;

    while (n < out->n && out->p[out->n - 1 - n] != '\n')
        n++;
    return n;
}

/* A hyphen stays what one types, groff_char(7). */
static const char *escape_of(char c)
{
    return c == '\\' ? "\\e" : c == '-' ? "\\-" : c == '`' || c == '\'' ? "\\(aq" : NULL;
}

static size_t word_size(struct span text)
{
    size_t size = 0;

    for (size_t i = 0; i < text.n && text.p[i] != ' '; i++) {
        const char *escape = escape_of(text.p[i]);
        size += escape ? strlen(escape) : 1;
    }
    return size;
}

/* So that no text begins with what would be a request. */
static void put_guard(struct str *out, char first)
{
    if (first == '.')
        str_literal(out, "\\&");
}

/* Text between requests: nothing of it is one. Lines are filled anew when it is shown; a full stop at the end of one would be taken
 * for the end of a sentence ("FILE..."), and what a request takes is one line. */
static void put_roff(struct str *out, struct span text)
{
    size_t begun = column_of(out);
    bool request = begun > 0 && out->p[out->n - begun] == '.';

    put_guard(out, text.n ? text.p[0] : ' ');
    for (size_t i = 0; i < text.n; i++) {
        const char *escape = escape_of(text.p[i]);
        if (text.p[i] == ' ' && i > 0 && !request &&
            column_of(out) + 1 + word_size(span_after(text, i + 1)) > SOURCE_WIDTH) {
            str_text(out, text.p[i - 1] == '.' ? "\\&\n" : "\n");
            put_guard(out, i + 1 < text.n ? text.p[i + 1] : ' ');
        } else if (escape) {
            str_text(out, escape);
        } else {
            str_char(out, text.p[i]);
        }
    }
    str_char(out, '\n');
}

/* Each line with what stands before it. */
static void put_lines(struct str *out, const char *text, const char *first, const char *before)
{
    struct span rest = span_from_text(text);

    while (rest.n > 0) {
        size_t n = span_find(rest, '\n');
        str_text(out, rest.p == text ? first : before);
        put_roff(out, span_of(rest.p, n));
        rest = n < rest.n ? span_after(rest, n + 1) : span_of(NULL, 0);
    }
}

static void put_option(struct str *out, const struct option_row *o)
{
    struct str words = str_growing();

    str_literal(out, ".TP\n.B ");
    if (o->letter)
        str_print(&words, "-%c, ", o->letter);
    str_print(&words, "--%s", o->name);
    if (o->argument && o->argument[0] == '[')
        str_print(&words, "[=%s", o->argument + 1);
    else if (o->argument)
        str_print(&words, " %s", o->argument);
    put_roff(out, str_span(&words));
    put_roff(out, span_from_text(o->help));
    str_free(&words);
}

static void put_command(struct str *out, enum command command)
{
    const struct command_row *c = &command_rows[command];
    char before[64];

    str_print(out, ".SS %s\n", c->name);
    snprintf(before, sizeof(before), ".br\n.B evenkeel %s\n", c->name);
    put_lines(out, c->usage, before + sizeof(".br"), before);
    put_lines(out, c->text, ".PP\n", ".PP\n");
    for (int i = 0; i < OPTION_COUNT; i++) {
        if (i != OPTION_help && (option_rows[i].of >> command & 1))
            put_option(out, &option_rows[i]);
    }
    put_lines(out, c->exits, ".PP\nExit codes: ", "");
}

void manual_write(struct str *out)
{
    size_t number = strcspn(evenkeel_version, " ");

    str_print(out, ".TH EVENKEEL 1 \"\" \"evenkeel %.*s\" \"User Commands\"\n", (int)number,
              evenkeel_version);
    str_literal(out, ".SH NAME\nevenkeel \\- keeps the users of an app inside their service level "
                     "objectives\n.SH SYNOPSIS\n.B evenkeel\n.I COMMAND\n[\\fIOPTIONS\\fR]\n"
                     ".SH DESCRIPTION\n");
    put_roff(out, SPAN("evenkeel stands before the instances of an app, counts every request for "
                       "its user journey, and shows what is left of each error budget."));
    put_roff(out, SPAN("The commands other than run, init, validate and schema ask the running "
                       "program over its admin address."));
    str_literal(out, ".SH COMMANDS\n");
    for (int i = 0; i < COMMAND_COUNT; i++)
        put_command(out, (enum command)i);
    str_literal(out,
                ".SH EXIT STATUS\n0: done; 1: it did not work, or an objective is missed;\n"
                "2: it was called wrongly.\nEach command says above what that means for it.\n"
                ".SH ENVIRONMENT\n.TP\n.B NO_COLOR\nWhen it is set, and not empty, nothing is "
                "printed in color.\n"
                ".TP\n.B TERM\nWhen it is \\(lqdumb\\(rq, nothing is printed in color, and\n"
                ".B status \\-\\-watch\nappends lines.\n"
                ".TP\n.B " CLIENT_TOKEN_ENV "\nThe token that the admin address asks for, unless\n"
                ".B \\-\\-token\\-file\nnames a file.\n"
                ".SH FILES\n.TP\n.I evenkeel.yaml\nThe configuration; "
                "\\fBevenkeel schema \\-\\-markdown\\fR describes every key.\n");
}

int cmd_help(int argc, char **argv)
{
    struct option_reader r = { .argc = argc, .argv = argv };
    struct str out = str_growing();
    enum option_id o;
    bool man = false;
    int command = 0;

    while ((o = option_next(&r)) != OPTION_END) {
        if (o == OPTION_WRONG)
            return EXIT_USAGE;
        man |= o == OPTION_man;
    }
    while (optind < argc && command < COMMAND_COUNT &&
           strcmp(command_rows[command].name, argv[optind]) != 0)
        command++;
    if (optind + 1 < argc || command == COMMAND_COUNT || (man && optind < argc)) {
        fprintf(stderr, "evenkeel help: '%s' is no command\n", argv[argc - 1]);
        return EXIT_USAGE;
    }
    if (man)
        manual_write(&out);
    else if (optind < argc)
        help_of((enum command)command, &out);
    else
        help_of_all(&out);
    fwrite(out.p, 1, out.n, stdout);
    str_free(&out);
    return EXIT_DONE;
}
