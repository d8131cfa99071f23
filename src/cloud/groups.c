/* Security groups and their ingress rules.  A rule has one peer, as EC2 stores them. */
#include "cloud/state.h"

#define GROUPS_MAX 2500 /* EC2's limit of a region */
#define GROUP_NAME_MAX 255

void group_free(struct group *own_group) {
    if (!own_group)
        return;
    mem_free(own_group->name);
    mem_free(own_group->description);
    tags_deinit(&own_group->tags);
    arena_deinit(&own_group->arena);
    mem_free(own_group);
}

struct group *group_make(struct cloud *c, struct str name, struct str description) {
    struct group *g = mem_new(sizeof *g);
    cloud_make_id(c, "sg-", g->id, sizeof g->id);
    g->name = str_dup(name);
    g->description = str_dup(description);
    g->exists = true;
    g->created_ns = c->now_ns;
    OWN_LIST_ADD(&c->groups, g);
    return g;
}

struct group *group_find(const struct cloud *c, struct str id) {
    for (size_t n = 0; n < c->groups.count; n++)
        if (c->groups.items[n]->exists && str_equal(id, str_from(c->groups.items[n]->id)))
            return c->groups.items[n];
    return NULL;
}

struct group *group_find_name(const struct cloud *c, struct str name) {
    for (size_t n = 0; n < c->groups.count; n++)
        if (c->groups.items[n]->exists && str_equal(name, str_from(c->groups.items[n]->name)))
            return c->groups.items[n];
    return NULL;
}

static int group_get(struct ctx *x, struct str id, struct str name, struct group **ret_group) {
    if (!id.ptr && !name.ptr)
        return ec2_fault_set(x->fault, "MissingParameter",
                             "The request must contain the parameter GroupId or GroupName");
    struct str asked = id.ptr ? id : name;
    if (id.ptr && !str_starts_with(id, STR("sg-")))
        return ec2_fault_set(x->fault, "InvalidGroupId.Malformed", "Invalid id: \"%.*s\"",
                             STR_ARG(id));
    *ret_group = id.ptr ? group_find(x->c, id) : group_find_name(x->c, name);
    if (!*ret_group)
        return ec2_fault_set(x->fault, "InvalidGroup.NotFound",
                             "The security group '%.*s' does not exist", STR_ARG(asked));
    return 0;
}

int network_group_create(struct ctx *x) {
    static const char *const types[] = {"security-group", NULL};
    const struct ec2_create_security_group_in *in = &x->in->create_security_group;
    TRY(tags_check_specs(x, &in->tag_specs, types));
    if (in->vpc_id.ptr && !str_equal(in->vpc_id, str_from(x->c->vpc_id)))
        return ec2_fault_set(x->fault, "InvalidVpcID.NotFound", "The vpc ID '%.*s' does not exist",
                             STR_ARG(in->vpc_id));
    if (in->description.len == 0)
        return ec2_fault_set(x->fault, "MissingParameter",
                             "The request must contain the parameter GroupDescription");
    if (in->name.len == 0 || in->name.len > GROUP_NAME_MAX ||
        in->description.len > GROUP_NAME_MAX || str_starts_with(in->name, STR("sg-")))
        return ec2_fault_set(x->fault, "InvalidParameterValue",
                             "Invalid security group name or description");
    if (group_find_name(x->c, in->name))
        return ec2_fault_set(x->fault, "InvalidGroup.Duplicate",
                             "The security group '%.*s' already exists for VPC '%s'",
                             STR_ARG(in->name), x->c->vpc_id);
    if (x->c->groups.count >= GROUPS_MAX)
        return ec2_fault_set(x->fault, "SecurityGroupLimitExceeded",
                             "The maximum number of security groups has been reached");
    struct group *g = group_make(x->c, in->name, in->description);
    tags_apply(x, &g->tags, &in->tag_specs, "security-group");
    x->out->create_security_group = (struct ec2_create_security_group_out){
        .id = str_from(g->id),
        .arn = str_from(arena_printf(x->arena, "arn:aws:ec2:%s:%s:security-group/%s",
                                     x->c->options.region, x->c->options.account, g->id)),
        .tags = tags_reply(x->arena, &g->tags, NEVER),
    };
    return 0;
}

