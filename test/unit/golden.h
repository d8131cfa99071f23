/* golden.h - comparing text with a recorded file.
 *
 * GOLDEN_UPDATE=1 in the environment writes the file instead; look at the difference before it is
 * committed.  Paths are relative to the project root, where unit tests run.
 */
#ifndef GOLDEN_H
#define GOLDEN_H

#include "base/base.h"
#include "base/buf.h"
#include "unit.h"

#define GOLDEN_BYTES_MAX (4 * MIB)

UNUSED static void golden_read(const char *path, struct buf *into) {
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("no golden file %s (GOLDEN_UPDATE=1 writes it)", path);
    char bytes[4096];
    for (size_t size; (size = fread(bytes, 1, sizeof bytes, file)) > 0;)
        buf_add(into, bytes, size);
    fclose(file);
}

UNUSED static void golden_write(const char *path, struct str text) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text.ptr, 1, text.len, file), text.len);
    assert_int_equal(fclose(file), 0);
}

UNUSED static void golden_check(const char *path, struct str text) {
    const char *update = getenv("GOLDEN_UPDATE");
    if (update && update[0] == '1') {
        golden_write(path, text);
        return;
    }
    struct buf want = BUF_INIT(GOLDEN_BYTES_MAX);
    golden_read(path, &want);
    if (!str_equal(buf_str(&want), text))
        fail_msg("%s differs; wanted:\n%s\ngot:\n%.*s", path, buf_text(&want), STR_ARG(text));
    buf_deinit(&want);
}

#endif
