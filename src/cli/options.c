/* SPDX-License-Identifier: Apache-2.0 */
/* options.c - the tables of commands and options as data; reading options, and --help. */
#include "cli/options.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct option_row option_rows[OPTION_COUNT] = {
#define X(id, long_name, letter, argument, completes, of, help) \
    [OPTION_##id] = { long_name, letter, argument, completes, of, help },
    OPTIONS(X)
#undef X
};

#define MET_OR_NOT \
    "0 every objective with data is met, 1 one is not, or no evenkeel answers, 2 wrong usage."

/* clang-format off */
#define COMMAND_PAGES(X) \
    X(run, NULL, "[-c FILE] [--edge http]\n--to HOST:PORT", \
      "Serves in the foreground until SIGTERM or SIGINT, then finishes what is under way. SIGHUP reads the file again, " \
      "SIGUSR1 begins a new access log.", \
      "0 stopped in order, 1 could not start, 2 wrong usage.") \
    X(init, NULL, "[--nginx FILE] [--log FILE]... [--log-format TEXT] [--to HOST:PORT]... [-o FILE] [--force] [--json]", \
      "Writes a configuration from what runs: services and routes from nginx, journeys and targets from access logs. What " \
      "it cannot translate it says, in the file and here.\n" \
      "With --json it prints what it found and would write, and writes no file unless -o names one: services, routes, journeys " \
      "with their targets and why, what is left unclaimed, what was not translated, and the text itself.", \
      "0 written, 1 it did not work, 2 wrong usage.") \
    X(validate, NULL, "[-c FILE] [--json]", \
      "Reads a configuration and says what is wrong with it, as file:line:column.", \
      "0 right (perhaps with warnings), 1 wrong, 2 wrong usage.") \
    X(status, NULL, "[--admin HOST:PORT] [--json] [--watch[=SECONDS]]\n--changes[=COUNT] [--admin HOST:PORT] [--json]", \
      "Shows the journeys, worst first, the services with their instances, what was changed at run time and differs from " \
      "the file (drift), of the running evenkeel, and the peers whose counters are in the figures.", \
      MET_OR_NOT) \
    X(backup, "@file", "FILE [--admin HOST:PORT] [--json]\n--check FILE [--json]", \
      "The running evenkeel copies its store to a new file, with its own rights, while it goes on.\n" \
      "FILE ends in .db and must not exist. It appears once it is whole, checked and on the disk.\n" \
      "With --check nobody is asked and nothing is written: a copy, or a store that no evenkeel has open, is read as a whole. Is it a " \
      "store, of tables that this program knows, undamaged, and do its counts hold what always holds? Then it says what is in it: " \
      "node, journeys with their counts, from when to when, rows.", \
      "0 the copy is there, or whole, 1 it is not, or no evenkeel answers, 2 wrong usage.") \
    X(reload, NULL, "[--why TEXT] [--admin HOST:PORT] [--json]", \
      "Lets the running evenkeel read its file again. The file is checked whole first: a wrong one changes nothing. " \
      "Connections and what was learned about instances stay; keys that take a restart are named and stay as they were. " \
      "SIGHUP does the same.", \
      "0 it is in force, 1 it was refused, or no evenkeel answers, 2 wrong usage.") \
    X(drain, "@instance", "INSTANCE [OPTIONS]", \
      "Sends the instance no new requests. Those under way there are finished; clients go on with the other instances. It " \
      "lasts over restarts until `evenkeel undrain`, until its time is over, or until the file changes the instance's " \
      "`drain`; `evenkeel status` shows it as drift.\n" \
      "INSTANCE is its address as `evenkeel status` shows it, or its name in the file.", \
      "0 done (or it was so already), 1 refused, not in time, or no evenkeel answers, 2 wrong usage.") \
    X(undrain, "@instance", "INSTANCE [OPTIONS]", \
      "Takes a drained instance back into service. It begins slowly (slow-start).\n" \
      "INSTANCE is its address as `evenkeel status` shows it, or its name in the file.", \
      "0 done (or it was so already), 1 refused, not in time, or no evenkeel answers, 2 wrong usage.") \
    X(schema, NULL, "[--markdown]", \
      "Prints the configuration language as a JSON schema (draft 2020-12), with which editors complete and check the YAML " \
      "file.", \
      "0 printed, 2 wrong usage.") \
    X(slo, "@journey", \
      "JOURNEY [--objective NAME] [--under TIME] [--admin HOST:PORT] [--json]\n" \
      "--from LOG... [-c FILE] [--log-format TEXT] [--since DURATION] [--json]", \
      "Shows a journey of the running evenkeel: how the error budget of its objectives went, and their figures over all " \
      "windows; or counts the journeys of a configuration from access logs, as the running edge would.", \
      MET_OR_NOT) \
    X(version, NULL, "[--json]", \
      "Prints the version and the commit that it was built from.", \
      "0 printed, 2 wrong usage.") \
    X(help, "@command", "[COMMAND]\n--man", \
      "Says what there is, what a command does, or all of it as a manual page.", \
      "0 printed, 2 wrong usage.") \
    X(completion, "bash zsh fish", "bash|zsh|fish\ninstances|journeys [-- WORD...]", \
      "Prints what makes a shell complete commands and options, and the names of what runs: " \
      "eval \"$(evenkeel completion bash)\". `meson install` puts it where shells look by themselves.\n" \
      "With instances or journeys: their names in the running evenkeel, a line each; nothing when none answers. It is asked " \
      "at the address that --admin among the words names, or else at that of the configuration that -c names.", \
      "0 printed, 2 wrong usage.")
