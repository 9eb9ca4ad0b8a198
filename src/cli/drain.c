/* SPDX-License-Identifier: Apache-2.0 */
/* drain.c - `evenkeel drain` and `evenkeel undrain`: an instance gets no new requests, or gets them again. */
#include "cli/asking.h"
#include "cli/options.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct options {
    const char *change; /* "drain" or "undrain" */
    const char *admin;
    const char *instance;
    const char *service;
    const char *why;
    long for_s;
    long patience_s;
    bool wait;
    bool force;
    bool json;
};

/* "30s", "5m", "2h"; 0 when it is none. */
static long seconds_of(const char *text)
{
    char *end;
    long n = strtol(text, &end, 10);
    long factor = strcmp(end, "s") == 0   ? 1
                  : strcmp(end, "m") == 0 ? 60
                  : strcmp(end, "h") == 0 ? 3600
                  : strcmp(end, "d") == 0 ? 86400
                                          : 0;
    return n > 0 && n < 100000000 && end != text ? n * factor : 0;
}

/* False: it is no time, which was said. */
static bool read_time(const struct options *o, const char *option, long *ret)
{
    *ret = seconds_of(optarg);
    if (*ret == 0)
        fprintf(stderr, "evenkeel %s: %s %s: a time such as 30s, 5m or 2h was expected\n",
                o->change, option, optarg);
    return *ret != 0;
}

static int read_options(int argc, char **argv, struct options *o)
{
    struct option_reader r = { .argc = argc, .argv = argv };
    bool good = true;
    enum option_id id;

    while (good && (id = option_next(&r)) != OPTION_END) {
        switch ((int)id) {
        case OPTION_admin: o->admin = optarg; break;
        case OPTION_service: o->service = optarg; break;
        case OPTION_why: o->why = optarg; break;
        case OPTION_for_time: good = read_time(o, "--for", &o->for_s); break;
        case OPTION_patience: good = read_time(o, "--patience", &o->patience_s); break;
        case OPTION_wait: o->wait = true; break;
        case OPTION_force: o->force = true; break;
        case OPTION_json: o->json = true; break;
        default: return EXIT_USAGE;
        }
    }
    if (!good)
        return EXIT_USAGE;
    if (optind + 1 != argc) {
        fprintf(stderr,
                optind == argc ? "evenkeel %s: which instance? `evenkeel status` shows them\n"
                               : "evenkeel %s: one instance at a time\n",
                o->change);
        return EXIT_USAGE;
    }
    o->instance = argv[optind];
    return EXIT_DONE;
}

/* The program's answer; the caller frees it. */
static err tell(const struct options *o, unsigned *ret_status, json_t **ret_answer)
{
    json_t *wish =
        json_pack("{s:s, s:s, s:s*, s:s, s:s*, s:b}", "change", o->change, "instance", o->instance,
                  "service", o->service, "who", asking_who(), "why", o->why, "force", o->force);
    struct str body;

    if (!wish)
        return err_make("an argument is not UTF-8");
    if (o->for_s)
        json_object_set_new(wish, "for_s", json_integer(o->for_s));
    char *text = json_dumps(wish, JSON_COMPACT);
    err e = client_tell(o->admin, "POST", "/api/v1/changes", text, ret_status, &body);
    if (!e.failed) {
        *ret_answer = json_loadb(body.p ? body.p : "", body.n, 0, NULL);
        if (!*ret_answer)
            e = err_make("%s/api/v1/changes answered %u: %.*s", o->admin, *ret_status,
                         (int)span_find(str_span(&body), '\n'), body.p ? body.p : "");
    }
    str_free(&body);
    free(text);
    json_decref(wish);
    return e;
}

/* ---- waiting */

static bool is_meant(const struct options *o, const json_t *service, const json_t *instance)
{
    const char *name = json_string_value(json_object_get(service, "name"));
    const char *address = json_string_value(json_object_get(instance, "address"));
    const char *from = json_string_value(json_object_get(instance, "name"));

    return (!o->service || (name && strcmp(name, o->service) == 0)) &&
           ((address && strcmp(address, o->instance) == 0) ||
            (from && strcasecmp(from, o->instance) == 0));
}

/* What is still to be waited for, in words for people, or NULL. */
static const char *what_is_left(const struct options *o, const json_t *root)
{
    bool drain = strcmp(o->change, "drain") == 0;
    size_t s;
    json_t *service;

    if (json_is_false(json_object_get(root, "adopted")))
        return "the threads have not taken the change over";
    json_array_foreach (json_object_get(root, "services"), s, service) {
        size_t i;
        json_t *instance;
        json_array_foreach (json_object_get(service, "instances"), i, instance) {
            const char *state = json_string_value(json_object_get(instance, "state"));
            if (!is_meant(o, service, instance))
                continue;
            if (json_is_true(json_object_get(instance, "drained")) != drain)
                return "the change is not in force";
            if (drain && json_integer_value(json_object_get(instance, "in_flight")) > 0)
                return "requests are still under way there";
            if (!drain && state && strcmp(state, "up") != 0 && strcmp(state, "observed") != 0)
                return "the instance is not up";
        }
    }
    return NULL;
}

static err wait_until_done(const struct options *o)
{
    const struct timespec pause = { .tv_nsec = 50 * 1000000L };
    const time_t until = time(NULL) + o->patience_s;
    const char *left = "nothing was heard of it";

    do {
        struct str body;
        err e = client_get(o->admin, "/api/v1/services", &body);
        json_t *root = e.failed ? NULL : json_loadb(body.p, body.n, 0, NULL);
        str_free(&body);
        if (e.failed)
            return e;
        left = what_is_left(o, root);
        json_decref(root);
        if (!left)
            return OK;
        nanosleep(&pause, NULL);
    } while (time(NULL) < until);
    return err_make("after %ld s %s", o->patience_s, left);
}

/* ---- */

static void print_answer(const struct options *o, unsigned status, const json_t *answer)
{
    const char *done = json_string_value(json_object_get(answer, "done"));
    const char *error = json_string_value(json_object_get(answer, "error"));

    if (o->json) {
        json_dumpf(answer, stdout, JSON_INDENT(2));
        printf("\n");
    } else if (status < 300) {
        printf("%s\n", done ? done : "done");
    } else {
        fprintf(stderr, "evenkeel: %s\n", error ? error : "refused");
    }
}

static int change(int argc, char **argv, const char *what)
{
    struct options o = { .change = what, .admin = CLIENT_DEFAULT_ADMIN, .patience_s = 600 };
    unsigned status = 0;
    json_t *answer = NULL;
    int usage = read_options(argc, argv, &o);

    if (usage != EXIT_DONE)
        return usage;
    err e = tell(&o, &status, &answer);
    if (!e.failed) {
        print_answer(&o, status, answer);
        json_decref(answer);
        if (status >= 300)
            return EXIT_FAILED;
        if (o.wait)
            e = wait_until_done(&o);
    }
    if (e.failed) {
        fprintf(stderr, "evenkeel: %s\n", e.text);
        return EXIT_FAILED;
    }
    return EXIT_DONE;
}

int cmd_drain(int argc, char **argv)
{
    return change(argc, argv, "drain");
}

int cmd_undrain(int argc, char **argv)
{
    return change(argc, argv, "undrain");
}
