/* SPDX-License-Identifier: Apache-2.0 */
/* log_scan.c - reading lines, finding out their format, counting what they are. */
#include "cli/log_scan.h"

#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* ---- lines */

enum {
    BUFFER_SIZE = 1 << 20,    /* read at once */
    PROBE_BYTES = 1 << 16,    /* looked at to find out the format: */
    PROBE_LINES = 50,         /* so many lines, for the first may be cut */
    PROGRESS_LINES = 1000000, /* between two messages */
};

struct log_file {
    const char *path;
    int fd;
    char *buffer;
    size_t begin; /* of what was read and not taken */
    size_t end;
    bool ended;
    bool skipping; /* the rest of a line that is too long */
    uint64_t line; /* number of the last one taken */
};

static err open_file(const char *path, struct log_file *ret_file)
{
    struct log_file f = { .path = path, .fd = STDIN_FILENO };

    if (strcmp(path, "-") == 0)
        f.path = "standard input";
    else
        f.fd = open(path, O_RDONLY | O_CLOEXEC);
    if (f.fd < 0)
        return err_system(errno, "cannot read the log %s", path);
    f.buffer = malloc(BUFFER_SIZE);
    check(f.buffer != NULL);
    *ret_file = f;
    return OK;
}

static void close_file(struct log_file *f)
{
    free(f->buffer);
    if (f->fd != STDIN_FILENO)
        close(f->fd);
}

/* Reads more behind what is there; at the end sets `ended`. */
static err fill(struct log_file *f)
{
    if (f->begin > 0) {
        memmove(f->buffer, f->buffer + f->begin, f->end - f->begin);
        f->end -= f->begin;
        f->begin = 0;
    }
    check(f->end < BUFFER_SIZE);
    ssize_t n;
    do
        n = read(f->fd, f->buffer + f->end, BUFFER_SIZE - f->end);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_system(errno, "cannot read the log %s", f->path);
    f->ended = n == 0;
    f->end += (size_t)n;
    return OK;
}

enum taken { TAKEN_LINE, TAKEN_TOO_LONG, TAKEN_NOTHING };

/* Takes what the buffer has of a line. */
static enum taken take_buffered(struct log_file *f, char **ret_line, size_t *ret_n)
{
    char *line = f->buffer + f->begin;
    size_t have = f->end - f->begin;
    const char *newline = have ? memchr(line, '\n', have) : NULL;
    size_t n = newline ? (size_t)(newline - line) : have;

    if (!newline && !f->ended && have < LOG_LINE_MAX_READ)
        return TAKEN_NOTHING;
    if (!newline && have == 0)
        return TAKEN_NOTHING;
    f->begin += n + (newline != NULL);
    bool rest = f->skipping;
    f->skipping = !newline && !f->ended;
    if (rest)
        return f->skipping || f->begin < f->end || !f->ended ? TAKEN_TOO_LONG : TAKEN_NOTHING;
    f->line++;
    *ret_line = line;
    *ret_n = n > 0 && line[n - 1] == '\r' ? n - 1 : n;
    return n > LOG_LINE_MAX_READ || f->skipping ? TAKEN_TOO_LONG : TAKEN_LINE;
}

/* ---- formats */

void log_formats_init(struct log_formats *f)
{
    f->count = 0;
    for (size_t i = 0; log_format_name(i).n > 0; i++) {
        bool good = log_format_named(log_format_name(i), &f->list[f->count++]);
        check(good);
    }
}

static const struct log_format *find_format(const struct log_formats *f, struct span name)
{
    for (size_t i = 0; i < f->count; i++) {
        if (span_equal(f->list[i].name, name))
            return &f->list[i];
    }
    return NULL;
}

static void put_names(const struct log_formats *f, struct str *text)
{
    for (size_t i = 0; i < f->count; i++)
        str_print(text, "%s%.*s", i ? ", " : "", SPAN_ARG(f->list[i].name));
}

