#include "unit.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "../../fuzz/raw_request.h"
#include "aws/client.h"
#include "aws/client_parts.h"
#include "base/limits.h"
#include "base/when.h"
#include "codec/http1.h"
#include "os/clock.h"
#include "os/loop.h"

#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define DEADLINE_NS (20 * NS_PER_S)
#define REQUESTS_SEEN_MAX 64

/* --- a server that follows a script: the n-th request gets the n-th step --- */

enum step_kind { STEP_REPLY, STEP_CLOSE, STEP_HANG, STEP_CUT };

struct step {
    enum step_kind kind;
    unsigned status;
    const char *body;
    const char *header; /* "Date: ...\r\n", or NULL */
    size_t filler;      /* bytes of 'x' instead of a body */
};

struct fixture {
    struct loop *loop;
    struct evconnlistener *listener;
    struct aws_client *client;
    struct arena arena;
    uint16_t port;
    const struct step *steps;
    size_t step_count;
    size_t seen_count;
    struct str seen[REQUESTS_SEEN_MAX]; /* whole requests */
    struct peer *peers;
    size_t connections;
    bool slow; /* answers wait until release_all */

    /* what the last call came to */
    unsigned done;
    struct aws_result result;
    size_t items; /* of replies and pages */
};

struct peer {
    struct fixture *f;
    struct peer *next;
    struct bufferevent *bev;
    struct http1_request request;
    struct buf bytes;
};

static void peer_reply(struct peer *p, const struct step *step) {
    struct evbuffer *out = bufferevent_get_output(p->bev);
    size_t size = step->filler ? step->filler : strlen(step->body);
    evbuffer_add_printf(out,
                        "HTTP/1.1 %u X\r\nContent-Length: %zu\r\nx-amzn-RequestId: rid-%zu\r\n"
                        "%s\r\n",
                        step->status, size, p->f->seen_count, step->header ? step->header : "");
    if (step->kind == STEP_CUT)
        size /= 2;
    for (size_t i = 0; i < step->filler; i += 1024)
        evbuffer_add_printf(out, "%01024d", 0);
    if (!step->filler)
        evbuffer_add(out, step->body, size);
}

static void peer_close_when_sent(struct bufferevent *bev, void *arg) {
    struct peer *p = arg;
    bufferevent_free(bev);
    p->bev = NULL;
}

static void peer_step(struct peer *p) {
    struct fixture *f = p->f;
    must(f->seen_count < REQUESTS_SEEN_MAX);
    size_t index = MIN(f->seen_count, f->step_count - 1);
    const struct step *step = &f->steps[index];
    f->seen[f->seen_count++] = arena_str(&f->arena, buf_str(&p->bytes));
    buf_reset(&p->bytes);
    http1_request_init(&p->request);
    if (step->kind == STEP_HANG)
        return;
    if (step->kind == STEP_CLOSE) {
        bufferevent_free(p->bev);
        p->bev = NULL;
        return;
    }
    peer_reply(p, step);
    if (step->kind == STEP_CUT)
        bufferevent_setcb(p->bev, NULL, peer_close_when_sent, NULL, p);
}

static void peer_on_read(struct bufferevent *bev, void *arg) {
    struct peer *p = arg;
    char piece[4096];
    size_t size = bufferevent_read(bev, piece, sizeof piece), used;
    buf_add(&p->bytes, piece, size);
    struct err err;
    assert_int_equal(http1_request_feed(&p->request, (struct str){piece, size}, &used, &err), 0);
    assert_int_equal(used, size); /* no pipelining */
    if (p->request.m.state == HTTP1_DONE)
        peer_step(p);
}

static void peer_on_event(struct bufferevent *bev, short what UNUSED, void *arg) {
    struct peer *p = arg;
    bufferevent_free(bev);
    p->bev = NULL;
}

static void on_accept(struct evconnlistener *listener UNUSED, evutil_socket_t fd,
                      struct sockaddr *address UNUSED, int size UNUSED, void *arg) {
    struct fixture *f = arg;
    struct peer *p = arena_new(&f->arena, sizeof *p);
    p->f = f;
    p->next = f->peers;
    f->peers = p;
    f->connections++;
    buf_init(&p->bytes, MIB);
    http1_request_init(&p->request);
    p->bev = bufferevent_socket_new(loop_base(f->loop), fd, BEV_OPT_CLOSE_ON_FREE);
    bufferevent_setcb(p->bev, peer_on_read, NULL, peer_on_event, p);
    bufferevent_enable(p->bev, EV_READ | EV_WRITE);
}

