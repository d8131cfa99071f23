/* state.h - inside of the cloud: the one struct, and what its parts ask of each other.
 *
 * Only files of src/cloud include this.  Every handler gets a `struct ctx`: the call in hand.
 * A handler either fills x->out and returns 0, or returns the result of ec2_fault_set.
 * Views in a reply point into the arena of the call or into the cloud.
 */
#ifndef CLOUD_STATE_H
#define CLOUD_STATE_H

#include "base/heap.h"
#include "base/prng.h"
#include "base/table.h"
#include "cloud/cloud.h"
#include "codec/ec2.h"

#define EVENTS_MAX (1U << 24)      /* timers that may wait at one time: a bug beyond */
#define FILTER_VALUES_MAX 200      /* EC2's limit */
#define TAGS_PER_RESOURCE_MAX 50   /* EC2's limit */
#define GROUPS_PER_INSTANCE_MAX 16 /* EC2's limit */
#define GROUP_RULES_MAX 200        /* rules of a group; EC2's is 60 by default, adjustable */
#define IMAGES_MAX 16
#define NEVER UINT64_MAX
#define HOUR_NS (UINT64_C(3600) * NS_PER_S)

/* ---- parts of the state --------------------------------------------------------------------- */

struct instance {
    struct cloud_instance pub;
    uint64_t state_due_ns;   /* pending ends, stopping ends */
    uint64_t notice_due_ns;  /* planned interruption: when its notice goes out; NEVER */
    uint64_t plan_after_ns;  /* from running to that notice; NEVER: not planned */
    uint64_t plan_notice_ns; /* how long that notice is */
    bool protected;          /* DisableApiTermination */
    bool fails;              /* pending ends in terminated */
    char volume_text[CLOUD_ID_BYTES];
    /* What every listing repeats, written once. */
    char ip_text[16], dns_text[80], mac_text[18];
    char interface_id[CLOUD_ID_BYTES], attachment_id[CLOUD_ID_BYTES];
};

struct image {
    char id[CLOUD_ID_BYTES];
    char name[96];
    const char *description, *owner, *owner_alias, *parameter;
    enum catalog_arch arch;
    bool imds_v2;
    int64_t created_unix_ms;
};

struct zone {
    char name[32], id[16];
    char subnet_id[CLOUD_ID_BYTES];
    uint32_t ip;     /* base of its subnet */
    uint32_t used;   /* addresses in use */
    uint32_t cursor; /* offset of the last address given */
    bool wrapped;    /* every offset was given once: look before giving again */
    struct cloud_tags subnet_tags;
};

struct group {
    char id[CLOUD_ID_BYTES];
    char *name, *description;
    bool exists, built_in;
    uint64_t created_ns, deleted_ns;
    struct cloud_tags tags;
    struct ec2_security_group_rule rules[GROUP_RULES_MAX]; /* one peer each; text in `arena` */
    size_t rule_count;
    struct arena arena;
};

struct key_pair {
    char id[CLOUD_ID_BYTES];
    char *name, *fingerprint, *public_line;
    const char *type;
    bool exists;
    uint64_t created_ns, deleted_ns;
    struct cloud_tags tags;
};

struct template_version {
    struct ec2_template_data data; /* in the template's arena */
    struct str description;
    uint64_t created_ns;
};

struct template {
    char id[CLOUD_ID_BYTES];
    char *name;
    bool exists;
    uint64_t created_ns, deleted_ns;
    struct cloud_tags tags;
    struct template_version *versions; /* number n is versions[n - 1] */
    size_t version_count, version_capacity;
    struct arena arena;
};

struct fleet {
    char id[CLOUD_ID_BYTES];
    bool exists;
    uint64_t created_ns, deleted_ns;
    struct cloud_tags tags;
    struct arena arena;
    const struct ec2_create_fleet_in *asked; /* own copy of the request */
    struct ec2_create_fleet_out made;        /* the reply, in the arena */
    int64_t fulfilled_micro, fulfilled_on_demand_micro;
};

struct bucket {
    uint64_t micro; /* tokens times 1,000,000 */
    uint64_t filled_ns;
    bool started;
};

struct token {
    uint64_t request_hash;
    char result[CLOUD_ID_BYTES]; /* reservation, fleet or template */
    uint32_t version;            /* of a template */
};

/* A list of own pointers that only grows. */
#define OWN_LIST(name, type)    \
    struct name {               \
        type **items;           \
        size_t count, capacity; \
    }
