#include "emu/world.h"

#include "base/table.h"
#include "emu/inmate.h"
#include "emu/netlink.h"
#include "os/file.h"

#include <errno.h>
#include <linux/if.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROCESS_BASE_IP 0x7f400000U /* 127.64.0.0/10 */
#define PROCESS_BLOCKS 64
#define PROCESS_PREFIX 16
#define SPACE_BASE_IP 0xc6120000U /* 198.18.0.0/15 */
#define SPACE_BLOCKS 8
#define SPACE_PREFIX 18
#define END_TURNS_MAX 200 /* x 50 ms: how long world_free waits */
#define STRAY_AGAIN_NS (20 * NS_PER_MS)

static void bridge_name(unsigned block, char into[IFNAMSIZ]) {
    snprintf(into, IFNAMSIZ, "dayfly%u", block);
}

static void bridge_mac(unsigned block, uint8_t mac[6]) {
    const uint8_t bytes[6] = {0x02, 0xdf, 0, 0, 0xff, (uint8_t)block};
    memcpy(mac, bytes, sizeof bytes);
}

/* ---- blocks --------------------------------------------------------------------------------- */

/* A name in the abstract namespace is ours until we die; addresses of this machine's network
 * namespace are what it stands for, and it lives in the same one. */
static int lock_block(enum emu_isolate isolate, unsigned block) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int length = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "dayfly-block-%s-%u",
                          isolate == EMU_NAMESPACE ? "space" : "process", block);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Take the first free block; remove bridges of blocks that nobody holds. */
static int take_block(struct world *w, struct err *err) {
    bool spaces = w->options.isolate == EMU_NAMESPACE;
    unsigned blocks = spaces ? SPACE_BLOCKS : PROCESS_BLOCKS;
    for (unsigned i = 0; i < blocks && (spaces || w->lock_fd < 0); i++) {
        int fd = lock_block(w->options.isolate, i);
        if (fd < 0)
            continue;
        char name[IFNAMSIZ];
        bridge_name(i, name);
        int result = spaces ? netlink_remove(w->netlink_fd, name, err) : 0;
        if (result == 0 && w->lock_fd < 0) {
            w->lock_fd = fd;
            w->block = i;
            continue;
        }
        close(fd);
        TRY(result);
    }
    if (w->lock_fd < 0)
        return err_set(err, ERR_LIMIT, "%u clouds run on this machine already", blocks);
    w->base_ip = spaces ? SPACE_BASE_IP + (w->block << (32 - SPACE_PREFIX))
                        : PROCESS_BASE_IP + (w->block << (32 - PROCESS_PREFIX));
    return 0;
}

static int open_network(struct world *w, struct err *err) {
    uint8_t mac[6];
    char name[IFNAMSIZ];
    if (w->options.isolate == EMU_PROCESS)
        return take_block(w, err);
    if (geteuid() != 0)
        return err_set(err, ERR_ACCESS, "isolate: namespace needs root; isolate: process does not");
    TRY(netlink_open(&w->netlink_fd, err));
    TRY(take_block(w, err));
    bridge_mac(w->block, mac);
    bridge_name(w->block, name);
    TRY(netlink_bridge(w->netlink_fd, name, mac, world_gateway(w), SPACE_PREFIX, err));
    w->bridge_index = netlink_index(name);
    return 0;
}

uint32_t world_base_ip(const struct world *w) {
    return w->base_ip;
}

unsigned world_prefix(const struct world *w) {
    return w->options.isolate == EMU_NAMESPACE ? SPACE_PREFIX : PROCESS_PREFIX;
}

uint32_t world_gateway(const struct world *w) {
    return w->base_ip + 1;
}

/* ---- what an init that was killed leaves ---------------------------------------------------- */

static bool is_init(const struct world *w, pid_t pid) {
    size_t cursor = 0;
    const struct table_entry *entry;
    while ((entry = table_next(&w->inmates, &cursor)))
        if (((const struct inmate *)entry->value)->pid == pid)
            return true;
    return false;
}

/* Our children that are no init were orphaned inside an instance: kill and reap them, again and
 * again until their own orphans have come up and gone too. */
static void sweep_strays(void *arg) {
    struct world *w = arg;
    pid_t pids[1024];
    size_t count = inmate_children(pids, ARRAY_LEN(pids));
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        if (is_init(w, pids[i]))
            continue;
        found = true;
        kill(pids[i], SIGKILL);
        waitpid(pids[i], NULL, WNOHANG);
    }
    if (found)
        loop_timer_after(w->stray_timer, STRAY_AGAIN_NS);
}

void world_stray(struct world *w) {
    loop_timer_after(w->stray_timer, 0);
}

/* ---- life ----------------------------------------------------------------------------------- */

