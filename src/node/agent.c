#include "node/agent.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/prng.h"
#include "node/collect.h"
#include "node/command.h"
#include "node/host.h"
#include "node/metadata.h"
#include "node/outbox.h"
#include "node/parts.h"
#include "node/phase.h"
#include "node/service.h"
#include "os/address.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/link.h"
#include "os/process.h"
#include "os/random.h"

#define AGENT_TICK_NS (500 * NS_PER_MS)
#define AGENT_CONNECT_NS (15 * NS_PER_S) /* one address: 300 nodes may knock at once */
#define AGENT_BACKOFF_NS (200 * NS_PER_MS)
#define AGENT_BACKOFF_NS_MAX (10 * NS_PER_S)
#define AGENT_HEARTBEAT_NS (2 * NS_PER_S)
#define AGENT_DECODE_BYTES_MAX (8 * MIB)
#define AGENT_OUTBOX_BYTES (4 * MIB)      /* bulk data waits above this */
#define AGENT_SHUTDOWN_NS (20 * NS_PER_S) /* for shutdown(8) to take effect */
#define AGENT_BYE_NS (2 * NS_PER_S)       /* for the last words to leave */
#define AGENT_ENV_MAX 8
#define AGENT_NOTICE_NS (5 * NS_PER_S)

enum agent_state { AGENT_LEARNING, AGENT_WORKING, AGENT_STOPPING, AGENT_LEAVING, AGENT_ENDED };

struct agent {
    struct loop *loop;
    struct agent_options options;
    enum agent_state state;
    struct link_key *key;
    struct link *link; /* connecting or open; NULL between */
    bool joined;       /* a Welcome came on this link */
    struct loop_timer *tick, *connect;
    uint64_t backoff_ns;
    struct prng prng;
    struct metadata *metadata;
    struct metadata_identity identity;
    bool source_is_ours; /* private_ip is an address of this machine */
    struct host_facts facts;
    struct host host;
    struct outbox outbox;
    uint64_t heard_seq;  /* last order */
    uint64_t contact_ns; /* last frame */
    uint64_t lease_ns, leash_ns, heartbeat_ns, next_heartbeat_ns;
    uint64_t cap_at_ns; /* boot time */
    bool on_leash_end;  /* traffic was stopped for want of contact */
    struct str env[AGENT_ENV_MAX];
    char env_text[AGENT_ENV_MAX][512];
    size_t env_count;
    struct command *setup;
    struct loop_timer *setup_reap;
    struct service *service;
    struct phases *phases;
    struct collects *collects;
    uint64_t deadline_ns; /* of STOPPING or LEAVING */
    struct process *shutdown;
    bool shutdown_done;
    struct err why; /* of the power-off */
};

struct loop *agent_loop(const struct agent *agent) {
    return agent->loop;
}

const char *agent_dir(const struct agent *agent) {
    return agent->options.join.dir;
}

const char *agent_private_ip(const struct agent *agent) {
    return agent->identity.private_ip;
}

uint32_t agent_cpus(const struct agent *agent) {
    return agent->facts.cpus;
}

const struct str *agent_env(const struct agent *agent, size_t *ret_count) {
    *ret_count = agent->env_count;
    return agent->env;
}

bool agent_has_room(const struct agent *agent) {
    return agent->outbox.bytes < AGENT_OUTBOX_BYTES;
}

bool agent_ended(const struct agent *agent) {
    return agent->state == AGENT_ENDED;
}

const char *agent_why(const struct agent *agent) {
    return agent->why.text;
}

struct str parts_line(struct buf *into, struct str text) {
    struct str cut = str_slice(text, 0, MIN(into->max, (size_t)WIRE_TEXT_BYTES_MAX));
    buf_reset(into);
    for (size_t i = 0; i < cut.len; i++) {
        unsigned char c = (unsigned char)cut.ptr[i];
        buf_add_byte(into, c < 0x20 || c == 0x7f ? ' ' : (char)c);
    }
    return buf_str(into);
}

/* Send what was not sent on this link, as far as it takes it. */
static void agent_pump(struct agent *a) {
    if (!a->joined || a->link == NULL)
        return;
    for (const struct outbox_entry *e; (e = outbox_peek(&a->outbox)) != NULL;) {
        if (link_send(a->link, (struct str){e->bytes, e->size}, NULL) < 0)
            return; /* full: on_drained goes on; closed: the next link does */
        outbox_sent(&a->outbox);
    }
}

