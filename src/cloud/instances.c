/* The life of one instance: pending, running, shutting-down, terminated; stopping, stopped. */
#include "cloud/state.h"

static void instance_schedule(struct cloud *c, struct instance *i) {
    uint64_t next = MIN(i->state_due_ns, i->notice_due_ns);
    if (i->pub.reclaim_ns && i->pub.state == CLOUD_RUNNING)
        next = MIN(next, i->pub.reclaim_ns);
    if (next == i->pub.next_ns)
        return;
    i->pub.next_ns = next;
    if (next != NEVER)
        heap_add(&c->events, next, i->pub.index);
}

static void instance_effect(struct cloud *c, enum cloud_effect_kind kind,
                            const struct instance *i) {
    if (c->effect_first == c->effect_count)
        c->effect_first = c->effect_count = 0;
    if (c->effect_count == c->effect_capacity) {
        c->effect_capacity = c->effect_capacity ? 2 * c->effect_capacity : 64;
        c->effects = mem_resize(c->effects, c->effect_capacity * sizeof *c->effects);
    }
    c->effects[c->effect_count++] = (struct cloud_effect){.kind = kind, .instance = &i->pub};
}

bool cloud_effect_take(struct cloud *c, struct cloud_effect *ret_effect) {
    must(c && ret_effect);
    if (c->effect_first == c->effect_count)
        return false;
    *ret_effect = c->effects[c->effect_first++];
    return true;
}

static void instance_move(struct cloud *c, struct instance *i, enum cloud_state state) {
    must(i->pub.state != state);
    must(i->pub.state != CLOUD_TERMINATED);
    if (state == CLOUD_RUNNING) {
        c->running++;
        c->running_max = MAX(c->running_max, c->running);
    } else if (i->pub.state == CLOUD_RUNNING) {
        must(c->running > 0);
        c->running--;
    }
    i->pub.previous_state = i->pub.state;
    i->pub.previous_state_ns = c->now_ns;
    i->pub.state = state;
    cloud_remember(c, ((uint64_t)i->pub.index << 8) | (uint64_t)state);
    cloud_remember(c, c->now_ns);
}

static void instance_reason(struct instance *i, const char *code, const char *text) {
    must(str_copy(i->pub.reason_code, sizeof i->pub.reason_code, str_from(code)));
    ignore(str_copy(i->pub.reason_text, sizeof i->pub.reason_text, str_from(text)));
    /* a long text is cut: it is for people */
}

/* ---- fates ---------------------------------------------------------------------------------- */

/* All draws are made at launch and in one order, so that one fate does not shift another. */
static void instance_draw_fate(struct cloud *c, struct instance *i) {
    const struct cloud_options *o = &c->options;
    struct prng *p = &c->fates;
    bool dud = prng_chance(p, o->dud_ppm);
    uint64_t kind = prng_range(p, CLOUD_DUD_NONE + 1, CLOUD_DUD_COUNT - 1);
    bool slow = prng_chance(p, o->slow_ppm);
    uint64_t boot_ns = cloud_draw(p, o->boot_ns);
    bool fails = prng_chance(p, o->fail_ppm);
    bool interrupted = prng_chance(p, o->interrupt_ppm);
    uint64_t after_ns = cloud_draw(p, o->interrupt_after_ns);
    bool silent = prng_chance(p, o->no_notice_ppm);
    i->pub.dud = dud ? (enum cloud_dud)kind : CLOUD_DUD_NONE;
    i->pub.slow = slow;
    i->pub.boot_delay_ns = slow ? boot_ns * o->slow_factor : boot_ns;
    i->fails = fails;
    i->plan_notice_ns = silent ? 0 : o->interrupt_notice_ns;
    i->plan_after_ns = interrupted && i->pub.spot ? after_ns : NEVER;
}

