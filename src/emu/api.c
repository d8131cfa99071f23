#include "emu/front_parts.h"

#include "codec/sigv4.h"
#include "codec/ssm.h"
#include "codec/sts.h"
#include "os/random.h"

#include <event2/keyvalq_struct.h>
#include <openssl/crypto.h>

#define XML "text/xml;charset=UTF-8"
#define DECODE_BYTES_MAX (16 * MIB) /* of one request's structs */

enum service { SERVICE_EC2, SERVICE_STS, SERVICE_SSM, SERVICE_NONE };

/* One call in hand. */
struct call {
    struct front *front;
    struct evhttp_request *req;
    enum service service;
    struct str body;   /* form or JSON; the query of a presigned GET */
    struct str target; /* X-Amz-Target */
    struct str access_key;
    char request_id[FRONT_REQUEST_ID_SIZE];
};

/* A request that reached the service after its client had given up. */
struct later {
    struct front *front;
    struct later *previous, *next;
    struct loop_timer *timer;
    char *body;
    size_t body_size;
    char access_key[64];
};

static void new_request_id(char into[FRONT_REQUEST_ID_SIZE]) {
    char hex[33];
    random_hex(hex, sizeof hex);
    snprintf(into, FRONT_REQUEST_ID_SIZE, "%.8s-%.4s-4%.3s-a%.3s-%.12s", hex, hex + 8, hex + 13,
             hex + 17, hex + 20);
}

/* ---- answers -------------------------------------------------------------------------------- */

static void answer(struct call *call, unsigned status, enum answer_way way, uint64_t delay_ns,
                   struct buf *body) {
    struct answer_spec spec = {.status = status,
                               .content_type =
                                   call->service == SERVICE_SSM ? SSM_CONTENT_TYPE : XML,
                               .request_id = call->request_id,
                               .way = way,
                               .delay_ns = delay_ns,
                               .body = body};
    answer_later(call->front, call->req, &spec);
}

static void encode_fault(const struct call *call, const struct ec2_fault *fault, struct buf *body) {
    if (call->service == SERVICE_SSM)
        ssm_fault_encode(fault, body);
    else if (call->service == SERVICE_STS)
        sts_fault_encode(fault, str_from(call->request_id), body);
    else
        ec2_fault_encode(fault, str_from(call->request_id), body);
}

static void answer_fault(struct call *call, const struct ec2_fault *fault) {
    CLEANUP(buf_deinit) struct buf body = BUF_INIT(64 * KIB);
    encode_fault(call, fault, &body);
    answer(call, fault->http_status, ANSWER_SEND, 0, &body);
}

/* ---- who is it ------------------------------------------------------------------------------ */

static void refuse(struct call *call, unsigned status, const char *ec2_code, const char *query_code,
                   const char *json_code, const char *message) {
    struct ec2_fault fault = {.http_status = status};
    const char *code = ec2_code;
    if (call->service == SERVICE_STS) {
        code = query_code;
        fault.http_status = 403;
    } else if (call->service == SERVICE_SSM) {
        code = json_code;
        fault.http_status = 400;
    }
    ignore(str_copy(fault.code, sizeof fault.code, str_from(code)));
    ignore(str_copy(fault.message, sizeof fault.message, str_from(message)));
    answer_fault(call, &fault);
}

static void refuse_verdict(struct call *call, enum sigv4_verdict verdict) {
    switch (verdict) {
    case SIGV4_OK:
        must(false);
        break;
    case SIGV4_MISSING:
        refuse(call, 403, "MissingAuthenticationToken", "MissingAuthenticationToken",
               "MissingAuthenticationTokenException", "Request is missing Authentication Token");
        break;
    case SIGV4_INCOMPLETE:
        refuse(call, 400, "IncompleteSignature", "IncompleteSignature",
               "IncompleteSignatureException",
               "The request signature does not conform to AWS standards.");
        break;
    case SIGV4_EXPIRED:
        refuse(call, 400, "RequestExpired", "SignatureDoesNotMatch", "InvalidSignatureException",
               "Request has expired: its signature is more than 15 minutes off.");
        break;
    case SIGV4_WRONG_SCOPE:
    case SIGV4_MISMATCH:
        refuse(call, 401, "AuthFailure", "SignatureDoesNotMatch", "InvalidSignatureException",
               "The signature does not match the request and the secret key.");
        break;
    }
}

