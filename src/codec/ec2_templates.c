#include "codec/ec2_tables.h"

FIELDS_STATIC(monitoring_fields, ec2_template_data,
              FLAG_F(ec2_template_data, monitoring, "Enabled", "enabled"));
FIELDS_STATIC(credit_fields, ec2_template_data,
              STR_F(ec2_template_data, cpu_credits, "CpuCredits", "cpuCredits"));

FIELDS_STATIC(data_fields, ec2_template_data,
              FLAG_F(ec2_template_data, ebs_optimized, "EbsOptimized", "ebsOptimized"),
              SUB_F(ec2_template_data, profile, "IamInstanceProfile", "iamInstanceProfile",
                    ec2_profile_fields),
              LIST_F(ec2_template_data, disks, ec2_block_devices, "BlockDeviceMapping",
                     "blockDeviceMappingSet", ec2_block_device_fields),
              LIST_F(ec2_template_data, interfaces, ec2_interface_specs, "NetworkInterface",
                     "networkInterfaceSet", ec2_interface_spec_fields),
              STR_F(ec2_template_data, image_id, "ImageId", "imageId"),
              STR_F(ec2_template_data, instance_type, "InstanceType", "instanceType"),
              STR_F(ec2_template_data, key_name, "KeyName", "keyName"),
              NEST_F("Monitoring", "monitoring", monitoring_fields),
              SUB_F(ec2_template_data, placement, "Placement", "placement", ec2_placement_fields),
              FLAG_F(ec2_template_data, api_termination_disabled, "DisableApiTermination",
                     "disableApiTermination"),
              STR_F(ec2_template_data, shutdown_behavior, "InstanceInitiatedShutdownBehavior",
                    "instanceInitiatedShutdownBehavior"),
              BLOB_F(ec2_template_data, user_data, "UserData", "userData"),
              TAG_SPECS_F(ec2_template_data),
              STRS_F(ec2_template_data, group_ids, "SecurityGroupId", "securityGroupIdSet"),
              STRS_F(ec2_template_data, group_names, "SecurityGroup", "securityGroupSet"),
              SUB_F(ec2_template_data, market, "InstanceMarketOptions", "instanceMarketOptions",
                    ec2_market_fields),
              NEST_F("CreditSpecification", "creditSpecification", credit_fields),
              SUB_F(ec2_template_data, metadata, "MetadataOptions", "metadataOptions",
                    ec2_metadata_options_fields),
              FLAG_F(ec2_template_data, api_stop_disabled, "DisableApiStop", "disableApiStop"));

FIELDS_STATIC(template_fields, ec2_template, STR_F(ec2_template, id, NULL, "launchTemplateId"),
              STR_F(ec2_template, name, NULL, "launchTemplateName"),
              TIME_F(ec2_template, created_unix_ms, NULL, "createTime"),
              STR_F(ec2_template, created_by, NULL, "createdBy"),
              INT_F(ec2_template, default_version, NULL, "defaultVersionNumber"),
              INT_F(ec2_template, latest_version, NULL, "latestVersionNumber"),
              TAG_SET_OUT(ec2_template));

FIELDS_STATIC(version_fields, ec2_template_version,
              STR_F(ec2_template_version, template_id, NULL, "launchTemplateId"),
              STR_F(ec2_template_version, template_name, NULL, "launchTemplateName"),
              INT_F(ec2_template_version, number, NULL, "versionNumber"),
              STR_F(ec2_template_version, description, NULL, "versionDescription"),
              TIME_F(ec2_template_version, created_unix_ms, NULL, "createTime"),
              STR_F(ec2_template_version, created_by, NULL, "createdBy"),
              BOOL_F(ec2_template_version, is_default, NULL, "defaultVersion"),
              SUB_F(ec2_template_version, data, NULL, "launchTemplateData", data_fields));

/* --- CreateLaunchTemplate, CreateLaunchTemplateVersion, DeleteLaunchTemplate --- */

FIELDS(ec2_create_launch_template_in_fields, ec2_create_launch_template_in,
       STR_F(ec2_create_launch_template_in, client_token, "ClientToken", NULL),
       STR_REQ(ec2_create_launch_template_in, name, "LaunchTemplateName"),
       STR_F(ec2_create_launch_template_in, version_description, "VersionDescription", NULL),
       SUB_REQ(ec2_create_launch_template_in, data, "LaunchTemplateData", data_fields),
       TAG_SPECS_F(ec2_create_launch_template_in));
