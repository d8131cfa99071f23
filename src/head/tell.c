/* Notes of the core as story events: here, and only here, kinds and numbers become words. */
#include "head/state.h"

#include "base/units.h"

#include <inttypes.h>
#include <unistd.h>

#define EVENTS_MAX 100000 /* kept for the report; a run that says more has its file */

void tell_start(struct story_event *event, struct head *h, enum story_kind kind) {
    story_init(event, kind, head_unix_ms(h), h->id);
}

static void keep(struct head *h, const struct story_event *event) {
    if (event->kind == STORY_PROGRESS || h->event_count == EVENTS_MAX)
        return;
    if (h->event_count == h->event_capacity) {
        h->event_capacity = MAX(h->event_capacity * 2, 64u);
        h->events = mem_resize(h->events, h->event_capacity * sizeof *h->events);
    }
    struct story_event *copy = mem_new(sizeof *copy);
    *copy = *event;
    h->events[h->event_count++] = copy;
}

void tell(struct head *h, struct story_event *event) {
    event->seq = ++h->event_seq;
    if (h->events_fd >= 0) {
        CLEANUP(buf_deinit) struct buf line = BUF_INIT(64 * KIB);
        story_add_json(&line, event);
        buf_add_byte(&line, '\n');
        ignore(write(h->events_fd, line.ptr, line.len) < 0); /* the report has them too */
    }
    keep(h, event);
    if (h->o.observer.story)
        h->o.observer.story(h->o.observer.arg, event);
}

/* ---- words ---- */

static struct str role_name(const struct head *h, uint32_t role) {
    return h->plan && role < h->plan->role_count ? h->plan->roles[role].name : STR("nodes");
}

static struct str phase_name(const struct head *h, uint32_t phase) {
    return h->plan && phase < h->plan->phase_count ? h->plan->phases[phase].name : STR("?");
}

const char *tell_why(enum run_why why) {
    switch (why) {
    case RUN_WHY_SILENT:
        return "never called home";
    case RUN_WHY_PENDING:
        return "never started running";
    case RUN_WHY_DIED:
        return "the instance ended";
    case RUN_WHY_LINK_LOST:
        return "stopped answering";
    case RUN_WHY_NOTICE:
        return "Spot interruption";
    case RUN_WHY_SETUP_FAILED:
        return "its setup failed";
    case RUN_WHY_NOT_READY:
        return "its service is not ready";
    case RUN_WHY_NOT_PREPARED:
        return "could not prepare the phase";
    case RUN_WHY_TIMEOUT:
        return "timed out";
    case RUN_WHY_STRANGER:
        return "not an instance of this run";
    case RUN_WHY_SOURCE:
        return "joined from another address than the instance's";
    case RUN_WHY_CONTESTED:
        return "a second key for one instance";
    case RUN_WHY_TOO_LATE:
        return "joined after it was given up";
    case RUN_WHY_CAPACITY:
        return "no capacity";
    case RUN_WHY_QUOTA:
        return "the account's quota is used up";
    case RUN_WHY_DENIED:
        return "not permitted";
    case RUN_WHY_INVALID:
        return "the request can never work";
    case RUN_WHY_JOURNAL:
        return "the journal cannot be written";
    case RUN_WHY_BELOW_QUORUM:
        return "below quorum";
    case RUN_WHY_FAILED:
        return "a command failed";
    case RUN_WHY_THRESHOLD:
        return "a threshold with abort is broken";
    case RUN_WHY_USER:
        return "stopped by the user";
    case RUN_WHY_BUDGET:
        return "the budget is reached";
    case RUN_WHY_TTL:
        return "the ttl is near";
    default:
        return run_why_word(why);
    }
}

static void add_node(struct head *h, struct story_event *e, uint32_t node, char *name,
                     size_t size) {
    head_node_name(h, node, name, size);
    story_add_text(e, "node", str_from(name));
    story_add_text(e, "id", str_from(h->run->nodes[node].id));
}

static void say_elapsed(struct story_event *e, const struct head *h) {
    uint64_t now = loop_now_ns(h->loop);
    story_add_duration(e, "elapsed", now > h->run->stage_ns ? now - h->run->stage_ns : 0);
}

