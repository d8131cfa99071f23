#include "cli/cmds.h"
#include "cli/exits.h"

static int run(const struct args *args) {
    if (args_flag(args, "json"))
        cli_print(STR("{\"schema\": \"dayfly.version/1\", \"version\": \"" DAYFLY_VERSION "\"}\n"));
    else
        cli_print(STR("dayfly " DAYFLY_VERSION "\n"));
    return EXIT_OK;
}

const struct cmd cmd_version = {
    .name = "version",
    .summary = "show the version",
    .group = CMD_HELP,
    .run = run,
};
