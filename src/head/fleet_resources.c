/* The calls behind PREPARE and DELETE_RESOURCES: group, templates and fleet records of a run. */
#include "head/fleet_call.h"

#include "base/log.h"
#include "base/when.h"
#include "node/bootstrap.h"

#define FLEETS_PER_DELETE 25 /* instant fleets that one DeleteFleets takes */

struct fleet_call *fleet_call_new(struct head *h, uint32_t call) {
    struct fleet_call *c = mem_new(sizeof *c);
    c->h = h;
    c->call = call;
    c->next = h->calls;
    h->calls = c;
    return c;
}

void fleet_call_end(struct fleet_call *own_call) {
    struct fleet_call **at = &own_call->h->calls;
    while (*at != own_call)
        at = &(*at)->next;
    *at = own_call->next;
    arena_deinit(&own_call->arena);
    mem_free(own_call);
}

void fleet_close(struct head *h) {
    while (h->calls)
        fleet_call_end(h->calls);
}

/* ---- tags ---- */

#define TAGS_MAX 32

struct ec2_tags fleet_tags(struct fleet_call *c, const char *token, int role) {
    struct head *h = c->h;
    struct ec2_tag *tags = arena_new_array(&c->arena, TAGS_MAX, sizeof *tags);
    CLEANUP(buf_deinit) struct buf deadline = BUF_INIT(64);
    when_add_rfc3339(&deadline, h->deadline_unix_ms);
    size_t count = 0;
    tags[count++] = (struct ec2_tag){STR("dayfly:run"), str_from(h->id)};
    tags[count++] = (struct ec2_tag){STR("dayfly:name"), h->plan->name};
    tags[count++] = (struct ec2_tag){STR("dayfly:owner"), str_from(h->owner)};
    tags[count++] =
        (struct ec2_tag){STR("dayfly:deadline"), arena_str(&c->arena, buf_str(&deadline))};
    const struct plan_pairs *extra = &h->plan->fleet.tags;
    if (token) {
        tags[count++] =
            (struct ec2_tag){STR("dayfly:intent"), arena_str(&c->arena, str_from(token))};
        tags[count++] = (struct ec2_tag){STR("dayfly:role"), h->plan->roles[role].name};
        tags[count++] = (struct ec2_tag){
            STR("Name"),
            str_from(arena_printf(&c->arena, "dayfly %.*s %.*s", STR_ARG(h->plan->name),
                                  STR_ARG(h->plan->roles[role].name)))};
        extra = &h->plan->roles[role].tags;
    }
    for (uint32_t i = 0; i < extra->count && count < TAGS_MAX; i++)
        tags[count++] = (struct ec2_tag){extra->items[i].name, extra->items[i].value};
    return (struct ec2_tags){.items = tags, .count = count};
}

struct ec2_tag_specs fleet_spec(struct fleet_call *c, const char *type, struct ec2_tags tags) {
    struct ec2_tag_spec *spec = arena_new(&c->arena, sizeof *spec);
    *spec = (struct ec2_tag_spec){.resource_type = str_from(type), .tags = tags};
    return (struct ec2_tag_specs){.items = spec, .count = 1};
}

struct ec2_filters fleet_filter(struct fleet_call *c) {
    struct ec2_filter *filter = arena_new(&c->arena, sizeof *filter);
    struct str *value = arena_new(&c->arena, sizeof *value);
    *value = str_from(c->h->id); /* letters and digits: no wildcard of a filter */
    *filter =
        (struct ec2_filter){.name = STR("tag:dayfly:run"), .values = {.items = value, .count = 1}};
    return (struct ec2_filters){.items = filter, .count = 1};
}

struct str fleet_tag(const struct ec2_tags *tags, struct str key) {
    for (size_t i = 0; i < tags->count; i++)
        if (str_equal(tags->items[i].key, key))
            return tags->items[i].value;
    return STR_EMPTY;
}

bool fleet_is_ours(const struct head *h, const struct ec2_tags *tags) {
    if (!str_equal(fleet_tag(tags, STR("dayfly:run")), str_from(h->id)))
        return false;
    return !h->owner[0] || str_equal(fleet_tag(tags, STR("dayfly:owner")), str_from(h->owner));
}

/* ---- prepare: one security group, one launch template per role and architecture ---- */

const char *const FLEET_ARCHS[FLEET_ARCH_COUNT] = {"x86_64", "arm64"};

