#include "head/state.h"

#include "base/log.h"
#include "base/units.h"
#include "cloud/catalog.h"
#include "core/cost.h"

#include <inttypes.h>

#define PAGES_MAX 50
#define TYPES_MAX 512       /* looked at for roles that say what they need */
#define NEEDED_TYPES_MAX 12 /* kept of them, cheapest first: more pools find more capacity */
#define SUBNETS_MAX 32
#define PREFLIGHT_NS (120 * NS_PER_S)

/* ---- calls that the preflight waits for, one at a time ---- */

struct wait {
    bool done;
    enum aws_class class;
    struct err err;
    aws_ec2_page *page;
    void *user;
    struct sts_identity identity;
    struct str value;
    struct arena *arena;
};

static bool is_done(void *arg) {
    return ((struct wait *)arg)->done;
}

static void keep_result(struct wait *w, const struct aws_result *result) {
    w->class = result->class;
    w->err = result->err;
    w->done = true;
}

static void on_page(void *user, const struct ec2_reply *reply) {
    struct wait *w = user;
    w->page(w->user, reply);
}

static void on_list_done(void *user, const struct aws_result *result,
                         const struct ec2_reply *reply) {
    (void)reply;
    keep_result(user, result);
}

static int wait_for(struct head *h, struct wait *w, const char *what, struct err *err) {
    uint64_t until = loop_now_ns(h->loop) + PREFLIGHT_NS;
    while (!w->done && !h->stop_level && loop_now_ns(h->loop) < until)
        ignore(!loop_run_until(h->loop, loop_now_ns(h->loop) + 100 * NS_PER_MS, is_done, w));
    if (!w->done)
        return err_set(err, h->stop_level ? ERR_INTERRUPTED : ERR_TIMEOUT, "%s: %s", what,
                       h->stop_level ? "stopped" : "no answer");
    if (w->class == AWS_OK)
        return 0;
    enum err_code code = w->class == AWS_AUTH || w->class == AWS_DENIED ? ERR_ACCESS : ERR_REMOTE;
    return err_set(err, code, "%s: %s", what, w->err.text);
}

static int list_all(struct head *h, const struct ec2_request *request, const char *what,
                    aws_ec2_page *page, void *user, struct err *err) {
    /* Owned by the arena: a late answer after a stop still finds it. */
    struct wait *w = arena_new(&h->arena, sizeof *w);
    w->page = page;
    w->user = user;
    aws_ec2_list(h->aws, request, 0, PAGES_MAX, on_page, on_list_done, w);
    return wait_for(h, w, what, err);
}

static void on_identity(void *user, const struct aws_result *result,
                        const struct sts_identity *identity) {
    struct wait *w = user;
    if (result->class == AWS_OK)
        w->identity.account = arena_str(w->arena, identity->account);
    keep_result(w, result);
}

static int who_am_i(struct head *h, struct err *err) {
    struct wait *w = arena_new(&h->arena, sizeof *w);
    w->arena = &h->arena;
    aws_sts_get_caller_identity(h->aws, on_identity, w);
    TRY(wait_for(h, w, "credentials", err));
    ignore(!str_copy(h->account, sizeof h->account, w->identity.account));
    return 0;
}

static void on_parameter(void *user, const struct aws_result *result,
                         const struct ssm_reply *reply) {
    struct wait *w = user;
    if (result->class == AWS_OK && reply->parameters.count)
        w->value = arena_str(w->arena, reply->parameters.items[0].value);
    keep_result(w, result);
}

/* ---- images ---- */

static const struct {
    struct str alias;
    const char *x86_64, *arm64;
} ALIASES[] = {
    {STR_INIT("al2023"), "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64",
     "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"},
    {STR_INIT("ubuntu-24.04"),
     "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id",
     "/aws/service/canonical/ubuntu/server/24.04/stable/current/arm64/hvm/ebs-gp3/ami-id"},
    {STR_INIT("ubuntu-22.04"),
     "/aws/service/canonical/ubuntu/server/22.04/stable/current/amd64/hvm/ebs-gp2/ami-id",
     "/aws/service/canonical/ubuntu/server/22.04/stable/current/arm64/hvm/ebs-gp2/ami-id"},
};