err log_formats_said(const char *text, const struct log_formats *known,
                     struct log_formats *ret_formats)
{
    struct span s = span_from_text(text);
    const struct log_format *found = find_format(known, s);
    enum log_escape escape = LOG_ESCAPE_DEFAULT;
    static const struct {
        struct span word;
        enum log_escape escape;
    } escapes[] = { { SPAN_INIT("escape=json "), LOG_ESCAPE_JSON },
                    { SPAN_INIT("escape=none "), LOG_ESCAPE_NONE },
                    { SPAN_INIT("escape=default "), LOG_ESCAPE_DEFAULT } };

    if (found) {
        ret_formats->list[0] = *found;
        ret_formats->count = 1;
        return OK;
    }
    if (!strchr(text, '$')) {
        struct str names = str_growing();
        put_names(known, &names);
        err e = err_make(
            "--log-format %s: neither the name of a format (%s) nor a log_format of nginx, "
            "such as '$remote_addr \"$request\" $status $request_time'",
            text, str_cstr(&names));
        str_free(&names);
        return e;
    }
    for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
        if (span_starts_with(s, escapes[i].word)) {
            escape = escapes[i].escape;
            s = span_after(s, escapes[i].word.n);
            break;
        }
    }
    const char *wrong = log_format_compile(SPAN("as said"), s, escape, &ret_formats->list[0]);
    if (wrong)
        return err_make("--log-format: %s", wrong);
    ret_formats->count = 1;
    return OK;
}

/* How many of the first lines have a format. */
static size_t score(const struct log_file *f, const struct log_format *format, char *scratch)
{
    size_t at = f->begin;
    size_t good = 0;
    struct log_line line;

    for (size_t lines = 0; lines < PROBE_LINES && at < f->end; lines++) {
        const char *begin = f->buffer + at;
        size_t n = span_find(span_of(begin, f->end - at), '\n');
        at += n + 1;
        if (n > 0 && begin[n - 1] == '\r')
            n--;
        if (n == 0 || n > LOG_LINE_MAX_READ)
            continue;
        memcpy(scratch, begin, n); /* reading undoes escapes in place */
        good += !log_line_read(format, scratch, n, &line);
    }
    return good;
}

static err no_format(const struct log_file *f, const struct log_formats *formats)
{
    struct span first = span_of(f->buffer + f->begin, f->end - f->begin);
    struct str names = str_growing();
    char shown[101];

    first.n = span_find(first, '\n');
    first.n = first.n > 100 ? 100 : first.n;
    for (size_t i = 0; i < first.n; i++)
        shown[i] = first.p[i] >= ' ' && first.p[i] < 0x7F ? first.p[i] : '?';
    shown[first.n] = '\0';
    put_names(formats, &names);
    err e = err_make(
        "%s:1: the format of this log is not known (tried: %s); say it with --log-format. It "
        "begins: %s",
        f->path, str_cstr(&names), shown);
    str_free(&names);
    return e;
}

/* The format of most of the first lines; the first of those that are equal. */
static err find_out_format(struct log_file *f, const struct log_formats *formats,
                           const struct log_format **ret_format)
{
    const struct log_format *best = &formats->list[0];
    size_t most = 0;

    check(f->buffer != NULL);
    while (!f->ended && f->end - f->begin < PROBE_BYTES)
        TRY(fill(f));
    if (f->end - f->begin >= 2 && memcmp(f->buffer + f->begin, "\x1f\x8b", 2) == 0)
        return err_make("%s is compressed: zcat %s | evenkeel ... -", f->path, f->path);
    char *scratch = malloc(LOG_LINE_MAX_READ);
    check(scratch != NULL);
    for (size_t i = 0; i < formats->count; i++) {
        size_t good = score(f, &formats->list[i], scratch);
        if (good > most) {
            most = good;
            best = &formats->list[i];
        }
    }
    free(scratch);
    if (most == 0 && f->end > f->begin)
        return no_format(f, formats);
    *ret_format = best;
    return OK;
}

/* ---- one line after the other */

static void unreadable(struct log_scan *s, const struct log_file *f, const char *why)
{
    s->seen.unreadable++;
    if (s->shown++ < LOG_SHOWN_MAX)
        fprintf(stderr, "%s:%llu: %s\n", f->path, (unsigned long long)f->line, why);
}

static void note_time(struct log_evidence *e, int64_t ms)
{
    if (!e->has_span || ms < e->from_ms)
        e->from_ms = ms;
    if (!e->has_span || ms > e->to_ms)
        e->to_ms = ms;
    e->has_span = true;
}

