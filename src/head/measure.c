#include "head/measure.h"

#include <inttypes.h>

__extension__ typedef unsigned __int128 wide;

struct measure *measure_new(const struct plan *plan, uint32_t node_max) {
    struct measure *m = mem_new(sizeof *m);
    m->plan = plan;
    m->phases = mem_new_array(MAX(plan->phase_count, 1u), sizeof *m->phases);
    m->nodes = mem_new_array(MAX(node_max, 1u), sizeof *m->nodes);
    m->node_max = node_max;
    m->results = mem_new_array(MAX(plan->threshold_count, 1u), sizeof *m->results);
    for (uint32_t i = 0; i < plan->threshold_count; i++)
        m->window_ns = MAX(m->window_ns, plan->thresholds[i].window_ns);
    return m;
}

void measure_cell_deinit(struct measure_cell *cell) {
    hist_deinit(&cell->latency);
    hist_deinit(&cell->service);
}

static void free_cells(struct measure_cell *own_cells, uint32_t count) {
    for (uint32_t i = 0; own_cells && i < count; i++)
        measure_cell_deinit(&own_cells[i]);
    mem_free(own_cells);
}

void measure_free(struct measure *own_measure) {
    if (!own_measure)
        return;
    struct measure *m = own_measure;
    for (uint32_t i = 0; i < m->second_count; i++)
        free_cells(m->seconds[i].cells, m->phases[m->seconds[i].phase].request_count);
    for (uint32_t i = 0; i < m->plan->phase_count; i++) {
        free_cells(m->phases[i].cells, m->phases[i].request_count);
        measure_cell_deinit(&m->phases[i].total);
    }
    for (uint32_t i = 0; i < m->node_max; i++)
        hist_deinit(&m->nodes[i].latency);
    mem_free(m->seconds);
    mem_free(m->phases);
    mem_free(m->nodes);
    mem_free(m->results);
    mem_free(m);
}

uint64_t measure_errors(const struct measure_cell *cell) {
    uint64_t sum = 0;
    for (size_t i = 0; i < LOAD_ERROR_COUNT; i++)
        sum += cell->errors[i];
    return sum;
}

void measure_cell_merge(struct measure_cell *into, const struct measure_cell *from) {
    hist_merge(&into->latency, &from->latency);
    hist_merge(&into->service, &from->service);
    into->sent += from->sent;
    into->planned += from->planned;
    into->ok += from->ok;
    for (size_t i = 0; i < LOAD_ERROR_COUNT; i++)
        into->errors[i] += from->errors[i];
    into->bytes_in += from->bytes_in;
    into->bytes_out += from->bytes_out;
}

void measure_begin(struct measure *m, uint32_t phase, uint64_t start_ns, int64_t start_unix_ms,
                   uint32_t nodes) {
    must(phase < m->plan->phase_count);
    const struct plan_phase *spec = &m->plan->phases[phase];
    struct measure_phase *p = &m->phases[phase];
    p->begun = true;
    p->start_ns = start_ns;
    p->start_unix_ms = start_unix_ms;
    p->nodes = nodes;
    p->first_second = m->second_count;
    if (spec->kind != PLAN_PHASE_HTTP)
        return;
    p->request_count = spec->http.request_count;
    p->cells = mem_new_array(p->request_count, sizeof *p->cells);
    pace_plan_init(&p->pace);
    for (uint32_t i = 0; i < spec->http.stage_count; i++) {
        const struct plan_stage *stage = &spec->http.stages[i];
        struct pace_stage piece = {.duration_ns = stage->duration_ns,
                                   .from_micro = stage->from_micro,
                                   .to_micro = stage->to_micro};
        must(pace_plan_add(&p->pace, piece, NULL) == 0); /* the plan was checked */
    }
}

void measure_end(struct measure *m, uint32_t phase, uint64_t end_ns, int64_t end_unix_ms) {
    must(phase < m->plan->phase_count);
    m->phases[phase].ended = true;
    m->phases[phase].end_ns = end_ns;
    m->phases[phase].end_unix_ms = end_unix_ms;
}

