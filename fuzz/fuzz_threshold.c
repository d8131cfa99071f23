/* Any text as a threshold: parsing ends, the place of an error is inside, and the text that is kept
 * parses to the same. */
#include "fuzz.h"

#include "core/verdict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str input = {(const char *)data, size};
    struct threshold t, again;
    struct err err = {0};
    size_t at = 0;
    if (threshold_parse(input, &t, &at, &err) < 0) {
        must(at <= size && err.text[0]);
        return 0;
    }
    must(threshold_parse(str_from(t.text), &again, NULL, NULL) == 0);
    must(memcmp(&t, &again, sizeof t) == 0);
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(1000);
    threshold_add_metric(&out, &t);
    verdict_add_reading(&out, t.unit, t.value);
    must(out.len > 0);
    return 0;
}