void agent_result(struct agent *agent, struct wire_message *message) {
    CLEANUP(buf_deinit) struct buf bytes = BUF_INIT(FRAME_BYTES_MAX);
    struct err why = {0};
    must(wire_type_is_numbered(message->type));
    message->seq = outbox_next_seq(&agent->outbox);
    if (wire_encode(message, &bytes, &why) < 0) {
        log_event(LOG_ERROR, "result.unfit", "type=%s why=%s", wire_type_name(message->type),
                  why.text);
        must(false); /* a result that the wire does not take */
    }
    outbox_add(&agent->outbox, buf_str(&bytes));
    agent_pump(agent);
}

/* Unnumbered: lost with the link. */
static void agent_say(struct agent *a, const struct wire_message *message) {
    CLEANUP(buf_deinit) struct buf bytes = BUF_INIT(FRAME_BYTES_MAX);
    struct err why = {0};
    if (wire_encode(message, &bytes, &why) < 0 || link_send(a->link, buf_str(&bytes), &why) < 0)
        log_event(LOG_WARN, "say", "type=%s why=%s", wire_type_name(message->type), why.text);
}

static void agent_add_env(struct agent *a, const char *name, struct str value) {
    must(a->env_count < AGENT_ENV_MAX);
    char *text = a->env_text[a->env_count];
    snprintf(text, sizeof a->env_text[0], "%s=%.*s", name, STR_ARG(value));
    a->env[a->env_count++] = str_from(text);
}

static void agent_schedule_connect(struct agent *a) {
    uint64_t least_ns = a->backoff_ns / 2;
    loop_timer_after(a->connect, prng_range(&a->prng, least_ns, a->backoff_ns));
    a->backoff_ns = MIN(a->backoff_ns * 2, AGENT_BACKOFF_NS_MAX);
}

static void agent_send_join(struct agent *a) {
    struct wire_message message = {.type = WIRE_JOIN,
                                   .join = {.run = str_from(a->options.join.run),
                                            .instance_id = str_from(a->identity.instance_id),
                                            .token = str_from(a->options.join.token),
                                            .protocol = WIRE_PROTOCOL,
                                            .version = STR(DAYFLY_VERSION),
                                            .arch = str_from(a->facts.arch),
                                            .cpus = a->facts.cpus,
                                            .memory_bytes = a->facts.memory_bytes,
                                            .kernel = str_from(a->facts.kernel),
                                            .private_ip = str_from(a->identity.private_ip),
                                            .boot_id = str_from(a->facts.boot_id),
                                            .heard_seq = a->heard_seq}};
    agent_say(a, &message);
}

static void agent_on_open(void *arg, struct link *link) {
    struct agent *a = arg;
    a->link = link;
    agent_send_join(a);
}

static void agent_on_drained(void *arg, struct link *link) {
    struct agent *a = arg;
    (void)link;
    agent_pump(a);
    collects_go_on(a->collects);
}

static void agent_on_close(void *arg, struct link *link, const struct err *why) {
    struct agent *a = arg;
    (void)link;
    log_event(LOG_INFO, "link.closed", "why=%s", why->text);
    a->link = NULL;
    a->joined = false;
    if (a->state == AGENT_WORKING)
        agent_schedule_connect(a);
}

static void agent_on_welcome(struct agent *a, const struct wire_welcome *w) {
    if (a->joined || !outbox_ack(&a->outbox, w->acked_seq)) {
        link_close(a->link);
        return;
    }
    a->joined = true;
    a->backoff_ns = AGENT_BACKOFF_NS;
    a->lease_ns = w->lease_ns;
    a->leash_ns = w->leash_ns;
    a->heartbeat_ns = w->heartbeat_ns;
    a->next_heartbeat_ns = loop_now_ns(a->loop);
    if (w->cap_left_ns > 0) /* it may shorten the cap, never lengthen it */
        a->cap_at_ns = MIN(a->cap_at_ns, clock_boottime_ns() + w->cap_left_ns);
    /* What only this machine knows; the head's orders bring the rest. */
    char self[512];
    file_self_path(self, sizeof self);
    a->env_count = 0;
    agent_add_env(a, "DAYFLY_DIR", str_from(a->options.join.dir));
    agent_add_env(a, "DAYFLY_BIN", str_from(self));
    log_event(LOG_INFO, "welcome", "slot=%.*s", STR_ARG(w->slot));
    outbox_rewind(&a->outbox);
    agent_pump(a);
}

