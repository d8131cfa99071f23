/* waiter.h - epoll with timeouts to the nanosecond.
 *
 * epoll_pwait2 where the kernel has it (5.11), else a timerfd in the same set.  For threads that
 * keep a schedule; call waiter_thread once in such a thread, or the kernel rounds by 50 us.
 */
#ifndef WAITER_H
#define WAITER_H

#include "base/base.h"
#include "base/err.h"

#include <sys/epoll.h>

struct waiter {
    int epoll_fd;
    int wake_fd;  /* eventfd: writing to it ends a wait, from any thread */
    int timer_fd; /* -1 with epoll_pwait2 */
};

#define WAITER_INIT \
    { .epoll_fd = -1, .wake_fd = -1, .timer_fd = -1 }
/* epoll data of the waiter's own descriptors; skip such events. */
#define WAITER_TAG UINT64_MAX

/* Error: ERR_IO.  Deinit is right afterwards too. */
NODISCARD int waiter_init(struct waiter *waiter, struct err *err);
void waiter_deinit(struct waiter *waiter);
/* This thread's timers are exact from now on; `name` is shown by ps and top. */
void waiter_thread(const char *name);
/* Watch `fd`; false: errno says why. */
NODISCARD bool waiter_watch(struct waiter *waiter, int fd, uint32_t events, uint64_t tag);
/* Wait for events, at most `wait_ns`; how many came (0: time is up, or woken). */
int waiter_wait(struct waiter *waiter, struct epoll_event *events, int events_max,
                uint64_t wait_ns);
void waiter_wake(const struct waiter *waiter);

#endif
