#include "unit.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../fuzz/raw_request.h"
#include "base/when.h"
#include "codec/sigv4.h"

#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define OWN_VECTORS "test/vectors/sigv4"

static struct str read_text(const char *path, struct arena *arena) {
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("cannot open %s", path);
    char *text = arena_new(arena, 64 * KIB);
    size_t size = fread(text, 1, 64 * KIB - 1, file);
    fclose(file);
    return (struct str){text, size};
}

static struct str read_part(const char *dir, const char *name, struct arena *arena) {
    return read_text(arena_printf(arena, "%s/%s", dir, name), arena);
}

/* --- vectors of our own: signed requests as they are on the wire --- */

static unsigned flags_of(const char *name) {
    unsigned flags = 0;
    if (strstr(name, "s3-"))
        flags |= SIGV4_S3;
    if (strstr(name, "unsigned"))
        flags |= SIGV4_UNSIGNED_PAYLOAD;
    return flags;
}

/* Sign again what was signed, without its signature. */
static void check_signing(struct raw_request *raw, const struct sigv4_claim *claim,
                          unsigned flags) {
    struct sigv4_signer signer = {
        .access_key = claim->access_key,
        .secret_key = STR(SECRET),
        .session_token = claim->session_token,
        .region = claim->region,
        .service = claim->service,
        .unix_ms = claim->signed_unix_ms,
        .flags = flags,
    };
    if (raw_request_value(raw, "x-amz-content-sha256").len > 0)
        signer.flags |= SIGV4_CONTENT_SHA256;
    struct str authorization = raw_request_value(raw, "authorization");
    const char *added[] = {"x-amz-date", "x-amz-security-token", "x-amz-content-sha256",
                           "authorization"};
    for (size_t i = 0; i < ARRAY_LEN(added); i++)
        raw_request_drop(raw, added[i]);
    struct sigv4_parts parts;
    struct buf headers = BUF_INIT(8000);
    sigv4_parts_init(&parts);
    assert_int_equal(sigv4_sign(&raw->request, &signer, &headers, &parts, NULL), 0);
    assert_true(str_equal(claim->signature, str_from(parts.signature)));
    struct buf line = BUF_INIT(4000);
    buf_printf(&line, "Authorization: %.*s\r\n", STR_ARG(authorization));
    assert_true(str_ends_with(buf_str(&headers), buf_str(&line)));
    buf_deinit(&line);
    buf_deinit(&headers);
    sigv4_parts_deinit(&parts);
}

static void check_own_vector(const char *name, struct str text) {
    struct raw_request raw;
    struct sigv4_claim claim;
    unsigned flags = flags_of(name);
    raw_request_parse(text, &raw);
    assert_int_equal(sigv4_claim_parse(&raw.request, &claim), SIGV4_OK);
    int64_t at = claim.signed_unix_ms, minute = 60 * 1000;
    struct str none = STR_EMPTY;
#define VERIFY(secret, region, now) sigv4_verify(&raw.request, &claim, secret, region, now, flags)
    assert_int_equal(VERIFY(STR(SECRET), none, at), SIGV4_OK);
    assert_int_equal(VERIFY(STR(SECRET), claim.region, at + 14 * minute), SIGV4_OK);
    assert_int_equal(VERIFY(STR(SECRET), none, at - 14 * minute), SIGV4_OK);
    assert_int_equal(VERIFY(STR(SECRET), none, at + 16 * minute), SIGV4_EXPIRED);
    assert_int_equal(VERIFY(STR(SECRET), none, at - 16 * minute), SIGV4_EXPIRED);
    assert_int_equal(VERIFY(STR(SECRET), STR("mars-1"), at), SIGV4_WRONG_SCOPE);
    assert_int_equal(VERIFY(STR("another"), none, at), SIGV4_MISMATCH);
    struct sigv4_request kept = raw.request;
    raw.request.body = STR("changed");
    bool unsigned_body = flags & SIGV4_UNSIGNED_PAYLOAD;
    assert_int_equal(VERIFY(STR(SECRET), none, at), unsigned_body ? SIGV4_OK : SIGV4_MISMATCH);
    raw.request = kept;
    raw.request.method = STR("DELETE");
    assert_int_equal(VERIFY(STR(SECRET), none, at), SIGV4_MISMATCH);
    raw.request = kept;
    raw.request.path = STR("/other");
    assert_int_equal(VERIFY(STR(SECRET), none, at), SIGV4_MISMATCH);
    raw.request = kept;
    raw_request_drop(&raw, "host");
    assert_int_equal(VERIFY(STR(SECRET), none, at), SIGV4_MISMATCH);
#undef VERIFY
    raw_request_parse(text, &raw);
    if (!claim.presigned)
        check_signing(&raw, &claim, flags);
}

