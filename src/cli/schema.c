/* SPDX-License-Identifier: Apache-2.0 */
/* schema.c - `evenkeel schema`: the configuration language. */
#include "cli/options.h"
#include "control/config_file.h"

#include <stdio.h>

int cmd_schema(int argc, char **argv)
{
    struct option_reader r = { .argc = argc, .argv = argv };
    enum option_id id;
    bool markdown = false;

    while ((id = option_next(&r)) != OPTION_END) {
        if (id == OPTION_WRONG)
            return EXIT_USAGE;
        markdown |= id == OPTION_markdown;
    }
    if (optind < argc) {
        fprintf(stderr, "evenkeel schema: '%s' is not expected here\n", argv[optind]);
        return EXIT_USAGE;
    }
    if (markdown)
        config_write_markdown(stdout);
    else
        config_write_schema(stdout);
    return EXIT_DONE;
}
