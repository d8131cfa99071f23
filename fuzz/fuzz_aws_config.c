/* A shared config file, as both files of a profile, and as the JSON of a credential process. */
#include "fuzz.h"

#include "aws/config.h"

static const char *get(void *user UNUSED, const char *name) {
    return strcmp(name, "HOME") == 0 ? "/h" : strcmp(name, "AWS_REGION") == 0 ? "eu-west-1" : NULL;
}

static int read_input(void *user, const char *path UNUSED, struct arena *arena,
                      struct str *ret_text, struct err *err UNUSED) {
    *ret_text = arena_str(arena, *(struct str *)user);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str text = {(const char *)data, size};
    struct aws_environment environment = {get, read_input, &text};
    struct aws_config_options options = {.profile = STR_EMPTY};
    struct aws_config config;
    struct aws_keys keys;
    struct arena arena = {0};
    struct err err = {0};
    if (aws_config_load(&options, &environment, &arena, &config, &err) == 0) {
        must(config.region.len > 0 && config.attempts_max > 0);
        must(config.source != AWS_SOURCE_STATIC || config.keys.secret_key.len > 0);
    } else {
        must(err.code != ERR_NONE);
    }
    if (aws_keys_parse(text, &arena, &keys, NULL) == 0)
        must(keys.access_key.len > 0 && keys.secret_key.len > 0);
    arena_deinit(&arena);
    return 0;
}
