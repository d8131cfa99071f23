#include "aws/client.h"

#include "aws/client_parts.h"
#include "base/limits.h"
#include "base/when.h"
#include "codec/sigv4.h"
#include "os/clock.h"

#define FORM_TYPE "application/x-www-form-urlencoded; charset=utf-8"

static void call_on_timer(void *arg);

/* --- opening and ending --- */

static struct aws_call *call_new(struct aws_client *client, enum aws_call_kind kind,
                                 enum aws_service service, struct buf *own_body, void *user) {
    struct aws_call *call = mem_new(sizeof *call);
    call->client = client;
    call->kind = kind;
    call->service = service;
    call->user = user;
    call->body_size = own_body->len;
    call->body = buf_detach(own_body);
    call->timer = loop_timer_new(client->loop, call_on_timer, call);
    call->next = client->calls;
    if (call->next)
        call->next->previous = call;
    client->calls = call;
    client->counters.calls++;
    return call;
}

/* Take it out of the client, which may then go away before it. */
static void call_unlink(struct aws_call *call) {
    if (call->previous)
        call->previous->next = call->next;
    else
        call->client->calls = call->next;
    if (call->next)
        call->next->previous = call->previous;
    http_exchange_cancel(call->exchange);
    call->exchange = NULL;
    loop_timer_free(call->timer);
    call->timer = NULL;
}

static void call_release(struct aws_call *own_call) {
    mem_free(own_call->body);
    mem_free(own_call);
}

void aws_call_free(struct aws_call *own_call) {
    call_unlink(own_call);
    call_release(own_call);
}

void aws_call_end(struct aws_call *call, const void *reply) {
    call->result.attempts = call->attempts;
    must((call->result.class == AWS_OK) == (call->result.err.code == ERR_NONE));
    call_unlink(call);
    switch (call->kind) {
    case AWS_CALL_EC2:
        call->done.ec2(call->user, &call->result, reply);
        break;
    case AWS_CALL_STS:
        call->done.sts(call->user, &call->result, reply);
        break;
    case AWS_CALL_SSM:
        call->done.ssm(call->user, &call->result, reply);
        break;
    }
    call_release(call);
}

/* Queue it, unless there are too many; the callback comes later in any case. */
void aws_call_start(struct aws_call *call) {
    struct aws_client *client = call->client;
    struct aws_counters *c = &client->counters;
    if (c->waiting + c->running >= client->options.calls_max) {
        call->result.class = AWS_TRANSIENT;
        err_set(&call->result.err, ERR_LIMIT, "%u calls are open already",
                client->options.calls_max);
        loop_timer_after(call->timer, 0);
        return;
    }
    aws_client_enqueue(client, call);
    loop_timer_after(client->wake, 0);
}

/* The call's timer: its end is decided, or its back-off is over. */
static void call_on_timer(void *arg) {
    struct aws_call *call = arg;
    struct aws_client *client = call->client;
    if (call->result.class != AWS_OK) {
        aws_call_end(call, NULL);
        return;
    }
    aws_client_enqueue(client, call);
    aws_client_pump(client);
}

/* --- one attempt --- */

static const char *service_name(enum aws_service service) {
    static const char *const names[AWS_SERVICE_COUNT] = {"ec2", "sts", "ssm"};
    return names[service];
}

