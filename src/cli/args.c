#include "cli/cmd.h"

#include "base/units.h"

#include <limits.h>

const struct opt GLOBAL_OPTS[] = {
    {.name = "help", .letter = 'h', .kind = OPT_FLAG, .help = "show help"},
    {.name = "version", .letter = 'V', .kind = OPT_FLAG, .help = "show the version"},
    {.name = "quiet", .letter = 'q', .kind = OPT_FLAG, .help = "only results and errors"},
    {.name = "verbose",
     .letter = 'v',
     .kind = OPT_FLAG,
     .help = "also what goes well with single nodes"},
    {.name = "json", .kind = OPT_FLAG, .help = "machine-readable output on stdout, nothing else"},
    {.name = "progress",
     .kind = OPT_WORD,
     .value = "HOW",
     .words = "auto|tty|plain|json|quiet",
     .help = "how progress is shown (auto: tty on a terminal, else plain)"},
    {.name = "color",
     .kind = OPT_WORD,
     .value = "WHEN",
     .words = "auto|always|never",
     .help = "colour (auto: on a terminal; NO_COLOR and TERM=dumb switch it off)"},
    {.name = "no-color", .kind = OPT_FLAG, .help = "the same as --color=never"},
    {.name = "ascii", .kind = OPT_FLAG, .help = "no symbols beyond ASCII"},
    {.name = "no-input", .kind = OPT_FLAG, .help = "never ask; refuse instead"},
    {.name = "yes",
     .letter = 'y',
     .kind = OPT_FLAG,
     .help = "answer yes to questions about my own fleets"},
    {.name = "profile", .kind = OPT_TEXT, .value = "NAME", .help = "AWS profile"},
    {.name = "region", .kind = OPT_TEXT, .value = "NAME", .help = "AWS region"},
    {.name = "endpoint-url",
     .kind = OPT_TEXT,
     .value = "URL",
     .help = "address of the AWS services (a rehearsal cloud, for instance)"},
    {0},
};

const struct cmd *cmd_find(struct str name) {
    for (size_t i = 0; CMDS[i]; i++)
        if (str_equal(str_from(CMDS[i]->name), name))
            return CMDS[i];
    return NULL;
}

const struct cmd *cmd_suggest(struct str name) {
    const struct cmd *best = NULL;
    unsigned best_distance = 3; /* further away is another word, not a typo */
    for (size_t i = 0; CMDS[i]; i++) {
        unsigned distance = str_distance(str_from(CMDS[i]->name), name);
        if (CMDS[i]->group != CMD_HIDDEN && distance < best_distance) {
            best = CMDS[i];
            best_distance = distance;
        }
    }
    return best;
}

static const struct opt *find_in(const struct opt *opts, struct str name, char letter) {
    for (const struct opt *opt = opts; opt && opt->name; opt++)
        if (letter ? opt->letter == letter : str_equal(str_from(opt->name), name))
            return opt;
    return NULL;
}

static const struct opt *find_opt(const struct cmd *cmd, struct str name, char letter) {
    const struct opt *opt = cmd ? find_in(cmd->opts, name, letter) : NULL;
    return opt ? opt : find_in(GLOBAL_OPTS, name, letter);
}

static const char *nearest_opt(const struct cmd *cmd, struct str name) {
    const struct opt *lists[] = {cmd ? cmd->opts : NULL, GLOBAL_OPTS};
    const char *best = NULL;
    unsigned best_distance = 3;
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        for (const struct opt *opt = lists[i]; opt && opt->name; opt++) {
            unsigned distance = str_distance(str_from(opt->name), name);
            if (distance < best_distance) {
                best = opt->name;
                best_distance = distance;
            }
        }
    return best;
}

static bool is_word_of(const char *words, struct str value) {
    struct str rest = str_from(words), word;
    while (str_split(&rest, '|', &word))
        if (str_equal(word, value))
            return true;
    return false;
}