static void say_clock(struct buf *b, uint64_t ns) {
    units_add_clock(b, ns + NS_PER_S / 2); /* how long it took, to the nearest second */
}

/* ---- one function per subject ---- */

void tell_progress(struct head *h) {
    uint32_t phase = h->run->phase;
    const struct measure_second *last = measure_latest(h->measure, phase);
    uint32_t seconds = h->measure->phases[phase].final_count;
    bool is_told = h->told_phase == phase && h->told_seconds == seconds;
    if (!h->measure->phases[phase].request_count || !last || is_told)
        return;
    h->told_phase = phase;
    h->told_seconds = seconds;
    const struct measure_cell *total = &h->measure->phases[phase].total;
    uint64_t now = loop_now_ns(h->loop), start = h->phases[phase].start_ns;
    uint64_t errors = measure_errors(total), answers = total->ok + errors;
    struct run_tally all = run_tally(h->run, RUN_NONE);
    struct story_event e;
    tell_start(&e, h, STORY_PROGRESS);
    story_add_text(&e, "phase", phase_name(h, phase));
    story_add_duration(&e, "elapsed", now > start ? now - start : 0);
    story_add_rate(&e, "rate", last->ok * MICRO);
    if (last->asked)
        story_add_rate(&e, "rate_asked", last->asked * MICRO);
    if (total->latency.count) {
        story_add_latency(&e, "p50", hist_percentile_ns(&total->latency, 500000));
        story_add_latency(&e, "p99", hist_percentile_ns(&total->latency, 990000));
        story_add_latency(&e, "max", total->latency.max_ns);
    }
    story_add_ratio(&e, "errors", answers ? (int64_t)(errors * 1000000 / answers) : 0);
    story_add_int(&e, "answers", (int64_t)answers);
    story_add_of(&e, "nodes", all.joined, all.want);
    tell(h, &e);
}

/* The roles that have something to do in this stage: "web, db". */
static void add_busy_roles(struct buf *b, const struct head *h, enum run_stage stage) {
    for (uint32_t r = 0; h->plan && r < h->plan->role_count; r++) {
        const struct plan_role *role = &h->plan->roles[r];
        if (stage == RUN_STAGE_SETUP ? role->setup.len != 0 : role->service.run.len != 0)
            buf_printf(b, "%s%.*s", b->len ? ", " : "", STR_ARG(role->name));
    }
}

static void on_stage(struct head *h, const struct run_note *n) {
    enum run_stage stage = (enum run_stage)n->count; /* the run may already be further */
    struct story_event e;
    if (stage == RUN_STAGE_TEARDOWN) {
        tell_start(&e, h, STORY_DOWN);
        if (n->why == RUN_WHY_DONE || n->why == RUN_WHY_NONE)
            story_text(&e, "giving everything back");
        else
            story_text(&e, "giving everything back: %s", tell_why(n->why));
        story_verb(&e, "begin");
        story_add_text(&e, "why", str_from(run_why_word(n->why)));
        tell(h, &e);
    } else if (stage == RUN_STAGE_SETUP || stage == RUN_STAGE_SERVICE) {
        CLEANUP(buf_deinit) struct buf roles = BUF_INIT(64 * KIB);
        add_busy_roles(&roles, h, stage);
        if (!roles.len)
            return;
        bool setup = stage == RUN_STAGE_SETUP;
        tell_start(&e, h, setup ? STORY_SETUP : STORY_SERVICE);
        story_text(&e, "%s: %s", buf_text(&roles), setup ? "setup runs" : "the service starts");
        story_verb(&e, "begin");
        story_add_text(&e, "roles", buf_str(&roles));
        tell(h, &e);
    }
}

