#include "node/command.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "os/file.h"
#include "os/process.h"

#define COMMAND_INLINE_BYTES_MAX 65536 /* of one argument; the kernel takes 128 KiB */
#define COMMAND_ENV_MAX (WIRE_ENV_MAX + 256)

extern char **environ;

struct command {
    struct agent *agent;
    struct process *process;
    uint32_t source, phase;
    bool quiet;
    uint64_t sent_bytes;    /* as Output */
    uint64_t dropped_bytes; /* since the last Output */
    struct buf tail;
    void (*on_done)(void *arg, const struct wire_ending *ending);
    void *arg;
};

struct wire_ending command_unstarted(const struct err *why) {
    return (struct wire_ending){.status = 127, .why = str_from(why->text)};
}

static void command_keep_tail(struct command *c, struct str bytes) {
    if (bytes.len >= WIRE_TAIL_BYTES_MAX) {
        buf_reset(&c->tail);
        bytes = str_skip(bytes, bytes.len - WIRE_TAIL_BYTES_MAX);
    }
    if (c->tail.len + bytes.len > WIRE_TAIL_BYTES_MAX)
        buf_consume(&c->tail, c->tail.len + bytes.len - WIRE_TAIL_BYTES_MAX);
    buf_add_str(&c->tail, bytes);
}

static void command_on_output(void *arg, enum process_stream stream, struct str bytes) {
    struct command *c = arg;
    command_keep_tail(c, bytes);
    if (c->quiet)
        return;
    if (!agent_has_room(c->agent) || c->sent_bytes + bytes.len > COMMAND_OUTPUT_BYTES_MAX) {
        c->dropped_bytes += bytes.len;
        return;
    }
    struct wire_message message = {.type = WIRE_OUTPUT,
                                   .output = {.source = c->source,
                                              .phase = c->phase,
                                              .stream = (uint32_t)stream,
                                              .bytes = bytes,
                                              .dropped_bytes = c->dropped_bytes}};
    c->sent_bytes += bytes.len;
    c->dropped_bytes = 0;
    agent_result(c->agent, &message);
}

static void command_on_exit(void *arg, const struct process_exit *exit) {
    struct command *c = arg;
    struct wire_ending ending = {.ok = exit->status == 0,
                                 .status = exit->status,
                                 .signal_number = (uint32_t)exit->signal_number,
                                 .timed_out = exit->timed_out,
                                 .stopped = exit->stopped,
                                 .took_ns = exit->ended_ns - exit->started_ns,
                                 .tail = buf_str(&c->tail)};
    if (exit->timed_out) {
        ending.ok = false;
        ending.why = STR("took longer than its timeout");
    }
    if (c->dropped_bytes > 0 && !c->quiet) {
        struct wire_message message = {.type = WIRE_OUTPUT,
                                       .output = {.source = c->source,
                                                  .phase = c->phase,
                                                  .stream = PROCESS_STDOUT,
                                                  .dropped_bytes = c->dropped_bytes}};
        c->dropped_bytes = 0;
        agent_result(c->agent, &message);
    }
    c->on_done(c->arg, &ending); /* last: it may free us */
}

static struct str command_env_name(struct str entry) {
    return str_slice(entry, 0, str_index_of(entry, '='));
}

struct command_env {
    char *entries[COMMAND_ENV_MAX + 1]; /* NULL-terminated, owned */
    size_t count;
};

static void command_env_free(struct command_env **own_env) {
    for (size_t i = 0; i < (*own_env)->count; i++)
        mem_free((*own_env)->entries[i]);
    mem_free(*own_env);
}

static void command_env_set(struct command_env *env, struct str entry) {
    struct str name = command_env_name(entry);
    for (size_t i = 0; i < env->count; i++) {
        if (!str_equal(command_env_name(str_from(env->entries[i])), name))
            continue;
        mem_free(env->entries[i]);
        env->entries[i] = str_dup(entry);
        return;
    }
    if (env->count < COMMAND_ENV_MAX)
        env->entries[env->count++] = str_dup(entry);
}

static struct command_env *command_make_env(const struct command *c,
                                            const struct command_spec *spec) {
    struct command_env *env = mem_new(sizeof *env);
    size_t count = 0;
    for (char **entry = environ; *entry != NULL; entry++)
        command_env_set(env, str_from(*entry));
    const struct str *ours = agent_env(c->agent, &count);
    for (size_t i = 0; i < count; i++)
        command_env_set(env, ours[i]);
    for (size_t i = 0; i < spec->env_count; i++)
        if (str_contains(spec->env[i], STR("=")))
            command_env_set(env, spec->env[i]);
    return env;
}

static int command_spawn(struct command *c, const struct command_spec *spec, struct err *err) {
    char file[1024];
    CLEANUP(mem_freep) char *text = NULL;
    const char *const by_text[] = {"/bin/sh", "-c", NULL, NULL};
    const char *argv[4];
    bool by_itself = str_starts_with(spec->script, STR("#!"));
    memcpy(argv, by_text, sizeof argv);
    if (by_itself || spec->script.len > COMMAND_INLINE_BYTES_MAX) {
        snprintf(file, sizeof file, "%s/%s.sh", agent_dir(c->agent), spec->name);
        TRY(file_write(file, spec->script, 0700, err));
        argv[0] = by_itself ? file : "/bin/sh";
        argv[1] = by_itself ? NULL : file;
    } else {
        text = str_dup(spec->script);
        argv[2] = text;
    }
    if (spec->dir != NULL)
        TRY(file_make_dirs(spec->dir, 0755, err));
    CLEANUP(command_env_free) struct command_env *env = command_make_env(c, spec);
    struct process_spec process = {.argv = argv,
                                   .env = (const char *const *)env->entries,
                                   .cwd = spec->dir != NULL ? spec->dir : agent_dir(c->agent),
                                   .timeout_ns = spec->timeout_ns,
                                   .grace_ns = spec->grace_ns,
                                   .on_output = command_on_output,
                                   .on_exit = command_on_exit,
                                   .arg = c};
    return process_start(agent_loop(c->agent), &process, &c->process, err);
}

int command_start(struct agent *agent, const struct command_spec *spec,
                  struct command **ret_command, struct err *err) {
    struct command *c = mem_new(sizeof *c);
    c->agent = agent;
    c->source = spec->source;
    c->phase = spec->phase;
    c->quiet = spec->quiet;
    c->on_done = spec->on_done;
    c->arg = spec->arg;
    buf_init(&c->tail, WIRE_TAIL_BYTES_MAX);
    int result = command_spawn(c, spec, err);
    if (result < 0) {
        command_free(c);
        return result;
    }
    *ret_command = c;
    return 0;
}

void command_stop(struct command *command, int signal_number, uint64_t grace_ns) {
    process_stop(command->process, signal_number, grace_ns);
}

bool command_running(const struct command *command) {
    return process_running(command->process);
}

void command_free(struct command *own_command) {
    if (own_command == NULL)
        return;
    process_free(own_command->process);
    buf_deinit(&own_command->tail);
    mem_free(own_command);
}
