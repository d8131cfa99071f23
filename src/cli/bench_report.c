#include "cli/bench_report.h"

#include "base/units.h"
#include "report/jsonw.h"

#define BUSY_PPM 900000    /* of the load threads' time: no room for more */
#define LATE_SELF_PPM 1000 /* of the sends were late though a connection was free */

static const struct {
    const char *text, *key;
    uint32_t ppm;
} RANKS[] = {
    {"p50", "p50_us", 500000},       {"p75", "p75_us", 750000},  {"p90", "p90_us", 900000},
    {"p95", "p95_us", 950000},       {"p99", "p99_us", 990000},  {"p99.9", "p99_9_us", 999000},
    {"p99.99", "p99_99_us", 999900}, {"max", "max_us", 1000000},
};

/* part of a whole in millionths; 0 of 0 is 0 */
static uint64_t ppm_of(uint64_t part, uint64_t whole) {
    return whole ? (uint64_t)((double)part * 1e6 / (double)whole + 0.5) : 0;
}

static double per_second(uint64_t count, uint64_t ns) {
    return ns ? (double)count * 1e9 / (double)ns : 0;
}

bool bench_is_generator_limited(const struct bench_result *r) {
    if (ppm_of(r->cpu_ns, r->took_ns * r->threads) > BUSY_PPM)
        return true;
    return ppm_of(r->sample->late_self, r->total.counts.sent) > LATE_SELF_PPM;
}

/* "2,000.0/s" */
static void add_rate(struct buf *out, double rate) {
    units_add_count(out, (uint64_t)rate);
    buf_printf(out, ".%u/s", (unsigned)((rate - (double)(uint64_t)rate) * 10));
}

static void add_percent(struct buf *out, uint64_t ppm) {
    buf_printf(out, "%llu.%02llu %%", (unsigned long long)(ppm / 10000),
               (unsigned long long)(ppm % 10000 / 100));
}

/* Right-aligned in `width` columns. */
static void add_latency(struct buf *out, uint64_t ns, int width) {
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(64);
    units_add_latency(&text, ns);
    buf_printf(out, "%*s", width, buf_text(&text));
}

static void add_head(struct buf *out, const struct bench_result *r) {
    buf_printf(out, "%s, ", r->url);
    if (r->open_loop)
        buf_printf(out, "open loop, %u connections", r->connections);
    else
        buf_printf(out, "closed loop, %u users", r->connections);
    buf_printf(out, ", %u thread%s, ", r->threads, r->threads == 1 ? "" : "s");
    units_add_duration(out, r->duration_ns);
    buf_add_text(out, r->stopped ? ", stopped early\n\n" : "\n\n");
}

static void add_rates(struct buf *out, const struct bench_result *r) {
    if (r->open_loop) {
        buf_add_text(out, "  asked     ");
        units_add_count(out, r->planned);
        buf_add_text(out, " requests, ");
        add_rate(out, per_second(r->planned, r->duration_ns));
        buf_add_byte(out, '\n');
    }
    buf_add_text(out, "  answered  ");
    units_add_count(out, r->total.counts.done);
    buf_add_text(out, " requests, ");
    add_rate(out, per_second(r->total.counts.done, r->took_ns));
    buf_add_text(out, ", ");
    units_add_size(out, (uint64_t)per_second(r->total.counts.bytes_in, r->took_ns));
    buf_add_text(out, "/s\n\n");
}

static void add_table(struct buf *out, const struct bench_result *r) {
    buf_printf(out, "  %-8s %11s %11s\n", "", "latency", "service");
    for (size_t i = 0; i < ARRAY_LEN(RANKS); i++) {
        buf_printf(out, "  %-8s ", RANKS[i].text);
        add_latency(out, hist_percentile_ns(&r->total.latency, RANKS[i].ppm), 11);
        add_latency(out, hist_percentile_ns(&r->total.service, RANKS[i].ppm), 12);
        buf_add_byte(out, '\n');
    }
    buf_printf(out, "  %-8s ", "mean");
    add_latency(out, hist_mean_ns(&r->total.latency), 11);
    add_latency(out, hist_mean_ns(&r->total.service), 12);
    buf_add_text(out, r->open_loop
                          ? "\n  latency counts from the planned instant, service from the send\n\n"
                          : "\n\n");
}

