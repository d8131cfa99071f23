#include "report/result_json.h"

#include "core/hist.h"
#include "report/jsonw.h"

static const struct {
    const char *name;
    uint32_t ppm;
} PERCENTILES[] = {
    {"p50_us", 500000}, {"p75_us", 750000},   {"p90_us", 900000},    {"p95_us", 950000},
    {"p99_us", 990000}, {"p99_9_us", 999000}, {"p99_99_us", 999900}, {"p99_999_us", 999990},
};

static uint64_t us(uint64_t ns) {
    return (ns + 500) / 1000;
}

static void add_hist(struct jsonw *j, const char *key, const struct hist *h) {
    if (!h || h->count == 0) {
        jsonw_null(j, key);
        return;
    }
    jsonw_open(j, key, '{');
    jsonw_uint(j, "count", h->count);
    jsonw_uint(j, "min_us", us(h->min_ns));
    jsonw_uint(j, "mean_us", us(hist_mean_ns(h)));
    for (size_t i = 0; i < ARRAY_LEN(PERCENTILES); i++)
        jsonw_uint(j, PERCENTILES[i].name, us(hist_percentile_ns(h, PERCENTILES[i].ppm)));
    jsonw_uint(j, "max_us", us(h->max_ns));
    jsonw_uint(j, "over_an_hour", h->over);
    jsonw_close(j);
}

static void add_verdict(struct jsonw *j, const struct result *r) {
    jsonw_text(j, "verdict", result_verdict_name(r->verdict));
    jsonw_text(j, "why", r->why);
    jsonw_int(j, "exit_code", result_exit_code(r));
    jsonw_open(j, "exits", '[');
    for (size_t i = 0; i < r->exit_count; i++) {
        jsonw_open(j, NULL, '{');
        jsonw_int(j, "code", r->exits[i].code);
        jsonw_text(j, "name", r->exits[i].name);
        jsonw_text(j, "why", r->exits[i].why);
        jsonw_close(j);
    }
    jsonw_close(j);
    jsonw_bool(j, "undisturbed", result_disturbed(r) == 0);
}

static void add_thresholds(struct jsonw *j, const struct result *r) {
    jsonw_open_lines(j, "thresholds", '[');
    for (size_t i = 0; i < r->threshold_count; i++) {
        const struct result_threshold *t = &r->thresholds[i];
        jsonw_open(j, NULL, '{');
        jsonw_text(j, "expression", t->text);
        jsonw_text(j, "phase", t->phase);
        jsonw_bool(j, "ok", t->state == RESULT_OK || t->state == RESULT_SKIPPED);
        jsonw_text(j, "state", result_state_name(t->state));
        jsonw_text(j, "value", t->value);
        jsonw_double(j, "value_number", t->value_number);
        jsonw_double(j, "limit_number", t->limit_number);
        jsonw_text(j, "worst", t->worst);
        jsonw_text(j, "annotation", t->annotation);
        jsonw_close(j);
    }
    jsonw_close(j);
    jsonw_open_lines(j, "checks", '[');
    for (size_t i = 0; i < r->check_count; i++) {
        jsonw_open(j, NULL, '{');
        jsonw_text(j, "name", r->checks[i].name);
        jsonw_bool(j, "ok", r->checks[i].state == RESULT_OK);
        jsonw_text(j, "state", result_state_name(r->checks[i].state));
        jsonw_text(j, "detail", r->checks[i].detail);
        jsonw_uint(j, "duration_ms", r->checks[i].duration_ns / NS_PER_MS);
        jsonw_close(j);
    }
    jsonw_close(j);
}