FIELDS_STATIC(create_warning_fields, ec2_create_launch_template_out,
              LIST_F(ec2_create_launch_template_out, warnings, ec2_reasons, NULL, "errorSet",
                     ec2_reason_fields));
FIELDS(ec2_create_launch_template_out_fields, ec2_create_launch_template_out,
       SUB_F(ec2_create_launch_template_out, template, NULL, "launchTemplate", template_fields),
       NEST_F(NULL, "warning", create_warning_fields));

FIELDS(ec2_create_launch_template_version_in_fields, ec2_create_launch_template_version_in,
       STR_F(ec2_create_launch_template_version_in, client_token, "ClientToken", NULL),
       STR_F(ec2_create_launch_template_version_in, template_id, "LaunchTemplateId", NULL),
       STR_F(ec2_create_launch_template_version_in, template_name, "LaunchTemplateName", NULL),
       STR_F(ec2_create_launch_template_version_in, source_version, "SourceVersion", NULL),
       STR_F(ec2_create_launch_template_version_in, version_description, "VersionDescription",
             NULL),
       SUB_F(ec2_create_launch_template_version_in, data, "LaunchTemplateData", NULL, data_fields),
       BOOL_F(ec2_create_launch_template_version_in, resolve_alias, "ResolveAlias", NULL));
FIELDS_STATIC(version_warning_fields, ec2_create_launch_template_version_out,
              LIST_F(ec2_create_launch_template_version_out, warnings, ec2_reasons, NULL,
                     "errorSet", ec2_reason_fields));
FIELDS(ec2_create_launch_template_version_out_fields, ec2_create_launch_template_version_out,
       SUB_F(ec2_create_launch_template_version_out, version, NULL, "launchTemplateVersion",
             version_fields),
       NEST_F(NULL, "warning", version_warning_fields));

FIELDS(ec2_delete_launch_template_in_fields, ec2_delete_launch_template_in,
       STR_F(ec2_delete_launch_template_in, id, "LaunchTemplateId", NULL),
       STR_F(ec2_delete_launch_template_in, name, "LaunchTemplateName", NULL));
FIELDS(ec2_delete_launch_template_out_fields, ec2_delete_launch_template_out,
       SUB_F(ec2_delete_launch_template_out, template, NULL, "launchTemplate", template_fields));

/* --- DescribeLaunchTemplates, DescribeLaunchTemplateVersions --- */

FIELDS(ec2_describe_launch_templates_in_fields, ec2_describe_launch_templates_in,
       STRS_F(ec2_describe_launch_templates_in, ids, "LaunchTemplateId", NULL),
       STRS_F(ec2_describe_launch_templates_in, names, "LaunchTemplateName", NULL),
       FILTERS_F(ec2_describe_launch_templates_in), PAGING_F(ec2_describe_launch_templates_in));
FIELDS(ec2_describe_launch_templates_out_fields, ec2_describe_launch_templates_out,
       LIST_OUT(ec2_describe_launch_templates_out, templates, ec2_templates, "launchTemplates",
                template_fields),
       NEXT_TOKEN_OUT(ec2_describe_launch_templates_out));

FIELDS(ec2_describe_launch_template_versions_in_fields, ec2_describe_launch_template_versions_in,
       STR_F(ec2_describe_launch_template_versions_in, template_id, "LaunchTemplateId", NULL),
       STR_F(ec2_describe_launch_template_versions_in, template_name, "LaunchTemplateName", NULL),
       STRS_F(ec2_describe_launch_template_versions_in, versions, "LaunchTemplateVersion", NULL),
       STR_F(ec2_describe_launch_template_versions_in, min_version, "MinVersion", NULL),
       STR_F(ec2_describe_launch_template_versions_in, max_version, "MaxVersion", NULL),
       PAGING_F(ec2_describe_launch_template_versions_in),
       FILTERS_F(ec2_describe_launch_template_versions_in),
       BOOL_F(ec2_describe_launch_template_versions_in, resolve_alias, "ResolveAlias", NULL));
FIELDS(ec2_describe_launch_template_versions_out_fields, ec2_describe_launch_template_versions_out,
       LIST_OUT(ec2_describe_launch_template_versions_out, versions, ec2_template_versions,
                "launchTemplateVersionSet", version_fields),
       NEXT_TOKEN_OUT(ec2_describe_launch_template_versions_out));
