/* no_nss.c - look-ups of the C library that fail, for the static program.
 *
 * glibc answers these by loading shared libraries at run time, which a static program on a machine
 * with another glibc does at its peril.  Libraries that we link refer to them; nothing of ours
 * does: names are looked up by os/dns.h.  With these in the program the linker does not take
 * glibc's, and a call fails closed.
 *
 * Tests: `dayfly selftest` (test/story/70-selftest.sh)
 */
#include "base/base.h"
#include "os/address.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <pwd.h>
#include <stdio.h>

/* A decimal port. */
static bool read_port(const char *text, uint16_t *ret_port) {
    unsigned port = 0;
    for (const char *c = text ? text : "0"; *c != '\0'; c++) {
        if (*c < '0' || *c > '9' || port > UINT16_MAX)
            return false;
        port = port * 10 + (unsigned)(*c - '0');
    }
    *ret_port = (uint16_t)port;
    return port <= UINT16_MAX;
}

/* libevent has its addresses read by this: numeric ones are, names are not looked up. */
int getaddrinfo(const char *restrict node, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict ret_list) {
    int family = hints ? hints->ai_family : AF_UNSPEC;
    bool passive = hints && (hints->ai_flags & AI_PASSIVE);
    if (!node)
        node = family == AF_INET6 ? (passive ? "::" : "::1") : (passive ? "0.0.0.0" : "127.0.0.1");
    uint16_t port = 0;
    struct address address;
    if (!read_port(service, &port))
        return EAI_SERVICE;
    if (address_parse_host(str_from(node), port, &address, NULL) < 0)
        return hints && (hints->ai_flags & AI_NUMERICHOST) ? EAI_NONAME : EAI_FAIL;
    if (family != AF_UNSPEC && family != address_family(&address))
        return EAI_NONAME;
    struct entry {
        struct addrinfo info;
        struct address address;
    } *entry = mem_new(sizeof *entry);
    entry->address = address;
    entry->info = (struct addrinfo){.ai_family = address_family(&address),
                                    .ai_socktype = hints && hints->ai_socktype ? hints->ai_socktype
                                                                               : SOCK_STREAM,
                                    .ai_protocol = hints ? hints->ai_protocol : 0,
                                    .ai_addrlen = address.size,
                                    .ai_addr = &entry->address.any};
    *ret_list = &entry->info;
    return 0;
}

void freeaddrinfo(struct addrinfo *own_list) {
    mem_free(own_list); /* one entry: the first member of what was allocated */
}

struct hostent *gethostbyname(const char *name) {
    (void)name;
    h_errno = NO_RECOVERY;
    return NULL;
}

struct protoent *getprotobynumber(int number) {
    (void)number;
    return NULL;
}

struct servent *getservbyname(const char *name, const char *protocol) {
    (void)name, (void)protocol;
    return NULL;
}

int getservbyport_r(int port, const char *restrict protocol, struct servent *restrict into,
                    char *restrict buf, size_t size, struct servent **restrict ret_entry) {
    (void)port, (void)protocol, (void)into, (void)buf, (void)size;
    *ret_entry = NULL;
    return ENOENT;
}

struct passwd *getpwuid(uid_t uid) {
    (void)uid;
    return NULL;
}

/* libevent asks for the numeric form of its peers: that needs nobody. */
int getnameinfo(const struct sockaddr *restrict address, socklen_t address_size,
                char *restrict host, socklen_t host_size, char *restrict service,
                socklen_t service_size, int flags) {
    const struct sockaddr_in *v4 = (const void *)address;
    const struct sockaddr_in6 *v6 = (const void *)address;
    bool is_v4 = address->sa_family == AF_INET && address_size >= sizeof *v4;
    bool is_v6 = address->sa_family == AF_INET6 && address_size >= sizeof *v6;
    if (!is_v4 && !is_v6)
        return EAI_FAMILY;
    if (!(flags & NI_NUMERICHOST) && (flags & NI_NAMEREQD))
        return EAI_FAIL;
    const void *bytes = is_v4 ? (const void *)&v4->sin_addr : &v6->sin6_addr;
    if (host && host_size > 0 && !inet_ntop(address->sa_family, bytes, host, host_size))
        return EAI_OVERFLOW;
    unsigned port = ntohs(is_v4 ? v4->sin_port : v6->sin6_port);
    if (service && service_size > 0 &&
        (socklen_t)snprintf(service, service_size, "%u", port) >= service_size)
        return EAI_OVERFLOW;
    return 0;
}

/* OpenSSL's engines and SQLite's extensions, which we do not load.  The linker sends calls of
 * dlopen here (--wrap): glibc's own stays in the program for character sets, which nobody asks for.
 */
void *__wrap_dlopen(const char *file, int mode);
void *__wrap_dlopen(const char *file, int mode) {
    (void)file, (void)mode;
    return NULL;
}

void *dlsym(void *restrict handle, const char *restrict name) {
    (void)handle, (void)name;
    return NULL;
}

int dlclose(void *handle) {
    (void)handle;
    return -1;
}

char *dlerror(void) {
    static char text[] = "a static program loads no libraries";
    return text;
}

int dladdr(const void *address, Dl_info *ret_info) {
    (void)address, (void)ret_info;
    return 0;
}
