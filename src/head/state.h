/* state.h - what the files of this folder share: one run as its head knows it.
 *
 *   head.c      life: preflight, feeding events, performing actions, the end
 *   setup.c     plan to struct run_config, pools, prices: everything before the first launch
 *   fleet*.c    actions that are calls of the cloud (fleet_resources.c: group and templates)
 *   agents.c    the links: joins, clocks, numbered messages both ways
 *   orders.c    actions that are orders to agents: templates resolved, messages built
 *   files.c     what agents send home: output and collected files
 *   measure.c   numbers (its own header)
 *   tell.c      notes of the core as story events
 *   view.c      the live view
 *   outcome.c   struct result and its files
 *   truth.c     what the rehearsal cloud knows of a run (its own header)
 */
#ifndef STATE_H
#define STATE_H

#include "aws/client.h"
#include "base/arena.h"
#include "base/heap.h"
#include "base/table.h"
#include "core/clocksync.h"
#include "core/run.h"
#include "head/head.h"
#include "head/measure.h"
#include "os/link.h"
#include "report/result.h"
#include "store/journal.h"

/* Where an instance of a role may come from. */
struct head_pool {
    struct str type, zone, subnet_id;
    struct str arch; /* "x86_64" */
    uint32_t vcpus;
    uint64_t spot_usd_micro_per_hour;   /* 0: unknown */
    uint64_t demand_usd_micro_per_hour; /* on-demand; 0: unknown */
};

struct head_role {
    struct head_pool pools[POOLS_MAX];
    uint32_t pool_count;
    struct str image_x86_64, image_arm64; /* resolved ids; empty: not needed */
    char max_price[24];                   /* dollars per hour for the request; "": none */
};

/* A node as the head knows it, beside what the core knows (same index). */
struct head_node {
    /* The link, and what goes over it. */
    struct link *link; /* NULL: none now */
    uint32_t link_id;  /* RUN_NONE */
    uint64_t sent_seq, heard_seq, acked_seq;
    struct head_order {
        uint64_t seq;
        char *own_bytes;
        size_t size;
    } * orders; /* every order so far: sent again after a lost link */
    uint32_t order_count, order_capacity;
    struct clocksync clock;
    uint32_t pings;
    uint64_t ping_due_ns;
    /* Facts. */
    char kernel[64], arch[16];
    char type[32], zone[24], private_ip[48], public_ip[48];
    uint32_t cpus;
    uint64_t memory_bytes;
    /* Latest sample of the host, and the worst seen. */
    bool has_cpu;
    uint32_t cpu_ppm, cpu_ppm_max, steal_ppm_max;
    uint64_t cpu_ppm_sum, cpu_samples; /* while a phase that counts ran */
    uint64_t memory_used_max;
    uint64_t heard_ns;
    /* Wall clock of its life, 0: did not happen. */
    int64_t launched_unix_ms, running_unix_ms, joined_unix_ms, ready_unix_ms, ended_unix_ms,
        gone_unix_ms;
    uint64_t setup_ns;
    int64_t skew_ns;
    bool has_skew;
    bool named_dud, interrupted;
    char note[160];
    uint64_t output_bytes; /* kept of its output, against the quota */
    uint32_t collects_asked, collects_done;
    uint16_t collect_phases[PHASES_MAX + 1]; /* of each collection asked for: phase + 1, 0: none */
    uint64_t file_bytes_left;                /* that it may still send, of what it was asked for */
    uint32_t files_left;
    struct head_file *file; /* being received */
};

struct head_link { /* a connection that is not (yet) a node's */
    uint32_t id;
    struct link *link;
    uint32_t node;   /* RUN_NONE */
    uint32_t asking; /* node index that a join named, for a refusal's text; RUN_NONE */
    uint64_t join_heard_seq;
    bool joined;
    struct wire_join_facts {
        char kernel[64], arch[16], private_ip[48];
        uint32_t cpus;
        uint64_t memory_bytes;
    } facts;
};

#define HEAD_LINKS_MAX (NODES_MAX + 1024)

struct head_queued { /* an event that came while actions were performed */
    struct run_event event;
    void *own_list, *own_second; /* what its pointers point to */
};

struct head {
    struct head_options o;
    struct loop *loop;
    struct arena arena;      /* lives as long as the head */
    const struct plan *plan; /* NULL in teardown mode */
    char id[HEAD_RUN_ID_SIZE];
    char run_dir[512], results_dir[512];
    char owner[64]; /* of what this head may end; teardown mode: "" is anybody */
    char account[24];
    char region[32];
    char token[65]; /* join token of the run */
    int64_t start_unix_ms, end_unix_ms, deadline_unix_ms;
    uint64_t start_ns;
    uint64_t seed;

    struct aws_client *aws;
    struct fleet_call *calls; /* under way */
    struct head_role roles[ROLES_MAX];
    struct str vpc_id, group_id;
    struct str fleet_ids[INTENTS_MAX];
    uint32_t fleet_count;
    uint32_t templates_deleted, groups_deleted;

    struct journal *journal;
    struct run *run;
    struct run_actions *actions;
    bool performing;
    struct head_queued *queue;
    uint32_t queue_count, queue_capacity;
    struct loop_timer *timer, *second_timer;
    bool finished;
    uint32_t exits;
    uint32_t stop_level;
    bool stopped_early; /* before there was a run to stop */

