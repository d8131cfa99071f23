/* threshold.c - from a sentence to a struct threshold.  A hand-written scanner: one token at a
 * time, the place of the last one kept for the caret. */
#include "core/verdict.h"
#include "base/units.h"

struct scanner {
    struct str text;
    size_t next;      /* first byte not read */
    size_t at;        /* first byte of the current token */
    struct str token; /* empty at the end */
};

struct metric_name {
    struct str name;
    enum verdict_metric metric;
    enum verdict_unit unit;
};

static const struct metric_name metric_names[] = {
    {STR_INIT("mean"), METRIC_MEAN, UNIT_DURATION_NS},
    {STR_INIT("max"), METRIC_MAX, UNIT_DURATION_NS},
    {STR_INIT("rate"), METRIC_RATE, UNIT_RATE_MICRO},
    {STR_INIT("errors"), METRIC_ERRORS, UNIT_PPM},
    {STR_INIT("error_count"), METRIC_ERROR_COUNT, UNIT_COUNT},
    {STR_INIT("phase_time"), METRIC_PHASE_TIME, UNIT_DURATION_NS},
    {STR_INIT("lost_nodes"), METRIC_LOST_NODES, UNIT_COUNT},
    {STR_INIT("failed_nodes"), METRIC_FAILED_NODES, UNIT_COUNT},
    {STR_INIT("cpu"), METRIC_CPU, UNIT_PPM},
    {STR_INIT("cost"), METRIC_COST, UNIT_USD_MICRO},
};

/* Metrics that plans of a later version may name. */
static const struct str metrics_later[] = {STR_INIT("bandwidth"), STR_INIT("failed_tasks")};
/* Parts of a request, after `of`, likewise. */
static const struct str parts_later[] = {STR_INIT("connect"), STR_INIT("tls"),
                                         STR_INIT("first-byte"), STR_INIT("transfer")};

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_operator(char c) {
    return c == '<' || c == '>' || c == '=';
}

/* Move to the next token: a run of operator bytes, a comma, or anything else up to one of these. */
static void scan(struct scanner *s) {
    while (s->next < s->text.len && is_blank(s->text.ptr[s->next]))
        s->next++;
    s->at = s->next;
    if (s->next < s->text.len && s->text.ptr[s->next] == ',') {
        s->next++;
    } else if (s->next < s->text.len && is_operator(s->text.ptr[s->next])) {
        while (s->next < s->text.len && is_operator(s->text.ptr[s->next]))
            s->next++;
    } else {
        while (s->next < s->text.len && !is_blank(s->text.ptr[s->next]) &&
               !is_operator(s->text.ptr[s->next]) && s->text.ptr[s->next] != ',')
            s->next++;
    }
    s->token = str_slice(s->text, s->at, s->next);
}

static bool scan_is(const struct scanner *s, const char *word) {
    return str_equal(s->token, str_from(word));
}

static bool in_list(const struct str *list, size_t count, struct str name) {
    for (size_t i = 0; i < count; i++)
        if (str_equal(list[i], name))
            return true;
    return false;
}

/* "p99.9": 1..99.9999 percent in parts per million. */
static bool parse_percentile(struct str name, uint32_t *ret_ppm) {
    int64_t micro;
    if (!str_starts_with(name, STR("p")) || name.len < 2 || name.ptr[1] < '0' || name.ptr[1] > '9')
        return false;
    if (units_decimal_micro(str_skip(name, 1), &micro, NULL) < 0)
        return false;
    if (micro <= 0 || micro >= 100 * (int64_t)MICRO || micro % 100 != 0)
        return false;
    *ret_ppm = (uint32_t)(micro / 100);
    return true;
}

static int metric_unknown(struct str name, struct err *err) {
    struct str best = STR("p99");
    unsigned distance = 3;
    for (size_t i = 0; i < ARRAY_LEN(metric_names); i++) {
        unsigned d = str_distance(name, metric_names[i].name);
        if (d < distance) {
            distance = d;
            best = metric_names[i].name;
        }
    }
    if (distance < 3)
        return err_set(err, ERR_PARSE, "unknown metric \"%.*s\", did you mean \"%.*s\"?",
                       STR_ARG(name), STR_ARG(best));
    return err_set(err, ERR_PARSE,
                   "unknown metric \"%.*s\" (known: p50 to p99.9999, mean, max, service_p99, rate, "
                   "errors, error_count, phase_time, lost_nodes, failed_nodes, cpu, cost)",
                   STR_ARG(name));
}

