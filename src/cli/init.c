/* SPDX-License-Identifier: Apache-2.0 */
/* init.c - `evenkeel init`: a configuration for somebody who adopts evenkeel beside what runs, from nginx's
 * configuration and from access logs. */
#include "cli/cells.h"
#include "cli/init_write.h"
#include "cli/log_judge.h"
#include "cli/nginx_adopt.h"
#include "cli/nginx_files.h"
#include "cli/options.h"

#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { GIVEN_MAX = 256 };

struct init_options {
    const char *nginx;
    const char *logs[GIVEN_MAX];
    size_t log_count;
    const char *format;
    const char *to[GIVEN_MAX];
    size_t to_count;
    const char *output; /* NULL: no file */
    bool force;
    bool json;
};

static bool add_given(const char *what, const char **list, size_t *count, const char *value)
{
    if (*count == GIVEN_MAX) {
        fprintf(stderr, "evenkeel init: at most %d times %s\n", GIVEN_MAX, what);
        return false;
    }
    list[(*count)++] = value;
    return true;
}

static int read_options(int argc, char **argv, struct init_options *o)
{
    struct option_reader r = { .argc = argc, .argv = argv };
    bool good = true;
    enum option_id id;

    while (good && (id = option_next(&r)) != OPTION_END) {
        switch ((int)id) {
        case OPTION_nginx: o->nginx = optarg; break;
        case OPTION_log: good = add_given("--log", o->logs, &o->log_count, optarg); break;
        case OPTION_log_format: o->format = optarg; break;
        case OPTION_init_to: good = add_given("--to", o->to, &o->to_count, optarg); break;
        case OPTION_output: o->output = optarg; break;
        case OPTION_overwrite: o->force = true; break;
        case OPTION_json: o->json = true; break;
        default: return EXIT_USAGE;
        }
    }
    while (good && optind < argc && o->log_count > 0) /* --log *.log, as the shell has it */
        good = add_given("--log", o->logs, &o->log_count, argv[optind++]);
    if (good && optind < argc) {
        fprintf(stderr, "evenkeel init: '%s' is not expected here\n", argv[optind]);
        good = false;
    }
    if (good && o->json && o->output && strcmp(o->output, "-") == 0) {
        fprintf(stderr, "evenkeel init: --json and the file cannot both go to standard output; the "
                        "text is a field of it\n");
        good = false;
    }
    if (!o->json && !o->output)
        o->output = "evenkeel.yaml";
    return good ? EXIT_DONE : EXIT_USAGE;
}

/* ---- nginx */

/* Whether the language takes this list, ending at `last`. */
static bool takes_instances(const struct adopted_instance *in, const struct adopted_instance *last)
{
    struct str keys = str_growing();
    bool good = true;

    str_text(&keys, "instances: [");
    for (; good && in; in = in == last ? NULL : in->next) {
        good = !strpbrk(in->address, "'\\");
        str_print(&keys, "'%s', ", in->address);
    }
    str_text(&keys, "]");
    good = good && init_takes(str_cstr(&keys));
    str_free(&keys);
    return good;
}

/* What the language does not take as an instance, or takes for one that is there already, is left out. */
static void drop_wrong_instances(struct adopted *a, struct adopted_service *s)
{
    struct nginx_directive at = { .file = s->file, .line = s->line };

    if (takes_instances(s->instances, NULL))
        return;
    for (struct adopted_instance **in = &s->instances; *in;) {
        if (takes_instances(s->instances, *in)) {
            in = &(*in)->next;
            continue;
        }
        add_note(a, &s->notes, &at, true, "server %s: this is no address here, or is there twice",
                 (*in)->address);
        *in = (*in)->next;
        s->instance_count--;
    }
}

static void drop_wrong_services(struct adopted *a)
{
    for (struct adopted_service **s = &a->services; *s;) {
        drop_wrong_instances(a, *s);
        if ((*s)->instance_count > 0) {
            s = &(*s)->next;
            continue;
        }
        struct nginx_directive at = { .file = (*s)->file, .line = (*s)->line };
        add_note(a, &a->notes, &at, true, "service %s: no instance of it is left", (*s)->name);
        for (struct adopted_route **r = &a->routes; *r;) {
            if ((*r)->service == *s)
                *r = (*r)->next;
            else
                r = &(*r)->next;
        }
        *s = (*s)->next;
    }
}

static err read_nginx(const struct init_options *o, struct adopted *a)
{
    struct nginx_tree tree;

    if (!o->nginx)
        return OK;
    a->nginx = o->nginx;
    TRY(nginx_files_read(o->nginx, a, &tree));
    nginx_adopt(a, &tree);
    drop_wrong_services(a);
    return OK;
}

