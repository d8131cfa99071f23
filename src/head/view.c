/* The live view: a snapshot of the run for the screen, a few times a second. */
#include "head/state.h"

#include "base/units.h"
#include "base/when.h"

#include <inttypes.h>

static enum live_stage stage_of(const struct head *h) {
    switch (h->run->stage) {
    case RUN_STAGE_NEW:
    case RUN_STAGE_PREPARE:
        return LIVE_START;
    case RUN_STAGE_LAUNCH:
        return LIVE_LAUNCH;
    case RUN_STAGE_ROLLCALL:
        return LIVE_ROLLCALL;
    case RUN_STAGE_SETUP:
        return LIVE_SETUP;
    case RUN_STAGE_SERVICE:
        return LIVE_SERVICES;
    case RUN_STAGE_PHASES:
        return LIVE_PHASE;
    case RUN_STAGE_COLLECT:
        return LIVE_COLLECT;
    case RUN_STAGE_TEARDOWN:
        return LIVE_DOWN;
    case RUN_STAGE_DONE:
    case RUN_STAGE_COUNT:
        break;
    }
    return LIVE_DONE;
}

/* What the stage counts, of a tally. */
static uint32_t have_of(enum live_stage stage, const struct run_tally *t) {
    switch (stage) {
    case LIVE_START:
        return 0;
    case LIVE_LAUNCH:
        return t->running;
    case LIVE_ROLLCALL:
    case LIVE_SETUP:
    case LIVE_PHASE:
        return t->joined;
    case LIVE_SERVICES:
    case LIVE_COLLECT:
        return t->ready;
    case LIVE_DOWN:
    case LIVE_DONE:
        return t->gone;
    }
    return 0;
}

static void copy(char *into, size_t size, const char *text) {
    snprintf(into, size, "%s", text);
}

/* "missing client:7,19" of a role, from slots that nobody fills yet. */
static void add_missing(const struct head *h, uint32_t r, struct buf *b) {
    uint32_t missing[64];
    size_t count = 0;
    const struct run_role *role = &h->run->roles[r];
    for (uint32_t i = 0; i < h->run->config.roles[r].want && count < ARRAY_LEN(missing); i++) {
        uint32_t node = h->run->slots[role->first_slot + i].node;
        bool here = node != RUN_NONE && h->run->nodes[node].state >= RUN_NODE_JOINED &&
                    h->run->nodes[node].state <= RUN_NODE_READY;
        if (!here)
            missing[count++] = i;
    }
    if (!count)
        return;
    buf_add_text(b, "missing ");
    nodeset_add_folded(b, h->plan->roles[r].name, missing, count);
}

/* "c7g.large x9, c6g.large x6" of the instances that a role has. */
static void add_types(const struct head *h, uint32_t r, struct buf *b) {
    struct {
        const char *type;
        uint32_t count;
    } types[8];
    uint32_t known = 0;
    for (uint32_t i = 0; i < h->run->node_count; i++) {
        const struct run_node *n = &h->run->nodes[i];
        if (n->role != r || n->state >= RUN_NODE_LOST || !h->nodes[i].type[0])
            continue;
        uint32_t k = 0;
        while (k < known && strcmp(types[k].type, h->nodes[i].type) != 0)
            k++;
        if (k == ARRAY_LEN(types))
            continue;
        if (k == known) {
            types[known].type = h->nodes[i].type;
            types[known++].count = 0;
        }
        types[k].count++;
    }
    for (uint32_t k = 0; k < known; k++)
        buf_printf(b, "%s%s x%" PRIu32, k ? ", " : "", types[k].type, types[k].count);
}

static void fill_roles(struct head *h, struct live_view *v) {
    v->role_count = h->plan ? MIN(h->plan->role_count, (uint32_t)LIVE_ROLES_MAX) : 0;
    for (uint32_t r = 0; r < v->role_count; r++) {
        struct live_role *role = &v->roles[r];
        struct run_tally t = run_tally(h->run, r);
        CLEANUP(buf_deinit) struct buf note = BUF_INIT(4096);
        snprintf(role->name, sizeof role->name, "%.*s", STR_ARG(h->plan->roles[r].name));
        role->have = have_of(v->stage, &t);
        role->want = v->stage >= LIVE_DOWN ? t.ever : t.want;
        if (v->stage == LIVE_ROLLCALL)
            add_missing(h, r, &note);
        else if (v->stage == LIVE_LAUNCH)
            add_types(h, r, &note);
        copy(role->note, sizeof role->note, buf_text(&note));
    }
}

