#include "aws/client.h"

#include "aws/client_parts.h"
#include "base/limits.h"
#include "os/clock.h"
#include "os/random.h"

#define CONNECT_TIMEOUT_NS (5 * NS_PER_S)
#define ATTEMPT_TIMEOUT_NS (60 * NS_PER_S) /* a fleet of hundreds takes its time */
#define BACKOFF_BASE_NS (1 * NS_PER_S)
#define CONNECTIONS_MAX 8
#define CALLS_MAX 1024

/* --- setting up --- */

/* Copy what is in `from` into the client's own memory. */
static void copy_config(struct aws_client *client, const struct aws_config *from) {
    struct aws_config *c = &client->config;
    struct arena *arena = &client->arena;
    *c = *from;
    struct str *texts[] = {
        &c->profile,         &c->region,          &c->region_from,
        &c->endpoint_from,   &c->ca_bundle,       &c->source_from,
        &c->keys.access_key, &c->keys.secret_key, &c->keys.session_token,
        &c->process,         &c->container_url,   &c->container_token,
        &c->imds_url,
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        *texts[i] = arena_str(arena, *texts[i]);
    for (size_t i = 0; i < AWS_SERVICE_COUNT; i++)
        c->endpoint_url[i] = arena_str(arena, c->endpoint_url[i]);
}

static void default_options(struct aws_client *client, const struct aws_client_options *options) {
    struct aws_client_options *o = &client->options;
    if (options)
        *o = *options;
    o->connect_timeout_ns = o->connect_timeout_ns ? o->connect_timeout_ns : CONNECT_TIMEOUT_NS;
    o->attempt_timeout_ns = o->attempt_timeout_ns ? o->attempt_timeout_ns : ATTEMPT_TIMEOUT_NS;
    o->backoff_base_ns = o->backoff_base_ns ? o->backoff_base_ns : BACKOFF_BASE_NS;
    o->connections_max = o->connections_max ? o->connections_max : CONNECTIONS_MAX;
    o->calls_max = o->calls_max ? o->calls_max : CALLS_MAX;
    prng_init(&client->prng, o->seed ? o->seed : random_u64());
}

static int endpoint_init(struct aws_client *client, enum aws_service service, struct err *err) {
    struct aws_endpoint *e = &client->endpoints[service];
    struct str path;
    TRY(http_origin_parse(client->config.endpoint_url[service], &e->origin, &path, err));
    bool v6 = str_index_of(e->origin.host, ':') < e->origin.host.len;
    bool usual = e->origin.port == (e->origin.tls ? 443 : 80);
    struct buf host = BUF_INIT(1024);
    buf_printf(&host, "%s%.*s%s", v6 ? "[" : "", STR_ARG(e->origin.host), v6 ? "]" : "");
    if (!usual)
        buf_printf(&host, ":%u", e->origin.port);
    e->host_header = buf_detach(&host);
    e->path = str_dup(path);
    if (e->origin.tls && !client->tls)
        TRY(http_tls_new(arena_text(&client->arena, client->config.ca_bundle), &client->tls, err));
    e->http =
        http_client_new(client->loop, &(struct http_client_options){
                                          .origin = e->origin,
                                          .tls_context = client->tls,
                                          .connect_timeout_ns = client->options.connect_timeout_ns,
                                          .reply_bytes_max = REPLY_BYTES_MAX,
                                      });
    return 0;
}

static void on_wake(void *arg) {
    aws_client_pump(arg);
}

int aws_client_new(struct loop *loop, const struct aws_config *config,
                   const struct aws_client_options *options, struct aws_client **ret_client,
                   struct err *err) {
    CLEANUP(aws_client_freep) struct aws_client *client = mem_new(sizeof *client);
    must(loop && config && config->attempts_max > 0);
    client->loop = loop;
    client->quota = AWS_QUOTA_MAX;
    copy_config(client, config);
    default_options(client, options);
    if (config->source == AWS_SOURCE_NONE)
        return err_set(err, ERR_ACCESS, "no AWS credentials");
    for (unsigned service = 0; service < AWS_SERVICE_COUNT; service++)
        TRY(endpoint_init(client, (enum aws_service)service, err));
    client->keys = keys_new(loop, &client->config, on_wake, client);
    client->wake = loop_timer_new(loop, on_wake, client);
    *ret_client = take(client);
    return 0;
}

void aws_client_free(struct aws_client *client) {
    if (!client)
        return;
    while (client->calls)
        aws_call_free(client->calls);
    while (client->lists)
        aws_list_free(client->lists);
    loop_timer_free(client->wake);
    keys_free(client->keys);
    for (size_t i = 0; i < AWS_SERVICE_COUNT; i++) {
        http_client_free(client->endpoints[i].http);
        mem_free(client->endpoints[i].host_header);
        mem_free(client->endpoints[i].path);
    }
    http_tls_free(client->tls);
    arena_deinit(&client->arena);
    mem_free(client);
}

const struct aws_counters *aws_client_counters(const struct aws_client *client) {
    return &client->counters;
}

int64_t aws_client_skew_ms(const struct aws_client *client) {
    return client->skew_ms;
}

/* --- the queues --- */

void aws_client_enqueue(struct aws_client *client, struct aws_call *call) {
    struct aws_queue *queue = call->flags & AWS_URGENT ? &client->urgent : &client->normal;
    call->queued_next = NULL;
    if (queue->last)
        queue->last->queued_next = call;
    else
        queue->first = call;
    queue->last = call;
    client->counters.waiting++;
}

static struct aws_call *dequeue(struct aws_client *client) {
    struct aws_queue *queue = client->urgent.first ? &client->urgent : &client->normal;
    struct aws_call *call = queue->first;
    if (!call)
        return NULL;
    queue->first = call->queued_next;
    if (!queue->first)
        queue->last = NULL;
    must(client->counters.waiting > 0);
    client->counters.waiting--;
    return call;
}

/* End all that wait: nobody can sign for them. */
static void fail_waiting(struct aws_client *client, const struct err *why) {
    struct aws_call *call;
    while ((call = dequeue(client)) != NULL) {
        call->result.class = AWS_AUTH;
        call->result.err = *why;
        loop_timer_after(call->timer, 0);
    }
}

void aws_client_pump(struct aws_client *client) {
    struct aws_keys keys;
    struct err why = {0};
    while (client->counters.waiting > 0 &&
           client->counters.running < client->options.connections_max) {
        enum keys_state state =
            keys_get(client->keys, clock_wall_unix_ms() + client->skew_ms, &keys, &why);
        if (state == KEYS_WAITING)
            return;
        if (state == KEYS_FAILED) {
            fail_waiting(client, &why);
            return;
        }
        struct aws_call *call = dequeue(client);
        must(call);
        client->counters.running++;
        aws_call_send(call, &keys);
    }
}
