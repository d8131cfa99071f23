#include "node/fetch.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <stdio.h>

#include "base/buf.h"
#include "codec/url.h"
#include "os/dns.h"

struct fetch {
    struct loop *loop;
    struct dns *dns;
    struct evhttp_connection *connection;
    struct loop_timer *soon;  /* tells the result when libevent is off the stack */
    struct loop_timer *limit; /* of the whole exchange */
    char *host;               /* as in the URL */
    char *path;
    uint16_t port;
    bool put;
    const char *header;
    char *header_value;
    int status;
    struct buf body;
    struct err why;
    fetch_done *on_done;
    void *arg;
};

static void fetch_end(struct fetch *f, int status) {
    f->status = status;
    loop_timer_after(f->soon, 0);
}

static void fetch_on_soon(void *arg) {
    struct fetch *f = arg;
    loop_timer_clear(f->limit);
    f->on_done(f->arg, f->status, buf_str(&f->body), f->status == 0 ? &f->why : NULL);
}

static void fetch_on_limit(void *arg) {
    struct fetch *f = arg;
    ignore(err_set(&f->why, ERR_TIMEOUT, "no answer in time") == 0); /* only fills the reason */
    if (f->connection != NULL)
        evhttp_connection_free(f->connection);
    f->connection = NULL;
    fetch_end(f, 0);
}

static void fetch_on_reply(struct evhttp_request *request, void *arg) {
    struct fetch *f = arg;
    int status = request == NULL ? 0 : evhttp_request_get_response_code(request);
    if (loop_timer_is_set(f->soon))
        return;
    if (status == 0) {
        ignore(err_set(&f->why, ERR_NETWORK, "no answer from %s:%u", f->host, (unsigned)f->port) ==
               0); /* only fills the reason */
    } else {
        struct evbuffer *body = evhttp_request_get_input_buffer(request);
        size_t size = evbuffer_get_length(body);
        const void *bytes = size > 0 ? evbuffer_pullup(body, (ssize_t)size) : NULL;
        if (bytes != NULL)
            buf_add(&f->body, bytes, size);
    }
    fetch_end(f, status);
}

static void fetch_ask(struct fetch *f, const struct address *address) {
    char numeric[64], host[300];
    address_host(address, numeric, sizeof numeric);
    f->connection =
        evhttp_connection_base_new(loop_base(f->loop), NULL, numeric, address_port(address));
    must(f->connection != NULL);
    evhttp_connection_set_max_body_size(f->connection, FETCH_BODY_BYTES_MAX);
    evhttp_connection_set_max_headers_size(f->connection, 16 * 1024);
    struct evhttp_request *request = evhttp_request_new(fetch_on_reply, f);
    must(request != NULL);
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    bool v6 = strchr(f->host, ':') != NULL;
    snprintf(host, sizeof host, f->port == 80 ? "%s%s%s" : "%s%s%s:%u", v6 ? "[" : "", f->host,
             v6 ? "]" : "", (unsigned)f->port);
    evhttp_add_header(headers, "Host", host);
    evhttp_add_header(headers, "Connection", "close");
    if (f->header != NULL)
        evhttp_add_header(headers, f->header, f->header_value);
    /* The request is libevent's from here on, also when this fails; then the reply is NULL. */
    if (evhttp_make_request(f->connection, request, f->put ? EVHTTP_REQ_PUT : EVHTTP_REQ_GET,
                            f->path) != 0 &&
        !loop_timer_is_set(f->soon)) {
        ignore(err_set(&f->why, ERR_NETWORK, "cannot connect to %s", f->host) == 0); /* reason */
        fetch_end(f, 0);
    }
}

static void fetch_on_address(void *arg, const struct address *addresses, size_t count,
                             const struct err *why) {
    struct fetch *f = arg;
    if (count > 0) {
        fetch_ask(f, &addresses[0]);
        return;
    }
    f->why = *why;
    fetch_end(f, 0);
}

int fetch_start(struct loop *loop, const struct fetch_spec *spec, struct fetch **ret_fetch,
                struct err *err) {
    struct url url;
    TRY(url_parse(spec->url, &url, err));
    if (url.tls || url.host.len > DNS_NAME_BYTES_MAX)
        return err_set(err, ERR_PARSE, "only http is asked here: '%.*s'", STR_ARG(spec->url));
    struct fetch *f = mem_new(sizeof *f);
    f->loop = loop;
    f->host = str_dup(url.host);
    f->path = str_dup(url.target);
    f->port = url.port;
    f->put = spec->put;
    f->header = spec->header;
    f->header_value = str_dup(str_from(spec->header_value));
    buf_init(&f->body, FETCH_BODY_BYTES_MAX);
    f->on_done = spec->on_done;
    f->arg = spec->arg;
    f->soon = loop_timer_new(loop, fetch_on_soon, f);
    f->limit = loop_timer_new(loop, fetch_on_limit, f);
    loop_timer_after(f->limit, spec->timeout_ns);
    f->dns = dns_lookup(loop, url.host, url.port, fetch_on_address, f);
    *ret_fetch = f;
    return 0;
}

void fetch_free(struct fetch *own_fetch) {
    if (own_fetch == NULL)
        return;
    if (own_fetch->connection != NULL)
        evhttp_connection_free(own_fetch->connection);
    dns_free(own_fetch->dns);
    loop_timer_free(own_fetch->soon);
    loop_timer_free(own_fetch->limit);
    buf_deinit(&own_fetch->body);
    mem_free(own_fetch->host);
    mem_free(own_fetch->path);
    mem_free(own_fetch->header_value);
    mem_free(own_fetch);
}
