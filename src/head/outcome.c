/* What the run came to: the core's state, the measurements and the plan as one struct result. */
#include "head/state.h"

#include "base/log.h"
#include "base/units.h"
#include "base/when.h"
#include "core/cost.h"
#include "head/truth.h"

#include <inttypes.h>
#include <sys/utsname.h>

#define CPU_LIMIT_PERCENT 90 /* a generator busier than this is the limit itself */
#define SKEW_LIMIT_NS (10 * NS_PER_MS)
#define RATE_MISSED_PPM 1000 /* 0.1 % */

struct making {
    struct head *h;
    struct arena *arena;
    struct result *r;
    struct validity validity;
    bool mostly_errors;
    struct result_exit exits[OUTCOME_COUNT];
    struct result_validity statements[VALIDITY_REASONS_MAX + 4];
    struct result_error errors[512];
};

static const char *text_of(struct making *m, struct str s) {
    return arena_text(m->arena, s);
}

static const char *money_text(struct making *m, uint64_t usd_micro) {
    CLEANUP(buf_deinit) struct buf b = BUF_INIT(64);
    units_add_money(&b, usd_micro);
    return text_of(m, buf_str(&b));
}

/* ---- thresholds ---- */

struct extra {
    struct head *h;
};

/* Metrics that are not in the samples. */
static bool read_extra(void *context, const struct threshold *t, int64_t *ret) {
    struct head *h = ((struct extra *)context)->h;
    uint64_t sum = 0, count = 0;
    switch (t->metric) {
    case METRIC_COST:
        *ret = (int64_t)run_cost_usd_micro(h->run, h->run->now_ns);
        return true;
    case METRIC_LOST_NODES:
        for (uint32_t p = 0; p < h->plan->phase_count; p++)
            if (!t->in[0] || str_equal(str_from(t->in), h->plan->phases[p].name))
                sum += h->phases[p].nodes_lost;
        *ret = (int64_t)sum;
        return true;
    case METRIC_FAILED_NODES:
        for (uint32_t p = 0; p < h->plan->phase_count; p++)
            if (h->phases[p].ended &&
                (!t->in[0] || str_equal(str_from(t->in), h->plan->phases[p].name)))
                sum += h->phases[p].nodes > h->phases[p].nodes_ok
                           ? h->phases[p].nodes - h->phases[p].nodes_ok
                           : 0;
        *ret = (int64_t)sum;
        return true;
    case METRIC_CPU:
        for (uint32_t i = 0; i < h->run->node_count; i++) {
            sum += h->nodes[i].cpu_ppm_sum;
            count += h->nodes[i].cpu_samples;
        }
        *ret = count ? (int64_t)(sum / count) : 0;
        return count > 0;
    default:
        return false;
    }
}

static enum result_state state_of(const struct threshold *t, const struct threshold_result *r) {
    if (r->state == VERDICT_SKIPPED)
        return RESULT_SKIPPED;
    if (!threshold_fails(t, r) && r->state != VERDICT_BROKEN)
        return RESULT_OK;
    if (t->warn)
        return RESULT_WARNED;
    return r->state == VERDICT_NO_DATA ? RESULT_NO_DATA : RESULT_FAILED;
}

static uint32_t judge(struct making *m) {
    struct head *h = m->h;
    struct extra extra = {h};
    uint32_t failed = measure_finish(h->measure, read_extra, &extra);
    struct result_threshold *all =
        arena_new_array(m->arena, MAX(h->plan->threshold_count, 1u), sizeof *all);
    for (uint32_t i = 0; i < h->plan->threshold_count; i++) {
        const struct threshold *t = &h->plan->thresholds[i];
        const struct threshold_result *r = &h->measure->results[i];
        CLEANUP(buf_deinit) struct buf value = BUF_INIT(100);
        if (r->has_reading)
            verdict_add_reading(&value, t->unit, r->reading);
        else
            buf_add_text(&value, "no data");
        all[i] = (struct result_threshold){
            .text = t->text,
            .phase = t->in[0] ? t->in : NULL,
            .state = state_of(t, r),
            .value = text_of(m, buf_str(&value)),
            .value_number = r->has_reading ? (double)r->reading : 0,
            .limit_number = (double)t->value,
            .more_is_better = t->op == OP_GREATER || t->op == OP_GREATER_EQUAL,
        };
    }
    m->r->thresholds = all;
    m->r->threshold_count = h->plan->threshold_count;
    return failed;
}

