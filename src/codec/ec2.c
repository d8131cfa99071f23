#include "codec/ec2.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/limits.h"
#include "codec/ec2_tables.h"
#include "codec/form.h"
#include "codec/xml.h"

/* Largest arena that one request of a stranger may fill. */
#define REQUEST_BYTES_MAX (1 * MIB)

struct call {
    struct str name;
    const struct fields *in;
    const struct fields *out;
    uint32_t in_at;  /* of the member in struct ec2_request */
    uint32_t out_at; /* of the member in struct ec2_reply */
};

static const struct call calls[EC2_ACTION_COUNT] = {
#define EC2_CALL(enum_name, wire, member)                                                       \
    [EC2_##enum_name] = {STR_INIT(wire), &ec2_##member##_in_fields, &ec2_##member##_out_fields, \
                         offsetof(struct ec2_request, member),                                  \
                         offsetof(struct ec2_reply, member)},
    EC2_ACTION_MAP(EC2_CALL)
#undef EC2_CALL
};

static const struct call *call_of(enum ec2_action action) {
    must((unsigned)action < EC2_ACTION_COUNT);
    return &calls[action];
}

static void *request_params(const struct call *call, struct ec2_request *request) {
    return (char *)request + call->in_at;
}

struct str ec2_action_name(enum ec2_action action) {
    return call_of(action)->name;
}

bool ec2_action_find(struct str name, enum ec2_action *ret_action) {
    for (unsigned i = 0; i < EC2_ACTION_COUNT; i++) {
        if (str_equal(calls[i].name, name)) {
            *ret_action = (enum ec2_action)i;
            return true;
        }
    }
    return false;
}

bool ec2_action_mutates(enum ec2_action action) {
    struct str name = call_of(action)->name;
    return !str_starts_with(name, STR("Describe")) && !str_starts_with(name, STR("Get"));
}

/* --- members by wire name --- */

static const struct field *find_field(const struct fields *fields, const char *form,
                                      const char *xml) {
    for (size_t i = 0; i < fields->count; i++) {
        const struct field *field = &fields->items[i];
        const char *name = form ? field->form : field->xml;
        if (name && str_equal(str_from(name), str_from(form ? form : xml)))
            return field;
    }
    return NULL;
}

struct str *ec2_request_next_token(struct ec2_request *request) {
    const struct call *call = call_of(request->action);
    const struct field *field = find_field(call->in, "NextToken", NULL);
    if (!field)
        return NULL;
    must(field->kind == FIELD_STR);
    return (struct str *)(void *)((char *)request_params(call, request) + field->offset);
}

struct str ec2_reply_next_token(const struct ec2_reply *reply) {
    const struct call *call = call_of(reply->action);
    const struct field *field = find_field(call->out, NULL, "nextToken");
    if (!field)
        return STR_EMPTY;
    must(field->kind == FIELD_STR);
    return *(const struct str *)(const void *)((const char *)reply + call->out_at + field->offset);
}

struct str ec2_request_client_token(const struct ec2_request *request) {
    const struct call *call = call_of(request->action);
    const struct field *field = find_field(call->in, "ClientToken", NULL);
    if (!field)
        return STR_EMPTY;
    must(field->kind == FIELD_STR);
    return *(const struct str *)(const void *)((const char *)request + call->in_at + field->offset);
}

/* --- faults --- */

unsigned ec2_fault_status(struct str code) {
    static const struct {
        struct str code;
        unsigned status;
    } known[] = {
        {STR_INIT("AuthFailure"), 401},
        {STR_INIT("SignatureDoesNotMatch"), 403},
        {STR_INIT("InvalidClientTokenId"), 403},
        {STR_INIT("MissingAuthenticationToken"), 403},
        {STR_INIT("UnauthorizedOperation"), 403},
        {STR_INIT("DryRunOperation"), 412},
        {STR_INIT("InsufficientInstanceCapacity"), 500},
        {STR_INIT("InternalError"), 500},
        {STR_INIT("InternalFailure"), 500},
        {STR_INIT("ServerInternal"), 500},
        {STR_INIT("Unavailable"), 503},
        {STR_INIT("ServiceUnavailable"), 503},
        {STR_INIT("RequestLimitExceeded"), 503},
        {STR_INIT("EC2ThrottledException"), 503},
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_equal(known[i].code, code))
            return known[i].status;
    return 400;
}

int ec2_fault_set(struct ec2_fault *fault, const char *code, const char *fmt, ...) {
    must(fault && code && code[0]);
    ignore(str_copy(fault->code, sizeof fault->code, str_from(code))); /* our own codes fit */
    va_list args;
    va_start(args, fmt);
    vsnprintf(fault->message, sizeof fault->message, fmt, args);
    va_end(args);
    fault->http_status = ec2_fault_status(str_from(code));
    return -1;
}

