#include "os/clock.h"

#include <errno.h>
#include <time.h>

static uint64_t clock_read_ns(clockid_t id) {
    struct timespec now;
    must(clock_gettime(id, &now) == 0);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t clock_monotonic_ns(void) {
    return clock_read_ns(CLOCK_MONOTONIC);
}

uint64_t clock_boottime_ns(void) {
    return clock_read_ns(CLOCK_BOOTTIME);
}

int64_t clock_wall_unix_ms(void) {
    return (int64_t)(clock_read_ns(CLOCK_REALTIME) / NS_PER_MS);
}

void clock_sleep_until_ns(uint64_t at_ns) {
    struct timespec at = {.tv_sec = (time_t)(at_ns / NS_PER_S),
                          .tv_nsec = (long)(at_ns % NS_PER_S)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
        continue;
}
