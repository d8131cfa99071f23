/* plan.h - the plan file as a struct: read, resolved, checked.
 *
 * plan_load turns the bytes of a plan file into a struct plan, or into the list of everything that
 * is wrong with it.  It does no I/O: the caller reads the file (and hands a callback for
 * file("p")), so it works the same in the program, the simulator and the fuzzer.
 *
 * What comes out is complete: every default is filled in, every number is in its base unit, every
 * role and phase name that is mentioned exists.  What still needs a node (an address, say) is
 * left as a template in the fields marked "node template" (plan/template.h, template_resolve).
 *
 * All memory belongs to the arena given to plan_load, also the views.  Texts are NUL-terminated.
 *
 * Words
 *   key table    plan/plan_keys.c: every key once: type, unit, default, limits, words, help
 *   place        line and column in the file, both from 1
 *   set          one --set path=value of the command line
 *
 * Tests: test/unit/test_plan.c with test/vectors/plan, fuzz/fuzz_plan.c
 */
#ifndef PLAN_H
#define PLAN_H

#include "base/arena.h"
#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "core/verdict.h"
#include "plan/nodeset.h"

/* Where something stands.  line 0: not in the file (a default); line < 0: --set number -line. */
struct plan_place {
    int32_t line;
    int32_t column;
};

/* NAME: value, of env, headers, tags, vars. */
struct plan_pair {
    struct str name;
    struct str value; /* env and headers: node template */
    struct plan_place place;
};

struct plan_pairs {
    const struct plan_pair *items;
    uint32_t count;
};

struct plan_texts {
    const struct str *items;
    uint32_t count;
};

struct plan_range { /* low..high, both inclusive; high UINT64_MAX: open */
    uint64_t low;
    uint64_t high;
};

enum plan_market { PLAN_SPOT, PLAN_ON_DEMAND, PLAN_SPOT_THEN_ON_DEMAND };
enum plan_isolate { PLAN_ISOLATE_PROCESS, PLAN_ISOLATE_NAMESPACE };
enum plan_zones { PLAN_ZONES_ANY, PLAN_ZONES_ONE, PLAN_ZONES_LIST };
enum plan_restart { PLAN_RESTART_NEVER, PLAN_RESTART_ON_FAILURE, PLAN_RESTART_ALWAYS };
enum plan_on_interrupt { PLAN_INTERRUPT_REPLACE, PLAN_INTERRUPT_CONTINUE, PLAN_INTERRUPT_ABORT };
enum plan_on_fail { PLAN_FAIL_ABORT, PLAN_FAIL_CONTINUE, PLAN_FAIL_ASK };
enum plan_teardown { PLAN_TEARDOWN_ALWAYS, PLAN_TEARDOWN_ON_PASS, PLAN_TEARDOWN_NEVER };
enum plan_disturbed { PLAN_DISTURBED_MARK, PLAN_DISTURBED_FAIL };
enum plan_when { PLAN_WHEN_ALWAYS, PLAN_WHEN_FAIL };

/* The most that a node may cost per hour: an amount, or a share of the on-demand price. */
struct plan_price {
    bool is_amount;
    uint64_t usd_micro;        /* is_amount */
    uint32_t of_on_demand_ppm; /* !is_amount; 1,000,000 is the on-demand price */
};

/* Availability zones. */
struct plan_zone_choice {
    enum plan_zones kind;
    struct plan_texts names; /* PLAN_ZONES_LIST */
};

/* How the rehearsal's cloud behaves. */
struct plan_local {
    uint32_t nodes_max; /* of this machine; more is refused before anything starts */
    enum plan_isolate isolate;
    struct plan_range boot_ns;   /* time from launch to the first line of user-data */
    uint32_t dud_ppm;            /* instances that boot and never call home */
    uint32_t slow_ppm;           /* instances that boot ten times slower */
    uint32_t interrupt_count;    /* spot notices ... */
    uint64_t interrupt_every_ns; /* ... per this time; 0: none */
    uint32_t speed_milli;        /* cloud delays and prices run this much faster; 1000 is real */
    uint32_t capacity;           /* instances that the cloud has in all; UINT32_MAX: no limit */
};

struct plan_fleet {
    struct str profile;  /* empty: as AWS tools choose */
    struct str region;   /* the same */
    struct str endpoint; /* URL of an AWS-shaped service; empty: AWS */
    struct plan_zone_choice zones;
    enum plan_market market;
    struct plan_price max_price;
    uint64_t ttl_ns;           /* the cap: given, or from the planned time */
    uint64_t budget_usd_micro; /* 0: none given */
    uint64_t launch_timeout_ns;
    uint64_t rollcall_timeout_ns;
    struct str image;
    struct plan_pairs tags;
    struct plan_local local;
};

