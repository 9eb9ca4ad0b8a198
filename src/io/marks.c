/* SPDX-License-Identifier: Apache-2.0 */
/* marks.c - see marks.h. Manual: HMAC(3), CRYPTO_memcmp(3). */
#include "io/marks.h"

#include "base/check.h"
#include "base/rand.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>

static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static unsigned char key[32];

static void draw_key(void)
{
    rand_secret(key, sizeof(key));
}

void secret_mark_of(struct span secret, struct secret_mark *ret)
{
    unsigned n = sizeof(ret->bytes);

    pthread_once(&key_once, draw_key);
    const unsigned char *done =
        HMAC(EVP_sha256(), key, sizeof(key), (const unsigned char *)(secret.n ? secret.p : ""),
             secret.n, ret->bytes, &n);
    check(done && n == sizeof(ret->bytes));
}

bool secret_mark_equal(const struct secret_mark *a, const struct secret_mark *b)
{
    return CRYPTO_memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

void secret_forget(void *p, size_t n)
{
    OPENSSL_cleanse(p, n);
}