/* Line, headers and body.  The body is the same in every attempt. */
static int build_request(struct aws_call *call, const struct aws_keys *keys, struct buf *out,
                         struct err *err) {
    struct aws_client *client = call->client;
    struct aws_endpoint *e = &client->endpoints[call->service];
    bool json = call->kind == AWS_CALL_SSM;
    struct str target = json ? ssm_target(call->ssm_action) : STR_EMPTY;
    struct sigv4_header headers[] = {
        {STR("Host"), str_from(e->host_header)},
        {STR("Content-Type"), json ? STR(SSM_CONTENT_TYPE) : STR(FORM_TYPE)},
        {STR("X-Amz-Target"), target},
    };
    struct sigv4_request request = {
        .method = STR("POST"),
        .path = str_from(e->path),
        .headers = headers,
        .header_count = json ? 3 : 2,
        .body = {call->body, call->body_size},
    };
    struct sigv4_signer signer = {
        .access_key = keys->access_key,
        .secret_key = keys->secret_key,
        .session_token = keys->session_token,
        .region = client->config.region,
        .service = str_from(service_name(call->service)),
        .unix_ms = clock_wall_unix_ms() + client->skew_ms,
    };
    buf_printf(out, "POST %s HTTP/1.1\r\n", e->path);
    for (size_t i = 0; i < request.header_count; i++)
        buf_printf(out, "%.*s: %.*s\r\n", STR_ARG(headers[i].name), STR_ARG(headers[i].value));
    buf_printf(out,
               "Content-Length: %zu\r\nUser-Agent: dayfly/" DAYFLY_VERSION
               "\r\namz-sdk-request: attempt=%u; max=%u\r\n",
               call->body_size, call->attempts + 1, client->config.attempts_max);
    struct sigv4_parts parts;
    sigv4_parts_init(&parts);
    int result = sigv4_sign(&request, &signer, out, &parts, err);
    sigv4_parts_deinit(&parts);
    buf_add_text(out, "\r\n");
    buf_add(out, call->body, call->body_size);
    return result == 0 && !buf_ok(out) ? err_set(err, ERR_LIMIT, "the request is too large")
                                       : result;
}

static void call_on_outcome(void *arg, const struct http_outcome *outcome);

void aws_call_send(struct aws_call *call, const struct aws_keys *keys) {
    struct aws_client *client = call->client;
    struct buf request;
    buf_init(&request, call->body_size + 128 * KIB);
    call->result = (struct aws_result){.class = AWS_OK};
    if (build_request(call, keys, &request, &call->result.err) < 0) {
        buf_deinit(&request);
        call->result.class = AWS_INVALID;
        client->counters.running--;
        loop_timer_after(call->timer, 0);
        return;
    }
    call->attempts++;
    client->counters.attempts++;
    if (call->kind == AWS_CALL_EC2)
        client->counters.ec2_attempts[call->ec2_action]++;
    call->exchange = http_client_send(client->endpoints[call->service].http, buf_str(&request),
                                      client->options.attempt_timeout_ns, call_on_outcome, call);
    buf_deinit(&request);
}

/* --- what came back --- */

/* A decoded success of one of the kinds. */
union decoded {
    struct ec2_reply ec2;
    struct sts_identity sts;
    struct ssm_reply ssm;
};

static int decode_reply(struct aws_call *call, struct str body, struct arena *arena,
                        union decoded *ret, struct ec2_fault *ret_fault, struct err *err) {
    switch (call->kind) {
    case AWS_CALL_EC2:
        return ec2_reply_decode(call->ec2_action, body, arena, &ret->ec2, ret_fault, err);
    case AWS_CALL_STS:
        return sts_identity_decode(body, arena, &ret->sts, ret_fault, err);
    case AWS_CALL_SSM:
        return ssm_reply_decode(call->ssm_action, body, arena, &ret->ssm, err);
    }
    return -ERR_PROTOCOL;
}

static const char *call_name(const struct aws_call *call) {
    switch (call->kind) {
    case AWS_CALL_EC2:
        return ec2_action_name(call->ec2_action).ptr;
    case AWS_CALL_STS:
        return "GetCallerIdentity";
    case AWS_CALL_SSM:
        return ssm_target(call->ssm_action).ptr + sizeof SSM_TARGET_PREFIX - 1;
    }
    return "";
}