/* ---- phases ---- */

static uint64_t planned_of(const struct head *h, uint32_t phase) {
    const struct measure_phase *p = &h->measure->phases[phase];
    uint64_t planned = plan_requests_planned(&h->plan->phases[phase]);
    return planned ? planned : p->total.planned;
}

static const struct result_request *requests_of(struct making *m, uint32_t phase) {
    const struct measure_phase *p = &m->h->measure->phases[phase];
    struct result_request *all = arena_new_array(m->arena, MAX(p->request_count, 1u), sizeof *all);
    for (uint32_t i = 0; i < p->request_count; i++) {
        const struct measure_cell *c = &p->cells[i];
        all[i] = (struct result_request){
            .name = text_of(m, m->h->plan->phases[phase].http.requests[i].name),
            .latency = c->latency.count ? &c->latency : NULL,
            .service = c->service.count ? &c->service : NULL,
            .planned = c->planned,
            .sent = c->sent,
            .done = c->ok,
            .errors = measure_errors(c),
            .bytes_in = c->bytes_in,
            .bytes_out = c->bytes_out,
        };
    }
    return all;
}

static void fill_phase_load(struct making *m, uint32_t phase, struct result_phase *to) {
    const struct measure_phase *p = &m->h->measure->phases[phase];
    const struct measure_cell *c = &p->total;
    if (!p->begun || !p->request_count)
        return;
    to->has_load = true;
    uint64_t planned_ns = m->h->plan->phases[phase].duration_ns;
    uint64_t ns = planned_ns ? MIN(to->duration_ns, planned_ns) : to->duration_ns;
    to->planned = planned_of(m->h, phase);
    if (planned_ns)
        to->rate_asked_micro_per_s =
            (uint64_t)((double)plan_requests_planned(&m->h->plan->phases[phase]) * 1e15 /
                       (double)planned_ns);
    if (ns)
        to->rate_micro_per_s = (uint64_t)((double)c->ok * 1e15 / (double)ns);
    to->latency = &c->latency;
    to->service = &c->service;
    to->sent = c->sent;
    to->done = c->ok;
    to->errors = measure_errors(c);
    to->late = p->late;
    to->late_ns_max = p->late_ns_max;
    to->bytes_in = c->bytes_in;
    to->bytes_out = c->bytes_out;
    to->requests = requests_of(m, phase);
    to->request_count = p->request_count;
}

static void fill_phases(struct making *m) {
    struct head *h = m->h;
    struct result_phase *all =
        arena_new_array(m->arena, MAX(h->plan->phase_count, 1u), sizeof *all);
    for (uint32_t i = 0; i < h->plan->phase_count; i++) {
        const struct plan_phase *spec = &h->plan->phases[i];
        const struct head_phase *p = &h->phases[i];
        bool ok = p->ended && (p->why == RUN_WHY_NONE || p->why == RUN_WHY_DONE);
        all[i] = (struct result_phase){
            .name = text_of(m, spec->name),
            .kind = spec->kind == PLAN_PHASE_HTTP   ? RESULT_PHASE_HTTP
                    : spec->kind == PLAN_PHASE_WAIT ? RESULT_PHASE_WAIT
                                                    : RESULT_PHASE_RUN,
            .trial = 1,
            .trials = 1,
            .state = ok         ? RESULT_OK
                     : p->begun ? RESULT_FAILED
                                : RESULT_SKIPPED,
            .detail = ok             ? "ok"
                      : p->detail[0] ? p->detail
                      : p->begun     ? tell_why(p->why)
                                     : "not started",
            .warmup = spec->warmup,
            .start_unix_ms = p->start_unix_ms,
            .end_unix_ms = p->end_unix_ms,
            .duration_ns = p->begun && p->end_ns > p->start_ns ? p->end_ns - p->start_ns : 0,
            .nodes = p->nodes,
            .nodes_lost = p->nodes_lost,
            .start_skew_ns = p->first_start_ns ? p->last_start_ns - p->first_start_ns : 0,
        };
        fill_phase_load(m, i, &all[i]);
    }
    m->r->phases = all;
    m->r->phase_count = h->plan->phase_count;
}

