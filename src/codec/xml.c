#include "codec/xml.h"

#include <expat.h>

struct xml_parser {
    XML_Parser expat;
    struct arena *arena;
    struct xml_node *root;
    struct xml_node *current;
    struct buf text;
    size_t depth;
    size_t nodes;
    int result; /* first error, or 0 */
    struct err *err;
};

static void parser_fail(struct xml_parser *p, enum err_code code, const char *what) {
    if (p->result == 0)
        p->result = err_set(p->err, code, "XML: %s", what);
    XML_StopParser(p->expat, XML_FALSE);
}

static void on_start(void *user, const XML_Char *name, const XML_Char **attributes UNUSED) {
    struct xml_parser *p = user;
    if (p->result < 0)
        return;
    if (++p->depth > XML_DEPTH_MAX) {
        parser_fail(p, ERR_LIMIT, "nested too deep");
        return;
    }
    if (++p->nodes > XML_NODES_MAX) {
        parser_fail(p, ERR_LIMIT, "too many elements");
        return;
    }
    struct str full = str_from(name);
    size_t colon = str_index_of(full, ':');
    struct xml_node *node = arena_new(p->arena, sizeof *node);
    node->name = arena_str(p->arena, colon < full.len ? str_skip(full, colon + 1) : full);
    node->text = STR("");
    node->parent = p->current;
    if (!p->current) {
        p->root = node;
    } else if (p->current->last) {
        p->current->last->next = node;
        p->current->last = node;
    } else {
        p->current->first = node;
        p->current->last = node;
    }
    p->current = node;
    buf_reset(&p->text);
}

static void on_end(void *user, const XML_Char *name UNUSED) {
    struct xml_parser *p = user;
    if (p->result < 0)
        return;
    must(p->current && p->depth > 0);
    if (!p->current->first && p->text.len > 0)
        p->current->text = arena_str(p->arena, buf_str(&p->text));
    buf_reset(&p->text);
    p->current = p->current->parent;
    p->depth--;
}

static void on_text(void *user, const XML_Char *bytes, int size) {
    struct xml_parser *p = user;
    if (p->result < 0)
        return;
    must(size >= 0);
    buf_add(&p->text, bytes, (size_t)size);
    if (!buf_ok(&p->text))
        parser_fail(p, ERR_LIMIT, "text too long");
}

static void on_doctype(void *user, const XML_Char *name UNUSED, const XML_Char *system_id UNUSED,
                       const XML_Char *public_id UNUSED, int has_internal_subset UNUSED) {
    parser_fail(user, ERR_PROTOCOL, "a document type is not accepted");
}

int xml_parse(struct str document, struct arena *arena, struct xml_node **ret_root,
              struct err *err) {
    must(arena && ret_root);
    if (document.len > INT32_MAX)
        return err_set(err, ERR_LIMIT, "XML: document too long");
    struct xml_parser p = {.arena = arena, .err = err, .expat = XML_ParserCreate("UTF-8")};
    must(p.expat);
    buf_init(&p.text, document.len + 1);
    XML_SetUserData(p.expat, &p);
    XML_SetElementHandler(p.expat, on_start, on_end);
    XML_SetCharacterDataHandler(p.expat, on_text);
    XML_SetStartDoctypeDeclHandler(p.expat, on_doctype);
    /* A fixed salt: the tables hold names of one bounded document, and runs must replay. */
    XML_SetHashSalt(p.expat, 1);
    enum XML_Status status =
        XML_Parse(p.expat, document.ptr ? document.ptr : "", (int)document.len, XML_TRUE);
    int result = p.result;
    if (result == 0 && status != XML_STATUS_OK)
        result = err_set(err, ERR_PROTOCOL, "XML: line %lu: %s",
                         (unsigned long)XML_GetCurrentLineNumber(p.expat),
                         XML_ErrorString(XML_GetErrorCode(p.expat)));
    XML_ParserFree(p.expat);
    buf_deinit(&p.text);
    if (result == 0) {
        must(p.root && p.depth == 0);
        *ret_root = p.root;
    }
    return result;
}

const struct xml_node *xml_child(const struct xml_node *node, const char *name) {
    struct str wanted = str_from(name);
    for (const struct xml_node *child = node ? node->first : NULL; child; child = child->next)
        if (str_equal(child->name, wanted))
            return child;
    return NULL;
}

struct str xml_child_text(const struct xml_node *node, const char *name) {
    const struct xml_node *child = xml_child(node, name);
    return child ? child->text : STR_EMPTY;
}

/* Bytes of the UTF-8 character at the start of `s` that XML can carry, or 0. */
static size_t utf8_size(struct str s) {
    uint8_t first = (uint8_t)s.ptr[0];
    size_t size = first < 0x80                    ? 1
                  : first >= 0xc2 && first < 0xe0 ? 2
                  : first >= 0xe0 && first < 0xf0 ? 3
                  : first >= 0xf0 && first < 0xf5 ? 4
                                                  : 0;
    if (size == 0 || size > s.len)
        return 0;
    uint32_t code = size == 1 ? first : first & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if (((uint8_t)s.ptr[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | ((uint8_t)s.ptr[i] & 0x3fu);
    }
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    bool surrogate = code >= 0xd800 && code <= 0xdfff;
    bool control = code < 0x20 && code != '\t' && code != '\n' && code != '\r';
    if (code < smallest[size] || code > 0x10ffff || surrogate || control || (code & ~1u) == 0xfffe)
        return 0;
    return size;
}

void xml_add_text(struct buf *out, struct str text) {
    while (text.len > 0) {
        size_t size = utf8_size(text);
        if (size == 0) {
            buf_add_text(out, "\xef\xbf\xbd");
            text = str_skip(text, 1);
            continue;
        }
        switch (text.ptr[0]) {
        case '<':
            buf_add_text(out, "&lt;");
            break;
        case '>':
            buf_add_text(out, "&gt;");
            break;
        case '&':
            buf_add_text(out, "&amp;");
            break;
        case '"':
            buf_add_text(out, "&quot;");
            break;
        case '\r': /* a bare one would be read back as a line feed */
            buf_add_text(out, "&#13;");
            break;
        default:
            buf_add(out, text.ptr, size);
        }
        text = str_skip(text, size);
    }
}

void xml_add_element(struct buf *out, const char *name, struct str text) {
    buf_printf(out, "<%s>", name);
    xml_add_text(out, text);
    buf_printf(out, "</%s>", name);
}
