/* SPDX-License-Identifier: Apache-2.0 */
/* load_tls.h - the TLS side of load.c: a client that trusts everybody and never resumes a session.
 * What is called answers as recv(2) and send(2) do: -1 with EAGAIN when it must wait, 0 at the end. */
#ifndef BENCH_LOAD_TLS_H
#define BENCH_LOAD_TLS_H

#include <stddef.h>
#include <sys/types.h>

struct ssl_st;

void tls_setup(void);
struct ssl_st *tls_open(int fd);
/* 1 when it is done. Without it the handshake happens with the first transfer. */
ssize_t tls_handshake(struct ssl_st *ssl);
void tls_close(struct ssl_st *ssl);
ssize_t tls_receive(struct ssl_st *ssl, void *to, size_t n);
ssize_t tls_send(struct ssl_st *ssl, const void *from, size_t n);

#endif
