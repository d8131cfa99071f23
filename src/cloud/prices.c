/* Spot prices without state: the price of a pool in the k-th slot of six hours is its mean times
 * noise that is a pure function of (seed, pool, k).  So any instant of the past can be asked, in
 * any order, and the same answer comes back. */
#include "cloud/state.h"

#define SLOT_MS INT64_C(21600000)
#define HISTORY_MS (INT64_C(90) * 86400 * 1000) /* EC2 keeps 90 days */
#define PRICE_STEP 100                          /* spot prices have four decimals */
#define SAME_SLOTS_MAX 64                       /* how far back an unchanged price is followed */

static uint64_t price_mix(uint64_t a, uint64_t b) {
    uint64_t z = a + UINT64_C(0x9e3779b97f4a7c15) * (b + 1);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint64_t price_pool(const struct cloud *c, const struct catalog_type *type, unsigned zone) {
    uint64_t pool = price_mix(c->options.seed, str_hash(str_from(type->name)));
    return price_mix(pool, str_hash(str_from(c->zones[zone].name)));
}

/* Smooth noise in -1,000,000..1,000,000 with the given period in slots. */
static int64_t price_noise(uint64_t pool, int64_t slot, int64_t period) {
    int64_t step = slot / period;
    int64_t part = slot % period;
    uint64_t salt = pool + (uint64_t)period;
    int64_t left = (int64_t)(price_mix(salt, (uint64_t)step) % 2000001) - 1000000;
    int64_t right = (int64_t)(price_mix(salt, (uint64_t)step + 1) % 2000001) - 1000000;
    return (left * (period - part) + right * part) / period;
}

static uint64_t price_of_slot(const struct cloud *c, const struct catalog_type *type, unsigned zone,
                              int64_t slot) {
    uint64_t pool = price_pool(c, type, zone);
    int64_t share_ppm = 0;
    if (c->options.spot_ppm_max > 0) {
        int64_t width = (int64_t)c->options.spot_ppm_max - (int64_t)c->options.spot_ppm_min;
        share_ppm = (int64_t)c->options.spot_ppm_min +
                    width * (price_noise(pool, slot, 8) + 1000000) / 2000000;
    } else {
        int64_t mean_ppm = (100 - (int64_t)type->spot_saving_percent) * 10000;
        int64_t zone_ppm = 900000 + (int64_t)(price_mix(pool, 7) % 200001);
        int64_t noise_ppm = 1000000 + price_noise(pool, slot, 32) / 5 +
                            price_noise(pool, slot, 8) / 12 + price_noise(pool, slot, 1) / 33;
        share_ppm = mean_ppm * zone_ppm / 1000000 * noise_ppm / 1000000;
        share_ppm = MAX(share_ppm, 50000);
        share_ppm = MIN(share_ppm, 980000);
    }
    uint64_t price = (uint64_t)type->on_demand_usd_micro * (uint64_t)share_ppm / 1000000;
    return MAX(price / PRICE_STEP, 1) * PRICE_STEP;
}

static int64_t price_slot_start(const struct cloud *c, const struct catalog_type *type,
                                unsigned zone, int64_t slot) {
    uint64_t pool = price_pool(c, type, zone);
    uint64_t offset_s = price_mix(pool, (uint64_t)slot) % (uint64_t)(SLOT_MS / 1000);
    return slot * SLOT_MS + (int64_t)offset_s * 1000;
}

static int64_t price_slot_at(const struct cloud *c, const struct catalog_type *type, unsigned zone,
                             int64_t unix_ms) {
    must(unix_ms >= 0);
    int64_t slot = unix_ms / SLOT_MS;
    return price_slot_start(c, type, zone, slot) > unix_ms ? slot - 1 : slot;
}

uint64_t price_spot(const struct cloud *c, const struct catalog_type *type, unsigned zone,
                    int64_t unix_ms) {
    must(type && zone < c->options.zones);
    return price_of_slot(c, type, zone, price_slot_at(c, type, zone, unix_ms));
}

int64_t price_changed(const struct cloud *c, const struct catalog_type *type, unsigned zone,
                      int64_t unix_ms) {
    must(type && zone < c->options.zones);
    int64_t slot = price_slot_at(c, type, zone, unix_ms);
    uint64_t price = price_of_slot(c, type, zone, slot);
    for (int i = 0; i < SAME_SLOTS_MAX && price_of_slot(c, type, zone, slot - 1) == price; i++)
        slot--;
    return price_slot_start(c, type, zone, slot);
}

/* ---- DescribeSpotPriceHistory --------------------------------------------------------------- */

struct price_entry {
    const struct catalog_type *type;
    unsigned zone;
    int64_t since_unix_ms;
};
EC2_LIST_OF(price_entries, struct price_entry);

static bool price_filter_get(struct ctx *x, const void *object, struct str name,
                             struct values *ret) {
    const struct price_entry *e = object;
    const struct cloud *c = x->c;
    if (str_equal(name, STR("availability-zone"))) {
        values_add(ret, e ? str_from(c->zones[e->zone].name) : STR_EMPTY);
    } else if (str_equal(name, STR("availability-zone-id"))) {
        values_add(ret, e ? str_from(c->zones[e->zone].id) : STR_EMPTY);
    } else if (str_equal(name, STR("instance-type"))) {
        values_add(ret, e ? str_from(e->type->name) : STR_EMPTY);
    } else if (str_equal(name, STR("product-description"))) {
        values_add(ret, STR("Linux/UNIX"));
        values_add(ret, STR("Linux/UNIX (Amazon VPC)"));
    } else {
        return str_equal(name, STR("spot-price")) || str_equal(name, STR("timestamp"));
    }
    return true;
}

static void price_collect(struct ctx *x, struct price_entry pool, int64_t start, int64_t end,
                          struct price_entries *entries) {
    int64_t at = price_changed(x->c, pool.type, pool.zone, end);
    for (;;) {
        pool.since_unix_ms = at;
        *LIST_ADD(x->arena, entries) = pool;
        if (at <= start)
            return;
        at = price_changed(x->c, pool.type, pool.zone, at - 1);
    }
}

/* Newest first; stable, so that pools keep their order.  Bottom-up merges. */
static void price_sort(struct arena *arena, struct price_entries *entries) {
    struct price_entry *from = entries->items;
    struct price_entry *to = arena_new_array(arena, entries->count + 1, sizeof *to);
    for (size_t width = 1; width < entries->count; width *= 2) {
        for (size_t low = 0; low < entries->count; low += 2 * width) {
            size_t middle = MIN(low + width, entries->count);
            size_t high = MIN(low + 2 * width, entries->count);
            size_t a = low;
            size_t b = middle;
            for (size_t k = low; k < high; k++) {
                bool left =
                    a < middle && (b >= high || from[a].since_unix_ms >= from[b].since_unix_ms);
                to[k] = left ? from[a++] : from[b++];
            }
        }
        struct price_entry *other = from;
        from = to;
        to = other;
    }
    entries->items = from;
}

static bool price_product_known(const struct ec2_strs *products) {
    return products->count == 0 || str_in(STR("Linux/UNIX"), products) ||
           str_in(STR("Linux/UNIX (Amazon VPC)"), products);
}

static void price_fill(struct ctx *x, const struct price_entry *e, bool vpc_name) {
    const struct cloud *c = x->c;
    *LIST_ADD(x->arena, &x->out->describe_spot_price_history.prices) = (struct ec2_spot_price){
        .zone = str_from(c->zones[e->zone].name),
        .zone_id = str_from(c->zones[e->zone].id),
        .instance_type = str_from(e->type->name),
        .product = vpc_name ? STR("Linux/UNIX (Amazon VPC)") : STR("Linux/UNIX"),
        .price_usd_micro = (int64_t)price_spot(c, e->type, e->zone, e->since_unix_ms),
        .since_unix_ms = e->since_unix_ms,
    };
}

int prices_history(struct ctx *x) {
    const struct ec2_describe_spot_price_history_in *in = &x->in->describe_spot_price_history;
    struct cloud *c = x->c;
    struct page page;
    TRY(filter_check(x, &in->filters, price_filter_get));
    TRY(page_open(x, in->max_results ? in->max_results : 1000, 1, 1000, in->next_token, &page));
    int64_t now = cloud_unix_ms(c, c->now_ns);
    int64_t end = in->end_unix_ms ? MIN(in->end_unix_ms, now) : now;
    int64_t start = in->start_unix_ms ? MIN(in->start_unix_ms, now) : now - HISTORY_MS;
    if (start > end)
        return ec2_fault_set(x->fault, "InvalidParameterValue",
                             "The start time must not be after the end time");
    start = MAX(start, now - HISTORY_MS);
    struct price_entries entries = {0};
    for (size_t i = 0; i < catalog_type_count && price_product_known(&in->products); i++) {
        const struct catalog_type *type = &catalog_types[i];
        if (in->instance_types.count && !str_in(str_from(type->name), &in->instance_types))
            continue;
        for (unsigned zone = 0; zone < c->options.zones; zone++) {
            struct price_entry pool = {.type = type, .zone = zone};
            if ((in->zone.ptr && !str_equal(in->zone, str_from(c->zones[zone].name))) ||
                (in->zone_id.ptr && !str_equal(in->zone_id, str_from(c->zones[zone].id))) ||
                !offers_has(c, type, zone) ||
                !filter_match(x, &in->filters, price_filter_get, &pool))
                continue;
            price_collect(x, pool, start, end, &entries);
        }
    }
    price_sort(x->arena, &entries);
    bool vpc_name = in->products.count && !str_in(STR("Linux/UNIX"), &in->products);
    size_t last = page.start;
    for (; last < entries.count && last - page.start < page.limit; last++)
        price_fill(x, &entries.items[last], vpc_name);
    if (last < entries.count)
        x->out->describe_spot_price_history.next_token = page_token(x, last);
    return 0;
}