/* One service of the instances that were given. */
static err add_given_service(const struct init_options *o, struct adopted *a)
{
    static const char *const standard[] = { "127.0.0.1:3000" };
    const char *const *to = o->to_count ? o->to : standard;
    struct adopted_service *s = arena_new(a->arena, struct adopted_service);
    struct adopted_instance **end;

    *s = (struct adopted_service){ .name = "app" };
    end = &s->instances;
    for (size_t i = 0; i < (o->to_count ? o->to_count : 1); i++) {
        struct adopted_instance *in = arena_new(a->arena, struct adopted_instance);
        *in = (struct adopted_instance){ .address = to[i], .weight = 1 };
        *end = in;
        end = &in->next;
        s->instance_count++;
        if (!takes_instances(s->instances, NULL))
            return err_make("--to %s: HOST:PORT was expected, such as 127.0.0.1:3000, each once",
                            to[i]);
    }
    a->services = s;
    return OK;
}

static void tell_lost(const struct notes *notes, size_t *told)
{
    enum { TOLD_MAX = 20 };

    for (const struct note *n = notes->first; n; n = n->next) {
        if (n->lost && ++*told <= TOLD_MAX)
            fprintf(stderr, "%s:%zu: not translated: %s\n", n->file, n->line, n->text);
        else if (n->lost && *told == TOLD_MAX + 1)
            fprintf(stderr, "... and more; all of them are comments in what was written\n");
    }
}

/* ---- logs */

/* A log's own format first: as nginx's access_log names it. */
static bool names_log(const struct adopted_log *l, const char *path)
{
    char one[4096];
    char other[4096];

    snprintf(one, sizeof(one), "%s", l->path);
    snprintf(other, sizeof(other), "%s", path);
    return strcmp(basename(one), basename(other)) == 0;
}

static enum log_escape escape_of(struct span word)
{
    if (span_equal(word, SPAN("json")))
        return LOG_ESCAPE_JSON;
    return span_equal(word, SPAN("none")) ? LOG_ESCAPE_NONE : LOG_ESCAPE_DEFAULT;
}

static void add_format(struct adopted *a, const struct adopted_format *f, struct log_formats *known)
{
    struct nginx_directive at = { .file = f->file, .line = f->line };
    const char *wrong =
        known->count < LOG_FORMATS_MAX
            ? log_format_compile(f->name, f->text, escape_of(f->escape), &known->list[known->count])
            : "more formats than are looked at";

    if (wrong)
        add_note(a, &a->notes, &at, true, "log_format %.*s: %s", SPAN_ARG(f->name), wrong);
    else
        known->count++;
}

/* nginx's formats, then the usual ones. */
static void list_formats(struct adopted *a, struct log_formats *known)
{
    static struct log_formats usual;

    known->count = 0;
    log_formats_init(&usual);
    for (const struct adopted_format *f = a->formats; f; f = f->next)
        add_format(a, f, known);
    for (size_t i = 0; i < usual.count && known->count < LOG_FORMATS_MAX; i++)
        known->list[known->count++] = usual.list[i];
}

static void prefer_format(const struct adopted *a, const char *path,
                          const struct log_formats *known, struct log_formats *ret_formats)
{
    *ret_formats = *known;
    for (const struct adopted_log *l = a->logs; l; l = l->next) {
        for (size_t i = 0; names_log(l, path) && i < ret_formats->count; i++) {
            if (!span_equal(ret_formats->list[i].name, l->format))
                continue;
            struct log_format first = ret_formats->list[i];
            ret_formats->list[i] = ret_formats->list[0];
            ret_formats->list[0] = first;
            return;
        }
    }
}

static void observe(void *user, const struct log_line *l)
{
    struct path_groups *g = user;
    struct verdict_rules rules = {};

    for (unsigned status = 500; status <= 599; status++)
        status_set_add(&rules.bad, status);
    struct verdict v = log_judge(&rules, l);
    path_groups_add(g,
                    &(struct path_event){ .method = l->method,
                                          .path = l->path,
                                          .status = l->status,
                                          .outcome = v.outcome,
                                          .took = verdict_timed(v) && l->has_took ? l->took : -1 });
}

static err read_logs(const struct init_options *o, struct adopted *a, struct observed *ret)
{
    static struct log_formats known;
    static struct log_formats formats;
    struct log_scan s = { .command = "init",
                          .formats = &formats,
                          .since_ms = INT64_MIN,
                          .take = observe,
                          .user = ret->groups,
                          .progress = isatty(STDERR_FILENO) };

    list_formats(a, &known);
    for (size_t i = 0; i < o->log_count; i++) {
        const struct log_format *format;
        if (o->format)
            TRY(log_formats_said(o->format, &known, &formats));
        else
            prefer_format(a, o->logs[i], &known, &formats);
        TRY(log_scan_file(&s, o->logs[i], &format));
        ret->formats[i] = comment_text(a->arena, format->name);
    }
    log_scan_tell(&s);
    ret->seen = s.seen;
    ret->logs = o->logs;
    ret->log_count = o->log_count;
    struct path_group *list;
    ret->list_count = path_groups_finish(ret->groups, a->arena, &list);
    ret->list = list;
    ret->journey_count = suggest_journeys(ret->list, ret->list_count, ret->journeys);
    return OK;
}

