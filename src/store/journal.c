#include "store/journal.h"

#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

struct journal {
    sqlite3 *db;
    sqlite3_stmt *insert;
    int lock_fd;
    uint64_t count;
    bool broken; /* a commit failed: what is on disk is what was acknowledged, and stays so */
};

static int db_error(sqlite3 *db, const char *what, struct err *err) {
    return err_set(err, ERR_IO, "journal: %s: %s", what, db ? sqlite3_errmsg(db) : "out of memory");
}

static int run_sql(sqlite3 *db, const char *sql, struct err *err) {
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : db_error(db, sql, err);
}

void journal_close(struct journal *own_journal) {
    if (!own_journal)
        return;
    sqlite3_finalize(own_journal->insert);
    sqlite3_close(own_journal->db);
    if (own_journal->lock_fd >= 0)
        close(own_journal->lock_fd);
    mem_free(own_journal);
}

static int take_lock(struct journal *journal, const char *dir, struct err *err) {
    CLEANUP(buf_deinit) struct buf path = BUF_INIT(4096);
    buf_printf(&path, "%s/head.lock", dir);
    journal->lock_fd = open(buf_text(&path), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (journal->lock_fd < 0)
        return err_set_errno(err, ERR_IO, errno, "%s", buf_text(&path));
    if (flock(journal->lock_fd, LOCK_EX | LOCK_NB) < 0)
        return err_set(err, ERR_REFUSED, "another dayfly is driving this run (%s)",
                       buf_text(&path));
    return 0;
}

static int count_records(struct journal *journal, struct err *err) {
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(journal->db, "SELECT count(*) FROM record", -1, &stmt, NULL) !=
        SQLITE_OK)
        return db_error(journal->db, "count", err);
    if (sqlite3_step(stmt) == SQLITE_ROW)
        journal->count = (uint64_t)sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return 0;
}

static int open_db(struct journal *journal, const char *dir, int flags, struct err *err) {
    CLEANUP(buf_deinit) struct buf path = BUF_INIT(4096);
    buf_printf(&path, "%s/journal.db", dir);
    /* Made here for its mode, which its companions take over. */
    int fd = flags & SQLITE_OPEN_CREATE
                 ? open(buf_text(&path), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)
                 : -1;
    if (fd < 0 && flags & SQLITE_OPEN_CREATE)
        return err_set_errno(err, ERR_IO, errno, "%s", buf_text(&path));
    if (fd >= 0)
        close(fd);
    if (sqlite3_open_v2(buf_text(&path), &journal->db, flags, NULL) != SQLITE_OK)
        return db_error(journal->db, buf_text(&path), err);
    sqlite3_busy_timeout(journal->db, 2000);
    return 0;
}

static struct journal *new_journal(void) {
    struct journal *journal = mem_new(sizeof *journal);
    journal->lock_fd = -1;
    return journal;
}

/* Ready for appends: the table, its size, the statement. */
static int make_table(struct journal *journal, struct err *err) {
    TRY(run_sql(journal->db,
                "CREATE TABLE IF NOT EXISTS record (seq INTEGER PRIMARY KEY, bytes BLOB NOT NULL)",
                err));
    TRY(count_records(journal, err));
    if (sqlite3_prepare_v2(journal->db, "INSERT INTO record (bytes) VALUES (?)", -1,
                           &journal->insert, NULL) != SQLITE_OK)
        return db_error(journal->db, "prepare", err);
    return 0;
}

int journal_open(const char *dir, struct journal **ret_journal, struct err *err) {
    CLEANUP(journal_closep) struct journal *journal = new_journal();
    TRY(take_lock(journal, dir, err));
    TRY(open_db(journal, dir, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err));
    TRY(run_sql(journal->db, "PRAGMA journal_mode=WAL", err));
    TRY(run_sql(journal->db, "PRAGMA synchronous=FULL", err));
    TRY(make_table(journal, err));
    *ret_journal = take(journal);
    return 0;
}

int journal_open_memory(struct journal **ret_journal, struct err *err) {
    CLEANUP(journal_closep) struct journal *journal = new_journal();
    if (sqlite3_open_v2(":memory:", &journal->db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        return db_error(journal->db, "memory", err);
    TRY(make_table(journal, err));
    *ret_journal = take(journal);
    return 0;
}

int journal_open_read(const char *dir, struct journal **ret_journal, struct err *err) {
    CLEANUP(journal_closep) struct journal *journal = new_journal();
    CLEANUP(buf_deinit) struct buf path = BUF_INIT(4096);
    buf_printf(&path, "%s/journal.db", dir);
    if (access(buf_text(&path), R_OK) < 0)
        return err_set_errno(err, ERR_NOT_FOUND, errno, "%s", buf_text(&path));
    TRY(open_db(journal, dir, SQLITE_OPEN_READWRITE, err));
    TRY(count_records(journal, err));
    *ret_journal = take(journal);
    return 0;
}

static int insert_all(struct journal *journal, const struct str *records, size_t count,
                      struct err *err) {
    TRY(run_sql(journal->db, "BEGIN IMMEDIATE", err));
    for (size_t i = 0; i < count; i++) {
        sqlite3_reset(journal->insert);
        if (sqlite3_bind_blob64(journal->insert, 1, records[i].len ? records[i].ptr : "",
                                records[i].len, SQLITE_STATIC) != SQLITE_OK ||
            sqlite3_step(journal->insert) != SQLITE_DONE)
            return db_error(journal->db, "insert", err);
    }
    sqlite3_reset(journal->insert);
    return run_sql(journal->db, "COMMIT", err);
}

int journal_append(struct journal *journal, const struct str *records, size_t count,
                   struct err *err) {
    must(journal->insert != NULL);
    if (journal->broken)
        return err_set(err, ERR_IO, "journal: an earlier write failed");
    for (size_t i = 0; i < count; i++)
        if (records[i].len > JOURNAL_RECORD_BYTES_MAX)
            return err_set(err, ERR_LIMIT, "journal: record of %zu bytes", records[i].len);
    int result = insert_all(journal, records, count, err);
    if (result < 0) {
        journal->broken = true;
        ignore(sqlite3_exec(journal->db, "ROLLBACK", NULL, NULL, NULL)); /* may have rolled back */
        return result;
    }
    journal->count += count;
    return 0;
}

int journal_each(struct journal *journal, journal_fn *fn, void *user, struct err *err) {
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(journal->db, "SELECT bytes FROM record ORDER BY seq", -1, &stmt, NULL) !=
        SQLITE_OK)
        return db_error(journal->db, "read", err);
    int result = 0, step = SQLITE_DONE;
    while (result == 0 && (step = sqlite3_step(stmt)) == SQLITE_ROW) {
        const char *bytes = sqlite3_column_blob(stmt, 0);
        struct str record = {bytes, (size_t)sqlite3_column_bytes(stmt, 0)};
        result = fn(record, user, err);
    }
    if (result == 0 && step != SQLITE_DONE)
        result = db_error(journal->db, "read", err);
    sqlite3_finalize(stmt);
    return result;
}

uint64_t journal_count(const struct journal *journal) {
    return journal->count;
}
