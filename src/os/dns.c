#include "os/dns.h"

#include <ares.h>
#include <netdb.h>

#include "os/clock.h"

#define DNS_SOCKETS_MAX 32
#define DNS_TRY_MS 2000
#define DNS_TRIES 3
#define DNS_WAIT_NS (20 * NS_PER_S)

struct dns_socket {
    struct dns *dns;
    ares_socket_t fd;
    struct loop_watch *watch; /* NULL: free place */
};

struct dns {
    struct loop *loop;
    ares_channel channel;     /* NULL: the host was numeric or a mistake */
    struct loop_timer *timer; /* of c-ares, then of the answer */
    struct dns_socket sockets[DNS_SOCKETS_MAX];
    char host[DNS_NAME_BYTES_MAX + 1];
    uint16_t port;
    bool answered;
    struct address addresses[DNS_ADDRESSES_MAX];
    size_t count;
    struct err why;
    void (*fn)(void *arg, const struct address *addresses, size_t count, const struct err *why);
    void *arg;
};

static bool dns_library_is_ready(void) {
    static bool ready;
    if (!ready)
        ready = ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS;
    return ready;
}

/* The answer is told from the timer, so that c-ares is not on the stack and may be destroyed. */
static void dns_answer_soon(struct dns *dns) {
    dns->answered = true;
    loop_timer_after(dns->timer, 0);
}

static void dns_set_timer(struct dns *dns) {
    struct timeval longest = {.tv_sec = 1}, storage;
    if (dns->answered)
        return;
    const struct timeval *wait = ares_timeout(dns->channel, &longest, &storage);
    loop_timer_after(dns->timer,
                     (uint64_t)wait->tv_sec * NS_PER_S + (uint64_t)wait->tv_usec * NS_PER_US);
}

