/* wire.h - the messages between head and agent, as plain structs.
 *
 * One message is one frame of os/link.h; its bytes are the Message of wire.proto.  One field table
 * in wire.c gives encoding, decoding and every limit; what does not fit is ERR_PROTOCOL and the
 * link should be closed.  Decoded views live in the arena that the caller gave.
 *
 * Order and repetition.  `seq` numbers what must arrive exactly once: orders (head to agent) and
 * results (agent to head), each side from 1 without gaps.  Pings, heartbeats, Join, Welcome,
 * Refuse and Ack have seq 0.  After a lost link the agent joins again with `heard_seq`, the head
 * answers with `acked_seq`, and each sends again what came later; what is at or below the number
 * already heard is dropped.  The head sends Ack now and then, at least every 64 results.
 *
 *   agent: Join ->                        <- Welcome | Refuse
 *   <- Ping, Pong ->, Heartbeat ->        at any time after Welcome
 *   <- Setup, SetupDone ->                <- Service, ServiceState ->, <- ServiceStop
 *   <- ReadyProbe, Ready | NotReady ->
 *   <- PhasePrepare, PhasePrepared ->, <- PhaseStart, PhaseStarted ->, Sample ->..., PhaseDone ->
 *   <- Collect, (File ->, FileChunk ->...)..., CollectDone ->
 *   Output -> and Notice -> at any time;  <- Extend, <- PowerOff, Bye ->
 *
 * Tests: test/unit/test_wire.c, fuzz/fuzz_wire.c
 */
#ifndef WIRE_H
#define WIRE_H

#include "base/arena.h"
#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"

#define WIRE_PROTOCOL 1                    /* in Join; another number is refused */
#define WIRE_SCRIPT_BYTES_MAX (256 * 1024) /* a setup script or command */
#define WIRE_TAIL_BYTES_MAX (8 * 1024)     /* last output of a command */
#define WIRE_CHUNK_BYTES_MAX (256 * 1024)  /* of a file */
#define WIRE_ENV_MAX 512                   /* variables of one order */
#define WIRE_HIST_BYTES_MAX (512 * 1024)   /* one encoded histogram delta */
#define WIRE_FILES_MAX 10000               /* of one collection */
#define WIRE_GLOBS_MAX 256
#define WIRE_STAGES_MAX 64
#define WIRE_SKIPPED_MAX 128 /* files named as not sent; the rest are only counted */
#define WIRE_DURATION_NS_MAX (UINT64_C(400) * 86400 * NS_PER_S)
#define WIRE_TEXT_BYTES_MAX 4096 /* names, paths, reasons */

enum wire_type {
    WIRE_NONE = 0,
    WIRE_JOIN = 2, /* the field number in Message */
    WIRE_WELCOME,
    WIRE_REFUSE,
    WIRE_PING,
    WIRE_PONG,
    WIRE_HEARTBEAT,
    WIRE_SETUP,
    WIRE_SETUP_DONE,
    WIRE_SERVICE,
    WIRE_SERVICE_STOP,
    WIRE_SERVICE_STATE,
    WIRE_READY_PROBE,
    WIRE_READY,
    WIRE_NOT_READY,
    WIRE_PHASE_PREPARE,
    WIRE_PHASE_PREPARED,
    WIRE_PHASE_START,
    WIRE_PHASE_STARTED,
    WIRE_PHASE_STOP,
    WIRE_PHASE_DONE,
    WIRE_SAMPLE,
    WIRE_OUTPUT,
    WIRE_COLLECT,
    WIRE_FILE,
    WIRE_FILE_CHUNK,
    WIRE_COLLECT_DONE,
    WIRE_NOTICE,
    WIRE_EXTEND,
    WIRE_POWER_OFF,
    WIRE_BYE,
    WIRE_ACK,
    WIRE_TYPE_END
};

