/* run.h - the life of a run, as one struct and one function.
 *
 * PURE: reads no clock, makes no system call, allocates nothing after run_new().  The shell (the
 * head, or the simulator) feeds one event at a time, each with its instant; run_step() changes the
 * state and says which actions to perform, in order.  Performing them is all the shell does.
 *
 *   preflight (the head's) -> START -> prepare -> intents journalled -> launch -> roll call ->
 *   setup -> services and ready -> phases -> collect -> teardown -> two clean sweeps ->
 *   resources -> FINISH
 *
 * Words
 *   role, slot     slot 17 of role `client` is "client:17"; slots of all roles are numbered in
 *                  one row, run_slot.number is the number inside the role
 *   node           one instance that this run ever learned of; its index never changes and is
 *                  never used again
 *   intent         one launch call: role, count, one client token for ever ("<run>-<number>")
 *   UNKNOWN        the call may have worked; the same bytes go out again until a reply or a
 *                  listing settles it
 *   doomed         will be terminated; never comes back to work
 *   sweep          one complete, error-free listing by the run's tag
 *
 * Rules that the simulator checks after each step
 *   - no launch before its intent is durable (EV_JOURNALLED); a journal error ends launching
 *   - termination needs no journal and works in every stage, at any event
 *   - an error of a lister is "unknown", never "empty"; absence needs two complete reads
 *   - "clean" is said after two empty sweeps `sweep_ns` apart, with no intent unsettled
 *   - every wait has a deadline: ACT_TIMER always names the next instant
 *
 * Calls.  LAUNCH, LIST, TERMINATE, PREPARE, DELETE_RESOURCES carry a `call` number; the shell
 * answers each with one event that carries the same number.  A reply after `call_ns` is late: the
 * core has taken it as failed (LAUNCH: unknown) and may have called again, yet a late reply is
 * still read.  Retries of throttling and connection errors inside one call are the shell's.
 *
 * Orders to a node and its answers arrive once and in order, over broken links too: the shell
 * numbers them and sends again after a new join what was not heard.
 *
 * Invariants: run_check().   Tests: test/unit/test_run*.c, sim/
 */
#ifndef RUN_H
#define RUN_H

#include "base/base.h"
#include "base/limits.h"
#include "core/outcome.h"
#include "core/run_record.h"

#define RUN_NONE UINT32_MAX /* no slot, no node, no phase, no role */
#define RUN_NEVER UINT64_MAX
#define RUN_TERMINATE_MAX 500 /* ids in one TERMINATE: half of EC2's limit */
#define RUN_TERMINATES_MAX 8  /* terminate calls under way at one time */
#define RUN_FLIGHTS_MAX 16    /* launch calls under way at one time, whole run */
#define RUN_KEY_BYTES 32      /* SHA-256 of the node's public key */

/* ---------------------------------------------------------------------- configuration */

enum run_on_loss { RUN_LOSS_REPLACE, RUN_LOSS_CONTINUE, RUN_LOSS_ABORT };
enum run_teardown { RUN_TEARDOWN_ALWAYS, RUN_TEARDOWN_ON_PASS, RUN_TEARDOWN_NEVER };
enum run_market { RUN_SPOT, RUN_ON_DEMAND, RUN_SPOT_THEN_ON_DEMAND };
enum run_mode {
    RUN_MODE_FULL,     /* from launch to clean */
    RUN_MODE_TEARDOWN, /* `down`, `gc`, and a run whose head died: end and prove it */
};

struct run_role_config {
    uint32_t want;             /* nodes */
    uint32_t min;              /* quorum, 0..want */
    uint32_t spare;            /* launched beyond `want`, released after roll call */
    uint32_t replace_max;      /* replacements over the whole run */
    uint64_t replace_after_ns; /* running but silent for this long: a dud */
    uint32_t pool_count;       /* 1..POOLS_MAX; pools are named by index */
    enum run_market market;
    enum run_on_loss on_loss;
    bool has_setup;                    /* false: SETUP is skipped */
    uint32_t setup_tries;              /* 1.. per node */
    bool has_service;                  /* false: a node is ready when it is set up */
    uint32_t start_order;              /* services start in rising order; equal ones together */
    uint64_t price_usd_micro_per_hour; /* estimate, for nodes whose pool price is unknown */
};
/* A role launches at most want + spare + replace_max instances over the whole run. */

