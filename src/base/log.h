/* log.h - the debug log: one line per record, `time level event key=value ...`, to one file.
 *
 * Only shells log (os and above); the pure parts and codecs return errors.  Event names are stable.
 * Off until log_to is called.  Control characters in values are written as \xNN.  One writer
 * thread at a time per line: a line is written by one write call.
 */
#ifndef LOG_H
#define LOG_H

#include "base/base.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* Write records of at least `level` to `fd` (borrowed; -1: off). */
void log_to(int fd, enum log_level level);
/* `log_event(LOG_INFO, "launch", "want=%d", n)`; the format makes the key=value part. */
void log_event(enum log_level level, const char *event, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