static void agent_on_refuse(struct agent *a, const struct wire_refuse *refuse) {
    log_event(LOG_WARN, "refused", "why=%.*s", STR_ARG(refuse->why));
    char why[256];
    snprintf(why, sizeof why, "the head refuses this node: %.*s", STR_ARG(refuse->why));
    if (refuse->power_off)
        agent_power_off(a, 0, why);
    else
        link_close(a->link); /* it may know us later */
}

static void agent_on_setup_reap(void *arg) {
    struct agent *a = arg;
    command_free(a->setup);
    a->setup = NULL;
}

static void agent_say_setup_done(struct agent *a, const struct wire_ending *ending) {
    CLEANUP(buf_deinit) struct buf line = BUF_INIT(WIRE_TEXT_BYTES_MAX);
    struct wire_message message = {.type = WIRE_SETUP_DONE, .setup_done = {.ending = *ending}};
    message.setup_done.ending.why = parts_line(&line, ending->why);
    agent_result(a, &message);
}

static void agent_on_setup_done(void *arg, const struct wire_ending *ending) {
    struct agent *a = arg;
    agent_say_setup_done(a, ending);
    loop_timer_after(a->setup_reap, 0);
}

static void agent_setup(struct agent *a, const struct wire_setup *order) {
    struct err why = {0};
    struct command_spec spec = {.script = order->script,
                                .env = order->env,
                                .env_count = order->env_count,
                                .name = "setup",
                                .source = WIRE_FROM_SETUP,
                                .timeout_ns = order->timeout_ns,
                                .grace_ns = 5 * NS_PER_S,
                                .on_done = agent_on_setup_done,
                                .arg = a};
    loop_timer_clear(a->setup_reap);
    command_free(a->setup); /* a second order replaces the first */
    a->setup = NULL;
    if (command_start(a, &spec, &a->setup, &why) < 0) {
        struct wire_ending ending = command_unstarted(&why);
        agent_say_setup_done(a, &ending);
    }
}

static void agent_on_collect(struct agent *a, const struct wire_collect *order) {
    const char *dir = order->phase != 0 ? phases_dir(a->phases, order->phase) : agent_dir(a);
    collects_start(a->collects, order, dir != NULL ? dir : agent_dir(a));
}

/* shutdown(8) keeps one plan at a time: the new one replaces that of user-data. */
static void agent_extend(struct agent *a, uint64_t cap_left_ns) {
    char minutes[32];
    snprintf(minutes, sizeof minutes, "+%llu",
             (unsigned long long)((cap_left_ns + 60 * NS_PER_S - 1) / (60 * NS_PER_S)));
    const char *argv[] = {a->options.shutdown, "-P", minutes, NULL};
    struct process_spec spec = {.argv = argv, .inherit_output = true, .keep_group = true};
    struct err why = {0};
    process_free(a->shutdown);
    a->shutdown = NULL;
    if (process_start(a->loop, &spec, &a->shutdown, &why) < 0) {
        log_event(LOG_ERROR, "extend", "why=%s", why.text);
        return; /* the old cap stands */
    }
    a->cap_at_ns = clock_boottime_ns() + cap_left_ns;
}

static void agent_on_order(struct agent *a, const struct wire_message *m) {
    switch (m->type) {
    case WIRE_SETUP:
        agent_setup(a, &m->setup);
        return;
    case WIRE_SERVICE:
        service_start(a->service, &m->service);
        return;
    case WIRE_SERVICE_STOP:
        service_stop(a->service);
        return;
    case WIRE_READY_PROBE:
        service_probe(a->service, &m->ready_probe);
        return;
    case WIRE_PHASE_PREPARE:
        phases_prepare(a->phases, &m->phase_prepare);
        return;
    case WIRE_PHASE_START:
        phases_start(a->phases, &m->phase_start);
        return;
    case WIRE_PHASE_STOP:
        phases_stop(a->phases, &m->phase_stop);
        return;
    case WIRE_COLLECT:
        agent_on_collect(a, &m->collect);
        return;
    case WIRE_EXTEND:
        agent_extend(a, m->extend.cap_left_ns);
        return;
    case WIRE_POWER_OFF: {
        char *why = str_dup(m->power_off.why);
        agent_power_off(a, m->power_off.grace_ns, why);
        mem_free(why);
        return;
    }
    default: /* a result or the like: nothing that a head says */
        log_event(LOG_WARN, "order.strange", "type=%s", wire_type_name(m->type));
        link_close(a->link);
        return;
    }
}