char *fleet_template(struct fleet_call *c, uint32_t role, uint32_t arch) {
    return arena_printf(&c->arena, "dayfly-%s-%.*s%s", c->h->id,
                        STR_ARG(c->h->plan->roles[role].name), arch ? "-arm64" : "");
}

static void prepare_failed(struct fleet_call *c, const char *what,
                           const struct aws_result *result) {
    head_note(c->h, "%s: %s", what, result->err.text);
    struct run_event event = {.kind = RUN_EV_PREPARE_FAILED, .call = c->call};
    event.prepare_failed.refusal = result->class == AWS_DENIED || result->class == AWS_AUTH
                                       ? RUN_REFUSED_DENIED
                                   : result->class == AWS_QUOTA   ? RUN_REFUSED_QUOTA
                                   : result->class == AWS_INVALID ? RUN_REFUSED_INVALID
                                                                  : RUN_REFUSED_OTHER;
    head_feed(c->h, &event);
    fleet_call_end(c);
}

static void prepare_next(struct fleet_call *c);

static bool has_code(const struct aws_result *result, const char *code) {
    return strcmp(result->code, code) == 0;
}

static void on_template(void *user, const struct aws_result *result,
                        const struct ec2_reply *reply) {
    (void)reply;
    struct fleet_call *c = user;
    bool there = has_code(result, "InvalidLaunchTemplateName.AlreadyExistsException");
    if (result->class != AWS_OK && !there) {
        prepare_failed(c, "launch template", result);
        return;
    }
    c->index++;
    prepare_next(c);
}

static int add_user_data(struct fleet_call *c, uint32_t role, struct buf *script, struct err *err) {
    struct head *h = c->h;
    struct str heads[BOOTSTRAP_HEADS_MAX];
    size_t count = 0;
    uint8_t pin[LINK_PIN_SIZE];
    char pin_text[LINK_PIN_TEXT_SIZE];
    link_key_pin(h->key, pin);
    link_pin_text(pin, pin_text);
    for (size_t i = 0; i < h->o.head_address_count && count < BOOTSTRAP_HEADS_MAX; i++)
        heads[count++] = str_from(arena_printf(&c->arena, "%s:%u", h->o.head_addresses[i],
                                               (unsigned)link_server_port(h->server)));
    struct bootstrap b = {
        .run = str_from(h->id),
        .name = h->plan->name,
        .role = h->plan->roles[role].name,
        .heads = heads,
        .heads_count = count,
        .pin = str_from(pin_text),
        .token = str_from(h->token),
        .agent_sha256 = str_from(h->agent_sha256),
        .cap_ns = h->plan->fleet.ttl_ns,
        .deadline_unix_ms = h->deadline_unix_ms,
    };
    return bootstrap_script(&b, script, err);
}

static void make_template(struct fleet_call *c, uint32_t role, uint32_t arch) {
    struct head *h = c->h;
    CLEANUP(buf_deinit) struct buf script = BUF_INIT(USER_DATA_BYTES_MAX);
    struct err err = {0};
    if (add_user_data(c, role, &script, &err) < 0) {
        struct aws_result result = {.class = AWS_INVALID, .err = err};
        prepare_failed(c, "user-data", &result);
        return;
    }
    struct ec2_request r = {.action = EC2_CREATE_LAUNCH_TEMPLATE};
    struct ec2_create_launch_template_in *in = &r.create_launch_template;
    in->name = str_from(fleet_template(c, role, arch));
    in->client_token = str_from(arena_printf(&c->arena, "%s-t%u-%u", h->id, role, arch));
    in->tag_specs = fleet_spec(c, "launch-template", fleet_tags(c, NULL, 0));
    in->data.image_id = arch ? h->roles[role].image_arm64 : h->roles[role].image_x86_64;
    in->data.user_data = buf_str(&script);
    in->data.shutdown_behavior = STR("terminate");
    in->data.metadata.http_tokens = STR("required");
    in->data.metadata.instance_tags = STR("enabled");
    in->data.group_ids = (struct ec2_strs){.items = &h->group_id, .count = 1};
    aws_ec2_call(h->aws, &r, 0, on_template, c);
}

static void on_ingress(void *user, const struct aws_result *result, const struct ec2_reply *reply) {
    (void)reply;
    struct fleet_call *c = user;
    if (result->class != AWS_OK && !has_code(result, "InvalidPermission.Duplicate")) {
        prepare_failed(c, "security group rule", result);
        return;
    }
    c->step++;
    prepare_next(c);
}

