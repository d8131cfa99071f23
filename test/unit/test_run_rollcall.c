/* Roll call: who is let in, who is named, who takes whose place; and losses during the work. */
#include "run_rig.h"

static struct run_phase_config phase;
static struct run_span span;

static struct run_config plan(uint32_t want, uint32_t min) {
    struct run_config c;
    run_config_init(&c);
    memcpy(c.id, "7k2m", 5);
    rig_role(&c, want, min);
    span = (struct run_span){.role = 0, .first = 0, .last = want - 1};
    phase =
        (struct run_phase_config){.spans = &span, .span_count = 1, .timeout_ns = 600 * NS_PER_S};
    c.phases = &phase;
    c.phase_count = 1;
    return c;
}

static uint32_t node_of_slot(const struct rig *rig, uint32_t number) {
    return rig->run->slots[number].node;
}

static struct rig_instance *instance_of(struct rig *rig, uint32_t node) {
    return rig_find(rig, rig->run->nodes[node].id);
}

static void drop_link(struct rig *rig, uint32_t node) {
    struct rig_instance *in = instance_of(rig, node);
    rig_feed(rig, (struct run_event){.kind = RUN_EV_LINK_LOST, .link = in->link});
    in->link = 0; /* it does not call again by itself */
}

static void until_phase_runs(struct rig *rig) {
    rig->phases_hang = true;
    rig_start(rig);
    while (!rig->run->phase_running)
        rig_turn(rig);
    while (rig->head < rig->tail)
        rig_turn(rig);
}

static void a_dud_is_named_and_replaced_before_it_is_ended(void **state) {
    (void)state;
    struct run_config c = plan(4, 4);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig->silent_first = 1;
    rig_start(rig);
    while (rig->count < 5)
        rig_turn(rig);
    uint32_t dud = run_find_node(rig->run, rig->instances[0].seen.id);
    assert_int_equal(rig->run->nodes[dud].state, RUN_NODE_BOOTING);
    assert_int_equal(rig->seen[RUN_ACT_TERMINATE], 0);
    assert_int_equal(rig->last[RUN_NOTE_SILENT].node, dud);
    assert_int_equal(rig->last[RUN_NOTE_SILENT].why, RUN_WHY_SILENT);
    assert_true(rig->last[RUN_NOTE_SILENT].value_ns >= c.roles[0].replace_after_ns);
    assert_int_equal(rig->seen[RUN_ACT_CONSOLE], 1);
    uint32_t slot = rig->run->nodes[dud].slot;
    assert_int_equal(rig_finish(rig), 0);
    assert_int_equal(rig->last[RUN_NOTE_REPLACED].node, dud);
    assert_int_equal(rig->last[RUN_NOTE_REPLACED].slot, slot);
    assert_string_equal(rig->run->nodes[node_of_slot(rig, slot)].id, rig->instances[4].seen.id);
    assert_int_equal(rig->count, 5);
}

static void a_late_joiner_that_was_replaced_is_refused_and_powered_off(void **state) {
    (void)state;
    struct run_config c = plan(2, 2);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig->silent_first = 1;
    rig_start(rig);
    while (!rig->notes[RUN_NOTE_REPLACED])
        rig_turn(rig);
    uint32_t refused = rig->seen[RUN_ACT_REFUSE];
    rig_join(rig, &rig->instances[0]);
    while (rig->seen[RUN_ACT_REFUSE] == refused && !rig->finished)
        rig_turn(rig);
    assert_int_equal(rig->last[RUN_NOTE_REFUSED].why, RUN_WHY_TOO_LATE);
    assert_int_equal(rig_finish(rig), 0);
}

static void a_slow_node_that_joins_before_its_successor_keeps_its_slot(void **state) {
    (void)state;
    struct run_config c = plan(2, 2);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig->silent_first = 1;
    rig_start(rig);
    while (!rig->notes[RUN_NOTE_SILENT])
        rig_turn(rig);
    rig->instances[0].silent = false;
    rig->refuse = RUN_REFUSED_CAPACITY; /* no successor to be had */
    assert_int_equal(rig_finish(rig), 0);
    assert_int_equal(rig->notes[RUN_NOTE_REPLACED], 0);
}

static void a_spare_takes_the_slot_of_a_dud_at_once(void **state) {
    (void)state;
    struct run_config c = plan(3, 3);
    c.roles[0].spare = 1;
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig->silent_first = 1;
    rig_start(rig);
    assert_int_equal(rig_finish(rig), 0);
    assert_int_equal(rig->notes[RUN_NOTE_REPLACED], 1);
    assert_true(rig->count <= 5); /* at most a new spare, no other replacement */
}

static void spares_are_released_after_roll_call(void **state) {
    (void)state;
    struct run_config c = plan(3, 3);
    c.roles[0].spare = 2;
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig_start(rig);
    rig_until(rig, RUN_STAGE_PHASES);
    assert_int_equal(rig->notes[RUN_NOTE_SPARE_RELEASED], 2);
    assert_int_equal(rig->count, 5);
    assert_int_equal(rig_finish(rig), 0);
}