static bool same_text(struct str a, const char *b) {
    size_t size = strlen(b);
    return a.len == size && CRYPTO_memcmp(a.ptr, b, size) == 0;
}

static bool authenticate(struct call *call, const struct sigv4_request *request) {
    struct front *f = call->front;
    struct sigv4_claim claim = {0};
    enum sigv4_verdict verdict = sigv4_claim_parse(request, &claim);
    static const char *const NAMES[] = {"ec2", "sts", "ssm"};
    for (size_t i = 0; verdict == SIGV4_OK && i < ARRAY_LEN(NAMES); i++)
        if (str_equal(claim.service, str_from(NAMES[i])))
            call->service = (enum service)i;
    if (verdict == SIGV4_OK && !same_text(claim.access_key, f->endpoint->access_key_id)) {
        refuse(call, 401, "AuthFailure", "InvalidClientTokenId", "UnrecognizedClientException",
               "AWS was not able to validate the provided access credentials");
        return false;
    }
    if (verdict == SIGV4_OK) {
        struct str region = call->service == SERVICE_STS ? STR_EMPTY : cloud_region(f->cloud);
        verdict = sigv4_verify(request, &claim, str_from(f->endpoint->secret_access_key), region,
                               cloud_unix_ms(f->cloud, loop_now_ns(f->loop)), 0);
    }
    if (verdict != SIGV4_OK) {
        refuse_verdict(call, verdict);
        return false;
    }
    call->access_key = claim.access_key;
    return true;
}

/* Before anything is believed: how to word an answer to a request without a signature. */
static enum service guess_service(const struct call *call) {
    if (str_starts_with(call->target, STR(SSM_TARGET_PREFIX)))
        return SERVICE_SSM;
    if (str_contains(call->body, STR("Version=" STS_VERSION)))
        return SERVICE_STS;
    return SERVICE_EC2;
}

/* ---- EC2 ------------------------------------------------------------------------------------ */

static void keep_for_later(struct call *call, uint64_t delay_ns);

static void answer_outcome(struct call *call, struct cloud_outcome *outcome) {
    CLEANUP(buf_deinit) struct buf body = BUF_INIT(FRONT_REPLY_BYTES_MAX);
    unsigned status = 200;
    enum answer_way way = ANSWER_SEND;
    switch (outcome->delivery) {
    case CLOUD_REPLY:
        break;
    case CLOUD_CUT:
        way = ANSWER_CUT;
        break;
    case CLOUD_LATER:
        keep_for_later(call, outcome->effect_delay_ns);
        way = ANSWER_RESET;
        break;
    case CLOUD_LOST:
    case CLOUD_DROPPED:
        way = ANSWER_RESET;
        break;
    }
    if (way != ANSWER_RESET && outcome->failed) {
        status = outcome->fault->http_status;
        encode_fault(call, outcome->fault, &body);
    } else if (way != ANSWER_RESET) {
        outcome->reply->request_id = str_from(call->request_id);
        ec2_reply_encode(outcome->reply, &body);
    }
    if (!buf_ok(&body)) {
        struct ec2_fault fault;
        ec2_fault_set(&fault, "InternalError", "the answer is larger than this cloud sends");
        buf_reset(&body);
        encode_fault(call, &fault, &body);
        status = 500;
    }
    answer(call, status, way, outcome->reply_delay_ns, &body);
}

