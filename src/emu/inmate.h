/* inmate.h - one running instance, seen from the cloud: its init, control socket and console.
 *
 * Part of world.c; nobody else includes this.  An inmate ends by itself: when its init has exited
 * it leaves the world's table, reports `gone` and is freed.
 */
#ifndef EMU_INMATE_H
#define EMU_INMATE_H

#include "base/table.h"
#include "emu/init.h"
#include "emu/world.h"

struct world {
    struct loop *loop;
    struct world_options options;
    struct world_events events;
    struct table inmates; /* id -> struct inmate */
    struct loop_timer *stray_timer;
    char dir[512];
    char exe[512];
    int lock_fd, netlink_fd;
    unsigned block;
    unsigned bridge_index; /* 0: none */
    unsigned started;      /* ever; names the links */
    uint32_t base_ip;
    bool closing; /* tell nobody any more */
};

struct inmate {
    struct world *world;
    struct init_spec spec;
    pid_t pid;
    int pid_fd, control_fd, console_fd;
    struct loop_watch *exit_watch, *control_watch, *console_watch;
    struct loop_timer *kill_timer; /* of an init that does not end in time */
    bool ended;                    /* its end was asked for or told */
};

/* Start the init.  Errors: ERR_IO; nothing is left then. */
NODISCARD int inmate_new(struct world *w, const struct init_spec *spec, struct str user_data,
                         struct inmate **ret_inmate, struct err *err);
/* Free without waiting: what runs is killed. */
void inmate_free(struct inmate *own_inmate);
void inmate_stop(struct inmate *inmate, uint64_t grace_ns);
void inmate_kill(struct inmate *inmate);
void inmate_tell(struct inmate *inmate, const char *text);
/* Our own children; returns how many (at most `max`). */
size_t inmate_children(pid_t *pids, size_t max);
/* Look for orphans of a killed init. */
void world_stray(struct world *w);

#endif
