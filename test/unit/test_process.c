/* Processes: output, exits, groups, timeouts; waits by event with a deadline. */
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/units.h"
#include "os/clock.h"
#include "os/process.h"

#define PATIENCE_NS (10 * NS_PER_S)

struct seen {
    struct buf out, error;
    struct process_exit exit;
    int exits;
};

static void on_output(void *arg, enum process_stream stream, struct str bytes) {
    struct seen *s = arg;
    buf_add_str(stream == PROCESS_STDOUT ? &s->out : &s->error, bytes);
}

static void on_exit_(void *arg, const struct process_exit *exit) {
    struct seen *s = arg;
    s->exit = *exit;
    s->exits++;
}

static bool has_exited(void *arg) {
    const struct seen *s = arg;
    return s->exits > 0;
}

struct run {
    struct loop *loop;
    struct process *process;
    struct seen seen;
};

static void run_open(struct run *r, const char *command, struct process_spec spec) {
    const char *argv[] = {"/bin/sh", "-c", command, NULL};
    *r = (struct run){.loop = loop_new()};
    buf_init(&r->seen.out, 4 * MIB);
    buf_init(&r->seen.error, 4 * MIB);
    if (spec.argv == NULL)
        spec.argv = argv;
    spec.on_output = on_output;
    spec.on_exit = on_exit_;
    spec.arg = &r->seen;
    assert_int_equal(process_start(r->loop, &spec, &r->process, NULL), 0);
}

static void run_wait(struct run *r) {
    uint64_t until_ns = clock_monotonic_ns() + PATIENCE_NS;
    assert_true(loop_run_until(r->loop, until_ns, has_exited, &r->seen));
}

static void run_close(struct run *r) {
    process_free(r->process);
    buf_deinit(&r->seen.out);
    buf_deinit(&r->seen.error);
    loop_free(r->loop);
}

static void output_input_and_status_come_through(void **state) {
    (void)state;
    struct run r;
    run_open(&r, "cat; echo oops >&2; exit 7", (struct process_spec){.input = STR("given\n")});
    run_wait(&r);
    assert_text(&r.seen.out, "given\n");
    assert_text(&r.seen.error, "oops\n");
    assert_int_equal(r.seen.exit.status, 7);
    assert_int_equal(r.seen.exit.signal_number, 0);
    assert_false(process_running(r.process));
    run_close(&r);
}

static void merged_output_keeps_its_order(void **state) {
    (void)state;
    struct run r;
    run_open(&r, "echo a; echo b >&2; echo c", (struct process_spec){.merge_output = true});
    run_wait(&r);
    assert_text(&r.seen.out, "a\nb\nc\n");
    run_close(&r);
}

static void a_megabyte_through_both_pipes_loses_nothing(void **state) {
    (void)state;
    struct run r;
    CLEANUP(mem_freep) char *big = mem_new(1000000);
    memset(big, 'z', 1000000);
    run_open(&r, "cat", (struct process_spec){.input = {big, 1000000}});
    run_wait(&r);
    assert_int_equal(r.seen.out.len, 1000000);
    run_close(&r);
}

static void environment_and_directory_are_as_asked(void **state) {
    (void)state;
    struct run r;
    static const char *const env[] = {"ONLY=this", NULL};
    run_open(&r, "echo $ONLY $HOME; pwd", (struct process_spec){.env = env, .cwd = "/usr"});
    run_wait(&r);
    assert_text(&r.seen.out, "this\n/usr\n");
    run_close(&r);
}

static void what_cannot_be_run_is_told_at_once(void **state) {
    (void)state;
    CLEANUP(loop_freep) struct loop *loop = loop_new();
    struct process *process = NULL;
    const char *none[] = {"/does/not/exist", NULL};
    const char *not_ours[] = {"/", NULL};
    struct err err = {0};
    struct process_spec spec = {.argv = none};
    assert_int_equal(process_start(loop, &spec, &process, &err), -ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "/does/not/exist"));
    spec.argv = not_ours;
    assert_int_equal(process_start(loop, &spec, &process, &err), -ERR_ACCESS);
    assert_null(process);
}

