/* SPDX-License-Identifier: Apache-2.0 */
/* path_groups.c - the tree of segments: adding, then folding what are names. */
#include "core/path_groups.h"

#include "base/check.h"
#include "core/pattern.h"

enum {
    SLUGS_MIN =
        8, /* so many names with hyphens or digits behind one prefix are one thing's names */
    WORDS_MIN = 24, /* so many words with nothing below them, too */
};

static const struct span methods[] = {
#define X(name) SPAN_INIT(#name),
    PATH_METHODS(X)
#undef X
};

enum { METHOD_COUNT = sizeof(methods) / sizeof(methods[0]) };

/* ---- what a segment looks like */

static bool is_letter(char c)
{
    c = ascii_lower(c);
    return c >= 'a' && c <= 'z';
}

struct shape {
    size_t digits, letters, hex, dashes, others;
};

static struct shape shape_of(struct span s)
{
    struct shape k = {};

    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        k.digits += ascii_digit(c);
        k.letters += is_letter(c);
        k.hex += ascii_hex(c) >= 0;
        k.dashes += c == '-' || c == '_' || c == '.';
        k.others += !ascii_digit(c) && !is_letter(c) && c != '-' && c != '_' && c != '.';
    }
    return k;
}

/* "order_1234", "1234-blue-shirt": a number of three digits or more at either end. */
static bool has_number_at_an_end(struct span s)
{
    size_t first = 0;
    size_t last = 0;

    while (first < s.n && ascii_digit(s.p[first]))
        first++;
    while (last < s.n && ascii_digit(s.p[s.n - 1 - last]))
        last++;
    bool before = first >= 3 && first < s.n && (s.p[first] == '-' || s.p[first] == '_');
    bool behind =
        last >= 3 && last < s.n && (s.p[s.n - 1 - last] == '-' || s.p[s.n - 1 - last] == '_');
    return before || behind;
}

bool path_is_id(struct span s)
{
    struct shape k = shape_of(s);

    if (s.n == 0)
        return false;
    if (k.digits > 0 && k.digits + k.dashes == s.n)
        return true; /* 7, 2024-01-31, 1.5 */
    if (k.digits > 0 && k.hex + k.dashes == s.n && k.hex >= 8 && k.dashes <= 4)
        return true; /* a UUID, a hash */
    if (k.others == 0 && k.digits >= 2 && s.n >= 16 && k.dashes <= 1)
        return true; /* a token: cus_NffrFeUfNV2Hib, 01ARZ3NDEKTSV4RRFFQ69G5FAV */
    return has_number_at_an_end(s);
}

/* Cannot stand in a pattern as it is, or is too long for a word. */
static bool is_no_word(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= ' ' || c >= 0x7F || strchr("{}*?#%@", c))
            return true;
    }
    return s.n > PATH_SEGMENT_BYTES_MAX;
}

/* More like the name of one of many things than like a part of the app: blue-shirt, a1, JohnDoe. */
static bool is_slug(struct span s)
{
    struct shape k = shape_of(s);
    bool version = s.n <= 3 && s.n >= 2 && s.p[0] == 'v' && k.digits == s.n - 1;

    return !version && (k.dashes > 0 || k.digits > 0 || k.others > 0 || s.n > 20);
}

bool path_is_asset(struct span path)
{
    static const char ends[] =
        " css js mjs map png jpg jpeg gif svg ico webp avif bmp woff woff2 ttf "
        "otf eot mp4 webm mp3 ogg wav pdf zip gz txt xml wasm webmanifest ";
    char word[14] = " ";
    size_t n = 0;

    while (n < path.n && path.p[path.n - 1 - n] != '.' && path.p[path.n - 1 - n] != '/')
        n++;
    if (n == 0 || n + 2 >= sizeof(word) || n == path.n || path.p[path.n - 1 - n] != '.')
        return false;
    for (size_t i = 0; i < n; i++)
        word[1 + i] = ascii_lower(path.p[path.n - n + i]);
    word[n + 1] = ' ';
    return !memchr(word, '\0', n + 2) && strstr(ends, word);
}

