/* csv.h - timeline.csv, requests.csv and nodes.csv.
 *
 * RFC 4180 with '\n' line ends and one header line; UTC instants; units in the column names; an
 * unknown value is an empty cell.  Text that a spreadsheet would take for a formula gets an
 * apostrophe in front.
 *
 * Pure.   Tests: test/unit/test_result.c
 */
#ifndef CSV_H
#define CSV_H

#include "report/result.h"

/* A row per second. */
void csv_add_timeline(struct buf *b, const struct result *r);
/* A row per request and phase, and one for all requests of a phase. */
void csv_add_requests(struct buf *b, const struct result *r);
/* A row per instance. */
void csv_add_nodes(struct buf *b, const struct result *r);

#endif
