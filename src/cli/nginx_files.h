/* SPDX-License-Identifier: Apache-2.0 */
/* nginx_files.h - an nginx configuration with all that it includes. */
#ifndef EK_CLI_NGINX_FILES_H
#define EK_CLI_NGINX_FILES_H

#include "base/err.h"
#include "cli/adopted.h"

enum {
    NGINX_FILES_MAX = 512,       /* a server with very many sites */
    NGINX_BYTES_MAX = 8 << 20,   /* of all of them */
    NGINX_INCLUDE_DEPTH_MAX = 8, /* includes within includes */
};

/* Reads the file and what it includes (relative to its folder, as nginx does) into the tree. An include that
 * cannot be read is noted; a file that is not nginx's language is an error with file and line. */
err nginx_files_read(const char *path, struct adopted *a, struct nginx_tree *tree);

#endif
