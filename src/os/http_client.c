#include "os/http_client.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/buf.h"
#include "codec/http1.h"
#include "codec/url.h"
#include "os/address.h"
#include "os/dns.h"

#define IDLE_NS (4 * NS_PER_S)              /* shorter than the idle limits of load balancers */
#define HEAD_BYTES_MAX (HTTP1_HEAD_MAX * 2) /* the head and what came with its last bytes */

/* One connection; with an exchange, or idle. */
struct http_conn {
    struct http_client *client;
    struct http_conn *next, *previous; /* of the client */
    struct http_exchange *exchange;    /* NULL: idle */
    struct bufferevent *bev;           /* NULL: looking up the name */
    struct dns *dns;
    struct address addresses[DNS_ADDRESSES_MAX];
    size_t address_count, address_next;
    bool connected;
    bool reused;
    uint64_t idle_since_ns;
};

struct http_exchange {
    struct http_client *client;
    struct http_conn *conn;
    struct loop_timer *timer;
    uint64_t deadline_ns;
    char *request;
    size_t request_size;
    bool sent;
    bool head_over; /* no more bytes into `head` */
    struct http1_reply reply;
    struct buf head, body;
    void (*done)(void *arg, const struct http_outcome *outcome);
    void *arg;
};

struct http_client {
    struct loop *loop;
    char *host;
    uint16_t port;
    bool tls;
    struct ssl_ctx_st *tls_context;
    uint64_t connect_timeout_ns;
    size_t reply_bytes_max;
    struct http_conn *conns;
};

/* --- connections: opening --- */

static void conn_try_next_address(struct http_conn *conn);
static void exchange_fail(struct http_exchange *e, const struct err *why);
static void conn_on_read(struct bufferevent *bev, void *arg);
static void conn_on_event(struct bufferevent *bev, short what, void *arg);

static void conn_free(struct http_conn *conn) {
    if (conn->exchange)
        conn->exchange->conn = NULL;
    if (conn->bev)
        bufferevent_free(conn->bev);
    dns_free(conn->dns);
    if (conn->previous)
        conn->previous->next = conn->next;
    else
        conn->client->conns = conn->next;
    if (conn->next)
        conn->next->previous = conn->previous;
    mem_free(conn);
}

/* Close the connection and end its exchange, if there is one. */
static void conn_fail(struct http_conn *conn, const struct err *why) {
    struct http_exchange *e = conn->exchange;
    conn_free(conn);
    if (e)
        exchange_fail(e, why);
}

static struct ssl_st *conn_tls(struct http_client *client) {
    struct ssl_st *ssl = SSL_new(client->tls_context);
    must(ssl);
    struct address numeric;
    bool is_address = address_parse_host(str_from(client->host), 0, &numeric, NULL) == 0;
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    if (is_address) {
        must(X509_VERIFY_PARAM_set1_ip_asc(param, client->host) == 1);
    } else {
        X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        must(SSL_set1_host(ssl, client->host) == 1);
        must(SSL_set_tlsext_host_name(ssl, client->host) == 1);
    }
    SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
    return ssl;
}

static void conn_make_bev(struct http_conn *conn) {
    struct http_client *client = conn->client;
    struct event_base *base = loop_base(client->loop);
    int options = BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS;
    conn->bev = client->tls ? bufferevent_openssl_socket_new(base, -1, conn_tls(client),
                                                             BUFFEREVENT_SSL_CONNECTING, options)
                            : bufferevent_socket_new(base, -1, options);
    must(conn->bev);
    if (client->tls)
        bufferevent_openssl_set_allow_dirty_shutdown(conn->bev, 1);
    bufferevent_setcb(conn->bev, conn_on_read, NULL, conn_on_event, conn);
}

static void conn_try_next_address(struct http_conn *conn) {
    struct err why;
    while (conn->address_next < conn->address_count) {
        struct address *a = &conn->addresses[conn->address_next++];
        if (conn->bev)
            bufferevent_free(conn->bev);
        conn_make_bev(conn);
        if (bufferevent_socket_connect(conn->bev, &a->any, (int)a->size) == 0)
            return;
    }
    err_set(&why, ERR_NETWORK, "cannot connect to %s:%u", conn->client->host, conn->client->port);
    conn_fail(conn, &why);
}

