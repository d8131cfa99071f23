/* hlog.h - HdrHistogram's interval log, format 1.3: what other tools read histograms from.
 *
 *     #[Histogram log format version 1.3]
 *     #[StartTime: 1795190400.123 (seconds since epoch), 2026-11-20T16:00:00.123Z]
 *     "StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"
 *     Tag=home,0.000,1.000,12.345,HISTFAAAA...
 *
 * One line per interval and tag: start after StartTime and length in seconds, the maximum in ms,
 * and the histogram: base64 of a cookie, a size and zlib data, which hold (big-endian)
 *
 *     offset size
 *          0    4  cookie 0x1c849313
 *          4    4  size of the counts
 *          8    4  normalizing offset, 0
 *         12    4  significant digits, 3
 *         16    8  lowest discernible value, 1
 *         24    8  highest trackable value
 *         32    8  conversion ratio, a double, 1.0
 *         40       counts in order of value, ZigZag LEB128 of at most 9 bytes; -n: n empty buckets
 *
 * Values are microseconds; the buckets are those of core/hist.  Reading gives each value the lower
 * end of its bucket, which is all that the format keeps.
 *
 * Tests: test/unit/test_hlog.c, fuzz/fuzz_hlog.c
 */
#ifndef HLOG_H
#define HLOG_H

#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "core/hist.h"

#define HLOG_LINE_BYTES_MAX (512 * 1024)
#define HLOG_TAG_BYTES_MAX 128

struct hlog_line {
    struct str tag;               /* a view into the text; empty: none */
    uint64_t start_ns, length_ns; /* start counts from StartTime */
};

void hlog_add_head(struct buf *out, int64_t start_unix_ms);
/* Commas, blanks and control bytes of the tag become '_'. */
void hlog_add_interval(struct buf *out, const struct hlog_line *line, const struct hist *hist);

/* Read the next interval of `*text` and move behind it: 1, the histogram added to `into`; 0: no
 * more.  Comments, the legend and empty lines are skipped.  Errors: ERR_PARSE, ERR_LIMIT. */
NODISCARD int hlog_next(struct str *text, struct hlog_line *ret_line, struct hist *into,
                        struct err *err);

#endif
