#include "emu/emu.h"

#include "emu/endpoint.h"
#include "emu/options.h"
#include "os/clock.h"
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define READY_NS (20 * NS_PER_S)
#define READY_FD 3
#define STOP_EVERY_MS 20

/* What of our environment the cloud needs.  Above all it gets no AWS_*: credentials of a real
 * account have no business in it. */
static bool is_for_cloud(struct str entry) {
    static const struct str names[] = {STR_INIT("PATH="),
                                       STR_INIT("HOME="),
                                       STR_INIT("TMPDIR="),
                                       STR_INIT("XDG_STATE_HOME="),
                                       STR_INIT("LANG="),
                                       STR_INIT("LC_ALL="),
                                       STR_INIT("TZ="),
                                       STR_INIT("ASAN_OPTIONS="),
                                       STR_INIT("UBSAN_OPTIONS="),
                                       STR_INIT("LSAN_OPTIONS=")};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_starts_with(entry, names[i]))
            return true;
    return false;
}

static char **cloud_environment(void) {
    size_t count = 0, kept = 0;
    while (environ[count])
        count++;
    char **env = mem_new_array(count + 1, sizeof *env);
    for (size_t i = 0; i < count; i++)
        if (is_for_cloud(str_from(environ[i])))
            env[kept++] = environ[i];
    return env;
}

/* Between fork and exec: only what is allowed in a signal handler. */
static NORETURN void become_cloud(char **argv, char **env, int ready_fd, int log_fd) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setsid(); /* no terminal's Ctrl-C ends it: it outlives a killed head on purpose */
    int null_fd = open("/dev/null", O_RDWR);
    int log = fcntl(log_fd >= 0 ? log_fd : null_fd, F_DUPFD, READY_FD + 1);
    int ready = fcntl(ready_fd, F_DUPFD, READY_FD + 1);
    if (null_fd >= 0 && dup2(null_fd, 0) == 0 && dup2(log, 1) == 1 && dup2(log, 2) == 2 &&
        dup2(ready, READY_FD) == READY_FD) {
        syscall(SYS_close_range, READY_FD + 1, ~0U, 0);
        execve("/proc/self/exe", argv, env);
    }
    _exit(126);
}

/* One line from the cloud: the path of its endpoint.json, or "error: why". */
static int read_ready_line(int fd, char *into, size_t size, struct err *err) {
    uint64_t until_ns = clock_monotonic_ns() + READY_NS;
    size_t len = 0;
    while (len < size - 1) {
        uint64_t now = clock_monotonic_ns();
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int wait_ms = now >= until_ns ? 0 : (int)((until_ns - now) / NS_PER_MS) + 1;
        int ready = poll(&p, 1, wait_ms);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return err_set(err, ERR_TIMEOUT, "the rehearsal cloud did not come up within 20 s");
        ssize_t got = read(fd, into + len, size - 1 - len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        len += (size_t)got;
        if (into[len - 1] == '\n') {
            into[len - 1] = '\0';
            return 0;
        }
    }
    return err_set(err, ERR_IO, "the rehearsal cloud ended before it was ready");
}

static int wait_ready(int fd, pid_t pid, struct emu_endpoint *ret, struct err *err) {
    char line[1024];
    int result = read_ready_line(fd, line, sizeof line, err);
    if (result == 0 && line[0] != '/')
        result = err_set(err, str_contains(str_from(line), STR("needs root")) ? ERR_ACCESS : ERR_IO,
                         "rehearsal cloud: %s", line);
    if (result == 0)
        result = emu_endpoint_read(line, ret, err);
    if (result < 0) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    return result;
}

int emu_spawn(const struct emu_options *o, int log_fd, struct emu_endpoint *ret, struct err *err) {
    int ready[2];
    if (pipe2(ready, O_CLOEXEC) < 0)
        return err_set_errno(err, ERR_IO, errno, "cannot make a pipe");
    char **argv = options_argv(o);
    unsigned count = 0;
    while (argv[count])
        count++;
    argv[count++] = str_dup(STR("--quiet"));
    argv[count++] = str_dup(STR("--ready-fd"));
    argv[count++] = str_dup(STR("3"));
    must(count < OPTIONS_ARGS_MAX);
    CLEANUP(mem_freep) char **env = cloud_environment();
    pid_t pid = fork();
    int code = errno;
    if (pid == 0)
        become_cloud(argv, env, ready[1], log_fd);
    options_argv_free(argv);
    close(ready[1]);
    int result = pid < 0 ? err_set_errno(err, ERR_IO, code, "cannot start the rehearsal cloud")
                         : wait_ready(ready[0], pid, ret, err);
    close(ready[0]);
    return result;
}

/* By the lock alone: a pid is not enough to send it a signal. */
static bool holds_lock(const struct emu_endpoint *e) {
    bool held = false;
    return endpoint_lock_held(e, &held, NULL) == 0 && held;
}

int emu_stop(const struct emu_endpoint *endpoint, uint64_t timeout_ns, struct err *err) {
    must(endpoint->pid > 1);
    uint64_t until_ns = clock_monotonic_ns() + timeout_ns;
    if (holds_lock(endpoint) && kill(endpoint->pid, SIGTERM) < 0 && errno != ESRCH)
        return err_set_errno(err, ERR_ACCESS, errno, "cannot stop the rehearsal cloud");
    while (holds_lock(endpoint)) {
        if (clock_monotonic_ns() >= until_ns)
            return err_set(err, ERR_TIMEOUT, "the rehearsal cloud (pid %d) does not end",
                           endpoint->pid);
        clock_sleep_until_ns(clock_monotonic_ns() + STOP_EVERY_MS * NS_PER_MS);
    }
    /* Its last step, if it is our child: 0 means not yet, -1 not ours. */
    while (waitpid(endpoint->pid, NULL, WNOHANG) == 0 && clock_monotonic_ns() < until_ns)
        clock_sleep_until_ns(clock_monotonic_ns() + NS_PER_MS);
    return 0;
}
