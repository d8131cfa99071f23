#include "cli/cmds.h"
#include "cli/exits.h"
#include "emu/init.h"

#include <limits.h>

static int run_init(const struct args *args) {
    (void)args;
    return init_main();
}

static int run_power(const struct args *args) {
    struct err err = {0};
    if (init_power(args_operand(args, 0), args->operands + 1, args->operand_count - 1, &err) == 0)
        return EXIT_OK;
    cli_error(&err, NULL);
    return EXIT_ERROR;
}

const struct cmd cmd_instance_init = {
    .name = "instance-init",
    .summary = "first process of an instance of the rehearsal cloud",
    .group = CMD_HIDDEN,
    .run = run_init,
};

const struct cmd cmd_instance_power = {
    .name = "instance-power",
    .summary = "what shutdown, poweroff, halt and reboot are inside an instance",
    .operands = "NAME WORD...",
    .operands_min = 2,
    .operands_max = UINT_MAX,
    .group = CMD_HIDDEN,
    .run = run_power,
};
