/* SPDX-License-Identifier: Apache-2.0 */
/* deeds.c - see deeds.h. */
#include "control/deeds.h"

#include "control/control.h"

static const char *const words[] = {
#define X(name, word) word,
    DEEDS(X)
#undef X
};

struct asker asker_copy(const struct asker *a)
{
    struct asker copy = { .by = a->by };

    copy.who = arena_span(&copy.memory, a->who);
    copy.why = arena_span(&copy.memory, a->why);
    return copy;
}

void asker_free(struct asker *a)
{
    arena_free(&a->memory);
    *a = (struct asker){};
}

static json_t *literal(const char *text)
{
    return text ? json_string(text) : json_null();
}

static struct kept_deed kept(const struct control *c, enum deed deed, const struct asker *by)
{
    return (struct kept_deed){ .at = c->parts.wall() / NS_PER_S,
                               .text = { [DEED_TEXT_WHAT] = span_from_text(words[deed]),
                                         [DEED_TEXT_WHO] = by->who,
                                         [DEED_TEXT_WHY] = by->why,
                                         [DEED_TEXT_BY] = span_from_text(by->by ? by->by : "") } };
}

static void tell_change(struct control *c, const struct kept_deed *d, const struct asker *by)
{
    const struct span *text = d->text;

    notice(c, NOTICE_CHANGE,
           json_pack("{s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "deed",
                     notice_text(text[DEED_TEXT_WHAT]), "id", (json_int_t)d->id, "change",
                     notice_text(text[DEED_TEXT_CHANGE]), "service",
                     notice_text(text[DEED_TEXT_SERVICE]), "instance",
                     notice_text(text[DEED_TEXT_INSTANCE]), "value",
                     notice_text(text[DEED_TEXT_VALUE]), "who", notice_text(by->who), "why",
                     notice_text(by->why), "by", literal(by->by), "expires_at",
                     d->expires ? json_integer((json_int_t)d->expires) : json_null()));
}

void deed_change(struct control *c, enum deed deed, const struct change *change,
                 const struct asker *by)
{
    struct asker maker = { .who = change->who, .why = change->why, .by = change->by };
    struct asker nobody = {};
    const struct asker *who = by ? by : deed == DEED_MADE ? &maker : &nobody;
    struct kept_deed d = kept(c, deed, who);
    struct arena a = {};

    d.id = change->id;
    d.expires = change->expires;
    d.text[DEED_TEXT_CHANGE] = span_from_text(change_word(change->kind));
    d.text[DEED_TEXT_SERVICE] = change->service;
    d.text[DEED_TEXT_INSTANCE] = change->instance;
    d.text[DEED_TEXT_VALUE] = change_value(&a, change);
    tell_change(c, &d, who);
    deeds_keep(c, &d);
    arena_free(&a);
}

/* With what is wrong, line by line: whoever asks later has another file before him. In the arena. */
static struct span whole_error(struct arena *a, const struct reload_outcome *o)
{
    struct str all = str_growing();

    str_put(&all, str_span(&o->error));
    if (!o->good && o->findings.n) { /* each of its lines ends with a newline */
        str_char(&all, '\n');
        str_put(&all, span_of(o->findings.p, o->findings.n - 1));
    }
    struct span kept = arena_span(a, str_span(&all));
    str_free(&all);
    return kept;
}

void deed_reload(struct control *c, const struct reload_outcome *o, const struct asker *by)
{
    enum deed deed = o->good ? DEED_RELOADED : DEED_RELOAD_REFUSED;
    struct kept_deed d = kept(c, deed, by);
    struct arena a = {};

    d.serial = (int64_t)o->serial;
    d.text[DEED_TEXT_ERROR] = whole_error(&a, o);
    d.text[DEED_TEXT_CHANGED] = str_span(&o->changed);
    d.text[DEED_TEXT_RESTART] = str_span(&o->restart);
    notice(c, NOTICE_RELOAD,
           json_pack("{s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "deed", words[deed], "serial",
                     (json_int_t)o->serial, "error", notice_text(str_span(&o->error)), "changed",
                     notice_text(str_span(&o->changed)), "needs_restart",
                     notice_text(str_span(&o->restart)), "who", notice_text(by->who), "why",
                     notice_text(by->why), "by", literal(by->by)));
    deeds_keep(c, &d);
    arena_free(&a);
}

void deed_node(struct control *c, enum deed deed, const char *by)
{
    struct kept_deed d = kept(c, deed, &(struct asker){ .by = by });

    d.text[DEED_TEXT_VALUE] = span_from_text(c->parts.version ? c->parts.version : "");
    deeds_keep(c, &d);
}
