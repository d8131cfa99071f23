#include "cli/cmds.h"
#include "cli/exits.h"
#include "cli/json_print.h"
#include "cli/sources.h"
#include "aws/client.h"
#include "os/file.h"

#include <sys/resource.h>
#include <unistd.h>

#define ANSWER_NS (30 * NS_PER_S)
#define FILES_WANTED 4096

/* One line of the examination: what, how it is, and what to do when it is not well. */
struct finding {
    const char *what;
    bool ok, skipped;
    char detail[300];
    const char *fix;
};

struct doctor {
    struct session *s;
    struct finding findings[24];
    size_t count;
    struct aws_client *client;
    bool done;
    enum aws_class class;
    char code[EC2_FAULT_CODE_SIZE];
    struct err err;
    char account[24];
};

static struct finding *add(struct doctor *d, const char *what, bool ok, const char *fix) {
    must(d->count < ARRAY_LEN(d->findings));
    d->findings[d->count] = (struct finding){.what = what, .ok = ok, .fix = fix};
    return &d->findings[d->count++];
}

static bool is_done(void *arg) {
    return ((struct doctor *)arg)->done;
}

static void keep(struct doctor *d, const struct aws_result *result) {
    d->class = result->class;
    d->err = result->err;
    memcpy(d->code, result->code, sizeof d->code);
    d->done = true;
}

static void on_reply(void *user, const struct aws_result *result, const struct ec2_reply *reply) {
    (void)reply;
    keep(user, result);
}

static void on_identity(void *user, const struct aws_result *result,
                        const struct sts_identity *identity) {
    struct doctor *d = user;
    if (result->class == AWS_OK)
        ignore(!str_copy(d->account, sizeof d->account, identity->account)); /* 12 digits */
    keep(d, result);
}

static bool wait_for(struct doctor *d) {
    bool came = loop_run_until(d->s->loop, loop_now_ns(d->s->loop) + ANSWER_NS, is_done, d);
    if (!came)
        ignore(err_set(&d->err, ERR_TIMEOUT, "no answer within 30 s"));
    return came;
}

static void check_machine(struct doctor *d) {
    struct rlimit files;
    ignore(getrlimit(RLIMIT_NOFILE, &files) < 0); /* cannot fail with these arguments */
    struct finding *f = add(d, "state directory", access(d->s->state_dir, W_OK) == 0,
                            "set XDG_STATE_HOME to a directory of yours");
    snprintf(f->detail, sizeof f->detail, "%s", d->s->state_dir);
    f = add(d, "open files", files.rlim_cur >= FILES_WANTED, "ulimit -n 20000");
    snprintf(f->detail, sizeof f->detail, "%llu", (unsigned long long)files.rlim_cur);
    f = add(d, "rehearsal in namespaces", geteuid() == 0,
            "optional: run as root, or rehearse with isolate: process");
    f->skipped = !f->ok;
    snprintf(f->detail, sizeof f->detail, geteuid() == 0 ? "root" : "not root: processes only");
}

static bool check_credentials(struct doctor *d) {
    struct err err = {0};
    bool ok = session_aws(d->s, STR_EMPTY, STR_EMPTY, STR_EMPTY, NULL, &err) == 0;
    struct finding *f = add(d, "credentials and region", ok,
                            "aws configure, or set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and "
                            "AWS_REGION; rehearsals need none");
    if (ok)
        snprintf(f->detail, sizeof f->detail, "%.*s, %.*s", STR_ARG(d->s->aws.source_from),
                 STR_ARG(d->s->aws.region));
    else
        snprintf(f->detail, sizeof f->detail, "%s", err.text);
    struct aws_client_options options = {0};
    if (ok && aws_client_new(d->s->loop, &d->s->aws, &options, &d->client, &err) < 0) {
        f->ok = false;
        snprintf(f->detail, sizeof f->detail, "%s", err.text);
    }
    return f->ok;
}

static bool check_identity(struct doctor *d) {
    d->done = false;
    aws_sts_get_caller_identity(d->client, on_identity, d);
    bool ok = wait_for(d) && d->class == AWS_OK;
    struct finding *f = add(d, "who am I", ok, "check the keys, the clock and the network");
    snprintf(f->detail, sizeof f->detail, ok ? "account %s" : "%s", ok ? d->account : d->err.text);
    f = add(d, "clock", !ok || llabs(aws_client_skew_ms(d->client)) < 60000,
            "set this machine's clock; AWS refuses calls more than 15 minutes off");
    snprintf(f->detail, sizeof f->detail, "%lld ms from the service's",
             (long long)aws_client_skew_ms(d->client));
    return ok;
}