static int find_image(struct head *h, struct str image, bool arm64, struct str *ret_id,
                      struct err *err) {
    if (str_starts_with(image, STR("ami-"))) {
        *ret_id = image;
        return 0;
    }
    struct str name = STR_EMPTY;
    if (str_starts_with(image, STR("ssm:")))
        name = str_skip(image, 4);
    for (size_t i = 0; i < ARRAY_LEN(ALIASES); i++)
        if (str_equal(image, ALIASES[i].alias))
            name = str_from(arm64 ? ALIASES[i].arm64 : ALIASES[i].x86_64);
    if (!name.len)
        return err_set(err, ERR_CONFIG,
                       "unknown image '%.*s': write al2023, ubuntu-24.04, ami-... or ssm:/path",
                       STR_ARG(image));
    struct wait *w = arena_new(&h->arena, sizeof *w);
    w->arena = &h->arena;
    struct ssm_request request = {.action = SSM_GET_PARAMETER,
                                  .names = {.items = &name, .count = 1}};
    aws_ssm_call(h->aws, &request, on_parameter, w);
    TRY(wait_for(h, w, "image", err));
    *ret_id = w->value;
    return 0;
}

static int find_images(struct head *h, struct err *err) {
    for (uint32_t r = 0; r < h->plan->role_count; r++) {
        struct head_role *role = &h->roles[r];
        for (uint32_t i = 0; i < role->pool_count; i++) {
            bool arm64 = str_equal(role->pools[i].arch, STR("arm64"));
            struct str *id = arm64 ? &role->image_arm64 : &role->image_x86_64;
            for (uint32_t k = 0; k < r && !id->len; k++) /* roles mostly share one image */
                if (str_equal(h->plan->roles[k].image, h->plan->roles[r].image))
                    *id = arm64 ? h->roles[k].image_arm64 : h->roles[k].image_x86_64;
            if (!id->len)
                TRY(find_image(h, h->plan->roles[r].image, arm64, id, err));
        }
    }
    return 0;
}

/* ---- what the region offers ---- */

struct offer {
    struct head *h;
    struct offer_type {
        struct str name, arch;
        uint32_t vcpus;
        uint64_t memory_bytes;
        bool usable;
    } types[TYPES_MAX];
    uint32_t type_count;
    struct offer_subnet {
        struct str id, zone;
    } subnets[SUBNETS_MAX];
    uint32_t subnet_count;
    struct table offered; /* "type zone" -> itself */
    struct table prices;  /* "type zone" -> micro-dollars per hour, boxed */
};

static void on_vpcs(void *user, const struct ec2_reply *reply) {
    struct offer *o = user;
    if (reply->describe_vpcs.vpcs.count)
        o->h->vpc_id = arena_str(&o->h->arena, reply->describe_vpcs.vpcs.items[0].id);
}

static void on_subnets(void *user, const struct ec2_reply *reply) {
    struct offer *o = user;
    const struct ec2_subnets *all = &reply->describe_subnets.subnets;
    for (size_t i = 0; i < all->count && o->subnet_count < SUBNETS_MAX; i++)
        if (all->items[i].default_for_zone)
            o->subnets[o->subnet_count++] =
                (struct offer_subnet){arena_str(&o->h->arena, all->items[i].id),
                                      arena_str(&o->h->arena, all->items[i].zone)};
}

static void on_types(void *user, const struct ec2_reply *reply) {
    struct offer *o = user;
    const struct ec2_instance_types *all = &reply->describe_instance_types.types;
    for (size_t i = 0; i < all->count && o->type_count < TYPES_MAX; i++) {
        const struct ec2_instance_type *t = &all->items[i];
        const struct ec2_strs *archs = &t->processor.architectures;
        o->types[o->type_count++] = (struct offer_type){
            .name = arena_str(&o->h->arena, t->name),
            .arch = archs->count ? arena_str(&o->h->arena, archs->items[archs->count - 1])
                                 : STR("x86_64"),
            .vcpus = (uint32_t)t->vcpu.vcpus,
            .memory_bytes = (uint64_t)t->memory.size_mib * MIB,
            .usable = t->current_generation && !t->bare_metal,
        };
    }
}

