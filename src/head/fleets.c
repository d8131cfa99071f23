#include "head/fleets.h"

#include "aws/client.h"
#include "base/when.h"
#include "cloud/catalog.h"
#include "report/width.h"
#include "store/runs.h"

#define PAGES_MAX 64
#define ANSWER_NS (60 * NS_PER_S)

struct finding {
    struct arena *arena;
    struct fleets *fleets;
    bool done;
    enum aws_class class;
    struct err err;
};

static struct str find_tag(const struct ec2_tags *tags, struct str key) {
    for (size_t i = 0; i < tags->count; i++)
        if (str_equal(tags->items[i].key, key))
            return tags->items[i].value;
    return STR_EMPTY;
}

/* A copy that a terminal can show. */
static struct str clean(struct finding *f, struct str text) {
    CLEANUP(buf_deinit) struct buf b = BUF_INIT(4 * KIB);
    width_add_clean(&b, text, false);
    return str_from(arena_text(f->arena, buf_str(&b)));
}

static struct str clean_tag(struct finding *f, const struct ec2_tags *tags, const char *key) {
    return clean(f, find_tag(tags, str_from(key)));
}

/* NULL: not of a run. */
static struct fleets_run *find_run(struct finding *f, const struct ec2_tags *tags) {
    struct fleets *all = f->fleets;
    struct str run = find_tag(tags, STR("dayfly:run"));
    struct str owner = clean_tag(f, tags, "dayfly:owner");
    if (!runs_id_ok(run))
        return NULL;
    for (size_t i = 0; i < all->run_count; i++)
        if (str_equal(all->runs[i].run, run) && str_equal(all->runs[i].owner, owner))
            return &all->runs[i];
    if (all->run_count == all->run_capacity) {
        size_t capacity = MAX(all->run_capacity * 2, (size_t)16);
        struct fleets_run *runs = arena_new_array(f->arena, capacity, sizeof *runs);
        if (all->run_count)
            memcpy(runs, all->runs, all->run_count * sizeof *runs);
        all->runs = runs;
        all->run_capacity = capacity;
    }
    struct fleets_run *r = &all->runs[all->run_count++];
    *r = (struct fleets_run){
        .run = arena_str(f->arena, run),
        .name = clean_tag(f, tags, "dayfly:name"),
        .owner = owner,
        .resources_only = true,
    };
    ignore(when_parse(find_tag(tags, STR("dayfly:deadline")), &r->deadline_unix_ms, NULL) < 0);
    return r;
}

static void add_node(struct finding *f, struct fleets_run *r, const struct ec2_instance *from) {
    if (r->node_count == r->node_capacity) {
        size_t capacity = MAX(r->node_capacity * 2, (size_t)16);
        struct fleets_node *nodes = arena_new_array(f->arena, capacity, sizeof *nodes);
        if (r->node_count)
            memcpy(nodes, r->nodes, r->node_count * sizeof *nodes);
        r->nodes = nodes;
        r->node_capacity = capacity;
    }
    const struct catalog_type *type = catalog_find(from->type);
    r->resources_only = false;
    r->nodes[r->node_count++] = (struct fleets_node){
        .id = arena_str(f->arena, from->id),
        .role = clean_tag(f, &from->tags, "dayfly:role"),
        .type = arena_str(f->arena, from->type),
        .zone = arena_str(f->arena, from->placement.zone),
        .market = str_equal(from->lifecycle, STR("spot")) ? STR("spot") : STR("on-demand"),
        .state = arena_str(f->arena, from->state.name),
        .private_ip = arena_str(f->arena, from->private_ip),
        .public_ip = arena_str(f->arena, from->public_ip),
        .launched_unix_ms = from->launched_unix_ms,
        .usd_micro_per_hour = type ? type->on_demand_usd_micro : 0,
    };
    if (!r->first_launch_unix_ms || from->launched_unix_ms < r->first_launch_unix_ms)
        r->first_launch_unix_ms = from->launched_unix_ms;
}

static void on_instances(void *user, const struct ec2_reply *reply) {
    struct finding *f = user;
    const struct ec2_reservations *all = &reply->describe_instances.reservations;
    for (size_t i = 0; i < all->count; i++)
        for (size_t k = 0; k < all->items[i].instances.count; k++) {
            const struct ec2_instance *in = &all->items[i].instances.items[k];
            bool gone = str_equal(in->state.name, STR("terminated"));
            struct fleets_run *run = gone ? NULL : find_run(f, &in->tags);
            if (run)
                add_node(f, run, in);
        }
}

static void on_templates(void *user, const struct ec2_reply *reply) {
    struct finding *f = user;
    const struct ec2_templates *all = &reply->describe_launch_templates.templates;
    for (size_t i = 0; i < all->count; i++)
        ignore(!find_run(f, &all->items[i].tags)); /* being known, or no run, is enough */
}

static void on_groups(void *user, const struct ec2_reply *reply) {
    struct finding *f = user;
    const struct ec2_security_groups *all = &reply->describe_security_groups.groups;
    for (size_t i = 0; i < all->count; i++)
        ignore(!find_run(f, &all->items[i].tags)); /* being known, or no run, is enough */
}

static void on_done(void *user, const struct aws_result *result, const struct ec2_reply *reply) {
    (void)reply;
    struct finding *f = user;
    f->class = result->class;
    f->err = result->err;
    f->done = true;
}

static bool is_done(void *arg) {
    return ((struct finding *)arg)->done;
}

static int list(struct loop *loop, struct aws_client *client, struct finding *f,
                const struct ec2_request *request, aws_ec2_page *page, struct err *err) {
    f->done = false;
    aws_ec2_list(client, request, 0, PAGES_MAX, page, on_done, f);
    if (!loop_run_until(loop, loop_now_ns(loop) + ANSWER_NS, is_done, f))
        return err_set(err, ERR_TIMEOUT, "no answer within a minute");
    if (f->class == AWS_OK)
        return 0;
    bool access = f->class == AWS_AUTH || f->class == AWS_DENIED;
    return err_set(err, access ? ERR_ACCESS : ERR_REMOTE, "%s", f->err.text);
}

int fleets_find(struct loop *loop, const struct aws_config *aws, struct arena *arena,
                struct fleets *ret_fleets, struct err *err) {
    CLEANUP(aws_client_freep) struct aws_client *client = NULL;
    struct aws_client_options options = {0};
    TRY(aws_client_new(loop, aws, &options, &client, err));
    *ret_fleets = (struct fleets){0};
    struct finding f = {.arena = arena, .fleets = ret_fleets};
    struct str value = STR("dayfly:run");
    struct ec2_filter filter = {.name = STR("tag-key"), .values = {.items = &value, .count = 1}};
    struct ec2_filters filters = {.items = &filter, .count = 1};
    struct ec2_request instances = {.action = EC2_DESCRIBE_INSTANCES};
    instances.describe_instances.filters = filters;
    instances.describe_instances.max_results = 1000;
    TRY(list(loop, client, &f, &instances, on_instances, err));
    struct ec2_request templates = {.action = EC2_DESCRIBE_LAUNCH_TEMPLATES};
    templates.describe_launch_templates.filters = filters;
    TRY(list(loop, client, &f, &templates, on_templates, err));
    struct ec2_request groups = {.action = EC2_DESCRIBE_SECURITY_GROUPS};
    groups.describe_security_groups.filters = filters;
    return list(loop, client, &f, &groups, on_groups, err);
}
