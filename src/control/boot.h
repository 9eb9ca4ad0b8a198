/* SPDX-License-Identifier: Apache-2.0 */
/* boot.h - from a configuration to a running program, and back to nothing. */
#ifndef EK_CONTROL_BOOT_H
#define EK_CONTROL_BOOT_H

#include "base/err.h"
#include "bus/config.h"
#include "control/assets.h"

struct boot_options {
    struct config *config; /* validated; owned from now on */
    const char *version;   /* the program's */
    const struct ui_assets *assets;
};

/* Opens everything, serves until SIGTERM or SIGINT, then drains (at most BOOT_DRAIN_S), stores the last
 * counts and returns. A second signal ends the process at once. An error means that it never served. */
err boot_run(const struct boot_options *options);

/* Whether the files that a configuration names can be used: certificates, keys, authorities. */
err boot_check(const struct config *c);

enum { BOOT_DRAIN_S = 30 }; /* longer than an ordinary head timeout: what runs may finish */

#endif
