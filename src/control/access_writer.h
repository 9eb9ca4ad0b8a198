/* SPDX-License-Identifier: Apache-2.0 */
/* access_writer.h - from the reactors' rings to the access log's file.
 * Always: a whole ring's lines go out in one write; a disk that takes nothing costs lines (they are
 * dropped in the ring and counted), never a request. Used by one thread (files.c). */
#ifndef EK_CONTROL_ACCESS_WRITER_H
#define EK_CONTROL_ACCESS_WRITER_H

#include "base/err.h"
#include "bus/log_ring.h"

struct access_writer {
    const char *path;
    int fd;
    struct log_ring *rings;
    size_t ring_count;
    bool failing;        /* told already */
    size_t most_waiting; /* bytes in the fullest ring, at the last look */
};

/* Opens the file for appending; it is made readable for its owner and group only. */
err access_writer_open(struct access_writer *w, const char *path, struct log_ring *rings,
                       size_t ring_count);

/* Writes what waits. A ring that cannot be written stays as it is. */
void access_writer_drain(struct access_writer *w);

/* Begins a new file under the same name, after the old one was renamed (log rotation). */
void access_writer_reopen(struct access_writer *w);

void access_writer_close(struct access_writer *w);

#endif
