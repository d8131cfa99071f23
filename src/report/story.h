/* story.h - one thing that happened in a run, as every reader of it sees it.
 *
 * The head makes a `struct story_event` for whatever a user should see and hands it to everybody:
 * the terminal, the plain log, NDJSON on stdout, events.ndjson and the report.  They are renderings
 * of the same struct and so cannot disagree.
 *
 *   terminal  15:02:31  capacity   c7g.large us-east-1c is short, taking c6g.large
 *   plain     2026-03-02T15:02:41Z run=7k2m launch running=12/38 elapsed=30s
 *   json      {"type":"launch","t":"2026-03-02T15:02:41.000Z","run":"7k2m","seq":4,
 *              "running":12,"running_of":38,"elapsed_ms":30000}
 *
 * Words
 *   kind      what it is about; its name is a stable part of the interface
 *   verb      the second word of a plain line ("rollcall replace node=...")
 *   field     one typed value; the type decides unit and suffix in every rendering
 *   text      the sentence for a person; without one it is made from the fields
 *
 * Everything inside is a copy: an event may be kept, queued and written later.  Control characters
 * are made harmless when an event is rendered, not when it is made.
 *
 * Pure: no clock, no I/O.    Tests: test/unit/test_story.c, fuzz/fuzz_text.c
 */
#ifndef STORY_H
#define STORY_H

#include "base/base.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/str.h"

/*     kind                 json and plain   terminal     */
#define STORY_MAP(X)                                                                          \
    X(STORY_VERSION, "version", "version")       /* first record of a stream */               \
    X(STORY_CONFIG, "config", "config")          /* the plan was read */                      \
    X(STORY_PLAN, "plan", "plan")                /* what will be launched, at which price */  \
    X(STORY_CAPACITY, "capacity", "capacity")    /* a pool is short; what is taken instead */ \
    X(STORY_LAUNCH, "launch", "launch")          /* instances asked for, running */           \
    X(STORY_NODE, "node", "node")                /* one node: joined, died, replaced, left */ \
    X(STORY_ROLLCALL, "rollcall", "roll-call")   /* who answered, who is missing */           \
    X(STORY_SETUP, "setup", "setup")             /* setup scripts */                          \
    X(STORY_SERVICE, "service", "service")       /* services started, ready */                \
    X(STORY_CHECK, "check", "check")             /* a check before load */                    \
    X(STORY_PHASE_START, "phase_start", "phase") /* a phase started on its nodes */           \
    X(STORY_PROGRESS, "progress", "progress")    /* once a second while a phase runs */       \
    X(STORY_PHASE_END, "phase_end", "phase")     /* a phase ended, how */                     \
    X(STORY_MARK, "mark", "mark")                /* a person marked this moment */            \
    X(STORY_INTERRUPT, "interrupt", "spot")      /* a Spot notice */                          \
    X(STORY_CHAOS, "chaos", "chaos")             /* a planned fault began or ended */         \
    X(STORY_THRESHOLD, "threshold", "threshold") /* a threshold was passed or failed */       \
    X(STORY_LOST, "lost", "lost")                /* below quorum */                           \
    X(STORY_STOP, "stop", "stop")                /* the user stops the run */                 \
    X(STORY_COLLECT, "collect", "collect")       /* files and numbers brought home */         \
    X(STORY_DOWN, "down", "down")                /* given back, proved or not */              \
    X(STORY_LEAK, "leak", "LEAK?")               /* could not be proved gone */               \
    X(STORY_NOTE, "note", "note")                /* anything else worth a line */             \
    X(STORY_RESULT, "result", "result")          /* verdict and exit code; the last record */

enum story_kind {
#define STORY_ENUM(name, json, label) name,
    STORY_MAP(STORY_ENUM)
#undef STORY_ENUM
        STORY_KIND_COUNT
};

/* How a terminal marks the line; words carry the meaning, colour only repeats it. */
enum story_mark { STORY_PLAIN, STORY_OK, STORY_WARN, STORY_FAIL, STORY_ALERT };

