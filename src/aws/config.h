/* config.h - where credentials, region and endpoints come from.
 *
 * Order of credentials (that of the AWS SDKs): given in the call; AWS_ACCESS_KEY_ID and
 * AWS_SECRET_ACCESS_KEY (unless a profile was named in the call); the profile's role, web identity
 * or SSO (recognised and refused with their name: not supported here); the credentials file;
 * credential_process; the config file; the container endpoint; instance metadata.
 * A key without its secret is an error, never a reason to look further.
 *
 * Region: call > AWS_REGION > AWS_DEFAULT_REGION > profile > instance metadata (not asked here).
 * Endpoint: call > AWS_ENDPOINT_URL_<SERVICE> > AWS_ENDPOINT_URL > profile's services section >
 * profile's endpoint_url > https://<service>.<region>.amazonaws.com.
 *
 * Tests: test/unit/test_aws_config.c, fuzz/fuzz_aws_config.c
 */
#ifndef AWS_CONFIG_H
#define AWS_CONFIG_H

#include "base/arena.h"
#include "base/base.h"
#include "base/err.h"
#include "base/str.h"

enum aws_service { AWS_EC2, AWS_STS, AWS_SSM, AWS_SERVICE_COUNT };

enum aws_source {
    AWS_SOURCE_NONE,      /* nothing found: the error text lists what was tried */
    AWS_SOURCE_STATIC,    /* keys are known */
    AWS_SOURCE_PROCESS,   /* run `process`, read JSON */
    AWS_SOURCE_CONTAINER, /* GET container_url */
    AWS_SOURCE_IMDS,      /* instance metadata */
};

struct aws_keys {
    struct str access_key;
    struct str secret_key;
    struct str session_token; /* empty: none */
    int64_t expires_unix_ms;  /* 0: never */
};

/* What the caller says; empty fields follow the rules above. */
struct aws_config_options {
    struct str profile;
    struct str region;
    struct str endpoint_url; /* for every service */
    struct aws_keys keys;
};

/* The environment and the files as the rules see them; tests pass their own. */
struct aws_environment {
    /* The value of a variable, or NULL. */
    const char *(*get)(void *user, const char *name);
    /* Read a whole small file into `arena`; ERR_NOT_FOUND when it is not there. */
    int (*read)(void *user, const char *path, struct arena *arena, struct str *ret_text,
                struct err *err);
    void *user;
};

/* All strings live in the arena given to aws_config_load. */
struct aws_config {
    struct str profile; /* its name; "default" */
    struct str region;
    struct str region_from; /* "AWS_REGION", "profile 'x' in ~/.aws/config": for doctor */
    struct str endpoint_url[AWS_SERVICE_COUNT];
    struct str endpoint_from;
    struct str ca_bundle; /* path; empty: probe the usual ones */
    enum aws_source source;
    struct str source_from; /* "environment", "profile 'x' in ~/.aws/credentials" */
    struct aws_keys keys;   /* AWS_SOURCE_STATIC */
    struct str process;     /* AWS_SOURCE_PROCESS: a command line */
    struct str container_url;
    struct str container_token;
    struct str imds_url;   /* "http://169.254.169.254" */
    unsigned attempts_max; /* AWS_MAX_ATTEMPTS; 3 */
};

/* Reads the process environment and the real files. */
struct aws_environment aws_environment_real(void);

/* Errors: ERR_ACCESS (half a key, unsupported source, unreadable file), ERR_PARSE (file:line:
 * what is wrong), ERR_USAGE (no such profile, no region, http:// to a foreign host). */
NODISCARD int aws_config_load(const struct aws_config_options *options,
                              const struct aws_environment *environment, struct arena *arena,
                              struct aws_config *ret_config, struct err *err);

/* Call `visit` for each `key = value` of a shared config file.  `nested` is the key of the block
 * that an indented line belongs to ("ec2" in `[services x]`), else empty.  Errors: ERR_PARSE with
 * the line number; a negative return of `visit` ends it. */
NODISCARD int aws_config_parse(struct str text,
                               int (*visit)(void *user, struct str section, struct str nested,
                                            struct str key, struct str value, struct err *err),
                               void *user, struct err *err);

/* JSON of credential_process, of the container endpoint and of instance metadata.  Errors:
 * ERR_PARSE, ERR_ACCESS. */
NODISCARD int aws_keys_parse(struct str json, struct arena *arena, struct aws_keys *ret_keys,
                             struct err *err);

#endif
