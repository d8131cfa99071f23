/* steer.h - port 80 of the metadata address without a socket that is bound to port 80.
 *
 * A socket on 169.254.169.254:80 inside an instance would keep every server from binding
 * 0.0.0.0:80, which on EC2 it can: there the metadata service is another machine.  So the service
 * listens on a port that nobody uses, and a small program (BPF_PROG_TYPE_SK_LOOKUP, Linux 5.9)
 * answers the kernel's look-up of a listener for that address and port 80 with this socket.  It
 * belongs to the network namespace and is gone with it or with the descriptor.
 */
#ifndef EMU_STEER_H
#define EMU_STEER_H

#include "base/base.h"
#include "base/err.h"

/* From here on, connections to `ip`:`port` (IPv4, host byte order) in the present network namespace
 * reach the listening TCP socket `fd`, for as long as *ret_link_fd is open (the caller closes it).
 * Errors: ERR_ACCESS (no right, or a kernel without it). */
NODISCARD int steer_port(int fd, uint32_t ip, uint16_t port, int *ret_link_fd, struct err *err);

#endif
