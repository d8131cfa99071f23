/* http_client.h - HTTP/1.1 exchanges with one origin over kept-alive connections, on the loop.
 *
 * Words
 *   origin     scheme, host and port that all exchanges of a client go to
 *   exchange   one request as bytes, one reply in memory, one callback
 *
 * An exchange takes an idle connection or opens one; how many run at once is the caller's affair.
 * Nothing is ever sent twice here: what a failure means is for the caller to decide, and `sent`
 * tells whether the server may have seen the request.  TCP_NODELAY is always set.  Over TLS (1.2 or
 * later) the server's chain and name are verified.
 *
 * Callbacks come from the loop, never from inside http_client_send; none comes for exchanges that
 * were cancelled or whose client was freed.     Tests: test/unit/test_http_client.c
 */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include "base/base.h"
#include "base/err.h"
#include "base/str.h"
#include "os/loop.h"

struct ssl_ctx_st;

/* Authorities to trust: the PEM file `ca_file`, or when it is empty the first usual bundle of a
 * Linux distribution that is there.  Errors: ERR_ACCESS.  Free with http_tls_free. */
NODISCARD int http_tls_new(const char *ca_file, struct ssl_ctx_st **ret_context, struct err *err);
void http_tls_free(struct ssl_ctx_st *own_context);

struct http_origin {
    struct str host; /* name or address, without brackets */
    uint16_t port;
    bool tls;
};

/* "https://host[:port][/path]" (codec/url.h); *ret_path is "/" when there is none.  Views into
 * `text`.  Errors: ERR_PARSE, ERR_LIMIT. */
NODISCARD int http_origin_parse(struct str text, struct http_origin *ret_origin,
                                struct str *ret_path, struct err *err);

struct http_client_options {
    struct http_origin origin;      /* copied */
    struct ssl_ctx_st *tls_context; /* borrowed; needed when origin.tls */
    uint64_t connect_timeout_ns;    /* names, connect and TLS handshake together */
    size_t reply_bytes_max;         /* of a body; more is ERR_LIMIT */
};

struct http_client;
struct http_exchange;

NODISCARD struct http_client *http_client_new(struct loop *loop,
                                              const struct http_client_options *options);
/* Exchanges that run are dropped without a callback. */
void http_client_free(struct http_client *own_client);
DEFINE_FREEP(struct http_client, http_client_free)

struct http_outcome {
    struct err why;  /* ERR_NONE: a whole reply came.  Otherwise ERR_NOT_FOUND (name), ERR_NETWORK,
                      * ERR_ACCESS (certificate), ERR_TIMEOUT, ERR_CLOSED (cut), ERR_PROTOCOL,
                      * ERR_LIMIT */
    bool sent;       /* the server may have seen the request */
    bool reused;     /* on a connection that had carried an exchange before */
    unsigned status; /* 200..999; 0: no head came */
    struct str head; /* status line and header, as they came; valid in the callback */
    struct str body; /* valid in the callback */
};

/* Send `request` (line, header and body; copied).  `timeout_ns` bounds all of it. */
struct http_exchange *http_client_send(struct http_client *client, struct str request,
                                       uint64_t timeout_ns,
                                       void (*done)(void *arg, const struct http_outcome *outcome),
                                       void *arg);
/* No callback comes; the connection is closed. */
void http_exchange_cancel(struct http_exchange *own_exchange);

/* Value of a header in http_outcome.head (the last one of that name), or the empty view. */
struct str http_head_value(struct str head, struct str name);

#endif
