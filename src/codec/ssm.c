#include "codec/ssm.h"

#include <jansson.h>

#include "base/limits.h"

#define SSM_REQUEST_BYTES_MAX (64 * KIB)

static void json_free(json_t **own_json) {
    json_decref(*own_json);
}

struct str ssm_target(enum ssm_action action) {
    return action == SSM_GET_PARAMETER ? STR(SSM_TARGET_PREFIX "GetParameter")
                                       : STR(SSM_TARGET_PREFIX "GetParameters");
}

/* --- JSON, in and out --- */

static int json_parse(struct str body, size_t max, json_t **ret_root, struct err *err) {
    json_error_t where;
    if (body.len > max)
        return err_set(err, ERR_LIMIT, "JSON of %zu bytes", body.len);
    json_t *root = json_loadb(body.ptr ? body.ptr : "", body.len, JSON_REJECT_DUPLICATES, &where);
    if (!root)
        return err_set(err, ERR_PROTOCOL, "JSON: line %d: %s", where.line, where.text);
    if (!json_is_object(root)) {
        json_decref(root);
        return err_set(err, ERR_PROTOCOL, "JSON: not an object");
    }
    *ret_root = root;
    return 0;
}

static struct str json_text(const json_t *value, struct arena *arena) {
    if (!json_is_string(value))
        return STR_EMPTY;
    struct str text = {json_string_value(value), json_string_length(value)};
    return arena_str(arena, text);
}

/* Bytes that are no UTF-8 cannot be in JSON: they become empty text. */
static json_t *json_str(struct str text) {
    json_t *value = json_stringn(text.ptr ? text.ptr : "", text.len);
    return value ? value : json_string("");
}

static int add_dump(const char *bytes, size_t size, void *user) {
    buf_add(user, bytes, size);
    return 0;
}

/* Append the text of `own_root` and let it go. */
static void json_finish(json_t *own_root, struct buf *out) {
    must(own_root);
    must(json_dump_callback(own_root, add_dump, out, JSON_COMPACT) == 0);
    json_decref(own_root);
}

/* A list of strings; false when it is none, or holds something else. */
static bool json_texts(const json_t *array, struct arena *arena, struct ec2_strs *ret) {
    if (!json_is_array(array))
        return false;
    size_t count = json_array_size(array);
    struct ec2_strs texts = {arena_new_array(arena, count + 1, sizeof *texts.items), count};
    for (size_t i = 0; i < count; i++) {
        if (!json_is_string(json_array_get(array, i)))
            return false;
        texts.items[i] = json_text(json_array_get(array, i), arena);
    }
    *ret = texts;
    return true;
}

/* --- requests --- */

void ssm_request_encode(const struct ssm_request *request, struct buf *out) {
    json_t *root = json_object();
    if (request->action == SSM_GET_PARAMETER) {
        must(request->names.count == 1);
        json_object_set_new(root, "Name", json_str(request->names.items[0]));
    } else {
        json_t *names = json_array();
        for (size_t i = 0; i < request->names.count; i++)
            json_array_append_new(names, json_str(request->names.items[i]));
        json_object_set_new(root, "Names", names);
    }
    if (request->with_decryption)
        json_object_set_new(root, "WithDecryption", json_true());
    json_finish(root, out);
}

static bool request_names(const json_t *root, struct arena *arena, struct ssm_request *request) {
    if (request->action == SSM_GET_PARAMETERS)
        return json_texts(json_object_get(root, "Names"), arena, &request->names) &&
               request->names.count >= 1 && request->names.count <= SSM_NAMES_MAX;
    struct str name = json_text(json_object_get(root, "Name"), arena);
    request->names = (struct ec2_strs){arena_new(arena, sizeof name), 1};
    request->names.items[0] = name;
    return name.len > 0;
}

int ssm_request_decode(struct str target, struct str body, struct arena *arena,
                       struct ssm_request *ret_request, struct ec2_fault *fault) {
    struct ssm_request request = {.action = SSM_GET_PARAMETER};
    struct err err = {0};
    CLEANUP(json_free) json_t *root = NULL;
    *fault = (struct ec2_fault){0};
    if (str_equal(target, ssm_target(SSM_GET_PARAMETERS)))
        request.action = SSM_GET_PARAMETERS;
    else if (!str_equal(target, ssm_target(SSM_GET_PARAMETER)))
        return ec2_fault_set(fault, "UnknownOperationException", "%.*s is not known",
                             STR_ARG(str_slice(target, 0, 100)));
    if (json_parse(body, SSM_REQUEST_BYTES_MAX, &root, &err) < 0)
        return ec2_fault_set(fault, "SerializationException", "%s", err.text);
    if (!request_names(root, arena, &request))
        return ec2_fault_set(fault, "ValidationException",
                             "1 validation error detected: the names are missing or wrong");
    request.with_decryption = json_is_true(json_object_get(root, "WithDecryption"));
    *ret_request = request;
    return 0;
}

/* --- replies --- */

