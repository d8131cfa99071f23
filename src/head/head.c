#include "head/state.h"

#include "base/log.h"
#include "base/units.h"
#include "core/cost.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/random.h"
#include "store/runs.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdarg.h>
#include <unistd.h>

#define AGENT_BYTES_MAX (64 * MIB)
#define BEAT_NS (100 * NS_PER_MS) /* pings, seconds, live view */
#define RECORDS_MAX 256           /* of one step */

int64_t head_unix_ms(const struct head *h) {
    (void)h;
    return clock_wall_unix_ms();
}

void head_note(struct head *h, const char *fmt, ...) {
    char text[400];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    struct str all = buf_str(&h->notes);
    if (h->note_count < 32 && !str_contains(all, str_from(text))) {
        buf_add(&h->notes, text, strlen(text) + 1);
        h->note_count++;
        struct story_event e;
        tell_start(&e, h, STORY_NOTE);
        story_text(&e, "%s", text);
        tell(h, &e);
    }
}

void head_node_name(const struct head *h, uint32_t node, char *into, size_t size) {
    const struct run_node *n = &h->run->nodes[node];
    if (n->slot == RUN_NONE || !h->plan) {
        snprintf(into, size, "%s", n->id);
        return;
    }
    const struct run_slot *s = &h->run->slots[n->slot];
    snprintf(into, size, "%.*s:%" PRIu32, STR_ARG(h->plan->roles[s->role].name), s->number);
}

/* Wall-clock times of a node's life, taken over from the core's instants as they appear. */
static void learn_node(struct head *h, uint32_t node) {
    const struct run_node *r = &h->run->nodes[node];
    struct head_node *n = &h->nodes[node];
    int64_t now = head_unix_ms(h);
    if (!n->launched_unix_ms) {
        n->launched_unix_ms = now;
        n->link_id = RUN_NONE;
    }
    if (!n->running_unix_ms && r->running_ns != RUN_NEVER)
        n->running_unix_ms = now;
    if (!n->ready_unix_ms && r->ready_ns != RUN_NEVER)
        n->ready_unix_ms = now;
    if (!n->ended_unix_ms && r->doomed_ns != RUN_NEVER)
        n->ended_unix_ms = now;
    if (!n->gone_unix_ms && r->gone_ns != RUN_NEVER)
        n->gone_unix_ms = now;
}

void head_learn_nodes(struct head *h) {
    for (uint32_t i = 0; i < h->run->node_count; i++)
        learn_node(h, i);
}

/* ---- feeding and performing ---- */

static void *copy_list(const void *from, size_t count, size_t size) {
    if (!count)
        return NULL;
    void *own = mem_new_array(count, size);
    memcpy(own, from, count * size);
    return own;
}

/* Keep an event, and what it points to, until the actions under way are performed. */
static void queue_event(struct head *h, const struct run_event *event) {
    if (h->queue_count == h->queue_capacity) {
        h->queue_capacity = MAX(h->queue_capacity * 2, 16u);
        h->queue = mem_resize(h->queue, h->queue_capacity * sizeof *h->queue);
    }
    struct head_queued *q = &h->queue[h->queue_count++];
    *q = (struct head_queued){.event = *event};
    if (event->kind == RUN_EV_LAUNCH_REPLY) {
        q->own_list =
            copy_list(event->launch.seen, event->launch.seen_count, sizeof *event->launch.seen);
        q->own_second = copy_list(event->launch.errors, event->launch.error_count,
                                  sizeof *event->launch.errors);
        q->event.launch.seen = q->own_list;
        q->event.launch.errors = q->own_second;
    } else if (event->kind == RUN_EV_LISTED) {
        q->own_list =
            copy_list(event->listed.seen, event->listed.seen_count, sizeof *event->listed.seen);
        q->event.listed.seen = q->own_list;
    } else if (event->kind == RUN_EV_TERMINATED) {
        q->own_list = copy_list(event->terminated.ok, event->terminated.ok_count,
                                sizeof *event->terminated.ok);
        q->own_second = copy_list(event->terminated.failed, event->terminated.failed_count,
                                  sizeof *event->terminated.failed);
        q->event.terminated.ok = q->own_list;
        q->event.terminated.failed = q->own_second;
    }
}

