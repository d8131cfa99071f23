/* DescribeInstances, DescribeInstanceStatus, DescribeVolumes, GetConsoleOutput. */
#include "cloud/state.h"

#include "base/when.h"

/* ---- one instance as a reply ---------------------------------------------------------------- */

static struct ec2_instance_state listing_state(enum cloud_state s) {
    return (struct ec2_instance_state){.code = EC2_INT(cloud_state_code(s)),
                                       .name = str_from(cloud_state_name(s))};
}

static void listing_text(char *into, size_t size, const char *text) {
    must(str_copy(into, size, str_from(text)));
}

void instance_write_texts(struct cloud *c, struct instance *i) {
    const struct cloud_instance *p = &i->pub;
    const char *region = c->options.region;
    const uint8_t *m = p->mac;
    uint32_t ip = p->last_ip;
    bool first = str_equal(str_from(region), STR("us-east-1"));
    struct arena arena = {0};
    listing_text(i->ip_text, sizeof i->ip_text, ip_text(&arena, ip).ptr);
    listing_text(i->dns_text, sizeof i->dns_text,
                 arena_printf(&arena, "ip-%u-%u-%u-%u.%s%s", ip >> 24, (ip >> 16) & 255,
                              (ip >> 8) & 255, ip & 255, first ? "ec2" : region,
                              first ? ".internal" : ".compute.internal"));
    listing_text(
        i->mac_text, sizeof i->mac_text,
        arena_printf(&arena, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]));
    listing_text(i->interface_id, sizeof i->interface_id,
                 arena_printf(&arena, "eni-%s", p->id + 2));
    listing_text(i->attachment_id, sizeof i->attachment_id,
                 arena_printf(&arena, "eni-attach-%s", p->id + 2));
    arena_deinit(&arena);
}

static struct ec2_group_names listing_groups(struct ctx *x, const struct cloud_instance *p) {
    struct ec2_group_names list = {0};
    for (size_t n = 0; n < p->group_count; n++) {
        const struct group *g = group_find(x->c, str_from(p->group_ids[n]));
        *LIST_ADD(x->arena, &list) = (struct ec2_group_name){
            .id = str_from(p->group_ids[n]), .name = g ? str_from(g->name) : STR_EMPTY};
    }
    return list;
}

static void listing_network(struct ctx *x, const struct instance *i, struct ec2_instance *ret) {
    const struct cloud *c = x->c;
    const struct cloud_instance *p = &i->pub;
    ret->private_ip = str_from(i->ip_text);
    ret->private_dns = str_from(i->dns_text);
    ret->subnet_id = str_from(p->subnet_id);
    ret->vpc_id = str_from(c->vpc_id);
    struct ec2_interface *e = LIST_ADD(x->arena, &ret->interfaces);
    e->id = str_from(i->interface_id);
    e->subnet_id = ret->subnet_id;
    e->vpc_id = ret->vpc_id;
    e->owner_id = cloud_account(c);
    e->status = STR("in-use");
    e->mac = str_from(i->mac_text);
    e->type = STR("interface");
    e->private_ip = ret->private_ip;
    e->private_dns = ret->private_dns;
    e->source_dest_check = EC2_TRUE;
    e->groups = ret->groups;
    e->attachment.id = str_from(i->attachment_id);
    e->attachment.status = STR("attached");
    e->attachment.device_index = EC2_INT(0);
    e->attachment.network_card_index = EC2_INT(0);
    e->attachment.attached_unix_ms = cloud_unix_ms(c, p->asked_ns);
    e->attachment.delete_on_termination = EC2_TRUE;
    *LIST_ADD(x->arena, &e->private_ips) =
        (struct ec2_private_address){.address = ret->private_ip, .primary = EC2_TRUE};
}

static void listing_disks(struct ctx *x, const struct instance *i, struct ec2_instance *ret) {
    *LIST_ADD(x->arena, &ret->disks) = (struct ec2_attached_disk){
        .device_name = STR("/dev/xvda"),
        .volume_id = str_from(i->volume_text),
        .status = STR("attached"),
        .attached_unix_ms = cloud_unix_ms(x->c, i->pub.asked_ns),
        .delete_on_termination = EC2_TRUE,
    };
}

