/* Launch templates and their versions. */
#include "cloud/state.h"

#include "base/units.h"

#define TEMPLATES_MAX 5000
#define TEMPLATE_VERSIONS_MAX 10000

void template_free(struct template *own_template) {
    if (!own_template)
        return;
    mem_free(own_template->name);
    mem_free(own_template->versions);
    tags_deinit(&own_template->tags);
    arena_deinit(&own_template->arena);
    mem_free(own_template);
}

static struct template *template_find(const struct cloud *c, struct str id, struct str name) {
    for (size_t n = 0; n < c->templates.count; n++) {
        struct template *t = c->templates.items[n];
        if (t->exists &&
            (id.ptr ? str_equal(id, str_from(t->id)) : str_equal(name, str_from(t->name))))
            return t;
    }
    return NULL;
}

static int template_lookup(struct ctx *x, struct str id, struct str name,
                           struct template **ret_template) {
    if (id.ptr && name.ptr)
        return ec2_fault_set(x->fault, "InvalidParameterCombination",
                             "Specify either a launch template ID or a name, but not both");
    if (!id.ptr && !name.ptr)
        return ec2_fault_set(x->fault, "MissingParameter",
                             "A launch template ID or name is missing");
    if (id.ptr && !str_starts_with(id, STR("lt-")))
        return ec2_fault_set(x->fault, "InvalidLaunchTemplateId.Malformed", "Invalid id: \"%.*s\"",
                             STR_ARG(id));
    *ret_template = template_find(x->c, id, name);
    if (*ret_template)
        return 0;
    if (id.ptr)
        return ec2_fault_set(
            x->fault, "InvalidLaunchTemplateId.NotFound",
            "The specified launch template, with template ID %.*s, does not exist.", STR_ARG(id));
    return ec2_fault_set(x->fault, "InvalidLaunchTemplateName.NotFoundException",
                         "The specified launch template, with template name %.*s, does not exist.",
                         STR_ARG(name));
}

static int template_version_number(struct ctx *x, const struct template *t, struct str version,
                                   uint32_t *ret_version) {
    uint64_t number = 0;
    if (version.len == 0 || str_equal(version, STR("$Default"))) {
        *ret_version = 1; /* no call here moves the default */
        return 0;
    }
    if (str_equal(version, STR("$Latest"))) {
        *ret_version = (uint32_t)t->version_count;
        return 0;
    }
    if (units_u64(version, &number, NULL) < 0 || number < 1 || number > t->version_count)
        return ec2_fault_set(x->fault, "InvalidLaunchTemplateId.VersionNotFound",
                             "Could not find the specified version %.*s for the launch template "
                             "with ID %s.",
                             STR_ARG(version), t->id);
    *ret_version = (uint32_t)number;
    return 0;
}

int template_get(struct ctx *x, const struct ec2_template_ref *ref, struct template **ret_template,
                 uint32_t *ret_version) {
    TRY(template_lookup(x, ref->id, ref->name, ret_template));
    return template_version_number(x, *ret_template, ref->version, ret_version);
}

#define MERGE_STR(field) into->field = over->field.ptr ? over->field : under->field
#define MERGE_LIST(field) into->field = over->field.count ? over->field : under->field
#define MERGE_FLAG(field) into->field = over->field != EC2_UNSET ? over->field : under->field

void template_merge(struct ec2_template_data *into, const struct ec2_template_data *under,
                    const struct ec2_template_data *over) {
    must(into != under && into != over);
    *into = (struct ec2_template_data){0};
    MERGE_STR(image_id);
    MERGE_STR(instance_type);
    MERGE_STR(key_name);
    MERGE_STR(user_data);
    MERGE_STR(shutdown_behavior);
    bool own_groups = over->group_ids.count || over->group_names.count;
    into->group_ids = own_groups ? over->group_ids : under->group_ids;
    into->group_names = own_groups ? over->group_names : under->group_names;
    MERGE_STR(placement.zone);
    MERGE_STR(placement.zone_id);
    MERGE_STR(placement.group_name);
    MERGE_STR(placement.tenancy);
    bool own_profile = over->profile.arn.ptr || over->profile.name.ptr;
    into->profile = own_profile ? over->profile : under->profile;
    MERGE_STR(metadata.http_tokens);
    MERGE_STR(metadata.http_endpoint);
    MERGE_STR(metadata.http_ipv6);
    MERGE_STR(metadata.instance_tags);
    into->metadata.hop_limit =
        over->metadata.hop_limit ? over->metadata.hop_limit : under->metadata.hop_limit;
    into->market = over->market.type.ptr ? over->market : under->market;
    MERGE_LIST(disks);
    MERGE_LIST(interfaces);
    MERGE_LIST(tag_specs);
    MERGE_FLAG(monitoring);
    MERGE_FLAG(ebs_optimized);
    MERGE_FLAG(api_termination_disabled);
    MERGE_FLAG(api_stop_disabled);
    MERGE_STR(cpu_credits);
}

