#include "emu/imds.h"

#include "base/units.h"
#include "base/when.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

/* Every item is (path below the version, text); directories follow from the paths. */
#define ITEMS_MAX 192
#define TOKEN_BYTES (8 + 32) /* expiry, HMAC */
#define TOKEN_TEXT_BYTES 56  /* base64 of it */

struct item {
    const char *path;
    const char *text;
};

struct items {
    struct arena *arena;
    struct item list[ITEMS_MAX];
    size_t count;
};

static void add(struct items *items, const char *path, const char *text) {
    must(path && text);
    if (items->count < ITEMS_MAX)
        items->list[items->count++] = (struct item){path, text};
}

static char *ip_text(struct arena *arena, uint32_t ip) {
    return arena_printf(arena, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255);
}

static char *cidr_text(struct arena *arena, uint32_t ip, unsigned prefix) {
    must(prefix >= 1 && prefix <= 32);
    uint32_t mask = UINT32_MAX << (32 - prefix);
    return arena_printf(arena, "%s/%u", ip_text(arena, ip & mask), prefix);
}

static char *time_text(struct arena *arena, int64_t unix_ms) {
    CLEANUP(buf_deinit) struct buf b = BUF_INIT(64);
    when_add_rfc3339(&b, unix_ms);
    return arena_text(arena, buf_str(&b));
}

/* Wall clock of an instant of the cloud's clock. */
static int64_t unix_ms_of(const struct imds_request *r, uint64_t at_ns) {
    if (at_ns >= r->now_ns)
        return r->now_unix_ms + (int64_t)((at_ns - r->now_ns) / NS_PER_MS);
    return r->now_unix_ms - (int64_t)((r->now_ns - at_ns) / NS_PER_MS);
}

static char *groups_text(struct arena *arena, const struct cloud_instance *in) {
    CLEANUP(buf_deinit) struct buf b = BUF_INIT(16 * KIB);
    for (size_t i = 0; i < in->group_count; i++)
        buf_printf(&b, "%s%s", i > 0 ? "\n" : "", in->group_ids[i]);
    return arena_text(arena, buf_str(&b));
}

static void add_interface(struct items *items, const struct imds *m, const char *ip,
                          const char *host) {
    const struct cloud_instance *in = m->instance;
    struct arena *a = items->arena;
    const char *mac = arena_printf(a, "%02x:%02x:%02x:%02x:%02x:%02x", in->mac[0], in->mac[1],
                                   in->mac[2], in->mac[3], in->mac[4], in->mac[5]);
    add(items, "meta-data/mac", mac);
    const struct {
        const char *name;
        const char *text;
    } FIELDS[] = {
        {"device-number", "0"},
        {"local-hostname", host},
        {"local-ipv4s", ip},
        {"mac", mac},
        {"owner-id", arena_text(a, m->account)},
        {"security-group-ids", groups_text(a, in)},
        {"security-groups", groups_text(a, in)},
        {"subnet-id", in->subnet_id},
        {"subnet-ipv4-cidr-block", cidr_text(a, in->last_ip, m->subnet_prefix)},
        {"vpc-ipv4-cidr-block", cidr_text(a, in->last_ip, m->vpc_prefix)},
    };
    for (size_t i = 0; i < ARRAY_LEN(FIELDS); i++)
        add(items, arena_printf(a, "meta-data/network/interfaces/macs/%s/%s", mac, FIELDS[i].name),
            FIELDS[i].text);
}

static void add_notice(struct items *items, const struct imds *m, const struct imds_request *r) {
    const struct cloud_instance *in = m->instance;
    if (in->notice_ns == 0 || in->reclaim_ns == 0)
        return;
    struct arena *a = items->arena;
    const char *end = time_text(a, unix_ms_of(r, in->reclaim_ns));
    add(items, "meta-data/spot/instance-action",
        arena_printf(a, "{\"action\": \"terminate\", \"time\": \"%s\"}", end));
    add(items, "meta-data/spot/termination-time", end);
    add(items, "meta-data/events/recommendations/rebalance",
        arena_printf(a, "{\"noticeTime\": \"%s\"}", time_text(a, unix_ms_of(r, in->notice_ns))));
}

/* Keys with a blank or a slash cannot stand in a path; EC2 refuses to switch tags on with them. */
static void add_tags(struct items *items, const struct imds *m, uint64_t now_ns) {
    const struct cloud_instance *in = m->instance;
    if (!in->metadata_tags)
        return;
    for (size_t i = 0; i < in->tags.count; i++) {
        const struct cloud_tag *tag = &in->tags.items[i];
        if (tag->visible_ns <= now_ns && !strpbrk(tag->key, " /"))
            add(items, arena_printf(items->arena, "meta-data/tags/instance/%s", tag->key),
                tag->value);
    }
}

