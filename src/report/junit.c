#include "report/junit.h"

#include <inttypes.h>

#include "base/units.h"
#include "base/when.h"
#include "report/markup.h"

struct tally {
    unsigned tests, failures, skipped;
};

struct suite {
    struct buf *b;
    const struct result *r;
    struct tally tally;
};

static void add_attribute(struct buf *b, const char *name, const char *value) {
    buf_printf(b, " %s=\"", name);
    markup_add_text(b, value);
    buf_add_byte(b, '"');
}

/* Seconds with milliseconds, exactly. */
static void add_time(struct buf *b, uint64_t ns) {
    buf_printf(b, " time=\"%" PRIu64 ".%03u\"", ns / NS_PER_S, (unsigned)(ns / NS_PER_MS % 1000));
}

struct one_case {
    const char *group; /* "thresholds" */
    const char *name;
    enum result_state state;
    const char *message; /* of a failure */
    uint64_t duration_ns;
};

static void add_case(struct suite *suite, const struct one_case *c) {
    struct buf *b = suite->b;
    suite->tally.tests++;
    buf_add_text(b, "    <testcase classname=\"");
    markup_add_text(b, suite->r->name);
    buf_printf(b, ".%s\"", c->group);
    add_attribute(b, "name", c->name);
    add_time(b, c->duration_ns);
    switch (c->state) {
    case RESULT_OK:
        buf_add_text(b, "/>\n");
        return;
    case RESULT_WARNED:
        buf_add_text(b, "><system-out>warning: ");
        markup_add_text(b, c->message);
        buf_add_text(b, "</system-out></testcase>\n");
        return;
    case RESULT_SKIPPED:
        suite->tally.skipped++;
        buf_add_text(b, "><skipped/></testcase>\n");
        return;
    case RESULT_FAILED:
    case RESULT_NO_DATA:
        suite->tally.failures++;
        buf_add_text(b, "><failure");
        add_attribute(b, "type", c->group);
        add_attribute(b, "message", c->message);
        buf_add_byte(b, '>');
        markup_add_text(b, c->name);
        buf_add_text(b, ": ");
        markup_add_text(b, c->message);
        buf_add_text(b, "</failure></testcase>\n");
        return;
    }
    must(false);
}

static void add_thresholds(struct suite *suite) {
    for (size_t i = 0; i < suite->r->threshold_count; i++) {
        const struct result_threshold *t = &suite->r->thresholds[i];
        struct buf message = BUF_INIT(4 * KIB);
        buf_add_text(&message, t->state == RESULT_NO_DATA ? "no data" : t->value ? t->value : "-");
        if (t->worst)
            buf_printf(&message, ", worst: %s", t->worst);
        add_case(suite, &(struct one_case){"thresholds", t->text, t->state, buf_text(&message), 0});
        buf_deinit(&message);
    }
}

static void add_checks(struct suite *suite) {
    for (size_t i = 0; i < suite->r->check_count; i++) {
        const struct result_check *c = &suite->r->checks[i];
        const char *message = c->detail ? c->detail : result_state_name(c->state);
        add_case(suite, &(struct one_case){"checks", c->name, c->state, message, c->duration_ns});
    }
}

static void add_phases(struct suite *suite) {
    for (size_t i = 0; i < suite->r->phase_count; i++) {
        const struct result_phase *p = &suite->r->phases[i];
        struct buf name = BUF_INIT(KIB);
        buf_add_text(&name, p->name);
        if (p->trials > 1)
            buf_printf(&name, " trial %" PRIu32, p->trial);
        const char *message = p->detail ? p->detail : result_state_name(p->state);
        add_case(suite,
                 &(struct one_case){"phases", buf_text(&name), p->state, message, p->duration_ns});
        buf_deinit(&name);
    }
}

static void add_clean(struct suite *suite) {
    const struct result_clean *clean = &suite->r->clean;
    add_case(suite, &(struct one_case){"teardown", "everything was given back",
                                       clean->verified ? RESULT_OK : RESULT_FAILED,
                                       clean->leak ? clean->leak : "not verified", 0});
}

static void add_exits(struct suite *suite) {
    const struct result *r = suite->r;
    for (size_t i = 0; i < r->exit_count; i++) {
        char name[64];
        snprintf(name, sizeof name, "exit %d %s", r->exits[i].code, r->exits[i].name);
        add_case(suite, &(struct one_case){"run", name, RESULT_FAILED,
                                           r->exits[i].why ? r->exits[i].why : name, 0});
    }
}

void junit_add(struct buf *b, const struct result *r) {
    struct buf cases = BUF_INIT(4 * MIB);
    struct suite suite = {.b = &cases, .r = r};
    add_thresholds(&suite);
    add_checks(&suite);
    add_phases(&suite);
    add_clean(&suite);
    add_exits(&suite);
    must(suite.tally.failures + suite.tally.skipped <= suite.tally.tests);
    buf_add_text(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite");
    add_attribute(b, "name", r->name);
    buf_printf(b, " tests=\"%u\" failures=\"%u\" errors=\"0\" skipped=\"%u\"", suite.tally.tests,
               suite.tally.failures, suite.tally.skipped);
    add_time(b, r->duration_ns);
    buf_add_text(b, " timestamp=\"");
    when_add_rfc3339(b, r->start_unix_ms);
    buf_add_text(b, "\">\n    <properties>\n      <property name=\"run\" value=\"");
    markup_add_text(b, r->run);
    buf_printf(b, "\"/>\n      <property name=\"verdict\" value=\"%s\"/>\n    </properties>\n",
               result_verdict_name(r->verdict));
    buf_add_str(b, buf_str(&cases));
    buf_add_text(b, "  </testsuite>\n</testsuites>\n");
    buf_deinit(&cases);
}
