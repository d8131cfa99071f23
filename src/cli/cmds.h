/* cmds.h - declares every command for the table in cmds.c. */
#ifndef CMDS_H
#define CMDS_H

#include "cli/cmd.h"

extern const struct cmd cmd_bench;
extern const struct cmd cmd_config;
extern const struct cmd cmd_explain;
extern const struct cmd cmd_help;
extern const struct cmd cmd_serve;
extern const struct cmd cmd_validate;
extern const struct cmd cmd_cloud;
extern const struct cmd cmd_instance_init;
extern const struct cmd cmd_instance_power;
extern const struct cmd cmd_version;

#endif