static json_t *parameter_json(const struct ssm_parameter *p) {
    json_t *root = json_object();
    json_object_set_new(root, "Name", json_str(p->name));
    json_object_set_new(root, "Type", json_str(p->type));
    json_object_set_new(root, "Value", json_str(p->value));
    json_object_set_new(root, "Version", json_integer(p->version));
    json_object_set_new(root, "LastModifiedDate", json_real((double)p->modified_unix_ms / 1000.0));
    if (p->arn.ptr)
        json_object_set_new(root, "ARN", json_str(p->arn));
    if (p->data_type.ptr)
        json_object_set_new(root, "DataType", json_str(p->data_type));
    return root;
}

void ssm_reply_encode(const struct ssm_reply *reply, struct buf *out) {
    json_t *root = json_object();
    if (reply->action == SSM_GET_PARAMETER) {
        must(reply->parameters.count == 1);
        json_object_set_new(root, "Parameter", parameter_json(&reply->parameters.items[0]));
        json_finish(root, out);
        return;
    }
    json_t *parameters = json_array(), *invalid = json_array();
    for (size_t i = 0; i < reply->parameters.count; i++)
        json_array_append_new(parameters, parameter_json(&reply->parameters.items[i]));
    for (size_t i = 0; i < reply->invalid.count; i++)
        json_array_append_new(invalid, json_str(reply->invalid.items[i]));
    json_object_set_new(root, "Parameters", parameters);
    json_object_set_new(root, "InvalidParameters", invalid);
    json_finish(root, out);
}

static int parameter_parse(const json_t *json, struct arena *arena, struct ssm_parameter *ret,
                           struct err *err) {
    *ret = (struct ssm_parameter){
        .name = json_text(json_object_get(json, "Name"), arena),
        .type = json_text(json_object_get(json, "Type"), arena),
        .value = json_text(json_object_get(json, "Value"), arena),
        .arn = json_text(json_object_get(json, "ARN"), arena),
        .data_type = json_text(json_object_get(json, "DataType"), arena),
        .version = json_integer_value(json_object_get(json, "Version")),
    };
    double modified_s = json_number_value(json_object_get(json, "LastModifiedDate"));
    if (modified_s > 0 && modified_s < 1e12)
        ret->modified_unix_ms = (int64_t)(modified_s * 1000.0 + 0.5);
    if (!ret->name.ptr || !ret->value.ptr)
        return err_set(err, ERR_PROTOCOL, "a parameter without name or value");
    return 0;
}

int ssm_reply_decode(enum ssm_action action, struct str body, struct arena *arena,
                     struct ssm_reply *ret_reply, struct err *err) {
    CLEANUP(json_free) json_t *root = NULL;
    struct ssm_reply reply = {.action = action};
    TRY(json_parse(body, REPLY_BYTES_MAX, &root, err));
    const json_t *list = json_object_get(root, "Parameters");
    size_t count = action == SSM_GET_PARAMETER ? 1 : json_array_size(list);
    reply.parameters.items = arena_new_array(arena, count + 1, sizeof *reply.parameters.items);
    reply.parameters.count = count;
    for (size_t i = 0; i < count; i++) {
        const json_t *one = action == SSM_GET_PARAMETER ? json_object_get(root, "Parameter")
                                                        : json_array_get(list, i);
        TRY(parameter_parse(one, arena, &reply.parameters.items[i], err));
    }
    const json_t *invalid = json_object_get(root, "InvalidParameters");
    if (action == SSM_GET_PARAMETERS && !json_is_array(list))
        return err_set(err, ERR_PROTOCOL, "a reply without Parameters");
    if (invalid && !json_texts(invalid, arena, &reply.invalid))
        return err_set(err, ERR_PROTOCOL, "InvalidParameters is no list of names");
    *ret_reply = reply;
    return 0;
}

/* --- faults --- */

void ssm_fault_encode(const struct ec2_fault *fault, struct buf *out) {
    json_t *root = json_object();
    json_object_set_new(root, "__type", json_str(str_from(fault->code)));
    json_object_set_new(root, "message", json_str(str_from(fault->message)));
    json_finish(root, out);
}

int ssm_fault_decode(unsigned http_status, struct str body, struct ec2_fault *ret_fault,
                     struct err *err) {
    CLEANUP(json_free) json_t *root = NULL;
    *ret_fault = (struct ec2_fault){.http_status = http_status};
    TRY(json_parse(body, SSM_REQUEST_BYTES_MAX, &root, err));
    const char *type = json_string_value(json_object_get(root, "__type"));
    if (!type)
        return err_set(err, ERR_PROTOCOL, "HTTP %u with a body that is no error", http_status);
    struct str code = str_from(type);
    size_t hash = str_index_of(code, '#'); /* "com.amazonaws.ssm#ParameterNotFound" */
    const char *message = json_string_value(json_object_get(root, "message"));
    if (!message)
        message = json_string_value(json_object_get(root, "Message"));
    if (hash < code.len)
        code = str_skip(code, hash + 1);
    ignore(str_copy(ret_fault->code, sizeof ret_fault->code, code)); /* cut is fine: for people */
    ignore(str_copy(ret_fault->message, sizeof ret_fault->message, str_from(message)));
    return 0;
}