static void start(struct fixture *f, const struct step *steps, size_t count,
                  const struct aws_client_options *options) {
    *f = (struct fixture){.steps = steps, .step_count = count};
    f->loop = loop_new();
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    f->listener = evconnlistener_new_bind(loop_base(f->loop), on_accept, f,
                                          LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, -1,
                                          (struct sockaddr *)&a, sizeof a);
    assert_non_null(f->listener);
    socklen_t size = sizeof a;
    getsockname(evconnlistener_get_fd(f->listener), (struct sockaddr *)&a, &size);
    f->port = ntohs(a.sin_port);
    struct str url = str_from(arena_printf(&f->arena, "http://127.0.0.1:%u", f->port));
    struct aws_config config = {
        .profile = STR("default"),
        .region = STR("us-east-1"),
        .endpoint_url = {url, url, url},
        .source = AWS_SOURCE_STATIC,
        .source_from = STR("test"),
        .keys = {.access_key = STR("AKIDEXAMPLE"), .secret_key = STR(SECRET)},
        .attempts_max = 3,
    };
    struct aws_client_options defaults = {.backoff_base_ns = NS_PER_MS, .seed = 7};
    struct err err = {0};
    if (aws_client_new(f->loop, &config, options ? options : &defaults, &f->client, &err) < 0)
        fail_msg("%s", err.text);
}

static void stop(struct fixture *f) {
    aws_client_free(f->client);
    for (struct peer *p = f->peers; p; p = p->next) {
        if (p->bev)
            bufferevent_free(p->bev);
        buf_deinit(&p->bytes);
    }
    evconnlistener_free(f->listener);
    loop_free(f->loop);
    arena_deinit(&f->arena);
}

static void on_done(void *user, const struct aws_result *result, const struct ec2_reply *reply) {
    struct fixture *f = user;
    f->done++;
    f->result = *result;
    if (reply && reply->action == EC2_DESCRIBE_REGIONS)
        f->items += reply->describe_regions.regions.count;
}

static bool is_done(void *arg) {
    return ((struct fixture *)arg)->done > 0;
}

static void wait_done(struct fixture *f) {
    assert_true(loop_run_until(f->loop, loop_now_ns(f->loop) + DEADLINE_NS, is_done, f));
    assert_int_equal(f->done, 1);
}

static void call(struct fixture *f, enum ec2_action action, unsigned flags) {
    struct ec2_request request = {.action = action};
    struct str id = STR("i-1");
    if (action == EC2_TERMINATE_INSTANCES)
        request.terminate_instances.ids = (struct ec2_strs){&id, 1};
    if (action == EC2_RUN_INSTANCES) {
        request.run_instances.min_count = request.run_instances.max_count = 1;
        request.run_instances.client_token = STR("7k2m-1");
    }
    f->done = 0;
    aws_ec2_call(f->client, &request, flags, on_done, f);
    wait_done(f);
}

#define START(f, ...)                           \
    const struct step script[] = {__VA_ARGS__}; \
    struct fixture f;                           \
    start(&f, script, ARRAY_LEN(script), NULL)

#define REGIONS                                                                          \
    "<DescribeRegionsResponse><requestId>r-1</requestId><regionInfo><item><regionName>a" \
    "</regionName></item><item/></regionInfo></DescribeRegionsResponse>"
#define RAN                                                                   \
    "<RunInstancesResponse><reservationId>r-2</reservationId><instancesSet/>" \
    "</RunInstancesResponse>"
#define FAULT(code)                                                                         \
    "<Response><Errors><Error><Code>" code "</Code><Message>why</Message></Error></Errors>" \
    "<RequestID>r</RequestID></Response>"

static void expect(struct fixture *f, enum aws_class class, unsigned attempts) {
    if (f->result.class != class || f->result.attempts != attempts)
        fail_msg("class %s after %u attempts: %s", aws_class_name(f->result.class),
                 f->result.attempts, f->result.err.text);
    assert_int_equal(f->seen_count, attempts);
}

/* --- success, and what went over the wire --- */