/*   type            value                           plain            json
 *   TYPE_TEXT       text                            key=text         "key":"text"
 *   TYPE_INT        integer                         key=38           "key":38
 *   TYPE_BOOL       0 or 1                          key=true         "key":true
 *   TYPE_OF         value of total                  key=12/38        "key":12,"key_of":38
 *   TYPE_RATIO      parts per million               key=0.0002       "key":0.0002
 *   TYPE_DURATION   ns                              key=30s          "key_ms":30000
 *   TYPE_LATENCY    ns                              key_ms=14.8      "key_us":14800
 *   TYPE_RATE       micro-requests per second       key=47900        "key_per_s":47900
 *   TYPE_MONEY      micro-dollars                   key=2.26         "key":2.26
 *   TYPE_INSTANT    unix_ms                         key=15:52:02Z    "key_at":"2026-...Z"
 */
enum story_type {
    STORY_TYPE_TEXT,
    STORY_TYPE_INT,
    STORY_TYPE_BOOL,
    STORY_TYPE_OF,
    STORY_TYPE_RATIO,
    STORY_TYPE_DURATION,
    STORY_TYPE_LATENCY,
    STORY_TYPE_RATE,
    STORY_TYPE_MONEY,
    STORY_TYPE_INSTANT
};

#define STORY_FIELDS_MAX 24
#define STORY_KEY_BYTES 24
#define STORY_POOL_BYTES 1024 /* all text fields of one event */
#define STORY_TEXT_BYTES 512
#define STORY_VERB_BYTES 24
#define STORY_RUN_BYTES 24

struct story_field {
    char key[STORY_KEY_BYTES]; /* [a-z0-9_]+, without the unit: the type adds it */
    enum story_type type;
    int64_t value; /* number; for text the offset in the event's pool */
    int64_t total; /* of TYPE_OF; for text its length */
};

struct story_event {
    enum story_kind kind;
    enum story_mark mark;
    bool detail; /* for records only: a healthy node is a count on screens, never a line */
    int64_t unix_ms;
    uint64_t seq; /* of the run, from 1; the head counts */
    char run[STORY_RUN_BYTES];
    char verb[STORY_VERB_BYTES]; /* "" or one word */
    char text[STORY_TEXT_BYTES]; /* "" or one sentence for a person */
    size_t field_count;
    struct story_field fields[STORY_FIELDS_MAX];
    size_t pool_used;
    char pool[STORY_POOL_BYTES];
};

/* "phase_start" and "phase". */
const char *story_kind_name(enum story_kind kind);
const char *story_kind_label(enum story_kind kind);

/* Start an event; `run` may be "" before there is an id.  Then add fields and text. */
void story_init(struct story_event *e, enum story_kind kind, int64_t unix_ms, const char *run);
void story_verb(struct story_event *e, const char *word);
/* The sentence for a person; cut to STORY_TEXT_BYTES. */
void story_text(struct story_event *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Add one field.  More than STORY_FIELDS_MAX fields is a bug; text beyond the pool is cut. */
void story_add_text(struct story_event *e, const char *key, struct str value);
void story_add_int(struct story_event *e, const char *key, int64_t value);
void story_add_bool(struct story_event *e, const char *key, bool value);
void story_add_of(struct story_event *e, const char *key, int64_t value, int64_t total);
void story_add_ratio(struct story_event *e, const char *key, int64_t ppm);
void story_add_duration(struct story_event *e, const char *key, uint64_t ns);
void story_add_latency(struct story_event *e, const char *key, uint64_t ns);
void story_add_rate(struct story_event *e, const char *key, uint64_t micro_per_s);
void story_add_money(struct story_event *e, const char *key, int64_t usd_micro);
void story_add_instant(struct story_event *e, const char *key, int64_t unix_ms);

/* The field, or NULL; its text lives as long as the event. */
const struct story_field *story_find(const struct story_event *e, const char *key);
struct str story_field_text(const struct story_event *e, const struct story_field *field);

struct story_style {
    int zone_offset_s; /* added to UTC for the clock on a terminal */
    bool colour;       /* ANSI colours, the eight base ones */
    bool ascii;        /* no character above 0x7e */
    unsigned columns;  /* cut the line to this width; 0: never */
};

#define STORY_LABEL_END 21 /* column at which the sentence of a terminal line starts */

/* Does a kind make a line of its own on a terminal?  Progress lives in the block. */
bool story_on_terminal(enum story_kind kind);

/* Append one line without a line break. */
void story_add_terminal(struct buf *b, const struct story_event *e,
                        const struct story_style *style);
void story_add_plain(struct buf *b, const struct story_event *e);
void story_add_json(struct buf *b, const struct story_event *e);

/* The record that opens an NDJSON stream: {"type":"version","schema":"1.0",...}. */
void story_add_json_version(struct buf *b, int64_t unix_ms, const char *run);

#endif
