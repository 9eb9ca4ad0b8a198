/* SPDX-License-Identifier: Apache-2.0 */
/* log_values.h - what log_line.c is made of: single values, and the values of a JSON line. */
#ifndef EK_PROTO_LOG_VALUES_H
#define EK_PROTO_LOG_VALUES_H

#include "proto/log_line.h"

/* The field that a variable of nginx or a key means; LOG_IGNORED when nobody asks for it. */
enum log_field log_field_of(struct span name);

/* Finds the values of an object's usual keys; texts are given without quotes and with their escapes. What
 * is null or an object or a list is not given. False when this is no object on one line. */
bool log_find_json(struct span line, struct span ret_values[LOG_FIELD_COUNT]);

/* Undoes the escapes of a JSON text in place (RFC 8259 section 7): never longer. A code point below 256
 * becomes that one byte, as our own log means it. */
struct span log_undo_json(struct span s);

[[nodiscard]] bool log_milliseconds(struct span s, ns_t *ret_ns);

/* The sum of "0.001, 0.200 : 0.100"; "-" is an instance that was not reached. */
[[nodiscard]] bool log_upstream_seconds(struct span s, ns_t *ret_ns);

#endif