static void fill_errors(struct making *m) {
    struct head *h = m->h;
    size_t count = 0;
    for (uint32_t p = 0; p < h->plan->phase_count; p++) {
        const struct measure_phase *phase = &h->measure->phases[p];
        for (uint32_t i = 0; phase->cells && i < phase->request_count; i++)
            for (int e = 0; e < LOAD_ERROR_COUNT && count < ARRAY_LEN(m->errors); e++)
                if (phase->cells[i].errors[e])
                    m->errors[count++] = (struct result_error){
                        .class_name = load_error_text((enum load_error)e),
                        .request = text_of(m, h->plan->phases[p].http.requests[i].name),
                        .phase = text_of(m, h->plan->phases[p].name),
                        .count = phase->cells[i].errors[e],
                        .first_unix_ms = phase->start_unix_ms,
                        .last_unix_ms = phase->end_unix_ms,
                    };
    }
    m->r->errors = m->errors;
    m->r->error_count = count;
}

static void fill_seconds(struct making *m) {
    const struct measure *from = m->h->measure;
    struct result_second *all = arena_new_array(m->arena, MAX(from->second_count, 1u), sizeof *all);
    for (uint32_t i = 0; i < from->second_count; i++) {
        const struct measure_second *s = &from->seconds[i];
        all[i] = (struct result_second){
            .unix_ms = s->unix_ms,
            .asked = s->asked,
            .sent = s->sent,
            .done = s->ok,
            .errors = s->errors,
            .has_latency = s->has_latency,
            .p50_ns = s->p50_ns,
            .p95_ns = s->p95_ns,
            .p99_ns = s->p99_ns,
            .p999_ns = s->p999_ns,
            .max_ns = s->max_ns,
            .service_p99_ns = s->service_p99_ns,
            .nodes_ready = s->nodes_ready,
            .reporting = s->reports,
            .cpu_percent = s->cpu_percent,
            .spent_usd_micro = s->spent_usd_micro,
        };
    }
    m->r->seconds = all;
    m->r->second_count = from->second_count;
}

/* ---- nodes and cost ---- */

static enum result_fate fate_of(const struct head *h, uint32_t i) {
    const struct run_node *n = &h->run->nodes[i];
    if (n->state != RUN_NODE_GONE && !h->clean)
        return RESULT_NODE_LEFT;
    if (h->nodes[i].interrupted || n->notice)
        return RESULT_NODE_INTERRUPTED;
    if (n->why == RUN_WHY_SPARE || n->why == RUN_WHY_SURPLUS)
        return RESULT_NODE_SPARE;
    if (n->joined_ns == RUN_NEVER && n->named)
        return RESULT_NODE_DUD;
    if (n->why == RUN_WHY_DIED || n->why == RUN_WHY_LINK_LOST)
        return RESULT_NODE_DIED;
    return RESULT_NODE_GONE;
}

static uint64_t node_cost(const struct head *h, const struct run_node *n) {
    uint64_t end = n->gone_ns != RUN_NEVER     ? n->gone_ns
                   : n->doomed_ns != RUN_NEVER ? n->doomed_ns
                                               : h->run->now_ns;
    uint64_t start = n->running_ns == RUN_NEVER ? end : n->running_ns;
    return cost_instance_usd_micro(start, end, n->price_usd_micro_per_hour);
}