static uint64_t asked_in(const struct measure_phase *p, uint32_t second) {
    if (p->pace.stage_count == 0)
        return 0;
    uint64_t from = (uint64_t)second * NS_PER_S;
    uint64_t before = second ? pace_plan_due_count(&p->pace, from - 1) : 0;
    return pace_plan_due_count(&p->pace, from + NS_PER_S - 1) - before;
}

/* Make the seconds of the running phase up to `second` exist. */
static struct measure_second *find_second(struct measure *m, uint32_t phase, uint32_t second) {
    struct measure_phase *p = &m->phases[phase];
    while (p->second_count <= second) {
        if (m->second_count == m->second_capacity) {
            m->second_capacity = MAX(m->second_capacity * 2, 64u);
            m->seconds = mem_resize(m->seconds, m->second_capacity * sizeof *m->seconds);
        }
        m->seconds[m->second_count++] = (struct measure_second){
            .phase = phase,
            .second = p->second_count,
            .unix_ms = p->start_unix_ms + (int64_t)p->second_count * 1000,
            .end_ns = p->start_ns + (p->second_count + UINT64_C(1)) * NS_PER_S,
            .asked = asked_in(p, p->second_count),
            .cells = mem_new_array(p->request_count, sizeof(struct measure_cell)),
        };
        p->second_count++;
    }
    return &m->seconds[p->first_second + second];
}

/* Is it a number that a node can have counted in one second?  What passes can be added up over the
 * largest fleet and the longest phase without an overflow. */
static bool is_countable(uint64_t number) {
    return number <= MEASURE_COUNT_MAX;
}

static bool request_is_countable(const struct wire_sample_request *r) {
    bool fine = is_countable(r->planned) && is_countable(r->sent) && is_countable(r->ok) &&
                r->bytes_in <= MEASURE_BYTES_MAX && r->bytes_out <= MEASURE_BYTES_MAX;
    for (size_t i = 0; i < r->errors_count; i++)
        fine &= is_countable(r->errors[i]);
    return fine;
}

static int check_sample(const struct measure *m, uint32_t phase, const struct wire_sample *sample,
                        struct err *err) {
    bool fine = is_countable(sample->late) && is_countable(sample->late_self) &&
                is_countable(sample->in_flight);
    for (size_t i = 0; i < sample->requests_count; i++) {
        fine &= request_is_countable(&sample->requests[i]);
        if (sample->requests[i].request >= m->phases[phase].request_count)
            return err_set(err, ERR_PROTOCOL, "sample: no request %u", sample->requests[i].request);
    }
    return fine ? 0 : err_set(err, ERR_PROTOCOL, "sample: a number that cannot be");
}

static int read_cell(const struct wire_sample_request *from, struct measure_cell *ret_cell,
                     struct err *err) {
    ret_cell->planned = from->planned;
    ret_cell->sent = from->sent;
    ret_cell->ok = from->ok;
    ret_cell->bytes_in = from->bytes_in;
    ret_cell->bytes_out = from->bytes_out;
    for (size_t i = 0; i < MIN(from->errors_count, (size_t)LOAD_ERROR_COUNT); i++)
        ret_cell->errors[i] = from->errors[i];
    if (from->latency.len && hist_decode_add(from->latency, &ret_cell->latency, err) < 0)
        return err_set(err, ERR_PROTOCOL, "sample: bad latency histogram");
    if (from->service.len && hist_decode_add(from->service, &ret_cell->service, err) < 0)
        return err_set(err, ERR_PROTOCOL, "sample: bad service histogram");
    if (!is_countable(ret_cell->latency.count) || !is_countable(ret_cell->service.count))
        return err_set(err, ERR_PROTOCOL, "sample: a histogram that cannot be");
    return 0;
}

