#include "cli/cmds.h"
#include "cli/exits.h"
#include "plan/plan_explain.h"

static const struct opt OPTS[] = {
    {.name = "all", .kind = OPT_FLAG, .help = "every key, one line each"},
    {.name = "markdown", .kind = OPT_FLAG, .help = "every key as a page of Markdown"},
    {0},
};

static int run(const struct args *args) {
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(1 * MIB);
    const char *key = args_operand(args, 0);
    struct err err = {0};
    if (args_flag(args, "markdown")) {
        plan_explain_markdown(&out);
    } else if (args_flag(args, "all")) {
        plan_explain_all(&out);
    } else if (!key) {
        ignore(err_set(&err, ERR_USAGE, "which key? (roles.spare, phases.http, ...)"));
        cli_error(&err, "dayfly explain --all");
        return EXIT_USAGE;
    } else if (plan_explain(&out, str_from(key), &err) < 0) {
        cli_error(&err, "dayfly explain --all");
        return EXIT_USAGE;
    }
    cli_print(buf_str(&out));
    return EXIT_OK;
}

const struct cmd cmd_explain = {
    .name = "explain",
    .summary = "document one key of the plan file: meaning, unit, default, example",
    .operands = "[KEY]",
    .operands_max = 1,
    .group = CMD_TEST,
    .opts = OPTS,
    .examples = (const char *const[]){"dayfly explain roles.spare", "dayfly explain phases.http",
                                      "dayfly explain --all", NULL},
    .run = run,
};
