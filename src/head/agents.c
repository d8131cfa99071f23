#include "head/state.h"

#include "base/log.h"
#include "os/clock.h"
#include "os/random.h"
#include "report/width.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdarg.h>

#define FRAME_ARENA_BYTES (4 * MIB)
#define PINGS_AT_FIRST 8 /* quickly, for a good clock before the first phase */
#define PING_FAST_NS (40 * NS_PER_MS)
#define PING_SLOW_NS (5 * NS_PER_S)
#define LEASE_NS (600 * NS_PER_S)            /* T_lease: without contact for so long a node ends */
#define LEASH_NS (30 * NS_PER_S)             /* traffic stops without contact */
#define HEARTBEATS_PER_S 1250                /* of the whole fleet, at most */
#define MEMORY_BYTES_MAX (UINT64_C(1) << 50) /* more is no machine */
#define CPUS_MAX 65536u
#define START_EARLY_NS NS_PER_S /* no order is older before its start instant */

static struct head_link *find_link(const struct head *h, uint32_t id) {
    char key[16];
    snprintf(key, sizeof key, "%" PRIu32, id);
    return table_find(&h->links, str_from(key));
}

static void forget_link(struct head *h, struct head_link *l) {
    char key[16];
    snprintf(key, sizeof key, "%" PRIu32, l->id);
    ignore(table_remove(&h->links, str_from(key)) == NULL); /* it is there: we made the key */
    mem_free(l);
}

static int send_message(struct link *link, const struct wire_message *message) {
    CLEANUP(buf_deinit) struct buf bytes = BUF_INIT(FRAME_BYTES_MAX);
    struct err err = {0};
    if (wire_encode(message, &bytes, &err) < 0 || link_send(link, buf_str(&bytes), &err) < 0) {
        log_event(LOG_WARN, "send", "type=%s why=%s", wire_type_name(message->type), err.text);
        return -1;
    }
    return 0;
}

/* Orders arrive without gaps or not at all: a link that does not take one is closed, and the node
 * joins again and says what it has heard. */
static void send_order(struct link *link, const struct head_order *order) {
    struct err err = {0};
    if (link_send(link, (struct str){order->own_bytes, order->size}, &err) == 0)
        return;
    log_event(LOG_WARN, "order.unsent", "seq=%" PRIu64 " why=%s", order->seq, err.text);
    link_close(link);
}

void agents_order(struct head *h, uint32_t node, struct wire_message *message) {
    struct head_node *n = &h->nodes[node];
    CLEANUP(buf_deinit) struct buf bytes = BUF_INIT(FRAME_BYTES_MAX);
    struct err err = {0};
    message->seq = n->sent_seq + 1;
    if (wire_encode(message, &bytes, &err) < 0) {
        log_event(LOG_ERROR, "order", "node=%u type=%s why=%s", node, wire_type_name(message->type),
                  err.text);
        return; /* the stage's deadline names the node */
    }
    n->sent_seq++;
    if (n->order_count == n->order_capacity) {
        n->order_capacity = MAX(n->order_capacity * 2, 8u);
        n->orders = mem_resize(n->orders, n->order_capacity * sizeof *n->orders);
    }
    size_t size = bytes.len;
    struct head_order *order = &n->orders[n->order_count++];
    *order =
        (struct head_order){.seq = message->seq, .own_bytes = buf_detach(&bytes), .size = size};
    if (n->link)
        send_order(n->link, order);
}

static void ping(struct head_node *n, uint64_t now_ns) {
    struct wire_message m = {.type = WIRE_PING, .ping = {.head_sent_ns = clock_monotonic_ns()}};
    ignore(send_message(n->link, &m) < 0); /* the next one may get through */
    n->pings++;
    n->ping_due_ns = now_ns + (n->pings < PINGS_AT_FIRST ? PING_FAST_NS : PING_SLOW_NS);
}

static uint64_t heartbeat_ns(const struct head *h) {
    uint64_t nodes = plan_nodes_wanted(h->plan);
    return MAX(NS_PER_S, nodes * NS_PER_S / HEARTBEATS_PER_S);
}

static void keep_facts(struct head_node *n, const struct head_link *l) {
    memcpy(n->kernel, l->facts.kernel, sizeof n->kernel);
    memcpy(n->arch, l->facts.arch, sizeof n->arch);
    n->cpus = l->facts.cpus;
    n->memory_bytes = l->facts.memory_bytes;
}