void instance_admit(struct cloud *c, struct instance *own_i) {
    struct instance *i = own_i;
    i->pub.index = (uint32_t)c->instances.count;
    i->pub.state = i->pub.previous_state = CLOUD_PENDING;
    i->pub.asked_ns = i->pub.previous_state_ns = c->now_ns;
    i->pub.visible_ns = c->now_ns + cloud_draw(&c->delays, c->options.visible_ns);
    i->pub.next_ns = NEVER;
    i->notice_due_ns = NEVER;
    i->state_due_ns = c->now_ns + cloud_draw(&c->delays, c->options.pending_ns);
    buf_init(&i->pub.console, CLOUD_CONSOLE_BYTES_MAX * 2);
    instance_draw_fate(c, i);
    OWN_LIST_ADD(&c->instances, i);
    ignore(table_set(&c->instance_by_id, str_from(i->pub.id), i)); /* ids are new */
    cloud_remember(c, str_hash(str_from(i->pub.id)));
    instance_schedule(c, i);
}

void instance_free(struct instance *own_i) {
    if (!own_i)
        return;
    struct cloud_instance *p = &own_i->pub;
    mem_free(p->key_name);
    mem_free(p->client_token);
    mem_free(p->iam_profile);
    mem_free(p->group_ids);
    mem_free(p->user_data);
    tags_deinit(&p->tags);
    buf_deinit(&p->console);
    mem_free(own_i);
}

/* ---- transitions ---------------------------------------------------------------------------- */

static void instance_finish(struct cloud *c, struct instance *i) {
    struct cloud_instance *p = &i->pub;
    struct zone *z = &c->zones[p->zone];
    must(z->used > 0);
    z->used--;
    p->private_ip = 0;
    p->ended_ns = c->now_ns;
    instance_move(c, i, CLOUD_TERMINATED);
    i->state_due_ns = i->notice_due_ns = NEVER;
    if (p->running_ns)
        instance_effect(c, CLOUD_INSTANCE_GONE, i);
}

static void instance_run(struct cloud *c, struct instance *i) {
    struct cloud_instance *p = &i->pub;
    i->state_due_ns = NEVER;
    if (i->fails) {
        instance_reason(i, "Server.InternalError",
                        "Server.InternalError: Internal error on launch");
        p->ending_ns = c->now_ns;
        instance_finish(c, i);
        return;
    }
    instance_move(c, i, CLOUD_RUNNING);
    p->running_ns = MAX(c->now_ns, 1);
    if (i->plan_after_ns != NEVER)
        i->notice_due_ns = c->now_ns + i->plan_after_ns;
    instance_effect(c, CLOUD_INSTANCE_START, i);
}

bool instance_terminate(struct cloud *c, struct instance *i, const char *code, const char *text) {
    struct cloud_instance *p = &i->pub;
    if (p->state == CLOUD_SHUTTING_DOWN || p->state == CLOUD_TERMINATED)
        return false;
    bool ran = p->state == CLOUD_RUNNING;
    if (ran)
        bill_close(c, i, p->interrupted);
    instance_reason(i, code, text);
    p->ending_ns = c->now_ns;
    instance_move(c, i, CLOUD_SHUTTING_DOWN);
    i->notice_due_ns = NEVER;
    i->state_due_ns = c->now_ns + cloud_draw(&c->delays, c->options.stopping_ns);
    if (ran)
        instance_effect(c, CLOUD_INSTANCE_STOP, i);
    instance_schedule(c, i);
    return true;
}

bool instance_stop(struct cloud *c, struct instance *i, const char *code, const char *text) {
    struct cloud_instance *p = &i->pub;
    if (p->state != CLOUD_RUNNING)
        return false;
    bill_close(c, i, false);
    instance_reason(i, code, text);
    p->ending_ns = c->now_ns;
    instance_move(c, i, CLOUD_STOPPING);
    i->notice_due_ns = NEVER;
    i->state_due_ns = c->now_ns + cloud_draw(&c->delays, c->options.stopping_ns);
    instance_effect(c, CLOUD_INSTANCE_STOP, i);
    instance_schedule(c, i);
    return true;
}

static void instance_notice(struct cloud *c, struct instance *i, uint64_t notice_ns) {
    i->notice_due_ns = NEVER;
    i->pub.reclaim_ns = MAX(c->now_ns + notice_ns, 1);
    if (notice_ns > 0) {
        i->pub.notice_ns = MAX(c->now_ns, 1);
        instance_effect(c, CLOUD_INSTANCE_NOTICE, i);
    }
}

