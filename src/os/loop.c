#include "os/loop.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "os/clock.h"

#define LOOP_US_PER_S UINT64_C(1000000)
#define LOOP_DELAY_MAX_NS (365 * UINT64_C(86400) * NS_PER_S) /* a year is for ever */

struct loop_call {
    struct loop_call *next;
    void (*fn)(void *arg);
    void *arg;
};

struct loop {
    struct event_base *base;
    uint64_t now_ns;
    bool now_known; /* read in this turn already */
    bool stop;
    int post_fd;
    struct event *post_event;
    _Atomic(struct loop_call *) posts; /* newest first */
};

struct loop_timer {
    struct event event;
    struct loop *loop;
    bool set;
    uint64_t at_ns;
    void (*fn)(void *arg);
    void *arg;
};

struct loop_watch {
    struct event read_event, write_event;
    int interest;
    void (*fn)(void *arg, int ready);
    void *arg;
};

struct loop_signal {
    struct event event;
    void (*fn)(void *arg, int signal_number);
    void *arg;
};

/* The calls in the order they were posted.  The stack is taken as a whole, so a post that arrives
 * meanwhile starts a new one and rings again. */
static struct loop_call *loop_take_posts(struct loop *loop) {
    struct loop_call *newest = atomic_exchange_explicit(&loop->posts, NULL, memory_order_acquire);
    struct loop_call *oldest = NULL;
    while (newest != NULL) {
        struct loop_call *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

static void loop_on_post(evutil_socket_t fd, short what, void *arg) {
    struct loop *loop = arg;
    (void)what;
    uint64_t rings;
    ignore(read(fd, &rings, sizeof rings) < 0); /* only clears the bell */
    struct loop_call *call = loop_take_posts(loop);
    while (call != NULL) {
        struct loop_call *next = call->next;
        call->fn(call->arg);
        mem_free(call);
        call = next;
    }
}

struct loop *loop_new(void) {
    struct loop *loop = mem_new(sizeof *loop);
    signal(SIGPIPE, SIG_IGN);
    struct event_config *config = event_config_new();
    must(config != NULL);
    must(event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER) == 0);
    must(event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) == 0);
    loop->base = event_base_new_with_config(config);
    event_config_free(config);
    must(loop->base != NULL);
    loop->post_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    must(loop->post_fd >= 0);
    loop->post_event =
        event_new(loop->base, loop->post_fd, EV_READ | EV_PERSIST, loop_on_post, loop);
    must(loop->post_event != NULL);
    must(event_add(loop->post_event, NULL) == 0);
    return loop;
}

void loop_free(struct loop *own_loop) {
    if (own_loop == NULL)
        return;
    struct loop_call *call = loop_take_posts(own_loop);
    while (call != NULL) {
        struct loop_call *next = call->next;
        mem_free(call);
        call = next;
    }
    event_free(own_loop->post_event);
    close(own_loop->post_fd);
    event_base_free(own_loop->base);
    mem_free(own_loop);
}

uint64_t loop_now_ns(struct loop *loop) {
    if (!loop->now_known) {
        loop->now_ns = clock_monotonic_ns();
        loop->now_known = true;
    }
    return loop->now_ns;
}

static void loop_one_turn(struct loop *loop, int flags) {
    loop->now_known = false; /* what wakes us reads the clock after the wait */
    must(event_base_loop(loop->base, flags) >= 0);
    loop->now_known = false;
}

void loop_run(struct loop *loop) {
    loop->stop = false;
    while (!loop->stop)
        loop_one_turn(loop, EVLOOP_ONCE);
}

static void loop_on_nothing(evutil_socket_t fd, short what, void *arg) {
    (void)fd;
    (void)what;
    (void)arg;
}

void loop_turn(struct loop *loop, uint64_t wait_ns) {
    if (wait_ns == 0) {
        loop_one_turn(loop, EVLOOP_NONBLOCK);
        return;
    }
    struct event limit;
    struct timeval wait = {.tv_sec = (time_t)(wait_ns / NS_PER_S),
                           .tv_usec = (suseconds_t)(wait_ns % NS_PER_S / NS_PER_US)};
    must(event_assign(&limit, loop->base, -1, 0, loop_on_nothing, NULL) == 0);
    must(event_add(&limit, &wait) == 0);
    loop_one_turn(loop, EVLOOP_ONCE);
    event_del(&limit);
}

bool loop_run_until(struct loop *loop, uint64_t until_ns, bool (*done)(void *arg), void *arg) {
    while (!done(arg)) {
        uint64_t now_ns = clock_monotonic_ns();
        if (now_ns >= until_ns)
            return false;
        loop_turn(loop, until_ns - now_ns);
    }
    return true;
}

void loop_stop(struct loop *loop) {
    loop->stop = true;
}

struct event_base *loop_base(struct loop *loop) {
    return loop->base;
}

