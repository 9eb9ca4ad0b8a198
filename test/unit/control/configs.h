/* SPDX-License-Identifier: Apache-2.0 */
/* configs.h - a configuration for a test, from its text. */
#ifndef EK_TEST_CONFIGS_H
#define EK_TEST_CONFIGS_H

#include "unit.h"

#include "control/config_file.h"

/* As if it lay in /etc/ek. A wrong one fails the test with its report; config_free() it. */
static inline struct config *read_good(const char *text)
{
    struct config *c = NULL;
    struct config_report r;
    err e = config_read_text("f.yaml", span_from_text(text), "/etc/ek", &c, &r);

    if (e.failed)
        fail_msg("%s", str_cstr(&r.text));
    config_report_free(&r);
    return c;
}

#endif
