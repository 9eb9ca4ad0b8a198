/* SPDX-License-Identifier: Apache-2.0 */
/* names.h - instances that are given by name: a name stands for all its addresses, and is looked up again.
 * Always: a lookup that fails leaves what was known; the addresses of a name are in one order, whatever the
 * resolver's; an instance of a name is known by its address, so what does not change keeps its history.
 * Blocking (getaddrinfo): on the loader's thread, and before the threads run. */
#ifndef EK_CONTROL_NAMES_H
#define EK_CONTROL_NAMES_H

#include "base/arena.h"
#include "bus/config.h"

enum { ADDRESSES_PER_NAME_MAX = 256 };

struct known_name {
    char *text; /* "app.local:80" */
    struct address addresses[ADDRESSES_PER_NAME_MAX];
    size_t count;
    bool wanted;  /* the newest configuration has it */
    bool failing; /* the last lookup failed; told once */
};

struct names {
    struct known_name **list;
    size_t count;
};

/* Looks up the names of a configuration that are not known yet; failures are logged, and have no address. */
void names_learn(struct names *n, const struct config *c);

/* Looks all of them up again; true when an address came or went. */
bool names_refresh(struct names *n);

/* Puts an instance for each address in the place of each instance that is a name. */
void names_expand(const struct names *n, struct config *c);

void names_free(struct names *n);

#endif