void ec2_fault_encode(const struct ec2_fault *fault, struct str request_id, struct buf *out) {
    buf_add_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error>");
    xml_add_element(out, "Code", str_from(fault->code));
    xml_add_element(out, "Message", str_from(fault->message));
    buf_add_text(out, "</Error></Errors>");
    xml_add_element(out, "RequestID", request_id);
    buf_add_text(out, "</Response>");
}

/* The <Error> element of either form, or NULL. */
static const struct xml_node *find_error(const struct xml_node *root) {
    if (str_equal(root->name, STR("Response")))
        return xml_child(xml_child(root, "Errors"), "Error");
    if (str_equal(root->name, STR("ErrorResponse")))
        return xml_child(root, "Error");
    return str_equal(root->name, STR("Error")) ? root : NULL;
}

/* False when `root` is no error body. */
static bool fault_from_xml(unsigned http_status, const struct xml_node *root,
                           struct ec2_fault *ret_fault) {
    const struct xml_node *error = find_error(root);
    struct str code = xml_child_text(error, "Code");
    if (code.len == 0)
        return false;
    ret_fault->http_status = http_status;
    ignore(str_copy(ret_fault->code, sizeof ret_fault->code, code)); /* cut is fine: for people */
    ignore(
        str_copy(ret_fault->message, sizeof ret_fault->message, xml_child_text(error, "Message")));
    return true;
}

int ec2_fault_decode(unsigned http_status, struct str body, struct ec2_fault *ret_fault,
                     struct err *err) {
    struct arena arena = {0};
    struct xml_node *root = NULL;
    *ret_fault = (struct ec2_fault){.http_status = http_status};
    int result = xml_parse(body, &arena, &root, err);
    if (result == 0 && !fault_from_xml(http_status, root, ret_fault))
        result = err_set(err, ERR_PROTOCOL, "HTTP %u with a body that is no error", http_status);
    arena_deinit(&arena);
    return result < 0 ? -ERR_PROTOCOL : 0;
}

/* --- requests --- */

void ec2_request_encode(const struct ec2_request *request, struct buf *out) {
    const struct call *call = call_of(request->action);
    form_add(out, STR("Action"), call->name);
    form_add(out, STR("Version"), STR(EC2_VERSION));
    if (request->dry_run)
        form_add(out, STR("DryRun"), STR("true"));
    fields_form_encode(call->in, (const char *)request + call->in_at, out);
}

static int fault_from_problem(const struct form_problem *problem, struct ec2_fault *fault) {
    struct str name = problem->name, value = str_slice(problem->value, 0, 100);
    switch (problem->trouble) {
    case FORM_UNKNOWN:
        return ec2_fault_set(fault, "UnknownParameter", "The parameter %.*s is not recognized",
                             STR_ARG(name));
    case FORM_MISSING:
        return ec2_fault_set(fault, "MissingParameter",
                             "The request must contain the parameter %.*s", STR_ARG(name));
    case FORM_TWICE:
        return ec2_fault_set(fault, "InvalidParameterCombination",
                             "The parameter %.*s is given twice", STR_ARG(name));
    case FORM_BAD_BLOB:
        if (str_ends_with(name, STR("UserData")))
            return ec2_fault_set(fault, "InvalidUserData.Malformed",
                                 "Invalid BASE64 encoding of user data.");
        return ec2_fault_set(fault, "InvalidParameterValue",
                             "Invalid BASE64 encoding of parameter %.*s", STR_ARG(name));
    case FORM_BAD_VALUE:
        return ec2_fault_set(fault, "InvalidParameterValue",
                             "Value (%.*s) for parameter %.*s is invalid.", STR_ARG(value),
                             STR_ARG(name));
    case FORM_TOO_MANY:
        return ec2_fault_set(fault, "RequestResourceCountExceeded",
                             "The request has more than %d parameters", FORM_PARAMS_MAX);
    case FORM_MALFORMED:
        return ec2_fault_set(fault, "MalformedQueryString",
                             "The query string contains a syntax error near %.*s", STR_ARG(name));
    case FORM_OK:
        break;
    }
    return ec2_fault_set(fault, "InternalError", "An internal error has occurred");
}

