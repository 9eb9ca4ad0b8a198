/* SPDX-License-Identifier: Apache-2.0 */
/* filter_tls.c - one connection's TLS: OpenSSL reads and writes through the connection's own socket calls,
 * so that readiness is known in one place only. What is shared between connections is in tls.c.
 * Next: tls_internal.h. */
#include "io/filter.h"
#include "io/tls_internal.h"

#include <errno.h>
#include <stdlib.h>

enum { RECORD_MAX = 16 * 1024 }; /* plaintext of one record (RFC 8446 section 5.1) */

struct tls_state {
    SSL *ssl;
    struct conn *conn;
    struct tls_server *server; /* NULL: outgoing */
    struct timer timer;        /* of the handshake */
    bool drained;  /* what OpenSSL holds is less than a record: it waits for the socket */
    bool broken;   /* an error ended it: not a word more, not even a farewell */
    bool ended;    /* the peer said that it sends no more */
    bool farewell; /* we said so */
};

static const struct filter filter_tls;

/* ---- OpenSSL's socket is our connection */

static int bio_read(BIO *b, char *buf, int n)
{
    struct conn *c = BIO_get_data(b);
    ssize_t got = conn_socket_receive(c, buf, (size_t)n);

    BIO_clear_retry_flags(b);
    if (got == -EAGAIN)
        BIO_set_retry_read(b);
    return got < 0 ? -1 : (int)got;
}

static int bio_write(BIO *b, const char *buf, int n)
{
    struct conn *c = BIO_get_data(b);
    struct iovec piece = { (void *)(uintptr_t)buf, (size_t)n };
    ssize_t taken = conn_socket_send(c, &piece, 1);

    BIO_clear_retry_flags(b);
    if (taken > 0)
        return (int)taken;
    if (taken == 0)
        BIO_set_retry_write(b);
    return -1;
}

static long bio_control(BIO *b, int command, long number, void *p)
{
    (void)b;
    (void)number;
    (void)p;
    return command == BIO_CTRL_FLUSH; /* nothing is held back */
}

static int bio_create(BIO *b)
{
    BIO_set_init(b, 1);
    return 1;
}

BIO_METHOD *tls_bio_method(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "connection");

    check(m != NULL);
    BIO_meth_set_read(m, bio_read);
    BIO_meth_set_write(m, bio_write);
    BIO_meth_set_ctrl(m, bio_control);
    BIO_meth_set_create(m, bio_create);
    return m;
}

/* ---- handshake */

/* Zero is not among the values: either it waits, or it failed with this errno value. */
static int why_not(struct tls_state *s, int result)
{
    int why = SSL_get_error(s->ssl, result);

    ERR_clear_error();
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
        return -EAGAIN;
    s->broken = true;
    if (SSL_get_verify_result(s->ssl) != X509_V_OK)
        return -EKEYREJECTED;
    return why == SSL_ERROR_SYSCALL ? -ECONNRESET : -EPROTO;
}

static int tls_handshake(struct conn *c)
{
    struct tls_state *s = c->filter_state;
    int result = SSL_do_handshake(s->ssl);

    if (result != 1)
        return why_not(s, result);
    timer_drop(&c->reactor->timers, &s->timer);
    return 0;
}

static void on_deadline(struct timer *t)
{
    struct tls_state *s = container_of(t, struct tls_state, timer);

    s->broken = true;
    conn_fail(s->conn, ETIMEDOUT);
}

/* ---- bytes */

static ssize_t tls_receive(struct conn *c, void *buf, size_t n)
{
    struct tls_state *s = c->filter_state;
    size_t got = 0;

    s->drained = false;
    if (SSL_read_ex(s->ssl, buf, n, &got))
        return (ssize_t)got;
    int why = SSL_get_error(s->ssl, 0);
    if (why == SSL_ERROR_ZERO_RETURN) {
        s->ended = true;
        return 0;
    }
    s->drained = true;
    return why_not(s, 0);
}

