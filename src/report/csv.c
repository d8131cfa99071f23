#include "report/csv.h"

#include <inttypes.h>

#include "base/units.h"
#include "base/when.h"
#include "core/hist.h"
#include "report/width.h"

#define CELL_BYTES_MAX (16 * KIB)

/* Every cell ends with a comma; end_row makes the last one a line break. */
static void end_row(struct buf *b) {
    must(b->len > 0 && b->ptr[b->len - 1] == ',');
    b->ptr[b->len - 1] = '\n';
}

static void cell_text(struct buf *b, const char *text) {
    struct buf clean = BUF_INIT(CELL_BYTES_MAX);
    width_add_clean(&clean, str_from(text), false);
    struct str s = buf_str(&clean);
    bool formula = s.len && strchr("=+-@", s.ptr[0]) != NULL;
    bool quoted = str_contains(s, STR(",")) || str_contains(s, STR("\""));
    if (quoted)
        buf_add_byte(b, '"');
    if (formula)
        buf_add_byte(b, '\'');
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '"')
            buf_add_byte(b, '"');
        buf_add_byte(b, s.ptr[i]);
    }
    if (quoted)
        buf_add_byte(b, '"');
    buf_add_byte(b, ',');
    buf_deinit(&clean);
}

static void cell_empty(struct buf *b) {
    buf_add_byte(b, ',');
}

static void cell_uint(struct buf *b, uint64_t value) {
    buf_printf(b, "%" PRIu64 ",", value);
}

static void cell_int(struct buf *b, int64_t value) {
    buf_printf(b, "%" PRId64 ",", value);
}

static void cell_us(struct buf *b, uint64_t ns) {
    cell_uint(b, (ns + 500) / 1000);
}

static void cell_micro(struct buf *b, int64_t micro) {
    units_add_micro(b, micro);
    buf_add_byte(b, ',');
}

static void cell_instant(struct buf *b, int64_t unix_ms) {
    if (unix_ms)
        when_add_rfc3339_ms(b, unix_ms);
    buf_add_byte(b, ',');
}

static const char *phase_at(const struct result *r, int64_t unix_ms) {
    for (size_t i = 0; i < r->phase_count; i++)
        if (unix_ms + 500 >= r->phases[i].start_unix_ms && unix_ms + 500 < r->phases[i].end_unix_ms)
            return r->phases[i].name;
    return NULL;
}

void csv_add_timeline(struct buf *b, const struct result *r) {
    buf_add_text(b, "time,elapsed_s,phase,asked_per_s,sent_per_s,done_per_s,errors_per_s,p50_us,"
                    "p95_us,p99_us,p99_9_us,max_us,service_p99_us,nodes_ready,"
                    "generators_reporting,cpu_percent,spent_usd\n");
    for (size_t i = 0; i < r->second_count; i++) {
        const struct result_second *s = &r->seconds[i];
        cell_instant(b, s->unix_ms);
        cell_micro(b, (s->unix_ms - r->start_unix_ms) * 1000);
        cell_text(b, phase_at(r, s->unix_ms));
        cell_uint(b, s->asked);
        cell_uint(b, s->sent);
        cell_uint(b, s->done);
        cell_uint(b, s->errors);
        const uint64_t latencies[] = {s->p50_ns,  s->p95_ns, s->p99_ns,
                                      s->p999_ns, s->max_ns, s->service_p99_ns};
        for (size_t k = 0; k < ARRAY_LEN(latencies); k++)
            if (s->has_latency)
                cell_us(b, latencies[k]);
            else
                cell_empty(b);
        cell_uint(b, s->nodes_ready);
        cell_uint(b, s->reporting);
        cell_uint(b, s->cpu_percent);
        cell_micro(b, s->spent_usd_micro);
        end_row(b);
    }
}

static void cells_hist(struct buf *b, const struct hist *h) {
    static const uint32_t ppms[] = {500000, 900000, 950000, 990000, 999000, 999900, 999990};
    bool some = h && h->count;
    if (some)
        cell_us(b, h->min_ns);
    else
        cell_empty(b);
    if (some)
        cell_us(b, hist_mean_ns(h));
    else
        cell_empty(b);
    for (size_t i = 0; i < ARRAY_LEN(ppms); i++)
        if (some)
            cell_us(b, hist_percentile_ns(h, ppms[i]));
        else
            cell_empty(b);
    if (some)
        cell_us(b, h->max_ns);
    else
        cell_empty(b);
}

