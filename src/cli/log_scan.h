/* SPDX-License-Identifier: Apache-2.0 */
/* log_scan.h - access logs from the first line to the last: files, their formats, what was read of them.
 * Always: memory is two buffers, however large the log is; a line that cannot be read is counted, and the
 * first few are shown. Next: log_judge.h, what a line counts as. */
#ifndef EK_CLI_LOG_SCAN_H
#define EK_CLI_LOG_SCAN_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "proto/log_line.h"

enum {
    LOG_FORMATS_MAX = 64,        /* of one nginx configuration */
    LOG_LINE_MAX_READ = 1 << 17, /* bytes of a line: four heads as large as the edge takes */
    LOG_SHOWN_MAX = 5,           /* unreadable lines that are told one by one */
};

/* Formats that a log may have, in the order of preference. */
struct log_formats {
    struct log_format list[LOG_FORMATS_MAX];
    size_t count;
};

/* Those that have a name. */
void log_formats_init(struct log_formats *f);

/* `text`: the name of a usual format, of one of `known`, or a log_format of nginx ("escape=json " may stand
 * before it). *ret_formats then holds this one only. */
err log_formats_said(const char *text, const struct log_formats *known,
                     struct log_formats *ret_formats);

/* What was read. Times are milliseconds since 1970. */
struct log_evidence {
    uint64_t lines;       /* that are not empty */
    uint64_t requests;    /* lines that were read, and are requests */
    uint64_t unreadable;  /* not in the format of their file, or too long */
    uint64_t malformed;   /* requests that an edge refuses before it looks for a journey */
    uint64_t before;      /* older than was asked for */
    uint64_t undated;     /* without a time when one was asked for */
    uint64_t untimed;     /* requests that do not say how long they took */
    uint64_t of_upstream; /* requests that say only what instances took */
    uint64_t hostless;
    bool has_span;
    int64_t from_ms;
    int64_t to_ms;
};

/* Seconds from the first request to the last; 0 when the log does not say. */
int64_t log_evidence_span_s(const struct log_evidence *e);

/* "2.1 days", "3.5 hours", "40 s". */
enum { LOG_SPAN_TEXT_MAX = 48 };
const char *log_span_text(int64_t span_s, char ret_text[LOG_SPAN_TEXT_MAX]);

/* "2024-01-31 12:00:00" in UTC. */
enum { LOG_TIME_TEXT_MAX = 32 };
const char *log_time_text(int64_t ms, char ret_text[LOG_TIME_TEXT_MAX]);

typedef void log_taker(void *user, const struct log_line *line);

struct log_scan {
    const char *command; /* for messages */
    const struct log_formats *formats;
    int64_t since_ms; /* lines before are not looked at; INT64_MIN: all are */
    log_taker *take;
    void *user;
    struct log_evidence seen;
    uint64_t shown;
    bool progress; /* tells how far it is on standard error */
};

/* Reads one file ("-": standard input) and hands over its requests. *ret_format (or NULL): which of the
 * formats it has. */
err log_scan_file(struct log_scan *s, const char *path, const struct log_format **ret_format);

/* What could not be read, on standard error. */
void log_scan_tell(const struct log_scan *s);

#endif
