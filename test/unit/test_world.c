/* Real instances: this test program is also their init, as dayfly is outside of tests. */
#include "emu/init.h"
#include "emu/world.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/loop.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define DEADLINE_NS (20 * NS_PER_S)

struct seen {
    struct loop *loop;
    struct world *world;
    char dir[64];
    unsigned booted, off, halted, failed, gone, metadata;
    struct buf console;
};

static void on_booted(void *arg, struct str id) {
    (void)id;
    ((struct seen *)arg)->booted++;
}
static void on_off(void *arg, struct str id) {
    (void)id;
    ((struct seen *)arg)->off++;
}
static void on_halted(void *arg, struct str id) {
    (void)id;
    ((struct seen *)arg)->halted++;
}
static void on_failed(void *arg, struct str id, const char *why) {
    (void)id;
    print_message("failed: %s\n", why);
    ((struct seen *)arg)->failed++;
}
static void on_console(void *arg, struct str id, struct str text) {
    (void)id;
    buf_add_str(&((struct seen *)arg)->console, text);
}
static void on_metadata(void *arg, struct str id, int own_fd) {
    (void)id;
    close(own_fd);
    ((struct seen *)arg)->metadata++;
}
static void on_gone(void *arg, struct str id) {
    (void)id;
    ((struct seen *)arg)->gone++;
}

static struct seen *open_seen(enum emu_isolate isolate) {
    struct seen *s = mem_new(sizeof *s);
    struct err err = {0};
    buf_init(&s->console, 1 << 20);
    strncpy(s->dir, "/tmp/dayfly-world-XXXXXX", sizeof s->dir - 1);
    assert_non_null(mkdtemp(s->dir));
    s->loop = loop_new();
    struct world_options options = {.isolate = isolate, .dir = s->dir, .minute_ns = 50 * NS_PER_MS};
    struct world_events events = {.booted = on_booted,
                                  .powered_off = on_off,
                                  .halted = on_halted,
                                  .failed = on_failed,
                                  .console = on_console,
                                  .metadata = on_metadata,
                                  .gone = on_gone,
                                  .arg = s};
    if (world_new(s->loop, &options, &events, &s->world, &err) < 0)
        fail_msg("%s", err.text);
    return s;
}

static void close_seen(struct seen *s) {
    world_free(s->world);
    loop_free(s->loop);
    assert_int_equal(file_remove_tree(s->dir, NULL), 0);
    buf_deinit(&s->console);
    mem_free(s);
}

static struct cloud_instance instance(const struct seen *s, unsigned number, const char *script) {
    struct cloud_instance in = {.user_data = (uint8_t *)(uintptr_t)script,
                                .user_data_size = strlen(script),
                                .metadata_hops = 1};
    in.last_ip = world_base_ip(s->world) + 4 + number;
    in.mac[0] = 2;
    in.mac[5] = (uint8_t)(number + 1);
    snprintf(in.id, sizeof in.id, "i-%08x%08x", (unsigned)getpid(), number);
    return in;
}

static void start(struct seen *s, const struct cloud_instance *in) {
    struct err err = {0};
    if (world_start(s->world, in, &err) < 0)
        fail_msg("%s", err.text);
}

static bool has_gone(void *arg) {
    return ((struct seen *)arg)->gone > 0;
}
static bool has_halted(void *arg) {
    return ((struct seen *)arg)->halted > 0;
}
static bool said_ready(void *arg) {
    return str_contains(buf_str(&((struct seen *)arg)->console), STR("READY"));
}

static void wait_for(struct seen *s, bool (*done)(void *)) {
    if (!loop_run_until(s->loop, clock_monotonic_ns() + DEADLINE_NS, done, s))
        fail_msg("never came; console: %s", buf_text(&s->console));
}

/* A pid that a script printed as "NAME=pid". */
static pid_t pid_named(struct seen *s, const char *name) {
    const char *at = strstr(buf_text(&s->console), name);
    assert_non_null(at);
    return (pid_t)strtol(at + strlen(name), NULL, 10);
}

static bool is_dead(pid_t pid) {
    return kill(pid, 0) < 0 && errno == ESRCH;
}

static void user_data_runs_and_poweroff_ends_the_instance(void **state) {
    (void)state;
    struct seen *s = open_seen(EMU_PROCESS);
    struct cloud_instance in = instance(
        s, 0, "#!/bin/sh -e\necho \"md=$AWS_EC2_METADATA_SERVICE_ENDPOINT\"\npoweroff\nsleep 60\n");
    start(s, &in);
    wait_for(s, has_gone);
    assert_int_equal(s->booted, 1);
    assert_int_equal(s->metadata, 1);
    assert_int_equal(s->off, 1);
    assert_int_equal(s->failed, 0);
    assert_non_null(strstr(buf_text(&s->console), "md=http://127."));
    assert_int_equal(world_count(s->world), 0);
    close_seen(s);
}

