/* SPDX-License-Identifier: Apache-2.0 */
/* rand.c - randomness from the kernel, for seeds and secrets. */
#include "base/rand.h"

#include "base/check.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/types.h>

void rand_secret(void *ret_bytes, size_t n)
{
    char *at = ret_bytes;

    while (n > 0) {
        ssize_t done = getrandom(at, n, 0);
        if (done < 0 && errno == EINTR)
            continue;
        check(done > 0);
        at += done;
        n -= (size_t)done;
    }
}
