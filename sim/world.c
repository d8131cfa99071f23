/* world.c - the queue of what happens next, and the life of one seed. */
#include "sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define QUEUE_MAX 1000000

const char *const sim_probe_texts[SIM_PROBE_COUNT] = {
#define SIM_PROBE_TEXT(name, text) [SIM_##name] = (text),
    SIM_PROBES(SIM_PROBE_TEXT)
#undef SIM_PROBE_TEXT
};

void sim_say(struct sim *s, const char *fmt, ...) {
    if (!s->trace)
        return;
    va_list args;
    va_start(args, fmt);
    printf("%9.3f  ", (double)s->now_ns / 1e9);
    vprintf(fmt, args);
    putchar('\n');
    va_end(args);
}

void sim_fail(const struct sim *s, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    fflush(stdout);
    fprintf(stderr, "sim: seed %llu at %.3f s, step %llu: ", (unsigned long long)s->seed,
            (double)s->now_ns / 1e9, (unsigned long long)s->steps);
    vfprintf(stderr, fmt, args);
    fprintf(stderr, "\n");
    va_end(args);
    abort(); /* main's handler names the seed and how to replay it */
}

struct sim_item *sim_plan(struct sim *s, uint64_t at_ns, enum sim_kind kind) {
    must(at_ns >= s->now_ns);
    uint32_t number = s->item_free;
    if (number != RUN_NONE) {
        s->item_free = s->items[number].next_free;
    } else {
        if (s->item_count == s->item_max) {
            s->item_max = s->item_max ? 2 * s->item_max : 256;
            s->items = mem_resize(s->items, s->item_max * sizeof *s->items);
        }
        number = s->item_count++;
    }
    struct sim_item *item = &s->items[number];
    memset(item, 0, sizeof *item);
    item->kind = kind;
    item->epoch = s->epoch;
    item->agent = item->link = RUN_NONE;
    heap_add(&s->queue, at_ns, number);
    return item;
}

bool sim_chance(struct sim *s, uint32_t per_million) {
    return !s->healed && per_million > 0 && prng_chance(&s->prng, per_million);
}

/* ---------------------------------------------------------------------- items */

static void deliver(struct sim *s, struct sim_item *item) {
    if (item->epoch != s->epoch || !s->run)
        return;
    if (item->link != RUN_NONE && !sim_link_up(s, item->agent, item->link)) {
        sim_agent_keep(s, item->agent, &item->event);
        return;
    }
    if (item->agent != RUN_NONE && item->event.kind != RUN_EV_JOIN) {
        item->event.node = run_find_node(s->run, s->agents[item->agent].id);
        if (item->event.node == RUN_NONE)
            return;
    }
    sim_head_event(s, &item->event);
}

static void heal(struct sim *s) {
    sim_say(s, "-- healing: no new faults from here");
    s->healed = true;
    cloud_faults_reset(s->cloud);
    if (!s->run || s->finished)
        sim_plan(s, s->now_ns + NS_PER_S, SIM_RESTART);
}

static void happen(struct sim *s, struct sim_item *item) {
    switch (item->kind) {
    case SIM_EVENT:
        deliver(s, item);
        return;
    case SIM_CALL:
        sim_api_arrive(s, item->call);
        return;
    case SIM_CALL_TIMEOUT:
        sim_api_timeout(s, item->call);
        return;
    case SIM_TICK:
        if (item->epoch == s->epoch && s->run && item->number == s->tick_ns)
            sim_head_event(s, &(struct run_event){.kind = RUN_EV_TICK});
        return;
    case SIM_SYNC:
        if (item->epoch == s->epoch && s->run)
            sim_head_sync(s, item->number);
        return;
    case SIM_CRASH:
        sim_head_crash(s);
        return;
    case SIM_RESTART:
        sim_head_restart(s);
        return;
    case SIM_STOP:
        if (s->run && !s->finished)
            sim_head_event(
                s, &(struct run_event){.kind = RUN_EV_USER_STOP, .level = (uint32_t)item->number});
        return;
    case SIM_HEAL:
        heal(s);
        return;
    case SIM_JOURNAL_BREAKS:
        s->journal_broken = true;
        return;
    case SIM_BOOT:
        sim_agent_boot(s, item->agent);
        return;
    case SIM_JOIN_TRY:
        sim_agent_join(s, item->agent);
        return;
    case SIM_ADMITTED:
        sim_agent_admitted(s, item);
        return;
    case SIM_ORDER:
        sim_agent_order(s, item);
        return;
    case SIM_WORK_DONE:
        sim_agent_done(s, item);
        return;
    case SIM_LEASE:
        sim_agent_lease(s, item->agent);
        return;
    case SIM_KIND_COUNT:
        return;
    }
}

static void item_release(struct sim_item *item) {
    mem_free(item->own_a);
    mem_free(item->own_b);
    sim_api_release(item->call);
    item->own_a = item->own_b = NULL;
    item->call = NULL;
}

