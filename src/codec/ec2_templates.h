/* ec2_templates.h - launch templates and their versions.
 *
 * Each call has `struct ec2_<call>_in` (parameters) and `struct ec2_<call>_out` (reply).
 * Absence is described in ec2_common.h.  Wire names: ec2_templates.c.
 */
#ifndef EC2_TEMPLATES_H
#define EC2_TEMPLATES_H

#include "codec/ec2_common.h"
#include "codec/ec2_instances.h"

/* What a template says about a launch; every field may be absent. */
struct ec2_template_data {
    struct str image_id;
    struct str instance_type;
    struct str key_name;
    struct str user_data;         /* decoded; base64 on the wire, both ways */
    struct str shutdown_behavior; /* "stop", "terminate" */
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
    struct str cpu_credits;
};

struct ec2_template {
    struct str id;
    struct str name;
    int64_t created_unix_ms;
    struct str created_by;
    int64_t default_version; /* from 1 */
    int64_t latest_version;
    struct ec2_tags tags;
};
EC2_LIST_OF(ec2_templates, struct ec2_template);

struct ec2_template_version {
    struct str template_id;
    struct str template_name;
    int64_t number; /* from 1 */
    struct str description;
    int64_t created_unix_ms;
    struct str created_by;
    bool is_default;
    struct ec2_template_data data;
};
EC2_LIST_OF(ec2_template_versions, struct ec2_template_version);

struct ec2_create_launch_template_in {
    struct str name; /* required; 3..128 of [a-zA-Z0-9()./_-] */
    struct str client_token;
    struct str version_description;
    struct ec2_template_data data;  /* required */
    struct ec2_tag_specs tag_specs; /* "launch-template" */
};
struct ec2_create_launch_template_out {
    struct ec2_template template;
    struct ec2_reasons warnings;
};

struct ec2_create_launch_template_version_in {
    struct str template_id; /* id xor name */
    struct str template_name;
    struct str source_version; /* merged under `data` */
    struct str client_token;
    struct str version_description;
    struct ec2_template_data data; /* required */
    bool resolve_alias;
};
struct ec2_create_launch_template_version_out {
    struct ec2_template_version version;
    struct ec2_reasons warnings;
};

struct ec2_delete_launch_template_in {
    struct str id; /* id xor name */
    struct str name;
};
struct ec2_delete_launch_template_out {
    struct ec2_template template;
};

struct ec2_describe_launch_templates_in {
    struct ec2_strs ids;
    struct ec2_strs names;
    struct ec2_filters filters;
    int64_t max_results; /* 1..200 */
    struct str next_token;
};
struct ec2_describe_launch_templates_out {
    struct ec2_templates templates;
    struct str next_token;
};

struct ec2_describe_launch_template_versions_in {
    struct str template_id;
    struct str template_name;
    struct ec2_strs versions; /* numbers, "$Latest", "$Default" */
    struct str min_version;
    struct str max_version;
    struct ec2_filters filters;
    bool resolve_alias;
    int64_t max_results;
    struct str next_token;
};
struct ec2_describe_launch_template_versions_out {
    struct ec2_template_versions versions;
    struct str next_token;
};

#endif
