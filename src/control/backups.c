/* SPDX-License-Identifier: Apache-2.0 */
/* backups.c - see backups.h. When the node stops, the next step is told to give up: only the scribe's thread may end a
 * backup. */
#include "control/backups.h"

#include "base/log.h"
#include "control/api_table.h"
#include "control/control.h"
#include "store/backup.h"

#include <jansson.h>
#include <stdlib.h>

struct backup_task {
    struct scribe_task task;
    char path[BACKUP_PATH_MAX + 1];
    struct backup *backup;
    bool give_up; /* no further step */
    bool over;
    uint32_t pages, left;
    int64_t bytes;
    err result;
};

static void run(struct scribe_task *t, struct store *s)
{
    struct backup_task *k = container_of(t, struct backup_task, task);
    bool all = false;

    if (!k->backup)
        k->result = backup_begin(s, k->path, &k->backup);
    if (k->backup && !k->give_up)
        k->result = backup_step(k->backup, &all, &k->pages, &k->left);
    k->over = k->result.failed || all || k->give_up;
    if (!k->over || !k->backup)
        return;
    err e = backup_end(k->backup, all && !k->result.failed, &k->bytes);
    k->backup = NULL;
    if (!k->result.failed)
        k->result = k->give_up ? err_make("backup %s: the node stops", k->path) : e;
}

static void tell(const struct backups *b)
{
    if (b->result.failed)
        log_warn("%s", b->result.text);
    else
        log_info("backup %s: %lld bytes in %.1f s", b->path, (long long)b->bytes,
                 (double)b->took / (double)NS_PER_S);
}

/* A step that waits counts as out: the node does not end, and the store is not renewed, in the middle of a backup. */
static void go_on(struct control *c, struct backup_task *k)
{
    bool given = control_give_task(c, &k->task);

    c->backups.waiting = given ? NULL : k;
    c->tasks_out += !given;
}

void backups_tick(struct control *c)
{
    struct backup_task *k = c->backups.waiting;

    if (!k)
        return;
    c->tasks_out--;
    k->give_up = c->state != CONTROL_SERVING;
    go_on(c, k);
}

static void done(struct scribe_task *t, void *control)
{
    struct control *c = control;
    struct backups *b = &c->backups;
    struct backup_task *k = container_of(t, struct backup_task, task);

    b->pages = k->pages;
    b->left = k->left;
    k->give_up = c->state != CONTROL_SERVING;
    if (!k->over) {
        go_on(c, k);
        return;
    }
    b->running = false;
    b->bytes = k->bytes;
    b->took = c->reactor->now - b->began;
    b->result = k->result;
    tell(b);
    free(k);
}

/* ---- addresses */

static const char *why_not(struct control *c, const char *path)
{
    size_t n = path ? strlen(path) : 0;

    if (!path)
        return "a body such as {\"path\": \"/backups/evenkeel.db\"} was expected";
    if (n < 4 || strcmp(path + n - 3, ".db") != 0)
        return "the name of the copy must end in .db";
    if (path[0] != '/' || n < 5 || n > BACKUP_PATH_MAX)
        return "the path must be absolute, and at most 4000 bytes long";
    if (c->backups.running)
        return "a backup is under way already";
    if (c->state != CONTROL_SERVING)
        return "this node is stopping";
    return NULL;
}

static bool begin(struct control *c, const char *path)
{
    struct backup_task *k = calloc(1, sizeof(*k));

    check(k != NULL);
    k->task = (struct scribe_task){ .run = run, .done = done };
    snprintf(k->path, sizeof(k->path), "%s", path);
    if (!control_give_task(c, &k->task)) {
        free(k);
        return false;
    }
    struct backups *b = &c->backups;
    *b = (struct backups){ .serial = b->serial + 1, .running = true, .began = c->reactor->now };
    snprintf(b->path, sizeof(b->path), "%s", path);
    return true;
}

static void write_json(json_t *o, struct str *out)
{
    char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;

    check(text != NULL);
    str_print(out, "%s\n", text);
    free(text);
    json_decref(o);
}

void api_backup(struct api_call *k)
{
    struct control *c = k->control;
    json_t *body = json_loadb(k->body.p ? k->body.p : "", k->body.n, 0, NULL);
    const char *path = json_string_value(json_object_get(body, "path"));
    const char *wrong = why_not(c, path);

    k->status = wrong ? (path && path[0] == '/' && (c->backups.running) ? 409 : 400) : 202;
    if (!wrong && !begin(c, path)) {
        wrong = "the store is busy with something else; try again";
        k->status = 503;
    }
    write_json(wrong ? json_pack("{s:s}", "error", wrong)
                     : json_pack("{s:s, s:I}", "done", "the backup has begun", "serial",
                                 (json_int_t)c->backups.serial),
               &k->out);
    json_decref(body);
}

void api_backup_state(struct api_call *k)
{
    const struct backups *b = &k->control->backups;
    const char *state = b->serial == 0     ? "none"
                        : b->running       ? "running"
                        : b->result.failed ? "failed"
                                           : "done";

    write_json(json_pack("{s:s, s:I, s:s, s:I, s:I, s:I, s:f, s:s*}", "state", state, "serial",
                         (json_int_t)b->serial, "path", b->path, "pages", (json_int_t)b->pages,
                         "pages_left", (json_int_t)b->left, "bytes", (json_int_t)b->bytes, "took_s",
                         (double)b->took / (double)NS_PER_S, "error",
                         b->result.failed ? b->result.text : NULL),
               &k->out);
}