/* Slots first..last (both included, numbers inside the role) of one role. */
struct run_span {
    uint32_t role;
    uint32_t first;
    uint32_t last;
};

struct run_phase_config {
    const struct run_span *spans; /* borrowed by run_new; copied */
    uint32_t span_count;          /* 0: a wait; no node takes part */
    uint64_t duration_ns;         /* a wait's length; else information, 0: until it exits */
    uint64_t timeout_ns;          /* from the start instant; then the phase has failed */
    bool on_fail_continue;        /* false: a failed phase ends the run (exit 7) */
};

struct run_config {
    enum run_mode mode;
    char id[RUN_ID_BYTES]; /* "7k2m" */
    uint32_t node_max;     /* instances ever known; 0: enough for roles, or SLOTS_MAX in teardown */
    uint32_t role_count;
    struct run_role_config roles[ROLES_MAX];
    const struct run_phase_config *phases; /* borrowed by run_new; copied */
    uint32_t phase_count;
    bool collects; /* ask nodes for files before they are given back */
    enum run_teardown teardown;
    uint64_t ttl_ns;           /* cap of every node, from START; teardown starts before it */
    uint64_t budget_usd_micro; /* 0: none; reached: collect, tear down */

    uint32_t launch_batch_max;    /* instances in one launch call, 1.. */
    uint64_t launch_timeout_ns;   /* below quorum then: give all back, exit 5 */
    uint64_t rollcall_timeout_ns; /* after the last launch; below quorum then: exit 6 */
    uint64_t setup_timeout_ns;    /* all setups of the fleet */
    uint64_t ready_timeout_ns;    /* one start_order step of services */
    uint64_t barrier_timeout_ns;  /* from PHASE_PREPARE to the last "prepared" */
    uint64_t start_lead_ns;       /* from PHASE_START to the start instant: orders must arrive */
    uint64_t collect_timeout_ns;
    uint64_t teardown_timeout_ns; /* then FINISH with RUN_EXIT_LEAK */
    uint64_t leave_ns;            /* third stop: terminate calls get this long (10 s) */
    uint64_t call_ns;             /* a call without a reply for this long has failed */
    uint64_t lost_ns;             /* no link for this long: lost, after an enquiry */
    uint64_t list_every_ns;       /* between listings while something is awaited from them */
    uint64_t backoff_ns;          /* first pause after a failure; doubles, at most backoff_max */
    uint64_t backoff_max_ns;
    uint64_t sweep_ns;      /* T_sweep: between the two proving sweeps */
    uint64_t late_ns;       /* T_late: an old signed request can still act for this long */
    uint64_t visible_ns;    /* T_ec: what happened is listed after this long at the latest */
    bool settles_by_resend; /* teardown may send an UNKNOWN launch again to learn its outcome
                             * (the shell has the exact bytes); false: it waits late+visible */
};

/* Defaults for every time above (reliability figures for AWS); counts and roles stay zero. */
void run_config_init(struct run_config *c);

/* ---------------------------------------------------------------------- exit codes */

/* The outcomes of core/outcome.h as bits of an outcome_set. */
enum run_exit {
#define RUN_EXIT_ENUM(name, code, text) RUN_EXIT_##name = 1 << OUTCOME_##name,
    OUTCOME_MAP(RUN_EXIT_ENUM)
#undef RUN_EXIT_ENUM
};

/* ---------------------------------------------------------------------- state */

enum run_stage {
    RUN_STAGE_NEW,
    RUN_STAGE_PREPARE,
    RUN_STAGE_LAUNCH,
    RUN_STAGE_ROLLCALL,
    RUN_STAGE_SETUP,
    RUN_STAGE_SERVICE,
    RUN_STAGE_PHASES,
    RUN_STAGE_COLLECT,
    RUN_STAGE_TEARDOWN,
    RUN_STAGE_DONE,
    RUN_STAGE_COUNT
};

