#include "cloud/cloud.h"

#include "base/units.h"

void cloud_options_init(struct cloud_options *o) {
    must(o);
    *o = (struct cloud_options){
        .seed = 1,
        .start_unix_ms = INT64_C(1767225600000), /* 2026-01-01T00:00:00Z */
        .region = "us-east-1",
        .account = "123456789012",
        .zones = 3,
        .vpc_ip = (172U << 24) | (31U << 16),
        .vpc_prefix = 16,
        .subnet_prefix = 20,
        .forget_ns = UINT64_C(3600) * NS_PER_S,
        .slow_factor = 10,
        .interrupt_notice_ns = 120 * NS_PER_S,
        .spot_vcpus_max = 1000000,
        .on_demand_vcpus_max = 1000000,
        .fleets_max = 1000,
        .throttle = true,
    };
}

static struct cloud_range options_seconds(uint64_t min_ms, uint64_t max_ms, uint32_t speed) {
    return (struct cloud_range){min_ms * NS_PER_MS / speed, max_ms * NS_PER_MS / speed};
}

void cloud_options_realistic(struct cloud_options *o, uint32_t speed) {
    must(o && speed >= 1);
    o->api_ns = options_seconds(300, 1500, speed);
    o->pending_ns = options_seconds(5000, 18000, speed);
    o->boot_ns = options_seconds(5000, 20000, speed);
    o->stopping_ns = options_seconds(10000, 40000, speed);
    o->visible_ns = options_seconds(0, 3000, speed);
}

/* Letters of type and zone names, and the two wildcards. */
static bool options_is_pattern(struct str s) {
    for (size_t n = 0; n < s.len; n++) {
        char ch = s.ptr[n];
        bool plain = (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '.' ||
                     ch == '-' || ch == '*' || ch == '?';
        if (!plain)
            return false;
    }
    return s.len > 0;
}

int cloud_options_capacity(struct cloud_options *o, struct str text, struct err *err) {
    must(o);
    struct cloud_capacity_rule rule = {.spot = true, .on_demand = true};
    struct str rest = str_trim(text);
    if (str_starts_with(rest, STR("spot:"))) {
        rule.on_demand = false;
        rest = str_skip(rest, 5);
    } else if (str_starts_with(rest, STR("on-demand:"))) {
        rule.spot = false;
        rest = str_skip(rest, 10);
    }
    size_t equals = str_index_of(rest, '=');
    struct str pool = str_slice(rest, 0, equals);
    size_t at = str_index_of(pool, '@');
    struct str type = str_slice(pool, 0, at);
    struct str zone = at < pool.len ? str_skip(pool, at + 1) : STR("*");
    if (equals == rest.len || !options_is_pattern(type) || !options_is_pattern(zone))
        return err_set(err, ERR_PARSE, "capacity '%.*s' is not TYPE[@ZONE]=N", STR_ARG(text));
    uint64_t count = 0;
    if (units_u64(str_skip(rest, equals + 1), &count, err) < 0)
        return err_wrap(err, "capacity '%.*s'", STR_ARG(text));
    if (count > NODES_MAX * 10)
        return err_set(err, ERR_LIMIT, "capacity '%.*s' is too large", STR_ARG(text));
    if (!str_copy(rule.type, sizeof rule.type, type) ||
        !str_copy(rule.zone, sizeof rule.zone, zone))
        return err_set(err, ERR_LIMIT, "capacity '%.*s': name too long", STR_ARG(text));
    if (o->capacity_count == CLOUD_CAPACITY_RULES_MAX)
        return err_set(err, ERR_LIMIT, "more than %d capacity rules", CLOUD_CAPACITY_RULES_MAX);
    rule.count = (uint32_t)count;
    o->capacity[o->capacity_count++] = rule;
    return 0;
}

static int options_check_share(const char *name, uint32_t ppm, struct err *err) {
    if (ppm > MICRO)
        return err_set(err, ERR_CONFIG, "cloud: %s is more than 100%%", name);
    return 0;
}

static int options_check_range(const char *name, struct cloud_range range, struct err *err) {
    if (range.min > range.max)
        return err_set(err, ERR_CONFIG, "cloud: %s: the minimum is above the maximum", name);
    return 0;
}

static int options_check_network(const struct cloud_options *o, struct err *err) {
    if (o->vpc_prefix < 8 || o->vpc_prefix > 28)
        return err_set(err, ERR_CONFIG, "cloud: network prefix must be 8..28");
    if (o->subnet_prefix < o->vpc_prefix || o->subnet_prefix > 28)
        return err_set(err, ERR_CONFIG, "cloud: subnet prefix must be %u..28", o->vpc_prefix);
    if (o->zones > (1U << (o->subnet_prefix - o->vpc_prefix)))
        return err_set(err, ERR_CONFIG, "cloud: the network has no room for %u subnets", o->zones);
    if (o->vpc_ip & ((1U << (32 - o->vpc_prefix)) - 1))
        return err_set(err, ERR_CONFIG, "cloud: the network has bits beyond its prefix");
    return 0;
}

int cloud_options_check(const struct cloud_options *o, struct err *err) {
    must(o);
    const struct catalog_region *region = catalog_region_find(str_from(o->region));
    if (!region)
        return err_set(err, ERR_CONFIG, "cloud: unknown region '%s'", o->region);
    if (o->zones < 1 || o->zones > CLOUD_ZONES_MAX || o->zones > strlen(region->zone_letters))
        return err_set(err, ERR_CONFIG, "cloud: region %s has 1..%zu zones", o->region,
                       strlen(region->zone_letters));
    if (strlen(o->account) != 12)
        return err_set(err, ERR_CONFIG, "cloud: an account has twelve digits");
    TRY(options_check_network(o, err));
    TRY(options_check_share("the share of duds", o->dud_ppm, err));
    TRY(options_check_share("the share of slow instances", o->slow_ppm, err));
    TRY(options_check_share("the share of failing instances", o->fail_ppm, err));
    TRY(options_check_share("the share of interruptions", o->interrupt_ppm, err));
    TRY(options_check_share("the share without notice", o->no_notice_ppm, err));
    TRY(options_check_share("the share of stale replies", o->stale_ppm, err));
    TRY(options_check_share("the spot price", o->spot_ppm_max, err));
    TRY(options_check_range("api", o->api_ns, err));
    TRY(options_check_range("pending", o->pending_ns, err));
    TRY(options_check_range("boot", o->boot_ns, err));
    TRY(options_check_range("stopping", o->stopping_ns, err));
    TRY(options_check_range("visible", o->visible_ns, err));
    TRY(options_check_range("interrupt after", o->interrupt_after_ns, err));
    TRY(options_check_range("pool capacity", o->pool_capacity, err));
    if (o->slow_factor < 1)
        return err_set(err, ERR_CONFIG, "cloud: the slow factor must be 1 or more");
    if (o->spot_ppm_min > o->spot_ppm_max)
        return err_set(err, ERR_CONFIG, "cloud: spot price: the minimum is above the maximum");
    if (o->capacity_count > CLOUD_CAPACITY_RULES_MAX || o->faults.count > FAULT_RULES_MAX)
        return err_set(err, ERR_CONFIG, "cloud: too many rules");
    return 0;
}
