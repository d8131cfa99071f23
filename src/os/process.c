#include "os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/file.h"

#define PROCESS_ASK_NS (20 * NS_PER_MS)    /* between questions where there is no pidfd */
#define PROCESS_DRAIN_NS (200 * NS_PER_MS) /* for output after the exit */
#define PROCESS_READ_BYTES (64 * 1024)
#define PROCESS_INPUT_BYTES_MAX (1 * MIB)

struct process_pipe {
    struct process *process;
    enum process_stream stream;
    int fd;
    struct loop_watch *watch;
};

struct process {
    struct loop *loop;
    pid_t pid;
    int pid_fd; /* -1: none */
    struct loop_watch *pid_watch;
    struct loop_timer *ask_timer;   /* where there is no pidfd */
    struct loop_timer *limit_timer; /* timeout, then the end of grace */
    struct loop_timer *done_timer;  /* end of waiting for output */
    struct process_pipe out[2];
    int input_fd;
    struct loop_watch *input_watch;
    char *input;
    size_t input_left, input_size;
    uint64_t grace_ns;
    uint64_t kill_at_ns; /* 0: no KILL planned */
    bool keep_group, paused, reaped, reported;
    struct process_exit exit;
    void (*on_output)(void *arg, enum process_stream stream, struct str bytes);
    void (*on_exit)(void *arg, const struct process_exit *exit);
    void *arg;
};

/* What the child needs between fork and exec, so that it allocates nothing there. */
struct process_child {
    const struct process_spec *spec;
    int in, out, error; /* become 0, 1, 2; -1: left as is */
    int report;         /* errno of a failed exec is written here */
    pid_t parent;
};

static bool process_is_passed(const struct process_spec *spec, int fd) {
    for (size_t i = 0; i < spec->pass_fds_count; i++)
        if (spec->pass_fds[i] == fd)
            return true;
    return false;
}

static void process_child_fail(const struct process_child *child) {
    int errno_value = errno;
    ignore(write(child->report, &errno_value, sizeof errno_value) < 0); /* nobody left to tell */
    _exit(127);
}

/* Runs in the child: only async-signal-safe calls. */
NORETURN static void process_child_run(const struct process_child *child) {
    const struct process_spec *spec = child->spec;
    setpgid(0, 0);
    if (spec->die_with_us) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != child->parent)
            _exit(127);
    }
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    /* The three are above 2 (process_above_stdio), so none overwrites another. */
    if ((child->in >= 0 && dup2(child->in, 0) < 0) ||
        (child->out >= 0 && dup2(child->out, 1) < 0) ||
        (child->error >= 0 && dup2(child->error, 2) < 0))
        process_child_fail(child);
    for (size_t i = 0; i < spec->pass_fds_count; i++)
        if (fcntl(spec->pass_fds[i], F_SETFD, 0) != 0)
            process_child_fail(child);
    if (spec->cwd != NULL && chdir(spec->cwd) != 0)
        process_child_fail(child);
    char *const *argv = (char *const *)(uintptr_t)spec->argv;
    if (spec->env != NULL)
        execvpe(argv[0], argv, (char *const *)(uintptr_t)spec->env);
    else
        execvp(argv[0], argv);
    process_child_fail(child);
    _exit(127);
}

static void process_report(struct process *p);

static bool process_output_open(const struct process *p) {
    return p->out[0].fd >= 0 || p->out[1].fd >= 0;
}

static void process_pipe_close(struct process_pipe *out) {
    loop_watch_free(out->watch);
    out->watch = NULL;
    file_closep(&out->fd);
}

static void process_input_close(struct process *p) {
    loop_watch_free(p->input_watch);
    p->input_watch = NULL;
    file_closep(&p->input_fd);
    mem_free(p->input);
    p->input = NULL;
}

