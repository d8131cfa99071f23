#include "core/hist.h"

#define LINEAR_US 2048 /* below this, one bucket per microsecond */
#define VARINT_BYTES_MAX 10

__extension__ typedef unsigned __int128 wide;

_Static_assert(HIST_VALUE_US_MAX >> 21 < 2048 && HIST_VALUE_US_MAX >> 21 >= 1024,
               "one hour lies in the last page");

void hist_init(struct hist *h) {
    *h = (struct hist){0};
}

void hist_deinit(struct hist *h) {
    for (size_t i = 0; i < HIST_PAGES; i++)
        mem_free(h->pages[i]);
    *h = (struct hist){0};
}

void hist_reset(struct hist *h) {
    if (h->count > 0) {
        for (size_t i = 0; i < HIST_PAGES; i++)
            if (h->pages[i])
                memset(h->pages[i], 0, HIST_PAGE_BUCKETS * sizeof *h->pages[i]);
    }
    h->count = h->min_ns = h->max_ns = h->sum_ns = h->over = 0;
}

static uint64_t *page_get(struct hist *h, uint32_t page) {
    if (!h->pages[page])
        h->pages[page] = mem_new_array(HIST_PAGE_BUCKETS, sizeof *h->pages[page]);
    return h->pages[page];
}

static uint32_t index_of_us(uint64_t us) {
    if (us < LINEAR_US)
        return (uint32_t)us;
    if (us > HIST_VALUE_US_MAX)
        us = HIST_VALUE_US_MAX;
    uint32_t shift = 53u - (uint32_t)__builtin_clzll(us);
    return shift * HIST_PAGE_BUCKETS + (uint32_t)(us >> shift);
}

uint32_t hist_index_of(uint64_t value_ns) {
    return index_of_us(value_ns / NS_PER_US);
}

uint64_t hist_low_us(uint32_t index) {
    must(index < HIST_BUCKETS);
    if (index < LINEAR_US)
        return index;
    uint32_t shift = index / HIST_PAGE_BUCKETS - 1;
    return (uint64_t)(index % HIST_PAGE_BUCKETS + HIST_PAGE_BUCKETS) << shift;
}

uint64_t hist_width_us(uint32_t index) {
    must(index < HIST_BUCKETS);
    return index < LINEAR_US ? 1 : UINT64_C(1) << (index / HIST_PAGE_BUCKETS - 1);
}

static uint64_t sum_saturated(uint64_t sum, wide more) {
    wide total = sum + more;
    return total > UINT64_MAX ? UINT64_MAX : (uint64_t)total;
}

static void add_totals(struct hist *h, uint64_t count, uint64_t min_ns, uint64_t max_ns) {
    must(min_ns <= max_ns);
    if (h->count == 0 || min_ns < h->min_ns)
        h->min_ns = min_ns;
    if (h->count == 0 || max_ns > h->max_ns)
        h->max_ns = max_ns;
    must(h->count + count > h->count);
    h->count += count;
}

void hist_record_n(struct hist *h, uint64_t value_ns, uint64_t count) {
    if (count == 0)
        return;
    uint32_t index = hist_index_of(value_ns);
    page_get(h, index / HIST_PAGE_BUCKETS)[index % HIST_PAGE_BUCKETS] += count;
    add_totals(h, count, value_ns, value_ns);
    h->sum_ns = sum_saturated(h->sum_ns, (wide)value_ns * count);
    if (value_ns > HIST_VALUE_NS_MAX)
        h->over += count;
}

void hist_record(struct hist *h, uint64_t value_ns) {
    hist_record_n(h, value_ns, 1);
}

void hist_merge(struct hist *into, const struct hist *from) {
    must(into != from);
    if (from->count == 0)
        return;
    for (uint32_t i = 0; i < HIST_PAGES; i++) {
        if (!from->pages[i])
            continue;
        uint64_t *page = page_get(into, i);
        for (size_t k = 0; k < HIST_PAGE_BUCKETS; k++)
            page[k] += from->pages[i][k];
    }
    add_totals(into, from->count, from->min_ns, from->max_ns);
    into->sum_ns = sum_saturated(into->sum_ns, from->sum_ns);
    into->over += from->over;
}