static void add_to_node(struct measure_node *node, const struct measure_cell *cell) {
    hist_merge(&node->latency, &cell->latency);
    node->sent += cell->sent;
    node->ok += cell->ok;
    node->errors += measure_errors(cell);
    node->bytes_in += cell->bytes_in;
    node->bytes_out += cell->bytes_out;
}

static int add_request(struct measure *m, uint32_t phase, uint32_t node,
                       struct measure_second *second, const struct wire_sample_request *from,
                       struct err *err) {
    struct measure_phase *p = &m->phases[phase];
    CLEANUP(measure_cell_deinit) struct measure_cell cell = {0};
    TRY(read_cell(from, &cell, err));
    measure_cell_merge(&p->cells[from->request], &cell);
    measure_cell_merge(&p->total, &cell);
    if (second->cells)
        measure_cell_merge(&second->cells[from->request], &cell);
    if (!m->plan->phases[phase].warmup)
        add_to_node(&m->nodes[node], &cell);
    if (!second->final) {
        second->sent += cell.sent;
        second->ok += cell.ok;
        second->errors += measure_errors(&cell);
    }
    return 0;
}

/* A node counts once among those that have reported a second. */
static bool is_news(struct measure_node *node, uint32_t phase, uint32_t second) {
    if (phase + 1 < node->told_phase ||
        (phase + 1 == node->told_phase && second < node->told_seconds))
        return false;
    node->told_phase = phase + 1;
    node->told_seconds = second + 1;
    return true;
}

int measure_sample(struct measure *m, uint32_t phase, uint32_t node,
                   const struct wire_sample *sample, struct err *err) {
    must(node < m->node_max);
    if (phase >= m->plan->phase_count || !m->phases[phase].begun ||
        m->phases[phase].request_count == 0)
        return err_set(err, ERR_PROTOCOL, "sample of a phase without load");
    struct measure_phase *p = &m->phases[phase];
    /* Replies may come up to the timeout and its grace after the last second of the plan. */
    uint64_t longest_s = m->plan->phases[phase].timeout_ns / NS_PER_S + 60;
    uint64_t number = sample->from_ns / NS_PER_S;
    bool last_phase = !p->second_count || p->first_second + p->second_count == m->second_count;
    bool to_come = p->start_ns + MIN(number, longest_s) * NS_PER_S > m->now_ns + MEASURE_LATE_NS;
    if (number > longest_s || !last_phase || to_come)
        return err_set(err, ERR_PROTOCOL, "sample of second %" PRIu64, number);
    TRY(check_sample(m, phase, sample, err));
    struct measure_second *second = find_second(m, phase, (uint32_t)number);
    for (size_t i = 0; i < sample->requests_count; i++)
        TRY(add_request(m, phase, node, second, &sample->requests[i], err));
    if (sample->last_part && is_news(&m->nodes[node], phase, (uint32_t)number))
        second->reports++;
    second->in_flight += MIN(sample->in_flight, UINT32_MAX - second->in_flight);
    p->late += sample->late;
    p->late_self += sample->late_self;
    p->late_ns_max = MAX(p->late_ns_max, MIN(sample->late_ns_max, longest_s * NS_PER_S));
    if (!m->plan->phases[phase].warmup)
        m->nodes[node].late += sample->late;
    return 0;
}

static void fix_second(struct measure *m, struct measure_second *second,
                       const struct measure_context *context) {
    struct measure_phase *p = &m->phases[second->phase];
    CLEANUP(measure_cell_deinit) struct measure_cell all = {0};
    for (uint32_t i = 0; i < p->request_count; i++)
        measure_cell_merge(&all, &second->cells[i]);
    second->final = true;
    second->has_latency = all.latency.count > 0;
    second->p50_ns = hist_percentile_ns(&all.latency, 500000);
    second->p95_ns = hist_percentile_ns(&all.latency, 950000);
    second->p99_ns = hist_percentile_ns(&all.latency, 990000);
    second->p999_ns = hist_percentile_ns(&all.latency, 999000);
    second->max_ns = all.latency.count ? all.latency.max_ns : 0;
    second->service_p99_ns = hist_percentile_ns(&all.service, 990000);
    second->nodes_ready = context->nodes_ready;
    second->cpu_percent = context->cpu_percent;
    second->spent_usd_micro = context->spent_usd_micro;
    if (second->reports < p->nodes)
        p->missing += p->nodes - second->reports;
}

