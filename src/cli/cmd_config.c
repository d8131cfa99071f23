#include "cli/cmds.h"
#include "cli/exits.h"
#include "cli/plan_open.h"
#include "plan/plan_explain.h"

static const struct opt OPTS[] = {
    PLAN_SET_OPT,
    {.name = "schema", .kind = OPT_FLAG, .help = "print the JSON Schema of plan files instead"},
    {0},
};

static int print_schema(void) {
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(1 * MIB);
    plan_explain_schema(&out);
    cli_print(buf_str(&out));
    return EXIT_OK;
}

static int run(const struct args *args) {
    if (args_flag(args, "schema"))
        return print_schema();
    CLEANUP(plan_open_deinit) struct plan_open opened;
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(64 * MIB);
    plan_open_init(&opened);
    if (!args_operand(args, 0)) {
        struct err err = {0};
        ignore(err_set(&err, ERR_USAGE, "which plan file?"));
        cli_error(&err, "dayfly config FILE, or dayfly config --schema");
        return EXIT_USAGE;
    }
    int code = plan_open(&opened, args, args_operand(args, 0));
    if (code)
        return code;
    if (args_flag(args, "json"))
        plan_add_json(&out, opened.plan);
    else
        plan_add_yaml(&out, opened.plan);
    cli_print(buf_str(&out));
    return EXIT_OK;
}

const struct cmd cmd_config = {
    .name = "config",
    .summary = "print the resolved plan: defaults, --set, templates known so far",
    .operands = "[FILE]",
    .operands_max = 1,
    .group = CMD_TEST,
    .opts = OPTS,
    .examples =
        (const char *const[]){"dayfly config shop.yaml --set roles.load.count=50",
                              "dayfly config --json shop.yaml", "dayfly config --schema", NULL},
    .run = run,
};