void agents_admit(struct head *h, uint32_t link, uint32_t node) {
    struct head_link *l = find_link(h, link);
    if (!l)
        return; /* closed since; the core hears of it */
    struct head_node *n = &h->nodes[node];
    const struct run_node *r = &h->run->nodes[node];
    char slot[64];
    head_node_name(h, node, slot, sizeof slot);
    const struct run_slot *s = r->slot == RUN_NONE ? NULL : &h->run->slots[r->slot];
    int64_t cap_ms = h->deadline_unix_ms - head_unix_ms(h);
    struct wire_message welcome = {
        .type = WIRE_WELCOME,
        .welcome = {.slot = str_from(slot),
                    .role = h->plan->roles[r->role].name,
                    .index = s ? s->number + 1 : 0,
                    .lease_ns = LEASE_NS,
                    .leash_ns = LEASH_NS,
                    .cap_left_ns = cap_ms > 0 ? (uint64_t)cap_ms * NS_PER_MS : NS_PER_S,
                    .heartbeat_ns = heartbeat_ns(h),
                    .acked_seq = n->heard_seq},
    };
    l->node = node;
    n->link = l->link;
    n->link_id = link;
    n->heard_ns = loop_now_ns(h->loop);
    if (!n->joined_unix_ms)
        n->joined_unix_ms = head_unix_ms(h);
    keep_facts(n, l);
    link_accept(l->link);
    ignore(send_message(l->link, &welcome) < 0); /* a dead link is closed, and joins again */
    ping(n, n->heard_ns); /* before any order: a start instant is never sent by an unknown clock */
    for (uint32_t i = 0; i < n->order_count; i++)
        if (n->orders[i].seq > l->join_heard_seq)
            send_order(l->link, &n->orders[i]);
}

void agents_refuse(struct head *h, uint32_t link, enum run_why why, bool power_off) {
    struct head_link *l = find_link(h, link);
    if (!l)
        return;
    struct wire_message refuse = {
        .type = WIRE_REFUSE,
        .refuse = {.why = str_from(run_why_word(why)), .power_off = power_off},
    };
    ignore(send_message(l->link, &refuse) < 0); /* it is closed anyway */
    link_close(l->link);
}

void agents_drop(struct head *h, uint32_t link) {
    struct head_link *l = find_link(h, link);
    if (!l)
        return;
    if (l->node != RUN_NONE && h->nodes[l->node].link_id == link) {
        h->nodes[l->node].link = NULL;
        h->nodes[l->node].link_id = RUN_NONE;
    }
    l->node = RUN_NONE;
    link_close(l->link);
}

/* ---- what comes in ---- */

static void copy_text(char *into, size_t size, struct str text) {
    ignore(!str_copy(into, size, text)); /* cut: only for people */
}

static bool token_matches(const struct head *h, struct str token) {
    size_t len = strlen(h->token);
    unsigned char different = token.len != len;
    for (size_t i = 0; i < MIN(token.len, len); i++)
        different |= (unsigned char)(token.ptr[i] ^ h->token[i]);
    return !different;
}

static void on_join(struct head *h, struct head_link *l, const struct wire_join *join) {
    bool ours = token_matches(h, join->token) && str_equal(join->run, str_from(h->id)) &&
                join->protocol == WIRE_PROTOCOL && join->instance_id.len < INSTANCE_ID_BYTES;
    if (!ours || l->joined) {
        log_event(LOG_WARN, "join.refused", "from=%s", link_peer_address(l->link));
        agents_refuse(h, l->id, RUN_WHY_STRANGER, false);
        return;
    }
    l->joined = true;
    l->join_heard_seq = join->heard_seq;
    copy_text(l->facts.kernel, sizeof l->facts.kernel, join->kernel);
    copy_text(l->facts.arch, sizeof l->facts.arch, join->arch);
    copy_text(l->facts.private_ip, sizeof l->facts.private_ip, join->private_ip);
    l->facts.cpus = MIN(join->cpus, CPUS_MAX);
    l->facts.memory_bytes = MIN(join->memory_bytes, MEMORY_BYTES_MAX);
    struct run_event event = {.kind = RUN_EV_JOIN, .join = {.link = l->id}};
    copy_text(event.join.id, sizeof event.join.id, join->instance_id);
    _Static_assert(RUN_KEY_BYTES == LINK_PIN_SIZE, "a key is known by its pin");
    memcpy(event.join.key, link_peer_pin(l->link), RUN_KEY_BYTES);
    struct in_addr address;
    if (inet_pton(AF_INET, link_peer_address(l->link), &address) == 1)
        event.join.source_ip = ntohl(address.s_addr);
    head_feed(h, &event);
}