static void a_call_is_signed_sent_and_decoded(void **state UNUSED) {
    START(f, {.status = 200, .body = REGIONS});
    call(&f, EC2_DESCRIBE_REGIONS, 0);
    expect(&f, AWS_OK, 1);
    assert_int_equal(f.items, 2);
    assert_string_equal(f.result.request_id, "r-1");
    struct raw_request raw;
    struct sigv4_claim claim;
    raw_request_parse(f.seen[0], &raw);
    assert_true(str_equal(raw.request.body, STR("Action=DescribeRegions&Version=2016-11-15")));
    assert_int_equal(sigv4_claim_parse(&raw.request, &claim), SIGV4_OK);
    assert_int_equal(
        sigv4_verify(&raw.request, &claim, STR(SECRET), STR("us-east-1"), clock_wall_unix_ms(), 0),
        SIGV4_OK);
    assert_true(str_equal(claim.service, STR("ec2")));
    const struct aws_counters *c = aws_client_counters(f.client);
    assert_int_equal(c->calls, 1);
    assert_int_equal(c->ec2_calls[EC2_DESCRIBE_REGIONS], 1);
    assert_int_equal(c->retries, 0);
    stop(&f);
}

static void calls_in_a_row_share_a_connection(void **state UNUSED) {
    START(f, {.status = 200, .body = REGIONS});
    for (unsigned i = 1; i <= 5; i++) {
        call(&f, EC2_DESCRIBE_REGIONS, 0);
        assert_int_equal(f.result.class, AWS_OK);
    }
    assert_int_equal(f.connections, 1);
    stop(&f);
}

static void at_most_so_many_connections_are_open(void **state UNUSED) {
    const struct step script[] = {{.status = 200, .body = REGIONS}};
    const struct aws_client_options options = {.connections_max = 2, .seed = 1};
    struct fixture f;
    struct ec2_request request = {.action = EC2_DESCRIBE_REGIONS};
    start(&f, script, 1, &options);
    for (unsigned i = 0; i < 10; i++)
        aws_ec2_call(f.client, &request, 0, on_done, &f);
    uint64_t until_ns = loop_now_ns(f.loop) + DEADLINE_NS;
    while (f.done < 10 && loop_now_ns(f.loop) < until_ns)
        loop_turn(f.loop, 10 * NS_PER_MS);
    assert_int_equal(f.done, 10);
    assert_int_equal(f.connections, 2);
    stop(&f);
}

static void urgent_calls_go_first(void **state UNUSED) {
    const struct step script[] = {{.status = 200, .body = REGIONS}};
    const struct aws_client_options options = {.connections_max = 1, .seed = 1};
    struct fixture f;
    struct ec2_request regions = {.action = EC2_DESCRIBE_REGIONS};
    struct ec2_request vpcs = {.action = EC2_DESCRIBE_VPCS};
    start(&f, script, 1, &options);
    aws_ec2_call(f.client, &regions, 0, on_done, &f);
    aws_ec2_call(f.client, &regions, 0, on_done, &f);
    aws_ec2_call(f.client, &vpcs, AWS_URGENT | AWS_ONCE, on_done, &f);
    uint64_t until_ns = loop_now_ns(f.loop) + DEADLINE_NS;
    while (f.done < 3 && loop_now_ns(f.loop) < until_ns)
        loop_turn(f.loop, 10 * NS_PER_MS);
    assert_int_equal(f.seen_count, 3);
    assert_true(str_contains(f.seen[0], STR("DescribeVpcs")));
    stop(&f);
}

/* --- retries --- */

static void a_throttled_call_sends_the_same_bytes_again(void **state UNUSED) {
    START(f, {.status = 503, .body = FAULT("RequestLimitExceeded")},
          {.status = 503, .body = FAULT("RequestLimitExceeded")}, {.status = 200, .body = RAN});
    call(&f, EC2_RUN_INSTANCES, 0);
    expect(&f, AWS_OK, 3);
    for (unsigned i = 1; i < 3; i++) {
        struct raw_request a, b;
        raw_request_parse(f.seen[0], &a);
        raw_request_parse(f.seen[i], &b);
        assert_true(str_equal(a.request.body, b.request.body));
    }
    assert_true(str_contains(f.seen[2], STR("amz-sdk-request: attempt=3; max=3")));
    assert_int_equal(aws_client_counters(f.client)->throttled, 2);
    assert_int_equal(aws_client_counters(f.client)->retries, 2);
    stop(&f);
}

