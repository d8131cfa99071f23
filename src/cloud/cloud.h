/* cloud.h - EC2 as a pure state machine: regions to bills, no clock, no I/O.
 *
 * Words
 *   call       one API request of a client; answered at once as a value, with the delay that the
 *              shell has to put in front of the answer
 *   effect     what the shell has to do to make a state real: start an instance, stop it, ...
 *   pool       instance type x zone; has its own price and capacity
 *   visible    new ids and tags are not seen by Describe calls for a short, seeded while
 *   truth      what really is, as opposed to what Describe calls say
 *   dud        an instance that runs and is billed but never gets to work
 *
 * Use
 *   c = cloud_new(&options);
 *   cloud_handle(c, &call, arena, &outcome);      for each request
 *   cloud_tick(c, now) when now >= cloud_next_ns(c);
 *   while (cloud_effect_take(c, &effect)) ...     after each of the two, and after cloud_instance_*
 *
 * Time is the caller's monotonic `now_ns`; it must not go back.  Wall clock is derived from it by
 * the pair given at creation.  Randomness comes from the seed: same seed and same calls at the
 * same times give the same ids, fates, prices and replies on every machine (cloud_hash).
 * Memory grows with what was ever launched; nothing is forgotten by the truth.
 *
 * Tests: test/unit/test_cloud_*.c
 */
#ifndef CLOUD_H
#define CLOUD_H

#include "base/arena.h"
#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "cloud/catalog.h"
#include "cloud/fault.h"

struct cloud;
struct ec2_request; /* codec/ec2.h */
struct ec2_reply;
struct ec2_fault;

#define CLOUD_ID_BYTES 48 /* the longest id is "fleet-" and a UUID */
#define CLOUD_ZONES_MAX 6 /* of a region */
#define CLOUD_CAPACITY_RULES_MAX 64
#define CLOUD_CONSOLE_BYTES_MAX (64 * 1024) /* GetConsoleOutput shows the last 64 KB */
#define CLOUD_CALLS_MAX 16384               /* calls kept in the log; older ones are only counted */

/* ---- options -------------------------------------------------------------------------------- */

struct cloud_range {
    uint64_t min, max; /* drawn uniformly, both included; {0, 0}: none */
};

/* At most `count` instances that are not terminated may exist in all matching pools together. */
struct cloud_capacity_rule {
    char type[32];        /* pattern of instance types, "*" for all */
    char zone[32];        /* pattern of zone names */
    bool spot, on_demand; /* markets it applies to */
    uint32_t count;
};

enum cloud_key_kind { CLOUD_KEY_RSA, CLOUD_KEY_ED25519 };

/* Makes a key pair for CreateKeyPair, since randomness for secrets is not ours.  Appends the
 * private key (PEM) and the OpenSSH public line. */
typedef int cloud_key_fn(void *user, enum cloud_key_kind kind, struct buf *pem,
                         struct buf *public_line, struct buf *fingerprint, struct err *err);

struct cloud_options {
    uint64_t seed;
    uint64_t start_ns;     /* monotonic now ... */
    int64_t start_unix_ms; /* ... and the wall clock at that instant */
    char region[32];
    char account[16];       /* twelve digits */
    unsigned zones;         /* 1..CLOUD_ZONES_MAX */
    uint32_t vpc_ip;        /* base of the default VPC, host byte order: 172.31.0.0 */
    unsigned vpc_prefix;    /* 16: one subnet per zone is cut from it */
    unsigned subnet_prefix; /* 20 */

    struct cloud_range api_ns;      /* from request to answer */
    struct cloud_range pending_ns;  /* pending to running */
    struct cloud_range boot_ns;     /* running to the first line of user-data: for the shell */
    struct cloud_range stopping_ns; /* shutting-down to terminated, stopping to stopped */
    struct cloud_range visible_ns;  /* id or tag made to seen by Describe calls */
    uint64_t forget_ns;             /* terminated to not listed any more: 1 h */
    uint32_t stale_ppm;             /* share of list calls answered from a lagging replica */
    uint64_t stale_lag_ns_max;      /* how far it lags */

    uint32_t dud_ppm;  /* share of instances that are duds */
    uint32_t slow_ppm; /* share that boots slow_factor times slower */
    uint32_t slow_factor;
    uint32_t fail_ppm;                     /* share that goes pending -> terminated by itself */
    uint32_t interrupt_ppm;                /* share of spot instances that are reclaimed once ... */
    struct cloud_range interrupt_after_ns; /* ... this long after running */
    uint64_t interrupt_every_ns;           /* one random running spot instance each time; 0: none */
    uint64_t interrupt_notice_ns;          /* notice before the end: 120 s */
    uint32_t no_notice_ppm;                /* share of interruptions that come without notice */

