/* SPDX-License-Identifier: Apache-2.0 */
/* load_tls.c - see load_tls.h. TLS 1.3 only, so that every server is asked for the same handshake. */
#include "load_tls.h"
#include <errno.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static SSL_CTX *context;

static void fail(const char *what)
{
    fprintf(stderr, "load: %s\n", what);
    exit(1);
}

void tls_setup(void)
{
    signal(SIGPIPE, SIG_IGN); /* OpenSSL writes without MSG_NOSIGNAL */
    context = SSL_CTX_new(TLS_client_method());
    if (!context || !SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION))
        fail("no TLS 1.3 in this OpenSSL");
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* one receive takes what has come, not a record's head and then the rest */
    SSL_CTX_set_read_ahead(context, 1);
}

struct ssl_st *tls_open(int fd)
{
    SSL *ssl = SSL_new(context);

    if (!ssl || !SSL_set_fd(ssl, fd))
        fail("no memory for a TLS connection");
    SSL_set_connect_state(ssl);
    return ssl;
}

void tls_close(struct ssl_st *ssl)
{
    SSL_free(ssl);
}

static ssize_t outcome(SSL *ssl, int result)
{
    switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: errno = EAGAIN; return -1;
    case SSL_ERROR_ZERO_RETURN: return 0;
    default: errno = EPROTO; return -1;
    }
}

ssize_t tls_handshake(struct ssl_st *ssl)
{
    int result = SSL_do_handshake(ssl);

    return result > 0 ? 1 : outcome(ssl, result);
}

ssize_t tls_receive(struct ssl_st *ssl, void *to, size_t n)
{
    size_t got = 0;
    int result = SSL_read_ex(ssl, to, n, &got);

    return result > 0 ? (ssize_t)got : outcome(ssl, result);
}

ssize_t tls_send(struct ssl_st *ssl, const void *from, size_t n)
{
    size_t sent = 0;
    int result = SSL_write_ex(ssl, from, n, &sent);

    return result > 0 ? (ssize_t)sent : outcome(ssl, result);
}
