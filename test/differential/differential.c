/* SPDX-License-Identifier: Apache-2.0 */
/* differential.c - our parser and llhttp read the same messages, whole and in pieces; what differs must
 * be in the table of differences. Messages are the cases, the files named, and seeded mutations of both.
 *   differential SEED MUTATIONS [FILE...]     the folder of a file says what it holds, as in test/fuzz */
#include "cases.h"
#include "differences.h"

#include "base/check.h"
#include "base/rand.h"

#include <stdio.h>
#include <stdlib.h>

enum { ORIGINALS_MAX = 512, SHOWN_MAX = 10 };

struct original {
    struct message m;
    const char *expect; /* NULL: anything */
    const char *name;
};

static struct original originals[ORIGINALS_MAX];
static unsigned original_count;
static unsigned long passed;
static unsigned long failed;

/* ---- outcomes */

void outcome_begin(struct outcome *o)
{
    memset(o, 0, offsetof(struct outcome, fields));
    memset(o->fields, 0, FIELDS_MAX * sizeof(o->fields[0]));
    o->room_n = 0;
}

void outcome_add(struct outcome *o, struct text *t, const char *bytes, size_t n)
{
    check(o->room_n + n <= sizeof(o->room));
    if (t->n == 0)
        t->at = (uint32_t)o->room_n;
    check(t->at + t->n == o->room_n);
    if (n)
        memcpy(o->room + o->room_n, bytes, n);
    t->n += (uint32_t)n;
    o->room_n += n;
}

/* ---- showing */

static void show_bytes(struct span s)
{
    putchar('"');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '\r')
            fputs("\\r", stdout);
        else if (c == '\n')
            fputs("\\n", stdout);
        else if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < 0x20 || c >= 0x7f)
            printf("\\%03o", c);
        else
            putchar(c);
    }
    putchar('"');
}

static void show_outcome(const char *whose, const struct outcome *o)
{
    static const char *const verdicts[] = { "more of the head", "more of the body", "complete",
                                            "refused" };

    printf("  %s: %s %s", whose, verdicts[o->verdict], o->reason ? o->reason : "");
    if (o->verdict == COMPLETE)
        printf("at %zu, connection %s", o->end, o->keep_alive ? "persists" : "ends");
    printf(", head %s, HTTP/%u.%u status %u, ", o->head ? "accepted" : "not accepted", o->major,
           o->minor, o->status);
    show_bytes(text_of(o, o->method));
    show_bytes(text_of(o, o->target));
    show_bytes(text_of(o, o->words));
    for (unsigned i = 0; i < o->field_count; i++) {
        printf("\n    ");
        show_bytes(text_of(o, o->fields[i].name));
        printf(": ");
        show_bytes(text_of(o, o->fields[i].value));
    }
    printf("\n    body ");
    show_bytes(text_of(o, o->body));
    putchar('\n');
}

/* Says whether there is room to show this failure. */
static bool fail(const struct message *m, const char *name, const char *what)
{
    static const char *const kinds[] = { "request", "answer", "answer to HEAD" };

    failed++;
    if (failed > SHOWN_MAX)
        return false;
    printf("FAIL %s: %s\n  %s ", name, what, kinds[m->kind]);
    show_bytes(span_of(m->bytes, m->n));
    putchar('\n');
    return true;
}

static void show_pieces(const struct pieces *pieces)
{
    printf("  in pieces that end at");
    for (unsigned i = 0; i < pieces->count; i++)
        printf(" %zu", pieces->end[i]);
    putchar('\n');
}

/* ---- one message */

/* Ours against itself: nothing may depend on the pieces. */
static bool same_outcome(const struct message *m, const struct outcome *a, const struct outcome *b)
{
    if (a->verdict != b->verdict || a->head != b->head)
        return false;
    if (a->verdict == REFUSED && strcmp(a->reason, b->reason) != 0)
        return false;
    if (a->verdict == REFUSED)
        return true; /* how much of a refused body was seen before depends on the pieces */
    return !a->head || (compare(m, a, b) == 0 && a->keep_alive == b->keep_alive);
}

static bool judge(const struct message *m, const char *name, const struct pieces *pieces,
                  const struct outcome *ours, const struct outcome *theirs)
{
    static const char *const words[] = {
#define X(id, words) words,
        ASPECTS(X)
#undef X
    };
    unsigned left = explain(m, ours, theirs, compare(m, ours, theirs));

    if (left == 0)
        return true;
    if (!fail(m, name, words[__builtin_ctz(left)]))
        return false;
    show_pieces(pieces);
    show_outcome("ours", ours);
    show_outcome("llhttp", theirs);
    return false;
}

static struct pieces random_pieces(struct rng *r, size_t n)
{
    struct pieces p = { .count = 1 + (unsigned)rng_below(r, PIECES_MAX) };

