#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/cmds.h"
#include "cli/exits.h"
#include "node/agent.h"
#include "os/file.h"

#define DEFAULT_METADATA "http://169.254.169.254/"

static const struct opt OPTS[] = {
    {.name = "join", .kind = OPT_TEXT, .value = "FILE", .help = "join file written by user-data"},
    {0},
};

struct node_run {
    struct loop *loop;
    struct agent *agent;
};

static void on_signal(void *arg, int signal_number) {
    struct node_run *r = arg;
    (void)signal_number;
    agent_power_off(r->agent, 5 * NS_PER_S, "told to end by a signal");
}

/* The join file holds the token: no core file may. */
static void keep_no_cores(void) {
    struct rlimit none = {0, 0};
    ignore(setrlimit(RLIMIT_CORE, &none)); /* it is lower already */
}

static int live(struct agent_options *options, struct err *err) {
    struct node_run r = {.loop = loop_new()};
    TRY(agent_new(r.loop, options, &r.agent, err));
    struct loop_signal *term = loop_signal_new(r.loop, SIGTERM, on_signal, &r);
    struct loop_signal *interrupt = loop_signal_new(r.loop, SIGINT, on_signal, &r);
    while (!agent_ended(r.agent))
        loop_turn(r.loop, NS_PER_S);
    loop_signal_free(term);
    loop_signal_free(interrupt);
    agent_free(r.agent);
    return 0;
}

static int run(const struct args *args) {
    struct err err = {0};
    const char *path = args_text(args, "join");
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(JOIN_FILE_BYTES_MAX);
    CLEANUP(mem_freep) struct agent_options *options = mem_new(sizeof *options);
    const char *metadata = getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    options->metadata = metadata != NULL && metadata[0] != 0 ? metadata : DEFAULT_METADATA;
    options->shutdown = "shutdown";
    log_to(STDERR_FILENO, LOG_INFO);
    keep_no_cores();
    if (path == NULL) {
        ignore(err_set(&err, ERR_USAGE, "node needs --join FILE") == 0); /* only fills it */
    } else if (file_read(path, &text, &err) == 0 &&
               join_parse(buf_str(&text), &options->join, &err) == 0 && live(options, &err) == 0) {
        return EXIT_OK;
    }
    cli_error(&err, "this command is started by an instance's user-data");
    return exit_of_err(&err);
}

const struct cmd cmd_node = {
    .name = "node",
    .summary = "be the agent of a node (started by user-data)",
    .group = CMD_HIDDEN,
    .opts = OPTS,
    .run = run,
};
