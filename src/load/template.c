#include "load/engine.h"

static bool has_header(const struct load_header *headers, uint32_t count, struct str name) {
    for (uint32_t i = 0; i < count; i++)
        if (str_equal_nocase(headers[i].name, name))
            return true;
    return false;
}

/* Text that may stand in a head: no line breaks, which would let it add headers of its own. */
static bool is_plain(struct str text, bool blanks) {
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c < 0x20 ? c != '\t' || !blanks : c == 0x7f || (c == ' ' && !blanks))
            return false;
    }
    return true;
}

static int header_add(struct buf *bytes, const struct load_header *header, struct err *err) {
    if (header->name.len == 0 || !is_plain(header->name, false) ||
        str_contains(header->name, STR(":")) || !is_plain(header->value, true))
        return err_set(err, ERR_USAGE, "not a header: '%.*s: %.*s'", STR_ARG(header->name),
                       STR_ARG(header->value));
    buf_add_str(bytes, header->name);
    buf_add_text(bytes, ": ");
    buf_add_str(bytes, header->value);
    buf_add_text(bytes, "\r\n");
    return 0;
}

static void host_add(struct buf *bytes, const struct load_spec *spec) {
    bool v6 = str_contains(spec->host, STR(":"));
    buf_printf(bytes, v6 ? "Host: [%.*s]" : "Host: %.*s", STR_ARG(spec->host));
    if (spec->port != (spec->tls ? 443 : 80))
        buf_printf(bytes, ":%u", spec->port);
    buf_add_text(bytes, "\r\n");
}

static int head_make(struct buf *bytes, const struct load_spec *spec,
                     const struct load_request *request, struct err *err) {
    if (request->method.len == 0 || !is_plain(request->method, false))
        return err_set(err, ERR_USAGE, "not a method: '%.*s'", STR_ARG(request->method));
    if (request->target.len == 0 || !is_plain(request->target, false))
        return err_set(err, ERR_USAGE, "not a path: '%.*s'", STR_ARG(request->target));
    buf_printf(bytes, "%.*s %.*s HTTP/1.1\r\n", STR_ARG(request->method), STR_ARG(request->target));
    struct str host = STR("host"), agent = STR("user-agent");
    if (!has_header(request->headers, request->header_count, host) &&
        !has_header(spec->headers, spec->header_count, host))
        host_add(bytes, spec);
    if (!has_header(request->headers, request->header_count, agent) &&
        !has_header(spec->headers, spec->header_count, agent))
        buf_add_text(bytes, "User-Agent: dayfly/" DAYFLY_VERSION "\r\n");
    for (uint32_t i = 0; i < spec->header_count; i++)
        if (!has_header(request->headers, request->header_count, spec->headers[i].name))
            TRY(header_add(bytes, &spec->headers[i], err));
    for (uint32_t i = 0; i < request->header_count; i++)
        TRY(header_add(bytes, &request->headers[i], err));
    if (spec->close_each)
        buf_add_text(bytes, "Connection: close\r\n");
    bool says_length = has_header(request->headers, request->header_count, STR("content-length"));
    if ((request->body.len > 0 || str_equal(request->method, STR("POST")) ||
         str_equal(request->method, STR("PUT")) || str_equal(request->method, STR("PATCH"))) &&
        !says_length)
        buf_printf(bytes, "Content-Length: %zu\r\n", request->body.len);
    buf_add_text(bytes, "\r\n");
    return 0;
}

static int pattern_make(struct template *t, struct str pattern, struct err *err) {
    if (pattern.len == 0)
        return 0;
    CLEANUP(mem_freep) char *text = str_dup(pattern);
    int result = regcomp(&t->pattern, text, REG_EXTENDED | REG_NOSUB);
    if (result != 0) {
        char why[128];
        regerror(result, &t->pattern, why, sizeof why);
        return err_set(err, ERR_USAGE, "not a regular expression: '%s': %s", text, why);
    }
    t->has_pattern = true;
    return 0;
}

static bool is_idempotent(struct str method) {
    static const struct str methods[] = {STR_INIT("GET"), STR_INIT("HEAD"), STR_INIT("PUT"),
                                         STR_INIT("DELETE"), STR_INIT("OPTIONS")};
    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (str_equal(method, methods[i]))
            return true;
    return false;
}

