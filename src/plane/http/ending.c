/* SPDX-License-Identifier: Apache-2.0 */
/* ending.c - the table of endings. */
#include "plane/http/ending.h"

struct ending_row {
    const char *code;
    unsigned status;
    enum verdict_cause cause;
    const char *words;
};

static const struct ending_row rows[ENDING_COUNT_OWN] = {
    [ENDING_answered] = { "answered", 200, CAUSE_ANSWERED, "answered" },
#define X(code, status, cause, words) [ENDING_##code] = { #code, status, CAUSE_##cause, words },
    ENDINGS(X)
#undef X
};

static enum http1_reason http1_of(enum ending e)
{
    return (enum http1_reason)(e - ENDING_HTTP1);
}

const char *ending_code(enum ending e)
{
    return e < ENDING_COUNT_OWN ? rows[e].code : http1_reason_code(http1_of(e));
}

unsigned ending_status(enum ending e)
{
    return e < ENDING_COUNT_OWN ? rows[e].status : http1_reason_status(http1_of(e));
}

enum verdict_cause ending_cause(enum ending e)
{
    return e < ENDING_COUNT_OWN ? rows[e].cause : CAUSE_MALFORMED;
}

const char *ending_words(enum ending e)
{
    return e < ENDING_COUNT_OWN ? rows[e].words : http1_reason_words(http1_of(e));
}
