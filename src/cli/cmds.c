#include "cli/cmds.h"

const struct cmd *const CMDS[] = {
    &cmd_run,     &cmd_rehearse,      &cmd_plan,           &cmd_validate, &cmd_explain, &cmd_config,

    &cmd_down,    &cmd_list,          &cmd_nodes,          &cmd_status,   &cmd_gc,

    &cmd_results,

    &cmd_doctor,

    &cmd_bench,   &cmd_serve,         &cmd_cloud,

    &cmd_help,    &cmd_version,

    &cmd_node,    &cmd_instance_init, &cmd_instance_power, &cmd_selftest, NULL,
};
