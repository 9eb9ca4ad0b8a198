/* SPDX-License-Identifier: Apache-2.0 */
/* err.h - what the world did wrong, as a value that someone handles.
 * For control work, files and start-up: it carries a sentence for a person. The data path uses its own
 * small enums with reason codes instead. A function either logs an error or returns it, never both. */
#ifndef EK_BASE_ERR_H
#define EK_BASE_ERR_H

#include <stdbool.h>

enum { ERR_TEXT_MAX = 512 };

typedef struct [[nodiscard]] err {
    bool failed;
    char text[ERR_TEXT_MAX]; /* "file.yaml:3:7: unknown key 'ruotes', did you mean 'routes'?" */
} err;

#define OK ((err){ .failed = false })

/* An error with a sentence that says what was meant and what was wrong; cut at ERR_TEXT_MAX. */
err err_make(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same with ": " and the text of an errno value at the end. */
err err_system(int error_number, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Passes a failure up. */
#define TRY(call)                 \
    do {                          \
        err try_result_ = (call); \
        if (try_result_.failed)   \
            return try_result_;   \
    } while (0)

#endif
