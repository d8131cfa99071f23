/* ec2_fleets.h - EC2 Fleet: create, list, delete.
 *
 * Each call has `struct ec2_<call>_in` (parameters) and `struct ec2_<call>_out` (reply).
 * Absence is described in ec2_common.h.  Wire names: ec2_fleets.c.
 *
 * An instant fleet answers at once: HTTP 200 with instances, errors, or both.
 */
#ifndef EC2_FLEETS_H
#define EC2_FLEETS_H

#include "codec/ec2_common.h"
#include "codec/ec2_instances.h"

/* Attribute-based choice of instance types. */
struct ec2_requirements {
    struct ec2_range vcpus;            /* min required */
    struct ec2_range memory_mib;       /* min required */
    struct ec2_strs cpu_manufacturers; /* "intel", "amd", "amazon-web-services" */
    struct ec2_range memory_gib_per_vcpu_micro;
    struct ec2_strs excluded_types; /* wildcards allowed */
    struct ec2_strs allowed_types;
    struct ec2_strs generations; /* "current", "previous" */
    struct ec2_int spot_price_over_lowest_percent;
    struct ec2_int on_demand_price_over_lowest_percent;
    struct ec2_int spot_price_of_on_demand_percent;
    struct str bare_metal;    /* "included", "required", "excluded" (default) */
    struct str burstable;     /* the same */
    struct str local_storage; /* default "included" */
    struct ec2_strs local_storage_types;
    struct ec2_range local_storage_gb_micro;
    enum ec2_flag hibernation_required;
    struct ec2_range interfaces;
    struct ec2_range ebs_mbps;
    struct ec2_range network_gbps_micro;
    struct ec2_strs accelerator_types;
    struct ec2_range accelerators;
    struct ec2_strs accelerator_manufacturers;
    struct ec2_strs accelerator_names;
    struct ec2_range accelerator_memory_mib;
};

struct ec2_fleet_override {
    struct str instance_type; /* type xor requirements */
    struct str max_price;
    struct str subnet_id;
    struct str zone;
    struct str zone_id;
    struct ec2_int weight_micro;   /* WeightedCapacity; default 1 */
    struct ec2_int priority_micro; /* lower is better */
    struct ec2_placement placement;
    struct ec2_requirements requirements;
    struct str image_id;
    struct str key_name;
    struct ec2_block_devices disks;
    struct ec2_profile profile;
    struct ec2_metadata_options metadata;
};
EC2_LIST_OF(ec2_fleet_overrides, struct ec2_fleet_override);

struct ec2_fleet_config {
    struct ec2_template_ref template; /* version is required here */
    struct ec2_fleet_overrides overrides;
};
EC2_LIST_OF(ec2_fleet_configs, struct ec2_fleet_config);

struct ec2_fleet_spot_options {
    struct str strategy;           /* "lowest-price" (default), "price-capacity-optimized", ... */
    struct str interruption;       /* "terminate" (default), "stop", "hibernate" */
    struct str rebalance_strategy; /* maintain only: "launch", "launch-before-terminate" */
    int64_t rebalance_delay_s;
    int64_t pools_to_use;
    bool single_type;
    bool single_zone;
    int64_t target_min; /* all or nothing; needs single_type or single_zone */
    struct str max_total_price;
};

struct ec2_fleet_on_demand_options {
    struct str strategy; /* "lowest-price" (default), "prioritized" */
    struct str reservation_usage;
    bool single_type;
    bool single_zone;
    int64_t target_min;
    struct str max_total_price;
};

struct ec2_fleet_target {
    struct ec2_int total; /* required */
    struct ec2_int on_demand;
    struct ec2_int spot;
    struct str default_type; /* "spot", "on-demand" */
    struct str unit;         /* "units" (default), "vcpu", "memory-mib" */
};

/* Template and override that an item of a reply belongs to. */
struct ec2_fleet_choice {
    struct ec2_template_ref template;
    struct ec2_fleet_override override;
};

struct ec2_fleet_error {
    struct ec2_fleet_choice choice;
    struct str lifecycle; /* "spot", "on-demand" */
    struct str code;      /* "InsufficientInstanceCapacity", ... */
    struct str message;
};
EC2_LIST_OF(ec2_fleet_errors, struct ec2_fleet_error);

struct ec2_fleet_instances {
    struct ec2_fleet_choice choice;
    struct str lifecycle;
    struct ec2_strs ids;
    struct str instance_type;
    struct str platform;
    struct str zone;
    struct str zone_id;
    struct str subnet_id;
};
EC2_LIST_OF(ec2_fleet_instance_sets, struct ec2_fleet_instances);

struct ec2_create_fleet_in {
    struct str type; /* "instant", "request", "maintain" (default) */
    struct str client_token;
    struct ec2_fleet_configs configs; /* required */
    struct ec2_fleet_target target;   /* required */
    struct ec2_fleet_spot_options spot;
    struct ec2_fleet_on_demand_options on_demand;
    struct str excess_policy; /* "termination", "no-termination" */
    enum ec2_flag terminate_with_expiration;
    enum ec2_flag replace_unhealthy;
    int64_t valid_from_unix_ms;
    int64_t valid_until_unix_ms;
    struct ec2_tag_specs tag_specs; /* "instance", "fleet", "volume" */
    struct str context;
};
struct ec2_create_fleet_out {
    struct str fleet_id;
    struct ec2_fleet_errors errors;
    struct ec2_fleet_instance_sets instances;
};

struct ec2_delete_fleets_in {
    struct ec2_strs ids;               /* required */
    enum ec2_flag terminate_instances; /* required; instant fleets: must be true */
};
struct ec2_fleet_deletion {
    struct str fleet_id;
    struct str current;  /* "deleted_terminating", ... */
    struct str previous; /* "active", ... */
};
EC2_LIST_OF(ec2_fleet_deletions, struct ec2_fleet_deletion);
struct ec2_fleet_deletion_failure {
    struct str fleet_id;
    struct ec2_reason reason; /* "fleetIdDoesNotExist", ... */
};
EC2_LIST_OF(ec2_fleet_deletion_failures, struct ec2_fleet_deletion_failure);
struct ec2_delete_fleets_out {
    struct ec2_fleet_deletions done;
    struct ec2_fleet_deletion_failures failed;
};

/* Instant fleets are listed only when named by id. */
struct ec2_describe_fleets_in {
    struct ec2_strs ids;
    struct ec2_filters filters;
    int64_t max_results;
    struct str next_token;
};
struct ec2_fleet {
    struct str id;
    struct str state;    /* "active", "deleted_terminating", ... */
    struct str activity; /* "fulfilled", "pending_fulfillment", ... */
    struct str type;
    struct str client_token;
    int64_t created_unix_ms;
    struct str excess_policy;
    struct ec2_int fulfilled_micro;
    struct ec2_int fulfilled_on_demand_micro;
    struct ec2_fleet_configs configs;
    struct ec2_fleet_target target;
    struct ec2_fleet_spot_options spot;
    struct ec2_fleet_on_demand_options on_demand;
    enum ec2_flag terminate_with_expiration;
    enum ec2_flag replace_unhealthy;
    int64_t valid_from_unix_ms;
    int64_t valid_until_unix_ms;
    struct ec2_tags tags;
    struct ec2_fleet_errors errors;           /* instant only */
    struct ec2_fleet_instance_sets instances; /* instant only */
    struct str context;
};
EC2_LIST_OF(ec2_fleets, struct ec2_fleet);
struct ec2_describe_fleets_out {
    struct ec2_fleets fleets;
    struct str next_token;
};

#endif
