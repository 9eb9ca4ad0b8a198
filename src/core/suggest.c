/* SPDX-License-Identifier: Apache-2.0 */
/* suggest.c - words in paths that say what a path is for, and round numbers. */
#include "core/suggest.h"

#include "base/check.h"
#include "core/slo.h"

/* ---- what a path is for */

enum purpose { PURPOSE_NONE, PURPOSE_CHECKOUT, PURPOSE_ACCOUNT, PURPOSE_NOBODY };

/* Words of segments, each between blanks. */
static const struct {
    enum purpose purpose;
    const char *words;
} purposes[] = {
    { PURPOSE_CHECKOUT,
      " cart carts basket baskets checkout pay payment payments order orders purchase "
      "purchases buy subscribe subscriptions booking bookings book reservation "
      "reservations " },
    { PURPOSE_ACCOUNT,
      " login log-in logout signin sign-in signup sign-up signout register registration "
      "auth oauth oauth2 session sessions token account password password-reset " },
    { PURPOSE_NOBODY,
      " health healthz healthcheck health-check livez readyz ping metrics status "
      "server-status nginx_status stub_status favicon.ico robots.txt .well-known " },
};

/* The segment behind `at`, which is moved there; false when there is no other. */
static bool next_segment(struct span pattern, size_t *at, struct span *ret)
{
    if (*at >= pattern.n)
        return false;
    struct span rest = span_after(pattern, *at + 1);
    *ret = span_of(rest.p, span_find(rest, '/'));
    *at += 1 + ret->n;
    return true;
}

static bool has_word(const char *words, struct span word)
{
    char text[SUGGEST_NAME_MAX + 3] = " ";

    if (word.n == 0 || word.n > SUGGEST_NAME_MAX || memchr(word.p, '\0', word.n))
        return false;
    for (size_t i = 0; i < word.n; i++)
        text[1 + i] = ascii_lower(word.p[i]);
    text[1 + word.n] = ' ';
    return strstr(words, text) != NULL;
}

static enum purpose purpose_of(struct span pattern)
{
    struct span segment;
    size_t at = 0;

    while (next_segment(pattern, &at, &segment)) {
        for (size_t i = 0; i < sizeof(purposes) / sizeof(purposes[0]); i++) {
            if (has_word(purposes[i].words, segment))
                return purposes[i].purpose;
        }
    }
    return PURPOSE_NONE;
}

/* The first word that says something: "comments" of /api/v1/comments/{id}. */
static void name_of(struct span pattern, char ret_name[SUGGEST_NAME_MAX + 1])
{
    struct span segment;
    size_t at = 0;
    size_t n = 0;

    while (n == 0 && next_segment(pattern, &at, &segment)) {
        bool version =
            segment.n >= 2 && segment.n <= 3 && segment.p[0] == 'v' && ascii_digit(segment.p[1]);
        if (segment.n == 0 || segment.p[0] == '{' || version || has_word(" api rest ", segment))
            continue;
        for (size_t i = 0; i < segment.n && n < SUGGEST_NAME_MAX - 1; i++) {
            char c = ascii_lower(segment.p[i]);
            bool plain = (c >= 'a' && c <= 'z') || ascii_digit(c);
            if (plain || (n > 0 && (c == '-' || c == '_')))
                ret_name[n++] = c;
        }
    }
    ret_name[n] = '\0';
    if (n == 0)
        memcpy(ret_name, "changes", 8);
    /* names that are taken here or by the program */
    if (has_word(" unclaimed browse checkout account ", span_from_text(ret_name)))
        memcpy(ret_name + strlen(ret_name), "2", 2);
}

/* ---- journeys */

struct suggesting {
    struct suggested_journey *journeys;
    size_t count;
};

static struct suggested_journey *find_journey(struct suggesting *s, const char *name,
                                              bool must_have)
{
    for (size_t i = 0; i < s->count; i++) {
        if (strcmp(s->journeys[i].name, name) == 0)
            return &s->journeys[i];
    }
    if (s->count == SUGGEST_JOURNEYS_MAX - 1 && must_have)
        return NULL; /* the last one is kept for reading */
    struct suggested_journey *j = &s->journeys[s->count++];
    *j = (struct suggested_journey){ .must_have = must_have };
    memcpy(j->name, name, strlen(name) + 1);
    return j;
}

