#include "emu/emu.h"

#include "base/table.h"
#include "emu/endpoint.h"
#include "emu/front.h"
#include "emu/imds_server.h"
#include "emu/keys.h"
#include "emu/options.h"
#include "emu/world.h"
#include "os/clock.h"
#include "os/random.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#define SHUTDOWN_GRACE_NS (2 * NS_PER_S) /* what an ending system has before it is killed */
#define IDLE_LOOK_NS NS_PER_S
#define STOP_AFTER_NS (50 * NS_PER_MS) /* the answer to the call that stops us goes out first */

/* An instance that has begun to run: what the cloud process keeps for it. */
struct node {
    struct emu *emu;
    const struct cloud_instance *instance;
    struct loop_timer *boot_timer;
    struct imds imds;
    struct imds_server *server; /* NULL: not up yet, or over */
};

struct emu {
    const struct emu_options *options;
    struct loop *loop;
    struct cloud *cloud;
    struct world *world;
    struct front *front;
    struct table nodes; /* id -> struct node */
    struct loop_timer *tick_timer, *idle_timer, *stop_timer;
    struct loop_signal *signals[3];
    struct endpoint_folder folder;
    struct emu_endpoint endpoint;
    struct cloud_options cloud_options;
    pid_t parent;
    uint64_t idle_since_ns; /* 0: not idle */
};

/* ---- instances ------------------------------------------------------------------------------ */

static void node_free(struct node *own_node) {
    loop_timer_free(own_node->boot_timer);
    imds_server_free(own_node->server);
    mem_free(own_node);
}

static void apply_effects(struct emu *e);

static void on_boot_time(void *arg) {
    struct node *n = arg;
    struct emu *e = n->emu;
    struct err err = {0};
    if (world_start(e->world, n->instance, &err) < 0) {
        cloud_instance_failed(e->cloud, loop_now_ns(e->loop), str_from(n->instance->id),
                              str_from(err.text));
        apply_effects(e);
    }
}

static void node_start(struct emu *e, const struct cloud_instance *in) {
    struct str id = str_from(in->id);
    if (in->dud == CLOUD_DUD_NEVER_BOOTS || table_find(&e->nodes, id))
        return;
    struct node *n = mem_new(sizeof *n);
    n->emu = e;
    n->instance = in;
    n->imds = (struct imds){.instance = in,
                            .zone = cloud_zone_name(e->cloud, in->zone),
                            .zone_id = cloud_zone_id(e->cloud, in->zone),
                            .region = cloud_region(e->cloud),
                            .account = cloud_account(e->cloud),
                            .vpc_prefix = e->cloud_options.vpc_prefix,
                            .subnet_prefix = e->cloud_options.subnet_prefix};
    random_bytes(n->imds.key, sizeof n->imds.key);
    n->boot_timer = loop_timer_new(e->loop, on_boot_time, n);
    loop_timer_after(n->boot_timer, in->boot_delay_ns);
    table_set(&e->nodes, id, n);
}

static void node_end(struct emu *e, struct str id, bool gracefully) {
    struct node *n = table_find(&e->nodes, id);
    if (n)
        loop_timer_clear(n->boot_timer);
    if (gracefully) {
        world_stop(e->world, id, SHUTDOWN_GRACE_NS);
        return;
    }
    world_kill(e->world, id);
    if (n) {
        table_remove(&e->nodes, id);
        node_free(n);
    }
}

static void apply_effects(struct emu *e) {
    struct cloud_effect effect;
    while (cloud_effect_take(e->cloud, &effect)) {
        struct str id = str_from(effect.instance->id);
        switch (effect.kind) {
        case CLOUD_INSTANCE_START:
            node_start(e, effect.instance);
            break;
        case CLOUD_INSTANCE_STOP:
            node_end(e, id, true);
            break;
        case CLOUD_INSTANCE_GONE:
            node_end(e, id, false);
            break;
        case CLOUD_INSTANCE_NOTICE: /* its metadata service reads the record */
            break;
        }
    }
    uint64_t next_ns = cloud_next_ns(e->cloud);
    if (next_ns == UINT64_MAX)
        loop_timer_clear(e->tick_timer);
    else
        loop_timer_set(e->tick_timer, next_ns);
}

static void on_tick(void *arg) {
    struct emu *e = arg;
    cloud_tick(e->cloud, loop_now_ns(e->loop));
    apply_effects(e);
}

/* ---- what instances do ---------------------------------------------------------------------- */

static void on_booted(void *arg, struct str id) {
    struct emu *e = arg;
    cloud_instance_booted(e->cloud, loop_now_ns(e->loop), id);
    apply_effects(e);
}