static void add_validity(struct jsonw *j, const struct result *r) {
    bool valid = true;
    for (size_t i = 0; i < r->validity_count; i++)
        valid = valid && r->validity[i].state != RESULT_FAILED;
    jsonw_bool(j, "valid", valid);
    jsonw_open_lines(j, "validity", '[');
    for (size_t i = 0; i < r->validity_count; i++) {
        const struct result_validity *v = &r->validity[i];
        jsonw_open(j, NULL, '{');
        jsonw_bool(j, "ok", v->state == RESULT_OK);
        jsonw_text(j, "state", result_state_name(v->state));
        jsonw_text(j, "what", v->what);
        jsonw_text(j, "why", v->why);
        jsonw_close(j);
    }
    jsonw_close(j);
    jsonw_open_lines(j, "notes", '[');
    for (size_t i = 0; i < r->note_count; i++)
        jsonw_text(j, NULL, r->notes[i]);
    jsonw_close(j);
}

static void add_request(struct jsonw *j, const struct result_request *q) {
    jsonw_open(j, NULL, '{');
    jsonw_text(j, "name", q->name);
    jsonw_uint(j, "planned", q->planned);
    jsonw_uint(j, "sent", q->sent);
    jsonw_uint(j, "done", q->done);
    jsonw_uint(j, "errors", q->errors);
    jsonw_uint(j, "late", q->late);
    jsonw_uint(j, "in_bytes", q->bytes_in);
    jsonw_uint(j, "out_bytes", q->bytes_out);
    add_hist(j, "latency", q->latency);
    add_hist(j, "service", q->service);
    jsonw_close(j);
}

static void add_phase_load(struct jsonw *j, const struct result_phase *p) {
    jsonw_micro(j, "rate_asked_per_s", (int64_t)p->rate_asked_micro_per_s);
    jsonw_micro(j, "rate_per_s", (int64_t)p->rate_micro_per_s);
    jsonw_uint(j, "planned", p->planned);
    jsonw_uint(j, "sent", p->sent);
    jsonw_uint(j, "done", p->done);
    jsonw_uint(j, "errors", p->errors);
    jsonw_uint(j, "late", p->late);
    jsonw_uint(j, "late_max_us", us(p->late_ns_max));
    jsonw_uint(j, "in_bytes", p->bytes_in);
    jsonw_uint(j, "out_bytes", p->bytes_out);
    add_hist(j, "latency", p->latency);
    add_hist(j, "service", p->service);
    jsonw_open_lines(j, "requests", '[');
    for (size_t i = 0; i < p->request_count; i++)
        add_request(j, &p->requests[i]);
    jsonw_close(j);
}

static void add_phases(struct jsonw *j, const struct result *r) {
    jsonw_open_lines(j, "phases", '[');
    for (size_t i = 0; i < r->phase_count; i++) {
        const struct result_phase *p = &r->phases[i];
        jsonw_open_lines(j, NULL, '{');
        jsonw_text(j, "name", p->name);
        jsonw_text(j, "kind", result_phase_kind_name(p->kind));
        jsonw_uint(j, "trial", p->trial);
        jsonw_uint(j, "trials", p->trials);
        jsonw_bool(j, "ok", p->state == RESULT_OK || p->state == RESULT_SKIPPED);
        jsonw_text(j, "state", result_state_name(p->state));
        jsonw_text(j, "detail", p->detail);
        jsonw_bool(j, "counts", !p->warmup);
        jsonw_instant(j, "started_at", p->start_unix_ms);
        jsonw_instant(j, "ended_at", p->end_unix_ms);
        jsonw_uint(j, "duration_ms", p->duration_ns / NS_PER_MS);
        jsonw_uint(j, "nodes", p->nodes);
        jsonw_uint(j, "nodes_lost", p->nodes_lost);
        jsonw_uint(j, "start_skew_us", us(p->start_skew_ns));
        jsonw_text(j, "disturbed", p->disturbed);
        if (p->has_load)
            add_phase_load(j, p);
        jsonw_close(j);
    }
    jsonw_close(j);
    jsonw_open_lines(j, "errors", '[');
    for (size_t i = 0; i < r->error_count; i++) {
        const struct result_error *e = &r->errors[i];
        jsonw_open(j, NULL, '{');
        jsonw_text(j, "class", e->class_name);
        jsonw_text(j, "request", e->request);
        jsonw_text(j, "phase", e->phase);
        jsonw_uint(j, "count", e->count);
        jsonw_instant(j, "first_at", e->first_unix_ms);
        jsonw_instant(j, "last_at", e->last_unix_ms);
        jsonw_text(j, "sample", e->sample);
        jsonw_close(j);
    }
    jsonw_close(j);
}

