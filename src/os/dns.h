/* dns.h - names to addresses on the loop, by c-ares (works in a static program; getaddrinfo does
 * not).  Numeric hosts answer without asking anybody; /etc/hosts is read.
 *
 * The callback comes once, from the loop, never from inside dns_lookup; after dns_free it does not
 * come.  Tests: test/unit/test_loop.c
 */
#ifndef DNS_H
#define DNS_H

#include "base/base.h"
#include "base/err.h"
#include "base/str.h"
#include "os/address.h"
#include "os/loop.h"

#define DNS_ADDRESSES_MAX 16
#define DNS_NAME_BYTES_MAX 253

struct dns;

/* Look up `host` (IPv4 and IPv6, in the order the resolver prefers); `port` is put into the
 * addresses.  `why` is NULL or tells why there is none: ERR_NOT_FOUND, ERR_TIMEOUT, ERR_NETWORK,
 * ERR_PARSE.  Free the look-up when done, also inside the callback. */
NODISCARD struct dns *dns_lookup(struct loop *loop, struct str host, uint16_t port,
                                 void (*fn)(void *arg, const struct address *addresses,
                                            size_t count, const struct err *why),
                                 void *arg);
void dns_free(struct dns *own_dns);
DEFINE_FREEP(struct dns, dns_free)

/* The same, waiting: for tools that have nothing else to do. */
NODISCARD int dns_lookup_wait(struct str host, uint16_t port, struct address *ret_addresses,
                              size_t *ret_count, struct err *err);

#endif