static void throttling_that_goes_on_ends_as_throttled(void **state UNUSED) {
    START(f, {.status = 503, .body = FAULT("RequestLimitExceeded")});
    call(&f, EC2_RUN_INSTANCES, 0);
    expect(&f, AWS_THROTTLED, 3);
    assert_int_equal(f.result.err.code, ERR_THROTTLED);
    assert_string_equal(f.result.code, "RequestLimitExceeded");
    assert_string_equal(f.result.err.text, "RunInstances: RequestLimitExceeded: why");
    assert_string_equal(f.result.request_id, "rid-3");
    stop(&f);
}

static void missing_capacity_is_not_retried_although_it_is_a_500(void **state UNUSED) {
    START(f, {.status = 500, .body = FAULT("InsufficientInstanceCapacity")});
    call(&f, EC2_RUN_INSTANCES, 0);
    expect(&f, AWS_CAPACITY, 1);
    assert_int_equal(f.result.http_status, 500);
    stop(&f);
}

static void wrong_requests_are_not_retried(void **state UNUSED) {
    START(f, {.status = 400, .body = FAULT("InvalidParameterValue")});
    call(&f, EC2_DESCRIBE_REGIONS, 0);
    expect(&f, AWS_INVALID, 1);
    stop(&f);
}

static void a_once_call_is_not_retried(void **state UNUSED) {
    START(f, {.status = 503, .body = FAULT("RequestLimitExceeded")});
    call(&f, EC2_DESCRIBE_REGIONS, AWS_ONCE);
    expect(&f, AWS_THROTTLED, 1);
    stop(&f);
}

static void a_server_error_without_xml_is_retried(void **state UNUSED) {
    START(f, {.status = 502, .body = "<html>Bad Gateway"}, {.status = 200, .body = REGIONS});
    call(&f, EC2_DESCRIBE_REGIONS, 0);
    expect(&f, AWS_OK, 2);
    stop(&f);
}

static void a_server_error_leaves_a_change_open(void **state UNUSED) {
    START(f, {.status = 500, .body = FAULT("InternalError")});
    call(&f, EC2_RUN_INSTANCES, 0);
    expect(&f, AWS_UNKNOWN_OUTCOME, 3);
    assert_int_equal(f.result.err.code, ERR_UNKNOWN_OUTCOME);
    stop(&f);
}

static void a_broken_connection_is_tried_again(void **state UNUSED) {
    START(f, {.kind = STEP_CLOSE}, {.kind = STEP_CUT, .status = 200, .body = REGIONS},
          {.status = 200, .body = REGIONS});
    call(&f, EC2_DESCRIBE_REGIONS, 0);
    expect(&f, AWS_OK, 3);
    stop(&f);
}

static void a_cut_reply_to_a_change_ends_as_unknown(void **state UNUSED) {
    START(f, {.kind = STEP_CUT, .status = 200, .body = RAN});
    call(&f, EC2_RUN_INSTANCES, 0);
    expect(&f, AWS_UNKNOWN_OUTCOME, 3);
    stop(&f);
}

static void a_change_without_token_is_sent_once_only(void **state UNUSED) {
    START(f, {.kind = STEP_CLOSE});
    call(&f, EC2_CREATE_SECURITY_GROUP, 0);
    expect(&f, AWS_UNKNOWN_OUTCOME, 1);
    stop(&f);
}

static void terminating_twice_is_fine(void **state UNUSED) {
    START(f, {.kind = STEP_CLOSE},
          {.status = 200,
           .body = "<TerminateInstancesResponse><instancesSet/>"
                   "</TerminateInstancesResponse>"});
    call(&f, EC2_TERMINATE_INSTANCES, AWS_URGENT);
    expect(&f, AWS_OK, 2);
    stop(&f);
}

