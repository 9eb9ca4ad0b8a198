/* SPDX-License-Identifier: Apache-2.0 */
/* peer_findings.c - what is wrong with a peer's being summed: for people who look, and for the log once when it begins and once
 * when it is over. */
#include "base/log.h"
#include "control/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

enum {
    CLOCKS_APART_MAX_S = 5, /* windows of both begin so far apart; slots are twice that */
    TOLD_MAX = 32,          /* of one peer in the log; the page has all */
    LOOKS_UNTIL_OVER = 3,
};

struct teller {
    void (*tell)(void *whom, uint64_t key, const char *text);
    void *whom;
};

enum kind { SELF, DOUBLE, CLOCK, MISSING, DIFFERS, WINDOW, ONLY_THERE };

/* `about`: with the kind it is what makes it the same finding when its words change. */
__attribute__((format(printf, 4, 5))) static void say(const struct teller *t, enum kind kind,
                                                      struct span about, const char *format, ...)
{
    char text[ERR_TEXT_MAX];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    t->tell(t->whom, XXH3_64bits_withSeed(about.p, about.n, (uint64_t)kind), text);
}

static void compare_windows(const struct peer_journey *theirs, const struct journey *j,
                            const struct teller *t)
{
    struct window_counts w;

    for (size_t o = 0; o < j->objective_count; o++) {
        int64_t seconds = j->objectives[o].window_s;
        if (!peer_journey_window(theirs, seconds, 0, &w))
            say(t, WINDOW, j->name,
                "journey %.*s: objective %.*s has another window there than %.6g days; it is "
                "not summed",
                SPAN_ARG(j->name), SPAN_ARG(j->objectives[o].name), (double)seconds / 86400);
    }
}

static void compare_journey(const struct peer *p, const struct journey *j, const struct teller *t)
{
    const struct peer_journey *theirs = peer_counts_find(p->counts, j->name);

    if (!theirs)
        say(t, MISSING, j->name, "journey %.*s is not there", SPAN_ARG(j->name));
    else if (!peers_same_journey(p, j))
        say(t, DIFFERS, j->name, "journey %.*s is defined differently there; it is not summed",
            SPAN_ARG(j->name));
    else
        compare_windows(theirs, j, t);
}

static bool has_journey(const struct config *config, struct span name)
{
    for (size_t i = 0; i < config->journey_count; i++) {
        if (span_equal(config->journeys[i].name, name))
            return true;
    }
    return false;
}

static void find_all(const struct control *c, const struct peer *p, const struct teller *t)
{
    const struct config *config = control_config(c);

    if (p->self)
        say(t, SELF, SPAN(""), "it is this very node");
    else if (p->same_as)
        say(t, DOUBLE, p->same_as->text,
            "it is the same node as %s: one node under two addresses, or a copied store",
            p->same_as->text.p);
    if (!p->counts || !peer_is_node(p))
        return;
    int64_t apart = p->counts->at - p->heard_at;
    if (apart > CLOCKS_APART_MAX_S || apart < -CLOCKS_APART_MAX_S)
        say(t, CLOCK, SPAN(""), "its clock is %ld s %s ours", (long)(apart < 0 ? -apart : apart),
            apart < 0 ? "behind" : "before");
    for (size_t i = 0; i < config->journey_count; i++)
        compare_journey(p, &config->journeys[i], t);
    for (size_t i = 0; i < p->counts->journey_count; i++) {
        struct span name = p->counts->journeys[i].name;
        if (!has_journey(config, name))
            say(t, ONLY_THERE, name, "journey %s is only there", name.p);
    }
}

/* ---- for people */

struct reader {
    void (*tell)(void *whom, const char *text);
    void *whom;
};

static void pass_on(void *reader, uint64_t key, const char *text)
{
    const struct reader *r = reader;

    (void)key;
    r->tell(r->whom, text);
}

void peer_findings(const struct control *c, const struct peer *p,
                   void (*tell)(void *whom, const char *text), void *whom)
{
    struct reader r = { tell, whom };

    find_all(c, p, &(struct teller){ pass_on, &r });
}

/* ---- for the log */

struct told {
    uint64_t key;
    char *text;
    unsigned missed; /* looks in a row without it */
};

struct told_list {
    struct told list[TOLD_MAX];
    size_t count;
    bool more; /* there were more than these, and it was said */
};

struct logger {
    struct peer *peer;
    struct told_list *told;
};

static void note(void *logger, uint64_t key, const char *text)
{
    const struct logger *l = logger;
    struct told_list *told = l->told;

    for (size_t i = 0; i < told->count; i++) {
        if (told->list[i].key == key) {
            told->list[i].missed = 0;
            return;
        }
    }
    if (told->count < TOLD_MAX) {
        char *copy = strdup(text);
        check(copy != NULL);
        told->list[told->count++] = (struct told){ .key = key, .text = copy };
        log_warn("peer %s: %s", l->peer->text.p, text);
    } else if (!told->more) {
        told->more = true;
        log_warn("peer %s: and more, see /api/v1/peers", l->peer->text.p);
    }
}

/* A clock that is just as far off as may be is told of once, not each second. */
static void end_missed(const struct peer *p, struct told_list *told)
{
    size_t kept = 0;

    for (size_t i = 0; i < told->count; i++) {
        struct told *t = &told->list[i];
        if (t->missed >= LOOKS_UNTIL_OVER) {
            log_info("peer %s: no longer so: %s", p->text.p, t->text);
            free(t->text);
        } else {
            told->list[kept++] = *t;
        }
    }
    told->count = kept;
    told->more &= kept > 0;
}

static void look_at(struct control *c, struct peer *p)
{
    if (!p->told) {
        p->told = calloc(1, sizeof(*p->told));
        check(p->told != NULL);
    }
    for (size_t i = 0; i < p->told->count; i++)
        p->told->list[i].missed++;
    struct logger l = { p, p->told };
    find_all(c, p, &(struct teller){ note, &l });
    end_missed(p, p->told);
}

void peer_findings_log(struct control *c)
{
    struct peers *all = &c->peers;

    for (size_t i = 0; i < all->count; i++) {
        struct peer *p = &all->list[all->look_next++ % all->count];
        if (peer_state(c, p) == PEER_WAITING || peer_state(c, p) == PEER_SILENT)
            continue; /* it says nothing new */
        look_at(c, p);
        return;
    }
}

void peer_findings_free(struct peer *p)
{
    for (size_t i = 0; p->told && i < p->told->count; i++)
        free(p->told->list[i].text);
    free(p->told);
    p->told = NULL;
}
