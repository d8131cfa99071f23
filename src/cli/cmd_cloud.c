#include "cli/cloud_opts.h"
#include "cli/cmds.h"
#include "cli/exits.h"

static const struct opt OPTS[] = {
    {.name = "listen",
     .kind = OPT_TEXT,
     .value = "ADDR:PORT",
     .help = "address of the API (127.0.0.1:0: any port)"},
    {.name = "state-dir",
     .kind = OPT_TEXT,
     .value = "DIR",
     .help = "where the folder with endpoint.json is made"},
    {.name = "region", .kind = OPT_TEXT, .value = "REGION", .help = "region to be (us-east-1)"},
    CLOUD_OPTS,
    {.name = "agent-on-image",
     .kind = OPT_WORD,
     .value = "YES|NO",
     .words = "yes|no",
     .help = "instances have this program already (no)"},
    {.name = "exit-when-idle",
     .kind = OPT_FLAG,
     .help = "end when the parent is gone and nothing is left"},
    {.name = "ready-fd",
     .kind = OPT_COUNT,
     .value = "FD",
     .help = "write the path of endpoint.json there once up"},
    {.name = "quiet", .letter = 'q', .kind = OPT_FLAG, .help = "print nothing"},
    {0},
};

static int fill(const struct args *args, struct emu_options *o, struct err *err) {
    static const char *const own[] = {"listen", "state-dir", "region", "agent-on-image"};
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        if (args_text(args, own[i]))
            TRY(emu_options_set(o, own[i], args_text(args, own[i]), err));
    o->exit_when_idle = args_flag(args, "exit-when-idle");
    o->ready_fd = (int)args_count(args, "ready-fd", UINT64_MAX);
    return cloud_opts_read(args, o, err);
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
    .summary = "run the rehearsal cloud alone: an AWS-shaped endpoint here",
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
