/* SPDX-License-Identifier: Apache-2.0 */
/* watch.c - `evenkeel status --watch`: asks again and again. On a terminal one table is drawn anew where it stands; anywhere
 * else lines are appended.
 * Always: whatever ends it, the terminal is as it was; an evenkeel that is away is waited for. */
#include "cli/cells.h"
#include "cli/commands.h"
#include "cli/status.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

struct watching {
    const struct watch_options *o;
    struct status last; /* what was known last */
    bool known;
    time_t away_since; /* 0: it answers */
    bool headed;       /* the columns' names were appended */
    size_t drawn;      /* lines of the frame that stands there */
};

/* ---- the terminal, also out of signal handlers: only write(), tcsetattr(), sigaction() and raise(), signal-safety(7) */

static struct termios as_it_was;
static volatile sig_atomic_t keys_taken;
static volatile sig_atomic_t resized;

static void put_raw(const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t done = write(STDOUT_FILENO, bytes, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return; /* the terminal is gone; the next signal ends us */
        bytes += done;
        n -= (size_t)done;
    }
}

#define HIDE_CURSOR "\033[?25l"
#define SHOW_CURSOR "\033[?25h"

/* Single keys, not shown; the cursor does not blink in the table. */
static void terminal_take(void)
{
    struct termios t = as_it_was;

    put_raw(HIDE_CURSOR, sizeof(HIDE_CURSOR) - 1);
    if (keys_taken) {
        t.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        tcsetattr(STDIN_FILENO, TCSANOW, &t);
    }
}

static void terminal_give_back(void)
{
    put_raw(SHOW_CURSOR, sizeof(SHOW_CURSOR) - 1);
    if (keys_taken)
        tcsetattr(STDIN_FILENO, TCSANOW, &as_it_was);
}

/* It ends by the same signal, so that a shell sees what happened (a loop around us ends too). */
static void on_end(int number)
{
    struct sigaction standard = { .sa_handler = SIG_DFL };

    terminal_give_back();
    sigaction(number, &standard, NULL);
    raise(number);
}

static void on_stop(int number)
{
    int kept = errno;

    (void)number;
    terminal_give_back();
    raise(SIGSTOP); /* until somebody continues us */
    terminal_take();
    resized = 1;
    errno = kept;
}

static void on_resize(int number)
{
    (void)number;
    resized = 1;
}

static void terminal_begin(void)
{
    static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
    struct sigaction end = { .sa_handler = on_end, .sa_flags = (int)SA_RESETHAND };
    struct sigaction stop = { .sa_handler = on_stop };
    struct sigaction resize = { .sa_handler = on_resize };

    keys_taken = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &as_it_was) == 0;
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        sigaction(ends[i], &end, NULL);
    sigaction(SIGTSTP, &stop, NULL);
    sigaction(SIGWINCH, &resize, NULL);
    terminal_take();
}

static struct watch_view terminal_size(const struct watch_options *o)
{
    struct winsize size = {};

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
        size = (struct winsize){ .ws_col = 80, .ws_row = 24 };
    return (struct watch_view){ .columns = size.ws_col, .rows = size.ws_row, .color = o->color };
}

/* ---- what is shown */

static const char *clock_text(time_t at, bool with_date, char ret_text[CELL_TEXT_MAX])
{
    struct tm local;

    localtime_r(&at, &local);
    if (with_date)
        strftime(ret_text, CELL_TEXT_MAX, "%Y-%m-%dT%H:%M:%S%z", &local);
    else
        strftime(ret_text, CELL_TEXT_MAX, "%H:%M:%S", &local);
    return ret_text;
}

static const char *away_text(const struct watching *w, char *ret_text, size_t size)
{
    char since[CELL_TEXT_MAX];

    snprintf(ret_text, size, "no evenkeel answers at %s since %s; asked again every %g s",
             w->o->admin, clock_text(w->away_since, false, since), w->o->every_s);
    return ret_text;
}

static void put_head(const struct watching *w, const struct watch_view *v, struct str *out)
{
    char text[256];
    char span[CELL_TEXT_MAX];
    char clock[CELL_TEXT_MAX];

    snprintf(text, sizeof(text), "%s  every %g s, q ends it  %s for %s  evenkeel %s  node %s",
             clock_text(time(NULL), false, clock), w->o->every_s,
             text_of(w->last.journeys, "state"),
             cell_span((double)count_of(w->last.journeys, "uptime_s"), span),
             text_of(w->last.journeys, "version"), text_of(w->last.journeys, "node"));
    cell_put(out, text, cell_width(text) < v->columns ? cell_width(text) : v->columns, false);
    str_literal(out, "\n\n");
}

enum { LINES_ABOVE = 2, LINES_AWAY = 2, LINE_OF_CURSOR = 1 };

