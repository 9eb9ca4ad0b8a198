/* SPDX-License-Identifier: Apache-2.0 */
/* commands.h - every command: its name, what it does, the function that runs it. The table gives the
 * dispatch and `evenkeel --help`; options.h has the options, options.c what each --help says. A command gets its own arguments: argv[0] is its name.
 * Exit codes: 0 done, 1 it did not work, 2 it was called wrongly. */
#ifndef EK_CLI_COMMANDS_H
#define EK_CLI_COMMANDS_H

/* clang-format off */
#define COMMANDS(X) \
    X(run,      "serve: -c FILE, or --to HOST:PORT without any file") \
    X(init,     "write a configuration from nginx's and from access logs") \
    X(validate, "read a configuration and say what is wrong with it") \
    X(status,   "journeys and services of the running evenkeel") \
    X(reload,   "let the running evenkeel read its file again; a wrong one changes nothing") \
    X(backup,   "copy the running evenkeel's store to a new file") \
    X(drain,    "send an instance no new requests, by the running evenkeel") \
    X(undrain,  "take a drained instance back into service") \
    X(schema,   "the configuration language, as JSON schema or Markdown") \
    X(slo,      "how a journey's budget went; or count journeys from access logs") \
    X(version,  "which evenkeel this is") \
    X(help,     "all commands, one of them, or the manual page") \
    X(completion, "for bash, zsh or fish")
/* clang-format on */

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

#define X(name, help) int cmd_##name(int argc, char **argv);
COMMANDS(X)
#undef X

/* This build's version: "0.1.0 (39709b1)". */
extern const char evenkeel_version[];

#endif
