#include "emu/options.h"

#include "base/units.h"

#define SPEED_MILLI_MAX 1000000

enum kind { TEXT, SPAN, SHARE, DURATION, COUNT, SPEED, FLAG, LIST, ISOLATE, INTERRUPT };

/* One row an option: where its value goes, and what it takes when somebody gets it wrong. */
struct row {
    const char *name;
    enum kind kind;
    size_t offset;       /* in struct emu_options */
    size_t count_offset; /* LIST: of its counter */
    const char *takes;
};

#define AT(field) offsetof(struct emu_options, field)

static const struct row ROWS[] = {
    {"listen", TEXT, AT(listen), 0, "ADDRESS:PORT"},
    {"state-dir", TEXT, AT(state_dir), 0, "a folder"},
    {"region", TEXT, AT(region), 0, "a region such as us-east-1"},
    {"isolate", ISOLATE, AT(isolate), 0, "process or namespace"},
    {"boot", SPAN, AT(boot_ns_min), 0, "durations such as 1s-3s"},
    {"api", SPAN, AT(api_ns_min), 0, "durations such as 30ms-120ms"},
    {"pending", SPAN, AT(pending_ns_min), 0, "durations such as 5s-18s"},
    {"terminate", SPAN, AT(terminate_ns_min), 0, "durations such as 10s-40s"},
    {"visible", DURATION, AT(visible_ns_max), 0, "a duration such as 1s"},
    {"dud", SHARE, AT(dud_ppm), 0, "a share such as 25%"},
    {"slow", SHARE, AT(slow_ppm), 0, "a share such as 5%"},
    {"interrupt", INTERRUPT, AT(interrupt_ppm), 0, "a share such as 10%, or 1/2m"},
    {"interrupt-after", SPAN, AT(interrupt_ns_min), 0, "durations such as 30s-90s"},
    {"notice", DURATION, AT(notice_ns), 0, "a duration such as 2m"},
    {"capacity", LIST, AT(capacity), AT(capacity_count), "TYPE[@ZONE]=N"},
    {"fault", LIST, AT(faults), AT(fault_count), "op=CALL,nth=N,mode=MODE"},
    {"quota", COUNT, AT(quota_vcpus), 0, "a number of vCPUs"},
    {"seed", COUNT, AT(seed), 0, "a number"},
    {"speed", SPEED, AT(speed_milli), 0, "a factor such as 10"},
    {"minute", DURATION, AT(minute_ns), 0, "a duration such as 1s"},
    {"idle", DURATION, AT(idle_ns), 0, "a duration such as 30s"},
    {"agent-on-image", FLAG, AT(agent_on_image), 0, "yes or no"},
    {"throttle", FLAG, AT(throttle), 0, "yes or no"},
    {"exit-when-idle", FLAG, AT(exit_when_idle), 0, "yes or no"},
};

void emu_options_init(struct emu_options *o) {
    *o = (struct emu_options){
        .listen = str_dup(STR("127.0.0.1:0")),
        .region = str_dup(STR("us-east-1")),
        .isolate = EMU_PROCESS,
        .boot_ns_min = NS_PER_S,
        .boot_ns_max = 3 * NS_PER_S,
        .api_ns_min = 30 * NS_PER_MS,
        .api_ns_max = 120 * NS_PER_MS,
        .pending_ns_min = 500 * NS_PER_MS,
        .pending_ns_max = 1500 * NS_PER_MS,
        .terminate_ns_min = 500 * NS_PER_MS,
        .terminate_ns_max = 2 * NS_PER_S,
        .visible_ns_max = NS_PER_S,
        .interrupt_ns_min = 30 * NS_PER_S,
        .interrupt_ns_max = 90 * NS_PER_S,
        .notice_ns = 120 * NS_PER_S,
        .minute_ns = 60 * NS_PER_S,
        .speed_milli = 1000,
        .throttle = true,
        .ready_fd = -1,
        .idle_ns = 30 * NS_PER_S,
    };
}

void emu_options_deinit(struct emu_options *o) {
    for (unsigned i = 0; i < o->capacity_count; i++)
        mem_free(o->capacity[i]);
    for (unsigned i = 0; i < o->fault_count; i++)
        mem_free(o->faults[i]);
    mem_free(o->listen);
    mem_free(o->state_dir);
    mem_free(o->region);
    *o = (struct emu_options){.ready_fd = -1};
}

/* "1s-3s" or "2s". */
static int parse_span(struct str text, uint64_t *ret_min, uint64_t *ret_max) {
    size_t dash = str_index_of(text, '-');
    uint64_t low = 0;
    TRY(units_duration(str_slice(text, 0, dash), &low, NULL));
    uint64_t high = low;
    if (dash < text.len)
        TRY(units_duration(str_skip(text, dash + 1), &high, NULL));
    if (high < low)
        return -1;
    *ret_min = low;
    *ret_max = high;
    return 0;
}

