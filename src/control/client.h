/* SPDX-License-Identifier: Apache-2.0 */
/* client.h - asking a running evenkeel over its admin API, and telling it (libcurl). For commands; blocking.
 * ADMIN is host:port, a URL with http or https, or "unix:/path"; client_use_...() say by which token and by whose word. */
#ifndef EK_CONTROL_CLIENT_H
#define EK_CONTROL_CLIENT_H

#include "base/err.h"
#include "base/str.h"

#define CLIENT_DEFAULT_ADMIN "127.0.0.1:9900"
#define CLIENT_TOKEN_ENV     "EVENKEEL_TOKEN"

/* For all questions from now on; each NULL: not said. The token is read from the file with each question, else from the
 * environment. There is no way to give it as an argument, for arguments are seen by everybody on the machine. */
void client_use_token_file(const char *path);

/* Who vouches for the certificate of an admin address with https; an address without a scheme then means https. */
void client_use_ca(const char *path);

/* GET ADMIN/PATH. The body goes to *ret_body (growing; the caller frees it), also on failure an
 * initialised one. A status other than 200 is an error with the body's first line. */
err client_get(const char *admin, const char *path, struct str *ret_body);

/* The same with another method and a JSON body (NULL: none). Any status below 500 but 401 and 429 is no error: *ret_status says
 * which, and the body why. */
err client_tell(const char *admin, const char *method, const char *path, const char *json,
                unsigned *ret_status, struct str *ret_body);

#endif
