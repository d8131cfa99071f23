/* What the region offers: regions, zones, images and their aliases, instance types. */
#include "cloud/state.h"

#include "base/when.h"

/* ---- images --------------------------------------------------------------------------------- */

#define OWNER_AMAZON "137112412989"
#define OWNER_CANONICAL "099720109477"
#define OWNER_DEBIAN "136693071363"

/* `%a` in the parameter stands for the architecture as that distributor writes it. */
static const struct {
    const char *name, *description, *owner, *owner_alias, *parameter;
    bool debian_arch; /* "amd64" instead of "x86_64" */
    bool imds_v2;
} offers_systems[] = {
    {"al2023-ami-2023-kernel-default-", "Amazon Linux 2023 AMI HVM kernel default", OWNER_AMAZON,
     "amazon", "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-", false, true},
    {"al2023-ami-minimal-2023-kernel-default-", "Amazon Linux 2023 minimal AMI HVM", OWNER_AMAZON,
     "amazon", "/aws/service/ami-amazon-linux-latest/al2023-ami-minimal-kernel-default-", false,
     true},
    {"ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-server-", "Canonical, Ubuntu, 24.04 LTS",
     OWNER_CANONICAL, "",
     "/aws/service/canonical/ubuntu/server/24.04/stable/current/%a/hvm/ebs-gp3/ami-id", true, true},
    {"ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-server-", "Canonical, Ubuntu, 22.04 LTS",
     OWNER_CANONICAL, "",
     "/aws/service/canonical/ubuntu/server/22.04/stable/current/%a/hvm/ebs-gp2/ami-id", true,
     false},
    {"debian-12-", "Debian 12", OWNER_DEBIAN, "", "/aws/service/debian/release/12/latest/%a", true,
     true},
};

_Static_assert(ARRAY_LEN(offers_systems) * 2 <= IMAGES_MAX, "every system for two architectures");

void offers_init(struct cloud *c) {
    for (size_t s = 0; s < ARRAY_LEN(offers_systems); s++) {
        for (int a = 0; a < 2; a++) {
            struct image *i = &c->images[c->image_count++];
            struct arena arena = {0};
            i->arch = a ? CATALOG_ARM64 : CATALOG_X86_64;
            const char *arch = catalog_arch_name(i->arch);
            if (offers_systems[s].debian_arch && !a)
                arch = "amd64";
            must(str_copy(i->name, sizeof i->name,
                          str_from(arena_printf(&arena, "%s%s", offers_systems[s].name, arch))));
            /* An image's id depends on the region alone. */
            struct prng p;
            prng_init(&p, str_hash(str_from(i->name)) ^ str_hash(str_from(c->region->name)));
            must(str_copy(
                i->id, sizeof i->id,
                str_from(arena_printf(&arena, "ami-0%016llx", (unsigned long long)prng_next(&p)))));
            arena_deinit(&arena);
            i->description = offers_systems[s].description;
            i->owner = offers_systems[s].owner;
            i->owner_alias = offers_systems[s].owner_alias;
            i->parameter = offers_systems[s].parameter;
            i->imds_v2 = offers_systems[s].imds_v2;
            i->created_unix_ms = c->options.start_unix_ms - INT64_C(30) * 86400 * 1000;
        }
    }
}

const struct image *image_find(const struct cloud *c, struct str id) {
    for (size_t i = 0; i < c->image_count; i++)
        if (str_equal(id, str_from(c->images[i].id)))
            return &c->images[i];
    return NULL;
}

/* "…/%a/…" or "…-" against a name that has the architecture there. */
static bool offers_parameter_matches(struct str parameter, struct str arch, struct str name) {
    size_t at = str_index_of(parameter, '%');
    struct str before = str_slice(parameter, 0, at);
    struct str after = at < parameter.len ? str_skip(parameter, at + 2) : STR_EMPTY;
    return name.len == before.len + arch.len + after.len && str_starts_with(name, before) &&
           str_starts_with(str_skip(name, before.len), arch) && str_ends_with(name, after);
}

