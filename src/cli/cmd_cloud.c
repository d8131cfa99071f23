#include "cli/cmds.h"
#include "cli/exits.h"
#include "emu/emu.h"

static const struct opt OPTS[] = {
    {.name = "listen", .kind = OPT_TEXT, .value = "ADDR:PORT",
     .help = "address of the API (127.0.0.1:0: any port)"},
    {.name = "state-dir", .kind = OPT_TEXT, .value = "DIR",
     .help = "where the folder with endpoint.json is made"},
    {.name = "region", .kind = OPT_TEXT, .value = "REGION", .help = "region to be (us-east-1)"},
    {.name = "isolate", .kind = OPT_WORD, .value = "HOW", .words = "process|namespace",
     .help = "what an instance is (process); namespace needs root"},
    {.name = "boot", .kind = OPT_TEXT, .value = "DUR-DUR",
     .help = "from running to user-data (1s-3s)"},
    {.name = "pending", .kind = OPT_TEXT, .value = "DUR-DUR",
     .help = "from launch to running (500ms-1500ms)"},
    {.name = "terminate", .kind = OPT_TEXT, .value = "DUR-DUR",
     .help = "from shutting-down to terminated (500ms-2s)"},
    {.name = "api", .kind = OPT_TEXT, .value = "DUR-DUR", .help = "answer time (30ms-120ms)"},
    {.name = "visible", .kind = OPT_DURATION, .value = "DUR",
     .help = "new things may stay unseen so long (1s)"},
    {.name = "dud", .kind = OPT_TEXT, .value = "SHARE", .help = "instances that never work (0%)"},
    {.name = "slow", .kind = OPT_TEXT, .value = "SHARE",
     .help = "instances that boot ten times slower (0%)"},
    {.name = "interrupt", .kind = OPT_LIST, .value = "SHARE|1/DUR",
     .help = "Spot instances taken back: a share, or one each DUR"},
    {.name = "interrupt-after", .kind = OPT_TEXT, .value = "DUR-DUR",
     .help = "age at which they are (30s-90s)"},
    {.name = "notice", .kind = OPT_DURATION, .value = "DUR",
     .help = "from the Spot notice to the end (2m)"},
    {.name = "capacity", .kind = OPT_LIST, .value = "TYPE[@ZONE]=N",
     .help = "how many there are of a type; repeat for more"},
    {.name = "quota", .kind = OPT_COUNT, .value = "VCPUS", .help = "Spot and on-demand quota"},
    {.name = "fault", .kind = OPT_LIST, .value = "RULE",
     .help = "planned trouble: op=CreateFleet,nth=2,mode=lost-reply"},
    {.name = "throttle", .kind = OPT_WORD, .value = "YES|NO", .words = "yes|no",
     .help = "token buckets of EC2 (yes)"},
    {.name = "speed", .kind = OPT_TEXT, .value = "FACTOR", .help = "divides every delay (1)"},
    {.name = "minute", .kind = OPT_DURATION, .value = "DUR",
     .help = "a minute of `shutdown +N` inside (60s)"},
    {.name = "seed", .kind = OPT_COUNT, .value = "N", .help = "of all that is random (drawn)"},
    {.name = "agent-on-image", .kind = OPT_WORD, .value = "YES|NO", .words = "yes|no",
     .help = "instances have this program already (no)"},
    {.name = "exit-when-idle", .kind = OPT_FLAG,
     .help = "end when the parent is gone and nothing is left"},
    {.name = "idle", .kind = OPT_DURATION, .value = "DUR",
     .help = "how long it must be so (30s)"},
    {.name = "ready-fd", .kind = OPT_COUNT, .value = "FD",
     .help = "write the path of endpoint.json there once up"},
    {.name = "quiet", .letter = 'q', .kind = OPT_FLAG, .help = "print nothing"},
    {0},
};

static int fill(const struct args *args, struct emu_options *o, struct err *err) {
    for (const struct opt *opt = OPTS; opt->name; opt++) {
        if (strcmp(opt->name, "ready-fd") == 0 || opt->kind == OPT_FLAG)
            continue;
        const char *text;
        for (unsigned i = 0; opt->kind == OPT_LIST && (text = args_list(args, opt->name, i)); i++)
            TRY(emu_options_set(o, opt->name, text, err));
        if (opt->kind != OPT_LIST && (text = args_text(args, opt->name)))
            TRY(emu_options_set(o, opt->name, text, err));
    }
    o->exit_when_idle = args_flag(args, "exit-when-idle");
    o->ready_fd = (int)args_count(args, "ready-fd", UINT64_MAX);
    return 0;
}

static int run(const struct args *args) {
    struct emu_options options;
    struct err err = {0};
    emu_options_init(&options);
    bool usage = fill(args, &options, &err) < 0;
    int result = usage ? -1 : emu_run(&options, args_flag(args, "quiet"), &err);
    emu_options_deinit(&options);
    if (result == 0)
        return EXIT_OK;
    cli_error(&err, usage ? "dayfly help cloud" : NULL);
    return usage ? EXIT_USAGE : exit_of_err(&err);
}

const struct cmd cmd_cloud = {
    .name = "cloud",
    .summary = "run the rehearsal cloud alone: an AWS-shaped endpoint on this machine",
    .group = CMD_TOOLS,
    .opts = OPTS,
    .run = run,
    .examples = (const char *const[]){"dayfly cloud --listen 127.0.0.1:4599",
                                      "dayfly cloud --isolate namespace --dud 25%",
                                      "dayfly cloud --fault op=CreateFleet,mode=lost-reply", NULL},
    .details = "Any AWS client can be pointed at it (aws --endpoint-url URL ec2 ...); signatures\n"
               "are verified against the keys that it prints.  Its instances run their user-data\n"
               "on this machine; all of them end with it.",
};