static void on_powered_off(void *arg, struct str id) {
    struct emu *e = arg;
    cloud_instance_shutdown(e->cloud, loop_now_ns(e->loop), id);
    apply_effects(e);
}

static void on_halted(void *arg, struct str id) {
    struct emu *e = arg;
    cloud_instance_halted(e->cloud, loop_now_ns(e->loop), id);
    apply_effects(e);
}

static void on_failed(void *arg, struct str id, const char *why) {
    struct emu *e = arg;
    cloud_instance_failed(e->cloud, loop_now_ns(e->loop), id, str_from(why));
    apply_effects(e);
}

static void on_console(void *arg, struct str id, struct str text) {
    struct emu *e = arg;
    cloud_instance_console(e->cloud, loop_now_ns(e->loop), id, text);
}

static void on_metadata(void *arg, struct str id, int own_fd) {
    struct emu *e = arg;
    struct node *n = table_find(&e->nodes, id);
    if (!n || n->server) {
        close(own_fd);
        return;
    }
    n->server = imds_server_new(e->loop, own_fd, &n->imds, e->cloud);
}

static void on_gone(void *arg, struct str id) {
    (void)arg;
    (void)id; /* the model has its own time for the end of an instance */
}

/* ---- what clients do ------------------------------------------------------------------------ */

static void on_changed(void *arg) {
    apply_effects(arg);
}

static void on_stop(void *arg) {
    loop_timer_after(((struct emu *)arg)->stop_timer, STOP_AFTER_NS);
}

static void on_stop_time(void *arg) {
    loop_stop(((struct emu *)arg)->loop);
}

static bool on_chaos(void *arg, struct str what, struct str id) {
    struct emu *e = arg;
    if (world_pid(e->world, id) == 0)
        return false;
    if (str_equal(what, STR("crash"))) {
        world_crash(e->world, id);
        on_halted(e, id);
    } else {
        world_freeze(e->world, id, str_equal(what, STR("freeze")));
    }
    return true;
}

static int on_pid(void *arg, struct str id) {
    return world_pid(((struct emu *)arg)->world, id);
}

static void on_signal(void *arg, int signal_number) {
    (void)signal_number;
    loop_stop(((struct emu *)arg)->loop);
}

/* Nobody is left who could use this cloud, and nothing of it is left. */
static void on_idle_look(void *arg) {
    struct emu *e = arg;
    struct cloud_totals totals;
    uint64_t now_ns = loop_now_ns(e->loop);
    cloud_truth_totals(e->cloud, now_ns, &totals);
    bool idle = getppid() != e->parent && totals.terminated == totals.instances;
    if (!idle)
        e->idle_since_ns = 0;
    else if (e->idle_since_ns == 0)
        e->idle_since_ns = now_ns;
    if (idle && now_ns - e->idle_since_ns >= e->options->idle_ns)
        loop_stop(e->loop);
    else
        loop_timer_after(e->idle_timer, IDLE_LOOK_NS);
}

/* ---- life ----------------------------------------------------------------------------------- */

/* Three descriptors and some connections for each instance. */
static void raise_file_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        ignore(setrlimit(RLIMIT_NOFILE, &limit) < 0); /* then fewer instances fit */
    }
}

static void fill_endpoint(struct emu *e) {
    struct emu_endpoint *p = &e->endpoint;
    char hex[17];
    random_hex(hex, sizeof hex);
    for (char *c = hex; *c; c++)
        *c = (char)(*c >= 'a' ? *c - 'a' + 'A' : *c - '0' + 'G');
    snprintf(p->access_key_id, sizeof p->access_key_id, "AKIA%s", hex);
    random_hex(p->secret_access_key, 41);
    random_hex(p->token, 41);
    ignore(str_copy(p->region, sizeof p->region, str_from(e->options->region)));
    ignore(str_copy(p->id, sizeof p->id, str_from(e->folder.id)));
    snprintf(p->path, sizeof p->path, "%.480s/endpoint.json", e->folder.path);
    uint32_t gateway = world_gateway(e->world);
    snprintf(p->gateway, sizeof p->gateway, "%u.%u.%u.%u", gateway >> 24, gateway >> 16 & 255,
             gateway >> 8 & 255, gateway & 255);
    p->pid = (int)getpid();
}

