#include "load/load.h"

static const char *const ERROR_TEXTS[] = {
#define LOAD_ERROR_TEXT(name, text) [name] = text,
    LOAD_ERROR_MAP(LOAD_ERROR_TEXT)
#undef LOAD_ERROR_TEXT
};

const char *load_error_text(enum load_error error) {
    must(error < LOAD_ERROR_COUNT);
    return ERROR_TEXTS[error];
}

uint64_t load_errors(const struct load_counts *counts) {
    uint64_t sum = 0;
    for (size_t i = 0; i < LOAD_ERROR_COUNT; i++)
        sum += counts->errors[i];
    return sum;
}

void load_sample_init(struct load_sample *sample, uint32_t request_count) {
    must(request_count >= 1 && request_count <= REQUESTS_MAX);
    *sample = (struct load_sample){.request_count = request_count};
    sample->requests = mem_new_array(request_count, sizeof *sample->requests);
}

void load_request_sample_deinit(struct load_request_sample *sample) {
    hist_deinit(&sample->latency);
    hist_deinit(&sample->service);
}

void load_sample_deinit(struct load_sample *sample) {
    for (uint32_t i = 0; i < sample->request_count; i++)
        load_request_sample_deinit(&sample->requests[i]);
    mem_free(sample->requests);
    hist_deinit(&sample->delay);
    *sample = (struct load_sample){0};
}

void load_sample_reset(struct load_sample *sample) {
    struct load_sample empty = {.requests = sample->requests,
                                .request_count = sample->request_count,
                                .delay = sample->delay};
    hist_reset(&empty.delay);
    for (uint32_t i = 0; i < empty.request_count; i++) {
        struct load_request_sample *request = &empty.requests[i];
        request->counts = (struct load_counts){0};
        hist_reset(&request->latency);
        hist_reset(&request->service);
    }
    *sample = empty;
}

static void counts_add(struct load_counts *into, const struct load_counts *from) {
    into->planned += from->planned;
    into->sent += from->sent;
    into->done += from->done;
    into->ok += from->ok;
    for (size_t i = 0; i < LOAD_ERROR_COUNT; i++)
        into->errors[i] += from->errors[i];
    for (size_t i = 0; i < ARRAY_LEN(into->status); i++)
        into->status[i] += from->status[i];
    into->bytes_in += from->bytes_in;
    into->bytes_out += from->bytes_out;
}

static void request_add(struct load_request_sample *into, const struct load_request_sample *from) {
    counts_add(&into->counts, &from->counts);
    hist_merge(&into->latency, &from->latency);
    hist_merge(&into->service, &from->service);
}

static void levels_add(struct load_sample *into, const struct load_sample *from) {
    if (from->until_ns < into->until_ns)
        return;
    bool later = from->until_ns > into->until_ns;
    into->open = from->open + (later ? 0 : into->open);
    into->in_flight = from->in_flight + (later ? 0 : into->in_flight);
    into->backlog = from->backlog + (later ? 0 : into->backlog);
}

void load_sample_merge(struct load_sample *into, const struct load_sample *from) {
    must(into->request_count == from->request_count);
    for (uint32_t i = 0; i < into->request_count; i++)
        request_add(&into->requests[i], &from->requests[i]);
    into->late += from->late;
    into->late_self += from->late_self;
    into->late_ns_max = MAX(into->late_ns_max, from->late_ns_max);
    hist_merge(&into->delay, &from->delay);
    into->connects += from->connects;
    into->retries += from->retries;
    levels_add(into, from);
    if (into->until_ns == 0 || from->from_ns < into->from_ns)
        into->from_ns = from->from_ns;
    into->until_ns = MAX(into->until_ns, from->until_ns);
}

void load_sample_total(const struct load_sample *sample, struct load_request_sample *into) {
    into->counts = (struct load_counts){0};
    hist_reset(&into->latency);
    hist_reset(&into->service);
    for (uint32_t i = 0; i < sample->request_count; i++)
        request_add(into, &sample->requests[i]);
}
