/* Key pairs.  The private half is made by the shell, shown once and not kept. */
#include "cloud/state.h"

#define KEYS_MAX 5000
#define KEY_NAME_MAX 255

void key_free(struct key_pair *own_key) {
    if (!own_key)
        return;
    mem_free(own_key->name);
    mem_free(own_key->fingerprint);
    mem_free(own_key->public_line);
    tags_deinit(&own_key->tags);
    mem_free(own_key);
}

struct key_pair *key_find_name(const struct cloud *c, struct str name) {
    for (size_t n = 0; n < c->keys.count; n++)
        if (c->keys.items[n]->exists && str_equal(name, str_from(c->keys.items[n]->name)))
            return c->keys.items[n];
    return NULL;
}

static struct key_pair *key_find_id(const struct cloud *c, struct str id) {
    for (size_t n = 0; n < c->keys.count; n++)
        if (c->keys.items[n]->exists && str_equal(id, str_from(c->keys.items[n]->id)))
            return c->keys.items[n];
    return NULL;
}

static int key_check(struct ctx *x, struct str name, const struct ec2_tag_specs *specs) {
    static const char *const types[] = {"key-pair", NULL};
    TRY(tags_check_specs(x, specs, types));
    if (name.len == 0 || name.len > KEY_NAME_MAX)
        return ec2_fault_set(x->fault, "InvalidParameterValue",
                             "A key pair name has 1 to %d characters", KEY_NAME_MAX);
    if (key_find_name(x->c, name))
        return ec2_fault_set(x->fault, "InvalidKeyPair.Duplicate", "The keypair already exists");
    if (x->c->keys.count >= KEYS_MAX)
        return ec2_fault_set(x->fault, "KeyPairLimitExceeded", "At most %d key pairs", KEYS_MAX);
    return 0;
}

static struct key_pair *key_make(struct ctx *x, struct str name, const char *type,
                                 struct str public_line, struct str fingerprint) {
    struct key_pair *k = mem_new(sizeof *k);
    cloud_make_id(x->c, "key-", k->id, sizeof k->id);
    k->name = str_dup(name);
    k->type = type;
    k->public_line = str_dup(public_line);
    k->fingerprint = str_dup(fingerprint);
    k->exists = true;
    k->created_ns = x->c->now_ns;
    OWN_LIST_ADD(&x->c->keys, k);
    return k;
}

int keys_create(struct ctx *x) {
    const struct ec2_create_key_pair_in *in = &x->in->create_key_pair;
    const struct cloud_options *o = &x->c->options;
    TRY(key_check(x, in->name, &in->tag_specs));
    bool ed25519 = str_equal(in->type, STR("ed25519"));
    if (in->type.len && !ed25519 && !str_equal(in->type, STR("rsa")))
        return ec2_fault_set(x->fault, "InvalidParameterValue", "Invalid key type '%.*s'",
                             STR_ARG(in->type));
    if ((in->format.len && !str_equal(in->format, STR("pem"))) || !o->make_key)
        return ec2_fault_set(x->fault, "UnsupportedOperation",
                             "This rehearsal makes key pairs in PEM form only%s",
                             o->make_key ? "" : ", and none here");
    struct buf pem = BUF_INIT(16 * KIB);
    struct buf line = BUF_INIT(16 * KIB);
    struct buf fingerprint = BUF_INIT(1 * KIB);
    struct err err = {0};
    int made = o->make_key(o->make_key_user, ed25519 ? CLOUD_KEY_ED25519 : CLOUD_KEY_RSA, &pem,
                           &line, &fingerprint, &err);
    if (made == 0) {
        struct key_pair *k = key_make(x, in->name, ed25519 ? "ed25519" : "rsa", buf_str(&line),
                                      buf_str(&fingerprint));
        tags_apply(x, &k->tags, &in->tag_specs, "key-pair");
        x->out->create_key_pair = (struct ec2_create_key_pair_out){
            .id = str_from(k->id),
            .name = str_from(k->name),
            .fingerprint = str_from(k->fingerprint),
            .material = arena_str(x->arena, buf_str(&pem)),
            .tags = tags_reply(x->arena, &k->tags, NEVER),
        };
    }
    buf_deinit(&pem);
    buf_deinit(&line);
    buf_deinit(&fingerprint);
    if (made < 0)
        return ec2_fault_set(x->fault, "InternalError", "The key could not be made: %s", err.text);
    return 0;
}