/* "User initiated (2026-11-20 16:08:05 GMT)" for what a user ended. */
static struct str listing_transition(struct ctx *x, const struct cloud_instance *p) {
    if (!str_starts_with(str_from(p->reason_code), STR("Client.")))
        return str_from(p->reason_code);
    struct when w = when_from_unix_ms(cloud_unix_ms(x->c, p->ending_ns));
    return str_from(arena_printf(x->arena, "User initiated (%04d-%02u-%02u %02u:%02u:%02u GMT)",
                                 w.year, w.month, w.day, w.hour, w.minute, w.second));
}

static void listing_hardware(struct ctx *x, const struct cloud_instance *p,
                             struct ec2_instance *ret) {
    ret->type = str_from(p->type->name);
    ret->architecture = str_from(catalog_arch_name(p->type->arch));
    ret->cpu.cores = p->type->cores;
    ret->cpu.threads_per_core = p->type->cores ? p->type->vcpus / p->type->cores : 1;
    ret->monitoring = STR("disabled");
    ret->platform_details = STR("Linux/UNIX");
    ret->root_device_name = STR("/dev/xvda");
    ret->root_device_type = STR("ebs");
    ret->virtualization = STR("hvm");
    ret->hypervisor = STR("xen");
    ret->boot_mode = STR("uefi-preferred");
    ret->ebs_optimized = EC2_FALSE;
    ret->ena_support = EC2_TRUE;
    ret->source_dest_check = EC2_TRUE;
    ret->metadata = (struct ec2_metadata_options){
        .state = STR("applied"),
        .http_tokens = p->metadata_token_required ? STR("required") : STR("optional"),
        .http_endpoint = p->metadata_enabled ? STR("enabled") : STR("disabled"),
        .http_ipv6 = STR("disabled"),
        .instance_tags = p->metadata_tags ? STR("enabled") : STR("disabled"),
        .hop_limit = (int64_t)p->metadata_hops,
    };
    ret->placement.zone = str_from(x->c->zones[p->zone].name);
    ret->placement.zone_id = str_from(x->c->zones[p->zone].id);
    ret->placement.tenancy = STR("default");
}

static void listing_fill(struct ctx *x, const struct instance *i, uint64_t seen_ns,
                         struct ec2_instance *ret) {
    const struct cloud_instance *p = &i->pub;
    enum cloud_state state = instance_state_at(i, seen_ns);
    *ret = (struct ec2_instance){
        .id = str_from(p->id),
        .state = listing_state(state),
        .image_id = str_from(p->image_id),
        .lifecycle = p->spot ? STR("spot") : STR_EMPTY,
        .spot_request_id = p->spot ? str_from(p->spot_request_id) : STR_EMPTY,
        .client_token = str_from(p->client_token),
        .key_name = p->key_name[0] ? str_from(p->key_name) : STR_EMPTY,
        .launch_index = EC2_INT(p->launch_index),
        .launched_unix_ms = cloud_unix_ms(x->c, p->asked_ns),
        .tags = tags_reply(x->arena, &p->tags, seen_ns),
    };
    listing_hardware(x, p, ret);
    bool ended = state != CLOUD_PENDING && state != CLOUD_RUNNING;
    if (ended && p->reason_code[0]) {
        ret->transition_reason = listing_transition(x, p);
        ret->state_reason = (struct ec2_reason){.code = str_from(p->reason_code),
                                                .message = str_from(p->reason_text)};
    }
    if (state == CLOUD_TERMINATED)
        return; /* its network and disks are gone */
    ret->groups = listing_groups(x, p);
    listing_network(x, i, ret);
    listing_disks(x, i, ret);
    if (p->iam_profile[0])
        ret->profile.arn =
            str_from(str_starts_with(str_from(p->iam_profile), STR("arn:"))
                         ? p->iam_profile
                         : arena_printf(x->arena, "arn:aws:iam::%s:instance-profile/%s",
                                        x->c->options.account, p->iam_profile));
}

