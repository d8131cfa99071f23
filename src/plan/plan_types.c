/* plan_types.c - the types of the key table: name, form, parser, printer of each. */
#include "plan/plan_keys.h"
#include "base/units.h"

#include <inttypes.h>

typedef int parse_fn(const struct plan_key *key, struct str text, void *field, size_t *at,
                     struct err *err);
typedef void print_fn(struct buf *b, const struct plan_key *key, const void *field);

/* ---- limits ---- */

void plan_type_print_number(struct buf *b, enum plan_type type, uint64_t value) {
    switch (type) {
    case TYPE_DURATION:
    case TYPE_DURATIONS:
        units_add_duration(b, value);
        break;
    case TYPE_RATE:
        units_add_micro(b, (int64_t)value);
        buf_add_text(b, "/s");
        break;
    case TYPE_MONEY:
        buf_add_byte(b, '$');
        units_add_micro(b, (int64_t)value);
        break;
    case TYPE_PERCENT:
        units_add_micro(b, (int64_t)value * 100);
        buf_add_byte(b, '%');
        break;
    case TYPE_FACTOR:
        units_add_micro(b, (int64_t)value * 1000);
        break;
    case TYPE_SIZE:
    case TYPE_SIZES: {
        static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
        unsigned unit = 0;
        while (value && value % 1024 == 0 && unit + 1 < ARRAY_LEN(units)) {
            value /= 1024;
            unit++;
        }
        buf_printf(b, "%" PRIu64 "%s", value, units[value || unit ? unit : 0]);
        break;
    }
    default:
        buf_printf(b, "%" PRIu64, value);
    }
}

static int check_limits(const struct plan_key *key, uint64_t value, struct err *err) {
    bool low = value < key->min, high = key->max && value > key->max;
    if (value > (uint64_t)INT64_MAX)
        return err_set(err, ERR_LIMIT, "the number is too large");
    if (!low && !high)
        return 0;
    CLEANUP(buf_deinit) struct buf b = BUF_INIT(200);
    buf_add_text(&b, low ? "the least is " : "the most is ");
    plan_type_print_number(&b, key->type, low ? key->min : key->max);
    return err_set(err, ERR_LIMIT, "%s", buf_text(&b));
}

/* ---- numbers ---- */

static int parse_number(const struct plan_key *key, struct str text, void *field, size_t *at,
                        struct err *err) {
    uint64_t value = 0;
    int64_t decimal = 0;
    *at = 0;
    switch (key->type) {
    case TYPE_DURATION:
    case TYPE_DURATIONS:
        TRY(units_duration(text, &value, err));
        break;
    case TYPE_SIZE:
    case TYPE_SIZES:
        TRY(units_size(text, &value, err));
        break;
    case TYPE_RATE:
        TRY(units_rate(text, &value, err));
        break;
    case TYPE_MONEY:
        TRY(units_money(text, &value, err));
        break;
    case TYPE_PERCENT:
        TRY(units_percent(text, &value, err));
        break;
    case TYPE_FACTOR:
        TRY(units_decimal_micro(text, &decimal, err));
        if (decimal < 0 || decimal % 1000 != 0)
            return err_set(err, ERR_PARSE, "not a factor: '%.*s' (write 10 or 0.5)", STR_ARG(text));
        value = (uint64_t)decimal / 1000;
        break;
    default:
        TRY(units_u64(text, &value, err));
    }
    TRY(check_limits(key, value, err));
    *(uint64_t *)field = value;
    return 0;
}

static void print_value(struct buf *b, const struct plan_key *key, const void *field) {
    plan_type_print_number(b, key->type, *(const uint64_t *)field);
}

static int parse_bool(const struct plan_key *key, struct str text, void *field, size_t *at,
                      struct err *err) {
    (void)key;
    *at = 0;
    bool is_true = str_equal(text, STR("true"));
    if (!is_true && !str_equal(text, STR("false")))
        return err_set(err, ERR_PARSE, "not true or false: \"%.*s\"", STR_ARG(text));
    *(uint64_t *)field = is_true;
    return 0;
}

static void print_bool(struct buf *b, const struct plan_key *key, const void *field) {
    (void)key;
    buf_add_text(b, *(const uint64_t *)field ? "true" : "false");
}

