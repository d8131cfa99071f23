/* TerminateInstances and StopInstances: all or nothing on a bad id. */
#include "cloud/state.h"

#define IDS_MAX 1000

static bool ending_is_id(struct str id) {
    if (!str_starts_with(id, STR("i-")) || (id.len != 10 && id.len != 19))
        return false;
    for (size_t n = 2; n < id.len; n++)
        if (!((id.ptr[n] >= '0' && id.ptr[n] <= '9') || (id.ptr[n] >= 'a' && id.ptr[n] <= 'f')))
            return false;
    return true;
}

int instance_get(struct ctx *x, struct str id, struct instance **ret_instance) {
    if (!ending_is_id(id))
        return ec2_fault_set(x->fault, "InvalidInstanceID.Malformed", "Invalid id: \"%.*s\"",
                             STR_ARG(id));
    struct instance *i = instance_find(x->c, id);
    if (!i || !instance_is_visible(x->c, i, x->seen_ns))
        return ec2_fault_set(x->fault, "InvalidInstanceID.NotFound",
                             "The instance ID '%.*s' does not exist", STR_ARG(id));
    *ret_instance = i;
    return 0;
}

static int ending_check(struct ctx *x, const struct ec2_strs *ids, struct instance **found) {
    if (ids->count > IDS_MAX)
        return ec2_fault_set(x->fault, "RequestResourceCountExceeded",
                             "At most %d instances a call", IDS_MAX);
    for (size_t n = 0; n < ids->count; n++)
        TRY(instance_get(x, ids->items[n], &found[n]));
    return 0;
}

static struct ec2_instance_state ending_state(enum cloud_state s) {
    return (struct ec2_instance_state){.code = EC2_INT(cloud_state_code(s)),
                                       .name = str_from(cloud_state_name(s))};
}

/* A protected instance keeps every instance of the call that is in its zone. */
static const struct instance *ending_protected(struct instance *const *found, size_t count,
                                               unsigned zone) {
    for (size_t n = 0; n < count; n++)
        if (found[n]->protected && found[n]->pub.zone == zone)
            return found[n];
    return NULL;
}

int ending_terminate(struct ctx *x) {
    const struct ec2_strs *ids = &x->in->terminate_instances.ids;
    struct instance **found = arena_new_array(x->arena, ids->count + 1, sizeof(void *));
    const struct instance *protected = NULL;
    TRY(ending_check(x, ids, found));
    for (size_t n = 0; n < ids->count; n++) {
        struct instance *i = found[n];
        enum cloud_state before = i->pub.state;
        const struct instance *blocker = ending_protected(found, ids->count, i->pub.zone);
        if (blocker) {
            protected = blocker;
            continue;
        }
        x->ended += instance_terminate(x->c, i, "Client.UserInitiatedShutdown",
                                       "Client.UserInitiatedShutdown: User initiated shutdown");
        *LIST_ADD(x->arena, &x->out->terminate_instances.changes) = (struct ec2_state_change){
            .instance_id = str_from(i->pub.id),
            .current = ending_state(i->pub.state),
            .previous = ending_state(before),
        };
    }
    if (protected)
        return ec2_fault_set(x->fault, "OperationNotPermitted",
                             "The instance '%s' may not be terminated. Modify its "
                             "'disableApiTermination' instance attribute and try again.",
                             protected->pub.id);
    return 0;
}

int ending_stop(struct ctx *x) {
    const struct ec2_strs *ids = &x->in->stop_instances.ids;
    struct instance **found = arena_new_array(x->arena, ids->count + 1, sizeof(void *));
    TRY(ending_check(x, ids, found));
    for (size_t n = 0; n < ids->count; n++) {
        const struct cloud_instance *i = &found[n]->pub;
        if (i->spot)
            return ec2_fault_set(x->fault, "UnsupportedOperation",
                                 "You can't stop the Spot Instance '%s' because it is associated "
                                 "with a one-time Spot Instance request.",
                                 i->id);
        if (i->state != CLOUD_RUNNING && i->state != CLOUD_STOPPING && i->state != CLOUD_STOPPED)
            return ec2_fault_set(
                x->fault, "IncorrectInstanceState",
                "The instance '%s' is not in a state from which it can be stopped.", i->id);
    }
    for (size_t n = 0; n < ids->count; n++) {
        struct instance *i = found[n];
        enum cloud_state before = i->pub.state;
        ignore(instance_stop(x->c, i, "Client.UserInitiatedShutdown",
                             "Client.UserInitiatedShutdown: User initiated shutdown"));
        /* stopping a stopped one changes nothing */
        *LIST_ADD(x->arena, &x->out->stop_instances.changes) = (struct ec2_state_change){
            .instance_id = str_from(i->pub.id),
            .current = ending_state(i->pub.state),
            .previous = ending_state(before),
        };
    }
    return 0;
}
