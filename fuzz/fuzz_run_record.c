/* What decodes must encode to the same bytes; nothing else may be taken for a record. */
#include "fuzz.h"

#include "core/run_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    size_t at = 0, used;
    struct run_record r;
    while (run_record_decode(data + at, size - at, &r, &used, NULL) == 0) {
        uint8_t again[RUN_RECORD_BYTES_MAX];
        must(used > 0 && used <= size - at);
        must(run_record_encode(&r, again) == used);
        must(memcmp(again, data + at, used) == 0);
        at += used;
    }
    /* The same bytes with the checksum put right: the fields themselves are looked at. */
    if (size >= 18 && size <= RUN_RECORD_BYTES_MAX) {
        uint8_t fixed[RUN_RECORD_BYTES_MAX];
        memcpy(fixed, data, size);
        uint32_t crc = run_crc32c(data + 8, size - 8);
        for (int i = 0; i < 4; i++) {
            fixed[i] = (uint8_t)(size >> (8 * i));
            fixed[4 + i] = (uint8_t)(crc >> (8 * i));
        }
        if (run_record_decode(fixed, size, &r, &used, NULL) == 0) {
            uint8_t again[RUN_RECORD_BYTES_MAX];
            must(run_record_encode(&r, again) == size);
            must(memcmp(again, fixed, size) == 0);
        }
    }
    return 0;
}
