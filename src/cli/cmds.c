#include "cli/cmds.h"


const struct cmd *const CMDS[] = {
    &cmd_validate,
    &cmd_explain,
    &cmd_config,
    &cmd_cloud,
    &cmd_bench,
    &cmd_serve,
    &cmd_results,
    &cmd_help,
    &cmd_version,
    &cmd_instance_init,
    &cmd_instance_power,
    &cmd_node,
    NULL,
};