static int template_make(struct template *t, const struct load_spec *spec,
                         const struct load_request *request, struct err *err) {
    buf_init(&t->bytes, LOAD_REQUEST_BYTES_MAX);
    t->name = str_dup(request->name);
    TRY(head_make(&t->bytes, spec, request, err));
    buf_add_str(&t->bytes, request->body);
    if (!buf_ok(&t->bytes))
        return err_set(err, ERR_LIMIT, "more than %d bytes", LOAD_REQUEST_BYTES_MAX);
    t->is_head = str_equal(request->method, STR("HEAD"));
    t->may_retry = is_idempotent(request->method);
    bool any = request->status_min == 0 && request->status_max == 0;
    t->status_min = any ? 200 : request->status_min;
    t->status_max = any ? 399 : request->status_max;
    if (t->status_min > t->status_max)
        return err_set(err, ERR_USAGE, "expected status %u-%u", t->status_min, t->status_max);
    t->time_max_ns = request->time_max_ns;
    if (request->body_contains.len > 0) {
        t->contains = str_dup(request->body_contains);
        t->contains_len = request->body_contains.len;
    }
    return pattern_make(t, request->body_pattern, err);
}

int templates_make(struct load *load, const struct load_spec *spec, struct err *err) {
    if (spec->request_count == 0 || spec->request_count > REQUESTS_MAX)
        return err_set(err, ERR_USAGE, "%u requests, 1..%d can be", spec->request_count,
                       REQUESTS_MAX);
    load->templates = mem_new_array(spec->request_count, sizeof *load->templates);
    for (uint32_t i = 0; i < spec->request_count; i++) {
        const struct load_request *request = &spec->requests[i];
        struct template *t = &load->templates[i];
        load->template_count++;
        if (template_make(t, spec, request, err) < 0)
            return err_wrap(err, "request '%.*s'", STR_ARG(request->name));
        if (request->weight == 0)
            return err_set(err, ERR_USAGE, "request '%.*s': weight 0", STR_ARG(request->name));
        load->weights += request->weight;
        t->weight_until = load->weights;
        load->wants_bodies |= t->contains || t->has_pattern;
    }
    return 0;
}

void templates_free(struct load *load) {
    for (uint32_t i = 0; i < load->template_count; i++) {
        struct template *t = &load->templates[i];
        mem_free(t->name);
        mem_free(t->contains);
        buf_deinit(&t->bytes);
        if (t->has_pattern)
            regfree(&t->pattern);
    }
    mem_free(load->templates);
}

/* splitmix64's output step: neighbouring numbers give unrelated choices. */
static uint64_t mix(uint64_t x) {
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

uint32_t template_of_weight(const struct load *load, uint64_t weight) {
    must(weight < load->weights);
    uint32_t low = 0, high = load->template_count - 1;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (weight < load->templates[middle].weight_until)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

uint32_t template_pick(const struct load *load, uint64_t number) {
    if (load->template_count == 1)
        return 0;
    return template_of_weight(load, mix(load->spec.seed ^ mix(number)) % load->weights);
}

static bool body_matches(const struct template *t, const struct buf *body) {
    struct str text = buf_str(body);
    struct str contains = {t->contains, t->contains_len};
    if (t->contains && !str_contains(text, contains))
        return false;
    if (!t->has_pattern)
        return true;
    regmatch_t span = {.rm_so = 0, .rm_eo = (regoff_t)text.len};
    return regexec(&t->pattern, text.ptr, 0, &span, REG_STARTEND) == 0;
}

enum load_error template_judge(const struct template *t, const struct conn *conn,
                               uint64_t service_ns) {
    uint16_t status = conn->reply.status;
    if (status < t->status_min || status > t->status_max)
        return LOAD_ERROR_STATUS;
    if (t->time_max_ns > 0 && service_ns > t->time_max_ns)
        return LOAD_ERROR_EXPECT;
    if ((t->contains || t->has_pattern) && !body_matches(t, conn->body))
        return LOAD_ERROR_EXPECT;
    return LOAD_ERROR_COUNT;
}
