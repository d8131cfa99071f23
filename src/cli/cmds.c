#include "cli/cmds.h"


const struct cmd *const CMDS[] = {
    &cmd_validate,
    &cmd_explain,
    &cmd_config,
    &cmd_help,
    &cmd_version,
    NULL,
};
