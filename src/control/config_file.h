/* SPDX-License-Identifier: Apache-2.0 */
/* config_file.h - from a YAML file to a configuration, with errors that say where and what was meant.
 * The language is one table (config_table.h): reading, docs/configuration.md and the JSON schema all come
 * from it. A file is read and checked whole; nothing of a wrong one comes into force.
 * Next: config_table.h, config_parse.c (YAML to a tree), config_check.c (tree against table),
 * config_build.c (tree to struct config), config_read.c, which calls them in this order. */
#ifndef EK_CONTROL_CONFIG_FILE_H
#define EK_CONTROL_CONFIG_FILE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "bus/config.h"

#include <stdio.h>

enum {
    CONFIG_BYTES_MAX = 1 << 20, /* of a file: far above what JOURNEYS_MAX needs */
    CONFIG_ERRORS_MAX = 20,     /* told at once, and as many warnings; nobody reads more */
};

/* One thing that is wrong (or doubtful) at one place of the file. */
struct config_finding {
    size_t line; /* from 1 */
    size_t column;
    bool warning;
    const char *text; /* one sentence */
};

/* What reading found, in the order of the file. Made by the reader, freed by the caller. */
struct config_report {
    const char *file;                /* as given; lent */
    struct config_finding *findings; /* at most CONFIG_ERRORS_MAX errors and as many warnings */
    size_t count;
    struct str text; /* the same as lines "file:line:column: text" */
    unsigned errors; /* all of them, also those that are not told */
    unsigned warnings;
    struct arena arena;
};

/* Reads and checks a file. On failure *ret_config is untouched, the report has the details and the error
 * is one sentence. A file that cannot be read at all gives an error without findings. The caller frees
 * both. */
err config_read_file(const char *path, struct config **ret_config, struct config_report *report);

/* The same for text in memory; `folder` is what relative paths are relative to, "" for this one. */
err config_read_text(const char *name, struct span text, const char *folder,
                     struct config **ret_config, struct config_report *report);

/* Only the admin address of a file that is right, as client.h takes it; in the arena. NULL: it is wrong, or there is none. */
const char *config_admin_of(struct arena *a, const char *path);

/* `run --to HOST:PORT`: no file. Listens on 127.0.0.1:8080; one service, one journey for everything. */
err config_for_target(const char *target, struct config **ret_config, struct config_report *report);

/* "host:port", "unix:/path": an instance with everything else by default. Its texts go into the arena. */
bool instance_parse(struct arena *a, struct span text, struct instance *ret_instance);

/* What is different in a later text of the same file, as the table's paths: "services.shop.instances". Both are
 * right. Each is told with whether it takes a restart. */
void config_compare(struct span earlier, struct span later,
                    void (*tell)(void *whom, const char *path, bool restart), void *whom);

void config_free(struct config *c);

void config_report_print(const struct config_report *report, FILE *to);
void config_report_free(struct config_report *report);

/* The language, for people and for editors. */
void config_write_markdown(FILE *to);
void config_write_schema(FILE *to);

/* How a journey judges, by what is written about it. */
struct verdict_rules config_rules(const struct journey *j);

#endif
