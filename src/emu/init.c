#include "emu/init.h"

#include "base/buf.h"
#include "emu/power.h"
#include "emu/steer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KILL_EVERY_NS (20 * NS_PER_MS) /* what forks while it is killed is met again */
#define KILL_ROUNDS_MAX 500            /* 10 s; then the parent's own kill is left */
#define METADATA_BACKLOG 64

struct init {
    struct init_spec spec;
    int signal_fd, power_fd;
    int steer_fd;   /* leads port 80 of the metadata address to its socket */
    pid_t boot_pid; /* of user-data; 0: ended or never started */
    bool ending;    /* TERM was sent, KILL follows at kill_ns */
    bool stay;      /* after the end of the tree: dead system in a live instance */
    uint64_t kill_ns;
    unsigned kill_rounds;
    bool scheduled;
    struct power_wish wish; /* what happens at wish_ns */
    uint64_t wish_ns;
};

/* Counts while the machine sleeps: a cap is real time. */
static uint64_t now_ns(void) {
    struct timespec t;
    must(clock_gettime(CLOCK_BOOTTIME, &t) == 0);
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void PRINTF_LIKE(1, 2) tell(const char *fmt, ...) {
    char text[INIT_MESSAGE_BYTES];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    ignore(send(INIT_CONTROL_FD, text, strlen(text), MSG_NOSIGNAL) < 0); /* end of file follows */
}

static void tell_fd(const char *text, int fd) {
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {.space = {0}};
    struct iovec part = {(void *)(uintptr_t)text, strlen(text)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.space,
                             .msg_controllen = sizeof control.space};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(head), &fd, sizeof fd);
    ignore(sendmsg(INIT_CONTROL_FD, &message, MSG_NOSIGNAL) < 0); /* end of file follows */
}

/* ---- setting up ----------------------------------------------------------------------------- */

static int receive_spec(struct init_spec *spec, struct err *err) {
    ssize_t got;
    do {
        got = recv(INIT_CONTROL_FD, spec, sizeof *spec, 0);
    } while (got < 0 && errno == EINTR);
    if (got != sizeof *spec || spec->magic != INIT_MAGIC)
        return err_set(err, ERR_PROTOCOL, "this command is started by `dayfly cloud` only");
    return 0;
}

static int listen_for_metadata(const struct init_spec *spec, uint16_t port, int *ret_fd,
                               struct err *err) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port),
                                  .sin_addr.s_addr =
                                      htonl(spec->namespaced ? INIT_METADATA_IP : spec->ip)};
    int on = 1;
    int hops = (int)spec->metadata_hops;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set_errno(err, ERR_IO, errno, "cannot open the metadata socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, 1 /* TCP_NODELAY; accepted sockets inherit it */, &on, sizeof on);
    if (hops >= 1 && hops <= 64)
        setsockopt(fd, IPPROTO_IP, IP_TTL, &hops, sizeof hops);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen(fd, METADATA_BACKLOG) < 0) {
        int code = errno;
        close(fd);
        return err_set_errno(err, ERR_IO, code, "cannot listen for metadata requests");
    }
    *ret_fd = fd;
    return 0;
}

/* Port 80 of every address is the instance's own, where the kernel can steer (steer.h). */
static int open_metadata(struct init *in, struct err *err) {
    struct err why = {0};
    int fd = -1;
    uint16_t port = in->spec.namespaced ? INIT_METADATA_HIDDEN_PORT : INIT_METADATA_PORT;
    TRY(listen_for_metadata(&in->spec, port, &fd, err));
    if (in->spec.namespaced &&
        steer_port(fd, INIT_METADATA_IP, INIT_METADATA_HTTP_PORT, &in->steer_fd, &why) < 0) {
        dprintf(1, "metadata is served on port 80, servers cannot bind 0.0.0.0:80: %s\n", why.text);
        close(fd);
        TRY(listen_for_metadata(&in->spec, INIT_METADATA_HTTP_PORT, &fd, err));
    }
    tell_fd("imds", fd);
    close(fd);
    return 0;
}

static struct sockaddr_un power_address(const char *name, socklen_t *ret_size) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int length =
        snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "dayfly-power-%s", name);
    must(length > 0 && (size_t)length < sizeof address.sun_path - 1);
    *ret_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
    return address;
}

