/* address.h - numeric IP addresses with a port: parse, print, compare; no names, no look-ups. */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/base.h"
#include "base/err.h"
#include "base/str.h"

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_storage storage;
    };
    socklen_t size;
};

/* "192.0.2.7:4433" or "[2001:db8::7]:4433".  Error: ERR_PARSE. */
NODISCARD int address_parse(struct str text, struct address *ret_address, struct err *err);
/* "192.0.2.7" or "2001:db8::7", with the port apart. */
NODISCARD int address_parse_host(struct str host, uint16_t port, struct address *ret_address,
                                 struct err *err);
int address_family(const struct address *a);
uint16_t address_port(const struct address *a);
/* The host without port; an IPv4-mapped IPv6 address as IPv4. */
void address_host(const struct address *a, char *into, size_t size);
/* Address of the socket's own end, or of its peer's; a zeroed one when there is none. */
void address_of_socket(int fd, bool peer, struct address *ret_address);

#endif
