/* xml.h - small XML documents as a tree, and text made safe for XML.
 *
 * For replies of web services: no DTD, no entities but the five of XML and character references,
 * no attributes are kept, a namespace prefix is dropped.  Whitespace between elements is dropped;
 * text of an element that has children is not kept.
 *
 * Bounds: XML_DEPTH_MAX, XML_NODES_MAX, and the caller's size.    Tests: test/unit/test_form.c,
 * fuzz/fuzz_ec2_xml.c
 */
#ifndef XML_H
#define XML_H

#include "base/arena.h"
#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define XML_DEPTH_MAX 32      /* the deepest EC2 reply has 14 */
#define XML_NODES_MAX 1000000 /* a page of 1,000 instances has about 150,000 */

struct xml_node {
    struct str name;
    struct str text; /* of a leaf, as written; ptr is never NULL */
    struct xml_node *first;
    struct xml_node *last;
    struct xml_node *next;
    struct xml_node *parent;
};

/* Parse a whole document into `arena`.  Errors: ERR_PROTOCOL (not well-formed, cut, DTD),
 * ERR_LIMIT (too deep, too many elements). */
NODISCARD int xml_parse(struct str document, struct arena *arena, struct xml_node **ret_root,
                        struct err *err);
/* First child of that name, or NULL.  `node` may be NULL. */
const struct xml_node *xml_child(const struct xml_node *node, const char *name);
/* Text of that child, or the empty view. */
struct str xml_child_text(const struct xml_node *node, const char *name);

/* Append `text` as character data: markup escaped, what XML 1.0 cannot carry (control
 * characters, broken UTF-8) becomes U+FFFD. */
void xml_add_text(struct buf *out, struct str text);
/* Append <name>text</name>. */
void xml_add_element(struct buf *out, const char *name, struct str text);

#endif
