/* Any text as a histogram log: what is read must survive being written and read again. */
#include "fuzz.h"

#include "codec/hlog.h"

static void check_again(const struct hlog_line *line, const struct hist *h) {
    struct buf text;
    buf_init(&text, 2 * HLOG_LINE_BYTES_MAX);
    hlog_add_interval(&text, line, h);
    struct str rest = buf_str(&text);
    struct hlog_line line_again = {0};
    struct hist again = {0};
    must(buf_ok(&text));
    must(hlog_next(&rest, &line_again, &again, NULL) == 1);
    must(again.count == h->count);
    must(again.count == 0 || again.min_ns == h->min_ns);
    must(again.count == 0 || again.max_ns == h->max_ns);
    hist_deinit(&again);
    buf_deinit(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str rest = {(const char *)data, size};
    struct hlog_line line = {0};
    struct hist h = {0};
    while (hlog_next(&rest, &line, &h, NULL) == 1) {
        check_again(&line, &h);
        hist_reset(&h);
    }
    hist_deinit(&h);
    return 0;
}