/* What the cloud says of an instance, as far as we know. */
enum run_life {
    RUN_LIFE_UNSEEN,
    RUN_LIFE_PENDING,
    RUN_LIFE_RUNNING,
    RUN_LIFE_ENDING,
    RUN_LIFE_GONE,
};

/* What we do with it. */
enum run_node_state {
    RUN_NODE_BOOTING, /* launched, has not called home */
    RUN_NODE_JOINED,
    RUN_NODE_SETUP, /* its setup script runs */
    RUN_NODE_SET_UP,
    RUN_NODE_STARTING, /* its service starts */
    RUN_NODE_READY,
    RUN_NODE_LOST,   /* was here; its link is gone for lost_ns, or it died */
    RUN_NODE_DOOMED, /* to be terminated */
    RUN_NODE_GONE,   /* terminated: seen so, or absent in two complete reads */
    RUN_NODE_STATE_COUNT
};

enum run_part { /* of a node in the current phase */
                RUN_PART_NONE,
                RUN_PART_PREPARING,
                RUN_PART_PREPARED,
                RUN_PART_STARTED,
                RUN_PART_OK,
                RUN_PART_FAILED,
                RUN_PART_LOST,
};

/* Why something was done: stable, for the story. */
enum run_why {
    RUN_WHY_NONE,
    RUN_WHY_SILENT,  /* running, never called home */
    RUN_WHY_PENDING, /* never seen running */
    RUN_WHY_DIED,    /* ended by itself or by the cloud */
    RUN_WHY_LINK_LOST,
    RUN_WHY_NOTICE,   /* Spot interruption notice */
    RUN_WHY_REPLACED, /* another node has its slot */
    RUN_WHY_SPARE,    /* not needed */
    RUN_WHY_SURPLUS,  /* more than wanted */
    RUN_WHY_ORPHAN,   /* found by tag, belongs to no record of ours */
    RUN_WHY_SETUP_FAILED,
    RUN_WHY_NOT_READY,
    RUN_WHY_NOT_PREPARED,
    RUN_WHY_TIMEOUT,
    RUN_WHY_STRANGER,  /* join of an instance that is not ours */
    RUN_WHY_SOURCE,    /* join from another address than the instance's */
    RUN_WHY_CONTESTED, /* second key for one instance */
    RUN_WHY_TOO_LATE,  /* joined after it was given up */
    RUN_WHY_CAPACITY,
    RUN_WHY_QUOTA,
    RUN_WHY_DENIED,
    RUN_WHY_INVALID,
    RUN_WHY_MISMATCH, /* IdempotentParameterMismatch */
    RUN_WHY_JOURNAL,  /* journal could not be written */
    RUN_WHY_BELOW_QUORUM,
    RUN_WHY_FAILED, /* a command failed */
    RUN_WHY_THRESHOLD,
    RUN_WHY_USER,
    RUN_WHY_BUDGET,
    RUN_WHY_TTL,
    RUN_WHY_DONE,      /* all phases done */
    RUN_WHY_UNSETTLED, /* an intent is still UNKNOWN */
    RUN_WHY_UNPROVED,  /* no two clean sweeps by the deadline */
    RUN_WHY_RESOURCES, /* group or template could not be deleted */
    RUN_WHY_KEPT,      /* teardown policy keeps the fleet until its ttl */
    RUN_WHY_TOO_EARLY, /* joined before we know its id or address: let it try again */
    RUN_WHY_COUNT
};
/* "silent", "link-lost": stable word for records and plain output. */
const char *run_why_word(enum run_why why);

