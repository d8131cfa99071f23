/* draw.c - what a seed decides: the plan, the cloud, and which faults exist at all.
 *
 * Swarm testing: each fault is in about half of the lives, and its strength varies, so that rare
 * combinations get lives of their own instead of drowning in noise.
 */
#include "sim.h"

static uint32_t maybe(struct sim *s, uint32_t per_million_max) {
    if (prng_chance(&s->prng, 500000))
        return 0;
    return (uint32_t)prng_range(&s->prng, 1, per_million_max);
}

static uint64_t seconds(struct sim *s, uint64_t from, uint64_t to) {
    return prng_range(&s->prng, from * 1000, to * 1000) * NS_PER_MS;
}

static void draw_roles(struct sim *s) {
    struct run_config *c = &s->config;
    c->role_count = (uint32_t)prng_range(&s->prng, 1, SIM_ROLES_MAX);
    for (uint32_t i = 0; i < c->role_count; i++) {
        struct run_role_config *r = &c->roles[i];
        r->want = (uint32_t)prng_range(&s->prng, 1, 6);
        r->min = (uint32_t)prng_range(&s->prng, r->want / 2, r->want);
        r->spare = prng_chance(&s->prng, 300000) ? (uint32_t)prng_range(&s->prng, 1, 2) : 0;
        r->replace_max = (uint32_t)prng_range(&s->prng, 0, 4);
        r->replace_after_ns = seconds(s, 40, 120);
        r->pool_count = SIM_POOLS;
        r->market = (enum run_market)prng_below(&s->prng, 3);
        r->on_loss = (enum run_on_loss)prng_below(&s->prng, 3);
        r->has_setup = prng_chance(&s->prng, 600000);
        r->setup_tries = (uint32_t)prng_range(&s->prng, 1, 3);
        r->has_service = prng_chance(&s->prng, 600000);
        r->start_order = (uint32_t)prng_below(&s->prng, 2);
        r->price_usd_micro_per_hour = 50000;
    }
}

static void draw_phases(struct sim *s) {
    uint32_t spans = 0;
    s->config.phase_count = (uint32_t)prng_range(&s->prng, 0, 3);
    for (uint32_t i = 0; i < s->config.phase_count; i++) {
        struct run_phase_config *p = &s->phases[i];
        p->duration_ns = seconds(s, 1, 60);
        p->timeout_ns = p->duration_ns + seconds(s, 5, 60);
        p->on_fail_continue = prng_chance(&s->prng, 300000);
        if (prng_chance(&s->prng, 200000))
            continue;
        p->spans = &s->spans[spans];
        p->span_count = (uint32_t)prng_range(&s->prng, 1, 2);
        for (uint32_t j = 0; j < p->span_count; j++) {
            struct run_span *span = &s->spans[spans++];
            span->role = (uint32_t)prng_below(&s->prng, s->config.role_count);
            span->first = 0;
            span->last = (uint32_t)prng_below(&s->prng, s->config.roles[span->role].want);
        }
    }
    s->config.phases = s->phases;
}

static void draw_times(struct sim *s) {
    struct run_config *c = &s->config;
    c->ttl_ns = prng_chance(&s->prng, 200000) ? seconds(s, 300, 900) : seconds(s, 1800, 5400);
    c->launch_batch_max = (uint32_t)prng_range(&s->prng, 1, 12);
    c->launch_timeout_ns = seconds(s, 60, 400);
    c->rollcall_timeout_ns = seconds(s, 60, 300);
    c->setup_timeout_ns = seconds(s, 60, 300);
    c->ready_timeout_ns = seconds(s, 30, 120);
    c->collect_timeout_ns = seconds(s, 10, 60);
    c->teardown_timeout_ns = seconds(s, 60, 1800);
    c->call_ns = seconds(s, 20, 60);
    c->lost_ns = seconds(s, 5, 30);
    c->list_every_ns = seconds(s, 2, 10);
    c->sweep_ns = seconds(s, 5, 30);
    c->late_ns = SIM_LATE_NS;
    c->visible_ns = SIM_VISIBLE_NS;
    c->collects = prng_chance(&s->prng, 700000);
    c->settles_by_resend = prng_chance(&s->prng, 500000);
    c->budget_usd_micro = prng_chance(&s->prng, 50000) ? prng_range(&s->prng, 1000, 100000) : 0;
}

/* A burst of RequestLimitExceeded somewhere in the middle, on one call or on all. */
static void draw_throttle(struct sim *s, struct cloud_options *o) {
    static const char *const ops[] = {"*", "CreateFleet", "DescribeInstances", "TerminateInstances",
                                      "Delete*"};
    struct fault_rule rule = {.mode = FAULT_ERROR, .code = "RequestLimitExceeded"};
    must(str_copy(rule.op, sizeof rule.op, str_from(ops[prng_below(&s->prng, ARRAY_LEN(ops))])));
    rule.nth = (uint32_t)prng_range(&s->prng, SIM_FOREIGN + 1, 30); /* others were here before */
    rule.times = (uint32_t)prng_range(&s->prng, 1, 20);
    must(fault_table_add(&o->faults, &rule, NULL) == 0);
}

