/* options.h - options of the cloud process as a command line and as options of the model.
 *
 * Parsing is emu_options_set (emu.h); the table behind it stands in options.c.
 * Tests: test/unit/test_emu_options.c
 */
#ifndef EMU_OPTIONS_H
#define EMU_OPTIONS_H

#include "cloud/cloud.h"
#include "emu/emu.h"

#define OPTIONS_ARGS_MAX (64 + 4 * EMU_LIST_MAX)

/* "dayfly" "cloud" "--listen" ...: a command line that gives the same options again.
 * NULL-terminated, with room for 8 more words. */
NODISCARD char **options_argv(const struct emu_options *o);
void options_argv_free(char **own_argv);

/* Options of the model; seed, clock and addresses are left to the caller.
 * Errors: ERR_USAGE, and those of capacity and fault rules. */
NODISCARD int options_to_cloud(const struct emu_options *o, struct cloud_options *ret,
                               struct err *err);

#endif
