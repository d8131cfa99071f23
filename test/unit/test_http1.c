/* Each file of test/vectors/http1 is a message; <name>.want says what it is. */
#include "unit.h"

#include "codec/http1.h"

#include <dirent.h>
#include <stdio.h>

#define VECTORS "test/vectors/http1"
#define FILE_MAX (256 * 1024)

static void read_file(const char *path, struct buf *into) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    buf_init(into, FILE_MAX);
    char *room = buf_reserve(into, FILE_MAX);
    assert_non_null(room);
    buf_commit(into, fread(room, 1, FILE_MAX, file));
    fclose(file);
}

static void say_end(struct buf *out, const struct http1 *m, size_t left) {
    buf_printf(out, "%s body=%llu left=%zu", m->keep_alive ? "keep" : "close",
               (unsigned long long)m->body_bytes, left);
}

static void say_error(struct buf *out, const struct err *err) {
    buf_reset(out);
    buf_printf(out, "%s %s", err_name(err->code), err->text);
}

/* Feed `input` as two pieces cut at `cut` (or, when `bytewise`, one byte at a time). */
static void describe_reply(struct str input, size_t cut, bool bytewise, struct buf *out) {
    static struct http1_reply reply;
    http1_reply_init(&reply, false);
    struct err err = {0};
    size_t at = 0;
    while (at < input.len && reply.m.state != HTTP1_DONE) {
        size_t to = bytewise ? at + 1 : at < cut ? cut : input.len;
        size_t used = 0;
        if (http1_reply_feed(&reply, str_slice(input, at, to), &used, &err) < 0) {
            say_error(out, &err);
            return;
        }
        assert_true(used == to - at || reply.m.state == HTTP1_DONE);
        at += used;
    }
    bool by_close = reply.m.state == HTTP1_BODY_CLOSE;
    if (!http1_reply_end(&reply)) {
        buf_add_text(out, "incomplete");
        return;
    }
    buf_printf(out, "%u ", reply.status);
    say_end(out, &reply.m, input.len - at);
    if (by_close)
        buf_add_text(out, " by-close");
}

static void describe_request(struct str input, size_t cut, bool bytewise, struct buf *out) {
    static struct http1_request request;
    http1_request_init(&request);
    struct err err = {0};
    size_t at = 0;
    while (at < input.len && request.m.state != HTTP1_DONE) {
        size_t to = bytewise ? at + 1 : at < cut ? cut : input.len;
        size_t used = 0;
        if (http1_request_feed(&request, str_slice(input, at, to), &used, &err) < 0) {
            say_error(out, &err);
            return;
        }
        at += used;
    }
    if (request.m.state != HTTP1_DONE) {
        buf_add_text(out, "incomplete");
        return;
    }
    buf_printf(out, "%s %s ", request.method, request.target);
    say_end(out, &request.m, input.len - at);
    if (request.wants_continue)
        buf_add_text(out, " continue");
}

static void check_cut(struct str input, bool is_reply, size_t cut, struct str want) {
    struct buf got;
    buf_init(&got, 4096);
    bool bytewise = cut > input.len;
    if (is_reply)
        describe_reply(input, cut, bytewise, &got);
    else
        describe_request(input, cut, bytewise, &got);
    if (!str_equal(buf_str(&got), want)) {
        print_error("cut at %zu\n", cut);
        assert_str(want, buf_text(&got));
    }
    buf_deinit(&got);
}

static bool check_vector(const char *name) {
    struct str text = str_from(name);
    bool is_reply = str_ends_with(text, STR(".reply"));
    if (!is_reply && !str_ends_with(text, STR(".request")))
        return false;
    char path[512];
    snprintf(path, sizeof path, VECTORS "/%s", name);
    struct buf input, want;
    read_file(path, &input);
    size_t stem = str_index_of(text, '.');
    snprintf(path, sizeof path, VECTORS "/%.*s.want", (int)stem, name);
    read_file(path, &want);
    /* long ones: the first 200 cuts and then every 97th; the byte-by-byte feed covers the rest */
    for (size_t cut = 0; cut <= input.len; cut += cut < 200 || input.len < 2000 ? 1 : 97)
        check_cut(buf_str(&input), is_reply, cut, str_trim(buf_str(&want)));
    check_cut(buf_str(&input), is_reply, input.len + 1, str_trim(buf_str(&want)));
    buf_deinit(&input);
    buf_deinit(&want);
    return true;
}

static void every_vector_reads_the_same_however_it_is_cut(void **state) {
    (void)state;
    DIR *dir = opendir(VECTORS);
    assert_non_null(dir);
    unsigned count = 0;
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        bool checked = check_vector(entry->d_name);
        count += checked;
    }
    closedir(dir);
    assert_true(count >= 50);
}

static void a_reply_to_head_has_no_body(void **state) {
    (void)state;
    static struct http1_reply reply;
    http1_reply_init(&reply, true);
    size_t used = 0;
    struct str text = STR("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nHTTP");
    assert_int_equal(http1_reply_feed(&reply, text, &used, NULL), 0);
    assert_int_equal(reply.m.state, HTTP1_DONE);
    assert_int_equal(used, text.len - 4);
}

static void collect(void *arg, struct str piece) {
    buf_add_str(arg, piece);
}

static void the_body_is_handed_out_without_its_framing(void **state) {
    (void)state;
    static struct http1_reply reply;
    struct buf body;
    buf_init(&body, 64);
    http1_reply_init(&reply, false);
    reply.m.body = collect;
    reply.m.body_arg = &body;
    size_t used = 0;
    struct str text = STR("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                          "3\r\nday\r\n3\r\nfly\r\n0\r\n\r\n");
    assert_int_equal(http1_reply_feed(&reply, text, &used, NULL), 0);
    assert_text(&body, "dayfly");
    buf_deinit(&body);
}

UNIT_MAIN(T(every_vector_reads_the_same_however_it_is_cut), T(a_reply_to_head_has_no_body),
          T(the_body_is_handed_out_without_its_framing))
