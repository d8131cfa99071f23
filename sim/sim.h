/* sim.h - one world in one process: the real core, the real cloud model, agents as models.
 *
 * Everything that happens is an item of one queue under a virtual clock; every choice comes from
 * one seed, so a seed is a story that can be told again exactly.
 *
 * Words
 *   seed     draws which faults exist in this life, how often, and everything that happens
 *   safety   until heal_ns: faults as drawn; whatever happens, no check may fail
 *   healing  from heal_ns on: no new faults; everything must come to its end within a budget
 *   head     the shell around core/run; can crash; what comes back knows the journal, or only tags
 *   epoch    counts heads: replies for a dead head reach nobody
 *   probe    something that must happen in some life ("sometimes"), or the faults are too tame
 */
#ifndef SIM_H
#define SIM_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/heap.h"
#include "base/prng.h"
#include "cloud/cloud.h"
#include "codec/ec2.h"
#include "core/run.h"

#define SIM_RUN_ID "s1mu"
#define SIM_ROLES_MAX 3
#define SIM_POOLS 4
#define SIM_FOREIGN 4 /* instances of others */
#define SIM_AGENTS_MAX 512
#define SIM_CRASHES_MAX 3
#define SIM_MISSED_MAX 64
#define SIM_STEPS_MAX 400000 /* of one life; more is a loop that makes no progress */
#define SIM_HEAL_BUDGET_NS (4 * 3600 * NS_PER_S)
#define SIM_LATE_NS (300 * NS_PER_S)   /* T_late of the simulated world */
#define SIM_VISIBLE_NS (60 * NS_PER_S) /* T_ec */

#define SIM_PROBES(X)                                                        \
    X(launch_reply_lost, "a launch worked and its reply was lost")           \
    X(launch_request_lost, "a launch request was lost")                      \
    X(launch_late, "a launch request arrived after its client had given up") \
    X(late_reply, "a reply came after the client had given up")              \
    X(throttled, "a call was throttled")                                     \
    X(partial_fleet, "a launch brought some, not all")                       \
    X(list_failed, "a listing failed")                                       \
    X(terminate_failed, "a terminate call was refused")                      \
    X(adopted, "an instance was found by its tag")                           \
    X(settled, "an unknown launch was settled")                              \
    X(silent, "a silent node was named")                                     \
    X(replaced, "a node was replaced")                                       \
    X(given_up, "a node could not be replaced")                              \
    X(refused_late, "a late joiner was refused")                             \
    X(impostor_refused, "an impostor was refused")                           \
    X(spare_released, "a spare was released")                                \
    X(quorum, "work went on below full strength")                            \
    X(below_quorum, "a run ended below quorum")                              \
    X(link_back, "a node came back after a broken link")                     \
    X(node_lost, "a node was lost")                                          \
    X(notice, "a spot notice came")                                          \
    X(setup_failed, "a setup failed")                                        \
    X(phase_failed, "a phase failed")                                        \
    X(phases_done, "all phases were done")                                   \
    X(journal_broken, "the journal broke")                                   \
    X(journal_torn, "a torn journal record was cut")                         \
    X(crash_launching, "the head died while launching")                      \
    X(crash_working, "the head died during the work")                        \
    X(crash_teardown, "the head died during teardown")                       \
    X(crash_recovery, "a recovering head died")                              \
    X(recovered_by_tags, "a teardown knew nothing but the tags")             \
    X(provisional, "all was gone but a launch unsettled")                    \
    X(stop_1, "the user stopped once")                                       \
    X(stop_2, "the user stopped twice")                                      \
    X(stop_3, "the user stopped three times")                                \
    X(leak_said, "a run ended unproved and said so")                         \
    X(clean_said, "a run ended clean")                                       \
    X(lease_ended, "a node ended itself after its lease")                    \
    X(cap_ended, "a node ended itself at its cap")                           \
    X(foreign_spared, "others' instances lived through a teardown")

enum sim_probe {
#define SIM_PROBE_ENUM(name, text) SIM_##name,
    SIM_PROBES(SIM_PROBE_ENUM)
#undef SIM_PROBE_ENUM
        SIM_PROBE_COUNT
};

