#include "cli/cloud_opts.h"

static const struct opt OPTS[] = {CLOUD_OPTS, {0}};

int cloud_opts_read(const struct args *args, struct emu_options *o, struct err *err) {
    for (const struct opt *opt = OPTS; opt->name; opt++) {
        const char *text = opt->kind == OPT_LIST ? NULL : args_text(args, opt->name);
        if (text)
            TRY(emu_options_set(o, opt->name, text, err));
        for (unsigned i = 0; opt->kind == OPT_LIST && (text = args_list(args, opt->name, i)); i++)
            TRY(emu_options_set(o, opt->name, text, err));
    }
    return 0;
}