static void instance_reclaim(struct cloud *c, struct instance *i) {
    i->pub.interrupted = true;
    ignore(instance_terminate(c, i, "Server.SpotInstanceTermination",
                              "Server.SpotInstanceTermination: Spot instance termination"));
    /* the caller has seen that it runs */
}

/* Everything of `i` that is due now. */
static void instance_due(struct cloud *c, struct instance *i) {
    struct cloud_instance *p = &i->pub;
    if (i->state_due_ns <= c->now_ns) {
        i->state_due_ns = NEVER;
        if (p->state == CLOUD_PENDING) {
            instance_run(c, i);
        } else if (p->state == CLOUD_SHUTTING_DOWN) {
            instance_finish(c, i);
        } else if (p->state == CLOUD_STOPPING) {
            instance_move(c, i, CLOUD_STOPPED);
            p->ended_ns = c->now_ns;
            instance_effect(c, CLOUD_INSTANCE_GONE, i);
        }
    }
    if (p->state == CLOUD_RUNNING && i->notice_due_ns <= c->now_ns)
        instance_notice(c, i, i->plan_notice_ns);
    if (p->state == CLOUD_RUNNING && p->reclaim_ns && p->reclaim_ns <= c->now_ns)
        instance_reclaim(c, i);
    instance_schedule(c, i);
}

/* One running spot instance without a notice, drawn at random. */
static void instances_interrupt_one(struct cloud *c) {
    struct instance *chosen = NULL;
    uint64_t candidates = 0;
    for (size_t n = 0; n < c->instances.count; n++) {
        struct instance *i = c->instances.items[n];
        if (i->pub.state != CLOUD_RUNNING || !i->pub.spot || i->pub.reclaim_ns)
            continue;
        candidates++;
        if (prng_below(&c->fates, candidates) == 0)
            chosen = i;
    }
    if (!chosen)
        return;
    bool silent = prng_chance(&c->fates, c->options.no_notice_ppm);
    instance_notice(c, chosen, silent ? 0 : c->options.interrupt_notice_ns);
    instance_due(c, chosen);
}

void instances_tick(struct cloud *c, uint64_t now_ns) {
    for (;;) {
        const struct heap_item *first = heap_first(&c->events);
        uint64_t next = MIN(first ? first->key : NEVER, c->interrupt_next_ns);
        if (next > now_ns)
            break;
        c->now_ns = MAX(c->now_ns, next);
        if (first && first->key == next) {
            struct heap_item item;
            ignore(heap_take(&c->events, &item)); /* it is there */
            must(item.value < c->instances.count);
            struct instance *i = c->instances.items[item.value];
            if (i->pub.next_ns != item.key)
                continue; /* overtaken by a later plan */
            i->pub.next_ns = NEVER;
            instance_due(c, i);
        } else {
            c->interrupt_next_ns += c->options.interrupt_every_ns;
            instances_interrupt_one(c);
        }
    }
    c->now_ns = MAX(c->now_ns, now_ns);
}

/* ---- what others ask ------------------------------------------------------------------------ */

struct instance *instance_find(const struct cloud *c, struct str id) {
    return table_find(&c->instance_by_id, id);
}

const struct cloud_instance *cloud_instance_find(const struct cloud *c, struct str id) {
    must(c);
    const struct instance *i = instance_find(c, id);
    return i ? &i->pub : NULL;
}

const struct cloud_instance *cloud_instance_by_ip(const struct cloud *c, uint32_t ip) {
    must(c);
    for (size_t n = c->instances.count; ip != 0 && n > 0; n--)
        if (c->instances.items[n - 1]->pub.private_ip == ip)
            return &c->instances.items[n - 1]->pub;
    return NULL;
}

bool instance_is_live(const struct instance *i) {
    return i->pub.state != CLOUD_TERMINATED;
}

bool instance_is_visible(const struct cloud *c, const struct instance *i, uint64_t seen_ns) {
    if (i->pub.visible_ns > seen_ns)
        return false;
    return instance_is_live(i) || c->now_ns - i->pub.ended_ns < c->options.forget_ns;
}

