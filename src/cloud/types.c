/* DescribeInstanceTypes and DescribeInstanceTypeOfferings. */
#include "cloud/state.h"

bool offers_has(const struct cloud *c, const struct catalog_type *type, unsigned zone) {
    must(zone < c->options.zones);
    /* As in EC2, some of the large types are missing in some zones; never in the first one, so
     * that every type can be had somewhere. */
    if (zone == 0 || type->vcpus < 32)
        return true;
    uint64_t mix = str_hash(str_from(type->name)) ^ str_hash(str_from(c->zones[zone].name));
    mix = (mix ^ (mix >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    return (mix >> 40) % 6 != 0;
}

static struct str type_number(struct ctx *x, uint64_t number) {
    return str_from(arena_printf(x->arena, "%llu", (unsigned long long)number));
}

static bool type_filter_get(struct ctx *x, const void *object, struct str name,
                            struct values *ret) {
    const struct catalog_type *t = object;
    const struct {
        const char *name;
        struct str value;
    } known[] = {
        {"instance-type", t ? str_from(t->name) : STR_EMPTY},
        {"processor-info.supported-architecture",
         t ? str_from(catalog_arch_name(t->arch)) : STR_EMPTY},
        {"vcpu-info.default-vcpus", t ? type_number(x, t->vcpus) : STR_EMPTY},
        {"vcpu-info.default-cores", t ? type_number(x, t->cores) : STR_EMPTY},
        {"memory-info.size-in-mib", t ? type_number(x, t->memory_mib) : STR_EMPTY},
        {"current-generation", t && t->current_generation ? STR("true") : STR("false")},
        {"bare-metal", t && t->bare_metal ? STR("true") : STR("false")},
        {"burstable-performance-supported", t && t->burstable ? STR("true") : STR("false")},
        {"instance-storage-supported", t && t->storage_gb ? STR("true") : STR("false")},
        {"network-info.network-performance", t ? str_from(t->network) : STR_EMPTY},
        {"hypervisor", t && !t->bare_metal ? STR("nitro") : STR_EMPTY},
        {"supported-root-device-type", STR("ebs")},
        {"supported-virtualization-type", STR("hvm")},
        {"ebs-info.ebs-optimized-support", STR("default")},
    };
    for (size_t k = 0; k < ARRAY_LEN(known); k++) {
        if (str_equal(name, str_from(known[k].name))) {
            values_add(ret, known[k].value);
            return true;
        }
    }
    if (!str_equal(name, STR("supported-usage-class")))
        return false;
    values_add(ret, STR("on-demand"));
    values_add(ret, STR("spot"));
    return true;
}

static struct ec2_strs type_words(struct ctx *x, const char *one, const char *two) {
    struct ec2_strs list = {0};
    *LIST_ADD(x->arena, &list) = str_from(one);
    if (two)
        *LIST_ADD(x->arena, &list) = str_from(two);
    return list;
}

static const char *type_manufacturer(const struct catalog_type *t) {
    if (t->arch == CATALOG_ARM64)
        return "AWS";
    struct str family = str_slice(str_from(t->name), 0, str_index_of(str_from(t->name), '.'));
    return str_ends_with(family, STR("a")) ? "AMD" : "Intel";
}

static void type_fill_network(struct ctx *x, const struct catalog_type *t,
                              struct ec2_instance_type *ret) {
    ret->network.performance = str_from(t->network);
    ret->network.interfaces_max = t->vcpus >= 16 ? 8 : t->vcpus >= 4 ? 4 : 3;
    ret->network.cards_max = 1;
    ret->network.ipv4_per_interface = t->vcpus >= 4 ? 15 : 10;
    ret->network.ipv6_per_interface = ret->network.ipv4_per_interface;
    ret->network.ipv6_supported = true;
    ret->network.ena_support = STR("required");
    *LIST_ADD(x->arena, &ret->network.cards) = (struct ec2_network_card){
        .index = 0,
        .performance = str_from(t->network),
        .interfaces_max = ret->network.interfaces_max,
        .baseline_gbps_micro = (int64_t)t->network_mbps_base * 1000,
        .peak_gbps_micro = (int64_t)t->network_mbps_peak * 1000,
    };
}

static void type_fill(struct ctx *x, const struct catalog_type *t, struct ec2_instance_type *ret) {
    ret->name = str_from(t->name);
    ret->current_generation = t->current_generation;
    ret->free_tier = str_equal(ret->name, STR("t3.micro"));
    ret->bare_metal = t->bare_metal;
    ret->usage_classes = type_words(x, "on-demand", "spot");
    ret->root_device_types = type_words(x, "ebs", NULL);
    ret->virtualization_types = type_words(x, "hvm", NULL);
    ret->hypervisor = t->bare_metal ? STR_EMPTY : STR("nitro");
    ret->processor.architectures = type_words(x, catalog_arch_name(t->arch), NULL);
    ret->processor.clock_ghz_micro = (int64_t)t->clock_mhz * 1000;
    ret->processor.manufacturer = str_from(type_manufacturer(t));
    ret->vcpu.vcpus = t->vcpus;
    ret->vcpu.cores = t->cores;
    ret->vcpu.threads_per_core = t->cores ? t->vcpus / t->cores : 1;
    ret->memory.size_mib = t->memory_mib;
    ret->storage_supported = t->storage_gb > 0;
    ret->storage.total_gb = t->storage_gb;
    if (t->storage_gb > 0)
        *LIST_ADD(x->arena, &ret->storage.disks) =
            (struct ec2_storage_disk){.size_gb = t->storage_gb, .count = 1, .type = STR("ssd")};
    ret->ebs.optimized_support = STR("default");
    ret->ebs.encryption_support = STR("supported");
    ret->ebs.nvme_support = STR("required");
    type_fill_network(x, t, ret);
    ret->placement_groups.strategies = type_words(x, "partition", "spread");
    ret->burstable = t->burstable;
    ret->boot_modes = type_words(x, "uefi", t->arch == CATALOG_X86_64 ? "legacy-bios" : NULL);
}

int offers_types(struct ctx *x) {
    const struct ec2_describe_instance_types_in *in = &x->in->describe_instance_types;
    struct ec2_describe_instance_types_out *out = &x->out->describe_instance_types;
    struct page page;
    TRY(filter_check(x, &in->filters, type_filter_get));
    TRY(page_open(x, in->types.count ? in->max_results : MAX(in->max_results, 100), 5, 100,
                  in->next_token, &page));
    for (size_t n = 0; n < in->types.count; n++)
        if (!catalog_find(in->types.items[n]))
            return ec2_fault_set(x->fault, "InvalidInstanceType",
                                 "The following supplied instance types do not exist: [%.*s]",
                                 STR_ARG(in->types.items[n]));
    for (size_t n = page.start; n < catalog_type_count; n++) {
        const struct catalog_type *t = &catalog_types[n];
        if ((in->types.count && !str_in(str_from(t->name), &in->types)) ||
            !filter_match(x, &in->filters, type_filter_get, t))
            continue;
        if (out->types.count == page.limit) {
            out->next_token = page_token(x, n);
            break;
        }
        type_fill(x, t, LIST_ADD(x->arena, &out->types));
    }
    return 0;
}

/* ---- offerings ------------------------------------------------------------------------------ */

static bool offering_filter_get(struct ctx *x, const void *object, struct str name,
                                struct values *ret) {
    (void)x;
    const struct ec2_offering *o = object;
    if (str_equal(name, STR("instance-type")))
        values_add(ret, o ? o->instance_type : STR_EMPTY);
    else if (str_equal(name, STR("location")))
        values_add(ret, o ? o->location : STR_EMPTY);
    else
        return false;
    return true;
}

/* The n-th place of the kind asked for; false when this type is not there. */
static bool offering_place(struct ctx *x, const struct catalog_type *t, struct str kind,
                           unsigned zone, struct ec2_offering *ret) {
    const struct cloud *c = x->c;
    *ret = (struct ec2_offering){.instance_type = str_from(t->name), .location_type = kind};
    if (str_equal(kind, STR("region"))) {
        ret->location = cloud_region(c);
        return zone == 0;
    }
    bool by_id = str_equal(kind, STR("availability-zone-id"));
    ret->location = str_from(by_id ? c->zones[zone].id : c->zones[zone].name);
    return offers_has(c, t, zone);
}

int offers_offerings(struct ctx *x) {
    const struct ec2_describe_instance_type_offerings_in *in =
        &x->in->describe_instance_type_offerings;
    struct ec2_describe_instance_type_offerings_out *out =
        &x->out->describe_instance_type_offerings;
    struct page page;
    struct str kind = in->location_type.len ? in->location_type : STR("region");
    if (!str_equal(kind, STR("region")) && !str_equal(kind, STR("availability-zone")) &&
        !str_equal(kind, STR("availability-zone-id")))
        return ec2_fault_set(x->fault, "InvalidParameterValue", "Invalid location type: '%.*s'",
                             STR_ARG(kind));
    TRY(filter_check(x, &in->filters, offering_filter_get));
    TRY(page_open(x, in->max_results ? in->max_results : 1000, 5, 1000, in->next_token, &page));
    unsigned zones = x->c->options.zones;
    for (size_t n = page.start; n < catalog_type_count * zones; n++) {
        struct ec2_offering o;
        if (!offering_place(x, &catalog_types[n / zones], kind, (unsigned)(n % zones), &o) ||
            !filter_match(x, &in->filters, offering_filter_get, &o))
            continue;
        if (out->offerings.count == page.limit) {
            out->next_token = page_token(x, n);
            break;
        }
        *LIST_ADD(x->arena, &out->offerings) = o;
    }
    return 0;
}
