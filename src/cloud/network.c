/* The default network: one VPC, a subnet per zone, addresses.  Groups are in groups.c. */
#include "cloud/state.h"

struct str ip_text(struct arena *arena, uint32_t ip) {
    return str_from(
        arena_printf(arena, "%u.%u.%u.%u", ip >> 24, (ip >> 16) & 255, (ip >> 8) & 255, ip & 255));
}

static struct str network_cidr(struct arena *arena, uint32_t ip, unsigned prefix) {
    struct str base = ip_text(arena, ip);
    return str_from(arena_printf(arena, "%.*s/%u", STR_ARG(base), prefix));
}

int zone_find(const struct cloud *c, struct str name) {
    for (unsigned n = 0; n < c->options.zones; n++)
        if (str_equal(name, str_from(c->zones[n].name)))
            return (int)n;
    return -1;
}

int zone_find_id(const struct cloud *c, struct str id) {
    for (unsigned n = 0; n < c->options.zones; n++)
        if (str_equal(id, str_from(c->zones[n].id)))
            return (int)n;
    return -1;
}

int zone_find_subnet(const struct cloud *c, struct str subnet_id) {
    for (unsigned n = 0; n < c->options.zones; n++)
        if (str_equal(subnet_id, str_from(c->zones[n].subnet_id)))
            return (int)n;
    return -1;
}

const char *cloud_zone_name(const struct cloud *c, unsigned zone) {
    must(c && zone < c->options.zones);
    return c->zones[zone].name;
}

const char *cloud_zone_id(const struct cloud *c, unsigned zone) {
    must(c && zone < c->options.zones);
    return c->zones[zone].id;
}

/* EC2 keeps five addresses of every subnet for itself. */
static uint32_t zone_addresses(const struct cloud *c) {
    return (1U << (32 - c->options.subnet_prefix)) - 5;
}

uint32_t zone_free_addresses(const struct cloud *c, unsigned zone) {
    must(zone < c->options.zones);
    must(c->zones[zone].used <= zone_addresses(c));
    return zone_addresses(c) - c->zones[zone].used;
}

static bool zone_address_is_used(const struct cloud *c, uint32_t ip) {
    return cloud_instance_by_ip(c, ip) != NULL;
}

/* Addresses are given in turn, so that one is not used again soon after its last owner. */
uint32_t zone_take_address(struct cloud *c, unsigned zone) {
    must(zone_free_addresses(c, zone) > 0);
    struct zone *z = &c->zones[zone];
    uint32_t last = (1U << (32 - c->options.subnet_prefix)) - 2;
    bool wrapped = z->wrapped;
    do {
        z->cursor++;
        if (z->cursor > last) {
            z->cursor = 4;
            z->wrapped = wrapped = true;
        }
    } while (wrapped && zone_address_is_used(c, z->ip + z->cursor));
    z->used++;
    return z->ip + z->cursor;
}

/* ---- calls ---------------------------------------------------------------------------------- */

static bool vpc_filter_get(struct ctx *x, const void *object, struct str name, struct values *ret) {
    const struct cloud *c = x->c;
    (void)object;
    if (str_equal(name, STR("vpc-id")))
        values_add(ret, str_from(c->vpc_id));
    else if (str_equal(name, STR("is-default")) || str_equal(name, STR("isDefault")))
        values_add(ret, STR("true"));
    else if (str_equal(name, STR("state")))
        values_add(ret, STR("available"));
    else if (str_equal(name, STR("owner-id")))
        values_add(ret, cloud_account(c));
    else if (str_equal(name, STR("cidr")) ||
             str_equal(name, STR("cidr-block-association.cidr-block")))
        values_add(ret, network_cidr(x->arena, c->options.vpc_ip, c->options.vpc_prefix));
    else
        return filter_tags(x, &c->vpc_tags, name, ret);
    return true;
}

