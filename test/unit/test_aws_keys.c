#include "unit.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "aws/keys.h"
#include "base/arena.h"
#include "os/clock.h"

#define DEADLINE_NS (20 * NS_PER_S)
#define PATH "/latest/meta-data/iam/security-credentials/"
#define JSON                                                                                    \
    "{\"Code\":\"Success\",\"AccessKeyId\":\"AK\",\"SecretAccessKey\":\"SK\",\"Token\":\"TK\"," \
    "\"Expiration\":\"%s\"}"

/* --- a metadata and container service on loopback --- */

struct fixture {
    struct loop *loop;
    struct evhttp *http;
    struct arena arena;
    struct aws_config config;
    struct keys *keys;
    const char *expires;
    unsigned changes;
    unsigned requests;
    unsigned failures; /* answer so many with HTTP 500 first */
    bool no_role;
};

static const char *header(struct evhttp_request *req, const char *name) {
    const char *value = evhttp_find_header(evhttp_request_get_input_headers(req), name);
    return value ? value : "";
}

static void on_request(struct evhttp_request *req, void *arg) {
    struct fixture *f = arg;
    struct evbuffer *out = evbuffer_new();
    const char *uri = evhttp_request_get_uri(req);
    bool put = evhttp_request_get_command(req) == EVHTTP_REQ_PUT;
    bool token = strcmp(header(req, "X-aws-ec2-metadata-token"), "tok") == 0;
    int status = 200;
    f->requests++;
    if (f->failures > 0) {
        f->failures--;
        status = 500;
    } else if (put && strcmp(uri, "/latest/api/token") == 0) {
        evbuffer_add_printf(out, "tok");
    } else if (strcmp(uri, "/container") == 0) {
        status = strcmp(header(req, "Authorization"), "secret") == 0 ? 200 : 401;
        evbuffer_add_printf(out, JSON, f->expires);
    } else if (!token) {
        status = 401;
    } else if (f->no_role) {
        status = 404;
    } else if (strcmp(uri, PATH) == 0) {
        evbuffer_add_printf(out, "my-role");
    } else if (strcmp(uri, PATH "my-role") == 0) {
        evbuffer_add_printf(out, JSON, f->expires);
    } else {
        status = 404;
    }
    evhttp_send_reply(req, status, "X", out);
    evbuffer_free(out);
}

static void on_change(void *arg) {
    ((struct fixture *)arg)->changes++;
}

static void start(struct fixture *f, enum aws_source source) {
    *f = (struct fixture){.loop = loop_new(), .expires = "2099-01-01T00:00:00Z"};
    f->http = evhttp_new(loop_base(f->loop));
    evhttp_set_gencb(f->http, on_request, f);
    struct evhttp_bound_socket *socket = evhttp_bind_socket_with_handle(f->http, "127.0.0.1", 0);
    assert_non_null(socket);
    struct sockaddr_in a;
    socklen_t size = sizeof a;
    getsockname(evhttp_bound_socket_get_fd(socket), (struct sockaddr *)&a, &size);
    char *url = arena_printf(&f->arena, "http://127.0.0.1:%u", ntohs(a.sin_port));
    f->config = (struct aws_config){
        .profile = STR("default"),
        .source = source,
        .source_from = STR("the test"),
        .imds_url = str_from(url),
        .container_url = str_from(arena_printf(&f->arena, "%s/container", url)),
        .container_token = STR("secret"),
    };
}

static void stop(struct fixture *f) {
    keys_free(f->keys);
    evhttp_free(f->http);
    loop_free(f->loop);
    arena_deinit(&f->arena);
}

static bool has_changed(void *arg) {
    return ((struct fixture *)arg)->changes > 0;
}

/* Ask, wait for the fetch, ask again. */
static enum keys_state fetch(struct fixture *f, struct aws_keys *keys, struct err *err) {
    if (!f->keys)
        f->keys = keys_new(f->loop, &f->config, on_change, f);
    f->changes = 0;
    assert_int_equal(keys_get(f->keys, clock_wall_unix_ms(), keys, err), KEYS_WAITING);
    assert_true(loop_run_until(f->loop, loop_now_ns(f->loop) + DEADLINE_NS, has_changed, f));
    return keys_get(f->keys, clock_wall_unix_ms(), keys, err);
}

