#include "base/log.h"

#include "base/when.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES_MAX 2048

static int log_fd = -1;
static enum log_level log_least = LOG_INFO;

void log_to(int fd, enum log_level level) {
    log_fd = fd;
    log_least = level;
}

static const char *level_name(enum log_level level) {
    switch (level) {
    case LOG_DEBUG:
        return "debug";
    case LOG_INFO:
        return "info";
    case LOG_WARN:
        return "warn";
    case LOG_ERROR:
        return "error";
    }
    return "?";
}

void log_event(enum log_level level, const char *event, const char *fmt, ...) {
    if (log_fd < 0 || level < log_least)
        return;
    char values[LINE_BYTES_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(values, sizeof values, fmt, args);
    va_end(args);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    CLEANUP(buf_deinit) struct buf line = BUF_INIT(LINE_BYTES_MAX * 5);
    when_add_rfc3339_ms(&line, (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
    buf_printf(&line, " %s %s ", level_name(level), event);
    for (const char *c = values; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            buf_printf(&line, "\\x%02x", (unsigned char)*c);
        else
            buf_add_byte(&line, *c);
    }
    buf_add_byte(&line, '\n');
    ignore(write(log_fd, line.ptr, line.len) < 0); /* the log is never worth a failure */
}