static int open_power(struct init *in, struct err *err) {
    socklen_t size;
    struct sockaddr_un address = power_address(in->spec.power, &size);
    int on = 1;
    in->power_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (in->power_fd < 0 || bind(in->power_fd, (struct sockaddr *)&address, size) < 0 ||
        setsockopt(in->power_fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0)
        return err_set_errno(err, ERR_IO, errno, "cannot open the power socket");
    return 0;
}

static int read_user_data(const struct init_spec *spec, struct buf *into, struct err *err) {
    char path[600];
    snprintf(path, sizeof path, "%s/user-data", spec->dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return err_set_errno(err, ERR_IO, errno, "cannot read %s", path);
    ssize_t got = 1;
    while (got > 0) {
        char *space = buf_reserve(into, USER_DATA_BYTES_MAX + 1 - into->len);
        got = space ? read(fd, space, USER_DATA_BYTES_MAX + 1 - into->len) : 0;
        if (got > 0)
            buf_commit(into, (size_t)got);
        if (into->len > USER_DATA_BYTES_MAX)
            break;
    }
    close(fd);
    if (got != 0)
        return err_set(err, ERR_IO, "cannot read %s", path);
    return 0;
}

static int open_signals(struct init *in, struct err *err) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_SETMASK, &set, NULL) < 0)
        return err_set_errno(err, ERR_IO, errno, "cannot block signals");
    in->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (in->signal_fd < 0)
        return err_set_errno(err, ERR_IO, errno, "cannot open a signal descriptor");
    return 0;
}

static int boot(struct init *in, struct err *err) {
    CLEANUP(buf_deinit) struct buf user_data = BUF_INIT(USER_DATA_BYTES_MAX + 1);
    TRY(read_user_data(&in->spec, &user_data, err));
    TRY(open_signals(in, err));
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    if (in->spec.namespaced)
        TRY(init_space_enter(&in->spec, err));
    TRY(open_metadata(in, err));
    TRY(open_power(in, err));
    dprintf(1, "[    0.000000] dayfly instance %s: %s isolation\n", in->spec.id,
            in->spec.namespaced ? "namespace" : "process");
    TRY(init_boot(&in->spec, buf_str(&user_data), &in->boot_pid, err));
    tell("booted");
    return 0;
}

/* ---- power ---------------------------------------------------------------------------------- */

static void end_tree(struct init *in, uint64_t grace_ns, bool stay) {
    if (in->ending && in->stay && !stay)
        in->stay = false; /* what was dead now goes away altogether */
    if (in->ending) {
        in->kill_ns = MIN(in->kill_ns, now_ns() + grace_ns);
        return;
    }
    in->ending = true;
    in->stay = stay;
    in->kill_rounds = 0;
    in->kill_ns = now_ns() + grace_ns;
    if (grace_ns > 0) {
        init_tree_signal(in->spec.namespaced, SIGTERM);
        init_tree_signal(in->spec.namespaced, SIGCONT);
    }
}

static void perform(struct init *in, enum power_act act) {
    in->scheduled = false;
    switch (act) {
    case POWER_OFF:
        dprintf(1, "[  shutdown  ] System is powering down.\n");
        tell("off");
        end_tree(in, 2 * NS_PER_S, false);
        break;
    case POWER_HALT:
        dprintf(1, "[  shutdown  ] System halted.\n");
        tell("halt");
        end_tree(in, 2 * NS_PER_S, true);
        break;
    case POWER_REBOOT:
        dprintf(1, "[  shutdown  ] System is rebooting.\n");
        tell("reboot");
        end_tree(in, 2 * NS_PER_S, true);
        break;
    case POWER_CANCEL:
    case POWER_WARN:
        break;
    }
}

static void hear_power(struct init *in) {
    char text[64];
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct iovec part = {text, sizeof text - 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.space,
                             .msg_controllen = sizeof control.space};
    ssize_t got = recvmsg(in->power_fd, &message, 0);
    const struct cmsghdr *head = got >= 0 ? CMSG_FIRSTHDR(&message) : NULL;
    struct power_wish wish;
    if (!head || head->cmsg_type != SCM_CREDENTIALS)
        return;
    struct ucred sender;
    memcpy(&sender, CMSG_DATA(head), sizeof sender);
    text[got] = '\0';
    if ((sender.uid != 0 && sender.uid != geteuid()) || power_read(text, &wish, NULL) < 0)
        return;
    dprintf(1, "[   power    ] asked: %s\n", text);
    if (wish.act == POWER_WARN || in->ending)
        return;
    in->scheduled = false;
    if (wish.act == POWER_CANCEL)
        return;
    in->wish = wish;
    in->wish_ns = now_ns() + wish.minutes * in->spec.minute_ns;
    in->scheduled = true;
}

