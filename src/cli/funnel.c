/* SPDX-License-Identifier: Apache-2.0 */
/* funnel.c - see funnel.h. */
#include "cli/funnel.h"

#include "cli/answers.h"
#include "cli/cells.h"

static void put_steps(const json_t *steps, struct str *out)
{
    double started = (double)count_of(steps, "started");
    size_t i;
    json_t *step;

    json_array_foreach (json_object_get(steps, "reached"), i, step) {
        char text[CELL_TEXT_MAX];
        long long reached = (long long)count_of(step, "reached");
        str_print(out, "%s%s %lld", i ? " > " : "", text_of(step, "step"), reached);
        if (i && started > 0)
            str_print(out, " (%s)", cell_share((double)reached / started, 1, text));
    }
}

void funnel_put(const json_t *journey, struct str *out)
{
    const json_t *steps = json_object_get(journey, "steps");
    static const char *const ends[] = { "failed", "abandoned", "lost" };

    if (!json_is_object(steps))
        return;
    put_steps(steps, out);
    str_print(out, "; %lld under way", (long long)count_of(steps, "under_way"));
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        str_print(out, ", %lld %s", (long long)count_of(steps, ends[i]), ends[i]);
    if (count_of(steps, "no_identity"))
        str_print(out, "; %lld requests without a user", (long long)count_of(steps, "no_identity"));
}