static enum err_code code_of_class(enum aws_class class) {
    switch (class) {
    case AWS_OK:
        return ERR_NONE;
    case AWS_CAPACITY:
        return ERR_CAPACITY;
    case AWS_QUOTA:
        return ERR_LIMIT;
    case AWS_THROTTLED:
        return ERR_THROTTLED;
    case AWS_AUTH:
    case AWS_DENIED:
        return ERR_ACCESS;
    case AWS_NOT_FOUND:
        return ERR_NOT_FOUND;
    case AWS_MISMATCH:
    case AWS_INVALID:
    case AWS_TRANSIENT:
        return ERR_REMOTE;
    case AWS_UNKNOWN_OUTCOME:
        return ERR_UNKNOWN_OUTCOME;
    case AWS_CLASS_COUNT:
        break;
    }
    return ERR_REMOTE;
}

/* What one attempt came to. */
struct verdict {
    bool retry;    /* another attempt may help and does no harm */
    bool at_once;  /* without back-off or quota: the cause was repaired */
    unsigned cost; /* of a retry */
};

/* The service's clock, when it is far from ours and that is why the stamp was refused. */
static bool fix_skew(struct aws_call *call, struct str head) {
    struct aws_client *client = call->client;
    int64_t there_ms;
    if (call->skew_fixed || !aws_http_date_parse(http_head_value(head, STR("Date")), &there_ms))
        return false;
    int64_t skew_ms = there_ms - clock_wall_unix_ms();
    int64_t change_ms = skew_ms - client->skew_ms;
    if (change_ms > -AWS_SKEW_MS && change_ms < AWS_SKEW_MS)
        return false;
    client->skew_ms = skew_ms;
    call->skew_fixed = true;
    return true;
}

static bool fix_expired_keys(struct aws_call *call, struct str code) {
    if (call->keys_renewed || !str_starts_with(code, STR("ExpiredToken")) ||
        call->client->config.source == AWS_SOURCE_STATIC)
        return false;
    keys_expire(call->client->keys);
    call->keys_renewed = true;
    return true;
}

/* An error reply.  HTTP 5xx that names neither capacity nor throttling leaves a change open. */
static struct verdict judge_fault(struct aws_call *call, const struct http_outcome *outcome,
                                  const struct ec2_fault *fault) {
    struct aws_result *r = &call->result;
    struct str code = str_from(fault->code);
    struct verdict v = {.cost = AWS_QUOTA_RETRY};
    enum aws_class class = aws_classify(code, outcome->status);
    if (class == AWS_OK)
        class = AWS_TRANSIENT; /* HTTP 2xx with a body that is no reply */
    bool open = call->mutates && class == AWS_TRANSIENT;
    ignore(str_copy(r->code, sizeof r->code, code)); /* as large as the fault's */
    v.at_once =
        class == AWS_AUTH && (fix_expired_keys(call, code) || fix_skew(call, outcome->head));
    v.retry = v.at_once || class == AWS_THROTTLED ||
              (class == AWS_TRANSIENT && (call->repeatable || !call->mutates));
    if (class == AWS_THROTTLED)
        call->client->counters.throttled++;
    r->class = open ? AWS_UNKNOWN_OUTCOME : class;
    if (fault->code[0])
        err_set(&r->err, code_of_class(r->class), "%s: %s: %s", call_name(call), fault->code,
                fault->message);
    else
        err_set(&r->err, code_of_class(r->class), "%s: HTTP %u without an error code",
                call_name(call), outcome->status);
    return v;
}

/* No whole reply. */
static struct verdict judge_broken(struct aws_call *call, const struct http_outcome *outcome) {
    struct aws_result *r = &call->result;
    struct verdict v = {.cost = AWS_QUOTA_RETRY};
    bool timeout = outcome->why.code == ERR_TIMEOUT;
    bool refused = outcome->why.code == ERR_ACCESS; /* the certificate: it stays wrong */
    bool open = call->mutates && outcome->sent;
    if (timeout)
        v.cost = AWS_QUOTA_TIMEOUT;
    v.retry = !refused && outcome->why.code != ERR_LIMIT && (!open || call->repeatable);
    r->class = refused ? AWS_AUTH : open ? AWS_UNKNOWN_OUTCOME : AWS_TRANSIENT;
    enum err_code code = refused ? ERR_ACCESS : open ? ERR_UNKNOWN_OUTCOME : outcome->why.code;
    err_set(&r->err, code, "%s: %s", call_name(call), outcome->why.text);
    return v;
}

