/* endpoint.h - the folder of a cloud under the state directory: endpoint.json, lock, instances.
 *
 * `<state dir>/<id>/lock` is held (flock) while the cloud lives; a folder whose lock is free is
 * what a killed cloud left, and the next start removes it (what still resists then, its end).
 */
#ifndef EMU_ENDPOINT_H
#define EMU_ENDPOINT_H

#include "base/buf.h"
#include "emu/emu.h"

struct endpoint_folder {
    char path[512]; /* of the folder */
    char id[32];
    int lock_fd;
};

/* The default state directory: $XDG_STATE_HOME/dayfly/clouds or ~/.local/state/dayfly/clouds.
 * Errors: ERR_NOT_FOUND (neither HOME nor XDG_STATE_HOME). */
NODISCARD int endpoint_state_dir(struct buf *out, struct err *err);
/* Remove what killed clouds left, then make and lock a new folder. */
NODISCARD int endpoint_folder_open(const char *state_dir, struct endpoint_folder *ret,
                                   struct err *err);
/* Remove the folder and let go of the lock. */
void endpoint_folder_close(struct endpoint_folder *f);

/* Whether a cloud holds the lock beside endpoint.json.  Errors: ERR_NOT_FOUND, ERR_ACCESS. */
NODISCARD int endpoint_lock_held(const struct emu_endpoint *e, bool *ret_held, struct err *err);
NODISCARD int endpoint_write(const struct emu_endpoint *e, struct err *err);

#endif
