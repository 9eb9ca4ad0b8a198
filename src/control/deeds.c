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

void deed_change(struct control *c, enum deed deed, const struct change *change,
                 const struct asker *by)
{
    struct asker maker = { .who = change->who, .why = change->why, .by = change->by };
    struct asker nobody = {};
    const struct asker *who = by ? by : deed == DEED_MADE ? &maker : &nobody;
    struct arena a = {};

    notice(c, NOTICE_CHANGE,
           json_pack("{s:s, s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "deed", words[deed],
                     "id", (json_int_t)change->id, "change", change_word(change->kind), "service",
                     notice_text(change->service), "instance", notice_text(change->instance),
                     "value", notice_text(change_value(&a, change)), "who", notice_text(who->who),
                     "why", notice_text(who->why), "by", literal(who->by), "expires_at",
                     change->expires ? json_integer((json_int_t)change->expires) : json_null()));
    arena_free(&a);
}

void deed_reload(struct control *c, const struct reload_outcome *o, const struct asker *by)
{
    notice(c, NOTICE_RELOAD,
           json_pack("{s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "deed",
                     words[o->good ? DEED_RELOADED : DEED_RELOAD_REFUSED], "serial",
                     (json_int_t)o->serial, "error", notice_text(str_span(&o->error)), "changed",
                     notice_text(str_span(&o->changed)), "needs_restart",
                     notice_text(str_span(&o->restart)), "who", notice_text(by->who), "why",
                     notice_text(by->why), "by", literal(by->by)));
}
