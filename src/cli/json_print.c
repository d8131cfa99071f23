#include "cli/json_print.h"

#include "base/buf.h"
#include "cli/cmd.h"

void json_print(json_t *own_root) {
    must(own_root);
    char *text = json_dumps(own_root, JSON_INDENT(2));
    json_decref(own_root);
    must(text);
    cli_print(str_from(text));
    cli_print(STR("\n"));
    free(text);
}

json_t *json_text(struct str text) {
    json_t *json = json_stringn(text.ptr ? text.ptr : "", text.len);
    if (json)
        return json;
    CLEANUP(buf_deinit) struct buf clean = BUF_INIT(text.len + 1);
    for (size_t i = 0; i < text.len; i++)
        buf_add_byte(&clean, text.ptr[i] & 0x80 ? '?' : text.ptr[i]);
    return json_stringn(buf_text(&clean), clean.len);
}