static void a_scheduled_shutdown_comes_and_a_cancelled_one_does_not(void **state) {
    (void)state;
    struct seen *s = open_seen(EMU_PROCESS);
    struct cloud_instance in =
        instance(s, 0,
                 "#!/bin/sh\nshutdown -P +1 && shutdown -c && sleep 0.5 && echo STILL_HERE\n"
                 "shutdown -h +2\nsleep 60\n");
    start(s, &in);
    wait_for(s, has_gone);
    assert_non_null(strstr(buf_text(&s->console), "STILL_HERE"));
    assert_int_equal(s->off, 1);
    close_seen(s);
}

static void halt_leaves_a_dead_system_that_still_exists(void **state) {
    (void)state;
    struct seen *s = open_seen(EMU_PROCESS);
    struct cloud_instance in = instance(s, 0, "#!/bin/sh\nhalt\nsleep 60\n");
    start(s, &in);
    wait_for(s, has_halted);
    assert_int_equal(s->off, 0);
    assert_int_equal(world_count(s->world), 1);
    close_seen(s);
}

static void a_daemon_that_left_its_session_ends_with_the_instance(void **state) {
    (void)state;
    struct seen *s = open_seen(EMU_PROCESS);
    struct cloud_instance in =
        instance(s, 0,
                 "#!/bin/sh\nsetsid sh -c '(trap \"\" TERM HUP; echo D=$$; setsid sleep 300 & "
                 "echo E=$!; echo READY; sleep 300)' &\nwait\n");
    start(s, &in);
    wait_for(s, said_ready);
    pid_t outer = pid_named(s, "D=");
    pid_t inner = pid_named(s, "E=");
    assert_false(is_dead(outer));
    assert_false(is_dead(inner));
    world_stop(s->world, str_from(in.id), 10 * NS_PER_MS);
    wait_for(s, has_gone);
    assert_true(is_dead(outer));
    assert_true(is_dead(inner));
    assert_int_equal(s->halted, 0);
    close_seen(s);
}

static bool sleeper_is_dead(void *arg) {
    return is_dead(pid_named(arg, "E="));
}

static void killing_the_init_itself_leaves_nothing_behind(void **state) {
    (void)state;
    struct seen *s = open_seen(EMU_PROCESS);
    struct cloud_instance in =
        instance(s, 0, "#!/bin/sh\nsetsid sleep 300 &\necho E=$!\necho READY\nwait\n");
    start(s, &in);
    wait_for(s, said_ready);
    kill(world_pid(s->world, str_from(in.id)), SIGKILL);
    wait_for(s, has_gone);
    assert_int_equal(s->halted, 1);
    wait_for(s, sleeper_is_dead);
    close_seen(s);
}

/* What the cloud of the next test tells before it dies. */
struct told {
    pid_t sleeper;
    char dir[64];
};