OWN_LIST(instance_list, struct instance);
OWN_LIST(group_list, struct group);
OWN_LIST(key_list, struct key_pair);
OWN_LIST(template_list, struct template);
OWN_LIST(fleet_list, struct fleet);

struct cloud {
    struct cloud_options options;
    const struct catalog_region *region;
    uint64_t now_ns;
    struct prng ids, fates, delays;
    struct zone zones[CLOUD_ZONES_MAX];
    char vpc_id[CLOUD_ID_BYTES];
    struct cloud_tags vpc_tags;
    struct image images[IMAGES_MAX];
    size_t image_count;

    struct instance_list instances; /* index = cloud_instance.index */
    struct table instance_by_id;
    struct heap events;           /* (instant, instance index) */
    uint64_t interrupt_next_ns;   /* of interrupt_every_ns; NEVER */
    struct cloud_effect *effects; /* queue: effect_first .. effect_count */
    size_t effect_first, effect_count, effect_capacity;
    uint32_t running, running_max;

    struct group_list groups;
    struct key_list keys;
    struct template_list templates;
    struct fleet_list fleets;
    struct table tokens; /* "action scope token" -> struct token */
    struct bucket buckets[EC2_ACTION_COUNT], bare_buckets[EC2_ACTION_COUNT];
    struct bucket resource_buckets[EC2_ACTION_COUNT];

    struct cloud_call_record *calls; /* ring of CLOUD_CALLS_MAX */
    uint64_t call_count, calls_failed, calls_throttled;
    uint64_t history_hash; /* over every call and change of state */
};

/* The call in hand. */
struct ctx {
    struct cloud *c;
    const struct ec2_request *in;
    struct arena *arena;
    struct ec2_reply *out;
    struct ec2_fault *fault;
    uint64_t seen_ns; /* what a Describe call sees is the state at this instant (<= now) */
    bool drop_tags;
    uint32_t launched, ended;
};

typedef int handler_fn(struct ctx *x);

/* Append one zeroed item to a list of codec/ec2_common.h and point at it. */
#define LIST_ADD(arena, list)                                                   \
    __extension__({                                                             \
        if (((list)->count & ((list)->count - 1)) == 0) {                       \
            size_t list_size_ = sizeof *(list)->items;                          \
            size_t list_room_ = (list)->count ? 2 * (list)->count : 1;          \
            void *list_new_ = arena_new_array((arena), list_room_, list_size_); \
            if ((list)->count)                                                  \
                memcpy(list_new_, (list)->items, (list)->count *list_size_);    \
            (list)->items = list_new_;                                          \
        }                                                                       \
        &(list)->items[(list)->count++];                                        \
    })

/* Append an own pointer to an OWN_LIST. */
#define OWN_LIST_ADD(list, own_ptr)                                                              \
    do {                                                                                         \
        if ((list)->count == (list)->capacity) {                                                 \
            (list)->capacity = (list)->capacity ? 2 * (list)->capacity : 8;                      \
            (list)->items = mem_resize((list)->items, (list)->capacity * sizeof *(list)->items); \
        }                                                                                        \
        (list)->items[(list)->count++] = (own_ptr);                                              \
    } while (0)

/* ---- cloud.c -------------------------------------------------------------------------------- */

/* "prefix" and 17 hexadecimal digits. */
void cloud_make_id(struct cloud *c, const char *prefix, char *into, size_t size);
uint64_t cloud_draw(struct prng *p, struct cloud_range range);
/* Mix one fact into the hash of the history. */
void cloud_remember(struct cloud *c, uint64_t fact);
struct str ctx_uuid(struct ctx *x); /* new, in the arena */

/* ---- instances.c: life of one instance ------------------------------------------------------ */

struct instance *instance_find(const struct cloud *c, struct str id);
/* Write the texts that follow from its id and address; after both are set. */
void instance_write_texts(struct cloud *c, struct instance *i);
/* The visible instance of this id, or InvalidInstanceID.Malformed / .NotFound. */
NODISCARD int instance_get(struct ctx *x, struct str id, struct instance **ret_instance);
/* Known to Describe and Terminate at `seen_ns`; forgotten ones are not. */
bool instance_is_visible(const struct cloud *c, const struct instance *i, uint64_t seen_ns);
enum cloud_state instance_state_at(const struct instance *i, uint64_t seen_ns);
bool instance_is_live(const struct instance *i); /* not terminated */
void instance_admit(struct cloud *c, struct instance *own_i);
/* Start ending it; idempotent.  True when this call changed its state. */
bool instance_terminate(struct cloud *c, struct instance *i, const char *code, const char *text);
bool instance_stop(struct cloud *c, struct instance *i, const char *code, const char *text);
void instances_tick(struct cloud *c, uint64_t now_ns);
void instance_free(struct instance *own_i);

