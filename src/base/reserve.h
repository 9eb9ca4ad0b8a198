/* SPDX-License-Identifier: Apache-2.0 */
/* reserve.h - large tables of which most is never touched: address space at once, memory page by page when it is written.
 * Cleared. Out of address space stops the program. Manual: mmap(2), MAP_NORESERVE. */
#ifndef EK_BASE_RESERVE_H
#define EK_BASE_RESERVE_H

#include <stddef.h>

void *reserve(size_t bytes);

/* All of it, with the same size. */
void reserve_free(void *p, size_t bytes);

#endif
