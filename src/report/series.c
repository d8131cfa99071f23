#include "report/series.h"

static void find_span(struct series *s, const struct result *r) {
    int64_t from = INT64_MAX;
    int64_t to = INT64_MIN;
    for (size_t i = 0; i < r->phase_count; i++) {
        if (r->phases[i].start_unix_ms == 0)
            continue;
        from = MIN(from, r->phases[i].start_unix_ms);
        to = MAX(to, r->phases[i].end_unix_ms);
    }
    for (size_t i = 0; i < r->second_count; i++) {
        from = MIN(from, r->seconds[i].unix_ms);
        to = MAX(to, r->seconds[i].unix_ms + 1000);
    }
    if (from >= to) {
        from = r->start_unix_ms;
        to = from + 1000;
    }
    s->from_unix_ms = from;
    s->to_unix_ms = to;
}

static void add_second(struct series_bucket *bucket, const struct result_second *second) {
    double done = (double)second->done;
    if (!bucket->has_data) {
        bucket->has_data = true;
        bucket->done_min = bucket->done_max = done;
        bucket->nodes_min = second->nodes_ready;
    }
    bucket->seconds++;
    bucket->asked += (double)second->asked;
    bucket->done += done;
    bucket->done_min = MIN(bucket->done_min, done);
    bucket->done_max = MAX(bucket->done_max, done);
    bucket->answers += second->done + second->errors;
    bucket->errors += second->errors;
    bucket->nodes_min = MIN(bucket->nodes_min, second->nodes_ready);
    if (!second->has_latency)
        return;
    bucket->has_latency = true;
    bucket->p50_ns = MAX(bucket->p50_ns, second->p50_ns);
    bucket->p95_ns = MAX(bucket->p95_ns, second->p95_ns);
    bucket->p99_ns = MAX(bucket->p99_ns, second->p99_ns);
    bucket->p999_ns = MAX(bucket->p999_ns, second->p999_ns);
    bucket->max_ns = MAX(bucket->max_ns, second->max_ns);
}

void series_init(struct series *s, const struct result *r, size_t buckets_max) {
    must(buckets_max > 0);
    *s = (struct series){0};
    find_span(s, r);
    uint64_t span_s = ((uint64_t)(s->to_unix_ms - s->from_unix_ms) + 999) / 1000;
    s->bucket_s = (uint32_t)((span_s + buckets_max - 1) / buckets_max);
    s->count = (size_t)((span_s + s->bucket_s - 1) / s->bucket_s);
    must(s->count > 0 && s->count <= buckets_max);
    s->buckets = mem_new_array(s->count, sizeof *s->buckets);
    for (size_t i = 0; i < s->count; i++)
        s->buckets[i].unix_ms = s->from_unix_ms + (int64_t)(i * s->bucket_s * 1000);
    for (size_t i = 0; i < r->second_count; i++) {
        int64_t offset_ms = r->seconds[i].unix_ms - s->from_unix_ms;
        must(offset_ms >= 0);
        add_second(&s->buckets[(uint64_t)offset_ms / 1000 / s->bucket_s], &r->seconds[i]);
    }
    for (size_t i = 0; i < s->count; i++)
        if (s->buckets[i].seconds) {
            s->buckets[i].asked /= s->buckets[i].seconds;
            s->buckets[i].done /= s->buckets[i].seconds;
        }
}

void series_deinit(struct series *s) {
    mem_free(s->buckets);
    s->buckets = NULL;
    s->count = 0;
}
