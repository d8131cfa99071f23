/* cmd.h - a command is a table entry: name, options, examples and one function.
 *
 * Words: an *operand* is what is left after options ("plan.yaml"); a *global* option belongs to
 * every command and may stand before or after its name.  The same tables parse the command line,
 * print `--help` and suggest what was meant.
 *
 * To add a command: write cmd_<name>.c with `const struct cmd cmd_<name>`, list it in cmds.c.
 *
 *     static const struct opt OPTS[] = {
 *         {.name = "rate", .letter = 'r', .kind = OPT_RATE, .value = "RATE", .help = "..."},
 *         {0},
 *     };
 *     static int run(const struct args *args) { ... args_rate(args, "rate", 0) ... }
 *     const struct cmd cmd_bench = {.name = "bench", .summary = "...", .operands = "URL",
 *         .operands_min = 1, .operands_max = 1, .group = CMD_TOOLS, .opts = OPTS, .run = run,
 *         .examples = (const char *const[]){"dayfly bench http://127.0.0.1/ -r 2k/s", NULL}};
 */
#ifndef CMD_H
#define CMD_H

#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum opt_kind {
    OPT_FLAG,     /* no value */
    OPT_TEXT,     /* any text */
    OPT_LIST,     /* any text, may be repeated */
    OPT_WORD,     /* one of `words` */
    OPT_COUNT,    /* 0.. */
    OPT_DURATION, /* 30s */
    OPT_SIZE,     /* 64KiB */
    OPT_RATE,     /* 500/s */
    OPT_PERCENT,  /* 1% */
};

struct opt {
    const char *name; /* without dashes; NULL ends the table */
    char letter;      /* one-letter form, or 0 */
    enum opt_kind kind;
    const char *value; /* name of the value in help: "FILE" */
    const char *words; /* OPT_WORD: "auto|tty|plain" */
    const char *help;  /* one line, default included */
};

enum cmd_group { CMD_TEST, CMD_FLEET, CMD_RESULTS, CMD_SETUP, CMD_TOOLS, CMD_HELP, CMD_HIDDEN };

struct args;

struct cmd {
    const char *name;
    const char *summary;  /* one line, lower case, no full stop */
    const char *operands; /* "FILE", "[FLEET]", or NULL */
    unsigned operands_min;
    unsigned operands_max; /* UINT_MAX: any number */
    enum cmd_group group;
    const struct opt *opts;              /* ends with {0}; may be NULL */
    const char *const *examples;         /* ends with NULL; may be NULL */
    const char *details;                 /* paragraphs after the options, or NULL */
    int (*run)(const struct args *args); /* returns the exit code (cli/exits.h) */
};

/* Every command, in the order of help; ends with NULL. */
extern const struct cmd *const CMDS[];
/* Options that every command takes. */
extern const struct opt GLOBAL_OPTS[];

const struct cmd *cmd_find(struct str name);
/* The command most like `name`, or NULL when none is near. */
const struct cmd *cmd_suggest(struct str name);

/* One parsed command line; every value has been checked against its kind. */
struct args {
    const struct cmd *cmd;
    struct arg_value {
        const struct opt *opt;
        const char *text;
    } values[64];
    unsigned value_count;
    const char *operands[64];
    unsigned operand_count;
};

/* Parse `argv[1..]`, options in any place; "--" ends them.  Strings are borrowed from argv.
 * Errors: ERR_USAGE.  `args->cmd` is NULL when no command was named (then only global options). */
NODISCARD int args_parse(struct args *args, int argc, char **argv, struct err *err);

/* Readers; `name` must be an option of the command or a global one (a bug otherwise). */
bool args_flag(const struct args *args, const char *name);
const char *args_text(const struct args *args, const char *name); /* NULL when not given */
uint64_t args_count(const struct args *args, const char *name, uint64_t otherwise);
uint64_t args_duration_ns(const struct args *args, const char *name, uint64_t otherwise);
uint64_t args_size(const struct args *args, const char *name, uint64_t otherwise);
uint64_t args_rate_micro(const struct args *args, const char *name, uint64_t otherwise);
uint64_t args_percent_ppm(const struct args *args, const char *name, uint64_t otherwise);
/* The number-th value of a list option, or NULL past the end. */
const char *args_list(const struct args *args, const char *name, unsigned number);
/* The operand, or NULL. */
const char *args_operand(const struct args *args, unsigned number);

/* Text of `dayfly --help` and of `dayfly help NAME`. */
void help_overview(struct buf *out);
void help_cmd(const struct cmd *cmd, struct buf *out);
/* `dayfly help options` and `dayfly help exit-codes`; false when `name` is no topic. */
NODISCARD bool help_topic(struct str name, struct buf *out);
/* All of it as one page of Markdown: docs/commands.md. */
void help_markdown(struct buf *out);

/* Print "error: <text>" and, when not NULL, "  help: <remedy>" to stderr. */
void cli_error(const struct err *err, const char *remedy);
/* Write `text` to stdout; a closed pipe is a quiet end of the program. */
void cli_print(struct str text);

#endif
