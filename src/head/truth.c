#include "head/truth.h"

#include "base/buf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define ANSWER_BYTES_MAX (64 * MIB)
#define TIMEOUT_S 5

static void close_fd(int *fd) {
    if (*fd >= 0)
        close(*fd);
}

/* "http://127.0.0.1:4321" to a connected socket. */
static int connect_to(const char *url, int *ret_fd, struct err *err) {
    char host[64];
    unsigned port = 0;
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct timeval timeout = {.tv_sec = TIMEOUT_S};
    if (sscanf(url, "http://%63[^:/]:%u", host, &port) != 2 || port > 65535 ||
        inet_pton(AF_INET, host, &address.sin_addr) != 1)
        return err_set(err, ERR_NETWORK, "not an address of a rehearsal cloud: %s", url);
    address.sin_port = htons((uint16_t)port);
    CLEANUP(close_fd) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) < 0 ||
        connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        return err_set_errno(err, ERR_NETWORK, errno, "%s", url);
    *ret_fd = fd;
    fd = -1;
    return 0;
}

static int ask(const struct emu_endpoint *cloud, struct buf *answer, struct err *err) {
    CLEANUP(close_fd) int fd = -1;
    CLEANUP(buf_deinit) struct buf request = BUF_INIT(1024);
    TRY(connect_to(cloud->url, &fd, err));
    buf_printf(&request,
               "GET /_dayfly/truth?calls=no HTTP/1.0\r\nHost: %s\r\nX-Dayfly-Token: %s\r\n\r\n",
               cloud->url + strlen("http://"), cloud->token);
    if (write(fd, request.ptr, request.len) != (ssize_t)request.len)
        return err_set_errno(err, ERR_NETWORK, errno, "%s", cloud->url);
    for (;;) {
        char *room = buf_reserve(answer, 64 * KIB);
        ssize_t got = room ? read(fd, room, 64 * KIB) : -1;
        if (got < 0)
            return err_set_errno(err, ERR_NETWORK, errno, "%s", cloud->url);
        if (got == 0)
            return 0;
        buf_commit(answer, (size_t)got);
    }
}

static bool has_run(const json_t *item, const char *run) {
    const char *tag =
        json_string_value(json_object_get(json_object_get(item, "tags"), "dayfly:run"));
    return tag && strcmp(tag, run) == 0;
}

static void count_all(const json_t *root, const char *run, struct truth *truth) {
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(root, "instances"), i, item) {
        const char *state = json_string_value(json_object_get(item, "state"));
        if (!has_run(item, run) || !state)
            continue;
        truth->instances_ever++;
        truth->instances_left += strcmp(state, "terminated") != 0;
        truth->billed_usd_micro +=
            (uint64_t)json_integer_value(json_object_get(item, "billed_usd_micro"));
    }
    json_array_foreach(json_object_get(root, "resources"), i, item) {
        const char *kind = json_string_value(json_object_get(item, "kind"));
        bool costs = kind && strcmp(kind, "fleet") != 0; /* a fleet's record goes by itself */
        if (has_run(item, run) && costs && json_is_true(json_object_get(item, "exists")))
            truth->resources_left++;
    }
    json_t *totals = json_object_get(root, "totals");
    truth->calls = (uint32_t)json_integer_value(json_object_get(totals, "calls"));
}

int truth_get(const struct emu_endpoint *cloud, const char *run, struct truth *ret_truth,
              struct err *err) {
    CLEANUP(buf_deinit) struct buf answer = BUF_INIT(ANSWER_BYTES_MAX);
    TRY(ask(cloud, &answer, err));
    struct str all = buf_str(&answer);
    size_t body = str_index_of_str(all, STR("\r\n\r\n"));
    if (!str_starts_with(all, STR("HTTP/1.")) || !str_contains(all, STR(" 200 ")) ||
        body >= all.len)
        return err_set(err, ERR_PROTOCOL, "%s does not tell its truth", cloud->url);
    struct str text = str_skip(all, body + 4);
    json_t *root = json_loadb(text.ptr, text.len, 0, NULL);
    if (!json_is_object(root) || !json_is_array(json_object_get(root, "instances"))) {
        json_decref(root);
        return err_set(err, ERR_PROTOCOL, "%s: its truth is not of the known form", cloud->url);
    }
    struct truth truth = {0};
    count_all(root, run, &truth);
    json_decref(root);
    *ret_truth = truth;
    return 0;
}