/* "10%": a share; "1/2m": one each 2 minutes. */
static int parse_interrupt(struct emu_options *o, struct str text) {
    if (str_starts_with(text, STR("1/")))
        return units_duration(str_skip(text, 2), &o->interrupt_every_ns, NULL);
    uint64_t ppm = 0;
    TRY(units_percent(text, &ppm, NULL));
    if (ppm > MICRO)
        return -1;
    o->interrupt_ppm = (uint32_t)ppm;
    return 0;
}

static int parse_speed(struct str text, uint64_t *ret_milli) {
    int64_t micro = 0;
    TRY(units_decimal_micro(text, &micro, NULL));
    if (micro < 1000 || micro / 1000 > SPEED_MILLI_MAX)
        return -1;
    *ret_milli = (uint64_t)micro / 1000;
    return 0;
}

static int parse_flag(struct str text, bool *ret) {
    bool yes = str_equal(text, STR("yes")) || str_equal(text, STR("true"));
    if (!yes && !str_equal(text, STR("no")) && !str_equal(text, STR("false")))
        return -1;
    *ret = yes;
    return 0;
}

static int parse_share(struct str text, uint32_t *ret_ppm) {
    uint64_t ppm = 0;
    TRY(units_percent(text, &ppm, NULL));
    if (ppm > MICRO)
        return -1;
    *ret_ppm = (uint32_t)ppm;
    return 0;
}

static int add_to_list(char **list, unsigned *count, struct str text) {
    if (*count >= EMU_LIST_MAX)
        return -1;
    list[(*count)++] = str_dup(text);
    return 0;
}

static int parse_isolate(struct str text, enum emu_isolate *ret) {
    if (str_equal(text, STR("namespace")))
        *ret = EMU_NAMESPACE;
    else if (str_equal(text, STR("process")))
        *ret = EMU_PROCESS;
    else
        return -1;
    return 0;
}

static int parse_row(struct emu_options *o, const struct row *row, struct str text) {
    char *at = (char *)o + row->offset;
    switch (row->kind) {
    case TEXT:
        if (text.len == 0)
            return -1;
        mem_free(*(char **)(void *)at);
        *(char **)(void *)at = str_dup(text);
        return 0;
    case SPAN: /* its two fields stand beside each other */
        return parse_span(text, (uint64_t *)(void *)at, (uint64_t *)(void *)at + 1);
    case SHARE:
        return parse_share(text, (uint32_t *)(void *)at);
    case DURATION:
        return units_duration(text, (uint64_t *)(void *)at, NULL);
    case COUNT:
        return units_u64(text, (uint64_t *)(void *)at, NULL);
    case SPEED:
        return parse_speed(text, (uint64_t *)(void *)at);
    case FLAG:
        return parse_flag(text, (bool *)at);
    case LIST:
        return add_to_list((char **)(void *)at, (unsigned *)(void *)((char *)o + row->count_offset),
                           text);
    case ISOLATE:
        return parse_isolate(text, (enum emu_isolate *)(void *)at);
    case INTERRUPT:
        return parse_interrupt(o, text);
    }
    return -1;
}

int emu_options_set(struct emu_options *o, const char *name, const char *value, struct err *err) {
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        if (strcmp(ROWS[i].name, name) != 0)
            continue;
        if (parse_row(o, &ROWS[i], str_from(value)) < 0)
            return err_set(err, ERR_USAGE, "%s takes %s, not '%s'", name, ROWS[i].takes, value);
        return 0;
    }
    return err_set(err, ERR_USAGE, "the rehearsal cloud has no option '%s'", name);
}

/* ---- to a command line ---------------------------------------------------------------------- */

static void add_arg(char **argv, unsigned *count, const char *name, struct buf *value) {
    must(*count + 2 < OPTIONS_ARGS_MAX);
    CLEANUP(buf_deinit) struct buf word = BUF_INIT(128);
    buf_printf(&word, "--%s", name);
    argv[(*count)++] = buf_detach(&word);
    argv[(*count)++] = str_dup(buf_str(value));
    buf_reset(value);
}

