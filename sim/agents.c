/* agents.c - instances from the inside: boot, call home, obey, lose the link, die.
 *
 * Orders and answers arrive once and in order, as the shells promise: what a broken link lost goes
 * out again after the next join.
 */
#include "sim.h"

#define IMPOSTOR UINT32_C(0x80000000) /* set in the link ids of impostors */
#define LEASE_NS (600 * NS_PER_S)
#define WATCH_NS (60 * NS_PER_S) /* how often lease and cap are looked at */

static uint64_t latency_ns(struct sim *s) {
    return prng_range(&s->prng, NS_PER_MS, 80 * NS_PER_MS);
}

struct sim_agent *sim_agent_find(struct sim *s, const char *id) {
    for (uint32_t i = 0; i < s->agent_count; i++)
        if (strcmp(s->agents[i].id, id) == 0)
            return &s->agents[i];
    return NULL;
}

static uint32_t number_of(const struct sim *s, const struct sim_agent *a) {
    return (uint32_t)(a - s->agents);
}

bool sim_link_up(const struct sim *s, uint32_t agent, uint32_t link) {
    const struct sim_agent *a = &s->agents[agent];
    return a->state == SIM_AGENT_UP && a->link == link && a->epoch == s->epoch;
}

/* ---------------------------------------------------------------------- links */

/* The head hears of it by a heartbeat that does not come. */
static void cut(struct sim *s, struct sim_agent *a) {
    if (a->link == RUN_NONE)
        return;
    struct sim_item *item =
        sim_plan(s, s->now_ns + prng_range(&s->prng, 0, 12 * NS_PER_S), SIM_EVENT);
    item->event.kind = RUN_EV_LINK_LOST;
    item->event.link = a->link;
    a->link = RUN_NONE;
    a->joining = false;
    if (a->state == SIM_AGENT_UP)
        sim_plan(s, s->now_ns + prng_range(&s->prng, NS_PER_S, 20 * NS_PER_S), SIM_JOIN_TRY)
            ->agent = number_of(s, a);
}

void sim_agents_cut_all(struct sim *s) {
    for (uint32_t i = 0; i < s->agent_count; i++) {
        s->agents[i].link = s->agents[i].pending_link = RUN_NONE;
        s->agents[i].joining = false;
        s->agents[i].missed_count = 0;
        if (s->agents[i].state == SIM_AGENT_UP)
            sim_plan(s, s->now_ns + prng_range(&s->prng, NS_PER_S, 20 * NS_PER_S), SIM_JOIN_TRY)
                ->agent = i;
    }
}

/* To the head, in order; or the link breaks over it. */
static void tell(struct sim *s, struct sim_agent *a, const struct run_event *ev) {
    if (a->link != RUN_NONE && sim_chance(s, s->faults.message_cut))
        cut(s, a);
    if (a->link == RUN_NONE) {
        if (a->kept_count < SIM_MISSED_MAX)
            a->kept[a->kept_count++] = *ev;
        return;
    }
    a->in_ns = MAX(a->in_ns, s->now_ns + latency_ns(s));
    struct sim_item *item = sim_plan(s, a->in_ns, SIM_EVENT);
    item->agent = number_of(s, a);
    item->link = a->link;
    item->event = *ev;
}

void sim_agent_keep(struct sim *s, uint32_t agent, const struct run_event *ev) {
    if (s->agents[agent].state == SIM_AGENT_UP)
        tell(s, &s->agents[agent], ev);
}

static void tell_done(struct sim *s, struct sim_agent *a, enum run_event_kind kind, bool ok,
                      uint32_t phase) {
    struct run_event ev = {.kind = kind};
    ev.done.ok = ok;
    ev.done.exit = ok ? 0 : 1;
    ev.done.phase = phase;
    tell(s, a, &ev);
}

/* ---------------------------------------------------------------------- boot and join */

static void die(struct sim *s, struct sim_agent *a) {
    if (a->state == SIM_AGENT_DEAD)
        return;
    a->state = SIM_AGENT_DEAD;
    cut(s, a);
}

static void power_off(struct sim *s, struct sim_agent *a) {
    die(s, a);
    cloud_instance_shutdown(s->cloud, s->now_ns, str_from(a->id));
}

