/* SPDX-License-Identifier: Apache-2.0 */
/* backup.c - `evenkeel backup FILE`: the running program copies its store; we wait, and say how large it is. With --check
 * the file is one that is there, and backup_check.c looks at it. */
#include "cli/answers.h"
#include "cli/asking.h"
#include "cli/backup_check.h"
#include "cli/commands.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct backup_options {
    struct asking asked;
    const char *file;
};

static int read_options(int argc, char **argv, struct backup_options *o)
{
    int usage = asking_read_one(argc, argv, &o->asked, &o->file);

    if (usage != EXIT_DONE || o->file)
        return usage;
    fprintf(stderr, "evenkeel backup: one file is expected, %s\n",
            o->asked.check ? "the one to be checked" : "where the copy goes");
    return EXIT_USAGE;
}

/* The running program has another folder than we. */
static err absolute(const char *file, struct str *ret)
{
    char folder[4096];

    if (file[0] == '/') {
        str_print(ret, "%s", file);
        return OK;
    }
    if (!getcwd(folder, sizeof(folder)))
        return err_make("this folder has no name; name the file with its whole path");
    str_print(ret, "%s/%s", folder, file);
    return OK;
}

static err begin(const struct backup_options *o, json_int_t *ret_serial)
{
    struct str path = str_growing();
    struct str body = str_growing();
    unsigned status = 0;
    err e = absolute(o->file, &path);
    json_t *wish = e.failed ? NULL : json_pack("{s:s}", "path", str_cstr(&path));
    char *text = wish ? json_dumps(wish, JSON_COMPACT) : NULL;

    if (!e.failed && !text)
        e = err_make("the file's name is not UTF-8");
    if (!e.failed)
        e = client_tell(o->asked.admin, "POST", "/api/v1/backup", text, &status, &body);
    if (!e.failed) {
        json_t *answer = json_loadb(body.p ? body.p : "", body.n, 0, NULL);
        const char *error = json_string_value(json_object_get(answer, "error"));
        *ret_serial = count_of(answer, "serial");
        if (status != 202)
            e = err_make("%s", error ? error : "it does not know how to make a backup");
        json_decref(answer);
    }
    str_free(&body);
    str_free(&path);
    free(text);
    json_decref(wish);
    return e;
}

/* However long it takes: it ends by itself, and so do we when nobody answers. */
static err wait_for(const struct backup_options *o, json_int_t serial, json_t **ret_last)
{
    const struct timespec pause = { .tv_nsec = 50 * 1000000L };

    for (;;) {
        json_t *now = NULL;
        err e = answer_get(o->asked.admin, "/api/v1/backup", &now);
        if (e.failed)
            return e;
        if (count_of(now, "serial") != serial) {
            json_decref(now);
            return err_make("another backup was begun, or it started anew; look at its messages");
        }
        if (strcmp(text_of(now, "state"), "running") != 0) {
            *ret_last = now;
            return OK;
        }
        json_decref(now);
        nanosleep(&pause, NULL);
    }
}

int cmd_backup(int argc, char **argv)
{
    struct backup_options o = {};
    json_int_t serial = 0;
    json_t *last = NULL;
    int usage = read_options(argc, argv, &o);

    if (usage != EXIT_DONE)
        return usage;
    if (o.asked.check)
        return backup_check(o.file, o.asked.json);
    err e = begin(&o, &serial);
    if (!e.failed)
        e = wait_for(&o, serial, &last);
    if (e.failed) {
        fprintf(stderr, "evenkeel: %s\n", e.text);
        return EXIT_FAILED;
    }
    bool good = strcmp(text_of(last, "state"), "done") == 0;
    if (o.asked.json)
        print_json(last);
    else if (good)
        printf("%s: %lld bytes in %.1f s\n", text_of(last, "path"),
               (long long)count_of(last, "bytes"),
               json_number_value(json_object_get(last, "took_s")));
    else
        fprintf(stderr, "evenkeel: %s\n", text_of(last, "error"));
    json_decref(last);
    return good ? EXIT_DONE : EXIT_FAILED;
}