static void agent_on_ping(struct agent *a, const struct wire_ping *ping) {
    struct wire_message pong = {.type = WIRE_PONG,
                                .pong = {.head_sent_ns = ping->head_sent_ns,
                                         .node_received_ns = link_received_ns(a->link),
                                         .node_sent_ns = clock_monotonic_ns()}};
    agent_say(a, &pong);
}

static void agent_on_message(struct agent *a, const struct wire_message *m) {
    if (m->type == WIRE_WELCOME) {
        agent_on_welcome(a, &m->welcome);
    } else if (m->type == WIRE_REFUSE) {
        agent_on_refuse(a, &m->refuse);
    } else if (m->type == WIRE_PING) {
        agent_on_ping(a, &m->ping);
    } else if (!a->joined) {
        link_close(a->link); /* orders before a welcome */
    } else if (m->type == WIRE_ACK) {
        if (!outbox_ack(&a->outbox, m->ack.acked_seq))
            link_close(a->link);
        collects_go_on(a->collects);
    } else if (m->type == WIRE_BYE) {
        link_close(a->link);
    } else if (m->seq > a->heard_seq + 1) {
        log_event(LOG_WARN, "order.gap", "heard=%llu got=%llu", (unsigned long long)a->heard_seq,
                  (unsigned long long)m->seq);
        link_close(a->link); /* the next join says what is missing */
    } else if (m->seq == a->heard_seq + 1) {
        a->heard_seq = m->seq;
        agent_on_order(a, m);
    }
}

static void agent_on_frame(void *arg, struct link *link, struct str frame) {
    struct agent *a = arg;
    struct wire_message message;
    struct err why = {0};
    CLEANUP(arena_deinit) struct arena arena;
    arena_init(&arena, AGENT_DECODE_BYTES_MAX);
    if (wire_decode(frame, &arena, &message, &why) < 0) {
        log_event(LOG_WARN, "frame", "why=%s", why.text);
        link_close(link);
        return;
    }
    a->contact_ns = loop_now_ns(a->loop);
    a->on_leash_end = false;
    if (a->state == AGENT_WORKING)
        agent_on_message(a, &message);
}

static void agent_on_connect(void *arg) {
    struct agent *a = arg;
    const char *addresses[BOOTSTRAP_HEADS_MAX];
    struct err why = {0};
    for (size_t i = 0; i < a->options.join.heads_count; i++)
        addresses[i] = a->options.join.heads[i];
    struct link_client_options options = {
        .addresses = addresses,
        .addresses_count = a->options.join.heads_count,
        .source_address = a->source_is_ours ? a->identity.private_ip : NULL,
        .key = a->key,
        .timeout_ns = AGENT_CONNECT_NS,
        .handler = {agent_on_open, agent_on_frame, agent_on_drained, agent_on_close, a}};
    memcpy(options.pin, a->options.join.pin, LINK_PIN_SIZE);
    if (link_connect(a->loop, &options, &a->link, &why) < 0) {
        log_event(LOG_ERROR, "connect", "why=%s", why.text); /* checked in agent_new: a bug */
        agent_schedule_connect(a);
    }
}

