/* series.h - the seconds of a run, reduced to what a chart can show without losing the extremes.
 *
 * A bucket holds one or more whole seconds.  Counts are added; of latencies, which cannot be merged
 * from percentiles, the worst second is kept.  A bucket without data stays empty, so that a chart
 * has a gap where nothing was measured.
 *
 * Pure.   Tests: test/unit/test_report_parts.c
 */
#ifndef SERIES_H
#define SERIES_H

#include "report/result.h"

struct series_bucket {
    bool has_data, has_latency;
    uint32_t seconds;                       /* with data */
    double asked, done, done_min, done_max; /* per second */
    uint64_t answers, errors;
    uint64_t p50_ns, p95_ns, p99_ns, p999_ns, max_ns; /* worst second */
    uint32_t nodes_min;
    int64_t unix_ms; /* start */
};

struct series {
    int64_t from_unix_ms, to_unix_ms; /* of all phases and seconds */
    uint32_t bucket_s;
    struct series_bucket *buckets;
    size_t count;
};

/* At most `buckets_max` buckets. */
void series_init(struct series *s, const struct result *r, size_t buckets_max);
void series_deinit(struct series *s);

#endif
