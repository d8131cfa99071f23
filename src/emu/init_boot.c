#include "emu/init.h"

#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <zlib.h>

#define USER_DATA_UNPACKED_MAX (4 * MIB) /* 16 KB of gzip can hold so much honest text at most */

static const char *const POWER_SHIMS[] = {"shutdown", "poweroff", "halt", "reboot"};
static const char *const DOWNLOADERS[] = {"curl", "wget", "python3"};

static int write_script(const char *path, const char *text, struct err *err) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0755);
    if (fd < 0)
        return err_set_errno(err, ERR_IO, errno, "cannot write %s", path);
    ssize_t size = (ssize_t)strlen(text);
    bool written = write(fd, text, (size_t)size) == size;
    if (close(fd) != 0 || !written)
        return err_set_errno(err, ERR_IO, errno, "cannot write %s", path);
    return 0;
}

/* `bin` comes first in the instance's PATH. */
static int write_shims(const struct init_spec *spec, const char *bin, const char *exe,
                       struct err *err) {
    char path[700];
    char text[1400];
    if (mkdir(bin, 0755) < 0 && errno != EEXIST)
        return err_set_errno(err, ERR_IO, errno, "cannot make %s", bin);
    snprintf(text, sizeof text, "#!/bin/sh\nexec '%s' instance-power -- '%s' \"${0##*/}\" \"$@\"\n",
             exe, spec->power);
    snprintf(path, sizeof path, "%s/%s", bin, POWER_SHIMS[0]);
    TRY(write_script(path, text, err));
    for (size_t i = 1; i < ARRAY_LEN(POWER_SHIMS); i++) {
        snprintf(path, sizeof path, "%s/%s", bin, POWER_SHIMS[i]);
        if (symlink(POWER_SHIMS[0], path) < 0 && errno != EEXIST)
            return err_set_errno(err, ERR_IO, errno, "cannot write %s", path);
    }
    for (size_t i = 0; spec->namespaced && i < ARRAY_LEN(POWER_SHIMS); i++) {
        char target[96];
        snprintf(path, sizeof path, "/usr/sbin/%s", POWER_SHIMS[i]);
        snprintf(target, sizeof target, "%s/%s", bin, POWER_SHIMS[i]);
        unlink(path);
        if (symlink(target, path) < 0)
            return err_set_errno(err, ERR_IO, errno, "cannot write %s", path);
    }
    for (size_t i = 0; spec->dud == CLOUD_DUD_NO_DOWNLOAD && i < ARRAY_LEN(DOWNLOADERS); i++) {
        snprintf(path, sizeof path, "%s/%s", bin, DOWNLOADERS[i]);
        snprintf(text, sizeof text, "#!/bin/sh\necho '%s: transfer failed' >&2\nexit 7\n",
                 DOWNLOADERS[i]);
        TRY(write_script(path, text, err));
    }
    return 0;
}

bool init_boot_interpreter(struct str script, char *into, size_t into_size, char *arg,
                           size_t arg_size) {
    struct str line;
    if (!str_starts_with(script, STR("#!")) || !str_line(&script, &line))
        return false;
    line = str_trim(str_skip(line, 2));
    size_t end = MIN(str_index_of(line, ' '), str_index_of(line, '\t'));
    struct str program = str_slice(line, 0, end);
    return program.len > 0 && str_copy(into, into_size, program) &&
           str_copy(arg, arg_size, str_trim(str_skip(line, end)));
}

/* Unpack gzip into `out`. */
static bool gunzip(struct str packed, struct buf *out) {
    z_stream z = {0};
    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
        return false;
    z.next_in = (unsigned char *)(uintptr_t)packed.ptr;
    z.avail_in = (unsigned)packed.len;
    int result = Z_OK;
    while (result == Z_OK && buf_ok(out)) {
        char chunk[16 * KIB];
        z.next_out = (unsigned char *)chunk;
        z.avail_out = sizeof chunk;
        result = inflate(&z, Z_NO_FLUSH);
        buf_add(out, chunk, sizeof chunk - z.avail_out);
    }
    inflateEnd(&z);
    return result == Z_STREAM_END && buf_ok(out);
}

int init_boot_cut_network(struct err *err) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 2 /* AF_INET */, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 10 /* AF_INET6 */, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENETUNREACH),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = ARRAY_LEN(code), .filter = code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
        return err_set_errno(err, ERR_IO, errno, "cannot cut the network off");
    return 0;
}

#define ENV_MAX 16

struct env {
    char text[ENV_MAX][1300];
    char *list[ENV_MAX + 1];
    unsigned count;
};

static void PRINTF_LIKE(2, 3) env_add(struct env *env, const char *fmt, ...) {
    must(env->count < ENV_MAX);
    va_list args;
    va_start(args, fmt);
    vsnprintf(env->text[env->count], sizeof env->text[0], fmt, args);
    va_end(args);
    env->list[env->count] = env->text[env->count];
    env->count++;
}

