/* Any text as a fault rule and as a capacity rule: refused with a reason, or usable. */
#include "fuzz.h"

#include "cloud/cloud.h"

static void check_fault(struct str text) {
    static struct fault_table table;
    struct fault_rule rule = {.nth = 0};
    struct err err = {0};
    if (fault_parse(text, &rule, &err) < 0) {
        must(err.text[0] != '\0' && rule.nth == 0);
        return;
    }
    must(rule.mode != FAULT_NONE && rule.nth >= 1 && rule.times >= 1);
    must(fault_mode_name(rule.mode)[0] != '\0');
    must((rule.mode == FAULT_ERROR) == (rule.code[0] != '\0'));
    table.count = 0;
    must(fault_table_add(&table, &rule, NULL) == 0);
    bool everything = str_equal(str_from(rule.op), STR("*"));
    const struct fault_rule *hit = fault_match(&table, STR("CreateFleet"));
    must(!everything || (hit != NULL) == (rule.nth == 1));
}

static void check_capacity(struct str text) {
    static struct cloud_options options;
    struct err err = {0};
    cloud_options_init(&options);
    if (cloud_options_capacity(&options, text, &err) < 0) {
        must(err.text[0] != '\0' && options.capacity_count == 0);
        return;
    }
    must(options.capacity_count == 1);
    must(options.capacity[0].type[0] != '\0' && options.capacity[0].zone[0] != '\0');
    must(options.capacity[0].spot || options.capacity[0].on_demand);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str text = {(const char *)data, size};
    check_fault(text);
    check_capacity(text);
    return 0;
}
