/* A raw HTTP request: reading its claim and verifying it never crash, and nothing verifies under
 * two different secrets.  What we sign ourselves verifies. */
#include "fuzz.h"

#include "codec/sigv4.h"
#include "raw_request.h"

#define NOW_UNIX_MS 1795190883000

static void check_claim(const struct sigv4_request *request) {
    struct sigv4_claim claim;
    if (sigv4_claim_parse(request, &claim) != SIGV4_OK)
        return;
    struct str secrets[] = {STR("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), STR("another")};
    unsigned ok = 0;
    for (size_t i = 0; i < ARRAY_LEN(secrets); i++)
        for (unsigned flags = 0; flags < 4; flags += SIGV4_S3)
            if (sigv4_verify(request, &claim, secrets[i], STR_EMPTY, claim.signed_unix_ms, flags) ==
                SIGV4_OK)
                ok |= 1u << i;
    must(ok != 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct raw_request raw;
    raw_request_parse((struct str){(const char *)data, size}, &raw);
    check_claim(&raw.request);
    const char *added[] = {"x-amz-date", "x-amz-security-token", "authorization"};
    for (size_t i = 0; i < ARRAY_LEN(added); i++)
        raw_request_drop(&raw, added[i]);
    struct sigv4_signer signer = {.access_key = STR("AK"),
                                  .secret_key = STR("SK"),
                                  .region = STR("r"),
                                  .service = STR("s"),
                                  .unix_ms = NOW_UNIX_MS};
    struct buf headers = BUF_INIT(MIB);
    struct sigv4_parts parts;
    sigv4_parts_init(&parts);
    ignore(sigv4_sign(&raw.request, &signer, &headers, &parts, NULL)); /* too large is fine */
    sigv4_parts_deinit(&parts);
    buf_deinit(&headers);
    return 0;
}