static void fill_node(struct making *m, uint32_t i, struct result_node *to) {
    struct head *h = m->h;
    const struct run_node *n = &h->run->nodes[i];
    const struct head_node *f = &h->nodes[i];
    const struct measure_node *load = &h->measure->nodes[i];
    char name[64];
    head_node_name(h, i, name, sizeof name);
    *to = (struct result_node){
        .slot = n->slot == RUN_NONE ? NULL : text_of(m, str_from(name)),
        .role = n->role == RUN_NONE ? NULL : text_of(m, h->plan->roles[n->role].name),
        .instance_id = n->id,
        .type = f->type,
        .zone = f->zone,
        .market = n->on_demand ? "on-demand" : "spot",
        .private_ip = f->private_ip,
        .fate = fate_of(h, i),
        .launched_unix_ms = f->launched_unix_ms,
        .running_unix_ms = f->running_unix_ms,
        .joined_unix_ms = f->joined_unix_ms,
        .ready_unix_ms = f->ready_unix_ms,
        .ended_unix_ms = f->ended_unix_ms,
        .gone_unix_ms = f->gone_unix_ms,
        .setup_ns = f->setup_ns,
        .start_skew_ns = f->skew_ns,
        .has_load = load->sent > 0,
        .requests = load->ok,
        .errors = load->errors,
        .late = load->late,
        .bytes_in = load->bytes_in,
        .bytes_out = load->bytes_out,
        .p50_ns = hist_percentile_ns(&load->latency, 500000),
        .p99_ns = hist_percentile_ns(&load->latency, 990000),
        .max_ns = load->latency.count ? load->latency.max_ns : 0,
        .has_cpu = f->cpu_samples > 0,
        .cpu_percent = f->cpu_samples ? (uint32_t)(f->cpu_ppm_sum / f->cpu_samples / 10000) : 0,
        .cpu_percent_max = f->cpu_ppm_max / 10000,
        .steal_percent_max = f->steal_ppm_max / 10000,
        .memory_bytes_max = f->memory_used_max,
        .cost_usd_micro = (int64_t)node_cost(h, n),
        .note = f->note[0] ? f->note : NULL,
    };
    ignore(!clocksync_offset(&f->clock, h->run->now_ns, &to->clock_offset_ns,
                             &to->clock_error_ns)); /* zero when it never answered */
    m->r->clock_spread_ns = MAX(m->r->clock_spread_ns, to->clock_error_ns);
}

static void fill_nodes(struct making *m) {
    uint32_t count = m->h->run->node_count;
    struct result_node *all = arena_new_array(m->arena, MAX(count, 1u), sizeof *all);
    for (uint32_t i = 0; i < count; i++)
        fill_node(m, i, &all[i]);
    m->r->nodes = all;
    m->r->node_count = count;
}

static bool same_text(const char *a, const char *b) {
    return strcmp(a ? a : "", b ? b : "") == 0;
}

/* One row per role, type, zone and market. */
static void fill_costs(struct making *m) {
    struct head *h = m->h;
    uint32_t count = 0;
    struct result_cost *all = arena_new_array(m->arena, MAX(h->run->node_count, 1u), sizeof *all);
    for (uint32_t i = 0; i < h->run->node_count; i++) {
        const struct result_node *n = &m->r->nodes[i];
        const struct run_node *r = &h->run->nodes[i];
        uint32_t k = 0;
        while (k < count &&
               !(same_text(all[k].role, n->role) && same_text(all[k].type, n->type) &&
                 same_text(all[k].zone, n->zone) && same_text(all[k].market, n->market)))
            k++;
        const struct head_pool *pool =
            r->role != RUN_NONE && r->pool != RUN_NONE ? &h->roles[r->role].pools[r->pool] : NULL;
        int64_t demand = pool ? (int64_t)pool->demand_usd_micro_per_hour : 0;
        if (k == count)
            all[count++] = (struct result_cost){.role = n->role,
                                                .type = n->type,
                                                .zone = n->zone,
                                                .market = n->market,
                                                .price_usd_micro_per_hour =
                                                    (int64_t)r->price_usd_micro_per_hour,
                                                .on_demand_usd_micro_per_hour = demand};
        uint64_t end = r->gone_ns != RUN_NEVER ? r->gone_ns : h->run->now_ns;
        uint64_t start = r->running_ns == RUN_NEVER ? end : r->running_ns;
        all[k].nodes++;
        all[k].node_seconds += (end - start) / NS_PER_S;
        all[k].cost_usd_micro += n->cost_usd_micro;
        all[k].on_demand_usd_micro +=
            (int64_t)cost_instance_usd_micro(start, end, (uint64_t)demand);
    }
    m->r->costs = all;
    m->r->cost_count = count;
}

/* ---- can the numbers be trusted? ---- */

