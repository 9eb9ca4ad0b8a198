/* SPDX-License-Identifier: Apache-2.0 */
/* notices.c - the log, and what control writes into it. */
#include "control/notices.h"

#include "control/control.h"
#include "control/view.h"

#include <stdlib.h>

static const char *const words[] = {
#define X(name, word, meaning) word,
    NOTICES(X)
#undef X
};

const char *notice_word(enum notice_kind k)
{
    return words[k];
}

bool notice_kind_parse(struct span word, enum notice_kind *ret)
{
    for (int k = 0; k < NOTICE_COUNT; k++) {
        if (span_equal(word, span_from_text(words[k]))) {
            *ret = (enum notice_kind)k;
            return true;
        }
    }
    return false;
}

/* ---- the log */

void notices_open(struct notices *n, uint64_t origin)
{
    *n = (struct notices){ .origin = origin, .next = 1, .oldest = 1 };
    n->kept = calloc(NOTICES_KEPT, sizeof(n->kept[0]));
    check(n->kept != NULL);
    list_init(&n->watchers);
}

static struct notice *place_of(struct notices *n, uint64_t number)
{
    return &n->kept[number % NOTICES_KEPT];
}

static void forget_oldest(struct notices *n)
{
    struct notice *old = place_of(n, n->oldest++);

    n->bytes -= old->text.n;
    str_free(&old->text);
}

void notices_free(struct notices *n)
{
    while (n->oldest < n->next)
        forget_oldest(n);
    free(n->kept);
}

void notices_put_id(const struct notices *n, uint64_t number, struct str *out)
{
    str_hex(out, n->origin);
    str_char(out, '-');
    str_u64(out, number);
}

/* https://html.spec.whatwg.org/multipage/server-sent-events.html: lines, and an empty one. */
const struct notice *notices_add(struct notices *n, enum notice_kind kind, int64_t at, json_t *what)
{
    struct str text = str_growing();

    json_object_set_new(what, "at", json_integer((json_int_t)at));
    char *dump = json_dumps(what, JSON_COMPACT | JSON_REAL_PRECISION(12));
    check(dump != NULL);
    str_print(&text, "event: %s\nid: ", words[kind]);
    notices_put_id(n, n->next, &text);
    str_print(&text, "\ndata: %s\n\n", dump);
    free(dump);
    json_decref(what);
    while (n->oldest < n->next &&
           (n->next - n->oldest == NOTICES_KEPT || n->bytes + text.n > NOTICES_BYTES))
        forget_oldest(n);
    struct notice *new = place_of(n, n->next++);
    *new = (struct notice){ .kind = kind, .text = text };
    n->bytes += text.n;
    return new;
}

static bool read_hex(struct span s, uint64_t *ret)
{
    *ret = 0;
    for (size_t i = 0; i < s.n; i++) {
        int digit = ascii_hex(s.p[i]);
        if (digit < 0)
            return false;
        *ret = *ret << 4 | (uint64_t)digit;
    }
    return s.n > 0 && s.n <= 16;
}

enum notices_place notices_find(const struct notices *n, struct span id, uint64_t *ret_next)
{
    size_t dash = span_find(id, '-');
    uint64_t origin;
    uint64_t number;

    *ret_next = n->oldest;
    if (span_equal(id, SPAN("0")))
        return n->oldest == 1 ? NOTICES_HERE : NOTICES_GONE;
    if (!read_hex(span_of(id.p, dash), &origin) || !span_to_u64(span_after(id, dash + 1), &number))
        return NOTICES_NO_ID;
    if (origin != n->origin || number >= n->next)
        return NOTICES_OTHER_PROCESS;
    if (number + 1 < n->oldest)
        return NOTICES_GONE;
    *ret_next = number + 1;
    return NOTICES_HERE;
}

/* ---- what control tells */

void notice(struct control *c, enum notice_kind kind, json_t *what)
{
    check(what != NULL);
    watchers_tell(c, notices_add(&c->notices, kind, c->parts.wall() / NS_PER_S, what));
}

json_t *notice_text(struct span s)
{
    json_t *text = s.n ? json_stringn(s.p, s.n) : json_null();

    return text ? text : json_string("?");
}

void notice_instance(struct control *c, struct span service, struct span instance,
                     const char *state, struct span why)
{
    notice(c, NOTICE_INSTANCE,
           json_pack("{s:o, s:o, s:s, s:o}", "service", notice_text(service), "instance",
                     notice_text(instance), "state", state, "why", notice_text(why)));
}

/* ---- ejections */

struct place {
    const struct service *service;
    const struct instance *instance; /* NULL: it is not there any more */
};

static struct place find_place(const struct control *c, uint32_t id)
{
    const struct config *config = control_config(c);

