#include "aws/config.h"

#include <stdlib.h>

#include "aws/config_parts.h"
#include "base/units.h"
#include "os/file.h"
#include "os/http_client.h"

/* What one profile says in one file. */
struct profile {
    bool found;
    struct str access_key, secret_key, session_token;
    struct str region, endpoint_url, services, ca_bundle, max_attempts;
    struct str process, role, web_identity, sso, login;
};

struct loader {
    const struct aws_config_options *options;
    const struct aws_environment *environment;
    struct arena *arena;
    struct aws_config *config;
    struct profile in_credentials, in_config;
    struct str credentials_path, config_path; /* as people know them */
    struct str config_text;
    bool profile_named; /* by the call or the environment */
};

/* --- the environment --- */

static const char *real_get(void *user UNUSED, const char *name) {
    return getenv(name);
}

static int real_read(void *user UNUSED, const char *path, struct arena *arena, struct str *ret_text,
                     struct err *err) {
    struct buf text = BUF_INIT(AWS_CONFIG_BYTES_MAX);
    int result = file_read(path, &text, err);
    if (result == 0)
        *ret_text = arena_str(arena, buf_str(&text));
    buf_deinit(&text);
    return result;
}

struct aws_environment aws_environment_real(void) {
    return (struct aws_environment){.get = real_get, .read = real_read};
}

struct str aws_environment_get(const struct aws_environment *environment, const char *name) {
    return str_from(environment->get(environment->user, name));
}

static struct str env(const struct loader *l, const char *name) {
    return aws_environment_get(l->environment, name);
}

static bool env_is_true(const struct loader *l, const char *name) {
    return str_equal_nocase(env(l, name), STR("true"));
}

/* --- files --- */

struct profile_visit {
    struct loader *loader;
    struct profile *profile;
    bool is_config; /* sections are "profile x" there, but for the default */
};

static bool is_profile(const struct profile_visit *v, struct str section) {
    struct str wanted = v->loader->config->profile;
    if (v->is_config && str_starts_with(section, STR("profile "))) {
        section = str_trim(str_skip(section, 8));
        bool quoted = section.len >= 2 && (section.ptr[0] == '"' || section.ptr[0] == '\'') &&
                      section.ptr[section.len - 1] == section.ptr[0];
        if (quoted)
            section = str_slice(section, 1, section.len - 1);
        return str_equal(section, wanted);
    }
    if (v->is_config && !str_equal(section, STR("default")))
        return false;
    return str_equal(section, wanted);
}

static int visit_profile(void *user, struct str section, struct str nested, struct str key,
                         struct str value, struct err *err UNUSED) {
    struct profile_visit *v = user;
    struct profile *p = v->profile;
    if (!is_profile(v, section))
        return 0;
    p->found = true;
    if (nested.len > 0)
        return 0;
    const struct {
        struct str key;
        struct str *into;
    } known[] = {
        {STR("aws_access_key_id"), &p->access_key},
        {STR("aws_secret_access_key"), &p->secret_key},
        {STR("aws_session_token"), &p->session_token},
        {STR("region"), &p->region},
        {STR("endpoint_url"), &p->endpoint_url},
        {STR("services"), &p->services},
        {STR("ca_bundle"), &p->ca_bundle},
        {STR("max_attempts"), &p->max_attempts},
        {STR("credential_process"), &p->process},
        {STR("role_arn"), &p->role},
        {STR("web_identity_token_file"), &p->web_identity},
        {STR("sso_session"), &p->sso},
        {STR("sso_start_url"), &p->sso},
        {STR("login_session"), &p->login},
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_equal(known[i].key, key) && value.len > 0)
            *known[i].into = arena_str(v->loader->arena, value);
    return 0;
}

/* `~/.aws/<name>` unless `variable` says otherwise. */
static struct str file_path(struct loader *l, const char *variable, const char *name) {
    struct str path = env(l, variable);
    struct str home = env(l, "HOME");
    if (path.len > 0)
        return path;
    return str_from(arena_printf(l->arena, "%.*s/.aws/%s", STR_ARG(home), name));
}

/* A file that is not there is as good as an empty one. */
static int read_profile(struct loader *l, struct str path, bool is_config, struct profile *into,
                        struct err *err) {
    struct str text = STR_EMPTY;
    struct err why = {0};
    int result = l->environment->read(l->environment->user, arena_text(l->arena, path), l->arena,
                                      &text, &why);
    if (result == -ERR_NOT_FOUND)
        return 0;
    if (result < 0)
        return err_set(err, ERR_ACCESS, "cannot read %.*s: %s", STR_ARG(path), why.text);
    struct profile_visit v = {l, into, is_config};
    if (aws_config_parse(text, visit_profile, &v, err) < 0)
        return err_wrap(err, "%.*s", STR_ARG(path));
    if (is_config)
        l->config_text = text;
    return 0;
}

