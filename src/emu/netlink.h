/* netlink.h - the few words of rtnetlink that instances in namespaces need.
 *
 * One request, one acknowledgement; no `ip` process is started (1.4 ms against 11 ms for an
 * instance's network).  Every call acts in the network namespace in which the socket was opened.
 * IPv6 is switched off on all links that are made here: address detection of hundreds of links
 * costs seconds.  Addresses are IPv4 in host byte order.
 */
#ifndef EMU_NETLINK_H
#define EMU_NETLINK_H

#include "base/base.h"
#include "base/err.h"

#include <sys/types.h>

/* A socket.  Errors: ERR_ACCESS, ERR_IO. */
NODISCARD int netlink_open(int *ret_fd, struct err *err);

/* Switch IPv6 off on a link of the present namespace, "all" for every one. */
void netlink_no_ipv6(const char *name);

/* Index of a link by name, 0 when there is none. */
NODISCARD unsigned netlink_index(const char *name);

/* A bridge that is up, with an address.  Errors: ERR_EXISTS, ERR_ACCESS, ERR_IO. */
NODISCARD int netlink_bridge(int fd, const char *name, const uint8_t mac[6], uint32_t ip,
                             unsigned prefix, struct err *err);

/* A pair of links: `name` here, up and in the bridge; "eth0" with `mac` in the network namespace
 * of process `pid`.  The pair dies with that namespace. */
NODISCARD int netlink_veth(int fd, const char *name, unsigned bridge_index, pid_t pid,
                           const uint8_t mac[6], struct err *err);

NODISCARD int netlink_up(int fd, unsigned index, struct err *err);
NODISCARD int netlink_address(int fd, unsigned index, uint32_t ip, unsigned prefix,
                              struct err *err);
NODISCARD int netlink_default_route(int fd, uint32_t gateway, struct err *err);
/* A permanent neighbour: not counted against the kernel's table limits, never asked for. */
NODISCARD int netlink_neighbour(int fd, unsigned index, uint32_t ip, const uint8_t mac[6],
                                bool present, struct err *err);
/* Remove a link; fine when it is not there. */
NODISCARD int netlink_remove(int fd, const char *name, struct err *err);

#endif
