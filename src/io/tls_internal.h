/* SPDX-License-Identifier: Apache-2.0 */
/* tls_internal.h - between filter_tls.c (one connection) and tls.c (what connections share) only: the two
 * files that know OpenSSL. */
#ifndef EK_IO_TLS_INTERNAL_H
#define EK_IO_TLS_INTERNAL_H

#include "io/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/* Made once for the process. */
struct tls_shared {
    BIO_METHOD *method;
};
const struct tls_shared *tls_shared(void);

BIO_METHOD *tls_bio_method(void);

/* A connection's application data is its server, which it holds until it ends by tls_server_free(). */
struct tls_server *tls_server_hold(struct tls_server *s);
SSL_CTX *tls_server_context(const struct tls_server *s);

/* Whether both names lead to the same certificate. */
bool tls_same_certificate(const struct tls_server *s, const char *asked, struct span host);

SSL_CTX *tls_client_context(const struct tls_client *t);

/* Sets the name that the peer must prove. */
void tls_client_expect(const struct tls_client *t, SSL *ssl, struct span host);

#endif