static void draw_cloud(struct sim *s, struct cloud_options *o) {
    cloud_options_init(o);
    o->seed = prng_next(&s->prng);
    o->start_ns = s->now_ns;
    o->start_unix_ms = INT64_C(1790000000000);
    o->zones = 2;
    o->api_ns = (struct cloud_range){10 * NS_PER_MS, seconds(s, 1, 2)};
    o->pending_ns = (struct cloud_range){NS_PER_S, seconds(s, 2, 20)};
    o->boot_ns = (struct cloud_range){NS_PER_S, seconds(s, 2, 40)};
    o->stopping_ns = (struct cloud_range){NS_PER_S, seconds(s, 2, 60)};
    /* Together below SIM_VISIBLE_NS: what the core is told about visibility is true. */
    o->visible_ns = (struct cloud_range){0, prng_chance(&s->prng, 600000) ? seconds(s, 0, 25) : 1};
    o->stale_ppm = maybe(s, 300000);
    o->stale_lag_ns_max = seconds(s, 1, 25);
    o->forget_ns = prng_chance(&s->prng, 300000) ? seconds(s, 70, 300) : 3600 * NS_PER_S;
    o->dud_ppm = maybe(s, 300000);
    o->slow_ppm = maybe(s, 300000);
    o->slow_factor = (uint32_t)prng_range(&s->prng, 2, 8);
    o->fail_ppm = maybe(s, 150000);
    o->interrupt_ppm = maybe(s, 300000);
    o->interrupt_after_ns = (struct cloud_range){NS_PER_S, seconds(s, 60, 600)};
    o->interrupt_notice_ns = 120 * NS_PER_S;
    o->no_notice_ppm = maybe(s, 500000);
    o->throttle = prng_chance(&s->prng, 500000);
    if (prng_chance(&s->prng, 300000))
        draw_throttle(s, o);
    if (prng_chance(&s->prng, 300000)) {
        o->capacity_count = 1;
        o->capacity[0] = (struct cloud_capacity_rule){.type = "*",
                                                      .zone = "*",
                                                      .spot = true,
                                                      .on_demand = prng_chance(&s->prng, 500000),
                                                      .count = (uint32_t)prng_below(&s->prng, 12)};
    }
}

static void draw_faults(struct sim *s) {
    struct sim_faults *f = &s->faults;
    s->heal_ns = s->now_ns + seconds(s, 10, 1500);
    f->request_lost = maybe(s, 200000);
    f->request_late = maybe(s, 150000);
    f->reply_lost = maybe(s, 300000);
    f->reply_late = maybe(s, 200000);
    f->call_failed = maybe(s, 300000);
    f->message_cut = maybe(s, 50000);
    f->agent_dies = maybe(s, 30000);
    f->setup_fails = maybe(s, 200000);
    f->service_fails = maybe(s, 50000);
    f->phase_fails = maybe(s, 100000);
    f->impostor = maybe(s, 200000);
    f->rejected_id = maybe(s, 300000);
    f->crash_writing = prng_chance(&s->prng, 150000) ? (uint32_t)prng_range(&s->prng, 1, 50000) : 0;
    f->journal_breaks_ns =
        prng_chance(&s->prng, 100000) ? s->now_ns + seconds(s, 0, 300) : RUN_NEVER;
    for (int i = 0; i < SIM_CRASHES_MAX; i++)
        f->crash_ns[i] = RUN_NEVER;
    /* Most deaths early: launching takes the first minute. */
    if (prng_chance(&s->prng, 400000))
        for (uint64_t i = 0; i <= prng_below(&s->prng, SIM_CRASHES_MAX); i++)
            f->crash_ns[i] = s->now_ns + (prng_chance(&s->prng, 500000) ? seconds(s, 0, 30)
                                                                        : seconds(s, 0, 900));
    for (int i = 0; i < 3; i++)
        f->stop_ns[i] = RUN_NEVER;
    if (!prng_chance(&s->prng, 300000))
        return;
    f->stop_ns[0] = s->now_ns + seconds(s, 0, prng_chance(&s->prng, 500000) ? 60 : 900);
    if (prng_chance(&s->prng, 500000))
        f->stop_ns[1] = f->stop_ns[0] + seconds(s, 0, 30);
    if (f->stop_ns[1] != RUN_NEVER && prng_chance(&s->prng, 500000))
        f->stop_ns[2] = f->stop_ns[1] + seconds(s, 0, 30);
}

void sim_draw(struct sim *s, struct cloud_options *o) {
    run_config_init(&s->config);
    memcpy(s->config.id, SIM_RUN_ID, sizeof SIM_RUN_ID);
    s->plain = prng_chance(&s->prng, 400000);
    draw_roles(s);
    draw_phases(s);
    draw_times(s);
    draw_cloud(s, o);
    draw_faults(s);
    sim_say(s, "-- %u roles, %u phases; healing at %.0f s", s->config.role_count,
            s->config.phase_count, (double)s->heal_ns / 1e9);
    for (uint32_t i = 0; i < s->config.role_count; i++)
        sim_say(s, "-- role %u: want %u, min %u, spare %u, replacements %u", i,
                s->config.roles[i].want, s->config.roles[i].min, s->config.roles[i].spare,
                s->config.roles[i].replace_max);
}
