/* SPDX-License-Identifier: Apache-2.0 */
/* nginx_conf.c - tokens and blocks, as ngx_conf_read_token() of nginx 1.22 takes them: quotes of both kinds,
 * backslashes, comments, "${name}" within a word. The body of a *_by_lua_block is passed over. */
#include "proto/nginx_conf.h"

#include "base/check.h"

struct reader {
    struct nginx_tree *tree;
    struct span text;
    size_t at;
    size_t line;
    const char *file;
    const char *wrong;
};

void nginx_tree_init(struct nginx_tree *t, struct arena *arena)
{
    *t = (struct nginx_tree){ .arena = arena };
}

static void fail(struct reader *r, const char *text)
{
    if (!r->wrong)
        r->wrong = text;
}

static bool ended(const struct reader *r)
{
    return r->at == r->text.n;
}

static char here(const struct reader *r)
{
    return r->text.p[r->at];
}

static void step(struct reader *r)
{
    r->line += here(r) == '\n';
    r->at++;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_blanks(struct reader *r)
{
    while (!ended(r) && (is_blank(here(r)) || here(r) == '#')) {
        if (here(r) == '#') {
            while (!ended(r) && here(r) != '\n')
                step(r);
        } else {
            step(r);
        }
    }
}

/* ---- words */

/* Without the escapes that nginx undoes; every other backslash stays. */
static struct span undo_escapes(struct arena *a, struct span s)
{
    static const char letters[] = "t\tr\rn\n\"\"''\\\\";
    size_t n = 0;

    if (span_find(s, '\\') == s.n)
        return s;
    char *text = arena_text(a, s);
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '\\' && i + 1 < s.n && s.p[i + 1]) {
            const char *letter = strchr(letters, s.p[i + 1]);
            if (letter && (letter - letters) % 2 == 0) {
                c = letter[1];
                i++;
            }
        }
        text[n++] = c;
    }
    return span_of(text, n);
}

/* Moves behind the byte that a backslash protects. */
static void step_escaped(struct reader *r)
{
    if (here(r) == '\\' && r->at + 1 < r->text.n)
        step(r);
    step(r);
}

static struct span read_quoted(struct reader *r)
{
    char quote = here(r);
    size_t begin = r->at + 1;

    step(r);
    while (!ended(r) && here(r) != quote)
        step_escaped(r);
    if (ended(r)) {
        fail(r, "a quote is not closed");
        return span_of(NULL, 0);
    }
    struct span s = span_of(r->text.p + begin, r->at - begin);
    step(r);
    if (!ended(r) && !is_blank(here(r)) && here(r) != ';' && here(r) != '{' && here(r) != ')')
        fail(r, "a blank, ';' or '{' must follow a closing quote");
    return undo_escapes(r->tree->arena, s);
}

static struct span read_word(struct reader *r)
{
    size_t begin = r->at;

    while (!ended(r) && !is_blank(here(r)) && here(r) != ';') {
        bool variable = here(r) == '{' && r->at > begin && r->text.p[r->at - 1] == '$';
        if (here(r) == '{' && !variable)
            break;
        step_escaped(r);
    }
    return undo_escapes(r->tree->arena, span_of(r->text.p + begin, r->at - begin));
}

/* ---- directives */

static bool ends_with(struct span s, struct span end)
{
    return s.n >= end.n && span_equal(span_after(s, s.n - end.n), end);
}

/* Another language: braces are counted, texts in quotes and comments of Lua are passed over. */
static void skip_foreign(struct reader *r)
{
    size_t depth = 1;

    while (!ended(r) && depth > 0) {
        char c = here(r);
        if (c == '"' || c == '\'') {
            step(r);
            while (!ended(r) && here(r) != c && here(r) != '\n')
                step_escaped(r);
        } else if (span_starts_with(span_after(r->text, r->at), SPAN("--"))) {
            while (!ended(r) && here(r) != '\n')
                step(r);
        } else {
            depth += c == '{';
            depth -= c == '}';
        }
        if (!ended(r))
            step(r);
    }
    if (depth > 0)
        fail(r, "a block is not closed");
}

static void append(struct nginx_directive *parent, struct nginx_directive *d)
{
    d->parent = parent;
    if (parent->last)
        parent->last->next = d;
    else
        parent->first = d;
    parent->last = d;
}

/* A name and its arguments, until ';' or '{', which is left to stand. */
static struct nginx_directive *read_directive(struct reader *r, struct nginx_directive *parent)
{
    struct span words[NGINX_ARGUMENTS_MAX];
    size_t count = 0;
    struct nginx_directive *d = arena_new(r->tree->arena, struct nginx_directive);