static void instance_metadata_gives_the_keys_of_the_role(void **state UNUSED) {
    struct fixture f;
    struct aws_keys keys;
    start(&f, AWS_SOURCE_IMDS);
    assert_int_equal(fetch(&f, &keys, NULL), KEYS_READY);
    assert_true(str_equal(keys.access_key, STR("AK")) && str_equal(keys.session_token, STR("TK")));
    assert_int_equal(f.requests, 3);
    stop(&f);
}

static void an_instance_without_a_role_has_no_keys(void **state UNUSED) {
    struct fixture f;
    struct aws_keys keys;
    struct err err = {0};
    start(&f, AWS_SOURCE_IMDS);
    f.no_role = true;
    assert_int_equal(fetch(&f, &keys, &err), KEYS_FAILED);
    assert_true(str_contains(str_from(err.text), STR("no AWS credentials")));
    unsigned before = f.requests; /* and nobody is asked again at once */
    assert_int_equal(keys_get(f.keys, clock_wall_unix_ms(), &keys, &err), KEYS_FAILED);
    assert_int_equal(f.requests, before);
    stop(&f);
}

static void a_container_is_asked_up_to_three_times(void **state UNUSED) {
    struct fixture f;
    struct aws_keys keys;
    start(&f, AWS_SOURCE_CONTAINER);
    f.failures = 2;
    assert_int_equal(fetch(&f, &keys, NULL), KEYS_READY);
    assert_int_equal(f.requests, 3);
    stop(&f);
    start(&f, AWS_SOURCE_CONTAINER);
    f.failures = 3;
    struct err err = {0};
    assert_int_equal(fetch(&f, &keys, &err), KEYS_FAILED);
    assert_true(str_contains(str_from(err.text), STR("HTTP 500")));
    stop(&f);
}

static void keys_near_their_end_are_renewed_while_they_last(void **state UNUSED) {
    struct fixture f;
    struct aws_keys keys;
    start(&f, AWS_SOURCE_CONTAINER);
    assert_int_equal(fetch(&f, &keys, NULL), KEYS_READY);
    assert_int_equal(f.requests, 1);
    int64_t end_ms = keys.expires_unix_ms;
    f.changes = 0;
    assert_int_equal(keys_get(f.keys, end_ms - 60000, &keys, NULL), KEYS_READY);
    assert_true(loop_run_until(f.loop, loop_now_ns(f.loop) + DEADLINE_NS, has_changed, &f));
    assert_int_equal(f.requests, 2);
    assert_int_equal(keys_get(f.keys, end_ms + 1, &keys, NULL), KEYS_WAITING);
    stop(&f);
}

static void a_process_prints_the_keys(void **state UNUSED) {
    struct fixture f;
    struct aws_keys keys;
    start(&f, AWS_SOURCE_PROCESS);
    f.config.process =
        STR("printf '{\"Version\":1,\"AccessKeyId\":\"%s\",\"SecretAccessKey\":\"S\"}'"
            " 'A K' | tr -d ' '");
    assert_int_equal(fetch(&f, &keys, NULL), KEYS_READY);
    assert_true(str_equal(keys.access_key, STR("AK")));
    stop(&f);
}

static void a_process_that_fails_says_so(void **state UNUSED) {
    struct fixture f;
    struct aws_keys keys;
    struct err err = {0};
    start(&f, AWS_SOURCE_PROCESS);
    f.config.process = STR("exit 3");
    assert_int_equal(fetch(&f, &keys, &err), KEYS_FAILED);
    assert_true(str_contains(str_from(err.text), STR("status 3")));
    stop(&f);
}

UNIT_MAIN(T(instance_metadata_gives_the_keys_of_the_role),
          T(an_instance_without_a_role_has_no_keys), T(a_container_is_asked_up_to_three_times),
          T(keys_near_their_end_are_renewed_while_they_last), T(a_process_prints_the_keys),
          T(a_process_that_fails_says_so))