struct run_node {
    char id[INSTANCE_ID_BYTES];
    uint32_t role;   /* RUN_NONE: known by tag only */
    uint32_t slot;   /* index into run.slots; RUN_NONE: spare or none */
    uint32_t intent; /* number; RUN_NONE: found by tag, no record */
    uint32_t pool;   /* of the role; RUN_NONE unknown */
    bool on_demand;
    uint32_t private_ip; /* IPv4, host order; 0 unknown */
    uint32_t public_ip;
    uint64_t price_usd_micro_per_hour;
    enum run_node_state state;
    enum run_life life;
    enum run_why why;   /* why it is LOST or DOOMED */
    enum run_part part; /* in the current phase */
    uint32_t link;      /* id of its link; RUN_NONE: none */
    bool was_linked;
    bool key_bound;
    uint8_t key[RUN_KEY_BYTES];
    uint32_t setup_tries; /* used */
    bool named;           /* said to be silent */
    bool console_asked, console_has_text;
    bool collected;
    bool notice;          /* Spot notice received */
    bool terminate_sent;  /* a TERMINATE for it was accepted */
    uint32_t call;        /* TERMINATE call with it that is under way; RUN_NONE */
    bool given_up;        /* said to be beyond replacement */
    uint32_t failures;    /* of terminate calls that held it */
    uint32_t batch_max;   /* size of the next terminate call with it: halved by each failure */
    uint64_t sent_ns;     /* last TERMINATE that was accepted; RUN_NEVER */
    uint32_t shown;       /* last listing call that showed it; RUN_NONE */
    uint32_t absences;    /* complete listings in a row that did not show it */
    uint64_t absent_ns;   /* instant of the first of them */
    uint32_t rank;        /* dense rank within its phase's nodes of its role */
    uint64_t launched_ns; /* we learned of it */
    uint64_t running_ns;  /* first seen running; RUN_NEVER */
    uint64_t joined_ns;   /* RUN_NEVER */
    uint64_t ready_ns;    /* RUN_NEVER */
    uint64_t unlinked_ns; /* link lost at; RUN_NEVER while linked or never linked */
    uint64_t doomed_ns;   /* RUN_NEVER */
    uint64_t gone_ns;     /* RUN_NEVER */
    uint64_t notice_ns;   /* deadline of the notice; RUN_NEVER */
    uint64_t retry_ns;    /* no TERMINATE for it before this */
    uint64_t skew_ns;     /* of its last phase start */
};

struct run_slot {
    uint32_t role;
    uint32_t number; /* inside the role */
    uint32_t node;   /* who fills it; RUN_NONE */
    uint32_t heir;   /* node that takes over when `node` ends (after a notice); RUN_NONE */
    bool given_up;   /* no node is looked for any more */
};

enum run_intent_state {
    RUN_INTENT_WRITING, /* record handed out, not durable yet: no call was made */
    RUN_INTENT_FLYING,  /* call under way */
    RUN_INTENT_UNKNOWN, /* may have worked */
    RUN_INTENT_SETTLED, /* no further effect is possible */
    RUN_INTENT_VOID,    /* never called */
};

struct run_intent {
    uint32_t number;
    uint32_t role;
    uint32_t count;    /* instances asked for */
    uint32_t launched; /* instances known */
    bool on_demand;
    bool ceased;      /* launching with it again is pointless or forbidden: only settle it */
    uint64_t exclude; /* bit per pool that was left out; part of the bytes, fixed for ever */
    enum run_intent_state state;
    uint64_t record; /* sequence of its record */
    uint32_t call;   /* of the last call */
    uint32_t tries;
    uint64_t sent_ns;  /* last sent */
    uint64_t retry_ns; /* when UNKNOWN: send again at */
    uint64_t seen_ns;  /* first of its instances seen by listing; RUN_NEVER */
    bool lost_send;    /* an earlier send of it was never answered */
    uint32_t reads;    /* complete listings after which nothing more of it can show up */
};

struct run_role {
    uint32_t first_slot;    /* of `want` slots */
    uint32_t launched;      /* instances ever */
    uint32_t failures;      /* launch replies in a row that brought nothing */
    bool exhausted;         /* quota reached: no further launch */
    uint64_t retry_ns;      /* no new intent before this */
    uint64_t exclude;       /* pools without capacity of late */
    uint64_t short_said;    /* pools that the story has named as short since the last full launch */
    bool on_demand;         /* spot-then-on-demand has gone on to on-demand */
    enum run_why short_why; /* last reason for missing nodes */
};

enum run_clean { RUN_CLEAN_NO, RUN_CLEAN_PROVISIONAL, RUN_CLEAN_YES };