static void doubt_phase(struct making *m, uint32_t p) {
    const struct result_phase *phase = &m->r->phases[p];
    if (phase->warmup || !phase->has_load)
        return;
    uint64_t ended = phase->done + phase->errors;
    if (phase->planned > ended) {
        int64_t ppm = (int64_t)((phase->planned - ended) * 1000000 / phase->planned);
        if (ppm > RATE_MISSED_PPM)
            validity_add(&m->validity, VALIDITY_RATE_MISSED, VALIDITY_INVALID, (int32_t)p, ppm);
    }
    if (phase->start_skew_ns > SKEW_LIMIT_NS)
        validity_add(&m->validity, VALIDITY_START_SKEW, VALIDITY_DEGRADED, (int32_t)p,
                     (int64_t)phase->start_skew_ns);
    if (m->h->measure->phases[p].missing)
        validity_add(&m->validity, VALIDITY_SAMPLES_MISSING, VALIDITY_DEGRADED, (int32_t)p,
                     (int64_t)m->h->measure->phases[p].missing);
    if (phase->nodes_lost)
        validity_add(&m->validity, VALIDITY_NODE_LOST, VALIDITY_DEGRADED, (int32_t)p,
                     phase->nodes_lost);
    if (phase->latency && phase->latency->over)
        validity_add(&m->validity, VALIDITY_CLIPPED, VALIDITY_DEGRADED, (int32_t)p,
                     (int64_t)phase->latency->over);
}

static void doubt_run(struct making *m) {
    struct head *h = m->h;
    uint32_t worst = 0, notices = 0;
    for (size_t i = 0; i < m->r->node_count; i++) {
        if (m->r->nodes[i].has_load)
            worst = MAX(worst, m->r->nodes[i].cpu_percent);
        notices += m->r->nodes[i].fate == RESULT_NODE_INTERRUPTED;
    }
    if (worst >= CPU_LIMIT_PERCENT)
        validity_add(&m->validity, VALIDITY_GENERATOR_CPU, VALIDITY_INVALID, -1,
                     (int64_t)worst * 10000);
    if (notices)
        validity_add(&m->validity, VALIDITY_DISTURBED, VALIDITY_DEGRADED, -1, notices);
    uint32_t wanted = plan_nodes_wanted(h->plan), started = 0;
    for (uint32_t i = 0; i < h->run->slot_count; i++)
        started += h->run->slots[i].node != RUN_NONE;
    if (started < wanted)
        validity_add(&m->validity, VALIDITY_NODES_FEWER, VALIDITY_DEGRADED, -1, wanted - started);
}

static void fill_validity(struct making *m) {
    size_t count = 0;
    for (uint32_t p = 0; p < m->h->plan->phase_count; p++)
        doubt_phase(m, p);
    doubt_run(m);
    for (uint32_t i = 0; i < m->validity.count; i++) {
        CLEANUP(buf_deinit) struct buf why = BUF_INIT(400);
        validity_add_sentence(&why, &m->validity.reasons[i]);
        m->statements[count++] = (struct result_validity){
            .state =
                m->validity.reasons[i].grade == VALIDITY_INVALID ? RESULT_FAILED : RESULT_WARNED,
            .what = validity_kind_name(m->validity.reasons[i].kind),
            .why = text_of(m, buf_str(&why)),
        };
    }
    m->r->validity = m->statements;
    m->r->validity_count = count;
}

/* ---- the end of it ---- */

static void fill_exits(struct making *m, uint32_t failed_thresholds) {
    struct head *h = m->h;
    if (failed_thresholds)
        h->exits |= RUN_EXIT_THRESHOLDS;
    size_t count = 0;
    for (enum outcome o = 0; o < OUTCOME_COUNT; o++)
        if (h->exits & OUTCOME_BIT(o))
            m->exits[count++] =
                (struct result_exit){.code = outcome_code(o), .name = outcome_name(o)};
    m->r->exits = m->exits;
    m->r->exit_count = count;
}

static const char *first_trouble(struct making *m) {
    struct head *h = m->h;
    for (size_t i = 0; i < m->r->phase_count; i++)
        if (m->r->phases[i].state == RESULT_FAILED)
            return arena_printf(m->arena, "phase %s: %s", m->r->phases[i].name,
                                m->r->phases[i].detail);
    /* The last trouble before the end was decided is its cause; what came after is its effect. */
    uint32_t end = h->event_count;
    for (uint32_t i = h->event_count; i-- > 0;)
        if (h->events[i]->kind == STORY_STOP)
            end = i;
    for (uint32_t i = end; i-- > 0;)
        if ((h->events[i]->mark >= STORY_WARN || h->events[i]->kind == STORY_NOTE) &&
            h->events[i]->text[0])
            return h->events[i]->text;
    return tell_why(h->run->end_why);
}