    for (unsigned i = 0; i < p.count; i++) { /* insertion sort: few, and sorted they must be */
        size_t end = i + 1 == p.count ? n : rng_below(r, n + 1);
        unsigned at = i;
        for (; at > 0 && p.end[at - 1] > end; at--)
            p.end[at] = p.end[at - 1];
        p.end[at] = end;
    }
    return p;
}

static bool as_expected(const struct message *m, const char *name, const char *expect,
                        const struct outcome *ours)
{
    const char *is = ours->verdict == REFUSED    ? ours->reason
                     : ours->verdict == COMPLETE ? "good"
                                                 : "more";

    if (!expect || strcmp(is, expect) == 0)
        return true;
    if (fail(m, name, "not what the case expects"))
        printf("  expected %s, is %s\n", expect, is);
    return false;
}

static void try(const struct message *m, const char *name, const char *expect, struct rng *r)
{
    static struct outcome ours, ours_split, theirs, theirs_split;
    struct pieces whole = { .count = 1, .end = { m->n } };
    struct pieces split = random_pieces(r, m->n);

    ours_read(m, &whole, &ours);
    ours_read(m, &split, &ours_split);
    theirs_read(m, &whole, &theirs);
    theirs_read(m, &split, &theirs_split);
    if (!as_expected(m, name, expect, &ours))
        return;
    if (!same_outcome(m, &ours, &ours_split)) {
        if (fail(m, name, "ours depends on the pieces")) {
            show_pieces(&split);
            show_outcome("whole", &ours);
            show_outcome("split", &ours_split);
        }
        return;
    }
    if (judge(m, name, &whole, &ours, &theirs) &&
        judge(m, name, &split, &ours_split, &theirs_split))
        passed++;
}

/* ---- originals */

static void add_original(struct original o)
{
    check(original_count < ORIGINALS_MAX && o.m.n <= MESSAGE_MAX);
    originals[original_count++] = o;
}

static void add_cases(void)
{
#define X(kind, expect, bytes) \
    add_original((struct original){ { kind, bytes, sizeof(bytes) - 1 }, expect, "case" });
    CASES(X)
#undef X
}

/* A body of the corpus: how it is framed, its length, its bytes; it gets a head here. */
static void add_body(const char *name, const char *bytes, size_t n)
{
    size_t room_n = n + 128;
    char *room = malloc(room_n);
    int head;

    check(room && n >= 2);
    if (bytes[0] & 1)
        head = snprintf(room, room_n, "%s", CHUNKS);
    else
        head = snprintf(room, room_n, P "Content-Length: %u\r\n\r\n", (unsigned char)bytes[1]);
    memcpy(room + head, bytes + 2, n - 2);
    add_original((struct original){ { REQUEST, room, (size_t)head + n - 2 }, NULL, name });
}

static void add_bytes(const char *path, const char *bytes, size_t n)
{
    if (strstr(path, "http1_request/"))
        add_original((struct original){ { REQUEST, bytes, n }, NULL, path });
    else if (strstr(path, "http1_body/") && n >= 2)
        add_body(path, bytes, n);
    else if (strstr(path, "http1_answer/") && n >= 1)
        add_original((struct original){
            { bytes[0] & 1 ? ANSWER_TO_HEAD : ANSWER, bytes + 1, n - 1 }, NULL, path });
}

/* What the originals point to; stays until the end. */
static char files[ORIGINALS_MAX * 1024];
static size_t files_n;

static void add_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    size_t room = sizeof(files) - files_n;
    size_t n;

    if (!f) {
        printf("FAIL cannot read %s\n", path);
        failed++;
        return;
    }
    check(room > MESSAGE_MAX);
    n = fread(files + files_n, 1, MESSAGE_MAX / 4, f);
    fclose(f);
    add_bytes(path, files + files_n, n);
    files_n += n;
}

/* ---- mutations */

