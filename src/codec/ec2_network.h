/* ec2_network.h - networks, security groups, key pairs and tags.
 *
 * Each call has `struct ec2_<call>_in` (parameters) and `struct ec2_<call>_out` (reply).
 * Absence is described in ec2_common.h.  Wire names: ec2_network.c.
 */
#ifndef EC2_NETWORK_H
#define EC2_NETWORK_H

#include "codec/ec2_common.h"

struct ec2_describe_vpcs_in {
    struct ec2_strs ids;
    struct ec2_filters filters;
    int64_t max_results;
    struct str next_token;
};
struct ec2_vpc {
    struct str id;
    struct str state; /* "available" */
    struct str cidr;
    struct str owner_id;
    struct str tenancy;
    struct str dhcp_options_id;
    bool is_default;
    struct ec2_tags tags;
};
EC2_LIST_OF(ec2_vpcs, struct ec2_vpc);
struct ec2_describe_vpcs_out {
    struct ec2_vpcs vpcs;
    struct str next_token;
};

struct ec2_describe_subnets_in {
    struct ec2_strs ids;
    struct ec2_filters filters;
    int64_t max_results;
    struct str next_token;
};
struct ec2_subnet {
    struct str id;
    struct str arn;
    struct str state; /* "available" */
    struct str vpc_id;
    struct str cidr;
    struct str zone;
    struct str zone_id;
    struct str owner_id;
    struct ec2_int free_addresses;
    bool default_for_zone;
    bool public_ip_on_launch;
    bool ipv6_on_creation;
    struct ec2_tags tags;
};
EC2_LIST_OF(ec2_subnets, struct ec2_subnet);
struct ec2_describe_subnets_out {
    struct ec2_subnets subnets;
    struct str next_token;
};

/* One rule: protocol "tcp", "udp", "icmp", "icmpv6" or "-1" for all (then no ports). */
struct ec2_ip_range {
    struct str cidr; /* v4 or v6, by the list it is in */
    struct str description;
};
EC2_LIST_OF(ec2_ip_ranges, struct ec2_ip_range);
struct ec2_group_pair {
    struct str group_id;
    struct str group_name;
    struct str user_id;
    struct str vpc_id;
    struct str description;
};
EC2_LIST_OF(ec2_group_pairs, struct ec2_group_pair);
struct ec2_prefix_list {
    struct str id;
    struct str description;
};
EC2_LIST_OF(ec2_prefix_lists, struct ec2_prefix_list);
struct ec2_ip_permission {
    struct str protocol;
    struct ec2_int from_port;
    struct ec2_int to_port;
    struct ec2_ip_ranges ranges;
    struct ec2_ip_ranges ranges_v6;
    struct ec2_group_pairs groups;
    struct ec2_prefix_lists prefix_lists;
};
EC2_LIST_OF(ec2_ip_permissions, struct ec2_ip_permission);

struct ec2_security_group {
    struct str id;
    struct str arn;
    struct str name;
    struct str description;
    struct str vpc_id;
    struct str owner_id;
    struct ec2_ip_permissions ingress;
    struct ec2_ip_permissions egress;
    struct ec2_tags tags;
};
EC2_LIST_OF(ec2_security_groups, struct ec2_security_group);

struct ec2_describe_security_groups_in {
    struct ec2_strs ids;
    struct ec2_strs names;
    struct ec2_filters filters;
    int64_t max_results; /* 5..1000 */
    struct str next_token;
};
struct ec2_describe_security_groups_out {
    struct ec2_security_groups groups;
    struct str next_token;
};

struct ec2_create_security_group_in {
    struct str name;        /* required */
    struct str description; /* required */
    struct str vpc_id;
    struct ec2_tag_specs tag_specs;
};
struct ec2_create_security_group_out {
    struct str id;
    struct str arn;
    struct ec2_tags tags;
};

struct ec2_delete_security_group_in {
    struct str id;
    struct str name;
};
struct ec2_delete_security_group_out {
    bool done;
    struct str id;
};

