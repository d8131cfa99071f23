#include "load/waiter.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static int timer_make(struct waiter *waiter) {
    waiter->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (waiter->timer_fd < 0)
        return -1;
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = WAITER_TAG};
    return epoll_ctl(waiter->epoll_fd, EPOLL_CTL_ADD, waiter->timer_fd, &event);
}

int waiter_init(struct waiter *waiter, struct err *err) {
    *waiter = (struct waiter)WAITER_INIT;
    waiter->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    waiter->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    /* edge-triggered, so the count need not be read */
    if (waiter->epoll_fd < 0 || waiter->wake_fd < 0 ||
        !waiter_watch(waiter, waiter->wake_fd, EPOLLIN | EPOLLET, WAITER_TAG))
        return err_set_errno(err, ERR_IO, errno, "an event queue cannot be made");
    struct timespec none = {0};
    struct epoll_event event;
    if (epoll_pwait2(waiter->epoll_fd, &event, 1, &none, NULL) < 0 && errno != EINTR &&
        timer_make(waiter) < 0)
        return err_set_errno(err, ERR_IO, errno, "a timer cannot be made");
    return 0;
}

void waiter_deinit(struct waiter *waiter) {
    const int fds[] = {waiter->timer_fd, waiter->wake_fd, waiter->epoll_fd};
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        if (fds[i] >= 0)
            close(fds[i]);
    *waiter = (struct waiter)WAITER_INIT;
}

void waiter_thread(const char *name) {
    ignore(prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0) != 0); /* then timers are up to 50 us late */
    ignore(prctl(PR_SET_NAME, name, 0, 0, 0) != 0);    /* only for ps and top */
}

bool waiter_watch(struct waiter *waiter, int fd, uint32_t events, uint64_t tag) {
    struct epoll_event event = {.events = events, .data.u64 = tag};
    return epoll_ctl(waiter->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

int waiter_wait(struct waiter *waiter, struct epoll_event *events, int events_max,
                uint64_t wait_ns) {
    struct timespec span = {.tv_sec = (time_t)(wait_ns / NS_PER_S),
                            .tv_nsec = (long)(wait_ns % NS_PER_S)};
    int count = 0;
    if (waiter->timer_fd < 0) {
        count = epoll_pwait2(waiter->epoll_fd, events, events_max, &span, NULL);
    } else if (wait_ns == 0) {
        count = epoll_wait(waiter->epoll_fd, events, events_max, 0);
    } else {
        struct itimerspec timer = {.it_value = span};
        must(timerfd_settime(waiter->timer_fd, 0, &timer, NULL) == 0);
        count = epoll_wait(waiter->epoll_fd, events, events_max, -1);
    }
    must(count >= 0 || errno == EINTR);
    return MAX(count, 0);
}

void waiter_wake(const struct waiter *waiter) {
    uint64_t one = 1;
    ignore(write(waiter->wake_fd, &one, sizeof one) < 0); /* it is awake already */
}
