#include "unit.h"

#include "aws/config.h"
#include "aws/config_parts.h"

/* --- an environment made of pairs and files --- */

struct pair {
    const char *name;
    const char *value;
};

struct world {
    struct pair vars[12];
    struct pair files[4];
};

static const char *world_get(void *user, const char *name) {
    const struct world *w = user;
    for (size_t i = 0; i < ARRAY_LEN(w->vars) && w->vars[i].name; i++)
        if (strcmp(w->vars[i].name, name) == 0)
            return w->vars[i].value;
    return NULL;
}

static int world_read(void *user, const char *path, struct arena *arena, struct str *ret_text,
                      struct err *err) {
    const struct world *w = user;
    for (size_t i = 0; i < ARRAY_LEN(w->files) && w->files[i].name; i++) {
        if (strcmp(w->files[i].name, path) != 0)
            continue;
        *ret_text = arena_str(arena, str_from(w->files[i].value));
        return 0;
    }
    return err_set(err, ERR_NOT_FOUND, "%s", path);
}

static int load(struct world *w, const struct aws_config_options *options, struct arena *arena,
                struct aws_config *config, struct err *err) {
    static const struct aws_config_options none;
    struct aws_environment environment = {world_get, world_read, w};
    *err = (struct err){0};
    return aws_config_load(options ? options : &none, &environment, arena, config, err);
}

#define LOADED(w, options)                      \
    struct arena arena = {0};                   \
    struct aws_config c;                        \
    struct err err;                             \
    if (load(w, options, &arena, &c, &err) < 0) \
    fail_msg("%s", err.text)

#define REFUSED(w, options, wanted_code, part)                                   \
    do {                                                                         \
        struct arena arena_ = {0};                                               \
        struct aws_config c_;                                                    \
        struct err err_;                                                         \
        assert_int_equal(load(w, options, &arena_, &c_, &err_), -(wanted_code)); \
        if (!strstr(err_.text, part))                                            \
            fail_msg("'%s' is not in '%s'", part, err_.text);                    \
        arena_deinit(&arena_);                                                   \
    } while (0)

#define IS(view, text) assert_true(str_equal(view, str_from(text)))

#define HOME \
    { "HOME", "/h" }
#define REGION \
    { "AWS_REGION", "us-east-1" }

/* --- credentials --- */

static void the_environment_comes_before_files(void **state UNUSED) {
    struct world w = {
        {HOME,
         REGION,
         {"AWS_ACCESS_KEY_ID", "AK"},
         {"AWS_SECRET_ACCESS_KEY", "SK"},
         {"AWS_SESSION_TOKEN", "TK"}},
        {{"/h/.aws/credentials", "[default]\naws_access_key_id=F\naws_secret_access_key=G\n"}}};
    LOADED(&w, NULL);
    assert_int_equal(c.source, AWS_SOURCE_STATIC);
    IS(c.keys.access_key, "AK");
    IS(c.keys.secret_key, "SK");
    IS(c.keys.session_token, "TK");
    IS(c.source_from, "the environment");
    assert_int_equal(c.attempts_max, 3);
    arena_deinit(&arena);
}

static void a_profile_named_in_the_call_beats_keys_of_the_environment(void **state UNUSED) {
    struct world w = {
        {HOME, REGION, {"AWS_ACCESS_KEY_ID", "AK"}, {"AWS_SECRET_ACCESS_KEY", "SK"}},
        {{"/h/.aws/credentials", "[x]\naws_access_key_id = F\naws_secret_access_key = G+/=\n"}}};
    struct aws_config_options options = {.profile = STR("x")};
    LOADED(&w, &options);
    IS(c.keys.access_key, "F");
    IS(c.keys.secret_key, "G+/=");
    IS(c.source_from, "profile 'x' in /h/.aws/credentials");
    arena_deinit(&arena);
    w.vars[4] = (struct pair){"AWS_PROFILE", "x"}; /* in the environment it does not */
    struct arena second = {0};
    assert_int_equal(load(&w, NULL, &second, &c, &err), 0);
    IS(c.keys.access_key, "AK");
    arena_deinit(&second);
}

