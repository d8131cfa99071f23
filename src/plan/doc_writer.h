/* doc_writer.h - one document of maps, lists and scalars, written as YAML or as JSON (in plan/).
 *
 *     doc_map(&w, "fleet");  doc_text(&w, "region", STR("us-east-1"));  doc_end(&w);
 *
 * Names are NULL for the items of a list.  What opens must be closed by doc_end, in order.
 */
#ifndef DOC_WRITER_H
#define DOC_WRITER_H

#include "base/buf.h"

#define DOC_DEPTH_MAX 24

struct doc_writer {
    struct buf *out;
    bool json;
    uint32_t depth;
    struct doc_level {
        bool is_list;
        bool empty;    /* nothing written in it yet */
        bool deferred; /* YAML: its line is not ended, as it may turn out to be empty */
        uint32_t indent;
    } levels[DOC_DEPTH_MAX];
};

void doc_init(struct doc_writer *w, struct buf *out, bool json);
void doc_map(struct doc_writer *w, const char *name);
void doc_list(struct doc_writer *w, const char *name);
void doc_end(struct doc_writer *w);
/* A text, quoted where the format needs it. */
void doc_text(struct doc_writer *w, const char *name, struct str text);
/* Digits, true, false: as they are. */
void doc_raw(struct doc_writer *w, const char *name, struct str text);
/* "text" with the escapes of JSON. */
void doc_add_quoted(struct buf *b, struct str text);

#endif
