/* SPDX-License-Identifier: Apache-2.0 */
/* tls.c - certificates, names, tickets: what connections share. */
#include "io/tls_internal.h"

#include "base/str.h"

#include <openssl/core_names.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct tls_server {
    int references; /* its owner's, and one of each connection: all in one thread */
    struct tls_ticket_keys keys;
    size_t count;
    SSL_CTX **contexts; /* one per certificate */
};

static struct tls_shared shared;

static void make_shared(void)
{
    OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, NULL);
    shared.method = tls_bio_method();
}

const struct tls_shared *tls_shared(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_shared);
    return &shared;
}

/* The first error is the cause, those behind it say who failed because of it. */
static const char *openssl_reason(void)
{
    unsigned long code = ERR_peek_error();
    const char *reason = !code                    ? NULL
                         : ERR_SYSTEM_ERROR(code) ? strerrordesc_np(ERR_GET_REASON(code))
                                                  : ERR_reason_error_string(code);

    ERR_clear_error();
    return reason ? reason : "unknown reason";
}

/* ---- tickets (RFC 5077 section 4): AES-256-CBC and HMAC-SHA-256 */

static int use_key(const struct tls_ticket_key *k, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                   EVP_MAC_CTX *mac, int sealing)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)(uintptr_t)k->hmac,
                                          sizeof(k->hmac)),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)(uintptr_t) "SHA256", 0),
        OSSL_PARAM_construct_end(),
    };

    return EVP_MAC_CTX_set_params(mac, params) &&
           EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, k->aes, iv, sealing);
}

/* Returns as SSL_CTX_set_tlsext_ticket_key_evp_cb(3) wants: 1 use it, 2 use it and give a new one, 0 no
 * ticket, -1 failure. */
static int on_ticket(SSL *ssl, unsigned char name[16], unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int sealing)
{
    const struct tls_ticket_key *key = ((const struct tls_server *)SSL_get_app_data(ssl))->keys.key;

    if (sealing) {
        memcpy(name, key[0].name, 16);
        if (RAND_bytes(iv, EVP_MAX_IV_LENGTH) != 1 || !use_key(&key[0], iv, cipher, mac, 1))
            return -1;
        return 1;
    }
    for (int i = 0; i < TLS_TICKET_KEYS; i++) {
        if (memcmp(name, key[i].name, 16) == 0)
            return !use_key(&key[i], iv, cipher, mac, 0) ? -1 : i == 0 ? 1 : 2;
    }
    return 0;
}

/* ---- names */

static size_t certificate_for(const struct tls_server *s, const char *name, size_t length)
{
    for (size_t i = 0; length > 0 && i < s->count; i++) {
        if (X509_check_host(SSL_CTX_get0_certificate(s->contexts[i]), name, length, 0, NULL) == 1)
            return i;
    }
    return 0;
}

/* The name in a server_name extension (RFC 6066 section 3): a list of one, of type 0. */
static struct span asked_name(SSL *ssl)
{
    const unsigned char *p;
    size_t n;

    if (!SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &p, &n) || n < 5 || p[2] != 0)
        return span_of(NULL, 0);
    size_t length = (size_t)p[3] << 8 | p[4];
    return length == n - 5 ? span_of(p + 5, length) : span_of(NULL, 0);
}

/* Before tickets are looked at: a session belongs to the certificate that it began with, and is not resumed
 * for another one's name (RFC 6066 section 3). */
static int on_client_hello(SSL *ssl, int *alert, void *nothing)
{
    const struct tls_server *s = SSL_get_app_data(ssl);
    struct span name = asked_name(ssl);
    size_t index = certificate_for(s, name.p, name.n);

    (void)alert;
    (void)nothing;
    SSL_set_SSL_CTX(ssl, s->contexts[index]);
    SSL_set_session_id_context(ssl, (const unsigned char *)&index, sizeof(index));
    return SSL_CLIENT_HELLO_SUCCESS;
}

/* The choice was made above; this makes OpenSSL acknowledge the name. */
static int on_server_name(SSL *ssl, int *alert, void *nothing)
{
    (void)ssl;
    (void)alert;
    (void)nothing;
    return SSL_TLSEXT_ERR_OK;
}

bool tls_same_certificate(const struct tls_server *s, const char *asked, struct span host)
{
    struct span name = span_of(host.p, span_find(host, ':'));

    if (s->count < 2 || span_equal_nocase(name, span_from_text(asked)))
        return true;
    return certificate_for(s, asked, strlen(asked)) == certificate_for(s, name.p, name.n);
}