static void on_heartbeat(struct head *h, uint32_t node, const struct wire_heartbeat *beat) {
    struct head_node *n = &h->nodes[node];
    n->has_cpu = true;
    n->cpu_ppm = MIN(beat->cpu_ppm, 1000000u);
    n->memory_used_max = MAX(n->memory_used_max, MIN(beat->memory_used_bytes, MEMORY_BYTES_MAX));
    if (beat->memory_total_bytes)
        n->memory_bytes = MIN(beat->memory_total_bytes, MEMORY_BYTES_MAX);
    uint32_t phase = h->run->phase;
    if (phase == RUN_NONE || !h->run->phase_running || h->plan->phases[phase].warmup)
        return;
    n->cpu_ppm_sum += n->cpu_ppm;
    n->cpu_samples++;
    n->cpu_ppm_max = MAX(n->cpu_ppm_max, n->cpu_ppm);
    n->steal_ppm_max = MAX(n->steal_ppm_max, MIN(beat->steal_ppm, 1000000u));
}

static void on_pong(struct head *h, uint32_t node, const struct wire_pong *pong,
                    uint64_t received_ns) {
    if (pong->head_sent_ns > received_ns)
        return;
    ignore(!clocksync_add(&h->nodes[node].clock, pong->head_sent_ns, pong->node_received_ns,
                          pong->node_sent_ns, received_ns)); /* a contradiction is no sample */
}

static void node_event(struct head *h, enum run_event_kind kind, uint32_t node, bool ok,
                       int32_t exit) {
    struct run_event event = {.kind = kind, .node = node, .done = {.ok = ok, .exit = exit}};
    head_feed(h, &event);
}

static int32_t exit_of(const struct wire_ending *ending) {
    return ending->signal_number ? -(int32_t)ending->signal_number : ending->status;
}

void agents_note(struct head_node *n, struct str said, const char *fmt, ...) {
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(32 * KIB);
    char prefix[80];
    va_list args;
    va_start(args, fmt);
    vsnprintf(prefix, sizeof prefix, fmt, args);
    va_end(args);
    struct str line = str_trim(said);
    while (str_contains(line, STR("\n")))
        line = str_skip(line, str_index_of(line, '\n') + 1);
    struct str head = str_from(prefix);
    if (line.len == 0 && str_ends_with(head, STR(": ")))
        head.len -= 2; /* nothing was said */
    buf_add_str(&text, head);
    width_add_clean(&text, line, false);
    struct str all = buf_str(&text);
    size_t cut = MIN(all.len, sizeof n->note - 1);
    while (cut > 0 && cut < all.len && ((unsigned char)all.ptr[cut] & 0xc0) == 0x80)
        cut--; /* no half character at the end */
    ignore(!str_copy(n->note, sizeof n->note, str_slice(all, 0, cut))); /* fits */
}

/* Keep the last line of what it said, for the story. */
static void keep_reason(struct head_node *n, const char *what, const struct wire_ending *ending) {
    struct str said = ending->why.len ? ending->why : ending->tail;
    if (ending->timed_out)
        agents_note(n, said, "%s timed out: ", what);
    else if (ending->signal_number)
        agents_note(n, said, "%s ended by signal %u: ", what, ending->signal_number);
    else
        agents_note(n, said, "%s exit %d: ", what, ending->status);
}

/* How a service ended says more than that it did not get ready. */
static void keep_unready(struct head_node *n, struct str why) {
    char ended[sizeof n->note];
    snprintf(ended, sizeof ended, "%s", n->note);
    bool told = str_starts_with(str_from(ended), STR("service "));
    agents_note(n, told ? str_from(ended) : why, "not ready: ");
}

static void on_setup_done(struct head *h, uint32_t node, const struct wire_ending *ending) {
    h->nodes[node].setup_ns = ending->took_ns;
    if (!ending->ok)
        keep_reason(&h->nodes[node], "setup", ending);
    node_event(h, RUN_EV_SETUP_DONE, node, ending->ok, exit_of(ending));
}

