#include "unit.h"

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "os/http_client.h"

#define DEADLINE_NS (20 * NS_PER_S)

/* --- a TLS server with a certificate of its own for `san` --- */

struct fixture {
    struct loop *loop;
    struct evconnlistener *listener;
    struct bufferevent *peers[8];
    size_t peer_count;
    SSL_CTX *server_tls;
    char ca_path[64];
    uint16_t port;
    unsigned done;
    enum err_code code;
    unsigned status;
    bool sent;
};

static X509 *make_certificate(EVP_PKEY *key, const char *san) {
    X509 *cert = X509_new();
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -60);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_NAME *name = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"test", -1, -1, 0);
    X509_set_issuer_name(cert, name);
    X509_set_pubkey(cert, key);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san);
    assert_non_null(extension);
    X509_add_ext(cert, extension, -1);
    X509_EXTENSION_free(extension);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    return cert;
}

static void server_on_read(struct bufferevent *bev, void *arg UNUSED) {
    static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    char bytes[4096];
    ignore(bufferevent_read(bev, bytes, sizeof bytes) == 0); /* one write is one request here */
    bufferevent_write(bev, reply, sizeof reply - 1);
}

static void server_on_accept(struct evconnlistener *listener UNUSED, evutil_socket_t fd,
                             struct sockaddr *address UNUSED, int size UNUSED, void *arg) {
    struct fixture *f = arg;
    struct bufferevent *bev =
        bufferevent_openssl_socket_new(loop_base(f->loop), fd, SSL_new(f->server_tls),
                                       BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
    must(f->peer_count < ARRAY_LEN(f->peers));
    f->peers[f->peer_count++] = bev;
    bufferevent_setcb(bev, server_on_read, NULL, NULL, f);
    bufferevent_enable(bev, EV_READ | EV_WRITE);
}

static void start(struct fixture *f, const char *san) {
    *f = (struct fixture){.loop = loop_new(), .ca_path = "/tmp/test_http_client.XXXXXX"};
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = make_certificate(key, san);
    f->server_tls = SSL_CTX_new(TLS_server_method());
    assert_int_equal(SSL_CTX_use_certificate(f->server_tls, cert), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(f->server_tls, key), 1);
    int fd = mkstemp(f->ca_path);
    FILE *file = fdopen(fd, "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, cert), 1);
    fclose(file);
    X509_free(cert);
    EVP_PKEY_free(key);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    f->listener =
        evconnlistener_new_bind(loop_base(f->loop), server_on_accept, f, LEV_OPT_CLOSE_ON_FREE, -1,
                                (struct sockaddr *)&a, sizeof a);
    assert_non_null(f->listener);
    socklen_t size = sizeof a;
    getsockname(evconnlistener_get_fd(f->listener), (struct sockaddr *)&a, &size);
    f->port = ntohs(a.sin_port);
}

static void stop(struct fixture *f) {
    for (size_t i = 0; i < f->peer_count; i++)
        bufferevent_free(f->peers[i]);
    evconnlistener_free(f->listener);
    SSL_CTX_free(f->server_tls);
    loop_free(f->loop);
    unlink(f->ca_path);
}

static void on_done(void *arg, const struct http_outcome *outcome) {
    struct fixture *f = arg;
    f->done++;
    f->code = outcome->why.code;
    f->status = outcome->status;
    f->sent = outcome->sent;
}

static bool is_done(void *arg) {
    return ((struct fixture *)arg)->done > 0;
}

/* One exchange with `host`, trusting what is in `ca_path`. */
static void ask(struct fixture *f, const char *host, const char *ca_path) {
    struct ssl_ctx_st *tls;
    struct err err = {0};
    if (http_tls_new(ca_path, &tls, &err) < 0)
        fail_msg("%s", err.text);
    struct http_client *client = http_client_new(
        f->loop, &(struct http_client_options){.origin = {str_from(host), f->port, true},
                                               .tls_context = tls,
                                               .connect_timeout_ns = 5 * NS_PER_S,
                                               .reply_bytes_max = 1000});
    f->done = 0;
    ignore(http_client_send(client, STR("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 10 * NS_PER_S,
                            on_done, f) == NULL);
    assert_true(loop_run_until(f->loop, loop_now_ns(f->loop) + DEADLINE_NS, is_done, f));
    http_client_free(client);
    http_tls_free(tls);
}

static void a_known_authority_and_the_right_name_are_accepted(void **state UNUSED) {
    struct fixture f;
    start(&f, "IP:127.0.0.1,DNS:localhost");
    ask(&f, "127.0.0.1", f.ca_path);
    assert_int_equal(f.code, ERR_NONE);
    assert_int_equal(f.status, 200);
    ask(&f, "localhost", f.ca_path);
    assert_int_equal(f.code, ERR_NONE);
    stop(&f);
}

static void another_name_is_refused_before_anything_is_sent(void **state UNUSED) {
    struct fixture f;
    start(&f, "DNS:ec2.example.com,IP:127.0.0.2");
    ask(&f, "127.0.0.1", f.ca_path);
    assert_int_equal(f.code, ERR_ACCESS);
    assert_false(f.sent);
    ask(&f, "localhost", f.ca_path);
    assert_int_equal(f.code, ERR_ACCESS);
    assert_false(f.sent);
    stop(&f);
}

static void an_unknown_authority_is_refused(void **state UNUSED) {
    struct fixture f, other;
    start(&f, "IP:127.0.0.1");
    start(&other, "IP:127.0.0.1");
    ask(&f, "127.0.0.1", other.ca_path);
    assert_int_equal(f.code, ERR_ACCESS);
    assert_false(f.sent);
    stop(&other);
    stop(&f);
}

static void a_missing_bundle_is_an_error(void **state UNUSED) {
    struct ssl_ctx_st *tls;
    assert_int_equal(http_tls_new("/nowhere/ca.pem", &tls, NULL), -ERR_ACCESS);
}

static void addresses_of_origins_are_cut(void **state UNUSED) {
    struct http_origin o;
    struct str path;
    assert_int_equal(http_origin_parse(STR("https://a.b/c?d"), &o, &path, NULL), 0);
    assert_true(o.tls && o.port == 443 && str_equal(o.host, STR("a.b")));
    assert_true(str_equal(path, STR("/c?d")));
    assert_int_equal(http_origin_parse(STR("http://[::1]:81"), &o, &path, NULL), 0);
    assert_true(!o.tls && o.port == 81 && str_equal(o.host, STR("::1")));
    assert_true(str_equal(path, STR("/")));
    const char *bad[] = {
        "",           "a",          "https://",   "https://:1",    "http://a:",
        "http://a:x", "http://a:0", "http://a@b", "http://[::1]x", "http://a\r\nb"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(http_origin_parse(str_from(bad[i]), &o, &path, NULL), -ERR_PARSE);
}

static void header_values_are_found_whatever_their_case(void **state UNUSED) {
    struct str head = STR("HTTP/1.1 200 OK\r\nA: 1\r\nDATE:  x y \r\n\r\nDate: no\r\n");
    assert_true(str_equal(http_head_value(head, STR("Date")), STR("x y")));
    assert_int_equal(http_head_value(head, STR("B")).len, 0);
}

UNIT_MAIN(T(a_known_authority_and_the_right_name_are_accepted),
          T(another_name_is_refused_before_anything_is_sent), T(an_unknown_authority_is_refused),
          T(a_missing_bundle_is_an_error), T(addresses_of_origins_are_cut),
          T(header_values_are_found_whatever_their_case))
