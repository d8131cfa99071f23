/* A reply of a service: the first byte chooses the call.  What decodes must encode to a document
 * that decodes again to the same one. */
#include "fuzz.h"

#include "codec/ec2.h"
#include "codec/sts.h"

static void check_reply(enum ec2_action action, struct str body) {
    struct arena arena = {0};
    struct ec2_reply *a = mem_new(sizeof *a), *b = mem_new(sizeof *b);
    struct ec2_fault fault;
    struct err err = {0};
    struct buf first = BUF_INIT(64 * MIB), second = BUF_INIT(64 * MIB);
    if (ec2_reply_decode(action, body, &arena, a, &fault, &err) == 0) {
        ec2_reply_encode(a, &first);
        if (buf_ok(&first) && first.len < 4 * MIB) {
            must(ec2_reply_decode(action, buf_str(&first), &arena, b, &fault, NULL) == 0);
            ec2_reply_encode(b, &second);
            must(str_equal(buf_str(&first), buf_str(&second)));
        }
    } else {
        must(err.code != ERR_NONE);
    }
    buf_deinit(&first);
    buf_deinit(&second);
    mem_free(a);
    mem_free(b);
    arena_deinit(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena arena = {0};
    struct ec2_fault fault;
    struct sts_identity identity;
    if (size == 0)
        return 0;
    struct str body = {(const char *)data + 1, size - 1};
    check_reply((enum ec2_action)(data[0] % EC2_ACTION_COUNT), body);
    ignore(ec2_fault_decode(400, body, &fault, NULL));                  /* must not crash */
    ignore(sts_identity_decode(body, &arena, &identity, &fault, NULL)); /* must not crash */
    arena_deinit(&arena);
    return 0;
}