struct run {
    struct run_config config; /* config.phases points into this run's own copy */
    enum run_stage stage;
    uint64_t now_ns;
    uint64_t start_ns;
    uint64_t stage_ns;    /* entered at */
    uint64_t deadline_ns; /* of the stage */
    uint32_t exits;
    enum run_why end_why; /* why the fleet is given back */
    uint32_t stop_level;  /* 0..3 */
    bool journal_broken;
    bool launching_over; /* no new intent any more */

    struct run_role roles[ROLES_MAX];
    uint32_t slot_count;
    uint32_t node_count, node_max;
    uint32_t intent_count, intent_max;
    struct run_slot *slots;
    struct run_node *nodes;
    struct run_intent *intents;
    uint32_t *index; /* hash of instance id to node + 1 */
    uint32_t index_size;
    struct run_phase_config *phases;
    struct run_span *spans;

    uint64_t record_next; /* sequence of the next record */
    uint64_t durable;     /* records below this sequence are on disk */
    uint64_t prepare_record;
    uint32_t call_next;

    uint32_t list_call; /* RUN_NONE: none under way */
    uint64_t list_began_ns, list_next_ns;
    uint32_t list_failures;
    bool list_wanted;
    uint32_t terminate_call[RUN_TERMINATES_MAX]; /* under way; RUN_NONE: free place */
    uint64_t terminate_ns[RUN_TERMINATES_MAX];   /* sent at */
    uint32_t resources_call;
    uint64_t resources_ns, resources_retry_ns;
    uint32_t resources_failures;
    bool resources_gone, resources_made;
    uint32_t prepare_call;
    uint64_t prepare_ns; /* sent at */
    bool prepare_answered;

    uint64_t last_launch_ns;
    uint32_t service_order; /* start_order under way: lower ones are ready; UINT32_MAX: all */
    uint32_t gone_said;     /* nodes gone when the last note said so */
    bool provisional_said;

    uint32_t phase; /* current; RUN_NONE before the first */
    bool phase_preparing, phase_running, phase_stopping;
    enum run_why phase_why;  /* first reason for its failure; NONE: fine so far */
    uint64_t phase_start_ns; /* the start instant */
    uint64_t phase_deadline_ns;

    uint32_t empty_sweeps;
    uint64_t empty_sweep_ns; /* when the first of them began */
    enum run_clean clean;
};

/* ---------------------------------------------------------------------- events */

enum run_event_kind {
    RUN_EV_START,
    RUN_EV_TICK, /* the instant of ACT_TIMER has come (or any other moment) */
    RUN_EV_JOURNALLED,
    RUN_EV_JOURNAL_FAILED,
    RUN_EV_PREPARED,
    RUN_EV_PREPARE_FAILED,
    RUN_EV_LAUNCH_REPLY,
    RUN_EV_LISTED,
    RUN_EV_LIST_FAILED,
    RUN_EV_TERMINATED,
    RUN_EV_RESOURCES_DELETED,
    RUN_EV_RESOURCES_FAILED,
    RUN_EV_CONSOLE,
    RUN_EV_JOIN,
    RUN_EV_LINK_LOST,
    RUN_EV_SETUP_DONE,
    RUN_EV_READY,
    RUN_EV_NOT_READY,
    RUN_EV_PHASE_PREPARED,
    RUN_EV_PHASE_STARTED,
    RUN_EV_PHASE_DONE,
    RUN_EV_COLLECTED,
    RUN_EV_NOTICE,
    RUN_EV_ABORT,     /* a threshold with `abort` is broken */
    RUN_EV_USER_STOP, /* Ctrl-C: level 1, 2, 3; level only rises */
    RUN_EV_KIND_COUNT
};

enum run_refusal {
    RUN_REFUSED_NONE,
    RUN_REFUSED_CAPACITY, /* InsufficientInstanceCapacity, SpotMaxPriceTooLow, Unsupported */
    RUN_REFUSED_QUOTA,
    RUN_REFUSED_DENIED,   /* not permitted, bad credentials */
    RUN_REFUSED_INVALID,  /* the request can never work */
    RUN_REFUSED_MISMATCH, /* IdempotentParameterMismatch: an earlier call may have worked */
    RUN_REFUSED_OTHER,
};

