/* bench_report.h - what `dayfly bench` prints at its end, for people and for programs. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "base/buf.h"
#include "load/load.h"

struct bench_result {
    const char *url;
    const struct load_sample *sample; /* of the whole bench */
    struct load_request_sample total;
    bool open_loop;
    uint64_t planned;     /* requests of the plan (open loop) */
    uint64_t duration_ns; /* of the plan */
    uint64_t took_ns;     /* from the start to the last reply, at least the plan's length */
    uint64_t cpu_ns;      /* of the load threads */
    uint32_t connections, threads;
    uint64_t start_ns; /* CLOCK_MONOTONIC */
    bool stopped;      /* by a signal */
};

void bench_add_text(struct buf *out, const struct bench_result *result);
void bench_add_json(struct buf *out, const struct bench_result *result);
/* "  3 s   2,000/s   p50 84 us   p99 120 us   errors 0": one interval. */
void bench_add_progress(struct buf *out, const struct load_sample *sample, uint64_t since_ns);
/* Were the load threads, not the target, what held the rate down? */
bool bench_is_generator_limited(const struct bench_result *result);

#endif
