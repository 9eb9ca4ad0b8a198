/* SPDX-License-Identifier: Apache-2.0 */
/* options.h - every option of every command, once. Reading them, --help, the manual page and the completion of shells are all
 * made from this table and from COMMAND_PAGES.
 * Always: an option that two commands take means the same in both, or has two rows. */
#ifndef EK_CLI_OPTIONS_H
#define EK_CLI_OPTIONS_H

#include "cli/commands.h"
#include "base/str.h"
#include "control/client.h"

#include <getopt.h>
#include <stdint.h>

enum command {
#define X(name, help) COMMAND_##name,
    COMMANDS(X)
#undef X
        COMMAND_COUNT,
};

#define ON(name) (UINT32_C(1) << COMMAND_##name)
#define ALL      UINT32_MAX
#define ASKING   (ON(status) | ON(reload) | ON(backup) | ON(drain) | ON(undrain) | ON(slo))

/* What stands behind it: a name in capitals ("[...]" when it may be left out), or NULL. What a shell completes there: words,
 * "@file", "@journey", "@instance", or NULL. */
/* clang-format off */
#define OPTIONS(X) \
    /* id         long          letter  behind it     completes   of            help */ \
    X(config,     "config",     'c', "FILE",      "@file",    ON(run) | ON(validate) | ON(slo), \
      "the configuration (default: evenkeel.yaml in this folder)") \
    X(target,     "to",         0,   "HOST:PORT", NULL,       ON(run), \
      "no file: forwards http://127.0.0.1:8080 to this one instance, everything else by default") \
    X(edge,       "edge",       0,   "EDGE",      "http",     ON(run), \
      "only this edge: http, the only one in this version") \
    X(nginx,      "nginx",      0,   "FILE",      "@file",    ON(init), \
      "nginx's configuration, with all that it includes") \
    X(log,        "log",        0,   "FILE",      "@file",    ON(init), \
      "an access log, - for standard input; may be given several times") \
    X(from,       "from",       0,   "LOG",       "@file",    ON(slo), \
      "counts from this access log, - for standard input; may be given several times") \
    X(log_format, "log-format", 0,   "TEXT",      "json combined vhost_combined common", ON(init) | ON(slo), \
      "json, combined, vhost_combined, common, or a log_format of nginx between quotes, for init also the name of " \
      "one; found out from the first lines unless said") \
    X(since,      "since",      0,   "DURATION",  "1h 24h 7d 28d", ON(slo), \
      "of logs only the lines of the last 24h, 7d, ... before now") \
    X(init_to,    "to",         0,   "HOST:PORT", NULL,       ON(init), \
      "an instance of the app, when nginx names none (default 127.0.0.1:3000); may be given several times") \
    X(output,     "output",     'o', "FILE",      "@file",    ON(init), \
      "what is written (default evenkeel.yaml), - for standard output") \
    X(overwrite,  "force",      0,   NULL,        NULL,       ON(init), \
      "even when it exists") \
    X(watch,      "watch",      0,   "[SECONDS]", NULL,       ON(status), \
      "a table of one line per objective, drawn anew every two seconds or as often as said (0.1 to 86400), until q or " \
      "Ctrl-C; when the output is no terminal lines are appended, with --json an object per line") \
    X(changes,    "changes",    0,   "[COUNT]",   NULL,       ON(status), \
      "instead: what was changed at run time and reloaded, by whom and why, over restarts; the last twenty, newest " \
      "first, or as many as said (1 to 10000)") \
    X(objective,  "objective",  0,   "NAME",      NULL,       ON(slo), \
      "of the journey only this objective") \
    X(under,      "under",      0,   "TIME",      "100ms 250ms 500ms 1s", ON(slo), \
      "also what a threshold of 250ms, 1.5s, ... would have meant, from the latencies of up to 28 days") \
    X(service,    "service",    0,   "NAME",      NULL,       ON(drain) | ON(undrain), \
      "when several services have the instance") \
    X(why,        "why",        0,   "TEXT",      NULL,       ON(drain) | ON(undrain) | ON(reload), \
      "the reason, for those who look later") \
    X(for_time,   "for",        0,   "TIME",      "10m 1h 1d", ON(drain), \
      "undrains by itself then") \
    X(force,      "force",      0,   NULL,        NULL,       ON(drain), \
      "also the last instance of its service") \
    X(wait,       "wait",       0,   NULL,        NULL,       ON(drain) | ON(undrain), \
      "until it is in force: nothing is under way at a drained instance, an undrained one takes requests") \
    X(patience,   "patience",   0,   "TIME",      "30s 5m 1h", ON(drain) | ON(undrain), \
      "how long to wait at most: 30s, 5m (default 10m)") \
    X(check,      "check",      0,   NULL,        NULL,       ON(backup), \
      "makes no copy: says whether FILE, a copy or a store that is not in use, is whole, and what is in it") \
    X(admin,      "admin",      0,   "HOST:PORT", NULL,       ASKING, \
      "the running evenkeel's admin address (default " CLIENT_DEFAULT_ADMIN "), also as https://HOST:PORT or " \
      "unix:/PATH") \
    X(token_file, "token-file", 0,   "FILE",      "@file",    ASKING, \
      "the token that it asks for; without this option the environment variable " CLIENT_TOKEN_ENV) \
    X(ca,         "ca",         0,   "FILE",      "@file",    ASKING, \
      "who vouches for its certificate, PEM (default: the system's authorities); the admin address is then https") \
    X(json,       "json",       0,   NULL,        NULL,       ASKING | ON(init) | ON(validate) | ON(version), \
      "the same as JSON, for programs; docs/terminal.md lists the fields") \
    X(markdown,   "markdown",   0,   NULL,        NULL,       ON(schema), \
      "as docs/configuration.md") \
    X(man,        "man",        0,   NULL,        NULL,       ON(help), \
      "the whole manual page, for man -l") \
    X(help,       "help",       'h', NULL,        NULL,       ALL, \
      "this text")