static struct str pair_key(struct arena *arena, struct str type, struct str zone) {
    return str_from(arena_printf(arena, "%.*s %.*s", STR_ARG(type), STR_ARG(zone)));
}

static void on_offerings(void *user, const struct ec2_reply *reply) {
    struct offer *o = user;
    const struct ec2_offerings *all = &reply->describe_instance_type_offerings.offerings;
    for (size_t i = 0; i < all->count; i++)
        ignore(
            table_set(&o->offered,
                      pair_key(&o->h->arena, all->items[i].instance_type, all->items[i].location),
                      o) != NULL); /* said twice: the same */
}

static void on_prices(void *user, const struct ec2_reply *reply) {
    struct offer *o = user;
    const struct ec2_spot_prices *all = &reply->describe_spot_price_history.prices;
    for (size_t i = 0; i < all->count; i++) {
        struct str key = pair_key(&o->h->arena, all->items[i].instance_type, all->items[i].zone);
        if (table_find(&o->prices, key))
            continue; /* newest first: the first one is the price in force */
        uint64_t *price = arena_new(&o->h->arena, sizeof *price);
        *price = (uint64_t)all->items[i].price_usd_micro;
        ignore(table_set(&o->prices, key, price) != NULL); /* looked up above */
    }
}

static struct ec2_filters one_filter(struct head *h, const char *name, const struct str *values,
                                     size_t count) {
    struct ec2_filter *filter = arena_new(&h->arena, sizeof *filter);
    struct str *copy = arena_new_array(&h->arena, MAX(count, (size_t)1), sizeof *copy);
    memcpy(copy, values, count * sizeof *copy);
    *filter =
        (struct ec2_filter){.name = str_from(name), .values = {.items = copy, .count = count}};
    return (struct ec2_filters){.items = filter, .count = 1};
}

static int find_network(struct offer *o, struct err *err) {
    struct head *h = o->h;
    struct str yes = STR("true");
    struct ec2_request vpcs = {.action = EC2_DESCRIBE_VPCS};
    vpcs.describe_vpcs.filters = one_filter(h, "is-default", &yes, 1);
    TRY(list_all(h, &vpcs, "default VPC", on_vpcs, o, err));
    if (!h->vpc_id.len)
        return err_set(err, ERR_CONFIG,
                       "no default VPC in %s: make one (aws ec2 create-default-vpc) or choose "
                       "another region",
                       h->region);
    struct ec2_request subnets = {.action = EC2_DESCRIBE_SUBNETS};
    subnets.describe_subnets.filters = one_filter(h, "vpc-id", &h->vpc_id, 1);
    TRY(list_all(h, &subnets, "subnets", on_subnets, o, err));
    if (!o->subnet_count)
        return err_set(err, ERR_CONFIG, "the default VPC of %s has no default subnet", h->region);
    return 0;
}

/* Every type that some role names; none when a role says what it needs instead. */
static uint32_t named_types(const struct plan *plan, struct str *names, uint32_t max,
                            bool *ret_by_need) {
    uint32_t count = 0;
    *ret_by_need = false;
    for (uint32_t r = 0; r < plan->role_count; r++) {
        const struct plan_texts *types = &plan->roles[r].instances;
        *ret_by_need |= types->count == 0;
        for (uint32_t i = 0; i < types->count && count < max; i++) {
            bool twice = false;
            for (uint32_t k = 0; k < count; k++)
                twice |= str_equal(names[k], types->items[i]);
            if (!twice)
                names[count++] = types->items[i];
        }
    }
    return count;
}