/* ---- reading metrics ---- */

static int find_request(const struct measure *m, uint32_t phase, const char *name) {
    return plan_find_request(&m->plan->phases[phase], str_from(name));
}

/* Add what threshold `t` speaks of, out of `cells` of `phase`. */
static void pick_cells(const struct measure *m, const struct threshold *t, uint32_t phase,
                       const struct measure_cell *cells, struct measure_cell *into) {
    int only = t->of[0] ? find_request(m, phase, t->of) : -1;
    if (t->of[0] && only < 0)
        return;
    for (uint32_t i = 0; i < m->phases[phase].request_count; i++)
        if (only < 0 || (uint32_t)only == i)
            measure_cell_merge(into, &cells[i]);
}

/* Value of a metric over `cell`, which took `ns`; false: no data. */
static bool read_cell_metric(const struct threshold *t, const struct measure_cell *cell,
                             uint64_t ns, int64_t *ret) {
    const struct hist *h = t->service ? &cell->service : &cell->latency;
    uint64_t errors = measure_errors(cell), ended = cell->ok + errors;
    switch (t->metric) {
    case METRIC_PERCENTILE:
        *ret = (int64_t)hist_percentile_ns(h, t->percentile_ppm);
        return h->count > 0;
    case METRIC_MEAN:
        *ret = (int64_t)hist_mean_ns(h);
        return h->count > 0;
    case METRIC_MAX:
        *ret = (int64_t)h->max_ns;
        return h->count > 0;
    case METRIC_RATE:
        *ret = ns ? (int64_t)((double)cell->ok * 1e6 / ((double)ns / 1e9)) : 0;
        return ns > 0;
    case METRIC_ERRORS:
        *ret = ended ? (int64_t)((wide)errors * 1000000 / ended) : 0;
        return ended > 0;
    case METRIC_ERROR_COUNT:
        *ret = (int64_t)errors;
        return ended > 0;
    case METRIC_PHASE_TIME:
    case METRIC_LOST_NODES:
    case METRIC_FAILED_NODES:
    case METRIC_CPU:
    case METRIC_COST:
    case METRIC_COUNT_:
        break;
    }
    return false;
}

/* The window of `t` that ends with second `last` of `phase`. */
static bool read_window(const struct measure *m, const struct threshold *t, uint32_t phase,
                        uint32_t last, int64_t *ret) {
    const struct measure_phase *p = &m->phases[phase];
    uint32_t length = (uint32_t)((t->window_ns + NS_PER_S - 1) / NS_PER_S);
    if (last + 1 < length)
        return false;
    CLEANUP(measure_cell_deinit) struct measure_cell sum = {0};
    for (uint32_t s = last + 1 - length; s <= last; s++) {
        const struct measure_second *second = &m->seconds[p->first_second + s];
        if (second->cells)
            pick_cells(m, t, phase, second->cells, &sum);
    }
    return read_cell_metric(t, &sum, length * NS_PER_S, ret);
}

/* Seconds after the planned end only collect what is outstanding: no window ends there. */
static bool within_plan(const struct measure *m, uint32_t phase, uint32_t second) {
    return (uint64_t)(second + 1) * NS_PER_S <= m->plan->phases[phase].duration_ns;
}

static int judge_windows(struct measure *m, uint32_t phase, uint32_t second) {
    int stop = -1;
    for (uint32_t i = 0; i < m->plan->threshold_count; i++) {
        const struct threshold *t = &m->plan->thresholds[i];
        bool speaks = t->in[0] ? str_equal(str_from(t->in), m->plan->phases[phase].name)
                               : !m->plan->phases[phase].warmup;
        if (t->window_ns == 0 || !speaks || !within_plan(m, phase, second))
            continue;
        if ((uint64_t)(second + 1) * NS_PER_S < t->window_ns)
            continue;
        int64_t reading = 0;
        bool known = read_window(m, t, phase, second, &reading);
        uint64_t phase_ns = (second + UINT64_C(1)) * NS_PER_S;
        if (threshold_window(t, &m->results[i], phase_ns, known, reading) && stop < 0)
            stop = (int)i;
    }
    return stop;
}