void listing_add(struct ctx *x, const struct instance *i, struct ec2_reservation *r,
                 uint64_t seen_ns) {
    if (!r->id.ptr) {
        r->id = str_from(i->pub.reservation_id);
        r->owner_id = cloud_account(x->c);
    }
    listing_fill(x, i, seen_ns, LIST_ADD(x->arena, &r->instances));
}

/* ---- filters -------------------------------------------------------------------------------- */

static void listing_group_values(struct ctx *x, const struct cloud_instance *p, bool names,
                                 struct values *ret) {
    for (size_t n = 0; p && n < p->group_count; n++) {
        const struct group *g = group_find(x->c, str_from(p->group_ids[n]));
        if (!names)
            values_add(ret, str_from(p->group_ids[n]));
        else if (g)
            values_add(ret, str_from(g->name));
    }
}

static bool instance_filter_get(struct ctx *x, const void *object, struct str name,
                                struct values *ret) {
    const struct instance *i = object;
    const struct cloud_instance *p = i ? &i->pub : NULL;
    enum cloud_state state = i ? instance_state_at(i, x->seen_ns) : CLOUD_PENDING;
    const char *zone = p ? x->c->zones[p->zone].name : NULL;
    const struct {
        const char *name, *value;
    } known[] = {
        {"instance-id", p ? p->id : NULL},
        {"instance-state-name", cloud_state_name(state)},
        {"instance-type", p ? p->type->name : NULL},
        {"instance-lifecycle", p && p->spot ? "spot" : NULL},
        {"availability-zone", zone},
        {"placement.availability-zone", zone},
        {"availability-zone-id", p ? x->c->zones[p->zone].id : NULL},
        {"client-token", p ? p->client_token : NULL},
        {"image-id", p ? p->image_id : NULL},
        {"key-name", p ? p->key_name : NULL},
        {"subnet-id", p ? p->subnet_id : NULL},
        {"vpc-id", x->c->vpc_id},
        {"owner-id", x->c->options.account},
        {"reservation-id", p ? p->reservation_id : NULL},
        {"spot-instance-request-id", p && p->spot ? p->spot_request_id : NULL},
        {"state-reason-code", p && p->reason_code[0] ? p->reason_code : NULL},
        {"architecture", p ? catalog_arch_name(p->type->arch) : NULL},
        {"root-device-type", "ebs"},
        {"tenancy", "default"},
    };
    for (size_t k = 0; k < ARRAY_LEN(known); k++) {
        if (str_equal(name, str_from(known[k].name))) {
            values_add(ret, str_from(known[k].value));
            return true;
        }
    }
    if (str_equal(name, STR("instance-state-code")))
        values_add(ret, str_from(arena_printf(x->arena, "%u", cloud_state_code(state))));
    else if (str_equal(name, STR("private-ip-address")) ||
             str_equal(name, STR("network-interface.addresses.private-ip-address")))
        values_add(ret, i ? str_from(i->ip_text) : STR_EMPTY);
    else if (str_equal(name, STR("private-dns-name")))
        values_add(ret, i ? str_from(i->dns_text) : STR_EMPTY);
    else if (str_equal(name, STR("instance.group-id")) ||
             str_equal(name, STR("network-interface.group-id")))
        listing_group_values(x, p, false, ret);
    else if (str_equal(name, STR("instance.group-name")))
        listing_group_values(x, p, true, ret);
    else
        return filter_tags(x, p ? &p->tags : NULL, name, ret);
    return true;
}

/* ---- DescribeInstances ---------------------------------------------------------------------- */

/* Of a call that does not ask for pages: what fits in one reply. */
#define LISTED_MAX 5000