static void fill_verdict(struct making *m) {
    uint32_t exits = m->h->exits;
    if (exits & (RUN_EXIT_INTERRUPTED | RUN_EXIT_TERMINATED)) {
        m->r->verdict = RESULT_STOPPED;
        m->r->why = "stopped by the user";
    } else if (exits & ~(uint32_t)RUN_EXIT_THRESHOLDS) {
        m->r->verdict = RESULT_BROKEN;
        m->r->why = m->mostly_errors ? "half of all requests or more failed" : first_trouble(m);
    } else if (exits & RUN_EXIT_THRESHOLDS) {
        m->r->verdict = RESULT_FAIL;
        m->r->why = "a threshold failed";
    } else {
        m->r->verdict = RESULT_PASS;
        m->r->why = m->r->threshold_count ? "every threshold held" : "it ran to its end";
    }
}

/* Half of all requests failing is no result, whatever the thresholds say. */
static void check_broken(struct making *m) {
    uint64_t ok = 0, errors = 0;
    for (size_t i = 0; i < m->r->phase_count; i++)
        if (!m->r->phases[i].warmup) {
            ok += m->r->phases[i].done;
            errors += m->r->phases[i].errors;
        }
    m->mostly_errors = errors && errors >= ok;
    if (m->mostly_errors)
        m->h->exits |= RUN_EXIT_WORKLOAD;
}

static void fill_clean(struct making *m) {
    struct head *h = m->h;
    struct run_tally all = run_tally(h->run, RUN_NONE);
    m->r->clean = (struct result_clean){
        .verified = h->clean,
        .verified_unix_ms = h->clean_unix_ms,
        .launched = all.ever,
        .gone = all.gone,
        .groups_deleted = h->groups_deleted,
        .templates_deleted = h->templates_deleted,
        .kept = h->kept,
        .leak = h->leak[0] ? h->leak : NULL,
        .sweeps = h->sweeps,
        .sweep_count = h->sweep_count,
    };
    struct truth truth;
    struct err err = {0};
    if (!h->o.cloud)
        return;
    if (truth_get(h->o.cloud, h->id, &truth, &err) < 0) {
        log_event(LOG_WARN, "truth", "why=%s", err.text);
        return;
    }
    m->r->clean.has_truth = true;
    m->r->clean.truth_instances_left = truth.instances_left;
    m->r->clean.truth_resources_left = truth.resources_left;
    m->r->clean.truth_calls = truth.calls;
    m->r->clean.truth_billed_usd_micro = (int64_t)truth.billed_usd_micro;
    if (truth.instances_left > h->kept || (!h->kept && truth.resources_left))
        h->exits |= RUN_EXIT_LEAK; /* what we say must be what is */
}

static void add_pair(struct making *m, struct result_pair *pairs, size_t *count, const char *key,
                     const char *value) {
    if (value && value[0])
        pairs[(*count)++] = (struct result_pair){key, text_of(m, str_from(value))};
}

static void fill_manifest(struct making *m) {
    struct head *h = m->h;
    struct result_pair *pairs = arena_new_array(m->arena, 32, sizeof *pairs);
    size_t count = 0;
    struct utsname machine;
    const struct aws_counters *calls = aws_client_counters(h->aws);
    add_pair(m, pairs, &count, "dayfly", DAYFLY_VERSION);
    add_pair(m, pairs, &count, "agent sha256", h->agent_sha256);
    add_pair(m, pairs, &count, "region", h->region);
    if (strlen(h->account) > 4)
        add_pair(m, pairs, &count, "account", h->account + strlen(h->account) - 4);
    add_pair(m, pairs, &count, "seed", arena_printf(m->arena, "%" PRIu64, h->seed));
    if (uname(&machine) == 0)
        add_pair(
            m, pairs, &count, "head",
            arena_printf(m->arena, "%s %s %s", machine.sysname, machine.release, machine.machine));
    for (uint32_t r = 0; r < h->plan->role_count; r++) {
        struct str image =
            h->roles[r].image_x86_64.len ? h->roles[r].image_x86_64 : h->roles[r].image_arm64;
        add_pair(m, pairs, &count,
                 arena_printf(m->arena, "image of %.*s", STR_ARG(h->plan->roles[r].name)),
                 text_of(m, image));
        if (count > 20)
            break;
    }
    add_pair(m, pairs, &count, "AWS calls",
             arena_printf(m->arena, "%" PRIu64 " (%" PRIu64 " attempts, %" PRIu64 " throttled)",
                          calls->calls, calls->attempts, calls->throttled));
    add_pair(m, pairs, &count, "price per hour of the first choice",
             money_text(m, h->run->config.roles[0].price_usd_micro_per_hour));
    m->r->manifest = pairs;
    m->r->manifest_count = count;
}