/* ---- adding */

void path_groups_init(struct path_groups *g)
{
    g->requests = g->assets = g->unfound = g->other_methods = g->lost = 0;
    g->node_count = 1; /* the root, which is the empty text before the first '/' */
    g->counts_count = g->text_n = 0;
    g->nodes[0] = (struct path_node){ .kind = SEGMENT_LITERAL };
}

static struct span text_of(const struct path_groups *g, uint32_t node)
{
    return span_of(g->text + g->nodes[node].text, g->nodes[node].text_n);
}

static uint32_t find_child(const struct path_groups *g, uint32_t parent, enum segment_kind kind,
                           struct span text)
{
    uint32_t at = g->nodes[parent].child;

    while (at && (g->nodes[at].kind != kind ||
                  (kind == SEGMENT_LITERAL && !span_equal(text_of(g, at), text))))
        at = g->nodes[at].next;
    return at;
}

static void link_child(struct path_groups *g, uint32_t parent, uint32_t node)
{
    g->nodes[node].parent = parent;
    g->nodes[node].next = g->nodes[parent].child;
    g->nodes[parent].child = node;
    g->nodes[parent].children++;
}

/* A new child; 0 when there is no room. */
static uint32_t add_child(struct path_groups *g, uint32_t parent, enum segment_kind kind,
                          struct span text)
{
    if (g->node_count == PATH_NODES_MAX || PATH_TEXT_MAX - g->text_n < text.n)
        return 0;
    uint32_t node = g->node_count++;
    g->nodes[node] = (struct path_node){ .kind = (uint8_t)kind, .text = g->text_n };
    if (kind == SEGMENT_LITERAL) {
        check(text.n <= PATH_SEGMENT_BYTES_MAX);
        memcpy(g->text + g->text_n, text.p, text.n);
        g->nodes[node].text_n = (uint8_t)text.n;
        g->text_n += (uint32_t)text.n;
    }
    link_child(g, parent, node);
    return node;
}

/* The child that a segment leads to, made when it must be and may be; 0 when there is none. */
static uint32_t child_for(struct path_groups *g, uint32_t parent, struct span segment, bool may_add)
{
    bool id = path_is_id(segment);
    bool word = !id && !is_no_word(segment);
    uint32_t node = word ? find_child(g, parent, SEGMENT_LITERAL, segment) : 0;

    if (node)
        return node;
    if (word && g->nodes[parent].children < PATH_FANOUT_MAX && may_add)
        return add_child(g, parent, SEGMENT_LITERAL, segment);
    node = find_child(g, parent, SEGMENT_ONE, segment);
    if (!node && may_add)
        node = add_child(g, parent, SEGMENT_ONE, SPAN(""));
    if (node && !id && may_add)
        g->nodes[node].named = true;
    return node;
}

/* The same of a pattern that was listed. A '*' stands in no other place than PATH_SEGMENTS_MAX. */
static uint32_t child_of_pattern(struct path_groups *g, uint32_t parent, struct span segment)
{
    bool named = span_equal(segment, SPAN("{name}"));

    if (!named && !span_equal(segment, SPAN("{id}")))
        return is_no_word(segment) ? 0 : child_for(g, parent, segment, true);
    uint32_t node = find_child(g, parent, SEGMENT_ONE, segment);
    if (!node)
        node = add_child(g, parent, SEGMENT_ONE, SPAN(""));
    if (node)
        g->nodes[node].named |= named;
    return node;
}

enum walking { PATH_THAT_IS, PATH_MAY_BE_NEW, PATTERN };

