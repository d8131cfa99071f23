/* journal.h - the record of what a run is about to do and has done, on disk before it happens.
 *
 * One SQLite database per run, WAL, synchronous=FULL: when journal_append returns 0 the record
 * survives a crash of the process and of the machine.  Records are opaque bytes (core/run_journal
 * frames and checks them) and come back in the order they went in.
 *
 * One process writes at a time: journal_open takes an exclusive lock beside the database and keeps
 * it (ERR_REFUSED when another head holds it).  journal_open_read takes none.
 */
#ifndef JOURNAL_H
#define JOURNAL_H

#include "base/base.h"
#include "base/err.h"
#include "base/str.h"

#define JOURNAL_RECORD_BYTES_MAX (1 * 1024 * 1024)

struct journal;

/* Open or create `<dir>/journal.db`.  Errors: ERR_IO, ERR_REFUSED (another head has it). */
NODISCARD int journal_open(const char *dir, struct journal **ret_journal, struct err *err);
/* Open an existing journal for reading.  Errors: ERR_NOT_FOUND, ERR_IO. */
NODISCARD int journal_open_read(const char *dir, struct journal **ret_journal, struct err *err);
/* A journal that ends with the process, for self-tests.  Errors: ERR_IO. */
NODISCARD int journal_open_memory(struct journal **ret_journal, struct err *err);
void journal_close(struct journal *own_journal); /* NULL is fine */
DEFINE_FREEP(struct journal, journal_close)

/* Append `count` records in one transaction and sync.  Errors: ERR_IO, ERR_LIMIT; after an error
 * nothing of this call is in the journal, and the journal refuses further appends. */
NODISCARD int journal_append(struct journal *journal, const struct str *records, size_t count,
                             struct err *err);

/* Call `fn` for each record in order; the view lives for the call.  `fn` returns 0 or a negative
 * error that ends the walk.  Errors: ERR_IO and those of `fn`. */
typedef int journal_fn(struct str record, void *user, struct err *err);
NODISCARD int journal_each(struct journal *journal, journal_fn *fn, void *user, struct err *err);

/* Records in the journal. */
uint64_t journal_count(const struct journal *journal);

#endif
