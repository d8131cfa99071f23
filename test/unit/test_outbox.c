/* What waits at a node: results until they are acknowledged, files until they are found. */
#include "unit.h"

#include <stdio.h>
#include <unistd.h>

#include "node/collect.h"
#include "node/host.h"
#include "node/metadata.h"
#include "node/outbox.h"
#include "os/file.h"

static void results_are_kept_until_acknowledged_and_sent_again_on_a_new_link(void **state) {
    (void)state;
    struct outbox o = {0};
    assert_null(outbox_peek(&o));
    for (int i = 0; i < 5; i++) {
        assert_int_equal(outbox_next_seq(&o), i + 1);
        outbox_add(&o, STR("bytes"));
    }
    assert_int_equal(o.bytes, 25);
    for (uint64_t seq = 1; seq <= 3; seq++) {
        assert_int_equal(outbox_peek(&o)->seq, seq);
        outbox_sent(&o);
    }
    assert_true(outbox_ack(&o, 2));
    assert_int_equal(o.bytes, 15);
    assert_int_equal(outbox_peek(&o)->seq, 4); /* 3 is on its way */
    outbox_rewind(&o);
    assert_int_equal(outbox_peek(&o)->seq, 3);
    assert_true(outbox_ack(&o, 4)); /* beyond what was sent again: it had come after all */
    assert_int_equal(outbox_peek(&o)->seq, 5);
    assert_false(outbox_ack(&o, 6)); /* never given out */
    assert_true(outbox_ack(&o, 1));  /* old: nothing */
    assert_int_equal(outbox_peek(&o)->seq, 5);
    assert_true(outbox_ack(&o, 5));
    assert_null(outbox_peek(&o));
    assert_int_equal(o.bytes, 0);
    outbox_add(&o, STR("x"));
    assert_int_equal(outbox_peek(&o)->seq, 6);
    outbox_deinit(&o);
}

static char root[128];

static void put(const char *name) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", root, name);
    assert_int_equal(file_write(path, STR("x"), 0600, NULL), 0);
}

static void finds(const char *glob, const char *want) {
    struct collect_paths paths = {.max = 100};
    CLEANUP(buf_deinit) struct buf got = BUF_INIT(4096);
    collect_find(&paths, root, str_from(glob));
    collect_sort(&paths);
    for (size_t i = 0; i < paths.count; i++)
        buf_printf(&got, "%s ", paths.paths[i]);
    assert_text(&got, want);
    collect_paths_deinit(&paths);
}

static void globs_find_files_beneath_and_follow_no_link(void **state) {
    (void)state;
    char path[512];
    snprintf(root, sizeof root, "/tmp/dayfly-test-collect.%d", (int)getpid());
    assert_int_equal(file_remove_tree(root, NULL), 0);
    snprintf(path, sizeof path, "%s/logs/deep", root);
    assert_int_equal(file_make_dirs(path, 0700, NULL), 0);
    put("a.log");
    put("b.log");
    put(".hidden");
    put("logs/c.log");
    put("logs/deep/d.log");
    snprintf(path, sizeof path, "%s/etc", root);
    assert_int_equal(symlink("/etc", path), 0);
    finds("*.log", "a.log b.log ");
    finds("?.log", "a.log b.log ");
    finds("logs", "logs/c.log logs/deep/d.log ");
    finds("logs/*.log", "logs/c.log ");
    finds("*/*/*.log", "logs/deep/d.log ");
    finds("etc/*", "");
    finds("../*", "");
    finds("none", "");
    finds(".hidden", ".hidden ");
    struct collect_paths few = {.max = 2};
    collect_find(&few, root, STR("logs"));
    collect_find(&few, root, STR("*.log"));
    assert_int_equal(few.count, 2);
    assert_true(few.cut);
    collect_paths_deinit(&few);
    assert_int_equal(file_remove_tree(root, NULL), 0);
}

static void numbers_of_the_machine_are_read_from_proc(void **state) {
    (void)state;
    struct host_numbers n = {0};
    host_parse_stat(STR("cpu  10 1 5 100 20 0 4 30 7 0\ncpu0 1 2\n"), &n);
    assert_int_equal(n.total, 170);
    assert_int_equal(n.busy, 20);
    assert_int_equal(n.steal, 30);
    host_parse_meminfo(STR("MemTotal:  100 kB\nMemFree: 1 kB\nMemAvailable:   40 kB\n"), &n);
    assert_int_equal(n.memory_total, 102400);
    assert_int_equal(n.memory_used, 61440);
    host_parse_net(STR("Inter-|\n face |bytes\n    lo: 5 0 0 0 0 0 0 0 5 0\n"
                       "  eth0:1000 1 0 0 0 0 0 0 2000 1 0\n eth1: 1 0 0 0 0 0 0 0 2 0\n"),
                   &n);
    assert_int_equal(n.net_received, 1001);
    assert_int_equal(n.net_sent, 2002);
    host_parse_snmp(STR("Ip: A\nIp: 1\nTcp: X RetransSegs Y\nTcp: -1 77 3\n"), &n);
    assert_int_equal(n.retransmits, 77);
}

static void a_share_is_of_the_time_between_two_samples(void **state) {
    (void)state;
    struct host h = {0};
    struct wire_heartbeat beat;
    host_sample(&h, 1000, &beat);
    assert_int_equal(beat.net_sent_bytes, 0);
    host_sample(&h, 3000, &beat);
    assert_int_equal(beat.interval_ns, 2000);
    assert_true(beat.cpu_ppm <= 1000000);
    struct host_facts facts;
    host_read_facts(&facts);
    assert_true(facts.cpus >= 1 && facts.memory_bytes > 0 && facts.arch[0] != 0);
}

static void a_notice_is_read_and_nonsense_is_not(void **state) {
    (void)state;
    char action[32];
    int64_t at = 0;
    assert_true(metadata_parse_notice(
        STR("{\"action\": \"terminate\", \"time\": \"2017-09-18T08:22:00Z\"}"), action,
        sizeof action, &at));
    assert_string_equal(action, "terminate");
    assert_true(at == INT64_C(1505722920000));
    assert_true(metadata_parse_notice(STR("{\"action\": \"stop\", \"time\": \"soon\"}"), action,
                                      sizeof action, &at));
    assert_int_equal(at, -1);
    static const char *const bad[] = {"",
                                      "[]",
                                      "{}",
                                      "{\"action\": 5}",
                                      "{\"action\": \"a\\nb\"}",
                                      "{\"action\": \"terminate\"",
                                      "not found"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(metadata_parse_notice(str_from(bad[i]), action, sizeof action, &at));
}

UNIT_MAIN(T(results_are_kept_until_acknowledged_and_sent_again_on_a_new_link),
          T(globs_find_files_beneath_and_follow_no_link),
          T(numbers_of_the_machine_are_read_from_proc),
          T(a_share_is_of_the_time_between_two_samples), T(a_notice_is_read_and_nonsense_is_not))