static int parse_word(const struct plan_key *key, struct str text, void *field, size_t *at,
                      struct err *err) {
    struct str rest = str_from(key->words), word, near = STR_EMPTY;
    char list[200] = "";
    size_t len = 0;
    unsigned least = 3;
    *at = 0;
    for (uint64_t number = 0; str_split(&rest, '|', &word); number++) {
        bool later = str_starts_with(word, STR("~"));
        word = later ? str_skip(word, 1) : word;
        if (str_equal(word, text) && later)
            return err_set(err, ERR_PARSE, "\"%.*s\" is not available in this version",
                           STR_ARG(text));
        if (str_equal(word, text)) {
            *(uint64_t *)field = number;
            return 0;
        }
        if (later)
            continue;
        unsigned distance = str_distance(word, text);
        if (distance < least) {
            least = distance;
            near = word;
        }
        int added =
            snprintf(list + len, sizeof list - len, "%s%.*s", len ? ", " : "", STR_ARG(word));
        must(added > 0 && (size_t)added < sizeof list - len);
        len += (size_t)added;
    }
    if (near.len)
        return err_set(err, ERR_PARSE, "unknown word \"%.*s\", did you mean \"%.*s\"? (one of %s)",
                       STR_ARG(text), STR_ARG(near), list);
    return err_set(err, ERR_PARSE, "unknown word \"%.*s\" (one of %s)", STR_ARG(text), list);
}

static void print_word(struct buf *b, const struct plan_key *key, const void *field) {
    struct str rest = str_from(key->words), word;
    for (uint64_t number = 0; str_split(&rest, '|', &word); number++)
        if (number == *(const uint64_t *)field)
            buf_add_str(b, word);
}

/* ---- ranges ---- */

/* "4-8", "16GiB+", "16": low and high in the unit of the type. */
static int parse_range(const struct plan_key *key, struct str text, void *field, size_t *at,
                       struct err *err) {
    struct plan_range range;
    size_t dash = str_index_of(text, '-');
    *at = 0;
    if (str_ends_with(text, STR("+")) && key->type != TYPE_DURATIONS) {
        struct str low = str_slice(text, 0, text.len - 1);
        TRY(parse_number(key, low, &range.low, at, err));
        range.high = UINT64_MAX;
    } else {
        TRY(parse_number(key, str_slice(text, 0, dash), &range.low, at, err));
        range.high = range.low;
        if (dash < text.len) {
            TRY(parse_number(key, str_skip(text, dash + 1), &range.high, at, err));
            if (range.high < range.low)
                return err_set(err, ERR_PARSE, "the range runs backwards: '%.*s'", STR_ARG(text));
        }
    }
    *(struct plan_range *)field = range;
    return 0;
}

static void print_range(struct buf *b, const struct plan_key *key, const void *field) {
    const struct plan_range *range = field;
    plan_type_print_number(b, key->type, range->low);
    if (range->high == UINT64_MAX) {
        buf_add_byte(b, '+');
    } else if (range->high != range->low) {
        buf_add_byte(b, '-');
        plan_type_print_number(b, key->type, range->high);
    }
}

/* ---- mixed forms ---- */

static int parse_count(const struct plan_key *key, struct str text, void *field, size_t *at,
                       struct err *err) {
    (void)key;
    struct raw_count count = {.is_percent = str_ends_with(text, STR("%"))};
    *at = 0;
    if (count.is_percent) {
        TRY(units_percent(text, &count.value, err));
        if (count.value > MICRO)
            return err_set(err, ERR_LIMIT, "the most is 100%%");
    } else {
        if (units_u64(text, &count.value, NULL) < 0)
            return err_set(err, ERR_PARSE, "not a count: '%.*s' (write 12 or 95%%)", STR_ARG(text));
        if (count.value > NODES_MAX)
            return err_set(err, ERR_LIMIT, "the most is %d", NODES_MAX);
    }
    *(struct raw_count *)field = count;
    return 0;
}

static void print_count(struct buf *b, const struct plan_key *key, const void *field) {
    (void)key;
    const struct raw_count *count = field;
    plan_type_print_number(b, count->is_percent ? TYPE_PERCENT : TYPE_INT, count->value);
}

