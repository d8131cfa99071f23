#include "node/traffic.h"

#include "base/arena.h"
#include "codec/url.h"
#include "core/hist.h"
#include "core/pace.h"
#include "load/load.h"
#include "os/dns.h"

#define TRAFFIC_INTERVAL_NS (1 * NS_PER_S)
/* Histograms of one message, when the next request is begun.  A second's delta of one request has
 * less than 100 KB even with every bucket in use: the rest of the frame holds three of them. */
#define TRAFFIC_PART_BYTES (FRAME_BYTES_MAX / 2)
#define TRAFFIC_CONNECTIONS 64

struct traffic {
    struct agent *agent;
    uint32_t phase;
    struct traffic_handler handler;
    struct arena arena; /* the spec's texts */
    struct load_spec spec;
    struct load_address addresses[LOAD_ADDRESSES_MAX];
    struct dns *dns;
    struct load *load;
    struct loop_watch *watch;
    struct load_sample sample;
    struct traffic_totals totals;
    struct err prepare_why; /* of a spec that cannot be: told when the name is looked up */
};

/* "Name: value" */
static int traffic_headers(struct traffic *t, const struct str *from, size_t count,
                           struct load_header **ret_headers, struct err *err) {
    struct load_header *headers =
        arena_new_array(&t->arena, MAX(count, (size_t)1), sizeof *headers);
    for (size_t i = 0; i < count; i++) {
        size_t colon = str_index_of(from[i], ':');
        if (colon == 0 || colon == from[i].len)
            return err_set(err, ERR_PARSE, "not a header: '%.*s'", STR_ARG(from[i]));
        headers[i].name = arena_str(&t->arena, str_slice(from[i], 0, colon));
        headers[i].value = arena_str(&t->arena, str_trim(str_skip(from[i], colon + 1)));
    }
    *ret_headers = headers;
    return 0;
}

static int traffic_requests(struct traffic *t, const struct wire_load *order, struct err *err) {
    struct load_request *requests =
        arena_new_array(&t->arena, order->requests_count, sizeof *requests);
    for (size_t i = 0; i < order->requests_count; i++) {
        const struct wire_load_request *from = &order->requests[i];
        struct load_header *headers = NULL;
        TRY(traffic_headers(t, from->headers, from->headers_count, &headers, err));
        requests[i] =
            (struct load_request){.name = arena_str(&t->arena, from->name),
                                  .method = arena_str(&t->arena, from->method),
                                  .target = arena_str(&t->arena, from->target),
                                  .headers = headers,
                                  .header_count = (uint32_t)from->headers_count,
                                  .body = arena_str(&t->arena, from->body),
                                  .weight = from->weight,
                                  .status_min = (uint16_t)from->status_min,
                                  .status_max = (uint16_t)from->status_max,
                                  .body_pattern = arena_str(&t->arena, from->body_pattern),
                                  .time_max_ns = from->time_max_ns};
    }
    t->spec.requests = requests;
    t->spec.request_count = (uint32_t)order->requests_count;
    return 0;
}

/* A worker costs a thread that may spin before a due request: leave a CPU for the rest. */
static uint32_t traffic_threads(const struct traffic *t, uint32_t asked) {
    uint32_t cpus = agent_cpus(t->agent);
    return asked != 0 ? asked : cpus <= 2 ? 1 : MIN(cpus - 1, (uint32_t)4);
}

static int traffic_spec(struct traffic *t, const struct wire_load *order, const struct url *url,
                        struct err *err) {
    struct load_spec *spec = &t->spec;
    *spec = (struct load_spec){.host = arena_str(&t->arena, url->host),
                               .port = url->port,
                               .tls = url->tls,
                               .tls_insecure = order->tls_insecure,
                               .addresses = t->addresses,
                               .users = order->users,
                               .duration_ns = order->duration_ns,
                               .think_ns_min = order->think_ns_min,
                               .think_ns_max = order->think_ns_max,
                               .shard_index = order->shard_index,
                               .shard_count = order->shard_count,
                               .connections = order->connections != 0 ? order->connections
                                                                      : TRAFFIC_CONNECTIONS,
                               .threads = traffic_threads(t, order->threads),
                               .close_each = order->close_each,
                               .timeout_ns = order->timeout_ns,
                               .seed = order->seed,
                               .interval_ns = TRAFFIC_INTERVAL_NS};
    spec->threads = MIN(spec->threads, spec->connections);
    pace_plan_init(&spec->plan);
    for (size_t i = 0; i < order->stages_count; i++) {
        struct pace_stage stage = {.duration_ns = order->stages[i].duration_ns,
                                   .from_micro = order->stages[i].from_micro,
                                   .to_micro = order->stages[i].to_micro};
        if (stage.duration_ns > 0) /* a step shows in the next stage's own start */
            TRY(pace_plan_add(&spec->plan, stage, err));
    }
    return traffic_requests(t, order, err);
}

static void traffic_on_address(void *arg, const struct address *addresses, size_t count,
                               const struct err *why) {
    struct traffic *t = arg;
    t->spec.address_count = (uint32_t)MIN(count, (size_t)LOAD_ADDRESSES_MAX);
    for (uint32_t i = 0; i < t->spec.address_count; i++) {
        t->addresses[i].addr = addresses[i].storage;
        t->addresses[i].size = addresses[i].size;
    }
    if (t->prepare_why.code != ERR_NONE)
        why = &t->prepare_why;
    t->handler.on_prepared(t->handler.arg, why);
}