struct wire_join {
    struct str run;
    struct str instance_id;
    struct str token; /* join token of the run */
    uint32_t protocol;
    struct str version; /* of the agent */
    struct str arch;    /* "x86_64", "aarch64" */
    uint32_t cpus;
    uint64_t memory_bytes;
    struct str kernel;
    struct str private_ip;
    struct str boot_id;
    uint64_t heard_seq; /* last order heard; 0 on the first join */
};

struct wire_welcome {
    struct str slot; /* "client:17" */
    struct str role;
    uint32_t index;        /* of the slot in its role, from 1 */
    uint64_t lease_ns;     /* without contact for so long: save, power off */
    uint64_t leash_ns;     /* without contact for so long: traffic stops */
    uint64_t cap_left_ns;  /* time left of the cap; never more than the node has armed itself */
    uint64_t heartbeat_ns; /* between heartbeats */
    uint64_t acked_seq;    /* last result of this agent that the head has */
};

struct wire_refuse {
    struct str why;
    bool power_off;
};

struct wire_ping {
    uint64_t head_sent_ns;
};

/* Four instants of one exchange but the last: see core/clocksync.h. */
struct wire_pong {
    uint64_t head_sent_ns;
    uint64_t node_received_ns;
    uint64_t node_sent_ns;
};

/* Means over `interval_ns` before `node_ns`; counters are since the agent started. */
struct wire_heartbeat {
    uint64_t node_ns;
    uint64_t interval_ns;
    uint32_t cpu_ppm;   /* busy share of all CPUs, steal not included */
    uint32_t steal_ppm; /* taken by the hypervisor */
    uint64_t memory_used_bytes;
    uint64_t memory_total_bytes;
    uint64_t net_received_bytes;
    uint64_t net_sent_bytes;
    uint64_t tcp_retransmits;
    uint32_t phase; /* that runs here, 0: none */
};

struct wire_setup {
    struct str script;     /* plain text for /bin/sh, or with a #! line */
    const struct str *env; /* "K=V" */
    size_t env_count;
    uint64_t timeout_ns;
};

/* How a command or load ended. */
struct wire_ending {
    bool ok;
    int32_t status;         /* exit status, -1 when a signal ended it */
    uint32_t signal_number; /* or 0 */
    bool timed_out;
    bool stopped; /* on our order */
    uint64_t took_ns;
    struct str why;  /* a sentence when it could not be started or the load failed, else empty */
    struct str tail; /* last output, bytes of any kind */
};

struct wire_setup_done {
    struct wire_ending ending;
};

enum wire_restart { WIRE_RESTART_NEVER, WIRE_RESTART_ON_FAILURE, WIRE_RESTART_ALWAYS };

struct wire_service {
    struct str command;
    const struct str *env;
    size_t env_count;
    struct str cwd;       /* empty: the work directory */
    uint32_t restart;     /* enum wire_restart */
    uint32_t stop_signal; /* 0: TERM */
    uint64_t stop_timeout_ns;
};

struct wire_service_stop {
    char unused;
};

enum wire_service_phase {
    WIRE_SERVICE_STARTED,
    WIRE_SERVICE_RESTARTING,
    WIRE_SERVICE_ENDED, /* and will not be started again */
};

struct wire_service_state {
    uint32_t state;            /* enum wire_service_phase */
    uint32_t starts;           /* how often it was started */
    struct wire_ending ending; /* unless STARTED */
};

enum wire_probe {
    WIRE_PROBE_ALIVE, /* the service is running */
    WIRE_PROBE_TCP,   /* target "HOST:PORT" accepts */
    WIRE_PROBE_HTTP,  /* target is a URL that answers 200..399 */
    WIRE_PROBE_RUN,   /* command exits 0 */
};

struct wire_ready_probe {
    uint32_t kind; /* enum wire_probe */
    struct str target;
    struct str command;
    const struct str *env;
    size_t env_count;
    uint64_t every_ns;
    uint64_t timeout_ns; /* of the whole wait */
};

