#include "codec/wire_table.h"

/* A field by value; a list of text or bytes; a list of numbers; a list of messages; a message. */
#define FIELD(type, name_, low, high) \
    { .name = #name_, .offset = offsetof(struct type, name_), .min = (low), .max = (high) }
#define LIST(type, name_, low, high, item)                                                   \
    {                                                                                        \
        .name = #name_, .offset = offsetof(struct type, name_), .min = (low), .max = (high), \
        .count_offset = offsetof(struct type, name_##_count), .item_max = (item)             \
    }
#define SUBLIST(type, name_, low, high, sub_)                                                \
    {                                                                                        \
        .name = #name_, .offset = offsetof(struct type, name_), .min = (low), .max = (high), \
        .count_offset = offsetof(struct type, name_##_count), .sub = &(sub_)                 \
    }
#define SUB(type, name_, sub_) \
    { .name = #name_, .offset = offsetof(struct type, name_), .sub = &(sub_) }
#define SUB_OR_NONE(type, name_, sub_) \
    { .name = #name_, .offset = offsetof(struct type, name_), .by_pointer = true, .sub = &(sub_) }

static const struct wire_field ending_fields[] = {
    FIELD(wire_ending, ok, 0, UINT64_MAX),
    FIELD(wire_ending, status, 0, UINT64_MAX),
    FIELD(wire_ending, signal_number, 0, 64),
    FIELD(wire_ending, timed_out, 0, UINT64_MAX),
    FIELD(wire_ending, stopped, 0, UINT64_MAX),
    FIELD(wire_ending, took_ns, 0, UINT64_MAX),
    FIELD(wire_ending, why, 0, WIRE_TEXT_BYTES_MAX),
    FIELD(wire_ending, tail, 0, WIRE_TAIL_BYTES_MAX),
};
static const struct wire_table ending_table = {
    &wire__ending__descriptor, sizeof(struct wire_ending), ending_fields, ARRAY_LEN(ending_fields)};

static const struct wire_field load_request_fields[] = {
    FIELD(wire_load_request, name, 1, WIRE_TEXT_BYTES_MAX),
    FIELD(wire_load_request, method, 1, 16),
    FIELD(wire_load_request, target, 1, 8192),
    LIST(wire_load_request, headers, 0, 100, 8192),
    FIELD(wire_load_request, body, 0, WIRE_SCRIPT_BYTES_MAX),
    FIELD(wire_load_request, status_min, 0, 999),
    FIELD(wire_load_request, status_max, 0, 999),
    FIELD(wire_load_request, body_pattern, 0, WIRE_TEXT_BYTES_MAX),
    FIELD(wire_load_request, time_max_ns, 0, WIRE_DURATION_NS_MAX),
    FIELD(wire_load_request, weight, 1, 1000000),
};
static const struct wire_table load_request_table = {
    &wire__load_request__descriptor, sizeof(struct wire_load_request), load_request_fields,
    ARRAY_LEN(load_request_fields)};

static const struct wire_field load_stage_fields[] = {
    FIELD(wire_load_stage, from_micro, 0, UINT64_MAX),
    FIELD(wire_load_stage, to_micro, 0, UINT64_MAX),
    FIELD(wire_load_stage, duration_ns, 0, WIRE_DURATION_NS_MAX),
};
static const struct wire_table load_stage_table = {&wire__load_stage__descriptor,
                                                   sizeof(struct wire_load_stage),
                                                   load_stage_fields, ARRAY_LEN(load_stage_fields)};

static const struct wire_field load_fields[] = {
    FIELD(wire_load, origin, 1, WIRE_TEXT_BYTES_MAX),
    SUBLIST(wire_load, requests, 1, REQUESTS_MAX, load_request_table),
    SUBLIST(wire_load, stages, 0, WIRE_STAGES_MAX, load_stage_table),
    FIELD(wire_load, users, 0, 10000000),
    FIELD(wire_load, think_ns_min, 0, WIRE_DURATION_NS_MAX),
    FIELD(wire_load, think_ns_max, 0, WIRE_DURATION_NS_MAX),
    FIELD(wire_load, connections, 0, 65535),
    FIELD(wire_load, timeout_ns, 0, WIRE_DURATION_NS_MAX),
    FIELD(wire_load, duration_ns, 0, WIRE_DURATION_NS_MAX),
    FIELD(wire_load, seed, 0, UINT64_MAX),
    FIELD(wire_load, shard_index, 0, SLOTS_MAX),
    FIELD(wire_load, shard_count, 1, SLOTS_MAX),
    FIELD(wire_load, close_each, 0, UINT64_MAX),
    FIELD(wire_load, tls_insecure, 0, UINT64_MAX),
    FIELD(wire_load, threads, 0, 64),
};
static const struct wire_table load_table = {&wire__load__descriptor, sizeof(struct wire_load),
                                             load_fields, ARRAY_LEN(load_fields)};

static const struct wire_field sample_request_fields[] = {
    FIELD(wire_sample_request, request, 0, REQUESTS_MAX - 1),
    FIELD(wire_sample_request, planned, 0, UINT64_MAX),
    FIELD(wire_sample_request, sent, 0, UINT64_MAX),
    FIELD(wire_sample_request, done, 0, UINT64_MAX),
    FIELD(wire_sample_request, ok, 0, UINT64_MAX),
    LIST(wire_sample_request, errors, 0, 64, 0),
    LIST(wire_sample_request, status, 0, 16, 0),
    FIELD(wire_sample_request, bytes_in, 0, UINT64_MAX),
    FIELD(wire_sample_request, bytes_out, 0, UINT64_MAX),
    FIELD(wire_sample_request, latency, 0, WIRE_HIST_BYTES_MAX),
    FIELD(wire_sample_request, service, 0, WIRE_HIST_BYTES_MAX),
};
static const struct wire_table sample_request_table = {
    &wire__sample_request__descriptor, sizeof(struct wire_sample_request), sample_request_fields,
    ARRAY_LEN(sample_request_fields)};

static const struct wire_field join_fields[] = {
    FIELD(wire_join, run, 1, NAME_BYTES_MAX),
    FIELD(wire_join, instance_id, 1, INSTANCE_ID_BYTES - 1),
    FIELD(wire_join, token, 1, 128),
    FIELD(wire_join, protocol, 0, UINT64_MAX),
    FIELD(wire_join, version, 0, 64),
    FIELD(wire_join, arch, 0, 32),
    FIELD(wire_join, cpus, 0, 65536),
    FIELD(wire_join, memory_bytes, 0, UINT64_MAX),
    FIELD(wire_join, kernel, 0, 256),
    FIELD(wire_join, private_ip, 0, 64),
    FIELD(wire_join, boot_id, 0, 64),
    FIELD(wire_join, heard_seq, 0, UINT64_MAX),
};
static const struct wire_table join_table = {&wire__join__descriptor, sizeof(struct wire_join),
                                             join_fields, ARRAY_LEN(join_fields)};

static const struct wire_field welcome_fields[] = {
    FIELD(wire_welcome, slot, 1, 64),
    FIELD(wire_welcome, role, 1, NAME_BYTES_MAX),
    FIELD(wire_welcome, index, 1, SLOTS_MAX),
    FIELD(wire_welcome, lease_ns, 1, WIRE_DURATION_NS_MAX),
    FIELD(wire_welcome, leash_ns, 1, WIRE_DURATION_NS_MAX),
    FIELD(wire_welcome, cap_left_ns, 0, WIRE_DURATION_NS_MAX),
    FIELD(wire_welcome, heartbeat_ns, 1, WIRE_DURATION_NS_MAX),
    FIELD(wire_welcome, acked_seq, 0, UINT64_MAX),
};
static const struct wire_table welcome_table = {&wire__welcome__descriptor,
                                                sizeof(struct wire_welcome), welcome_fields,
                                                ARRAY_LEN(welcome_fields)};

static const struct wire_field refuse_fields[] = {
    FIELD(wire_refuse, why, 0, WIRE_TEXT_BYTES_MAX),
    FIELD(wire_refuse, power_off, 0, UINT64_MAX),
};
static const struct wire_table refuse_table = {
    &wire__refuse__descriptor, sizeof(struct wire_refuse), refuse_fields, ARRAY_LEN(refuse_fields)};

static const struct wire_field ping_fields[] = {
    FIELD(wire_ping, head_sent_ns, 0, UINT64_MAX),
};
static const struct wire_table ping_table = {&wire__ping__descriptor, sizeof(struct wire_ping),
                                             ping_fields, ARRAY_LEN(ping_fields)};

static const struct wire_field pong_fields[] = {
    FIELD(wire_pong, head_sent_ns, 0, UINT64_MAX),
    FIELD(wire_pong, node_received_ns, 0, UINT64_MAX),
    FIELD(wire_pong, node_sent_ns, 0, UINT64_MAX),
};
static const struct wire_table pong_table = {&wire__pong__descriptor, sizeof(struct wire_pong),
                                             pong_fields, ARRAY_LEN(pong_fields)};

static const struct wire_field heartbeat_fields[] = {
    FIELD(wire_heartbeat, node_ns, 0, UINT64_MAX),
    FIELD(wire_heartbeat, interval_ns, 0, UINT64_MAX),
    FIELD(wire_heartbeat, cpu_ppm, 0, 1000000),
    FIELD(wire_heartbeat, steal_ppm, 0, 1000000),
    FIELD(wire_heartbeat, memory_used_bytes, 0, UINT64_MAX),
    FIELD(wire_heartbeat, memory_total_bytes, 0, UINT64_MAX),
    FIELD(wire_heartbeat, net_received_bytes, 0, UINT64_MAX),
    FIELD(wire_heartbeat, net_sent_bytes, 0, UINT64_MAX),
    FIELD(wire_heartbeat, tcp_retransmits, 0, UINT64_MAX),
    FIELD(wire_heartbeat, phase, 0, PHASES_MAX),
};
static const struct wire_table heartbeat_table = {&wire__heartbeat__descriptor,
                                                  sizeof(struct wire_heartbeat), heartbeat_fields,
                                                  ARRAY_LEN(heartbeat_fields)};

static const struct wire_field setup_fields[] = {
    FIELD(wire_setup, script, 1, WIRE_SCRIPT_BYTES_MAX),
    LIST(wire_setup, env, 0, WIRE_ENV_MAX, WIRE_SCRIPT_BYTES_MAX),
    FIELD(wire_setup, timeout_ns, 1, WIRE_DURATION_NS_MAX),
};
static const struct wire_table setup_table = {&wire__setup__descriptor, sizeof(struct wire_setup),
                                              setup_fields, ARRAY_LEN(setup_fields)};

static const struct wire_field setup_done_fields[] = {
    SUB(wire_setup_done, ending, ending_table),
};
static const struct wire_table setup_done_table = {&wire__setup_done__descriptor,
                                                   sizeof(struct wire_setup_done),
                                                   setup_done_fields, ARRAY_LEN(setup_done_fields)};

static const struct wire_field service_fields[] = {
    FIELD(wire_service, command, 1, WIRE_SCRIPT_BYTES_MAX),
    LIST(wire_service, env, 0, WIRE_ENV_MAX, WIRE_SCRIPT_BYTES_MAX),
    FIELD(wire_service, cwd, 0, WIRE_TEXT_BYTES_MAX),
    FIELD(wire_service, restart, 0, WIRE_RESTART_ALWAYS),
    FIELD(wire_service, stop_signal, 0, 64),
    FIELD(wire_service, stop_timeout_ns, 0, WIRE_DURATION_NS_MAX),
};
static const struct wire_table service_table = {&wire__service__descriptor,
                                                sizeof(struct wire_service), service_fields,
                                                ARRAY_LEN(service_fields)};

static const struct wire_table service_stop_table = {&wire__service_stop__descriptor,
                                                     sizeof(struct wire_service_stop), NULL, 0};

static const struct wire_field service_state_fields[] = {
    FIELD(wire_service_state, state, 0, WIRE_SERVICE_ENDED),
    FIELD(wire_service_state, starts, 0, UINT64_MAX),
    SUB(wire_service_state, ending, ending_table),
};
static const struct wire_table service_state_table = {
    &wire__service_state__descriptor, sizeof(struct wire_service_state), service_state_fields,
    ARRAY_LEN(service_state_fields)};

static const struct wire_field ready_probe_fields[] = {
    FIELD(wire_ready_probe, kind, 0, WIRE_PROBE_RUN),
    FIELD(wire_ready_probe, target, 0, WIRE_TEXT_BYTES_MAX),
    FIELD(wire_ready_probe, command, 0, WIRE_SCRIPT_BYTES_MAX),
    LIST(wire_ready_probe, env, 0, WIRE_ENV_MAX, WIRE_SCRIPT_BYTES_MAX),
    FIELD(wire_ready_probe, every_ns, 1, WIRE_DURATION_NS_MAX),
    FIELD(wire_ready_probe, timeout_ns, 1, WIRE_DURATION_NS_MAX),
};
static const struct wire_table ready_probe_table = {
    &wire__ready_probe__descriptor, sizeof(struct wire_ready_probe), ready_probe_fields,
    ARRAY_LEN(ready_probe_fields)};

static const struct wire_field ready_fields[] = {
    FIELD(wire_ready, attempts, 0, UINT64_MAX),
    FIELD(wire_ready, took_ns, 0, UINT64_MAX),
};
static const struct wire_table ready_table = {&wire__ready__descriptor, sizeof(struct wire_ready),
                                              ready_fields, ARRAY_LEN(ready_fields)};

static const struct wire_field not_ready_fields[] = {
    FIELD(wire_not_ready, why, 0, WIRE_TEXT_BYTES_MAX),
    FIELD(wire_not_ready, attempts, 0, UINT64_MAX),
};
static const struct wire_table not_ready_table = {&wire__not_ready__descriptor,
                                                  sizeof(struct wire_not_ready), not_ready_fields,
                                                  ARRAY_LEN(not_ready_fields)};

static const struct wire_field phase_prepare_fields[] = {
    FIELD(wire_phase_prepare, phase, 1, PHASES_MAX),
    FIELD(wire_phase_prepare, name, 1, NAME_BYTES_MAX),
    FIELD(wire_phase_prepare, command, 0, WIRE_SCRIPT_BYTES_MAX),
    LIST(wire_phase_prepare, env, 0, WIRE_ENV_MAX, WIRE_SCRIPT_BYTES_MAX),
    FIELD(wire_phase_prepare, duration_ns, 0, WIRE_DURATION_NS_MAX),
    FIELD(wire_phase_prepare, timeout_ns, 1, WIRE_DURATION_NS_MAX),
    SUB_OR_NONE(wire_phase_prepare, load, load_table),
};
static const struct wire_table phase_prepare_table = {
    &wire__phase_prepare__descriptor, sizeof(struct wire_phase_prepare), phase_prepare_fields,
    ARRAY_LEN(phase_prepare_fields)};

static const struct wire_field phase_prepared_fields[] = {
    FIELD(wire_phase_prepared, phase, 1, PHASES_MAX),
    FIELD(wire_phase_prepared, why, 0, WIRE_TEXT_BYTES_MAX),
};
static const struct wire_table phase_prepared_table = {
    &wire__phase_prepared__descriptor, sizeof(struct wire_phase_prepared), phase_prepared_fields,
    ARRAY_LEN(phase_prepared_fields)};

static const struct wire_field phase_start_fields[] = {
    FIELD(wire_phase_start, phase, 1, PHASES_MAX),
    FIELD(wire_phase_start, at_ns, 0, UINT64_MAX),
};
static const struct wire_table phase_start_table = {
    &wire__phase_start__descriptor, sizeof(struct wire_phase_start), phase_start_fields,
    ARRAY_LEN(phase_start_fields)};

static const struct wire_field phase_started_fields[] = {
    FIELD(wire_phase_started, phase, 1, PHASES_MAX),
    FIELD(wire_phase_started, planned_ns, 0, UINT64_MAX),
    FIELD(wire_phase_started, actual_ns, 0, UINT64_MAX),
};
static const struct wire_table phase_started_table = {
    &wire__phase_started__descriptor, sizeof(struct wire_phase_started), phase_started_fields,
    ARRAY_LEN(phase_started_fields)};

static const struct wire_field phase_stop_fields[] = {
    FIELD(wire_phase_stop, phase, 1, PHASES_MAX),
    FIELD(wire_phase_stop, grace_ns, 0, WIRE_DURATION_NS_MAX),
};
static const struct wire_table phase_stop_table = {&wire__phase_stop__descriptor,
                                                   sizeof(struct wire_phase_stop),
                                                   phase_stop_fields, ARRAY_LEN(phase_stop_fields)};

static const struct wire_field phase_done_fields[] = {
    FIELD(wire_phase_done, phase, 1, PHASES_MAX),   SUB(wire_phase_done, ending, ending_table),
    FIELD(wire_phase_done, planned, 0, UINT64_MAX), FIELD(wire_phase_done, sent, 0, UINT64_MAX),
    FIELD(wire_phase_done, done, 0, UINT64_MAX),    FIELD(wire_phase_done, errors, 0, UINT64_MAX),
    FIELD(wire_phase_done, cpu_ns, 0, UINT64_MAX),
};
static const struct wire_table phase_done_table = {&wire__phase_done__descriptor,
                                                   sizeof(struct wire_phase_done),
                                                   phase_done_fields, ARRAY_LEN(phase_done_fields)};

static const struct wire_field sample_fields[] = {
    FIELD(wire_sample, phase, 1, PHASES_MAX),
    FIELD(wire_sample, from_ns, 0, UINT64_MAX),
    FIELD(wire_sample, until_ns, 0, UINT64_MAX),
    SUBLIST(wire_sample, requests, 0, REQUESTS_MAX, sample_request_table),
    FIELD(wire_sample, last_part, 0, UINT64_MAX),
    FIELD(wire_sample, late, 0, UINT64_MAX),
    FIELD(wire_sample, late_ns_max, 0, UINT64_MAX),
    FIELD(wire_sample, late_self, 0, UINT64_MAX),
    FIELD(wire_sample, connects, 0, UINT64_MAX),
    FIELD(wire_sample, retries, 0, UINT64_MAX),
    FIELD(wire_sample, open, 0, UINT64_MAX),
    FIELD(wire_sample, in_flight, 0, UINT64_MAX),
    FIELD(wire_sample, backlog, 0, UINT64_MAX),
    FIELD(wire_sample, delay, 0, WIRE_HIST_BYTES_MAX),
};
static const struct wire_table sample_table = {
    &wire__sample__descriptor, sizeof(struct wire_sample), sample_fields, ARRAY_LEN(sample_fields)};

static const struct wire_field output_fields[] = {
    FIELD(wire_output, source, 0, WIRE_FROM_PHASE),
    FIELD(wire_output, phase, 0, PHASES_MAX),
    FIELD(wire_output, stream, 1, 2),
    FIELD(wire_output, bytes, 0, WIRE_CHUNK_BYTES_MAX),
    FIELD(wire_output, dropped_bytes, 0, UINT64_MAX),
};
static const struct wire_table output_table = {
    &wire__output__descriptor, sizeof(struct wire_output), output_fields, ARRAY_LEN(output_fields)};

static const struct wire_field collect_fields[] = {
    FIELD(wire_collect, collect, 1, UINT64_MAX),
    FIELD(wire_collect, phase, 0, PHASES_MAX),
    LIST(wire_collect, globs, 1, WIRE_GLOBS_MAX, WIRE_TEXT_BYTES_MAX),
    FIELD(wire_collect, files_max, 1, WIRE_FILES_MAX),
    FIELD(wire_collect, file_bytes_max, 1, UINT64_MAX),
    FIELD(wire_collect, total_bytes_max, 1, UINT64_MAX),
};
static const struct wire_table collect_table = {&wire__collect__descriptor,
                                                sizeof(struct wire_collect), collect_fields,
                                                ARRAY_LEN(collect_fields)};

static const struct wire_field file_fields[] = {
    FIELD(wire_file, collect, 1, UINT64_MAX),
    FIELD(wire_file, file, 1, WIRE_FILES_MAX),
    FIELD(wire_file, path, 1, WIRE_TEXT_BYTES_MAX),
    FIELD(wire_file, size_bytes, 0, UINT64_MAX),
    FIELD(wire_file, mode, 0, 07777),
    FIELD(wire_file, cut, 0, UINT64_MAX),
};
static const struct wire_table file_table = {&wire__file__descriptor, sizeof(struct wire_file),
                                             file_fields, ARRAY_LEN(file_fields)};

static const struct wire_field file_chunk_fields[] = {
    FIELD(wire_file_chunk, collect, 1, UINT64_MAX),
    FIELD(wire_file_chunk, file, 1, WIRE_FILES_MAX),
    FIELD(wire_file_chunk, offset, 0, UINT64_MAX),
    FIELD(wire_file_chunk, bytes, 0, WIRE_CHUNK_BYTES_MAX),
    FIELD(wire_file_chunk, last, 0, UINT64_MAX),
    FIELD(wire_file_chunk, sha256, 0, 32),
};
static const struct wire_table file_chunk_table = {&wire__file_chunk__descriptor,
                                                   sizeof(struct wire_file_chunk),
                                                   file_chunk_fields, ARRAY_LEN(file_chunk_fields)};

static const struct wire_field collect_done_fields[] = {
    FIELD(wire_collect_done, collect, 1, UINT64_MAX),
    FIELD(wire_collect_done, files, 0, WIRE_FILES_MAX),
    FIELD(wire_collect_done, total_bytes, 0, UINT64_MAX),
    LIST(wire_collect_done, skipped, 0, WIRE_SKIPPED_MAX, WIRE_TEXT_BYTES_MAX),
};
static const struct wire_table collect_done_table = {
    &wire__collect_done__descriptor, sizeof(struct wire_collect_done), collect_done_fields,
    ARRAY_LEN(collect_done_fields)};

static const struct wire_field notice_fields[] = {
    FIELD(wire_notice, action, 1, 64),
    FIELD(wire_notice, at_unix_ms, 0, UINT64_MAX),
    FIELD(wire_notice, left_ns, 0, UINT64_MAX),
};
static const struct wire_table notice_table = {
    &wire__notice__descriptor, sizeof(struct wire_notice), notice_fields, ARRAY_LEN(notice_fields)};

static const struct wire_field extend_fields[] = {
    FIELD(wire_extend, cap_left_ns, 1, WIRE_DURATION_NS_MAX),
};
static const struct wire_table extend_table = {
    &wire__extend__descriptor, sizeof(struct wire_extend), extend_fields, ARRAY_LEN(extend_fields)};

static const struct wire_field power_off_fields[] = {
    FIELD(wire_power_off, grace_ns, 0, WIRE_DURATION_NS_MAX),
    FIELD(wire_power_off, why, 0, WIRE_TEXT_BYTES_MAX),
};
static const struct wire_table power_off_table = {&wire__power_off__descriptor,
                                                  sizeof(struct wire_power_off), power_off_fields,
                                                  ARRAY_LEN(power_off_fields)};

static const struct wire_field bye_fields[] = {
    FIELD(wire_bye, why, 0, WIRE_TEXT_BYTES_MAX),
};
static const struct wire_table bye_table = {&wire__bye__descriptor, sizeof(struct wire_bye),
                                            bye_fields, ARRAY_LEN(bye_fields)};

static const struct wire_field ack_fields[] = {
    FIELD(wire_ack, acked_seq, 0, UINT64_MAX),
};
static const struct wire_table ack_table = {&wire__ack__descriptor, sizeof(struct wire_ack),
                                            ack_fields, ARRAY_LEN(ack_fields)};

static const struct {
    const char *name;
    const struct wire_table *table;
} wire_types[WIRE_TYPE_END] = {
    [WIRE_JOIN] = {"join", &join_table},
    [WIRE_WELCOME] = {"welcome", &welcome_table},
    [WIRE_REFUSE] = {"refuse", &refuse_table},
    [WIRE_PING] = {"ping", &ping_table},
    [WIRE_PONG] = {"pong", &pong_table},
    [WIRE_HEARTBEAT] = {"heartbeat", &heartbeat_table},
    [WIRE_SETUP] = {"setup", &setup_table},
    [WIRE_SETUP_DONE] = {"setup_done", &setup_done_table},
    [WIRE_SERVICE] = {"service", &service_table},
    [WIRE_SERVICE_STOP] = {"service_stop", &service_stop_table},
    [WIRE_SERVICE_STATE] = {"service_state", &service_state_table},
    [WIRE_READY_PROBE] = {"ready_probe", &ready_probe_table},
    [WIRE_READY] = {"ready", &ready_table},
    [WIRE_NOT_READY] = {"not_ready", &not_ready_table},
    [WIRE_PHASE_PREPARE] = {"phase_prepare", &phase_prepare_table},
    [WIRE_PHASE_PREPARED] = {"phase_prepared", &phase_prepared_table},
    [WIRE_PHASE_START] = {"phase_start", &phase_start_table},
    [WIRE_PHASE_STARTED] = {"phase_started", &phase_started_table},
    [WIRE_PHASE_STOP] = {"phase_stop", &phase_stop_table},
    [WIRE_PHASE_DONE] = {"phase_done", &phase_done_table},
    [WIRE_SAMPLE] = {"sample", &sample_table},
    [WIRE_OUTPUT] = {"output", &output_table},
    [WIRE_COLLECT] = {"collect", &collect_table},
    [WIRE_FILE] = {"file", &file_table},
    [WIRE_FILE_CHUNK] = {"file_chunk", &file_chunk_table},
    [WIRE_COLLECT_DONE] = {"collect_done", &collect_done_table},
    [WIRE_NOTICE] = {"notice", &notice_table},
    [WIRE_EXTEND] = {"extend", &extend_table},
    [WIRE_POWER_OFF] = {"power_off", &power_off_table},
    [WIRE_BYE] = {"bye", &bye_table},
    [WIRE_ACK] = {"ack", &ack_table},
};

const struct wire_table *wire_table_get(enum wire_type type) {
    must(type >= WIRE_JOIN && type < WIRE_TYPE_END);
    return wire_types[type].table;
}

const char *wire_type_name(enum wire_type type) {
    must(type >= WIRE_JOIN && type < WIRE_TYPE_END);
    return wire_types[type].name;
}
