#include "load/engine.h"
#include "os/clock.h"

#include <time.h>
#include <unistd.h>

/* After a failure without a reply a user pauses at least this long: a target that is down is not
 * hammered as fast as the machine can. */
#define FAIL_PAUSE_NS (10 * NS_PER_MS)
#define LEAD_NS_MAX (50 * NS_PER_US) /* of a timer before a send */
#define WAIT_NS_MAX (10 * NS_PER_S)  /* a turn at least this often, whatever is awaited */

void conn_list_add(struct conn_list *list, struct conn *conn) {
    conn->previous = list->last;
    conn->next = NULL;
    if (list->last)
        list->last->next = conn;
    else
        list->first = conn;
    list->last = conn;
}

void conn_list_remove(struct conn_list *list, struct conn *conn) {
    if (conn->previous)
        conn->previous->next = conn->next;
    else
        list->first = conn->next;
    if (conn->next)
        conn->next->previous = conn->previous;
    else
        list->last = conn->previous;
    conn->previous = conn->next = NULL;
}

static bool may_send(const struct worker *w) {
    return w->stop_seen == 0 && (load_is_open_loop(w->load) || w->now_ns < w->end_ns);
}

void worker_idle(struct worker *w, struct conn *conn) {
    const struct load_spec *spec = &w->load->spec;
    if (load_is_open_loop(w->load)) {
        if (!w->idle.first)
            w->unblocked_ns = w->now_ns;
        conn_list_add(&w->idle, conn);
        return;
    }
    uint64_t pause_ns = prng_range(&conn->random, spec->think_ns_min, spec->think_ns_max);
    if (conn->reply.m.state != HTTP1_DONE)
        pause_ns = MAX(pause_ns, FAIL_PAUSE_NS);
    conn_list_add(&w->idle, conn);
    if (pause_ns > 0) {
        conn_list_remove(&w->idle, conn);
        heap_add(&w->thinkers, w->now_ns + pause_ns, conn->index);
    }
}

/* ---- the schedule ---- */

static void note_delay(struct worker *w, uint64_t planned_ns) {
    struct load_sample *sample = &w->current->sample;
    uint64_t delay_ns = w->now_ns - planned_ns;
    hist_record(&sample->delay, delay_ns);
    if (delay_ns <= LOAD_LATE_NS)
        return;
    sample->late++;
    sample->late_ns_max = MAX(sample->late_ns_max, delay_ns);
    if (w->now_ns - MAX(planned_ns, w->unblocked_ns) > LOAD_LATE_NS)
        sample->late_self++;
}

static void send_open(struct worker *w) {
    uint64_t number = 0, planned_ns = 0;
    while (w->idle.first && pace_next_ns(&w->pace) <= w->now_ns) {
        w->now_ns = clock_monotonic_ns();
        if (!pace_take(&w->pace, w->now_ns, &number, &planned_ns))
            return;
        note_delay(w, planned_ns);
        conn_request(w, w->idle.first, template_pick(w->load, number), planned_ns);
    }
}

static void send_closed(struct worker *w) {
    struct heap_item item;
    const struct heap_item *first = heap_first(&w->thinkers);
    while (first && first->key <= w->now_ns) {
        must(heap_take(&w->thinkers, &item));
        conn_list_add(&w->idle, &w->conns[item.value]);
        first = heap_first(&w->thinkers);
    }
    while (w->idle.first && may_send(w)) {
        struct conn *conn = w->idle.first;
        uint32_t template =
            w->load->template_count == 1
                ? 0
                : template_of_weight(w->load, prng_below(&conn->random, w->load->weights));
        conn_request(w, conn, template, w->now_ns);
    }
}

static void send_due(struct worker *w) {
    if (!may_send(w))
        return;
    if (load_is_open_loop(w->load))
        send_open(w);
    else
        send_closed(w);
}

