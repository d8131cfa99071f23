/* run_rollcall.c - who called home, who did not, and what is done about it. */
#include "core/run_inner.h"

/* ---------------------------------------------------------------------- joining */

static void refuse(struct run *run, struct run_actions *act, const struct run_event *ev,
                   enum run_why why, uint32_t node) {
    struct run_action *a = emit(act, RUN_ACT_REFUSE);
    bool given_up = node != RUN_NONE && why == RUN_WHY_TOO_LATE;
    a->link.link = ev->join.link;
    a->link.why = why;
    a->link.power_off = given_up;
    a->node = node;
    if (why == RUN_WHY_TOO_EARLY) {
        run->list_wanted = true;
        return;
    }
    struct run_note *note = node == RUN_NONE ? emit_note(act, RUN_NOTE_REFUSED)
                                             : emit_node(run, act, RUN_NOTE_REFUSED, node);
    note->why = why;
}

static bool source_fits(const struct run_node *n, uint32_t source_ip) {
    return source_ip != 0 && (source_ip == n->private_ip || source_ip == n->public_ip);
}

static void join_note(struct run *run, struct run_actions *act, uint32_t node, bool again) {
    struct run_node *n = &run->nodes[node];
    struct run_note *note = emit_node(run, act, again ? RUN_NOTE_LINK_BACK : RUN_NOTE_JOINED, node);
    note->why = RUN_WHY_NONE;
    if (again) {
        note->value_ns = n->unlinked_ns == RUN_NEVER ? 0 : run->now_ns - n->unlinked_ns;
        return;
    }
    note->count = run_tally(run, n->role).joined;
    note->of = run->config.roles[n->role].want;
}

static void admit(struct run *run, const struct run_event *ev, struct run_actions *act,
                  uint32_t node) {
    struct run_node *n = &run->nodes[node];
    bool again = n->was_linked;
    if (n->link != RUN_NONE && n->link != ev->join.link)
        emit(act, RUN_ACT_DROP)->link.link = n->link;
    n->link = ev->join.link;
    n->was_linked = true;
    n->key_bound = true;
    memcpy(n->key, ev->join.key, sizeof n->key);
    n->life = MAX(n->life, RUN_LIFE_RUNNING);
    n->running_ns = MIN(n->running_ns, run->now_ns);
    n->named = false;
    n->given_up = false;
    if (n->state == RUN_NODE_BOOTING) {
        n->state = RUN_NODE_JOINED;
        n->joined_ns = run->now_ns;
        if (n->slot != RUN_NONE && run->slots[n->slot].node == node)
            run->slots[n->slot].given_up = false;
    }
    struct run_action *a = emit(act, RUN_ACT_ADMIT);
    a->node = node;
    a->link.link = n->link;
    join_note(run, act, node, again);
    n->unlinked_ns = RUN_NEVER;
}

void rollcall_join(struct run *run, const struct run_event *ev, struct run_actions *act) {
    must(memchr(ev->join.id, 0, sizeof ev->join.id));
    uint32_t node = run_find_node(run, ev->join.id);
    if (node == RUN_NONE || run->nodes[node].role == RUN_NONE) {
        bool may_be_ours = intents_unsettled_count(run) > 0 && run->stage < RUN_STAGE_COLLECT;
        refuse(run, act, ev, may_be_ours ? RUN_WHY_TOO_EARLY : RUN_WHY_STRANGER, RUN_NONE);
        return;
    }
    struct run_node *n = &run->nodes[node];
    if (n->private_ip == 0 && n->public_ip == 0) { /* who asks cannot be told yet, or matters not */
        refuse(run, act, ev, roster_alive(n) ? RUN_WHY_TOO_EARLY : RUN_WHY_TOO_LATE, node);
        return;
    }
    if (!source_fits(n, ev->join.source_ip)) {
        refuse(run, act, ev, RUN_WHY_SOURCE, node);
        return;
    }
    if (n->key_bound && memcmp(n->key, ev->join.key, sizeof n->key) != 0) {
        refuse(run, act, ev, RUN_WHY_CONTESTED, node);
        return;
    }
    if (!roster_alive(n) || n->state == RUN_NODE_LOST || run->stage >= RUN_STAGE_COLLECT) {
        refuse(run, act, ev, RUN_WHY_TOO_LATE, node);
        return;
    }
    admit(run, ev, act, node);
}

