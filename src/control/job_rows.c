/* SPDX-License-Identifier: Apache-2.0 */
/* job_rows.c - see job_rows.h. */
#include "control/job_rows.h"

#include "control/events.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

/* A number as a whole; PostgreSQL's texts end with a zero. */
static bool read_number(struct span text, double *ret)
{
    char copy[64];
    char *end;

    if (text.n == 0 || text.n >= sizeof(copy))
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    *ret = strtod(copy, &end);
    return *end == '\0' && isfinite(*ret);
}

bool job_seconds_read(struct span text, double *ret_seconds)
{
    return read_number(text, ret_seconds) && *ret_seconds >= 0 && *ret_seconds <= EVENT_TOOK_MAX_S;
}

/* ".25", or nothing. */
static bool read_fraction(const char **at, double *ret)
{
    char *end = NULL;

    *ret = 0;
    if (**at != '.')
        return true;
    *ret = strtod(*at, &end);
    *at = end;
    return *ret >= 0 && *ret < 1;
}

static bool read_iso(struct span text, int64_t *ret_ms)
{
    struct tm t = {};
    double fraction;
    char copy[64];

    if (text.n >= sizeof(copy))
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    const char *at = strptime(copy, "%Y-%m-%d %H:%M:%S", &t);
    if (!at || !read_fraction(&at, &fraction) || strcmp(at, "+00") != 0)
        return false;
    *ret_ms = (int64_t)timegm(&t) * 1000 + (int64_t)(fraction * 1000);
    return true;
}

bool job_time_read(struct span text, int64_t *ret_ms)
{
    double seconds;

    if (span_find(text, ':') < text.n)
        return read_iso(text, ret_ms);
    if (!read_number(text, &seconds) || !(seconds > 0 && seconds < 1e11))
        return false;
    *ret_ms = (int64_t)(seconds * 1000);
    return true;
}

err job_row_read(const struct job_texts *t, uint64_t key, struct job_row *ret, bool *ret_ended)
{
    double seconds = 0;

    *ret_ended = t->outcome.p && t->at.p;
    if (!*ret_ended)
        return OK;
    if (!t->id.p || t->id.n == 0 || t->id.n > EVENT_ID_MAX)
        return err_make("a row's id is a text of 1 to %d bytes", EVENT_ID_MAX);
    if (!event_outcome(t->outcome, &ret->outcome))
        return err_make("job %.40s: its outcome is '%.20s', and not one of: good, slow, failed, "
                        "excluded",
                        t->id.p, t->outcome.p);
    if (t->seconds.p && !job_seconds_read(t->seconds, &seconds))
        return err_make("job %.40s: its seconds are '%.40s', and not a number from 0 to %d; of an "
                        "interval, extract(epoch from ...) is one",
                        t->id.p, t->seconds.p, EVENT_TOOK_MAX_S);
    if (!t->seconds.p && (ret->outcome == OUTCOME_GOOD || ret->outcome == OUTCOME_SLOW))
        return err_make("job %.40s: a good or slow one needs seconds", t->id.p);
    if (!job_time_read(t->at, &ret->at_ms))
        return err_make("job %.40s: its at is '%.40s', and neither a timestamp with time zone nor "
                        "unix seconds",
                        t->id.p, t->at.p);
    ret->took = (ns_t)(seconds * (double)NS_PER_S);
    ret->mark = span_hash(t->id, key);
    return OK;
}