/* A child of ours plays the cloud and is killed; its instance must not outlive it. */
static void nothing_outlives_a_cloud_that_was_killed(void **state) {
    (void)state;
    int pipe_fds[2];
    assert_int_equal(pipe(pipe_fds), 0);
    pid_t cloud = fork();
    if (cloud == 0) {
        struct seen *s = open_seen(EMU_PROCESS);
        struct cloud_instance in =
            instance(s, 0,
                     "#!/bin/sh\ntrap '' TERM\nsetsid sleep 300 &\necho E=$!\n"
                     "echo READY\nwait\n");
        start(s, &in);
        wait_for(s, said_ready);
        struct told tell = {.sleeper = pid_named(s, "E=")};
        memcpy(tell.dir, s->dir, sizeof tell.dir);
        if (write(pipe_fds[1], &tell, sizeof tell) == sizeof tell)
            pause();
        _exit(1);
    }
    struct told told = {0};
    assert_int_equal(read(pipe_fds[0], &told, sizeof told), sizeof told);
    pid_t sleeper = told.sleeper;
    assert_false(is_dead(sleeper));
    kill(cloud, SIGKILL);
    assert_int_equal(waitpid(cloud, NULL, 0), cloud);
    uint64_t until = clock_monotonic_ns() + DEADLINE_NS;
    while (!is_dead(sleeper) && clock_monotonic_ns() < until)
        while (waitpid(-1, NULL, WNOHANG) > 0) { /* orphans come to us: an earlier test asked */
        }
    assert_true(is_dead(sleeper));
    assert_int_equal(file_remove_tree(told.dir, NULL), 0);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

static void a_dud_without_network_reaches_nobody(void **state) {
    (void)state;
    struct seen *s = open_seen(EMU_PROCESS);
    struct cloud_instance in =
        instance(s, 0, "#!/bin/bash\n(echo > /dev/tcp/127.0.0.1/9) 2>&1\necho READY\nsleep 60\n");
    in.dud = CLOUD_DUD_NO_NETWORK;
    start(s, &in);
    wait_for(s, said_ready);
    assert_non_null(strstr(buf_text(&s->console), "Network is unreachable"));
    close_seen(s);
}

static bool has_booted(void *arg) {
    return ((struct seen *)arg)->booted > 0;
}

static void a_dud_without_user_data_boots_and_does_nothing(void **state) {
    (void)state;
    struct seen *s = open_seen(EMU_PROCESS);
    struct cloud_instance in = instance(s, 0, "#!/bin/sh\necho RAN\n");
    in.dud = CLOUD_DUD_NO_USER_DATA;
    start(s, &in);
    wait_for(s, has_booted);
    loop_turn(s->loop, 100 * NS_PER_MS);
    assert_null(strstr(buf_text(&s->console), "RAN\n"));
    close_seen(s);
}

static void instances_of_one_id_in_two_clouds_do_not_meet(void **state) {
    (void)state;
    struct seen *one = open_seen(EMU_PROCESS), *two = open_seen(EMU_PROCESS);
    struct cloud_instance first = instance(one, 0, "#!/bin/sh\necho READY\nsleep 60\n");
    struct cloud_instance second = instance(two, 0, "#!/bin/sh\necho READY\npoweroff\nsleep 60\n");
    assert_string_equal(first.id, second.id);
    start(one, &first);
    wait_for(one, said_ready);
    start(two, &second);
    wait_for(two, has_gone);
    assert_int_equal(two->off, 1);
    assert_int_equal(two->halted, 0);
    assert_int_equal(one->off + one->halted + one->gone, 0);
    close_seen(two);
    close_seen(one);
}

static void a_namespace_is_a_machine_of_its_own(void **state) {
    (void)state;
    if (geteuid() != 0) {
        print_message("skipped: needs root\n");
        skip();
    }
    struct seen *s = open_seen(EMU_NAMESPACE);
    struct cloud_instance in =
        instance(s, 0,
                 "#!/bin/bash\necho host=$(hostname) pid1=$(tr -d '\\0' < /proc/1/comm)\n"
                 "touch /usr/written && rm -rf /etc/hostname && echo wrote\n"
                 "(exec 3<>/dev/tcp/169.254.169.254/80) 2>&1 && echo metadata=ok\n"
                 "setsid sleep 300 &\necho READY\n/sbin/poweroff\nsleep 60\n");
    start(s, &in);
    wait_for(s, has_gone);
    print_message("%s", buf_text(&s->console));
    assert_int_equal(s->off, 1);
    assert_non_null(strstr(buf_text(&s->console), "host=ip-198-1"));
    assert_non_null(strstr(buf_text(&s->console), "pid1=dayfly-init"));
    assert_non_null(strstr(buf_text(&s->console), "wrote"));
    assert_false(file_exists("/usr/written"));
    assert_true(file_exists("/etc/hostname"));
    close_seen(s);
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "instance-init") == 0)
        return init_main();
    if (argc > 1 && strcmp(argv[1], "instance-power") == 0)
        return init_power(argv[3], (const char *const *)argv + 4, (unsigned)argc - 4, NULL) < 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(user_data_runs_and_poweroff_ends_the_instance),
        cmocka_unit_test(a_scheduled_shutdown_comes_and_a_cancelled_one_does_not),
        cmocka_unit_test(halt_leaves_a_dead_system_that_still_exists),
        cmocka_unit_test(a_daemon_that_left_its_session_ends_with_the_instance),
        cmocka_unit_test(killing_the_init_itself_leaves_nothing_behind),
        cmocka_unit_test(nothing_outlives_a_cloud_that_was_killed),
        cmocka_unit_test(a_dud_without_network_reaches_nobody),
        cmocka_unit_test(a_dud_without_user_data_boots_and_does_nothing),
        cmocka_unit_test(instances_of_one_id_in_two_clouds_do_not_meet),
        cmocka_unit_test(a_namespace_is_a_machine_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
