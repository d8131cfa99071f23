/* world.h - the instances of a cloud as they run on this machine.
 *
 * Words
 *   world   all of them: an address block, a folder, in namespaces also a bridge
 *   inmate  one instance that has been started and has not wholly ended
 *   block   256 x 256 addresses of 127.64.0.0/10 (process) or 64 x 256 of 198.18.0.0/15
 *           (namespace), held by this process alone while it lives: a second cloud takes the next
 *
 * Nothing can outlive the world: each inmate's init (init.h) ends when its control socket does,
 * what an init that was killed leaves behind falls to this process (a subreaper) and is killed
 * here, and a namespace ends with its PID 1.  Links and mounts die with their namespaces; a bridge
 * that a killed cloud left is removed when its block is taken again.
 */
#ifndef EMU_WORLD_H
#define EMU_WORLD_H

#include "base/base.h"
#include "base/err.h"
#include "base/str.h"
#include "cloud/cloud.h"
#include "emu/emu.h"
#include "os/loop.h"

struct world;

/* What happens inside; `id` is borrowed for the call.  None is called from within a world_ call. */
struct world_events {
    void (*booted)(void *arg, struct str id);
    void (*powered_off)(void *arg, struct str id); /* it asked for it; the end follows */
    void (*halted)(void *arg, struct str id);      /* dead inside, still there */
    void (*failed)(void *arg, struct str id, const char *why);
    void (*console)(void *arg, struct str id, struct str text);
    /* The listening socket of its metadata service; the receiver owns it. */
    void (*metadata)(void *arg, struct str id, int own_fd);
    void (*gone)(void *arg, struct str id); /* no process of it is left */
    void *arg;
};

struct world_options {
    enum emu_isolate isolate;
    const char *dir; /* one folder for each instance is made in it, removed at its end */
    uint64_t minute_ns;
    bool agent_hint;
};

/* Errors: ERR_ACCESS (namespaces without root), ERR_LIMIT (no free block), ERR_IO. */
NODISCARD int world_new(struct loop *loop, const struct world_options *o,
                        const struct world_events *events, struct world **ret_world,
                        struct err *err);
/* End every inmate at once and wait until none is left, 10 s at most; then the bridge goes. */
void world_free(struct world *own_world);
DEFINE_FREEP(struct world, world_free)

/* Address block: its base, prefix length, and the address of this machine in it. */
uint32_t world_base_ip(const struct world *w);
unsigned world_prefix(const struct world *w);
uint32_t world_gateway(const struct world *w);

/* Start an instance; its user-data begins to run as soon as its world stands.  A dud that never
 * boots is a bug here.  Errors: ERR_IO, ERR_LIMIT. */
NODISCARD int world_start(struct world *w, const struct cloud_instance *instance, struct err *err);
/* Ask its system to shut down; KILL after the grace.  Unknown ids are fine in all of these. */
void world_stop(struct world *w, struct str id, uint64_t grace_ns);
/* Nothing of it may run from here on: KILL now. */
void world_kill(struct world *w, struct str id);
/* Kill everything inside and leave it dead; stop and resume everything inside. */
void world_crash(struct world *w, struct str id);
void world_freeze(struct world *w, struct str id, bool frozen);
/* Process id of its init; 0 when nothing runs. */
int world_pid(const struct world *w, struct str id);
unsigned world_count(const struct world *w);

#endif
