#include "core/outcome.h"

static const struct {
    int code;
    const char *name;
} outcomes[OUTCOME_COUNT] = {
#define OUTCOME_ROW(name, exit_code, text) [OUTCOME_##name] = {exit_code, text},
    OUTCOME_MAP(OUTCOME_ROW)
#undef OUTCOME_ROW
};

enum outcome outcome_first(outcome_set set) {
    must(set < OUTCOME_BIT(OUTCOME_COUNT));
    for (int i = 0; i < OUTCOME_COUNT; i++)
        if (set & OUTCOME_BIT(i))
            return (enum outcome)i;
    return OUTCOME_COUNT;
}

int outcome_exit_code(outcome_set set) {
    return set ? outcomes[outcome_first(set)].code : 0;
}

int outcome_code(enum outcome outcome) {
    must(outcome < OUTCOME_COUNT);
    return outcomes[outcome].code;
}

const char *outcome_name(enum outcome outcome) {
    must(outcome < OUTCOME_COUNT);
    return outcomes[outcome].name;
}