static void a_silent_server_ends_in_a_timeout(void **state UNUSED) {
    const struct step script[] = {{.kind = STEP_HANG}};
    const struct aws_client_options options = {
        .attempt_timeout_ns = 50 * NS_PER_MS, .backoff_base_ns = NS_PER_MS, .seed = 1};
    struct fixture f;
    start(&f, script, 1, &options);
    call(&f, EC2_RUN_INSTANCES, 0);
    expect(&f, AWS_UNKNOWN_OUTCOME, 3);
    f.seen_count = 0;
    call(&f, EC2_DESCRIBE_REGIONS, 0);
    expect(&f, AWS_TRANSIENT, 3);
    assert_int_equal(f.result.err.code, ERR_TIMEOUT);
    stop(&f);
}

static void nobody_listening_changes_nothing(void **state UNUSED) {
    START(f, {.status = 200, .body = RAN});
    evconnlistener_disable(f.listener);
    evconnlistener_free(f.listener);
    f.done = 0;
    struct ec2_request request = {.action = EC2_RUN_INSTANCES};
    request.run_instances.min_count = request.run_instances.max_count = 1;
    aws_ec2_call(f.client, &request, 0, on_done, &f);
    wait_done(&f);
    assert_int_equal(f.result.class, AWS_TRANSIENT);
    assert_int_equal(f.result.attempts, 3);
    assert_int_equal(f.result.err.code, ERR_NETWORK);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    f.listener = evconnlistener_new_bind(loop_base(f.loop), on_accept, &f, LEV_OPT_CLOSE_ON_FREE,
                                         -1, (struct sockaddr *)&a, sizeof a);
    stop(&f);
}

static void the_retry_quota_runs_out(void **state UNUSED) {
    START(f, {.status = 503, .body = FAULT("RequestLimitExceeded")});
    f.client->quota = 7;
    call(&f, EC2_DESCRIBE_REGIONS, 0);
    expect(&f, AWS_THROTTLED, 2); /* one retry was left */
    assert_int_equal(f.client->quota, 2);
    stop(&f);
}

static void success_gives_quota_back(void **state UNUSED) {
    START(f, {.status = 503, .body = FAULT("RequestLimitExceeded")},
          {.status = 200, .body = REGIONS}, {.status = 200, .body = REGIONS});
    f.client->quota = 100;
    call(&f, EC2_DESCRIBE_REGIONS, 0);
    assert_int_equal(f.client->quota, 100);
    call(&f, EC2_DESCRIBE_REGIONS, 0);
    assert_int_equal(f.client->quota, 101);
    stop(&f);
}

/* --- replies that are none --- */

static void garbage_under_status_200_is_no_success(void **state UNUSED) {
    START(f, {.status = 200, .body = "<html>login</html>"});
    call(&f, EC2_DESCRIBE_REGIONS, 0);
    expect(&f, AWS_TRANSIENT, 3);
    assert_int_equal(f.result.err.code, ERR_PROTOCOL);
    stop(&f);
}

static void cut_xml_under_status_200_leaves_a_change_open(void **state UNUSED) {
    START(f, {.status = 200, .body = "<RunInstancesResponse><reservationId>"});
    call(&f, EC2_RUN_INSTANCES, 0);
    expect(&f, AWS_UNKNOWN_OUTCOME, 3);
    stop(&f);
}

static void an_error_under_status_200_counts_as_its_code(void **state UNUSED) {
    START(f, {.status = 200, .body = FAULT("InsufficientInstanceCapacity")});
    call(&f, EC2_RUN_INSTANCES, 0);
    expect(&f, AWS_CAPACITY, 1);
    stop(&f);
}

static void a_reply_beyond_the_limit_is_refused(void **state UNUSED) {
    START(f, {.status = 200, .filler = REPLY_BYTES_MAX + 1024});
    call(&f, EC2_DESCRIBE_REGIONS, 0);
    expect(&f, AWS_TRANSIENT, 1);
    assert_int_equal(f.result.err.code, ERR_LIMIT);
    stop(&f);
}

/* --- clock, dry run, services --- */

