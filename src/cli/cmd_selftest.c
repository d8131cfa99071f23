/* cmd_selftest.c - whether this file works on this machine, in TAP: known answers of what it
 * calculates, and its own client against its own server.  Needs nothing but loopback. */
#include "cli/cmds.h"
#include "cli/exits.h"
#include "cli/selftest.h"
#include "codec/sigv4.h"
#include "codec/xml.h"
#include "core/hist.h"
#include "plan/plan.h"
#include "store/journal.h"

static int check_sha256(struct err *err) {
    static const char want[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    char got[SIGV4_SIGNATURE_SIZE];
    sigv4_sha256_hex(STR("abc"), got); /* FIPS 180-4, example B.1 */
    return strcmp(got, want) == 0 ? 0 : err_set(err, ERR_PROTOCOL, "abc gave %s", got);
}

/* The request of AWS's own description of signature version 4 (ListUsers of IAM). */
static int check_sigv4(struct err *err) {
    static const char want[] = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
    struct sigv4_header headers[] = {
        {STR("Content-Type"), STR("application/x-www-form-urlencoded; charset=utf-8")},
        {STR("Host"), STR("iam.amazonaws.com")},
    };
    struct sigv4_request request = {.method = STR("GET"),
                                    .path = STR("/"),
                                    .query = STR("Action=ListUsers&Version=2010-05-08"),
                                    .headers = headers,
                                    .header_count = ARRAY_LEN(headers)};
    struct sigv4_signer signer = {.access_key = STR("AKIDEXAMPLE"),
                                  .secret_key = STR("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
                                  .region = STR("us-east-1"),
                                  .service = STR("iam"),
                                  .unix_ms = 1440938160000};
    CLEANUP(sigv4_parts_deinit) struct sigv4_parts parts;
    CLEANUP(buf_deinit) struct buf signed_headers = BUF_INIT(4096);
    sigv4_parts_init(&parts);
    TRY(sigv4_sign(&request, &signer, &signed_headers, &parts, err));
    return strcmp(parts.signature, want) == 0
               ? 0
               : err_set(err, ERR_PROTOCOL, "the signature is %s", parts.signature);
}

static int add_record(struct str record, void *user, struct err *err) {
    (void)err;
    buf_add_str(user, record);
    buf_add_byte(user, '|');
    return 0;
}

static int check_journal(struct err *err) {
    CLEANUP(journal_closep) struct journal *journal = NULL;
    TRY(journal_open_memory(&journal, err));
    struct str records[] = {STR("one"), STR_EMPTY, STR("t\0o")};
    TRY(journal_append(journal, records, ARRAY_LEN(records), err));
    CLEANUP(buf_deinit) struct buf got = BUF_INIT(4096);
    TRY(journal_each(journal, add_record, &got, err));
    if (!str_equal(buf_str(&got), STR("one||t\0o|")) || journal_count(journal) != 3)
        return err_set(err, ERR_IO, "other records came back");
    return 0;
}

static int check_plan(struct err *err) {
    struct plan_load_options options = {
        .file = STR("selftest.yaml"),
        .text = STR("dayfly: 1\nname: self\nfleet: {ttl: 1h}\n"
                    "roles: {web: {count: 3, instances: [c7g.large]}}\n"
                    "phases: [{name: hello, nodes: web, run: 'true'}]\n"),
    };
    CLEANUP(arena_deinit) struct arena arena = {0};
    struct plan_errors errors;
    const struct plan *plan = NULL;
    TRY(plan_load(&options, &arena, &plan, &errors, err));
    if (plan_nodes_wanted(plan) != 3 || plan->phase_count != 1)
        return err_set(err, ERR_CONFIG, "the plan reads otherwise");
    options.text = STR("dayfly: 1\nnmae: self\n");
    if (plan_load(&options, &arena, &plan, &errors, NULL) != -ERR_CONFIG)
        return err_set(err, ERR_CONFIG, "a wrong plan is taken");
    return 0;
}

static int check_xml(struct err *err) {
    CLEANUP(arena_deinit) struct arena arena = {0};
    struct xml_node *root = NULL;
    TRY(xml_parse(STR("<?xml version=\"1.0\"?><r xmlns=\"x\"><id>a&amp;b</id></r>"), &arena, &root,
                  err));
    if (!str_equal(xml_child_text(root, "id"), STR("a&b")))
        return err_set(err, ERR_PROTOCOL, "the text is otherwise");
    if (xml_parse(STR("<r><id></r>"), &arena, &root, NULL) == 0)
        return err_set(err, ERR_PROTOCOL, "a broken document is taken");
    return 0;
}

/* 1..1000 us in two halves, one of them encoded on the way: the median must be that of all. */
static int check_hist(struct err *err) {
    CLEANUP(hist_deinit) struct hist low = {0};
    CLEANUP(hist_deinit) struct hist high = {0};
    CLEANUP(buf_deinit) struct buf bytes = BUF_INIT(HIST_ENCODED_BYTES_MAX);
    for (uint64_t us = 1; us <= 1000; us++)
        hist_record(us <= 500 ? &low : &high, us * NS_PER_US);
    hist_encode(&high, &bytes);
    TRY(hist_decode_add(buf_str(&bytes), &low, err));
    uint64_t median_us = hist_percentile_ns(&low, 500000) / NS_PER_US;
    if (low.count != 1000 || median_us < 500 || median_us > 501)
        return err_set(err, ERR_PROTOCOL, "median of 1..1000 us is %llu us",
                       (unsigned long long)median_us);
    return 0;
}

static const struct check {
    const char *sentence;
    int (*run)(struct err *err);
} CHECKS[] = {
    {"SHA-256 gives the known answer", check_sha256},
    {"HMAC and SigV4 give the published signature", check_sigv4},
    {"a P-256 key makes a TLS 1.3 link over loopback", selftest_link},
    {"literal addresses need no name service", selftest_names},
    {"SQLite keeps records in their order", check_journal},
    {"a plan loads and a wrong one does not", check_plan},
    {"XML is read and broken XML is not", check_xml},
    {"merged histograms are those of the union", check_hist},
    {"200 requests are sent, answered and counted", selftest_load},
};

static int run(const struct args *args) {
    (void)args;
    bool all = true;
    for (size_t i = 0; i < ARRAY_LEN(CHECKS); i++) {
        struct err err = {0};
        bool good = CHECKS[i].run(&err) == 0;
        CLEANUP(buf_deinit) struct buf line = BUF_INIT(4096);
        buf_printf(&line, "%sok %zu - %s\n", good ? "" : "not ", i + 1, CHECKS[i].sentence);
        if (!good)
            buf_printf(&line, "#   %s\n", err.text);
        cli_print(buf_str(&line));
        all = all && good;
    }
    CLEANUP(buf_deinit) struct buf plan = BUF_INIT(64);
    buf_printf(&plan, "1..%zu\n", ARRAY_LEN(CHECKS));
    cli_print(buf_str(&plan));
    return all ? EXIT_OK : EXIT_ERROR;
}

const struct cmd cmd_selftest = {
    .name = "selftest",
    .summary = "check that this program works on this machine",
    .group = CMD_HIDDEN,
    .run = run,
};
