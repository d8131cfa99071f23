/* hist.h - how often each duration was seen: 1 us to 1 h at 3 significant digits.
 *
 * The bucket layout is HdrHistogram's (lowest 1, highest 3,600,000,000, 3 digits) over whole
 * microseconds: up to 2,047 us one bucket per microsecond, then 1,024 buckets per power of two, so
 * a value is known to 1 part in 1,024.  Durations go in and come out in ns (`_ns`); a bucket holds
 * [low, low + width) us.  Minimum, maximum and sum are kept exactly, in ns, beside the buckets.
 *
 * Merging adds counts bucket by bucket and loses nothing: percentiles of a merged histogram are
 * those of the union of the samples.  Nothing is ever averaged.
 *
 * Memory: one page of 1,024 counts (8 KiB) per power of two that was ever touched, allocated at the
 * first touch and kept until hist_deinit; at most HIST_PAGES pages (184 KiB).  hist_reserve
 * allocates all of them, after which nothing allocates.
 *
 * Pure: no clock, no I/O.  Not for two threads at once.
 * Tests: test/unit/test_hist.c, fuzz/fuzz_hist.c
 *
 * Encoded form (hist_encode; all numbers LEB128, shortest form):
 *   byte 1          format, HIST_FORMAT
 *   count           of values; 0 ends the encoding here
 *   min, max, sum   ns
 *   over            values above one hour, counted in the last bucket
 *   then, until the counts add up to `count`: gap to the previous non-empty bucket (the first one
 *   counts from bucket 0; later gaps are >= 1), count (>= 1)
 */
#ifndef HIST_H
#define HIST_H

#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define HIST_PAGE_BUCKETS 1024
#define HIST_PAGES 23
#define HIST_BUCKETS (HIST_PAGES * HIST_PAGE_BUCKETS)
#define HIST_VALUE_US_MAX UINT64_C(3600000000) /* one hour */
#define HIST_VALUE_NS_MAX (HIST_VALUE_US_MAX * NS_PER_US)
#define HIST_FORMAT 1
#define HIST_ENCODED_BYTES_MAX (512 * 1024) /* every bucket used, large counts */

struct hist {
    uint64_t *pages[HIST_PAGES]; /* NULL: nothing was recorded there */
    uint64_t count;
    uint64_t min_ns, max_ns; /* exact; meaningless while count is 0 */
    uint64_t sum_ns;         /* exact until it saturates (584 years) */
    uint64_t over;           /* values above one hour; they sit in the last bucket */
};

/* One non-empty bucket: `count` values of at least low_us and below low_us + width_us. */
struct hist_bucket {
    uint32_t index;
    uint64_t low_us;
    uint64_t width_us;
    uint64_t count;
};

/* A zeroed struct is a valid empty histogram. */
void hist_init(struct hist *h);
void hist_deinit(struct hist *h); /* accepts a zeroed struct, and twice */
void hist_reset(struct hist *h);  /* empty, keeps its pages */

/* Count one duration, O(1).  Below 1 us it is in bucket 0; above one hour it is counted in the last
 * bucket and in `over`, and max_ns keeps the true value. */
void hist_record(struct hist *h, uint64_t value_ns);
void hist_record_n(struct hist *h, uint64_t value_ns, uint64_t count);

/* Add all of `from` to `into`. */
void hist_merge(struct hist *into, const struct hist *from);

/* The value below or at which `ppm` / 1,000,000 of all values lie (500000: median, 999000: p99.9;
 * 1000000: exactly max_ns): the upper end of the bucket of that rank, never outside min_ns..max_ns.
 * 0 when empty.  ppm <= 1,000,000. */
uint64_t hist_percentile_ns(const struct hist *h, uint32_t ppm);
/* Exact mean rounded down, 0 when empty. */
uint64_t hist_mean_ns(const struct hist *h);
/* How many values are in buckets that lie wholly at or below `value_ns`'s bucket. */
uint64_t hist_count_to(const struct hist *h, uint64_t value_ns);

/* Next non-empty bucket, in order of value; start with *cursor = 0.  False: no more. */
bool hist_next(const struct hist *h, uint32_t *cursor, struct hist_bucket *ret_bucket);
/* Bucket of a value, and the bounds of a bucket; index < HIST_BUCKETS. */
uint32_t hist_index_of(uint64_t value_ns);
uint64_t hist_low_us(uint32_t index);
uint64_t hist_width_us(uint32_t index);

/* Append the encoded form. */
void hist_encode(const struct hist *h, struct buf *into);
/* Add an encoded histogram to `into`; nothing is added on error.  The bytes may be anybody's: form,
 * ranges, order, totals, and that min and max lie in the first and last bucket are checked.
 * Errors: ERR_PARSE; ERR_LIMIT (counts that would overflow). */
NODISCARD int hist_decode_add(struct str bytes, struct hist *into, struct err *err);

#endif
