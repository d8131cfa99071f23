#include "cli/archive.h"
#include "cli/cloud_opts.h"
#include "cli/cmds.h"
#include "cli/exits.h"
#include "cli/plan_open.h"
#include "cli/session.h"
#include "cli/summary_print.h"
#include "base/units.h"
#include "os/file.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define AGENT_COPIES_MAX 50 /* nodes of a rehearsal that fetch the agent over the network */
#define SUMMARY_BYTES_MAX (4 * MIB)

#define OUT_OPT                                                             \
    {                                                                       \
        .name = "out", .letter = 'o', .kind = OPT_TEXT, .value = "DIR",     \
        .help = "where results go (the plan's outputs.dir, else ./results)" \
    }

/* "dayfly run plan.yaml --set a=b": to run it again. */
static const char *command_line(const struct args *args, struct arena *arena) {
    CLEANUP(buf_deinit) struct buf b = BUF_INIT(16 * KIB);
    buf_printf(&b, "dayfly %s %s", args->cmd->name, args_operand(args, 0));
    for (unsigned i = 0; i < args->value_count; i++) {
        const struct opt *opt = args->values[i].opt;
        buf_printf(&b, " --%s%s%s", opt->name, opt->kind == OPT_FLAG ? "" : "=",
                   args->values[i].text);
    }
    return arena_text(arena, buf_str(&b));
}

/* JSON on stdout stays JSON: its last record is the result. */
static void print_summary(const struct session *s, const struct head_outcome *outcome) {
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(SUMMARY_BYTES_MAX);
    if (screen_mode(s->screen) == SCREEN_JSON || file_read(outcome->summary_path, &text, NULL) < 0)
        return;
    if (isatty(STDOUT_FILENO))
        cli_print(STR("\n")); /* apart from the story */
    summary_print(s->args, buf_str(&text));
}

static int drive(struct session *s, const struct plan *plan, const char *address,
                 const char *listen, const struct emu_endpoint *cloud) {
    const char *out = args_text(s->args, "out");
    struct head_options o = {
        .loop = s->loop,
        .plan = plan,
        .aws = &s->aws,
        .command = command_line(s->args, &s->arena),
        .state_dir = s->runs_dir,
        .out_dir = out ? out : arena_text(&s->arena, plan->outputs.dir),
        .listen_address = listen,
        .head_addresses = &address,
        .head_address_count = 1,
        .cloud = cloud,
        .any_arch = session_is_local(s),
        .zone_offset_s = s->zone_offset_s,
        .observer = session_observer(s),
    };
    CLEANUP(head_freep) struct head *head = NULL;
    struct head_outcome outcome = {.exit_code = EXIT_ERROR};
    struct err err = {0};
    int result = head_new(&o, &head, &err);
    if (result == 0) {
        s->head = head;
        result = head_run(head, &outcome, &err);
        s->head = NULL;
    }
    if (result < 0)
        return session_fail(s, &err, "dayfly doctor");
    screen_hide(s->screen);
    char index[PATH_MAX];
    if (outcome.results_dir[0] && archive_index_path(index, sizeof index))
        ignore(archive_remember(index, outcome.results_dir, NULL)); /* a cache; ./results has it */
    print_summary(s, &outcome);
    return outcome.exit_code;
}

/* The address from which this machine reaches the region; no packet is sent to find it. */
static const char *own_address(struct arena *arena) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(443)}, from = {0};
    socklen_t size = sizeof from;
    char text[INET_ADDRSTRLEN] = "127.0.0.1";
    to.sin_addr.s_addr = htonl(0xc6336401); /* 198.51.100.1, for documentation: never answers */
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0 &&
        getsockname(fd, (struct sockaddr *)&from, &size) == 0)
        ignore(!inet_ntop(AF_INET, &from.sin_addr, text, sizeof text)); /* loopback will do */
    if (fd >= 0)
        close(fd);
    return arena_text(arena, str_from(text));
}

/* ---- dayfly run ---- */

static const struct opt RUN_OPTS[] = {
    PLAN_SET_OPT,
    OUT_OPT,
    {.name = "head-address",
     .kind = OPT_TEXT,
     .value = "IP",
     .help = "address of this machine that the nodes can reach"},
    {0},
};

static int run(const struct args *args) {
    CLEANUP(plan_open_deinit) struct plan_open opened;
    CLEANUP(session_close) struct session s = {0};
    struct err err = {0};
    plan_open_init(&opened);
    int code = plan_open(&opened, args, args_operand(args, 0));
    if (code)
        return code;
    const struct plan *plan = opened.plan;
    if (session_open(&s, args, &err) < 0)
        return session_fail(&s, &err, NULL);
    if (session_aws(&s, plan->fleet.profile, plan->fleet.region, plan->fleet.endpoint, NULL, &err) <
        0)
        return session_fail(&s, &err, "dayfly doctor");
    const char *address = args_text(args, "head-address");
    bool here = session_is_local(&s);
    if (!address)
        address = here ? "127.0.0.1" : own_address(&s.arena);
    return drive(&s, plan, address, here ? address : "0.0.0.0", NULL);
}