static void on_launch(struct head *h, const struct run_note *n) {
    struct story_event e;
    tell_start(&e, h, STORY_LAUNCH);
    struct str role = role_name(h, n->role);
    switch (n->kind) {
    case RUN_NOTE_LAUNCHED:
        story_text(&e, "%.*s %u/%u launched", STR_ARG(role), n->count, n->of);
        story_add_of(&e, "launched", n->count, n->of);
        break;
    case RUN_NOTE_LAUNCH_UNKNOWN:
        story_text(&e, "a launch call of %.*s got no answer; asking again with the same token",
                   STR_ARG(role));
        story_verb(&e, "unknown");
        e.mark = STORY_WARN;
        break;
    case RUN_NOTE_LAUNCH_SETTLED:
        story_text(&e, "the launch without an answer is settled: it brought %u of %u", n->count,
                   n->of);
        story_verb(&e, "settled");
        break;
    default:
        story_text(&e, "%.*s: launch refused: %s", STR_ARG(role), tell_why(n->why));
        story_verb(&e, "refused");
        e.mark = STORY_WARN;
        break;
    }
    story_add_text(&e, "role", role);
    say_elapsed(&e, h);
    tell(h, &e);
}

static void on_short(struct head *h, const struct run_note *n) {
    struct story_event e;
    tell_start(&e, h, STORY_CAPACITY);
    e.mark = STORY_WARN;
    const char *why = n->why == RUN_WHY_QUOTA ? "quota used up" : "no capacity";
    if (h->plan && n->pool != RUN_NONE && n->pool < h->roles[n->role].pool_count) {
        const struct head_pool *p = &h->roles[n->role].pools[n->pool];
        story_text(&e, "%.*s %.*s is short (%s), trying the others", STR_ARG(p->type),
                   STR_ARG(p->zone), why);
        story_add_text(&e, "instance_type", p->type); /* "type" is the kind of the event */
        story_add_text(&e, "zone", p->zone);
    } else {
        story_text(&e, "%.*s: %s", STR_ARG(role_name(h, n->role)), why);
    }
    story_add_text(&e, "why", str_from(run_why_word(n->why)));
    tell(h, &e);
}

static void on_joined(struct head *h, const struct run_note *n) {
    struct story_event e;
    char name[64];
    tell_start(&e, h, STORY_NODE);
    story_verb(&e, n->kind == RUN_NOTE_ADOPTED ? "adopted" : "joined");
    e.detail = true;
    add_node(h, &e, n->node, name, sizeof name);
    if (n->kind == RUN_NOTE_JOINED)
        story_add_of(&e, "answered", n->count, n->of);
    story_text(&e, "%s %s", name, n->kind == RUN_NOTE_ADOPTED ? "found by its tag" : "answered");
    tell(h, &e);
}

static void on_silent(struct head *h, const struct run_note *n) {
    struct story_event e;
    char name[64];
    tell_start(&e, h, STORY_ROLLCALL);
    e.mark = STORY_WARN;
    story_verb(&e, "silent");
    add_node(h, &e, n->node, name, sizeof name);
    story_add_text(&e, "why", str_from(run_why_word(n->why)));
    story_add_duration(&e, "for", n->value_ns);
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(400);
    buf_printf(&text, "%s (%s) ", name, h->run->nodes[n->node].id);
    buf_add_text(&text, n->why == RUN_WHY_SILENT ? "running " : "asked for ");
    say_clock(&text, n->value_ns);
    buf_printf(&text, " ago, %s", tell_why(n->why));
    story_text(&e, "%s", buf_text(&text));
    h->nodes[n->node].named_dud = true;
    if (!h->nodes[n->node].note[0])
        snprintf(h->nodes[n->node].note, sizeof h->nodes[n->node].note, "dud: %s",
                 tell_why(n->why));
    tell(h, &e);
}

static void on_replacing(struct head *h, const struct run_note *n) {
    struct story_event e;
    char name[64];
    tell_start(&e, h, STORY_ROLLCALL);
    e.mark = STORY_WARN;
    const char *id = n->node == RUN_NONE ? "" : h->run->nodes[n->node].id;
    if (n->kind == RUN_NOTE_REPLACING) {
        story_verb(&e, "replace");
        story_add_text(&e, "role", role_name(h, n->role));
        story_add_int(&e, "count", n->count);
        story_text(&e, "%u more of %.*s asked for, to take the numbers of the missing", n->count,
                   STR_ARG(role_name(h, n->role)));
        tell(h, &e);
        return;
    }
    if (n->kind == RUN_NOTE_REPLACED) {
        story_verb(&e, "replaced");
        story_add_text(&e, "old", str_from(id));
        add_node(h, &e, n->other, name, sizeof name);
        story_text(&e, "%s is now %s; %s is given back", name, h->run->nodes[n->other].id, id);
        e.mark = STORY_OK;
    } else {
        story_verb(&e, "given_up");
        add_node(h, &e, n->node, name, sizeof name);
        story_text(&e, "%s (%s) is given up: %s, and no replacement is left", name, id,
                   tell_why(n->why));
    }
    story_add_text(&e, "why", str_from(run_why_word(n->why)));
    tell(h, &e);
}

