#include "node/join.h"

#include "base/units.h"

static int join_text(char *into, size_t size, struct str key, struct str value, struct err *err) {
    if (value.len == 0 || !str_copy(into, size, value))
        return err_set(err, ERR_PARSE, "join file: %.*s is empty or too long", STR_ARG(key));
    return 0;
}

static int join_seconds(uint64_t *ret_ns, struct str key, struct str value, struct err *err) {
    uint64_t seconds = 0;
    if (units_u64(value, &seconds, NULL) < 0 || seconds > UINT64_MAX / NS_PER_S / 4)
        return err_set(err, ERR_PARSE, "join file: %.*s is not a number of seconds", STR_ARG(key));
    *ret_ns = seconds * NS_PER_S;
    return 0;
}

static int join_key(struct join *join, struct str key, struct str value, struct err *err) {
    if (str_equal(key, STR("run")))
        return join_text(join->run, sizeof join->run, key, value, err);
    if (str_equal(key, STR("token")))
        return join_text(join->token, sizeof join->token, key, value, err);
    if (str_equal(key, STR("dir")))
        return join_text(join->dir, sizeof join->dir, key, value, err);
    if (str_equal(key, STR("pin")))
        return link_pin_parse(value, join->pin, err);
    if (str_equal(key, STR("cap_s")))
        return join_seconds(&join->cap_ns, key, value, err);
    if (str_equal(key, STR("armed_s")))
        return join_seconds(&join->armed_ns, key, value, err);
    if (!str_equal(key, STR("head")))
        return 0;
    if (join->heads_count == BOOTSTRAP_HEADS_MAX)
        return err_set(err, ERR_PARSE, "join file: too many heads");
    char *head = join->heads[join->heads_count++];
    return join_text(head, sizeof join->heads[0], key, value, err);
}

int join_parse(struct str text, struct join *ret_join, struct err *err) {
    CLEANUP(mem_freep) struct join *join = mem_new(sizeof *join);
    static const uint8_t no_pin[LINK_PIN_SIZE];
    struct str line, key;
    while (str_line(&text, &line)) {
        if (str_trim(line).len == 0)
            continue;
        if (!str_contains(line, STR("=")))
            return err_set(err, ERR_PARSE, "join file: no '=' in a line");
        struct str value = line;
        ignore(!str_split(&value, '=', &key)); /* there is one */
        TRY(join_key(join, key, value, err));
    }
    if (join->run[0] == 0 || join->token[0] == 0 || join->dir[0] != '/' || join->heads_count == 0 ||
        join->cap_ns == 0 || memcmp(join->pin, no_pin, sizeof no_pin) == 0)
        return err_set(err, ERR_PARSE, "join file: run, token, pin, head, cap_s or dir is missing");
    *ret_join = *join;
    return 0;
}
