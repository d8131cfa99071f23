#include "emu/front.h"

#include "base/units.h"
#include "emu/front_parts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/keyvalq_struct.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#define SILENCE_S 60
#define BACKLOG 1024

/* ---- answers -------------------------------------------------------------------------------- */

struct answer {
    struct front *front;
    struct answer *previous, *next;
    struct evhttp_request *req;
    struct loop_timer *timer; /* NULL: at once */
    unsigned status;
    char content_type[64];
    char request_id[FRONT_REQUEST_ID_SIZE];
    enum answer_way way;
    struct buf body;
};

static void answer_free(struct answer *own_answer) {
    struct answer *a = own_answer;
    if (a->previous)
        a->previous->next = a->next;
    else if (a->front->answers == a)
        a->front->answers = a->next;
    if (a->next)
        a->next->previous = a->previous;
    if (a->timer)
        loop_timer_free(a->timer);
    buf_deinit(&a->body);
    mem_free(a);
}

static const char *reason_of(unsigned status) {
    if (status == 200)
        return "OK";
    return status >= 500 ? "Server Error" : "Client Error";
}

static void send_whole(struct answer *a) {
    struct evkeyvalq *headers = evhttp_request_get_output_headers(a->req);
    struct evbuffer *body = evbuffer_new();
    must(body);
    evhttp_add_header(headers, "Content-Type", a->content_type);
    evhttp_add_header(headers, "Server", "dayfly-cloud");
    if (a->request_id[0] != '\0')
        evhttp_add_header(headers, "x-amzn-RequestId", a->request_id);
    if (a->body.len > 0)
        evbuffer_add(body, a->body.ptr, a->body.len);
    evhttp_send_reply(a->req, (int)a->status, reason_of(a->status), body);
    evbuffer_free(body);
}