void rollcall_link_lost(struct run *run, const struct run_event *ev, struct run_actions *act) {
    for (uint32_t i = 0; i < run->node_count; i++) {
        struct run_node *n = &run->nodes[i];
        if (n->link != ev->link)
            continue;
        n->link = RUN_NONE;
        n->unlinked_ns = run->now_ns;
        if (!roster_alive(n) || run->stage >= RUN_STAGE_TEARDOWN)
            return;
        run->list_wanted = true; /* an enquiry, not a verdict */
        emit_node(run, act, RUN_NOTE_LINK_LOST, i);
        return;
    }
}

void rollcall_notice(struct run *run, const struct run_event *ev, struct run_actions *act) {
    must(ev->node < run->node_count);
    struct run_node *n = &run->nodes[ev->node];
    if (n->notice || !roster_alive(n))
        return;
    n->notice = true;
    n->notice_ns = ev->deadline_ns;
    struct run_note *note = emit_node(run, act, RUN_NOTE_NOTICE, ev->node);
    note->value_ns = ev->deadline_ns;
    note->why = RUN_WHY_NOTICE;
    if (n->role != RUN_NONE && run->config.roles[n->role].on_loss == RUN_LOSS_ABORT)
        run_end(run, act, RUN_EXIT_LOST, RUN_WHY_NOTICE);
}

/* ---------------------------------------------------------------------- silence and loss */

/* A node that was never seen running gets the same time once more to start. */
static uint64_t silence_ends(const struct run *run, const struct run_node *n) {
    uint64_t after_ns = run->config.roles[n->role].replace_after_ns;
    if (n->running_ns != RUN_NEVER)
        return run_after(n->running_ns, after_ns);
    return run_after(run_after(n->launched_ns, after_ns), after_ns);
}

static void name_silent(struct run *run, struct run_actions *act, uint32_t node) {
    struct run_node *n = &run->nodes[node];
    n->named = true;
    n->why = n->running_ns != RUN_NEVER ? RUN_WHY_SILENT : RUN_WHY_PENDING;
    struct run_note *note = emit_node(run, act, RUN_NOTE_SILENT, node);
    note->value_ns = run->now_ns - (n->running_ns != RUN_NEVER ? n->running_ns : n->launched_ns);
    if (!n->console_asked) {
        n->console_asked = true;
        emit(act, RUN_ACT_CONSOLE)->node = node;
    }
    if (n->slot == RUN_NONE)
        roster_doom(run, act, node, n->why); /* a silent spare needs no successor */
}

/* After roll call nobody waits for the silent ones that cannot be replaced. */
static bool beyond_hope(const struct run *run, const struct run_node *n) {
    return n->named && run->stage > RUN_STAGE_ROLLCALL && n->slot != RUN_NONE &&
           run->slots[n->slot].given_up;
}

static void rollcall_node(struct run *run, struct run_actions *act, uint32_t node) {
    struct run_node *n = &run->nodes[node];
    if (n->role == RUN_NONE || !roster_alive(n))
        return;
    if (n->state == RUN_NODE_BOOTING && !n->named && run->now_ns >= silence_ends(run, n))
        name_silent(run, act, node);
    if (beyond_hope(run, n))
        roster_doom(run, act, node, n->why);
    if (n->life >= RUN_LIFE_ENDING)
        roster_lose(run, act, node, n->notice ? RUN_WHY_NOTICE : RUN_WHY_DIED);
    if (roster_here(n) && n->link == RUN_NONE &&
        run->now_ns >= run_after(n->unlinked_ns, run->config.lost_ns))
        roster_lose(run, act, node, RUN_WHY_LINK_LOST);
    if (n->notice && run->now_ns >= run_after(n->notice_ns, RUN_REISSUE_NS))
        roster_doom(run, act, node, RUN_WHY_NOTICE);
}

/* What the plan says about a lost node of a role. */
static void rollcall_policy(struct run *run, struct run_actions *act) {
    for (uint32_t i = 0; i < run->slot_count; i++) {
        struct run_slot *s = &run->slots[i];
        const struct run_node *n = s->node == RUN_NONE ? NULL : &run->nodes[s->node];
        if (!n || n->state < RUN_NODE_LOST || s->given_up)
            continue;
        bool by_itself =
            n->why != RUN_WHY_DIED && n->why != RUN_WHY_LINK_LOST && n->why != RUN_WHY_NOTICE;
        switch (run->config.roles[s->role].on_loss) {
        case RUN_LOSS_REPLACE:
            s->given_up = by_itself; /* a script that fails here fails on the next node too */
            break;
        case RUN_LOSS_CONTINUE:
            s->given_up = true;
            break;
        case RUN_LOSS_ABORT:
            run_end(run, act, by_itself ? RUN_EXIT_WORKLOAD : RUN_EXIT_LOST, n->why);
            return;
        }
    }
}