static int check_value(const struct opt *opt, const char *text, struct err *err) {
    struct str value = str_from(text);
    uint64_t number;
    struct err why = {0};
    int result = 0;
    switch (opt->kind) {
    case OPT_FLAG:
    case OPT_TEXT:
    case OPT_LIST:
        return 0;
    case OPT_WORD:
        if (!is_word_of(opt->words, value))
            return err_set(err, ERR_USAGE, "--%s: not one of %s: '%s'", opt->name, opt->words,
                           text);
        return 0;
    case OPT_COUNT:
        result = units_u64(value, &number, &why);
        break;
    case OPT_DURATION:
        result = units_duration(value, &number, &why);
        break;
    case OPT_SIZE:
        result = units_size(value, &number, &why);
        break;
    case OPT_RATE:
        result = units_rate(value, &number, &why);
        break;
    case OPT_PERCENT:
        result = units_percent(value, &number, &why);
        break;
    }
    return result < 0 ? err_set(err, ERR_USAGE, "--%s: %s", opt->name, why.text) : 0;
}

static int add_value(struct args *args, const struct opt *opt, const char *text, struct err *err) {
    TRY(check_value(opt, text, err));
    for (unsigned i = 0; i < args->value_count; i++)
        if (args->values[i].opt == opt && opt->kind != OPT_LIST) {
            args->values[i].text = text; /* the last one counts, as everywhere */
            return 0;
        }
    if (args->value_count == ARRAY_LEN(args->values))
        return err_set(err, ERR_USAGE, "too many options (at most %zu)", ARRAY_LEN(args->values));
    args->values[args->value_count++] = (struct arg_value){opt, text};
    return 0;
}

static int unknown_option(const struct args *args, struct str name, struct err *err) {
    const char *near = nearest_opt(args->cmd, name);
    if (near)
        return err_set(err, ERR_USAGE, "unknown option '--%.*s', did you mean '--%s'?",
                       STR_ARG(name), near);
    return err_set(err, ERR_USAGE, "unknown option '--%.*s'", STR_ARG(name));
}

/* "--name", "--name=value" or "--name value"; *i is moved past a value of its own. */
static int parse_long(struct args *args, int argc, char **argv, int *i, struct err *err) {
    struct str rest = str_skip(str_from(argv[*i]), 2), name;
    bool attached = str_contains(rest, STR("="));
    ignore(!str_split(&rest, '=', &name)); /* never empty: "--" alone was handled before */
    const struct opt *opt = find_opt(args->cmd, name, 0);
    if (!opt)
        return unknown_option(args, name, err);
    if (opt->kind == OPT_FLAG && attached)
        return err_set(err, ERR_USAGE, "--%s takes no value", opt->name);
    if (opt->kind == OPT_FLAG)
        return add_value(args, opt, "", err);
    if (attached)
        return add_value(args, opt, strchr(argv[*i], '=') + 1, err);
    if (*i + 1 >= argc)
        return err_set(err, ERR_USAGE, "--%s needs a value: %s", opt->name, opt->value);
    return add_value(args, opt, argv[++*i], err);
}

/* "-r2000/s", "-r 2000/s", "-yv". */
static int parse_letters(struct args *args, int argc, char **argv, int *i, struct err *err) {
    for (char *letter = argv[*i] + 1; *letter; letter++) {
        const struct opt *opt = find_opt(args->cmd, STR_EMPTY, *letter);
        if (!opt)
            return err_set(err, ERR_USAGE, "unknown option '-%c'", *letter);
        if (opt->kind == OPT_FLAG) {
            TRY(add_value(args, opt, "", err));
            continue;
        }
        if (letter[1])
            return add_value(args, opt, letter + 1, err);
        if (*i + 1 >= argc)
            return err_set(err, ERR_USAGE, "-%c needs a value: %s", *letter, opt->value);
        return add_value(args, opt, argv[++*i], err);
    }
    return 0;
}

