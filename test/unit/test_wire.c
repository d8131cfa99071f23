/* Messages of head and agent: each kind survives the way, every limit holds. */
#include "unit.h"

#include <stdio.h>

#include "codec/wire.h"

static const struct str env[] = {STR_INIT("A=1"), STR_INIT("B=two words\nand a line")};
static const struct str globs[] = {STR_INIT("*.log"), STR_INIT("/var/log/x")};
static const struct str headers[] = {STR_INIT("X-A: b")};
static const uint64_t errors[] = {0, 3, UINT64_MAX};
static const struct wire_load_request requests[] = {
    {.name = STR_INIT("home"), .method = STR_INIT("GET"), .target = STR_INIT("/"), .weight = 1},
    {.name = STR_INIT("buy"),
     .method = STR_INIT("POST"),
     .target = STR_INIT("/cart?x=1"),
     .headers = headers,
     .headers_count = 1,
     .body = STR_INIT("{}"),
     .status_min = 200,
     .status_max = 201,
     .body_pattern = STR_INIT("ok|fine"),
     .time_max_ns = 5,
     .weight = 9}};
static const struct wire_load_stage stages[] = {{0, 500000000, NS_PER_S}, {1, 2, 3}};
static const struct wire_load load = {.origin = STR_INIT("https://h:1"),
                                      .requests = requests,
                                      .requests_count = 2,
                                      .stages = stages,
                                      .stages_count = 2,
                                      .connections = 10,
                                      .timeout_ns = 1,
                                      .seed = 7,
                                      .shard_index = 2,
                                      .shard_count = 3};
static const struct wire_sample_request sample_requests[] = {{.request = 1,
                                                              .planned = 9,
                                                              .sent = 8,
                                                              .done = 7,
                                                              .ok = 6,
                                                              .errors = errors,
                                                              .errors_count = 3,
                                                              .latency = STR_INIT("\1\0\2")}};
static const char hash[33] = "0123456789abcdef0123456789abcdef";

#define ENDING                                                                       \
    {                                                                                \
        .ok = true, .status = -1, .signal_number = 9, .stopped = true, .took_ns = 5, \
        .why = STR_INIT("why"), .tail = STR_INIT("\0\n\xff")                         \
    }

static const struct wire_message messages[] = {
    {.type = WIRE_JOIN,
     .join = {STR_INIT("7k2m"), STR_INIT("i-1"), STR_INIT("tok"), 1, STR_INIT("0.1"),
              STR_INIT("x86_64"), 2, GIB, STR_INIT("6.1"), STR_INIT("10.0.0.1"), STR_INIT("b"), 4}},
    {.type = WIRE_WELCOME, .welcome = {STR_INIT("a:1"), STR_INIT("a"), 1, 2, 3, 4, 5, 6}},
    {.type = WIRE_REFUSE, .refuse = {STR_INIT("no"), true}},
    {.type = WIRE_PING, .ping = {UINT64_MAX}},
    {.type = WIRE_PONG, .pong = {1, 2, 3}},
    {.type = WIRE_HEARTBEAT, .heartbeat = {1, 2, 1000000, 4, 5, 6, 7, 8, 9, 10}},
    {.type = WIRE_SETUP, .seq = 1, .setup = {STR_INIT("echo"), env, 2, 5}},
    {.type = WIRE_SETUP_DONE, .seq = 2, .setup_done = {ENDING}},
    {.type = WIRE_SERVICE,
     .seq = 3,
     .service = {STR_INIT("nginx"), env, 1, STR_INIT("/srv"), WIRE_RESTART_ALWAYS, 15, 5}},
    {.type = WIRE_SERVICE_STOP, .seq = 4},
    {.type = WIRE_SERVICE_STATE, .seq = 5, .service_state = {WIRE_SERVICE_ENDED, 3, ENDING}},
    {.type = WIRE_READY_PROBE,
     .seq = 6,
     .ready_probe = {WIRE_PROBE_RUN, STR_INIT(""), STR_INIT("true"), NULL, 0, 1, 2}},
    {.type = WIRE_READY, .seq = 7, .ready = {1, 2}},
    {.type = WIRE_NOT_READY, .seq = 8, .not_ready = {STR_INIT("refused"), 2}},
    {.type = WIRE_PHASE_PREPARE,
     .seq = 9,
     .phase_prepare = {1, STR_INIT("peak"), STR_EMPTY, NULL, 0, 2, 3, &load}},
    {.type = WIRE_PHASE_PREPARED, .seq = 10, .phase_prepared = {1, STR_INIT("")}},
    {.type = WIRE_PHASE_START, .seq = 11, .phase_start = {1, 2}},
    {.type = WIRE_PHASE_STARTED, .seq = 12, .phase_started = {1, 2, 3}},
    {.type = WIRE_PHASE_STOP, .seq = 13, .phase_stop = {1, 2}},
    {.type = WIRE_PHASE_DONE, .seq = 14, .phase_done = {1, ENDING, 2, 3, 4, 5, 6}},
    {.type = WIRE_SAMPLE,
     .seq = 15,
     .sample = {1, 2, 3, sample_requests, 1, true, 4, 5, 6, 7, 8, 9, 10, 11, STR_INIT("d")}},
    {.type = WIRE_OUTPUT, .seq = 16, .output = {WIRE_FROM_PHASE, 1, 2, STR_INIT("x\n"), 3}},
    {.type = WIRE_COLLECT, .seq = 17, .collect = {1, 2, globs, 2, 3, 4, 5}},
    {.type = WIRE_FILE, .seq = 18, .file = {1, 2, STR_INIT("a/b"), 3, 0644, true}},
    {.type = WIRE_FILE_CHUNK,
     .seq = 19,
     .file_chunk = {1, 2, 3, STR_INIT("bytes"), true, {hash, 32}}},
    {.type = WIRE_COLLECT_DONE, .seq = 20, .collect_done = {1, 2, 3, globs, 2}},
    {.type = WIRE_NOTICE, .seq = 21, .notice = {STR_INIT("terminate"), -5, 6}},
    {.type = WIRE_EXTEND, .seq = 22, .extend = {1}},
    {.type = WIRE_POWER_OFF, .seq = 23, .power_off = {1, STR_INIT("done")}},
    {.type = WIRE_BYE, .bye = {STR_INIT("bye")}},
    {.type = WIRE_ACK, .ack = {7}},
};