const struct cmd cmd_run = {
    .name = "run",
    .summary = "start, test, report, tear down",
    .operands = "FILE",
    .operands_min = 1,
    .operands_max = 1,
    .group = CMD_TEST,
    .opts = RUN_OPTS,
    .examples =
        (const char *const[]){"dayfly run shop.yaml", "dayfly run shop.yaml --set vars.peak=5000/s",
                              "dayfly run shop.yaml --endpoint-url http://127.0.0.1:4599", NULL},
    .details = "Exit codes: dayfly help exit-codes (0 passed, 99 a threshold failed, 9 something\n"
               "may be left running).\n\n"
               "Ctrl-C once: stop load, collect, report, give back. Twice: without collecting.\n"
               "Three times: leave now; the nodes still end themselves at the ttl.",
    .run = run,
};

/* ---- dayfly rehearse ---- */

static const struct opt REHEARSE_OPTS[] = {
    PLAN_SET_OPT,
    OUT_OPT,
    {.name = "cloud",
     .kind = OPT_TEXT,
     .value = "FILE",
     .help = "endpoint.json of a running `dayfly cloud`, instead of a cloud of its own"},
    CLOUD_OPTS,
    {0},
};

static int set_range(struct emu_options *o, const char *name, const struct plan_range *range,
                     struct err *err) {
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(100);
    units_add_duration(&text, range->low);
    buf_add_byte(&text, '-');
    units_add_duration(&text, range->high);
    return emu_options_set(o, name, buf_text(&text), err);
}

static int set_number(struct emu_options *o, const char *name, uint64_t micro, const char *unit,
                      struct err *err) {
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(100);
    units_add_micro(&text, (int64_t)micro);
    buf_add_text(&text, unit);
    return emu_options_set(o, name, buf_text(&text), err);
}

/* What the plan says of the rehearsal's cloud, then what the command line says. */
static int cloud_options(const struct args *args, const struct plan *plan, struct emu_options *o,
                         struct err *err) {
    const struct plan_local *local = &plan->fleet.local;
    TRY(emu_options_set(o, "isolate",
                        local->isolate == PLAN_ISOLATE_NAMESPACE ? "namespace" : "process", err));
    TRY(set_range(o, "boot", &local->boot_ns, err));
    TRY(set_number(o, "dud", local->dud_ppm * UINT64_C(100), "%", err));
    TRY(set_number(o, "slow", local->slow_ppm * UINT64_C(100), "%", err));
    if (local->speed_milli)
        TRY(set_number(o, "speed", local->speed_milli * UINT64_C(1000), "", err));
    if (plan->fleet.region.len)
        TRY(emu_options_set(o, "region", plan->fleet.region.ptr, err));
    o->exit_when_idle = true;
    /* Its hash is checked all the same; what is spared is a copy of the program per instance. */
    o->agent_on_image = plan_nodes_wanted(plan) > AGENT_COPIES_MAX;
    return cloud_opts_read(args, o, err);
}

static int start_cloud(struct session *s, const struct plan *plan, struct emu_endpoint *cloud,
                       struct err *err) {
    CLEANUP(emu_options_deinit) struct emu_options o = {0};
    emu_options_init(&o);
    TRY(cloud_options(s->args, plan, &o, err));
    if (args_text(s->args, "cloud"))
        TRY(emu_endpoint_read(args_text(s->args, "cloud"), cloud, err));
    else
        TRY(emu_spawn(&o, -1, cloud, err));
    return session_aws(s, STR_EMPTY, STR_EMPTY, STR_EMPTY, cloud, err);
}

static int rehearse(const struct args *args) {
    CLEANUP(plan_open_deinit) struct plan_open opened;
    CLEANUP(session_close) struct session s = {0};
    struct err err = {0};
    struct emu_endpoint cloud = {0};
    plan_open_init(&opened);
    int code = plan_open(&opened, args, args_operand(args, 0));
    if (code)
        return code;
    const struct plan *plan = opened.plan;
    if (session_open(&s, args, &err) < 0)
        return session_fail(&s, &err, NULL);
    if (plan_nodes_wanted(plan) > plan->fleet.local.nodes_max) {
        ignore(err_set(&err, ERR_USAGE,
                       "the plan wants %u nodes, fleet.local.nodes_max is %u for this machine",
                       plan_nodes_wanted(plan), plan->fleet.local.nodes_max));
        return session_fail(&s, &err, "raise it with --set fleet.local.nodes_max=N");
    }
    if (start_cloud(&s, plan, &cloud, &err) < 0)
        return session_fail(&s, &err, NULL);
    code = drive(&s, plan, cloud.gateway, cloud.gateway, &cloud);
    if (args_text(args, "cloud"))
        return code;
    bool kept = plan->teardown != PLAN_TEARDOWN_ALWAYS || code == EXIT_LEAK;
    if (kept)
        fprintf(stderr, "the rehearsal cloud stays up for what is kept; dayfly down ends it\n");
    else if (emu_stop(&cloud, 20 * NS_PER_S, &err) < 0)
        cli_error(&err, NULL);
    return code;
}

const struct cmd cmd_rehearse = {
    .name = "rehearse",
    .summary = "the same run on emulated nodes of this machine, for nothing",
    .operands = "FILE",
    .operands_min = 1,
    .operands_max = 1,
    .group = CMD_TEST,
    .opts = REHEARSE_OPTS,
    .examples =
        (const char *const[]){"dayfly rehearse shop.yaml", "dayfly rehearse shop.yaml --dud 25%",
                              "dayfly rehearse shop.yaml --capacity '*=4'",
                              "dayfly rehearse shop.yaml --isolate namespace", NULL},
    .details = "Starts `dayfly cloud` on this machine and then does what `dayfly run` does, with\n"
               "the same calls. The report says that it was a rehearsal.",
    .run = rehearse,
};
