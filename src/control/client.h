/* SPDX-License-Identifier: Apache-2.0 */
/* client.h - asking a running evenkeel over its admin API (libcurl). For commands; blocking. */
#ifndef EK_CONTROL_CLIENT_H
#define EK_CONTROL_CLIENT_H

#include "base/err.h"
#include "base/str.h"

#define CLIENT_DEFAULT_ADMIN "127.0.0.1:9900"

/* GET http://ADMIN/PATH. The body goes to *ret_body (growing; the caller frees it), also on failure an
 * initialised one. A status other than 200 is an error with the body's first line. */
err client_get(const char *admin, const char *path, struct str *ret_body);

#endif