static void fill_notes(struct making *m) {
    const char **notes = arena_new_array(m->arena, 40, sizeof *notes);
    size_t count = 0;
    struct str rest = buf_str(&m->h->notes), note;
    while (count < 32 && rest.len && str_split(&rest, '\0', &note))
        if (note.len)
            notes[count++] = text_of(m, note);
    m->r->notes = notes;
    m->r->note_count = count;
}

static void fill_head(struct making *m, const char *resolved) {
    struct head *h = m->h;
    struct result *r = m->r;
    r->run = h->id;
    r->name = text_of(m, h->plan->name);
    r->version = DAYFLY_VERSION;
    r->region = h->region;
    r->owner = h->owner;
    r->command = h->o.command;
    r->rehearsal = h->o.cloud != NULL;
    r->start_unix_ms = h->start_unix_ms;
    r->end_unix_ms = h->end_unix_ms;
    r->duration_ns = h->run->now_ns - h->start_ns;
    r->zone_offset_s = h->o.zone_offset_s;
    r->budget_usd_micro = (int64_t)h->plan->fleet.budget_usd_micro;
    r->config_text = text_of(m, h->plan->text);
    r->config_resolved_text = resolved;
    r->events = (const struct story_event *const *)h->events;
    r->event_count = h->event_count;
    for (uint32_t i = 0; i < h->plan->role_count; i++) {
        r->wanted += h->plan->roles[i].count;
        r->spares += h->plan->roles[i].spare;
    }
}

static void say_result(struct head *h, const struct result *r, int code) {
    struct story_event e;
    tell_start(&e, h, STORY_RESULT);
    story_add_text(&e, "verdict", str_from(result_verdict_name(r->verdict)));
    story_add_int(&e, "exit", code);
    story_add_text(&e, "report", str_from(h->results_dir));
    story_text(&e, "%s: %s (exit %d)", result_verdict_name(r->verdict), r->why, code);
    e.mark = code == 0 ? STORY_OK : STORY_FAIL;
    tell(h, &e);
}

void outcome_write(struct head *h, struct head_outcome *ret_outcome) {
    CLEANUP(arena_deinit) struct arena arena = {0};
    CLEANUP(buf_deinit) struct buf resolved = BUF_INIT(4 * MIB);
    struct result result = {0};
    struct making *m = arena_new(&arena, sizeof *m);
    m->h = h;
    m->arena = &arena;
    m->r = &result;
    struct measure_context last = h->last_context; /* what no beat has fixed yet */
    last.now_ns = UINT64_MAX / 2;
    ignore(measure_tick(h->measure, &last) >= 0); /* the run is over: nothing to abort */
    plan_add_yaml(&resolved, h->plan);
    fill_head(m, buf_text(&resolved));
    fill_phases(m);
    uint32_t failed = h->run->exits ? 0 : judge(m);
    if (h->run->exits)
        ignore(judge(m) > 0); /* shown, but what broke the run is the reason */
    fill_errors(m);
    fill_seconds(m);
    fill_nodes(m);
    fill_costs(m);
    fill_validity(m);
    fill_manifest(m);
    check_broken(m);
    fill_clean(m);
    fill_exits(m, failed);
    fill_verdict(m);
    fill_notes(m);
    ret_outcome->exit_code = result_exit_code(&result);
    say_result(h, &result, ret_outcome->exit_code);
    result.events = (const struct story_event *const *)h->events;
    result.event_count = h->event_count;
    struct err err = {0};
    if (result_write_all(&result, h->results_dir, &err) < 0) {
        head_note(h, "results: %s", err.text);
        if (ret_outcome->exit_code == 0)
            ret_outcome->exit_code = outcome_code(OUTCOME_ERROR); /* no results, no success */
    }
    snprintf(ret_outcome->results_dir, sizeof ret_outcome->results_dir, "%s", h->results_dir);
    snprintf(ret_outcome->summary_path, sizeof ret_outcome->summary_path, "%s/summary.txt",
             h->results_dir);
}
