/* SPDX-License-Identifier: Apache-2.0 */
/* assets.h - the dashboard's files (src/ui), embedded in the program and passed into boot by main.
 * Data only; control knows no file by content. */
#ifndef EK_CONTROL_ASSETS_H
#define EK_CONTROL_ASSETS_H

#include "base/span.h"

struct ui_asset {
    struct span name; /* "style.css" */
    struct span type; /* media type */
    struct span bytes;
};

struct ui_assets {
    const struct ui_asset *files;
    size_t count;
};

#endif