bool hist_next(const struct hist *h, uint32_t *cursor, struct hist_bucket *ret_bucket) {
    uint32_t index = *cursor;
    while (index < HIST_BUCKETS) {
        const uint64_t *page = h->pages[index / HIST_PAGE_BUCKETS];
        if (!page) {
            index = (index / HIST_PAGE_BUCKETS + 1) * HIST_PAGE_BUCKETS;
            continue;
        }
        uint64_t count = page[index % HIST_PAGE_BUCKETS];
        if (count > 0) {
            *ret_bucket =
                (struct hist_bucket){index, hist_low_us(index), hist_width_us(index), count};
            *cursor = index + 1;
            return true;
        }
        index++;
    }
    *cursor = index;
    return false;
}

static uint64_t high_ns(const struct hist_bucket *bucket) {
    return (bucket->low_us + bucket->width_us) * NS_PER_US - 1;
}

uint64_t hist_percentile_ns(const struct hist *h, uint32_t ppm) {
    must(ppm <= 1000000);
    if (h->count == 0)
        return 0;
    uint64_t rank = (uint64_t)(((wide)h->count * ppm + 999999) / 1000000);
    if (rank >= h->count)
        return h->max_ns;
    rank = MAX(rank, 1);
    uint64_t seen = 0;
    uint32_t cursor = 0;
    struct hist_bucket bucket;
    while (hist_next(h, &cursor, &bucket)) {
        seen += bucket.count;
        if (seen >= rank)
            return MAX(h->min_ns, MIN(h->max_ns, high_ns(&bucket)));
    }
    must(seen == h->count); /* cannot be: the rank is below the count */
    return h->max_ns;
}

uint64_t hist_mean_ns(const struct hist *h) {
    return h->count == 0 ? 0 : h->sum_ns / h->count;
}

uint64_t hist_count_to(const struct hist *h, uint64_t value_ns) {
    uint32_t last = hist_index_of(value_ns);
    uint64_t seen = 0;
    uint32_t cursor = 0;
    struct hist_bucket bucket;
    while (hist_next(h, &cursor, &bucket) && bucket.index <= last)
        seen += bucket.count;
    return seen;
}

/* ---- encoded form ---- */

static void varint_add(struct buf *into, uint64_t value) {
    do {
        uint8_t byte = (uint8_t)(value & 0x7f);
        value >>= 7;
        buf_add_byte(into, (char)(value ? byte | 0x80 : byte));
    } while (value);
}

void hist_encode(const struct hist *h, struct buf *into) {
    buf_add_byte(into, HIST_FORMAT);
    varint_add(into, h->count);
    if (h->count == 0)
        return;
    varint_add(into, h->min_ns);
    varint_add(into, h->max_ns);
    varint_add(into, h->sum_ns);
    varint_add(into, h->over);
    uint32_t cursor = 0, previous = 0;
    struct hist_bucket bucket;
    while (hist_next(h, &cursor, &bucket)) {
        varint_add(into, bucket.index - previous);
        varint_add(into, bucket.count);
        previous = bucket.index;
    }
}

static int varint_take(struct str *bytes, uint64_t *ret, struct err *err) {
    uint64_t value = 0;
    for (unsigned i = 0; i < VARINT_BYTES_MAX; i++) {
        if (bytes->len == 0)
            return err_set(err, ERR_PARSE, "histogram: cut short");
        uint8_t byte = (uint8_t)bytes->ptr[0];
        *bytes = str_skip(*bytes, 1);
        if (i == VARINT_BYTES_MAX - 1 && byte > 1)
            return err_set(err, ERR_PARSE, "histogram: number of more than 64 bits");
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte & 0x80)
            continue;
        if (i > 0 && byte == 0)
            return err_set(err, ERR_PARSE, "histogram: number not in its shortest form");
        *ret = value;
        return 0;
    }
    return err_set(err, ERR_PARSE, "histogram: number of more than 64 bits");
}

struct encoded_head {
    uint64_t count, min_ns, max_ns, sum_ns, over;
};

