/* SPDX-License-Identifier: Apache-2.0 */
/* log.h - what the program tells its operator, a line at a time on standard error.
 * Not for the data path, and not for requests (they have the access log): a line is one write().
 * Any thread may call; lines do not mix. Secrets and request contents never go here. */
#ifndef EK_BASE_LOG_H
#define EK_BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Lines above the level are dropped. Default LOG_INFO. */
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/* "error", "warn", "info", "debug"; false when it is none of them. */
[[nodiscard]] bool log_level_parse(const char *text, enum log_level *ret_level);

void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)

#endif
