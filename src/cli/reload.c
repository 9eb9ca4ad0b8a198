/* SPDX-License-Identifier: Apache-2.0 */
/* reload.c - `evenkeel reload`: lets the running program read its file again, and says what became of it. */
#include "cli/asking.h"
#include "cli/commands.h"
#include "control/client.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WAIT_S = 90 }; /* longer than the program itself tries */

/* Asks; *ret_serial is the run to wait for. */
static err ask(const struct asking *a, json_int_t *ret_serial)
{
    json_t *who = json_pack("{s:s, s:s*}", "who", asking_who(), "why", a->why);
    char *text = who ? json_dumps(who, JSON_COMPACT) : NULL;
    struct str body;
    unsigned status = 0;

    json_decref(who);
    if (!text)
        return err_make("an argument is not UTF-8");
    err e = client_tell(a->admin, "POST", "/api/v1/reload", text, &status, &body);
    free(text);

    if (!e.failed) {
        json_t *o = json_loadb(body.p ? body.p : "", body.n, 0, NULL);
        const char *error = json_string_value(json_object_get(o, "error"));
        *ret_serial = json_integer_value(json_object_get(o, "serial"));
        if (status != 202)
            e = err_make("%s", error ? error : "it does not know how to reload");
        json_decref(o);
    }
    str_free(&body);
    return e;
}

static err look(const char *admin, json_t **ret_last)
{
    struct str body;
    err e = client_get(admin, "/api/v1/reload", &body);

    if (!e.failed) {
        json_t *o = json_loadb(body.p, body.n, 0, NULL);
        *ret_last = json_incref(json_object_get(o, "last"));
        json_decref(o);
    }
    str_free(&body);
    return e;
}

static err wait_for(const char *admin, json_int_t serial, json_t **ret_last)
{
    const struct timespec pause = { .tv_nsec = 20 * 1000000L };
    const time_t until = time(NULL) + WAIT_S;

    while (time(NULL) < until) {
        json_t *last = NULL;
        err e = look(admin, &last);
        if (e.failed)
            return e;
        if (json_integer_value(json_object_get(last, "serial")) >= serial) {
            *ret_last = last;
            return OK;
        }
        json_decref(last);
        nanosleep(&pause, NULL);
    }
    return err_make("it is still under way after %d s; `evenkeel status` and its messages say more",
                    WAIT_S);
}

static const char *text_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static void print_outcome(const json_t *last)
{
    bool good = json_is_true(json_object_get(last, "good"));
    FILE *to = good ? stdout : stderr;

    fputs(text_of(last, "findings"), to);
    if (!good) {
        fprintf(to, "evenkeel: %s\n", text_of(last, "error"));
        return;
    }
    const char *changed = text_of(last, "changed");
    const char *restart = text_of(last, "needs_restart");
    printf("reloaded; changed: %s\n", *changed ? changed : "nothing");
    if (*restart)
        printf("these take a restart and stay as they were: %s\n", restart);
    fputs(text_of(last, "counts"), stdout);
}

int cmd_reload(int argc, char **argv)
{
    struct asking o;
    json_int_t serial = 0;
    json_t *last = NULL;
    int usage = asking_read(argc, argv, &o,
                            ": the file is the one that the running evenkeel was started with");

    if (usage != EXIT_DONE)
        return usage;
    err e = ask(&o, &serial);
    if (!e.failed)
        e = wait_for(o.admin, serial, &last);
    if (e.failed) {
        fprintf(stderr, "evenkeel: %s\n", e.text);
        return EXIT_FAILED;
    }
    if (o.json) {
        json_dumpf(last, stdout, JSON_INDENT(2));
        printf("\n");
    } else {
        print_outcome(last);
    }
    int code = json_is_true(json_object_get(last, "good")) ? EXIT_DONE : EXIT_FAILED;
    json_decref(last);
    return code;
}