    for (size_t s = 0; s < config->service_count; s++) {
        const struct service *service = &config->services[s];
        for (size_t i = 0; i < service->instance_count; i++) {
            if (service->instances[i].id == id)
                return (struct place){ service, &service->instances[i] };
        }
    }
    return (struct place){};
}

void notice_ejected(struct control *c, uint32_t id, struct span why)
{
    struct notices *n = &c->notices;
    struct place p = find_place(c, id);
    size_t i = 0;

    if (!p.instance)
        return;
    notice_instance(c, p.service->name, p.instance->text, "ejected", why);
    while (i < n->ejected_count && n->ejected[i] != id)
        i++;
    if (i == n->ejected_count && i < NOTICES_EJECTED)
        n->ejected[n->ejected_count++] = id;
}

void notice_back(struct control *c, uint32_t id, struct span why)
{
    struct notices *n = &c->notices;
    struct place p = find_place(c, id);

    for (size_t i = 0; i < n->ejected_count; i++) {
        if (n->ejected[i] != id)
            continue;
        n->ejected[i] = n->ejected[--n->ejected_count];
        if (p.instance)
            notice_instance(c, p.service->name, p.instance->text,
                            view_instance(c, p.service, p.instance).word, why);
        return;
    }
}

/* Reactors say nothing when the time is over: each just tries it again. */
void notice_ejections_tick(struct control *c)
{
    struct notices *n = &c->notices;

    for (size_t i = n->ejected_count; i-- > 0;) {
        struct place p = find_place(c, n->ejected[i]);
        if (!p.instance || view_instance(c, p.service, p.instance).ejected_for == 0)
            notice_back(c, n->ejected[i], SPAN("it is tried again"));
    }
}

void notice_store(struct control *c)
{
    const struct book *b = &c->book;

    if (!c->parts.scribe || (unsigned)b->trouble_kind == c->notices.store)
        return;
    c->notices.store = (unsigned)b->trouble_kind;
    notice(
        c, NOTICE_STORE,
        json_pack("{s:s, s:s, s:o}", "state", store_trouble_word(b->trouble_kind), "meaning",
                  store_trouble_meaning(b->trouble_kind), "text",
                  b->trouble.failed ? notice_text(span_from_text(b->trouble.text)) : json_null()));
}

/* ---- another configuration */

/* Ids say which they are; the same place is looked at first, for most stay where they were. */
static const struct instance *find_instance(const struct service *s, uint32_t id, size_t place)
{
    if (place < s->instance_count && s->instances[place].id == id)
        return &s->instances[place];
    for (size_t i = 0; i < s->instance_count; i++) {
        if (s->instances[i].id == id)
            return &s->instances[i];
    }
    return NULL;
}

static const struct service *find_service(const struct config *c, struct span name)
{
    for (size_t i = 0; c && i < c->service_count; i++) {
        if (span_equal(c->services[i].name, name))
            return &c->services[i];
    }
    return NULL;
}

static void tell_instances(struct control *c, const struct service *was, const struct service *is)
{
    for (size_t i = 0; i < is->instance_count; i++) {
        const struct instance *new = &is->instances[i];
        const struct instance *old = was ? find_instance(was, new->id, i) : NULL;
        if (!old)
            notice_instance(c, is->name, new->text, "added", SPAN(""));
        if (new->drain && (!old || !old->drain))
            notice_instance(c, is->name, new->text, "drained", SPAN(""));
        if (!new->drain && old && old->drain)
            notice_instance(c, is->name, new->text, "undrained", SPAN(""));
    }
}

static void tell_gone(struct control *c, const struct service *was, const struct service *is)
{
    for (size_t i = 0; i < was->instance_count; i++) {
        if (!is || !find_instance(is, was->instances[i].id, i))
            notice_instance(c, was->name, was->instances[i].text, "removed", SPAN(""));
    }
}

static bool has_version(const struct config *c, const struct journey *j)
{
    for (size_t i = 0; i < c->journey_count; i++) {
        if (span_equal(c->journeys[i].name, j->name) && c->journeys[i].definition == j->definition)
            return true;
    }
    return false;
}

void notice_adopt(struct control *c, const struct config *old, const struct config *new)
{
    for (size_t i = 0; i < new->service_count; i++)
        tell_instances(c, find_service(old, new->services[i].name), &new->services[i]);
    for (size_t i = 0; i < old->service_count; i++)
        tell_gone(c, &old->services[i], find_service(new, old->services[i].name));
    for (size_t i = 0; i < new->journey_count; i++) {
        const struct journey *j = &new->journeys[i];
        if (!has_version(old, j))
            notice(c, NOTICE_JOURNEY,
                   json_pack("{s:o, s:I}", "journey", notice_text(j->name), "version",
                             (json_int_t)book_account(&c->book, j)->number));
    }
}