static void add_errors(struct buf *out, const struct bench_result *r) {
    const struct load_counts *counts = &r->total.counts;
    uint64_t errors = load_errors(counts);
    buf_add_text(out, "  errors    ");
    units_add_count(out, errors);
    buf_add_text(out, " (");
    add_percent(out, ppm_of(errors, counts->planned));
    buf_add_byte(out, ')');
    for (unsigned i = 0; i < LOAD_ERROR_COUNT; i++) {
        if (counts->errors[i] == 0)
            continue;
        buf_printf(out, ", %s ", load_error_text((enum load_error)i));
        units_add_count(out, counts->errors[i]);
    }
    buf_add_text(out, "\n  statuses ");
    static const char *const classes[] = {"other", "1xx", "2xx", "3xx", "4xx", "5xx"};
    for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
        size_t at = (i + 2) % ARRAY_LEN(classes); /* 2xx first, "other" last but one */
        if (counts->status[at] == 0)
            continue;
        buf_printf(out, " %s ", classes[at]);
        units_add_count(out, counts->status[at]);
    }
    if (counts->done == 0)
        buf_add_text(out, " none");
    buf_add_byte(out, '\n');
}

static void add_late(struct buf *out, const struct bench_result *r) {
    if (!r->open_loop)
        return;
    buf_add_text(out, "  late      ");
    units_add_count(out, r->sample->late);
    buf_add_text(out, " of ");
    units_add_count(out, r->total.counts.sent);
    buf_add_text(out, " sends by more than 1 ms");
    if (r->sample->late > 0) {
        buf_add_text(out, ", the worst by ");
        units_add_latency(out, r->sample->late_ns_max);
        buf_add_text(out, "; ");
        units_add_count(out, r->sample->late_self);
        buf_add_text(out, " of them although a connection was free");
    }
    buf_add_text(out, "\n  pacing    p50 ");
    units_add_latency(out, hist_percentile_ns(&r->sample->delay, 500000));
    buf_add_text(out, ", p99 ");
    units_add_latency(out, hist_percentile_ns(&r->sample->delay, 990000));
    buf_add_text(out, " after the planned instant\n");
}

static void add_generator(struct buf *out, const struct bench_result *r) {
    uint64_t tenths = r->total.counts.done ? r->cpu_ns / (r->total.counts.done * 100) : 0;
    buf_printf(out, "  cost      %llu.%llu us of CPU per request, %llu %% of %u thread%s\n",
               (unsigned long long)(tenths / 10), (unsigned long long)(tenths % 10),
               (unsigned long long)(ppm_of(r->cpu_ns, r->took_ns * r->threads) / 10000), r->threads,
               r->threads == 1 ? "" : "s");
    if (bench_is_generator_limited(r))
        buf_add_text(out, "  note      the generator was the limit, not the target: give it more "
                          "threads (-t) or ask for less\n");
}

void bench_add_text(struct buf *out, const struct bench_result *r) {
    add_head(out, r);
    add_rates(out, r);
    add_table(out, r);
    add_errors(out, r);
    add_late(out, r);
    add_generator(out, r);
}

