/* link_io.h - what link.c, link_key.c and link_server.c share; for nobody else.
 *
 * States of a link:
 *
 *   CONNECTING -> HANDSHAKE -> OPEN -> FLUSHING -> LINGERING -> gone
 *   (client)          |-----> HTTP -----^                (server, curl)
 *
 * A failure in any state goes to gone by the `soon` timer, so that callbacks come from the loop.
 */
#ifndef LINK_IO_H
#define LINK_IO_H

#include <openssl/ssl.h>

#include "base/buf.h"
#include "os/link.h"

#define LINK_ALPN "dayfly/1"
#define LINK_LINGER_NS (2 * NS_PER_S)

enum link_state {
    LINK_CONNECTING,
    LINK_HANDSHAKE,
    LINK_HTTP,
    LINK_OPEN,
    LINK_FLUSHING,
    LINK_LINGERING,
    LINK_FAILED,
};

struct link_client; /* what a connecting side still needs: addresses, pin */

struct link {
    struct loop *loop;
    struct link_handler handler;
    enum link_state state;
    int fd;
    SSL *ssl;
    struct loop_watch *watch;
    struct loop_timer *limit; /* deadline of the state */
    struct loop_timer *soon;  /* work left for the next turn */
    struct buf in;            /* bytes of frames not yet delivered */
    struct buf out;           /* bytes of frames not yet sent, from out_at on */
    size_t out_at;
    bool opened;  /* on_open was called: on_close is owed */
    bool paused;  /* by link_pause */
    bool closing; /* link_close was called */
    bool full;    /* link_send refused: on_drained is owed */
    bool has_peer_pin;
    uint8_t peer_pin[LINK_PIN_SIZE];
    char peer_address[LINK_ADDRESS_SIZE];
    uint64_t received_ns;
    void *user;
    struct err why; /* of the coming on_close */
    struct link_client *client;
    /* of a server's link */
    struct link_server *server;
    struct link *next, *previous;
    bool counted;   /* among the unauthenticated */
    bool expected;  /* ... from an expected address */
    bool download;  /* the request was GET /agent */
    size_t body_at; /* bytes of the agent sent */
};

SSL_CTX *link_key_context(const struct link_key *key, bool server);
/* The pin of a peer's certificate; false when its key is not P-256. */
bool link_key_pin_of(X509 *certificate, uint8_t ret_pin[LINK_PIN_SIZE]);

/* A link around a connected or connecting socket, which is taken over. */
struct link *link_make(struct loop *loop, const struct link_handler *handler);
void link_attach(struct link *link, int own_fd, enum link_state state, SSL_CTX *context);
void link_destroy(struct link *own_link);
/* Close in the next turn, with this reason.  The first reason counts. */
void link_fail(struct link *link, enum err_code code, const char *text);
void link_begin_flush(struct link *link);
bool link_client_pin_matches(const struct link *link);
void link_want(struct link *link, int interest);
/* Read plain bytes: > 0, 0 for "not now"; -1: the link has failed or the peer has closed. */
ssize_t link_read(struct link *link, void *into, size_t size);
ssize_t link_write(struct link *link, const void *bytes, size_t size);

void link_server_link_open(struct link *link);

/* The server's part. */
void link_server_on_handshake(struct link *link); /* done: HTTP or a link? */
void link_server_on_http(struct link *link, int ready);
void link_server_forget(struct link *link, bool handshake_failed); /* before destroy */

#endif