/* Own copy of the request, by way of its wire form: what the arena holds then needs no one. */
const struct ec2_request *request_dup(struct ctx *x, struct arena *arena) {
    struct ec2_request *copy = arena_new(arena, sizeof *copy);
    struct buf wire = BUF_INIT(REPLY_BYTES_MAX);
    ec2_request_encode(x->in, &wire);
    must(buf_ok(&wire));
    int decoded = ec2_request_decode(buf_str(&wire), arena, copy, x->fault);
    buf_deinit(&wire);
    return decoded < 0 ? NULL : copy;
}

static void template_add_version(struct ctx *x, struct template *t,
                                 const struct ec2_template_data *data, struct str description) {
    if (t->version_count == t->version_capacity) {
        t->version_capacity = t->version_capacity ? 2 * t->version_capacity : 2;
        t->versions = mem_resize(t->versions, t->version_capacity * sizeof *t->versions);
    }
    t->versions[t->version_count++] = (struct template_version){
        .data = *data, .description = description, .created_ns = x->c->now_ns};
}

static struct ec2_template template_reply(struct ctx *x, const struct template *t) {
    return (struct ec2_template){
        .id = str_from(t->id),
        .name = str_from(t->name),
        .created_unix_ms = cloud_unix_ms(x->c, t->created_ns),
        .created_by =
            str_from(arena_printf(x->arena, "arn:aws:iam::%s:root", x->c->options.account)),
        .default_version = 1,
        .latest_version = (int64_t)t->version_count,
        .tags = tags_reply(x->arena, &t->tags, x->seen_ns),
    };
}

static bool template_name_is_valid(struct str name) {
    for (size_t n = 0; n < name.len; n++) {
        char ch = name.ptr[n];
        bool letter = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z');
        if (!letter && !(ch >= '0' && ch <= '9') && !memchr("()./_-", ch, 6))
            return false;
    }
    return name.len >= 3 && name.len <= 128;
}

static int template_check_data(struct ctx *x, const struct ec2_template_data *d) {
    static const char *const types[] = {"instance", "volume", "network-interface",
                                        "spot-instances-request", NULL};
    if (d->user_data.len > USER_DATA_BYTES_MAX)
        return ec2_fault_set(x->fault, "InvalidUserData.Malformed",
                             "User data is limited to 16384 bytes");
    return tags_check_specs(x, &d->tag_specs, types);
}

/* The template that an earlier call with the same token made, or NULL. */
static struct template *template_of_token(struct ctx *x, const struct token *token) {
    for (size_t n = 0; n < x->c->templates.count; n++)
        if (str_equal(str_from(x->c->templates.items[n]->id), str_from(token->result)))
            return x->c->templates.items[n];
    return NULL;
}

int templates_create(struct ctx *x) {
    static const char *const types[] = {"launch-template", NULL};
    const struct ec2_create_launch_template_in *in = &x->in->create_launch_template;
    struct token token;
    int known = token_check(x, STR_EMPTY, &token);
    if (known < 0)
        return known;
    if (known > 0) {
        x->out->create_launch_template.template = template_reply(x, template_of_token(x, &token));
        return 0;
    }
    if (!template_name_is_valid(in->name))
        return ec2_fault_set(x->fault, "InvalidLaunchTemplateName.MalformedException",
                             "A launch template name must be 3 to 128 characters of "
                             "[a-zA-Z0-9()./_-]");
    TRY(tags_check_specs(x, &in->tag_specs, types));
    TRY(template_check_data(x, &in->data));
    if (template_find(x->c, STR_EMPTY, in->name))
        return ec2_fault_set(x->fault, "InvalidLaunchTemplateName.AlreadyExistsException",
                             "Launch template name already in use.");
    if (x->c->templates.count >= TEMPLATES_MAX)
        return ec2_fault_set(x->fault, "LaunchTemplateLimitExceeded", "At most %d launch templates",
                             TEMPLATES_MAX);
    struct template *t = mem_new(sizeof *t);
    const struct ec2_request *copy = request_dup(x, &t->arena);
    if (!copy) {
        template_free(t);
        return -1;
    }
    cloud_make_id(x->c, "lt-", t->id, sizeof t->id);
    t->name = str_dup(in->name);
    t->exists = true;
    t->created_ns = x->c->now_ns;
    template_add_version(x, t, &copy->create_launch_template.data,
                         copy->create_launch_template.version_description);
    tags_apply(x, &t->tags, &in->tag_specs, "launch-template");
    OWN_LIST_ADD(&x->c->templates, t);
    token_keep(x, STR_EMPTY, t->id, 1);
    x->out->create_launch_template.template = template_reply(x, t);
    return 0;
}