/* Write up to RECORDS_MAX records of this step from action *at on, in one transaction.  Returns
 * how many, or a negative error. */
static int write_records(struct head *h, uint32_t *at, uint64_t *ret_last, struct err *err) {
    static uint8_t bytes[RECORDS_MAX][RUN_RECORD_BYTES_MAX];
    struct str records[RECORDS_MAX];
    int count = 0;
    for (; *at < h->actions->count && count < RECORDS_MAX; (*at)++) {
        const struct run_action *a = &h->actions->items[*at];
        if (a->kind != RUN_ACT_JOURNAL)
            continue;
        size_t size = run_record_encode(&a->record, bytes[count]);
        records[count] = (struct str){(const char *)bytes[count], size};
        count++;
        *ret_last = a->record.sequence;
    }
    if (count == 0)
        return 0;
    if (!h->journal)
        return err_set(err, ERR_IO, "there is no journal");
    TRY(journal_append(h->journal, records, (size_t)count, err));
    return count;
}

/* Write this step's records; the answer is one event. */
static void perform_journal(struct head *h) {
    struct err err = {0};
    struct run_event event = {.kind = RUN_EV_JOURNALLED};
    uint32_t at = 0;
    int wrote, all = 0;
    while ((wrote = write_records(h, &at, &event.sequence, &err)) > 0)
        all += wrote;
    if (wrote == 0 && all == 0)
        return;
    if (wrote < 0) {
        log_event(LOG_ERROR, "journal", "why=%s", err.text);
        event = (struct run_event){.kind = RUN_EV_JOURNAL_FAILED};
    }
    head_feed(h, &event);
}

static void phase_started(struct head *h, const struct run_action *a) {
    uint32_t phase = a->phase.phase;
    struct head_phase *p = &h->phases[phase];
    uint64_t now = clock_monotonic_ns();
    p->begun = true;
    p->start_ns = a->phase.at_ns;
    p->start_unix_ms = head_unix_ms(h) + ((int64_t)a->phase.at_ns - (int64_t)now) / 1000000;
    p->nodes = a->count;
    measure_begin(h->measure, phase, p->start_ns, p->start_unix_ms, a->count);
}

static void perform_finish(struct head *h, uint32_t exits) {
    h->exits = exits;
    h->finished = true;
    loop_stop(h->loop);
}

static void perform(struct head *h, const struct run_action *a) {
    const uint32_t *refs = h->actions->refs + a->first;
    switch (a->kind) {
    case RUN_ACT_JOURNAL:
        return; /* all of them were written before */
    case RUN_ACT_PREPARE:
        fleet_prepare(h, a->call);
        return;
    case RUN_ACT_LAUNCH:
        fleet_launch(h, a);
        return;
    case RUN_ACT_LIST:
        fleet_list(h, a->call);
        return;
    case RUN_ACT_TERMINATE:
        fleet_terminate(h, a->call, refs, a->count);
        return;
    case RUN_ACT_DELETE_RESOURCES:
        fleet_delete_resources(h, a->call);
        return;
    case RUN_ACT_CONSOLE:
        fleet_console(h, a->node);
        return;
    case RUN_ACT_ADMIT:
        agents_admit(h, a->link.link, a->node);
        return;
    case RUN_ACT_REFUSE:
        agents_refuse(h, a->link.link, a->link.why, a->link.power_off);
        return;
    case RUN_ACT_DROP:
        agents_drop(h, a->link.link);
        return;
    case RUN_ACT_SETUP:
        orders_setup(h, refs, a->count);
        return;
    case RUN_ACT_SERVICE:
        orders_service(h, refs, a->count);
        return;
    case RUN_ACT_PHASE_PREPARE:
        orders_phase_prepare(h, a->phase.phase, refs, a->count);
        return;
    case RUN_ACT_PHASE_START:
        phase_started(h, a);
        orders_phase_start(h, a->phase.phase, refs, a->count, a->phase.at_ns);
        return;
    case RUN_ACT_PHASE_STOP:
        orders_phase_stop(h, a->phase.phase, refs, a->count);
        return;
    case RUN_ACT_COLLECT:
        orders_collect(h, refs, a->count);
        return;
    case RUN_ACT_RELEASE:
        orders_release(h, refs, a->count);
        return;
    case RUN_ACT_SAY:
        tell_note(h, &a->note);
        return;
    case RUN_ACT_TIMER:
        if (a->at_ns == RUN_NEVER)
            loop_timer_clear(h->timer);
        else
            loop_timer_set(h->timer, a->at_ns);
        return;
    case RUN_ACT_FINISH:
        perform_finish(h, a->exits);
        return;
    case RUN_ACT_KIND_COUNT:
        return;
    }
}