struct traffic *traffic_new(struct agent *agent, uint32_t phase, const struct wire_load *load,
                            const struct traffic_handler *handler) {
    struct traffic *t = mem_new(sizeof *t);
    struct url url = {.host = STR("0.0.0.0")};
    t->agent = agent;
    t->phase = phase;
    t->handler = *handler;
    int result = url_parse(load->origin, &url, &t->prepare_why);
    if (result == 0)
        result = traffic_spec(t, load, &url, &t->prepare_why);
    must(result == 0 || t->prepare_why.code != ERR_NONE);
    t->dns = dns_lookup(agent_loop(agent), url.host, url.port, traffic_on_address, t);
    return t;
}

static bool traffic_is_silent(const struct load_request_sample *r) {
    const struct load_counts *c = &r->counts;
    return c->planned == 0 && c->sent == 0 && c->done == 0 && load_errors(c) == 0 &&
           c->bytes_in == 0 && c->bytes_out == 0 && r->latency.count == 0;
}

/* Encoded into `bytes`; empty when nothing was recorded. */
static struct str traffic_hist(const struct hist *h, struct buf *bytes) {
    size_t before = bytes->len;
    if (h->count == 0)
        return STR_EMPTY;
    hist_encode(h, bytes);
    return str_skip(buf_str(bytes), before);
}

static void traffic_fill(struct wire_sample_request *into, uint32_t number,
                         const struct load_request_sample *from, struct buf *bytes) {
    const struct load_counts *c = &from->counts;
    *into = (struct wire_sample_request){.request = number,
                                         .planned = c->planned,
                                         .sent = c->sent,
                                         .done = c->done,
                                         .ok = c->ok,
                                         .errors = c->errors,
                                         .errors_count = ARRAY_LEN(c->errors),
                                         .status = c->status,
                                         .status_count = ARRAY_LEN(c->status),
                                         .bytes_in = c->bytes_in,
                                         .bytes_out = c->bytes_out,
                                         .latency = traffic_hist(&from->latency, bytes),
                                         .service = traffic_hist(&from->service, bytes)};
}

/* Requests from *next on that fit into one message; true when it was the last part. */
static bool traffic_send_part(struct traffic *t, uint32_t *next) {
    const struct load_sample *s = &t->sample;
    uint64_t start_ns = load_start_ns(t->load);
    struct wire_sample_request requests[REQUESTS_MAX];
    struct wire_message message = {.type = WIRE_SAMPLE};
    struct wire_sample *sample = &message.sample;
    /* Room for everything from the start, so that the views into it stay. */
    CLEANUP(buf_deinit)
    struct buf bytes = BUF_INIT(TRAFFIC_PART_BYTES + 3 * HIST_ENCODED_BYTES_MAX);
    must(buf_reserve(&bytes, TRAFFIC_PART_BYTES + 3 * HIST_ENCODED_BYTES_MAX) != NULL);
    sample->phase = t->phase;
    sample->from_ns = s->from_ns > start_ns ? s->from_ns - start_ns : 0;
    sample->until_ns = s->until_ns > start_ns ? s->until_ns - start_ns : 0;
    sample->requests = requests;
    while (*next < s->request_count && bytes.len < TRAFFIC_PART_BYTES) {
        const struct load_request_sample *from = &s->requests[*next];
        if (!traffic_is_silent(from))
            traffic_fill(&requests[sample->requests_count++], *next, from, &bytes);
        (*next)++;
    }
    sample->last_part = *next == s->request_count && bytes.len < TRAFFIC_PART_BYTES;
    if (sample->last_part) {
        sample->late = s->late;
        sample->late_ns_max = s->late_ns_max;
        sample->late_self = s->late_self;
        sample->connects = s->connects;
        sample->retries = s->retries;
        sample->open = s->open;
        sample->in_flight = s->in_flight;
        sample->backlog = s->backlog;
        sample->delay = traffic_hist(&s->delay, &bytes);
    }
    agent_result(t->agent, &message);
    return sample->last_part;
}

static void traffic_add_totals(struct traffic *t) {
    for (uint32_t i = 0; i < t->sample.request_count; i++) {
        const struct load_counts *c = &t->sample.requests[i].counts;
        t->totals.planned += c->planned;
        t->totals.sent += c->sent;
        t->totals.done += c->done;
        t->totals.errors += load_errors(c);
    }
}

static void traffic_on_ready(void *arg, int ready) {
    struct traffic *t = arg;
    (void)ready;
    while (load_take_sample(t->load, &t->sample)) {
        uint32_t next = 0;
        traffic_add_totals(t);
        while (!traffic_send_part(t, &next))
            continue;
    }
    if (!load_finished(t->load))
        return;
    t->totals.cpu_ns = load_cpu_ns(t->load);
    loop_watch_free(t->watch);
    t->watch = NULL;
    t->handler.on_done(t->handler.arg, &t->totals); /* last: it may free us */
}

int traffic_start(struct traffic *traffic, uint64_t at_ns, struct err *err) {
    struct traffic *t = traffic;
    must(t->load == NULL);
    t->spec.start_ns = at_ns;
    TRY(load_start(&t->spec, &t->load, err));
    load_sample_init(&t->sample, t->spec.request_count);
    t->watch =
        loop_watch_new(agent_loop(t->agent), load_fd(t->load), LOOP_READ, traffic_on_ready, t);
    return 0;
}

void traffic_stop(struct traffic *traffic, bool at_once) {
    if (traffic->load == NULL)
        return;
    load_stop(traffic->load);
    if (at_once)
        load_stop(traffic->load);
}

void traffic_free(struct traffic *own_traffic) {
    if (own_traffic == NULL)
        return;
    dns_free(own_traffic->dns);
    loop_watch_free(own_traffic->watch);
    load_free(own_traffic->load);
    load_sample_deinit(&own_traffic->sample);
    arena_deinit(&own_traffic->arena);
    mem_free(own_traffic);
}