static void dns_on_timer(void *arg) {
    struct dns *dns = arg;
    if (!dns->answered) {
        ares_process_fd(dns->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
        dns_set_timer(dns);
        return;
    }
    dns->fn(dns->arg, dns->addresses, dns->count, dns->count > 0 ? NULL : &dns->why);
}

static void dns_on_ready(void *arg, int ready) {
    struct dns_socket *s = arg;
    struct dns *dns = s->dns;
    ares_process_fd(dns->channel, ready & LOOP_READ ? s->fd : ARES_SOCKET_BAD,
                    ready & LOOP_WRITE ? s->fd : ARES_SOCKET_BAD);
    dns_set_timer(dns);
}

/* c-ares says what it waits for on which socket; both 0: it is about to close it. */
static void dns_on_socket(void *arg, ares_socket_t fd, int readable, int writable) {
    struct dns *dns = arg;
    struct dns_socket *place = NULL;
    for (size_t i = 0; i < ARRAY_LEN(dns->sockets); i++) {
        struct dns_socket *s = &dns->sockets[i];
        if (s->watch != NULL && s->fd == fd) {
            place = s;
            break;
        }
        if (s->watch == NULL && place == NULL)
            place = s;
    }
    int interest = (readable ? LOOP_READ : 0) | (writable ? LOOP_WRITE : 0);
    if (place == NULL)
        return; /* more sockets than servers times tries: the timer goes on without this one */
    if (place->watch == NULL && interest != LOOP_NONE) {
        place->dns = dns;
        place->fd = fd;
        place->watch = loop_watch_new(dns->loop, fd, interest, dns_on_ready, place);
    } else if (place->watch != NULL && interest == LOOP_NONE) {
        loop_watch_free(place->watch);
        place->watch = NULL;
    } else if (place->watch != NULL) {
        loop_watch_set(place->watch, interest);
    }
}

static void dns_take_addresses(struct dns *dns, const struct ares_addrinfo *info) {
    for (const struct ares_addrinfo_node *node = info->nodes;
         node != NULL && dns->count < DNS_ADDRESSES_MAX; node = node->ai_next) {
        struct address *address = &dns->addresses[dns->count];
        if (node->ai_addrlen > sizeof address->storage)
            continue;
        memcpy(&address->storage, node->ai_addr, node->ai_addrlen);
        address->size = node->ai_addrlen;
        if (address_family(address) == AF_INET)
            address->v4.sin_port = htons(dns->port);
        else if (address_family(address) == AF_INET6)
            address->v6.sin6_port = htons(dns->port);
        else
            continue;
        dns->count++;
    }
}

static void dns_on_info(void *arg, int status, int timeouts, struct ares_addrinfo *info) {
    struct dns *dns = arg;
    (void)timeouts;
    if (status == ARES_EDESTRUCTION)
        return;
    if (status == ARES_SUCCESS && info != NULL)
        dns_take_addresses(dns, info);
    if (info != NULL)
        ares_freeaddrinfo(info);
    enum err_code code = status == ARES_ENOTFOUND || status == ARES_ENODATA ? ERR_NOT_FOUND
                         : status == ARES_ETIMEOUT                          ? ERR_TIMEOUT
                                                                            : ERR_NETWORK;
    if (dns->count == 0)
        ignore(err_set(&dns->why, code, "cannot find the address of '%s': %s", dns->host,
                       status == ARES_SUCCESS ? "none given" : ares_strerror(status)) == 0);
    dns_answer_soon(dns);
}

static void dns_ask(struct dns *dns) {
    struct ares_options options = {.timeout = DNS_TRY_MS,
                                   .tries = DNS_TRIES,
                                   .sock_state_cb = dns_on_socket,
                                   .sock_state_cb_data = dns};
    struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    int status =
        dns_library_is_ready()
            ? ares_init_options(&dns->channel, &options,
                                ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB)
            : ARES_ENOTINITIALIZED;
    if (status != ARES_SUCCESS) {
        dns->channel = NULL;
        ignore(err_set(&dns->why, ERR_NETWORK, "no resolver: %s", ares_strerror(status)) == 0);
        dns_answer_soon(dns);
        return;
    }
    ares_getaddrinfo(dns->channel, dns->host, NULL, &hints, dns_on_info, dns);
    dns_set_timer(dns);
}

/* "localhost" is this machine whatever hosts file or server says (RFC 6761, section 6.3). */
static bool dns_take_localhost(struct dns *dns, struct str host) {
    if (!str_equal_nocase(host, STR("localhost")))
        return false;
    must(address_parse_host(STR("127.0.0.1"), dns->port, &dns->addresses[0], NULL) == 0);
    must(address_parse_host(STR("::1"), dns->port, &dns->addresses[1], NULL) == 0);
    dns->count = 2;
    return true;
}

struct dns *dns_lookup(struct loop *loop, struct str host, uint16_t port,
                       void (*fn)(void *arg, const struct address *addresses, size_t count,
                                  const struct err *why),
                       void *arg) {
    struct dns *dns = mem_new(sizeof *dns);
    dns->loop = loop;
    dns->port = port;
    dns->fn = fn;
    dns->arg = arg;
    dns->timer = loop_timer_new(loop, dns_on_timer, dns);
    struct str bare = host; /* "[::1]" as in a URL */
    if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        bare = str_slice(host, 1, host.len - 1);
    if (address_parse_host(bare, port, &dns->addresses[0], NULL) == 0) {
        dns->count = 1;
        dns_answer_soon(dns);
    } else if (dns_take_localhost(dns, host)) {
        dns_answer_soon(dns);
    } else if (host.len == 0 || !str_copy(dns->host, sizeof dns->host, host) ||
               strlen(dns->host) != host.len) {
        ignore(err_set(&dns->why, ERR_PARSE, "not a host name: '%.*s'", STR_ARG(host)) == 0);
        dns_answer_soon(dns);
    } else {
        dns_ask(dns);
    }
    return dns;
}

void dns_free(struct dns *own_dns) {
    if (own_dns == NULL)
        return;
    if (own_dns->channel != NULL)
        ares_destroy(own_dns->channel);
    for (size_t i = 0; i < ARRAY_LEN(own_dns->sockets); i++)
        loop_watch_free(own_dns->sockets[i].watch);
    loop_timer_free(own_dns->timer);
    mem_free(own_dns);
}

struct dns_wait {
    bool done;
    struct address *addresses;
    size_t count;
    struct err why;
};

static void dns_wait_on_answer(void *arg, const struct address *addresses, size_t count,
                               const struct err *why) {
    struct dns_wait *wait = arg;
    wait->done = true;
    wait->count = count;
    for (size_t i = 0; i < count; i++)
        wait->addresses[i] = addresses[i];
    if (why != NULL)
        wait->why = *why;
}

static bool dns_wait_is_done(void *arg) {
    const struct dns_wait *wait = arg;
    return wait->done;
}

int dns_lookup_wait(struct str host, uint16_t port, struct address *ret_addresses,
                    size_t *ret_count, struct err *err) {
    struct dns_wait wait = {.addresses = ret_addresses};
    CLEANUP(loop_freep) struct loop *loop = loop_new();
    struct dns *dns = dns_lookup(loop, host, port, dns_wait_on_answer, &wait);
    bool done = loop_run_until(loop, clock_monotonic_ns() + DNS_WAIT_NS, dns_wait_is_done, &wait);
    dns_free(dns);
    if (!done)
        return err_set(err, ERR_TIMEOUT, "no answer about '%.*s' in time", STR_ARG(host));
    if (wait.count == 0)
        return err_set(err, wait.why.code, "%s", wait.why.text);
    *ret_count = wait.count;
    return 0;
}
