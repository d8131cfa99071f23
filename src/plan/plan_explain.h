/* plan_explain.h - the key table as documentation: for terminals, as Markdown, as JSON Schema. */
#ifndef PLAN_EXPLAIN_H
#define PLAN_EXPLAIN_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* One key ("roles.spare", "phases.http.rate", "thresholds"): meaning, type, default, limits,
 * example, and the keys below it.  Errors: ERR_NOT_FOUND with what was probably meant. */
NODISCARD int plan_explain(struct buf *out, struct str path, struct err *err);
/* Every key, one line each, grouped by section. */
void plan_explain_all(struct buf *out);
/* docs/plan.md. */
void plan_explain_markdown(struct buf *out);
/* JSON Schema, draft 2020-12, for editors. */
void plan_explain_schema(struct buf *out);

#endif