/* What a role needs of a machine, when it does not name types. */
struct plan_needs {
    struct plan_range vcpus;
    struct plan_range memory_bytes;
    struct str arch;           /* "x86_64", "arm64", or empty: either */
    struct plan_texts exclude; /* type patterns with `*` */
};

struct plan_service {
    struct str run; /* node template; empty: no service */
    struct plan_pairs env;
    enum plan_restart restart;
    uint64_t stop_timeout_ns; /* SIGTERM to SIGKILL */
};

enum plan_ready_kind { PLAN_READY_ALIVE, PLAN_READY_TCP, PLAN_READY_HTTP, PLAN_READY_RUN };

struct plan_ready {
    enum plan_ready_kind kind; /* ALIVE: the process lives */
    uint16_t port;             /* TCP: on the node's own address and on 127.0.0.1 */
    struct str url;            /* HTTP: status 200-399; node template */
    struct str run;            /* RUN: exit 0; node template */
    uint64_t every_ns;
    uint64_t timeout_ns;
};

struct plan_role {
    struct str name;
    struct plan_place place;
    uint32_t count;
    uint32_t min;                /* quorum, in nodes: 1..count */
    uint32_t spare;              /* in nodes */
    struct plan_texts instances; /* types in order of preference; none: by `needs` */
    struct plan_needs needs;
    enum plan_market market;
    struct plan_price max_price;
    struct str image;
    struct plan_zone_choice zones;
    struct plan_pairs tags; /* the fleet's and the role's */
    struct str setup;       /* script; node template; empty: none */
    struct plan_pairs env;  /* node templates */
    struct plan_service service;
    struct plan_ready ready;
    uint64_t replace_after_ns;
    enum plan_on_interrupt on_interrupt;
};

enum plan_method { PLAN_GET, PLAN_POST, PLAN_PUT, PLAN_PATCH, PLAN_DELETE, PLAN_HEAD };
const char *plan_method_name(enum plan_method method); /* "GET" */

/* What an answer must be to count as good. */
struct plan_expect {
    uint16_t status_low, status_high; /* inclusive */
    struct str body;                  /* must contain this text; empty: anything */
    uint64_t time_max_ns;             /* 0: the timeout decides */
};

struct plan_request {
    struct str name;
    struct plan_place place;
    enum plan_method method;
    struct str url;            /* base and path put together; node template */
    struct plan_pairs headers; /* the phase's and the request's, the latter winning */
    struct str body;           /* node template */
    struct plan_expect expect;
    uint32_t weight; /* >= 1 */
};

/* A piece of the open-loop schedule: the rate goes evenly from one value to the other.
 * Rates are of the whole fleet, in micro-requests per second. */
struct plan_stage {
    uint64_t from_micro;
    uint64_t to_micro;
    uint64_t duration_ns; /* 0: a step */
};

struct plan_http {
    const struct plan_request *requests; /* 1..REQUESTS_MAX */
    uint32_t request_count;
    const struct plan_stage *stages; /* open loop; `rate` is one stage.  NULL: closed loop */
    uint32_t stage_count;
    uint32_t users;             /* closed loop: in the whole fleet; 0: open loop */
    struct plan_range think_ns; /* closed loop: uniform */
    uint32_t connections;       /* per node, at most */
    uint64_t timeout_ns;        /* per request */
    bool keepalive;
    bool has_seed; /* else the run id decides */
    uint64_t seed;
};

enum plan_phase_kind { PLAN_PHASE_RUN, PLAN_PHASE_HTTP, PLAN_PHASE_WAIT };

struct plan_phase {
    struct str name;
    struct plan_place place;
    enum plan_phase_kind kind;
    struct nodeset nodes;  /* empty for WAIT without nodes */
    struct str run;        /* RUN: shell command; node template */
    struct plan_http http; /* HTTP */
    uint64_t duration_ns;  /* RUN: SIGTERM then, 0: until it exits; HTTP, WAIT: the length */
    uint64_t timeout_ns;   /* hard limit of the phase; then it has failed */
    bool warmup;           /* not in statistics and thresholds */
    enum plan_on_fail on_fail;
    struct plan_pairs env;     /* node templates */
    struct plan_texts collect; /* globs on the nodes, relative to the phase's directory */
};

