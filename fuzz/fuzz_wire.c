/* Frames from anybody: what decodes must encode, and then be the same for ever. */
#include "fuzz.h"

#include "codec/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct wire_message first, second;
    CLEANUP(buf_deinit) struct buf bytes = BUF_INIT(FRAME_BYTES_MAX);
    CLEANUP(buf_deinit) struct buf again = BUF_INIT(FRAME_BYTES_MAX);
    CLEANUP(arena_deinit) struct arena arena;
    arena_init(&arena, 4 * MIB);
    if (wire_decode((struct str){(const char *)data, size}, &arena, &first, NULL) < 0)
        return 0;
    must(wire_encode(&first, &bytes, NULL) == 0);
    must(wire_decode(buf_str(&bytes), &arena, &second, NULL) == 0);
    must(wire_encode(&second, &again, NULL) == 0);
    must(str_equal(buf_str(&bytes), buf_str(&again)));
    return 0;
}