    struct link_key *key;
    struct link_server *server;
    struct buf agent_bytes;
    char agent_sha256[65];
    struct head_node *nodes; /* run->node_max */
    struct table links;      /* link id as text -> struct head_link */
    uint32_t link_next;
    uint32_t node_known; /* nodes whose facts were filled in from the core */

    struct measure *measure;
    struct measure_context last_context; /* of the last beat in which a phase ran */
    struct head_phase {
        int64_t start_unix_ms, end_unix_ms;
        uint64_t start_ns, end_ns;
        uint32_t nodes, nodes_ok, nodes_lost;
        uint64_t first_start_ns, last_start_ns; /* true instants on our clock; 0: none */
        enum run_why why;
        bool begun, ended;
        char detail[200];
    } * phases;

    uint64_t received_bytes; /* kept on disk of what all nodes have sent */
    /* The story so far, for the report and for events.ndjson. */
    struct story_event **events;
    uint32_t event_count, event_capacity;
    uint64_t event_seq;
    uint32_t told_phase, told_seconds; /* what the last progress record was about */
    int events_fd;
    struct live_view view;
    char spot_note[160];

    struct result_sweep sweeps[256];
    uint32_t sweep_count;
    int64_t clean_unix_ms;
    uint32_t kept; /* instances that the plan's teardown leaves until their ttl */
    bool clean;
    char leak[200];
    struct buf notes; /* NUL-separated, for the result */
    uint32_t note_count;
};

/* head.c */
/* Feed an event; its pointers are borrowed for the call.  Safe from anywhere on the loop. */
void head_feed(struct head *h, const struct run_event *event);
void head_note(struct head *h, const char *fmt, ...) PRINTF_LIKE(2, 3);
int64_t head_unix_ms(const struct head *h);
/* Make sure that nodes[] knows what the core learned (addresses, times). */
void head_learn_nodes(struct head *h);
/* "client:7", or the instance id of a node without a slot, into `into`. */
void head_node_name(const struct head *h, uint32_t node, char *into, size_t size);

/* setup.c */
NODISCARD int setup_preflight(struct head *h, struct err *err);
void setup_run_config(const struct head *h, struct run_config *c, struct arena *arena);
/* The times of a rehearsal cloud, which answers and forgets faster than AWS. */
void setup_rehearsal_times(struct run_config *c);

/* fleet.c: each answers by head_feed with `call` */
void fleet_close(struct head *h); /* after the client is freed: forget what was under way */
void fleet_prepare(struct head *h, uint32_t call);
void fleet_launch(struct head *h, const struct run_action *action);
void fleet_list(struct head *h, uint32_t call);
void fleet_terminate(struct head *h, uint32_t call, const uint32_t *nodes, uint32_t count);
void fleet_delete_resources(struct head *h, uint32_t call);
void fleet_console(struct head *h, uint32_t node);

/* agents.c */
NODISCARD int agents_open(struct head *h, struct err *err);
void agents_close(struct head *h);
void agents_admit(struct head *h, uint32_t link, uint32_t node);
void agents_refuse(struct head *h, uint32_t link, enum run_why why, bool power_off);
void agents_drop(struct head *h, uint32_t link);
/* Number, keep and send an order. */
void agents_order(struct head *h, uint32_t node, struct wire_message *message);
/* Keep the last line of what a node said after `fmt`, cleaned for terminals and pages. */
void agents_note(struct head_node *n, struct str said, const char *fmt, ...) PRINTF_LIKE(3, 4);
void agents_tick(struct head *h, uint64_t now_ns); /* pings, acknowledgements */

/* orders.c */
void orders_setup(struct head *h, const uint32_t *nodes, uint32_t count);
void orders_service(struct head *h, const uint32_t *nodes, uint32_t count);
void orders_phase_prepare(struct head *h, uint32_t phase, const uint32_t *nodes, uint32_t count);
void orders_phase_start(struct head *h, uint32_t phase, const uint32_t *nodes, uint32_t count,
                        uint64_t at_ns);
void orders_phase_stop(struct head *h, uint32_t phase, const uint32_t *nodes, uint32_t count);
void orders_collect(struct head *h, const uint32_t *nodes, uint32_t count);
void orders_release(struct head *h, const uint32_t *nodes, uint32_t count);

/* files.c */
void files_output(struct head *h, uint32_t node, const struct wire_output *output);
void files_begin(struct head *h, uint32_t node, const struct wire_file *file);
void files_chunk(struct head *h, uint32_t node, const struct wire_file_chunk *chunk);
void files_end(struct head *h, uint32_t node);
/* May a node's file have this name?  At most 8 parts of letters, digits, `.`, `_`, `-`. */
bool files_path_ok(struct str path);

/* tell.c */
const char *tell_why(enum run_why why); /* in words, for people */
void tell_note(struct head *h, const struct run_note *note);
void tell(struct head *h, struct story_event *event); /* numbers it, keeps it, shows it */
/* Once a second while a phase runs: what the load does, for streams and heartbeats. */
void tell_progress(struct head *h);
/* A reason in words for people. */
const char *tell_why(enum run_why why);
void tell_start(struct story_event *event, struct head *h, enum story_kind kind);

/* view.c */
void view_update(struct head *h);

/* outcome.c */
void outcome_write(struct head *h, struct head_outcome *ret_outcome);

#endif
