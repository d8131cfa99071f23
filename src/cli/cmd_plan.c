#include "cli/cmds.h"
#include "cli/exits.h"
#include "cli/json_print.h"
#include "cli/plan_open.h"
#include "cli/session.h"
#include "base/units.h"

static void add_money(struct buf *b, int width, uint64_t usd_micro) {
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(40);
    units_add_money(&text, usd_micro);
    buf_printf(b, "%*s", width, usd_micro ? buf_text(&text) : "?");
}

static void add_role(struct buf *out, const struct head_preview_role *r) {
    buf_printf(out, "  %-10s %4u %6u  %-9s %-12s %-10s", r->name, r->count, r->spare,
               r->spot ? "spot" : "on-demand", r->type, r->zone);
    add_money(out, 9, r->usd_micro_per_hour);
    add_money(out, 10, r->on_demand_usd_micro_per_hour);
    if (r->others[0])
        buf_printf(out, "\n%*sor %s", 36, "", r->others);
    buf_add_byte(out, '\n');
}

static void add_times(struct buf *out, const struct plan *plan) {
    buf_add_text(out, "\n  TIME    phases ");
    units_add_clock(out, plan->planned_ns);
    buf_add_text(out, ", longest ");
    units_add_clock(out, plan->planned_longest_ns);
    buf_add_text(out, "; at most: launch ");
    units_add_clock(out, plan->fleet.launch_timeout_ns);
    buf_add_text(out, ", roll call ");
    units_add_clock(out, plan->fleet.rollcall_timeout_ns);
    buf_add_byte(out, '\n');
}

static void print_people(const struct plan *plan, const struct head_preview *p) {
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(256 * KIB);
    buf_printf(&out, "%.*s - %s - account %s\n\n", STR_ARG(plan->name), p->region, p->account);
    buf_printf(&out, "  %-10s %4s %6s  %-9s %-12s %-10s%9s%10s\n", "ROLE", "WANT", "SPARE",
               "MARKET", "FIRST CHOICE", "", "$/NODE-H", "ON-DEMAND");
    uint32_t instances = 0;
    for (uint32_t r = 0; r < p->role_count; r++) {
        add_role(&out, &p->roles[r]);
        instances += p->roles[r].count + p->roles[r].spare;
    }
    add_times(&out, plan);
    buf_add_text(&out, "  COST    expected ");
    units_add_money(&out, p->expected_usd_micro);
    if (plan->fleet.budget_usd_micro) {
        buf_add_text(&out, "   budget ");
        units_add_money(&out, plan->fleet.budget_usd_micro);
    }
    buf_add_text(&out, "\n          worst case ");
    units_add_money(&out, p->worst_usd_micro);
    buf_add_text(&out, " (every node to its ttl, at the on-demand price)");
    buf_add_text(&out, "\n          not included: data transfer, disks, public addresses\n");
    buf_printf(&out,
               "  WILL    create %u instances, 1 security group and launch templates, all\n"
               "          tagged dayfly:run; every node ends itself after ",
               instances);
    units_add_clock(&out, plan->fleet.ttl_ns);
    buf_printf(&out, "\n\nnext: dayfly rehearse %.*s   or   dayfly run %.*s\n", STR_ARG(plan->file),
               STR_ARG(plan->file));
    cli_print(buf_str(&out));
}

static json_t *role_json(const struct head_preview_role *r) {
    return json_pack("{s:s, s:i, s:i, s:s, s:s, s:s, s:i, s:f, s:f}", "name", r->name, "count",
                     (int)r->count, "spare", (int)r->spare, "market",
                     r->spot ? "spot" : "on-demand", "type", r->type, "zone", r->zone, "pools",
                     (int)r->pools, "usd_per_node_hour", (double)r->usd_micro_per_hour / 1e6,
                     "on_demand_usd_per_node_hour", (double)r->on_demand_usd_micro_per_hour / 1e6);
}

static void print_json(const struct plan *plan, const struct head_preview *p) {
    json_t *roles = json_array();
    for (uint32_t r = 0; r < p->role_count; r++)
        json_array_append_new(roles, role_json(&p->roles[r]));
    json_t *root = json_pack("{s:s, s:s%, s:s, s:s, s:f, s:f, s:f, s:o}", "schema", "dayfly.plan/1",
                             "name", plan->name.ptr, plan->name.len, "region", p->region, "account",
                             p->account, "expected_usd", (double)p->expected_usd_micro / 1e6,
                             "worst_usd", (double)p->worst_usd_micro / 1e6, "budget_usd",
                             (double)plan->fleet.budget_usd_micro / 1e6, "roles", roles);
    json_print(root);
}

/* Who has no account can still try the plan. */
static int fail(struct session *s, struct plan_open *opened, const struct err *err) {
    return session_fail(s, err,
                        arena_printf(&opened->arena,
                                     "dayfly doctor; without AWS: dayfly rehearse %.*s",
                                     STR_ARG(opened->plan->file)));
}

static int run(const struct args *args) {
    CLEANUP(plan_open_deinit) struct plan_open opened;
    CLEANUP(session_close) struct session s = {0};
    struct err err = {0};
    struct head_preview preview;
    plan_open_init(&opened);
    int code = plan_open(&opened, args, args_operand(args, 0));
    if (code)
        return code;
    const struct plan_fleet *fleet = &opened.plan->fleet;
    if (session_open(&s, args, &err) < 0 ||
        session_aws(&s, fleet->profile, fleet->region, fleet->endpoint, NULL, &err) < 0)
        return fail(&s, &opened, &err);
    struct head_options o = {.loop = s.loop,
                             .plan = opened.plan,
                             .aws = &s.aws,
                             .any_arch = session_is_local(&s),
                             .zone_offset_s = s.zone_offset_s};
    if (head_preview(&o, &preview, &err) < 0)
        return fail(&s, &opened, &err);
    if (args_flag(args, "json"))
        print_json(opened.plan, &preview);
    else
        print_people(opened.plan, &preview);
    return EXIT_OK;
}

static const struct opt OPTS[] = {
    PLAN_SET_OPT,
    {0},
};

const struct cmd cmd_plan = {
    .name = "plan",
    .summary = "what would start, where, for how much",
    .operands = "FILE",
    .operands_min = 1,
    .operands_max = 1,
    .group = CMD_TEST,
    .opts = OPTS,
    .examples = (const char *const[]){"dayfly plan shop.yaml",
                                      "dayfly plan shop.yaml --set roles.load.count=50", NULL},
    .details = "Reads prices, zones and images from the account; nothing is made or started.",
    .run = run,
};
