/* SPDX-License-Identifier: Apache-2.0 */
/* peer_values.c - see peer_values.h. */
#include "control/peer_values.h"

#include "core/histogram.h"

#include <math.h>

err peer_read_json(struct span body, json_t **ret)
{
    *ret = body.n ? json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, NULL) : NULL;
    return *ret ? OK : err_make("the answer is not JSON");
}

bool peer_read_count(const json_t *v, int64_t most, uint64_t *ret)
{
    json_int_t n = json_is_integer(v) ? json_integer_value(v) : -1;

    if (n < 0 || n > most)
        return false;
    *ret = (uint64_t)n;
    return true;
}

bool peer_read_seconds(const json_t *v, int64_t most, int64_t *ret)
{
    uint64_t n;

    if (!peer_read_count(v, most, &n))
        return false;
    *ret = (int64_t)n;
    return true;
}

bool peer_read_measured(const json_t *v, int64_t most_ms, uint64_t *ret_ms)
{
    double ms = json_is_number(v) ? json_number_value(v) * 1000 : -1;

    if (!(ms >= 0 && ms <= (double)most_ms)) /* no number at all fails both */
        return false;
    *ret_ms = (uint64_t)llround(ms);
    return true;
}

bool peer_read_text(struct arena *a, const json_t *v, size_t most, struct span *ret)
{
    size_t n = json_string_length(v);

    if (!json_is_string(v) || n == 0 || n > most)
        return false;
    *ret = arena_span(a, span_of(json_string_value(v), n));
    for (size_t i = 0; i < n; i++) {
        if (ret->p[i] <= ' ' || ret->p[i] > '~')
            return false;
    }
    return true;
}

bool peer_read_hash(const json_t *v, uint64_t *ret)
{
    const char *s = json_string_value(v);

    *ret = 0;
    if (json_string_length(v) != 16)
        return false;
    for (size_t i = 0; i < 16; i++) {
        int digit = s[i] >= 'A' && s[i] <= 'F' ? -1 : ascii_hex(s[i]);
        if (digit < 0)
            return false;
        *ret = *ret << 4 | (unsigned)digit;
    }
    return true;
}

bool peer_read_bins(struct arena *a, const json_t *list, struct peer_bins *ret)
{
    size_t count = json_array_size(list);
    uint64_t before = 0;

    *ret = (struct peer_bins){};
    if (!json_is_array(list) || count > HISTOGRAM_BINS)
        return false;
    ret->bins = arena_array(a, uint32_t, count);
    ret->counts = arena_array(a, uint64_t, count);
    for (size_t i = 0; i < count; i++) {
        const json_t *pair = json_array_get(list, i);
        uint64_t bin;
        if (json_array_size(pair) != 2 ||
            !peer_read_count(json_array_get(pair, 0), HISTOGRAM_BINS - 1, &bin) ||
            !peer_read_count(json_array_get(pair, 1), PEER_COUNT_MAX, &ret->counts[i]) ||
            (i > 0 && bin <= before))
            return false;
        ret->bins[ret->count++] = (uint32_t)bin;
        before = bin;
    }
    return true;
}

void peer_bins_add(const struct peer_bins *b, uint64_t *bins)
{
    for (size_t i = 0; i < b->count; i++)
        bins[b->bins[i]] += b->counts[i];
}
