/* SPDX-License-Identifier: Apache-2.0 */
/* test_peer_counts.c - what a peer says is read strictly, and a window ages as its answer does. */
#include "unit.h"

#include "control/peer_counts.h"

#define HEAD "{\"format\":1,\"node\":\"n1\",\"started_at\":1,\"at\":2,\"journeys\":["
#define NAME "{\"name\":\"a\",\"definition\":\"00000000000000ff\",\"counts\":[9,0,1,0,70],"
#define WINDOWS                                                                    \
    "\"windows\":[{\"seconds\":60,\"measured_ms\":60000,\"counts\":[2,0,0,0,20]}," \
    "{\"seconds\":300,\"measured_ms\":200000,\"counts\":[6,0,1,0,70]}],"
#define BINS "\"latency_bins\":[[3,4],[9,5]]}"

static void right_ones_are_taken(void **state)
{
    struct peer_counts *p = NULL;
    struct window_counts w;

    (void)state;
    err e = peer_counts_parse(SPAN(HEAD NAME WINDOWS BINS "]}"), &p);
    assert_false(e.failed);
    const struct peer_journey *j = peer_counts_find(p, SPAN("a"));
    assert_non_null(j);
    assert_int_equal(j->definition, 255);
    assert_int_equal(j->totals[SERIES_GOOD], 9);
    assert_int_equal(j->latency.bins[1], 9);
    assert_true(peer_journey_window(j, 300, 0, &w));
    assert_int_equal(w.counts[SERIES_GOOD], 6);
    assert_int_equal(w.measured_ms, 200000);
    assert_true(peer_journey_window(j, 300, 120, &w)); /* half way between both */
    assert_int_equal(w.counts[SERIES_GOOD], 4);
    assert_int_equal(w.measured_ms, 130000);
    assert_true(peer_journey_window(j, 300, 240, &w));
    assert_int_equal(w.counts[SERIES_GOOD], 2);
    assert_true(peer_journey_window(j, 300, 270, &w));
    assert_int_equal(w.counts[SERIES_GOOD], 1);
    assert_true(peer_journey_window(j, 300, 300, &w));
    assert_int_equal(w.counts[SERIES_GOOD], 0);
    assert_int_equal(w.measured_ms, 0);
    assert_false(peer_journey_window(j, 301, 0, &w));
    peer_counts_free(p);
}

#define SERVICES                                                                  \
    "],\"services\":[{\"name\":\"shop\",\"instances\":[[\"10.0.0.1:80\",\"up\"]," \
    "[\"10.0.0.2:80\",\"ejected\"]]}]}"

static void instances_are_told_of(void **state)
{
    struct peer_counts *p = NULL;

    (void)state;
    err e = peer_counts_parse(SPAN(HEAD NAME WINDOWS BINS SERVICES), &p);
    assert_false(e.failed);
    assert_string_equal(peer_counts_state(p, SPAN("shop"), SPAN("10.0.0.2:80")).p, "ejected");
    assert_int_equal(peer_counts_state(p, SPAN("shop"), SPAN("10.0.0.3:80")).n, 0);
    assert_int_equal(peer_counts_state(p, SPAN("other"), SPAN("10.0.0.2:80")).n, 0);
    peer_counts_free(p);
}

/* What the store keeps of it is read as the same. */
static void what_is_kept_says_the_same(void **state)
{
    struct peer_counts *p = NULL;
    struct peer_counts *again = NULL;
    struct str text = str_growing();
    struct window_counts w;

    (void)state;
    err e = peer_counts_parse(SPAN(HEAD NAME WINDOWS BINS SERVICES), &p);
    assert_false(e.failed);
    struct peer_counts *shared = peer_counts_share(p);
    peer_counts_free(p); /* one owner is left */
    peer_counts_print(shared, &text);
    e = peer_counts_parse(str_span(&text), &again);
    assert_false(e.failed);
    assert_string_equal(again->node.p, "n1");
    assert_int_equal(again->started_at, 1);
    assert_int_equal(again->at, 2);
    const struct peer_journey *j = peer_counts_find(again, SPAN("a"));
    assert_int_equal(j->definition, 255);
    assert_int_equal(j->totals[SERIES_LATENCY_SUM_US], 70);
    assert_true(peer_journey_window(j, 300, 0, &w));
    assert_int_equal(w.counts[SERIES_GOOD], 6);
    assert_int_equal(w.measured_ms, 200000);
    assert_int_equal(j->latency.count, 0);
    peer_counts_free(shared);
    peer_counts_free(again);
    str_free(&text);
}

