#include "emu/front_parts.h"

#include "base/when.h"

#include <jansson.h>
#include <stdlib.h>

/* Instants as milliseconds of the wall clock; null: has not happened. */
static json_t *instant(const struct front *f, uint64_t at_ns) {
    return at_ns == 0 ? json_null() : json_integer(cloud_unix_ms(f->cloud, at_ns));
}

static json_t *tags_json(const struct cloud_tags *tags) {
    json_t *out = json_object();
    for (size_t i = 0; tags && i < tags->count; i++)
        json_object_set_new(out, tags->items[i].key, json_string(tags->items[i].value));
    return out;
}

static json_t *ip_json(uint32_t ip) {
    return json_sprintf("%u.%u.%u.%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255);
}

static void set(json_t *object, const char *key, json_t *own_value) {
    must(json_object_set_new(object, key, own_value) == 0);
}

static json_t *instance_json(const struct front *f, const struct cloud_instance *in,
                             uint64_t now_ns) {
    json_t *o = json_object();
    int pid = f->events.pid(f->events.arg, str_from(in->id));
    set(o, "id", json_string(in->id));
    set(o, "state", json_string(cloud_state_name(in->state)));
    set(o, "type", json_string(in->type->name));
    set(o, "zone", json_string(cloud_zone_name(f->cloud, in->zone)));
    set(o, "spot", json_boolean(in->spot));
    set(o, "private_ip", ip_json(in->last_ip));
    set(o, "fleet_id", json_string(in->fleet_id));
    set(o, "client_token", json_string(in->client_token ? in->client_token : ""));
    set(o, "dud", json_string(cloud_dud_name(in->dud)));
    set(o, "slow", json_boolean(in->slow));
    set(o, "interrupted", json_boolean(in->interrupted));
    set(o, "halted", json_boolean(in->halted));
    set(o, "reason", json_string(in->reason_code));
    set(o, "asked_unix_ms", instant(f, in->asked_ns));
    set(o, "running_unix_ms", instant(f, in->running_ns));
    set(o, "booted_unix_ms", instant(f, in->booted_ns));
    set(o, "notice_unix_ms", instant(f, in->notice_ns));
    set(o, "ending_unix_ms", instant(f, in->ending_ns));
    set(o, "ended_unix_ms", instant(f, in->ended_ns));
    set(o, "billed_usd_micro", json_integer((json_int_t)cloud_bill(f->cloud, in, now_ns)));
    set(o, "pid", pid > 0 ? json_integer(pid) : json_null());
    set(o, "tags", tags_json(&in->tags));
    return o;
}

static json_t *resource_json(const struct front *f, const struct cloud_resource *r) {
    json_t *o = json_object();
    set(o, "kind", json_string(cloud_resource_kind_name(r->kind)));
    set(o, "id", json_string(r->id));
    set(o, "name", json_string(r->name ? r->name : ""));
    set(o, "state", json_string(r->state ? r->state : ""));
    set(o, "exists", json_boolean(r->exists));
    set(o, "built_in", json_boolean(r->built_in));
    set(o, "created_unix_ms", instant(f, r->created_ns));
    set(o, "deleted_unix_ms", instant(f, r->deleted_ns));
    set(o, "tags", tags_json(r->tags));
    return o;
}

static json_t *call_json(const struct front *f, const struct cloud_call_record *call) {
    json_t *o = json_object();
    set(o, "number", json_integer((json_int_t)call->number));
    set(o, "unix_ms", instant(f, call->now_ns));
    set(o, "action", json_string(call->action));
    set(o, "token", json_string(call->token));
    set(o, "outcome", json_string(call->outcome));
    set(o, "fault", json_string(call->fault));
    set(o, "launched", json_integer(call->launched));
    set(o, "ended", json_integer(call->ended));
    set(o, "dry_run", json_boolean(call->dry_run));
    return o;
}

static json_t *totals_json(const struct front *f, uint64_t now_ns) {
    struct cloud_totals t;
    cloud_truth_totals(f->cloud, now_ns, &t);
    json_t *o = json_object();
    set(o, "instances", json_integer(t.instances));
    set(o, "pending", json_integer(t.pending));
    set(o, "running", json_integer(t.running));
    set(o, "shutting_down", json_integer(t.shutting_down));
    set(o, "stopping", json_integer(t.stopping));
    set(o, "stopped", json_integer(t.stopped));
    set(o, "terminated", json_integer(t.terminated));
    set(o, "running_max", json_integer(t.running_max));
    set(o, "resources", json_integer(t.resources));
    set(o, "left", json_integer((json_int_t)t.instances - t.terminated + t.resources));
    set(o, "calls", json_integer((json_int_t)t.calls));
    set(o, "calls_failed", json_integer((json_int_t)t.calls_failed));
    set(o, "calls_throttled", json_integer((json_int_t)t.calls_throttled));
    set(o, "billed_usd_micro", json_integer((json_int_t)t.billed_usd_micro));
    return o;
}

void truth_write(const struct front *f, bool with_calls, struct buf *out) {
    uint64_t now_ns = loop_now_ns(f->loop);
    json_t *root = json_object();
    set(root, "schema", json_string("dayfly.truth/1"));
    set(root, "now_unix_ms", instant(f, now_ns));
    set(root, "region", json_stringn(cloud_region(f->cloud).ptr, cloud_region(f->cloud).len));
    set(root, "isolate", json_string(f->isolate));
    set(root, "gateway", json_string(f->endpoint->gateway));
    set(root, "totals", totals_json(f, now_ns));
    json_t *instances = json_array();
    size_t cursor = 0;
    const struct cloud_instance *in;
    while ((in = cloud_truth_instance(f->cloud, &cursor)))
        json_array_append_new(instances, instance_json(f, in, now_ns));
    set(root, "instances", instances);
    json_t *resources = json_array();
    struct cloud_resource resource;
    cursor = 0;
    while (cloud_truth_resource(f->cloud, &cursor, &resource))
        json_array_append_new(resources, resource_json(f, &resource));
    set(root, "resources", resources);
    json_t *calls = json_array();
    const struct cloud_call_record *call;
    cursor = 0;
    while (with_calls && (call = cloud_truth_call(f->cloud, &cursor)))
        json_array_append_new(calls, call_json(f, call));
    set(root, "calls", calls);
    char *text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    must(text);
    buf_add_text(out, text);
    free(text);
}
