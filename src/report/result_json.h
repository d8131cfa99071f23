/* result_json.h - result.json: schema "dayfly.result/1".
 *
 * Units are in the names (`p99_us`, `duration_ms`, `cost_usd`), instants are RFC 3339 in UTC, a
 * true boolean is the good thing, an unknown value is null or left out.  Additions do not change
 * the schema number; readers ignore members that they do not know.
 *
 * Pure.   Tests: test/unit/test_result.c
 */
#ifndef RESULT_JSON_H
#define RESULT_JSON_H

#include "report/result.h"

#define RESULT_SCHEMA "dayfly.result/1"

void result_add_json(struct buf *b, const struct result *r);

#endif
