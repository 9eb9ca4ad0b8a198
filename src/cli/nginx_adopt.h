/* SPDX-License-Identifier: Apache-2.0 */
/* nginx_adopt.h - from nginx's directives to services, routes and logs. What has no counterpart is noted where
 * it stood. */
#ifndef EK_CLI_NGINX_ADOPT_H
#define EK_CLI_NGINX_ADOPT_H

#include "cli/adopted.h"

void nginx_adopt(struct adopted *a, struct nginx_tree *tree);

#endif
