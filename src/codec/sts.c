#include "codec/sts.h"

#include "base/limits.h"
#include "codec/form.h"
#include "codec/xml.h"

#define STS_XMLNS "https://sts.amazonaws.com/doc/2011-06-15/"

void sts_get_caller_identity_encode(struct buf *out) {
    form_add(out, STR("Action"), STR("GetCallerIdentity"));
    form_add(out, STR("Version"), STR(STS_VERSION));
}

int sts_get_caller_identity_decode(struct str body, struct ec2_fault *fault) {
    struct str name, value, action = STR_EMPTY;
    *fault = (struct ec2_fault){0};
    while (form_next(&body, &name, &value))
        if (str_equal(name, STR("Action")))
            action = value;
    if (action.len == 0)
        return ec2_fault_set(fault, "MissingAction",
                             "The request must contain the parameter Action");
    if (!str_equal(action, STR("GetCallerIdentity")))
        return ec2_fault_set(fault, "InvalidAction",
                             "Could not find operation %.*s for version " STS_VERSION,
                             STR_ARG(str_slice(action, 0, 100)));
    return 0;
}

void sts_identity_encode(const struct sts_identity *identity, struct str request_id,
                         struct buf *out) {
    buf_add_text(out, "<GetCallerIdentityResponse xmlns=\"" STS_XMLNS "\">"
                      "<GetCallerIdentityResult>");
    xml_add_element(out, "Arn", identity->arn);
    xml_add_element(out, "UserId", identity->user_id);
    xml_add_element(out, "Account", identity->account);
    buf_add_text(out, "</GetCallerIdentityResult><ResponseMetadata>");
    xml_add_element(out, "RequestId", request_id);
    buf_add_text(out, "</ResponseMetadata></GetCallerIdentityResponse>");
}

int sts_identity_decode(struct str body, struct arena *arena, struct sts_identity *ret_identity,
                        struct ec2_fault *ret_fault, struct err *err) {
    struct xml_node *root = NULL;
    *ret_fault = (struct ec2_fault){0};
    if (body.len > REPLY_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "the reply has %zu bytes", body.len);
    TRY(xml_parse(body, arena, &root, err));
    const struct xml_node *result = xml_child(root, "GetCallerIdentityResult");
    if (!str_equal(root->name, STR("GetCallerIdentityResponse")) || !result) {
        if (ec2_fault_decode(200, body, ret_fault, NULL) == 0)
            return err_set(err, ERR_REMOTE, "%s: %s", ret_fault->code, ret_fault->message);
        return err_set(err, ERR_PROTOCOL, "not a reply to GetCallerIdentity");
    }
    ret_identity->arn = xml_child_text(result, "Arn");
    ret_identity->user_id = xml_child_text(result, "UserId");
    ret_identity->account = xml_child_text(result, "Account");
    return 0;
}

void sts_fault_encode(const struct ec2_fault *fault, struct str request_id, struct buf *out) {
    buf_add_text(out, "<ErrorResponse xmlns=\"" STS_XMLNS "\"><Error>");
    xml_add_element(out, "Type", fault->http_status >= 500 ? STR("Receiver") : STR("Sender"));
    xml_add_element(out, "Code", str_from(fault->code));
    xml_add_element(out, "Message", str_from(fault->message));
    buf_add_text(out, "</Error>");
    xml_add_element(out, "RequestId", request_id);
    buf_add_text(out, "</ErrorResponse>");
}