enum cloud_state instance_state_at(const struct instance *i, uint64_t seen_ns) {
    return seen_ns < i->pub.previous_state_ns ? i->pub.previous_state : i->pub.state;
}

const char *cloud_state_name(enum cloud_state s) {
    static const char *const names[] = {"pending",    "running",  "shutting-down",
                                        "terminated", "stopping", "stopped"};
    must(s < ARRAY_LEN(names));
    return names[s];
}

unsigned cloud_state_code(enum cloud_state s) {
    static const unsigned codes[] = {0, 16, 32, 48, 64, 80};
    must(s < ARRAY_LEN(codes));
    return codes[s];
}

const char *cloud_dud_name(enum cloud_dud d) {
    static const char *const names[] = {"none", "never-boots", "no-network", "no-user-data",
                                        "no-download"};
    must(d < ARRAY_LEN(names));
    return names[d];
}

/* ---- reports from the shell ----------------------------------------------------------------- */

static struct instance *instance_reported(struct cloud *c, uint64_t now_ns, struct str id) {
    must(c);
    cloud_tick(c, now_ns);
    struct instance *i = instance_find(c, id);
    return i && i->pub.state == CLOUD_RUNNING ? i : NULL;
}

void cloud_instance_booted(struct cloud *c, uint64_t now_ns, struct str id) {
    struct instance *i = instance_reported(c, now_ns, id);
    if (i)
        i->pub.booted_ns = c->now_ns;
}

void cloud_instance_shutdown(struct cloud *c, uint64_t now_ns, struct str id) {
    struct instance *i = instance_reported(c, now_ns, id);
    if (!i)
        return;
    const char *code = "Client.InstanceInitiatedShutdown";
    const char *text = "Client.InstanceInitiatedShutdown: Instance initiated shutdown";
    /* A one-time spot request has no stopped state to return from. */
    if (i->pub.shutdown_terminates || i->pub.spot)
        ignore(instance_terminate(c, i, code, text)); /* it runs: it changes */
    else
        ignore(instance_stop(c, i, code, text)); /* the same */
}

void cloud_instance_halted(struct cloud *c, uint64_t now_ns, struct str id) {
    struct instance *i = instance_reported(c, now_ns, id);
    if (i)
        i->pub.halted = true;
}

void cloud_instance_failed(struct cloud *c, uint64_t now_ns, struct str id, struct str why) {
    struct instance *i = instance_reported(c, now_ns, id);
    if (!i)
        return;
    char text[128];
    ignore(str_copy(text, sizeof text, why));                       /* cut: for people */
    ignore(instance_terminate(c, i, "Server.InternalError", text)); /* it runs: it changes */
}

void cloud_instance_console(struct cloud *c, uint64_t now_ns, struct str id, struct str text) {
    must(c);
    struct instance *i = instance_find(c, id);
    if (!i)
        return;
    struct buf *console = &i->pub.console;
    text = str_skip(text, text.len - MIN(text.len, CLOUD_CONSOLE_BYTES_MAX));
    buf_add_str(console, text);
    if (console->len > CLOUD_CONSOLE_BYTES_MAX)
        buf_consume(console, console->len - CLOUD_CONSOLE_BYTES_MAX);
    must(buf_ok(console));
    i->pub.console_ns = MAX(now_ns, 1);
}

int cloud_interrupt(struct cloud *c, uint64_t now_ns, struct str id, uint64_t notice_ns,
                    struct err *err) {
    must(c);
    cloud_tick(c, now_ns);
    struct instance *i = instance_find(c, id);
    if (!i)
        return err_set(err, ERR_NOT_FOUND, "no instance '%.*s'", STR_ARG(id));
    if (!i->pub.spot)
        return err_set(err, ERR_REFUSED, "%s is not a spot instance", i->pub.id);
    if (i->pub.state != CLOUD_RUNNING)
        return err_set(err, ERR_REFUSED, "%s is %s", i->pub.id, cloud_state_name(i->pub.state));
    instance_notice(c, i, notice_ns);
    instance_due(c, i);
    return 0;
}
