#include "emu/init.h"

#include "emu/netlink.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Everything of the instance that is written lives in one tmpfs mounted here, in a mount namespace
 * that dies with the instance.  /run exists on every system with a root file system overlay. */
#define STAGE "/run"
#define ROOT STAGE "/root"
#define LAYERS_MAX 8

static int make_dir(const char *path, struct err *err) {
    if (mkdir(path, 0755) < 0 && errno != EEXIST)
        return err_set_errno(err, ERR_IO, errno, "cannot make %s", path);
    return 0;
}

static int mount_at(const char *what, const char *where, const char *type, unsigned long flags,
                    const char *data, struct err *err) {
    if (mount(what, where, type, flags, data) < 0)
        return err_set_errno(err, ERR_ACCESS, errno, "cannot mount %s at %s",
                             type ? type : "a part of this machine", where);
    return 0;
}

/* An overlay over `lower` (a path of this machine), mounted at ROOT/<lower>. */
static int mount_layer(const char *lower, unsigned number, struct err *err) {
    char upper[64];
    char work[64];
    char where[128];
    char data[256];
    snprintf(upper, sizeof upper, STAGE "/upper%u", number);
    snprintf(work, sizeof work, STAGE "/work%u", number);
    snprintf(where, sizeof where, ROOT "%s", number == 0 ? "" : lower);
    snprintf(data, sizeof data, "lowerdir=%s,upperdir=%s,workdir=%s", lower, upper, work);
    TRY(make_dir(upper, err));
    TRY(make_dir(work, err));
    return mount_at("dayfly", where, "overlay", 0, data, err);
}

/* The root, and each usual directory that is a file system of its own (an overlay does not see
 * what is mounted inside its lower directory). */
static int mount_layers(struct err *err) {
    static const char *const OTHERS[] = {"/usr", "/etc", "/var", "/opt", "/home", "/root", "/srv"};
    _Static_assert(ARRAY_LEN(OTHERS) < LAYERS_MAX, "each layer has its own upper directory");
    struct stat root;
    if (stat("/", &root) < 0)
        return err_set_errno(err, ERR_IO, errno, "cannot read /");
    TRY(make_dir(ROOT, err));
    TRY(mount_layer("/", 0, err));
    for (unsigned i = 0; i < ARRAY_LEN(OTHERS); i++) {
        struct stat other;
        if (lstat(OTHERS[i], &other) == 0 && S_ISDIR(other.st_mode) && other.st_dev != root.st_dev)
            TRY(mount_layer(OTHERS[i], i + 1, err));
    }
    return 0;
}

/* A small /dev: what programs need, no disk of this machine. */
static int mount_dev(struct err *err) {
    static const char *const NODES[] = {"null", "zero", "full", "random", "urandom", "tty"};
    static const char *const LINKS[][2] = {{"/proc/self/fd", ROOT "/dev/fd"},
                                           {"/proc/self/fd/0", ROOT "/dev/stdin"},
                                           {"/proc/self/fd/1", ROOT "/dev/stdout"},
                                           {"/proc/self/fd/2", ROOT "/dev/stderr"},
                                           {"pts/ptmx", ROOT "/dev/ptmx"}};
    TRY(mount_at("dev", ROOT "/dev", "tmpfs", MS_NOSUID, "mode=755,size=1m", err));
    for (size_t i = 0; i < ARRAY_LEN(NODES); i++) {
        char from[64];
        char to[64];
        struct stat node;
        snprintf(from, sizeof from, "/dev/%s", NODES[i]);
        snprintf(to, sizeof to, ROOT "/dev/%s", NODES[i]);
        if (stat(from, &node) == 0 && S_ISCHR(node.st_mode) &&
            (mknod(to, S_IFCHR | 0666, node.st_rdev) < 0 || chmod(to, 0666) < 0))
            return err_set_errno(err, ERR_ACCESS, errno, "cannot make %s", to);
    }
    for (size_t i = 0; i < ARRAY_LEN(LINKS); i++)
        ignore(symlink(LINKS[i][0], LINKS[i][1])); /* only convenience */
    TRY(make_dir(ROOT "/dev/pts", err));
    TRY(make_dir(ROOT "/dev/shm", err));
    TRY(mount_at("devpts", ROOT "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
                 "newinstance,ptmxmode=0666,mode=620", err));
    return mount_at("shm", ROOT "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777", err);
}