static struct ec2_template_version template_version_reply(struct ctx *x, const struct template *t,
                                                          uint32_t version) {
    must(version >= 1 && version <= t->version_count);
    const struct template_version *v = &t->versions[version - 1];
    return (struct ec2_template_version){
        .template_id = str_from(t->id),
        .template_name = str_from(t->name),
        .number = version,
        .description = v->description,
        .created_unix_ms = cloud_unix_ms(x->c, v->created_ns),
        .created_by =
            str_from(arena_printf(x->arena, "arn:aws:iam::%s:root", x->c->options.account)),
        .is_default = version == 1,
        .data = v->data,
    };
}

int templates_version(struct ctx *x) {
    const struct ec2_create_launch_template_version_in *in = &x->in->create_launch_template_version;
    struct ec2_create_launch_template_version_out *out = &x->out->create_launch_template_version;
    struct template *t = NULL;
    struct token token;
    uint32_t source = 0;
    int known = token_check(x, STR_EMPTY, &token);
    if (known < 0)
        return known;
    if (known > 0) {
        out->version = template_version_reply(x, template_of_token(x, &token), token.version);
        return 0;
    }
    TRY(template_lookup(x, in->template_id, in->template_name, &t));
    TRY(template_check_data(x, &in->data));
    if (in->source_version.len > 0)
        TRY(template_version_number(x, t, in->source_version, &source));
    if (t->version_count >= TEMPLATE_VERSIONS_MAX)
        return ec2_fault_set(x->fault, "LaunchTemplateVersionLimitExceeded", "At most %d versions",
                             TEMPLATE_VERSIONS_MAX);
    const struct ec2_request *copy = request_dup(x, &t->arena);
    if (!copy)
        return -1;
    struct ec2_template_data data = copy->create_launch_template_version.data;
    if (source > 0)
        template_merge(&data, &t->versions[source - 1].data,
                       &copy->create_launch_template_version.data);
    template_add_version(x, t, &data, copy->create_launch_template_version.version_description);
    token_keep(x, STR_EMPTY, t->id, (uint32_t)t->version_count);
    out->version = template_version_reply(x, t, (uint32_t)t->version_count);
    return 0;
}

int templates_delete(struct ctx *x) {
    const struct ec2_delete_launch_template_in *in = &x->in->delete_launch_template;
    struct template *t = NULL;
    TRY(template_lookup(x, in->id, in->name, &t));
    t->exists = false;
    t->deleted_ns = x->c->now_ns;
    x->out->delete_launch_template.template = template_reply(x, t);
    return 0;
}

/* ---- describe ------------------------------------------------------------------------------- */

static bool template_filter_get(struct ctx *x, const void *object, struct str name,
                                struct values *ret) {
    const struct template *t = object;
    if (str_equal(name, STR("launch-template-name")))
        values_add(ret, t ? str_from(t->name) : STR_EMPTY);
    else if (!str_equal(name, STR("create-time")))
        return filter_tags(x, t ? &t->tags : NULL, name, ret);
    return true;
}

