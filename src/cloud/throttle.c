/* Token buckets per action, and per touched instance for launches and terminations, with the sizes
 * that EC2's page on request throttling gives. */
#include "cloud/state.h"

struct bucket_size {
    uint32_t max;   /* tokens */
    uint32_t per_s; /* refill */
};

static const struct bucket_size throttle_non_mutating = {100, 20};
static const struct bucket_size throttle_bare = {50, 10}; /* neither filters nor pages */

static struct bucket_size throttle_size(enum ec2_action action) {
    switch (action) {
    case EC2_RUN_INSTANCES:
        return (struct bucket_size){5, 2};
    case EC2_TERMINATE_INSTANCES:
    case EC2_CREATE_LAUNCH_TEMPLATE_VERSION:
        return (struct bucket_size){100, 5};
    case EC2_CREATE_TAGS:
    case EC2_DELETE_TAGS:
        return (struct bucket_size){100, 10};
    default:
        if (ec2_action_mutates(action))
            return (struct bucket_size){50, 5};
        return throttle_non_mutating;
    }
}

/* Take `tokens`; false when there are not that many.  A bucket starts full. */
static bool bucket_take(struct bucket *b, struct bucket_size size, uint64_t now_ns,
                        uint64_t tokens) {
    uint64_t full = (uint64_t)size.max * 1000000;
    if (!b->started) {
        b->started = true;
        b->micro = full;
    } else {
        uint64_t idle_ns = MIN(now_ns - b->filled_ns, 10000 * NS_PER_S);
        b->micro = MIN(full, b->micro + idle_ns * size.per_s / 1000);
    }
    b->filled_ns = now_ns;
    if (tokens * 1000000 > b->micro)
        return false;
    b->micro -= tokens * 1000000;
    return true;
}

static bool throttle_is_bare(const struct ec2_request *in) {
    switch (in->action) {
    case EC2_DESCRIBE_INSTANCES: {
        const struct ec2_describe_instances_in *d = &in->describe_instances;
        return !d->ids.count && !d->filters.count && !d->max_results;
    }
    case EC2_DESCRIBE_INSTANCE_STATUS: {
        const struct ec2_describe_instance_status_in *d = &in->describe_instance_status;
        return !d->ids.count && !d->filters.count && !d->max_results;
    }
    case EC2_DESCRIBE_SECURITY_GROUPS: {
        const struct ec2_describe_security_groups_in *d = &in->describe_security_groups;
        return !d->ids.count && !d->names.count && !d->filters.count && !d->max_results;
    }
    case EC2_DESCRIBE_VOLUMES: {
        const struct ec2_describe_volumes_in *d = &in->describe_volumes;
        return !d->ids.count && !d->filters.count && !d->max_results;
    }
    default:
        return false;
    }
}

static bool throttle_take_resources(struct cloud *c, const struct ec2_request *in) {
    struct bucket *b = &c->resource_buckets[in->action];
    switch (in->action) {
    case EC2_RUN_INSTANCES: {
        uint64_t wanted = (uint64_t)MAX(in->run_instances.max_count, 1);
        return bucket_take(b, (struct bucket_size){1000, 2}, c->now_ns, MIN(wanted, 100000));
    }
    case EC2_TERMINATE_INSTANCES:
        return bucket_take(b, (struct bucket_size){1000, 20}, c->now_ns,
                           in->terminate_instances.ids.count);
    case EC2_STOP_INSTANCES:
        return bucket_take(b, (struct bucket_size){1000, 20}, c->now_ns,
                           in->stop_instances.ids.count);
    default:
        return true;
    }
}

int throttle_take(struct ctx *x) {
    struct cloud *c = x->c;
    enum ec2_action action = x->in->action;
    must(action < EC2_ACTION_COUNT);
    if (!c->options.throttle)
        return 0;
    bool bare = throttle_is_bare(x->in);
    struct bucket *b = bare ? &c->bare_buckets[action] : &c->buckets[action];
    struct bucket_size size = bare ? throttle_bare : throttle_size(action);
    if (bucket_take(b, size, c->now_ns, 1) && throttle_take_resources(c, x->in))
        return 0;
    c->calls_throttled++;
    return ec2_fault_set(x->fault, "RequestLimitExceeded", "Request limit exceeded.");
}