/* This program, inside, under a name that does not depend on this machine's folders.  By its path:
 * /proc/self/exe belongs to the mount namespace that we came from and cannot be bound. */
static int bring_program(const char *exe, struct err *err) {
    TRY(make_dir(ROOT "/run/dayfly", err));
    int fd = open(ROOT "/run/dayfly/dayfly", O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    if (fd < 0)
        return err_set_errno(err, ERR_IO, errno, "cannot make the program's mount point");
    close(fd);
    return mount_at(exe, ROOT "/run/dayfly/dayfly", NULL, MS_BIND, NULL, err);
}

static int write_text(const char *path, const char *text, struct err *err) {
    unlink(path); /* may be a link that leads out of the root */
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return err_set_errno(err, ERR_IO, errno, "cannot write %s", path);
    bool written = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (close(fd) != 0 || !written)
        return err_set_errno(err, ERR_IO, errno, "cannot write %s", path);
    return 0;
}

static int name_host(const struct init_spec *spec, struct err *err) {
    char text[256];
    if (sethostname(spec->hostname, strlen(spec->hostname)) < 0)
        return err_set_errno(err, ERR_ACCESS, errno, "cannot set the host name");
    snprintf(text, sizeof text, "%s\n", spec->hostname);
    TRY(write_text("/etc/hostname", text, err));
    snprintf(text, sizeof text, "127.0.0.1 localhost\n%u.%u.%u.%u %s\n", spec->ip >> 24,
             spec->ip >> 16 & 255, spec->ip >> 8 & 255, spec->ip & 255, spec->hostname);
    return write_text("/etc/hosts", text, err);
}

static int enter_root(const struct init_spec *spec, struct err *err) {
    TRY(mount_at(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL, err));
    TRY(mount_at("dayfly", STAGE, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755", err));
    TRY(mount_layers(err));
    TRY(make_dir(ROOT "/run", err));
    TRY(make_dir(ROOT "/tmp", err));
    TRY(mount_at("run", ROOT "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755", err));
    TRY(mount_at("tmp", ROOT "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777", err));
    TRY(bring_program(spec->exe, err));
    TRY(mount_dev(err));
    TRY(mount_at("proc", ROOT "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, err));
    TRY(mount_at("sysfs", ROOT "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL,
                 err));
    if (chdir(ROOT) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 ||
        chdir("/") < 0)
        return err_set_errno(err, ERR_ACCESS, errno, "cannot change the root");
    return name_host(spec, err);
}

static int enter_network(const struct init_spec *spec, int fd, struct err *err) {
    unsigned lo = netlink_index("lo");
    netlink_no_ipv6("all");
    TRY(netlink_up(fd, lo, err));
    TRY(netlink_address(fd, lo, INIT_METADATA_IP, 32, err));
    if (spec->dud == CLOUD_DUD_NO_NETWORK)
        return 0;
    unsigned eth0 = netlink_index("eth0");
    if (eth0 == 0)
        return err_set(err, ERR_IO, "network: the instance has no eth0");
    TRY(netlink_address(fd, eth0, spec->ip, spec->prefix, err));
    TRY(netlink_up(fd, eth0, err));
    TRY(netlink_neighbour(fd, eth0, spec->gateway, spec->gateway_mac, true, err));
    return netlink_default_route(fd, spec->gateway, err);
}

int init_space_enter(const struct init_spec *spec, struct err *err) {
    int fd = -1;
    TRY(netlink_open(&fd, err));
    int result = enter_network(spec, fd, err);
    close(fd);
    TRY(result);
    return enter_root(spec, err);
}