static void conn_on_addresses(void *arg, const struct address *addresses, size_t count,
                              const struct err *why) {
    struct http_conn *conn = arg;
    struct err failure = {0};
    if (why) {
        failure = *why;
    } else {
        must(count > 0 && count <= DNS_ADDRESSES_MAX);
        memcpy(conn->addresses, addresses, count * sizeof *addresses);
        conn->address_count = count;
    }
    dns_free(conn->dns); /* takes the addresses with it */
    conn->dns = NULL;
    if (why)
        conn_fail(conn, &failure);
    else
        conn_try_next_address(conn);
}

static struct http_conn *conn_open(struct http_client *client) {
    struct http_conn *conn = mem_new(sizeof *conn);
    conn->client = client;
    conn->next = client->conns;
    if (conn->next)
        conn->next->previous = conn;
    client->conns = conn;
    conn->dns =
        dns_lookup(client->loop, str_from(client->host), client->port, conn_on_addresses, conn);
    return conn;
}

/* An idle connection that is fresh enough, or NULL; stale ones are closed. */
static struct http_conn *conn_find_idle(struct http_client *client) {
    uint64_t now_ns = loop_now_ns(client->loop);
    for (struct http_conn *conn = client->conns, *next; conn; conn = next) {
        next = conn->next;
        if (conn->exchange || !conn->connected)
            continue;
        if (now_ns - conn->idle_since_ns < IDLE_NS)
            return conn;
        conn_free(conn);
    }
    return NULL;
}

/* --- exchanges --- */

static void exchange_free(struct http_exchange *e) {
    loop_timer_free(e->timer);
    buf_deinit(&e->head);
    buf_deinit(&e->body);
    mem_free(e->request);
    mem_free(e);
}

/* Call back and end.  The connection is not the exchange's any more. */
static void exchange_end(struct http_exchange *e, struct http_outcome *outcome) {
    must(e->conn == NULL);
    outcome->sent = e->sent;
    outcome->status = e->reply.m.head_done ? e->reply.status : 0;
    outcome->head = buf_str(&e->head);
    outcome->body = buf_str(&e->body);
    loop_timer_clear(e->timer);
    e->done(e->arg, outcome);
    exchange_free(e);
}

static void exchange_fail(struct http_exchange *e, const struct err *why) {
    struct http_outcome outcome = {.why = *why};
    must(why->code != ERR_NONE);
    exchange_end(e, &outcome);
}

static void exchange_on_timer(void *arg) {
    struct http_exchange *e = arg;
    struct http_client *client = e->client;
    struct err why;
    bool connecting = !e->conn || !e->conn->connected;
    if (connecting)
        err_set(&why, ERR_TIMEOUT, "no connection to %s:%u in time", client->host, client->port);
    else
        err_set(&why, ERR_TIMEOUT, "no whole reply of %s:%u in time", client->host, client->port);
    if (e->conn)
        conn_fail(e->conn, &why);
    else
        exchange_fail(e, &why);
}

static void exchange_write(struct http_exchange *e) {
    e->sent = true;
    loop_timer_set(e->timer, e->deadline_ns);
    must(bufferevent_write(e->conn->bev, e->request, e->request_size) == 0);
    must(bufferevent_enable(e->conn->bev, EV_READ | EV_WRITE) == 0);
}

static void exchange_on_body(void *arg, struct str piece) {
    struct http_exchange *e = arg;
    buf_add_str(&e->body, piece);
}

