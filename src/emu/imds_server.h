/* imds_server.h - HTTP in front of imds.h: one listening socket for each instance.
 *
 * Requests are bounded (headers 16 KiB, no body, 10 s of silence).
 */
#ifndef EMU_IMDS_SERVER_H
#define EMU_IMDS_SERVER_H

#include "emu/imds.h"
#include "os/loop.h"

struct imds_server;

/* Serve on `own_fd` (listening, non-blocking) what `imds` knows; `imds` must outlive the server.
 * NULL when the socket cannot be used. */
NODISCARD struct imds_server *imds_server_new(struct loop *loop, int own_fd,
                                              const struct imds *imds, const struct cloud *cloud);
void imds_server_free(struct imds_server *own_server);

#endif