struct str cloud_parameter(const struct cloud *c, struct str name) {
    must(c);
    for (size_t i = 0; i < c->image_count; i++) {
        const struct image *image = &c->images[i];
        struct str arch = str_from(catalog_arch_name(image->arch));
        bool debian = str_contains(str_from(image->parameter), STR("%a"));
        if (debian && image->arch == CATALOG_X86_64)
            arch = STR("amd64");
        if (offers_parameter_matches(str_from(image->parameter), arch, name))
            return str_from(image->id);
    }
    return STR_EMPTY;
}

static bool image_filter_get(struct ctx *x, const void *object, struct str name,
                             struct values *ret) {
    (void)x;
    const struct image *i = object;
    const struct {
        const char *name, *value;
    } known[] = {
        {"architecture", i ? catalog_arch_name(i->arch) : NULL},
        {"description", i ? i->description : NULL},
        {"image-id", i ? i->id : NULL},
        {"image-type", "machine"},
        {"is-public", "true"},
        {"name", i ? i->name : NULL},
        {"owner-alias", i ? i->owner_alias : NULL},
        {"owner-id", i ? i->owner : NULL},
        {"root-device-type", "ebs"},
        {"state", "available"},
        {"virtualization-type", "hvm"},
        {"hypervisor", "xen"},
        {"platform-details", "Linux/UNIX"},
    };
    for (size_t k = 0; k < ARRAY_LEN(known); k++) {
        if (str_equal(name, str_from(known[k].name))) {
            values_add(ret, str_from(known[k].value));
            return true;
        }
    }
    return filter_tags(x, NULL, name, ret);
}

static bool image_is_owned(const struct image *i, const struct ec2_strs *owners) {
    return owners->count == 0 || str_in(str_from(i->owner), owners) ||
           (i->owner_alias[0] && str_in(str_from(i->owner_alias), owners));
}

static void image_fill(struct ctx *x, const struct image *i, struct ec2_image *ret) {
    struct buf date = BUF_INIT(64);
    when_add_rfc3339_ms(&date, i->created_unix_ms);
    *ret = (struct ec2_image){
        .id = str_from(i->id),
        .name = str_from(i->name),
        .description = str_from(i->description),
        .location = str_from(arena_printf(x->arena, "%s/%s", i->owner, i->name)),
        .state = STR("available"),
        .owner_id = str_from(i->owner),
        .owner_alias = i->owner_alias[0] ? str_from(i->owner_alias) : STR_EMPTY,
        .architecture = str_from(catalog_arch_name(i->arch)),
        .type = STR("machine"),
        .platform_details = STR("Linux/UNIX"),
        .creation_date = arena_str(x->arena, buf_str(&date)),
        .root_device_name = STR("/dev/xvda"),
        .root_device_type = STR("ebs"),
        .virtualization = STR("hvm"),
        .hypervisor = STR("xen"),
        .boot_mode = STR("uefi-preferred"),
        .imds_support = i->imds_v2 ? STR("v2.0") : STR_EMPTY,
        .is_public = true,
        .ena_support = EC2_TRUE,
    };
    *LIST_ADD(x->arena, &ret->disks) = (struct ec2_image_disk){
        .device_name = STR("/dev/xvda"),
        .size_gib = 8,
        .volume_type = STR("gp3"),
        .delete_on_termination = EC2_TRUE,
        .encrypted = EC2_FALSE,
    };
    buf_deinit(&date);
}

int offers_images(struct ctx *x) {
    const struct ec2_describe_images_in *in = &x->in->describe_images;
    struct page page;
    TRY(filter_check(x, &in->filters, image_filter_get));
    TRY(page_open(x, in->max_results, 1, 1000, in->next_token, &page));
    for (size_t n = 0; n < in->ids.count; n++)
        if (!image_find(x->c, in->ids.items[n]))
            return ec2_fault_set(x->fault, "InvalidAMIID.NotFound",
                                 "The image id '[%.*s]' does not exist", STR_ARG(in->ids.items[n]));
    for (size_t n = page.start; n < x->c->image_count; n++) {
        const struct image *i = &x->c->images[n];
        if ((in->ids.count && !str_in(str_from(i->id), &in->ids)) ||
            !image_is_owned(i, &in->owners) || !filter_match(x, &in->filters, image_filter_get, i))
            continue;
        if (x->out->describe_images.images.count == page.limit) {
            x->out->describe_images.next_token = page_token(x, n);
            break;
        }
        image_fill(x, i, LIST_ADD(x->arena, &x->out->describe_images.images));
    }
    return 0;
}