struct http_exchange *http_client_send(struct http_client *client, struct str request,
                                       uint64_t timeout_ns,
                                       void (*done)(void *arg, const struct http_outcome *outcome),
                                       void *arg) {
    must(request.len > 0 && timeout_ns > 0 && done);
    struct http_exchange *e = mem_new(sizeof *e);
    uint64_t now_ns = loop_now_ns(client->loop);
    e->client = client;
    e->done = done;
    e->arg = arg;
    e->request = str_dup(request);
    e->request_size = request.len;
    e->deadline_ns = now_ns + timeout_ns;
    e->timer = loop_timer_new(client->loop, exchange_on_timer, e);
    buf_init(&e->head, HEAD_BYTES_MAX);
    buf_init(&e->body, client->reply_bytes_max);
    http1_reply_init(&e->reply, false);
    e->reply.m.body = exchange_on_body;
    e->reply.m.body_arg = e;
    e->conn = conn_find_idle(client);
    bool idle = e->conn != NULL;
    if (!idle)
        e->conn = conn_open(client);
    e->conn->exchange = e;
    if (idle)
        exchange_write(e);
    else
        loop_timer_set(e->timer, MIN(e->deadline_ns, now_ns + client->connect_timeout_ns));
    return e;
}

void http_exchange_cancel(struct http_exchange *own_exchange) {
    if (!own_exchange)
        return;
    if (own_exchange->conn)
        conn_free(own_exchange->conn);
    exchange_free(own_exchange);
}

/* --- connections: events --- */

/* The reply is whole: keep or close the connection, then call back. */
static void conn_finish(struct http_conn *conn, bool keep) {
    struct http_exchange *e = conn->exchange;
    struct http_outcome outcome = {.reused = conn->reused};
    bool clean = evbuffer_get_length(bufferevent_get_output(conn->bev)) == 0 &&
                 evbuffer_get_length(bufferevent_get_input(conn->bev)) == 0;
    conn->exchange = NULL;
    conn->reused = true;
    conn->idle_since_ns = loop_now_ns(conn->client->loop);
    e->conn = NULL;
    if (!keep || !clean || !e->reply.m.keep_alive)
        conn_free(conn);
    if (!buf_ok(&e->body))
        err_set(&outcome.why, ERR_LIMIT, "the reply has more than %zu bytes", e->body.max);
    exchange_end(e, &outcome);
}

/* Feed what has arrived.  False when the connection is gone. */
static bool conn_feed(struct http_conn *conn, struct str bytes) {
    struct http_exchange *e = conn->exchange;
    struct err why = {0};
    size_t used = 0;
    if (!e->head_over)
        buf_add_str(&e->head, bytes);
    int result = http1_reply_feed(&e->reply, bytes, &used, &why);
    e->head_over = e->reply.m.head_done;
    if (result == 0 && !buf_ok(&e->body))
        result = err_set(&why, ERR_LIMIT, "the reply has more than %zu bytes", e->body.max);
    if (result < 0) {
        conn_fail(conn, &why);
        return false;
    }
    if (e->reply.m.state != HTTP1_DONE)
        return true;
    conn_finish(conn, used == bytes.len);
    return false;
}

static void conn_on_read(struct bufferevent *bev, void *arg) {
    struct http_conn *conn = arg;
    struct evbuffer *input = bufferevent_get_input(bev);
    if (!conn->exchange) { /* bytes that nobody asked for */
        conn_free(conn);
        return;
    }
    char piece[16 * 1024];
    int size;
    while ((size = evbuffer_remove(input, piece, sizeof piece)) > 0)
        if (!conn_feed(conn, (struct str){piece, (size_t)size}))
            return;
}

