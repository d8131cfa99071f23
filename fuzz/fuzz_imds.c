/* A metadata request of an instance: method, then lines of path, token and TTL; and the words of
 * the power commands, which come from the same stranger. */
#include "emu/imds.h"
#include "emu/power.h"
#include "fuzz.h"

static const struct catalog_type TYPE = {.name = "c7g.large", .arch = CATALOG_ARM64};

static const char *line(struct str *rest, struct arena *arena) {
    struct str text;
    return str_line(rest, &text) ? arena_text(arena, text) : NULL;
}

static void try_power(struct str rest, struct arena *arena) {
    const char *words[8];
    unsigned count = 0;
    struct power_wish wish;
    struct power_wish again;
    char text[64];
    while (count < ARRAY_LEN(words) && (words[count] = line(&rest, arena)))
        count++;
    if (power_parse(words, count, 0, &wish, NULL) < 0)
        return;
    power_format(&wish, text, sizeof text);
    must(power_read(text, &again, NULL) == 0);
    must(again.act == wish.act && again.minutes == wish.minutes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static char group[1][CLOUD_ID_BYTES] = {"sg-1"};
    struct cloud_instance in = {.id = "i-1",
                                .type = &TYPE,
                                .image_id = "ami-1",
                                .subnet_id = "subnet-1",
                                .last_ip = 0x0a000005,
                                .group_ids = group,
                                .group_count = 1,
                                .metadata_enabled = true,
                                .metadata_tags = true,
                                .metadata_token_required = size % 2 == 0,
                                .notice_ns = 1,
                                .reclaim_ns = 2};
    struct imds m = {.instance = &in,
                     .zone = "z",
                     .zone_id = "z1",
                     .region = STR("eu-west-1"),
                     .account = STR("1"),
                     .vpc_prefix = 16,
                     .subnet_prefix = 20};
    if (size == 0)
        return 0;
    struct arena arena = {0};
    struct str rest = {(const char *)data + 1, size - 1};
    try_power(rest, &arena);
    struct imds_request r = {.method = (enum imds_method)(data[0] % 4),
                             .forwarded = (data[0] & 128) != 0,
                             .now_ns = 5,
                             .now_unix_ms = 5};
    r.path = str_from(line(&rest, &arena));
    r.token = line(&rest, &arena);
    r.ttl = line(&rest, &arena);
    struct imds_reply reply;
    imds_handle(&m, &r, &arena, &reply);
    must(reply.status >= 200 && reply.status < 600);
    must(reply.status == 200 || reply.body.len == 0);
    if (reply.ttl_s > 0) { /* what was handed out is accepted */
        struct imds_request get = {.method = IMDS_GET,
                                   .path = STR("/latest/meta-data/instance-id"),
                                   .token = arena_text(&arena, reply.body),
                                   .now_ns = 5};
        imds_handle(&m, &get, &arena, &reply);
        must(reply.status == 200);
    }
    arena_deinit(&arena);
    return 0;
}
