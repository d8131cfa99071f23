/* The user-data script: syntax, and what it does on a machine made of fake tools. */
#include "unit.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/bootstrap.h"
#include "node/join.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/loop.h"
#include "os/process.h"

#define PIN "sha256//AAkSGyQtNj9IUVpjbHV+h5CZoqu0vcbP2OHq8/wFDhc="

static char root[256];

static struct bootstrap example(const char *sha) {
    static const struct str heads[] = {STR_INIT("127.0.0.1:1"), STR_INIT("127.0.0.1:2")};
    return (struct bootstrap){.run = STR("7k2m"),
                              .name = STR("shop"),
                              .role = STR("load"),
                              .heads = heads,
                              .heads_count = 2,
                              .pin = STR(PIN),
                              .token = STR("tok123"),
                              .agent_sha256 = str_from(sha),
                              .cap_ns = 75 * 60 * NS_PER_S};
}

static void path_in(char *into, size_t size, const char *name) {
    snprintf(into, size, "%s/%s", root, name);
}

static void put(const char *name, const char *text, unsigned mode) {
    char path[512];
    path_in(path, sizeof path, name);
    assert_int_equal(file_write(path, str_from(text), mode, NULL), 0);
}

static void get(const char *name, struct buf *into) {
    char path[512];
    path_in(path, sizeof path, name);
    buf_reset(into);
    ignore(file_read(path, into, NULL) < 0); /* not there: empty */
}

/* A machine: shutdown writes what it was asked, sleep does nothing, curl gives `agent_text`. */
static void make_machine(const char *agent_text, const char *hint) {
    char path[512];
    snprintf(root, sizeof root, "/tmp/dayfly-test-bootstrap.%d", (int)getpid());
    assert_int_equal(file_remove_tree(root, NULL), 0);
    path_in(path, sizeof path, "bin");
    assert_int_equal(file_make_dirs(path, 0700, NULL), 0);
    put("bin/shutdown", "#!/bin/sh\necho \"$@\" >>\"$ROOT/shutdown.log\"\n", 0700);
    put("bin/sleep", "#!/bin/sh\nexit 0\n", 0700);
    put("bin/curl",
        "#!/bin/sh\necho \"$@\" >>\"$ROOT/curl.log\"\n"
        "[ -f \"$ROOT/served\" ] || exit 7\n"
        "while [ $# -gt 1 ]; do [ \"$1\" = -o ] && out=$2; shift; done\n"
        "cat \"$ROOT/served\" >\"$out\"\n",
        0700);
    if (agent_text != NULL)
        put("served", agent_text, 0600);
    if (hint != NULL)
        put("hint", hint, 0700);
}

struct outcome {
    int done, status;
};

static void on_exit_(void *arg, const struct process_exit *exit) {
    struct outcome *o = arg;
    o->done = 1;
    o->status = exit->status;
}

static bool is_done(void *arg) {
    const struct outcome *o = arg;
    return o->done;
}

static int run_script(const struct bootstrap *b, const char *first, bool with_hint) {
    CLEANUP(buf_deinit) struct buf script = BUF_INIT(USER_DATA_BYTES_MAX);
    char path[512], env_root[300], env_path[400], env_dir[300], env_hint[300];
    assert_int_equal(bootstrap_script(b, &script, NULL), 0);
    put("user-data", buf_text(&script), 0700);
    path_in(path, sizeof path, "user-data");
    snprintf(env_root, sizeof env_root, "ROOT=%s", root);
    snprintf(env_path, sizeof env_path, "PATH=%s/bin:/usr/bin:/bin", root);
    snprintf(env_dir, sizeof env_dir, "DAYFLY_INSTANCE_DIR=%s", root);
    snprintf(env_hint, sizeof env_hint, "DAYFLY_AGENT_HINT=%s/hint", root);
    const char *argv[] = {"/bin/sh", first, path, NULL};
    const char *plain[] = {"/bin/sh", path, NULL};
    const char *env[] = {env_root,
                         env_path,
                         env_dir,
                         "AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.64.0.9:80/",
                         with_hint ? env_hint : NULL,
                         NULL};
    struct outcome o = {0};
    struct process_spec spec = {.argv = first[0] ? argv : plain,
                                .env = env,
                                .timeout_ns = 20 * NS_PER_S,
                                .on_exit = on_exit_,
                                .arg = &o};
    CLEANUP(loop_freep) struct loop *loop = loop_new();
    struct process *process = NULL;
    assert_int_equal(process_start(loop, &spec, &process, NULL), 0);
    assert_true(loop_run_until(loop, clock_monotonic_ns() + 30 * NS_PER_S, is_done, &o));
    process_free(process);
    return o.status;
}