    uint32_t spot_vcpus_max; /* quotas, in vCPUs; 0: none allowed */
    uint32_t on_demand_vcpus_max;
    uint32_t fleets_max;              /* active fleets */
    bool throttle;                    /* token buckets as EC2 has them */
    struct cloud_range pool_capacity; /* per pool, seeded; {0, 0}: without limit */
    struct cloud_capacity_rule capacity[CLOUD_CAPACITY_RULES_MAX];
    size_t capacity_count;
    uint32_t spot_ppm_min, spot_ppm_max; /* spot price as a share of on-demand; 0,0: by type */
    struct fault_table faults;

    cloud_key_fn *make_key; /* NULL: CreateKeyPair answers UnsupportedOperation */
    void *make_key_user;
};

/* What a quiet cloud in us-east-1 with three zones looks like: no faults, no duds, every delay
 * zero, throttling on, generous quotas, no capacity limit. */
void cloud_options_init(struct cloud_options *o);
/* Add the delays that EC2 shows (API 0.3-1.5 s, pending 5-18 s, boot 5-20 s, ending 10-40 s,
 * visibility 0-3 s), divided by `speed` (>= 1). */
void cloud_options_realistic(struct cloud_options *o, uint32_t speed);
/* "[spot:|on-demand:]TYPE[@ZONE]=N", patterns allowed; appends.  Errors: ERR_PARSE, ERR_LIMIT. */
NODISCARD int cloud_options_capacity(struct cloud_options *o, struct str text, struct err *err);
/* Reports the first thing that is out of range.  Errors: ERR_CONFIG. */
NODISCARD int cloud_options_check(const struct cloud_options *o, struct err *err);

/* ---- life ----------------------------------------------------------------------------------- */

/* The options must pass cloud_options_check; they are copied. */
NODISCARD struct cloud *cloud_new(const struct cloud_options *o);
void cloud_free(struct cloud *own_cloud);
DEFINE_FREEP(struct cloud, cloud_free)

/* When cloud_tick has something to do next; UINT64_MAX: never. */
uint64_t cloud_next_ns(const struct cloud *c);
/* Move every state that is due at `now_ns`.  Cheap when nothing is. */
void cloud_tick(struct cloud *c, uint64_t now_ns);
/* Wall clock at `now_ns`. */
int64_t cloud_unix_ms(const struct cloud *c, uint64_t now_ns);
/* Hash of everything that matters: equal histories, equal hashes. */
uint64_t cloud_hash(const struct cloud *c);

/* ---- calls ---------------------------------------------------------------------------------- */

enum cloud_delivery {
    CLOUD_REPLY,   /* send reply or fault after reply_delay_ns */
    CLOUD_LOST,    /* done, but cut the connection after reply_delay_ns without an answer */
    CLOUD_DROPPED, /* nothing done: cut the connection */
    CLOUD_CUT,     /* send about half of the encoded answer, then cut */
    CLOUD_LATER,   /* cut the connection, keep the request, and call cloud_handle with it
                      and `late` set after effect_delay_ns */
};

struct cloud_call {
    uint64_t now_ns;
    const struct ec2_request *request;
    struct str access_key; /* for the log; borrowed for the call */
    bool late;             /* second time for a request that got CLOUD_LATER */
};

struct cloud_outcome {
    enum cloud_delivery delivery;
    uint64_t reply_delay_ns;
    uint64_t effect_delay_ns;
    bool failed;             /* *fault is the answer, else *reply */
    struct ec2_reply *reply; /* in the caller's arena; views into it or into the cloud, valid
                                until the next call that changes the cloud */
    struct ec2_fault *fault; /* in the caller's arena */
    struct str request_id;   /* a UUID, in the caller's arena; also in *reply */
    uint64_t number;         /* of the call in the log, from 1 */
};

/* Perform one request.  Authentication, expiry of signatures and decoding are the front's. */
void cloud_handle(struct cloud *c, const struct cloud_call *call, struct arena *arena,
                  struct cloud_outcome *ret_outcome);

/* Value of a public SSM parameter of the image aliases
 * ("/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64", Canonical's, Debian's):
 * an image id that lives as long as the cloud, or the empty view. */
struct str cloud_parameter(const struct cloud *c, struct str name);
struct str cloud_account(const struct cloud *c);
struct str cloud_region(const struct cloud *c);
/* Add a fault rule while running.  Errors: ERR_LIMIT. */
NODISCARD int cloud_fault_add(struct cloud *c, const struct fault_rule *rule, struct err *err);
void cloud_faults_reset(struct cloud *c);
/* Replace all capacity rules while running ("capacity comes back"). */
void cloud_capacity_set(struct cloud *c, const struct cloud_capacity_rule *rules, size_t count);

