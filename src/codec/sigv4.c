#include "codec/sigv4.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/when.h"
#include "codec/form.h"
#include "codec/sigv4_parts.h"

#define PARTS_BYTES_MAX (256 * KIB) /* far more than the header limits of any server */
#define STAMP_SIZE 17               /* "20260102T030405Z" and NUL */

void sigv4_parts_init(struct sigv4_parts *parts) {
    buf_init(&parts->canonical, PARTS_BYTES_MAX);
    buf_init(&parts->string_to_sign, PARTS_BYTES_MAX);
    buf_init(&parts->signed_headers, PARTS_BYTES_MAX);
    parts->signature[0] = '\0';
}

void sigv4_parts_deinit(struct sigv4_parts *parts) {
    buf_deinit(&parts->canonical);
    buf_deinit(&parts->string_to_sign);
    buf_deinit(&parts->signed_headers);
}

void sigv4_sha256_hex(struct str bytes, char ret_hex[SIGV4_SIGNATURE_SIZE]) {
    uint8_t hash[SHA256_DIGEST_LENGTH];
    SHA256((const uint8_t *)(bytes.ptr ? bytes.ptr : ""), bytes.len, hash);
    hex_write(hash, sizeof hash, ret_hex);
}

/* --- headers --- */

/* What proxies and clients change on the way, and the signature itself. */
static bool is_never_signed(struct str name) {
    static const struct str names[] = {
        STR_INIT("authorization"),
        STR_INIT("connection"),
        STR_INIT("expect"),
        STR_INIT("keep-alive"),
        STR_INIT("proxy-authenticate"),
        STR_INIT("proxy-authorization"),
        STR_INIT("te"),
        STR_INIT("trailer"),
        STR_INIT("transfer-encoding"),
        STR_INIT("upgrade"),
        STR_INIT("user-agent"),
        STR_INIT("x-amzn-trace-id"),
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_equal_nocase(names[i], name))
            return true;
    return false;
}

static struct str lower(struct arena *arena, struct str name) {
    char *text = arena_text(arena, name);
    for (size_t i = 0; i < name.len; i++)
        if (text[i] >= 'A' && text[i] <= 'Z')
            text[i] = (char)(text[i] - 'A' + 'a');
    return (struct str){text, name.len};
}

/* Ends trimmed, inner runs of blanks and folded lines become one blank. */
static struct str squeeze(struct arena *arena, struct str value) {
    value = str_trim(value);
    char *text = arena_text(arena, value);
    size_t len = 0;
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
        if (blank && len > 0 && text[len - 1] == ' ')
            continue;
        text[len++] = blank ? ' ' : c;
    }
    return (struct str){text, len};
}

/* Insert in order of name; a name that is there gets ",value" appended. */
static void names_insert(struct sigv4_names *names, struct arena *arena, struct str name,
                         struct str value) {
    size_t at = 0;
    while (at < names->count && str_compare(names->items[at].name, name) < 0)
        at++;
    if (at < names->count && str_equal(names->items[at].name, name)) {
        struct str *there = &names->items[at].value;
        *there = str_from(arena_printf(arena, "%.*s,%.*s", STR_ARG(*there), STR_ARG(value)));
        return;
    }
    for (size_t i = names->count; i > at; i--)
        names->items[i] = names->items[i - 1];
    names->items[at] = (struct sigv4_header){name, value};
    names->count++;
}

int sigv4_names_collect(const struct sigv4_header *headers, size_t count, struct arena *arena,
                        struct sigv4_names *names, struct err *err) {
    for (size_t i = 0; i < count; i++) {
        if (!names->all && is_never_signed(headers[i].name))
            continue;
        if (names->count == SIGV4_HEADERS_MAX)
            return err_set(err, ERR_LIMIT, "more than %d headers", SIGV4_HEADERS_MAX);
        names_insert(names, arena, lower(arena, headers[i].name), squeeze(arena, headers[i].value));
    }
    return 0;
}

/* --- the canonical request --- */

/* Drop empty parts and ".", let ".." take away the part before it. */
static void normalize_path(struct str path, struct buf *out) {
    struct str rest = path, part;
    while (str_split(&rest, '/', &part)) {
        if (part.len == 0 || str_equal(part, STR(".")))
            continue;
        if (str_equal(part, STR(".."))) {
            while (out->len > 0 && out->ptr[out->len - 1] != '/')
                out->ptr[--out->len] = '\0';
            if (out->len > 0)
                out->ptr[--out->len] = '\0';
            continue;
        }
        buf_add_byte(out, '/');
        buf_add_str(out, part);
    }
    if (out->len == 0 || str_ends_with(path, STR("/")))
        buf_add_byte(out, '/');
}