static void fill_exceptions(struct head *h, struct live_view *v) {
    v->node_count = 0;
    v->nodes_more = 0;
    if (v->stage < LIVE_ROLLCALL || v->stage > LIVE_SERVICES)
        return;
    for (uint32_t i = 0; i < h->run->node_count; i++) {
        const struct run_node *n = &h->run->nodes[i];
        if (!n->named || n->state == RUN_NODE_GONE || n->joined_ns != RUN_NEVER)
            continue;
        if (v->node_count == LIVE_NODES_MAX) {
            v->nodes_more++;
            continue;
        }
        struct live_node *x = &v->nodes[v->node_count++];
        head_node_name(h, i, x->who, sizeof x->who);
        CLEANUP(buf_deinit) struct buf what = BUF_INIT(200);
        buf_printf(&what, "%s  running ", n->id);
        uint64_t since = n->running_ns == RUN_NEVER ? n->launched_ns : n->running_ns;
        uint64_t now = loop_now_ns(h->loop);
        units_add_clock(&what, now > since ? now - since : 0);
        buf_add_text(&what, ", never called home");
        copy(x->what, sizeof x->what, buf_text(&what));
        copy(x->then, sizeof x->then, "being replaced");
    }
}

static void add_wall(const struct head *h, uint64_t at_ns, struct buf *b) {
    int64_t left_ms = ((int64_t)at_ns - (int64_t)loop_now_ns(h->loop)) / 1000000;
    when_add_time(b, head_unix_ms(h) + left_ms, h->o.zone_offset_s);
}

static void fill_until(struct head *h, struct live_view *v) {
    CLEANUP(buf_deinit) struct buf b = BUF_INIT(400);
    v->until[0] = '\0';
    if (v->stage != LIVE_LAUNCH && v->stage != LIVE_ROLLCALL)
        return;
    buf_add_text(&b, "quorum ");
    for (uint32_t r = 0; r < h->plan->role_count; r++)
        buf_printf(&b, "%s%.*s %" PRIu32, r ? ", " : "", STR_ARG(h->plan->roles[r].name),
                   h->plan->roles[r].min);
    buf_add_text(&b, " by ");
    add_wall(h, h->run->deadline_ns, &b);
    buf_printf(&b, ", otherwise give all back (exit %d)", v->stage == LIVE_LAUNCH ? 5 : 6);
    copy(v->until, sizeof v->until, buf_text(&b));
}

static void fill_then(struct head *h, struct live_view *v) {
    CLEANUP(buf_deinit) struct buf b = BUF_INIT(4096);
    const char *arrow = " -> ";
    if (v->stage == LIVE_LAUNCH)
        buf_add_text(&b, "roll-call -> ");
    uint32_t from = h->run->phase == RUN_NONE ? 0 : h->run->phase + 1;
    if (v->stage >= LIVE_COLLECT || h->run->end_why != RUN_WHY_NONE)
        from = h->plan->phase_count; /* an early end: no phase comes any more */
    for (uint32_t p = from; p < h->plan->phase_count; p++)
        buf_printf(&b, "%.*s%s", STR_ARG(h->plan->phases[p].name), arrow);
    if (h->run->config.collects && v->stage < LIVE_COLLECT)
        buf_printf(&b, "collect%s", arrow);
    if (v->stage < LIVE_DOWN)
        buf_add_text(&b, "down");
    copy(v->then, sizeof v->then, buf_text(&b));
}

static void fill_errors(struct head *h, uint32_t phase, struct live_phase *v) {
    const struct measure_cell *total = &h->measure->phases[phase].total;
    v->requests = total->ok + measure_errors(total);
    v->errors_total = measure_errors(total);
    v->error_count = 0;
    for (int e = 0; e < LOAD_ERROR_COUNT && v->error_count < LIVE_ERRORS_MAX; e++) {
        if (!total->errors[e])
            continue;
        copy(v->errors[v->error_count].name, LIVE_NAME_BYTES, load_error_text((enum load_error)e));
        v->errors[v->error_count++].count = total->errors[e];
    }
}

static void fill_load(struct head *h, uint32_t phase, struct live_phase *v) {
    const struct measure_phase *p = &h->measure->phases[phase];
    const struct measure_second *last = measure_latest(h->measure, phase);
    v->has_load = p->request_count > 0;
    v->reporters = p->nodes;
    v->reporting = last ? last->reports : p->nodes;
    v->latency = (struct live_latency){0};
    v->spark_count = 0;
    if (!last)
        return;
    v->rate_micro_per_s = last->ok * MICRO;
    v->rate_asked_micro_per_s = last->asked * MICRO;
    const struct measure_cell *total = &p->total;
    v->latency = (struct live_latency){
        .known = total->latency.count > 0,
        .p50_ns = hist_percentile_ns(&total->latency, 500000),
        .p95_ns = hist_percentile_ns(&total->latency, 950000),
        .p99_ns = hist_percentile_ns(&total->latency, 990000),
        .p999_ns = hist_percentile_ns(&total->latency, 999000),
        .max_ns = total->latency.count ? total->latency.max_ns : 0,
        .service_p99_ns = hist_percentile_ns(&total->service, 990000),
    };
    uint32_t count = MIN(p->final_count, (uint32_t)LIVE_SPARK_MAX);
    for (uint32_t i = 0; i < count; i++)
        v->spark_micro_per_s[v->spark_count++] =
            h->measure->seconds[p->first_second + p->final_count - count + i].ok * MICRO;
    fill_errors(h, phase, v);
}

