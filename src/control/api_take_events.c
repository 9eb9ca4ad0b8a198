/* SPDX-License-Identifier: Apache-2.0 */
/* api_take_events.c - POST /api/v1/events: jobs that ended are counted for their journeys, in control's own page.
 * Always: an event whose id is among the last ones is not counted again, so whoever got no answer may tell
 * everything once more. */
#include "bus/tally.h"
#include "control/api_table.h"
#include "control/control.h"
#include "control/events.h"

#include <jansson.h>
#include <stdlib.h>

/* In the second in which it ended it counts as anything else. */
static bool is_late(const struct event *e)
{
    return e->ago >= NS_PER_S;
}

static struct verdict count_event(struct control *c, const struct event *e)
{
    const struct journey *j = e->journey;
    struct verdict v = verdict_told(&j->rules, e->outcome, e->took);

    tally_verdict(&c->tally, &j->slots, v, e->took);
    return v;
}

void events_count(struct control *c, const struct event *list, size_t count, size_t *ret_known)
{
    struct late_event *late = calloc(count ? count : 1, sizeof(*late));
    size_t late_count = 0;

    check(late != NULL);
    *ret_known = 0;
    for (size_t i = 0; i < count; i++) {
        const struct event *e = &list[i];
        if (e->mark && !recent_put(c->events_seen, e->mark)) {
            ++*ret_known;
            continue;
        }
        struct verdict v = count_event(c, e);
        if (is_late(e))
            late[late_count++] = (struct late_event){
                .journey = e->journey, .ago = e->ago, .verdict = v, .took = e->took
            };
    }
    book_late(&c->book, late, late_count, c->reactor->now, c->parts.wall() / NS_PER_S);
    free(late);
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
    size_t known;
    err e = events_read(k->body, control_config(c), c->parts.hash_key, c->parts.wall() / NS_PER_S,
                        &list, &count);

    if (e.failed) {
        answer_wrong(k, e.text);
        return;
    }
    events_count(c, list, count, &known);
    free(list);
    str_print(&k->out, "{\"taken\":%zu,\"known\":%zu}\n", count - known, known);
}
