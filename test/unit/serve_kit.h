/* serve_kit.h - a test server on a free port of loopback, for tests that need one. */
#ifndef SERVE_KIT_H
#define SERVE_KIT_H

#include "load/serve.h"
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static inline struct serve_spec server_spec(uint32_t body_bytes) {
    struct serve_spec spec = {.access_log_fd = -1, .seed = 1, .body_bytes = body_bytes};
    struct sockaddr_in *in = (struct sockaddr_in *)&spec.address;
    in->sin_family = AF_INET;
    in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    spec.address_size = sizeof *in;
    return spec;
}

static inline struct serve *server_start(const struct serve_spec *spec) {
    struct serve *serve = NULL;
    struct err err = {0};
    if (serve_start(spec, &serve, &err) < 0)
        fail_msg("%s", err.text);
    return serve;
}

#endif