static int decode_head(struct str *bytes, struct encoded_head *head, struct err *err) {
    if (bytes->len == 0 || bytes->ptr[0] != HIST_FORMAT)
        return err_set(err, ERR_PARSE, "histogram: unknown format");
    *bytes = str_skip(*bytes, 1);
    *head = (struct encoded_head){0};
    TRY(varint_take(bytes, &head->count, err));
    if (head->count == 0)
        return 0;
    TRY(varint_take(bytes, &head->min_ns, err));
    TRY(varint_take(bytes, &head->max_ns, err));
    TRY(varint_take(bytes, &head->sum_ns, err));
    TRY(varint_take(bytes, &head->over, err));
    if (head->min_ns > head->max_ns)
        return err_set(err, ERR_PARSE, "histogram: minimum above maximum");
    if ((head->max_ns > HIST_VALUE_NS_MAX) != (head->over > 0))
        return err_set(err, ERR_PARSE, "histogram: values above one hour do not match the maximum");
    wide others = head->count - 1;
    wide low = head->max_ns + others * head->min_ns;
    wide high = head->min_ns + others * head->max_ns;
    bool saturated = head->sum_ns == UINT64_MAX && high >= UINT64_MAX;
    if (!saturated && (head->sum_ns < low || head->sum_ns > high))
        return err_set(err, ERR_PARSE, "histogram: sum outside what its values allow");
    if (head->count == 1 && head->min_ns != head->max_ns)
        return err_set(err, ERR_PARSE, "histogram: one value with two bounds");
    return 0;
}

struct encoded_bucket {
    uint64_t index, count;
};

/* The bucket after `previous` (NULL: the first one). */
static int decode_bucket(struct str *bytes, const struct encoded_bucket *previous,
                         struct encoded_bucket *ret, struct err *err) {
    uint64_t gap = 0, count = 0;
    TRY(varint_take(bytes, &gap, err));
    TRY(varint_take(bytes, &count, err));
    if (previous && gap == 0)
        return err_set(err, ERR_PARSE, "histogram: a bucket twice");
    if (gap >= HIST_BUCKETS || (previous && previous->index + gap >= HIST_BUCKETS))
        return err_set(err, ERR_PARSE, "histogram: bucket out of range");
    if (count == 0)
        return err_set(err, ERR_PARSE, "histogram: empty bucket");
    *ret = (struct encoded_bucket){(previous ? previous->index : 0) + gap, count};
    return 0;
}

static int decode_check_buckets(struct str bytes, const struct encoded_head *head,
                                struct err *err) {
    struct encoded_bucket bucket = {0, 0};
    uint64_t seen = 0;
    while (seen < head->count) {
        TRY(decode_bucket(&bytes, seen ? &bucket : NULL, &bucket, err));
        if (seen == 0 && bucket.index != hist_index_of(head->min_ns))
            return err_set(err, ERR_PARSE, "histogram: minimum outside the first bucket");
        if (bucket.count > head->count - seen)
            return err_set(err, ERR_PARSE, "histogram: buckets above the count");
        seen += bucket.count;
    }
    if (bytes.len > 0)
        return err_set(err, ERR_PARSE, "histogram: bytes after the end");
    if (head->count > 0 && bucket.index != hist_index_of(head->max_ns))
        return err_set(err, ERR_PARSE, "histogram: maximum outside the last bucket");
    if (head->over > bucket.count)
        return err_set(err, ERR_PARSE, "histogram: too many values above one hour");
    return 0;
}

int hist_decode_add(struct str bytes, struct hist *into, struct err *err) {
    struct encoded_head head;
    TRY(decode_head(&bytes, &head, err));
    TRY(decode_check_buckets(bytes, &head, err));
    if (head.count > UINT64_MAX - into->count)
        return err_set(err, ERR_LIMIT, "histogram: count overflows");
    if (head.count == 0)
        return 0;
    struct encoded_bucket bucket = {0, 0};
    for (uint64_t seen = 0; seen < head.count; seen += bucket.count) {
        TRY(decode_bucket(&bytes, seen ? &bucket : NULL, &bucket, err));
        uint32_t index = (uint32_t)bucket.index;
        page_get(into, index / HIST_PAGE_BUCKETS)[index % HIST_PAGE_BUCKETS] += bucket.count;
    }
    add_totals(into, head.count, head.min_ns, head.max_ns);
    into->sum_ns = sum_saturated(into->sum_ns, head.sum_ns);
    into->over += head.over;
    return 0;
}