int templates_describe(struct ctx *x) {
    const struct ec2_describe_launch_templates_in *in = &x->in->describe_launch_templates;
    struct ec2_describe_launch_templates_out *out = &x->out->describe_launch_templates;
    struct template *found = NULL;
    struct page page;
    TRY(filter_check(x, &in->filters, template_filter_get));
    TRY(page_open(x, in->max_results ? in->max_results : 200, 1, 200, in->next_token, &page));
    for (size_t n = 0; n < in->ids.count; n++)
        TRY(template_lookup(x, in->ids.items[n], STR_EMPTY, &found));
    for (size_t n = 0; n < in->names.count; n++)
        TRY(template_lookup(x, STR_EMPTY, in->names.items[n], &found));
    for (size_t n = page.start; n < x->c->templates.count; n++) {
        const struct template *t = x->c->templates.items[n];
        if (!t->exists || (in->ids.count && !str_in(str_from(t->id), &in->ids)) ||
            (in->names.count && !str_in(str_from(t->name), &in->names)) ||
            !filter_match(x, &in->filters, template_filter_get, t))
            continue;
        if (out->templates.count == page.limit) {
            out->next_token = page_token(x, n);
            break;
        }
        *LIST_ADD(x->arena, &out->templates) = template_reply(x, t);
    }
    return 0;
}

struct version_row {
    const struct template *template;
    uint32_t version;
};

static bool version_filter_get(struct ctx *x, const void *object, struct str name,
                               struct values *ret) {
    (void)x;
    const struct version_row *r = object;
    const struct ec2_template_data *d = r ? &r->template->versions[r->version - 1].data : NULL;
    if (str_equal(name, STR("image-id")))
        values_add(ret, d ? d->image_id : STR_EMPTY);
    else if (str_equal(name, STR("instance-type")))
        values_add(ret, d ? d->instance_type : STR_EMPTY);
    else if (str_equal(name, STR("is-default-version")))
        values_add(ret, r && r->version == 1 ? STR("true") : STR("false"));
    else
        return false;
    return true;
}

/* Versions that the request names, as a flag per version; all when it names none. */
static int versions_wanted(struct ctx *x, const struct template *t, bool *wanted) {
    const struct ec2_describe_launch_template_versions_in *in =
        &x->in->describe_launch_template_versions;
    uint32_t low = 1;
    uint32_t high = (uint32_t)t->version_count;
    if (in->min_version.len)
        TRY(template_version_number(x, t, in->min_version, &low));
    if (in->max_version.len)
        TRY(template_version_number(x, t, in->max_version, &high));
    for (uint32_t v = low; v <= high && in->versions.count == 0; v++)
        wanted[v - 1] = true;
    for (size_t n = 0; n < in->versions.count; n++) {
        uint32_t version = 0;
        TRY(template_version_number(x, t, in->versions.items[n], &version));
        wanted[version - 1] = true;
    }
    return 0;
}

static int versions_of(struct ctx *x, const struct template *t, const struct page *page,
                       size_t *position) {
    const struct ec2_describe_launch_template_versions_in *in =
        &x->in->describe_launch_template_versions;
    struct ec2_describe_launch_template_versions_out *out =
        &x->out->describe_launch_template_versions;
    bool *wanted = arena_new_array(x->arena, t->version_count, sizeof *wanted);
    TRY(versions_wanted(x, t, wanted));
    for (uint32_t v = (uint32_t)t->version_count; v >= 1; v--) { /* newest first */
        struct version_row row = {.template = t, .version = v};
        if (!wanted[v - 1] || !filter_match(x, &in->filters, version_filter_get, &row) ||
            (*position)++ < page->start)
            continue;
        if (out->versions.count == page->limit) {
            out->next_token = page_token(x, *position - 1);
            break;
        }
        *LIST_ADD(x->arena, &out->versions) = template_version_reply(x, t, v);
    }
    return 0;
}

int templates_versions(struct ctx *x) {
    const struct ec2_describe_launch_template_versions_in *in =
        &x->in->describe_launch_template_versions;
    struct page page;
    size_t position = 0;
    TRY(filter_check(x, &in->filters, version_filter_get));
    TRY(page_open(x, in->max_results ? in->max_results : 200, 1, 200, in->next_token, &page));
    if (in->template_id.ptr || in->template_name.ptr) {
        struct template *t = NULL;
        TRY(template_lookup(x, in->template_id, in->template_name, &t));
        return versions_of(x, t, &page, &position);
    }
    if (in->versions.count == 0)
        return ec2_fault_set(x->fault, "MissingParameter",
                             "A launch template, or versions of all, must be given");
    for (size_t n = 0; n < x->c->templates.count; n++)
        if (x->c->templates.items[n]->exists)
            TRY(versions_of(x, x->c->templates.items[n], &page, &position));
    return 0;
}