int world_new(struct loop *loop, const struct world_options *o, const struct world_events *events,
              struct world **ret_world, struct err *err) {
    CLEANUP(world_freep) struct world *w = mem_new(sizeof *w);
    w->loop = loop;
    w->options = *o;
    w->options.dir = w->dir;
    w->events = *events;
    w->lock_fd = -1;
    w->netlink_fd = -1;
    w->stray_timer = loop_timer_new(loop, sweep_strays, w);
    table_init(&w->inmates);
    file_self_path(w->exe, sizeof w->exe);
    if (!str_copy(w->dir, sizeof w->dir, str_from(o->dir)))
        return err_set(err, ERR_LIMIT, "folder name too long: %s", o->dir);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    TRY(open_network(w, err));
    *ret_world = take(w);
    return 0;
}

static void end_all(struct world *w) {
    size_t cursor = 0;
    const struct table_entry *entry;
    while ((entry = table_next(&w->inmates, &cursor)))
        inmate_stop(entry->value, 0);
    for (unsigned i = 0; i < END_TURNS_MAX; i++) {
        if (w->inmates.count == 0 && !loop_timer_is_set(w->stray_timer))
            return;
        if (i == END_TURNS_MAX / 2) {
            cursor = 0;
            while ((entry = table_next(&w->inmates, &cursor)))
                inmate_kill(entry->value);
        }
        loop_turn(w->loop, 50 * NS_PER_MS);
    }
}

void world_free(struct world *own_world) {
    if (!own_world)
        return;
    struct world *w = own_world;
    w->closing = true;
    end_all(w);
    size_t cursor = 0;
    const struct table_entry *entry;
    while ((entry = table_next(&w->inmates, &cursor)))
        inmate_free(entry->value);
    table_deinit(&w->inmates);
    loop_timer_free(w->stray_timer);
    if (w->bridge_index != 0) {
        char name[IFNAMSIZ];
        bridge_name(w->block, name);
        ignore(netlink_remove(w->netlink_fd, name, NULL)); /* the next start tries again */
    }
    if (w->netlink_fd >= 0)
        close(w->netlink_fd);
    if (w->lock_fd >= 0)
        close(w->lock_fd);
    mem_free(w);
}

/* ---- instances ------------------------------------------------------------------------------ */

static void fill_spec(const struct world *w, const struct cloud_instance *in,
                      struct init_spec *spec) {
    *spec = (struct init_spec){.magic = INIT_MAGIC,
                               .namespaced = w->options.isolate == EMU_NAMESPACE,
                               .agent_hint = w->options.agent_hint,
                               .ip = in->last_ip,
                               .gateway = world_gateway(w),
                               .prefix = world_prefix(w),
                               .metadata_hops = in->metadata_hops,
                               .dud = in->dud,
                               .minute_ns = w->options.minute_ns};
    memcpy(spec->mac, in->mac, sizeof spec->mac);
    bridge_mac(w->block, spec->gateway_mac);
    memcpy(spec->id, in->id, sizeof spec->id);
    memcpy(spec->exe, w->exe, sizeof spec->exe);
    snprintf(spec->dir, sizeof spec->dir, "%s/%s", w->dir, in->id);
    const char *slash = strrchr(w->dir, '/');
    snprintf(spec->power, sizeof spec->power, "%.32s-%s", slash ? slash + 1 : w->dir, in->id);
    snprintf(spec->hostname, sizeof spec->hostname, "ip-%u-%u-%u-%u", in->last_ip >> 24,
             in->last_ip >> 16 & 255, in->last_ip >> 8 & 255, in->last_ip & 255);
}

int world_start(struct world *w, const struct cloud_instance *instance, struct err *err) {
    must(instance->dud != CLOUD_DUD_NEVER_BOOTS);
    must(!table_find(&w->inmates, str_from(instance->id)));
    unsigned most = w->options.isolate == EMU_NAMESPACE ? EMU_NAMESPACES_MAX : EMU_INSTANCES_MAX;
    if (w->inmates.count >= most)
        return err_set(err, ERR_LIMIT, "this machine holds %u instances and no more", most);
    struct init_spec spec;
    fill_spec(w, instance, &spec);
    struct inmate *inmate = NULL;
    struct str user_data = {(const char *)instance->user_data, instance->user_data_size};
    TRY(inmate_new(w, &spec, user_data, &inmate, err));
    table_set(&w->inmates, str_from(instance->id), inmate);
    return 0;
}

void world_stop(struct world *w, struct str id, uint64_t grace_ns) {
    struct inmate *inmate = table_find(&w->inmates, id);
    if (inmate)
        inmate_stop(inmate, grace_ns);
}

void world_kill(struct world *w, struct str id) {
    struct inmate *inmate = table_find(&w->inmates, id);
    if (inmate)
        inmate_stop(inmate, 0);
}

void world_crash(struct world *w, struct str id) {
    struct inmate *inmate = table_find(&w->inmates, id);
    if (inmate)
        inmate_tell(inmate, "crash");
}

void world_freeze(struct world *w, struct str id, bool frozen) {
    struct inmate *inmate = table_find(&w->inmates, id);
    if (inmate)
        inmate_tell(inmate, frozen ? "freeze" : "thaw");
}

int world_pid(const struct world *w, struct str id) {
    const struct inmate *inmate = table_find(&w->inmates, id);
    return inmate ? inmate->pid : 0;
}

unsigned world_count(const struct world *w) {
    return (unsigned)w->inmates.count;
}