/* The node of a path or pattern; 0 when there is none. */
static uint32_t walk(struct path_groups *g, struct span path, enum walking how)
{
    bool may_add = how != PATH_THAT_IS;
    struct span rest = span_after(path, 1);
    uint32_t node = 0;
    size_t depth = 0;

    if (path.n == 0 || path.p[0] != '/')
        return 0;
    for (bool last = false; !last; depth++) {
        size_t slash = span_find(rest, '/');
        struct span segment = span_of(rest.p, slash);
        last = slash == rest.n;
        if (depth == PATH_SEGMENTS_MAX) {
            uint32_t deep = find_child(g, node, SEGMENT_REST, segment);
            return deep || !may_add ? deep : add_child(g, node, SEGMENT_REST, SPAN(""));
        }
        /* an empty segment is no name: it stands for itself at the end, and between two slashes */
        node = how == PATTERN ? child_of_pattern(g, node, segment)
                              : child_for(g, node, segment, may_add);
        if (!node)
            return 0;
        rest = span_after(rest, slash + 1);
    }
    return node;
}

static int method_of(struct span method)
{
    if (span_equal(method, SPAN("HEAD")))
        return 0;
    for (int i = 0; i < METHOD_COUNT; i++) {
        if (span_equal(method, methods[i]))
            return i;
    }
    return -1;
}

static struct path_counts *find_counts(struct path_groups *g, uint32_t node, uint8_t method)
{
    for (uint32_t at = g->nodes[node].counts; at; at = g->counts[at - 1].next) {
        if (g->counts[at - 1].method == method)
            return &g->counts[at - 1];
    }
    return NULL;
}

static struct path_counts *counts_for(struct path_groups *g, uint32_t node, uint8_t method,
                                      bool may_add)
{
    struct path_counts *c = find_counts(g, node, method);

    if (c || !may_add || g->counts_count == PATH_COUNTS_MAX)
        return c;
    c = &g->counts[g->counts_count++];
    *c = (struct path_counts){ .node = node, .method = method, .next = g->nodes[node].counts };
    g->nodes[node].counts = g->counts_count;
    return c;
}

/* Whether there is such a path at all, as the answer has it. */
static bool exists(unsigned status)
{
    return status != 400 && status != 404 && status != 405 && status != 410 && status != 414;
}

void path_groups_add(struct path_groups *g, const struct path_event *e)
{
    int method = method_of(e->method);
    bool may_add = exists(e->status);

    g->requests++;
    if (path_is_asset(e->path)) {
        g->assets++;
        return;
    }
    if (method < 0) {
        g->other_methods++;
        return;
    }
    uint32_t node = walk(g, e->path, may_add ? PATH_MAY_BE_NEW : PATH_THAT_IS);
    struct path_counts *c = node ? counts_for(g, node, (uint8_t)method, may_add) : NULL;
    if (!c) {
        *(may_add ? &g->lost : &g->unfound) += 1;
        return;
    }
    g->nodes[node].requests++;
    c->requests++;
    c->failed += e->outcome == OUTCOME_FAILED;
    c->excluded += e->outcome == OUTCOME_EXCLUDED;
    if (e->took >= 0) {
        uint32_t *bin = &c->bins[histogram_bin(e->took)];
        *bin += *bin < UINT32_MAX;
        c->timed++;
    }
}

void path_groups_add_row(struct path_groups *g, const struct path_row *r)
{
    int method = method_of(r->method);
    uint32_t node = method < 0 ? 0 : walk(g, r->pattern, PATTERN);
    struct path_counts *c = node ? counts_for(g, node, (uint8_t)method, true) : NULL;

    g->requests += r->requests;
    if (!c) {
        g->lost += r->requests;
        return;
    }
    g->nodes[node].requests += r->requests;
    c->requests += r->requests;
    c->failed += r->failed;
    c->excluded += r->excluded;
    for (size_t i = 0; i < r->bin_count; i++) {
        uint32_t *bin = &c->bins[r->bins[i]];
        uint64_t room = UINT32_MAX - *bin;
        uint64_t n = r->bin_counts[i] < room ? r->bin_counts[i] : room;
        *bin += (uint32_t)n;
        c->timed += n;
    }
}

