#include "report/result.h"

int result_exit_code(const struct result *r) {
    return r->exit_count ? r->exits[0].code : 0;
}

const char *result_verdict_name(enum result_verdict verdict) {
    static const char *const names[] = {"PASS", "FAIL", "BROKEN", "STOPPED"};
    must(verdict < ARRAY_LEN(names));
    return names[verdict];
}

const char *result_state_name(enum result_state state) {
    static const char *const names[] = {"ok", "failed", "no data", "warned", "skipped"};
    must(state < ARRAY_LEN(names));
    return names[state];
}

const char *result_fate_name(enum result_fate fate) {
    static const char *const names[] = {"gone", "dud", "interrupted", "died", "spare", "left"};
    must(fate < ARRAY_LEN(names));
    return names[fate];
}

const char *result_phase_kind_name(enum result_phase_kind kind) {
    static const char *const names[] = {"run", "http", "wait"};
    must(kind < ARRAY_LEN(names));
    return names[kind];
}

void result_totals(const struct result *r, struct result_totals *ret_totals) {
    struct result_totals totals = {0};
    for (size_t i = 0; i < r->phase_count; i++) {
        const struct result_phase *phase = &r->phases[i];
        if (!phase->has_load || phase->warmup)
            continue;
        totals.planned += phase->planned;
        totals.sent += phase->sent;
        totals.done += phase->done;
        totals.errors += phase->errors;
        totals.late += phase->late;
        totals.bytes_in += phase->bytes_in;
        totals.bytes_out += phase->bytes_out;
        totals.duration_ns += phase->duration_ns;
    }
    *ret_totals = totals;
}

int64_t result_cost_usd_micro(const struct result *r) {
    int64_t sum = r->disk_usd_micro;
    for (size_t i = 0; i < r->cost_count; i++)
        sum += r->costs[i].cost_usd_micro;
    return sum;
}

int64_t result_on_demand_usd_micro(const struct result *r) {
    int64_t sum = 0;
    for (size_t i = 0; i < r->cost_count; i++)
        sum += r->costs[i].on_demand_usd_micro;
    return sum;
}

uint32_t result_count_fate(const struct result *r, enum result_fate fate) {
    uint32_t count = 0;
    for (size_t i = 0; i < r->node_count; i++)
        count += r->nodes[i].fate == fate;
    return count;
}

uint32_t result_disturbed(const struct result *r) {
    uint32_t count = 0;
    for (size_t i = 0; i < r->phase_count; i++)
        count += r->phases[i].disturbed != NULL;
    return count;
}
