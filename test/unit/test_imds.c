#include "emu/imds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define NOW_NS (1000 * NS_PER_S)
#define NOW_UNIX_MS INT64_C(1795203101000) /* 2026-11-20T19:31:41Z */

static const struct catalog_type TYPE = {.name = "c7g.large", .arch = CATALOG_ARM64};
static struct cloud_instance instance;
static struct imds imds;
static struct arena arena;

static int set_up(void **state) {
    (void)state;
    static char group[1][CLOUD_ID_BYTES] = {"sg-1"};
    static char keys[][16] = {"dayfly:run", "a b", "late"};
    static char values[][4] = {"r1", "x", "y"};
    static struct cloud_tag tags[] = {
        {keys[0], values[0], 0}, {keys[1], values[1], 0}, {keys[2], values[2], UINT64_MAX}};
    instance = (struct cloud_instance){.id = "i-0123",
                                       .state = CLOUD_RUNNING,
                                       .type = &TYPE,
                                       .spot = true,
                                       .image_id = "ami-1",
                                       .reservation_id = "r-1",
                                       .subnet_id = "subnet-1",
                                       .last_ip = 0xac1f0105,
                                       .mac = {2, 0, 0, 0, 1, 5},
                                       .launch_index = 7,
                                       .group_ids = group,
                                       .group_count = 1,
                                       .metadata_enabled = true,
                                       .metadata_token_required = true,
                                       .metadata_tags = true,
                                       .tags = {tags, 3, 3}};
    imds = (struct imds){.key = {1, 2, 3},
                         .instance = &instance,
                         .zone = "us-east-1a",
                         .zone_id = "use1-az6",
                         .region = STR("us-east-1"),
                         .account = STR("123456789012"),
                         .vpc_prefix = 16,
                         .subnet_prefix = 20};
    arena_reset(&arena);
    return 0;
}

static struct imds_reply ask_at(uint64_t now_ns, enum imds_method method, const char *path,
                                const char *token, const char *ttl) {
    struct imds_request r = {.method = method,
                             .path = str_from(path),
                             .token = token,
                             .ttl = ttl,
                             .now_ns = now_ns,
                             .now_unix_ms = NOW_UNIX_MS};
    struct imds_reply reply;
    imds_handle(&imds, &r, &arena, &reply);
    return reply;
}

static const char *token(const char *ttl) {
    struct imds_reply reply = ask_at(NOW_NS, IMDS_PUT, "/latest/api/token", NULL, ttl);
    assert_int_equal(reply.status, 200);
    return arena_text(&arena, reply.body);
}

static unsigned status(const char *path) {
    return ask_at(NOW_NS, IMDS_GET, path, token("60"), NULL).status;
}

static const char *text(const char *path) {
    struct imds_reply reply = ask_at(NOW_NS, IMDS_GET, path, token("60"), NULL);
    assert_int_equal(reply.status, 200);
    return arena_text(&arena, reply.body);
}

static void a_token_lives_as_long_as_was_asked(void **state) {
    (void)state;
    const char *t = token("60");
    const char *path = "/latest/meta-data/instance-id";
    assert_int_equal(ask_at(NOW_NS + 59 * NS_PER_S, IMDS_GET, path, t, NULL).status, 200);
    assert_int_equal(ask_at(NOW_NS + 60 * NS_PER_S, IMDS_GET, path, t, NULL).status, 401);
}

static void a_token_of_another_instance_is_refused(void **state) {
    (void)state;
    const char *t = token("60");
    imds.key[0] ^= 1;
    assert_int_equal(ask_at(NOW_NS, IMDS_GET, "/latest/meta-data/", t, NULL).status, 401);
}

static void a_changed_token_is_refused(void **state) {
    (void)state;
    char *t = arena_text(&arena, str_from(token("60")));
    for (size_t i = 0; t[i]; i++) {
        char was = t[i];
        t[i] = was == 'A' ? 'B' : 'A';
        assert_int_equal(ask_at(NOW_NS, IMDS_GET, "/latest/meta-data/", t, NULL).status, 401);
        t[i] = was;
    }
    assert_int_equal(ask_at(NOW_NS, IMDS_GET, "/latest/meta-data/", "", NULL).status, 401);
}

static void bad_ttls_are_bad_requests(void **state) {
    (void)state;
    static const char *const BAD[] = {NULL, "", "0", "21601", "-1", "1.5", "x"};
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++)
        assert_int_equal(ask_at(NOW_NS, IMDS_PUT, "/latest/api/token", NULL, BAD[i]).status, 400);
    assert_int_equal(ask_at(NOW_NS, IMDS_PUT, "/latest/api/token", NULL, "21600").ttl_s, 21600);
}

static void a_token_request_through_a_proxy_is_forbidden(void **state) {
    (void)state;
    struct imds_request r = {.method = IMDS_PUT,
                             .path = STR("/latest/api/token"),
                             .ttl = "60",
                             .forwarded = true,
                             .now_ns = NOW_NS};
    struct imds_reply reply;
    imds_handle(&imds, &r, &arena, &reply);
    assert_int_equal(reply.status, 403);
}

static void without_a_token_only_optional_instances_answer(void **state) {
    (void)state;
    const char *path = "/latest/meta-data/instance-id";
    assert_int_equal(ask_at(NOW_NS, IMDS_GET, path, NULL, NULL).status, 401);
    instance.metadata_token_required = false;
    assert_int_equal(ask_at(NOW_NS, IMDS_GET, path, NULL, NULL).status, 200);
    assert_int_equal(ask_at(NOW_NS, IMDS_GET, path, "wrong", NULL).status, 401);
}