/* ---- folding names */

static void unlink_child(struct path_groups *g, uint32_t node)
{
    uint32_t parent = g->nodes[node].parent;
    uint32_t *at = &g->nodes[parent].child;

    while (*at != node)
        at = &g->nodes[*at].next;
    *at = g->nodes[node].next;
    g->nodes[parent].children--;
}

static void merge_counts(struct path_groups *g, uint32_t into, uint32_t from)
{
    for (uint32_t at = g->nodes[from].counts; at;) {
        struct path_counts *c = &g->counts[at - 1];
        uint32_t next = c->next;
        struct path_counts *same = find_counts(g, into, c->method);
        if (same) {
            same->requests += c->requests;
            same->failed += c->failed;
            same->excluded += c->excluded;
            same->timed += c->timed;
            for (uint32_t i = 0; i < HISTOGRAM_BINS; i++)
                same->bins[i] += c->bins[i]; /* a log of 4e9 lines in one bin would wrap */
            c->requests = 0;
        } else {
            c->node = into;
            c->next = g->nodes[into].counts;
            g->nodes[into].counts = at;
        }
        at = next;
    }
    g->nodes[from].counts = 0;
    g->nodes[into].requests += g->nodes[from].requests;
    g->nodes[into].named |= g->nodes[from].named;
}

/* All that is at and below `from` comes to `into`. Each node is listed once at most. */
static void merge(struct path_groups *g, uint32_t into, uint32_t from)
{
    size_t count = 0;

    g->work[count][0] = into;
    g->work[count++][1] = from;
    while (count > 0) {
        count--;
        uint32_t to = g->work[count][0];
        uint32_t gone = g->work[count][1];
        merge_counts(g, to, gone);
        for (uint32_t child = g->nodes[gone].child; child;) {
            uint32_t next = g->nodes[child].next;
            uint32_t same =
                find_child(g, to, (enum segment_kind)g->nodes[child].kind, text_of(g, child));
            if (same) {
                g->work[count][0] = same;
                g->work[count++][1] = child;
            } else {
                link_child(g, to, child);
            }
            child = next;
        }
        g->nodes[gone].child = 0;
        g->nodes[gone].children = 0;
    }
}

struct family {
    size_t slugs;
    size_t leaves; /* words with nothing below them */
    uint64_t requests;
    uint64_t most; /* of one leaf */
};

static struct family look_at(const struct path_groups *g, uint32_t parent)
{
    struct family f = {};

    for (uint32_t at = g->nodes[parent].child; at; at = g->nodes[at].next) {
        const struct path_node *n = &g->nodes[at];
        f.requests += n->requests;
        if (n->kind != SEGMENT_LITERAL || n->text_n == 0)
            continue;
        f.slugs += is_slug(text_of(g, at));
        if (!n->child) {
            f.leaves++;
            f.most = n->requests > f.most ? n->requests : f.most;
        }
    }
    return f;
}

/* Whether a word is rather a name: one of many that look so, or one of so many that not all were kept. */
static bool is_name(const struct path_groups *g, uint32_t parent, uint32_t node,
                    const struct family *f, bool wide)
{
    const struct path_node *n = &g->nodes[node];
    bool leaf = !n->child;
    bool rare =
        n->requests * 20 < f->requests; /* what has a share of its own is a part of the app */

    if (n->kind != SEGMENT_LITERAL || n->text_n == 0)
        return false;
    if (f->slugs >= SLUGS_MIN && is_slug(text_of(g, node)))
        return parent != 0 || rare;
    if (wide)
        return rare;
    return leaf && parent != 0 && f->leaves >= WORDS_MIN && f->most * 10 < f->requests * 3;
}

