/* SPDX-License-Identifier: Apache-2.0 */
/* secrets.c - see secrets.h. */
#include "control/secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- reading */

struct token {
    char text[TOKEN_MOST + 2]; /* one more than may be, and what ends it */
    size_t n;
};

static err read_file(const char *what, const char *path, struct token *t)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return err_system(errno, "%s: cannot read %s", what, path);
    for (;;) {
        ssize_t n = read(fd, t->text + t->n, sizeof(t->text) - 1 - t->n);
        if (n > 0)
            t->n += (size_t)n;
        if (n > 0 || (n < 0 && errno == EINTR))
            continue;
        int error = n < 0 ? errno : 0;
        close(fd);
        if (error)
            return err_system(error, "%s: cannot read %s", what, path);
        break;
    }
    while (t->n > 0 && (t->text[t->n - 1] == '\n' || t->text[t->n - 1] == '\r'))
        t->n--;
    return OK;
}

static err read_variable(const char *what, const char *name, struct token *t)
{
    const char *value = getenv(name);

    if (!value)
        return err_make("%s: the environment variable %s is not set", what, name);
    t->n = strnlen(value, sizeof(t->text) - 1);
    memcpy(t->text, value, t->n);
    return OK;
}

/* What may stand in a field of a request, and cannot be guessed. */
static err judge(const char *what, const struct token *t)
{
    for (size_t i = 0; i < t->n; i++) {
        if (t->text[i] <= ' ' || t->text[i] > '~')
            return err_make("%s: a token is one line of printable ASCII without blanks", what);
    }
    if (t->n < TOKEN_LEAST)
        return err_make(
            "%s: a token of at least %d bytes is needed, this one has %zu; `openssl rand "
            "-hex 32` draws one",
            what, TOKEN_LEAST, t->n);
    if (t->n > TOKEN_MOST)
        return err_make("%s: a token has at most %d bytes", what, TOKEN_MOST);
    return OK;
}

static err read_token(const char *what, const struct secret_source *s, struct secret_mark *ret)
{
    struct token t = {};
    err e = s->file.n ? read_file(what, s->file.p, &t) : read_variable(what, s->env.p, &t);

    if (!e.failed)
        e = judge(what, &t);
    if (!e.failed)
        secret_mark_of(span_of(t.text, t.n), ret);
    secret_forget(&t, sizeof(t));
    return e;
}

static bool is_given(const struct secret_source *s)
{
    return s->file.n || s->env.n;
}

static err differ(const struct admin_tokens *t)
{
    if (secret_mark_equal(&t->view, &t->operate))
        return err_make("admin.view-token and admin.operate-token are the same: whoever may look "
                        "could change everything");
    return OK;
}

err admin_tokens_read(struct config *c)
{
    struct admin_rules *a = &c->admin_rules;

    if (!is_given(&a->view) || !is_given(&a->operate))
        return OK; /* config_admin.c has seen that it is none or both */
    TRY(read_token("admin.view-token", &a->view, &a->tokens.view));
    TRY(read_token("admin.operate-token", &a->operate, &a->tokens.operate));
    TRY(differ(&a->tokens));
    a->tokens.wanted = true;
    return OK;
}

/* *ret_read: it could be. */
static err try_token(const char *what, const struct secret_source *s, struct secret_mark *ret,
                     bool *ret_read)
{
    *ret_read = is_given(s) && (s->file.n || getenv(s->env.p));
    return *ret_read ? read_token(what, s, ret) : OK;
}

err admin_tokens_try(const struct config *c)
{
    struct admin_tokens t = {};
    bool view;
    bool operate;

    TRY(try_token("admin.view-token", &c->admin_rules.view, &t.view, &view));
    TRY(try_token("admin.operate-token", &c->admin_rules.operate, &t.operate, &operate));
    return view && operate ? differ(&t) : OK;
}
