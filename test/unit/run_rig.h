/* run_rig.h - a run with a small world around it, for tests of core/run by subject.
 *
 * The world answers actions with events in the order asked, at once, unless a knob says otherwise;
 * when nothing is to answer, the clock jumps to the run's timer.  Everything said is kept.
 */
#ifndef RUN_RIG_H
#define RUN_RIG_H

#include "base/str.h"
#include "core/run.h"
#include "unit.h"

#define RIG_NODES 600
#define RIG_QUEUE 4096
#define RIG_STEPS 20000

struct rig_instance {
    struct run_seen seen;
    bool silent;    /* never joins */
    bool protected; /* TERMINATE is not accepted */
    bool stuck;     /* TERMINATE is accepted and does nothing */
    bool hidden;    /* listings do not show it */
    uint32_t link;
};

struct rig {
    struct run *run;
    struct run_actions *act;
    uint64_t now_ns;
    struct rig_instance instances[RIG_NODES];
    uint32_t count;
    struct run_event queue[RIG_QUEUE];
    uint32_t head, tail;
    uint32_t *refs; /* of queued TERMINATED events */
    uint32_t ref_count;
    struct run_seen *views;
    uint32_t view_count;
    uint32_t seen[RUN_ACT_KIND_COUNT];
    uint32_t notes[RUN_NOTE_KIND_COUNT];
    struct run_note last[RUN_NOTE_KIND_COUNT];
    uint32_t exits;
    bool finished;
    uint32_t link_next;
    /* knobs */
    uint32_t capacity;       /* instances in all; UINT32_MAX */
    uint32_t silent_first;   /* the first n launched never join */
    uint32_t lose_launches;  /* the next n launch calls work, their replies are lost */
    enum run_refusal refuse; /* launch calls are refused so */
    bool lists_fail, journal_fails, journal_mute, prepare_denied, resources_stuck;
    bool phases_hang, setup_fails, services_fail, phase_fails;
    bool joins_off;                  /* nobody calls home while it is set */
    char token[TOKEN_BYTES_MAX + 1]; /* of the last launch */
    uint32_t launch_calls;
    struct run_action last_launch;
};

static inline void rig_push(struct rig *rig, struct run_event ev) {
    must(rig->tail < RIG_QUEUE);
    rig->queue[rig->tail++] = ev;
}

static inline struct rig_instance *rig_find(struct rig *rig, const char *id) {
    for (uint32_t i = 0; i < rig->count; i++)
        if (strcmp(rig->instances[i].seen.id, id) == 0)
            return &rig->instances[i];
    return NULL;
}

static inline void rig_join(struct rig *rig, struct rig_instance *in) {
    struct run_event ev = {.kind = RUN_EV_JOIN};
    in->link = rig->link_next++;
    ev.join.link = in->link;
    memcpy(ev.join.id, in->seen.id, sizeof ev.join.id);
    memcpy(ev.join.key, in->seen.id, INSTANCE_ID_BYTES);
    ev.join.source_ip = in->seen.private_ip;
    rig_push(rig, ev);
}

/* An instance of a launch call comes to be. */
static inline struct rig_instance *rig_make(struct rig *rig, uint32_t role, uint32_t intent) {
    must(rig->count < RIG_NODES);
    struct rig_instance *in = &rig->instances[rig->count];
    memset(in, 0, sizeof *in);
    snprintf(in->seen.id, sizeof in->seen.id, "i-%017x", rig->count + 1);
    in->seen.life = RUN_LIFE_RUNNING;
    in->seen.role = role;
    in->seen.intent = intent;
    in->seen.private_ip = 0x0A000001 + rig->count;
    in->seen.price_usd_micro_per_hour = 36000;
    in->link = RUN_NONE;
    in->silent = rig->count < rig->silent_first;
    rig->count++;
    return in;
}

static inline uint32_t rig_alive(const struct rig *rig) {
    uint32_t alive = 0;
    for (uint32_t i = 0; i < rig->count; i++)
        alive += rig->instances[i].seen.life != RUN_LIFE_GONE;
    return alive;
}