static int find_types(struct offer *o, struct err *err) {
    struct head *h = o->h;
    struct str names[100]; /* what one call takes */
    bool by_need;
    uint32_t count = named_types(h->plan, names, ARRAY_LEN(names), &by_need);
    struct ec2_request types = {.action = EC2_DESCRIBE_INSTANCE_TYPES};
    struct ec2_request offerings = {.action = EC2_DESCRIBE_INSTANCE_TYPE_OFFERINGS};
    struct ec2_request prices = {.action = EC2_DESCRIBE_SPOT_PRICE_HISTORY};
    struct str product = STR("Linux/UNIX");
    offerings.describe_instance_type_offerings.location_type = STR("availability-zone");
    prices.describe_spot_price_history.products = (struct ec2_strs){&product, 1};
    prices.describe_spot_price_history.start_unix_ms = head_unix_ms(h);
    if (!by_need) {
        /* As a filter and not by name: a type that the region does not know is no error. */
        types.describe_instance_types.filters = one_filter(h, "instance-type", names, count);
        offerings.describe_instance_type_offerings.filters =
            one_filter(h, "instance-type", names, count);
        prices.describe_spot_price_history.instance_types = (struct ec2_strs){names, count};
    }
    TRY(list_all(h, &types, "instance types", on_types, o, err));
    TRY(list_all(h, &offerings, "instance type offerings", on_offerings, o, err));
    return list_all(h, &prices, "Spot prices", on_prices, o, err);
}

/* ---- pools ---- */

static uint64_t on_demand_price(struct str type) {
    const struct catalog_type *t = catalog_find(type);
    return t ? t->on_demand_usd_micro : 0;
}

static bool zone_allowed(const struct plan_zone_choice *zones, struct str zone) {
    if (zones->kind != PLAN_ZONES_LIST)
        return true;
    for (uint32_t i = 0; i < zones->names.count; i++)
        if (str_equal(zones->names.items[i], zone))
            return true;
    return false;
}

static void add_pools(struct offer *o, uint32_t r, const struct offer_type *type) {
    struct head *h = o->h;
    struct head_role *role = &h->roles[r];
    for (uint32_t s = 0; s < o->subnet_count && role->pool_count < POOLS_MAX; s++) {
        const struct offer_subnet *subnet = &o->subnets[s];
        struct str key = pair_key(&h->arena, type->name, subnet->zone);
        if (!zone_allowed(&h->plan->roles[r].zones, subnet->zone) || !table_find(&o->offered, key))
            continue;
        const uint64_t *spot = table_find(&o->prices, key);
        role->pools[role->pool_count++] = (struct head_pool){
            .type = type->name,
            .zone = subnet->zone,
            .subnet_id = subnet->id,
            .arch = type->arch,
            .vcpus = type->vcpus,
            .spot_usd_micro_per_hour = spot ? *spot : 0,
            .demand_usd_micro_per_hour = on_demand_price(type->name),
        };
    }
}

static bool meets(const struct plan_needs *needs, const struct offer_type *t) {
    bool good = t->usable && t->vcpus >= needs->vcpus.low && t->vcpus <= needs->vcpus.high &&
                t->memory_bytes >= needs->memory_bytes.low &&
                t->memory_bytes <= needs->memory_bytes.high &&
                (!needs->arch.len || str_equal(needs->arch, t->arch));
    for (uint32_t i = 0; good && i < needs->exclude.count; i++)
        good = !str_match(t->name, needs->exclude.items[i]);
    return good;
}

static int by_price(const void *a, const void *b) {
    const struct offer_type *const *x = a, *const *y = b;
    uint64_t p = on_demand_price((*x)->name), q = on_demand_price((*y)->name);
    p = p ? p : UINT64_MAX; /* unknown price: last */
    q = q ? q : UINT64_MAX;
    return p < q ? -1 : p > q ? 1 : str_compare((*x)->name, (*y)->name);
}

static void choose_by_need(struct offer *o, uint32_t r) {
    const struct offer_type *fitting[TYPES_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < o->type_count; i++)
        if (meets(&o->h->plan->roles[r].needs, &o->types[i]))
            fitting[count++] = &o->types[i];
    qsort(fitting, count, sizeof *fitting, by_price);
    for (uint32_t i = 0; i < MIN(count, (uint32_t)NEEDED_TYPES_MAX); i++)
        add_pools(o, r, fitting[i]);
}