static int read_files(struct loader *l, struct err *err) {
    l->credentials_path = file_path(l, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
    l->config_path = file_path(l, "AWS_CONFIG_FILE", "config");
    TRY(read_profile(l, l->credentials_path, false, &l->in_credentials, err));
    TRY(read_profile(l, l->config_path, true, &l->in_config, err));
    if (l->profile_named && !l->in_credentials.found && !l->in_config.found)
        return err_set(err, ERR_USAGE, "no profile '%.*s' in %.*s or %.*s",
                       STR_ARG(l->config->profile), STR_ARG(l->credentials_path),
                       STR_ARG(l->config_path));
    return 0;
}

static void choose_profile(struct loader *l) {
    struct str named = l->options->profile;
    if (named.len == 0)
        named = env(l, "AWS_PROFILE");
    if (named.len == 0)
        named = env(l, "AWS_DEFAULT_PROFILE");
    l->profile_named = named.len > 0;
    l->config->profile = l->profile_named ? arena_str(l->arena, named) : STR("default");
}

/* --- credentials --- */

static struct str profile_place(const struct loader *l, struct str path) {
    return str_from(arena_printf(l->arena, "profile '%.*s' in %.*s", STR_ARG(l->config->profile),
                                 STR_ARG(path)));
}

/* Both, one or none.  1: keys were taken. */
static int take_keys(struct loader *l, struct str access, struct str secret, struct str token,
                     struct str from, struct err *err) {
    if (access.len == 0 && secret.len == 0)
        return 0;
    if (access.len == 0 || secret.len == 0)
        return err_set(err, ERR_ACCESS, "%.*s has an AWS %s but no %s", STR_ARG(from),
                       access.len > 0 ? "access key" : "secret key",
                       access.len > 0 ? "secret key" : "access key");
    l->config->source = AWS_SOURCE_STATIC;
    l->config->source_from = from;
    l->config->keys = (struct aws_keys){
        .access_key = arena_str(l->arena, access),
        .secret_key = arena_str(l->arena, secret),
        .session_token = token.len > 0 ? arena_str(l->arena, token) : STR_EMPTY,
    };
    return 1;
}

static int take_keys_env(struct loader *l, struct err *err) {
    if (l->options->profile.len > 0)
        return 0;
    return take_keys(l, env(l, "AWS_ACCESS_KEY_ID"), env(l, "AWS_SECRET_ACCESS_KEY"),
                     env(l, "AWS_SESSION_TOKEN"), STR("the environment"), err);
}

/* Sources that take part in the order, but that we cannot use: better said than passed over. */
static int refuse_unsupported(struct loader *l, struct err *err) {
    const struct profile *p[] = {&l->in_credentials, &l->in_config};
    for (size_t i = 0; i < ARRAY_LEN(p); i++) {
        const char *what = p[i]->role.len > 0           ? "role_arn (AssumeRole)"
                           : p[i]->web_identity.len > 0 ? "web_identity_token_file"
                           : p[i]->sso.len > 0          ? "IAM Identity Center (sso_session)"
                           : p[i]->login.len > 0        ? "login_session"
                                                        : NULL;
        if (what)
            return err_set(err, ERR_ACCESS,
                           "profile '%.*s' uses %s, which is not supported here; give keys, "
                           "credential_process or run on an instance with a role",
                           STR_ARG(l->config->profile), what);
    }
    if (env(l, "AWS_WEB_IDENTITY_TOKEN_FILE").len > 0)
        return err_set(err, ERR_ACCESS,
                       "AWS_WEB_IDENTITY_TOKEN_FILE is set, but web identity is not supported "
                       "here");
    return 0;
}

static int take_process(struct loader *l) {
    bool first = l->in_credentials.process.len > 0;
    struct str process = first ? l->in_credentials.process : l->in_config.process;
    if (process.len == 0)
        return 0;
    l->config->source = AWS_SOURCE_PROCESS;
    l->config->source_from = profile_place(l, first ? l->credentials_path : l->config_path);
    l->config->process = process;
    return 1;
}

/* Hosts that may be asked for keys without TLS. */
static bool is_container_host(struct str host) {
    static const struct str hosts[] = {STR_INIT("169.254.170.2"), STR_INIT("169.254.170.23"),
                                       STR_INIT("fd00:ec2::23")};
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++)
        if (str_equal(hosts[i], host))
            return true;
    return aws_host_is_loopback(host);
}