struct plan_collect {
    struct nodeset nodes;
    struct str from;    /* glob; node template */
    struct str to;      /* subdirectory of the node's results; empty: none */
    uint64_t max_bytes; /* per node */
    enum plan_when when;
    struct plan_place place;
};

struct plan_outputs {
    struct str dir;
    bool html, json, csv, junit, hdr, events;
};

struct plan {
    struct str file; /* name for messages */
    struct str text; /* as read */
    uint32_t version;
    struct str name;
    struct str description;
    struct plan_pairs vars;
    struct plan_fleet fleet;
    const struct plan_role *roles; /* in file order; role number = index */
    uint32_t role_count;
    const struct plan_phase *phases;
    uint32_t phase_count;
    const struct threshold *thresholds;
    const struct plan_place *threshold_places;
    uint32_t threshold_count;
    const struct plan_collect *collect;
    uint32_t collect_count;
    enum plan_teardown teardown;
    enum plan_disturbed disturbed;
    struct plan_outputs outputs;
    uint64_t planned_ns;         /* sum of the phases' durations (a `run` without one: 0) */
    uint64_t planned_longest_ns; /* sum of the phases' timeouts */
    const struct raw_plan *raw;  /* as the key table sees it, for printing */
};

/* ---- errors --------------------------------------------------------------------------------- */

#define PLAN_ERRORS_MAX 50

/* One thing that is wrong. */
struct plan_error {
    struct plan_place place;
    uint32_t width;     /* characters to underline, >= 1 */
    struct str message; /* unknown key "instnces" */
    struct str hint;    /* did you mean "instances"?   empty: none */
    struct str note;    /* behind the caret: a list; the first that has capacity is used */
    struct str help;    /* dayfly explain roles.instances   empty: none */
};

/* A zeroed struct is an empty list. */
struct plan_errors {
    struct str file;
    struct str text;        /* the file, for source lines */
    const struct str *sets; /* the command line's, for places with line < 0 */
    uint32_t set_count;
    uint32_t count;
    uint32_t dropped;                         /* beyond PLAN_ERRORS_MAX */
    struct plan_error items[PLAN_ERRORS_MAX]; /* in the order of the file, then of the sets */
};

/* `file:line:col: message, hint`, one line; of a set `--set path=value: message, hint`. */
void plan_error_add_line(struct buf *b, const struct plan_errors *errors, uint32_t index);
/* The form for people: that line, then source line, caret and note, help.  `utf8` false: ASCII. */
void plan_error_add_block(struct buf *b, const struct plan_errors *errors, uint32_t index,
                          bool utf8);

/* ---- loading -------------------------------------------------------------------------------- */

struct plan_load_options {
    struct str file;        /* name for messages */
    struct str text;        /* the bytes of the file; must outlive the plan */
    const struct str *sets; /* "path=value", later ones win */
    uint32_t set_count;
    /* env.X: the value, or NULL.  NULL callback: nothing is set. */
    const char *(*env)(void *context, const char *name);
    /* file("p"), relative to the plan file's folder.  NULL: an error. */
    int (*read_file)(void *context, struct arena *arena, struct str path, struct str *ret_text,
                     struct err *err);
    void *context;
};

/* Load.  0 and *ret_plan, or -ERR_CONFIG and every error in *errors (memory in `arena`) with the
 * first of them in `err`.  Work is bounded: see plan/yaml_tree.h for the caps. */
NODISCARD int plan_load(const struct plan_load_options *options, struct arena *arena,
                        const struct plan **ret_plan, struct plan_errors *errors, struct err *err);

/* ---- looking things up ---------------------------------------------------------------------- */

/* Index, or -1. */
int plan_find_role(const struct plan *plan, struct str name);
int plan_find_request(const struct plan_phase *phase, struct str name);
/* Whether any node of the role is named by the set. */
NODISCARD bool plan_nodes_has(const struct plan *plan, const struct nodeset *set, uint32_t role,
                              uint32_t index);
/* Nodes wanted, without spares. */
uint32_t plan_nodes_wanted(const struct plan *plan);
/* Requests that an open-loop phase plans in all (the integral of its stages, rounded down);
 * 0 for a closed loop. */
uint64_t plan_requests_planned(const struct plan_phase *phase);

/* ---- printing ------------------------------------------------------------------------------- */

/* The resolved file, with every default: YAML that loads to the same plan; or one JSON document. */
void plan_add_yaml(struct buf *b, const struct plan *plan);
void plan_add_json(struct buf *b, const struct plan *plan);

#endif