static void on_rollcall(struct head *h, const struct run_note *n) {
    struct story_event e;
    tell_start(&e, h, n->kind == RUN_NOTE_BELOW_QUORUM ? STORY_LOST : STORY_ROLLCALL);
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(400);
    if (n->kind == RUN_NOTE_ROLLCALL_DONE) {
        buf_printf(&text, "%u/%u in ", n->count, n->of);
        say_clock(&text, n->value_ns);
        story_add_of(&e, "answered", n->count, n->of);
        e.mark = n->count >= n->of ? STORY_OK : STORY_WARN;
    } else if (n->kind == RUN_NOTE_QUORUM) {
        buf_printf(&text, "%.*s: going on with %u of %u", STR_ARG(role_name(h, n->role)), n->count,
                   n->of);
        story_verb(&e, "quorum");
        story_add_of(&e, "answered", n->count, n->of);
        e.mark = STORY_WARN;
    } else {
        buf_printf(&text, "%.*s %u < %u: below quorum", STR_ARG(role_name(h, n->role)), n->count,
                   n->of);
        if (n->why != RUN_WHY_NONE) {
            buf_printf(&text, " (%s)", tell_why(n->why));
            story_add_text(&e, "why", str_from(run_why_word(n->why)));
        }
        story_add_of(&e, "here", n->count, n->of);
        e.mark = STORY_FAIL;
    }
    story_text(&e, "%s", buf_text(&text));
    tell(h, &e);
}

static void on_node_trouble(struct head *h, const struct run_note *n) {
    struct story_event e;
    char name[64];
    tell_start(&e, h, STORY_NODE);
    e.mark = STORY_WARN;
    add_node(h, &e, n->node, name, sizeof name);
    const char *note = h->nodes[n->node].note;
    switch (n->kind) {
    case RUN_NOTE_SETUP_FAILED:
        e.kind = STORY_SETUP;
        story_verb(&e, "failed");
        story_text(&e, "%s: %s", name, note[0] ? note : "setup failed");
        break;
    case RUN_NOTE_NOT_READY:
        e.kind = STORY_SERVICE;
        story_verb(&e, "not_ready");
        story_text(&e, "%s: %s", name, note[0] ? note : "not ready");
        break;
    case RUN_NOTE_LINK_LOST:
        story_verb(&e, "silent");
        story_text(&e, "%s has lost its link; asking the cloud about it", name);
        break;
    case RUN_NOTE_LINK_BACK:
        story_verb(&e, "back");
        story_text(&e, "%s is back", name);
        e.mark = STORY_OK;
        break;
    case RUN_NOTE_TERMINATE_FAILED:
        story_verb(&e, "terminate_failed");
        story_text(&e, "%s could not be ended yet (try %u)", name, n->count);
        break;
    default:
        story_verb(&e, "lost");
        story_add_text(&e, "why", str_from(run_why_word(n->why)));
        story_text(&e, "%s is lost: %s", name, tell_why(n->why));
        if (!note[0])
            snprintf(h->nodes[n->node].note, sizeof h->nodes[n->node].note, "%s", tell_why(n->why));
        break;
    }
    tell(h, &e);
}