/* An instance or another group that still needs it. */
static bool group_is_used(const struct cloud *c, const struct group *g) {
    for (size_t n = 0; n < c->instances.count; n++) {
        const struct cloud_instance *i = &c->instances.items[n]->pub;
        for (size_t k = 0; i->state != CLOUD_TERMINATED && k < i->group_count; k++)
            if (str_equal(str_from(i->group_ids[k]), str_from(g->id)))
                return true;
    }
    for (size_t n = 0; n < c->groups.count; n++) {
        const struct group *other = c->groups.items[n];
        for (size_t k = 0; other != g && other->exists && k < other->rule_count; k++)
            if (str_equal(other->rules[k].referenced.group_id, str_from(g->id)))
                return true;
    }
    return false;
}

int network_group_delete(struct ctx *x) {
    const struct ec2_delete_security_group_in *in = &x->in->delete_security_group;
    struct group *g = NULL;
    TRY(group_get(x, in->id, in->name, &g));
    if (g->built_in)
        return ec2_fault_set(x->fault, "CannotDelete",
                             "the specified group: \"%s\" name: \"default\" cannot be deleted by a "
                             "user",
                             g->id);
    if (group_is_used(x->c, g))
        return ec2_fault_set(x->fault, "DependencyViolation", "resource %s has a dependent object",
                             g->id);
    g->exists = false;
    g->deleted_ns = x->c->now_ns;
    x->out->delete_security_group.done = true;
    x->out->delete_security_group.id = str_from(g->id);
    return 0;
}

/* ---- rules ---------------------------------------------------------------------------------- */

struct rule_list {
    struct ec2_security_group_rule *items;
    size_t count;
};

static struct ec2_security_group_rule *rule_add(struct ctx *x, struct rule_list *rules,
                                                const struct group *g,
                                                const struct ec2_ip_permission *p) {
    struct ec2_security_group_rule *r = LIST_ADD(x->arena, rules);
    r->group_id = str_from(g->id);
    r->group_owner = cloud_account(x->c);
    r->protocol = str_equal(p->protocol, STR("all")) ? STR("-1") : p->protocol;
    bool all = str_equal(r->protocol, STR("-1"));
    r->from_port = all || !p->from_port.set ? EC2_INT(-1) : p->from_port;
    r->to_port = all || !p->to_port.set ? EC2_INT(-1) : p->to_port;
    return r;
}

static bool rule_cidr_is_plausible(struct str cidr) {
    size_t slash = str_index_of(cidr, '/');
    return slash > 0 && slash + 1 < cidr.len && cidr.len - slash <= 4;
}

static int rule_expand(struct ctx *x, const struct group *g, const struct ec2_ip_permission *p,
                       struct rule_list *rules) {
    size_t before = rules->count;
    for (size_t n = 0; n < p->ranges.count; n++) {
        struct ec2_security_group_rule *r = rule_add(x, rules, g, p);
        r->cidr_v4 = p->ranges.items[n].cidr;
        r->description = p->ranges.items[n].description;
        if (!rule_cidr_is_plausible(r->cidr_v4))
            return ec2_fault_set(x->fault, "InvalidParameterValue", "CIDR block %.*s is malformed",
                                 STR_ARG(r->cidr_v4));
    }
    for (size_t n = 0; n < p->ranges_v6.count; n++) {
        struct ec2_security_group_rule *r = rule_add(x, rules, g, p);
        r->cidr_v6 = p->ranges_v6.items[n].cidr;
        r->description = p->ranges_v6.items[n].description;
    }
    for (size_t n = 0; n < p->groups.count; n++) {
        const struct ec2_group_pair *pair = &p->groups.items[n];
        struct group *peer = NULL;
        TRY(group_get(x, pair->group_id, pair->group_name, &peer));
        struct ec2_security_group_rule *r = rule_add(x, rules, g, p);
        r->referenced.group_id = str_from(peer->id);
        r->referenced.user_id = cloud_account(x->c);
        r->referenced.vpc_id = str_from(x->c->vpc_id);
        r->description = pair->description;
    }
    for (size_t n = 0; n < p->prefix_lists.count; n++)
        rule_add(x, rules, g, p)->prefix_list = p->prefix_lists.items[n].id;
    if (rules->count == before)
        return ec2_fault_set(x->fault, "MissingParameter",
                             "Source is missing: a rule needs a CIDR range, group or prefix list");
    return 0;
}

