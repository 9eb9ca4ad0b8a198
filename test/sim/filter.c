/* SPDX-License-Identifier: Apache-2.0 */
/* filter.c - a stand-in for TLS, to prove that planes need not know of filters. Bytes are scrambled and
 * travel in records of up to 1000 bytes with a two-byte size in front. The filter reads ahead, opens one
 * record at a time and hands out only a part of it: the rest is pending inside, although the socket is
 * drained and will tell nothing more. */
#include "kit.h"

#include "io/filter.h"

#include <errno.h>
#include <stdlib.h>

enum { RECORD_MAX = 1000, AHEAD = 5000, KEY = 0x5a };

struct dress {
    char in[AHEAD]; /* records as received */
    size_t in_n;
    char open[RECORD_MAX]; /* opened, not yet handed out */
    size_t open_n;
    size_t open_at;
    char out[RECORD_MAX + 2]; /* a record being sent */
    size_t out_n;
    size_t out_at;
    size_t out_taken; /* bytes of the owner that it stands for */
};

static void scramble(char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (char)(p[i] ^ KEY);
}

/* Size of the first record with its head, once all of it was received; else 0. */
static size_t whole_record(const struct dress *d)
{
    if (d->in_n < 2)
        return 0;
    size_t size = 2 + ((size_t)(unsigned char)d->in[0] << 8 | (unsigned char)d->in[1]);
    check(size <= RECORD_MAX + 2);
    return d->in_n >= size ? size : 0;
}

static void open_record(struct dress *d, size_t size)
{
    d->open_n = size - 2;
    d->open_at = 0;
    memcpy(d->open, d->in + 2, d->open_n);
    scramble(d->open, d->open_n);
    memmove(d->in, d->in + size, d->in_n - size);
    d->in_n -= size;
}

static ssize_t dress_receive(struct conn *c, void *buf, size_t n)
{
    struct dress *d = c->filter_state;

    while (d->open_at == d->open_n) {
        size_t size = whole_record(d);
        if (size) {
            open_record(d, size);
            continue;
        }
        ssize_t got = conn_socket_receive(c, d->in + d->in_n, AHEAD - d->in_n);
        if (got <= 0)
            return got;
        d->in_n += (size_t)got;
    }
    size_t left = d->open_n - d->open_at;
    size_t piece = left > 1 ? 1 + left / 2 : left; /* never all at once */
    if (piece > n)
        piece = n;
    memcpy(buf, d->open + d->open_at, piece);
    d->open_at += piece;
    return (ssize_t)piece;
}

static size_t dress_pending(const struct conn *c)
{
    const struct dress *d = c->filter_state;
    return d->open_n - d->open_at + whole_record(d);
}

/* Puts up to a record's worth of the pieces into one record. */
static void make_record(struct dress *d, const struct iovec *pieces, int count, size_t skip)
{
    size_t n = 0;

    for (int i = 0; i < count && n < RECORD_MAX; i++) {
        size_t length = pieces[i].iov_len;
        if (skip >= length) {
            skip -= length;
            continue;
        }
        size_t piece = length - skip < RECORD_MAX - n ? length - skip : RECORD_MAX - n;
        memcpy(d->out + 2 + n, (char *)pieces[i].iov_base + skip, piece);
        n += piece;
        skip = 0;
    }
    scramble(d->out + 2, n);
    d->out[0] = (char)(n >> 8);
    d->out[1] = (char)n;
    d->out_n = n + 2;
    d->out_at = 0;
    d->out_taken = n;
}

static ssize_t dress_send(struct conn *c, const struct iovec *pieces, int count)
{
    struct dress *d = c->filter_state;
    size_t total = 0;
    size_t taken = 0;

    for (int i = 0; i < count; i++)
        total += pieces[i].iov_len;
    while (taken < total) {
        if (d->out_at == d->out_n)
            make_record(d, pieces, count, taken);
        struct iovec piece = { d->out + d->out_at, d->out_n - d->out_at };
        ssize_t n = conn_socket_send(c, &piece, 1);
        if (n < 0)
            return n;
        d->out_at += (size_t)n;
        if (d->out_at < d->out_n)
            break; /* its bytes are not taken before the whole record has gone */
        taken += d->out_taken;
    }
    return (ssize_t)taken;
}

static void dress_close(struct conn *c)
{
    free(c->filter_state);
    c->filter_state = NULL;
}

static const struct filter filter_dress = {
    .name = "test",
    .receive = dress_receive,
    .send = dress_send,
    .pending = dress_pending,
    .close = dress_close,
};

void dress_port(const struct port *p, struct conn *c, ns_t deadline)
{
    (void)p;
    (void)deadline;
    dress(c);
}

void dress(struct conn *c)
{
    struct dress *d = calloc(1, sizeof(*d));

    check(d != NULL);
    conn_set_filter(c, &filter_dress, d);
}
