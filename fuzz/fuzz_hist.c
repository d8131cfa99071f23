/* What decodes must encode to the same bytes, and its buckets must add up. */
#include "fuzz.h"

#include "core/hist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct hist h = {0};
    if (hist_decode_add((struct str){(const char *)data, size}, &h, NULL) == 0) {
        uint64_t seen = 0;
        uint32_t cursor = 0;
        struct hist_bucket bucket;
        while (hist_next(&h, &cursor, &bucket))
            seen += bucket.count;
        must(seen == h.count);
        must(hist_percentile_ns(&h, 500000) <= h.max_ns);
        struct buf again;
        buf_init(&again, HIST_ENCODED_BYTES_MAX);
        hist_encode(&h, &again);
        must(again.len == size);
        must(memcmp(again.ptr, data, size) == 0);
        buf_deinit(&again);
    }
    hist_deinit(&h);
    return 0;
}