void loop_post(struct loop *loop, void (*fn)(void *arg), void *arg) {
    struct loop_call *call = mem_new(sizeof *call);
    call->fn = fn;
    call->arg = arg;
    call->next = atomic_load_explicit(&loop->posts, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&loop->posts, &call->next, call,
                                                  memory_order_release, memory_order_relaxed))
        continue;
    uint64_t ring = 1;
    /* Fails only when the counter is full: then it rings anyway. */
    ignore(write(loop->post_fd, &ring, sizeof ring) < 0);
}

static void loop_timer_arm(struct loop_timer *timer, uint64_t now_ns) {
    uint64_t delay_ns = timer->at_ns > now_ns ? timer->at_ns - now_ns : 0;
    uint64_t delay_us = (MIN(delay_ns, LOOP_DELAY_MAX_NS) + NS_PER_US - 1) / NS_PER_US;
    struct timeval delay = {.tv_sec = (time_t)(delay_us / LOOP_US_PER_S),
                            .tv_usec = (suseconds_t)(delay_us % LOOP_US_PER_S)};
    timer->set = true;
    must(event_add(&timer->event, &delay) == 0);
}

/* libevent counts from its own reading of the clock, which may be a little older than ours: a
 * timer that comes early goes to sleep again. */
static void loop_on_timer(evutil_socket_t fd, short what, void *arg) {
    struct loop_timer *timer = arg;
    (void)fd;
    (void)what;
    uint64_t now_ns = loop_now_ns(timer->loop);
    if (now_ns < timer->at_ns) {
        loop_timer_arm(timer, now_ns);
        return;
    }
    timer->set = false;
    timer->fn(timer->arg);
}

struct loop_timer *loop_timer_new(struct loop *loop, void (*fn)(void *arg), void *arg) {
    struct loop_timer *timer = mem_new(sizeof *timer);
    timer->loop = loop;
    timer->fn = fn;
    timer->arg = arg;
    must(event_assign(&timer->event, loop->base, -1, 0, loop_on_timer, timer) == 0);
    return timer;
}

void loop_timer_free(struct loop_timer *own_timer) {
    if (own_timer == NULL)
        return;
    event_del(&own_timer->event);
    mem_free(own_timer);
}

void loop_timer_set(struct loop_timer *timer, uint64_t at_ns) {
    timer->at_ns = at_ns;
    loop_timer_arm(timer, loop_now_ns(timer->loop));
}

void loop_timer_after(struct loop_timer *timer, uint64_t delay_ns) {
    uint64_t now_ns = loop_now_ns(timer->loop);
    timer->at_ns = now_ns + MIN(delay_ns, LOOP_DELAY_MAX_NS);
    loop_timer_arm(timer, now_ns);
}

void loop_timer_clear(struct loop_timer *timer) {
    timer->set = false;
    event_del(&timer->event);
}

bool loop_timer_is_set(const struct loop_timer *timer) {
    return timer->set;
}

static void loop_on_ready(evutil_socket_t fd, short what, void *arg) {
    struct loop_watch *watch = arg;
    (void)fd;
    watch->fn(watch->arg, what & EV_READ ? LOOP_READ : LOOP_WRITE);
}

struct loop_watch *loop_watch_new(struct loop *loop, int fd, int interest,
                                  void (*fn)(void *arg, int ready), void *arg) {
    must(fd >= 0);
    struct loop_watch *watch = mem_new(sizeof *watch);
    watch->fn = fn;
    watch->arg = arg;
    must(event_assign(&watch->read_event, loop->base, fd, EV_READ | EV_PERSIST, loop_on_ready,
                      watch) == 0);
    must(event_assign(&watch->write_event, loop->base, fd, EV_WRITE | EV_PERSIST, loop_on_ready,
                      watch) == 0);
    loop_watch_set(watch, interest);
    return watch;
}

void loop_watch_set(struct loop_watch *watch, int interest) {
    int change = interest ^ watch->interest;
    watch->interest = interest;
    if (change & LOOP_READ)
        must((interest & LOOP_READ ? event_add(&watch->read_event, NULL)
                                   : event_del(&watch->read_event)) == 0);
    if (change & LOOP_WRITE)
        must((interest & LOOP_WRITE ? event_add(&watch->write_event, NULL)
                                    : event_del(&watch->write_event)) == 0);
}

void loop_watch_free(struct loop_watch *own_watch) {
    if (own_watch == NULL)
        return;
    loop_watch_set(own_watch, LOOP_NONE);
    mem_free(own_watch);
}

static void loop_on_signal(evutil_socket_t fd, short what, void *arg) {
    struct loop_signal *handled = arg;
    (void)what;
    handled->fn(handled->arg, (int)fd);
}

struct loop_signal *loop_signal_new(struct loop *loop, int signal_number,
                                    void (*fn)(void *arg, int signal_number), void *arg) {
    struct loop_signal *handled = mem_new(sizeof *handled);
    handled->fn = fn;
    handled->arg = arg;
    must(event_assign(&handled->event, loop->base, signal_number, EV_SIGNAL | EV_PERSIST,
                      loop_on_signal, handled) == 0);
    must(event_add(&handled->event, NULL) == 0);
    return handled;
}

void loop_signal_free(struct loop_signal *own_signal) {
    if (own_signal == NULL)
        return;
    event_del(&own_signal->event);
    mem_free(own_signal);
}
