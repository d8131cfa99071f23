/* What really is, for tests and checkers: no visibility, no pages, nothing forgotten. */
#include "cloud/state.h"

const struct cloud_instance *cloud_truth_instance(const struct cloud *c, size_t *cursor) {
    must(c && cursor);
    return *cursor < c->instances.count ? &c->instances.items[(*cursor)++]->pub : NULL;
}

const char *cloud_resource_kind_name(enum cloud_resource_kind k) {
    static const char *const names[] = {"security-group", "launch-template", "key-pair", "fleet"};
    must(k < ARRAY_LEN(names));
    return names[k];
}

static struct cloud_resource truth_group(const struct group *g) {
    return (struct cloud_resource){.kind = CLOUD_SECURITY_GROUP,
                                   .id = g->id,
                                   .name = g->name,
                                   .state = g->exists ? "active" : "deleted",
                                   .exists = g->exists,
                                   .built_in = g->built_in,
                                   .created_ns = g->created_ns,
                                   .deleted_ns = g->deleted_ns,
                                   .tags = &g->tags};
}

static struct cloud_resource truth_template(const struct template *t) {
    return (struct cloud_resource){.kind = CLOUD_LAUNCH_TEMPLATE,
                                   .id = t->id,
                                   .name = t->name,
                                   .state = t->exists ? "active" : "deleted",
                                   .exists = t->exists,
                                   .created_ns = t->created_ns,
                                   .deleted_ns = t->deleted_ns,
                                   .tags = &t->tags};
}

static struct cloud_resource truth_key(const struct key_pair *k) {
    return (struct cloud_resource){.kind = CLOUD_KEY_PAIR,
                                   .id = k->id,
                                   .name = k->name,
                                   .state = k->exists ? "active" : "deleted",
                                   .exists = k->exists,
                                   .created_ns = k->created_ns,
                                   .deleted_ns = k->deleted_ns,
                                   .tags = &k->tags};
}

static struct cloud_resource truth_fleet(const struct cloud *c, const struct fleet *f) {
    return (struct cloud_resource){.kind = CLOUD_FLEET,
                                   .id = f->id,
                                   .name = "",
                                   .state = fleet_state(c, f),
                                   .exists = f->exists,
                                   .created_ns = f->created_ns,
                                   .deleted_ns = f->deleted_ns,
                                   .tags = &f->tags};
}

bool cloud_truth_resource(const struct cloud *c, size_t *cursor,
                          struct cloud_resource *ret_resource) {
    must(c && cursor && ret_resource);
    size_t n = (*cursor)++;
    if (n < c->groups.count)
        *ret_resource = truth_group(c->groups.items[n]);
    else if ((n -= c->groups.count) < c->templates.count)
        *ret_resource = truth_template(c->templates.items[n]);
    else if ((n -= c->templates.count) < c->keys.count)
        *ret_resource = truth_key(c->keys.items[n]);
    else if ((n -= c->keys.count) < c->fleets.count)
        *ret_resource = truth_fleet(c, c->fleets.items[n]);
    else
        return false;
    return true;
}

const struct cloud_call_record *cloud_truth_call(const struct cloud *c, size_t *cursor) {
    must(c && cursor);
    uint64_t kept = MIN(c->call_count, CLOUD_CALLS_MAX);
    if (*cursor >= kept)
        return NULL;
    return &c->calls[(c->call_count - kept + (*cursor)++) % CLOUD_CALLS_MAX];
}

void cloud_truth_totals(const struct cloud *c, uint64_t now_ns, struct cloud_totals *ret_totals) {
    must(c && ret_totals);
    struct cloud_totals t = {.instances = (uint32_t)c->instances.count,
                             .running_max = c->running_max,
                             .calls = c->call_count,
                             .calls_failed = c->calls_failed,
                             .calls_throttled = c->calls_throttled};
    uint32_t *const counts[] = {&t.pending,    &t.running,  &t.shutting_down,
                                &t.terminated, &t.stopping, &t.stopped};
    for (size_t n = 0; n < c->instances.count; n++) {
        const struct cloud_instance *i = &c->instances.items[n]->pub;
        must(i->state < ARRAY_LEN(counts));
        (*counts[i->state])++;
        t.billed_usd_micro += cloud_bill(c, i, now_ns);
    }
    must(t.running == c->running);
    size_t cursor = 0;
    struct cloud_resource r;
    while (cloud_truth_resource(c, &cursor, &r))
        t.resources += r.exists && !r.built_in && r.kind != CLOUD_FLEET;
    *ret_totals = t;
}
