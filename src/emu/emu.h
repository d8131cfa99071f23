/* emu.h - the rehearsal cloud as a process: its options, how to start it, how to find it again.
 *
 * Words: the *cloud process* is `dayfly cloud`: the pure model of cloud/ behind HTTP (front.h), a
 * metadata service for each instance (imds.h) and the instances themselves (instance.h).  An
 * *endpoint* is what a client needs to talk to it; it stands in `<state dir>/<id>/endpoint.json`
 * (0600), and disappears with the cloud.
 *
 * A rehearsal does: emu_options_init, emu_options_set for what the plan says, emu_spawn, then sets
 * the client's endpoint URL, keys and region from the endpoint.  From there on nothing differs from
 * AWS.  The cloud is not a child that must be waited for: it outlives a killed head on purpose, so
 * that `dayfly down` can be rehearsed too, and ends itself (exit_when_idle) when its parent is gone
 * and no instance is left.
 */
#ifndef EMU_H
#define EMU_H

#include "base/base.h"
#include "base/err.h"
#include "base/str.h"

enum emu_isolate {
    EMU_PROCESS,   /* an address of 127.64.0.0/10, a directory, a process tree; needs no rights */
    EMU_NAMESPACE, /* own network, PID, UTS, IPC and mount namespace; needs root */
};

#define EMU_LIST_MAX 64        /* --capacity and --fault: each may be given so often */
#define EMU_INSTANCES_MAX 4000 /* alive at one time in processes; the address block ends */
#define EMU_NAMESPACES_MAX 500 /* alive at one time in namespaces: the kernel's neighbour table */

/* Filled by emu_options_init and emu_options_set; every text is owned. */
struct emu_options {
    char *listen;    /* "127.0.0.1:0": address and port of the API, port 0 = any */
    char *state_dir; /* of folders <id>; NULL: $XDG_STATE_HOME/dayfly/clouds */
    char *region;    /* "us-east-1" */
    enum emu_isolate isolate;
    uint64_t seed;                     /* of everything random; 0: drawn */
    uint64_t boot_ns_min, boot_ns_max; /* from running to the first line of user-data */
    uint64_t api_ns_min, api_ns_max;   /* answer time of a call */
    uint64_t pending_ns_min, pending_ns_max;
    uint64_t terminate_ns_min, terminate_ns_max;
    uint64_t visible_ns_max; /* how long a new instance may stay unseen by Describe calls */
    uint32_t dud_ppm;        /* share of instances that never become useful */
    uint32_t slow_ppm;       /* share that takes ten times as long to boot */
    uint32_t interrupt_ppm;  /* share of Spot instances that EC2 takes back ... */
    uint64_t interrupt_ns_min, interrupt_ns_max; /* ... this long after they run */
    uint64_t interrupt_every_ns;  /* or one random Spot instance each time; 0: none */
    uint64_t notice_ns;           /* from the Spot notice to the end: 2 minutes on EC2 */
    uint64_t quota_vcpus;         /* Spot and on-demand vCPU quota each; 0: no limit */
    uint64_t minute_ns;           /* what a minute of `shutdown +N` lasts inside; 60 s */
    uint64_t speed_milli;         /* 1000: delays as given; 2000: twice as fast */
    char *capacity[EMU_LIST_MAX]; /* "[spot:|on-demand:]TYPE[@ZONE]=N", patterns allowed */
    unsigned capacity_count;
    char *faults[EMU_LIST_MAX]; /* "op=CreateFleet,nth=2,mode=lost-reply" */
    unsigned fault_count;
    bool exit_when_idle;
    bool agent_on_image; /* instances find this program as $DAYFLY_AGENT_HINT */
    bool throttle;       /* token buckets of EC2; on by default */
    int ready_fd;        /* one line "<path of endpoint.json>\n" goes here once up; -1: none */
    uint64_t idle_ns;    /* exit_when_idle: how long parentless and empty before the end */
};

/* Defaults: process isolation, listen on any loopback port, 1 s to 3 s of boot, nothing failing. */
void emu_options_init(struct emu_options *o);
void emu_options_deinit(struct emu_options *o);

/* Set one option by its command-line name; flags take "yes" or "no".  This is the only parser:
 * the command line, the plan's `fleet.local` and tests go through it.
 *
 *   listen 127.0.0.1:0    state-dir DIR       region us-east-1     isolate process|namespace
 *   boot 1s-3s            api 30ms-120ms      pending 500ms-1s     terminate 500ms-2s
 *   visible 1s            dud 25%             slow 5%              notice 2m
 *   interrupt 10%|1/2m    interrupt-after 30s-90s                  capacity c7i.large@us-east-1a=4
 *   fault op=...,mode=... quota 64            speed 2              seed 7
 *   minute 1s             agent-on-image yes  throttle no          idle 30s
 *
 * Errors: ERR_USAGE naming the option and what it takes. */
NODISCARD int emu_options_set(struct emu_options *o, const char *name, const char *value,
                              struct err *err);

/* What a client needs. */
struct emu_endpoint {
    char url[128]; /* "http://127.0.0.1:43211" */
    char access_key_id[32];
    char secret_access_key[64];
    char region[32];
    char token[64];   /* for /_dayfly/...: header "X-Dayfly-Token" */
    char id[32];      /* name of the folder */
    char gateway[48]; /* address at which instances reach programs of this machine */
    char path[512];   /* of endpoint.json */
    int pid;
};

/* Read an endpoint.json.  Errors: ERR_NOT_FOUND, ERR_PARSE, ERR_IO. */
NODISCARD int emu_endpoint_read(const char *path, struct emu_endpoint *ret, struct err *err);

/* Whether this cloud lives: its lock is held, whatever its pid means today.  A copy of an
 * endpoint.json has no lock beside it: then that its pid is in use has to do, so a living cloud is
 * never called dead.  Instances never outlive their cloud. */
bool emu_endpoint_lives(const struct emu_endpoint *endpoint);

/* Start `dayfly cloud` (this very program) as a process of its own session and wait until it
 * answers, 20 s at most.  `log_fd` receives its stdout and stderr (-1: /dev/null).
 * The process stays a child of the caller: reap it when it ends.
 * Errors: ERR_ACCESS (namespaces without root), ERR_TIMEOUT, ERR_IO with the cloud's last words. */
NODISCARD int emu_spawn(const struct emu_options *o, int log_fd, struct emu_endpoint *ret,
                        struct err *err);

/* Ask a cloud to end (SIGTERM to the pid of the endpoint, if that is still this cloud) and wait
 * until it is gone, `timeout_ns` at most.  Gone already: 0.  Error: ERR_TIMEOUT. */
NODISCARD int emu_stop(const struct emu_endpoint *endpoint, uint64_t timeout_ns, struct err *err);

/* Be the cloud: serve until SIGTERM, SIGINT, POST /_dayfly/stop or idleness; every instance has
 * ended when it returns.  `quiet`: print nothing on stdout. */
NODISCARD int emu_run(const struct emu_options *o, bool quiet, struct err *err);

#endif