static bool offered_somewhere(struct offer *o, struct str type) {
    for (uint32_t s = 0; s < o->subnet_count; s++)
        if (table_find(&o->offered, pair_key(&o->h->arena, type, o->subnets[s].zone)))
            return true;
    return false;
}

static void choose_by_name(struct offer *o, uint32_t r) {
    const struct plan_texts *names = &o->h->plan->roles[r].instances;
    for (uint32_t i = 0; i < names->count; i++) {
        for (uint32_t k = 0; k < o->type_count; k++)
            if (str_equal(o->types[k].name, names->items[i]))
                add_pools(o, r, &o->types[k]);
        if (!offered_somewhere(o, names->items[i]))
            head_note(o->h, "%.*s is not offered in %s: left out", STR_ARG(names->items[i]),
                      o->h->region);
    }
}

/* `zones: one`: keep only the zone in which the most pools of all roles are. */
static void keep_one_zone(struct head *h, const struct offer *o) {
    uint32_t best = 0, best_count = 0;
    for (uint32_t s = 0; s < o->subnet_count; s++) {
        uint32_t count = 0;
        for (uint32_t r = 0; r < h->plan->role_count; r++)
            for (uint32_t i = 0; i < h->roles[r].pool_count; i++)
                count += str_equal(h->roles[r].pools[i].zone, o->subnets[s].zone);
        if (count > best_count) {
            best = s;
            best_count = count;
        }
    }
    for (uint32_t r = 0; r < h->plan->role_count; r++) {
        struct head_role *role = &h->roles[r];
        uint32_t kept = 0;
        for (uint32_t i = 0; i < role->pool_count; i++)
            if (str_equal(role->pools[i].zone, o->subnets[best].zone))
                role->pools[kept++] = role->pools[i];
        role->pool_count = kept;
    }
}

static void set_max_price(struct head *h, uint32_t r) {
    const struct plan_price *price = &h->plan->roles[r].max_price;
    struct head_role *role = &h->roles[r];
    uint64_t micro = price->usd_micro;
    if (!price->is_amount && price->of_on_demand_ppm == 1000000)
        return; /* EC2's own default */
    if (!price->is_amount)
        micro = role->pools[0].demand_usd_micro_per_hour * price->of_on_demand_ppm / 1000000;
    snprintf(role->max_price, sizeof role->max_price, "%" PRIu64 ".%06u", micro / MICRO,
             (unsigned)(micro % MICRO));
}

#ifdef __aarch64__
#define OWN_ARCH STR("arm64")
#else
#define OWN_ARCH STR("x86_64")
#endif

/* The agent is this very program: an instance of another architecture could not start it. */
static int drop_foreign_archs(struct head *h, uint32_t r, struct err *err) {
    struct head_role *role = &h->roles[r];
    uint32_t kept = 0, before = role->pool_count;
    for (uint32_t i = 0; i < before; i++) {
        if (str_equal(role->pools[i].arch, OWN_ARCH))
            role->pools[kept++] = role->pools[i];
        else
            head_note(h, "%.*s is %.*s and this program is for %.*s: left out",
                      STR_ARG(role->pools[i].type), STR_ARG(role->pools[i].arch),
                      STR_ARG(OWN_ARCH));
    }
    role->pool_count = kept;
    if (kept || !before)
        return 0;
    return err_set(err, ERR_CAPACITY,
                   "roles.%.*s: all its instance types are of another architecture than this "
                   "program (%.*s)",
                   STR_ARG(h->plan->roles[r].name), STR_ARG(OWN_ARCH));
}

static int choose_pools(struct offer *o, struct err *err) {
    struct head *h = o->h;
    for (uint32_t r = 0; r < h->plan->role_count; r++) {
        if (h->plan->roles[r].instances.count)
            choose_by_name(o, r);
        else
            choose_by_need(o, r);
        if (!h->o.any_arch)
            TRY(drop_foreign_archs(h, r, err));
    }
    if (h->plan->fleet.zones.kind == PLAN_ZONES_ONE)
        keep_one_zone(h, o);
    for (uint32_t r = 0; r < h->plan->role_count; r++) {
        if (h->roles[r].pool_count == 0)
            return err_set(err, ERR_CAPACITY,
                           "roles.%.*s: none of its instance types is offered in %s",
                           STR_ARG(h->plan->roles[r].name), h->region);
        set_max_price(h, r);
    }
    return 0;
}

