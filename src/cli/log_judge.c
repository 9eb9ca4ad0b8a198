/* SPDX-License-Identifier: Apache-2.0 */
/* log_judge.c - from a line to a verdict. Other programs' logs tell how a request ended by its status alone,
 * and by 499 that its client left (nginx); ours names the ending. */
#include "cli/log_judge.h"

#include "plane/http/ending.h"

static enum verdict_cause cause_of(const struct log_line *line)
{
    if (line->client_gone)
        return CAUSE_CLIENT_GONE;
    for (int e = 0; line->reason.n > 0 && e < ENDING_COUNT; e++) {
        if (span_equal(line->reason, span_from_text(ending_code((enum ending)e))))
            return ending_cause((enum ending)e);
    }
    return CAUSE_ANSWERED;
}

struct verdict log_judge(const struct verdict_rules *rules, const struct log_line *line)
{
    return verdict_of(rules, cause_of(line), line->status, line->has_took ? line->took : 0);
}