/* Only HTTP/1.1 is spoken here. Who offers a list without it is told so, not given another protocol than it
 * asked for (RFC 7301 section 3.2). */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_n,
                   const unsigned char *offered, unsigned int n, void *p)
{
    static const unsigned char ours[] = "\x08http/1.1\x08http/1.0";
    unsigned char *chosen;

    (void)ssl;
    (void)p;
    if (SSL_select_next_proto(&chosen, out_n, ours, sizeof(ours) - 1, offered, n) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* ---- contexts */

static SSL_CTX *new_context(const SSL_METHOD *method)
{
    SSL_CTX *c = SSL_CTX_new(method);
    char groups[] = "X25519:P-256:P-384"; /* the macro for this casts a literal's const away */

    check(c != NULL);
    tls_shared();
    SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
    SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                               SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    int good = SSL_CTX_set_cipher_list(c, "ECDHE+AESGCM:ECDHE+CHACHA20") &&
               SSL_CTX_ctrl(c, SSL_CTRL_SET_GROUPS_LIST, 0, groups);
    check(good);
    /* an idle connection holds no buffer; a write may be repeated from another place */
    SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(c, 1); /* a record's head and body in one receive */
    return c;
}

static err load_certificate(SSL_CTX *c, const struct tls_files *f)
{
    if (SSL_CTX_use_certificate_chain_file(c, f->chain.p) != 1)
        return err_make("cannot use the certificate %s: %s", f->chain.p, openssl_reason());
    if (SSL_CTX_use_PrivateKey_file(c, f->key.p, SSL_FILETYPE_PEM) != 1)
        return err_make("cannot use the private key %s: %s", f->key.p, openssl_reason());
    if (SSL_CTX_check_private_key(c) != 1)
        return err_make("the private key %s is not the one of the certificate %s", f->key.p,
                        f->chain.p);
    return OK;
}

static void set_up_server(SSL_CTX *c)
{
    SSL_CTX_set_tlsext_ticket_key_evp_cb(c, on_ticket);
    SSL_CTX_set_client_hello_cb(c, on_client_hello, NULL);
    SSL_CTX_set_tlsext_servername_callback(c, on_server_name);
    SSL_CTX_set_alpn_select_cb(c, on_alpn, NULL);
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF); /* tickets need no memory here */
    SSL_CTX_set_num_tickets(c, 1);
}

err tls_server_new(const struct tls_files *files, size_t count, const struct tls_ticket_keys *keys,
                   struct tls_server **ret_server)
{
    struct tls_server *s = calloc(1, sizeof(*s));

    check(s != NULL && count > 0);
    s->contexts = calloc(count, sizeof(SSL_CTX *));
    check(s->contexts != NULL);
    s->references = 1;
    s->keys = *keys;
    for (size_t i = 0; i < count; i++) {
        s->contexts[s->count++] = new_context(TLS_server_method());
        err e = load_certificate(s->contexts[i], &files[i]);
        if (e.failed) {
            tls_server_free(s);
            return e;
        }
        set_up_server(s->contexts[i]);
    }
    *ret_server = s;
    return OK;
}

struct tls_server *tls_server_hold(struct tls_server *s)
{
    s->references++;
    return s;
}

void tls_server_free(struct tls_server *s)
{
    if (!s || --s->references > 0)
        return;
    OPENSSL_cleanse(&s->keys, sizeof(s->keys));
    for (size_t i = 0; i < s->count; i++)
        SSL_CTX_free(s->contexts[i]);
    free(s->contexts);
    free(s);
}

int64_t tls_server_valid_until(const struct tls_server *s)
{
    int64_t first = INT64_MAX;

    for (size_t i = 0; i < s->count; i++) {
        struct tm tm;
        if (ASN1_TIME_to_tm(X509_get0_notAfter(SSL_CTX_get0_certificate(s->contexts[i])), &tm) != 1)
            continue;
        int64_t at = timegm(&tm);
        first = at < first ? at : first;
    }
    return first;
}

SSL_CTX *tls_server_context(const struct tls_server *s)
{
    return s->contexts[0];
}

/* ---- towards instances */

struct tls_client {
    SSL_CTX *context;
    _Atomic unsigned shares; /* besides the first */
    char name[256];          /* "": the instance's host */
};

static err load_authorities(SSL_CTX *c, struct span ca_file)
{
    if (ca_file.n == 0)
        return SSL_CTX_set_default_verify_paths(c) == 1
                   ? OK
                   : err_make("cannot use the system's certificates: %s", openssl_reason());
    if (SSL_CTX_load_verify_locations(c, ca_file.p, NULL) != 1)
        return err_make("cannot use the certificates in %s: %s", ca_file.p, openssl_reason());
    return OK;
}

err tls_client_new(struct span ca_file, struct span name, const struct tls_files *own,
                   struct tls_client **ret_client)
{
    struct tls_client *t = calloc(1, sizeof(*t));

    check(t != NULL);
    t->context = new_context(TLS_client_method());
    SSL_CTX_set_verify(t->context, SSL_VERIFY_PEER, NULL);
    err e = load_authorities(t->context, ca_file);
    if (!e.failed && own && own->chain.n)
        e = load_certificate(t->context, own);
    if (!e.failed && name.n >= sizeof(t->name))
        e = err_make("the server name has more than %zu bytes", sizeof(t->name) - 1);
    if (e.failed) {
        tls_client_free(t);
        return e;
    }
    memcpy(t->name, name.p, name.n);
    *ret_client = t;
    return OK;
}

struct tls_client *tls_client_share(struct tls_client *t)
{
    if (t)
        atomic_fetch_add(&t->shares, 1);
    return t;
}

void tls_client_free(struct tls_client *t)
{
    if (!t || atomic_fetch_sub(&t->shares, 1) > 0)
        return;
    SSL_CTX_free(t->context);
    free(t);
}

SSL_CTX *tls_client_context(const struct tls_client *t)
{
    return t->context;
}

/* "app.local:8443" and "[::1]:8443" without their port and brackets. */
static struct span bare_host(struct span host)
{
    struct span name;
    uint16_t port;

    return address_split(host, &name, &port) ? name : host;
}

void tls_client_expect(const struct tls_client *t, SSL *ssl, struct span host)
{
    X509_VERIFY_PARAM *expected = SSL_get0_param(ssl);
    struct span name = t->name[0] ? span_from_text(t->name) : bare_host(host);
    char text[256];
    struct str copy = str_fixed(text, sizeof(text) - 1);

    str_put(&copy, name);
    text[copy.n] = '\0';
    if (X509_VERIFY_PARAM_set1_ip_asc(expected, text) == 1)
        return; /* an address: proved by the certificate, not sent as a name (RFC 6066 section 3) */
    ERR_clear_error();
    int good = X509_VERIFY_PARAM_set1_host(expected, text, copy.n) == 1 &&
               SSL_set_tlsext_host_name(ssl, text) == 1;
    check(good);
    X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
}