static void remember(struct sim *s, uint64_t value) {
    for (int i = 0; i < 8; i++)
        s->trace_hash = (s->trace_hash ^ (uint8_t)(value >> (8 * i))) * UINT64_C(1099511628211);
}

static void advance_cloud(struct sim *s) {
    cloud_tick(s->cloud, s->now_ns);
    sim_agents_effects(s);
}

/* One item, or one tick of the cloud. */
static void step(struct sim *s) {
    const struct heap_item *first = heap_first(&s->queue);
    uint64_t cloud_ns = cloud_next_ns(s->cloud);
    s->steps++;
    if (!first || cloud_ns < first->key) {
        must(cloud_ns != UINT64_MAX);
        s->now_ns = MAX(s->now_ns, cloud_ns);
        advance_cloud(s);
        sim_check(s);
        return;
    }
    struct heap_item place;
    must(heap_take(&s->queue, &place));
    s->now_ns = place.key;
    advance_cloud(s);
    struct sim_item item = s->items[place.value]; /* the table may move meanwhile */
    remember(s, s->now_ns ^ (uint64_t)item.kind << 56 ^ (uint64_t)item.agent << 32);
    happen(s, &item);
    item_release(&item);
    s->items[place.value].own_a = s->items[place.value].own_b = NULL;
    s->items[place.value].call = NULL;
    s->items[place.value].next_free = s->item_free;
    s->item_free = (uint32_t)place.value;
    sim_agents_effects(s);
    if (s->run && s->steps % 64 == 0)
        remember(s, run_hash(s->run));
    sim_check(s);
}

/* ---------------------------------------------------------------------- a life */

static bool over(const struct sim *s) {
    return s->clean_said && s->now_ns > s->clean_ns + SIM_LATE_NS + SIM_VISIBLE_NS + 10 * NS_PER_S;
}

static void plan_faults(struct sim *s) {
    sim_plan(s, s->heal_ns, SIM_HEAL);
    for (int i = 0; i < SIM_CRASHES_MAX; i++)
        if (s->faults.crash_ns[i] != RUN_NEVER)
            sim_plan(s, s->faults.crash_ns[i], SIM_CRASH);
    for (uint32_t i = 0; i < 3; i++)
        if (s->faults.stop_ns[i] != RUN_NEVER)
            sim_plan(s, s->faults.stop_ns[i], SIM_STOP)->number = i + 1;
    if (s->faults.journal_breaks_ns != RUN_NEVER)
        sim_plan(s, s->faults.journal_breaks_ns, SIM_JOURNAL_BREAKS);
}

static void sim_deinit(struct sim *s) {
    struct heap_item place;
    while (heap_take(&s->queue, &place))
        item_release(&s->items[place.value]);
    heap_deinit(&s->queue);
    mem_free(s->items);
    run_free(s->run);
    run_actions_free(s->act);
    cloud_free(s->cloud);
    arena_deinit(&s->arena);
    buf_deinit(&s->journal);
    buf_deinit(&s->pending);
}

void sim_live(uint64_t seed, bool trace, struct sim_result *ret_result) {
    struct sim *s = mem_new(sizeof *s);
    struct cloud_options *options = mem_new(sizeof *options);
    s->seed = seed;
    s->trace = trace;
    s->item_free = RUN_NONE;
    s->link_next = 1;
    s->now_ns = NS_PER_S;
    s->trace_hash = UINT64_C(14695981039346656037);
    prng_init(&s->prng, seed);
    heap_init(&s->queue, QUEUE_MAX);
    buf_init(&s->journal, 16 * MIB);
    buf_init(&s->pending, MIB);
    sim_draw(s, options);
    size_t rules = options->capacity_count;
    options->capacity_count = 0; /* others were here before capacity got short */
    s->cloud = cloud_new(options);
    sim_api_plant_foreign(s);
    cloud_capacity_set(s->cloud, options->capacity, rules);
    plan_faults(s);
    sim_head_start(s);
    while (!over(s)) {
        if (s->steps >= SIM_STEPS_MAX)
            sim_fail(s, "%u steps and no end: something spins", SIM_STEPS_MAX);
        if (s->now_ns > s->heal_ns + SIM_HEAL_BUDGET_NS)
            sim_fail(s, "no end within %llu s of healing",
                     (unsigned long long)(SIM_HEAL_BUDGET_NS / NS_PER_S));
        step(s);
    }
    remember(s, cloud_hash(s->cloud));
    ret_result->trace_hash = s->trace_hash;
    ret_result->steps = s->steps;
    ret_result->virtual_ns = s->now_ns;
    memcpy(ret_result->probes, s->probes, sizeof s->probes);
    sim_deinit(s);
    mem_free(options);
    mem_free(s);
}
