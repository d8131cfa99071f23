#include "node/service.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/units.h"
#include "node/command.h"
#include "node/fetch.h"
#include "os/address.h"
#include "os/dns.h"
#include "os/file.h"

#define SERVICE_ATTEMPT_NS (5 * NS_PER_S) /* of one look */

/* An order's texts live no longer than its frame. */
struct service_copy {
    struct arena arena;
    const struct str *env;
    size_t env_count;
};

struct service_probe {
    bool active;
    struct service_copy copy;
    struct wire_ready_probe order;
    uint64_t started_ns;
    uint32_t attempts;
    struct err why;          /* of the last attempt */
    struct loop_timer *next; /* attempt */
    struct fetch *fetch;
    struct command *command;
    struct dns *dns;
    struct address addresses[2 + DNS_ADDRESSES_MAX]; /* TCP: tried in turn */
    size_t address_count, address_next;
    int fd;
    struct loop_watch *watch;
};

struct service {
    struct agent *agent;
    struct service_copy copy;
    struct wire_service order;
    struct command *command;
    struct loop_timer *restart;
    uint32_t starts;
    uint64_t pause_ns;
    bool stopping;
    struct service_probe probe;
};

static void service_spawn(struct service *s);
static void service_probe_attempt(void *arg);

static void service_copy_env(struct service_copy *copy, const struct str *env, size_t count) {
    struct str *own = arena_new_array(&copy->arena, MAX(count, (size_t)1), sizeof *own);
    for (size_t i = 0; i < count; i++)
        own[i] = arena_str(&copy->arena, env[i]);
    copy->env = own;
    copy->env_count = count;
}

static void service_tell(struct service *s, enum wire_service_phase state,
                         const struct wire_ending *ending) {
    struct wire_message message = {.type = WIRE_SERVICE_STATE,
                                   .service_state = {.state = state, .starts = s->starts}};
    if (ending != NULL)
        message.service_state.ending = *ending;
    agent_result(s->agent, &message);
}

static bool service_wants_restart(const struct service *s, const struct wire_ending *ending) {
    if (s->stopping || s->order.restart == WIRE_RESTART_NEVER)
        return false;
    return s->order.restart == WIRE_RESTART_ALWAYS || !ending->ok;
}

static void service_ended(struct service *s, const struct wire_ending *ending) {
    bool again = service_wants_restart(s, ending);
    service_tell(s, again ? WIRE_SERVICE_RESTARTING : WIRE_SERVICE_ENDED, ending);
    command_free(s->command);
    s->command = NULL;
    if (!again)
        return;
    loop_timer_after(s->restart, s->pause_ns);
    s->pause_ns = MIN(s->pause_ns * 2, SERVICE_PAUSE_NS_MAX);
}

static void service_on_done(void *arg, const struct wire_ending *ending) {
    service_ended(arg, ending);
}

static void service_spawn(struct service *s) {
    struct err why = {0};
    char dir[1024];
    bool has_dir = s->order.cwd.len > 0 && str_copy(dir, sizeof dir, s->order.cwd);
    struct command_spec spec = {.script = s->order.command,
                                .env = s->copy.env,
                                .env_count = s->copy.env_count,
                                .dir = has_dir ? dir : NULL,
                                .name = "service",
                                .source = WIRE_FROM_SERVICE,
                                .on_done = service_on_done,
                                .arg = s};
    s->starts++;
    if (command_start(s->agent, &spec, &s->command, &why) < 0) {
        struct wire_ending ending = command_unstarted(&why);
        service_ended(s, &ending);
        return;
    }
    service_tell(s, WIRE_SERVICE_STARTED, NULL);
}

static void service_on_restart(void *arg) {
    service_spawn(arg);
}

struct service *service_new(struct agent *agent) {
    struct service *s = mem_new(sizeof *s);
    s->agent = agent;
    s->restart = loop_timer_new(agent_loop(agent), service_on_restart, s);
    s->probe.fd = -1;
    s->probe.next = loop_timer_new(agent_loop(agent), service_probe_attempt, s);
    return s;
}

void service_start(struct service *service, const struct wire_service *order) {
    command_free(service->command);
    service->command = NULL;
    loop_timer_clear(service->restart);
    arena_reset(&service->copy.arena);
    service->order = *order;
    service->order.command = arena_str(&service->copy.arena, order->command);
    service->order.cwd = arena_str(&service->copy.arena, order->cwd);
    service_copy_env(&service->copy, order->env, order->env_count);
    service->starts = 0;
    service->pause_ns = SERVICE_PAUSE_NS;
    service->stopping = false;
    service_spawn(service);
}

