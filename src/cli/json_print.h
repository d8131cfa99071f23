/* json_print.h - the --json document of a command, on stdout. */
#ifndef JSON_PRINT_H
#define JSON_PRINT_H

#include "base/str.h"

#include <jansson.h>

/* Print the document, indented, with a newline behind it, and free it.  It must exist: text from
 * outside goes into it by json_text. */
void json_print(json_t *own_root);

/* A text from outside, never NULL: an absent one is "", and in one that is no UTF-8 every byte
 * beyond ASCII is '?', so that a row is never missing for the sake of a tag. */
json_t *json_text(struct str text);

#endif