static void take_line(struct log_scan *s, const struct log_file *f, const struct log_format *format,
                      char *text, size_t n)
{
    struct log_evidence *e = &s->seen;
    struct log_line line;
    const char *wrong = log_line_read(format, text, n, &line);

    if (wrong) {
        unreadable(s, f, wrong);
        return;
    }
    if (s->since_ms != INT64_MIN && (!line.has_time || line.at_ms < s->since_ms)) {
        *(line.has_time ? &e->before : &e->undated) += 1;
        return;
    }
    if (line.has_time)
        note_time(e, line.at_ms);
    if (line.malformed) {
        e->malformed++;
        return;
    }
    e->requests++;
    e->untimed += !line.has_took;
    e->of_upstream += line.of_upstream;
    e->hostless += line.host.n == 0;
    s->take(s->user, &line);
}

static void tell_progress(const struct log_scan *s)
{
    if (s->progress && s->seen.lines % PROGRESS_LINES == 0)
        fprintf(stderr, "\r%llu lines", (unsigned long long)s->seen.lines);
}

static err scan_lines(struct log_scan *s, struct log_file *f, const struct log_format *format)
{
    for (;;) {
        char *line = NULL;
        size_t n = 0;
        switch (take_buffered(f, &line, &n)) {
        case TAKEN_NOTHING:
            if (f->ended)
                return OK;
            TRY(fill(f));
            break;
        case TAKEN_TOO_LONG:
            if (!line)
                break; /* the rest of one that was told */
            s->seen.lines++;
            unreadable(s, f, "a line of more than 128 KiB");
            break;
        case TAKEN_LINE:
            if (n == 0)
                break;
            s->seen.lines++;
            tell_progress(s);
            take_line(s, f, format, line, n);
            break;
        }
    }
}

err log_scan_file(struct log_scan *s, const char *path, const struct log_format **ret_format)
{
    const struct log_format *format = NULL;
    struct log_file f = {};

    TRY(open_file(path, &f));
    err e = find_out_format(&f, s->formats, &format);
    if (!e.failed)
        e = scan_lines(s, &f, format);
    if (s->progress && s->seen.lines >= PROGRESS_LINES)
        fprintf(stderr, "\r");
    close_file(&f);
    if (!e.failed && ret_format)
        *ret_format = format;
    return e;
}

/* ---- for people */

void log_scan_tell(const struct log_scan *s)
{
    const struct log_evidence *e = &s->seen;

    if (e->unreadable)
        fprintf(stderr, "evenkeel %s: %llu of %llu lines could not be read and are not counted\n",
                s->command, (unsigned long long)e->unreadable, (unsigned long long)e->lines);
    if (e->malformed)
        fprintf(stderr,
                "evenkeel %s: %llu lines tell of requests that are refused before any journey is "
                "looked for\n",
                s->command, (unsigned long long)e->malformed);
    if (e->undated)
        fprintf(stderr, "evenkeel %s: %llu lines have no time; with --since they are not counted\n",
                s->command, (unsigned long long)e->undated);
}

int64_t log_evidence_span_s(const struct log_evidence *e)
{
    return e->has_span ? (e->to_ms - e->from_ms) / 1000 : 0;
}

const char *log_span_text(int64_t span_s, char ret_text[LOG_SPAN_TEXT_MAX])
{
    double s = (double)span_s;

    if (span_s >= 86400)
        snprintf(ret_text, LOG_SPAN_TEXT_MAX, "%.1f days", s / 86400);
    else if (span_s >= 3600)
        snprintf(ret_text, LOG_SPAN_TEXT_MAX, "%.1f hours", s / 3600);
    else
        snprintf(ret_text, LOG_SPAN_TEXT_MAX, "%.0f s", s);
    return ret_text;
}

const char *log_time_text(int64_t ms, char ret_text[LOG_TIME_TEXT_MAX])
{
    time_t t = (time_t)(ms / 1000);
    struct tm tm;

    if (!gmtime_r(&t, &tm) || !strftime(ret_text, LOG_TIME_TEXT_MAX, "%Y-%m-%d %H:%M:%S", &tm))
        return "?";
    return ret_text;
}