static void a_clock_that_is_off_is_corrected_from_the_date(void **state UNUSED) {
    struct buf date = BUF_INIT(100);
    /* one hour ahead; the weekday is not looked at */
    struct when w = when_from_unix_ms(clock_wall_unix_ms() + 3600 * 1000);
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    buf_printf(&date, "Date: Fri, %02u %s %04d %02u:%02u:%02u GMT\r\n", w.day, months[w.month - 1],
               w.year, w.hour, w.minute, w.second);
    START(f, {.status = 400, .body = FAULT("RequestExpired"), .header = buf_text(&date)},
          {.status = 200, .body = REGIONS});
    call(&f, EC2_DESCRIBE_REGIONS, 0);
    expect(&f, AWS_OK, 2);
    int64_t skew_ms = aws_client_skew_ms(f.client);
    assert_true(skew_ms > 3590 * 1000 && skew_ms <= 3600 * 1000);
    struct raw_request raw;
    struct sigv4_claim claim;
    raw_request_parse(f.seen[1], &raw);
    assert_int_equal(sigv4_claim_parse(&raw.request, &claim), SIGV4_OK);
    assert_true(claim.signed_unix_ms > clock_wall_unix_ms() + 3500 * 1000);
    stop(&f);
    buf_deinit(&date);
}

static void refused_keys_are_not_retried_when_the_clock_is_right(void **state UNUSED) {
    START(f, {.status = 401, .body = FAULT("AuthFailure")});
    call(&f, EC2_DESCRIBE_REGIONS, 0);
    expect(&f, AWS_AUTH, 1);
    assert_int_equal(f.result.err.code, ERR_ACCESS);
    stop(&f);
}

static void a_dry_run_that_may_is_ok(void **state UNUSED) {
    START(f, {.status = 412, .body = FAULT("DryRunOperation")});
    struct ec2_request request = {.action = EC2_RUN_INSTANCES, .dry_run = true};
    aws_ec2_call(f.client, &request, 0, on_done, &f);
    wait_done(&f);
    expect(&f, AWS_OK, 1);
    assert_string_equal(f.result.code, "DryRunOperation");
    stop(&f);
}

static void on_identity(void *user, const struct aws_result *result,
                        const struct sts_identity *identity) {
    struct fixture *f = user;
    f->done++;
    f->result = *result;
    assert_true(identity && str_equal(identity->account, STR("123456789012")));
}

static void sts_tells_who_we_are(void **state UNUSED) {
    START(f, {.status = 200,
              .body = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>a</Arn><UserId>u"
                      "</UserId><Account>123456789012</Account></GetCallerIdentityResult>"
                      "</GetCallerIdentityResponse>"});
    aws_sts_get_caller_identity(f.client, on_identity, &f);
    wait_done(&f);
    expect(&f, AWS_OK, 1);
    assert_true(str_contains(f.seen[0], STR("/us-east-1/sts/aws4_request")));
    stop(&f);
}

static void on_parameter(void *user, const struct aws_result *result,
                         const struct ssm_reply *reply) {
    struct fixture *f = user;
    f->done++;
    f->result = *result;
    f->items = reply ? reply->parameters.count : 0;
}

static void ssm_finds_an_image_or_says_that_there_is_none(void **state UNUSED) {
    START(f, {.status = 200, .body = "{\"Parameter\":{\"Name\":\"/a\",\"Value\":\"ami-1\"}}"},
          {.status = 400, .body = "{\"__type\":\"ParameterNotFound\",\"message\":\"no\"}"});
    struct str name = STR("/a");
    struct ssm_request request = {.action = SSM_GET_PARAMETER, .names = {&name, 1}};
    aws_ssm_call(f.client, &request, on_parameter, &f);
    wait_done(&f);
    expect(&f, AWS_OK, 1);
    assert_int_equal(f.items, 1);
    assert_true(str_contains(f.seen[0], STR("X-Amz-Target: AmazonSSM.GetParameter\r\n")));
    assert_true(str_contains(f.seen[0], STR("content-type;host;x-amz-date;x-amz-target")));
    f.done = 0;
    aws_ssm_call(f.client, &request, on_parameter, &f);
    wait_done(&f);
    assert_int_equal(f.result.class, AWS_NOT_FOUND);
    stop(&f);
}

/* --- lists --- */

#define PAGE(token)                                                                       \
    "<DescribeSubnetsResponse><subnetSet><item><subnetId>s</subnetId></item></subnetSet>" \
    "<nextToken>" token "</nextToken></DescribeSubnetsResponse>"

static void on_page(void *user, const struct ec2_reply *reply) {
    ((struct fixture *)user)->items += reply->describe_subnets.subnets.count;
}

static void list(struct fixture *f, unsigned pages_max) {
    struct ec2_request request = {.action = EC2_DESCRIBE_SUBNETS};
    request.describe_subnets.max_results = 5;
    aws_ec2_list(f->client, &request, 0, pages_max, on_page, on_done, f);
    wait_done(f);
}