/* End the connection without an answer, or in the middle of it. */
static void break_off(struct answer *a) {
    struct evhttp_connection *connection = evhttp_request_get_connection(a->req);
    if (!connection) { /* the client has gone; the request is ours alone */
        evhttp_request_free(a->req);
        return;
    }
    int fd = (int)bufferevent_getfd(evhttp_connection_get_bufferevent(connection));
    if (a->way == ANSWER_CUT) {
        CLEANUP(buf_deinit) struct buf raw = BUF_INIT(FRONT_REPLY_BYTES_MAX);
        buf_printf(&raw, "HTTP/1.1 %u %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n",
                   a->status, reason_of(a->status), a->content_type, a->body.len);
        buf_add_str(&raw, str_slice(buf_str(&a->body), 0, a->body.len / 2));
        ignore(send(fd, raw.ptr, raw.len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0); /* cut anyway */
    } else {
        struct linger reset = {.l_onoff = 1, .l_linger = 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    }
    evhttp_connection_free(connection); /* with the request */
}

static void answer_now(void *arg) {
    struct answer *a = arg;
    if (a->way == ANSWER_SEND)
        send_whole(a);
    else
        break_off(a);
    answer_free(a);
}

void answer_later(struct front *f, struct evhttp_request *req, const struct answer_spec *spec) {
    struct answer *a = mem_new(sizeof *a);
    a->front = f;
    a->req = req;
    a->status = spec->status;
    a->way = spec->way;
    ignore(str_copy(a->content_type, sizeof a->content_type, str_from(spec->content_type)));
    ignore(str_copy(a->request_id, sizeof a->request_id, str_from(spec->request_id)));
    a->body = *spec->body;
    buf_init(spec->body, spec->body->max);
    a->next = f->answers;
    if (f->answers)
        f->answers->previous = a;
    f->answers = a;
    if (spec->delay_ns == 0 && spec->way == ANSWER_SEND) {
        answer_now(a);
        return;
    }
    /* Breaking off frees the connection: not from within its own callback. */
    a->timer = loop_timer_new(f->loop, answer_now, a);
    loop_timer_after(a->timer, spec->delay_ns);
}

void answer_drop_all(struct front *f) {
    while (f->answers) { /* connections go with the server, and their requests with them */
        if (!evhttp_request_get_connection(f->answers->req))
            evhttp_request_free(f->answers->req);
        answer_free(f->answers);
    }
}

/* ---- requests ------------------------------------------------------------------------------- */

static void on_request(struct evhttp_request *req, void *arg) {
    struct front *f = arg;
    struct evbuffer *input = evhttp_request_get_input_buffer(req);
    size_t size = evbuffer_get_length(input);
    const char *bytes = size > 0 ? (const char *)evbuffer_pullup(input, -1) : "";
    struct str body = {bytes, size};
    if (str_starts_with(str_from(evhttp_request_get_uri(req)), STR("/_dayfly/")))
        control_handle(f, req, body);
    else
        api_handle(f, req, body);
}

static int parse_listen(const char *text, struct sockaddr_in *ret, struct err *err) {
    struct str whole = str_from(text);
    size_t colon = str_index_of(whole, ':');
    char host[64];
    uint64_t port = 0;
    struct sockaddr_in address = {.sin_family = AF_INET};
    if (colon == whole.len || !str_copy(host, sizeof host, str_slice(whole, 0, colon)) ||
        units_u64(str_skip(whole, colon + 1), &port, NULL) < 0 || port > 65535 ||
        inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host,
                  &address.sin_addr) != 1)
        return err_set(err, ERR_USAGE, "not an IPv4 ADDRESS:PORT to listen on: '%s'", text);
    address.sin_port = htons((uint16_t)port);
    *ret = address;
    return 0;
}

static int open_listener(const char *listen_on, struct emu_endpoint *endpoint, int *ret_fd,
                         struct err *err) {
    struct sockaddr_in address;
    TRY(parse_listen(listen_on, &address, err));
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set_errno(err, ERR_IO, errno, "cannot open a socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* accepted ones inherit it */
    socklen_t size = sizeof address;
    if (bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, BACKLOG) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) < 0) {
        int code = errno;
        close(fd);
        return err_set_errno(err, ERR_IO, code, "cannot listen on %s", listen_on);
    }
    char host[INET_ADDRSTRLEN];
    must(inet_ntop(AF_INET, &address.sin_addr, host, sizeof host));
    snprintf(endpoint->url, sizeof endpoint->url, "http://%s:%u",
             address.sin_addr.s_addr == 0 ? "127.0.0.1" : host, ntohs(address.sin_port));
    *ret_fd = fd;
    return 0;
}

int front_new(struct loop *loop, struct cloud *cloud, const char *listen_on, const char *isolate,
              struct emu_endpoint *endpoint, const struct front_events *events,
              struct front **ret_front, struct err *err) {
    int fd = -1;
    TRY(open_listener(listen_on, endpoint, &fd, err));
    struct front *f = mem_new(sizeof *f);
    f->loop = loop;
    f->cloud = cloud;
    f->endpoint = endpoint;
    f->events = *events;
    ignore(str_copy(f->isolate, sizeof f->isolate, str_from(isolate)));
    f->http = evhttp_new(loop_base(loop));
    must(f->http);
    evhttp_set_max_body_size(f->http, FRONT_BODY_BYTES_MAX);
    evhttp_set_max_headers_size(f->http, FRONT_HEADERS_BYTES_MAX);
    evhttp_set_timeout(f->http, SILENCE_S);
    evhttp_set_allowed_methods(f->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_PUT |
                                            EVHTTP_REQ_DELETE | EVHTTP_REQ_HEAD);
    evhttp_set_gencb(f->http, on_request, f);
    if (evhttp_accept_socket(f->http, fd) < 0) {
        close(fd);
        front_free(f);
        return err_set(err, ERR_IO, "cannot listen on %s", listen_on);
    }
    *ret_front = f;
    return 0;
}

void front_free(struct front *own_front) {
    if (!own_front)
        return;
    answer_drop_all(own_front);
    api_drop_all(own_front);
    evhttp_free(own_front->http);
    mem_free(own_front);
}
