#include "aws/keys.h"

#include <jansson.h>
#include <signal.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/when.h"
#include "os/http_client.h"
#include "os/process.h"

#define KEYS_BYTES_MAX (64 * KIB)           /* of a JSON document with keys */
#define PROCESS_TIMEOUT_NS (60 * NS_PER_S)  /* it may ask a person for a code */
#define CONTAINER_TIMEOUT_NS (2 * NS_PER_S) /* as in the SDKs */
#define IMDS_TIMEOUT_NS (1 * NS_PER_S)      /* as in the SDKs */
#define FETCH_ATTEMPTS_MAX 3                /* container and metadata endpoints are throttled */
#define FAILED_NS (1 * NS_PER_S)            /* how long a failure is repeated without asking */

/* Steps of asking instance metadata. */
enum imds_step { IMDS_TOKEN, IMDS_ROLE, IMDS_KEYS };

struct keys {
    struct loop *loop;
    const struct aws_config *config;
    void (*on_change)(void *arg);
    void *arg;

    struct arena arena; /* holds `now` */
    struct aws_keys now;
    bool have;
    bool fetching;
    struct err why; /* of the last failure */
    uint64_t failed_until_ns;

    struct process *process;
    struct buf output;
    struct http_client *http;
    struct ssl_ctx_st *tls;
    unsigned attempts;
    enum imds_step step;
    char *imds_token;
    char *imds_role;
};

/* --- the JSON of all three sources --- */

static void json_free(json_t **own_json) {
    json_decref(*own_json);
}

static struct str member(const json_t *root, const char *name, struct arena *arena) {
    const json_t *value = json_object_get(root, name);
    if (!json_is_string(value) || json_string_length(value) == 0)
        return STR_EMPTY;
    struct str text = {json_string_value(value), json_string_length(value)};
    return arena_str(arena, text);
}

/* Keys go into a header line: no blanks, no control characters. */
static bool is_header_safe(struct str text) {
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] == 0x7f)
            return false;
    return true;
}

int aws_keys_parse(struct str json, struct arena *arena, struct aws_keys *ret_keys,
                   struct err *err) {
    json_error_t where;
    CLEANUP(json_free)
    json_t *root = json.len <= KEYS_BYTES_MAX
                       ? json_loadb(json.ptr ? json.ptr : "", json.len, 0, &where)
                       : NULL;
    if (!json_is_object(root))
        return err_set(err, ERR_PARSE, "the keys are no JSON object");
    struct str code = member(root, "Code", arena);
    if (code.len > 0 && !str_equal(code, STR("Success")))
        return err_set(err, ERR_ACCESS, "no keys: %.*s", STR_ARG(code));
    struct aws_keys keys = {
        .access_key = member(root, "AccessKeyId", arena),
        .secret_key = member(root, "SecretAccessKey", arena),
        .session_token = member(root, "SessionToken", arena),
    };
    if (keys.session_token.len == 0)
        keys.session_token = member(root, "Token", arena);
    if (keys.access_key.len == 0 || keys.secret_key.len == 0)
        return err_set(err, ERR_ACCESS, "AccessKeyId or SecretAccessKey is missing");
    if (!is_header_safe(keys.access_key) || !is_header_safe(keys.session_token))
        return err_set(err, ERR_PARSE, "the keys have characters that no key has");
    struct str expires = member(root, "Expiration", arena);
    if (expires.len > 0 && when_parse(expires, &keys.expires_unix_ms, err) < 0)
        return err_wrap(err, "Expiration");
    *ret_keys = keys;
    return 0;
}

/* --- the end of a fetch --- */

static void fetch_end(struct keys *k) {
    k->fetching = false;
    mem_freep(&k->imds_token);
    mem_freep(&k->imds_role);
    k->on_change(k->arg);
}

static void fetch_failed(struct keys *k, const struct err *why) {
    if (k->config->source == AWS_SOURCE_IMDS)
        err_set(&k->why, ERR_ACCESS,
                "no AWS credentials in the environment, in profile '%.*s' or from instance "
                "metadata (%s)",
                STR_ARG(k->config->profile), why->text);
    else
        err_set(&k->why, ERR_ACCESS, "AWS credentials from %.*s: %s",
                STR_ARG(k->config->source_from), why->text);
    k->failed_until_ns = loop_now_ns(k->loop) + FAILED_NS;
    fetch_end(k);
}

static void fetch_done(struct keys *k, struct str json) {
    struct arena arena = {0};
    struct aws_keys fresh;
    struct err why = {0};
    if (aws_keys_parse(json, &arena, &fresh, &why) < 0) {
        arena_deinit(&arena);
        fetch_failed(k, &why);
        return;
    }
    arena_deinit(&k->arena);
    k->arena = arena;
    k->now = fresh;
    k->have = true;
    fetch_end(k);
}