void sim_agents_effects(struct sim *s) {
    struct cloud_effect e;
    while (cloud_effect_take(s->cloud, &e)) {
        struct sim_agent *a = sim_agent_find(s, e.instance->id);
        if (e.kind == CLOUD_INSTANCE_START && !a) {
            if (s->agent_count == SIM_AGENTS_MAX)
                sim_fail(s, "more than %u instances in one life", SIM_AGENTS_MAX);
            a = &s->agents[s->agent_count++];
            memset(a, 0, sizeof *a);
            memcpy(a->id, e.instance->id, sizeof a->id);
            a->link = a->pending_link = a->phase = RUN_NONE;
            a->ip = e.instance->private_ip;
            if (e.instance->dud != CLOUD_DUD_NONE)
                continue; /* runs, costs, never gets to work */
            sim_plan(s, s->now_ns + e.instance->boot_delay_ns, SIM_BOOT)->agent = number_of(s, a);
        } else if (a && (e.kind == CLOUD_INSTANCE_STOP || e.kind == CLOUD_INSTANCE_GONE)) {
            die(s, a);
        } else if (a && e.kind == CLOUD_INSTANCE_NOTICE) {
            struct run_event ev = {.kind = RUN_EV_NOTICE, .deadline_ns = e.instance->reclaim_ns};
            tell(s, a, &ev);
        }
    }
}

void sim_agent_boot(struct sim *s, uint32_t agent) {
    struct sim_agent *a = &s->agents[agent];
    bool ours = true;
    for (uint32_t i = 0; i < SIM_FOREIGN; i++)
        ours &= strcmp(a->id, s->foreign[i]) != 0;
    if (a->state != SIM_AGENT_NONE || !ours)
        return;
    a->state = SIM_AGENT_UP;
    a->cap_ns = s->now_ns + s->config.ttl_ns;
    a->contact_ns = s->now_ns;
    cloud_instance_booted(s->cloud, s->now_ns, str_from(a->id));
    sim_plan(s, s->now_ns + WATCH_NS, SIM_LEASE)->agent = agent;
    sim_plan(s, s->now_ns + latency_ns(s), SIM_JOIN_TRY)->agent = agent;
}

/* Not under the head's eyes: the key is another, or the place it calls from. */
static void impostor(struct sim *s, const struct sim_agent *a) {
    struct sim_item *item = sim_plan(s, s->now_ns + latency_ns(s), SIM_EVENT);
    item->agent = number_of(s, a);
    item->event.kind = RUN_EV_JOIN;
    item->event.join.link = IMPOSTOR | s->link_next++;
    memcpy(item->event.join.id, a->id, sizeof item->event.join.id);
    memset(item->event.join.key, 0xEE, sizeof item->event.join.key);
    bool from_elsewhere = !a->key_known; /* before its first join only the address tells */
    item->event.join.source_ip = from_elsewhere ? a->ip + 1 : a->ip;
    if (prng_chance(&s->prng, 300000))
        item->event.join.id[3] = 'x'; /* nobody's id */
}

void sim_agent_join(struct sim *s, uint32_t agent) {
    struct sim_agent *a = &s->agents[agent];
    if (a->state != SIM_AGENT_UP || a->link != RUN_NONE)
        return;
    sim_plan(s, s->now_ns + prng_range(&s->prng, 2 * NS_PER_S, 20 * NS_PER_S), SIM_JOIN_TRY)
        ->agent = agent;
    if (!s->run || s->recovering)
        return; /* nobody listens */
    a->pending_link = s->link_next++;
    a->epoch = s->epoch;
    a->in_ns = MAX(a->in_ns, s->now_ns + latency_ns(s));
    struct sim_item *item = sim_plan(s, a->in_ns, SIM_EVENT);
    item->agent = agent;
    item->event.kind = RUN_EV_JOIN;
    item->event.join.link = a->pending_link;
    memcpy(item->event.join.id, a->id, sizeof item->event.join.id);
    memcpy(item->event.join.key, a->id, sizeof a->id);
    item->event.join.source_ip = a->ip;
    if (sim_chance(s, s->faults.impostor))
        impostor(s, a);
}

/* On its way, or kept until the agent is back. */
static void order(struct sim *s, struct sim_agent *a, const struct sim_missed *m) {
    if (a->link != RUN_NONE && sim_chance(s, s->faults.message_cut))
        cut(s, a);
    if (a->link == RUN_NONE) {
        must(a->missed_count < SIM_MISSED_MAX);
        a->missed[a->missed_count++] = *m;
        return;
    }
    a->out_ns = MAX(a->out_ns, s->now_ns + latency_ns(s));
    struct sim_item *item = sim_plan(s, a->out_ns, SIM_ORDER);
    item->agent = number_of(s, a);
    item->link = a->link;
    item->number = m->kind;
    item->event.node = m->phase;
    item->at_ns = m->at_ns;
}

static void order_missed(struct sim *s, struct sim_agent *a) {
    struct sim_missed missed[SIM_MISSED_MAX];
    uint32_t count = a->missed_count;
    memcpy(missed, a->missed, sizeof missed);
    a->missed_count = 0;
    for (uint32_t i = 0; i < count; i++)
        order(s, a, &missed[i]);
}