static void sha_of(const char *text, char hex[FILE_SHA256_HEX_SIZE]) {
    uint8_t hash[FILE_SHA256_SIZE];
    file_sha256_bytes(str_from(text), hash);
    file_hex(hash, sizeof hash, hex);
}

static const char AGENT[] = "#!/bin/sh\necho \"$@\" >\"$ROOT/agent.log\"\nexit 0\n";
static const char SICK_AGENT[] = "#!/bin/sh\nexit 3\n";

static void the_shell_finds_no_mistake_in_it(void **state) {
    (void)state;
    char sha[FILE_SHA256_HEX_SIZE];
    make_machine(NULL, NULL);
    sha_of(AGENT, sha);
    struct bootstrap b = example(sha);
    assert_int_equal(run_script(&b, "-n", false), 0);
}

static void the_first_command_arms_the_cap(void **state) {
    (void)state;
    char sha[FILE_SHA256_HEX_SIZE];
    sha_of(AGENT, sha);
    struct bootstrap b = example(sha);
    b.cap_ns = 75 * 60 * NS_PER_S - 1;
    CLEANUP(buf_deinit) struct buf script = BUF_INIT(USER_DATA_BYTES_MAX);
    assert_int_equal(bootstrap_script(&b, &script, NULL), 0);
    assert_true(str_starts_with(buf_str(&script), STR("#!/bin/sh\nshutdown -P +75 ")));
    assert_true(script.len < 6000);
}

