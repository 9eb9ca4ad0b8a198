/* SPDX-License-Identifier: Apache-2.0 */
/* suggest_write.c - see suggest_write.h. */
#include "core/suggest_write.h"

/* ---- single values */

void suggest_put_text(struct str *out, struct span s)
{
    bool plain = s.n > 0 && (ascii_digit(s.p[0]) || s.p[0] == '/' ||
                             (ascii_lower(s.p[0]) >= 'a' && ascii_lower(s.p[0]) <= 'z'));
    bool told = false; /* a lone word could be YAML's null, yes, ... */

    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = ascii_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
        bool colon = c == ':' && i + 1 < s.n && ascii_digit(s.p[i + 1]);
        told |= c == '/' || c == '.' || colon;
        plain = plain && (letter || colon || (c && strchr("-_./*", c)) ||
                          (c == ' ' && i + 1 < s.n && s.p[i + 1] == '/'));
    }
    if (plain && told) {
        str_put(out, s);
        return;
    }
    bool single = span_find(s, '"') < s.n || span_find(s, '\\') < s.n;
    str_char(out, single ? '\'' : '"');
    for (size_t i = 0; i < s.n; i++) {
        if (single && s.p[i] == '\'')
            str_char(out, '\'');
        str_char(out, s.p[i]);
    }
    str_char(out, single ? '\'' : '"');
}

void suggest_put_time(struct str *out, ns_t t)
{
    if (t >= NS_PER_S && t % (NS_PER_S / 10) == 0)
        str_print(out, "%gs", (double)t / (double)NS_PER_S);
    else
        str_print(out, "%gms", (double)t / (double)NS_PER_MS);
}

/* ---- routes */

static bool keep_route(struct suggest_written *w, const struct path_group *g)
{
    struct pattern p;
    struct span text = span_from_text(
        arena_print(w->arena, "%.*s %.*s", SPAN_ARG(g->method), SPAN_ARG(g->pattern)));

    if (w->count == SUGGEST_PATTERNS_MAX || pattern_parse(w->arena, text, &p))
        return false;
    for (size_t i = 0; i < w->count; i++) {
        if (pattern_covers(&w->patterns[i], &p))
            return false;
    }
    w->groups[w->count] = g;
    w->patterns[w->count++] = p;
    return true;
}

static bool is_literal(const struct path_group *g)
{
    return span_find(g->pattern, '{') == g->pattern.n && span_find(g->pattern, '*') == g->pattern.n;
}

size_t suggest_keep(struct suggest_written *w, const struct suggested_journey *j)
{
    size_t before = w->count;

    for (int literal = 1; literal >= 0; literal--) {
        for (size_t i = 0; i < j->route_count; i++) {
            if (is_literal(j->routes[i]) == literal)
                keep_route(w, j->routes[i]);
        }
    }
    return w->count - before;
}

bool suggest_has(const struct suggest_written *w, const struct path_group *g)
{
    for (size_t i = 0; i < w->count; i++) {
        if (w->groups[i] == g)
            return true;
    }
    return false;
}

/* ---- a journey */

static void put_objectives(struct str *out, const struct suggested_journey *j,
                           const struct suggest_words *words)
{
    uint32_t target;
    bool kept;
    const char *text = suggest_target(j->requests - j->excluded, j->failed, &target, &kept);

    str_print(out, "    objectives:\n      available: { target: %s }%s\n", text,
              kept ? "" : words->not_kept);
    if (j->timed == 0) {
        str_text(out, words->untimed);
        return;
    }
    str_text(out, "      fast: { target: 95%, under: ");
    suggest_put_time(out, suggest_under(histogram_percentile(j->bins, 950000)));
    str_text(out, " }   # p95 with head room\n");
}

bool suggest_put_journey(struct str *out, struct suggest_written *w,
                         const struct suggested_journey *j, const struct suggest_words *words)
{
    size_t routes = suggest_keep(w, j);

    if (routes == 0)
        return false;
    str_print(out, "  %s:\n%s    priority: %s\n    routes:\n", words->name, words->evidence,
              j->must_have ? "must-have" : "nice-to-have");
    for (size_t i = w->count - routes; i < w->count; i++) {
        str_text(out, "      - ");
        suggest_put_text(out, w->patterns[i].text);
        str_char(out, '\n');
    }
    put_objectives(out, j, words);
    return true;
}