static void format_row(const struct emu_options *o, const struct row *row, struct buf *out) {
    const char *at = (const char *)o + row->offset;
    switch (row->kind) {
    case TEXT:
        if (*(char *const *)(const void *)at)
            buf_add_text(out, *(char *const *)(const void *)at);
        return;
    case SPAN:
        units_add_duration(out, ((const uint64_t *)(const void *)at)[0]);
        buf_add_byte(out, '-');
        units_add_duration(out, ((const uint64_t *)(const void *)at)[1]);
        return;
    case SHARE:
        units_add_micro(out, (int64_t) * (const uint32_t *)(const void *)at * 100);
        buf_add_byte(out, '%');
        return;
    case DURATION:
        units_add_duration(out, *(const uint64_t *)(const void *)at);
        return;
    case COUNT:
        buf_printf(out, "%llu", (unsigned long long)*(const uint64_t *)(const void *)at);
        return;
    case SPEED:
        units_add_micro(out, (int64_t) * (const uint64_t *)(const void *)at * 1000);
        return;
    case FLAG:
        buf_add_text(out, *(const bool *)at ? "yes" : "no");
        return;
    case ISOLATE:
        buf_add_text(out, o->isolate == EMU_NAMESPACE ? "namespace" : "process");
        return;
    case LIST:
    case INTERRUPT:
        return; /* any number of words: options_argv */
    }
}

char **options_argv(const struct emu_options *o) {
    char **argv = mem_new_array(OPTIONS_ARGS_MAX, sizeof *argv);
    unsigned count = 0;
    argv[count++] = str_dup(STR("dayfly"));
    argv[count++] = str_dup(STR("cloud"));
    CLEANUP(buf_deinit) struct buf value = BUF_INIT(8 * KIB);
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        if (strcmp(ROWS[i].name, "exit-when-idle") == 0)
            continue; /* a plain flag on the command line */
        format_row(o, &ROWS[i], &value);
        if (value.len > 0)
            add_arg(argv, &count, ROWS[i].name, &value);
    }
    for (unsigned i = 0; i < o->capacity_count; i++) {
        buf_add_text(&value, o->capacity[i]);
        add_arg(argv, &count, "capacity", &value);
    }
    for (unsigned i = 0; i < o->fault_count; i++) {
        buf_add_text(&value, o->faults[i]);
        add_arg(argv, &count, "fault", &value);
    }
    if (o->interrupt_every_ns > 0) {
        buf_add_text(&value, "1/");
        units_add_duration(&value, o->interrupt_every_ns);
        add_arg(argv, &count, "interrupt", &value);
    }
    if (o->interrupt_ppm > 0) {
        units_add_micro(&value, (int64_t)o->interrupt_ppm * 100);
        buf_add_byte(&value, '%');
        add_arg(argv, &count, "interrupt", &value);
    }
    if (o->exit_when_idle)
        argv[count++] = str_dup(STR("--exit-when-idle"));
    return argv;
}

void options_argv_free(char **own_argv) {
    for (char **word = own_argv; word && *word; word++)
        mem_free(*word);
    mem_free(own_argv);
}

/* ---- to the model --------------------------------------------------------------------------- */

static struct cloud_range scaled(const struct emu_options *o, uint64_t min_ns, uint64_t max_ns) {
    must(o->speed_milli > 0);
    return (struct cloud_range){min_ns / o->speed_milli * 1000, max_ns / o->speed_milli * 1000};
}

int options_to_cloud(const struct emu_options *o, struct cloud_options *ret, struct err *err) {
    cloud_options_init(ret);
    ret->seed = o->seed;
    if (!str_copy(ret->region, sizeof ret->region, str_from(o->region)))
        return err_set(err, ERR_USAGE, "region '%s' is too long", o->region);
    ret->api_ns = scaled(o, o->api_ns_min, o->api_ns_max);
    ret->pending_ns = scaled(o, o->pending_ns_min, o->pending_ns_max);
    ret->boot_ns = scaled(o, o->boot_ns_min, o->boot_ns_max);
    ret->stopping_ns = scaled(o, o->terminate_ns_min, o->terminate_ns_max);
    ret->visible_ns = scaled(o, 0, o->visible_ns_max);
    ret->dud_ppm = o->dud_ppm;
    ret->slow_ppm = o->slow_ppm;
    ret->slow_factor = 10;
    ret->interrupt_ppm = o->interrupt_ppm;
    ret->interrupt_after_ns = scaled(o, o->interrupt_ns_min, o->interrupt_ns_max);
    ret->interrupt_every_ns = o->interrupt_every_ns / o->speed_milli * 1000;
    ret->interrupt_notice_ns = o->notice_ns / o->speed_milli * 1000;
    ret->throttle = o->throttle;
    if (o->quota_vcpus > 0) {
        ret->spot_vcpus_max = (uint32_t)MIN(o->quota_vcpus, UINT32_MAX);
        ret->on_demand_vcpus_max = ret->spot_vcpus_max;
    }
    for (unsigned i = 0; i < o->capacity_count; i++)
        TRY(cloud_options_capacity(ret, str_from(o->capacity[i]), err));
    for (unsigned i = 0; i < o->fault_count; i++) {
        struct fault_rule rule;
        TRY(fault_parse(str_from(o->faults[i]), &rule, err));
        TRY(fault_table_add(&ret->faults, &rule, err));
    }
    return 0;
}