/* Action, Version and DryRun; signature parameters of the query form are dropped. */
static int take_common(struct form_params *params, struct ec2_request *request,
                       struct ec2_fault *fault) {
    struct str action, version, dry_run;
    if (!form_params_take(params, STR("Action"), &action))
        return ec2_fault_set(fault, "MissingAction",
                             "The request must contain the parameter Action");
    if (!form_params_take(params, STR("Version"), &version))
        return ec2_fault_set(fault, "MissingParameter",
                             "The request must contain the parameter Version");
    if (!str_equal(version, STR(EC2_VERSION)))
        return ec2_fault_set(fault, "NoSuchVersion",
                             "The requested version (%.*s) of service AmazonEC2 does not exist",
                             STR_ARG(str_slice(version, 0, 40)));
    if (!ec2_action_find(action, &request->action))
        return ec2_fault_set(fault, "InvalidAction",
                             "The action %.*s is not valid for this web service.",
                             STR_ARG(str_slice(action, 0, 100)));
    if (form_params_take(params, STR("DryRun"), &dry_run))
        request->dry_run = str_equal_nocase(dry_run, STR("true"));
    size_t kept = 0;
    for (size_t i = 0; i < params->count; i++)
        if (!str_starts_with(params->items[i].name, STR("X-Amz-")))
            params->items[kept++] = params->items[i];
    params->count = kept;
    return 0;
}

int ec2_request_decode(struct str body, struct arena *arena, struct ec2_request *ret_request,
                       struct ec2_fault *fault) {
    struct form_problem problem = {.trouble = FORM_OK};
    struct form_params params = {0};
    *fault = (struct ec2_fault){0};
    if (body.len > REQUEST_BYTES_MAX)
        return ec2_fault_set(fault, "RequestEntityTooLarge", "The request is too large");
    memset(ret_request, 0, sizeof *ret_request);
    if (!form_params_parse(body, arena, &params, &problem))
        return fault_from_problem(&problem, fault);
    if (take_common(&params, ret_request, fault) < 0)
        return -1;
    const struct call *call = call_of(ret_request->action);
    if (!fields_form_decode(call->in, &params, arena, request_params(call, ret_request), &problem))
        return fault_from_problem(&problem, fault);
    return 0;
}

uint64_t ec2_request_hash(const struct ec2_request *request) {
    struct ec2_request copy = *request;
    const struct call *call = call_of(request->action);
    const struct field *token = find_field(call->in, "ClientToken", NULL);
    if (token)
        *(struct str *)(void *)((char *)request_params(call, &copy) + token->offset) = STR_EMPTY;
    struct buf bytes;
    buf_init(&bytes, 16 * MIB);
    ec2_request_encode(&copy, &bytes);
    must(buf_ok(&bytes));
    uint64_t hash = str_hash(buf_str(&bytes));
    buf_deinit(&bytes);
    return hash;
}

/* --- replies --- */

void ec2_reply_encode(const struct ec2_reply *reply, struct buf *out) {
    const struct call *call = call_of(reply->action);
    buf_printf(out,
               "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
               "<%.*sResponse xmlns=\"" EC2_XMLNS "\">",
               STR_ARG(call->name));
    xml_add_element(out, "requestId", reply->request_id);
    fields_xml_encode(call->out, (const char *)reply + call->out_at, out);
    buf_printf(out, "</%.*sResponse>", STR_ARG(call->name));
}

/* Whether the document is `<NameResponse>`. */
static bool is_reply_of(const struct call *call, const struct xml_node *root) {
    return str_starts_with(root->name, call->name) &&
           str_equal(str_skip(root->name, call->name.len), STR("Response"));
}

int ec2_reply_decode(enum ec2_action action, struct str body, struct arena *arena,
                     struct ec2_reply *ret_reply, struct ec2_fault *ret_fault, struct err *err) {
    const struct call *call = call_of(action);
    struct xml_node *root = NULL;
    *ret_fault = (struct ec2_fault){0};
    if (body.len > REPLY_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "the reply has %zu bytes", body.len);
    TRY(xml_parse(body, arena, &root, err));
    if (fault_from_xml(200, root, ret_fault))
        return err_set(err, ERR_REMOTE, "%s: %s", ret_fault->code, ret_fault->message);
    if (!is_reply_of(call, root))
        return err_set(err, ERR_PROTOCOL, "a reply to %.*s, not <%.*s>", STR_ARG(call->name),
                       STR_ARG(str_slice(root->name, 0, 60)));
    struct ec2_reply *reply = arena_new(arena, sizeof *reply);
    reply->action = action;
    reply->request_id = xml_child_text(root, "requestId");
    TRY(fields_xml_decode(call->out, root, arena, (char *)reply + call->out_at, err));
    *ret_reply = *reply;
    return 0;
}