static int parse_metric(struct scanner *s, struct threshold *t, struct err *err) {
    struct str name = s->token;
    if (name.len == 0 || is_operator(name.ptr[0]) || name.ptr[0] == ',')
        return err_set(err, ERR_PARSE,
                       "a threshold starts with a metric: \"p99 < 250ms\", \"errors < 1%%\"");
    if (in_list(metrics_later, ARRAY_LEN(metrics_later), name))
        return err_set(err, ERR_PARSE, "metric \"%.*s\" is not available in this version",
                       STR_ARG(name));
    struct str plain = name;
    t->service = str_starts_with(name, STR("service_"));
    if (t->service)
        plain = str_skip(name, strlen("service_"));
    if (parse_percentile(plain, &t->percentile_ppm)) {
        t->metric = METRIC_PERCENTILE;
        t->unit = UNIT_DURATION_NS;
        scan(s);
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(metric_names); i++) {
        bool latency =
            metric_names[i].metric == METRIC_MEAN || metric_names[i].metric == METRIC_MAX;
        if (!str_equal(plain, metric_names[i].name) || (t->service && !latency))
            continue;
        t->metric = metric_names[i].metric;
        t->unit = metric_names[i].unit;
        scan(s);
        return 0;
    }
    return metric_unknown(name, err);
}

static int parse_name(struct scanner *s, const char *after, char *into, struct err *err) {
    if (s->token.len == 0 || s->token.ptr[0] == ',' || is_operator(s->token.ptr[0]))
        return err_set(err, ERR_PARSE, "a name is missing after \"%s\"", after);
    if (!str_copy(into, NAME_BYTES_MAX + 1, s->token))
        return err_set(err, ERR_LIMIT, "name longer than %d bytes after \"%s\"", NAME_BYTES_MAX,
                       after);
    scan(s);
    return 0;
}

static int parse_of(struct scanner *s, struct threshold *t, struct err *err) {
    if (!scan_is(s, "of"))
        return 0;
    scan(s);
    if (in_list(parts_later, ARRAY_LEN(parts_later), s->token))
        return err_set(err, ERR_PARSE, "\"of %.*s\" is not available in this version",
                       STR_ARG(s->token));
    if (t->metric > METRIC_ERROR_COUNT)
        return err_set(err, ERR_PARSE, "this metric is not one of a request: leave out \"of %.*s\"",
                       STR_ARG(s->token));
    return parse_name(s, "of", t->of, err);
}

static int parse_op(struct scanner *s, struct threshold *t, struct err *err) {
    static const struct str ops[] = {STR_INIT("<"), STR_INIT("<="), STR_INIT(">"), STR_INIT(">="),
                                     STR_INIT("==")};
    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        if (!str_equal(s->token, ops[i]))
            continue;
        t->op = (enum verdict_op)i;
        scan(s);
        return 0;
    }
    if (s->token.len == 0)
        return err_set(err, ERR_PARSE, "a comparison is missing: < <= > >= ==");
    return err_set(err, ERR_PARSE, "not a comparison: \"%.*s\" (write < <= > >= ==)",
                   STR_ARG(s->token));
}

static int parse_value(struct scanner *s, struct threshold *t, struct err *err) {
    uint64_t value = 0;
    if (s->token.len == 0)
        return err_set(err, ERR_PARSE, "a value is missing after the comparison");
    switch (t->unit) {
    case UNIT_DURATION_NS:
        TRY(units_duration(s->token, &value, err));
        break;
    case UNIT_RATE_MICRO:
        TRY(units_rate(s->token, &value, err));
        break;
    case UNIT_PPM:
        if (!scan_is(s, "0"))
            TRY(units_percent(s->token, &value, err));
        break;
    case UNIT_COUNT:
        TRY(units_u64(s->token, &value, err));
        break;
    case UNIT_USD_MICRO:
        TRY(units_money(s->token, &value, err));
        break;
    }
    if (value > (uint64_t)INT64_MAX)
        return err_set(err, ERR_LIMIT, "value too large: '%.*s'", STR_ARG(s->token));
    t->value = (int64_t)value;
    scan(s);
    return 0;
}

static int parse_span(struct scanner *s, const char *word, uint64_t *ret_ns, struct err *err) {
    if (*ret_ns)
        return err_set(err, ERR_PARSE, "\"%s\" is there twice", word);
    scan(s);
    uint64_t ns;
    TRY(units_duration(s->token, &ns, err));
    if (ns < NS_PER_S || ns > 24 * 3600 * NS_PER_S)
        return err_set(err, ERR_LIMIT, "\"%s\" is at least 1s and at most 1d", word);
    *ret_ns = ns;
    scan(s);
    return 0;
}