static void keys_given_in_the_call_come_first(void **state UNUSED) {
    struct world w = {{HOME, {"AWS_ACCESS_KEY_ID", "AK"}}, {{NULL, NULL}}};
    struct aws_config_options options = {
        .region = STR("eu-west-1"),
        .endpoint_url = STR("http://127.0.0.1:4000"),
        .keys = {.access_key = STR("A"), .secret_key = STR("S")},
    };
    LOADED(&w, &options);
    IS(c.keys.access_key, "A");
    IS(c.region_from, "the call");
    IS(c.endpoint_url[AWS_SSM], "http://127.0.0.1:4000");
    arena_deinit(&arena);
}

static void half_a_key_is_an_error(void **state UNUSED) {
    struct world env = {{HOME, REGION, {"AWS_ACCESS_KEY_ID", "AK"}}, {{NULL, NULL}}};
    REFUSED(&env, NULL, ERR_ACCESS, "no secret key");
    struct world file = {{HOME, REGION},
                         {{"/h/.aws/credentials", "[default]\naws_secret_access_key=G\n"}}};
    REFUSED(&file, NULL, ERR_ACCESS, "no access key");
}

static void sources_that_are_not_supported_say_so(void **state UNUSED) {
    const char *lines[][2] = {{"role_arn = arn:aws:iam::1:role/x", "role_arn"},
                              {"sso_session = s", "Identity Center"},
                              {"web_identity_token_file = /t", "web_identity"},
                              {"login_session = s", "login_session"}};
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        char text[200];
        snprintf(text, sizeof text, "[default]\n%s\naws_access_key_id=A\n", lines[i][0]);
        struct world w = {{HOME, REGION}, {{"/h/.aws/config", text}}};
        REFUSED(&w, NULL, ERR_ACCESS, lines[i][1]);
    }
    struct world w = {{HOME, REGION, {"AWS_WEB_IDENTITY_TOKEN_FILE", "/t"}}, {{NULL, NULL}}};
    REFUSED(&w, NULL, ERR_ACCESS, "web identity");
}

static void a_process_comes_before_keys_in_the_config_file(void **state UNUSED) {
    struct world w = {{HOME, REGION, {"AWS_PROFILE", "a b"}},
                      {{"/h/.aws/config", "[profile 'a b']\ncredential_process = get --key x\n"
                                          "aws_access_key_id=A\naws_secret_access_key=B\n"}}};
    LOADED(&w, NULL);
    assert_int_equal(c.source, AWS_SOURCE_PROCESS);
    IS(c.process, "get --key x");
    arena_deinit(&arena);
}

static void a_profile_that_is_nowhere_is_named(void **state UNUSED) {
    struct world w = {{HOME, REGION, {"AWS_PROFILE", "nix"}},
                      {{"/h/.aws/config", "[nix]\nregion=r\n[default]\n"}}};
    REFUSED(&w, NULL, ERR_USAGE, "'nix'"); /* config sections are written [profile nix] */
}