static void handle_ec2(struct call *call) {
    struct front *f = call->front;
    struct arena arena = {0};
    arena_init(&arena, DECODE_BYTES_MAX);
    struct ec2_request *request = arena_new(&arena, sizeof *request);
    struct ec2_fault fault;
    if (ec2_request_decode(call->body, &arena, request, &fault) < 0) {
        answer_fault(call, &fault);
    } else {
        struct cloud_call in = {
            .now_ns = loop_now_ns(f->loop), .request = request, .access_key = call->access_key};
        struct cloud_outcome outcome = {0};
        struct arena reply_arena = {0};
        cloud_handle(f->cloud, &in, &reply_arena, &outcome);
        answer_outcome(call, &outcome);
        arena_deinit(&reply_arena);
        f->events.changed(f->events.arg);
    }
    arena_deinit(&arena);
}

static void later_free(struct later *own_later) {
    struct later *l = own_later;
    if (l->previous)
        l->previous->next = l->next;
    else if (l->front->laters == l)
        l->front->laters = l->next;
    if (l->next)
        l->next->previous = l->previous;
    loop_timer_free(l->timer);
    mem_free(l->body);
    mem_free(l);
}

static void later_now(void *arg) {
    struct later *l = arg;
    struct front *f = l->front;
    struct arena arena = {0};
    arena_init(&arena, DECODE_BYTES_MAX);
    struct ec2_request *request = arena_new(&arena, sizeof *request);
    struct ec2_fault fault;
    struct str body = {l->body, l->body_size};
    if (ec2_request_decode(body, &arena, request, &fault) == 0) {
        struct cloud_call in = {.now_ns = loop_now_ns(f->loop),
                                .request = request,
                                .access_key = str_from(l->access_key),
                                .late = true};
        struct cloud_outcome outcome = {0};
        struct arena reply_arena = {0};
        cloud_handle(f->cloud, &in, &reply_arena, &outcome);
        arena_deinit(&reply_arena);
        f->events.changed(f->events.arg);
    }
    arena_deinit(&arena);
    later_free(l);
}

static void keep_for_later(struct call *call, uint64_t delay_ns) {
    struct front *f = call->front;
    struct later *l = mem_new(sizeof *l);
    l->front = f;
    l->body = str_dup(call->body);
    l->body_size = call->body.len;
    ignore(str_copy(l->access_key, sizeof l->access_key, call->access_key));
    l->next = f->laters;
    if (f->laters)
        f->laters->previous = l;
    f->laters = l;
    l->timer = loop_timer_new(f->loop, later_now, l);
    loop_timer_after(l->timer, delay_ns);
}

void api_drop_all(struct front *f) {
    while (f->laters)
        later_free(f->laters);
}

/* ---- STS and SSM ---------------------------------------------------------------------------- */

static void handle_sts(struct call *call) {
    struct ec2_fault fault;
    if (sts_get_caller_identity_decode(call->body, &fault) < 0) {
        answer_fault(call, &fault);
        return;
    }
    CLEANUP(buf_deinit) struct buf body = BUF_INIT(64 * KIB);
    char arn[128];
    struct str account = cloud_account(call->front->cloud);
    snprintf(arn, sizeof arn, "arn:aws:iam::%.*s:user/rehearsal", STR_ARG(account));
    struct sts_identity identity = {
        .user_id = STR("AIDAREHEARSAL0000DAYF"), .account = account, .arn = str_from(arn)};
    sts_identity_encode(&identity, str_from(call->request_id), &body);
    answer(call, 200, ANSWER_SEND, 0, &body);
}

/* False: there is no such parameter. */
static bool find_parameter(const struct call *call, struct str name, struct arena *arena,
                           struct ssm_parameter *ret) {
    struct front *f = call->front;
    struct str value = cloud_parameter(f->cloud, name);
    if (value.len == 0)
        return false;
    *ret = (struct ssm_parameter){
        .name = name,
        .type = STR("String"),
        .value = value,
        .version = 1,
        .arn = str_from(arena_printf(arena, "arn:aws:ssm:%.*s::parameter%.*s",
                                     STR_ARG(cloud_region(f->cloud)), STR_ARG(name))),
        .data_type = STR("aws:ec2:image"),
        .modified_unix_ms = cloud_unix_ms(f->cloud, loop_now_ns(f->loop))};
    return true;
}