static void own_vectors_verify_and_sign_again_alike(void **state UNUSED) {
    DIR *dir = opendir(OWN_VECTORS);
    assert_non_null(dir);
    unsigned count = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (!str_ends_with(str_from(entry->d_name), STR(".http")))
            continue;
        struct arena arena = {0};
        check_own_vector(entry->d_name, read_part(OWN_VECTORS, entry->d_name, &arena));
        arena_deinit(&arena);
        count++;
    }
    closedir(dir);
    assert_true(count >= 9);
}

/* --- the published suite --- */

static const char *shared(const char *what, struct arena *arena) {
    const char *root = getenv("DAYFLY_SHARED_DATA");
    char *path = arena_printf(arena, "%s/sigv4-vectors/%s", root ? root : "", what);
    FILE *file = root ? fopen(path, "rb") : NULL;
    if (!file) {
        print_message("skipped: DAYFLY_SHARED_DATA has no sigv4-vectors/%s\n", what);
        skip();
    }
    fclose(file);
    return path;
}

struct suite_case {
    struct raw_request raw;
    struct sigv4_signer signer;
    json_t *context;
    bool sign_body;
};

static struct str json_member(const json_t *object, const char *key) {
    return str_from(json_string_value(json_object_get(object, key)));
}

static void suite_case_load(struct suite_case *c, const char *dir, struct arena *arena) {
    c->context = json_load_file(arena_printf(arena, "%s/context.json", dir), 0, NULL);
    assert_non_null(c->context);
    const json_t *keys = json_object_get(c->context, "credentials");
    raw_request_parse(read_part(dir, "request.txt", arena), &c->raw);
    c->sign_body = json_is_true(json_object_get(c->context, "sign_body"));
    c->signer = (struct sigv4_signer){
        .access_key = json_member(keys, "access_key_id"),
        .secret_key = json_member(keys, "secret_access_key"),
        .session_token = json_member(keys, "token"),
        .region = json_member(c->context, "region"),
        .service = json_member(c->context, "service"),
        .expires_s = json_integer_value(json_object_get(c->context, "expiration_in_seconds")),
    };
    assert_int_equal(when_parse(json_member(c->context, "timestamp"), &c->signer.unix_ms, NULL), 0);
    if (json_is_false(json_object_get(c->context, "normalize")))
        c->signer.flags |= SIGV4_NO_NORMALIZE;
    if (json_is_true(json_object_get(c->context, "omit_session_token")))
        c->signer.flags |= SIGV4_OMIT_TOKEN;
}

static void expect_part(const char *dir, const char *name, struct str got, struct arena *arena) {
    struct str wanted = read_part(dir, name, arena);
    if (!str_equal(str_trim(wanted), str_trim(got)))
        fail_msg("%s/%s:\n%.*s\nbut it is\n%.*s", dir, name, STR_ARG(wanted), STR_ARG(got));
}

static void check_suite_case(const char *dir, bool query) {
    struct arena arena = {0};
    struct suite_case c;
    struct sigv4_parts parts;
    struct buf out = BUF_INIT(16 * KIB);
    suite_case_load(&c, dir, &arena);
    sigv4_parts_init(&parts);
    if (!query && c.sign_body)
        c.signer.flags |= SIGV4_CONTENT_SHA256;
    const char *kind = query ? "query" : "header";
    int result = query ? sigv4_presign(&c.raw.request, &c.signer, &out, &parts, NULL)
                       : sigv4_sign(&c.raw.request, &c.signer, &out, &parts, NULL);
    assert_int_equal(result, 0);
    expect_part(dir, arena_printf(&arena, "%s-canonical-request.txt", kind),
                buf_str(&parts.canonical), &arena);
    expect_part(dir, arena_printf(&arena, "%s-string-to-sign.txt", kind),
                buf_str(&parts.string_to_sign), &arena);
    expect_part(dir, arena_printf(&arena, "%s-signature.txt", kind), str_from(parts.signature),
                &arena);
    json_decref(c.context);
    sigv4_parts_deinit(&parts);
    buf_deinit(&out);
    arena_deinit(&arena);
}