/* Nodes of a run may talk to each other; nobody else may talk to them. */
static void allow_each_other(struct fleet_call *c) {
    struct head *h = c->h;
    struct ec2_group_pair pair = {.group_id = h->group_id};
    struct ec2_ip_permission rule = {.protocol = STR("-1"), .groups = {.items = &pair, .count = 1}};
    struct ec2_request r = {.action = EC2_AUTHORIZE_SECURITY_GROUP_INGRESS};
    r.authorize_security_group_ingress.id = h->group_id;
    r.authorize_security_group_ingress.permissions =
        (struct ec2_ip_permissions){.items = &rule, .count = 1};
    aws_ec2_call(h->aws, &r, 0, on_ingress, c);
}

static void on_group_made(void *user, const struct aws_result *result,
                          const struct ec2_reply *reply) {
    struct fleet_call *c = user;
    if (result->class != AWS_OK) {
        prepare_failed(c, "security group", result);
        return;
    }
    c->h->group_id = arena_str(&c->h->arena, reply->create_security_group.id);
    c->step++;
    prepare_next(c);
}

static void make_group(struct fleet_call *c) {
    struct head *h = c->h;
    struct ec2_request r = {.action = EC2_CREATE_SECURITY_GROUP};
    r.create_security_group.name = str_from(arena_printf(&c->arena, "dayfly-%s", h->id));
    r.create_security_group.description = STR("dayfly run: nodes of one run among themselves");
    r.create_security_group.vpc_id = h->vpc_id;
    r.create_security_group.tag_specs = fleet_spec(c, "security-group", fleet_tags(c, NULL, 0));
    aws_ec2_call(h->aws, &r, 0, on_group_made, c);
}

/* CreateSecurityGroup has no client token: look before making. */
static void on_group_found(void *user, const struct aws_result *result,
                           const struct ec2_reply *reply) {
    struct fleet_call *c = user;
    if (result->class != AWS_OK) {
        prepare_failed(c, "security group", result);
        return;
    }
    const struct ec2_security_groups *all = &reply->describe_security_groups.groups;
    size_t at = 0;
    while (at < all->count && !fleet_is_ours(c->h, &all->items[at].tags))
        at++;
    if (at == all->count) {
        make_group(c);
        return;
    }
    c->h->group_id = arena_str(&c->h->arena, all->items[at].id);
    c->step++;
    prepare_next(c);
}

static void find_group(struct fleet_call *c) {
    struct ec2_request r = {.action = EC2_DESCRIBE_SECURITY_GROUPS};
    r.describe_security_groups.filters = fleet_filter(c);
    aws_ec2_call(c->h->aws, &r, 0, on_group_found, c);
}

static void prepare_next(struct fleet_call *c) {
    struct head *h = c->h;
    if (c->step == 0) {
        find_group(c);
        return;
    }
    if (c->step == 1) {
        allow_each_other(c);
        return;
    }
    for (; c->index < h->plan->role_count * ARRAY_LEN(FLEET_ARCHS); c->index++) {
        uint32_t role = c->index / 2, arch = c->index % 2;
        if (arch ? h->roles[role].image_arm64.len : h->roles[role].image_x86_64.len) {
            make_template(c, role, arch);
            return;
        }
    }
    struct run_event event = {.kind = RUN_EV_PREPARED, .call = c->call};
    head_feed(h, &event);
    fleet_call_end(c);
}

void fleet_prepare(struct head *h, uint32_t call) {
    prepare_next(fleet_call_new(h, call));
}

/* ---- templates, groups, fleet records ---- */

enum { DELETE_FLEETS, LIST_TEMPLATES, DELETE_TEMPLATES, LIST_GROUPS, DELETE_GROUPS, DELETED };

static void delete_next(struct fleet_call *c);

static void on_fleets_deleted(void *user, const struct aws_result *result,
                              const struct ec2_reply *reply) {
    (void)reply;
    struct fleet_call *c = user;
    if (result->class != AWS_OK)
        log_event(LOG_WARN, "fleets.delete", "why=%s", result->err.text);
    c->index += FLEETS_PER_DELETE; /* a record without instances costs nothing: one try */
    delete_next(c);
}

static void delete_fleets(struct fleet_call *c) {
    struct head *h = c->h;
    struct ec2_request r = {.action = EC2_DELETE_FLEETS};
    uint32_t count = MIN(h->fleet_count - c->index, (uint32_t)FLEETS_PER_DELETE);
    r.delete_fleets.ids = (struct ec2_strs){.items = h->fleet_ids + c->index, .count = count};
    r.delete_fleets.terminate_instances = EC2_TRUE;
    aws_ec2_call(h->aws, &r, AWS_URGENT, on_fleets_deleted, c);
}

