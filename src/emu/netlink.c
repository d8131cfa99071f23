#include "emu/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define MESSAGE_BYTES 1024
#define REPLY_BYTES 4096
#define REPLY_WAIT_S 10 /* the kernel's network lock is held for long when hundreds end */

/* A request under construction. */
struct message {
    union {
        struct nlmsghdr head;
        char bytes[MESSAGE_BYTES];
    };
};

static void begin(struct message *m, uint16_t type, uint16_t flags, const void *body,
                  size_t body_size) {
    memset(m, 0, sizeof *m);
    m->head.nlmsg_type = type;
    m->head.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
    m->head.nlmsg_len = (uint32_t)NLMSG_LENGTH(body_size);
    memcpy(NLMSG_DATA(&m->head), body, body_size);
}

static void append(struct message *m, const void *bytes, size_t size) {
    size_t at = NLMSG_ALIGN(m->head.nlmsg_len);
    must(at + size <= MESSAGE_BYTES);
    if (size > 0)
        memcpy(m->bytes + at, bytes, size);
    m->head.nlmsg_len = (uint32_t)(at + size);
}

static void attribute(struct message *m, unsigned short type, const void *bytes, size_t size) {
    struct rtattr a = {.rta_len = (unsigned short)RTA_LENGTH(size), .rta_type = type};
    append(m, &a, sizeof a);
    append(m, bytes, size);
}

/* Open a nested attribute; nest_end closes it. */
static size_t nest(struct message *m, unsigned short type) {
    size_t at = NLMSG_ALIGN(m->head.nlmsg_len);
    attribute(m, type, NULL, 0);
    return at;
}

static void nest_end(struct message *m, size_t at) {
    struct rtattr *a = (struct rtattr *)(void *)(m->bytes + at);
    m->head.nlmsg_len = NLMSG_ALIGN(m->head.nlmsg_len); /* its padding belongs to it */
    a->rta_len = (unsigned short)(m->head.nlmsg_len - at);
}

static int transact(int fd, struct message *m, const char *what, struct err *err) {
    if (send(fd, m->bytes, m->head.nlmsg_len, 0) < 0)
        return err_set_errno(err, ERR_IO, errno, "network: %s", what);
    union {
        struct nlmsghdr head;
        char bytes[REPLY_BYTES];
    } reply;
    ssize_t got;
    do {
        got = recv(fd, reply.bytes, sizeof reply.bytes, 0);
    } while (got < 0 && errno == EINTR);
    if (got < (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)) ||
        reply.head.nlmsg_type != NLMSG_ERROR)
        return err_set(err, ERR_IO, "network: %s: no acknowledgement", what);
    int code = -((struct nlmsgerr *)NLMSG_DATA(&reply.head))->error;
    if (code == 0)
        return 0;
    enum err_code kind = ERR_IO;
    if (code == EEXIST)
        kind = ERR_EXISTS;
    else if (code == EPERM || code == EACCES)
        kind = ERR_ACCESS;
    else if (code == ENODEV || code == ENOENT || code == ESRCH)
        kind = ERR_NOT_FOUND;
    return err_set_errno(err, kind, code, "network: %s", what);
}

int netlink_open(int *ret_fd, struct err *err) {
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return err_set_errno(err, ERR_ACCESS, errno, "cannot open a netlink socket");
    struct timeval wait = {.tv_sec = REPLY_WAIT_S};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    *ret_fd = fd;
    return 0;
}

void netlink_no_ipv6(const char *name) {
    char path[96];
    snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%.15s/disable_ipv6", name);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;                     /* a kernel without IPv6 */
    ignore(write(fd, "1", 1) != 1); /* only slower */
    close(fd);
}

unsigned netlink_index(const char *name) {
    return if_nametoindex(name);
}