struct wire_ready {
    uint32_t attempts;
    uint64_t took_ns;
};

struct wire_not_ready {
    struct str why; /* of the last attempt */
    uint32_t attempts;
};

struct wire_load_request {
    struct str name;
    struct str method;
    struct str target;         /* "/search?q=boots" */
    const struct str *headers; /* "Name: value" */
    size_t headers_count;
    struct str body;
    uint32_t status_min, status_max; /* expected, both included; 0, 0: 200..399 */
    struct str body_pattern;         /* POSIX extended expression; empty: any body */
    uint64_t time_max_ns;            /* 0: any */
    uint32_t weight;                 /* >= 1 */
};

/* Micro-requests per second of the whole fleet; a duration of 0 is a step. */
struct wire_load_stage {
    uint64_t from_micro;
    uint64_t to_micro;
    uint64_t duration_ns;
};

/* See load/load.h: the agent looks up the host and starts exactly this. */
struct wire_load {
    struct str origin; /* "http://HOST[:PORT]" or "https://...", no path */
    const struct wire_load_request *requests;
    size_t requests_count; /* 1..REQUESTS_MAX */
    const struct wire_load_stage *stages;
    size_t stages_count; /* 0: closed loop */
    uint32_t users;      /* closed loop: of the whole fleet */
    uint64_t think_ns_min, think_ns_max;
    uint32_t connections; /* of this node */
    uint64_t timeout_ns;
    uint64_t duration_ns; /* closed loop */
    uint64_t seed;
    uint32_t shard_index, shard_count;
    bool close_each;
    bool tls_insecure;
    uint32_t threads; /* 0: one a CPU, at most 4 */
};

struct wire_phase_prepare {
    uint32_t phase; /* number, from 1 */
    struct str name;
    struct str command; /* empty with `load` */
    const struct str *env;
    size_t env_count;
    uint64_t duration_ns;         /* of a command: TERM then and fine; 0: until it ends */
    uint64_t timeout_ns;          /* then failed */
    const struct wire_load *load; /* NULL: a command */
};

struct wire_phase_prepared {
    uint32_t phase;
    struct str why; /* empty: prepared; else why it cannot */
};

struct wire_phase_start {
    uint32_t phase;
    uint64_t at_ns; /* the node's monotonic clock */
};

struct wire_phase_started {
    uint32_t phase;
    uint64_t planned_ns; /* node clock */
    uint64_t actual_ns;
};

struct wire_phase_stop {
    uint32_t phase;
    uint64_t grace_ns; /* between TERM and KILL; load: for replies outstanding */
};

struct wire_phase_done {
    uint32_t phase;
    struct wire_ending ending;
    uint64_t planned, sent, done, errors; /* of a load */
    uint64_t cpu_ns;                      /* of its workers */
};

struct wire_sample_request {
    uint32_t request; /* index in Load.requests */
    uint64_t planned, sent, done, ok;
    const uint64_t *errors; /* by enum load_error */
    size_t errors_count;
    const uint64_t *status; /* replies by hundreds, [0] others */
    size_t status_count;
    uint64_t bytes_in, bytes_out;
    struct str latency; /* core/hist, encoded; empty: nothing recorded */
    struct str service;
};

/* What happened in one interval of a load: struct load_sample as deltas.  Requests in which nothing
 * happened are left out.  A sample too big for one message comes in several with the same from_ns;
 * what is not by request stands in the one with `last_part`, and is zero in the others. */
struct wire_sample {
    uint32_t phase;
    uint64_t from_ns, until_ns; /* since the start of the phase as it was planned */
    const struct wire_sample_request *requests;
    size_t requests_count;
    bool last_part;
    uint64_t late;
    uint64_t late_ns_max;
    uint64_t late_self;
    uint64_t connects;
    uint64_t retries;
    uint32_t open, in_flight;
    uint64_t backlog;
    struct str delay; /* core/hist, encoded */
};