int listing_instances(struct ctx *x) {
    const struct ec2_describe_instances_in *in = &x->in->describe_instances;
    struct ec2_describe_instances_out *out = &x->out->describe_instances;
    struct cloud *c = x->c;
    struct instance *found = NULL;
    struct page page;
    TRY(filter_check(x, &in->filters, instance_filter_get));
    if (in->ids.count && in->max_results)
        return ec2_fault_set(x->fault, "InvalidParameterCombination",
                             "The parameter instancesSet cannot be used with the parameter "
                             "maxResults");
    TRY(page_open(x, in->max_results, 5, 1000, in->next_token, &page));
    for (size_t n = 0; n < in->ids.count; n++)
        TRY(instance_get(x, in->ids.items[n], &found));
    page.limit = MIN(page.limit, LISTED_MAX);
    size_t added = 0;
    for (size_t n = page.start; n < c->instances.count; n++) {
        const struct instance *i = c->instances.items[n];
        if (!instance_is_visible(c, i, x->seen_ns) ||
            (in->ids.count && !str_in(str_from(i->pub.id), &in->ids)) ||
            !filter_match(x, &in->filters, instance_filter_get, i))
            continue;
        if (added++ == page.limit) {
            out->next_token = page_token(x, n);
            break;
        }
        size_t last = out->reservations.count;
        struct ec2_reservation *r = last ? &out->reservations.items[last - 1] : NULL;
        if (!r || !str_equal(r->id, str_from(i->pub.reservation_id)))
            r = LIST_ADD(x->arena, &out->reservations);
        listing_add(x, i, r, x->seen_ns);
    }
    return 0;
}

/* ---- DescribeInstanceStatus ----------------------------------------------------------------- */

/* Checks pass a while after the start; a dead or halted system fails the instance's own. */
static const char *status_word(const struct cloud *c, const struct cloud_instance *p,
                               enum cloud_state state, bool system) {
    if (state != CLOUD_RUNNING)
        return "not-applicable";
    uint64_t settle_ns = 3 * (p->boot_delay_ns + 1);
    bool early = c->now_ns - p->running_ns < settle_ns;
    if (!system && (p->halted || p->dud == CLOUD_DUD_NEVER_BOOTS || p->dud == CLOUD_DUD_NO_NETWORK))
        return early ? "initializing" : "impaired";
    return early && !p->booted_ns ? "initializing" : "ok";
}

static void status_part(struct ctx *x, const char *word, struct ec2_status_summary *ret) {
    ret->status = str_from(word);
    if (str_equal(ret->status, STR("not-applicable")))
        return;
    struct str detail = str_equal(ret->status, STR("ok"))         ? STR("passed")
                        : str_equal(ret->status, STR("impaired")) ? STR("failed")
                                                                  : STR("initializing");
    *LIST_ADD(x->arena, &ret->details) =
        (struct ec2_status_detail){.name = STR("reachability"), .status = detail};
}

static bool status_filter_get(struct ctx *x, const void *object, struct str name,
                              struct values *ret) {
    const struct instance *i = object;
    enum cloud_state state = i ? instance_state_at(i, x->seen_ns) : CLOUD_PENDING;
    bool own = str_equal(name, STR("instance-status.status"));
    bool system = str_equal(name, STR("system-status.status"));
    if (own || system) {
        values_add(ret, i ? str_from(status_word(x->c, &i->pub, state, system)) : STR_EMPTY);
        return true;
    }
    if (str_equal(name, STR("instance-state-name")) ||
        str_equal(name, STR("instance-state-code")) || str_equal(name, STR("availability-zone")) ||
        str_starts_with(name, STR("tag")))
        return instance_filter_get(x, object, name, ret);
    return false;
}

int listing_status(struct ctx *x) {
    const struct ec2_describe_instance_status_in *in = &x->in->describe_instance_status;
    struct ec2_describe_instance_status_out *out = &x->out->describe_instance_status;
    struct cloud *c = x->c;
    struct instance *found = NULL;
    struct page page;
    TRY(filter_check(x, &in->filters, status_filter_get));
    if (in->ids.count > 100)
        return ec2_fault_set(x->fault, "InvalidParameterValue", "At most 100 instance ids");
    if (in->ids.count && in->max_results)
        return ec2_fault_set(x->fault, "InvalidParameterCombination",
                             "Instance ids cannot be used with the parameter maxResults");
    TRY(page_open(x, in->max_results, 5, 1000, in->next_token, &page));
    for (size_t n = 0; n < in->ids.count; n++)
        TRY(instance_get(x, in->ids.items[n], &found));
    for (size_t n = page.start; n < c->instances.count; n++) {
        const struct instance *i = c->instances.items[n];
        enum cloud_state state = instance_state_at(i, x->seen_ns);
        if (!instance_is_visible(c, i, x->seen_ns) ||
            (!in->include_all && state != CLOUD_RUNNING) ||
            (in->ids.count && !str_in(str_from(i->pub.id), &in->ids)) ||
            !filter_match(x, &in->filters, status_filter_get, i))
            continue;
        if (out->statuses.count == page.limit) {
            out->next_token = page_token(x, n);
            break;
        }
        struct ec2_instance_status *s = LIST_ADD(x->arena, &out->statuses);
        s->instance_id = str_from(i->pub.id);
        s->zone = str_from(c->zones[i->pub.zone].name);
        s->zone_id = str_from(c->zones[i->pub.zone].id);
        s->state = listing_state(state);
        status_part(x, status_word(c, &i->pub, state, false), &s->instance);
        status_part(x, status_word(c, &i->pub, state, true), &s->system);
    }
    return 0;
}