static void step(struct head *h, const struct run_event *event) {
    struct run_event now = *event;
    now.now_ns = MAX(clock_monotonic_ns(), h->run->now_ns);
    run_step(h->run, &now, h->actions);
    head_learn_nodes(h);
    perform_journal(h);
    for (uint32_t i = 0; i < h->actions->count; i++)
        perform(h, &h->actions->items[i]);
}

void head_feed(struct head *h, const struct run_event *event) {
    if (h->finished || !h->run)
        return;
    if (h->performing) {
        queue_event(h, event);
        return;
    }
    h->performing = true;
    step(h, event);
    for (uint32_t i = 0; i < h->queue_count; i++) {
        struct head_queued q = h->queue[i];
        if (!h->finished)
            step(h, &q.event);
        mem_free(q.own_list);
        mem_free(q.own_second);
    }
    h->queue_count = 0;
    h->performing = false;
}

static void on_timer(void *arg) {
    struct run_event event = {.kind = RUN_EV_TICK};
    head_feed(arg, &event);
}

static uint32_t mean_cpu_percent(const struct head *h) {
    uint64_t sum = 0, count = 0;
    for (uint32_t i = 0; i < h->run->node_count; i++)
        if (h->run->nodes[i].part == RUN_PART_STARTED && h->nodes[i].has_cpu) {
            sum += h->nodes[i].cpu_ppm;
            count++;
        }
    return count ? (uint32_t)(sum / count / 10000) : 0;
}

static void on_beat(void *arg) {
    struct head *h = arg;
    uint64_t now = loop_now_ns(h->loop);
    loop_timer_after(h->second_timer, BEAT_NS);
    if (h->plan) {
        agents_tick(h, now);
        struct run_tally all = run_tally(h->run, RUN_NONE);
        struct measure_context context = {
            .now_ns = now,
            .nodes_ready = all.joined,
            .cpu_percent = mean_cpu_percent(h),
            .spent_usd_micro = (int64_t)run_cost_usd_micro(h->run, now),
        };
        if (h->run->phase_running) {
            h->last_context = context;
        } else { /* its last second becomes final when the nodes are already leaving */
            context.nodes_ready = h->last_context.nodes_ready;
            context.cpu_percent = h->last_context.cpu_percent;
        }
        if (measure_tick(h->measure, &context) >= 0) {
            struct run_event event = {.kind = RUN_EV_ABORT};
            head_feed(h, &event);
        }
    }
    if (h->plan && h->run->phase_running)
        tell_progress(h);
    view_update(h);
}

void head_stop(struct head *h, unsigned level, bool by_signal) {
    h->stop_level = MAX(h->stop_level, MIN(level, 3u));
    if (!h->run) {
        h->stopped_early = true;
        return;
    }
    struct run_event event = {.kind = RUN_EV_USER_STOP, .by_signal = by_signal};
    event.level = h->stop_level;
    head_feed(h, &event);
}