enum wire_source { WIRE_FROM_SETUP, WIRE_FROM_SERVICE, WIRE_FROM_PHASE };

struct wire_output {
    uint32_t source; /* enum wire_source */
    uint32_t phase;  /* number, 0 unless WIRE_FROM_PHASE */
    uint32_t stream; /* 1 stdout, 2 stderr */
    struct str bytes;
    uint64_t dropped_bytes; /* before these: over the quota of output */
};

struct wire_collect {
    uint32_t collect;        /* number, from 1 */
    uint32_t phase;          /* relative globs are beneath its directory; 0: the work directory */
    const struct str *globs; /* absolute or relative */
    size_t globs_count;
    uint32_t files_max;
    uint64_t file_bytes_max;
    uint64_t total_bytes_max;
};

struct wire_file {
    uint32_t collect;
    uint32_t file;       /* from 1 */
    struct str path;     /* relative, no "..", no empty part: safe to join to a directory */
    uint64_t size_bytes; /* that will be sent */
    uint32_t mode;
    bool cut; /* the file is longer: its end is missing */
};

struct wire_file_chunk {
    uint32_t collect;
    uint32_t file;
    uint64_t offset;
    struct str bytes;
    bool last;
    struct str sha256; /* 32 bytes with the last chunk: of what was sent */
};

struct wire_collect_done {
    uint32_t collect;
    uint32_t files;
    uint64_t total_bytes;
    const struct str *skipped; /* "PATH: why" */
    size_t skipped_count;
};

struct wire_notice {
    struct str action; /* "terminate", "stop", "hibernate" */
    int64_t at_unix_ms;
    uint64_t left_ns; /* by the node's wall clock */
};

struct wire_extend {
    uint64_t cap_left_ns;
};

struct wire_power_off {
    uint64_t grace_ns; /* for the service to stop */
    struct str why;
};

struct wire_bye {
    struct str why;
};

struct wire_ack {
    uint64_t acked_seq;
};

struct wire_message {
    enum wire_type type;
    uint64_t seq;
    union {
        struct wire_join join;
        struct wire_welcome welcome;
        struct wire_refuse refuse;
        struct wire_ping ping;
        struct wire_pong pong;
        struct wire_heartbeat heartbeat;
        struct wire_setup setup;
        struct wire_setup_done setup_done;
        struct wire_service service;
        struct wire_service_stop service_stop;
        struct wire_service_state service_state;
        struct wire_ready_probe ready_probe;
        struct wire_ready ready;
        struct wire_not_ready not_ready;
        struct wire_phase_prepare phase_prepare;
        struct wire_phase_prepared phase_prepared;
        struct wire_phase_start phase_start;
        struct wire_phase_started phase_started;
        struct wire_phase_stop phase_stop;
        struct wire_phase_done phase_done;
        struct wire_sample sample;
        struct wire_output output;
        struct wire_collect collect;
        struct wire_file file;
        struct wire_file_chunk file_chunk;
        struct wire_collect_done collect_done;
        struct wire_notice notice;
        struct wire_extend extend;
        struct wire_power_off power_off;
        struct wire_bye bye;
        struct wire_ack ack;
    };
};

/* Append the message's bytes.  A message beyond a limit of ours is ERR_LIMIT, `into` as before. */
NODISCARD int wire_encode(const struct wire_message *message, struct buf *into, struct err *err);
/* Parse one frame; views and lists are made in `arena` (which should have a limit of a few MB).
 * Errors: ERR_PROTOCOL. */
NODISCARD int wire_decode(struct str frame, struct arena *arena, struct wire_message *ret_message,
                          struct err *err);
/* "phase_start" */
const char *wire_type_name(enum wire_type type);
/* True for orders and results: those that carry a seq. */
bool wire_type_is_numbered(enum wire_type type);

#endif