static bool hear_control(struct init *in) {
    char text[INIT_MESSAGE_BYTES];
    ssize_t got = recv(INIT_CONTROL_FD, text, sizeof text - 1, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (got <= 0)
        return false;
    text[got] = '\0';
    unsigned grace_ms = 0;
    if (sscanf(text, "stop %u", &grace_ms) == 1)
        end_tree(in, grace_ms * NS_PER_MS, false);
    else if (strcmp(text, "crash") == 0)
        end_tree(in, 0, true);
    else if (strcmp(text, "freeze") == 0)
        init_tree_signal(in->spec.namespaced, SIGSTOP);
    else if (strcmp(text, "thaw") == 0)
        init_tree_signal(in->spec.namespaced, SIGCONT);
    return true;
}

/* ---- the loop ------------------------------------------------------------------------------- */

/* True while a child is left. */
static bool reap(struct init *in) {
    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid <= 0)
            return pid == 0;
        if (pid != in->boot_pid)
            continue;
        in->boot_pid = 0;
        int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        dprintf(1, "cloud-init: user-data ended with status %d\n", code);
        tell("exit %d", code);
    }
}

/* True: SIGTERM, the cloud is gone. */
static bool hear_signals(struct init *in) {
    struct signalfd_siginfo info;
    bool term = false;
    while (read(in->signal_fd, &info, sizeof info) == sizeof info)
        term = term || info.ssi_signo == SIGTERM;
    return term;
}

static int wait_ms(const struct init *in) {
    uint64_t at = UINT64_MAX;
    if (in->ending && in->kill_ns != UINT64_MAX)
        at = in->kill_ns;
    if (in->scheduled && !in->ending)
        at = MIN(at, in->wish_ns);
    uint64_t now = now_ns();
    if (at == UINT64_MAX)
        return -1;
    return at <= now ? 0 : (int)MIN((at - now) / NS_PER_MS + 1, 60000);
}

/* What is due by time; false when this process has to end. */
static bool turn(struct init *in) {
    bool children = reap(in);
    if (in->scheduled && !in->ending && now_ns() >= in->wish_ns)
        perform(in, in->wish.act);
    if (!in->ending)
        return true;
    if (!children) {
        in->kill_ns = UINT64_MAX;
        return in->stay;
    }
    if (now_ns() >= in->kill_ns) {
        init_tree_signal(in->spec.namespaced, SIGKILL);
        in->kill_ns = now_ns() + KILL_EVERY_NS;
        in->kill_rounds++;
    }
    return in->stay || in->kill_rounds < KILL_ROUNDS_MAX;
}

static void loop(struct init *in) {
    bool leash = true; /* the cloud lives */
    while (turn(in)) {
        bool had_leash = leash;
        struct pollfd fds[] = {{.fd = leash ? INIT_CONTROL_FD : -1, .events = POLLIN},
                               {.fd = in->signal_fd, .events = POLLIN},
                               {.fd = in->power_fd, .events = POLLIN}};
        if (poll(fds, ARRAY_LEN(fds), wait_ms(in)) < 0 && errno != EINTR)
            return;
        if (fds[1].revents && hear_signals(in))
            leash = false;
        if (fds[2].revents)
            hear_power(in);
        if (leash && fds[0].revents)
            leash = hear_control(in);
        if (had_leash && !leash)
            end_tree(in, 0, false);
    }
}

int init_main(void) {
    CLEANUP(mem_freep) struct init *in = mem_new(sizeof *in);
    struct err err = {0};
    if (receive_spec(&in->spec, &err) < 0) {
        dprintf(2, "error: %s\n", err.text);
        return 2;
    }
    prctl(PR_SET_NAME, "dayfly-init", 0, 0, 0);
    if (boot(in, &err) < 0) {
        dprintf(1, "[  boot      ] failed: %s\n", err.text);
        tell("failed %.200s", err.text);
        init_tree_signal(in->spec.namespaced, SIGKILL);
        return 1;
    }
    loop(in);
    return 0;
}

int init_power(const char *name, const char *const *words, unsigned count, struct err *err) {
    time_t now = time(NULL);
    struct power_wish wish;
    TRY(power_parse(words, count, (unsigned)(now / 60 % (24 * 60)), &wish, err));
    if (strlen(name) >= INIT_POWER_BYTES)
        return err_set(err, ERR_USAGE, "not the name of an instance: '%s'", name);
    char text[64];
    power_format(&wish, text, sizeof text);
    socklen_t size;
    struct sockaddr_un address = power_address(name, &size);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_set_errno(err, ERR_IO, errno, "cannot open a socket");
    ssize_t sent = sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&address, size);
    int code = errno;
    close(fd);
    if (sent < 0)
        return err_set_errno(err, ERR_IO, code, "no instance %s to tell", name);
    return 0;
}