    *d = (struct nginx_directive){ .file = r->file, .line = r->line };
    while (!r->wrong && !ended(r) && here(r) != ';' && here(r) != '{') {
        if (here(r) == '}' && count > 0) {
            fail(r, "';' is missing before '}'");
        } else if (count == NGINX_ARGUMENTS_MAX) {
            fail(r, "a directive has more than 512 words; perhaps a ';' is missing");
        } else {
            bool quoted = here(r) == '"' || here(r) == '\'';
            words[count++] = quoted ? read_quoted(r) : read_word(r);
            skip_blanks(r);
        }
    }
    if (ended(r))
        fail(r, "the file ends within a directive: a ';' or '}' is missing");
    if (count == 0)
        fail(r, "a directive's name is missing");
    if (++r->tree->count > NGINX_DIRECTIVES_MAX)
        fail(r, "more than 100000 directives");
    if (r->wrong)
        return NULL;
    d->name = words[0];
    d->argument_count = count - 1;
    d->arguments = arena_array(r->tree->arena, struct span, count);
    memcpy(d->arguments, words + 1, (count - 1) * sizeof(words[0]));
    append(parent, d);
    return d;
}

static size_t depth_of(const struct nginx_directive *d)
{
    size_t depth = 0;

    for (; d; d = d->parent)
        depth++;
    return depth;
}

/* Reads one thing of the file; returns the block in which the next one stands. */
static struct nginx_directive *read_one(struct reader *r, struct nginx_directive *top,
                                        struct nginx_directive *block)
{
    if (here(r) == '}') {
        if (block == top)
            fail(r, "'}' closes nothing");
        step(r);
        return r->wrong ? block : block->parent;
    }
    struct nginx_directive *d = read_directive(r, block);
    if (!d)
        return block;
    d->block = here(r) == '{';
    step(r);
    if (!d->block)
        return block;
    if (ends_with(d->name, SPAN("_by_lua_block"))) {
        skip_foreign(r);
        return block;
    }
    if (depth_of(d) > NGINX_DEPTH_MAX)
        fail(r, "blocks within more than 32 blocks");
    return d;
}

bool nginx_conf_read(struct nginx_tree *t, struct nginx_directive *parent, const char *file,
                     struct span text, struct nginx_mistake *ret_mistake)
{
    struct reader r = { .tree = t, .text = text, .line = 1, .file = file };
    struct nginx_directive *block = parent;

    if (span_starts_with(text, SPAN("\xEF\xBB\xBF")))
        r.at = 3; /* a byte order mark, which editors leave */
    for (skip_blanks(&r); !r.wrong && !ended(&r); skip_blanks(&r))
        block = read_one(&r, parent, block);
    if (block != parent)
        fail(&r, "a block is not closed");
    if (r.wrong)
        *ret_mistake = (struct nginx_mistake){ .line = r.line, .text = r.wrong };
    return !r.wrong;
}

/* ---- walking */

struct nginx_directive *nginx_next(const struct nginx_directive *top,
                                   const struct nginx_directive *d, bool skip)
{
    if (d->first && !skip)
        return d->first;
    while (d != top) {
        if (d->next)
            return d->next;
        d = d->parent;
        check(d != NULL);
    }
    return NULL;
}

struct nginx_directive *nginx_parent(const struct nginx_directive *d)
{
    struct nginx_directive *p = d->parent;

    while (p && p->parent && !p->block)
        p = p->parent; /* an include */
    return p;
}

/* ---- values */

bool nginx_time(struct span s, int64_t *ret_ms)
{
    static const struct {
        struct span unit;
        int64_t ms;
    } units[] = { { SPAN_INIT("ms"), 1 },       { SPAN_INIT("s"), 1000 },
                  { SPAN_INIT("m"), 60000 },    { SPAN_INIT("h"), 3600000 },
                  { SPAN_INIT("d"), 86400000 }, { SPAN_INIT("w"), 604800000 },
                  { SPAN_INIT(""), 1000 } };
    int64_t sum = 0;

    if (s.n == 0)
        return false;
    while (s.n > 0) {
        size_t n = 0;
        size_t i = 0;
        uint64_t number;
        while (n < s.n && ascii_digit(s.p[n]))
            n++;
        if (n > 9 || !span_to_u64(span_of(s.p, n), &number))
            return false;
        s = span_after(s, n);
        while (!span_starts_with(s, units[i].unit))
            i++; /* the last one is empty: every text begins so */
        if (units[i].unit.n == 0 && s.n > 0)
            return false;
        sum += (int64_t)number * units[i].ms; /* at most 6e17 */
        if (sum > INT64_MAX / 4)
            return false;
        s = span_trim(span_after(s, units[i].unit.n));
    }
    *ret_ms = sum;
    return true;
}
