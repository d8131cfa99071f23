#include "emu/inmate.h"

#include "emu/netlink.h"
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONSOLE_READ_BYTES (16 * KIB)
#define KILL_MARGIN_NS (12 * NS_PER_S) /* an init needs 10 s at most to give up */

DEFINE_FREEP(struct inmate, inmate_free)

/* ---- start ---------------------------------------------------------------------------------- */

static int write_folder(const struct init_spec *spec, struct str user_data, struct err *err) {
    char path[600];
    TRY(file_make_dirs(spec->dir, 0700, err));
    snprintf(path, sizeof path, "%s/user-data", spec->dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_set_errno(err, ERR_IO, errno, "cannot write %s", path);
    bool written =
        user_data.len == 0 || write(fd, user_data.ptr, user_data.len) == (ssize_t)user_data.len;
    if (close(fd) != 0 || !written)
        return err_set_errno(err, ERR_IO, errno, "cannot write %s", path);
    return 0;
}

/* Between clone and exec: only what is allowed after fork in a signal handler. */
static NORETURN void become_init(bool namespaced, int control_fd, int console_fd) {
    static char name[] = "dayfly";
    static char word[] = "instance-init";
    static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    char *argv[] = {name, word, NULL};
    char *env[] = {path, NULL};
    int null_fd = open("/dev/null", O_RDWR);
    int control = fcntl(control_fd, F_DUPFD, INIT_CONTROL_FD + 1);
    int console = fcntl(console_fd, F_DUPFD, INIT_CONTROL_FD + 1);
    prctl(PR_SET_PDEATHSIG, namespaced ? SIGKILL : SIGTERM);
    setsid();
    if (null_fd >= 0 && dup2(null_fd, 0) == 0 && dup2(console, 1) == 1 && dup2(console, 2) == 2 &&
        dup2(control, INIT_CONTROL_FD) == INIT_CONTROL_FD) {
        syscall(SYS_close_range, INIT_CONTROL_FD + 1, ~0U, 0);
        execve("/proc/self/exe", argv, env);
    }
    _exit(126);
}

static int spawn(struct inmate *in, int control_fd, int console_fd, struct err *err) {
    bool namespaced = in->spec.namespaced;
    struct clone_args args = {
        .flags = CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)&in->pid_fd, .exit_signal = SIGCHLD};
    if (namespaced)
        args.flags |= CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC;
    long pid = syscall(SYS_clone3, &args, sizeof args);
    if (pid == 0)
        become_init(namespaced, control_fd, console_fd);
    if (pid < 0)
        return err_set_errno(err, errno == EPERM ? ERR_ACCESS : ERR_IO, errno,
                             "cannot start the instance");
    in->pid = (pid_t)pid;
    return 0;
}

static int join_network(struct inmate *in, struct err *err) {
    struct world *w = in->world;
    char name[32];
    snprintf(name, sizeof name, "df%u-%u", w->block, w->started);
    TRY(netlink_veth(w->netlink_fd, name, w->bridge_index, in->pid, in->spec.mac, err));
    return netlink_neighbour(w->netlink_fd, w->bridge_index, in->spec.ip, in->spec.mac, true, err);
}

/* ---- events --------------------------------------------------------------------------------- */

static void read_console(struct inmate *in) {
    char text[CONSOLE_READ_BYTES];
    ssize_t got = read(in->console_fd, text, sizeof text);
    struct world *w = in->world;
    if (got > 0 && !w->closing)
        w->events.console(w->events.arg, str_from(in->spec.id), (struct str){text, (size_t)got});
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        loop_watch_set(in->console_watch, LOOP_NONE); /* nobody writes any more */
}

static void on_console(void *arg, int ready) {
    (void)ready;
    read_console(arg);
}

static void handle_message(struct inmate *in, const char *text, int fd) {
    struct world *w = in->world;
    struct str id = str_from(in->spec.id);
    if (w->closing) {
        file_closep(&fd);
        return;
    }
    if (strcmp(text, "imds") == 0 && fd >= 0) {
        w->events.metadata(w->events.arg, id, fd);
        return;
    }
    file_closep(&fd);
    if (strcmp(text, "booted") == 0)
        w->events.booted(w->events.arg, id);
    else if (strcmp(text, "off") == 0)
        w->events.powered_off(w->events.arg, id);
    else if (strcmp(text, "halt") == 0)
        w->events.halted(w->events.arg, id);
    else if (str_starts_with(str_from(text), STR("failed ")))
        w->events.failed(w->events.arg, id, text + 7);
    if (strcmp(text, "off") == 0 || str_starts_with(str_from(text), STR("failed ")))
        in->ended = true;
}

/* One message; false: no more now. */
static bool read_message(struct inmate *in) {
    char text[INIT_MESSAGE_BYTES + 1];
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {text, INIT_MESSAGE_BYTES};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.space,
                             .msg_controllen = sizeof control.space};
    ssize_t got = recvmsg(in->control_fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (got <= 0) {
        loop_watch_set(in->control_watch, LOOP_NONE); /* its exit is seen by the pidfd */
        return false;
    }
    text[got] = '\0';
    int fd = -1;
    const struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(head), sizeof fd);
    handle_message(in, text, fd);
    return true;
}