static void add_node_life(struct jsonw *j, const struct result_node *n) {
    jsonw_instant(j, "launched_at", n->launched_unix_ms);
    jsonw_instant(j, "running_at", n->running_unix_ms);
    jsonw_instant(j, "joined_at", n->joined_unix_ms);
    jsonw_instant(j, "ready_at", n->ready_unix_ms);
    jsonw_instant(j, "ended_at", n->ended_unix_ms);
    jsonw_instant(j, "gone_at", n->gone_unix_ms);
    jsonw_uint(j, "setup_ms", n->setup_ns / NS_PER_MS);
    jsonw_int(j, "clock_offset_us", n->clock_offset_ns / 1000);
    jsonw_uint(j, "clock_error_us", us(n->clock_error_ns));
    jsonw_int(j, "start_skew_us", n->start_skew_ns / 1000);
}

static void add_node(struct jsonw *j, const struct result_node *n) {
    jsonw_open(j, NULL, '{');
    jsonw_text(j, "slot", n->slot);
    jsonw_text(j, "role", n->role);
    jsonw_text(j, "instance_id", n->instance_id);
    jsonw_text(j, "type", n->type);
    jsonw_text(j, "zone", n->zone);
    jsonw_text(j, "market", n->market);
    jsonw_text(j, "private_ip", n->private_ip);
    jsonw_text(j, "fate", result_fate_name(n->fate));
    add_node_life(j, n);
    if (n->has_load) {
        jsonw_uint(j, "requests", n->requests);
        jsonw_uint(j, "errors", n->errors);
        jsonw_uint(j, "late", n->late);
        jsonw_uint(j, "in_bytes", n->bytes_in);
        jsonw_uint(j, "out_bytes", n->bytes_out);
        jsonw_uint(j, "p50_us", us(n->p50_ns));
        jsonw_uint(j, "p99_us", us(n->p99_ns));
        jsonw_uint(j, "max_us", us(n->max_ns));
    }
    if (n->has_cpu) {
        jsonw_uint(j, "cpu_percent", n->cpu_percent);
        jsonw_uint(j, "cpu_percent_max", n->cpu_percent_max);
        jsonw_uint(j, "steal_percent_max", n->steal_percent_max);
        jsonw_uint(j, "memory_bytes_max", n->memory_bytes_max);
    }
    jsonw_micro(j, "cost_usd", n->cost_usd_micro);
    jsonw_text(j, "note", n->note);
    jsonw_close(j);
}

static void add_clean(struct jsonw *j, const struct result_clean *c) {
    jsonw_open_lines(j, "clean", '{');
    jsonw_bool(j, "verified", c->verified);
    jsonw_instant(j, "verified_at", c->verified_unix_ms);
    jsonw_uint(j, "launched", c->launched);
    jsonw_uint(j, "gone", c->gone);
    jsonw_uint(j, "groups_deleted", c->groups_deleted);
    jsonw_uint(j, "templates_deleted", c->templates_deleted);
    jsonw_uint(j, "keys_deleted", c->keys_deleted);
    jsonw_uint(j, "kept", c->kept);
    jsonw_text(j, "leak", c->leak);
    jsonw_open(j, "sweeps", '[');
    for (size_t i = 0; i < c->sweep_count; i++) {
        jsonw_open(j, NULL, '{');
        jsonw_instant(j, "at", c->sweeps[i].unix_ms);
        jsonw_bool(j, "complete", c->sweeps[i].complete);
        jsonw_uint(j, "found", c->sweeps[i].found);
        jsonw_close(j);
    }
    jsonw_close(j);
    if (c->has_truth) {
        jsonw_open(j, "truth", '{');
        jsonw_uint(j, "instances_left", c->truth_instances_left);
        jsonw_uint(j, "resources_left", c->truth_resources_left);
        jsonw_uint(j, "calls", c->truth_calls);
        jsonw_micro(j, "billed_usd", c->truth_billed_usd_micro);
        jsonw_close(j);
    }
    jsonw_close(j);
}