static void a_list_follows_its_tokens_to_the_end(void **state UNUSED) {
    START(f, {.status = 200, .body = PAGE("t/1")}, {.status = 200, .body = PAGE("t2")},
          {.status = 200, .body = PAGE("")});
    list(&f, 10);
    assert_int_equal(f.result.class, AWS_OK);
    assert_int_equal(f.items, 3);
    assert_true(str_ends_with(f.seen[1], STR("MaxResults=5&NextToken=t%2F1")));
    assert_true(str_ends_with(f.seen[2], STR("MaxResults=5&NextToken=t2")));
    stop(&f);
}

static void a_failed_page_fails_the_list(void **state UNUSED) {
    START(f, {.status = 200, .body = PAGE("t")},
          {.status = 400, .body = FAULT("InvalidPaginationToken")});
    list(&f, 10);
    assert_int_equal(f.result.class, AWS_INVALID);
    assert_string_equal(f.result.code, "InvalidPaginationToken");
    stop(&f);
}

static void a_token_that_comes_again_ends_the_list(void **state UNUSED) {
    START(f, {.status = 200, .body = PAGE("a")}, {.status = 200, .body = PAGE("b")},
          {.status = 200, .body = PAGE("a")});
    list(&f, 10);
    assert_int_equal(f.result.class, AWS_INVALID);
    assert_int_equal(f.result.err.code, ERR_PROTOCOL);
    stop(&f);
}

static void a_list_longer_than_allowed_fails(void **state UNUSED) {
    START(f, {.status = 200, .body = PAGE("a")}, {.status = 200, .body = PAGE("b")});
    list(&f, 2);
    assert_int_equal(f.result.err.code, ERR_LIMIT);
    assert_int_equal(f.seen_count, 2);
    stop(&f);
}

/* --- classes, dates, life --- */