static void row_request(struct buf *b, const struct result_phase *p,
                        const struct result_request *q) {
    cell_text(b, p->name);
    cell_uint(b, p->trial);
    cell_text(b, q->name);
    const uint64_t counts[] = {q->planned, q->sent,     q->done,     q->errors,
                               q->late,    q->bytes_in, q->bytes_out};
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        cell_uint(b, counts[i]);
    if (p->duration_ns)
        cell_micro(b, (int64_t)((double)q->done * 1e15 / (double)p->duration_ns));
    else
        cell_empty(b);
    cells_hist(b, q->latency);
    cells_hist(b, q->service);
    end_row(b);
}

static void add_hist_names(struct buf *b, const char *prefix) {
    static const char *const names[] = {"min", "mean",  "p50",    "p90",     "p95",
                                        "p99", "p99_9", "p99_99", "p99_999", "max"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        buf_printf(b, "%s%s_us,", prefix, names[i]);
}

void csv_add_requests(struct buf *b, const struct result *r) {
    buf_add_text(b, "phase,trial,request,planned,sent,done,errors,late,in_bytes,out_bytes,"
                    "done_per_s,");
    add_hist_names(b, "");
    add_hist_names(b, "service_");
    end_row(b);
    for (size_t i = 0; i < r->phase_count; i++) {
        const struct result_phase *p = &r->phases[i];
        if (!p->has_load)
            continue;
        struct result_request all = {"(all)", p->latency, p->service, p->planned,  p->sent,
                                     p->done, p->errors,  p->late,    p->bytes_in, p->bytes_out};
        row_request(b, p, &all);
        for (size_t k = 0; k < p->request_count; k++)
            row_request(b, p, &p->requests[k]);
    }
}

static void cells_node_load(struct buf *b, const struct result_node *n) {
    const uint64_t counts[] = {n->requests, n->errors, n->late, n->bytes_in, n->bytes_out};
    const uint64_t latencies[] = {n->p50_ns, n->p99_ns, n->max_ns};
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        if (n->has_load)
            cell_uint(b, counts[i]);
        else
            cell_empty(b);
    for (size_t i = 0; i < ARRAY_LEN(latencies); i++)
        if (n->has_load)
            cell_us(b, latencies[i]);
        else
            cell_empty(b);
    const uint64_t machine[] = {n->cpu_percent, n->cpu_percent_max, n->steal_percent_max,
                                n->memory_bytes_max};
    for (size_t i = 0; i < ARRAY_LEN(machine); i++)
        if (n->has_cpu)
            cell_uint(b, machine[i]);
        else
            cell_empty(b);
}

void csv_add_nodes(struct buf *b, const struct result *r) {
    buf_add_text(b, "slot,role,instance_id,type,zone,market,private_ip,fate,launched_at,running_at,"
                    "joined_at,ready_at,ended_at,gone_at,setup_ms,clock_offset_us,clock_error_us,"
                    "start_skew_us,requests,errors,late,in_bytes,out_bytes,p50_us,p99_us,max_us,"
                    "cpu_percent,cpu_percent_max,steal_percent_max,memory_bytes_max,cost_usd,"
                    "note\n");
    for (size_t i = 0; i < r->node_count; i++) {
        const struct result_node *n = &r->nodes[i];
        const char *const texts[] = {n->slot, n->role,   n->instance_id, n->type,
                                     n->zone, n->market, n->private_ip,  result_fate_name(n->fate)};
        for (size_t k = 0; k < ARRAY_LEN(texts); k++)
            cell_text(b, texts[k]);
        const int64_t instants[] = {n->launched_unix_ms, n->running_unix_ms, n->joined_unix_ms,
                                    n->ready_unix_ms,    n->ended_unix_ms,   n->gone_unix_ms};
        for (size_t k = 0; k < ARRAY_LEN(instants); k++)
            cell_instant(b, instants[k]);
        cell_uint(b, n->setup_ns / NS_PER_MS);
        cell_int(b, n->clock_offset_ns / 1000);
        cell_us(b, n->clock_error_ns);
        cell_int(b, n->start_skew_ns / 1000);
        cells_node_load(b, n);
        cell_micro(b, n->cost_usd_micro);
        cell_text(b, n->note);
        end_row(b);
    }
}
