/* front_parts.h - what the files of the front share; nobody else includes this. */
#ifndef EMU_FRONT_PARTS_H
#define EMU_FRONT_PARTS_H

#include "base/buf.h"
#include "codec/ec2.h"
#include "emu/front.h"

#include <event2/http.h>

#define FRONT_BODY_BYTES_MAX (2 * MIB) /* EC2 takes about 1 MB; user-data is 22 KB of it */
#define FRONT_HEADERS_BYTES_MAX (64 * 1024)
#define FRONT_REPLY_BYTES_MAX REPLY_BYTES_MAX
#define FRONT_REQUEST_ID_SIZE 37

struct front {
    struct loop *loop;
    struct cloud *cloud;
    struct evhttp *http;
    struct emu_endpoint *endpoint;
    struct front_events events;
    char isolate[16];
    struct answer *answers; /* waiting for their time */
    struct later *laters;   /* requests that the network still holds */
};

enum answer_way { ANSWER_SEND, ANSWER_RESET, ANSWER_CUT };

/* An answer on its way.  Takes `req` and the body over. */
struct answer_spec {
    unsigned status;
    const char *content_type;
    const char *request_id; /* "" without */
    enum answer_way way;
    uint64_t delay_ns;
    struct buf *body; /* emptied */
};
void answer_later(struct front *f, struct evhttp_request *req, const struct answer_spec *spec);
void answer_drop_all(struct front *f);

/* One API call (api.c) and one call of /_dayfly/ (control.c); both answer `req`. */
void api_handle(struct front *f, struct evhttp_request *req, struct str body);
void api_drop_all(struct front *f);
void control_handle(struct front *f, struct evhttp_request *req, struct str body);

/* The ground truth as JSON. */
void truth_write(const struct front *f, bool with_calls, struct buf *out);

#endif