/* An instance in a launch reply or a listing.  Unknown fields are 0 / RUN_NONE / empty. */
struct run_seen {
    char id[INSTANCE_ID_BYTES];
    enum run_life life;
    uint32_t role;   /* by tag; RUN_NONE */
    uint32_t intent; /* number from the tag dayfly:intent; RUN_NONE when it is no token of ours */
    uint32_t pool;
    bool on_demand;
    uint32_t private_ip, public_ip;
    uint64_t price_usd_micro_per_hour;
};

struct run_pool_error {
    uint32_t pool;
    enum run_refusal refusal;
};

enum run_outcome {
    RUN_OUTCOME_OK,      /* a well-formed reply: `seen` is all that was launched, may be none */
    RUN_OUTCOME_REFUSED, /* an error that proves that nothing was launched; see `refusal` */
    RUN_OUTCOME_UNKNOWN, /* no reply, a broken one, a server error, or a mismatch */
};

struct run_event {
    enum run_event_kind kind;
    uint64_t now_ns; /* monotonic; never goes back */
    uint32_t call;   /* LAUNCH_REPLY, LISTED, LIST_FAILED, TERMINATED, PREPARED..., RESOURCES_... */
    uint32_t node;   /* SETUP_DONE, READY, PHASE_..., COLLECTED, NOTICE, CONSOLE */
    union {
        uint64_t sequence; /* JOURNALLED: this record and all before it are durable */
        struct {
            enum run_refusal refusal;
        } prepare_failed;
        struct {
            uint32_t intent;
            enum run_outcome outcome;
            enum run_refusal refusal;
            const struct run_seen *seen; /* borrowed for the step */
            uint32_t seen_count;
            const struct run_pool_error *errors; /* borrowed; also with OK (partial fleets) */
            uint32_t error_count;
        } launch;
        struct { /* complete by contract: all pages, no error, all states, ids deduplicated */
            const struct run_seen *seen;
            uint32_t seen_count;
        } listed;
        struct { /* node indexes that the call named and that were accepted / not */
            const uint32_t *ok;
            uint32_t ok_count;
            const uint32_t *failed; /* bad id, not found, denied, no answer: try again */
            uint32_t failed_count;
        } terminated;
        struct {
            uint32_t count; /* still there */
        } resources;
        struct {
            bool has_text;
        } console;
        struct {
            uint32_t link; /* id that the shell gave the connection */
            char id[INSTANCE_ID_BYTES];
            uint8_t key[RUN_KEY_BYTES];
            uint32_t source_ip; /* peer address, host order; 0 when it cannot be told */
        } join;
        uint32_t link; /* LINK_LOST */
        struct {
            bool ok;        /* SETUP_DONE, PHASE_DONE, COLLECTED, PHASE_PREPARED */
            int32_t exit;   /* status, or minus the signal */
            uint32_t phase; /* PHASE_*: stale ones are dropped */
        } done;
        struct {
            uint32_t phase;
            uint64_t skew_ns; /* distance from the start instant */
        } started;
        uint64_t deadline_ns; /* NOTICE: the instance ends at */
        uint32_t level;       /* USER_STOP: 1..3 */
    };
    bool by_signal; /* USER_STOP: SIGTERM or SIGHUP, not a key (exit 143 instead of 130) */
};

/* ---------------------------------------------------------------------- actions */

