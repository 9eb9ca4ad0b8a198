/* SPDX-License-Identifier: Apache-2.0 */
/* api_take_events.c - POST /api/v1/events: jobs that ended are counted for their journeys, in control's own page.
 * Always: an event whose id is among the last ones is not counted again, so whoever got no answer may tell
 * everything once more. */
#include "control/api_table.h"
#include "control/control.h"
#include "control/events.h"
#include "control/tally.h"

#include <jansson.h>
#include <stdlib.h>

static void count_event(struct control *c, const struct event *e)
{
    const struct journey *j = e->journey;
    struct verdict v = verdict_told(&j->rules, e->outcome, e->took);

    tally_verdict(&c->tally, (struct tally_slots){ j->series, j->histogram }, v, e->took);
}

static void answer_wrong(struct api_call *k, const char *words)
{
    json_t *o = json_pack("{s:s}", "error", words);
    char *dump = o ? json_dumps(o, JSON_COMPACT) : NULL;

    str_print(&k->out, "%s\n", dump ? dump : "{\"error\":\"an event is not UTF-8\"}");
    free(dump);
    json_decref(o);
    k->status = 400;
}

void api_take_events(struct api_call *k)
{
    struct control *c = k->control;
    struct event *list;
    size_t count;
    size_t known = 0;
    err e = events_read(k->body, control_config(c), c->parts.hash_key, c->parts.wall() / NS_PER_S,
                        &list, &count);

    if (e.failed) {
        answer_wrong(k, e.text);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (list[i].mark && !recent_put(c->events_seen, list[i].mark))
            known++;
        else
            count_event(c, &list[i]);
    }
    free(list);
    str_print(&k->out, "{\"taken\":%zu,\"known\":%zu}\n", count - known, known);
}
