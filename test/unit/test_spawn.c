/* A whole cloud process: this test program plays `dayfly` for emu_spawn. */
#include "emu/emu.h"
#include "emu/init.h"
#include "os/file.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char state_dir[64];
static struct emu_options options;

static int set_up(void **state) {
    (void)state;
    strncpy(state_dir, "/tmp/dayfly-spawn-XXXXXX", sizeof state_dir - 1);
    if (!mkdtemp(state_dir))
        return -1;
    emu_options_init(&options);
    return emu_options_set(&options, "state-dir", state_dir, NULL);
}

static int tear_down(void **state) {
    (void)state;
    emu_options_deinit(&options);
    return file_remove_tree(state_dir, NULL);
}

/* The status of GET `path`, "" for no answer. */
static void ask(const struct emu_endpoint *e, const char *path, const char *token, char *into,
                size_t size) {
    char text[512];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons((uint16_t)strtoul(strrchr(e->url, ':') + 1, NULL, 10));
    into[0] = '\0';
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int length =
        snprintf(text, sizeof text, "GET %s HTTP/1.0\r\nX-Dayfly-Token: %s\r\n\r\n", path, token);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
        write(fd, text, (size_t)length) == length) {
        ssize_t got = recv(fd, into, size - 1, MSG_WAITALL);
        into[MAX(got, 0)] = '\0';
    }
    close(fd);
}

static void spawn(struct emu_endpoint *e) {
    struct err err = {0};
    if (emu_spawn(&options, -1, e, &err) < 0)
        fail_msg("%s", err.text);
}

static void a_spawned_cloud_answers_and_stops(void **state) {
    (void)state;
    struct emu_endpoint e;
    struct emu_endpoint again;
    struct err err = {0};
    char answer[4096];
    spawn(&e);
    assert_int_equal(emu_endpoint_read(e.path, &again, &err), 0);
    assert_string_equal(again.secret_access_key, e.secret_access_key);
    assert_int_equal(again.pid, e.pid);
    ask(&e, "/_dayfly/truth", e.token, answer, sizeof answer);
    assert_non_null(strstr(answer, "200 OK"));
    assert_non_null(strstr(answer, "\"left\":0"));
    ask(&e, "/_dayfly/truth", "guess", answer, sizeof answer);
    assert_non_null(strstr(answer, "403"));
    assert_int_equal(emu_stop(&e, 10 * NS_PER_S, &err), 0);
    assert_false(file_exists(e.path));
    assert_int_equal(emu_stop(&e, NS_PER_S, &err), 0);
}

static void two_clouds_live_side_by_side(void **state) {
    (void)state;
    struct emu_endpoint a;
    struct emu_endpoint b;
    spawn(&a);
    spawn(&b);
    assert_string_not_equal(a.url, b.url);
    assert_string_not_equal(a.gateway, b.gateway);
    assert_int_equal(emu_stop(&a, 10 * NS_PER_S, NULL), 0);
    assert_true(file_exists(b.path));
    assert_int_equal(emu_stop(&b, 10 * NS_PER_S, NULL), 0);
}

/* Killed with the folder of an instance in its own. */
static void what_a_killed_cloud_leaves_is_removed_by_the_next_start(void **state) {
    (void)state;
    struct emu_endpoint dead;
    struct emu_endpoint next;
    struct err err = {0};
    char folder[600], inner[700];
    spawn(&dead);
    assert_true(emu_endpoint_lives(&dead));
    snprintf(folder, sizeof folder, "%s/%s", state_dir, dead.id);
    snprintf(inner, sizeof inner, "%s/i-0123456789abcdef0/files", folder);
    assert_int_equal(file_make_dirs(inner, 0700, &err), 0);
    kill(dead.pid, SIGKILL);
    assert_int_equal(waitpid(dead.pid, NULL, 0), dead.pid);
    assert_true(file_exists(dead.path));
    assert_false(emu_endpoint_lives(&dead));
    dead.pid = (int)getpid(); /* its number belongs to another program now */
    assert_false(emu_endpoint_lives(&dead));
    assert_int_equal(emu_stop(&dead, NS_PER_S, &err), 0);
    spawn(&next);
    assert_false(file_exists(folder));
    assert_true(emu_endpoint_lives(&next));
    assert_int_equal(emu_stop(&next, 10 * NS_PER_S, &err), 0);
    assert_int_equal(rmdir(state_dir), 0); /* nothing at all is left */
}

static void a_copied_endpoint_is_judged_by_its_process(void **state) {
    (void)state;
    struct emu_endpoint e;
    struct emu_endpoint copy;
    struct err err = {0};
    spawn(&e);
    copy = e;
    snprintf(copy.path, sizeof copy.path, "%s/copy.json", state_dir);
    assert_false(emu_endpoint_lives(&copy)); /* there is no such file */
    assert_int_equal(file_write(copy.path, STR("{}"), 0600, &err), 0);
    assert_true(emu_endpoint_lives(&copy));
    assert_int_equal(emu_stop(&e, 10 * NS_PER_S, &err), 0);
    assert_false(emu_endpoint_lives(&copy));
    assert_false(emu_endpoint_lives(&e));
}

static void a_cloud_that_cannot_start_says_why(void **state) {
    (void)state;
    struct emu_endpoint e;
    struct err err = {0};
    assert_int_equal(emu_options_set(&options, "listen", "203.0.113.1:1", NULL), 0);
    assert_true(emu_spawn(&options, -1, &e, &err) < 0);
    assert_non_null(strstr(err.text, "203.0.113.1:1"));
}

static void a_file_that_is_no_endpoint_is_refused(void **state) {
    (void)state;
    static const char *const BAD[] = {"", "{}", "[1]", "{\"pid\": 1}", "not json"};
    char path[128];
    snprintf(path, sizeof path, "%s/endpoint.json", state_dir);
    struct emu_endpoint e;
    assert_int_equal(emu_endpoint_read(path, &e, NULL), -ERR_NOT_FOUND);
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        assert_int_equal(file_write(path, str_from(BAD[i]), 0600, NULL), 0);
        assert_int_equal(emu_endpoint_read(path, &e, NULL), -ERR_PARSE);
    }
}

/* The words of emu_spawn, as cmd_cloud.c reads them. */
static int be_cloud(int argc, char **argv) {
    struct emu_options o;
    struct err err = {0};
    emu_options_init(&o);
    for (int i = 2; i + 1 < argc; i++) {
        if (strcmp(argv[i], "--quiet") == 0 || strcmp(argv[i], "--exit-when-idle") == 0)
            continue;
        if (strcmp(argv[i], "--ready-fd") == 0)
            o.ready_fd = (int)strtol(argv[i + 1], NULL, 10);
        else if (emu_options_set(&o, argv[i] + 2, argv[i + 1], &err) < 0)
            return 2;
        i++;
    }
    int result = emu_run(&o, true, &err);
    emu_options_deinit(&o);
    return result < 0;
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "cloud") == 0)
        return be_cloud(argc, argv);
    if (argc > 1 && strcmp(argv[1], "instance-init") == 0)
        return init_main();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_spawned_cloud_answers_and_stops, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_clouds_live_side_by_side, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_killed_cloud_leaves_is_removed_by_the_next_start,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_copied_endpoint_is_judged_by_its_process, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_cloud_that_cannot_start_says_why, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_is_no_endpoint_is_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