/* ---- regions and zones ---------------------------------------------------------------------- */

static bool region_filter_get(struct ctx *x, const void *object, struct str name,
                              struct values *ret) {
    const struct catalog_region *r = object;
    if (str_equal(name, STR("region-name")))
        values_add(ret, r ? str_from(r->name) : STR_EMPTY);
    else if (str_equal(name, STR("endpoint")))
        values_add(ret, r ? str_from(arena_printf(x->arena, "ec2.%s.amazonaws.com", r->name))
                          : STR_EMPTY);
    else if (str_equal(name, STR("opt-in-status")))
        values_add(ret, STR("opt-in-not-required"));
    else
        return false;
    return true;
}

int offers_regions(struct ctx *x) {
    const struct ec2_describe_regions_in *in = &x->in->describe_regions;
    TRY(filter_check(x, &in->filters, region_filter_get));
    for (size_t n = 0; n < in->names.count; n++)
        if (!catalog_region_find(in->names.items[n]))
            return ec2_fault_set(x->fault, "InvalidParameterValue",
                                 "Invalid region provided: [%.*s]", STR_ARG(in->names.items[n]));
    for (size_t n = 0; n < catalog_region_count; n++) {
        const struct catalog_region *r = &catalog_regions[n];
        if ((in->names.count && !str_in(str_from(r->name), &in->names)) ||
            !filter_match(x, &in->filters, region_filter_get, r))
            continue;
        *LIST_ADD(x->arena, &x->out->describe_regions.regions) = (struct ec2_region){
            .name = str_from(r->name),
            .endpoint = str_from(arena_printf(x->arena, "ec2.%s.amazonaws.com", r->name)),
            .opt_in_status = STR("opt-in-not-required"),
        };
    }
    return 0;
}

static bool zone_filter_get(struct ctx *x, const void *object, struct str name,
                            struct values *ret) {
    const struct zone *z = object;
    struct str region = cloud_region(x->c);
    if (str_equal(name, STR("zone-name")))
        values_add(ret, z ? str_from(z->name) : STR_EMPTY);
    else if (str_equal(name, STR("zone-id")))
        values_add(ret, z ? str_from(z->id) : STR_EMPTY);
    else if (str_equal(name, STR("region-name")) || str_equal(name, STR("group-name")))
        values_add(ret, region);
    else if (str_equal(name, STR("state")))
        values_add(ret, STR("available"));
    else if (str_equal(name, STR("zone-type")))
        values_add(ret, STR("availability-zone"));
    else if (str_equal(name, STR("opt-in-status")))
        values_add(ret, STR("opt-in-not-required"));
    else
        return false;
    return true;
}

int offers_zones(struct ctx *x) {
    const struct ec2_describe_availability_zones_in *in = &x->in->describe_availability_zones;
    struct cloud *c = x->c;
    TRY(filter_check(x, &in->filters, zone_filter_get));
    for (size_t n = 0; n < in->names.count; n++)
        if (zone_find(c, in->names.items[n]) < 0)
            return ec2_fault_set(x->fault, "InvalidParameterValue",
                                 "Invalid availability zone: [%.*s]", STR_ARG(in->names.items[n]));
    for (unsigned n = 0; n < c->options.zones; n++) {
        const struct zone *z = &c->zones[n];
        if ((in->names.count && !str_in(str_from(z->name), &in->names)) ||
            (in->ids.count && !str_in(str_from(z->id), &in->ids)) ||
            !filter_match(x, &in->filters, zone_filter_get, z))
            continue;
        *LIST_ADD(x->arena, &x->out->describe_availability_zones.zones) = (struct ec2_zone){
            .name = str_from(z->name),
            .id = str_from(z->id),
            .region = cloud_region(c),
            .state = STR("available"),
            .type = STR("availability-zone"),
            .group = cloud_region(c),
            .border_group = cloud_region(c),
            .opt_in_status = STR("opt-in-not-required"),
        };
    }
    return 0;
}
