/* link.h - framed messages between the head and its agents over TLS 1.3, both ends known by key.
 *
 * Words
 *   pin     SHA-256 of a SubjectPublicKeyInfo (DER): what a side is known by.  No certificate
 *           authority and no names: certificates are self-signed envelopes for a P-256 key
 *   link    one connection; carries frames: 32-bit big-endian length, then 1..FRAME_BYTES_MAX bytes
 *   stranger a connection that nobody has vouched for with link_accept yet
 *   expected an address that link_server_expect was told of: a node of ours
 *
 * A server's one port serves two protocols by ALPN.  "dayfly/1" is a link and needs a client key;
 * "http/1.1" (or none: wget) is answered with the agent on GET /agent and 404 for all else.
 * Strangers: at most LINK_STRANGERS_MAX at once from unexpected addresses and LINK_EXPECTED_MAX
 * from expected ones (more wait unread), LINK_STRANGER_NS to finish, LINK_STRANGER_BYTES to say.
 * An HTTP client from an expected address has LINK_HTTP_NS for its download.
 *
 * A client sends nothing but its hello before the server's key has matched the pin.
 *
 * Callbacks: on_open once the handshake is done, on_frame for each frame, on_drained when a queue
 * that link_send called full is half empty, on_close exactly once for each link that was opened (a
 * connecting client: also without on_open).  They are made from the loop only, never from inside
 * link_send or link_close.  A link is valid until on_close has returned.
 * Tests: test/unit/test_link.c
 */
#ifndef LINK_H
#define LINK_H

#include "base/base.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "os/loop.h"

#define LINK_PIN_SIZE 32
#define LINK_PIN_TEXT_SIZE 64 /* "sha256//" + 44 base64 + NUL, as curl --pinnedpubkey */
#define LINK_STRANGERS_MAX 64 /* at once, from unexpected addresses */
#define LINK_EXPECTED_MAX 256 /* at once, unauthenticated, from expected addresses */
#define LINK_STRANGER_NS (5 * NS_PER_S)
#define LINK_STRANGER_BYTES (16 * 1024)
#define LINK_HTTP_NS (120 * NS_PER_S) /* 9 MB at 0.6 Mbit/s */
#define LINK_QUEUE_BYTES (8 * MIB)    /* unsent bytes above which link_send refuses */
#define LINK_ADDRESS_SIZE 64          /* "198.18.0.7" or an IPv6 address, with NUL */

struct link_key;
struct link_server;
struct link;

/* A fresh P-256 key with its self-signed certificate; lives in memory only.  The secret is wiped
 * when freed. */
NODISCARD struct link_key *link_key_new(void);
void link_key_free(struct link_key *own_key);
DEFINE_FREEP(struct link_key, link_key_free)
void link_key_pin(const struct link_key *key, uint8_t ret_pin[LINK_PIN_SIZE]);
/* "sha256//BASE64=" and back. */
void link_pin_text(const uint8_t pin[LINK_PIN_SIZE], char ret_text[LINK_PIN_TEXT_SIZE]);
NODISCARD int link_pin_parse(struct str text, uint8_t ret_pin[LINK_PIN_SIZE], struct err *err);

struct link_handler {
    void (*on_open)(void *arg, struct link *link);                    /* server: a new peer */
    void (*on_frame)(void *arg, struct link *link, struct str frame); /* a view for the call */
    void (*on_drained)(void *arg, struct link *link);                 /* may be NULL */
    void (*on_close)(void *arg, struct link *link, const struct err *why);
    void *arg;
};

struct link_server_options {
    const char *address;  /* numeric, to listen on: "0.0.0.0", "::", "127.0.0.1" */
    uint16_t port;        /* 0: the kernel picks one */
    struct link_key *key; /* borrowed until the server is freed */
    struct str agent;     /* bytes answered to GET /agent; borrowed; empty: 404 */
    struct link_handler handler;
};

struct link_server_stats {
    uint64_t accepted, refused;   /* connections; refused: too many strangers */
    uint64_t handshakes_failed;   /* garbage, too slow, too much, no key */
    uint64_t downloads;           /* GET /agent answered to the end */
    uint32_t strangers, expected; /* unauthenticated now */
    uint32_t links;               /* open now, all kinds */
};

/* Listen.  Errors: ERR_NETWORK (address in use or not ours), ERR_PARSE. */
NODISCARD int link_server_new(struct loop *loop, const struct link_server_options *options,
                              struct link_server **ret_server, struct err *err);
/* Closes the listener and all its links, without callbacks.  Not from inside a callback of one. */
void link_server_free(struct link_server *own_server);
uint16_t link_server_port(const struct link_server *server);
/* Count connections from this numeric address as ours from now on (or no longer). */
void link_server_expect(struct link_server *server, struct str address, bool expected);
struct link_server_stats link_server_stats(const struct link_server *server);

/* Vouch for the peer of a server's link: it is a stranger no more, the limits above are lifted. */
void link_accept(struct link *link);

struct link_client_options {
    const char *const *addresses; /* "192.0.2.7:4433", "[2001:db8::7]:4433"; tried in this order */
    size_t addresses_count;       /* 1..16 */
    const char *source_address;   /* numeric, to bind to; NULL: the kernel's choice */
    struct link_key *key;         /* borrowed until on_close */
    uint8_t pin[LINK_PIN_SIZE];   /* of the server */
    uint64_t timeout_ns;          /* for each address: connect and handshake */
    struct link_handler handler;
};

/* Connect to the first address that answers with the right key.  on_open or on_close follows;
 * a server with another key gives ERR_ACCESS there.  Errors here: ERR_PARSE. */
NODISCARD int link_connect(struct loop *loop, const struct link_client_options *options,
                           struct link **ret_link, struct err *err);

/* Queue a frame (copied).  Errors: ERR_LIMIT when the queue is full (wait for on_drained),
 * ERR_CLOSED when the link is closing.  An oversized frame is a bug. */
NODISCARD int link_send(struct link *link, struct str frame, struct err *err);
/* Bytes queued and not yet given to the kernel. */
size_t link_queued(const struct link *link);
/* Stop reading frames, or go on: back-pressure towards the peer. */
void link_pause(struct link *link, bool paused);
/* Send what is queued (for at most 2 s), then close.  on_close follows with ERR_CLOSED.  No frame
 * is delivered any more. */
void link_close(struct link *link);
void link_set_user(struct link *link, void *user);
void *link_user(const struct link *link);
/* Pin of the peer's key (both sides, from on_open on). */
const uint8_t *link_peer_pin(const struct link *link);
/* Numeric address of the peer without port; an IPv4-mapped one as IPv4.  Valid while the link is.
 */
const char *link_peer_address(const struct link *link);
/* Instant at which the bytes of the frame now being delivered were read, monotonic ns. */
uint64_t link_received_ns(const struct link *link);

#endif