static void on_control(void *arg, int ready) {
    (void)ready;
    read_message(arg);
}

/* The init has exited.  reboot(2) inside a PID namespace shows as its death by SIGINT (power off,
 * halt) or SIGHUP (restart). */
static void on_exit_of_init(void *arg, int ready) {
    (void)ready;
    struct inmate *in = arg;
    struct world *w = in->world;
    siginfo_t info = {0};
    if (waitid(P_PIDFD, (id_t)in->pid_fd, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
        return;
    while (read_message(in)) {
    }
    read_console(in);
    bool killed = info.si_code != CLD_EXITED;
    in->pid = 0;
    CLEANUP(inmate_freep) struct inmate *own = in;
    table_remove(&w->inmates, str_from(in->spec.id));
    if (killed)
        world_stray(w);
    if (w->closing)
        return;
    if (!in->ended && killed && info.si_status == SIGINT)
        w->events.powered_off(w->events.arg, str_from(in->spec.id));
    else if (!in->ended)
        w->events.halted(w->events.arg, str_from(in->spec.id));
    w->events.gone(w->events.arg, str_from(in->spec.id));
    (void)own;
}

static void on_kill_time(void *arg) {
    inmate_kill(arg);
}

/* ---- life ----------------------------------------------------------------------------------- */

static void watch(struct inmate *in) {
    struct loop *loop = in->world->loop;
    file_set_nonblocking(in->console_fd, true);
    in->exit_watch = loop_watch_new(loop, in->pid_fd, LOOP_READ, on_exit_of_init, in);
    in->control_watch = loop_watch_new(loop, in->control_fd, LOOP_READ, on_control, in);
    in->console_watch = loop_watch_new(loop, in->console_fd, LOOP_READ, on_console, in);
    in->kill_timer = loop_timer_new(loop, on_kill_time, in);
}

static int start(struct inmate *in, struct str user_data, struct err *err) {
    int control[2];
    int console[2];
    TRY(write_folder(&in->spec, user_data, err));
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) < 0)
        return err_set_errno(err, ERR_IO, errno, "cannot make a control socket");
    in->control_fd = control[0];
    if (pipe2(console, O_CLOEXEC) < 0) {
        close(control[1]);
        return err_set_errno(err, ERR_IO, errno, "cannot make a console");
    }
    in->console_fd = console[0];
    int result = spawn(in, control[1], console[1], err);
    close(control[1]);
    close(console[1]);
    TRY(result);
    in->world->started++;
    if (in->spec.namespaced)
        TRY(join_network(in, err));
    if (send(in->control_fd, &in->spec, sizeof in->spec, MSG_NOSIGNAL) != sizeof in->spec)
        return err_set_errno(err, ERR_IO, errno, "cannot reach the instance's init");
    watch(in);
    return 0;
}

int inmate_new(struct world *w, const struct init_spec *spec, struct str user_data,
               struct inmate **ret_inmate, struct err *err) {
    CLEANUP(inmate_freep) struct inmate *in = mem_new(sizeof *in);
    in->world = w;
    in->spec = *spec;
    in->pid_fd = in->control_fd = in->console_fd = -1;
    TRY(start(in, user_data, err));
    *ret_inmate = take(in);
    return 0;
}

void inmate_free(struct inmate *own_inmate) {
    struct inmate *in = own_inmate;
    if (!in)
        return;
    loop_watch_free(in->exit_watch);
    loop_watch_free(in->control_watch);
    loop_watch_free(in->console_watch);
    loop_timer_free(in->kill_timer);
    if (in->pid > 0) {
        kill(in->pid, SIGKILL);
        waitpid(in->pid, NULL, 0);
        world_stray(in->world);
    }
    if (in->spec.namespaced && in->world->bridge_index != 0)
        ignore(netlink_neighbour(in->world->netlink_fd, in->world->bridge_index, in->spec.ip,
                                 in->spec.mac, false, NULL)); /* goes with the bridge at last */
    file_closep(&in->pid_fd);
    file_closep(&in->control_fd);
    file_closep(&in->console_fd);
    ignore(file_remove_tree(in->spec.dir, NULL)); /* the cloud's folder goes as a whole */
    mem_free(in);
}

void inmate_tell(struct inmate *in, const char *text) {
    ignore(send(in->control_fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT) <
           0); /* gone or stuck: the pidfd and the kill timer see to it */
}

void inmate_stop(struct inmate *in, uint64_t grace_ns) {
    char text[64];
    snprintf(text, sizeof text, "stop %u", (unsigned)MIN(grace_ns / NS_PER_MS, 600000U));
    in->ended = true;
    inmate_tell(in, text);
    loop_timer_after(in->kill_timer, grace_ns + KILL_MARGIN_NS);
}

void inmate_kill(struct inmate *in) {
    in->ended = true;
    if (in->pid > 0)
        kill(in->pid, SIGKILL);
}

size_t inmate_children(pid_t *pids, size_t max) {
    char path[64];
    size_t count = 0;
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    FILE *file = fopen(path, "re");
    int pid;
    while (file && count < max && fscanf(file, "%d", &pid) == 1)
        pids[count++] = (pid_t)pid;
    if (file)
        fclose(file);
    return count;
}
