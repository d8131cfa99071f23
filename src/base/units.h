/* units.h - numbers with units, as people write them, to integers and back.
 *
 *   duration  "250us" "5ms" "30s" "1h30m" "2d"   ns       a bare number is an error with a proposal
 *   size      "64KiB" "1GB" "512B"               bytes    KiB = 1,024, kB or KB = 1,000
 *   rate      "500/s" "30000/m" "1.5k/s" "0/s"   micro-requests per second (1e-6/s)
 *   money     "$5" "$0.035" "0.035200"           micro-dollars
 *   percent   "95%" "0.5%"                       parts per million
 *
 * All are exact decimals: no floating point between text and number.  *ret is untouched on error.
 * Errors: ERR_PARSE (not of the form), ERR_LIMIT (does not fit).
 */
#ifndef UNITS_H
#define UNITS_H

#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define MICRO UINT64_C(1000000)

NODISCARD int units_u64(struct str text, uint64_t *ret, struct err *err);
NODISCARD int units_i64(struct str text, int64_t *ret, struct err *err);
/* "12", "-0.5", "3.25" times 1,000,000; at most 6 decimals count, more must be digits. */
NODISCARD int units_decimal_micro(struct str text, int64_t *ret, struct err *err);
NODISCARD int units_duration(struct str text, uint64_t *ret_ns, struct err *err);
NODISCARD int units_size(struct str text, uint64_t *ret_bytes, struct err *err);
NODISCARD int units_rate(struct str text, uint64_t *ret_micro_per_s, struct err *err);
NODISCARD int units_money(struct str text, uint64_t *ret_usd_micro, struct err *err);
NODISCARD int units_percent(struct str text, uint64_t *ret_ppm, struct err *err);

/* "1h30m", "2m5s", "250ms", "0s": exact, parses back to the same number. */
void units_add_duration(struct buf *b, uint64_t ns);
/* For people: "1:09" or "2:04:10" (clock style), "3.1 ms", "412 us". */
void units_add_clock(struct buf *b, uint64_t ns);
void units_add_latency(struct buf *b, uint64_t ns);
void units_add_size(struct buf *b, uint64_t bytes);      /* "214 MB" */
void units_add_money(struct buf *b, uint64_t usd_micro); /* "$4.71", "$0.0042" */
void units_add_count(struct buf *b, uint64_t count);     /* "120,000,000" */
/* "512.000000" without trailing zeros: exact text of a micro value. */
void units_add_micro(struct buf *b, int64_t micro);

#endif