/* ---- volumes and console -------------------------------------------------------------------- */

static bool volume_filter_get(struct ctx *x, const void *object, struct str name,
                              struct values *ret) {
    const struct instance *i = object;
    if (str_equal(name, STR("volume-id")))
        values_add(ret, i ? str_from(i->volume_text) : STR_EMPTY);
    else if (str_equal(name, STR("attachment.instance-id")))
        values_add(ret, i ? str_from(i->pub.id) : STR_EMPTY);
    else if (str_equal(name, STR("status")))
        values_add(ret, STR("in-use"));
    else if (str_equal(name, STR("availability-zone")))
        values_add(ret, i ? str_from(x->c->zones[i->pub.zone].name) : STR_EMPTY);
    else
        return filter_tags(x, NULL, name, ret); /* root disks are made without tags */
    return true;
}

int listing_volumes(struct ctx *x) {
    const struct ec2_describe_volumes_in *in = &x->in->describe_volumes;
    struct ec2_describe_volumes_out *out = &x->out->describe_volumes;
    struct cloud *c = x->c;
    struct page page;
    TRY(filter_check(x, &in->filters, volume_filter_get));
    TRY(page_open(x, in->max_results, 5, 1000, in->next_token, &page));
    for (size_t n = page.start; n < c->instances.count; n++) {
        const struct instance *i = c->instances.items[n];
        if (!instance_is_visible(c, i, x->seen_ns) || !instance_is_live(i) ||
            (in->ids.count && !str_in(str_from(i->volume_text), &in->ids)) ||
            !filter_match(x, &in->filters, volume_filter_get, i))
            continue;
        if (out->volumes.count == page.limit) {
            out->next_token = page_token(x, n);
            break;
        }
        struct ec2_volume *v = LIST_ADD(x->arena, &out->volumes);
        *v = (struct ec2_volume){
            .id = str_from(i->volume_text),
            .zone = str_from(c->zones[i->pub.zone].name),
            .zone_id = str_from(c->zones[i->pub.zone].id),
            .status = STR("in-use"),
            .type = STR("gp3"),
            .size_gib = 8,
            .iops = 3000,
            .throughput_mibs = 125,
            .created_unix_ms = cloud_unix_ms(c, i->pub.asked_ns),
        };
        *LIST_ADD(x->arena, &v->attachments) = (struct ec2_volume_attachment){
            .volume_id = v->id,
            .instance_id = str_from(i->pub.id),
            .device = STR("/dev/xvda"),
            .status = STR("attached"),
            .attached_unix_ms = v->created_unix_ms,
            .delete_on_termination = true,
        };
    }
    return 0;
}

int listing_console(struct ctx *x) {
    const struct ec2_get_console_output_in *in = &x->in->get_console_output;
    struct ec2_get_console_output_out *out = &x->out->get_console_output;
    struct instance *i = NULL;
    TRY(instance_get(x, in->instance_id, &i));
    out->instance_id = str_from(i->pub.id);
    out->at_unix_ms = cloud_unix_ms(x->c, i->pub.console_ns ? i->pub.console_ns : x->c->now_ns);
    if (i->pub.console.len > 0)
        out->output = arena_str(x->arena, buf_str(&i->pub.console));
    return 0;
}
