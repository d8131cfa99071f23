#include "os/address.h"

#include <arpa/inet.h>

#include "base/units.h"

int address_parse_host(struct str host, uint16_t port, struct address *ret_address,
                       struct err *err) {
    char text[INET6_ADDRSTRLEN];
    struct address parsed = {0};
    if (str_copy(text, sizeof text, host) && inet_pton(AF_INET, text, &parsed.v4.sin_addr) == 1) {
        parsed.v4.sin_family = AF_INET;
        parsed.v4.sin_port = htons(port);
        parsed.size = sizeof parsed.v4;
    } else if (str_copy(text, sizeof text, host) &&
               inet_pton(AF_INET6, text, &parsed.v6.sin6_addr) == 1) {
        parsed.v6.sin6_family = AF_INET6;
        parsed.v6.sin6_port = htons(port);
        parsed.size = sizeof parsed.v6;
    } else {
        return err_set(err, ERR_PARSE, "not an IP address: '%.*s'", STR_ARG(host));
    }
    *ret_address = parsed;
    return 0;
}

int address_parse(struct str text, struct address *ret_address, struct err *err) {
    struct str host = text, port_text = STR_EMPTY;
    uint64_t port = 0;
    if (text.len > 0 && text.ptr[0] == '[') {
        size_t close_at = str_index_of(text, ']');
        host = str_slice(text, 1, close_at);
        port_text = str_skip(text, MIN(close_at + 1, text.len));
        if (!str_starts_with(port_text, STR(":")))
            return err_set(err, ERR_PARSE, "not an address with a port: '%.*s'", STR_ARG(text));
        port_text = str_skip(port_text, 1);
    } else {
        size_t colon_at = str_index_of(text, ':');
        host = str_slice(text, 0, colon_at);
        port_text = str_skip(text, MIN(colon_at + 1, text.len));
    }
    if (units_u64(port_text, &port, NULL) < 0 || port == 0 || port > UINT16_MAX)
        return err_set(err, ERR_PARSE, "not an address with a port: '%.*s'", STR_ARG(text));
    return address_parse_host(host, (uint16_t)port, ret_address, err);
}

int address_family(const struct address *a) {
    return a->any.sa_family;
}

uint16_t address_port(const struct address *a) {
    if (a->any.sa_family == AF_INET)
        return ntohs(a->v4.sin_port);
    return a->any.sa_family == AF_INET6 ? ntohs(a->v6.sin6_port) : 0;
}

void address_host(const struct address *a, char *into, size_t size) {
    char text[INET6_ADDRSTRLEN] = "";
    if (a->any.sa_family == AF_INET)
        inet_ntop(AF_INET, &a->v4.sin_addr, text, sizeof text);
    else if (a->any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr))
        inet_ntop(AF_INET, &a->v6.sin6_addr.s6_addr[12], text, sizeof text);
    else if (a->any.sa_family == AF_INET6)
        inet_ntop(AF_INET6, &a->v6.sin6_addr, text, sizeof text);
    must(str_copy(into, size, str_from(text)));
}

void address_of_socket(int fd, bool peer, struct address *ret_address) {
    struct address found = {0};
    found.size = sizeof found.storage;
    int result =
        peer ? getpeername(fd, &found.any, &found.size) : getsockname(fd, &found.any, &found.size);
    if (result != 0)
        found = (struct address){0};
    *ret_address = found;
}