static inline void rig_launch(struct rig *rig, const struct run_action *a) {
    struct run_event ev = {.kind = RUN_EV_LAUNCH_REPLY, .call = a->call};
    memcpy(rig->token, a->launch.token, sizeof rig->token);
    rig->last_launch = *a;
    rig->launch_calls++;
    ev.launch.intent = a->launch.intent;
    if (rig->refuse != RUN_REFUSED_NONE) {
        ev.launch.outcome = RUN_OUTCOME_REFUSED;
        ev.launch.refusal = rig->refuse;
        rig_push(rig, ev);
        return;
    }
    uint32_t first = rig->view_count;
    for (uint32_t i = 0; i < rig->count; i++)
        if (rig->instances[i].seen.intent == a->launch.intent)
            rig->views[rig->view_count++] = rig->instances[i].seen;
    bool again = rig->view_count > first; /* the token is known: the same instances */
    for (uint32_t i = 0; i < a->launch.count && !again && rig_alive(rig) < rig->capacity; i++)
        rig->views[rig->view_count++] = rig_make(rig, a->launch.role, a->launch.intent)->seen;
    ev.launch.seen = &rig->views[first];
    ev.launch.seen_count = rig->view_count - first;
    ev.launch.outcome = RUN_OUTCOME_OK;
    if (rig->lose_launches > 0) {
        rig->lose_launches--;
        ev.launch.outcome = RUN_OUTCOME_UNKNOWN;
        ev.launch.seen_count = 0;
    }
    rig_push(rig, ev);
}

static inline void rig_list(struct rig *rig, const struct run_action *a) {
    struct run_event ev = {.kind = rig->lists_fail ? RUN_EV_LIST_FAILED : RUN_EV_LISTED,
                           .call = a->call};
    uint32_t first = rig->view_count;
    for (uint32_t i = 0; i < rig->count && !rig->lists_fail; i++)
        if (!rig->instances[i].hidden)
            rig->views[rig->view_count++] = rig->instances[i].seen;
    if (!rig->lists_fail) {
        ev.listed.seen = &rig->views[first];
        ev.listed.seen_count = rig->view_count - first;
    }
    rig_push(rig, ev);
}

static inline void rig_terminate(struct rig *rig, const struct run_action *a) {
    struct run_event ev = {.kind = RUN_EV_TERMINATED, .call = a->call};
    const uint32_t *refs = rig->act->refs + a->first;
    bool bad = false;
    for (uint32_t i = 0; i < a->count; i++)
        bad |= rig_find(rig, rig->run->nodes[refs[i]].id)->protected;
    memcpy(rig->refs + rig->ref_count, refs, a->count * sizeof *refs);
    ev.terminated.ok = ev.terminated.failed = rig->refs + rig->ref_count;
    ev.terminated.ok_count = bad ? 0 : a->count;
    ev.terminated.failed_count = bad ? a->count : 0;
    rig->ref_count += a->count;
    for (uint32_t i = 0; i < a->count && !bad; i++) {
        struct rig_instance *in = rig_find(rig, rig->run->nodes[refs[i]].id);
        if (!in->stuck)
            in->seen.life = RUN_LIFE_GONE;
    }
    rig_push(rig, ev);
}

static inline void rig_nodes(struct rig *rig, const struct run_action *a, enum run_event_kind kind,
                             bool ok) {
    for (uint32_t i = 0; i < a->count; i++) {
        struct run_event ev = {.kind = kind, .node = rig->act->refs[a->first + i]};
        if (rig_find(rig, rig->run->nodes[ev.node].id)->seen.life == RUN_LIFE_GONE)
            continue;
        ev.done.ok = ok;
        ev.done.exit = ok ? 0 : 1;
        if (kind == RUN_EV_PHASE_PREPARED || kind == RUN_EV_PHASE_DONE)
            ev.done.phase = a->phase.phase;
        if (kind == RUN_EV_PHASE_STARTED) {
            ev.started.phase = a->phase.phase;
            ev.started.skew_ns = 1000 * (i + 1);
        }
        rig_push(rig, ev);
    }
}