static void drop_old_cells(struct measure *m, uint32_t phase) {
    struct measure_phase *p = &m->phases[phase];
    uint32_t keep = (uint32_t)(m->window_ns / NS_PER_S) + 2;
    for (uint32_t s = p->final_count > keep ? p->final_count - keep : 0; s-- > 0;) {
        struct measure_second *second = &m->seconds[p->first_second + s];
        if (!second->cells)
            break;
        free_cells(second->cells, p->request_count);
        second->cells = NULL;
    }
}

int measure_tick(struct measure *m, const struct measure_context *context) {
    int stop = -1;
    m->now_ns = context->now_ns;
    for (uint32_t phase = 0; phase < m->plan->phase_count; phase++) {
        struct measure_phase *p = &m->phases[phase];
        while (p->final_count < p->second_count) {
            struct measure_second *second = &m->seconds[p->first_second + p->final_count];
            bool due = second->reports >= p->nodes || p->ended ||
                       context->now_ns >= second->end_ns + MEASURE_LATE_NS;
            if (!due)
                break;
            fix_second(m, second, context);
            p->final_count++;
            int wants = judge_windows(m, phase, second->second);
            stop = stop < 0 ? wants : stop;
            drop_old_cells(m, phase);
        }
    }
    return stop;
}

const struct measure_second *measure_latest(const struct measure *m, uint32_t phase) {
    const struct measure_phase *p = &m->phases[phase];
    return p->final_count ? &m->seconds[p->first_second + p->final_count - 1] : NULL;
}

/* Length of a phase for rates: as planned when it ran its course, else as long as it ran. */
static uint64_t phase_length_ns(const struct measure *m, uint32_t phase) {
    const struct measure_phase *p = &m->phases[phase];
    uint64_t ran = p->end_ns > p->start_ns ? p->end_ns - p->start_ns : 0;
    uint64_t planned = m->plan->phases[phase].duration_ns;
    return planned ? MIN(ran, planned) : ran;
}

struct finish_context {
    struct measure *m;
    verdict_read_fn *extra;
    void *context;
};

static bool read_whole(void *user, const struct threshold *t, int64_t *ret) {
    struct finish_context *f = user;
    struct measure *m = f->m;
    CLEANUP(measure_cell_deinit) struct measure_cell sum = {0};
    uint64_t ns = 0;
    bool begun = false;
    for (uint32_t phase = 0; phase < m->plan->phase_count; phase++) {
        bool speaks = t->in[0] ? str_equal(str_from(t->in), m->plan->phases[phase].name)
                               : !m->plan->phases[phase].warmup;
        if (!speaks || !m->phases[phase].begun)
            continue;
        begun = true;
        if (t->metric == METRIC_PHASE_TIME)
            ns += m->phases[phase].end_ns - m->phases[phase].start_ns;
        else if (m->phases[phase].request_count)
            ns += phase_length_ns(m, phase);
        if (m->phases[phase].cells)
            pick_cells(m, t, phase, m->phases[phase].cells, &sum);
    }
    if (t->metric == METRIC_PHASE_TIME) {
        *ret = (int64_t)ns;
        return begun;
    }
    if (read_cell_metric(t, &sum, ns, ret))
        return true;
    return f->extra && f->extra(f->context, t, ret);
}

uint32_t measure_finish(struct measure *m, verdict_read_fn *extra, void *context) {
    struct finish_context f = {.m = m, .extra = extra, .context = context};
    return verdict_finish(m->plan->thresholds, m->results, m->plan->threshold_count, read_whole,
                          &f);
}
