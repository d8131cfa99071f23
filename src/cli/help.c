#include "cli/cmd.h"
#include "cli/exits.h"
#include "core/outcome.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#define HELP_COLUMNS 80
#define HELP_LEFT 28 /* columns of an option and its value; help is beside it, or below */

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
        buf_printf(out, "  %-9s %s\n", CMDS[i]->name, CMDS[i]->summary);
        first = false;
    }
}

void help_overview(struct buf *out) {
    static const char text[] =
        "dayfly: borrow a fleet, run one test on it, keep the numbers, give it all back\n"
        "\n"
        "  dayfly validate test.yaml       is the plan right?\n"
        "  dayfly rehearse test.yaml       try it here, on emulated nodes, for nothing\n"
        "  dayfly plan test.yaml           what would start, where, for how much\n"
        "  dayfly run test.yaml            start, test, report, tear down\n"
        "\n";
    buf_add_text(out, text);
    for (int group = CMD_TEST; group < CMD_HIDDEN; group++)
        add_group((enum cmd_group)group, out);
    buf_add_text(out,
                 "\ndayfly help COMMAND shows examples and options; dayfly help options, those of\n"
                 "every command; dayfly help exit-codes, what the exit codes mean.\n");
}

/* `text` in lines of at most `columns`, broken at spaces; every line but the first begins with
 * `indent` spaces.  The cursor is at column `at`; where it is then is returned. */
static unsigned add_wrapped(struct buf *out, struct str text, unsigned at, unsigned indent) {
    struct str word;
    while (str_split(&text, ' ', &word)) {
        if (word.len == 0)
            continue;
        if (at > indent && at + 1 + word.len > HELP_COLUMNS) {
            buf_printf(out, "\n%*s", (int)indent, "");
            at = indent;
        } else if (at > indent) {
            buf_add_byte(out, ' ');
            at++;
        }
        buf_add_str(out, word);
        at += (unsigned)word.len;
    }
    return at;
}

static void add_opts(const struct opt *opts, struct buf *out) {
    for (const struct opt *opt = opts; opt && opt->name; opt++) {
        char left[80], help[400];
        const char *words = opt->kind == OPT_WORD ? opt->words : opt->value;
        snprintf(left, sizeof left, "%s%c%c --%s%s%s", opt->letter ? "-" : " ",
                 opt->letter ? opt->letter : ' ', opt->letter ? ',' : ' ', opt->name,
                 words ? " " : "", words ? words : "");
        snprintf(help, sizeof help, "%s%s", opt->help,
                 opt->kind == OPT_LIST ? " (may be repeated)" : "");
        if (strlen(left) > HELP_LEFT)
            buf_printf(out, "  %s\n%*s", left, HELP_LEFT + 4, "");
        else
            buf_printf(out, "  %-*s  ", HELP_LEFT, left);
        ignore(add_wrapped(out, str_from(help), HELP_LEFT + 4, HELP_LEFT + 4));
        buf_add_byte(out, '\n');
    }
}

/* Paragraphs, apart by an empty line, each filled anew; a line that begins with a space stays. */
static void add_details(struct buf *out, struct str text) {
    struct str line;
    unsigned at = 0;
    while (str_line(&text, &line)) {
        bool fixed = line.len == 0 || line.ptr[0] == ' ';
        if (at && fixed)
            buf_add_byte(out, '\n');
        if (fixed) {
            buf_printf(out, "%.*s\n", STR_ARG(line));
            at = 0;
            continue;
        }
        at = add_wrapped(out, line, at, 0);
    }
    if (at)
        buf_add_byte(out, '\n');
}

static void help_globals(struct buf *out) {
    CLEANUP(buf_deinit) struct buf names = BUF_INIT(4 * KIB);
    for (const struct opt *opt = GLOBAL_OPTS; opt->name; opt++)
        buf_printf(&names, "%s--%s", opt == GLOBAL_OPTS ? "" : " ", opt->name);
    buf_add_text(out, "\nGLOBAL OPTIONS (dayfly help options)\n  ");
    ignore(add_wrapped(out, buf_str(&names), 2, 2));
    buf_add_byte(out, '\n');
}

