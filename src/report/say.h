/* say.h - numbers as the live block, the summary and the report show them to people.
 *
 * Shorter than base/units.h, without units where a column or an axis names the unit.
 * Pure.   Tests: test/unit/test_report_parts.c
 */
#ifndef SAY_H
#define SAY_H

#include "base/base.h"
#include "base/buf.h"

/* "512/s", "2,000/s", "47.9k/s", "1.20M/s"; "0.5/s" below ten. */
void say_rate(struct buf *b, uint64_t micro_per_s);
/* Milliseconds without the unit: "0.412", "1.94", "14.8", "412", "1,204". */
void say_ms(struct buf *b, uint64_t ns);
/* The same with one digit less: "0.41", "1.9", "14.8", "412". */
void say_ms_short(struct buf *b, uint64_t ns);
/* part of whole: "0 %", "0.02 %", "1.31 %", "99.8 %", "100 %"; never rounded to 0 or 100 when
 * it is not: "<0.01 %", ">99.9 %".  Whole 0: "-". */
void say_percent(struct buf *b, uint64_t part, uint64_t whole);
/* Money that may be negative or tiny, for tables: "$4.71", "$0.0042". */
void say_money(struct buf *b, int64_t usd_micro);
/* The same without cents that are zero: "$40". */
void say_money_round(struct buf *b, int64_t usd_micro);
/* "2h04m", "22m25s", "58s", "3.1s": a duration in a heading. */
void say_span(struct buf *b, uint64_t ns);
/* "12,345", "1.2M", "3.4G": at most five columns beyond 99,999. */
void say_count_short(struct buf *b, uint64_t count);

#endif
