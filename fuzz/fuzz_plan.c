/* Any bytes as a plan file: loading ends, an error has a place in the file or none, and what loads
 * prints to a file that loads to the same text. */
#include "fuzz.h"

#include "plan/plan.h"

static const char *no_env(void *context, const char *name) {
    (void)context;
    return name[0] == 'H' ? "home" : NULL;
}

static int fake_file(void *context, struct arena *arena, struct str path, struct str *ret_text,
                     struct err *err) {
    (void)context;
    (void)arena;
    if (path.len == 0 || path.ptr[0] != 'p')
        return err_set(err, ERR_NOT_FOUND, "no file");
    *ret_text = STR("text\n");
    return 0;
}

static const struct plan *load(struct str text, struct arena *arena, struct plan_errors *errors) {
    struct plan_load_options options = {
        .file = STR("f.yaml"), .text = text, .env = no_env, .read_file = fake_file};
    const struct plan *plan = NULL;
    struct err err = {0};
    /* The first lines may be sets. */
    struct str sets[4], rest = text, line;
    while (options.set_count < 4 && str_line(&rest, &line) && str_starts_with(line, STR("# set: ")))
        sets[options.set_count++] = str_skip(line, 7);
    options.sets = sets;
    int result = plan_load(&options, arena, &plan, errors, &err);
    must((result == 0) == (plan != NULL));
    must((result == 0) == (errors->count == 0));
    must(result == 0 || err.code == ERR_CONFIG);
    for (uint32_t i = 0; i < errors->count; i++) {
        CLEANUP(buf_deinit) struct buf out = BUF_INIT(64 * KIB);
        plan_error_add_block(&out, errors, i, true);
        must(buf_ok(&out) && out.len > 0);
        must(errors->items[i].message.len > 0);
    }
    return plan;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct plan_errors errors;
    struct arena first = {0}, second = {0};
    struct buf printed = BUF_INIT(64 * MIB), again = BUF_INIT(64 * MIB);
    const struct plan *plan = load((struct str){(const char *)data, size}, &first, &errors);
    if (plan) {
        plan_add_yaml(&printed, plan);
        /* What is printed may be longer than a plan may be: only then need it not load. */
        const struct plan *reloaded = load(buf_str(&printed), &second, &errors);
        if (reloaded) {
            plan_add_yaml(&again, reloaded);
            must(str_equal(buf_str(&again), buf_str(&printed)));
        } else {
            must(printed.len > 512 * KIB);
        }
    }
    buf_deinit(&printed);
    buf_deinit(&again);
    arena_deinit(&first);
    arena_deinit(&second);
    return 0;
}
