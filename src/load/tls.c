#include "load/engine.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <unistd.h>

/* Where distributions keep the certificates that they trust. */
static const char *const BUNDLES[] = {
    "/etc/ssl/certs/ca-certificates.crt",                /* Debian, Ubuntu, Arch */
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* Fedora, Amazon Linux */
    "/etc/pki/tls/certs/ca-bundle.crt",                  /* older Red Hat */
    "/etc/ssl/ca-bundle.pem",                            /* SUSE */
    "/etc/ssl/cert.pem",                                 /* Alpine */
};

static int trust_load(SSL_CTX *context, struct err *err) {
    const char *file = getenv("SSL_CERT_FILE");
    if (file && SSL_CTX_load_verify_locations(context, file, NULL) == 1)
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(BUNDLES); i++)
        if (access(BUNDLES[i], R_OK) == 0 &&
            SSL_CTX_load_verify_locations(context, BUNDLES[i], NULL) == 1)
            return 0;
    return err_set(err, ERR_IO, "no file of trusted certificates found (set SSL_CERT_FILE)");
}

static bool is_literal_address(const char *host) {
    unsigned char bytes[16];
    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

int tls_context_make(struct load *load, struct err *err) {
    if (!load->spec.tls)
        return 0;
    OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    load->tls = SSL_CTX_new(TLS_client_method());
    if (!load->tls)
        return err_set(err, ERR_IO, "TLS cannot be set up");
    SSL_CTX_set_min_proto_version(load->tls, TLS1_2_VERSION);
    SSL_CTX_set_mode(load->tls, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    /* each new connection costs what it costs the target's new visitors */
    SSL_CTX_set_session_cache_mode(load->tls, SSL_SESS_CACHE_OFF);
    if (load->spec.tls_insecure) {
        SSL_CTX_set_verify(load->tls, SSL_VERIFY_NONE, NULL);
        return 0;
    }
    SSL_CTX_set_verify(load->tls, SSL_VERIFY_PEER, NULL);
    return trust_load(load->tls, err);
}

bool tls_begin(const struct load *load, struct conn *conn) {
    must(conn->ssl == NULL);
    conn->ssl = SSL_new(load->tls);
    if (!conn->ssl)
        return false;
    SSL_set_connect_state(conn->ssl);
    bool literal = is_literal_address(load->host);
    if (!literal && SSL_set_tlsext_host_name(conn->ssl, load->host) != 1)
        return false;
    if (!load->spec.tls_insecure) {
        X509_VERIFY_PARAM *verify = SSL_get0_param(conn->ssl);
        int set = literal ? X509_VERIFY_PARAM_set1_ip_asc(verify, load->host)
                          : X509_VERIFY_PARAM_set1_host(verify, load->host, 0);
        if (set != 1)
            return false;
    }
    return SSL_set_fd(conn->ssl, conn->fd) == 1;
}

void tls_end(struct conn *conn) {
    SSL_free(conn->ssl);
    conn->ssl = NULL;
}

static enum tls_result result_of(SSL *ssl, int result) {
    enum tls_result ret = TLS_FAILED;
    switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        ret = TLS_WAIT;
        break;
    case SSL_ERROR_ZERO_RETURN:
    case SSL_ERROR_SYSCALL:
        ret = TLS_CLOSED;
        break;
    default:
        /* an end without a close alert is how many servers close */
        if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
            ret = TLS_CLOSED;
        break;
    }
    ERR_clear_error();
    return ret;
}

enum tls_result tls_handshake(struct conn *conn) {
    int result = SSL_do_handshake(conn->ssl);
    return result == 1 ? TLS_OK : result_of(conn->ssl, result);
}

enum tls_result tls_write(struct conn *conn, const char *bytes, size_t size, size_t *ret_size) {
    int result = SSL_write_ex(conn->ssl, bytes, size, ret_size);
    return result == 1 ? TLS_OK : result_of(conn->ssl, result);
}

enum tls_result tls_read(struct conn *conn, char *bytes, size_t size, size_t *ret_size) {
    int result = SSL_read_ex(conn->ssl, bytes, size, ret_size);
    return result == 1 ? TLS_OK : result_of(conn->ssl, result);
}