/* --- credential_process --- */

static void on_output(void *arg, enum process_stream stream, struct str bytes) {
    struct keys *k = arg;
    if (stream == PROCESS_STDOUT)
        buf_add_str(&k->output, bytes);
}

static void on_exit_process(void *arg, const struct process_exit *exit) {
    struct keys *k = arg;
    struct err why;
    bool failed = exit->status != 0 || !buf_ok(&k->output);
    if (failed && exit->timed_out)
        err_set(&why, ERR_TIMEOUT, "credential_process took more than a minute");
    else if (failed)
        err_set(&why, ERR_ACCESS, "credential_process failed with status %d", exit->status);
    process_free(k->process);
    k->process = NULL;
    if (failed)
        fetch_failed(k, &why);
    else
        fetch_done(k, buf_str(&k->output));
}

static int start_process(struct keys *k, struct err *err) {
    struct arena arena = {0};
    const char *argv[] = {"/bin/sh", "-c", arena_text(&arena, k->config->process), NULL};
    struct process_spec spec = {
        .argv = argv,
        .timeout_ns = PROCESS_TIMEOUT_NS,
        .on_output = on_output,
        .on_exit = on_exit_process,
        .arg = k,
    };
    buf_reset(&k->output);
    int result = process_start(k->loop, &spec, &k->process, err);
    arena_deinit(&arena);
    return result;
}

/* --- over HTTP --- */

static void http_ask(struct keys *k, const char *method, struct str path, struct str headers,
                     uint64_t timeout_ns);

static struct str fetch_url(const struct keys *k) {
    return k->config->source == AWS_SOURCE_IMDS ? k->config->imds_url : k->config->container_url;
}

static void imds_ask(struct keys *k) {
    struct arena arena = {0};
    static const char *const path = "/latest/meta-data/iam/security-credentials/";
    struct str token =
        k->imds_token
            ? str_from(arena_printf(&arena, "X-aws-ec2-metadata-token: %s\r\n", k->imds_token))
            : STR_EMPTY;
    switch (k->step) {
    case IMDS_TOKEN:
        http_ask(k, "PUT", STR("/latest/api/token"),
                 STR("X-aws-ec2-metadata-token-ttl-seconds: 21600\r\nContent-Length: 0\r\n"),
                 IMDS_TIMEOUT_NS);
        break;
    case IMDS_ROLE:
        http_ask(k, "GET", str_from(path), token, IMDS_TIMEOUT_NS);
        break;
    case IMDS_KEYS:
        http_ask(k, "GET", str_from(arena_printf(&arena, "%s%s", path, k->imds_role)), token,
                 IMDS_TIMEOUT_NS);
        break;
    }
    arena_deinit(&arena);
}

static void container_ask(struct keys *k) {
    struct arena arena = {0};
    struct http_origin origin;
    struct str path, token = k->config->container_token, header = STR_EMPTY;
    must(http_origin_parse(k->config->container_url, &origin, &path, NULL) == 0);
    if (token.len > 0)
        header = str_from(arena_printf(&arena, "Authorization: %.*s\r\n", STR_ARG(token)));
    http_ask(k, "GET", path, header, CONTAINER_TIMEOUT_NS);
    arena_deinit(&arena);
}

/* A metadata reply; the next step, or the end. */
static void imds_answered(struct keys *k, struct str body) {
    struct str first = STR_EMPTY;
    struct err why;
    ignore(str_line(&body, &first)); /* one line, or the JSON below */
    switch (k->step) {
    case IMDS_TOKEN:
        if (!is_header_safe(first)) {
            err_set(&why, ERR_PROTOCOL, "a strange metadata token");
            fetch_failed(k, &why);
            return;
        }
        k->imds_token = str_dup(first);
        k->step = IMDS_ROLE;
        imds_ask(k);
        return;
    case IMDS_ROLE:
        if (first.len == 0 || !is_header_safe(first)) {
            err_set(&why, ERR_ACCESS, "this instance has no role");
            fetch_failed(k, &why);
            return;
        }
        k->imds_role = str_dup(first);
        k->step = IMDS_KEYS;
        imds_ask(k);
        return;
    case IMDS_KEYS:
        return;
    }
}

static void http_answered(void *arg, const struct http_outcome *outcome) {
    struct keys *k = arg;
    struct err why = outcome->why;
    bool imds = k->config->source == AWS_SOURCE_IMDS;
    bool again = outcome->why.code != ERR_NONE || outcome->status >= 500;
    if (outcome->why.code == ERR_NONE && outcome->status == 200) {
        if (imds && k->step != IMDS_KEYS)
            imds_answered(k, outcome->body);
        else
            fetch_done(k, outcome->body);
        return;
    }
    if (again && !imds && ++k->attempts < FETCH_ATTEMPTS_MAX) {
        container_ask(k);
        return;
    }
    if (outcome->why.code == ERR_NONE && outcome->status == 404)
        err_set(&why, ERR_ACCESS, "there are none (is a role attached?)");
    else if (outcome->why.code == ERR_NONE)
        err_set(&why, ERR_ACCESS, "HTTP %u", outcome->status);
    fetch_failed(k, &why);
}

