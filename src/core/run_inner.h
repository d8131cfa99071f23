/* run_inner.h - what the files of core/run share; nobody outside includes it.
 *
 * Event handlers write facts into the state; the `_advance` functions look at the state alone and
 * say what follows.  So the order in which events come in can hardly matter, and a forgotten case
 * shows as a state that does not move on, which the deadlines and the simulator catch.
 */
#ifndef RUN_INNER_H
#define RUN_INNER_H

#include "base/str.h"
#include "core/run.h"

/* A planted bug, by number; the simulator must find each one (sim/mutants/README.md). */
#ifndef MUTANT
#define MUTANT 0
#endif

#define RUN_TRIES_MAX 8                /* sends of one intent; then it is settled by listing */
#define RUN_REISSUE_NS (60 * NS_PER_S) /* terminate again what still runs after this long */

/* ---- emit.c: actions */
struct run_action *emit(struct run_actions *act, enum run_action_kind kind);
/* Adds to the refs of `a`, which must be the last action. */
void emit_ref(struct run_actions *act, struct run_action *a, uint32_t node);
struct run_note *emit_note(struct run_actions *act, enum run_note_kind kind);
struct run_note *emit_node(const struct run *run, struct run_actions *act, enum run_note_kind kind,
                           uint32_t node);
/* Hands out a record and its sequence.  Nothing when the journal is broken. */
uint64_t emit_record(struct run *run, struct run_actions *act, struct run_record *r);
void emit_node_record(struct run *run, struct run_actions *act, enum run_record_kind kind,
                      uint32_t node);
uint32_t emit_call(struct run *run);

/* ---- roster.c: nodes and slots */
/* A node for an id not known yet; RUN_NONE when the table is full. */
uint32_t roster_add(struct run *run, const struct run_seen *seen);
bool roster_alive(const struct run_node *n);   /* neither doomed nor gone */
bool roster_here(const struct run_node *n);    /* called home and fit to work */
bool roster_failing(const struct run_node *n); /* its slot needs another node */
bool roster_free(const struct run_node *n);    /* fit to take a slot */
void roster_doom(struct run *run, struct run_actions *act, uint32_t node, enum run_why why);
/* It drops out of the work but is not ended yet; a replacement or the teardown ends it. */
void roster_lose(struct run *run, struct run_actions *act, uint32_t node, enum run_why why);
void roster_gone(struct run *run, struct run_actions *act, uint32_t node);
/* Spares into open slots, heirs into their inheritance. */
void roster_fill(struct run *run, struct run_actions *act);
/* Nodes that are not needed any more after roll call. */
void roster_trim(struct run *run, struct run_actions *act, enum run_why why);
/* Slots without a fit node (or one under way to them), given up ones left out. */
uint32_t roster_open(const struct run *run, uint32_t role);
uint32_t roster_free_count(const struct run *run, uint32_t role);
uint32_t roster_count_here(const struct run *run, uint32_t role);
/* Slots filled by a node that is not failing. */
uint32_t roster_count_held(const struct run *run, uint32_t role);
/* First role below its minimum by `count`, or RUN_NONE. */
uint32_t roster_below(const struct run *run, uint32_t (*count)(const struct run *, uint32_t));

/* ---- intents.c */
uint32_t intents_add(struct run *run, struct run_actions *act, uint32_t role, uint32_t count);
bool intents_unsettled(const struct run_intent *in);
uint32_t intents_pending(const struct run *run, uint32_t role); /* instances that may yet come */
uint32_t intents_unsettled_count(const struct run *run);
void intents_settle(struct run *run, struct run_actions *act, uint32_t intent);
void intents_void(struct run *run, struct run_actions *act); /* those never sent */
/* An instance that carries its tag or stood in its reply: a node, in its place. */
uint32_t intents_found(struct run *run, struct run_actions *act, uint32_t intent,
                       const struct run_seen *seen);
/* Sends, time-outs and sends again. */
void intents_advance(struct run *run, struct run_actions *act);
/* A complete listing that began at `began_ns` has been read. */
void intents_listed(struct run *run, struct run_actions *act, uint64_t began_ns);
uint64_t intents_next(const struct run *run);
uint64_t intents_backoff(const struct run *run, uint32_t failures);

/* ---- run_launch.c */
void launch_reply(struct run *run, const struct run_event *ev, struct run_actions *act);
void launch_advance(struct run *run, struct run_actions *act); /* any stage before teardown */
void launch_stage(struct run *run, struct run_actions *act);
uint64_t launch_next(const struct run *run);

/* ---- run_rollcall.c */
void rollcall_join(struct run *run, const struct run_event *ev, struct run_actions *act);
void rollcall_link_lost(struct run *run, const struct run_event *ev, struct run_actions *act);
void rollcall_notice(struct run *run, const struct run_event *ev, struct run_actions *act);
void rollcall_advance(struct run *run, struct run_actions *act); /* silence, lost links */
void rollcall_stage(struct run *run, struct run_actions *act);
uint64_t rollcall_next(const struct run *run);

/* ---- run_work.c: setup and services */
void work_setup_done(struct run *run, const struct run_event *ev, struct run_actions *act);
void work_ready(struct run *run, const struct run_event *ev, struct run_actions *act);
void work_advance(struct run *run, struct run_actions *act);
void work_setup_stage(struct run *run, struct run_actions *act);
void work_service_stage(struct run *run, struct run_actions *act);
/* Ends the run when a role has fewer fit nodes than its minimum. */
bool work_quorum(struct run *run, struct run_actions *act);

/* ---- run_phase.c */
void phase_event(struct run *run, const struct run_event *ev, struct run_actions *act);
void phase_stage(struct run *run, struct run_actions *act);
void phase_stop(struct run *run, struct run_actions *act, enum run_why why);
bool phase_active(const struct run *run);
void phase_node_lost(struct run *run, struct run_actions *act, uint32_t node, enum run_why why);

/* ---- run_list.c: listings and terminate calls */
void list_reply(struct run *run, const struct run_event *ev, struct run_actions *act);
void list_failed(struct run *run, const struct run_event *ev, struct run_actions *act);
void list_advance(struct run *run, struct run_actions *act);
void list_terminated(struct run *run, const struct run_event *ev, struct run_actions *act);
void list_terminate_advance(struct run *run, struct run_actions *act);
uint64_t list_next(const struct run *run);

/* ---- run_teardown.c */
void teardown_enter(struct run *run, struct run_actions *act);
void teardown_collect_enter(struct run *run, struct run_actions *act);
void teardown_collect_stage(struct run *run, struct run_actions *act);
void teardown_swept(struct run *run, struct run_actions *act, uint64_t began_ns, uint32_t live);
void teardown_resources(struct run *run, const struct run_event *ev, struct run_actions *act);
void teardown_stage(struct run *run, struct run_actions *act);
uint64_t teardown_next(const struct run *run);

/* ---- run.c */
void run_enter(struct run *run, struct run_actions *act, enum run_stage stage,
               uint64_t deadline_ns);
/* Give the fleet back, for this reason; the first reason stays, exits add up. */
void run_end(struct run *run, struct run_actions *act, uint32_t exits, enum run_why why);
static inline uint64_t run_after(uint64_t instant_ns, uint64_t delay_ns) {
    return instant_ns > RUN_NEVER - delay_ns ? RUN_NEVER : instant_ns + delay_ns;
}

#endif
