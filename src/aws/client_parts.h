/* client_parts.h - the inside of the client, shared by client.c and call.c; nobody else includes
 * it. */
#ifndef AWS_CLIENT_PARTS_H
#define AWS_CLIENT_PARTS_H

#include "aws/client.h"
#include "aws/keys.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/prng.h"
#include "os/http_client.h"
#include "os/loop.h"

/* Where a service is. */
struct aws_endpoint {
    char *host_header; /* "127.0.0.1:5000": the port unless it is the scheme's own */
    char *path;
    struct http_origin origin; /* views into the configuration */
    struct http_client *http;
};

/* Calls that wait, first come first served. */
struct aws_queue {
    struct aws_call *first, *last;
};

enum aws_call_kind { AWS_CALL_EC2, AWS_CALL_STS, AWS_CALL_SSM };

struct aws_call {
    struct aws_client *client;
    struct aws_call *next, *previous; /* of all open calls */
    struct aws_call *queued_next;
    enum aws_call_kind kind;
    enum aws_service service;
    enum ec2_action ec2_action;
    enum ssm_action ssm_action;
    unsigned flags;
    bool mutates;    /* it matters whether it happened */
    bool repeatable; /* sending it twice is the same as once */
    bool dry_run;
    bool skew_fixed; /* the clock was corrected for it once */
    bool keys_renewed;
    unsigned attempts;
    unsigned last_cost; /* of the last retry, given back by success */
    char *body;
    size_t body_size;
    struct http_exchange *exchange;
    struct loop_timer *timer; /* back-off, or the end that is due */
    struct aws_result result;
    union {
        aws_ec2_done *ec2;
        aws_sts_done *sts;
        aws_ssm_done *ssm;
    } done;
    void *user;
};

struct aws_client {
    struct loop *loop;
    struct arena arena; /* the configuration */
    struct aws_config config;
    struct aws_client_options options;
    struct ssl_ctx_st *tls;
    struct aws_endpoint endpoints[AWS_SERVICE_COUNT];
    struct keys *keys;
    struct aws_call *calls; /* all that are open */
    struct aws_queue urgent, normal;
    struct aws_counters counters;
    struct prng prng;
    unsigned quota;
    int64_t skew_ms;
    struct loop_timer *wake; /* pumps from the loop */
    struct aws_list *lists;  /* that are being read */
};

#define AWS_QUOTA_MAX 500
#define AWS_QUOTA_RETRY 5
#define AWS_QUOTA_TIMEOUT 10
#define AWS_BACKOFF_MAX_NS (20 * NS_PER_S)
#define AWS_SKEW_MS (4 * 60 * 1000) /* a smaller difference is not why a stamp was refused */

/* Start waiting calls while there is room. */
void aws_client_pump(struct aws_client *client);
/* Put into its queue, behind its like. */
void aws_client_enqueue(struct aws_client *client, struct aws_call *call);

/* call.c: open a call of EC2 with a body that is encoded already. */
struct aws_call *aws_ec2_call_body(struct aws_client *client, enum ec2_action action,
                                   struct str body, aws_ec2_done *done, void *user);
void aws_call_start(struct aws_call *call);
/* Send one attempt with `keys`. */
void aws_call_send(struct aws_call *call, const struct aws_keys *keys);
/* End with call->result and `reply` (struct of the call's kind, or NULL); frees the call. */
void aws_call_end(struct aws_call *call, const void *reply);
void aws_call_free(struct aws_call *own_call);
/* list.c */
void aws_list_free(struct aws_list *own_list);
/* "Fri, 20 Nov 2026 16:08:03 GMT"; false when it is none. */
bool aws_http_date_parse(struct str text, int64_t *ret_unix_ms);

#endif
