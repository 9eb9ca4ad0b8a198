/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_peer_counts.c - what is accepted from a peer has bounded numbers, windows in growing order and bins that exist, and no
 * window of any age holds more than the largest that was told; and it can be written and read again. */
#include "fuzz.h"

#include "control/peer_counts.h"

static void look_at(const struct peer_journey *j)
{
    struct window_counts w;
    int64_t before = 0;

    check(j->name.n > 0 && j->series >= SERIES_OBJECTIVES && j->series <= SERIES_STEPS);
    check(j->window_count <= PEER_WINDOWS_MAX && j->latency.count <= HISTOGRAM_BINS);
    for (size_t i = 0; i < j->window_count; i++) {
        const struct peer_window *last = &j->windows[i];
        check(last->seconds > before);
        before = last->seconds;
        for (int64_t age = 0; age <= last->seconds + 1; age += last->seconds / 7 + 1) {
            check(peer_journey_window(j, last->seconds, age, &w));
            for (unsigned k = 0; k < SERIES_MAX; k++)
                check(w.counts[k] <= PEER_COUNT_MAX);
            check(age < last->seconds || w.counts[SERIES_GOOD] == 0);
        }
    }
    for (unsigned k = 0; k < SERIES_MAX; k++)
        check(j->totals[k] <= PEER_COUNT_MAX && j->standing[k % STEPS_MAX] <= PEER_COUNT_MAX);
    const struct peer_bins *b = &j->latency;
    for (size_t i = 0; i < b->count; i++)
        check(b->bins[i] < HISTOGRAM_BINS && (i == 0 || b->bins[i] > b->bins[i - 1]));
}

/* What the store keeps of it is read again as the same. */
static void write_again(const struct peer_counts *p)
{
    struct str text = str_growing();
    struct peer_counts *again = NULL;

    peer_counts_print(p, &text);
    err e = peer_counts_parse(str_span(&text), &again);
    check(!e.failed && again->journey_count == p->journey_count &&
          span_equal(again->node, p->node) && again->at == p->at);
    for (size_t i = 0; i < p->journey_count; i++) {
        const struct peer_journey *a = &p->journeys[i];
        const struct peer_journey *b = &again->journeys[i];
        check(span_equal(a->name, b->name) && a->definition == b->definition &&
              a->window_count == b->window_count &&
              memcmp(a->totals, b->totals, sizeof(a->totals)) == 0);
    }
    peer_counts_free(again);
    str_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct peer_counts *p = NULL;
    err e = peer_counts_parse(span_of(data, size), &p);

    check(e.failed == (p == NULL));
    if (!p)
        return 0;
    check(p->journey_count <= JOURNEYS_MAX && p->node.n > 0);
    for (size_t i = 0; i < p->journey_count; i++) {
        look_at(&p->journeys[i]);
        check(peer_counts_find(p, p->journeys[i].name) == &p->journeys[i]);
    }
    write_again(p);
    peer_counts_free(p);
    return 0;
}
