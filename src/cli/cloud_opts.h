/* cloud_opts.h - options that shape a rehearsal's cloud: the same for `cloud` and `rehearse`.
 *
 *     static const struct opt OPTS[] = {CLOUD_OPTS, {0}};
 *     TRY(cloud_opts_read(args, &options, err));
 */
#ifndef CLOUD_OPTS_H
#define CLOUD_OPTS_H

#include "cli/cmd.h"
#include "emu/emu.h"

/* Rows of an option table; what a value may be is checked by emu_options_set. */
#define CLOUD_OPTS                                                                                 \
    {.name = "isolate",                                                                            \
     .kind = OPT_WORD,                                                                             \
     .value = "HOW",                                                                               \
     .words = "process|namespace",                                                                 \
     .help = "what an instance is (process); namespace needs root"},                               \
        {.name = "boot",                                                                           \
         .kind = OPT_TEXT,                                                                         \
         .value = "DUR-DUR",                                                                       \
         .help = "from running to user-data (1s-3s)"},                                             \
        {.name = "pending",                                                                        \
         .kind = OPT_TEXT,                                                                         \
         .value = "DUR-DUR",                                                                       \
         .help = "from launch to running (500ms-1500ms)"},                                         \
        {.name = "terminate",                                                                      \
         .kind = OPT_TEXT,                                                                         \
         .value = "DUR-DUR",                                                                       \
         .help = "from shutting-down to terminated (500ms-2s)"},                                   \
        {.name = "api", .kind = OPT_TEXT, .value = "DUR-DUR", .help = "answer time (30ms-120ms)"}, \
        {.name = "visible",                                                                        \
         .kind = OPT_DURATION,                                                                     \
         .value = "DUR",                                                                           \
         .help = "new things may stay unseen so long (1s)"},                                       \
        {.name = "dud",                                                                            \
         .kind = OPT_TEXT,                                                                         \
         .value = "SHARE",                                                                         \
         .help = "instances that never call home, like 25% (0%)"},                                 \
        {.name = "slow",                                                                           \
         .kind = OPT_TEXT,                                                                         \
         .value = "SHARE",                                                                         \
         .help = "instances that boot ten times slower (0%)"},                                     \
        {.name = "interrupt",                                                                      \
         .kind = OPT_LIST,                                                                         \
         .value = "SHARE|1/DUR",                                                                   \
         .help = "Spot instances taken back: a share, or one each DUR"},                           \
        {.name = "interrupt-after",                                                                \
         .kind = OPT_TEXT,                                                                         \
         .value = "DUR-DUR",                                                                       \
         .help = "age at which they are (30s-90s)"},                                               \
        {.name = "notice",                                                                         \
         .kind = OPT_DURATION,                                                                     \
         .value = "DUR",                                                                           \
         .help = "from the Spot notice to the end (2m)"},                                          \
        {.name = "capacity",                                                                       \
         .kind = OPT_LIST,                                                                         \
         .value = "TYPE[@ZONE]=N",                                                                 \
         .help = "instances that the matching pools have together"},                               \
        {.name = "quota",                                                                          \
         .kind = OPT_COUNT,                                                                        \
         .value = "VCPUS",                                                                         \
         .help = "Spot and on-demand quota"},                                                      \
        {.name = "fault",                                                                          \
         .kind = OPT_LIST,                                                                         \
         .value = "RULE",                                                                          \
         .help = "op=CreateFleet,nth=1,mode=lost-reply; or error=CODE, delay=DUR"},                \
        {.name = "throttle",                                                                       \
         .kind = OPT_WORD,                                                                         \
         .value = "YES|NO",                                                                        \
         .words = "yes|no",                                                                        \
         .help = "token buckets of EC2 (yes)"},                                                    \
        {.name = "speed",                                                                          \
         .kind = OPT_TEXT,                                                                         \
         .value = "FACTOR",                                                                        \
         .help = "divides every delay of the cloud (1)"},                                          \
        {.name = "minute",                                                                         \
         .kind = OPT_DURATION,                                                                     \
         .value = "DUR",                                                                           \
         .help = "a minute of `shutdown +N` inside (60s)"},                                        \
        {.name = "idle",                                                                           \
         .kind = OPT_DURATION,                                                                     \
         .value = "DUR",                                                                           \
         .help = "its own end: so long without starter and instances (30s)"},                      \
    {                                                                                              \
        .name = "seed", .kind = OPT_COUNT, .value = "N", .help = "of all that is random (drawn)"   \
    }

/* What the command line says of them; what it does not name stays.  Errors: ERR_USAGE. */
NODISCARD int cloud_opts_read(const struct args *args, struct emu_options *o, struct err *err);

#endif