/* What nobody heard. */
static void tell_kept(struct sim *s, struct sim_agent *a) {
    struct run_event kept[SIM_MISSED_MAX];
    uint32_t count = a->kept_count;
    memcpy(kept, a->kept, sizeof kept);
    a->kept_count = 0;
    for (uint32_t i = 0; i < count; i++)
        tell(s, a, &kept[i]);
}

void sim_agent_admitted(struct sim *s, const struct sim_item *item) {
    struct sim_agent *a = &s->agents[item->agent];
    if (a->state != SIM_AGENT_UP || a->pending_link != item->link || item->epoch != s->epoch)
        return;
    a->pending_link = RUN_NONE;
    if (item->number == 2)
        power_off(s, a);
    if (item->number != 1)
        return;
    a->link = item->link;
    a->contact_ns = s->now_ns;
    tell_kept(s, a);
    order_missed(s, a);
}

/* ---------------------------------------------------------------------- from the core */

static void act_join(struct sim *s, const struct run_action *act) {
    uint32_t link = act->link.link;
    if (link & IMPOSTOR) {
        if (act->kind == RUN_ACT_ADMIT)
            sim_fail(s, "an impostor was admitted");
        sim_probe(s, SIM_impostor_refused);
        return;
    }
    for (uint32_t i = 0; i < s->agent_count; i++) {
        struct sim_agent *a = &s->agents[i];
        if (act->kind == RUN_ACT_DROP && a->link == link && a->epoch == s->epoch)
            cut(s, a);
        if (a->pending_link != link || act->kind == RUN_ACT_DROP)
            continue;
        a->out_ns = MAX(a->out_ns, s->now_ns + latency_ns(s));
        a->key_known |= act->kind == RUN_ACT_ADMIT;
        struct sim_item *item = sim_plan(s, a->out_ns, SIM_ADMITTED);
        item->agent = i;
        item->link = link;
        item->number = act->kind == RUN_ACT_ADMIT ? 1 : act->link.power_off ? 2 : 0;
        return;
    }
    if (act->kind != RUN_ACT_ADMIT)
        return;
    for (uint32_t i = 0; i < s->agent_count; i++)
        if (s->agents[i].link == link && s->agents[i].epoch == s->epoch)
            return; /* it learns its slot */
    struct sim_item *item = sim_plan(s, s->now_ns + NS_PER_S, SIM_EVENT);
    item->event.kind = RUN_EV_LINK_LOST; /* it has called again since, over a newer link */
    item->event.link = link;
}

void sim_agents_act(struct sim *s, const struct run_action *act) {
    if (act->kind == RUN_ACT_ADMIT || act->kind == RUN_ACT_REFUSE || act->kind == RUN_ACT_DROP) {
        act_join(s, act);
        return;
    }
    for (uint32_t i = 0; i < act->count; i++) {
        struct sim_agent *a = sim_agent_find(s, s->run->nodes[s->act->refs[act->first + i]].id);
        if (a)
            order(s, a, &(struct sim_missed){act->kind, act->phase.phase, act->phase.at_ns});
    }
}

/* ---------------------------------------------------------------------- orders */

static void work(struct sim *s, struct sim_agent *a, uint64_t at_ns, enum run_action_kind kind) {
    struct sim_item *item = sim_plan(s, MAX(at_ns, s->now_ns), SIM_WORK_DONE);
    item->agent = number_of(s, a);
    item->number = kind;
    item->event.node = a->phase;
}

static void order_phase(struct sim *s, struct sim_agent *a, const struct sim_item *item) {
    uint32_t phase = item->event.node;
    enum run_action_kind kind = (enum run_action_kind)item->number;
    if (kind == RUN_ACT_PHASE_PREPARE) {
        if (a->phase == phase && a->part == RUN_PART_PREPARED)
            tell_done(s, a, RUN_EV_PHASE_PREPARED, true, phase);
        if (a->phase == phase)
            return;
        a->phase = phase;
        a->part = RUN_PART_PREPARING;
        work(s, a, s->now_ns + prng_range(&s->prng, 0, 3 * NS_PER_S), kind);
        return;
    }
    if (a->phase != phase)
        return;
    if (a->part == RUN_PART_OK || a->part == RUN_PART_FAILED) {
        tell_done(s, a, RUN_EV_PHASE_DONE, a->part == RUN_PART_OK, phase);
        return;
    }
    if (kind == RUN_ACT_PHASE_START) {
        if (a->part == RUN_PART_PREPARED)
            work(s, a, item->at_ns, kind);
        return;
    }
    a->part = RUN_PART_OK; /* PHASE_STOP */
    tell_done(s, a, RUN_EV_PHASE_DONE, true, phase);
}