static void fold(struct path_groups *g, uint32_t parent)
{
    bool wide = g->nodes[parent].children >= PATH_FANOUT_MAX;
    struct family f = look_at(g, parent);
    uint32_t one = find_child(g, parent, SEGMENT_ONE, SPAN(""));

    for (uint32_t at = g->nodes[parent].child; at;) {
        uint32_t next = g->nodes[at].next;
        if (is_name(g, parent, at, &f, wide)) {
            if (!one) {
                g->nodes[at].kind = SEGMENT_ONE; /* the first of them stands for all */
                g->nodes[at].text_n = 0;
                one = at;
            } else {
                unlink_child(g, at);
                merge(g, one, at);
            }
            g->nodes[one].named = true;
        }
        at = next;
    }
}

/* Requests below each node, from the leaves up: a child is never before its parent, as nothing was merged yet. */
static void sum_requests(struct path_groups *g)
{
    for (uint32_t i = g->node_count - 1; i > 0; i--)
        g->nodes[g->nodes[i].parent].requests += g->nodes[i].requests;
}

/* Parents first, so that what was merged is folded in its new place. */
static void fold_all(struct path_groups *g)
{
    uint32_t at = 0;

    sum_requests(g);
    for (;;) {
        fold(g, at);
        if (g->nodes[at].child) {
            at = g->nodes[at].child;
            continue;
        }
        while (at && !g->nodes[at].next)
            at = g->nodes[at].parent;
        if (!at)
            return;
        at = g->nodes[at].next;
    }
}

/* ---- listing */

static struct span pattern_of(const struct path_groups *g, struct arena *a, uint32_t node)
{
    uint32_t path[PATH_SEGMENTS_MAX + 1];
    char text[(PATH_SEGMENTS_MAX + 1) * (PATH_SEGMENT_BYTES_MAX + 1)];
    size_t depth = 0;
    size_t n = 0;

    for (; node; node = g->nodes[node].parent) {
        check(depth < sizeof(path) / sizeof(path[0]));
        path[depth++] = node;
    }
    while (depth > 0) {
        const struct path_node *p = &g->nodes[path[--depth]];
        struct span s = p->kind == SEGMENT_REST  ? SPAN("*")
                        : p->kind == SEGMENT_ONE ? (p->named ? SPAN("{name}") : SPAN("{id}"))
                                                 : text_of(g, path[depth]);
        text[n++] = '/';
        memcpy(text + n, s.p, s.n);
        n += s.n;
    }
    return arena_span(a, span_of(text, n));
}

/* Most requests first; equal ones by their pattern, so that the same log gives the same file. */
static bool comes_before(const struct path_group *a, const struct path_group *b)
{
    if (a->counts->requests != b->counts->requests)
        return a->counts->requests > b->counts->requests;
    size_t n = a->pattern.n < b->pattern.n ? a->pattern.n : b->pattern.n;
    int order = memcmp(a->pattern.p, b->pattern.p, n);
    if (order == 0 && a->pattern.n == b->pattern.n)
        return a->counts->method < b->counts->method;
    return order < 0 || (order == 0 && a->pattern.n < b->pattern.n);
}

/* Shell's sort: no recursion, and two thousand are few. */
static void sort(struct path_group *list, size_t count)
{
    for (size_t gap = count / 2; gap > 0; gap /= 2) {
        for (size_t i = gap; i < count; i++) {
            struct path_group moved = list[i];
            size_t k = i;
            for (; k >= gap && comes_before(&moved, &list[k - gap]); k -= gap)
                list[k] = list[k - gap];
            list[k] = moved;
        }
    }
}

size_t path_groups_finish(struct path_groups *g, struct arena *a, struct path_group **ret_groups)
{
    struct path_group *list = arena_array(a, struct path_group, g->counts_count + 1);
    size_t count = 0;

    fold_all(g);
    for (uint32_t i = 0; i < g->counts_count; i++) {
        const struct path_counts *c = &g->counts[i];
        if (c->requests == 0)
            continue; /* merged */
        list[count++] = (struct path_group){ .method = methods[c->method],
                                             .pattern = pattern_of(g, a, c->node),
                                             .counts = c };
    }
    sort(list, count);
    *ret_groups = list;
    return count;
}