/* ---- price ---- */

static uint64_t role_price(const struct head *h, uint32_t r) {
    const struct head_pool *p = &h->roles[r].pools[0];
    bool spot = h->plan->roles[r].market != PLAN_ON_DEMAND && p->spot_usd_micro_per_hour;
    return spot ? p->spot_usd_micro_per_hour : p->demand_usd_micro_per_hour;
}

static int check_budget(struct head *h, struct err *err) {
    uint64_t expected = 0, hourly = 0;
    for (uint32_t r = 0; r < h->plan->role_count; r++) {
        uint32_t count = h->plan->roles[r].count + h->plan->roles[r].spare;
        expected += cost_worst_usd_micro(count, h->plan->planned_ns, role_price(h, r));
        hourly += cost_hourly_usd_micro(count, role_price(h, r));
    }
    struct story_event e;
    tell_start(&e, h, STORY_PLAN);
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(400);
    uint32_t nodes = 0;
    for (uint32_t r = 0; r < h->plan->role_count; r++)
        nodes += h->plan->roles[r].count + h->plan->roles[r].spare;
    buf_printf(&text, "%u nodes, ", nodes);
    units_add_money(&text, hourly);
    buf_add_text(&text, "/h, about ");
    units_add_money(&text, expected);
    buf_printf(&text, " in all%s", h->o.cloud ? "; rehearsal: free" : "");
    story_text(&e, "%s", buf_text(&text));
    story_add_int(&e, "nodes", nodes);
    story_add_money(&e, "usd_h", (int64_t)hourly);
    tell(h, &e);
    uint64_t budget = h->plan->fleet.budget_usd_micro;
    if (!budget || expected <= budget)
        return 0;
    buf_reset(&text);
    units_add_money(&text, expected);
    buf_add_text(&text, " expected, budget ");
    units_add_money(&text, budget);
    return err_set(err, ERR_REFUSED, "fleet.budget: %s; raise it or take fewer nodes",
                   buf_text(&text));
}

int setup_preflight(struct head *h, struct err *err) {
    TRY(who_am_i(h, err));
    struct offer *o = arena_new(&h->arena, sizeof *o);
    o->h = h;
    int result = find_network(o, err);
    result = result < 0 ? result : find_types(o, err);
    result = result < 0 ? result : choose_pools(o, err);
    table_deinit(&o->offered);
    table_deinit(&o->prices);
    TRY(result);
    TRY(find_images(h, err));
    return check_budget(h, err);
}

/* ---- the core's configuration ---- */

static enum run_market market_of(enum plan_market market) {
    switch (market) {
    case PLAN_SPOT:
        return RUN_SPOT;
    case PLAN_ON_DEMAND:
        return RUN_ON_DEMAND;
    case PLAN_SPOT_THEN_ON_DEMAND:
        return RUN_SPOT_THEN_ON_DEMAND;
    }
    return RUN_SPOT;
}

static enum run_on_loss on_loss_of(enum plan_on_interrupt what) {
    switch (what) {
    case PLAN_INTERRUPT_REPLACE:
        return RUN_LOSS_REPLACE;
    case PLAN_INTERRUPT_CONTINUE:
        return RUN_LOSS_CONTINUE;
    case PLAN_INTERRUPT_ABORT:
        return RUN_LOSS_ABORT;
    }
    return RUN_LOSS_REPLACE;
}

static void fill_role(const struct head *h, uint32_t r, struct run_role_config *c) {
    const struct plan_role *role = &h->plan->roles[r];
    *c = (struct run_role_config){
        .want = role->count,
        .min = role->min,
        .spare = role->spare,
        .replace_max = role->count + 4, /* duds may be replaced by duds; still bounded */
        .replace_after_ns = role->replace_after_ns,
        .pool_count = h->roles[r].pool_count,
        .market = market_of(role->market),
        .on_loss = on_loss_of(role->on_interrupt),
        .has_setup = role->setup.len > 0,
        .setup_tries = 2,
        .has_service = role->service.run.len > 0 || role->ready.kind != PLAN_READY_ALIVE,
        .price_usd_micro_per_hour = role_price(h, r),
    };
}