static int rule_check_permission(struct ctx *x, const struct ec2_ip_permission *p) {
    static const char *const known[] = {"tcp", "udp", "icmp", "icmpv6", "-1", "all"};
    bool ok = p->protocol.len > 0 && p->protocol.ptr[0] >= '0' && p->protocol.ptr[0] <= '9';
    for (size_t n = 0; n < ARRAY_LEN(known); n++)
        ok |= str_equal(p->protocol, str_from(known[n]));
    if (!ok)
        return ec2_fault_set(x->fault, "InvalidParameterValue", "Invalid value '%.*s' for protocol",
                             STR_ARG(p->protocol));
    bool ports = str_equal(p->protocol, STR("tcp")) || str_equal(p->protocol, STR("udp"));
    if (ports && (!p->from_port.set || !p->to_port.set || p->from_port.value < 0 ||
                  p->to_port.value > 65535 || p->from_port.value > p->to_port.value))
        return ec2_fault_set(x->fault, "InvalidParameterValue",
                             "Invalid value for portRange: 0..65535, from not above to");
    return 0;
}

/* The flat parameters of old clients as one permission. */
static struct ec2_ip_permission rule_flat(struct ctx *x, struct str protocol,
                                          struct ec2_int from_port, struct ec2_int to_port,
                                          struct str cidr, struct str group_name) {
    struct ec2_ip_permission p = {.protocol = protocol, .from_port = from_port, .to_port = to_port};
    if (cidr.ptr)
        LIST_ADD(x->arena, &p.ranges)->cidr = cidr;
    if (group_name.ptr) {
        if (!p.protocol.ptr)
            p.protocol = STR("-1");
        LIST_ADD(x->arena, &p.groups)->group_name = group_name;
    }
    return p;
}

static bool rule_same(const struct ec2_security_group_rule *a,
                      const struct ec2_security_group_rule *b) {
    return str_equal(a->protocol, b->protocol) && a->from_port.value == b->from_port.value &&
           a->to_port.value == b->to_port.value && str_equal(a->cidr_v4, b->cidr_v4) &&
           str_equal(a->cidr_v6, b->cidr_v6) && str_equal(a->prefix_list, b->prefix_list) &&
           str_equal(a->referenced.group_id, b->referenced.group_id);
}

static size_t rule_index(const struct group *g, const struct ec2_security_group_rule *r) {
    size_t n = 0;
    while (n < g->rule_count && !rule_same(&g->rules[n], r))
        n++;
    return n;
}

static void rule_keep(struct ctx *x, struct group *g, struct ec2_security_group_rule *r) {
    char id[CLOUD_ID_BYTES];
    cloud_make_id(x->c, "sgr-", id, sizeof id);
    r->rule_id = str_from(id);
    struct str *const texts[] = {&r->rule_id,
                                 &r->group_id,
                                 &r->group_owner,
                                 &r->protocol,
                                 &r->cidr_v4,
                                 &r->cidr_v6,
                                 &r->prefix_list,
                                 &r->description,
                                 &r->referenced.group_id,
                                 &r->referenced.user_id,
                                 &r->referenced.vpc_id};
    for (size_t n = 0; n < ARRAY_LEN(texts); n++)
        if (texts[n]->ptr)
            *texts[n] = arena_str(&g->arena, *texts[n]);
    must(g->rule_count < GROUP_RULES_MAX);
    g->rules[g->rule_count++] = *r;
}