void service_stop(struct service *service) {
    service->stopping = true;
    loop_timer_clear(service->restart);
    if (service->command == NULL)
        return;
    uint32_t number = service->order.stop_signal;
    command_stop(service->command, number != 0 ? (int)number : SIGTERM,
                 service->order.stop_timeout_ns);
}

bool service_is_down(const struct service *service) {
    return service->command == NULL && !loop_timer_is_set(service->restart);
}

/* Drop what an attempt has open. */
static void service_probe_clear(struct service_probe *p) {
    loop_watch_free(p->watch);
    p->watch = NULL;
    file_closep(&p->fd);
    fetch_free(p->fetch);
    p->fetch = NULL;
    dns_free(p->dns);
    p->dns = NULL;
    command_free(p->command);
    p->command = NULL;
}

static void service_probe_end(struct service *s, bool ready) {
    struct service_probe *p = &s->probe;
    CLEANUP(buf_deinit) struct buf line = BUF_INIT(WIRE_TEXT_BYTES_MAX);
    struct wire_message message = {.type = ready ? WIRE_READY : WIRE_NOT_READY};
    if (ready) {
        message.ready.attempts = p->attempts;
        message.ready.took_ns = loop_now_ns(agent_loop(s->agent)) - p->started_ns;
    } else {
        message.not_ready.attempts = p->attempts;
        message.not_ready.why = parts_line(&line, str_from(p->why.text));
    }
    p->active = false;
    loop_timer_clear(p->next);
    agent_result(s->agent, &message);
}

/* One look is over.  The timer makes the next, outside of the callback that brought us here. */
static void service_probe_result(struct service *s, bool ready) {
    struct service_probe *p = &s->probe;
    uint64_t now_ns = loop_now_ns(agent_loop(s->agent));
    if (ready || now_ns >= p->started_ns + p->order.timeout_ns)
        service_probe_end(s, ready);
    else
        loop_timer_after(p->next, p->order.every_ns);
}

static void service_probe_on_fetch(void *arg, int status, struct str body, const struct err *why) {
    struct service *s = arg;
    (void)body;
    if (why != NULL)
        s->probe.why = *why;
    else
        ignore(err_set(&s->probe.why, ERR_REMOTE, "%.*s answered %d",
                       STR_ARG(s->probe.order.target), status) == 0); /* only fills the reason */
    service_probe_result(s, status >= 200 && status <= 399);
}

static void service_probe_on_command(void *arg, const struct wire_ending *ending) {
    struct service *s = arg;
    if (ending->status >= 0)
        ignore(err_set(&s->probe.why, ERR_REMOTE, "the command exits with %d", ending->status) ==
               0); /* only fills the reason */
    else
        ignore(err_set(&s->probe.why, ERR_REMOTE, "the command ends by signal %u",
                       ending->signal_number) == 0); /* only fills the reason */
    service_probe_result(s, ending->ok);
}

static void service_probe_dial(struct service *s);

static void service_probe_on_connect(void *arg, int ready) {
    struct service *s = arg;
    struct service_probe *p = &s->probe;
    int errno_value = 0;
    socklen_t size = sizeof errno_value;
    (void)ready;
    must(getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &errno_value, &size) == 0);
    loop_watch_free(p->watch);
    p->watch = NULL;
    file_closep(&p->fd);
    if (errno_value == 0) {
        service_probe_result(s, true);
        return;
    }
    ignore(err_set_errno(&p->why, ERR_NETWORK, errno_value, "port %u does not accept",
                         (unsigned)address_port(&p->addresses[p->address_next - 1])) == 0);
    service_probe_dial(s);
}

