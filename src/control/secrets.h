/* SPDX-License-Identifier: Apache-2.0 */
/* secrets.h - the tokens of the admin address: read from their files or variables, and at once turned into marks (io/marks.h),
 * for nothing else of them is needed. Always: the text of a secret is nowhere but on the stack of who reads it. */
#ifndef EK_CONTROL_SECRETS_H
#define EK_CONTROL_SECRETS_H

#include "base/err.h"
#include "bus/config.h"

enum {
    TOKEN_LEAST = 16,  /* bytes; nobody guesses 16 drawn ones, many guess a word */
    TOKEN_MOST = 1024, /* more is another file */
};

/* Reads both tokens of a configuration that has them, and puts their marks into it. Blocking. The error names the key, and never
 * what was read. */
err admin_tokens_read(struct config *c);

/* Whether that would work, for `validate`: a variable that is not set here may be so where evenkeel runs. */
err admin_tokens_try(const struct config *c);

#endif
