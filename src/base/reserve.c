/* SPDX-License-Identifier: Apache-2.0 */
/* reserve.c - see reserve.h. */
#include "base/reserve.h"

#include "base/check.h"

#include <sys/mman.h>

void *reserve(size_t bytes)
{
    void *m = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);

    check(m != MAP_FAILED);
    return m;
}

void reserve_free(void *p, size_t bytes)
{
    munmap(p, bytes);
}
