/* SPDX-License-Identifier: Apache-2.0 */
/* life_sign.c - one line of fixed width, written over again and again. */
#include "control/life_sign.h"

#include "base/check.h"
#include "base/log.h"
#include "base/str.h"
#include "store/store.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 160 };

#define MS_MOST (UINT64_C(1) << 50) /* no clock is further */

static char *path_of(const char *store_path)
{
    struct str path = str_growing();

    str_print(&path, "%s-life", store_path);
    char *copy = strdup(str_cstr(&path));
    check(copy != NULL);
    str_free(&path);
    return copy;
}

/* "" when this kernel does not tell; then no file is believed. */
static void read_boot(char ret_boot[LIFE_SIGN_BOOT + 1])
{
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

    ret_boot[0] = '\0';
    if (f && fscanf(f, "%36s", ret_boot) != 1)
        ret_boot[0] = '\0';
    if (f)
        fclose(f);
}

/* The next of a line; empty behind the last. */
static struct span word(struct span *rest)
{
    size_t n = span_find(*rest, ' ');
    struct span w = span_of(rest->p, n);

    *rest = span_after(*rest, n + 1);
    return w;
}

static bool understand(struct span line, const char *node, struct life_said *ret)
{
    uint64_t lived, stored;
    char boot[LIFE_SIGN_BOOT + 1];

    if (line.n == 0 || line.p[line.n - 1] != '\n' || !span_to_u64(word(&line), &lived) ||
        !span_to_u64(word(&line), &stored) || lived > MS_MOST || stored > MS_MOST)
        return false;
    read_boot(boot);
    *ret = (struct life_said){ .lived_ms = (int64_t)lived, .stored_ms = (int64_t)stored };
    struct span said_node = word(&line);
    struct span said_boot = span_of(line.p, line.n ? line.n - 1 : 0);
    return lived > 0 && boot[0] && span_equal(said_node, span_from_text(node)) &&
           span_equal(said_boot, span_from_text(boot));
}

bool life_sign_read(const char *store_path, const char *node, struct life_said *ret)
{
    char *path = path_of(store_path);
    FILE *f = fopen(path, "re");
    char line[LINE_MAX_BYTES] = "";

    free(path);
    if (!f)
        return false;
    bool read = fgets(line, sizeof(line), f) != NULL;
    fclose(f);
    return read && understand(span_from_text(line), node, ret);
}

static void write_line(struct life_sign *l, ns_t wall)
{
    char line[LINE_MAX_BYTES];
    int n = snprintf(line, sizeof(line), "%015" PRId64 " %015" PRId64 " %s %s\n", wall / NS_PER_MS,
                     atomic_load(&l->stored_ms), l->node, l->boot);

    check(n > 0 && (size_t)n < sizeof(line));
    ssize_t done = pwrite(l->fd, line, (size_t)n, 0);
    (void)done; /* what is missing then is not known at the next start */
}

void life_sign_open(struct life_sign *l, const char *store_path, const char *node, ns_t wall)
{
    *l = (struct life_sign){ .fd = -1, .path = path_of(store_path) };
    snprintf(l->node, sizeof(l->node), "%s", node);
    read_boot(l->boot);
    l->fd = open(l->path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (l->fd >= 0)
        write_line(l, wall);
}

void life_sign_stored(struct life_sign *l, int64_t unix_ms)
{
    atomic_store(&l->stored_ms, unix_ms);
}

void life_sign_tick(struct life_sign *l, ns_t now, ns_t wall)
{
    if (l->fd < 0 || now - l->written < LIFE_SIGN_EVERY)
        return;
    write_line(l, wall);
    l->written = now;
}

void life_sign_close(struct life_sign *l, bool in_order)
{
    if (l->fd >= 0)
        close(l->fd);
    if (l->fd >= 0 && in_order)
        unlink(l->path);
    free(l->path);
    *l = (struct life_sign){ .fd = -1 };
}

/* ---- at a start */

static int64_t between(int64_t n, int64_t least, int64_t most)
{
    return n < least ? least : n > most ? most : n;
}

/* The store knows the second until which all is in it, the file its milliseconds. One that speaks of another second belongs
 * to a newer or older copy of the store: then the store's own word counts. */
struct loss life_sign_loss(int64_t stored, const struct life_said *said, int64_t now_ms)
{
    int64_t from =
        said ? between(said->stored_ms, stored * 1000, stored * 1000 + 999) : stored * 1000;
    struct loss l = { .stored_ms = from < now_ms ? from : now_ms, .back_ms = now_ms };

    if (said && said->lived_ms >= stored * 1000)
        l.lived_ms = between(said->lived_ms + LIFE_SIGN_SLACK / NS_PER_MS, l.stored_ms, now_ms);
    return l;
}

static void put_time(int64_t ms, char *ret_text, size_t size)
{
    time_t s = (time_t)(ms / 1000);
    struct tm tm;
    char seconds[32];

    check(gmtime_r(&s, &tm));
    check(strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &tm) > 0);
    snprintf(ret_text, size, "%s.%03dZ", seconds, (int)(ms % 1000));
}

void loss_tell(const struct loss *l, char *ret_text, size_t size)
{
    char from[48];

    put_time(l->stored_ms, from, sizeof(from));
    if (l->lived_ms)
        snprintf(ret_text, size,
                 "counts of at most %.2f s are lost, from %s on; then nothing ran for %.2f s; "
                 "neither is measured",
                 (double)(l->lived_ms - l->stored_ms) / 1000, from,
                 (double)(l->back_ms - l->lived_ms) / 1000);
    else
        snprintf(ret_text, size,
                 "what was counted from %s on is lost, and for how long it still ran is not known; "
                 "%.2f s are not measured",
                 from, (double)(l->back_ms - l->stored_ms) / 1000);
}

err life_sign_look_back(struct store *s, const char *store_path, int64_t now_ms)
{
    struct life_said said;
    int64_t stored;
    char text[256];
    bool lost;

    TRY(loss_look(s, &lost, &stored));
    if (!lost)
        return OK;
    bool known = life_sign_read(store_path, store_node(s), &said);
    struct loss l = life_sign_loss(stored, known ? &said : NULL, now_ms);
    loss_tell(&l, text, sizeof(text));
    log_warn("the last run did not end in order: %s", text);
    return loss_keep(s, &l);
}