int netlink_up(int fd, unsigned index, struct err *err) {
    struct message m;
    struct ifinfomsg link = {.ifi_index = (int)index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    begin(&m, RTM_NEWLINK, 0, &link, sizeof link);
    return transact(fd, &m, "cannot set a link up", err);
}

int netlink_address(int fd, unsigned index, uint32_t ip, unsigned prefix, struct err *err) {
    must(prefix <= 32);
    struct message m;
    struct ifaddrmsg addr = {
        .ifa_family = AF_INET, .ifa_prefixlen = (unsigned char)prefix, .ifa_index = index};
    uint32_t wire = htonl(ip);
    uint32_t broadcast = htonl(prefix == 32 ? ip : ip | UINT32_MAX >> prefix);
    begin(&m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &addr, sizeof addr);
    attribute(&m, IFA_LOCAL, &wire, sizeof wire);
    attribute(&m, IFA_ADDRESS, &wire, sizeof wire);
    attribute(&m, IFA_BROADCAST, &broadcast, sizeof broadcast);
    return transact(fd, &m, "cannot add an address", err);
}

int netlink_bridge(int fd, const char *name, const uint8_t mac[6], uint32_t ip, unsigned prefix,
                   struct err *err) {
    must(strlen(name) < IFNAMSIZ);
    struct message m;
    struct ifinfomsg link = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    begin(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof link);
    attribute(&m, IFLA_IFNAME, name, strlen(name) + 1);
    attribute(&m, IFLA_ADDRESS, mac, 6);
    size_t info = nest(&m, IFLA_LINKINFO);
    attribute(&m, IFLA_INFO_KIND, "bridge", 6);
    nest_end(&m, info);
    TRY(transact(fd, &m, "cannot make a bridge", err));
    unsigned index = netlink_index(name);
    if (index == 0)
        return err_set(err, ERR_IO, "network: bridge %s vanished", name);
    netlink_no_ipv6(name);
    return netlink_address(fd, index, ip, prefix, err);
}

int netlink_veth(int fd, const char *name, unsigned bridge_index, pid_t pid, const uint8_t mac[6],
                 struct err *err) {
    must(strlen(name) < IFNAMSIZ && bridge_index > 0);
    struct message m;
    struct ifinfomsg link = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    struct ifinfomsg peer = {0};
    uint32_t namespace_pid = (uint32_t)pid;
    begin(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof link);
    attribute(&m, IFLA_IFNAME, name, strlen(name) + 1);
    attribute(&m, IFLA_MASTER, &bridge_index, sizeof bridge_index);
    size_t info = nest(&m, IFLA_LINKINFO);
    attribute(&m, IFLA_INFO_KIND, "veth", 4);
    size_t data = nest(&m, IFLA_INFO_DATA);
    size_t other = nest(&m, VETH_INFO_PEER);
    append(&m, &peer, sizeof peer);
    attribute(&m, IFLA_IFNAME, "eth0", 5);
    attribute(&m, IFLA_ADDRESS, mac, 6);
    attribute(&m, IFLA_NET_NS_PID, &namespace_pid, sizeof namespace_pid);
    nest_end(&m, other);
    nest_end(&m, data);
    nest_end(&m, info);
    TRY(transact(fd, &m, "cannot make the link of an instance", err));
    netlink_no_ipv6(name);
    return 0;
}

int netlink_default_route(int fd, uint32_t gateway, struct err *err) {
    struct message m;
    struct rtmsg route = {.rtm_family = AF_INET,
                          .rtm_table = RT_TABLE_MAIN,
                          .rtm_protocol = RTPROT_BOOT,
                          .rtm_scope = RT_SCOPE_UNIVERSE,
                          .rtm_type = RTN_UNICAST};
    uint32_t wire = htonl(gateway);
    begin(&m, RTM_NEWROUTE, NLM_F_CREATE, &route, sizeof route);
    attribute(&m, RTA_GATEWAY, &wire, sizeof wire);
    return transact(fd, &m, "cannot set the default route", err);
}

int netlink_neighbour(int fd, unsigned index, uint32_t ip, const uint8_t mac[6], bool present,
                      struct err *err) {
    struct message m;
    struct ndmsg entry = {
        .ndm_family = AF_INET, .ndm_ifindex = (int)index, .ndm_state = NUD_PERMANENT};
    uint32_t wire = htonl(ip);
    begin(&m, present ? RTM_NEWNEIGH : RTM_DELNEIGH, present ? NLM_F_CREATE | NLM_F_REPLACE : 0,
          &entry, sizeof entry);
    attribute(&m, NDA_DST, &wire, sizeof wire);
    if (present)
        attribute(&m, NDA_LLADDR, mac, 6);
    return transact(fd, &m, "cannot set a neighbour", err);
}

int netlink_remove(int fd, const char *name, struct err *err) {
    struct message m;
    struct ifinfomsg link = {.ifi_index = (int)netlink_index(name)};
    if (link.ifi_index == 0)
        return 0;
    begin(&m, RTM_DELLINK, 0, &link, sizeof link);
    int result = transact(fd, &m, "cannot remove a link", err);
    return result == -ERR_NOT_FOUND ? 0 : result;
}