/* ---- the file */

static err write_all(int fd, const char *path, struct span s)
{
    while (s.n > 0) {
        ssize_t n = write(fd, s.p, s.n);
        if (n < 0 && errno != EINTR)
            return err_system(errno, "cannot write %s", path);
        s = span_after(s, n > 0 ? (size_t)n : 0);
    }
    return OK;
}

/* Whole or not at all: what stood there is replaced when all is written. */
static err write_file(const struct init_options *o, struct arena *arena, struct span text)
{
    if (strcmp(o->output, "-") == 0)
        return write_all(STDOUT_FILENO, "standard output", text);
    const char *path = o->force ? arena_print(arena, "%s.new", o->output) : o->output;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (o->force ? O_TRUNC : O_EXCL), 0644);
    if (fd < 0)
        return err_system(errno, "cannot write %s", path);
    err e = write_all(fd, path, text);
    if (close(fd) < 0 && !e.failed)
        e = err_system(errno, "cannot write %s", path);
    if (!e.failed && o->force && rename(path, o->output) < 0)
        e = err_system(errno, "cannot write %s", o->output);
    if (e.failed)
        unlink(path);
    return e;
}

static void tell_written(const struct init_options *o, const struct adopted *a,
                         const struct observed *seen)
{
    size_t services = 0;
    size_t instances = 0;
    size_t routes = 0;
    size_t told = 0;
    char text[5][CELL_TEXT_MAX];

    for (const struct adopted_service *s = a->services; s; s = s->next) {
        services++;
        instances += s->instance_count;
    }
    for (const struct adopted_route *r = a->routes; r; r = r->next)
        routes++;
    tell_lost(&a->notes, &told);
    for (const struct adopted_service *s = a->services; s; s = s->next)
        tell_lost(&s->notes, &told);
    tell_lost(&a->servers, &told);
    for (const struct adopted_route *r = a->routes; r; r = r->next)
        tell_lost(&r->notes, &told);
    fprintf(stderr, "evenkeel init: %s has %s with %s, %s, %s",
            !o->output || strcmp(o->output, "-") == 0 ? "it" : o->output,
            cell_count(services, "service", text[0]), cell_count(instances, "instance", text[1]),
            cell_count(routes, "route", text[2]),
            cell_count(seen->journey_count ? seen->journey_count : 1, "journey", text[3]));
    if (a->lost)
        fprintf(stderr, "; %s %s not translated", cell_count(a->lost, "thing", text[4]),
                a->lost == 1 ? "was" : "were");
    fprintf(stderr, "\n");
    for (const struct adopted_log *l = o->log_count ? NULL : a->logs; l; l = l->next)
        fprintf(stderr, "nginx writes %s: --log %s would suggest journeys\n", l->path, l->path);
}

static err init(const struct init_options *o, struct adopted *a, struct observed *seen)
{
    struct str text = str_growing();

    TRY(read_nginx(o, a));
    if (!a->services)
        TRY(add_given_service(o, a));
    TRY(read_logs(o, a, seen));
    err e = init_write(a, seen, &text);
    if (!e.failed && o->output)
        e = write_file(o, a->arena, str_span(&text));
    if (!e.failed && o->json)
        init_print_json(a, seen, str_cstr(&text), o->output);
    else if (!e.failed)
        tell_written(o, a, seen);
    str_free(&text);
    return e;
}

int cmd_init(int argc, char **argv)
{
    struct init_options o = {};
    const char *formats[GIVEN_MAX];
    struct stat st;
    struct arena arena = {};
    struct adopted a = { .arena = &arena, .own = str_growing() };
    int usage = read_options(argc, argv, &o);

    if (usage != EXIT_DONE)
        return usage;
    if (o.output && strcmp(o.output, "-") != 0 && !o.force && stat(o.output, &st) == 0) {
        fprintf(stderr, "evenkeel init: %s exists; --force replaces it, -o writes another\n",
                o.output);
        return EXIT_FAILED;
    }
    struct observed seen = { .formats = formats,
                             .groups = calloc(1, sizeof(struct path_groups)),
                             .journeys =
                                 calloc(SUGGEST_JOURNEYS_MAX, sizeof(struct suggested_journey)) };
    check(seen.groups && seen.journeys);
    path_groups_init(seen.groups);
    err e = init(&o, &a, &seen);
    free(seen.groups);
    free(seen.journeys);
    str_free(&a.own);
    arena_free(&arena);
    if (e.failed)
        fprintf(stderr, "evenkeel init: %s\n", e.text);
    return e.failed ? EXIT_FAILED : EXIT_DONE;
}