static void every_kind_survives_the_way_and_back(void **state) {
    (void)state;
    assert_int_equal(ARRAY_LEN(messages), WIRE_TYPE_END - WIRE_JOIN);
    for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
        CLEANUP(buf_deinit) struct buf first = BUF_INIT(FRAME_BYTES_MAX);
        CLEANUP(buf_deinit) struct buf second = BUF_INIT(FRAME_BYTES_MAX);
        CLEANUP(arena_deinit) struct arena arena = {0};
        struct wire_message back;
        struct err err = {0};
        assert_int_equal(messages[i].type, WIRE_JOIN + i);
        if (wire_encode(&messages[i], &first, &err) < 0)
            fail_msg("%s: %s", wire_type_name(messages[i].type), err.text);
        if (wire_decode(buf_str(&first), &arena, &back, &err) < 0)
            fail_msg("%s: %s", wire_type_name(messages[i].type), err.text);
        assert_int_equal(back.type, messages[i].type);
        assert_int_equal(back.seq, messages[i].seq);
        assert_int_equal(wire_encode(&back, &second, &err), 0);
        assert_true(str_equal(buf_str(&first), buf_str(&second)));
    }
}

static struct wire_message again(const struct wire_message *m, struct arena *arena) {
    CLEANUP(buf_deinit) struct buf bytes = BUF_INIT(FRAME_BYTES_MAX);
    struct wire_message back = {0};
    assert_int_equal(wire_encode(m, &bytes, NULL), 0);
    assert_int_equal(wire_decode(buf_str(&bytes), arena, &back, NULL), 0);
    return back;
}

static void nested_lists_and_bytes_with_zeros_arrive_as_they_were(void **state) {
    (void)state;
    CLEANUP(arena_deinit) struct arena arena = {0};
    struct wire_message m = again(&messages[WIRE_PHASE_PREPARE - WIRE_JOIN], &arena);
    assert_non_null(m.phase_prepare.load);
    assert_int_equal(m.phase_prepare.load->requests_count, 2);
    assert_true(str_equal(m.phase_prepare.load->requests[1].headers[0], STR("X-A: b")));
    assert_int_equal(m.phase_prepare.load->stages[0].to_micro, 500000000);
    m = again(&messages[WIRE_SAMPLE - WIRE_JOIN], &arena);
    assert_int_equal(m.sample.requests[0].errors_count, 3);
    assert_true(m.sample.requests[0].errors[2] == UINT64_MAX);
    assert_int_equal(m.sample.requests[0].latency.len, 3);
    m = again(&messages[WIRE_SETUP_DONE - WIRE_JOIN], &arena);
    assert_int_equal(m.setup_done.ending.status, -1);
    assert_int_equal(m.setup_done.ending.tail.len, 3);
    m = again(&messages[WIRE_NOTICE - WIRE_JOIN], &arena);
    assert_int_equal(m.notice.at_unix_ms, -5);
}

