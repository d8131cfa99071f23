/* ec2_instances.h - instances: run, list, status, stop, terminate, console, volumes.
 *
 * Each call has `struct ec2_<call>_in` (parameters) and `struct ec2_<call>_out` (reply).
 * Absence is described in ec2_common.h.  Wire names: ec2_instances.c.
 */
#ifndef EC2_INSTANCES_H
#define EC2_INSTANCES_H

#include "codec/ec2_common.h"

/* --- shapes of a launch, shared by RunInstances, launch templates and fleet overrides --- */

struct ec2_block_device {
    struct str device_name;
    struct str virtual_name;
    struct str no_device;
    struct {
        int64_t size_gib;
        struct str volume_type;
        struct str snapshot_id;
        struct str kms_key_id;
        int64_t iops;
        int64_t throughput_mibs;
        enum ec2_flag delete_on_termination;
        enum ec2_flag encrypted;
    } ebs;
};
EC2_LIST_OF(ec2_block_devices, struct ec2_block_device);

struct ec2_private_address {
    struct str address;
    enum ec2_flag primary;
};
EC2_LIST_OF(ec2_private_addresses, struct ec2_private_address);

struct ec2_interface_spec {
    struct ec2_int device_index;
    struct str subnet_id;
    struct str description;
    struct str interface_id;
    struct str interface_type;
    struct str private_ip;
    struct ec2_private_addresses private_ips;
    struct ec2_strs group_ids;
    enum ec2_flag public_ip;
    enum ec2_flag delete_on_termination;
    struct ec2_int network_card_index;
    int64_t secondary_ip_count;
    int64_t ipv6_count;
};
EC2_LIST_OF(ec2_interface_specs, struct ec2_interface_spec);

struct ec2_placement {
    struct str zone;
    struct str zone_id;
    struct str group_name;
    struct str group_id;
    struct str tenancy; /* "default", "dedicated", "host" */
    struct str host_id;
    struct str affinity;
    int64_t partition;
};

struct ec2_profile {
    struct str arn;
    struct str name; /* requests and templates */
    struct str id;   /* replies of instances */
};

struct ec2_metadata_options {
    struct str state;         /* replies: "applied", "pending" */
    struct str http_tokens;   /* "required", "optional" */
    struct str http_endpoint; /* "enabled", "disabled" */
    struct str http_ipv6;
    struct str instance_tags; /* "enabled", "disabled" */
    int64_t hop_limit;
};

struct ec2_market {
    struct str type; /* "spot", or absent: on-demand */
    struct {
        struct str max_price;    /* dollars per hour, text: "0.05" */
        struct str type;         /* "one-time" (default), "persistent" */
        struct str interruption; /* "terminate" (default), "stop", "hibernate" */
        int64_t valid_until_unix_ms;
        int64_t block_minutes;
    } spot;
};

/* LaunchTemplateId xor LaunchTemplateName; version "$Latest", "$Default" or a number. */
struct ec2_template_ref {
    struct str id;
    struct str name;
    struct str version;
    struct str user_data; /* instant fleets: replaces that of the template; decoded */
};

/* --- instances as they are listed --- */

/* 0 pending, 16 running, 32 shutting-down, 48 terminated, 64 stopping, 80 stopped */
struct ec2_instance_state {
    struct ec2_int code;
    struct str name;
};

struct ec2_group_name {
    struct str id;
    struct str name;
};
EC2_LIST_OF(ec2_group_names, struct ec2_group_name);

struct ec2_attached_disk {
    struct str device_name;
    struct str volume_id;
    struct str status; /* "attached" */
    int64_t attached_unix_ms;
    enum ec2_flag delete_on_termination;
};
EC2_LIST_OF(ec2_attached_disks, struct ec2_attached_disk);

struct ec2_interface {
    struct str id;
    struct str subnet_id;
    struct str vpc_id;
    struct str description;
    struct str owner_id;
    struct str status; /* "in-use" */
    struct str mac;
    struct str type; /* "interface" */
    struct str private_ip;
    struct str private_dns;
    enum ec2_flag source_dest_check;
    struct ec2_group_names groups;
    struct {
        struct str id;
        struct str status; /* "attached" */
        struct ec2_int device_index;
        struct ec2_int network_card_index;
        int64_t attached_unix_ms;
        enum ec2_flag delete_on_termination;
    } attachment;
    struct {
        struct str public_ip;
        struct str public_dns;
        struct str owner_id;
    } association;
    struct ec2_private_addresses private_ips;
};
EC2_LIST_OF(ec2_interfaces, struct ec2_interface);

struct ec2_instance {
    struct str id;
    struct ec2_instance_state state;
    struct str image_id;
    struct str type;      /* "m5.large" */
    struct str lifecycle; /* "spot"; absent: on-demand */
    struct str spot_request_id;
    struct str client_token;
    struct str architecture;
    struct str key_name;
    struct str private_ip;
    struct str private_dns;
    struct str public_ip;
    struct str public_dns;
    struct str subnet_id;
    struct str vpc_id;
    struct ec2_placement placement;
    struct ec2_int launch_index;
    int64_t launched_unix_ms;
    struct str transition_reason;   /* "User initiated (2026-11-20 16:08:05 GMT)" */
    struct ec2_reason state_reason; /* "Server.SpotInstanceTermination", ... */
    struct str monitoring;          /* "disabled", "enabled" */
    struct str platform;            /* "Windows", or absent */
    struct str platform_details;    /* "Linux/UNIX" */
    struct str root_device_name;
    struct str root_device_type;
    struct str virtualization;
    struct str hypervisor;
    struct str boot_mode;
    enum ec2_flag ebs_optimized;
    enum ec2_flag ena_support;
    enum ec2_flag source_dest_check;
    struct ec2_profile profile;
    struct ec2_metadata_options metadata;
    struct {
        int64_t cores;
        int64_t threads_per_core;
    } cpu;
    struct ec2_group_names groups;
    struct ec2_attached_disks disks;
    struct ec2_interfaces interfaces;
    struct ec2_tags tags;
};
EC2_LIST_OF(ec2_instances, struct ec2_instance);