static void quorum_starts_at_the_deadline_with_whoever_is_here(void **state) {
    (void)state;
    struct run_config c = plan(4, 2);
    c.roles[0].replace_max = 0;
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig->silent_first = 2;
    rig_start(rig);
    assert_int_equal(rig_finish(rig), 0);
    assert_int_equal(rig->notes[RUN_NOTE_GIVEN_UP], 2);
    assert_int_equal(rig->last[RUN_NOTE_ROLLCALL_DONE].count, 2);
    assert_int_equal(rig->last[RUN_NOTE_ROLLCALL_DONE].of, 4);
    assert_int_equal(rig->last[RUN_NOTE_PHASE_END].count, 2);
}

static struct run_event join_event(const struct rig *rig, uint32_t instance) {
    struct run_event ev = {.kind = RUN_EV_JOIN};
    ev.join.link = 900;
    memcpy(ev.join.id, rig->instances[instance].seen.id, sizeof ev.join.id);
    memcpy(ev.join.key, rig->instances[instance].seen.id, INSTANCE_ID_BYTES);
    ev.join.source_ip = rig->instances[instance].seen.private_ip;
    return ev;
}

static void strangers_are_refused(void **state) {
    (void)state;
    struct run_config c = plan(2, 2);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    until_phase_runs(rig);
    uint32_t admitted = rig->seen[RUN_ACT_ADMIT];

    struct run_event ev = join_event(rig, 0);
    memcpy(ev.join.id, "i-0123456789abcdef0", 20);
    rig_feed(rig, ev);
    assert_int_equal(rig->last[RUN_NOTE_REFUSED].why, RUN_WHY_STRANGER);

    ev = join_event(rig, 0);
    ev.join.source_ip ^= 1;
    rig_feed(rig, ev);
    assert_int_equal(rig->last[RUN_NOTE_REFUSED].why, RUN_WHY_SOURCE);

    ev = join_event(rig, 0);
    ev.join.key[0] ^= 1;
    rig_feed(rig, ev);
    assert_int_equal(rig->last[RUN_NOTE_REFUSED].why, RUN_WHY_CONTESTED);
    assert_int_equal(rig->seen[RUN_ACT_ADMIT], admitted);
    assert_int_equal(rig->seen[RUN_ACT_REFUSE], 3);
}

static void a_join_before_the_address_is_known_is_told_to_try_again(void **state) {
    (void)state;
    struct run_config c = plan(1, 1);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig->joins_off = true;
    rig_start(rig);
    while (rig->count == 0)
        rig_turn(rig);
    rig_feed(rig, join_event(rig, 0)); /* the launch reply is not in yet */
    assert_int_equal(rig->seen[RUN_ACT_REFUSE], 1);
    assert_int_equal(rig->notes[RUN_NOTE_REFUSED], 0);
    rig->joins_off = false;
    assert_int_equal(rig_finish(rig), 0);
}

static void a_short_break_of_the_link_loses_nothing(void **state) {
    (void)state;
    struct run_config c = plan(3, 3);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    until_phase_runs(rig);
    uint32_t node = node_of_slot(rig, 1);
    drop_link(rig, node);
    rig_feed(rig, join_event(rig, 1));
    assert_int_equal(rig->notes[RUN_NOTE_LINK_BACK], 1);
    assert_int_equal(rig->notes[RUN_NOTE_NODE_LOST], 0);
    for (uint32_t i = 0; i < 3; i++) {
        struct run_event ev = {.kind = RUN_EV_PHASE_DONE, .node = node_of_slot(rig, i)};
        ev.done.ok = true;
        rig_push(rig, ev);
    }
    assert_int_equal(rig_finish(rig), 0);
    assert_int_equal(rig->last[RUN_NOTE_PHASE_END].count, 3);
}

static void below_quorum_in_a_phase_stops_it_and_is_exit_8(void **state) {
    (void)state;
    struct run_config c = plan(3, 3);
    c.roles[0].on_loss = RUN_LOSS_CONTINUE;
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    until_phase_runs(rig);
    uint32_t node = node_of_slot(rig, 2);
    instance_of(rig, node)->seen.life = RUN_LIFE_GONE;
    drop_link(rig, node);
    assert_int_equal(rig_finish(rig), 8);
    assert_int_equal(rig->last[RUN_NOTE_NODE_LOST].node, node);
    assert_int_equal(rig->last[RUN_NOTE_NODE_LOST].why, RUN_WHY_DIED);
    assert_int_equal(rig->seen[RUN_ACT_PHASE_STOP], 1);
}

static void a_loss_above_quorum_lets_the_phase_go_on(void **state) {
    (void)state;
    struct run_config c = plan(3, 2);
    c.roles[0].on_loss = RUN_LOSS_CONTINUE;
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    until_phase_runs(rig);
    uint32_t node = node_of_slot(rig, 2);
    instance_of(rig, node)->seen.life = RUN_LIFE_GONE;
    drop_link(rig, node);
    while (!rig->notes[RUN_NOTE_NODE_LOST])
        rig_turn(rig);
    assert_true(rig->run->phase_running);
    assert_int_equal(rig->count, 3);
}

