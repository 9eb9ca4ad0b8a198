/* SPDX-License-Identifier: Apache-2.0 */
/* adopted.h - what `evenkeel init` found out about what runs: services, routes, logs, and notes about all that
 * has no counterpart here. Made by nginx_adopt.c, written by init_write.c. All of it is one arena's. */
#ifndef EK_CLI_ADOPTED_H
#define EK_CLI_ADOPTED_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/str.h"
#include "proto/nginx_conf.h"

/* What a reader of the written file must know at this place. */
struct note {
    const char *file;
    size_t line;
    const char *text; /* without control characters, of ASCII */
    bool lost;        /* something that was configured is not translated */
    struct note *next;
};

struct notes {
    struct note *first;
    struct note *last;
};

struct adopted_timeouts {
    ns_t connect; /* 0: not said */
    ns_t read;
};

struct adopted_instance {
    const char *address;
    unsigned weight;
    struct adopted_instance *next;
};

struct adopted_service {
    const char *name;
    const char *file; /* NULL: not from a file */
    size_t line;
    struct adopted_instance *instances;
    size_t instance_count;
    const char *balance; /* as the configuration has it; NULL: in turn */
    unsigned attempts;   /* of retry; 0: not said */
    struct adopted_timeouts timeout;
    bool timed; /* timeout was set by the first route that leads here */
    bool tls;
    const char *tls_ca; /* NULL: the system's */
    const char *tls_name;
    struct notes notes;
    struct adopted_service *next;
};

struct adopted_route {
    const char *host; /* NULL: any */
    const char *path;
    struct adopted_service *service;
    struct adopted_timeouts timeout; /* what differs from the service */
    const char *file;
    size_t line;
    struct notes notes; /* with the first route of a location only */
    struct adopted_route *next;
};

struct adopted_log {
    const char *path;
    struct span format;
    struct adopted_log *next;
};

struct adopted_format {
    struct span name;
    struct span text;
    struct span escape;
    const char *file;
    size_t line;
    struct adopted_format *next;
};

struct adopted {
    struct arena *arena;
    const char *nginx; /* the main file; NULL: none */
    struct adopted_service *services;
    struct adopted_route *routes;
    struct adopted_log *logs;
    struct adopted_format *formats;
    struct notes notes;   /* about nothing below */
    struct notes servers; /* about server blocks */
    struct note *listens; /* the addresses that nginx takes */
    struct str own;       /* names of directives about nginx itself; growing */
    size_t lost;
    size_t note_count;
};

/* Beyond these only their number is told: the file that is written has an end. */
enum { NOTES_MAX = 1000 };

/* Text that may stand in a comment: one line of ASCII, cut at 200 bytes. */
const char *comment_text(struct arena *a, struct span s);

/* "file:line: text" to a list of notes. */
void add_note(struct adopted *a, struct notes *to, const struct nginx_directive *d, bool lost,
              const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