#define STEPS                                                                        \
    "\"steps\":{\"counts\":[7,6,5,4,0,0,0,0,3,2,1],\"standing\":[1,2,3,0,0,0,0,0]}," \
    "\"latency_bins\":[]}]}"

static void funnels_are_told_of(void **state)
{
    struct peer_counts *p = NULL;
    struct peer_counts *again = NULL;
    struct str text = str_growing();

    (void)state;
    err e = peer_counts_parse(SPAN(HEAD NAME WINDOWS STEPS), &p);
    assert_false(e.failed);
    const struct peer_journey *j = peer_counts_find(p, SPAN("a"));
    assert_int_equal(j->series, 5);
    assert_int_equal(j->totals[SERIES_STEPS], 7);
    assert_int_equal(j->totals[SERIES_ABANDONED], 3);
    assert_int_equal(j->totals[SERIES_NO_IDENTITY], 1);
    assert_int_equal(j->standing[2], 3);
    peer_counts_print(p, &text);
    e = peer_counts_parse(str_span(&text), &again);
    assert_false(e.failed);
    const struct peer_journey *kept = peer_counts_find(again, SPAN("a"));
    assert_memory_equal(kept->totals, j->totals, sizeof(j->totals));
    assert_int_equal(kept->standing[2], 0); /* of then */
    peer_counts_free(p);
    peer_counts_free(again);
    str_free(&text);
}

static void wrong_ones_are_refused(void **state)
{
    static const struct {
        const char *body, *why;
    } rows[] = {
        { "", "the answer is not JSON" },
        { "{\"format\":1,\"format\":1}", "the answer is not JSON" },
        { "[]", "these are no counters of a node" },
        { HEAD NAME WINDOWS "\"steps\":{\"counts\":[7],\"standing\":[1,2,3,0,0,0,0,0]}," BINS "]}",
          "journey a: its steps are no whole numbers" },
        { HEAD NAME WINDOWS "\"steps\":{\"counts\":[7,6,5,4,0,0,0,0,3,2,1]}," BINS "]}",
          "journey a: its steps are no whole numbers" },
        { "{\"format\":2}", "format 2 of counters, this version reads 1" },
        { "{\"format\":1,\"node\":\"\"}", "the node does not say its name" },
        { "{\"format\":1,\"node\":\"a b\"}", "the node does not say its name" },
        { "{\"format\":1,\"node\":\"a\",\"at\":1.5}", "the node does not say since when and when" },
        { HEAD "{}]}", "a journey without a name" },
        { HEAD NAME "\"windows\":1}]}", "journey a: windows are missing, or too many" },
        { HEAD NAME WINDOWS "\"latency_bins\":[[9,1],[3,1]]}]}",
          "journey a: latency_bins are pairs of a bin and a count, in growing order" },
        { HEAD NAME WINDOWS "\"latency_bins\":[[99999,1]]}]}",
          "journey a: latency_bins are pairs of a bin and a count, in growing order" },
        { HEAD NAME
          "\"windows\":[{\"seconds\":60,\"measured_ms\":-1,\"counts\":[2,0,0,0,20]}]," BINS "]}",
          "journey a: the window of 60 s has wrong numbers" },
        { HEAD NAME "\"windows\":[{\"seconds\":60,\"measured_ms\":1,\"counts\":[2,0,0,0]}]," BINS
                    "]}",
          "journey a: the window of 60 s has wrong numbers" },
        { HEAD NAME "\"windows\":[{\"seconds\":0,\"measured_ms\":1,\"counts\":[2,0,0,0,20]}]," BINS
                    "]}",
          "journey a: the seconds of windows must grow" },
        { HEAD NAME WINDOWS BINS "],\"services\":1}", "services are no list, or too many" },
        { HEAD NAME WINDOWS BINS "],\"services\":[{}]}", "a service without a name" },
        { HEAD NAME WINDOWS BINS "],\"services\":[{\"name\":\"s\"}]}",
          "service s: instances are missing, or too many" },
        { HEAD NAME WINDOWS BINS
          "],\"services\":[{\"name\":\"s\",\"instances\":[[\"a b\",\"up\"]]}]}",
          "service s: instances are pairs of an address and a state" },
        { HEAD NAME WINDOWS BINS "," NAME WINDOWS BINS "]}", "journey a is told twice" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct peer_counts *p = NULL;
        err e = peer_counts_parse(span_from_text(rows[i].body), &p);
        assert_true(e.failed);
        assert_null(p);
        assert_string_equal(e.text, rows[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_ones_are_taken),       cmocka_unit_test(instances_are_told_of),
        cmocka_unit_test(what_is_kept_says_the_same), cmocka_unit_test(funnels_are_told_of),
        cmocka_unit_test(wrong_ones_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
