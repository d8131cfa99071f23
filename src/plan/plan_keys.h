/* plan_keys.h - the key table: every key of a plan file, once (inside plan/ and `explain`).
 *
 * A *section* is a map with known keys: the file itself, `fleet`, one role, one phase, ...  A *key*
 * has a type (how its value is written, parsed, printed, described), a default as it would be
 * written, limits, help and an example.  The reader fills one *raw* struct per section; keys say at
 * which offset.  Parsing, defaults, error texts, `dayfly explain`, `dayfly config`, the JSON Schema
 * and docs/plan.md all come from these tables.
 *
 * In a raw struct every number, word and bool is a uint64_t, so one reader and one printer do for
 * all.  plan_build.c turns raw structs into the typed ones of plan.h.
 */
#ifndef PLAN_KEYS_H
#define PLAN_KEYS_H

#include "plan/plan.h"
#include "plan/yaml_tree.h"

enum plan_type {
    TYPE_MAP,        /* a section in place */
    TYPE_NAMED,      /* NAME: section, any number */
    TYPE_LIST,       /* list of sections */
    TYPE_TEXT,       /* struct str */
    TYPE_NAME,       /* struct str; letters, digits, - and _ */
    TYPE_INT,        /* uint64_t */
    TYPE_BOOL,       /* uint64_t */
    TYPE_WORD,       /* uint64_t: number of the word in `words` */
    TYPE_DURATION,   /* uint64_t, ns */
    TYPE_SIZE,       /* uint64_t, bytes */
    TYPE_RATE,       /* uint64_t, micro/s */
    TYPE_MONEY,      /* uint64_t, micro-dollars */
    TYPE_PERCENT,    /* uint64_t, ppm */
    TYPE_FACTOR,     /* uint64_t, thousandths */
    TYPE_DURATIONS,  /* struct plan_range, ns */
    TYPE_SIZES,      /* struct plan_range, bytes */
    TYPE_INTS,       /* struct plan_range */
    TYPE_COUNT,      /* struct raw_count */
    TYPE_PRICE,      /* struct plan_price */
    TYPE_FREQUENCY,  /* struct raw_frequency */
    TYPE_ZONES,      /* struct plan_zone_choice */
    TYPE_TEXTS,      /* struct plan_texts */
    TYPE_PAIRS,      /* struct plan_pairs */
    TYPE_NODESET,    /* struct nodeset */
    TYPE_THRESHOLDS, /* struct raw_thresholds */
    TYPE_COUNT_
};

enum {
    KEY_REQUIRED = 1,
    KEY_LATER = 2,   /* known, refused: not available in this version */
    KEY_NODE = 4,    /* text that may hold node-time templates */
    KEY_ALWAYS = 8,  /* TYPE_MAP: is there with its defaults when the file has none */
    KEY_HIDDEN = 16, /* written in another way by people; not in help */
    KEY_LABEL = 32,  /* TYPE_NAME or _TEXT: names the item of a list, for --set */
};

struct plan_key {
    const char *name;
    enum plan_type type;
    uint32_t flags;
    size_t offset;
    const char *preset;      /* default as written; NULL: none */
    const char *preset_text; /* default in words, when it is computed */
    uint64_t min, max;       /* numbers: inclusive; max 0: none */
    const char *words;       /* TYPE_WORD: "spot|on-demand"; ~ before one of a later version */
    const struct plan_section *section;
    const char *short_key; /* TYPE_MAP: a scalar or list stands for {short_key: value} */
    const char *help;      /* one or two sentences */
    const char *example;   /* value as written */
};

struct plan_section {
    const char *path; /* "", "fleet", "roles.NAME", "phases[].http" */
    const char *title;
    const struct plan_key *keys; /* ends with a NULL name; at most 64 */
    size_t size;                 /* of its raw struct */
};

/* Front of every raw struct. */
struct raw_head {
    const struct yaml_node *node; /* NULL: not in the file */
    struct plan_place place;
    struct str name;  /* TYPE_NAMED: its name */
    uint64_t present; /* bit i: key i has a value */
    uint64_t bad;     /* bit i: key i was meant, and something is wrong with it: say no more */
};

struct raw_count {
    bool is_percent;
    uint64_t value; /* nodes, or ppm */
};

struct raw_frequency {
    uint64_t count;
    uint64_t every_ns;
};

struct raw_list {
    char *items; /* count times the section's size */
    uint32_t count;
};

struct raw_thresholds {
    struct threshold *items;
    const struct yaml_node **nodes;
    uint32_t count;
};

struct raw_local {
    struct raw_head head;
    uint64_t nodes_max, isolate, dud, slow, speed, capacity;
    struct plan_range boot;
    struct raw_frequency interrupt;
};

