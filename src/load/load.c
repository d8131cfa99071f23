#include "load/load.h"

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "load/engine.h"
#include "os/clock.h"

#define CONNECTIONS_DEFAULT 64
#define TIMEOUT_NS_DEFAULT (30 * NS_PER_S)
#define INTERVAL_NS_MIN (10 * NS_PER_MS)
#define DURATION_NS_MAX PACE_DURATION_NS_MAX
#define FILES_SPARE 128 /* descriptors of the rest of the process */

/* How many of 0..count-1 are `index` modulo `parts`. */
static uint32_t part_of(uint32_t count, uint32_t index, uint32_t parts) {
    return count > index ? (count - index - 1) / parts + 1 : 0;
}

static void spec_fill(struct load_spec *spec) {
    if (spec->shard_count == 0)
        spec->shard_count = 1;
    if (spec->connections == 0)
        spec->connections = CONNECTIONS_DEFAULT;
    if (spec->threads == 0)
        spec->threads = 1;
    if (spec->timeout_ns == 0)
        spec->timeout_ns = TIMEOUT_NS_DEFAULT;
    if (spec->interval_ns == 0)
        spec->interval_ns = NS_PER_S;
    if (spec->users > 0) /* each user has a connection of its own */
        spec->connections = part_of(spec->users, spec->shard_index, spec->shard_count);
}

