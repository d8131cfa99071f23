#include <openssl/crypto.h>

#include "base/units.h"
#include "base/when.h"
#include "codec/form.h"
#include "codec/sigv4.h"
#include "codec/sigv4_parts.h"

/* --- the claim --- */

static struct str header_value(const struct sigv4_request *request, struct str name) {
    for (size_t i = 0; i < request->header_count; i++)
        if (str_equal_nocase(request->headers[i].name, name))
            return str_trim(request->headers[i].value);
    return STR_EMPTY;
}

/* Cut the part behind the last '/' off *text. */
static bool take_last(struct str *text, struct str *ret_part) {
    size_t at = text->len;
    while (at > 0 && text->ptr[at - 1] != '/')
        at--;
    if (at == 0)
        return false;
    *ret_part = str_skip(*text, at);
    *text = str_slice(*text, 0, at - 1);
    return ret_part->len > 0;
}

/* "AKID/20260102/us-east-1/ec2/aws4_request" */
static bool parse_credential(struct str text, struct sigv4_claim *claim) {
    struct str word;
    if (!take_last(&text, &word) || !str_equal(word, STR("aws4_request")))
        return false;
    if (!take_last(&text, &claim->service) || !take_last(&text, &claim->region) ||
        !take_last(&text, &claim->date))
        return false;
    claim->access_key = text;
    return text.len > 0;
}

static bool is_hex_hash(struct str text) {
    if (text.len != SIGV4_SIGNATURE_SIZE - 1)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return true;
}

/* Whether the parts found make a whole, and its stamp. */
static enum sigv4_verdict check_claim(struct sigv4_claim *claim, struct str credential,
                                      struct str stamp) {
    if (!parse_credential(credential, claim) || !is_hex_hash(claim->signature) ||
        claim->signed_headers.len == 0)
        return SIGV4_INCOMPLETE;
    if (stamp.len != 16 || when_parse(stamp, &claim->signed_unix_ms, NULL) < 0)
        return SIGV4_INCOMPLETE;
    if (!str_equal(str_slice(stamp, 0, 8), claim->date))
        return SIGV4_WRONG_SCOPE;
    return SIGV4_OK;
}

/* "AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=..." */
static enum sigv4_verdict claim_from_header(const struct sigv4_request *request,
                                            struct str authorization, struct sigv4_claim *claim) {
    if (!str_starts_with(authorization, STR(SIGV4_ALGORITHM)))
        return SIGV4_INCOMPLETE;
    struct str rest = str_skip(authorization, sizeof SIGV4_ALGORITHM - 1), part;
    struct str credential = STR_EMPTY;
    if (rest.len == 0 || (rest.ptr[0] != ' ' && rest.ptr[0] != '\t'))
        return SIGV4_INCOMPLETE;
    while (str_split(&rest, ',', &part)) {
        part = str_trim(part);
        size_t equals = str_index_of(part, '=');
        struct str name = str_slice(part, 0, equals), value = str_skip(part, equals + 1);
        if (str_equal(name, STR("Credential")))
            credential = value;
        else if (str_equal(name, STR("SignedHeaders")))
            claim->signed_headers = value;
        else if (str_equal(name, STR("Signature")))
            claim->signature = value;
        else
            return SIGV4_INCOMPLETE;
    }
    claim->session_token = header_value(request, STR("x-amz-security-token"));
    return check_claim(claim, credential, header_value(request, STR("x-amz-date")));
}

/* A decoded query value, kept in claim->decoded from *used on.  False when it does not fit. */
static bool keep_decoded(struct sigv4_claim *claim, size_t *used, struct str text,
                         struct str *ret) {
    struct buf bytes;
    buf_init(&bytes, text.len + 1);
    bool ok = form_decode(text, false, &bytes) && bytes.len < sizeof claim->decoded - *used;
    if (ok && bytes.len > 0)
        memcpy(claim->decoded + *used, bytes.ptr, bytes.len);
    if (ok) {
        *ret = (struct str){claim->decoded + *used, bytes.len};
        *used += bytes.len;
    }
    buf_deinit(&bytes);
    return ok;
}

static enum sigv4_verdict claim_from_query(const struct sigv4_request *request,
                                           struct sigv4_claim *claim) {
    struct str rest = request->query, name, value;
    struct str credential = STR_EMPTY, stamp = STR_EMPTY, expires = STR_EMPTY;
    struct str algorithm = STR_EMPTY;
    struct {
        struct str name;
        struct str *into;
    } wanted[] = {
        {STR("X-Amz-Algorithm"), &algorithm},
        {STR("X-Amz-Credential"), &credential},
        {STR("X-Amz-Date"), &stamp},
        {STR("X-Amz-Expires"), &expires},
        {STR("X-Amz-SignedHeaders"), &claim->signed_headers},
        {STR("X-Amz-Signature"), &claim->signature},
        {STR("X-Amz-Security-Token"), &claim->session_token},
    };
    size_t used = 0;
    while (form_next(&rest, &name, &value))
        for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
            if (str_equal(wanted[i].name, name) &&
                !keep_decoded(claim, &used, value, wanted[i].into))
                return SIGV4_INCOMPLETE;
    claim->presigned = true;
    if (!str_equal(algorithm, STR(SIGV4_ALGORITHM)))
        return SIGV4_INCOMPLETE;
    if (units_i64(expires, &claim->expires_s, NULL) < 0 || claim->expires_s < 1 ||
        claim->expires_s > SIGV4_EXPIRES_S_MAX)
        return SIGV4_INCOMPLETE;
    return check_claim(claim, credential, stamp);
}

