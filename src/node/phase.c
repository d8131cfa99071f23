#include "node/phase.h"

#include <signal.h>
#include <stdio.h>

#include "base/arena.h"
#include "node/command.h"
#include "node/traffic.h"

enum phase_state {
    PHASE_IDLE,
    PHASE_PREPARING,
    PHASE_PREPARED,
    PHASE_STARTING,
    PHASE_RUNNING,
    PHASE_DONE
};

struct phase {
    struct phases *phases;
    struct phase *next;
    uint32_t number;
    enum phase_state state;
    struct arena arena;
    struct wire_phase_prepare order; /* texts in the arena; load is NULL */
    char dir[1024];
    struct command *command;
    struct traffic *traffic;
    struct loop_timer *start_timer;    /* the planned instant */
    struct loop_timer *duration_timer; /* of a command */
    struct loop_timer *timeout_timer;  /* of traffic; a command's is its process's */
    struct loop_timer *reap_timer;     /* frees what has ended, off its callback */
    uint64_t planned_ns, actual_ns;
    bool by_duration; /* we ended it because its time was over: fine */
    bool stopped, timed_out;
    struct err why;
};

struct phases {
    struct agent *agent;
    struct phase *first;
};

static struct phase *phase_find(const struct phases *phases, uint32_t number) {
    for (struct phase *p = phases->first; p != NULL; p = p->next)
        if (p->number == number)
            return p;
    return NULL;
}

static uint64_t phase_now_ns(const struct phase *p) {
    return loop_now_ns(agent_loop(p->phases->agent));
}

static void phase_say_prepared(struct phase *p, const struct err *why) {
    CLEANUP(buf_deinit) struct buf line = BUF_INIT(WIRE_TEXT_BYTES_MAX);
    struct wire_message message = {.type = WIRE_PHASE_PREPARED,
                                   .phase_prepared = {.phase = p->number}};
    if (why != NULL)
        message.phase_prepared.why = parts_line(&line, str_from(why->text));
    p->state = why == NULL ? PHASE_PREPARED : PHASE_DONE;
    agent_result(p->phases->agent, &message);
}

static void phase_say_done(struct phase *p, const struct wire_ending *ending,
                           const struct traffic_totals *totals) {
    CLEANUP(buf_deinit) struct buf line = BUF_INIT(WIRE_TEXT_BYTES_MAX);
    struct wire_message message = {.type = WIRE_PHASE_DONE,
                                   .phase_done = {.phase = p->number, .ending = *ending}};
    message.phase_done.ending.why = parts_line(&line, ending->why);
    if (totals != NULL) {
        message.phase_done.planned = totals->planned;
        message.phase_done.sent = totals->sent;
        message.phase_done.done = totals->done;
        message.phase_done.errors = totals->errors;
        message.phase_done.cpu_ns = totals->cpu_ns;
    }
    p->state = PHASE_DONE;
    loop_timer_clear(p->start_timer);
    loop_timer_clear(p->duration_timer);
    loop_timer_clear(p->timeout_timer);
    loop_timer_after(p->reap_timer, 0);
    agent_result(p->phases->agent, &message);
}

static void phase_fail(struct phase *p, const struct err *why) {
    struct wire_ending ending = command_unstarted(why);
    phase_say_done(p, &ending, NULL);
}

static void phase_on_command(void *arg, const struct wire_ending *ending) {
    struct phase *p = arg;
    struct wire_ending told = *ending;
    if (p->by_duration && !told.timed_out) {
        told.ok = true; /* it was meant to be ended */
        told.stopped = false;
    }
    phase_say_done(p, &told, NULL);
}

static void phase_on_prepared(void *arg, const struct err *why) {
    phase_say_prepared(arg, why);
}

static void phase_on_traffic(void *arg, const struct traffic_totals *totals) {
    struct phase *p = arg;
    struct wire_ending ending = {.ok = !p->timed_out && p->why.code == ERR_NONE,
                                 .timed_out = p->timed_out,
                                 .stopped = p->stopped,
                                 .took_ns = phase_now_ns(p) - MIN(p->actual_ns, phase_now_ns(p)),
                                 .why = str_from(p->why.text)};
    phase_say_done(p, &ending, totals);
}