enum run_action_kind {
    RUN_ACT_JOURNAL, /* append `record`; answer JOURNALLED once it is durable */
    RUN_ACT_PREPARE, /* make group and templates, by their fixed names */
    RUN_ACT_LAUNCH,
    RUN_ACT_LIST,             /* all instances with the run's tag, in every state */
    RUN_ACT_TERMINATE,        /* refs: node indexes, 1..RUN_TERMINATE_MAX */
    RUN_ACT_DELETE_RESOURCES, /* templates and groups with the run's tag; ok when none is left */
    RUN_ACT_CONSOLE,       /* node: fetch console output for the story; no answer is waited for */
    RUN_ACT_ADMIT,         /* link, node: tell it slot and role */
    RUN_ACT_REFUSE,        /* link: why, power_off; then close */
    RUN_ACT_DROP,          /* link: close without a word (an older link of the same node) */
    RUN_ACT_SETUP,         /* refs */
    RUN_ACT_SERVICE,       /* refs: start the service, probe, answer READY or NOT_READY */
    RUN_ACT_PHASE_PREPARE, /* phase, refs in rank order (node.rank is per role) */
    RUN_ACT_PHASE_START,   /* phase, refs, at_ns */
    RUN_ACT_PHASE_STOP,    /* phase, refs: those still at it */
    RUN_ACT_COLLECT,       /* refs */
    RUN_ACT_RELEASE,       /* refs: tell the agent that it is given back (best effort) */
    RUN_ACT_SAY,           /* note */
    RUN_ACT_TIMER,         /* at_ns: feed TICK then; always the last action; RUN_NEVER once DONE */
    RUN_ACT_FINISH,        /* exits; the run is over */
    RUN_ACT_KIND_COUNT
};

enum run_note_kind {
    RUN_NOTE_STAGE,             /* stage entered; why = reason when it is TEARDOWN or COLLECT */
    RUN_NOTE_LAUNCHED,          /* role, count of `of` launched so far; intent */
    RUN_NOTE_SHORT,             /* role, pool, why = CAPACITY or QUOTA: going on with others */
    RUN_NOTE_LAUNCH_UNKNOWN,    /* intent, count = tries */
    RUN_NOTE_LAUNCH_SETTLED,    /* intent, count = launched of `of` */
    RUN_NOTE_LAUNCH_REFUSED,    /* role, intent, why */
    RUN_NOTE_ADOPTED,           /* node found by listing */
    RUN_NOTE_JOINED,            /* node, count of `of` here in its role */
    RUN_NOTE_REFUSED,           /* link refused: why, node when known */
    RUN_NOTE_SILENT,            /* node, why, value_ns = silent for */
    RUN_NOTE_REPLACING,         /* node, why; intent of the replacement or heir node */
    RUN_NOTE_REPLACED,          /* node is ended, `other` has its slot */
    RUN_NOTE_GIVEN_UP,          /* node: no replacement left */
    RUN_NOTE_QUORUM,            /* role: count of `of`, going on below full strength */
    RUN_NOTE_BELOW_QUORUM,      /* role: count < of (= min) */
    RUN_NOTE_SPARE_RELEASED,    /* node */
    RUN_NOTE_ROLLCALL_DONE,     /* count of `of`, value_ns = time it took */
    RUN_NOTE_SETUP_FAILED,      /* node, value = exit, count = try */
    RUN_NOTE_NODE_READY,        /* node */
    RUN_NOTE_NOT_READY,         /* node */
    RUN_NOTE_LINK_LOST,         /* node */
    RUN_NOTE_LINK_BACK,         /* node, value_ns = away for */
    RUN_NOTE_NODE_LOST,         /* node, why */
    RUN_NOTE_NOTICE,            /* node, value_ns = deadline */
    RUN_NOTE_PHASE_PREPARING,   /* phase, count = nodes */
    RUN_NOTE_PHASE_START,       /* phase, count = nodes, value_ns = start instant */
    RUN_NOTE_PHASE_NODE_FAILED, /* phase, node, value = exit, why */
    RUN_NOTE_PHASE_END,         /* phase, why = NONE when ok, FAILED, TIMEOUT, BELOW_QUORUM, USER...
                                 * count = nodes ok of `of`, value_ns = largest start skew */
    RUN_NOTE_STOPPING,          /* why, count = level */
    RUN_NOTE_COLLECTED,         /* count of `of` nodes */
    RUN_NOTE_TERMINATING,       /* count of `of` ever launched are gone */
    RUN_NOTE_TERMINATE_FAILED,  /* node, count = failures */
    RUN_NOTE_LIST_FAILED,       /* count in a row */
    RUN_NOTE_SWEEP,             /* count = live instances found, value = empty sweeps in a row */
    RUN_NOTE_SETTLING,          /* intent: waiting until value_ns for late effects */
    RUN_NOTE_RESOURCES_DELETED,
    RUN_NOTE_RESOURCES_FAILED, /* count = failures */
    RUN_NOTE_CLEAN,            /* count = instances ever */
    RUN_NOTE_PROVISIONAL,      /* clean but for an unsettled intent, until value_ns */
    RUN_NOTE_LEAK,             /* node or RUN_NONE, why */
    RUN_NOTE_KEPT,             /* policy keeps count nodes until the ttl */
    RUN_NOTE_JOURNAL_BROKEN,
    RUN_NOTE_KIND_COUNT
};