void head_refresh(struct head *h) {
    if (h->run)
        view_update(h);
}

/* ---- life ---- */

/* From /etc/passwd itself: getpwuid() loads libraries into the running program. */
static void set_owner(struct head *h) {
    char host[32] = "host", user[32];
    FILE *file = fopen("/etc/passwd", "re");
    const struct passwd *entry;
    snprintf(user, sizeof user, "uid-%u", (unsigned)geteuid());
    while (file && (entry = fgetpwent(file)))
        if (entry->pw_uid == geteuid()) {
            snprintf(user, sizeof user, "%s", entry->pw_name);
            break;
        }
    if (file)
        fclose(file);
    ignore(gethostname(host, sizeof host - 1) < 0); /* "host" will do */
    snprintf(h->owner, sizeof h->owner, "%.24s@%.31s", user, host);
}

static int make_dirs(struct head *h, struct err *err) {
    do {
        random_id(h->id, sizeof h->id);
        snprintf(h->run_dir, sizeof h->run_dir, "%s/%s", h->o.state_dir, h->id);
    } while (file_exists(h->run_dir));
    TRY(file_make_dirs(h->run_dir, 0700, err));
    snprintf(h->results_dir, sizeof h->results_dir, "%s/%.*s-%s", h->o.out_dir,
             STR_ARG(h->plan->name), h->id);
    return 0;
}

static struct head *new_head(struct loop *loop, int zone_offset_s, struct head_observer observer) {
    struct head *h = mem_new(sizeof *h);
    h->o.loop = loop;
    h->o.zone_offset_s = zone_offset_s;
    h->o.observer = observer;
    h->loop = loop;
    h->events_fd = -1;
    buf_init(&h->notes, 64 * KIB);
    buf_init(&h->agent_bytes, AGENT_BYTES_MAX);
    table_init(&h->links);
    live_init(&h->view);
    h->start_unix_ms = head_unix_ms(h);
    h->start_ns = clock_monotonic_ns();
    h->seed = random_u64();
    set_owner(h);
    return h;
}

static int open_events(struct head *h, struct err *err) {
    char path[600];
    snprintf(path, sizeof path, "%s/events.ndjson", h->run_dir);
    h->events_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (h->events_fd < 0)
        return err_set(err, ERR_IO, "%s cannot be written", path);
    snprintf(path, sizeof path, "%s/debug.log", h->run_dir);
    int log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log >= 0)
        log_to(log, LOG_INFO);
    return 0;
}

int head_new(const struct head_options *options, struct head **ret_head, struct err *err) {
    CLEANUP(head_freep)
    struct head *h = new_head(options->loop, options->zone_offset_s, options->observer);
    h->o = *options;
    h->plan = options->plan;
    h->deadline_unix_ms = h->start_unix_ms + (int64_t)(h->plan->fleet.ttl_ns / 1000000);
    ignore(!str_copy(h->region, sizeof h->region, options->aws->region)); /* names are short */
    h->phases = mem_new_array(MAX(h->plan->phase_count, 1u), sizeof *h->phases);
    TRY(make_dirs(h, err));
    TRY(open_events(h, err));
    *ret_head = take(h);
    return 0;
}

void head_free(struct head *own_head) {
    if (!own_head)
        return;
    struct head *h = own_head;
    if (h->run)
        agents_close(h);
    aws_client_free(h->aws);
    fleet_close(h);
    loop_timer_free(h->timer);
    loop_timer_free(h->second_timer);
    measure_free(h->measure);
    run_actions_free(h->actions);
    run_free(h->run);
    journal_close(h->journal);
    for (uint32_t i = 0; i < h->event_count; i++)
        mem_free(h->events[i]);
    mem_free(h->events);
    mem_free(h->queue);
    mem_free(h->nodes);
    mem_free(h->phases);
    buf_deinit(&h->notes);
    buf_deinit(&h->agent_bytes);
    arena_deinit(&h->arena);
    if (h->events_fd >= 0)
        close(h->events_fd);
    mem_free(h);
}

