/* fields.h - one table per struct drives its form and XML forms, in both directions.
 *
 * A table lists the members of a struct with their two wire names: the form name of requests
 * ("SubnetId") and the XML name of replies ("subnetId"); NULL where a member does not travel that
 * way.  The macros check the member's type at compile time.
 *
 *   kind     C type           form                       XML
 *   STR      struct str       text                       text
 *   BLOB     struct str       base64                     base64
 *   BOOL     bool             "true" or nothing          always "true" or "false"
 *   FLAG     enum ec2_flag    nothing when unset         the same
 *   INT      int64_t          nothing when 0             the same
 *   OPT      struct ec2_int   nothing when not set       the same
 *   MICRO    int64_t          decimal, nothing when 0    the same
 *   OPTMICRO struct ec2_int   decimal "1.0"              the same
 *   PRICE    int64_t          -                          "0.035200", always
 *   TIME     int64_t          RFC 3339, nothing when 0   with milliseconds
 *   STRS     struct ec2_strs  Name.1, Name.2             <name><item>..</item></name>
 *   LIST     any EC2_LIST_OF  Name.1.Child               <name><item><child>..
 *   SUB      a struct         Name.Child                 <name><child>..
 *   NEST     the same struct  Name.Child: a level of the wire that the struct does not have
 *   INLINE   a struct         Child: a level of the struct that the wire does not have
 *
 * Decoding is bounded by FORM_PARAMS_MAX and by the depth of the tables.
 * Tests: test/unit/test_ec2.c
 */
#ifndef FIELDS_H
#define FIELDS_H

#include "base/arena.h"
#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"
#include "codec/ec2_common.h"
#include "codec/xml.h"

#define FORM_PARAMS_MAX 16384   /* of one request; 1,000 ids and 200 filter values fit 13 times */
#define FORM_NAME_BYTES_MAX 255 /* the longest name AWS has is 120 */
#define FORM_SEGMENTS_MAX 12    /* parts between dots; the deepest name of ours has 8 */

enum field_kind {
    FIELD_STR,
    FIELD_BLOB,
    FIELD_BOOL,
    FIELD_FLAG,
    FIELD_INT,
    FIELD_OPT,
    FIELD_MICRO,
    FIELD_OPTMICRO,
    FIELD_PRICE,
    FIELD_TIME,
    FIELD_STRS,
    FIELD_LIST,
    FIELD_SUB,
    FIELD_INLINE,
};

enum field_flags {
    FIELD_REQUIRED = 1, /* a request without it is a MissingParameter fault */
    FIELD_SHOWN = 2,    /* lists of replies: <name/> even when empty */
};

struct fields;

struct field {
    const char *form; /* name in requests, or NULL */
    const char *xml;  /* name in replies, or NULL */
    const char *item; /* lists: element name of an item; NULL: "item" */
    const struct fields *child;
    uint32_t offset;
    uint16_t flags;
    uint8_t kind; /* enum field_kind */
};

struct fields {
    const struct field *items;
    size_t count;
    size_t size; /* of the struct */
};

