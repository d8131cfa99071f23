/* Any bytes, as a reply and as a request: fed whole and byte by byte they must mean the same. */
#include "fuzz.h"

#include "codec/http1.h"

static void check_reply(struct str input) {
    static struct http1_reply whole, pieces;
    http1_reply_init(&whole, false);
    http1_reply_init(&pieces, false);
    size_t used = 0, at = 0;
    int result = http1_reply_feed(&whole, input, &used, NULL);
    int result_pieces = 0;
    while (at < input.len && pieces.m.state != HTTP1_DONE && result_pieces == 0) {
        size_t step = 0;
        result_pieces = http1_reply_feed(&pieces, str_slice(input, at, at + 1), &step, NULL);
        at += step;
    }
    must((result < 0) == (result_pieces < 0));
    if (result < 0)
        return;
    must(used == at);
    must(whole.m.state == pieces.m.state);
    must(whole.m.body_bytes == pieces.m.body_bytes);
    must(whole.m.body_bytes <= input.len);
    if (whole.m.head_done) {
        must(whole.status == pieces.status);
        must(whole.m.keep_alive == pieces.m.keep_alive);
    }
}

static void check_request(struct str input) {
    static struct http1_request whole, pieces;
    http1_request_init(&whole);
    http1_request_init(&pieces);
    size_t used = 0, at = 0;
    int result = http1_request_feed(&whole, input, &used, NULL);
    int result_pieces = 0;
    while (at < input.len && pieces.m.state != HTTP1_DONE && result_pieces == 0) {
        size_t step = 0;
        result_pieces = http1_request_feed(&pieces, str_slice(input, at, at + 1), &step, NULL);
        at += step;
    }
    must((result < 0) == (result_pieces < 0));
    if (result < 0)
        return;
    must(used == at);
    must(whole.m.state == pieces.m.state);
    must(strcmp(whole.target, pieces.target) == 0);
    must(strlen(whole.target) < HTTP1_LINE_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str input = {(const char *)data, size};
    check_reply(input);
    check_request(input);
    return 0;
}
