#include "os/link.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "os/file.h"
#include "os/link_io.h"

#define LINK_CERTIFICATE_BYTES_MAX 8192 /* a self-signed P-256 certificate has about 350 */
#define LINK_DAY_S 86400

struct link_key {
    EVP_PKEY *key;
    X509 *certificate;
    SSL_CTX *server, *client;
    uint8_t pin[LINK_PIN_SIZE];
};

static X509 *link_key_certify(EVP_PKEY *key) {
    X509 *certificate = X509_new();
    must(certificate != NULL);
    must(X509_set_version(certificate, 2) == 1);
    must(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) == 1);
    /* Dates mean nothing here (the pin decides); wide ones survive clocks that are off. */
    must(X509_gmtime_adj(X509_getm_notBefore(certificate), -30L * LINK_DAY_S) != NULL);
    must(X509_gmtime_adj(X509_getm_notAfter(certificate), 3650L * LINK_DAY_S) != NULL);
    X509_NAME *name = X509_get_subject_name(certificate);
    must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"dayfly", -1,
                                    -1, 0) == 1);
    must(X509_set_issuer_name(certificate, name) == 1);
    must(X509_set_pubkey(certificate, key) == 1);
    must(X509_sign(certificate, key, EVP_sha256()) > 0);
    return certificate;
}

bool link_key_pin_of(X509 *certificate, uint8_t ret_pin[LINK_PIN_SIZE]) {
    char group[32];
    size_t length = 0;
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    if (key == NULL || EVP_PKEY_get_base_id(key) != EVP_PKEY_EC ||
        EVP_PKEY_get_group_name(key, group, sizeof group, &length) != 1 ||
        strcmp(group, "prime256v1") != 0)
        return false;
    unsigned char *der = NULL;
    int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    if (size <= 0)
        return false;
    file_sha256_bytes((struct str){(const char *)der, (size_t)size}, ret_pin);
    OPENSSL_free(der);
    return true;
}

/* Both sides look at the peer's key here and nowhere else.  The proof that the peer holds it is
 * the handshake's own signature. */
static int link_key_verify(X509_STORE_CTX *store, void *arg) {
    (void)arg;
    const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct link *link = SSL_get_app_data(ssl);
    X509 *certificate = X509_STORE_CTX_get0_cert(store);
    uint8_t pin[LINK_PIN_SIZE];
    if (certificate == NULL || !link_key_pin_of(certificate, pin)) {
        X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
        return 0;
    }
    memcpy(link->peer_pin, pin, sizeof pin);
    link->has_peer_pin = true;
    if (link->client != NULL && !link_client_pin_matches(link)) {
        X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
        return 0;
    }
    return 1;
}

static int link_key_select(SSL *ssl, const unsigned char **ret_name, unsigned char *ret_length,
                           const unsigned char *offered, unsigned offered_length, void *arg) {
    static const unsigned char known[] = "\x08" LINK_ALPN "\x08http/1.1";
    (void)ssl;
    (void)arg;
    unsigned char *name = NULL;
    if (SSL_select_next_proto(&name, ret_length, known, sizeof known - 1, offered,
                              offered_length) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *ret_name = name;
    return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *link_key_make_context(const struct link_key *key, bool server) {
    static const unsigned char alpn[] = "\x08" LINK_ALPN;
    SSL_CTX *context = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    must(context != NULL);
    must(SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1);
    must(SSL_CTX_set_ciphersuites(
             context,
             "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384") == 1);
    must(SSL_CTX_set1_groups_list(context, "X25519:P-256") == 1);
    must(SSL_CTX_use_certificate(context, key->certificate) == 1);
    must(SSL_CTX_use_PrivateKey(context, key->key) == 1);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(context, link_key_verify, NULL);
    SSL_CTX_set_max_cert_list(context, LINK_CERTIFICATE_BYTES_MAX);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    must(SSL_CTX_set_num_tickets(context, 0) == 1); /* nobody resumes */
    SSL_CTX_set_read_ahead(context, 1);             /* one read for many small records */
    if (server)
        SSL_CTX_set_alpn_select_cb(context, link_key_select, NULL);
    else
        must(SSL_CTX_set_alpn_protos(context, alpn, sizeof alpn - 1) == 0);
    return context;
}

struct link_key *link_key_new(void) {
    /* The machine's openssl.cnf must not change what we speak. */
    must(OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1);
    struct link_key *key = mem_new(sizeof *key);
    key->key = EVP_EC_gen("P-256");
    must(key->key != NULL);
    key->certificate = link_key_certify(key->key);
    key->server = link_key_make_context(key, true);
    key->client = link_key_make_context(key, false);
    must(link_key_pin_of(key->certificate, key->pin));
    return key;
}

void link_key_free(struct link_key *own_key) {
    if (own_key == NULL)
        return;
    SSL_CTX_free(own_key->server);
    SSL_CTX_free(own_key->client);
    X509_free(own_key->certificate);
    EVP_PKEY_free(own_key->key); /* clears the secret */
    mem_free(own_key);
}

SSL_CTX *link_key_context(const struct link_key *key, bool server) {
    return server ? key->server : key->client;
}

void link_key_pin(const struct link_key *key, uint8_t ret_pin[LINK_PIN_SIZE]) {
    memcpy(ret_pin, key->pin, LINK_PIN_SIZE);
}

static const char link_pin_prefix[] = "sha256//";
#define LINK_PIN_BASE64 44

void link_pin_text(const uint8_t pin[LINK_PIN_SIZE], char ret_text[LINK_PIN_TEXT_SIZE]) {
    memcpy(ret_text, link_pin_prefix, sizeof link_pin_prefix);
    int length =
        EVP_EncodeBlock((unsigned char *)ret_text + sizeof link_pin_prefix - 1, pin, LINK_PIN_SIZE);
    must(length == LINK_PIN_BASE64);
}

int link_pin_parse(struct str text, uint8_t ret_pin[LINK_PIN_SIZE], struct err *err) {
    struct str prefix = str_from(link_pin_prefix);
    struct str base64 = str_skip(text, prefix.len);
    uint8_t decoded[LINK_PIN_BASE64];
    char again[LINK_PIN_TEXT_SIZE];
    if (!str_starts_with(text, prefix) || base64.len != LINK_PIN_BASE64 ||
        EVP_DecodeBlock(decoded, (const unsigned char *)base64.ptr, LINK_PIN_BASE64) < 0)
        return err_set(err, ERR_PARSE, "not a key pin: '%.*s'", STR_ARG(text));
    link_pin_text(decoded, again); /* one spelling only */
    if (!str_equal(text, str_from(again)))
        return err_set(err, ERR_PARSE, "not a key pin: '%.*s'", STR_ARG(text));
    memcpy(ret_pin, decoded, LINK_PIN_SIZE);
    return 0;
}