/* ---- instances ------------------------------------------------------------------------------ */

enum cloud_state { /* as EC2 names them; cloud_state_code gives 0 16 32 48 64 80 */
                   CLOUD_PENDING,
                   CLOUD_RUNNING,
                   CLOUD_SHUTTING_DOWN,
                   CLOUD_TERMINATED,
                   CLOUD_STOPPING,
                   CLOUD_STOPPED,
};
const char *cloud_state_name(enum cloud_state s);
unsigned cloud_state_code(enum cloud_state s);

enum cloud_dud {
    CLOUD_DUD_NONE,
    CLOUD_DUD_NEVER_BOOTS,  /* running, nothing inside */
    CLOUD_DUD_NO_NETWORK,   /* boots, but reaches nobody */
    CLOUD_DUD_NO_USER_DATA, /* boots, user-data never runs */
    CLOUD_DUD_NO_DOWNLOAD,  /* user-data runs, cannot fetch from the head */
    CLOUD_DUD_COUNT
};
const char *cloud_dud_name(enum cloud_dud d);

struct cloud_tag {
    char *key, *value;   /* NUL-terminated, owned by the cloud */
    uint64_t visible_ns; /* Describe calls see it from then on */
};

struct cloud_tags {
    struct cloud_tag *items;
    size_t count;
    size_t capacity;
};

/* Read-only outside of cloud/.  The address is stable for the life of the cloud; what it points
 * to may change with any call that changes the cloud. */
struct cloud_instance {
    char id[INSTANCE_ID_BYTES];
    uint32_t index; /* in order of launch, over the life of the cloud */
    enum cloud_state state;
    const struct catalog_type *type;
    bool spot;
    unsigned zone; /* index; cloud_zone_name */
    char subnet_id[CLOUD_ID_BYTES];
    char image_id[CLOUD_ID_BYTES];
    char reservation_id[CLOUD_ID_BYTES];
    char spot_request_id[CLOUD_ID_BYTES]; /* "" when not spot */
    char fleet_id[CLOUD_ID_BYTES];        /* "" without */
    char template_id[CLOUD_ID_BYTES];     /* "" without */
    uint32_t template_version;
    char *key_name; /* "" without */
    char *client_token;
    char *iam_profile; /* name or ARN as given, "" without */
    char (*group_ids)[CLOUD_ID_BYTES];
    size_t group_count;
    uint32_t private_ip; /* host byte order; 0 once terminated */
    uint32_t last_ip;    /* the one that it had */
    uint8_t mac[6];
    uint32_t launch_index; /* rank within its launch call */
    uint8_t *user_data;    /* raw, as given after base64; NUL behind it */
    size_t user_data_size;
    bool shutdown_terminates; /* what `poweroff` inside does: terminate, else stop */
    bool metadata_enabled;
    bool metadata_token_required;
    bool metadata_tags;
    unsigned metadata_hops;
    struct cloud_tags tags;
    struct buf console;  /* last CLOUD_CONSOLE_BYTES_MAX bytes */
    uint64_t console_ns; /* of the last text; 0: none */

    enum cloud_dud dud;
    bool slow;
    uint64_t boot_delay_ns;
    uint64_t asked_ns;    /* launch call */
    uint64_t visible_ns;  /* Describe calls know the id from then on */
    uint64_t running_ns;  /* of the present or last start; 0: never ran */
    uint64_t ending_ns;   /* start of shutting-down or stopping; 0: not yet */
    uint64_t ended_ns;    /* terminated or stopped; 0: not yet */
    uint64_t booted_ns;   /* reported by the shell; 0: never */
    uint64_t notice_ns;   /* interruption notice given at; 0: none */
    uint64_t reclaim_ns;  /* when the interruption ends it; 0: none */
    bool interrupted;     /* ended by EC2, not by a user */
    bool halted;          /* `halt` inside: still running, still billed, dead */
    char reason_code[48]; /* "Client.UserInitiatedShutdown", "" while alive */
    char reason_text[128];
    uint64_t next_ns;           /* of its own state machine; UINT64_MAX: none */
    uint64_t billed_usd_micro;  /* of finished starts; cloud_bill adds the present one */
    uint64_t previous_state_ns; /* of the last change of state, for lagging replicas */
    enum cloud_state previous_state;
};

