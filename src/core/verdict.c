#include "core/verdict.h"
#include "base/units.h"

#include <inttypes.h>

bool threshold_holds(const struct threshold *t, int64_t reading) {
    switch (t->op) {
    case OP_LESS:
        return reading < t->value;
    case OP_LESS_EQUAL:
        return reading <= t->value;
    case OP_GREATER:
        return reading > t->value;
    case OP_GREATER_EQUAL:
        return reading >= t->value;
    case OP_EQUAL:
        return reading == t->value;
    }
    must(false);
    return false;
}

void verdict_add_reading(struct buf *b, enum verdict_unit unit, int64_t reading) {
    uint64_t value = reading < 0 ? 0 : (uint64_t)reading;
    switch (unit) {
    case UNIT_DURATION_NS:
        units_add_latency(b, value);
        break;
    case UNIT_RATE_MICRO:
        units_add_count(b, (value + MICRO / 2) / MICRO);
        buf_add_text(b, "/s");
        break;
    case UNIT_PPM:
        if (value == 0 || value >= 10000)
            buf_printf(b, "%.1f %%", (double)value / 1e4);
        else
            buf_printf(b, "%.*f %%", value < 100 ? 4 : 2, (double)value / 1e4);
        break;
    case UNIT_COUNT:
        units_add_count(b, value);
        break;
    case UNIT_USD_MICRO:
        units_add_money(b, value);
        break;
    }
}

static bool is_final(enum verdict_state state) {
    return state == VERDICT_PASSED || state == VERDICT_NO_DATA || state == VERDICT_SKIPPED;
}

/* How far on the wrong side: larger is worse. */
static int64_t badness(const struct threshold *t, int64_t reading) {
    switch (t->op) {
    case OP_LESS:
    case OP_LESS_EQUAL:
        return reading;
    case OP_GREATER:
    case OP_GREATER_EQUAL:
        return -reading;
    case OP_EQUAL:
        return reading > t->value ? reading - t->value : t->value - reading;
    }
    must(false);
    return 0;
}

bool threshold_window(const struct threshold *t, struct threshold_result *r, uint64_t phase_ns,
                      bool has_reading, int64_t reading) {
    must(t->window_ns > 0);
    if (is_final(r->state) || !has_reading || phase_ns < t->delay_ns + t->window_ns)
        return false;
    r->windows++;
    bool first_broken = false;
    bool holds = threshold_holds(t, reading);
    if (!holds) {
        first_broken = r->state != VERDICT_BROKEN;
        r->windows_broken++;
    }
    if (first_broken) {
        r->broken_at_ns = phase_ns;
        r->state = VERDICT_BROKEN;
        r->reading = reading;
    } else if (r->state == VERDICT_BROKEN) {
        if (badness(t, reading) > badness(t, r->reading))
            r->reading = reading;
    } else {
        if (!r->has_reading || badness(t, reading) > badness(t, r->reading))
            r->reading = reading;
        r->state = VERDICT_HOLDS;
    }
    r->has_reading = true;
    must(r->windows_broken <= r->windows);
    return first_broken && t->abort_run;
}

void threshold_finish(const struct threshold *t, struct threshold_result *r, bool skipped,
                      bool has_reading, int64_t reading) {
    if (is_final(r->state) || r->state == VERDICT_BROKEN)
        return;
    if (t->window_ns && r->state == VERDICT_HOLDS) {
        r->state = VERDICT_PASSED; /* the worst window is its reading */
        return;
    }
    if (skipped) {
        r->state = VERDICT_SKIPPED;
        return;
    }
    /* A phase shorter than the window is judged as one window. */
    if (!has_reading) {
        r->state = VERDICT_NO_DATA;
        return;
    }
    r->has_reading = true;
    r->reading = reading;
    r->state = threshold_holds(t, reading) ? VERDICT_PASSED : VERDICT_BROKEN;
}

bool threshold_fails(const struct threshold *t, const struct threshold_result *r) {
    return !t->warn && r->state != VERDICT_PASSED && r->state != VERDICT_SKIPPED;
}

uint32_t verdict_finish(const struct threshold *thresholds, struct threshold_result *results,
                        uint32_t count, verdict_read_fn *read, void *context) {
    must(count <= THRESHOLDS_MAX);
    uint32_t failed = 0;
    for (uint32_t i = 0; i < count; i++) {
        int64_t reading = 0;
        bool has_reading = read(context, &thresholds[i], &reading);
        threshold_finish(&thresholds[i], &results[i], false, has_reading, reading);
        failed += threshold_fails(&thresholds[i], &results[i]);
    }
    return failed;
}