int keys_import(struct ctx *x) {
    const struct ec2_import_key_pair_in *in = &x->in->import_key_pair;
    TRY(key_check(x, in->name, &in->tag_specs));
    struct str line = str_trim(in->public_key);
    bool ed25519 = str_starts_with(line, STR("ssh-ed25519 "));
    if (!ed25519 && !str_starts_with(line, STR("ssh-rsa ")))
        return ec2_fault_set(x->fault, "InvalidKey.Format",
                             "Key is not in valid OpenSSH public key format");
    /* A fingerprint of our own: nothing here depends on its kind. */
    struct str print =
        str_from(arena_printf(x->arena, "%016llx", (unsigned long long)str_hash(line)));
    struct key_pair *k = key_make(x, in->name, ed25519 ? "ed25519" : "rsa", line, print);
    tags_apply(x, &k->tags, &in->tag_specs, "key-pair");
    x->out->import_key_pair = (struct ec2_import_key_pair_out){
        .id = str_from(k->id),
        .name = str_from(k->name),
        .fingerprint = str_from(k->fingerprint),
        .tags = tags_reply(x->arena, &k->tags, NEVER),
    };
    return 0;
}

int keys_delete(struct ctx *x) {
    const struct ec2_delete_key_pair_in *in = &x->in->delete_key_pair;
    if (!in->id.ptr && !in->name.ptr)
        return ec2_fault_set(x->fault, "MissingParameter",
                             "The request must contain the parameter KeyName or KeyPairId");
    struct key_pair *k = in->id.ptr ? key_find_id(x->c, in->id) : key_find_name(x->c, in->name);
    x->out->delete_key_pair.done = true; /* also when there was none */
    if (!k)
        return 0;
    x->out->delete_key_pair.id = str_from(k->id);
    k->exists = false;
    k->deleted_ns = x->c->now_ns;
    return 0;
}

static bool key_filter_get(struct ctx *x, const void *object, struct str name, struct values *ret) {
    const struct key_pair *k = object;
    if (str_equal(name, STR("key-name")))
        values_add(ret, k ? str_from(k->name) : STR_EMPTY);
    else if (str_equal(name, STR("key-pair-id")))
        values_add(ret, k ? str_from(k->id) : STR_EMPTY);
    else if (str_equal(name, STR("fingerprint")))
        values_add(ret, k ? str_from(k->fingerprint) : STR_EMPTY);
    else
        return filter_tags(x, k ? &k->tags : NULL, name, ret);
    return true;
}

int keys_describe(struct ctx *x) {
    const struct ec2_describe_key_pairs_in *in = &x->in->describe_key_pairs;
    TRY(filter_check(x, &in->filters, key_filter_get));
    for (size_t n = 0; n < in->names.count; n++)
        if (!key_find_name(x->c, in->names.items[n]))
            return ec2_fault_set(x->fault, "InvalidKeyPair.NotFound",
                                 "The key pair '%.*s' does not exist", STR_ARG(in->names.items[n]));
    for (size_t n = 0; n < in->ids.count; n++)
        if (!key_find_id(x->c, in->ids.items[n]))
            return ec2_fault_set(x->fault, "InvalidKeyPair.NotFound",
                                 "The key pair '%.*s' does not exist", STR_ARG(in->ids.items[n]));
    for (size_t n = 0; n < x->c->keys.count; n++) {
        const struct key_pair *k = x->c->keys.items[n];
        if (!k->exists || (in->names.count && !str_in(str_from(k->name), &in->names)) ||
            (in->ids.count && !str_in(str_from(k->id), &in->ids)) ||
            !filter_match(x, &in->filters, key_filter_get, k))
            continue;
        *LIST_ADD(x->arena, &x->out->describe_key_pairs.pairs) = (struct ec2_key_pair){
            .id = str_from(k->id),
            .name = str_from(k->name),
            .type = str_from(k->type),
            .fingerprint = str_from(k->fingerprint),
            .public_key = in->include_public_key ? str_from(k->public_line) : STR_EMPTY,
            .created_unix_ms = cloud_unix_ms(x->c, k->created_ns),
            .tags = tags_reply(x->arena, &k->tags, x->seen_ns),
        };
    }
    return 0;
}