/* clang-format on */

enum option_id {
#define X(id, long_name, letter, argument, completes, of, help) OPTION_##id,
    OPTIONS(X)
#undef X
        OPTION_COUNT,
    OPTION_END = OPTION_COUNT, /* optind is the first argument that is none */
    OPTION_WRONG,              /* said, with the command's help */
};

struct option_row {
    const char *name;
    char letter; /* 0: none */
    const char *argument;
    const char *completes;
    uint32_t of;
    const char *help;
};

extern const struct option_row option_rows[OPTION_COUNT];

/* What --help and the manual page say of a command beside its options. */
struct command_row {
    const char *name;
    const char *summary;
    const char *usage; /* behind the name; a line for each way to call it */
    const char *text;  /* a paragraph per line */
    const char *exits;
    const char *completes; /* what stands without an option, as in OPTIONS */
};

extern const struct command_row command_rows[COMMAND_COUNT];

/* Room for getopt_long(): begin with argc and argv of the command, the rest cleared. */
struct option_reader {
    int argc;
    char **argv;
    enum command command;
    struct option longs[OPTION_COUNT + 1];
    char letters[2 * OPTION_COUNT + 1];
};

/* The next option; its argument is in optarg, NULL when it may be left out and was. --help prints it and ends the program;
 * --token-file and --ca are told to the client at once, and not returned. */
enum option_id option_next(struct option_reader *r);

/* ---- what is made of the tables */

/* All commands, a line each. */
void help_of_all(struct str *out);
void help_of(enum command command, struct str *out);

/* manual.c: roff with the man macros, man(7). */
void manual_write(struct str *out);

/* completion.c */
enum shell { SHELL_BASH, SHELL_ZSH, SHELL_FISH };
void completion_write(enum shell shell, struct str *out);

#endif