static void a_timeout_asks_first_and_then_kills(void **state) {
    (void)state;
    struct run r;
    run_open(&r, "trap 'echo asked' TERM; while :; do sleep 0.05; done",
             (struct process_spec){.timeout_ns = 200 * NS_PER_MS, .grace_ns = 300 * NS_PER_MS});
    run_wait(&r);
    assert_true(r.seen.exit.timed_out);
    assert_false(r.seen.exit.stopped);
    assert_int_equal(r.seen.exit.signal_number, SIGKILL);
    assert_text(&r.seen.out, "asked\n");
    uint64_t took_ns = r.seen.exit.ended_ns - r.seen.exit.started_ns;
    assert_true(took_ns >= 500 * NS_PER_MS && took_ns < 3 * NS_PER_S);
    run_close(&r);
}

static bool is_alive(struct str pid_text) {
    uint64_t pid = 0;
    assert_int_equal(units_u64(str_trim(pid_text), &pid, NULL), 0);
    return kill((pid_t)pid, 0) == 0 || errno != ESRCH;
}

static void the_whole_group_ends_with_its_leader(void **state) {
    (void)state;
    struct run r;
    run_open(&r, "sleep 100 & echo $!; exit 0", (struct process_spec){0});
    run_wait(&r);
    uint64_t until_ns = clock_monotonic_ns() + PATIENCE_NS;
    while (is_alive(buf_str(&r.seen.out)) && clock_monotonic_ns() < until_ns)
        loop_turn(r.loop, 10 * NS_PER_MS);
    assert_false(is_alive(buf_str(&r.seen.out)));
    run_close(&r);
}

static bool has_line(void *arg) {
    const struct seen *s = arg;
    return s->out.len > 0;
}

static void stop_reaches_a_stopped_group_and_free_kills_at_once(void **state) {
    (void)state;
    struct run r;
    run_open(&r, "echo up; kill -STOP $$; sleep 100", (struct process_spec){0});
    assert_true(loop_run_until(r.loop, clock_monotonic_ns() + PATIENCE_NS, has_line, &r.seen));
    process_stop(r.process, SIGTERM, 5 * NS_PER_S);
    run_wait(&r);
    assert_int_equal(r.seen.exit.signal_number, SIGTERM);
    assert_true(r.seen.exit.stopped);
    run_close(&r);
    run_open(&r, "echo up; trap '' TERM; sleep 100", (struct process_spec){0});
    pid_t pid = process_pid(r.process);
    run_close(&r);
    assert_true(kill(pid, 0) != 0 && errno == ESRCH);
}

static void a_paused_reader_makes_the_child_wait(void **state) {
    (void)state;
    struct run r;
    run_open(&r, "head -c 300000 /dev/zero; echo", (struct process_spec){0});
    process_pause_output(r.process, true);
    for (int i = 0; i < 20; i++)
        loop_turn(r.loop, 10 * NS_PER_MS);
    assert_int_equal(r.seen.out.len, 0);
    assert_int_equal(r.seen.exits, 0);
    process_pause_output(r.process, false);
    run_wait(&r);
    assert_int_equal(r.seen.out.len, 300001);
    run_close(&r);
}

static void no_descriptor_of_ours_leaks_into_a_child(void **state) {
    (void)state;
    struct run r;
    /* The loop has an epoll, a timerfd and an eventfd; the child's watcher adds a pidfd. */
    run_open(&r, "ls -l /proc/self/fd", (struct process_spec){0});
    run_wait(&r);
    assert_true(r.seen.out.len > 0);
    assert_null(strstr(buf_text(&r.seen.out), "anon_inode"));
    run_close(&r);
}

UNIT_MAIN(T(output_input_and_status_come_through), T(merged_output_keeps_its_order),
          T(a_megabyte_through_both_pipes_loses_nothing), T(environment_and_directory_are_as_asked),
          T(what_cannot_be_run_is_told_at_once), T(a_timeout_asks_first_and_then_kills),
          T(the_whole_group_ends_with_its_leader),
          T(stop_reaches_a_stopped_group_and_free_kills_at_once),
          T(a_paused_reader_makes_the_child_wait), T(no_descriptor_of_ours_leaks_into_a_child))