/* Rules of either form of the request. */
static int rules_asked(struct ctx *x, const struct group *g,
                       const struct ec2_ip_permissions *permissions,
                       const struct ec2_ip_permission *flat, struct rule_list *rules) {
    for (size_t n = 0; n < permissions->count; n++) {
        TRY(rule_check_permission(x, &permissions->items[n]));
        TRY(rule_expand(x, g, &permissions->items[n], rules));
    }
    if (permissions->count > 0)
        return 0;
    if (!flat->protocol.ptr)
        return ec2_fault_set(x->fault, "MissingParameter",
                             "The request must contain the parameter IpPermissions");
    TRY(rule_check_permission(x, flat));
    return rule_expand(x, g, flat, rules);
}

int network_authorize(struct ctx *x) {
    const struct ec2_authorize_security_group_ingress_in *in =
        &x->in->authorize_security_group_ingress;
    struct group *g = NULL;
    struct rule_list rules = {0};
    TRY(group_get(x, in->id, in->name, &g));
    struct ec2_ip_permission flat =
        rule_flat(x, in->protocol, in->from_port, in->to_port, in->cidr, in->source_group_name);
    TRY(rules_asked(x, g, &in->permissions, &flat, &rules));
    for (size_t n = 0; n < rules.count; n++)
        if (rule_index(g, &rules.items[n]) < g->rule_count)
            return ec2_fault_set(x->fault, "InvalidPermission.Duplicate",
                                 "the specified rule already exists");
    if (g->rule_count + rules.count > GROUP_RULES_MAX)
        return ec2_fault_set(x->fault, "RulesPerSecurityGroupLimitExceeded",
                             "The maximum number of rules per security group has been reached.");
    for (size_t n = 0; n < rules.count; n++)
        rule_keep(x, g, &rules.items[n]);
    x->out->authorize_security_group_ingress.done = true;
    x->out->authorize_security_group_ingress.rules.items = rules.items;
    x->out->authorize_security_group_ingress.rules.count = rules.count;
    return 0;
}

static void rule_remove(struct group *g, size_t index) {
    must(index < g->rule_count);
    g->rule_count--;
    memmove(&g->rules[index], &g->rules[index + 1], (g->rule_count - index) * sizeof g->rules[0]);
}

static int network_revoke_ids(struct ctx *x, struct group *g, const struct ec2_strs *ids) {
    for (size_t n = 0; n < ids->count; n++) {
        size_t k = 0;
        while (k < g->rule_count && !str_equal(g->rules[k].rule_id, ids->items[n]))
            k++;
        if (k == g->rule_count)
            return ec2_fault_set(x->fault, "InvalidSecurityGroupRuleId.NotFound",
                                 "The security group rule ID '%.*s' does not exist",
                                 STR_ARG(ids->items[n]));
        rule_remove(g, k);
    }
    return 0;
}

int network_revoke(struct ctx *x) {
    const struct ec2_revoke_security_group_ingress_in *in = &x->in->revoke_security_group_ingress;
    struct group *g = NULL;
    struct rule_list rules = {0};
    TRY(group_get(x, in->id, in->name, &g));
    x->out->revoke_security_group_ingress.done = true;
    if (in->rule_ids.count > 0)
        return network_revoke_ids(x, g, &in->rule_ids);
    struct ec2_ip_permission flat =
        rule_flat(x, in->protocol, in->from_port, in->to_port, in->cidr, in->source_group_name);
    TRY(rules_asked(x, g, &in->permissions, &flat, &rules));
    for (size_t n = 0; n < rules.count; n++)
        if (rule_index(g, &rules.items[n]) == g->rule_count)
            return ec2_fault_set(x->fault, "InvalidPermission.NotFound",
                                 "The specified rule does not exist in this security group.");
    for (size_t n = 0; n < rules.count; n++)
        rule_remove(g, rule_index(g, &rules.items[n]));
    return 0;
}

/* ---- DescribeSecurityGroups ----------------------------------------------------------------- */

static bool group_filter_get(struct ctx *x, const void *object, struct str name,
                             struct values *ret) {
    const struct group *g = object;
    if (str_equal(name, STR("group-id")))
        values_add(ret, g ? str_from(g->id) : STR_EMPTY);
    else if (str_equal(name, STR("group-name")))
        values_add(ret, g ? str_from(g->name) : STR_EMPTY);
    else if (str_equal(name, STR("description")))
        values_add(ret, g ? str_from(g->description) : STR_EMPTY);
    else if (str_equal(name, STR("vpc-id")))
        values_add(ret, str_from(x->c->vpc_id));
    else if (str_equal(name, STR("owner-id")))
        values_add(ret, cloud_account(x->c));
    else
        return filter_tags(x, g ? &g->tags : NULL, name, ret);
    return true;
}