static void list_failed(struct fleet_call *c, const struct aws_result *result) {
    log_event(LOG_WARN, "resources.list", "why=%s", result->err.text);
    struct run_event event = {.kind = RUN_EV_RESOURCES_FAILED, .call = c->call};
    event.resources.count = c->left;
    head_feed(c->h, &event);
    fleet_call_end(c);
}

static void keep_names(struct fleet_call *c, size_t count) {
    c->names = arena_new_array(&c->arena, MAX(count, (size_t)1), sizeof *c->names);
    c->name_count = 0;
    c->index = 0;
    c->step++;
}

static void on_templates(void *user, const struct aws_result *result,
                         const struct ec2_reply *reply) {
    struct fleet_call *c = user;
    if (result->class != AWS_OK) {
        list_failed(c, result);
        return;
    }
    const struct ec2_templates *all = &reply->describe_launch_templates.templates;
    keep_names(c, all->count);
    for (size_t i = 0; i < all->count; i++)
        if (fleet_is_ours(c->h, &all->items[i].tags))
            c->names[c->name_count++] = arena_str(&c->arena, all->items[i].id);
    delete_next(c);
}

static void on_groups(void *user, const struct aws_result *result, const struct ec2_reply *reply) {
    struct fleet_call *c = user;
    if (result->class != AWS_OK) {
        list_failed(c, result);
        return;
    }
    const struct ec2_security_groups *all = &reply->describe_security_groups.groups;
    keep_names(c, all->count);
    for (size_t i = 0; i < all->count; i++)
        if (fleet_is_ours(c->h, &all->items[i].tags))
            c->names[c->name_count++] = arena_str(&c->arena, all->items[i].id);
    delete_next(c);
}

static void on_deleted(void *user, const struct aws_result *result, const struct ec2_reply *reply) {
    (void)reply;
    struct fleet_call *c = user;
    if (result->class != AWS_OK && result->class != AWS_NOT_FOUND) {
        log_event(LOG_WARN, "resources.delete", "why=%s", result->err.text);
        c->left++;
    } else if (c->step == DELETE_TEMPLATES) {
        c->h->templates_deleted++;
    } else {
        c->h->groups_deleted++;
    }
    c->index++;
    delete_next(c);
}

static void delete_one(struct fleet_call *c) {
    struct ec2_request r = {.action = EC2_DELETE_LAUNCH_TEMPLATE};
    r.delete_launch_template.id = c->names[c->index];
    if (c->step == DELETE_GROUPS) {
        r = (struct ec2_request){.action = EC2_DELETE_SECURITY_GROUP};
        r.delete_security_group.id = c->names[c->index];
    }
    aws_ec2_call(c->h->aws, &r, AWS_URGENT, on_deleted, c);
}

static void delete_next(struct fleet_call *c) {
    struct head *h = c->h;
    if (c->step == DELETE_FLEETS && c->index < h->fleet_count) {
        delete_fleets(c);
        return;
    }
    if (c->step == DELETE_FLEETS) {
        h->fleet_count = 0;
        c->step = LIST_TEMPLATES;
    }
    bool deleting = c->step == DELETE_TEMPLATES || c->step == DELETE_GROUPS;
    if (deleting && c->index < c->name_count) {
        delete_one(c);
        return;
    }
    if (deleting)
        c->step++;
    if (c->step == LIST_TEMPLATES) {
        struct ec2_request r = {.action = EC2_DESCRIBE_LAUNCH_TEMPLATES};
        r.describe_launch_templates.filters = fleet_filter(c);
        aws_ec2_call(h->aws, &r, AWS_URGENT, on_templates, c);
    } else if (c->step == LIST_GROUPS) {
        struct ec2_request r = {.action = EC2_DESCRIBE_SECURITY_GROUPS};
        r.describe_security_groups.filters = fleet_filter(c);
        aws_ec2_call(h->aws, &r, AWS_URGENT, on_groups, c);
    } else {
        struct run_event event = {
            .kind = c->left ? RUN_EV_RESOURCES_FAILED : RUN_EV_RESOURCES_DELETED, .call = c->call};
        event.resources.count = c->left;
        head_feed(h, &event);
        fleet_call_end(c);
    }
}

void fleet_delete_resources(struct head *h, uint32_t call) {
    delete_next(fleet_call_new(h, call));
}
