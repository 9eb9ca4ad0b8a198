/* SPDX-License-Identifier: Apache-2.0 */
/* test_metrics_text.c - which format is asked for, and how each is written. */
#include "unit.h"

#include "bus/exemplars.h"
#include "control/metrics_text.h"
#include "proto/http.h"

#include <math.h>

static enum metrics_format asked(const char *accept)
{
    struct http_field f = { .value = accept,
                            .value_n = (uint32_t)strlen(accept),
                            .id = HTTP_ACCEPT };
    struct http_head h = { .fields = &f, .field_count = 1 };

    return metrics_format_for(&h);
}

static void what_is_asked_for(void **state)
{
    struct http_head none = {};

    (void)state;
    assert_int_equal(metrics_format_for(&none), METRICS_TEXT);
    assert_int_equal(asked(""), METRICS_TEXT);
    assert_int_equal(asked("*/*"), METRICS_TEXT);
    assert_int_equal(asked("text/plain;version=0.0.4"), METRICS_TEXT);
    assert_int_equal(asked("application/openmetrics-text"), METRICS_OPEN);
    assert_int_equal(asked("application/openmetrics-text; version=1.0.0; charset=utf-8"),
                     METRICS_OPEN);
    assert_int_equal(asked("Application/OpenMetrics-Text;version=\"1.0.0\""), METRICS_OPEN);
    assert_int_equal(asked("application/openmetrics-text;version=2.0.0"), METRICS_TEXT);
    /* Prometheus 2.42, and 3 without protobuf */
    assert_int_equal(
        asked("application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
              "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"),
        METRICS_OPEN);
    assert_int_equal(asked("application/openmetrics-text;version=1.0.0;q=0.4, text/plain ; q=0.5"),
                     METRICS_TEXT);
    assert_int_equal(asked("application/openmetrics-text;q=0"), METRICS_TEXT);
    assert_int_equal(asked("application/openmetrics-text;q=0.001,*/*;q=0.0"), METRICS_OPEN);
    assert_int_equal(asked("application/openmetrics-text;q=nan,text/*;q=0.1"), METRICS_TEXT);
    assert_int_equal(asked(",;,=;q"), METRICS_TEXT);
}

static const char *written(struct str *out, enum metrics_format format)
{
    struct metrics_text t = { .out = out, .format = format, .node = "n\"1" };
    struct exemplar x = { 1, 0xabc, 12340 * NS_PER_US, 0 };

    metrics_family(&t, METRIC_counter, "a_bytes_total", "A \"b\"\\c\nd.");
    metrics_sample(&t, "");
    metrics_count(&t, UINT64_MAX);
    metrics_family(&t, METRIC_info, "b_info", "B.");
    metrics_sample(&t, "");
    metrics_label(&t, "v", SPAN("x\\y\"\nz"));
    metrics_count(&t, 1);
    metrics_family(&t, METRIC_histogram, "c_seconds", "C.");
    for (int i = 0; i < 5; i++) {
        static const ns_t edges[] = { 50 * NS_PER_US, 12345678, 300 * NS_PER_MS, 10 * NS_PER_S,
                                      NS_NEVER };
        metrics_sample(&t, "_bucket");
        metrics_edge(&t, edges[i]);
        metrics_count_of(&t, (uint64_t)i, i == 1 ? &x : NULL,
                         1700000000 * NS_PER_S + 7 * NS_PER_MS);
    }
    metrics_sample(&t, "_sum");
    metrics_number(&t, 0.25);
    metrics_family(&t, METRIC_gauge, "d_ratio", "D.");
    metrics_sample(&t, "");
    metrics_number(&t, (double)NAN);
    metrics_end(&t);
    return str_cstr(out);
}

static void as_prometheus_has_it(void **state)
{
    struct str out = str_growing();

    (void)state;
    assert_string_equal(written(&out, METRICS_TEXT),
                        "# HELP a_bytes_total A \"b\"\\\\c\\nd.\n"
                        "# TYPE a_bytes_total counter\n"
                        "a_bytes_total{node=\"n\\\"1\"} 18446744073709551615\n"
                        "# HELP b_info B.\n"
                        "# TYPE b_info gauge\n"
                        "b_info{v=\"x\\\\y\\\"\\nz\",node=\"n\\\"1\"} 1\n"
                        "# HELP c_seconds C.\n"
                        "# TYPE c_seconds histogram\n"
                        "c_seconds_bucket{le=\"5e-05\",node=\"n\\\"1\"} 0\n"
                        "c_seconds_bucket{le=\"0.012345678\",node=\"n\\\"1\"} 1\n"
                        "c_seconds_bucket{le=\"0.3\",node=\"n\\\"1\"} 2\n"
                        "c_seconds_bucket{le=\"10.0\",node=\"n\\\"1\"} 3\n"
                        "c_seconds_bucket{le=\"+Inf\",node=\"n\\\"1\"} 4\n"
                        "c_seconds_sum{node=\"n\\\"1\"} 0.25\n"
                        "# HELP d_ratio D.\n"
                        "# TYPE d_ratio gauge\n"
                        "d_ratio{node=\"n\\\"1\"} NaN\n");
    str_free(&out);
}

static void as_openmetrics_has_it(void **state)
{
    struct str out = str_growing();

    (void)state;
    assert_string_equal(written(&out, METRICS_OPEN),
                        "# HELP a_bytes A \\\"b\\\"\\\\c\\nd.\n"
                        "# TYPE a_bytes counter\n"
                        "# UNIT a_bytes bytes\n"
                        "a_bytes_total{node=\"n\\\"1\"} 18446744073709551615\n"
                        "# HELP b B.\n"
                        "# TYPE b info\n"
                        "b_info{v=\"x\\\\y\\\"\\nz\",node=\"n\\\"1\"} 1\n"
                        "# HELP c_seconds C.\n"
                        "# TYPE c_seconds histogram\n"
                        "# UNIT c_seconds seconds\n"
                        "c_seconds_bucket{le=\"5e-05\",node=\"n\\\"1\"} 0\n"
                        "c_seconds_bucket{le=\"0.012345678\",node=\"n\\\"1\"} 1 # "
                        "{trace_id=\"00000000000000010000000000000abc\"} 0.01234 1700000000.007\n"
                        "c_seconds_bucket{le=\"0.3\",node=\"n\\\"1\"} 2\n"
                        "c_seconds_bucket{le=\"10.0\",node=\"n\\\"1\"} 3\n"
                        "c_seconds_bucket{le=\"+Inf\",node=\"n\\\"1\"} 4\n"
                        "c_seconds_sum{node=\"n\\\"1\"} 0.25\n"
                        "# HELP d_ratio D.\n"
                        "# TYPE d_ratio gauge\n"
                        "# UNIT d_ratio ratio\n"
                        "d_ratio{node=\"n\\\"1\"} NaN\n"
                        "# EOF\n");
    str_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_asked_for),
        cmocka_unit_test(as_prometheus_has_it),
        cmocka_unit_test(as_openmetrics_has_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