static void fill_phase(struct head *h, struct live_view *v) {
    uint32_t phase = h->run->phase;
    if (v->stage != LIVE_PHASE || phase == RUN_NONE)
        return;
    struct live_phase *p = &v->phase;
    snprintf(p->name, sizeof p->name, "%.*s", STR_ARG(h->plan->phases[phase].name));
    p->trial = p->trials = 1;
    uint64_t start = h->phases[phase].start_ns, now = loop_now_ns(h->loop);
    p->elapsed_ns = h->phases[phase].begun && now > start ? now - start : 0;
    p->total_ns = h->plan->phases[phase].duration_ns;
    if (p->total_ns)
        p->elapsed_ns = MIN(p->elapsed_ns, p->total_ns);
    fill_load(h, phase, p);
}

static void fill_cpu(struct head *h, struct live_view *v) {
    uint64_t sum = 0;
    uint32_t count = 0, worst = 0;
    v->cpu_known = false;
    v->warning[0] = '\0';
    uint32_t phase = h->run->phase;
    if (v->stage != LIVE_PHASE || phase == RUN_NONE ||
        h->plan->phases[phase].kind != PLAN_PHASE_HTTP)
        return; /* nobody generates */
    for (uint32_t i = 0; i < h->run->node_count; i++) {
        if (h->run->nodes[i].part != RUN_PART_STARTED || !h->nodes[i].has_cpu)
            continue;
        sum += h->nodes[i].cpu_ppm;
        count++;
        if (h->nodes[i].cpu_ppm >= worst) {
            worst = h->nodes[i].cpu_ppm;
            head_node_name(h, i, v->cpu_worst, sizeof v->cpu_worst);
        }
    }
    if (!count)
        return;
    v->cpu_known = true;
    v->cpu_percent = (uint32_t)(sum / count / 10000);
    v->cpu_worst_percent = worst / 10000;
    if (v->cpu_percent >= 90)
        snprintf(v->warning, sizeof v->warning,
                 "generators cpu %" PRIu32 " %%: latency is inflated, the rate may not be what "
                 "you asked for",
                 v->cpu_percent);
}

static void fill_thresholds(struct head *h, struct live_view *v) {
    v->threshold_count = MIN(h->plan->threshold_count, (uint32_t)LIVE_THRESHOLDS_MAX);
    for (uint32_t i = 0; i < v->threshold_count; i++) {
        enum verdict_state state = h->measure->results[i].state;
        copy(v->thresholds[i].text, LIVE_NAME_BYTES, h->plan->thresholds[i].text);
        v->thresholds[i].state = state == VERDICT_BROKEN || state == VERDICT_NO_DATA ? LIVE_FAILING
                                 : state == VERDICT_WAITING                          ? LIVE_UNTESTED
                                                                                     : LIVE_PASSING;
    }
}

static void fill_down(struct head *h, struct live_view *v) {
    if (v->stage != LIVE_DOWN)
        return;
    CLEANUP(buf_deinit) struct buf b = BUF_INIT(400);
    uint32_t shown = 0, ending = 0;
    for (uint32_t i = 0; i < h->run->node_count; i++) {
        if (h->run->nodes[i].state == RUN_NODE_GONE)
            continue;
        char name[64];
        ending++;
        if (shown == 4)
            continue;
        head_node_name(h, i, name, sizeof name);
        buf_printf(&b, "%s%s", shown++ ? " " : "shutting down: ", name);
    }
    if (ending > shown)
        buf_printf(&b, " and %" PRIu32 " more", ending - shown);
    copy(v->still, sizeof v->still, buf_text(&b));
    snprintf(v->verified, sizeof v->verified, "%" PRIu32 " empty sweep%s of 2 by tag query",
             h->run->empty_sweeps, h->run->empty_sweeps == 1 ? "" : "s");
    if (!h->deadline_unix_ms)
        return;
    buf_reset(&b);
    buf_add_text(&b, "every node also ends itself at ");
    when_add_time(&b, h->deadline_unix_ms, h->o.zone_offset_s);
    buf_add_text(&b, " (ttl)");
    copy(v->safety, sizeof v->safety, buf_text(&b));
}

void view_update(struct head *h) {
    if (!h->o.observer.live)
        return;
    struct live_view *v = &h->view;
    struct run_tally all = run_tally(h->run, RUN_NONE);
    v->stage = stage_of(h);
    v->frame++;
    uint64_t now = loop_now_ns(h->loop);
    v->elapsed_ns = now > h->run->stage_ns ? now - h->run->stage_ns : 0;
    v->have = have_of(v->stage, &all);
    v->want = v->stage >= LIVE_DOWN ? all.ever : all.want;
    v->fleet_up = all.joined;
    v->fleet_want = all.want;
    v->stop_level = h->stop_level;
    v->rehearsal = h->o.cloud != NULL;
    v->spent_usd_micro = (int64_t)run_cost_usd_micro(h->run, now);
    fill_roles(h, v);
    fill_down(h, v);
    if (h->plan) {
        v->budget_usd_micro = (int64_t)h->plan->fleet.budget_usd_micro;
        fill_exceptions(h, v);
        fill_until(h, v);
        fill_then(h, v);
        fill_phase(h, v);
        fill_cpu(h, v);
        fill_thresholds(h, v);
    }
    h->o.observer.live(h->o.observer.arg, v);
}