/* [in PHASE] [over WINDOW] [after DELAY], in any order. */
static int parse_scope(struct scanner *s, struct threshold *t, struct err *err) {
    while (s->token.len && !scan_is(s, ",")) {
        if (scan_is(s, "over")) {
            TRY(parse_span(s, "over", &t->window_ns, err));
        } else if (scan_is(s, "after")) {
            TRY(parse_span(s, "after", &t->delay_ns, err));
        } else if (scan_is(s, "in") && !t->in[0]) {
            scan(s);
            TRY(parse_name(s, "in", t->in, err));
            if (scan_is(s, "round") || scan_is(s, "trial"))
                return err_set(err, ERR_PARSE, "\"%.*s\" is not available in this version",
                               STR_ARG(s->token));
        } else {
            return err_set(err, ERR_PARSE,
                           "not understood: \"%.*s\" (in PHASE, over 1m, after 30s, "
                           "or a comma and abort or warn)",
                           STR_ARG(s->token));
        }
    }
    return 0;
}

static int parse_actions(struct scanner *s, struct threshold *t, struct err *err) {
    while (scan_is(s, ",")) {
        scan(s);
        if (scan_is(s, "abort") && !t->abort_run)
            t->abort_run = true;
        else if (scan_is(s, "warn") && !t->warn)
            t->warn = true;
        else
            return err_set(err, ERR_PARSE, "after a comma comes abort or warn, not \"%.*s\"",
                           STR_ARG(s->token));
        scan(s);
    }
    if (s->token.len)
        return err_set(err, ERR_PARSE, "not understood: \"%.*s\"", STR_ARG(s->token));
    if (t->abort_run && t->warn)
        return err_set(err, ERR_PARSE, "abort and warn exclude each other");
    return 0;
}

static int parse_sentence(struct scanner *s, struct threshold *t, struct err *err) {
    scan(s);
    TRY(parse_metric(s, t, err));
    TRY(parse_of(s, t, err));
    TRY(parse_op(s, t, err));
    TRY(parse_value(s, t, err));
    TRY(parse_scope(s, t, err));
    TRY(parse_actions(s, t, err));
    s->at = 0;
    if (t->delay_ns && !t->window_ns)
        return err_set(err, ERR_PARSE, "\"after\" needs a sliding window: add \"over 15s\"");
    if (t->metric == METRIC_PHASE_TIME && !t->in[0])
        return err_set(err, ERR_PARSE, "phase_time needs the phase: add \"in PHASE\"");
    if (t->window_ns && (t->metric == METRIC_PHASE_TIME || t->metric == METRIC_COST))
        return err_set(err, ERR_PARSE, "this metric has no sliding window: leave out \"over\"");
    return 0;
}

int threshold_parse(struct str text, struct threshold *ret, size_t *ret_at, struct err *err) {
    struct threshold t = {0};
    struct scanner s = {.text = text};
    must(ret != NULL);
    if (!str_copy(t.text, sizeof t.text, str_trim(text))) {
        if (ret_at)
            *ret_at = 0;
        return err_set(err, ERR_LIMIT, "a threshold has at most %d bytes", THRESHOLD_TEXT_SIZE - 1);
    }
    for (size_t i = 0; i < text.len; i++) {
        bool control = (unsigned char)text.ptr[i] < ' ' && !is_blank(text.ptr[i]);
        if (!control)
            continue;
        if (ret_at)
            *ret_at = i;
        return err_set(err, ERR_PARSE, "a byte that is no text");
    }
    int result = parse_sentence(&s, &t, err);
    if (result < 0) {
        if (ret_at)
            *ret_at = MIN(s.at, text.len);
        return result;
    }
    must(s.next == text.len && t.value >= 0);
    *ret = t;
    return 0;
}

void threshold_add_metric(struct buf *b, const struct threshold *t) {
    if (t->service)
        buf_add_text(b, "service_");
    if (t->metric == METRIC_PERCENTILE) {
        buf_add_byte(b, 'p');
        units_add_micro(b, (int64_t)t->percentile_ppm * 100);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(metric_names); i++)
        if (metric_names[i].metric == t->metric)
            buf_add_str(b, metric_names[i].name);
}
