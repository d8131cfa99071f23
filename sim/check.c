/* check.c - what must be true after each step, by the cloud's own truth. */
#include "sim.h"

static struct str tag_of(const struct cloud_instance *in, const char *key) {
    for (size_t i = 0; i < in->tags.count; i++)
        if (strcmp(in->tags.items[i].key, key) == 0)
            return str_from(in->tags.items[i].value);
    return STR_EMPTY;
}

static bool ours(const struct cloud_instance *in) {
    return str_equal(tag_of(in, "dayfly:run"), STR(SIM_RUN_ID));
}

/* Nothing is launched without a durable intent that says the same. */
void sim_check_launch(struct sim *s, const struct sim_call *call) {
    char token[TOKEN_BYTES_MAX + 1];
    struct buf want;
    if (call->intent >= INTENTS_MAX || !s->durable_intents[call->intent])
        sim_fail(s, "launch %s has no durable intent", call->token);
    if (s->durable_counts[call->intent] != call->count)
        sim_fail(s, "launch %s asks for %u, its intent says %u", call->token, call->count,
                 s->durable_counts[call->intent]);
    buf_init(&want, sizeof token);
    buf_printf(&want, "%s-%u", SIM_RUN_ID, call->intent);
    if (strcmp(call->token, buf_text(&want)) != 0)
        sim_fail(s, "intent %u goes by the token %s", call->intent, call->token);
    buf_deinit(&want);
}

/* Only ours are ended. */
void sim_check_terminate(struct sim *s, const struct sim_call *call) {
    for (uint32_t i = 0; i < call->count; i++) {
        const struct cloud_instance *in = cloud_instance_find(s->cloud, str_from(call->ids[i]));
        if (!in || !ours(in))
            sim_fail(s, "%s is to be ended and is not ours", call->ids[i]);
    }
}

/* Never more than wanted: per intent, and per role over the whole run. */
static void check_counts(struct sim *s) {
    static _Thread_local uint32_t by_intent[INTENTS_MAX];
    uint32_t by_role[SIM_ROLES_MAX] = {0}, last = 0;
    const struct cloud_instance *in;
    memset(by_intent, 0, sizeof by_intent);
    for (size_t cursor = 0; (in = cloud_truth_instance(s->cloud, &cursor));) {
        if (!ours(in))
            continue;
        struct str token = tag_of(in, "dayfly:intent"), role = tag_of(in, "dayfly:role");
        uint32_t number = 0;
        for (size_t i = sizeof SIM_RUN_ID; i < token.len; i++)
            number = number * 10 + (uint32_t)(token.ptr[i] - '0');
        if (number >= INTENTS_MAX || !s->durable_intents[number])
            sim_fail(s, "%s lives by %.*s, which no durable intent knows", in->id, STR_ARG(token));
        if (++by_intent[number] > s->durable_counts[number])
            sim_fail(s, "%.*s brought more than it asked for", STR_ARG(token));
        last = MAX(last, number);
        must(role.len == 1 && role.ptr[0] >= '0' && role.ptr[0] < '0' + SIM_ROLES_MAX);
        by_role[role.ptr[0] - '0']++;
    }
    for (uint32_t role = 0; role < s->config.role_count; role++) {
        const struct run_role_config *c = &s->config.roles[role];
        if (by_role[role] > c->want + c->spare + c->replace_max)
            sim_fail(s, "role %u got %u instances, at most %u were to be", role, by_role[role],
                     c->want + c->spare + c->replace_max);
    }
}

/* A node that the core takes for gone is gone. */
static void check_gone(struct sim *s) {
    for (uint32_t i = 0; i < s->run->node_count; i++) {
        const struct run_node *n = &s->run->nodes[i];
        if (n->state != RUN_NODE_GONE)
            continue;
        const struct cloud_instance *in = cloud_instance_find(s->cloud, str_from(n->id));
        if (!in || in->state != CLOUD_TERMINATED)
            sim_fail(s, "%s is taken for gone and is %s", n->id,
                     in ? cloud_state_name(in->state) : "unknown");
    }
}

/* "Clean" is true, and stays true. */
static void check_clean(struct sim *s) {
    const struct cloud_instance *in;
    struct cloud_resource r;
    for (size_t cursor = 0; (in = cloud_truth_instance(s->cloud, &cursor));)
        if (ours(in) && in->state != CLOUD_TERMINATED)
            sim_fail(s, "clean was said %.3f s ago, and %s is %s",
                     (double)(s->now_ns - s->clean_ns) / 1e9, in->id, cloud_state_name(in->state));
    for (size_t cursor = 0; cloud_truth_resource(s->cloud, &cursor, &r);) {
        bool counts = r.kind == CLOUD_SECURITY_GROUP || r.kind == CLOUD_LAUNCH_TEMPLATE;
        if (counts && r.exists && !r.built_in)
            sim_fail(s, "clean was said %.3f s ago, and %s is there",
                     (double)(s->now_ns - s->clean_ns) / 1e9, r.id);
    }
}

static void check_foreign(struct sim *s) {
    for (uint32_t i = 0; i < SIM_FOREIGN; i++) {
        const struct cloud_instance *in = cloud_instance_find(s->cloud, str_from(s->foreign[i]));
        if (!in)
            continue;
        if (str_starts_with(str_from(in->reason_code), STR("Client.UserInitiatedShutdown")))
            sim_fail(s, "%s belongs to others and was ended", in->id);
    }
}

void sim_check(struct sim *s) {
    struct cloud_totals t;
    if (s->run) {
        run_check(s->run);
        check_gone(s);
    }
    cloud_truth_totals(s->cloud, s->now_ns, &t);
    if (t.instances != s->instances_checked) {
        check_counts(s);
        s->instances_checked = t.instances;
    }
    if (s->clean_said)
        check_clean(s);
    if (s->clean_said && !s->foreign_probed) {
        check_foreign(s);
        s->foreign_probed = true;
        sim_probe(s, SIM_foreign_spared);
    }
}
