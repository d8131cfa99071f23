/* process.h - a child process in its own group, on the loop: output, exit, timeout, the end.
 *
 * The child leads a process group, so what it starts ends with it: process_stop signals the whole
 * group, and when the child has exited what is left of its group is killed (unless keep_group).
 * Exit is seen by pidfd, or by asking every 20 ms on kernels before 5.3.
 *
 * Life: process_start -> on_output ... -> on_exit exactly once (after the last output was
 * delivered, or 200 ms after the exit when something that left the group holds the pipe) ->
 * process_free. No callback is made from inside process_start or process_stop.    Tests:
 * test/unit/test_process.c
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <sys/types.h>

#include "base/base.h"
#include "base/err.h"
#include "base/str.h"
#include "os/loop.h"

enum process_stream { PROCESS_STDOUT = 1, PROCESS_STDERR = 2 };

struct process_exit {
    int status;          /* exit status 0..255, or -1 when a signal ended it */
    int signal_number;   /* that signal, else 0 */
    bool timed_out;      /* its timeout was the cause */
    bool stopped;        /* process_stop was called before it ended */
    uint64_t started_ns; /* monotonic */
    uint64_t ended_ns;
};

struct process_spec {
    const char *const *argv; /* NULL-terminated; argv[0] with a slash is a path, else from PATH */
    const char *const *env;  /* NULL-terminated "K=V"; NULL: ours */
    const char *cwd;         /* NULL: ours */
    struct str input;        /* given on stdin, then end of file; empty: /dev/null */
    bool merge_output;       /* stderr goes where stdout goes, in order */
    bool inherit_output;     /* stdout and stderr are ours: no on_output */
    bool keep_group;         /* leave the rest of the group alone when the child has exited */
    bool die_with_us;        /* the kernel kills the child when our thread dies */
    uint64_t timeout_ns;     /* 0: none; then TERM to the group, KILL after grace_ns */
    uint64_t grace_ns;       /* between TERM and KILL; 0: KILL at once */
    const int *pass_fds;     /* descriptors that stay open under the same number */
    size_t pass_fds_count;
    void (*on_output)(void *arg, enum process_stream stream, struct str bytes); /* may be NULL */
    void (*on_exit)(void *arg, const struct process_exit *exit);                /* may be NULL */
    void *arg;
};

struct process;

/* Start it.  Errors (nothing was started): ERR_NOT_FOUND, ERR_ACCESS, ERR_IO; an exec that fails
 * is reported here, not as an exit status.  `spec` is borrowed for the call. */
NODISCARD int process_start(struct loop *loop, const struct process_spec *spec,
                            struct process **ret_process, struct err *err);
/* Ask the group to end: `signal_number` now, KILL after `grace_ns`.  Calling again with a shorter
 * grace shortens it. */
void process_stop(struct process *process, int signal_number, uint64_t grace_ns);
/* Send a signal to the group; nothing when it has ended. */
void process_signal(struct process *process, int signal_number);
pid_t process_pid(const struct process *process);
bool process_running(const struct process *process);
/* Pause and resume the reading of output (back-pressure: the child blocks when its pipe fills). */
void process_pause_output(struct process *process, bool paused);
/* Kill the group at once if it still runs; no callback afterwards. */
void process_free(struct process *own_process);
DEFINE_FREEP(struct process, process_free)

#endif