static int write_info(struct head *h, const struct head_outcome *outcome, struct err *err) {
    struct runs_info info = {
        .pid = (int)getpid(),
        .started_unix_ms = h->start_unix_ms,
        .deadline_unix_ms = h->deadline_unix_ms,
        .clean = h->clean,
        .nodes = plan_nodes_wanted(h->plan),
    };
    memcpy(info.id, h->id, sizeof h->id);
    ignore(!str_copy(info.name, sizeof info.name, h->plan->name)); /* at most 40 bytes */
    memcpy(info.owner, h->owner, sizeof h->owner);
    ignore(!str_copy(info.region, sizeof info.region, str_from(h->region)));
    ignore(!str_copy(info.account, sizeof info.account, str_from(h->account)));
    ignore(!str_copy(info.profile, sizeof info.profile, h->o.aws->profile));
    ignore(!str_copy(info.endpoint_url, sizeof info.endpoint_url, h->o.aws->endpoint_url[AWS_EC2]));
    if (h->o.cloud)
        ignore(!str_copy(info.cloud, sizeof info.cloud, str_from(h->o.cloud->path)));
    char *absolute = realpath(h->results_dir, NULL);
    ignore(!str_copy(info.results, sizeof info.results,
                     str_from(absolute ? absolute : h->results_dir)));
    free(absolute);
    strncpy(info.state, outcome ? "ended" : "running", sizeof info.state - 1);
    if (outcome) {
        info.exit_code = outcome->exit_code;
        info.ended_unix_ms = h->end_unix_ms;
    }
    for (uint32_t r = 0; r < h->plan->role_count; r++) {
        const struct head_pool *p = &h->roles[r].pools[0];
        info.usd_micro_per_hour +=
            h->plan->roles[r].count * (p->spot_usd_micro_per_hour ? p->spot_usd_micro_per_hour
                                                                  : p->demand_usd_micro_per_hour);
    }
    return runs_write(h->run_dir, &info, err);
}

static int read_agent(struct head *h, struct err *err) {
    char path[512];
    uint8_t hash[FILE_SHA256_SIZE];
    file_self_path(path, sizeof path);
    TRY(file_read(path, &h->agent_bytes, err));
    file_sha256_bytes(buf_str(&h->agent_bytes), hash);
    file_hex(hash, sizeof hash, h->agent_sha256);
    return 0;
}

static int make_run(struct head *h, const struct run_config *config) {
    h->run = run_new(config);
    h->actions = run_actions_new(h->run);
    h->nodes = mem_new_array(h->run->node_max, sizeof *h->nodes);
    h->timer = loop_timer_new(h->loop, on_timer, h);
    h->second_timer = loop_timer_new(h->loop, on_beat, h);
    return 0;
}

/* Said before the first call goes out. */
static void tell_config(struct head *h) {
    struct story_event e;
    const struct plan *p = h->plan;
    const char *slash = strrchr(p->file.ptr, '/');
    tell_start(&e, h, STORY_CONFIG);
    story_text(&e, "%s ok: %u role%s, %u phase%s, %u threshold%s; run %s",
               slash ? slash + 1 : p->file.ptr, p->role_count, p->role_count == 1 ? "" : "s",
               p->phase_count, p->phase_count == 1 ? "" : "s", p->threshold_count,
               p->threshold_count == 1 ? "" : "s", h->id);
    story_verb(&e, "ok");
    story_add_text(&e, "file", p->file);
    story_add_text(&e, "region", str_from(h->region));
    story_add_bool(&e, "rehearsal", h->o.cloud != NULL);
    tell(h, &e);
}