static void process_on_readable(void *arg, int ready) {
    struct process_pipe *out = arg;
    struct process *p = out->process;
    char block[PROCESS_READ_BYTES];
    (void)ready;
    ssize_t got = read(out->fd, block, sizeof block);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got > 0) {
        if (p->on_output != NULL)
            p->on_output(p->arg, out->stream, (struct str){block, (size_t)got});
        return; /* the callback may have freed us */
    }
    process_pipe_close(out);
    if (p->reaped && !process_output_open(p))
        process_report(p);
}

static void process_on_input(void *arg, int ready) {
    struct process *p = arg;
    (void)ready;
    const char *from = p->input + p->input_size - p->input_left;
    ssize_t put = write(p->input_fd, from, p->input_left);
    if (put < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    p->input_left -= put > 0 ? (size_t)put : p->input_left; /* nobody reads: drop the rest */
    if (p->input_left == 0)
        process_input_close(p);
}

/* The end: told once, and last, because the callback may free us. */
static void process_report(struct process *p) {
    must(p->reaped);
    if (p->reported)
        return;
    p->reported = true;
    process_pipe_close(&p->out[0]);
    process_pipe_close(&p->out[1]);
    loop_timer_clear(p->done_timer);
    if (p->on_exit != NULL)
        p->on_exit(p->arg, &p->exit);
}

static void process_on_done(void *arg) {
    struct process *p = arg;
    if (p->paused && process_output_open(p))
        loop_timer_after(p->done_timer, PROCESS_DRAIN_NS); /* the reader has not had its turn */
    else
        process_report(p);
}

static bool process_reap(struct process *p) {
    siginfo_t info = {0};
    if (waitid(P_PID, (id_t)p->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0)
        return false;
    /* Before the leader is reaped its number cannot be given to another group. */
    if (!p->keep_group)
        kill(-p->pid, SIGKILL);
    int status = 0;
    pid_t got = waitpid(p->pid, &status, 0);
    /* ECHILD: somebody set SIGCHLD to be ignored; the status is lost, the child is gone. */
    p->exit.status = got > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    p->exit.signal_number = got > 0 && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    p->exit.ended_ns = loop_now_ns(p->loop);
    p->reaped = true;
    return true;
}

static void process_on_end(struct process *p) {
    loop_watch_free(p->pid_watch);
    p->pid_watch = NULL;
    file_closep(&p->pid_fd);
    loop_timer_clear(p->ask_timer);
    loop_timer_clear(p->limit_timer);
    process_input_close(p);
    loop_timer_after(p->done_timer, process_output_open(p) ? PROCESS_DRAIN_NS : 0);
}

static void process_on_pidfd(void *arg, int ready) {
    struct process *p = arg;
    (void)ready;
    if (process_reap(p))
        process_on_end(p);
}

static void process_on_ask(void *arg) {
    struct process *p = arg;
    if (process_reap(p))
        process_on_end(p);
    else
        loop_timer_after(p->ask_timer, PROCESS_ASK_NS);
}

static void process_on_limit(void *arg) {
    struct process *p = arg;
    if (p->reaped)
        return;
    if (p->kill_at_ns != 0) {
        kill(-p->pid, SIGKILL);
        return;
    }
    p->exit.timed_out = true;
    process_signal(p, p->grace_ns > 0 ? SIGTERM : SIGKILL);
    p->kill_at_ns = loop_now_ns(p->loop) + p->grace_ns;
    if (p->grace_ns > 0)
        loop_timer_set(p->limit_timer, p->kill_at_ns);
}

/* A descriptor above stdio, close-on-exec; -1 stays -1. */
static int process_above_stdio(int own_fd) {
    if (own_fd < 0 || own_fd > 2)
        return own_fd;
    int moved = fcntl(own_fd, F_DUPFD_CLOEXEC, 3);
    must(moved >= 0);
    close(own_fd);
    return moved;
}

static int process_pipe(int *ret_read, int *ret_write, struct err *err) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_set_errno(err, ERR_IO, errno, "cannot make a pipe");
    *ret_read = process_above_stdio(ends[0]);
    *ret_write = process_above_stdio(ends[1]);
    return 0;
}

struct process_ends {
    int in_read, in_write;
    int out_read, out_write;
    int error_read, error_write;
    int report_read, report_write;
};

static void process_ends_close(struct process_ends *ends) {
    file_closep(&ends->in_read);
    file_closep(&ends->in_write);
    file_closep(&ends->out_read);
    file_closep(&ends->out_write);
    file_closep(&ends->error_read);
    file_closep(&ends->error_write);
    file_closep(&ends->report_read);
    file_closep(&ends->report_write);
}

static int process_open_ends(const struct process_spec *spec, struct process_ends *ends,
                             struct err *err) {
    TRY(process_pipe(&ends->report_read, &ends->report_write, err));
    if (spec->input.len > 0) {
        TRY(process_pipe(&ends->in_read, &ends->in_write, err));
    } else {
        ends->in_read = process_above_stdio(open("/dev/null", O_RDONLY | O_CLOEXEC));
        if (ends->in_read < 0)
            return err_set_errno(err, ERR_IO, errno, "cannot open /dev/null");
    }
    if (spec->inherit_output)
        return 0;
    TRY(process_pipe(&ends->out_read, &ends->out_write, err));
    if (!spec->merge_output)
        TRY(process_pipe(&ends->error_read, &ends->error_write, err));
    return 0;
}

/* Fork and wait until the exec has worked or failed. */
static int process_fork(const struct process_spec *spec, struct process_ends *ends, pid_t *ret_pid,
                        struct err *err) {
    struct process_child child = {.spec = spec,
                                  .in = ends->in_read,
                                  .out = ends->out_write,
                                  .error = spec->merge_output ? ends->out_write : ends->error_write,
                                  .report = ends->report_write,
                                  .parent = getpid()};
    sigset_t all, before;
    sigfillset(&all);
    /* No handler of ours may run in the child. */
    must(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    pid_t pid = fork();
    if (pid == 0)
        process_child_run(&child);
    int fork_errno = errno;
    must(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    if (pid < 0)
        return err_set_errno(err, ERR_IO, fork_errno, "cannot start '%s'", spec->argv[0]);
    setpgid(pid, pid); /* in the child too: whoever comes first */
    file_closep(&ends->report_write);
    int exec_errno = 0;
    ssize_t got;
    do
        got = read(ends->report_read, &exec_errno, sizeof exec_errno);
    while (got < 0 && errno == EINTR);
    if (got != sizeof exec_errno) {
        *ret_pid = pid;
        return 0;
    }
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    enum err_code code = exec_errno == ENOENT   ? ERR_NOT_FOUND
                         : exec_errno == EACCES ? ERR_ACCESS
                                                : ERR_IO;
    return err_set_errno(err, code, exec_errno, "cannot run '%s'", spec->argv[0]);
}

static void process_watch_output(struct process *p, struct process_pipe *out, int *own_fd,
                                 enum process_stream stream) {
    out->process = p;
    out->stream = stream;
    out->fd = *own_fd;
    *own_fd = -1;
    if (out->fd < 0)
        return;
    file_set_nonblocking(out->fd, true);
    out->watch = loop_watch_new(p->loop, out->fd, LOOP_READ, process_on_readable, out);
}

static void process_watch_input(struct process *p, struct str input, int *own_fd) {
    p->input_fd = *own_fd;
    *own_fd = -1;
    if (p->input_fd < 0)
        return;
    file_set_nonblocking(p->input_fd, true);
    p->input = mem_new(input.len);
    memcpy(p->input, input.ptr, input.len);
    p->input_size = p->input_left = input.len;
    p->input_watch = loop_watch_new(p->loop, p->input_fd, LOOP_WRITE, process_on_input, p);
}

static void process_watch_exit(struct process *p) {
    p->pid_fd = (int)syscall(SYS_pidfd_open, p->pid, 0);
    if (p->pid_fd >= 0) {
        file_set_cloexec(p->pid_fd, true);
        p->pid_watch = loop_watch_new(p->loop, p->pid_fd, LOOP_READ, process_on_pidfd, p);
    } else {
        loop_timer_after(p->ask_timer, PROCESS_ASK_NS);
    }
}

int process_start(struct loop *loop, const struct process_spec *spec, struct process **ret_process,
                  struct err *err) {
    must(spec->argv != NULL && spec->argv[0] != NULL);
    must(!process_is_passed(spec, 0) && !process_is_passed(spec, 1) && !process_is_passed(spec, 2));
    if (spec->input.len > PROCESS_INPUT_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "input of '%s' is too long", spec->argv[0]);
    CLEANUP(process_ends_close)
    struct process_ends ends = {-1, -1, -1, -1, -1, -1, -1, -1};
    pid_t pid = -1;
    TRY(process_open_ends(spec, &ends, err));
    TRY(process_fork(spec, &ends, &pid, err));

    struct process *p = mem_new(sizeof *p);
    p->loop = loop;
    p->pid = pid;
    p->on_output = spec->on_output;
    p->on_exit = spec->on_exit;
    p->arg = spec->arg;
    p->keep_group = spec->keep_group;
    p->grace_ns = spec->grace_ns;
    p->exit.started_ns = loop_now_ns(loop);
    p->ask_timer = loop_timer_new(loop, process_on_ask, p);
    p->limit_timer = loop_timer_new(loop, process_on_limit, p);
    p->done_timer = loop_timer_new(loop, process_on_done, p);
    process_watch_output(p, &p->out[0], &ends.out_read, PROCESS_STDOUT);
    process_watch_output(p, &p->out[1], &ends.error_read, PROCESS_STDERR);
    process_watch_input(p, spec->input, &ends.in_write);
    process_watch_exit(p);
    if (spec->timeout_ns > 0)
        loop_timer_after(p->limit_timer, spec->timeout_ns);
    *ret_process = p;
    return 0;
}

void process_signal(struct process *process, int signal_number) {
    if (process->reaped)
        return;
    kill(-process->pid, signal_number);
    if (signal_number != SIGKILL && signal_number != SIGSTOP)
        kill(-process->pid, SIGCONT); /* a stopped group hears nothing else */
}

void process_stop(struct process *process, int signal_number, uint64_t grace_ns) {
    if (process->reaped)
        return;
    uint64_t now_ns = loop_now_ns(process->loop);
    uint64_t kill_at_ns = now_ns + grace_ns;
    process->exit.stopped = true;
    process_signal(process, grace_ns > 0 ? signal_number : SIGKILL);
    if (process->kill_at_ns != 0 && process->kill_at_ns <= kill_at_ns)
        return;
    process->kill_at_ns = MAX(kill_at_ns, UINT64_C(1));
    loop_timer_set(process->limit_timer, process->kill_at_ns);
}

pid_t process_pid(const struct process *process) {
    return process->pid;
}

bool process_running(const struct process *process) {
    return !process->reaped;
}

void process_pause_output(struct process *process, bool paused) {
    process->paused = paused;
    for (size_t i = 0; i < ARRAY_LEN(process->out); i++)
        if (process->out[i].watch != NULL)
            loop_watch_set(process->out[i].watch, paused ? LOOP_NONE : LOOP_READ);
}

void process_free(struct process *own_process) {
    struct process *p = own_process;
    if (p == NULL)
        return;
    if (!p->reaped) {
        kill(-p->pid, SIGKILL);
        kill(p->pid, SIGKILL);
        while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    process_input_close(p);
    process_pipe_close(&p->out[0]);
    process_pipe_close(&p->out[1]);
    loop_watch_free(p->pid_watch);
    file_closep(&p->pid_fd);
    loop_timer_free(p->ask_timer);
    loop_timer_free(p->limit_timer);
    loop_timer_free(p->done_timer);
    mem_free(p);
}