/* Connect to the next address; one that accepts is enough. */
static void service_probe_dial(struct service *s) {
    struct service_probe *p = &s->probe;
    while (p->address_next < p->address_count) {
        const struct address *address = &p->addresses[p->address_next++];
        p->fd = socket(address_family(address), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (p->fd < 0)
            continue;
        ignore(connect(p->fd, &address->any, address->size)); /* the watch tells how it went */
        p->watch =
            loop_watch_new(agent_loop(s->agent), p->fd, LOOP_WRITE, service_probe_on_connect, s);
        return;
    }
    service_probe_result(s, false);
}

static void service_probe_on_address(void *arg, const struct address *addresses, size_t count,
                                     const struct err *why) {
    struct service *s = arg;
    struct service_probe *p = &s->probe;
    for (size_t i = 0; i < count; i++)
        p->addresses[p->address_count++] = addresses[i];
    if (why != NULL)
        p->why = *why;
    service_probe_dial(s);
}

/* "8080" or ":8080": our own address and 127.0.0.1; "HOST:PORT": that. */
static void service_probe_tcp(struct service *s) {
    struct service_probe *p = &s->probe;
    struct str target = p->order.target;
    size_t colon = target.len;
    uint64_t port = 0;
    for (size_t i = 0; i < target.len; i++)
        if (target.ptr[i] == ':')
            colon = i;
    struct str host = str_slice(target, 0, colon == target.len ? 0 : colon);
    struct str number = colon == target.len ? target : str_skip(target, colon + 1);
    p->address_count = p->address_next = 0;
    if (units_u64(number, &port, NULL) < 0 || port == 0 || port > UINT16_MAX) {
        ignore(err_set(&p->why, ERR_PARSE, "not a port: '%.*s'", STR_ARG(target)) == 0);
        service_probe_end(s, false);
        return;
    }
    if (host.len > 0) {
        p->dns =
            dns_lookup(agent_loop(s->agent), host, (uint16_t)port, service_probe_on_address, s);
        return;
    }
    struct str own[] = {str_from(agent_private_ip(s->agent)), STR("127.0.0.1")};
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        if (address_parse_host(own[i], (uint16_t)port, &p->addresses[p->address_count], NULL) == 0)
            p->address_count++;
    service_probe_dial(s);
}

static void service_probe_http(struct service *s) {
    struct service_probe *p = &s->probe;
    struct fetch_spec spec = {.url = p->order.target,
                              .timeout_ns = SERVICE_ATTEMPT_NS,
                              .on_done = service_probe_on_fetch,
                              .arg = s};
    if (fetch_start(agent_loop(s->agent), &spec, &p->fetch, &p->why) < 0)
        service_probe_end(s, false); /* it will not become a URL by waiting */
}

static void service_probe_run(struct service *s) {
    struct service_probe *p = &s->probe;
    struct command_spec spec = {.script = p->order.command,
                                .env = p->copy.env,
                                .env_count = p->copy.env_count,
                                .name = "ready",
                                .quiet = true,
                                .timeout_ns = MAX(SERVICE_ATTEMPT_NS, p->order.every_ns),
                                .on_done = service_probe_on_command,
                                .arg = s};
    if (command_start(s->agent, &spec, &p->command, &p->why) < 0)
        service_probe_result(s, false);
}

static void service_probe_attempt(void *arg) {
    struct service *s = arg;
    struct service_probe *p = &s->probe;
    service_probe_clear(p);
    if (loop_now_ns(agent_loop(s->agent)) >= p->started_ns + p->order.timeout_ns) {
        service_probe_end(s, false);
        return;
    }
    /* A service that has ended for good never becomes ready. */
    if (service_is_down(s) && s->starts > 0) {
        ignore(err_set(&p->why, ERR_CLOSED, "the service has ended") == 0); /* only the reason */
        service_probe_end(s, false);
        return;
    }
    p->attempts++;
    /* When the attempt hangs, this looks again; a result moves it. */
    loop_timer_after(p->next, MAX(SERVICE_ATTEMPT_NS, p->order.every_ns) + NS_PER_S);
    switch ((enum wire_probe)p->order.kind) {
    case WIRE_PROBE_ALIVE:
        ignore(err_set(&p->why, ERR_CLOSED, "the service is not running") == 0); /* the reason */
        service_probe_result(s, s->command != NULL && command_running(s->command));
        return;
    case WIRE_PROBE_TCP:
        service_probe_tcp(s);
        return;
    case WIRE_PROBE_HTTP:
        service_probe_http(s);
        return;
    case WIRE_PROBE_RUN:
        service_probe_run(s);
        return;
    }
}

void service_probe(struct service *service, const struct wire_ready_probe *order) {
    struct service_probe *p = &service->probe;
    service_probe_clear(p);
    arena_reset(&p->copy.arena);
    p->order = *order;
    p->order.target = arena_str(&p->copy.arena, order->target);
    p->order.command = arena_str(&p->copy.arena, order->command);
    service_copy_env(&p->copy, order->env, order->env_count);
    p->active = true;
    p->attempts = 0;
    p->started_ns = loop_now_ns(agent_loop(service->agent));
    err_reset(&p->why);
    loop_timer_after(p->next, 0);
}

void service_free(struct service *own_service) {
    if (own_service == NULL)
        return;
    service_probe_clear(&own_service->probe);
    loop_timer_free(own_service->probe.next);
    arena_deinit(&own_service->probe.copy.arena);
    command_free(own_service->command);
    loop_timer_free(own_service->restart);
    arena_deinit(&own_service->copy.arena);
    mem_free(own_service);
}
