/* SPDX-License-Identifier: Apache-2.0 */
/* test_peer_report.c - what a node says of a journey's past is read strictly, and the reason why not is a sentence. */
#include "unit.h"

#include "base/str.h"
#include "control/peer_report.h"
#include "core/histogram.h"

#define HEAD "{\"node\":\"n1\",\"definition\":\"00000000000000ff\",\"window_s\":600,\"from\":1000,"
#define POINT(at, measured)                                                              \
    "{\"at\":" at ",\"good\":3,\"bad\":1,\"measured_s\":" measured ",\"window_good\":9," \
    "\"window_bad\":2,\"window_measured_s\":599.9996,\"more\":null}"
#define HISTORY(points) HEAD "\"step_s\":300,\"points\":[" points "]}"
#define WHAT_IF(bins)   HEAD "\"measured_s\":12.5,\"latency_bins\":" bins "}"

#define VALUE(name, kind, good)                                                              \
    "{\"value\":" name ",\"kind\":\"" kind "\",\"service\":null,\"gone\":false,\"since\":9," \
    "\"good\":" good ",\"slow\":0,\"failed\":2,\"excluded\":1,\"more\":null}"
#define DIMENSION(word, values) "{\"dimension\":\"" word "\",\"values\":[" values "]}"
#define ABOUT(name) \
    "{\"journey\":" name ",\"definition\":\"00000000000000ff\",\"window_s\":600,\"from\":1000,"
#define JOURNEYS(list) "{\"node\":\"n1\",\"journeys\":[" list "]}"
#define WHERE(list)    JOURNEYS(ABOUT("\"buy\"") "\"dimensions\":[" list "]}")

static void right_ones_are_taken(void **state)
{
    struct peer_report *r = NULL;
    uint64_t bins[HISTOGRAM_BINS] = { 0 };

    (void)state;
    err e = peer_report_history(SPAN(HISTORY(POINT("1300", "299.5") "," POINT("1600", "0"))), &r);
    assert_false(e.failed);
    assert_string_equal(r->node.p, "n1");
    assert_int_equal(r->definition, 255);
    assert_int_equal(r->window_s, 600);
    assert_int_equal(r->step_s, 300);
    assert_int_equal(r->count, 2);
    assert_int_equal(r->points[0].at, 1300);
    assert_int_equal(r->points[0].step_ms, 299500);
    assert_int_equal(r->points[1].step.good, 3);
    assert_int_equal(r->points[1].window.bad, 2);
    assert_int_equal(r->points[1].window_ms, 600000);
    peer_report_free(r);
    e = peer_report_what_if(SPAN(WHAT_IF("[[3,4],[9,5]]")), &r);
    assert_false(e.failed);
    assert_int_equal(r->measured_ms, 12500);
    peer_bins_add(&r->latency, bins);
    peer_bins_add(&r->latency, bins);
    assert_int_equal(bins[3], 8);
    assert_int_equal(bins[9], 10);
    assert_int_equal(histogram_total(bins), 18);
    peer_report_free(r);
    e = peer_report_dimensions(
        SPAN(WHERE(DIMENSION("colour", VALUE("\"red\"", "value", "1")) "," DIMENSION(
            "release", VALUE("\"v 1 b\"", "value", "7") "," VALUE("\"none\"", "none", "0")))),
        &r);
    assert_false(e.failed);
    assert_null(peer_report_journey(r, SPAN("sell")));
    const struct report_journey *j = peer_report_journey(r, SPAN("buy"));
    assert_non_null(j);
    assert_int_equal(j->definition, 255);
    assert_int_equal(j->window_s, 600);
    assert_int_equal(j->from, 1000);
    assert_int_equal(j->value_count, 2); /* a later version's dimension is left aside */
    assert_int_equal(j->values[0].dimension, DIMENSION_RELEASE);
    assert_span(j->values[0].row.text, "v 1 b");
    assert_int_equal(j->values[0].row.counts[0], 7);
    assert_int_equal(j->values[0].row.counts[2], 2);
    assert_int_equal(j->values[0].row.since, 9);
    assert_int_equal(j->values[1].row.kind, ENTRY_IS_NONE);
    peer_report_free(r);
}

#define UNCLAIMED(requests, paths)                                                                 \
    "{\"node\":\"n1\",\"requests\":" requests ",\"static\":1,\"not_found\":2,\"other_methods\":3," \
    "\"paths\":[" paths "]}"
#define PATH(failed)                                                             \
    "{\"method\":\"GET\",\"path\":\"/a/{id}\",\"requests\":5,\"failed\":" failed \
    ",\"excluded\":1,\"latency_bins\":[[7,4]]}"