static int container_token(struct loader *l, struct err *err) {
    struct str file = env(l, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    struct str token = env(l, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    if (file.len > 0) {
        if (l->environment->read(l->environment->user, arena_text(l->arena, file), l->arena, &token,
                                 err) < 0)
            return err_wrap(err, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
        token = str_trim(token);
    }
    if (str_index_of(token, '\r') < token.len || str_index_of(token, '\n') < token.len)
        return err_set(err, ERR_ACCESS, "the container's authorization token has line breaks");
    l->config->container_token = token.len > 0 ? arena_str(l->arena, token) : STR_EMPTY;
    return 0;
}

static int take_container(struct loader *l, struct err *err) {
    struct str relative = env(l, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    struct str full = env(l, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    struct http_origin origin;
    struct str path;
    if (relative.len == 0 && full.len == 0)
        return 0;
    if (relative.len > 0)
        full = str_from(arena_printf(l->arena, "http://169.254.170.2%.*s", STR_ARG(relative)));
    if (http_origin_parse(full, &origin, &path, err) < 0)
        return err_wrap(err, "AWS_CONTAINER_CREDENTIALS_*_URI");
    if (!origin.tls && !is_container_host(origin.host))
        return err_set(err, ERR_ACCESS,
                       "AWS_CONTAINER_CREDENTIALS_FULL_URI: http is only for loopback and "
                       "container hosts, not %.*s",
                       STR_ARG(origin.host));
    TRY(container_token(l, err));
    l->config->source = AWS_SOURCE_CONTAINER;
    l->config->source_from = STR("the container endpoint");
    l->config->container_url = arena_str(l->arena, full);
    return 1;
}

static void take_imds(struct loader *l) {
    if (env_is_true(l, "AWS_EC2_METADATA_DISABLED"))
        return;
    struct str url = env(l, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
    bool v6 = str_equal_nocase(env(l, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"), STR("ipv6"));
    if (url.len == 0)
        url = v6 ? STR("http://[fd00:ec2::254]") : STR("http://169.254.169.254");
    while (str_ends_with(url, STR("/")))
        url = str_slice(url, 0, url.len - 1);
    l->config->source = AWS_SOURCE_IMDS;
    l->config->source_from = STR("instance metadata");
    l->config->imds_url = arena_str(l->arena, url);
}

/* The first source that has something wins; a positive result ends the search. */
static int choose_credentials(struct loader *l, struct err *err) {
    const struct aws_keys *given = &l->options->keys;
    const struct profile *a = &l->in_credentials, *b = &l->in_config;
    int taken = take_keys(l, given->access_key, given->secret_key, given->session_token,
                          STR("the call"), err);
    if (taken == 0)
        taken = take_keys_env(l, err);
    if (taken == 0)
        taken = refuse_unsupported(l, err);
    if (taken == 0)
        taken = take_keys(l, a->access_key, a->secret_key, a->session_token,
                          profile_place(l, l->credentials_path), err);
    if (taken == 0)
        taken = take_process(l);
    if (taken == 0)
        taken = take_keys(l, b->access_key, b->secret_key, b->session_token,
                          profile_place(l, l->config_path), err);
    if (taken == 0)
        taken = take_container(l, err);
    if (taken == 0)
        take_imds(l);
    return taken < 0 ? taken : 0;
}

/* --- region, endpoints, the rest --- */

static int choose_region(struct loader *l, struct err *err) {
    struct aws_config *c = l->config;
    const struct {
        struct str value;
        struct str from;
    } places[] = {
        {l->options->region, STR("the call")},
        {env(l, "AWS_REGION"), STR("AWS_REGION")},
        {env(l, "AWS_DEFAULT_REGION"), STR("AWS_DEFAULT_REGION")},
        {l->in_credentials.region, profile_place(l, l->credentials_path)},
        {l->in_config.region, profile_place(l, l->config_path)},
    };
    for (size_t i = 0; i < ARRAY_LEN(places) && c->region.len == 0; i++) {
        if (places[i].value.len == 0)
            continue;
        c->region = arena_str(l->arena, places[i].value);
        c->region_from = places[i].from;
    }
    if (c->region.len == 0)
        return err_set(err, ERR_USAGE,
                       "no AWS region: set fleet.region, AWS_REGION or the "
                       "region of profile '%.*s'",
                       STR_ARG(c->profile));
    for (size_t i = 0; i < c->region.len; i++) {
        char ch = c->region.ptr[i];
        if (!((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '-'))
            return err_set(err, ERR_USAGE, "'%.*s' from %.*s is no AWS region", STR_ARG(c->region),
                           STR_ARG(c->region_from));
    }
    return 0;
}

static const struct {
    const char *variable;
    const char *prefix; /* of the host, and the key in [services x] */
} services[AWS_SERVICE_COUNT] = {
    [AWS_EC2] = {"AWS_ENDPOINT_URL_EC2", "ec2"},
    [AWS_STS] = {"AWS_ENDPOINT_URL_STS", "sts"},
    [AWS_SSM] = {"AWS_ENDPOINT_URL_SSM", "ssm"},
};

struct services_visit {
    struct str section; /* "services x" */
    struct str service;
    struct str url;
};

static int visit_services(void *user, struct str section, struct str nested, struct str key,
                          struct str value, struct err *err UNUSED) {
    struct services_visit *v = user;
    if (str_equal(section, v->section) && str_equal(nested, v->service) &&
        str_equal(key, STR("endpoint_url")))
        v->url = value;
    return 0;
}

static struct str url_from_services(struct loader *l, const char *prefix) {
    struct str name = l->in_config.services;
    if (name.len == 0)
        return STR_EMPTY;
    struct services_visit v = {
        .section = str_from(arena_printf(l->arena, "services %.*s", STR_ARG(name))),
        .service = str_from(prefix),
    };
    ignore(aws_config_parse(l->config_text, visit_services, &v, NULL)); /* was parsed before */
    return v.url;
}

static int choose_endpoint(struct loader *l, enum aws_service service, struct err *err) {
    struct aws_config *c = l->config;
    bool look = !env_is_true(l, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    const char *prefix = services[service].prefix;
    const struct {
        struct str url;
        const char *from;
    } places[] = {
        {l->options->endpoint_url, "the call"},
        {look ? env(l, services[service].variable) : STR_EMPTY, services[service].variable},
        {look ? env(l, "AWS_ENDPOINT_URL") : STR_EMPTY, "AWS_ENDPOINT_URL"},
        {look ? url_from_services(l, prefix) : STR_EMPTY, "the profile's services"},
        {look ? l->in_config.endpoint_url : STR_EMPTY, "the profile's endpoint_url"},
    };
    bool china = str_starts_with(c->region, STR("cn-"));
    struct str url = str_from(arena_printf(l->arena, "https://%s.%.*s.amazonaws.com%s", prefix,
                                           STR_ARG(c->region), china ? ".cn" : ""));
    const char *from = "the region";
    for (size_t i = ARRAY_LEN(places); i-- > 0;) {
        if (places[i].url.len > 0) {
            url = arena_str(l->arena, places[i].url);
            from = places[i].from;
        }
    }
    struct http_origin origin;
    struct str path;
    if (http_origin_parse(url, &origin, &path, err) < 0)
        return err_set(err, ERR_USAGE, "%s: '%.*s' is no endpoint address", from, STR_ARG(url));
    if (!origin.tls && !aws_host_is_loopback(origin.host))
        return err_set(err, ERR_USAGE,
                       "%s: http:// is accepted only for this machine, not for %.*s", from,
                       STR_ARG(origin.host));
    c->endpoint_url[service] = url;
    if (service == AWS_EC2)
        c->endpoint_from = str_from(from);
    return 0;
}

static int choose_attempts(struct loader *l, struct err *err) {
    struct str text = env(l, "AWS_MAX_ATTEMPTS");
    uint64_t attempts = 3;
    if (text.len == 0)
        text = l->in_config.max_attempts;
    if (text.len > 0 && (units_u64(text, &attempts, err) < 0 || attempts < 1 || attempts > 100))
        return err_set(err, ERR_USAGE, "AWS_MAX_ATTEMPTS or max_attempts is 1 to 100, not '%.*s'",
                       STR_ARG(text));
    l->config->attempts_max = (unsigned)attempts;
    return 0;
}

int aws_config_load(const struct aws_config_options *options,
                    const struct aws_environment *environment, struct arena *arena,
                    struct aws_config *ret_config, struct err *err) {
    struct aws_config config = {.source = AWS_SOURCE_NONE};
    struct loader l = {
        .options = options, .environment = environment, .arena = arena, .config = &config};
    choose_profile(&l);
    TRY(read_files(&l, err));
    TRY(choose_credentials(&l, err));
    TRY(choose_region(&l, err));
    for (unsigned service = 0; service < AWS_SERVICE_COUNT; service++)
        TRY(choose_endpoint(&l, (enum aws_service)service, err));
    TRY(choose_attempts(&l, err));
    struct str ca = env(&l, "AWS_CA_BUNDLE");
    if (ca.len == 0)
        ca = l.in_config.ca_bundle;
    config.ca_bundle = ca.len > 0 ? arena_str(arena, ca) : STR_EMPTY;
    *ret_config = config;
    return 0;
}

/* 127.a.b.c in digits and dots: a name such as 127.0.0.1.example.com is none. */
static bool is_loopback_v4(struct str host) {
    if (!str_starts_with(host, STR("127.")))
        return false;
    for (size_t i = 0; i < host.len; i++)
        if (host.ptr[i] != '.' && (host.ptr[i] < '0' || host.ptr[i] > '9'))
            return false;
    return true;
}

bool aws_host_is_loopback(struct str host) {
    return str_equal_nocase(host, STR("localhost")) || str_equal(host, STR("::1")) ||
           is_loopback_v4(host);
}