const struct cloud_instance *cloud_instance_find(const struct cloud *c, struct str id);
const char *cloud_zone_name(const struct cloud *c, unsigned zone);
const char *cloud_zone_id(const struct cloud *c, unsigned zone);
/* Who an address of the VPC belongs to now, or NULL. */
const struct cloud_instance *cloud_instance_by_ip(const struct cloud *c, uint32_t ip);

/* Reports from the shell.  Unknown or finished instances are ignored: reports may be late. */
void cloud_instance_booted(struct cloud *c, uint64_t now_ns, struct str id);
/* The OS inside powered itself off (`shutdown`, `poweroff`, its init ended). */
void cloud_instance_shutdown(struct cloud *c, uint64_t now_ns, struct str id);
/* `halt`: the OS is dead, the instance keeps running and costing. */
void cloud_instance_halted(struct cloud *c, uint64_t now_ns, struct str id);
/* The shell could not start it: ends with Server.InternalError. */
void cloud_instance_failed(struct cloud *c, uint64_t now_ns, struct str id, struct str why);
/* Append to the console. */
void cloud_instance_console(struct cloud *c, uint64_t now_ns, struct str id, struct str text);
/* Reclaim a spot instance: notice now, end `notice_ns` later; 0: end at once without notice.
 * Errors: ERR_NOT_FOUND (unknown id), ERR_REFUSED (not spot, or not running). */
NODISCARD int cloud_interrupt(struct cloud *c, uint64_t now_ns, struct str id, uint64_t notice_ns,
                              struct err *err);

/* ---- effects -------------------------------------------------------------------------------- */

enum cloud_effect_kind {
    CLOUD_INSTANCE_START,  /* now running: boot after instance->boot_delay_ns, as its dud says */
    CLOUD_INSTANCE_STOP,   /* asked to end: shut the OS down; GONE or STOPPED follows */
    CLOUD_INSTANCE_GONE,   /* terminated or stopped: nothing of it may run from here on */
    CLOUD_INSTANCE_NOTICE, /* spot/instance-action appears, reclaim at instance->reclaim_ns */
};

struct cloud_effect {
    enum cloud_effect_kind kind;
    const struct cloud_instance *instance;
};

/* Take the oldest effect; false: none left. */
bool cloud_effect_take(struct cloud *c, struct cloud_effect *ret_effect);

/* ---- ground truth --------------------------------------------------------------------------- */

/* Each iterator starts at *cursor = 0 and returns NULL at the end. */
const struct cloud_instance *cloud_truth_instance(const struct cloud *c, size_t *cursor);
/* Money spent on it so far, micro-dollars: per second, 60 s minimum per start, price in force. */
uint64_t cloud_bill(const struct cloud *c, const struct cloud_instance *instance, uint64_t now_ns);

enum cloud_resource_kind {
    CLOUD_SECURITY_GROUP,
    CLOUD_LAUNCH_TEMPLATE,
    CLOUD_KEY_PAIR,
    CLOUD_FLEET,
};
const char *cloud_resource_kind_name(enum cloud_resource_kind k);

struct cloud_resource {
    enum cloud_resource_kind kind;
    const char *id;
    const char *name;
    const char *state; /* "active"; a fleet's own word */
    bool exists;       /* false: deleted */
    bool built_in;     /* the default security group: not made by a client */
    uint64_t created_ns, deleted_ns;
    const struct cloud_tags *tags;
};

/* Every resource ever made, by kind, in order of creation.  False at the end. */
bool cloud_truth_resource(const struct cloud *c, size_t *cursor,
                          struct cloud_resource *ret_resource);

struct cloud_call_record {
    uint64_t number; /* from 1, without gaps */
    uint64_t now_ns;
    char action[48];
    char token[TOKEN_BYTES_MAX + 1]; /* client token, "" without */
    char outcome[64];                /* "ok" or the error code */
    char fault[24];                  /* planned trouble that hit it: "lost-reply", "" */
    uint32_t launched;               /* instances that the call made */
    uint32_t ended;                  /* instances that the call moved to shutting-down */
    bool dry_run;
    bool late; /* a request that was stuck on its way */
};

/* The last CLOUD_CALLS_MAX calls, oldest first. */
const struct cloud_call_record *cloud_truth_call(const struct cloud *c, size_t *cursor);

struct cloud_totals {
    uint32_t instances; /* ever */
    uint32_t pending, running, shutting_down, stopping, stopped, terminated;
    uint32_t running_max; /* highest number of running at one time */
    uint32_t resources;   /* groups, templates, keys that exist and are not built in */
    uint64_t calls, calls_failed, calls_throttled;
    uint64_t billed_usd_micro;
};
void cloud_truth_totals(const struct cloud *c, uint64_t now_ns, struct cloud_totals *ret_totals);

#endif
