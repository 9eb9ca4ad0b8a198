/* SPDX-License-Identifier: Apache-2.0 */
/* ui_assets.h - the files of src/ui, made into an array by tools/embed at build time. */
#ifndef EK_CLI_UI_ASSETS_H
#define EK_CLI_UI_ASSETS_H

#include "control/assets.h"

extern const struct ui_assets ui_assets;

#endif