static void unclaimed_adds_up(void **state)
{
    static const struct {
        const char *body, *why;
    } rows[] = {
        { "{}", "it does not say who it is: is it an older version?" },
        { "{\"node\":\"a\"}", "it does not say how many requests there were" },
        { UNCLAIMED("10", PATH("0")), "its paths have more requests than there were" },
        { UNCLAIMED("12", PATH("5")), "path /a/{id} has wrong numbers" },
        { UNCLAIMED("12", "{}"), "a path has no name" },
    };
    struct peer_report *r = NULL;

    (void)state;
    err e = peer_report_unclaimed(SPAN(UNCLAIMED("12", PATH("4"))), &r);
    assert_false(e.failed);
    assert_int_equal(r->lost, 1);
    assert_int_equal(r->path_count, 1);
    assert_string_equal(r->paths[0].pattern.p, "/a/{id}");
    assert_int_equal(r->paths[0].failed, 4);
    assert_int_equal(r->paths[0].latency.counts[0], 4);
    peer_report_free(r);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        r = NULL;
        e = peer_report_unclaimed(span_from_text(rows[i].body), &r);
        assert_true(e.failed);
        assert_null(r);
        assert_string_equal(e.text, rows[i].why);
    }
}

static void wrong_ones_are_refused(void **state)
{
    static const struct {
        bool history;
        const char *body, *why;
    } rows[] = {
        { true, "", "the answer is not JSON" },
        { true, "[]", "it does not say who it is: is it an older version?" },
        { true, "{\"node\":\"a\"}",
          "it does not say which journey it is about: is it an older version?" },
        { true, "{\"node\":\"a\",\"definition\":\"00000000000000ff\",\"window_s\":-1}",
          "it does not say which time it is about" },
        { true, HEAD "\"step_s\":0}", "it does not say how long a step is" },
        { true, HISTORY(POINT("1300", "1")), "points are missing, or too many" },
        { true, HISTORY(POINT("1300", "1") "," POINT("1300", "1")),
          "the times of points must grow" },
        { true, HISTORY(POINT("1300", "1") "," POINT("1400", "-1")),
          "a point has wrong numbers: is it an older version?" },
        { true, HISTORY(POINT("1300", "1") "," POINT("1400", "1e12")),
          "a point has wrong numbers: is it an older version?" },
        { false, HEAD "\"latency_bins\":[]}", "it does not say how much was measured" },
        { false, WHAT_IF("[[9,1],[3,1]]"),
          "latency_bins are pairs of a bin and a count, in growing order" },
        { false, WHAT_IF("[[1622,1]]"),
          "latency_bins are pairs of a bin and a count, in growing order" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct peer_report *r = NULL;
        struct span body = span_from_text(rows[i].body);
        err e = rows[i].history ? peer_report_history(body, &r) : peer_report_what_if(body, &r);
        assert_true(e.failed);
        assert_null(r);
        assert_string_equal(e.text, rows[i].why);
    }
}

static void wrong_dimensions_are_refused(void **state)
{
    static const char *const rows[][2] = {
        { "[]", "it does not say who it is: is it an older version?" },
        { "{\"node\":\"n1\",\"dimensions\":[]}", "journeys are missing, or too many" },
        { JOURNEYS("7"), "a journey has no name" },
        { JOURNEYS("{\"journey\":\"buy\"}"),
          "it does not say which journey it is about: is it an older version?" },
        { JOURNEYS(ABOUT("\"a b\"") "\"dimensions\":[]}"), "a journey has no name" },
        { JOURNEYS(ABOUT("\"buy\"") "\"dimensions\":{}}"), "dimensions are missing, or too many" },
        { WHERE("{}"), "the values of a dimension are missing, or too many" },
        { WHERE(DIMENSION("release", "3")), "a value of a dimension is not understood" },
        { WHERE(DIMENSION("release", VALUE("\"\"", "value", "1"))),
          "a value of a dimension is not understood" },
        { WHERE(DIMENSION("release", VALUE("\"a\\nb\"", "value", "1"))),
          "a value of a dimension is not understood" },
        { WHERE(DIMENSION("release", VALUE("\"a\"", "kind", "1"))),
          "a value of a dimension is not understood" },
        { WHERE(DIMENSION("release", VALUE("\"a\"", "value", "-1"))),
          "a value of a dimension has wrong numbers" },
        { WHERE(DIMENSION("release", VALUE("\"a\"", "value", "1e3"))),
          "a value of a dimension has wrong numbers" },
    };
    struct peer_report *r = NULL;
    struct str many = str_growing();

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        err e = peer_report_dimensions(span_from_text(rows[i][0]), &r);
        assert_true(e.failed);
        assert_string_equal(e.text, rows[i][1]);
    }
    /* the same dimension again and again, until there is no room */
    str_text(&many, "{\"node\":\"n1\",\"journeys\":[" ABOUT("\"buy\"") "\"dimensions\":[");
    for (unsigned d = 0; d < DIMENSION_COUNT + 1; d++) {
        str_print(&many, "%s{\"dimension\":\"tenant\",\"values\":[", d ? "," : "");
        for (unsigned i = 0; i < DIMENSION_ENTRIES; i++)
            str_print(&many, "%s%s", i ? "," : "", VALUE("\"t\"", "value", "1"));
        str_text(&many, "]}");
    }
    str_text(&many, "]}]}");
    err e = peer_report_dimensions(str_span(&many), &r);
    assert_true(e.failed);
    assert_string_equal(e.text, "a dimension comes twice");
    str_free(&many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_ones_are_taken),
        cmocka_unit_test(unclaimed_adds_up),
        cmocka_unit_test(wrong_ones_are_refused),
        cmocka_unit_test(wrong_dimensions_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
