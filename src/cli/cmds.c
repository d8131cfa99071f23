#include "cli/cmds.h"


const struct cmd *const CMDS[] = {
    &cmd_help,
    &cmd_version,
    NULL,
};