static void a_missing_heartbeat_alone_ends_no_instance(void **state) {
    (void)state;
    struct run_config c = plan(3, 2);
    c.roles[0].on_loss = RUN_LOSS_CONTINUE;
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    until_phase_runs(rig);
    uint32_t lists = rig->seen[RUN_ACT_LIST];
    drop_link(rig, node_of_slot(rig, 2));
    while (!rig->notes[RUN_NOTE_NODE_LOST])
        rig_turn(rig);
    assert_int_equal(rig->last[RUN_NOTE_NODE_LOST].why, RUN_WHY_LINK_LOST);
    assert_true(rig->seen[RUN_ACT_LIST] > lists); /* it asked first */
    assert_int_equal(rig->seen[RUN_ACT_TERMINATE], 0);
    assert_int_equal(rig_alive(rig), 3);
}

static void a_lost_node_is_replaced_and_joins_the_next_phase(void **state) {
    (void)state;
    struct run_config c = plan(3, 2);
    struct run_phase_config two[2] = {phase, phase};
    c.phases = two;
    c.phase_count = 2;
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    until_phase_runs(rig);
    uint32_t node = node_of_slot(rig, 2);
    instance_of(rig, node)->seen.life = RUN_LIFE_GONE;
    drop_link(rig, node);
    while (node_of_slot(rig, 2) == node || node_of_slot(rig, 2) == RUN_NONE ||
           rig->run->nodes[node_of_slot(rig, 2)].state != RUN_NODE_READY)
        rig_turn(rig);
    assert_int_equal(rig->run->phase, 0);
    for (uint32_t i = 0; i < 2; i++) {
        struct run_event ev = {.kind = RUN_EV_PHASE_DONE, .node = node_of_slot(rig, i)};
        ev.done.ok = true;
        rig_push(rig, ev);
    }
    rig->phases_hang = false;
    assert_int_equal(rig_finish(rig), 0);
    assert_int_equal(rig->last[RUN_NOTE_PHASE_END].phase, 1);
    assert_int_equal(rig->last[RUN_NOTE_PHASE_END].count, 3);
}

static void a_notice_brings_an_heir_that_takes_over_after_the_phase(void **state) {
    (void)state;
    struct run_config c = plan(2, 2);
    struct run_phase_config two[2] = {phase, phase};
    c.phases = two;
    c.phase_count = 2;
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    until_phase_runs(rig);
    uint32_t node = node_of_slot(rig, 0);
    rig_feed(rig, (struct run_event){.kind = RUN_EV_NOTICE,
                                     .node = node,
                                     .deadline_ns = rig->now_ns + 120 * NS_PER_S});
    while (rig->run->slots[0].heir == RUN_NONE ||
           rig->run->nodes[rig->run->slots[0].heir].state != RUN_NODE_READY)
        rig_turn(rig);
    assert_int_equal(node_of_slot(rig, 0), node); /* it works until the phase ends */
    uint32_t heir = rig->run->slots[0].heir;
    for (uint32_t i = 0; i < 2; i++) {
        struct run_event ev = {.kind = RUN_EV_PHASE_DONE, .node = node_of_slot(rig, i)};
        ev.done.ok = true;
        rig_push(rig, ev);
    }
    rig->phases_hang = false;
    assert_int_equal(rig_finish(rig), 0);
    assert_int_equal(node_of_slot(rig, 0), heir);
    assert_int_equal(rig->last[RUN_NOTE_PHASE_END].count, 2);
}

static void ranks_are_dense_among_the_nodes_present(void **state) {
    (void)state;
    struct run_config c = plan(4, 3);
    c.roles[0].replace_max = 0;
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig->silent_first = 1;
    until_phase_runs(rig);
    assert_int_equal(rig->run->nodes[node_of_slot(rig, 1)].rank, 0);
    assert_int_equal(rig->run->nodes[node_of_slot(rig, 2)].rank, 1);
    assert_int_equal(rig->run->nodes[node_of_slot(rig, 3)].rank, 2);
}

UNIT_MAIN(T(a_dud_is_named_and_replaced_before_it_is_ended),
          T(a_late_joiner_that_was_replaced_is_refused_and_powered_off),
          T(a_slow_node_that_joins_before_its_successor_keeps_its_slot),
          T(a_spare_takes_the_slot_of_a_dud_at_once), T(spares_are_released_after_roll_call),
          T(quorum_starts_at_the_deadline_with_whoever_is_here), T(strangers_are_refused),
          T(a_join_before_the_address_is_known_is_told_to_try_again),
          T(a_short_break_of_the_link_loses_nothing),
          T(below_quorum_in_a_phase_stops_it_and_is_exit_8),
          T(a_loss_above_quorum_lets_the_phase_go_on),
          T(a_missing_heartbeat_alone_ends_no_instance),
          T(a_lost_node_is_replaced_and_joins_the_next_phase),
          T(a_notice_brings_an_heir_that_takes_over_after_the_phase),
          T(ranks_are_dense_among_the_nodes_present))