static int open_all(struct head *h, struct err *err) {
    tell_config(h);
    struct aws_client_options options = {.seed = h->seed};
    TRY(aws_client_new(h->loop, h->o.aws, &options, &h->aws, err));
    TRY(setup_preflight(h, err));
    TRY(read_agent(h, err));
    TRY(journal_open(h->run_dir, &h->journal, err));
    CLEANUP(arena_deinit) struct arena arena = {0};
    struct run_config config;
    setup_run_config(h, &config, &arena);
    TRY(make_run(h, &config));
    h->measure = measure_new(h->plan, h->run->node_max);
    TRY(agents_open(h, err));
    TRY(file_make_dirs(h->results_dir, 0755, err));
    return write_info(h, NULL, err);
}

static void drive(struct head *h) {
    struct run_event start = {.kind = RUN_EV_START};
    head_feed(h, &start);
    loop_timer_after(h->second_timer, BEAT_NS);
    if (h->stopped_early)
        head_stop(h, h->stop_level, false);
    while (!h->finished)
        loop_run(h->loop);
    loop_timer_clear(h->second_timer);
}

int head_run(struct head *h, struct head_outcome *ret_outcome, struct err *err) {
    memcpy(ret_outcome->run, h->id, sizeof h->id);
    int result = open_all(h, err);
    if (result < 0 || h->stopped_early) {
        ignore(file_remove_tree(h->run_dir, NULL) < 0); /* nothing was begun: leave no trace */
        return result < 0 ? result : err_set(err, ERR_INTERRUPTED, "stopped before the launch");
    }
    drive(h);
    h->end_unix_ms = head_unix_ms(h);
    outcome_write(h, ret_outcome);
    struct err ignored = {0};
    if (write_info(h, ret_outcome, &ignored) < 0)
        log_event(LOG_ERROR, "head.json", "why=%s", ignored.text);
    return 0;
}

/* ---- what it would cost ---- */

static void preview_role(const struct head *h, uint32_t r, struct head_preview *p) {
    const struct plan_role *plan = &h->plan->roles[r];
    const struct head_role *role = &h->roles[r];
    const struct head_pool *first = &role->pools[0];
    struct head_preview_role *to = &p->roles[r];
    *to = (struct head_preview_role){.count = plan->count,
                                     .spare = plan->spare,
                                     .pools = role->pool_count,
                                     .spot = plan->market != PLAN_ON_DEMAND,
                                     .on_demand_usd_micro_per_hour =
                                         first->demand_usd_micro_per_hour};
    to->usd_micro_per_hour = to->spot && first->spot_usd_micro_per_hour
                                 ? first->spot_usd_micro_per_hour
                                 : first->demand_usd_micro_per_hour;
    ignore(!str_copy(to->name, sizeof to->name, plan->name)); /* at most 40 bytes */
    ignore(!str_copy(to->type, sizeof to->type, first->type));
    ignore(!str_copy(to->zone, sizeof to->zone, first->zone));
    struct str before = first->type;
    size_t used = 0;
    for (uint32_t i = 1; i < role->pool_count && used < sizeof to->others; i++) {
        if (!str_equal(role->pools[i].type, before))
            used += (size_t)snprintf(to->others + used, sizeof to->others - used, "%s%.*s",
                                     used ? " " : "", STR_ARG(role->pools[i].type));
        before = role->pools[i].type;
    }
    uint32_t nodes = plan->count + plan->spare;
    p->expected_usd_micro +=
        cost_worst_usd_micro(nodes, h->plan->planned_ns, to->usd_micro_per_hour);
    p->worst_usd_micro +=
        cost_worst_usd_micro(nodes, h->plan->fleet.ttl_ns, to->on_demand_usd_micro_per_hour);
}

int head_preview(const struct head_options *options, struct head_preview *ret_preview,
                 struct err *err) {
    CLEANUP(head_freep)
    struct head *h = new_head(options->loop, options->zone_offset_s, (struct head_observer){0});
    h->o = *options;
    h->o.observer = (struct head_observer){0};
    h->plan = options->plan;
    ignore(!str_copy(h->region, sizeof h->region, options->aws->region)); /* names are short */
    struct aws_client_options client = {.seed = h->seed};
    TRY(aws_client_new(h->loop, options->aws, &client, &h->aws, err));
    TRY(setup_preflight(h, err));
    *ret_preview = (struct head_preview){.role_count = h->plan->role_count};
    memcpy(ret_preview->account, h->account, sizeof h->account);
    memcpy(ret_preview->region, h->region, sizeof h->region);
    for (uint32_t r = 0; r < h->plan->role_count; r++)
        preview_role(h, r, ret_preview);
    return 0;
}

