#include "emu/keys.h"

#include "os/random.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/encoder.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#define ED25519_BYTES 32

DEFINE_FREEP(EVP_PKEY, EVP_PKEY_free)

/* SSH's wire form: 32-bit length, bytes. */
static void add_ssh_u32(struct buf *b, uint32_t value) {
    const uint8_t bytes[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                              (uint8_t)value};
    buf_add(b, bytes, sizeof bytes);
}

static void add_ssh_bytes(struct buf *b, const void *bytes, size_t size) {
    add_ssh_u32(b, (uint32_t)size);
    buf_add(b, bytes, size);
}

/* A positive number: a zero byte in front when its top bit is set. */
static void add_ssh_number(struct buf *b, const BIGNUM *number) {
    uint8_t bytes[1 + 512] = {0};
    int size = BN_num_bytes(number);
    must(size >= 1 && size <= 512);
    BN_bn2bin(number, bytes + 1);
    bool pad = (bytes[1] & 0x80) != 0;
    add_ssh_bytes(b, bytes + (pad ? 0 : 1), (size_t)size + (pad ? 1 : 0));
}

static void add_base64(struct buf *out, const struct buf *in, size_t line) {
    char text[5000];
    must(in->len <= 3600);
    int size = EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)in->ptr, (int)in->len);
    for (size_t at = 0; at < (size_t)size; at += line) {
        buf_add(out, text + at, MIN(line, (size_t)size - at));
        if (line < sizeof text)
            buf_add_byte(out, '\n');
    }
}

static void add_hex_pairs(struct buf *out, const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i++)
        buf_printf(out, "%s%02x", i > 0 ? ":" : "", bytes[i]);
}

/* ---- RSA ------------------------------------------------------------------------------------ */

static int add_encoded(EVP_PKEY *key, const char *format, const char *structure, int selection,
                       struct buf *out, struct err *err) {
    OSSL_ENCODER_CTX *context =
        OSSL_ENCODER_CTX_new_for_pkey(key, selection, format, structure, NULL);
    unsigned char *bytes = NULL;
    size_t size = 0;
    bool done = context && OSSL_ENCODER_to_data(context, &bytes, &size) == 1;
    if (done)
        buf_add(out, bytes, size);
    OPENSSL_free(bytes);
    OSSL_ENCODER_CTX_free(context);
    return done ? 0 : err_set(err, ERR_IO, "cannot encode a key");
}

static void free_number(BIGNUM **number) {
    BN_free(*number);
}

/* The fingerprint of a key that EC2 made: SHA-1 of the private key's PKCS#8 form. */
static int make_rsa(struct buf *pem, struct buf *public_line, struct buf *fingerprint,
                    struct err *err) {
    CLEANUP(EVP_PKEY_freep) EVP_PKEY *key = EVP_RSA_gen(2048);
    CLEANUP(buf_deinit) struct buf der = BUF_INIT(8 * KIB);
    CLEANUP(buf_deinit) struct buf blob = BUF_INIT(2 * KIB);
    CLEANUP(free_number) BIGNUM *modulus = NULL;
    CLEANUP(free_number) BIGNUM *exponent = NULL;
    if (!key || !EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &modulus) ||
        !EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent))
        return err_set(err, ERR_IO, "cannot make an RSA key");
    TRY(add_encoded(key, "PEM", "type-specific", EVP_PKEY_KEYPAIR, pem, err));
    TRY(add_encoded(key, "DER", "PrivateKeyInfo", EVP_PKEY_KEYPAIR, &der, err));
    add_ssh_bytes(&blob, "ssh-rsa", 7);
    add_ssh_number(&blob, exponent);
    add_ssh_number(&blob, modulus);
    buf_add_text(public_line, "ssh-rsa ");
    add_base64(public_line, &blob, SIZE_MAX);
    uint8_t hash[SHA_DIGEST_LENGTH];
    must(EVP_Digest(der.ptr, der.len, hash, NULL, EVP_sha1(), NULL));
    add_hex_pairs(fingerprint, hash, sizeof hash);
    return 0;
}

/* ---- Ed25519 -------------------------------------------------------------------------------- */

/* OpenSSH's own key file (PROTOCOL.key): one unencrypted key, padded with 1 2 3 ... to 8 bytes. */
static void add_openssh(const uint8_t *public_key, const uint8_t *secret,
                        const struct buf *public_blob, struct buf *pem) {
    CLEANUP(buf_deinit) struct buf inner = BUF_INIT(1024);
    CLEANUP(buf_deinit) struct buf file = BUF_INIT(2048);
    uint8_t both[2 * ED25519_BYTES];
    memcpy(both, secret, ED25519_BYTES);
    memcpy(both + ED25519_BYTES, public_key, ED25519_BYTES);
    uint32_t check = (uint32_t)random_u64();
    add_ssh_u32(&inner, check);
    add_ssh_u32(&inner, check);
    add_ssh_bytes(&inner, "ssh-ed25519", 11);
    add_ssh_bytes(&inner, public_key, ED25519_BYTES);
    add_ssh_bytes(&inner, both, sizeof both);
    add_ssh_bytes(&inner, "", 0);
    for (char pad = 1; inner.len % 8 != 0; pad++)
        buf_add_byte(&inner, pad);
    buf_add(&file, "openssh-key-v1", 15);
    add_ssh_bytes(&file, "none", 4);
    add_ssh_bytes(&file, "none", 4);
    add_ssh_bytes(&file, "", 0);
    add_ssh_u32(&file, 1);
    add_ssh_bytes(&file, public_blob->ptr, public_blob->len);
    add_ssh_bytes(&file, inner.ptr, inner.len);
    buf_add_text(pem, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
    add_base64(pem, &file, 70);
    buf_add_text(pem, "-----END OPENSSH PRIVATE KEY-----\n");
}

/* The fingerprint is OpenSSH's: base64 of SHA-256 of the public blob. */
static int make_ed25519(struct buf *pem, struct buf *public_line, struct buf *fingerprint,
                        struct err *err) {
    CLEANUP(EVP_PKEY_freep) EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    CLEANUP(buf_deinit) struct buf blob = BUF_INIT(256);
    CLEANUP(buf_deinit) struct buf hash = BUF_INIT(64);
    uint8_t public_key[ED25519_BYTES];
    uint8_t secret[ED25519_BYTES];
    size_t public_size = sizeof public_key;
    size_t secret_size = sizeof secret;
    if (!key || !EVP_PKEY_get_raw_public_key(key, public_key, &public_size) ||
        !EVP_PKEY_get_raw_private_key(key, secret, &secret_size))
        return err_set(err, ERR_IO, "cannot make an Ed25519 key");
    add_ssh_bytes(&blob, "ssh-ed25519", 11);
    add_ssh_bytes(&blob, public_key, public_size);
    add_openssh(public_key, secret, &blob, pem);
    buf_add_text(public_line, "ssh-ed25519 ");
    add_base64(public_line, &blob, SIZE_MAX);
    must(EVP_Digest(blob.ptr, blob.len, (unsigned char *)buf_reserve(&hash, 32), NULL, EVP_sha256(),
                    NULL));
    buf_commit(&hash, 32);
    add_base64(fingerprint, &hash, SIZE_MAX);
    OPENSSL_cleanse(secret, sizeof secret);
    return 0;
}

int keys_make(void *user, enum cloud_key_kind kind, struct buf *pem, struct buf *public_line,
              struct buf *fingerprint, struct err *err) {
    (void)user;
    return kind == CLOUD_KEY_RSA ? make_rsa(pem, public_line, fingerprint, err)
                                 : make_ed25519(pem, public_line, fingerprint, err);
}
