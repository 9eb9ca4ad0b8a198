/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz.h - what the fuzzers share. A property that does not hold stops the program (check.h). */
#ifndef EK_TEST_FUZZ_H
#define EK_TEST_FUZZ_H

#include "base/check.h"
#include "base/span.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