/* ---- teardown of what another head left ---- */

static int check_record(struct str bytes, void *user, struct err *err) {
    struct run_record record;
    size_t used;
    (void)user;
    return run_record_decode((const uint8_t *)bytes.ptr, bytes.len, &record, &used, err);
}

static int replay(struct str bytes, void *user, struct err *err) {
    struct head *h = user;
    struct run_record record;
    size_t used;
    TRY(run_record_decode((const uint8_t *)bytes.ptr, bytes.len, &record, &used, err));
    run_replay(h->run, &record);
    return 0;
}

/* Open what the dead head wrote.  Ending needs no journal: one that is missing, damaged or cannot
 * be opened is left out, the tags are enough.  ERR_REFUSED: its head is alive. */
static int open_journal(struct head *h, struct err *err) {
    if (!file_exists(h->run_dir))
        return 0;
    struct err why = {0};
    int result = journal_open(h->run_dir, &h->journal, &why);
    if (result == -ERR_REFUSED)
        return err_set(err, ERR_REFUSED, "%s", why.text);
    if (result == 0)
        result = journal_each(h->journal, check_record, NULL, &why);
    if (result == 0 && journal_count(h->journal) > 0)
        return 0;
    if (result < 0)
        log_event(LOG_ERROR, "journal", "run=%s why=%s", h->id, why.text);
    journal_close(h->journal);
    h->journal = NULL;
    return 0;
}

/* Without a record of the launches one of them may still take effect: then the two proving sweeps
 * lie as far apart as the latest of such effects. */
static void teardown_config(const struct head *h, bool rehearsal, struct run_config *c) {
    run_config_init(c);
    c->mode = RUN_MODE_TEARDOWN;
    memcpy(c->id, h->id, sizeof h->id);
    c->settles_by_resend = false;
    if (rehearsal)
        setup_rehearsal_times(c);
    if (h->journal)
        return;
    c->sweep_ns = MAX(c->sweep_ns, c->late_ns + c->visible_ns);
    c->teardown_timeout_ns += c->sweep_ns;
}

static void say_wait(struct head *h) {
    CLEANUP(buf_deinit) struct buf wait = BUF_INIT(40);
    units_add_clock(&wait, h->run->config.sweep_ns);
    head_note(h,
              "no journal of run %s here: going by its tags. A launch may still take effect, so "
              "the proof needs %s between two empty listings",
              h->id, buf_text(&wait));
}

int head_teardown(const struct head_teardown_options *o, int *ret_exit_code, struct err *err) {
    CLEANUP(head_freep) struct head *h = new_head(o->loop, o->zone_offset_s, o->observer);
    h->o.aws = o->aws;
    if (!runs_id_ok(str_from(o->run)))
        return err_set(err, ERR_USAGE, "not the id of a run: '%s'", o->run);
    ignore(!str_copy(h->owner, sizeof h->owner, str_from(o->owner ? o->owner : ""))); /* fits */
    memcpy(h->id, o->run, strlen(o->run) + 1);
    snprintf(h->run_dir, sizeof h->run_dir, "%s/%s", o->state_dir, o->run);
    struct aws_client_options options = {.seed = h->seed};
    TRY(aws_client_new(h->loop, o->aws, &options, &h->aws, err));
    TRY(open_journal(h, err));
    struct run_config config;
    teardown_config(h, o->rehearsal, &config);
    TRY(make_run(h, &config));
    if (h->journal)
        TRY(journal_each(h->journal, replay, h, err));
    else
        say_wait(h);
    drive(h);
    *ret_exit_code = outcome_exit_code(h->exits);
    return 0;
}