void rollcall_advance(struct run *run, struct run_actions *act) {
    if (run->stage < RUN_STAGE_LAUNCH || run->stage > RUN_STAGE_PHASES)
        return;
    for (uint32_t i = 0; i < run->node_count; i++)
        rollcall_node(run, act, i);
    if (run->stage > RUN_STAGE_ROLLCALL)
        rollcall_policy(run, act);
}

uint64_t rollcall_next(const struct run *run) {
    uint64_t next_ns = RUN_NEVER;
    if (run->stage < RUN_STAGE_LAUNCH || run->stage > RUN_STAGE_PHASES)
        return next_ns;
    for (uint32_t i = 0; i < run->node_count; i++) {
        const struct run_node *n = &run->nodes[i];
        if (n->role == RUN_NONE || !roster_alive(n))
            continue;
        if (n->state == RUN_NODE_BOOTING && !n->named)
            next_ns = MIN(next_ns, silence_ends(run, n));
        if (roster_here(n) && n->link == RUN_NONE)
            next_ns = MIN(next_ns, run_after(n->unlinked_ns, run->config.lost_ns));
        if (n->notice)
            next_ns = MIN(next_ns, run_after(n->notice_ns, RUN_REISSUE_NS));
    }
    return next_ns;
}

/* ---------------------------------------------------------------------- the stage */

/* Each launch moves the end of the roll call, replacements included; three times at most. */
static uint64_t rollcall_deadline(const struct run *run) {
    uint64_t wait_ns = run->config.rollcall_timeout_ns;
    uint64_t last_ns = run_after(run->last_launch_ns, wait_ns);
    return MIN(last_ns, run_after(run->stage_ns, 3 * wait_ns));
}

/* A slot that may still get its node. */
static bool slot_waits(const struct run *run, const struct run_slot *s) {
    if (s->node != RUN_NONE && roster_here(&run->nodes[s->node]))
        return false;
    if (!s->given_up)
        return true;
    return s->node != RUN_NONE && run->nodes[s->node].state == RUN_NODE_BOOTING;
}

static void rollcall_done(struct run *run, struct run_actions *act) {
    uint32_t here = 0, want = 0;
    for (uint32_t role = 0; role < run->config.role_count; role++) {
        uint32_t count = roster_count_here(run, role);
        here += count;
        want += run->config.roles[role].want;
        if (count == run->config.roles[role].want)
            continue;
        struct run_note *note = emit_note(act, RUN_NOTE_QUORUM);
        note->role = role;
        note->count = count;
        note->of = run->config.roles[role].want;
    }
    struct run_note *note = emit_note(act, RUN_NOTE_ROLLCALL_DONE);
    note->count = here;
    note->of = want;
    note->value_ns = run->now_ns - run->stage_ns;
    for (uint32_t i = 0; i < run->slot_count; i++) {
        struct run_slot *s = &run->slots[i];
        if (s->node == RUN_NONE || run->nodes[s->node].named)
            s->given_up = true; /* the work starts without it */
    }
    run_enter(run, act, RUN_STAGE_SETUP, run_after(run->now_ns, run->config.setup_timeout_ns));
    roster_trim(run, act, RUN_WHY_SPARE);
}

void rollcall_stage(struct run *run, struct run_actions *act) {
    run->deadline_ns = rollcall_deadline(run);
    bool waits = false;
    for (uint32_t i = 0; i < run->slot_count && !waits; i++)
        waits = slot_waits(run, &run->slots[i]);
    if (waits && run->now_ns < run->deadline_ns)
        return;
    uint32_t below = roster_below(run, roster_count_here);
    if (below == RUN_NONE) {
        rollcall_done(run, act);
        return;
    }
    if (run->now_ns < run->deadline_ns && intents_pending(run, below) > 0)
        return;
    struct run_note *note = emit_note(act, RUN_NOTE_BELOW_QUORUM);
    note->role = below;
    note->count = roster_count_here(run, below);
    note->of = run->config.roles[below].min;
    run_end(run, act, RUN_EXIT_ROLLCALL, RUN_WHY_BELOW_QUORUM);
}
