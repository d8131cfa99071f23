#include "node/metadata.h"

#include <jansson.h>
#include <stdio.h>

#include "base/log.h"
#include "base/when.h"
#include "node/fetch.h"

#define METADATA_TIMEOUT_NS (5 * NS_PER_S)
#define METADATA_RETRY_NS (1 * NS_PER_S)
#define METADATA_TOKEN_BYTES_MAX 256
#define METADATA_TTL "21600" /* seconds; the longest allowed */

enum metadata_question { METADATA_TOKEN, METADATA_ID, METADATA_IP, METADATA_NOTICE };

struct metadata {
    struct loop *loop;
    char base[256]; /* without the last slash */
    uint64_t notice_every_ns;
    struct metadata_handler handler;
    struct loop_timer *timer;
    struct fetch *fetch;
    enum metadata_question asking;
    enum metadata_question next; /* what to ask once there is a token */
    char token[METADATA_TOKEN_BYTES_MAX + 1];
    struct metadata_identity identity;
};

static const char *const metadata_paths[] = {
    [METADATA_TOKEN] = "/latest/api/token",
    [METADATA_ID] = "/latest/meta-data/instance-id",
    [METADATA_IP] = "/latest/meta-data/local-ipv4",
    [METADATA_NOTICE] = "/latest/meta-data/spot/instance-action",
};

static void metadata_ask(struct metadata *m);

static bool metadata_is_printable(struct str text) {
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= 0x20 || text.ptr[i] >= 0x7f)
            return false;
    return text.len > 0;
}

bool metadata_parse_notice(struct str body, char *action, size_t action_size,
                           int64_t *ret_at_unix_ms) {
    json_error_t trouble;
    json_t *root = json_loadb(body.ptr ? body.ptr : "", body.len, 0, &trouble);
    const char *word = json_string_value(json_object_get(root, "action"));
    const char *time = json_string_value(json_object_get(root, "time"));
    bool fine = word != NULL && metadata_is_printable(str_from(word)) &&
                str_copy(action, action_size, str_from(word));
    if (fine && (time == NULL || when_parse(str_from(time), ret_at_unix_ms, NULL) < 0))
        *ret_at_unix_ms = -1;
    json_decref(root);
    return fine;
}

static void metadata_later(struct metadata *m, uint64_t delay_ns) {
    loop_timer_after(m->timer, delay_ns);
}

static void metadata_failed(struct metadata *m, const char *what, int status) {
    log_event(LOG_WARN, "metadata", "why=%s status=%d", what, status);
    metadata_later(m, m->next == METADATA_NOTICE ? m->notice_every_ns : METADATA_RETRY_NS);
}

/* An answer to what we asked; asks the next thing or waits for the next look. */
static void metadata_answered(struct metadata *m, struct str body) {
    bool fine = true;
    switch (m->asking) {
    case METADATA_TOKEN:
        fine = metadata_is_printable(body) && str_copy(m->token, sizeof m->token, body);
        break;
    case METADATA_ID:
        fine = metadata_is_printable(body) &&
               str_copy(m->identity.instance_id, sizeof m->identity.instance_id, body);
        m->next = fine ? METADATA_IP : METADATA_ID;
        break;
    case METADATA_IP:
        fine = metadata_is_printable(body) &&
               str_copy(m->identity.private_ip, sizeof m->identity.private_ip, body);
        if (!fine)
            break;
        m->next = METADATA_NOTICE;
        metadata_later(m, m->notice_every_ns);
        m->handler.on_identity(m->handler.arg, &m->identity);
        return;
    case METADATA_NOTICE: {
        char action[32];
        int64_t at_unix_ms = -1;
        if (metadata_parse_notice(body, action, sizeof action, &at_unix_ms))
            m->handler.on_notice(m->handler.arg, action, at_unix_ms); /* and look no more */
        else
            metadata_failed(m, "a notice that cannot be read", 200);
        return;
    }
    }
    if (fine)
        metadata_ask(m);
    else
        metadata_failed(m, "an answer that cannot be", 200);
}

static void metadata_on_done(void *arg, int status, struct str body, const struct err *why) {
    struct metadata *m = arg;
    struct fetch *fetch = m->fetch;
    m->fetch = NULL;
    if (status == 200) {
        metadata_answered(m, body);
    } else if (status == 404 && m->asking == METADATA_NOTICE) {
        metadata_later(m, m->notice_every_ns); /* the usual answer: nothing is planned */
    } else if (status == 401 && m->asking != METADATA_TOKEN) {
        m->token[0] = 0; /* expired; after a while, should every token be refused */
        metadata_later(m, METADATA_RETRY_NS);
    } else {
        metadata_failed(m, why != NULL ? why->text : metadata_paths[m->asking], status);
    }
    fetch_free(fetch); /* last: `body` is its */
}

static void metadata_ask(struct metadata *m) {
    char url[512];
    m->asking = m->token[0] == 0 ? METADATA_TOKEN : m->next;
    snprintf(url, sizeof url, "%s%s", m->base, metadata_paths[m->asking]);
    bool token = m->asking == METADATA_TOKEN;
    struct fetch_spec spec = {.put = token,
                              .url = str_from(url),
                              .header = token ? "X-aws-ec2-metadata-token-ttl-seconds"
                                              : "X-aws-ec2-metadata-token",
                              .header_value = token ? METADATA_TTL : m->token,
                              .timeout_ns = METADATA_TIMEOUT_NS,
                              .on_done = metadata_on_done,
                              .arg = m};
    struct err why = {0};
    if (fetch_start(m->loop, &spec, &m->fetch, &why) < 0)
        metadata_failed(m, why.text, 0);
}

static void metadata_on_timer(void *arg) {
    metadata_ask(arg);
}

struct metadata *metadata_new(struct loop *loop, const char *base, uint64_t notice_every_ns,
                              const struct metadata_handler *handler) {
    struct metadata *m = mem_new(sizeof *m);
    m->loop = loop;
    m->handler = *handler;
    m->notice_every_ns = notice_every_ns;
    m->next = METADATA_ID;
    m->timer = loop_timer_new(loop, metadata_on_timer, m);
    struct str trimmed = str_from(base);
    while (str_ends_with(trimmed, STR("/")))
        trimmed.len--;
    str_copy(m->base, sizeof m->base, trimmed);
    metadata_later(m, 0);
    return m;
}

void metadata_free(struct metadata *own_metadata) {
    if (own_metadata == NULL)
        return;
    fetch_free(own_metadata->fetch);
    loop_timer_free(own_metadata->timer);
    mem_free(own_metadata);
}