static void phase_on_reap(void *arg) {
    struct phase *p = arg;
    command_free(p->command);
    p->command = NULL;
    traffic_free(p->traffic);
    p->traffic = NULL;
}

static void phase_on_duration(void *arg) {
    struct phase *p = arg;
    p->by_duration = true;
    if (p->command != NULL)
        command_stop(p->command, SIGTERM, PHASE_GRACE_NS);
}

static void phase_on_timeout(void *arg) {
    struct phase *p = arg;
    p->timed_out = true;
    ignore(err_set(&p->why, ERR_TIMEOUT, "took longer than its timeout") == 0); /* the reason */
    if (p->traffic != NULL)
        traffic_stop(p->traffic, true);
}

static int phase_start_command(struct phase *p, struct err *err) {
    struct command_spec spec = {.script = p->order.command,
                                .env = p->order.env,
                                .env_count = p->order.env_count,
                                .dir = p->dir,
                                .name = "phase",
                                .source = WIRE_FROM_PHASE,
                                .phase = p->number,
                                .timeout_ns = p->order.timeout_ns,
                                .grace_ns = PHASE_GRACE_NS,
                                .on_done = phase_on_command,
                                .arg = p};
    TRY(command_start(p->phases->agent, &spec, &p->command, err));
    if (p->order.duration_ns > 0)
        loop_timer_after(p->duration_timer, p->order.duration_ns);
    return 0;
}

/* The planned instant.  Traffic is set on its way already: its workers wait for the instant
 * themselves, and more exactly than a timer of ours. */
static void phase_on_start(void *arg) {
    struct phase *p = arg;
    struct err why = {0};
    p->actual_ns = phase_now_ns(p);
    p->state = PHASE_RUNNING;
    int result = p->traffic == NULL ? phase_start_command(p, &why) : 0;
    struct wire_message message = {.type = WIRE_PHASE_STARTED,
                                   .phase_started = {.phase = p->number,
                                                     .planned_ns = p->planned_ns,
                                                     .actual_ns = p->actual_ns}};
    agent_result(p->phases->agent, &message);
    if (result < 0)
        phase_fail(p, &why);
}

static struct phase *phase_new(struct phases *phases, uint32_t number) {
    struct phase *p = mem_new(sizeof *p);
    struct loop *loop = agent_loop(phases->agent);
    p->phases = phases;
    p->number = number;
    p->start_timer = loop_timer_new(loop, phase_on_start, p);
    p->duration_timer = loop_timer_new(loop, phase_on_duration, p);
    p->timeout_timer = loop_timer_new(loop, phase_on_timeout, p);
    p->reap_timer = loop_timer_new(loop, phase_on_reap, p);
    p->next = phases->first;
    phases->first = p;
    return p;
}

static void phase_free(struct phase *own_phase) {
    command_free(own_phase->command);
    traffic_free(own_phase->traffic);
    loop_timer_free(own_phase->start_timer);
    loop_timer_free(own_phase->duration_timer);
    loop_timer_free(own_phase->timeout_timer);
    loop_timer_free(own_phase->reap_timer);
    arena_deinit(&own_phase->arena);
    mem_free(own_phase);
}

static void phase_copy_order(struct phase *p, const struct wire_phase_prepare *order) {
    struct str *env = arena_new_array(&p->arena, MAX(order->env_count, (size_t)1), sizeof *env);
    for (size_t i = 0; i < order->env_count; i++)
        env[i] = arena_str(&p->arena, order->env[i]);
    p->order = *order;
    p->order.load = NULL;
    p->order.name = arena_str(&p->arena, order->name);
    p->order.command = arena_str(&p->arena, order->command);
    p->order.env = env;
}

/* Names come from the plan, where they are [a-z0-9-]; here only a path part is sure. */
static bool phase_name_is_safe(struct str name) {
    return !str_contains(name, STR("/")) && !str_equal(name, STR(".")) &&
           !str_equal(name, STR(".."));
}

struct phases *phases_new(struct agent *agent) {
    struct phases *phases = mem_new(sizeof *phases);
    phases->agent = agent;
    return phases;
}

