/* A real agent against a small head, over real links on loopback, in one loop. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/http.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include "codec/wire.h"
#include "core/hist.h"
#include "load/load.h"
#include "node/agent.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/link.h"

#define PATIENCE_NS (20 * NS_PER_S)
#define TOKEN "join-token"

struct world {
    struct loop *loop;
    char dir[256];
    struct link_key *key;
    struct link_server *server;
    struct link *link;
    struct agent *agent;
    struct evhttp *metadata; /* and the target of the http phase */
    char metadata_url[64];
    uint16_t metadata_port;
    bool notice;
    bool token_expired; /* the next use of a token is refused */
    int tokens, served;
    bool refuse;

    uint64_t order_seq, heard_seq, acked_seq;
    bool ack;
    int joins, welcomes, closed, byes, pongs, heartbeats;
    uint64_t join_heard_seq;
    char instance_id[32];
    int counts[WIRE_TYPE_END]; /* of results, each once */
    int repeats;               /* results heard already: dropped */
    struct wire_ending ending; /* of the last result that has one */
    char why[512];
    uint64_t planned_ns, actual_ns;
    uint64_t planned, sent, done, errors;
    struct hist latency;
    struct buf output, file, skipped;
    char path[256];
    bool hash_is_right;
    uint32_t service_starts;
};

static void path_in(const struct world *w, char *into, size_t size, const char *name) {
    snprintf(into, size, "%s/%s", w->dir, name);
}

/* --- metadata service and target --- */

static void reply(struct evhttp_request *request, int status, const char *text) {
    struct evbuffer *body = evbuffer_new();
    evbuffer_add(body, text, strlen(text));
    evhttp_send_reply(request, status, "x", body);
    evbuffer_free(body);
}

static void on_request(struct evhttp_request *request, void *arg) {
    struct world *w = arg;
    const char *uri = evhttp_request_get_uri(request);
    const char *token =
        evhttp_find_header(evhttp_request_get_input_headers(request), "X-aws-ec2-metadata-token");
    if (strcmp(uri, "/target") == 0) {
        w->served++;
        reply(request, 200, "hello");
        return;
    }
    if (strcmp(uri, "/latest/api/token") == 0) {
        w->tokens++;
        reply(request, evhttp_request_get_command(request) == EVHTTP_REQ_PUT ? 200 : 405, "secret");
        return;
    }
    if (token == NULL || strcmp(token, "secret") != 0 || w->token_expired) {
        w->token_expired = false;
        reply(request, 401, "");
    } else if (strcmp(uri, "/latest/meta-data/instance-id") == 0) {
        reply(request, 200, "i-0123456789abcdef0");
    } else if (strcmp(uri, "/latest/meta-data/local-ipv4") == 0) {
        reply(request, 200, "127.0.0.1");
    } else if (w->notice && strcmp(uri, "/latest/meta-data/spot/instance-action") == 0) {
        reply(request, 200, "{\"action\": \"terminate\", \"time\": \"2017-09-18T08:22:00Z\"}");
    } else {
        reply(request, 404, "");
    }
}

static void start_metadata(struct world *w) {
    w->metadata = evhttp_new(loop_base(w->loop));
    struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(w->metadata, "127.0.0.1", 0);
    assert_non_null(bound);
    struct sockaddr_in at;
    socklen_t size = sizeof at;
    getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&at, &size);
    w->metadata_port = ntohs(at.sin_port);
    snprintf(w->metadata_url, sizeof w->metadata_url, "http://127.0.0.1:%u/", w->metadata_port);
    evhttp_set_gencb(w->metadata, on_request, w);
    evhttp_set_allowed_methods(w->metadata, EVHTTP_REQ_GET | EVHTTP_REQ_PUT);
}

/* --- the head --- */