static unsigned check_suite(const char *root, bool query) {
    unsigned count = 0;
    DIR *dir = opendir(root);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", root, entry->d_name);
        check_suite_case(path, query);
        count++;
    }
    closedir(dir);
    return count;
}

static void the_published_suite_is_met_in_header_form(void **state UNUSED) {
    struct arena arena = {0};
    assert_int_equal(check_suite(shared("aws-c-auth-v4", &arena), false), 38);
    arena_deinit(&arena);
}

static void the_published_suite_is_met_in_query_form(void **state UNUSED) {
    struct arena arena = {0};
    assert_int_equal(check_suite(shared("aws-c-auth-v4", &arena), true), 38);
    arena_deinit(&arena);
}

/* --- signatures made by botocore --- */

static size_t json_headers(const json_t *object, struct sigv4_header *into) {
    size_t count = 0;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) into[count++] =
        (struct sigv4_header){str_from(key), str_from(json_string_value(value))};
    return count;
}

/* "https://host/path?query" */
static void cut_url(struct str url, struct str *host, struct str *path, struct str *query) {
    struct str rest = str_skip(url, str_index_of_str(url, STR("://")) + 3);
    size_t slash = str_index_of(rest, '/');
    *host = str_slice(rest, 0, slash);
    rest = str_skip(rest, slash);
    size_t mark = str_index_of(rest, '?');
    *path = str_slice(rest, 0, mark);
    *query = str_skip(rest, mark + 1);
}

static void check_botocore_case(const json_t *one) {
    struct sigv4_header headers[SIGV4_HEADERS_MAX];
    struct sigv4_claim claim;
    struct sigv4_request request = {.headers = headers};
    struct str host;
    request.method = json_member(one, "method");
    request.body = json_member(one, "body");
    cut_url(json_member(one, "url_out"), &host, &request.path, &request.query);
    request.header_count = json_headers(json_object_get(one, "headers_out"), headers);
    headers[request.header_count++] = (struct sigv4_header){STR("Host"), host};
    unsigned flags = 0;
    if (str_equal(json_member(one, "service"), STR("s3")))
        flags = SIGV4_S3;
    if (str_contains(json_member(one, "canonical_request"), STR("UNSIGNED-PAYLOAD")))
        flags |= SIGV4_UNSIGNED_PAYLOAD;
    enum sigv4_verdict verdict = sigv4_claim_parse(&request, &claim);
    if (verdict == SIGV4_OK)
        verdict = sigv4_verify(&request, &claim, json_member(one, "secret_key"),
                               json_member(one, "region"), claim.signed_unix_ms, flags);
    if (verdict != SIGV4_OK)
        fail_msg("%s: verdict %d", json_string_value(json_object_get(one, "name")), verdict);
}

static void signatures_made_by_botocore_verify(void **state UNUSED) {
    struct arena arena = {0};
    json_t *root = json_load_file(shared("botocore-generated.json", &arena), 0, NULL);
    assert_non_null(root);
    const json_t *cases = json_object_get(root, "cases");
    assert_int_equal(json_array_size(cases), 12);
    for (size_t i = 0; i < json_array_size(cases); i++)
        check_botocore_case(json_array_get(cases, i));
    json_decref(root);
    arena_deinit(&arena);
}

/* --- claims that are none --- */

static enum sigv4_verdict claim_of(const char *authorization, const char *date) {
    struct sigv4_header headers[] = {{STR("Host"), STR("h")},
                                     {STR("Authorization"), str_from(authorization)},
                                     {STR("X-Amz-Date"), str_from(date)}};
    struct sigv4_request request = {
        .method = STR("POST"), .path = STR("/"), .headers = headers, .header_count = 3};
    struct sigv4_claim claim;
    return sigv4_claim_parse(&request, &claim);
}