static int look_parameters_up(const struct call *call, const struct ssm_request *request,
                              struct arena *arena, struct ssm_reply *reply,
                              struct ec2_fault *fault) {
    size_t count = request->names.count;
    reply->action = request->action;
    reply->parameters.items = arena_new_array(arena, count, sizeof *reply->parameters.items);
    reply->invalid.items = arena_new_array(arena, count, sizeof *reply->invalid.items);
    for (size_t i = 0; i < count; i++) {
        struct str name = request->names.items[i];
        if (find_parameter(call, name, arena, &reply->parameters.items[reply->parameters.count]))
            reply->parameters.count++;
        else
            reply->invalid.items[reply->invalid.count++] = name;
    }
    if (request->action == SSM_GET_PARAMETER && reply->parameters.count == 0) {
        ec2_fault_set(fault, "ParameterNotFound", "there is no such parameter");
        fault->http_status = 400;
        return -1;
    }
    return 0;
}

static void handle_ssm(struct call *call) {
    struct arena arena = {0};
    arena_init(&arena, DECODE_BYTES_MAX);
    struct ssm_request request = {0};
    struct ssm_reply reply = {0};
    struct ec2_fault fault;
    if (ssm_request_decode(call->target, call->body, &arena, &request, &fault) < 0 ||
        look_parameters_up(call, &request, &arena, &reply, &fault) < 0) {
        answer_fault(call, &fault);
    } else {
        CLEANUP(buf_deinit) struct buf body = BUF_INIT(64 * KIB);
        ssm_reply_encode(&reply, &body);
        answer(call, 200, ANSWER_SEND, 0, &body);
    }
    arena_deinit(&arena);
}

/* ---- entry ---------------------------------------------------------------------------------- */

static const char *method_name(const struct evhttp_request *req) {
    switch (evhttp_request_get_command(req)) {
    case EVHTTP_REQ_GET:
        return "GET";
    case EVHTTP_REQ_PUT:
        return "PUT";
    case EVHTTP_REQ_DELETE:
        return "DELETE";
    case EVHTTP_REQ_HEAD:
        return "HEAD";
    default:
        return "POST";
    }
}

static size_t copy_headers(struct evhttp_request *req, struct sigv4_header *into) {
    const struct evkeyvalq *headers = evhttp_request_get_input_headers(req);
    size_t count = 0;
    for (const struct evkeyval *h = headers->tqh_first; h; h = h->next.tqe_next)
        if (count < SIGV4_HEADERS_MAX)
            into[count++] = (struct sigv4_header){str_from(h->key), str_from(h->value)};
    return count;
}

void api_handle(struct front *f, struct evhttp_request *req, struct str body) {
    struct str uri = str_from(evhttp_request_get_uri(req));
    size_t mark = str_index_of(uri, '?');
    struct sigv4_header headers[SIGV4_HEADERS_MAX];
    struct sigv4_request request = {.method = str_from(method_name(req)),
                                    .path = str_slice(uri, 0, mark),
                                    .query = str_skip(uri, mark + (mark < uri.len ? 1 : 0)),
                                    .headers = headers,
                                    .header_count = copy_headers(req, headers),
                                    .body = body};
    struct call call = {.front = f,
                        .req = req,
                        .body = body.len > 0 ? body : request.query,
                        .target = str_from(evhttp_find_header(evhttp_request_get_input_headers(req),
                                                              "X-Amz-Target"))};
    new_request_id(call.request_id);
    call.service = guess_service(&call);
    if (!authenticate(&call, &request))
        return;
    switch (call.service) {
    case SERVICE_EC2:
        handle_ec2(&call);
        break;
    case SERVICE_STS:
        handle_sts(&call);
        break;
    case SERVICE_SSM:
        handle_ssm(&call);
        break;
    case SERVICE_NONE:
        break;
    }
}