/* Authorize and revoke: either `permissions`, or the flat single-rule form of old clients. */
struct ec2_authorize_security_group_ingress_in {
    struct str id;
    struct str name;
    struct ec2_ip_permissions permissions;
    struct str protocol;
    struct ec2_int from_port;
    struct ec2_int to_port;
    struct str cidr;
    struct str source_group_name;
    struct str source_group_owner;
    struct ec2_tag_specs tag_specs;
};
struct ec2_security_group_rule {
    struct str rule_id;
    struct str group_id;
    struct str group_owner;
    bool is_egress;
    struct str protocol;
    struct ec2_int from_port;
    struct ec2_int to_port;
    struct str cidr_v4;
    struct str cidr_v6;
    struct str prefix_list;
    struct {
        struct str group_id;
        struct str user_id;
        struct str vpc_id;
    } referenced;
    struct str description;
    struct ec2_tags tags;
};
EC2_LIST_OF(ec2_security_group_rules, struct ec2_security_group_rule);
struct ec2_authorize_security_group_ingress_out {
    bool done;
    struct ec2_security_group_rules rules;
};

struct ec2_revoke_security_group_ingress_in {
    struct str id;
    struct str name;
    struct ec2_ip_permissions permissions;
    struct ec2_strs rule_ids;
    struct str protocol;
    struct ec2_int from_port;
    struct ec2_int to_port;
    struct str cidr;
    struct str source_group_name;
    struct str source_group_owner;
};
struct ec2_revoke_security_group_ingress_out {
    bool done;
    struct ec2_ip_permissions unknown;
};

struct ec2_create_key_pair_in {
    struct str name;   /* required */
    struct str type;   /* "rsa" (default), "ed25519" */
    struct str format; /* "pem" (default), "ppk" */
    struct ec2_tag_specs tag_specs;
};
struct ec2_create_key_pair_out {
    struct str id;
    struct str name;
    struct str fingerprint;
    struct str material; /* the private key: a secret */
    struct ec2_tags tags;
};

struct ec2_import_key_pair_in {
    struct str name;       /* required */
    struct str public_key; /* required; the OpenSSH line, decoded */
    struct ec2_tag_specs tag_specs;
};
struct ec2_import_key_pair_out {
    struct str id;
    struct str name;
    struct str fingerprint;
    struct ec2_tags tags;
};

struct ec2_delete_key_pair_in {
    struct str name;
    struct str id;
};
struct ec2_delete_key_pair_out {
    bool done;
    struct str id;
};

struct ec2_describe_key_pairs_in {
    struct ec2_strs names;
    struct ec2_strs ids;
    bool include_public_key;
    struct ec2_filters filters;
};
struct ec2_key_pair {
    struct str id;
    struct str name;
    struct str type;
    struct str fingerprint;
    struct str public_key;
    int64_t created_unix_ms;
    struct ec2_tags tags;
};
EC2_LIST_OF(ec2_key_pairs, struct ec2_key_pair);
struct ec2_describe_key_pairs_out {
    struct ec2_key_pairs pairs;
};

struct ec2_create_tags_in {
    struct ec2_strs resource_ids; /* required */
    struct ec2_tags tags;         /* required */
};
struct ec2_create_tags_out {
    bool done;
};

/* No tags: all tags of the resources go.  A tag without value goes whatever its value is. */
struct ec2_delete_tags_in {
    struct ec2_strs resource_ids; /* required */
    struct ec2_tags tags;
};
struct ec2_delete_tags_out {
    bool done;
};

struct ec2_describe_tags_in {
    struct ec2_filters filters;
    int64_t max_results;
    struct str next_token;
};
struct ec2_resource_tag {
    struct str resource_id;
    struct str resource_type;
    struct str key;
    struct str value;
};
EC2_LIST_OF(ec2_resource_tags, struct ec2_resource_tag);
struct ec2_describe_tags_out {
    struct ec2_resource_tags tags;
    struct str next_token;
};

#endif