/* Chances are per million per occasion; 0: this fault does not exist in this life. */
struct sim_faults {
    uint32_t request_lost, request_late, reply_lost, reply_late;
    uint32_t call_failed; /* the service answers 500 or throttles, nothing done */
    uint32_t message_cut; /* the link breaks instead of carrying this message */
    uint32_t agent_dies;  /* per order */
    uint32_t setup_fails, service_fails, phase_fails;
    uint32_t impostor;          /* per join */
    uint32_t crash_writing;     /* the head dies before this journal record is synced */
    uint32_t rejected_id;       /* an id that a terminate call refuses for a while */
    uint64_t journal_breaks_ns; /* RUN_NEVER: never */
    uint64_t crash_ns[SIM_CRASHES_MAX];
    uint64_t stop_ns[3];
};

enum sim_kind {
    SIM_EVENT,        /* for the head of `epoch`; over `link` when that is not RUN_NONE */
    SIM_CALL,         /* a request reaches the service */
    SIM_CALL_TIMEOUT, /* the client gives up */
    SIM_TICK,         /* the head's timer */
    SIM_SYNC,         /* the journal is on disk up to `number` */
    SIM_CRASH,
    SIM_RESTART,
    SIM_STOP,
    SIM_HEAL,
    SIM_JOURNAL_BREAKS,
    SIM_BOOT,      /* agent: user-data runs */
    SIM_JOIN_TRY,  /* agent calls home */
    SIM_ADMITTED,  /* agent hears that it is in (`number` 1), or not (0), or to power off (2) */
    SIM_ORDER,     /* agent hears an order */
    SIM_WORK_DONE, /* agent's order is finished: the answer goes out */
    SIM_LEASE,     /* agent looks at its lease and its cap */
    SIM_KIND_COUNT
};

struct sim_item {
    enum sim_kind kind;
    uint32_t epoch;
    uint32_t agent, link;
    uint64_t number;
    uint64_t at_ns; /* ORDER of PHASE_START */
    struct run_event event;
    void *own_a, *own_b; /* memory that the event points into */
    struct sim_call *call;
    uint32_t next_free;
};

/* A request from a head to the service. */
struct sim_call {
    enum run_action_kind kind;
    uint32_t number; /* of the core */
    uint32_t epoch;
    uint32_t references; /* items that hold it */
    bool answered;       /* its client has an answer, or has given up */
    bool lose_reply, late;
    uint32_t intent, role, count; /* LAUNCH */
    bool on_demand;
    uint64_t exclude;
    char token[TOKEN_BYTES_MAX + 1];
    uint32_t *nodes; /* TERMINATE: node indexes, and their ids */
    char (*ids)[INSTANCE_ID_BYTES];
};

enum sim_agent_state { SIM_AGENT_NONE, SIM_AGENT_UP, SIM_AGENT_DEAD };

struct sim_agent {
    char id[INSTANCE_ID_BYTES];
    enum sim_agent_state state;
    uint32_t ip;
    uint32_t link;          /* RUN_NONE: none */
    uint32_t pending_link;  /* of the join that is on its way */
    bool key_known;         /* it was admitted once */
    uint32_t epoch;         /* of the head that it is linked to, or calls */
    uint64_t in_ns, out_ns; /* messages arrive in order */
    uint64_t contact_ns, cap_ns;
    bool joining;
    bool setting_up, set_up, starting, ready;
    uint32_t phase; /* last one heard of; RUN_NONE */
    enum run_part part;
    struct sim_missed { /* orders that wait for its next join */
        enum run_action_kind kind;
        uint32_t phase;
        uint64_t at_ns;
    } missed[SIM_MISSED_MAX];
    uint32_t missed_count;
    struct run_event kept[SIM_MISSED_MAX]; /* answers that wait for the same */
    uint32_t kept_count;
};

struct sim {
    uint64_t seed;
    bool trace;
    struct prng prng;
    struct sim_faults faults;
    struct run_config config; /* of the full run */
    struct run_phase_config phases[4];
    struct run_span spans[8];

    uint64_t now_ns;
    uint64_t heal_ns;
    bool healed;
    uint64_t steps;
    uint64_t trace_hash;
    struct heap queue;
    struct sim_item *items;
    uint32_t item_count, item_max, item_free;

