/* run_record.h - the journal's records: what must survive a dead head.
 *
 * Layout of an encoded record (little-endian):
 *
 *   offset size
 *     0     4   length of the whole record, 8 + payload
 *     4     4   CRC-32C (Castagnoli) of the payload
 *     8     1   format version (RUN_RECORD_VERSION)
 *     9     1   kind
 *    10     8   sequence: counts from 0 without gaps
 *    18     .   fields of the kind, in the order of struct run_record
 *
 * PURE.  Tests: test/unit/test_run_record.c, fuzz/fuzz_run_record.c
 */
#ifndef RUN_RECORD_H
#define RUN_RECORD_H

#include "base/base.h"
#include "base/err.h"
#include "base/limits.h"

#define RUN_RECORD_VERSION 1
#define RUN_RECORD_BYTES_MAX 128
#define RUN_ID_BYTES 24 /* run id with its NUL */

enum run_record_kind {
    RUN_RECORD_BEGIN = 1, /* id, count = roles */
    RUN_RECORD_RESOURCES, /* group and templates are about to be made */
    RUN_RECORD_INTENT,    /* intent, role, count, on_demand, exclude: its call is to be made */
    RUN_RECORD_OUTCOME,   /* intent, count = instances it brought: settled for ever */
    RUN_RECORD_NODE,      /* id = instance, intent, role */
    RUN_RECORD_GONE,      /* id = instance */
    RUN_RECORD_STAGE,     /* count = enum run_stage */
    RUN_RECORD_CLEAN,     /* nothing is left */
    RUN_RECORD_KIND_END
};

/* Fields that a kind does not use are zero. */
struct run_record {
    enum run_record_kind kind;
    uint64_t sequence;
    char id[RUN_ID_BYTES]; /* run id or instance id, NUL-terminated */
    uint32_t intent;
    uint32_t role;
    uint32_t count;
    bool on_demand;
    uint64_t exclude;
};

_Static_assert(RUN_ID_BYTES >= INSTANCE_ID_BYTES, "both kinds of id fit");

/* Encode into `into`; returns the size, at most RUN_RECORD_BYTES_MAX. */
size_t run_record_encode(const struct run_record *r, uint8_t into[RUN_RECORD_BYTES_MAX]);

/* Decode the record at the front of bytes[size]; *ret_used is its length.
 * Errors: ERR_LIMIT the bytes end inside the record (a torn tail); ERR_PARSE anything else
 * (length, checksum, version, kind, field out of range, text without end). */
NODISCARD int run_record_decode(const uint8_t *bytes, size_t size, struct run_record *ret_record,
                                size_t *ret_used, struct err *err);

/* CRC-32C as in RFC 3720. */
uint32_t run_crc32c(const void *bytes, size_t size);

#endif
