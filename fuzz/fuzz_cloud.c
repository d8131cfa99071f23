/* Any sequence of form bodies, one a line, against one cloud: whatever is asked, the answer can be
 * encoded and decoded again, no instance has two ends, and addresses belong to one instance.
 * `@id` stands for the id of the newest instance and `+` alone for ten seconds. */
#include "fuzz.h"

#include "cloud/cloud.h"
#include "codec/ec2.h"

#define CALLS_MAX 40

static void check_answer(const struct ec2_request *request, const struct cloud_outcome *out) {
    struct buf wire = BUF_INIT(REPLY_BYTES_MAX);
    struct arena arena = {0};
    struct ec2_reply *again = arena_new(&arena, sizeof *again);
    struct ec2_fault fault = {0};
    struct err err = {0};
    if (out->failed) {
        must(out->fault->http_status >= 400 && out->fault->code[0] != '\0');
        ec2_fault_encode(out->fault, out->request_id, &wire);
        must(ec2_fault_decode(out->fault->http_status, buf_str(&wire), &fault, &err) == 0);
        must(strcmp(fault.code, out->fault->code) == 0);
    } else {
        ec2_reply_encode(out->reply, &wire);
        must(!buf_ok(&wire) ||
             ec2_reply_decode(request->action, buf_str(&wire), &arena, again, &fault, &err) == 0);
    }
    arena_deinit(&arena);
    buf_deinit(&wire);
}

static void check_cloud(const struct cloud *c, uint64_t now_ns) {
    struct cloud_totals t;
    cloud_truth_totals(c, now_ns, &t);
    must(t.instances ==
         t.pending + t.running + t.shutting_down + t.terminated + t.stopping + t.stopped);
    size_t cursor = 0;
    const struct cloud_instance *i = NULL;
    while (t.instances <= 50 && (i = cloud_truth_instance(c, &cursor))) {
        must((i->state == CLOUD_TERMINATED) == (i->private_ip == 0));
        must(i->private_ip == 0 || cloud_instance_by_ip(c, i->private_ip) == i);
        must(cloud_instance_find(c, str_from(i->id)) == i);
    }
}

/* Copy `line` with every "@id" replaced. */
static void expand(const struct cloud *c, struct str line, struct buf *out) {
    struct str id = STR("i-00000000000000000");
    size_t cursor = 0;
    const struct cloud_instance *i = NULL;
    while ((i = cloud_truth_instance(c, &cursor)))
        id = str_from(i->id);
    while (line.len > 0) {
        size_t at = str_index_of_str(line, STR("@id"));
        buf_add_str(out, str_slice(line, 0, at));
        if (at < line.len)
            buf_add_str(out, id);
        line = str_skip(line, at < line.len ? at + 3 : at);
    }
}

static void call(struct cloud *c, uint64_t now_ns, struct str body) {
    struct arena arena = {0};
    struct ec2_request *request = arena_new(&arena, sizeof *request);
    struct ec2_fault fault = {0};
    if (ec2_request_decode(body, &arena, request, &fault) == 0) {
        struct cloud_call in = {.now_ns = now_ns, .request = request};
        struct cloud_outcome out;
        cloud_handle(c, &in, &arena, &out);
        check_answer(request, &out);
    }
    arena_deinit(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct cloud_options o;
    cloud_options_init(&o);
    o.pending_ns = o.stopping_ns = (struct cloud_range){NS_PER_S, 5 * NS_PER_S};
    o.visible_ns = (struct cloud_range){0, NS_PER_S};
    o.interrupt_every_ns = 25 * NS_PER_S;
    must(cloud_options_capacity(&o, STR("*.large=40"), NULL) == 0);
    must(cloud_options_capacity(&o, STR("*=200"), NULL) == 0);
    struct cloud *c = cloud_new(&o);
    struct str rest = {(const char *)data, size};
    struct str line;
    uint64_t now_ns = o.start_ns;
    for (int n = 0; n < CALLS_MAX && str_line(&rest, &line); n++) {
        struct buf body = BUF_INIT(64 * KIB);
        struct cloud_effect effect;
        if (str_equal(line, STR("+")))
            now_ns += 10 * NS_PER_S;
        expand(c, line, &body);
        cloud_tick(c, now_ns);
        call(c, now_ns, buf_str(&body));
        while (cloud_effect_take(c, &effect))
            must(effect.instance->running_ns > 0);
        check_cloud(c, now_ns);
        buf_deinit(&body);
    }
    cloud_free(c);
    return 0;
}
