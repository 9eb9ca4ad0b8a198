/* SPDX-License-Identifier: Apache-2.0 */
/* life_sign.h - until when did a process live that could not say goodbye? Beside the store lies a small file, STORE-life, in
 * which the thread of files (files.h) notes the time some times a second: what is written outlives a killed process in
 * the kernel's memory, without a flush. A process that ends in order removes it. With it the next start tells the seconds
 * whose counts are lost from those in which nothing ran (store/losses.h).
 * Always: a file that cannot be written, or is not believed, costs that knowledge and nothing else. */
#ifndef EK_CONTROL_LIFE_SIGN_H
#define EK_CONTROL_LIFE_SIGN_H

#include "base/clock.h"
#include "base/err.h"
#include "store/losses.h"

#include <stdatomic.h>
#include <stdbool.h>

struct store;

#define LIFE_SIGN_EVERY (100 * NS_PER_MS) /* not more often; files.h looks five times a second */
#define LIFE_SIGN_SLACK \
    (250 * NS_PER_MS) /* a process that is killed lived no longer after its last sign */

enum { LIFE_SIGN_NODE = 16, LIFE_SIGN_BOOT = 36 };

struct life_sign {
    int fd;     /* -1: there is none */
    char *path; /* malloc */
    char node[LIFE_SIGN_NODE + 1];
    char boot[LIFE_SIGN_BOOT +
              1]; /* the kernel's: after a power cut the file may be older than its content says */
    ns_t written; /* monotonic */
    _Atomic int64_t stored_ms; /* by control */
};

/* What a file says: unix milliseconds. */
struct life_said {
    int64_t lived_ms;
    int64_t stored_ms; /* 0: nothing yet */
};

/* Of the process that had this store, on this machine since it was started; false: nobody knows. */
bool life_sign_read(const char *store_path, const char *node, struct life_said *ret);

/* From now on; what was there is gone. */
void life_sign_open(struct life_sign *l, const char *store_path, const char *node, ns_t wall);

/* Control: all that was counted until then is stored. */
void life_sign_stored(struct life_sign *l, int64_t unix_ms);

/* The thread of files, as often as it likes. */
void life_sign_tick(struct life_sign *l, ns_t now, ns_t wall);

/* `in_order`: all is stored, and nobody will ask. */
void life_sign_close(struct life_sign *l, bool in_order);

/* ---- at a start */

/* What is lost of a process that had stored until `stored` (unix seconds, rounded down) and said this (NULL: nothing that
 * is believed), when the next one begins at `now_ms`. Pure. */
struct loss life_sign_loss(int64_t stored, const struct life_said *said, int64_t now_ms);

/* Before the store's next epoch begins: keeps what the last process lost, if it did, and says it in the log. */
err life_sign_look_back(struct store *s, const char *store_path, int64_t now_ms);

/* "counts of up to 1.24 s are lost, ...": without a line's end. */
void loss_tell(const struct loss *l, char *ret_text, size_t size);

#endif