/* HTTP 2xx with a body that is not the reply: cut, or from something that is no AWS. */
static struct verdict judge_garbage(struct aws_call *call, const struct err *why) {
    struct aws_result *r = &call->result;
    struct verdict v = {.cost = AWS_QUOTA_RETRY, .retry = !call->mutates || call->repeatable};
    r->class = call->mutates ? AWS_UNKNOWN_OUTCOME : AWS_TRANSIENT;
    err_set(&r->err, call->mutates ? ERR_UNKNOWN_OUTCOME : why->code, "%s: %s", call_name(call),
            why->text);
    return v;
}

/* --- after an attempt --- */

static bool take_quota(struct aws_client *client, unsigned cost) {
    if (client->quota < cost)
        return false;
    client->quota -= cost;
    return true;
}

static void give_quota(struct aws_client *client, unsigned amount) {
    client->quota = MIN(client->quota + amount, (unsigned)AWS_QUOTA_MAX);
}

/* Full jitter: anywhere between nothing and base * 2^(n-1). */
static uint64_t backoff_ns(struct aws_call *call) {
    struct aws_client *client = call->client;
    unsigned shift = MIN(call->attempts - 1, 20u);
    uint64_t limit_ns = MIN(client->options.backoff_base_ns << shift, AWS_BACKOFF_MAX_NS);
    return prng_range(&client->prng, 0, limit_ns);
}

/* The attempt failed: another one, or the end. */
static void call_failed(struct aws_call *call, struct verdict v) {
    struct aws_client *client = call->client;
    bool attempts_left = call->attempts < client->config.attempts_max || v.at_once;
    bool again = v.retry && attempts_left && !(call->flags & AWS_ONCE) &&
                 (v.at_once || take_quota(client, v.cost));
    if (!again) {
        aws_call_end(call, NULL);
        return;
    }
    client->counters.retries++;
    call->last_cost = v.at_once ? 0 : v.cost;
    call->result = (struct aws_result){.class = AWS_OK};
    loop_timer_after(call->timer, v.at_once ? 0 : backoff_ns(call));
}

static void call_succeeded(struct aws_call *call, const void *reply) {
    give_quota(call->client, call->attempts > 1 ? call->last_cost : 1);
    aws_call_end(call, reply);
}

static void note_request_id(struct aws_call *call, struct str head) {
    struct str id = http_head_value(head, STR("x-amzn-RequestId"));
    if (id.len > 0)
        ignore(str_copy(call->result.request_id, sizeof call->result.request_id,
                        id)); /* cut is fine: for people */
}

/* An error status: decode what it says. */
static void call_on_error(struct aws_call *call, const struct http_outcome *outcome) {
    struct ec2_fault fault;
    bool json = call->kind == AWS_CALL_SSM;
    ignore(json ? ssm_fault_decode(outcome->status, outcome->body, &fault, NULL)
                : ec2_fault_decode(outcome->status, outcome->body, &fault,
                                   NULL)); /* no code then: the status decides */
    if (call->dry_run && str_equal(str_from(fault.code), STR("DryRunOperation"))) {
        ignore(str_copy(call->result.code, sizeof call->result.code, str_from(fault.code)));
        call_succeeded(call, NULL);
        return;
    }
    call_failed(call, judge_fault(call, outcome, &fault));
}

