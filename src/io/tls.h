/* SPDX-License-Identifier: Apache-2.0 */
/* tls.h - TLS 1.2 and 1.3 (RFC 5246, RFC 8446) by OpenSSL, as filters before connections.
 * A `tls_server` belongs to one reactor, for OpenSSL 3.0 takes locks around what is shared; control makes
 * a new one when a certificate's file or the ticket keys change, and hands it over by mail. Connections
 * keep what they began with.
 * Suites are AEAD with forward secrecy only (RFC 9325); no renegotiation, no compression, no early data
 * (RFC 8470: a replayed request is not ours to judge). */
#ifndef EK_IO_TLS_H
#define EK_IO_TLS_H

#include "base/err.h"
#include "io/conn.h"
#include "io/listener.h"

struct tls_server;
struct tls_client;

struct tls_files {
    struct span chain; /* PEM; terminated */
    struct span key;
};

/* What session tickets are sealed with (RFC 5077, RFC 8446 section 4.6.1): the first seals, all open. The
 * same for all reactors, so that a client may come back to any of them. Secret. */
enum { TLS_TICKET_KEYS = 3 };
struct tls_ticket_keys {
    struct tls_ticket_key {
        unsigned char name[16];
        unsigned char hmac[32];
        unsigned char aes[32];
    } key[TLS_TICKET_KEYS];
};

/* Reads the files. The first certificate is for names that no other one has, and for clients that name
 * none. On failure the error names the file. */
err tls_server_new(const struct tls_files *files, size_t count, const struct tls_ticket_keys *keys,
                   struct tls_server **ret_server);
void tls_server_free(struct tls_server *s);

/* Seconds since 1970 at which the first of its certificates ends to be valid. */
int64_t tls_server_valid_until(const struct tls_server *s);

/* For port->dress: the port's PROXY protocol (filter_proxy.c) and its TLS, one behind the other. */
void tls_dress(const struct port *p, struct conn *c, ns_t deadline);
void proxy_dress(const struct port *p, struct conn *c, ns_t deadline);

/* TLS alone. */
void tls_dress_incoming(struct conn *c, struct tls_server *s, ns_t deadline);

/* Verifies instances against the CAs in a file (empty: the system's), for this name (empty: the
 * instance's own host); shows a certificate of our own when there is one. Used by all reactors. */
err tls_client_new(struct span ca_file, struct span name, const struct tls_files *own,
                   struct tls_client **ret_client);
void tls_client_free(struct tls_client *t);

/* Another owner, who frees it as well; NULL is NULL. */
struct tls_client *tls_client_share(struct tls_client *t);

/* Right after conn_connect(). `host`: the instance's, a name or an address, with or without port. */
void tls_dress_outgoing(struct conn *c, struct tls_client *t, struct span host);

/* "TLSv1.3", or NULL when the connection is plain. */
const char *tls_version(const struct conn *c);

#endif
