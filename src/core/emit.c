/* emit.c - putting actions, notes and records into the output of a step. */
#include "core/run_inner.h"

struct run_action *emit(struct run_actions *act, enum run_action_kind kind) {
    must(kind < RUN_ACT_KIND_COUNT);
    must(act->count < act->max);
    struct run_action *a = &act->items[act->count++];
    memset(a, 0, sizeof *a);
    a->kind = kind;
    a->call = RUN_NONE;
    a->node = RUN_NONE;
    a->first = act->ref_count;
    return a;
}

void emit_ref(struct run_actions *act, struct run_action *a, uint32_t node) {
    must(a == &act->items[act->count - 1]);
    must(act->ref_count < act->ref_max);
    must(a->first + a->count == act->ref_count);
    act->refs[act->ref_count++] = node;
    a->count++;
}

struct run_note *emit_note(struct run_actions *act, enum run_note_kind kind) {
    must(kind < RUN_NOTE_KIND_COUNT);
    struct run_note *note = &emit(act, RUN_ACT_SAY)->note;
    note->kind = kind;
    note->role = note->node = note->other = note->slot = RUN_NONE;
    note->phase = note->intent = note->pool = RUN_NONE;
    return note;
}

struct run_note *emit_node(const struct run *run, struct run_actions *act, enum run_note_kind kind,
                           uint32_t node) {
    must(node < run->node_count);
    struct run_note *note = emit_note(act, kind);
    note->node = node;
    note->role = run->nodes[node].role;
    note->slot = run->nodes[node].slot;
    note->why = run->nodes[node].why;
    return note;
}

uint64_t emit_record(struct run *run, struct run_actions *act, struct run_record *r) {
    r->sequence = run->record_next;
    if (run->journal_broken)
        return r->sequence;
    run->record_next++;
    emit(act, RUN_ACT_JOURNAL)->record = *r;
    return r->sequence;
}

void emit_node_record(struct run *run, struct run_actions *act, enum run_record_kind kind,
                      uint32_t node) {
    const struct run_node *n = &run->nodes[node];
    struct run_record r = {.kind = kind};
    must(kind == RUN_RECORD_NODE || kind == RUN_RECORD_GONE);
    memcpy(r.id, n->id, sizeof n->id);
    if (kind == RUN_RECORD_NODE) {
        r.intent = n->intent;
        r.role = n->role;
    }
    ignore(emit_record(run, act, &r)); /* nothing waits for it */
}

uint32_t emit_call(struct run *run) {
    must(run->call_next != RUN_NONE);
    return run->call_next++;
}