static void on_phase(struct head *h, const struct run_note *n) {
    struct story_event e;
    struct head_phase *p = &h->phases[n->phase];
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(400);
    bool start = n->kind == RUN_NOTE_PHASE_START;
    tell_start(&e, h, start ? STORY_PHASE_START : STORY_PHASE_END);
    story_add_text(&e, "phase", phase_name(h, n->phase));
    if (start) {
        if (!p->begun) { /* a wait: nobody is ordered to start */
            p->begun = true;
            p->start_ns = n->value_ns ? n->value_ns : loop_now_ns(h->loop);
            p->start_unix_ms = head_unix_ms(h);
            measure_begin(h->measure, n->phase, p->start_ns, p->start_unix_ms, 0);
        }
        buf_printf(&text, "%.*s", STR_ARG(phase_name(h, n->phase)));
        if (n->count)
            buf_printf(&text, " on %u node%s", n->count, n->count == 1 ? "" : "s");
        story_add_int(&e, "nodes", n->count);
    } else {
        p->ended = true;
        p->why = n->why;
        p->nodes_ok = n->count;
        p->end_ns = loop_now_ns(h->loop);
        p->end_unix_ms = head_unix_ms(h);
        measure_end(h->measure, n->phase, p->end_ns, p->end_unix_ms);
        uint64_t took = p->begun && p->end_ns > p->start_ns ? p->end_ns - p->start_ns : 0;
        bool ok = n->why == RUN_WHY_NONE || n->why == RUN_WHY_DONE;
        buf_printf(&text, "%.*s %s ", STR_ARG(phase_name(h, n->phase)),
                   ok ? "ok" : tell_why(n->why));
        say_clock(&text, took);
        if (p->nodes > 1 && p->first_start_ns) {
            buf_add_text(&text, ", start spread ");
            units_add_latency(&text, p->last_start_ns - p->first_start_ns);
            story_add_latency(&e, "skew", p->last_start_ns - p->first_start_ns);
        }
        story_add_duration(&e, "took", took);
        story_add_bool(&e, "ok", ok);
        e.mark = ok ? STORY_OK : STORY_FAIL;
    }
    story_text(&e, "%s", buf_text(&text));
    tell(h, &e);
}

static void on_phase_node_failed(struct head *h, const struct run_note *n) {
    struct story_event e;
    char name[64];
    tell_start(&e, h, STORY_NODE);
    e.mark = STORY_WARN;
    story_verb(&e, "failed");
    add_node(h, &e, n->node, name, sizeof name);
    story_add_text(&e, "phase", phase_name(h, n->phase));
    story_add_int(&e, "exit", n->value);
    const char *note = h->nodes[n->node].note;
    if (n->why != RUN_WHY_FAILED && n->why != RUN_WHY_NOT_PREPARED)
        h->phases[n->phase].nodes_lost++; /* by the note's phase: the run's own may have moved on */
    story_text(&e, "%s in %.*s: %s", name, STR_ARG(phase_name(h, n->phase)),
               note[0] ? note : tell_why(n->why));
    if (!h->phases[n->phase].detail[0])
        snprintf(h->phases[n->phase].detail, sizeof h->phases[n->phase].detail, "%s on %s",
                 note[0] ? note : tell_why(n->why), name);
    tell(h, &e);
}

static void on_notice(struct head *h, const struct run_note *n) {
    struct story_event e;
    char name[64];
    tell_start(&e, h, STORY_INTERRUPT);
    e.mark = STORY_ALERT;
    add_node(h, &e, n->node, name, sizeof name);
    uint64_t now = loop_now_ns(h->loop), left = n->value_ns > now ? n->value_ns - now : 0;
    int64_t ends = head_unix_ms(h) + (int64_t)(left / NS_PER_MS);
    story_add_instant(&e, "ends", ends);
    story_text(&e, "notice for %s (%s): it ends in %" PRIu64 " s", name, h->run->nodes[n->node].id,
               left / NS_PER_S);
    tell(h, &e);
}