/* ---- validity ---- */

static const char *const kind_names[VALIDITY_KIND_COUNT] = {
    [VALIDITY_GENERATOR_CPU] = "generator-cpu",
    [VALIDITY_SEND_LATE] = "send-late",
    [VALIDITY_RATE_MISSED] = "rate-missed",
    [VALIDITY_SAMPLES_MISSING] = "samples-missing",
    [VALIDITY_START_SKEW] = "start-skew",
    [VALIDITY_NODES_FEWER] = "nodes-fewer",
    [VALIDITY_NODE_LOST] = "node-lost",
    [VALIDITY_DISTURBED] = "disturbed",
    [VALIDITY_CLIPPED] = "clipped",
    [VALIDITY_CUT_SHORT] = "cut-short",
};

void validity_add(struct validity *v, enum validity_kind kind, enum validity_grade grade,
                  int32_t phase, int64_t amount) {
    must(kind < VALIDITY_KIND_COUNT);
    must(v->count <= VALIDITY_REASONS_MAX);
    v->grade = MAX(v->grade, grade);
    for (uint32_t i = 0; i < v->count; i++) {
        struct validity_reason *reason = &v->reasons[i];
        if (reason->kind != kind || reason->phase != phase)
            continue;
        reason->amount = MAX(reason->amount, amount);
        reason->grade = MAX(reason->grade, grade);
        return;
    }
    if (v->count == VALIDITY_REASONS_MAX) {
        v->dropped++;
        return;
    }
    v->reasons[v->count++] =
        (struct validity_reason){.kind = kind, .grade = grade, .phase = phase, .amount = amount};
}

const char *validity_grade_name(enum validity_grade grade) {
    static const char *const names[] = {"valid", "degraded", "invalid"};
    must((size_t)grade < ARRAY_LEN(names));
    return names[grade];
}

const char *validity_kind_name(enum validity_kind kind) {
    must(kind < VALIDITY_KIND_COUNT);
    return kind_names[kind];
}

static void add_plural(struct buf *b, uint64_t amount, const char *one, const char *many) {
    units_add_count(b, amount);
    buf_printf(b, " %s", amount == 1 ? one : many);
}

void validity_add_sentence(struct buf *b, const struct validity_reason *reason) {
    uint64_t amount = reason->amount < 0 ? 0 : (uint64_t)reason->amount;
    switch (reason->kind) {
    case VALIDITY_GENERATOR_CPU:
        buf_printf(b, "generators were %.0f %% busy: latency is inflated", (double)amount / 1e4);
        break;
    case VALIDITY_SEND_LATE:
        buf_add_text(b, "requests left up to ");
        units_add_latency(b, amount);
        buf_add_text(b, " late (p99): the generators could not keep the schedule");
        break;
    case VALIDITY_RATE_MISSED:
        buf_printf(b, "%.2f %% of the planned requests were not sent", (double)amount / 1e4);
        break;
    case VALIDITY_SAMPLES_MISSING:
        add_plural(b, amount, "node-second", "node-seconds");
        buf_add_text(b, " of samples never arrived");
        break;
    case VALIDITY_START_SKEW:
        buf_add_text(b, "nodes started up to ");
        units_add_latency(b, amount);
        buf_add_text(b, " apart");
        break;
    case VALIDITY_NODES_FEWER:
        buf_add_text(b, "started with ");
        add_plural(b, amount, "node less", "nodes less");
        buf_add_text(b, " than planned");
        break;
    case VALIDITY_NODE_LOST:
        add_plural(b, amount, "node was", "nodes were");
        buf_add_text(b, " lost while measuring");
        break;
    case VALIDITY_DISTURBED:
        add_plural(b, amount, "interruption", "interruptions");
        buf_add_text(b, " in a measured phase");
        break;
    case VALIDITY_CLIPPED:
        add_plural(b, amount, "value was", "values were");
        buf_add_text(b, " beyond the histogram's range");
        break;
    case VALIDITY_CUT_SHORT:
        buf_add_text(b, "ended ");
        units_add_clock(b, amount);
        buf_add_text(b, " early");
        break;
    case VALIDITY_KIND_COUNT:
        must(false);
    }
}