static void fill_env(struct env *env, const struct init_spec *spec, const char *bin,
                     const char *exe) {
    const char *system_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    env_add(env, "PATH=%s:%s", bin, system_path);
    env_add(env, "LANG=C.UTF-8");
    env_add(env, "SHELL=/bin/sh");
    env_add(env, "DAYFLY_INSTANCE=%s", spec->id);
    if (spec->agent_hint && spec->dud != CLOUD_DUD_NO_DOWNLOAD)
        env_add(env, "DAYFLY_AGENT_HINT=%s", exe);
    if (spec->namespaced) {
        env_add(env, "HOME=/root");
        env_add(env, "USER=root");
        return;
    }
    env_add(env, "HOME=%s/home", spec->dir);
    env_add(env, "TMPDIR=%s/tmp", spec->dir);
    env_add(env, "DAYFLY_INSTANCE_DIR=%s", spec->dir);
    env_add(env, "AWS_EC2_METADATA_SERVICE_ENDPOINT=http://%u.%u.%u.%u:%u/", spec->ip >> 24,
            spec->ip >> 16 & 255, spec->ip >> 8 & 255, spec->ip & 255, INIT_METADATA_PORT);
}

static NORETURN void exec_script(const struct init_spec *spec, const char *const *argv,
                                 struct env *env) {
    struct err err = {0};
    char home[600];
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setsid();
    snprintf(home, sizeof home, "%s%s", spec->namespaced ? "/" : spec->dir,
             spec->namespaced ? "" : "/home");
    if (chdir(home) < 0)
        err_set_errno(&err, ERR_IO, errno, "cannot enter %s", home);
    else if (spec->dud != CLOUD_DUD_NO_NETWORK || spec->namespaced ||
             init_boot_cut_network(&err) == 0)
        execve(argv[0], (char *const *)(uintptr_t)argv, env->list);
    dprintf(2, "cloud-init: cannot run user-data by %s: %s\n", argv[0],
            err.code != ERR_NONE ? err.text : strerror(errno));
    _exit(127);
}

/* The script as a file, the interpreter's command line, and a child that runs it. */
static int start_script(const struct init_spec *spec, struct str script, const char *bin,
                        const char *exe, pid_t *ret_pid, struct err *err) {
    char interpreter[256];
    char arg[256];
    if (!init_boot_interpreter(script, interpreter, sizeof interpreter, arg, sizeof arg)) {
        dprintf(1, "cloud-init: user-data is not a script with '#!'; nothing was run\n");
        return 0;
    }
    char path[600];
    snprintf(path, sizeof path, "%s/boot-script", spec->namespaced ? "/run/dayfly" : spec->dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0700);
    bool written = fd >= 0 && write(fd, script.ptr, script.len) == (ssize_t)script.len;
    if (fd < 0 || close(fd) != 0 || !written)
        return err_set_errno(err, ERR_IO, errno, "cannot write %s", path);
    const char *argv[4] = {interpreter};
    unsigned count = 1;
    if (arg[0] != '\0')
        argv[count++] = arg;
    argv[count] = path;
    struct env *env = mem_new(sizeof *env);
    fill_env(env, spec, bin, exe);
    pid_t pid = fork();
    if (pid == 0)
        exec_script(spec, argv, env);
    mem_free(env);
    if (pid < 0)
        return err_set_errno(err, ERR_IO, errno, "cannot start user-data");
    *ret_pid = pid;
    return 0;
}

int init_boot(const struct init_spec *spec, struct str user_data, pid_t *ret_pid, struct err *err) {
    char bin[600];
    char path[600];
    *ret_pid = 0;
    const char *exe = spec->namespaced ? "/run/dayfly/dayfly" : spec->exe;
    snprintf(bin, sizeof bin, "%s/bin", spec->namespaced ? "/run/dayfly" : spec->dir);
    TRY(write_shims(spec, bin, exe, err));
    static const char *const DIRS[] = {"home", "tmp"};
    for (size_t i = 0; !spec->namespaced && i < ARRAY_LEN(DIRS); i++) {
        snprintf(path, sizeof path, "%s/%s", spec->dir, DIRS[i]);
        if (mkdir(path, 0700) < 0 && errno != EEXIST)
            return err_set_errno(err, ERR_IO, errno, "cannot make %s", path);
    }
    dprintf(1, "%s login: cloud-init: %zu bytes of user-data\n", spec->hostname, user_data.len);
    if (user_data.len == 0 || spec->dud == CLOUD_DUD_NO_USER_DATA)
        return 0;
    CLEANUP(buf_deinit) struct buf unpacked = BUF_INIT(USER_DATA_UNPACKED_MAX);
    if (str_starts_with(user_data, STR("\x1f\x8b"))) {
        if (!gunzip(user_data, &unpacked)) {
            dprintf(1, "cloud-init: user-data is broken gzip; nothing was run\n");
            return 0;
        }
        user_data = buf_str(&unpacked);
    }
    return start_script(spec, user_data, bin, exe, ret_pid, err);
}