/* What one launch call made.  RunInstances answers with one, DescribeInstances with a list. */
struct ec2_reservation {
    struct str id;
    struct str owner_id;
    struct str requester_id;
    struct ec2_group_names groups;
    struct ec2_instances instances;
};
EC2_LIST_OF(ec2_reservations, struct ec2_reservation);

/* --- calls --- */

struct ec2_run_instances_in {
    int64_t min_count; /* required */
    int64_t max_count; /* required */
    struct str client_token;
    struct ec2_template_ref template;
    struct str image_id;
    struct str instance_type;
    struct str key_name;
    struct str subnet_id;
    struct str private_ip;
    struct str user_data;         /* decoded; at most USER_DATA_BYTES_MAX */
    struct str shutdown_behavior; /* "stop" (default), "terminate" */
    struct ec2_strs group_ids;
    struct ec2_strs group_names;
    struct ec2_placement placement;
    struct ec2_profile profile;
    struct ec2_metadata_options metadata;
    struct ec2_market market;
    struct ec2_block_devices disks;
    struct ec2_interface_specs interfaces;
    struct ec2_tag_specs tag_specs;
    enum ec2_flag monitoring;
    enum ec2_flag ebs_optimized;
    enum ec2_flag api_termination_disabled;
    enum ec2_flag api_stop_disabled;
    struct str cpu_credits; /* "standard", "unlimited" */
};
struct ec2_run_instances_out {
    struct ec2_reservation reservation;
};

struct ec2_describe_instances_in {
    struct ec2_strs ids; /* ids xor max_results */
    struct ec2_filters filters;
    int64_t max_results; /* 5..1000 */
    struct str next_token;
};
struct ec2_describe_instances_out {
    struct ec2_reservations reservations;
    struct str next_token;
};

struct ec2_describe_instance_status_in {
    struct ec2_strs ids; /* at most 100 */
    struct ec2_filters filters;
    bool include_all; /* default: running only */
    int64_t max_results;
    struct str next_token;
};
struct ec2_status_detail {
    struct str name;   /* "reachability" */
    struct str status; /* "passed", "initializing", ... */
    int64_t impaired_since_unix_ms;
};
EC2_LIST_OF(ec2_status_details, struct ec2_status_detail);
struct ec2_status_summary {
    struct str status; /* "ok", "initializing", "impaired", ... */
    struct ec2_status_details details;
};
struct ec2_status_event {
    struct str id;
    struct str code; /* "instance-retirement", ... */
    struct str description;
    int64_t not_before_unix_ms;
    int64_t not_after_unix_ms;
};
EC2_LIST_OF(ec2_status_events, struct ec2_status_event);
struct ec2_instance_status {
    struct str instance_id;
    struct str zone;
    struct str zone_id;
    struct ec2_instance_state state;
    struct ec2_status_summary instance;
    struct ec2_status_summary system;
    struct ec2_status_events events;
};
EC2_LIST_OF(ec2_instance_statuses, struct ec2_instance_status);
struct ec2_describe_instance_status_out {
    struct ec2_instance_statuses statuses;
    struct str next_token;
};

struct ec2_terminate_instances_in {
    struct ec2_strs ids; /* required; at most 1000; all or nothing on a bad id */
    bool force;
    bool skip_os_shutdown;
};
struct ec2_state_change {
    struct str instance_id;
    struct ec2_instance_state current;
    struct ec2_instance_state previous;
};
EC2_LIST_OF(ec2_state_changes, struct ec2_state_change);
struct ec2_terminate_instances_out {
    struct ec2_state_changes changes;
};

struct ec2_stop_instances_in {
    struct ec2_strs ids; /* required */
    bool hibernate;
    bool force;
    bool skip_os_shutdown;
};
struct ec2_stop_instances_out {
    struct ec2_state_changes changes;
};

struct ec2_get_console_output_in {
    struct str instance_id; /* required */
    bool latest;
};
struct ec2_get_console_output_out {
    struct str instance_id;
    int64_t at_unix_ms;
    struct str output; /* decoded */
};

struct ec2_describe_volumes_in {
    struct ec2_strs ids;
    struct ec2_filters filters;
    int64_t max_results;
    struct str next_token;
};
struct ec2_volume_attachment {
    struct str volume_id;
    struct str instance_id;
    struct str device;
    struct str status;
    int64_t attached_unix_ms;
    bool delete_on_termination;
};
EC2_LIST_OF(ec2_volume_attachments, struct ec2_volume_attachment);
struct ec2_volume {
    struct str id;
    struct str zone;
    struct str zone_id;
    struct str status; /* "in-use", "available", ... */
    struct str type;   /* "gp3" */
    struct str snapshot_id;
    int64_t size_gib;
    int64_t iops;
    int64_t throughput_mibs;
    int64_t created_unix_ms;
    bool encrypted;
    struct ec2_volume_attachments attachments;
    struct ec2_tags tags;
};
EC2_LIST_OF(ec2_volumes, struct ec2_volume);
struct ec2_describe_volumes_out {
    struct ec2_volumes volumes;
    struct str next_token;
};

#endif
