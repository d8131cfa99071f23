/* run_record.c - see run_record.h */
#include "core/run_record.h"

#define HEAD_BYTES 8    /* length and checksum */
#define PREFIX_BYTES 18 /* head, version, kind, sequence */

enum field { FIELD_ID = 1, FIELD_INTENT = 2, FIELD_ROLE = 4, FIELD_COUNT = 8, FIELD_LAUNCH = 16 };

/* Which fields each kind carries, in the order of struct run_record. */
static const unsigned record_fields[RUN_RECORD_KIND_END] = {
    [RUN_RECORD_BEGIN] = FIELD_ID | FIELD_COUNT,
    [RUN_RECORD_RESOURCES] = 0,
    [RUN_RECORD_INTENT] = FIELD_INTENT | FIELD_ROLE | FIELD_COUNT | FIELD_LAUNCH,
    [RUN_RECORD_OUTCOME] = FIELD_INTENT | FIELD_COUNT,
    [RUN_RECORD_NODE] = FIELD_ID | FIELD_INTENT | FIELD_ROLE,
    [RUN_RECORD_GONE] = FIELD_ID,
    [RUN_RECORD_STAGE] = FIELD_COUNT,
    [RUN_RECORD_CLEAN] = 0,
};

_Static_assert(PREFIX_BYTES + RUN_ID_BYTES + 3 * 4 + 1 + 8 <= RUN_RECORD_BYTES_MAX,
               "a record with every field fits");

uint32_t run_crc32c(const void *bytes, size_t size) {
    const uint8_t *p = bytes;
    uint32_t crc = UINT32_MAX;
    must(bytes || size == 0);
    for (size_t i = 0; i < size; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (UINT32_C(0x82F63B78) & (0u - (crc & 1)));
    }
    return ~crc;
}

static uint8_t *put(uint8_t *at, uint64_t value, size_t size) {
    for (size_t i = 0; i < size; i++)
        *at++ = (uint8_t)(value >> (8 * i));
    return at;
}

size_t run_record_encode(const struct run_record *r, uint8_t into[RUN_RECORD_BYTES_MAX]) {
    must(r->kind >= RUN_RECORD_BEGIN && r->kind < RUN_RECORD_KIND_END);
    unsigned fields = record_fields[r->kind];
    uint8_t *at = into + HEAD_BYTES;
    at = put(at, RUN_RECORD_VERSION, 1);
    at = put(at, r->kind, 1);
    at = put(at, r->sequence, 8);
    if (fields & FIELD_ID) {
        must(memchr(r->id, 0, RUN_ID_BYTES));
        size_t len = strlen(r->id);
        at = put(at, len, 1);
        memcpy(at, r->id, len);
        at += len;
    }
    if (fields & FIELD_INTENT)
        at = put(at, r->intent, 4);
    if (fields & FIELD_ROLE)
        at = put(at, r->role, 4);
    if (fields & FIELD_COUNT)
        at = put(at, r->count, 4);
    if (fields & FIELD_LAUNCH) {
        at = put(at, r->on_demand, 1);
        at = put(at, r->exclude, 8);
    }
    size_t size = (size_t)(at - into);
    must(size <= RUN_RECORD_BYTES_MAX);
    put(into, size, 4);
    put(into + 4, run_crc32c(into + HEAD_BYTES, size - HEAD_BYTES), 4);
    return size;
}

/* Reads from a payload whose checksum was right; `bad` stays set once a field does not fit. */
struct reader {
    const uint8_t *at, *end;
    bool bad;
};

static uint64_t get(struct reader *in, size_t size) {
    uint64_t value = 0;
    if (in->bad || (size_t)(in->end - in->at) < size) {
        in->bad = true;
        return 0;
    }
    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)in->at[i] << (8 * i);
    in->at += size;
    return value;
}

static void get_id(struct reader *in, char id[RUN_ID_BYTES]) {
    size_t len = (size_t)get(in, 1);
    if (in->bad || len >= RUN_ID_BYTES || (size_t)(in->end - in->at) < len ||
        memchr(in->at, 0, len)) {
        in->bad = true;
        return;
    }
    memcpy(id, in->at, len);
    id[len] = 0;
    in->at += len;
}

static void get_fields(struct reader *in, unsigned fields, struct run_record *r) {
    if (fields & FIELD_ID)
        get_id(in, r->id);
    if (fields & FIELD_INTENT)
        r->intent = (uint32_t)get(in, 4);
    if (fields & FIELD_ROLE)
        r->role = (uint32_t)get(in, 4);
    if (fields & FIELD_COUNT)
        r->count = (uint32_t)get(in, 4);
    if (fields & FIELD_LAUNCH) {
        uint64_t flag = get(in, 1);
        in->bad |= flag > 1;
        r->on_demand = flag == 1;
        r->exclude = get(in, 8);
    }
}

int run_record_decode(const uint8_t *bytes, size_t size, struct run_record *ret_record,
                      size_t *ret_used, struct err *err) {
    struct reader head = {.at = bytes, .end = bytes + size};
    uint64_t length = get(&head, 4);
    uint32_t crc = (uint32_t)get(&head, 4);
    if (head.bad)
        return err_set(err, ERR_LIMIT, "journal record is torn: %zu bytes", size);
    if (length < PREFIX_BYTES || length > RUN_RECORD_BYTES_MAX)
        return err_set(err, ERR_PARSE, "journal record of %zu bytes", (size_t)length);
    if (length > size)
        return err_set(err, ERR_LIMIT, "journal record is torn: %zu of %zu bytes", size,
                       (size_t)length);
    if (run_crc32c(bytes + HEAD_BYTES, (size_t)length - HEAD_BYTES) != crc)
        return err_set(err, ERR_PARSE, "journal record is damaged: wrong checksum");

    struct reader in = {.at = bytes + HEAD_BYTES, .end = bytes + length};
    struct run_record r = {0};
    unsigned version = (unsigned)get(&in, 1);
    unsigned kind = (unsigned)get(&in, 1);
    r.sequence = get(&in, 8);
    if (version != RUN_RECORD_VERSION)
        return err_set(err, ERR_PARSE, "journal record of version %u, this is %u", version,
                       RUN_RECORD_VERSION);
    if (kind < RUN_RECORD_BEGIN || kind >= RUN_RECORD_KIND_END)
        return err_set(err, ERR_PARSE, "journal record of unknown kind %u", kind);
    r.kind = (enum run_record_kind)kind;
    get_fields(&in, record_fields[kind], &r);
    if (in.bad || in.at != in.end)
        return err_set(err, ERR_PARSE, "journal record of kind %u has wrong fields", kind);
    *ret_record = r;
    *ret_used = (size_t)length;
    return 0;
}
