/* front.h - the API of the rehearsal cloud over HTTP: EC2, STS and SSM, and /_dayfly/ for tests.
 *
 * A request goes: bounded read, whose service it is (the signature's scope, else its target or
 * host), verification of the signature, decoding (codec/), the model (cloud/), the delay that the
 * model asks for, the answer.  Planned trouble (cloud/fault.h) is done to the connection here:
 * answers that are lost, cut in half, or never come.
 *
 * Tests: test/story/30-cloud-awscli.sh drives it with clients that we did not write.
 */
#ifndef EMU_FRONT_H
#define EMU_FRONT_H

#include "base/err.h"
#include "cloud/cloud.h"
#include "emu/emu.h"
#include "os/loop.h"

struct front;

/* What the front cannot do by itself. */
struct front_events {
    void (*changed)(void *arg); /* the model was called: effects may wait */
    void (*stop)(void *arg);    /* POST /_dayfly/stop */
    /* POST /_dayfly/{crash,freeze,thaw}: false when nothing of that id runs. */
    bool (*chaos)(void *arg, struct str what, struct str id);
    int (*pid)(void *arg, struct str id); /* of its init, 0: nothing runs */
    void *arg;
};

/* Listen on "ADDRESS:PORT" and fill the endpoint's url.  `endpoint` and `cloud` must outlive the
 * front.  Errors: ERR_USAGE (not an address), ERR_IO. */
NODISCARD int front_new(struct loop *loop, struct cloud *cloud, const char *listen_on,
                        const char *isolate, struct emu_endpoint *endpoint,
                        const struct front_events *events, struct front **ret_front,
                        struct err *err);
void front_free(struct front *own_front);
DEFINE_FREEP(struct front, front_free)

#endif
