/* cmds.h - declares every command for the table in cmds.c. */
#ifndef CMDS_H
#define CMDS_H

#include "cli/cmd.h"

extern const struct cmd cmd_run;
extern const struct cmd cmd_rehearse;
extern const struct cmd cmd_plan;
extern const struct cmd cmd_validate;
extern const struct cmd cmd_explain;
extern const struct cmd cmd_config;

extern const struct cmd cmd_list;
extern const struct cmd cmd_nodes;
extern const struct cmd cmd_status;
extern const struct cmd cmd_down;
extern const struct cmd cmd_gc;

extern const struct cmd cmd_results;

extern const struct cmd cmd_doctor;

extern const struct cmd cmd_bench;
extern const struct cmd cmd_serve;
extern const struct cmd cmd_cloud;

extern const struct cmd cmd_help;
extern const struct cmd cmd_version;

/* Hidden: what instances and agents run. */
extern const struct cmd cmd_node;
extern const struct cmd cmd_instance_init;
extern const struct cmd cmd_instance_power;

/* Hidden: whether this file works on this machine. */
extern const struct cmd cmd_selftest;

#endif
