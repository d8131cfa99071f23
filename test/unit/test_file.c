/* Files: limits, atomic writes, trees, and links that try to lead elsewhere. */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"

static char root[128];

static const char *at(const char *name) {
    static char paths[4][512];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", root, name);
    return path;
}

static void put(const char *name, const char *text) {
    assert_int_equal(file_write(at(name), str_from(text), 0600, NULL), 0);
}

static int set_up(void **state) {
    (void)state;
    snprintf(root, sizeof root, "/tmp/dayfly-test-file.%d", (int)getpid());
    return file_remove_tree(root, NULL) + file_make_dirs(at("dir/sub"), 0700, NULL);
}

static int tear_down(void **state) {
    (void)state;
    return file_remove_tree(root, NULL);
}

static void a_write_replaces_the_whole_file_and_sets_its_mode(void **state) {
    (void)state;
    struct stat status;
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(100);
    put("a", "long long text");
    assert_int_equal(file_write(at("a"), STR("short"), 0640, NULL), 0);
    assert_int_equal(file_read(at("a"), &text, NULL), 0);
    assert_text(&text, "short");
    assert_int_equal(stat(at("a"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    assert_int_equal(file_write(at("none/a"), STR("x"), 0600, NULL), -ERR_NOT_FOUND);
}

static void a_write_through_a_link_replaces_the_link_not_its_target(void **state) {
    (void)state;
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(100);
    put("target", "kept");
    assert_int_equal(symlink(at("target"), at("link")), 0);
    put("link", "new");
    assert_int_equal(file_read(at("target"), &text, NULL), 0);
    assert_text(&text, "kept");
}

static void a_file_longer_than_the_buffer_is_refused_and_the_buffer_is_as_before(void **state) {
    (void)state;
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(8);
    put("eight", "12345678");
    put("nine", "123456789");
    assert_int_equal(file_read(at("eight"), &text, NULL), 0);
    assert_text(&text, "12345678");
    buf_reset(&text);
    buf_add_text(&text, "ab");
    assert_int_equal(file_read(at("eight"), &text, NULL), -ERR_LIMIT);
    assert_text(&text, "ab");
    assert_true(buf_ok(&text));
    buf_reset(&text);
    assert_int_equal(file_read(at("nine"), &text, NULL), -ERR_LIMIT);
    assert_int_equal(file_read(at("none"), &text, NULL), -ERR_NOT_FOUND);
}

static void a_tree_goes_and_what_its_links_point_to_stays(void **state) {
    (void)state;
    put("outside", "stays");
    put("dir/file", "goes");
    assert_int_equal(file_make_dirs(at("elsewhere"), 0700, NULL), 0);
    put("elsewhere/file", "stays");
    assert_int_equal(symlink(at("outside"), at("dir/to-file")), 0);
    assert_int_equal(symlink(at("elsewhere"), at("dir/sub/to-dir")), 0);
    assert_int_equal(chmod(at("dir/sub"), 0), 0);
    assert_int_equal(file_remove_tree(at("dir"), NULL), 0);
    assert_false(file_exists(at("dir")));
    assert_true(file_exists(at("outside")));
    assert_true(file_exists(at("elsewhere/file")));
    assert_int_equal(file_remove_tree(at("dir"), NULL), 0); /* gone already: fine */
}

static void a_directory_is_made_with_its_parents_once(void **state) {
    (void)state;
    assert_int_equal(file_make_dirs(at("p/q/r"), 0700, NULL), 0);
    assert_int_equal(file_make_dirs(at("p/q/r/"), 0700, NULL), 0);
    put("p/file", "x");
    assert_int_equal(file_make_dirs(at("p/file"), 0700, NULL), -ERR_EXISTS);
    assert_true(file_make_dirs(at("p/file/x"), 0700, NULL) < 0);
}

static int open_in_root(const char *path) {
    CLEANUP(file_closep) int root_fd = open(root, O_RDONLY | O_DIRECTORY);
    int fd = -1;
    uint64_t size = 0;
    int result = file_open_regular(root_fd, path, &fd, &size, NULL);
    assert_true((result == 0) == (fd >= 0));
    file_closep(&fd);
    return result;
}

static void only_regular_files_beneath_the_root_open(void **state) {
    (void)state;
    put("dir/file", "x");
    assert_int_equal(symlink("file", at("dir/link")), 0);
    assert_int_equal(symlink("dir", at("dirlink")), 0);
    assert_int_equal(symlink("/etc/passwd", at("passwd")), 0);
    assert_int_equal(mkfifo(at("pipe"), 0600), 0);
    assert_int_equal(open_in_root("dir/file"), 0);
    assert_true(open_in_root("dir/link") < 0);
    assert_true(open_in_root("dirlink/file") < 0);
    assert_true(open_in_root("passwd") < 0);
    assert_true(open_in_root("../etc/passwd") < 0);
    assert_true(open_in_root("dir/../dir/file") < 0);
    assert_true(open_in_root("/etc/passwd") < 0);
    assert_true(open_in_root("dir//file") < 0);
    assert_true(open_in_root("pipe") < 0); /* and does not wait for a writer */
    assert_true(open_in_root("dir") < 0);
    assert_true(open_in_root("") < 0);
}

static void a_hash_is_that_of_the_bytes(void **state) {
    (void)state;
    char hex[FILE_SHA256_HEX_SIZE];
    put("abc", "abc"); /* FIPS 180-2, appendix B.1 */
    assert_int_equal(file_sha256(at("abc"), hex, NULL), 0);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(file_sha256(at("none"), hex, NULL), -ERR_NOT_FOUND);
}

#define F(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

UNIT_MAIN(F(a_write_replaces_the_whole_file_and_sets_its_mode),
          F(a_write_through_a_link_replaces_the_link_not_its_target),
          F(a_file_longer_than_the_buffer_is_refused_and_the_buffer_is_as_before),
          F(a_tree_goes_and_what_its_links_point_to_stays),
          F(a_directory_is_made_with_its_parents_once), F(only_regular_files_beneath_the_root_open),
          F(a_hash_is_that_of_the_bytes))