static void metadata_switched_off_forbids_all(void **state) {
    (void)state;
    instance.metadata_enabled = false;
    assert_int_equal(ask_at(NOW_NS, IMDS_PUT, "/latest/api/token", NULL, "60").status, 403);
    assert_int_equal(ask_at(NOW_NS, IMDS_GET, "/latest/meta-data/", NULL, NULL).status, 403);
}

static void facts_stand_at_their_paths(void **state) {
    (void)state;
    assert_string_equal(text("/latest/meta-data/instance-id"), "i-0123");
    assert_string_equal(text("/2021-07-15/meta-data/instance-id"), "i-0123");
    assert_string_equal(text("/latest/meta-data/local-ipv4"), "172.31.1.5");
    assert_string_equal(text("/latest/meta-data/hostname"), "ip-172-31-1-5.ec2.internal");
    assert_string_equal(text("/latest/meta-data/instance-life-cycle"), "spot");
    assert_string_equal(text("/latest/meta-data/ami-launch-index"), "7");
    assert_string_equal(text("/latest/meta-data/placement/availability-zone-id"), "use1-az6");
    assert_string_equal(text("/latest/meta-data/network/interfaces/macs/02:00:00:00:01:05/"
                             "subnet-ipv4-cidr-block"),
                        "172.31.0.0/20");
    assert_int_equal(status("/latest/meta-data/nothing"), 404);
    assert_int_equal(status("/1999-01-01/meta-data/instance-id"), 404);
    assert_int_equal(status("/latest/meta-data/instance"), 404);
}

static void directories_list_names_without_a_final_newline(void **state) {
    (void)state;
    assert_string_equal(text("/latest/meta-data/placement/"),
                        "availability-zone\navailability-zone-id\nregion");
    assert_non_null(strstr(text("/latest/meta-data/"), "\nplacement/"));
    assert_string_equal(text("/latest/"), "dynamic\nmeta-data");
}

static void tags_appear_when_enabled_visible_and_nameable(void **state) {
    (void)state;
    assert_string_equal(text("/latest/meta-data/tags/instance/"), "dayfly:run");
    assert_string_equal(text("/latest/meta-data/tags/instance/dayfly:run"), "r1");
    instance.metadata_tags = false;
    assert_int_equal(status("/latest/meta-data/tags/instance/"), 404);
}

static void the_spot_notice_is_absent_before_and_exact_after(void **state) {
    (void)state;
    assert_int_equal(status("/latest/meta-data/spot/instance-action"), 404);
    instance.notice_ns = NOW_NS;
    instance.reclaim_ns = NOW_NS + 120 * NS_PER_S;
    assert_string_equal(text("/latest/meta-data/spot/instance-action"),
                        "{\"action\": \"terminate\", \"time\": \"2026-11-20T19:33:41Z\"}");
    assert_string_equal(text("/latest/meta-data/spot/termination-time"), "2026-11-20T19:33:41Z");
    assert_string_equal(text("/latest/meta-data/events/recommendations/rebalance"),
                        "{\"noticeTime\": \"2026-11-20T19:31:41Z\"}");
}

static void user_data_comes_back_raw_or_not_at_all(void **state) {
    (void)state;
    assert_int_equal(status("/latest/user-data"), 404);
    instance.user_data = (uint8_t *)(uintptr_t) "#!/bin/sh\n\0x";
    instance.user_data_size = 12;
    struct imds_reply reply = ask_at(NOW_NS, IMDS_GET, "/latest/user-data", token("60"), NULL);
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.body.len, 12);
    assert_memory_equal(reply.body.ptr, "#!/bin/sh\n\0x", 12);
}

static void the_identity_document_names_the_instance(void **state) {
    (void)state;
    const char *document = text("/latest/dynamic/instance-identity/document");
    assert_non_null(strstr(document, "\"instanceId\" : \"i-0123\""));
    assert_non_null(strstr(document, "\"architecture\" : \"arm64\""));
    assert_non_null(strstr(document, "\"accountId\" : \"123456789012\""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_token_lives_as_long_as_was_asked, set_up),
        cmocka_unit_test_setup(a_token_of_another_instance_is_refused, set_up),
        cmocka_unit_test_setup(a_changed_token_is_refused, set_up),
        cmocka_unit_test_setup(bad_ttls_are_bad_requests, set_up),
        cmocka_unit_test_setup(a_token_request_through_a_proxy_is_forbidden, set_up),
        cmocka_unit_test_setup(without_a_token_only_optional_instances_answer, set_up),
        cmocka_unit_test_setup(metadata_switched_off_forbids_all, set_up),
        cmocka_unit_test_setup(facts_stand_at_their_paths, set_up),
        cmocka_unit_test_setup(directories_list_names_without_a_final_newline, set_up),
        cmocka_unit_test_setup(tags_appear_when_enabled_visible_and_nameable, set_up),
        cmocka_unit_test_setup(the_spot_notice_is_absent_before_and_exact_after, set_up),
        cmocka_unit_test_setup(user_data_comes_back_raw_or_not_at_all, set_up),
        cmocka_unit_test_setup(the_identity_document_names_the_instance, set_up),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_deinit(&arena);
    return failed;
}
