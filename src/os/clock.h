/* clock.h - the clocks of this machine, for shells only.
 *
 * Waits use the monotonic clock (inside a loop: loop_now_ns, read once a turn).  Caps use boot
 * time, which goes on while the machine sleeps.  Wall clock is for records and screens.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include "base/base.h"

uint64_t clock_monotonic_ns(void);
uint64_t clock_boottime_ns(void);
int64_t clock_wall_unix_ms(void);
/* Sleep until the monotonic instant; goes on after signals.  For worker threads and tools. */
void clock_sleep_until_ns(uint64_t at_ns);

#endif