/* A dry run is answered by DryRunOperation when the real call would be allowed. */
static void check_permission(struct doctor *d, const char *what, struct ec2_request *request) {
    d->done = false;
    request->dry_run = true;
    aws_ec2_call(d->client, request, AWS_ONCE, on_reply, d);
    bool came = wait_for(d);
    bool ok = came && d->class != AWS_DENIED && d->class != AWS_AUTH;
    struct finding *f =
        add(d, what, ok, "ask for this permission; without terminate nothing may be launched");
    bool sure = came && strcmp(d->code, "DryRunOperation") == 0;
    snprintf(f->detail, sizeof f->detail, "%s", sure ? "allowed" : ok ? d->code : d->err.text);
}

static void check_permissions(struct doctor *d) {
    struct ec2_request group = {.action = EC2_CREATE_SECURITY_GROUP};
    group.create_security_group.name = STR("dayfly-doctor");
    group.create_security_group.description = STR("never made: a dry run");
    check_permission(d, "may create groups", &group);
    struct ec2_request template = {.action = EC2_CREATE_LAUNCH_TEMPLATE};
    template.create_launch_template.name = STR("dayfly-doctor");
    template.create_launch_template.data.shutdown_behavior = STR("terminate");
    check_permission(d, "may create templates", &template);
    struct str id = STR("i-00000000000000000");
    struct ec2_request terminate = {.action = EC2_TERMINATE_INSTANCES};
    terminate.terminate_instances.ids = (struct ec2_strs){&id, 1};
    check_permission(d, "may terminate", &terminate);
}

static void check_leftovers(struct doctor *d) {
    struct sources all;
    size_t runs = 0;
    sources_find(d->s, &all);
    for (size_t i = 0; i < all.count; i++)
        runs += all.items[i].fleets.run_count;
    struct finding *f = add(d, "leftovers", runs == 0 && !all.failed, "dayfly list; dayfly gc");
    snprintf(f->detail, sizeof f->detail, "%zu fleet%s up", runs, runs == 1 ? "" : "s");
}

static bool print_people(const struct doctor *d) {
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(64 * KIB);
    bool well = true;
    for (size_t i = 0; i < d->count; i++) {
        const struct finding *f = &d->findings[i];
        buf_printf(&out, "%-5s %-26s %s\n",
                   f->ok        ? "ok"
                   : f->skipped ? "-"
                                : "FAIL",
                   f->what, f->detail);
        if (!f->ok)
            buf_printf(&out, "      fix: %s\n", f->fix);
        well &= f->ok || f->skipped;
    }
    cli_print(buf_str(&out));
    return well;
}

static bool print_json(const struct doctor *d) {
    bool well = true;
    json_t *list = json_array();
    for (size_t i = 0; i < d->count; i++) {
        const struct finding *f = &d->findings[i];
        json_array_append_new(list, json_pack("{s:s, s:b, s:b, s:s, s:s}", "check", f->what, "ok",
                                              f->ok, "optional", f->skipped, "detail", f->detail,
                                              "fix", f->ok ? "" : f->fix));
        well &= f->ok || f->skipped;
    }
    json_t *root =
        json_pack("{s:s, s:b, s:o}", "schema", "dayfly.doctor/1", "ok", well, "checks", list);
    json_print(root);
    return well;
}

static int run(const struct args *args) {
    CLEANUP(session_close) struct session s = {0};
    struct doctor d = {.s = &s};
    if (session_open(&s, args, &d.err) < 0)
        return session_fail(&s, &d.err, NULL);
    check_machine(&d);
    if (check_credentials(&d) && check_identity(&d))
        check_permissions(&d);
    check_leftovers(&d);
    aws_client_free(d.client);
    bool well = args_flag(args, "json") ? print_json(&d) : print_people(&d);
    return well ? EXIT_OK : EXIT_DEGRADED;
}

const struct cmd cmd_doctor = {
    .name = "doctor",
    .summary = "credentials, region, permissions, clock, leftovers; a fix per line",
    .group = CMD_SETUP,
    .examples = (const char *const[]){"dayfly doctor", "dayfly doctor --json", NULL},
    .details = "Permissions are asked by dry runs: nothing is made. Exit 11: not all is well.",
    .run = run,
};
