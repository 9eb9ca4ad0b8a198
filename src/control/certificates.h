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

/* A listener and whose it is; everything is lent, and never changes while the process runs. */
struct certificate_use {
    const struct listening *listening;
    const char *name; /* of the key, for messages */
    struct listener *listener;
    uint32_t number; /* of its port, in each of the edges */
    struct http_edge *edges;
    size_t edge_count;
    uint64_t stamp; /* of its files, as they were last used or found wrong */
};

struct certificate_watch {
    struct certificate_use uses[LISTENERS_MAX + 1]; /* those with certificates */
    size_t use_count;
    struct tls_ticket_keys keys;
    ns_t keys_due;
    _Atomic int64_t valid_until; /* unix seconds: the first certificate to end; 0: there are none */
};

void certificates_init(struct certificate_watch *w);

/* Makes the first ones of a listener and puts them into its ports. One without certificates is left out. The edges need not be open
 * before certificates_check(). */
err certificates_add(struct certificate_watch *w, const struct certificate_use *use);

/* Whether the files can be used. */
err certificates_try(const struct config *c);

/* Looks whether something changed; `now` is monotonic. */
void certificates_check(struct certificate_watch *w, ns_t now);

#endif