int network_vpcs(struct ctx *x) {
    const struct ec2_describe_vpcs_in *in = &x->in->describe_vpcs;
    const struct cloud *c = x->c;
    TRY(filter_check(x, &in->filters, vpc_filter_get));
    for (size_t n = 0; n < in->ids.count; n++)
        if (!str_equal(in->ids.items[n], str_from(c->vpc_id)))
            return ec2_fault_set(x->fault, "InvalidVpcID.NotFound",
                                 "The vpc ID '%.*s' does not exist", STR_ARG(in->ids.items[n]));
    if (!filter_match(x, &in->filters, vpc_filter_get, c))
        return 0;
    *LIST_ADD(x->arena, &x->out->describe_vpcs.vpcs) = (struct ec2_vpc){
        .id = str_from(c->vpc_id),
        .state = STR("available"),
        .cidr = network_cidr(x->arena, c->options.vpc_ip, c->options.vpc_prefix),
        .owner_id = cloud_account(c),
        .tenancy = STR("default"),
        .dhcp_options_id = STR("dopt-0a1b2c3d4e5f60718"),
        .is_default = true,
        .tags = tags_reply(x->arena, &c->vpc_tags, x->seen_ns),
    };
    return 0;
}

static bool subnet_filter_get(struct ctx *x, const void *object, struct str name,
                              struct values *ret) {
    const struct zone *z = object;
    const struct cloud *c = x->c;
    if (str_equal(name, STR("subnet-id")))
        values_add(ret, z ? str_from(z->subnet_id) : STR_EMPTY);
    else if (str_equal(name, STR("availability-zone")) || str_equal(name, STR("availabilityZone")))
        values_add(ret, z ? str_from(z->name) : STR_EMPTY);
    else if (str_equal(name, STR("availability-zone-id")))
        values_add(ret, z ? str_from(z->id) : STR_EMPTY);
    else if (str_equal(name, STR("vpc-id")))
        values_add(ret, str_from(c->vpc_id));
    else if (str_equal(name, STR("default-for-az")) || str_equal(name, STR("defaultForAz")))
        values_add(ret, STR("true"));
    else if (str_equal(name, STR("map-public-ip-on-launch")))
        values_add(ret, STR("true"));
    else if (str_equal(name, STR("state")))
        values_add(ret, STR("available"));
    else if (str_equal(name, STR("owner-id")))
        values_add(ret, cloud_account(c));
    else if (str_equal(name, STR("cidr-block")) || str_equal(name, STR("cidr")))
        values_add(ret, z ? network_cidr(x->arena, z->ip, c->options.subnet_prefix) : STR_EMPTY);
    else
        return filter_tags(x, z ? &z->subnet_tags : NULL, name, ret);
    return true;
}

static void subnet_fill(struct ctx *x, unsigned zone, struct ec2_subnet *ret) {
    const struct cloud *c = x->c;
    const struct zone *z = &c->zones[zone];
    *ret = (struct ec2_subnet){
        .id = str_from(z->subnet_id),
        .arn = str_from(arena_printf(x->arena, "arn:aws:ec2:%s:%s:subnet/%s", c->options.region,
                                     c->options.account, z->subnet_id)),
        .state = STR("available"),
        .vpc_id = str_from(c->vpc_id),
        .cidr = network_cidr(x->arena, z->ip, c->options.subnet_prefix),
        .zone = str_from(z->name),
        .zone_id = str_from(z->id),
        .owner_id = cloud_account(c),
        .free_addresses = EC2_INT(zone_free_addresses(c, zone)),
        .default_for_zone = true,
        .public_ip_on_launch = true,
        .tags = tags_reply(x->arena, &z->subnet_tags, x->seen_ns),
    };
}

int network_subnets(struct ctx *x) {
    const struct ec2_describe_subnets_in *in = &x->in->describe_subnets;
    struct ec2_describe_subnets_out *out = &x->out->describe_subnets;
    struct page page;
    TRY(filter_check(x, &in->filters, subnet_filter_get));
    TRY(page_open(x, in->max_results, 5, 1000, in->next_token, &page));
    for (size_t n = 0; n < in->ids.count; n++)
        if (zone_find_subnet(x->c, in->ids.items[n]) < 0)
            return ec2_fault_set(x->fault, "InvalidSubnetID.NotFound",
                                 "The subnet ID '%.*s' does not exist", STR_ARG(in->ids.items[n]));
    for (unsigned n = (unsigned)page.start; n < x->c->options.zones; n++) {
        const struct zone *z = &x->c->zones[n];
        if ((in->ids.count && !str_in(str_from(z->subnet_id), &in->ids)) ||
            !filter_match(x, &in->filters, subnet_filter_get, z))
            continue;
        if (out->subnets.count == page.limit) {
            out->next_token = page_token(x, n);
            break;
        }
        subnet_fill(x, n, LIST_ADD(x->arena, &out->subnets));
    }
    return 0;
}