static void codes_have_their_classes(void **state UNUSED) {
    static const struct {
        const char *code;
        unsigned status;
        enum aws_class class;
    } cases[] = {
        {"InsufficientInstanceCapacity", 500, AWS_CAPACITY},
        {"UnfulfillableCapacity", 400, AWS_CAPACITY},
        {"Unsupported", 400, AWS_CAPACITY},
        {"MaxSpotInstanceCountExceeded", 400, AWS_QUOTA},
        {"VcpuLimitExceeded", 400, AWS_QUOTA},
        {"RequestLimitExceeded", 503, AWS_THROTTLED},
        {"ThrottlingException", 400, AWS_THROTTLED},
        {"AuthFailure", 401, AWS_AUTH},
        {"RequestExpired", 400, AWS_AUTH},
        {"UnauthorizedOperation", 403, AWS_DENIED},
        {"AuthFailure.ServiceLinkedRoleCreationNotPermitted", 400, AWS_DENIED},
        {"InvalidInstanceID.NotFound", 400, AWS_NOT_FOUND},
        {"InvalidLaunchTemplateName.NotFoundException", 400, AWS_NOT_FOUND},
        {"ParameterNotFound", 400, AWS_NOT_FOUND},
        {"IdempotentParameterMismatch", 400, AWS_MISMATCH},
        {"InvalidParameterValue", 400, AWS_INVALID},
        {"InvalidGroup.Duplicate", 400, AWS_INVALID},
        {"InternalError", 500, AWS_TRANSIENT},
        {"NeverHeardOf", 500, AWS_TRANSIENT},
        {"NeverHeardOf", 400, AWS_INVALID},
        {"", 503, AWS_TRANSIENT},
        {"", 429, AWS_THROTTLED},
        {"", 404, AWS_INVALID},
        {"", 200, AWS_OK},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (aws_classify(str_from(cases[i].code), cases[i].status) != cases[i].class)
            fail_msg("%s %u is not %s", cases[i].code, cases[i].status,
                     aws_class_name(cases[i].class));
}

static void http_dates_are_read(void **state UNUSED) {
    int64_t ms = 0;
    assert_true(aws_http_date_parse(STR("Fri, 20 Nov 2026 16:08:03 GMT"), &ms));
    assert_int_equal(ms, 1795190883000);
    const char *bad[] = {"",
                         "Fri, 20 Nov 2026 16:08:03 UTC",
                         "Fri, 20 Nov 2026 16:08:03.5 GMT",
                         "Fri, 20 ovD 2026 16:08:03 GMT",
                         "Fri, 2x Nov 2026 16:08:03 GMT",
                         "Fri, 20 Nov 2026 25:08:03 GMT"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(aws_http_date_parse(str_from(bad[i]), &ms));
}

static void a_client_may_go_away_with_calls_open(void **state UNUSED) {
    START(f, {.kind = STEP_HANG});
    struct ec2_request request = {.action = EC2_DESCRIBE_REGIONS};
    for (unsigned i = 0; i < 20; i++)
        aws_ec2_call(f.client, &request, 0, on_done, &f);
    aws_ec2_list(f.client, &request, 0, 3, on_page, on_done, &f);
    uint64_t until_ns = loop_now_ns(f.loop) + DEADLINE_NS;
    while (f.seen_count < 8 && loop_now_ns(f.loop) < until_ns)
        loop_turn(f.loop, 10 * NS_PER_MS);
    assert_int_equal(f.seen_count, 8);
    stop(&f);
    assert_int_equal(f.done, 0);
}

static void on_done_free(void *user, const struct aws_result *result UNUSED,
                         const struct ec2_reply *reply UNUSED) {
    struct fixture *f = user;
    f->done++;
    aws_client_free(f->client);
    f->client = NULL;
}

static void a_callback_may_free_the_client(void **state UNUSED) {
    START(f, {.status = 200, .body = REGIONS});
    struct ec2_request request = {.action = EC2_DESCRIBE_REGIONS};
    aws_ec2_call(f.client, &request, 0, on_done_free, &f);
    wait_done(&f);
    loop_turn(f.loop, NS_PER_MS);
    stop(&f);
}

static void too_many_open_calls_are_refused_from_the_loop(void **state UNUSED) {
    const struct step script[] = {{.kind = STEP_HANG}};
    const struct aws_client_options options = {.calls_max = 2, .seed = 1};
    struct fixture f;
    struct ec2_request request = {.action = EC2_DESCRIBE_REGIONS};
    start(&f, script, 1, &options);
    for (unsigned i = 0; i < 3; i++)
        aws_ec2_call(f.client, &request, 0, on_done, &f);
    assert_int_equal(f.done, 0);
    wait_done(&f);
    assert_int_equal(f.result.err.code, ERR_LIMIT);
    stop(&f);
}

UNIT_MAIN(
    T(a_call_is_signed_sent_and_decoded), T(calls_in_a_row_share_a_connection),
    T(at_most_so_many_connections_are_open), T(urgent_calls_go_first),
    T(a_throttled_call_sends_the_same_bytes_again), T(throttling_that_goes_on_ends_as_throttled),
    T(missing_capacity_is_not_retried_although_it_is_a_500), T(wrong_requests_are_not_retried),
    T(a_once_call_is_not_retried), T(a_server_error_without_xml_is_retried),
    T(a_server_error_leaves_a_change_open), T(a_broken_connection_is_tried_again),
    T(a_cut_reply_to_a_change_ends_as_unknown), T(a_change_without_token_is_sent_once_only),
    T(terminating_twice_is_fine), T(a_silent_server_ends_in_a_timeout),
    T(nobody_listening_changes_nothing), T(the_retry_quota_runs_out), T(success_gives_quota_back),
    T(garbage_under_status_200_is_no_success), T(cut_xml_under_status_200_leaves_a_change_open),
    T(an_error_under_status_200_counts_as_its_code), T(a_reply_beyond_the_limit_is_refused),
    T(a_clock_that_is_off_is_corrected_from_the_date),
    T(refused_keys_are_not_retried_when_the_clock_is_right), T(a_dry_run_that_may_is_ok),
    T(sts_tells_who_we_are), T(ssm_finds_an_image_or_says_that_there_is_none),
    T(a_list_follows_its_tokens_to_the_end), T(a_failed_page_fails_the_list),
    T(a_token_that_comes_again_ends_the_list), T(a_list_longer_than_allowed_fails),
    T(codes_have_their_classes), T(http_dates_are_read), T(a_client_may_go_away_with_calls_open),
    T(a_callback_may_free_the_client), T(too_many_open_calls_are_refused_from_the_loop))