static const char *identity_document(struct arena *a, const struct imds *m,
                                     const struct imds_request *r) {
    const struct cloud_instance *in = m->instance;
    return arena_printf(
        a,
        "{\n  \"accountId\" : \"%.*s\",\n  \"architecture\" : \"%s\",\n"
        "  \"availabilityZone\" : \"%s\",\n  \"billingProducts\" : null,\n"
        "  \"devpayProductCodes\" : null,\n  \"marketplaceProductCodes\" : null,\n"
        "  \"imageId\" : \"%s\",\n  \"instanceId\" : \"%s\",\n  \"instanceType\" : \"%s\",\n"
        "  \"kernelId\" : null,\n  \"pendingTime\" : \"%s\",\n  \"privateIp\" : \"%s\",\n"
        "  \"ramdiskId\" : null,\n  \"region\" : \"%.*s\",\n  \"version\" : \"2017-09-30\"\n}",
        STR_ARG(m->account), catalog_arch_name(in->type->arch), m->zone, in->image_id, in->id,
        in->type->name, time_text(a, unix_ms_of(r, in->asked_ns)), ip_text(a, in->last_ip),
        STR_ARG(m->region));
}

static void add_placement(struct items *items, const struct imds *m) {
    add(items, "meta-data/placement/availability-zone", m->zone);
    add(items, "meta-data/placement/availability-zone-id", m->zone_id);
    add(items, "meta-data/placement/region", arena_text(items->arena, m->region));
    add(items, "meta-data/services/domain", "amazonaws.com");
    add(items, "meta-data/services/partition", "aws");
}

static void fill(struct items *items, const struct imds *m, const struct imds_request *r) {
    const struct cloud_instance *in = m->instance;
    struct arena *a = items->arena;
    const char *ip = ip_text(a, in->last_ip);
    char *host = arena_printf(a, "ip-%s.%s", ip,
                              str_equal(m->region, STR("us-east-1"))
                                  ? "ec2.internal"
                                  : arena_printf(a, "%.*s.compute.internal", STR_ARG(m->region)));
    for (char *p = host, dots = 0; *p && dots < 3; p++)
        if (*p == '.') {
            *p = '-';
            dots++;
        }
    add(items, "meta-data/ami-id", in->image_id);
    add(items, "meta-data/ami-launch-index", arena_printf(a, "%u", in->launch_index));
    add(items, "meta-data/ami-manifest-path", "(unknown)");
    add(items, "meta-data/hostname", host);
    add(items, "meta-data/instance-action", "none");
    add(items, "meta-data/instance-id", in->id);
    add(items, "meta-data/instance-life-cycle", in->spot ? "spot" : "on-demand");
    add(items, "meta-data/instance-type", in->type->name);
    add(items, "meta-data/local-hostname", host);
    add(items, "meta-data/local-ipv4", ip);
    add(items, "meta-data/reservation-id", in->reservation_id);
    add(items, "meta-data/security-groups", groups_text(a, in));
    add(items, "meta-data/profile", "default-hvm");
    add(items, "meta-data/system", "nitro");
    add(items, "meta-data/block-device-mapping/ami", "/dev/xvda");
    add(items, "meta-data/block-device-mapping/root", "/dev/xvda");
    add(items, "meta-data/events/maintenance/history", "[]");
    add(items, "meta-data/events/maintenance/scheduled", "[]");
    if (in->key_name && in->key_name[0] != '\0')
        add(items, "meta-data/public-keys", arena_printf(a, "0=%s", in->key_name));
    add_placement(items, m);
    add_interface(items, m, ip, host);
    add_notice(items, m, r);
    add_tags(items, m, r->now_ns);
    add(items, "dynamic/instance-identity/document", identity_document(a, m, r));
    add(items, "dynamic/fws/instance-monitoring", "disabled");
}

/* ---- tokens --------------------------------------------------------------------------------- */

static void token_mac(const struct imds *m, const uint8_t expiry[8], uint8_t mac[32]) {
    unsigned size = 32;
    must(HMAC(EVP_sha256(), m->key, IMDS_KEY_BYTES, expiry, 8, mac, &size) && size == 32);
}

/* Expiry and its HMAC as base64, NUL-terminated. */
static void token_text(const struct imds *m, uint64_t expiry_ns, char text[TOKEN_TEXT_BYTES + 1]) {
    uint8_t raw[TOKEN_BYTES];
    for (int i = 0; i < 8; i++)
        raw[i] = (uint8_t)(expiry_ns >> (56 - 8 * i));
    token_mac(m, raw, raw + 8);
    must(EVP_EncodeBlock((unsigned char *)text, raw, TOKEN_BYTES) == TOKEN_TEXT_BYTES);
}

/* Valid is only the very text that we would make for the expiry that it names: base64 has more
 * than one spelling of the same bytes. */
static bool token_valid(const struct imds *m, const char *text, uint64_t now_ns) {
    uint8_t raw[TOKEN_TEXT_BYTES];
    char expected[TOKEN_TEXT_BYTES + 1];
    if (strlen(text) != TOKEN_TEXT_BYTES ||
        EVP_DecodeBlock(raw, (const unsigned char *)text, TOKEN_TEXT_BYTES) < TOKEN_BYTES)
        return false;
    uint64_t expiry_ns = 0;
    for (int i = 0; i < 8; i++)
        expiry_ns = expiry_ns << 8 | raw[i];
    token_text(m, expiry_ns, expected);
    return CRYPTO_memcmp(expected, text, TOKEN_TEXT_BYTES) == 0 && now_ns < expiry_ns;
}