static void on_stopping(struct head *h, const struct run_note *n) {
    static const char *const levels[] = {
        "", "load off now; collecting results, then giving nodes back. ^C again: skip collecting",
        "giving nodes back without collecting. ^C again: leave now",
        "leaving after the last calls; every node also ends itself at its ttl"};
    struct story_event e;
    tell_start(&e, h, STORY_STOP);
    e.mark = STORY_WARN;
    story_add_text(&e, "why", str_from(run_why_word(n->why)));
    story_add_int(&e, "level", n->count);
    if (n->why == RUN_WHY_USER && n->count == 1 && h->run->stage >= RUN_STAGE_TEARDOWN)
        story_text(&e, "everything is being given back already; ^C three times leaves at once");
    else if (n->why == RUN_WHY_USER && n->count < ARRAY_LEN(levels))
        story_text(&e, "%s", levels[n->count]);
    else
        story_text(&e, "stopping: %s", tell_why(n->why));
    tell(h, &e);
}

static void on_sweep(struct head *h, const struct run_note *n) {
    if (h->sweep_count < ARRAY_LEN(h->sweeps))
        h->sweeps[h->sweep_count++] =
            (struct result_sweep){.unix_ms = head_unix_ms(h), .complete = true, .found = n->count};
}

static void on_list_failed(struct head *h, const struct run_note *n) {
    (void)n;
    if (h->run->stage == RUN_STAGE_TEARDOWN && h->sweep_count < ARRAY_LEN(h->sweeps))
        h->sweeps[h->sweep_count++] =
            (struct result_sweep){.unix_ms = head_unix_ms(h), .complete = false};
}

static void on_down(struct head *h, const struct run_note *n) {
    struct story_event e;
    struct run_tally all = run_tally(h->run, RUN_NONE);
    bool yes = n->kind == RUN_NOTE_CLEAN;
    tell_start(&e, h, STORY_DOWN);
    story_add_of(&e, "gone", yes && n->count ? n->count : all.gone, all.ever);
    story_add_bool(&e, "verified", yes);
    if (yes) {
        h->clean = true;
        h->clean_unix_ms = head_unix_ms(h);
        story_text(&e,
                   "%u/%u ever launched are gone, %u template%s and %u group%s deleted; "
                   "nothing tagged dayfly:run=%s is left",
                   all.ever, all.ever, h->templates_deleted, h->templates_deleted == 1 ? "" : "s",
                   h->groups_deleted, h->groups_deleted == 1 ? "" : "s", h->id);
        e.mark = STORY_OK;
    } else if (n->kind == RUN_NOTE_PROVISIONAL) {
        story_verb(&e, "provisional");
        story_text(&e, "nothing is left, provisionally: a launch call without an answer may still "
                       "act; waiting for it to settle");
        e.mark = STORY_WARN;
    } else {
        h->kept = n->count;
        story_verb(&e, "kept");
        story_text(&e, "kept until the ttl: %u nodes. dayfly down %s ends them", n->count, h->id);
        e.mark = STORY_WARN;
    }
    tell(h, &e);
}

static void on_leak(struct head *h, const struct run_note *n) {
    struct story_event e;
    char name[64] = "this run";
    tell_start(&e, h, STORY_LEAK);
    e.mark = STORY_ALERT;
    if (n->node != RUN_NONE)
        add_node(h, &e, n->node, name, sizeof name);
    const char *id = n->node != RUN_NONE ? h->run->nodes[n->node].id : name;
    story_text(&e,
               "could not confirm that %s is gone (%s). It ends itself at its ttl; "
               "check or finish with:  dayfly down %s",
               id, tell_why(n->why), h->id);
    if (!h->leak[0])
        snprintf(h->leak, sizeof h->leak, "%s (%s); next: dayfly down %s", id, tell_why(n->why),
                 h->id);
    tell(h, &e);
}

static void on_plain(struct head *h, const struct run_note *n) {
    struct story_event e;
    tell_start(&e, h, STORY_NOTE);
    switch (n->kind) {
    case RUN_NOTE_COLLECTED:
        e.kind = STORY_COLLECT;
        story_add_of(&e, "nodes", n->count, n->of);
        story_text(&e, "%u/%u nodes", n->count, n->of);
        e.mark = n->count == n->of ? STORY_OK : STORY_WARN;
        break;
    case RUN_NOTE_SPARE_RELEASED:
        e.kind = STORY_NODE;
        story_verb(&e, "spare");
        story_text(&e, "spare %s is not needed and given back", h->run->nodes[n->node].id);
        break;
    case RUN_NOTE_REFUSED:
        e.kind = STORY_NODE;
        story_verb(&e, "refused");
        story_add_text(&e, "why", str_from(run_why_word(n->why)));
        story_text(&e, "a join was refused: %s", tell_why(n->why));
        e.mark = STORY_WARN;
        break;
    case RUN_NOTE_SETTLING:
        story_text(&e, "waiting for a launch call without an answer to settle");
        break;
    case RUN_NOTE_RESOURCES_FAILED:
        e.mark = STORY_WARN;
        story_text(&e, "a template or group could not be deleted yet; trying again");
        break;
    default:
        e.mark = STORY_ALERT;
        story_text(&e, "the journal cannot be written: nothing more is launched");
        break;
    }
    tell(h, &e);
}

