/* ec2_common.h - the small shapes that many EC2 calls share: lists, flags, tags, filters.
 *
 * What absence looks like, in requests and replies alike (a zeroed struct is all absent):
 *   struct str        ptr == NULL; a present empty text has a ptr and len 0 (EC2_EMPTY)
 *   list              count == 0
 *   enum ec2_flag     EC2_UNSET; where absence cannot matter a plain bool is used (false)
 *   int64_t           0, except where 0 is a value: there it is a struct ec2_int
 *   *_unix_ms         0
 *   *_micro           decimal numbers times 1,000,000; as int64_t
 *   nested struct     when all of it is absent
 *
 * Memory: decoded messages live in the arena that the decoder was given.  Messages that are built
 * by hand may point anywhere that outlives the call they are passed to.
 */
#ifndef EC2_COMMON_H
#define EC2_COMMON_H

#include "base/base.h"
#include "base/str.h"

#define EC2_EMPTY ((struct str){"", 0})

enum ec2_flag { EC2_UNSET, EC2_FALSE, EC2_TRUE };

static inline enum ec2_flag ec2_flag(bool value) {
    return value ? EC2_TRUE : EC2_FALSE;
}

struct ec2_int {
    bool set;
    int64_t value;
};

#define EC2_INT(number) ((struct ec2_int){.set = true, .value = (number)})

/* Every list has this layout; EC2_LIST_OF declares `struct <name> {items, count}`. */
#define EC2_LIST_OF(name, type) \
    struct name {               \
        type *items;            \
        size_t count;           \
    }

EC2_LIST_OF(ec2_strs, struct str);

struct ec2_tag {
    struct str key;
    struct str value; /* CreateTags/DeleteTags: absent and empty differ */
};
EC2_LIST_OF(ec2_tags, struct ec2_tag);

/* Tags given in a creating call, for one type of resource ("instance", "volume", "fleet", ...). */
struct ec2_tag_spec {
    struct str resource_type;
    struct ec2_tags tags;
};
EC2_LIST_OF(ec2_tag_specs, struct ec2_tag_spec);

/* AND across filters, OR within `values`; `*` and `?` are wildcards. */
struct ec2_filter {
    struct str name;
    struct ec2_strs values;
};
EC2_LIST_OF(ec2_filters, struct ec2_filter);

/* A code and a text: stateReason, per-item errors, warnings. */
struct ec2_reason {
    struct str code;
    struct str message;
};
EC2_LIST_OF(ec2_reasons, struct ec2_reason);

/* min..max of InstanceRequirements; micro for the decimal ones. */
struct ec2_range {
    struct ec2_int min;
    struct ec2_int max;
};

#endif