static void fill_phase(const struct head *h, uint32_t p, struct run_phase_config *c,
                       struct arena *arena) {
    const struct plan_phase *phase = &h->plan->phases[p];
    struct run_span *spans = arena_new_array(arena, NODESET_PARTS_MAX + ROLES_MAX, sizeof *spans);
    uint32_t count = 0;
    for (uint32_t i = 0; i < phase->nodes.count; i++) {
        const struct nodeset_part *part = &phase->nodes.parts[i];
        for (uint32_t r = 0; r < h->plan->role_count; r++) {
            bool named = part->kind == NODESET_ALL || str_equal(part->name, h->plan->roles[r].name);
            if (!named || count == NODESET_PARTS_MAX + ROLES_MAX)
                continue;
            uint32_t last = h->plan->roles[r].count - 1;
            bool all = part->kind == NODESET_ALL;
            spans[count++] = (struct run_span){.role = r,
                                               .first = all ? 0 : part->first,
                                               .last = all ? last : MIN(part->last, last)};
        }
    }
    *c = (struct run_phase_config){
        .spans = spans,
        .span_count = phase->kind == PLAN_PHASE_WAIT ? 0 : count,
        .duration_ns = phase->duration_ns,
        .timeout_ns = phase->timeout_ns,
        .on_fail_continue = phase->on_fail == PLAN_FAIL_CONTINUE,
    };
}

static enum run_teardown teardown_of(enum plan_teardown teardown) {
    switch (teardown) {
    case PLAN_TEARDOWN_ALWAYS:
        return RUN_TEARDOWN_ALWAYS;
    case PLAN_TEARDOWN_ON_PASS:
        return RUN_TEARDOWN_ON_PASS;
    case PLAN_TEARDOWN_NEVER:
        return RUN_TEARDOWN_NEVER;
    }
    return RUN_TEARDOWN_ALWAYS;
}

void setup_rehearsal_times(struct run_config *c) {
    c->sweep_ns = 1 * NS_PER_S;
    c->list_every_ns = 500 * NS_PER_MS;
    c->visible_ns = 5 * NS_PER_S;
    c->late_ns = 5 * NS_PER_S;
}

void setup_run_config(const struct head *h, struct run_config *c, struct arena *arena) {
    const struct plan *plan = h->plan;
    run_config_init(c);
    c->mode = RUN_MODE_FULL;
    ignore(!str_copy(c->id, sizeof c->id, str_from(h->id))); /* four letters */
    c->role_count = plan->role_count;
    uint64_t ready_ns = 0;
    for (uint32_t r = 0; r < plan->role_count; r++) {
        fill_role(h, r, &c->roles[r]);
        ready_ns = MAX(ready_ns, plan->roles[r].ready.timeout_ns);
    }
    struct run_phase_config *phases =
        arena_new_array(arena, MAX(plan->phase_count, 1u), sizeof *phases);
    c->collects = plan->collect_count > 0;
    for (uint32_t p = 0; p < plan->phase_count; p++) {
        fill_phase(h, p, &phases[p], arena);
        c->collects |= plan->phases[p].collect.count > 0;
    }
    c->phases = phases;
    c->phase_count = plan->phase_count;
    c->teardown = teardown_of(plan->teardown);
    c->ttl_ns = plan->fleet.ttl_ns;
    c->budget_usd_micro = plan->fleet.budget_usd_micro;
    c->launch_timeout_ns = plan->fleet.launch_timeout_ns;
    c->rollcall_timeout_ns = plan->fleet.rollcall_timeout_ns;
    if (ready_ns)
        c->ready_timeout_ns = ready_ns + 5 * NS_PER_S; /* the probe's own limit comes first */
    if (h->o.cloud) {
        setup_rehearsal_times(c);
        c->late_ns = 60 * NS_PER_S; /* calls of this process may still be under way */
    }
}