static int spec_check(const struct load_spec *spec, struct err *err) {
    if (spec->host.len == 0)
        return err_set(err, ERR_USAGE, "no host");
    if (spec->address_count > LOAD_ADDRESSES_MAX)
        return err_set(err, ERR_LIMIT, "more than %d addresses", LOAD_ADDRESSES_MAX);
    if (spec->shard_index >= spec->shard_count)
        return err_set(err, ERR_USAGE, "shard %u of %u", spec->shard_index, spec->shard_count);
    if (spec->threads > LOAD_THREADS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d threads", LOAD_THREADS_MAX);
    if (spec->connections > LOAD_CONNECTIONS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d connections", LOAD_CONNECTIONS_MAX);
    if (spec->users > 0 && spec->plan.stage_count > 0)
        return err_set(err, ERR_USAGE, "a rate and users at one time");
    if (spec->users == 0 && spec->plan.stage_count == 0)
        return err_set(err, ERR_USAGE, "neither a rate nor users");
    if (spec->users > 0 && (spec->duration_ns == 0 || spec->duration_ns > DURATION_NS_MAX))
        return err_set(err, ERR_USAGE, "users need a duration of up to a week");
    if (spec->think_ns_min > spec->think_ns_max || spec->think_ns_max > DURATION_NS_MAX)
        return err_set(err, ERR_USAGE, "not a range of pauses");
    if (spec->timeout_ns > DURATION_NS_MAX || spec->interval_ns < INTERVAL_NS_MIN)
        return err_set(err, ERR_USAGE, "a timeout above a week, or an interval below 10 ms");
    return 0;
}

static int files_allow(uint32_t connections, struct err *err) {
    struct rlimit limit;
    must(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    if (limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        ignore(setrlimit(RLIMIT_NOFILE, &limit) < 0); /* the check below says what is left */
        must(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    }
    if (connections + FILES_SPARE > limit.rlim_cur)
        return err_set(err, ERR_LIMIT, "%u connections, but only %llu open files are allowed",
                       connections, (unsigned long long)limit.rlim_cur);
    return 0;
}

static int worker_add(struct load *load, uint32_t conn_count, struct err *err) {
    uint32_t index = load->worker_count;
    struct worker *w = aligned_alloc(64, (sizeof *w + 63) / 64 * 64); /* the rings want it */
    must(w != NULL);
    memset(w, 0, sizeof *w);
    w->waiter = (struct waiter)WAITER_INIT;
    load->workers[load->worker_count++] = w;
    w->load = load;
    w->index = index;
    w->conn_count = conn_count;
    w->conns = mem_new_array(conn_count, sizeof *w->conns);
    for (uint32_t i = 0; i < conn_count; i++)
        conn_init(&w->conns[i], i);
    heap_init(&w->thinkers, (size_t)conn_count + 1);
    ring_init(&w->full, ENGINE_SAMPLES * 2);
    ring_init(&w->empty, ENGINE_SAMPLES * 2);
    for (size_t i = 0; i < ENGINE_SAMPLES; i++) {
        load_sample_init(&w->pool[i].sample, load->template_count);
        if (i > 0)
            must(ring_push(&w->empty, &w->pool[i]));
    }
    w->current = &w->pool[0];
    return waiter_init(&w->waiter, err);
}

static void worker_schedule(struct worker *w) {
    struct load *load = w->load;
    const struct load_spec *spec = &load->spec;
    w->current->sample.from_ns = load->start_ns;
    w->next_address = spec->address_count ? w->index % spec->address_count : 0;
    w->end_ns = load->start_ns + spec->duration_ns;
    if (load_is_open_loop(load))
        pace_init(&w->pace, &spec->plan, load->start_ns,
                  spec->shard_index + w->index * spec->shard_count,
                  spec->shard_count * load->worker_count);
}

static int worker_start(struct worker *w, struct err *err) {
    sigset_t all, before;
    sigfillset(&all); /* signals are for the main thread; SIGPIPE (TLS) for nobody */
    must(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    int result = pthread_create(&w->thread, NULL, worker_main, w);
    must(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    if (result != 0)
        return err_set_errno(err, ERR_IO, result, "a load worker cannot be started");
    w->started = true;
    return 0;
}

static void addresses_copy(struct load *load, const struct load_spec *spec) {
    load->addresses = mem_new_array(spec->address_count + 1, sizeof *load->addresses);
    for (uint32_t i = 0; i < spec->address_count; i++)
        load->addresses[i] = spec->addresses[i];
}

static int workers_start(struct load *load, struct err *err) {
    const struct load_spec *spec = &load->spec;
    uint32_t count = MAX(1, MIN(spec->threads, spec->connections));
    load->workers = mem_new_array(count, sizeof *load->workers);
    for (uint32_t i = 0; i < count; i++)
        TRY(worker_add(load, part_of(spec->connections, i, count), err));
    uint64_t now_ns = clock_monotonic_ns();
    load->start_ns = spec->start_ns ? spec->start_ns : now_ns + LOAD_LEAD_NS;
    for (uint32_t i = 0; i < count; i++)
        worker_schedule(load->workers[i]);
    for (uint32_t i = 0; i < count; i++)
        TRY(worker_start(load->workers[i], err));
    return 0;
}

int load_start(const struct load_spec *spec, struct load **ret_load, struct err *err) {
    CLEANUP(load_freep) struct load *load = mem_new(sizeof *load);
    load->event_fd = -1;
    load->spec = *spec;
    spec_fill(&load->spec);
    TRY(spec_check(&load->spec, err));
    TRY(files_allow(load->spec.connections, err));
    load->host = str_dup(spec->host);
    addresses_copy(load, spec);
    TRY(templates_make(load, spec, err));
    TRY(tls_context_make(load, err));
    load->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (load->event_fd < 0)
        return err_set_errno(err, ERR_IO, errno, "a load cannot be set up");
    TRY(workers_start(load, err));
    *ret_load = take(load);
    return 0;
}

int load_fd(const struct load *load) {
    return load->event_fd;
}

uint64_t load_start_ns(const struct load *load) {
    return load->start_ns;
}

uint64_t load_cpu_ns(const struct load *load) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < load->worker_count; i++)
        sum += atomic_load_explicit(&load->workers[i]->cpu_ns, memory_order_relaxed);
    return sum;
}

/* ---- samples ---- */

/* Has every worker that goes on left a sample to merge?  *ret_tick: the earliest interval. */
static bool samples_ready(struct load *load, uint64_t *ret_tick) {
    bool any = false;
    for (uint32_t i = 0; i < load->worker_count; i++) {
        struct worker *w = load->workers[i];
        if (w->ended)
            continue;
        if (!w->head)
            w->head = ring_take(&w->full);
        if (!w->head)
            return false;
        if (!any || w->head->tick < *ret_tick)
            *ret_tick = w->head->tick;
        any = true;
    }
    return any;
}

bool load_take_sample(struct load *load, struct load_sample *into) {
    uint64_t ready = 0, tick = 0;
    ignore(read(load->event_fd, &ready, sizeof ready) < 0); /* cleared before the look */
    if (!samples_ready(load, &tick))
        return false;
    load_sample_reset(into);
    for (uint32_t i = 0; i < load->worker_count; i++) {
        struct worker *w = load->workers[i];
        if (w->ended || w->head->tick > tick)
            continue;
        load_sample_merge(into, &w->head->sample);
        w->ended = w->head->last;
        load_sample_reset(&w->head->sample);
        must(ring_push(&w->empty, w->head));
        w->head = NULL;
    }
    return true;
}

bool load_finished(struct load *load) {
    for (uint32_t i = 0; i < load->worker_count; i++)
        if (!load->workers[i]->ended)
            return false;
    return true;
}

/* ---- the end ---- */

void load_stop(struct load *load) {
    unsigned stop = atomic_load_explicit(&load->stop, memory_order_relaxed);
    if (stop >= 2)
        return;
    atomic_store_explicit(&load->stop, stop + 1, memory_order_release);
    for (uint32_t i = 0; i < load->worker_count; i++)
        waiter_wake(&load->workers[i]->waiter);
}

static void worker_free(struct worker *w) {
    if (w->started)
        must(pthread_join(w->thread, NULL) == 0);
    for (uint32_t i = 0; i < w->conn_count; i++)
        conn_deinit(&w->conns[i]);
    mem_free(w->conns);
    heap_deinit(&w->thinkers);
    ring_deinit(&w->full);
    ring_deinit(&w->empty);
    for (size_t i = 0; i < ENGINE_SAMPLES; i++)
        load_sample_deinit(&w->pool[i].sample);
    waiter_deinit(&w->waiter);
    free(w);
}

void load_free(struct load *load) {
    if (!load)
        return;
    load_stop(load);
    load_stop(load);
    for (uint32_t i = 0; i < load->worker_count; i++)
        worker_free(load->workers[i]);
    mem_free(load->workers);
    templates_free(load);
    mem_free(load->addresses);
    mem_free(load->host);
    SSL_CTX_free(load->tls);
    if (load->event_fd >= 0)
        close(load->event_fd);
    mem_free(load);
}