/* ---- launch.c ------------------------------------------------------------------------------- */

/* All that the instances of one launch have in common. */
struct launch {
    struct ec2_template_data data; /* effective: template, overlaid by the request */
    const struct catalog_type *type;
    const struct image *image;
    unsigned zone;
    bool spot;
    const char *template_id; /* NULL without */
    uint32_t template_version;
    const char *fleet_id; /* NULL without */
    struct str client_token;
    const struct ec2_tags *tags[4]; /* in rising precedence */
    size_t tags_count;
    char group_ids[GROUPS_PER_INSTANCE_MAX][CLOUD_ID_BYTES];
    size_t group_count;
};

/* Check what the request names and fill type, image, groups, spot of `l` from l->data. */
NODISCARD int launch_resolve(struct ctx *x, struct launch *l);
/* Zone that `data` asks for by subnet or zone; -1: any.  Faults when it does not exist. */
NODISCARD int launch_zone(struct ctx *x, const struct ec2_template_data *data, int *ret_zone);
/* How many of type/zone/market could be started now; *ret_code says what limits it. */
uint32_t launch_room(struct cloud *c, const struct catalog_type *type, unsigned zone, bool spot,
                     const char **ret_code);
/* Capacity of the pool alone, for allocation strategies. */
uint32_t launch_capacity(struct cloud *c, const struct catalog_type *type, unsigned zone,
                         bool spot);
uint32_t launch_quota_left(const struct cloud *c, bool spot); /* vCPUs */
/* What each capacity rule still allows; left[CLOUD_CAPACITY_RULES_MAX]. */
void launch_rules_left(const struct cloud *c, uint32_t *left);
const char *launch_message(struct arena *arena, const struct cloud *c, const char *code,
                           const struct catalog_type *type, unsigned zone);
/* Start `count` instances under one new reservation id, appending their ids. */
void launch_go(struct ctx *x, const struct launch *l, uint32_t count, struct ec2_strs *ids);
/* Price limit of a text such as "0.05"; UINT64_MAX when absent.  Faults when not a price. */
NODISCARD int launch_max_price(struct ctx *x, struct str text, uint64_t *ret_usd_micro);

/* ---- listing.c ------------------------------------------------------------------------------ */

/* Append the instance, as it was at `seen_ns`, to a reservation of a reply. */
void listing_add(struct ctx *x, const struct instance *i, struct ec2_reservation *r,
                 uint64_t seen_ns);

/* ---- templates.c ---------------------------------------------------------------------------- */

/* `over` on top of `under`, field by field. */
void template_merge(struct ec2_template_data *into, const struct ec2_template_data *under,
                    const struct ec2_template_data *over);
/* The template and version that `ref` names ("" or absent version: default). */
NODISCARD int template_get(struct ctx *x, const struct ec2_template_ref *ref,
                           struct template **ret_template, uint32_t *ret_version);

/* Copy of the request in hand that needs nothing else; NULL with the fault set when it cannot
 * stand alone. */
const struct ec2_request *request_dup(struct ctx *x, struct arena *arena);

/* ---- network.c, keys.c, offers.c ------------------------------------------------------------ */

struct group *group_find(const struct cloud *c, struct str id);
struct group *group_find_name(const struct cloud *c, struct str name);
void group_free(struct group *own_group);
void key_free(struct key_pair *own_key);
void template_free(struct template *own_template);
void fleet_free(struct fleet *own_fleet);
const char *fleet_state(const struct cloud *c, const struct fleet *f); /* as the API names it */
struct group *group_make(struct cloud *c, struct str name, struct str description);
struct key_pair *key_find_name(const struct cloud *c, struct str name);
int zone_find(const struct cloud *c, struct str name); /* -1: none */
int zone_find_id(const struct cloud *c, struct str id);
int zone_find_subnet(const struct cloud *c, struct str subnet_id);
uint32_t zone_free_addresses(const struct cloud *c, unsigned zone);
uint32_t zone_take_address(struct cloud *c, unsigned zone);
const struct image *image_find(const struct cloud *c, struct str id);
void offers_init(struct cloud *c);
bool offers_has(const struct cloud *c, const struct catalog_type *type, unsigned zone);
struct str ip_text(struct arena *arena, uint32_t ip);