static void call_on_reply(struct aws_call *call, const struct http_outcome *outcome) {
    struct arena arena = {0};
    struct ec2_fault fault = {0};
    struct err why = {0};
    CLEANUP(mem_freep) union decoded *reply = mem_new(sizeof *reply);
    int result = decode_reply(call, outcome->body, &arena, reply, &fault, &why);
    if (result == 0 && call->kind == AWS_CALL_EC2 && reply->ec2.request_id.len > 0)
        ignore(str_copy(call->result.request_id, sizeof call->result.request_id,
                        reply->ec2.request_id)); /* cut is fine: for people */
    if (result == 0)
        call_succeeded(call, reply);
    else if (result == -ERR_REMOTE)
        call_failed(call, judge_fault(call, outcome, &fault));
    else
        call_failed(call, judge_garbage(call, &why));
    arena_deinit(&arena);
}

static void call_on_outcome(void *arg, const struct http_outcome *outcome) {
    struct aws_call *call = arg;
    struct aws_client *client = call->client;
    call->exchange = NULL;
    must(client->counters.running > 0);
    client->counters.running--;
    loop_timer_after(client->wake, 0); /* there is room now */
    call->result.http_status = outcome->status;
    note_request_id(call, outcome->head);
    if (outcome->why.code != ERR_NONE)
        call_failed(call, judge_broken(call, outcome));
    else if (outcome->status >= 200 && outcome->status < 300)
        call_on_reply(call, outcome);
    else
        call_on_error(call, outcome);
}

/* --- the calls --- */

static bool ec2_is_repeatable(const struct ec2_request *request) {
    struct str name = ec2_action_name(request->action);
    if (!ec2_action_mutates(request->action) || ec2_request_client_token(request).len > 0)
        return true;
    return str_starts_with(name, STR("Terminate")) || str_starts_with(name, STR("Stop")) ||
           str_starts_with(name, STR("Delete")) || str_starts_with(name, STR("Revoke")) ||
           request->action == EC2_CREATE_TAGS;
}

struct aws_call *aws_ec2_call_body(struct aws_client *client, enum ec2_action action,
                                   struct str body, aws_ec2_done *done, void *user) {
    struct buf copy;
    buf_init(&copy, body.len + 1);
    buf_add_str(&copy, body);
    struct aws_call *call = call_new(client, AWS_CALL_EC2, AWS_EC2, &copy, user);
    call->ec2_action = action;
    call->done.ec2 = done;
    call->mutates = ec2_action_mutates(action);
    call->repeatable = !call->mutates;
    client->counters.ec2_calls[action]++;
    return call;
}

void aws_ec2_call(struct aws_client *client, const struct ec2_request *request, unsigned flags,
                  aws_ec2_done *done, void *user) {
    struct buf body = BUF_INIT(1 * MIB);
    ec2_request_encode(request, &body);
    must(buf_ok(&body));
    struct aws_call *call = aws_ec2_call_body(client, request->action, buf_str(&body), done, user);
    buf_deinit(&body);
    call->flags = flags;
    call->dry_run = request->dry_run;
    call->mutates = call->mutates && !request->dry_run;
    call->repeatable = ec2_is_repeatable(request);
    aws_call_start(call);
}

void aws_sts_get_caller_identity(struct aws_client *client, aws_sts_done *done, void *user) {
    struct buf body = BUF_INIT(4 * KIB);
    sts_get_caller_identity_encode(&body);
    struct aws_call *call = call_new(client, AWS_CALL_STS, AWS_STS, &body, user);
    call->done.sts = done;
    call->repeatable = true;
    aws_call_start(call);
}

void aws_ssm_call(struct aws_client *client, const struct ssm_request *request, aws_ssm_done *done,
                  void *user) {
    struct buf body = BUF_INIT(64 * KIB);
    ssm_request_encode(request, &body);
    must(buf_ok(&body));
    struct aws_call *call = call_new(client, AWS_CALL_SSM, AWS_SSM, &body, user);
    call->ssm_action = request->action;
    call->done.ssm = done;
    call->repeatable = true;
    aws_call_start(call);
}