static void on_phase_started(struct head *h, uint32_t node, const struct wire_phase_started *s) {
    struct head_node *n = &h->nodes[node];
    uint32_t phase = s->phase - 1;
    if (s->phase == 0 || phase >= h->plan->phase_count)
        return;
    struct head_phase *p = &h->phases[phase];
    uint64_t now = loop_now_ns(h->loop), at = p->start_ns;
    int64_t offset;
    uint64_t error;
    if (!p->begun)
        return; /* nobody was told to start it */
    if (clocksync_offset(&n->clock, now, &offset, &error))
        at = clocksync_ours(&n->clock, now, s->actual_ns);
    /* It started between the order and this message; another instant is a clock that lies. */
    at = MIN(MAX(at, p->start_ns - MIN(p->start_ns, START_EARLY_NS)), MAX(now, p->start_ns));
    p->first_start_ns = p->first_start_ns ? MIN(p->first_start_ns, at) : at;
    p->last_start_ns = MAX(p->last_start_ns, at);
    if (!n->has_skew && p->nodes > 1) {
        n->skew_ns = (int64_t)(at - p->start_ns);
        n->has_skew = true;
    }
    struct run_event event = {.kind = RUN_EV_PHASE_STARTED, .node = node};
    event.started.phase = phase;
    event.started.skew_ns = at > p->start_ns ? at - p->start_ns : p->start_ns - at;
    head_feed(h, &event);
}

static void phase_event(struct head *h, enum run_event_kind kind, uint32_t node, uint32_t number,
                        bool ok, int32_t exit) {
    if (number == 0)
        return;
    struct run_event event = {.kind = kind, .node = node};
    event.done.ok = ok;
    event.done.exit = exit;
    event.done.phase = number - 1;
    head_feed(h, &event);
}

static void on_phase_done(struct head *h, uint32_t node, const struct wire_phase_done *done) {
    if (!done->ending.ok)
        keep_reason(&h->nodes[node], "phase", &done->ending);
    phase_event(h, RUN_EV_PHASE_DONE, node, done->phase, done->ending.ok, exit_of(&done->ending));
}

static void on_sample(struct head *h, uint32_t node, const struct wire_sample *sample) {
    struct err err = {0};
    if (sample->phase == 0 || measure_sample(h->measure, sample->phase - 1, node, sample, &err) < 0)
        log_event(LOG_WARN, "sample", "node=%u why=%s", node, err.text);
}

static void on_notice(struct head *h, uint32_t node, const struct wire_notice *notice) {
    h->nodes[node].interrupted = true;
    struct run_event event = {.kind = RUN_EV_NOTICE, .node = node};
    event.deadline_ns = loop_now_ns(h->loop) + MIN(notice->left_ns, 3600 * NS_PER_S);
    head_feed(h, &event);
}

static void on_result(struct head *h, uint32_t node, const struct wire_message *m) {
    switch (m->type) {
    case WIRE_SETUP_DONE:
        on_setup_done(h, node, &m->setup_done.ending);
        return;
    case WIRE_SERVICE_STATE:
        if (m->service_state.state != WIRE_SERVICE_STARTED && !m->service_state.ending.stopped)
            keep_reason(&h->nodes[node], "service", &m->service_state.ending);
        return;
    case WIRE_READY:
        h->nodes[node].ready_unix_ms = head_unix_ms(h);
        node_event(h, RUN_EV_READY, node, true, 0);
        return;
    case WIRE_NOT_READY:
        keep_unready(&h->nodes[node], m->not_ready.why);
        node_event(h, RUN_EV_NOT_READY, node, false, 0);
        return;
    case WIRE_PHASE_PREPARED:
        if (m->phase_prepared.why.len)
            agents_note(&h->nodes[node], m->phase_prepared.why, "%s", "");
        phase_event(h, RUN_EV_PHASE_PREPARED, node, m->phase_prepared.phase,
                    m->phase_prepared.why.len == 0, 0);
        return;
    case WIRE_PHASE_STARTED:
        on_phase_started(h, node, &m->phase_started);
        return;
    case WIRE_PHASE_DONE:
        on_phase_done(h, node, &m->phase_done);
        return;
    case WIRE_SAMPLE:
        on_sample(h, node, &m->sample);
        return;
    case WIRE_OUTPUT:
        files_output(h, node, &m->output);
        return;
    case WIRE_FILE:
        files_begin(h, node, &m->file);
        return;
    case WIRE_FILE_CHUNK:
        files_chunk(h, node, &m->file_chunk);
        return;
    case WIRE_COLLECT_DONE:
        files_end(h, node);
        if (++h->nodes[node].collects_done >= h->nodes[node].collects_asked)
            node_event(h, RUN_EV_COLLECTED, node, true, 0);
        return;
    case WIRE_NOTICE:
        on_notice(h, node, &m->notice);
        return;
    default:
        return; /* nothing that an agent should say; the codec has checked its form */
    }
}

