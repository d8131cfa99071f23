#include "cli/cmds.h"
#include "cli/exits.h"

static const struct opt OPTS[] = {
    {.name = "markdown", .kind = OPT_FLAG, .help = "everything as one page (docs/commands.md)"},
    {0},
};

static int run(const struct args *args) {
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(256 * KIB);
    const char *name = args_operand(args, 0);
    if (args_flag(args, "markdown")) {
        help_markdown(&out);
    } else if (!name) {
        help_overview(&out);
    } else if (!help_topic(str_from(name), &out)) {
        const struct cmd *cmd = cmd_find(str_from(name));
        if (!cmd) {
            const struct cmd *near = cmd_suggest(str_from(name));
            struct err err;
            ignore(err_set(&err, ERR_USAGE, "unknown command '%s'%s%s%s", name,
                           near ? ", did you mean '" : "", near ? near->name : "",
                           near ? "'?" : ""));
            cli_error(&err, "dayfly help");
            return EXIT_USAGE;
        }
        help_cmd(cmd, &out);
    }
    cli_print(buf_str(&out));
    return EXIT_OK;
}

const struct cmd cmd_help = {
    .name = "help",
    .summary = "show help for a command or a topic",
    .operands = "[COMMAND|options|exit-codes]",
    .operands_max = 1,
    .group = CMD_HELP,
    .examples = (const char *const[]){"dayfly help run", "dayfly help exit-codes", NULL},
    .opts = OPTS,
    .run = run,
};
