/* SPDX-License-Identifier: Apache-2.0 */
/* log_judge.h - what a line of a log counts as: by the same verdict as in the running edge. */
#ifndef EK_CLI_LOG_JUDGE_H
#define EK_CLI_LOG_JUDGE_H

#include "core/verdict.h"
#include "proto/log_line.h"

/* When the line does not say how long it took, it is never slow. Objectives on latency should not count it then. */
struct verdict log_judge(const struct verdict_rules *rules, const struct log_line *line);

#endif