struct raw_fleet {
    struct raw_head head;
    struct str profile, region, endpoint, image;
    struct plan_zone_choice zones;
    struct plan_price max_price;
    uint64_t market, ttl, budget, launch_timeout, rollcall_timeout;
    struct plan_pairs tags;
    struct raw_local local;
};

struct raw_instances {
    struct raw_head head;
    struct plan_texts types, exclude;
    struct plan_range vcpus, memory;
    uint64_t arch;
};

struct raw_service {
    struct raw_head head;
    struct str run;
    struct plan_pairs env;
    uint64_t restart, stop_timeout;
};

struct raw_ready {
    struct raw_head head;
    uint64_t tcp, every, timeout;
    struct str http, run;
};

struct raw_role {
    struct raw_head head;
    uint64_t count, market, replace_after, on_interrupt;
    struct raw_count min, spare;
    struct raw_instances instances;
    struct plan_price max_price;
    struct str image, setup;
    struct plan_zone_choice zones;
    struct plan_pairs tags, env;
    struct raw_service service;
    struct raw_ready ready;
};

struct raw_expect {
    struct raw_head head;
    struct plan_range status;
    struct str body;
    uint64_t max_time;
};

struct raw_request {
    struct raw_head head;
    struct str name, method[PLAN_HEAD + 1], body;
    struct plan_pairs headers;
    struct raw_expect expect;
    uint64_t weight;
};

struct raw_stage {
    struct raw_head head;
    uint64_t to, over, hold;
};

struct raw_http {
    struct raw_head head;
    struct str url, base;
    struct raw_list requests, stages;
    uint64_t rate, users, connections, timeout, keepalive, seed;
    struct plan_range think;
    struct plan_pairs headers;
    struct raw_expect expect;
};

struct raw_phase {
    struct raw_head head;
    struct str name, run;
    struct nodeset nodes;
    struct raw_http http;
    uint64_t wait, duration, timeout, warmup, on_fail;
    struct plan_pairs env;
    struct plan_texts collect;
};

struct raw_collect {
    struct raw_head head;
    struct nodeset nodes;
    struct str from, to;
    uint64_t max, when;
};

struct raw_outputs {
    struct raw_head head;
    struct str dir;
    uint64_t html, json, csv, junit, hdr, events;
};

struct raw_plan {
    struct raw_head head;
    uint64_t dayfly, teardown, disturbed;
    struct str name, description;
    struct plan_pairs vars;
    struct raw_fleet fleet;
    struct raw_list roles, phases, collect;
    struct raw_thresholds thresholds;
    struct raw_outputs outputs;
};

extern const struct plan_section PLAN_SECTION; /* the file; the others hang below it */
extern const struct plan_section PLAN_FLEET, PLAN_LOCAL, PLAN_ROLE, PLAN_INSTANCES, PLAN_SERVICE,
    PLAN_READY, PLAN_PHASE, PLAN_HTTP, PLAN_REQUEST, PLAN_EXPECT, PLAN_STAGE, PLAN_COLLECT,
    PLAN_OUTPUTS;

/* Key by name, or NULL; *ret_index (may be NULL) is its number. */
const struct plan_key *plan_key_find(const struct plan_section *section, struct str name,
                                     uint32_t *ret_index);
/* The nearest key of the section to a word that is none, or NULL. */
const struct plan_key *plan_key_suggest(const struct plan_section *section, struct str word);
/* "roles.spare", "phases.http.rate", "roles.web.count": the key and its section's path, or NULL. */
const struct plan_key *plan_key_at(struct str path, const struct plan_section **ret_section);
/* Whether the raw struct of a section has a value for the key. */
bool raw_has(const struct plan_section *section, const struct raw_head *head, const char *name);
bool raw_is_bad(const struct plan_section *section, const struct raw_head *head, const char *name);
/* Mark a computed value as there. */
void raw_mark(const struct plan_section *section, struct raw_head *head, const char *name);

/* ---- types (plan_types.c) ---- */

/* How a type is called and what its values look like. */
const char *plan_type_name(enum plan_type type);
const char *plan_type_form(enum plan_type type);
/* Regular expression of the written form for the JSON Schema, or NULL. */
const char *plan_type_pattern(enum plan_type type);
/* Whether values are one scalar. */
bool plan_type_is_scalar(enum plan_type type);
/* Parse a scalar into its raw field.  Errors: ERR_PARSE, ERR_LIMIT. */
NODISCARD int plan_type_parse(const struct plan_key *key, struct str text, void *field,
                              size_t *ret_at, struct err *err);
/* Print a number in the unit of a type: "1m30s", "64KiB". */
void plan_type_print_number(struct buf *b, enum plan_type type, uint64_t value);
/* Print a scalar's raw field as it would be written, without quotes. */
void plan_type_print(struct buf *b, const struct plan_key *key, const void *field);

#endif