void phases_prepare(struct phases *phases, const struct wire_phase_prepare *order) {
    struct phase *old = phase_find(phases, order->phase);
    struct err why = {0};
    if (old != NULL && (old->state == PHASE_STARTING || old->state == PHASE_RUNNING)) {
        struct wire_message message = {
            .type = WIRE_PHASE_PREPARED,
            .phase_prepared = {.phase = order->phase, .why = STR("it is running already")}};
        agent_result(phases->agent, &message);
        return;
    }
    if (old != NULL)
        old->number = 0; /* prepared again: the new one counts */
    struct phase *p = phase_new(phases, order->phase);
    phase_copy_order(p, order);
    p->state = PHASE_PREPARING;
    if (!phase_name_is_safe(order->name)) {
        ignore(err_set(&why, ERR_PARSE, "not a name: '%.*s'", STR_ARG(order->name)) == 0);
        phase_say_prepared(p, &why);
        return;
    }
    snprintf(p->dir, sizeof p->dir, "%s/phases/%.*s", agent_dir(phases->agent),
             STR_ARG(order->name));
    if (order->load == NULL) {
        phase_say_prepared(p, NULL);
        return;
    }
    struct traffic_handler handler = {phase_on_prepared, phase_on_traffic, p};
    p->traffic = traffic_new(phases->agent, p->number, order->load, &handler);
}

void phases_start(struct phases *phases, const struct wire_phase_start *order) {
    struct phase *p = phase_find(phases, order->phase);
    struct err why = {0};
    if (p == NULL)
        p = phase_new(phases, order->phase);
    if (p->state != PHASE_PREPARED) {
        ignore(err_set(&why, ERR_USAGE, "it was not prepared here") == 0); /* only the reason */
        phase_fail(p, &why);
        return;
    }
    p->planned_ns = order->at_ns;
    p->state = PHASE_STARTING;
    if (p->traffic != NULL) {
        if (traffic_start(p->traffic, order->at_ns, &why) < 0) {
            phase_fail(p, &why);
            return;
        }
        loop_timer_set(p->timeout_timer, order->at_ns + p->order.timeout_ns);
    }
    loop_timer_set(p->start_timer, order->at_ns);
}

static void phase_stop(struct phase *p, uint64_t grace_ns) {
    bool waits = p->state == PHASE_PREPARING || p->state == PHASE_PREPARED ||
                 (p->state == PHASE_STARTING && p->traffic == NULL);
    p->stopped = true;
    if (p->traffic != NULL && !waits)
        traffic_stop(p->traffic, grace_ns == 0);
    if (p->command != NULL)
        command_stop(p->command, SIGTERM, grace_ns);
    if (waits) {
        struct wire_ending ending = {.stopped = true, .why = STR("stopped before it started")};
        phase_say_done(p, &ending, NULL);
    }
}

void phases_stop(struct phases *phases, const struct wire_phase_stop *order) {
    struct phase *p = phase_find(phases, order->phase);
    if (p != NULL && p->state != PHASE_DONE)
        phase_stop(p, order->grace_ns);
}

void phases_stop_all(struct phases *phases, uint64_t grace_ns) {
    for (struct phase *p = phases->first; p != NULL; p = p->next)
        if (p->state != PHASE_DONE)
            phase_stop(p, grace_ns);
}

void phases_stop_traffic(struct phases *phases, const char *why) {
    for (struct phase *p = phases->first; p != NULL; p = p->next) {
        if (p->traffic == NULL || p->state == PHASE_DONE || p->why.code != ERR_NONE)
            continue;
        ignore(err_set(&p->why, ERR_TIMEOUT, "%s", why) == 0); /* only fills the reason */
        phase_stop(p, 0);
    }
}

uint32_t phases_running(const struct phases *phases) {
    for (const struct phase *p = phases->first; p != NULL; p = p->next)
        if (p->state == PHASE_RUNNING)
            return p->number;
    return 0;
}

const char *phases_dir(const struct phases *phases, uint32_t phase) {
    const struct phase *p = phase_find(phases, phase);
    return p == NULL || p->dir[0] == 0 ? NULL : p->dir;
}

void phases_free(struct phases *own_phases) {
    if (own_phases == NULL)
        return;
    for (struct phase *p = own_phases->first, *next; p != NULL; p = next) {
        next = p->next;
        phase_free(p);
    }
    mem_free(own_phases);
}
