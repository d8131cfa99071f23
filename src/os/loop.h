/* loop.h - one event loop a thread: timers, file descriptors, signals, posts from other threads.
 *
 * libevent underneath; loop_base() gives it to code that uses evhttp or bufferevents directly.
 * The monotonic clock is read once a turn: everything that happens in one turn happens "now".
 *
 * Words
 *   turn    one wait for events and the callbacks of those that came
 *   watch   interest in a file descriptor
 *   post    a call that another thread asks this loop to make
 *
 * Rules: all calls are made on the loop's own thread, except loop_post.  A callback may free any
 * timer or watch, its own included.  Children are waited for by os/process.h (pidfd), so nobody
 * handles SIGCHLD.     Tests: test/unit/test_loop.c
 */
#ifndef LOOP_H
#define LOOP_H

#include "base/base.h"

struct event_base;
struct loop;
struct loop_timer;
struct loop_watch;
struct loop_signal;

enum loop_interest { LOOP_NONE = 0, LOOP_READ = 1, LOOP_WRITE = 2 };

/* A new loop; never NULL.  SIGPIPE is ignored for the whole process from now on. */
NODISCARD struct loop *loop_new(void);
/* Posts that were not run are dropped; timers, watches and signals must be freed before. */
void loop_free(struct loop *own_loop);
DEFINE_FREEP(struct loop, loop_free)

/* The instant of this turn, CLOCK_MONOTONIC in ns. */
uint64_t loop_now_ns(struct loop *loop);
/* Run until loop_stop. */
void loop_run(struct loop *loop);
/* Run one turn that waits at most `wait_ns` (0: only what is ready now). */
void loop_turn(struct loop *loop, uint64_t wait_ns);
/* Run turns until `done(arg)` is true: true; or `until_ns` has passed: false.  For tests. */
NODISCARD bool loop_run_until(struct loop *loop, uint64_t until_ns, bool (*done)(void *arg),
                              void *arg);
/* End loop_run after this turn. */
void loop_stop(struct loop *loop);
struct event_base *loop_base(struct loop *loop);

/* Call `fn(arg)` on the loop's thread, in the order posted.  Any thread; `arg` must live. */
void loop_post(struct loop *loop, void (*fn)(void *arg), void *arg);

/* One-shot timer, unset at first.  Setting again moves it. */
NODISCARD struct loop_timer *loop_timer_new(struct loop *loop, void (*fn)(void *arg), void *arg);
void loop_timer_free(struct loop_timer *own_timer);
void loop_timer_set(struct loop_timer *timer, uint64_t at_ns);      /* monotonic; past: next turn */
void loop_timer_after(struct loop_timer *timer, uint64_t delay_ns); /* from now */
void loop_timer_clear(struct loop_timer *timer);
bool loop_timer_is_set(const struct loop_timer *timer);

/* Watch `fd` (borrowed, non-blocking) for `interest` (LOOP_READ | LOOP_WRITE), level-triggered.
 * `fn` gets LOOP_READ or LOOP_WRITE, one a call; an error or hang-up shows as what is watched. */
NODISCARD struct loop_watch *loop_watch_new(struct loop *loop, int fd, int interest,
                                            void (*fn)(void *arg, int ready), void *arg);
void loop_watch_set(struct loop_watch *watch, int interest); /* LOOP_NONE: silent until set again */
/* Free before the descriptor is closed. */
void loop_watch_free(struct loop_watch *own_watch);

/* Handle a signal on the loop instead of asynchronously.  One loop of the process may do so. */
NODISCARD struct loop_signal *loop_signal_new(struct loop *loop, int signal_number,
                                              void (*fn)(void *arg, int signal_number), void *arg);
void loop_signal_free(struct loop_signal *own_signal);

#endif