static int parse_price(const struct plan_key *key, struct str text, void *field, size_t *at,
                       struct err *err) {
    (void)key;
    struct plan_price price = {0};
    *at = 0;
    if (str_equal(text, STR("on-demand"))) {
        price.of_on_demand_ppm = MICRO;
    } else if (str_ends_with(text, STR("%"))) {
        uint64_t ppm;
        TRY(units_percent(text, &ppm, err));
        if (ppm == 0 || ppm > 10 * MICRO)
            return err_set(err, ERR_LIMIT,
                           "a share of the on-demand price is within 0.0001%% and "
                           "1000%%");
        price.of_on_demand_ppm = (uint32_t)ppm;
    } else if (str_starts_with(text, STR("$"))) {
        price.is_amount = true;
        TRY(units_money(text, &price.usd_micro, err));
        if (price.usd_micro == 0 || price.usd_micro > 1000 * MICRO)
            return err_set(err, ERR_LIMIT, "a price per hour is within $0.000001 and $1000");
    } else {
        return err_set(err, ERR_PARSE, "not a price: '%.*s' (write on-demand, 60%% or $0.10)",
                       STR_ARG(text));
    }
    *(struct plan_price *)field = price;
    return 0;
}

static void print_price(struct buf *b, const struct plan_key *key, const void *field) {
    (void)key;
    const struct plan_price *price = field;
    if (price->is_amount)
        plan_type_print_number(b, TYPE_MONEY, price->usd_micro);
    else if (price->of_on_demand_ppm == MICRO)
        buf_add_text(b, "on-demand");
    else
        plan_type_print_number(b, TYPE_PERCENT, price->of_on_demand_ppm);
}

/* "1/2m": so many in such a time. */
static int parse_frequency(const struct plan_key *key, struct str text, void *field, size_t *at,
                           struct err *err) {
    (void)key;
    struct raw_frequency frequency;
    size_t slash = str_index_of(text, '/');
    *at = 0;
    if (slash == text.len || units_u64(str_slice(text, 0, slash), &frequency.count, NULL) < 0)
        return err_set(err, ERR_PARSE, "not a frequency: '%.*s' (write 1/2m)", STR_ARG(text));
    *at = slash + 1;
    TRY(units_duration(str_skip(text, slash + 1), &frequency.every_ns, err));
    if (frequency.count == 0 || frequency.count > NODES_MAX || frequency.every_ns < NS_PER_S)
        return err_set(err, ERR_LIMIT, "a frequency is at least one, in at least 1s");
    *(struct raw_frequency *)field = frequency;
    return 0;
}

static void print_frequency(struct buf *b, const struct plan_key *key, const void *field) {
    (void)key;
    const struct raw_frequency *frequency = field;
    buf_printf(b, "%" PRIu64 "/", frequency->count);
    units_add_duration(b, frequency->every_ns);
}

/* ---- texts ---- */

static int parse_text(const struct plan_key *key, struct str text, void *field, size_t *at,
                      struct err *err) {
    (void)key;
    (void)err;
    *at = 0;
    *(struct str *)field = text;
    return 0;
}

static void print_text(struct buf *b, const struct plan_key *key, const void *field) {
    (void)key;
    buf_add_str(b, *(const struct str *)field);
}

static int parse_name(const struct plan_key *key, struct str text, void *field, size_t *at,
                      struct err *err) {
    (void)key;
    *at = 0;
    if (text.len == 0)
        return err_set(err, ERR_PARSE, "the name is empty");
    if (text.len > NAME_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "a name has at most %d bytes", NAME_BYTES_MAX);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  ((c == '-' || c == '_') && i > 0);
        *at = i;
        if (!ok)
            return err_set(err, ERR_PARSE,
                           "a name is made of letters, digits, - and _, not \"%.*s\"",
                           STR_ARG(text));
    }
    *(struct str *)field = text;
    return 0;
}

static int parse_nodeset(const struct plan_key *key, struct str text, void *field, size_t *at,
                         struct err *err) {
    (void)key;
    TRY(nodeset_parse(text, field, at, err));
    const struct nodeset *set = field;
    for (uint32_t i = 0; i < set->count; i++)
        if (set->parts[i].kind == NODESET_STATE || set->parts[i].kind == NODESET_ZONE)
            return err_set(err, ERR_PARSE, "state: and zone: are for commands, not for plans");
    return 0;
}

static void print_nodeset(struct buf *b, const struct plan_key *key, const void *field) {
    (void)key;
    nodeset_add_text(b, field);
}

/* ---- the table ---- */