static void an_agent_from_the_head_is_checked_and_started(void **state) {
    (void)state;
    char sha[FILE_SHA256_HEX_SIZE], path[512];
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(JOIN_FILE_BYTES_MAX);
    CLEANUP(mem_freep) struct join *join = mem_new(sizeof *join);
    make_machine(AGENT, NULL);
    sha_of(AGENT, sha);
    struct bootstrap b = example(sha);
    assert_int_equal(run_script(&b, "", false), 0);
    get("shutdown.log", &text);
    assert_text(&text, "-P +75\n"); /* and no power-off */
    get("agent.log", &text);
    assert_true(str_starts_with(buf_str(&text), STR("node --join ")));
    get("curl.log", &text);
    assert_true(str_contains(buf_str(&text), STR("--pinnedpubkey " PIN)));
    assert_true(str_contains(buf_str(&text), STR("--interface 127.64.0.9")));
    get("dayfly/join", &text);
    assert_int_equal(join_parse(buf_str(&text), join, NULL), 0);
    assert_string_equal(join->run, "7k2m");
    assert_string_equal(join->token, "tok123");
    assert_int_equal(join->heads_count, 2);
    assert_string_equal(join->heads[1], "127.0.0.1:2");
    assert_int_equal(join->cap_ns, 75 * 60 * NS_PER_S);
    assert_true(join->armed_ns + 60 * NS_PER_S > clock_boottime_ns());
    struct stat status;
    path_in(path, sizeof path, "dayfly/join");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void an_agent_with_a_wrong_hash_never_runs_and_ends_the_instance(void **state) {
    (void)state;
    char sha[FILE_SHA256_HEX_SIZE];
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(4096);
    make_machine(AGENT, AGENT);
    sha_of("something else", sha);
    struct bootstrap b = example(sha);
    assert_int_equal(run_script(&b, "", true), 1);
    get("shutdown.log", &text);
    assert_text(&text, "-P +75\n-P now\n");
    get("agent.log", &text);
    assert_text(&text, "");
}

static void an_agent_on_the_image_needs_no_download(void **state) {
    (void)state;
    char sha[FILE_SHA256_HEX_SIZE];
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(4096);
    make_machine(NULL, AGENT);
    sha_of(AGENT, sha);
    struct bootstrap b = example(sha);
    assert_int_equal(run_script(&b, "", true), 0);
    get("curl.log", &text);
    assert_text(&text, "");
    get("agent.log", &text);
    assert_true(str_starts_with(buf_str(&text), STR("node --join ")));
}

static void without_any_head_it_tries_all_of_them_and_then_powers_off(void **state) {
    (void)state;
    char sha[FILE_SHA256_HEX_SIZE];
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(64 * 1024);
    make_machine(NULL, NULL);
    sha_of(AGENT, sha);
    struct bootstrap b = example(sha);
    assert_int_equal(run_script(&b, "", false), 1);
    get("shutdown.log", &text);
    assert_text(&text, "-P +75\n-P now\n");
    get("curl.log", &text);
    assert_true(str_contains(buf_str(&text), STR("https://127.0.0.1:1/agent")));
    assert_true(str_contains(buf_str(&text), STR("https://127.0.0.1:2/agent")));
}

static void an_agent_that_dies_takes_the_instance_with_it(void **state) {
    (void)state;
    char sha[FILE_SHA256_HEX_SIZE];
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(4096);
    make_machine(SICK_AGENT, NULL);
    sha_of(SICK_AGENT, sha);
    struct bootstrap b = example(sha);
    assert_int_equal(run_script(&b, "", false), 1);
    get("shutdown.log", &text);
    assert_text(&text, "-P +75\n-P now\n");
}

static void what_a_shell_would_read_as_code_is_refused(void **state) {
    (void)state;
    char sha[FILE_SHA256_HEX_SIZE];
    static const char *const bad[] = {"a'b", "a\nb", "$(id)", "a b", "a;b", "`id`", ""};
    CLEANUP(buf_deinit) struct buf script = BUF_INIT(USER_DATA_BYTES_MAX);
    sha_of(AGENT, sha);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct bootstrap b = example(sha);
        b.token = str_from(bad[i]);
        assert_int_equal(bootstrap_script(&b, &script, NULL), -ERR_USAGE);
        b = example(sha);
        b.name = str_from(bad[i]);
        assert_int_equal(bootstrap_script(&b, &script, NULL), -ERR_USAGE);
    }
    struct bootstrap b = example("abc");
    assert_int_equal(bootstrap_script(&b, &script, NULL), -ERR_USAGE);
    assert_int_equal(script.len, 0);
}

static void a_join_file_without_its_parts_is_refused(void **state) {
    (void)state;
    CLEANUP(mem_freep) struct join *join = mem_new(sizeof *join);
    static const char good[] = "run=a\ntoken=b\npin=" PIN "\nhead=h:1\ncap_s=60\narmed_s=1\n"
                               "dir=/x\nlater=ignored\n";
    static const char *const bad[] = {"",
                                      "run=a\n",
                                      "run=a\ntoken=b\npin=x\nhead=h:1\ncap_s=60\ndir=/x\n",
                                      "run=a\ntoken=b\npin=" PIN "\nhead=h:1\ncap_s=x\ndir=/x\n",
                                      "run=a\ntoken=b\npin=" PIN "\nhead=h:1\ncap_s=60\ndir=x\n",
                                      "nonsense\n"};
    assert_int_equal(join_parse(STR_EMPTY, join, NULL), -ERR_PARSE);
    assert_int_equal(join_parse(str_from(good), join, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(join_parse(str_from(bad[i]), join, NULL), -ERR_PARSE);
    assert_int_equal(file_remove_tree(root, NULL), 0);
}

UNIT_MAIN(T(the_shell_finds_no_mistake_in_it), T(the_first_command_arms_the_cap),
          T(an_agent_from_the_head_is_checked_and_started),
          T(an_agent_with_a_wrong_hash_never_runs_and_ends_the_instance),
          T(an_agent_on_the_image_needs_no_download),
          T(without_any_head_it_tries_all_of_them_and_then_powers_off),
          T(an_agent_that_dies_takes_the_instance_with_it),
          T(what_a_shell_would_read_as_code_is_refused),
          T(a_join_file_without_its_parts_is_refused))
