/* power.h - `shutdown`, `poweroff`, `halt` and `reboot` as an instance understands them.
 *
 * Pure: words of a command line in, one wish out.  The grammar is that of systemd's tools, which
 * user-data scripts are written for; what it does is told to the instance's init (init.h).
 *
 * Tests: test/unit/test_power.c
 */
#ifndef EMU_POWER_H
#define EMU_POWER_H

#include "base/base.h"
#include "base/err.h"

enum power_act {
    POWER_OFF,    /* ends the instance: terminate or stop, as its shutdown behaviour says */
    POWER_HALT,   /* the system dies, the instance runs on and costs on */
    POWER_REBOOT, /* everything inside ends; user-data does not run again */
    POWER_CANCEL, /* forget what was scheduled */
    POWER_WARN,   /* `shutdown -k`: only says so */
};

struct power_wish {
    enum power_act act;
    uint64_t minutes; /* from now; 0: at once */
};

/* The longest wait that `shutdown +N` takes: a year. */
#define POWER_MINUTES_MAX (366 * 24 * 60)

/* Read `words[0..count-1]`: the command's name, then its arguments.  `minute_of_day` (0..1439) is
 * the wall clock for "hh:mm".  Errors: ERR_USAGE. */
NODISCARD int power_parse(const char *const *words, unsigned count, unsigned minute_of_day,
                          struct power_wish *ret, struct err *err);

/* "off 5", "halt 0", ...: the message to the init, and back.  Errors: ERR_PARSE. */
void power_format(const struct power_wish *wish, char *into, size_t size);
NODISCARD int power_read(const char *text, struct power_wish *ret, struct err *err);

#endif
