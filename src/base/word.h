/* SPDX-License-Identifier: Apache-2.0 */
/* word.h - eight bytes of text looked at as one number, for what is done to every byte of a request. The masks have
 * the high bit of each byte that is meant; above the first one word_below() and word_equal() may name others wrongly, so
 * only the first counts (Warren, Hacker's Delight, section 6-1). The exact ones let nothing carry into the next byte. */
#ifndef EK_BASE_WORD_H
#define EK_BASE_WORD_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define WORD_ONES  UINT64_C(0x0101010101010101)
#define WORD_HIGHS UINT64_C(0x8080808080808080)

enum { WORD_BYTES = 8 };

/* The byte at the lowest address is the lowest in the number. */
static inline uint64_t word_load(const char *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof(word));
    return le64toh(word);
}

static inline void word_store(char *p, uint64_t word)
{
    word = htole64(word);
    memcpy(p, &word, sizeof(word));
}

/* Bytes below `limit`, which is at most 0x80. */
static inline uint64_t word_below(uint64_t word, unsigned char limit)
{
    return (word - WORD_ONES * limit) & ~word & WORD_HIGHS;
}

static inline uint64_t word_equal(uint64_t word, unsigned char byte)
{
    return word_below(word ^ WORD_ONES * byte, 1);
}

/* As word_equal(), and exact. */
static inline uint64_t word_same(uint64_t word, unsigned char byte)
{
    uint64_t x = word ^ WORD_ONES * byte;

    return ~(((x & ~WORD_HIGHS) + ~WORD_HIGHS) | x) & WORD_HIGHS;
}

/* ASCII letters. Exact. */
static inline uint64_t word_letters(uint64_t word)
{
    uint64_t lower = (word | WORD_ONES * 0x20) & ~WORD_HIGHS;
    uint64_t at_least_a = lower + WORD_ONES * (0x80 - 'a');
    uint64_t above_z = lower + WORD_ONES * (0x7f - 'z');

    return at_least_a & ~above_z & ~word & WORD_HIGHS;
}

/* How many bytes lie before the first that a mask (not 0) names. */
static inline size_t word_first(uint64_t mask)
{
    return (size_t)__builtin_ctzll(mask) / 8;
}

#endif