static void canonical_path(struct str path, unsigned flags, struct buf *out) {
    struct buf plain;
    buf_init(&plain, path.len + 2);
    if (path.len == 0)
        buf_add_byte(&plain, '/');
    else if (flags & SIGV4_NO_NORMALIZE)
        buf_add_str(&plain, path);
    else
        normalize_path(path, &plain);
    struct buf decoded;
    buf_init(&decoded, path.len + 2);
    if ((flags & SIGV4_ENCODE_ONCE) && form_decode(buf_str(&plain), false, &decoded))
        form_encode_path(out, buf_str(&decoded));
    else
        form_encode_path(out, buf_str(&plain));
    buf_deinit(&plain);
    buf_deinit(&decoded);
}

static struct str reencode(struct arena *arena, struct str text) {
    struct buf decoded, encoded;
    buf_init(&decoded, text.len + 1);
    buf_init(&encoded, 3 * text.len + 1);
    form_encode(&encoded, form_decode(text, false, &decoded) ? buf_str(&decoded) : text);
    struct str result = arena_str(arena, buf_str(&encoded));
    buf_deinit(&decoded);
    buf_deinit(&encoded);
    return result;
}

static int compare_pairs(const void *left, const void *right) {
    const struct sigv4_header *a = left, *b = right;
    int order = str_compare(a->name, b->name);
    return order != 0 ? order : str_compare(a->value, b->value);
}

/* All pairs, encoded anew, sorted by name and value; the signature itself is left out. */
static void canonical_query(struct str query, struct str more, struct buf *out) {
    struct arena arena = {0};
    size_t count = 0, used = 0;
    struct str name, value;
    for (struct str rest = query; form_next(&rest, &name, &value);)
        count++;
    for (struct str rest = more; form_next(&rest, &name, &value);)
        count++;
    struct sigv4_header *pairs = arena_new_array(&arena, count + 1, sizeof *pairs);
    struct str sources[] = {query, more};
    for (size_t i = 0; i < ARRAY_LEN(sources); i++)
        for (struct str rest = sources[i]; form_next(&rest, &name, &value);)
            if (!str_equal(name, STR("X-Amz-Signature")))
                pairs[used++] =
                    (struct sigv4_header){reencode(&arena, name), reencode(&arena, value)};
    qsort(pairs, used, sizeof *pairs, compare_pairs);
    for (size_t i = 0; i < used; i++) {
        if (i > 0)
            buf_add_byte(out, '&');
        buf_add_str(out, pairs[i].name);
        buf_add_byte(out, '=');
        buf_add_str(out, pairs[i].value);
    }
    arena_deinit(&arena);
}

static void add_signed_headers(const struct sigv4_names *names, struct buf *out) {
    for (size_t i = 0; i < names->count; i++) {
        if (i > 0)
            buf_add_byte(out, ';');
        buf_add_str(out, names->items[i].name);
    }
}

void sigv4_canonical(const struct sigv4_input *input, struct buf *out) {
    buf_add_str(out, input->method);
    buf_add_byte(out, '\n');
    canonical_path(input->path, input->flags, out);
    buf_add_byte(out, '\n');
    canonical_query(input->query, input->more_query, out);
    buf_add_byte(out, '\n');
    for (size_t i = 0; i < input->names->count; i++) {
        buf_add_str(out, input->names->items[i].name);
        buf_add_byte(out, ':');
        buf_add_str(out, input->names->items[i].value);
        buf_add_byte(out, '\n');
    }
    buf_add_byte(out, '\n');
    add_signed_headers(input->names, out);
    buf_add_byte(out, '\n');
    buf_add_str(out, input->payload_hash);
}

/* --- the signature --- */

void sigv4_scope(struct buf *out, struct str date, struct str region, struct str service) {
    buf_printf(out, "%.*s/%.*s/%.*s/aws4_request", STR_ARG(date), STR_ARG(region),
               STR_ARG(service));
}