/* What the story needs: kinds and numbers, no text.  Unused numbers are RUN_NONE or 0. */
struct run_note {
    enum run_note_kind kind;
    enum run_why why;
    uint32_t role, node, other, slot, phase, intent, pool;
    uint32_t count, of;
    int64_t value;
    uint64_t value_ns;
};

struct run_action {
    enum run_action_kind kind;
    uint32_t call;
    uint32_t node;
    uint32_t first, count; /* refs[first..first+count) of run_actions: node indexes */
    union {
        struct run_record record; /* JOURNAL */
        struct {
            uint32_t intent, role, count;
            bool on_demand;
            uint64_t exclude; /* pools to leave out of the request */
            char token[TOKEN_BYTES_MAX + 1];
        } launch;
        struct {
            uint32_t link;
            enum run_why why; /* REFUSE */
            bool power_off;   /* REFUSE: it is ours and given up */
        } link;
        struct {
            uint32_t phase;
            uint64_t at_ns; /* PHASE_START */
        } phase;
        struct run_note note;
        uint64_t at_ns;   /* TIMER */
        uint32_t exits;   /* FINISH */
        enum run_why why; /* RELEASE */
    };
};

/* Filled by one step; kept by the shell and used again. */
struct run_actions {
    struct run_action *items;
    uint32_t count, max;
    uint32_t *refs;
    uint32_t ref_count, ref_max;
};

/* ---------------------------------------------------------------------- functions */

/* A run that waits for START.  The config (and what it points to) is copied.  A config outside its
 * limits is a bug (the plan was checked before). */
NODISCARD struct run *run_new(const struct run_config *config);
void run_free(struct run *run);
DEFINE_FREEP(struct run, run_free)

/* Room for what one step of `run` can ask for at most. */
NODISCARD struct run_actions *run_actions_new(const struct run *run);
void run_actions_free(struct run_actions *a);
DEFINE_FREEP(struct run_actions, run_actions_free)

/* Before START of a RUN_MODE_TEARDOWN run: what the journal of the dead head says, record by
 * record, oldest first.  Without a journal, call nothing: the tags are enough. */
void run_replay(struct run *run, const struct run_record *record);

/* One event in, actions out (what was in `actions` is dropped). */
void run_step(struct run *run, const struct run_event *event, struct run_actions *actions);

/* Abort when an invariant is broken; run_step ends with it. */
void run_check(const struct run *run);

/* FNV-1a over the whole state: equal histories give equal hashes. */
uint64_t run_hash(const struct run *run);

/* Node of an instance id, or RUN_NONE. */
uint32_t run_find_node(const struct run *run, const char *id);
/* Client token of an intent: "<run>-<number>". */
void run_token(const struct run *run, uint32_t intent, char into[TOKEN_BYTES_MAX + 1]);

/* Counts for screens: nodes of a role (RUN_NONE: all roles), spares and doomed ones left out. */
struct run_tally {
    uint32_t want, min;
    uint32_t launched; /* alive, with or without slot */
    uint32_t running;  /* of them, seen running or joined */
    uint32_t joined;   /* called home and still here */
    uint32_t ready;
    uint32_t ever; /* instances ever known */
    uint32_t gone; /* of them, terminated */
};
struct run_tally run_tally(const struct run *run, uint32_t role);

/* Spent until `now_ns`, by what EC2 would bill (core/cost.h). */
uint64_t run_cost_usd_micro(const struct run *run, uint64_t now_ns);

#endif
