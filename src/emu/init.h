/* init.h - the first process of an instance: `dayfly instance-init`, one for each instance.
 *
 * It makes the small world that the instance sees, runs user-data as a booting machine would,
 * hears `shutdown` and its kin, and ends everything that was ever started inside.
 *
 * Words
 *   control   SOCK_SEQPACKET pair between cloud (world.c) and init, descriptor 3 of the init.  It
 *             also is the leash: when the cloud dies, by whatever, it reads end of file and ends
 *             the instance.
 *   power     abstract datagram socket "dayfly-power-<cloud>-<id>" on which the shims speak
 *             (power.h).  Clouds of one seed have instances of the same ids: the name of the
 *             cloud's folder tells them apart
 *   tree      every process below the init.  The init is a subreaper (or PID 1), so a process
 *             that left its session or lost its parent is still in the tree.
 *
 * Control, cloud to init: struct init_spec first, then one word a message: "stop MS" (end politely,
 * KILL after MS), "freeze", "thaw", "crash" (kill the tree, stay).
 * Control, init to cloud: "imds" with the listening socket of the metadata service as ancillary
 * data, "booted", "off", "halt", "reboot", "exit N" (user-data ended), "failed WHY".
 */
#ifndef EMU_INIT_H
#define EMU_INIT_H

#include "base/base.h"
#include "base/err.h"
#include "base/limits.h"
#include "cloud/cloud.h"

#define INIT_CONTROL_FD 3
#define INIT_MESSAGE_BYTES 256
#define INIT_METADATA_PORT 1338 /* of process isolation, where port 80 needs rights */
#define INIT_METADATA_HTTP_PORT 80
#define INIT_METADATA_HIDDEN_PORT 1  /* of namespaces: what listens in place of 80 (steer.h) */
#define INIT_METADATA_IP 0xa9fea9feU /* 169.254.169.254 */
#define INIT_POWER_BYTES 64          /* "<cloud>-<id>" */
#define INIT_MAGIC 0x64663031

/* Same program on both sides of a socket: a plain struct is the wire. */
struct init_spec {
    uint32_t magic;
    bool namespaced;
    bool agent_hint;
    uint8_t mac[6], gateway_mac[6];
    uint32_t ip, gateway;
    unsigned prefix;
    unsigned metadata_hops;
    enum cloud_dud dud;
    uint64_t minute_ns; /* what `shutdown +1` waits */
    char id[INSTANCE_ID_BYTES];
    char power[INIT_POWER_BYTES]; /* name of its power socket: of this cloud and this instance */
    char hostname[64];
    char dir[512]; /* of the instance: holds user-data */
    char exe[512]; /* this program */
};

/* Body of the hidden command; returns the exit code. */
int init_main(void);

/* Body of `dayfly instance-power NAME WORDS...`: what the shims run.  Errors: ERR_USAGE. */
NODISCARD int init_power(const char *name, const char *const *words, unsigned count,
                         struct err *err);

/* ---- parts ---- */

/* Signal every process of the tree but ourselves; returns how many there were. */
unsigned init_tree_signal(bool namespaced, int signal_number);

/* Make the mounts, names and network of a namespaced instance. */
NODISCARD int init_space_enter(const struct init_spec *spec, struct err *err);

/* Write the shims, then start user-data.  *ret_pid is 0 when there is nothing that can run. */
NODISCARD int init_boot(const struct init_spec *spec, struct str user_data, pid_t *ret_pid,
                        struct err *err);
/* Interpreter and its one argument ("" without) of a script's first line; false: no script. */
NODISCARD bool init_boot_interpreter(struct str script, char *into, size_t into_size, char *arg,
                                     size_t arg_size);
/* Deny new IPv4 and IPv6 sockets to this process and its children, without any right. */
NODISCARD int init_boot_cut_network(struct err *err);

#endif