static void conn_on_connected(struct http_conn *conn) {
    int on = 1;
    int fd = bufferevent_getfd(conn->bev);
    must(fd >= 0 && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
    conn->connected = true;
    must(conn->exchange);
    exchange_write(conn->exchange);
}

/* Why the TLS handshake failed, when it was the certificate. */
static bool conn_tls_refused(struct http_conn *conn, struct err *ret_why) {
    struct ssl_st *ssl = conn->client->tls ? bufferevent_openssl_get_ssl(conn->bev) : NULL;
    long verdict = ssl ? SSL_get_verify_result(ssl) : X509_V_OK;
    if (verdict == X509_V_OK)
        return false;
    err_set(ret_why, ERR_ACCESS, "the certificate of %s is refused: %s", conn->client->host,
            X509_verify_cert_error_string(verdict));
    return true;
}

static void conn_on_event(struct bufferevent *bev, short what, void *arg) {
    struct http_conn *conn = arg;
    struct err why = {0};
    if (what & BEV_EVENT_CONNECTED) {
        conn_on_connected(conn);
        return;
    }
    if (!conn->connected) {
        if (conn_tls_refused(conn, &why))
            conn_fail(conn, &why);
        else
            conn_try_next_address(conn);
        return;
    }
    must(bev == conn->bev);
    struct http_exchange *e = conn->exchange;
    if (!e) {
        conn_free(conn);
    } else if ((what & BEV_EVENT_EOF) && http1_reply_end(&e->reply)) {
        conn_finish(conn, false);
    } else {
        bool any = e->head.len > 0;
        err_set(&why, ERR_CLOSED, "%s:%u closed the connection %s", conn->client->host,
                conn->client->port, any ? "in the middle of its reply" : "without a reply");
        conn_fail(conn, &why);
    }
}

/* --- the client --- */

struct http_client *http_client_new(struct loop *loop, const struct http_client_options *options) {
    must(options->origin.host.len > 0 && options->origin.port > 0);
    must(!options->origin.tls || options->tls_context);
    must(options->connect_timeout_ns > 0 && options->reply_bytes_max > 0);
    struct http_client *client = mem_new(sizeof *client);
    client->loop = loop;
    client->host = str_dup(options->origin.host);
    client->port = options->origin.port;
    client->tls = options->origin.tls;
    client->tls_context = options->tls_context;
    client->connect_timeout_ns = options->connect_timeout_ns;
    client->reply_bytes_max = options->reply_bytes_max;
    return client;
}

void http_client_free(struct http_client *own_client) {
    if (!own_client)
        return;
    while (own_client->conns) {
        struct http_exchange *e = own_client->conns->exchange;
        conn_free(own_client->conns);
        if (e)
            exchange_free(e);
    }
    mem_free(own_client->host);
    mem_free(own_client);
}

/* --- urls, headers, authorities --- */

int http_origin_parse(struct str text, struct http_origin *ret_origin, struct str *ret_path,
                      struct err *err) {
    struct url url;
    TRY(url_parse(text, &url, err));
    *ret_origin = (struct http_origin){.host = url.host, .port = url.port, .tls = url.tls};
    *ret_path = url.target;
    return 0;
}

struct str http_head_value(struct str head, struct str name) {
    struct str line, value = STR_EMPTY;
    while (str_line(&head, &line) && line.len > 0) {
        size_t colon = str_index_of(line, ':');
        if (colon < line.len && str_equal_nocase(str_slice(line, 0, colon), name))
            value = str_trim(str_skip(line, colon + 1));
    }
    return value;
}

int http_tls_new(const char *ca_file, struct ssl_ctx_st **ret_context, struct err *err) {
    static const char *const usual[] = {
        "/etc/ssl/certs/ca-certificates.crt", /* Debian, Ubuntu, Arch, Alpine */
        "/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora, RHEL, Amazon Linux */
        "/etc/ssl/ca-bundle.pem",             /* SUSE */
        "/etc/ssl/cert.pem",
    };
    struct ssl_ctx_st *context = SSL_CTX_new(TLS_client_method());
    must(context && SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1);
    bool given = ca_file && ca_file[0];
    bool loaded = given && SSL_CTX_load_verify_file(context, ca_file) == 1;
    for (size_t i = 0; !given && !loaded && i < ARRAY_LEN(usual); i++)
        loaded = SSL_CTX_load_verify_file(context, usual[i]) == 1;
    ERR_clear_error();
    if (!loaded) {
        SSL_CTX_free(context);
        return err_set(err, ERR_ACCESS,
                       given ? "cannot read certificates of authorities: %s"
                             : "no certificates of authorities found%s: install "
                               "ca-certificates or set AWS_CA_BUNDLE",
                       given ? ca_file : "");
    }
    *ret_context = context;
    return 0;
}

void http_tls_free(struct ssl_ctx_st *own_context) {
    SSL_CTX_free(own_context);
}