static void group_fill_rules(struct ctx *x, const struct group *g, struct ec2_ip_permissions *ret) {
    for (size_t n = 0; n < g->rule_count; n++) {
        const struct ec2_security_group_rule *r = &g->rules[n];
        bool all = str_equal(r->protocol, STR("-1"));
        struct ec2_ip_permission *p = NULL;
        for (size_t k = 0; k < ret->count && !p; k++)
            if (str_equal(ret->items[k].protocol, r->protocol) &&
                (all || (ret->items[k].from_port.value == r->from_port.value &&
                         ret->items[k].to_port.value == r->to_port.value)))
                p = &ret->items[k];
        if (!p) {
            p = LIST_ADD(x->arena, ret);
            p->protocol = r->protocol;
            if (!all) {
                p->from_port = r->from_port;
                p->to_port = r->to_port;
            }
        }
        if (r->cidr_v4.ptr)
            *LIST_ADD(x->arena, &p->ranges) =
                (struct ec2_ip_range){.cidr = r->cidr_v4, .description = r->description};
        if (r->cidr_v6.ptr)
            *LIST_ADD(x->arena, &p->ranges_v6) =
                (struct ec2_ip_range){.cidr = r->cidr_v6, .description = r->description};
        if (r->referenced.group_id.ptr)
            *LIST_ADD(x->arena, &p->groups) =
                (struct ec2_group_pair){.group_id = r->referenced.group_id,
                                        .user_id = r->referenced.user_id,
                                        .description = r->description};
        if (r->prefix_list.ptr)
            LIST_ADD(x->arena, &p->prefix_lists)->id = r->prefix_list;
    }
}

static void group_fill(struct ctx *x, const struct group *g, struct ec2_security_group *ret) {
    *ret = (struct ec2_security_group){
        .id = str_from(g->id),
        .arn = str_from(arena_printf(x->arena, "arn:aws:ec2:%s:%s:security-group/%s",
                                     x->c->options.region, x->c->options.account, g->id)),
        .name = str_from(g->name),
        .description = str_from(g->description),
        .vpc_id = str_from(x->c->vpc_id),
        .owner_id = cloud_account(x->c),
        .tags = tags_reply(x->arena, &g->tags, x->seen_ns),
    };
    group_fill_rules(x, g, &ret->ingress);
    struct ec2_ip_permission *all = LIST_ADD(x->arena, &ret->egress);
    all->protocol = STR("-1");
    LIST_ADD(x->arena, &all->ranges)->cidr = STR("0.0.0.0/0");
}

int network_groups(struct ctx *x) {
    const struct ec2_describe_security_groups_in *in = &x->in->describe_security_groups;
    struct ec2_describe_security_groups_out *out = &x->out->describe_security_groups;
    struct group *found = NULL;
    struct page page;
    TRY(filter_check(x, &in->filters, group_filter_get));
    TRY(page_open(x, in->max_results, 5, 1000, in->next_token, &page));
    for (size_t n = 0; n < in->ids.count; n++)
        TRY(group_get(x, in->ids.items[n], STR_EMPTY, &found));
    for (size_t n = 0; n < in->names.count; n++)
        TRY(group_get(x, STR_EMPTY, in->names.items[n], &found));
    for (size_t n = page.start; n < x->c->groups.count; n++) {
        const struct group *g = x->c->groups.items[n];
        if (!g->exists || (in->ids.count && !str_in(str_from(g->id), &in->ids)) ||
            (in->names.count && !str_in(str_from(g->name), &in->names)) ||
            !filter_match(x, &in->filters, group_filter_get, g))
            continue;
        if (out->groups.count == page.limit) {
            out->next_token = page_token(x, n);
            break;
        }
        group_fill(x, g, LIST_ADD(x->arena, &out->groups));
    }
    return 0;
}
