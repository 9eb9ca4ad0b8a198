/* SPDX-License-Identifier: Apache-2.0 */
/* client.h - asking a running evenkeel over its admin API, and telling it (libcurl). For commands; blocking. */
#ifndef EK_CONTROL_CLIENT_H
#define EK_CONTROL_CLIENT_H

#include "base/err.h"
#include "base/str.h"

#define CLIENT_DEFAULT_ADMIN "127.0.0.1:9900"

/* GET http://ADMIN/PATH. The body goes to *ret_body (growing; the caller frees it), also on failure an
 * initialised one. A status other than 200 is an error with the body's first line. */
err client_get(const char *admin, const char *path, struct str *ret_body);

/* The same with another method and a JSON body (NULL: none). Any status below 500 is no error: *ret_status says which,
 * and the body why. */
err client_tell(const char *admin, const char *method, const char *path, const char *json,
                unsigned *ret_status, struct str *ret_body);

#endif