/* clang-format on */

#define X(name, summary) static const char summary_of_##name[] = summary;
COMMANDS(X)
#undef X

const struct command_row command_rows[COMMAND_COUNT] = {
#define X(name, completes, usage, text, exits) \
    [COMMAND_##name] = { #name, summary_of_##name, usage, text, exits, completes },
    COMMAND_PAGES(X)
#undef X
};

/* ---- reading */

static void set_up(struct option_reader *r)
{
    size_t n = 0;
    size_t letters = 0;

    while (r->command < COMMAND_COUNT && strcmp(command_rows[r->command].name, r->argv[0]) != 0)
        r->command++;
    check(r->command < COMMAND_COUNT);
    for (int i = 0; i < OPTION_COUNT; i++) {
        const struct option_row *o = &option_rows[i];
        if (!(o->of >> r->command & 1))
            continue;
        r->longs[n++] = (struct option){ .name = o->name,
                                         .has_arg = !o->argument            ? no_argument
                                                    : o->argument[0] == '[' ? optional_argument
                                                                            : required_argument,
                                         .val = 256 + i };
        if (o->letter) {
            r->letters[letters++] = o->letter;
            if (o->argument)
                r->letters[letters++] = ':';
        }
    }
}

static enum option_id option_of(const struct option_reader *r, int found)
{
    if (found >= 256)
        return (enum option_id)(found - 256);
    for (int i = 0; i < OPTION_COUNT; i++) {
        if ((option_rows[i].of >> r->command & 1) && option_rows[i].letter == found)
            return (enum option_id)i;
    }
    return OPTION_WRONG;
}

static void print_help(enum command command, FILE *to)
{
    struct str out = str_growing();

    help_of(command, &out);
    fwrite(out.p, 1, out.n, to);
    str_free(&out);
}

static bool told_client(enum option_id id)
{
    if (id == OPTION_token_file)
        client_use_token_file(optarg);
    if (id == OPTION_ca)
        client_use_ca(optarg);
    return id == OPTION_token_file || id == OPTION_ca;
}

enum option_id option_next(struct option_reader *r)
{
    if (!r->longs[0].name)
        set_up(r);
    enum option_id id;
    do {
        int found = getopt_long(r->argc, r->argv, r->letters, r->longs, NULL);
        if (found == -1)
            return OPTION_END;
        id = option_of(r, found);
    } while (told_client(id));
    if (id == OPTION_WRONG)
        print_help(r->command, stderr);
    if (id == OPTION_help) {
        print_help(r->command, stdout);
        exit(EXIT_DONE);
    }
    return id;
}

/* ---- help */

enum { HELP_WIDTH = 80, HELP_COLUMN = 25 };

/* Up to a space that is not within brackets: "[-c FILE]" stays on one line. */
static size_t word_length(struct span text)
{
    int depth = 0;
    size_t n = 0;

    check(text.n == 0 || text.p != NULL);
    for (; n < text.n && (text.p[n] != ' ' || depth > 0); n++)
        depth += text.p[n] == '[' ? 1 : text.p[n] == ']' ? -1 : 0;
    return n;
}

/* Words from column `at` on, with lines of at most HELP_WIDTH that begin at `indent`. */
static void put_filled(struct str *out, struct span text, size_t indent, size_t at)
{
    while (text.n > 0) {
        size_t n = word_length(text);
        if (at > indent && at + n + 1 > HELP_WIDTH) {
            str_char(out, '\n');
            for (at = 0; at < indent; at++)
                str_char(out, ' ');
        } else if (at > indent) {
            str_char(out, ' ');
            at++;
        }
        str_put(out, span_of(text.p, n));
        at += n;
        text = n < text.n ? span_after(text, n + 1) : span_of(NULL, 0);
    }
    str_char(out, '\n');
}

/* "  -c, --config FILE": how long it got. */
static size_t put_option(struct str *out, const struct option_row *o)
{
    size_t begin = out->n;

    if (o->letter)
        str_print(out, "  -%c, --%s", o->letter, o->name);
    else
        str_print(out, "      --%s", o->name);
    if (o->argument && o->argument[0] == '[')
        str_print(out, "[=%s", o->argument + 1);
    else if (o->argument)
        str_print(out, " %s", o->argument);
    return out->n - begin;
}

void help_of(enum command command, struct str *out)
{
    const struct command_row *c = &command_rows[command];
    struct span usage = span_from_text(c->usage);
    struct span text = span_from_text(c->text);

    for (bool first = true; first || usage.n > 0; first = false) {
        size_t n = span_find(usage, '\n');
        size_t begin = out->n;
        str_print(out, "%s evenkeel %s ", first ? "usage:" : "      ", c->name);
        put_filled(out, span_of(usage.p, n), out->n - begin, out->n - begin);
        usage = n < usage.n ? span_after(usage, n + 1) : span_of(NULL, 0);
    }
    while (text.n > 0) {
        size_t n = span_find(text, '\n');
        str_char(out, '\n');
        put_filled(out, span_of(text.p, n), 0, 0);
        text = n < text.n ? span_after(text, n + 1) : span_of(NULL, 0);
    }
    str_char(out, '\n');
    for (int i = 0; i < OPTION_COUNT; i++) {
        const struct option_row *o = &option_rows[i];
        if (!(o->of >> command & 1))
            continue;
        size_t at = put_option(out, o);
        if (at + 2 > HELP_COLUMN) {
            str_char(out, '\n');
            at = 0;
        }
        for (; at < HELP_COLUMN; at++)
            str_char(out, ' ');
        put_filled(out, span_from_text(o->help), HELP_COLUMN, at);
    }
    if (*c->exits) {
        str_literal(out, "\nExit codes:");
        put_filled(out, span_from_text(c->exits), 0, sizeof("Exit codes:") - 1);
    }
}

void help_of_all(struct str *out)
{
    str_literal(out, "evenkeel keeps your users inside their service level objectives.\n\n"
                     "usage: evenkeel COMMAND [OPTIONS]\n\n");
    for (int i = 0; i < COMMAND_COUNT; i++)
        str_print(out, "  %-10s %s\n", command_rows[i].name, command_rows[i].summary);
    str_literal(out,
                "\n'evenkeel COMMAND --help' says more. Try: evenkeel run --to 127.0.0.1:3000\n");
}