/* The command is the first word that is neither an option nor a global option's value. */
static int find_command(struct args *args, int argc, char **argv, int *ret_at, struct err *err) {
    *ret_at = argc;
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-' || argv[i][1] == '\0') {
            args->cmd = cmd_find(str_from(argv[i]));
            *ret_at = i;
            if (args->cmd)
                return 0;
            const struct cmd *near = cmd_suggest(str_from(argv[i]));
            if (near)
                return err_set(err, ERR_USAGE, "unknown command '%s', did you mean '%s'?", argv[i],
                               near->name);
            return err_set(err, ERR_USAGE, "unknown command '%s'", argv[i]);
        }
        if (strcmp(argv[i], "--") == 0)
            return 0;
        struct str name = str_from(argv[i]);
        const struct opt *opt = str_starts_with(name, STR("--"))
                                    ? find_in(GLOBAL_OPTS, str_skip(name, 2), 0)
                                    : find_in(GLOBAL_OPTS, STR_EMPTY, argv[i][1]);
        if (opt && opt->kind != OPT_FLAG)
            i++;
    }
    return 0;
}

static int check_operands(const struct args *args, struct err *err) {
    const struct cmd *cmd = args->cmd;
    if (!cmd || args_flag(args, "help"))
        return 0;
    if (args->operand_count < cmd->operands_min)
        return err_set(err, ERR_USAGE, "dayfly %s needs %s", cmd->name, cmd->operands);
    if (args->operand_count > cmd->operands_max)
        return err_set(err, ERR_USAGE, "dayfly %s: one argument too many: '%s'", cmd->name,
                       args->operands[cmd->operands_max]);
    return 0;
}

int args_parse(struct args *args, int argc, char **argv, struct err *err) {
    *args = (struct args){0};
    int command_at;
    TRY(find_command(args, argc, argv, &command_at, err));
    bool only_operands = false;
    for (int i = 1; i < argc; i++) {
        if (i == command_at)
            continue;
        if (!only_operands && strcmp(argv[i], "--") == 0) {
            only_operands = true;
        } else if (!only_operands && strncmp(argv[i], "--", 2) == 0) {
            TRY(parse_long(args, argc, argv, &i, err));
        } else if (!only_operands && argv[i][0] == '-' && argv[i][1]) {
            TRY(parse_letters(args, argc, argv, &i, err));
        } else {
            if (args->operand_count == ARRAY_LEN(args->operands))
                return err_set(err, ERR_USAGE, "too many arguments");
            args->operands[args->operand_count++] = argv[i];
        }
    }
    return check_operands(args, err);
}

static const char *value_of(const struct args *args, const char *name, unsigned number) {
    must(find_opt(args->cmd, str_from(name), 0) != NULL);
    for (unsigned i = 0; i < args->value_count; i++)
        if (strcmp(args->values[i].opt->name, name) == 0 && number-- == 0)
            return args->values[i].text;
    return NULL;
}

bool args_flag(const struct args *args, const char *name) {
    return value_of(args, name, 0) != NULL;
}

const char *args_text(const struct args *args, const char *name) {
    return value_of(args, name, 0);
}

const char *args_list(const struct args *args, const char *name, unsigned number) {
    return value_of(args, name, number);
}

const char *args_operand(const struct args *args, unsigned number) {
    return number < args->operand_count ? args->operands[number] : NULL;
}

typedef int parse_fn(struct str, uint64_t *, struct err *);

static uint64_t number_of(const struct args *args, const char *name, uint64_t otherwise,
                          parse_fn *parse) {
    const char *text = value_of(args, name, 0);
    if (!text)
        return otherwise;
    uint64_t number = 0;
    must(parse(str_from(text), &number, NULL) == 0); /* args_parse has checked it */
    return number;
}

uint64_t args_count(const struct args *args, const char *name, uint64_t otherwise) {
    return number_of(args, name, otherwise, units_u64);
}

uint64_t args_duration_ns(const struct args *args, const char *name, uint64_t otherwise) {
    return number_of(args, name, otherwise, units_duration);
}

uint64_t args_size(const struct args *args, const char *name, uint64_t otherwise) {
    return number_of(args, name, otherwise, units_size);
}

uint64_t args_rate_micro(const struct args *args, const char *name, uint64_t otherwise) {
    return number_of(args, name, otherwise, units_rate);
}

uint64_t args_percent_ppm(const struct args *args, const char *name, uint64_t otherwise) {
    return number_of(args, name, otherwise, units_percent);
}
