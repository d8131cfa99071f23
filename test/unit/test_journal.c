#include "unit.h"

#include "store/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/dayfly-test-journal-XXXXXX";

static int make_dir(void **state) {
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state) {
    (void)state;
    static const char *const names[] = {"journal.db", "journal.db-wal", "journal.db-shm",
                                        "head.lock"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        ignore(unlink(path) < 0); /* some never came to be */
    }
    return rmdir(dir);
}

static int collect(struct str record, void *user, struct err *err) {
    (void)err;
    buf_add_str(user, record);
    buf_add_byte(user, '|');
    return 0;
}

static void records_come_back_in_order_after_a_crash(void **state) {
    (void)state;
    struct journal *journal = NULL;
    struct err err = {0};
    assert_int_equal(journal_open(dir, &journal, &err), 0);
    struct str first[] = {STR("one"), STR(""), STR("t\0o")};
    assert_int_equal(journal_append(journal, first, 3, &err), 0);
    assert_int_equal(journal_append(journal, &STR("three"), 1, &err), 0);
    /* A reader sees what was acknowledged although the writer never closed. */
    struct journal *reader = NULL;
    assert_int_equal(journal_open_read(dir, &reader, &err), 0);
    assert_int_equal(journal_count(reader), 4);
    CLEANUP(buf_deinit) struct buf got = BUF_INIT(1000);
    assert_int_equal(journal_each(reader, collect, &got, &err), 0);
    assert_int_equal(got.len, strlen("one||t.o|three|"));
    assert_memory_equal(got.ptr, "one||t\0o|three|", got.len);
    journal_close(reader);
    journal_close(journal);
}

static void a_second_head_is_refused(void **state) {
    (void)state;
    struct journal *journal = NULL, *rival = NULL;
    struct err err = {0};
    assert_int_equal(journal_open(dir, &journal, &err), 0);
    assert_int_equal(journal_open(dir, &rival, &err), -ERR_REFUSED);
    assert_null(rival);
    journal_close(journal);
    assert_int_equal(journal_open(dir, &rival, &err), 0);
    journal_close(rival);
}

static void a_missing_journal_is_not_found(void **state) {
    (void)state;
    struct journal *journal = NULL;
    assert_int_equal(journal_open_read("/nonexistent", &journal, NULL), -ERR_NOT_FOUND);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(records_come_back_in_order_after_a_crash),
        T(a_second_head_is_refused),
        T(a_missing_journal_is_not_found),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
