/* SPDX-License-Identifier: Apache-2.0 */
/* store.h - the one file that survives the process: opening, closing, and its troubles.
 * SQLite in WAL mode. Always: what was committed stays, whatever happens to the process (kill -9)
 * or to the next write (disk full); a failed write changes nothing and may simply be tried again.
 * Blocking. A store belongs to one thread, the scribe; nobody else touches it.
 * Times are unix seconds (wall clock) given by the caller: the store reads no clock.
 * Next: renew.c (what becomes of it while it is open), refill.h, catalog.h (who is counted), samples.h (writing), history.h (reading), retention.h;
 * changes.h and instance_states.h (what is restored at boot). */
#ifndef EK_STORE_STORE_H
#define EK_STORE_STORE_H

#include "base/err.h"
#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

/* clang-format off */
#define STORE_TROUBLES(X) \
    /* name    word        what it means, and what helps */ \
    X(NONE,    "well",     "nothing went wrong") \
    X(BUSY,    "busy",     "another process is writing to the file; trying again helps") \
    X(FULL,    "full",     "no space is left; what is stored is intact, trying again may help") \
    X(CORRUPT, "corrupt",  "the file is damaged; opening it again moves it aside for a new one") \
    X(GONE,    "gone",     "the file was deleted, or another stands in its place; renewing helps") \
    X(DENIED,  "denied",   "the file or its folder may not be opened or written") \
    X(DISK,    "disk",     "the file system reported an error") \
    X(OTHER,   "trouble",  "anything else; the text of the error says what")
/* clang-format on */

enum store_trouble {
#define X(name, word, meaning) STORE_##name,
    STORE_TROUBLES(X)
#undef X
        STORE_TROUBLES_COUNT
};

const char *store_trouble_word(enum store_trouble t);
const char *store_trouble_meaning(enum store_trouble t);

struct store_options {
    const char *path;   /* the file, or ":memory:"; its folder must exist */
    int64_t now;        /* names a damaged file that is moved aside, and dates a new one */
    uint32_t pages_max; /* bound on the file's size in pages of 4096 bytes; 0: none of our own */
    const char *node;   /* identity for a new file; NULL: a fresh one */
};

/* What opening found, for the log and the page. */
struct store_opened {
    bool created;     /* there was no file, or it was moved aside */
    bool moved_aside; /* a damaged file was: `note` names where to */
    bool rescued; /* by store_renew(): written anew from the file that was deleted; all is there */
    bool unchecked; /* larger than STORE_CHECK_BYTES_MAX, so its integrity was not checked */
    char note[ERR_TEXT_MAX]; /* a sentence when one of the last three is set, else "" */
};

/* A check reads the whole file; above this size a start would take too long (about a second per
 * 500 MiB). Damage is then met when it is read. */
#define STORE_CHECK_BYTES_MAX (INT64_C(512) << 20)

struct store;

/* Opens, or creates; checks integrity; brings the schema up to date. A damaged file is renamed to
 * PATH.corrupt-<now> (with its -wal) and a new one begun; nothing is deleted. Refused, with nothing
 * changed: a file of a newer evenkeel, a SQLite file of another program, what may not be opened. */
err store_open(const struct store_options *options, struct store **ret_store,
               struct store_opened *ret_opened);

/* Never fails: what was committed is safe already. NULL is allowed. */
void store_close(struct store *s);

/* Is what stands at the path still the file that is open, and was no damage met since it was opened? Cheap: before
 * each job. Fails with STORE_GONE or STORE_CORRUPT; then store_renew() is what helps. */
err store_here(struct store *s);

/* Opens anew what store_here() failed for; `s` stays the same pointer, and needs an epoch again.
 * Damaged: the file is moved aside and a new one begun under the same identity. Deleted: it is written anew from the open
 * file, which the kernel keeps (`rescued`); when that cannot be read, a new one is begun. Replaced: the new file is taken
 * when it is of the same node, and refused otherwise (STORE_DENIED).
 * On failure `s` is as before, and this may be tried again. Takes as long as copying the file. */
err store_renew(struct store *s, int64_t now, struct store_opened *ret_opened);

/* Why the last call on this store failed; STORE_NONE after one that worked. */
enum store_trouble store_trouble(const struct store *s);

/* This node's lasting identity: 16 hexadecimal digits made when the file was created. The file is
 * the node: a copied file is the same node. Belongs to the store. */
const char *store_node(const struct store *s);

#endif
