/* truth.h - what the rehearsal cloud itself knows of a run: its ground truth, asked after the end.
 *
 * Not what dayfly believes: the cloud counts instances and resources that carry the run's tag, the
 * calls that came and the bill, and tells them at /_dayfly/truth.
 */
#ifndef TRUTH_H
#define TRUTH_H

#include "base/base.h"
#include "base/err.h"
#include "emu/emu.h"

struct truth {
    uint32_t instances_ever;
    uint32_t instances_left;   /* of the run, in any state but terminated */
    uint32_t resources_left;   /* of the run: templates, groups, keys */
    uint32_t calls;            /* that the cloud has answered, all clients */
    uint64_t billed_usd_micro; /* of the run */
};

/* Ask; blocks for at most 5 s.  Errors: ERR_NETWORK, ERR_PROTOCOL. */
NODISCARD int truth_get(const struct emu_endpoint *cloud, const char *run, struct truth *ret_truth,
                        struct err *err);

#endif
