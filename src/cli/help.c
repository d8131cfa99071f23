#include "cli/cmd.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

static const char *group_name(enum cmd_group group) {
    switch (group) {
    case CMD_TEST:
        return "TEST";
    case CMD_FLEET:
        return "FLEET";
    case CMD_RESULTS:
        return "RESULTS";
    case CMD_SETUP:
        return "SET-UP";
    case CMD_TOOLS:
        return "TOOLS";
    case CMD_HELP:
        return "HELP";
    case CMD_HIDDEN:
        break;
    }
    return NULL;
}

static void add_group(enum cmd_group group, struct buf *out) {
    bool first = true;
    for (size_t i = 0; CMDS[i]; i++) {
        if (CMDS[i]->group != group)
            continue;
        if (first)
            buf_printf(out, "%s\n", group_name(group));
        buf_printf(out, "  %-10s %s\n", CMDS[i]->name, CMDS[i]->summary);
        first = false;
    }
}

void help_overview(struct buf *out) {
    buf_add_text(
        out, "dayfly: borrow a fleet, run one test on it, keep the numbers, give everything back\n"
             "\n"
             "  dayfly validate test.yaml             is the plan right?\n"
             "  dayfly rehearse test.yaml             try it here, on emulated nodes, for nothing\n"
             "  dayfly plan test.yaml                 what would start, where, for how much\n"
             "  dayfly run test.yaml                  start, test, report, tear down\n"
             "\n");
    for (int group = CMD_TEST; group < CMD_HIDDEN; group++)
        add_group((enum cmd_group)group, out);
    buf_add_text(out, "\ndayfly help COMMAND shows examples and options.\n");
}

static void add_opts(const struct opt *opts, struct buf *out) {
    for (const struct opt *opt = opts; opt && opt->name; opt++) {
        char left[80];
        const char *words = opt->kind == OPT_WORD ? opt->words : opt->value;
        snprintf(left, sizeof left, "%s%c%c --%s%s%s", opt->letter ? "-" : " ",
                 opt->letter ? opt->letter : ' ', opt->letter ? ',' : ' ', opt->name,
                 words ? " " : "", words ? words : "");
        if (strlen(left) > 30)
            buf_printf(out, "  %s\n  %-30s  %s", left, "", opt->help);
        else
            buf_printf(out, "  %-30s  %s", left, opt->help);
        buf_add_text(out, opt->kind == OPT_LIST ? " (may be repeated)\n" : "\n");
    }
}

void help_cmd(const struct cmd *cmd, struct buf *out) {
    buf_printf(out, "dayfly %s: %s\n\n", cmd->name, cmd->summary);
    for (size_t i = 0; cmd->examples && cmd->examples[i]; i++)
        buf_printf(out, "  %s\n", cmd->examples[i]);
    buf_printf(out, "%sUSAGE\n  dayfly %s%s%s [OPTIONS]\n", cmd->examples ? "\n" : "", cmd->name,
               cmd->operands ? " " : "", cmd->operands ? cmd->operands : "");
    if (cmd->opts && cmd->opts->name) {
        buf_add_text(out, "\nOPTIONS\n");
        add_opts(cmd->opts, out);
    }
    buf_add_text(out, "\nGLOBAL OPTIONS\n");
    add_opts(GLOBAL_OPTS, out);
    if (cmd->details)
        buf_printf(out, "\n%s\n", cmd->details);
}

void cli_error(const struct err *err, const char *remedy) {
    fprintf(stderr, "error: %s\n", err->text[0] ? err->text : err_meaning(err->code));
    if (remedy)
        fprintf(stderr, "  help: %s\n", remedy);
}

void cli_print(struct str text) {
    while (text.len) {
        ssize_t sent = write(STDOUT_FILENO, text.ptr, text.len);
        if (sent <= 0)
            exit(0); /* the reader has gone: nothing left to say */
        text = str_skip(text, (size_t)sent);
    }
}