static void hmac(const uint8_t *key, size_t key_size, struct str message,
                 uint8_t ret_mac[SHA256_DIGEST_LENGTH]) {
    unsigned size = 0;
    const uint8_t *bytes = (const uint8_t *)(message.ptr ? message.ptr : "");
    must(key_size <= INT32_MAX);
    must(HMAC(EVP_sha256(), key, (int)key_size, bytes, message.len, ret_mac, &size));
    must(size == SHA256_DIGEST_LENGTH);
}

/* HMAC over date, region, service and the fixed word, each with the key before it. */
static void signing_key(struct str secret, struct str date, struct str region, struct str service,
                        uint8_t ret_key[SHA256_DIGEST_LENGTH]) {
    struct buf first;
    buf_init(&first, secret.len + 5);
    buf_add_text(&first, "AWS4");
    buf_add_str(&first, secret);
    hmac((const uint8_t *)first.ptr, first.len, date, ret_key);
    OPENSSL_cleanse(first.ptr, first.len);
    buf_deinit(&first);
    struct str rest[] = {region, service, STR("aws4_request")};
    for (size_t i = 0; i < ARRAY_LEN(rest); i++) {
        uint8_t next[SHA256_DIGEST_LENGTH];
        hmac(ret_key, SHA256_DIGEST_LENGTH, rest[i], next);
        memcpy(ret_key, next, sizeof next);
    }
}

void sigv4_finish(struct sigv4_parts *parts, struct str stamp, struct str region,
                  struct str service, struct str secret) {
    must(stamp.len == STAMP_SIZE - 1);
    struct str date = str_slice(stamp, 0, 8);
    char hash[SIGV4_SIGNATURE_SIZE];
    sigv4_sha256_hex(buf_str(&parts->canonical), hash);
    struct buf *out = &parts->string_to_sign;
    buf_printf(out, SIGV4_ALGORITHM "\n%.*s\n", STR_ARG(stamp));
    sigv4_scope(out, date, region, service);
    buf_printf(out, "\n%s", hash);
    uint8_t key[SHA256_DIGEST_LENGTH], mac[SHA256_DIGEST_LENGTH];
    signing_key(secret, date, region, service, key);
    hmac(key, sizeof key, buf_str(out), mac);
    hex_write(mac, sizeof mac, parts->signature);
    OPENSSL_cleanse(key, sizeof key);
}

/* --- signing --- */

struct job {
    const struct sigv4_request *request;
    const struct sigv4_signer *signer;
    struct arena arena;
    struct sigv4_names names;
    char stamp[STAMP_SIZE];
    char hash[SIGV4_SIGNATURE_SIZE];
    struct str payload_hash;
};

static void job_deinit(struct job *job) {
    arena_deinit(&job->arena);
}

static int job_init(struct job *job, const struct sigv4_request *request,
                    const struct sigv4_signer *signer, struct err *err) {
    must(signer->unix_ms >= 0);
    *job = (struct job){.request = request, .signer = signer};
    struct buf stamp = BUF_INIT(STAMP_SIZE);
    when_add_basic(&stamp, signer->unix_ms);
    ignore(str_copy(job->stamp, sizeof job->stamp, buf_str(&stamp))); /* 16 bytes until 9999 */
    buf_deinit(&stamp);
    sigv4_sha256_hex(request->body, job->hash);
    job->payload_hash =
        signer->flags & SIGV4_UNSIGNED_PAYLOAD ? STR("UNSIGNED-PAYLOAD") : str_from(job->hash);
    return sigv4_names_collect(request->headers, request->header_count, &job->arena, &job->names,
                               err);
}

static int job_add_name(struct job *job, const char *name, struct str value, struct err *err) {
    struct sigv4_header header = {str_from(name), value};
    return sigv4_names_collect(&header, 1, &job->arena, &job->names, err);
}

static int job_finish(struct job *job, struct str more_query, struct sigv4_parts *parts,
                      struct err *err) {
    struct sigv4_input input = {
        .method = job->request->method,
        .path = job->request->path,
        .query = job->request->query,
        .more_query = more_query,
        .names = &job->names,
        .payload_hash = job->payload_hash,
        .flags = job->signer->flags,
    };
    sigv4_canonical(&input, &parts->canonical);
    add_signed_headers(&job->names, &parts->signed_headers);
    if (!buf_ok(&parts->canonical) || !buf_ok(&parts->signed_headers))
        return err_set(err, ERR_LIMIT, "the request is too large to sign");
    sigv4_finish(parts, str_from(job->stamp), job->signer->region, job->signer->service,
                 job->signer->secret_key);
    return 0;
}

