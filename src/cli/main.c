#include "cli/cmd.h"
#include "cli/exits.h"

#include <signal.h>

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    struct args args;
    struct err err = {0};
    if (args_parse(&args, argc, argv, &err) < 0) {
        cli_error(&err, args.cmd ? NULL : "dayfly help");
        return EXIT_USAGE;
    }
    if (args_flag(&args, "version") && !args.cmd)
        args.cmd = cmd_find(STR("version"));
    if (args_flag(&args, "help") || !args.cmd) {
        CLEANUP(buf_deinit) struct buf out = BUF_INIT(64 * KIB);
        if (args.cmd)
            help_cmd(args.cmd, &out);
        else
            help_overview(&out);
        cli_print(buf_str(&out));
        return EXIT_OK;
    }
    return args.cmd->run(&args);
}
