/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_events.c - any body is events of jobs, each with all that counting needs, or an error in words. */
#include "fuzz.h"

#include "control/config_file.h"
#include "control/events.h"

#include <stdlib.h>

static struct config *the_config(void)
{
    static struct config *c;
    struct config_report r;

    if (!c) {
        err e = config_read_text(
            "f",
            SPAN("listen: { http: \"127.0.0.1:1\", admin: \"127.0.0.1:2\" }\n"
                 "services: { a: { instances: [\"127.0.0.1:3\"] } }\n"
                 "journeys: { m: { kind: job, objectives: { o: { target: 99%, under: 5s } } } }\n"),
            "/x", &c, &r);
        check(!e.failed);
        config_report_free(&r);
    }
    return c;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct event *list = NULL;
    size_t n = 0;
    err e = events_read(span_of(data, size), the_config(), 7, 1000000000, &list, &n);

    check(e.failed == (list == NULL));
    check(!e.failed || e.text[0] != '\0');
    for (size_t i = 0; i < n; i++) {
        check(list[i].journey->kind == JOURNEY_JOBS && list[i].took >= 0);
        check(list[i].outcome <= OUTCOME_EXCLUDED);
    }
    free(list);
    return 0;
}