/* Can we send from this address?  Behind address translation it may not be on any interface. */
static bool agent_owns(const char *host) {
    struct address address;
    if (address_parse_host(str_from(host), 0, &address, NULL) < 0)
        return false;
    CLEANUP(file_closep) int fd = socket(address_family(&address), SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return fd >= 0 && bind(fd, &address.any, address.size) == 0;
}

static void agent_on_identity(void *arg, const struct metadata_identity *identity) {
    struct agent *a = arg;
    a->identity = *identity;
    a->source_is_ours = agent_owns(identity->private_ip);
    log_event(LOG_INFO, "identity", "instance=%s ip=%s", identity->instance_id,
              identity->private_ip);
    if (a->state != AGENT_LEARNING)
        return;
    a->state = AGENT_WORKING;
    loop_timer_after(a->connect, 0);
}

static void agent_on_notice(void *arg, const char *action, int64_t at_unix_ms) {
    struct agent *a = arg;
    int64_t now_unix_ms = clock_wall_unix_ms();
    uint64_t left_ms = at_unix_ms > now_unix_ms ? (uint64_t)(at_unix_ms - now_unix_ms) : 0;
    struct wire_message message = {.type = WIRE_NOTICE,
                                   .notice = {.action = str_from(action),
                                              .at_unix_ms = at_unix_ms,
                                              .left_ns = left_ms * NS_PER_MS}};
    log_event(LOG_WARN, "notice", "action=%s left_ms=%llu", action, (unsigned long long)left_ms);
    agent_result(a, &message);
}

static void agent_heartbeat(struct agent *a, uint64_t now_ns) {
    struct wire_message message = {.type = WIRE_HEARTBEAT};
    a->next_heartbeat_ns = now_ns + a->heartbeat_ns;
    host_sample(&a->host, now_ns, &message.heartbeat);
    message.heartbeat.phase = phases_running(a->phases);
    agent_say(a, &message);
}

static void agent_working(struct agent *a, uint64_t now_ns) {
    uint64_t silence_ns = now_ns - MIN(a->contact_ns, now_ns);
    if (clock_boottime_ns() >= a->cap_at_ns) {
        agent_power_off(a, 0, "the cap is reached");
    } else if (silence_ns >= a->lease_ns) {
        agent_power_off(a, 0, "the lease has ended: no contact with the head");
    } else if (silence_ns >= a->leash_ns && !a->on_leash_end) {
        a->on_leash_end = true;
        log_event(LOG_WARN, "leash", "silence_ms=%llu",
                  (unsigned long long)(silence_ns / NS_PER_MS));
        phases_stop_traffic(a->phases, "no contact with the head");
    }
    if (a->state != AGENT_WORKING)
        return;
    if (a->joined && a->link != NULL && silence_ns >= AGENT_SILENCE_NS)
        link_close(a->link);
    else if (a->joined && a->link != NULL && now_ns >= a->next_heartbeat_ns)
        agent_heartbeat(a, now_ns);
}

static void agent_leave(struct agent *a, uint64_t now_ns);

static void agent_on_tick(void *arg) {
    struct agent *a = arg;
    uint64_t now_ns = loop_now_ns(a->loop);
    switch (a->state) {
    case AGENT_LEARNING:
        /* Who cannot learn its id cannot join: the lease counts from the start. */
        if (clock_boottime_ns() >= a->cap_at_ns || now_ns - a->contact_ns >= a->lease_ns)
            agent_power_off(a, 0, "the metadata service does not say who we are");
        break;
    case AGENT_WORKING:
        agent_working(a, now_ns);
        break;
    case AGENT_STOPPING:
        if ((service_is_down(a->service) && phases_running(a->phases) == 0) ||
            now_ns >= a->deadline_ns)
            agent_leave(a, now_ns);
        break;
    case AGENT_LEAVING:
        if (a->shutdown_done || now_ns >= a->deadline_ns)
            a->state = AGENT_ENDED;
        break;
    case AGENT_ENDED:
        return;
    }
    if (a->state != AGENT_ENDED)
        loop_timer_after(a->tick, a->state < AGENT_STOPPING ? AGENT_TICK_NS : 20 * NS_PER_MS);
}

void agent_power_off(struct agent *agent, uint64_t grace_ns, const char *why) {
    if (agent->state >= AGENT_STOPPING)
        return;
    ignore(err_set(&agent->why, ERR_CLOSED, "%s", why) == 0); /* only fills the reason */
    log_event(LOG_INFO, "power-off", "why=%s", agent->why.text);
    agent->state = AGENT_STOPPING;
    agent->deadline_ns = loop_now_ns(agent->loop) + grace_ns + NS_PER_S;
    loop_timer_clear(agent->connect);
    phases_stop_all(agent->phases, grace_ns);
    service_stop(agent->service);
    loop_timer_after(agent->tick, 0);
}

static void agent_on_shutdown_exit(void *arg, const struct process_exit *exit) {
    struct agent *a = arg;
    log_event(LOG_INFO, "shutdown", "status=%d", exit->status);
    a->shutdown_done = true;
}

/* Last words, then the machine's own power-off; nothing is left that could stop it. */
static void agent_leave(struct agent *a, uint64_t now_ns) {
    CLEANUP(buf_deinit) struct buf line = BUF_INIT(WIRE_TEXT_BYTES_MAX);
    struct wire_message bye = {.type = WIRE_BYE,
                               .bye = {.why = parts_line(&line, str_from(a->why.text))}};
    if (a->link != NULL && a->joined) {
        agent_pump(a);
        agent_say(a, &bye);
    }
    if (a->link != NULL)
        link_close(a->link);
    a->state = AGENT_LEAVING;
    a->deadline_ns = now_ns + AGENT_SHUTDOWN_NS;
    /* The words leave while shutdown(8) starts: it takes longer than a flush. */
    const char *argv[] = {a->options.shutdown, "-P", "now", NULL};
    struct process_spec spec = {.argv = argv,
                                .inherit_output = true,
                                .keep_group = true,
                                .timeout_ns = AGENT_SHUTDOWN_NS,
                                .on_exit = agent_on_shutdown_exit,
                                .arg = a};
    struct err why = {0};
    process_free(a->shutdown);
    a->shutdown = NULL;
    if (process_start(a->loop, &spec, &a->shutdown, &why) < 0) {
        log_event(LOG_ERROR, "shutdown", "why=%s", why.text);
        a->shutdown_done = true; /* user-data tries other ways when we end */
    }
}

int agent_new(struct loop *loop, const struct agent_options *options, struct agent **ret_agent,
              struct err *err) {
    struct address address;
    for (size_t i = 0; i < options->join.heads_count; i++)
        TRY(address_parse(str_from(options->join.heads[i]), &address, err));
    TRY(file_make_dirs(options->join.dir, 0755, err));
    struct agent *a = mem_new(sizeof *a);
    a->loop = loop;
    a->options = *options;
    a->key = link_key_new();
    a->backoff_ns = AGENT_BACKOFF_NS;
    a->lease_ns = AGENT_LEASE_NS;
    a->leash_ns = AGENT_LEASH_NS;
    a->heartbeat_ns = AGENT_HEARTBEAT_NS;
    a->contact_ns = loop_now_ns(loop);
    a->cap_at_ns = options->join.armed_ns + options->join.cap_ns;
    prng_init(&a->prng, random_u64());
    host_read_facts(&a->facts);
    a->tick = loop_timer_new(loop, agent_on_tick, a);
    a->connect = loop_timer_new(loop, agent_on_connect, a);
    a->setup_reap = loop_timer_new(loop, agent_on_setup_reap, a);
    a->service = service_new(a);
    a->phases = phases_new(a);
    a->collects = collects_new(a);
    struct metadata_handler handler = {agent_on_identity, agent_on_notice, a};
    uint64_t notice_ns = options->notice_every_ns != 0 ? options->notice_every_ns : AGENT_NOTICE_NS;
    a->metadata = metadata_new(loop, options->metadata, notice_ns, &handler);
    loop_timer_after(a->tick, AGENT_TICK_NS);
    *ret_agent = a;
    return 0;
}

void agent_free(struct agent *own_agent) {
    struct agent *a = own_agent;
    if (a == NULL)
        return;
    a->state = AGENT_ENDED;
    metadata_free(a->metadata);
    collects_free(a->collects);
    phases_free(a->phases);
    service_free(a->service);
    loop_timer_free(a->setup_reap); /* or the turns below would free it again */
    command_free(a->setup);
    process_free(a->shutdown);
    if (a->link != NULL)
        link_close(a->link);
    uint64_t until_ns = clock_monotonic_ns() + AGENT_BYE_NS;
    while (a->link != NULL && clock_monotonic_ns() < until_ns)
        loop_turn(a->loop, 10 * NS_PER_MS);
    loop_timer_free(a->tick);
    loop_timer_free(a->connect);
    outbox_deinit(&a->outbox);
    link_key_free(a->key);
    mem_free(a);
}