/* Pieces go into one record as far as they fit: a record each would cost a send each. */
static size_t gather(char *record, const struct iovec *pieces, int count, size_t skip)
{
    size_t n = 0;

    for (int i = 0; i < count && n < RECORD_MAX; i++) {
        size_t size = pieces[i].iov_len;
        if (skip >= size) {
            skip -= size;
            continue;
        }
        size_t take = size - skip < RECORD_MAX - n ? size - skip : RECORD_MAX - n;
        memcpy(record + n, (const char *)pieces[i].iov_base + skip, take);
        n += take;
        skip = 0;
    }
    return n;
}

/* A write that the socket did not take is repeated with the same bytes, as OpenSSL wants it: conn.c keeps
 * the pieces untouched and comes back with them. */
static ssize_t tls_send(struct conn *c, const struct iovec *pieces, int count)
{
    static _Thread_local char record[RECORD_MAX];
    struct tls_state *s = c->filter_state;
    size_t taken = 0;

    for (;;) {
        size_t n = gather(record, pieces, count, taken);
        size_t written = 0;
        if (n == 0)
            return (ssize_t)taken;
        if (!SSL_write_ex(s->ssl, record, n, &written)) {
            int why = why_not(s, 0);
            return why == -EAGAIN ? (ssize_t)taken : why;
        }
        taken += written;
    }
}

static size_t tls_pending(const struct conn *c)
{
    const struct tls_state *s = c->filter_state;

    return s->drained || s->ended ? 0 : (size_t)SSL_has_pending(s->ssl);
}

/* ---- the end */

/* One farewell (RFC 8446 section 6.1); nobody waits for the peer's. */
static void tls_shutdown(struct conn *c)
{
    struct tls_state *s = c->filter_state;

    if (!s->broken && !s->farewell && SSL_is_init_finished(s->ssl))
        SSL_shutdown(s->ssl);
    s->farewell = true;
    ERR_clear_error();
}

static void tls_close(struct conn *c)
{
    struct tls_state *s = c->filter_state;

    if (!c->aborted)
        tls_shutdown(c);
    timer_drop(&c->reactor->timers, &s->timer);
    SSL_free(s->ssl);
    tls_server_free(s->server);
    free(s);
    c->filter_state = NULL;
}

static bool tls_speaks_for(const struct conn *c, struct span host)
{
    const struct tls_state *s = c->filter_state;
    const char *asked = SSL_get_servername(s->ssl, TLSEXT_NAMETYPE_host_name);

    return !s->server || tls_same_certificate(s->server, asked ? asked : "", host);
}

static const struct filter filter_tls = {
    .name = "tls",
    .secure = true,
    .handshake = tls_handshake,
    .receive = tls_receive,
    .send = tls_send,
    .pending = tls_pending,
    .shutdown = tls_shutdown,
    .speaks_for = tls_speaks_for,
    .close = tls_close,
};

const char *tls_version(const struct conn *c)
{
    return c->filter == &filter_tls ? SSL_get_version(((struct tls_state *)c->filter_state)->ssl)
                                    : NULL;
}

/* ---- putting it on */

static struct tls_state *dress(struct conn *c, SSL_CTX *context, ns_t deadline)
{
    struct tls_state *s = calloc(1, sizeof(*s));
    SSL *ssl = SSL_new(context);
    BIO *bio = BIO_new(tls_shared()->method);

    check(s && ssl && bio);
    *s = (struct tls_state){ .ssl = ssl, .conn = c, .timer.fire = on_deadline };
    BIO_set_data(bio, c);
    SSL_set_bio(ssl, bio, bio);
    conn_set_filter(c, &filter_tls, s);
    timer_set(&c->reactor->timers, &s->timer, deadline);
    return s;
}

void tls_dress_incoming(struct conn *c, struct tls_server *server, ns_t deadline)
{
    struct tls_state *s = dress(c, tls_server_context(server), deadline);

    s->server = tls_server_hold(server);
    SSL_set_app_data(s->ssl, server);
    SSL_set_accept_state(s->ssl);
}

void tls_dress(const struct port *p, struct conn *c, ns_t deadline)
{
    if (p->proxy_protocol)
        proxy_dress(p, c, deadline);
    else
        tls_dress_incoming(c, p->tls, deadline);
}

void tls_dress_outgoing(struct conn *c, struct tls_client *t, struct span host)
{
    struct tls_state *s = dress(c, tls_client_context(t), NS_NEVER);

    SSL_set_connect_state(s->ssl);
    tls_client_expect(t, s->ssl, host);
}