static void claim(struct suggesting *s, const char *name, bool must_have,
                  const struct path_group *g)
{
    struct suggested_journey *j = find_journey(s, name, must_have);

    if (!j || j->route_count == SUGGEST_ROUTES_MAX)
        return;
    j->routes[j->route_count++] = g;
    j->requests += g->counts->requests;
    j->failed += g->counts->failed;
    j->excluded += g->counts->excluded;
    j->timed += g->counts->timed;
    for (uint32_t i = 0; i < HISTOGRAM_BINS; i++)
        j->bins[i] += g->counts->bins[i];
}

static bool reads(const struct path_group *g)
{
    return span_equal(g->method, SPAN("GET"));
}

/* Nobody ever got an answer there that counts, or hardly anybody asked. */
static bool matters(const struct path_group *g)
{
    enum { LEAST = 3 };

    return g->counts->requests >= LEAST && g->counts->requests > g->counts->excluded;
}

static void claim_flows(struct suggesting *s, const struct path_group *groups, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        enum purpose purpose = purpose_of(groups[i].pattern);
        char name[SUGGEST_NAME_MAX + 2];
        if (!matters(&groups[i]) || purpose == PURPOSE_NOBODY)
            continue;
        if (purpose == PURPOSE_CHECKOUT) {
            claim(s, "checkout", true, &groups[i]);
        } else if (purpose == PURPOSE_ACCOUNT) {
            claim(s, "account", true, &groups[i]);
        } else if (!reads(&groups[i])) {
            name_of(groups[i].pattern, name);
            claim(s, name, true, &groups[i]);
        }
    }
}

/* The pages that most people read: together 95 % of what is read, and none below 1 %. */
static void claim_pages(struct suggesting *s, const struct path_group *groups, size_t count)
{
    uint64_t all = 0;
    uint64_t claimed = 0;

    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < count; i++) {
            uint64_t n = groups[i].counts->requests;
            if (!matters(&groups[i]) || !reads(&groups[i]) ||
                purpose_of(groups[i].pattern) != PURPOSE_NONE)
                continue;
            if (pass == 0) {
                all += n;
            } else if (claimed * 100 < all * 95 && n * 100 >= all) {
                claim(s, "browse", false, &groups[i]);
                claimed += n;
            }
        }
    }
}

size_t suggest_journeys(const struct path_group *groups, size_t count,
                        struct suggested_journey ret_journeys[SUGGEST_JOURNEYS_MAX])
{
    struct suggesting s = { .journeys = ret_journeys };

    claim_flows(&s, groups, count);
    claim_pages(&s, groups, count);
    return s.count;
}

/* ---- round numbers */

static const struct {
    uint32_t parts;
    const char *text;
} targets[] = {
    { 999900000, "99.99%" }, { 999500000, "99.95%" }, { 999000000, "99.9%" },
    { 995000000, "99.5%" },  { 990000000, "99%" },    { 980000000, "98%" },
    { 950000000, "95%" },
};

enum { TARGET_COUNT = sizeof(targets) / sizeof(targets[0]) };

const char *suggest_target(uint64_t judged, uint64_t failed, uint32_t *ret_target, bool *ret_kept)
{
    size_t i = 0;

    check(failed <= judged);
    struct slo_counts c = { .good = judged - failed, .bad = failed };
    /* a budget of less than one event could not have been overdrawn by anything but luck */
    while (i + 1 < TARGET_COUNT && (slo_state(targets[i].parts, c) != SLO_MET ||
                                    slo_bad_left(targets[i].parts, c) + (int64_t)failed < 1))
        i++;
    *ret_target = targets[i].parts;
    *ret_kept = slo_state(targets[i].parts, c) != SLO_MISSED;
    return targets[i].text;
}

ns_t suggest_under(ns_t observed)
{
    static const ns_t tenths[] = { 10, 12, 15, 20, 25, 30, 40, 50, 60, 80 };
    const ns_t most = 1000 * NS_PER_S;
    ns_t wanted = observed > most / 2 ? most : observed + observed / 5;

    for (ns_t power = NS_PER_MS; power < most; power *= 10) {
        for (size_t i = 0; i < sizeof(tenths) / sizeof(tenths[0]); i++) {
            if (power * tenths[i] >= wanted)
                return power * tenths[i];
        }
    }
    return most;
}