static void on_node_message(struct head *h, uint32_t node, struct link *link,
                            const struct wire_message *m) {
    struct head_node *n = &h->nodes[node];
    n->heard_ns = loop_now_ns(h->loop);
    if (m->type == WIRE_PONG) {
        on_pong(h, node, &m->pong, link_received_ns(link));
        return;
    }
    if (m->type == WIRE_HEARTBEAT) {
        on_heartbeat(h, node, &m->heartbeat);
        return;
    }
    if (!wire_type_is_numbered(m->type) || m->seq <= n->heard_seq)
        return; /* heard before the link was lost */
    if (m->seq != n->heard_seq + 1) {
        log_event(LOG_WARN, "gap", "node=%u heard=%" PRIu64 " got=%" PRIu64, node, n->heard_seq,
                  m->seq);
        link_close(link);
        return;
    }
    n->heard_seq = m->seq;
    on_result(h, node, m);
}

static void on_frame(void *arg, struct link *link, struct str frame) {
    struct head *h = arg;
    struct head_link *l = link_user(link);
    CLEANUP(arena_deinit) struct arena arena;
    arena_init(&arena, FRAME_ARENA_BYTES);
    struct wire_message message;
    struct err err = {0};
    if (wire_decode(frame, &arena, &message, &err) < 0) {
        log_event(LOG_WARN, "frame", "from=%s why=%s", link_peer_address(link), err.text);
        link_close(link);
        return;
    }
    if (message.type == WIRE_JOIN)
        on_join(h, l, &message.join);
    else if (l->node != RUN_NONE)
        on_node_message(h, l->node, link, &message);
    else if (!l->joined)
        link_close(link); /* speaks before it has joined */
}

static void on_open(void *arg, struct link *link) {
    struct head *h = arg;
    struct head_link *l = mem_new(sizeof *l);
    *l = (struct head_link){
        .id = ++h->link_next, .link = link, .node = RUN_NONE, .asking = RUN_NONE};
    char key[16];
    snprintf(key, sizeof key, "%" PRIu32, l->id);
    must(table_set(&h->links, str_from(key), l) == NULL);
    link_set_user(link, l);
}

static void on_close(void *arg, struct link *link, const struct err *why) {
    struct head *h = arg;
    struct head_link *l = link_user(link);
    if (!l)
        return;
    uint32_t node = l->node, id = l->id;
    log_event(LOG_INFO, "link.closed", "from=%s node=%d why=%s", link_peer_address(link),
              node == RUN_NONE ? -1 : (int)node, why ? why->text : "");
    forget_link(h, l);
    link_set_user(link, NULL);
    if (node == RUN_NONE)
        return;
    if (h->nodes[node].link_id == id) {
        h->nodes[node].link = NULL;
        h->nodes[node].link_id = RUN_NONE;
    }
    struct run_event event = {.kind = RUN_EV_LINK_LOST, .node = node};
    event.link = id;
    head_feed(h, &event);
}

/* ---- the listener and the clock work ---- */

int agents_open(struct head *h, struct err *err) {
    random_hex(h->token, sizeof h->token);
    h->key = link_key_new();
    struct link_server_options options = {
        .address = h->o.listen_address,
        .key = h->key,
        .agent = buf_str(&h->agent_bytes),
        .handler = {.on_open = on_open, .on_frame = on_frame, .on_close = on_close, .arg = h},
    };
    return link_server_new(h->loop, &options, &h->server, err);
}

void agents_close(struct head *h) {
    link_server_free(h->server);
    h->server = NULL;
    link_key_free(h->key);
    h->key = NULL;
    size_t cursor = 0;
    const struct table_entry *entry;
    while ((entry = table_next(&h->links, &cursor)))
        mem_free(entry->value);
    table_deinit(&h->links);
    for (uint32_t i = 0; h->nodes && i < h->run->node_max; i++) {
        files_end(h, i);
        for (uint32_t k = 0; k < h->nodes[i].order_count; k++)
            mem_free(h->nodes[i].orders[k].own_bytes);
        mem_free(h->nodes[i].orders);
    }
}

void agents_tick(struct head *h, uint64_t now_ns) {
    for (uint32_t i = 0; i < h->run->node_count; i++) {
        struct head_node *n = &h->nodes[i];
        if (!n->link)
            continue;
        if (n->ping_due_ns <= now_ns)
            ping(n, now_ns);
        if (n->heard_seq > n->acked_seq) {
            struct wire_message m = {.type = WIRE_ACK, .ack = {.acked_seq = n->heard_seq}};
            if (send_message(n->link, &m) == 0)
                n->acked_seq = n->heard_seq;
        }
    }
}