static int sign_job(struct job *job, struct buf *ret_headers, struct sigv4_parts *parts,
                    struct err *err) {
    const struct sigv4_signer *s = job->signer;
    bool token_signed = s->session_token.len > 0 && !(s->flags & SIGV4_OMIT_TOKEN);
    TRY(job_add_name(job, "x-amz-date", str_from(job->stamp), err));
    buf_printf(ret_headers, "X-Amz-Date: %s\r\n", job->stamp);
    if (token_signed)
        TRY(job_add_name(job, "x-amz-security-token", s->session_token, err));
    if (s->session_token.len > 0)
        buf_printf(ret_headers, "X-Amz-Security-Token: %.*s\r\n", STR_ARG(s->session_token));
    if (s->flags & SIGV4_CONTENT_SHA256) {
        TRY(job_add_name(job, "x-amz-content-sha256", job->payload_hash, err));
        buf_printf(ret_headers, "X-Amz-Content-Sha256: %.*s\r\n", STR_ARG(job->payload_hash));
    }
    TRY(job_finish(job, STR_EMPTY, parts, err));
    buf_printf(ret_headers, "Authorization: " SIGV4_ALGORITHM " Credential=%.*s/",
               STR_ARG(s->access_key));
    sigv4_scope(ret_headers, str_slice(str_from(job->stamp), 0, 8), s->region, s->service);
    buf_printf(ret_headers, ", SignedHeaders=%s, Signature=%s\r\n",
               buf_text(&parts->signed_headers), parts->signature);
    return buf_ok(ret_headers) ? 0 : err_set(err, ERR_LIMIT, "the headers are too long");
}

int sigv4_sign(const struct sigv4_request *request, const struct sigv4_signer *signer,
               struct buf *ret_headers, struct sigv4_parts *ret_parts, struct err *err) {
    CLEANUP(job_deinit) struct job job;
    TRY(job_init(&job, request, signer, err));
    return sign_job(&job, ret_headers, ret_parts, err);
}

int sigv4_presign(const struct sigv4_request *request, const struct sigv4_signer *signer,
                  struct buf *ret_query, struct sigv4_parts *ret_parts, struct err *err) {
    CLEANUP(job_deinit) struct job job;
    must(signer->expires_s >= 1 && signer->expires_s <= SIGV4_EXPIRES_S_MAX);
    TRY(job_init(&job, request, signer, err));
    struct buf scope = BUF_INIT(PARTS_BYTES_MAX), names = BUF_INIT(PARTS_BYTES_MAX);
    struct buf more = BUF_INIT(PARTS_BYTES_MAX);
    buf_printf(&scope, "%.*s/", STR_ARG(signer->access_key));
    sigv4_scope(&scope, str_slice(str_from(job.stamp), 0, 8), signer->region, signer->service);
    add_signed_headers(&job.names, &names);
    form_add(&more, STR("X-Amz-Algorithm"), STR(SIGV4_ALGORITHM));
    form_add(&more, STR("X-Amz-Credential"), buf_str(&scope));
    form_add(&more, STR("X-Amz-Date"), str_from(job.stamp));
    form_add(&more, STR("X-Amz-SignedHeaders"), buf_str(&names));
    form_add(&more, STR("X-Amz-Expires"),
             str_from(arena_printf(&job.arena, "%lld", (long long)signer->expires_s)));
    struct buf unsigned_token = BUF_INIT(PARTS_BYTES_MAX);
    if (signer->session_token.len > 0)
        form_add(signer->flags & SIGV4_OMIT_TOKEN ? &unsigned_token : &more,
                 STR("X-Amz-Security-Token"), signer->session_token);
    int result = job_finish(&job, buf_str(&more), ret_parts, err);
    if (result == 0) {
        buf_add_str(ret_query, request->query);
        if (request->query.len > 0)
            buf_add_byte(ret_query, '&');
        buf_add_str(ret_query, buf_str(&more));
        if (unsigned_token.len > 0)
            buf_printf(ret_query, "&%s", buf_text(&unsigned_token));
        buf_printf(ret_query, "&X-Amz-Signature=%s", ret_parts->signature);
        if (!buf_ok(ret_query))
            result = err_set(err, ERR_LIMIT, "the query is too long");
    }
    buf_deinit(&scope);
    buf_deinit(&names);
    buf_deinit(&more);
    buf_deinit(&unsigned_token);
    return result;
}