void help_cmd(const struct cmd *cmd, struct buf *out) {
    buf_printf(out, "dayfly %s:", cmd->name);
    ignore(add_wrapped(out, str_from(cmd->summary), (unsigned)strlen(cmd->name) + 8, 0));
    buf_add_text(out, "\n\n");
    for (size_t i = 0; cmd->examples && cmd->examples[i]; i++)
        buf_printf(out, "  %s\n", cmd->examples[i]);
    buf_printf(out, "%sUSAGE\n  dayfly %s%s%s [OPTIONS]\n", cmd->examples ? "\n" : "", cmd->name,
               cmd->operands ? " " : "", cmd->operands ? cmd->operands : "");
    if (cmd->details) {
        buf_add_byte(out, '\n');
        add_details(out, str_from(cmd->details));
    }
    if (cmd->opts && cmd->opts->name) {
        buf_add_text(out, "\nOPTIONS\n");
        add_opts(cmd->opts, out);
    }
    help_globals(out);
}

static void help_options(struct buf *out) {
    buf_add_text(out, "Options of every command; they may stand before or after it.\n\n");
    add_opts(GLOBAL_OPTS, out);
}

/* Every code once, in the order in which one outranks another, the good one first. */
static void help_exit_codes(struct buf *out) {
    static const struct {
        enum outcome outcome;
        const char *text;
    } codes[] = {
#define CODE_ROW(name, text) {name, text},
        EXIT_TEXT_MAP(CODE_ROW)
#undef CODE_ROW
    };
    _Static_assert(ARRAY_LEN(codes) == OUTCOME_COUNT, "every exit code is documented");
    buf_printf(out, "  %4d  %-12s did what was asked; every threshold held\n", 0, "ok");
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        buf_printf(out, "  %4d  %-12s ", outcome_code(codes[i].outcome),
                   outcome_name(codes[i].outcome));
        ignore(add_wrapped(out, str_from(codes[i].text), 21, 21));
        buf_add_byte(out, '\n');
    }
    buf_add_text(out, "\nOf several that apply all are named; the first in this order wins:\n ");
    for (int i = 0; i < (int)OUTCOME_COUNT; i++)
        buf_printf(out, " %d", outcome_code((enum outcome)i));
    buf_add_byte(out, '\n');
}

static const struct {
    const char *name;
    void (*add)(struct buf *out);
} TOPICS[] = {{"options", help_options}, {"exit-codes", help_exit_codes}};

bool help_topic(struct str name, struct buf *out) {
    for (size_t i = 0; i < ARRAY_LEN(TOPICS); i++)
        if (str_equal(str_from(TOPICS[i].name), name)) {
            TOPICS[i].add(out);
            return true;
        }
    return false;
}

void help_markdown(struct buf *out) {
    buf_add_text(out, "# Commands\n\n"
                      "Made by `dayfly help --markdown` (`script/docs`) from the tables that also\n"
                      "parse the command line. The keys of a plan file: [plan.md](plan.md).\n\n"
                      "```\n");
    help_overview(out);
    buf_add_text(out, "```\n\n## Exit codes\n\n```\n");
    help_exit_codes(out);
    buf_add_text(out, "```\n\n## Global options\n\n```\n");
    help_options(out);
    buf_add_text(out, "```\n");
    for (size_t i = 0; CMDS[i]; i++) {
        if (CMDS[i]->group == CMD_HIDDEN)
            continue;
        buf_printf(out, "\n## dayfly %s\n\n```\n", CMDS[i]->name);
        help_cmd(CMDS[i], out);
        buf_add_text(out, "```\n");
    }
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
