#include "codec/http1.h"

#define CHUNK_DIGITS_MAX 15 /* 2^60 bytes */

static void message_init(struct http1 *m, bool is_reply) {
    must(offsetof(struct http1, line) + HTTP1_LINE_MAX <= sizeof *m);
    memset(m, 0, offsetof(struct http1, line));
    m->is_reply = is_reply;
}

void http1_reply_init(struct http1_reply *reply, bool to_head) {
    reply->status = 0;
    reply->no_body = to_head;
    message_init(&reply->m, true);
}

void http1_request_init(struct http1_request *request) {
    request->method[0] = request->target[0] = 0;
    request->wants_continue = false;
    message_init(&request->m, false);
}

/* ---- lines ---- */

static void line_keep(struct http1 *m, const char *from, size_t size) {
    size_t room = sizeof m->line - m->line_len;
    if (size > room) {
        m->line_cut = true;
        size = room;
    }
    memcpy(m->line + m->line_len, from, size);
    m->line_len += (uint32_t)size;
}

struct line {
    struct str text; /* without its end; cut to HTTP1_LINE_MAX - 1 */
    bool cut;
};

/* Take a whole line off `bytes`: 1, or 0 when its end has not come yet (all bytes are kept). */
static int line_take(struct http1 *m, struct str *bytes, struct line *ret, struct err *err) {
    if (bytes->len == 0)
        return 0;
    const char *end = memchr(bytes->ptr, '\n', bytes->len);
    size_t size = end ? (size_t)(end - bytes->ptr) + 1 : bytes->len;
    if (size > HTTP1_HEAD_MAX || m->head_bytes + size > HTTP1_HEAD_MAX)
        return err_set(err, ERR_LIMIT, "a head of more than %d bytes", HTTP1_HEAD_MAX);
    m->head_bytes += (uint32_t)size;
    struct str text = {bytes->ptr, end ? size - 1 : size};
    *bytes = str_skip(*bytes, size);
    if (!end || m->line_len > 0) {
        line_keep(m, text.ptr, text.len);
        if (!end)
            return 0;
        text = (struct str){m->line, m->line_len};
    }
    bool cut = m->line_cut || text.len > HTTP1_LINE_MAX - 1;
    m->line_len = 0;
    m->line_cut = false;
    if (text.len > 0 && text.ptr[text.len - 1] == '\r')
        text.len--;
    *ret = (struct line){str_slice(text, 0, HTTP1_LINE_MAX - 1), cut};
    return 1;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* ---- header fields ---- */

/* tchar of RFC 9110 5.6.2 */
static const bool TOKEN_BYTES[256] = {
    ['0' ... '9'] = true,  ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['!'] = true,
    ['#' ... '\''] = true, ['*'] = true,         ['+'] = true,         ['-'] = true,
    ['.'] = true,          ['^' ... '`'] = true, ['|'] = true,         ['~'] = true,
};

static bool is_token(struct str text) {
    for (size_t i = 0; i < text.len; i++)
        if (!TOKEN_BYTES[(unsigned char)text.ptr[i]])
            return false;
    return text.len > 0;
}

static int field_length(struct http1 *m, struct str value, struct err *err) {
    uint64_t length = 0;
    if (value.len == 0 || value.len > 18)
        return err_set(err, ERR_PROTOCOL, "a Content-Length that is not a length");
    for (size_t i = 0; i < value.len; i++) {
        if (!is_digit(value.ptr[i]))
            return err_set(err, ERR_PROTOCOL, "a Content-Length that is not a length");
        length = length * 10 + (uint64_t)(value.ptr[i] - '0');
    }
    if (m->has_length && m->body_left != length)
        return err_set(err, ERR_PROTOCOL, "two different Content-Lengths");
    m->has_length = true;
    m->body_left = length;
    return 0;
}

static void field_connection(struct http1 *m, struct str value) {
    struct str part;
    while (str_split(&value, ',', &part)) {
        part = str_trim(part);
        if (str_equal_nocase(part, STR("close")))
            m->says_close = true;
        else if (str_equal_nocase(part, STR("keep-alive")))
            m->keep_alive = true;
    }
}

static void field_encoding(struct http1 *m, struct str value) {
    struct str part, last = STR_EMPTY;
    while (str_split(&value, ',', &part))
        last = str_trim(part);
    m->encoded = true;
    m->chunked = str_equal_nocase(last, STR("chunked"));
}

struct field {
    struct str name, value;
};

static int field_split(const struct line *line, struct field *ret, struct err *err) {
    const char *colon = memchr(line->text.ptr, ':', line->text.len);
    size_t name_len = colon ? (size_t)(colon - line->text.ptr) : 0;
    ret->name = str_slice(line->text, 0, name_len);
    if (!is_token(ret->name))
        return err_set(err, ERR_PROTOCOL, "a header line without a name");
    ret->value = str_trim(str_skip(line->text, name_len + 1));
    return 0;
}

static int field_cut(const struct line *line, struct err *err) {
    if (line->cut)
        return err_set(err, ERR_LIMIT, "a framing header of more than %d bytes", HTTP1_LINE_MAX);
    return 0;
}

/* One header line.  Only C, T and (in requests) E begin names that matter. */
static int field_read(struct http1 *m, const struct line *line, bool *ret_continue,
                      struct err *err) {
    struct field field;
    TRY(field_split(line, &field, err));
    char first = (char)(field.name.ptr[0] | 0x20);
    if (first == 'c' && str_equal_nocase(field.name, STR("content-length"))) {
        TRY(field_cut(line, err));
        return field_length(m, field.value, err);
    }
    if (first == 'c' && str_equal_nocase(field.name, STR("connection"))) {
        TRY(field_cut(line, err));
        field_connection(m, field.value);
    } else if (first == 't' && str_equal_nocase(field.name, STR("transfer-encoding"))) {
        TRY(field_cut(line, err));
        field_encoding(m, field.value);
    } else if (first == 'e' && str_equal_nocase(field.name, STR("expect"))) {
        *ret_continue = str_equal_nocase(field.value, STR("100-continue"));
    }
    return 0;
}

/* ---- start lines ---- */

/* "HTTP/1.1" or "HTTP/1.0": the default for keeping the connection. */
static int version_read(struct http1 *m, struct str text, struct err *err) {
    m->is_old = str_equal(text, STR("HTTP/1.0"));
    if (!m->is_old && !str_equal(text, STR("HTTP/1.1")))
        return err_set(err, ERR_PROTOCOL, "not HTTP/1.1");
    m->keep_alive = !m->is_old;
    return 0;
}

static int status_line_read(struct http1_reply *reply, struct str text, struct err *err) {
    TRY(version_read(&reply->m, str_slice(text, 0, 8), err));
    if (text.len < 12 || text.ptr[8] != ' ' || (text.len > 12 && text.ptr[12] != ' '))
        return err_set(err, ERR_PROTOCOL, "a status line without a status");
    unsigned status = 0;
    for (size_t i = 9; i < 12; i++) {
        if (!is_digit(text.ptr[i]))
            return err_set(err, ERR_PROTOCOL, "a status line without a status");
        status = status * 10 + (unsigned)(text.ptr[i] - '0');
    }
    if (status < 100 || status == 101)
        return err_set(err, ERR_PROTOCOL, "status %u", status);
    reply->status = (uint16_t)status;
    return 0;
}

static int request_line_read(struct http1_request *request, const struct line *line,
                             struct err *err) {
    if (line->cut)
        return err_set(err, ERR_LIMIT, "a request line of more than %d bytes", HTTP1_LINE_MAX);
    struct str rest = line->text, method, target;
    if (!str_split(&rest, ' ', &method) || !str_split(&rest, ' ', &target))
        return err_set(err, ERR_PROTOCOL, "not a request line");
    TRY(version_read(&request->m, rest, err));
    if (!is_token(method) || target.len == 0)
        return err_set(err, ERR_PROTOCOL, "not a request line");
    for (size_t i = 0; i < target.len; i++)
        if ((unsigned char)target.ptr[i] <= 0x20 || target.ptr[i] == 0x7f)
            return err_set(err, ERR_PROTOCOL, "a control character in the target");
    if (!str_copy(request->method, sizeof request->method, method))
        return err_set(err, ERR_LIMIT, "a method of more than %d bytes", HTTP1_METHOD_SIZE - 1);
    must(str_copy(request->target, sizeof request->target, target));
    return 0;
}

/* ---- bodies ---- */

static void body_begin(struct http1 *m) {
    if (m->chunked)
        m->state = HTTP1_CHUNK_SIZE;
    else if (m->has_length)
        m->state = m->body_left > 0 ? HTTP1_BODY_LENGTH : HTTP1_DONE;
    else if (m->is_reply)
        m->state = HTTP1_BODY_CLOSE;
    else
        m->state = HTTP1_DONE;
    if (m->state == HTTP1_BODY_CLOSE)
        m->keep_alive = false;
}

/* Take up to `limit` bytes of body off `bytes`. */
static size_t body_take(struct http1 *m, struct str *bytes, uint64_t limit) {
    size_t size = (size_t)MIN((uint64_t)bytes->len, limit);
    if (m->body && size > 0)
        m->body(m->body_arg, str_slice(*bytes, 0, size));
    m->body_bytes += size;
    *bytes = str_skip(*bytes, size);
    return size;
}

static int chunk_size_read(struct http1 *m, const struct line *line, struct err *err) {
    if (line->cut)
        return err_set(err, ERR_LIMIT, "a chunk-size line of more than %d bytes", HTTP1_LINE_MAX);
    uint64_t size = 0;
    size_t i = 0;
    for (; i < line->text.len; i++) {
        char c = line->text.ptr[i];
        char lower = (char)(c | 0x20);
        unsigned digit = is_digit(c)                    ? (unsigned)(c - '0')
                         : lower >= 'a' && lower <= 'f' ? (unsigned)(lower - 'a') + 10
                                                        : 16;
        if (digit == 16)
            break;
        if (i == CHUNK_DIGITS_MAX)
            return err_set(err, ERR_LIMIT, "a chunk that is too large");
        size = size * 16 + digit;
    }
    struct str rest = str_trim(str_skip(line->text, i));
    if (i == 0 || (rest.len > 0 && rest.ptr[0] != ';'))
        return err_set(err, ERR_PROTOCOL, "not a chunk size");
    m->head_bytes = 0;
    m->body_left = size;
    m->state = size > 0 ? HTTP1_CHUNK_DATA : HTTP1_TRAILERS;
    return 0;
}

/* One step of a body.  1: go on; 0: more bytes are needed. */
static int body_step(struct http1 *m, struct str *bytes, struct err *err) {
    struct line line;
    int got = 0;
    switch (m->state) {
    case HTTP1_BODY_LENGTH:
    case HTTP1_CHUNK_DATA:
        m->body_left -= body_take(m, bytes, m->body_left);
        if (m->body_left > 0)
            return 0;
        m->state = m->state == HTTP1_BODY_LENGTH ? HTTP1_DONE : HTTP1_CHUNK_END;
        return 1;
    case HTTP1_BODY_CLOSE:
        body_take(m, bytes, UINT64_MAX);
        return 0;
    case HTTP1_CHUNK_SIZE:
        got = line_take(m, bytes, &line, err);
        if (got <= 0)
            return got;
        TRY(chunk_size_read(m, &line, err));
        return 1;
    case HTTP1_CHUNK_END:
        got = line_take(m, bytes, &line, err);
        if (got <= 0)
            return got;
        if (line.text.len > 0)
            return err_set(err, ERR_PROTOCOL, "a chunk longer than its size");
        m->state = HTTP1_CHUNK_SIZE;
        return 1;
    case HTTP1_TRAILERS:
        got = line_take(m, bytes, &line, err);
        if (got > 0 && line.text.len == 0)
            m->state = HTTP1_DONE;
        return got;
    case HTTP1_START:
    case HTTP1_FIELDS:
    case HTTP1_DONE:
        break;
    }
    must(m->state >= HTTP1_BODY_LENGTH && m->state < HTTP1_DONE);
    return 0;
}

/* ---- replies ---- */

static void reply_head_end(struct http1_reply *reply) {
    struct http1 *m = &reply->m;
    if (reply->status < 200) { /* an interim reply: the real one follows */
        m->state = HTTP1_START;
        m->has_length = m->chunked = m->encoded = m->says_close = false;
        m->body_left = 0;
        return;
    }
    m->head_done = true;
    if (m->says_close)
        m->keep_alive = false;
    if (reply->no_body || reply->status == 204 || reply->status == 304) {
        m->state = HTTP1_DONE;
        return;
    }
    if (m->encoded && (!m->chunked || m->has_length || m->is_old))
        m->keep_alive = false; /* RFC 9112 6.1: do not trust what follows */
    if (m->encoded && !m->chunked)
        m->has_length = false;
    body_begin(m);
}

static int reply_head_step(struct http1_reply *reply, struct str *bytes, struct err *err) {
    struct line line;
    int got = line_take(&reply->m, bytes, &line, err);
    if (got <= 0)
        return got;
    bool unused = false;
    if (reply->m.state == HTTP1_START) {
        TRY(status_line_read(reply, line.text, err));
        reply->m.state = HTTP1_FIELDS;
    } else if (line.text.len > 0) {
        TRY(field_read(&reply->m, &line, &unused, err));
    } else {
        reply_head_end(reply);
    }
    return 1;
}

int http1_reply_feed(struct http1_reply *reply, struct str bytes, size_t *ret_used,
                     struct err *err) {
    must(reply->m.is_reply);
    size_t size = bytes.len;
    int more = 1;
    while (more > 0 && reply->m.state != HTTP1_DONE) {
        if (reply->m.state <= HTTP1_FIELDS)
            more = reply_head_step(reply, &bytes, err);
        else
            more = body_step(&reply->m, &bytes, err);
    }
    *ret_used = size - bytes.len;
    return more < 0 ? more : 0;
}

bool http1_reply_end(struct http1_reply *reply) {
    if (reply->m.state == HTTP1_BODY_CLOSE)
        reply->m.state = HTTP1_DONE;
    return reply->m.state == HTTP1_DONE;
}

/* ---- requests ---- */

static int request_head_end(struct http1_request *request, struct err *err) {
    struct http1 *m = &request->m;
    if (m->encoded && (m->has_length || !m->chunked || m->is_old))
        return err_set(err, ERR_PROTOCOL, "a request whose length is ambiguous");
    if (m->says_close)
        m->keep_alive = false;
    m->head_done = true;
    body_begin(m);
    return 1;
}

static int request_head_step(struct http1_request *request, struct str *bytes, struct err *err) {
    struct line line;
    int got = line_take(&request->m, bytes, &line, err);
    if (got <= 0)
        return got;
    if (request->m.state == HTTP1_START) {
        if (line.text.len == 0)
            return 1; /* RFC 9112 2.2: an empty line before a request */
        TRY(request_line_read(request, &line, err));
        request->m.state = HTTP1_FIELDS;
        return 1;
    }
    if (line.text.len == 0)
        return request_head_end(request, err);
    TRY(field_read(&request->m, &line, &request->wants_continue, err));
    return 1;
}

int http1_request_feed(struct http1_request *request, struct str bytes, size_t *ret_used,
                       struct err *err) {
    must(!request->m.is_reply);
    size_t size = bytes.len;
    int more = 1;
    while (more > 0 && request->m.state != HTTP1_DONE) {
        if (request->m.state <= HTTP1_FIELDS)
            more = request_head_step(request, &bytes, err);
        else
            more = body_step(&request->m, &bytes, err);
    }
    *ret_used = size - bytes.len;
    return more < 0 ? more : 0;
}
