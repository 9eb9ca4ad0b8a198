/* SPDX-License-Identifier: Apache-2.0 */
/* nginx_files.c - reading files and their includes: a queue instead of recursion, with bounds on depth, number
 * and size, for the files are strangers'. */
#include "cli/nginx_files.h"

#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct source {
    const char *path; /* for people; the same pointer as in the directives that it holds */
    dev_t device;
    ino_t inode;
    const struct source *within; /* the one that includes it; NULL: the main file */
};

struct loading {
    struct adopted *a;
    struct nginx_tree *tree;
    const char *folder; /* of the main file, with a '/' at its end */
    struct source sources[NGINX_FILES_MAX];
    size_t source_count;
    struct nginx_directive **pending; /* includes still to be read */
    size_t pending_count;
    size_t taken;
    size_t bytes;
};

static err read_text(struct loading *l, const char *path, struct source *s, struct span *ret_text)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return err_system(errno, "cannot read %s", path);
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return err_make("cannot read %s: it is no file", path);
    }
    s->device = st.st_dev;
    s->inode = st.st_ino;
    if ((size_t)st.st_size > NGINX_BYTES_MAX - l->bytes) {
        close(fd);
        return err_make("%s: more than %d MiB of configuration", path, NGINX_BYTES_MAX >> 20);
    }
    char *text = arena_alloc(l->a->arena, (size_t)st.st_size + 1);
    size_t n = 0;
    ssize_t got;
    while (n < (size_t)st.st_size && (got = read(fd, text + n, (size_t)st.st_size - n)) > 0)
        n += (size_t)got;
    close(fd);
    l->bytes += n;
    *ret_text = span_of(text, n);
    return OK;
}

static const struct source *source_of(const struct loading *l, const struct nginx_directive *d)
{
    size_t i = 0;

    while (i < l->source_count && l->sources[i].path != d->file)
        i++;
    check(i < l->source_count);
    return &l->sources[i];
}

/* Why this file may not come below that one, or NULL. */
static const char *refused(const struct source *s)
{
    size_t depth = 0;

    for (const struct source *up = s->within; up; up = up->within) {
        if (up->device == s->device && up->inode == s->inode)
            return "it includes itself";
        if (++depth > NGINX_INCLUDE_DEPTH_MAX)
            return "includes within more than 8 includes";
    }
    return NULL;
}

static err read_file(struct loading *l, struct nginx_directive *parent, const char *path,
                     const struct source *within, const char **ret_refused)
{
    struct source s = { .path = comment_text(l->a->arena, span_from_text(path)), .within = within };
    struct nginx_mistake mistake = {};
    struct span text = {};

    if (l->source_count == NGINX_FILES_MAX)
        return err_make("%s: more than %d files", path, NGINX_FILES_MAX);
    TRY(read_text(l, path, &s, &text));
    *ret_refused = refused(&s);
    if (*ret_refused)
        return OK;
    l->sources[l->source_count++] = s;
    if (!nginx_conf_read(l->tree, parent, s.path, text, &mistake))
        return err_make("%s:%zu: %s", path, mistake.line, mistake.text);
    return OK;
}

/* Includes below `top` wait to be read. */
static void list_includes(struct loading *l, struct nginx_directive *top)
{
    for (struct nginx_directive *d = nginx_next(top, top, false); d;
         d = nginx_next(top, d, false)) {
        if (!span_equal(d->name, SPAN("include")) || d->block || d->argument_count != 1)
            continue;
        l->pending = realloc(l->pending, (l->pending_count + 1) * sizeof(l->pending[0]));
        check(l->pending != NULL);
        l->pending[l->pending_count++] = d;
    }
}

static err read_include(struct loading *l, struct nginx_directive *d)
{
    struct span what = d->arguments[0];
    bool absolute = what.n > 0 && what.p[0] == '/';
    const char *pattern =
        arena_print(l->a->arena, "%s%.*s", absolute ? "" : l->folder, SPAN_ARG(what));
    const struct source *within = source_of(l, d);
    err e = OK;
    glob_t found;

    if (glob(pattern, 0, NULL, &found) != 0) {
        if (!strpbrk(pattern, "*?[")) /* a pattern that finds nothing is usual */
            add_note(l->a, &l->a->notes, d, true, "include %s: there is no such file", pattern);
        return OK;
    }
    for (size_t i = 0; !e.failed && i < found.gl_pathc; i++) {
        const char *why = NULL;
        e = read_file(l, d, found.gl_pathv[i], within, &why);
        if (!e.failed && why)
            add_note(l->a, &l->a->notes, d, true, "include %s: %s", found.gl_pathv[i], why);
    }
    globfree(&found);
    if (!e.failed)
        list_includes(l, d);
    return e;
}

static const char *folder_of(struct arena *a, const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? arena_text(a, span_of(path, (size_t)(slash - path) + 1)) : "";
}

err nginx_files_read(const char *path, struct adopted *a, struct nginx_tree *tree)
{
    struct loading *l = calloc(1, sizeof(*l));
    const char *why;

    check(l != NULL);
    l->a = a;
    l->tree = tree;
    l->folder = folder_of(a->arena, path);
    nginx_tree_init(tree, a->arena);
    err e = read_file(l, &tree->root, path, NULL, &why);
    if (!e.failed)
        list_includes(l, &tree->root);
    while (!e.failed && l->taken < l->pending_count)
        e = read_include(l, l->pending[l->taken++]);
    free(l->pending);
    free(l);
    return e;
}
