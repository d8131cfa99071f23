#include "emu/imds_server.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <unistd.h>

#define HEADERS_BYTES_MAX (16 * 1024)
#define BODY_BYTES_MAX 1024
#define SILENCE_S 10
#define ANSWER_BYTES_MAX (512 * KIB)

struct imds_server {
    struct evhttp *http;
    struct loop *loop;
    const struct imds *imds;
    const struct cloud *cloud;
    struct arena arena;
};

static enum imds_method method_of(const struct evhttp_request *req) {
    switch (evhttp_request_get_command(req)) {
    case EVHTTP_REQ_GET:
        return IMDS_GET;
    case EVHTTP_REQ_HEAD:
        return IMDS_HEAD;
    case EVHTTP_REQ_PUT:
        return IMDS_PUT;
    default:
        return IMDS_OTHER;
    }
}

static const char *reason_of(unsigned status) {
    switch (status) {
    case 200:
        return "OK";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    default:
        return "Method Not Allowed";
    }
}

static void on_request(struct evhttp_request *req, void *arg) {
    struct imds_server *s = arg;
    const struct evkeyvalq *in = evhttp_request_get_input_headers(req);
    struct evkeyvalq *out = evhttp_request_get_output_headers(req);
    struct imds_request request = {
        .method = method_of(req),
        .path = str_from(evhttp_request_get_uri(req)),
        .token = evhttp_find_header(in, "X-aws-ec2-metadata-token"),
        .ttl = evhttp_find_header(in, "X-aws-ec2-metadata-token-ttl-seconds"),
        .forwarded = evhttp_find_header(in, "X-Forwarded-For") != NULL,
        .now_ns = loop_now_ns(s->loop),
    };
    request.now_unix_ms = cloud_unix_ms(s->cloud, request.now_ns);
    struct imds_reply reply;
    imds_handle(s->imds, &request, &s->arena, &reply);
    char ttl[16];
    snprintf(ttl, sizeof ttl, "%u", reply.ttl_s);
    if (reply.ttl_s > 0)
        evhttp_add_header(out, "X-Aws-Ec2-Metadata-Token-Ttl-Seconds", ttl);
    evhttp_add_header(out, "Content-Type", reply.json ? "application/json" : "text/plain");
    evhttp_add_header(out, "Server", "EC2ws");
    struct evbuffer *body = evbuffer_new();
    must(body);
    if (reply.body.len > 0)
        evbuffer_add(body, reply.body.ptr, reply.body.len);
    evhttp_send_reply(req, (int)reply.status, reason_of(reply.status), body);
    evbuffer_free(body);
    arena_reset(&s->arena);
}

struct imds_server *imds_server_new(struct loop *loop, int own_fd, const struct imds *imds,
                                    const struct cloud *cloud) {
    struct evhttp *http = evhttp_new(loop_base(loop));
    must(http);
    evhttp_set_max_headers_size(http, HEADERS_BYTES_MAX);
    evhttp_set_max_body_size(http, BODY_BYTES_MAX);
    evhttp_set_timeout(http, SILENCE_S);
    if (evhttp_accept_socket(http, own_fd) < 0) {
        close(own_fd);
        evhttp_free(http);
        return NULL;
    }
    struct imds_server *s = mem_new(sizeof *s);
    s->http = http;
    s->loop = loop;
    s->imds = imds;
    s->cloud = cloud;
    arena_init(&s->arena, ANSWER_BYTES_MAX);
    evhttp_set_gencb(http, on_request, s);
    return s;
}

void imds_server_free(struct imds_server *own_server) {
    if (!own_server)
        return;
    evhttp_free(own_server->http);
    arena_deinit(&own_server->arena);
    mem_free(own_server);
}
