#include "emu/front_parts.h"

#include "base/units.h"

#include <event2/keyvalq_struct.h>
#include <openssl/crypto.h>

#define TRUTH_BYTES_MAX (64 * MIB)

/* One call of /_dayfly/: `GET truth[?calls=no]`, `POST stop`, `POST interrupt?id=ID[&notice=2m]`,
 * `POST crash|freeze|thaw?id=ID`, `POST fault?rule=RULE`, `POST faults-reset`,
 * `POST capacity[?rule=RULE...]` (none: no limit any more). */
struct control {
    struct front *front;
    struct evkeyvalq query;
    struct buf out; /* JSON */
};

static bool has_token(const struct front *f, struct evhttp_request *req) {
    const char *token = evhttp_find_header(evhttp_request_get_input_headers(req), "X-Dayfly-Token");
    size_t size = strlen(f->endpoint->token);
    return token && strlen(token) == size && CRYPTO_memcmp(token, f->endpoint->token, size) == 0;
}

static struct str query_text(const struct control *c, const char *key) {
    return str_from(evhttp_find_header(&c->query, key));
}

static int control_interrupt(struct control *c, struct err *err) {
    struct front *f = c->front;
    uint64_t notice_ns = 120 * NS_PER_S;
    struct str notice = query_text(c, "notice");
    if (notice.len > 0)
        TRY(units_duration(notice, &notice_ns, err));
    TRY(cloud_interrupt(f->cloud, loop_now_ns(f->loop), query_text(c, "id"), notice_ns, err));
    f->events.changed(f->events.arg);
    return 0;
}

static int control_fault(struct control *c, struct err *err) {
    struct fault_rule rule;
    TRY(fault_parse(query_text(c, "rule"), &rule, err));
    return cloud_fault_add(c->front->cloud, &rule, err);
}

static int control_capacity(struct control *c, struct err *err) {
    struct cloud_options *o = mem_new(sizeof *o);
    int result = 0;
    for (const struct evkeyval *h = c->query.tqh_first; result == 0 && h; h = h->next.tqe_next)
        if (strcmp(h->key, "rule") == 0)
            result = cloud_options_capacity(o, str_from(h->value), err);
    if (result == 0)
        cloud_capacity_set(c->front->cloud, o->capacity, o->capacity_count);
    mem_free(o);
    return result;
}

static int control_do(struct control *c, struct str what, struct err *err) {
    struct front *f = c->front;
    if (str_equal(what, STR("interrupt")))
        return control_interrupt(c, err);
    if (str_equal(what, STR("fault")))
        return control_fault(c, err);
    if (str_equal(what, STR("capacity")))
        return control_capacity(c, err);
    if (str_equal(what, STR("faults-reset"))) {
        cloud_faults_reset(f->cloud);
        return 0;
    }
    if (str_equal(what, STR("stop"))) {
        f->events.stop(f->events.arg);
        return 0;
    }
    if (str_equal(what, STR("crash")) || str_equal(what, STR("freeze")) ||
        str_equal(what, STR("thaw"))) {
        struct str id = query_text(c, "id");
        if (f->events.chaos(f->events.arg, what, id))
            return 0;
        return err_set(err, ERR_NOT_FOUND, "nothing of '%.*s' runs", STR_ARG(id));
    }
    return err_set(err, ERR_NOT_FOUND, "no such control: %.*s", STR_ARG(what));
}

static void add_json_text(struct buf *out, const char *text) {
    buf_add_byte(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            buf_add_byte(out, '\\');
        buf_add_byte(out, (unsigned char)*text < 0x20 ? ' ' : *text);
    }
    buf_add_byte(out, '"');
}

/* Returns the HTTP status. */
static unsigned control_run(struct control *c, struct evhttp_request *req, struct str what) {
    struct err err = {0};
    bool post = evhttp_request_get_command(req) == EVHTTP_REQ_POST;
    if (!has_token(c->front, req)) {
        buf_add_text(&c->out, "{\"error\":\"X-Dayfly-Token is missing or wrong\"}");
        return 403;
    }
    if (!post && str_equal(what, STR("truth"))) {
        truth_write(c->front, !str_equal(query_text(c, "calls"), STR("no")), &c->out);
        return 200;
    }
    if (post && control_do(c, what, &err) == 0) {
        buf_add_text(&c->out, "{\"ok\":true}");
        return 200;
    }
    buf_add_text(&c->out, "{\"error\":");
    add_json_text(&c->out, err.code != ERR_NONE ? err.text : "not this method");
    buf_add_byte(&c->out, '}');
    if (!post)
        return 405;
    return err.code == ERR_NOT_FOUND ? 404 : 400;
}

void control_handle(struct front *f, struct evhttp_request *req, struct str body) {
    (void)body;
    struct control c = {.front = f, .out = BUF_INIT(TRUTH_BYTES_MAX)};
    struct str path = str_skip(str_from(evhttp_request_get_uri(req)), strlen("/_dayfly/"));
    size_t mark = str_index_of(path, '?');
    struct str what = str_slice(path, 0, mark);
    struct str query = str_skip(path, mark + (mark < path.len ? 1 : 0));
    unsigned status = 400;
    if (evhttp_parse_query_str(query.len > 0 ? query.ptr : "", &c.query) == 0)
        status = control_run(&c, req, what);
    evhttp_clear_headers(&c.query);
    if (!buf_ok(&c.out)) {
        buf_reset(&c.out);
        buf_add_text(&c.out, "{\"error\":\"too much truth for one answer\"}");
        status = 500;
    }
    struct answer_spec spec = {.status = status,
                               .content_type = "application/json",
                               .request_id = "",
                               .way = ANSWER_SEND,
                               .body = &c.out};
    answer_later(f, req, &spec);
    buf_deinit(&c.out);
}
