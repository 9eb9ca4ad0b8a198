/* SPDX-License-Identifier: Apache-2.0 */
/* told.c - what an instance says of its own answer: an error inside a 200, a 404 that is right, which journey a
 * request of one address for all (GraphQL, RPC) belongs to. The fields are never passed on (proto/http1.c), and are
 * read from instances' answers only, so no client can speak of itself.
 * Always: what is not understood changes nothing and is counted. */
#include "plane/http/exchange.h"

static const struct {
    struct span word;
    enum outcome outcome;
} words[] = {
#define X(name, word) { { word, sizeof(word) - 1 }, OUTCOME_##name },
    X(GOOD, "good") X(SLOW, "slow") X(FAILED, "failed") X(EXCLUDED, "excluded")
#undef X
};

static bool tell_outcome(struct exchange *x, struct span said)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (span_equal_nocase(said, words[i].word)) {
            x->told = (uint8_t)words[i].outcome;
            x->is_told = true;
            return true;
        }
    }
    return false;
}

static bool tell_journey(struct exchange *x, struct span said)
{
    const struct config *c = x->snapshot->config;

    for (size_t i = 0; i < c->journey_count; i++) {
        if (c->journeys[i].kind == JOURNEY_REQUESTS && span_equal(said, c->journeys[i].name)) {
            x->journey = &c->journeys[i];
            return true;
        }
    }
    return false;
}

void told_read(struct exchange *x)
{
    const struct http_field *outcome = NULL;
    const struct http_field *journey = NULL;
    unsigned said = 0;
    unsigned understood = 0;

    for (uint32_t i = 0; i < x->answer.field_count; i++) {
        const struct http_field *f = &x->answer.fields[i];
        if (f->id != HTTP_EVENKEEL_OUTCOME && f->id != HTTP_EVENKEEL_JOURNEY)
            continue;
        const struct http_field **one = f->id == HTTP_EVENKEEL_OUTCOME ? &outcome : &journey;
        said++;
        if (!*one)
            *one = f;
    }
    if (said == 0)
        return;
    /* said twice is not understood: neither is to be believed more */
    if (said > (unsigned)(outcome != NULL) + (journey != NULL)) {
        edge_count(x->edge, x->edge->slots->counters + EDGE_TOLD_IGNORED, said);
        return;
    }
    understood += outcome && tell_outcome(x, field_value(outcome));
    understood += journey && tell_journey(x, field_value(journey));
    edge_count(x->edge, x->edge->slots->counters + EDGE_TOLD, understood > 0);
    edge_count(x->edge, x->edge->slots->counters + EDGE_TOLD_IGNORED, said - understood);
}