enum sigv4_verdict sigv4_claim_parse(const struct sigv4_request *request,
                                     struct sigv4_claim *ret_claim) {
    must(request && ret_claim);
    memset(ret_claim, 0, sizeof *ret_claim);
    struct str authorization = header_value(request, STR("authorization"));
    if (authorization.len > 0)
        return claim_from_header(request, authorization, ret_claim);
    if (str_contains(request->query, STR("X-Amz-Signature=")))
        return claim_from_query(request, ret_claim);
    return SIGV4_MISSING;
}

/* --- the verdict --- */

/* The headers that the claim names, in its order.  False when one is not in the request, is
 * named twice or out of order; `ret_host` tells whether host is among them. */
static bool collect_signed(const struct sigv4_request *request, struct str signed_headers,
                           struct arena *arena, struct sigv4_names *names, bool *ret_host) {
    struct sigv4_names all = {.all = true};
    struct str rest = signed_headers, name;
    *ret_host = false;
    if (request->header_count > SIGV4_HEADERS_MAX ||
        sigv4_names_collect(request->headers, request->header_count, arena, &all, NULL) < 0)
        return false;
    size_t at = 0;
    while (str_split(&rest, ';', &name)) {
        while (at < all.count && str_compare(all.items[at].name, name) < 0)
            at++;
        if (at == all.count || !str_equal(all.items[at].name, name))
            return false;
        *ret_host = *ret_host || str_equal(name, STR("host"));
        names->items[names->count++] = all.items[at++];
    }
    return names->count > 0;
}

static enum sigv4_verdict check_time(const struct sigv4_claim *claim, int64_t now_unix_ms) {
    int64_t age_ms = now_unix_ms - claim->signed_unix_ms;
    if (age_ms < -SIGV4_CLOCK_SKEW_MS)
        return SIGV4_EXPIRED;
    int64_t limit_ms = claim->presigned ? claim->expires_s * 1000 : SIGV4_CLOCK_SKEW_MS;
    return age_ms > limit_ms ? SIGV4_EXPIRED : SIGV4_OK;
}

/* The hash that the client must have signed: that of the body, or the word that S3 allows. */
static struct str expected_hash(const struct sigv4_request *request, unsigned flags,
                                const char *body_hash) {
    struct str word = STR("UNSIGNED-PAYLOAD");
    bool allowed = flags & SIGV4_UNSIGNED_PAYLOAD;
    struct str given = header_value(request, STR("x-amz-content-sha256"));
    if (allowed && (given.len == 0 || str_equal(given, word)))
        return word;
    return str_from(body_hash);
}

static enum sigv4_verdict compare(const struct sigv4_request *request,
                                  const struct sigv4_claim *claim, struct str secret,
                                  const struct sigv4_names *names, unsigned flags) {
    char body_hash[SIGV4_SIGNATURE_SIZE];
    sigv4_sha256_hex(request->body, body_hash);
    struct sigv4_input input = {
        .method = request->method,
        .path = request->path,
        .query = request->query,
        .names = names,
        .payload_hash = expected_hash(request, flags, body_hash),
        .flags = flags,
    };
    struct sigv4_parts parts;
    sigv4_parts_init(&parts);
    sigv4_canonical(&input, &parts.canonical);
    struct buf stamp = BUF_INIT(32);
    when_add_basic(&stamp, claim->signed_unix_ms);
    bool same = false;
    if (buf_ok(&parts.canonical)) {
        sigv4_finish(&parts, buf_str(&stamp), claim->region, claim->service, secret);
        must(claim->signature.len == SIGV4_SIGNATURE_SIZE - 1);
        same = CRYPTO_memcmp(parts.signature, claim->signature.ptr, claim->signature.len) == 0;
    }
    buf_deinit(&stamp);
    sigv4_parts_deinit(&parts);
    return same ? SIGV4_OK : SIGV4_MISMATCH;
}

enum sigv4_verdict sigv4_verify(const struct sigv4_request *request,
                                const struct sigv4_claim *claim, struct str secret,
                                struct str region, int64_t now_unix_ms, unsigned flags) {
    must(request && claim && claim->signature.len == SIGV4_SIGNATURE_SIZE - 1);
    if (region.len > 0 && !str_equal(region, claim->region))
        return SIGV4_WRONG_SCOPE;
    enum sigv4_verdict verdict = check_time(claim, now_unix_ms);
    if (verdict != SIGV4_OK)
        return verdict;
    struct arena arena = {0};
    struct sigv4_names names = {.count = 0};
    bool host = false;
    bool found = collect_signed(request, claim->signed_headers, &arena, &names, &host);
    if (!found)
        verdict = SIGV4_MISMATCH;
    else if (!host)
        verdict = SIGV4_INCOMPLETE;
    else
        verdict = compare(request, claim, secret, &names, flags);
    arena_deinit(&arena);
    return verdict;
}
