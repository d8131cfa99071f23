/* fleet_call.h - what fleet.c and fleet_resources.c share: a call of the cloud under way.
 *
 * A call owns all memory that it needs from the first request to the event that answers it.
 */
#ifndef FLEET_CALL_H
#define FLEET_CALL_H

#include "head/state.h"

#define FLEET_ARCH_COUNT 2
extern const char *const FLEET_ARCHS[FLEET_ARCH_COUNT];

/* In the list of its head. */
struct fleet_call {
    struct head *h;
    struct fleet_call *next;
    struct arena arena;
    uint32_t call;
    uint32_t intent, role;
    bool on_demand;
    uint32_t step, index;
    uint32_t left; /* what could not be deleted */
    uint32_t *nodes;
    uint32_t node_count;
    struct run_seen *seen;
    struct fleet_facts {
        char type[32], zone[24], private_ip[48], public_ip[48];
    } * facts;
    uint32_t seen_count, seen_capacity;
    struct str *names; /* templates or groups to delete */
    uint32_t name_count;
};

struct fleet_call *fleet_call_new(struct head *h, uint32_t call);
void fleet_call_end(struct fleet_call *own_call);

/* The tags of everything that we make; `token` and `role` only for instances (else NULL, 0). */
struct ec2_tags fleet_tags(struct fleet_call *c, const char *token, int role);
struct ec2_tag_specs fleet_spec(struct fleet_call *c, const char *type, struct ec2_tags tags);
/* What carries the run's tag. */
struct ec2_filters fleet_filter(struct fleet_call *c);
/* Value of a tag; empty when it is not there. */
struct str fleet_tag(const struct ec2_tags *tags, struct str key);
/* Is this a thing that a head of this run made?  The service has filtered by the run's tag; it is
 * looked at once more here, because what passes is going to be ended. */
bool fleet_is_ours(const struct head *h, const struct ec2_tags *tags);
/* Name of a role's launch template for one of FLEET_ARCHS. */
char *fleet_template(struct fleet_call *c, uint32_t role, uint32_t arch);

#endif