static int open_world(struct emu *e, struct err *err) {
    CLEANUP(buf_deinit) struct buf dir = BUF_INIT(512);
    if (e->options->state_dir)
        buf_add_text(&dir, e->options->state_dir);
    else
        TRY(endpoint_state_dir(&dir, err));
    TRY(endpoint_folder_open(buf_text(&dir), &e->folder, err));
    struct world_options options = {.isolate = e->options->isolate,
                                    .dir = e->folder.path,
                                    .minute_ns = e->options->minute_ns,
                                    .agent_hint = e->options->agent_on_image};
    struct world_events events = {.booted = on_booted,
                                  .powered_off = on_powered_off,
                                  .halted = on_halted,
                                  .failed = on_failed,
                                  .console = on_console,
                                  .metadata = on_metadata,
                                  .gone = on_gone,
                                  .arg = e};
    return world_new(e->loop, &options, &events, &e->world, err);
}

static int open_cloud(struct emu *e, struct err *err) {
    struct cloud_options *o = &e->cloud_options;
    TRY(options_to_cloud(e->options, o, err));
    if (o->seed == 0)
        o->seed = random_u64();
    o->start_ns = loop_now_ns(e->loop);
    o->start_unix_ms = clock_wall_unix_ms();
    o->vpc_ip = world_base_ip(e->world);
    o->vpc_prefix = world_prefix(e->world);
    o->subnet_prefix = o->vpc_prefix + 3; /* room for six zones */
    o->make_key = keys_make;
    TRY(cloud_options_check(o, err));
    e->cloud = cloud_new(o);
    return 0;
}

static int emu_open(struct emu *e, struct err *err) {
    static const int ENDING[] = {SIGTERM, SIGINT, SIGHUP};
    _Static_assert(ARRAY_LEN(ENDING) == ARRAY_LEN(((struct emu *)0)->signals), "one each");
    raise_file_limit();
    e->parent = getppid();
    e->loop = loop_new();
    e->folder.lock_fd = -1;
    e->tick_timer = loop_timer_new(e->loop, on_tick, e);
    e->idle_timer = loop_timer_new(e->loop, on_idle_look, e);
    e->stop_timer = loop_timer_new(e->loop, on_stop_time, e);
    for (size_t i = 0; i < ARRAY_LEN(ENDING); i++)
        e->signals[i] = loop_signal_new(e->loop, ENDING[i], on_signal, e);
    TRY(open_world(e, err));
    TRY(open_cloud(e, err));
    fill_endpoint(e);
    struct front_events events = {
        .changed = on_changed, .stop = on_stop, .chaos = on_chaos, .pid = on_pid, .arg = e};
    TRY(front_new(e->loop, e->cloud, e->options->listen,
                  e->options->isolate == EMU_NAMESPACE ? "namespace" : "process", &e->endpoint,
                  &events, &e->front, err));
    TRY(endpoint_write(&e->endpoint, err));
    if (e->options->exit_when_idle)
        loop_timer_after(e->idle_timer, IDLE_LOOK_NS);
    apply_effects(e);
    return 0;
}

static void emu_close(struct emu *e) {
    size_t cursor = 0;
    const struct table_entry *entry;
    front_free(e->front);
    while ((entry = table_next(&e->nodes, &cursor)))
        node_free(entry->value);
    table_deinit(&e->nodes);
    loop_timer_clear(e->tick_timer); /* no new instances from here on */
    world_free(e->world);
    loop_timer_free(e->tick_timer);
    loop_timer_free(e->idle_timer);
    loop_timer_free(e->stop_timer);
    for (size_t i = 0; i < ARRAY_LEN(e->signals); i++)
        loop_signal_free(e->signals[i]);
    cloud_free(e->cloud);
    loop_free(e->loop);
    endpoint_folder_close(&e->folder);
}

static void say(const struct emu_endpoint *p) {
    printf("export AWS_ENDPOINT_URL=%s\n"
           "export AWS_ACCESS_KEY_ID=%s\n"
           "export AWS_SECRET_ACCESS_KEY=%s\n"
           "export AWS_DEFAULT_REGION=%s AWS_REGION=%s\n"
           "# endpoint: %s\n"
           "# try: aws --endpoint-url %s ec2 describe-availability-zones\n",
           p->url, p->access_key_id, p->secret_access_key, p->region, p->region, p->path, p->url);
    fflush(stdout);
}

/* One line to whoever started us: the path, or why not. */
static void tell_ready(const struct emu_options *o, const char *line) {
    if (o->ready_fd < 0)
        return;
    dprintf(o->ready_fd, "%s\n", line);
    close(o->ready_fd);
}

int emu_run(const struct emu_options *o, bool quiet, struct err *err) {
    struct emu *e = mem_new(sizeof *e);
    e->options = o;
    int result = emu_open(e, err);
    if (result == 0) {
        tell_ready(o, e->endpoint.path);
        if (!quiet)
            say(&e->endpoint);
        loop_run(e->loop);
    } else {
        tell_ready(o, err->text);
    }
    emu_close(e);
    mem_free(e);
    return result;
}
