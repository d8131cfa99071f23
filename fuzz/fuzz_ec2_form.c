/* A form body of a client: whatever decodes must encode and decode again to the same bytes. */
#include "fuzz.h"

#include "codec/ec2.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena arena = {0};
    struct ec2_request *a = mem_new(sizeof *a), *b = mem_new(sizeof *b);
    struct ec2_fault fault;
    struct buf first = BUF_INIT(64 * MIB), second = BUF_INIT(64 * MIB);
    if (ec2_request_decode((struct str){(const char *)data, size}, &arena, a, &fault) == 0) {
        must(fault.code[0] == '\0');
        ec2_request_encode(a, &first);
        must(buf_ok(&first));
        if (first.len <= MIB) { /* percent signs may have made it larger than a request may be */
            must(ec2_request_decode(buf_str(&first), &arena, b, &fault) == 0);
            ec2_request_encode(b, &second);
            must(str_equal(buf_str(&first), buf_str(&second)));
        }
    } else {
        must(fault.code[0] != '\0' && fault.http_status >= 400);
        ec2_fault_encode(&fault, STR("r"), &first);
    }
    buf_deinit(&first);
    buf_deinit(&second);
    mem_free(a);
    mem_free(b);
    arena_deinit(&arena);
    return 0;
}
