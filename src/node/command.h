/* command.h - one shell command of an order: environment, output to the head, how it ended.
 *
 * Runs by /bin/sh in its own process group (os/process.h); a script with a #! line runs by that.
 * Its output goes to the head as it comes, up to COMMAND_OUTPUT_BYTES_MAX and as long as the head
 * keeps up; what is dropped is counted.  The last WIRE_TAIL_BYTES_MAX bytes are kept for the
 * ending. Tests: test/unit/test_agent.c
 */
#ifndef COMMAND_H
#define COMMAND_H

#include "node/parts.h"

#define COMMAND_OUTPUT_BYTES_MAX (16 * MIB)

struct command_spec {
    struct str script;
    const struct str *env; /* "K=V"; later ones win over earlier ones and over the agent's */
    size_t env_count;
    const char *dir;  /* made if missing; NULL: the agent's */
    const char *name; /* of the script's file beneath the agent's directory: "setup" */
    uint32_t source;  /* enum wire_source of its Output */
    uint32_t phase;
    bool quiet;          /* no Output, only the tail */
    uint64_t timeout_ns; /* then TERM, and KILL after grace_ns; 0: none */
    uint64_t grace_ns;
    void (*on_done)(void *arg, const struct wire_ending *ending); /* may free the command */
    void *arg;
};

struct command;

/* Start it; a failure to do so is ERR_IO, ERR_NOT_FOUND or ERR_ACCESS and on_done is not called. */
NODISCARD int command_start(struct agent *agent, const struct command_spec *spec,
                            struct command **ret_command, struct err *err);
void command_stop(struct command *command, int signal_number, uint64_t grace_ns);
bool command_running(const struct command *command);
/* Kills what still runs; no callback. */
void command_free(struct command *own_command);
/* The ending of a command that could not be started. */
struct wire_ending command_unstarted(const struct err *why);

#endif