static void handle_put(const struct imds *m, const struct imds_request *r, struct arena *arena,
                       struct imds_reply *reply) {
    uint64_t ttl_s = 0;
    if (r->forwarded) {
        reply->status = 403;
    } else if (!str_equal(r->path, STR("/latest/api/token"))) {
        reply->status = 405;
    } else if (!r->ttl || units_u64(str_from(r->ttl), &ttl_s, NULL) < 0 || ttl_s < 1 ||
               ttl_s > IMDS_TTL_S_MAX) {
        reply->status = 400;
    } else {
        reply->status = 200;
        reply->ttl_s = (uint32_t)ttl_s;
        char *text = arena_new(arena, TOKEN_TEXT_BYTES + 1);
        token_text(m, r->now_ns + ttl_s * NS_PER_S, text);
        reply->body = (struct str){text, TOKEN_TEXT_BYTES};
    }
}

/* ---- lookup --------------------------------------------------------------------------------- */

static const char *const DATED[] = {"2014-11-05", "2018-09-24", "2019-10-01", "2020-10-27",
                                    "2021-01-03", "2021-03-23", "2021-07-15", "2022-09-24"};

/* Cut "/latest/" or a dated root off; false when the path has neither. */
static bool cut_version(struct str *path) {
    struct str rest = str_skip(*path, 1);
    struct str version;
    if (!str_starts_with(*path, STR("/")) || !str_split(&rest, '/', &version))
        return false;
    bool known = str_equal(version, STR("latest"));
    for (size_t i = 0; i < ARRAY_LEN(DATED); i++)
        known = known || str_equal(version, str_from(DATED[i]));
    *path = rest;
    return known;
}

/* Names directly below `dir` (empty, or with its final slash), in order of first appearance. */
static struct str list_directory(const struct items *items, struct str dir, struct arena *arena) {
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(64 * KIB);
    for (size_t i = 0; i < items->count; i++) {
        struct str path = str_from(items->list[i].path);
        if (!str_starts_with(path, dir))
            continue;
        struct str rest = str_skip(path, dir.len);
        size_t slash = str_index_of(rest, '/');
        struct str name = str_slice(rest, 0, slash + (slash < rest.len ? 1 : 0));
        struct str seen = buf_str(&out);
        struct str line;
        bool known = false;
        while (!known && str_split(&seen, '\n', &line))
            known = str_equal(line, name);
        if (!known)
            buf_printf(&out, "%s%.*s", out.len > 0 ? "\n" : "", STR_ARG(name));
    }
    return arena_str(arena, buf_str(&out));
}

static void lookup(const struct imds *m, const struct imds_request *r, struct str path,
                   struct arena *arena, struct imds_reply *reply) {
    reply->status = 404;
    if (str_equal(path, STR("user-data"))) {
        if (m->instance->user_data_size > 0) {
            reply->status = 200;
            reply->body =
                (struct str){(const char *)m->instance->user_data, m->instance->user_data_size};
        }
        return;
    }
    struct items *items = arena_new(arena, sizeof *items);
    items->arena = arena;
    fill(items, m, r);
    bool has_slash = str_ends_with(path, STR("/"));
    struct str bare = str_slice(path, 0, path.len - (has_slash ? 1 : 0));
    struct str dir = path.len == 0 ? path : str_from(arena_printf(arena, "%.*s/", STR_ARG(bare)));
    for (size_t i = 0; i < items->count; i++)
        if (str_equal(str_from(items->list[i].path), bare)) {
            reply->status = 200;
            reply->body = str_from(items->list[i].text);
            reply->json = str_starts_with(reply->body, STR("{"));
            return;
        }
    if (path.len == 0) {
        bool user_data = m->instance->user_data_size > 0;
        reply->status = 200;
        reply->body = user_data ? STR("dynamic\nmeta-data\nuser-data") : STR("dynamic\nmeta-data");
        return;
    }
    reply->body = list_directory(items, dir, arena);
    reply->status = reply->body.len > 0 ? 200 : 404;
}

void imds_handle(const struct imds *m, const struct imds_request *request, struct arena *arena,
                 struct imds_reply *ret_reply) {
    *ret_reply = (struct imds_reply){.status = 404};
    const struct cloud_instance *in = m->instance;
    if (!in->metadata_enabled) {
        ret_reply->status = 403;
        return;
    }
    struct str path = request->path;
    path = str_slice(path, 0, str_index_of(path, '?'));
    struct imds_request r = *request;
    r.path = path;
    if (r.method == IMDS_PUT) {
        handle_put(m, &r, arena, ret_reply);
        return;
    }
    if (r.method == IMDS_OTHER) {
        ret_reply->status = 405;
        return;
    }
    if (r.token ? !token_valid(m, r.token, r.now_ns) : in->metadata_token_required) {
        ret_reply->status = 401;
        return;
    }
    if (str_equal(path, STR("/"))) {
        ret_reply->status = 200;
        ret_reply->body = STR("latest");
        return;
    }
    if (cut_version(&path))
        lookup(m, &r, path, arena, ret_reply);
}