    struct cloud *cloud;
    struct arena arena; /* of one call */
    char foreign[SIM_FOREIGN][INSTANCE_ID_BYTES];
    bool plain; /* launches by RunInstances without a template: nothing stops a late one */
    uint64_t rejects_until_ns; /* terminate calls with rejected_id fail until then */
    char rejected_id[INSTANCE_ID_BYTES];

    struct run *run; /* NULL: no head */
    struct run_actions *act;
    uint32_t epoch;
    uint64_t tick_ns; /* of the timer that counts */
    bool recovering;
    bool by_tags; /* this head knows only tags */
    bool finished;
    uint32_t finishes;
    uint32_t crashes;

    struct buf journal;    /* durable bytes */
    struct buf pending;    /* written, not synced; cut into records */
    uint64_t pending_last; /* sequence of the last one */
    bool sync_planned, journal_broken;
    uint8_t durable_intents[INTENTS_MAX];
    uint32_t durable_counts[INTENTS_MAX];

    struct sim_agent agents[SIM_AGENTS_MAX];
    uint32_t agent_count;
    uint32_t link_next;

    uint32_t instances_checked;
    bool clean_said, foreign_probed;
    uint64_t clean_ns;
    uint64_t probes[SIM_PROBE_COUNT];
};

/* What a life came to. */
struct sim_result {
    uint64_t trace_hash;
    uint64_t steps;
    uint64_t virtual_ns;
    uint64_t probes[SIM_PROBE_COUNT];
};

/* ---- world.c */
/* Live one life; a failed check calls sim_fail. */
void sim_live(uint64_t seed, bool trace, struct sim_result *ret_result);
struct sim_item *sim_plan(struct sim *s, uint64_t at_ns, enum sim_kind kind);
bool sim_chance(struct sim *s, uint32_t per_million); /* a fault; never once healed */
void sim_say(struct sim *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
NORETURN void sim_fail(const struct sim *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
extern const char *const sim_probe_texts[SIM_PROBE_COUNT];
static inline void sim_probe(struct sim *s, enum sim_probe probe) {
    s->probes[probe]++;
}

/* ---- draw.c: what a seed decides */
void sim_draw(struct sim *s, struct cloud_options *o);

/* ---- head.c */
void sim_head_start(struct sim *s);
void sim_head_event(struct sim *s, struct run_event *ev);
void sim_head_tick(struct sim *s, uint64_t at_ns);
void sim_head_crash(struct sim *s);
void sim_head_restart(struct sim *s);
void sim_head_sync(struct sim *s, uint64_t sequence);

/* ---- api.c: calls to the cloud */
void sim_api_plant_foreign(struct sim *s);
void sim_api_send(struct sim *s, const struct run_action *a);
void sim_api_arrive(struct sim *s, struct sim_call *call);
void sim_api_timeout(struct sim *s, struct sim_call *call);
void sim_api_release(struct sim_call *call);

/* ---- agents.c */
struct sim_agent *sim_agent_find(struct sim *s, const char *id);
void sim_agents_effects(struct sim *s);
void sim_agent_boot(struct sim *s, uint32_t agent);
void sim_agent_join(struct sim *s, uint32_t agent);
void sim_agent_admitted(struct sim *s, const struct sim_item *item);
void sim_agent_order(struct sim *s, const struct sim_item *item);
void sim_agent_done(struct sim *s, const struct sim_item *item);
void sim_agent_lease(struct sim *s, uint32_t agent);
/* Actions of the core for agents. */
void sim_agents_act(struct sim *s, const struct run_action *a);
/* The links of a dead head break. */
void sim_agents_cut_all(struct sim *s);
/* An answer that its link lost: it goes out again after the next join. */
void sim_agent_keep(struct sim *s, uint32_t agent, const struct run_event *ev);
bool sim_link_up(const struct sim *s, uint32_t agent, uint32_t link);

/* ---- check.c */
void sim_check_launch(struct sim *s, const struct sim_call *call);
void sim_check_terminate(struct sim *s, const struct sim_call *call);
void sim_check(struct sim *s);

#endif