#define CREDENTIAL "Credential=AK/20260102/us-east-1/ec2/aws4_request"
#define HASH "Signature=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void malformed_claims_are_incomplete(void **state UNUSED) {
    const char *date = "20260102T030405Z";
    assert_int_equal(claim_of("AWS4-HMAC-SHA256 " CREDENTIAL ", SignedHeaders=host, " HASH, date),
                     SIGV4_OK);
    assert_int_equal(claim_of("AWS4-HMAC-SHA256 " CREDENTIAL ",SignedHeaders=host," HASH, date),
                     SIGV4_OK);
    const char *bad[] = {
        "Bearer x",
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256X " CREDENTIAL ", SignedHeaders=host, " HASH,
        "AWS4-HMAC-SHA256 " CREDENTIAL ", SignedHeaders=host",
        "AWS4-HMAC-SHA256 " CREDENTIAL ", SignedHeaders=, " HASH,
        "AWS4-HMAC-SHA256 SignedHeaders=host, " HASH,
        "AWS4-HMAC-SHA256 Credential=AK/20260102/us-east-1/aws4_request, SignedHeaders=host, " HASH,
        "AWS4-HMAC-SHA256 Credential=/20260102/us-east-1/ec2/aws4_request, SignedHeaders=h, " HASH,
        "AWS4-HMAC-SHA256 " CREDENTIAL ", SignedHeaders=host, Signature=xyz",
        "AWS4-HMAC-SHA256 " CREDENTIAL ", SignedHeaders=host, More=1, " HASH,
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(claim_of(bad[i], date), SIGV4_INCOMPLETE);
    const char *good = "AWS4-HMAC-SHA256 " CREDENTIAL ", SignedHeaders=host, " HASH;
    assert_int_equal(claim_of(good, "yesterday"), SIGV4_INCOMPLETE);
    assert_int_equal(claim_of(good, ""), SIGV4_INCOMPLETE);
    assert_int_equal(claim_of(good, "20260103T030405Z"), SIGV4_WRONG_SCOPE);
    assert_int_equal(claim_of("", date), SIGV4_MISSING);
}

static void a_signature_that_leaves_out_the_host_is_incomplete(void **state UNUSED) {
    struct sigv4_header headers[] = {
        {STR("Host"), STR("h")},
        {STR("Authorization"),
         STR("AWS4-HMAC-SHA256 " CREDENTIAL ", SignedHeaders=x-amz-date, " HASH)},
        {STR("X-Amz-Date"), STR("20260102T030405Z")}};
    struct sigv4_request request = {
        .method = STR("POST"), .path = STR("/"), .headers = headers, .header_count = 3};
    struct sigv4_claim claim;
    assert_int_equal(sigv4_claim_parse(&request, &claim), SIGV4_OK);
    assert_int_equal(
        sigv4_verify(&request, &claim, STR(SECRET), STR_EMPTY, claim.signed_unix_ms, 0),
        SIGV4_INCOMPLETE);
}

static void a_presigned_url_of_ours_verifies_until_its_end(void **state UNUSED) {
    struct sigv4_header host = {STR("Host"), STR("example.com")};
    struct sigv4_request request = {.method = STR("GET"),
                                    .path = STR("/a"),
                                    .query = STR("b=1"),
                                    .headers = &host,
                                    .header_count = 1};
    struct sigv4_signer signer = {.access_key = STR("AK"),
                                  .secret_key = STR(SECRET),
                                  .session_token = STR("t/+="),
                                  .region = STR("r"),
                                  .service = STR("s"),
                                  .unix_ms = 1795190883000,
                                  .expires_s = 100};
    struct buf query = BUF_INIT(4000);
    struct sigv4_parts parts;
    sigv4_parts_init(&parts);
    assert_int_equal(sigv4_presign(&request, &signer, &query, &parts, NULL), 0);
    sigv4_parts_deinit(&parts);
    request.query = buf_str(&query);
    struct sigv4_claim claim;
    assert_int_equal(sigv4_claim_parse(&request, &claim), SIGV4_OK);
    assert_true(claim.presigned && claim.expires_s == 100);
    assert_true(str_equal(claim.session_token, STR("t/+=")));
    int64_t at = signer.unix_ms;
    assert_int_equal(sigv4_verify(&request, &claim, STR(SECRET), STR("r"), at + 100000, 0),
                     SIGV4_OK);
    assert_int_equal(sigv4_verify(&request, &claim, STR(SECRET), STR("r"), at + 100001, 0),
                     SIGV4_EXPIRED);
    buf_deinit(&query);
}

UNIT_MAIN(T(own_vectors_verify_and_sign_again_alike), T(the_published_suite_is_met_in_header_form),
          T(the_published_suite_is_met_in_query_form), T(signatures_made_by_botocore_verify),
          T(malformed_claims_are_incomplete), T(a_signature_that_leaves_out_the_host_is_incomplete),
          T(a_presigned_url_of_ours_verifies_until_its_end))