static const struct span words[] = {
    SPAN("\r"),
    SPAN("\n"),
    SPAN("\r\n"),
    SPAN("\r\n\r\n"),
    SPAN("\0"),
    SPAN(" "),
    SPAN("\t"),
    SPAN(":"),
    SPAN(","),
    SPAN(";"),
    SPAN("="),
    SPAN("\""),
    SPAN("\\"),
    SPAN("+"),
    SPAN("-"),
    SPAN("0"),
    SPAN("1"),
    SPAN("5"),
    SPAN("a"),
    SPAN("x"),
    SPAN("\x7f"),
    SPAN("\x80"),
    SPAN("\xff"),
    SPAN("\x0b"),
    SPAN("/"),
    SPAN("?"),
    SPAN("#"),
    SPAN("@"),
    SPAN("*"),
    SPAN("%"),
    SPAN("0x"),
    SPAN("chunked"),
    SPAN("gzip"),
    SPAN("close"),
    SPAN("keep-alive"),
    SPAN("\r\nContent-Length: 5"),
    SPAN("\r\nTransfer-Encoding: chunked"),
    SPAN("\r\nHost: a"),
    SPAN("\r\nConnection: close"),
    SPAN("\r\nConnection: keep-alive"),
    SPAN("\r\nUpgrade: x"),
    SPAN("\r\nConnection: upgrade"),
    SPAN("\r\nExpect: 100-continue"),
    SPAN("\r\n X"),
    SPAN("HTTP/1.0"),
    SPAN("HTTP/1.1"),
    SPAN("http://a"),
    SPAN("0\r\n\r\n"),
    SPAN("5\r\nhello\r\n"),
    SPAN(";a=\"b\""),
    SPAN("\r\nT: 1\r\n"),
    SPAN("ffffffffffffffff"),
    SPAN("GET"),
    SPAN("HEAD"),
    SPAN("204"),
    SPAN("304"),
    SPAN("100"),
    SPAN("101"),
};

struct draft {
    char bytes[MESSAGE_MAX];
    size_t n;
};

/* Replaces `gone` bytes by others; leaves the draft as it is when they do not fit. */
static void splice(struct draft *d, size_t at, size_t gone, struct span s)
{
    if (gone > d->n - at)
        gone = d->n - at;
    if (d->n - gone + s.n > sizeof(d->bytes) / 2)
        return;
    memmove(d->bytes + at + s.n, d->bytes + at + gone, d->n - at - gone);
    memcpy(d->bytes + at, s.p, s.n);
    d->n = d->n - gone + s.n;
}

/* Half of the places are next to where something ends, where parsers differ. */
static size_t place_in(struct rng *r, const struct draft *d)
{
    size_t at = rng_below(r, d->n + 1);

    if (rng_below(r, 2))
        return at;
    while (at < d->n && !strchr("\r\n:; ,", d->bytes[at]))
        at++;
    return at < d->n && rng_below(r, 2) ? at + 1 : at;
}

static void mutate(struct rng *r, struct draft *d)
{
    size_t at = place_in(r, d);
    struct span word = words[rng_below(r, sizeof(words) / sizeof(words[0]))];
    const struct message *other = &originals[rng_below(r, original_count)].m;
    size_t from = rng_below(r, other->n + 1);
    char c = (char)rng_below(r, 256);
    char again[64];
    size_t n;

    switch (rng_below(r, 8)) {
    case 0: splice(d, at, 1 + rng_below(r, 4), span_of("", 0)); break;
    case 1: splice(d, at, 1, span_of(&c, 1)); break;
    case 2: splice(d, at, 0, span_of(&c, 1)); break;
    case 3: splice(d, at, rng_below(r, 8), word); break;
    case 4:
    case 5: splice(d, at, 0, word); break;
    case 6: /* some bytes twice */
        n = rng_below(r, sizeof(again));
        n = n < d->n - at ? n : d->n - at;
        memcpy(again, d->bytes + at, n);
        splice(d, at, 0, span_of(again, n));
        break;
    case 7: splice(d, at, d->n, span_of(other->bytes + from, other->n - from)); break;
    }
}

static void try_mutations(struct rng *r, unsigned long count)
{
    static struct draft d;

    for (unsigned long i = 0; i < count; i++) {
        const struct original *o = &originals[rng_below(r, original_count)];
        d.n = o->m.n;
        memcpy(d.bytes, o->m.bytes, d.n);
        for (uint64_t k = rng_below(r, 3) + 1; k > 0; k--)
            mutate(r, &d);
        char *exact = malloc(d.n + 1); /* so that reading behind the end can be seen */
        check(exact);
        memcpy(exact, d.bytes, d.n);
        struct message m = { o->m.kind, exact, d.n };
        try(&m, "mutation", NULL, r);
        free(exact);
    }
}

int main(int argc, char **argv)
{
    check(argc >= 3);
    struct rng r = { .state = strtoull(argv[1], NULL, 10) };
    unsigned long mutations = strtoul(argv[2], NULL, 10);

    add_cases();
    for (int i = 3; i < argc; i++)
        add_file(argv[i]);
    printf("llhttp %s, seed %s: %u messages, %lu mutations\n", theirs_version(), argv[1],
           original_count, mutations);
    for (unsigned i = 0; i < original_count; i++)
        try(&originals[i].m, originals[i].name, originals[i].expect, &r);
    try_mutations(&r, mutations);
    for (unsigned i = 0; i < difference_count; i++)
        printf("%9lu  %-20s %s\n", differences[i].seen, differences[i].name, differences[i].why);
    printf("%lu passed, %lu failed\n", passed, failed);
    return failed > 0;
}
