#include "cloud/fault.h"

#include "base/units.h"

static const struct {
    const char *name;
    enum fault_mode mode;
    bool wants_value;
} fault_modes[] = {
    {"error", FAULT_ERROR, true},
    {"lost-reply", FAULT_LOST_REPLY, false},
    {"drop-before", FAULT_DROP_BEFORE, false},
    {"delay", FAULT_DELAY, true},
    {"delay-effect", FAULT_DELAY_EFFECT, true},
    {"drop-tags", FAULT_DROP_TAGS, false},
    {"truncate", FAULT_TRUNCATE, false},
};

const char *fault_mode_name(enum fault_mode mode) {
    for (size_t i = 0; i < ARRAY_LEN(fault_modes); i++)
        if (fault_modes[i].mode == mode)
            return fault_modes[i].name;
    return "";
}

static int fault_parse_count(struct str key, struct str value, uint32_t *ret, struct err *err) {
    uint64_t number = 0;
    if (units_u64(value, &number, err) < 0)
        return err_wrap(err, "fault: %.*s", STR_ARG(key));
    if (number < 1 || number >= FAULT_ALWAYS)
        return err_set(err, ERR_PARSE, "fault: %.*s must be 1 or more, not '%.*s'", STR_ARG(key),
                       STR_ARG(value));
    *ret = (uint32_t)number;
    return 0;
}

/* Error codes and action names are letters, digits, dots; patterns add `*` and `?`. */
static bool fault_is_name(struct str s, bool pattern) {
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '.' || c == '_' || c == '-';
        if (!plain && !(pattern && (c == '*' || c == '?')))
            return false;
    }
    return s.len > 0;
}

static int fault_parse_mode(struct str value, struct fault_rule *rule, struct err *err) {
    struct str name = STR_EMPTY;
    struct str rest = value;
    if (!str_split(&rest, '=', &name))
        name = value;
    bool has_value = name.len < value.len;
    for (size_t i = 0; i < ARRAY_LEN(fault_modes); i++) {
        if (!str_equal(name, str_from(fault_modes[i].name)))
            continue;
        rule->mode = fault_modes[i].mode;
        if (has_value != fault_modes[i].wants_value)
            return err_set(err, ERR_PARSE, "fault: mode %.*s %s", STR_ARG(name),
                           has_value ? "takes no value" : "needs a value");
        if (rule->mode == FAULT_DELAY || rule->mode == FAULT_DELAY_EFFECT) {
            if (units_duration(rest, &rule->delay_ns, err) < 0)
                return err_wrap(err, "fault: mode %.*s", STR_ARG(name));
        } else if (rule->mode == FAULT_ERROR) {
            if (!fault_is_name(rest, false))
                return err_set(err, ERR_PARSE, "fault: not an error code: '%.*s'", STR_ARG(rest));
            if (!str_copy(rule->code, sizeof rule->code, rest))
                return err_set(err, ERR_LIMIT, "fault: error code is too long");
        }
        return 0;
    }
    return err_set(err, ERR_PARSE,
                   "fault: unknown mode '%.*s' (error=CODE, lost-reply, drop-before, delay=DUR, "
                   "delay-effect=DUR, drop-tags, truncate)",
                   STR_ARG(name));
}

static int fault_parse_part(struct str key, struct str value, struct fault_rule *rule,
                            struct err *err) {
    if (str_equal(key, STR("op"))) {
        if (!fault_is_name(value, true))
            return err_set(err, ERR_PARSE, "fault: not an action: '%.*s'", STR_ARG(value));
        if (!str_copy(rule->op, sizeof rule->op, value))
            return err_set(err, ERR_LIMIT, "fault: action name is too long");
        return 0;
    }
    if (str_equal(key, STR("nth")))
        return fault_parse_count(key, value, &rule->nth, err);
    if (str_equal(key, STR("times"))) {
        if (str_equal(value, STR("always"))) {
            rule->times = FAULT_ALWAYS;
            return 0;
        }
        return fault_parse_count(key, value, &rule->times, err);
    }
    if (str_equal(key, STR("mode")))
        return fault_parse_mode(value, rule, err);
    return err_set(err, ERR_PARSE, "fault: unknown key '%.*s' (op, nth, times, mode)",
                   STR_ARG(key));
}

int fault_parse(struct str text, struct fault_rule *ret_rule, struct err *err) {
    must(ret_rule);
    static const char *const keys[] = {"op", "nth", "times", "mode"};
    bool seen[ARRAY_LEN(keys)] = {false};
    struct fault_rule rule = {.op = "*", .nth = 1, .times = 1};
    struct str rest = text;
    struct str part = STR_EMPTY;
    while (str_split(&rest, ',', &part)) {
        size_t equals = str_index_of(part, '=');
        if (equals == part.len)
            return err_set(err, ERR_PARSE, "fault: '%.*s' is not key=value", STR_ARG(part));
        struct str key = str_trim(str_slice(part, 0, equals));
        struct str value = str_trim(str_skip(part, equals + 1));
        for (size_t n = 0; n < ARRAY_LEN(keys); n++) {
            if (!str_equal(key, str_from(keys[n])))
                continue;
            if (seen[n])
                return err_set(err, ERR_PARSE, "fault: %s is given twice", keys[n]);
            seen[n] = true;
        }
        TRY(fault_parse_part(key, value, &rule, err));
    }
    if (rule.mode == FAULT_NONE)
        return err_set(err, ERR_PARSE, "fault: mode is missing in '%.*s'", STR_ARG(text));
    *ret_rule = rule;
    return 0;
}

int fault_table_add(struct fault_table *t, const struct fault_rule *rule, struct err *err) {
    must(t && rule);
    must(rule->mode != FAULT_NONE && rule->nth >= 1);
    if (t->count == FAULT_RULES_MAX)
        return err_set(err, ERR_LIMIT, "more than %d fault rules", FAULT_RULES_MAX);
    t->rules[t->count] = *rule;
    t->rules[t->count].seen = 0;
    t->rules[t->count].applied = 0;
    t->count++;
    return 0;
}

const struct fault_rule *fault_match(struct fault_table *t, struct str action) {
    must(t && t->count <= FAULT_RULES_MAX);
    struct fault_rule *hit = NULL;
    for (size_t i = 0; i < t->count; i++) {
        struct fault_rule *rule = &t->rules[i];
        if (!str_match(action, str_from(rule->op)))
            continue;
        if (rule->seen < UINT32_MAX)
            rule->seen++;
        bool due = rule->seen >= rule->nth &&
                   (rule->times == FAULT_ALWAYS || rule->seen - rule->nth < rule->times);
        if (due && !hit)
            hit = rule;
    }
    if (hit && hit->applied < UINT32_MAX)
        hit->applied++;
    return hit;
}
