#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

static void make_one_line(char *text) {
    for (char *c = text; *c; c++)
        if (*c == '\n' || *c == '\r' || *c == '\t')
            *c = ' ';
}

int err_set(struct err *err, enum err_code code, const char *fmt, ...) {
    must(code > ERR_NONE && code < ERR_CODE_COUNT);
    if (!err)
        return -(int)code;
    char text[ERR_TEXT_SIZE];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    make_one_line(text);
    err->code = code;
    memcpy(err->text, text, sizeof text);
    return -(int)code;
}

int err_set_errno(struct err *err, enum err_code code, int errno_value, const char *fmt, ...) {
    must(code > ERR_NONE && code < ERR_CODE_COUNT);
    if (!err)
        return -(int)code;
    char text[ERR_TEXT_SIZE];
    va_list args;
    va_start(args, fmt);
    int used = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (used >= 0 && (size_t)used < sizeof text)
        snprintf(text + used, sizeof text - (size_t)used, ": %s", strerror(errno_value));
    make_one_line(text);
    err->code = code;
    memcpy(err->text, text, sizeof text);
    return -(int)code;
}

int err_wrap(struct err *err, const char *fmt, ...) {
    if (!err)
        return -1;
    must(err->code != ERR_NONE);
    char text[ERR_TEXT_SIZE];
    va_list args;
    va_start(args, fmt);
    int used = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (used >= 0 && (size_t)used < sizeof text)
        snprintf(text + used, sizeof text - (size_t)used, ": %s", err->text);
    make_one_line(text);
    memcpy(err->text, text, sizeof text);
    return -(int)err->code;
}

void err_reset(struct err *err) {
    if (!err)
        return;
    err->code = ERR_NONE;
    err->text[0] = '\0';
}

const char *err_name(enum err_code code) {
    switch (code) {
#define ERR_NAME(name, text) \
    case name:               \
        return #name;
        ERR_MAP(ERR_NAME)
#undef ERR_NAME
    case ERR_NONE:
    case ERR_CODE_COUNT:
        break;
    }
    return "ERR_NONE";
}

const char *err_meaning(enum err_code code) {
    switch (code) {
#define ERR_MEANING(name, text) \
    case name:                  \
        return text;
        ERR_MAP(ERR_MEANING)
#undef ERR_MEANING
    case ERR_NONE:
    case ERR_CODE_COUNT:
        break;
    }
    return "no error";
}
