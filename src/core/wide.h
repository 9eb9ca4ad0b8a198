/* SPDX-License-Identifier: Apache-2.0 */
/* wide.h - 128-bit integers, for products of a count and a part that must stay exact.
 * Not ISO C, but gcc and clang have them on every 64-bit machine; __extension__ says that we
 * know. */
#ifndef EK_CORE_WIDE_H
#define EK_CORE_WIDE_H

__extension__ typedef unsigned __int128 u128;

#endif