/* Give up the requests that were due at `until_ns` and have no connection yet. */
static void give_up(struct worker *w, uint64_t until_ns) {
    uint64_t number = 0, planned_ns = 0;
    while (pace_take(&w->pace, until_ns, &number, &planned_ns)) {
        struct load_request_sample *sample = worker_counts(w, template_pick(w->load, number));
        sample->counts.planned++;
        sample->counts.errors[LOAD_ERROR_UNSENT]++;
        hist_record(&sample->latency, w->now_ns - planned_ns);
    }
}

static void expire(struct worker *w) {
    uint64_t timeout_ns = w->load->spec.timeout_ns;
    while (w->busy.first && w->busy.first->acted_ns + timeout_ns <= w->now_ns)
        conn_fail(w, w->busy.first, LOAD_ERROR_TIMEOUT);
    if (load_is_open_loop(w->load) && w->stop_seen == 0 && w->now_ns >= timeout_ns)
        give_up(w, w->now_ns - timeout_ns);
}

static void heed_stop(struct worker *w) {
    unsigned stop = atomic_load_explicit(&w->load->stop, memory_order_acquire);
    if (stop == w->stop_seen)
        return;
    if (w->stop_seen == 0 && load_is_open_loop(w->load))
        give_up(w, w->now_ns);
    w->stop_seen = stop;
    while (stop >= 2 && w->busy.first)
        conn_fail(w, w->busy.first, LOAD_ERROR_TIMEOUT);
}

static bool is_over(const struct worker *w) {
    if (w->busy.first)
        return false;
    if (w->stop_seen > 0)
        return true;
    if (load_is_open_loop(w->load))
        return pace_next_ns(&w->pace) == UINT64_MAX;
    return w->now_ns >= w->end_ns;
}

/* ---- samples ---- */

static uint64_t tick_end_ns(const struct worker *w) {
    return w->load->start_ns + (w->tick + 1) * w->load->spec.interval_ns;
}

static void hand_over(struct worker *w, struct worker_sample *next) {
    struct worker_sample *full = w->current;
    struct timespec cpu;
    must(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu) == 0);
    atomic_store_explicit(&w->cpu_ns, (uint64_t)cpu.tv_sec * NS_PER_S + (uint64_t)cpu.tv_nsec,
                          memory_order_relaxed);
    full->tick = w->tick;
    full->last = next == NULL;
    full->sample.until_ns = tick_end_ns(w);
    full->sample.open = w->open_count;
    full->sample.in_flight = w->busy_count;
    full->sample.backlog =
        load_is_open_loop(w->load) && !full->last ? pace_backlog(&w->pace, w->now_ns) : 0;
    must(ring_push(&w->full, full)); /* the ring has room for the whole pool */
    w->current = next;
    if (next)
        next->sample.from_ns = full->sample.until_ns;
    uint64_t one = 1;
    ignore(write(w->load->event_fd, &one, sizeof one) < 0); /* full: it is readable already */
}

/* Close the intervals that are over.  Without an empty sample the present one goes on and covers
 * more than one interval: nothing is lost, the reader is slow. */
static void tick(struct worker *w) {
    if (w->now_ns < tick_end_ns(w))
        return;
    uint64_t interval_ns = w->load->spec.interval_ns;
    uint64_t over = (w->now_ns - w->load->start_ns) / interval_ns;
    struct worker_sample *next = ring_take(&w->empty);
    if (next) {
        w->tick = over - 1;
        hand_over(w, next);
    }
    w->tick = over;
}

/* ---- waiting ---- */

static uint64_t wake_ns(const struct worker *w) {
    uint64_t at_ns = MIN(tick_end_ns(w), w->now_ns + WAIT_NS_MAX);
    uint64_t timeout_ns = w->load->spec.timeout_ns;
    if (w->busy.first)
        at_ns = MIN(at_ns, w->busy.first->acted_ns + timeout_ns);
    if (w->stop_seen > 0)
        return at_ns;
    if (load_is_open_loop(w->load)) {
        uint64_t next_ns = pace_next_ns(&w->pace);
        if (next_ns != UINT64_MAX)
            at_ns = MIN(at_ns, w->idle.first ? next_ns : next_ns + timeout_ns);
        return at_ns;
    }
    const struct heap_item *thinker = heap_first(&w->thinkers);
    if (thinker)
        at_ns = MIN(at_ns, thinker->key);
    return w->now_ns < w->end_ns ? MIN(at_ns, w->end_ns) : at_ns;
}

