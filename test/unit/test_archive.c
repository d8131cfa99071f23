#include "golden.h"

#include <sys/stat.h>
#include <unistd.h>

#include "cli/archive.h"
#include "os/file.h"

static char root[64];

static int setup(void **state) {
    (void)state;
    snprintf(root, sizeof root, "/tmp/dayfly-archive-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    return file_remove_tree(root, NULL);
}

static void put(const char *folder, const char *json) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, folder);
    assert_int_equal(file_make_dirs(path, 0755, NULL), 0);
    snprintf(path, sizeof path, "%s/%s/result.json", root, folder);
    assert_int_equal(file_write(path, str_from(json), 0644, NULL), 0);
}

static const char OLD[] = "{\"schema\":\"dayfly.result/1\",\"run\":\"aaaa\",\"name\":\"http\","
                          "\"verdict\":\"FAIL\",\"exit_code\":99,"
                          "\"started_at\":\"2026-03-01T00:00:00.000Z\",\"cost_usd\":0.25,"
                          "\"phases\":[{\"counts\":true,\"done\":5,"
                          "\"latency\":{\"p99_us\":1200}}]}";
static const char NEW[] = "{\"schema\":\"dayfly.result/1\",\"run\":\"bbbb\",\"name\":\"http\","
                          "\"started_at\":\"2026-03-02T00:00:00Z\",\"real\":false}";

static void results_are_listed_newest_first_and_found_by_name(void **state) {
    (void)state;
    put("results/http-aaaa", OLD);
    put("results/http-bbbb", NEW);
    char path[128];
    snprintf(path, sizeof path, "%s/results", root);
    struct archive a;
    archive_init(&a, path, NULL);
    assert_int_equal(a.count, 2);
    assert_string_equal(a.entries[0].run, "bbbb");
    assert_true(a.entries[0].rehearsal);
    assert_string_equal(archive_find(&a, "last")->run, "bbbb");
    const struct archive_entry *old = archive_find(&a, "aaaa");
    assert_int_equal(old->exit_code, 99);
    assert_int_equal(old->p99_us, 1200);
    assert_int_equal(old->cost_usd_micro, 250000);
    assert_ptr_equal(archive_find(&a, "http-aaaa"), old);
    assert_ptr_equal(archive_find(&a, old->dir), old);
    assert_null(archive_find(&a, "cccc"));
    archive_deinit(&a);
}

static void what_is_no_result_is_counted_and_skipped(void **state) {
    (void)state;
    put("results/a", "{");
    put("results/b", "[1,2]");
    put("results/c", "{\"schema\":\"dayfly.nodes/1\"}");
    put("results/d", "{\"schema\":\"dayfly.result/1\","
                     "\"run\":7,\"phases\":\"no\",\"nodes_wanted\":-1}");
    char path[128];
    snprintf(path, sizeof path, "%s/results", root);
    struct archive a;
    archive_init(&a, path, "/nonexistent");
    assert_int_equal(a.broken, 3);
    assert_int_equal(a.count, 1);
    assert_string_equal(a.entries[0].run, "");
    archive_deinit(&a);
    archive_init(&a, "/nonexistent", NULL);
    assert_int_equal(a.count, 0);
    assert_null(archive_find(&a, "last"));
    archive_deinit(&a);
}

static void the_index_finds_results_of_other_folders_once(void **state) {
    (void)state;
    put("elsewhere/http-aaaa", OLD);
    char index[128];
    char folder[128];
    snprintf(index, sizeof index, "%s/state/dayfly/results.index", root);
    snprintf(folder, sizeof folder, "%s/elsewhere/http-aaaa", root);
    assert_int_equal(archive_remember(index, folder, NULL), 0);
    assert_int_equal(archive_remember(index, folder, NULL), 0);
    assert_true(archive_remember(index, "/nonexistent/x", NULL) < 0);
    struct archive a;
    archive_init(&a, "/nonexistent", index);
    assert_int_equal(a.count, 1);
    archive_deinit(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(results_are_listed_newest_first_and_found_by_name, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_no_result_is_counted_and_skipped, setup, teardown),
        cmocka_unit_test_setup_teardown(the_index_finds_results_of_other_folders_once, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
