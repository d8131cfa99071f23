#include "fake_result.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>

#include "base/prng.h"
#include "core/hist.h"
#include "report/say.h"
#include "report/story.h"

#define T0 INT64_C(1772463731000) /* 2026-03-02T15:02:11Z */
#define LOAD_START (T0 + 194000)
#define SAMPLES_PER_SECOND 150
#define REQUESTS 3

const char FAKE_HOSTILE[] = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>\x1b[2J"
                            "]]>--><!-- </style></svg>\xe2\x80\xae =cmd|'/C calc'!A0,\"x\"\xff";

struct maker {
    struct arena *arena;
    struct result *r;
    const struct fake_options *o;
    struct prng prng;
    struct hist *latency[2][REQUESTS + 1], *service[2][REQUESTS + 1]; /* by phase */
    uint64_t planned[2][REQUESTS + 1], done[2][REQUESTS + 1], errors[2][REQUESTS + 1];
    uint32_t warm_s;
};

static const char *text(struct maker *m, const char *fmt, ...) PRINTF_LIKE(2, 3);
static const char *text(struct maker *m, const char *fmt, ...) {
    char line[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    return arena_text(m->arena, str_from(line));
}

static const char *outside(struct maker *m, const char *harmless) {
    return m->o->hostile ? FAKE_HOSTILE : text(m, "%s", harmless);
}

static double normal(struct prng *p) {
    double u = prng_unit(p);
    return sqrt(-2.0 * log(u > 1e-12 ? u : 1e-12)) * cos(6.283185307 * prng_unit(p));
}

/* Requests asked for in second t, and how loaded the servers are then (1: saturated). */
static double asked_at(const struct maker *m, uint32_t t) {
    if (t < m->warm_s)
        return 2000;
    double x = (double)(t - m->warm_s) / (double)(m->o->seconds - m->warm_s);
    return 4000 + floor(x * 8) / 7.0 * 16000;
}

static double load_at(const struct maker *m, uint32_t t) {
    double load = asked_at(m, t) / 21000.0;
    double x = (double)t / m->o->seconds;
    if (x > 0.42 && x < 0.445) /* one server pauses */
        load += 0.22 * sin((x - 0.42) / 0.025 * 3.14159);
    return load;
}

static uint64_t sample_ns(struct maker *m, double load, uint32_t request) {
    static const double base_ms[] = {1.4, 2.1, 5.6};
    double queue = 1.0 / (1.05 - fmin(load, 0.97));
    double ms = base_ms[request] * (0.75 + 0.22 * queue) * exp(0.34 * normal(&m->prng));
    if (prng_chance(&m->prng, (uint32_t)(4000 + 60000 * load * load * load)))
        ms += 18 * load * exp(0.8 * normal(&m->prng));
    return (uint64_t)(fmax(ms, 0.15) * 1e6);
}

static void count_one(struct maker *m, unsigned phase, uint32_t request, uint64_t ns,
                      uint64_t weight) {
    uint64_t service = (uint64_t)((double)ns * 0.86);
    hist_record_n(m->latency[phase][request], ns, weight);
    hist_record_n(m->latency[phase][REQUESTS], ns, weight);
    hist_record_n(m->service[phase][request], service, weight);
    hist_record_n(m->service[phase][REQUESTS], service, weight);
}

static void make_second(struct maker *m, uint32_t t, struct result_second *s) {
    unsigned phase = t < m->warm_s ? 0 : 1;
    double load = load_at(m, t);
    struct hist h = {0};
    *s = (struct result_second){.unix_ms = LOAD_START + (int64_t)t * 1000};
    s->asked = (uint64_t)asked_at(m, t);
    uint64_t rate = s->asked;
    if (load > 0.93)
        rate = (uint64_t)((double)rate * (1 - 0.08 * (load - 0.93) * 10) + 40 * normal(&m->prng));
    s->sent = s->asked;
    s->errors = load > 0.85 ? (uint64_t)((double)rate * 0.004 * (load - 0.85) * 10) : 0;
    s->done = rate - s->errors;
    for (uint32_t i = 0; i < SAMPLES_PER_SECOND; i++) {
        uint32_t request = i % 10 < 6 ? 0 : i % 10 < 9 ? 1 : 2;
        uint64_t ns = sample_ns(m, load, request);
        hist_record(&h, ns);
        count_one(m, phase, request, ns, s->done / SAMPLES_PER_SECOND);
        m->done[phase][request] += s->done / SAMPLES_PER_SECOND;
        m->done[phase][REQUESTS] += s->done / SAMPLES_PER_SECOND;
    }
    m->planned[phase][REQUESTS] += s->asked;
    m->errors[phase][REQUESTS] += s->errors;
    m->errors[phase][0] += s->errors;
    s->has_latency = true;
    s->p50_ns = hist_percentile_ns(&h, 500000);
    s->p95_ns = hist_percentile_ns(&h, 950000);
    s->p99_ns = hist_percentile_ns(&h, 990000);
    s->p999_ns = (uint64_t)((double)hist_percentile_ns(&h, 999000) * 1.3);
    s->max_ns = (uint64_t)((double)h.max_ns * 1.7);
    s->service_p99_ns = (uint64_t)((double)s->p99_ns * 0.86);
    double x = (double)t / m->o->seconds;
    uint32_t nodes = m->o->servers + m->o->clients;
    s->nodes_ready = x > 0.62 && x < 0.68 ? nodes - 1 : nodes;
    s->reporting = m->o->clients;
    s->cpu_percent = (uint32_t)(8 + 40 * load);
    s->spent_usd_micro = (int64_t)(0.02e6 * nodes * (194 + t) / 3600.0);
    hist_deinit(&h);
}

static void make_phases(struct maker *m) {
    static const char *const names[] = {"GET /", "GET /item/{id}", "POST /cart"};
    struct result_phase *phases = arena_new_array(m->arena, 4, sizeof *phases);
    phases[0] = (struct result_phase){.name = "seed",
                                      .kind = RESULT_PHASE_RUN,
                                      .trial = 1,
                                      .trials = 1,
                                      .detail = outside(m, "ok, 10,000 rows"),
                                      .start_unix_ms = LOAD_START - 22000,
                                      .end_unix_ms = LOAD_START - 18700,
                                      .duration_ns = 3300 * NS_PER_MS,
                                      .nodes = 1};
    phases[1] = (struct result_phase){.name = "settle",
                                      .kind = RESULT_PHASE_WAIT,
                                      .trial = 1,
                                      .trials = 1,
                                      .start_unix_ms = LOAD_START - 15000,
                                      .end_unix_ms = LOAD_START,
                                      .detail = "ok",
                                      .duration_ns = 15 * NS_PER_S};
    for (unsigned i = 0; i < 2; i++) {
        struct result_phase *p = &phases[2 + i];
        uint32_t first = i ? m->warm_s : 0;
        uint32_t last = i ? m->o->seconds : m->warm_s;
        *p = (struct result_phase){.name = i ? "steps" : "warm",
                                   .kind = RESULT_PHASE_HTTP,
                                   .trial = 1,
                                   .trials = 1,
                                   .warmup = !i,
                                   .detail = "ok",
                                   .start_unix_ms = LOAD_START + (int64_t)first * 1000,
                                   .end_unix_ms = LOAD_START + (int64_t)last * 1000,
                                   .duration_ns = (last - first) * NS_PER_S,
                                   .nodes = m->o->clients,
                                   .start_skew_ns = 840 * NS_PER_US,
                                   .has_load = true,
                                   .request_count = REQUESTS};
        p->latency = m->latency[i][REQUESTS];
        p->service = m->service[i][REQUESTS];
        p->planned = m->planned[i][REQUESTS];
        p->sent = p->planned;
        p->done = m->done[i][REQUESTS];
        p->errors = m->errors[i][REQUESTS];
        p->late = i ? p->planned / 5000 : 0;
        p->late_ns_max = i ? 3100 * NS_PER_US : 0;
        p->bytes_in = p->done * 4096;
        p->bytes_out = p->sent * 312;
        p->rate_asked_micro_per_s = p->planned * 1000000 / (last - first);
        p->rate_micro_per_s = p->done * 1000000 / (last - first);
        if (i)
            p->disturbed = "spot notice for client:2, 15:17:41-15:17:52";
        struct result_request *q = arena_new_array(m->arena, REQUESTS, sizeof *q);
        for (uint32_t k = 0; k < REQUESTS; k++)
            q[k] = (struct result_request){k == 1 ? outside(m, names[k]) : names[k],
                                           m->latency[i][k],
                                           m->service[i][k],
                                           m->done[i][k] + m->errors[i][k],
                                           m->done[i][k] + m->errors[i][k],
                                           m->done[i][k],
                                           m->errors[i][k],
                                           0,
                                           m->done[i][k] * 4096,
                                           m->done[i][k] * 312};
        p->requests = q;
    }
    m->r->phases = phases;
    m->r->phase_count = 4;
}

static void make_load(struct maker *m) {
    m->warm_s = MIN(30, m->o->seconds / 8);
    for (unsigned i = 0; i < 2; i++)
        for (uint32_t k = 0; k <= REQUESTS; k++) {
            m->latency[i][k] = arena_new(m->arena, sizeof(struct hist));
            m->service[i][k] = arena_new(m->arena, sizeof(struct hist));
        }
    struct result_second *seconds = arena_new_array(m->arena, m->o->seconds, sizeof *seconds);
    for (uint32_t t = 0; t < m->o->seconds; t++)
        make_second(m, t, &seconds[t]);
    m->r->seconds = seconds;
    m->r->second_count = m->o->seconds;
    make_phases(m);
    struct result_error *errors = arena_new_array(m->arena, 3, sizeof *errors);
    uint64_t total = m->errors[1][REQUESTS];
    int64_t end = m->r->end_unix_ms;
    errors[0] =
        (struct result_error){"status 503",   "GET /",
                              "steps",        outside(m, "503 Service Unavailable: upstream busy"),
                              total * 7 / 10, LOAD_START + 600000,
                              end - 60000};
    errors[1] = (struct result_error){"timeout", "POST /cart",        "steps",    "no reply in 2s",
                                      total / 5, LOAD_START + 640000, end - 61000};
    errors[2] =
        (struct result_error){"reset",    outside(m, "GET /item/{id}"),       "steps",
                              NULL,       total - total * 7 / 10 - total / 5, LOAD_START + 700000,
                              end - 90000};
    m->r->errors = errors;
    m->r->error_count = total ? 3 : 0;
}

static void make_node(struct maker *m, struct result_node *n, uint32_t i) {
    bool client = i >= m->o->servers;
    uint32_t index = client ? i - m->o->servers : i;
    bool other_type = client && index % 3 == 2;
    *n = (struct result_node){.role = client ? "client" : "web", .fate = RESULT_NODE_GONE};
    n->slot = text(m, "%s:%" PRIu32, n->role, index);
    n->instance_id = text(m, "i-0%010" PRIx64 "%06x", prng_next(&m->prng) & 0xffffffffff, i);
    n->type = other_type ? "c6g.large" : "c7g.large";
    n->zone = index % 2 ? "us-east-1b" : "us-east-1c";
    n->market = "spot";
    n->private_ip = text(m, "10.0.%u.%u", i / 200, 10 + i % 200);
    n->launched_unix_ms = T0 + 4000 + (int64_t)(i / 25) * 1100;
    n->running_unix_ms = n->launched_unix_ms + 9000 + (int64_t)prng_below(&m->prng, 14000);
    n->joined_unix_ms = n->running_unix_ms + 21000 + (int64_t)prng_below(&m->prng, 26000);
    n->ready_unix_ms = n->joined_unix_ms + 4000 + (int64_t)prng_below(&m->prng, 9000);
    n->ended_unix_ms = m->r->end_unix_ms - 31000;
    n->gone_unix_ms = n->ended_unix_ms + 14000 + (int64_t)prng_below(&m->prng, 12000);
    n->setup_ns = (uint64_t)(n->ready_unix_ms - n->joined_unix_ms) * NS_PER_MS;
    n->clock_offset_ns = (int64_t)prng_below(&m->prng, 4000000) - 2000000;
    n->clock_error_ns = 120000 + prng_below(&m->prng, 200000);
    n->start_skew_ns = (int64_t)prng_below(&m->prng, 840000);
    n->has_cpu = true;
    n->cpu_percent =
        client ? 30 + (uint32_t)prng_below(&m->prng, 9) : 71 + (uint32_t)prng_below(&m->prng, 7);
    n->cpu_percent_max = MIN(n->cpu_percent + 17, 100);
    n->memory_bytes_max = 214 * MIB + prng_below(&m->prng, 60 * MIB);
    n->cost_usd_micro = 5200 + (int64_t)prng_below(&m->prng, 400);
    if (!client)
        return;
    n->has_load = true;
    n->requests = m->done[1][REQUESTS] / m->o->clients;
    n->errors = m->errors[1][REQUESTS] / m->o->clients;
    n->p50_ns = (uint64_t)(2.0e6 + 0.1e6 * normal(&m->prng));
    n->p99_ns = (uint64_t)(17.0e6 + 1.2e6 * normal(&m->prng));
    n->max_ns = 190000000 + prng_below(&m->prng, 90000000);
    n->bytes_in = n->requests * 4096;
    n->bytes_out = n->requests * 312;
}

static void make_fleet(struct maker *m) {
    uint32_t wanted = m->o->servers + m->o->clients;
    uint32_t count = wanted + 2;
    struct result_node *nodes = arena_new_array(m->arena, count, sizeof *nodes);
    for (uint32_t i = 0; i < wanted; i++)
        make_node(m, &nodes[i], i);
    struct result_node *noisy = &nodes[m->o->servers + 1];
    noisy->p99_ns *= 2;
    noisy->steal_percent_max = 22;
    noisy->note = outside(m, "p99 2.1\u00d7 the median: steal up to 22 %");
    nodes[m->o->servers].type = outside(m, "c7g.large");
    /* A dud, and the one that the market took away; both slots were filled again. */
    struct result_node *dud = &nodes[wanted];
    make_node(m, dud, m->o->servers + 3 % m->o->clients);
    *dud = (struct result_node){.slot = dud->slot,
                                .role = dud->role,
                                .type = dud->type,
                                .instance_id = dud->instance_id,
                                .zone = dud->zone,
                                .market = "spot",
                                .fate = RESULT_NODE_DUD,
                                .launched_unix_ms = T0 + 4000,
                                .running_unix_ms = T0 + 15000,
                                .ended_unix_ms = T0 + 140000,
                                .gone_unix_ms = T0 + 166000,
                                .cost_usd_micro = 1200,
                                .note = "never called home; ssh port closed"};
    nodes[m->o->servers + 3 % m->o->clients].launched_unix_ms = T0 + 118000;
    nodes[m->o->servers + 3 % m->o->clients].running_unix_ms = T0 + 129000;
    nodes[m->o->servers + 3 % m->o->clients].joined_unix_ms = T0 + 151000;
    nodes[m->o->servers + 3 % m->o->clients].ready_unix_ms = T0 + 158000;
    struct result_node *taken = &nodes[wanted + 1];
    make_node(m, taken, m->o->servers + 2 % m->o->clients);
    int64_t notice = LOAD_START + (int64_t)(0.62 * 1000 * m->o->seconds);
    taken->fate = RESULT_NODE_INTERRUPTED;
    taken->ended_unix_ms = taken->gone_unix_ms = notice + 120000;
    taken->note = "spot notice; its share moved to the others";
    struct result_node *after = &nodes[m->o->servers + 2 % m->o->clients];
    after->launched_unix_ms = notice + 900;
    after->running_unix_ms = notice + 12000;
    after->joined_unix_ms = notice + 39000;
    after->ready_unix_ms = notice + 47000;
    if (m->o->leak)
        nodes[0].fate = RESULT_NODE_LEFT, nodes[0].gone_unix_ms = 0;
    m->r->nodes = nodes;
    m->r->node_count = count;
    m->r->wanted = wanted;
}

static void make_cost(struct maker *m) {
    static const struct {
        const char *role, *type, *zone;
        int64_t price, on_demand;
    } rows[] = {{"web", "c7g.large", "us-east-1c", 28700, 72500},
                {"client", "c7g.large", "us-east-1b", 29300, 72500},
                {"client", "c6g.large", "us-east-1c", 26100, 68000}};
    struct result_cost *costs = arena_new_array(m->arena, ARRAY_LEN(rows), sizeof *costs);
    uint64_t seconds = 194 + m->o->seconds + 60;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint32_t nodes = i == 0   ? m->o->servers
                         : i == 1 ? m->o->clients * 2 / 3 + 1
                                  : m->o->clients / 3 + 1;
        costs[i] = (struct result_cost){rows[i].role,
                                        rows[i].type,
                                        rows[i].zone,
                                        "spot",
                                        nodes,
                                        nodes * seconds,
                                        rows[i].price,
                                        rows[i].on_demand,
                                        rows[i].price * nodes * (int64_t)seconds / 3600,
                                        rows[i].on_demand * nodes * (int64_t)seconds / 3600};
    }
    m->r->costs = costs;
    m->r->cost_count = ARRAY_LEN(rows);
    m->r->disk_usd_micro = 3100;
    m->r->budget_usd_micro = 5000000;
}

static void make_verdict(struct maker *m) {
    struct result *r = m->r;
    const struct hist *h = m->latency[1][REQUESTS];
    uint64_t p99 = hist_percentile_ns(h, 990000);
    uint64_t p999 = hist_percentile_ns(h, 999000);
    bool pass = m->o->passing;
    struct buf b = BUF_INIT(64);
    struct result_threshold *t = arena_new_array(m->arena, 4, sizeof *t);
    say_ms(&b, p99);
    double limit = pass ? 80 : 20;
    t[0] = (struct result_threshold){.text = text(m, "p99 < %.0fms in steps", limit),
                                     .phase = "steps",
                                     .state = (double)p99 / 1e6 < limit ? RESULT_OK : RESULT_FAILED,
                                     .value = text(m, "%s ms", buf_text(&b)),
                                     .value_number = (double)p99 / 1e6,
                                     .limit_number = limit,
                                     .worst = "15:19:40-15:20:10, 20,000/s"};
    buf_reset(&b);
    say_ms(&b, p999);
    limit = pass ? 400 : 60;
    t[1] =
        (struct result_threshold){.text = text(m, "p99.9 of GET / < %.0fms in steps", limit),
                                  .phase = "steps",
                                  .state = (double)p999 / 1e6 < limit ? RESULT_OK : RESULT_FAILED,
                                  .value = text(m, "%s ms", buf_text(&b)),
                                  .value_number = (double)p999 / 1e6,
                                  .limit_number = limit};
    buf_deinit(&b);
    double errors = 100.0 * (double)m->errors[1][3] / (double)m->planned[1][3];
    t[2] = (struct result_threshold){.text = "errors < 1% in steps",
                                     .phase = "steps",
                                     .state = RESULT_OK,
                                     .value = text(m, "%.2f %%", errors),
                                     .value_number = errors,
                                     .limit_number = 1};
    t[3] = (struct result_threshold){.text = "rate > 9000/s in steps",
                                     .phase = "steps",
                                     .state = RESULT_OK,
                                     .value = "11,940/s",
                                     .value_number = 11940,
                                     .limit_number = 9000,
                                     .more_is_better = true,
                                     .annotation = outside(m, "with one client interrupted")};
    r->thresholds = t;
    r->threshold_count = 4;
    struct result_check *checks = arena_new_array(m->arena, 1, sizeof *checks);
    checks[0] = (struct result_check){"every server answers", RESULT_OK, outside(m, "2 = 2"),
                                      210 * NS_PER_MS};
    r->checks = checks;
    r->check_count = 1;
    unsigned failed = 0;
    const char *worst = NULL;
    for (size_t i = 0; i < 4; i++)
        if (t[i].state == RESULT_FAILED) {
            failed++;
            worst = t[i].text;
        }
    r->verdict = failed || m->o->leak ? RESULT_FAIL : RESULT_PASS;
    r->why = failed ? text(m, "%u of 4 thresholds failed; the worst is %s", failed, worst)
                    : "all 4 thresholds hold";
    struct result_exit *exits = arena_new_array(m->arena, 2, sizeof *exits);
    if (m->o->leak)
        exits[r->exit_count++] = (struct result_exit){9, "leak", "web:0 not proved gone"};
    if (failed)
        exits[r->exit_count++] = (struct result_exit){99, "thresholds", worst};
    r->exits = exits;
}

static void make_trust(struct maker *m) {
    struct result *r = m->r;
    struct result_validity *v = arena_new_array(m->arena, 4, sizeof *v);
    v[0] = (struct result_validity){RESULT_OK, "the generators were not the limit",
                                    "cpu mean 34 %, worst client:3 54 %"};
    v[1] =
        (struct result_validity){RESULT_OK, "requests left on time", "0.02 % late, at most 3.1 ms"};
    v[2] = (struct result_validity){RESULT_WARNED, "the fleet changed while it was measured",
                                    "client:2 was interrupted in steps and replaced"};
    v[3] = (struct result_validity){RESULT_OK, "all samples arrived", NULL};
    r->validity = v;
    r->validity_count = 4;
    const char **notes = arena_new_array(m->arena, 2, sizeof *notes);
    notes[0] = "this run used 2 instance types for client; node differences are mixed into p99";
    notes[1] = outside(m, "one run cannot show its own noise; --set phases.steps.repeat=4 would");
    r->notes = notes;
    r->note_count = 2;
    struct result_sweep *sweeps = arena_new_array(m->arena, 3, sizeof *sweeps);
    sweeps[0] = (struct result_sweep){r->end_unix_ms - 22000, true, 3};
    sweeps[1] = (struct result_sweep){r->end_unix_ms - 11000, true, m->o->leak};
    sweeps[2] = (struct result_sweep){r->end_unix_ms - 1000, true, m->o->leak};
    r->clean = (struct result_clean){.verified = !m->o->leak,
                                     .verified_unix_ms = r->end_unix_ms - 1000,
                                     .launched = (uint32_t)r->node_count,
                                     .gone = (uint32_t)r->node_count - m->o->leak,
                                     .groups_deleted = 1,
                                     .templates_deleted = 2,
                                     .sweeps = sweeps,
                                     .sweep_count = 3,
                                     .has_truth = m->o->rehearsal,
                                     .truth_calls = 61,
                                     .truth_billed_usd_micro = 41000};
    if (m->o->leak)
        r->clean.leak = "web:0 i-0123 (RequestLimitExceeded, 6 tries). It ends itself at 19:04";
}

static void say(struct maker *m, struct story_event **events, enum story_kind kind, int64_t ms,
                const char *sentence) {
    struct story_event *e = arena_new(m->arena, sizeof *e);
    story_init(e, kind, ms, m->r->run);
    e->seq = m->r->event_count + 1;
    story_text(e, "%s", sentence);
    if (kind == STORY_INTERRUPT)
        e->mark = STORY_ALERT;
    if (kind == STORY_DOWN)
        e->mark = STORY_OK;
    events[m->r->event_count++] = e;
}

static void make_events(struct maker *m) {
    struct story_event **events = arena_new_array(m->arena, 16, sizeof *events);
    say(m, events, STORY_CONFIG, T0, "http.yaml ok: 2 roles, 4 phases, 4 thresholds");
    say(m, events, STORY_PLAN, T0 + 1200, "8 nodes, 0.23 $/h spot (on-demand 0.57), quota ok");
    say(m, events, STORY_CAPACITY, T0 + 5300,
        outside(m, "c7g.large us-east-1c is short (InsufficientInstanceCapacity \u00d73), "
                   "taking c6g.large"));
    say(m, events, STORY_LAUNCH, T0 + 31000, "all running in 0:27");
    say(m, events, STORY_ROLLCALL, T0 + 118000, "client:3 never called home, replacing it");
    say(m, events, STORY_ROLLCALL, T0 + 158000, "all here in 2:07 (1 dud replaced: client:3)");
    say(m, events, STORY_PHASE_START, LOAD_START, "warm on 6 nodes (start spread 0.8 ms)");
    int64_t notice = LOAD_START + (int64_t)(0.62 * 1000 * m->o->seconds);
    say(m, events, STORY_INTERRUPT, notice, "notice for client:2: ends in 2:00");
    say(m, events, STORY_NODE, notice + 47000, "client:2 is back");
    say(m, events, STORY_PHASE_END, LOAD_START + (int64_t)m->o->seconds * 1000, "steps ok");
    say(m, events, STORY_DOWN, m->r->end_unix_ms - 1000, "all ever launched are gone");
    m->r->events = (const struct story_event *const *)events;
}

static void make_origin(struct maker *m) {
    static const struct result_pair manifest[] = {
        {"dayfly", "0.1.0 (commit 3131534)"},
        {"plan sha256", "9f2c\u20260b71 examples/http.yaml"},
        {"image", "ami-0d4f2c9a1b3e5f677 debian-12-arm64"},
        {"kernel", "6.1.0-28-cloud-arm64 on 8 of 8 nodes"},
        {"region and zones", "us-east-1: b, c"},
        {"seed", "1741"},
        {"prices", "spot 2026-03-02T15:02:12Z, on-demand 2026-02-27"},
    };
    struct result *r = m->r;
    r->run = "7k2m";
    r->name = m->o->hostile ? FAKE_HOSTILE : "http";
    r->version = "0.1.0";
    r->region = "us-east-1";
    r->owner = outside(m, "perf-team");
    r->command = m->o->rehearsal ? "dayfly rehearse examples/http.yaml --seed 1741"
                                 : "dayfly run examples/http.yaml --seed 1741";
    r->rehearsal = m->o->rehearsal;
    r->start_unix_ms = T0;
    r->end_unix_ms = LOAD_START + (int64_t)m->o->seconds * 1000 + 58000;
    r->duration_ns = (uint64_t)(r->end_unix_ms - r->start_unix_ms) * NS_PER_MS;
    r->clock_spread_ns = 320 * NS_PER_US;
    r->manifest = manifest;
    r->manifest_count = ARRAY_LEN(manifest);
    static const struct result_pair tags[] = {{"team", "shop"}, {"pr", "1412"}};
    r->tags = tags;
    r->tag_count = ARRAY_LEN(tags);
    r->config_text = m->o->hostile ? FAKE_HOSTILE : "dayfly: 1\nname: http\n";
    r->config_resolved_text = "dayfly: 1\nname: http\nfleet:\n  region: us-east-1\n";
}

struct fake_result *fake_result_new(const struct fake_options *options) {
    must(options->clients > 3 && options->servers > 0 && options->seconds >= 40);
    struct fake_result *fake = mem_new(sizeof *fake);
    arena_init(&fake->arena, 0);
    struct maker m = {.arena = &fake->arena, .r = &fake->result, .o = options};
    prng_init(&m.prng, options->seed);
    make_origin(&m);
    make_load(&m);
    make_fleet(&m);
    make_cost(&m);
    make_verdict(&m);
    make_trust(&m);
    make_events(&m);
    return fake;
}

static void free_hist(const struct hist *h) {
    if (h)
        hist_deinit((struct hist *)(uintptr_t)h);
}

void fake_result_free(struct fake_result *fake) {
    if (!fake)
        return;
    for (size_t i = 0; i < fake->result.phase_count; i++) {
        const struct result_phase *p = &fake->result.phases[i];
        free_hist(p->latency);
        free_hist(p->service);
        for (size_t k = 0; k < p->request_count; k++) {
            free_hist(p->requests[k].latency);
            free_hist(p->requests[k].service);
        }
    }
    arena_deinit(&fake->arena);
    mem_free(fake);
}
