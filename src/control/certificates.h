/* SPDX-License-Identifier: Apache-2.0 */
/* certificates.h - the servers' TLS: made from the configured files, made anew when a file changes or the
 * ticket keys are due, and given to each reactor. Used by one thread (files.c), before that by boot.
 * Always: files that cannot be used leave in force what was. */
#ifndef EK_CONTROL_CERTIFICATES_H
#define EK_CONTROL_CERTIFICATES_H

#include "bus/config.h"
#include "io/tls.h"
#include "plane/http/edge.h"

#include <stdatomic.h>

/* How long a set of ticket keys seals; tickets are good for up to three times that. */
#define TICKET_KEYS_LAST (INT64_C(8) * 3600 * NS_PER_S)

struct certificate_watch {
    const struct config *config; /* lent: what listens never changes while the process runs */
    struct http_edge *edges;
    size_t edge_count;
    uint64_t
        stamps[LISTENERS_MAX]; /* of each listener's files, as they were last used or found wrong */
    struct tls_ticket_keys keys;
    ns_t keys_due;
    _Atomic int64_t valid_until; /* unix seconds: the first certificate to end; 0: there are none */
};

/* Makes the first ones and puts them into the ports: [listener][worker]. */
err certificates_open(struct certificate_watch *w, const struct config *c,
                      struct listener *listeners, struct http_edge *edges, size_t edge_count);

/* Whether the files can be used. */
err certificates_try(const struct config *c);

/* Looks whether something changed; `now` is monotonic. */
void certificates_check(struct certificate_watch *w, ns_t now);

#endif