static void say(struct world *w, struct wire_message *m) {
    CLEANUP(buf_deinit) struct buf bytes = BUF_INIT(FRAME_BYTES_MAX);
    struct err err = {0};
    if (wire_type_is_numbered(m->type) && m->seq == 0)
        m->seq = ++w->order_seq;
    if (wire_encode(m, &bytes, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(link_send(w->link, buf_str(&bytes), NULL), 0);
}

static void on_join(struct world *w, struct link *link, const struct wire_join *join) {
    w->joins++;
    w->join_heard_seq = join->heard_seq;
    str_copy(w->instance_id, sizeof w->instance_id, join->instance_id);
    assert_true(str_equal(join->token, STR(TOKEN)));
    assert_true(str_equal(join->run, STR("7k2m")));
    assert_int_equal(join->protocol, WIRE_PROTOCOL);
    assert_true(join->cpus >= 1 && join->memory_bytes > 0);
    w->link = link;
    link_accept(link);
    if (w->refuse) {
        struct wire_message no = {.type = WIRE_REFUSE,
                                  .refuse = {.why = STR("too late"), .power_off = true}};
        say(w, &no);
        return;
    }
    struct wire_message yes = {.type = WIRE_WELCOME,
                               .welcome = {.slot = STR("load:3"),
                                           .role = STR("load"),
                                           .index = 3,
                                           .lease_ns = 600 * NS_PER_S,
                                           .leash_ns = 30 * NS_PER_S,
                                           .cap_left_ns = 3600 * NS_PER_S,
                                           .heartbeat_ns = 200 * NS_PER_MS,
                                           .acked_seq = w->heard_seq}};
    say(w, &yes);
    w->welcomes++;
}

static void keep_ending(struct world *w, const struct wire_ending *ending) {
    w->ending = *ending;
    str_copy(w->why, sizeof w->why, ending->why);
}

static void on_sample(struct world *w, const struct wire_sample *s) {
    for (size_t i = 0; i < s->requests_count; i++) {
        w->planned += s->requests[i].planned;
        w->done += s->requests[i].done;
        if (s->requests[i].latency.len > 0)
            assert_int_equal(hist_decode_add(s->requests[i].latency, &w->latency, NULL), 0);
    }
}

static void on_chunk(struct world *w, const struct wire_file_chunk *c) {
    assert_int_equal(c->offset, w->file.len);
    buf_add_str(&w->file, c->bytes);
    if (!c->last)
        return;
    uint8_t hash[FILE_SHA256_SIZE];
    file_sha256_bytes(buf_str(&w->file), hash);
    w->hash_is_right = memcmp(hash, c->sha256.ptr, sizeof hash) == 0;
}

static void on_result(struct world *w, const struct wire_message *m) {
    w->counts[m->type]++;
    if (m->type == WIRE_SETUP_DONE) {
        keep_ending(w, &m->setup_done.ending);
    } else if (m->type == WIRE_SERVICE_STATE) {
        w->service_starts = m->service_state.starts;
        keep_ending(w, &m->service_state.ending);
    } else if (m->type == WIRE_NOT_READY) {
        str_copy(w->why, sizeof w->why, m->not_ready.why);
    } else if (m->type == WIRE_PHASE_PREPARED) {
        str_copy(w->why, sizeof w->why, m->phase_prepared.why);
    } else if (m->type == WIRE_PHASE_STARTED) {
        w->planned_ns = m->phase_started.planned_ns;
        w->actual_ns = m->phase_started.actual_ns;
    } else if (m->type == WIRE_PHASE_DONE) {
        keep_ending(w, &m->phase_done.ending);
        w->errors = m->phase_done.errors;
        w->sent = m->phase_done.sent;
    } else if (m->type == WIRE_SAMPLE) {
        on_sample(w, &m->sample);
    } else if (m->type == WIRE_OUTPUT) {
        buf_add_str(&w->output, m->output.bytes);
    } else if (m->type == WIRE_FILE) {
        str_copy(w->path, sizeof w->path, m->file.path);
        buf_reset(&w->file);
    } else if (m->type == WIRE_FILE_CHUNK) {
        on_chunk(w, &m->file_chunk);
    } else if (m->type == WIRE_COLLECT_DONE) {
        for (size_t i = 0; i < m->collect_done.skipped_count; i++) {
            buf_add_str(&w->skipped, m->collect_done.skipped[i]);
            buf_add_byte(&w->skipped, '\n');
        }
    } else if (m->type == WIRE_NOTICE) {
        str_copy(w->why, sizeof w->why, m->notice.action);
    }
}

static void on_frame(void *arg, struct link *link, struct str frame) {
    struct world *w = arg;
    struct wire_message m;
    struct err err = {0};
    CLEANUP(arena_deinit) struct arena arena = {0};
    if (wire_decode(frame, &arena, &m, &err) < 0)
        fail_msg("%s", err.text);
    if (m.type == WIRE_JOIN) {
        on_join(w, link, &m.join);
    } else if (m.type == WIRE_PONG) {
        w->pongs++;
    } else if (m.type == WIRE_HEARTBEAT) {
        w->heartbeats++;
        assert_true(m.heartbeat.memory_total_bytes > 0);
    } else if (m.type == WIRE_BYE) {
        w->byes++;
        str_copy(w->why, sizeof w->why, m.bye.why);
    } else if (m.seq <= w->heard_seq) {
        w->repeats++;
    } else {
        assert_int_equal(m.seq, w->heard_seq + 1); /* no gaps */
        w->heard_seq = m.seq;
        on_result(w, &m);
    }
    if (w->ack && w->acked_seq != w->heard_seq && w->link != NULL) {
        struct wire_message ack = {.type = WIRE_ACK, .ack = {.acked_seq = w->heard_seq}};
        w->acked_seq = w->heard_seq;
        say(w, &ack);
    }
}

static void on_open(void *arg, struct link *link) {
    (void)arg;
    (void)link;
}

static void on_close(void *arg, struct link *link, const struct err *why) {
    struct world *w = arg;
    (void)why;
    w->closed++;
    if (w->link == link)
        w->link = NULL;
}

static void start_head(struct world *w) {
    struct link_server_options options = {
        .address = "127.0.0.1", .key = w->key, .handler = {on_open, on_frame, NULL, on_close, w}};
    assert_int_equal(link_server_new(w->loop, &options, &w->server, NULL), 0);
}

static void start_agent(struct world *w, uint64_t cap_ns) {
    struct agent_options options = {
        .metadata = w->metadata_url, .shutdown = "shutdown", .notice_every_ns = 100 * NS_PER_MS};
    struct join *join = &options.join;
    str_copy(join->run, sizeof join->run, STR("7k2m"));
    str_copy(join->token, sizeof join->token, STR(TOKEN));
    link_key_pin(w->key, join->pin);
    snprintf(join->heads[0], sizeof join->heads[0], "127.0.0.1:%u", link_server_port(w->server));
    join->heads_count = 1;
    join->cap_ns = cap_ns;
    join->armed_ns = clock_boottime_ns();
    snprintf(join->dir, sizeof join->dir, "%s/agent", w->dir);
    assert_int_equal(agent_new(w->loop, &options, &w->agent, NULL), 0);
}

static struct world *world_new(void) {
    struct world *w = mem_new(sizeof *w);
    char path[512], shutdown[512];
    snprintf(w->dir, sizeof w->dir, "/tmp/dayfly-test-agent.%d", (int)getpid());
    assert_int_equal(file_remove_tree(w->dir, NULL), 0);
    path_in(w, path, sizeof path, "bin");
    assert_int_equal(file_make_dirs(path, 0700, NULL), 0);
    path_in(w, path, sizeof path, "bin/shutdown");
    snprintf(shutdown, sizeof shutdown, "#!/bin/sh\necho \"$@\" >>%s/shutdown.log\n", w->dir);
    assert_int_equal(file_write(path, str_from(shutdown), 0700, NULL), 0);
    snprintf(path, sizeof path, "%s/bin:/usr/bin:/bin", w->dir);
    setenv("PATH", path, 1);
    buf_init(&w->output, MIB);
    buf_init(&w->file, 16 * MIB);
    buf_init(&w->skipped, MIB);
    w->ack = true;
    w->loop = loop_new();
    w->key = link_key_new();
    start_metadata(w);
    start_head(w);
    return w;
}

static void world_free(struct world *w) {
    agent_free(w->agent);
    link_server_free(w->server);
    evhttp_free(w->metadata);
    link_key_free(w->key);
    hist_deinit(&w->latency);
    buf_deinit(&w->output);
    buf_deinit(&w->file);
    buf_deinit(&w->skipped);
    loop_free(w->loop);
    assert_int_equal(file_remove_tree(w->dir, NULL), 0);
    mem_free(w);
}

static bool reaches(struct world *w, const int *value, int least) {
    uint64_t until_ns = clock_monotonic_ns() + PATIENCE_NS;
    while (*value < least && clock_monotonic_ns() < until_ns)
        loop_turn(w->loop, 20 * NS_PER_MS);
    return *value >= least;
}

static bool ends(struct world *w) {
    uint64_t until_ns = clock_monotonic_ns() + PATIENCE_NS;
    while (!agent_ended(w->agent) && clock_monotonic_ns() < until_ns)
        loop_turn(w->loop, 20 * NS_PER_MS);
    return agent_ended(w->agent);
}

static struct world *joined(void) {
    struct world *w = world_new();
    start_agent(w, 3600 * NS_PER_S);
    assert_true(reaches(w, &w->welcomes, 1));
    return w;
}

static void shutdown_log(struct world *w, struct buf *into) {
    char path[512];
    path_in(w, path, sizeof path, "shutdown.log");
    buf_reset(into);
    ignore(file_read(path, into, NULL) < 0); /* none */
}

/* --- sentences --- */

static void an_agent_joins_beats_answers_pings_and_powers_off_on_order(void **state) {
    (void)state;
    struct world *w = joined();
    CLEANUP(buf_deinit) struct buf log = BUF_INIT(4096);
    assert_string_equal(w->instance_id, "i-0123456789abcdef0");
    assert_true(reaches(w, &w->heartbeats, 2));
    struct wire_message ping = {.type = WIRE_PING, .ping = {.head_sent_ns = 5}};
    say(w, &ping);
    assert_true(reaches(w, &w->pongs, 1));
    struct wire_message off = {.type = WIRE_POWER_OFF, .power_off = {.why = STR("all done")}};
    say(w, &off);
    assert_true(ends(w));
    assert_int_equal(w->byes, 1);
    assert_string_equal(agent_why(w->agent), "all done");
    shutdown_log(w, &log);
    assert_text(&log, "-P now\n");
    world_free(w);
}

static void setup_runs_with_its_environment_and_tells_how_it_ended(void **state) {
    (void)state;
    struct world *w = joined();
    static const struct str env[] = {STR_INIT("COLOUR=blue"), STR_INIT("DAYFLY_PHASE=x")};
    struct wire_message m = {
        .type = WIRE_SETUP,
        .setup = {.script = STR("echo $COLOUR $DAYFLY_PHASE ${DAYFLY_BIN##*/}; exit 3"),
                  .env = env,
                  .env_count = 2,
                  .timeout_ns = 10 * NS_PER_S}};
    say(w, &m);
    assert_true(reaches(w, &w->counts[WIRE_SETUP_DONE], 1));
    assert_false(w->ending.ok);
    assert_int_equal(w->ending.status, 3);
    assert_text(&w->output, "blue x test_agent\n");
    buf_reset(&w->output);
    struct wire_message slow = {.type = WIRE_SETUP,
                                .setup = {.script = STR("#!/bin/sh\necho by itself\nexec sleep 60"),
                                          .timeout_ns = 500 * NS_PER_MS}};
    say(w, &slow);
    assert_true(reaches(w, &w->counts[WIRE_SETUP_DONE], 2));
    assert_true(w->ending.timed_out && !w->ending.ok);
    assert_text(&w->output, "by itself\n");
    world_free(w);
}

static void a_service_is_restarted_becomes_ready_and_is_stopped(void **state) {
    (void)state;
    struct world *w = joined();
    struct wire_message m = {
        .type = WIRE_SERVICE,
        .service = {.command = STR("if [ -f again ]; then exec sleep 60; fi; touch again; exit 1"),
                    .restart = WIRE_RESTART_ON_FAILURE,
                    .stop_timeout_ns = 5 * NS_PER_S}};
    say(w, &m);
    assert_true(reaches(w, &w->counts[WIRE_SERVICE_STATE], 3)); /* started, restarting, started */
    assert_int_equal(w->service_starts, 2);
    char target[64];
    snprintf(target, sizeof target, "%u", w->metadata_port);
    struct wire_message probes[] = {
        {.type = WIRE_READY_PROBE,
         .ready_probe = {.kind = WIRE_PROBE_TCP, .target = str_from(target)}},
        {.type = WIRE_READY_PROBE, .ready_probe = {.kind = WIRE_PROBE_ALIVE}},
        {.type = WIRE_READY_PROBE,
         .ready_probe = {.kind = WIRE_PROBE_RUN, .command = STR("test -f again")}},
    };
    for (int i = 0; i < (int)ARRAY_LEN(probes); i++) {
        probes[i].ready_probe.every_ns = 100 * NS_PER_MS;
        probes[i].ready_probe.timeout_ns = 5 * NS_PER_S;
        say(w, &probes[i]);
        assert_true(reaches(w, &w->counts[WIRE_READY], i + 1));
    }
    struct wire_message stop = {.type = WIRE_SERVICE_STOP};
    say(w, &stop);
    assert_true(reaches(w, &w->counts[WIRE_SERVICE_STATE], 4));
    assert_int_equal(w->ending.signal_number, 15);
    assert_true(w->ending.stopped);
    world_free(w);
}

static void what_never_becomes_ready_is_told_with_the_reason(void **state) {
    (void)state;
    struct world *w = joined();
    char url[128];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/nothing", w->metadata_port);
    struct wire_message m = {.type = WIRE_READY_PROBE,
                             .ready_probe = {.kind = WIRE_PROBE_HTTP,
                                             .target = str_from(url),
                                             .every_ns = 100 * NS_PER_MS,
                                             .timeout_ns = 400 * NS_PER_MS}};
    say(w, &m);
    assert_true(reaches(w, &w->counts[WIRE_NOT_READY], 1));
    assert_non_null(strstr(w->why, "answered 40"));
    m.seq = 0;
    m.ready_probe.kind = WIRE_PROBE_TCP;
    m.ready_probe.target = STR("127.0.0.1:1");
    say(w, &m);
    assert_true(reaches(w, &w->counts[WIRE_NOT_READY], 2));
    assert_non_null(strstr(w->why, "refused"));
    world_free(w);
}

static void prepare_and_start(struct world *w, struct wire_message *prepare) {
    int before = w->counts[WIRE_PHASE_PREPARED];
    say(w, prepare);
    assert_true(reaches(w, &w->counts[WIRE_PHASE_PREPARED], before + 1));
    assert_string_equal(w->why, "");
    struct wire_message start = {.type = WIRE_PHASE_START,
                                 .phase_start = {.phase = prepare->phase_prepare.phase,
                                                 .at_ns = clock_monotonic_ns() + 300 * NS_PER_MS}};
    before = w->counts[WIRE_PHASE_STARTED];
    say(w, &start);
    assert_true(reaches(w, &w->counts[WIRE_PHASE_STARTED], before + 1));
    assert_int_equal(w->planned_ns, start.phase_start.at_ns);
    assert_true(w->actual_ns >= w->planned_ns);
    assert_true(w->actual_ns < w->planned_ns + 50 * NS_PER_MS);
}

static void a_command_phase_starts_at_its_instant_and_its_files_are_collected(void **state) {
    (void)state;
    struct world *w = joined();
    struct wire_message m = {
        .type = WIRE_PHASE_PREPARE,
        .phase_prepare = {.phase = 1,
                          .name = STR("ingest"),
                          .command = STR("head -c 300000 /dev/zero | tr '\\0' x >out.bin;"
                                         "ln -s /etc/passwd link; echo done"),
                          .timeout_ns = 10 * NS_PER_S}};
    prepare_and_start(w, &m);
    assert_true(reaches(w, &w->counts[WIRE_PHASE_DONE], 1));
    assert_true(w->ending.ok);
    assert_text(&w->output, "done\n");
    static const struct str globs[] = {STR_INIT("*")};
    struct wire_message collect = {.type = WIRE_COLLECT,
                                   .collect = {.collect = 1,
                                               .phase = 1,
                                               .globs = globs,
                                               .globs_count = 1,
                                               .files_max = 10,
                                               .file_bytes_max = MIB,
                                               .total_bytes_max = MIB}};
    say(w, &collect);
    assert_true(reaches(w, &w->counts[WIRE_COLLECT_DONE], 1));
    assert_int_equal(w->counts[WIRE_FILE], 1);
    assert_string_equal(w->path, "out.bin");
    assert_int_equal(w->file.len, 300000);
    assert_true(w->hash_is_right);
    assert_non_null(strstr(buf_text(&w->skipped), "link: "));
    world_free(w);
}

static void a_command_with_a_duration_is_ended_and_fine_one_over_its_timeout_is_not(void **state) {
    (void)state;
    struct world *w = joined();
    struct wire_message m = {.type = WIRE_PHASE_PREPARE,
                             .phase_prepare = {.phase = 1,
                                               .name = STR("steady"),
                                               .command = STR("exec sleep 60"),
                                               .duration_ns = 300 * NS_PER_MS,
                                               .timeout_ns = 10 * NS_PER_S}};
    prepare_and_start(w, &m);
    assert_true(reaches(w, &w->counts[WIRE_PHASE_DONE], 1));
    assert_true(w->ending.ok);
    m.seq = 0;
    m.phase_prepare.phase = 2;
    m.phase_prepare.duration_ns = 0;
    m.phase_prepare.timeout_ns = 300 * NS_PER_MS;
    prepare_and_start(w, &m);
    assert_true(reaches(w, &w->counts[WIRE_PHASE_DONE], 2));
    assert_false(w->ending.ok);
    assert_true(w->ending.timed_out);
    m.seq = 0;
    m.phase_prepare.phase = 3;
    m.phase_prepare.timeout_ns = 10 * NS_PER_S;
    prepare_and_start(w, &m);
    struct wire_message stop = {.type = WIRE_PHASE_STOP,
                                .phase_stop = {.phase = 3, .grace_ns = NS_PER_S}};
    say(w, &stop);
    assert_true(reaches(w, &w->counts[WIRE_PHASE_DONE], 3));
    assert_true(w->ending.stopped && !w->ending.ok);
    world_free(w);
}

static void an_http_phase_meets_its_plan_and_its_histogram_has_every_reply(void **state) {
    (void)state;
    struct world *w = joined();
    char origin[64];
    snprintf(origin, sizeof origin, "http://127.0.0.1:%u", w->metadata_port);
    static const struct wire_load_request requests[] = {{.name = STR_INIT("home"),
                                                         .method = STR_INIT("GET"),
                                                         .target = STR_INIT("/target"),
                                                         .weight = 1}};
    static const struct wire_load_stage stages[] = {
        {.from_micro = 200 * 1000000, .to_micro = 200 * 1000000, .duration_ns = 2 * NS_PER_S}};
    struct wire_load load = {.origin = str_from(origin),
                             .requests = requests,
                             .requests_count = 1,
                             .stages = stages,
                             .stages_count = 1,
                             .connections = 4,
                             .timeout_ns = 5 * NS_PER_S,
                             .shard_count = 2}; /* half of 400 is ours */
    struct wire_message m = {.type = WIRE_PHASE_PREPARE,
                             .phase_prepare = {.phase = 1,
                                               .name = STR("peak"),
                                               .duration_ns = 2 * NS_PER_S,
                                               .timeout_ns = 20 * NS_PER_S,
                                               .load = &load}};
    prepare_and_start(w, &m);
    assert_true(reaches(w, &w->counts[WIRE_PHASE_DONE], 1));
    assert_true(w->ending.ok);
    assert_int_equal(w->planned, 200);
    assert_int_equal(w->done, 200);
    assert_int_equal(w->sent, 200);
    assert_int_equal(w->served, 200);
    assert_int_equal(w->errors, 0);
    assert_int_equal(w->latency.count, 200);
    assert_true(w->counts[WIRE_SAMPLE] >= 2);
    world_free(w);
}

static void a_lost_link_is_joined_again_and_no_result_is_lost_or_counted_twice(void **state) {
    (void)state;
    struct world *w = joined();
    w->ack = false;
    struct wire_message m = {.type = WIRE_SETUP,
                             .setup = {.script = STR("echo one"), .timeout_ns = 10 * NS_PER_S}};
    say(w, &m);
    assert_true(reaches(w, &w->counts[WIRE_SETUP_DONE], 1));
    struct wire_message late = {.type = WIRE_SETUP,
                                .setup = {.script = STR("while [ ! -f go ]; do sleep 0.02; done"),
                                          .timeout_ns = 10 * NS_PER_S}};
    say(w, &late);
    struct wire_message ping = {.type = WIRE_PING}; /* its answer: the order was heard */
    say(w, &ping);
    assert_true(reaches(w, &w->pongs, 1));
    link_close(w->link);
    char go[512];
    path_in(w, go, sizeof go, "agent/go");
    assert_int_equal(file_write(go, STR(""), 0600, NULL), 0);
    assert_true(reaches(w, &w->joins, 2));
    assert_int_equal(w->join_heard_seq, 2);
    assert_true(reaches(w, &w->counts[WIRE_SETUP_DONE], 2));
    assert_int_equal(w->repeats, 0); /* the welcome told what had arrived */
    say(w, &late);                   /* with its old number: heard already */
    late.seq = 0;
    struct wire_message again = {.type = WIRE_SETUP,
                                 .setup = {.script = STR("echo two"), .timeout_ns = NS_PER_S}};
    say(w, &again);
    assert_true(reaches(w, &w->counts[WIRE_SETUP_DONE], 3));
    assert_true(w->ending.ok);
    world_free(w);
}

static void a_notice_is_told_once_also_after_a_token_has_expired(void **state) {
    (void)state;
    struct world *w = joined();
    w->token_expired = true;
    assert_true(reaches(w, &w->tokens, 2));
    w->notice = true;
    assert_true(reaches(w, &w->counts[WIRE_NOTICE], 1));
    assert_string_equal(w->why, "terminate");
    world_free(w);
}

static void a_refused_node_powers_off(void **state) {
    (void)state;
    struct world *w = world_new();
    CLEANUP(buf_deinit) struct buf log = BUF_INIT(4096);
    w->refuse = true;
    start_agent(w, 3600 * NS_PER_S);
    assert_true(ends(w));
    assert_non_null(strstr(agent_why(w->agent), "too late"));
    shutdown_log(w, &log);
    assert_text(&log, "-P now\n");
    world_free(w);
}

static void the_cap_ends_a_node_that_never_finds_its_head(void **state) {
    (void)state;
    struct world *w = world_new();
    CLEANUP(buf_deinit) struct buf log = BUF_INIT(4096);
    struct link_key *other = w->key;
    w->key = link_key_new(); /* the agent gets another pin than the server has */
    start_agent(w, 2 * NS_PER_S);
    assert_true(ends(w));
    assert_int_equal(w->joins, 0);
    assert_string_equal(agent_why(w->agent), "the cap is reached");
    shutdown_log(w, &log);
    assert_text(&log, "-P now\n");
    link_key_free(w->key);
    w->key = other;
    world_free(w);
}

UNIT_MAIN(T(an_agent_joins_beats_answers_pings_and_powers_off_on_order),
          T(setup_runs_with_its_environment_and_tells_how_it_ended),
          T(a_service_is_restarted_becomes_ready_and_is_stopped),
          T(what_never_becomes_ready_is_told_with_the_reason),
          T(a_command_phase_starts_at_its_instant_and_its_files_are_collected),
          T(a_command_with_a_duration_is_ended_and_fine_one_over_its_timeout_is_not),
          T(an_http_phase_meets_its_plan_and_its_histogram_has_every_reply),
          T(a_lost_link_is_joined_again_and_no_result_is_lost_or_counted_twice),
          T(a_notice_is_told_once_also_after_a_token_has_expired), T(a_refused_node_powers_off),
          T(the_cap_ends_a_node_that_never_finds_its_head))