static void on_journal_broken(struct head *h, const struct run_note *n) {
    if (h->journal) /* a teardown by tags has none, and has said so */
        on_plain(h, n);
}

/* Who tells what; the kinds without a teller show in the live view alone. */
static void (*const TELLERS[RUN_NOTE_KIND_COUNT])(struct head *, const struct run_note *) = {
    [RUN_NOTE_STAGE] = on_stage,
    [RUN_NOTE_LAUNCHED] = on_launch,
    [RUN_NOTE_LAUNCH_UNKNOWN] = on_launch,
    [RUN_NOTE_LAUNCH_SETTLED] = on_launch,
    [RUN_NOTE_LAUNCH_REFUSED] = on_launch,
    [RUN_NOTE_SHORT] = on_short,
    [RUN_NOTE_ADOPTED] = on_joined,
    [RUN_NOTE_JOINED] = on_joined,
    [RUN_NOTE_SILENT] = on_silent,
    [RUN_NOTE_REPLACING] = on_replacing,
    [RUN_NOTE_REPLACED] = on_replacing,
    [RUN_NOTE_GIVEN_UP] = on_replacing,
    [RUN_NOTE_QUORUM] = on_rollcall,
    [RUN_NOTE_BELOW_QUORUM] = on_rollcall,
    [RUN_NOTE_ROLLCALL_DONE] = on_rollcall,
    [RUN_NOTE_SETUP_FAILED] = on_node_trouble,
    [RUN_NOTE_NOT_READY] = on_node_trouble,
    [RUN_NOTE_LINK_LOST] = on_node_trouble,
    [RUN_NOTE_LINK_BACK] = on_node_trouble,
    [RUN_NOTE_NODE_LOST] = on_node_trouble,
    [RUN_NOTE_TERMINATE_FAILED] = on_node_trouble,
    [RUN_NOTE_NOTICE] = on_notice,
    [RUN_NOTE_PHASE_START] = on_phase,
    [RUN_NOTE_PHASE_END] = on_phase,
    [RUN_NOTE_PHASE_NODE_FAILED] = on_phase_node_failed,
    [RUN_NOTE_STOPPING] = on_stopping,
    [RUN_NOTE_SWEEP] = on_sweep,
    [RUN_NOTE_LIST_FAILED] = on_list_failed,
    [RUN_NOTE_CLEAN] = on_down,
    [RUN_NOTE_PROVISIONAL] = on_down,
    [RUN_NOTE_KEPT] = on_down,
    [RUN_NOTE_LEAK] = on_leak,
    [RUN_NOTE_COLLECTED] = on_plain,
    [RUN_NOTE_SPARE_RELEASED] = on_plain,
    [RUN_NOTE_REFUSED] = on_plain,
    [RUN_NOTE_SETTLING] = on_plain,
    [RUN_NOTE_RESOURCES_FAILED] = on_plain,
    [RUN_NOTE_JOURNAL_BROKEN] = on_journal_broken,
    [RUN_NOTE_NODE_READY] = NULL,
    [RUN_NOTE_PHASE_PREPARING] = NULL,
    [RUN_NOTE_TERMINATING] = NULL,
    [RUN_NOTE_RESOURCES_DELETED] = NULL,
};

void tell_note(struct head *h, const struct run_note *n) {
    must(n->kind < RUN_NOTE_KIND_COUNT);
    if (TELLERS[n->kind])
        TELLERS[n->kind](h, n);
}
