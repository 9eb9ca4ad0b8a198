/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_config.c - any file gives a configuration, or at least one error with a place. */
#include "fuzz.h"

#include "control/config_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config *c = NULL;
    struct config_report r;

    if (size > 8192)
        return 0;
    err e = config_read_text("f", span_of(data, size), "/x", &c, &r);
    check(e.failed == (c == NULL) && e.failed == (r.errors > 0));
    if (c) {
        check(c->service_count > 0 && c->route_count > 0 && c->http_count > 0);
        check(span_equal(c->journeys[c->journey_count - 1].name, SPAN("unclaimed")));
        config_free(c);
    } else {
        check(span_starts_with(str_span(&r.text), SPAN("f:")));
    }
    config_report_free(&r);
    return 0;
}