static int encode(struct wire_message m) {
    CLEANUP(buf_deinit) struct buf bytes = BUF_INIT(FRAME_BYTES_MAX);
    int result = wire_encode(&m, &bytes, NULL);
    assert_true((result == 0) == (bytes.len > 0));
    return result;
}

static void what_is_beyond_a_limit_is_not_sent(void **state) {
    (void)state;
    struct wire_message m = messages[WIRE_PHASE_START - WIRE_JOIN];
    m.phase_start.phase = 0;
    assert_int_equal(encode(m), -ERR_LIMIT);
    m.phase_start.phase = PHASES_MAX + 1;
    assert_int_equal(encode(m), -ERR_LIMIT);
    m = messages[WIRE_PHASE_START - WIRE_JOIN];
    m.seq = 0;
    assert_int_equal(encode(m), -ERR_LIMIT);
    m = messages[WIRE_PING - WIRE_JOIN];
    m.seq = 1;
    assert_int_equal(encode(m), -ERR_LIMIT);
    m = messages[WIRE_BYE - WIRE_JOIN];
    m.bye.why = STR("two\nlines");
    assert_int_equal(encode(m), -ERR_LIMIT);
    m = messages[WIRE_FILE_CHUNK - WIRE_JOIN];
    m.file_chunk.last = false; /* a hash only with the last */
    assert_int_equal(encode(m), -ERR_LIMIT);
    static const char *const bad_paths[] = {"/a", "../a", "a/../b", "a//b", "a/", ".", "", "a/."};
    m = messages[WIRE_FILE - WIRE_JOIN];
    for (size_t i = 0; i < ARRAY_LEN(bad_paths); i++) {
        m.file.path = str_from(bad_paths[i]);
        assert_int_equal(encode(m), -ERR_LIMIT);
    }
    struct wire_load bad = load;
    m = messages[WIRE_PHASE_PREPARE - WIRE_JOIN];
    m.phase_prepare.load = &bad;
    bad.shard_index = 3;
    assert_int_equal(encode(m), -ERR_LIMIT);
    bad = load;
    bad.origin = STR("ftp://x");
    assert_int_equal(encode(m), -ERR_LIMIT);
    bad = load;
    bad.users = 1; /* both loops */
    assert_int_equal(encode(m), -ERR_LIMIT);
    m.phase_prepare.command = STR("both");
    m.phase_prepare.load = &load;
    assert_int_equal(encode(m), -ERR_LIMIT);
}

static void a_cut_or_foreign_frame_is_refused(void **state) {
    (void)state;
    CLEANUP(buf_deinit) struct buf bytes = BUF_INIT(FRAME_BYTES_MAX);
    struct wire_message back;
    assert_int_equal(wire_encode(&messages[0], &bytes, NULL), 0);
    for (size_t size = 0; size < bytes.len; size++) {
        CLEANUP(arena_deinit) struct arena arena = {0};
        assert_int_equal(wire_decode(str_slice(buf_str(&bytes), 0, size), &arena, &back, NULL),
                         -ERR_PROTOCOL);
    }
    CLEANUP(arena_deinit) struct arena arena = {0};
    assert_int_equal(wire_decode(STR("GET / HTTP/1.1\r\n\r\n"), &arena, &back, NULL),
                     -ERR_PROTOCOL);
    assert_int_equal(wire_decode(STR("\x08\x01"), &arena, &back, NULL), -ERR_PROTOCOL);
}

static void a_frame_that_wants_more_memory_than_the_arena_has_is_refused(void **state) {
    (void)state;
    CLEANUP(mem_freep) char *body = mem_new(200000);
    CLEANUP(arena_deinit) struct arena arena;
    struct wire_message back;
    size_t size = 0;
    arena_init(&arena, 256 * 1024);
    /* seq 1; collect_done (27) with 66,664 empty texts: 2 bytes each here, 16 and more decoded */
    static const char head[] = "\x08\x01\xda\x01\xd0\x91\x08";
    memcpy(body, head, sizeof head - 1);
    size = sizeof head - 1;
    for (int i = 0; i < 66664; i++) {
        body[size++] = 0x22;
        body[size++] = 0;
    }
    assert_int_equal(wire_decode((struct str){body, size}, &arena, &back, NULL), -ERR_PROTOCOL);
    assert_true(arena.used <= 256 * 1024);
}

UNIT_MAIN(T(every_kind_survives_the_way_and_back),
          T(nested_lists_and_bytes_with_zeros_arrive_as_they_were),
          T(what_is_beyond_a_limit_is_not_sent), T(a_cut_or_foreign_frame_is_refused),
          T(a_frame_that_wants_more_memory_than_the_arena_has_is_refused))