static void http_ask(struct keys *k, const char *method, struct str path, struct str headers,
                     uint64_t timeout_ns) {
    struct http_origin origin;
    struct str unused;
    struct buf request = BUF_INIT(KEYS_BYTES_MAX);
    must(http_origin_parse(fetch_url(k), &origin, &unused, NULL) == 0);
    bool v6 = str_index_of(origin.host, ':') < origin.host.len;
    buf_printf(&request, "%s %.*s HTTP/1.1\r\nHost: %s%.*s%s:%u\r\nAccept: */*\r\n%.*s\r\n", method,
               STR_ARG(path), v6 ? "[" : "", STR_ARG(origin.host), v6 ? "]" : "", origin.port,
               STR_ARG(headers));
    ignore(http_client_send(k->http, buf_str(&request), timeout_ns, http_answered, k) == NULL);
    buf_deinit(&request);
}

static int start_http(struct keys *k, uint64_t timeout_ns, struct err *err) {
    struct http_client_options options = {
        .connect_timeout_ns = timeout_ns,
        .reply_bytes_max = KEYS_BYTES_MAX,
    };
    struct str path;
    TRY(http_origin_parse(fetch_url(k), &options.origin, &path, err));
    if (options.origin.tls && !k->tls)
        TRY(http_tls_new("", &k->tls, err));
    options.tls_context = k->tls;
    if (!k->http)
        k->http = http_client_new(k->loop, &options);
    k->attempts = 0;
    k->step = IMDS_TOKEN;
    if (k->config->source == AWS_SOURCE_IMDS)
        imds_ask(k);
    else
        container_ask(k);
    return 0;
}

/* --- the outside --- */

struct keys *keys_new(struct loop *loop, const struct aws_config *config,
                      void (*on_change)(void *arg), void *arg) {
    must(config->source != AWS_SOURCE_NONE && on_change);
    struct keys *k = mem_new(sizeof *k);
    k->loop = loop;
    k->config = config;
    k->on_change = on_change;
    k->arg = arg;
    buf_init(&k->output, KEYS_BYTES_MAX);
    if (config->source == AWS_SOURCE_STATIC) {
        k->now = config->keys;
        k->have = true;
    }
    return k;
}

void keys_free(struct keys *own_keys) {
    if (!own_keys)
        return;
    process_free(own_keys->process);
    http_client_free(own_keys->http);
    http_tls_free(own_keys->tls);
    buf_deinit(&own_keys->output);
    mem_free(own_keys->imds_token);
    mem_free(own_keys->imds_role);
    arena_deinit(&own_keys->arena);
    mem_free(own_keys);
}

static void fetch_start(struct keys *k) {
    struct err why = {0};
    int result = 0;
    k->fetching = true;
    switch (k->config->source) {
    case AWS_SOURCE_PROCESS:
        result = start_process(k, &why);
        break;
    case AWS_SOURCE_CONTAINER:
        result = start_http(k, CONTAINER_TIMEOUT_NS, &why);
        break;
    case AWS_SOURCE_IMDS:
        result = start_http(k, IMDS_TIMEOUT_NS, &why);
        break;
    case AWS_SOURCE_STATIC:
    case AWS_SOURCE_NONE:
        must(k->config->source == AWS_SOURCE_IMDS);
    }
    if (result < 0) { /* not through fetch_failed: our caller asks right now */
        k->fetching = false;
        k->why = why;
        k->failed_until_ns = loop_now_ns(k->loop) + FAILED_NS;
    }
}

enum keys_state keys_get(struct keys *k, int64_t now_unix_ms, struct aws_keys *ret_keys,
                         struct err *err) {
    int64_t left_ms = k->now.expires_unix_ms - now_unix_ms;
    bool expires = k->have && k->now.expires_unix_ms > 0;
    bool dead = !k->have || (expires && left_ms <= 0);
    bool due = dead || (expires && left_ms < KEYS_RENEW_MS);
    bool pause = loop_now_ns(k->loop) < k->failed_until_ns;
    if (due && !k->fetching && !pause && k->config->source != AWS_SOURCE_STATIC)
        fetch_start(k);
    if (!dead) {
        *ret_keys = k->now;
        return KEYS_READY;
    }
    if (k->fetching)
        return KEYS_WAITING;
    err_set(err, ERR_ACCESS, "%s", k->why.text);
    return KEYS_FAILED;
}

void keys_expire(struct keys *k) {
    if (k->config->source != AWS_SOURCE_STATIC)
        k->have = false;
}