static inline void rig_act(struct rig *rig, const struct run_action *a) {
    struct run_event ev = {.call = a->call};
    rig->seen[a->kind]++;
    switch (a->kind) {
    case RUN_ACT_JOURNAL:
        ev.kind = rig->journal_fails ? RUN_EV_JOURNAL_FAILED : RUN_EV_JOURNALLED;
        ev.sequence = a->record.sequence;
        if (!rig->journal_mute)
            rig_push(rig, ev);
        return;
    case RUN_ACT_PREPARE:
        ev.kind = rig->prepare_denied ? RUN_EV_PREPARE_FAILED : RUN_EV_PREPARED;
        if (rig->prepare_denied)
            ev.prepare_failed.refusal = RUN_REFUSED_DENIED;
        rig_push(rig, ev);
        return;
    case RUN_ACT_LAUNCH:
        rig_launch(rig, a);
        return;
    case RUN_ACT_LIST:
        rig_list(rig, a);
        return;
    case RUN_ACT_TERMINATE:
        rig_terminate(rig, a);
        return;
    case RUN_ACT_DELETE_RESOURCES:
        ev.kind = rig->resources_stuck ? RUN_EV_RESOURCES_FAILED : RUN_EV_RESOURCES_DELETED;
        rig_push(rig, ev);
        return;
    case RUN_ACT_SETUP:
        rig_nodes(rig, a, RUN_EV_SETUP_DONE, !rig->setup_fails);
        return;
    case RUN_ACT_SERVICE:
        rig_nodes(rig, a, rig->services_fail ? RUN_EV_NOT_READY : RUN_EV_READY, true);
        return;
    case RUN_ACT_PHASE_PREPARE:
        rig_nodes(rig, a, RUN_EV_PHASE_PREPARED, true);
        return;
    case RUN_ACT_PHASE_START:
        rig_nodes(rig, a, RUN_EV_PHASE_STARTED, true);
        if (!rig->phases_hang)
            rig_nodes(rig, a, RUN_EV_PHASE_DONE, !rig->phase_fails);
        return;
    case RUN_ACT_PHASE_STOP:
        rig_nodes(rig, a, RUN_EV_PHASE_DONE, true);
        return;
    case RUN_ACT_COLLECT:
        rig_nodes(rig, a, RUN_EV_COLLECTED, true);
        return;
    case RUN_ACT_SAY:
        rig->notes[a->note.kind]++;
        rig->last[a->note.kind] = a->note;
        return;
    case RUN_ACT_FINISH:
        rig->finished = true;
        rig->exits = a->exits;
        return;
    case RUN_ACT_CONSOLE:
    case RUN_ACT_ADMIT:
    case RUN_ACT_REFUSE:
    case RUN_ACT_DROP:
    case RUN_ACT_RELEASE:
    case RUN_ACT_TIMER:
    case RUN_ACT_KIND_COUNT:
        return;
    }
}

static inline void rig_feed(struct rig *rig, struct run_event ev) {
    ev.now_ns = rig->now_ns;
    run_step(rig->run, &ev, rig->act);
    for (uint32_t i = 0; i < rig->act->count; i++)
        rig_act(rig, &rig->act->items[i]);
}

/* One event, or a jump to the timer. */
static inline void rig_turn(struct rig *rig) {
    if (rig->head < rig->tail) {
        struct run_event ev = rig->queue[rig->head++];
        if (rig->head == rig->tail)
            rig->head = rig->tail = 0;
        rig_feed(rig, ev);
        if (rig->head == rig->tail)
            rig->view_count = rig->ref_count = 0;
        return;
    }
    for (uint32_t i = 0; i < rig->count && !rig->joins_off; i++) {
        struct rig_instance *in = &rig->instances[i];
        if (!in->silent && in->link == RUN_NONE && in->seen.life == RUN_LIFE_RUNNING) {
            rig_join(rig, in);
            return;
        }
    }
    const struct run_action *timer = &rig->act->items[rig->act->count - 1];
    must(timer->kind == RUN_ACT_TIMER && timer->at_ns != RUN_NEVER);
    must(timer->at_ns > rig->now_ns);
    rig->now_ns = timer->at_ns;
    rig_feed(rig, (struct run_event){.kind = RUN_EV_TICK});
}

static inline void rig_until(struct rig *rig, enum run_stage stage) {
    for (uint32_t i = 0; rig->run->stage < stage; i++) {
        must(i < RIG_STEPS);
        rig_turn(rig);
    }
}

/* To the end; returns the exit code. */
static inline int rig_finish(struct rig *rig) {
    for (uint32_t i = 0; !rig->finished; i++) {
        must(i < RIG_STEPS);
        rig_turn(rig);
    }
    return outcome_exit_code(rig->exits);
}

static inline void rig_role(struct run_config *c, uint32_t want, uint32_t min) {
    c->roles[c->role_count++] = (struct run_role_config){.want = want,
                                                         .min = min,
                                                         .replace_max = want,
                                                         .replace_after_ns = 120 * NS_PER_S,
                                                         .pool_count = 2,
                                                         .has_setup = true,
                                                         .setup_tries = 2,
                                                         .has_service = true};
}

static inline struct rig *rig_new(const struct run_config *c) {
    struct rig *rig = mem_new(sizeof *rig);
    rig->run = run_new(c);
    rig->act = run_actions_new(rig->run);
    rig->refs = mem_new_array(65536, sizeof *rig->refs);
    rig->views = mem_new_array(65536, sizeof *rig->views);
    rig->capacity = UINT32_MAX;
    rig->now_ns = NS_PER_S;
    rig->link_next = 1;
    return rig;
}

static inline void rig_start(struct rig *rig) {
    rig_feed(rig, (struct run_event){.kind = RUN_EV_START});
}

static inline void rig_free(struct rig *rig) {
    if (!rig)
        return;
    run_free(rig->run);
    run_actions_free(rig->act);
    mem_free(rig->refs);
    mem_free(rig->views);
    mem_free(rig);
}
DEFINE_FREEP(struct rig, rig_free)

#endif
