/* http1.h - HTTP/1.1 messages arriving in pieces: where one ends, and the few facts that matter.
 *
 * For the load engine (replies) and the test server (requests).  Nothing is stored but the status
 * or the request line and the framing: Content-Length, Transfer-Encoding, Connection.  Feeding does
 * not allocate; pieces may be cut anywhere, and the result does not depend on where.
 *
 * Rules (RFC 9112): a line ends in CRLF or LF; a header line needs a name right before its colon;
 * folded lines, two different lengths, a length that is not a plain number, and a request with both
 * a length and chunks are refused.  In a reply chunks win over a length.  1xx replies are skipped,
 * 101 is refused (nothing here asks for it).  HEAD, 204 and 304 have no body.
 *
 * Limits: a request line, a chunk-size line and a framing header of HTTP1_LINE_MAX bytes, a whole
 * head (all heads of a reply with 1xx before it; trailers apart) of HTTP1_HEAD_MAX.
 *
 * Tests: test/unit/test_http1.c with test/vectors/http1, fuzz/fuzz_http1.c
 */
#ifndef HTTP1_H
#define HTTP1_H

#include "base/base.h"
#include "base/err.h"
#include "base/str.h"

#define HTTP1_LINE_MAX 1024
#define HTTP1_HEAD_MAX (64 * 1024)
#define HTTP1_METHOD_SIZE 16

enum http1_state {
    HTTP1_START,
    HTTP1_FIELDS,
    HTTP1_BODY_LENGTH,
    HTTP1_BODY_CLOSE, /* until the connection ends */
    HTTP1_CHUNK_SIZE,
    HTTP1_CHUNK_DATA,
    HTTP1_CHUNK_END,
    HTTP1_TRAILERS,
    HTTP1_DONE,
};

/* What both kinds share.  Read state, keep_alive, head_done and body_bytes; the rest is inner. */
struct http1 {
    enum http1_state state;
    bool is_reply;
    bool head_done;  /* the header is complete */
    bool keep_alive; /* known when head_done: the connection may carry another message */
    bool has_length;
    bool chunked;
    bool encoded;    /* Transfer-Encoding was seen */
    bool says_close; /* Connection: close was seen */
    bool is_old;     /* HTTP/1.0 */
    bool line_cut;   /* the line being collected is longer than `line` */
    uint32_t line_len;
    uint32_t head_bytes;
    uint64_t body_left;  /* of the length or the chunk */
    uint64_t body_bytes; /* seen so far, without framing */
    /* Called with each piece of the body, when set; set it after init. */
    void (*body)(void *arg, struct str piece);
    void *body_arg;
    char line[HTTP1_LINE_MAX]; /* a line cut by the end of a piece */
};

struct http1_reply {
    uint16_t status; /* 200..999 when head_done */
    bool no_body;    /* the request was HEAD */
    struct http1 m;
};

struct http1_request {
    char method[HTTP1_METHOD_SIZE];
    char target[HTTP1_LINE_MAX];
    bool wants_continue; /* Expect: 100-continue */
    struct http1 m;
};

/* Ready for a reply; `to_head`: to a HEAD request.  O(1): does not touch the line buffer. */
void http1_reply_init(struct http1_reply *reply, bool to_head);
void http1_request_init(struct http1_request *request);

/* Feed the next bytes; *ret_used says how many belong to this message (all of them unless state is
 * HTTP1_DONE afterwards).  Errors: ERR_PROTOCOL, ERR_LIMIT; then the connection is of no use. */
NODISCARD int http1_reply_feed(struct http1_reply *reply, struct str bytes, size_t *ret_used,
                               struct err *err);
NODISCARD int http1_request_feed(struct http1_request *request, struct str bytes, size_t *ret_used,
                                 struct err *err);
/* The connection ended: true when the reply is complete by that. */
NODISCARD bool http1_reply_end(struct http1_reply *reply);

#endif