static void containers_and_metadata_come_last(void **state UNUSED) {
    struct world w = {{HOME,
                       REGION,
                       {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x"},
                       {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/tok"}},
                      {{"/tok", "secret\n"}}};
    LOADED(&w, NULL);
    assert_int_equal(c.source, AWS_SOURCE_CONTAINER);
    IS(c.container_url, "http://169.254.170.2/v2/x");
    IS(c.container_token, "secret");
    arena_deinit(&arena);
    struct world bare = {{HOME, REGION, {"AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.9/"}},
                         {{NULL, NULL}}};
    struct arena second = {0};
    assert_int_equal(load(&bare, NULL, &second, &c, &err), 0);
    assert_int_equal(c.source, AWS_SOURCE_IMDS);
    IS(c.imds_url, "http://127.0.0.9");
    bare.vars[3] = (struct pair){"AWS_EC2_METADATA_DISABLED", "true"};
    assert_int_equal(load(&bare, NULL, &second, &c, &err), 0);
    assert_int_equal(c.source, AWS_SOURCE_NONE);
    arena_deinit(&second);
}

static void container_keys_are_not_asked_of_strangers_without_tls(void **state UNUSED) {
    struct world w = {{HOME, REGION, {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://evil.com/x"}},
                      {{NULL, NULL}}};
    REFUSED(&w, NULL, ERR_ACCESS, "evil.com");
    w.vars[2].value = "https://evil.com/x";
    LOADED(&w, NULL);
    IS(c.container_url, "https://evil.com/x");
    arena_deinit(&arena);
}

/* --- region and endpoints --- */

static void the_region_is_looked_for_in_order(void **state UNUSED) {
    struct world w = {{HOME, {"AWS_DEFAULT_REGION", "eu-west-3"}},
                      {{"/h/.aws/config", "[default]\nregion = eu-west-4 # near\n"}}};
    LOADED(&w, NULL);
    IS(c.region, "eu-west-3");
    w.vars[2] = (struct pair){"AWS_REGION", "eu-west-2"};
    assert_int_equal(load(&w, NULL, &arena, &c, &err), 0);
    IS(c.region, "eu-west-2");
    struct world file = {{HOME}, {w.files[0]}};
    assert_int_equal(load(&file, NULL, &arena, &c, &err), 0);
    IS(c.region, "eu-west-4");
    IS(c.endpoint_url[AWS_EC2], "https://ec2.eu-west-4.amazonaws.com");
    struct world bare = {{HOME}, {{NULL, NULL}}};
    REFUSED(&bare, NULL, ERR_USAGE, "no AWS region");
    struct world odd = {{HOME, {"AWS_REGION", "evil.com/"}}, {{NULL, NULL}}};
    REFUSED(&odd, NULL, ERR_USAGE, "no AWS region");
    arena_deinit(&arena);
}

static void endpoints_are_looked_for_in_order(void **state UNUSED) {
    struct world w = {
        {HOME,
         REGION,
         {"AWS_ENDPOINT_URL", "https://all.example"},
         {"AWS_ENDPOINT_URL_STS", "https://sts.example"}},
        {{"/h/.aws/config", "[default]\nservices = mine\nendpoint_url = https://profile.example\n"
                            "[services mine]\nssm =\n  endpoint_url = https://ssm.example\n"}}};
    LOADED(&w, NULL);
    IS(c.endpoint_url[AWS_EC2], "https://all.example");
    IS(c.endpoint_url[AWS_STS], "https://sts.example");
    w.vars[2].value = "";
    assert_int_equal(load(&w, NULL, &arena, &c, &err), 0);
    IS(c.endpoint_url[AWS_EC2], "https://profile.example");
    IS(c.endpoint_url[AWS_SSM], "https://ssm.example");
    w.vars[4] = (struct pair){"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"};
    assert_int_equal(load(&w, NULL, &arena, &c, &err), 0);
    IS(c.endpoint_url[AWS_SSM], "https://ssm.us-east-1.amazonaws.com");
    w.vars[1].value = "cn-north-1";
    assert_int_equal(load(&w, NULL, &arena, &c, &err), 0);
    IS(c.endpoint_url[AWS_EC2], "https://ec2.cn-north-1.amazonaws.com.cn");
    arena_deinit(&arena);
}

static void plain_http_goes_only_to_this_machine(void **state UNUSED) {
    struct aws_config_options options = {.endpoint_url = STR("http://127.0.0.1:5000")};
    struct world w = {{HOME, REGION}, {{NULL, NULL}}};
    LOADED(&w, &options);
    arena_deinit(&arena);
    const char *bad[] = {"http://ec2.amazonaws.com",
                         "http://127.0.0.1.evil.com",
                         "http://10.0.0.1",
                         "ftp://127.0.0.1",
                         "127.0.0.1",
                         "http://",
                         "http://a b/",
                         "http://127.0.0.1:0",
                         "http://127.0.0.1:65536"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        options.endpoint_url = str_from(bad[i]);
        REFUSED(&w, &options, ERR_USAGE, "the call");
    }
    assert_true(aws_host_is_loopback(STR("::1")) && aws_host_is_loopback(STR("localhost")));
}

static void attempts_are_a_number_from_1_to_100(void **state UNUSED) {
    struct world w = {{HOME, REGION, {"AWS_MAX_ATTEMPTS", "7"}}, {{NULL, NULL}}};
    LOADED(&w, NULL);
    assert_int_equal(c.attempts_max, 7);
    arena_deinit(&arena);
    const char *bad[] = {"0", "101", "x", "-1"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        w.vars[2].value = bad[i];
        REFUSED(&w, NULL, ERR_USAGE, bad[i]);
    }
}

/* --- files and JSON --- */

static int count_pairs(void *user, struct str section UNUSED, struct str nested UNUSED,
                       struct str key UNUSED, struct str value UNUSED, struct err *err UNUSED) {
    ++*(unsigned *)user;
    return 0;
}

static void broken_files_are_refused_with_the_line(void **state UNUSED) {
    struct world w = {{HOME, REGION}, {{"/h/.aws/credentials", "[default]\r\n\n# c\nnonsense\n"}}};
    REFUSED(&w, NULL, ERR_PARSE, "/h/.aws/credentials: line 4:");
    const char *bad[] = {"[x", "[]", "a=1", "[x]\n=1"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        unsigned count = 0;
        assert_int_equal(aws_config_parse(str_from(bad[i]), count_pairs, &count, NULL), -ERR_PARSE);
    }
    unsigned count = 0;
    assert_int_equal(aws_config_parse(STR("[x]\na=1\n goes on\nb =\n c = 2\n d\n; z\n"),
                                      count_pairs, &count, NULL),
                     0);
    assert_int_equal(count, 3);
}

static void keys_in_json_are_read_and_checked(void **state UNUSED) {
    struct arena arena = {0};
    struct aws_keys keys;
    assert_int_equal(aws_keys_parse(STR("{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":"
                                        "\"S\",\"SessionToken\":\"T\",\"Expiration\":"
                                        "\"2026-11-20T16:08:03Z\"}"),
                                    &arena, &keys, NULL),
                     0);
    IS(keys.session_token, "T");
    assert_int_equal(keys.expires_unix_ms, 1795190883000);
    assert_int_equal(aws_keys_parse(STR("{\"Code\":\"Success\",\"AccessKeyId\":\"A\","
                                        "\"SecretAccessKey\":\"S\",\"Token\":\"T\"}"),
                                    &arena, &keys, NULL),
                     0);
    IS(keys.session_token, "T");
    assert_int_equal(aws_keys_parse(STR("{\"Code\":\"Failed\"}"), &arena, &keys, NULL),
                     -ERR_ACCESS);
    assert_int_equal(aws_keys_parse(STR("{\"AccessKeyId\":\"A\"}"), &arena, &keys, NULL),
                     -ERR_ACCESS);
    assert_int_equal(aws_keys_parse(STR("{\"AccessKeyId\":\"A\\r\\nX: y\",\"SecretAccessKey\":"
                                        "\"S\"}"),
                                    &arena, &keys, NULL),
                     -ERR_PARSE);
    assert_int_equal(aws_keys_parse(STR("[]"), &arena, &keys, NULL), -ERR_PARSE);
    assert_int_equal(aws_keys_parse(STR(""), &arena, &keys, NULL), -ERR_PARSE);
    arena_deinit(&arena);
}

UNIT_MAIN(T(the_environment_comes_before_files),
          T(a_profile_named_in_the_call_beats_keys_of_the_environment),
          T(keys_given_in_the_call_come_first), T(half_a_key_is_an_error),
          T(sources_that_are_not_supported_say_so),
          T(a_process_comes_before_keys_in_the_config_file), T(a_profile_that_is_nowhere_is_named),
          T(containers_and_metadata_come_last),
          T(container_keys_are_not_asked_of_strangers_without_tls),
          T(the_region_is_looked_for_in_order), T(endpoints_are_looked_for_in_order),
          T(plain_http_goes_only_to_this_machine), T(attempts_are_a_number_from_1_to_100),
          T(broken_files_are_refused_with_the_line), T(keys_in_json_are_read_and_checked))