static void add_fleet(struct jsonw *j, const struct result *r) {
    jsonw_uint(j, "nodes_wanted", r->wanted);
    jsonw_uint(j, "spares", r->spares);
    jsonw_uint(j, "clock_spread_us", us(r->clock_spread_ns));
    jsonw_open_lines(j, "nodes", '[');
    for (size_t i = 0; i < r->node_count; i++)
        add_node(j, &r->nodes[i]);
    jsonw_close(j);
    jsonw_micro(j, "cost_usd", result_cost_usd_micro(r));
    jsonw_micro(j, "on_demand_usd", result_on_demand_usd_micro(r));
    jsonw_micro(j, "disk_usd", r->disk_usd_micro);
    jsonw_micro(j, "budget_usd", r->budget_usd_micro);
    jsonw_open_lines(j, "costs", '[');
    for (size_t i = 0; i < r->cost_count; i++) {
        const struct result_cost *c = &r->costs[i];
        jsonw_open(j, NULL, '{');
        jsonw_text(j, "role", c->role);
        jsonw_text(j, "type", c->type);
        jsonw_text(j, "zone", c->zone);
        jsonw_text(j, "market", c->market);
        jsonw_uint(j, "nodes", c->nodes);
        jsonw_uint(j, "node_seconds", c->node_seconds);
        jsonw_micro(j, "price_usd_per_hour", c->price_usd_micro_per_hour);
        jsonw_micro(j, "on_demand_usd_per_hour", c->on_demand_usd_micro_per_hour);
        jsonw_micro(j, "cost_usd", c->cost_usd_micro);
        jsonw_micro(j, "on_demand_usd", c->on_demand_usd_micro);
        jsonw_close(j);
    }
    jsonw_close(j);
    add_clean(j, &r->clean);
}

static void add_pairs(struct jsonw *j, const char *key, const struct result_pair *pairs,
                      size_t count) {
    jsonw_open_lines(j, key, '{');
    for (size_t i = 0; i < count; i++)
        jsonw_text(j, pairs[i].key, pairs[i].value);
    jsonw_close(j);
}

void result_add_json(struct buf *b, const struct result *r) {
    struct jsonw j;
    jsonw_init(&j, b);
    jsonw_open_lines(&j, NULL, '{');
    jsonw_text(&j, "schema", RESULT_SCHEMA);
    jsonw_text(&j, "run", r->run);
    jsonw_text(&j, "name", r->name);
    jsonw_text(&j, "dayfly_version", r->version ? r->version : DAYFLY_VERSION);
    jsonw_bool(&j, "real", !r->rehearsal);
    jsonw_text(&j, "region", r->region);
    jsonw_text(&j, "owner", r->owner);
    jsonw_text(&j, "command", r->command);
    jsonw_instant(&j, "started_at", r->start_unix_ms);
    jsonw_instant(&j, "ended_at", r->end_unix_ms);
    jsonw_uint(&j, "duration_ms", r->duration_ns / NS_PER_MS);
    add_pairs(&j, "tags", r->tags, r->tag_count);
    add_verdict(&j, r);
    add_thresholds(&j, r);
    add_validity(&j, r);
    add_phases(&j, r);
    add_fleet(&j, r);
    add_pairs(&j, "manifest", r->manifest, r->manifest_count);
    jsonw_close(&j);
    buf_add_byte(b, '\n');
}