/* Wait for events until the next thing to do.  A timer fires late by what it takes the machine to
 * come out of its sleep (5 us on bare metal, 40 us in a virtual machine), so before a send it is
 * set earlier by about that much, and the rest is spent polling. */
static int wait_events(struct worker *w) {
    uint64_t at_ns = wake_ns(w);
    uint64_t wait_ns = at_ns > w->now_ns ? at_ns - w->now_ns : 0;
    if (load_is_open_loop(w->load) && at_ns == pace_next_ns(&w->pace))
        wait_ns -= MIN(wait_ns, w->lead_ns);
    uint64_t asked_ns = w->now_ns + wait_ns;
    int count = waiter_wait(&w->waiter, w->events, ENGINE_EVENTS_MAX, wait_ns);
    w->now_ns = clock_monotonic_ns();
    if (count > 0 || wait_ns == 0 || w->now_ns < asked_ns)
        return count;
    uint64_t late_ns = MIN(w->now_ns - asked_ns, LEAD_NS_MAX);
    /* down at once, up slowly: the part that is always there, not what a busy machine adds */
    if (late_ns < w->lead_ns)
        w->lead_ns = late_ns;
    else
        w->lead_ns += (late_ns - w->lead_ns) / 32;
    return count;
}

static void handle(struct worker *w, const struct epoll_event *event) {
    uint64_t tag = event->data.u64;
    if (tag == WAITER_TAG)
        return;
    struct conn *conn = &w->conns[(uint32_t)tag];
    if (conn->generation == (uint32_t)(tag >> 32))
        conn_event(w, conn, event->events);
}

static void turn(struct worker *w) {
    int count = wait_events(w);
    for (int i = 0; i < count; i++) {
        send_due(w); /* a full batch takes long: what is due does not wait for its end */
        handle(w, &w->events[i]);
    }
    w->now_ns = clock_monotonic_ns();
    heed_stop(w);
    send_due(w);
    expire(w);
    tick(w);
}

/* ---- the thread ---- */

static void warm_up(struct worker *w) {
    uint64_t user = w->load->spec.shard_index + (uint64_t)w->index * w->load->spec.shard_count;
    uint64_t step = (uint64_t)w->load->spec.shard_count * w->load->worker_count;
    for (uint32_t i = 0; i < w->conn_count; i++, user += step) {
        struct conn *conn = &w->conns[i];
        conn_warm_up(w, conn);
        if (load_is_open_loop(w->load)) {
            conn_list_add(&w->idle, conn);
            continue;
        }
        /* each user begins at a random place of its pause, so that they do not move in step */
        const struct load_spec *spec = &w->load->spec;
        prng_init(&conn->random, spec->seed ^ (user * UINT64_C(0x9e3779b97f4a7c15)));
        uint64_t pause_ns = prng_range(&conn->random, spec->think_ns_min, spec->think_ns_max);
        uint64_t part_ns = prng_range(&conn->random, 0, pause_ns);
        heap_add(&w->thinkers, w->load->start_ns + part_ns, i);
    }
}

void *worker_main(void *arg) {
    struct worker *w = arg;
    waiter_thread("dayfly-load");
    w->now_ns = clock_monotonic_ns();
    warm_up(w);
    w->now_ns = clock_monotonic_ns();
    while (!is_over(w))
        turn(w);
    for (uint32_t i = 0; i < w->conn_count; i++)
        conn_close(w, &w->conns[i]);
    hand_over(w, NULL);
    return NULL;
}