/* ---- tags.c --------------------------------------------------------------------------------- */

void tags_deinit(struct cloud_tags *t);
void tags_set(struct cloud_tags *t, struct str key, struct str value, uint64_t visible_ns);
void tags_remove(struct cloud_tags *t, struct str key);
/* Views of what is visible at `seen_ns`. */
struct ec2_tags tags_reply(struct arena *arena, const struct cloud_tags *t, uint64_t seen_ns);
/* Check tags of a creating call; only the given resource types are allowed (NULL-terminated). */
NODISCARD int tags_check_specs(struct ctx *x, const struct ec2_tag_specs *specs,
                               const char *const *types);
NODISCARD int tags_check(struct ctx *x, const struct ec2_tags *tags);
/* Tags of the specs for `type`, set on a new resource. */
void tags_apply(struct ctx *x, struct cloud_tags *t, const struct ec2_tag_specs *specs,
                const char *type);
uint64_t tags_visible_ns(struct ctx *x);

/* ---- filter.c ------------------------------------------------------------------------------- */

struct values {
    struct str items[FILTER_VALUES_MAX];
    size_t count;
};

static inline void values_add(struct values *v, struct str s) {
    if (v->count < FILTER_VALUES_MAX && s.ptr)
        v->items[v->count++] = s;
}

/* Put the values of `object` under a filter name into `ret`; false: no such filter.  `object` is
 * NULL when only the name is checked. */
typedef bool filter_get_fn(struct ctx *x, const void *object, struct str name, struct values *ret);

NODISCARD int filter_check(struct ctx *x, const struct ec2_filters *filters, filter_get_fn *get);
bool filter_match(struct ctx *x, const struct ec2_filters *filters, filter_get_fn *get,
                  const void *object);
/* tag:KEY and tag-key; false when `name` is neither. */
bool filter_tags(struct ctx *x, const struct cloud_tags *tags, struct str name, struct values *ret);
bool str_in(struct str s, const struct ec2_strs *list);

/* Pages: `start` is the position that NextToken carries (0 without). */
struct page {
    size_t start;
    size_t limit; /* items of this page; SIZE_MAX: no limit */
};
NODISCARD int page_open(struct ctx *x, int64_t max_results, size_t low, size_t high,
                        struct str next_token, struct page *ret_page);
struct str page_token(struct ctx *x, size_t position);

/* ---- prices.c, bill.c ----------------------------------------------------------------------- */

/* Spot price per hour in force at a wall-clock instant, micro-dollars; a multiple of 100. */
uint64_t price_spot(const struct cloud *c, const struct catalog_type *type, unsigned zone,
                    int64_t unix_ms);
/* The last change at or before `unix_ms`. */
int64_t price_changed(const struct cloud *c, const struct catalog_type *type, unsigned zone,
                      int64_t unix_ms);
/* Close the bill of a start that ends at `ending_ns`. */
void bill_close(struct cloud *c, struct instance *i, bool by_ec2);

/* ---- throttle.c, tokens.c ------------------------------------------------------------------- */

/* Take what the call costs; a RequestLimitExceeded fault when the bucket is empty. */
NODISCARD int throttle_take(struct ctx *x);
/* 0: new; 1: a repetition, *ret_token has its result; -1: fault. */
NODISCARD int token_check(struct ctx *x, struct str scope, struct token *ret_token);
void token_keep(struct ctx *x, struct str scope, const char *result, uint32_t version);

/* ---- handlers ------------------------------------------------------------------------------- */

handler_fn offers_regions, offers_zones, offers_images, offers_types, offers_offerings;
handler_fn prices_history;
handler_fn network_vpcs, network_subnets, network_groups, network_group_create;
handler_fn network_group_delete, network_authorize, network_revoke;
handler_fn keys_describe, keys_create, keys_import, keys_delete;
handler_fn tags_describe, tags_create, tags_delete;
handler_fn templates_create, templates_version, templates_delete, templates_describe;
handler_fn templates_versions;
handler_fn fleets_create, fleets_delete, fleets_describe;
handler_fn launch_run;
handler_fn listing_instances, listing_status, listing_volumes, listing_console;
handler_fn ending_terminate, ending_stop;

#endif