static void put_frame(const struct watching *w, const struct watch_view *v, struct str *out)
{
    struct watch_view inner = *v;
    size_t around = LINES_ABOVE + LINE_OF_CURSOR + (w->away_since ? LINES_AWAY : 0);
    char text[256];

    inner.rows = v->rows > around ? v->rows - around : 1;
    if (w->known) {
        put_head(w, v, out);
        watch_table(&w->last, &inner, out);
    }
    if (w->away_since) {
        away_text(w, text, sizeof(text));
        if (w->known)
            str_char(out, '\n');
        cell_put_color(out, text, cell_width(text) < v->columns ? cell_width(text) : v->columns,
                       false, v->color ? CELL_RED : CELL_PLAIN);
        str_char(out, '\n');
    }
}

/* Over the one that stands there, in one write, line by line: nothing flickers. */
static void draw(struct watching *w)
{
    struct watch_view v = terminal_size(w->o);
    struct str frame = str_growing();
    struct str out = str_growing();

    if (resized)
        str_literal(&out, "\033[H\033[2J"); /* lines were wrapped anew: begin at the top */
    else if (w->drawn)
        str_print(&out, "\033[%zuA\r", w->drawn);
    resized = 0;
    w->drawn = 0;
    put_frame(w, &v, &frame);
    struct span rest = str_span(&frame);
    while (rest.n > 0 && w->drawn + LINE_OF_CURSOR < v.rows) {
        size_t n = span_find(rest, '\n');
        str_put(&out, span_of(rest.p, n));
        str_literal(&out, "\033[K\n");
        rest = span_after(rest, n + 1);
        w->drawn++;
    }
    str_literal(&out, "\033[J");
    put_raw(out.p, out.n);
    str_free(&frame);
    str_free(&out);
}

static void append(struct watching *w, bool was_away)
{
    struct str out = str_growing();
    char clock[CELL_TEXT_MAX];
    char text[256];

    clock_text(time(NULL), true, clock);
    if (!w->away_since)
        watch_lines(&w->last, clock, !w->headed, &out);
    else if (!was_away) /* once, not each time */
        str_print(&out, "%s %s\n", clock, away_text(w, text, sizeof(text)));
    w->headed |= !w->away_since;
    if (was_away && !w->away_since && w->known)
        printf("%s evenkeel answers again\n", clock);
    if (out.n)
        fwrite(out.p, 1, out.n, stdout);
    str_free(&out);
}

/* One object per line. */
static void append_json(const struct watching *w)
{
    json_t *o = w->away_since ? json_object() : status_json(&w->last);

    json_object_set_new(o, "at", json_integer((json_int_t)time(NULL)));
    json_object_set_new(o, "answers", json_boolean(!w->away_since));
    json_dumpf(o, stdout, JSON_COMPACT | JSON_REAL_PRECISION(12));
    printf("\n");
    json_decref(o);
}

/* ---- */

static void look(struct watching *w)
{
    struct status s;
    err e = status_get(w->o->admin, &s);

    if (e.failed) {
        if (!w->away_since)
            w->away_since = time(NULL);
        return;
    }
    if (w->known)
        status_forget(&w->last);
    w->last = s;
    w->known = true;
    w->away_since = 0;
}

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Until it is time to ask again. A key that is no 'q' asks at once. False: 'q'. */
static bool pause_until(struct watching *w, double until, bool terminal)
{
    struct pollfd keys = { .fd = keys_taken ? STDIN_FILENO : -1, .events = POLLIN };
    double left;

    while ((left = until - now_s()) > 0) {
        char key;
        int n = poll(&keys, 1, (int)(left * 1000) + 1);
        if (terminal && resized)
            draw(w);
        if (n <= 0)
            continue;
        if (read(STDIN_FILENO, &key, 1) != 1)
            keys.fd = -1; /* nobody types any more */
        else
            return key != 'q' && key != 'Q';
    }
    return true;
}

static bool show(struct watching *w, bool terminal, bool was_away)
{
    if (terminal)
        draw(w);
    else if (w->o->json)
        append_json(w);
    else
        append(w, was_away);
    return terminal || fflush(stdout) == 0; /* a reader that is gone ends it */
}

int watch(const struct watch_options *o)
{
    struct watching w = { .o = o };
    bool terminal = terminal_moves() && !o->json;
    bool going = true;

    if (terminal)
        terminal_begin();
    while (going) {
        bool was_away = w.away_since != 0;
        double begin = now_s();
        look(&w);
        going = show(&w, terminal, was_away) && pause_until(&w, begin + o->every_s, terminal);
    }
    if (terminal)
        terminal_give_back();
    int code = w.known && !w.away_since && status_all_met(&w.last) ? EXIT_DONE : EXIT_FAILED;
    if (w.known)
        status_forget(&w.last);
    return code;
}