void bench_add_progress(struct buf *out, const struct load_sample *sample, uint64_t since_ns) {
    struct load_request_sample total = {0};
    load_sample_total(sample, &total);
    buf_printf(out, "%5llu s   ", (unsigned long long)((sample->until_ns - since_ns) / NS_PER_S));
    add_rate(out, per_second(total.counts.done, sample->until_ns - sample->from_ns));
    buf_add_text(out, "   p50 ");
    units_add_latency(out, hist_percentile_ns(&total.latency, 500000));
    buf_add_text(out, "   p99 ");
    units_add_latency(out, hist_percentile_ns(&total.latency, 990000));
    buf_add_text(out, "   errors ");
    units_add_count(out, load_errors(&total.counts));
    load_request_sample_deinit(&total);
}

/* ---- for programs ---- */

static void json_latency(struct jsonw *j, const char *key, const struct hist *h) {
    jsonw_open(j, key, '{');
    jsonw_uint(j, "count", h->count);
    jsonw_double(j, "min_us", (double)h->min_ns / 1e3);
    jsonw_double(j, "mean_us", (double)hist_mean_ns(h) / 1e3);
    for (size_t i = 0; i < ARRAY_LEN(RANKS); i++)
        jsonw_double(j, RANKS[i].key, (double)hist_percentile_ns(h, RANKS[i].ppm) / 1e3);
    jsonw_close(j);
}

static void json_counts(struct jsonw *j, const struct load_counts *counts) {
    jsonw_uint(j, "planned", counts->planned);
    jsonw_uint(j, "sent", counts->sent);
    jsonw_uint(j, "answered", counts->done);
    jsonw_uint(j, "ok", counts->ok);
    jsonw_open(j, "errors", '{');
    for (unsigned i = 0; i < LOAD_ERROR_COUNT; i++)
        jsonw_uint(j, load_error_text((enum load_error)i), counts->errors[i]);
    jsonw_close(j);
    static const char *const classes[] = {"other", "1xx", "2xx", "3xx", "4xx", "5xx"};
    jsonw_open(j, "status", '{');
    for (size_t i = 0; i < ARRAY_LEN(classes); i++)
        jsonw_uint(j, classes[i], counts->status[i]);
    jsonw_close(j);
    jsonw_uint(j, "received_bytes", counts->bytes_in);
    jsonw_uint(j, "sent_bytes", counts->bytes_out);
}

void bench_add_json(struct buf *out, const struct bench_result *r) {
    struct jsonw j;
    jsonw_init(&j, out);
    jsonw_open_lines(&j, NULL, '{');
    jsonw_text(&j, "schema", "dayfly.bench/1");
    jsonw_text(&j, "url", r->url);
    jsonw_text(&j, "loop", r->open_loop ? "open" : "closed");
    jsonw_uint(&j, "connections", r->connections);
    jsonw_uint(&j, "threads", r->threads);
    jsonw_bool(&j, "complete", !r->stopped);
    jsonw_double(&j, "duration_s", (double)r->duration_ns / 1e9);
    jsonw_double(&j, "took_s", (double)r->took_ns / 1e9);
    jsonw_uint(&j, "start_monotonic_ns", r->start_ns);
    if (r->open_loop)
        jsonw_double(&j, "rate_asked", per_second(r->planned, r->duration_ns));
    jsonw_double(&j, "rate_answered", per_second(r->total.counts.done, r->took_ns));
    json_counts(&j, &r->total.counts);
    json_latency(&j, "latency", &r->total.latency);
    json_latency(&j, "service", &r->total.service);
    if (r->open_loop)
        json_latency(&j, "pacing", &r->sample->delay);
    jsonw_uint(&j, "late", r->sample->late);
    jsonw_uint(&j, "late_self", r->sample->late_self);
    jsonw_double(&j, "late_max_us", (double)r->sample->late_ns_max / 1e3);
    jsonw_uint(&j, "connects", r->sample->connects);
    jsonw_uint(&j, "retries", r->sample->retries);
    jsonw_double(&j, "cpu_s", (double)r->cpu_ns / 1e9);
    jsonw_bool(&j, "generator_kept_up", !bench_is_generator_limited(r));
    jsonw_close(&j);
    buf_add_byte(out, '\n');
}