void sim_agent_order(struct sim *s, const struct sim_item *item) {
    struct sim_agent *a = &s->agents[item->agent];
    if (a->state != SIM_AGENT_UP || item->epoch != s->epoch)
        return;
    if (a->link != item->link) { /* lost on its way: again, over the next link */
        order(s, a,
              &(struct sim_missed){(enum run_action_kind)item->number, item->event.node,
                                   item->at_ns});
        return;
    }
    a->contact_ns = s->now_ns;
    if (sim_chance(s, s->faults.agent_dies)) {
        sim_say(s, "-- the agent on %s dies", a->id);
        die(s, a);
        return;
    }
    switch ((enum run_action_kind)item->number) {
    case RUN_ACT_SETUP:
        if (a->setting_up || a->set_up)
            sim_fail(s, "%s was told to set up twice", a->id);
        a->setting_up = true;
        work(s, a, s->now_ns + prng_range(&s->prng, NS_PER_S, 60 * NS_PER_S), RUN_ACT_SETUP);
        return;
    case RUN_ACT_SERVICE:
        if (a->starting || a->ready)
            sim_fail(s, "%s was told to start its service twice", a->id);
        a->starting = true;
        work(s, a, s->now_ns + prng_range(&s->prng, 0, 20 * NS_PER_S), RUN_ACT_SERVICE);
        return;
    case RUN_ACT_PHASE_PREPARE:
    case RUN_ACT_PHASE_START:
    case RUN_ACT_PHASE_STOP:
        order_phase(s, a, item);
        return;
    case RUN_ACT_COLLECT:
        work(s, a, s->now_ns + prng_range(&s->prng, 0, 10 * NS_PER_S), RUN_ACT_COLLECT);
        return;
    case RUN_ACT_RELEASE:
        if (prng_chance(&s->prng, 300000))
            power_off(s, a);
        return;
    default:
        return;
    }
}

static void done_phase(struct sim *s, struct sim_agent *a, enum run_action_kind kind) {
    const struct run_phase_config *p = &s->phases[a->phase];
    if (kind == RUN_ACT_PHASE_PREPARE && a->part == RUN_PART_PREPARING) {
        a->part = RUN_PART_PREPARED;
        tell_done(s, a, RUN_EV_PHASE_PREPARED, true, a->phase);
    } else if (kind == RUN_ACT_PHASE_START && a->part == RUN_PART_PREPARED) {
        struct run_event ev = {.kind = RUN_EV_PHASE_STARTED};
        a->part = RUN_PART_STARTED;
        ev.started.phase = a->phase;
        ev.started.skew_ns = prng_range(&s->prng, 0, 5 * NS_PER_MS);
        tell(s, a, &ev);
        work(s, a, s->now_ns + p->duration_ns, RUN_ACT_PHASE_STOP);
    } else if (kind == RUN_ACT_PHASE_STOP && a->part == RUN_PART_STARTED) {
        bool ok = !sim_chance(s, s->faults.phase_fails);
        a->part = ok ? RUN_PART_OK : RUN_PART_FAILED;
        tell_done(s, a, RUN_EV_PHASE_DONE, ok, a->phase);
    }
}

void sim_agent_done(struct sim *s, const struct sim_item *item) {
    struct sim_agent *a = &s->agents[item->agent];
    enum run_action_kind kind = (enum run_action_kind)item->number;
    if (a->state != SIM_AGENT_UP)
        return;
    if (kind == RUN_ACT_SETUP) {
        a->setting_up = false;
        a->set_up = !sim_chance(s, s->faults.setup_fails);
        tell_done(s, a, RUN_EV_SETUP_DONE, a->set_up, 0);
    } else if (kind == RUN_ACT_SERVICE) {
        a->starting = false;
        a->ready = !sim_chance(s, s->faults.service_fails);
        tell_done(s, a, a->ready ? RUN_EV_READY : RUN_EV_NOT_READY, true, 0);
    } else if (kind == RUN_ACT_COLLECT) {
        tell_done(s, a, RUN_EV_COLLECTED, true, 0);
    } else if (item->event.node == a->phase) {
        done_phase(s, a, kind);
    }
}

void sim_agent_lease(struct sim *s, uint32_t agent) {
    struct sim_agent *a = &s->agents[agent];
    if (a->state != SIM_AGENT_UP)
        return;
    if (a->link != RUN_NONE && s->run && !s->recovering && !s->finished)
        a->contact_ns = s->now_ns;
    if (s->now_ns >= a->cap_ns) {
        sim_probe(s, SIM_cap_ended);
        power_off(s, a);
    } else if (s->now_ns >= a->contact_ns + LEASE_NS) {
        sim_probe(s, SIM_lease_ended);
        power_off(s, a);
    } else {
        sim_plan(s, s->now_ns + WATCH_NS, SIM_LEASE)->agent = agent;
    }
}