static const struct {
    const char *name, *form, *pattern;
    parse_fn *parse;
    print_fn *print;
} types[TYPE_COUNT_] = {
    [TYPE_MAP] = {"map", "keys below", NULL, NULL, NULL},
    [TYPE_NAMED] = {"map of NAME to keys", "keys below, for each name", NULL, NULL, NULL},
    [TYPE_LIST] = {"list", "a list of maps", NULL, NULL, NULL},
    [TYPE_TEXT] = {"text", "text", NULL, parse_text, print_text},
    [TYPE_NAME] = {"name", "letters, digits, - and _, at most 40", "^[A-Za-z0-9][A-Za-z0-9_-]*$",
                   parse_name, print_text},
    [TYPE_INT] = {"number", "12", "^[0-9]+$", parse_number, print_value},
    [TYPE_BOOL] = {"true or false", "true", "^(true|false)$", parse_bool, print_bool},
    [TYPE_WORD] = {"word", "one of", NULL, parse_word, print_word},
    [TYPE_DURATION] = {"duration", "250us 5ms 30s 5m 1h30m 2d", "^([0-9.]+(us|ms|s|m|h|d))+$",
                       parse_number, print_value},
    [TYPE_SIZE] = {"size", "512B 64KiB 1GB", "^[0-9.]+([KMGT]i?B|kB|B)$", parse_number,
                   print_value},
    [TYPE_RATE] = {"rate", "500/s 30000/m 1.5k/s", "^[0-9.]+[kM]?/(s|m|h)$", parse_number,
                   print_value},
    [TYPE_MONEY] = {"money", "$5 $0.25", "^\\$?[0-9.]+$", parse_number, print_value},
    [TYPE_PERCENT] = {"percent", "95% 0.5%", "^[0-9.]+%$", parse_number, print_value},
    [TYPE_FACTOR] = {"factor", "10 or 0.5", "^[0-9.]+$", parse_number, print_value},
    [TYPE_DURATIONS] = {"duration or range", "5s or 10s-120s",
                        "^([0-9.]+(us|ms|s|m|h|d))+(-([0-9.]+(us|ms|s|m|h|d))+)?$", parse_range,
                        print_range},
    [TYPE_SIZES] = {"size or range", "16GiB, 8GiB-32GiB or 16GiB+", "^[0-9.]+[KMGTikB]+.*$",
                    parse_range, print_range},
    [TYPE_INTS] = {"number or range", "4, 4-8 or 4+", "^[0-9]+(-[0-9]+|\\+)?$", parse_range,
                   print_range},
    [TYPE_COUNT] = {"count", "12 or 5%", "^[0-9.]+%?$", parse_count, print_count},
    [TYPE_PRICE] = {"price", "on-demand, 60% or $0.10", "^(on-demand|[0-9.]+%|\\$[0-9.]+)$",
                    parse_price, print_price},
    [TYPE_FREQUENCY] = {"frequency", "1/2m", "^[0-9]+/.+$", parse_frequency, print_frequency},
    [TYPE_ZONES] = {"word or list", "any, one, or a list of zones", NULL, NULL, NULL},
    [TYPE_TEXTS] = {"list of texts", "a list; one text alone is a list of one", NULL, NULL, NULL},
    [TYPE_PAIRS] = {"map of texts", "NAME: text", NULL, NULL, NULL},
    [TYPE_NODESET] = {"nodeset", "db, db:0-3,7, all, db+client", NULL, parse_nodeset,
                      print_nodeset},
    [TYPE_THRESHOLDS] = {"list of sentences", "p99 of buy < 800ms in ramp", NULL, NULL, NULL},
};

const char *plan_type_name(enum plan_type type) {
    must(type < TYPE_COUNT_);
    return types[type].name;
}

const char *plan_type_form(enum plan_type type) {
    must(type < TYPE_COUNT_);
    return types[type].form;
}

const char *plan_type_pattern(enum plan_type type) {
    must(type < TYPE_COUNT_);
    return types[type].pattern;
}

bool plan_type_is_scalar(enum plan_type type) {
    must(type < TYPE_COUNT_);
    return types[type].parse != NULL;
}

int plan_type_parse(const struct plan_key *key, struct str text, void *field, size_t *ret_at,
                    struct err *err) {
    size_t at = 0;
    must(plan_type_is_scalar(key->type));
    int result = types[key->type].parse(key, text, field, &at, err);
    if (result < 0 && ret_at)
        *ret_at = MIN(at, text.len);
    return result;
}

void plan_type_print(struct buf *b, const struct plan_key *key, const void *field) {
    must(types[key->type].print != NULL);
    types[key->type].print(b, key, field);
}