/* offsetof, and a compile error when the member is not of the kind's type. */
#define FIELD_AT(s, member, ctype)                                                               \
    (uint32_t)(offsetof(struct s, member) +                                                      \
               0 * sizeof(struct {                                                               \
                   _Static_assert(                                                               \
                       __builtin_types_compatible_p(__typeof__(((struct s *)0)->member), ctype), \
                       #member " is not of this kind");                                          \
                   char unused;                                                                  \
               }))
#define FIELD_OF(knd, ctype, s, m, form_name, xml_name) \
    .form = (form_name), .xml = (xml_name), .kind = (knd), .offset = FIELD_AT(s, m, ctype)

#define STR_F(s, m, f, x) \
    { FIELD_OF(FIELD_STR, struct str, s, m, f, x) }
#define STR_REQ(s, m, f) \
    { FIELD_OF(FIELD_STR, struct str, s, m, f, NULL), .flags = FIELD_REQUIRED }
#define BLOB_F(s, m, f, x) \
    { FIELD_OF(FIELD_BLOB, struct str, s, m, f, x) }
#define BLOB_REQ(s, m, f) \
    { FIELD_OF(FIELD_BLOB, struct str, s, m, f, NULL), .flags = FIELD_REQUIRED }
#define BOOL_F(s, m, f, x) \
    { FIELD_OF(FIELD_BOOL, bool, s, m, f, x) }
#define FLAG_F(s, m, f, x) \
    { FIELD_OF(FIELD_FLAG, enum ec2_flag, s, m, f, x) }
#define FLAG_REQ(s, m, f) \
    { FIELD_OF(FIELD_FLAG, enum ec2_flag, s, m, f, NULL), .flags = FIELD_REQUIRED }
#define INT_F(s, m, f, x) \
    { FIELD_OF(FIELD_INT, int64_t, s, m, f, x) }
#define INT_REQ(s, m, f) \
    { FIELD_OF(FIELD_INT, int64_t, s, m, f, NULL), .flags = FIELD_REQUIRED }
#define OPT_F(s, m, f, x) \
    { FIELD_OF(FIELD_OPT, struct ec2_int, s, m, f, x) }
#define OPT_REQ(s, m, f, x) \
    { FIELD_OF(FIELD_OPT, struct ec2_int, s, m, f, x), .flags = FIELD_REQUIRED }
#define MICRO_F(s, m, f, x) \
    { FIELD_OF(FIELD_MICRO, int64_t, s, m, f, x) }
#define OPTMICRO_F(s, m, f, x) \
    { FIELD_OF(FIELD_OPTMICRO, struct ec2_int, s, m, f, x) }
#define PRICE_F(s, m, x) \
    { FIELD_OF(FIELD_PRICE, int64_t, s, m, NULL, x) }
#define TIME_F(s, m, f, x) \
    { FIELD_OF(FIELD_TIME, int64_t, s, m, f, x) }
#define STRS_F(s, m, f, x) \
    { FIELD_OF(FIELD_STRS, struct ec2_strs, s, m, f, x) }
#define STRS_AS(s, m, f, x, i) \
    { FIELD_OF(FIELD_STRS, struct ec2_strs, s, m, f, x), .item = (i) }
#define STRS_REQ(s, m, f) \
    { FIELD_OF(FIELD_STRS, struct ec2_strs, s, m, f, NULL), .flags = FIELD_REQUIRED }
/* `list` is the type that EC2_LIST_OF declared. */
#define LIST_F(s, m, list, f, x, c) \
    { FIELD_OF(FIELD_LIST, struct list, s, m, f, x), .child = &(c) }
#define LIST_REQ(s, m, list, f, c) \
    { FIELD_OF(FIELD_LIST, struct list, s, m, f, NULL), .child = &(c), .flags = FIELD_REQUIRED }
#define LIST_OUT(s, m, list, x, c) \
    { FIELD_OF(FIELD_LIST, struct list, s, m, NULL, x), .child = &(c), .flags = FIELD_SHOWN }
#define SUB_F(s, m, f, x, c) \
    { .form = (f), .xml = (x), .kind = FIELD_SUB, .child = &(c), .offset = offsetof(struct s, m) }
#define SUB_REQ(s, m, f, c)                                                             \
    {                                                                                   \
        .form = (f), .kind = FIELD_SUB, .child = &(c), .offset = offsetof(struct s, m), \
        .flags = FIELD_REQUIRED                                                         \
    }
#define NEST_F(f, x, c) \
    { .form = (f), .xml = (x), .kind = FIELD_SUB, .child = &(c), .offset = 0 }
#define INLINE_F(s, m, c) \
    { .form = "", .xml = "", .kind = FIELD_INLINE, .child = &(c), .offset = offsetof(struct s, m) }

/* FIELDS(ec2_tag_fields, ec2_tag, STR_F(...), ...): the table of struct ec2_tag. */
#define FIELDS(name, s, ...)                                  \
    static const struct field name##_items[] = {__VA_ARGS__}; \
    const struct fields name = {name##_items, ARRAY_LEN(name##_items), sizeof(struct s)}
#define FIELDS_STATIC(name, s, ...)                           \
    static const struct field name##_items[] = {__VA_ARGS__}; \
    static const struct fields name = {name##_items, ARRAY_LEN(name##_items), sizeof(struct s)}
/* A table without members: a call without parameters or an empty reply. */
#define FIELDS_NONE(name, s) const struct fields name = {NULL, 0, sizeof(struct s)}

/* --- form --- */

/* Append "&Prefix.Name=value" for each member that is present, in table order. */
void fields_form_encode(const struct fields *fields, const void *from, struct buf *out);

/* A form body cut into sorted parameters; in the arena. */
struct form_param {
    struct str name;
    struct str value;
    uint16_t starts[FORM_SEGMENTS_MAX + 1]; /* of its parts; the last one: name.len + 1 */
    uint8_t segments;
};
struct form_params {
    struct form_param *items;
    size_t count;
};

/* What is wrong with a parameter; the caller turns it into a fault. */
enum form_trouble {
    FORM_OK,
    FORM_MALFORMED, /* the body itself */
    FORM_TOO_MANY,
    FORM_UNKNOWN,
    FORM_MISSING,
    FORM_TWICE,
    FORM_BAD_VALUE,
    FORM_BAD_BLOB,
};
struct form_problem {
    enum form_trouble trouble;
    struct str name;  /* full name of the parameter, in the arena */
    struct str value; /* as given */
};

/* Cut and sort; false and *ret_problem when the body is malformed. */
NODISCARD bool form_params_parse(struct str body, struct arena *arena,
                                 struct form_params *ret_params, struct form_problem *ret_problem);
/* Value of a parameter by its full name, or the empty view; and take it out of the list. */
bool form_params_take(struct form_params *params, struct str name, struct str *ret_value);
/* Fill `into` (zeroed by the caller).  Every parameter must be known. */
NODISCARD bool fields_form_decode(const struct fields *fields, const struct form_params *params,
                                  struct arena *arena, void *into,
                                  struct form_problem *ret_problem);

/* --- XML --- */

/* Append the elements of `from`, without an element around them. */
void fields_xml_encode(const struct fields *fields, const void *from, struct buf *out);
/* Fill `into` (zeroed by the caller) from the children of `node`; unknown elements are skipped.
 * Errors: ERR_PROTOCOL with the path of the element whose value is not of its kind. */
NODISCARD int fields_xml_decode(const struct fields *fields, const struct xml_node *node,
                                struct arena *arena, void *into, struct err *err);

/* Whether all of a struct's members are absent. */
bool fields_absent(const struct fields *fields, const void *from);

#endif
