#include "cli/cmds.h"
#include "cli/exits.h"
#include "cli/plan_open.h"
#include "plan/doc_writer.h"

#include <inttypes.h>

static const struct opt OPTS[] = {
    PLAN_SET_OPT,
    {0},
};

static void add_summary(struct buf *out, const struct plan *plan) {
    const struct {
        uint32_t count;
        const char *one, *many;
    } parts[] = {{plan->role_count, "role", "roles"},
                 {plan->phase_count, "phase", "phases"},
                 {plan->threshold_count, "threshold", "thresholds"}};
    buf_printf(out, "%.*s ok: ", STR_ARG(plan->file));
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        buf_printf(out, "%s%" PRIu32 " %s", i ? ", " : "", parts[i].count,
                   parts[i].count == 1 ? parts[i].one : parts[i].many);
    buf_printf(out, ", %" PRIu32 " nodes\n", plan_nodes_wanted(plan));
}

static int run(const struct args *args) {
    CLEANUP(plan_open_deinit) struct plan_open opened;
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(64 * KIB);
    plan_open_init(&opened);
    int code = plan_open(&opened, args, args_operand(args, 0));
    if (code)
        return code;
    if (args_flag(args, "json")) {
        struct doc_writer w;
        doc_init(&w, &out, true);
        doc_map(&w, NULL);
        doc_text(&w, "schema", STR("dayfly.validate/1"));
        doc_text(&w, "file", opened.plan->file);
        doc_raw(&w, "ok", STR("true"));
        doc_list(&w, "errors");
        doc_end(&w);
        doc_end(&w);
    } else {
        add_summary(&out, opened.plan);
    }
    cli_print(buf_str(&out));
    return EXIT_OK;
}

const struct cmd cmd_validate = {
    .name = "validate",
    .summary = "check a plan file: syntax, keys, templates, thresholds; no network",
    .operands = "FILE",
    .operands_min = 1,
    .operands_max = 1,
    .group = CMD_TEST,
    .opts = OPTS,
    .examples = (const char *const[]){"dayfly validate shop.yaml",
                                      "dayfly validate shop.yaml --set roles.load.count=50", NULL},
    .run = run,
};
